//! How much of a credit is collected, in flight and left, as one small bar.

use leptos::prelude::*;
use paydown::api::Credit;
use paydown::plan::Terms;

/// What is owed in all.
pub fn owed(credit: &Credit) -> i128 {
    let Credit { amount, fee, installments, interval_days, .. } = *credit;
    Terms { amount, fee, installments, interval_days }.total()
}

/// A part of a whole in percent.
pub fn percent(part: i128, whole: i128) -> f64 {
    if whole <= 0 { 0.0 } else { (part.max(0) as f64 / whole as f64 * 100.0).min(100.0) }
}

/// The bar.
#[component]
pub fn ShareBar(
    /// The credit.
    credit: Credit,
) -> impl IntoView {
    let whole = owed(&credit);
    let paid = percent(i128::from(credit.paid), whole);
    let in_flight = percent(credit.in_flight.signed(), whole).min(100.0 - paid);
    let words =
        format!("{paid:.0} % paid, {in_flight:.0} % in flight, {:.0} % left", 100.0 - paid - in_flight);
    view! {
        <svg class="share" role="img" aria-label=words width="100%" height="8">
            <rect class="fill-left" x="0" y="0" width="100%" height="8"></rect>
            <rect class="fill-collected" x="0" y="0" width=format!("{paid:.2}%") height="8"></rect>
            <rect class="fill-in-flight" x=format!("{paid:.2}%") y="0" width=format!("{in_flight:.2}%") height="8">
            </rect>
        </svg>
    }
}
