//! The HTTP API: the routes of the contract, each a handler that is given the whole call.
//!
//! Every response gets its request id here, and every problem its body, those of the router's own refusals
//! included.

mod advances;
mod body;
mod call;
mod credits;
mod csv;
mod debits;
mod events;
mod exceptions;
mod health;
mod idempotency;
mod journal;
mod keys;
mod metrics;
#[cfg(not(target_arch = "wasm32"))]
pub mod openapi;
mod operations;
mod plan;
mod problem;
mod routes;
mod runs;
#[cfg(feature = "sandbox")]
mod sandbox;
mod session;
mod stops;
mod summary;
mod webhooks;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::json;
use uuid::Uuid;

use call::{AdvanceOutcome, Caller, RequestId};
use problem::Problem;
pub use routes::{Access, ROUTES, Route};

use crate::log;
use crate::ports::{LIMIT_REQUESTS, LIMIT_SECONDS, Ports};

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes over a world.
pub fn router(ports: Ports) -> Router {
    routes::router()
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(identified))
        .with_state(ports)
}

async fn no_such_route(request: Request) -> Problem {
    Problem::not_found(format!("there is no route {}", request.uri().path()))
}

async fn no_such_method(request: Request) -> Problem {
    Problem::method_not_allowed(format!("{} does not take {}", request.uri().path(), request.method()))
}

/// Gives the request its id, and the response the same; renders problems; leaves a line in the log.
async fn identified(mut request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let is_secure = request.uri().scheme_str() == Some("https");
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let caller = response.extensions().get::<Caller>().map(|caller| caller.0);
    let outcome = response.extensions_mut().remove::<AdvanceOutcome>();
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let problem = response.extensions_mut().remove::<Problem>();
    let is_json = response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if let Some(problem) =
        problem.or_else(|| (failed && !is_json).then(|| Problem::of_status(response.status())))
    {
        response = problem.render(response, &id);
    }
    if method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    protect(response.headers_mut(), is_secure);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    log_request(&id, &method, &path, &response, caller, outcome);
    response
}

/// One line for each request: what came, from whom, and what became of it.
fn log_request(
    id: &str,
    method: &Method,
    path: &str,
    response: &Response,
    caller: Option<Uuid>,
    outcome: Option<AdvanceOutcome>,
) {
    let mut line = json!({
        "request_id": id, "method": method.as_str(), "path": path, "status": response.status().as_u16(),
        "api_key_id": caller,
    });
    if let (Some(line), Some(AdvanceOutcome { credit_id, outcome, account })) =
        (line.as_object_mut(), outcome)
    {
        line.insert("credit_id".into(), json!(credit_id));
        line.insert("outcome".into(), json!(outcome));
        line.insert("account".into(), json!(account));
    }
    log::info("request", line);
}

/// What keeps an answer from being framed, sniffed, cached or read in the clear (OWASP, REST security cheat sheet).
fn protect(headers: &mut HeaderMap, is_secure: bool) {
    let protections = [
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in protections {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The platform's limiter does not say how much is left; how much there is, everybody may know.
    if let Ok(policy) = HeaderValue::from_str(&format!("\"requests\";q={LIMIT_REQUESTS};w={LIMIT_SECONDS}")) {
        headers.insert(RATE_LIMIT_POLICY, policy);
    }
    if is_secure {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
