//! The installation's brake: while a stop is in force every page says so, and from every page it is put on and off.

use leptos::prelude::*;
use paydown::api::Stop;

use crate::components::allowed::may_operate;
use crate::components::dialog::Confirm;
use crate::components::intl::At;
use crate::components::toast::Toasts;
use crate::data::{actions, reading};

/// The button that stops; while a stop is in force, the banner that says so, and starts.
#[component]
pub fn Brake() -> impl IntoView {
    let toasts: Toasts = expect_context();
    let may = may_operate();
    let settings = reading::settings();
    let stop = Memo::new(move |_| settings.data().map(|settings| settings.stop.clone()));
    let open = RwSignal::new(false);
    // What was meant when the dialog opened: it stays so, whatever somebody else does meanwhile.
    let stopping = RwSignal::new(true);
    let begin = move |stops: bool| {
        stopping.set(stops);
        open.set(true);
    };
    let act = move |note: String, _: String| async move {
        let stop = actions::brake(stopping.get_untracked(), note).await?;
        toasts.say(if stop.in_force { STOPPED } else { STARTED }.to_owned());
        Ok(())
    };
    let shown = move || {
        let stop = stop.get()?;
        let stops = !stop.in_force;
        let act = may().then(|| {
            view! { <button class="button small" on:click=move |_| begin(stops)>{if stops { "Stop…" } else { "Start…" }}</button> }
        });
        let reads_only = (!may()).then(|| view! { <span class="quiet">{READS_ONLY}</span> });
        let banner = stop.in_force.then(|| said(stop));
        Some(view! {
            <div class=if stops { "" } else { "stop notice tone-bad" }>{banner}{act}{reads_only}</div>
        })
    };
    let title = Signal::derive(move || {
        if stopping.get() { "Stop the installation" } else { "Start the installation" }.to_owned()
    });
    let verb = Signal::derive(move || if stopping.get() { "Stop" } else { "Start" }.to_owned());
    view! {
        {shown}
        <Confirm open title verb act>
            <p>{move || if stopping.get() { WOULD_STOP } else { WOULD_START }}</p>
        </Confirm>
    }
}

const WOULD_STOP: &str = "No advance, no debit and no refund leaves from then on, also within a run that is under way, until \
    somebody starts again. What was submitted already cannot be taken back. Reports are still read.";
const WOULD_START: &str =
    "Advances and refunds leave again, and so does what is due: with the next run, or now by a run of now.";
const STOPPED: &str = "Stopped. Nothing leaves until somebody starts again.";
const STARTED: &str = "Started. What is due leaves with the next run.";

const READS_ONLY: &str = "This key reads only: to act, its scopes would need operate.";

/// That a stop is in force, since when, by whom and why.
fn said(stop: Stop) -> impl IntoView {
    view! {
        <section aria-label="A stop is in force">
            <p>
                <strong>"Stopped: no money leaves. "</strong>
                "Since "
                {stop.at.map(|at| view! { <At at/> })}
                {stop.actor.map(|actor| format!(", by {actor}"))}
                {stop.note.map(|note| format!(": {note}"))}
            </p>
        </section>
    }
}
