//! Stages that are more than one invocation's work are divided into parts, each a queue message of its own, so that many
//! invocations work side by side: credits from one to another, or lines of the report from one byte to another.
//!
//! The invocation that divides a stage leaves it to the parts. The one that ends the last of them sends the run on. A
//! message that gets lost, the sweeper sends anew.

use std::sync::Arc;

use paydown::date::Instant;
use serde_json::json;
use uuid::Uuid;

use super::budget::Meter;
use super::{Detail, Later, Running, Stage, Stretch};
use crate::error::Fault;
use crate::ledger::parts::{self, Divider, Part};
use crate::ledger::{self, decisions, runs};
use crate::log;
use crate::message::{Message, PartName};
use crate::ports::Ports;

impl PartName {
    pub(super) fn of(stage: Stage, part: &Part) -> PartName {
        PartName { stage: stage.name().to_owned(), number: part.number }
    }
}

/// How the parts of a stage stand.
pub(super) enum Parts {
    /// It has none.
    None,
    /// Some are not done, and have their messages.
    Working,
    /// All are done; what each says about itself.
    Done(Vec<Detail>),
}

/// Takes a part of the run of `as_of` to its end, or as far as the budget of the invocation reaches.
///
/// Of a part that is done, or of a run that is closed, this does nothing.
pub(super) async fn part(
    ports: &Ports,
    meter: &Arc<Meter>,
    as_of: Instant,
    name: &PartName,
) -> Result<(), Fault> {
    let Some(stage) = Stage::named(&name.stage) else {
        return Err(Fault::Permanent(format!("a run has no stage {}", name.stage)));
    };
    let run = runs::run_of(&*ports.database, as_of).await?;
    let Some(run) = run.filter(|run| run.closed.is_none()) else { return Ok(()) };
    let all = parts::of_stage(&*ports.database, run.id, stage.name()).await?;
    let Some(part) = all.into_iter().find(|part| part.number == name.number) else {
        return Err(Fault::Permanent(format!("the stage {} has no part {}", name.stage, name.number)));
    };
    let mut running = Running::new(ports, Arc::clone(meter), run)?;
    if !part.done {
        // Another version of the Worker may have opened the run.
        let (_, policy) = decisions::policy_row(&ports.settings)?;
        ledger::batch(&*ports.database, &[policy]).await?;
        running.part = Some((stage, part));
        if let Some(Rest::Later(later)) = running.stage(stage).await? {
            return running.hand_on(later).await;
        }
        running.part = None;
    }
    let now = ports.clock.now().await?;
    let is_last = parts::join(&*ports.database, running.divider(stage), now).await?;
    if is_last { running.hand_on(Later { seconds: 0 }).await } else { Ok(()) }
}

/// What an invocation leaves.
pub(super) enum Rest {
    /// A message of its own goes on with it.
    Later(Later),
    /// The parts of the stage have their messages.
    Parts,
    /// The run has ended.
    Nothing,
}

impl Running<'_> {
    /// Divides a stage at these places, and sends each part its message; who divided it first does.
    pub(super) async fn divide(&self, stage: Stage, places: &[String]) -> Result<Stretch, Fault> {
        let now = self.ports.clock.now().await?;
        let all = parts::divide(self.database(), self.divider(stage), places, now).await?;
        log::info(
            "stage divided",
            json!({ "run_id": self.run.id, "stage": stage.name(), "parts": all.len() }),
        );
        for part in &all {
            self.send(stage, part).await?;
        }
        Ok(Stretch::Parts)
    }

    /// How the parts of a stage stand. Where nothing was heard of the run for long, those that are not done get their message
    /// anew.
    pub(super) async fn parts(&self, stage: Stage) -> Result<Parts, Fault> {
        let all = parts::of_stage(self.database(), self.run.id, stage.name()).await?;
        if all.is_empty() {
            return Ok(Parts::None);
        }
        if all.iter().all(|part| part.done) {
            return Ok(Parts::Done(all.into_iter().map(|part| part.detail).collect()));
        }
        for part in all.iter().filter(|part| self.is_left && !part.done) {
            self.send(stage, part).await?;
        }
        Ok(Parts::Working)
    }

    fn divider(&self, stage: Stage) -> Divider<'static> {
        Divider { run_id: self.run.id, stage: stage.name(), by: Uuid::new_v4() }
    }

    async fn send(&self, stage: Stage, part: &Part) -> Result<(), Fault> {
        let message = Message::Run { as_of: self.run.as_of, part: Some(PartName::of(stage, part)) };
        self.ports.outbox.send(&message, 0).await
    }
}
