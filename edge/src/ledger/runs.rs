//! The rows of a run: its opening, stages, report, what it finds to do, and its end.

use paydown::date::{BusinessDate, Instant, text};
use paydown::id::{CreditId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{batch, parsed, rows, statement};
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

/// The latest slice of a stage.
pub async fn progress(database: &dyn Database, run: RunId, stage: &str) -> Result<Option<Slice>, Fault> {
    let found = rows(database, statement(PROGRESS, &json!({ "run_id": run, "stage": stage }))?).await?;
    Ok(found.into_iter().next())
}

/// The row that says that a slice is done, or, without cursor, the stage.
pub(crate) fn slice_done(
    run: RunId,
    stage: &str,
    slice: u32,
    cursor: Option<&str>,
    detail: &Value,
    at: Instant,
) -> Result<Statement, Fault> {
    let parameter = json!({
        "run_id": run, "stage": stage, "slice": slice, "cursor": cursor, "detail": detail.to_string(), "at": text(at),
    });
    statement(SLICE_DONE, &parameter)
}

/// Where a run looks for what there is to do: since the last run that went through all its stages.
#[derive(Debug, Clone, Serialize)]
pub struct Since {
    /// This run.
    pub run_id: RunId,
    /// This run's instant.
    pub as_of: String,
    /// This run's date.
    pub run_date: BusinessDate,
    /// The run before, for what it carried over.
    pub before: Option<RunId>,
    /// The instant of the run before, or the beginning of time.
    pub since: String,
    /// The date of the run before, or the beginning of time.
    pub since_date: String,
    /// What was processed or created up to then came of age before the run before.
    pub aged_from: String,
    /// What was processed or created up to then has come of age.
    pub aged_to: String,
    /// Credits up to this one are done.
    pub cursor: String,
    /// How many credits a slice has at most.
    pub limit: u32,
}

/// Credits with transactions that were asked for and not named.
pub async fn unanswered(database: &dyn Database, since: &Since) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(UNANSWERED, since)?).await
}

/// Credits of which something new was said, that came of age, or that wait for coverage.
pub async fn with_words(database: &dyn Database, since: &Since) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(WITH_WORDS, since)?).await
}

/// Credits with a debit that may be due.
pub async fn due(database: &dyn Database, since: &Since) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(DUE, since)?).await
}

/// What the processor is asked for each of the credits and debits `subjects`, byte for byte.
pub async fn bodies(database: &dyn Database, subjects: &[Uuid]) -> Result<Vec<(Uuid, String)>, Fault> {
    rows(database, statement(BODIES, &subjects)?).await
}

/// What the processor answered to a call.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerRow {
    /// The credit or debit.
    pub subject: Uuid,
    /// The credit it belongs to.
    pub credit_id: CreditId,
    /// When.
    pub at: String,
    /// The code of a refusal, which L7 looks up like any other; empty for the others.
    pub code: String,
    /// The transaction's name, or what the refusal or the unknown answer said.
    pub text: String,
}

/// The statements that record a slice's answers: transactions named, refusals of first calls, unknown answers. A
/// name that is another's already is no answer: whose money it is, is not known.
pub(crate) fn answers(
    named: &[AnswerRow],
    refused: &[AnswerRow],
    unknown: &[AnswerRow],
) -> Result<Vec<Statement>, Fault> {
    let sets = [
        (CREDIT_NAMED, named),
        (DEBIT_NAMED, named),
        (REFUND_NAMED, named),
        (TAKEN, named),
        (REFUSED, refused),
        (UNKNOWN, unknown),
    ];
    sets.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(sql, rows)| statement(sql, &rows)).collect()
}

/// A report that was downloaded and archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run that read it.
    pub run_id: RunId,
    /// Where the archive keeps it.
    pub object_key: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether it was downloaded whole.
    pub whole: bool,
    /// How many times 24 h it reaches back.
    pub window_days: u32,
    /// The instant of its run.
    pub read_at: String,
}

/// The statement that records a report.
pub(crate) fn report_read(report: &Report) -> Result<Statement, Fault> {
    statement(REPORT_READ, report)
}

