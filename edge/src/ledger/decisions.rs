//! Landing decisions: each inserts its row of `decisions` first, and all its facts only where that row
//! exists, so that a decision lands whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use paydown::calendar::FederalReserve;
use paydown::credit::{CreditStatus, DebitFacts, Facts, RefundFacts};
use paydown::date::{Instant, Zone, text};
use paydown::decision::{Decision, Effect, Fact, Input};
use paydown::id::{self, CreditId, ExceptionId, RunId};
use paydown::policy::Policy;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::asked::Asked;
use super::{all, batch, parsed, statement};
use crate::config::Settings;
use crate::error::Fault;
use crate::log;
use crate::ports::{Database, Statement};

/// A decision on its way into the ledger.
#[derive(Debug, Clone)]
pub struct Landing {
    /// The credit.
    pub credit_id: CreditId,
    /// What it was asked, and what it had seen.
    pub asked: Asked,
    /// What was decided.
    pub decision: Decision,
    /// The run that decided, if one did.
    pub run_id: Option<RunId>,
    /// When.
    pub at: Instant,
    /// The bodies of the calls for the debits and refunds it submits, by their ids.
    pub bodies: Vec<(Uuid, String)>,
    /// The status that the credit comes to by it, where an event tells of it.
    standing: Option<CreditStatus>,
}

impl Landing {
    /// What was decided at an instant on these facts, when this was asked.
    pub fn of(
        facts: &Facts,
        input: Input,
        decision: Decision,
        (run_id, at): (Option<RunId>, Instant),
        bodies: Vec<(Uuid, String)>,
    ) -> Landing {
        let (asked, standing) = (Asked::of(input, facts), decision.comes_to(facts, at));
        Landing { credit_id: facts.id, asked, decision, run_id, at, bodies, standing }
    }

    /// The decision's id, made from all that it says: two different decisions of one turn differ in it, and
    /// the turn lets only one land.
    pub(crate) fn id(&self) -> Result<Uuid, Fault> {
        let bucket = id::bucket_of(self.credit_id.0);
        let credit = self.credit_id.to_string();
        let content = serde_json::to_string(&(&self.decision, self.run_id, &self.bodies))?;
        Ok(id::from_cause(bucket, &["decision", &credit, &content]))
    }

    /// What the processor is asked for a debit or refund, which is stored with the intent.
    fn body_of(&self, subject: Uuid) -> Result<&str, Fault> {
        let stored = self.bodies.iter().find(|(of, _)| *of == subject);
        let body = stored.map(|(_, body)| body.as_str());
        body.ok_or_else(|| Fault::Permanent(format!("{subject} is to be submitted without a body")))
    }

    /// Leaves a line in the log: what changed on which credit, by which rule and in which run.
    pub(crate) fn tell(&self) {
        let facts: Vec<&str> = self.decision.facts.iter().map(Fact::name).collect();
        log::info(
            "decided",
            json!({
                "credit_id": self.credit_id, "run_id": self.run_id, "turn": self.decision.turn,
                "rule": self.decision.rule(self.credit_id), "facts": facts,
            }),
        );
    }
}

/// So many decisions that land at once have a line each in the log. Of more it says how many facts of which kind: the
/// ledger has each, and the platform keeps 256 KB of an invocation's lines (Cloudflare, Workers Logs).
const LINES: usize = 10;

/// Tells of the decisions that landed.
fn tell(landed: &[&Landing]) {
    if landed.len() <= LINES {
        return landed.iter().for_each(|landing| landing.tell());
    }
    let mut facts: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in landed.iter().flat_map(|landing| &landing.decision.facts) {
        let count = facts.entry(fact.name()).or_default();
        *count = count.saturating_add(1);
    }
    let run_id = landed.first().and_then(|landing| landing.run_id);
    log::info("decided", json!({ "run_id": run_id, "decisions": landed.len(), "facts": facts }));
}

