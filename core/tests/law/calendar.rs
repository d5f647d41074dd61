//! Banking days, rolled plans and business dates (L9), against what the Federal Reserve publishes and by counting.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::{Datelike, TimeDelta, Weekday};
use paydown::calendar::{Calendar, FederalReserve, Holidays};
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::money::Cents;
use paydown::plan::{Terms, plan};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The years of the table.
const YEARS: std::ops::RangeInclusive<i32> = 2026..=2030;

/// Month and day of each holiday in 2026, 2027, 2028, 2029 and 2030, marked as there: `*` falls on a Saturday, and the
/// Reserve Banks are open on the Friday before; `**` falls on a Sunday, and they are closed on the Monday after.
///
/// Source: Board of Governors of the Federal Reserve System, K.8, Holidays Observed by the Federal Reserve System
/// 2026-2030, <https://www.federalreserve.gov/aboutthefed/k8.htm>, of December 31, 2025.
const HOLIDAYS: [(&str, [&str; 5]); 11] = [
    ("New Year's Day", ["01-01", "01-01", "01-01*", "01-01", "01-01"]),
    ("Birthday of Martin Luther King, Jr.", ["01-19", "01-18", "01-17", "01-15", "01-21"]),
    ("Washington's Birthday", ["02-16", "02-15", "02-21", "02-19", "02-18"]),
    ("Memorial Day", ["05-25", "05-31", "05-29", "05-28", "05-27"]),
    ("Juneteenth National Independence Day", ["06-19", "06-19*", "06-19", "06-19", "06-19"]),
    ("Independence Day", ["07-04*", "07-04**", "07-04", "07-04", "07-04"]),
    ("Labor Day", ["09-07", "09-06", "09-04", "09-03", "09-02"]),
    ("Columbus Day", ["10-12", "10-11", "10-09", "10-08", "10-14"]),
    ("Veterans Day", ["11-11", "11-11", "11-11*", "11-11**", "11-11"]),
    ("Thanksgiving Day", ["11-26", "11-25", "11-23", "11-22", "11-28"]),
    ("Christmas Day", ["12-25", "12-25*", "12-25", "12-25", "12-25"]),
];

/// Whether the Reserve Banks are open, by the table; after its years by the calendar itself.
pub fn banks_open(date: BusinessDate) -> bool {
    if !YEARS.contains(&date.day().year()) {
        return FederalReserve.is_banking_day(date);
    }
    !is_weekend(date) && !CLOSED.contains(&date)
}

fn is_weekend(date: BusinessDate) -> bool {
    matches!(date.day().weekday(), Weekday::Sat | Weekday::Sun)
}

/// The weekdays on which the Reserve Banks are closed, by the table.
static CLOSED: LazyLock<BTreeSet<BusinessDate>> = LazyLock::new(closed);

fn closed() -> BTreeSet<BusinessDate> {
    let mut closed = BTreeSet::new();
    for (year, column) in YEARS.zip(0..) {
        for (name, days) in HOLIDAYS {
            let day = days[column];
            let date: BusinessDate = on(&format!("{year}-{}", day.trim_end_matches('*')));
            match (day.len() - 5, date.day().weekday()) {
                (1, Weekday::Sat) => {}
                (2, Weekday::Sun) => drop(closed.insert(date.plus_days(1))),
                (0, Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri) => {
                    closed.insert(date);
                }
                _ => panic!("{name} of {year} is not the day that its mark says"),
            }
        }
    }
    closed
}

fn on(date: &str) -> BusinessDate {
    date.parse().expect("a date")
}

#[test]
fn every_day_of_the_published_years_is_as_published() {
    let mut open = 0;
    let mut date = on("2026-01-01");
    while date <= on("2030-12-31") {
        assert_eq!(FederalReserve.is_banking_day(date), banks_open(date), "{date}");
        open += u32::from(banks_open(date));
        date = date.plus_days(1);
    }
    // 1304 weekdays, and 55 holidays of which five fall on a Saturday.
    assert_eq!((open, CLOSED.len()), (1304 - 50, 50));
    for (date, is_banking_day) in [("2026-07-03", true), ("2027-07-05", false), ("2027-06-18", true)] {
        assert_eq!(FederalReserve.is_banking_day(on(date)), is_banking_day, "{date}");
    }
}

#[test]
fn beyond_the_years_of_the_calendar_weekends_alone_are_free() {
    // A Friday, a Saturday and a Monday that would be a holiday.
    for (date, is_banking_day) in [("2200-07-04", true), ("2200-07-05", false), ("2201-01-19", true)] {
        assert_eq!(FederalReserve.is_banking_day(on(date)), is_banking_day, "{date}");
    }
}

