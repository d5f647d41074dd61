//! The words on the screen for what the law names: statuses, reasons, kinds, rules.

use paydown::api::{ExceptionStatus, RunStatus};
use paydown::credit::{Because, CreditStatus, DebitStatus, Kind, Reason, RefundStatus};
use paydown::observation::{Outcome, Source, Status};
use paydown::policy::RETURN_CODES;

use super::intl::counted;

/// How something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be, and done.
    Good,
    /// On its way.
    Moving,
    /// Nothing to see.
    Quiet,
    /// A person should look.
    Attention,
    /// It went wrong.
    Bad,
}

impl Tone {
    /// The class that colours it.
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Good => "badge tone-good",
            Tone::Moving => "badge tone-moving",
            Tone::Quiet => "badge tone-quiet",
            Tone::Attention => "badge tone-attention",
            Tone::Bad => "badge tone-bad",
        }
    }
}

/// Something that has a status: its word in the address, its word on the screen, its mark and its tone.
pub trait Labelled: Copy + Send + Sync + 'static {
    /// As in JSON and in the address.
    fn name(self) -> &'static str;
    /// As on the screen.
    fn label(self) -> &'static str;
    /// A mark that is told apart without colour.
    fn mark(self) -> &'static str;
    /// How it is meant.
    fn tone(self) -> Tone;
}

/// All statuses of a credit, as a filter lists them.
pub const CREDIT_STATUSES: [CreditStatus; 7] = [
    CreditStatus::Active,
    CreditStatus::Held,
    CreditStatus::Repaid,
    CreditStatus::Pending,
    CreditStatus::Unconfirmed,
    CreditStatus::Failed,
    CreditStatus::WrittenOff,
];

/// All statuses of a debit, as a filter lists them.
pub const DEBIT_STATUSES: [DebitStatus; 8] = [
    DebitStatus::Scheduled,
    DebitStatus::Processing,
    DebitStatus::Submitted,
    DebitStatus::Collected,
    DebitStatus::Failed,
    DebitStatus::Returned,
    DebitStatus::TimedOut,
    DebitStatus::Cancelled,
];

/// All kinds of exceptions, as a filter lists them.
pub const KINDS: [Kind; 23] = [
    Kind::HardReturn,
    Kind::RetryLimit,
    Kind::UnknownReturnCode,
    Kind::TimeoutLimit,
    Kind::HeldByOperator,
    Kind::CreditUnconfirmed,
    Kind::CreditReturned,
    Kind::CreditContradiction,
    Kind::NoAnswer,
    Kind::OverCollectionPrevented,
    Kind::OverCollected,
    Kind::OverRefunded,
    Kind::ReportGap,
    Kind::ReportHole,
    Kind::UnknownTransaction,
    Kind::MalformedRow,
    Kind::DecisionContradicted,
    Kind::TwoStrikes,
    Kind::RunLate,
    Kind::DeadLetter,
    Kind::RequestRefused,
    Kind::RunLimit,
    Kind::WebhookFailing,
];

impl Labelled for CreditStatus {
    fn name(self) -> &'static str {
        match self {
            CreditStatus::Pending => "pending",
            CreditStatus::Unconfirmed => "unconfirmed",
            CreditStatus::Failed => "failed",
            CreditStatus::WrittenOff => "written_off",
            CreditStatus::Repaid => "repaid",
            CreditStatus::Held => "held",
            CreditStatus::Active => "active",
        }
    }

    fn label(self) -> &'static str {
        if self == CreditStatus::WrittenOff { "written off" } else { self.name() }
    }

    fn mark(self) -> &'static str {
        match self {
            CreditStatus::Pending => "○",
            CreditStatus::Unconfirmed => "?",
            CreditStatus::Failed => "×",
            CreditStatus::WrittenOff => "–",
            CreditStatus::Repaid => "✓",
            CreditStatus::Held => "‖",
            CreditStatus::Active => "●",
        }
    }

    fn tone(self) -> Tone {
        match self {
            CreditStatus::Pending => Tone::Quiet,
            CreditStatus::Unconfirmed | CreditStatus::Held => Tone::Attention,
            CreditStatus::Failed => Tone::Bad,
            CreditStatus::WrittenOff => Tone::Quiet,
            CreditStatus::Repaid => Tone::Good,
            CreditStatus::Active => Tone::Moving,
        }
    }
}

