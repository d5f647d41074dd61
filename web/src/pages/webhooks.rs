//! The webhook endpoints: where events are sent, whether they arrive, and the log of what was sent.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::hooks::use_query_map;
use paydown::api::{EventType, NewWebhookEndpoint, WebhookDelivery, WebhookEndpoint, WebhookStatus};
use uuid::Uuid;

use crate::components::dialog::Removal;
use crate::components::entry::{Entry, Several};
use crate::components::faces::{Shown, Told};
use crate::components::intl::At;
use crate::components::listing::{About, Column, Listing, address};
use crate::components::secret::Secret;
use crate::components::toast::Toasts;
use crate::data::{Failure, actions, reading, refresh};

const ENDPOINTS: About = About {
    caption: "Webhook endpoints, newest first",
    file: "webhook_endpoints.csv",
    columns: &[
        Column::text("Label"),
        Column::text("Address"),
        Column::text("Is told of"),
        Column::text("Stands"),
        Column::number("Waiting"),
        Column::text("Changed"),
        Column::text("Actions"),
    ],
    filters: &[],
    first_use: "No endpoint was made yet: programs may read /v1/events as well.",
};

const LOG: About = About {
    caption: "What was sent, newest first",
    file: "webhook_deliveries.csv",
    columns: &[
        Column::text("Sent"),
        Column::text("Event"),
        Column::text("Credit"),
        Column::number("Attempt"),
        Column::text("Came of it"),
        Column::number("Took"),
        Column::text("Again"),
        Column::text("Actions"),
    ],
    filters: &[],
    first_use: "Nothing was sent yet.",
};

/// The page: all endpoints, or the log of the one that the address names.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    let query = use_query_map();
    let chosen = Memo::new(move |_| query.with(|query| query.get("endpoint")?.parse::<Uuid>().ok()));
    view! {
        <h1>"Webhooks"</h1>
        {move || match chosen.get() {
            Some(id) => view! { <Log id/> }.into_any(),
            None => view! { <Endpoints/> }.into_any(),
        }}
    }
}

#[component]
fn Endpoints() -> impl IntoView {
    let query = use_query_map();
    let endpoints = reading::webhook_endpoints(move || query.with(|query| query.get("cursor")));
    let shown = RwSignal::new(None::<NewWebhookEndpoint>);
    let removing = RwSignal::new(None::<WebhookEndpoint>);
    let hide = Callback::new(move |()| shown.set(None));
    let secret = move |made: NewWebhookEndpoint| {
        let words = "Its webhooks are signed with it; an earlier one signs too for 24 hours.";
        view! { <Secret label=made.kept.label secret=made.secret words hide/> }
    };
    view! {
        <Show when=move || endpoints.data().is_some()><Make shown/></Show>
        <div role="status">{move || shown.get().map(secret)}</div>
        <Listing of=endpoints about=ENDPOINTS row=move |endpoint| view! { <Row endpoint shown removing/> }/>
        <Removal
            of=removing
            title="Remove this endpoint"
            verb="Remove"
            label=|endpoint: &WebhookEndpoint| endpoint.label.clone()
            words="is told nothing from then on. This cannot be undone; to stop for a while, pause it."
            act=|endpoint: WebhookEndpoint| actions::remove_webhook_endpoint(endpoint.id)
        />
    }
}

/// How an endpoint stands, in words.
fn stands(endpoint: &WebhookEndpoint) -> String {
    let why = endpoint.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    match (endpoint.status, endpoint.failing_since) {
        (WebhookStatus::Active, None) => "Active".to_owned(),
        (WebhookStatus::Active, Some(_)) => "Active, and takes nothing".to_owned(),
        (WebhookStatus::Paused, _) => format!("Paused by {}{why}", endpoint.actor),
        (WebhookStatus::Removed, _) => format!("Removed by {}", endpoint.actor),
    }
}

#[component]
fn Row(
    endpoint: WebhookEndpoint,
    shown: RwSignal<Option<NewWebhookEndpoint>>,
    removing: RwSignal<Option<WebhookEndpoint>>,
) -> impl IntoView {
    let link = address();
    let log = link(&[("endpoint", Some(endpoint.id.to_string())), ("cursor", None)]);
    let types: Vec<&str> = endpoint.event_types.iter().map(|of| of.name()).collect();
    let types = if types.is_empty() { "everything".to_owned() } else { types.join(", ") };
    let stands = stands(&endpoint);
    let is_there = endpoint.status != WebhookStatus::Removed;
    let actions = is_there.then(|| view! { <Acts endpoint=endpoint.clone() shown removing/> });
    view! {
        <tr>
            <th scope="row"><a href=log>{endpoint.label}</a></th>
            <td><code>{endpoint.url}</code></td>
            <td>{types}</td>
            <td>{stands}</td>
            <td class="num">{is_there.then_some(endpoint.waiting)}</td>
            <td><At at=endpoint.changed_at/></td>
            <td><div class="actions">{actions}</div></td>
        </tr>
    }
}