/// The report of a run, if it read one.
pub async fn report(database: &dyn Database, run: RunId) -> Result<Option<Report>, Fault> {
    let found = rows(database, statement(REPORT, &json!({ "run_id": run }))?).await?;
    Ok(found.into_iter().next())
}

/// The complete reports read up to an instant, latest first: the instant and the days each reaches back.
pub async fn complete_reports(database: &dyn Database, until: Instant) -> Result<Vec<(Instant, u32)>, Fault> {
    rows(database, statement(COMPLETE_REPORTS, &json!({ "until": text(until) }))?).await
}

/// A row of a report that states a status.
#[derive(Debug, Clone, Serialize)]
pub struct ObservedRow {
    /// The transaction it names.
    pub transaction_id: String,
    /// Our id, if the row carries one.
    pub reference: Option<Uuid>,
    /// When it happened, as precise as the processor said.
    pub at: Instant,
    /// Success or failure.
    pub status: paydown::observation::Status,
    /// The return code, empty without one.
    pub code: String,
}

/// A row of a report that cannot be read.
#[derive(Debug, Clone, Serialize)]
pub struct MalformedRow {
    /// The line of the report.
    pub line: u64,
    /// Stands for its bytes, and is the id of their exception.
    pub row_id: Uuid,
    /// The bytes, as text.
    pub quoted: String,
    /// What is wrong with it.
    pub why: String,
}

/// The statements that record what a slice of the report says.
pub(crate) fn observed(
    run: RunId,
    seen: &[ObservedRow],
    malformed: &[MalformedRow],
) -> Result<Vec<Statement>, Fault> {
    let mut statements = Vec::new();
    if !seen.is_empty() {
        statements.push(statement(OBSERVED, &json!({ "run_id": run, "rows": seen }))?);
    }
    if !malformed.is_empty() {
        statements.push(statement(MALFORMED, &json!({ "run_id": run, "rows": malformed }))?);
    }
    Ok(statements)
}

/// How many exceptions of one kind a run opens one by one; more are one exception on the run (law, Exceptions).
pub const MANY: usize = 200;

/// A transaction that a report of the run named and nobody knows, with one observation of it.
#[derive(Debug, Clone, Deserialize)]
pub struct UnknownTransaction {
    /// Its name.
    pub transaction_id: String,
    /// What the report said of it.
    pub detail: String,
}

/// The transactions that this run's observations name and nobody knows: how many, and the first of them.
pub async fn unknown_transactions(
    database: &dyn Database,
    run: RunId,
) -> Result<(usize, Vec<UnknownTransaction>), Fault> {
    let parameter = json!({ "run_id": run, "limit": MANY });
    let results = batch(
        database,
        &[statement(UNKNOWN_COUNT, &parameter)?, statement(UNKNOWN_TRANSACTIONS, &parameter)?],
    )
    .await?;
    let count: Vec<usize> = results.first().map_or(Ok(vec![]), |rows| parsed(rows))?;
    let first = results.get(1).map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok((count.into_iter().next().unwrap_or(0), first))
}

/// The malformed rows of a run whose exception was never opened: how many, and the first of them.
pub async fn new_malformed_rows(
    database: &dyn Database,
    run: RunId,
) -> Result<(usize, Vec<MalformedFound>), Fault> {
    let parameter = json!({ "run_id": run, "limit": MANY });
    let results =
        batch(database, &[statement(MALFORMED_COUNT, &parameter)?, statement(MALFORMED_ROWS, &parameter)?])
            .await?;
    let count: Vec<usize> = results.first().map_or(Ok(vec![]), |rows| parsed(rows))?;
    let first = results.get(1).map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok((count.into_iter().next().unwrap_or(0), first))
}

/// A malformed row that was found in a report.
#[derive(Debug, Clone, Deserialize)]
pub struct MalformedFound {
    /// Stands for its bytes.
    pub row_id: Uuid,
    /// Its line, bytes and what is wrong with it.
    pub detail: String,
}

