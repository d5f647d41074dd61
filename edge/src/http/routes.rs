//! The routes of the API: which method of which path, who may call it, and what answers. Nothing reaches a handler
//! but through this table.

use std::pin::Pin;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use paydown::api::Scope;
use worker::send::SendFuture;

use super::call::{Answered, Call};
#[cfg(feature = "sandbox")]
use super::sandbox;
use super::{
    advances, credits, debits, events, exceptions, health, journal, keys, metrics, operations, plan, runs,
    session, stops, summary, webhooks,
};
use crate::ports::Ports;

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Its HTTP method, in lower case.
    pub method: &'static str,
    /// Its path, with names in braces for what varies.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Anyone,
    /// Who is logged in, by the session's cookie alone.
    Session,
    /// Who has a key, or the session of a key, with the scope. It is looked up before the handler sees the call.
    Scope(Scope),
    /// The same, but the handler looks the key up itself, in the batch that also records what is asked.
    InBatch(Scope),
}

macro_rules! routes {
    ($($(#[$only:meta])* $method:ident $path:literal, $access:expr, $handler:path;)*) => {
        /// All routes.
        pub const ROUTES: &[Route] = &[
            $($(#[$only])* Route { method: stringify!($method), path: $path, access: $access },)*
        ];

        /// The router over all of them.
        pub fn router() -> Router<Ports> {
            let routes = Router::new();
            $($(#[$only])* let routes = routes.route($path, $method(handler($access, |call| Box::pin($handler(call)))));)*
            routes
        }
    };
}

routes! {
    post "/v1/perform_advance", Access::InBatch(Scope::Advance), advances::perform;
    get "/v1/credits", Access::Scope(Scope::Read), credits::list;
    get "/v1/credits/{id}", Access::Scope(Scope::Read), credits::one;
    get "/v1/credits/{id}/facts", Access::Scope(Scope::Read), credits::facts;
    post "/v1/credits/{id}/hold", Access::Scope(Scope::Operate), operations::hold;
    post "/v1/credits/{id}/release", Access::Scope(Scope::Operate), operations::release;
    post "/v1/credits/{id}/write_off", Access::Scope(Scope::Operate), operations::write_off;
    post "/v1/credits/{id}/pay_off", Access::Scope(Scope::Operate), operations::pay_off;
    post "/v1/credits/{id}/pause", Access::Scope(Scope::Operate), operations::pause;
    post "/v1/credits/{id}/external_payment", Access::Scope(Scope::Operate), operations::external_payment;
    post "/v1/credits/{id}/external_payment/{payment_id}/revoke", Access::Scope(Scope::Operate), operations::revoke;
    post "/v1/credits/{id}/refund", Access::Scope(Scope::Operate), operations::refund;
    post "/v1/credits/{id}/decision", Access::Scope(Scope::Operate), operations::decide_credit;
    post "/v1/credits/{id}/attach", Access::Scope(Scope::Operate), operations::attach_credit;
    get "/v1/debits", Access::Scope(Scope::Read), debits::list;
    post "/v1/debits/{id}/decision", Access::Scope(Scope::Operate), operations::decide_debit;
    post "/v1/debits/{id}/attach", Access::Scope(Scope::Operate), operations::attach_debit;
    post "/v1/refunds/{id}/decision", Access::Scope(Scope::Operate), operations::decide_refund;
    post "/v1/refunds/{id}/attach", Access::Scope(Scope::Operate), operations::attach_refund;
    get "/v1/runs", Access::Scope(Scope::Read), runs::list;
    post "/v1/runs", Access::Scope(Scope::Operate), runs::start;
    get "/v1/runs/{id}", Access::Scope(Scope::Read), runs::one;
    get "/v1/runs/{id}/report", Access::Scope(Scope::Read), runs::report;
    get "/v1/exceptions", Access::Scope(Scope::Read), exceptions::list;
    get "/v1/exceptions/{id}", Access::Scope(Scope::Read), exceptions::one;
    post "/v1/exceptions/{id}/resolution", Access::Scope(Scope::Operate), exceptions::resolve;
    post "/v1/exceptions/resolutions", Access::Scope(Scope::Operate), exceptions::resolve_many;
    post "/v1/stop", Access::Scope(Scope::Operate), stops::stop;
    post "/v1/start", Access::Scope(Scope::Operate), stops::start;
    get "/v1/keys", Access::Scope(Scope::Admin), keys::list;
    post "/v1/keys", Access::Scope(Scope::Admin), keys::create;
    delete "/v1/keys/{id}", Access::Scope(Scope::Admin), keys::revoke;
    get "/v1/webhook_endpoints", Access::Scope(Scope::Admin), webhooks::list;
    post "/v1/webhook_endpoints", Access::Scope(Scope::Admin), webhooks::create;
    get "/v1/webhook_endpoints/{id}", Access::Scope(Scope::Admin), webhooks::one;
    post "/v1/webhook_endpoints/{id}", Access::Scope(Scope::Admin), webhooks::change;
    delete "/v1/webhook_endpoints/{id}", Access::Scope(Scope::Admin), webhooks::remove;
    post "/v1/webhook_endpoints/{id}/pause", Access::Scope(Scope::Admin), webhooks::pause;
    post "/v1/webhook_endpoints/{id}/resume", Access::Scope(Scope::Admin), webhooks::resume;
    post "/v1/webhook_endpoints/{id}/rotate_secret", Access::Scope(Scope::Admin), webhooks::rotate_secret;
    post "/v1/webhook_endpoints/{id}/rewind", Access::Scope(Scope::Admin), webhooks::rewind;
    get "/v1/webhook_endpoints/{id}/deliveries", Access::Scope(Scope::Admin), webhooks::deliveries;
    post "/v1/webhook_endpoints/{id}/events/{event_id}/resend", Access::Scope(Scope::Admin), webhooks::resend;
    post "/v1/session", Access::Anyone, session::log_in;
    get "/v1/session", Access::Session, session::who_am_i;
    delete "/v1/session", Access::Session, session::log_out;
    get "/v1/journal", Access::Scope(Scope::Read), journal::list;
    get "/v1/events", Access::Scope(Scope::Read), events::list;
    get "/v1/summary", Access::Scope(Scope::Read), summary::summary;
    get "/v1/plan", Access::Scope(Scope::Read), plan::plan;
    get "/v1/settings", Access::Scope(Scope::Read), health::settings;
    get "/v1/metrics", Access::Scope(Scope::Read), metrics::metrics;
    get "/healthz", Access::Anyone, health::health;
    #[cfg(feature = "sandbox")]
    post "/v1/sandbox/clock", Access::Scope(Scope::Operate), sandbox::advance;
}

/// A handler as axum wants it, behind its door. All handlers are of one type: each type of its own would be a copy of the
/// router's code and of the door's. The ports' futures stay on one thread, as the platform has only one.
fn handler(
    access: Access,
    handle: Handler,
) -> impl Fn(State<Ports>, Request) -> Handling + Clone + Send + Sync + 'static {
    move |State(ports), request| Box::pin(SendFuture::new(answered(ports, request, access, handle)))
}

type Handler = fn(Call) -> Pin<Box<dyn Future<Output = Answered>>>;

type Handling = Pin<Box<dyn Future<Output = Response> + Send>>;

async fn answered(ports: Ports, request: Request, access: Access, handle: Handler) -> Response {
    let mut call = Call::of(ports, request);
    let passed = match (call.allowance().await, access) {
        (Ok(()), Access::Scope(scope)) => call.authorize(scope).await,
        (Ok(()), Access::Session) => call.identify().await,
        (allowance, Access::Anyone | Access::Session | Access::Scope(_) | Access::InBatch(_)) => allowance,
    };
    let caller = call.caller();
    let mut response = match passed {
        Ok(()) => handle(call).await.into_response(),
        Err(problem) => problem.into_response(),
    };
    if let Some(caller) = caller {
        response.extensions_mut().insert(caller);
    }
    response
}
