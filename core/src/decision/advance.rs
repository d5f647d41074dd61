//! The word on the advance itself: it is planned, fails, or comes back (L1, L2).

use super::Deciding;
use crate::calendar::DueDate;
use crate::credit::{Because, Debit, Kind, Reason};
use crate::date::days_passed;
use crate::observation::{Outcome, latest_word};
use crate::plan::plan;

use super::Fact;

impl Deciding<'_> {
    pub(super) fn credit_word(&mut self) {
        let own = self.facts.id.0;
        let Some(word) = latest_word(own, &self.facts.observations) else {
            self.credit_without_word();
            return;
        };
        self.close(Kind::CreditUnconfirmed, own);
        let before = self.state.outcome;
        if before == Some(word.outcome) {
            return;
        }
        self.state.outcome = Some(word.outcome);
        self.state.confirmed_at = self.state.confirmed_at.or(word.outcome.is_success().then_some(word.at));
        self.new_facts.push(Fact::Word(word.clone()));
        self.contradicted(own, word.outcome.is_success());
        match word.outcome {
            Outcome::Success => self.make_plan(),
            Outcome::Recovered => {
                self.make_plan();
                self.hold(Kind::CreditContradiction, own, "the advance succeeded after it had failed".into());
            }
            Outcome::Failure | Outcome::Returned if before.is_some_and(|o| !o.is_success()) => {}
            Outcome::Failure | Outcome::Returned => self.credit_returned(),
        }
    }

    fn credit_without_word(&mut self) {
        let own = self.facts.id.0;
        let silent = days_passed(self.facts.created_at, self.context.as_of, self.context.policy.timeout_days);
        if self.state.outcome.is_some() || self.state.timed_out || !silent {
            return;
        }
        self.state.timed_out = true;
        self.new_facts.push(Fact::TimedOut { subject: own });
        let days = self.context.policy.timeout_days;
        self.open(Kind::CreditUnconfirmed, own, format!("no word on the advance for {days} days"));
    }

    fn make_plan(&mut self) {
        if self.state.is_planned() {
            return;
        }
        let credit_date = self.context.zone.business_date(self.facts.created_at);
        let context = self.context;
        for installment in plan(&self.facts.terms, credit_date, context.run_date(), context.rolling()) {
            let due = DueDate { rolled: installment.due_date, unrolled: installment.unrolled_due_date };
            self.add_debit(installment.amount, due, Reason::Planned, None);
        }
        // What was paid elsewhere before there was a plan shortens it now; what was given back of it is owed beside it.
        self.shorten(None);
        self.fill_rest();
    }

    /// The bank returned an advance that was planned: nothing is owed any more.
    fn credit_returned(&mut self) {
        if !self.state.is_planned() {
            return;
        }
        let scheduled: Vec<usize> = self.indices_of(Debit::is_scheduled);
        for index in scheduled {
            self.cancel(index, Because::CreditReturned);
        }
        self.open(
            Kind::CreditReturned,
            self.facts.id.0,
            "the bank returned the advance after it was planned".into(),
        );
    }
}
