//! The rows of a run: its opening, its stages and its end.

use paydown::date::{BusinessDate, Instant, text};
use paydown::id::RunId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::credits::Since;
use super::told::Did;
use super::{batch, parsed, rows, statement, webhooks};
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// A run, and where it stands in the book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The run.
    pub id: RunId,
    /// Its date.
    pub business_date: BusinessDate,
    /// Its instant.
    pub as_of: Instant,
    /// When it was opened, by the clock.
    pub started_at: Instant,
    /// How it ended, if it did.
    pub closed: Option<String>,
    /// The last run before it that went through all its stages.
    pub before: Option<RunBefore>,
}

/// The last run that went through all its stages: what it did not see is this run's to find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunBefore {
    /// The run.
    pub id: RunId,
    /// Its date.
    pub business_date: BusinessDate,
    /// Its instant.
    pub as_of: Instant,
}

/// A slice of a stage that is done.
#[derive(Debug, Clone, Deserialize)]
pub struct Slice {
    /// Where the next one begins; `None` when the stage is done.
    pub cursor: Option<String>,
    /// Its number.
    pub slice: u32,
    /// What the stage says about itself.
    pub detail: Value,
}

/// The last run by its instant: its instant and date.
pub async fn last_run(database: &dyn Database) -> Result<Option<(Instant, BusinessDate)>, Fault> {
    let found = rows(database, statement(LAST_RUN, &())?).await?;
    Ok(found.into_iter().next())
}

/// The run of an instant.
pub async fn run_of(database: &dyn Database, as_of: Instant) -> Result<Option<Run>, Fault> {
    let found = rows(database, statement(RUN, &json!({ "as_of": text(as_of) }))?).await?;
    Ok(found.into_iter().next())
}

/// Inserts a run unless a later one exists, ends those that it overtakes, and gives the run as it stands.
pub async fn open(database: &dyn Database, run: &NewRun, policy: Statement) -> Result<Option<Run>, Fault> {
    let opened = json!({ "as_of": run.as_of });
    let statements = [
        policy,
        statement(OPEN, run)?,
        statement(OVERTAKE, run)?,
        statement(RUN_LATE, run)?,
        statement(RUN, &opened)?,
    ];
    let results = batch(database, &statements).await?;
    let found = results.last().map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok(found.into_iter().next())
}

/// A run that is to be opened.
#[derive(Debug, Clone, Serialize)]
pub struct NewRun {
    /// The run.
    pub id: RunId,
    /// Its date.
    pub business_date: BusinessDate,
    /// Its instant, as sortable text.
    pub as_of: String,
    /// When it was opened, as sortable text.
    pub started_at: String,
    /// The days since the last run that had none.
    pub missed_days: Vec<BusinessDate>,
    /// The exception `run_late`, when the cron did not open the day's run.
    pub late: Option<Uuid>,
}

/// How a stage of a run stands.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    /// Whether the run has ended.
    pub is_closed: bool,
    /// The latest slice of the stage.
    pub latest: Option<Slice>,
}

/// How a stage of a run stands.
pub async fn standing(database: &dyn Database, run: RunId, stage: &str) -> Result<Standing, Fault> {
    let found = rows(database, statement(STANDING, &json!({ "run_id": run, "stage": stage }))?).await?;
    let gone = || Fault::Permanent("the ledger does not say how a stage stands".into());
    found.into_iter().next().ok_or_else(gone)
}

/// The latest slice of a stage.
pub async fn progress(database: &dyn Database, run: RunId, stage: &str) -> Result<Option<Slice>, Fault> {
    let found = rows(database, statement(PROGRESS, &json!({ "run_id": run, "stage": stage }))?).await?;
    Ok(found.into_iter().next())
}

/// The row that says that a slice is done.
pub(crate) fn slice_done(
    run: RunId,
    stage: &str,
    (slice, cursor): (u32, &str),
    detail: &Value,
    at: Instant,
) -> Result<Statement, Fault> {
    row(run, stage, (slice, Some(cursor)), detail, at)
}

