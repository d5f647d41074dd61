//! A client of the API over a world in memory. Each answer is held against the description of the API.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_executor::block_on;
use paydown::api::Scope;
use paydown_edge::http::router;
use paydown_edge::ledger::keys::{NewKey, add};

use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use crate::description::is_described;
use crate::memory::World;
use crate::replay::replay;

/// A Monday, an hour before the daily run.
pub const NOW: &str = "2026-01-05T05:00:00Z";

/// The key with all scopes.
pub const KEY: &str = "pd_test_all";

/// A world with its API.
#[derive(Clone)]
pub struct Client {
    /// The world.
    pub world: World,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Response {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub text: String,
    /// The same as JSON, null where it is none.
    pub body: Value,
}

impl Response {
    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of text"))
    }

    /// That it is a problem with this status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), self.body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], u64::from(status));
        for member in ["type", "title", "detail", "request_id"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {self:?}");
        }
    }
}

impl Default for Client {
    fn default() -> Client {
        Client::new()
    }
}

impl Client {
    /// A client of an empty book at [`NOW`].
    pub fn new() -> Client {
        Client::of(World::at(NOW))
    }

    /// A client of a world, with the key of all scopes.
    pub fn of(world: World) -> Client {
        let client = Client { world };
        client.add_key(KEY, &Scope::ALL);
        client
    }

    /// Adds an API key by its secret.
    pub fn add_key(&self, key: &str, scopes: &[Scope]) {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes());
        let new = NewKey { id, key, label: "test", scopes, created_at: NOW.parse().expect("an instant") };
        let database = Arc::clone(&self.world.database);
        block_on(add(&database.sqlite, &new)).expect("the key is added");
    }

    /// Sends a request; the answer is one that the description of the API names.
    #[track_caller]
    pub fn send(&self, request: Request<Body>) -> Response {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = block_on(router(self.world.ports()).oneshot(request)).expect("a router never fails");
        let (parts, body) = response.into_parts();
        let bytes = block_on(to_bytes(body, usize::MAX)).expect("the whole body");
        let text = String::from_utf8(bytes.to_vec()).expect("a body of text");
        assert!(!parts.headers["x-request-id"].is_empty());
        let body = serde_json::from_str(&text).unwrap_or_default();
        let response = Response { status: parts.status, headers: parts.headers, text, body };
        is_described(&method, &path, &response);
        response
    }

    /// What a route answers to the key of all scopes.
    pub fn get(&self, path: &str) -> Response {
        let request = Request::get(path).header("authorization", format!("Bearer {KEY}"));
        self.send(request.body(Body::empty()).expect("a request"))
    }

    /// What a route answers that must answer.
    #[track_caller]
    pub fn read(&self, path: &str) -> Value {
        let response = self.get(path);
        assert_eq!(response.status, StatusCode::OK, "{path}: {response:?}");
        response.body
    }

    /// What a route answers to a body.
    pub fn post(&self, path: &str, body: &str) -> Response {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).expect("a request"))
    }

    /// What is answered to a request for an advance.
    pub fn advance(&self, idempotency_key: &str, body: &str) -> Response {
        self.send(advance(idempotency_key, body))
    }

    /// What is answered to what an operator does.
    pub fn operate(&self, path: &str, idempotency_key: &str, body: &Value) -> Response {
        self.send(keyed(path, idempotency_key, &body.to_string()))
    }

    /// That the inputs alone give the book again (L10.4).
    #[track_caller]
    pub fn replays(&self) {
        let replayed = replay(&self.world.database.sqlite, &|key| self.world.archive.object(key));
        assert!(replayed.is_equal(), "{}", replayed.told());
    }

    /// How many rows each table of the ledger has that is not empty, but for the key of the tests and its use.
    pub fn written(&self) -> Vec<(String, usize)> {
        let tables = self.world.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
        let rows = |table: &String| self.world.query(&format!("SELECT 1 FROM {table}")).len();
        let others = tables.iter().filter(|table| !table.starts_with("api_key"));
        let counts = others.map(|table| (table.clone(), rows(table)));
        counts.filter(|(_, rows)| *rows > 0).collect()
    }
}

/// A request for an advance with the key of all scopes.
pub fn advance(idempotency_key: &str, body: &str) -> Request<Body> {
    keyed("/v1/perform_advance", idempotency_key, body)
}

/// A request with an idempotency key, and the key of all scopes.
pub fn keyed(path: &str, idempotency_key: &str, body: &str) -> Request<Body> {
    Request::post(path)
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "application/json")
        .header("idempotency-key", idempotency_key)
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

/// The body of an ordinary advance.
pub const ORDINARY: &str = r#"{"account_id": "acct_8841", "amount": 100000}"#;
