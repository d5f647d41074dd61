//! The HTTP API: the routes of the contract, each a handler that is given the whole call.
//!
//! Every response gets its request id here, and every problem its body, those of the router's own refusals
//! included.

mod advances;
mod call;
mod credits;
mod debits;
mod exceptions;
mod health;
mod operations;
mod plan;
mod problem;
mod runs;
#[cfg(feature = "sandbox")]
mod sandbox;
mod session;
mod summary;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use uuid::Uuid;
use worker::send::SendFuture;

use call::{Answered, Call, RequestId};
use problem::Problem;

use crate::ports::Ports;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes over a world.
pub fn router(ports: Ports) -> Router {
    let routes = Router::new();
    #[cfg(feature = "sandbox")]
    let routes = routes.route("/v1/sandbox/clock", post(handler(sandbox::advance)));
    routes
        .route("/v1/perform_advance", post(handler(advances::perform)))
        .route("/v1/credits", get(handler(credits::list)))
        .route("/v1/credits/{id}", get(handler(credits::one)))
        .route("/v1/credits/{id}/facts", get(handler(credits::facts)))
        .route("/v1/credits/{id}/hold", post(handler(operations::hold)))
        .route("/v1/credits/{id}/release", post(handler(operations::release)))
        .route("/v1/debits", get(handler(debits::list)))
        .route("/v1/runs", get(handler(runs::list)).post(handler(runs::start)))
        .route("/v1/runs/{id}", get(handler(runs::one)))
        .route("/v1/runs/{id}/report", get(handler(runs::report)))
        .route("/v1/exceptions", get(handler(exceptions::list)))
        .route("/v1/exceptions/{id}/resolution", post(handler(operations::resolve)))
        .route(
            "/v1/session",
            post(handler(session::log_in)).get(handler(session::who_am_i)).delete(handler(session::log_out)),
        )
        .route("/v1/summary", get(handler(summary::summary)))
        .route("/v1/plan", get(handler(plan::plan)))
        .route("/v1/settings", get(handler(health::settings)))
        .route("/healthz", get(handler(health::health)))
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(identified))
        .with_state(ports)
}

/// A handler as axum wants it. The ports' futures stay on one thread, as the platform has only one.
fn handler<H, F>(handle: H) -> impl Fn(State<Ports>, Request) -> SendFuture<F> + Clone + Send + Sync + 'static
where
    H: Fn(Call) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answered> + 'static,
{
    move |State(ports), request| SendFuture::new(handle(Call::of(ports, request)))
}

async fn no_such_route(request: Request) -> Problem {
    Problem::not_found(format!("there is no route {}", request.uri().path()))
}

async fn no_such_method(request: Request) -> Problem {
    Problem::method_not_allowed(format!("{} does not take {}", request.uri().path(), request.method()))
}

/// Gives the request its id, and the response the same; renders problems.
async fn identified(mut request: Request, next: Next) -> Response {
    let id = Uuid::new_v4().to_string();
    let is_head = request.method() == Method::HEAD;
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = problem.or_else(|| failed.then(|| Problem::of_status(response.status()))) {
        response = problem.render(response, &id);
    }
    if is_head {
        *response.body_mut() = Body::empty();
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response.into_response()
}
