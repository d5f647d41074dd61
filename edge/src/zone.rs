//! A time zone as the instants at which its offset changes, found by asking for the offset at instants.

use chrono::{DateTime, Utc};
use paydown::date::{Instant, Zone};

/// The years whose changes are found: from before the first advance on, and short enough to be recorded whole. Before and
/// after them the first and the last offset hold.
const YEARS: [&str; 2] = ["2020-01-01T00:00:00Z", "2060-01-01T00:00:00Z"];

/// Seconds from one look to the next: two changes of any zone in these years are further apart than a fortnight.
const STEP: i64 = 14 * 24 * 60 * 60;

/// The zone whose offset at an instant, in seconds east of UTC, `offset_at` says; `None` once it cannot.
pub fn probed(offset_at: impl Fn(Instant) -> Option<i32>) -> Option<Zone> {
    let [first, end] = YEARS.map(|at| at.parse::<Instant>().ok().map(|at| at.timestamp()));
    let (mut from, end) = (first?, end?);
    let offset_at = |second: i64| offset_at(instant(second)?);
    let mut offset = offset_at(from)?;
    let mut transitions = vec![(DateTime::<Utc>::UNIX_EPOCH, offset)];
    while from < end {
        let to = from.saturating_add(STEP);
        let next = offset_at(to)?;
        if next != offset {
            transitions.push((instant(change(from, to, next, &offset_at)?)?, next));
            offset = next;
        }
        from = to;
    }
    Some(Zone::new(transitions))
}

/// The first second of the offset that there is at `to` and not at `from`: clocks are changed at whole minutes.
fn change(mut from: i64, mut to: i64, next: i32, offset_at: &impl Fn(i64) -> Option<i32>) -> Option<i64> {
    while to.saturating_sub(from) > 60 {
        let middle = from.midpoint(to);
        let middle = middle.saturating_sub(middle.rem_euclid(60));
        if offset_at(middle)? == next {
            to = middle;
        } else {
            from = middle;
        }
    }
    Some(to)
}

fn instant(second: i64) -> Option<Instant> {
    DateTime::from_timestamp_secs(second)
}

/// Seconds east of UTC that a text ends with as `Intl` writes them: `GMT`, `GMT-05:00`, `GMT+05:30`.
pub fn seconds_east(text: &str) -> Option<i32> {
    let (_, offset) = text.rsplit_once("GMT")?;
    if offset.is_empty() {
        return Some(0);
    }
    let (sign, digits) = match offset.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, offset.strip_prefix(['-', '\u{2212}'])?),
    };
    let mut seconds: i32 = 0;
    for (part, unit) in digits.split(':').zip([3600, 60, 1]) {
        seconds = seconds.checked_add(part.parse::<i32>().ok()?.checked_mul(unit)?)?;
    }
    seconds.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike, NaiveDate, Weekday};

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    /// The law of New York since 2007: from the second Sunday of March to the first of November, at two on its clocks.
    fn new_york(at: Instant) -> Option<i32> {
        let sunday = |month, n, hour| {
            let date = NaiveDate::from_weekday_of_month_opt(at.year(), month, Weekday::Sun, n)?;
            Some(date.and_hms_opt(hour, 0, 0)?.and_utc())
        };
        let summer = sunday(3, 2, 7)?..sunday(11, 1, 6)?;
        Some(if summer.contains(&at) { -4 * 3600 } else { -5 * 3600 })
    }

    #[test]
    fn every_change_is_found_to_the_second() {
        let zone = probed(new_york).unwrap();
        let offsets = serde_json::to_value(&zone).unwrap();
        let offsets = offsets.as_array().unwrap();
        assert_eq!(offsets.len(), 1 + 2 * 40);
        assert_eq!(offsets[0], serde_json::json!(["1970-01-01T00:00:00Z", -18000]));
        assert_eq!(offsets[13], serde_json::json!(["2026-03-08T07:00:00Z", -14400]));
        assert_eq!(offsets[14], serde_json::json!(["2026-11-01T06:00:00Z", -18000]));
        let date = |text| zone.business_date(at(text)).to_string();
        assert_eq!(date("2026-03-09T03:59:59Z"), "2026-03-08");
        assert_eq!(date("2026-03-09T04:00:00Z"), "2026-03-09");
    }

    #[test]
    fn a_zone_that_never_changes_has_one_offset() {
        let zone = probed(|_| Some(19_800)).unwrap();
        assert_eq!(
            serde_json::to_value(&zone).unwrap(),
            serde_json::json!([["1970-01-01T00:00:00Z", 19800]])
        );
        assert_eq!(probed(|_| None), None);
        assert_eq!(probed(|when| Some(0).filter(|_| when < at("2030-01-01T00:00:00Z"))), None);
    }

    #[test]
    fn offsets_are_read_as_the_runtime_writes_them() {
        for (text, seconds) in [
            ("1/5/2026, GMT", Some(0)),
            ("1/5/2026, GMT-05:00", Some(-18_000)),
            ("1/5/2026, GMT+05:30", Some(19_800)),
            ("1/5/2026, GMT\u{2212}03:30", Some(-12_600)),
            ("GMT-00:44:30", Some(-2_670)),
            ("1/5/2026, EST", None),
            ("GMT05:00", None),
            ("GMT+five", None),
        ] {
            assert_eq!(seconds_east(text), seconds, "{text}");
        }
    }
}
