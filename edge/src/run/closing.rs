//! Stage 8: L10 is checked over everything the run touched, and the run is closed.

use paydown::credit::State;

use super::striking::strike;
use super::{Running, SLICE_CREDITS, Stage, last_of};
use crate::error::Fault;
use crate::ledger::facts::facts;
use crate::ledger::runs;
use crate::log;

/// Closes the run as `complete`, or as `incomplete` with the reasons.
pub(super) async fn close(running: &Running<'_>) -> Result<(), Fault> {
    let mut reasons = Vec::new();
    for stage in Stage::ALL {
        let slice = runs::progress(running.database(), running.run.id, stage.name()).await?;
        let said = slice.and_then(|slice| slice.detail.get("reasons").cloned());
        reasons.extend(
            said.and_then(|reasons| serde_json::from_value::<Vec<String>>(reasons).ok()).unwrap_or_default(),
        );
    }
    reasons.extend(breaches(running).await?);
    reasons.dedup();
    let now = running.ports.clock.now().await?;
    runs::close(running.database(), &running.since(""), &reasons, now).await?;
    log::info("run closed", serde_json::json!({ "run_id": running.run.id, "reasons": reasons }));
    Ok(())
}

/// What L10 finds wrong with the credits on which this run decided.
async fn breaches(running: &Running<'_>) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let credits = runs::touched(running.database(), running.run.id, &cursor, SLICE_CREDITS).await?;
        let Some(last) = last_of(&credits) else { return Ok(found) };
        // Once more for the refusals of a slice that broke off before their account was looked at.
        strike(running.ports, &credits, Some(running.run.id), running.run.as_of).await?;
        for facts in facts(running.database(), &credits).await? {
            let breaches = State::of(&facts).breaches();
            found.extend(
                breaches.iter().map(|breach| format!("L10 is broken for credit {}: {breach}", facts.id)),
            );
        }
        cursor = last;
    }
}
