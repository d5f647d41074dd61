//! Every call that an acting route makes of its database fails once, before or after it persisted: the client hears
//! what he can act on, repeats the same request, and the book ends as if nothing had happened.

use axum::body::Body;
use axum::http::Request;
use futures_executor::block_on;
use paydown_edge::error::Fault;
use paydown_edge::ports::Answer;
use paydown_edge::run::{daily, sweep};
use paydown_tests::memory::Failure;
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};

use crate::client::{Client, KEY, ORDINARY, Response};

/// A request of an operator or a program, with the body and the key that it has.
struct Act {
    name: &'static str,
    path: fn(&Client) -> String,
    key: Option<&'static str>,
    body: &'static str,
}

const ACTS: &[Act] = &[
    Act { name: "advance", path: |_| "/v1/perform_advance".into(), key: Some("the-key"), body: ORDINARY },
    Act {
        name: "hold",
        path: |client| format!("/v1/credits/{}/hold", credit(client)),
        key: Some("the-key"),
        body: r#"{"note": "x"}"#,
    },
    Act {
        name: "release",
        path: |client| format!("/v1/credits/{}/release", credit(client)),
        key: Some("the-key"),
        body: r#"{"note": "x"}"#,
    },
    Act {
        name: "resolution",
        path: |client| {
            let exceptions = client.read("/v1/exceptions?kind=hard_return");
            format!(
                "/v1/exceptions/{}/resolution",
                exceptions["data"][0]["id"].as_str().expect("an exception")
            )
        },
        key: None,
        body: r#"{"action": "release", "note": "x"}"#,
    },
    Act {
        name: "resolutions",
        path: |_| "/v1/exceptions/resolutions".into(),
        key: None,
        body: r#"{"kind": "unknown_transaction", "action": "close", "note": "x"}"#,
    },
    Act { name: "stop", path: |_| "/v1/stop".into(), key: None, body: r#"{"note": "x"}"# },
];

/// A book with a credit that a hard return holds, another that is whole, and a row of nobody's.
fn book() -> Client {
    let client = Client::new();
    let mut rows = vec!["tx_of_nobody,success,,2026-01-05T20:00:00Z".to_owned()];
    for account in ["acct_whole", "acct_closed"] {
        let credit = client.advance(account, &ORDINARY.replace("acct_8841", account)).body;
        rows.push(format!(
            "{},success,,2026-01-05T20:00:00Z",
            credit["transaction_id"].as_str().expect("an id")
        ));
    }
    client.world.processor.set_report(FakeReport::of(&rows));
    run(&client, "2026-01-06T06:00:00Z");
    let debits = client.read("/v1/debits?due_to=2026-01-12")["data"].clone();
    let closed = debits.as_array().expect("debits").iter().find(|debit| debit["account_id"] == "acct_closed");
    let refused = Answer::Refused { code: "R02".into(), message: "closed".into() };
    let closed = closed.and_then(|debit| debit["id"].as_str()).expect("a debit");
    client.world.processor.script(closed, [Step::from(refused)]);
    run(&client, "2026-01-12T06:00:00Z");
    client
}

fn run(client: &Client, as_of: &str) {
    let as_of = as_of.parse().expect("an instant");
    client.world.clock.set(as_of);
    block_on(daily(&client.world.ports(), as_of)).expect("the run ends");
}

fn credit(client: &Client) -> String {
    let held = client.read("/v1/credits?account_id=acct_closed");
    held["data"][0]["id"].as_str().expect("a credit").to_owned()
}

fn send(client: &Client, act: &Act, path: &str) -> Response {
    let mut request = Request::post(path)
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "application/json");
    if let Some(key) = act.key {
        request = request.header("idempotency-key", key);
    }
    client.send(request.body(Body::from(act.body)).expect("a request"))
}

