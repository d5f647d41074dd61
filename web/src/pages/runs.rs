//! The runs: their verdicts, the days they cover, what they did.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::hooks::use_query_map;
use paydown::api::Run;

use crate::charts::coverage::Coverage;
use crate::components::allowed::may_operate;
use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::{At, On, date, number};
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
        Column::text("As of"),
        Column::number("Report rows"),
        Column::number("Malformed"),
        Column::number("Collected"),
        Column::number("Failed"),
        Column::number("Replaced"),
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
        <div class="head"><h1>"Runs"</h1><RunNow/></div>
        <Shown of=runs skeleton="skeleton-line" let:page>
            {move || view! { <Coverage runs=page.get().data.clone()/> }}
        </Shown>
        <Listing of=runs about=ABOUT row/>
    }
}

fn row(run: Run) -> impl IntoView {
    let report = run.report.as_ref();
    view! {
        <tr>
            <th scope="row"><a href=format!("/runs/{}", run.id)><On date=run.business_date/></a></th>
            <td><Badge of=run.status/></td>
            <td><At at=run.as_of/></td>
            <td class="num">{report.map(|report| number(report.rows))}</td>
            <td class="num">{report.map(|report| number(report.malformed))}</td>
            <td class="num">{number(run.counts.collected)}</td>
            <td class="num">{number(run.counts.failed)}</td>
            <td class="num">{number(run.counts.replaced)}</td>
            <td class="num">{number(run.counts.issued)}</td>
            <td class="num">{number(run.counts.exceptions)}</td>
            <td>{run.reasons.join("; ")}</td>
        </tr>
    }
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