/// An exception that is about no single credit.
#[derive(Debug, Clone, Serialize)]
pub struct NewException {
    /// The exception.
    pub id: Uuid,
    /// Its kind.
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// The run that opens it.
    pub run_id: Option<RunId>,
    /// What a person should know.
    pub detail: String,
    /// When.
    pub opened_at: String,
}

/// The statement that opens exceptions, each unless one of its kind is open on its subject.
pub(crate) fn exceptions(new: &[NewException]) -> Result<Statement, Fault> {
    statement(EXCEPTIONS, &new)
}

/// The statement that closes `unknown_transaction` where the transaction is known by now.
pub(crate) fn known_by_now(at: Instant) -> Result<Statement, Fault> {
    statement(KNOWN_BY_NOW, &json!({ "at": text(at) }))
}

/// The statement that carries a credit with something due over to the next run.
pub(crate) fn carry_due(run: RunId, credits: &[CreditId]) -> Result<Statement, Fault> {
    statement(CARRY_DUE, &json!({ "run_id": run, "credits": credits }))
}

/// The credits on which a run decided.
pub async fn touched(
    database: &dyn Database,
    run: RunId,
    cursor: &str,
    limit: u32,
) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(TOUCHED, &json!({ "run_id": run, "cursor": cursor, "limit": limit }))?).await
}

/// Closes a run: what it carries over, its counts and its verdict.
pub async fn close(
    database: &dyn Database,
    since: &Since,
    reasons: &[String],
    now: Instant,
) -> Result<(), Fault> {
    let status = if reasons.is_empty() { "complete" } else { "incomplete" };
    let closing = json!({
        "run_id": since.run_id, "status": status, "reasons": json!(reasons).to_string(), "finished_at": text(now),
    });
    let statements = [
        statement(CARRY_UNANSWERED, since)?,
        statement(CARRY_NOT_COVERED, since)?,
        statement(CLOSE, &closing)?,
    ];
    batch(database, &statements).await.map(|_| ())
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

/// Whether a stop is in force (L8).
pub async fn stopped(database: &dyn Database) -> Result<bool, Fault> {
    Ok(rows::<String>(database, statement(LAST_STOP, &())?)
        .await?
        .first()
        .is_some_and(|action| action == "stop"))
}

/// Claims the first calls for credits and debits, and gives those that nobody called for before: only who claims it
/// may take a refusal for definite.
pub async fn claim_first_calls(
    database: &dyn Database,
    subjects: &[Uuid],
    at: Instant,
) -> Result<Vec<Uuid>, Fault> {
    let claim = json!({ "subjects": subjects, "at": text(at) });
    rows(database, statement(CLAIM_FIRST_CALLS, &claim)?).await
}

/// Credits without a named transaction since the last run that went through all its stages, and before it.
pub async fn unanswered_now(
    database: &dyn Database,
    cursor: &str,
    limit: u32,
) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(UNANSWERED_NOW, &json!({ "cursor": cursor, "limit": limit }))?).await
}

/// The statement that keeps a queue message that could not be handled, and opens its exception.
pub(crate) fn dead_letter(id: Uuid, queue: &str, body: &str, at: Instant) -> Result<Statement, Fault> {
    statement(DEAD_LETTER, &json!({ "id": id, "queue": queue, "body": body, "at": text(at) }))
}

const LAST_RUN: &str = "
SELECT json_array(as_of, business_date) FROM runs ORDER BY as_of DESC LIMIT 1";

const RUN: &str = "
SELECT json_object('id', r.id, 'business_date', r.business_date, 'as_of', r.as_of,
  'closed', (SELECT status FROM run_closings WHERE run_id = r.id),
  'before', json((
    SELECT json_object('id', b.id, 'business_date', b.business_date, 'as_of', b.as_of)
    FROM runs b JOIN run_closings c ON c.run_id = b.id
    WHERE b.as_of < r.as_of AND c.status <> 'failed' ORDER BY b.as_of DESC LIMIT 1)))
FROM runs r WHERE r.as_of = ?1 ->> '$.as_of'";

