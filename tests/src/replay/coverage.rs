//! The coverage of each run (L5), worked out from the archived reports.

use std::collections::{BTreeMap, BTreeSet};

use paydown::coverage::{CompleteReport, covered_from};
use paydown::date::Instant;
use uuid::Uuid;

use super::said::{Read, Said};
use super::tables::Tables;

/// What each run could know of coverage.
pub struct Coverage(BTreeMap<Uuid, Known>);

/// What one run could know.
#[derive(Default)]
struct Known {
    /// From when on all reports covered all time.
    whole: BTreeSet<Option<Instant>>,
    /// From when on the latest of them did, with all of them: a run looks no further back than a debit has been silent.
    part: BTreeMap<Instant, Instant>,
}

impl Coverage {
    pub fn of(tables: &Tables, said: &Said) -> Coverage {
        let of_run = |read: &Read| (read.run_id, possible(tables, said, read));
        Coverage(said.reports.iter().map(of_run).collect())
    }

    /// From when on the reports covered all time in a run: as they all do, by which a decision must come out, and as the run
    /// looked at them. A malformed row that a person closes while the run looks may count or not: only then, what was
    /// recorded tells which.
    pub fn of_run(
        &self,
        run_id: Option<Uuid>,
        recorded: Option<Instant>,
    ) -> (Option<Instant>, Option<Instant>) {
        let Some(known) = run_id.and_then(|run_id| self.0.get(&run_id)) else { return (None, None) };
        let whole = recorded.and_then(|recorded| known.part.get(&recorded).copied());
        match whole {
            Some(whole) => (Some(whole), recorded),
            None if known.whole.contains(&recorded) => (recorded, recorded),
            None => known.whole.first().map_or((None, None), |first| (*first, *first)),
        }
    }
}

/// What coverage could be while the run took its words: from when it had read its report until it had taken them.
fn possible(tables: &Tables, said: &Said, this: &Read) -> Known {
    let Some(from) = this.read_to_its_end_at else {
        return Known { whole: BTreeSet::from([None]), ..Known::default() };
    };
    let until = tables.words_done.get(&this.run_id).copied();
    let changes = said.reports.iter().flat_map(|report| {
        report
            .malformed
            .iter()
            .filter_map(|row| tables.malformed_closed_at(*row, report.run_id))
            .chain(report.read_to_its_end_at)
    });
    let within = changes.filter(|at| *at >= from && until.is_none_or(|until| *at <= until));
    let mut known = Known::default();
    for at in within.chain([from]) {
        for is_before in [false, true] {
            let reached = at_instant(tables, said, this, at, is_before);
            let whole = reached.last().copied();
            known.whole.insert(whole);
            known.part.extend(reached.into_iter().filter_map(|part| Some((part, whole?))));
        }
    }
    known
}

/// Coverage as it was at an instant, what happened at the very instant included or not: with this report alone, with the one
/// before it, and so on to all.
fn at_instant(tables: &Tables, said: &Said, this: &Read, at: Instant, is_before: bool) -> Vec<Instant> {
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
    let Some((latest, before)) = complete.split_first().filter(|(latest, _)| latest.read_at == this.read_at)
    else {
        return vec![];
    };
    (0..=before.len()).map(|reports| covered_from(*latest, before.iter().take(reports).copied())).collect()
}
