//! The vectors of the law, made by an independent model: their shapes, and a credit's state in theirs.
//!
//! They are read from the folder that `PAYDOWN_VECTORS` names, else from `tests/vectors`.

use std::path::PathBuf;

use paydown::credit::{Facts, State};
use paydown::date::{BusinessDate, Instant};
use paydown::observation::Status;
use paydown::plan::Terms;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

/// Reads a file of vectors.
pub fn read<T: DeserializeOwned>(file: &str) -> T {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let folder = std::env::var_os("PAYDOWN_VECTORS").map_or(own, PathBuf::from);
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// `plans.json`.
#[derive(Deserialize)]
pub struct Plans {
    /// The vectors.
    pub plans: Vec<PlanVector>,
}

/// A credit's terms, the run that plans it, and the plan expected.
#[derive(Deserialize)]
pub struct PlanVector {
    /// The terms.
    #[serde(flatten)]
    pub terms: Terms,
    /// When the advance was asked for.
    pub created_at: Instant,
    /// The date of the run that plans it.
    pub run_date: BusinessDate,
    /// The plan.
    pub expect: Value,
}

/// `scenarios.json`.
#[derive(Deserialize)]
pub struct Scenarios {
    /// The vectors.
    pub scenarios: Vec<Scenario>,
}

/// One credit and its runs in order.
#[derive(Deserialize)]
pub struct Scenario {
    /// The name.
    pub name: String,
    /// The credit.
    pub credit: ScenarioCredit,
    /// The runs.
    pub runs: Vec<Run>,
    /// The state after the last one.
    pub expect: Value,
}

/// A credit of a scenario.
#[derive(Deserialize)]
pub struct ScenarioCredit {
    /// The terms.
    #[serde(flatten)]
    pub terms: Terms,
    /// When the advance was asked for.
    pub created_at: Instant,
}

/// A run of a scenario.
#[derive(Deserialize)]
pub struct Run {
    /// Its instant.
    pub as_of: Instant,
    /// Whether its report is complete.
    pub complete: bool,
    /// The rows of its report.
    pub report: Vec<Row>,
    /// The state after it, in short.
    pub after: Value,
}

/// A row of a report: transaction, status, code, instant.
#[derive(Clone, Deserialize)]
pub struct Row(pub String, pub Status, pub String, pub Instant);

/// The open exceptions of a credit and the unknown transactions, as kind and subject, sorted.
pub fn open_exceptions(facts: &Facts, unknown_transactions: &[String]) -> Vec<(String, String)> {
    let name = |subject: Uuid| {
        let debit = facts.debits.iter().find(|d| d.id.0 == subject);
        debit.map_or("credit".to_owned(), |d| format!("debit/{}", d.sequence))
    };
    let of_credit = facts.exceptions.iter().filter(|e| e.open);
    let mut open: Vec<_> = of_credit.map(|e| (e.kind.name().to_owned(), name(e.subject))).collect();
    open.extend(unknown_transactions.iter().map(|t| ("unknown_transaction".to_owned(), t.clone())));
    open.sort();
    open
}

/// A state as `after` writes it.
pub fn in_short(facts: &Facts, open: &[(String, String)]) -> Value {
    let state = State::of(facts);
    let balances = state.balances();
    let money = [balances.collected, balances.in_flight, balances.scheduled].map(|m| m as i64);
    json!([state.status(), money[0], money[1], money[2], facts.debits.len(), open.len()])
}

/// A state as `expect` writes it.
pub fn in_full(facts: &Facts, open: &[(String, String)]) -> Value {
    let state = State::of(facts);
    let balances = state.balances();
    let debits: Vec<Value> = facts
        .debits
        .iter()
        .zip(state.debit_statuses())
        .map(|(debit, (_, status))| {
            let word = facts.words.iter().rev().find(|w| w.subject == debit.id.0);
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
        "exceptions": open,
    })
}