#[test]
fn the_list_of_holidays_is_the_same_calendar() {
    let listed = Holidays::of(&FederalReserve, on("2026-01-01"), 1826);
    for days in 0..1826 {
        let date = on("2026-01-01").plus_days(days);
        assert_eq!(listed.is_banking_day(date), FederalReserve.is_banking_day(date), "{date}");
    }
}

#[test]
fn a_plan_at_the_end_of_all_dates_ends() {
    let last = BusinessDate::new(chrono::NaiveDate::MAX);
    let planned = plan(&terms(104, 1), last, last, Some(&FederalReserve));
    assert_eq!(planned.len(), 104);
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(2026),
        ..ProptestConfig::with_cases(1000)
    })]

    #[test]
    fn a_rolled_plan_is_on_banking_days_in_order_and_keeps_its_cadence(
        installments in 1..=104_u32,
        interval_days in prop_oneof![1..=8_u32, 1..=92_u32],
        start in 0..1200_u32,
        late in 0..60_u32,
    ) {
        let start = on("2026-01-01").plus_days(start);
        let terms = terms(installments, interval_days);
        let unrolled = plan(&terms, start, start.plus_days(late), None);
        let rolled = plan(&terms, start, start.plus_days(late), Some(&FederalReserve));
        prop_assert_eq!(rolled.len(), unrolled.len());
        let mut last = None;
        for (rolled, unrolled) in rolled.iter().zip(&unrolled) {
            prop_assert_eq!((rolled.sequence, rolled.amount), (unrolled.sequence, unrolled.amount));
            let counted = rolled.unrolled_due_date.unwrap_or(rolled.due_date);
            prop_assert_eq!(counted, unrolled.due_date, "the cadence is that of the plan that does not roll");
            prop_assert_eq!(rolled.unrolled_due_date.is_some(), rolled.due_date != unrolled.due_date);
            prop_assert!(last.is_none_or(|last| rolled.due_date > last), "in order, one a day");
            // By counting: the first day from the unrolled one on that is open and not taken.
            let mut first = unrolled.due_date;
            while !banks_open(first) || last.is_some_and(|last| first <= last) {
                first = first.plus_days(1);
            }
            prop_assert_eq!(rolled.due_date, first);
            last = Some(rolled.due_date);
        }
    }
}

fn terms(installments: u32, interval_days: u32) -> Terms {
    let amount = Cents::new(100_000).expect("an amount");
    Terms { amount, fee: Cents::ZERO, installments, interval_days }
}

/// New York in 2026: standard time until the second Sunday of March, and from the first of November on.
fn new_york() -> Zone {
    let from = |at: &str, hours: i32| (at.parse().expect("an instant"), hours * 3600);
    Zone::new(vec![
        from("2025-11-02T06:00:00Z", -5),
        from("2026-03-08T07:00:00Z", -4),
        from("2026-11-01T06:00:00Z", -5),
    ])
}

#[test]
fn business_dates_follow_daylight_saving() {
    let zone = new_york();
    let date = |at: &str| zone.business_date(at.parse().expect("an instant")).to_string();
    for (at, wanted) in [
        // The day before the clocks go forward ends at five, the day itself at four.
        ("2026-03-08T04:59:59.999Z", "2026-03-07"),
        ("2026-03-08T05:00:00Z", "2026-03-08"),
        ("2026-03-09T03:59:59.999Z", "2026-03-08"),
        ("2026-03-09T04:00:00Z", "2026-03-09"),
        // And back again: a day of 25 hours.
        ("2026-11-01T03:59:59.999Z", "2026-10-31"),
        ("2026-11-01T04:00:00Z", "2026-11-01"),
        ("2026-11-02T04:59:59.999Z", "2026-11-01"),
        ("2026-11-02T05:00:00Z", "2026-11-02"),
    ] {
        assert_eq!(date(at), wanted, "{at}");
    }
}

#[test]
fn every_run_at_six_has_the_next_business_date() {
    let zone = new_york();
    let mut run: Instant = "2026-01-01T06:00:00Z".parse().expect("an instant");
    let mut wanted = on("2026-01-01");
    while wanted < on("2027-01-01") {
        assert_eq!(zone.business_date(run), wanted, "{run}");
        let start = zone.start_of(wanted);
        assert_eq!(zone.business_date(start), wanted, "{start}");
        assert_eq!(zone.business_date(start - TimeDelta::milliseconds(1)), wanted.minus_days(1), "{start}");
        run += TimeDelta::days(1);
        wanted = wanted.plus_days(1);
    }
}
