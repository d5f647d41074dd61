//! The daily run, in the order of the law, and what surrounds it.
//!
//! `daily` is the whole run of one instant:
//!
//! 1. open the run for its business date (`opening`);
//! 2. call again what is processing (`seeking`);
//! 3. download the report once, archive it, record its observations (`reading`);
//! 4. to 6. words and timeouts, credit by credit, as core decides (`deciding`);
//! 7. issue what is due (`issuing`);
//! 8. check L10 over everything touched and close the run (`closing`).
//!
//! Each stage is a row when it is done and resumes where its last slice ended; doing one twice changes
//! nothing. A run that a later one overtook does nothing more.

mod calling;
mod closing;
mod deciding;
mod delivery;
mod intake;
mod issuing;
mod opening;
mod reading;
#[cfg(feature = "sandbox")]
mod sandbox;
mod seeking;
mod striking;
mod sweeping;

pub use calling::{give_back, submit};
pub use delivery::{Verdict, deliver};
pub use opening::{Opened, open};
#[cfg(feature = "sandbox")]
pub use sandbox::advance;
pub use sweeping::{dead_letter, sweep};

use paydown::date::{Instant, days_before, text};
use paydown::decision::Context;
use paydown::id::CreditId;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::ledger::{self, credits, runs};
use crate::log;
use crate::ports::{Ports, Statement};

/// How many credits a slice decides at once.
const SLICE_CREDITS: u32 = 100;

/// Opens the run of `as_of` and takes it through all its stages, or goes on with it where it stopped.
///
/// Done for a run that is closed already, this does nothing.
pub async fn daily(ports: &Ports, as_of: Instant) -> Result<Opened, Fault> {
    let opened = open(ports, as_of).await?;
    let Opened::Open(run) = &opened else { return Ok(opened) };
    let running = Running::new(ports, run.clone()).await?;
    running.stage(Stage::Seek, seeking::seek(&running)).await?;
    running.stage(Stage::Report, reading::download(&running)).await?;
    running.stage(Stage::Observations, reading::record(&running)).await?;
    running.stage(Stage::Words, deciding::words(&running)).await?;
    running.stage(Stage::Issue, issuing::issue(&running)).await?;
    closing::close(&running).await?;
    Ok(opened)
}

/// The stages that leave rows, by the names of those rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Seek,
    Report,
    Observations,
    Words,
    Issue,
}

impl Stage {
    const ALL: [Stage; 5] = [Stage::Seek, Stage::Report, Stage::Observations, Stage::Words, Stage::Issue];

    fn name(self) -> &'static str {
        match self {
            Stage::Seek => "seek",
            Stage::Report => "report",
            Stage::Observations => "observations",
            Stage::Words => "words",
            Stage::Issue => "issue",
        }
    }
}

/// A run under way.
struct Running<'a> {
    ports: &'a Ports,
    run: runs::Run,
    policy_id: String,
}

/// What a stage says about itself when it is done.
type Detail = Value;

impl<'a> Running<'a> {
    async fn new(ports: &'a Ports, run: runs::Run) -> Result<Running<'a>, Fault> {
        let (policy_id, _) = ledger::decisions::policy_row(&ports.settings.policy)?;
        Ok(Running { ports, run, policy_id })
    }

    /// Runs a stage unless it is done already, and writes its row.
    async fn stage(
        &self,
        stage: Stage,
        work: impl Future<Output = Result<Detail, Fault>>,
    ) -> Result<(), Fault> {
        let progress = runs::progress(self.database(), self.run.id, stage.name()).await?;
        if progress.is_some_and(|slice| slice.cursor.is_none()) {
            return Ok(());
        }
        let detail = work.await?;
        let next = runs::progress(self.database(), self.run.id, stage.name()).await?;
        let slice = next.map_or(0, |done| done.slice.saturating_add(1));
        let done = self.slice_done(stage, slice, None, &detail).await?;
        ledger::batch(self.database(), &[done]).await?;
        let stage = stage.name();
        log::info(
            "stage done",
            json!({ "run_id": self.run.id, "stage": stage, "slices": slice, "detail": detail }),
        );
        Ok(())
    }

    /// Where a stage goes on: the number of its next slice and where that begins.
    async fn next_slice(&self, stage: Stage) -> Result<(u32, String), Fault> {
        let progress = runs::progress(self.database(), self.run.id, stage.name()).await?;
        Ok(progress.map_or((0, String::new()), |done| {
            (done.slice.saturating_add(1), done.cursor.unwrap_or_default())
        }))
    }

    async fn slice_done(
        &self,
        stage: Stage,
        slice: u32,
        cursor: Option<&str>,
        detail: &Detail,
    ) -> Result<Statement, Fault> {
        let now = self.ports.clock.now().await?;
        runs::slice_done(self.run.id, stage.name(), slice, cursor, detail, now)
    }

    /// Where this run looks for work: since the last run that went through all its stages.
    fn since(&self, cursor: &str) -> credits::Since {
        since(self.ports, &self.run, cursor)
    }

    fn context(&self) -> Context<'_> {
        let settings = &self.ports.settings;
        Context { as_of: self.run.as_of, zone: &settings.zone, policy: &settings.policy }
    }

    fn database(&self) -> &dyn crate::ports::Database {
        &*self.ports.database
    }
}

fn since(ports: &Ports, run: &runs::Run, cursor: &str) -> credits::Since {
    let days = ports.settings.policy.timeout_days;
    let before = run.before.as_ref();
    credits::Since {
        run_id: run.id,
        as_of: text(run.as_of),
        run_date: run.business_date,
        before: before.map(|b| b.id),
        since: before.map(|b| text(b.as_of)).unwrap_or_default(),
        since_date: before.map(|b| b.business_date.to_string()).unwrap_or_default(),
        aged_from: before.map(|b| text(days_before(b.as_of, days))).unwrap_or_default(),
        aged_to: text(days_before(run.as_of, days)),
        cursor: cursor.to_owned(),
        limit: SLICE_CREDITS,
    }
}

/// A stage's detail with the reasons for which the run is not complete.
fn because(reasons: &[String]) -> Detail {
    json!({ "reasons": reasons })
}

/// The last credit of a slice, from which the next one goes on.
fn last_of(credits: &[CreditId]) -> Option<String> {
    credits.last().map(CreditId::to_string)
}