const OPEN: &str = "
INSERT INTO runs (id, business_date, as_of, started_at, missed_days)
SELECT ?1 ->> '$.id', ?1 ->> '$.business_date', ?1 ->> '$.as_of', ?1 ->> '$.started_at', ?1 -> '$.missed_days'
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE as_of > ?1 ->> '$.as_of') ON CONFLICT DO NOTHING";

const OVERTAKE: &str = "
INSERT INTO run_closings (run_id, status, reasons, counts, finished_at)
SELECT r.id, 'failed', json_array('overtaken by the run of ' || (?1 ->> '$.as_of')), '{}', ?1 ->> '$.started_at'
FROM runs r WHERE r.as_of < ?1 ->> '$.as_of' AND NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = r.id)
AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 ->> '$.id') ON CONFLICT DO NOTHING";

const RUN_LATE: &str = "
INSERT INTO exceptions (id, kind, subject, credit_id, run_id, detail, opened_at, decision_id)
SELECT ?1 ->> '$.late', 'run_late', ?1 ->> '$.id', NULL, ?1 ->> '$.id',
  'the cron did not open the run of ' || (?1 ->> '$.business_date'), ?1 ->> '$.started_at', NULL
WHERE ?1 ->> '$.late' IS NOT NULL AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 ->> '$.id') ON CONFLICT DO NOTHING";

const PROGRESS: &str = "
SELECT json_object('cursor', cursor, 'slice', slice, 'detail', json(detail)) FROM run_stages
WHERE run_id = ?1 ->> '$.run_id' AND stage = ?1 ->> '$.stage' ORDER BY slice DESC LIMIT 1";

const SLICE_DONE: &str = "
INSERT INTO run_stages (run_id, stage, slice, cursor, detail, at)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.stage', ?1 ->> '$.slice', ?1 ->> '$.cursor', ?1 ->> '$.detail', ?1 ->> '$.at'
WHERE true ON CONFLICT DO NOTHING";

const UNANSWERED: &str = "
SELECT json_quote(credit_id) FROM (
  SELECT id AS credit_id FROM credits WHERE created_at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = credits.id)
  UNION
  SELECT credit_id FROM processed_debits WHERE at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = processed_debits.debit_id)
  UNION
  SELECT credit_id FROM refunds WHERE at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = refunds.id)
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'unanswered')
WHERE credit_id > ?1 ->> '$.cursor' ORDER BY credit_id LIMIT ?1 ->> '$.limit'";

const WITH_WORDS: &str = "
WITH since_runs AS (SELECT id FROM runs WHERE as_of > ?1 ->> '$.since' AND as_of <= ?1 ->> '$.as_of')
SELECT json_quote(credit_id) FROM (
  SELECT (SELECT credit_id FROM transactions WHERE transaction_id = o.transaction_id) AS credit_id
  FROM since_runs CROSS JOIN observations o ON o.run_id = since_runs.id WHERE o.subject_id = ''
  UNION
  SELECT coalesce((SELECT credit_id FROM debits WHERE id = o.subject_id),
    (SELECT credit_id FROM refunds WHERE id = o.subject_id), o.subject_id)
  FROM since_runs CROSS JOIN observations o ON o.run_id = since_runs.id WHERE o.subject_id <> ''
  UNION
  SELECT credit_id FROM (
    SELECT credit_id, transaction_id, NULL AS debit_id FROM credit_transactions WHERE at >= ?1 ->> '$.since'
    UNION ALL
    SELECT credit_id, transaction_id, debit_id FROM debit_transactions WHERE at >= ?1 ->> '$.since'
    UNION ALL
    SELECT credit_id, transaction_id, NULL FROM refund_transactions WHERE at >= ?1 ->> '$.since') AS named
  WHERE EXISTS (SELECT 1 FROM observations WHERE transaction_id = named.transaction_id)
    OR EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = named.debit_id AND at <= ?1 ->> '$.aged_to')
  UNION
  SELECT credit_id FROM (
    SELECT id AS credit_id, id AS subject_id FROM credits
    WHERE created_at > ?1 ->> '$.aged_from' AND created_at <= ?1 ->> '$.aged_to'
    UNION ALL
    SELECT credit_id, debit_id FROM processed_debits
    WHERE at > ?1 ->> '$.aged_from' AND at <= ?1 ->> '$.aged_to'
    UNION ALL
    SELECT credit_id, id FROM refunds
    WHERE at > ?1 ->> '$.aged_from' AND at <= ?1 ->> '$.aged_to') AS aged
  WHERE NOT EXISTS (SELECT 1 FROM words WHERE subject_id = aged.subject_id)
  UNION
  SELECT credit_id FROM (
    SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'not_covered'
    UNION ALL
    SELECT credit_id FROM decisions WHERE at >= ?1 ->> '$.since' AND run_id IS NULL))
