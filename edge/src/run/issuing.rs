//! Stage 7: what is due is issued. The intent first, then the call, then its answer (L3).

use paydown::credit::{CreditStatus, Facts, State};
use paydown::decision::{Effect, Input, decide};
use paydown::id::CreditId;
use uuid::Uuid;

use super::calling::{Call, call, refusals};
use super::{Detail, Running, Stage, because, last_of};
use crate::error::Fault;
use crate::ledger::decisions::land;
use crate::ledger::facts::facts;
use crate::ledger::{self, credits, stops};
use crate::processor::{Direction, body};

/// How often a slice is claimed again when someone else decided on its credits in between.
const ATTEMPTS: u32 = 5;

/// Issues what is due, slice by slice. Once the processor says that we are misconfigured, or to slow down,
/// what is left is carried over to the next run.
pub(super) async fn issue(running: &Running<'_>) -> Result<Detail, Fault> {
    let mut stopped = None;
    let (mut slice, mut cursor) = running.next_slice(Stage::Issue).await?;
    loop {
        let credits = credits::due(running.database(), &running.since(&cursor)).await?;
        let Some(last) = last_of(&credits) else { return Ok(because(stopped.as_slice())) };
        let issued = issue_slice(running, credits, stopped.is_some()).await?;
        stopped = stopped.or(issued.stopped);
        cursor = last;
        let detail = because(stopped.as_slice());
        let carried = credits::carry_due(running.run.id, &issued.left)?;
        let done = running.slice_done(Stage::Issue, slice, Some(&cursor), &detail).await?;
        ledger::batch(running.database(), &[carried, done]).await?;
        slice = slice.saturating_add(1);
    }
}

/// What became of a slice.
#[derive(Default)]
struct Issued {
    /// Credits that still have something due: the next run looks at them again.
    left: Vec<CreditId>,
    /// Why nothing more is to be issued now.
    stopped: Option<String>,
}

async fn issue_slice(
    running: &Running<'_>,
    credits: Vec<CreditId>,
    only_carry: bool,
) -> Result<Issued, Fault> {
    let mut issued = Issued::default();
    let claimed = claim(running, credits.clone(), only_carry).await?;
    if !claimed.is_empty() {
        let called = call(running.ports, claimed, running.run.as_of).await?;
        refusals(running.ports, &called.refused, Some(running.run.id), running.run.as_of).await?;
        issued.stopped = called.stopped;
    }
    let run_date = running.run.business_date;
    for facts in facts(running.database(), &credits).await? {
        let state = State::of(&facts);
        let is_due = state.next_due_date().is_some_and(|date| date <= run_date);
        if is_due && state.status() == CreditStatus::Active {
            issued.left.push(facts.id);
        }
    }
    Ok(issued)
}

/// Writes the intents of a slice in one batch; the calls that are to be made for those that landed.
async fn claim(
    running: &Running<'_>,
    mut credits: Vec<CreditId>,
    only_carry: bool,
) -> Result<Vec<Call>, Fault> {
    let mut calls = Vec::new();
    if only_carry {
        return Ok(calls);
    }
    for _ in 0..ATTEMPTS {
        let mut landings = Vec::new();
        for facts in facts(running.database(), &credits).await? {
            let decision = decide(&facts, Input::Issue, &running.context());
            if !decision.facts.is_empty() {
                let bodies = bodies_of(running, &facts, &decision.effects)?;
                landings.push(running.landing(facts.id, decision, bodies));
            }
        }
        let landed = land(running.database(), &landings, &running.policy_id).await?;
        for landing in landings.iter().filter(|l| landed.contains(&l.credit_id)) {
            calls.extend(landing.bodies.iter().map(|(subject, body)| Call {
                subject: *subject,
                credit_id: landing.credit_id,
                body: body.clone(),
                is_first: true,
            }));
        }
        credits = landings.iter().map(|l| l.credit_id).filter(|id| !landed.contains(id)).collect();
        if credits.is_empty() || stops::stop(running.database()).await?.in_force {
            break;
        }
    }
    Ok(calls)
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
