//! What a run does to one credit (L2 to L7): from its facts to new facts and effects.
//!
//! `decide` is the only place where the money's next step is chosen. The Worker, the
//! simulation, the dashboard's preview and JavaScript call it alike. It is a function of its
//! arguments: deciding twice on the same facts gives the same decision, and deciding on facts
//! that already hold the decision gives an empty one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::credit::{
    Because, CreditStatus, Debit, DebitFacts, DebitStatus, Exception, Facts, Hold, Kind, Reason, State,
};
use crate::date::{BusinessDate, Instant, Zone, days_passed};
use crate::id::{self, CreditId, DebitId, ExceptionId};
use crate::money::{self, Cents};
use crate::observation::{Outcome, Word, latest_word};
use crate::plan::{next_slot, plan};
use crate::policy::{Gravity, Policy, gravity};

/// What a decision is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "input")]
pub enum Input {
    /// The day's words and timeouts: stages 4 to 6 of the run.
    Words {
        /// From when on the reports read cover all time; `None` when this run's report is not complete.
        covered_from: Option<Instant>,
    },
    /// The processor's definite refusal of the first call, already among the observations.
    Refusal {
        /// The credit or debit that was refused.
        subject: Uuid,
    },
    /// Transactions without an id: which to call for again, which to leave to an operator.
    Seek,
    /// The debit that is due: stage 7 of the run.
    Issue,
    /// An operator holds the credit (L8).
    Hold,
    /// An operator releases the credit (L8).
    Release {
        /// The exception whose hold ends; all holds when none is named.
        exception_id: Option<ExceptionId>,
    },
}

/// What a decision knows besides the facts of the credit.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The run's instant.
    pub as_of: Instant,
    /// The business time zone.
    pub zone: &'a Zone,
    /// The policy in force.
    pub policy: &'a Policy,
}

impl Context<'_> {
    /// The run's date.
    pub fn run_date(&self) -> BusinessDate {
        self.zone.business_date(self.as_of)
    }
}

/// What follows for one credit. Empty when nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The turn it takes; another decision of the same turn makes it stale.
    pub turn: u32,
    /// The new facts, in the order in which they came about.
    pub facts: Vec<Fact>,
    /// What is to be done besides writing the facts.
    pub effects: Vec<Effect>,
}

impl Decision {
    /// The rule of the law that its first fact follows.
    pub fn rule(&self, credit_id: CreditId) -> &'static str {
        match self.facts.first() {
            None | Some(Fact::Processed { .. }) => "L3",
            Some(Fact::Word(word)) if word.subject == credit_id.0 => "L2",
            Some(Fact::Word(_)) => "L6",
            Some(Fact::TimedOut { subject }) if *subject == credit_id.0 => "L2",
            Some(Fact::TimedOut { .. }) => "L5",
            Some(Fact::Debit(debit)) => debit.reason.rule(),
            Some(Fact::Cancelled { because, .. }) => because.rule(),
            Some(Fact::Opened { kind, .. }) => kind.rule(),
            Some(Fact::Held(_) | Fact::Released { .. }) => "L8",
            // What closes an exception by itself is the answer or the word that was missing.
            Some(Fact::Closed { .. }) => "L6",
        }
    }
}

/// A new fact of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum Fact {
    /// A word is taken into effect.
    Word(Word),
    /// A credit or debit timed out.
    TimedOut {
        /// The credit or debit.
        subject: Uuid,
    },
    /// A debit was added to the plan.
    Debit(DebitFacts),
    /// A debit will never be submitted.
    Cancelled {
        /// The debit.
        debit_id: DebitId,
        /// Why.
        because: Because,
    },
    /// The intent to submit a debit; its instant is the run's.
    Processed {
        /// The debit.
        debit_id: DebitId,
    },
    /// The credit is held by an exception of the same decision.
    Held(Hold),
    /// A hold on the credit ended.
    Released {
        /// The exception that held it.
        exception_id: ExceptionId,
    },
    /// An exception was opened.
    Opened {
        /// The exception.
        id: ExceptionId,
        /// What it is about.
        kind: Kind,
        /// The credit or debit it is about.
        subject: Uuid,
        /// What a person should know, in a sentence.
        detail: String,
    },
    /// An exception closed by itself: its cause is gone.
    Closed {
        /// The exception.
        id: ExceptionId,
    },
}

