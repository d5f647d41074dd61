//! Exceptions: the list, open first, then oldest first.

use axum::http::StatusCode;
use paydown::api::{Exception, ExceptionStatus, Page, Scope};
use paydown::credit::Kind;

use super::call::{Answered, Call, cursor, json};
use super::credits::{MAX_EXAMINED, SLICE};
use super::problem::Problem;
use crate::ledger::listings::{self, ExceptionPlace};
use crate::ports::Ports;

/// `GET /v1/exceptions`.
pub async fn list(call: Call) -> Answered {
    call.authorize(Scope::Read).await?;
    let mut asked = call.parameters(&["status", "kind", "limit", "cursor"])?;
    let status: Option<ExceptionStatus> = asked.named("status", "open or resolved");
    let kind: Option<Kind> = asked.named("kind", "a kind of exception, such as hard_return");
    let limit = asked.limit();
    let behind: ExceptionPlace = asked.cursor().unwrap_or_default();
    asked.check()?;
    json(StatusCode::OK, &page(&call.ports, behind, status, kind, limit).await?)
}

/// Examines exceptions from a place on: all for the open ones first, then all again for the resolved.
async fn page(
    ports: &Ports,
    mut behind: ExceptionPlace,
    status: Option<ExceptionStatus>,
    kind: Option<Kind>,
    limit: usize,
) -> Result<Page<Exception>, Problem> {
    behind.past_open |= status == Some(ExceptionStatus::Resolved);
    let mut data = Vec::new();
    for _ in 0..MAX_EXAMINED.div_ceil(SLICE) {
        let examined = listings::exceptions(&*ports.database, &behind, SLICE).await?;
        let is_last = examined.len() < SLICE;
        let looked_for = if behind.past_open { ExceptionStatus::Resolved } else { ExceptionStatus::Open };
        for candidate in examined {
            if data.len() == limit {
                return Ok(Page { data, next_cursor: Some(cursor(&behind)?) });
            }
            let exception = candidate.exception;
            behind.opened_at = candidate.place;
            behind.id = exception.id.to_string();
            if exception.status == looked_for && kind.is_none_or(|kind| kind == exception.kind) {
                data.push(exception);
            }
        }
        if is_last && (behind.past_open || status == Some(ExceptionStatus::Open)) {
            return Ok(Page { data, next_cursor: None });
        }
        if is_last {
            behind = ExceptionPlace { past_open: true, ..ExceptionPlace::default() };
        }
    }
    Ok(Page { data, next_cursor: Some(cursor(&behind)?) })
}
