//! The search over everything: credits by what the server finds, and what the text itself says: an amount, a date,
//! the name of a page.

use std::time::Duration;

use leptos::ev::{self, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use paydown::api::{Credit, Settings};
use paydown::date::BusinessDate;

use super::intl::{date, money};
use super::labels::Labelled;
use super::shortcuts::{PAGES, are_on, is_taken};
use crate::data::query::Path;
use crate::data::{Answer, reading};

/// How long a person pauses before the server is asked.
const PAUSE: Duration = Duration::from_millis(200);

/// How many credits are shown at most; the list has the rest.
const MOST: usize = 8;

/// Something found, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hit {
    words: String,
    about: String,
    path: String,
}

fn hit(words: impl Into<String>, about: impl Into<String>, path: impl Into<String>) -> Hit {
    Hit { words: words.into(), about: about.into(), path: path.into() }
}

/// The button, and the dialog that it opens; so do Ctrl-K and `/`.
#[component]
pub fn Search() -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let is_open = RwSignal::new(false);
    let open = move || {
        if let Some(dialog) = dialog.get_untracked().filter(|dialog| !dialog.open()) {
            is_open.set(true);
            // It fails only where the element is not in the page; it is.
            let _ = dialog.show_modal();
        }
    };
    let listening = window_event_listener(ev::keydown, move |event| {
        let is_ctrl_k = (event.ctrl_key() || event.meta_key()) && event.key().eq_ignore_ascii_case("k");
        let is_slash = event.key() == "/" && !event.ctrl_key() && are_on() && !is_taken(&event);
        let is_free = document().query_selector("dialog[open]").ok().flatten().is_none();
        if is_slash || (is_ctrl_k && is_free) {
            event.prevent_default();
            open();
        }
    });
    on_cleanup(move || listening.remove());
    let close = Callback::new(move |()| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    });
    view! {
        <button class="button small" aria-keyshortcuts="Control+K" on:click=move |_| open()>
            "Search "<kbd aria-hidden="true">"Ctrl K"</kbd>
        </button>
        <dialog node_ref=dialog class="dialog search" aria-label="Search" on:close=move |_| is_open.set(false)>
            {move || is_open.get().then(|| view! { <Box close/> })}
        </dialog>
    }
}

