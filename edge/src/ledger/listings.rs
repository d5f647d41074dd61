//! What the reading routes look at: pages of credits, debits, runs and exceptions, and the timeline of a credit.
//!
//! A page is found by its place in an index and examines a bounded number of rows; what is derived is worked
//! out by core from the facts of what was found.

use paydown::api;
use paydown::date::{BusinessDate, Instant};
use paydown::id::{CreditId, DebitId, ExceptionId, RefundId, RunId};
use paydown::money::Cents;
use paydown::observation::Source;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::reports::is_complete;
use super::{batch, parsed, rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// How many migrations the ledger has.
pub const SCHEMA_VERSION: u32 = 14;

/// Sorts after every instant, date and id, as text.
const LAST: &str = "~";

/// A place in the list of credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditPlace {
    /// When the credit was created, as sortable text.
    pub created_at: String,
    /// The credit.
    pub id: String,
}

impl CreditPlace {
    /// Before the first credit of a list, newest or oldest first.
    pub fn before_all(newest_first: bool) -> CreditPlace {
        let end = if newest_first { LAST } else { "" };
        CreditPlace { created_at: end.into(), id: end.into() }
    }
}

/// Which credits to look at.
#[derive(Debug, Clone, Serialize)]
pub struct CreditsWanted {
    /// Those of this account.
    pub account_id: Option<String>,
    /// Those created after this, as sortable text.
    pub created_after: String,
    /// Those created before this, as sortable text.
    pub created_before: String,
    /// Text that is part of the account id, in any case; others are examined and not found.
    pub q: String,
    /// The amount that the text says: credits of it, without or with their fee, are found too.
    pub amount: Option<Cents>,
    /// Those behind this place.
    pub behind: CreditPlace,
    /// Whether the newest come first.
    #[serde(skip)]
    pub newest_first: bool,
    /// How many to examine.
    pub limit: usize,
}

/// A credit that was examined.
#[derive(Debug, Clone, Deserialize)]
pub struct CreditExamined {
    /// Its place.
    pub place: CreditPlace,
    /// The credit.
    pub id: CreditId,
    /// Whether it has the text that was asked for.
    pub found: bool,
}

/// Examines credits in their order.
pub async fn credits(database: &dyn Database, wanted: &CreditsWanted) -> Result<Vec<CreditExamined>, Fault> {
    let sql = match (wanted.account_id.is_some(), wanted.newest_first) {
        (false, true) => CREDITS_NEWEST,
        (false, false) => CREDITS_OLDEST,
        (true, true) => CREDITS_OF_ACCOUNT_NEWEST,
        (true, false) => CREDITS_OF_ACCOUNT_OLDEST,
    };
    rows(database, statement(sql, wanted)?).await
}

/// The credit that an idempotency key made.
pub async fn credit_of_key(database: &dyn Database, idempotency_key: &str) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(CREDIT_OF_KEY, &json!({ "q": idempotency_key }))?).await
}

/// The credits that a text names exactly: by their id, their debit's, a transaction, or the idempotency key.
pub async fn credits_named(database: &dyn Database, q: &str) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(CREDITS_NAMED, &json!({ "q": q }))?).await
}

/// A place in the list of debits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DebitPlace {
    /// When the debit is due.
    pub due_date: String,
    /// The debit.
    pub id: String,
}

/// Which debits to look at.
#[derive(Debug, Clone, Serialize)]
pub struct DebitsWanted {
    /// Those of this credit.
    pub credit_id: Option<CreditId>,
    /// Those due on this date or later.
    pub due_from: Option<BusinessDate>,
    /// Those due on this date or earlier.
    pub due_to: Option<BusinessDate>,
    /// Those behind this place.
    pub behind: DebitPlace,
    /// How many to examine.
    pub limit: usize,
}

