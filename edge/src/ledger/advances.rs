//! `perform_advance` in the ledger: the intent with authentication and idempotency as one batch, and the outcome.

use paydown::api::Credit;
use paydown::credit::Facts;
use paydown::date::{BusinessDate, Instant, text};
use paydown::decision::{Decision, Input, decide};
use paydown::id::{CreditId, TransactionId};
use paydown::money;
use paydown::observation::{Observation, Source, Status};
use paydown::plan::Terms;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::calls::{AnswerRow, CREDIT_NAMED, TAKEN, answers};
use super::decisions::{Landed, Landing, landing_refusal, policy_row};
use super::exceptions::{NewException, opened};
use super::facts::{facts, facts_of_accounts};
use super::keys::Key;
use super::{batch, parsed, statement};
use crate::config::Settings;
use crate::error::Fault;
use crate::message::Intent;
use crate::ports::{Database, Statement};

/// How often a refused credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// An intent with what its recording depends on.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// What was asked for.
    pub intent: &'a Intent,
    /// Who asks.
    pub asker: Asker<'a>,
    /// The room that its account has.
    pub room: Room,
}

/// Who asks for an advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker<'a> {
    /// Who presents a key with this hash; whether it allows an advance is checked in the batch.
    Presents(&'a str),
    /// Whose key allowed it when the request was taken into the queue.
    Accepted(Uuid),
}

/// The room that `MAX_PER_ACCOUNT` leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// There is no such limit.
    Unlimited,
    /// Enough, if the account still has so many credits when this one is recorded.
    WithCredits(usize),
    /// Not enough.
    Over,
}

/// What stands in the ledger of an intent.
#[derive(Debug, Clone, Deserialize)]
pub struct Recorded {
    /// The API key that was presented, if it is known.
    pub key: Option<Key>,
    /// The request that used the idempotency key first: this one or an earlier one.
    request: Option<Request>,
    /// What an operator acted on under the idempotency key.
    acted_on: Option<CreditId>,
    /// Whether this very request was refused before.
    is_refused: bool,
    /// Whether a hard return holds a credit of the account.
    is_account_held: bool,
    /// Whether a stop is in force.
    is_stopped: bool,
    /// What was advanced on its date, if `MAX_PER_DAY` is set.
    advanced: Option<u64>,
}

/// What follows for an intent from what stands in the ledger, the first that applies.
#[derive(Debug, Clone)]
pub enum Standing {
    /// The idempotency key stands for this request: the intent's own, or another.
    Known(Box<Request>),
    /// The idempotency key stands for what an operator did to a credit.
    KeyUsed(CreditId),
    /// This very request was refused before.
    Refused,
    /// A hard return holds a credit of the account.
    AccountHeld,
    /// A stop is in force.
    Stopped,
    /// There is no room for it.
    LimitReached(Limit),
    /// Nothing forbids it.
    Free,
}

/// A limit of the installation that an advance would go beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `MAX_PER_ACCOUNT`.
    Account(u64),
    /// `MAX_PER_DAY`.
    Day(u64),
}

impl Limit {
    /// What would be too much, for a person.
    pub fn text(self, currency: &str) -> String {
        let amount = |max: u64| money::text(i128::from(max), currency);
        match self {
            Limit::Account(max) => format!("the account would owe more than {}", amount(max)),
            Limit::Day(max) => {
                format!("more than {} would be advanced in all on this business date", amount(max))
            }
        }
    }
}

impl Recorded {
    /// What follows for the intent.
    pub fn standing(self, proposal: &Proposal<'_>, settings: &Settings) -> Standing {
        if let Some(request) = self.request {
            return Standing::Known(Box::new(request));
        }
        if let Some(credit_id) = self.acted_on {
            return Standing::KeyUsed(credit_id);
        }
        if self.is_refused {
            return Standing::Refused;
        }
        if self.is_account_held {
            return Standing::AccountHeld;
        }
        if self.is_stopped {
            return Standing::Stopped;
        }
        if let (Room::Over, Some(max)) = (proposal.room, settings.max_per_account) {
            return Standing::LimitReached(Limit::Account(max));
        }
        let advanced = self.advanced.unwrap_or(0).saturating_add(proposal.intent.terms.amount.get());
        match settings.max_per_day {
            Some(max) if advanced > max => Standing::LimitReached(Limit::Day(max)),
            Some(_) | None => Standing::Free,
        }
    }
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
            transaction_id: self.transaction_id.clone(),
            ..Facts::asked_for(self.credit_id, &self.account_id, &self.currency, self.terms, self.created_at)
        }
    }
}

