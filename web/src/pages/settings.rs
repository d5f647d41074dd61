//! The settings: the policy in force, what each value means, and what a return code lets follow.

use leptos::prelude::*;
use paydown::api::{Intake, Settings};
use paydown::calendar::DueDateRoll;
use paydown::policy::{Gravity, RETURN_CODES};

use crate::components::intl::{counted, money, number};

/// A setting: its name, its value with the unit, what it means.
type Row = (&'static str, String, &'static str);

/// The page.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let settings: Settings = expect_context();
    let codes = RETURN_CODES.iter().map(|code| (code.code, code.title.to_owned(), follows(code.gravity)));
    view! {
        <h1>"Settings"</h1>
        <p class="quiet">
            "They are set where the Worker is deployed, and recorded with each decision: changing one rewrites nothing."
        </p>
        <section aria-labelledby="policy">
            <h2 id="policy">"The policy in force"</h2>
            <Rows heads=["Name", "Value", "What it means"] rows=rows(&settings)/>
        </section>
        <section aria-labelledby="codes">
            <h2 id="codes">"What a return code lets follow"</h2>
            <Rows heads=["Code", "What the network calls it", "What follows (L7)"] rows=codes.collect()/>
            <p class="quiet">
                "Titles: Nacha Operating Rules, Appendix Four, part 4.2. That only R01 and R09 are presented again, at "
                "most twice after the first entry and within 180 days of it: subsection 2.12.4.1. Any other code: the "
                "credit is held until a person looks. No code: presented again, as often as NO_CODE_PRESENTMENTS says."
            </p>
        </section>
    }
}

/// A table of three columns.
#[component]
fn Rows(heads: [&'static str; 3], rows: Vec<Row>) -> impl IntoView {
    let caption = heads.join(", ");
    let heads = heads.map(|head| view! { <th scope="col">{head}</th> }).collect_view();
    let rows = rows.into_iter().map(|(name, value, about)| {
        view! {
            <tr><th scope="row"><code>{name}</code></th><td class="wide">{value}</td><td class="wide">{about}</td></tr>
        }
    });
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label=caption>
            <table class="table"><thead><tr>{heads}</tr></thead><tbody>{rows.collect_view()}</tbody></table>
        </div>
    }
}

const fn follows(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::NoCode => "presented again, at the end of the plan",
        Gravity::Retryable => "presented again, at the end of the plan, within the limits",
        Gravity::Unknown => "the credit is held until a person looks",
        Gravity::Stop => "every credit of the account is held",
    }
}

fn rows(settings: &Settings) -> Vec<Row> {
    let policy = &settings.policy;
    let amount =
        |limit: Option<u64>| limit.map_or("no limit".into(), |minor| money(minor, &settings.currency));
    let days = |n: u32| counted(n.into(), "day", "days");
    let presentments = |n: u32| counted(n.into(), "presentment", "presentments");
    let intake = match settings.intake {
        Intake::Direct => "direct",
        Intake::Queue => "queue",
    };
    let roll = match policy.due_date_roll {
        DueDateRoll::None => "none",
        DueDateRoll::Following => "following",
    };
    let two_strikes = if policy.two_strikes { "on" } else { "off" };
    vec![
        ("CURRENCY", settings.currency.clone(), "The one currency of all amounts."),
        ("MAX_ADVANCE", amount(Some(settings.max_advance.get())), "The largest amount of one advance."),
        (
            "MAX_PER_ACCOUNT",
            amount(settings.max_per_account.map(|c| c.get())),
            "The most that one account may owe in all.",
        ),
        (
            "MAX_PER_DAY",
            amount(settings.max_per_day.map(|c| c.get())),
            "The most that is advanced on one business date in all.",
        ),
        (
            "MAX_DEBITS_PER_RUN",
            settings.max_debits_per_run.map_or("no limit".into(), number),
            "How many debits one run may issue before an operator is asked.",
        ),
        (
            "MAX_DEBITED_PER_RUN",
            amount(settings.max_debited_per_run.map(|c| c.get())),
            "What one run may debit in all before an operator is asked.",
        ),
        (
            "INTAKE",
            intake.into(),
            "Where a request for an advance goes first: into the ledger, or into the queue.",
        ),
        (
            "REPORT_WINDOW_DAYS",
            days(settings.report_window_days),
            "How many times 24 h a report reaches back (L5).",
        ),
        ("BUSINESS_TIME_ZONE", settings.business_time_zone.clone(), "The zone of business dates."),
        (
            "DUE_DATE_ROLL",
            roll.into(),
            "Whether due dates roll onto the banking days of the Federal Reserve (L9).",
        ),
        (
            "TIMEOUT_DAYS",
            days(policy.timeout_days),
            "After how many times 24 h without a word a transaction times out (L2, L5).",
        ),
        (
            "TIMEOUT_LIMIT",
            counted(policy.timeout_limit.into(), "debit", "debits"),
            "With so many debits timed out and still without word, a credit is held (L5).",
        ),
        (
            "RETRYABLE_PRESENTMENTS",
            presentments(policy.retryable_presentments),
            "How often a debit is presented in all, when the last time funds were missing (L7).",
        ),
        (
            "RETRYABLE_DAYS",
            days(policy.retryable_days),
            "How long after the first presentment the last one may be due (L7).",
        ),
        (
            "NO_CODE_PRESENTMENTS",
            presentments(policy.no_code_presentments),
            "How often a debit is presented in all, when the last time it failed without a code (L7).",
        ),
        (
            "KEY_DAYS",
            policy.key_days.map_or("no limit".into(), days),
            "For how long after the first unknown answer a call is made again with its key (L3).",
        ),
        (
            "TWO_STRIKES",
            two_strikes.into(),
            "Whether two failed debits in a row on an account hold all its credits (L8).",
        ),
    ]
}
