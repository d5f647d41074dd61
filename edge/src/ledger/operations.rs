//! What operators do: each a fact with its actor, note and idempotency key, landed with the decision that follows.

use paydown::credit::Kind;
use paydown::date::{Instant, text};
use paydown::id::{CreditId, ExceptionId, RunId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::decisions::{Landed, Landing, landing_under, policy_row};
use super::{batch, rows, statement};
use crate::config::Settings;
use crate::error::Fault;
use crate::ports::Database;

/// Something that an operator does to a credit.
#[derive(Debug, Clone, Serialize)]
pub struct Operation {
    /// The request's key.
    pub idempotency_key: String,
    /// The hash of what the request asks.
    pub fingerprint: String,
    /// The credit.
    pub credit_id: CreditId,
    /// What is done, by the name of its route.
    pub action: &'static str,
    /// The API key's label.
    pub actor: String,
    /// Why.
    pub note: String,
}

/// An operation that was done under a key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Done {
    /// The hash of what the request asked.
    pub fingerprint: String,
    /// The credit.
    pub credit_id: CreditId,
}

/// The operation or advance of an idempotency key: keys are one space.
pub async fn done(database: &dyn Database, idempotency_key: &str) -> Result<Option<Done>, Fault> {
    let found = rows(database, statement(DONE, &json!({ "idempotency_key": idempotency_key }))?).await?;
    Ok(found.into_iter().next())
}

/// Lands a decision with its operation; it is not there when it read a stale past, or something was done under the key.
pub async fn land(
    database: &dyn Database,
    settings: &Settings,
    operation: &Operation,
    decided: &Landing,
    at: Instant,
) -> Result<Landed, Fault> {
    let (policy_id, policy) = policy_row(settings)?;
    let parameter = json!({ "operation": operation, "decision_id": decided.id()?, "at": text(at) });
    let mut statements = vec![policy];
    statements.extend(landing_under(&operation.idempotency_key, decided, &policy_id)?);
    let found = statements.len().saturating_sub(1);
    statements.push(statement(OPERATION, &parameter)?);
    statements.push(statement(FREED, &parameter)?);
    let results = batch(database, &statements).await?;
    let Some((written, found)) = results.get(1).zip(results.get(found)) else { return Ok(Landed::default()) };
    let landed = Landed::of(written, found)?;
    if !landed.is_empty() {
        decided.tell();
    }
    Ok(landed)
}

/// An exception as far as resolving it needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ToResolve {
    /// The exception.
    pub id: ExceptionId,
    /// What kind of exception it is.
    pub kind: Kind,
    /// What it is about.
    pub subject: String,
    /// The credit it concerns.
    pub credit_id: Option<CreditId>,
    /// Whether it is open.
    pub open: bool,
    /// The credits that it still holds.
    pub holds: Vec<CreditId>,
}

/// The exception with an id.
pub async fn to_resolve(database: &dyn Database, id: ExceptionId) -> Result<Option<ToResolve>, Fault> {
    let found = rows(database, statement(TO_RESOLVE, &json!({ "id": id }))?).await?;
    Ok(found.into_iter().next())
}

/// Which open exceptions are to be resolved together.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Wanted {
    /// Those of this kind.
    pub kind: Kind,
    /// Those that one run opened.
    pub run_id: Option<RunId>,
    /// Only those of which nobody decided yet what became of their transactions.
    pub undecided: bool,
}

/// The open exceptions that are wanted, the oldest first.
pub async fn open(database: &dyn Database, wanted: Wanted, limit: usize) -> Result<Vec<ToResolve>, Fault> {
    rows(database, statement(OPEN, &json!({ "wanted": wanted, "limit": limit }))?).await
}

/// How many exceptions are open that are wanted.
pub async fn count_open(database: &dyn Database, wanted: Wanted) -> Result<u64, Fault> {
    let count = rows(database, statement(COUNT_OPEN, &json!({ "wanted": wanted }))?).await?;
    Ok(count.into_iter().next().unwrap_or(0))
}

/// Closes exceptions that hold nothing; gives how many of them.
pub async fn close(
    database: &dyn Database,
    ids: &[ExceptionId],
    actor: &str,
    note: &str,
    at: Instant,
) -> Result<usize, Fault> {
    let parameter = json!({ "ids": ids, "actor": actor, "note": note, "at": text(at) });
    let closed: Vec<ExceptionId> = rows(database, statement(CLOSE, &parameter)?).await?;
    Ok(closed.len())
}

