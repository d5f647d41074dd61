//! The plan: what is due when (L1).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, DueDate};
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

    /// Whether a credit can have these terms.
    ///
    /// # Errors
    /// The first of [`Unfit`] that applies.
    ///
    /// ```
    /// use paydown::{money::Cents, plan::{Terms, Unfit}};
    /// let cents = |minor| Cents::new(minor).unwrap();
    /// let terms = Terms { amount: cents(7), fee: cents(4), installments: 12, interval_days: 7 };
    /// // Eleven cents cannot be owed in twelve parts: one of them would be nothing.
    /// assert_eq!(terms.check(), Err(Unfit::Installments));
    /// assert_eq!(Terms { fee: cents(5), ..terms }.check(), Ok(()));
    /// ```
    pub fn check(&self) -> Result<(), Unfit> {
        if self.amount == Cents::ZERO {
            return Err(Unfit::Amount);
        }
        if self.fee > self.amount {
            return Err(Unfit::Fee);
        }
        if self.total() > i128::from(Cents::MAX) {
            return Err(Unfit::Total);
        }
        if !(1..=MAX_INSTALLMENTS).contains(&self.installments) || self.total() < self.installments.into() {
            return Err(Unfit::Installments);
        }
        if !(1..=MAX_INTERVAL_DAYS).contains(&self.interval_days) {
            return Err(Unfit::IntervalDays);
        }
        Ok(())
    }
}

/// How many installments a plan may have. Source: the contract.
pub const MAX_INSTALLMENTS: u32 = 104;

/// How many days may lie between two of them. Source: the contract.
pub const MAX_INTERVAL_DAYS: u32 = 92;

/// What is wrong with terms, in the order in which it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unfit {
    /// The amount is nothing.
    Amount,
    /// The fee is more than the amount.
    Fee,
    /// Amount and fee together are more than [`Cents::MAX`].
    Total,
    /// Fewer than 1 installment, more than 104, or more than there are minor units owed.
    Installments,
    /// Fewer than 1 day, or more than 92.
    IntervalDays,
}

impl Unfit {
    /// Which of the terms it is about; of a total that is too large, the fee.
    pub const fn field(self) -> &'static str {
        match self {
            Unfit::Amount => "amount",
            Unfit::Fee | Unfit::Total => "fee",
            Unfit::Installments => "installments",
            Unfit::IntervalDays => "interval_days",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::Amount => write!(f, "amount must be at least 1"),
            Unfit::Fee => write!(f, "fee must not be more than amount"),
            Unfit::Total => write!(f, "amount and fee must not be more than {} together", Cents::MAX),
            Unfit::Installments => write!(
                f,
                "installments must be 1 to {MAX_INSTALLMENTS}, and not more than amount and fee have minor units"
            ),
            Unfit::IntervalDays => write!(f, "interval_days must be 1 to {MAX_INTERVAL_DAYS}"),
        }
    }
}

impl std::error::Error for Unfit {}

/// A planned share of the total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Installment {
    /// Its place in the plan, from 1.
    pub sequence: u32,
    /// Its share; the first ones carry the odd cents.
    pub amount: Cents,
    /// When it is due.
    pub due_date: BusinessDate,
    /// When it would be due if due dates did not roll, where that is another date (L9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrolled_due_date: Option<BusinessDate>,
}

