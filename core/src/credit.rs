//! The facts of one credit, and what follows from them: statuses and balances, never stored.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::DueDate;
use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, DebitId, ExceptionId, RefundId, TransactionId};
use crate::money::Cents;
use crate::observation::{Observation, Outcome, Word};
use crate::plan::Terms;

/// All facts of one credit: what a decision takes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// The credit.
    pub id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// The currency of all its amounts, ISO 4217.
    pub currency: String,
    /// What is agreed about the repayment.
    pub terms: Terms,
    /// When the advance was asked for.
    pub created_at: Instant,
    /// How many decisions were taken on it; the next one takes this turn.
    pub turn: u32,
    /// The transaction that pays it out, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// Its debits, by sequence.
    pub debits: Vec<DebitFacts>,
    /// What was said of its transaction and its debits', in any order.
    pub observations: Vec<Observation>,
    /// The words that decisions took into effect, in the order of the decisions.
    pub words: Vec<Word>,
    /// The credit or debits that timed out.
    pub timeouts: Vec<Uuid>,
    /// The first unknown answer to the call for a credit or debit.
    pub unknown_answers: Vec<UnknownAnswer>,
    /// What stops it from issuing, released or not.
    pub holds: Vec<Hold>,
    /// Its exceptions, open or not.
    pub exceptions: Vec<Exception>,
    /// Whether an operator gave it up.
    pub written_off: bool,
    /// What was paid elsewhere, revoked or not.
    #[serde(default)]
    pub external_payments: Vec<ExternalPayment>,
    /// What was given back, or is to be.
    #[serde(default)]
    pub refunds: Vec<RefundFacts>,
}

impl Facts {
    /// What is known of an advance that was just asked for.
    pub fn asked_for(
        id: CreditId,
        account_id: &str,
        currency: &str,
        terms: Terms,
        created_at: Instant,
    ) -> Facts {
        Facts {
            id,
            account_id: account_id.to_owned(),
            currency: currency.to_owned(),
            terms,
            created_at,
            turn: 0,
            transaction_id: None,
            debits: vec![],
            observations: vec![],
            words: vec![],
            timeouts: vec![],
            unknown_answers: vec![],
            holds: vec![],
            exceptions: vec![],
            written_off: false,
            external_payments: vec![],
            refunds: vec![],
        }
    }
}

/// Money that goes back to the customer by a credit transaction of its own (L8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundFacts {
    /// The refund, and the idempotency key of its transaction.
    pub id: RefundId,
    /// What is given back; never zero.
    pub amount: Cents,
    /// When the intent to give it back was written.
    pub submitted_at: Instant,
    /// Its transaction, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
}

/// A payment that did not come by a debit (L8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExternalPayment {
    /// The payment.
    pub id: Uuid,
    /// What was paid; never zero.
    pub amount: Cents,
    /// When it was received.
    pub received_on: BusinessDate,
    /// Whether an operator took it back: it counts no more.
    pub revoked: bool,
    /// The sequences of the debits that it shortened at once.
    #[serde(default)]
    pub shortened: Vec<u32>,
}

/// The facts of one debit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DebitFacts {
    /// The debit, and the idempotency key of its transaction.
    pub id: DebitId,
    /// Its place in the plan, from 1, in the order of creation.
    pub sequence: u32,
    /// What it collects; never zero.
    pub amount: Cents,
    /// When it is due.
    pub due_date: BusinessDate,
    /// When it would be due if due dates did not roll, where that is another date (L9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrolled_due_date: Option<BusinessDate>,
    /// Why it was made.
    pub reason: Reason,
    /// The sequence of the debit in whose place it is.
    pub replaces: Option<u32>,
    /// When the intent to submit it was written.
    pub submitted_at: Option<Instant>,
    /// Its transaction, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// Why it will never be submitted.
    pub cancelled_because: Option<Because>,
}

impl DebitFacts {
    /// Its date in the plan's cadence, from which slots and shifts are counted (L9).
    pub fn unrolled(&self) -> BusinessDate {
        self.unrolled_due_date.unwrap_or(self.due_date)
    }

