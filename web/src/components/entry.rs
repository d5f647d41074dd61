//! An entry of a form, with its label.

use leptos::prelude::*;

/// What is entered, as it is entered.
#[component]
pub fn Entry(
    /// What it is called.
    label: &'static str,
    /// What is entered.
    value: RwSignal<String>,
    /// `text`, `date` or `number`.
    #[prop(default = "text")]
    kind: &'static str,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type=kind
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
        </label>
    }
}

/// One of some values.
#[component]
pub fn Pick(
    /// What it is called.
    label: &'static str,
    /// The value that is chosen.
    value: RwSignal<String>,
    /// The values and how they are called.
    options: Vec<(String, String)>,
) -> impl IntoView {
    let option = move |(name, words): (String, String)| {
        let chosen = name.clone();
        view! { <option value=name prop:selected=move || value.with(|value| *value == chosen)>{words}</option> }
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <select on:change=move |event| value.set(event_target_value(&event))>
                {options.into_iter().map(option).collect_view()}
            </select>
        </label>
    }
}