/// The credits whose decision is in the ledger. One that is missing read a stale past, and is to be decided again.
#[derive(Debug, Default)]
pub struct Landed {
    all: BTreeSet<CreditId>,
    new: BTreeSet<CreditId>,
}

impl Landed {
    pub(crate) fn of(written: &[String], found: &[String]) -> Result<Landed, Fault> {
        Ok(Landed { new: parsed(written)?.into_iter().collect(), all: all(found)?.into_iter().collect() })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn contains(&self, credit_id: CreditId) -> bool {
        self.all.contains(&credit_id)
    }

    /// Whether this very batch wrote it: then nobody else has called the processor for what it submits. An invocation
    /// beside this one comes to the same decision, and finds it landed.
    pub(crate) fn is_new(&self, credit_id: CreditId) -> bool {
        self.new.contains(&credit_id)
    }
}

/// Lands the decisions as one transaction.
pub async fn land(database: &dyn Database, landings: &[Landing], policy_id: &str) -> Result<Landed, Fault> {
    if landings.is_empty() {
        return Ok(Landed::default());
    }
    let statements = landing(landings, policy_id)?;
    let results = batch(database, &statements).await?;
    let [written, .., found] = &results[..] else { return Ok(Landed::default()) };
    let landed = Landed::of(written, found)?;
    tell(&landings.iter().filter(|landing| landed.contains(landing.credit_id)).collect::<Vec<_>>());
    Ok(landed)
}

/// The statements that land the decisions. The rows of the first are the credits whose decision it wrote, as JSON texts, that of the
/// last all whose decision is there.
pub(crate) fn landing(landings: &[Landing], policy_id: &str) -> Result<Vec<Statement>, Fault> {
    statements(&Rows::of(landings, policy_id)?)
}

/// The same for a decision that an operator asked for under a key: it lands only while nothing was done under that key, so
/// that of two requests at once one is done.
pub(crate) fn landing_under(
    idempotency_key: &str,
    landing: &Landing,
    policy_id: &str,
) -> Result<Vec<Statement>, Fault> {
    let mut rows = Rows::of(std::slice::from_ref(landing), policy_id)?;
    rows.taken.idempotency_key = Some(idempotency_key);
    statements(&rows)
}

/// The same for what follows from a refusal that is recorded with it: it lands only while no other call was made, which
/// would leave the refusal proving nothing.
pub(crate) fn landing_refusal(landing: &Landing, policy_id: &str) -> Result<Vec<Statement>, Fault> {
    let mut rows = Rows::of(std::slice::from_ref(landing), policy_id)?;
    rows.taken.refused = Some(landing.credit_id);
    statements(&rows)
}

/// Each statement is given the rows of its own table alone: the database parses its parameter anew.
fn statements(rows: &Rows<'_>) -> Result<Vec<Statement>, Fault> {
    let mut statements = vec![statement(DECISIONS, &rows.taken)?];
    add(&mut statements, &[DEBITS], &rows.debits)?;
    add(&mut statements, &[CANCELLATIONS], &rows.cancellations)?;
    add(&mut statements, &[WORDS], &rows.words)?;
    add(&mut statements, &[TIMEOUTS], &rows.timeouts)?;
    add(&mut statements, &[PROCESSED], &rows.processed)?;
    add(&mut statements, &[EXCEPTIONS], &rows.exceptions)?;
    add(&mut statements, &[HOLDS], &rows.holds)?;
    add(&mut statements, &[RELEASES], &rows.releases)?;
    add(&mut statements, &[RESOLUTIONS], &rows.resolutions)?;
    add(&mut statements, &[DECIDED], &rows.decided)?;
    add(&mut statements, &[ATTACHED_CREDIT, ATTACHED_REFUND, ATTACHED_DEBIT], &rows.attached)?;
    add(&mut statements, &[EXTERNAL_PAYMENTS], &rows.external_payments)?;
    add(&mut statements, &[REVOCATIONS], &rows.revocations)?;
    add(&mut statements, &[REFUNDS], &rows.refunds)?;
    add(&mut statements, &[WRITE_OFFS], &rows.write_offs)?;
    // Behind all that brought it about, as the events are to tell it.
    add(&mut statements, &[STANDINGS], &rows.standings)?;
    add(&mut statements, &[ACCOUNT_DECISIONS, ACCOUNT_HOLDS, ACCOUNT_STANDINGS], &rows.account_holds)?;
    statements.push(statement(LANDED, &rows.taken.decisions.iter().map(|d| d.id).collect::<Vec<_>>())?);
    Ok(statements)
}

/// A parameter's most bytes but for its last row. D1 takes two million in one value (Cloudflare, D1 limits).
const PARAMETER_BYTES: usize = 1_500_000;

/// Adds the statements that write some rows, if there are any: more than once where they are too many for a parameter.
fn add(statements: &mut Vec<Statement>, sql: &[&'static str], rows: &[impl Serialize]) -> Result<(), Fault> {
    let mut parameters: Vec<String> = Vec::new();
    for row in rows {
        let row = serde_json::to_string(row)?;
        match parameters.last_mut().filter(|parameter| parameter.len() < PARAMETER_BYTES) {
            Some(parameter) => {
                parameter.push(',');
                parameter.push_str(&row);
            }
            None => parameters.push(format!("[{row}")),
        }
    }
    for mut parameter in parameters {
        parameter.push(']');
        statements.extend(sql.iter().map(|sql| Statement { sql, parameter: parameter.clone() }));
    }
    Ok(())
}

/// A slice's new facts by table.
#[derive(Default)]
struct Rows<'a> {
    taken: Taken<'a>,
    debits: Vec<DebitRow<'a>>,
    cancellations: Vec<Row<'a>>,
    words: Vec<Row<'a>>,
    timeouts: Vec<Row<'a>>,
    processed: Vec<ProcessedRow<'a>>,
    refunds: Vec<RefundRow<'a>>,
    exceptions: Vec<Row<'a>>,
    holds: Vec<Row<'a>>,
    releases: Vec<Row<'a>>,
    resolutions: Vec<Row<'a>>,
    decided: Vec<Row<'a>>,
    attached: Vec<Row<'a>>,
    external_payments: Vec<Row<'a>>,
    revocations: Vec<Row<'a>>,
    write_offs: Vec<Row<'a>>,
    standings: Vec<Standing>,
    account_holds: Vec<AccountHold>,
}

/// The decisions, and what they land under besides their turns.
#[derive(Default, Serialize)]
struct Taken<'a> {
    /// The key under which an operator asked for the one decision.
    idempotency_key: Option<&'a str>,
    /// The credit whose first call was refused.
    refused: Option<CreditId>,
    decisions: Vec<DecisionRow<'a>>,
}