    pub(crate) fn due(&self) -> DueDate {
        DueDate { rolled: self.due_date, unrolled: self.unrolled_due_date }
    }
}

/// The first call under a key whose outcome at the processor is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownAnswer {
    /// The credit or debit it was for.
    pub subject: Uuid,
    /// When it was made.
    pub at: Instant,
}

/// Why a debit was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// An installment of the plan (L1).
    Planned,
    /// The one it replaces failed (L4).
    Failed,
    /// The one it replaces timed out (L4, L5).
    TimedOut,
    /// The one it replaces was returned (L4).
    Returned,
    /// The one it replaces was more than was still owed (L6).
    Shortened,
    /// The plan was paused (L8).
    Paused,
    /// The rest is collected at once (L8).
    PaidOff,
    /// What it collects was taken for paid, and is owed after all: a payment was revoked, or given back (L8).
    OwedAgain,
}

/// Why a debit was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The bank returned the advance (L2).
    CreditReturned,
    /// It was more than was still owed (L6).
    Shortened,
    /// The plan was paused (L8).
    Paused,
    /// The rest is collected at once (L8).
    PaidOff,
    /// The credit was written off (L8).
    WrittenOff,
}

/// Something that stops a credit from issuing debits until it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// The exception that says why.
    pub exception_id: ExceptionId,
    /// Whether it was released.
    pub released: bool,
}

/// Something a person must look at, until resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ExceptionFacts")]
pub struct Exception {
    /// The exception.
    pub id: ExceptionId,
    /// What it is about.
    pub kind: Kind,
    /// The credit or debit it is about.
    pub subject: Uuid,
    /// Whether it is open.
    pub open: bool,
    /// Whether a person closed it: the same cause does not open it again.
    #[serde(default)]
    pub closed_by_operator: bool,
}

/// The kinds of exceptions of the law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// No word on an advance for five days (L2).
    CreditUnconfirmed,
    /// The bank returned an advance that was planned (L2).
    CreditReturned,
    /// An advance succeeded that had failed before (L2).
    CreditContradiction,
    /// A transaction whose outcome at the processor cannot be sought any more (L3).
    NoAnswer,
    /// A debit that would have collected more than is owed (L3).
    OverCollectionPrevented,
    /// Three debits timed out (L5).
    TimeoutLimit,
    /// The reports read do not cover the time since a debit was submitted (L5).
    ReportGap,
    /// Two complete reports with a hole between them (L5).
    ReportHole,
    /// More was collected than is owed (L6).
    OverCollected,
    /// A report row of a transaction that we do not know (L6).
    UnknownTransaction,
    /// A report row that cannot be read (L6).
    MalformedRow,
    /// The account cannot or must not be debited (L7).
    HardReturn,
    /// A return code that the table does not know (L7).
    UnknownReturnCode,
    /// No presentment left, or no date (L7).
    RetryLimit,
    /// An operator holds the credit (L8).
    HeldByOperator,
    /// A row says otherwise than an operator decided (L8).
    DecisionContradicted,
    /// More was refunded than was paid (L8).
    OverRefunded,
    /// Two debits in a row failed on an account (L8).
    TwoStrikes,
    /// The day's run did not come by the cron.
    RunLate,
    /// A queue message that could not be handled.
    DeadLetter,
    /// An advance that was answered from the queue and may not be recorded after all.
    RequestRefused,
    /// More debits were due, or for more, than a run may issue: it issued none of them.
    RunLimit,
    /// Events did not reach a webhook endpoint for days: it is paused.
    WebhookFailing,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 23] = [
        Kind::CreditUnconfirmed,
        Kind::CreditReturned,
        Kind::CreditContradiction,
        Kind::NoAnswer,
        Kind::OverCollectionPrevented,
        Kind::TimeoutLimit,
        Kind::ReportGap,
        Kind::ReportHole,
        Kind::OverCollected,
        Kind::UnknownTransaction,
        Kind::MalformedRow,
        Kind::HardReturn,
        Kind::UnknownReturnCode,
        Kind::RetryLimit,
        Kind::HeldByOperator,
        Kind::DecisionContradicted,
        Kind::OverRefunded,
        Kind::TwoStrikes,
        Kind::RunLate,
        Kind::DeadLetter,
        Kind::RequestRefused,
        Kind::RunLimit,
        Kind::WebhookFailing,
    ];

    /// The name in SQL, JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::CreditUnconfirmed => "credit_unconfirmed",
            Kind::CreditReturned => "credit_returned",
            Kind::CreditContradiction => "credit_contradiction",
            Kind::NoAnswer => "no_answer",
            Kind::OverCollectionPrevented => "over_collection_prevented",
            Kind::TimeoutLimit => "timeout_limit",
            Kind::ReportGap => "report_gap",
            Kind::ReportHole => "report_hole",
            Kind::OverCollected => "over_collected",
            Kind::UnknownTransaction => "unknown_transaction",
            Kind::MalformedRow => "malformed_row",
            Kind::HardReturn => "hard_return",
            Kind::UnknownReturnCode => "unknown_return_code",
            Kind::RetryLimit => "retry_limit",
            Kind::HeldByOperator => "held_by_operator",
            Kind::DecisionContradicted => "decision_contradicted",
            Kind::OverRefunded => "over_refunded",
            Kind::TwoStrikes => "two_strikes",
            Kind::RunLate => "run_late",
            Kind::DeadLetter => "dead_letter",
            Kind::RequestRefused => "request_refused",
            Kind::RunLimit => "run_limit",
            Kind::WebhookFailing => "webhook_failing",
        }
    }
}

