//! Who may call what: every route with every kind of caller; keys made, listed and revoked; stop and start.

use axum::body::Body;
use axum::http::Request;
use paydown::api::Scope;
use paydown_edge::error::Fault;
use paydown_edge::http::{Access, ROUTES, Route};
use paydown_tests::memory::Failure;
use serde_json::{Value, json};

use crate::client::{Client, KEY, ORDINARY, Response};

/// Who calls.
enum Caller {
    Nobody,
    UnknownKey,
    RevokedKey,
    Key(Scope),
    /// The session of a key with the scope, from a page of this installation or of another.
    Session(Scope, &'static str),
}

#[test]
fn the_authorization_table_has_no_hole() {
    let mut cells = 0;
    for route in ROUTES {
        let client = with_keys();
        for (caller, expected) in callers(route) {
            let response = call(&client, route, &caller);
            let status = response.status.as_u16();
            let named = name(&caller);
            match expected {
                Expected::Refused(code) => assert_eq!(status, code, "{route:?} by {named}: {response:?}"),
                Expected::LetPass => {
                    assert!(![401, 403].contains(&status), "{route:?} by {named}: {response:?}");
                }
            }
            cells += 1;
        }
    }
    // Nobody, an unknown and a revoked key, four keys, four sessions, and a session from elsewhere.
    assert_eq!(cells, ROUTES.len() * 12);
}

/// Who may call what, as the contract says.
const CONTRACT: &str = "
    post /v1/perform_advance advance
    get /v1/credits read
    get /v1/credits/{id} read
    get /v1/credits/{id}/facts read
    post /v1/credits/{id}/hold operate
    post /v1/credits/{id}/release operate
    post /v1/credits/{id}/write_off operate
    post /v1/credits/{id}/pay_off operate
    post /v1/credits/{id}/pause operate
    post /v1/credits/{id}/external_payment operate
    post /v1/credits/{id}/external_payment/{payment_id}/revoke operate
    post /v1/credits/{id}/refund operate
    post /v1/credits/{id}/decision operate
    post /v1/credits/{id}/attach operate
    get /v1/debits read
    post /v1/debits/{id}/decision operate
    post /v1/debits/{id}/attach operate
    post /v1/refunds/{id}/decision operate
    post /v1/refunds/{id}/attach operate
    get /v1/runs read
    post /v1/runs operate
    get /v1/runs/{id} read
    get /v1/runs/{id}/report read
    get /v1/exceptions read
    get /v1/exceptions/{id} read
    post /v1/exceptions/{id}/resolution operate
    post /v1/exceptions/resolutions operate
    post /v1/stop operate
    post /v1/start operate
    get /v1/keys admin
    post /v1/keys admin
    delete /v1/keys/{id} admin
    get /v1/webhook_endpoints admin
    post /v1/webhook_endpoints admin
    get /v1/webhook_endpoints/{id} admin
    post /v1/webhook_endpoints/{id} admin
    delete /v1/webhook_endpoints/{id} admin
    post /v1/webhook_endpoints/{id}/pause admin
    post /v1/webhook_endpoints/{id}/resume admin
    post /v1/webhook_endpoints/{id}/rotate_secret admin
    post /v1/webhook_endpoints/{id}/rewind admin
    get /v1/webhook_endpoints/{id}/deliveries admin
    post /v1/webhook_endpoints/{id}/events/{event_id}/resend admin
    post /v1/session anyone
    get /v1/session session
    delete /v1/session session
    get /v1/journal read
    get /v1/events read
    get /v1/summary read
    get /v1/plan read
    get /v1/settings read
    get /v1/metrics read
    get /healthz anyone
    post /v1/sandbox/clock operate";

#[test]
fn the_routes_are_those_of_the_contract() {
    let line = |route: &Route| {
        let access = match route.access {
            Access::Anyone => "anyone",
            Access::Session => "session",
            Access::Scope(scope) | Access::InBatch(scope) => scope.name(),
        };
        format!("{} {} {access}", route.method, route.path)
    };
    let routes: Vec<String> = ROUTES.iter().map(line).collect();
    let contract: Vec<&str> = CONTRACT.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(routes, contract);
}

enum Expected {
    Refused(u16),
    LetPass,
}

fn callers(route: &Route) -> Vec<(Caller, Expected)> {
    let by_key = |scope: Scope| match route.access {
        Access::Anyone => Expected::LetPass,
        Access::Session => Expected::Refused(401),
        Access::Scope(needed) | Access::InBatch(needed) if needed == scope => Expected::LetPass,
        Access::Scope(_) | Access::InBatch(_) => Expected::Refused(403),
    };
    let by_session = |scope: Scope| match route.access {
        Access::Session => Expected::LetPass,
        // Programs pay out, with a key; a page of the dashboard does not.
        Access::InBatch(_) => Expected::Refused(401),
        Access::Anyone | Access::Scope(_) => by_key(scope),
    };
    let by_none = || match route.access {
        Access::Anyone => Expected::LetPass,
        Access::Session | Access::Scope(_) | Access::InBatch(_) => Expected::Refused(401),
    };
    let mut callers =
        vec![(Caller::Nobody, by_none()), (Caller::UnknownKey, by_none()), (Caller::RevokedKey, by_none())];
    for scope in Scope::ALL {
        callers.push((Caller::Key(scope), by_key(scope)));
        callers.push((Caller::Session(scope, "same-origin"), by_session(scope)));
    }
    callers.push((Caller::Session(Scope::Read, "cross-site"), by_none()));
    callers
}

fn with_keys() -> Client {
    let client = Client::new();
    for scope in Scope::ALL {
        client.add_key(&format!("pd_{}", scope.name()), &[scope]);
    }
    client.add_key("pd_revoked", &Scope::ALL);
    let id = key_id(&client, "pd_revoked");
    let revocation = format!("INSERT INTO api_key_revocations VALUES ('{id}', '2026-01-05T05:00:00.000Z')");
    client.world.database.sqlite.execute(&revocation).expect("the key is revoked");
    client
}

fn key_id(client: &Client, key: &str) -> String {
    let hash = paydown_edge::ledger::keys::hash(key);
    client.world.query(&format!("SELECT id FROM api_keys WHERE hash = '{hash}'")).remove(0)
}

fn call(client: &Client, route: &Route, caller: &Caller) -> Response {
    let nothing = "019b8d0c-6f00-7000-8000-000000000000";
    let path = route.path.replace("{id}", nothing).replace("{payment_id}", nothing);
    let request = Request::builder().method(route.method.to_uppercase().as_str()).uri(path);
    let request = match caller {
        Caller::Nobody => request,
        Caller::UnknownKey => request.header("authorization", "Bearer pd_nobody"),
        Caller::RevokedKey => request.header("authorization", "Bearer pd_revoked"),
        Caller::Key(scope) => request.header("authorization", format!("Bearer pd_{}", scope.name())),
        Caller::Session(scope, site) => {
            let answer =
                client.post("/v1/session", &json!({ "key": format!("pd_{}", scope.name()) }).to_string());
            let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
            request.header("cookie", cookie).header("sec-fetch-site", *site)
        }
    };
    client.send(request.body(Body::empty()).expect("a request"))
}

fn name(caller: &Caller) -> String {
    match caller {
        Caller::Nobody => "nobody".into(),
        Caller::UnknownKey => "an unknown key".into(),
        Caller::RevokedKey => "a revoked key".into(),
        Caller::Key(scope) => format!("a key with {}", scope.name()),
        Caller::Session(scope, site) => format!("a {site} session with {}", scope.name()),
    }
}

#[test]
fn a_key_is_shown_once_and_worth_nothing_when_revoked() {
    let client = Client::new();
    let made = client.post("/v1/keys", r#"{"scopes": ["read", "advance", "read"], "label": " till 4 "}"#);
    assert_eq!((made.status.as_u16(), &made.body["scopes"]), (201, &json!(["read", "advance"])), "{made:?}");
    let (id, key) = (made.body["id"].as_str().expect("an id"), made.body["key"].as_str().expect("a key"));
    assert_eq!(made.header("location"), format!("/v1/keys/{id}"));
    let by_key = |key: &str| {
        let request = Request::get("/v1/credits").header("authorization", format!("Bearer {key}"));
        client.send(request.body(Body::empty()).expect("a request"))
    };
    assert_eq!(by_key(key).status.as_u16(), 200);

    let listed = client.get("/v1/keys");
    let entry = listed.body["data"].as_array().and_then(|keys| keys.iter().find(|k| k["id"] == id)).cloned();
    let entry = entry.expect("the key is listed");
    assert_eq!((&entry["label"], &entry["revoked_at"]), (&json!("till 4"), &Value::Null));
    let secret = paydown_edge::ledger::keys::hash(key);
    assert!(!listed.text.contains(key) && !listed.text.contains(&secret), "a secret is listed");
    let kept = client.world.query("SELECT id || hash || label || scopes FROM api_keys").concat();
    assert!(kept.contains(&secret) && !kept.contains(key), "the key itself is kept");

    let revoked = revoke(&client, id);
    assert_eq!(revoked.status.as_u16(), 200, "{revoked:?}");
    by_key(key).is_problem(401, "unauthorized");
    assert_eq!(revoke(&client, id).body, revoked.body, "revoked twice is revoked once");
    revoke(&client, "019b8d0c-6f00-7000-8000-000000000000").is_problem(404, "not_found");
    revoke(&client, &key_id(&client, KEY)).is_problem(409, "conflict");
    assert_eq!(client.get("/v1/keys").status.as_u16(), 200, "the last key that makes others still works");
}

#[test]
fn the_last_use_of_a_key_is_the_day_of_its_last_call() {
    let client = Client::new();
    let last_use = |label: &str| {
        let listed = client.get("/v1/keys").body["data"].as_array().cloned().expect("a list");
        let of_label = listed.into_iter().find(|key| key["label"] == label).expect("the key is listed");
        of_label["last_used_on"].clone()
    };
    let by = |key: &str, request: axum::http::request::Builder, body: &str| {
        let request = request.header("authorization", format!("Bearer {key}"));
        client.send(request.body(Body::from(body.to_owned())).expect("a request"))
    };
    let made = client.post("/v1/keys", r#"{"scopes": ["read", "advance"], "label": "till"}"#);
    let key = made.body["key"].as_str().expect("a key");
    assert_eq!((last_use("till"), made.body["last_used_on"].clone()), (Value::Null, Value::Null));
    let day = |text: &str| client.world.clock.set(text.parse().expect("an instant"));

    day("2026-03-02T23:59:59Z");
    assert_eq!(by(key, Request::get("/v1/credits"), "").status.as_u16(), 200);
    assert_eq!(by(key, Request::get("/v1/keys"), "").status.as_u16(), 403);
    assert_eq!(last_use("till"), "2026-03-02");
    day("2026-03-03T00:00:00Z");
    assert_eq!(last_use("till"), "2026-03-02", "asking about it is no use of it");
    let advance = Request::post("/v1/perform_advance")
        .header("idempotency-key", "once")
        .header("content-type", "application/json");
    assert_eq!(by(key, advance, r#"{"account_id": "acct_1", "amount": 500}"#).status.as_u16(), 201);
    assert_eq!(last_use("till"), "2026-03-03");
    day("2026-03-05T12:00:00Z");
    let session = client.post("/v1/session", &json!({ "key": key }).to_string());
    let cookie = session.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let request = Request::get("/v1/credits").header("cookie", cookie);
    assert_eq!(client.send(request.body(Body::empty()).expect("a request")).status.as_u16(), 200);
    assert_eq!(last_use("till"), "2026-03-05");
    let uses = client
        .world
        .query("SELECT used_on FROM api_key_uses JOIN api_keys ON id = api_key_id WHERE label = 'till'");
    assert_eq!(uses.len(), 3, "a row for each day: {uses:?}");
    day("2026-03-06T12:00:00Z");
    client.world.database.fail(1, Failure::Before(Fault::Permanent("broken".into())));
    assert_eq!(
        by(key, Request::get("/v1/credits"), "").status.as_u16(),
        200,
        "a use that is not recorded refuses nothing"
    );
    assert_eq!(last_use("till"), "2026-03-05");
}

fn revoke(client: &Client, id: &str) -> Response {
    let request = Request::delete(format!("/v1/keys/{id}")).header("authorization", format!("Bearer {KEY}"));
    client.send(request.body(Body::empty()).expect("a request"))
}

#[test]
fn a_key_that_is_asked_for_wrongly_is_not_made() {
    let client = Client::new();
    for body in [
        r#"{"scopes": [], "label": "x"}"#,
        r#"{"scopes": ["owner"], "label": "x"}"#,
        r#"{"scopes": ["read"], "label": " "}"#,
        r#"{"scopes": ["read"]}"#,
        r#"{"scopes": ["read"], "label": "x", "key": "mine"}"#,
    ] {
        client.post("/v1/keys", body).is_problem(422, "invalid_request");
    }
    assert_eq!(client.world.query("SELECT id FROM api_keys").len(), 1);
}

#[test]
fn after_a_stop_nothing_leaves_until_a_start() {
    let client = Client::new();
    let note = r#"{"note": "the bank called"}"#;
    client.post("/v1/stop", "{}").is_problem(422, "invalid_request");
    for _ in 0..2 {
        let stopped = client.post("/v1/stop", note);
        assert_eq!((stopped.status.as_u16(), &stopped.body["in_force"]), (200, &json!(true)), "{stopped:?}");
        assert_eq!(
            (&stopped.body["actor"], &stopped.body["note"]),
            (&json!("test"), &json!("the bank called"))
        );
    }
    assert_eq!(client.world.query("SELECT action FROM stops"), ["stop"]);
    assert_eq!(client.read("/v1/settings")["stop"]["in_force"], true);
    client.advance("first", ORDINARY).is_problem(422, "stopped");
    // The clock of a test stands still: what was said last counts all the same.
    for stopped in [false, true, false] {
        let path = if stopped { "/v1/stop" } else { "/v1/start" };
        assert_eq!(client.post(path, note).body["in_force"], stopped);
    }
    assert_eq!(client.advance("first", ORDINARY).status.as_u16(), 201);
}
