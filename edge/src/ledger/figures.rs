//! The daily figures: what a run found the book to come to, and what was decided since.
//!
//! Each change to a credit takes a turn, and what it adds to the figures changes with nothing else. So the figures of now are
//! those of the last run that counted, with the difference of the credits that took a turn since: what each adds now, less
//! what it added at the first of those turns. A run's decisions are found by the run, all others in the order in which they
//! landed (`decided_between_runs`); new credits by their number, none of which is created before the last run's instant.
//!
//! Without figures to build on, or where days were counted in another zone, all credits are counted.

use std::collections::BTreeMap;

use paydown::credit::Facts;
use paydown::date::{BusinessDate, Instant, Zone, text};
use paydown::figures::{Days, Figures};
use paydown::id::{self, CreditId, RunId};
use paydown::policy::RETURN_RATE_DAYS;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::told::{Told, told};
use super::{all, batch, rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// How many credits that changed are found at once.
pub const FOUND: usize = 10_000;

/// How many credits are counted at once.
const SLICE: usize = 250;

/// The stage of a run in which it counts. A run that counts decides nothing more.
pub const STAGE: &str = "figures";

/// The figures of the last run that counted.
#[derive(Debug, Clone, Deserialize)]
pub struct Counted {
    /// The run.
    pub run_id: RunId,
    /// Its instant, as sortable text.
    as_of: String,
    /// The run that counted all credits, on which it built.
    counted_from: RunId,
    /// The zone in which days were counted.
    zone: Uuid,
    /// The number of the last decision outside of runs that is counted.
    decided: i64,
    /// How many credits are counted that were created at `as_of` or later.
    created: i64,
    /// What the book came to, without its days.
    figures: Figures,
}

/// What a run counts: on which figures it builds, and up to where. All before is in the ledger when it begins, and lands in
/// one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks {
    /// The run on whose figures it builds, if on any.
    base: Option<RunId>,
    /// The zone in which it counts days.
    zone: Uuid,
    /// The number of the last decision outside of runs.
    decided: i64,
    /// How many credits were created since the figures on which the run builds.
    created: i64,
    /// How many were created at the run's instant or later.
    created_since: i64,
}

impl Marks {
    /// Whether what is counted by these marks holds: not when the run was given another zone meanwhile.
    pub fn hold(&self, base: Option<&Counted>, zone: &Zone) -> Result<bool, Fault> {
        Ok(self.base == base.map(|base| base.run_id) && self.zone == zone_id(zone)?)
    }
}

/// A credit that changed, and since when.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Changed {
    /// The credit.
    pub credit_id: CreditId,
    /// The first turn that is not counted.
    from: i64,
}

/// On what to build, and up to where to count.
#[derive(Debug, Clone, Serialize)]
pub struct Span {
    /// The instant of the run that counted last, as sortable text; none counts all credits.
    since: Option<String>,
    /// The last decision that is counted.
    after: i64,
    /// The instant of the last run to count, as sortable text.
    until: String,
    /// The last decision to count.
    pub(super) up_to: Option<i64>,
    /// The run that counts.
    pub(super) run_id: Option<RunId>,
}

/// The figures of the last run that counted days in this zone.
pub async fn last(database: &dyn Database, zone: &Zone) -> Result<Option<Counted>, Fault> {
    let found: Vec<Counted> = rows(database, statement(LAST, &())?).await?;
    let zone = zone_id(zone)?;
    Ok(found.into_iter().next().filter(|counted| counted.zone == zone))
}

