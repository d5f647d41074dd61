//! The dialog of an operator's act on a credit, its debits and its refunds: what is entered, what would follow, and why.

use leptos::prelude::*;
use paydown::api::{Credit, Settings};
use paydown::credit::{Facts, State};
use paydown::date::{BusinessDate, Instant};
use paydown::decision::Input;
use paydown::id::{RefundId, TransactionId};
use paydown::money::{Cents, decimal, read};
use paydown::observation::Status;
use uuid::Uuid;

use super::preview;
use crate::components::badge::Badge;
use crate::components::dialog::Confirm;
use crate::components::entry::{Entry, Pick};
use crate::components::faces::Told;
use crate::components::intl::{business_date, money};
use crate::components::labels;
use crate::components::toast::Toasts;
use crate::data::actions::{self, Subject};
use crate::data::{Failure, Remote, reading};

/// What an operator may do (L8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Hold,
    Release,
    Pause,
    PayOff,
    WriteOff,
    ExternalPayment,
    Revoke,
    Refund,
    Decide,
    Attach,
}

/// An act, and what it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    /// What is done.
    pub act: Act,
    /// To what.
    pub subject: Subject,
    /// What that is called in a sentence.
    pub name: String,
}

impl Act {
    /// What its button says.
    pub const fn name(self) -> &'static str {
        match self {
            Act::Hold => "Hold",
            Act::Release => "Release",
            Act::Pause => "Pause",
            Act::PayOff => "Pay off",
            Act::WriteOff => "Write off",
            Act::ExternalPayment => "External payment",
            Act::Revoke => "Revoke",
            Act::Refund => "Refund",
            Act::Decide => "Decide",
            Act::Attach => "Attach",
        }
    }

    /// What the button says that does it; with the amount, where one moves.
    const fn verb(self) -> &'static str {
        match self {
            Act::ExternalPayment => "Record",
            Act::Hold
            | Act::Release
            | Act::Pause
            | Act::PayOff
            | Act::WriteOff
            | Act::Revoke
            | Act::Refund
            | Act::Decide
            | Act::Attach => self.name(),
        }
    }

    fn title(self, subject: &str) -> String {
        match self {
            Act::Hold | Act::Release | Act::Pause | Act::PayOff | Act::WriteOff => {
                format!("{} this credit", self.name())
            }
            Act::ExternalPayment => "Record an external payment".to_owned(),
            Act::Revoke => format!("Revoke {subject}"),
            Act::Refund => "Refund what was paid too much".to_owned(),
            Act::Decide => format!("Decide what became of {subject}"),
            Act::Attach => format!("Attach a transaction to {subject}"),
        }
    }

    /// What it says when it was done.
    const fn done(self) -> &'static str {
        match self {
            Act::Hold => "Held",
            Act::Release => "Released",
            Act::Pause => "Paused",
            Act::PayOff => "Paid off",
            Act::WriteOff => "Written off",
            Act::ExternalPayment => "Recorded",
            Act::Revoke => "Revoked",
            Act::Refund => "Refunded",
            Act::Decide => "Decided: it counts from the next run on",
            Act::Attach => "Attached: what was said of it counts from the next run on",
        }
    }

    /// Whether it is taken into effect by the next run alone.
    const fn waits_for_the_run(self) -> bool {
        matches!(self, Act::Decide | Act::Attach)
    }
}

/// What is entered, as it is entered.
#[derive(Clone, Copy)]
struct Entered {
    amount: RwSignal<String>,
    received_on: RwSignal<String>,
    intervals: RwSignal<String>,
    status: RwSignal<String>,
    code: RwSignal<String>,
    transaction_id: RwSignal<String>,
}

/// What would be sent, and how that is called.
#[derive(Debug, Clone, PartialEq)]
struct Asked {
    input: Input,
    /// What it moves, records or gives up; none of acts that move nothing.
    amount: Option<String>,
}

