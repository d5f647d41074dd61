//! The description of the API: it is what `openapi.json` holds, it describes every route, its examples can be carried
//! out, and every answer that any of these tests receives is one that it names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use paydown_edge::http::{Access, ROUTES};
use paydown_tests::description::{DOCUMENT, operations, validator};
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};

use crate::client::{Client, KEY, ORDINARY, keyed};

/// The file that is served, and that programs may be made from.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../edge/openapi.json");

#[test]
fn the_file_is_the_description() {
    let mut text = serde_json::to_string_pretty(&*DOCUMENT).expect("JSON");
    text.push('\n');
    if std::env::var_os("PAYDOWN_UPDATE").is_some() {
        fs::write(Path::new(FILE), &text).expect("the file is written");
    }
    let file = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        file == text,
        "edge/openapi.json is another: PAYDOWN_UPDATE=1 cargo nextest run -p paydown-tests openapi"
    );
}

#[test]
fn every_route_is_described() {
    let of_table = ROUTES.iter().filter(|route| !route.path.starts_with("/v1/sandbox/"));
    let of_table: BTreeSet<(String, String)> =
        of_table.map(|route| (route.path.to_owned(), route.method.to_owned())).collect();
    let described: BTreeSet<(String, String)> =
        operations().into_iter().map(|(path, method, _)| (path, method)).collect();
    assert_eq!(described, of_table);
    for (path, method, operation) in operations() {
        let route = ROUTES.iter().find(|r| r.path == path && r.method == method).expect("a route");
        let scopes = match route.access {
            Access::Anyone => json!([]),
            Access::Session => json!([{ "session": [] }]),
            Access::Scope(scope) => json!([{ "api_key": [scope.name()] }, { "session": [scope.name()] }]),
            Access::InBatch(scope) => json!([{ "api_key": [scope.name()] }]),
        };
        assert_eq!(operation["security"], scopes, "{method} {path}");
    }
}

/// What a linter asks for: ids and summaries of their own, descriptions everywhere, no reference into nothing.
#[test]
fn the_description_is_well_made() {
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations() {
        let at = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().expect("an id").to_owned()),
            "{at} has another's id"
        );
        let tag = &operation["tags"][0];
        assert!(
            DOCUMENT["tags"].as_array().is_some_and(|tags| tags.iter().any(|t| t["name"] == *tag)),
            "{at}: {tag}"
        );
        for member in ["summary", "description"] {
            assert!(operation[member].as_str().is_some_and(|text| text.len() > 3), "{member} of {at}");
        }
        for parameter in operation["parameters"].as_array().expect("parameters") {
            assert!(
                parameter["description"].as_str().is_some_and(|text| text.len() > 3),
                "{parameter} of {at}"
            );
        }
        let in_path = path.matches('{').count();
        let named =
            operation["parameters"].as_array().into_iter().flatten().filter(|p| p["in"] == "path").count();
        assert_eq!(in_path, named, "{at}");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at} has no success");
        assert!(responses.contains_key("500") && responses.contains_key("429"), "{at}");
    }
    let mut references = Vec::new();
    collect_references(&DOCUMENT, &mut references);
    let used: BTreeSet<&str> =
        references.iter().filter_map(|r| r.strip_prefix("#/components/schemas/")).collect();
    let defined: BTreeSet<&str> =
        DOCUMENT["components"]["schemas"].as_object().expect("schemas").keys().map(String::as_str).collect();
    assert_eq!(used, defined, "each schema is used, and each that is used is there");
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect_references(member, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_example_can_be_carried_out() {
    let mut carried_out = 0;
    for (path, method, operation) in operations() {
        let content = &operation["requestBody"]["content"]["application/json"];
        let Some(example) = content.get("example") else { continue };
        let client = Client::new();
        client.add_key("pd_local_operator", &paydown::api::Scope::ALL);
        assert!(validator(&content["schema"]).is_valid(example), "{method} {path}: {example}");
        let path = subject(&client, &path);
        let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
        request = request
            .header("authorization", format!("Bearer {KEY}"))
            .header("content-type", "application/json");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if let (Some(name), Some(value)) = (parameter["name"].as_str(), parameter["example"].as_str()) {
                request = request.header(name, value);
            }
        }
        let answer = client.send(request.body(Body::from(example.to_string())).expect("a request"));
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        carried_out += 1;
    }
    assert!(carried_out >= 10, "{carried_out} examples");
}

