//! The ledger's tables as a replay reads them: the inputs, and what is recorded under each decision.

use std::collections::BTreeMap;

use paydown::credit::{CreditStatus, Facts, Kind, UnknownAnswer};
use paydown::date::{Instant, Zone, text};
use paydown::decision::{Decision, Fact, Input};
use paydown::id::{CreditId, ExceptionId, TransactionId};
use paydown::money::Cents;
use paydown::observation::Observation;
use paydown::policy::Policy;
use paydown_edge::processor::{Direction, body};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::sqlite::Sqlite;

/// What a replay reads.
pub struct Tables {
    /// The credits as they were asked for, before any decision.
    pub credits: BTreeMap<CreditId, Facts>,
    /// Their decisions, by turn.
    pub decisions: BTreeMap<CreditId, Vec<Decided>>,
    pub policies: BTreeMap<String, InForce>,
    /// The account that each advance was paid from, and that its debits go to.
    funding: BTreeMap<CreditId, String>,
    /// The credits, processed debits and refunds that a report row may name by our own id.
    pub subjects: BTreeMap<Uuid, CreditId>,
    names: BTreeMap<Uuid, (TransactionId, Instant)>,
    unknown: BTreeMap<Uuid, Instant>,
    pub refusals: BTreeMap<Uuid, Vec<Observation>>,
    stated: BTreeMap<Uuid, Vec<Observation>>,
    pub exceptions: BTreeMap<ExceptionId, Exception>,
    pub closings: BTreeMap<ExceptionId, Closing>,
    /// The reports, by the instants of their runs.
    pub reports: Vec<Report>,
    /// When each run had taken its words.
    pub words_done: BTreeMap<Uuid, Instant>,
    facts: BTreeMap<Uuid, Vec<Value>>,
    standings: BTreeMap<(CreditId, u32), CreditStatus>,
    /// Since when events are told.
    told_since: Option<Instant>,
}

/// What decided besides the facts: the policy, and the zone by which dates were counted.
#[derive(Deserialize)]
pub struct InForce {
    #[serde(flatten)]
    pub policy: Policy,
    #[serde(default)]
    pub offsets: Zone,
}

/// A decision.
#[derive(Deserialize)]
pub struct Decided {
    pub id: Uuid,
    pub credit_id: CreditId,
    pub turn: u32,
    pub rule: String,
    pub policy_id: String,
    pub run_id: Option<Uuid>,
    pub at: Instant,
    /// What it was asked; none before that was recorded.
    pub input: Option<Value>,
}

/// An exception as far as its kind and subject go.
#[derive(Deserialize)]
pub struct Exception {
    pub kind: String,
    subject: String,
}

/// How an exception closed.
#[derive(Deserialize)]
pub struct Closing {
    pub action: String,
    pub at: Instant,
    pub decision_id: Option<Uuid>,
    credit_id: Option<CreditId>,
}

impl Closing {
    /// Whether no decision of the credit itself closed it.
    pub fn is_from_outside(&self, credit: CreditId) -> bool {
        self.credit_id != Some(credit)
    }

    /// Whether a person closed it.
    pub fn is_by_operator(&self) -> bool {
        self.action == "close"
    }
}

/// A report that was archived, and how far its run got in reading it.
#[derive(Deserialize)]
pub struct Report {
    pub run_id: Uuid,
    pub object_key: String,
    pub sha256: String,
    pub whole: bool,
    pub window_days: u32,
    pub read_at: Instant,
    pub read_to_its_end_at: Option<Instant>,
    /// From which byte to which.
    pub read: Vec<(u64, u64)>,
}

