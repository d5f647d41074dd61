//! The emergency brake: after a stop no advance and no debit leaves, until a start.

use axum::http::StatusCode;
use chrono::TimeDelta;
use paydown::api::NoQuery;
use paydown::date::Instant;
use paydown::id;
use uuid::Uuid;

use super::call::{Answered, Call, json};
use super::operations;
use super::problem::Problem;
use crate::ledger::stops;
use crate::log;

/// `POST /v1/stop` `{note}`: also inside a running slice. Stopped already, it stays as it is.
pub async fn stop(call: Call) -> Answered {
    put(call, true).await
}

/// `POST /v1/start` `{note}`.
pub async fn start(call: Call) -> Answered {
    put(call, false).await
}

async fn put(mut call: Call, in_force: bool) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let note = operations::note(&mut call).await?;
    let database = &*call.ports.database;
    let stop = stops::stop(database).await?;
    if stop.in_force != in_force {
        let now = call.ports.clock.now().await?;
        // The latest counts, also where the clock stood still in between.
        let next = stop.at.and_then(|at| at.checked_add_signed(TimeDelta::milliseconds(1)));
        let at = next.map_or(now, |next| next.max(now));
        let actor = call.actor();
        stops::put(database, new_id(at), in_force, &actor, &note, at).await?;
        let what = if in_force { "stopped" } else { "started" };
        log::info(what, serde_json::json!({ "request_id": call.request_id, "actor": actor }));
    }
    json(StatusCode::OK, &stops::stop(database).await.map_err(Problem::from)?)
}

fn new_id(at: Instant) -> Uuid {
    let [.., a, b, c, d, e, f, g, h] = Uuid::new_v4().into_bytes();
    id::created(0, u64::try_from(at.timestamp_millis()).unwrap_or(0), [a, b, c, d, e, f, g, h])
}
