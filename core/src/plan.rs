//! The plan: what is due when (L1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::BusinessDate;
use crate::money::Cents;

/// What is agreed about the repayment of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// What is paid out, `1..`.
    pub amount: Cents,
    /// What it costs, `0..=amount`.
    pub fee: Cents,
    /// How many installments, `1..=104`, never more than `amount + fee` has cents.
    pub installments: u32,
    /// Days from one to the next, `1..=92`.
    pub interval_days: u32,
}

impl Terms {
    /// `amount + fee`.
    pub fn total(&self) -> i128 {
        self.amount.signed().saturating_add(self.fee.signed())
    }
}

/// A planned share of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Installment {
    /// Its place in the plan, from 1.
    pub sequence: u32,
    /// Its share; the first ones carry the odd cents.
    pub amount: Cents,
    /// When it is due.
    pub due_date: BusinessDate,
}

/// The plan of a credit advanced on `credit_date`, made in a run of `run_date`.
///
/// `base = total div n`, and the first `total mod n` installments carry one cent more. Installment
/// `k` is due `k` intervals after the credit date; when the first due date is before the run date,
/// the whole plan moves later by the fewest whole intervals that bring it to the run date or after.
///
/// ```
/// use paydown::{money::Cents, plan::{plan, Terms}};
/// let terms = Terms { amount: Cents::new(100_000).unwrap(), fee: Cents::ZERO, installments: 12, interval_days: 7 };
/// let date = |text: &str| text.parse().unwrap();
/// let planned = plan(&terms, date("2026-01-05"), date("2026-01-13"));
/// // The first due date, the 12th, was missed by a day: all move a week.
/// assert_eq!(planned[0].due_date, date("2026-01-19"));
/// assert_eq!((planned[3].amount.get(), planned[4].amount.get()), (8334, 8333));
/// ```
pub fn plan(terms: &Terms, credit_date: BusinessDate, run_date: BusinessDate) -> Vec<Installment> {
    let count = terms.installments.max(1);
    let interval = terms.interval_days.max(1);
    let total = terms.total();
    let base = total.checked_div(i128::from(count)).unwrap_or(0);
    let odd_cents = total.checked_rem(i128::from(count)).unwrap_or(0);
    let first_due = shifted(credit_date.plus_days(interval), interval, run_date);
    (1..=count)
        .map(|sequence| {
            let carries_one = i128::from(sequence) <= odd_cents;
            Installment {
                sequence,
                amount: Cents::from_balance(base.saturating_add(i128::from(carries_one))),
                due_date: first_due.plus_days(sequence.saturating_sub(1).saturating_mul(interval)),
            }
        })
        .collect()
}

/// `date`, moved by the fewest whole intervals that bring it to `not_before` or after.
fn shifted(date: BusinessDate, interval: u32, not_before: BusinessDate) -> BusinessDate {
    let late = u32::try_from(not_before.days_since(date)).unwrap_or(0);
    date.plus_days(late.div_ceil(interval).saturating_mul(interval))
}

/// The next slot: from the latest due date, one interval or more, until it is after `run_date` (L4).
pub fn next_slot(latest_due: BusinessDate, interval_days: u32, run_date: BusinessDate) -> BusinessDate {
    let interval = interval_days.max(1);
    shifted(latest_due.plus_days(interval), interval, run_date.plus_days(1))
}