/// A debit that was examined.
#[derive(Debug, Clone, Deserialize)]
pub struct DebitExamined {
    /// Its place.
    pub place: DebitPlace,
    /// The debit.
    pub id: DebitId,
    /// Its credit.
    pub credit_id: CreditId,
}

/// Examines debits by due date.
pub async fn debits(database: &dyn Database, wanted: &DebitsWanted) -> Result<Vec<DebitExamined>, Fault> {
    let sql = if wanted.credit_id.is_some() { DEBITS_OF_CREDIT } else { DEBITS };
    rows(database, statement(sql, wanted)?).await
}

/// The runs before an instant, newest first.
pub async fn runs(
    database: &dyn Database,
    before: Option<&str>,
    limit: usize,
) -> Result<Vec<api::Run>, Fault> {
    rows(database, statement(RUNS, &json!({ "before": before.unwrap_or(LAST), "limit": limit }))?).await
}

/// A run with its stages.
pub async fn run(database: &dyn Database, id: RunId) -> Result<Option<api::RunDetail>, Fault> {
    let parameter = json!({ "id": id });
    let results = batch(database, &[statement(RUN, &parameter)?, statement(STAGES, &parameter)?]).await?;
    let found: Vec<api::Run> = results.first().map_or(Ok(vec![]), |rows| parsed(rows))?;
    let stages = results.get(1).map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok(found.into_iter().next().map(|run| api::RunDetail { run, stages }))
}

/// A place in the list of exceptions: the open ones first, then by age.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExceptionPlace {
    /// Whether the open ones are behind it.
    pub past_open: bool,
    /// When the exception was opened.
    pub opened_at: String,
    /// The exception.
    pub id: String,
}

