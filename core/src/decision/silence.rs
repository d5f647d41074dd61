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
            let debits =
                if not_covered == 1 { "1 debit is".to_owned() } else { format!("{not_covered} debits are") };
            let detail = format!("{debits} {days} days without a word, and the reports do not cover it");
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
            let due = self.next_slot();
            self.fill_gap(index, due, Reason::TimedOut);
        }
    }

    /// `over_collected` is open while more was paid than is owed (L6), `over_refunded` while more was given back than was
    /// paid to a credit that failed (L8). One that a person closed opens again only when it has become more.
    pub(super) fn excess(&mut self) {
        let balances = self.state.balances();
        let (paid_before, refunded_before) = self.over_before;
        let (paid, refunded) = (balances.over_paid(), balances.over_refunded());
        self.open_while(Kind::OverCollected, paid, paid_before, "were paid than are owed");
        self.open_while(Kind::OverRefunded, refunded, refunded_before, "were refunded than were paid");
    }

    fn open_while(&mut self, kind: Kind, excess: i128, before: i128, said: &str) {
        let own = self.facts.id.0;
        if excess == 0 {
            self.close(kind, own);
        } else if excess > before || !self.was_closed_by_operator(kind, own) {
            let excess = money::text(excess, &self.facts.currency);
            self.open(kind, own, format!("{excess} more {said}"));
        }
    }
}
