//! The daily run, in the order of the law, and what surrounds it.
//!
//! `daily` is the whole run of one instant:
//!
//! 1. open the run for its business date (`opening`);
//! 2. call again what is processing (`seeking`);
//! 3. download the report once, archive it, record its observations (`reading`);
//! 4. to 6. words and timeouts, credit by credit, as core decides (`deciding`);
//! 7. issue what is due (`issuing`), unless it is more than one run may issue (`weighing`);
//! 8. check L10 over everything touched, count the figures (`counting`) and close the run (`closing`).
//!
//! Each stage is a row when it is done and resumes where its last slice ended; doing one twice changes
//! nothing. One that is too large for an invocation is divided (`parts`). A run that a later one overtook does nothing more.

mod budget;
mod calling;
mod closing;
mod counting;
mod deciding;
mod delivery;
mod intake;
mod issuing;
mod opening;
mod parts;
mod reading;
#[cfg(feature = "sandbox")]
mod sandbox;
mod seeking;
mod striking;
mod sweeping;
mod webhooks;
mod weighing;

pub use calling::{give_back, submit};
pub use delivery::deliver;
pub use opening::{Opened, open};
#[cfg(feature = "sandbox")]
pub use sandbox::advance;
pub use sweeping::{dead_letter, sweep};
pub use webhooks::{go_on, resend, rewind, standing, wake_webhooks};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use budget::Meter;
use issuing::Intent;
use parts::{Parts, Rest};
use paydown::date::{Instant, days_before, text};
use paydown::decision::Context;
use paydown::id::CreditId;
use serde_json::{Value, json};

use crate::error::Fault;
use crate::ledger::credits::Search;
use crate::ledger::parts::{END, Part};
use crate::ledger::{self, credits, runs};
use crate::log;
use crate::message::{Message, PartName};
use crate::ports::{Ports, Statement};

/// Opens the run of `as_of` and takes it through its stages, or goes on with it where it stopped. When the budget of the
/// invocation is used, or the processor asks to wait, the rest is handed on as a queue message.
///
/// Done for a run that is closed already, this does nothing.
pub async fn daily(ports: &Ports, as_of: Instant) -> Result<Opened, Fault> {
    let (meter, ports) = Meter::of(ports, ports.settings.budget).await?;
    run(&ports, &meter, as_of, false).await
}

/// The same within a budget of which some may be used; `is_left` says that nobody works on the run any more.
async fn run(ports: &Ports, meter: &Arc<Meter>, as_of: Instant, is_left: bool) -> Result<Opened, Fault> {
    let opened = open(ports, as_of).await?;
    if let Opened::Open(run) = &opened {
        let mut running = Running::new(ports, Arc::clone(meter), run.clone())?;
        running.is_left = is_left;
        if let Some(Rest::Later(later)) = running.go_on().await? {
            running.hand_on(later).await?;
        }
    }
    Ok(opened)
}

/// The stages that leave rows, by the names of those rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Seek,
    Report,
    Observations,
    Words,
    Weigh,
    Issue,
    Strikes,
    Figures,
}

impl Stage {
    const ALL: [Stage; 8] = [
        Stage::Seek,
        Stage::Report,
        Stage::Observations,
        Stage::Words,
        Stage::Weigh,
        Stage::Issue,
        Stage::Strikes,
        Stage::Figures,
    ];

    fn named(name: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| stage.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Stage::Seek => "seek",
            Stage::Report => "report",
            Stage::Observations => "observations",
            Stage::Words => "words",
            Stage::Weigh => "weigh",
            Stage::Issue => "issue",
            Stage::Strikes => "strikes",
            Stage::Figures => ledger::figures::STAGE,
        }
    }
}

/// A run under way.
struct Running<'a> {
    ports: &'a Ports,
    meter: Arc<Meter>,
    run: runs::Run,
    policy_id: String,
    /// The part of a stage that the invocation is to do, if not the run.
    part: Option<(Stage, Part)>,
    /// Whether nobody worked on it any more.
    is_left: bool,
    /// What is to be issued, as far as the words were decided in this invocation.
    intents: RefCell<BTreeMap<CreditId, Intent>>,
}

/// What a stage says about itself when it is done.
type Detail = Value;

/// How far an invocation got with a stage.
enum Stretch {
    /// To its end.
    Done(Detail),
    /// As far as the budget or the processor let it.
    Later(Later),
    /// It is left to its parts.
    Parts,
}

/// The rest is for another invocation.
struct Later {
    /// In so many seconds at the earliest.
    seconds: u32,
}

/// Where a stage goes on, and what was said of it up to there.
struct Place {
    slice: u32,
    cursor: String,
    reasons: Vec<String>,
}

