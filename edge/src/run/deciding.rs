//! Stages 4 to 6: words on credits and debits, and timeouts, as core decides.

use paydown::coverage::{CompleteReport, covered_from, hole};
use paydown::credit::Facts;
use paydown::date::{Instant, text};
use paydown::decision::{Decision, Input, decide};
use paydown::id::{self, CreditId};
use uuid::Uuid;

use super::{Running, Stage, Stretch, Worked};
use crate::error::Fault;
use crate::ledger::asked::Asked;
use crate::ledger::decisions::{Landing, land};
use crate::ledger::facts::facts;
use crate::ledger::{self, credits, exceptions, reports};

/// How often a credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// Decides on every credit of which something new was said, that came of age, or that waits for coverage.
pub(super) async fn words(running: &Running<'_>) -> Result<Stretch, Fault> {
    let covered_from = coverage(running).await?;
    let find = async |since| credits::with_words(running.database(), &since).await;
    let work = async |credits: Vec<CreditId>, _: &[String]| {
        let stale = decide_all(running, credits.clone(), Input::Words { covered_from }).await?;
        running.strike(&credits).await?;
        let kept_changing = |id: &CreditId| format!("credit {id} kept changing while its words were decided");
        Ok(Worked { reasons: stale.iter().map(kept_changing).collect(), ..Worked::default() })
    };
    running.slices(Stage::Words, running.place(Stage::Words).await?, find, work).await
}

/// Decides on credits until each decision has landed; gives those that kept changing.
pub(super) async fn decide_all(
    running: &Running<'_>,
    mut credits: Vec<CreditId>,
    input: Input,
) -> Result<Vec<CreditId>, Fault> {
    for _ in 0..ATTEMPTS {
        let mut landings = Vec::new();
        for facts in facts(running.database(), &credits).await? {
            let decision = decide(&facts, input.clone(), &running.context());
            if !decision.facts.is_empty() {
                landings.push(running.landing(&facts, input.clone(), decision, vec![]));
            }
        }
        let landed = land(running.database(), &landings, &running.policy_id).await?;
        credits = landings.iter().map(|l| l.credit_id).filter(|id| !landed.contains(*id)).collect();
        if credits.is_empty() {
            break;
        }
    }
    Ok(credits)
}

impl Running<'_> {
    /// A decision of this run on its way into the ledger.
    pub(super) fn landing(
        &self,
        facts: &Facts,
        input: Input,
        decision: Decision,
        bodies: Vec<(Uuid, String)>,
    ) -> Landing {
        let (run_id, at) = (Some(self.run.id), self.run.as_of);
        Landing { credit_id: facts.id, asked: Asked::of(input, facts), decision, run_id, at, bodies }
    }
}

/// From when on the reports cover all time up to this run; a hole behind this report opens `report_hole`.
async fn coverage(running: &Running<'_>) -> Result<Option<Instant>, Fault> {
    let complete = reports::complete(running.database(), running.run.as_of).await?;
    let mut complete =
        complete.into_iter().map(|(read_at, window_days)| CompleteReport { read_at, window_days });
    let Some(this) = complete.next().filter(|r| r.read_at == running.run.as_of) else { return Ok(None) };
    let before: Vec<CompleteReport> = complete.collect();
    if let Some((from, to)) = before.first().and_then(|before| hole(this, *before)) {
        let subject = running.run.id.to_string();
        let exception = exceptions::NewException {
            id: id::from_cause(0, &["exception", "report_hole", &subject]),
            kind: "report_hole",
            subject,
            run_id: Some(running.run.id),
            detail: format!("no complete report covers the time from {} to {}", text(from), text(to)),
            opened_at: text(running.run.as_of),
        };
        ledger::batch(running.database(), &[exceptions::opened(&[exception])?]).await?;
    }
    Ok(Some(covered_from(this, before)))
}
