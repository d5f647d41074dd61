//! What operators do (L8).

use uuid::Uuid;

use super::{Context, Deciding, Fact};
use crate::credit::{
    Because, Debit, DebitFacts, DebitStatus, ExternalPayment, Facts, Hold, Kind, Reason, State,
};
use crate::date::{BusinessDate, days_passed};
use crate::id::{ExceptionId, TransactionId};
use crate::money::Cents;
use crate::observation::{Source, Status};

/// The credits, debits or refunds of which an operator says what became of them to end an exception: those without a word
/// that made it. None where it is not for want of a word.
///
/// ```
/// use paydown::{calendar::FederalReserve, credit::{Facts, Kind}, date::Zone};
/// use paydown::{decision::{Context, to_decide}, policy::Policy};
/// # let facts: Facts = serde_json::from_value(serde_json::json!({
/// #     "id": "00000000-0000-0000-0000-000000000001", "account_id": "acct_8841", "currency": "USD",
/// #     "terms": { "amount": 100, "fee": 0, "installments": 1, "interval_days": 7 },
/// #     "created_at": "2026-01-05T15:00:00Z", "turn": 0, "transaction_id": "tx_1", "debits": [], "words": [],
/// #     "observations": [], "timeouts": [], "unknown_answers": [], "holds": [], "exceptions": [], "written_off": false,
/// # })).unwrap();
/// let as_of = "2026-01-13T06:00:00Z".parse().unwrap();
/// let (zone, policy) = (Zone::default(), Policy::default());
/// let context = Context { as_of, zone: &zone, policy: &policy, calendar: &FederalReserve };
/// let own = facts.id.0;
/// assert_eq!(to_decide(&facts, Kind::CreditUnconfirmed, own, &context), [own]);
/// // The processor spoke clearly of a hard return: nothing is to be decided.
/// assert!(to_decide(&facts, Kind::HardReturn, own, &context).is_empty());
/// ```
pub fn to_decide(facts: &Facts, kind: Kind, subject: Uuid, context: &Context<'_>) -> Vec<Uuid> {
    let debits = State::of(facts).debits;
    let those = |wanted: &dyn Fn(&Debit) -> bool| {
        debits.iter().filter(|debit| wanted(debit)).map(|debit| debit.facts.id.0).collect()
    };
    match kind {
        Kind::CreditUnconfirmed | Kind::NoAnswer => vec![subject],
        Kind::ReportGap => those(&|debit| {
            let days = context.policy.timeout_days;
            let is_silent = debit.facts.submitted_at.is_some_and(|at| days_passed(at, context.as_of, days));
            debit.status() == DebitStatus::Submitted && is_silent
        }),
        Kind::TimeoutLimit => those(&|debit| debit.status() == DebitStatus::TimedOut),
        Kind::CreditReturned
        | Kind::CreditContradiction
        | Kind::OverCollectionPrevented
        | Kind::ReportHole
        | Kind::OverCollected
        | Kind::UnknownTransaction
        | Kind::MalformedRow
        | Kind::HardReturn
        | Kind::UnknownReturnCode
        | Kind::RetryLimit
        | Kind::HeldByOperator
        | Kind::DecisionContradicted
        | Kind::OverRefunded
        | Kind::TwoStrikes
        | Kind::RunLate
        | Kind::DeadLetter
        | Kind::RequestRefused
        | Kind::RunLimit
        | Kind::WebhookFailing => vec![],
    }
}

