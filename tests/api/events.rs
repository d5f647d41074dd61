//! Events: each fact told once, in one order, in words that never change; read on from the last one that was seen.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use paydown::api::{Event, EventType};
use paydown_edge::ports::Answer;
use paydown_tests::client::KEY;
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};

use crate::client::{Client, ORDINARY};
use crate::operators::run;

/// A book in which everything happens that an event can tell of, and its first credit.
pub fn eventful() -> (Client, String) {
    let client = Client::new();
    let mut rows: Vec<String> = Vec::new();
    let mut day = |client: &Client, row: Option<String>, date: &str| {
        rows.extend(row);
        client.world.processor.set_report(FakeReport::of(&rows));
        run(client, &format!("{date}T06:00:00Z"));
    };
    let three = r#"{"account_id": "acct_8841", "amount": 3000, "installments": 3}"#;
    let credit = client.advance("first", three).body["id"].as_str().expect("an id").to_owned();
    let other = client.advance("other", three).body["id"].as_str().expect("an id").to_owned();
    let said = |id: &str, word: &str, at: &str| Some(format!("tx_{id},{word},{at}T20:00:00Z"));
    let debit = |sequence: usize| {
        let found = client.read(&format!("/v1/credits/{credit}"))["debits"][sequence - 1].clone();
        found["id"].as_str().expect("a debit").to_owned()
    };
    day(&client, said(&other, "success,", "2026-01-05"), "2026-01-06");
    day(&client, said(&credit, "success,", "2026-01-06"), "2026-01-07");
    let paid = json!({ "amount": 3000, "received_on": "2026-01-07", "note": "by cheque" });
    client.operate(&format!("/v1/credits/{other}/external_payment"), "other-paid", &paid);
    day(&client, None, "2026-01-12");
    day(&client, said(&debit(1), "success,", "2026-01-12"), "2026-01-13");
    day(&client, None, "2026-01-19");
    day(&client, said(&debit(2), "failure,R01", "2026-01-19"), "2026-01-20");
    day(&client, None, "2026-01-26");
    day(&client, None, "2026-01-31");
    day(&client, None, "2026-02-02");
    day(&client, said(&debit(1), "failure,R10", "2026-02-02"), "2026-02-03");
    let exception = client.read("/v1/exceptions?kind=hard_return")["data"][0]["id"].clone();
    let resolution = format!("/v1/exceptions/{}/resolution", exception.as_str().expect("an exception"));
    let released = client.post(&resolution, r#"{"action": "release", "note": "a new account is on file"}"#);
    assert_eq!(released.status.as_u16(), 200, "{released:?}");
    let paid = json!({ "amount": 5000, "received_on": "2026-02-03", "note": "by cheque" });
    client.operate(&format!("/v1/credits/{credit}/external_payment"), "paid", &paid);
    let refused = Answer::Refused { code: "R03".into(), message: "no account".into() };
    client.world.processor.script("acct_nowhere", [Step::from(refused)]);
    client.advance("nowhere", &ORDINARY.replace("acct_8841", "acct_nowhere")).is_problem(422, "refused");
    (client, credit)
}

/// All events of a query, page by page.
pub fn events(client: &Client, query: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    for _ in 0..10_000 {
        let page = client.read(&format!("/v1/events?limit={limit}{query}{cursor}"));
        all.extend(page["data"].as_array().expect("a page").iter().cloned());
        let Some(next) = page["next_cursor"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
    panic!("the pages never end");
}

/// What an event says, in short.
fn short(event: &Value) -> String {
    let data = &event["data"];
    let of = data["sequence"].as_u64().map(|sequence| sequence.to_string());
    let of = of.or(data["kind"].as_str().map(str::to_owned)).or(data["status"].as_str().map(str::to_owned));
    let parts = [event["type"].as_str().map(str::to_owned), of, data["code"].as_str().map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

#[test]
fn each_fact_is_told_once_in_its_order() {
    let (client, credit) = eventful();
    let told: Vec<String> = events(&client, &format!("&credit_id={credit}"), 200).iter().map(short).collect();
    assert_eq!(
        told,
        [
            "credit.confirmed",
            "debit.submitted 1",
            "debit.collected 1",
            "debit.submitted 2",
            "debit.failed 2 R01",
            "debit.submitted 3",
            "debit.timed_out 3",
            "debit.submitted 4",
            "debit.returned 1 R10",
            "exception.opened hard_return",
            "credit.held",
            "exception.closed hard_return",
            "exception.opened over_collected",
            "credit.repaid",
        ]
    );
    let all = events(&client, "", 200);
    let types: BTreeSet<&str> = all.iter().filter_map(|event| event["type"].as_str()).collect();
    assert_eq!(types, EventType::ALL.into_iter().map(EventType::name).collect(), "each type is told");
    let ids: BTreeSet<&str> = all.iter().filter_map(|event| event["id"].as_str()).collect();
    assert_eq!(ids.len(), all.len(), "each has an id of its own");
    let in_order: Vec<&str> = all.iter().filter_map(|event| event["id"].as_str()).collect();
    assert!(in_order.is_sorted(), "and they sort as they came");
    client.replays();
}

#[test]
fn an_event_says_what_it_is_about() {
    let (client, credit) = eventful();
    let of = |kind: &str| events(&client, &format!("&type={kind}"), 1)[0].clone();
    let submitted = of("debit.submitted");
    let debit = client.read(&format!("/v1/credits/{credit}"))["debits"][0].clone();
    assert_eq!(
        submitted["data"],
        json!({
            "debit_id": debit["id"], "sequence": 1, "credit_id": credit, "account_id": "acct_8841", "amount": 1000,
            "currency": "USD", "due_date": "2026-01-12", "transaction_id": debit["transaction_id"], "code": null,
        })
    );
    assert_eq!(submitted["timestamp"], "2026-01-12T06:00:00Z");
    let failed = of("credit.failed");
    assert_eq!(
        (&failed["data"]["account_id"], &failed["data"]["code"]),
        (&json!("acct_nowhere"), &json!("R03"))
    );
    let run = client.read("/v1/runs?limit=200")["data"].as_array().expect("runs").last().cloned();
    let run = run.expect("a run");
    assert_eq!(
        of("run.completed")["data"],
        json!({
            "run_id": run["id"], "business_date": "2026-01-06", "as_of": "2026-01-06T06:00:00Z", "status": "complete",
        })
    );
    let closed = events(&client, "&type=exception.closed", 200);
    let closed = closed.iter().find(|event| event["data"]["kind"] == "hard_return").expect("one");
    assert_eq!(
        (&closed["data"]["action"], &closed["data"]["credit_id"]),
        (&json!("release"), &json!(credit))
    );
    assert_eq!(closed["data"]["subject"], debit["id"]);
}

#[test]
fn who_reads_on_from_an_event_misses_none() {
    let (client, _) = eventful();
    let all = events(&client, "", 200);
    for limit in [1, 2, 7] {
        assert_eq!(events(&client, "", limit), all, "{limit} at a time");
    }
    for (place, event) in all.iter().enumerate() {
        let id = event["id"].as_str().expect("an id");
        assert_eq!(events(&client, &format!("&after={id}"), 3), all[place + 1..], "after {id}");
        let told: Event = serde_json::from_value(event.clone()).expect("an event");
        assert_eq!(serde_json::to_value(told).expect("JSON"), *event);
    }
    let of_type = events(&client, "&type=debit.submitted", 1);
    assert!(of_type.len() == 4 && of_type.iter().all(|event| event["type"] == "debit.submitted"));
    let nobody = events(&client, "&credit_id=0190b3c4-0000-7000-8000-000000000077", 10);
    assert!(nobody.is_empty(), "{nobody:?}");
}

#[test]
fn what_is_no_event_of_the_book_is_refused() {
    let (client, credit) = eventful();
    let last = events(&client, "", 200).last().expect("an event")["id"].as_str().expect("an id").to_owned();
    let next = format!("ffffffffffff{}", &last.replace('-', "")[12..]);
    for after in ["soon", &credit, &next] {
        let answer = client.get(&format!("/v1/events?after={after}"));
        answer.is_problem(422, "invalid_request");
        assert_eq!(answer.body["errors"][0]["pointer"], "/after", "{after}");
    }
    for query in ["type=credit.born", "credit_id=7", "limit=0", "before=1", "cursor=00"] {
        client.get(&format!("/v1/events?{query}")).is_problem(422, "invalid_request");
    }
}

#[test]
fn later_facts_change_no_event() {
    let (client, credit) = eventful();
    let before = client.get("/v1/events?limit=200").text;
    let before: Value = serde_json::from_str(&before).expect("JSON");
    client.operate(&format!("/v1/credits/{credit}/hold"), "late", &json!({ "note": "let us see" }));
    run(&client, "2026-02-04T06:00:00Z");
    let after = events(&client, "", 200);
    assert!(after.len() > before["data"].as_array().map_or(0, Vec::len));
    assert!(after.starts_with(before["data"].as_array().expect("events")));
}

#[test]
fn events_are_a_table_too() {
    let (client, _) = eventful();
    let request = Request::get("/v1/events?limit=2")
        .header("authorization", format!("Bearer {KEY}"))
        .header("accept", "text/csv");
    let answer = client.send(request.body(Body::empty()).expect("a request"));
    let lines: Vec<&str> = answer.text.lines().collect();
    assert_eq!(lines.len(), 3, "{}", answer.text);
    assert!(lines[0].starts_with("id,type,timestamp,data.credit_id"), "{}", lines[0]);
    assert!(lines[1].contains(",credit.confirmed,2026-01-06T06:00:00Z,"), "{}", lines[1]);
    assert!(answer.header("link").contains("rel=\"next\""));
}

/// A hard return holds every credit of the account: each that it makes `held` is told, when it becomes that.
#[test]
fn the_hold_of_an_account_is_told_of_each_credit_that_it_holds() {
    let client = Client::new();
    let mut rows = Vec::new();
    let mut credits = Vec::new();
    for key in ["struck", "active", "repaid", "written_off", "held", "pending"] {
        let credit = client.advance(key, ORDINARY).body["id"].as_str().expect("an id").to_owned();
        if key != "pending" {
            rows.push(format!("tx_{credit},success,,2026-01-05T20:00:00Z"));
        }
        credits.push(credit);
    }
    let [struck, active, repaid, written_off, held, pending] = &credits[..] else { panic!("six") };
    client.world.processor.set_report(FakeReport::of(&rows));
    run(&client, "2026-01-06T06:00:00Z");
    let act = |credit: &str, what: &str, body: Value| {
        let answer = client.operate(&format!("/v1/credits/{credit}/{what}"), what, &body);
        assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
    };
    act(repaid, "external_payment", json!({ "amount": 100_000, "received_on": "2026-01-06", "note": "x" }));
    act(written_off, "write_off", json!({ "note": "x" }));
    act(held, "hold", json!({ "note": "x" }));
    let debit = client.read(&format!("/v1/debits?credit_id={struck}"))["data"][0]["id"].clone();
    let refused = Answer::Refused { code: "R02".into(), message: "closed".into() };
    client.world.processor.script(debit.as_str().expect("a debit"), [Step::from(refused)]);
    let before = events(&client, "", 200).len();
    run(&client, "2026-01-12T06:00:00Z");
    let holds = |from: usize| -> Vec<Value> {
        let all = events(&client, "", 200);
        let held = all[from..].iter().filter(|event| event["type"] == "credit.held");
        held.map(|event| event["data"]["credit_id"].clone()).collect()
    };
    assert_eq!(holds(before), [json!(struck), json!(active)]);
    rows.push(format!("tx_{pending},success,,2026-01-12T20:00:00Z"));
    client.world.processor.set_report(FakeReport::of(&rows));
    let before = events(&client, "", 200).len();
    run(&client, "2026-01-13T06:00:00Z");
    assert_eq!(holds(before), [json!(pending)], "what the word makes held is told then");
    client.replays();
}
