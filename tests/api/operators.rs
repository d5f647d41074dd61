//! What operators do: log in, hold and release a credit, resolve an exception.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use futures_executor::block_on;
use futures_util::future::join;
use paydown::api::Scope;
use paydown::calendar::FederalReserve;
use paydown::credit::Facts;
use paydown::date::{BusinessDate, Zone};
use paydown::decision::{Context, Input, decide};
use paydown::money::Cents;
use paydown::policy::Policy;
use paydown_edge::error::Fault;
use paydown_edge::http::router;
use paydown_edge::ports::{Answer, Database, Ports, Statement};
use paydown_edge::run::daily;
use paydown_tests::memory::Frail;
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::client::{Client, NOW, ORDINARY, keyed};

/// A credit that was planned on 6 January, and its path.
pub fn planned() -> (Client, String) {
    let client = Client::new();
    let credit = client.advance("first", ORDINARY).body;
    let transaction = credit["transaction_id"].as_str().expect("a transaction");
    client
        .world
        .processor
        .set_report(FakeReport::of(&[format!("{transaction},success,,2026-01-05T20:00:00Z")]));
    run(&client, "2026-01-06T06:00:00Z");
    let path = format!("/v1/credits/{}", credit["id"].as_str().expect("an id"));
    assert_eq!(client.read(&path)["status"], "active");
    (client, path)
}

pub fn run(client: &Client, as_of: &str) {
    let as_of = as_of.parse().expect("an instant");
    client.world.clock.set(as_of);
    block_on(daily(&client.world.ports(), as_of)).expect("the run ends");
}

#[test]
fn a_hold_stops_issuing_and_a_release_lets_it_go_on() {
    let (client, path) = planned();
    let note = json!({ "note": "the customer called" });
    let held = client.operate(&format!("{path}/hold"), "hold-1", &note);
    assert_eq!((held.status.as_u16(), held.body["status"].as_str()), (200, Some("held")), "{held:?}");
    let open = client.read("/v1/exceptions?status=open")["data"].clone();
    assert_eq!(open[0]["kind"], "held_by_operator");

    let again = client.operate(&format!("{path}/hold"), "hold-1", &note);
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
    client.operate(&format!("{path}/hold"), "hold-2", &note).is_problem(409, "conflict");
    client.operate(&format!("{path}/release"), "hold-1", &note).is_problem(422, "idempotency_key_reused");
    client.operate(&format!("{path}/release"), "first", &note).is_problem(422, "idempotency_key_reused");

    run(&client, "2026-01-12T06:00:00Z");
    assert_eq!(client.read(&path)["in_flight"], 0);
    let released = client.operate(&format!("{path}/release"), "release-1", &note);
    assert_eq!(released.body["status"], "active", "{released:?}");
    let resolved = client.read("/v1/exceptions?status=resolved")["data"].clone();
    assert_eq!(
        (&resolved[0]["resolution"]["actor"], &resolved[0]["resolution"]["note"]),
        (&json!("test"), &json!("the customer called"))
    );
    run(&client, "2026-01-13T06:00:00Z");
    assert_eq!(client.read(&path)["in_flight"], 8334);
    let timeline = client.read(&path)["timeline"].clone();
    let kinds: Vec<&str> =
        timeline.as_array().expect("facts").iter().filter_map(|f| f["kind"].as_str()).collect();
    assert!(kinds.contains(&"exception_opened") && kinds.contains(&"exception_closed"), "{kinds:?}");
    client.replays();
}

