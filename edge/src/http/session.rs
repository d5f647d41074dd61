//! The dashboard's login: an API key is exchanged for a session cookie that no script can read.

use axum::body::Body;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use chrono::TimeDelta;
use paydown::api::{NoQuery, WhoAmI};
use uuid::Uuid;

use super::call::{Answered, Call, SESSION_COOKIE, json};
use super::problem::Problem;
use crate::ledger::keys::{self, Key};
use crate::ledger::sessions::{self, Session};

/// How long a session lasts: a working day.
const HOURS: i64 = 12;

/// The largest body of a login.
const MAX_BODY_BYTES: usize = 4 * 1024;

/// `POST /v1/session` `{key}`: logs in.
pub async fn log_in(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let key = body.text("key", "must be an API key", |key| Some(key.to_owned()));
    let presented = body.finish(key)?;
    let database = &*call.ports.database;
    let found = keys::key(database, &keys::hash(&presented)).await?.filter(|key| !key.revoked);
    let key: Key = found.ok_or_else(|| Problem::unauthorized("the API key is not known, or was revoked"))?;
    let from = call.ports.clock.real_now().await?;
    let expires_at = from.checked_add_signed(TimeDelta::hours(HOURS)).unwrap_or(from);
    // Two random UUIDs: 244 bits that nobody guesses.
    let token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    sessions::begin(database, &keys::hash(&token), &key, from, expires_at).await?;
    let response = json(StatusCode::OK, &who(&Session { key, expires_at }))?;
    Ok(with_cookie(response, &call, &token, HOURS.saturating_mul(3600)))
}

/// `GET /v1/session`: who is logged in.
pub async fn who_am_i(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    json(StatusCode::OK, &who(call.session()?))
}

/// `DELETE /v1/session`: logs out; the token is worth nothing from then on.
pub async fn log_out(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    if let Some(token) = call.session_token() {
        let now = call.ports.clock.real_now().await?;
        sessions::end(&*call.ports.database, &keys::hash(&token), now).await?;
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Ok(with_cookie(response, &call, "", 0))
}

fn who(session: &Session) -> WhoAmI {
    let Session { key, expires_at } = session;
    WhoAmI { label: key.label.clone(), scopes: key.scopes.clone(), expires_at: *expires_at }
}

fn with_cookie(mut response: Response, call: &Call, token: &str, seconds: i64) -> Response {
    let secure = if call.is_secure() { "; Secure" } else { "" };
    let cookie =
        format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}
