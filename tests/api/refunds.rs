//! Refunds: what was paid too much goes back by a credit transaction of its own (L8).

use axum::http::StatusCode;
use paydown_edge::run::sweep;
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};

use crate::client::{Client, Response};
use crate::operators::{planned, run};

/// A credit of 1,000.00 for which 1,100.00 were paid elsewhere, and its path.
fn overpaid() -> (Client, String) {
    let (client, path) = planned();
    let paid = json!({ "amount": 110_000, "received_on": "2026-01-06", "note": "by cheque" });
    let answer = client.operate(&format!("{path}/external_payment"), "paid", &paid);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(open(&client, "over_collected"), 1);
    (client, path)
}

fn refund(client: &Client, path: &str, key: &str, amount: u64) -> Response {
    client.operate(&format!("{path}/refund"), key, &json!({ "amount": amount, "note": "paid too much" }))
}

fn open(client: &Client, kind: &str) -> usize {
    let page = client.read(&format!("/v1/exceptions?status=open&kind={kind}"));
    page["data"].as_array().map_or(0, Vec::len)
}

fn only_refund(client: &Client, path: &str) -> Value {
    let refunds = client.read(path)["refunds"].clone();
    assert_eq!(refunds.as_array().map(Vec::len), Some(1), "{refunds}");
    refunds[0].clone()
}

#[test]
fn a_refund_leaves_once_and_counts_until_it_fails() {
    let (client, path) = overpaid();
    refund(&client, &path, "too-much", 10_001).is_problem(409, "conflict");
    let given = refund(&client, &path, "give-back", 10_000);
    assert_eq!((given.status.as_u16(), &given.body["paid"]), (200, &json!(100_000)), "{given:?}");
    let id = given.header("location").strip_prefix("/v1/refunds/").expect("its place").to_owned();
    let call = client.world.processor.calls().pop().expect("a call");
    let body: Value = serde_json::from_str(&call.body).expect("a body");
    assert_eq!(call.key, id);
    assert_eq!(
        body,
        json!({ "src_bank_account": "paydown_funding", "dst_bank_account": "acct_8841", "amount": 10_000,
            "direction": "credit", "reference": id })
    );
    let calls = client.world.processor.calls().len();
    let again = refund(&client, &path, "give-back", 10_000);
    assert_eq!((again.status.as_u16(), again.header("idempotent-replayed")), (200, "true"));
    assert_eq!(client.world.processor.calls().len(), calls, "the money moves once");
    assert_eq!(only_refund(&client, &path)["status"], "submitted");
    assert_eq!(open(&client, "over_collected"), 0);
    // One credit and nothing else is found by the refund's id.
    let path_of = |credit: &Value| format!("/v1/credits/{}", credit["id"].as_str().unwrap_or_default());
    assert_eq!(path_of(&client.read(&format!("/v1/credits?q={id}"))["data"][0]), path);

    let row = format!("tx_{id},success,,2026-01-07T01:00:00Z");
    client.world.processor.set_report(FakeReport::of(std::slice::from_ref(&row)));
    run(&client, "2026-01-07T06:00:00Z");
    assert_eq!(only_refund(&client, &path)["status"], "confirmed");
    assert_eq!(client.read("/v1/runs")["data"][0]["counts"]["collected"], 0, "it is no debit");
    // The bank takes it back: it counts no more.
    let failed = format!("tx_{id},failure,R03,2026-01-08T01:00:00Z");
    client.world.processor.set_report(FakeReport::of(&[row, failed]));
    run(&client, "2026-01-08T06:00:00Z");
    assert_eq!(only_refund(&client, &path)["status"], "failed");
    assert_eq!((&client.read(&path)["paid"], open(&client, "over_collected")), (&json!(110_000), 1));
    assert_eq!(open(&client, "hard_return"), 0, "a code of a refund says nothing of debits");
    let timeline = client.read(&path)["timeline"].clone();
    let of_refund: Vec<&Value> =
        timeline.as_array().into_iter().flatten().filter(|entry| entry["kind"] == "refund").collect();
    assert_eq!(of_refund.len(), 1);
    assert_eq!((&of_refund[0]["rule"], of_refund[0].get("debit_id")), (&json!("L8"), None));
    // All that is about it names it: that it was asked for and named, and what the reports said.
    let about_it: Vec<&Value> = timeline
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entry| entry["refund_id"] == id.as_str())
        .map(|entry| &entry["kind"])
        .collect();
    assert_eq!(about_it, ["refund", "transaction", "observation", "word", "observation", "word"]);
    client.replays();
}

