//! What the sandbox's clock was set to.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use paydown::date::Instant;
use serde::Deserialize;

use super::{rows, statement};
use crate::error::Fault;
use crate::ports::{Clock, Database};

/// What the sandbox's clock was set to, and what the real one said then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Setting {
    /// The real time of the setting.
    pub set_at: Instant,
    /// The sandbox's time from then on.
    pub now: Instant,
}

impl Setting {
    /// The sandbox's time at an instant of the real one; the end of time when it lies beyond.
    pub fn now_at(self, real: Instant) -> Instant {
        let passed = real.signed_duration_since(self.set_at);
        self.now.checked_add_signed(passed).unwrap_or(Instant::MAX_UTC)
    }
}

/// What the sandbox's time follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SandboxTime {
    /// The last setting of its clock.
    pub setting: Option<Setting>,
    /// The instant of the last run, which its time never lies behind.
    pub last_run: Option<Instant>,
}

impl SandboxTime {
    /// The sandbox's time at an instant of the real one: as its clock says, but after the last run, which may have
    /// been of any instant.
    pub fn now_at(self, real: Instant) -> Instant {
        let set = self.setting.map_or(real, |setting| setting.now_at(real));
        let after_last = self.last_run.and_then(|last| last.checked_add_signed(TimeDelta::milliseconds(1)));
        after_last.map_or(set, |after_last| set.max(after_last))
    }
}

/// What the sandbox's time follows from now.
pub async fn time(database: &dyn Database) -> Result<SandboxTime, Fault> {
    let found = rows(database, statement(TIME, &())?).await?;
    Ok(found.into_iter().next().unwrap_or(SandboxTime { setting: None, last_run: None }))
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
        Ok(time(&*self.database).await?.now_at(real))
    }

    async fn real_now(&self) -> Result<Instant, Fault> {
        self.real.now().await
    }
}

/// Sets the sandbox's clock.
#[cfg(feature = "sandbox")]
pub async fn set(database: &dyn Database, setting: Setting) -> Result<(), Fault> {
    let parameter = serde_json::json!({ "set_at": paydown::date::text(setting.set_at), "now": paydown::date::text(setting.now) });
    super::batch(database, &[statement(SET, &parameter)?]).await.map(|_| ())
}

#[cfg(feature = "sandbox")]
const SET: &str = "
INSERT INTO sandbox_clock (set_at, now) SELECT ?1 ->> '$.set_at', ?1 ->> '$.now' WHERE true ON CONFLICT DO NOTHING";

const TIME: &str = "
SELECT json_object(
  'setting', json((SELECT json_object('set_at', set_at, 'now', now) FROM sandbox_clock ORDER BY set_at DESC, now DESC LIMIT 1)),
  'last_run', (SELECT max(as_of) FROM runs))";

#[cfg(test)]
mod tests {
    use super::{SandboxTime, Setting};

    #[test]
    fn the_sandbox_goes_on_from_what_it_was_set_to() {
        let at = |text: &str| text.parse().unwrap();
        let setting = Setting { set_at: at("2026-11-22T10:00:00.000Z"), now: at("2027-01-05T06:00:00.000Z") };
        assert_eq!(setting.now_at(at("2026-11-22T10:00:01.500Z")), at("2027-01-05T06:00:01.500Z"));
        assert_eq!(setting.now_at(at("2026-11-22T09:59:00.000Z")), at("2027-01-05T05:59:00.000Z"));
    }

    #[test]
    fn the_sandbox_is_never_behind_its_last_run() {
        let at = |text: &str| text.parse().unwrap();
        let time = SandboxTime { setting: None, last_run: Some(at("2027-01-05T06:00:00.000Z")) };
        assert_eq!(time.now_at(at("2026-11-22T10:00:00.000Z")), at("2027-01-05T06:00:00.001Z"));
        assert_eq!(time.now_at(at("2027-01-05T07:00:00.000Z")), at("2027-01-05T07:00:00.000Z"));
    }
}