impl Tables {
    pub fn of(sqlite: &Sqlite) -> Tables {
        let credits: Vec<(Facts, String)> = rows(sqlite, CREDITS);
        let mut decisions: BTreeMap<CreditId, Vec<Decided>> = BTreeMap::new();
        for decided in rows::<Decided>(sqlite, DECISIONS) {
            decisions.entry(decided.credit_id).or_default().push(decided);
        }
        let mut facts: BTreeMap<Uuid, Vec<Value>> = BTreeMap::new();
        for sql in FACTS {
            for (decision, fact) in rows::<(Uuid, Value)>(sqlite, sql) {
                facts.entry(decision).or_default().push(fact);
            }
        }
        let funding = |(facts, body): &(Facts, String)| {
            let body: Value = serde_json::from_str(body).unwrap_or_default();
            (facts.id, body["src_bank_account"].as_str().unwrap_or_default().to_owned())
        };
        let names: Vec<(Uuid, TransactionId, Instant)> = rows(sqlite, NAMES);
        Tables {
            funding: credits.iter().map(funding).collect(),
            credits: credits.into_iter().map(|(facts, _)| (facts.id, facts)).collect(),
            decisions,
            policies: rows(sqlite, POLICIES).into_iter().collect(),
            subjects: rows(sqlite, SUBJECTS).into_iter().collect(),
            names: names.into_iter().map(|(subject, name, at)| (subject, (name, at))).collect(),
            unknown: rows(sqlite, UNKNOWN_ANSWERS).into_iter().collect(),
            refusals: observations(sqlite, "refusal"),
            stated: observations(sqlite, "decision"),
            exceptions: rows(sqlite, EXCEPTIONS).into_iter().collect(),
            closings: rows(sqlite, CLOSINGS).into_iter().collect(),
            reports: rows(sqlite, REPORTS),
            words_done: rows(sqlite, WORDS_DONE).into_iter().collect(),
            facts,
            standings: rows::<(CreditId, u32, CreditStatus)>(sqlite, STANDINGS)
                .into_iter()
                .map(|(credit, turn, status)| ((credit, turn), status))
                .collect(),
            told_since: rows(sqlite, TOLD_SINCE).into_iter().next(),
        }
    }

    /// The status that a credit came to by a decision, as an event told of it.
    pub fn standing(&self, decided: &Decided) -> Option<CreditStatus> {
        self.standings.get(&(decided.credit_id, decided.turn)).copied()
    }

    /// Whether events are told of a decision: of those before there were events, none is.
    pub fn is_told_of(&self, decided: &Decided) -> bool {
        self.told_since.is_some_and(|since| decided.at >= since)
    }

    /// Gives the transactions that the processor named, or an operator, but for those that were not named yet.
    pub fn name(&self, facts: &mut Facts, unnamed: &[Uuid]) {
        let name = |subject: Uuid| {
            let (name, _) = self.names.get(&subject).filter(|_| !unnamed.contains(&subject))?;
            Some(name.clone())
        };
        facts.transaction_id = name(facts.id.0);
        for debit in &mut facts.debits {
            debit.transaction_id = name(debit.id.0);
        }
        for refund in &mut facts.refunds {
            refund.transaction_id = name(refund.id.0);
        }
    }

    /// The first unknown answers to the calls for a credit, its debits and its refunds, so many of them.
    pub fn unknown_answers(&self, facts: &Facts, many: usize) -> Vec<UnknownAnswer> {
        let debits = facts.debits.iter().map(|debit| debit.id.0);
        let refunds = facts.refunds.iter().map(|refund| refund.id.0);
        let subjects = debits.chain(refunds).chain([facts.id.0]);
        let mut answers: Vec<UnknownAnswer> = subjects
            .filter_map(|subject| Some(UnknownAnswer { subject, at: *self.unknown.get(&subject)? }))
            .collect();
        answers.sort_by_key(|answer| (answer.at, answer.subject));
        answers.truncate(many);
        answers
    }

    /// Since when a malformed row of a report is open no more.
    pub fn malformed_closed_at(&self, row: Uuid, run: Uuid) -> Option<Instant> {
        let run = run.to_string();
        let own = self.exceptions.contains_key(&ExceptionId(row)).then_some(ExceptionId(row));
        let of_run = self.exceptions.iter().filter(|(_, e)| e.kind == "malformed_row" && e.subject == run);
        let opened = own.into_iter().chain(of_run.map(|(id, _)| *id));
        let closed: Option<Vec<Instant>> =
            opened.map(|id| self.closings.get(&id).map(|closing| closing.at)).collect();
        closed?.into_iter().max()
    }

