//! Events as the API tells them: listed by `GET /v1/events`, sent as webhooks, in the same words both times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RunStatus;
use crate::credit::Kind;
use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, DebitId, EventId, ExceptionId, RunId};
use crate::money::Cents;

/// Something that happened. It is made of facts that never change, so that whoever asks again is told the same, byte for
/// byte.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The event: the `webhook-id` of its deliveries. Who was told twice knows it by this.
    pub id: EventId,
    /// What happened.
    pub r#type: EventType,
    /// When: the instant of the decision, of the processor's answer, or of the run's end.
    pub timestamp: Instant,
    /// What it happened to.
    pub data: EventData,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EventType {
    /// The advance arrived: its latest word is success, and was not before.
    #[serde(rename = "credit.confirmed")]
    CreditConfirmed,
    /// The credit became `failed`.
    #[serde(rename = "credit.failed")]
    CreditFailed,
    /// The credit became `held`.
    #[serde(rename = "credit.held")]
    CreditHeld,
    /// The credit became `repaid`.
    #[serde(rename = "credit.repaid")]
    CreditRepaid,
    /// The processor gave the debit a transaction, and has said nothing of it yet.
    #[serde(rename = "debit.submitted")]
    DebitSubmitted,
    /// The debit became `collected`.
    #[serde(rename = "debit.collected")]
    DebitCollected,
    /// The debit became `failed`, or failed with another code.
    #[serde(rename = "debit.failed")]
    DebitFailed,
    /// The debit timed out.
    #[serde(rename = "debit.timed_out")]
    DebitTimedOut,
    /// The debit became `returned`, or was returned with another code.
    #[serde(rename = "debit.returned")]
    DebitReturned,
    /// A person must look at something.
    #[serde(rename = "exception.opened")]
    ExceptionOpened,
    /// Nobody must any more.
    #[serde(rename = "exception.closed")]
    ExceptionClosed,
    /// A run ended.
    #[serde(rename = "run.completed")]
    RunCompleted,
}

impl EventType {
    /// All of them.
    pub const ALL: [EventType; 12] = [
        EventType::CreditConfirmed,
        EventType::CreditFailed,
        EventType::CreditHeld,
        EventType::CreditRepaid,
        EventType::DebitSubmitted,
        EventType::DebitCollected,
        EventType::DebitFailed,
        EventType::DebitTimedOut,
        EventType::DebitReturned,
        EventType::ExceptionOpened,
        EventType::ExceptionClosed,
        EventType::RunCompleted,
    ];

    /// The name in SQL, JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            EventType::CreditConfirmed => "credit.confirmed",
            EventType::CreditFailed => "credit.failed",
            EventType::CreditHeld => "credit.held",
            EventType::CreditRepaid => "credit.repaid",
            EventType::DebitSubmitted => "debit.submitted",
            EventType::DebitCollected => "debit.collected",
            EventType::DebitFailed => "debit.failed",
            EventType::DebitTimedOut => "debit.timed_out",
            EventType::DebitReturned => "debit.returned",
            EventType::ExceptionOpened => "exception.opened",
            EventType::ExceptionClosed => "exception.closed",
            EventType::RunCompleted => "run.completed",
        }
    }
}

/// What an event happened to, by its type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum EventData {
    /// Of `debit.*`.
    Debit(DebitEvent),
    /// Of `exception.*`.
    Exception(ExceptionEvent),
    /// Of `run.completed`.
    Run(RunEvent),
    /// Of `credit.*`. It is the last, because the others may name a credit too.
    Credit(CreditEvent),
}

impl EventData {
    /// The credit that it is about, whose events come in order.
    pub fn credit_id(&self) -> Option<CreditId> {
        match self {
            EventData::Debit(debit) => Some(debit.credit_id),
            EventData::Exception(exception) => exception.credit_id,
            EventData::Run(_) => None,
            EventData::Credit(credit) => Some(credit.credit_id),
        }
    }
}

/// What an event says of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditEvent {
    /// The credit.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// What was advanced, in minor units.
    pub amount: Cents,
    /// What that costs.
    pub fee: Cents,
    /// The currency of both, ISO 4217.
    pub currency: String,
    /// The return code of `credit.failed`, if one was given.
    pub code: Option<String>,
}

/// What an event says of a debit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DebitEvent {
    /// The debit.
    pub debit_id: DebitId,
    /// Its place in the plan, from 1.
    pub sequence: u32,
    /// The credit that it collects for.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// What it collects, in minor units.
    pub amount: Cents,
    /// Its currency, ISO 4217.
    pub currency: String,
    /// When it was due.
    pub due_date: BusinessDate,
    /// The processor's name of its transaction, told by `debit.submitted` alone: others may come before it.
    pub transaction_id: Option<String>,
    /// The return code of `debit.failed` and `debit.returned`, if one was given.
    pub code: Option<String>,
}

/// What an event says of an exception.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExceptionEvent {
    /// The exception.
    pub exception_id: ExceptionId,
    /// What kind of exception it is.
    pub kind: Kind,
    /// The credit, debit, transaction, run, row, account or webhook endpoint that it is about.
    pub subject: String,
    /// The credit it concerns.
    pub credit_id: Option<CreditId>,
    /// The account of that credit.
    pub account_id: Option<String>,
    /// The run that opened it.
    pub run_id: Option<RunId>,
    /// How it closed, of `exception.closed`: by what a person did, or `closed` by itself.
    pub action: Option<String>,
}

/// What an event says of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunEvent {
    /// The run.
    pub run_id: RunId,
    /// Its date.
    pub business_date: BusinessDate,
    /// Its instant.
    pub as_of: Instant,
    /// How it ended.
    pub status: RunStatus,
}

#[cfg(test)]
mod tests {
    use super::EventType;

    #[test]
    fn a_type_is_told_by_its_name() {
        for of in EventType::ALL {
            assert_eq!(serde_json::to_value(of).unwrap(), of.name());
        }
    }
}