WHERE credit_id > ?1 ->> '$.cursor' ORDER BY credit_id LIMIT ?1 ->> '$.limit'";

const DUE: &str = "
SELECT json_quote(credit_id) FROM (
  SELECT credit_id FROM debits WHERE due_date > ?1 ->> '$.since_date' AND due_date <= ?1 ->> '$.run_date'
    AND NOT EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = debits.id)
    AND NOT EXISTS (SELECT 1 FROM cancellations WHERE debit_id = debits.id)
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'due'
  UNION
  SELECT credit_id FROM (
    SELECT credit_id FROM runs CROSS JOIN decisions ON decisions.run_id = runs.id
    WHERE runs.as_of > ?1 ->> '$.since' AND runs.as_of <= ?1 ->> '$.as_of'
    UNION ALL
    SELECT credit_id FROM decisions WHERE at >= ?1 ->> '$.since' AND run_id IS NULL) AS decided
  WHERE EXISTS (
    SELECT 1 FROM debits WHERE credit_id = decided.credit_id AND due_date <= ?1 ->> '$.run_date'
      AND NOT EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = debits.id)
      AND NOT EXISTS (SELECT 1 FROM cancellations WHERE debit_id = debits.id)))
WHERE credit_id > ?1 ->> '$.cursor' ORDER BY credit_id LIMIT ?1 ->> '$.limit'";

const BODIES: &str = "
SELECT json_array(subject, body) FROM (
  SELECT wanted.value AS subject, coalesce(
    (SELECT body FROM processed_debits WHERE debit_id = wanted.value),
    (SELECT body FROM refunds WHERE id = wanted.value),
    (SELECT body FROM credits WHERE id = wanted.value)) AS body
  FROM json_each(?1) AS wanted) WHERE body IS NOT NULL";

const CREDIT_NAMED: &str = "
INSERT INTO credit_transactions (credit_id, transaction_id, at)
SELECT value ->> '$.subject', value ->> '$.text', value ->> '$.at' FROM json_each(?1)
WHERE value ->> '$.subject' = value ->> '$.credit_id'
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.text')
ON CONFLICT DO NOTHING";

const REFUND_NAMED: &str = "
INSERT INTO refund_transactions (refund_id, credit_id, transaction_id, at)
SELECT value ->> '$.subject', value ->> '$.credit_id', value ->> '$.text', value ->> '$.at' FROM json_each(?1)
WHERE EXISTS (SELECT 1 FROM refunds WHERE id = value ->> '$.subject')
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.text')
ON CONFLICT DO NOTHING";

const DEBIT_NAMED: &str = "
INSERT INTO debit_transactions (debit_id, credit_id, transaction_id, at)
SELECT value ->> '$.subject', value ->> '$.credit_id', value ->> '$.text', value ->> '$.at' FROM json_each(?1)
WHERE EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = value ->> '$.subject')
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.text')
ON CONFLICT DO NOTHING";

const TAKEN: &str = "
INSERT INTO unknown_answers (subject_id, credit_id, detail, at)
SELECT value ->> '$.subject', value ->> '$.credit_id',
  'the transaction ' || (value ->> '$.text') || ' is that of another', value ->> '$.at'
FROM json_each(?1)
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE subject_id = value ->> '$.subject')
ON CONFLICT DO NOTHING";

const REFUSED: &str = "
INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)
SELECT '', value ->> '$.subject', value ->> '$.at', 'failure', value ->> '$.code', 'refusal', NULL, value ->> '$.text'
FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";

