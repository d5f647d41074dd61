//! The API keys: who may call what. A key's secret is shown once, when it is made.

use leptos::html;
use leptos::prelude::*;
use leptos_fetch::QueryClient;
use leptos_router::hooks::use_query_map;
use paydown::api::{ApiKey, NewApiKey, Scope};
use paydown::date::BusinessDate;
use wasm_bindgen_futures::JsFuture;

use crate::components::faces::Told;
use crate::components::intl::{At, On};
use crate::components::listing::{About, Column, Listing};
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
        <Revoke revoking/>
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
    let choices = Scope::ALL.map(|scope| {
        let choose = move |event| {
            scopes.update(|scopes| {
                scopes.retain(|other| *other != scope);
                if event_target_checked(&event) {
                    scopes.push(scope);
                }
            });
        };
        view! {
            <label class="field field-row">
                <input type="checkbox" prop:checked=move || scopes.get().contains(&scope) on:change=choose/>
                {allows(scope)}
            </label>
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !making.pending().get_untracked() {
            making.dispatch(());
        }
    };
    view! {
        <form class="filters" aria-label="Make a key" on:submit=submit>
            <label class="field">
                <span>"Label of a new key"</span>
                <input
                    required
                    maxlength="100"
                    autocomplete="off"
                    prop:value=move || label.get()
                    on:input=move |event| label.set(event_target_value(&event))
                />
            </label>
            <fieldset class="scopes">
                <legend class="quiet">"What it may do"</legend>
                {choices.collect_view()}
            </fieldset>
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
        <div role="status">{move || made.get().map(|key| view! { <Secret key made/> })}</div>
    }
}

/// The secret of a key, this once.
#[component]
fn Secret(key: NewApiKey, made: RwSignal<Option<NewApiKey>>) -> impl IntoView {
    let words = RwSignal::new("Copy");
    let secret = key.key.clone();
    let copying = Action::new_local(move |(): &()| {
        let written = window().navigator().clipboard().write_text(&secret);
        async move {
            let is_copied = JsFuture::from(written).await.is_ok();
            words.set(if is_copied { "Copied" } else { "Not copied: mark it by hand" });
        }
    });
    view! {
        <div class="notice tone-attention">
            <p>
                <strong>"The secret of “"{key.kept.label}"” is shown only now. "</strong>
                "Keep it where secrets are kept: only its hash is stored here, and nobody can show it again."
            </p>
            <p><code>{key.key}</code></p>
            <div class="actions">
                <button class="button small" on:click=move |_| { copying.dispatch(()); }>{words}</button>
                <button class="button small" on:click=move |_| made.set(None)>"It is kept: hide it"</button>
            </div>
        </div>
    }
}

/// The dialog that revokes one.
#[component]
fn Revoke(revoking: RwSignal<Option<ApiKey>>) -> impl IntoView {
    let client: QueryClient = expect_context();
    let dialog = NodeRef::<html::Dialog>::new();
    let failure = RwSignal::new(None::<Failure>);
    let doing = Action::new_local(move |(): &()| async move {
        let Some(key) = revoking.get_untracked() else { return };
        match actions::revoke_key(key.id).await {
            Ok(()) => {
                refresh(&client);
                revoking.set(None);
            }
            Err(why) => failure.set(Some(why)),
        }
    });
    Effect::new(move || {
        let Some(element) = dialog.get() else { return };
        failure.set(None);
        if revoking.with(Option::is_none) {
            element.close();
        } else if !element.open() {
            // It fails only where the element is not in the page; it is.
            let _ = element.show_modal();
        }
    });
    view! {
        <dialog node_ref=dialog class="dialog" aria-label="Revoke this key" on:close=move |_| revoking.set(None)>
            <h2>"Revoke this key"</h2>
            <p>
                <strong>{move || revoking.get().map(|key| key.label)}</strong>
                " is worth nothing from then on, and neither are the sessions that it opened. This cannot be undone."
            </p>
            <div role="alert">
                {move || failure.get().map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> })}
            </div>
            <div class="actions">
                <button
                    class="button primary"
                    disabled=move || doing.pending().get()
                    on:click=move |_| { doing.dispatch(()); }
                >
                    "Revoke"
                </button>
                <button class="button" on:click=move |_| revoking.set(None)>"Cancel"</button>
            </div>
        </dialog>
    }
}
