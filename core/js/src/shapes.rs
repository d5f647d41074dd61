//! What the functions take and give beyond the shapes of core.

use paydown::api::{Credit, DEFAULT_INSTALLMENTS, DEFAULT_INTERVAL_DAYS, Debit, Plan};
use paydown::calendar::DueDateRoll;
use paydown::credit::Facts;
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::money::Cents;
use paydown::plan::{Installment, Terms};
use paydown::policy::Policy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a plan is asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "PlanRequest")]
pub struct PlanOf {
    /// What is paid out, in minor units, from 1.
    pub amount: Cents,
    /// What it costs, at most the amount; 0 by default.
    #[serde(default)]
    pub fee: Cents,
    /// How many installments, 1 to 104, at most as many as there are minor units owed; 12 by default.
    #[serde(default = "default_installments")]
    pub installments: u32,
    /// Days from one to the next, 1 to 92; 7 by default.
    #[serde(default = "default_interval_days")]
    pub interval_days: u32,
    /// The date of the advance.
    pub start_date: BusinessDate,
    /// The date of the run that plans it; the date of the advance by default.
    pub run_date: Option<BusinessDate>,
    /// Whether due dates roll onto banking days of the Federal Reserve (L9); they do not by default.
    #[serde(default)]
    pub due_date_roll: DueDateRoll,
}

const fn default_installments() -> u32 {
    DEFAULT_INSTALLMENTS
}

const fn default_interval_days() -> u32 {
    DEFAULT_INTERVAL_DAYS
}

impl PlanOf {
    /// The terms asked for, in whatever range.
    pub fn terms(&self) -> Terms {
        Terms {
            amount: self.amount,
            fee: self.fee,
            installments: self.installments,
            interval_days: self.interval_days,
        }
    }

    /// The date of the run that plans it.
    pub fn run_date(&self) -> BusinessDate {
        self.run_date.unwrap_or(self.start_date)
    }

    /// The answer.
    pub fn planned(&self, installments: Vec<Installment>) -> Plan {
        Plan { total: Cents::from_balance(self.terms().total()), start_date: self.start_date, installments }
    }
}

/// What a decision knows besides the facts of the credit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "Context")]
pub struct ContextRequest {
    /// The run's instant.
    pub as_of: Instant,
    /// The business time zone as its offsets: from an instant on, so many seconds east of UTC; UTC by default.
    #[serde(default)]
    pub offsets: Vec<(Instant, i32)>,
    /// The policy in force; the law's own by default.
    pub policy: Option<Policy>,
}

impl ContextRequest {
    /// The business time zone.
    pub fn zone(&self) -> Zone {
        Zone::new(self.offsets.clone())
    }

    /// The policy in force.
    pub fn policy(&self) -> Policy {
        self.policy.clone().unwrap_or_default()
    }
}

/// Where a credit and its debits stand.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Standing {
    /// The credit, with its status and balances.
    pub credit: Credit,
    /// Its debits, by sequence.
    pub debits: Vec<Debit>,
}

impl Standing {
    /// What the facts come to.
    pub fn of(facts: &Facts) -> Standing {
        Standing { credit: Credit::of(facts), debits: Debit::of(facts) }
    }
}

/// How a report is read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportOptions {
    /// When the report was downloaded: a row more than a day later is malformed. Without it, none is for that reason.
    pub download_at: Option<Instant>,
}