/// The figures of now, with the days that are asked for.
pub async fn now(database: &dyn Database, zone: &Zone, days: &[BusinessDate]) -> Result<Figures, Fault> {
    let base = last(database, zone).await?;
    let since = base.as_ref().map(|base| base.as_of.clone());
    let mut figures = base.as_ref().map(|base| base.figures.clone()).unwrap_or_default();
    let created: Vec<i64> = rows(database, statement(CREATED, &json!({ "since": since }))?).await?;
    let known = base.as_ref().map_or(0, |base| base.created);
    figures.plus(&Figures::of_new(created.into_iter().next().unwrap_or(0).saturating_sub(known)));
    if let Some(base) = &base {
        let wanted = json!({ "counted_from": base.counted_from, "as_of": base.as_of, "days": days });
        let kept: Vec<(BusinessDate, i64, i64)> = rows(database, statement(DAYS, &wanted)?).await?;
        figures.put_days(kept.into_iter().map(|(date, expected, collected)| (date, (expected, collected))));
    }
    let span = Span::since(base.as_ref());
    let mut cursor = String::new();
    loop {
        let found = changed(database, &span, &cursor).await?;
        for slice in found.chunks(SLICE) {
            figures.plus(&difference(database, zone, &span, slice, |_, _| ()).await?);
        }
        cursor = match found.last() {
            Some(last) if found.len() == FOUND => last.credit_id.to_string(),
            Some(_) | None => return Ok(figures),
        };
    }
}

/// What was outstanding when the last run of each day had closed, of the days from one to another that had a run.
pub async fn left_by_day(
    database: &dyn Database,
    from: BusinessDate,
    to: BusinessDate,
) -> Result<BTreeMap<BusinessDate, i64>, Fault> {
    let days = json!({ "from": from, "to": to });
    let left: Vec<(BusinessDate, i64)> = rows(database, statement(LEFT, &days)?).await?;
    Ok(left.into_iter().collect())
}

impl Span {
    /// All that is not counted.
    fn since(base: Option<&Counted>) -> Span {
        let (since, after) = base.map(|base| (base.as_of.clone(), base.decided)).unzip();
        Span { since, after: after.unwrap_or(0), until: "~".into(), up_to: None, run_id: None }
    }

    /// All that is not counted and that a run counts.
    pub fn of_run(base: Option<&Counted>, (run_id, as_of): (RunId, Instant), marks: &Marks) -> Span {
        Span { until: text(as_of), up_to: Some(marks.decided), run_id: Some(run_id), ..Span::since(base) }
    }

    /// What runs decided behind an instant and up to that of a run.
    pub fn of_decisions(since: Option<Instant>, (run_id, as_of): (RunId, Instant), marks: &Marks) -> Span {
        let since = Some(since.map(text).unwrap_or_default());
        let (until, up_to) = (text(as_of), Some(marks.decided));
        Span { since, after: marks.decided, until, up_to, run_id: Some(run_id) }
    }
}

/// The credits behind one that changed in a span; all of them where there is nothing to build on.
pub async fn changed(database: &dyn Database, span: &Span, cursor: &str) -> Result<Vec<Changed>, Fault> {
    let sql = if span.since.is_some() { CHANGED } else { ALL };
    let found = statement(sql, &json!({ "span": span, "cursor": cursor, "limit": FOUND }))?;
    let results = batch(database, &[found]).await?;
    results.first().map_or(Ok(vec![]), |rows| all(rows))
}

/// By how much the figures change with these credits, each of which is looked at as it stands then. One of which nothing was
/// decided before counts as a new one already.
///
/// Up to which turn a credit counts is read with its facts: a decision may land after it was found that the credit changed.
pub async fn difference(
    database: &dyn Database,
    zone: &Zone,
    span: &Span,
    changed: &[Changed],
    mut look: impl FnMut(&Told, &Facts),
) -> Result<Figures, Fault> {
    let of = |facts: &Facts| Figures::of(facts, |at| zone.business_date(at));
    let mut difference = Figures::default();
    for told in told(database, span, changed).await? {
        let stands = told.before(told.to);
        look(&told, &stands);
        difference.plus(&of(&stands));
        match told.from {
            0 => difference.minus(&Figures::of_new(1)),
            from => difference.minus(&of(&told.before(Some(from)))),
        }
    }
    Ok(difference)
}

/// Begins to count, unless that was done: fixes up to where. From then on the run decides nothing.
pub async fn begin(
    database: &dyn Database,
    run: RunId,
    as_of: Instant,
    (base, zone): (Option<&Counted>, &Zone),
    now: Instant,
) -> Result<(), Fault> {
    let parameter = json!({
        "run_id": run, "stage": STAGE, "as_of": text(as_of), "base": base.map(|base| base.run_id),
        "since": base.map(|base| &base.as_of), "zone": zone_id(zone)?, "now": text(now),
    });
    batch(database, &[statement(BEGIN, &parameter)?]).await.map(|_| ())
}

