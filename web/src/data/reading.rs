//! The reading endpoints, a function each.

use std::fmt::Display;

use paydown::api::{
    ApiKey, Credit, CreditDetail, Debit, Exception, ExceptionDetail, Page, Run, RunDetail, Settings, Summary,
    WebhookDelivery, WebhookEndpoint, WhoAmI,
};
use paydown::credit::{Facts, Kind};
use paydown::date::BusinessDate;
use paydown::id::{CreditId, ExceptionId};
use uuid::Uuid;

use super::query::Path;
use super::remote::{Remote, SESSION, remote};
use super::{Answer, request};

/// How many rows a page of a list has.
const PAGE: u32 = 50;

/// What a list of credits is asked for; texts as they stand in the address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreditsAsked {
    /// The status.
    pub status: Option<String>,
    /// The whole account id.
    pub account_id: Option<String>,
    /// Created after this instant.
    pub created_after: Option<String>,
    /// Created before this instant.
    pub created_before: Option<String>,
    /// Text to look for.
    pub q: Option<String>,
    /// `created_at` or `-created_at`.
    pub sort: Option<String>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// `GET /v1/credits`
pub fn credits(asked: impl Fn() -> CreditsAsked + Send + Sync + 'static) -> Remote<Page<Credit>> {
    remote(move || {
        let asked = asked();
        Path::new("/v1/credits")
            .with("status", asked.status)
            .with("account_id", asked.account_id)
            .with("created_after", asked.created_after)
            .with("created_before", asked.created_before)
            .with("q", asked.q)
            .with("sort", asked.sort)
            .with("limit", Some(PAGE))
            .with("cursor", asked.cursor)
            .text()
    })
}

/// `GET /v1/credits/{id}`
pub fn credit(id: impl Fn() -> String + Send + Sync + 'static) -> Remote<CreditDetail> {
    remote(move || format!("/v1/credits/{}", id()))
}

/// `GET /v1/credits/{id}/facts`
pub fn facts(id: impl Fn() -> String + Send + Sync + 'static) -> Remote<Facts> {
    remote(move || format!("/v1/credits/{}/facts", id()))
}

/// `GET /v1/credits/{id}/facts`, once: where a credit stands after something was done to it.
pub async fn facts_now(id: CreditId) -> Answer<Facts> {
    let text = request::get(&format!("/v1/credits/{id}/facts")).await?;
    request::parse(&text)
}

/// What a list of debits is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebitsAsked {
    /// The status.
    pub status: Option<String>,
    /// Due on this date or later.
    pub due_from: Option<String>,
    /// Due on this date or earlier.
    pub due_to: Option<String>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// `GET /v1/debits`
pub fn debits(asked: impl Fn() -> DebitsAsked + Send + Sync + 'static) -> Remote<Page<Debit>> {
    remote(move || {
        let asked = asked();
        Path::new("/v1/debits")
            .with("status", asked.status)
            .with("due_from", asked.due_from)
            .with("due_to", asked.due_to)
            .with("limit", Some(PAGE))
            .with("cursor", asked.cursor)
            .text()
    })
}

/// The date of the last run, if there was one.
pub async fn last_run_on() -> Answer<Option<BusinessDate>> {
    let path = Path::new("/v1/runs").with("limit", Some(1));
    let page: Page<Run> = request::parse(&request::get(&path.text()).await?)?;
    Ok(page.data.first().map(|run| run.business_date))
}

/// The date of the first scheduled debit after a day, if one is due.
pub async fn next_due(after: BusinessDate) -> Answer<Option<BusinessDate>> {
    let path =
        Path::new("/v1/debits").with("status", Some("scheduled")).with("due_from", Some(after.plus_days(1)));
    let page: Page<Debit> = request::parse(&request::get(&path.with("limit", Some(1)).text()).await?)?;
    Ok(page.data.first().map(|debit| debit.due_date))
}

