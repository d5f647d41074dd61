//! Runs: the list, one with its stages, its report, and a run now.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::stream::try_unfold;
use paydown::api::{NoQuery, Page, PageQuery, RunDetail};
use paydown::date::text;
use paydown::id::RunId;
use worker::send::SendFuture;

use super::call::{Answered, Call, cursor, json};
use super::csv::csv_or_json;
use super::problem::Problem;
use crate::error::Fault;
use crate::ledger::listings;
use crate::log;
use crate::message::Message;
use crate::run::{Opened, open};

/// How much of a report is in memory at once while it is handed out.
const CHUNK_BYTES: u64 = 1024 * 1024;

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// `GET /v1/runs`: newest first.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<PageQuery>()?;
    let limit = asked.limit();
    let before: Option<String> = asked.cursor();
    asked.check()?;
    let mut data = listings::runs(&*call.ports.database, before.as_deref(), limit.saturating_add(1)).await?;
    let has_more = data.len() > limit;
    data.truncate(limit);
    let last = data.last().filter(|_| has_more).map(|run| text(run.as_of));
    let next_cursor = last.map(|place| cursor(&place)).transpose()?;
    csv_or_json(&call, &Page { data, next_cursor })
}

/// `GET /v1/runs/{id}`.
pub async fn one(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id: RunId = call.id("run")?;
    json(StatusCode::OK, &found(&call, id).await?)
}

async fn found(call: &Call, id: RunId) -> Result<RunDetail, Problem> {
    let run = listings::run(&*call.ports.database, id).await?;
    run.ok_or_else(|| Problem::not_found(format!("there is no run {id}")))
}

/// `GET /v1/runs/{id}/report`: the archived bytes, as they were downloaded.
pub async fn report(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id: RunId = call.id("run")?;
    found(&call, id).await?;
    let report = crate::ledger::reports::of_run(&*call.ports.database, id).await?;
    let report = report.ok_or_else(|| Problem::not_found(format!("run {id} read no report")))?;

    let (archive, key, length) = (call.ports.archive.clone(), report.object_key, report.bytes);
    let chunks = try_unfold((archive, key, 0_u64), move |(archive, key, offset)| {
        SendFuture::new(async move {
            let bytes = archive.read(&key, offset, CHUNK_BYTES.min(length.saturating_sub(offset))).await?;
            let next = offset.saturating_add(u64::try_from(bytes.len()).unwrap_or(0));
            let chunk = (!bytes.is_empty()).then(|| (Bytes::from(bytes), (archive, key, next)));
            Ok::<_, Fault>(chunk)
        })
    });
    let mut response = Response::new(Body::from_stream(chunks));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// `POST /v1/runs` `{}`: opens a run of now, and leaves its work to the queue.
pub async fn start(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    call.body(MAX_BODY_BYTES).await?.finish(Some(()))?;
    let now = call.ports.clock.now().await?;
    let run = match open(&call.ports, now).await? {
        Opened::Open(run) => {
            let message = Message::Run { as_of: run.as_of, part: None };
            if let Err(fault) = call.ports.outbox.send(&message, 0).await {
                // The sweeper goes on with a run that is open.
                log::error(
                    "a run was not handed to the queue",
                    serde_json::json!({ "fault": fault.to_string() }),
                );
            }
            run
        }
        Opened::Closed(run) => run,
        Opened::Refused { last } => {
            return Err(Problem::conflict(format!(
                "the last run is of {}, which is later than now",
                text(last)
            )));
        }
    };
    let mut response = json(StatusCode::ACCEPTED, &found(&call, run.id).await?.run)?;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/runs/{}", run.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}
