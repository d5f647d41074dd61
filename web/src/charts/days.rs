//! What was expected and what was collected, day by day.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{Day, Summary};
use paydown::date::BusinessDate;

use super::share::percent;
use crate::components::intl::{date, money, short_date};

/// Where the bars begin and end, in pixels from the top.
const TOP: f64 = 24.0;
const BASE: f64 = 184.0;

/// Days between two words under the axis.
const TICK_DAYS: usize = 14;

/// The chart, with its table.
#[component]
pub fn DaysChart(
    /// The figures.
    summary: Arc<Summary>,
    /// The currency of the figures.
    currency: String,
) -> impl IntoView {
    let today = summary.as_of.date_naive();
    let today = BusinessDate::new(today);
    let most = summary.days.iter().map(|day| day.expected.max(day.collected)).max().unwrap_or(0);
    let count = summary.days.len().max(1);
    let width = 100.0 / count as f64;
    let bars =
        summary.days.iter().enumerate().map(|(place, day)| bar(*day, place as f64 * width, width, most));
    let ticks = summary.days.iter().enumerate().step_by(TICK_DAYS).map(|(place, day)| {
        let is_last = place.saturating_add(TICK_DAYS) >= count;
        let (x, anchor) = if is_last { (place as f64 + 1.0, "end") } else { (place as f64, "start") };
        let x = format!("{:.3}%", x * width);
        view! { <text class="axis" x=x y="202" text-anchor=anchor>{short_date(day.date)}</text> }
    });
    let at_today = summary.days.iter().position(|day| day.date == today).map(|place| {
        let x = format!("{:.3}%", (place as f64 + 1.0) * width);
        view! {
            <line class="today" x1=x.clone() x2=x.clone() y1="8" y2=BASE.to_string()></line>
            <text class="axis" x=x y="16" dx="4">"after today"</text>
        }
    });
    let words = format!(
        "Expected and collected by day from {} to {}; at most {} on one day",
        date(summary.from),
        date(summary.to),
        money(most, &currency)
    );
    view! {
        <figure class="chart">
            <figcaption>
                <span class="key key-expected">"Expected"</span>
                <span class="key key-collected">"Collected"</span>
                <span class="quiet">"most on one day "{money(most, &currency)}</span>
            </figcaption>
            <svg role="img" aria-label=words width="100%" height="208">
                <line class="base" x1="0" x2="100%" y1=BASE.to_string() y2=BASE.to_string()></line>
                {bars.collect_view()}
                {at_today}
                {ticks.collect_view()}
            </svg>
            <Figures days=summary.days.clone() currency/>
        </figure>
    }
}

/// A day's two bars: what was expected as an outline, what was collected within it.
fn bar(day: Day, x: f64, width: f64, most: i64) -> impl IntoView {
    let height = |amount: i64| percent(i128::from(amount), i128::from(most)) / 100.0 * (BASE - TOP);
    let rect = |class: &'static str, amount: i64, inset: f64| {
        let height = height(amount);
        view! {
            <rect class=class x=format!("{:.3}%", x + width * inset) width=format!("{:.3}%", width * (1.0 - 2.0 * inset))
                y=format!("{:.1}", BASE - height) height=format!("{height:.1}")></rect>
        }
    };
    view! {
        {rect("bar-expected", day.expected, 0.12)}
        {rect("bar-collected", day.collected, 0.28)}
    }
}

/// The same as a table.
#[component]
fn Figures(days: Vec<Day>, currency: String) -> impl IntoView {
    let rows = days.into_iter().filter(|day| day.expected != 0 || day.collected != 0).map(|day| {
        view! {
            <tr>
                <th scope="row">{date(day.date)}</th>
                <td class="num">{money(day.expected, &currency)}</td>
                <td class="num">{money(day.collected, &currency)}</td>
            </tr>
        }
    });
    view! {
        <details class="figures">
            <summary>"As a table"</summary>
            <table class="table narrow">
                <caption class="sr-only">"Expected and collected by day"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Day"</th>
                        <th scope="col" class="num">"Expected"</th>
                        <th scope="col" class="num">"Collected"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </details>
    }
}
