//! What is running, and by which settings.

use axum::http::StatusCode;
use paydown::api::{Health, LastRun, Scope, Settings};
use paydown::money::Cents;

use super::call::{Answered, Call, json};
use crate::ledger::listings;

/// `GET /healthz`, for everybody.
pub async fn health(call: Call) -> Answered {
    let now = call.ports.clock.now().await?;
    let last = listings::runs(&*call.ports.database, None, 1).await?.into_iter().next();
    let last_run = last.map(|run| LastRun {
        id: run.id,
        as_of: run.as_of,
        status: run.status,
        age_seconds: now.signed_duration_since(run.as_of).num_seconds(),
    });
    let health = Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("PAYDOWN_COMMIT").unwrap_or("unknown").to_owned(),
        schema_version: listings::SCHEMA_VERSION,
        last_run,
    };
    json(StatusCode::OK, &health)
}

/// `GET /v1/settings`.
pub async fn settings(call: Call) -> Answered {
    call.authorize(Scope::Read).await?;
    call.parameters(&[])?.check()?;
    let settings = &call.ports.settings;
    let shown = Settings {
        currency: settings.currency.clone(),
        max_advance: Cents::from_balance(i128::from(settings.max_advance)),
        report_window_days: settings.report_window_days,
        // The only zone that the configuration takes so far.
        business_time_zone: "UTC".to_owned(),
        policy: settings.policy.clone(),
        sandbox: settings.sandbox,
    };
    json(StatusCode::OK, &shown)
}
