//! What the next run would do to the credit, on a date that can be chosen.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{Page, Run, Settings};
use paydown::credit::{CreditStatus, Facts};
use paydown::date::BusinessDate;
use paydown::id::CreditId;

use super::preview;
use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::business_date;
use crate::data::reading;

/// How many runs are looked at for the reports that cover the time before.
const RUNS: u32 = 60;

/// The section.
#[component]
pub fn NextRun(
    /// The credit.
    #[prop(into)]
    id: Signal<CreditId>,
) -> impl IntoView {
    let facts = reading::facts(move || id.get().to_string());
    let runs = reading::runs(RUNS, || None);
    let chosen = RwSignal::new(None::<BusinessDate>);
    view! {
        <section aria-labelledby="next-run">
            <h2 id="next-run">"What the next run would do"</h2>
            <Shown of=facts let:facts>
                <Shown of=runs let:runs>
                    {
                        let on = Memo::new(move |_| chosen.get().unwrap_or_else(|| next_date(&facts.get(), &runs.get())));
                        view! {
                            <label class="field field-row">
                                <span>"If it runs on"</span>
                                <input
                                    type="date"
                                    prop:value=move || on.get().to_string()
                                    on:change=move |event| chosen.set(event_target_value(&event).parse().ok())
                                />
                            </label>
                            {move || view! { <Steps facts=facts.get() runs=runs.get() on=on.get()/> }}
                        }
                    }
                </Shown>
            </Shown>
        </section>
    }
}

#[component]
fn Steps(facts: Arc<Facts>, runs: Arc<Page<Run>>, on: BusinessDate) -> impl IntoView {
    let settings: Settings = expect_context();
    let Some(preview) = preview::of_run(&facts, &runs.data, on, &settings) else {
        return view! { <p class="quiet">"No run can be on that date."</p> }.into_any();
    };
    if preview.steps.is_empty() {
        let why = match preview.status {
            CreditStatus::Held => {
                "Nothing: it is held, and a held credit issues nothing until it is released."
            }
            CreditStatus::Failed | CreditStatus::WrittenOff | CreditStatus::Repaid => "Nothing: it is over.",
            CreditStatus::Pending | CreditStatus::Unconfirmed => {
                "Nothing, unless the report says how the advance went."
            }
            CreditStatus::Active => "Nothing: no debit is due, and no time limit passes.",
        };
        return view! { <p>{why}</p> }.into_any();
    }
    let steps = preview.steps.into_iter().map(|step| view! { <li>{step}</li> }).collect_view();
    view! {
        <ol class="steps">{steps}</ol>
        <p>"It would then be "<Badge of=preview.status/></p>
        <p class="quiet">
            "Decided in this browser by the Worker's own code, on what was reported so far. Tomorrow's report may say more."
        </p>
    }
    .into_any()
}

/// The day after the last run; without one, after the credit was asked for.
fn next_date(facts: &Facts, runs: &Page<Run>) -> BusinessDate {
    let last = runs.data.iter().map(|run| run.business_date).max();
    last.unwrap_or_else(|| business_date(facts.created_at)).plus_days(1)
}
