//! The run is closed.

use super::{Running, Stage, counting, webhooks};
use crate::error::Fault;
use crate::ledger::runs;
use crate::log;

/// Closes the run as `complete`, or as `incomplete` with the reasons of its stages.
pub(super) async fn close(running: &Running<'_>) -> Result<(), Fault> {
    let mut reasons = Vec::new();
    for stage in Stage::ALL {
        reasons.extend(running.place(stage).await?.reasons);
    }
    reasons.dedup();
    let status = if reasons.is_empty() { "complete" } else { "incomplete" };
    let (did, figures) = counting::counted(running, status).await?;
    let now = running.ports.clock.now().await?;
    let now = (now, running.ports.clock.real_now().await?);
    let waiting =
        runs::close(running.database(), &running.since(""), (status, &reasons), &did, figures, now).await?;
    log::info("run closed", serde_json::json!({ "run_id": running.run.id, "reasons": reasons }));
    webhooks::wake(running.ports, waiting).await;
    Ok(())
}
