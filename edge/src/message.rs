//! What waits in the queue: each message with all that its work needs.

use paydown::date::Instant;
use paydown::id::CreditId;
use paydown::plan::Terms;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Fault;
use crate::log;

/// Work for another invocation. Each message may be delivered twice, late, or never.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "work")]
pub enum Message {
    /// Open the run of an instant, or go on with it.
    Run {
        /// Its `as_of`.
        as_of: Instant,
        /// The part of it that is to be done, if not all.
        #[serde(default)]
        part: Option<PartName>,
    },
    /// Call the processor for a credit that was recorded.
    Submit {
        /// The credit.
        credit_id: CreditId,
    },
    /// Record an advance that was answered already, and call the processor for it.
    Record {
        /// The API key that allowed it.
        api_key_id: Uuid,
        /// What was asked for.
        intent: Box<Intent>,
    },
    /// Send an endpoint the events that wait for it.
    Webhooks {
        /// The endpoint.
        endpoint_id: Uuid,
    },
}

/// The name of a part of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartName {
    /// Its stage.
    pub stage: String,
    /// Its number.
    pub number: u32,
}

/// An advance that was asked for, as it is recorded or waits in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The credit it makes, if it makes one.
    pub id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// The one currency.
    pub currency: String,
    /// What is agreed about the repayment.
    pub terms: Terms,
    /// What the processor will be asked, byte for byte.
    pub body: String,
    /// When it was asked for; the credit is never created before the last run's instant.
    pub asked_at: Instant,
    /// The client's idempotency key.
    pub idempotency_key: String,
    /// What the request asks for, whatever its spelling.
    pub fingerprint: String,
    /// The request.
    pub request_id: String,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Done,
    /// It comes again.
    Later {
        /// After so many seconds.
        seconds: u32,
    },
}

impl Verdict {
    /// When a message comes again after a fault.
    pub fn after(fault: &Fault) -> Verdict {
        match fault {
            Fault::Transient(_) => Verdict::Later { seconds: 1 },
            Fault::Overloaded(_) => Verdict::Later { seconds: 30 },
            Fault::Permanent(_) => Verdict::Later { seconds: 10 },
        }
    }

    /// What becomes of a message whose work came to this.
    pub fn of(outcome: Result<(), Fault>, what: &str) -> Verdict {
        let Err(fault) = outcome else { return Verdict::Done };
        log::error("message failed", serde_json::json!({ "work": what, "why": fault.to_string() }));
        Verdict::after(&fault)
    }
}