#[derive(Serialize)]
struct DecisionRow<'a> {
    id: Uuid,
    credit_id: CreditId,
    turn: u32,
    rule: &'a str,
    policy_id: &'a str,
    run_id: Option<RunId>,
    at: String,
    submits: bool,
    asked: &'a Asked,
}

#[derive(Serialize)]
struct DebitRow<'a> {
    decision_id: Uuid,
    credit_id: CreditId,
    debit: &'a DebitFacts,
}

#[derive(Serialize)]
struct ProcessedRow<'a> {
    decision_id: Uuid,
    credit_id: CreditId,
    debit_id: Uuid,
    at: String,
    body: &'a str,
}

#[derive(Serialize)]
struct RefundRow<'a> {
    decision_id: Uuid,
    credit_id: CreditId,
    refund: &'a RefundFacts,
    at: String,
    body: &'a str,
}

/// A fact that is written as core says it.
#[derive(Serialize)]
struct Row<'a> {
    decision_id: Uuid,
    credit_id: CreditId,
    run_id: Option<RunId>,
    turn: u32,
    at: String,
    fact: &'a Fact,
}

#[derive(Serialize)]
struct Standing {
    decision_id: Uuid,
    credit_id: CreditId,
    turn: u32,
    status: CreditStatus,
}

