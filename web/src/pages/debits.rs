//! The debits: what is due, in flight, failed, by day.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Debit, Settings};

use crate::components::badge::Badge;
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

/// The page.
#[component]
pub fn DebitsPage() -> impl IntoView {
    let query = use_query_map();
    let debits = reading::debits(move || {
        let query = query.get();
        DebitsAsked {
            status: query.get("status"),
            due_from: query.get("from"),
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
        <Listing of=debits about=ABOUT row/>
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
