//! The figures that an operator's alerts look at.

use paydown::api::Stop;
use paydown::date::{Instant, Zone};
use serde::Deserialize;

use super::{batch, figures, parsed, statement, stops};
use crate::error::Fault;
use crate::ports::Database;

/// What the metrics are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Closed runs, by status.
    pub runs: Vec<(String, u64)>,
    /// The instant of the last run, and that of the last complete one.
    pub last: LastRuns,
    /// Since when the oldest transaction is called for without an id.
    pub oldest_unknown_at: Option<Instant>,
    /// Open exceptions, by kind.
    pub open_exceptions: Vec<(String, u64)>,
    /// Messages that could not be handled.
    pub dead_letters: u64,
    /// Debits processed since the instant asked for.
    pub originated: u64,
    /// Those of them that failed, by return code.
    pub returned: Vec<(Option<String>, u64)>,
    /// The operators' stop.
    pub stop: Stop,
}

/// The ends of the list of runs, and the beginning of the book.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct LastRuns {
    /// The last run.
    pub run: Option<Instant>,
    /// The last complete run.
    pub complete: Option<Instant>,
    /// The first credit.
    pub first_credit: Option<Instant>,
    /// What the last closed run found broken of L10.
    pub broken: Vec<String>,
}

/// Reads them; the return rates over the debits processed since `since`.
pub async fn figures(database: &dyn Database, zone: &Zone, since: Instant) -> Result<Figures, Fault> {
    let statements = [
        statement(RUNS, &())?,
        statement(LAST_RUNS, &())?,
        statement(OLDEST_UNKNOWN, &())?,
        statement(OPEN_EXCEPTIONS, &())?,
        statement(DEAD_LETTERS, &())?,
    ];
    let results = batch(database, &statements).await?;
    let (originated, returned) = figures::now(database, zone, &[]).await?.originated_since(since);
    let rows = |place: usize| results.get(place).map_or(&[][..], Vec::as_slice);
    Ok(Figures {
        runs: parsed(rows(0))?,
        last: parsed(rows(1))?.into_iter().next().unwrap_or_default(),
        oldest_unknown_at: parsed::<Option<Instant>>(rows(2))?.into_iter().flatten().next(),
        open_exceptions: parsed(rows(3))?,
        dead_letters: parsed(rows(4))?.into_iter().next().unwrap_or(0),
        originated,
        returned: returned.into_iter().collect(),
        stop: stops::stop(database).await?,
    })
}

/// The ends of the list of runs, and the beginning of the book.
pub async fn last_runs(database: &dyn Database) -> Result<LastRuns, Fault> {
    let results = batch(database, &[statement(LAST_RUNS, &())?]).await?;
    Ok(results.first().map_or(Ok(vec![]), |rows| parsed(rows))?.into_iter().next().unwrap_or_default())
}

/// Those of the last figures, and those since.
const RUNS: &str = "
WITH last AS (SELECT * FROM figures ORDER BY as_of DESC LIMIT 1)
SELECT json_array(status, sum(number)) FROM (
  SELECT 'complete' AS status, runs_complete AS number FROM last
  UNION ALL SELECT 'incomplete', runs_incomplete FROM last
  UNION ALL SELECT 'failed', runs_failed FROM last
  UNION ALL
  SELECT c.status, 1 FROM runs r CROSS JOIN run_closings c ON c.run_id = r.id
  WHERE r.as_of > coalesce((SELECT as_of FROM last), ''))
GROUP BY status HAVING sum(number) > 0";

const LAST_RUNS: &str = "
SELECT json_object(
  'run', (SELECT as_of FROM runs ORDER BY as_of DESC LIMIT 1),
  'complete', (SELECT r.as_of FROM runs r CROSS JOIN run_closings c ON c.run_id = r.id
    WHERE c.status = 'complete' ORDER BY r.as_of DESC LIMIT 1),
  'first_credit', (SELECT created_at FROM credits ORDER BY created_at, id LIMIT 1),
  'broken', json(coalesce((
    SELECT json_group_array(reason.value) FROM json_each((
      SELECT c.reasons FROM runs r CROSS JOIN run_closings c ON c.run_id = r.id ORDER BY r.as_of DESC LIMIT 1)) AS reason
    WHERE reason.value LIKE 'L10 %'), '[]')))";

/// The same credits and debits that the sweeper calls for again.
const OLDEST_UNKNOWN: &str = "
WITH last AS (
  SELECT r.id, r.as_of FROM runs r CROSS JOIN run_closings c ON c.run_id = r.id
  WHERE c.status <> 'failed' ORDER BY r.as_of DESC LIMIT 1),
carried AS (
  SELECT credit_id FROM carried_over WHERE run_id = (SELECT id FROM last) AND kind = 'unanswered')
SELECT json_quote(min(at)) FROM (
  SELECT created_at AS at, id AS subject FROM credits
  WHERE created_at >= coalesce((SELECT as_of FROM last), '') OR id IN (SELECT credit_id FROM carried)
  UNION ALL
  SELECT at, debit_id FROM processed_debits WHERE at >= coalesce((SELECT as_of FROM last), '')
  UNION ALL
  SELECT at, id FROM refunds
  WHERE at >= coalesce((SELECT as_of FROM last), '') OR credit_id IN (SELECT credit_id FROM carried)
  UNION ALL
  SELECT p.at, p.debit_id FROM carried CROSS JOIN debits d ON d.credit_id = carried.credit_id
    CROSS JOIN processed_debits p ON p.debit_id = d.id) AS called
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE subject_id = called.subject)
  AND NOT EXISTS (SELECT 1 FROM observations WHERE subject_id = called.subject)";

const OPEN_EXCEPTIONS: &str = "
SELECT json_array(e.kind, count(*)) FROM unresolved u CROSS JOIN exceptions e ON e.id = u.exception_id GROUP BY e.kind";

/// Each opened an exception of its own.
const DEAD_LETTERS: &str = "
SELECT json_quote(coalesce((
  SELECT last.dead_letters + (
    SELECT count(*) FROM exception_numbers n CROSS JOIN exceptions e ON e.id = n.exception_id
    WHERE n.number > last.exceptions AND e.kind = 'dead_letter')
  FROM (SELECT * FROM figures ORDER BY as_of DESC LIMIT 1) AS last), (SELECT count(*) FROM dead_letters)))";
