//! What requests carry in their bodies and queries. What is not named here is refused.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EventType, ExceptionStatus, ResolutionAction, Scope};
use crate::credit::{CreditStatus, DebitStatus, Kind};
use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, EventId, RunId, TransactionId};
use crate::money::Cents;
use crate::observation::Status;
use crate::plan::Terms;

/// What `perform_advance` asks for: `POST /v1/perform_advance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvanceRequest {
    /// The customer's bank account.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[A-Za-z0-9_.:-]+$"))]
    pub account_id: String,
    /// What is to be paid out, in minor units; at most the setting `MAX_ADVANCE`.
    #[schemars(range(min = 1))]
    pub amount: Cents,
    /// What it costs; at most the amount.
    #[serde(default)]
    pub fee: Cents,
    /// The currency, ISO 4217; only the one configured is taken, which is the default.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(regex(pattern = r"^[A-Z]{3}$"))]
    pub currency: String,
    /// How many installments; at most as many as there are minor units owed.
    #[serde(default = "default_installments")]
    #[schemars(range(min = 1, max = 104))]
    pub installments: u32,
    /// Days from one installment to the next.
    #[serde(default = "default_interval_days")]
    #[schemars(range(min = 1, max = 92))]
    pub interval_days: u32,
}

impl AdvanceRequest {
    /// What is agreed about the repayment.
    pub const fn terms(&self) -> Terms {
        let AdvanceRequest { amount, fee, installments, interval_days, .. } = *self;
        Terms { amount, fee, installments, interval_days }
    }
}

/// How many installments an advance has unless it asks for others.
pub const DEFAULT_INSTALLMENTS: u32 = 12;

/// How many days lie between two of them.
pub const DEFAULT_INTERVAL_DAYS: u32 = 7;

const fn default_installments() -> u32 {
    DEFAULT_INSTALLMENTS
}

const fn default_interval_days() -> u32 {
    DEFAULT_INTERVAL_DAYS
}

/// Why an operator acts on a credit, stops or starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteRequest {
    /// Why, for who reads the timeline later.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// For how long a plan waits: `POST /v1/credits/{id}/pause`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// How many intervals later each scheduled debit becomes due, at least.
    #[schemars(range(min = 1, max = 104))]
    pub intervals: u32,
    /// Why.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// What is given back: `POST /v1/credits/{id}/refund`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundRequest {
    /// How much, in minor units; at most what was paid beyond what is owed.
    #[schemars(range(min = 1))]
    pub amount: Cents,
    /// Why.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// What was paid elsewhere: `POST /v1/credits/{id}/external_payment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalPaymentRequest {
    /// How much, in minor units.
    #[schemars(range(min = 1))]
    pub amount: Cents,
    /// When it was received.
    pub received_on: BusinessDate,
    /// By what evidence.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// What became of a transaction: `POST /v1/credits/{id}/decision` and `POST /v1/debits/{id}/decision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// What became of it.
    pub status: Status,
    /// The return code, of a failure alone.
    #[serde(default)]
    #[schemars(length(min = 1, max = 16), regex(pattern = r"^[A-Za-z0-9]+$"))]
    pub code: Option<String>,
    /// By what evidence.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// Which transaction it is: `POST /v1/credits/{id}/attach`, the same of debits and refunds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachRequest {
    /// The processor's id of it.
    pub transaction_id: TransactionId,
    /// By what evidence.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// How an exception is resolved: `POST /v1/exceptions/{id}/resolution`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolutionRequest {
    /// One of the exception's `actions`.
    pub action: ResolutionAction,
    /// What became of the transactions whose word is missing; for `decide`, and for it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The return code, of a failure alone.
    #[serde(default)]
    #[schemars(length(min = 1, max = 16), regex(pattern = r"^[A-Za-z0-9]+$"))]
    pub code: Option<String>,
    /// Why.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// How many exceptions of a kind are resolved: `POST /v1/exceptions/resolutions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolutionsRequest {
    /// Of which kind.
    pub kind: Kind,
    /// Those that one run opened; all of the kind without it.
    #[serde(default)]
    pub run_id: Option<RunId>,
    /// What is done to each for which it makes sense; the others are left.
    pub action: ResolutionAction,
    /// What became of the transactions whose word is missing; for `decide`, and for it alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The return code, of a failure alone.
    #[serde(default)]
    #[schemars(length(min = 1, max = 16), regex(pattern = r"^[A-Za-z0-9]+$"))]
    pub code: Option<String>,
    /// Why.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"\S"))]
    pub note: String,
}

/// The API key that is asked for: `POST /v1/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// What it is to allow.
    #[schemars(length(min = 1))]
    pub scopes: Vec<Scope>,
    /// What its owner calls it.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"\S"))]
    pub label: String,
}

/// Where events are to be sent: `POST /v1/webhook_endpoints`, and to another place `POST /v1/webhook_endpoints/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRequest {
    /// An `https` address on the public internet, by a name and at the usual port, without user, password and `#`.
    #[schemars(length(min = 1, max = 2000), regex(pattern = r"^https?://"))]
    pub url: String,
    /// What is to be sent; everything without any.
    #[serde(default)]
    pub event_types: Vec<EventType>,
    /// What it is called.
    #[schemars(length(min = 1, max = 100), regex(pattern = r"\S"))]
    pub label: String,
}

