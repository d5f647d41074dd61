//! Instants, civil dates and the business time zone.

use std::fmt;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A point in time, UTC. On the wire RFC 3339 ending in `Z`.
pub type Instant = DateTime<Utc>;

/// The sortable text of an instant of our own clock: RFC 3339 with exactly three decimals.
///
/// Instants of one width compare as text in SQL as they do in time.
///
/// ```
/// let at = "2026-01-05T07:00:00+01:00".parse().unwrap();
/// assert_eq!(paydown::date::text(at), "2026-01-05T06:00:00.000Z");
/// ```
pub fn text(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The instant `days * 24 h` before `at`, or the earliest instant there is.
pub fn days_before(at: Instant, days: u32) -> Instant {
    at.checked_sub_signed(TimeDelta::days(i64::from(days))).unwrap_or(Instant::MIN_UTC)
}

/// The last instant before `at` that our own clock can say.
///
/// ```
/// let at = "2026-01-05T00:00:00Z".parse().unwrap();
/// assert_eq!(paydown::date::text(paydown::date::just_before(at)), "2026-01-04T23:59:59.999Z");
/// ```
pub fn just_before(at: Instant) -> Instant {
    at.checked_sub_signed(TimeDelta::milliseconds(1)).unwrap_or(at)
}

/// Whether at least `days * 24 h` lie between `from` and `to`, the end included.
///
/// ```
/// let passed = |to: &str| {
///     paydown::date::days_passed("2026-01-05T06:00:00Z".parse().unwrap(), to.parse().unwrap(), 5)
/// };
/// // Five dates later, and not yet five times 24 h.
/// assert!(!passed("2026-01-10T05:59:59.999Z"));
/// assert!(passed("2026-01-10T06:00:00Z"));
/// ```
pub fn days_passed(from: Instant, to: Instant, days: u32) -> bool {
    to.signed_duration_since(from) >= TimeDelta::days(i64::from(days))
}

/// A civil date in the business time zone. On the wire `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BusinessDate(NaiveDate);

impl BusinessDate {
    /// The date of a calendar day.
    pub const fn new(date: NaiveDate) -> BusinessDate {
        BusinessDate(date)
    }

    /// The calendar day.
    pub const fn day(self) -> NaiveDate {
        self.0
    }

    /// `days` later; the last day of the calendar (year 262142) stands for all beyond it.
    pub fn plus_days(self, days: u32) -> BusinessDate {
        BusinessDate(self.0.checked_add_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MAX))
    }

    /// `days` earlier; the first day of the calendar stands for all before it.
    pub fn minus_days(self, days: u32) -> BusinessDate {
        BusinessDate(self.0.checked_sub_days(Days::new(u64::from(days))).unwrap_or(NaiveDate::MIN))
    }

    /// Whole days from `earlier` to this date; negative when it is before.
    pub fn days_since(self, earlier: BusinessDate) -> i64 {
        self.0.signed_duration_since(earlier.0).num_days()
    }
}

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::str::FromStr for BusinessDate {
    type Err = chrono::ParseError;
    fn from_str(text: &str) -> Result<BusinessDate, chrono::ParseError> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").map(BusinessDate)
    }
}

/// The business time zone as a value: the offsets from UTC and the instants from which they hold.
///
/// `Zone::default()` is UTC. Core has no time zone database; who knows the zone passes its
/// transitions in.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Zone {
    /// Seconds east of UTC, from an instant on, in the order of time.
    transitions: Vec<(Instant, i32)>,
}

impl Zone {
    /// A zone from its transitions, in any order.
    pub fn new(mut transitions: Vec<(Instant, i32)>) -> Zone {
        transitions.sort_unstable();
        Zone { transitions }
    }

    /// `business_date(instant)` of the law: the calendar date in this zone.
    ///
    /// ```
    /// use paydown::date::Zone;
    /// let new_york = Zone::new(vec![("2026-03-08T07:00:00Z".parse().unwrap(), -4 * 3600),
    ///                               ("2025-11-02T06:00:00Z".parse().unwrap(), -5 * 3600)]);
    /// let date = |at: &str| new_york.business_date(at.parse().unwrap()).to_string();
    /// assert_eq!(date("2026-03-08T04:59:59Z"), "2026-03-07");
    /// assert_eq!(date("2026-03-09T03:59:59Z"), "2026-03-08");
    /// assert_eq!(date("2026-03-09T04:00:00Z"), "2026-03-09");
    /// ```
    pub fn business_date(&self, at: Instant) -> BusinessDate {
        let local = at.checked_add_signed(self.offset_at(at)).unwrap_or(at);
        BusinessDate(local.date_naive())
    }

    fn offset_at(&self, at: Instant) -> TimeDelta {
        let last = self.transitions.iter().rev().find(|(from, _)| *from <= at);
        TimeDelta::seconds(last.map_or(0, |(_, offset)| i64::from(*offset)))
    }

