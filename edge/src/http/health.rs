//! What is running, and by which settings.

use axum::http::StatusCode;
use paydown::api::{Health, HealthStatus, LastRun, NoQuery, Settings};
use paydown::calendar::{DueDateRoll, FederalReserve, Holidays};
use paydown::date::Instant;
use paydown::money::Cents;

use super::call::{Answered, Call, json};
use crate::ledger::metrics::{LastRuns, last_runs};
use crate::ledger::{listings, stops};

/// How long a book may be without a complete run: a day, and half of one to mend what went wrong.
const MAX_HOURS: i64 = 36;

/// Days of a year, of any.
const YEAR: u32 = 366;

/// `GET /healthz`, for everybody: 503 while money is not looked after.
pub async fn health(call: Call) -> Answered {
    let now = call.ports.clock.now().await?;
    let reasons = reasons(&last_runs(&*call.ports.database).await?, now);
    let last = listings::runs(&*call.ports.database, None, 1).await?.into_iter().next();
    let last_run = last.map(|run| LastRun {
        id: run.id,
        as_of: run.as_of,
        status: run.status,
        age_seconds: now.signed_duration_since(run.as_of).num_seconds(),
    });
    let (status, code) = if reasons.is_empty() {
        (HealthStatus::Ok, StatusCode::OK)
    } else {
        (HealthStatus::Unhealthy, StatusCode::SERVICE_UNAVAILABLE)
    };
    let health = Health {
        status,
        reasons,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: call.ports.settings.commit.clone(),
        schema_version: listings::SCHEMA_VERSION,
        last_run,
    };
    json(code, &health)
}

fn reasons(last: &LastRuns, now: Instant) -> Vec<String> {
    let hours_since = |at: Instant| now.signed_duration_since(at).num_hours();
    let since = last.complete.or(last.first_credit);
    let mut reasons = last.broken.clone();
    if since.is_some_and(|at| hours_since(at) >= MAX_HOURS) {
        let known = last.complete.map_or_else(
            || "no run was complete yet".to_owned(),
            |at| format!("the last complete run is {} hours old", hours_since(at)),
        );
        reasons.push(known);
    }
    reasons
}

/// `GET /v1/settings`.
pub async fn settings(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let settings = &call.ports.settings;
    let cents = |limit: u64| Cents::from_balance(i128::from(limit));
    let holidays = match settings.policy.due_date_roll {
        DueDateRoll::None => Holidays::default(),
        DueDateRoll::Following => {
            let today = settings.zone.business_date(call.ports.clock.now().await?);
            Holidays::of(&FederalReserve, today.minus_days(YEAR), YEAR.saturating_mul(31))
        }
    };
    let shown = Settings {
        currency: settings.currency.clone(),
        max_advance: cents(settings.max_advance),
        max_per_account: settings.max_per_account.map(cents),
        max_per_day: settings.max_per_day.map(cents),
        max_debits_per_run: settings.max_debits_per_run,
        max_debited_per_run: settings.max_debited_per_run.map(cents),
        intake: settings.intake,
        report_window_days: settings.report_window_days,
        business_time_zone: settings.business_time_zone.clone(),
        offsets: settings.zone.clone(),
        holidays,
        policy: settings.policy.clone(),
        stop: stops::stop(&*call.ports.database).await?,
        sandbox: settings.sandbox,
    };
    json(StatusCode::OK, &shown)
}