/// The statements that write the figures of a run that is about to be closed with a status: the days that changed, the
/// exceptions that are open, and all else. They do nothing for a run that is closed.
pub(crate) fn counted(
    run: (RunId, Instant),
    status: &str,
    base: Option<Counted>,
    marks: &Marks,
    mut difference: Figures,
) -> Result<Vec<Statement>, Fault> {
    let (run_id, as_of) = run;
    let days = days_of(&difference.take_days());
    let counted_from = base.as_ref().map_or(run_id, |base| base.counted_from);
    let known = base.as_ref().map_or(0, |base| base.created);
    let mut figures = base.map(|base| base.figures).unwrap_or_default();
    figures.plus(&difference);
    figures.plus(&Figures::of_new(marks.created.saturating_sub(known)));
    figures.forget_originated_before(kept_from(as_of));
    let parameter = json!({
        "run_id": run_id, "as_of": text(as_of), "counted_from": counted_from, "marks": marks,
        "status": status, "figures": serde_json::to_string(&figures)?, "days": days,
    });
    let sets = [DAY_FIGURES, OPEN_EXCEPTIONS, COUNTED];
    sets.into_iter().map(|sql| statement(sql, &parameter)).collect()
}

/// From when on it is kept what was originated: twice as long as return rates look back, since not every clock that asks is
/// as late as the run's.
fn kept_from(as_of: Instant) -> Instant {
    paydown::date::days_before(as_of, RETURN_RATE_DAYS.saturating_mul(2))
}

fn days_of(days: &Days) -> Vec<(BusinessDate, i64, i64)> {
    days.iter().map(|(date, (expected, collected))| (*date, *expected, *collected)).collect()
}

/// A zone by all its offsets.
fn zone_id(zone: &Zone) -> Result<Uuid, Fault> {
    Ok(id::from_cause(0, &["zone", &serde_json::to_string(zone)?]))
}

/// On figures of an older shape nothing is built.
const LAST: &str = "
SELECT json_object('run_id', run_id, 'as_of', as_of, 'counted_from', counted_from, 'zone', zone, 'decided', decided,
  'created', created, 'figures', json(figures))
FROM figures ORDER BY as_of DESC LIMIT 1";

/// In the order of the runs: of two on one day the later counts.
const LEFT: &str = "
SELECT json_array(r.business_date, f.figures ->> '$.money.in_flight' + f.figures ->> '$.money.scheduled'
  + f.figures ->> '$.money.waiting')
FROM runs r CROSS JOIN figures f ON f.run_id = r.id
WHERE r.business_date BETWEEN ?1 ->> '$.from' AND ?1 ->> '$.to' ORDER BY r.as_of";

const CREATED: &str = "
SELECT json_quote(count(*)) FROM credits WHERE created_at >= coalesce(?1 ->> '$.since', '')";

/// The last figures of each day.
const DAYS: &str = "
SELECT json_array(f.date, f.expected, f.collected) FROM json_each(?1, '$.days') AS day
CROSS JOIN day_figures f ON f.counted_from = ?1 ->> '$.counted_from' AND f.date = day.value AND f.as_of = (
  SELECT max(as_of) FROM day_figures
  WHERE counted_from = ?1 ->> '$.counted_from' AND date = day.value AND as_of <= ?1 ->> '$.as_of')";

