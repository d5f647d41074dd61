//! Stage 7: what is due is issued. The intent first, then the call, then its answer (L3).

use std::collections::BTreeMap;

use chrono::TimeDelta;
use paydown::credit::{CreditStatus, Facts, State};
use paydown::date::days_passed;
use paydown::decision::{Effect, Input, decide};
use paydown::id::CreditId;
use uuid::Uuid;

use super::calling::{Call, asks_to_wait, call, refusals};
use super::{Later, Place, Running, Stage, Stretch, Worked};
use crate::error::Fault;
use crate::ledger::decisions::{Landing, land};
use crate::ledger::facts::facts;
use crate::ledger::{calls, credits, stops};
use crate::processor::{Direction, body};

/// How often a slice is claimed again when someone else decided on its credits in between.
const ATTEMPTS: u32 = 5;

/// For how long after its instant a run waits for a processor that asks to slow down; what is left then is the next run's.
const PATIENCE_HOURS: i64 = 6;

/// Issues what is due, slice by slice. Once the processor says that we are misconfigured, what is left is carried over to
/// the next run; when it asks to wait, the run waits.
pub(super) async fn issue(running: &Running<'_>) -> Result<Stretch, Fault> {
    let mut place = running.place(Stage::Issue).await?;
    let too_much = running.place(Stage::Weigh).await?.reasons;
    if !too_much.is_empty() {
        // Its stage says so already; here it only keeps everything in.
        return carry_all(running, place).await;
    }
    if place.reasons.is_empty() {
        let worked = call_unheard(running, &place.cursor).await?;
        place.reasons = worked.reasons;
        if let Some(later) = worked.later {
            return Ok(Stretch::Later(later));
        }
    }
    let work = async |credits: Vec<CreditId>, reasons: &[String]| {
        let (mut worked, mut known) = (Worked::default(), BTreeMap::new());
        if reasons.is_empty() {
            let claimed = claim(running, credits.clone()).await?;
            worked = called(running, claimed.calls).await?;
            known = claimed.known;
            // A refusal was dealt with since.
            known.retain(|credit_id, _| !worked.refused.contains(credit_id));
        }
        let left = still_due(running, &credits, &known).await?;
        worked.statements.push(credits::carry_due(running.run.id, &left)?);
        Ok(worked)
    };
    running.slices(Stage::Issue, place, &credits::DUE, work).await
}

/// Leaves all that is due to the next run.
async fn carry_all(running: &Running<'_>, place: Place) -> Result<Stretch, Fault> {
    let work = async |credits: Vec<CreditId>, _: &[String]| {
        let left = still_due(running, &credits, &BTreeMap::new()).await?;
        let statements = vec![credits::carry_due(running.run.id, &left)?];
        Ok(Worked { statements, ..Worked::default() })
    };
    running.slices(Stage::Issue, place, &credits::DUE, work).await
}

/// Calls for what an earlier invocation claimed behind the cursor, and of which nothing was heard: it broke off, or the
/// processor asked to wait.
async fn call_unheard(running: &Running<'_>, cursor: &str) -> Result<Worked, Fault> {
    let unheard = calls::unheard(running.database(), &running.since(cursor)).await?;
    let now = running.ports.clock.now().await?;
    let is_forgotten = |days| days_passed(running.run.as_of, now, days);
    let may_be_forgotten = running.ports.settings.policy.key_days.is_some_and(is_forgotten);
    if unheard.is_empty() || may_be_forgotten || stops::stop(running.database()).await?.in_force {
        return Ok(Worked::default());
    }
    let calls = unheard.into_iter().map(|(subject, credit_id, body)| Call {
        subject,
        credit_id,
        body,
        is_first: false,
    });
    called(running, calls.collect()).await
}

