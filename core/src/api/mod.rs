//! The wire shapes of the HTTP API, as edge writes them and the dashboard reads them.
//!
//! Every figure in them comes from [`State`], so that no other place works out a status or a balance.

mod requests;
mod summary;

pub use requests::{
    AdvanceRequest, AttachRequest, ClockRequest, CreditsQuery, CreditsSort, DEFAULT_INSTALLMENTS,
    DEFAULT_INTERVAL_DAYS, DebitsQuery, DecisionRequest, ExceptionsQuery, ExternalPaymentRequest, KeyRequest,
    LoginRequest, NoQuery, NoteRequest, PageQuery, PauseRequest, PlanRequest, RefundRequest,
    ResolutionRequest, ResolutionsRequest, RunRequest, SummaryQuery,
};
pub use summary::{Age, Day, Failures, Summary, Summing, Totals};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::credit::{
    Because, CreditStatus, DebitStatus, ExternalPayment, Facts, Kind, Reason, RefundStatus, State,
};
use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, DebitId, ExceptionId, RefundId, RunId, TransactionId};
use crate::money::Cents;
use crate::observation::{Source, Status};
use crate::plan::Installment;
use crate::policy::Policy;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// What the page holds; it may be fewer than asked for, and more may follow all the same.
    pub data: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

/// A credit as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credit {
    /// The credit.
    pub id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// What is paid out.
    pub amount: Cents,
    /// What it costs.
    pub fee: Cents,
    /// The currency of all its amounts, ISO 4217.
    pub currency: String,
    /// How many installments the plan has.
    pub installments: u32,
    /// Days from one to the next.
    pub interval_days: u32,
    /// Where it stands.
    pub status: CreditStatus,
    /// When it was asked for.
    pub created_at: Instant,
    /// The transaction that pays it out, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// When it was paid out, by the processor.
    pub confirmed_at: Option<Instant>,
    /// The sum of the collected debits.
    pub collected: Cents,
    /// Collected, plus paid elsewhere, less refunded; negative when more was refunded.
    pub paid: i64,
    /// Processed and without word or timeout.
    pub in_flight: Cents,
    /// Neither processed nor cancelled.
    pub scheduled: Cents,
    /// Owed, less paid, in flight and scheduled: a gap, or negative an excess.
    pub missing: i64,
    /// What is still to be paid.
    pub outstanding: Cents,
    /// When the next debit is due that is still to be issued.
    pub next_due_date: Option<BusinessDate>,
}

impl Credit {
    /// The credit that the facts come to.
    pub fn of(facts: &Facts) -> Credit {
        let state = State::of(facts);
        let balances = state.balances();
        Credit {
            id: facts.id,
            account_id: facts.account_id.clone(),
            amount: facts.terms.amount,
            fee: facts.terms.fee,
            currency: facts.currency.clone(),
            installments: facts.terms.installments,
            interval_days: facts.terms.interval_days,
            status: state.status(),
            created_at: facts.created_at,
            transaction_id: facts.transaction_id.clone(),
            confirmed_at: state.confirmed_at,
            collected: Cents::from_balance(balances.collected),
            paid: signed(balances.paid),
            in_flight: Cents::from_balance(balances.in_flight),
            scheduled: Cents::from_balance(balances.scheduled),
            missing: signed(balances.missing()),
            outstanding: Cents::from_balance(balances.outstanding()),
            next_due_date: state.next_due_date(),
        }
    }
}

/// A balance on the wire; no sum of one credit's facts comes near the limits.
fn signed(balance: i128) -> i64 {
    i64::try_from(balance).unwrap_or(if balance < 0 { i64::MIN } else { i64::MAX })
}

/// A debit as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Debit {
    /// The debit.
    pub id: DebitId,
    /// The credit it collects for.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// Its place in the plan, from 1, in the order of creation.
    pub sequence: u32,
    /// What it collects.
    pub amount: Cents,
    /// When it is due.
    pub due_date: BusinessDate,
    /// Where it stands.
    pub status: DebitStatus,
    /// Why it was made.
    pub reason: Reason,
    /// The sequence of the debit in whose place it is.
    pub replaces: Option<u32>,
    /// The sequences of the debits that took its place.
    pub replaced_by: Vec<u32>,
    /// Why it will never be submitted.
    pub cancelled_because: Option<Because>,
    /// Its transaction, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// The return code of its failure.
    pub code: Option<String>,
    /// When the intent to submit it was written.
    pub submitted_at: Option<Instant>,
    /// When the latest word on it happened, by the processor.
    pub resolved_at: Option<Instant>,
}

impl Debit {
    /// The debits that the facts of a credit come to, by sequence.
    pub fn of(facts: &Facts) -> Vec<Debit> {
        let replaced_by = |sequence: u32| {
            let replacing = facts.debits.iter().filter(move |d| d.replaces == Some(sequence));
            replacing.map(|d| d.sequence).collect()
        };
        let state = State::of(facts);
        let debits = state.debits.iter().map(|debit| Debit {
            id: debit.facts.id,
            credit_id: facts.id,
            account_id: facts.account_id.clone(),
            sequence: debit.facts.sequence,
            amount: debit.facts.amount,
            due_date: debit.facts.due_date,
            status: debit.status(),
            reason: debit.facts.reason,
            replaces: debit.facts.replaces,
            replaced_by: replaced_by(debit.facts.sequence),
            cancelled_because: debit.facts.cancelled_because,
            transaction_id: debit.facts.transaction_id.clone(),
            code: debit.code.clone(),
            submitted_at: debit.facts.submitted_at,
            resolved_at: debit.resolved_at,
        });
        debits.collect()
    }
}

