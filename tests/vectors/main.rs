//! The vectors of the law, made by an independent model, through `decide` as the Worker calls it.
//!
//! They are read from the folder that `PAYDOWN_VECTORS` names, else from this one.

use std::path::PathBuf;

use paydown::coverage::{CompleteReport, covered_from};
use paydown::credit::{Facts, State};
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::decision::{Context, Effect, Input, decide};
use paydown::id::{CreditId, TransactionId};
use paydown::observation::{Observation, Source, Status};
use paydown::plan::{Terms, plan};
use paydown::policy::Policy;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

const REPORT_WINDOW_DAYS: u32 = 5;

fn read<T: DeserializeOwned>(file: &str) -> T {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let folder = std::env::var_os("PAYDOWN_VECTORS").map_or(own, PathBuf::from);
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[derive(Deserialize)]
struct Plans {
    plans: Vec<PlanVector>,
}

#[derive(Deserialize)]
struct PlanVector {
    #[serde(flatten)]
    terms: Terms,
    created_at: Instant,
    run_date: BusinessDate,
    expect: Value,
}

#[test]
fn plan_vectors() {
    let vectors: Plans = read("plans.json");
    assert!(!vectors.plans.is_empty());
    for (number, vector) in vectors.plans.iter().enumerate() {
        let credit_date = Zone::default().business_date(vector.created_at);
        let planned = plan(&vector.terms, credit_date, vector.run_date);
        assert_eq!(json!(planned), vector.expect, "plan {number}");
    }
}

#[derive(Deserialize)]
struct Scenarios {
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    credit: ScenarioCredit,
    runs: Vec<Run>,
    expect: Value,
}

#[derive(Deserialize)]
struct ScenarioCredit {
    #[serde(flatten)]
    terms: Terms,
    created_at: Instant,
}

#[derive(Deserialize)]
struct Run {
    as_of: Instant,
    complete: bool,
    report: Vec<Row>,
    after: Value,
}

/// Transaction, status, code, instant.
#[derive(Deserialize)]
struct Row(String, Status, String, Instant);

#[test]
fn scenario_vectors() {
    let vectors: Scenarios = read("scenarios.json");
    assert!(!vectors.scenarios.is_empty());
    for scenario in &vectors.scenarios {
        let mut world = World::new(&scenario.credit);
        for run in &scenario.runs {
            world.live_through(run);
            assert_eq!(world.in_short(), run.after, "{} after the run of {}", scenario.name, run.as_of);
        }
        assert_eq!(world.in_full(), scenario.expect, "{} at its end", scenario.name);
    }
}

/// One credit, and a processor that answers at once.
struct World {
    facts: Facts,
    /// Rows read, by the name of their transaction; a name is known once its debit was submitted.
    rows: Vec<Row>,
    unknown_open: Vec<String>,
    complete_reports: Vec<CompleteReport>,
}

impl World {
    fn new(credit: &ScenarioCredit) -> World {
        let facts = Facts {
            id: CreditId(Uuid::from_u128(1)),
            account_id: "account".into(),
            currency: "USD".into(),
            terms: credit.terms,
            created_at: credit.created_at,
            turn: 0,
            transaction_id: TransactionId::try_from("credit".to_owned()).ok(),
            debits: vec![],
            observations: vec![],
            words: vec![],
            timeouts: vec![],
            unknown_answers: vec![],
            holds: vec![],
            exceptions: vec![],
            written_off: false,
        };
        World { facts, rows: vec![], unknown_open: vec![], complete_reports: vec![] }
    }

    fn live_through(&mut self, run: &Run) {
        let covered_from = self.read_report(run);
        self.decide(Input::Words { covered_from }, run.as_of);
        self.decide(Input::Issue, run.as_of);
        assert_eq!(State::of(&self.facts).breaches(), [], "L10 after the run of {}", run.as_of);
    }

    /// Records the report's rows and says from when on the reports cover all time.
    fn read_report(&mut self, run: &Run) -> Option<Instant> {
        for Row(transaction, status, code, at) in &run.report {
            let known = |r: &Row| r.0 == *transaction && r.1 == *status && r.2 == *code && r.3 == *at;
            if !self.rows.iter().any(known) {
                self.rows.push(Row(transaction.clone(), *status, code.clone(), *at));
            }
        }
        let subjects: Vec<Option<Uuid>> = self.rows.iter().map(|row| self.subject(&row.0)).collect();
        let observed = self.rows.iter().zip(&subjects).filter_map(|(row, subject)| {
            let code = (!row.2.is_empty()).then(|| row.2.clone());
            Some(Observation { subject: (*subject)?, source: Source::Report, status: row.1, code, at: row.3 })
        });
        self.facts.observations = observed.collect();
        let unknown = self.rows.iter().zip(&subjects).filter(|(_, subject)| subject.is_none());
        self.unknown_open = unknown.map(|(row, _)| row.0.clone()).collect();
        self.unknown_open.sort();
        self.unknown_open.dedup();

        let this = CompleteReport { read_at: run.as_of, window_days: REPORT_WINDOW_DAYS };
        run.complete.then(|| {
            let from = covered_from(this, self.complete_reports.iter().rev().copied());
            self.complete_reports.push(this);
            from
        })
    }

    /// The credit or debit whose transaction has this name, if we know it.
    fn subject(&self, transaction: &str) -> Option<Uuid> {
        if transaction == "credit" {
            return Some(self.facts.id.0);
        }
        let named = |id: &TransactionId| id.as_str() == transaction;
        self.facts.debits.iter().find(|d| d.transaction_id.as_ref().is_some_and(named)).map(|d| d.id.0)
    }

    fn decide(&mut self, input: Input, as_of: Instant) {
        let (zone, policy) = (Zone::default(), Policy::default());
        let context = Context { as_of, zone: &zone, policy: &policy };
        let decision = decide(&self.facts, input, &context);
        self.facts.apply(&decision, as_of);
        for effect in &decision.effects {
            if let Effect::Submit { subject, .. } = effect {
                let debit = self
                    .facts
                    .debits
                    .iter_mut()
                    .find(|d| d.id.0 == *subject)
                    .expect("a debit of this credit");
                debit.transaction_id = TransactionId::try_from(format!("debit/{}", debit.sequence)).ok();
            }
        }
        let again = decide(&self.facts, input, &context);
        assert_eq!((again.facts, again.effects), (vec![], vec![]), "a decision taken twice changes nothing");
    }

    fn open_exceptions(&self) -> Vec<(String, String)> {
        let name = |subject: Uuid| {
            let debit = self.facts.debits.iter().find(|d| d.id.0 == subject);
            debit.map_or("credit".to_owned(), |d| format!("debit/{}", d.sequence))
        };
        let of_credit = self.facts.exceptions.iter().filter(|e| e.open);
        let mut open: Vec<_> = of_credit.map(|e| (e.kind.name().to_owned(), name(e.subject))).collect();
        open.extend(self.unknown_open.iter().map(|t| ("unknown_transaction".to_owned(), t.clone())));
        open.sort();
        open
    }

    fn in_short(&self) -> Value {
        let state = State::of(&self.facts);
        let balances = state.balances();
        let money = [balances.collected, balances.in_flight, balances.scheduled].map(|m| m as i64);
        let debits = self.facts.debits.len();
        json!([state.status(), money[0], money[1], money[2], debits, self.open_exceptions().len()])
    }

    fn in_full(&self) -> Value {
        let state = State::of(&self.facts);
        let balances = state.balances();
        let debits: Vec<Value> = self
            .facts
            .debits
            .iter()
            .zip(state.debit_statuses())
            .map(|(debit, (_, status))| {
                let word = self.facts.words.iter().rev().find(|w| w.subject == debit.id.0);
                json!({
                    "sequence": debit.sequence,
                    "amount": debit.amount,
                    "due_date": debit.due_date,
                    "status": status,
                    "reason": debit.reason,
                    "cancelled_because": debit.cancelled_because,
                    "replaces": debit.replaces,
                    "code": word.and_then(|w| w.code.clone()),
                    "submitted_at": debit.submitted_at,
                })
            })
            .collect();
        json!({
            "credit_status": state.status(),
            "collected": balances.collected as i64,
            "in_flight": balances.in_flight as i64,
            "scheduled": balances.scheduled as i64,
            "debits": debits,
            "exceptions": self.open_exceptions(),
        })
    }
}
