//! An entry of a form, with its label.

use leptos::prelude::*;

/// What is entered, as it is entered.
#[component]
pub fn Entry(
    /// What it is called.
    label: &'static str,
    /// What is entered.
    value: RwSignal<String>,
    /// `text`, `url`, `date` or `number`.
    #[prop(default = "text")]
    kind: &'static str,
    /// The most characters of what must be entered.
    #[prop(optional)]
    required: Option<u32>,
) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type=kind
                required=required.is_some()
                maxlength=required
                autocomplete="off"
                prop:value=move || value.get()
                on:input=move |event| value.set(event_target_value(&event))
            />
        </label>
    }
}

/// Some of some values, each with a box to tick.
#[component]
pub fn Several<T>(
    /// What they are for.
    legend: &'static str,
    /// The values that there are.
    all: Vec<T>,
    /// The values that are chosen.
    chosen: RwSignal<Vec<T>>,
    /// How a value is called.
    words: fn(T) -> &'static str,
) -> impl IntoView
where
    T: Copy + PartialEq + Send + Sync + 'static,
{
    let choice = move |value: T| {
        let choose = move |event| {
            chosen.update(|chosen| {
                chosen.retain(|other| *other != value);
                if event_target_checked(&event) {
                    chosen.push(value);
                }
            });
        };
        let is_chosen = move || chosen.with(|chosen| chosen.contains(&value));
        view! {
            <label class="field field-row">
                <input type="checkbox" prop:checked=is_chosen on:change=choose/>
                {words(value)}
            </label>
        }
    };
    view! {
        <fieldset class="several">
            <legend class="quiet">{legend}</legend>
            {all.into_iter().map(choice).collect_view()}
        </fieldset>
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
