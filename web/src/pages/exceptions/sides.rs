//! An exception from both sides: what the book knows, and what was said of its transaction.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{Credit, Debit, ExceptionDetail, Stated};
use paydown::id::ExceptionId;

use crate::charts::share::owed;
use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::{At, On, money};
use crate::components::labels;
use crate::data::reading;

/// Both, side by side.
#[component]
pub fn Sides(
    /// The exception.
    id: ExceptionId,
) -> impl IntoView {
    let exception = reading::exception(id);
    view! {
        <Shown of=exception skeleton="skeleton-line" let:detail>
            {move || view! { <Both detail=detail.get()/> }}
        </Shown>
    }
}

#[component]
fn Both(detail: Arc<ExceptionDetail>) -> impl IntoView {
    let credit = detail.credit.clone();
    let currency = credit.as_ref().map(|credit| credit.currency.clone()).unwrap_or_default();
    let debit = detail.debit.clone().map(|debit| of_debit(debit, &currency));
    let knows_nothing = credit.is_none() && debit.is_none();
    let said = detail.observations.iter().cloned().map(stated).collect_view();
    view! {
        <div class="both-sides">
            <section>
                <h3>"What we know"</h3>
                <ul>
                    {credit.map(of_credit)}
                    {debit}
                    {knows_nothing.then(|| view! { <li class="quiet">"It is about no credit of ours."</li> })}
                </ul>
            </section>
            <section>
                <h3>"What was said"</h3>
                <ul>
                    {said}
                    {detail.observations.is_empty().then(|| view! { <li class="quiet">"Nothing."</li> })}
                </ul>
            </section>
        </div>
    }
}

fn of_credit(credit: Credit) -> impl IntoView {
    let paid = money(credit.paid, &credit.currency);
    let whole = money(owed(&credit), &credit.currency);
    view! { <li>{credit.account_id}" "<Badge of=credit.status/>" "{paid}" of "{whole}" paid"</li> }
}

fn of_debit(debit: Debit, currency: &str) -> impl IntoView + use<> {
    let amount = money(debit.amount.get(), currency);
    view! {
        <li>{format!("Debit {}", debit.sequence)}" "<Badge of=debit.status/>" "{amount}" due "<On date=debit.due_date/></li>
    }
}

fn stated(said: Stated) -> impl IntoView {
    let code = said.code.as_deref().map(|code| match labels::code(code) {
        Some(meaning) => format!(" {code}, {}", meaning.to_lowercase()),
        None => format!(" {code}"),
    });
    view! {
        <li>
            <span class="quiet"><At at=said.at/></span>
            " "
            {labels::source(said.source)}
            ": "
            {labels::stated(said.status)}
            {code}
        </li>
    }
}
