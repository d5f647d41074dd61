//! `perform_advance`: money leaves once for each idempotency key, whatever fails on the way.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use paydown::api::Scope;
use paydown_edge::error::Fault;
use paydown_edge::message::Message;
use paydown_edge::ports::Answer;
use paydown_tests::memory::{Failure, World};
use paydown_tests::processor::Step;
use serde_json::json;

use crate::client::{Client, KEY, NOW, ORDINARY, advance};

#[test]
fn an_advance_is_paid_out_in_two_round_trips() {
    let client = Client::new();
    let before = client.world.database.batches();
    let response = client.advance("k-1", ORDINARY);
    assert_eq!(client.world.database.batches() - before, 2);
    assert_eq!(response.status.as_u16(), 201);
    let id = response.body["id"].as_str().expect("an id").to_owned();
    let expected = json!({
        "id": id, "account_id": "acct_8841", "amount": 100_000, "fee": 0, "currency": "USD", "installments": 12,
        "interval_days": 7, "status": "pending", "created_at": NOW, "transaction_id": format!("tx_{id}"),
        "confirmed_at": null, "collected": 0, "paid": 0, "in_flight": 0, "scheduled": 0, "missing": 100_000,
        "outstanding": 100_000, "next_due_date": null,
    });
    assert_eq!(response.body, expected);
    assert_eq!(response.header("location"), format!("/v1/credits/{id}"));
    let calls = client.world.processor.calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].key, id);
    assert_eq!(client.world.query("SELECT body FROM credits"), [calls[0].body.clone()]);
    let body = format!(
        r#"{{"src_bank_account":"paydown_funding","dst_bank_account":"acct_8841","amount":100000,"direction":"credit","reference":"{id}"}}"#
    );
    assert_eq!(calls[0].body, body);
}

