//! The dashboard's figures, and how they are summed from the facts of one credit after the other.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Debit;
use super::credits::signed;
use crate::credit::{CreditStatus, DebitStatus, Facts, State};
use crate::date::{BusinessDate, Instant};

/// The dashboard's figures: `GET /v1/summary`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// When they were worked out.
    pub as_of: Instant,
    /// The first day of `days`.
    pub from: BusinessDate,
    /// The last day of `days`.
    pub to: BusinessDate,
    /// The money of all planned credits that did not fail.
    pub totals: Totals,
    /// How many credits have each status; all statuses are named.
    pub credits: BTreeMap<CreditStatus, u64>,
    /// How many exceptions are open.
    pub open_exceptions: u64,
    /// What was expected and collected on each day.
    pub days: Vec<Day>,
    /// What is still to be collected, by how long ago its installment was due.
    pub ageing: Vec<Age>,
    /// What of it was due before today.
    pub overdue: i64,
    /// The failed and returned debits, by return code.
    pub failures: Vec<Failures>,
}

/// The ledger equation: `total + excess = paid + in_flight + scheduled + written_off + waiting`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// How many credits it sums.
    pub credits: u64,
    /// What is owed in all, amounts and fees.
    pub total: i64,
    /// What was or will be collected beyond that.
    pub excess: i64,
    /// What was paid.
    pub paid: i64,
    /// What is processed and without word or timeout.
    pub in_flight: i64,
    /// What is neither processed nor cancelled.
    pub scheduled: i64,
    /// What is missing from credits that were written off.
    pub written_off: i64,
    /// What is missing from the others: gaps that wait for a person.
    pub waiting: i64,
}

/// One day of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Day {
    /// The day.
    pub date: BusinessDate,
    /// The debits due on it that were not cancelled.
    pub expected: i64,
    /// What was collected on it, by the processor.
    pub collected: i64,
}

/// What is still to be collected of installments that were due some time ago, or are not due yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Age {
    /// Days since the installment was due: `0` for today and later, `1-7`, `8-14`, `15-30`, `31-60`, `61-90`, or `90+`
    /// for more than 90.
    pub days: String,
    /// How many debits.
    pub debits: u64,
    /// How much.
    pub amount: i64,
}

/// The failures with one return code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failures {
    /// The return code; `None` without one.
    pub code: Option<String>,
    /// How many debits.
    pub debits: u64,
    /// How much they were to collect.
    pub amount: i64,
}

/// A summary while the facts of one credit after the other are added to it.
#[derive(Debug, Clone, Default)]
pub struct Summing {
    totals: Totals,
    credits: BTreeMap<CreditStatus, u64>,
    days: BTreeMap<BusinessDate, (i64, i64)>,
    ageing: BTreeMap<usize, (u64, i64)>,
    overdue: i64,
    failures: BTreeMap<Option<String>, (u64, i64)>,
}

/// The upper ends of the ages, in days since the installment was due, and their names.
const AGES: [(i64, &str); 7] =
    [(0, "0"), (7, "1-7"), (14, "8-14"), (30, "15-30"), (60, "31-60"), (90, "61-90"), (i64::MAX, "90+")];

/// All statuses of a credit, in the order of the law.
const CREDIT_STATUSES: [CreditStatus; 7] = [
    CreditStatus::Pending,
    CreditStatus::Unconfirmed,
    CreditStatus::Failed,
    CreditStatus::WrittenOff,
    CreditStatus::Repaid,
    CreditStatus::Held,
    CreditStatus::Active,
];

impl Summing {
    /// Adds a credit, seen from a `today`; `date_of` says the business date of an instant.
    pub fn add(&mut self, facts: &Facts, today: BusinessDate, date_of: impl Fn(Instant) -> BusinessDate) {
        let state = State::of(facts);
        count(self.credits.entry(state.status()).or_default());
        for debit in Debit::of(facts) {
            self.add_debit(&debit, date_of(debit.resolved_at.unwrap_or_default()));
        }
        if state.is_planned() && !state.has_failed() {
            self.add_totals(&state);
            self.add_ages(facts, &state, today);
        }
    }

