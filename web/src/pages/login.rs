//! The login: an API key for a session.

use leptos::prelude::*;
use leptos_fetch::QueryClient;

use crate::components::faces::Told;
use crate::data::{Failure, actions, forget};

/// The page of those who are not logged in.
#[component]
pub fn LoginPage() -> impl IntoView {
    view! {
        <main class="login" id="main">
            <h1 class="brand">"Paydown"</h1>
            <p class="quiet">"Advances out, installments in, every cent accounted for."</p>
            <LoginForm/>
        </main>
    }
}

/// Asks for a key. The address stays, so that whoever logs in is where they wanted to be.
#[component]
fn LoginForm() -> impl IntoView {
    let client: QueryClient = expect_context();
    let key = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let log_in = Action::new_local(move |key: &String| {
        let key = key.clone();
        async move {
            match actions::log_in(key).await {
                Ok(()) => forget(&client),
                Err(why) => failure.set(Some(why)),
            }
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        log_in.dispatch(key.get_untracked().trim().to_owned());
    };
    view! {
        <form class="login-form" on:submit=submit>
            <label class="field">
                <span>"API key"</span>
                <input
                    type="password"
                    name="key"
                    required
                    autocomplete="current-password"
                    prop:value=move || key.get()
                    on:input=move |event| key.set(event_target_value(&event))
                />
            </label>
            <div role="alert">
                {move || failure.get().map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> })}
            </div>
            <button type="submit" class="button primary" disabled=move || log_in.pending().get()>"Log in"</button>
        </form>
    }
}
