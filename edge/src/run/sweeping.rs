//! The sweeper: every ten minutes it finishes what an invocation left, and keeps what nobody could handle.

use chrono::TimeDelta;
use paydown::date::{Instant, days_before, text};
use paydown::id::{self, CreditId};

use super::budget::Meter;
use super::seeking::seek_slice;
use super::{last_of, opening, run, slice_credits, wake_webhooks};
use crate::error::Fault;
use crate::ledger::{self, credits, exceptions, runs};
use crate::ports::Ports;

/// After how many minutes without a finished slice a run counts as left: longer than any invocation's stage.
const STALE_MINUTES: i64 = 8;

/// At what time of the day, UTC, the cron opens the daily run (`0 6 * * *`), and how many minutes later the
/// sweeper does it instead.
pub(super) const DAILY_RUN_HOUR: i64 = 6;
const LATE_MINUTES: i64 = 30;

/// Resumes a run that was left, opens the day's run when the cron did not, seeks unknown transactions, looks after webhooks.
///
/// What the run leaves of the invocation's budget is for the seeking; the next sweep seeks what this one did not.
pub async fn sweep(ports: &Ports, at: Instant) -> Result<(), Fault> {
    let (meter, ports) = &Meter::of(ports, ports.settings.budget).await?;
    if let Some(as_of) = left_run(ports, at).await? {
        run(ports, meter, as_of, true).await?;
    } else if is_late(ports, at).await? {
        opening::open_late(ports, at, true).await?;
        run(ports, meter, at, false).await?;
    }
    seek(ports, meter, at).await?;
    wake_webhooks(ports).await;
    Ok(())
}

/// Keeps a queue message that could not be handled and opens its exception.
pub async fn dead_letter(ports: &Ports, queue: &str, body: &str) -> Result<(), Fault> {
    let at = ports.clock.now().await?;
    let id = id::from_cause(0, &["dead_letter", queue, body]);
    let exception = exceptions::NewException {
        id: id::from_cause(0, &["exception", "dead_letter", queue, body]),
        kind: "dead_letter",
        subject: id.to_string(),
        run_id: None,
        detail: format!("a message of the queue {queue} could not be handled: {body}"),
        opened_at: text(at),
    };
    let statements = [exceptions::dead_letter(id, queue, body, at)?, exceptions::opened(&[exception])?];
    ledger::batch(&*ports.database, &statements).await.map(|_| ())
}

/// The instant of a run that nobody works on any more.
async fn left_run(ports: &Ports, at: Instant) -> Result<Option<Instant>, Fault> {
    let Some((as_of, last_active)) = runs::unfinished(&*ports.database).await? else { return Ok(None) };
    let latest = at.max(ports.clock.now().await?);
    let is_left = latest.signed_duration_since(last_active) >= TimeDelta::minutes(STALE_MINUTES);
    Ok(is_left.then_some(as_of))
}

/// Whether the day of `at` should have had its run by now.
async fn is_late(ports: &Ports, at: Instant) -> Result<bool, Fault> {
    let midnight = at.date_naive().and_time(chrono::NaiveTime::MIN).and_utc();
    let Some(due) = midnight.checked_add_signed(TimeDelta::hours(DAILY_RUN_HOUR)) else { return Ok(false) };
    if at.signed_duration_since(due) < TimeDelta::minutes(LATE_MINUTES) {
        return Ok(false);
    }
    match runs::last_run(&*ports.database).await? {
        // The date that the cron's run has: in most zones the date of `at` is another from some hour of the day on.
        Some((_, last_date)) => Ok(last_date < ports.settings.zone.business_date(due)),
        None => runs::has_credits_before(&*ports.database, days_before(at, 1)).await,
    }
}

/// Seeks the answers that are missing since the last run and before.
async fn seek(ports: &Ports, meter: &Meter, at: Instant) -> Result<(), Fault> {
    let context = ports.settings.context(at);
    let mut cursor = String::new();
    loop {
        let credits: Vec<CreditId> =
            credits::unanswered_now(&*ports.database, &cursor, ports.settings.budget.part_credits).await?;
        let Some(last) = last_of(&credits) else { return Ok(()) };
        for slice in credits.chunks(slice_credits(ports)) {
            if meter.is_used(ports).await? {
                return Ok(());
            }
            if seek_slice(ports, slice, &context, None).await?.is_some() {
                return Ok(());
            }
        }
        cursor = last;
    }
}
