//! How much of a credit is collected, in flight and left, as one small bar.

use leptos::prelude::*;
use paydown::api::Credit;
use paydown::plan::Terms;

/// What is owed in all.
pub fn owed(credit: &Credit) -> i128 {
    let Credit { amount, fee, installments, interval_days, .. } = *credit;
    Terms { amount, fee, installments, interval_days }.total()
}

/// Shares are counted in thousandths of a percent: whole numbers, as all that is shown of money.
pub const WHOLE: i128 = 100_000;

/// A part of a whole, from none to all of it.
pub fn share(part: i128, whole: i128) -> i128 {
    if whole <= 0 {
        return 0;
    }
    part.clamp(0, whole).saturating_mul(WHOLE).checked_div(whole).unwrap_or(0)
}

/// A share as a length in SVG.
pub fn length(share: i128) -> String {
    format!("{}.{:03}%", share / 1000, share % 1000)
}

/// A share in words, to the percent.
fn percent(share: i128) -> String {
    format!("{} %", share.saturating_add(500) / 1000)
}

/// The bar.
#[component]
pub fn ShareBar(
    /// The credit.
    credit: Credit,
) -> impl IntoView {
    let whole = owed(&credit);
    let paid = share(i128::from(credit.paid), whole);
    let in_flight = share(credit.in_flight.signed(), whole).min(WHOLE - paid);
    let left = WHOLE - paid - in_flight;
    let words = format!("{} paid, {} in flight, {} left", percent(paid), percent(in_flight), percent(left));
    let bars = [("fill-left", 0, WHOLE), ("fill-collected", 0, paid), ("fill-in-flight", paid, in_flight)];
    let bars = bars.map(|(class, from, width)| {
        view! { <rect class=class x=length(from) y="0" width=length(width) height="8"></rect> }
    });
    view! { <svg class="share" role="img" aria-label=words width="100%" height="8">{bars.collect_view()}</svg> }
}

#[cfg(test)]
mod tests {
    use super::{length, percent, share};

    #[test]
    fn a_share_is_a_length_and_a_word() {
        assert_eq!(length(share(1, 3)), "33.333%");
        assert_eq!(length(share(1, 2000)), "0.050%");
        assert_eq!(
            (length(share(5, 4)), length(share(-1, 4)), length(share(1, 0))),
            ("100.000%".into(), "0.000%".into(), "0.000%".into())
        );
        assert_eq!((percent(share(2, 3)), percent(share(1, 3))), ("67 %".into(), "33 %".into()));
    }
}