impl Fact {
    /// The name in JSON and in the log.
    pub const fn name(&self) -> &'static str {
        match self {
            Fact::Word(_) => "word",
            Fact::TimedOut { .. } => "timed_out",
            Fact::Debit(_) => "debit",
            Fact::Cancelled { .. } => "cancelled",
            Fact::Processed { .. } => "processed",
            Fact::Held(_) => "held",
            Fact::Released { .. } => "released",
            Fact::Opened { .. } => "opened",
            Fact::Closed { .. } => "closed",
        }
    }
}

impl Facts {
    /// Adds the facts of a decision taken at `as_of`, as the ledger does when it lands.
    pub fn apply(&mut self, decision: &Decision, as_of: Instant) {
        if decision.facts.is_empty() {
            return;
        }
        self.turn = self.turn.saturating_add(1);
        for fact in &decision.facts {
            match fact {
                Fact::Word(word) => self.words.push(word.clone()),
                Fact::TimedOut { subject } => self.timeouts.push(*subject),
                Fact::Debit(debit) => self.debits.push(debit.clone()),
                Fact::Cancelled { debit_id, because } => {
                    for debit in self.debits.iter_mut().filter(|d| d.id == *debit_id) {
                        debit.cancelled_because = Some(*because);
                    }
                }
                Fact::Processed { debit_id } => {
                    for debit in self.debits.iter_mut().filter(|d| d.id == *debit_id) {
                        debit.submitted_at = Some(as_of);
                    }
                }
                Fact::Held(hold) => self.holds.push(*hold),
                Fact::Released { exception_id } => {
                    for hold in self.holds.iter_mut().filter(|h| h.exception_id == *exception_id) {
                        hold.released = true;
                    }
                    // The exception of another credit of the account is not among these.
                    for exception in self.exceptions.iter_mut().filter(|e| e.id == *exception_id) {
                        exception.open = false;
                    }
                }
                Fact::Opened { id, kind, subject, .. } => {
                    self.exceptions.push(Exception { id: *id, kind: *kind, subject: *subject, open: true });
                }
                Fact::Closed { id } => {
                    for exception in self.exceptions.iter_mut().filter(|e| e.id == *id) {
                        exception.open = false;
                    }
                }
            }
        }
    }
}

/// What a decision asks to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Every other credit of the account is held by this exception too.
    HoldAccount {
        /// The exception.
        exception_id: ExceptionId,
    },
    /// The processor is called with the subject's id as key.
    Submit {
        /// The credit or debit.
        subject: Uuid,
        /// What is to be moved.
        amount: Cents,
    },
}

/// What follows from `input` for the credit of `facts`.
pub fn decide(facts: &Facts, input: Input, context: &Context<'_>) -> Decision {
    let mut deciding = Deciding::new(facts, context);
    match input {
        Input::Words { covered_from } => {
            deciding.credit_word();
            deciding.debit_words(|_| true);
            deciding.timeouts(covered_from);
            deciding.over_collected();
            deciding.answered();
        }
        Input::Refusal { subject } if subject == facts.id.0 => deciding.credit_word(),
        Input::Refusal { subject } => deciding.debit_words(|id| id == subject),
        Input::Seek => deciding.seek(),
        Input::Issue => deciding.issue(),
        Input::Hold => {
            let detail = "an operator holds the credit".to_owned();
            deciding.hold(Kind::HeldByOperator, facts.id.0, detail);
        }
        Input::Release { exception_id } => deciding.release(exception_id),
    }
    Decision { turn: facts.turn, facts: deciding.new_facts, effects: deciding.effects }
}

/// A decision that is being made: the state as it changes, and the new facts so far.
struct Deciding<'a> {
    facts: &'a Facts,
    context: &'a Context<'a>,
    state: State,
    exceptions: Vec<Exception>,
    new_facts: Vec<Fact>,
    effects: Vec<Effect>,
}

