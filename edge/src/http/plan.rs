//! What a plan would be; nothing is recorded.

use axum::http::StatusCode;
use paydown::api::{DEFAULT_INSTALLMENTS, DEFAULT_INTERVAL_DAYS, Plan, PlanRequest};
use paydown::calendar::FederalReserve;
use paydown::money::Cents;
use paydown::plan::plan as planned;

use super::advances::{INSTALLMENTS, INTERVAL_DAYS};
use super::call::{Answered, Call, Parameters, json};
use super::problem::Problem;

/// `GET /v1/plan`.
pub async fn plan(call: Call) -> Answered {
    let parameters = call.parameters::<PlanRequest>()?;
    let asked = asked(parameters, call.ports.settings.max_advance)?;
    let start_date = match asked.start_date {
        Some(date) => date,
        None => call.ports.settings.zone.business_date(call.ports.clock.now().await?),
    };
    let terms = asked.terms();
    let total = Cents::from_balance(terms.total());
    let calendar = call.ports.settings.policy.due_date_roll.by(&FederalReserve);
    let installments = planned(&terms, start_date, start_date, calendar);
    json(StatusCode::OK, &Plan { total, start_date, installments })
}

/// The request, within the same limits as an advance.
fn asked(mut given: Parameters, max_advance: u64) -> Result<PlanRequest, Problem> {
    if given.text("amount").is_none() {
        given.wrong("amount", "is required");
    }
    let asked = PlanRequest {
        amount: given.number("amount", 1..=max_advance).unwrap_or_default(),
        fee: given.number("fee", 0..=max_advance).unwrap_or_default(),
        installments: given.number("installments", INSTALLMENTS).unwrap_or(DEFAULT_INSTALLMENTS),
        interval_days: given.number("interval_days", INTERVAL_DAYS).unwrap_or(DEFAULT_INTERVAL_DAYS),
        start_date: given.parsed("start_date", "a date, YYYY-MM-DD"),
    };
    // What depends on several terms is judged only once each of them is right.
    given.check()?;
    if let Err(unfit) = asked.terms().check() {
        given.wrong(unfit.field(), &unfit.to_string());
    }
    given.check()?;
    Ok(asked)
}