    fn add_debit(&mut self, debit: &Debit, resolved_on: BusinessDate) {
        let amount = signed(debit.amount.signed());
        if debit.status != DebitStatus::Cancelled {
            sum(&mut self.days.entry(debit.due_date).or_default().0, amount);
        }
        match debit.status {
            DebitStatus::Collected => sum(&mut self.days.entry(resolved_on).or_default().1, amount),
            DebitStatus::Failed | DebitStatus::Returned => {
                let (debits, total) = self.failures.entry(debit.code.clone()).or_default();
                count(debits);
                sum(total, amount);
            }
            DebitStatus::Scheduled
            | DebitStatus::Processing
            | DebitStatus::Submitted
            | DebitStatus::TimedOut
            | DebitStatus::Cancelled => {}
        }
    }

    fn add_totals(&mut self, state: &State) {
        let balances = state.balances();
        let missing = signed(balances.missing());
        let totals = &mut self.totals;
        count(&mut totals.credits);
        sum(&mut totals.total, signed(balances.total));
        sum(&mut totals.paid, signed(balances.paid));
        sum(&mut totals.in_flight, signed(balances.in_flight));
        sum(&mut totals.scheduled, signed(balances.scheduled));
        sum(&mut totals.excess, missing.min(0).saturating_neg());
        let gap = if state.written_off { &mut totals.written_off } else { &mut totals.waiting };
        sum(gap, missing.max(0));
    }

    /// What is in flight or scheduled counts from the due date of the installment it serves; a gap that
    /// waits, from the latest of the debits that left it.
    fn add_ages(&mut self, facts: &Facts, state: &State, today: BusinessDate) {
        let mut waiting = state.balances().missing().max(0);
        for debit in state.debits.iter().rev() {
            let replaced = facts.debits.iter().any(|d| d.replaces == Some(debit.facts.sequence));
            let open = debit.is_scheduled() || debit.is_in_flight();
            let left_a_gap =
                !open && !replaced && !state.written_off && debit.status() != DebitStatus::Collected;
            let amount = match (open, left_a_gap) {
                (true, _) => debit.facts.amount.signed(),
                (false, true) => debit.facts.amount.signed().min(waiting),
                (false, false) => 0,
            };
            if amount == 0 {
                continue;
            }
            if left_a_gap {
                waiting = waiting.saturating_sub(amount);
            }
            let age = today.days_since(first_due(facts, debit.facts.sequence));
            let place = AGES.iter().position(|(until, _)| age <= *until).unwrap_or(0);
            let (debits, total) = self.ageing.entry(place).or_default();
            count(debits);
            sum(total, signed(amount));
            if age > 0 {
                sum(&mut self.overdue, signed(amount));
            }
        }
    }

    /// The summary of all that was added, with the days from `from` to `to`.
    pub fn finish(
        self,
        as_of: Instant,
        from: BusinessDate,
        to: BusinessDate,
        open_exceptions: u64,
    ) -> Summary {
        let length = u32::try_from(to.days_since(from)).unwrap_or(0);
        let day = |date| {
            let (expected, collected) = self.days.get(&date).copied().unwrap_or_default();
            Day { date, expected, collected }
        };
        let age = |(place, (_, days)): (usize, &(i64, &str))| {
            let (debits, amount) = self.ageing.get(&place).copied().unwrap_or_default();
            Age { days: (*days).to_owned(), debits, amount }
        };
        let number = |status| (status, self.credits.get(&status).copied().unwrap_or_default());
        let failures = self.failures.iter().map(|(code, (debits, amount))| Failures {
            code: code.clone(),
            debits: *debits,
            amount: *amount,
        });
        Summary {
            as_of,
            from,
            to,
            totals: self.totals,
            credits: CREDIT_STATUSES.into_iter().map(number).collect(),
            open_exceptions,
            days: (0..=length).map(|n| day(from.plus_days(n))).collect(),
            ageing: AGES.iter().enumerate().map(age).collect(),
            overdue: self.overdue,
            failures: failures.collect(),
        }
    }
}

fn count(number: &mut u64) {
    *number = number.saturating_add(1);
}

fn sum(total: &mut i64, amount: i64) {
    *total = total.saturating_add(amount);
}

/// The due date of the installment that a debit serves: of the first that `replaces` leads back to.
fn first_due(facts: &Facts, sequence: u32) -> BusinessDate {
    let place = |sequence: u32| facts.debits.iter().find(|d| d.sequence == sequence);
    let mut first = place(sequence);
    // What a debit replaces has a lower sequence, so that this ends.
    while let Some(replaced) = first.and_then(|d| d.replaces.filter(|r| *r < d.sequence)).and_then(place) {
        first = Some(replaced);
    }
    first.map_or(BusinessDate::new(chrono::NaiveDate::MIN), |d| d.due_date)
}
