//! The settings in force, the operators' stop among them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::Holidays;
use crate::date::{Instant, Zone};
use crate::money::Cents;
use crate::policy::Policy;

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
    /// How many debits one run may issue before an operator is asked.
    pub max_debits_per_run: Option<u64>,
    /// What one run may debit in all before an operator is asked.
    pub max_debited_per_run: Option<Cents>,
    /// Where a request for an advance goes first.
    pub intake: Intake,
    /// How many times 24 h a report reaches back.
    pub report_window_days: u32,
    /// The business time zone, by its IANA name.
    pub business_time_zone: String,
    /// Its offsets: from an instant on, so many seconds east of UTC; none for UTC.
    pub offsets: Zone,
    /// When due dates roll: the weekdays from a year ago to thirty years from now on which banks do not work.
    pub holidays: Holidays,
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