#[test]
fn a_refund_whose_answer_was_lost_is_called_for_again_with_the_same_body() {
    let (client, path) = overpaid();
    client.world.processor.script("acct_8841", [Step::lost()]);
    refund(&client, &path, "give-back", 10_000);
    assert_eq!(only_refund(&client, &path)["status"], "processing");
    let at = "2026-01-06T06:20:00Z".parse().expect("an instant");
    client.world.clock.set(at);
    futures_executor::block_on(sweep(&client.world.ports(), at)).expect("the sweep ends");
    assert_eq!(only_refund(&client, &path)["status"], "submitted");
    let calls = client.world.processor.calls();
    let [.., first, second] = calls.as_slice() else { panic!("two calls") };
    assert_eq!((&first.key, &first.body), (&second.key, &second.body));
    client.replays();
}

#[test]
fn a_refund_that_is_refused_moves_nothing() {
    let (client, path) = overpaid();
    client.world.processor.script("acct_8841", [Step::refused()]);
    let refused = refund(&client, &path, "give-back", 10_000);
    assert_eq!((refused.status.as_u16(), &refused.body["paid"]), (200, &json!(110_000)), "{refused:?}");
    assert_eq!(
        (&only_refund(&client, &path)["status"], open(&client, "over_collected")),
        (&json!("failed"), 1)
    );
    client.replays();
}

#[test]
fn under_a_stop_no_refund_leaves() {
    let (client, path) = overpaid();
    client.post("/v1/stop", r#"{"note": "look first"}"#);
    let before = client.written();
    refund(&client, &path, "give-back", 10_000).is_problem(422, "stopped");
    assert_eq!(client.written(), before);
    client.post("/v1/start", r#"{"note": "looked"}"#);
    assert_eq!(refund(&client, &path, "give-back", 10_000).status, StatusCode::OK);
    client.replays();
}

#[test]
fn a_silent_refund_is_decided_and_one_without_an_answer_attached() {
    let (client, path) = overpaid();
    refund(&client, &path, "give-back", 4_000);
    let first = only_refund(&client, &path)["id"].as_str().expect("an id").to_owned();
    for day in 7..=11 {
        run(&client, &format!("2026-01-{day:02}T06:00:00Z"));
    }
    let unconfirmed = client.read("/v1/exceptions?status=open&kind=credit_unconfirmed")["data"][0].clone();
    assert_eq!(unconfirmed["subject"], first.as_str());
    let word = json!({ "status": "success", "note": "on the statement" });
    let decided = client.operate(&format!("/v1/refunds/{first}/decision"), "decided", &word);
    assert_eq!((decided.status.as_u16(), &decided.body["id"]), (200, &json!(first)), "{decided:?}");
    run(&client, "2026-01-12T06:00:00Z");
    assert_eq!(
        (&only_refund(&client, &path)["status"], open(&client, "credit_unconfirmed")),
        (&json!("confirmed"), 0)
    );

    client.world.processor.script("acct_8841", [Step::lost(), Step::lost(), Step::lost()]);
    let second = refund(&client, &path, "give-more-back", 1_000).header("location").to_owned();
    let named = json!({ "transaction_id": "txn_found", "note": "by their support" });
    let attached = client.operate(&format!("{second}/attach"), "attached", &named);
    assert_eq!(
        (attached.status.as_u16(), &attached.body["status"], &attached.body["transaction_id"]),
        (200, &json!("submitted"), &json!("txn_found")),
        "{attached:?}"
    );
    client
        .operate(&format!("/v1/refunds/{}/attach", uuid::Uuid::nil()), "nobody", &named)
        .is_problem(404, "not_found");
    client.replays();
}