impl Entered {
    fn new() -> Entered {
        let text = || RwSignal::new(String::new());
        Entered {
            amount: text(),
            received_on: text(),
            intervals: text(),
            status: text(),
            code: text(),
            transaction_id: text(),
        }
    }

    fn all(self) -> [RwSignal<String>; 6] {
        [self.amount, self.received_on, self.intervals, self.status, self.code, self.transaction_id]
    }

    fn texts(self) -> Vec<String> {
        self.all().map(|entry| entry.get()).to_vec()
    }

    /// What a dialog begins with: what is meant most of the time.
    fn begin(self, act: Act, facts: &Facts, today: BusinessDate) {
        let refundable = State::of(facts).balances().over_paid();
        let amount = if act == Act::Refund { decimal(refundable, &facts.currency) } else { String::new() };
        let first = [amount, today.to_string(), "1".into(), "success".into(), String::new(), String::new()];
        for (entry, text) in self.all().into_iter().zip(first) {
            entry.set(text);
        }
    }

    /// What is asked, or what is wrong with it: the limits of the contract.
    fn asked(self, doing: &Doing, facts: &Facts, today: BusinessDate) -> Result<Asked, String> {
        let subject = doing.subject.id;
        let balances = State::of(facts).balances();
        let amount_of = |minor: i128| Some(money(minor, &facts.currency));
        let asked = |input: Input| Ok(Asked { input, amount: None });
        match doing.act {
            Act::Hold => asked(Input::Hold),
            Act::Release => asked(Input::Release { exception_id: None }),
            Act::Pause => match self.intervals.get().trim().parse() {
                Ok(intervals @ 1..=104) => asked(Input::Pause { intervals }),
                Ok(_) | Err(_) => Err("Enter 1 to 104 intervals.".to_owned()),
            },
            Act::PayOff => Ok(Asked { input: Input::PayOff, amount: amount_of(balances.scheduled) }),
            Act::WriteOff => {
                let given_up = balances.outstanding().saturating_sub(balances.in_flight);
                Ok(Asked { input: Input::WriteOff, amount: amount_of(given_up) })
            }
            Act::ExternalPayment => {
                let amount = self.cents(&facts.currency)?;
                let received_on = self.received_on.get().parse::<BusinessDate>();
                let received_on = received_on.map_err(|_| "Enter the day on which it was received.")?;
                if received_on > today {
                    return Err("It cannot have been received after today.".to_owned());
                }
                let input = Input::ExternalPayment { id: Uuid::nil(), amount, received_on };
                Ok(Asked { input, amount: amount_of(amount.signed()) })
            }
            Act::Revoke => {
                let payment = facts.external_payments.iter().find(|payment| payment.id == subject);
                let amount = payment.and_then(|payment| amount_of(payment.amount.signed()));
                Ok(Asked { input: Input::Revoke { payment_id: subject }, amount })
            }
            Act::Refund => {
                let (amount, most) = (self.cents(&facts.currency)?, balances.over_paid());
                if amount.signed() > most {
                    let most = money(most, &facts.currency);
                    return Err(format!("At most {most} was paid beyond what is owed."));
                }
                let input = Input::Refund { id: RefundId(Uuid::nil()), amount };
                Ok(Asked { input, amount: amount_of(amount.signed()) })
            }
            Act::Decide => {
                let (status, code) = stated(&self.status.get(), &self.code.get())?;
                asked(Input::Decide { subject, status, code })
            }
            Act::Attach => match TransactionId::try_from(self.transaction_id.get().trim().to_owned()) {
                Ok(transaction_id) => asked(Input::Attach { subject, transaction_id }),
                Err(_) => Err("Enter the processor's id of the transaction.".to_owned()),
            },
        }
    }

    /// The amount: what one payment may be.
    fn cents(self, currency: &str) -> Result<Cents, String> {
        let fits = |amount: &Cents| (1..=Cents::MAX / 4).contains(&amount.get());
        let example = || format!("Enter an amount such as {}.", decimal(100_000, currency));
        read(&self.amount.get(), currency).filter(fits).ok_or_else(example)
    }
}

