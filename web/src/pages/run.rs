//! A run: its stages, what it read and what it did.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use paydown::api::{RunDetail, Settings};

use crate::components::badge::Badge;
use crate::components::faces::Shown;
use crate::components::intl::{At, On, date, money, number};
use crate::data::{reading, report};

/// The stages as a run goes through them. Runs of before have a `check` of their own, which is part of `figures` now.
const IN_ORDER: [&str; 9] =
    ["seek", "report", "observations", "words", "weigh", "issue", "strikes", "check", "figures"];

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
    let (counts, amounts) = (run.counts, run.amounts);
    let counts = [
        ("Advances confirmed", counts.confirmed, None),
        ("Credits planned", counts.planned_credits, None),
        ("Debits collected", counts.collected, Some(amounts.collected)),
        ("Failed", counts.failed, Some(amounts.failed)),
        ("Timed out", counts.timed_out, Some(amounts.timed_out)),
        ("Returned", counts.returned, Some(amounts.returned)),
        ("Replaced", counts.replaced, None),
        ("Cancelled", counts.cancelled, None),
        ("Issued", counts.issued, Some(amounts.issued)),
        ("Answers unknown", counts.unknown, None),
        ("Unknown transactions", counts.unknown_transactions, None),
        ("Exceptions opened", counts.exceptions, None),
    ];
    let settings: Settings = expect_context();
    let counts = counts.map(|(name, count, amount)| {
        let amount = amount.filter(|_| count > 0).map(|amount| money(amount, &settings.currency));
        view! { <div><dt>{name}</dt><dd class="num">{number(count)}</dd><dd class="quiet">{amount}</dd></div> }
    });
    let reasons = run.reasons.iter().cloned().map(|reason| view! { <li>{reason}</li> }).collect_view();
    let missed = run.missed_days.iter().map(|day| date(*day)).collect::<Vec<_>>().join(", ");
    view! {
        <p class="crumb"><a href="/runs">"Reconciliation"</a></p>
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
    let known = |name: &str| detail.stages.iter().find(|stage| stage.stage == name);
    let stages = IN_ORDER.iter().filter_map(|name| known(name));
    let stages = stages.map(|stage| {
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
