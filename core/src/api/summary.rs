//! The dashboard's figures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Exception;
use crate::credit::CreditStatus;
use crate::date::{BusinessDate, Instant};
use crate::policy::ReturnClass;

/// The dashboard's figures: `GET /v1/summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// When they were worked out.
    pub as_of: Instant,
    /// The first day of `days`.
    pub from: BusinessDate,
    /// The last day of `days`.
    pub to: BusinessDate,
    /// The money of all planned credits that did not fail.
    pub totals: Totals,
    /// How many credits have each status; all statuses are named.
    pub credits: BTreeMap<CreditStatus, u64>,
    /// How many exceptions are open.
    pub open_exceptions: u64,
    /// The kinds of the open exceptions, that with the oldest first.
    pub exceptions: Vec<OpenKind>,
    /// What was expected and collected on each day.
    pub days: Vec<Day>,
    /// What is still to be collected, by how long ago its installment was due.
    pub ageing: Vec<Age>,
    /// What of it was due before today.
    pub overdue: i64,
    /// The failed and returned debits, by return code.
    pub failures: Vec<Failures>,
    /// How much of what was submitted in the last 60 days came back, by the classes that the network watches.
    pub returns: Vec<ReturnRate>,
}

/// The open exceptions of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OpenKind {
    /// How many are open.
    pub open: u64,
    /// The one that is open for the longest time.
    pub oldest: Exception,
}

/// The debits submitted in the last 60 days, and those of them that failed or were returned, of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReturnRate {
    /// Which returns it counts.
    pub class: ReturnClass,
    /// How many debits were submitted.
    pub debits: u64,
    /// How many of them failed or were returned with a code of the class.
    pub returned: u64,
    /// The share above which the network asks questions, in hundredths of a percent.
    pub level_basis_points: u32,
}

/// The ledger equation: `total + excess = paid + in_flight + scheduled + written_off + waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// How many credits it sums.
    pub credits: u64,
    /// What was advanced, without fees.
    pub advanced: i64,
    /// What is owed in all, amounts and fees.
    pub total: i64,
    /// What was or will be collected beyond that.
    pub excess: i64,
    /// What was paid.
    pub paid: i64,
    /// What is processed and without word or timeout.
    pub in_flight: i64,
    /// What is neither processed nor cancelled.
    pub scheduled: i64,
    /// What is missing from credits that were written off.
    pub written_off: i64,
    /// What is missing from the others: gaps that wait for a person.
    pub waiting: i64,
}

/// One day of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// The day.
    pub date: BusinessDate,
    /// The debits due on it that were not cancelled.
    pub expected: i64,
    /// What was collected on it, by the processor.
    pub collected: i64,
    /// What was still to come when its run had closed: in flight, scheduled, or a gap that waits; none on a day without
    /// a run. Today it is what is still to come now; on later days, what will be if all is collected when it is due.
    pub outstanding: Option<i64>,
}

/// What is still to be collected of installments that were due some time ago, or are not due yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Age {
    /// Days since the installment was due: `0` for today and later, `1-7`, `8-14`, `15-30`, `31-60`, `61-90`, or `90+`
    /// for more than 90.
    pub days: String,
    /// How many debits.
    pub debits: u64,
    /// How much.
    pub amount: i64,
}

/// The failures with one return code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failures {
    /// The return code; `None` without one.
    pub code: Option<String>,
    /// How many debits.
    pub debits: u64,
    /// How much they were to collect.
    pub amount: i64,
}