/// The book as it stands: each credit, each exception, the stops, and what the processor was told to move.
fn standing(client: &Client) -> Value {
    let mut credits = client.read("/v1/credits")["data"].clone();
    for credit in credits.as_array_mut().into_iter().flatten() {
        // A credit's own id is random, its transaction's is made of it, and its account says which it is.
        credit["id"] = Value::Null;
        credit["transaction_id"] = json!(credit["transaction_id"].is_string());
    }
    let exceptions = client.world.query(
        "SELECT e.kind || coalesce(r.action || r.actor || r.note, '') FROM exceptions e
         LEFT JOIN resolutions r ON r.exception_id = e.id ORDER BY 1",
    );
    let stopped = client.world.query("SELECT action FROM stops ORDER BY at");
    let moved = client.world.processor.moved().len();
    json!({ "credits": credits, "exceptions": exceptions, "stopped": stopped, "moved": moved })
}

#[test]
fn a_request_that_met_a_fault_is_repeated_and_done_once() {
    let mut met = 0;
    for act in ACTS {
        let undisturbed = book();
        let path = (act.path)(&undisturbed);
        let before = undisturbed.world.database.batches();
        let answer = send(&undisturbed, act, &path);
        assert!(answer.status.is_success(), "{}: {answer:?}", act.name);
        let batches = undisturbed.world.database.batches() - before;
        let expected = standing(&undisturbed);

        for number in 0..batches {
            for failure in [
                Failure::Before(Fault::Permanent("broken".into())),
                Failure::After(Fault::Permanent("broken".into())),
                Failure::Before(Fault::Overloaded("too much".into())),
                Failure::After(Fault::Overloaded("too much".into())),
                Failure::After(Fault::Transient("lost".into())),
            ] {
                let at = format!("{} with batch {number} of {batches} failing by {failure:?}", act.name);
                let client = book();
                let path = (act.path)(&client);
                client.world.database.fail(number, failure);
                let answer = send(&client, act, &path);
                let status = answer.status.as_u16();
                let is_known = answer.status.is_success() || status == 500 || status == 503;
                assert!(is_known, "{at}: {answer:?}");
                if status == 503 {
                    assert!(!answer.header("retry-after").is_empty(), "{at}: {answer:?}");
                }
                // A person who was told that it failed looks and repeats; an exception may be resolved by then.
                let again = send(&client, act, &path);
                let is_done =
                    again.status.is_success() || (act.key.is_none() && again.status.as_u16() == 409);
                assert!(is_done, "{at}, repeated: {again:?}");
                // What was recorded of an advance whose outcome was lost is finished by the sweeper.
                let sweep_at = "2026-01-12T06:10:00Z".parse().expect("an instant");
                block_on(sweep(&client.world.ports(), sweep_at)).expect("the sweep ends");
                assert_eq!(standing(&client), expected, "{at}");
                met += 1;
            }
        }
    }
    assert!(met >= 100, "{met} faults");
}

#[test]
fn a_reading_route_that_meets_a_fault_says_so() {
    let client = book();
    let run = client.read("/v1/runs")["data"][0]["id"].as_str().expect("a run").to_owned();
    let id = credit(&client);
    for path in [
        "/v1/credits",
        &format!("/v1/credits/{id}"),
        &format!("/v1/credits/{id}/facts"),
        "/v1/debits",
        "/v1/runs",
        &format!("/v1/runs/{run}"),
        "/v1/exceptions",
        "/v1/journal",
        "/v1/events",
        "/v1/summary",
        "/v1/settings",
        "/v1/keys",
        "/v1/webhook_endpoints",
        "/v1/metrics",
        "/healthz",
    ] {
        let before = client.world.database.batches();
        assert_eq!(client.get(path).status.as_u16(), 200, "{path}");
        for number in 0..client.world.database.batches() - before {
            client.world.database.fail(number, Failure::Before(Fault::Permanent("broken".into())));
            client.get(path).is_problem(500, "internal");
            client.world.database.fail(number, Failure::Before(Fault::Overloaded("too much".into())));
            let answer = client.get(path);
            answer.is_problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), "2");
            assert!(!answer.text.contains("too much"), "what the database said is for the log");
        }
    }
}
