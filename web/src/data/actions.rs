//! The acting endpoints, a function each. What changes something carries an idempotency key, made once for what a
//! person means to do: sent twice, it is done once.

use paydown::api::{
    AttachRequest, ClockRequest, DecisionRequest, EventType, ExternalPaymentRequest, KeyRequest,
    LoginRequest, NewApiKey, NewWebhookEndpoint, NoteRequest, PauseRequest, RefundRequest, ResolutionRequest,
    ResolutionsRequest, Resolved, Run, RunRequest, Scope, Stop, WebhookDelivery, WebhookRequest,
};
use paydown::decision::Input;
use paydown::id::{CreditId, EventId, ExceptionId};
use serde::Serialize;
use uuid::Uuid;

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

/// What is acted on: a credit, or a debit or refund of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The credit.
    pub credit_id: CreditId,
    /// `credits`, `debits` or `refunds`, as the path has it.
    pub part: &'static str,
    /// Which of them; of a payment made elsewhere, the payment of the credit.
    pub id: Uuid,
}

/// `POST /v1/credits/{id}/hold` and all else that an operator does to a credit, its debits and its refunds. What was
/// shown before is what is asked: the input of the decision says it.
pub async fn act(subject: &Subject, input: Input, note: String, key: &str) -> Answer<()> {
    let Some((name, body)) = asked(input, note) else { return Ok(()) };
    let Subject { credit_id, part, id } = subject;
    let path = match name {
        "revoke" => format!("/v1/credits/{credit_id}/external_payment/{id}/revoke"),
        name => format!("/v1/{part}/{id}/{name}"),
    };
    request::post_text(path, body, Some(key.to_owned())).await.map(drop)
}

/// What an input is called in the path, and its body; none for those of the run, which nobody asks for.
fn asked(input: Input, note: String) -> Option<(&'static str, String)> {
    Some(match input {
        Input::Hold => ("hold", json(&NoteRequest { note })),
        Input::Release { .. } => ("release", json(&NoteRequest { note })),
        Input::WriteOff => ("write_off", json(&NoteRequest { note })),
        Input::PayOff => ("pay_off", json(&NoteRequest { note })),
        Input::Revoke { .. } => ("revoke", json(&NoteRequest { note })),
        Input::Pause { intervals } => ("pause", json(&PauseRequest { intervals, note })),
        Input::Refund { amount, .. } => ("refund", json(&RefundRequest { amount, note })),
        Input::ExternalPayment { amount, received_on, .. } => {
            ("external_payment", json(&ExternalPaymentRequest { amount, received_on, note }))
        }
        Input::Decide { status, code, .. } => ("decision", json(&DecisionRequest { status, code, note })),
        Input::Attach { transaction_id, .. } => ("attach", json(&AttachRequest { transaction_id, note })),
        Input::Words { .. }
        | Input::Refusal { .. }
        | Input::Seek
        | Input::Issue
        | Input::TwoStrikes { .. } => {
            return None;
        }
    })
}

fn json(body: &impl Serialize) -> String {
    // The shapes of the contract can always be written.
    serde_json::to_string(body).unwrap_or_default()
}

/// `POST /v1/exceptions/{id}/resolution`
pub async fn resolve(id: ExceptionId, asked: ResolutionRequest, key: &str) -> Answer<()> {
    request::post(&format!("/v1/exceptions/{id}/resolution"), &asked, Some(key)).await.map(drop)
}

/// `POST /v1/exceptions/resolutions`
pub async fn resolve_many(asked: &ResolutionsRequest) -> Answer<Resolved> {
    let text = request::post("/v1/exceptions/resolutions", asked, None).await?;
    request::parse(&text)
}

/// `POST /v1/stop` or `POST /v1/start`
pub async fn brake(stop: bool, note: String) -> Answer<Stop> {
    let path = if stop { "/v1/stop" } else { "/v1/start" };
    let text = request::post(path, &NoteRequest { note }, None).await?;
    request::parse(&text)
}

/// `POST /v1/runs`
pub async fn run_now() -> Answer<Run> {
    let text = request::post("/v1/runs", &RunRequest {}, None).await?;
    request::parse(&text)
}

/// `POST /v1/keys`
pub async fn make_key(label: String, scopes: Vec<Scope>) -> Answer<NewApiKey> {
    let text = request::post("/v1/keys", &KeyRequest { scopes, label }, None).await?;
    request::parse(&text)
}

/// `DELETE /v1/keys/{id}`
pub async fn revoke_key(id: Uuid) -> Answer<()> {
    request::delete(&format!("/v1/keys/{id}")).await
}

/// `POST /v1/webhook_endpoints`
pub async fn make_webhook_endpoint(
    url: String,
    event_types: Vec<EventType>,
    label: String,
) -> Answer<NewWebhookEndpoint> {
    let asked = WebhookRequest { url, event_types, label };
    let text = request::post("/v1/webhook_endpoints", &asked, None).await?;
    request::parse(&text)
}

/// `POST /v1/webhook_endpoints/{id}/pause` or `resume`
pub async fn act_on_webhook(id: Uuid, act: &str) -> Answer<()> {
    request::post(&format!("/v1/webhook_endpoints/{id}/{act}"), &RunRequest {}, None).await.map(drop)
}

/// `POST /v1/webhook_endpoints/{id}/rotate_secret`
pub async fn rotate_webhook_secret(id: Uuid) -> Answer<NewWebhookEndpoint> {
    let path = format!("/v1/webhook_endpoints/{id}/rotate_secret");
    request::parse(&request::post(&path, &RunRequest {}, None).await?)
}

/// `DELETE /v1/webhook_endpoints/{id}`
pub async fn remove_webhook_endpoint(id: Uuid) -> Answer<()> {
    request::delete(&format!("/v1/webhook_endpoints/{id}")).await
}

/// `POST /v1/webhook_endpoints/{id}/events/{event_id}/resend`
pub async fn resend_webhook(id: Uuid, event_id: EventId) -> Answer<WebhookDelivery> {
    let path = format!("/v1/webhook_endpoints/{id}/events/{event_id}/resend");
    request::parse(&request::post(&path, &RunRequest {}, None).await?)
}

/// `POST /v1/sandbox/clock`
pub async fn advance_clock(advance_days: u32) -> Answer<()> {
    request::post("/v1/sandbox/clock", &ClockRequest { advance_days }, None).await.map(drop)
}
