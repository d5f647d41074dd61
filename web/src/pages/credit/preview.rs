//! What would follow for a credit, decided here by the same core as in the Worker, on the same facts.

use paydown::api::{Credit, Run, RunStatus, Settings};
use paydown::coverage::{CompleteReport, covered_from};
use paydown::credit::{CreditStatus, DebitStatus, Facts, State};
use paydown::date::{BusinessDate, Instant};
use paydown::decision::{Context, Effect, Fact, Input, decide};

use crate::components::intl::{counted, date, money};
use crate::components::labels;

/// What would follow.
pub struct Preview {
    /// In sentences, in order.
    pub steps: Vec<String>,
    /// The status after it.
    pub status: CreditStatus,
    /// The facts after it.
    pub facts: Facts,
}

/// What the run of a date would do, at the daily cron's hour; `None` if there is no such instant. In zones far west of
/// Greenwich that hour has the date of the day before.
pub fn of_run(facts: &Facts, runs: &[Run], on: BusinessDate, settings: &Settings) -> Option<Preview> {
    let crons = [on, on.plus_days(1)].map(|day| format!("{day}T06:00:00Z").parse::<Instant>());
    let as_of = crons.into_iter().flatten().find(|at| settings.offsets.business_date(*at) == on)?;
    let report = CompleteReport { read_at: as_of, window_days: settings.report_window_days };
    let covered_from = Some(covered_from(report, complete_reports(runs, as_of, settings)));
    // The order of the daily run: calls again first, then words and timeouts, then what is due.
    Some(of(facts, &[Input::Seek, Input::Words { covered_from }, Input::Issue], as_of, settings))
}

/// What inputs at an instant would do, one after the other.
pub fn of(facts: &Facts, inputs: &[Input], as_of: Instant, settings: &Settings) -> Preview {
    let Settings { offsets, policy, holidays, .. } = settings;
    let context = Context { as_of, zone: offsets, policy, calendar: holidays };
    let mut facts = facts.clone();
    let mut steps = Vec::new();
    for input in inputs {
        let decision = decide(&facts, input.clone(), &context);
        facts.apply(&decision, as_of);
        steps.extend(decision.facts.iter().map(|fact| fact_in_words(&facts, fact)));
        let is_again = *input == Input::Seek;
        steps.extend(decision.effects.iter().filter_map(|effect| effect_in_words(&facts, effect, is_again)));
    }
    Preview { steps, status: State::of(&facts).status(), facts }
}

/// What waits or is scheduled by the facts of a credit, as it would be or as it is; nothing of one without plan.
pub fn outlook(facts: &Facts, would: bool) -> Option<String> {
    let (credit, state) = (Credit::of(facts), State::of(facts));
    let scheduled = state.debit_statuses().filter(|(_, status)| *status == DebitStatus::Scheduled).count();
    let count = u64::try_from(scheduled).unwrap_or(u64::MAX);
    if facts.debits.is_empty() {
        return None;
    }
    let Some(next) = credit.next_due_date else {
        return Some(if would { "Nothing would be scheduled." } else { "Nothing is scheduled." }.to_owned());
    };
    let words = match (would, credit.status == CreditStatus::Held, count) {
        (true, true, _) => "would wait",
        (true, false, _) => "would be scheduled",
        (false, true, 1) => "waits",
        (false, true, _) => "wait",
        (false, false, 1) => "is scheduled",
        (false, false, _) => "are scheduled",
    };
    let debits = counted(count, "debit", "debits");
    let amount = money(credit.scheduled.get(), &facts.currency);
    Some(format!("{debits}, {amount} in all, {words}; the next one is due {}.", date(next)))
}

/// The complete reports before an instant, latest first.
fn complete_reports(runs: &[Run], as_of: Instant, settings: &Settings) -> Vec<CompleteReport> {
    let window_days = settings.report_window_days;
    let complete = runs.iter().filter(|run| {
        let is_whole = run.report.as_ref().is_some_and(|report| report.malformed == 0);
        run.status == RunStatus::Complete && run.as_of < as_of && is_whole
    });
    complete.map(|run| CompleteReport { read_at: run.as_of, window_days }).collect()
}

/// A fact as a sentence.
fn fact_in_words(facts: &Facts, fact: &Fact) -> String {
    let debit = |id: uuid::Uuid| {
        let found = facts.debits.iter().find(|debit| debit.id.0 == id);
        let is_refund = facts.refunds.iter().any(|refund| refund.id.0 == id);
        let other = if is_refund { "The refund" } else { "The advance" };
        found.map_or(other.to_owned(), |debit| format!("Debit {}", debit.sequence))
    };
    let amount_of = |minor: u64| money(minor, &facts.currency);
    match fact {
        Fact::Word(word) => {
            let code = word.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{}: {}{code}.", debit(word.subject), labels::outcome(word.outcome))
        }
        Fact::TimedOut { subject } => format!("{} times out for want of word.", debit(*subject)),
        Fact::Debit(new) => {
            let replaces = new.replaces.map(|n| format!(", in place of debit {n}")).unwrap_or_default();
            let (amount, due) = (amount_of(new.amount.get()), date(new.due_date));
            let reason = labels::reason(new.reason);
            format!("Debit {} of {amount} is added, due {due}: {reason}{replaces}.", new.sequence)
        }
        Fact::Cancelled { debit_id, because } => {
            format!("{} is cancelled: {}.", debit(debit_id.0), labels::because(*because))
        }
        Fact::Processed { debit_id } => {
            let found = facts.debits.iter().find(|debit| debit.id == *debit_id);
            let amount = amount_of(found.map_or(0, |debit| debit.amount.get()));
            format!("{} is issued: {amount}.", debit(debit_id.0))
        }
        Fact::Held(_) => "The credit is held: nothing is issued until it is released.".to_owned(),
        Fact::Released { exception_id } => {
            let found = facts.exceptions.iter().find(|exception| exception.id == *exception_id);
            let why = found.map_or("another credit of the account", |exception| labels::kind(exception.kind));
            format!("The hold ends: {why}.")
        }
        Fact::Opened { kind, detail, .. } => {
            format!("An exception opens, {}: {detail}.", labels::kind(*kind))
        }
        Fact::Closed { .. } => "An exception closes: its cause is gone.".to_owned(),
        Fact::Decided { subject, .. } => format!("{}: decided by an operator.", debit(*subject)),
        Fact::Attached { subject, transaction_id } => {
            format!("{}: its transaction is {transaction_id}.", debit(*subject))
        }
        Fact::Refund(refund) => format!("{} is given back.", amount_of(refund.amount.get())),
        Fact::ExternalPayment(payment) => format!("{} was paid elsewhere.", amount_of(payment.amount.get())),
        Fact::Revoked { .. } => "A payment made elsewhere counts no more.".to_owned(),
        Fact::WrittenOff => "The credit is written off: gaps are filled no more.".to_owned(),
    }
}

/// What is done besides. That what is issued is submitted goes without saying; that a call is made again does not.
fn effect_in_words(facts: &Facts, effect: &Effect, is_again: bool) -> Option<String> {
    match effect {
        Effect::HoldAccount { .. } => Some("Every other credit of the account is held too.".to_owned()),
        Effect::Submit { amount, .. } => is_again.then(|| {
            let amount = money(amount.get(), &facts.currency);
            format!("The processor is asked again, with the same key, for {amount}.")
        }),
    }
}
