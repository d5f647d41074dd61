//! What a run or an operator does to one credit (L2 to L8): from its facts to new facts and effects.
//!
//! `decide` is the only place where the money's next step is chosen. The Worker, the
//! simulation, the dashboard's preview and JavaScript call it alike. It is a function of its
//! arguments: deciding twice on the same facts gives the same decision, and deciding on facts
//! that already hold the decision gives an empty one.

mod advance;
mod answers;
mod operators;
mod refunds;
mod silence;
mod strikes;
mod words;

pub use operators::to_decide;
pub use strikes::two_strikes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::calendar::{Calendar, DueDate};
use crate::credit::{
    Because, CreditStatus, Debit, DebitFacts, Exception, ExternalPayment, Facts, Hold, Kind, Reason,
    RefundFacts, State,
};
use crate::date::{BusinessDate, Instant, Zone};
use crate::id::{self, Cause, CreditId, DebitId, ExceptionId, RefundId, TransactionId};
use crate::money::Cents;
use crate::observation::{Observation, Source, Status, Word};
use crate::policy::Policy;

/// What a decision is asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "input")]
pub enum Input {
    /// The day's words and timeouts: stages 4 to 6 of the run.
    Words {
        /// From when on the reports read cover all time; `None` when this run's report is not complete.
        covered_from: Option<Instant>,
    },
    /// The processor's definite refusal of the first call, already among the observations.
    Refusal {
        /// The credit, debit or refund that was refused.
        subject: Uuid,
    },
    /// Transactions without an id: which to call for again, which to leave to an operator.
    Seek,
    /// The debit that is due: stage 7 of the run.
    Issue,
    /// Two failed debits in a row on the account, one of this credit (`TWO_STRIKES`, L8).
    TwoStrikes {
        /// The one whose word made them two: mostly the later, but a word may be read late.
        debit_id: DebitId,
    },
    /// An operator holds the credit (L8).
    Hold,
    /// An operator releases the credit (L8).
    Release {
        /// The exception whose hold ends; all holds when none is named.
        exception_id: Option<ExceptionId>,
    },
    /// An operator says on evidence what became of a transaction of which the processor said nothing (L8).
    Decide {
        /// The credit, debit or refund.
        subject: Uuid,
        /// What became of it.
        status: Status,
        /// The return code of a failure.
        code: Option<String>,
    },
    /// An operator names the transaction of a credit, debit or refund that has none (L8).
    Attach {
        /// The credit, debit or refund.
        subject: Uuid,
        /// The processor's name of it.
        transaction_id: TransactionId,
    },
    /// Something was paid elsewhere (L8).
    ExternalPayment {
        /// The payment.
        id: Uuid,
        /// What was paid; never zero.
        amount: Cents,
        /// When it was received.
        received_on: BusinessDate,
    },
    /// A payment elsewhere counts no more (L8).
    Revoke {
        /// The payment.
        payment_id: Uuid,
    },
    /// An operator gives back what was paid beyond what is owed (L8).
    Refund {
        /// The refund.
        id: RefundId,
        /// What is given back; never zero, and at most what was paid too much.
        amount: Cents,
    },
    /// An operator gives the rest up (L8).
    WriteOff,
    /// What is scheduled is collected at once (L8).
    PayOff,
    /// The plan waits (L8).
    Pause {
        /// For how many intervals; at least one.
        intervals: u32,
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
    /// The days on which banks work.
    pub calendar: &'a dyn Calendar,
}

impl Context<'_> {
    /// The run's date.
    pub fn run_date(&self) -> BusinessDate {
        self.zone.business_date(self.as_of)
    }

    /// The calendar by which due dates roll, if they do (L9).
    fn rolling(&self) -> Option<&dyn Calendar> {
        self.policy.due_date_roll.by(self.calendar)
    }
}

