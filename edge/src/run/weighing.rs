//! Before stage 7: what is due is weighed. Where it is more than one run may issue, the run issues nothing and asks an
//! operator: a mistake in a plan or a clock is to be seen before a whole book is debited.

use paydown::credit::Kind;
use paydown::date::text;
use paydown::decision::{Effect, Input, decide};
use paydown::id::{self, CreditId};
use paydown::money;

use super::{Later, Running, Stage, Stretch, because, last_of};
use crate::error::Fault;
use crate::ledger::exceptions::{self, NewException};
use crate::ledger::facts::facts;
use crate::ledger::{self, credits};

/// Sums up what would be issued, and opens `run_limit` where it is too much. Closing that exception lets the next run of the
/// date issue it.
pub(super) async fn weigh(running: &Running<'_>) -> Result<Stretch, Fault> {
    let settings = &running.ports.settings;
    let is_limited = settings.max_debits_per_run.is_some() || settings.max_debited_per_run.is_some();
    let date = running.run.business_date;
    if !is_limited || exceptions::is_limit_lifted(running.database(), date).await? {
        return Ok(Stretch::Done(because(&[])));
    }
    let place = running.place(Stage::Weigh).await?;
    let (mut slice, mut weight) = (place.slice, Weight::from_cursor(&place.cursor));
    loop {
        if running.is_spent().await? {
            return Ok(Stretch::Later(Later { seconds: 0 }));
        }
        let found = credits::find(running.database(), &credits::DUE, &running.since(&weight.cursor)).await?;
        let Some(last) = last_of(&found) else { break };
        weight.add(running, &found).await?;
        weight.cursor = last;
        let done = running.slice_done(Stage::Weigh, slice, &weight.text(), &because(&[])).await?;
        ledger::batch(running.database(), &[done]).await?;
        slice = slice.saturating_add(1);
    }
    let fits = settings.max_debits_per_run.is_none_or(|most| weight.debits <= most)
        && settings.max_debited_per_run.is_none_or(|most| weight.amount <= most);
    if fits {
        return Ok(Stretch::Done(because(&[])));
    }
    let amount = money::text(i128::from(weight.amount), &settings.currency);
    let due = match weight.debits {
        1 => format!("1 debit of {amount} is due"),
        debits => format!("{debits} debits of {amount} are due"),
    };
    let reason = format!("{due}, more than one run may issue");
    open(running, &reason).await?;
    Ok(Stretch::Done(because(&[reason])))
}

async fn open(running: &Running<'_>, reason: &str) -> Result<(), Fault> {
    let subject = running.run.id.to_string();
    let exception = NewException {
        id: id::from_cause(0, &["exception", Kind::RunLimit.name(), &subject]),
        kind: Kind::RunLimit.name(),
        subject,
        run_id: Some(running.run.id),
        detail: format!("{reason}; close this to let the next run of the day issue them"),
        opened_at: text(running.run.as_of),
    };
    ledger::batch(running.database(), &[exceptions::opened(&[exception])?]).await.map(|_| ())
}

/// What is due up to a credit.
#[derive(Default)]
struct Weight {
    debits: u64,
    amount: u64,
    cursor: String,
}

impl Weight {
    fn from_cursor(text: &str) -> Weight {
        let mut parts = text.split(' ');
        let mut next = || parts.next().unwrap_or_default();
        let (debits, amount) = (next().parse().unwrap_or(0), next().parse().unwrap_or(0));
        Weight { debits, amount, cursor: next().to_owned() }
    }

    fn text(&self) -> String {
        format!("{} {} {}", self.debits, self.amount, self.cursor)
    }

    /// Adds what the decision to issue would submit of each credit.
    async fn add(&mut self, running: &Running<'_>, credits: &[CreditId]) -> Result<(), Fault> {
        for facts in facts(running.database(), credits).await? {
            for effect in decide(&facts, Input::Issue, &running.context()).effects {
                if let Effect::Submit { amount, .. } = effect {
                    self.debits = self.debits.saturating_add(1);
                    self.amount = self.amount.saturating_add(amount.get());
                }
            }
        }
        Ok(())
    }
}
