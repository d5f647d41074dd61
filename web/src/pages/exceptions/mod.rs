//! The exceptions: what a person must look at, oldest first, and how each is closed.

mod bulk;
mod remedy;
mod sides;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Exception, ExceptionStatus};
use uuid::Uuid;

use crate::components::allowed::may_operate;
use crate::components::badge::{Badge, Rule};
use crate::components::dialog::Confirm;
use crate::components::filters::{Choice, statuses};
use crate::components::intl::{At, business_date, counted};
use crate::components::labels::{self, KINDS};
use crate::components::listing::{About, Column, Listing};
use crate::components::toast::Toasts;
use crate::data::reading::{self, ExceptionsAsked};
use bulk::Bulk;
use remedy::{Remedies, choosing};
use sides::Sides;

const ABOUT: About = About {
    caption: "Exceptions, open ones first, then oldest first",
    file: "exceptions.csv",
    columns: &[
        Column::text("Kind"),
        Column::text("Status"),
        Column::text("What happened"),
        Column::text("About"),
        Column::text("Opened"),
        Column::text("How it closed"),
    ],
    filters: &["status", "kind"],
    first_use: "No exception was ever opened. They open when the law needs a person.",
};

/// The page.
#[component]
pub fn ExceptionsPage() -> impl IntoView {
    let query = use_query_map();
    let exceptions = reading::exceptions(move || {
        let query = query.get();
        ExceptionsAsked { status: query.get("status"), kind: query.get("kind"), cursor: query.get("cursor") }
    });
    let closing = RwSignal::new(None::<Exception>);
    let age = age();
    let kinds = KINDS.map(|kind| (kind.name(), labels::kind(kind))).to_vec();
    view! {
        <div class="head"><h1>"Exceptions"</h1><Bulk/></div>
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <Choice
                name="status"
                label="Status"
                options=statuses(&[ExceptionStatus::Open, ExceptionStatus::Resolved])
            />
            <Choice name="kind" label="Kind" options=kinds/>
        </form>
        <Listing of=exceptions about=ABOUT row=move |exception| view! { <Row exception closing age/> }/>
        <Resolve closing/>
    }
}

/// For how many days an exception is open, by the last run.
fn age() -> impl Fn(&Exception) -> Option<String> + Copy + Send + Sync + 'static {
    let runs = reading::runs(1, || None);
    move |exception| {
        let today = runs.data()?.data.first()?.business_date;
        let days = u64::try_from(today.days_since(business_date(exception.opened_at))).unwrap_or(0);
        exception.resolution.is_none().then(|| format!("{} open", counted(days, "day", "days")))
    }
}

#[component]
fn Row<A>(exception: Exception, closing: RwSignal<Option<Exception>>, age: A) -> impl IntoView
where
    A: Fn(&Exception) -> Option<String> + Send + 'static,
{
    let may = may_operate();
    let about = match exception.credit_id {
        Some(id) => {
            let account = exception.account_id.clone().unwrap_or_else(|| "credit".to_owned());
            view! { <a href=format!("/credits/{id}?about={}", exception.subject)>{account}</a> }.into_any()
        }
        // A row has no name but a hash, a run is named by its link: neither tells a person more.
        None if exception.run_id.is_some() && exception.subject.parse::<Uuid>().is_ok() => ().into_any(),
        None => view! { <code>{exception.subject.clone()}</code> }.into_any(),
    };
    let run = exception.run_id.map(|run| view! { " "<a href=format!("/runs/{run}")>"run"</a> });
    let closed = match exception.resolution.clone() {
        Some(resolution) => view! {
            {resolution.action}" by "{resolution.actor}", "<At at=resolution.resolved_at/>
            <p class="quiet">{resolution.note}</p>
        }
        .into_any(),
        None => {
            let this = exception.clone();
            let begin = move |_| closing.set(Some(this.clone()));
            may()
                .then(|| view! { <button class="button small" on:click=begin>"Resolve…"</button> })
                .into_any()
        }
    };
    let opened_at = exception.opened_at;
    let detail = exception.detail.clone();
    view! {
        <tr>
            <th scope="row">
                {labels::kind(exception.kind)}" "<Rule rule=exception.kind.rule().to_owned()/>
            </th>
            <td><Badge of=exception.status/></td>
            <td class="wide">{detail}</td>
            <td>{about}{run}</td>
            <td><At at=opened_at/><p class="quiet">{move || age(&exception)}</p></td>
            <td>{closed}</td>
        </tr>
    }
}

/// The dialog that closes one.
#[component]
fn Resolve(closing: RwSignal<Option<Exception>>) -> impl IntoView {
    let toasts: Toasts = expect_context();
    let open = RwSignal::new(false);
    let remedies = Remedies::new();
    Effect::new(move || {
        if let Some(exception) = closing.get() {
            remedies.begin(&exception.actions);
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() {
            closing.set(None);
        }
    });
    let act = move |note: String, key: String| {
        let (exception, remedy) = (closing.get_untracked(), untrack(|| remedies.chosen()));
        async move {
            let (Some(exception), Ok(remedy)) = (exception, remedy) else { return Ok(()) };
            let done = remedy.done();
            remedy.apply(&exception, note, &key).await?;
            toasts.say(format!("{}: {done}", labels::kind(exception.kind)));
            Ok(())
        }
    };
    let wrong = Signal::derive(move || remedies.chosen().is_err());
    view! {
        <Confirm open title="Resolve this exception" verb="Resolve" wrong act>
            {move || closing.get().map(|exception| view! {
                <p><strong>{labels::kind(exception.kind)}</strong>": "{exception.detail.clone()}</p>
                <Sides id=exception.id/>
                {choosing(exception, remedies)}
            })}
        </Confirm>
    }
}
