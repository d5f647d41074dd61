//! The journal: double entry by period, in pages and as CSV.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use paydown_tests::client::KEY;
use paydown_tests::processor::FakeReport;
use serde_json::{Value, json};

use crate::client::{Client, Response};
use crate::operators::{planned, run};

/// A credit of 1,000.00 for which 1,100.00 were paid elsewhere; 50.00 of it went back and arrived, and came back.
fn kept() -> Client {
    let (client, path) = planned();
    let paid = json!({ "amount": 110_000, "received_on": "2026-01-04", "note": "by cheque" });
    client.operate(&format!("{path}/external_payment"), "paid", &paid);
    let refund = json!({ "amount": 5_000, "note": "paid too much" });
    let given = client.operate(&format!("{path}/refund"), "refund", &refund);
    let id = given.header("location").strip_prefix("/v1/refunds/").expect("its place").to_owned();
    let row = format!("tx_{id},success,,2026-01-07T01:00:00Z");
    client.world.processor.set_report(FakeReport::of(std::slice::from_ref(&row)));
    run(&client, "2026-01-07T06:00:00Z");
    let back = format!("tx_{id},failure,R03,2026-01-08T01:00:00Z");
    client.world.processor.set_report(FakeReport::of(&[row, back]));
    run(&client, "2026-01-08T06:00:00Z");
    client
}

fn as_csv(client: &Client, path: &str) -> Response {
    let request =
        Request::get(path).header("authorization", format!("Bearer {KEY}")).header("accept", "text/csv");
    client.send(request.body(Body::empty()).expect("a request"))
}

/// All lines of a period, page by page.
fn lines(client: &Client, period: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut path = format!("/v1/journal?limit={limit}{period}");
    loop {
        let page = client.read(&path);
        let data = page["data"].as_array().expect("a page").clone();
        assert!(data.len() <= limit);
        all.extend(data);
        let Some(cursor) = page["next_cursor"].as_str() else { return all };
        let next = format!("/v1/journal?limit={limit}{period}&cursor={cursor}");
        assert_ne!(next, path, "the next page is another");
        path = next;
    }
}

#[test]
fn each_fact_that_moved_something_is_an_entry_that_balances() {
    let client = kept();
    let text = as_csv(&client, "/v1/journal?limit=200").text;
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][..8].join(" "), "entry_id line date at value_date ledger_account dr cr");
    let shown: Vec<String> = rows[1..]
        .iter()
        .map(|row| format!("{} {} {} {} {} {}", row[2], row[4], row[9], row[5], row[6], row[7]))
        .collect();
    let wanted = [
        "2026-01-05 2026-01-05 advance_sent advances_pending 100000 0",
        "2026-01-05 2026-01-05 advance_sent payouts_in_transit 0 100000",
        "2026-01-06 2026-01-05 advance_confirmed payouts_in_transit 100000 0",
        "2026-01-06 2026-01-05 advance_confirmed cash 0 100000",
        "2026-01-06 2026-01-05 advance_confirmed receivable 100000 0",
        "2026-01-06 2026-01-05 advance_confirmed advances_pending 0 100000",
        "2026-01-06 2026-01-04 paid_elsewhere received_elsewhere 100000 0",
        "2026-01-06 2026-01-04 paid_elsewhere receivable 0 100000",
        "2026-01-06 2026-01-04 paid_elsewhere received_elsewhere 10000 0",
        "2026-01-06 2026-01-04 paid_elsewhere customer_excess 0 10000",
        "2026-01-06 2026-01-06 refund_sent customer_excess 5000 0",
        "2026-01-06 2026-01-06 refund_sent payouts_in_transit 0 5000",
        "2026-01-07 2026-01-07 refund_confirmed payouts_in_transit 5000 0",
        "2026-01-07 2026-01-07 refund_confirmed cash 0 5000",
        "2026-01-08 2026-01-08 refund_failed cash 5000 0",
        "2026-01-08 2026-01-08 refund_failed customer_excess 0 5000",
    ];
    // What operators do within a millisecond has one instant; then the ids of the decisions say which comes first.
    let (mut shown, mut wanted) = (shown, wanted.map(str::to_owned).to_vec());
    shown.sort();
    wanted.sort();
    assert_eq!(shown, wanted);
}

#[test]
fn pages_of_any_size_give_each_line_once() {
    let client = kept();
    let all = lines(&client, "", 200);
    let keys: BTreeSet<String> = all.iter().map(|l| format!("{} {}", l["entry_id"], l["line"])).collect();
    assert_eq!((all.len(), keys.len()), (16, 16));
    for limit in [1, 2, 3, 5, 7] {
        assert_eq!(lines(&client, "", limit), all, "{limit} lines a page");
    }
}

#[test]
fn a_period_has_its_business_dates_and_no_other() {
    let client = kept();
    let all = lines(&client, "", 200);
    let dates = ["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09"];
    let by_day: Vec<Vec<Value>> =
        dates.iter().map(|date| lines(&client, &format!("&from={date}&to={date}"), 3)).collect();
    for (date, of_day) in dates.iter().zip(&by_day) {
        assert!(of_day.iter().all(|line| line["date"] == *date), "{date}: {of_day:?}");
    }
    assert_eq!(by_day.iter().map(Vec::len).collect::<Vec<_>>(), [2, 10, 2, 2, 0]);
    assert_eq!(by_day.concat(), all);
    assert_eq!(lines(&client, "&from=2026-01-07", 200), by_day[2..].concat());
    assert_eq!(lines(&client, "&to=2026-01-06", 200), by_day[..2].concat());
}

#[test]
fn what_comes_later_changes_no_line() {
    let (client, path) = planned();
    let before = lines(&client, "", 200);
    client.world.clock.set("2026-01-06T06:30:00Z".parse().expect("an instant"));
    let paid = json!({ "amount": 500, "received_on": "2026-01-06", "note": "in cash" });
    let answer = client.operate(&format!("{path}/external_payment"), "paid", &paid);
    let payment = answer.header("location").to_owned();
    let middle = lines(&client, "", 200);
    client.world.clock.set("2026-01-06T07:00:00Z".parse().expect("an instant"));
    let revoked =
        client.operate(&format!("{payment}/revoke"), "revoke", &json!({ "note": "it was not his" }));
    assert_eq!(revoked.status.as_u16(), 200, "{revoked:?}");
    client.world.clock.set("2026-01-06T08:00:00Z".parse().expect("an instant"));
    let given_up = client.operate(&format!("{path}/write_off"), "give-up", &json!({ "note": "lost" }));
    assert_eq!(given_up.status.as_u16(), 200, "{given_up:?}");
    let after = lines(&client, "", 200);
    assert_eq!((before.len(), middle.len(), after.len()), (6, 8, 12));
    assert!(middle.starts_with(&before) && after.starts_with(&middle), "{after:#?}");
    assert_eq!((&after[8]["why"], &after[10]["why"]), (&json!("payment_revoked"), &json!("written_off")));
}
