//! The Overview: whether money is where it should be, and what a person should look at.

use std::sync::Arc;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::{Age, Failures, OpenKind, Settings, Summary};
use paydown::credit::CreditStatus;
use paydown::date::BusinessDate;

use crate::charts::days::{DaysChart, OutstandingChart};
use crate::charts::equation::Equation;
use crate::charts::rates::Rates;
use crate::components::badge::{Badge, Rule};
use crate::components::faces::Shown;
use crate::components::filters::Text;
use crate::components::intl::{At, On, business_date, counted, money, number};
use crate::components::labels::{self, Labelled};
use crate::data::reading::{self, DebitsAsked};

/// How many failed debits are named here; the page behind has them all.
const NAMED: usize = 6;

/// How far back failures are called lately, in days.
const LATELY_DAYS: u32 = 7;

/// The page.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let query = use_query_map();
    let summary = reading::summary(move || query.with(|query| (query.get("from"), query.get("to"))));
    view! {
        <h1>"Overview"</h1>
        <Shown of=summary skeleton="skeleton-overview" let:summary>
            {move || view! { <Figures summary=summary.get()/> }}
            <div class="beside">
                <div>
                    {move || view! { <Days summary=summary.get()/> }}
                    <FailedLately today=Memo::new(move |_| business_date(summary.get().as_of))/>
                </div>
                {move || view! { <NeedsAction kinds=summary.get().exceptions.clone()/> }}
            </div>
            {move || view! { <Tables summary=summary.get()/> }}
        </Shown>
    }
}

#[component]
fn Figures(summary: Arc<Summary>) -> impl IntoView {
    let settings: Settings = expect_context();
    let currency = settings.currency;
    let held = summary.credits.get(&CreditStatus::Held).copied().unwrap_or_default();
    let totals = summary.totals;
    let outstanding = totals.in_flight.saturating_add(totals.scheduled).saturating_add(totals.waiting);
    let past_due = view! { <a href="#ageing" rel="external">{money(summary.overdue, &currency)}</a> };
    let held = view! { <a href="/credits?status=held">{counted(held, "credit", "credits")}</a> };
    let exceptions = view! { <a href="/exceptions?status=open">{number(summary.open_exceptions)}</a> };
    view! {
        <Equation totals=summary.totals currency=currency.clone()/>
        <dl class="figures-row">
            {figure("Advanced", money(totals.advanced, &currency).into_any(), "paid out, without fees")}
            {figure("Outstanding", money(outstanding, &currency).into_any(), "in flight, scheduled or waiting")}
            {figure("Past due, not yet paid", past_due.into_any(), "by when each installment was first due")}
            {figure("Held", held.into_any(), "issue nothing until released")}
            {figure("Open exceptions", exceptions.into_any(), "wait for a person")}
            <div>
                <dt>"Credits"</dt>
                <dd><a href="/credits">{number(summary.credits.values().sum())}</a></dd>
                <dd class="quiet"><Statuses summary/></dd>
            </div>
        </dl>
    }
}

fn figure(name: &'static str, figure: AnyView, words: &'static str) -> impl IntoView {
    view! { <div><dt>{name}</dt><dd>{figure}</dd><dd class="quiet">{words}</dd></div> }
}

#[component]
fn Days(summary: Arc<Summary>) -> impl IntoView {
    let settings: Settings = expect_context();
    view! {
        <form class="filters after-figures" on:submit=|event| event.prevent_default()>
            <Text name="from" label="Days from" kind="date"/>
            <Text name="to" label="to" kind="date"/>
        </form>
        <section aria-labelledby="days">
            <h2 id="days">"Expected and collected by day"</h2>
            <DaysChart summary=summary.clone() currency=settings.currency.clone()/>
        </section>
        <section aria-labelledby="outstanding">
            <h2 id="outstanding">"Outstanding by day"</h2>
            <OutstandingChart summary currency=settings.currency/>
        </section>
    }
}

#[component]
fn Tables(summary: Arc<Summary>) -> impl IntoView {
    let settings: Settings = expect_context();
    let currency = settings.currency;
    view! {
        <div class="columns">
            <Ageing ages=summary.ageing.clone() currency=currency.clone()/>
            <FailuresByCode failures=summary.failures.clone() currency/>
            <Rates rates=summary.returns.clone()/>
        </div>
        <p class="quiet">"Worked out "<At at=summary.as_of/></p>
    }
}

/// How many credits have each status that any has.
#[component]
fn Statuses(summary: Arc<Summary>) -> impl IntoView {
    let links = summary.credits.clone().into_iter().filter(|(_, count)| *count > 0).map(|(status, count)| {
        let href = format!("/credits?status={}", status.name());
        view! { <a class="target" href=href>{number(count)}" "{status.label()}</a>" " }
    });
    links.collect_view()
}

