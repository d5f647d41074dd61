//! The report row behind an observation, read from the archived report when it is asked for.

use leptos::prelude::*;

use crate::components::faces::Told;
use crate::data::Answer;
use crate::data::report::{RawRow, Sought, path, raw_row};

/// The button that shows it, and the row.
#[component]
pub fn RawRowView(
    /// Which row.
    sought: Sought,
) -> impl IntoView {
    let found = RwSignal::new(None::<Answer<Option<RawRow>>>);
    let report = path(sought.run_id);
    let read = Action::new_local(move |sought: &Sought| {
        let sought = sought.clone();
        async move { found.set(Some(raw_row(&sought).await)) }
    });
    let ask = move |_| {
        read.dispatch(sought.clone());
    };
    view! {
        <Show when=move || found.with(Option::is_none)>
            <button class="button small" disabled=move || read.pending().get() on:click=ask.clone()>
                {move || if read.pending().get() { "Reading the report…" } else { "Show the report row" }}
            </button>
        </Show>
        <div aria-live="polite">
            {move || found.get().map(|answer| shown(answer, report.clone()))}
        </div>
    }
}

fn shown(answer: Answer<Option<RawRow>>, report: String) -> AnyView {
    match answer {
        Ok(Some(row)) => view! {
            <div class="raw-row">
                <p class="quiet">
                    "Line "{row.line_number}" of "
                    <a href=report rel="external" download="report.csv">"the archived report"</a>
                </p>
                <pre tabindex="0" aria-label="Report row"><span class="quiet">{row.header}</span>"\n"{row.line}</pre>
            </div>
        }
        .into_any(),
        Ok(None) => view! { <p class="quiet">"The archived report has no such row."</p> }.into_any(),
        Err(failure) => view! { <div class="notice tone-bad"><Told failure/></div> }.into_any(),
    }
}
