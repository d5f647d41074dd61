//! Coverage: how far back the reports read reach without a hole (L5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::date::{Instant, days_before};

/// A complete report: downloaded whole, with no malformed row open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompleteReport {
    /// The instant as of which it was downloaded.
    pub read_at: Instant,
    /// How many times 24 h before `read_at` it reaches.
    pub window_days: u32,
}

impl CompleteReport {
    /// The first instant it covers.
    pub fn from(self) -> Instant {
        days_before(self.read_at, self.window_days)
    }
}

/// The instant from which the reports cover all time up to this run's, ends included.
///
/// `this` is the run's own report, `before` the complete ones before it, latest first. Each is added
/// while it was read inside the time covered so far.
///
/// ```
/// use paydown::coverage::{CompleteReport, covered_from};
/// let report = |day: &str| CompleteReport { read_at: format!("2026-01-{day}T06:00:00Z").parse().unwrap(), window_days: 5 };
/// // The 15th reaches back to the 10th, read that very instant, which reaches to the 5th; the 4th is a hole away.
/// let from = covered_from(report("15"), [report("10"), report("04")]);
/// assert_eq!(from, report("10").from());
/// ```
pub fn covered_from(this: CompleteReport, before: impl IntoIterator<Item = CompleteReport>) -> Instant {
    let mut from = this.from();
    for earlier in before {
        if earlier.read_at < from {
            break;
        }
        from = from.min(earlier.from());
    }
    from
}

/// The hole between a complete report and the complete one before it, if the later does not
/// reach back to the earlier: the instants between which words may be lost.
///
/// ```
/// use paydown::coverage::{CompleteReport, hole};
/// let report = |read_at: &str| CompleteReport { read_at: read_at.parse().unwrap(), window_days: 5 };
/// let this = report("2026-01-20T06:00:00Z");
/// // Five times 24 h reach back to the very instant: no hole. A second earlier there is one, of a second.
/// assert_eq!(hole(this, report("2026-01-15T06:00:00Z")), None);
/// let (from, to) = hole(this, report("2026-01-15T05:59:59Z")).unwrap();
/// assert_eq!((to - from).num_seconds(), 1);
/// ```
pub fn hole(this: CompleteReport, before: CompleteReport) -> Option<(Instant, Instant)> {
    (before.read_at < this.from()).then(|| (before.read_at, this.from()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        format!("2026-01-{text}:00:00Z").parse().unwrap()
    }

    fn report(read_at: &str) -> CompleteReport {
        CompleteReport { read_at: at(read_at), window_days: 5 }
    }

    #[test]
    fn reports_are_chained_while_each_was_read_inside_the_time_covered() {
        let check = |before: &[&str], from: &str| {
            let before: Vec<CompleteReport> = before.iter().map(|read_at| report(read_at)).collect();
            assert_eq!(covered_from(report("20T06"), before.clone()), at(from), "{before:?}");
        };
        check(&[], "15T06");
        check(&["19T06", "18T06"], "13T06");
        // Read at the very instant from which on the later one covers: both ends count.
        check(&["15T06"], "10T06");
        check(&["15T06", "10T06"], "05T06");
        // An hour earlier there is a hole, and what lies before it does not count.
        check(&["15T05"], "15T06");
        check(&["15T05", "14T06", "13T06"], "15T06");
        check(&["16T06", "11T05"], "11T06");
    }

    #[test]
    fn a_shorter_report_never_takes_back_what_is_covered() {
        let short = CompleteReport { read_at: at("19T06"), window_days: 1 };
        assert_eq!(covered_from(report("20T06"), [short]), at("15T06"));
    }

    #[test]
    fn a_hole_lies_between_the_earlier_report_and_the_beginning_of_the_later() {
        assert_eq!(hole(report("20T06"), report("15T06")), None);
        assert_eq!(hole(report("20T06"), report("15T05")), Some((at("15T05"), at("15T06"))));
    }
}
