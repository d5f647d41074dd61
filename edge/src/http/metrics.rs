//! `GET /v1/metrics`: what an operator alerts on, in the text format of Prometheus (version 0.0.4).

use std::fmt::Write;

use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use paydown::api::NoQuery;
use paydown::credit::Kind;
use paydown::date::{Instant, days_before};
use paydown::policy::{RETURN_RATE_DAYS, ReturnClass};

use super::call::{Answered, Call};
use crate::ledger::metrics::{Figures, figures};

/// The metrics of now.
pub async fn metrics(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let now = call.ports.clock.now().await?;
    let figures =
        figures(&*call.ports.database, &call.ports.settings.zone, days_before(now, RETURN_RATE_DAYS)).await?;
    let mut response = text(&figures, now).into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    Ok(response)
}

fn text(figures: &Figures, now: Instant) -> String {
    let mut text = String::new();
    let seconds =
        |at: Option<Instant>| at.map(|at| now.signed_duration_since(at).num_seconds().max(0).to_string());
    let runs =
        figures.runs.iter().map(|(status, count)| (format!("{{status=\"{status}\"}}"), count.to_string()));
    let open = |kind: &Kind| {
        let found = figures.open_exceptions.iter().find(|(name, _)| name == kind.name());
        (format!("{{kind=\"{}\"}}", kind.name()), found.map_or(0, |(_, count)| *count).to_string())
    };
    let returned = |class: ReturnClass| -> u64 {
        let counted =
            figures.returned.iter().filter(|(code, _)| class.counts(code.as_deref().unwrap_or_default()));
        counted.map(|(_, count)| *count).fold(0, u64::saturating_add)
    };
    let of_class = |class: ReturnClass| format!("{{class=\"{}\"}}", class.name());
    let alone =
        |value: Option<String>| value.map(|value| (String::new(), value)).into_iter().collect::<Vec<_>>();

    family(&mut text, "paydown_runs_total", "counter", "Closed runs by status.", runs.collect());
    let name = "paydown_last_run_age_seconds";
    family(
        &mut text,
        name,
        "gauge",
        "Seconds since the instant of the last run.",
        alone(seconds(figures.last.run)),
    );
    let name = "paydown_last_complete_run_age_seconds";
    let help = "Seconds since the instant of the last complete run.";
    family(&mut text, name, "gauge", help, alone(seconds(figures.last.complete)));
    let name = "paydown_oldest_unknown_transaction_age_seconds";
    let help = "Seconds since the oldest call whose transaction id is not known; absent without one.";
    family(&mut text, name, "gauge", help, alone(seconds(figures.oldest_unknown_at)));
    let help = "Exceptions that wait for a person, by kind.";
    family(&mut text, "paydown_open_exceptions", "gauge", help, Kind::ALL.iter().map(open).collect());
    let help = "Debits processed in the 60 days that the return rates look at.";
    family(
        &mut text,
        "paydown_debits_originated",
        "gauge",
        help,
        alone(Some(figures.originated.to_string())),
    );
    let classes = ReturnClass::ALL.map(|class| (of_class(class), returned(class).to_string()));
    let help = "Those of them that came back or were refused, by class of return.";
    family(&mut text, "paydown_debits_returned", "gauge", help, classes.to_vec());
    let levels = ReturnClass::ALL.map(|class| {
        let points = class.level_basis_points();
        (of_class(class), format!("{}.{:04}", points / 10_000, points % 10_000))
    });
    let help = "The share of returned in originated debits above which the network asks questions.";
    family(&mut text, "paydown_return_rate_level", "gauge", help, levels.to_vec());
    let help = "Queue messages that could not be handled.";
    family(
        &mut text,
        "paydown_dead_letters_total",
        "counter",
        help,
        alone(Some(figures.dead_letters.to_string())),
    );
    let help = "1 while a stop is in force.";
    let stopped = u8::from(figures.stop.in_force).to_string();
    family(&mut text, "paydown_stopped", "gauge", help, alone(Some(stopped)));
    text
}

/// One metric with its samples.
fn family(text: &mut String, name: &str, kind: &str, help: &str, samples: Vec<(String, String)>) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}
