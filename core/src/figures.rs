//! The figures of the book: what each credit adds to them, and what is shown of their sum.
//!
//! They can be added and subtracted, so that the book need not be summed anew where one credit changed.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{Age, Day, Failures, OpenKind, ReturnRate, Summary, Totals, signed};
use crate::credit::{CreditStatus, Debit, DebitStatus, Facts, State};
use crate::date::{BusinessDate, Instant, days_before};
use crate::policy::{RETURN_RATE_DAYS, ReturnClass};

/// What some credits come to, or the difference between two such sums. All amounts are minor units; nothing in it depends
/// on the day on which it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Figures {
    money: Money,
    credits: BTreeMap<CreditStatus, i64>,
    /// What is still to be collected, by the due date of its installment.
    owed: BTreeMap<BusinessDate, Sum>,
    /// What failed or was returned, by return code; empty without one.
    failures: BTreeMap<String, Sum>,
    /// The debits by the instant at which they were submitted.
    originated: BTreeMap<Instant, Originated>,
    /// What was expected and collected on each day.
    #[serde(default)]
    days: Days,
}

/// What was expected and collected, by day, in minor units.
pub type Days = BTreeMap<BusinessDate, (i64, i64)>;

/// The money of the planned credits that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Money {
    credits: i64,
    advanced: i64,
    total: i64,
    excess: i64,
    paid: i64,
    in_flight: i64,
    scheduled: i64,
    written_off: i64,
    waiting: i64,
}

/// How many debits, and for how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Sum {
    debits: i64,
    amount: i64,
}

/// Debits that were submitted at one instant, and those of them that failed or were returned, by code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Originated {
    debits: i64,
    returned: BTreeMap<String, i64>,
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

impl Figures {
    /// What one credit adds; `date_of` says the business date of an instant.
    pub fn of(facts: &Facts, date_of: impl Fn(Instant) -> BusinessDate) -> Figures {
        let state = State::of(facts);
        let mut figures = Figures::default();
        figures.credits.insert(state.status(), 1);
        for debit in &state.debits {
            figures.add_debit(debit, date_of(debit.resolved_at.unwrap_or_default()));
        }
        if state.is_planned() && !state.has_failed() {
            figures.money = Money::of(facts, &state);
            figures.add_owed(facts, &state);
        }
        figures
    }

    /// What credits add of which nothing was decided yet.
    pub fn of_new(credits: i64) -> Figures {
        Figures { credits: BTreeMap::from([(CreditStatus::Pending, credits)]), ..Figures::default() }
    }

    fn add_debit(&mut self, debit: &Debit, resolved_on: BusinessDate) {
        let amount = signed(debit.facts.amount.signed());
        let code = debit.code.clone().unwrap_or_default();
        let status = debit.status();
        if status != DebitStatus::Cancelled {
            add(&mut self.days.entry(debit.facts.due_date).or_default().0, amount);
        }
        let has_failed = matches!(status, DebitStatus::Failed | DebitStatus::Returned);
        if status == DebitStatus::Collected {
            add(&mut self.days.entry(resolved_on).or_default().1, amount);
        }
        if has_failed {
            self.failures.entry(code.clone()).or_default().add(1, amount);
        }
        if let Some(submitted_at) = debit.facts.submitted_at {
            let originated = self.originated.entry(submitted_at).or_default();
            add(&mut originated.debits, 1);
            if has_failed {
                add(originated.returned.entry(code).or_default(), 1);
            }
        }
    }

