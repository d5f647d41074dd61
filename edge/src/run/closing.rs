//! Stage 8: L10 is checked over everything the run touched, and the run is closed.

use paydown::credit::State;
use paydown::id::CreditId;

use super::{Running, Stage, Stretch, Worked, counting, webhooks};
use crate::error::Fault;
use crate::ledger::facts::facts;
use crate::ledger::{credits, runs};
use crate::log;

/// Checks L10 over everything the run touched.
pub(super) async fn check(running: &Running<'_>) -> Result<Stretch, Fault> {
    let work = async |credits: Vec<CreditId>, _: &[String]| {
        // Once more for the refusals of a slice that broke off before their account was looked at.
        running.strike(&credits).await?;
        let mut reasons = Vec::new();
        for facts in facts(running.database(), &credits).await? {
            let breaches = State::of(&facts).breaches();
            reasons.extend(
                breaches.iter().map(|breach| format!("L10 is broken for credit {}: {breach}", facts.id)),
            );
        }
        Ok(Worked { reasons, ..Worked::default() })
    };
    running.slices(Stage::Check, running.place(Stage::Check).await?, &credits::TOUCHED, work).await
}

/// Closes the run as `complete`, or as `incomplete` with the reasons of its stages.
pub(super) async fn close(running: &Running<'_>) -> Result<(), Fault> {
    let mut reasons = Vec::new();
    for stage in Stage::ALL {
        reasons.extend(running.place(stage).await?.reasons);
    }
    reasons.dedup();
    let status = if reasons.is_empty() { "complete" } else { "incomplete" };
    let figures = counting::figures(running, status).await?;
    let now = running.ports.clock.now().await?;
    let now = (now, running.ports.clock.real_now().await?);
    let waiting =
        runs::close(running.database(), &running.since(""), (status, &reasons), figures, now).await?;
    log::info("run closed", serde_json::json!({ "run_id": running.run.id, "reasons": reasons }));
    webhooks::wake(running.ports, waiting).await;
    Ok(())
}
