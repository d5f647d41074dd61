//! Stage 1: the run is opened for its business date.

use chrono::{DateTime, Utc};
use paydown::date::{BusinessDate, Instant, text};
use paydown::id::{self, RunId};

use crate::error::Fault;
use crate::ledger::{decisions, runs};
use crate::ports::Ports;

/// The most days that a run names as missed; a book that rested longer says so by its dates.
const MISSED_DAYS_NAMED: usize = 366;

/// What became of the wish to run at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// The run is open: this is the first or a resumed execution.
    Open(runs::Run),
    /// The run of this instant ended already.
    Closed(runs::Run),
    /// The last run is of a later instant; a run never goes back in time.
    Refused {
        /// The instant of the last run.
        last: Instant,
    },
}

/// Opens the run of `as_of`; the same instant again gives the same run.
pub async fn open(ports: &Ports, as_of: Instant) -> Result<Opened, Fault> {
    open_late(ports, as_of, false).await
}

/// As `open`, with the exception `run_late` when the cron did not open the day's run.
pub(super) async fn open_late(ports: &Ports, as_of: Instant, is_late: bool) -> Result<Opened, Fault> {
    let database = &*ports.database;
    let as_of = DateTime::<Utc>::from_timestamp_millis(as_of.timestamp_millis()).unwrap_or(as_of);
    let business_date = ports.settings.zone.business_date(as_of);
    let last = runs::last_run(database).await?;
    let missed_days = last.map_or(vec![], |(_, last_date)| days_between(last_date, business_date));
    let id = RunId(id::from_cause(0, &["run", &text(as_of)]));
    let new = runs::NewRun {
        id,
        business_date,
        as_of: text(as_of),
        started_at: text(ports.clock.now().await?),
        missed_days,
        late: is_late.then(|| id::from_cause(0, &["exception", "run_late", &text(as_of)])),
    };
    let (_, policy) = decisions::policy_row(&ports.settings)?;
    let run = runs::open(database, &new, policy).await?;
    Ok(match (run, last) {
        (Some(run), _) if run.closed.is_some() => Opened::Closed(run),
        (Some(run), _) => Opened::Open(run),
        (None, Some((last, _))) => Opened::Refused { last },
        // A later run was opened between the two looks.
        (None, None) => Opened::Refused { last: as_of },
    })
}

/// The days after one date and before another.
fn days_between(from: BusinessDate, to: BusinessDate) -> Vec<BusinessDate> {
    (1..).map(|days| from.plus_days(days)).take_while(|date| *date < to).take(MISSED_DAYS_NAMED).collect()
}
