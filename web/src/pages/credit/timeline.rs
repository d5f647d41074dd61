//! The timeline: every fact in order, with the rule that it follows, the run, and the report row behind it.

use std::sync::Arc;

use leptos::prelude::*;
use paydown::api::{CreditDetail, Debit, TimelineEntry};
use paydown::observation::Source;

use super::raw_row::RawRowView;
use crate::charts::share::owed;
use crate::components::badge::{Badge, Rule};
use crate::components::intl::{At, On, date, money};
use crate::components::labels;
use crate::data::report::Sought;

/// Everything that happened.
#[component]
pub fn Timeline(
    /// The credit.
    detail: Arc<CreditDetail>,
) -> impl IntoView {
    let entries = detail.timeline.iter().cloned().map(|entry| line(&detail, entry)).collect_view();
    view! {
        <section aria-labelledby="timeline">
            <h2 id="timeline">"Timeline"</h2>
            <ol class="timeline">{entries}</ol>
        </section>
    }
}

/// What happened to one debit, or to the credit itself: the advance, its holds and exceptions.
#[component]
pub fn Story(
    /// The credit.
    detail: Arc<CreditDetail>,
    /// The debit; none for the credit itself.
    of: Option<Debit>,
) -> impl IntoView {
    let own = detail.timeline.iter().filter(|entry| entry.debit_id == of.as_ref().map(|debit| debit.id));
    let entries = own.cloned().map(|entry| line(&detail, entry)).collect_view();
    let (name, badge) = match &of {
        Some(debit) => (format!("debit {}", debit.sequence), view! { <Badge of=debit.status/> }.into_any()),
        None => ("this credit".to_owned(), view! { <Badge of=detail.credit.status/> }.into_any()),
    };
    let about = of.map(|debit| {
        view! {
            {money(debit.amount.get(), &detail.credit.currency)}" due "<On date=debit.due_date/>
            {debit.code.map(|code| view! { ", failed with "{code} })}
            {(!debit.replaced_by.is_empty()).then(|| format!(", replaced by debit {}", sequences(&debit.replaced_by)))}
            ". "
        }
    });
    view! {
        <section class="story" aria-labelledby="story">
            <h2 id="story">{format!("Why {name} stands where it does")}" "{badge}</h2>
            <p class="quiet">{about}<a href=format!("/credits/{}", detail.credit.id)>"Close"</a></p>
            <ol class="timeline">{entries}</ol>
        </section>
    }
}

