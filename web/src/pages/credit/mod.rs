//! A credit: where it stands, how it came there by which rule, and what may follow.

pub mod acting;
pub mod actions;
mod moved;
pub mod next_run;
mod plan;
mod preview;
mod raw_row;
mod timeline;

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use paydown::api::{CreditDetail, Debit, Settings};
use paydown::credit::DebitStatus;

use crate::charts::share::{ShareBar, owed};
use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::{At, On, money, now};
use crate::components::labels;
use crate::data::reading;
use acting::Acting;
use actions::Actions;
use moved::Moved;
use next_run::NextRun;
use plan::PlanTable;
use timeline::{Story, Timeline};

/// The page. `?debit=3` or `?about=<what an exception is about>` in the address tells the story of that first.
#[component]
pub fn CreditPage() -> impl IntoView {
    let params = use_params_map();
    let id = move || params.with(|params| params.get("id").unwrap_or_default());
    let credit = reading::credit(id);
    let facts = reading::facts(id);
    let doing = RwSignal::new(None);
    let (printed, print) = statement_of();
    view! {
        <Shown of=credit page=true let:detail>
            <div class="head">
                {move || view! { <Title detail=detail.get()/> }}
                <div class="actions">
                    <Actions detail doing/>
                    <button class="button" on:click=move |_| print()>"Print"</button>
                </div>
            </div>
            <p class="printed">{printed}</p>
            {move || view! { <Figures detail=detail.get()/> }}
            {move || asked_for(&detail.get()).map(|debit| view! { <Story detail=detail.get() of=debit/> })}
            {move || view! { <PlanTable detail=detail.get() doing/> }}
            {move || view! { <Moved detail=detail.get() doing/> }}
            <NextRun id=Memo::new(move |_| detail.with(|detail| detail.credit.id))/>
            {move || view! { <Timeline detail=detail.get()/> }}
            <Acting doing facts/>
        </Shown>
    }
}

/// Prints the statement, with where it is from and when it was printed.
fn statement_of() -> (RwSignal<String>, impl Fn() + Copy) {
    let settings: Settings = expect_context();
    let zone = settings.business_time_zone;
    let printed = RwSignal::new(String::new());
    let note = move || {
        let address = window().location().href().unwrap_or_default();
        printed.set(format!("{address}, printed {}", now(&zone)));
    };
    // The browser's own menu prints too.
    let listening = window_event_listener_untyped("beforeprint", move |_| note());
    on_cleanup(move || listening.remove());
    // A browser that cannot print says so itself.
    (printed, || drop(window().print()))
}

/// What the address asks about: a debit, by its sequence, its id or its transaction, or the last that failed on the account;
/// of anything else, the credit itself.
fn asked_for(detail: &CreditDetail) -> Option<Option<Debit>> {
    let query = use_query_map();
    let sequence = query.with(|query| query.get_str("debit").and_then(|text| text.parse::<u32>().ok()));
    let about = query.with(|query| query.get("about"));
    let is_it = |debit: &&Debit| {
        let transaction = debit.transaction_id.clone().map(String::from);
        let names = [Some(debit.id.to_string()), transaction];
        Some(debit.sequence) == sequence || names.iter().flatten().any(|name| Some(name) == about.as_ref())
    };
    let debit = detail.debits.iter().find(is_it);
    // What is about the account is about the debits that failed on it, of which the last says why.
    let is_account = about.as_ref() == Some(&detail.credit.account_id);
    let failed = || detail.debits.iter().filter(|debit| debit.status == DebitStatus::Failed);
    let last_failed = || failed().max_by_key(|debit| debit.resolved_at).filter(|_| is_account);
    let debit = debit.or_else(last_failed).cloned();
    (debit.is_some() || about.is_some()).then_some(debit)
}

/// Whose it is, and where it stands.
#[component]
fn Title(detail: Arc<CreditDetail>) -> impl IntoView {
    let credit = detail.credit.clone();
    view! {
        <div>
            <p class="crumb"><a href="/credits">"Credits"</a></p>
            <h1>{credit.account_id}" "<Badge of=credit.status/></h1>
            <p class="quiet">
                {labels::cadence(credit.installments, credit.interval_days)}
                ", asked for "<At at=credit.created_at/>
                {credit.confirmed_at.map(|at| view! { ", paid out "<At at/> })}
                {credit.next_due_date.map(|date| view! { ", next due "<On date/> })}
            </p>
        </div>
    }
}

/// The figures.
#[component]
fn Figures(detail: Arc<CreditDetail>) -> impl IntoView {
    let credit = detail.credit.clone();
    let amount = |minor: i128| money(minor, &credit.currency);
    let figures = [
        ("Advanced", amount(credit.amount.signed())),
        ("Fee", amount(credit.fee.signed())),
        ("Owed in all", amount(owed(&credit))),
        ("Paid", amount(i128::from(credit.paid))),
        ("In flight", amount(credit.in_flight.signed())),
        ("Scheduled", amount(credit.scheduled.signed())),
        ("Outstanding", amount(credit.outstanding.signed())),
    ];
    let figures = figures.map(|(name, figure)| {
        view! { <div><dt>{name}</dt><dd class="num">{figure}</dd></div> }
    });
    let missing = i128::from(credit.missing);
    let missing = (missing != 0 && !detail.debits.is_empty()).then(|| {
        let (name, figure) =
            if missing > 0 { ("Gap that waits", missing) } else { ("Excess", missing.saturating_neg()) };
        view! { <div class="tone-attention"><dt>{name}</dt><dd class="num">{amount(figure)}</dd></div> }
    });
    view! {
        <dl class="figures-row">{figures.collect_view()}{missing}</dl>
        <ShareBar credit=credit.clone()/>
        <p class="quiet">
            "Credit "<code>{credit.id.to_string()}</code>
            {credit.transaction_id.clone().map(|id| view! { ", transaction "<code>{id.to_string()}</code> })}
        </p>
    }
}
