//! Stages 4 to 6: words on credits and debits, and timeouts, as core decides.

use std::cell::RefCell;

use paydown::coverage::{CompleteReport, covered_from, hole};
use paydown::credit::{DebitFacts, Facts};
use paydown::date::{Instant, just_before, text};
use paydown::decision::{Decision, Input, decide};
use paydown::id::{self, CreditId};
use uuid::Uuid;

use super::{Running, Stage, Stretch, Worked};
use crate::error::Fault;
use crate::ledger::decisions::{Landing, land};
use crate::ledger::facts::facts;
use crate::ledger::{self, credits, exceptions, reports};

/// How often a credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// How many complete reports before this one are looked at first, and how many more at once where a debit has been silent for
/// longer than those reach back.
const REPORTS: usize = 7;
const MORE_REPORTS: usize = 50;

/// Decides on every credit of which something new was said, that came of age, or that waits for coverage.
pub(super) async fn words(running: &Running<'_>) -> Result<Stretch, Fault> {
    let coverage = coverage(running).await?;
    let input = async |facts: &[Facts]| {
        let covered_from = match &coverage {
            Some(coverage) => Some(coverage.from(running, facts).await?),
            None => None,
        };
        Ok(Input::Words { covered_from })
    };
    let work = async |credits: Vec<CreditId>, _: &[String]| {
        let stale = decide_all(running, credits.clone(), &input).await?;
        running.strike(&credits).await?;
        let kept_changing = |id: &CreditId| format!("credit {id} kept changing while its words were decided");
        Ok(Worked { reasons: stale.iter().map(kept_changing).collect(), ..Worked::default() })
    };
    running.slices(Stage::Words, running.place(Stage::Words).await?, &credits::WITH_WORDS, work).await
}

/// Decides on credits until each decision has landed; gives those that kept changing.
async fn decide_all(
    running: &Running<'_>,
    mut credits: Vec<CreditId>,
    input: &impl AsyncFn(&[Facts]) -> Result<Input, Fault>,
) -> Result<Vec<CreditId>, Fault> {
    for _ in 0..ATTEMPTS {
        let (mut landings, mut intents) = (Vec::new(), Vec::new());
        let found = facts(running.database(), &credits).await?;
        let input = input(&found).await?;
        for mut facts in found {
            let decision = decide(&facts, input.clone(), &running.context());
            if !decision.facts.is_empty() {
                landings.push(running.landing(&facts, input.clone(), decision.clone(), vec![]));
            }
            facts.apply(&decision, running.run.as_of);
            intents.push((facts.id, running.intent(facts)?));
        }
        let landed = land(running.database(), &landings, &running.policy_id).await?;
        credits = landings.iter().map(|l| l.credit_id).filter(|id| !landed.contains(*id)).collect();
        let intents = intents.into_iter().filter(|(credit_id, _)| !credits.contains(credit_id));
        running
            .intents
            .borrow_mut()
            .extend(intents.filter_map(|(credit_id, intent)| Some((credit_id, intent?))));
        if credits.is_empty() {
            break;
        }
    }
    Ok(credits)
}

impl Running<'_> {
    /// A decision of this run on its way into the ledger.
    pub(super) fn landing(
        &self,
        facts: &Facts,
        input: Input,
        decision: Decision,
        bodies: Vec<(Uuid, String)>,
    ) -> Landing {
        Landing::of(facts, input, decision, (Some(self.run.id), self.run.as_of), bodies)
    }
}

/// The complete reports of this run and before, as many as were looked at so far.
struct Coverage {
    this: CompleteReport,
    before: RefCell<Before>,
}

/// Complete reports, latest first.
struct Before {
    reports: Vec<CompleteReport>,
    are_all: bool,
}

/// The reports that cover the time up to this run; a hole behind its report opens `report_hole`.
async fn coverage(running: &Running<'_>) -> Result<Option<Coverage>, Fault> {
    let Some(report) = reports::of_run(running.database(), running.run.id).await? else { return Ok(None) };
    let until = text(report.read_at);
    let limit = REPORTS.saturating_add(1);
    let mut reports = reports::complete(running.database(), &until, limit).await?;
    let are_all = reports.len() < limit;
    if reports.first().is_none_or(|last| last.read_at != report.read_at) {
        return Ok(None);
    }
    let this = reports.remove(0);
    if let Some((from, to)) = reports.first().and_then(|before| hole(this, *before)) {
        let subject = running.run.id.to_string();
        let exception = exceptions::NewException {
            id: id::from_cause(0, &["exception", "report_hole", &subject]),
            kind: "report_hole",
            subject,
            run_id: Some(running.run.id),
            detail: format!("no complete report covers the time from {} to {}", text(from), text(to)),
            opened_at: text(running.run.as_of),
        };
        ledger::batch(running.database(), &[exceptions::opened(&[exception])?]).await?;
    }
    Ok(Some(Coverage { this, before: RefCell::new(Before { reports, are_all }) }))
}

impl Coverage {
    /// From when on the reports cover all time up to this run, as far back as some credit's debits have been silent: reports
    /// before that change nothing, however many there are.
    async fn from(&self, running: &Running<'_>, credits: &[Facts]) -> Result<Instant, Fault> {
        let silent_since = credits.iter().filter_map(silent_since).min();
        loop {
            let (from, earliest) = {
                let before = self.before.borrow();
                let from = covered_from(self.this, before.reports.iter().copied());
                (
                    from,
                    before
                        .reports
                        .last()
                        .copied()
                        .filter(|earliest| !before.are_all && earliest.read_at >= from),
                )
            };
            let Some(earliest) = earliest.filter(|_| silent_since.is_some_and(|at| at < from)) else {
                return Ok(from);
            };
            let until = text(just_before(earliest.read_at));
            let more = reports::complete(running.database(), &until, MORE_REPORTS).await?;
            let mut before = self.before.borrow_mut();
            before.are_all = more.len() < MORE_REPORTS;
            before.reports.extend(more);
        }
    }
}

/// Since when the first of a credit's debits is submitted that has no word and did not time out.
fn silent_since(facts: &Facts) -> Option<Instant> {
    let has_word = |id: Uuid| facts.words.iter().any(|word| word.subject == id);
    let is_silent = |debit: &&DebitFacts| !has_word(debit.id.0) && !facts.timeouts.contains(&debit.id.0);
    facts.debits.iter().filter(is_silent).filter_map(|debit| debit.submitted_at).min()
}
