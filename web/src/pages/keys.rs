//! The API keys: who may call what. A key's secret is shown once, when it is made.

use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::hooks::use_query_map;
use paydown::api::{ApiKey, NewApiKey, Scope};
use paydown::date::BusinessDate;

use crate::components::dialog::Removal;
use crate::components::entry::{Entry, Several};
use crate::components::faces::Told;
use crate::components::intl::{At, On};
use crate::components::listing::{About, Column, Listing};
use crate::components::secret::Secret;
use crate::data::{Failure, actions, reading, refresh};

const ABOUT: About = About {
    caption: "API keys, newest first",
    file: "keys.csv",
    columns: &[
        Column::text("Label"),
        Column::text("Scopes"),
        Column::text("Created"),
        Column::text("Last used (UTC)"),
        Column::text("Revoked"),
    ],
    filters: &[],
    first_use: "No key was made yet.",
};

/// The page.
#[component]
pub fn KeysPage() -> impl IntoView {
    let query = use_query_map();
    let keys = reading::keys(move || query.with(|query| query.get("cursor")));
    let revoking = RwSignal::new(None::<ApiKey>);
    view! {
        <h1>"Keys"</h1>
        <Show when=move || keys.data().is_some()><Make/></Show>
        <Listing of=keys about=ABOUT row=move |key| view! { <Row key revoking/> }/>
        <Removal
            of=revoking
            title="Revoke this key"
            verb="Revoke"
            label=|key: &ApiKey| key.label.clone()
            words="is worth nothing from then on, and neither are the sessions that it opened. This cannot be undone."
            act=|key: ApiKey| actions::revoke_key(key.id)
        />
    }
}

#[component]
fn Row(key: ApiKey, revoking: RwSignal<Option<ApiKey>>) -> impl IntoView {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    let this = key.clone();
    let end = match key.revoked_at {
        Some(at) => view! { <At at/> }.into_any(),
        None => view! {
            <button
                class="button small"
                aria-label=format!("Revoke {}…", key.label)
                on:click=move |_| revoking.set(Some(this.clone()))
            >
                "Revoke…"
            </button>
        }
        .into_any(),
    };
    view! {
        <tr>
            <th scope="row">{key.label}</th>
            <td>{scopes.join(", ")}</td>
            <td><At at=key.created_at/></td>
            <td>{key.last_used_on.map(|day| view! { <On date=BusinessDate::new(day)/> })}</td>
            <td>{end}</td>
        </tr>
    }
}

/// What a scope allows, in a few words.
const fn allows(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read: to see the book",
        Scope::Advance => "advance: to pay out",
        Scope::Operate => "operate: to act as an operator",
        Scope::Admin => "admin: to make and revoke keys",
    }
}

/// Makes a key, and shows its secret until it is put away.
#[component]
fn Make() -> impl IntoView {
    let client: QueryClient = expect_context();
    let label = RwSignal::new(String::new());
    let scopes = RwSignal::new(vec![Scope::Read]);
    let made = RwSignal::new(None::<NewApiKey>);
    let failure = RwSignal::new(None::<Failure>);
    let making = Action::new_local(move |(): &()| async move {
        failure.set(None);
        match actions::make_key(label.get_untracked(), scopes.get_untracked()).await {
            Ok(key) => {
                made.set(Some(key));
                label.set(String::new());
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
    let hide = Callback::new(move |()| made.set(None));
    let shown = move |made: NewApiKey| {
        let words =
            "Keep it where secrets are kept: only its hash is stored here, and nobody can show it again.";
        view! { <Secret label=made.kept.label secret=made.key words hide/> }
    };
    view! {
        <form class="filters" aria-label="Make a key" on:submit=submit>
            <Entry label="Label of a new key" value=label required=100/>
            <Several legend="What it may do" all=Scope::ALL.to_vec() chosen=scopes words=allows/>
            <button
                type="submit"
                class="button primary"
                disabled=move || making.pending().get() || scopes.with(Vec::is_empty)
            >
                "Make a key"
            </button>
        </form>
        <div role="alert">
            {move || failure.get().map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> })}
        </div>
        <div role="status">{move || made.get().map(shown)}</div>
    }
}