/// What an operator says became of a transaction, and with which code, or what is wrong with it.
pub fn stated(status: &str, code: &str) -> Result<(Status, Option<String>), String> {
    let code = code.trim();
    match (status, code) {
        ("success", "") => return Ok((Status::Success, None)),
        ("success", _) => return Err("A success has no return code.".to_owned()),
        (_, "") => return Ok((Status::Failure, None)),
        _ => {}
    }
    if code.len() > 16 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err("Enter a return code such as R01, or none.".to_owned());
    }
    Ok((Status::Failure, Some(code.to_ascii_uppercase())))
}

/// The dialog. It stays open while newer answers come in.
#[component]
pub fn Acting(
    /// What is being done; nothing while the dialog is closed.
    doing: RwSignal<Option<Doing>>,
    /// The facts of the credit.
    facts: Remote<Facts>,
) -> impl IntoView {
    let toasts: Toasts = expect_context();
    let open = RwSignal::new(false);
    let asked = RwSignal::new(None::<Asked>);
    let entered = Entered::new();
    // What was sent is not judged again: after a lost answer it is sent again as it was.
    let sent = RwSignal::new(Vec::<String>::new());
    Effect::new(move || {
        if doing.with(Option::is_some) {
            asked.set(None);
            sent.set(vec![]);
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() {
            doing.set(None);
        }
    });
    let title = Signal::derive(move || {
        doing.with(|doing| doing.as_ref().map(|doing| doing.act.title(&doing.name)).unwrap_or_default())
    });
    let verb = Signal::derive(move || {
        let name = doing.with(|doing| doing.as_ref().map_or("", |doing| doing.act.verb()));
        let amount = asked.with(|asked| asked.as_ref().and_then(|asked| asked.amount.clone()));
        amount.map_or(name.to_owned(), |amount| format!("{name} {amount}"))
    });
    let act = move |note: String, key: String| {
        let (doing, asked) = (doing.get_untracked(), asked.get_untracked());
        let texts = untrack(|| entered.texts());
        async move {
            let (Some(doing), Some(asked)) = (doing, asked) else { return Ok(()) };
            sent.set(texts);
            actions::act(&doing.subject, asked.input, note, &key).await?;
            toasts.say(said(&doing, asked.amount).await);
            Ok(())
        }
    };
    view! {
        <Confirm open title verb wrong=Signal::derive(move || asked.with(Option::is_none)) act>
            {move || doing.get().map(|doing| asking(doing, facts, entered, sent, asked))}
        </Confirm>
    }
}

/// What was done, and where the credit stands after it.
async fn said(doing: &Doing, amount: Option<String>) -> String {
    let done = doing.act.done();
    let done = amount.map_or(format!("{done}."), |amount| format!("{done}: {amount}."));
    if doing.act.waits_for_the_run() {
        return done;
    }
    // That it was done is known; where the credit stands is on its page in any case.
    let facts = reading::facts_now(doing.subject.credit_id).await.ok();
    match facts.and_then(|facts| preview::outlook(&facts, false)) {
        Some(outlook) => format!("{done} {outlook}"),
        None => done,
    }
}

/// What is entered, and what would follow from it now.
fn asking(
    doing: Doing,
    facts: Remote<Facts>,
    entered: Entered,
    sent: RwSignal<Vec<String>>,
    asked: RwSignal<Option<Asked>>,
) -> impl IntoView {
    let summary = reading::summary::<BusinessDate>(|| (None, None));
    let settings: Settings = expect_context();
    let act = doing.act;
    let known = move || facts.data().zip(summary.data());
    let is_known = Memo::new(move |_| known().is_some());
    let would = move || {
        let (facts, summary) = known()?;
        let (now, today) = (summary.as_of, settings.offsets.business_date(summary.as_of));
        let texts = entered.texts();
        let judged = match asked.get_untracked() {
            Some(asked) if sent.get() == texts => Ok(asked),
            Some(_) | None => entered.asked(&doing, &facts, today),
        };
        asked.set(judged.clone().ok());
        Some(match judged {
            Ok(judged) => would_follow(act, judged.input, &facts, now),
            Err(why) => view! { <p class="notice tone-attention" role="status">{why}</p> }.into_any(),
        })
    };
    move || {
        // Nothing is to be entered before it is known what to begin with.
        if !is_known.get() {
            return not_known(facts.failure().or_else(|| summary.failure()));
        }
        if let Some((facts, summary)) = untrack(known) {
            entered.begin(act, &facts, business_date(summary.as_of));
        }
        view! { {entries(act, entered)} {would.clone()} }.into_any()
    }
}

/// Says that something is on its way, or why it does not come.
pub fn not_known(failure: Option<Failure>) -> AnyView {
    let failure = failure.map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> });
    view! { <div role="status">{failure.is_none().then_some("Loading…")}{failure}</div> }.into_any()
}

