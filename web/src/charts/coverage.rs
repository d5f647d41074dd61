//! The days of the last runs as a strip: read, incomplete, missed, or in a hole between the reports.

use std::collections::BTreeMap;

use leptos::prelude::*;
use paydown::api::{Run, RunStatus};
use paydown::coverage::{CompleteReport, hole};
use paydown::date::BusinessDate;
use paydown::id::RunId;

use crate::components::intl::{business_date, date};

/// What became of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// No run was opened on it; a later run covers it.
    Missed,
    /// Its run ended early.
    Failed,
    /// Its run is under way.
    Running,
    /// Its run left something out.
    Incomplete,
    /// Its run read a complete report and left nothing out.
    Read,
    /// No complete report covers it, whatever its run did: words may be lost.
    Hole,
}

impl Fate {
    /// All of them, the usual one first.
    const ALL: [Fate; 6] =
        [Fate::Read, Fate::Incomplete, Fate::Failed, Fate::Running, Fate::Missed, Fate::Hole];

    fn of(status: RunStatus) -> Fate {
        match status {
            RunStatus::Running => Fate::Running,
            RunStatus::Complete => Fate::Read,
            RunStatus::Incomplete => Fate::Incomplete,
            RunStatus::Failed => Fate::Failed,
        }
    }

    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Fate::Missed => ("·", "missed, covered by the run after it", "day day-missed"),
            Fate::Failed => ("×", "failed", "day tone-bad"),
            Fate::Running => ("◑", "under way", "day tone-moving"),
            Fate::Incomplete => ("!", "incomplete", "day tone-attention"),
            Fate::Read => ("✓", "complete", "day tone-good"),
            Fate::Hole => ("○", "a hole: no complete report covers it", "day tone-bad"),
        }
    }
}

/// The strip, oldest day first.
#[component]
pub fn Coverage(
    /// The runs of the page.
    runs: Vec<Run>,
) -> impl IntoView {
    let days = days(&runs).into_iter().map(|(day, (fate, run))| {
        let (mark, words, class) = fate.words();
        let text = format!("{}: {words}", date(day));
        let cell = view! {
            <span aria-hidden="true">{mark}</span>
            <span class="sr-only">{text.clone()}</span>
        };
        match run {
            Some(run) => {
                view! { <li><a class=class title=text href=format!("/runs/{run}")>{cell}</a></li> }.into_any()
            }
            None => view! { <li><span class=class title=text>{cell}</span></li> }.into_any(),
        }
    });
    let legend = Fate::ALL.map(|fate| {
        let (mark, words, _) = fate.words();
        view! { <li><span aria-hidden="true">{mark}</span>" "{words}</li> }
    });
    view! {
        <section aria-labelledby="coverage">
            <h2 id="coverage">"Coverage by day"</h2>
            <ol class="strip">{days.collect_view()}</ol>
            <ul class="legend">{legend.collect_view()}</ul>
        </section>
    }
}

/// The best that was made of each day.
fn days(runs: &[Run]) -> BTreeMap<BusinessDate, (Fate, Option<RunId>)> {
    let mut days = BTreeMap::new();
    for run in runs {
        let missed = run.missed_days.iter().map(|day| (*day, (Fate::Missed, None)));
        for (day, fate) in missed.chain([(run.business_date, (Fate::of(run.status), Some(run.id)))]) {
            let known = days.entry(day).or_insert(fate);
            if fate.0 > known.0 {
                *known = fate;
            }
        }
    }
    for day in holes(runs) {
        days.entry(day).and_modify(|known| known.0 = Fate::Hole).or_insert((Fate::Hole, None));
    }
    days
}

/// The days between two complete reports of which the later does not reach back to the earlier.
fn holes(runs: &[Run]) -> Vec<BusinessDate> {
    let mut reports: Vec<CompleteReport> =
        runs.iter().filter_map(|run| run.report.as_ref()?.covers).collect();
    reports.sort_by_key(|report| report.read_at);
    let pairs = reports.iter().zip(reports.iter().skip(1));
    let holes = pairs.filter_map(|(before, after)| hole(*after, *before));
    let days = holes.flat_map(|(from, to)| {
        // A hole within a day, or from one to the next, is shown on the later.
        let end = business_date(to);
        let first = business_date(from).plus_days(1).min(end);
        let between = u32::try_from(end.days_since(first)).unwrap_or(0);
        (0..between.max(1)).map(move |n| first.plus_days(n))
    });
    days.collect()
}