/// What follows for one credit. Empty when nothing does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
            Some(
                Fact::Held(_)
                | Fact::Released { .. }
                | Fact::Decided { .. }
                | Fact::Attached { .. }
                | Fact::ExternalPayment(_)
                | Fact::Revoked { .. }
                | Fact::Refund(_)
                | Fact::WrittenOff,
            ) => "L8",
            // What closes an exception by itself is the answer or the word that was missing.
            Some(Fact::Closed { .. }) => "L6",
        }
    }

    /// The status that the credit of `facts` comes to by the decision, where an event tells of it: `failed`, `held` or
    /// `repaid`, and it was another before. `as_of` is the decision's instant.
    ///
    /// ```
    /// # use paydown::{calendar::FederalReserve, credit::{CreditStatus, Facts}, date::Zone, policy::Policy};
    /// # use paydown::decision::{Context, Input, decide};
    /// # let mut facts: Facts = serde_json::from_value(serde_json::json!({
    /// #     "id": "00000000-0000-0000-0000-000000000001", "account_id": "acct_8841", "currency": "USD",
    /// #     "terms": { "amount": 100, "fee": 0, "installments": 1, "interval_days": 7 },
    /// #     "created_at": "2026-01-05T15:00:00Z", "turn": 0, "transaction_id": "tx_1", "debits": [], "words": [],
    /// #     "observations": [{ "subject": "00000000-0000-0000-0000-000000000001", "source": "report",
    /// #                        "status": "success", "code": null, "at": "2026-01-05T22:00:00Z" }],
    /// #     "timeouts": [], "unknown_answers": [], "holds": [], "exceptions": [], "written_off": false,
    /// # })).unwrap();
    /// # let as_of = "2026-01-06T06:00:00Z".parse().unwrap();
    /// # let (zone, policy) = (Zone::default(), Policy::default());
    /// # let context = Context { as_of, zone: &zone, policy: &policy, calendar: &FederalReserve };
    /// // A hold on an advance without word holds nothing yet. The word that lets it be planned makes it held.
    /// let hold = decide(&facts, Input::Hold, &context);
    /// assert_eq!(hold.comes_to(&facts, as_of), None);
    /// facts.apply(&hold, as_of);
    /// let planned = decide(&facts, Input::Words { covered_from: None }, &context);
    /// assert_eq!(planned.comes_to(&facts, as_of), Some(CreditStatus::Held));
    /// ```
    pub fn comes_to(&self, facts: &Facts, as_of: Instant) -> Option<CreditStatus> {
        if !self.facts.iter().any(Fact::may_change_status) {
            return None;
        }
        let mut after = facts.clone();
        after.apply(self, as_of);
        let status = State::of(&after).status();
        match status {
            CreditStatus::Failed | CreditStatus::Repaid | CreditStatus::Held => {
                (State::of(facts).status() != status).then_some(status)
            }
            CreditStatus::Pending
            | CreditStatus::Unconfirmed
            | CreditStatus::WrittenOff
            | CreditStatus::Active => None,
        }
    }
}

