//! A status as a mark and a word; its colour only repeats what they say.

use leptos::prelude::*;

use super::labels::Labelled;

/// How something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be, and done.
    Good,
    /// On its way.
    Moving,
    /// Nothing to see.
    Quiet,
    /// A person should look.
    Attention,
    /// It went wrong.
    Bad,
}

impl Tone {
    /// The class that colours it.
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Good => "badge tone-good",
            Tone::Moving => "badge tone-moving",
            Tone::Quiet => "badge tone-quiet",
            Tone::Attention => "badge tone-attention",
            Tone::Bad => "badge tone-bad",
        }
    }
}

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
