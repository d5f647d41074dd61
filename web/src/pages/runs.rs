//! Reconciliation: the last runs, the days they cover, and how what the processor reported and what we know met.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::hooks::use_query_map;
use paydown::api::{Run, Settings};
use paydown::credit::Kind;

use crate::charts::coverage::Coverage;
use crate::components::allowed::may_operate;
use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::{On, date, money, number};
use crate::components::labels::Labelled;
use crate::components::listing::{About, Column, Listing};
use crate::components::toast::Toasts;
use crate::data::{actions, reading, refresh};

/// How many runs a page has: two months, so that the strip says something.
const PAGE: u32 = 60;

const ABOUT: About = About {
    caption: "Runs",
    file: "runs.csv",
    columns: &[
        Column::text("Date"),
        Column::text("Verdict"),
        Column::number("Report rows"),
        Column::number("Matched"),
        Column::number("Missing"),
        Column::number("Malformed"),
        Column::number("Unknown"),
        Column::number("Issued"),
        Column::number("Exceptions"),
        Column::text("Reasons"),
    ],
    filters: &[],
    first_use: "No run yet: the daily run comes at 06:00 UTC, or now by the button above.",
};

/// The page.
#[component]
pub fn RunsPage() -> impl IntoView {
    let query = use_query_map();
    let runs = reading::runs(PAGE, move || query.with(|query| query.get("cursor")));
    view! {
        <div class="head"><h1>"Reconciliation"</h1><RunNow/></div>
        <p class="quiet">
            "Matched: debits whose word came. Missing: those that timed out for want of one. Unknown: transactions that are nobody's."
        </p>
        <Shown of=runs skeleton="skeleton-line" let:page>
            {move || view! { <Coverage runs=page.get().data.clone()/> }}
        </Shown>
        <Listing of=runs about=ABOUT row/>
    }
}

fn row(run: Run) -> impl IntoView {
    let (counts, amounts) = (run.counts, run.amounts);
    let matched = counts.collected.saturating_add(counts.failed).saturating_add(counts.returned);
    let matched_amount = amounts.collected.saturating_add(amounts.failed).saturating_add(amounts.returned);
    let (rows, malformed) = run.report.as_ref().map(|report| (report.rows, report.malformed)).unzip();
    let exceptions = |kind: Kind| format!("/exceptions?kind={}", kind.name());
    view! {
        <tr>
            <th scope="row"><a href=format!("/runs/{}", run.id)><On date=run.business_date/></a></th>
            <td><Badge of=run.status/></td>
            {counted(rows, None, None)}
            {counted(Some(matched), Some(matched_amount), None)}
            {counted(Some(counts.timed_out), Some(amounts.timed_out), Some("/debits?status=timed_out".to_owned()))}
            {counted(malformed, None, Some(exceptions(Kind::MalformedRow)))}
            {counted(Some(counts.unknown_transactions), None, Some(exceptions(Kind::UnknownTransaction)))}
            {counted(Some(counts.issued), Some(amounts.issued), None)}
            {counted(Some(counts.exceptions), None, None)}
            <td class="wide">{run.reasons.join("; ")}</td>
        </tr>
    }
}

/// How many, what they come to, and the way to them if there are any.
fn counted(count: Option<u64>, amount: Option<i64>, to: Option<String>) -> AnyView {
    let settings: Settings = expect_context();
    let some = count.unwrap_or(0) > 0;
    let figure = count.map(number);
    let figure = match to.filter(|_| some) {
        Some(href) => view! { <a href=href>{figure}</a> }.into_any(),
        None => figure.into_any(),
    };
    let amount = amount.filter(|_| some).map(|amount| money(amount, &settings.currency));
    view! { <td class="num">{figure}{amount.map(|amount| view! { <div class="quiet">{amount}</div> })}</td> }
        .into_any()
}

/// A run of now.
#[component]
fn RunNow() -> impl IntoView {
    let client: QueryClient = expect_context();
    let toasts: Toasts = expect_context();
    let start = Action::new_local(move |(): &()| async move {
        let run = actions::run_now().await;
        refresh(&client);
        toasts.tell(
            run.map(|run| format!("The run of {} is {}.", date(run.business_date), run.status.label())),
        );
    });
    view! {
        <Show when=may_operate()>
            <button class="button" disabled=move || start.pending().get() on:click=move |_| { start.dispatch(()); }>
                "Run now"
            </button>
        </Show>
    }
}
