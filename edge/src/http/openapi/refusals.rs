//! How a request can be refused, whatever it asks for.

use schemars::Schema;
use serde_json::{Map, Value, json};

/// The responses that operations refer to, by their status.
pub fn refusals(problem: &Schema) -> Map<String, Value> {
    let response = |(status, description)| (u16::to_string(&status), refusal(status, description, problem));
    REFUSALS.map(response).into_iter().collect()
}

/// Each status, and what it says.
const REFUSALS: [(u16, &str); 11] = [
    (400, "The request cannot be read."),
    (401, "No key, an unknown one, or a revoked one; or nobody is logged in."),
    (403, "The key lacks the scope."),
    (404, "There is no such thing."),
    (409, "The book stands otherwise."),
    (413, "The body is too large."),
    (415, "The body is not JSON by its content type."),
    (422, "The request is not valid, or the law does not allow it; `code` says which."),
    (429, "Too many requests for this key."),
    (500, "Something went wrong here."),
    (503, "Try again later."),
];

fn refusal(status: u16, description: &str, problem: &Schema) -> Value {
    json!({
        "description": description, "headers": headers(status),
        "content": { "application/problem+json": { "schema": problem } },
    })
}

/// The header of every answer.
pub fn request_id() -> Value {
    json!({ "X-Request-Id": { "description": "The id of the request, as the log has it.", "schema": { "type": "string" } } })
}

fn headers(status: u16) -> Value {
    let mut headers = request_id();
    if let (Value::Object(headers), 429 | 503) = (&mut headers, status) {
        let schema =
            json!({ "description": "Seconds to wait.", "schema": { "type": "integer", "minimum": 0 } });
        headers.insert("Retry-After".into(), schema);
    }
    if let (Value::Object(headers), 429) = (&mut headers, status) {
        let schema = json!({ "description": "What is left of the allowance, and when it is whole again: `\"requests\";r=0;t=10`.",
            "schema": { "type": "string" } });
        headers.insert("RateLimit".into(), schema);
    }
    headers
}
