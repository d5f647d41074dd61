//! The ledger equation, `total + excess = paid + in flight + scheduled + written off + waiting`, as one bar and its
//! figures; red when its two sides differ.

use leptos::prelude::*;
use paydown::api::Totals;

use super::share::{length, share};
use crate::components::intl::money;

/// The equation.
#[component]
pub fn Equation(
    /// The figures.
    totals: Totals,
    /// Their currency.
    currency: String,
) -> impl IntoView {
    let parts = [
        ("Paid", totals.paid, "collected"),
        ("In flight", totals.in_flight, "in-flight"),
        ("Scheduled", totals.scheduled, "scheduled"),
        ("Waiting", totals.waiting, "waiting"),
        ("Written off", totals.written_off, "written-off"),
    ];
    let left = i128::from(totals.total).saturating_add(i128::from(totals.excess));
    let right = parts.iter().fold(0_i128, |sum, (_, part, _)| sum.saturating_add(i128::from(*part)));
    let mut from = 0_i128;
    let bars = parts.map(|(_, part, class)| {
        let (x, width) = (from, share(i128::from(part), right));
        from = from.saturating_add(width);
        view! { <rect class=format!("fill-{class}") x=length(x) y="0" width=length(width) height="14"></rect> }
    });
    let terms = parts.map(|(name, part, class)| {
        view! {
            <div>
                <dt class=format!("key key-{class}")>{name}</dt>
                <dd class="num">{money(part, &currency)}</dd>
            </div>
        }
    });
    let words = parts.map(|(name, part, _)| format!("{name} {}", money(part, &currency))).join(", ");
    let verdict = if left == right {
        view! { <p class="verdict tone-good"><span aria-hidden="true">"✓ "</span>"Every cent is accounted for."</p> }
            .into_any()
    } else {
        let apart = money(left.saturating_sub(right), &currency);
        view! {
            <p class="verdict tone-bad" role="alert">
                <span aria-hidden="true">"× "</span>
                <strong>"The ledger does not add up: "{apart}" apart."</strong>
                " Nothing should be issued until it is known why."
            </p>
        }
        .into_any()
    };
    view! {
        <section class="equation" aria-labelledby="equation" class:broken=left != right>
            <h2 id="equation">"Where the money is"</h2>
            <div class="sides">
                <dl class="terms">
                    <div class="whole"><dt>"Owed in all"</dt><dd class="num">{money(totals.total, &currency)}</dd></div>
                    {(totals.excess != 0).then(|| view! {
                        <div><dt>"+ Excess"</dt><dd class="num">{money(totals.excess, &currency)}</dd></div>
                    })}
                </dl>
                <span class="equals" aria-hidden="true">{if left == right { "=" } else { "≠" }}</span>
                <dl class="terms">{terms.collect_view()}</dl>
            </div>
            <svg class="share" role="img" aria-label=words width="100%" height="14">{bars.collect_view()}</svg>
            {verdict}
        </section>
    }
}