/// A new fact of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum Fact {
    /// A word is taken into effect.
    Word(Word),
    /// A credit, debit or refund timed out.
    TimedOut {
        /// The credit, debit or refund.
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
    /// An operator said what became of a transaction: an observation of the decision's instant.
    Decided {
        /// The credit, debit or refund.
        subject: Uuid,
        /// What became of it.
        status: Status,
        /// The return code of a failure.
        code: Option<String>,
    },
    /// An operator named the transaction of a credit, debit or refund.
    Attached {
        /// The credit, debit or refund.
        subject: Uuid,
        /// The processor's name of it.
        transaction_id: TransactionId,
    },
    /// Something was paid elsewhere.
    ExternalPayment(ExternalPayment),
    /// A payment elsewhere counts no more.
    Revoked {
        /// The payment.
        payment_id: Uuid,
    },
    /// The intent to give something back; its instant is the decision's.
    Refund(RefundFacts),
    /// The credit was given up.
    WrittenOff,
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
            Fact::Decided { .. } => "decided",
            Fact::Attached { .. } => "attached",
            Fact::ExternalPayment(_) => "external_payment",
            Fact::Revoked { .. } => "revoked",
            Fact::Refund(_) => "refund",
            Fact::WrittenOff => "written_off",
        }
    }

    /// Whether the credit's status may be another with it.
    const fn may_change_status(&self) -> bool {
        match self {
            Fact::Word(_)
            | Fact::TimedOut { .. }
            | Fact::Held(_)
            | Fact::Released { .. }
            | Fact::ExternalPayment(_)
            | Fact::Revoked { .. }
            | Fact::Refund(_)
            | Fact::WrittenOff => true,
            Fact::Debit(_)
            | Fact::Cancelled { .. }
            | Fact::Processed { .. }
            | Fact::Opened { .. }
            | Fact::Closed { .. }
            | Fact::Decided { .. }
            | Fact::Attached { .. } => false,
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
                    self.exceptions.push(opened(*id, *kind, *subject));
                }
                Fact::Closed { id } => {
                    for exception in self.exceptions.iter_mut().filter(|e| e.id == *id) {
                        exception.open = false;
                    }
                }
                Fact::Decided { subject, status, code } => self.observations.push(Observation {
                    subject: *subject,
                    source: Source::Decision,
                    status: *status,
                    code: code.clone(),
                    at: as_of,
                }),
                Fact::Attached { subject, transaction_id } => self.attach(*subject, transaction_id),
                Fact::ExternalPayment(payment) => {
                    let cancelled = decision.facts.iter().filter_map(|fact| self.shortened_by(fact));
                    let mut shortened: Vec<u32> = cancelled.collect();
                    shortened.sort_unstable();
                    let payment = ExternalPayment { shortened, ..payment.clone() };
                    self.external_payments.push(payment);
                }
                Fact::Revoked { payment_id } => {
                    for payment in self.external_payments.iter_mut().filter(|p| p.id == *payment_id) {
                        payment.revoked = true;
                    }
                }
                Fact::Refund(refund) => self.refunds.push(refund.clone()),
                Fact::WrittenOff => self.written_off = true,
            }
        }
    }
}

impl Facts {
    fn attach(&mut self, subject: Uuid, transaction_id: &TransactionId) {
        if subject == self.id.0 {
            self.transaction_id = Some(transaction_id.clone());
        }
        for debit in self.debits.iter_mut().filter(|debit| debit.id.0 == subject) {
            debit.transaction_id = Some(transaction_id.clone());
        }
        for refund in self.refunds.iter_mut().filter(|refund| refund.id.0 == subject) {
            refund.transaction_id = Some(transaction_id.clone());
        }
    }

    /// The sequence of the debit that a fact cancels as shortened.
    fn shortened_by(&self, fact: &Fact) -> Option<u32> {
        let Fact::Cancelled { debit_id, because: Because::Shortened } = fact else { return None };
        self.debits.iter().find(|debit| debit.id == *debit_id).map(|debit| debit.sequence)
    }
}

/// What a decision asks to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Every other credit of the account is held by this exception too.
    HoldAccount {
        /// The exception.
        exception_id: ExceptionId,
    },
    /// The processor is called with the subject's id as key.
    Submit {
        /// The credit, debit or refund.
        subject: Uuid,
        /// What is to be moved.
        amount: Cents,
    },
}

