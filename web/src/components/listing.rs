//! A list of the server's as a table: its order and its place are in the address, and the server sorts and pages.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use leptos_router::params::ParamsMap;
use paydown::api::Page;

use super::download::Download;
use super::faces::Shown;
use crate::data::Remote;
use crate::data::remote::done;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    title: &'static str,
    is_number: bool,
    sort: Option<&'static str>,
}

impl Column {
    /// A column of words.
    pub const fn text(title: &'static str) -> Column {
        Column { title, is_number: false, sort: None }
    }

    /// A column of figures, which stand one under the other.
    pub const fn number(title: &'static str) -> Column {
        Column { title, is_number: true, sort: None }
    }

    /// A column that the server sorts by, under this name; descending unless asked otherwise.
    pub const fn sorted(title: &'static str, sort: &'static str) -> Column {
        Column { title, is_number: false, sort: Some(sort) }
    }
}

/// What a list says of itself.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// What the table holds, for those who hear it.
    pub caption: &'static str,
    /// What its file is called.
    pub file: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// The parameters of the address that filter it.
    pub filters: &'static [&'static str],
    /// What to say when there is nothing at all yet.
    pub first_use: &'static str,
}

/// A page of a list.
#[component]
pub fn Listing<T, R, V>(
    /// What the server says.
    of: Remote<Page<T>>,
    /// What the list says of itself.
    about: About,
    /// A row, as a `<tr>`.
    row: R,
) -> impl IntoView
where
    T: Clone + PartialEq + Send + Sync + 'static,
    R: Fn(T) -> V + Copy + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let inside = Inside { pointer: RwSignal::new(false), focus: RwSignal::new(false) };
    let show = move |page: Signal<Arc<Page<T>>>| {
        let shown = steady(of, page, inside);
        let waits = move || !shown.with(|shown| Arc::ptr_eq(&shown.page, &page.get()));
        let rows = move || {
            let page = shown.with(|shown| Arc::clone(&shown.page));
            // The rows are others from now on: nobody is in them yet.
            inside.nobody();
            if page.data.is_empty() {
                return view! { <Empty about more=page.next_cursor.clone()/> }.into_any();
            }
            let rows = page.data.iter().cloned().map(row).collect_view().into_any();
            view! {
                <Table about inside rows/>
                <Pager next=page.next_cursor.clone()/>
            }
            .into_any()
        };
        view! {
            <Bar waits=Signal::derive(waits) path=Callback::new(move |()| of.path()) name=about.file/>
            {rows}
        }
        .into_any()
    };
    view! {
        <Shown of skeleton="skeleton-table" let:page>
            {show(page)}
        </Shown>
    }
}

/// Above the table: whether newer rows wait, and the whole list as a file.
#[component]
fn Bar(waits: Signal<bool>, path: Callback<(), String>, name: &'static str) -> impl IntoView {
    view! {
        <div class="list-bar">
            <p class="quiet" role="status">
                {move || waits.get().then_some("Newer rows wait until you leave the table.")}
            </p>
            <Download path name/>
        </div>
    }
}

/// Whether somebody is among the rows, with the pointer or with the keyboard.
#[derive(Clone, Copy)]
struct Inside {
    pointer: RwSignal<bool>,
    focus: RwSignal<bool>,
}

impl Inside {
    fn is_anybody(self) -> bool {
        self.pointer.get() || self.focus.get()
    }

    fn nobody(self) {
        for signal in [self.pointer, self.focus] {
            if signal.get_untracked() {
                signal.set(false);
            }
        }
    }
}

/// The page of a list that is on the screen, and what it was shown for.
struct Steady<T> {
    page: Arc<Page<T>>,
    search: String,
    is_of_another_path: bool,
    done: u32,
}

impl<T> PartialEq for Steady<T> {
    fn eq(&self, other: &Steady<T>) -> bool {
        Arc::ptr_eq(&self.page, &other.page)
    }
}

/// Rows never jump under the pointer: while somebody is among them, only what that person asked for changes them,
/// by the address or by something done.
fn steady<T>(of: Remote<Page<T>>, page: Signal<Arc<Page<T>>>, inside: Inside) -> Memo<Steady<T>>
where
    T: PartialEq + Send + Sync + 'static,
{
    let search = use_location().search;
    Memo::new_owning(move |before: Option<Steady<T>>| {
        let (page, search, is_of_another_path) = (page.get(), search.get(), of.is_of_another_path());
        let is_anybody = inside.is_anybody();
        let Some(before) = before else {
            return (Steady { page, search, is_of_another_path, done: done() }, true);
        };
        let asked_for = search != before.search || before.is_of_another_path || done() != before.done;
        if is_anybody && !asked_for {
            return (before, false);
        }
        let is_new = !Arc::ptr_eq(&page, &before.page);
        // What was done shows with the answer that comes after it.
        let done = if is_new { done() } else { before.done };
        (Steady { page, search, is_of_another_path, done }, is_new)
    })
}

