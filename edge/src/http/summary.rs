//! The dashboard's figures, worked out by core from the facts of all credits.

use axum::http::StatusCode;
use paydown::api::{SummaryQuery, Summing};
use paydown::date::BusinessDate;

use super::call::{Answered, Call, json};
use crate::ledger;
use crate::ledger::listings;

/// How many days before and after today the figures by day show, unless asked otherwise.
const DAYS_AROUND: u32 = 28;

/// How many days the figures by day show at most.
const MAX_DAYS: i64 = 366;

/// How many credits are read at once.
const SLICE: usize = 250;

/// `GET /v1/summary`.
pub async fn summary(call: Call) -> Answered {
    let mut asked = call.parameters::<SummaryQuery>()?;
    let now = call.ports.clock.now().await?;
    let zone = &call.ports.settings.zone;
    let today = zone.business_date(now);
    let from: Option<BusinessDate> = asked.parsed("from", "a date, YYYY-MM-DD");
    let to: Option<BusinessDate> = asked.parsed("to", "a date, YYYY-MM-DD");
    let (from, to) = match (from, to) {
        (None, None) => (today.minus_days(DAYS_AROUND), today.plus_days(DAYS_AROUND)),
        (Some(from), None) => (from, from.plus_days(DAYS_AROUND.saturating_mul(2))),
        (None, Some(to)) => (to.minus_days(DAYS_AROUND.saturating_mul(2)), to),
        (Some(from), Some(to)) => (from, to),
    };
    if !(0..MAX_DAYS).contains(&to.days_since(from)) {
        asked.wrong("to", &format!("must be from 0 to {} days after from", MAX_DAYS - 1));
    }
    asked.check()?;

    let database = &*call.ports.database;
    let mut summing = Summing::default();
    let mut behind = String::new();
    loop {
        let credits = listings::credits_behind(database, &behind, SLICE).await?;
        let Some(last) = credits.last() else { break };
        behind = last.to_string();
        for facts in ledger::facts::facts(database, &credits).await? {
            summing.add(&facts, today, |at| zone.business_date(at));
        }
    }
    let open_exceptions = listings::open_exceptions(database).await?;
    json(StatusCode::OK, &summing.finish(now, from, to, open_exceptions))
}
