//! Light, dark, or as the system says. The choice is kept in this browser.

use leptos::prelude::*;

const KEY: &str = "theme";

/// The colours that a person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];

    const fn name(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    fn named(name: &str) -> Theme {
        Theme::ALL.into_iter().find(|theme| theme.name() == name).unwrap_or(Theme::System)
    }
}

/// The choice between them.
#[component]
pub fn ThemeChoice() -> impl IntoView {
    let kept = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    let theme = RwSignal::new(kept.map_or(Theme::System, |name| Theme::named(&name)));
    Effect::new(move || apply(theme.get()));
    let options = Theme::ALL.into_iter().map(|option| {
        view! {
            <option value=option.name() prop:selected=move || theme.get() == option>{option.name()}</option>
        }
    });
    view! {
        <label class="field field-row">
            <span>"Theme"</span>
            <select on:change=move |event| theme.set(Theme::named(&event_target_value(&event)))>
                {options.collect_view()}
            </select>
        </label>
    }
}

/// Puts it on the page, where the tokens look for it, and keeps it.
fn apply(theme: Theme) {
    if let Some(root) = document().document_element() {
        // Both fail only in browsers that forbid storage; the choice then lasts as long as the page.
        let _ = root.set_attribute("data-theme", theme.name());
        let _ = storage().map(|storage| storage.set_item(KEY, theme.name()));
    }
}

fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
