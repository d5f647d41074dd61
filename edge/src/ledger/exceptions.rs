//! Exceptions about no single credit, and the messages that could not be handled.

use paydown::date::{BusinessDate, Instant, text};
use paydown::id::RunId;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::{rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

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
pub(crate) fn opened(new: &[NewException]) -> Result<Statement, Fault> {
    statement(EXCEPTIONS, &new)
}

/// Whether an operator closed a `run_limit` of a run of this date: what is due may be issued.
pub async fn is_limit_lifted(database: &dyn Database, date: BusinessDate) -> Result<bool, Fault> {
    let found: Vec<String> = rows(database, statement(LIMIT_LIFTED, &json!({ "date": date }))?).await?;
    Ok(!found.is_empty())
}

/// The statement that closes `unknown_transaction` where the transaction is known by now.
pub(crate) fn known_by_now(at: Instant) -> Result<Statement, Fault> {
    statement(KNOWN_BY_NOW, &json!({ "at": text(at) }))
}

/// The statement that keeps a queue message that could not be handled, and opens its exception.
pub(crate) fn dead_letter(id: Uuid, queue: &str, body: &str, at: Instant) -> Result<Statement, Fault> {
    statement(DEAD_LETTER, &json!({ "id": id, "queue": queue, "body": body, "at": text(at) }))
}

const LIMIT_LIFTED: &str = "
SELECT json_quote(r.id) FROM runs r CROSS JOIN exceptions e ON e.kind = 'run_limit' AND e.subject = r.id
CROSS JOIN resolutions s ON s.exception_id = e.id
WHERE r.business_date = ?1 ->> '$.date' LIMIT 1";

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
SELECT e.id, 'closed', 'paydown', 'the transaction is known by now', ?1 ->> '$.at', NULL
FROM unresolved u CROSS JOIN exceptions e ON e.id = u.exception_id
WHERE e.kind = 'unknown_transaction'
  AND EXISTS (SELECT 1 FROM transactions WHERE transaction_id = e.subject) ON CONFLICT DO NOTHING";

const DEAD_LETTER: &str = "
INSERT INTO dead_letters (id, queue, body, at)
SELECT ?1 ->> '$.id', ?1 ->> '$.queue', ?1 ->> '$.body', ?1 ->> '$.at' WHERE true ON CONFLICT DO NOTHING";
