//! Many exceptions of a kind resolved at once: how many is said first, and typed before it is done.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Exception, ResolutionAction, ResolutionsRequest};
use paydown::credit::Kind;
use paydown::id::RunId;

use super::remedy::{Chosen, Remedies, choice};
use crate::components::allowed::may_operate;
use crate::components::dialog::Confirm;
use crate::components::entry::Pick;
use crate::components::intl::{business_date, counted, date, number};
use crate::components::labels::{self, KINDS};
use crate::components::toast::Toasts;
use crate::data::{Answer, actions, reading};

/// What is chosen so far.
#[derive(Clone, Copy)]
struct Many {
    open: RwSignal<bool>,
    kind: RwSignal<Option<Kind>>,
    /// All open ones of the kind, once they are counted.
    found: RwSignal<Option<Vec<Exception>>>,
    /// The run that opened them; of all runs when empty.
    run: RwSignal<String>,
    remedies: Remedies,
    typed: RwSignal<String>,
    /// How many are resolved while it is being done.
    resolved: RwSignal<Option<u64>>,
}

impl Many {
    /// So many would be resolved: those of the run for which what is chosen makes sense.
    fn count(self) -> u64 {
        let (run, chosen) = (self.run.get(), self.remedies.chosen());
        let Ok(Chosen::Resolve { action, .. }) = chosen else { return 0 };
        let is_meant = |exception: &&Exception| {
            exception.actions.contains(&action)
                && (run.is_empty() || exception.run_id.is_some_and(|id| id.to_string() == run))
        };
        let count = self.found.with(|found| found.iter().flatten().filter(is_meant).count());
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    fn is_confirmed(self) -> bool {
        let count = self.count();
        count > 0 && self.typed.get().trim() == count.to_string() && self.remedies.chosen().is_ok()
    }

    /// Counts them anew, and forgets what was chosen before.
    fn begin(self, kind: Kind, toasts: Toasts) {
        self.kind.set(Some(kind));
        self.found.set(None);
        self.run.set(String::new());
        self.typed.set(String::new());
        self.resolved.set(None);
        self.remedies.begin(&[]);
        self.open.set(true);
        leptos::task::spawn_local(async move {
            let found = reading::open_of_kind(kind).await;
            if self.kind.get_untracked() != Some(kind) {
                // Another kind was chosen meanwhile.
                return;
            }
            match found {
                Ok(found) => {
                    self.remedies.begin(&actions_of(&found));
                    self.found.set(Some(found));
                }
                Err(why) => {
                    self.open.set(false);
                    toasts.tell(Err(why));
                }
            }
        });
    }

    /// Asks until nothing more is resolved: one request does only so many.
    async fn resolve(self, asked: ResolutionsRequest) -> Answer<(u64, u64)> {
        let (mut resolved, mut left_before) = (0_u64, u64::MAX);
        loop {
            self.resolved.set(Some(resolved));
            let answer = actions::resolve_many(&asked).await?;
            resolved = resolved.saturating_add(answer.resolved);
            if answer.left == 0 || answer.left >= left_before {
                return Ok((resolved, answer.left));
            }
            left_before = answer.left;
        }
    }
}

fn actions_of(found: &[Exception]) -> Vec<ResolutionAction> {
    found.iter().flat_map(|exception| exception.actions.iter().copied()).collect()
}

/// The button, for the kind that the list is filtered by, and the dialog.
#[component]
pub fn Bulk() -> impl IntoView {
    let toasts: Toasts = expect_context();
    let many = Many {
        open: RwSignal::new(false),
        kind: RwSignal::new(None),
        found: RwSignal::new(None),
        run: RwSignal::new(String::new()),
        remedies: Remedies::new(),
        typed: RwSignal::new(String::new()),
        resolved: RwSignal::new(None),
    };
    let query = use_query_map();
    let filtered = Memo::new(move |_| {
        let name = query.with(|query| query.get("kind"))?;
        KINDS.into_iter().find(|kind| kind.name() == name)
    });
    let begin = move |_| {
        if let Some(kind) = filtered.get_untracked() {
            many.begin(kind, toasts);
        }
    };
    let act = move |note: String, _: String| {
        let (kind, run) = (many.kind.get_untracked(), many.run.get_untracked());
        let chosen = untrack(|| many.remedies.chosen());
        async move {
            let (Some(kind), Ok(Chosen::Resolve { action, status, code })) = (kind, chosen) else {
                return Ok(());
            };
            let run_id: Option<RunId> = run.parse().ok();
            let asked = ResolutionsRequest { kind, run_id, action, status, code, note };
            let (resolved, left) = many.resolve(asked).await?;
            let resolved = counted(resolved, "exception", "exceptions");
            toasts.say(format!("{}: {resolved} resolved, {} left.", labels::kind(kind), number(left)));
            Ok(())
        }
    };
    let may = may_operate();
    let verb = Signal::derive(move || format!("Resolve {}", number(many.count())));
    view! {
        {move || (may() && filtered.get().is_some()).then(|| view! {
            <button class="button" on:click=begin>"Resolve all of this kind…"</button>
        })}
        <Confirm
            open=many.open
            title="Resolve many at once"
            verb
            wrong=Signal::derive(move || !many.is_confirmed())
            act
        >
            {move || match many.found.get() {
                Some(found) => choosing(many, &found),
                None => view! { <p role="status">"Counting…"</p> }.into_any(),
            }}
        </Confirm>
    }
}

/// What to do about those that were found, and their count, which is to be typed.
fn choosing(many: Many, found: &[Exception]) -> AnyView {
    let kind = many.kind.get_untracked().map_or("", labels::kind);
    let progress = move || {
        let resolved = many.resolved.get()?;
        Some(format!("{} of {} resolved", number(resolved), number(many.count())))
    };
    view! {
        <p><strong>{kind}</strong></p>
        <Pick label="Opened by" value=many.run options=runs_of(found)/>
        {choice(&actions_of(found), false, many.remedies)}
        <p>{move || match many.count() {
            0 => "None of them can be resolved so.".to_owned(),
            count => format!("{} would be resolved; those that another action resolves are left.",
                counted(count, "exception", "exceptions")),
        }}</p>
        <label class="field">
            <span>{move || format!("Type {} to confirm", many.count())}</span>
            <input
                type="text"
                inputmode="numeric"
                autocomplete="off"
                prop:value=move || many.typed.get()
                on:input=move |event| many.typed.set(event_target_value(&event))
            />
        </label>
        <p role="status">{progress}</p>
    }
    .into_any()
}

/// The runs that opened them, by date, with how many each.
fn runs_of(found: &[Exception]) -> Vec<(String, String)> {
    let mut runs: Vec<(String, String, u64)> = Vec::new();
    for exception in found {
        let Some(id) = exception.run_id.map(|id| id.to_string()) else { continue };
        match runs.iter_mut().find(|(run, ..)| *run == id) {
            Some((.., count)) => *count = count.saturating_add(1),
            None => runs.push((id, date(business_date(exception.opened_at)), 1)),
        }
    }
    let all = (String::new(), "all runs, and people".to_owned());
    let runs = runs.into_iter().map(|(id, on, count)| (id, format!("the run of {on} ({})", number(count))));
    std::iter::once(all).chain(runs).collect()
}
