//! A run: its stages, what it read and what it did.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use paydown::api::RunDetail;

use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::{At, On, date, number};
use crate::data::{reading, report};

/// The stages as a run goes through them.
const IN_ORDER: [&str; 8] = ["seek", "report", "observations", "words", "weigh", "issue", "check", "figures"];

/// The page.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let run = reading::run(move || params.with(|params| params.get("id").unwrap_or_default()));
    view! {
        <Shown of=run page=true let:detail>
            {move || view! { <Detail detail=detail.get()/> }}
        </Shown>
    }
}

#[component]
fn Detail(detail: Arc<RunDetail>) -> impl IntoView {
    let run = detail.run.clone();
    let counts = run.counts;
    let counts = [
        ("Advances confirmed", counts.confirmed),
        ("Credits planned", counts.planned_credits),
        ("Debits collected", counts.collected),
        ("Failed", counts.failed),
        ("Timed out", counts.timed_out),
        ("Returned", counts.returned),
        ("Replaced", counts.replaced),
        ("Cancelled", counts.cancelled),
        ("Issued", counts.issued),
        ("Answers unknown", counts.unknown),
        ("Exceptions opened", counts.exceptions),
    ];
    let counts =
        counts.map(|(name, count)| view! { <div><dt>{name}</dt><dd class="num">{number(count)}</dd></div> });
    let reasons = run.reasons.iter().cloned().map(|reason| view! { <li>{reason}</li> }).collect_view();
    let missed = run.missed_days.iter().map(|day| date(*day)).collect::<Vec<_>>().join(", ");
    view! {
        <p class="crumb"><a href="/runs">"Runs"</a></p>
        <h1>"Run of "<On date=run.business_date/>" "<Badge of=run.status/></h1>
        <p class="quiet">
            "As of "<At at=run.as_of/>", started "<At at=run.started_at/>
            {run.finished_at.map(|at| view! { ", finished "<At at/> })}
        </p>
        {(!run.reasons.is_empty()).then(|| view! {
            <div class="notice tone-attention"><p><strong>"Not complete:"</strong></p><ul>{reasons}</ul></div>
        })}
        {(!missed.is_empty()).then(|| view! { <p>"It also covers days that had no run: "{missed}"."</p> })}
        <dl class="figures-row">{counts.collect_view()}</dl>
        <Report detail=detail.clone()/>
        <Stages detail/>
    }
}

#[component]
fn Report(detail: Arc<RunDetail>) -> impl IntoView {
    let facts = detail.run.report.clone().map(|facts| {
        view! {
            <dl class="figures-row">
                <div><dt>"Rows"</dt><dd class="num">{number(facts.rows)}</dd></div>
                <div><dt>"Malformed"</dt><dd class="num">{number(facts.malformed)}</dd></div>
                <div><dt>"Bytes"</dt><dd class="num">{number(facts.bytes)}</dd></div>
                <div><dt>"SHA-256"</dt><dd><code class="hash">{facts.sha256}</code></dd></div>
            </dl>
            <p>
                <a href=report::path(detail.run.id) rel="external" download="report.csv">
                    "Download the archived report"
                </a>
            </p>
        }
    });
    view! {
        <section aria-labelledby="report">
            <h2 id="report">"The report it read"</h2>
            {facts.map_or_else(|| view! { <p class="quiet">"None."</p> }.into_any(), IntoAny::into_any)}
        </section>
    }
}

#[component]
fn Stages(detail: Arc<RunDetail>) -> impl IntoView {
    let mut stages = detail.stages.clone();
    stages
        .sort_by_key(|stage| IN_ORDER.iter().position(|name| *name == stage.stage).unwrap_or(IN_ORDER.len()));
    let stages = stages.iter().map(|stage| {
        let state = if stage.done { "done" } else { "under way" };
        view! {
            <tr>
                <th scope="row">{stage.stage.replace('_', " ")}</th>
                <td>{state}</td>
                <td class="num">{number(u64::from(stage.slices))}</td>
                <td><At at=stage.at/></td>
            </tr>
        }
    });
    let stages = stages.collect_view();
    view! {
        <section aria-labelledby="stages">
            <h2 id="stages">"Stages"</h2>
            <div class="table-scroll" tabindex="0" role="group" aria-label="The table of the stages">
                <table class="table narrow">
                    <thead>
                        <tr>
                            <th scope="col">"Stage"</th>
                            <th scope="col">"State"</th>
                            <th scope="col" class="num">"Slices"</th>
                            <th scope="col">"Last"</th>
                        </tr>
                    </thead>
                    <tbody>{stages}</tbody>
                </table>
            </div>
        </section>
    }
}