/// Where a credit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatus {
    /// Paid out or to be, without word.
    Pending,
    /// Without word for five days.
    Unconfirmed,
    /// The latest word is failure.
    Failed,
    /// Given up by an operator.
    WrittenOff,
    /// All that is owed was paid.
    Repaid,
    /// Issues nothing until released.
    Held,
    /// Being collected.
    Active,
}

/// Where a debit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DebitStatus {
    /// Not due, or due and not issued.
    Scheduled,
    /// The intent is written; no transaction id yet.
    Processing,
    /// Has a transaction, without word.
    Submitted,
    /// The latest word is success.
    Collected,
    /// The latest word is failure.
    Failed,
    /// Without word for five days under coverage.
    TimedOut,
    /// Failed after it was collected.
    Returned,
    /// Will never be submitted.
    Cancelled,
}

/// A debit with what its words and timeouts come to.
#[derive(Debug, Clone)]
pub(crate) struct Debit {
    pub facts: DebitFacts,
    pub outcome: Option<Outcome>,
    pub code: Option<String>,
    pub resolved_at: Option<Instant>,
    pub timed_out: bool,
}

impl Debit {
    pub fn status(&self) -> DebitStatus {
        if self.facts.cancelled_because.is_some() {
            return DebitStatus::Cancelled;
        }
        if self.facts.submitted_at.is_none() {
            return DebitStatus::Scheduled;
        }
        match self.outcome {
            Some(Outcome::Success | Outcome::Recovered) => DebitStatus::Collected,
            Some(Outcome::Failure) => DebitStatus::Failed,
            Some(Outcome::Returned) => DebitStatus::Returned,
            None if self.facts.transaction_id.is_none() => DebitStatus::Processing,
            None if self.timed_out => DebitStatus::TimedOut,
            None => DebitStatus::Submitted,
        }
    }

    pub fn is_scheduled(&self) -> bool {
        self.facts.submitted_at.is_none() && self.facts.cancelled_because.is_none()
    }

    pub fn is_in_flight(&self) -> bool {
        self.facts.submitted_at.is_some() && self.outcome.is_none() && !self.timed_out
    }
}

/// A refund with what its words come to.
#[derive(Debug, Clone)]
pub(crate) struct Refund {
    pub facts: RefundFacts,
    pub outcome: Option<Outcome>,
    pub resolved_at: Option<Instant>,
    pub timed_out: bool,
}

