//! The debits: what is due, in flight, failed, by day.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Debit, Settings};

use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::filters::{Choice, Text, statuses};
use crate::components::intl::{At, On, money};
use crate::components::labels::{self, DEBIT_STATUSES};
use crate::components::listing::{About, Column, Listing};
use crate::data::reading::{self, DebitsAsked};

const ABOUT: About = About {
    caption: "Debits by due date",
    file: "debits.csv",
    columns: &[
        Column::text("Due"),
        Column::text("Account"),
        Column::number("Debit"),
        Column::number("Amount"),
        Column::text("Status"),
        Column::text("Code"),
        Column::text("Made because"),
        Column::text("Submitted"),
        Column::text("Latest word"),
    ],
    filters: &["status", "from", "to"],
    first_use: "No credit was planned yet: its debits are made in the run that reads that the advance succeeded.",
};

/// What is looked at most, and how the address says it.
const VIEWS: [(&str, &str); 5] = [
    ("Due since the last run", ""),
    ("In flight", "?status=submitted"),
    ("Failed", "?status=failed"),
    ("Timed out", "?status=timed_out"),
    ("Returned", "?status=returned"),
];

/// The page.
#[component]
pub fn DebitsPage() -> impl IntoView {
    let query = use_query_map();
    // The ledger's today: the sandbox's clock is not the browser's.
    let runs = reading::runs(1, || None);
    let is_filtered =
        move || query.with(|query| ABOUT.filters.iter().any(|filter| query.get(filter).is_some()));
    let debits = reading::debits(move || {
        let today = runs.data().and_then(|page| page.data.first().map(|run| run.business_date));
        let from_today = today.filter(|_| !is_filtered()).map(|today| today.to_string());
        let query = query.get();
        DebitsAsked {
            status: query.get("status"),
            due_from: query.get("from").or(from_today),
            due_to: query.get("to"),
            cursor: query.get("cursor"),
        }
    });
    view! {
        <h1>"Debits"</h1>
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <Choice name="status" label="Status" options=statuses(&DEBIT_STATUSES)/>
            <Text name="from" label="Due from" kind="date"/>
            <Text name="to" label="to" kind="date"/>
        </form>
        <p class="quiet">
            {move || if is_filtered() { "By due date. " } else { "Since the last run, by due date. " }}
            {VIEWS.map(|(name, query)| view! { <a href=format!("/debits{query}")>{name}</a>" " })}
        </p>
        <Shown of=runs skeleton="skeleton-table" let:_runs>
            <Listing of=debits about=ABOUT row/>
        </Shown>
    }
}

fn row(debit: Debit) -> impl IntoView {
    let settings: Settings = expect_context();
    view! {
        <tr>
            <td><On date=debit.due_date/></td>
            <th scope="row">
                <a href=format!("/credits/{}?debit={}", debit.credit_id, debit.sequence)>{debit.account_id}</a>
            </th>
            <td class="num">{debit.sequence}</td>
            <td class="num">{money(debit.amount.get(), &settings.currency)}</td>
            <td><Badge of=debit.status/></td>
            <td>{debit.code}</td>
            <td>{labels::reason(debit.reason)}</td>
            <td>{debit.submitted_at.map(|at| view! { <At at/> })}</td>
            <td>{debit.resolved_at.map(|at| view! { <At at/> })}</td>
        </tr>
    }
}
