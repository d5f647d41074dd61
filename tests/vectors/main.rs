//! The vectors of the law through `decide`, the same function that the Worker runs.

use paydown::calendar::FederalReserve;
use paydown::coverage::{CompleteReport, covered_from};
use paydown::credit::{Facts, State};
use paydown::date::{Instant, Zone};
use paydown::decision::{Context, Effect, Input, decide};
use paydown::id::{CreditId, TransactionId};
use paydown::observation::{Observation, Source};
use paydown::plan::plan;
use paydown::policy::Policy;
use paydown_tests::vectors::{
    Plans, Row, Run, ScenarioCredit, Scenarios, in_full, in_short, open_exceptions, read,
};
use serde_json::json;
use uuid::Uuid;

const REPORT_WINDOW_DAYS: u32 = 5;

#[test]
fn plan_vectors() {
    let vectors: Plans = read("plans.json");
    assert!(!vectors.plans.is_empty());
    for (number, vector) in vectors.plans.iter().enumerate() {
        let credit_date = Zone::default().business_date(vector.created_at);
        let planned = plan(&vector.terms, credit_date, vector.run_date, None);
        assert_eq!(json!(planned), vector.expect, "plan {number}");
    }
}

#[test]
fn scenario_vectors() {
    let vectors: Scenarios = read("scenarios.json");
    assert!(!vectors.scenarios.is_empty());
    for scenario in &vectors.scenarios {
        let mut world = World::new(&scenario.credit);
        for run in &scenario.runs {
            world.live_through(run);
            let open = open_exceptions(&world.facts, &world.unknown_open);
            assert_eq!(
                in_short(&world.facts, &open),
                run.after,
                "{} after the run of {}",
                scenario.name,
                run.as_of
            );
        }
        let open = open_exceptions(&world.facts, &world.unknown_open);
        assert_eq!(in_full(&world.facts, &open), scenario.expect, "{} at its end", scenario.name);
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
        let id = CreditId(Uuid::from_u128(1));
        let mut facts = Facts::asked_for(id, "account", "USD", credit.terms, credit.created_at);
        facts.transaction_id = TransactionId::try_from("credit".to_owned()).ok();
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
        let context = Context { as_of, zone: &zone, policy: &policy, calendar: &FederalReserve };
        let decision = decide(&self.facts, input.clone(), &context);
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
}