/// A refund as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The credit it belongs to.
    pub credit_id: CreditId,
    /// What is given back.
    pub amount: Cents,
    /// Where it stands.
    pub status: RefundStatus,
    /// When the intent to give it back was written.
    pub submitted_at: Instant,
    /// Its transaction, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// When the latest word on it happened, by the processor.
    pub resolved_at: Option<Instant>,
}

impl Refund {
    /// The refunds that the facts of a credit come to.
    pub fn of(facts: &Facts) -> Vec<Refund> {
        let state = State::of(facts);
        let refunds = state.refunds.iter().map(|refund| Refund {
            id: refund.facts.id,
            credit_id: facts.id,
            amount: refund.facts.amount,
            status: refund.status(),
            submitted_at: refund.facts.submitted_at,
            transaction_id: refund.facts.transaction_id.clone(),
            resolved_at: refund.resolved_at,
        });
        refunds.collect()
    }
}

/// A credit with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditDetail {
    /// The credit.
    #[serde(flatten)]
    pub credit: Credit,
    /// Its debits, by sequence.
    pub debits: Vec<Debit>,
    /// What was paid elsewhere, revoked or not.
    pub external_payments: Vec<ExternalPayment>,
    /// What was given back, or is to be.
    pub refunds: Vec<Refund>,
    /// Every fact about it, in order.
    pub timeline: Vec<TimelineEntry>,
}

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

/// A run as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    /// The run.
    pub id: RunId,
    /// Its date.
    pub business_date: BusinessDate,
    /// Its instant.
    pub as_of: Instant,
    /// How far it got.
    pub status: RunStatus,
    /// When it was opened.
    pub started_at: Instant,
    /// When it was closed.
    pub finished_at: Option<Instant>,
    /// The days since the run before that had none.
    pub missed_days: Vec<BusinessDate>,
    /// What it read.
    pub report: Option<ReportFacts>,
    /// What it did.
    pub counts: Counts,
    /// Why it is not complete.
    pub reasons: Vec<String>,
}

/// How far a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It is under way.
    Running,
    /// It went through all its stages, and nothing was left out.
    Complete,
    /// It went through all its stages; its reasons say what was left out.
    Incomplete,
    /// It ended early.
    Failed,
}

/// What is known of the report that a run read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportFacts {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many rows could be read; none until the report was read.
    pub rows: u64,
    /// How many rows could not.
    pub malformed: u64,
}

/// What a run did, in numbers of credits, debits or exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Counts {
    /// Credits whose advance succeeded.
    pub confirmed: u64,
    /// Credits that were planned.
    pub planned_credits: u64,
    /// Debits collected.
    pub collected: u64,
    /// Debits failed.
    pub failed: u64,
    /// Debits timed out.
    pub timed_out: u64,
    /// Debits returned after they were collected.
    pub returned: u64,
    /// Debits that took another's place.
    pub replaced: u64,
    /// Debits cancelled.
    pub cancelled: u64,
    /// Debits issued.
    pub issued: u64,
    /// Credits with transactions whose answer is still unknown.
    pub unknown: u64,
    /// Exceptions opened.
    pub exceptions: u64,
}

/// A run with its stages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunDetail {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// What was done of each stage, in order.
    pub stages: Vec<StageProgress>,
}

/// How far one stage of a run got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageProgress {
    /// The stage.
    pub stage: String,
    /// How many slices of it are done.
    pub slices: u32,
    /// Whether all of it is.
    pub done: bool,
    /// When the last slice was.
    pub at: Instant,
}

/// An exception as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exception {
    /// The exception.
    pub id: ExceptionId,
    /// What it is about.
    pub kind: Kind,
    /// Open or resolved.
    pub status: ExceptionStatus,
    /// The credit, debit, transaction, run, row or account it is about.
    pub subject: String,
    /// The credit it concerns.
    pub credit_id: Option<CreditId>,
    /// The account of that credit.
    pub account_id: Option<String>,
    /// The run that opened it.
    pub run_id: Option<RunId>,
    /// What a person should know, in a sentence.
    pub detail: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// How it closed.
    pub resolution: Option<Resolution>,
    /// What resolves it, while it is open.
    pub actions: Vec<ResolutionAction>,
}

/// What an operator does to resolve an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionAction {
    /// It was looked at, and holds nothing.
    Close,
    /// The credits that it holds are let go on, and their gaps filled.
    Release,
    /// An operator says what became of the transactions whose word is missing; it closes by itself when that has
    /// been taken into effect, or can then be released.
    Decide,
}

