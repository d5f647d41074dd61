//! The wire shapes of the HTTP API, as edge writes them and the dashboard reads them.
//!
//! Every figure in them comes from [`State`](crate::credit::State), so that no other place works out a status or a balance.

mod access;
mod credits;
mod debits;
mod events;
mod exceptions;
mod health;
mod journal;
mod plan;
mod problem;
mod refunds;
mod requests;
mod runs;
mod settings;
mod summary;
mod timeline;
mod webhooks;

pub use access::{ApiKey, NewApiKey, Scope, WhoAmI};
pub(crate) use credits::signed;
pub use credits::{Credit, CreditDetail};
pub use debits::Debit;
pub use events::{CreditEvent, DebitEvent, Event, EventData, EventType, ExceptionEvent, RunEvent};
pub use exceptions::{
    Exception, ExceptionDetail, ExceptionStatus, Resolution, ResolutionAction, Resolved, Stated,
};
pub use health::{Health, HealthStatus, LastRun};
pub use journal::JournalLine;
pub use plan::Plan;
pub use problem::{FieldError, Problem};
pub use refunds::Refund;
pub use requests::{
    AdvanceRequest, AttachRequest, ClockRequest, CreditsQuery, CreditsSort, DEFAULT_INSTALLMENTS,
    DEFAULT_INTERVAL_DAYS, DebitsQuery, DecisionRequest, EventsQuery, ExceptionsQuery,
    ExternalPaymentRequest, JournalQuery, KeyRequest, LoginRequest, NoQuery, NoteRequest, PageQuery,
    PauseRequest, PlanRequest, RefundRequest, ResolutionRequest, ResolutionsRequest, RewindRequest,
    RunRequest, SummaryQuery, WebhookRequest,
};
pub use runs::{Amounts, Counts, ReportFacts, Run, RunDetail, RunStatus, StageProgress};
pub use settings::{Intake, Settings, Stop};
pub use summary::{Age, Day, Failures, OpenKind, ReturnRate, Summary, Totals};
pub use timeline::TimelineEntry;
pub use webhooks::{NewWebhookEndpoint, WebhookDelivery, WebhookEndpoint, WebhookStatus};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// What the page holds; it may be fewer than asked for, and more may follow all the same.
    pub data: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}