#[derive(Serialize)]
struct AccountHold {
    decision_id: Uuid,
    exception_id: ExceptionId,
}

impl<'a> Rows<'a> {
    fn of(landings: &'a [Landing], policy_id: &'a str) -> Result<Rows<'a>, Fault> {
        let mut rows = Rows::default();
        for landing in landings {
            rows.add(landing, policy_id)?;
        }
        Ok(rows)
    }

    fn add(&mut self, landing: &'a Landing, policy_id: &'a str) -> Result<(), Fault> {
        let decision_id = landing.id()?;
        let (credit_id, run_id, turn) = (landing.credit_id, landing.run_id, landing.decision.turn);
        let at = text(landing.at);
        for fact in &landing.decision.facts {
            let row = Row { decision_id, credit_id, run_id, turn, at: at.clone(), fact };
            match fact {
                Fact::Word(_) => self.words.push(row),
                Fact::TimedOut { .. } => self.timeouts.push(row),
                Fact::Debit(debit) => self.debits.push(DebitRow { decision_id, credit_id, debit }),
                Fact::Cancelled { .. } => self.cancellations.push(row),
                Fact::Held(_) => self.holds.push(row),
                Fact::Released { .. } => self.releases.push(row),
                Fact::Opened { .. } => self.exceptions.push(row),
                Fact::Closed { .. } => self.resolutions.push(row),
                Fact::Decided { .. } => self.decided.push(row),
                Fact::Attached { .. } => self.attached.push(row),
                Fact::ExternalPayment(_) => self.external_payments.push(row),
                Fact::Revoked { .. } => self.revocations.push(row),
                Fact::WrittenOff => self.write_offs.push(row),
                Fact::Processed { debit_id } => self.processed.push(ProcessedRow {
                    decision_id,
                    credit_id,
                    debit_id: debit_id.0,
                    at: at.clone(),
                    body: landing.body_of(debit_id.0)?,
                }),
                Fact::Refund(refund) => self.refunds.push(RefundRow {
                    decision_id,
                    credit_id,
                    refund,
                    at: at.clone(),
                    body: landing.body_of(refund.id.0)?,
                }),
            }
        }
        for effect in &landing.decision.effects {
            if let Effect::HoldAccount { exception_id } = effect {
                self.account_holds.push(AccountHold { decision_id, exception_id: *exception_id });
            }
        }
        let standing = landing.standing.map(|status| Standing { decision_id, credit_id, turn, status });
        self.standings.extend(standing);
        let submits = !landing.bodies.is_empty();
        let rule = landing.decision.rule(credit_id);
        self.taken.decisions.push(DecisionRow {
            id: decision_id,
            credit_id,
            turn,
            rule,
            policy_id,
            run_id,
            at,
            submits,
            asked: &landing.asked,
        });
        Ok(())
    }
}

/// The policy that decisions name, by the hash of its text: the limits and the roll, with the calendar and the zone by
/// which dates were counted (L9). The zone's offsets are there too, so that no later time zone database changes the past.
pub fn policy_row(settings: &Settings) -> Result<(String, Statement), Fault> {
    let policy = serde_json::to_string(&InForce {
        policy: &settings.policy,
        calendar: FederalReserve::NAME,
        business_time_zone: &settings.business_time_zone,
        offsets: &settings.zone,
    })?;
    let id = id::from_cause(0, &["policy", &policy]).to_string();
    let row = statement(POLICY, &serde_json::json!({ "id": id, "policy": policy }))?;
    Ok((id, row))
}

/// What decides besides the facts.
#[derive(Serialize)]
struct InForce<'a> {
    #[serde(flatten)]
    policy: &'a Policy,
    calendar: &'a str,
    business_time_zone: &'a str,
    offsets: &'a Zone,
}