#[component]
fn Ageing(ages: Vec<Age>, currency: String) -> impl IntoView {
    let rows = ages.into_iter().map(|age| {
        let days = if age.days == "0" { "not past due".to_owned() } else { format!("{} days", age.days) };
        view! {
            <tr>
                <th scope="row">{days}</th>
                <td class="num">{number(age.debits)}</td>
                <td class="num">{money(age.amount, &currency)}</td>
            </tr>
        }
    });
    view! {
        <section aria-labelledby="ageing">
            <h2 id="ageing">"Still to be collected, by age"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col" class="wide">"Since the installment was due"</th>
                        <th scope="col" class="num">"Debits"</th>
                        <th scope="col" class="num">"Amount"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
}

#[component]
fn FailuresByCode(failures: Vec<Failures>, currency: String) -> impl IntoView {
    if failures.is_empty() {
        return view! {
            <section aria-labelledby="failures">
                <h2 id="failures">"Failures by code"</h2>
                <p class="quiet">"No debit failed."</p>
            </section>
        }
        .into_any();
    }
    let rows = failures.into_iter().map(|failures| {
        let title = failures.code.as_deref().and_then(labels::code);
        view! {
            <tr>
                <th scope="row">{failures.code.unwrap_or_else(|| "none".into())}</th>
                <td class="wide">{title}</td>
                <td class="num">{number(failures.debits)}</td>
                <td class="num">{money(failures.amount, &currency)}</td>
            </tr>
        }
    });
    view! {
        <section aria-labelledby="failures">
            <h2 id="failures">"Failures by code"</h2>
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Code"</th>
                        <th scope="col">"What it means"</th>
                        <th scope="col" class="num">"Debits"</th>
                        <th scope="col" class="num">"Amount"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </section>
    }
    .into_any()
}

/// The oldest open exception of each kind, with the way to what it is about and to all of its kind.
#[component]
fn NeedsAction(kinds: Vec<OpenKind>) -> impl IntoView {
    let content = if kinds.is_empty() {
        view! { <p class="quiet">"Nothing waits for a person."</p> }.into_any()
    } else {
        let rows = kinds.into_iter().map(needs_action).collect_view();
        view! { <ul class="rows">{rows}</ul><p><a href="/exceptions?status=open">"All open exceptions"</a></p> }
            .into_any()
    };
    view! {
        <section aria-labelledby="needs-action">
            <h2 id="needs-action">"Needs action"</h2>
            {content}
        </section>
    }
}

fn needs_action(kind: OpenKind) -> impl IntoView {
    let (open, exception) = (kind.open, kind.oldest);
    let href = match exception.credit_id {
        Some(id) => format!("/credits/{id}?about={}", exception.subject),
        None => format!("/exceptions?status=open&kind={}", exception.kind.name()),
    };
    let about = exception.account_id.clone().unwrap_or_else(|| "Look".to_owned());
    let kind = labels::kind(exception.kind);
    let all = format!("/exceptions?status=open&kind={}", exception.kind.name());
    view! {
        <li>
            <a href=all>{kind}</a>
            " "
            <span class="quiet">{number(open)}" open"</span>
            " "
            <Rule rule=exception.kind.rule().to_owned()/>
            <p>{exception.detail}</p>
            <p class="quiet">
                "oldest: "<a href=href>{about}</a>
                ", since "<On date=business_date(exception.opened_at)/>
            </p>
        </li>
    }
}

/// The debits that failed in the last days, each with the way to the report row that says so.
#[component]
fn FailedLately(today: Memo<BusinessDate>) -> impl IntoView {
    let settings: Settings = expect_context();
    let failed = reading::debits(move || DebitsAsked {
        status: Some("failed".into()),
        due_from: Some(today.get().minus_days(LATELY_DAYS).to_string()),
        due_to: Some(today.get().to_string()),
        cursor: None,
    });
    view! {
        <section aria-labelledby="failed-lately">
            <h2 id="failed-lately">"Failed lately"</h2>
            <Shown of=failed let:page>
                {
                    let currency = settings.currency.clone();
                    move || {
                        let page = page.get();
                        if page.data.is_empty() {
                            return view! { <p class="quiet">"No debit of the last week failed."</p> }.into_any();
                        }
                        let rows = page.data.iter().rev().take(NAMED).map(|debit| {
                            let href = format!("/credits/{}?debit={}", debit.credit_id, debit.sequence);
                            view! {
                                <li>
                                    <a href=href>{debit.account_id.clone()}", debit "{debit.sequence}</a>
                                    " "
                                    <span class="num">{money(debit.amount.get(), &currency)}</span>
                                    " due "<On date=debit.due_date/>" "
                                    <Badge of=debit.status/>
                                    " "{debit.code.clone()}
                                </li>
                            }
                        });
                        view! { <ul class="rows">{rows.collect_view()}</ul> }.into_any()
                    }
                }
            </Shown>
        </section>
    }
}
