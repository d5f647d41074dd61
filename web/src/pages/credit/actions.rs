//! What an operator may do to a credit as it stands: the usual one as a button, the others in a menu.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use paydown::api::{Credit, CreditDetail, Debit, Refund};
use paydown::credit::{CreditStatus, DebitStatus, ExternalPayment, RefundStatus};

use super::acting::{Act, Doing};
use crate::charts::share::owed;
use crate::components::allowed::may_operate;
use crate::data::actions::Subject;

/// The usual act, and the menu of the others.
#[component]
pub fn Actions(
    /// The credit.
    detail: Signal<Arc<CreditDetail>>,
    /// What is being done.
    doing: RwSignal<Option<Doing>>,
) -> impl IntoView {
    let may = may_operate();
    let credit = Memo::new(move |_| detail.with(|detail| detail.credit.clone()));
    let offered = Memo::new(move |_| if may() { credit.with(offered) } else { vec![] });
    let menu = NodeRef::<html::Details>::new();
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let button = move |act: Act| {
        let usual = matches!(act, Act::Release).then_some(" primary").unwrap_or_default();
        let begin = move |_| doing.set(Some(on_credit(act, &credit.get_untracked())));
        view! { <button class=format!("button{usual}") on:click=begin>{act.name()}"…"</button> }
    };
    let entry = move |act: Act| {
        let begin = move |_| {
            // The focus comes back to the menu, which is still there then.
            close();
            focus_summary(menu);
            doing.set(Some(on_credit(act, &credit.get_untracked())));
        };
        view! { <li><button class="menu-entry" on:click=begin>{act.name()}"…"</button></li> }
    };
    let others = move || offered.get().into_iter().skip(1).map(entry).collect_view();
    view! {
        <div class="actions">
            {move || offered.get().first().copied().map(button)}
            <Show when=move || offered.with(|offered| offered.len() > 1)>
                <details
                    class="menu"
                    node_ref=menu
                    on:keydown=move |event| if event.key() == "Escape" {
                        close();
                        focus_summary(menu);
                    }
                >
                    <summary class="button">"More"</summary>
                    <ul>{others}</ul>
                </details>
            </Show>
        </div>
    }
}

fn focus_summary(menu: NodeRef<html::Details>) {
    let summary = menu.get_untracked().and_then(|menu| menu.first_element_child());
    if let Some(summary) = summary {
        // An element that can be clicked by keyboard can be focused.
        let _ = wasm_bindgen::JsCast::unchecked_into::<web_sys::HtmlElement>(summary).focus();
    }
}

/// What makes sense for a credit as it stands, the usual one first.
fn offered(credit: &Credit) -> Vec<Act> {
    let is_pending = matches!(credit.status, CreditStatus::Pending | CreditStatus::Unconfirmed);
    let is_owing = matches!(credit.status, CreditStatus::Active | CreditStatus::Held);
    let is_scheduled = is_owing && credit.scheduled.get() > 0;
    let most = if credit.status == CreditStatus::Failed { 0 } else { owed(credit) };
    let all = [
        (Act::Release, credit.status == CreditStatus::Held),
        (Act::Refund, i128::from(credit.paid) > most),
        (Act::Hold, is_pending || credit.status == CreditStatus::Active),
        (Act::ExternalPayment, credit.status != CreditStatus::Failed),
        (Act::Pause, is_scheduled),
        (Act::PayOff, is_scheduled),
        (Act::WriteOff, is_owing),
        (Act::Decide, is_pending),
        (Act::Attach, credit.transaction_id.is_none() && is_pending),
    ];
    all.into_iter().filter(|(_, makes_sense)| *makes_sense).map(|(act, _)| act).collect()
}

fn on_credit(act: Act, credit: &Credit) -> Doing {
    let subject = Subject { credit_id: credit.id, part: "credits", id: credit.id.0 };
    Doing { act, subject, name: "the advance".to_owned() }
}

/// The acts on a debit that the processor was called for and said nothing of.
pub fn on_debit(debit: &Debit) -> Vec<Doing> {
    let is_silent =
        matches!(debit.status, DebitStatus::Processing | DebitStatus::Submitted | DebitStatus::TimedOut);
    let is_nameless = debit.status == DebitStatus::Processing;
    let subject = Subject { credit_id: debit.credit_id, part: "debits", id: debit.id.0 };
    on_part(&subject, &format!("debit {}", debit.sequence), is_silent, is_nameless)
}

/// The acts on a refund that the processor was called for and said nothing of.
pub fn on_refund(refund: &Refund, amount: &str) -> Vec<Doing> {
    let is_silent = match refund.status {
        RefundStatus::Processing | RefundStatus::Submitted | RefundStatus::Unconfirmed => true,
        RefundStatus::Confirmed | RefundStatus::Failed => false,
    };
    let is_nameless = is_silent && refund.transaction_id.is_none();
    let subject = Subject { credit_id: refund.credit_id, part: "refunds", id: refund.id.0 };
    on_part(&subject, &format!("the refund of {amount}"), is_silent, is_nameless)
}

fn on_part(subject: &Subject, name: &str, is_silent: bool, is_nameless: bool) -> Vec<Doing> {
    let acts = [(Act::Decide, is_silent), (Act::Attach, is_nameless)];
    let possible = acts.into_iter().filter(|(_, is_possible)| *is_possible);
    possible.map(|(act, _)| Doing { act, subject: subject.clone(), name: name.to_owned() }).collect()
}

/// The acts on a payment made elsewhere.
pub fn on_payment(credit: &Credit, payment: &ExternalPayment, amount: &str) -> Vec<Doing> {
    if payment.revoked {
        return vec![];
    }
    let subject = Subject { credit_id: credit.id, part: "credits", id: payment.id };
    vec![Doing { act: Act::Revoke, subject, name: format!("the external payment of {amount}") }]
}

/// Their buttons, in a row of a table.
pub fn row_acts(acts: Vec<Doing>, doing: RwSignal<Option<Doing>>) -> impl IntoView {
    let may = may_operate();
    let buttons = acts.into_iter().filter(|_| may()).map(|act| {
        let (name, of) = (act.act.name(), act.name.clone());
        view! {
            " "
            <button class="button small" on:click=move |_| doing.set(Some(act.clone()))>
                {name}"…"<span class="sr-only">" "{of}</span>
            </button>
        }
    });
    buttons.collect_view()
}
