//! One call of the API: what came, who may, and how it is answered.

use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::body::{Body as Stream, Bytes, to_bytes};
use axum::extract::{Query, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use paydown::api::{FieldError, Scope};
use paydown::id::CreditId;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::body::Body;
use super::idempotency;
use super::problem::{Problem, pointer};
use crate::ledger::keys::{self, Key};
use crate::ledger::sessions::{self, Session};
use crate::log;
use crate::ports::Ports;

/// The cookie that holds a session's token.
pub const SESSION_COOKIE: &str = "paydown_session";

/// The id of a request, made where it came in.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// A call on its way in.
pub struct Call {
    /// The world.
    pub ports: Ports,
    /// The request's id.
    pub request_id: String,
    /// Its headers.
    pub headers: HeaderMap,
    uri: Uri,
    body: Stream,
    key: Option<Key>,
    session: Option<Session>,
}

/// Which key a call came with, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller(pub Uuid);

/// What became of an advance, for the log's line of its request.
#[derive(Debug, Clone)]
pub struct AdvanceOutcome {
    /// The credit.
    pub credit_id: CreditId,
    /// What the processor's answer came to.
    pub outcome: &'static str,
    /// So much of the account as a log may hold.
    pub account: String,
}

/// What a handler answers.
pub type Answered = Result<Response, Problem>;

impl Call {
    /// The call that a request is.
    pub fn of(ports: Ports, request: Request) -> Call {
        let (parts, body) = request.into_parts();
        let request_id = parts.extensions.get::<RequestId>().map_or_else(String::new, |id| id.0.clone());
        Call { ports, request_id, headers: parts.headers, uri: parts.uri, body, key: None, session: None }
    }

    /// The hash of the API key that the call presents; 401 without one.
    pub fn key_hash(&self) -> Result<String, Problem> {
        let presented = self.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = presented.and_then(|text| {
            let (scheme, key) = text.trim().split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| key.trim()).filter(|key| !key.is_empty())
        });
        let key =
            key.ok_or_else(|| Problem::unauthorized("send an API key as Authorization: Bearer <key>"))?;
        Ok(keys::hash(key))
    }

    /// Counts the call for its caller: the key, the session, or the address that it comes with; 429 when he asked too
    /// much.
    pub async fn allowance(&self) -> Result<(), Problem> {
        let address = || self.headers.get("cf-connecting-ip").and_then(|value| value.to_str().ok());
        let caller = match (self.key_hash(), self.session_token()) {
            (Ok(hash), _) => hash,
            (Err(_), Some(token)) => keys::hash(&token),
            (Err(_), None) => address().unwrap_or("nowhere").to_owned(),
        };
        if self.ports.limiter.allows(&caller).await { Ok(()) } else { Err(Problem::too_many_requests()) }
    }

    /// Lets the call pass if its API key, or that of its session, has the scope.
    pub async fn authorize(&mut self, scope: Scope) -> Result<(), Problem> {
        let session = if self.headers.contains_key(AUTHORIZATION) { None } else { self.of_cookie().await? };
        let key = match session {
            Some(session) => Some(session.key),
            None => keys::key(&*self.ports.database, &self.key_hash()?).await?,
        };
        let key = allowed(key, scope)?;
        let today = self.ports.clock.now().await?.date_naive();
        if let Err(fault) = keys::used(&*self.ports.database, &key, today).await {
            // It is no reason to refuse the call.
            let about = serde_json::json!({ "key": key.id, "fault": fault.to_string() });
            log::error("the use of a key is not recorded", about);
        }
        self.key = Some(key);
        Ok(())
    }

    /// Lets the call pass if somebody is logged in, whatever key it came with.
    pub async fn identify(&mut self) -> Result<(), Problem> {
        let session = self.of_cookie().await?.ok_or_else(nobody)?;
        self.key = Some(session.key.clone());
        self.session = Some(session);
        Ok(())
    }

    /// Which key the call came with, once it was let pass.
    pub fn caller(&self) -> Option<Caller> {
        self.key.as_ref().map(|key| Caller(key.id))
    }

    /// Who acts: what the key is called that the call came with.
    pub fn actor(&self) -> String {
        self.key.as_ref().map_or_else(String::new, |key| key.label.clone())
    }

    /// The session of the call, where one was asked for.
    pub fn session(&self) -> Result<&Session, Problem> {
        self.session.as_ref().ok_or_else(nobody)
    }

    /// The session that the call's cookie stands for. A cookie never speaks for another site's page.
    async fn of_cookie(&self) -> Result<Option<Session>, Problem> {
        let Some(token) = self.session_token() else { return Ok(None) };
        let site = self.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
        if site.is_some_and(|site| site != "same-origin" && site != "none") {
            return Err(Problem::unauthorized("a session is for the pages of this installation alone"));
        }
        let now = self.ports.clock.real_now().await?;
        Ok(sessions::session(&*self.ports.database, &keys::hash(&token), now).await?)
    }

    /// The token in the call's session cookie.
    pub fn session_token(&self) -> Option<String> {
        let cookies = self.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(name, _)| *name == SESSION_COOKIE).map(|(_, token)| token.to_owned())
    }

    /// The idempotency key: of the header `Idempotency-Key`, bare or quoted, 1 to 255 printable ASCII characters.
    pub fn idempotency_key(&self) -> Result<String, Problem> {
        idempotency::key(&self.headers)
    }

    /// Whether the call came over an encrypted connection.
    pub fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The id that is the path's third segment, as in `/v1/credits/{id}`; 404 if it cannot be one.
    pub fn id<T: FromStr>(&self, noun: &str) -> Result<T, Problem> {
        let segment = self.segment(3);
        segment.parse().map_err(|_| Problem::not_found(format!("there is no {noun} {segment}")))
    }

    /// A segment of the path, from 1.
    pub fn segment(&self, number: usize) -> &str {
        self.uri.path().split('/').nth(number).unwrap_or_default()
    }

    /// The path and query of the call, but from `cursor` on.
    pub fn with_cursor(&self, cursor: &str) -> String {
        let query = self.uri.query().unwrap_or_default();
        let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let pairs: Vec<&str> = others.collect();
        let separator = if pairs.is_empty() { "" } else { "&" };
        format!("{}?{}{separator}cursor={cursor}", self.uri.path(), pairs.join("&"))
    }

    /// The query's parameters, of which only the fields of `Q` may be given, each once.
    pub fn parameters<Q: DeserializeOwned>(&self) -> Result<Parameters, Problem> {
        let known = fields::<Q>();
        let query = Query::<Vec<(String, String)>>::try_from_uri(&self.uri);
        let Query(given) = query.map_err(|_| Problem::bad_request("the query cannot be read"))?;
        let mut parameters = Parameters { given: vec![], errors: vec![] };
        for (name, value) in given {
            if !known.contains(&name.as_str()) {
                parameters.wrong(&name, "is not a parameter of this route");
            } else if parameters.given.iter().any(|(other, _)| *other == name) {
                parameters.wrong(&name, "is given more than once");
            } else {
                parameters.given.push((name, value));
            }
        }
        Ok(parameters)
    }

    /// The body, at most `limit` bytes of JSON: 415, 413 or 400 if it is no such object.
    pub async fn body(&mut self, limit: usize) -> Result<Body, Problem> {
        if !is_json(&self.headers) {
            return Err(Problem::unsupported_media_type());
        }
        Body::parse(&self.bytes(limit).await?)
    }

    async fn bytes(&mut self, limit: usize) -> Result<Bytes, Problem> {
        let too_large = || Problem::too_large(format!("the body has more than {limit} bytes"));
        let announced = self.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: u64| usize::try_from(length).map_or(true, |length| length > limit))
        {
            return Err(too_large());
        }
        let body = std::mem::take(&mut self.body);
        to_bytes(body, limit).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            // The body's reader names its limit in its own words; everything else is a broken connection.
            if cause.contains("length limit") {
                too_large()
            } else {
                Problem::bad_request("the body broke off")
            }
        })
    }
}