/// What follows from `input` for the credit of `facts`.
///
/// Deciding again on facts that hold the decision gives an empty one.
///
/// ```
/// use paydown::{calendar::FederalReserve, credit::{CreditStatus, Facts, State}, date::Zone, decision::{Context, Effect, Input, decide}};
/// use paydown::policy::Policy;
/// let mut facts: Facts = serde_json::from_value(serde_json::json!({
///     "id": "00000000-0000-0000-0000-000000000001", "account_id": "acct_8841", "currency": "USD",
///     "terms": { "amount": 100_003, "fee": 0, "installments": 4, "interval_days": 7 },
///     "created_at": "2026-01-05T15:00:00Z", "turn": 0, "transaction_id": "tx_1", "debits": [], "words": [],
///     "observations": [{ "subject": "00000000-0000-0000-0000-000000000001", "source": "report",
///                        "status": "success", "code": null, "at": "2026-01-05T22:00:00Z" }],
///     "timeouts": [], "unknown_answers": [], "holds": [], "exceptions": [], "written_off": false,
/// })).unwrap();
/// let (zone, policy) = (Zone::default(), Policy::default());
/// // The run came a day late for the first due date, the 12th: the whole plan moved a week, and nothing is due.
/// let as_of = "2026-01-13T06:00:00Z".parse().unwrap();
/// let context = Context { as_of, zone: &zone, policy: &policy, calendar: &FederalReserve };
/// let planned = decide(&facts, Input::Words { covered_from: None }, &context);
/// facts.apply(&planned, context.as_of);
/// assert_eq!(decide(&facts, Input::Issue, &context).effects, []);
/// // On the 19th it is, once.
/// let context = Context { as_of: "2026-01-19T06:00:00Z".parse().unwrap(), ..context };
/// let issued = decide(&facts, Input::Issue, &context);
/// assert!(matches!(issued.effects[..], [Effect::Submit { amount, .. }] if amount.get() == 25_001));
/// facts.apply(&issued, context.as_of);
/// assert_eq!(decide(&facts, Input::Issue, &context).facts, []);
/// assert_eq!(State::of(&facts).status(), CreditStatus::Active);
/// ```
pub fn decide(facts: &Facts, input: Input, context: &Context<'_>) -> Decision {
    let mut deciding = Deciding::new(facts, context);
    match input {
        Input::Words { covered_from } => {
            deciding.credit_word();
            deciding.debit_words(|_| true);
            deciding.refund_words(|_| true);
            deciding.timeouts(covered_from);
            deciding.refund_timeouts();
            deciding.excess();
            deciding.answered();
        }
        Input::Refusal { subject } => deciding.refused(subject),
        Input::Seek => deciding.seek(),
        Input::Issue => deciding.issue(),
        Input::TwoStrikes { debit_id } => deciding.struck(debit_id),
        Input::Hold => {
            let detail = "an operator holds the credit".to_owned();
            deciding.hold(Kind::HeldByOperator, facts.id.0, detail);
        }
        Input::Release { exception_id } => deciding.release(exception_id),
        Input::Decide { subject, status, code } => deciding.decided(subject, status, code),
        Input::Attach { subject, transaction_id } => deciding.attach(subject, transaction_id),
        Input::ExternalPayment { id, amount, received_on } => {
            deciding.external_payment(id, amount, received_on);
        }
        Input::Revoke { payment_id } => deciding.revoke(payment_id),
        Input::Refund { id, amount } => deciding.refund(id, amount),
        Input::WriteOff => deciding.write_off(),
        Input::PayOff => deciding.pay_off(),
        Input::Pause { intervals } => deciding.pause(intervals),
    }
    Decision { turn: facts.turn, facts: deciding.new_facts, effects: deciding.effects }
}

/// A decision that is being made: the state as it changes, and the new facts so far.
struct Deciding<'a> {
    facts: &'a Facts,
    context: &'a Context<'a>,
    state: State,
    /// What was paid too much, and what was refunded too much, before anything of this decision counted.
    over_before: (i128, i128),
    exceptions: Vec<Exception>,
    /// What the ids of the credit's debits follow from, once one is made.
    debit_ids: Option<Cause>,
    new_facts: Vec<Fact>,
    effects: Vec<Effect>,
}