/// The idempotency key by which resolving an exception acts on one of the credits it holds.
pub fn key_of(exception: ExceptionId, credit: CreditId) -> String {
    format!("resolution/{exception}/{credit}")
}

/// The idempotency key by which it is decided what became of one of the transactions of an exception. That of the last one
/// marks the exception as decided.
pub fn key_of_decision(exception: ExceptionId, subject: Uuid, decided: &str, is_last: bool) -> String {
    let step = if is_last { "decided" } else { "deciding" };
    format!("resolution/{exception}/{step}/{subject}/{decided}")
}

const DONE: &str = "
SELECT json_object('fingerprint', fingerprint, 'credit_id', credit_id) FROM (
  SELECT fingerprint, credit_id FROM operations WHERE idempotency_key = ?1 ->> '$.idempotency_key'
  UNION ALL
  SELECT fingerprint, credit_id FROM requests WHERE idempotency_key = ?1 ->> '$.idempotency_key')";

const OPERATION: &str = "
INSERT INTO operations (idempotency_key, fingerprint, credit_id, action, actor, note, decision_id, at)
SELECT ?1 ->> '$.operation.idempotency_key', ?1 ->> '$.operation.fingerprint', ?1 ->> '$.operation.credit_id',
  ?1 ->> '$.operation.action', ?1 ->> '$.operation.actor', ?1 ->> '$.operation.note', ?1 ->> '$.decision_id',
  ?1 ->> '$.at'
WHERE EXISTS (SELECT 1 FROM decisions WHERE id = ?1 ->> '$.decision_id') ON CONFLICT DO NOTHING";

/// The exception of a hold closes when no credit is held by it any more.
const FREED: &str = "
INSERT INTO resolutions (exception_id, action, actor, note, resolved_at, decision_id)
SELECT r.exception_id, 'release', ?1 ->> '$.operation.actor', ?1 ->> '$.operation.note', ?1 ->> '$.at', r.decision_id
FROM releases r
WHERE r.credit_id = ?1 ->> '$.operation.credit_id' AND r.decision_id = ?1 ->> '$.decision_id'
  AND NOT EXISTS (
    SELECT 1 FROM holds h WHERE h.exception_id = r.exception_id
      AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id))
ON CONFLICT DO NOTHING";

macro_rules! to_resolve {
    ($from:literal, $which:literal) => {
        concat!(
            "
SELECT json_object('id', e.id, 'kind', e.kind, 'subject', e.subject, 'credit_id', e.credit_id,
  'open', json(iif(EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id), 'false', 'true')),
  'holds', json((
    SELECT json_group_array(h.credit_id) FROM holds h WHERE h.exception_id = e.id
      AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id))))
FROM ",
            $from,
            " WHERE ",
            $which
        )
    };
}

const TO_RESOLVE: &str = to_resolve!("exceptions e", "e.id = ?1 ->> '$.id'");
macro_rules! wanted {
    () => {
        "e.kind = ?1 ->> '$.wanted.kind' AND (?1 ->> '$.wanted.run_id' IS NULL OR e.run_id = ?1 ->> '$.wanted.run_id')
  AND (?1 ->> '$.wanted.undecided' = 0 OR NOT EXISTS (
    SELECT 1 FROM operations WHERE idempotency_key > 'resolution/' || e.id || '/decided/'
      AND idempotency_key < 'resolution/' || e.id || '/decided0'))"
    };
}

const OPEN: &str = concat!(
    to_resolve!("unresolved u CROSS JOIN exceptions e ON e.id = u.exception_id", ""),
    wanted!(),
    " ORDER BY e.opened_at, e.id LIMIT ?1 ->> '$.limit'"
);

const COUNT_OPEN: &str = concat!(
    "SELECT json_quote(count(*)) FROM unresolved u CROSS JOIN exceptions e ON e.id = u.exception_id WHERE ",
    wanted!()
);

const CLOSE: &str = "
INSERT INTO resolutions (exception_id, action, actor, note, resolved_at, decision_id)
SELECT e.id, 'close', ?1 ->> '$.actor', ?1 ->> '$.note', ?1 ->> '$.at', NULL
FROM json_each(?1 ->> '$.ids') AS wanted CROSS JOIN exceptions e ON e.id = wanted.value
WHERE NOT EXISTS (SELECT 1 FROM holds WHERE exception_id = e.id)
ON CONFLICT DO NOTHING RETURNING json_quote(exception_id)";
