//! A run as the API shows it, with its stages and counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::coverage::CompleteReport;
use crate::date::{BusinessDate, Instant};
use crate::id::RunId;

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
    /// What the debits among it come to.
    pub amounts: Amounts,
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
    /// The time whose words it is sure to have; none unless it is complete.
    #[serde(default)]
    pub covers: Option<CompleteReport>,
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
    /// Transactions in the report that are nobody's, each with an exception; of more than 200 in one run it is one.
    pub unknown_transactions: u64,
    /// Exceptions opened.
    pub exceptions: u64,
}

/// What the debits that a run dealt with come to, in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Amounts {
    /// Collected.
    pub collected: i64,
    /// Failed.
    pub failed: i64,
    /// Timed out.
    pub timed_out: i64,
    /// Returned after they were collected.
    pub returned: i64,
    /// Issued.
    pub issued: i64,
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