#[test]
fn a_repeated_request_gets_the_first_answer_and_moves_nothing() {
    let client = Client::new();
    let first = client.advance("k-1", ORDINARY);
    // The same request in another spelling: defaults written out, key quoted, members in another order.
    let spelled = r#"{"interval_days": 7, "installments": 12, "currency": "USD", "fee": 0, "amount": 100000, "account_id": "acct_8841"}"#;
    for (key, body) in [("k-1", ORDINARY), ("\"k-1\"", ORDINARY), ("k-1", spelled)] {
        let again = client.advance(key, body);
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        assert_eq!(again.header("idempotent-replayed"), "true");
    }
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(client.world.processor.calls().len(), 1);

    let other = client.advance("k-1", r#"{"account_id": "acct_8841", "amount": 100001}"#);
    other.is_problem(422, "idempotency_key_reused");
    assert_eq!(other.body["credit_id"], first.body["id"]);
    assert_eq!(client.world.query("SELECT count(*) FROM credits"), ["1"]);
}

#[test]
fn a_hundred_parallel_calls_with_one_key_make_one_credit() {
    let client = Client::new();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| client.advance("k-1", ORDINARY))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let ids: BTreeSet<&str> = answers.iter().map(|a| a.body["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 1);
    assert!(answers.iter().all(|a| matches!(a.status.as_u16(), 201 | 202)));
    let firsts = answers.iter().filter(|a| a.header("idempotent-replayed").is_empty()).count();
    assert_eq!(firsts, 1);
    assert_eq!(client.world.processor.calls().len(), 1);
    assert_eq!(client.world.query("SELECT count(*) FROM credits"), ["1"]);
}

#[test]
fn an_unknown_answer_is_sought_later_and_the_replay_tells_its_outcome() {
    for (answer, noted) in [
        (Step::lost(), 1),
        (Step::broken(), 1),
        (Step::from(Answer::SlowDown { retry_after_seconds: 7 }), 0),
        (Step::from(Answer::Misconfigured { status: 401 }), 0),
        (Step::from(Answer::Transaction(String::new())), 1),
    ] {
        let client = Client::new();
        client.world.processor.script("acct_8841", [answer.clone()]);
        let first = client.advance("k-1", ORDINARY);
        assert_eq!(first.status.as_u16(), 202, "{answer:?}");
        assert_eq!((&first.body["transaction_id"], &first.body["status"]), (&json!(null), &json!("pending")));
        let notes = client.world.query("SELECT subject_id FROM unknown_answers");
        assert_eq!(notes.len(), noted, "{answer:?}");

        let waiting = client.advance("k-1", ORDINARY);
        assert_eq!((waiting.status, &waiting.text), (first.status, &first.text));
        assert_eq!(waiting.header("idempotent-replayed"), "true");
        assert_eq!(client.world.processor.calls().len(), 1, "a replay never calls");

        let id = first.body["id"].as_str().expect("an id");
        let sql = format!("INSERT INTO credit_transactions VALUES ('{id}', 'tx_later', '{NOW}')");
        client.world.database.sqlite.execute(&sql).expect("the seeker's outcome");
        let found = client.advance("k-1", ORDINARY);
        assert_eq!((found.status.as_u16(), &found.body["transaction_id"]), (201, &json!("tx_later")));
    }
}

#[test]
fn a_refused_advance_exists_as_failed() {
    let client = Client::new();
    client.world.processor.script("acct_8841", [Step::refused()]);
    let before = client.world.database.batches();
    let first = client.advance("k-1", ORDINARY);
    assert_eq!(client.world.database.batches() - before, 2);
    first.is_problem(422, "refused");
    assert_eq!(first.body["request_id"], first.header("x-request-id"));
    let id = first.body["credit_id"].as_str().expect("the credit");
    assert_eq!(client.read(&format!("/v1/credits/{id}"))["status"], "failed");

    let again = client.advance("k-1", ORDINARY);
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(client.world.processor.calls().len(), 1);
}

#[test]
fn a_refusal_lands_even_if_the_credit_changed_meanwhile() {
    // Another credit's hard return takes the first turn while the processor is asked.
    let client = Client::new();
    client.world.processor.script("acct_8841", [Step::refused()]);
    let ports = client.world.ports();
    let mut world = client.world.clone();
    world.settings = ports.settings.clone();
    struct Meddling(paydown_edge::ports::Ports, World);
    #[async_trait::async_trait(?Send)]
    impl paydown_edge::ports::Processor for Meddling {
        async fn perform(&self, key: &str, body: &str) -> Answer {
            let sqlite = &self.1.database.sqlite;
            sqlite.execute("INSERT INTO policies VALUES ('p', '{}')").expect("a policy");
            let sql =
                format!("INSERT INTO decisions VALUES ('d', '{key}', 0, 'L7', 'p', NULL, '{NOW}', NULL)");
            sqlite.execute(&sql).expect("a decision");
            self.0.processor.perform(key, body).await
        }
        async fn report(&self) -> Result<Box<dyn paydown_edge::ports::ReportBody>, String> {
            self.0.processor.report().await
        }
    }
    let meddled = paydown_edge::ports::Ports {
        processor: std::sync::Arc::new(Meddling(ports.clone(), world)),
        ..ports
    };
    let router = paydown_edge::http::router(meddled);
    let request = advance("k-1", ORDINARY);
    let response =
        futures_executor::block_on(tower::ServiceExt::oneshot(router, request)).expect("an answer");
    assert_eq!(response.status().as_u16(), 422);
    let credits = client.read("/v1/credits?status=failed");
    assert_eq!(credits["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(client.world.query("SELECT turn FROM decisions ORDER BY turn"), ["0", "1"]);
}

#[test]
fn a_name_that_is_anothers_counts_as_unknown() {
    let client = Client::new();
    client.world.processor.script("acct", [Step::from(Answer::Transaction("tx_same".into()))]);
    assert_eq!(client.advance("k-1", ORDINARY).status.as_u16(), 201);
    let second = client.advance("k-2", ORDINARY);
    assert_eq!((second.status.as_u16(), &second.body["transaction_id"]), (202, &json!(null)));
    assert_eq!(client.world.query("SELECT count(*) FROM unknown_answers"), ["1"]);
}

#[test]
fn a_lost_outcome_is_a_recorded_advance() {
    let client = Client::new();
    client.world.database.fail(1, Failure::Before(Fault::Permanent("broken".into())));
    let first = client.advance("k-1", ORDINARY);
    assert_eq!((first.status.as_u16(), &first.body["transaction_id"]), (202, &json!(null)));
    assert_eq!(client.world.processor.moved().len(), 1);
    assert_eq!(client.advance("k-1", ORDINARY).status.as_u16(), 202);
}

#[test]
fn a_lost_intent_claims_nothing() {
    for (failure, recorded) in [
        (Failure::Before(Fault::Overloaded("too much".into())), 0),
        (Failure::Before(Fault::Permanent("broken".into())), 0),
        (Failure::After(Fault::Permanent("the answer was lost".into())), 1),
    ] {
        let client = Client::new();
        client.world.database.fail(0, failure);
        let first = client.advance("k-1", ORDINARY);
        first.is_problem(503, "unavailable");
        assert_eq!(first.header("retry-after"), "2");
        assert_eq!(client.world.query("SELECT 1 FROM credits").len(), recorded);
        assert!(client.world.processor.calls().is_empty());
        let again = client.advance("k-1", ORDINARY);
        assert_eq!(again.status.as_u16(), if recorded == 1 { 202 } else { 201 });
    }
}

#[test]
fn a_passing_fault_is_tried_again_and_makes_one_credit() {
    let client = Client::new();
    client.world.database.fail(0, Failure::After(Fault::Transient("Network connection lost".into())));
    let first = client.advance("k-1", ORDINARY);
    assert_eq!(first.status.as_u16(), 201);
    assert_eq!(first.header("idempotent-replayed"), "");
    assert_eq!(client.world.query("SELECT count(*) FROM credits"), ["1"]);
}

#[test]
fn who_prefers_it_is_answered_before_the_processor_is_called() {
    let client = Client::new();
    let mut request = advance("k-1", ORDINARY);
    request.headers_mut().insert("prefer", "respond-async, wait=10".parse().expect("a header"));
    let response = client.send(request);
    assert_eq!((response.status.as_u16(), &response.body["transaction_id"]), (202, &json!(null)));
    assert_eq!(response.header("preference-applied"), "respond-async");
    assert!(client.world.processor.calls().is_empty());
    let credit_id = serde_json::from_value(response.body["id"].clone()).expect("an id");
    assert_eq!(client.world.outbox.sent(), [Message::Submit { credit_id }]);
}

#[test]
fn who_may_not_is_told_before_anything_else() {
    let client = Client::new();
    client.add_key("pd_reader", &[Scope::Read]);
    client.add_key("pd_revoked", &Scope::ALL);
    let revoke =
        "INSERT INTO api_key_revocations SELECT id, '2026-01-01T00:00:00.000Z' FROM api_keys WHERE hash = ";
    let hash = paydown_edge::ledger::keys::hash("pd_revoked");
    client.world.database.sqlite.execute(&format!("{revoke}'{hash}'")).expect("a revocation");
    for (authorization, status, code) in [
        (None, 401, "unauthorized"),
        (Some("Bearer"), 401, "unauthorized"),
        (Some("Basic abc"), 401, "unauthorized"),
        (Some("Bearer pd_nobody"), 401, "unauthorized"),
        (Some("Bearer pd_revoked"), 401, "unauthorized"),
        (Some("Bearer pd_reader"), 403, "forbidden"),
    ] {
        for body in [ORDINARY, "not JSON", r#"{"amount": -1}"#] {
            let mut request = advance("k-1", body);
            request.headers_mut().remove("authorization");
            if let Some(authorization) = authorization {
                request.headers_mut().insert("authorization", authorization.parse().expect("a header"));
            }
            let response = client.send(request);
            response.is_problem(status, code);
            assert_eq!(response.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
        }
    }
    assert_eq!(client.world.query("SELECT 1 FROM credits").len(), 0);
    assert!(client.world.processor.calls().is_empty());
}

#[test]
fn a_held_account_and_a_stop_let_nothing_leave() {
    let client = Client::new();
    let first = client.advance("k-1", ORDINARY);
    let id = first.body["id"].as_str().expect("an id");
    let run = |sql: &str| client.world.database.sqlite.execute(sql).expect("a fact");
    run("INSERT INTO policies VALUES ('p', '{}')");
    run(&format!("INSERT INTO decisions VALUES ('d', '{id}', 0, 'L7', 'p', NULL, '{NOW}', NULL)"));
    run(&format!("INSERT INTO exceptions VALUES ('e', 'hard_return', 'x', '{id}', NULL, '', '{NOW}', 'd')"));
    run(&format!("INSERT INTO holds VALUES ('{id}', 'e', 'd')"));
    client.advance("k-2", ORDINARY).is_problem(422, "account_held");
    assert_eq!(client.advance("k-1", ORDINARY).text, first.text, "a replay is not held");
    assert_eq!(client.advance("k-3", r#"{"account_id": "other", "amount": 100}"#).status.as_u16(), 201);
    run(&format!("INSERT INTO decisions VALUES ('d2', '{id}', 1, 'L8', 'p', NULL, '{NOW}', NULL)"));
    run(&format!("INSERT INTO releases VALUES ('{id}', 'e', 'd2')"));
    assert_eq!(client.advance("k-2", ORDINARY).status.as_u16(), 201);

    run("INSERT INTO stops VALUES ('s1', 'stop', 'ann', 'fire', '2026-01-05T05:00:00.000Z')");
    client.advance("k-4", ORDINARY).is_problem(422, "stopped");
    assert_eq!(client.world.query("SELECT 1 FROM credits").len(), 3);
    run("INSERT INTO stops VALUES ('s2', 'start', 'ann', 'out', '2026-01-05T05:00:01.000Z')");
    assert_eq!(client.advance("k-4", ORDINARY).status.as_u16(), 201);
}

#[test]
fn a_credit_is_never_older_than_the_last_run() {
    let client = Client::new();
    let sql = "INSERT INTO runs VALUES ('r', '2026-01-06', '2026-01-06T06:00:00.000Z', '2026-01-05T05:00:00.000Z', '[]')";
    client.world.database.sqlite.execute(sql).expect("a run");
    assert_eq!(client.advance("k-1", ORDINARY).body["created_at"], "2026-01-06T06:00:00Z");
}

#[test]
fn the_limits_themselves_are_allowed() {
    let client = Client::new();
    let account = "A".repeat(64);
    for (number, body) in [
        format!(r#"{{"account_id": "{account}", "amount": 100000000, "fee": 100000000}}"#),
        r#"{"account_id": "a.B_c:d-9", "amount": 1, "installments": 1, "interval_days": 92}"#.to_owned(),
        r#"{"account_id": "a", "amount": 103, "fee": 1, "installments": 104, "interval_days": 1}"#.to_owned(),
    ]
    .iter()
    .enumerate()
    {
        assert_eq!(client.advance(&format!("k-{number}"), body).status.as_u16(), 201, "{body}");
    }
    assert_eq!(client.advance(&"k".repeat(255), ORDINARY).status.as_u16(), 201);
    assert_eq!(client.advance(r#" "with \"quotes\" and \\" "#, ORDINARY).status.as_u16(), 201);
    let stored =
        client.world.query("SELECT idempotency_key FROM requests WHERE idempotency_key LIKE 'with%'");
    assert_eq!(stored, [r#"with "quotes" and \"#]);
}

#[test]
fn a_request_without_a_key_of_its_own_is_refused() {
    let client = Client::new();
    let mut request = advance("k-1", ORDINARY);
    request.headers_mut().append("idempotency-key", "k-2".parse().expect("a header"));
    client.send(request).is_problem(400, "bad_request");
    let request = Request::post("/v1/perform_advance")
        .header("authorization", format!("Bearer {KEY}"))
        .header("content-type", "application/json");
    client.send(request.body(Body::from(ORDINARY)).expect("a request")).is_problem(400, "bad_request");
    assert!(client.written().is_empty());
}
