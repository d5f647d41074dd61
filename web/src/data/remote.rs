//! Something that the server knows, as this page knows it: loading, there, stale, or failed.
//!
//! The cache holds the texts of the answers by path; each page reads its shape out of the text. An answer that
//! says the same as the one before changes nothing on the screen.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use leptos_fetch::{QueryClient, QueryOptions, QueryScopeLocal};
use serde::de::DeserializeOwned;

use super::{Answer, Failure, request};
use crate::clock;

/// What is on the screen is asked for again after so long, while the page is visible.
const REFRESH: Duration = Duration::from_secs(15);

/// What was on the screen is kept so long for coming back to it.
const KEEP: Duration = Duration::from_secs(300);

/// Where the server says who is logged in.
pub const SESSION: &str = "/v1/session";

/// An answer and the path it is to.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    path: String,
    text: Answer<Arc<str>>,
}

thread_local! {
    /// When each path was last read, in milliseconds of the browser's clock.
    static READ: RefCell<HashMap<String, f64>> = RefCell::default();
    /// The paths of what is on the screen.
    static ON_SCREEN: RefCell<Vec<Memo<String>>> = const { RefCell::new(Vec::new()) };
    /// How often something was done since the page was loaded.
    static DONE: Cell<u32> = const { Cell::new(0) };
}

async fn ask(path: String) -> Told {
    let text = request::get(&path).await;
    if text.is_ok() {
        READ.with_borrow_mut(|read| read.insert(path.clone(), clock::now()));
    }
    Told { path, text }
}

/// Something that the server knows.
pub struct Remote<T: Send + Sync + 'static> {
    path: Memo<String>,
    known: Memo<Known<T>>,
}

impl<T: Send + Sync> Clone for Remote<T> {
    fn clone(&self) -> Remote<T> {
        *self
    }
}

impl<T: Send + Sync> Copy for Remote<T> {}

/// What is known of it by now.
struct Known<T> {
    /// The last good answer, and the path it is to.
    shown: Option<(String, Arc<T>)>,
    /// Why there is none, or none that is newer.
    failure: Option<Failure>,
}

impl<T> PartialEq for Known<T> {
    fn eq(&self, other: &Known<T>) -> bool {
        let same = match (&self.shown, &other.shown) {
            (Some((path, data)), Some((other_path, other_data))) => {
                path == other_path && Arc::ptr_eq(data, other_data)
            }
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same && self.failure == other.failure
    }
}

/// Which face something shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Face {
    /// Nothing is known yet.
    Loading,
    /// Nothing is known, and this is why.
    Failed(Failure),
    /// Something is known.
    Shown,
}

/// What a path leads to, for as long as the component lives that asks.
pub fn remote<T>(path: impl Fn() -> String + Send + Sync + 'static) -> Remote<T>
where
    T: DeserializeOwned + PartialEq + Send + Sync + 'static,
{
    let path = path_of(Box::new(path));
    let told = told(path);
    let known = Memo::new(move |before: Option<&Known<T>>| known_after(before, told.get(), &path.get()));
    Remote { path, known }
}

/// Not generic, as the next one: what is asked differs, how it is asked does not, and the code is there once.
fn path_of(path: Box<dyn Fn() -> String + Send + Sync>) -> Memo<String> {
    let path = Memo::new(move |_| path());
    ON_SCREEN.with_borrow_mut(|shown| shown.push(path));
    on_cleanup(move || ON_SCREEN.with_borrow_mut(|shown| shown.retain(|other| *other != path)));
    path
}

/// How many seconds ago the oldest of what is on the screen was read.
pub fn age_seconds() -> Option<u64> {
    let paths: Vec<String> =
        ON_SCREEN.with_borrow(|shown| shown.iter().filter_map(Memo::try_get_untracked).collect());
    let oldest = READ
        .with_borrow(|read| paths.iter().filter_map(|path| read.get(path).copied()).min_by(f64::total_cmp))?;
    // Never negative, and whole seconds of any session fit.
    Some(((clock::now() - oldest) / 1000.0).max(0.0) as u64)
}

/// How often something was done: what comes after that is wanted on the screen at once.
pub fn done() -> u32 {
    DONE.get()
}

fn told(path: Memo<String>) -> LocalResource<Told> {
    let client: QueryClient = expect_context();
    client.local_resource(answers(), move || path.get())
}

fn answers() -> QueryScopeLocal<String, Told> {
    let options =
        QueryOptions::new().with_stale_time(REFRESH).with_refetch_interval(REFRESH).with_gc_time(KEEP);
    QueryScopeLocal::new(ask).with_options(options)
}

/// What is known once `told` came, of which only an answer to `path` counts.
fn known_after<T: DeserializeOwned + PartialEq>(
    before: Option<&Known<T>>,
    told: Option<Told>,
    path: &str,
) -> Known<T> {
    let shown = before.and_then(|known| known.shown.clone());
    let Some(told) = told.filter(|told| told.path == path) else {
        return Known { shown, failure: None };
    };
    let parsed = told.text.and_then(|text| request::parse::<T>(&text));
    match (parsed, shown) {
        (Err(failure), shown) => Known { shown, failure: Some(failure) },
        (Ok(data), Some((known_path, known))) if known_path == path && *known == data => {
            Known { shown: Some((known_path, known)), failure: None }
        }
        (Ok(data), _) => Known { shown: Some((told.path, Arc::new(data))), failure: None },
    }
}

impl<T: Send + Sync> Remote<T> {
    /// The face to show. What is known of another path stays until this one's answer is there.
    pub fn face(&self) -> Face {
        let path = self.path.get();
        self.known.with(|known| match (&known.shown, &known.failure) {
            (Some((shown, _)), Some(failure)) if *shown != path => Face::Failed(failure.clone()),
            (Some(_), _) => Face::Shown,
            (None, Some(failure)) => Face::Failed(failure.clone()),
            (None, None) => Face::Loading,
        })
    }

    /// What is known.
    pub fn data(&self) -> Option<Arc<T>> {
        self.known.with(|known| known.shown.as_ref().map(|(_, data)| Arc::clone(data)))
    }

    /// Why nothing is known, or nothing newer than what is shown.
    pub fn failure(&self) -> Option<Failure> {
        self.known.with(|known| known.failure.clone())
    }

    /// Whether what is shown is of another path than the one asked for.
    pub fn is_of_another_path(&self) -> bool {
        let path = self.path.get();
        self.known.with(|known| known.shown.as_ref().is_some_and(|(shown, _)| *shown != path))
    }

    /// Whether it is who is logged in.
    pub fn is_session(&self) -> bool {
        self.path.with_untracked(|path| path == SESSION)
    }

    /// The path that is asked for.
    pub fn path(&self) -> String {
        self.path.get()
    }

    /// Asks again.
    pub fn retry(&self) {
        let client: QueryClient = expect_context();
        client.invalidate_query(answers(), self.path.get_untracked());
    }
}

/// Asks again for all that is on the screen, and forgets what is not: something was done.
pub fn refresh(client: &QueryClient) {
    DONE.set(DONE.get().wrapping_add(1));
    client.invalidate_all_queries();
}

/// Forgets all that was known: somebody else may be logged in now.
pub fn forget(client: &QueryClient) {
    client.clear();
}

/// Asks again who is logged in: the server says that nobody is.
pub fn ask_who() {
    let client: QueryClient = expect_context();
    client.invalidate_query(answers(), SESSION.to_owned());
}