    /// The exceptions of the holds under a decision.
    pub fn held_under(&self, decided: &Decided) -> Vec<ExceptionId> {
        let facts = self.facts.get(&decided.id).into_iter().flatten().filter(|fact| fact["fact"] == "held");
        facts.filter_map(|fact| serde_json::from_value(fact["exception_id"].clone()).ok()).collect()
    }

    /// What the ledger holds under a decision.
    pub fn facts_of(&self, decided: &Decided) -> Vec<Value> {
        let mut facts = self.facts.get(&decided.id).cloned().unwrap_or_default();
        let input = decided.input.as_ref().unwrap_or(&Value::Null);
        let subject = input["subject"].as_str().and_then(|subject| subject.parse::<Uuid>().ok());
        let Some(subject) = subject else { return facts };
        if input["input"] == "decide" {
            let stated = self.stated.get(&subject).into_iter().flatten().filter(|o| o.at == decided.at);
            facts.extend(stated.map(
                |o| json!({ "fact": "decided", "subject": subject, "status": o.status, "code": o.code }),
            ));
        }
        if input["input"] == "attach" {
            let named = self.names.get(&subject).filter(|(_, at)| *at == decided.at);
            facts.extend(
                named.map(
                    |(name, _)| json!({ "fact": "attached", "subject": subject, "transaction_id": name }),
                ),
            );
        }
        facts
    }

    /// What the ledger is to hold under a decision.
    pub fn as_recorded(
        &self,
        own: &Facts,
        decided: &Decided,
        input: &Input,
        decision: &Decision,
    ) -> Vec<Value> {
        let mut facts: Vec<Value> =
            decision.facts.iter().filter_map(|fact| self.fact_as_recorded(own, decided, fact)).collect();
        facts.extend(operation(input).map(|action| json!({ "fact": "operation", "action": action })));
        facts
    }

    /// One fact as it is recorded; none where another's came before it.
    fn fact_as_recorded(&self, own: &Facts, decided: &Decided, fact: &Fact) -> Option<Value> {
        let mut value = serde_json::to_value(fact).expect("a fact is JSON");
        let at = text(decided.at);
        match fact {
            Fact::Opened { kind, .. } => {
                if *kind == Kind::TwoStrikes {
                    value["subject"] = json!(own.account_id);
                }
                value["opened_at"] = json!(at);
                value["run_id"] = json!(decided.run_id);
            }
            Fact::Closed { id } if self.closings.get(id).is_some_and(Closing::is_by_operator) => return None,
            Fact::Attached { subject, transaction_id }
                if self.is_named_otherwise(*subject, transaction_id) =>
            {
                return None;
            }
            Fact::Processed { debit_id } => {
                let debit = own.debits.iter().find(|debit| debit.id == *debit_id)?;
                value["at"] = json!(at);
                value["body"] = json!(self.body(own, Direction::Debit, debit.amount, debit_id.0));
            }
            Fact::Refund(refund) => {
                // The ledger's own instants have three decimals.
                value["submitted_at"] = json!(text(refund.submitted_at));
                value["body"] = json!(self.body(own, Direction::Credit, refund.amount, refund.id.0));
            }
            Fact::Word(_)
            | Fact::TimedOut { .. }
            | Fact::Debit(_)
            | Fact::Cancelled { .. }
            | Fact::Held(_)
            | Fact::Released { .. }
            | Fact::Closed { .. }
            | Fact::Decided { .. }
            | Fact::Attached { .. }
            | Fact::ExternalPayment(_)
            | Fact::Revoked { .. }
            | Fact::WrittenOff => {}
        }
        Some(value)
    }

    fn is_named_otherwise(&self, subject: Uuid, transaction: &TransactionId) -> bool {
        self.names.get(&subject).is_some_and(|(name, _)| name != transaction)
            || self.names.iter().any(|(other, (name, _))| name == transaction && *other != subject)
    }

