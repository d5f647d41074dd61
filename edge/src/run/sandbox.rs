//! The sandbox's clock: moved on, it lives through the days passed, with the simulator's clock beside it.

use chrono::{Days, NaiveTime, TimeDelta};
use paydown::date::Instant;

use super::daily;
use super::sweeping::DAILY_RUN_HOUR;
use crate::error::Fault;
use crate::ledger::runs;
use crate::ledger::sandbox::{Setting, set};
use crate::ports::Ports;

/// Moves the clocks on by whole days and runs the daily run on each morning passed; the time it is then.
pub async fn advance(ports: &Ports, days: u32) -> Result<Instant, Fault> {
    let now = ports.clock.now().await?;
    let last = runs::last_run(&*ports.database).await?.map(|(as_of, _)| as_of);
    let from = last.map_or(now, |last| now.max(last));
    let until = from.checked_add_signed(TimeDelta::days(i64::from(days))).unwrap_or(from);
    let mut morning = next_morning(from);
    while let Some(as_of) = morning.filter(|as_of| *as_of <= until) {
        set_clocks(ports, as_of).await?;
        daily(ports, as_of).await?;
        morning = next_morning(as_of);
    }
    set_clocks(ports, until).await?;
    Ok(until)
}

/// The first instant after `at` at which the cron opens the daily run.
fn next_morning(at: Instant) -> Option<Instant> {
    let of = |date: chrono::NaiveDate| {
        let midnight = date.and_time(NaiveTime::MIN).and_utc();
        midnight.checked_add_signed(TimeDelta::hours(DAILY_RUN_HOUR))
    };
    let today = of(at.date_naive()).filter(|morning| *morning > at);
    today.or_else(|| of(at.date_naive().checked_add_days(Days::new(1))?))
}

async fn set_clocks(ports: &Ports, now: Instant) -> Result<(), Fault> {
    ports.processor.set_clock(now).await.map_err(Fault::Permanent)?;
    let set_at = ports.clock.real_now().await?;
    set(&*ports.database, Setting { set_at, now }).await
}
