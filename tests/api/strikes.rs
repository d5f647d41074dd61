//! Two strikes: two debits in a row that failed on one account hold all its credits, when the setting says so (L8).

use paydown::policy::Policy;
use paydown_edge::config::Settings;
use paydown_tests::memory::World;
use paydown_tests::processor::FakeReport;
use serde_json::json;

use crate::client::{Client, NOW};
use crate::operators::run;

/// Three credits, two of them of one account, with a debit each submitted on 12 January; their ids.
fn three(two_strikes: bool) -> (Client, [String; 3]) {
    let settings = Settings { policy: Policy { two_strikes, ..Policy::default() }, ..Settings::default() };
    let client = Client::of(World::with(NOW, settings));
    let ids = ["acct_1", "acct_1", "acct_2"].map(|account| {
        let body = json!({ "account_id": account, "amount": 30_000, "installments": 3 }).to_string();
        let number = client.world.processor.calls().len();
        client.advance(&format!("advance-{number}"), &body).body["id"].as_str().expect("an id").to_owned()
    });
    says(&client, &ids.clone().map(|id| format!("tx_{id},success,,2026-01-05T20:00:00Z")), 6);
    run(&client, "2026-01-12T06:00:00Z");
    (client, ids)
}

fn says(client: &Client, rows: &[String], day: u32) {
    client.world.processor.set_report(FakeReport::of(rows));
    run(client, &format!("2026-01-{day:02}T06:00:00Z"));
}

/// A row about the first debit of a credit, at an hour of 12 January.
fn row(client: &Client, credit: &str, word: &str, hour: u32) -> String {
    let debit = client.read(&format!("/v1/credits/{credit}"))["debits"][0].clone();
    format!("{},{word},2026-01-12T{hour:02}:00:00Z", debit["transaction_id"].as_str().expect("a transaction"))
}

fn statuses(client: &Client, ids: &[String; 3]) -> [String; 3] {
    ids.clone()
        .map(|id| client.read(&format!("/v1/credits/{id}"))["status"].as_str().expect("a status").to_owned())
}

#[test]
fn two_failures_in_a_row_hold_the_account_until_released() {
    let (client, ids) = three(true);
    let failures = [row(&client, &ids[0], "failure,R01", 8), row(&client, &ids[1], "failure,R01", 9)];
    // On a day on which the next debits are due: none leaves any more.
    says(&client, &failures, 19);
    assert_eq!(statuses(&client, &ids), ["held", "held", "active"]);
    for id in &ids[..2] {
        assert_eq!(client.read(&format!("/v1/credits/{id}"))["debits"][1]["status"], "scheduled");
    }
    let rules = "SELECT x.rule FROM holds h JOIN decisions x ON x.id = h.decision_id";
    assert_eq!(client.world.query(rules), ["L8", "L8"]);
    let exception = client.read("/v1/exceptions?status=open&kind=two_strikes")["data"][0].clone();
    assert_eq!((&exception["subject"], &exception["actions"]), (&json!("acct_1"), &json!(["release"])));
    // An advance is still possible: only a hard return speaks against one.
    let body = json!({ "account_id": "acct_1", "amount": 100, "installments": 1 }).to_string();
    assert_eq!(client.advance("more", &body).status.as_u16(), 201);
    let other = client.read(&format!("/v1/credits/{}", ids[0]));
    let held = other["timeline"].as_array().into_iter().flatten().find(|entry| entry["kind"] == "held");
    assert_eq!(held.map(|entry| &entry["rule"]), Some(&json!("L8")), "{other}");

    let resolution = format!("/v1/exceptions/{}/resolution", exception["id"].as_str().expect("an id"));
    let released = client.post(&resolution, r#"{"action": "release", "note": "the customer called"}"#);
    assert_eq!(released.status.as_u16(), 200, "{released:?}");
    // The same words never hold again.
    run(&client, "2026-01-20T06:00:00Z");
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"]);
    client.replays();
}

#[test]
fn a_failure_that_is_read_late_makes_two_with_the_one_after_it() {
    let (client, ids) = three(true);
    let [earlier, later] = [row(&client, &ids[0], "failure,R01", 8), row(&client, &ids[1], "failure,R01", 9)];
    says(&client, std::slice::from_ref(&later), 13);
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"]);
    says(&client, &[later, earlier], 14);
    assert_eq!(statuses(&client, &ids), ["held", "held", "active"]);
}

#[test]
fn a_success_between_them_holds_nothing() {
    let (client, ids) = three(true);
    let rows = [row(&client, &ids[0], "failure,R01", 8), row(&client, &ids[2], "failure,R01", 9)];
    says(&client, &rows, 13);
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"], "they are of two accounts");
    let success = row(&client, &ids[1], "success,", 10);
    says(&client, &[&rows[..], &[success]].concat(), 14);
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"]);
    client.replays();
}

#[test]
fn a_failure_that_was_taken_back_is_no_strike() {
    let (client, ids) = three(true);
    let first = row(&client, &ids[0], "failure,R01", 8);
    says(&client, std::slice::from_ref(&first), 13);
    let then = [first, row(&client, &ids[0], "success,", 12), row(&client, &ids[1], "failure,R01", 9)];
    says(&client, &then, 14);
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"]);
    client.replays();
}

#[test]
fn without_the_setting_nothing_is_held_nor_later_for_what_was_said_then() {
    let (mut client, ids) = three(false);
    let failures = [row(&client, &ids[0], "failure,R01", 8), row(&client, &ids[1], "failure,R01", 9)];
    says(&client, &failures, 13);
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"]);
    run(&client, "2026-01-19T06:00:00Z");
    let policy = Policy { two_strikes: true, ..Policy::default() };
    client.world.settings = std::sync::Arc::new(Settings { policy, ..Settings::default() });
    let second = |credit: &str, word: &str, hour: u32| {
        let debit = client.read(&format!("/v1/credits/{credit}"))["debits"][1].clone();
        let transaction = debit["transaction_id"].as_str().expect("a transaction").to_owned();
        format!("{transaction},{word},2026-01-19T{hour:02}:00:00Z")
    };
    let rows = [second(&ids[0], "success,", 8), second(&ids[1], "failure,R01", 9)];
    says(&client, &rows, 20);
    assert_eq!(statuses(&client, &ids), ["active", "active", "active"]);
    client.replays();
}