/// Calls for what was claimed, until all of it was called or the processor wants no more.
async fn called(running: &Running<'_>, mut calls: Vec<Call>) -> Result<Worked, Fault> {
    let (run_id, as_of) = (running.run.id, running.run.as_of);
    let pace = running.pace();
    let mut worked = Worked::default();
    while !calls.is_empty() {
        let rest = pace.map_or_else(Vec::new, |pace| calls.split_off(calls.len().min(pace.at_once())));
        let (asked, begun_at) = (calls.len(), running.ports.clock.real_now().await?);
        let called = call(running.ports, calls, as_of).await?;
        if let Some(pace) = pace {
            let made = asked.saturating_sub(called.left.len());
            let passed = running.ports.clock.real_now().await?.signed_duration_since(begun_at);
            running.ports.processor.wait(pace.rest_of(made, passed)).await;
        }
        refusals(running.ports, &called.refused, Some(run_id), as_of).await?;
        worked.refused.extend(called.refused.iter().map(|(credit_id, _)| *credit_id));
        worked.reasons.extend(called.stopped);
        if let Some(seconds) = called.slow_down {
            match running.has_patience().await? {
                true => worked.later = Some(Later { seconds }),
                false => worked.reasons.push(asks_to_wait(seconds)),
            }
        }
        if called.is_stopped || worked.later.is_some() || !worked.reasons.is_empty() {
            break;
        }
        calls = called.left;
        calls.extend(rest);
    }
    Ok(worked)
}

/// How often the processor may be called by this invocation.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// How many milliseconds belong to a call.
    call_milliseconds: u64,
}

/// For how many milliseconds' worth of calls the processor is called at once.
const PACE_MILLISECONDS: u64 = 10_000;

impl Pace {
    /// How many calls are made before there is a rest.
    fn at_once(self) -> usize {
        let calls = PACE_MILLISECONDS.checked_div(self.call_milliseconds).unwrap_or(u64::MAX);
        usize::try_from(calls.max(1)).unwrap_or(usize::MAX)
    }

    /// How long the rest is after so many calls, for which some time has passed.
    fn rest_of(self, calls: usize, passed: TimeDelta) -> u32 {
        let due = self.call_milliseconds.saturating_mul(calls as u64);
        let passed = u64::try_from(passed.num_milliseconds()).unwrap_or(0);
        u32::try_from(due.saturating_sub(passed)).unwrap_or(u32::MAX)
    }
}

/// The credits that still have something due: the next run looks at them again. Those are read of which it is not known.
async fn still_due(
    running: &Running<'_>,
    credits: &[CreditId],
    known: &BTreeMap<CreditId, bool>,
) -> Result<Vec<CreditId>, Fault> {
    let mut left: Vec<CreditId> = known.iter().filter(|(_, is_due)| **is_due).map(|(id, _)| *id).collect();
    let unknown: Vec<CreditId> = credits.iter().filter(|id| !known.contains_key(id)).copied().collect();
    let found = facts(running.database(), &unknown).await?;
    left.extend(found.iter().filter(|facts| is_due(running, facts)).map(|facts| facts.id));
    Ok(left)
}

/// Whether a debit of the credit is due and may leave.
fn is_due(running: &Running<'_>, facts: &Facts) -> bool {
    let state = State::of(facts);
    let is_due = state.next_due_date().is_some_and(|date| date <= running.run.business_date);
    is_due && state.status() == CreditStatus::Active
}

impl Running<'_> {
    /// The pace of this invocation: what the processor may be asked in all is divided among the parts of the stage.
    fn pace(&self) -> Option<Pace> {
        let most = self.ports.settings.processor_calls_per_minute?;
        let parts = self.part_of(Stage::Issue).map_or(1, |part| u64::from(part.of));
        let call_milliseconds = 60_000_u64.saturating_mul(parts).div_ceil(u64::from(most.max(1)));
        Some(Pace { call_milliseconds })
    }

    /// Whether a processor that asks to wait is waited for.
    async fn has_patience(&self) -> Result<bool, Fault> {
        let passed = self.ports.clock.now().await?.signed_duration_since(self.run.as_of);
        Ok(passed < TimeDelta::hours(PATIENCE_HOURS))
    }
}