/// Examines exceptions from the oldest on: the open ones, and past them all.
pub async fn exceptions(
    database: &dyn Database,
    behind: &ExceptionPlace,
    limit: usize,
) -> Result<Vec<ExceptionExamined>, Fault> {
    let parameter = json!({ "opened_at": behind.opened_at, "id": behind.id, "limit": limit });
    let statements: &[&'static str] = if behind.past_open { &[EXCEPTIONS] } else { &[OPEN, UNCOUNTED] };
    let statements: Result<Vec<_>, _> = statements.iter().map(|sql| statement(sql, &parameter)).collect();
    let results = batch(database, &statements?).await?;
    parsed(&results.concat())
}

/// An exception that was examined.
#[derive(Debug, Clone, Deserialize)]
pub struct ExceptionExamined {
    /// When it was opened, as it sorts.
    pub place: String,
    /// The exception.
    pub exception: api::Exception,
}

/// The exception with an id.
pub async fn exception(database: &dyn Database, id: ExceptionId) -> Result<Option<api::Exception>, Fault> {
    let found: Vec<ExceptionExamined> = rows(database, statement(EXCEPTION, &json!({ "id": id }))?).await?;
    Ok(found.into_iter().next().map(|examined| examined.exception))
}

/// What was said of a transaction, by its own id or by the credit or debit that it is for.
pub async fn stated(database: &dyn Database, subject: &str) -> Result<Vec<api::Stated>, Fault> {
    rows(database, statement(STATED, &json!({ "subject": subject }))?).await
}

/// The credit that a refund belongs to.
pub async fn credit_of_refund(database: &dyn Database, id: RefundId) -> Result<Option<CreditId>, Fault> {
    let found = rows(database, statement(CREDIT_OF_REFUND, &json!({ "id": id }))?).await?;
    Ok(found.into_iter().next())
}

/// The credit that a debit belongs to.
pub async fn credit_of_debit(database: &dyn Database, id: DebitId) -> Result<Option<CreditId>, Fault> {
    let found = rows(database, statement(CREDIT_OF_DEBIT, &json!({ "id": id }))?).await?;
    Ok(found.into_iter().next())
}

/// Whether a transaction is that of a credit or debit already.
pub async fn is_transaction(database: &dyn Database, transaction_id: &str) -> Result<bool, Fault> {
    let found: Vec<String> =
        rows(database, statement(IS_TRANSACTION, &json!({ "transaction_id": transaction_id }))?).await?;
    Ok(!found.is_empty())
}

/// The kinds of the open exceptions, each with how many are open and the oldest; the kind with the oldest first.
pub async fn open_exceptions(database: &dyn Database) -> Result<Vec<api::OpenKind>, Fault> {
    rows(database, statement(OPEN_KINDS, &())?).await
}

/// A fact of a credit, for its timeline.
#[derive(Debug, Clone, Deserialize)]
pub struct TimelineFact {
    /// When it came about.
    pub at: Instant,
    /// The turn of the decision that made it.
    pub turn: Option<i64>,
    /// The run that it came about in.
    pub run_id: Option<RunId>,
    /// What kind of fact it is.
    pub kind: String,
    /// The credit or debit it is about.
    pub subject: Uuid,
    /// The reason, outcome or kind that says which rule it follows.
    pub about: Option<String>,
    /// Who said it, of an observation.
    pub source: Option<Source>,
    /// The return code of an observation or a word.
    pub code: Option<String>,
    /// The amounts that stand for each `{}` in the detail, in minor units.
    #[serde(default)]
    pub amounts: Vec<i64>,
    /// What a person should know.
    pub detail: String,
}

/// Every fact of a credit, table by table.
pub async fn timeline(database: &dyn Database, id: CreditId) -> Result<Vec<TimelineFact>, Fault> {
    let parameter = json!({ "id": id });
    let statements: Result<Vec<_>, _> = TIMELINE.iter().map(|sql| statement(sql, &parameter)).collect();
    let results = batch(database, &statements?).await?;
    let tables: Result<Vec<Vec<TimelineFact>>, _> = results.iter().map(|rows| parsed(rows)).collect();
    Ok(tables?.into_iter().flatten().collect())
}

macro_rules! credits {
    ($which:literal, $behind:literal, $order:literal) => {
        concat!(
            "
SELECT json_object('place', json_object('created_at', created_at, 'id', id), 'id', id,
  'found', json(iif(instr(lower(account_id), lower(?1 ->> '$.q')) > 0
    OR ?1 ->> '$.amount' IN (amount, amount + fee), 'true', 'false')))
FROM credits WHERE ",
            $which,
            " created_at > ?1 ->> '$.created_after' AND created_at < ?1 ->> '$.created_before'
  AND (created_at, id) ",
            $behind,
            " (?1 ->> '$.behind.created_at', ?1 ->> '$.behind.id')
ORDER BY ",
            $order,
            " LIMIT ?1 ->> '$.limit'"
        )
    };
}

const CREDITS_NEWEST: &str = credits!("", "<", "created_at DESC, id DESC");
const CREDITS_OLDEST: &str = credits!("", ">", "created_at, id");
const CREDITS_OF_ACCOUNT_NEWEST: &str =
    credits!("account_id = ?1 ->> '$.account_id' AND", "<", "created_at DESC, id DESC");
const CREDITS_OF_ACCOUNT_OLDEST: &str =
    credits!("account_id = ?1 ->> '$.account_id' AND", ">", "created_at, id");

const CREDIT_OF_KEY: &str = "
SELECT json_quote(credit_id) FROM requests WHERE idempotency_key = ?1 ->> '$.q'";

const CREDITS_NAMED: &str = "
SELECT json_quote(credit_id) FROM (
  SELECT id AS credit_id FROM credits WHERE id = lower(?1 ->> '$.q')
  UNION SELECT credit_id FROM debits WHERE id = lower(?1 ->> '$.q')
  UNION SELECT credit_id FROM refunds WHERE id = lower(?1 ->> '$.q')
  UNION SELECT credit_id FROM transactions WHERE transaction_id = ?1 ->> '$.q'
  UNION SELECT credit_id FROM requests WHERE idempotency_key = ?1 ->> '$.q')";

const DEBITS: &str = "
SELECT json_object('place', json_object('due_date', due_date, 'id', id), 'id', id, 'credit_id', credit_id)
FROM debits
WHERE due_date >= coalesce(?1 ->> '$.due_from', '') AND due_date <= coalesce(?1 ->> '$.due_to', '~')
  AND (due_date, id) > (?1 ->> '$.behind.due_date', ?1 ->> '$.behind.id')
ORDER BY due_date, id LIMIT ?1 ->> '$.limit'";

const DEBITS_OF_CREDIT: &str = "
SELECT json_object('place', json_object('due_date', due_date, 'id', id), 'id', id, 'credit_id', credit_id)
FROM debits
WHERE credit_id = ?1 ->> '$.credit_id'
  AND due_date >= coalesce(?1 ->> '$.due_from', '') AND due_date <= coalesce(?1 ->> '$.due_to', '~')
  AND (due_date, id) > (?1 ->> '$.behind.due_date', ?1 ->> '$.behind.id')
ORDER BY due_date, id LIMIT ?1 ->> '$.limit'";

macro_rules! runs {
    ($which:literal) => {
        concat!(
            "
SELECT json_object('id', r.id, 'business_date', r.business_date, 'as_of', r.as_of,
  'status', coalesce(c.status, 'running'), 'started_at', r.started_at, 'finished_at', c.finished_at,
  'missed_days', json(r.missed_days),
  'report', json((
    SELECT json_object('sha256', p.sha256, 'bytes', p.bytes,
      'rows', coalesce((SELECT detail ->> '$.rows' FROM run_stages
        WHERE run_id = r.id AND stage = 'observations' ORDER BY slice DESC LIMIT 1), 0),
      'malformed', (SELECT count(*) FROM malformed_rows WHERE run_id = r.id),
      'covers', json(iif(",
            is_complete!(),
            ", json_object('read_at', p.read_at, 'window_days', p.window_days), 'null')))
    FROM reports p WHERE p.run_id = r.id)),
  'counts', json(coalesce(c.counts, '{}')), 'amounts', json(coalesce(c.counts -> '$.amounts', '{}')),
  'reasons', json(coalesce(c.reasons, '[]')))
FROM runs r LEFT JOIN run_closings c ON c.run_id = r.id WHERE ",
            $which
        )
    };
}

const RUNS: &str = runs!("r.as_of < ?1 ->> '$.before' ORDER BY r.as_of DESC LIMIT ?1 ->> '$.limit'");
const RUN: &str = runs!("r.id = ?1 ->> '$.id'");

const STAGES: &str = "
SELECT json_object('stage', name, 'slices', count(*),
  'done', json(iif(max(stage = name AND cursor IS NULL), 'true', 'false')), 'at', max(at))
FROM (
  SELECT substr(stage, 1, instr(stage || '/', '/') - 1) AS name, stage, cursor, at
  FROM run_stages WHERE run_id = ?1 ->> '$.id')
GROUP BY name ORDER BY min(at)";

macro_rules! exceptions {
    ($from:literal, $which:literal) => {
        exceptions!("json_object('place', e.opened_at, 'exception', ", ")", $from, $which)
    };
    ($before:literal, $after:literal, $from:literal, $which:literal) => {
        concat!(
            "
SELECT ",
            $before,
            "json_object('id', e.id, 'kind', e.kind,
  'status', iif(s.exception_id IS NULL, 'open', 'resolved'), 'subject', iif(e.kind = 'decision_contradicted', coalesce(
    (SELECT transaction_id FROM transactions WHERE subject_id = e.subject), e.subject), e.subject), 'credit_id', e.credit_id,
  'account_id', (SELECT account_id FROM credits WHERE id = e.credit_id), 'run_id', e.run_id, 'detail', e.detail, 'opened_at', e.opened_at,
  'resolution', json(iif(s.exception_id IS NULL, NULL,
    json_object('action', s.action, 'actor', s.actor, 'note', s.note, 'resolved_at', s.resolved_at))),
  'actions', json(iif(s.exception_id IS NOT NULL, '[]',
    '[' || iif(e.kind IN ('credit_unconfirmed', 'no_answer', 'report_gap', 'timeout_limit'), '\"decide\",', '')
    || iif(EXISTS (
      SELECT 1 FROM holds h WHERE h.exception_id = e.id AND NOT EXISTS (
        SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id)),
    '\"release\"', '\"close\"') || ']')))",
            $after,
            "
FROM ",
            $from,
            " LEFT JOIN resolutions s ON s.exception_id = e.id WHERE ",
            $which
        )
    };
}

const EXCEPTIONS: &str = exceptions!(
    "exceptions e",
    "(e.opened_at, e.id) > (?1 ->> '$.opened_at', ?1 ->> '$.id')
ORDER BY e.opened_at, e.id LIMIT ?1 ->> '$.limit'"
);
const OPEN: &str = exceptions!(
    "unresolved u CROSS JOIN exceptions e ON e.id = u.exception_id",
    "(e.opened_at, e.id) > (?1 ->> '$.opened_at', ?1 ->> '$.id')
ORDER BY e.opened_at, e.id LIMIT iif(EXISTS (SELECT 1 FROM figures), ?1 ->> '$.limit', 0)"
);

/// Until a run has carried the open ones over, all are examined.
const UNCOUNTED: &str = exceptions!(
    "exceptions e",
    "(e.opened_at, e.id) > (?1 ->> '$.opened_at', ?1 ->> '$.id')
ORDER BY e.opened_at, e.id LIMIT iif(EXISTS (SELECT 1 FROM figures), 0, ?1 ->> '$.limit')"
);
const EXCEPTION: &str = exceptions!("exceptions e", "e.id = ?1 ->> '$.id'");

const STATED: &str = "
SELECT json_object('transaction_id', nullif(transaction_id, ''), 'status', status, 'code', nullif(code, ''), 'at', at,
  'source', source, 'run_id', run_id, 'detail', detail)
FROM (
  SELECT o.* FROM (
    SELECT ?1 ->> '$.subject' AS id
    UNION SELECT transaction_id FROM transactions WHERE subject_id = ?1 ->> '$.subject'
    UNION SELECT t.transaction_id FROM debits d CROSS JOIN debit_transactions t ON t.debit_id = d.id
      WHERE d.credit_id = ?1 ->> '$.subject') AS named
  CROSS JOIN observations o ON o.transaction_id = named.id
  UNION
  SELECT * FROM observations WHERE subject_id = ?1 ->> '$.subject')
ORDER BY at, status";

const CREDIT_OF_DEBIT: &str = "SELECT json_quote(credit_id) FROM debits WHERE id = ?1 ->> '$.id'";

const CREDIT_OF_REFUND: &str = "SELECT json_quote(credit_id) FROM refunds WHERE id = ?1 ->> '$.id'";

const IS_TRANSACTION: &str = "
SELECT json_quote(transaction_id) FROM transactions WHERE transaction_id = ?1 ->> '$.transaction_id'";

/// Beside the one `min()`, SQLite takes the other columns of a group from the row that has it.
const OPEN_KINDS: &str = exceptions!(
    "json_object('open', of_kind.open, 'oldest', ",
    ")",
    "(SELECT count(*) AS open, min(e.opened_at || e.id), e.id FROM unresolved u
  CROSS JOIN exceptions e ON e.id = u.exception_id GROUP BY e.kind) AS of_kind
CROSS JOIN exceptions e ON e.id = of_kind.id",
    "true ORDER BY e.opened_at, e.id"
);

/// One statement for each table that holds facts of a credit.
const TIMELINE: [&str; 21] = [
    "
SELECT json_object('at', created_at, 'kind', 'requested', 'subject', id, 'amounts', json_array(amount, fee),
  'detail', 'an advance of {}, fee {}, in ' || installments || ' installments every ' || interval_days || ' days')
FROM credits WHERE id = ?1 ->> '$.id'",
    "
SELECT json_object('at', u.at, 'kind', 'unknown_answer', 'subject', u.subject_id, 'detail', u.detail)
FROM (
  SELECT id FROM debits WHERE credit_id = ?1 ->> '$.id'
  UNION ALL SELECT id FROM refunds WHERE credit_id = ?1 ->> '$.id'
  UNION ALL SELECT ?1 ->> '$.id') AS s
CROSS JOIN unknown_answers u ON u.subject_id = s.id",
    "
SELECT json_object('at', at, 'kind', 'transaction', 'subject', credit_id, 'detail', 'transaction ' || transaction_id)
FROM credit_transactions WHERE credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', t.at, 'kind', 'transaction', 'subject', d.id, 'detail', 'transaction ' || t.transaction_id)
FROM debits d CROSS JOIN debit_transactions t ON t.debit_id = d.id WHERE d.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', t.at, 'kind', 'transaction', 'subject', r.id, 'detail', 'transaction ' || t.transaction_id)
FROM refunds r CROSS JOIN refund_transactions t ON t.refund_id = r.id WHERE r.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', o.at, 'run_id', o.run_id, 'kind', 'observation', 'subject', named.subject,
  'source', o.source, 'code', nullif(o.code, ''), 'detail', o.status || iif(o.code = '', '', ' ' || o.code) || ' by ' || o.source)
FROM (
  SELECT credit_id AS subject, transaction_id FROM credit_transactions WHERE credit_id = ?1 ->> '$.id'
  UNION ALL
  SELECT d.id, t.transaction_id FROM debits d CROSS JOIN debit_transactions t ON t.debit_id = d.id
  WHERE d.credit_id = ?1 ->> '$.id'
  UNION ALL
  SELECT r.id, t.transaction_id FROM refunds r CROSS JOIN refund_transactions t ON t.refund_id = r.id
  WHERE r.credit_id = ?1 ->> '$.id') AS named
CROSS JOIN observations o ON o.transaction_id = named.transaction_id AND o.subject_id = ''",
    "
SELECT json_object('at', o.at, 'run_id', o.run_id, 'kind', 'observation', 'subject', o.subject_id,
  'source', o.source, 'code', nullif(o.code, ''), 'detail', o.status || iif(o.code = '', '', ' ' || o.code) || ' by ' || o.source || iif(o.detail = '', '', ': ' || o.detail))
FROM (
  SELECT id FROM debits WHERE credit_id = ?1 ->> '$.id'
  UNION ALL SELECT id FROM refunds WHERE credit_id = ?1 ->> '$.id'
  UNION ALL SELECT ?1 ->> '$.id') AS s
CROSS JOIN observations o ON o.subject_id = s.id",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'debit', 'subject', d.id,
  'about', d.reason, 'amounts', json_array(d.amount), 'detail', '{} due ' || d.due_date
  || coalesce(', rolled from ' || d.unrolled_due_date, '') || ', ' || d.reason
  || iif(d.replaces IS NULL, '', ', replaces ' || d.replaces))
FROM debits d CROSS JOIN decisions x ON x.id = d.decision_id WHERE d.credit_id = ?1 ->> '$.id' ORDER BY d.sequence",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'cancelled', 'subject', d.id,
  'about', c.because, 'detail', 'debit ' || d.sequence || ', ' || c.because)
