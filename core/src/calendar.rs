//! Banking days, and the due dates that roll onto them (L9).

use std::fmt;

use chrono::{Datelike, Weekday};
use fasti::calendars::us::FEDERAL_RESERVE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::BusinessDate;

/// Says on which days banks work.
///
/// ```
/// use paydown::calendar::{Calendar, FederalReserve};
/// let is_banking_day = |date: &str| FederalReserve.is_banking_day(date.parse().unwrap());
/// // The 4th of July of 2026 is a Saturday: nobody gets the Friday off. Of 2027 it is a Sunday: the Monday is free.
/// assert!(is_banking_day("2026-07-03"));
/// assert!(!is_banking_day("2027-07-05"));
/// ```
pub trait Calendar: fmt::Debug + Sync {
    /// Whether banks work on a date.
    fn is_banking_day(&self, date: BusinessDate) -> bool;
}

/// The calendar of the Federal Reserve's payment services, by the crate `fasti`.
///
/// It knows the holidays of the years 1901 to 2199; before and after, only the weekends are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FederalReserve;

impl FederalReserve {
    /// What it is called where it is recorded.
    pub const NAME: &str = "federal_reserve";
}

impl Calendar for FederalReserve {
    fn is_banking_day(&self, date: BusinessDate) -> bool {
        match fasti::Date::try_from(date.day()) {
            Ok(date) => FEDERAL_RESERVE.is_business_day(date),
            Err(_) => !is_weekend(date),
        }
    }
}

/// A calendar by its free weekdays; weekends are free besides.
///
/// So it travels to the dashboard, which downloads dates and not the rules that they follow from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Holidays(Vec<BusinessDate>);

impl Holidays {
    /// The free weekdays of another calendar among so many days.
    ///
    /// ```
    /// use paydown::calendar::{Calendar, FederalReserve, Holidays};
    /// let date = |text: &str| text.parse().unwrap();
    /// let of_may = Holidays::of(&FederalReserve, date("2026-05-01"), 31);
    /// assert_eq!(serde_json::to_value(&of_may).unwrap(), serde_json::json!(["2026-05-25"]));
    /// assert!(of_may.is_banking_day(date("2026-05-26")) && !of_may.is_banking_day(date("2026-05-30")));
    /// ```
    pub fn of(calendar: &dyn Calendar, from: BusinessDate, days: u32) -> Holidays {
        let dates = (0..days).map(|days| from.plus_days(days));
        Holidays(dates.filter(|date| !is_weekend(*date) && !calendar.is_banking_day(*date)).collect())
    }
}

impl Calendar for Holidays {
    fn is_banking_day(&self, date: BusinessDate) -> bool {
        !is_weekend(date) && !self.0.contains(&date)
    }
}

fn is_weekend(date: BusinessDate) -> bool {
    matches!(date.day().weekday(), Weekday::Sat | Weekday::Sun)
}

/// What becomes of a due date on which banks do not work: the setting `DUE_DATE_ROLL`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DueDateRoll {
    /// It stays.
    #[default]
    None,
    /// It moves to the next banking day that the credit has free.
    Following,
}

impl DueDateRoll {
    /// The calendar by which due dates roll, if they do.
    pub fn by(self, calendar: &dyn Calendar) -> Option<&dyn Calendar> {
        match self {
            DueDateRoll::None => None,
            DueDateRoll::Following => Some(calendar),
        }
    }
}

/// When a debit is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueDate {
    /// The date by which it is issued.
    pub rolled: BusinessDate,
    /// The date in the plan's cadence, where that is another.
    pub unrolled: Option<BusinessDate>,
}

impl DueDate {
    /// A due date that does not roll.
    pub const fn fixed(date: BusinessDate) -> DueDate {
        DueDate { rolled: date, unrolled: None }
    }

    /// Rolls a date of the cadence by a calendar, if due dates roll: to the first banking day from it on that is not
    /// taken by another debit of the credit. So of two that would meet the second goes on to the next, and no order changes.
    ///
    /// ```
    /// use paydown::calendar::{DueDate, FederalReserve};
    /// let date = |text: &str| text.parse().unwrap();
    /// let rolled = |from, taken| DueDate::rolled(date(from), Some(&FederalReserve), |d| d == date(taken)).rolled;
    /// // Christmas of 2027 is a Saturday. The Monday after it is taken.
    /// assert_eq!(rolled("2027-12-25", "2027-12-27"), date("2027-12-28"));
    /// assert_eq!(rolled("2027-12-24", "2027-12-27"), date("2027-12-24"));
    /// ```
    pub fn rolled(
        date: BusinessDate,
        calendar: Option<&dyn Calendar>,
        is_taken: impl Fn(BusinessDate) -> bool,
    ) -> DueDate {
        let Some(calendar) = calendar else { return DueDate::fixed(date) };
        let next = |date: &BusinessDate| Some(date.plus_days(1)).filter(|next| next > date);
        let mut days = std::iter::successors(Some(date), next);
        // Where the calendar of the world ends there may be none.
        let rolled = days.find(|day| calendar.is_banking_day(*day) && !is_taken(*day)).unwrap_or(date);
        DueDate { rolled, unrolled: (rolled != date).then_some(date) }
    }
}
