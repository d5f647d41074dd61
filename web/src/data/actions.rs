//! The acting endpoints, a function each. What changes something carries an idempotency key, made once for what a
//! person means to do: sent twice, it is done once.

use paydown::api::{
    ClockRequest, LoginRequest, NoteRequest, ResolutionAction, ResolutionRequest, Run, RunRequest,
};
use paydown::id::{CreditId, ExceptionId};
use paydown::observation::Status;

use super::{Answer, request};

/// An idempotency key that nobody used before.
pub fn new_key() -> String {
    web_sys::window()
        .and_then(|window| window.crypto().ok())
        .map(|crypto| crypto.random_uuid())
        .unwrap_or_default()
}

/// `POST /v1/session`
pub async fn log_in(key: String) -> Answer<()> {
    request::post("/v1/session", &LoginRequest { key }, None).await.map(drop)
}

/// `DELETE /v1/session`
pub async fn log_out() -> Answer<()> {
    request::delete("/v1/session").await
}

/// `POST /v1/credits/{id}/hold`
pub async fn hold(id: CreditId, note: String, key: &str) -> Answer<()> {
    request::post(&format!("/v1/credits/{id}/hold"), &NoteRequest { note }, Some(key)).await.map(drop)
}

/// `POST /v1/credits/{id}/release`
pub async fn release(id: CreditId, note: String, key: &str) -> Answer<()> {
    request::post(&format!("/v1/credits/{id}/release"), &NoteRequest { note }, Some(key)).await.map(drop)
}

/// `POST /v1/exceptions/{id}/resolution`
pub async fn resolve(
    id: ExceptionId,
    action: ResolutionAction,
    status: Option<Status>,
    note: String,
    key: &str,
) -> Answer<()> {
    let path = format!("/v1/exceptions/{id}/resolution");
    let asked = ResolutionRequest { action, status, code: None, note };
    request::post(&path, &asked, Some(key)).await.map(drop)
}

/// `POST /v1/runs`
pub async fn run_now() -> Answer<Run> {
    let text = request::post("/v1/runs", &RunRequest {}, None).await?;
    request::parse(&text)
}

/// `POST /v1/sandbox/clock`
pub async fn advance_clock(advance_days: u32) -> Answer<()> {
    request::post("/v1/sandbox/clock", &ClockRequest { advance_days }, None).await.map(drop)
}
