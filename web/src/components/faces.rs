//! The faces of what the server knows, in one place: loading, failed, not found, stale but shown, shown. That
//! nobody is logged in any more has a face of its own, which the app shows instead of all others.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;

use crate::data::remote::{Face, ask_who};
use crate::data::{Failure, Remote};

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
    /// Whether it is a whole page, which has its heading in it.
    #[prop(optional)]
    page: bool,
    /// Whether nothing is around it, no frame either: then its faces are all there is of the document.
    #[prop(optional)]
    alone: bool,
    /// How it looks.
    children: C,
) -> impl IntoView
where
    T: PartialEq + Send + Sync + 'static,
    C: Fn(Signal<Arc<T>>) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
{
    let face = Memo::new(move |_| of.face());
    let skeleton = if page { "skeleton-page" } else { skeleton };
    Effect::new(move || {
        if of.failure().is_some_and(|failure| failure.is_unauthorized()) && !of.is_session() {
            ask_who();
        }
    });
    move || {
        let now = face.get();
        match (now, untrack(|| of.data())) {
            (Face::Failed(failure), _) => {
                let retry = Callback::new(move |()| of.retry());
                placed(alone, view! { <Failed failure retry page/> }.into_any())
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
            (Face::Loading | Face::Shown, _) => {
                let heading = alone.then(|| view! { <h1 class="sr-only">"Paydown"</h1> });
                placed(alone, view! { {heading}<Skeleton class=skeleton/> }.into_any())
            }
        }
    }
}

/// A face that is all there is of the document is its main part.
fn placed(alone: bool, face: AnyView) -> AnyView {
    if alone { view! { <main class="content">{face}</main> }.into_any() } else { face }
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
    let failure = Memo::new(move |_| of.failure());
    move || {
        let failure = failure.get()?;
        Some(view! {
            <div class="notice tone-attention" role="status">
                <p>
                    <strong>"Not up to date. "</strong>
                    {failure.title}". What is shown was read earlier."
                </p>
                <button class="button small" on:click=move |_| of.retry()>"Try again"</button>
            </div>
        })
    }
}

/// Says what went wrong, and what can be done.
#[component]
fn Failed(failure: Failure, retry: Callback<()>, page: bool) -> impl IntoView {
    let heading = page.then(|| view! { <h1>{failure.title.clone()}</h1> });
    let waits = failure.ask_again_seconds.map(|seconds| view! { <AsksAgain seconds retry/> });
    let again = failure.may_pass().then(|| {
        view! { <button class="button" on:click=move |_| retry.run(())>"Try again"</button> }
    });
    view! {
        {heading}
        <section class="face" role="alert">
            <Told failure untitled=page/>
            {waits}
            {again}
        </section>
    }
}

/// The server said when it wants to be asked again: that is counted down, and then done.
#[component]
fn AsksAgain(seconds: u32, retry: Callback<()>) -> impl IntoView {
    let left = RwSignal::new(seconds.max(1));
    // A timer belongs to nobody; to ask again needs what this place was given.
    let owner = Owner::current();
    let ticking = set_interval_with_handle(
        move || match left.get_untracked() {
            0 | 1 => {
                left.set(seconds.max(1));
                owner.iter().for_each(|owner| owner.with(|| retry.run(())));
            }
            more => left.set(more.saturating_sub(1)),
        },
        Duration::from_secs(1),
    );
    on_cleanup(move || {
        if let Ok(ticking) = ticking {
            ticking.clear();
        }
    });
    view! { <p>"Asked again in "<span class="num">{left}</span>" s."</p> }
}

/// A failure's words: its title, what exactly, and the request to name.
#[component]
pub fn Told(
    /// What went wrong.
    failure: Failure,
    /// Whether its title is on the screen already.
    #[prop(optional)]
    untitled: bool,
) -> impl IntoView {
    let fields = failure.errors.into_iter().filter(|error| !error.pointer.is_empty());
    let fields =
        fields.map(|error| view! { <li><code>{error.pointer}</code>" "{error.detail}</li> }).collect_view();
    view! {
        {(!untitled).then(|| view! { <p><strong>{failure.title}</strong></p> })}
        <p>{failure.detail}</p>
        <ul>{fields}</ul>
        {failure.request_id.map(|id| view! { <p class="quiet">"Request "<code>{id}</code></p> })}
    }
}
