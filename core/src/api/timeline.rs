//! The timeline of a credit: every fact about it, and the rule of the law that it follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::credit::{Because, Kind, Reason};
use crate::date::Instant;
use crate::id::{DebitId, RefundId, RunId};
use crate::observation::Source;

/// One fact about a credit, and the rule of the law that it follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineEntry {
    /// When it came about.
    pub at: Instant,
    /// What kind of fact it is.
    pub kind: String,
    /// The debit it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub debit_id: Option<DebitId>,
    /// The refund it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refund_id: Option<RefundId>,
    /// The run that it came about in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub run_id: Option<RunId>,
    /// The rule, `L1` to `L10`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rule: Option<String>,
    /// Who said it, of an observation.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<Source>,
    /// The return code, of an observation or a word that has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What a person should know, in a sentence.
    pub detail: String,
}

impl Reason {
    /// The rule by which a debit of this reason is made.
    pub const fn rule(self) -> &'static str {
        match self {
            Reason::Planned => "L1",
            Reason::Failed | Reason::TimedOut | Reason::Returned => "L4",
            Reason::Shortened => "L6",
            Reason::Paused | Reason::PaidOff | Reason::OwedAgain => "L8",
        }
    }
}

impl Because {
    /// The rule by which a debit is cancelled because of this.
    pub const fn rule(self) -> &'static str {
        match self {
            Because::CreditReturned => "L2",
            Because::Shortened => "L6",
            Because::Paused | Because::PaidOff | Because::WrittenOff => "L8",
        }
    }
}

impl Kind {
    /// The rule by which an exception of this kind is opened; those about the machine follow from the run's order.
    pub const fn rule(self) -> &'static str {
        match self {
            Kind::CreditUnconfirmed | Kind::CreditReturned | Kind::CreditContradiction => "L2",
            Kind::NoAnswer | Kind::OverCollectionPrevented => "L3",
            Kind::TimeoutLimit | Kind::ReportGap | Kind::ReportHole => "L5",
            Kind::OverCollected | Kind::UnknownTransaction | Kind::MalformedRow => "L6",
            Kind::HardReturn | Kind::UnknownReturnCode | Kind::RetryLimit => "L7",
            Kind::HeldByOperator | Kind::DecisionContradicted | Kind::OverRefunded | Kind::TwoStrikes => "L8",
            Kind::RunLate
            | Kind::DeadLetter
            | Kind::RequestRefused
            | Kind::RunLimit
            | Kind::WebhookFailing => "L10",
        }
    }
}
