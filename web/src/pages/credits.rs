//! The credits: filtered, sorted and paged by the server.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Credit, Settings};
use paydown::date::{BusinessDate, just_before, text};

use crate::charts::share::{ShareBar, owed};
use crate::components::badge::Badge;
use crate::components::filters::{Choice, Text, statuses};
use crate::components::intl::{At, On, money};
use crate::components::labels::CREDIT_STATUSES;
use crate::components::listing::{About, Column, Listing};
use crate::data::reading::{self, CreditsAsked};

const ABOUT: About = About {
    caption: "Credits",
    file: "credits.csv",
    columns: &[
        Column::text("Account"),
        Column::text("Status"),
        Column::text("Collected, in flight, left"),
        Column::number("Owed"),
        Column::number("Paid"),
        Column::number("Outstanding"),
        Column::text("Next due"),
        Column::sorted("Created", "created_at"),
    ],
    filters: &["q", "status", "account", "from", "to"],
    first_use: "No advance was asked for yet. POST /v1/perform_advance makes the first credit.",
};

/// The page.
#[component]
pub fn CreditsPage() -> impl IntoView {
    let query = use_query_map();
    let settings: Settings = expect_context();
    let credits = reading::credits(move || {
        let query = query.get();
        let zone = &settings.offsets;
        let date = |name: &str| query.get_str(name).and_then(|text| text.parse::<BusinessDate>().ok());
        CreditsAsked {
            status: query.get("status"),
            account_id: query.get("account"),
            // Both ends of the API are open: the last instant of the day before, the first of the day after.
            created_after: date("from").map(|day| text(just_before(zone.start_of(day)))),
            created_before: date("to").map(|day| text(zone.start_of(day.plus_days(1)))),
            q: query.get("q"),
            sort: query.get("sort"),
            cursor: query.get("cursor"),
        }
    });
    view! {
        <h1>"Credits"</h1>
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <Text name="q" label="Find" hint="account, id, transaction"/>
            <Choice name="status" label="Status" options=statuses(&CREDIT_STATUSES)/>
            <Text name="account" label="Account"/>
            <Text name="from" label="Created from" kind="date"/>
            <Text name="to" label="to" kind="date"/>
        </form>
        <Listing of=credits about=ABOUT row/>
    }
}

fn row(credit: Credit) -> impl IntoView {
    let currency = credit.currency.clone();
    let amount = move |minor: u64| money(minor, &currency);
    let paid = money(credit.paid, &credit.currency);
    let owed = money(owed(&credit), &credit.currency);
    view! {
        <tr>
            <th scope="row"><a href=format!("/credits/{}", credit.id)>{credit.account_id.clone()}</a></th>
            <td><Badge of=credit.status/></td>
            <td><ShareBar credit=credit.clone()/></td>
            <td class="num">{owed}</td>
            <td class="num">{paid}</td>
            <td class="num">{amount(credit.outstanding.get())}</td>
            <td>{credit.next_due_date.map(|date| view! { <On date/> })}</td>
            <td><At at=credit.created_at/></td>
        </tr>
    }
}
