//! The only place that reads the time.

use async_trait::async_trait;
use paydown::date::Instant;

use crate::error::Fault;
use crate::ports::Clock;

/// The time of the world.
#[derive(Debug, Clone, Copy)]
pub struct RealClock;

impl RealClock {
    /// Now. On the platform it stands still while the Worker computes.
    pub fn read() -> Instant {
        let milliseconds = i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX);
        Instant::from_timestamp_millis(milliseconds).unwrap_or(Instant::MAX_UTC)
    }
}

#[async_trait(?Send)]
impl Clock for RealClock {
    async fn now(&self) -> Result<Instant, Fault> {
        Ok(RealClock::read())
    }
}
