//! The reports: what was read, what they say, and what of it nobody knows.

use paydown::coverage::CompleteReport;
use paydown::date::{Instant, text};
use paydown::id::RunId;
use paydown::observation::Status;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;
use uuid::Uuid;

use super::credits::Since;
use super::{batch, parsed, rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

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
    /// As of when it was downloaded.
    #[serde(serialize_with = "sortable")]
    pub read_at: Instant,
    /// Where its parts begin, but the first: a byte each, and how many lines begin before it.
    pub parts: Vec<(u64, u64)>,
}

fn sortable<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*at))
}

/// The statement that records a report.
pub(crate) fn recorded(report: &Report) -> Result<Statement, Fault> {
    statement(RECORDED, report)
}

/// The report of a run, if it read one.
pub async fn of_run(database: &dyn Database, run: RunId) -> Result<Option<Report>, Fault> {
    let found = rows(database, statement(REPORT, &json!({ "run_id": run }))?).await?;
    Ok(found.into_iter().next())
}

/// The complete reports read up to an instant, given as sortable text, latest first.
pub async fn complete(
    database: &dyn Database,
    until: &str,
    limit: usize,
) -> Result<Vec<CompleteReport>, Fault> {
    rows(database, statement(COMPLETE, &json!({ "until": until, "limit": limit }))?).await
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
    pub status: Status,
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

/// A transaction that a report of the run named and nobody knows, with one observation of it.
#[derive(Debug, Clone, Deserialize)]
pub struct UnknownTransaction {
    /// Its name.
    pub transaction_id: String,
    /// What the report said of it.
    pub detail: String,
}

/// The transactions that nobody knows, of this run's observations and of those that overtaken runs left untold: how many,
/// and the first of them.
pub async fn unknown_transactions(
    database: &dyn Database,
    since: &Since,
) -> Result<(usize, Vec<UnknownTransaction>), Fault> {
    count_and_first(database, UNKNOWN_COUNT, UNKNOWN_TRANSACTIONS, since).await
}

/// A malformed row that was found in a report.
#[derive(Debug, Clone, Deserialize)]
pub struct MalformedFound {
    /// Stands for its bytes.
    pub row_id: Uuid,
    /// Its line, bytes and what is wrong with it.
    pub detail: String,
}

/// The malformed rows whose exception was never opened, of this run and of those that it overtook: how many, and the first
/// of them.
pub async fn new_malformed_rows(
    database: &dyn Database,
    since: &Since,
) -> Result<(usize, Vec<MalformedFound>), Fault> {
    count_and_first(database, MALFORMED_COUNT, MALFORMED_ROWS, since).await
}

async fn count_and_first<T: DeserializeOwned>(
    database: &dyn Database,
    count: &'static str,
    first: &'static str,
    since: &Since,
) -> Result<(usize, Vec<T>), Fault> {
    let parameter =
        json!({ "run_id": since.run_id, "since": since.since, "as_of": since.as_of, "limit": MANY });
    let results = batch(database, &[statement(count, &parameter)?, statement(first, &parameter)?]).await?;
    let count: Vec<usize> = results.first().map_or(Ok(vec![]), |rows| parsed(rows))?;
    let first = results.get(1).map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok((count.into_iter().next().unwrap_or(0), first))
}

/// How many exceptions of one kind a run opens one by one; more are one exception on the run (law, Exceptions).
pub const MANY: usize = 200;

const RECORDED: &str = "
INSERT INTO reports (run_id, object_key, sha256, bytes, whole, window_days, read_at, parts)
SELECT ?1 ->> '$.run_id', ?1 ->> '$.object_key', ?1 ->> '$.sha256', ?1 ->> '$.bytes', ?1 ->> '$.whole',
  ?1 ->> '$.window_days', ?1 ->> '$.read_at', ?1 -> '$.parts' WHERE true ON CONFLICT DO NOTHING";

const REPORT: &str = "
SELECT json_object('run_id', run_id, 'object_key', object_key, 'sha256', sha256, 'bytes', bytes,
  'whole', json(iif(whole = 1, 'true', 'false')), 'window_days', window_days, 'read_at', read_at,
  'parts', json(parts))
FROM reports WHERE run_id = ?1 ->> '$.run_id'";

/// Whether a report `p` is complete: it was downloaded whole, has been read to its end with a header, and none of its rows
/// is an open `malformed_row`, one by one or as one on the run.
macro_rules! is_complete {
    () => {
        "p.whole = 1
  AND EXISTS (SELECT 1 FROM run_stages WHERE run_id = p.run_id AND stage = 'observations' AND cursor IS NULL
    AND detail ->> '$.header' = 'readable')
  AND NOT EXISTS (
    SELECT 1 FROM malformed_rows m CROSS JOIN exceptions e ON e.id = m.row_id
    WHERE m.run_id = p.run_id AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id))
  AND NOT EXISTS (
    SELECT 1 FROM exceptions e WHERE e.kind = 'malformed_row' AND e.subject = p.run_id
      AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id))"
    };
}
pub(super) use is_complete;

