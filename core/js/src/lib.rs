//! The law of the money for JavaScript: core's functions over plain objects.
//!
//! Each function reads its arguments, calls core, and writes the result; it decides nothing. What
//! cannot be read is thrown as a `PaydownError`, see [`error`]. The TypeScript types of all shapes
//! are made from their schemas by `tests/types.rs`.
//!
//! Architecture invariant: these are the only wasm-bindgen exports of the workspace, because such
//! exports leak into everything that links them.

pub mod error;
pub mod report;
pub mod shapes;
mod value;

use paydown::calendar::FederalReserve;
use paydown::coverage::{CompleteReport, covered_from};
use paydown::credit::Facts;
use paydown::date::Instant;
use paydown::decision::{self, Decision, Input};
use paydown::plan;
use wasm_bindgen::prelude::*;

use crate::error::{Code, PaydownError, thrown};
use crate::shapes::{ContextRequest, PlanOf, ReportOptions, Standing};
use crate::value::{read, read_shallow, write};

/// `plan(request)`: what is due when (L1).
#[wasm_bindgen(js_name = plan)]
pub fn plan_of(request: JsValue) -> Result<JsValue, PaydownError> {
    let request: PlanOf = read("request", request)?;
    let terms = request.terms();
    fit(&terms, "request")?;
    let calendar = request.due_date_roll.by(&FederalReserve);
    write(&request.planned(plan::plan(&terms, request.start_date, request.run_date(), calendar)))
}

/// `decide(facts, input, context)`: what follows for one credit (L2 to L8).
#[wasm_bindgen]
pub fn decide(facts: JsValue, input: JsValue, context: JsValue) -> Result<JsValue, PaydownError> {
    let facts = read_facts(facts)?;
    let input: Input = read_shallow("input", input)?;
    let context: ContextRequest = read("context", context)?;
    let (zone, policy) = (context.zone(), context.policy());
    let context =
        decision::Context { as_of: context.as_of, zone: &zone, policy: &policy, calendar: &FederalReserve };
    write(&decision::decide(&facts, input, &context))
}

/// `apply(facts, decision, asOf)`: the facts with those of the decision, as a ledger has them once it landed.
#[wasm_bindgen]
pub fn apply(facts: JsValue, decision: JsValue, as_of: JsValue) -> Result<JsValue, PaydownError> {
    let mut facts = read_facts(facts)?;
    let decision: Decision = read_shallow("decision", decision)?;
    let as_of: Instant = read("asOf", as_of)?;
    if decision.turn != facts.turn {
        let message =
            format!("the decision takes turn {}, and the facts are at {}", decision.turn, facts.turn);
        return Err(thrown(Code::StaleDecision, &message, "decision.turn"));
    }
    facts.apply(&decision, as_of);
    write(&facts)
}

/// `statusOf(facts)`: where a credit and its debits stand, and its balances.
#[wasm_bindgen(js_name = statusOf)]
pub fn status_of(facts: JsValue) -> Result<JsValue, PaydownError> {
    write(&Standing::of(&read_facts(facts)?))
}

/// `coveredFrom(reports)`: the instant from which on complete reports cover all time up to the latest (L5).
#[wasm_bindgen(js_name = coveredFrom)]
pub fn covered_from_of(reports: JsValue) -> Result<JsValue, PaydownError> {
    let mut reports: Vec<CompleteReport> = read("reports", reports)?;
    reports.sort_by_key(|report| std::cmp::Reverse(report.read_at));
    let covered = reports.split_first().map(|(this, before)| covered_from(*this, before.iter().copied()));
    write(&covered)
}

/// `parseReport(bytes, options)`: the rows of a report, and the lines that cannot be read (L6).
#[wasm_bindgen(js_name = parseReport)]
pub fn parse_report(bytes: JsValue, options: JsValue) -> Result<JsValue, PaydownError> {
    let options = if options.is_undefined() { ReportOptions::default() } else { read("options", options)? };
    write(&report::parse(&report::bytes("bytes", &bytes)?, options.download_at)?)
}

fn read_facts(facts: JsValue) -> Result<Facts, PaydownError> {
    let facts: Facts = read("facts", facts)?;
    fit(&facts.terms, "facts.terms")?;
    Ok(facts)
}

fn fit(terms: &plan::Terms, path: &str) -> Result<(), PaydownError> {
    terms.check().map_err(|unfit| thrown(Code::BadTerms, &unfit.to_string(), path))
}