impl Deciding<'_> {
    /// Holds end. With the last of them the gaps that wait are filled, each with at most its amount, at successive
    /// slots.
    pub(super) fn release(&mut self, named: Option<ExceptionId>) {
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
                let due = self.next_slot();
                self.fill_gap(index, due, reason);
            }
        }
        self.fill_rest();
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

    /// An observation like any other, which counts from the next run's words on; nothing when the processor has spoken
    /// or was not asked.
    pub(super) fn decided(&mut self, subject: Uuid, status: Status, code: Option<String>) {
        let of_subject = || self.facts.observations.iter().filter(move |o| o.subject == subject);
        let has_spoken = of_subject().any(|o| o.source != Source::Decision);
        let is_same = |o: &&crate::observation::Observation| o.status == status && o.code == code;
        let latest = of_subject().max_by_key(|o| o.at);
        if has_spoken || latest.as_ref().is_some_and(is_same) || !self.was_asked(subject) {
            return;
        }
        self.new_facts.push(Fact::Decided { subject, status, code });
    }

    /// Its observations count from the next run's words on.
    pub(super) fn attach(&mut self, subject: Uuid, transaction_id: TransactionId) {
        let own = subject == self.facts.id.0 && self.facts.transaction_id.is_some();
        let debit = self.facts.debits.iter().find(|debit| debit.id.0 == subject);
        let refund = self.facts.refunds.iter().find(|refund| refund.id.0 == subject);
        let is_named = own
            || debit.is_some_and(|debit| debit.transaction_id.is_some())
            || refund.is_some_and(|refund| refund.transaction_id.is_some());
        if !is_named && self.was_asked(subject) {
            self.new_facts.push(Fact::Attached { subject, transaction_id });
        }
    }

    /// Whether the processor was called for the credit, debit or refund.
    fn was_asked(&self, subject: Uuid) -> bool {
        let submitted = |debit: &Debit| debit.facts.id.0 == subject && debit.facts.submitted_at.is_some();
        subject == self.facts.id.0
            || self.state.debits.iter().any(submitted)
            || self.facts.refunds.iter().any(|refund| refund.id.0 == subject)
    }

    /// It counts as paid, and the plan is shortened by the excess, from the end.
    pub(super) fn external_payment(&mut self, id: Uuid, amount: Cents, received_on: BusinessDate) {
        if amount == Cents::ZERO || self.facts.external_payments.iter().any(|payment| payment.id == id) {
            return;
        }
        let payment = ExternalPayment { id, amount, received_on, revoked: false, shortened: vec![] };
        self.new_facts.push(Fact::ExternalPayment(payment));
        self.state.paid_elsewhere = self.state.paid_elsewhere.saturating_add(amount.signed());
        self.shorten(None);
        self.excess();
    }

    /// It counts no more. The debits that it shortened are gaps that wait, filled at once; one that shortened none then,
    /// but the plan that was made later, leaves those of the plan.
    pub(super) fn revoke(&mut self, payment_id: Uuid) {
        let payments = &self.facts.external_payments;
        let Some(payment) = payments.iter().find(|p| p.id == payment_id && !p.revoked) else { return };
        self.new_facts.push(Fact::Revoked { payment_id });
        self.state.paid_elsewhere = self.state.paid_elsewhere.saturating_sub(payment.amount.signed());
        self.fill_shortened(&payment.shortened);
        self.excess();
    }

    /// What was shortened, these sequences first, is owed again: gaps that are filled at once.
    pub(super) fn fill_shortened(&mut self, first: &[u32]) {
        let shortened = |d: &Debit| d.facts.cancelled_because == Some(Because::Shortened);
        let is_first = |index: &usize| {
            self.state.debits.get(*index).is_some_and(|debit| first.contains(&debit.facts.sequence))
        };
        let (first, others): (Vec<usize>, Vec<usize>) =
            self.in_turn(shortened).into_iter().partition(is_first);
        for index in first.into_iter().chain(others) {
            if self.has_gap() {
                let due = self.next_slot();
                self.fill_gap(index, due, Reason::Shortened);
            }
        }
        self.fill_rest();
    }

    /// What was taken for paid when a gap was filled or a refund given, and is owed after all, makes one debit more: no
    /// debit of the plan stands for it. On a held credit it waits with the other gaps.
    pub(super) fn fill_rest(&mut self) {
        if !self.state.held && self.has_gap() {
            let missing = Cents::from_balance(self.state.balances().missing());
            let due = self.next_slot();
            self.add_debit(missing, due, Reason::OwedAgain, None);
        }
    }

    /// What is scheduled is cancelled; from now on the credit issues nothing and fills no gaps.
    pub(super) fn write_off(&mut self) {
        let is_owing =
            self.state.is_planned() && !self.state.has_failed() && self.state.balances().outstanding() > 0;
        if self.state.written_off || !is_owing {
            return;
        }
        self.cancel_scheduled(Because::WrittenOff);
        self.state.written_off = true;
        self.new_facts.push(Fact::WrittenOff);
    }

    /// One debit for all that is scheduled, due on the decision's date, rolled.
    pub(super) fn pay_off(&mut self) {
        // What is about to be cancelled is not in the way.
        let due = self.due(self.context.run_date(), |debit| !debit.is_scheduled());
        let scheduled = self.indices_of(Debit::is_scheduled);
        let is_done =
            |index: &usize| self.state.debits.get(*index).is_some_and(|d| d.facts.due_date <= due.rolled);
        if scheduled.is_empty() || (scheduled.len() == 1 && scheduled.iter().all(is_done)) {
            return;
        }
        let sum = self.state.balances().scheduled;
        self.cancel_scheduled(Because::PaidOff);
        self.add_debit(Cents::from_balance(sum), due, Reason::PaidOff, None);
    }

    fn cancel_scheduled(&mut self, because: Because) {
        for index in self.in_turn(Debit::is_scheduled) {
            self.cancel(index, because);
        }
    }

    /// Each scheduled debit moves so many intervals later, all of them more if the first would not be after today. The
    /// unrolled dates move, and roll anew.
    pub(super) fn pause(&mut self, intervals: u32) {
        let in_turn = self.in_turn(Debit::is_scheduled);
        let scheduled: Vec<DebitFacts> =
            in_turn.iter().filter_map(|index| Some(self.state.debits.get(*index)?.facts.clone())).collect();
        let Some(first_due) = scheduled.iter().map(DebitFacts::unrolled).min() else { return };
        let interval = self.facts.terms.interval_days.max(1);
        let tomorrow = self.context.run_date().plus_days(1);
        let asked = intervals.max(1).saturating_mul(interval);
        let late = u32::try_from(tomorrow.days_since(first_due.plus_days(asked))).unwrap_or(0);
        let days = asked.saturating_add(late.div_ceil(interval).saturating_mul(interval));
        // All are cancelled before the first is added, whose new date another may still hold.
        self.cancel_scheduled(Because::Paused);
        for debit in scheduled {
            let due = self.due(debit.unrolled().plus_days(days), |_| true);
            self.add_debit(debit.amount, due, Reason::Paused, Some(debit.sequence));
        }
    }

    /// Holds the credit when the processor's first word on a transaction is not what an operator had decided.
    pub(super) fn contradicted(&mut self, subject: Uuid, is_success: bool) {
        let of_subject = || self.facts.observations.iter().filter(move |o| o.subject == subject);
        let has_spoken = of_subject().any(|o| o.source != Source::Decision);
        let decided = of_subject().filter(|o| o.source == Source::Decision).max_by_key(|o| o.at);
        let otherwise = decided.is_some_and(|o| (o.status == Status::Success) != is_success);
        if has_spoken && otherwise {
            let said = if is_success { "success" } else { "failure" };
            let detail = format!("the processor says {said}, which is not what an operator had decided");
            self.hold(Kind::DecisionContradicted, subject, detail);
        }
    }
}