FROM debits d CROSS JOIN cancellations c ON c.debit_id = d.id CROSS JOIN decisions x ON x.id = c.decision_id
WHERE d.credit_id = ?1 ->> '$.id' ORDER BY d.sequence",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'word', 'subject', w.subject_id,
  'about', w.outcome, 'code', w.code, 'detail', w.outcome || coalesce(' ' || w.code, '') || ' at ' || w.at)
FROM words w CROSS JOIN decisions x ON x.id = w.decision_id WHERE w.credit_id = ?1 ->> '$.id' ORDER BY w.turn",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'timed_out', 'subject', t.subject_id,
  'detail', 'no word in the days of the policy')
FROM timeouts t CROSS JOIN decisions x ON x.id = t.decision_id WHERE t.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'processed', 'subject', d.id,
  'amounts', json_array(d.amount), 'detail', 'debit ' || d.sequence || ' of {}')
FROM debits d CROSS JOIN processed_debits p ON p.debit_id = d.id CROSS JOIN decisions x ON x.id = p.decision_id
WHERE d.credit_id = ?1 ->> '$.id' ORDER BY d.sequence",
    "
SELECT json_object('at', e.opened_at, 'turn', x.turn, 'run_id', e.run_id, 'kind', 'exception_opened',
  'subject', iif(EXISTS (SELECT 1 FROM debits WHERE id = e.subject), e.subject, e.credit_id), 'about', e.kind,
  'detail', e.kind || ': ' || e.detail)
