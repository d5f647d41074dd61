//! Webhook endpoints: made, listed, changed, paused, removed; their log; and what is sent again.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use paydown::api::{EventType, NewWebhookEndpoint, NoQuery, Page, PageQuery, WebhookEndpoint, WebhookStatus};
use paydown::date::text;
use paydown::id::EventId;
use uuid::Uuid;

use super::body::{Body, trimmed};
use super::call::{Answered, Call, cursor, json};
use super::csv::csv_or_json;
use super::problem::Problem;
use crate::ledger::events;
use crate::ledger::webhooks::{self, DeliveryPlace, EndpointPlace, MAX_ENDPOINTS, Standing, Version};
use crate::run;
use crate::webhooks::{Destination, secret};

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 8 * 1024;

/// The longest label.
const MAX_LABEL_CHARS: usize = 100;

/// How often an endpoint is changed again when someone else changed it in between.
const ATTEMPTS: u32 = 5;

/// `GET /v1/webhook_endpoints`: newest first, the removed ones too.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<PageQuery>()?;
    let limit = asked.limit();
    let behind = asked.cursor().unwrap_or_else(|| EndpointPlace { created_at: "~".into(), id: "~".into() });
    asked.check()?;
    let mut data = webhooks::list(&*call.ports.database, &behind, limit.saturating_add(1)).await?;
    let has_more = data.len() > limit;
    data.truncate(limit);
    let last = data.last().filter(|_| has_more);
    let place = last.map(|of| EndpointPlace { created_at: text(of.created_at), id: of.id.to_string() });
    let next_cursor = place.map(|place| cursor(&place)).transpose()?;
    csv_or_json(&call, &Page { data, next_cursor })
}

