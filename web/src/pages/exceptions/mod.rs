//! The exceptions: what a person must look at, oldest first, and how each is closed.

mod sides;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Exception, ExceptionStatus, ResolutionAction};
use paydown::decision::Input;
use paydown::observation::Status;

use crate::components::badge::{Badge, Rule};
use crate::components::dialog::Confirm;
use crate::components::filters::{Choice, statuses};
use crate::components::intl::At;
use crate::components::labels::{self, KINDS};
use crate::components::listing::{About, Column, Listing};
use crate::data::actions;
use crate::data::reading::{self, ExceptionsAsked};
use crate::pages::credit::actions::Effects;
use sides::Sides;

const ABOUT: About = About {
    caption: "Exceptions, open ones first, then oldest first",
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
        ExceptionsAsked {
            status: query.get("status"),
            kind: query.get("kind"),
            cursor: query.get("cursor"),
            ..Default::default()
        }
    });
    let closing = RwSignal::new(None::<Exception>);
    let kinds = KINDS.map(|kind| (kind.name(), labels::kind(kind))).to_vec();
    view! {
        <h1>"Exceptions"</h1>
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <Choice
                name="status"
                label="Status"
                options=statuses(&[ExceptionStatus::Open, ExceptionStatus::Resolved])
            />
            <Choice name="kind" label="Kind" options=kinds/>
        </form>
        <Listing of=exceptions about=ABOUT row=move |exception| view! { <Row exception closing/> }/>
        <Resolve closing/>
    }
}

#[component]
fn Row(exception: Exception, closing: RwSignal<Option<Exception>>) -> impl IntoView {
    let about = match exception.credit_id {
        Some(id) => {
            let account = exception.account_id.clone().unwrap_or_else(|| "credit".to_owned());
            view! { <a href=format!("/credits/{id}?about={}", exception.subject)>{account}</a> }.into_any()
        }
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
            view! {
                <button class="button small" on:click=move |_| closing.set(Some(this.clone()))>"Resolve…"</button>
            }
            .into_any()
        }
    };
    view! {
        <tr>
            <th scope="row">
                {labels::kind(exception.kind)}" "<Rule rule=exception.kind.rule().to_owned()/>
            </th>
            <td><Badge of=exception.status/></td>
            <td class="wide">{exception.detail}</td>
            <td>{about}{run}</td>
            <td><At at=exception.opened_at/></td>
            <td>{closed}</td>
        </tr>
    }
}

/// The dialog that closes one.
#[component]
fn Resolve(closing: RwSignal<Option<Exception>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let remedy = RwSignal::new(Remedy::Close);
    Effect::new(move || {
        if let Some(exception) = closing.get() {
            remedy.set(usual(&exception));
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() {
            closing.set(None);
        }
    });
    let act = move |note: String, key: String| {
        let (exception, remedy) = (closing.get_untracked(), remedy.get_untracked());
        async move {
            let Some(exception) = exception else { return Ok(()) };
            let (action, status) = remedy.asked();
            actions::resolve(exception.id, action, status, note, &key).await
        }
    };
    view! {
        <Confirm open title="Resolve this exception" verb="Resolve" act>
            {move || closing.get().map(|exception| view! { <WouldDo exception remedy/> })}
        </Confirm>
    }
}

/// What it is about, what can be done, and what that would do.
#[component]
fn WouldDo(exception: Exception, remedy: RwSignal<Remedy>) -> impl IntoView {
    let id = exception.id;
    let possible: Vec<Remedy> =
        Remedy::ALL.into_iter().filter(|remedy| exception.actions.contains(&remedy.asked().0)).collect();
    let options = possible.iter().copied().map(|option| {
        view! {
            <option value=option.words() prop:selected=move || remedy.get() == option>{option.words()}</option>
        }
    });
    let options = options.collect_view();
    let choose = move |event| {
        let chosen = event_target_value(&event);
        if let Some(chosen) = possible.iter().find(|possible| possible.words() == chosen) {
            remedy.set(*chosen);
        }
    };
    let effects = move || match (remedy.get(), exception.credit_id) {
        (Remedy::Release, Some(credit_id)) => {
            let input = Input::Release { exception_id: Some(id) };
            view! { <Effects credit_id input/> }.into_any()
        }
        (Remedy::Release, None) => view! { <p>"Every credit that it holds is released."</p> }.into_any(),
        (Remedy::Close, _) => {
            view! { <p>"It is closed with your note, and the same words never open it again."</p> }.into_any()
        }
        (Remedy::Succeeded | Remedy::Failed, _) => {
            view! { <p>"It counts from the next run on, as long as the processor itself says nothing."</p> }
                .into_any()
        }
    };
    view! {
        <p><strong>{labels::kind(exception.kind)}</strong>": "{exception.detail}</p>
        <Sides id/>
        <label class="field">
            <span>"What to do"</span>
            <select on:change=choose>
                {options}
            </select>
        </label>
        {effects}
    }
}

/// What an operator can choose to do about an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Release,
    Close,
    Succeeded,
    Failed,
}

impl Remedy {
    const ALL: [Remedy; 4] = [Remedy::Release, Remedy::Close, Remedy::Succeeded, Remedy::Failed];

    /// What is asked of the API.
    const fn asked(self) -> (ResolutionAction, Option<Status>) {
        match self {
            Remedy::Release => (ResolutionAction::Release, None),
            Remedy::Close => (ResolutionAction::Close, None),
            Remedy::Succeeded => (ResolutionAction::Decide, Some(Status::Success)),
            Remedy::Failed => (ResolutionAction::Decide, Some(Status::Failure)),
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Remedy::Release => "release what it holds",
            Remedy::Close => "close it: it holds nothing",
            Remedy::Succeeded => "decide: it succeeded",
            Remedy::Failed => "decide: it failed",
        }
    }
}

/// What is usually done: what holds credits is released, anything else closed.
fn usual(exception: &Exception) -> Remedy {
    let releases = exception.actions.contains(&ResolutionAction::Release);
    if releases { Remedy::Release } else { Remedy::Close }
}