/// An exception with what is known on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExceptionDetail {
    /// The exception.
    #[serde(flatten)]
    pub exception: Exception,
    /// The credit it concerns, as it stands in the book.
    pub credit: Option<Credit>,
    /// The debit it is about, as it stands in the book.
    pub debit: Option<Debit>,
    /// What was said of the subject's transaction, by instant; of a credit, of its debits' as well.
    pub observations: Vec<Stated>,
    /// The credits that it still holds.
    pub holds: Vec<CreditId>,
}

/// One status that was stated of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stated {
    /// The transaction, by the processor's id.
    pub transaction_id: Option<String>,
    /// What was stated.
    pub status: Status,
    /// The return code.
    pub code: Option<String>,
    /// When it happened, by the processor.
    pub at: Instant,
    /// Who stated it.
    pub source: Source,
    /// The run that read it.
    pub run_id: Option<RunId>,
    /// What was said besides.
    pub detail: String,
}

/// What became of the exceptions that were to be resolved together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolved {
    /// How many were resolved by this request.
    pub resolved: u64,
    /// How many are left: repeat the request, or choose the other action.
    pub left: u64,
}

/// Whether an exception still asks for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionStatus {
    /// It does.
    Open,
    /// It does not any more.
    Resolved,
}

/// How an exception closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Resolution {
    /// What was done.
    pub action: String,
    /// Who did it; `paydown` when it closed by itself.
    pub actor: String,
    /// Why.
    pub note: String,
    /// When.
    pub resolved_at: Instant,
}

/// A refusal or failure of the API: RFC 9457, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kind of problem it is, as a URI reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What exactly went wrong.
    pub detail: String,
    /// The kind of problem, for programs.
    pub code: String,
    /// The request that met it.
    pub request_id: String,
    /// What is wrong with the request, all at once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub errors: Option<Vec<FieldError>>,
    /// The credit that it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credit_id: Option<CreditId>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// The field, as a JSON pointer (RFC 6901); of a query, `/` and the parameter's name.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// What a plan would be; nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `amount + fee`.
    pub total: Cents,
    /// The date of the advance.
    pub start_date: BusinessDate,
    /// What would be due when.
    pub installments: Vec<Installment>,
}

/// The settings in force, none of them secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// The one currency of the installation, ISO 4217.
    pub currency: String,
    /// The largest amount of one advance.
    pub max_advance: Cents,
    /// The most that one account may owe in all; no limit without it.
    pub max_per_account: Option<Cents>,
    /// The most that may be advanced on one business date in all; no limit without it.
    pub max_per_day: Option<Cents>,
    /// Where a request for an advance goes first.
    pub intake: Intake,
    /// How many times 24 h a report reaches back.
    pub report_window_days: u32,
    /// The business time zone, by its IANA name.
    pub business_time_zone: String,
    /// The limits of the law.
    pub policy: Policy,
    /// Whether a stop keeps advances and debits from leaving.
    pub stop: Stop,
    /// Whether this is a sandbox.
    pub sandbox: bool,
}

/// Where a request for an advance goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intake {
    /// Into the ledger; the answer is the processor's.
    Direct,
    /// Into the queue; the answer is that it will be recorded.
    Queue,
}

/// What an API key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To read the book.
    Read,
    /// To perform advances.
    Advance,
    /// To act as an operator.
    Operate,
    /// To make and revoke keys.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::Advance, Scope::Operate, Scope::Admin];

    /// The name in SQL, JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Advance => "advance",
            Scope::Operate => "operate",
            Scope::Admin => "admin",
        }
    }
}

/// Who is logged in: `GET /v1/session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {
    /// What the key is called that logged in.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When the session ends.
    pub expires_at: Instant,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKey {
    /// The key's id.
    pub id: Uuid,
    /// What its owner calls it.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Instant,
    /// Since when it is worth nothing.
    pub revoked_at: Option<Instant>,
}

/// An API key that was just made: the only time that its secret is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewApiKey {
    /// What is kept of it.
    #[serde(flatten)]
    pub kept: ApiKey,
    /// The secret, to be sent as `Authorization: Bearer`.
    pub key: String,
}

/// The operators' stop: while it is in force, no advance and no debit leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stop {
    /// Whether it is in force; else an operator ended it, or there was none yet.
    pub in_force: bool,
    /// Who said so last.
    pub actor: Option<String>,
    /// Why.
    pub note: Option<String>,
    /// Since when.
    pub at: Option<Instant>,
}

/// Whether all is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It is.
    Ok,
    /// It is not; the reasons say what.
    Unhealthy,
}

/// What is running, and whether the book is kept: `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether all is as it should be.
    pub status: HealthStatus,
    /// What is not.
    pub reasons: Vec<String>,
    /// The release.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// How many migrations the ledger has.
    pub schema_version: u32,
    /// The last run by its instant.
    pub last_run: Option<LastRun>,
}

/// The last run and its age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastRun {
    /// The run.
    pub id: RunId,
    /// Its instant.
    pub as_of: Instant,
    /// How far it got.
    pub status: RunStatus,
    /// Seconds since its instant.
    pub age_seconds: i64,
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
            Kind::RunLate | Kind::DeadLetter | Kind::RequestRefused => "L10",
        }
    }
}
