//! Hold and release, each with what it would do before it is done.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{CreditDetail, Settings};
use paydown::credit::{CreditStatus, DebitStatus};
use paydown::decision::Input;
use paydown::id::CreditId;

use super::preview;
use crate::components::dialog::Confirm;
use crate::components::intl::{counted, date, money};
use crate::data::{actions, reading};

/// What an operator may do. The dialogs stay open while newer answers come in.
#[component]
pub fn Actions(
    /// The credit.
    detail: Signal<Arc<CreditDetail>>,
) -> impl IntoView {
    let holding = RwSignal::new(false);
    let releasing = RwSignal::new(false);
    let id = move || detail.with_untracked(|detail| detail.credit.id);
    let status = Memo::new(move |_| detail.with(|detail| detail.credit.status));
    let can_hold = move || match status.get() {
        CreditStatus::Active | CreditStatus::Pending | CreditStatus::Unconfirmed => true,
        CreditStatus::Held | CreditStatus::Failed | CreditStatus::WrittenOff | CreditStatus::Repaid => false,
    };
    let hold = move |note: String, key: String| async move { actions::hold(id(), note, &key).await };
    let release = move |note: String, key: String| async move { actions::release(id(), note, &key).await };
    view! {
        <div class="actions">
            <Show when=can_hold>
                <button class="button" on:click=move |_| holding.set(true)>"Hold…"</button>
            </Show>
            <Show when=move || status.get() == CreditStatus::Held>
                <button class="button primary" on:click=move |_| releasing.set(true)>"Release…"</button>
            </Show>
        </div>
        <Confirm open=holding title="Hold this credit" verb="Hold" act=hold>
            <Effects credit_id=id() input=Input::Hold/>
            {move || view! { <Waiting detail=detail.get()/> }}
        </Confirm>
        <Confirm open=releasing title="Release this credit" verb="Release" act=release>
            <Effects credit_id=id() input=Input::Release { exception_id: None }/>
        </Confirm>
    }
}

/// What core says would follow, at the instant of the last run.
#[component]
pub fn Effects(
    /// The credit.
    credit_id: CreditId,
    /// What is meant to be done.
    input: Input,
) -> impl IntoView {
    let facts = reading::facts(move || credit_id.to_string());
    let runs = reading::runs(1, || None);
    let settings: Settings = expect_context();
    let sentences = move || {
        let (facts, runs) = (facts.data()?, runs.data()?);
        let as_of = runs.data.first().map_or(facts.created_at, |run| run.as_of);
        let preview = preview::of(&facts, std::slice::from_ref(&input), as_of, &settings);
        Some(preview.steps.into_iter().map(|sentence| view! { <li>{sentence}</li> }).collect_view())
    };
    view! { <ul class="effects">{sentences}</ul> }
}

/// What would wait, and what cannot be taken back.
#[component]
fn Waiting(detail: Arc<CreditDetail>) -> impl IntoView {
    let credit = &detail.credit;
    let amount = |minor: u64| money(minor, &credit.currency);
    let scheduled = detail.debits.iter().filter(|debit| debit.status == DebitStatus::Scheduled).count();
    let scheduled = counted(u64::try_from(scheduled).unwrap_or(u64::MAX), "debit", "debits");
    let waiting = credit.next_due_date.map(|next| {
        let waiting = amount(credit.scheduled.get());
        view! { <p>{format!("{scheduled}, {waiting} in all, would wait; the next one is due {}.", date(next))}</p> }
    });
    let in_flight = (credit.in_flight.get() > 0).then(|| {
        let in_flight = amount(credit.in_flight.get());
        view! { <p>{in_flight}" is in flight already and cannot be taken back."</p> }
    });
    view! { {waiting}{in_flight} }
}