impl Labelled for DebitStatus {
    fn name(self) -> &'static str {
        match self {
            DebitStatus::Scheduled => "scheduled",
            DebitStatus::Processing => "processing",
            DebitStatus::Submitted => "submitted",
            DebitStatus::Collected => "collected",
            DebitStatus::Failed => "failed",
            DebitStatus::TimedOut => "timed_out",
            DebitStatus::Returned => "returned",
            DebitStatus::Cancelled => "cancelled",
        }
    }

    fn label(self) -> &'static str {
        if self == DebitStatus::TimedOut { "timed out" } else { self.name() }
    }

    fn mark(self) -> &'static str {
        match self {
            DebitStatus::Scheduled => "○",
            DebitStatus::Processing => "◔",
            DebitStatus::Submitted => "◑",
            DebitStatus::Collected => "✓",
            DebitStatus::Failed => "×",
            DebitStatus::TimedOut => "…",
            DebitStatus::Returned => "↩",
            DebitStatus::Cancelled => "–",
        }
    }

    fn tone(self) -> Tone {
        match self {
            DebitStatus::Scheduled | DebitStatus::Cancelled => Tone::Quiet,
            DebitStatus::Processing | DebitStatus::Submitted => Tone::Moving,
            DebitStatus::Collected => Tone::Good,
            DebitStatus::Failed | DebitStatus::Returned => Tone::Bad,
            DebitStatus::TimedOut => Tone::Attention,
        }
    }
}

impl Labelled for RefundStatus {
    fn name(self) -> &'static str {
        match self {
            RefundStatus::Processing => "processing",
            RefundStatus::Submitted => "submitted",
            RefundStatus::Unconfirmed => "unconfirmed",
            RefundStatus::Confirmed => "confirmed",
            RefundStatus::Failed => "failed",
        }
    }

    fn label(self) -> &'static str {
        self.name()
    }

    fn mark(self) -> &'static str {
        match self {
            RefundStatus::Processing => "◔",
            RefundStatus::Submitted => "◑",
            RefundStatus::Unconfirmed => "?",
            RefundStatus::Confirmed => "✓",
            RefundStatus::Failed => "×",
        }
    }

    fn tone(self) -> Tone {
        match self {
            RefundStatus::Processing | RefundStatus::Submitted => Tone::Moving,
            RefundStatus::Unconfirmed => Tone::Attention,
            RefundStatus::Confirmed => Tone::Good,
            RefundStatus::Failed => Tone::Bad,
        }
    }
}

impl Labelled for RunStatus {
    fn name(self) -> &'static str {
        match self {
            RunStatus::Running => "running",
            RunStatus::Complete => "complete",
            RunStatus::Incomplete => "incomplete",
            RunStatus::Failed => "failed",
        }
    }

    fn label(self) -> &'static str {
        self.name()
    }

    fn mark(self) -> &'static str {
        match self {
            RunStatus::Running => "◑",
            RunStatus::Complete => "✓",
            RunStatus::Incomplete => "!",
            RunStatus::Failed => "×",
        }
    }

    fn tone(self) -> Tone {
        match self {
            RunStatus::Running => Tone::Moving,
            RunStatus::Complete => Tone::Good,
            RunStatus::Incomplete => Tone::Attention,
            RunStatus::Failed => Tone::Bad,
        }
    }
}

impl Labelled for ExceptionStatus {
    fn name(self) -> &'static str {
        match self {
            ExceptionStatus::Open => "open",
            ExceptionStatus::Resolved => "resolved",
        }
    }

    fn label(self) -> &'static str {
        self.name()
    }

    fn mark(self) -> &'static str {
        match self {
            ExceptionStatus::Open => "!",
            ExceptionStatus::Resolved => "✓",
        }
    }

    fn tone(self) -> Tone {
        match self {
            ExceptionStatus::Open => Tone::Attention,
            ExceptionStatus::Resolved => Tone::Good,
        }
    }
}

