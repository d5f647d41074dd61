//! Filters of a list. Each is a parameter of the address, so that Back works and a link shows the same.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{query_signal, query_signal_with_options};

use super::labels::Labelled;

/// A parameter of the address, and a way to set it that begins the list anew.
fn parameter(name: &'static str) -> (Memo<Option<String>>, impl Fn(String) + Copy) {
    let options = NavigateOptions { scroll: false, ..NavigateOptions::default() };
    let (value, set_value) = query_signal_with_options::<String>(name, options);
    let (_, set_cursor) = query_signal::<String>("cursor");
    let set = move |text: String| {
        set_cursor.set(None);
        set_value.set(Some(text).filter(|text| !text.is_empty()));
    };
    (value, set)
}

/// One of some values, or any.
#[component]
pub fn Choice(
    /// The parameter.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// The values and how they are called.
    options: Vec<(&'static str, &'static str)>,
) -> impl IntoView {
    let (value, set) = parameter(name);
    let options = options.into_iter().map(|(option, label)| {
        let is_chosen = move || value.with(|value| value.as_deref() == Some(option));
        view! { <option value=option prop:selected=is_chosen>{label}</option> }
    });
    view! {
        <label class="field">
            <span>{label}</span>
            <select on:change=move |event| set(event_target_value(&event))>
                <option value="" prop:selected=move || value.with(Option::is_none)>"any"</option>
                {options.collect_view()}
            </select>
        </label>
    }
}

/// The statuses as the values of a choice.
pub fn statuses<S: Labelled>(all: &[S]) -> Vec<(&'static str, &'static str)> {
    all.iter().map(|status| (status.name(), status.label())).collect()
}

/// A text, which counts when it is entered.
#[component]
pub fn Text(
    /// The parameter.
    name: &'static str,
    /// What it is called.
    label: &'static str,
    /// `search` or `date`.
    #[prop(default = "search")]
    kind: &'static str,
    /// What may be entered.
    #[prop(default = "")]
    hint: &'static str,
) -> impl IntoView {
    let (value, set) = parameter(name);
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type=kind
                placeholder=hint
                prop:value=move || value.get().unwrap_or_default()
                on:change=move |event| set(event_target_value(&event).trim().to_owned())
            />
        </label>
    }
}
