//! What a plan would be; nothing is recorded.

use axum::http::StatusCode;
use paydown::api::{FieldError, Plan, PlanRequest};
use paydown::money::Cents;
use paydown::plan::{Terms, plan as planned};

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
    let terms = Terms {
        amount: asked.amount,
        fee: asked.fee,
        installments: asked.installments,
        interval_days: asked.interval_days,
    };
    let total = Cents::from_balance(terms.total());
    json(StatusCode::OK, &Plan { total, start_date, installments: planned(&terms, start_date, start_date) })
}

/// The request, within the same limits as an advance.
fn asked(mut given: Parameters, max_advance: u64) -> Result<PlanRequest, Problem> {
    if given.text("amount").is_none() {
        given.wrong("amount", "is required");
    }
    let amount = given.number("amount", 1..=max_advance).unwrap_or(1);
    let fee = given.number("fee", 0..=max_advance).unwrap_or(0);
    let installments = given.number("installments", 1..=104).unwrap_or(12);
    let interval_days = given.number("interval_days", 1..=92).unwrap_or(7);
    let start_date = given.parsed("start_date", "a date, YYYY-MM-DD");
    given.check()?;
    if fee > amount {
        given.wrong("fee", "must be from 0 to the amount");
    }
    if amount.saturating_add(fee) < installments {
        given.wrong("installments", "must not be more than amount and fee have minor units");
    }
    given.check()?;
    let cents = |name: &str, number| {
        let error = |_| {
            Problem::invalid(vec![FieldError { pointer: format!("/{name}"), detail: "is too large".into() }])
        };
        Cents::new(number).map_err(error)
    };
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(PlanRequest {
        amount: cents("amount", amount)?,
        fee: cents("fee", fee)?,
        installments: small(installments),
        interval_days: small(interval_days),
        start_date,
    })
}
