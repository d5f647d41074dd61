//! `POST /v1/sandbox/clock`: lives through days at once. Only in sandbox builds, and only with a processor on this
//! machine; anywhere else the route does not exist.

use axum::http::StatusCode;
use paydown::api::NoQuery;

use super::call::{Answered, Call, json};
use super::problem::Problem;
use crate::run;

/// The most days that one call lives through.
const MAX_DAYS: u64 = 366;

/// The largest body of the route.
const MAX_BODY_BYTES: usize = 1024;

/// Moves the sandbox's clock and the simulator's on, and runs the daily run on each day passed.
pub async fn advance(mut call: Call) -> Answered {
    if !call.ports.settings.sandbox {
        return Err(Problem::not_found("this is no sandbox"));
    }
    call.parameters::<NoQuery>()?.check()?;
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let days: Option<u32> = body.whole("advance_days", 1..=MAX_DAYS);
    let days = body.finish(days)?;
    let now = run::advance(&call.ports, days).await?;
    json(StatusCode::OK, &serde_json::json!({ "now": now }))
}