/// A decision to issue that is to land yet, and whether something more is due with it.
pub(super) struct Intent {
    landing: Landing,
    is_due: bool,
}

impl Running<'_> {
    /// What is to be issued of a credit on which the run decides, from the facts that are at hand: they need not be read once more.
    /// Should something change meanwhile, it does not land, as its turn is taken then.
    pub(super) fn intent(&self, facts: Facts) -> Result<Option<Intent>, Fault> {
        if self.part.is_some() || !is_due(self, &facts) {
            return Ok(None);
        }
        let (landing, is_due) = decided(self, facts)?;
        Ok(landing.map(|landing| Intent { landing, is_due }))
    }
}

/// The decision to issue what is due of a credit, if anything is; and whether something more is due with it.
fn decided(running: &Running<'_>, mut facts: Facts) -> Result<(Option<Landing>, bool), Fault> {
    let decision = decide(&facts, Input::Issue, &running.context());
    if decision.facts.is_empty() {
        return Ok((None, is_due(running, &facts)));
    }
    let bodies = bodies_of(running, &facts, &decision.effects)?;
    let landing = running.landing(&facts, Input::Issue, decision.clone(), bodies);
    facts.apply(&decision, running.run.as_of);
    Ok((Some(landing), is_due(running, &facts)))
}

/// What came of claiming a slice.
#[derive(Default)]
struct Claimed {
    /// The calls that are to be made.
    calls: Vec<Call>,
    /// Of the credits whose decision landed, or that needed none, whether something more is due.
    known: BTreeMap<CreditId, bool>,
}

/// Writes the intents of a slice in one batch; the calls that are to be made for those that landed.
async fn claim(running: &Running<'_>, mut credits: Vec<CreditId>) -> Result<Claimed, Fault> {
    let mut claimed = Claimed::default();
    for _ in 0..ATTEMPTS {
        let (mut landings, mut unread) = (Vec::new(), Vec::new());
        for credit_id in &credits {
            match running.intents.borrow_mut().remove(credit_id) {
                Some(intent) => {
                    claimed.known.insert(*credit_id, intent.is_due);
                    landings.push(intent.landing);
                }
                None => unread.push(*credit_id),
            }
        }
        for facts in facts(running.database(), &unread).await? {
            let (credit_id, (landing, is_due)) = (facts.id, decided(running, facts)?);
            claimed.known.insert(credit_id, is_due);
            landings.extend(landing);
        }
        let landed = land(running.database(), &landings, &running.policy_id).await?;
        for landing in landings.iter().filter(|l| landed.contains(l.credit_id)) {
            claimed.calls.extend(landing.bodies.iter().map(|(subject, body)| Call {
                subject: *subject,
                credit_id: landing.credit_id,
                body: body.clone(),
                is_first: landed.is_new(landing.credit_id),
            }));
        }
        credits = landings.iter().map(|l| l.credit_id).filter(|id| !landed.contains(*id)).collect();
        claimed.known.retain(|id, _| !credits.contains(id));
        if credits.is_empty() || stops::stop(running.database()).await?.in_force {
            break;
        }
    }
    Ok(claimed)
}

/// What the processor will be asked for each debit that a decision submits.
fn bodies_of(running: &Running<'_>, facts: &Facts, effects: &[Effect]) -> Result<Vec<(Uuid, String)>, Fault> {
    let funding = &running.ports.settings.funding_account;
    let mut bodies = Vec::new();
    for effect in effects {
        if let Effect::Submit { subject, amount } = effect {
            let body = body(Direction::Debit, &facts.account_id, funding, *amount, *subject)?;
            bodies.push((*subject, body));
        }
    }
    Ok(bodies)
}
