//! The simulator: what a plan would be, and what the next run would do to a credit, worked out in the browser by the same
//! core that plans and decides.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use paydown::api::Settings;
use paydown::date::BusinessDate;
use paydown::money::{Cents, decimal, read};
use paydown::plan::{Terms, plan};

use crate::components::entry::Entry;
use crate::components::faces::Shown;
use crate::components::filters::Text;
use crate::components::intl::{On, business_date, money};
use crate::data::reading::{self, CreditsAsked};
use crate::pages::credit::next_run::NextRun;

/// The page.
#[component]
pub fn SimulatorPage() -> impl IntoView {
    let summary = reading::summary::<BusinessDate>(|| (None, None));
    view! {
        <h1>"Simulator"</h1>
        <Shown of=summary let:summary>
            {
                let today = business_date(summary.get_untracked().as_of);
                view! { <Calculator today/> }
            }
        </Shown>
        <OfACredit/>
    }
}

/// What the next run would do to the credit that the address names.
#[component]
fn OfACredit() -> impl IntoView {
    let query = use_query_map();
    let asked = move || query.with(|query| query.get("credit"));
    let credits = reading::credits(move || CreditsAsked { q: asked(), ..Default::default() });
    let found = Memo::new(move |_| {
        let found = credits.data()?.data.first().map(|credit| (credit.id, credit.account_id.clone()));
        found.filter(|_| asked().is_some())
    });
    let next_run = move || match (found.get(), asked()) {
        (Some((id, account)), _) => view! {
            <p><a href=format!("/credits/{id}")>{account}</a></p>
            <NextRun id=Signal::stored(id)/>
        }
        .into_any(),
        (None, Some(_)) => view! { <p class="quiet">"No credit has that id or account."</p> }.into_any(),
        (None, None) => view! { <p class="quiet">"Name a credit by its id or account."</p> }.into_any(),
    };
    view! {
        <section aria-labelledby="of-a-credit">
            <h2 id="of-a-credit">"What would become of a credit"</h2>
            <form class="filters" role="search" on:submit=|event| event.prevent_default()>
                <Text name="credit" label="Credit" hint="id or account"/>
            </form>
            {next_run}
        </section>
    }
}

/// What is entered, as it is entered.
#[derive(Clone, Copy)]
struct Entered {
    amount: RwSignal<String>,
    fee: RwSignal<String>,
    installments: RwSignal<String>,
    interval_days: RwSignal<String>,
    start: RwSignal<String>,
}

impl Entered {
    /// The terms and the day of the advance, or what is wrong with them: the limits of the contract.
    fn terms(self, max_advance: Cents, currency: &str) -> Result<(Terms, BusinessDate), String> {
        let amount = read(&self.amount.get(), currency);
        let amount = amount.filter(|amount| amount.get() > 0 && *amount <= max_advance).ok_or_else(|| {
            format!("Enter an amount such as {}, within the largest advance.", decimal(100_000, currency))
        })?;
        let fee = read(&self.fee.get(), currency).filter(|fee| *fee <= amount);
        let fee = fee.ok_or("Enter a fee from 0 to the amount.")?;
        let number = |text: String, most: u32| text.trim().parse().ok().filter(|n| (1..=most).contains(n));
        let installments = number(self.installments.get(), 104).ok_or("Enter 1 to 104 installments.")?;
        let interval_days = number(self.interval_days.get(), 92).ok_or("Enter 1 to 92 days.")?;
        let start = self.start.get().parse().map_err(|_| "Enter the day of the advance.")?;
        let terms = Terms { amount, fee, installments, interval_days };
        if terms.total() < i128::from(installments) {
            return Err("There are more installments than cents.".into());
        }
        Ok((terms, start))
    }
}

#[component]
fn Calculator(today: BusinessDate) -> impl IntoView {
    let settings: Settings = expect_context();
    let entered = Entered {
        amount: RwSignal::new(decimal(100_000, &settings.currency)),
        fee: RwSignal::new(decimal(0, &settings.currency)),
        installments: RwSignal::new("12".into()),
        interval_days: RwSignal::new("7".into()),
        start: RwSignal::new(today.to_string()),
    };
    let (max_advance, currency) = (settings.max_advance, settings.currency);
    let planned = move || match entered.terms(max_advance, &currency) {
        Ok((terms, start)) => view! { <Planned terms start/> }.into_any(),
        Err(why) => view! { <p class="notice tone-attention" role="status">{why}</p> }.into_any(),
    };
    view! {
        <section aria-labelledby="calculator">
            <h2 id="calculator">"What a plan would be"</h2>
            <form class="filters" on:submit=|event| event.prevent_default()>
                <Entry label="Amount" value=entered.amount/>
                <Entry label="Fee" value=entered.fee/>
                <Entry label="Installments" value=entered.installments/>
                <Entry label="Days between" value=entered.interval_days/>
                <Entry label="Advanced on" value=entered.start kind="date"/>
            </form>
            {planned}
        </section>
    }
}

#[component]
fn Planned(terms: Terms, start: BusinessDate) -> impl IntoView {
    let settings: Settings = expect_context();
    let calendar = settings.policy.due_date_roll.by(&settings.holidays);
    let rows = plan(&terms, start, start, calendar).into_iter().map(|installment| {
        view! {
            <tr>
                <th scope="row" class="num">{installment.sequence}</th>
                <td><On date=installment.due_date/></td>
                <td class="num">{money(installment.amount.get(), &settings.currency)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <p>{money(terms.total(), &settings.currency)}" in all. Nothing is recorded."</p>
        <table class="table narrow">
            <caption class="sr-only">"The plan"</caption>
            <thead>
                <tr>
                    <th scope="col" class="num">"Installment"</th>
                    <th scope="col">"Due"</th>
                    <th scope="col" class="num">"Amount"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}