const POLICY: &str = "
INSERT INTO policies (id, policy) SELECT ?1 ->> '$.id', ?1 ->> '$.policy' WHERE true ON CONFLICT DO NOTHING";

/// A run that ended or counts its figures decides nothing more, and while a stop is in force no intent to submit is written. What was asked for
/// under an idempotency key that was used is not done again.
const DECISIONS: &str = "
INSERT INTO decisions (id, credit_id, turn, rule, policy_id, run_id, at, input)
SELECT value ->> '$.id', value ->> '$.credit_id', value ->> '$.turn', value ->> '$.rule', value ->> '$.policy_id',
  value ->> '$.run_id', value ->> '$.at', value -> '$.asked'
FROM json_each(?1, '$.decisions')
WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = value ->> '$.run_id')
  AND NOT EXISTS (SELECT 1 FROM run_stages WHERE run_id = value ->> '$.run_id' AND stage = 'figures')
  AND (value ->> '$.submits' = 0
    OR coalesce((SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1), 'start') = 'start')
  AND NOT EXISTS (SELECT 1 FROM operations WHERE idempotency_key = ?1 ->> '$.idempotency_key')
  AND NOT EXISTS (SELECT 1 FROM requests WHERE idempotency_key = ?1 ->> '$.idempotency_key')
  AND NOT EXISTS (SELECT 1 FROM later_calls WHERE subject_id = ?1 ->> '$.refused')
ON CONFLICT DO NOTHING RETURNING json_quote(credit_id)";

const DEBITS: &str = "
INSERT INTO debits (id, credit_id, sequence, amount, due_date, unrolled_due_date, reason, replaces, decision_id)
SELECT value ->> '$.debit.id', value ->> '$.credit_id', value ->> '$.debit.sequence', value ->> '$.debit.amount',
  value ->> '$.debit.due_date', value ->> '$.debit.unrolled_due_date', value ->> '$.debit.reason',
  value ->> '$.debit.replaces', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const CANCELLATIONS: &str = "
INSERT INTO cancellations (debit_id, credit_id, because, decision_id)
SELECT value ->> '$.fact.debit_id', value ->> '$.credit_id', value ->> '$.fact.because', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const WORDS: &str = "
INSERT INTO words (subject_id, turn, credit_id, outcome, code, at, decision_id)
SELECT value ->> '$.fact.subject', value ->> '$.turn', value ->> '$.credit_id', value ->> '$.fact.outcome',
  value ->> '$.fact.code', value ->> '$.fact.at', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const TIMEOUTS: &str = "
INSERT INTO timeouts (subject_id, credit_id, decision_id)
SELECT value ->> '$.fact.subject', value ->> '$.credit_id', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const PROCESSED: &str = "
INSERT INTO processed_debits (debit_id, credit_id, body, at, decision_id)
SELECT value ->> '$.debit_id', value ->> '$.credit_id', value ->> '$.body', value ->> '$.at', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const EXCEPTIONS: &str = "
INSERT INTO exceptions (id, kind, subject, credit_id, run_id, detail, opened_at, decision_id)
SELECT value ->> '$.fact.id', value ->> '$.fact.kind', iif(value ->> '$.fact.kind' = 'two_strikes',
    (SELECT account_id FROM credits WHERE id = value ->> '$.credit_id'), value ->> '$.fact.subject'),
  value ->> '$.credit_id', value ->> '$.run_id', value ->> '$.fact.detail', value ->> '$.at', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const HOLDS: &str = "