impl Intent {
    /// The facts of the credit that it makes.
    pub fn first_facts(&self) -> Facts {
        Facts::asked_for(self.id, &self.account_id, &self.currency, self.terms, self.asked_at)
    }
}

impl Room {
    /// The room that `max_per_account` leaves for an intent beside the credits in the ledger and the intents that are
    /// to be recorded before it.
    pub fn of(max_per_account: Option<u64>, intent: &Intent, credits: &[Facts], before: &[&Intent]) -> Room {
        let Some(max) = max_per_account else { return Room::Unlimited };
        let own = credits.iter().filter(|facts| facts.account_id == intent.account_id);
        let earlier = before.iter().filter(|other| other.account_id == intent.account_id);
        let count = own.clone().count().saturating_add(earlier.clone().count());
        let outstanding = own.map(|facts| Credit::of(facts).outstanding.signed());
        let owed = outstanding.chain(earlier.map(|other| other.terms.total()));
        let owed = owed.fold(intent.terms.total(), i128::saturating_add);
        if owed > i128::from(max) { Room::Over } else { Room::WithCredits(count) }
    }
}

/// What stands in the ledger of each intent, and the credits of their accounts if `MAX_PER_ACCOUNT` is set. Records
/// nothing.
pub async fn look(
    database: &dyn Database,
    settings: &Settings,
    proposals: &[Proposal<'_>],
) -> Result<(Vec<Recorded>, Vec<Facts>), Fault> {
    let rows: Vec<Row<'_>> = proposals.iter().map(|proposal| Row::of(proposal, settings)).collect();
    let mut statements = vec![statement(RECORDED, &rows)?];
    if settings.max_per_account.is_some() {
        let mut accounts: Vec<&str> = proposals.iter().map(|p| p.intent.account_id.as_str()).collect();
        accounts.sort_unstable();
        accounts.dedup();
        statements.push(facts_of_accounts(&accounts)?);
    }
    let results = batch(database, &statements).await?;
    let recorded = results.first().map_or(Ok(vec![]), |rows| parsed(rows))?;
    let credits = results.get(1).map_or(Ok(vec![]), |rows| parsed(rows))?;
    Ok((recorded, credits))
}

/// Records each intent, in order and in one batch, where its key allows it, the idempotency key is unused, neither a
/// hold of the account nor a stop forbids it, and the limits leave room; reads back what stands of each.
pub async fn record(
    database: &dyn Database,
    settings: &Settings,
    proposals: &[Proposal<'_>],
) -> Result<Vec<Recorded>, Fault> {
    let rows: Vec<Row<'_>> = proposals.iter().map(|proposal| Row::of(proposal, settings)).collect();
    let mut statements = recording(settings, &rows)?;
    statements.push(statement(RECORDED, &rows)?);
    let results = batch(database, &statements).await?;
    let recorded: Vec<Recorded> = results.last().map_or(Ok(vec![]), |rows| parsed(rows))?;
    if recorded.len() == proposals.len() {
        Ok(recorded)
    } else {
        Err(Fault::Permanent("the ledger gave no row for an intent".into()))
    }
}

/// Records one intent as `record` does, and gives the request if this made it. Otherwise `look` says why not: what stands in
/// its way is read only where something does.
pub async fn record_new(
    database: &dyn Database,
    settings: &Settings,
    proposal: &Proposal<'_>,
) -> Result<Option<Request>, Fault> {
    let statements = recording(settings, &[Row::of(proposal, settings)])?;
    let results = batch(database, &statements).await?;
    let created: Vec<Instant> = results.get(1).map_or(Ok(vec![]), |rows| parsed(rows))?;
    let intent = proposal.intent;
    Ok(created.first().map(|created_at| Request {
        fingerprint: intent.fingerprint.clone(),
        request_id: intent.request_id.clone(),
        credit_id: intent.id,
        account_id: intent.account_id.clone(),
        currency: intent.currency.clone(),
        terms: intent.terms,
        created_at: *created_at,
        transaction_id: None,
        refusal: None,
    }))
}

/// The statements that record intents, the first set's credits and requests before all others.
fn recording(settings: &Settings, rows: &[Row<'_>]) -> Result<Vec<Statement>, Fault> {
    // Under a limit each counts what those before it took; without one, all are one set.
    let is_limited = settings.max_per_account.is_some() || settings.max_per_day.is_some();
    let mut statements = Vec::new();
    for set in rows.chunks(if is_limited { 1 } else { rows.len().max(1) }) {
        statements.push(statement(CREDITS, &set)?);
        statements.push(statement(REQUESTS, &set)?);
        if settings.max_per_day.is_some() {
            statements.push(statement(ADVANCED, &set)?);
        }
    }
    Ok(statements)
}

/// A proposal as the statements read it.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    intent: &'a Intent,
    now: String,
    key_hash: Option<&'a str>,
    api_key_id: Option<Uuid>,
    max_per_day: Option<u64>,
    business_date: Option<BusinessDate>,
    day_start: Option<String>,
    /// How many credits the account must have; there are never -1.
    credits: Option<i64>,
}

impl<'a> Row<'a> {
    fn of(proposal: &Proposal<'a>, settings: &Settings) -> Row<'a> {
        let intent = proposal.intent;
        let (key_hash, api_key_id) = match proposal.asker {
            Asker::Presents(hash) => (Some(hash), None),
            Asker::Accepted(id) => (None, Some(id)),
        };
        let date = settings.max_per_day.map(|_| settings.zone.business_date(intent.asked_at));
        Row {
            intent,
            now: text(intent.asked_at),
            key_hash,
            api_key_id,
            max_per_day: settings.max_per_day,
            business_date: date,
            day_start: date.map(|date| text(settings.zone.start_of(date))),
            credits: match proposal.room {
                Room::Unlimited => None,
                Room::WithCredits(seen) => i64::try_from(seen).ok(),
                Room::Over => Some(-1),
            },
        }
    }
}

/// A request that was answered from the queue and may not be recorded after all.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedRow {
    /// The request.
    pub request_id: String,
    /// Its idempotency key.
    pub idempotency_key: String,
    /// The credit that was answered.
    pub credit_id: CreditId,
    /// Why, for people.
    pub why: String,
    /// The whole message, so that nothing of it is lost.
    pub message: String,
    /// When, as sortable text.
    pub at: String,
}

/// Keeps what may not be recorded, each with its exception.
pub async fn refuse(
    database: &dyn Database,
    refused: &[RefusedRow],
    exceptions: &[NewException],
) -> Result<(), Fault> {
    let statements = [statement(REFUSED, &refused)?, opened(exceptions)?];
    batch(database, &statements).await.map(|_| ())
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
    let named = [answer(credit_id, transaction_id.to_string(), at)];
    let results = batch(database, &[statement(CREDIT_NAMED, &named)?]).await?;
    let names: Vec<TransactionId> = results.first().map_or(Ok(vec![]), |rows| parsed(rows))?;
    if let Some(name) = names.into_iter().next() {
        return Ok(Some(name));
    }
    // It has a name already, or the name is another's.
    let statements = [statement(TAKEN, &named)?, statement(NAMED, &json!({ "credit_id": credit_id }))?];
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

/// Records the refusal of the first call together with what follows from it: the credit is `failed`. False when it proves
/// nothing, because another invocation called meanwhile.
pub async fn refused(
    database: &dyn Database,
    settings: &Settings,
    mut of: Facts,
    refusal: &Refusal,
    at: Instant,
) -> Result<bool, Fault> {
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
    let (policy_id, policy) = policy_row(settings)?;
    for _ in 0..ATTEMPTS {
        let context = settings.context(at);
        let input = Input::Refusal { subject: credit_id.0 };
        let decision: Decision = decide(&of, input.clone(), &context);
        if decision.facts.is_empty() {
            return Ok(true);
        }
        let landing = Landing::of(&of, input, decision, (None, at), vec![]);
        let mut statements = observed.clone();
        statements.push(policy.clone());
        statements.extend(landing_refusal(&landing, &policy_id)?);
        let results = batch(database, &statements).await?;
        let landed = results.last().map_or(Ok(Landed::default()), |found| Landed::of(&[], found))?;
        if !landed.is_empty() {
            return Ok(true);
        }
        let Some(now) = facts(database, &[credit_id]).await?.into_iter().next() else { break };
        if !now.observations.iter().any(|o| o.subject == credit_id.0 && o.source == Source::Refusal) {
            return Ok(false);
        }
        of = now;
    }
    Err(Fault::Transient(format!("credit {credit_id} kept changing while its refusal was decided")))
}

fn answer(credit_id: CreditId, text_of: String, at: Instant) -> AnswerRow {
    AnswerRow { subject: credit_id.0, credit_id, at: text(at), code: String::new(), text: text_of }
}

/// The API key that an intent presents, if it allows an advance. Whose request was accepted presents none.
macro_rules! may {
    () => {
        "(intent.value ->> '$.api_key_id' IS NOT NULL OR EXISTS (
    SELECT 1 FROM api_keys k WHERE k.hash = intent.value ->> '$.key_hash'
      AND EXISTS (SELECT 1 FROM json_each(k.scopes) AS scope WHERE scope.value = 'advance')
      AND NOT EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id)))"
    };
}

