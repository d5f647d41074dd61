//! What was expected and what was collected, day by day; and what was and will be outstanding.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{Day, Summary};
use paydown::date::BusinessDate;

use super::plot::{BASE, Plot, height, place};
use crate::components::intl::{business_date, date, money};

/// Expected and collected.
#[component]
pub fn DaysChart(
    /// The figures.
    summary: Arc<Summary>,
    /// The currency of the figures.
    currency: String,
) -> impl IntoView {
    let most = summary.days.iter().map(|day| day.expected.max(day.collected)).max().unwrap_or(0);
    let count = summary.days.len();
    let bars = summary.days.iter().enumerate().map(|(day, figures)| bar(*figures, day, count, most));
    let marks = bars.collect_view().into_any();
    let words = format!(
        "Expected and collected by day from {} to {}; at most {} on one day",
        date(summary.from),
        date(summary.to),
        money(most, &currency)
    );
    let of = currency.clone();
    let told = Arc::new(move |day: &Day| {
        format!("{} expected, {} collected", money(day.expected, &of), money(day.collected, &of))
    });
    view! {
        <figure class="chart">
            <figcaption>
                <span class="key key-expected">"Expected"</span>
                <span class="key key-collected">"Collected"</span>
                <span class="quiet">"most on one day "{money(most, &currency)}</span>
            </figcaption>
            <Plot summary=summary.clone() words told marks/>
            <Figures days=summary.days.clone() currency/>
        </figure>
    }
}

/// A day's two bars: what was expected as an outline, what was collected within it.
fn bar(figures: Day, day: usize, days: usize, most: i64) -> impl IntoView {
    let rect = |class: &'static str, amount: i64, from: usize, width: usize| {
        let height = height(amount, most);
        let (x, width) = (place(day * 8 + from, days * 8), place(width, days * 8));
        view! {
            <rect class=class x=x width=width y=(BASE - height).to_string() height=height.to_string()></rect>
        }
    };
    view! {
        {rect("bar-expected", figures.expected, 1, 6)}
        {rect("bar-collected", figures.collected, 2, 4)}
    }
}

/// What was outstanding until today, and what will be by the plans.
#[component]
pub fn OutstandingChart(
    /// The figures.
    summary: Arc<Summary>,
    /// The currency of the figures.
    currency: String,
) -> impl IntoView {
    let today = business_date(summary.as_of);
    let most = summary.days.iter().filter_map(|day| day.outstanding).max().unwrap_or(0);
    let now = summary.days.iter().find(|day| day.date == today).and_then(|day| day.outstanding);
    let last = summary.days.last().and_then(|day| day.outstanding);
    let days = summary.days.len();
    // Their own coordinates, stretched to the chart's width: a path cannot be given in percent.
    let (box_, line, forecast) = (
        format!("0 0 {} {BASE}", days * 2),
        path(&summary, most, |date| date <= today),
        path(&summary, most, |date| date >= today),
    );
    let marks = view! {
        <svg x="0" y="0" width="100%" height=BASE.to_string() viewBox=box_ preserveAspectRatio="none">
            <polyline class="line" points=line></polyline>
            <polyline class="line forecast" points=forecast></polyline>
        </svg>
    };
    let words = format!(
        "Outstanding by day from {} to {}; at most {}",
        date(summary.from),
        date(summary.to),
        money(most, &currency)
    );
    let of = currency.clone();
    let told = Arc::new(move |day: &Day| match day.outstanding {
        Some(left) if day.date > today => format!("{} outstanding by the plans", money(left, &of)),
        Some(left) => format!("{} outstanding", money(left, &of)),
        None => "no run".to_owned(),
    });
    let labelled = |name: &'static str, amount: Option<i64>| {
        amount.map(|amount| view! { <span>{name}<strong>{money(amount, &currency)}</strong></span> })
    };
    let (now, last) = (labelled("now ", now), labelled("at the end, by the plans ", last));
    view! {
        <figure class="chart">
            <figcaption>
                <span class="key key-line">"Outstanding"</span>
                <span class="key key-forecast">"by the plans"</span>
                {now}
                {last}
            </figcaption>
            <Plot summary=summary.clone() words told marks=marks.into_any()/>
        </figure>
    }
}

/// The days that have a figure and are wanted, as points.
fn path(summary: &Summary, most: i64, is_wanted: impl Fn(BusinessDate) -> bool) -> String {
    let wanted = summary.days.iter().enumerate().filter(|(_, day)| is_wanted(day.date));
    let points = wanted.filter_map(|(place, day)| {
        let y = BASE.saturating_sub(height(day.outstanding?, most));
        Some(format!("{},{y}", place.saturating_mul(2).saturating_add(1)))
    });
    points.collect::<Vec<_>>().join(" ")
}

/// The same as a table.
#[component]
fn Figures(days: Vec<Day>, currency: String) -> impl IntoView {
    let is_something = |day: &Day| day.expected != 0 || day.collected != 0;
    let rows = days.into_iter().filter(is_something).map(|day| {
        let cells = [Some(day.expected), Some(day.collected), day.outstanding];
        let cells = cells
            .map(|amount| view! { <td class="num">{amount.map(|amount| money(amount, &currency))}</td> });
        view! { <tr><th scope="row">{date(day.date)}</th>{cells.collect_view()}</tr> }
    });
    let heads = ["Expected", "Collected", "Outstanding"]
        .map(|name| view! { <th scope="col" class="num">{name}</th> });
    view! {
        <details class="figures">
            <summary>"As a table"</summary>
            <table class="table narrow">
                <caption class="sr-only">"Expected, collected and outstanding by day"</caption>
                <thead>
                    <tr><th scope="col">"Day"</th>{heads.collect_view()}</tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </details>
    }
}