/// `GET /v1/runs`
pub fn runs(limit: u32, cursor: impl Fn() -> Option<String> + Send + Sync + 'static) -> Remote<Page<Run>> {
    remote(move || Path::new("/v1/runs").with("limit", Some(limit)).with("cursor", cursor()).text())
}

/// `GET /v1/runs/{id}`
pub fn run(id: impl Fn() -> String + Send + Sync + 'static) -> Remote<RunDetail> {
    remote(move || format!("/v1/runs/{}", id()))
}

/// What a list of exceptions is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExceptionsAsked {
    /// `open` or `resolved`.
    pub status: Option<String>,
    /// The kind.
    pub kind: Option<String>,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// `GET /v1/exceptions`
pub fn exceptions(asked: impl Fn() -> ExceptionsAsked + Send + Sync + 'static) -> Remote<Page<Exception>> {
    remote(move || {
        let asked = asked();
        Path::new("/v1/exceptions")
            .with("status", asked.status)
            .with("kind", asked.kind)
            .with("limit", Some(PAGE))
            .with("cursor", asked.cursor)
            .text()
    })
}

/// `GET /v1/exceptions`, once and to the end: all open ones of a kind.
pub async fn open_of_kind(kind: Kind) -> Answer<Vec<Exception>> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let path = Path::new("/v1/exceptions").with("status", Some("open")).with("kind", Some(kind.name()));
        let text = request::get(&path.with("limit", Some(200)).with("cursor", cursor).text()).await?;
        let page: Page<Exception> = request::parse(&text)?;
        all.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// `GET /v1/exceptions/{id}`
pub fn exception(id: ExceptionId) -> Remote<ExceptionDetail> {
    remote(move || format!("/v1/exceptions/{id}"))
}

/// `GET /v1/summary`, of the days from one date to another.
pub fn summary<D: Display>(
    days: impl Fn() -> (Option<D>, Option<D>) + Send + Sync + 'static,
) -> Remote<Summary> {
    remote(move || {
        let (from, to) = days();
        Path::new("/v1/summary").with("from", from).with("to", to).text()
    })
}

/// `GET /v1/settings`
pub fn settings() -> Remote<Settings> {
    remote(|| "/v1/settings".to_owned())
}

/// The newest credits that a text finds, so many at most. Asked once, and not kept.
pub async fn find(q: &str, limit: usize) -> Answer<Page<Credit>> {
    let path = Path::new("/v1/credits").with("q", Some(q)).with("limit", Some(limit));
    request::parse(&request::get(&path.text()).await?)
}

/// The newest 200 runs. Asked once, and not kept.
pub async fn latest_runs() -> Answer<Page<Run>> {
    request::parse(&request::get("/v1/runs?limit=200").await?)
}

/// `GET /v1/keys`
pub fn keys(cursor: impl Fn() -> Option<String> + Send + Sync + 'static) -> Remote<Page<ApiKey>> {
    remote(move || Path::new("/v1/keys").with("limit", Some(PAGE)).with("cursor", cursor()).text())
}

/// `GET /v1/webhook_endpoints`
pub fn webhook_endpoints(
    cursor: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Remote<Page<WebhookEndpoint>> {
    remote(move || {
        Path::new("/v1/webhook_endpoints").with("limit", Some(PAGE)).with("cursor", cursor()).text()
    })
}

/// `GET /v1/webhook_endpoints/{id}`
pub fn webhook_endpoint(id: Uuid) -> Remote<WebhookEndpoint> {
    remote(move || format!("/v1/webhook_endpoints/{id}"))
}

/// `GET /v1/webhook_endpoints/{id}/deliveries`
pub fn webhook_deliveries(
    id: Uuid,
    cursor: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Remote<Page<WebhookDelivery>> {
    let path = format!("/v1/webhook_endpoints/{id}/deliveries");
    remote(move || Path::new(&path).with("limit", Some(PAGE)).with("cursor", cursor()).text())
}

/// `GET /v1/session`
pub fn session() -> Remote<WhoAmI> {
    remote(|| SESSION.to_owned())
}