/// Whether a hard return holds a credit of an intent's account.
macro_rules! held {
    () => {
        "EXISTS (
    SELECT 1 FROM credits c CROSS JOIN holds h ON h.credit_id = c.id CROSS JOIN exceptions e ON e.id = h.exception_id
    WHERE c.account_id = intent.value ->> '$.account_id' AND e.kind = 'hard_return'
      AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id))"
    };
}

/// What was advanced on an intent's date before it. The day's first sums up what came before the limit was set.
macro_rules! advanced {
    () => {
        "coalesce(
    (SELECT total FROM advanced WHERE business_date = intent.value ->> '$.business_date' ORDER BY number DESC LIMIT 1),
    (SELECT sum(amount) FROM credits
     WHERE created_at >= intent.value ->> '$.day_start' AND id <> intent.value ->> '$.id'), 0)"
    };
}

const CREDITS: &str = concat!(
    "
INSERT INTO credits (id, account_id, amount, fee, currency, installments, interval_days, body, created_at)
SELECT intent.value ->> '$.id', intent.value ->> '$.account_id', intent.value ->> '$.terms.amount',
  intent.value ->> '$.terms.fee', intent.value ->> '$.currency', intent.value ->> '$.terms.installments',
  intent.value ->> '$.terms.interval_days', intent.value ->> '$.body',
  max(intent.value ->> '$.now', coalesce((SELECT max(as_of) FROM runs), ''))
FROM json_each(?1) AS intent
WHERE ",
    may!(),
    "
  AND NOT EXISTS (SELECT 1 FROM requests WHERE idempotency_key = intent.value ->> '$.idempotency_key')
  AND NOT EXISTS (SELECT 1 FROM operations WHERE idempotency_key = intent.value ->> '$.idempotency_key')
  AND NOT EXISTS (SELECT 1 FROM refused_requests WHERE request_id = intent.value ->> '$.request_id')
  AND NOT ",
    held!(),
    "
  AND coalesce((SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1), 'start') = 'start'
  AND (intent.value ->> '$.credits' IS NULL OR intent.value ->> '$.credits' = (
    SELECT count(*) FROM credits WHERE account_id = intent.value ->> '$.account_id'))
  AND (intent.value ->> '$.max_per_day' IS NULL OR ",
    advanced!(),
    " + (intent.value ->> '$.terms.amount') <= intent.value ->> '$.max_per_day')
ON CONFLICT DO NOTHING"
);

const REQUESTS: &str = "
INSERT INTO requests (idempotency_key, fingerprint, credit_id, api_key_id, request_id, created_at)
SELECT intent.value ->> '$.idempotency_key', intent.value ->> '$.fingerprint', c.id,
  coalesce(intent.value ->> '$.api_key_id', (SELECT id FROM api_keys WHERE hash = intent.value ->> '$.key_hash')),
  intent.value ->> '$.request_id', c.created_at
FROM json_each(?1) AS intent CROSS JOIN credits c ON c.id = intent.value ->> '$.id' WHERE true ON CONFLICT DO NOTHING
RETURNING json_quote(created_at)";

const ADVANCED: &str = concat!(
    "
INSERT INTO advanced (business_date, number, credit_id, total)
SELECT intent.value ->> '$.business_date',
  coalesce((SELECT max(number) FROM advanced WHERE business_date = intent.value ->> '$.business_date'), 0) + 1, c.id, ",
    advanced!(),
    " + c.amount
FROM json_each(?1) AS intent CROSS JOIN credits c ON c.id = intent.value ->> '$.id'
WHERE NOT EXISTS (SELECT 1 FROM advanced WHERE credit_id = c.id) ON CONFLICT DO NOTHING"
);

const RECORDED: &str = concat!(
    "
SELECT json_object(
  'key', json((
    SELECT json_object('id', k.id, 'label', k.label, 'scopes', json(k.scopes),
      'last_used_on', (SELECT max(used_on) FROM api_key_uses WHERE api_key_id = k.id), 'revoked',
      json(iif(EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id), 'true', 'false')))
    FROM api_keys k WHERE k.hash = intent.value ->> '$.key_hash')),
  'request', json((
    SELECT json_object('fingerprint', r.fingerprint, 'request_id', r.request_id, 'credit_id', c.id,
      'account_id', c.account_id, 'currency', c.currency, 'terms', json_object('amount', c.amount, 'fee', c.fee,
        'installments', c.installments, 'interval_days', c.interval_days),
      'created_at', c.created_at,
      'transaction_id', (SELECT transaction_id FROM credit_transactions WHERE credit_id = c.id),
      'refusal', json((SELECT json_object('code', code, 'message', detail) FROM observations WHERE subject_id = c.id AND source = 'refusal' ORDER BY at LIMIT 1)))
    FROM requests r CROSS JOIN credits c ON c.id = r.credit_id
    WHERE r.idempotency_key = intent.value ->> '$.idempotency_key')),
  'acted_on', (SELECT credit_id FROM operations WHERE idempotency_key = intent.value ->> '$.idempotency_key'),
  'is_refused', json(iif(
    EXISTS (SELECT 1 FROM refused_requests WHERE request_id = intent.value ->> '$.request_id'), 'true', 'false')),
  'is_account_held', json(iif(",
    held!(),
    ", 'true', 'false')),
  'is_stopped', json(iif(
    coalesce((SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1), 'start') = 'stop', 'true', 'false')),
  'advanced', iif(intent.value ->> '$.max_per_day' IS NULL, NULL, ",
    advanced!(),
    "))
FROM json_each(?1) AS intent ORDER BY intent.key"
);

const REFUSED: &str = "
INSERT INTO refused_requests (request_id, idempotency_key, credit_id, why, message, at)
SELECT value ->> '$.request_id', value ->> '$.idempotency_key', value ->> '$.credit_id', value ->> '$.why',
  value ->> '$.message', value ->> '$.at'
FROM json_each(?1)
WHERE NOT EXISTS (
  SELECT 1 FROM requests WHERE idempotency_key = value ->> '$.idempotency_key' AND request_id = value ->> '$.request_id')
ON CONFLICT DO NOTHING";

/// The transaction's name is not the credit's after all: it was another's before.
const NAMED: &str = "
SELECT json_quote(transaction_id) FROM credit_transactions WHERE credit_id = ?1 ->> '$.credit_id'";
