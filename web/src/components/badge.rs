//! A status as a mark and a word; its colour only repeats what they say.

use leptos::prelude::*;

use super::labels::Labelled;

/// A status.
#[component]
pub fn Badge<S: Labelled>(
    /// The status.
    of: S,
) -> impl IntoView {
    view! {
        <span class=of.tone().class()>
            <span class="mark" aria-hidden="true">{of.mark()}</span>
            {of.label()}
        </span>
    }
}

/// The rule of the law that decided something.
#[component]
pub fn Rule(
    /// `L1` to `L10`.
    rule: String,
) -> impl IntoView {
    let about = super::labels::rule(&rule);
    view! { <abbr class="rule" title=about>{rule}</abbr> }
}
