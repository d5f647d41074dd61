//! API keys: made, listed, revoked. The secret is shown once; only its hash is kept.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use paydown::api::{ApiKey, NewApiKey, NoQuery, Page, PageQuery, Scope};
use paydown::date::text;
use uuid::Uuid;

use super::body::{Body, trimmed};
use super::call::{Answered, Call, cursor, json};
use super::csv::csv_or_json;
use super::problem::Problem;
use crate::ledger::keys::{self, KeyPlace, NewKey};

/// The largest body that is read.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// The longest label.
const MAX_LABEL_CHARS: usize = 100;

/// `GET /v1/keys`: newest first, the revoked ones too.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<PageQuery>()?;
    let limit = asked.limit();
    let behind = asked.cursor().unwrap_or_else(|| KeyPlace { created_at: "~".into(), id: "~".into() });
    asked.check()?;
    let mut data = keys::list(&*call.ports.database, &behind, limit.saturating_add(1)).await?;
    let has_more = data.len() > limit;
    data.truncate(limit);
    let last = data.last().filter(|_| has_more);
    let place = last.map(|key| KeyPlace { created_at: text(key.created_at), id: key.id.to_string() });
    let next_cursor = place.map(|place| cursor(&place)).transpose()?;
    csv_or_json(&call, &Page { data, next_cursor })
}

/// `POST /v1/keys` `{scopes, label}`.
pub async fn create(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let (scopes, label) = asked(call.body(MAX_BODY_BYTES).await?)?;
    let created_at = call.ports.clock.real_now().await?;
    // Two random UUIDs: 244 bits that nobody guesses.
    let key = format!("pd_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let id = Uuid::new_v4();
    let database = &*call.ports.database;
    keys::add(database, &NewKey { id, key: &key, label: &label, scopes: &scopes, created_at }).await?;
    let kept = ApiKey { id, label, scopes, created_at, last_used_on: None, revoked_at: None };
    let mut response = json(StatusCode::CREATED, &NewApiKey { kept, key })?;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/keys/{id}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// `DELETE /v1/keys/{id}`: the key and its sessions are worth nothing from then on. Revoked already, it stays so.
pub async fn revoke(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id: Uuid = call.id("key")?;
    let database = &*call.ports.database;
    let at = call.ports.clock.real_now().await?;
    keys::revoke(database, id, at).await?;
    let key = keys::one(database, id).await?;
    let key = key.ok_or_else(|| Problem::not_found(format!("there is no key {id}")))?;
    if key.revoked_at.is_none() {
        return Err(Problem::conflict("this is the last key that can make others: make another one first"));
    }
    json(StatusCode::OK, &key)
}

/// The scopes and the label that are asked for, or all that is wrong with them.
fn asked(mut body: Body) -> Result<(Vec<Scope>, String), Problem> {
    let expected = "must be a list of read, advance, operate and admin, not empty";
    let scopes = body.named("scopes", expected).map(|mut scopes: Vec<Scope>| {
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    });
    if scopes.as_ref().is_some_and(Vec::is_empty) {
        body.wrong("scopes", expected);
    }
    let expected = format!("must be a text of 1 to {MAX_LABEL_CHARS} characters");
    let label = body.text("label", &expected, |label| trimmed(label, MAX_LABEL_CHARS));
    body.finish(scopes.zip(label))
}