/// The row that says that a stage is done. It stands behind every slice: whoever is still at one cannot take its place.
pub(crate) fn stage_done(run: RunId, stage: &str, detail: &Value, at: Instant) -> Result<Statement, Fault> {
    row(run, stage, (u32::MAX, None), detail, at)
}

fn row(
    run: RunId,
    stage: &str,
    (slice, cursor): (u32, Option<&str>),
    detail: &Value,
    at: Instant,
) -> Result<Statement, Fault> {
    let parameter = json!({
        "run_id": run, "stage": stage, "slice": slice, "cursor": cursor, "detail": detail.to_string(), "at": text(at),
    });
    statement(SLICE_DONE, &parameter)
}

/// Closes a run: what it carries over, its figures, its counts and its verdict. Gives the webhook endpoints for which something
/// waits then, as of the real time.
pub(crate) async fn close(
    database: &dyn Database,
    since: &Since,
    (status, reasons): (&str, &[String]),
    did: &Did,
    figures: Vec<Statement>,
    (now, real_now): (Instant, Instant),
) -> Result<Vec<Uuid>, Fault> {
    let closing = json!({
        "run_id": since.run_id, "status": status, "reasons": json!(reasons).to_string(), "did": did, "finished_at": text(now),
    });
    let mut statements = vec![statement(CARRY_UNANSWERED, since)?, statement(CARRY_NOT_COVERED, since)?];
    statements.extend(figures);
    statements.push(statement(CLOSE, &closing)?);
    statements.push(webhooks::due_then(real_now)?);
    let results = batch(database, &statements).await?;
    results.last().map_or(Ok(vec![]), |rows| parsed(rows))
}

/// The last run, if it was not closed: its instant, and when something of it was last done.
pub async fn unfinished(database: &dyn Database) -> Result<Option<(Instant, Instant)>, Fault> {
    let found = rows(database, statement(UNFINISHED, &())?).await?;
    Ok(found.into_iter().next())
}

/// Whether the book has held a credit since before an instant.
pub async fn has_credits_before(database: &dyn Database, at: Instant) -> Result<bool, Fault> {
    Ok(!rows::<bool>(database, statement(HAS_CREDITS_BEFORE, &json!({ "at": text(at) }))?).await?.is_empty())
}

const LAST_RUN: &str = "
SELECT json_array(as_of, business_date) FROM runs ORDER BY as_of DESC LIMIT 1";

const RUN: &str = "
SELECT json_object('id', r.id, 'business_date', r.business_date, 'as_of', r.as_of, 'started_at', r.started_at,
  'closed', (SELECT status FROM run_closings WHERE run_id = r.id),
  'before', json((
    SELECT json_object('id', b.id, 'business_date', b.business_date, 'as_of', b.as_of)
    FROM runs b CROSS JOIN run_closings c ON c.run_id = b.id
    WHERE b.as_of < r.as_of AND c.status <> 'failed' ORDER BY b.as_of DESC LIMIT 1)))
FROM runs r WHERE r.as_of = ?1 ->> '$.as_of'";

const OPEN: &str = "
INSERT INTO runs (id, business_date, as_of, started_at, missed_days)
SELECT ?1 ->> '$.id', ?1 ->> '$.business_date', ?1 ->> '$.as_of', ?1 ->> '$.started_at', ?1 -> '$.missed_days'
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE as_of > ?1 ->> '$.as_of') ON CONFLICT DO NOTHING";

/// Only the run before can be open: it ended all before it.
const OVERTAKE: &str = "
INSERT INTO run_closings (run_id, status, reasons, counts, finished_at)
SELECT r.id, 'failed', json_array('overtaken by the run of ' || (?1 ->> '$.as_of')), '{}', ?1 ->> '$.started_at'
FROM runs r WHERE r.as_of = (SELECT max(as_of) FROM runs WHERE as_of < ?1 ->> '$.as_of')
AND NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = r.id) AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 ->> '$.id') ON CONFLICT DO NOTHING";