/// What became of a slice of credits.
#[derive(Default)]
struct Worked {
    /// Why the run is not complete.
    reasons: Vec<String>,
    /// What is to be written with the slice.
    statements: Vec<Statement>,
    /// The credits of which the processor refused something.
    refused: Vec<CreditId>,
    /// The slice is to be worked through again: the processor asked to wait.
    later: Option<Later>,
}

impl<'a> Running<'a> {
    fn new(ports: &'a Ports, meter: Arc<Meter>, run: runs::Run) -> Result<Running<'a>, Fault> {
        let (policy_id, _) = ledger::decisions::policy_row(&ports.settings)?;
        let intents = RefCell::default();
        Ok(Running { ports, meter, run, policy_id, part: None, is_left: false, intents })
    }

    /// All stages, and the run's end; or where it broke off.
    async fn go_on(&self) -> Result<Option<Rest>, Fault> {
        for stage in Stage::ALL {
            if let Some(rest) = self.stage(stage).await? {
                return Ok(Some(rest));
            }
        }
        closing::close(self).await?;
        Ok(None)
    }

    /// Leaves the rest to a message; should it get lost, to the sweeper.
    async fn hand_on(&self, later: Later) -> Result<(), Fault> {
        let (run_id, seconds) = (self.run.id, later.seconds);
        log::info("run handed on", json!({ "run_id": run_id, "seconds": seconds }));
        let part = self.part.as_ref().map(|(stage, part)| PartName::of(*stage, part));
        self.ports.outbox.send(&Message::Run { as_of: self.run.as_of, part }, seconds).await?;
        wake_webhooks(self.ports).await;
        Ok(())
    }

    /// Runs a stage unless it is done already, and writes its row. A run that a later one overtook has nothing more to do.
    async fn stage(&self, stage: Stage) -> Result<Option<Rest>, Fault> {
        let standing = runs::standing(self.database(), self.run.id, &self.rows_of(stage)).await?;
        if standing.is_closed {
            return Ok(Some(Rest::Nothing));
        }
        let progress = standing.latest;
        if progress.as_ref().is_some_and(|slice| slice.cursor.is_none()) {
            return Ok(None);
        }
        let is_divided = progress.is_some_and(|slice| slice.detail.get("parts").is_some());
        let parts = if is_divided { self.parts(stage).await? } else { Parts::None };
        let stretch = match (stage, parts) {
            (_, Parts::Working) => Stretch::Parts,
            (Stage::Observations, Parts::Done(details)) => reading::ended(self, &details).await?,
            (_, Parts::Done(details)) => Stretch::Done(because(&reasons_of(&details))),
            (_, Parts::None) => self.begin(stage).await?,
        };
        let detail = match stretch {
            Stretch::Done(detail) => detail,
            Stretch::Later(later) => return Ok(Some(Rest::Later(later))),
            Stretch::Parts => return Ok(Some(Rest::Parts)),
        };
        let (name, now) = (self.rows_of(stage), self.ports.clock.now().await?);
        ledger::batch(self.database(), &[runs::stage_done(self.run.id, &name, &detail, now)?]).await?;
        // What was counted is too much for a line.
        let told = if stage == Stage::Figures { because(&reasons_of(&[detail])) } else { detail };
        log::info("stage done", json!({ "run_id": self.run.id, "stage": name, "detail": told }));
        Ok(None)
    }

    /// Begins a stage, or goes on with it.
    async fn begin(&self, stage: Stage) -> Result<Stretch, Fault> {
        Ok(match stage {
            Stage::Seek => seeking::seek(self).await?,
            Stage::Report => reading::download(self).await?,
            Stage::Observations => reading::record(self).await?,
            Stage::Words => deciding::words(self).await?,
            Stage::Weigh => weighing::weigh(self).await?,
            Stage::Issue => issuing::issue(self).await?,
            Stage::Strikes => striking::strikes(self).await?,
            Stage::Figures => counting::count(self).await?,
        })
    }

    /// Works through the credits of a stage from a place on, a slice at a time, until the search gives none or the budget is
    /// used. Where there are more of them than a part has, the stage is divided.
    async fn slices(
        &self,
        stage: Stage,
        mut place: Place,
        search: &Search,
        work: impl AsyncFn(Vec<CreditId>, &[String]) -> Result<Worked, Fault>,
    ) -> Result<Stretch, Fault> {
        loop {
            if self.is_spent().await? {
                return Ok(Stretch::Later(Later { seconds: 0 }));
            }
            let since = self.since(&place.cursor);
            let found = credits::find(self.database(), search, &since).await?;
            let is_more = found.len() > usize::try_from(since.limit).unwrap_or(usize::MAX);
            if is_more && self.part.is_none() && place.cursor.is_empty() {
                let ends = credits::ends(self.database(), search, &since).await?;
                return self.divide(stage, &ends.iter().map(CreditId::to_string).collect::<Vec<_>>()).await;
            }
            for slice in found.chunks(slice_credits(self.ports)) {
                if self.is_spent().await? {
                    return Ok(Stretch::Later(Later { seconds: 0 }));
                }
                let worked = work(slice.to_vec(), &place.reasons).await?;
                if let Some(later) = worked.later {
                    return Ok(Stretch::Later(later));
                }
                self.done_with(stage, &mut place, slice, worked).await?;
            }
            if !is_more {
                return Ok(Stretch::Done(because(&place.reasons)));
            }
        }
    }

    /// Writes what a slice came to, and moves the place behind it.
    async fn done_with(
        &self,
        stage: Stage,
        place: &mut Place,
        slice: &[CreditId],
        worked: Worked,
    ) -> Result<(), Fault> {
        place.reasons.extend(worked.reasons);
        place.reasons.dedup();
        place.cursor = last_of(slice).unwrap_or_default();
        let mut statements = worked.statements;
        let detail = because(&place.reasons);
        statements.push(self.slice_done(stage, place.slice, &place.cursor, &detail).await?);
        ledger::batch(self.database(), &statements).await?;
        place.slice = place.slice.saturating_add(1);
        Ok(())
    }

    /// Whether another invocation is to do the rest.
    async fn is_spent(&self) -> Result<bool, Fault> {
        self.meter.is_used(self.ports).await
    }

    /// Where a stage, or the part of it that is to be done, goes on: behind its last slice that is done.
    async fn place(&self, stage: Stage) -> Result<Place, Fault> {
        let Some(done) = self.progress(stage).await? else {
            let cursor = self.part_of(stage).map(|part| part.start.clone()).unwrap_or_default();
            return Ok(Place { slice: 0, cursor, reasons: vec![] });
        };
        Ok(Place {
            slice: done.slice.saturating_add(1),
            cursor: done.cursor.unwrap_or_default(),
            reasons: reasons_of(std::slice::from_ref(&done.detail)),
        })
    }

    /// The latest slice of a stage, or of the part of it that is to be done.
    async fn progress(&self, stage: Stage) -> Result<Option<runs::Slice>, Fault> {
        runs::progress(self.database(), self.run.id, &self.rows_of(stage)).await
    }

    /// The part of a stage that is to be done.
    fn part_of(&self, stage: Stage) -> Option<&Part> {
        self.part.as_ref().filter(|(of, _)| *of == stage).map(|(_, part)| part)
    }

    /// The name of the rows that say how far a stage got, or the part of it that is to be done.
    fn rows_of(&self, stage: Stage) -> String {
        let of_part = self.part_of(stage).map(|part| ledger::parts::rows_of(stage.name(), part.number));
        of_part.unwrap_or_else(|| stage.name().to_owned())
    }

    async fn slice_done(
        &self,
        stage: Stage,
        slice: u32,
        cursor: &str,
        detail: &Detail,
    ) -> Result<Statement, Fault> {
        let now = self.ports.clock.now().await?;
        runs::slice_done(self.run.id, &self.rows_of(stage), (slice, cursor), detail, now)
    }

    /// Where this run looks for work: since the last run that went through all its stages.
    fn since(&self, cursor: &str) -> credits::Since {
        let until = self.part.as_ref().map_or(END, |(_, part)| &part.until);
        since(self.ports, &self.run, (cursor, until))
    }

    fn context(&self) -> Context<'_> {
        self.ports.settings.context(self.run.as_of)
    }

    fn database(&self) -> &dyn crate::ports::Database {
        &*self.ports.database
    }
}

fn since(ports: &Ports, run: &runs::Run, (cursor, until): (&str, &str)) -> credits::Since {
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
        until: until.to_owned(),
        limit: ports.settings.budget.part_credits,
    }
}

/// A stage's detail with the reasons for which the run is not complete.
fn because(reasons: &[String]) -> Detail {
    json!({ "reasons": reasons })
}

/// The reasons that some details give.
fn reasons_of(details: &[Detail]) -> Vec<String> {
    let given = |detail: &Detail| detail.get("reasons").cloned().unwrap_or_default();
    let mut reasons: Vec<String> = Vec::new();
    for reason in details
        .iter()
        .map(given)
        .flat_map(|given| serde_json::from_value::<Vec<String>>(given).unwrap_or_default())
    {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// How many credits are worked at between two batches.
fn slice_credits(ports: &Ports) -> usize {
    usize::try_from(ports.settings.budget.slice_credits.max(1)).unwrap_or(usize::MAX)
}

/// The last credit of a slice, from which the next one goes on.
fn last_of(credits: &[CreditId]) -> Option<String> {
    credits.last().map(CreditId::to_string)
}