macro_rules! changed {
    ($of:literal, $from:literal, $group:literal) => {
        concat!(
            "
SELECT json_group_array(json_object('credit_id', credit_id, 'from', turn)) FROM (
  SELECT credit_id, ",
            $from,
            " AS turn FROM (",
            $of,
            ") AS found WHERE credit_id > ?1 ->> '$.cursor' ",
            $group,
            " ORDER BY credit_id LIMIT ?1 ->> '$.limit')"
        )
    };
}

const CHANGED: &str = changed!(
    "
  SELECT d.credit_id, d.turn FROM runs CROSS JOIN decisions d ON d.run_id = runs.id
  WHERE runs.as_of > ?1 ->> '$.span.since' AND runs.as_of <= ?1 ->> '$.span.until'
  UNION ALL
  SELECT credit_id, turn FROM decided_between_runs
  WHERE number > ?1 ->> '$.span.after'
    AND (?1 ->> '$.span.up_to' IS NULL OR number <= ?1 ->> '$.span.up_to')",
    "min(turn)",
    "GROUP BY credit_id"
);

const ALL: &str = changed!("SELECT id AS credit_id FROM credits", "0", "");

const BEGIN: &str = "
INSERT INTO run_stages (run_id, stage, slice, cursor, detail, at)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.stage', 0, '', json_object('marks', json_object(
  'base', ?1 ->> '$.base', 'zone', ?1 ->> '$.zone', 'decided', coalesce((SELECT max(number) FROM decided_between_runs), 0),
  'created', (SELECT count(*) FROM credits WHERE created_at >= coalesce(?1 ->> '$.since', '')),
  'created_since', (SELECT count(*) FROM credits WHERE created_at >= ?1 ->> '$.as_of'))), ?1 ->> '$.now'
WHERE true ON CONFLICT DO NOTHING";

/// Each day that changed, as it was last and what came to it.
const DAY_FIGURES: &str = "
INSERT INTO day_figures (counted_from, date, as_of, expected, collected)
SELECT ?1 ->> '$.counted_from', day.value ->> '$[0]', ?1 ->> '$.as_of',
  coalesce(last.expected, 0) + (day.value ->> '$[1]'), coalesce(last.collected, 0) + (day.value ->> '$[2]')
FROM json_each(?1, '$.days') AS day
LEFT JOIN day_figures last ON last.counted_from = ?1 ->> '$.counted_from' AND last.date = day.value ->> '$[0]'
  AND last.as_of = (
    SELECT max(as_of) FROM day_figures WHERE counted_from = ?1 ->> '$.counted_from' AND date = day.value ->> '$[0]')
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id') ON CONFLICT DO NOTHING";

const OPEN_EXCEPTIONS: &str = "
INSERT INTO open_exceptions (run_id, exception_id)
SELECT ?1 ->> '$.run_id', exception_id FROM unresolved
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id') ON CONFLICT DO NOTHING";

/// The runs and dead letters of the last figures, and those since.
const COUNTED: &str = "
WITH base AS (SELECT * FROM figures ORDER BY as_of DESC LIMIT 1),
ended AS (
  SELECT c.status FROM runs r CROSS JOIN run_closings c ON c.run_id = r.id
  WHERE r.as_of > coalesce((SELECT as_of FROM base), '') AND r.as_of < ?1 ->> '$.as_of'
  UNION ALL SELECT ?1 ->> '$.status')
INSERT INTO figures (run_id, as_of, counted_from, zone, decided, created, exceptions, dead_letters, runs_complete,
  runs_incomplete, runs_failed, figures)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.as_of', ?1 ->> '$.counted_from', ?1 ->> '$.marks.zone', ?1 ->> '$.marks.decided',
  ?1 ->> '$.marks.created_since', coalesce((SELECT max(number) FROM exception_numbers), 0),
  coalesce((
    SELECT base.dead_letters + (
      SELECT count(*) FROM exception_numbers n CROSS JOIN exceptions e ON e.id = n.exception_id
      WHERE n.number > base.exceptions AND e.kind = 'dead_letter')
    FROM base), (SELECT count(*) FROM dead_letters)),
  coalesce((SELECT runs_complete FROM base), 0) + (SELECT count(*) FROM ended WHERE status = 'complete'),
  coalesce((SELECT runs_incomplete FROM base), 0) + (SELECT count(*) FROM ended WHERE status = 'incomplete'),
  coalesce((SELECT runs_failed FROM base), 0) + (SELECT count(*) FROM ended WHERE status = 'failed'),
  ?1 ->> '$.figures'
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id') ON CONFLICT DO NOTHING";