const UNKNOWN: &str = "
INSERT INTO unknown_answers (subject_id, credit_id, detail, at)
SELECT value ->> '$.subject', value ->> '$.credit_id', value ->> '$.text', value ->> '$.at'
FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";

const REPORT_READ: &str = "
INSERT INTO reports (run_id, object_key, sha256, bytes, whole, window_days, read_at)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.object_key', ?1 ->> '$.sha256', ?1 ->> '$.bytes', ?1 ->> '$.whole',
  ?1 ->> '$.window_days', ?1 ->> '$.read_at' WHERE true ON CONFLICT DO NOTHING";

const REPORT: &str = "
SELECT json_object('run_id', run_id, 'object_key', object_key, 'sha256', sha256, 'bytes', bytes,
  'whole', json(iif(whole = 1, 'true', 'false')), 'window_days', window_days, 'read_at', read_at)
FROM reports WHERE run_id = ?1 ->> '$.run_id'";

/// A report is complete when it was downloaded whole, has been read to its end with a header, and none of its rows
/// is an open `malformed_row`, one by one or as one on the run.
const COMPLETE_REPORTS: &str = "
SELECT json_array(p.read_at, p.window_days) FROM reports p
WHERE p.read_at <= ?1 ->> '$.until' AND p.whole = 1
  AND EXISTS (SELECT 1 FROM run_stages WHERE run_id = p.run_id AND stage = 'observations' AND cursor IS NULL
    AND detail ->> '$.header' = 'readable')
  AND NOT EXISTS (
    SELECT 1 FROM malformed_rows m JOIN exceptions e ON e.id = m.row_id
    WHERE m.run_id = p.run_id AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id))
  AND NOT EXISTS (
    SELECT 1 FROM exceptions e WHERE e.kind = 'malformed_row' AND e.subject = p.run_id
      AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id))
ORDER BY p.read_at DESC LIMIT 400";

/// A row whose reference is a credit's or processed debit's names that one, whatever transaction id it gives.
const OBSERVED: &str = "
INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)
SELECT value ->> '$.transaction_id',
  iif(EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = value ->> '$.reference')
    OR EXISTS (SELECT 1 FROM refunds WHERE id = value ->> '$.reference')
    OR EXISTS (SELECT 1 FROM credits WHERE id = value ->> '$.reference'), value ->> '$.reference', ''),
  value ->> '$.at', value ->> '$.status', value ->> '$.code', 'report', ?1 ->> '$.run_id', ''
FROM json_each(?1, '$.rows') WHERE true ON CONFLICT DO NOTHING";

const MALFORMED: &str = "
INSERT INTO malformed_rows (run_id, line, row_id, quoted, why)
SELECT ?1 ->> '$.run_id', value ->> '$.line', value ->> '$.row_id', value ->> '$.quoted', value ->> '$.why'
FROM json_each(?1, '$.rows') WHERE true ON CONFLICT DO NOTHING";

const UNKNOWN_COUNT: &str = "
SELECT json_quote(count(DISTINCT o.transaction_id)) FROM observations o
WHERE o.run_id = ?1 ->> '$.run_id' AND o.subject_id = ''
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = o.transaction_id)";

const UNKNOWN_TRANSACTIONS: &str = "
SELECT json_object('transaction_id', o.transaction_id, 'detail',
  'the report says: ' || min(o.status) || iif(min(o.code) = '', '', ' ' || min(o.code)) || ' at ' || min(o.at))
FROM observations o
WHERE o.run_id = ?1 ->> '$.run_id' AND o.subject_id = ''
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = o.transaction_id)
GROUP BY o.transaction_id ORDER BY o.transaction_id LIMIT ?1 ->> '$.limit'";

const MALFORMED_COUNT: &str = "
SELECT json_quote(count(DISTINCT m.row_id)) FROM malformed_rows m
WHERE m.run_id = ?1 ->> '$.run_id' AND NOT EXISTS (SELECT 1 FROM exceptions WHERE id = m.row_id)";

