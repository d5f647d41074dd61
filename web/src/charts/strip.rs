//! A plan as a strip: each debit by its due date, with where it stands.

use leptos::prelude::*;
use paydown::api::Debit;

use crate::components::intl::{date, money, short_date};
use crate::components::labels::Labelled;

/// The strip. Its table is the plan below it.
#[component]
pub fn PlanStrip(
    /// The debits.
    debits: Vec<Debit>,
    /// The currency of their amounts.
    currency: String,
) -> impl IntoView {
    let mut by_date: Vec<&Debit> = debits.iter().collect();
    by_date.sort_unstable_by_key(|debit| (debit.due_date, debit.sequence));
    let cells = by_date.into_iter().map(|debit| {
        let (amount, status) = (money(debit.amount.get(), &currency), debit.status);
        let words =
            format!("Debit {}, {amount} due {}: {}", debit.sequence, date(debit.due_date), status.label());
        view! {
            <li>
                <a class=status.tone().class().replace("badge", "due") title=words.clone() rel="external"
                    href=format!("#debit-{}", debit.sequence)>
                    <span aria-hidden="true">{status.mark()}</span>
                    <small aria-hidden="true">{short_date(debit.due_date)}</small>
                    <span class="sr-only">{words.clone()}</span>
                </a>
            </li>
        }
    });
    view! { <ol class="strip" aria-label="The plan by due date">{cells.collect_view()}</ol> }
}
