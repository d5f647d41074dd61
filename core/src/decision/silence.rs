//! Silence under coverage: debits time out (L5).

use super::{Deciding, Fact};
use crate::credit::{Debit, DebitStatus, Kind, Reason};
use crate::date::{Instant, days_passed};
use crate::money;

impl Deciding<'_> {
    pub(super) fn timeouts(&mut self, covered_from: Option<Instant>) {
        let days = self.context.policy.timeout_days;
        let as_of = self.context.as_of;
        let silent = |d: &Debit| {
            let submitted = d.status() == DebitStatus::Submitted;
            submitted && d.facts.submitted_at.is_some_and(|at| days_passed(at, as_of, days))
        };
        let mut not_covered = 0_u32;
        for index in self.in_turn(silent) {
            let submitted_at = self.state.debits.get(index).and_then(|d| d.facts.submitted_at);
            if covered_from.zip(submitted_at).is_some_and(|(from, at)| from <= at) {
                self.timed_out(index);
            } else {
                not_covered = not_covered.saturating_add(1);
            }
        }
        let own = self.facts.id.0;
        if not_covered > 0 {
            let detail = format!(
                "{not_covered} debits are {days} days without a word, and the reports do not cover it"
            );
            self.open(Kind::ReportGap, own, detail);
        } else {
            self.close(Kind::ReportGap, own);
        }
    }

    fn timed_out(&mut self, index: usize) {
        let Some(debit) = self.state.debits.get_mut(index) else { return };
        debit.timed_out = true;
        let subject = debit.facts.id.0;
        self.new_facts.push(Fact::TimedOut { subject });
        let silent = self.indices_of(|d| d.status() == DebitStatus::TimedOut).len();
        if silent >= usize::try_from(self.context.policy.timeout_limit).unwrap_or(usize::MAX) {
            self.hold(
                Kind::TimeoutLimit,
                subject,
                format!("{silent} debits timed out and are still without a word"),
            );
        } else if self.has_gap() {
            let due_date = self.next_slot();
            self.fill_gap(index, due_date, Reason::TimedOut);
        }
    }

    /// `over_collected` is open while more was paid than is owed (L6).
    pub(super) fn over_collected(&mut self) {
        let own = self.facts.id.0;
        let excess = self.state.balances().over_paid();
        if excess > 0 {
            let excess = money::text(excess, &self.facts.currency);
            self.open(Kind::OverCollected, own, format!("{excess} more were paid than are owed"));
        } else {
            self.close(Kind::OverCollected, own);
        }
    }
}