/// The table itself. It can be scrolled sideways by itself, by the keyboard too.
#[component]
fn Table(about: About, inside: Inside, rows: AnyView) -> impl IntoView {
    let heads = about.columns.iter().map(|column| view! { <Head column=*column/> }).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=about.caption>
            <table class="table">
                <caption class="sr-only">{about.caption}</caption>
                <thead><tr>{heads}</tr></thead>
                <tbody
                    on:pointerenter=move |_| inside.pointer.set(true)
                    on:pointerleave=move |_| inside.pointer.set(false)
                    on:focusin=move |_| inside.focus.set(true)
                    on:focusout=move |_| inside.focus.set(false)
                >
                    {rows}
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Head(column: Column) -> impl IntoView {
    let class = if column.is_number { "num" } else { "" };
    let Some(name) = column.sort else {
        return view! { <th scope="col" class=class>{column.title}</th> }.into_any();
    };
    let query = use_query_map();
    let is_ascending = move || query.with(|query| query.get_str("sort") == Some(name));
    let link = address();
    let href = move || link(&[("sort", (!is_ascending()).then(|| name.to_owned())), ("cursor", None)]);
    view! {
        <th scope="col" class=class aria-sort=move || if is_ascending() { "ascending" } else { "descending" }>
            <a href=href>
                {column.title}
                <span aria-hidden="true">{move || if is_ascending() { " ↑" } else { " ↓" }}</span>
            </a>
        </th>
    }
    .into_any()
}

/// The way to the next page, and back to the first.
#[component]
fn Pager(next: Option<String>) -> impl IntoView {
    let query = use_query_map();
    let is_first = query.with_untracked(|query| query.get_str("cursor").is_none());
    let link = address();
    if is_first && next.is_none() {
        return ().into_any();
    }
    let first =
        (!is_first).then(|| view! { <a class="button" href=link(&[("cursor", None)])>"First page"</a> });
    let next = match next {
        Some(cursor) => {
            view! { <a class="button" href=link(&[("cursor", Some(cursor))])>"Next page"</a> }.into_any()
        }
        None => view! { <span class="quiet">"That is all."</span> }.into_any(),
    };
    view! { <nav class="pager" aria-label="Pages of the list">{first}{next}</nav> }.into_any()
}

/// Nothing to list: because there is nothing yet, because nothing matches, or because nothing was found so far.
#[component]
fn Empty(about: About, more: Option<String>) -> impl IntoView {
    let query = use_query_map();
    let is_filtered =
        query.with_untracked(|query| about.filters.iter().any(|filter| query.get_str(filter).is_some()));
    let link = address();
    let cleared: Vec<(&str, Option<String>)> =
        about.filters.iter().copied().chain(["cursor"]).map(|filter| (filter, None)).collect();
    let clear = link(&cleared);
    match (more, is_filtered) {
        (Some(cursor), _) => view! {
            <div class="face">
                <p>"Nothing among those looked at so far."</p>
                <a class="button" href=link(&[("cursor", Some(cursor))])>"Look further"</a>
                <a class="button" href=clear>"Clear the filter"</a>
            </div>
        }
        .into_any(),
        (None, true) => view! {
            <div class="face">
                <p>"Nothing matches the filter."</p>
                <a class="button" href=clear>"Clear the filter"</a>
            </div>
        }
        .into_any(),
        (None, false) => view! { <div class="face"><p>{about.first_use}</p></div> }.into_any(),
    }
}

/// The address of this page with some parameters set or, without a value, taken out.
pub fn address() -> impl Fn(&[(&str, Option<String>)]) -> String + Copy + Send + Sync + 'static {
    let location = use_location();
    let (path, query) = (location.pathname, use_query_map());
    move |changes| {
        let mut query: ParamsMap = query.get();
        for (name, value) in changes {
            query.remove(name);
            if let Some(value) = value {
                query.insert((*name).to_owned(), value.clone());
            }
        }
        format!("{}{}", path.get(), query.to_query_string())
    }
}
