//! Keys that lead somewhere, and the help that lists them. They can be switched off, and are silent while a person
//! types or a dialog is open.

use leptos::ev::{self, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;

/// The pages: their addresses, their names, and the letters that lead to them after a `g`.
pub const PAGES: [(&str, &str, &str); 9] = [
    ("/", "Overview", "o"),
    ("/credits", "Credits", "c"),
    ("/debits", "Debits", "d"),
    ("/runs", "Reconciliation", "r"),
    ("/exceptions", "Exceptions", "e"),
    ("/simulator", "Simulator", "s"),
    ("/keys", "Keys", "k"),
    ("/webhooks", "Webhooks", "w"),
    ("/settings", "Settings", "t"),
];

const KEPT: &str = "shortcuts";

/// The help, its button, and the keys themselves.
#[component]
pub fn Shortcuts() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let storage = || window().local_storage().ok().flatten();
    let is_off =
        storage().and_then(|storage| storage.get_item(KEPT).ok().flatten()).as_deref() == Some("off");
    let is_on = RwSignal::new(!is_off);
    let open = move || {
        if let Some(dialog) = dialog.get_untracked().filter(|dialog| !dialog.open()) {
            // It fails only where the element is not in the page; it is.
            let _ = dialog.show_modal();
        }
    };
    let switch = move |event| {
        is_on.set(event_target_checked(&event));
        // It fails only in browsers that forbid storage; the choice then lasts as long as the page.
        let _ =
            storage().map(|storage| storage.set_item(KEPT, if is_on.get_untracked() { "on" } else { "off" }));
    };
    listen(is_on, open);
    let rows = PAGES.map(|(_, name, letter)| (format!("g {letter}"), format!("goes to {name}")));
    let rows = [
        ("Ctrl K", "searches, always"),
        ("/", "searches"),
        ("?", "opens this help"),
        ("Esc", "closes what is open"),
    ]
    .map(|(keys, words)| (keys.to_owned(), words.to_owned()))
    .into_iter()
    .chain(rows)
    .map(|(keys, words)| view! { <li><kbd>{keys}</kbd>" "{words}</li> });
    view! {
        <button class="button small" on:click=move |_| open()>"Shortcuts"</button>
        <dialog node_ref=dialog class="dialog" aria-label="Shortcuts">
            <form method="dialog">
                <h2>"Shortcuts"</h2>
                <ul class="keys">{rows.collect_view()}</ul>
                <label class="field field-row">
                    <input type="checkbox" prop:checked=move || is_on.get() on:change=switch/>
                    "Single keys lead somewhere"
                </label>
                <div class="actions"><button class="button">"Close"</button></div>
            </form>
        </dialog>
    }
}

/// Whether keys are for a field or for what is open over the page.
pub fn is_taken(event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let is_field =
        element.is_some_and(|element| element.closest("input, textarea, select").ok().flatten().is_some());
    is_field || document().query_selector("dialog[open]").ok().flatten().is_some()
}

/// Whether single keys lead somewhere, as the help says.
pub fn are_on() -> bool {
    let kept =
        window().local_storage().ok().flatten().and_then(|storage| storage.get_item(KEPT).ok().flatten());
    kept.as_deref() != Some("off")
}

fn listen(is_on: RwSignal<bool>, help: impl Fn() + 'static) {
    let navigate = use_navigate();
    let is_after_g = StoredValue::new(false);
    let listening = window_event_listener(ev::keydown, move |event| {
        let was_after_g = is_after_g.get_value();
        is_after_g.set_value(false);
        if !is_on.get_untracked()
            || event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || is_taken(&event)
        {
            return;
        }
        let key = event.key();
        if was_after_g {
            if let Some((path, ..)) = PAGES.iter().find(|(.., letter)| *letter == key) {
                event.prevent_default();
                navigate(path, leptos_router::NavigateOptions::default());
            }
            return;
        }
        match key.as_str() {
            "g" => is_after_g.set_value(true),
            "?" => {
                event.prevent_default();
                help();
            }
            _ => {}
        }
    });
    on_cleanup(move || listening.remove());
}