/// From where on all is sent anew: `POST /v1/webhook_endpoints/{id}/rewind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewindRequest {
    /// Behind this event; from the very first on without one.
    #[serde(default)]
    pub after: Option<EventId>,
}

/// The key that logs in: `POST /v1/session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// An API key.
    pub key: String,
}

/// An empty object: `POST /v1/runs`, and what is done to a webhook endpoint without saying more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {}

/// How far the sandbox's clock goes: `POST /v1/sandbox/clock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockRequest {
    /// How many days are lived through.
    #[schemars(range(min = 1, max = 366))]
    pub advance_days: u32,
}

/// Which credits are listed: `GET /v1/credits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditsQuery {
    /// Those of this account.
    pub account_id: Option<String>,
    /// Those that stand there now.
    pub status: Option<CreditStatus>,
    /// Those asked for after this instant.
    pub created_after: Option<Instant>,
    /// Those asked for before this instant.
    pub created_before: Option<Instant>,
    /// The credit that this id, debit id, transaction id or idempotency key names, or those whose account id contains it, or
    /// that are of this amount in major units (`1,000.00`), without or with the fee.
    pub q: Option<String>,
    /// By when they were asked for: the newest first, which is the default, or the oldest.
    pub sort: Option<CreditsSort>,
    /// The credit that this idempotency key made.
    pub idempotency_key: Option<String>,
    /// How many entries the page has at most, 50 by default.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
}

/// The order of credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CreditsSort {
    /// The newest first.
    #[serde(rename = "-created_at")]
    NewestFirst,
    /// The oldest first.
    #[serde(rename = "created_at")]
    OldestFirst,
}

/// Which debits are listed: `GET /v1/debits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DebitsQuery {
    /// Those of this credit.
    pub credit_id: Option<CreditId>,
    /// Those that stand there now.
    pub status: Option<DebitStatus>,
    /// Those due on this date or later.
    pub due_from: Option<BusinessDate>,
    /// Those due on this date or earlier.
    pub due_to: Option<BusinessDate>,
    /// How many entries the page has at most, 50 by default.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
}

/// Which exceptions are listed: `GET /v1/exceptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExceptionsQuery {
    /// Those that are open, or resolved.
    pub status: Option<ExceptionStatus>,
    /// Those of this kind.
    pub kind: Option<Kind>,
    /// How many entries the page has at most, 50 by default.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
}

/// Which entries of a list without filters: `GET /v1/runs` and `GET /v1/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageQuery {
    /// How many entries the page has at most, 50 by default.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the page begins: the `next_cursor` of an earlier answer.
    pub cursor: Option<String>,
}

/// Which days the figures by day show: `GET /v1/summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SummaryQuery {
    /// The first; 28 days before today by default.
    pub from: Option<BusinessDate>,
    /// The last, at most 365 days later; 28 days after today by default.
    pub to: Option<BusinessDate>,
}

/// Which lines of the journal are listed: `GET /v1/journal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalQuery {
    /// The first business date; that of the first entry by default.
    pub from: Option<BusinessDate>,
    /// The last business date; today by default.
    pub to: Option<BusinessDate>,
    /// How many lines a page has at most; 50 by default.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the page begins: an earlier answer's `next_cursor`.
    pub cursor: Option<String>,
}

/// Which events are listed: `GET /v1/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventsQuery {
    /// Those behind this event: the last one that was seen. From the first on without it.
    pub after: Option<EventId>,
    /// Those of this type.
    pub r#type: Option<EventType>,
    /// Those of this credit.
    pub credit_id: Option<CreditId>,
    /// How many events a page has at most; 50 by default.
    #[schemars(range(min = 1, max = 200))]
    pub limit: Option<u32>,
    /// Where the page begins: an earlier answer's `next_cursor`.
    pub cursor: Option<String>,
}

/// What a plan is asked for: `GET /v1/plan`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRequest {
    /// What would be paid out, in minor units; at most the setting `MAX_ADVANCE`.
    #[schemars(range(min = 1))]
    pub amount: Cents,
    /// What it would cost; at most the amount.
    #[serde(default)]
    pub fee: Cents,
    /// How many installments; at most as many as there are minor units owed.
    #[serde(default = "default_installments")]
    #[schemars(range(min = 1, max = 104))]
    pub installments: u32,
    /// Days from one installment to the next.
    #[serde(default = "default_interval_days")]
    #[schemars(range(min = 1, max = 92))]
    pub interval_days: u32,
    /// The date of the advance; today by default.
    pub start_date: Option<BusinessDate>,
}

impl PlanRequest {
    /// What would be agreed about the repayment.
    pub const fn terms(&self) -> Terms {
        let PlanRequest { amount, fee, installments, interval_days, .. } = *self;
        Terms { amount, fee, installments, interval_days }
    }
}

/// Without parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoQuery {}