#[test]
fn a_hard_return_waits_for_the_release_of_its_exception() {
    let (client, path) = planned();
    let refused = Answer::Refused { code: "R02".into(), message: "closed".into() };
    let debits =
        client.read(&format!("/v1/debits?credit_id={}", &path["/v1/credits/".len()..]))["data"].clone();
    let first = debits[0]["id"].as_str().expect("an id").to_owned();
    client.world.processor.script(&first, [Step::from(refused)]);
    run(&client, "2026-01-12T06:00:00Z");
    assert_eq!(client.read(&path)["status"], "held");
    assert_eq!(client.read(&path)["missing"], 8334);
    client.advance("second", ORDINARY).is_problem(422, "account_held");
    let timeline = client.read(&path)["timeline"].clone();
    let of_first =
        timeline.as_array().expect("facts").iter().filter(|fact| fact["debit_id"] == first.as_str());
    let kinds: Vec<&str> = of_first.filter_map(|fact| fact["kind"].as_str()).collect();
    assert_eq!(
        kinds,
        ["debit", "processed", "observation", "word", "exception_opened"],
        "in the order of time"
    );

    let exception = client.read("/v1/exceptions?status=open&kind=hard_return")["data"][0].clone();
    let resolution = format!("/v1/exceptions/{}/resolution", exception["id"].as_str().expect("an id"));
    client.post(&resolution, r#"{"action": "close", "note": "seen"}"#).is_problem(409, "conflict");
    client.post(&resolution, r#"{"action": "close"}"#).is_problem(422, "invalid_request");
    let resolved = client.post(&resolution, r#"{"action": "release", "note": "a new account is on file"}"#);
    assert_eq!(
        (resolved.status.as_u16(), resolved.body["status"].as_str()),
        (200, Some("resolved")),
        "{resolved:?}"
    );
    client.post(&resolution, r#"{"action": "release", "note": "again"}"#).is_problem(409, "conflict");

    let credit = client.read(&path);
    assert_eq!((&credit["status"], &credit["missing"]), (&json!("active"), &json!(0)));
    let debits = credit["debits"].as_array().expect("debits");
    let last = debits.last().expect("a debit");
    assert_eq!(
        (&last["replaces"], &last["reason"], &last["amount"]),
        (&json!(1), &json!("failed"), &json!(8334))
    );
    assert_eq!(client.advance("third", ORDINARY).status.as_u16(), 201);
    client.replays();
}

/// A database that lets others go on before each batch.
struct Crowded(Arc<Frail>);

#[async_trait(?Send)]
impl Database for Crowded {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        yielding().await;
        self.0.batch(statements).await
    }
}

/// Comes to an end when it is polled for the second time.
async fn yielding() {
    let mut is_polled = false;
    poll_fn(|context| {
        context.waker().wake_by_ref();
        if std::mem::replace(&mut is_polled, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// A pause that is done twice is two pauses: the one act that does not show by itself that it was done.
#[test]
fn of_two_requests_at_once_under_one_key_one_is_done() {
    let (client, path) = planned();
    let ports = client.world.ports();
    let crowded = Ports { database: Arc::new(Crowded(client.world.database.clone())), ..ports };
    let pause = async |key: &str, intervals: u32, later: usize| {
        for _ in 0..later {
            yielding().await;
        }
        let body = json!({ "intervals": intervals, "note": "the customer is away" }).to_string();
        let request = keyed(&format!("{path}/pause"), key, &body);
        router(crowded.clone()).oneshot(request).await.expect("an answer").status().as_u16()
    };
    for later in 0..6 {
        let key = format!("same {later}");
        let statuses = block_on(join(pause(&key, 2, 0), pause(&key, 2, later)));
        assert_eq!(statuses, (200, 200));
        let debits = client.read(&path)["debits"].as_array().map(Vec::len);
        assert_eq!(debits, Some(12 * (2 * later + 2)), "{later} batches later");
        let key = format!("other {later}");
        let (first, second) = block_on(join(pause(&key, 1, 0), pause(&key, 3, later)));
        assert_eq!((first.min(second), first.max(second)), (200, 422), "{later} batches later");
    }
    let keys = "SELECT count(*) FROM operations WHERE action = 'pause'";
    assert_eq!(client.world.query(keys), ["12"]);
    client.replays();
}

/// Each act leaves in the ledger what core's decision says, and is done once.
#[test]
fn what_an_operator_does_is_what_core_decides() {
    let received_on = "2026-01-06".parse().expect("a date");
    let amount = Cents::new(20_000).expect("an amount");
    type Asked = fn(Uuid, BusinessDate, Cents) -> Input;
    let acts: [(&str, Value, Asked); 5] = [
        ("write_off", json!({}), |_, _, _| Input::WriteOff),
        ("pay_off", json!({}), |_, _, _| Input::PayOff),
        ("pause", json!({ "intervals": 3 }), |_, _, _| Input::Pause { intervals: 3 }),
        (
            "external_payment",
            json!({ "amount": 20_000, "received_on": "2026-01-06" }),
            |id, received_on, amount| Input::ExternalPayment { id, amount, received_on },
        ),
        ("hold", json!({}), |_, _, _| Input::Hold),
    ];
    for (act, mut body, input) in acts {
        let (client, path) = planned();
        body["note"] = json!("the customer called");
        let before = facts(&client, &path);
        let answer = client.operate(&format!("{path}/{act}"), "act-1", &body);
        assert_eq!(answer.status.as_u16(), 200, "{act}: {answer:?}");
        let place = answer.header("location").rsplit('/').next().and_then(|id| id.parse().ok());
        let after = facts(&client, &path);
        let context = Context {
            as_of: "2026-01-06T06:00:00Z".parse().expect("an instant"),
            zone: &Zone::default(),
            policy: &Policy::default(),
            calendar: &FederalReserve,
        };
        let mut expected = before.clone();
        let decision = decide(&before, input(place.unwrap_or_default(), received_on, amount), &context);
        assert!(!decision.facts.is_empty(), "{act} does something");
        expected.apply(&decision, context.as_of);
        assert_eq!(after, expected, "{act}");
        assert_eq!(answer.body["status"], client.read(&path)["status"]);

        let timeline = client.read(&path)["timeline"].clone();
        let told =
            timeline.as_array().expect("facts").iter().find(|fact| fact["kind"] == "operation").cloned();
        let told = told.unwrap_or_else(|| panic!("{act} is not told: {timeline}"));
        assert_eq!(
            (&told["rule"], &told["detail"]),
            (&json!("L8"), &json!(format!("{act} by test: the customer called")))
        );

        let again = client.operate(&format!("{path}/{act}"), "act-1", &body);
        assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"), "{act}");
        assert_eq!(facts(&client, &path), expected, "{act} is done once");
        body["note"] = json!("another note");
        client.operate(&format!("{path}/{act}"), "act-1", &body).is_problem(422, "idempotency_key_reused");
        client
            .operate(&format!("{path}/{act}"), "act-2", &json!({ "note": "x", "more": 1 }))
            .is_problem(422, "invalid_request");
        client.replays();
    }
}

fn facts(client: &Client, path: &str) -> Facts {
    serde_json::from_value(client.read(&format!("{path}/facts"))).expect("facts of a credit")
}

#[test]
fn a_payment_made_elsewhere_is_revoked_by_its_id() {
    let (client, path) = planned();
    let paid = json!({ "amount": 20_000, "received_on": "2026-01-06", "note": "by cheque" });
    let place =
        client.operate(&format!("{path}/external_payment"), "paid", &paid).header("location").to_owned();
    let credit = client.read(&path);
    assert_eq!(
        (&credit["paid"], &credit["outstanding"], &credit["missing"]),
        (&json!(20_000), &json!(80_000), &json!(0))
    );
    assert_eq!(credit["external_payments"][0]["amount"], 20_000);
    let note = json!({ "note": "it bounced" });
    client
        .operate(&format!("{path}/external_payment/{}/revoke", Uuid::nil()), "no", &note)
        .is_problem(409, "conflict");
    let revoked = client.operate(&format!("{place}/revoke"), "revoked", &note);
    assert_eq!(
        (revoked.status.as_u16(), &revoked.body["paid"], &revoked.body["missing"]),
        (200, &json!(0), &json!(0))
    );
    assert_eq!(client.read(&path)["external_payments"][0]["revoked"], true);
    client.operate(&format!("{place}/revoke"), "again", &note).is_problem(409, "conflict");
    for wrong in [
        json!({ "amount": 0, "received_on": "2026-01-06", "note": "x" }),
        json!({ "amount": 1, "received_on": "yesterday", "note": "x" }),
        json!({ "amount": 1, "note": "x" }),
    ] {
        client
            .operate(&format!("{path}/external_payment"), "wrong", &wrong)
            .is_problem(422, "invalid_request");
    }
    client.replays();
}

#[test]
fn a_decision_counts_from_the_next_run_and_until_the_processor_speaks() {
    let (client, path) = planned();
    let debits = client.read(&path)["debits"].clone();
    let first = debits[0]["id"].as_str().expect("an id").to_owned();
    let decide = |key: &str, body: Value| client.operate(&format!("/v1/debits/{first}/decision"), key, &body);
    let failure = json!({ "status": "failure", "code": "R01", "note": "on the statement" });
    decide("too-early", failure.clone()).is_problem(409, "conflict");
    run(&client, "2026-01-12T06:00:00Z");
    decide("wrong", json!({ "status": "success", "code": "R01", "note": "x" }))
        .is_problem(422, "invalid_request");
    let decided = decide("decided", failure.clone());
    assert_eq!((decided.status.as_u16(), &decided.body["status"]), (200, &json!("submitted")), "{decided:?}");
    decide("the same", failure).is_problem(409, "conflict");
    run(&client, "2026-01-13T06:00:00Z");
    let debit = |sequence: usize| client.read(&path)["debits"][sequence - 1].clone();
    assert_eq!((&debit(1)["status"], &debit(1)["code"]), (&json!("failed"), &json!("R01")));
    assert_eq!((&debit(13)["replaces"], &debit(13)["amount"]), (&json!(1), &debits[0]["amount"]));

    // The processor says otherwise: what was decided counts no more, and a person must look.
    let transaction = debit(1)["transaction_id"].as_str().expect("a transaction").to_owned();
    client
        .world
        .processor
        .set_report(FakeReport::of(&[format!("{transaction},success,,2026-01-13T20:00:00Z")]));
    run(&client, "2026-01-14T06:00:00Z");
    assert_eq!((&debit(1)["status"], &client.read(&path)["status"]), (&json!("collected"), &json!("held")));
    let open = client.read("/v1/exceptions?status=open&kind=decision_contradicted")["data"].clone();
    assert_eq!(open[0]["subject"], transaction.as_str());
    decide("too late", json!({ "status": "success", "note": "x" })).is_problem(409, "conflict");
    client.replays();
}

/// Debits that were issued while no report came, and a credit whose advance is silent: all is decided at once.
#[test]
fn what_waits_for_a_word_is_decided_all_of_a_kind_at_once() {
    let (client, path) = planned();
    let silent = client.advance("silent", &ORDINARY.replace("acct_8841", "acct_2")).body;
    let silent = format!("/v1/credits/{}", silent["id"].as_str().expect("an id"));
    run(&client, "2026-01-12T06:00:00Z");
    client.world.processor.next_report_fails("no report");
    run(&client, "2026-01-17T06:00:00Z");
    assert_eq!(client.read(&silent)["status"], "unconfirmed");
    let open = |kind: &str| {
        let page = client.read(&format!("/v1/exceptions?status=open&kind={kind}"));
        page["data"].as_array().cloned().unwrap_or_default()
    };
    assert_eq!((open("credit_unconfirmed").len(), open("report_gap").len()), (1, 1));
    assert_eq!(open("report_gap")[0]["actions"], json!(["decide", "close"]));
    let all = |body: Value| client.post("/v1/exceptions/resolutions", &body.to_string());
    all(json!({ "kind": "report_gap", "action": "decide", "note": "x" })).is_problem(422, "invalid_request");
    all(json!({ "kind": "report_gap", "action": "close", "status": "success", "note": "x" }))
        .is_problem(422, "invalid_request");
    let nothing =
        json!({ "kind": "hard_return", "action": "release", "status": null, "code": null, "note": "x" });
    assert_eq!(all(nothing).body, json!({ "resolved": 0, "left": 0 }));
    let none = all(json!({ "kind": "hard_return", "action": "decide", "status": "success", "note": "x" }));
    assert_eq!(none.body, json!({ "resolved": 0, "left": 0 }));
    for (kind, status) in [("credit_unconfirmed", "failure"), ("report_gap", "success")] {
        let word = json!({ "kind": kind, "action": "decide", "status": status, "note": "on the statement" });
        assert_eq!(all(word.clone()).body, json!({ "resolved": 1, "left": 0 }), "{kind}");
        // What was decided is not decided again.
        assert_eq!(all(word).body, json!({ "resolved": 0, "left": 0 }), "{kind}");
        assert_eq!(open(kind).len(), 1, "it counts from the next run on");
    }
    run(&client, "2026-01-18T06:00:00Z");
    assert_eq!((open("credit_unconfirmed").len(), open("report_gap").len()), (0, 0));
    assert_eq!(client.read(&silent)["status"], "failed");
    let first = client.read(&path)["debits"][0].clone();
    assert_eq!(first["status"], "collected");
    let operations = client.read(&path)["timeline"].clone();
    let said = operations.as_array().into_iter().flatten().filter(|entry| entry["kind"] == "operation");
    let said: Vec<&str> = said.filter_map(|entry| entry["detail"].as_str()).collect();
    assert_eq!(said, ["decision by test: on the statement"]);
    client.replays();
}

#[test]
fn a_timeout_limit_is_decided_and_then_released() {
    let (client, path) = planned();
    let day = |from: &str, days: u64| {
        let from: paydown::date::Instant = from.parse().expect("an instant");
        (from + chrono::TimeDelta::days(i64::try_from(days).expect("days"))).to_rfc3339()
    };
    for later in 0..25 {
        run(&client, &day("2026-01-07T06:00:00Z", later));
    }
    let held = client.read("/v1/exceptions?status=open&kind=timeout_limit")["data"][0].clone();
    assert_eq!(held["actions"], json!(["decide", "release"]), "{held}");
    let resolution = format!("/v1/exceptions/{}/resolution", held["id"].as_str().expect("an id"));
    let word = r#"{"action": "decide", "status": "failure", "code": "R01", "note": "on the statement"}"#;
    let decided = client.post(&resolution, word);
    assert_eq!((decided.status.as_u16(), &decided.body["status"]), (200, &json!("open")), "{decided:?}");
    client.post(&resolution, word).is_problem(409, "conflict");
    run(&client, &day("2026-01-07T06:00:00Z", 25));
    let failed = |path: &str| {
        let debits = client.read(path)["debits"].clone();
        debits.as_array().into_iter().flatten().filter(|d| d["status"] == "failed").count()
    };
    assert_eq!(failed(&path), 3);
    client.post(&resolution, r#"{"action": "release", "note": "decided"}"#);
    let credit = client.read(&path);
    assert_eq!((&credit["status"], &credit["missing"]), (&json!("active"), &json!(0)));
    client.replays();
}

#[test]
fn a_transaction_whose_answer_was_lost_is_attached() {
    let (client, path) = planned();
    let first = client.read(&path)["debits"][0]["id"].as_str().expect("an id").to_owned();
    client.world.processor.script(&first, [Step::lost(), Step::lost()]);
    run(&client, "2026-01-12T06:00:00Z");
    let row = "txn_found,success,,2026-01-12T20:00:00Z".to_owned();
    client.world.processor.set_report(FakeReport::of(&[row]));
    run(&client, "2026-01-13T06:00:00Z");
    let attach = |key: &str, transaction: &str| {
        let body = json!({ "transaction_id": transaction, "note": "by their support" });
        client.operate(&format!("/v1/debits/{first}/attach"), key, &body)
    };
    let of_credit = client.read(&path)["transaction_id"].as_str().expect("a transaction").to_owned();
    attach("taken", &of_credit).is_problem(409, "conflict");
    attach("empty", "").is_problem(422, "invalid_request");
    let attached = attach("found", "txn_found");
    assert_eq!(
        (attached.status.as_u16(), &attached.body["transaction_id"]),
        (200, &json!("txn_found")),
        "{attached:?}"
    );
    attach("another", "txn_other").is_problem(409, "conflict");
    run(&client, "2026-01-14T06:00:00Z");
    assert_eq!(client.read(&path)["debits"][0]["status"], "collected");
    let unknown = client.read("/v1/exceptions?status=open&kind=unknown_transaction")["data"].clone();
    assert_eq!(unknown, json!([]), "its row belongs to somebody now");
    client.replays();
}

#[test]
fn an_exception_that_holds_nothing_is_closed() {
    let (client, _) = planned();
    client.world.processor.set_report(FakeReport::of(&["tx_of_nobody,success,,2026-01-06T20:00:00Z".into()]));
    run(&client, "2026-01-07T06:00:00Z");
    let exception = client.read("/v1/exceptions?status=open")["data"][0].clone();
    assert_eq!(exception["kind"], "unknown_transaction");
    let resolution = format!("/v1/exceptions/{}/resolution", exception["id"].as_str().expect("an id"));
    client.post(&resolution, r#"{"action": "release", "note": "x"}"#).is_problem(409, "conflict");
    assert_eq!(
        client.post(&resolution, r#"{"action": "close", "note": "another system's"}"#).status.as_u16(),
        200
    );
    // The same words never reopen what a person closed.
    run(&client, "2026-01-08T06:00:00Z");
    assert_eq!(client.read("/v1/exceptions?status=open")["data"], json!([]));
    client.replays();
}

#[test]
fn a_session_is_a_cookie_that_ends_with_logout_time_or_its_key() {
    let client = Client::new();
    client.add_key("pd_reader", &[Scope::Read]);
    let log_in = |key: &str| {
        let body = Body::from(json!({ "key": key }).to_string());
        let request = Request::post("/v1/session").header("content-type", "application/json").body(body);
        client.send(request.expect("a request"))
    };
    log_in("pd_nobody").is_problem(401, "unauthorized");
    let answer = log_in("pd_reader");
    assert_eq!((answer.status.as_u16(), &answer.body["scopes"]), (200, &json!(["read"])), "{answer:?}");
    let set = answer.header("set-cookie").to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(attribute), "{attribute} in {set}");
    }
    let cookie = set.split(';').next().expect("a cookie").to_owned();
    let with = |method: &str, path: &str, site: &str| {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("cookie", &cookie).header("sec-fetch-site", site);
        client.send(request.body(Body::empty()).expect("a request"))
    };
    assert_eq!(with("GET", "/v1/credits", "same-origin").status.as_u16(), 200);
    assert_eq!(with("GET", "/v1/session", "same-origin").body["label"], "test");
    with("GET", "/v1/credits", "cross-site").is_problem(401, "unauthorized");
    with("POST", "/v1/runs", "same-origin").is_problem(403, "forbidden");

    client.world.clock.set("2026-01-05T17:00:00Z".parse().expect("an instant"));
    with("GET", "/v1/credits", "same-origin").is_problem(401, "unauthorized");
    client.world.clock.set(NOW.parse().expect("an instant"));
    assert_eq!(with("GET", "/v1/credits", "same-origin").status.as_u16(), 200);
    assert_eq!(with("DELETE", "/v1/session", "same-origin").status.as_u16(), 204);
    with("GET", "/v1/credits", "same-origin").is_problem(401, "unauthorized");

    let cookie = log_in("pd_reader").header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let credits =
        || Request::get("/v1/credits").header("cookie", &cookie).body(Body::empty()).expect("a request");
    assert_eq!(client.send(credits()).status.as_u16(), 200);
    let revoke = "INSERT INTO api_key_revocations SELECT id, '2026-01-05T05:00:00.000Z' FROM api_keys";
    client.world.database.sqlite.execute(revoke).expect("the keys are revoked");
    client.send(credits()).is_problem(401, "unauthorized");
    client.replays();
}
