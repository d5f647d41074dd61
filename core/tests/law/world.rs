//! One credit, the processor that answers for it, and the runs of its days.

use paydown::calendar::FederalReserve;
use paydown::coverage::{CompleteReport, covered_from};
use paydown::credit::{Facts, Kind, UnknownAnswer};
use paydown::date::{Instant, Zone};
use paydown::decision::{Context, Decision, Effect, Input, decide, to_decide};
use paydown::id::{CreditId, TransactionId};
use paydown::observation::{Observation, Source, Status};
use paydown::plan::Terms;
use paydown::policy::Policy;
use uuid::Uuid;

/// What the processor answers to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The transaction's id.
    Named,
    /// A definite refusal, with a return code if there is one.
    Refused(Option<String>),
    /// None that is known.
    Unknown,
    /// None that was recorded: the invocation broke off.
    Lost,
    /// A refusal that was recorded and not dealt with: the invocation broke off right then.
    RefusedAndLost(String),
}

/// One credit in its world.
pub struct World {
    pub facts: Facts,
    pub policy: Policy,
    pub zone: Zone,
    pub window_days: u32,
    /// From when on the reports cover all time, as of the latest run.
    pub covered_from: Option<Instant>,
    /// The decisions taken, until somebody clears them.
    pub taken: Vec<Taken>,
    complete_reports: Vec<CompleteReport>,
}

/// A decision, with the facts that it was taken on and those that it left.
pub struct Taken {
    pub input: Input,
    pub before: Facts,
    pub decision: Decision,
    pub after: Facts,
}

impl World {
    /// A credit that was just asked for, and whose transaction the processor has named.
    pub fn new(terms: Terms, created_at: Instant) -> World {
        let mut facts = Facts::asked_for(CreditId(Uuid::from_u128(1)), "account", "USD", terms, created_at);
        facts.transaction_id = Some(transaction_of(facts.id.0));
        World {
            facts,
            policy: Policy::default(),
            zone: Zone::default(),
            window_days: 5,
            covered_from: None,
            taken: vec![],
            complete_reports: vec![],
        }
    }

    /// The answer to the call that pays the credit out was not known.
    pub fn lose_the_answer_to_the_advance(&mut self) {
        self.facts.transaction_id = None;
        let unknown = UnknownAnswer { subject: self.facts.id.0, at: self.facts.created_at };
        self.facts.unknown_answers.push(unknown);
    }

    /// Something is said of a credit or debit; each distinct observation is kept once.
    pub fn say(&mut self, subject: Uuid, source: Source, status: Status, code: Option<&str>, at: Instant) {
        let observation = Observation { subject, source, status, code: code.map(str::to_owned), at };
        if !self.facts.observations.contains(&observation) {
            self.facts.observations.push(observation);
        }
    }

    /// The stages of a run that concern a credit, in order: seek, words and timeouts, issue. `answer` is asked by name.
    pub fn run(&mut self, as_of: Instant, has_complete_report: bool, answer: impl Fn(&str) -> Answer) {
        let seeking = self.decide(Input::Seek, as_of);
        self.call(&seeking, as_of, &answer);
        self.covered_from = has_complete_report.then(|| self.read_report(as_of));
        self.decide(Input::Words { covered_from: self.covered_from }, as_of);
        let issuing = self.decide(Input::Issue, as_of);
        self.call(&issuing, as_of, &answer);
    }

    /// Of what an operator says what became, to end an exception.
    pub fn to_decide(&self, kind: Kind, subject: Uuid, as_of: Instant) -> Vec<Uuid> {
        let context = Context { as_of, zone: &self.zone, policy: &self.policy, calendar: &FederalReserve };
        to_decide(&self.facts, kind, subject, &context)
    }

    fn read_report(&mut self, as_of: Instant) -> Instant {
        let this = CompleteReport { read_at: as_of, window_days: self.window_days };
        let from = covered_from(this, self.complete_reports.iter().rev().copied());
        self.complete_reports.push(this);
        from
    }

    /// Calls the processor for what a decision submits.
    pub fn call(&mut self, decision: &Decision, as_of: Instant, answer: &impl Fn(&str) -> Answer) {
        for effect in &decision.effects {
            let Effect::Submit { subject, .. } = *effect else { continue };
            let is_first = !self.facts.unknown_answers.iter().any(|unknown| unknown.subject == subject);
            match answer(&self.name_of(subject)) {
                Answer::Named => self.name(subject),
                Answer::Refused(code) if is_first => {
                    self.say(subject, Source::Refusal, Status::Failure, code.as_deref(), as_of);
                    self.decide(Input::Refusal { subject }, as_of);
                }
                Answer::RefusedAndLost(code) if is_first => {
                    self.say(subject, Source::Refusal, Status::Failure, Some(&code), as_of);
                }
                Answer::Lost | Answer::RefusedAndLost(_) => {}
                // A refusal after an unknown answer proves nothing.
                Answer::Refused(_) => {}
                Answer::Unknown if is_first => {
                    self.facts.unknown_answers.push(UnknownAnswer { subject, at: as_of });
                }
                Answer::Unknown => {}
            }
        }
    }

    /// What a credit, refund or debit is called: `credit`, `refund`, or the debit's sequence.
    pub fn name_of(&self, subject: Uuid) -> String {
        if self.facts.refunds.iter().any(|refund| refund.id.0 == subject) {
            return "refund".to_owned();
        }
        let debit = self.facts.debits.iter().find(|debit| debit.id.0 == subject);
        debit.map_or("credit".to_owned(), |debit| debit.sequence.to_string())
    }

    fn name(&mut self, subject: Uuid) {
        if subject == self.facts.id.0 {
            self.facts.transaction_id = Some(transaction_of(subject));
        }
        for debit in self.facts.debits.iter_mut().filter(|debit| debit.id.0 == subject) {
            debit.transaction_id = Some(transaction_of(subject));
        }
        for refund in self.facts.refunds.iter_mut().filter(|refund| refund.id.0 == subject) {
            refund.transaction_id = Some(transaction_of(subject));
        }
    }

    /// Takes a decision, and sees that it cannot be taken twice.
    pub fn decide(&mut self, input: Input, as_of: Instant) -> Decision {
        let context = Context { as_of, zone: &self.zone, policy: &self.policy, calendar: &FederalReserve };
        let before = self.facts.clone();
        let decision = decide(&before, input.clone(), &context);
        self.facts.apply(&decision, as_of);
        let again = decide(&self.facts, input.clone(), &context);
        // A pause asked for twice is two pauses.
        if !matches!(input, Input::Pause { .. }) {
            assert_eq!(again.facts, [], "{input:?} of {as_of}, taken twice");
        }
        if input != Input::Seek {
            assert_eq!(again.effects, [], "{input:?} of {as_of}, taken twice");
        }
        let after = self.facts.clone();
        self.taken.push(Taken { input, before, decision: decision.clone(), after });
        decision
    }
}

fn transaction_of(subject: Uuid) -> TransactionId {
    TransactionId::try_from(format!("tx_{subject}")).expect("a transaction id")
}
