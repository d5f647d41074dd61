//! Return rates beside the levels above which the network asks questions.

use leptos::prelude::*;
use paydown::api::ReturnRate;
use paydown::policy::{RETURN_RATE_DAYS, ReturnClass};

use super::share::{length, share};
use crate::components::intl::number;

/// The gauges, with their figures in words.
#[component]
pub fn Rates(
    /// One of each class.
    rates: Vec<ReturnRate>,
) -> impl IntoView {
    let gauges = rates.into_iter().map(gauge).collect_view();
    view! {
        <section aria-labelledby="return-rates">
            <h2 id="return-rates">{format!("Return rates, {RETURN_RATE_DAYS} days")}</h2>
            <ul class="gauges">{gauges}</ul>
            <p class="quiet">"By when the debits were submitted. Above a level the network asks questions."</p>
        </section>
    }
}

/// The gauge goes up to twice the level, which is its middle.
fn gauge(rate: ReturnRate) -> impl IntoView {
    let basis_points = basis_points(rate);
    let level = u64::from(rate.level_basis_points);
    let name = match rate.class {
        ReturnClass::Unauthorized => "Unauthorized",
        ReturnClass::Administrative => "Administrative",
        ReturnClass::Overall => "Overall",
    };
    let (fill, tone, mark) = if basis_points > level {
        ("fill-bad", "badge tone-bad", "× above")
    } else if basis_points.saturating_mul(5) > level.saturating_mul(4) {
        ("fill-waiting", "badge tone-attention", "! near")
    } else {
        ("fill-collected", "badge tone-good", "✓ below")
    };
    let width = length(share(basis_points.into(), i128::from(level).saturating_mul(2)));
    let words = format!("{}, the level is {}", in_percent(basis_points), in_percent(level));
    view! {
        <li>
            <span>{name}</span>
            <strong class="num">{in_percent(basis_points)}</strong>
            <span class="quiet">{number(rate.returned)}" of "{number(rate.debits)}</span>
            <span class=tone>{mark}" "{in_percent(level)}</span>
            <svg class="share" role="img" aria-label=words width="100%" height="8">
                <rect class="fill-left" x="0" y="0" width="100%" height="8"></rect>
                <rect class=fill x="0" y="0" width=width height="8"></rect>
                <line class="level" x1="50%" x2="50%" y1="0" y2="8"></line>
            </svg>
        </li>
    }
}

/// Hundredths of a percent, of none submitted none.
fn basis_points(rate: ReturnRate) -> u64 {
    rate.returned.saturating_mul(10_000).checked_div(rate.debits).unwrap_or(0)
}

fn in_percent(basis_points: u64) -> String {
    format!("{}.{:02} %", basis_points / 100, basis_points % 100)
}

#[cfg(test)]
mod tests {
    use super::{ReturnClass, ReturnRate, basis_points, in_percent};

    #[test]
    fn a_rate_is_in_hundredths_of_a_percent() {
        let rate = |debits, returned| ReturnRate {
            class: ReturnClass::Overall,
            debits,
            returned,
            level_basis_points: 1500,
        };
        assert_eq!(in_percent(basis_points(rate(340, 12))), "3.52 %");
        assert_eq!(in_percent(basis_points(rate(0, 0))), "0.00 %");
    }
}
