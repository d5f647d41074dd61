//! What an action did, said in a corner: politely where it was done, and until somebody has seen it where it failed.

use std::time::Duration;

use leptos::prelude::*;

use super::faces::Told;
use crate::data::{Answer, Failure};

/// What was done stays for so long, if nobody takes it away before; the page shows it all the same. A failure stays.
const STAYS: Duration = Duration::from_secs(30);

/// Where it is said.
#[derive(Clone, Copy)]
pub struct Toasts {
    /// What was done, and the how manieth it is.
    done: RwSignal<(u32, Option<String>)>,
    failed: RwSignal<Option<Failure>>,
}

impl Toasts {
    /// Gives the pages a place to say it.
    pub fn provide() {
        provide_context(Toasts { done: RwSignal::new((0, None)), failed: RwSignal::new(None) });
    }

    /// Says what was done.
    pub fn say(self, text: String) {
        self.failed.set(None);
        self.done.update(|(turn, said)| {
            *turn = turn.wrapping_add(1);
            *said = Some(text);
        });
        let (turn, _) = self.done.get_untracked();
        let fade = move || {
            if self.done.with_untracked(|(now, _)| *now == turn) {
                self.done.set((turn, None));
            }
        };
        set_timeout(fade, STAYS);
    }

    /// Says what came of something: the words for it, or why it failed.
    pub fn tell(self, came: Answer<String>) {
        match came {
            Ok(text) => self.say(text),
            Err(failure) => self.failed.set(Some(failure)),
        }
    }
}

/// The corner. It is there before anything is said in it, so that it is heard.
#[component]
pub fn ToastRegion() -> impl IntoView {
    let Toasts { done, failed } = expect_context();
    let said = move || done.with(|(_, said)| said.clone());
    let away = |close: Box<dyn Fn()>| {
        view! { <button class="button small" on:click=move |_| close()>"Dismiss"</button> }
    };
    view! {
        <section class="toasts" aria-label="What was done">
            <div role="status">
                {move || said().map(|text| view! {
                    <div class="toast tone-good"><p>{text}</p>{away(Box::new(move || done.update(|(_, said)| *said = None)))}</div>
                })}
            </div>
            <div role="alert">
                {move || failed.get().map(|failure| view! {
                    <div class="toast tone-bad"><div><Told failure/></div>{away(Box::new(move || failed.set(None)))}</div>
                })}
            </div>
        </section>
    }
}
