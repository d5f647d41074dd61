//! Stage 2: transactions that were asked for and not named are called for again, with the same key.

use paydown::decision::{Context, Effect, Input, decide};
use paydown::id::CreditId;
use uuid::Uuid;

use super::calling::{Call, asks_to_wait, call};
use super::striking::strike;
use super::{Running, Stage, Stretch, Worked};
use crate::error::Fault;
use crate::ledger::decisions::{Landing, land, policy_row};
use crate::ledger::facts::facts;
use crate::ledger::{self, calls, credits, stops};
use crate::ports::Ports;

/// Seeks all that is without an answer.
pub(super) async fn seek(running: &Running<'_>) -> Result<Stretch, Fault> {
    let work = async |credits: Vec<CreditId>, _: &[String]| {
        let stopped = seek_slice(running.ports, &credits, &running.context(), Some(running.run.id)).await?;
        Ok(Worked { reasons: stopped.into_iter().collect(), ..Worked::default() })
    };
    running.slices(Stage::Seek, running.place(Stage::Seek).await?, &credits::UNANSWERED, work).await
}

/// Seeks the answers of some credits; says why calling had to stop, if it had to.
pub(super) async fn seek_slice(
    ports: &Ports,
    credits: &[CreditId],
    context: &Context<'_>,
    run_id: Option<paydown::id::RunId>,
) -> Result<Option<String>, Fault> {
    let database = &*ports.database;
    let mut landings = Vec::new();
    let mut submits: Vec<(CreditId, Uuid)> = Vec::new();
    // A run that goes on late decides by its own instant, but the processor may have forgotten a key meanwhile.
    let now = Context { as_of: ports.clock.now().await?.max(context.as_of), ..*context };
    for facts in facts(database, credits).await? {
        let decision = decide(&facts, Input::Seek, context);
        let still = decide(&facts, Input::Seek, &now).effects;
        submits.extend(decision.effects.iter().filter_map(|effect| match effect {
            Effect::Submit { subject, .. } if still.contains(effect) => Some((facts.id, *subject)),
            Effect::Submit { .. } | Effect::HoldAccount { .. } => None,
        }));
        if !decision.facts.is_empty() {
            landings.push(Landing::of(&facts, Input::Seek, decision, (run_id, context.as_of), vec![]));
        }
    }
    if !landings.is_empty() {
        let (policy_id, policy) = policy_row(&ports.settings)?;
        ledger::batch(database, &[policy]).await?;
        // A decision that is stale here is taken by the next sweep.
        land(database, &landings, &policy_id).await?;
        strike(ports, credits, run_id, Some(context.as_of), context.as_of).await?;
    }
    if submits.is_empty() || stops::stop(database).await?.in_force {
        return Ok(None);
    }
    let subjects: Vec<Uuid> = submits.iter().map(|(_, subject)| *subject).collect();
    let bodies = calls::bodies(database, &subjects).await?;
    let calls = bodies.into_iter().filter_map(|(subject, body)| {
        let (credit_id, _) = submits.iter().find(|(_, s)| *s == subject)?;
        Some(Call { subject, credit_id: *credit_id, body, is_first: false })
    });
    let called = call(ports, calls.collect(), context.as_of).await?;
    let slow_down = called.slow_down.map(asks_to_wait);
    Ok(called.stopped.or(slow_down))
}
