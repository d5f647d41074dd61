//! An exception as the API shows it, what is known on both sides, and how it closed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credits::Credit;
use super::debits::Debit;
use crate::credit::Kind;
use crate::date::Instant;
use crate::id::{CreditId, ExceptionId, RunId};
use crate::observation::{Source, Status};

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
