//! Coverage: how far back the reports read reach without a hole (L5).

use serde::{Deserialize, Serialize};

use crate::date::{Instant, days_before};

/// A complete report: downloaded whole, with no malformed row open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteReport {
    /// The instant of the run that read it.
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
pub fn hole(this: CompleteReport, before: CompleteReport) -> Option<(Instant, Instant)> {
    (before.read_at < this.from()).then(|| (before.read_at, this.from()))
}
