//! The browser's own dialog: in one a person confirms what is then done once, in another that something goes for good.

use std::pin::Pin;

use leptos::html;
use leptos::prelude::*;
use leptos_fetch::QueryClient;

use super::faces::Told;
use super::toast::Toasts;
use crate::data::actions::new_key;
use crate::data::{Answer, Failure, refresh};

/// What is being done.
type Doing = Pin<Box<dyn Future<Output = Answer<()>>>>;

/// A dialog that shows what an action would do and asks why, before it is done.
///
/// The idempotency key is made when the dialog opens: a double click, or another try after a lost answer, does the
/// thing once.
#[component]
pub fn Confirm<A, F>(
    /// Whether it is open.
    open: RwSignal<bool>,
    /// What is to be confirmed.
    #[prop(into)]
    title: Signal<String>,
    /// What the button says that does it.
    #[prop(into)]
    verb: Signal<String>,
    /// Whether what was entered so far cannot be sent.
    #[prop(into, optional)]
    wrong: Signal<bool>,
    /// Does it, with the note and the idempotency key.
    act: A,
    /// What it would do.
    children: ChildrenFn,
) -> impl IntoView
where
    A: Fn(String, String) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Answer<()>> + 'static,
{
    // Not generic any more from here on: what is done differs, how it is confirmed does not.
    let act = Callback::new(move |(note, key)| -> Doing { Box::pin(act(note, key)) });
    confirm(open, title, verb, wrong, act, children)
}

fn confirm(
    open: RwSignal<bool>,
    title: Signal<String>,
    verb: Signal<String>,
    wrong: Signal<bool>,
    act: Callback<(String, String), Doing>,
    children: ChildrenFn,
) -> AnyView {
    let dialog = NodeRef::<html::Dialog>::new();
    let note = RwSignal::new(String::new());
    let key = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<Failure>);
    let client: QueryClient = expect_context();
    let toasts: Toasts = expect_context();
    let doing = Action::new_local(move |(note, sent): &(String, String)| {
        let (done, sent) = (act.run((note.clone(), sent.clone())), sent.clone());
        async move {
            let came = done.await;
            // It may have been closed meanwhile, or opened for something else.
            let is_same = open.get_untracked() && key.with_untracked(|key| *key == sent);
            match came {
                Ok(()) => {
                    refresh(&client);
                    if is_same {
                        open.set(false);
                    }
                }
                Err(why) if is_same => failure.set(Some(why)),
                Err(why) => toasts.tell(Err(why)),
            }
        }
    });
    Effect::new(move || {
        let Some(element) = dialog.get() else { return };
        if open.get() && !element.open() {
            key.set(new_key());
            note.set(String::new());
            failure.set(None);
            // It fails only where the element is not in the page; it is.
            let _ = element.show_modal();
        } else if !open.get() {
            element.close();
        }
    });
    let submit = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        if !doing.pending().get_untracked() && !wrong.get_untracked() {
            failure.set(None);
            doing.dispatch((note.get_untracked(), key.get_untracked()));
        }
    };
    // The browser tells of a close later; by then the dialog may have been opened again.
    let closed = move || {
        if dialog.get_untracked().is_none_or(|element| !element.open()) {
            open.set(false);
        }
    };
    view! {
        <dialog node_ref=dialog class="dialog" aria-label=move || title.get() on:close=move |_| closed()>
            <form on:submit=submit>
                <h2 tabindex="-1" autofocus=true>{move || title.get()}</h2>
                {move || open.get().then(|| children())}
                <label class="field">
                    <span>"Why (kept with it for good)"</span>
                    <textarea
                        rows="3"
                        maxlength="2000"
                        required
                        prop:value=move || note.get()
                        on:input=move |event| note.set(event_target_value(&event))
                    ></textarea>
                </label>
                <div role="alert">
                    {move || failure.get().map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> })}
                </div>
                <div class="actions">
                    <button type="submit" class="button primary" disabled=move || doing.pending().get() || wrong.get()>
                        {move || if doing.pending().get() { "Working…".to_owned() } else { verb.get() }}
                    </button>
                    <button type="button" class="button" on:click=move |_| open.set(false)>"Cancel"</button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}

/// A dialog that asks before something goes for good. Done twice, it is done once.
#[component]
pub fn Removal<T, A, F>(
    /// What is to go; the dialog is open while there is something.
    of: RwSignal<Option<T>>,
    /// What is asked.
    title: &'static str,
    /// What the button says that does it.
    verb: &'static str,
    /// What it is called that is to go.
    label: fn(&T) -> String,
    /// What becomes of it.
    words: &'static str,
    /// Does it.
    act: A,
) -> impl IntoView
where
    T: Clone + Send + Sync + 'static,
    A: Fn(T) -> F + Copy + Send + Sync + 'static,
    F: Future<Output = Answer<()>> + 'static,
{
    let client: QueryClient = expect_context();
    let dialog = NodeRef::<html::Dialog>::new();
    let failure = RwSignal::new(None::<Failure>);
    let doing = Action::new_local(move |(): &()| async move {
        let Some(this) = of.get_untracked() else { return };
        match act(this).await {
            Ok(()) => {
                refresh(&client);
                of.set(None);
            }
            Err(why) => failure.set(Some(why)),
        }
    });
    Effect::new(move || {
        let Some(element) = dialog.get() else { return };
        failure.set(None);
        if of.with(Option::is_none) {
            element.close();
        } else if !element.open() {
            // It fails only where the element is not in the page; it is.
            let _ = element.show_modal();
        }
    });
    view! {
        <dialog node_ref=dialog class="dialog" aria-label=title on:close=move |_| of.set(None)>
            <h2>{title}</h2>
            <p><strong>{move || of.with(|of| of.as_ref().map(label))}</strong>" "{words}</p>
            <div role="alert">
                {move || failure.get().map(|failure| view! { <div class="notice tone-bad"><Told failure/></div> })}
            </div>
            <div class="actions">
                <button
                    class="button primary"
                    disabled=move || doing.pending().get()
                    on:click=move |_| { doing.dispatch(()); }
                >
                    {verb}
                </button>
                <button class="button" on:click=move |_| of.set(None)>"Cancel"</button>
            </div>
        </dialog>
    }
}