    /// The first instant of a business date in this zone.
    ///
    /// ```
    /// use paydown::date::Zone;
    /// let new_york = Zone::new(vec![("2026-03-08T07:00:00Z".parse().unwrap(), -4 * 3600),
    ///                               ("2025-11-02T06:00:00Z".parse().unwrap(), -5 * 3600)]);
    /// let start = |date: &str| paydown::date::text(new_york.start_of(date.parse().unwrap()));
    /// assert_eq!(start("2026-03-08"), "2026-03-08T05:00:00.000Z");
    /// assert_eq!(start("2026-03-09"), "2026-03-09T04:00:00.000Z");
    /// ```
    pub fn start_of(&self, date: BusinessDate) -> Instant {
        let midnight = date.0.and_time(NaiveTime::MIN).and_utc();
        // The date begins by the offset of the day before, or by that of the day after if it changes in between.
        let mut start = None;
        for days in [1, -1] {
            let near = midnight.checked_add_signed(TimeDelta::days(days)).unwrap_or(midnight);
            let at = midnight.checked_sub_signed(self.offset_at(near)).unwrap_or(midnight);
            if self.business_date(at) == date && start.is_none_or(|start| at < start) {
                start = Some(at);
            }
        }
        start.unwrap_or(midnight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_times_24_hours_and_the_end_counts() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let check = |to: &str, passed: bool| {
            assert_eq!(days_passed(at("2026-01-05T06:00:00Z"), at(to), 5), passed, "{to}");
        };
        check("2026-01-10T05:59:59.999999999Z", false);
        check("2026-01-10T06:00:00Z", true);
        check("2026-01-04T06:00:00Z", false);
        assert_eq!(days_before(at("2026-01-10T06:00:00Z"), 5), at("2026-01-05T06:00:00Z"));
    }

    #[test]
    fn the_calendar_ends_without_a_panic() {
        assert_eq!(days_before(Instant::MIN_UTC, 1), Instant::MIN_UTC);
        assert_eq!(BusinessDate(NaiveDate::MAX).plus_days(1), BusinessDate(NaiveDate::MAX));
        assert_eq!(BusinessDate(NaiveDate::MIN).minus_days(1), BusinessDate(NaiveDate::MIN));
        let east = Zone::new(vec![(Instant::MIN_UTC, 3600)]);
        assert_eq!(east.business_date(Instant::MAX_UTC), BusinessDate(NaiveDate::MAX));
    }

    #[test]
    fn each_transition_holds_until_the_next_and_before_the_first_is_utc() {
        let from = |at: &str, offset| (at.parse().unwrap(), offset);
        // In any order.
        let zone = Zone::new(vec![from("2026-03-08T07:00:00Z", 7200), from("2026-01-05T00:00:00Z", -3600)]);
        let date = |at: &str| zone.business_date(at.parse().unwrap()).to_string();
        assert_eq!(date("2026-01-04T23:59:59Z"), "2026-01-04");
        assert_eq!(date("2026-01-05T00:00:00Z"), "2026-01-04");
        assert_eq!(date("2026-01-05T01:00:00Z"), "2026-01-05");
        assert_eq!(date("2026-03-08T06:59:59Z"), "2026-03-08");
        assert_eq!(date("2026-03-08T22:00:00Z"), "2026-03-09");
    }

    #[test]
    fn a_date_begins_where_the_clocks_say_so() {
        let from = |at: &str, hours: i32| (at.parse().unwrap(), hours * 3600);
        let check = |zone: &Zone, date: &str, start: &str| {
            assert_eq!(text(zone.start_of(date.parse().unwrap())), start, "{date}");
        };
        // Beirut changes at midnight: the 29th begins at one o'clock, and the hour before midnight of the 24th comes twice.
        let beirut = Zone::new(vec![
            from("2025-10-25T21:00:00Z", 2),
            from("2026-03-28T22:00:00Z", 3),
            from("2026-10-24T21:00:00Z", 2),
        ]);
        check(&beirut, "2026-03-28", "2026-03-27T22:00:00.000Z");
        check(&beirut, "2026-03-29", "2026-03-28T22:00:00.000Z");
        check(&beirut, "2026-03-30", "2026-03-29T21:00:00.000Z");
        check(&beirut, "2026-10-24", "2026-10-23T21:00:00.000Z");
        check(&beirut, "2026-10-25", "2026-10-24T22:00:00.000Z");
        // Apia had no 30th of December 2011.
        let apia = Zone::new(vec![from("2011-09-24T14:00:00Z", -10), from("2011-12-30T10:00:00Z", 14)]);
        check(&apia, "2011-12-29", "2011-12-29T10:00:00.000Z");
        check(&apia, "2011-12-31", "2011-12-30T10:00:00.000Z");
        check(&Zone::default(), "2026-03-29", "2026-03-29T00:00:00.000Z");
    }

    #[test]
    fn days_between_dates_know_leap_years() {
        let date = |text: &str| text.parse::<BusinessDate>().unwrap();
        assert_eq!(date("2028-03-01").days_since(date("2028-02-28")), 2);
        assert_eq!(date("2027-03-01").days_since(date("2027-02-28")), 1);
        assert_eq!(date("2026-01-05").days_since(date("2026-01-06")), -1);
    }
}