const COMPLETE: &str = concat!(
    "
SELECT json_object('read_at', p.read_at, 'window_days', p.window_days) FROM reports p
WHERE p.read_at <= ?1 ->> '$.until' AND ",
    is_complete!(),
    "
ORDER BY p.read_at DESC LIMIT ?1 ->> '$.limit'"
);

/// A row whose reference is a credit's or processed debit's names that one, whatever transaction id it gives. A run that ended
/// records nothing more: the next one that is told of it would not look for it here.
const OBSERVED: &str = "
INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)
SELECT value ->> '$.transaction_id',
  iif(EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = value ->> '$.reference')
    OR EXISTS (SELECT 1 FROM refunds WHERE id = value ->> '$.reference')
    OR EXISTS (SELECT 1 FROM credits WHERE id = value ->> '$.reference'), value ->> '$.reference', ''),
  value ->> '$.at', value ->> '$.status', value ->> '$.code', 'report', ?1 ->> '$.run_id', ''
FROM json_each(?1, '$.rows')
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id') ON CONFLICT DO NOTHING";

const MALFORMED: &str = "
INSERT INTO malformed_rows (run_id, line, row_id, quoted, why)
SELECT ?1 ->> '$.run_id', value ->> '$.line', value ->> '$.row_id', value ->> '$.quoted', value ->> '$.why'
FROM json_each(?1, '$.rows')
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = ?1 ->> '$.run_id') ON CONFLICT DO NOTHING";

/// What was said of transactions that nobody knows. A run that was overtaken told of all of them or of none.
macro_rules! unknown {
    () => {
        "FROM runs r CROSS JOIN observations o ON o.run_id = r.id
WHERE r.as_of > ?1 ->> '$.since' AND r.as_of <= ?1 ->> '$.as_of' AND o.subject_id = ''
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = o.transaction_id)
  AND (r.id = ?1 ->> '$.run_id'
    OR NOT EXISTS (SELECT 1 FROM exceptions WHERE run_id = r.id AND kind = 'unknown_transaction'))"
    };
}

const UNKNOWN_COUNT: &str = concat!("SELECT json_quote(count(DISTINCT o.transaction_id)) ", unknown!());

const UNKNOWN_TRANSACTIONS: &str = concat!(
    "
SELECT json_object('transaction_id', o.transaction_id, 'detail',
  'the report says: ' || min(o.status) || iif(min(o.code) = '', '', ' ' || min(o.code)) || ' at ' || min(o.at)) ",
    unknown!(),
    " GROUP BY o.transaction_id ORDER BY o.transaction_id LIMIT ?1 ->> '$.limit'"
);

/// Rows that could not be read, and are no exception, neither one by one nor as one on their run.
macro_rules! malformed {
    () => {
        "FROM runs r CROSS JOIN malformed_rows m ON m.run_id = r.id
WHERE r.as_of > ?1 ->> '$.since' AND r.as_of <= ?1 ->> '$.as_of'
  AND NOT EXISTS (SELECT 1 FROM exceptions WHERE id = m.row_id)
  AND (r.id = ?1 ->> '$.run_id'
    OR NOT EXISTS (SELECT 1 FROM exceptions WHERE kind = 'malformed_row' AND subject = r.id))"
    };
}

const MALFORMED_COUNT: &str = concat!("SELECT json_quote(count(DISTINCT m.row_id)) ", malformed!());

const MALFORMED_ROWS: &str = concat!(
    "
SELECT json_object('row_id', m.row_id, 'detail', 'line ' || min(m.line) || ': ' || m.why || ': ' || m.quoted) ",
    malformed!(),
    " GROUP BY m.row_id ORDER BY min(m.line) LIMIT ?1 ->> '$.limit'"
);