/// `POST /v1/webhook_endpoints` `{url, event_types, label}`: it is told what happens from now on.
pub async fn create(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let is_local = call.ports.settings.is_local;
    let wanted = wanted(call.body(MAX_BODY_BYTES).await?, is_local)?;
    let at = call.ports.clock.real_now().await?;
    let first = Version {
        id: Uuid::new_v4(),
        version: 1,
        url: wanted.url,
        event_types: wanted.event_types,
        label: wanted.label,
        secret: new_secret(),
        status: WebhookStatus::Active,
        actor: call.actor(),
        why: None,
        at,
    };
    if !webhooks::add(&*call.ports.database, &first, Uuid::new_v4()).await? {
        return Err(Problem::conflict(format!("there are {MAX_ENDPOINTS} endpoints: remove one first")));
    }
    let kept = found(&call, first.id).await?;
    let place = format!("/v1/webhook_endpoints/{}", first.id);
    let mut response = json(StatusCode::CREATED, &NewWebhookEndpoint { kept, secret: first.secret })?;
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// `GET /v1/webhook_endpoints/{id}`.
pub async fn one(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    json(StatusCode::OK, &found(&call, call.id("webhook endpoint")?).await?)
}

/// `POST /v1/webhook_endpoints/{id}` `{url, event_types, label}`: from now on it is this.
pub async fn change(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id = call.id("webhook endpoint")?;
    let is_local = call.ports.settings.is_local;
    let wanted = wanted(call.body(MAX_BODY_BYTES).await?, is_local)?;
    let changed = |version: Version| Version {
        url: wanted.url.clone(),
        event_types: wanted.event_types.clone(),
        label: wanted.label.clone(),
        ..version
    };
    put(&call, id, &changed).await?;
    json(StatusCode::OK, &found(&call, id).await?)
}

/// `DELETE /v1/webhook_endpoints/{id}`: nothing is sent to it any more. Removed already, it stays so.
pub async fn remove(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id = call.id("webhook endpoint")?;
    if found(&call, id).await?.status != WebhookStatus::Removed {
        put(&call, id, &|version| Version { status: WebhookStatus::Removed, ..version }).await?;
    }
    json(StatusCode::OK, &found(&call, id).await?)
}

/// `POST /v1/webhook_endpoints/{id}/pause` `{}`: what happens meanwhile waits.
pub async fn pause(mut call: Call) -> Answered {
    let id = asked_nothing(&mut call).await?;
    put(&call, id, &|version| Version { status: WebhookStatus::Paused, ..version }).await?;
    json(StatusCode::OK, &found(&call, id).await?)
}

/// `POST /v1/webhook_endpoints/{id}/resume` `{}`: it goes on where it stopped, at once.
pub async fn resume(mut call: Call) -> Answered {
    let id = asked_nothing(&mut call).await?;
    put(&call, id, &|version| Version { status: WebhookStatus::Active, ..version }).await?;
    run::go_on(&call.ports, id).await?;
    run::wake_webhooks(&call.ports).await;
    json(StatusCode::OK, &found(&call, id).await?)
}

/// `POST /v1/webhook_endpoints/{id}/rotate_secret` `{}`: the old one signs too for a day.
pub async fn rotate_secret(mut call: Call) -> Answered {
    let id = asked_nothing(&mut call).await?;
    let secret = new_secret();
    put(&call, id, &|version| Version { secret: secret.clone(), ..version }).await?;
    json(StatusCode::OK, &NewWebhookEndpoint { kept: found(&call, id).await?, secret })
}

/// `POST /v1/webhook_endpoints/{id}/rewind` `{after}`: all behind an event is sent anew.
pub async fn rewind(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id = call.id("webhook endpoint")?;
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let expected = "must be the id of an event, or null for the first of all";
    let after: Option<EventId> = body.or_null("after", |body, name| body.named(name, expected));
    body.finish(Some(()))?;
    standing(&call, id).await?;
    let up_to = match after {
        Some(event) => {
            let found = events::event(&*call.ports.database, event).await?;
            found.ok_or_else(|| Problem::conflict(format!("there is no event {event}")))?.0
        }
        None => 0,
    };
    run::rewind(&call.ports, id, up_to).await?;
    run::wake_webhooks(&call.ports).await;
    json(StatusCode::OK, &found(&call, id).await?)
}

/// `GET /v1/webhook_endpoints/{id}/deliveries`: newest first.
pub async fn deliveries(call: Call) -> Answered {
    let mut asked = call.parameters::<PageQuery>()?;
    let limit = asked.limit();
    let behind = asked.cursor().unwrap_or_else(DeliveryPlace::before_all);
    asked.check()?;
    let id = call.id("webhook endpoint")?;
    found(&call, id).await?;
    let database = &*call.ports.database;
    let mut examined = webhooks::deliveries(database, id, &behind, limit.saturating_add(1)).await?;
    let has_more = examined.len() > limit;
    examined.truncate(limit);
    let last = examined.last().filter(|_| has_more);
    let next_cursor = last.map(|(place, _)| cursor(place)).transpose()?;
    let data = examined.into_iter().map(|(_, delivery)| delivery).collect();
    csv_or_json(&call, &Page { data, next_cursor })
}

/// `POST /v1/webhook_endpoints/{id}/events/{event_id}/resend` `{}`: the event once more, now; the answer says what became of
/// it.
pub async fn resend(mut call: Call) -> Answered {
    let id = asked_nothing(&mut call).await?;
    let event_id: EventId =
        call.segment(5).parse().map_err(|_| Problem::not_found("there is no such event"))?;
    let standing = standing(&call, id).await?;
    let event = events::event(&*call.ports.database, event_id).await?;
    let event = event.ok_or_else(|| Problem::not_found(format!("there is no event {event_id}")))?;
    json(StatusCode::OK, &run::resend(&call.ports, &standing, &event, call.actor()).await?)
}

/// What an endpoint is to be.
struct Wanted {
    url: String,
    event_types: Vec<EventType>,
    label: String,
}

fn wanted(mut body: Body, is_local: bool) -> Result<Wanted, Problem> {
    let given: Option<String> = body.text("url", "must be a URL", |text| Some(text.to_owned()));
    let url = given.and_then(|text| match Destination::parse(&text, is_local) {
        Ok(to) => Some(to.as_str().to_owned()),
        Err(why) => {
            body.wrong("url", why);
            None
        }
    });
    let expected = "must be a list of types of events, such as credit.repaid";
    let event_types = body.optional("event_types", |body, name| body.named(name, expected));
    let mut event_types: Vec<EventType> = event_types.unwrap_or_default();
    event_types.sort_unstable();
    event_types.dedup();
    let expected = format!("must be a text of 1 to {MAX_LABEL_CHARS} characters");
    let label = body.text("label", &expected, |label| trimmed(label, MAX_LABEL_CHARS));
    body.finish(url.zip(label).map(|(url, label)| Wanted { url, event_types, label }))
}

/// Two random UUIDs: 244 bits that nobody guesses.
fn new_secret() -> String {
    secret(&[Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes()].concat())
}

/// The endpoint of a call that asks for nothing more.
async fn asked_nothing(call: &mut Call) -> Result<Uuid, Problem> {
    call.parameters::<NoQuery>()?.check()?;
    call.body(MAX_BODY_BYTES).await?.finish(Some(()))?;
    call.id("webhook endpoint")
}

/// Makes an endpoint another, whoever changes it at the same time. One that was removed stays as it is.
async fn put(call: &Call, id: Uuid, change: &dyn Fn(Version) -> Version) -> Result<(), Problem> {
    for _ in 0..ATTEMPTS {
        let standing = standing(call, id).await?;
        let now = call.ports.clock.real_now().await?;
        let before = standing.endpoint;
        let version = before.version.saturating_add(1);
        let next = Version { version, actor: call.actor(), why: None, at: now, ..change(before) };
        if webhooks::change(&*call.ports.database, &next).await? {
            return Ok(());
        }
    }
    Err(Problem::conflict("the endpoint kept changing: try again"))
}

/// How an endpoint stands that was not removed.
async fn standing(call: &Call, id: Uuid) -> Result<Standing, Problem> {
    let now = call.ports.clock.real_now().await?;
    let standing = run::standing(&call.ports, id, now).await?.ok_or_else(|| no_such(id))?;
    if standing.endpoint.status == WebhookStatus::Removed {
        return Err(Problem::conflict("the endpoint was removed: make another one"));
    }
    Ok(standing)
}

async fn found(call: &Call, id: Uuid) -> Result<WebhookEndpoint, Problem> {
    webhooks::one(&*call.ports.database, id).await?.ok_or_else(|| no_such(id))
}

fn no_such(id: Uuid) -> Problem {
    Problem::not_found(format!("there is no webhook endpoint {id}"))
}
