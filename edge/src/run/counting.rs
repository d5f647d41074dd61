//! Stage 8: L10 is checked over everything that changed since the figures before, and what changed is counted, so that the
//! dashboard need not sum up the book.

use paydown::credit::{Facts, State};
use paydown::figures::Figures;
use serde::{Deserialize, Serialize};

use super::{Later, Running, Stage, Stretch, slice_credits};
use crate::error::Fault;
use crate::ledger::figures::{self, Counted, Marks, Span};
use crate::ledger::told::{Did, Told};
use crate::ledger::{self, runs};
use crate::ports::Statement;

/// How far a run has counted, as its stage's rows keep it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Count {
    /// Up to where it counts.
    marks: Marks,
    /// By how much the figures change with the credits counted so far.
    #[serde(default)]
    difference: Figures,
    /// What the run did to them.
    #[serde(default)]
    did: Did,
    /// Why the run is not complete.
    #[serde(default)]
    reasons: Vec<String>,
    /// Whether days were counted in another zone meanwhile: the run closes without figures then, and the next one counts.
    #[serde(default)]
    is_void: bool,
}

/// Checks and counts the credits that changed, by one look at each. What is looked at stands still: the run decides nothing
/// more, and what operators decide from now on is for the next.
pub(super) async fn count(running: &Running<'_>) -> Result<Stretch, Fault> {
    let (database, run) = (running.database(), &running.run);
    let base = base(running).await?;
    let (zone, now) = (&running.ports.settings.zone, running.ports.clock.now().await?);
    figures::begin(database, run.id, run.as_of, (base.as_ref(), zone), now).await?;
    let Some(begun) = runs::progress(database, run.id, figures::STAGE).await? else {
        return Err(Fault::Permanent("the run did not begin to count".into()));
    };
    // Another invocation may have counted to the end meanwhile.
    let Some(mut cursor) = begun.cursor else { return Ok(Stretch::Done(begun.detail)) };
    let mut count: Count = serde_json::from_value(begun.detail)?;
    count.is_void |= !count.marks.hold(base.as_ref(), zone)?;
    let span = match count.is_void {
        false => Span::of_run(base.as_ref(), (run.id, run.as_of), &count.marks),
        true => {
            let since = run.before.as_ref().map(|before| before.as_of);
            Span::of_decisions(since, (run.id, run.as_of), &count.marks)
        }
    };
    loop {
        let found = figures::changed(database, &span, &cursor).await?;
        for slice in found.chunks(slice_credits(running.ports)) {
            if running.is_spent().await? {
                let (slice, detail) = (begun.slice.saturating_add(1), serde_json::to_value(&count)?);
                let so_far = running.slice_done(Stage::Figures, slice, &cursor, &detail).await?;
                ledger::batch(database, &[so_far]).await?;
                return Ok(Stretch::Later(Later { seconds: 0 }));
            }
            let look = |told: &Told, stands: &Facts| {
                told.add_to(&mut count.did);
                count.reasons.extend(broken(stands));
            };
            let difference = figures::difference(database, zone, &span, slice, look).await?;
            count.difference.plus(&difference);
            cursor = slice.last().map(|changed| changed.credit_id.to_string()).unwrap_or_default();
        }
        if found.len() < figures::FOUND {
            return Ok(Stretch::Done(serde_json::to_value(&count)?));
        }
    }
}

/// How a credit breaks L10, if it does.
fn broken(facts: &Facts) -> Vec<String> {
    let breaches = State::of(facts).breaches();
    breaches.iter().map(|breach| format!("L10 is broken for credit {}: {breach}", facts.id)).collect()
}

/// What the run did, and the statements that write the figures with its end, from what its stage counted.
pub(super) async fn counted(running: &Running<'_>, status: &str) -> Result<(Did, Vec<Statement>), Fault> {
    let run = &running.run;
    let counted = runs::progress(running.database(), run.id, figures::STAGE).await?;
    // Of a run that a later one ended meanwhile no stage is done any more, and nothing more is written.
    let Some(counted) = counted.filter(|counted| counted.cursor.is_none()) else {
        return Ok((Did::default(), vec![]));
    };
    let base = base(running).await?;
    let count: Count = serde_json::from_value(counted.detail)?;
    // They do not hold either when someone else closed the run meanwhile.
    if count.is_void || !count.marks.hold(base.as_ref(), &running.ports.settings.zone)? {
        return Ok((count.did, vec![]));
    }
    let figures = figures::counted((run.id, run.as_of), status, base, &count.marks, count.difference)?;
    Ok((count.did, figures))
}

/// The figures on which the run builds.
async fn base(running: &Running<'_>) -> Result<Option<Counted>, Fault> {
    figures::last(running.database(), &running.ports.settings.zone).await
}
