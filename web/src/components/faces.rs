//! The faces of what the server knows, in one place: loading, failed, logged out, not found, stale but shown, shown.

use std::sync::Arc;

use leptos::prelude::*;

use crate::data::remote::Face;
use crate::data::{Failure, Remote};
use crate::pages::login::LoginForm;

/// Shows `children` once something is known, and the other faces until then.
///
/// The children stay while newer answers come in; what did not change in them does not change on the screen.
#[component]
pub fn Shown<T, C, V>(
    /// What is shown.
    of: Remote<T>,
    /// The class of the skeleton: as much room as will be taken, so that nothing jumps.
    #[prop(default = "skeleton-block")]
    skeleton: &'static str,
    /// How it looks.
    children: C,
) -> impl IntoView
where
    T: PartialEq + Send + Sync + 'static,
    C: Fn(Signal<Arc<T>>) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let face = Memo::new(move |_| of.face());
    move || {
        let now = face.get();
        match (now, untrack(|| of.data())) {
            (Face::Failed(failure), _) => {
                let retry = Callback::new(move |()| of.retry());
                view! { <Failed failure retry/> }.into_any()
            }
            (Face::Shown, Some(first)) => {
                let data = Memo::new(move |_| of.data().unwrap_or_else(|| Arc::clone(&first)));
                let children = children(data.into());
                view! {
                    <div class="shown" class:waiting=move || of.is_of_another_path()
                        aria-busy=move || of.is_of_another_path().then_some("true")>
                        <Stale of/>
                        {children}
                    </div>
                }
                .into_any()
            }
            (Face::Loading | Face::Shown, _) => view! { <Skeleton class=skeleton/> }.into_any(),
        }
    }
}

/// Room for what is on its way.
#[component]
fn Skeleton(class: &'static str) -> impl IntoView {
    view! {
        <div class=format!("skeleton {class}") role="status">
            <span class="sr-only">"Loading"</span>
        </div>
    }
}

/// Says that what is shown is of earlier, and why.
#[component]
fn Stale<T: Send + Sync + 'static>(of: Remote<T>) -> impl IntoView {
    let failure = Memo::new(move |_| of.stale());
    move || {
        let failure = failure.get()?;
        let again = if failure.is_unauthorized() {
            view! { <LoginForm/> }.into_any()
        } else {
            view! { <button class="button small" on:click=move |_| of.retry()>"Try again"</button> }
                .into_any()
        };
        Some(view! {
            <div class="notice tone-attention" role="status">
                <p>
                    <strong>"Not up to date. "</strong>
                    {failure.title}". What is shown was read earlier."
                </p>
                {again}
            </div>
        })
    }
}

/// Says what went wrong, and what can be done.
#[component]
pub fn Failed(
    /// What went wrong.
    failure: Failure,
    /// Asks again.
    retry: Callback<()>,
) -> impl IntoView {
    if failure.is_unauthorized() {
        return view! {
            <section class="face" aria-labelledby="ended">
                <h2 id="ended">"Your session has ended"</h2>
                <p>"Log in again, and this page goes on where it was."</p>
                <LoginForm/>
            </section>
        }
        .into_any();
    }
    let again = (!failure.is_not_found()).then(|| {
        view! { <button class="button" on:click=move |_| retry.run(())>"Try again"</button> }
    });
    view! {
        <section class="face" role="alert">
            <Told failure/>
            {again}
        </section>
    }
    .into_any()
}

/// A failure's words: its title, what exactly, and the request to name.
#[component]
pub fn Told(
    /// What went wrong.
    failure: Failure,
) -> impl IntoView {
    let fields = failure.errors.into_iter().filter(|error| !error.pointer.is_empty());
    let fields =
        fields.map(|error| view! { <li><code>{error.pointer}</code>" "{error.detail}</li> }).collect_view();
    view! {
        <p><strong>{failure.title}</strong></p>
        <p>{failure.detail}</p>
        <ul>{fields}</ul>
        {failure.request_id.map(|id| view! { <p class="quiet">"Request "<code>{id}</code></p> })}
    }
}