INSERT INTO holds (credit_id, exception_id, decision_id)
SELECT value ->> '$.credit_id', value ->> '$.fact.exception_id', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const RELEASES: &str = "
INSERT INTO releases (credit_id, exception_id, decision_id)
SELECT value ->> '$.credit_id', value ->> '$.fact.exception_id', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const RESOLUTIONS: &str = "
INSERT INTO resolutions (exception_id, action, actor, note, resolved_at, decision_id)
SELECT value ->> '$.fact.id', 'closed', 'paydown', 'its cause is gone', value ->> '$.at', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const DECIDED: &str = "
INSERT INTO observations (transaction_id, subject_id, at, status, code, source, run_id, detail)
SELECT '', value ->> '$.fact.subject', value ->> '$.at', value ->> '$.fact.status',
  coalesce(value ->> '$.fact.code', ''), 'decision', NULL, ''
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const REFUNDS: &str = "
INSERT INTO refunds (id, credit_id, amount, body, at, decision_id)
SELECT value ->> '$.refund.id', value ->> '$.credit_id', value ->> '$.refund.amount', value ->> '$.body',
  value ->> '$.at', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const ATTACHED_CREDIT: &str = "
INSERT INTO credit_transactions (credit_id, transaction_id, at)
SELECT value ->> '$.credit_id', value ->> '$.fact.transaction_id', value ->> '$.at'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
  AND value ->> '$.fact.subject' = value ->> '$.credit_id'
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.fact.transaction_id')
ON CONFLICT DO NOTHING";

const ATTACHED_REFUND: &str = "
INSERT INTO refund_transactions (refund_id, credit_id, transaction_id, at)
SELECT value ->> '$.fact.subject', value ->> '$.credit_id', value ->> '$.fact.transaction_id', value ->> '$.at'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
  AND EXISTS (SELECT 1 FROM refunds WHERE id = value ->> '$.fact.subject')
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.fact.transaction_id')
ON CONFLICT DO NOTHING";

const ATTACHED_DEBIT: &str = "
INSERT INTO debit_transactions (debit_id, credit_id, transaction_id, at)
SELECT value ->> '$.fact.subject', value ->> '$.credit_id', value ->> '$.fact.transaction_id', value ->> '$.at'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
  AND EXISTS (SELECT 1 FROM debits WHERE id = value ->> '$.fact.subject')
  AND NOT EXISTS (SELECT 1 FROM transactions WHERE transaction_id = value ->> '$.fact.transaction_id')
ON CONFLICT DO NOTHING";

const EXTERNAL_PAYMENTS: &str = "
INSERT INTO external_payments (id, credit_id, amount, received_on, decision_id)
SELECT value ->> '$.fact.id', value ->> '$.credit_id', value ->> '$.fact.amount', value ->> '$.fact.received_on',
  value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const REVOCATIONS: &str = "
INSERT INTO external_payment_revocations (payment_id, decision_id)
SELECT value ->> '$.fact.payment_id', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const WRITE_OFFS: &str = "
INSERT INTO write_offs (credit_id, decision_id)
SELECT value ->> '$.credit_id', value ->> '$.decision_id'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

const STANDINGS: &str = "
INSERT INTO standings (credit_id, turn, status)
SELECT value ->> '$.credit_id', value ->> '$.turn', value ->> '$.status'
FROM json_each(?1) WHERE EXISTS (SELECT 1 FROM decisions WHERE id = value ->> '$.decision_id')
ON CONFLICT DO NOTHING";

/// A decision of its own for every other credit of the account, so that whoever decides on one of them at the
/// same time reads a stale past. Its id is the first half of the cause's and the second half of the credit's.
const ACCOUNT_DECISIONS: &str = "
INSERT INTO decisions (id, credit_id, turn, rule, policy_id, run_id, at, input)
SELECT substr(cause.id, 1, 19) || substr(held.credit_id, 20), held.credit_id,
  coalesce((SELECT max(turn) + 1 FROM decisions WHERE credit_id = held.credit_id), 0)
    + row_number() OVER (PARTITION BY held.credit_id ORDER BY cause.id) - 1,
  (SELECT iif(kind = 'two_strikes', 'L8', 'L7') FROM exceptions WHERE id = held.exception_id),
  cause.policy_id, cause.run_id, cause.at, json_object('input', 'held_by_account', 'decision_id', cause.id)
