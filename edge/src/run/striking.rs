//! Two strikes: when two debits in a row failed on an account, all its credits are held (`TWO_STRIKES`, L8).

use paydown::date::Instant;
use paydown::decision::{Input, decide, two_strikes};
use paydown::id::{CreditId, DebitId, RunId};
use paydown::observation::Word;

use super::{Running, Stage, Stretch, Worked, because};
use crate::error::Fault;
use crate::ledger::credits;
use crate::ledger::decisions::{Landing, land, policy_row};
use crate::ledger::facts::facts;
use crate::ledger::strikes::{AccountWords, with_new_failures};
use crate::ports::Ports;

/// How often a credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// Once more over everything the run touched, for the refusals of a slice that broke off before their account was looked at.
pub(super) async fn strikes(running: &Running<'_>) -> Result<Stretch, Fault> {
    if !running.ports.settings.policy.two_strikes {
        return Ok(Stretch::Done(because(&[])));
    }
    let work = async |credits: Vec<CreditId>, _: &[String]| {
        running.strike(&credits).await?;
        Ok(Worked::default())
    };
    running.slices(Stage::Strikes, running.place(Stage::Strikes).await?, &credits::TOUCHED, work).await
}

impl Running<'_> {
    /// Looks at the accounts of `credits` on which a word was taken into effect since the run before: by this run, or
    /// by what broke off in between.
    pub(super) async fn strike(&self, credits: &[CreditId]) -> Result<(), Fault> {
        let since = self.run.before.as_ref().map(|before| before.as_of);
        strike(self.ports, credits, Some(self.run.id), since, self.run.as_of).await
    }
}

/// Looks at the accounts of `credits` on which a word was taken into effect at `since` or later.
pub(super) async fn strike(
    ports: &Ports,
    credits: &[CreditId],
    run_id: Option<RunId>,
    since: Option<Instant>,
    at: Instant,
) -> Result<(), Fault> {
    if !ports.settings.policy.two_strikes {
        return Ok(());
    }
    for account in with_new_failures(&*ports.database, credits, since).await? {
        if let Some((credit_id, debit_id)) = struck(&account) {
            hold(ports, credit_id, debit_id, run_id, at).await?;
        }
    }
    Ok(())
}

/// Of two debits in a row that failed the one whose word is new, the later one if both are.
fn struck(account: &AccountWords) -> Option<(CreditId, DebitId)> {
    if account.is_held {
        return None;
    }
    let words: Vec<Word> = account.words.iter().map(|debit| debit.word.clone()).collect();
    two_strikes(&words).into_iter().flat_map(|(first, second)| [second, first]).find_map(|debit_id| {
        let debit = account.words.iter().find(|debit| debit.word.subject == debit_id.0)?;
        debit.is_new.then_some((debit.credit_id, debit_id))
    })
}

async fn hold(
    ports: &Ports,
    credit_id: CreditId,
    debit_id: DebitId,
    run_id: Option<RunId>,
    at: Instant,
) -> Result<(), Fault> {
    let database = &*ports.database;
    let (policy_id, policy) = policy_row(&ports.settings)?;
    crate::ledger::batch(database, &[policy]).await?;
    for _ in 0..ATTEMPTS {
        let context = ports.settings.context(at);
        let Some(facts) = facts(database, &[credit_id]).await?.into_iter().next() else { return Ok(()) };
        let input = Input::TwoStrikes { debit_id };
        let decision = decide(&facts, input.clone(), &context);
        if decision.facts.is_empty() {
            return Ok(());
        }
        let landing = Landing::of(&facts, input, decision, (run_id, at), vec![]);
        if !land(database, &[landing], &policy_id).await?.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}