/// What an exception of a kind is called.
pub const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::CreditUnconfirmed => "Advance without word",
        Kind::CreditReturned => "Advance returned",
        Kind::CreditContradiction => "Advance succeeded after failing",
        Kind::NoAnswer => "No answer to be had",
        Kind::OverCollectionPrevented => "Over-collection prevented",
        Kind::TimeoutLimit => "Three timeouts",
        Kind::ReportGap => "Not covered by reports",
        Kind::ReportHole => "Hole between reports",
        Kind::OverCollected => "Collected too much",
        Kind::UnknownTransaction => "Unknown transaction",
        Kind::MalformedRow => "Unreadable row",
        Kind::HardReturn => "Hard return",
        Kind::UnknownReturnCode => "Unknown return code",
        Kind::RetryLimit => "No presentment left",
        Kind::HeldByOperator => "Held by an operator",
        Kind::DecisionContradicted => "Decision contradicted",
        Kind::OverRefunded => "Refunded too much",
        Kind::TwoStrikes => "Two strikes",
        Kind::RunLate => "Run came late",
        Kind::DeadLetter => "Message could not be handled",
        Kind::RequestRefused => "Advance refused after its answer",
        Kind::RunLimit => "Too much due for one run",
        Kind::WebhookFailing => "Webhooks do not arrive",
    }
}

/// Why a debit was made.
pub const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Planned => "planned",
        Reason::Failed => "the one before failed",
        Reason::TimedOut => "the one before timed out",
        Reason::Returned => "the one before was returned",
        Reason::Shortened => "less was still owed",
        Reason::Paused => "the plan was paused",
        Reason::PaidOff => "the rest at once",
        Reason::OwedAgain => "owed after all",
    }
}

/// Why a debit was cancelled.
pub const fn because(because: Because) -> &'static str {
    match because {
        Because::CreditReturned => "the advance was returned",
        Because::Shortened => "less was still owed",
        Because::Paused => "the plan was paused",
        Because::PaidOff => "the rest is collected at once",
        Because::WrittenOff => "the credit was written off",
    }
}

/// What the latest word comes to.
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "success",
        Outcome::Recovered => "success after a failure",
        Outcome::Failure => "failure",
        Outcome::Returned => "returned after success",
    }
}

/// How many installments, and how often.
pub fn cadence(installments: u32, interval_days: u32) -> String {
    match (installments, interval_days) {
        (1, days) => format!("1 installment after {}", counted(days.into(), "day", "days")),
        (installments, 1) => format!("{installments} installments, one a day"),
        (installments, days) => format!("{installments} installments every {days} days"),
    }
}

/// What was stated.
pub const fn stated(status: Status) -> &'static str {
    match status {
        Status::Success => "success",
        Status::Failure => "failure",
    }
}

/// Who said it.
pub const fn source(source: Source) -> &'static str {
    match source {
        Source::Report => "Report says",
        Source::Refusal => "Processor refused",
        Source::Decision => "Operator decided",
    }
}

/// What a return code means, where the table of the law knows it.
pub fn code(code: &str) -> Option<&'static str> {
    RETURN_CODES.iter().find(|known| known.code == code).map(|known| known.title)
}

/// What a rule of the law is about.
pub fn rule(rule: &str) -> &'static str {
    match rule {
        "L1" => "Plan",
        "L2" => "When a credit is planned",
        "L3" => "Issuing a debit",
        "L4" => "What failed goes to the end of the plan",
        "L5" => "Timeouts, under coverage",
        "L6" => "Late and contradicting words",
        "L7" => "Why it failed decides what may follow",
        "L8" => "What operators may do",
        "L9" => "Calendar",
        "L10" => "What always holds",
        _ => "A rule of the law",
    }
}
