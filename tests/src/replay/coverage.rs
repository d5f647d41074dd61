//! The coverage of each run (L5), worked out from the archived reports.

use std::collections::{BTreeMap, BTreeSet};

use paydown::coverage::{CompleteReport, covered_from};
use paydown::date::Instant;
use uuid::Uuid;

use super::said::{Read, Said};
use super::tables::Tables;

/// How many complete reports a run looks at.
const MOST_REPORTS: usize = 400;

/// What each run could know of coverage.
pub struct Coverage(BTreeMap<Uuid, BTreeSet<Option<Instant>>>);

impl Coverage {
    pub fn of(tables: &Tables, said: &Said) -> Coverage {
        let of_run = |read: &Read| (read.run_id, possible(tables, said, read));
        Coverage(said.reports.iter().map(of_run).collect())
    }

    /// From when on the reports covered all time in a run. A malformed row that a person closes while the run looks may
    /// count or not: only then, what was recorded tells which.
    pub fn of_run(&self, run_id: Option<Uuid>, recorded: Option<Instant>) -> Option<Instant> {
        let possible = run_id.and_then(|run_id| self.0.get(&run_id))?;
        if possible.contains(&recorded) { recorded } else { possible.first().copied().flatten() }
    }
}

/// What coverage could be while the run took its words: from when it had read its report until it had taken them.
fn possible(tables: &Tables, said: &Said, this: &Read) -> BTreeSet<Option<Instant>> {
    let Some(from) = this.read_to_its_end_at else { return BTreeSet::from([None]) };
    let until = tables.words_done.get(&this.run_id).copied();
    let changes = said.reports.iter().flat_map(|report| {
        report
            .malformed
            .iter()
            .filter_map(|row| tables.malformed_closed_at(*row, report.run_id))
            .chain(report.read_to_its_end_at)
    });
    let within = changes.filter(|at| *at >= from && until.is_none_or(|until| *at <= until));
    let mut possible = BTreeSet::new();
    for at in within.chain([from]) {
        for is_before in [false, true] {
            possible.insert(at_instant(tables, said, this, at, is_before));
        }
    }
    possible
}

/// Coverage as it was at an instant, what happened at the very instant included or not.
fn at_instant(tables: &Tables, said: &Said, this: &Read, at: Instant, is_before: bool) -> Option<Instant> {
    let has_come = |change: Instant| if is_before { change < at } else { change <= at };
    let is_complete = |report: &&Read| {
        let is_read = report.run_id == this.run_id || report.read_to_its_end_at.is_some_and(has_come);
        let is_closed = |row: &Uuid| tables.malformed_closed_at(*row, report.run_id).is_some_and(has_come);
        is_read && report.whole && report.has_header && report.malformed.iter().all(is_closed)
    };
    let mut complete: Vec<CompleteReport> = said
        .reports
        .iter()
        .filter(|report| report.read_at <= this.read_at)
        .filter(is_complete)
        .map(|report| CompleteReport { read_at: report.read_at, window_days: report.window_days })
        .collect();
    complete.sort_by_key(|report| std::cmp::Reverse(report.read_at));
    let mut complete = complete.into_iter().take(MOST_REPORTS);
    let latest = complete.next().filter(|report| report.read_at == this.read_at)?;
    Some(covered_from(latest, complete))
}