const RUN_LATE: &str = "
INSERT INTO exceptions (id, kind, subject, credit_id, run_id, detail, opened_at, decision_id)
SELECT ?1 ->> '$.late', 'run_late', ?1 ->> '$.id', NULL, ?1 ->> '$.id',
  'the cron did not open the run of ' || (?1 ->> '$.business_date'), ?1 ->> '$.started_at', NULL
WHERE ?1 ->> '$.late' IS NOT NULL AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 ->> '$.id') ON CONFLICT DO NOTHING";

macro_rules! progress {
    () => {
        "SELECT json_object('cursor', cursor, 'slice', slice, 'detail', json(detail)) FROM run_stages
WHERE run_id = ?1 ->> '$.run_id' AND stage = ?1 ->> '$.stage' ORDER BY slice DESC LIMIT 1"
    };
}

const PROGRESS: &str = progress!();

const STANDING: &str = concat!(
    "SELECT json_object(
  'is_closed', json(iif(EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id'), 'true', 'false')),
  'latest', json((",
    progress!(),
    ")))"
);

/// Nothing that a run does after its end counts, so that none of it is said to be done.
const SLICE_DONE: &str = "
INSERT INTO run_stages (run_id, stage, slice, cursor, detail, at)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.stage', ?1 ->> '$.slice', ?1 ->> '$.cursor', ?1 ->> '$.detail', ?1 ->> '$.at'
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id') ON CONFLICT DO NOTHING";

/// Each part is found by time (see `credits`).
const CARRY_UNANSWERED: &str = "
INSERT INTO carried_over (run_id, kind, credit_id)
SELECT ?1 ->> '$.run_id', 'unanswered', credit_id FROM (
  SELECT +id AS credit_id FROM credits WHERE created_at >= ?1 ->> '$.since'
  UNION
  SELECT +credit_id FROM processed_debits WHERE at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = processed_debits.debit_id)
  UNION
  SELECT +credit_id FROM refunds WHERE at >= ?1 ->> '$.since'
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'unanswered') AS asked
WHERE NOT EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = asked.credit_id)
    AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = asked.credit_id)
  OR EXISTS (
    SELECT 1 FROM debits d CROSS JOIN processed_debits p ON p.debit_id = d.id
    WHERE d.credit_id = asked.credit_id AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = d.id)
      AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = d.id))
  OR EXISTS (
    SELECT 1 FROM refunds r WHERE r.credit_id = asked.credit_id
      AND NOT EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = r.id)
      AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = r.id))
ON CONFLICT DO NOTHING";

const CARRY_NOT_COVERED: &str = "
INSERT INTO carried_over (run_id, kind, credit_id)
SELECT ?1 ->> '$.run_id', 'not_covered', credit_id FROM unresolved u CROSS JOIN exceptions e ON e.id = u.exception_id
WHERE e.kind = 'report_gap' AND (e.run_id = ?1 ->> '$.run_id' OR e.credit_id IN (
    SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'not_covered'))
ON CONFLICT DO NOTHING";

/// What the run did, with what the ledger says of the whole of it.
const CLOSE: &str = "
INSERT INTO run_closings (run_id, status, reasons, counts, finished_at)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.status', ?1 ->> '$.reasons', json_set(?1 -> '$.did',
  '$.unknown', (SELECT count(*) FROM carried_over WHERE run_id = ?1 ->> '$.run_id' AND kind = 'unanswered'),
  '$.unknown_transactions', (SELECT count(*) FROM exceptions
    WHERE run_id = ?1 ->> '$.run_id' AND kind = 'unknown_transaction'),
  '$.exceptions', (SELECT count(*) FROM exceptions WHERE run_id = ?1 ->> '$.run_id')),
  ?1 ->> '$.finished_at' WHERE true ON CONFLICT DO NOTHING";

const UNFINISHED: &str = "
SELECT json_array(last.as_of, coalesce((SELECT max(at) FROM run_stages WHERE run_id = last.id), last.started_at))
FROM (SELECT * FROM runs ORDER BY as_of DESC LIMIT 1) AS last
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = last.id)";

const HAS_CREDITS_BEFORE: &str = "
SELECT 'true' FROM credits WHERE created_at < ?1 ->> '$.at' LIMIT 1";