    fn body(&self, own: &Facts, direction: Direction, amount: Cents, key: Uuid) -> String {
        let funding = self.funding.get(&own.id).map(String::as_str).unwrap_or_default();
        body(direction, &own.account_id, funding, amount, key).expect("a body is JSON")
    }
}

/// The action under which what an operator asks is recorded; none for what a run asks.
fn operation(input: &Input) -> Option<&'static str> {
    match input {
        Input::Words { .. }
        | Input::Refusal { .. }
        | Input::Seek
        | Input::Issue
        | Input::TwoStrikes { .. } => None,
        Input::Hold => Some("hold"),
        Input::Release { .. } => Some("release"),
        Input::Decide { .. } => Some("decision"),
        Input::Attach { .. } => Some("attach"),
        Input::ExternalPayment { .. } => Some("external_payment"),
        Input::Revoke { .. } => Some("revoke"),
        Input::Refund { .. } => Some("refund"),
        Input::WriteOff => Some("write_off"),
        Input::PayOff => Some("pay_off"),
        Input::Pause { .. } => Some("pause"),
    }
}

fn observations(sqlite: &Sqlite, source: &str) -> BTreeMap<Uuid, Vec<Observation>> {
    let mut said: BTreeMap<Uuid, Vec<Observation>> = BTreeMap::new();
    let sql = format!(
        "SELECT json_object('subject', subject_id, 'source', source, 'status', status, 'code', nullif(code, ''), 'at', at)
         FROM observations WHERE source = '{source}' ORDER BY at"
    );
    for observation in rows::<Observation>(sqlite, &sql) {
        said.entry(observation.subject).or_default().push(observation);
    }
    said
}

fn rows<T: DeserializeOwned>(sqlite: &Sqlite, sql: &str) -> Vec<T> {
    let rows = sqlite.query(sql);
    rows.iter()
        .map(|row| serde_json::from_str(row).unwrap_or_else(|error| panic!("{error}: {row}")))
        .collect()
}

const CREDITS: &str = "
SELECT json_array(json_object('id', id, 'account_id', account_id, 'currency', currency,
  'terms', json_object('amount', amount, 'fee', fee, 'installments', installments, 'interval_days', interval_days),
  'created_at', created_at, 'turn', 0, 'transaction_id', NULL, 'debits', json('[]'), 'observations', json('[]'),
  'words', json('[]'), 'timeouts', json('[]'), 'unknown_answers', json('[]'), 'holds', json('[]'),
  'exceptions', json('[]'), 'written_off', json('false')), body)
FROM credits";

const DECISIONS: &str = "
SELECT json_object('id', id, 'credit_id', credit_id, 'turn', turn, 'rule', rule, 'policy_id', policy_id,
  'run_id', run_id, 'at', at, 'input', json(input)) FROM decisions ORDER BY credit_id, turn";

const POLICIES: &str = "SELECT json_array(id, json(policy)) FROM policies";

const SUBJECTS: &str = "
SELECT json_array(id, id) FROM credits
UNION ALL SELECT json_array(debit_id, credit_id) FROM processed_debits
UNION ALL SELECT json_array(id, credit_id) FROM refunds";

const NAMES: &str = "SELECT json_array(subject_id, transaction_id, at) FROM transactions";

const UNKNOWN_ANSWERS: &str = "SELECT json_array(subject_id, at) FROM unknown_answers";

const EXCEPTIONS: &str =
    "SELECT json_array(id, json_object('kind', kind, 'subject', subject)) FROM exceptions";

const CLOSINGS: &str = "
SELECT json_array(r.exception_id, json_object('action', r.action, 'at', r.resolved_at, 'decision_id', r.decision_id,
  'credit_id', (SELECT credit_id FROM decisions WHERE id = r.decision_id))) FROM resolutions r";

const STANDINGS: &str = "SELECT json_array(credit_id, turn, status) FROM standings";

const TOLD_SINCE: &str = "SELECT json_quote(at) FROM events WHERE number = 1";

