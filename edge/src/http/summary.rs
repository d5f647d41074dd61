//! The dashboard's figures: those of the last run, with what was decided since.

use axum::http::StatusCode;
use paydown::api::SummaryQuery;
use paydown::date::BusinessDate;

use super::call::{Answered, Call, json};
use crate::ledger::{figures, listings};

/// How many days before and after today the figures by day show, unless asked otherwise.
const DAYS_AROUND: u32 = 28;

/// How many days the figures by day show at most.
const MAX_DAYS: i64 = 366;

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
    let days: Vec<BusinessDate> = (0..MAX_DAYS)
        .filter_map(|n| Some(from.plus_days(u32::try_from(n).ok()?)))
        .take_while(|day| *day <= to)
        .collect();
    let figures = figures::now(database, zone, &days).await?;
    let exceptions = listings::open_exceptions(database).await?;
    let left = figures::left_by_day(database, from, to).await?;
    json(StatusCode::OK, &figures.summary(now, today, (from, to), exceptions, &left))
}