fn sequences(all: &[u32]) -> String {
    all.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn line(detail: &CreditDetail, entry: TimelineEntry) -> impl IntoView + use<> {
    let debit = detail.debits.iter().find(|debit| Some(debit.id) == entry.debit_id);
    let subject = match debit {
        Some(debit) => format!("Debit {}", debit.sequence),
        None if entry.refund_id.is_some() => "A refund".to_owned(),
        None => "The advance".to_owned(),
    };
    let sought = sought(detail, debit, &entry);
    let rule = entry.rule.clone().map(|rule| view! { <Rule rule/> });
    let run = entry.run_id.map(|run| view! { <a href=format!("/runs/{run}")>"run"</a> });
    view! {
        <li>
            <div class="when"><At at=entry.at/></div>
            <div class="rule-cell">{rule}</div>
            <div class="what">
                <strong>{title(&entry)}</strong>
                " "
                <span class="quiet">{subject}</span>
                " "
                {run}
                <p>{sentence(detail, debit, &entry)}</p>
                {sought.map(|sought| view! { <RawRowView sought/> })}
            </div>
        </li>
    }
}

/// Which row of which report an observation is; only the report's have one.
fn sought(detail: &CreditDetail, debit: Option<&Debit>, entry: &TimelineEntry) -> Option<Sought> {
    if entry.source? != Source::Report {
        return None;
    }
    let refund = detail.refunds.iter().find(|refund| Some(refund.id) == entry.refund_id);
    let (subject, transaction) = match (debit, refund) {
        (Some(debit), _) => (debit.id.0, &debit.transaction_id),
        (None, Some(refund)) => (refund.id.0, &refund.transaction_id),
        (None, None) => (detail.credit.id.0, &detail.credit.transaction_id),
    };
    Some(Sought {
        run_id: entry.run_id?,
        subject,
        transaction_id: transaction.clone().map(String::from),
        at: entry.at,
    })
}

/// What a fact is called.
fn title(entry: &TimelineEntry) -> String {
    if let Some(source) = entry.source {
        return labels::source(source).to_owned();
    }
    let title = match entry.kind.as_str() {
        "requested" => "Asked for",
        "unknown_answer" => "Answer unknown",
        "transaction" => "Transaction named",
        "debit" => "Debit added",
        "cancelled" => "Debit cancelled",
        "word" => "Word takes effect",
        "timed_out" => "Timed out",
        "processed" => "Issued",
        "exception_opened" => "Exception opened",
        "exception_closed" => "Exception closed",
        "held" => "Held",
        "released" => "Released",
        "written_off" => "Written off",
        "operation" => "Operator",
        "external_payment" => "Paid elsewhere",
        "refund" => "Given back",
        "external_payment_revoked" => "Payment revoked",
        other => return other.replace('_', " "),
    };
    title.to_owned()
}

/// What a person should know, with amounts and dates in the reader's language where the shapes have them.
fn sentence(detail: &CreditDetail, debit: Option<&Debit>, entry: &TimelineEntry) -> String {
    let credit = &detail.credit;
    match (entry.kind.as_str(), debit) {
        ("requested", _) => format!(
            "An advance of {}, {} owed in all, in {}.",
            money(credit.amount.get(), &credit.currency),
            money(owed(credit), &credit.currency),
            labels::cadence(credit.installments, credit.interval_days)
        ),
        ("debit", Some(debit)) => {
            let replaces = debit.replaces.map(|n| format!(", in place of debit {n}")).unwrap_or_default();
            let amount = money(debit.amount.get(), &credit.currency);
            format!("{amount} due {}: {}{replaces}.", date(debit.due_date), labels::reason(debit.reason))
        }
        ("processed", Some(debit)) => {
            format!("{} is to be collected.", money(debit.amount.get(), &credit.currency))
        }
        ("cancelled", Some(debit)) => {
            debit.cancelled_because.map(labels::because).unwrap_or_default().to_owned()
        }
        // Who said it is in the title.
        ("observation", _) => with_meaning(entry.detail.replacen(&by(entry), "", 1), entry),
        // The instant of a word is that of the observation before it, which is on the screen.
        ("word", _) => with_meaning(entry.detail.split(" at ").next().unwrap_or_default().to_owned(), entry),
        ("exception_opened" | "exception_closed", _) => match entry.detail.split_once(": ") {
            Some((kind, detail)) => format!("{}: {detail}", kind_in_words(kind)),
            None => entry.detail.clone(),
        },
        ("held", _) => {
            let kind = entry.detail.strip_prefix("held by ").and_then(|rest| rest.split(' ').next());
            kind.map_or_else(
                || entry.detail.clone(),
                |kind| format!("by the exception {}", kind_in_words(kind)),
            )
        }
        ("released", _) => match entry.detail.strip_prefix("released from ") {
            Some(kind) => format!("from the exception {}", kind_in_words(kind)),
            None => entry.detail.clone(),
        },
        _ => entry.detail.clone(),
    }
}

/// How the detail of an observation says who said it.
fn by(entry: &TimelineEntry) -> String {
    let source = match entry.source {
        Some(Source::Report) => "report",
        Some(Source::Refusal) => "refusal",
        Some(Source::Decision) => "decision",
        None => return String::new(),
    };
    format!(" by {source}")
}

/// With what its return code means.
fn with_meaning(text: String, entry: &TimelineEntry) -> String {
    match entry.code.as_deref().and_then(labels::code) {
        Some(meaning) => format!("{text}, {}", meaning.to_lowercase()),
        None => text,
    }
}

/// What an exception of the named kind is called.
fn kind_in_words(name: &str) -> String {
    let known = labels::KINDS.into_iter().find(|kind| kind.name() == name);
    known.map_or_else(|| name.to_owned(), |kind| labels::kind(kind).to_owned())
}