FROM exceptions e LEFT JOIN decisions x ON x.id = e.decision_id WHERE e.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', s.resolved_at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'exception_closed',
  'subject', iif(EXISTS (SELECT 1 FROM debits WHERE id = e.subject), e.subject, e.credit_id), 'about', e.kind,
  'detail', e.kind || ': ' || s.action || ' by ' || s.actor || ', ' || s.note)
FROM exceptions e CROSS JOIN resolutions s ON s.exception_id = e.id LEFT JOIN decisions x ON x.id = s.decision_id
WHERE e.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'held', 'subject', h.credit_id,
  'about', e.kind, 'detail', 'held by ' || e.kind || ' on ' || e.subject)
FROM holds h CROSS JOIN exceptions e ON e.id = h.exception_id CROSS JOIN decisions x ON x.id = h.decision_id
WHERE h.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'released', 'subject', r.credit_id,
  'detail', 'released from ' || e.kind)
FROM releases r CROSS JOIN exceptions e ON e.id = r.exception_id CROSS JOIN decisions x ON x.id = r.decision_id
WHERE r.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', o.at, 'turn', x.turn, 'kind', 'operation', 'subject', o.credit_id,
  'detail', o.action || ' by ' || o.actor || ': ' || o.note)
FROM operations o CROSS JOIN decisions x ON x.id = o.decision_id WHERE o.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'kind', 'external_payment', 'subject', p.credit_id,
  'amounts', json_array(p.amount), 'detail', '{} paid elsewhere, received on ' || p.received_on || ', payment ' || p.id)
FROM external_payments p CROSS JOIN decisions x ON x.id = p.decision_id WHERE p.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'kind', 'external_payment_revoked', 'subject', p.credit_id,
  'amounts', json_array(p.amount), 'detail', '{} paid elsewhere counts no more, payment ' || p.id)
FROM external_payments p CROSS JOIN external_payment_revocations r ON r.payment_id = p.id
CROSS JOIN decisions x ON x.id = r.decision_id WHERE p.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'kind', 'refund', 'subject', r.id,
  'amounts', json_array(r.amount), 'detail', '{} given back, refund ' || r.id)
FROM refunds r CROSS JOIN decisions x ON x.id = r.decision_id WHERE r.credit_id = ?1 ->> '$.id'",
    "
SELECT json_object('at', x.at, 'turn', x.turn, 'run_id', x.run_id, 'kind', 'written_off', 'subject', w.credit_id,
  'detail', 'given up by an operator')
FROM write_offs w CROSS JOIN decisions x ON x.id = w.decision_id WHERE w.credit_id = ?1 ->> '$.id'",
];
