//! `perform_advance` in the ledger: the intent with authentication and idempotency as one batch, and the outcome.

use paydown::credit::Facts;
use paydown::date::{Instant, text};
use paydown::decision::{Context, Decision, Input, decide};
use paydown::id::{CreditId, TransactionId};
use paydown::observation::{Observation, Source, Status};
use paydown::plan::Terms;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::decisions::{Landing, landing, policy_row};
use super::facts::facts;
use super::keys::Key;
use super::runs::{AnswerRow, answers};
use super::{batch, parsed, statement};
use crate::config::Settings;
use crate::error::Fault;
use crate::ports::Database;

/// How often a refused credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// An advance that is to be recorded.
#[derive(Debug, Clone, Serialize)]
pub struct Intent {
    /// The credit it makes, if it makes one.
    pub id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// The one currency.
    pub currency: String,
    /// What is agreed about the repayment.
    pub terms: Terms,
    /// What the processor will be asked, byte for byte.
    pub body: String,
    /// Now, as sortable text; the credit is never created before the last run's instant.
    pub now: String,
    /// The hash of the API key that was presented.
    pub key_hash: String,
    /// The client's idempotency key.
    pub idempotency_key: String,
    /// What the request asks for, whatever its spelling.
    pub fingerprint: String,
    /// The request.
    pub request_id: String,
}

/// What became of an intent.
#[derive(Debug, Clone, Deserialize)]
pub struct Recorded {
    /// The API key that was presented, if it is known.
    pub key: Option<Key>,
    /// The request that used the idempotency key first: this one or an earlier one.
    pub request: Option<Request>,
    /// Whether a hard return holds a credit of the account.
    pub is_account_held: bool,
    /// Whether a stop is in force.
    pub is_stopped: bool,
}

/// A request that made a credit.
#[derive(Debug, Clone, Deserialize)]
pub struct Request {
    /// What it asked for.
    pub fingerprint: String,
    /// Its id.
    pub request_id: String,
    /// The credit it made.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// The currency.
    pub currency: String,
    /// What is agreed about the repayment.
    pub terms: Terms,
    /// When the credit was created.
    pub created_at: Instant,
    /// The transaction that pays it out, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// What the processor said when it refused the first call.
    pub refusal: Option<Refusal>,
}

/// The processor's refusal of the first call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Refusal {
    /// Its code.
    pub code: String,
    /// Its message, for people.
    pub message: String,
}

impl Request {
    /// The facts of the credit as it was when its outcome became known, before any decision.
    pub fn first_facts(&self) -> Facts {
        Facts {
            id: self.credit_id,
            account_id: self.account_id.clone(),
            currency: self.currency.clone(),
            terms: self.terms,
            created_at: self.created_at,
            turn: 0,
            transaction_id: self.transaction_id.clone(),
            debits: vec![],
            observations: vec![],
            words: vec![],
            timeouts: vec![],
            unknown_answers: vec![],
            holds: vec![],
            exceptions: vec![],
            written_off: false,
        }
    }
}

/// Records the intent where the API key allows it, the idempotency key is unused, and neither a hold of the
/// account nor a stop forbids it; reads back what is recorded, and why it may not be.
pub async fn record(database: &dyn Database, intent: &Intent) -> Result<Recorded, Fault> {
    let statements = [statement(CREDIT, intent)?, statement(REQUEST, intent)?, statement(RECORDED, intent)?];
    let results = batch(database, &statements).await?;
    let recorded: Vec<Recorded> = results.last().map_or(Ok(vec![]), |rows| parsed(rows))?;
    recorded.into_iter().next().ok_or_else(|| Fault::Permanent("the ledger gave no row for an intent".into()))
}

/// Records the transaction that pays a credit out, and gives the one that is in the ledger then.
///
/// `None`: the name is another credit's or debit's, so that the answer counts as unknown.
pub async fn named(
    database: &dyn Database,
    credit_id: CreditId,
    transaction_id: &TransactionId,
    at: Instant,
) -> Result<Option<TransactionId>, Fault> {
    let named = answer(credit_id, transaction_id.to_string(), at);
    let mut statements = answers(&[named], &[], &[])?;
    statements.push(statement(NAMED, &json!({ "credit_id": credit_id }))?);
    let results = batch(database, &statements).await?;
    let names: Vec<TransactionId> = results.last().map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok(names.into_iter().next())
}

/// Records that the outcome of the first call is not known.
pub async fn unknown(
    database: &dyn Database,
    credit_id: CreditId,
    detail: String,
    at: Instant,
) -> Result<(), Fault> {
    let statements = answers(&[], &[], &[answer(credit_id, detail, at)])?;
    batch(database, &statements).await.map(|_| ())
}

