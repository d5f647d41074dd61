//! What the sandbox's clock was set to.

use paydown::date::Instant;
use serde::Deserialize;

use super::{rows, statement};
use crate::error::Fault;
use crate::ports::Database;

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

/// The last setting of the sandbox's clock.
pub async fn latest_setting(database: &dyn Database) -> Result<Option<Setting>, Fault> {
    let found = rows(database, statement(LATEST_SETTING, &())?).await?;
    Ok(found.into_iter().next())
}

const LATEST_SETTING: &str = "
SELECT json_object('set_at', set_at, 'now', now) AS setting FROM sandbox_clock ORDER BY set_at DESC LIMIT 1";

#[cfg(test)]
mod tests {
    use super::Setting;

    #[test]
    fn the_sandbox_goes_on_from_what_it_was_set_to() {
        let at = |text: &str| text.parse().unwrap();
        let setting = Setting { set_at: at("2026-11-22T10:00:00.000Z"), now: at("2027-01-05T06:00:00.000Z") };
        assert_eq!(setting.now_at(at("2026-11-22T10:00:01.500Z")), at("2027-01-05T06:00:01.500Z"));
        assert_eq!(setting.now_at(at("2026-11-22T09:59:00.000Z")), at("2027-01-05T05:59:00.000Z"));
    }
}