impl<'a> Deciding<'a> {
    fn new(facts: &'a Facts, context: &'a Context<'a>) -> Deciding<'a> {
        let state = State::of(facts);
        let before = state.balances();
        Deciding {
            facts,
            context,
            state,
            over_before: (before.over_paid(), before.over_refunded()),
            exceptions: facts.exceptions.clone(),
            debit_ids: None,
            new_facts: Vec::new(),
            effects: Vec::new(),
        }
    }

    // The new facts.

    fn add_debit(&mut self, amount: Cents, due: DueDate, reason: Reason, replaces: Option<u32>) {
        let highest = self.state.debits.iter().map(|d| d.facts.sequence).max().unwrap_or(0);
        let sequence = highest.saturating_add(1);
        let ids = self.debit_ids.get_or_insert_with(|| debit_ids(self.facts.id.0));
        let id = DebitId(ids.and(&sequence.to_string()));
        let debit = DebitFacts {
            id,
            sequence,
            amount,
            due_date: due.rolled,
            unrolled_due_date: due.unrolled,
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
        self.exceptions.push(opened(id, kind, subject));
        self.new_facts.push(Fact::Opened { id, kind, subject, detail });
        Some(id)
    }

    /// Whether a person closed an exception of the kind on the subject.
    fn was_closed_by_operator(&self, kind: Kind, subject: Uuid) -> bool {
        let mut of_subject = self.exceptions.iter().filter(|e| e.kind == kind && e.subject == subject);
        of_subject.any(|e| e.closed_by_operator)
    }

    fn close(&mut self, kind: Kind, subject: Uuid) {
        for exception in &mut self.exceptions {
            if exception.open && exception.kind == kind && exception.subject == subject {
                exception.open = false;
                self.new_facts.push(Fact::Closed { id: exception.id });
            }
        }
    }

    // Places in the plan.

    /// The due date that a date of the cadence comes to (L9), where the debits that `counts` names are in the way.
    fn due(&self, date: BusinessDate, counts: impl Fn(&Debit) -> bool) -> DueDate {
        DueDate::rolled(date, self.context.rolling(), |day| self.is_taken(day, &counts))
    }

    /// Whether a debit that is not cancelled, and that `counts` names, is due on a date.
    fn is_taken(&self, date: BusinessDate, counts: impl Fn(&Debit) -> bool) -> bool {
        let in_the_way = |d: &&Debit| d.facts.cancelled_because.is_none() && counts(d);
        self.state.debits.iter().filter(in_the_way).any(|d| d.facts.due_date == date)
    }

    fn indices_of(&self, wanted: impl Fn(&Debit) -> bool) -> Vec<usize> {
        self.state.debits.iter().enumerate().filter(|(_, d)| wanted(d)).map(|(index, _)| index).collect()
    }

    /// The debits wanted, by due date, then sequence.
    fn in_turn(&self, wanted: impl Fn(&Debit) -> bool) -> Vec<usize> {
        self.sorted(self.indices_of(wanted))
    }

    fn sorted(&self, mut indices: Vec<usize>) -> Vec<usize> {
        indices.sort_by_key(|i| self.state.debits.get(*i).map(|d| (d.facts.due_date, d.facts.sequence)));
        indices
    }

    fn id_of(&self, index: usize) -> Option<Uuid> {
        self.state.debits.get(index).map(|d| d.facts.id.0)
    }
}

fn opened(id: ExceptionId, kind: Kind, subject: Uuid) -> Exception {
    Exception { id, kind, subject, open: true, closed_by_operator: false }
}

/// The id of the debit of a credit with a sequence.
pub fn debit_id(credit: Uuid, sequence: u32) -> DebitId {
    DebitId(debit_ids(credit).and(&sequence.to_string()))
}

/// What the ids of a credit's debits follow from, besides their sequence.
fn debit_ids(credit: Uuid) -> Cause {
    Cause::of(id::bucket_of(credit), &["debit", &credit.to_string()])
}
