//! Bad input gets the contract's 4xx problem with a pointer, and writes nothing.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::client::{Client, KEY, ORDINARY, advance, keyed};

/// Fields of a body that is right otherwise, and the pointers at what is wrong with it.
const FIELDS: &[(&str, &[&str])] = &[
    (r#"{}"#, &["/account_id", "/amount"]),
    (r#"{"amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": "a"}"#, &["/amount"]),
    (r#"{"account_id": "", "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": "a b", "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": "é", "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": "a\u0000", "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": 5, "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": null, "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": ["a"], "amount": 100}"#, &["/account_id"]),
    (r#"{"account_id": "a", "amount": 0}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": -0}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": -1}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 100000001}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 9007199254740993}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 18446744073709551617}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 1e400}"#, &[""]),
    (r#"{"account_id": "a", "amount": 1.0}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 1e3}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 100.5}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": "100"}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": true}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": null}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": [100]}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": {"cents": 100}}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 100, "fee": -1}"#, &["/fee"]),
    (r#"{"account_id": "a", "amount": 100, "fee": 101}"#, &["/fee"]),
    (r#"{"account_id": "a", "amount": 100, "fee": 0.5}"#, &["/fee"]),
    (r#"{"account_id": "a", "amount": 100, "fee": null}"#, &["/fee"]),
    (r#"{"account_id": "a", "amount": 100, "currency": "EUR"}"#, &["/currency"]),
    (r#"{"account_id": "a", "amount": 100, "currency": "usd"}"#, &["/currency"]),
    (r#"{"account_id": "a", "amount": 100, "currency": 840}"#, &["/currency"]),
    (r#"{"account_id": "a", "amount": 100, "installments": 0}"#, &["/installments"]),
    (r#"{"account_id": "a", "amount": 1000, "installments": 105}"#, &["/installments"]),
    (r#"{"account_id": "a", "amount": 100, "installments": "12"}"#, &["/installments"]),
    (r#"{"account_id": "a", "amount": 11}"#, &["/installments"]),
    (r#"{"account_id": "a", "amount": 2, "fee": 1, "installments": 4}"#, &["/installments"]),
    (r#"{"account_id": "a", "amount": 100, "interval_days": 0}"#, &["/interval_days"]),
    (r#"{"account_id": "a", "amount": 100, "interval_days": 93}"#, &["/interval_days"]),
    (r#"{"account_id": "a", "amount": 100, "interval_days": 7.0}"#, &["/interval_days"]),
    (r#"{"account_id": "a", "amount": 100, "note": "x"}"#, &["/note"]),
    (r#"{"account_id": "a", "amount": 100, "a/b~c": 1}"#, &["/a~1b~0c"]),
    (r#"{"account_id": "a", "amount": 100, "Amount": 100}"#, &["/Amount"]),
    (r#"{"account_id": "a", "amount": 100, "amount": 100}"#, &["/amount"]),
    (r#"{"account_id": "a", "amount": 100, "amount": 200, "amount": 300}"#, &["/amount"]),
    (
        r#"{"account_id": 1, "amount": -1, "fee": "", "currency": 0, "installments": 0, "interval_days": 0, "x": 0}"#,
        &["/account_id", "/amount", "/fee", "/currency", "/installments", "/interval_days", "/x"],
    ),
];

fn pointers(body: &Value) -> Vec<&str> {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| error["pointer"].as_str().expect("a pointer")).collect()
}

#[test]
fn every_wrong_field_is_pointed_at_and_nothing_is_written() {
    let client = Client::new();
    for (body, expected) in FIELDS {
        let response = client.advance("k-1", body);
        match *expected {
            [""] => response.is_problem(400, "bad_request"),
            _ => response.is_problem(422, "invalid_request"),
        }
        assert_eq!(pointers(&response.body), *expected, "{body}");
    }
    let long = format!(r#"{{"account_id": "{}", "amount": 100}}"#, "a".repeat(65));
    assert_eq!(pointers(&client.advance("k-1", &long).body), ["/account_id"]);
    assert!(client.written().is_empty());
    assert!(client.world.processor.calls().is_empty());
}

#[test]
fn every_body_is_pointed_at_like_that_of_an_advance() {
    let client = Client::new();
    let credit = "/v1/credits/0190b3c4-0000-7000-8000-000000000000";
    let (pause, decision) = (format!("{credit}/pause"), format!("{credit}/decision"));
    for (path, body, expected) in [
        ("/v1/stop", "{}", &["/note"][..]),
        ("/v1/stop", r#"{"note": " ", "x": 1}"#, &["/note", "/x"]),
        ("/v1/stop", r#"{"note": "a", "note": "b"}"#, &["/note"]),
        (&pause, r#"{"intervals": 1.0}"#, &["/note", "/intervals"]),
        (&pause, r#"{"intervals": 105, "note": 1, "amount": 2}"#, &["/note", "/intervals", "/amount"]),
        (&decision, r#"{"status": "failed", "code": "R 01", "note": "x"}"#, &["/status", "/code"]),
        (&decision, r#"{"status": "success", "code": "R01", "note": "x"}"#, &["/code"]),
        (&decision, r#"{"status": "success", "code": null, "code": null, "note": "x"}"#, &["/code"]),
        (&decision, r#"{"status": null, "code": null, "note": "x"}"#, &["/status"]),
        ("/v1/exceptions/resolutions", r#"{"run_id": "x"}"#, &["/note", "/action", "/kind", "/run_id"]),
        ("/v1/exceptions/resolutions", r#"{"action": "close", "kind": null, "note": "x"}"#, &["/kind"]),
        ("/v1/keys", r#"{"scopes": [], "label": "", "key": "x"}"#, &["/scopes", "/label", "/key"]),
        ("/v1/keys", r#"{"scopes": ["read", "write"], "label": "x"}"#, &["/scopes"]),
        ("/v1/session", r#"{"key": 5, "user": "x"}"#, &["/key", "/user"]),
        ("/v1/runs", r#"{"as_of": "2026-01-01", "as_of": 1}"#, &["/as_of"]),
    ] {
        let response = client.send(keyed(path, "k-1", body));
        response.is_problem(422, "invalid_request");
        assert_eq!(pointers(&response.body), expected, "{path} {body}");
    }
}

#[test]
fn what_is_no_json_object_is_refused() {
    let client = Client::new();
    let deep = "[".repeat(10_000);
    for body in
        ["", " ", "{", r#"{"amount": }"#, "[]", "null", "5", "\"text\"", r#"{"a": 1} x"#, "{'a': 1}", &deep]
    {
        let response = client.advance("k-1", body);
        response.is_problem(400, "bad_request");
        assert_eq!(pointers(&response.body), [""], "{body:.20}");
    }
    for bytes in [&b"\xff\xfe"[..], b"{\"account_id\": \"\xff\", \"amount\": 100}", b"\xef\xbb\xbf{}"] {
        let mut request = advance("k-1", "");
        *request.body_mut() = Body::from(bytes);
        client.send(request).is_problem(400, "bad_request");
    }
    assert!(client.written().is_empty());
}

#[test]
fn a_large_body_is_not_read() {
    let client = Client::new();
    let padded = |length: usize| format!("{ORDINARY}{}", " ".repeat(length - ORDINARY.len()));
    client.advance("k-1", &padded(1 << 20)).is_problem(413, "too_large");
    client.advance("k-1", &padded(16 * 1024 + 1)).is_problem(413, "too_large");
    let mut announced = advance("k-1", ORDINARY);
    announced.headers_mut().insert("content-length", "1048576".parse().expect("a header"));
    client.send(announced).is_problem(413, "too_large");
    assert!(client.written().is_empty());
    assert_eq!(client.advance("k-1", &padded(16 * 1024)).status.as_u16(), 201);
}

#[test]
fn only_json_is_taken() {
    let client = Client::new();
    let typed = |content_type: Option<&str>| {
        let mut request = advance("k-1", ORDINARY);
        request.headers_mut().remove("content-type");
        if let Some(content_type) = content_type {
            request.headers_mut().insert("content-type", content_type.parse().expect("a header"));
        }
        client.send(request)
    };
    for wrong in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("application/json; charset=latin1"),
    ] {
        typed(wrong).is_problem(415, "unsupported_media_type");
    }
    assert!(client.written().is_empty());
    for right in ["application/json", "Application/JSON; charset=\"UTF-8\"", "application/json;charset=utf-8"]
    {
        assert_eq!(typed(Some(right)).status.as_u16(), 201, "{right}");
    }
}

#[test]
fn an_idempotency_key_is_printable_and_not_too_long() {
    let client = Client::new();
    let long = "k".repeat(256);
    for key in ["", " ", "\"\"", "\"", "\"k", "\"a\"b\"", "\"a\\n\"", "\"a\\\"", "a\tb", long.as_str()] {
        client.advance(key, ORDINARY).is_problem(400, "bad_request");
    }
    let mut request = advance("k-1", ORDINARY);
    let bytes = axum::http::HeaderValue::from_bytes("clé".as_bytes()).expect("a header");
    request.headers_mut().insert("idempotency-key", bytes);
    client.send(request).is_problem(400, "bad_request");
    assert!(client.written().is_empty());
}

#[test]
fn unknown_routes_and_methods_are_problems_too() {
    let client = Client::new();
    for path in
        ["/", "/v1", "/v1/nothing", "/v1/credits/", "/v1/credits/x", "/v1/credits/x/facts", "/v1/runs/1"]
    {
        client.get(path).is_problem(404, "not_found");
    }
    let id = "0190b3c4-0000-7000-8000-000000000000";
    for path in ["/v1/credits/", "/v1/runs/"] {
        client.get(&format!("{path}{id}")).is_problem(404, "not_found");
    }
    for (method, path, allowed) in [
        ("DELETE", "/v1/credits", "GET"),
        ("GET", "/v1/perform_advance", "POST"),
        ("PUT", "/v1/runs", "GET"),
        ("PATCH", "/healthz", "GET"),
    ] {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {KEY}"));
        let response = client.send(request.body(Body::empty()).expect("a request"));
        response.is_problem(405, "method_not_allowed");
        assert!(response.header("allow").contains(allowed), "{response:?}");
    }
    let head = Request::head("/v1/nothing").body(Body::empty()).expect("a request");
    let response = client.send(head);
    assert_eq!((response.status.as_u16(), response.text.as_str()), (404, ""));
}

#[test]
fn bad_parameters_are_named() {
    let client = Client::new();
    for (path, expected) in [
        ("/v1/credits?colour=red", "/colour"),
        ("/v1/credits?limit=0", "/limit"),
        ("/v1/credits?limit=201", "/limit"),
        ("/v1/credits?limit=+5", "/limit"),
        ("/v1/credits?limit=ten", "/limit"),
        ("/v1/credits?limit=5&limit=6", "/limit"),
        ("/v1/credits?status=paid", "/status"),
        ("/v1/credits?sort=amount", "/sort"),
        ("/v1/credits?created_after=yesterday", "/created_after"),
        ("/v1/credits?cursor=xyz", "/cursor"),
        ("/v1/credits?cursor=7b7", "/cursor"),
        ("/v1/debits?status=open", "/status"),
        ("/v1/debits?credit_id=1", "/credit_id"),
        ("/v1/debits?due_from=2026-02-30", "/due_from"),
        ("/v1/runs?cursor=00", "/cursor"),
        ("/v1/exceptions?status=closed", "/status"),
        ("/v1/exceptions?kind=strange", "/kind"),
        ("/v1/summary?from=2026-01-01&to=2025-01-01", "/to"),
        ("/v1/summary?from=1900-01-01&to=2026-01-01", "/to"),
        ("/v1/journal?from=today", "/from"),
        ("/v1/journal?from=2026-01-07&to=2026-01-06", "/to"),
        ("/v1/plan", "/amount"),
        ("/v1/plan?amount=1.5", "/amount"),
        ("/v1/plan?amount=11", "/installments"),
        ("/v1/plan?amount=100&fee=101", "/fee"),
        ("/v1/plan?amount=100&start_date=today", "/start_date"),
        ("/v1/settings?x=1", "/x"),
    ] {
        let response = client.get(path);
        response.is_problem(422, "invalid_request");
        assert_eq!(pointers(&response.body), [expected], "{path}");
    }
}

#[test]
fn reading_needs_the_scope() {
    let client = Client::new();
    client.add_key("pd_payer", &[paydown::api::Scope::Advance]);
    for path in [
        "/v1/credits",
        "/v1/credits/0190b3c4-0000-7000-8000-000000000000",
        "/v1/credits/0190b3c4-0000-7000-8000-000000000000/facts",
        "/v1/debits",
        "/v1/runs",
        "/v1/runs/0190b3c4-0000-7000-8000-000000000000",
        "/v1/runs/0190b3c4-0000-7000-8000-000000000000/report",
        "/v1/exceptions",
        "/v1/journal",
        "/v1/summary",
        "/v1/plan?amount=100",
        "/v1/settings",
    ] {
        let bare = Request::get(path).body(Body::empty()).expect("a request");
        client.send(bare).is_problem(401, "unauthorized");
        let wrong = Request::get(path).header("authorization", "Bearer pd_payer");
        client.send(wrong.body(Body::empty()).expect("a request")).is_problem(403, "forbidden");
    }
}
