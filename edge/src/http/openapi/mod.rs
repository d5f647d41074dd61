//! `/openapi.json`: the description of the API for programs, OpenAPI 3.1, made from the table of routes and the types
//! of `paydown::api`. It is written where the dashboard is built and served as a file; the Worker does not carry it.

mod operation;
mod operations;
mod refusals;
mod schemas;

use paydown::api::Problem;
use serde_json::{Map, Value, json};

use operations::operation;
use refusals::refusals;
use schemas::Schemas;

use super::routes::ROUTES;

/// The description of all routes.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let problem = schemas.answered::<Problem>();
    let mut paths = Map::new();
    // The sandbox is never part of a deployment.
    for route in ROUTES.iter().filter(|route| !route.path.starts_with("/v1/sandbox/")) {
        if let Some(operation) = operation(route, &mut schemas) {
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            if let Value::Object(methods) = path {
                methods.insert(route.method.to_owned(), operation.finished(route));
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Paydown",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Cash advances and their repayment, every cent accounted for.",
            "description": ABOUT,
        },
        "servers": [{ "url": "/", "description": "This installation" }],
        "tags": TAGS.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "responses": refusals(&problem),
            "securitySchemes": {
                "api_key": { "type": "http", "scheme": "bearer", "description": "An API key, by its secret." },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "paydown_session",
                    "description": "The dashboard's session, begun by POST /v1/session.",
                },
            },
        },
    })
}

const ABOUT: &str = "Amounts are integers in minor units of the one configured currency. Instants end in `_at` and are \
RFC 3339 in UTC; civil dates are `YYYY-MM-DD` in the business time zone. Unknown members and parameters are refused. \
Every answer carries `X-Request-Id`; what is refused is an RFC 9457 problem whose `code` is for programs. A list is \
read page by page: its `next_cursor` is the `cursor` of the next call, and a page may be short although more follows. \
Each list is CSV by `Accept: text/csv`, its next page in the header `Link`.";

const TAGS: [(&str, &str); 11] = [
    ("advances", "Money leaves, once for each idempotency key."),
    ("credits", "The advances and how they are repaid."),
    ("debits", "What is collected, and when."),
    ("refunds", "What was paid too much, and goes back."),
    ("runs", "The daily debits processor."),
    ("exceptions", "What a person must look at."),
    ("events", "What happened, to be told once."),
    ("webhooks", "Where events are sent."),
    ("operators", "Stop and start."),
    ("access", "API keys and the dashboard's sessions."),
    ("figures", "The book in numbers, and by which settings it is kept."),
];
