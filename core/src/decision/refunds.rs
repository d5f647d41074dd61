//! Refunds: what was paid too much goes back, by a credit transaction of its own (L8).

use uuid::Uuid;

use super::{Deciding, Effect, Fact};
use crate::credit::{Kind, Refund, RefundFacts};
use crate::date::days_passed;
use crate::id::RefundId;
use crate::money::Cents;
use crate::observation::{Word, latest_word};

impl Deciding<'_> {
    /// It counts as refunded from now on; nothing when it is more than was paid too much.
    pub(super) fn refund(&mut self, id: RefundId, amount: Cents) {
        let is_known = self.facts.refunds.iter().any(|refund| refund.id == id);
        if is_known || amount == Cents::ZERO || amount.signed() > self.state.balances().over_paid() {
            return;
        }
        let facts = RefundFacts { id, amount, submitted_at: self.context.as_of, transaction_id: None };
        self.new_facts.push(Fact::Refund(facts.clone()));
        self.effects.push(Effect::Submit { subject: id.0, amount });
        self.state.refunds.push(Refund { facts, outcome: None, resolved_at: None, timed_out: false });
        self.excess();
    }

    pub(super) fn refund_words(&mut self, asked: impl Fn(Uuid) -> bool) {
        for index in 0..self.state.refunds.len() {
            let id = self.state.refunds.get(index).map(|refund| refund.facts.id.0);
            let word = id.filter(|id| asked(*id)).and_then(|id| latest_word(id, &self.facts.observations));
            if let Some(word) = word {
                self.refund_word(index, word);
            }
        }
    }

    /// One that fails is paid again, and the plan is shortened by the excess; one that succeeds after that is not, and
    /// what was shortened is owed again.
    fn refund_word(&mut self, index: usize, word: Word) {
        let Some(refund) = self.state.refunds.get_mut(index) else { return };
        if refund.outcome == Some(word.outcome) {
            return;
        }
        let counted = refund.counts();
        refund.outcome = Some(word.outcome);
        refund.resolved_at = Some(word.at);
        let counts = refund.counts();
        let (subject, is_success) = (word.subject, word.outcome.is_success());
        self.new_facts.push(Fact::Word(word));
        if counted && !counts {
            self.shorten(None);
        } else if counts && !counted {
            self.fill_shortened(&[]);
        }
        self.contradicted(subject, is_success);
    }

    /// L2's timeout: a refund without word for the days of the policy is unconfirmed until it has one.
    pub(super) fn refund_timeouts(&mut self) {
        let (days, as_of) = (self.context.policy.timeout_days, self.context.as_of);
        for refund in &mut self.state.refunds {
            let is_silent = days_passed(refund.facts.submitted_at, as_of, days);
            if refund.outcome.is_none() && !refund.timed_out && is_silent {
                refund.timed_out = true;
                self.new_facts.push(Fact::TimedOut { subject: refund.facts.id.0 });
            }
        }
        self.unconfirmed_refunds();
    }

    fn unconfirmed_refunds(&mut self) {
        for index in 0..self.state.refunds.len() {
            let Some(refund) = self.state.refunds.get(index) else { return };
            let (subject, is_silent) = (refund.facts.id.0, refund.timed_out && refund.outcome.is_none());
            let is_new = !self.facts.timeouts.contains(&subject);
            if is_silent && is_new {
                let days = self.context.policy.timeout_days;
                self.open(Kind::CreditUnconfirmed, subject, format!("no word on the refund for {days} days"));
            } else if !is_silent {
                self.close(Kind::CreditUnconfirmed, subject);
            }
        }
    }
}
