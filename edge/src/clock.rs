//! The only place that reads the time.

use std::sync::Arc;

use async_trait::async_trait;
use paydown::date::Instant;

use crate::error::Fault;
use crate::ledger::sandbox;
use crate::ports::Database;

/// Says what time it is. In a sandbox build that is the sandbox's clock, which is a fact of the ledger.
#[async_trait(?Send)]
pub trait Clock: Send + Sync {
    /// Now, in milliseconds precision.
    async fn now(&self) -> Result<Instant, Fault>;

    /// The time of the world, which a sandbox's clock is set against.
    async fn real_now(&self) -> Result<Instant, Fault> {
        self.now().await
    }
}

/// The time of the world.
#[cfg(target_arch = "wasm32")]
#[derive(Debug, Clone, Copy)]
pub struct RealClock;

#[cfg(target_arch = "wasm32")]
impl RealClock {
    /// Now. On the platform it stands still while the Worker computes.
    pub fn read() -> Instant {
        let milliseconds = i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX);
        Instant::from_timestamp_millis(milliseconds).unwrap_or(Instant::MAX_UTC)
    }
}

#[cfg(target_arch = "wasm32")]
#[async_trait(?Send)]
impl Clock for RealClock {
    async fn now(&self) -> Result<Instant, Fault> {
        Ok(RealClock::read())
    }
}

/// The sandbox's time: where its clock was last set to, and what has passed since; never behind the last run.
pub struct SandboxClock {
    /// The clock that it is set against.
    pub real: Arc<dyn Clock>,
    /// The ledger, which holds what it was set to.
    pub database: Arc<dyn Database>,
}

#[async_trait(?Send)]
impl Clock for SandboxClock {
    async fn now(&self) -> Result<Instant, Fault> {
        let real = self.real.now().await?;
        Ok(sandbox::time(&*self.database).await?.now_at(real))
    }

    async fn real_now(&self) -> Result<Instant, Fault> {
        self.real.now().await
    }
}
