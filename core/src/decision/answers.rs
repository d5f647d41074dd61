//! Calls to the processor: which debit is issued, and what is called for again (L3).

use uuid::Uuid;

use super::{Deciding, Effect, Fact};
use crate::credit::{CreditStatus, Debit, DebitStatus, Kind, RefundStatus};
use crate::date::{Instant, days_passed};
use crate::money::{self, Cents};
use crate::observation::Source;

impl Deciding<'_> {
    pub(super) fn seek(&mut self) {
        self.recorded_refusals();
        for (subject, amount) in self.unanswered() {
            if self.may_call_again(subject) {
                self.effects.push(Effect::Submit { subject, amount });
            } else if !self.was_closed_by_operator(Kind::NoAnswer, subject) {
                let detail = "the processor's answer is not known, and calling again is not allowed";
                self.open(Kind::NoAnswer, subject, detail.into());
            }
        }
        self.answered();
    }

    /// A refusal that was recorded and never dealt with, because the invocation broke off in between, is an answer: it
    /// is dealt with now, and nothing is called for again.
    fn recorded_refusals(&mut self) {
        let unanswered = self.unanswered();
        let refusals = self.facts.observations.iter().filter(|o| o.source == Source::Refusal);
        let refused: Vec<Uuid> =
            refusals.map(|o| o.subject).filter(|id| unanswered.iter().any(|(u, _)| u == id)).collect();
        for subject in refused {
            self.refused(subject);
        }
    }

    /// What follows from the refusal of one subject.
    pub(super) fn refused(&mut self, subject: Uuid) {
        if subject == self.facts.id.0 {
            return self.credit_word();
        }
        self.debit_words(|id| id == subject);
        self.refund_words(|id| id == subject);
        self.excess();
    }

    /// What was asked of the processor without a known answer.
    fn unanswered(&self) -> Vec<(Uuid, Cents)> {
        let own = (self.facts.transaction_id.is_none() && self.state.outcome.is_none())
            .then_some((self.facts.id.0, self.facts.terms.amount));
        let debits = self.state.debits.iter().filter(|d| d.status() == DebitStatus::Processing);
        let refunds = self.state.refunds.iter().filter(|r| r.status() == RefundStatus::Processing);
        let debits = debits.map(|d| (d.facts.id.0, d.facts.amount));
        own.into_iter().chain(debits).chain(refunds.map(|r| (r.facts.id.0, r.facts.amount))).collect()
    }

    /// A refund is called for again whatever became of the credit: what holds it, or made it fail, is no reason to keep
    /// the customer's money.
    fn may_call_again(&self, subject: Uuid) -> bool {
        let is_refund = self.facts.refunds.iter().any(|refund| refund.id.0 == subject);
        let stopped = self.state.held || self.state.has_failed() || self.state.written_off;
        let stopped = stopped && !is_refund;
        let forgotten = self
            .context
            .policy
            .key_days
            .zip(self.first_unknown_at(subject))
            .is_some_and(|(days, first)| days_passed(first, self.context.as_of, days));
        !stopped && !forgotten
    }

    /// When the answer was first not known. Of a call of which not even that was recorded, because the invocation broke
    /// off, the intent is what is known.
    fn first_unknown_at(&self, subject: Uuid) -> Option<Instant> {
        let unknown = self.facts.unknown_answers.iter().filter(|u| u.subject == subject);
        let debit = self.facts.debits.iter().find(|debit| debit.id.0 == subject);
        let refund = self.facts.refunds.iter().find(|refund| refund.id.0 == subject);
        let own = (subject == self.facts.id.0).then_some(self.facts.created_at);
        let intent =
            debit.and_then(|debit| debit.submitted_at).or(refund.map(|refund| refund.submitted_at)).or(own);
        unknown.map(|u| u.at).chain(intent).min()
    }

    /// `no_answer` closes when the answer is known, or may be sought again.
    pub(super) fn answered(&mut self) {
        let unanswered = self.unanswered();
        let gone: Vec<Uuid> = self
            .exceptions
            .iter()
            .filter(|e| e.open && e.kind == Kind::NoAnswer)
            .map(|e| e.subject)
            .filter(|s| !unanswered.iter().any(|(u, _)| u == s) || self.may_call_again(*s))
            .collect();
        for subject in gone {
            self.close(Kind::NoAnswer, subject);
        }
    }

    pub(super) fn issue(&mut self) {
        let run_date = self.context.run_date();
        let issued_today = |d: &Debit| {
            d.facts.submitted_at.is_some_and(|at| self.context.zone.business_date(at) == run_date)
        };
        if self.state.status() != CreditStatus::Active || self.state.debits.iter().any(issued_today) {
            return;
        }
        let due = self.in_turn(|d| d.is_scheduled() && d.facts.due_date <= run_date);
        let Some(debit) = due.first().and_then(|index| self.state.debits.get_mut(*index)) else { return };
        let (debit_id, amount) = (debit.facts.id, debit.facts.amount);
        let balances = self.state.balances();
        let after = balances.paid.saturating_add(balances.in_flight).saturating_add(amount.signed());
        if after > balances.total {
            let in_words = |minor| money::text(minor, &self.facts.currency);
            let (after, total) = (in_words(after), in_words(balances.total));
            let detail = format!("with this debit {after} of {total} would be collected");
            self.open(Kind::OverCollectionPrevented, debit_id.0, detail);
            return;
        }
        self.new_facts.push(Fact::Processed { debit_id });
        self.effects.push(Effect::Submit { subject: debit_id.0, amount });
    }
}