const MALFORMED_ROWS: &str = "
SELECT json_object('row_id', m.row_id, 'detail', 'line ' || min(m.line) || ': ' || m.why || ': ' || m.quoted)
FROM malformed_rows m
WHERE m.run_id = ?1 ->> '$.run_id' AND NOT EXISTS (SELECT 1 FROM exceptions WHERE id = m.row_id)
GROUP BY m.row_id ORDER BY min(m.line) LIMIT ?1 ->> '$.limit'";

const EXCEPTIONS: &str = "
INSERT INTO exceptions (id, kind, subject, credit_id, run_id, detail, opened_at, decision_id)
SELECT value ->> '$.id', value ->> '$.kind', value ->> '$.subject', NULL, value ->> '$.run_id', value ->> '$.detail',
  value ->> '$.opened_at', NULL
FROM json_each(?1)
WHERE NOT EXISTS (
  SELECT 1 FROM exceptions e WHERE e.kind = value ->> '$.kind' AND e.subject = value ->> '$.subject'
    AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id))
ON CONFLICT DO NOTHING";

const KNOWN_BY_NOW: &str = "
INSERT INTO resolutions (exception_id, action, actor, note, resolved_at, decision_id)
SELECT e.id, 'closed', 'paydown', 'the transaction is known by now', ?1 ->> '$.at', NULL FROM exceptions e
WHERE e.kind = 'unknown_transaction'
  AND EXISTS (SELECT 1 FROM transactions WHERE transaction_id = e.subject)
  AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id) ON CONFLICT DO NOTHING";

const CARRY_DUE: &str = "
INSERT INTO carried_over (run_id, kind, credit_id)
SELECT ?1 ->> '$.run_id', 'due', value FROM json_each(?1, '$.credits') WHERE true ON CONFLICT DO NOTHING";

const CARRY_UNANSWERED: &str = "
INSERT INTO carried_over (run_id, kind, credit_id)
SELECT ?1 ->> '$.run_id', 'unanswered', credit_id FROM (
  SELECT id AS credit_id FROM credits WHERE created_at >= ?1 ->> '$.since'
  UNION
  SELECT credit_id FROM processed_debits WHERE at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = processed_debits.debit_id)
  UNION
  SELECT credit_id FROM refunds WHERE at >= ?1 ->> '$.since'
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'unanswered') AS asked
WHERE NOT EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = asked.credit_id)
    AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = asked.credit_id)
  OR EXISTS (
    SELECT 1 FROM debits d JOIN processed_debits p ON p.debit_id = d.id
    WHERE d.credit_id = asked.credit_id AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = d.id)
      AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = d.id))
  OR EXISTS (
    SELECT 1 FROM refunds r WHERE r.credit_id = asked.credit_id
      AND NOT EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = r.id)
      AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = r.id))
ON CONFLICT DO NOTHING";

const CARRY_NOT_COVERED: &str = "
INSERT INTO carried_over (run_id, kind, credit_id)
SELECT ?1 ->> '$.run_id', 'not_covered', credit_id FROM exceptions e
WHERE e.kind = 'report_gap' AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id)
  AND (e.run_id = ?1 ->> '$.run_id' OR e.credit_id IN (
    SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'not_covered'))
ON CONFLICT DO NOTHING";

const TOUCHED: &str = "
SELECT DISTINCT json_quote(credit_id) FROM decisions
WHERE run_id = ?1 ->> '$.run_id' AND credit_id > ?1 ->> '$.cursor' ORDER BY credit_id LIMIT ?1 ->> '$.limit'";

const CLOSE: &str = "
WITH decided AS (SELECT id, credit_id FROM decisions WHERE run_id = ?1 ->> '$.run_id'),
said AS (SELECT w.subject_id = w.credit_id AS own, w.outcome FROM decided CROSS JOIN words w ON w.decision_id = decided.id
  WHERE NOT EXISTS (SELECT 1 FROM refunds WHERE id = w.subject_id)),
