//! The plan as a table, each replacement linked to what it replaces.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{CreditDetail, Debit};

use super::acting::Doing;
use super::actions::{on_debit, row_acts};
use crate::charts::strip::PlanStrip;
use crate::components::badge::Badge;
use crate::components::intl::{At, On, money};
use crate::components::labels;

/// The table.
#[component]
pub fn PlanTable(
    /// The credit.
    detail: Arc<CreditDetail>,
    /// What is being done.
    doing: RwSignal<Option<Doing>>,
) -> impl IntoView {
    if detail.debits.is_empty() {
        return view! {
            <section aria-labelledby="plan">
                <h2 id="plan">"Plan"</h2>
                <p class="quiet">"Not planned yet: the plan is made in the run that reads that the advance succeeded."</p>
            </section>
        }
        .into_any();
    }
    let currency = detail.credit.currency.clone();
    let rows = detail.debits.iter().cloned().map(|debit| row(debit, &currency, doing)).collect_view();
    view! {
        <section aria-labelledby="plan">
            <h2 id="plan">"Plan"</h2>
            <PlanStrip debits=detail.debits.clone() currency=detail.credit.currency.clone()/>
            <div class="table-scroll" tabindex="0" role="group" aria-label="The table of the plan">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col" class="num">"Debit"</th>
                            <th scope="col">"Due"</th>
                            <th scope="col" class="num">"Amount"</th>
                            <th scope="col">"Status"</th>
                            <th scope="col">"Code"</th>
                            <th scope="col">"Made because"</th>
                            <th scope="col">"Replaced by"</th>
                            <th scope="col">"Submitted"</th>
                            <th scope="col">"Latest word"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn row(debit: Debit, currency: &str, doing: RwSignal<Option<Doing>>) -> impl IntoView + use<> {
    let credit_id = debit.credit_id;
    let replaced_by = debit.replaced_by.iter().map(|sequence| view! { <To sequence=*sequence/>" " });
    let replaced_by = replaced_by.collect_view();
    view! {
        <tr id=format!("debit-{}", debit.sequence)>
            <th scope="row" class="num">
                <a href=format!("/credits/{credit_id}?debit={}", debit.sequence)
                    aria-label=format!("Story of debit {}", debit.sequence)>{debit.sequence}</a>
            </th>
            <td>
                <On date=debit.due_date/>
                {debit.unrolled_due_date.map(|date| view! { <span class="quiet">" (rolled from "<On date/>")"</span> })}
            </td>
            <td class="num">{money(debit.amount.get(), currency)}</td>
            <td><Badge of=debit.status/>{row_acts(on_debit(&debit), doing)}</td>
            <td>{debit.code}</td>
            <td>
                {labels::reason(debit.reason)}
                {debit.replaces.map(|sequence| view! { " ("<To sequence/>")" })}
                {debit.cancelled_because.map(|because| view! { <span class="quiet">"; cancelled: "{labels::because(because)}</span> })}
            </td>
            <td>{replaced_by}</td>
            <td>{debit.submitted_at.map(|at| view! { <At at/> })}</td>
            <td>{debit.resolved_at.map(|at| view! { <At at/> })}</td>
        </tr>
    }
}

/// The way to another row of the plan.
#[component]
fn To(sequence: u32) -> impl IntoView {
    // The router takes links; this one only moves within the page.
    view! { <a href=format!("#debit-{sequence}") rel="external">"debit "{sequence}</a> }
}