FROM (
  SELECT cause.id AS cause_id, other.id AS credit_id, min(value ->> '$.exception_id') AS exception_id
  FROM json_each(?1)
  CROSS JOIN decisions cause ON cause.id = value ->> '$.decision_id'
  CROSS JOIN credits own ON own.id = cause.credit_id
  CROSS JOIN credits other ON other.account_id = own.account_id AND other.id <> own.id
  WHERE NOT EXISTS (SELECT 1 FROM holds WHERE credit_id = other.id AND exception_id = value ->> '$.exception_id')
  GROUP BY cause.id, other.id) AS held
CROSS JOIN decisions cause ON cause.id = held.cause_id
WHERE true ON CONFLICT DO NOTHING";

const ACCOUNT_HOLDS: &str = "
INSERT INTO holds (credit_id, exception_id, decision_id)
SELECT other.id, value ->> '$.exception_id', substr(cause.id, 1, 19) || substr(other.id, 20)
FROM json_each(?1)
CROSS JOIN decisions cause ON cause.id = value ->> '$.decision_id'
CROSS JOIN credits own ON own.id = cause.credit_id
CROSS JOIN credits other ON other.account_id = own.account_id AND other.id <> own.id
WHERE true ON CONFLICT DO NOTHING";

/// The other credits of the account that become `held`: the one place where a status is worked out here and not by core,
/// because nobody reads those credits; a replay holds it against core. They were confirmed, neither given up nor repaid, and
/// nothing held them before. One on which was decided since is told of by that decision.
const ACCOUNT_STANDINGS: &str = "
INSERT INTO standings (credit_id, turn, status)
SELECT c.id, held.first, 'held'
FROM (
  SELECT other.id AS credit_id, min(own.turn) AS first, max(own.turn) AS last
  FROM json_each(?1)
  CROSS JOIN decisions cause ON cause.id = value ->> '$.decision_id'
  CROSS JOIN credits of_cause ON of_cause.id = cause.credit_id
  CROSS JOIN credits other ON other.account_id = of_cause.account_id AND other.id <> of_cause.id
  CROSS JOIN decisions own ON own.id = substr(cause.id, 1, 19) || substr(other.id, 20)
  GROUP BY other.id) AS held
CROSS JOIN credits c ON c.id = held.credit_id
WHERE (SELECT outcome FROM words WHERE subject_id = c.id ORDER BY turn DESC LIMIT 1) IN ('success', 'recovered')
  AND NOT EXISTS (SELECT 1 FROM write_offs WHERE credit_id = c.id)
  AND NOT EXISTS (SELECT 1 FROM decisions WHERE credit_id = c.id AND turn > held.last)
  AND NOT EXISTS (
    SELECT 1 FROM holds h CROSS JOIN decisions earlier ON earlier.id = h.decision_id
    WHERE h.credit_id = c.id AND earlier.turn < held.first
      AND NOT EXISTS (SELECT 1 FROM releases WHERE credit_id = h.credit_id AND exception_id = h.exception_id))
  AND c.amount + c.fee > (
      SELECT coalesce(sum(d.amount), 0) FROM debits d WHERE d.credit_id = c.id
        AND (SELECT outcome FROM words WHERE subject_id = d.id ORDER BY turn DESC LIMIT 1) IN ('success', 'recovered'))
    + (SELECT coalesce(sum(p.amount), 0) FROM external_payments p WHERE p.credit_id = c.id
        AND NOT EXISTS (SELECT 1 FROM external_payment_revocations WHERE payment_id = p.id))
    - (SELECT coalesce(sum(r.amount), 0) FROM refunds r WHERE r.credit_id = c.id
        AND coalesce((SELECT outcome FROM words WHERE subject_id = r.id ORDER BY turn DESC LIMIT 1), 'success')
          IN ('success', 'recovered'))
ON CONFLICT DO NOTHING";

const LANDED: &str = "
SELECT json_group_array(credit_id) FROM decisions WHERE id IN (SELECT value FROM json_each(?1))";