/// The entries of an act.
fn entries(act: Act, entered: Entered) -> impl IntoView {
    let Entered { amount, received_on, intervals, status, code, transaction_id } = entered;
    let texts: &[(&'static str, RwSignal<String>, &'static str)] = match act {
        Act::Hold | Act::Release | Act::PayOff | Act::WriteOff | Act::Revoke => &[],
        Act::Pause => &[("Intervals", intervals, "text")],
        Act::ExternalPayment => &[("Amount", amount, "text"), ("Received on", received_on, "date")],
        Act::Refund => &[("Amount", amount, "text")],
        Act::Decide => &[(RETURN_CODE, code, "text")],
        Act::Attach => &[("Transaction id", transaction_id, "text")],
    };
    let texts = texts.iter().map(|(label, value, kind)| view! { <Entry label value=*value kind/> });
    let statuses = (act == Act::Decide).then(|| {
        let options = [Status::Success, Status::Failure].map(|status| labels::stated(status).to_owned());
        view! { <Pick label="What became of it" value=status options=options.map(|o| (o.clone(), o)).to_vec()/> }
    });
    let meaning = (act == Act::Decide).then(|| meaning_of(code));
    view! { {statuses} {texts.collect_view()} {meaning} }
}

/// What the entry of a return code is called.
pub const RETURN_CODE: &str = "Return code, if it failed with one";

/// What the return code that is entered means.
pub fn meaning_of(code: RwSignal<String>) -> impl IntoView {
    view! { <p class="quiet">{move || labels::code(&code.get().trim().to_ascii_uppercase())}</p> }
}

/// What core says would follow; what takes effect in the next run alone, with that run's words.
fn would_follow(act: Act, input: Input, facts: &Facts, now: Instant) -> AnyView {
    let waits = act.waits_for_the_run();
    let inputs = if waits { vec![input, Input::Words { covered_from: None }] } else { vec![input] };
    effects(facts, &inputs, now, waits)
}

/// The effects of inputs, decided here by the Worker's own code.
pub fn effects(facts: &Facts, inputs: &[Input], now: Instant, waits_for_the_run: bool) -> AnyView {
    let settings: Settings = expect_context();
    let preview = preview::of(facts, inputs, now, &settings);
    if preview.steps.is_empty() {
        return view! { <p>"Nothing would follow as things stand now."</p> }.into_any();
    }
    let in_flight = Credit::of(&preview.facts).in_flight;
    let in_flight = (in_flight > Cents::ZERO).then(|| {
        let in_flight = money(in_flight.get(), &facts.currency);
        format!("{in_flight} is in flight already and cannot be taken back.")
    });
    let waits = waits_for_the_run
        .then_some("It counts from the next run on, as long as the processor itself says nothing else:");
    let steps = preview.steps.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view();
    view! {
        <p>{waits}</p>
        <ul class="effects">{steps}</ul>
        <p>{preview::outlook(&preview.facts, true)}" The credit would be "<Badge of=preview.status/></p>
        <p>{in_flight}</p>
    }
    .into_any()
}