/// The field and what it finds: a combobox with its list, gone through by the arrow keys.
#[component]
fn Box(close: Callback<()>) -> impl IntoView {
    let settings: Settings = expect_context();
    let currency = settings.currency;
    let (text, asked) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let active = RwSignal::new(0_usize);
    let found = LocalResource::new({
        let currency = currency.clone();
        move || {
            let (asked, currency) = (asked.get(), currency.clone());
            async move {
                let found = ask(&asked, &currency).await;
                (asked, found)
            }
        }
    });
    let mut ask_later = debounce(PAUSE, move |now: String| asked.set(now));
    let input = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(input) = input.get() {
            // What is in the page and shown can be focused.
            let _ = input.focus();
        }
    });
    // Only an answer to the text as it is counts.
    let answer =
        move || found.get().filter(|(asked, _)| *asked == text.read().trim()).map(|(_, found)| found);
    let hits = Memo::new(move |_| {
        let text = text.get().trim().to_owned();
        let (first, last) = told_by(&text);
        let of_server = answer().and_then(Result::ok).unwrap_or_default();
        [first, of_server.hits, last].concat()
    });
    let navigate = use_navigate();
    let go = Callback::new(move |path: String| {
        close.run(());
        navigate(&path, NavigateOptions::default());
    });
    let pressed = move |event: KeyboardEvent| {
        let count = hits.with(Vec::len);
        match event.key().as_str() {
            "ArrowDown" => {
                active.update(|place| *place = place.saturating_add(1).min(count.saturating_sub(1)))
            }
            "ArrowUp" => active.update(|place| *place = place.saturating_sub(1)),
            "Enter" => {
                let path = hits.with(|hits| hits.get(active.get_untracked()).map(|hit| hit.path.clone()));
                path.into_iter().for_each(|path| go.run(path));
            }
            _ => return,
        }
        event.prevent_default();
    };
    let options = move || {
        let option = |(place, hit): (usize, Hit)| {
            let path = hit.path;
            view! {
                <li
                    role="option"
                    id=format!("hit-{place}")
                    aria-selected=move || (active.get() == place).to_string()
                    on:click=move |_| go.run(path.clone())
                >
                    {hit.words}" "<span class="quiet">{hit.about}</span>
                </li>
            }
        };
        hits.get().into_iter().enumerate().map(option).collect_view()
    };
    let said = move || match (text.read().trim().is_empty(), answer()) {
        (true, _) => {
            "An id, an account, a transaction, an idempotency key, an amount, a date, a page".to_owned()
        }
        (false, None) => "Searching…".to_owned(),
        (false, Some(Ok(found))) => {
            let more = if found.is_more { ", and more in the list" } else { "" };
            format!("{} found{more}", hits.with(Vec::len).saturating_sub(1))
        }
        (false, Some(Err(failure))) => format!("{}: {}", failure.title, failure.detail),
    };
    view! {
        <label class="field">
            <span>"Search"</span>
            <input
                node_ref=input
                type="text"
                role="combobox"
                autocomplete="off"
                aria-autocomplete="list"
                aria-controls="hits"
                aria-expanded=move || (!hits.with(Vec::is_empty)).to_string()
                aria-activedescendant=move || (!hits.with(Vec::is_empty)).then(|| format!("hit-{}", active.get()))
                on:keydown=pressed
                on:input=move |event| {
                    let now = event_target_value(&event);
                    active.set(0);
                    ask_later(now.trim().to_owned());
                    text.set(now);
                }
            />
        </label>
        <p class="quiet" role="status">{said}</p>
        <ul id="hits" role="listbox" aria-label="Found" class="hits" hidden=move || hits.with(Vec::is_empty)>
            {options}
        </ul>
    }
}

/// What the text says without the server: what comes first, and the list that has all the rest.
fn told_by(text: &str) -> (Vec<Hit>, Vec<Hit>) {
    if text.is_empty() {
        return (vec![], vec![]);
    }
    let lower = text.to_lowercase();
    let pages = PAGES.iter().filter(|(_, name, _)| name.to_lowercase().starts_with(&lower));
    let mut first: Vec<Hit> = pages.map(|(path, name, _)| hit(*name, "page", *path)).collect();
    if let Ok(day) = text.parse::<BusinessDate>() {
        first.push(hit(format!("Debits due {}", date(day)), "list", format!("/debits?from={day}&to={day}")));
        first.push(hit(
            format!("Credits created {}", date(day)),
            "list",
            format!("/credits?from={day}&to={day}"),
        ));
    }
    let path = Path::new("/credits").with("q", Some(text)).text();
    (first, vec![hit(format!("All credits with “{text}”"), "list", path)])
}

/// What the server found, and whether there may be more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Found {
    hits: Vec<Hit>,
    is_more: bool,
}

/// What the server finds.
async fn ask(text: &str, currency: &str) -> Answer<Found> {
    if text.is_empty() {
        return Ok(Found::default());
    }
    let mut hits = Vec::new();
    if let Ok(day) = text.parse::<BusinessDate>() {
        let runs = reading::latest_runs().await?.data;
        let of_day = runs.iter().filter(|run| run.business_date == day);
        hits.extend(of_day.map(|run| {
            hit(format!("Run of {}", date(day)), run.status.label(), format!("/runs/{}", run.id))
        }));
    }
    let found = reading::find(text, MOST).await?;
    hits.extend(found.data.iter().map(|credit| shown(credit, currency)));
    Ok(Found { hits, is_more: found.next_cursor.is_some() })
}

fn shown(credit: &Credit, currency: &str) -> Hit {
    let about = format!("{}, {}", money(credit.amount.get(), currency), credit.status.label());
    hit(credit.account_id.clone(), about, format!("/credits/{}", credit.id))
}
