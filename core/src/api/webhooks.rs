//! Webhooks: where events are sent, and what became of each sending. What is sent is an [`Event`](super::Event), signed as
//! Standard Webhooks says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::EventType;
use crate::date::Instant;
use crate::id::{CreditId, EventId};

/// An endpoint that events are sent to, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookEndpoint {
    /// The endpoint.
    pub id: Uuid,
    /// Where it is.
    pub url: String,
    /// What it is called.
    pub label: String,
    /// What it wants to be told; all types without any, those that will come included.
    pub event_types: Vec<EventType>,
    /// Whether it is sent anything.
    pub status: WebhookStatus,
    /// Who last paused, resumed, changed or removed it, or made it; `paydown` where it gave up.
    pub actor: String,
    /// Why it is paused, where it is not by a person.
    pub why: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub changed_at: Instant,
    /// How many events wait to be sent, those that it does not want included.
    pub waiting: u64,
    /// Since when nothing reaches it.
    pub failing_since: Option<Instant>,
    /// When what failed is sent again.
    pub next_attempt_at: Option<Instant>,
}

/// Whether an endpoint is sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookStatus {
    /// It is.
    Active,
    /// Not until it is resumed. What happens meanwhile waits.
    Paused,
    /// Never again.
    Removed,
}

/// An endpoint with its secret: shown when it is made, and when the secret is another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewWebhookEndpoint {
    /// What is kept of it.
    #[serde(flatten)]
    pub kept: WebhookEndpoint,
    /// What its webhooks are signed with: `whsec_` and 32 bytes in base64.
    pub secret: String,
}

/// One sending of an event to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookDelivery {
    /// The event.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// To which credit.
    pub credit_id: Option<CreditId>,
    /// When it was sent.
    pub at: Instant,
    /// The how manieth time in a row, from 1.
    pub attempt: u32,
    /// Whether it was taken: its status was from 200 to 299.
    pub delivered: bool,
    /// The HTTP status of the answer; none without one.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub why: Option<String>,
    /// How long the answer took.
    pub milliseconds: u64,
    /// When it is sent again, if it is.
    pub next_attempt_at: Option<Instant>,
    /// Who had it sent again by hand.
    pub resent_by: Option<String>,
}
