//! What moved besides the plan: payments made elsewhere, and refunds.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{CreditDetail, Settings};
use paydown::money::Cents;

use super::acting::Doing;
use super::actions::{on_payment, on_refund, row_acts};
use crate::components::badge::Badge;
use crate::components::intl::{date, instant, money};

/// The table; nothing when nothing moved.
#[component]
pub fn Moved(
    /// The credit.
    detail: Arc<CreditDetail>,
    /// What is being done.
    doing: RwSignal<Option<Doing>>,
) -> impl IntoView {
    if detail.external_payments.is_empty() && detail.refunds.is_empty() {
        return ().into_any();
    }
    let settings: Settings = expect_context();
    let credit = &detail.credit;
    let amount = |cents: Cents| money(cents.get(), &credit.currency);
    let payments = detail.external_payments.iter().map(|payment| {
        let of = amount(payment.amount);
        let acts = on_payment(credit, payment, &of);
        let status = if payment.revoked { "revoked" } else { "counts as paid" };
        (["External payment".to_owned(), of, date(payment.received_on), status.to_owned()], None, acts)
    });
    let refunds = detail.refunds.iter().map(|refund| {
        let of = amount(refund.amount);
        let acts = on_refund(refund, &of);
        let at = instant(refund.submitted_at, &settings.business_time_zone);
        (["Refund".to_owned(), of, at, String::new()], Some(refund.status), acts)
    });
    let rows = payments.chain(refunds).map(|([what, amount, when, status], refund, acts)| {
        view! {
            <tr>
                <th scope="row">{what}</th>
                <td class="num">{amount}</td>
                <td>{when}</td>
                <td>{status}{refund.map(|status| view! { <Badge of=status/> })}{row_acts(acts, doing)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <section aria-labelledby="moved">
            <h2 id="moved">"Paid elsewhere, and refunded"</h2>
            <div class="table-scroll" tabindex="0" role="group" aria-label="The table of payments and refunds">
                <table class="table narrow">
                    <thead>
                        <tr>
                            <th scope="col">"What"</th>
                            <th scope="col" class="num">"Amount"</th>
                            <th scope="col">"When"</th>
                            <th scope="col">"Status"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}
