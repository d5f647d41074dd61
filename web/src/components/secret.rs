//! A secret that is shown this once.

use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Shows a secret until it is put away.
#[component]
pub fn Secret(
    /// What its owner is called.
    label: String,
    /// The secret.
    secret: String,
    /// What there is to know about it.
    words: &'static str,
    /// Puts it away.
    hide: Callback<()>,
) -> impl IntoView {
    let state = RwSignal::new("Copy");
    let copied = secret.clone();
    let copying = Action::new_local(move |(): &()| {
        let written = window().navigator().clipboard().write_text(&copied);
        async move {
            let is_copied = JsFuture::from(written).await.is_ok();
            state.set(if is_copied { "Copied" } else { "Not copied: mark it by hand" });
        }
    });
    view! {
        <div class="notice tone-attention">
            <p><strong>"The secret of “"{label}"” is shown only now. "</strong>{words}</p>
            <p><code>{secret}</code></p>
            <div class="actions">
                <button class="button small" on:click=move |_| { copying.dispatch(()); }>{state}</button>
                <button class="button small" on:click=move |_| hide.run(())>"It is kept: hide it"</button>
            </div>
        </div>
    }
}