made AS (SELECT d.reason FROM decided CROSS JOIN debits d ON d.credit_id = decided.credit_id AND d.decision_id = decided.id)
INSERT INTO run_closings (run_id, status, reasons, counts, finished_at)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.status', ?1 ->> '$.reasons', json_object(
  'confirmed', (SELECT count(*) FROM said WHERE own AND outcome IN ('success', 'recovered')),
  'planned_credits', (SELECT count(*) FROM decided CROSS JOIN debits d
    ON d.credit_id = decided.credit_id AND d.sequence = 1 AND d.decision_id = decided.id),
  'collected', (SELECT count(*) FROM said WHERE NOT own AND outcome = 'success'),
  'failed', (SELECT count(*) FROM said WHERE NOT own AND outcome = 'failure'),
  'timed_out', (SELECT count(*) FROM decided CROSS JOIN timeouts t
    ON t.credit_id = decided.credit_id AND t.decision_id = decided.id
    WHERE EXISTS (SELECT 1 FROM debits WHERE id = t.subject_id)),
  'returned', (SELECT count(*) FROM said WHERE NOT own AND outcome = 'returned'),
  'replaced', (SELECT count(*) FROM made WHERE reason IN ('failed', 'timed_out', 'returned')),
  'cancelled', (SELECT count(*) FROM decided CROSS JOIN debits d ON d.credit_id = decided.credit_id
    CROSS JOIN cancellations x ON x.debit_id = d.id AND x.decision_id = decided.id),
  'issued', (SELECT count(*) FROM decided CROSS JOIN debits d ON d.credit_id = decided.credit_id
    CROSS JOIN processed_debits p ON p.debit_id = d.id AND p.decision_id = decided.id),
  'unknown', (SELECT count(*) FROM carried_over WHERE run_id = ?1 ->> '$.run_id' AND kind = 'unanswered'),
  'exceptions', (SELECT count(*) FROM exceptions WHERE run_id = ?1 ->> '$.run_id')),
  ?1 ->> '$.finished_at' WHERE true ON CONFLICT DO NOTHING";

const UNFINISHED: &str = "
SELECT json_array(last.as_of, coalesce((SELECT max(at) FROM run_stages WHERE run_id = last.id), last.started_at))
FROM (SELECT * FROM runs ORDER BY as_of DESC LIMIT 1) AS last
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = last.id)";

const HAS_CREDITS_BEFORE: &str = "
SELECT 'true' FROM credits WHERE created_at < ?1 ->> '$.at' LIMIT 1";

const LAST_STOP: &str = "SELECT json_quote(action) FROM stops ORDER BY at DESC, id DESC LIMIT 1";

const CLAIM_FIRST_CALLS: &str = "
INSERT INTO first_calls (subject_id, at)
SELECT value, ?1 ->> '$.at' FROM json_each(?1, '$.subjects')
WHERE NOT EXISTS (SELECT 1 FROM unknown_answers WHERE subject_id = value)
ON CONFLICT DO NOTHING RETURNING json_quote(subject_id)";

const UNANSWERED_NOW: &str = "
WITH last AS (
  SELECT r.id, r.as_of FROM runs r JOIN run_closings c ON c.run_id = r.id
  WHERE c.status <> 'failed' ORDER BY r.as_of DESC LIMIT 1)
SELECT json_quote(credit_id) FROM (
  SELECT id AS credit_id FROM credits WHERE created_at >= coalesce((SELECT as_of FROM last), '')
    AND NOT EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = credits.id)
  UNION
  SELECT credit_id FROM processed_debits WHERE at >= coalesce((SELECT as_of FROM last), '')
    AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = processed_debits.debit_id)
  UNION
  SELECT credit_id FROM refunds WHERE at >= coalesce((SELECT as_of FROM last), '')
    AND NOT EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = refunds.id)
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = (SELECT id FROM last) AND kind = 'unanswered')
WHERE credit_id > ?1 ->> '$.cursor' ORDER BY credit_id LIMIT ?1 ->> '$.limit'";

const DEAD_LETTER: &str = "
INSERT INTO dead_letters (id, queue, body, at)
SELECT ?1 ->> '$.id', ?1 ->> '$.queue', ?1 ->> '$.body', ?1 ->> '$.at' WHERE true ON CONFLICT DO NOTHING";