/// Records the refusal of the first call together with what follows from it: the credit is `failed`.
pub async fn refused(
    database: &dyn Database,
    settings: &Settings,
    mut of: Facts,
    refusal: &Refusal,
    at: Instant,
) -> Result<(), Fault> {
    let credit_id = of.id;
    let row = AnswerRow { code: refusal.code.clone(), ..answer(credit_id, refusal.message.clone(), at) };
    let observed = answers(&[], &[row], &[])?;
    of.observations.push(Observation {
        subject: credit_id.0,
        source: Source::Refusal,
        status: Status::Failure,
        code: Some(refusal.code.clone()).filter(|code| !code.is_empty()),
        at,
    });
    let (policy_id, policy) = policy_row(&settings.policy)?;
    for _ in 0..ATTEMPTS {
        let context = Context { as_of: at, zone: &settings.zone, policy: &settings.policy };
        let decision: Decision = decide(&of, Input::Refusal { subject: credit_id.0 }, &context);
        if decision.facts.is_empty() {
            return batch(database, &observed).await.map(|_| ());
        }
        let landings = [Landing { credit_id, decision, run_id: None, at, bodies: vec![] }];
        let mut statements = observed.clone();
        statements.push(policy.clone());
        statements.extend(landing(&landings, &policy_id)?);
        let results = batch(database, &statements).await?;
        if results.last().is_some_and(|landed| !landed.is_empty()) {
            return Ok(());
        }
        let Some(now) = facts(database, &[credit_id]).await?.into_iter().next() else { break };
        of = now;
    }
    Err(Fault::Transient(format!("credit {credit_id} kept changing while its refusal was decided")))
}

fn answer(credit_id: CreditId, text_of: String, at: Instant) -> AnswerRow {
    AnswerRow { subject: credit_id.0, credit_id, at: text(at), code: String::new(), text: text_of }
}

const CREDIT: &str = "
INSERT INTO credits (id, account_id, amount, fee, currency, installments, interval_days, body, created_at)
SELECT ?1 ->> '$.id', ?1 ->> '$.account_id', ?1 ->> '$.terms.amount', ?1 ->> '$.terms.fee', ?1 ->> '$.currency',
  ?1 ->> '$.terms.installments', ?1 ->> '$.terms.interval_days', ?1 ->> '$.body',
  max(?1 ->> '$.now', coalesce((SELECT max(as_of) FROM runs), ''))
WHERE EXISTS (
    SELECT 1 FROM api_keys k WHERE k.hash = ?1 ->> '$.key_hash'
      AND EXISTS (SELECT 1 FROM json_each(k.scopes) WHERE value = 'advance')
      AND NOT EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id))
  AND NOT EXISTS (SELECT 1 FROM requests WHERE idempotency_key = ?1 ->> '$.idempotency_key')
  AND NOT EXISTS (
    SELECT 1 FROM credits c CROSS JOIN holds h ON h.credit_id = c.id CROSS JOIN exceptions e ON e.id = h.exception_id
    WHERE c.account_id = ?1 ->> '$.account_id' AND e.kind = 'hard_return'
      AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id))
  AND coalesce((SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1), 'start') = 'start'
ON CONFLICT DO NOTHING";

const REQUEST: &str = "
INSERT INTO requests (idempotency_key, fingerprint, credit_id, api_key_id, request_id, created_at)
SELECT ?1 ->> '$.idempotency_key', ?1 ->> '$.fingerprint', c.id, k.id, ?1 ->> '$.request_id', c.created_at
FROM credits c JOIN api_keys k ON k.hash = ?1 ->> '$.key_hash'
WHERE c.id = ?1 ->> '$.id' ON CONFLICT DO NOTHING";

const RECORDED: &str = "
SELECT json_object(
  'key', json((
    SELECT json_object('id', k.id, 'label', k.label, 'scopes', json(k.scopes), 'revoked',
      json(iif(EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id), 'true', 'false')))
    FROM api_keys k WHERE k.hash = ?1 ->> '$.key_hash')),
  'request', json((
    SELECT json_object('fingerprint', r.fingerprint, 'request_id', r.request_id, 'credit_id', c.id,
      'account_id', c.account_id, 'currency', c.currency, 'terms', json_object('amount', c.amount, 'fee', c.fee,
        'installments', c.installments, 'interval_days', c.interval_days),
      'created_at', c.created_at,
      'transaction_id', (SELECT transaction_id FROM credit_transactions WHERE credit_id = c.id),
      'refusal', json((SELECT json_object('code', code, 'message', detail) FROM observations WHERE subject_id = c.id AND source = 'refusal' ORDER BY at LIMIT 1)))
    FROM requests r JOIN credits c ON c.id = r.credit_id WHERE r.idempotency_key = ?1 ->> '$.idempotency_key')),
  'is_account_held', json(iif(EXISTS (
    SELECT 1 FROM credits c CROSS JOIN holds h ON h.credit_id = c.id CROSS JOIN exceptions e ON e.id = h.exception_id
    WHERE c.account_id = ?1 ->> '$.account_id' AND e.kind = 'hard_return'
      AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id)),
    'true', 'false')),
  'is_stopped', json(iif(
    coalesce((SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1), 'start') = 'stop', 'true', 'false')))";

/// The transaction's name is not the credit's after all: it was another's before.
const NAMED: &str = "
SELECT json_quote(transaction_id) FROM credit_transactions WHERE credit_id = ?1 ->> '$.credit_id'";
