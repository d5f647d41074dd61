//! The words on debits: the gap goes to the end of the plan, the excess shortens it, and the code says what may
//! follow (L4, L6, L7).

use uuid::Uuid;

use super::{Deciding, Effect, Fact};
use crate::calendar::DueDate;
use crate::credit::{Because, Debit, Kind, Reason};
use crate::date::Instant;
use crate::money::Cents;
use crate::observation::{Outcome, Word, latest_word};
use crate::plan::next_slot;
use crate::policy::{Gravity, gravity};

impl Deciding<'_> {
    pub(super) fn debit_words(&mut self, asked: impl Fn(Uuid) -> bool) {
        for index in self.in_turn(|d| d.facts.submitted_at.is_some()) {
            let Some(debit) = self.state.debits.get(index) else { continue };
            let id = debit.facts.id.0;
            if !asked(id) {
                continue;
            }
            if let Some(word) = latest_word(id, &self.facts.observations) {
                self.debit_word(index, word);
            }
        }
    }

    fn debit_word(&mut self, index: usize, mut word: Word) {
        // That a success was preceded by a failure changes nothing for a debit.
        if word.outcome == Outcome::Recovered {
            word.outcome = Outcome::Success;
        }
        let Some(debit) = self.state.debits.get_mut(index) else { return };
        if debit.outcome == Some(word.outcome) && debit.code == word.code {
            return;
        }
        let (outcome_before, code_before) = (debit.outcome, debit.code.clone());
        debit.outcome = Some(word.outcome);
        debit.code = word.code.clone();
        debit.resolved_at = Some(word.at);
        let (subject, outcome, code) = (word.subject, word.outcome, word.code.clone());
        self.new_facts.push(Fact::Word(word));

        let had_failed = outcome_before.is_some_and(|o| !o.is_success());
        match outcome {
            Outcome::Success | Outcome::Recovered => self.shorten(Some(index)),
            Outcome::Failure | Outcome::Returned if had_failed => {
                if code != code_before {
                    self.hold_by_code(index, code.as_deref());
                }
            }
            Outcome::Failure => self.failed(index, code.as_deref(), Reason::Failed),
            Outcome::Returned => self.failed(index, code.as_deref(), Reason::Returned),
        }
        self.contradicted(subject, outcome.is_success());
    }

    /// L7, then L4.
    fn failed(&mut self, index: usize, code: Option<&str>, reason: Reason) {
        if self.hold_by_code(index, code) || !self.has_gap() {
            return;
        }
        let policy = self.context.policy;
        let limit = match gravity(code) {
            Gravity::NoCode => Limit { presentments: policy.no_code_presentments, days: None },
            Gravity::Retryable => {
                Limit { presentments: policy.retryable_presentments, days: Some(policy.retryable_days) }
            }
            Gravity::Unknown | Gravity::Stop => return,
        };
        match self.slot_within(index, limit) {
            Some(due) => self.fill_gap(index, due, reason),
            None => {
                let Some(subject) = self.id_of(index) else { return };
                self.hold(
                    Kind::RetryLimit,
                    subject,
                    "no presentment or no date is left for this installment".into(),
                );
            }
        }
    }

    /// The holds of L7; whether there was one.
    fn hold_by_code(&mut self, index: usize, code: Option<&str>) -> bool {
        let (Some(subject), Some(code)) = (self.id_of(index), code) else { return false };
        match gravity(Some(code)) {
            Gravity::NoCode | Gravity::Retryable => false,
            Gravity::Unknown => {
                self.hold(
                    Kind::UnknownReturnCode,
                    subject,
                    format!("return code {code} is not in the table"),
                );
                true
            }
            Gravity::Stop => {
                let exception_id = self.hold(Kind::HardReturn, subject, format!("return code {code}"));
                self.effects.extend(exception_id.map(|exception_id| Effect::HoldAccount { exception_id }));
                true
            }
        }
    }

    /// Whether a gap may be filled at all: something of the plan is missing, and the credit neither failed nor was given
    /// up. Before there is a plan nothing is: it will be made of all that is owed.
    pub(super) fn has_gap(&self) -> bool {
        let may_be_filled = self.state.is_planned() && !self.state.written_off && !self.state.has_failed();
        may_be_filled && self.state.balances().missing() > 0
    }

    /// The slot for the replacement of a debit, if presentments and days allow one (L7).
    fn slot_within(&self, index: usize, limit: Limit) -> Option<DueDate> {
        let family = self.family(index);
        let presentments: Vec<Instant> = self
            .state
            .debits
            .iter()
            .enumerate()
            .filter(|(i, _)| family.contains(i))
            .filter_map(|(_, d)| d.facts.submitted_at)
            .collect();
        if presentments.len() >= usize::try_from(limit.presentments).unwrap_or(usize::MAX) {
            return None;
        }
        let slot = self.next_slot();
        let Some(days) = limit.days else { return Some(slot) };
        let first = self.context.zone.business_date(*presentments.iter().min()?);
        let last_date = first.plus_days(days);
        if slot.rolled <= last_date {
            return Some(slot);
        }
        let run_date = self.context.run_date();
        let calendar = self.context.rolling();
        (0..=days)
            .map(|back| last_date.minus_days(back))
            .take_while(|date| *date > run_date)
            .find(|date| !self.is_taken(*date, |_| true) && calendar.is_none_or(|c| c.is_banking_day(*date)))
            .map(DueDate::fixed)
    }

    /// All debits that `replaces` links with one, in both directions, itself included.
    fn family(&self, index: usize) -> Vec<usize> {
        let mut root = index;
        while let Some(parent) = self.parent(root) {
            root = parent;
        }
        self.descendants(root)
    }

    /// A debit and all that descend from it by `replaces`.
    fn descendants(&self, root: usize) -> Vec<usize> {
        let mut found = vec![root];
        // A replacement has a higher sequence than what it replaces, so one pass finds them all.
        for index in 0..self.state.debits.len() {
            if self.parent(index).is_some_and(|parent| found.contains(&parent)) {
                found.push(index);
            }
        }
        found
    }

    fn parent(&self, index: usize) -> Option<usize> {
        let replaced = self.state.debits.get(index)?.facts.replaces?;
        self.state.debits.iter().take(index).position(|d| d.facts.sequence == replaced)
    }

    /// L4: the replacement of what is missing, at most the debit's amount.
    pub(super) fn fill_gap(&mut self, index: usize, due: DueDate, reason: Reason) {
        let Some(debit) = self.state.debits.get(index) else { return };
        let (amount, sequence) = (debit.facts.amount, debit.facts.sequence);
        let missing = self.state.balances().missing();
        if missing > 0 {
            let amount = amount.min(Cents::from_balance(missing));
            self.add_debit(amount, due, reason, Some(sequence));
        }
    }

    /// The next slot: at the end of the plan and after the run date (L4), rolled (L9).
    pub(super) fn next_slot(&self) -> DueDate {
        let not_cancelled = self.state.debits.iter().filter(|d| d.facts.cancelled_because.is_none());
        let all = self.state.debits.iter();
        let latest =
            not_cancelled.map(|d| d.facts.unrolled()).max().or(all.map(|d| d.facts.unrolled()).max());
        let run_date = self.context.run_date();
        let slot = next_slot(latest.unwrap_or(run_date), self.facts.terms.interval_days, run_date);
        self.due(slot, |_| true)
    }

    /// L6: what is scheduled beyond what is owed is cancelled, first what replaced the debit that leaves the excess.
    pub(super) fn shorten(&mut self, cause: Option<usize>) {
        let mut excess = self.state.balances().missing().saturating_neg();
        if excess <= 0 {
            return;
        }
        let descendants = cause.map(|index| self.descendants(index)).unwrap_or_default();
        let scheduled = self.in_turn(Debit::is_scheduled).into_iter().rev();
        let (first, others): (Vec<usize>, Vec<usize>) = scheduled.partition(|i| descendants.contains(i));
        for victim in first.into_iter().chain(others) {
            if excess <= 0 {
                return;
            }
            let Some(debit) = self.state.debits.get(victim) else { return };
            let (amount, due, sequence) = (debit.facts.amount, debit.facts.due(), debit.facts.sequence);
            self.cancel(victim, Because::Shortened);
            let kept = amount.signed().saturating_sub(excess);
            if kept > 0 {
                self.add_debit(Cents::from_balance(kept), due, Reason::Shortened, Some(sequence));
            }
            excess = excess.saturating_sub(amount.signed());
        }
    }
}

/// How often, and for how long after the first, a family may be presented (L7).
#[derive(Clone, Copy)]
struct Limit {
    presentments: u32,
    days: Option<u32>,
}