fn nobody() -> Problem {
    Problem::unauthorized("nobody is logged in")
}

/// The key, if it is known, not revoked, and has the scope.
pub fn allowed(key: Option<Key>, scope: Scope) -> Result<Key, Problem> {
    let key =
        key.filter(|key| !key.revoked).ok_or_else(|| Problem::unauthorized("the API key is not known"))?;
    if key.scopes.contains(&scope) { Ok(key) } else { Err(Problem::forbidden(scope.name())) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    essence.eq_ignore_ascii_case("application/json")
        && parts.all(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            !name.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        })
}

/// An answer with a JSON body.
pub fn json(status: StatusCode, body: &impl Serialize) -> Answered {
    let text = serde_json::to_string(body).map_err(crate::error::Fault::from)?;
    let mut response = (status, text).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The parameters of a query, and what is wrong with them so far.
pub struct Parameters {
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Parameters {
    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<String> {
        self.given.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone())
    }

    /// A parameter that parses; `expected` says what it must be.
    pub fn parsed<T: FromStr>(&mut self, name: &str, expected: &str) -> Option<T> {
        let text = self.text(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.wrong(name, &format!("must be {expected}"));
        }
        parsed
    }

    /// A parameter that is one of an enum's names.
    pub fn named<T: DeserializeOwned>(&mut self, name: &str, expected: &str) -> Option<T> {
        let named = serde_json::from_value(Value::String(self.text(name)?)).ok();
        if named.is_none() {
            self.wrong(name, &format!("must be {expected}"));
        }
        named
    }

    /// A whole number in a range.
    pub fn number<N: TryFrom<u64>>(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<N> {
        let text = self.text(name)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| digits && range.contains(number));
        let number = number.and_then(|number: u64| N::try_from(number).ok());
        if number.is_none() {
            self.wrong(name, &format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// How many entries a page has: `limit`, 1 to 200, 50 by default.
    pub fn limit(&mut self) -> usize {
        self.number::<u32>("limit", 1..=200).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50)
    }

    /// Where the page begins: what an earlier answer's `next_cursor` stands for.
    pub fn cursor<T: DeserializeOwned>(&mut self) -> Option<T> {
        let text = self.text("cursor")?;
        let cursor = unhexed(&text).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if cursor.is_none() {
            self.wrong("cursor", "must be the next_cursor of an earlier answer");
        }
        cursor
    }

    /// Notes that something is wrong with a parameter.
    pub fn wrong(&mut self, name: &str, detail: &str) {
        self.errors.push(FieldError { pointer: pointer(name), detail: detail.to_owned() });
    }

    /// 422 with all that is wrong, if anything is.
    pub fn check(&mut self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(std::mem::take(&mut self.errors))) }
    }
}

/// The names of a struct's fields, as its derived `Deserialize` knows them.
pub fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    match T::deserialize(Asking) {
        Err(Fields(names)) => names,
        Ok(_) => &[],
    }
}

/// Deserializes nothing: it takes down what fields it is asked for.
struct Asking;

/// The fields that were asked for.
#[derive(Debug)]
struct Fields(&'static [&'static str]);

impl std::fmt::Display for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Fields {}

impl serde::de::Error for Fields {
    fn custom<T: std::fmt::Display>(_: T) -> Fields {
        Fields(&[])
    }
}

impl<'de> serde::Deserializer<'de> for Asking {
    type Error = Fields;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, _: V) -> Result<V::Value, Fields> {
        Err(Fields(&[]))
    }

    fn deserialize_struct<V: serde::de::Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fields> {
        Err(Fields(fields))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The opaque text of a cursor.
pub fn cursor(place: &impl Serialize) -> Result<String, Problem> {
    let text = serde_json::to_string(place).map_err(crate::error::Fault::from)?;
    Ok(keys::hexadecimal(text.as_bytes()))
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let digits =
        text.bytes().map(|byte| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()));
    let digits: Option<Vec<u8>> = digits.collect();
    let pairs = digits?;
    let bytes = pairs.chunks(2).map(|pair| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    });
    bytes.collect()
}