impl<'a> Deciding<'a> {
    fn new(facts: &'a Facts, context: &'a Context<'a>) -> Deciding<'a> {
        Deciding {
            facts,
            context,
            state: State::of(facts),
            exceptions: facts.exceptions.clone(),
            new_facts: Vec::new(),
            effects: Vec::new(),
        }
    }

    // --- the credit's own transaction (L2) ---

    fn credit_word(&mut self) {
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
        for installment in plan(&self.facts.terms, credit_date, self.context.run_date()) {
            self.add_debit(installment.amount, installment.due_date, Reason::Planned, None);
        }
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

    // --- words on debits (L4, L6, L7) ---

    fn debit_words(&mut self, asked: impl Fn(Uuid) -> bool) {
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
        let (outcome, code) = (word.outcome, word.code.clone());
        self.new_facts.push(Fact::Word(word));

        let had_failed = outcome_before.is_some_and(|o| !o.is_success());
        match outcome {
            Outcome::Success | Outcome::Recovered => self.shorten(index),
            Outcome::Failure | Outcome::Returned if had_failed => {
                if code != code_before {
                    self.hold_by_code(index, code.as_deref());
                }
            }
            Outcome::Failure => self.failed(index, code.as_deref(), Reason::Failed),
            Outcome::Returned => self.failed(index, code.as_deref(), Reason::Returned),
        }
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
            Some(due_date) => self.fill_gap(index, due_date, reason),
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

    /// Whether a gap may be filled at all: something is missing, and the credit was not given up.
    fn has_gap(&self) -> bool {
        !self.state.written_off && self.state.balances().missing() > 0
    }

    /// The slot for the replacement of a debit, if presentments and days allow one (L7).
    fn slot_within(&self, index: usize, limit: Limit) -> Option<BusinessDate> {
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
        if slot <= last_date {
            return Some(slot);
        }
        let run_date = self.context.run_date();
        let taken = |date: BusinessDate| {
            self.state.debits.iter().any(|d| d.facts.cancelled_because.is_none() && d.facts.due_date == date)
        };
        (0..=days)
            .map(|back| last_date.minus_days(back))
            .take_while(|date| *date > run_date)
            .find(|date| !taken(*date))
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
    fn fill_gap(&mut self, index: usize, due_date: BusinessDate, reason: Reason) {
        let Some(debit) = self.state.debits.get(index) else { return };
        let (amount, sequence) = (debit.facts.amount, debit.facts.sequence);
        let missing = self.state.balances().missing();
        if missing > 0 {
            let amount = amount.min(Cents::from_balance(missing));
            self.add_debit(amount, due_date, reason, Some(sequence));
        }
    }

    /// The next slot: at the end of the plan and after the run date (L4).
    fn next_slot(&self) -> BusinessDate {
        let not_cancelled = self.state.debits.iter().filter(|d| d.facts.cancelled_because.is_none());
        let all = self.state.debits.iter();
        let latest = not_cancelled.map(|d| d.facts.due_date).max().or(all.map(|d| d.facts.due_date).max());
        let run_date = self.context.run_date();
        next_slot(latest.unwrap_or(run_date), self.facts.terms.interval_days, run_date)
    }

    /// L6: what is scheduled beyond what is owed is cancelled, first what replaced this debit.
    fn shorten(&mut self, index: usize) {
        let mut excess = self.state.balances().missing().saturating_neg();
        if excess <= 0 {
            return;
        }
        let descendants = self.descendants(index);
        let mut scheduled = self.indices_of(Debit::is_scheduled);
        scheduled.sort_by_key(|i| {
            let place = self.state.debits.get(*i).map(|d| (d.facts.due_date, d.facts.sequence));
            (descendants.contains(i), place)
        });
        for victim in scheduled.into_iter().rev() {
            if excess <= 0 {
                return;
            }
            let Some(debit) = self.state.debits.get(victim) else { return };
            let (amount, due_date, sequence) =
                (debit.facts.amount, debit.facts.due_date, debit.facts.sequence);
            self.cancel(victim, Because::Shortened);
            let kept = amount.signed().saturating_sub(excess);
            if kept > 0 {
                self.add_debit(Cents::from_balance(kept), due_date, Reason::Shortened, Some(sequence));
            }
            excess = excess.saturating_sub(amount.signed());
        }
    }

    // --- silence (L5) ---

    fn timeouts(&mut self, covered_from: Option<Instant>) {
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
    fn over_collected(&mut self) {
        let own = self.facts.id.0;
        let excess = self.state.balances().over_paid();
        if excess > 0 {
            self.open(Kind::OverCollected, own, format!("{excess} minor units more were paid than are owed"));
        } else {
            self.close(Kind::OverCollected, own);
        }
    }

    // --- transactions without an id (L3) ---

    fn seek(&mut self) {
        for (subject, amount) in self.unanswered() {
            if self.may_call_again(subject) {
                self.effects.push(Effect::Submit { subject, amount });
            } else {
                let detail = "the processor's answer is not known, and calling again is not allowed";
                self.open(Kind::NoAnswer, subject, detail.into());
            }
        }
        self.answered();
    }

    /// What was asked of the processor without a known answer.
    fn unanswered(&self) -> Vec<(Uuid, Cents)> {
        let own = (self.facts.transaction_id.is_none() && self.state.outcome.is_none())
            .then_some((self.facts.id.0, self.facts.terms.amount));
        let debits = self.state.debits.iter().filter(|d| d.status() == DebitStatus::Processing);
        own.into_iter().chain(debits.map(|d| (d.facts.id.0, d.facts.amount))).collect()
    }

    fn may_call_again(&self, subject: Uuid) -> bool {
        let stopped = self.state.held || self.state.has_failed() || self.state.written_off;
        let first = self.facts.unknown_answers.iter().find(|u| u.subject == subject);
        let forgotten = self
            .context
            .policy
            .key_days
            .zip(first)
            .is_some_and(|(days, first)| days_passed(first.at, self.context.as_of, days));
        !stopped && !forgotten
    }

    /// `no_answer` closes when the answer is known, or may be sought again.
    fn answered(&mut self) {
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

    // --- issuing (L3) ---

    fn issue(&mut self) {
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

    // --- what operators do (L8) ---

    /// Holds end. With the last of them the gaps that wait are filled, each with at most its amount, at successive
    /// slots.
    fn release(&mut self, named: Option<ExceptionId>) {
        let held = self.facts.holds.iter().filter(|h| !h.released);
        let (ending, staying): (Vec<&Hold>, Vec<&Hold>) =
            held.partition(|h| named.is_none_or(|id| id == h.exception_id));
        self.new_facts.extend(ending.iter().map(|h| Fact::Released { exception_id: h.exception_id }));
        if ending.is_empty() || !staying.is_empty() {
            return;
        }
        self.state.held = false;
        for (index, reason) in self.waiting_gaps() {
            if self.has_gap() {
                let due_date = self.next_slot();
                self.fill_gap(index, due_date, reason);
            }
        }
    }

    /// The debits whose gap nothing fills, by due date, then sequence, with the reason of what will. After them those
    /// with a replacement: one that was collected before the debit itself was returned does not fill the gap again.
    fn waiting_gaps(&self) -> Vec<(usize, Reason)> {
        // What was shortened away fills no gap. What the return of the advance cancelled is a gap of its own.
        let counts = |d: &&Debit| d.facts.cancelled_because != Some(Because::Shortened);
        let replaced: Vec<u32> =
            self.state.debits.iter().filter(counts).filter_map(|d| d.facts.replaces).collect();
        let reason = |d: &Debit| match d.status() {
            DebitStatus::Failed => Some(Reason::Failed),
            DebitStatus::TimedOut => Some(Reason::TimedOut),
            DebitStatus::Returned => Some(Reason::Returned),
            // The advance came back after all: what its return had cancelled is owed again.
            DebitStatus::Cancelled if d.facts.cancelled_because == Some(Because::CreditReturned) => {
                Some(Reason::Returned)
            }
            DebitStatus::Cancelled
            | DebitStatus::Scheduled
            | DebitStatus::Processing
            | DebitStatus::Submitted
            | DebitStatus::Collected => None,
        };
        let is_replaced =
            |i: &usize| self.state.debits.get(*i).is_some_and(|d| replaced.contains(&d.facts.sequence));
        let gaps = self.in_turn(|d| reason(d).is_some());
        let (filled, waiting): (Vec<usize>, Vec<usize>) = gaps.into_iter().partition(is_replaced);
        let in_turn = waiting.into_iter().chain(filled);
        in_turn.filter_map(|i| Some((i, self.state.debits.get(i).and_then(reason)?))).collect()
    }

    // --- the new facts ---

    fn add_debit(&mut self, amount: Cents, due_date: BusinessDate, reason: Reason, replaces: Option<u32>) {
        let highest = self.state.debits.iter().map(|d| d.facts.sequence).max().unwrap_or(0);
        let sequence = highest.saturating_add(1);
        let debit = DebitFacts {
            id: debit_id(self.facts.id.0, sequence),
            sequence,
            amount,
            due_date,
            reason,
            replaces,
            submitted_at: None,
            transaction_id: None,
            cancelled_because: None,
        };
        self.new_facts.push(Fact::Debit(debit.clone()));
        self.state.debits.push(Debit {
            facts: debit,
            outcome: None,
            code: None,
            resolved_at: None,
            timed_out: false,
        });
    }

    fn cancel(&mut self, index: usize, because: Because) {
        let Some(debit) = self.state.debits.get_mut(index) else { return };
        debit.facts.cancelled_because = Some(because);
        self.new_facts.push(Fact::Cancelled { debit_id: debit.facts.id, because });
    }

    /// Opens an exception that holds the credit; its id if it was not open already.
    fn hold(&mut self, kind: Kind, subject: Uuid, detail: String) -> Option<ExceptionId> {
        let exception_id = self.open(kind, subject, detail)?;
        let hold = Hold { exception_id, released: false };
        self.state.held = true;
        self.new_facts.push(Fact::Held(hold));
        Some(exception_id)
    }

    /// Opens an exception unless one of the kind is open on the subject.
    fn open(&mut self, kind: Kind, subject: Uuid, detail: String) -> Option<ExceptionId> {
        if self.exceptions.iter().any(|e| e.open && e.kind == kind && e.subject == subject) {
            return None;
        }
        let turn = self.facts.turn.to_string();
        let cause = ["exception", kind.name(), &subject.to_string(), &turn];
        let id = ExceptionId(id::from_cause(id::bucket_of(self.facts.id.0), &cause));
        self.exceptions.push(Exception { id, kind, subject, open: true });
        self.new_facts.push(Fact::Opened { id, kind, subject, detail });
        Some(id)
    }

    fn close(&mut self, kind: Kind, subject: Uuid) {
        for exception in &mut self.exceptions {
            if exception.open && exception.kind == kind && exception.subject == subject {
                exception.open = false;
                self.new_facts.push(Fact::Closed { id: exception.id });
            }
        }
    }

    // --- places in the plan ---

    fn indices_of(&self, wanted: impl Fn(&Debit) -> bool) -> Vec<usize> {
        self.state.debits.iter().enumerate().filter(|(_, d)| wanted(d)).map(|(index, _)| index).collect()
    }

    /// The debits wanted, by due date, then sequence.
    fn in_turn(&self, wanted: impl Fn(&Debit) -> bool) -> Vec<usize> {
        let mut indices = self.indices_of(wanted);
        indices.sort_by_key(|i| self.state.debits.get(*i).map(|d| (d.facts.due_date, d.facts.sequence)));
        indices
    }

    fn id_of(&self, index: usize) -> Option<Uuid> {
        self.state.debits.get(index).map(|d| d.facts.id.0)
    }
}

/// How often, and for how long after the first, a family may be presented (L7).
#[derive(Clone, Copy)]
struct Limit {
    presentments: u32,
    days: Option<u32>,
}

/// The id of the debit of a credit with a sequence.
pub fn debit_id(credit: Uuid, sequence: u32) -> DebitId {
    let cause = ["debit", &credit.to_string(), &sequence.to_string()];
    DebitId(id::from_cause(id::bucket_of(credit), &cause))
}
