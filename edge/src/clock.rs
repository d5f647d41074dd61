//! The only place that reads the time.

use async_trait::async_trait;
use paydown::date::Instant;

use crate::error::Fault;

/// Says what time it is. In a sandbox build that is the sandbox's clock, which is a fact of the ledger.
#[async_trait(?Send)]
pub trait Clock: Send + Sync {
    /// Now, in milliseconds precision.
    async fn now(&self) -> Result<Instant, Fault>;
}
