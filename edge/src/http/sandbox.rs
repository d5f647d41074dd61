//! `POST /v1/sandbox/clock`: lives through days at once. Only in sandbox builds, and only with a processor on this
//! machine; anywhere else the route does not exist.

use axum::http::StatusCode;
use paydown::api::{FieldError, NoQuery};

use super::call::{Answered, Call, Members, json};
use super::problem::Problem;
use crate::run;

/// The most days that one call lives through.
const MAX_DAYS: u32 = 366;

/// The largest body of the route.
const MAX_BODY_BYTES: usize = 1024;

/// Moves the sandbox's clock and the simulator's on, and runs the daily run on each day passed.
pub async fn advance(mut call: Call) -> Answered {
    if !call.ports.settings.sandbox {
        return Err(Problem::not_found("this is no sandbox"));
    }
    call.parameters::<NoQuery>()?.check()?;
    let days = days(call.members(MAX_BODY_BYTES).await?).map_err(Problem::invalid)?;
    let now = run::advance(&call.ports, days).await?;
    json(StatusCode::OK, &serde_json::json!({ "now": now }))
}

fn days(mut members: Members) -> Result<u32, Vec<FieldError>> {
    let wrong = |detail: String| FieldError { pointer: "/advance_days".into(), detail };
    let given = members.take("advance_days").map_err(|error| vec![error])?;
    let whole = given.and_then(|value| value.as_u64()).and_then(|days| u32::try_from(days).ok());
    let days = whole.filter(|days| (1..=MAX_DAYS).contains(days));
    let mut errors = members.unknown();
    if days.is_none() {
        errors.push(wrong(format!("must be a whole number from 1 to {MAX_DAYS}")));
    }
    days.filter(|_| errors.is_empty()).ok_or(errors)
}