/// The plan of a credit advanced on `credit_date`, made in a run of `run_date`.
///
/// `base = total div n`, and the first `total mod n` installments carry one cent more. Installment
/// `k` is due `k` intervals after the credit date; when the first due date is before the run date,
/// the whole plan moves later by the fewest whole intervals that bring it to the run date or after.
/// With a calendar each date then rolls by it (L9), in turn: of two that meet the second goes on to the next banking day.
///
/// ```
/// use paydown::{calendar::FederalReserve, money::Cents, plan::{plan, Terms}};
/// let terms = Terms { amount: Cents::new(100_000).unwrap(), fee: Cents::ZERO, installments: 12, interval_days: 7 };
/// let date = |text: &str| text.parse().unwrap();
/// let planned = plan(&terms, date("2026-01-05"), date("2026-01-13"), None);
/// // The first due date, the 12th, was missed by a day: all move a week.
/// assert_eq!(planned[0].due_date, date("2026-01-19"));
/// assert_eq!((planned[3].amount.get(), planned[4].amount.get()), (8334, 8333));
/// // The 19th is Martin Luther King's day: that one is due on the Tuesday, and the others keep their Mondays.
/// let rolled = plan(&terms, date("2026-01-05"), date("2026-01-13"), Some(&FederalReserve));
/// assert_eq!((rolled[0].due_date, rolled[1].due_date), (date("2026-01-20"), date("2026-01-26")));
/// ```
pub fn plan(
    terms: &Terms,
    credit_date: BusinessDate,
    run_date: BusinessDate,
    calendar: Option<&dyn Calendar>,
) -> Vec<Installment> {
    let count = terms.installments.max(1);
    let interval = terms.interval_days.max(1);
    let total = terms.total();
    let base = total.checked_div(i128::from(count)).unwrap_or(0);
    let odd_cents = total.checked_rem(i128::from(count)).unwrap_or(0);
    let first_due = shifted(credit_date.plus_days(interval), interval, run_date);
    let mut last_due = None;
    (1..=count)
        .map(|sequence| {
            let carries_one = i128::from(sequence) <= odd_cents;
            let unrolled = first_due.plus_days(sequence.saturating_sub(1).saturating_mul(interval));
            let due = DueDate::rolled(unrolled, calendar, |date| last_due.is_some_and(|last| date <= last));
            last_due = Some(due.rolled);
            Installment {
                sequence,
                amount: Cents::from_balance(base.saturating_add(i128::from(carries_one))),
                due_date: due.rolled,
                unrolled_due_date: due.unrolled,
            }
        })
        .collect()
}

/// `date`, moved by the fewest whole intervals that bring it to `not_before` or after.
fn shifted(date: BusinessDate, interval: u32, not_before: BusinessDate) -> BusinessDate {
    let late = u32::try_from(not_before.days_since(date)).unwrap_or(0);
    date.plus_days(late.div_ceil(interval).saturating_mul(interval))
}

/// The next slot, unrolled: from the latest unrolled due date, one interval or more, until it is after `run_date` (L4).
///
/// ```
/// use paydown::plan::next_slot;
/// let date = |text: &str| text.parse().unwrap();
/// assert_eq!(next_slot(date("2026-01-26"), 7, date("2026-01-13")), date("2026-02-02"));
/// // A plan long over: whole intervals later, and never on the run's own date.
/// assert_eq!(next_slot(date("2026-01-26"), 7, date("2026-03-02")), date("2026-03-09"));
/// ```
pub fn next_slot(latest_due: BusinessDate, interval_days: u32, run_date: BusinessDate) -> BusinessDate {
    let interval = interval_days.max(1);
    shifted(latest_due.plus_days(interval), interval, run_date.plus_days(1))
}

#[cfg(test)]
mod tests {
    use super::{MAX_INSTALLMENTS, MAX_INTERVAL_DAYS, Terms, Unfit};
    use crate::money::Cents;

    #[test]
    fn terms_are_fit_up_to_each_limit_and_unfit_beyond() {
        let cents = |minor| Cents::new(minor).unwrap();
        let most = Cents::MAX;
        for ((amount, fee, installments, interval_days), unfit) in [
            ((1, 0, 1, 1), None),
            ((1, 1, 2, MAX_INTERVAL_DAYS), None),
            ((100, 4, MAX_INSTALLMENTS, 7), None),
            ((most - 1, 1, 12, 7), None),
            ((0, 0, 1, 1), Some(Unfit::Amount)),
            ((10, 11, 1, 1), Some(Unfit::Fee)),
            ((most, 1, 12, 7), Some(Unfit::Total)),
            ((100, 3, MAX_INSTALLMENTS, 7), Some(Unfit::Installments)),
            ((1000, 0, MAX_INSTALLMENTS + 1, 7), Some(Unfit::Installments)),
            ((1000, 0, 0, 7), Some(Unfit::Installments)),
            ((1000, 0, 12, 0), Some(Unfit::IntervalDays)),
            ((1000, 0, 12, MAX_INTERVAL_DAYS + 1), Some(Unfit::IntervalDays)),
        ] {
            let terms = Terms { amount: cents(amount), fee: cents(fee), installments, interval_days };
            assert_eq!(terms.check().err(), unfit, "{terms:?}");
        }
    }

    #[test]
    fn what_is_unfit_names_its_field() {
        for (unfit, field) in [
            (Unfit::Amount, "amount"),
            (Unfit::Fee, "fee"),
            (Unfit::Total, "fee"),
            (Unfit::Installments, "installments"),
            (Unfit::IntervalDays, "interval_days"),
        ] {
            assert_eq!(unfit.field(), field);
            assert!(unfit.to_string().contains(field), "{unfit}");
        }
    }
}