impl Refund {
    pub fn status(&self) -> RefundStatus {
        match self.outcome {
            Some(Outcome::Success | Outcome::Recovered) => RefundStatus::Confirmed,
            Some(Outcome::Failure | Outcome::Returned) => RefundStatus::Failed,
            None if self.facts.transaction_id.is_none() => RefundStatus::Processing,
            None if self.timed_out => RefundStatus::Unconfirmed,
            None => RefundStatus::Submitted,
        }
    }

    /// Refunded from its intent until it fails.
    pub fn counts(&self) -> bool {
        self.outcome.is_none_or(Outcome::is_success)
    }
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundStatus {
    /// The intent is written; no transaction id yet.
    Processing,
    /// Has a transaction, without word.
    Submitted,
    /// Without word for five days.
    Unconfirmed,
    /// The latest word is success.
    Confirmed,
    /// The latest word is failure: it counts no more.
    Failed,
}

/// The money of a credit, in minor units. Sums of facts; nothing here is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balances {
    /// What is owed in all: amount and fee; nothing when the credit failed.
    pub total: i128,
    /// The sum of the collected debits.
    pub collected: i128,
    /// The sum of the refunds that did not fail.
    pub refunded: i128,
    /// Collected, plus paid elsewhere, less refunded.
    pub paid: i128,
    /// Processed and without word or timeout.
    pub in_flight: i128,
    /// Neither processed nor cancelled.
    pub scheduled: i128,
}

impl Balances {
    /// `total - paid - in flight - scheduled`: positive is a gap, negative an excess (L4, L6).
    pub fn missing(&self) -> i128 {
        self.total.saturating_sub(self.paid).saturating_sub(self.in_flight).saturating_sub(self.scheduled)
    }

    /// What is still to be paid, never negative.
    pub fn outstanding(&self) -> i128 {
        self.total.saturating_sub(self.paid).max(0)
    }

    /// What was paid beyond what is owed, never negative.
    pub fn over_paid(&self) -> i128 {
        self.paid.saturating_sub(self.total).max(0)
    }

    /// What was refunded beyond what was paid, never negative: only a credit that failed, and owes nothing, comes to it.
    pub fn over_refunded(&self) -> i128 {
        if self.total == 0 { self.paid.saturating_neg().max(0) } else { 0 }
    }
}

/// Where a credit stands, worked out from its facts.
#[derive(Debug, Clone)]
pub struct State {
    pub(crate) outcome: Option<Outcome>,
    pub(crate) confirmed_at: Option<Instant>,
    pub(crate) timed_out: bool,
    pub(crate) written_off: bool,
    pub(crate) held: bool,
    pub(crate) owed: i128,
    pub(crate) paid_elsewhere: i128,
    pub(crate) debits: Vec<Debit>,
    pub(crate) refunds: Vec<Refund>,
}

impl State {
    /// The state that follows from `facts`.
    pub fn of(facts: &Facts) -> State {
        let own = last_word(facts, facts.id.0);
        let confirmed = facts.words.iter().find(|w| w.subject == facts.id.0 && w.outcome.is_success());
        let debits = facts.debits.iter().map(|debit| {
            let word = last_word(facts, debit.id.0);
            Debit {
                facts: debit.clone(),
                outcome: word.map(|w| w.outcome),
                code: word.and_then(|w| w.code.clone()),
                resolved_at: word.map(|w| w.at),
                timed_out: facts.timeouts.contains(&debit.id.0),
            }
        });
        let refunds = facts.refunds.iter().map(|refund| {
            let word = last_word(facts, refund.id.0);
            Refund {
                facts: refund.clone(),
                outcome: word.map(|w| w.outcome),
                resolved_at: word.map(|w| w.at),
                timed_out: facts.timeouts.contains(&refund.id.0),
            }
        });
        State {
            outcome: own.map(|w| w.outcome),
            confirmed_at: confirmed.map(|w| w.at),
            timed_out: facts.timeouts.contains(&facts.id.0),
            written_off: facts.written_off,
            held: facts.holds.iter().any(|h| !h.released),
            owed: facts.terms.total(),
            paid_elsewhere: facts
                .external_payments
                .iter()
                .filter(|payment| !payment.revoked)
                .fold(0_i128, |sum, payment| sum.saturating_add(payment.amount.signed())),
            debits: debits.collect(),
            refunds: refunds.collect(),
        }
    }