    /// What is in flight or scheduled counts from the due date of the installment it serves; a gap that
    /// waits, from the latest of the debits that left it.
    fn add_owed(&mut self, facts: &Facts, state: &State) {
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
            let due = first_due(facts, debit.facts.sequence);
            self.owed.entry(due).or_default().add(1, signed(amount));
        }
    }

    /// Adds others.
    pub fn plus(&mut self, others: &Figures) {
        self.combine(others, 1);
    }

    /// Takes others away.
    pub fn minus(&mut self, others: &Figures) {
        self.combine(others, -1);
    }

    fn combine(&mut self, others: &Figures, sign: i64) {
        let times = |number: i64| number.saturating_mul(sign);
        for (money, more) in self.money.all().into_iter().zip(others.money.clone().all()) {
            add(money, times(*more));
        }
        for (status, number) in &others.credits {
            add(self.credits.entry(*status).or_default(), times(*number));
        }
        for (date, sum) in &others.owed {
            self.owed.entry(*date).or_default().add(times(sum.debits), times(sum.amount));
        }
        for (code, sum) in &others.failures {
            self.failures.entry(code.clone()).or_default().add(times(sum.debits), times(sum.amount));
        }
        for (at, more) in &others.originated {
            let originated = self.originated.entry(*at).or_default();
            add(&mut originated.debits, times(more.debits));
            for (code, number) in &more.returned {
                add(originated.returned.entry(code.clone()).or_default(), times(*number));
            }
        }
        for (date, (expected, collected)) in &others.days {
            let day = self.days.entry(*date).or_default();
            add(&mut day.0, times(*expected));
            add(&mut day.1, times(*collected));
        }
        self.forget_nothings();
    }

    /// What is nothing is not there: two sums of the same are equal, and what is kept stays as small as the open book.
    fn forget_nothings(&mut self) {
        self.credits.retain(|_, number| *number != 0);
        self.owed.retain(|_, sum| *sum != Sum::default());
        self.failures.retain(|_, sum| *sum != Sum::default());
        self.originated.values_mut().for_each(|o| o.returned.retain(|_, number| *number != 0));
        self.originated.retain(|_, originated| *originated != Originated::default());
        self.days.retain(|_, day| *day != (0, 0));
    }

    /// Takes the days out, which are kept apart.
    pub fn take_days(&mut self) -> Days {
        std::mem::take(&mut self.days)
    }

    /// Puts days in.
    pub fn put_days(&mut self, days: impl IntoIterator<Item = (BusinessDate, (i64, i64))>) {
        self.days.extend(days);
    }

    /// Forgets what was submitted before an instant.
    pub fn forget_originated_before(&mut self, at: Instant) {
        self.originated = self.originated.split_off(&at);
    }

    /// How many debits were submitted at an instant or later, and how many of them failed or were returned, by code.
    pub fn originated_since(&self, at: Instant) -> (u64, BTreeMap<Option<String>, u64>) {
        let mut all = 0_i64;
        let mut returned: BTreeMap<Option<String>, u64> = BTreeMap::new();
        for originated in self.originated.range(at..).map(|(_, originated)| originated) {
            add(&mut all, originated.debits);
            for (code, number) in &originated.returned {
                let count = returned.entry(named(code)).or_default();
                *count = count.saturating_add(whole(*number));
            }
        }
        (whole(all), returned)
    }

    /// The summary of a day, with the days from `from` to `to`. What was outstanding on the days before is what the
    /// runs of these days left, as `left` says.
    pub fn summary(
        &self,
        as_of: Instant,
        today: BusinessDate,
        (from, to): (BusinessDate, BusinessDate),
        exceptions: Vec<OpenKind>,
        left: &BTreeMap<BusinessDate, i64>,
    ) -> Summary {
        let length = u32::try_from(to.days_since(from)).unwrap_or(0);
        let day = |date| {
            let (expected, collected) = self.days.get(&date).copied().unwrap_or_default();
            let outstanding = match date.cmp(&today) {
                Ordering::Less => left.get(&date).copied(),
                Ordering::Equal => Some(self.money.outstanding()),
                Ordering::Greater => Some(self.forecast(today, date)),
            };
            Day { date, expected, collected, outstanding }
        };
        let number = |status| (status, whole(self.credits.get(&status).copied().unwrap_or_default()));
        let failures = self.failures.iter().map(|(code, sum)| Failures {
            code: named(code),
            debits: whole(sum.debits),
            amount: sum.amount,
        });
        let overdue = self.owed.range(..today).map(|(_, sum)| sum.amount);
        Summary {
            as_of,
            from,
            to,
            totals: self.money.shown(),
            credits: CREDIT_STATUSES.into_iter().map(number).collect(),
            open_exceptions: exceptions.iter().map(|kind| kind.open).fold(0, u64::saturating_add),
            exceptions,
            days: (0..=length).map(|n| day(from.plus_days(n))).collect(),
            ageing: self.ageing(today),
            overdue: overdue.fold(0, i64::saturating_add),
            failures: failures.collect(),
            returns: self.return_rates(days_before(as_of, RETURN_RATE_DAYS)),
        }
    }

    /// What would be outstanding when a day is over if by then all is collected that is in flight, and what the plans
    /// have due from tomorrow on.
    fn forecast(&self, today: BusinessDate, date: BusinessDate) -> i64 {
        let due = self.days.range(today.plus_days(1)..=date).map(|(_, (expected, _))| *expected);
        let scheduled = self.money.scheduled.saturating_sub(due.fold(0, i64::saturating_add));
        scheduled.max(0).saturating_add(self.money.waiting)
    }

    fn return_rates(&self, since: Instant) -> Vec<ReturnRate> {
        let (debits, returned) = self.originated_since(since);
        let of = |class: ReturnClass| {
            let counted =
                returned.iter().filter(|(code, _)| class.counts(code.as_deref().unwrap_or_default()));
            ReturnRate {
                class,
                debits,
                returned: counted
                    .map(|(_, number)| number)
                    .fold(0, |sum, number| sum.saturating_add(*number)),
                level_basis_points: class.level_basis_points(),
            }
        };
        ReturnClass::ALL.map(of).to_vec()
    }

    fn ageing(&self, today: BusinessDate) -> Vec<Age> {
        let mut ages = AGES.map(|(until, name)| (until, name, Sum::default()));
        for (due, sum) in &self.owed {
            let days = today.days_since(*due);
            if let Some((_, _, age)) = ages.iter_mut().find(|(until, ..)| days <= *until) {
                age.add(sum.debits, sum.amount);
            }
        }
        let shown = |(_, name, sum): (i64, &str, Sum)| Age {
            days: name.to_owned(),
            debits: whole(sum.debits),
            amount: sum.amount,
        };
        ages.into_iter().map(shown).collect()
    }
}

