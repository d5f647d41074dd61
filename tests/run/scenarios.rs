//! The vectors of the law through the whole run: reports as CSV, the ledger in SQLite, calls to a processor.

use futures_executor::block_on;
use paydown::credit::Facts;
use paydown::date::text;
use paydown::decision::debit_id;
use paydown::id::CreditId;
use paydown_edge::ledger::facts::facts;
use paydown_edge::ports::Answer;
use paydown_edge::run::{Opened, daily};
use paydown_tests::memory::World;
use paydown_tests::processor::{FakeReport, Step};
use paydown_tests::vectors::{Run, Scenario, Scenarios, in_full, in_short, open_exceptions, read};
use uuid::Uuid;

/// How many scenarios are lived through: each run of them takes milliseconds, and the decisions themselves are
/// checked over all of them by `tests/vectors`.
const SCENARIOS: usize = 40;

/// The highest sequence that a scenario's processor names its transaction for.
const DEBITS: u32 = 400;

#[test]
fn the_independent_model_agrees_with_the_whole_run() {
    let scenarios: Scenarios = read("scenarios.json");
    let stride = scenarios.scenarios.len().div_ceil(SCENARIOS).max(1);
    let chosen: Vec<&Scenario> = scenarios.scenarios.iter().step_by(stride).collect();
    assert!(!chosen.is_empty());
    std::thread::scope(|scope| {
        for part in chosen.chunks(chosen.len().div_ceil(2)) {
            scope.spawn(move || part.iter().for_each(|scenario| live_through(scenario)));
        }
    });
}

fn live_through(scenario: &Scenario) {
    let credit = CreditId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
    let world = world_of(scenario, credit);
    for run in &scenario.runs {
        world.clock.set(run.as_of);
        world.processor.next_report(report_of(run));
        let opened = block_on(daily(&world.ports(), run.as_of)).expect("the run ends");
        assert!(matches!(opened, Opened::Open(_)), "{}: {opened:?}", scenario.name);
        let (facts, open) = state_of(&world, credit);
        assert_eq!(in_short(&facts, &open), run.after, "{} after the run of {}", scenario.name, run.as_of);
    }
    let (facts, open) = state_of(&world, credit);
    assert_eq!(in_full(&facts, &open), scenario.expect, "{} at its end", scenario.name);
}

/// A ledger with the scenario's credit, and a processor that names transactions as the vectors do.
fn world_of(scenario: &Scenario, credit: CreditId) -> World {
    let world = World::at(&text(scenario.credit.created_at));
    let (terms, created_at) = (&scenario.credit.terms, text(scenario.credit.created_at));
    let values = format!(
        "('{credit}', 'account', {}, {}, 'USD', {}, {}, '{{}}', '{created_at}')",
        terms.amount, terms.fee, terms.installments, terms.interval_days
    );
    let insert = |sql: String| world.database.sqlite.execute(&sql).expect("the credit is recorded");
    insert(format!("INSERT INTO credits VALUES {values}"));
    insert(format!("INSERT INTO credit_transactions VALUES ('{credit}', 'credit', '{created_at}')"));
    for sequence in 1..=DEBITS {
        let named = Step::from(Answer::Transaction(format!("debit/{sequence}")));
        world.processor.script(&debit_id(credit.0, sequence).to_string(), [named]);
    }
    world
}

/// The run's report as CSV; one that is not complete announces a byte more than it has.
fn report_of(run: &Run) -> FakeReport {
    let rows = run.report.iter().map(|row| {
        let status = serde_json::to_value(row.1).expect("a status is JSON");
        format!("{},{},{},{}", row.0, status.as_str().expect("a text"), row.2, text(row.3))
    });
    let mut report = FakeReport::of(&rows.collect::<Vec<_>>());
    if !run.complete {
        report.announced_bytes = report.announced_bytes.map(|bytes| bytes + 1);
    }
    report
}

/// The facts of the credit, and the exceptions that are open in the book, but for the reports' own.
fn state_of(world: &World, credit: CreditId) -> (Facts, Vec<(String, String)>) {
    let found = block_on(facts(&*world.database, &[credit])).expect("the facts can be read");
    let facts = found.into_iter().next().expect("the credit exists");
    let unknown = world.query(
        "SELECT subject FROM exceptions WHERE kind = 'unknown_transaction'
         AND id NOT IN (SELECT exception_id FROM resolutions)",
    );
    let open = open_exceptions(&facts, &unknown);
    (facts, open)
}