const REPORTS: &str = "
SELECT json_object('run_id', p.run_id, 'object_key', p.object_key, 'sha256', p.sha256,
  'whole', json(iif(p.whole = 1, 'true', 'false')), 'window_days', p.window_days, 'read_at', p.read_at,
  'read_to_its_end_at', (
    SELECT at FROM run_stages WHERE run_id = p.run_id AND stage = 'observations' AND cursor IS NULL),
  'read', json((SELECT json_group_array(json_array(start, until)) FROM (
    SELECT 0 AS start, max(CAST(cursor AS INTEGER)) AS until FROM run_stages
    WHERE run_id = p.run_id AND stage = 'observations' HAVING until > 0
    UNION ALL
    SELECT CAST(t.start AS INTEGER) AS start, iif(max(s.cursor IS NULL), iif(t.until = '~', p.bytes, CAST(t.until AS INTEGER)),
      max(CAST(s.cursor AS INTEGER))) FROM run_parts t
    JOIN run_stages s ON s.run_id = t.run_id AND s.stage = t.stage || '/' || t.part
    WHERE t.run_id = p.run_id AND t.stage = 'observations' GROUP BY t.part ORDER BY start))))
FROM reports p ORDER BY p.read_at";

const WORDS_DONE: &str = "
SELECT json_array(run_id, at) FROM run_stages WHERE stage = 'words' AND cursor IS NULL";

/// Each fact with its decision, in the form of core's facts.
const FACTS: [&str; 14] = [
    "SELECT json_array(decision_id, json_object('fact', 'word', 'subject', subject_id, 'outcome', outcome, 'code', code,
       'at', at)) FROM words",
    "SELECT json_array(decision_id, json_object('fact', 'timed_out', 'subject', subject_id)) FROM timeouts",
    // The patch leaves a member out where there is nothing to be said.
    "SELECT json_array(decision_id, json_patch(json_object('fact', 'debit', 'id', id, 'sequence', sequence,
       'amount', amount, 'due_date', due_date, 'reason', reason, 'replaces', replaces, 'submitted_at', NULL,
       'transaction_id', NULL, 'cancelled_because', NULL), json_object('unrolled_due_date', unrolled_due_date)))
     FROM debits",
    "SELECT json_array(decision_id, json_object('fact', 'cancelled', 'debit_id', debit_id, 'because', because))
     FROM cancellations",
    "SELECT json_array(decision_id, json_object('fact', 'processed', 'debit_id', debit_id, 'at', at, 'body', body))
     FROM processed_debits",
    "SELECT json_array(decision_id, json_object('fact', 'held', 'exception_id', exception_id, 'released', json('false')))
     FROM holds",
    "SELECT json_array(decision_id, json_object('fact', 'released', 'exception_id', exception_id)) FROM releases",
    "SELECT json_array(decision_id, json_object('fact', 'opened', 'id', id, 'kind', kind, 'subject', subject,
       'detail', detail, 'opened_at', opened_at, 'run_id', run_id)) FROM exceptions WHERE decision_id IS NOT NULL",
    "SELECT json_array(decision_id, json_object('fact', 'closed', 'id', exception_id)) FROM resolutions
     WHERE decision_id IS NOT NULL AND action = 'closed'",
    "SELECT json_array(decision_id, json_object('fact', 'external_payment', 'id', id, 'amount', amount,
       'received_on', received_on, 'revoked', json('false'), 'shortened', json('[]'))) FROM external_payments",
    "SELECT json_array(decision_id, json_object('fact', 'revoked', 'payment_id', payment_id))
     FROM external_payment_revocations",
    "SELECT json_array(decision_id, json_object('fact', 'refund', 'id', id, 'amount', amount, 'submitted_at', at,
       'transaction_id', NULL, 'body', body)) FROM refunds",
    "SELECT json_array(decision_id, json_object('fact', 'written_off')) FROM write_offs",
    "SELECT json_array(decision_id, json_object('fact', 'operation', 'action', action)) FROM operations",
];