/// The path with the ids of things that the example can be carried out on.
fn subject(client: &Client, path: &str) -> String {
    let filled = |id: &str| path.replace("{id}", id);
    if path.starts_with("/v1/exceptions/{id}") {
        run(client, "2026-01-05T06:00:00Z", &["tx_of_nobody,success,,2026-01-04T20:00:00Z".to_owned()]);
        return filled(client.read("/v1/exceptions")["data"][0]["id"].as_str().expect("an exception"));
    }
    if path.starts_with("/v1/webhook_endpoints/{id}") {
        run(client, "2026-01-05T06:00:00Z", &[]);
        let event = client.read("/v1/events")["data"][0]["id"].as_str().expect("an event").to_owned();
        let made =
            client.post("/v1/webhook_endpoints", r#"{"url": "https://hooks.acme.com", "label": "x"}"#).body;
        return filled(made["id"].as_str().expect("an endpoint")).replace("{event_id}", &event);
    }
    if !path.contains("{id}") {
        return path.to_owned();
    }
    if path == "/v1/credits/{id}/attach" {
        client.world.processor.script("acct_8841", [Step::lost()]);
    }
    let credit = client.advance("subject", ORDINARY).body["id"].as_str().expect("a credit").to_owned();
    let acts = |what: &str, body: &str| {
        let path = format!("/v1/credits/{credit}/{what}");
        let answer = client.send(keyed(&path, &format!("first-{what}"), body));
        assert!(answer.status.is_success(), "{answer:?}");
        answer
    };
    if path.ends_with("/hold") || path == "/v1/credits/{id}/decision" || path == "/v1/credits/{id}/attach" {
        return filled(&credit);
    }
    run(client, "2026-01-06T06:00:00Z", &[format!("tx_{credit},success,,2026-01-05T20:00:00Z")]);
    if path.ends_with("/release") {
        acts("hold", r#"{"note": "first a hold"}"#);
    }
    if path.contains("{payment_id}") {
        let paid = r#"{"amount": 100, "received_on": "2026-01-05", "note": "by cheque"}"#;
        let place = acts("external_payment", paid).header("location").to_owned();
        return format!("{place}/revoke");
    }
    if path.ends_with("/refund") || path.starts_with("/v1/refunds/") {
        let paid = r#"{"amount": 110000, "received_on": "2026-01-05", "note": "by cheque"}"#;
        acts("external_payment", paid);
    }
    if path.starts_with("/v1/refunds/") {
        client.world.processor.script("acct_8841", [Step::lost()]);
        let place =
            acts("refund", r#"{"amount": 10000, "note": "paid too much"}"#).header("location").to_owned();
        return format!("{place}/{}", path.rsplit('/').next().expect("an act"));
    }
    if path.starts_with("/v1/debits/") {
        let debit = client.read("/v1/debits?limit=1")["data"][0]["id"].as_str().expect("a debit").to_owned();
        client.world.processor.script(&debit, [Step::lost()]);
        run(client, "2026-01-12T06:00:00Z", &[]);
        return filled(&debit);
    }
    filled(&credit)
}

fn run(client: &Client, as_of: &str, rows: &[String]) {
    client.world.processor.set_report(FakeReport::of(rows));
    let as_of = as_of.parse().expect("an instant");
    client.world.clock.set(as_of);
    futures_executor::block_on(paydown_edge::run::daily(&client.world.ports(), as_of)).expect("the run ends");
}
