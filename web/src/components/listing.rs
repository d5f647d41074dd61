//! A list of the server's as a table: its order and its place are in the address, and the server sorts and pages.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use leptos_router::params::ParamsMap;
use paydown::api::Page;

use super::faces::Shown;
use crate::data::Remote;

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
    view! {
        <Shown of skeleton="skeleton-table" let:page>
            {move || {
                let page = page.get();
                if page.data.is_empty() {
                    view! { <Empty about more=page.next_cursor.clone()/> }.into_any()
                } else {
                    let rows = page.data.iter().cloned().map(row).collect_view();
                    view! {
                        <Table about>{rows}</Table>
                        <Pager next=page.next_cursor.clone()/>
                    }
                    .into_any()
                }
            }}
        </Shown>
    }
}

/// The table itself. It can be scrolled sideways by itself, by the keyboard too.
#[component]
fn Table(about: About, children: Children) -> impl IntoView {
    let heads = about.columns.iter().map(|column| view! { <Head column=*column/> }).collect_view();
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=about.caption>
            <table class="table">
                <caption class="sr-only">{about.caption}</caption>
                <thead><tr>{heads}</tr></thead>
                <tbody>{children()}</tbody>
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