impl Money {
    fn of(facts: &Facts, state: &State) -> Money {
        let balances = state.balances();
        let missing = signed(balances.missing());
        let gap = missing.max(0);
        Money {
            credits: 1,
            advanced: signed(facts.terms.amount.signed()),
            total: signed(balances.total),
            excess: missing.min(0).saturating_neg(),
            paid: signed(balances.paid),
            in_flight: signed(balances.in_flight),
            scheduled: signed(balances.scheduled),
            written_off: if state.written_off { gap } else { 0 },
            waiting: if state.written_off { 0 } else { gap },
        }
    }

    fn all(&mut self) -> [&mut i64; 9] {
        let Money { credits, advanced, total, excess, paid, in_flight, scheduled, written_off, waiting } =
            self;
        [credits, advanced, total, excess, paid, in_flight, scheduled, written_off, waiting]
    }

    /// What is still to come: in flight, scheduled, or a gap that waits.
    fn outstanding(&self) -> i64 {
        self.in_flight.saturating_add(self.scheduled).saturating_add(self.waiting)
    }

    fn shown(&self) -> Totals {
        Totals {
            credits: whole(self.credits),
            advanced: self.advanced,
            total: self.total,
            excess: self.excess,
            paid: self.paid,
            in_flight: self.in_flight,
            scheduled: self.scheduled,
            written_off: self.written_off,
            waiting: self.waiting,
        }
    }
}

impl Sum {
    fn add(&mut self, debits: i64, amount: i64) {
        add(&mut self.debits, debits);
        add(&mut self.amount, amount);
    }
}

fn add(total: &mut i64, more: i64) {
    *total = total.saturating_add(more);
}

/// A number of things; a sum has never less than none.
fn whole(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A return code, if there is one.
fn named(code: &str) -> Option<String> {
    Some(code.to_owned()).filter(|code| !code.is_empty())
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
