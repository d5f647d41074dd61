//! The calls of the processor: what it is asked, who calls first, and what it answered.

use paydown::date::{Instant, text};
use paydown::id::CreditId;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::credits::Since;
use super::{batch, parsed, rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

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
/// name that is another's already is no answer: whose money it is, is not known. Neither is the refusal of a first call
/// that another invocation called beside.
pub(crate) fn answers(
    named: &[AnswerRow],
    refused: &[AnswerRow],
    unknown: &[AnswerRow],
) -> Result<Vec<Statement>, Fault> {
    let (credits, others): (Vec<&AnswerRow>, Vec<&AnswerRow>) =
        named.iter().partition(|row| row.subject == row.credit_id.0);
    let (named, refused, unknown) = (all(named), all(refused), all(unknown));
    let sets = [
        (CREDIT_NAMED, &credits),
        (DEBIT_NAMED, &others),
        (REFUND_NAMED, &others),
        (TAKEN, &named),
        (REFUSED, &refused),
        (REFUSED_BESIDE, &refused),
        (UNKNOWN, &unknown),
    ];
    sets.into_iter().filter(|(_, rows)| !rows.is_empty()).map(|(sql, rows)| statement(sql, rows)).collect()
}

fn all(rows: &[AnswerRow]) -> Vec<&AnswerRow> {
    rows.iter().collect()
}

/// The debits that a run claimed of the credits behind the cursor, and of which nothing was heard since: each with its
/// credit and what the processor is asked.
pub async fn unheard(database: &dyn Database, since: &Since) -> Result<Vec<(Uuid, CreditId, String)>, Fault> {
    rows(database, statement(UNHEARD, since)?).await
}

/// Claims the first calls for credits and debits, and gives those that nobody called for before: only who claims it
/// may take a refusal for definite.
pub async fn claim_first(
    database: &dyn Database,
    subjects: &[Uuid],
    at: Instant,
) -> Result<Vec<Uuid>, Fault> {
    let claim = json!({ "subjects": subjects, "at": text(at) });
    rows(database, statement(CLAIM_FIRST, &claim)?).await
}

/// Notes that the first calls under these keys prove nothing any more, because another is to be made, and gives those that
/// may be called for: all but the ones whose refusal was recorded before.
pub async fn call_later(database: &dyn Database, subjects: &[Uuid], at: Instant) -> Result<Vec<Uuid>, Fault> {
    let later = json!({ "subjects": subjects, "at": text(at) });
    let statements = [statement(CALL_LATER, &later)?, statement(CALLED_LATER, &later)?];
    let results = batch(database, &statements).await?;
    results.last().map_or(Ok(vec![]), |rows| parsed(rows))
}

const BODIES: &str = "
SELECT json_array(subject, body) FROM (
  SELECT wanted.value AS subject, coalesce(
    (SELECT body FROM processed_debits WHERE debit_id = wanted.value),
    (SELECT body FROM refunds WHERE id = wanted.value),
    (SELECT body FROM credits WHERE id = wanted.value)) AS body
  FROM json_each(?1) AS wanted) WHERE body IS NOT NULL";

const UNHEARD: &str = "
SELECT json_array(p.debit_id, p.credit_id, p.body) FROM processed_debits p
WHERE p.at = ?1 ->> '$.as_of' AND p.credit_id > ?1 ->> '$.cursor' AND p.credit_id <= ?1 ->> '$.until'
  AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = p.debit_id)
  AND NOT EXISTS (SELECT 1 FROM unknown_answers WHERE subject_id = p.debit_id)
  AND NOT EXISTS (SELECT 1 FROM observations WHERE subject_id = p.debit_id)";

// A name that comes when a later run is through already is as late as that one: the next run looks for what was named since.

/// Gives the names that are new.
pub(super) const CREDIT_NAMED: &str = "
INSERT INTO credit_transactions (credit_id, transaction_id, at)
SELECT value ->> '$.subject', value ->> '$.text', max(value ->> '$.at', coalesce((SELECT max(as_of) FROM runs), ''))
FROM json_each(?1)
WHERE value ->> '$.subject' = value ->> '$.credit_id'
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.text')
ON CONFLICT DO NOTHING RETURNING json_quote(transaction_id)";

const REFUND_NAMED: &str = "
INSERT INTO refund_transactions (refund_id, credit_id, transaction_id, at)
SELECT value ->> '$.subject', value ->> '$.credit_id', value ->> '$.text', max(value ->> '$.at', coalesce((SELECT max(as_of) FROM runs), ''))
FROM json_each(?1)
WHERE EXISTS (SELECT 1 FROM refunds WHERE id = value ->> '$.subject')
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.text')
ON CONFLICT DO NOTHING";

const DEBIT_NAMED: &str = "
INSERT INTO debit_transactions (debit_id, credit_id, transaction_id, at)
SELECT value ->> '$.subject', value ->> '$.credit_id', value ->> '$.text', max(value ->> '$.at', coalesce((SELECT max(as_of) FROM runs), ''))
FROM json_each(?1)
WHERE EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = value ->> '$.subject')
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.text')
ON CONFLICT DO NOTHING";

pub(super) const TAKEN: &str = "
INSERT INTO unknown_answers (subject_id, credit_id, detail, at)
SELECT value ->> '$.subject', value ->> '$.credit_id',
  'the transaction ' || (value ->> '$.text') || ' is that of another', value ->> '$.at'
FROM json_each(?1)
WHERE NOT EXISTS (SELECT 1 FROM transactions WHERE subject_id = value ->> '$.subject')
ON CONFLICT DO NOTHING";

const REFUSED: &str = "
INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)
SELECT '', value ->> '$.subject', value ->> '$.at', 'failure', value ->> '$.code', 'refusal', NULL, value ->> '$.text'
FROM json_each(?1)
WHERE NOT EXISTS (SELECT 1 FROM later_calls WHERE subject_id = value ->> '$.subject') ON CONFLICT DO NOTHING";

const REFUSED_BESIDE: &str = "
INSERT INTO unknown_answers (subject_id, credit_id, detail, at)
SELECT value ->> '$.subject', value ->> '$.credit_id',
  'refused, which proves nothing after another call: ' || (value ->> '$.code') || ': ' || (value ->> '$.text'), value ->> '$.at'
FROM json_each(?1)
WHERE EXISTS (SELECT 1 FROM later_calls WHERE subject_id = value ->> '$.subject') ON CONFLICT DO NOTHING";

const CALL_LATER: &str = "
INSERT INTO later_calls (subject_id, at)
SELECT value, ?1 ->> '$.at' FROM json_each(?1, '$.subjects')
WHERE NOT EXISTS (SELECT 1 FROM observations WHERE subject_id = value AND source = 'refusal')
ON CONFLICT DO NOTHING";

const CALLED_LATER: &str = "
SELECT json_quote(subject_id) FROM json_each(?1, '$.subjects') AS wanted
CROSS JOIN later_calls ON subject_id = wanted.value";

const UNKNOWN: &str = "
INSERT INTO unknown_answers (subject_id, credit_id, detail, at)
SELECT value ->> '$.subject', value ->> '$.credit_id', value ->> '$.text', value ->> '$.at'
FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING";

const CLAIM_FIRST: &str = "
INSERT INTO first_calls (subject_id, at)
SELECT value, ?1 ->> '$.at' FROM json_each(?1, '$.subjects')
WHERE NOT EXISTS (SELECT 1 FROM unknown_answers WHERE subject_id = value)
ON CONFLICT DO NOTHING RETURNING json_quote(subject_id)";