    /// The status of the credit: the first that applies.
    pub fn status(&self) -> CreditStatus {
        let balances = self.balances();
        match self.outcome {
            None if self.timed_out => CreditStatus::Unconfirmed,
            None => CreditStatus::Pending,
            Some(Outcome::Failure | Outcome::Returned) => CreditStatus::Failed,
            Some(Outcome::Success | Outcome::Recovered) if self.written_off => CreditStatus::WrittenOff,
            Some(Outcome::Success | Outcome::Recovered) if balances.paid >= balances.total => {
                CreditStatus::Repaid
            }
            Some(Outcome::Success | Outcome::Recovered) if self.held => CreditStatus::Held,
            Some(Outcome::Success | Outcome::Recovered) => CreditStatus::Active,
        }
    }

    /// The money of the credit.
    pub fn balances(&self) -> Balances {
        let sum = |counts: fn(&Debit) -> bool| {
            let amounts = self.debits.iter().filter(|d| counts(d)).map(|d| d.facts.amount.signed());
            amounts.fold(0_i128, i128::saturating_add)
        };
        let collected = sum(|d| d.outcome.is_some_and(Outcome::is_success));
        let counting = self.refunds.iter().filter(|r| r.counts()).map(|r| r.facts.amount.signed());
        let refunded = counting.fold(0, i128::saturating_add);
        Balances {
            total: if self.has_failed() { 0 } else { self.owed },
            collected,
            refunded,
            paid: collected.saturating_add(self.paid_elsewhere).saturating_sub(refunded),
            in_flight: sum(Debit::is_in_flight),
            scheduled: sum(Debit::is_scheduled),
        }
    }

    /// Whether the latest word on the advance is failure: the credit owes nothing.
    pub fn has_failed(&self) -> bool {
        self.outcome.is_some_and(|o| !o.is_success())
    }

    /// Whether a plan was made.
    pub fn is_planned(&self) -> bool {
        !self.debits.is_empty()
    }

    /// The status of each debit with its sequence, in the order of the plan.
    pub fn debit_statuses(&self) -> impl Iterator<Item = (u32, DebitStatus)> + '_ {
        self.debits.iter().map(|d| (d.facts.sequence, d.status()))
    }

    /// The due date of the next debit that is still to be issued.
    pub fn next_due_date(&self) -> Option<BusinessDate> {
        self.debits.iter().filter(|d| d.is_scheduled()).map(|d| d.facts.due_date).min()
    }

    /// What L10 finds wrong; empty when the law holds.
    pub fn breaches(&self) -> Vec<Breach> {
        let balances = self.balances();
        let mut found = Vec::new();
        match self.status() {
            CreditStatus::Active | CreditStatus::Repaid => {
                let missing = balances.missing();
                if missing > 0 {
                    found.push(Breach::Missing(Cents::from_balance(missing)));
                }
                if missing < 0 && balances.scheduled > 0 {
                    found.push(Breach::ScheduledBeyondTotal(Cents::from_balance(balances.scheduled)));
                }
            }
            CreditStatus::Pending
            | CreditStatus::Unconfirmed
            | CreditStatus::Failed
            | CreditStatus::WrittenOff
            | CreditStatus::Held => {}
        }
        found
    }
}

/// A way in which the facts of a credit break L10.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breach {
    /// So much is neither paid, in flight nor scheduled.
    Missing(Cents),
    /// So much is scheduled although paid and in flight already exceed the total.
    ScheduledBeyondTotal(Cents),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Breach::Missing(amount) => {
                write!(f, "{amount} minor units are neither paid, in flight nor scheduled")
            }
            Breach::ScheduledBeyondTotal(amount) => {
                write!(f, "{amount} minor units are scheduled beyond what is owed")
            }
        }
    }
}

/// The word on `subject` that the latest decision took into effect.
pub(crate) fn last_word(facts: &Facts, subject: Uuid) -> Option<&Word> {
    facts.words.iter().rev().find(|w| w.subject == subject)
}