/// What can be done to an endpoint.
#[component]
fn Acts(
    endpoint: WebhookEndpoint,
    shown: RwSignal<Option<NewWebhookEndpoint>>,
    removing: RwSignal<Option<WebhookEndpoint>>,
) -> impl IntoView {
    let client: QueryClient = expect_context();
    let toasts: Toasts = expect_context();
    let (id, label) = (endpoint.id, endpoint.label.clone());
    let is_paused = endpoint.status == WebhookStatus::Paused;
    let (act, words) = if is_paused { ("resume", "Resume") } else { ("pause", "Pause") };
    let told = label.clone();
    let turning = Action::new_local(move |(): &()| {
        let told = told.clone();
        async move {
            let done = actions::act_on_webhook(id, act).await;
            refresh(&client);
            toasts.tell(done.map(|()| format!("{told}: {}d.", act)));
        }
    });
    let rotating = Action::new_local(move |(): &()| async move {
        match actions::rotate_webhook_secret(id).await {
            Ok(made) => {
                shown.set(Some(made));
                refresh(&client);
            }
            Err(why) => toasts.tell(Err(why)),
        }
    });
    view! {
        <button
            class="button small"
            aria-label=format!("{words} {label}")
            disabled=move || turning.pending().get()
            on:click=move |_| { turning.dispatch(()); }
        >
            {words}
        </button>
        <button
            class="button small"
            aria-label=format!("New secret of {label}")
            disabled=move || rotating.pending().get()
            on:click=move |_| { rotating.dispatch(()); }
        >
            "New secret"
        </button>
        <button
            class="button small"
            aria-label=format!("Remove {label}…")
            on:click=move |_| removing.set(Some(endpoint.clone()))
        >
            "Remove…"
        </button>
    }
}

/// Makes an endpoint.
#[component]
fn Make(shown: RwSignal<Option<NewWebhookEndpoint>>) -> impl IntoView {
    let client: QueryClient = expect_context();
    let (label, url) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let types = RwSignal::new(Vec::<EventType>::new());
    let failure = RwSignal::new(None::<Failure>);
    let making = Action::new_local(move |(): &()| async move {
        failure.set(None);
        let (url_asked, label_asked) = (url.get_untracked(), label.get_untracked());
        match actions::make_webhook_endpoint(url_asked, types.get_untracked(), label_asked).await {
            Ok(made) => {
                shown.set(Some(made));
                label.set(String::new());
                url.set(String::new());
                refresh(&client);
            }
            Err(why) => failure.set(Some(why)),
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !making.pending().get_untracked() {
            making.dispatch(());
        }
    };
    view! {
        <form class="filters" aria-label="Make a webhook endpoint" on:submit=submit>
            <Entry label="Label of a new endpoint" value=label required=100/>
            <Entry label="Its address" value=url kind="url" required=2000/>
            <Several legend="What it is told of; everything if nothing is chosen" all=EventType::ALL.to_vec() chosen=types words=|of| of.name()/>
            <button type="submit" class="button primary" disabled=move || making.pending().get()>
                "Make an endpoint"
            </button>
        </form>
        <div role="alert">
            {move || failure.get().map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> })}
        </div>
    }
}

/// The log of an endpoint.
#[component]
fn Log(id: Uuid) -> impl IntoView {
    let query = use_query_map();
    let endpoint = reading::webhook_endpoint(id);
    let deliveries = reading::webhook_deliveries(id, move || query.with(|query| query.get("cursor")));
    view! {
        <p><a href="/webhooks">"All endpoints"</a></p>
        <Shown of=endpoint skeleton="skeleton-line" let:endpoint>
            <p>
                <strong>{move || endpoint.with(|endpoint| endpoint.label.clone())}</strong>
                " · "
                <code>{move || endpoint.with(|endpoint| endpoint.url.clone())}</code>
                " · "
                {move || endpoint.with(|endpoint| stands(endpoint))}
                " · "
                {move || endpoint.with(|endpoint| format!("{} waiting", endpoint.waiting))}
            </p>
        </Shown>
        <Listing of=deliveries about=LOG row=move |delivery| view! { <Sent id delivery/> }/>
    }
}

#[component]
fn Sent(id: Uuid, delivery: WebhookDelivery) -> impl IntoView {
    let client: QueryClient = expect_context();
    let toasts: Toasts = expect_context();
    let (event_id, event) = (delivery.event_id, delivery.event_type.name());
    let resending = Action::new_local(move |(): &()| async move {
        let sent = actions::resend_webhook(id, event_id).await;
        refresh(&client);
        toasts.tell(sent.map(|sent| match sent.why {
            None => format!("{event} was taken."),
            Some(why) => format!("{event} was not taken: {why}."),
        }));
    });
    let credit = delivery
        .credit_id
        .map(|credit| view! { <a href=format!("/credits/{credit}")>{credit.to_string()}</a> });
    let came = match &delivery.why {
        None => format!("Taken, HTTP {}", delivery.status.unwrap_or_default()),
        Some(why) => format!("Not taken: {why}"),
    };
    let by = delivery.resent_by.map(|who| format!(", sent by {who}")).unwrap_or_default();
    view! {
        <tr>
            <th scope="row"><At at=delivery.at/></th>
            <td>{event}</td>
            <td>{credit}</td>
            <td class="num">{delivery.attempt}</td>
            <td>{came}{by}</td>
            <td class="num">{format!("{} ms", delivery.milliseconds)}</td>
            <td>{delivery.next_attempt_at.map(|at| view! { <At at/> })}</td>
            <td>
                <button
                    class="button small"
                    aria-label=format!("Send {event} again")
                    disabled=move || resending.pending().get()
                    on:click=move |_| { resending.dispatch(()); }
                >
                    "Send again"
                </button>
            </td>
        </tr>
    }
}
