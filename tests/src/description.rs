//! The description of the API, and what it says of an answer.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use paydown_edge::http::openapi::document;
use serde_json::Value;

use crate::client::Response;

/// The description, as it is made from the code's own types.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// Its operations: path, method, and what is said of them.
pub fn operations() -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            operations.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    operations
}

/// That an answer is one that the description names, with its headers and its shape.
#[track_caller]
pub fn is_described(method: &str, path: &str, response: &Response) {
    let path = path.split('?').next().unwrap_or_default();
    if path.starts_with("/v1/sandbox/") {
        return;
    }
    let operations = operations();
    let template = template_of(&operations, path);
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let described = operations.iter().find(|(path, m, _)| Some(path.as_str()) == template && *m == method);
    let Some((template, _, operation)) = described else {
        // No such route, or not by this method.
        assert!(
            [404, 405].contains(&response.status.as_u16()),
            "{method} {path} is not described: {response:?}"
        );
        return;
    };
    let status = response.status.as_u16().to_string();
    let mut described = &operation["responses"][&status];
    if let Some(reference) = described["$ref"].as_str() {
        described =
            DOCUMENT.pointer(reference.strip_prefix('#').unwrap_or_default()).expect("what it refers to");
    }
    assert!(described.is_object(), "{method} {template} does not name {status}: {response:?}");
    for name in described["headers"].as_object().into_iter().flat_map(serde_json::Map::keys) {
        let is_sent = response.headers.contains_key(name.to_lowercase());
        // A stop says when to come back; a fault may not know.
        assert!(is_sent || name == "Retry-After", "{method} {template} {status} has no {name}");
    }
    if response.text.is_empty() {
        return;
    }
    let kind = response.header("content-type").split(';').next().unwrap_or_default();
    let content = &described["content"][kind];
    assert!(content.is_object(), "{method} {template} {status} does not name {kind}");
    if kind.ends_with("json") {
        let found: Vec<String> = validator(&content["schema"])
            .iter_errors(&response.body)
            .map(|e| format!("{e} at {}", e.instance_path()))
            .collect();
        assert!(found.is_empty(), "{method} {template} {status}: {found:?} in {}", response.text);
    }
}

/// The template that a path is of: what stands literally goes before what varies, as in the router.
fn template_of<'a>(operations: &'a [(String, String, Value)], path: &str) -> Option<&'a str> {
    let path: Vec<&str> = path.split('/').collect();
    let varies = |part: &&str| part.starts_with('{');
    let is_of = |template: &&str| {
        let parts: Vec<&str> = template.split('/').collect();
        parts.len() == path.len() && parts.iter().zip(&path).all(|(part, p)| varies(part) || part == p)
    };
    let templates = operations.iter().map(|(template, _, _)| template.as_str()).filter(is_of);
    templates.min_by_key(|template| template.split('/').filter(varies).count())
}

/// A schema of the description as a validator, with all that it refers to.
pub fn validator(schema: &Value) -> Arc<Validator> {
    static MADE: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let key = schema.to_string();
    let mut made = MADE.lock().expect("no test panics here");
    made.entry(key)
        .or_insert_with(|| {
            let mut whole = schema.clone();
            whole["components"] = DOCUMENT["components"].clone();
            Arc::new(
                jsonschema::draft202012::options()
                    .should_validate_formats(true)
                    .build(&whole)
                    .expect("a schema"),
            )
        })
        .clone()
}
