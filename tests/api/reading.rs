//! The reading routes, over a book that lived some days.

use std::collections::BTreeSet;

use futures_executor::block_on;
use paydown::date::Instant;
use paydown_edge::config::Settings;
use paydown_edge::message::Message;
use paydown_edge::run::{Opened, daily};
use paydown_tests::memory::World;
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};

use crate::client::{Client, NOW};

/// A book of four credits on 14 January 2026: one that is collected, one whose account is closed, one that was
/// refused and one on which nothing was ever said.
struct Book {
    client: Client,
    good: String,
    closed: String,
    refused: String,
    silent: String,
}

impl Book {
    fn new() -> Book {
        let client = Client::new();
        let processor = &client.world.processor;
        processor.script("acct_refused", [Step::refused()]);
        processor.script("acct_silent", [Step::lost()]);
        let advance = |account: &str| {
            let body = format!(r#"{{"account_id": "{account}", "amount": 1200, "fee": 120}}"#);
            let answer = client.advance(&format!("key-{account}"), &body).body;
            let id = answer["id"].as_str().or(answer["credit_id"].as_str());
            id.expect("the credit's id").to_owned()
        };
        let (good, closed) = (advance("acct_good"), advance("acct_closed"));
        let (refused, silent) = (advance("acct_refused"), advance("acct_silent"));
        let mut book = Book { client, good, closed, refused, silent };
        book.live();
        book
    }

    fn live(&mut self) {
        let paid_out = |id: &str| format!("tx_{id},success,,2026-01-05T12:00:00Z");
        let mut rows = vec![paid_out(&self.good), paid_out(&self.closed)];
        for day in 6..=14 {
            if day == 13 {
                rows.push(format!("tx_{},success,,2026-01-12T20:00:00Z", self.first_debit(&self.good)));
                rows.push(format!("tx_{},failure,R02,2026-01-12T21:00:00Z", self.first_debit(&self.closed)));
            }
            self.client.world.processor.set_report(FakeReport::of(&rows));
            let as_of: Instant = format!("2026-01-{day:02}T06:00:00Z").parse().expect("an instant");
            self.client.world.clock.set(as_of);
            let opened = block_on(daily(&self.client.world.ports(), as_of)).expect("the run ends");
            assert!(matches!(opened, Opened::Open(_)), "{opened:?}");
        }
    }

    fn first_debit(&self, credit: &str) -> String {
        let debits = self.client.read(&format!("/v1/debits?credit_id={credit}&limit=1"));
        debits["data"][0]["id"].as_str().expect("a debit").to_owned()
    }

    /// All entries of a list, page by page.
    fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.client.read(&format!("{path}limit={limit}{cursor}"));
            let data = page["data"].as_array().expect("data");
            assert!(data.len() <= limit);
            found.extend(data.iter().cloned());
            assert!(found.len() <= 1000, "the pages of {path} do not end");
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}

fn ids(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["id"].as_str().expect("an id")).collect()
}

#[test]
fn an_empty_book_can_be_read() {
    let client = Client::new();
    for path in ["/v1/credits", "/v1/debits", "/v1/runs", "/v1/exceptions"] {
        let page = client.read(path);
        assert_eq!(page, json!({ "data": [], "next_cursor": null }), "{path}");
    }
    let totals = client.read("/v1/summary")["totals"].clone();
    assert!(totals.as_object().is_some_and(|t| t.values().all(|value| *value == 0)), "{totals}");
}

#[test]
fn each_credit_stands_where_its_facts_put_it() {
    let book = Book::new();
    for (id, status, paid, in_flight, scheduled, missing, next) in [
        (&book.good, "active", 110, 0, 1210, 0, json!("2026-01-19")),
        (&book.closed, "held", 0, 0, 1210, 110, json!("2026-01-19")),
        (&book.refused, "failed", 0, 0, 0, 0, json!(null)),
        (&book.silent, "unconfirmed", 0, 0, 0, 1320, json!(null)),
    ] {
        let credit = book.client.read(&format!("/v1/credits/{id}"));
        let of = |name: &str| credit[name].clone();
        assert_eq!(of("status"), status, "{credit}");
        let balances = [of("paid"), of("in_flight"), of("scheduled"), of("missing")];
        assert_eq!(balances, [json!(paid), json!(in_flight), json!(scheduled), json!(missing)], "{credit}");
        assert_eq!(of("next_due_date"), next);
    }
}

#[test]
fn credits_are_filtered_and_found() {
    let book = Book::new();
    let found = |query: &str| {
        let page = book.client.read(&format!("/v1/credits?{query}"));
        let data = page["data"].as_array().expect("data").clone();
        ids(&data).into_iter().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let of = |credits: &[&String]| credits.iter().map(|id| (*id).clone()).collect::<BTreeSet<_>>();
    let all = of(&[&book.good, &book.closed, &book.refused, &book.silent]);
    assert_eq!(found(""), all);
    assert_eq!(found("status=held"), of(&[&book.closed]));
    assert_eq!(found("status=active&account_id=acct_closed"), of(&[]));
    assert_eq!(found("account_id=acct_good"), of(&[&book.good]));
    assert_eq!(found("account_id=acct_"), of(&[]));
    assert_eq!(found("q=ACCT_S"), of(&[&book.silent]));
    assert_eq!(found("q=acct&status=failed"), of(&[&book.refused]));
    assert_eq!(found(&format!("q={}", book.good.to_uppercase())), of(&[&book.good]));
    assert_eq!(found(&format!("q=tx_{}", book.closed)), of(&[&book.closed]));
    assert_eq!(found(&format!("q=tx_{}", book.first_debit(&book.closed))), of(&[&book.closed]));
    assert_eq!(found("q=key-acct_silent"), of(&[&book.silent]));
    assert_eq!(found("q=nothing"), of(&[]));
    assert_eq!((found("q=12.00"), found("q=$13.20"), found("q=12.01")), (all.clone(), all.clone(), of(&[])));
    assert_eq!(found("q=12&status=failed"), of(&[&book.refused]));
    assert_eq!(found("idempotency_key=key-acct_good"), of(&[&book.good]));
    assert_eq!(found("idempotency_key=key"), of(&[]));
    assert_eq!(found("idempotency_key=key-acct_good&status=failed"), of(&[]));
    assert_eq!(found("created_after=2026-01-05T04:59:59.999Z"), all);
    assert_eq!(found(&format!("created_after={NOW}")), of(&[]));
    assert_eq!(found("created_before=2026-01-05T05:00:00.001Z"), all);
    assert_eq!(found(&format!("created_before={NOW}")), of(&[]));
}

#[test]
fn pages_stay_in_order_while_credits_are_added() {
    let book = Book::new();
    let newest = book.all("/v1/credits?", 200);
    assert_eq!(ids(&book.all("/v1/credits?", 1)), ids(&newest));
    assert_eq!(ids(&book.all("/v1/credits?", 3)), ids(&newest));
    let mut oldest = book.all("/v1/credits?sort=created_at&", 1);
    oldest.reverse();
    assert_eq!(ids(&oldest), ids(&newest));

    let first = book.client.read("/v1/credits?limit=2");
    let added = book.client.advance("k-new", r#"{"account_id": "acct_new", "amount": 100}"#).body;
    let rest =
        book.client.read(&format!("/v1/credits?limit=200&cursor={}", first["next_cursor"].as_str().unwrap()));
    let seen: Vec<&Value> =
        [&first, &rest].iter().flat_map(|page| page["data"].as_array().unwrap()).collect();
    let seen: Vec<&str> = seen.iter().map(|credit| credit["id"].as_str().unwrap()).collect();
    assert_eq!(seen, ids(&newest));
    assert_eq!(book.client.read("/v1/credits?limit=1")["data"][0]["id"], added["id"]);
}

#[test]
fn a_page_examines_a_thousand_candidates_at_most() {
    let client = Client::new();
    let insert = |number: usize, account: &str| {
        let id = format!("0190b3c4-0000-7000-8000-{number:012}");
        let sql = format!(
            "INSERT INTO credits VALUES ('{id}', '{account}', 100, 0, 'USD', 1, 7, '', '2026-01-05T05:00:00.000Z')"
        );
        client.world.database.sqlite.execute(&sql).expect("a credit");
    };
    insert(0, "acct_old");
    (1..=1000).for_each(|number| insert(number, "acct_other"));
    let first = client.read("/v1/credits?q=acct_old");
    assert_eq!(first["data"], json!([]));
    let next =
        client.read(&format!("/v1/credits?q=acct_old&cursor={}", first["next_cursor"].as_str().unwrap()));
    assert_eq!(next["data"][0]["account_id"], "acct_old");
    assert_eq!(next["next_cursor"], json!(null));
}

#[test]
fn every_fact_of_a_credit_is_in_its_timeline_with_its_rule() {
    let book = Book::new();
    let timeline =
        |id: &str| book.client.read(&format!("/v1/credits/{id}"))["timeline"].as_array().unwrap().clone();
    for id in [&book.good, &book.closed, &book.refused, &book.silent] {
        let entries = timeline(id);
        for entry in &entries {
            assert!(entry["rule"].as_str().is_some_and(|rule| rule.starts_with('L')), "{entry}");
            assert!(entry["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{entry}");
        }
        let instants: Vec<Instant> =
            entries.iter().map(|e| e["at"].as_str().unwrap().parse().unwrap()).collect();
        assert!(instants.is_sorted(), "{entries:?}");
    }
    let told = |id: &str| -> Vec<(String, String)> {
        let of = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
        let mut told: Vec<_> =
            timeline(id).iter().map(|entry| (of(entry, "kind"), of(entry, "rule"))).collect();
        told.dedup();
        told
    };
    let expected = |rows: &[(&str, &str)]| -> Vec<(String, String)> {
        rows.iter().map(|(kind, rule)| ((*kind).to_owned(), (*rule).to_owned())).collect()
    };
    let closed = [
        ("requested", "L1"),
        ("transaction", "L3"),
        ("observation", "L6"),
        ("word", "L2"),
        ("debit", "L1"),
        ("processed", "L3"),
        ("transaction", "L3"),
        ("observation", "L6"),
        ("word", "L7"),
        ("exception_opened", "L7"),
        ("held", "L7"),
    ];
    assert_eq!(told(&book.closed), expected(&closed));
    let refused = [("requested", "L1"), ("observation", "L6"), ("word", "L2")];
    assert_eq!(told(&book.refused), expected(&refused));
    let silent = [
        ("requested", "L1"),
        ("unknown_answer", "L3"),
        ("transaction", "L3"),
        ("timed_out", "L2"),
        ("exception_opened", "L2"),
    ];
    assert_eq!(told(&book.silent), expected(&silent));
    let debit = timeline(&book.closed).iter().find(|e| e["kind"] == "processed").cloned().unwrap();
    assert_eq!(debit["debit_id"], book.first_debit(&book.closed).as_str());
    assert!(debit["run_id"].is_string());
    assert_eq!(debit["detail"], "debit 1 of 1.10 USD");
    let row = timeline(&book.closed).iter().rfind(|e| e["kind"] == "observation").cloned().unwrap();
    assert_eq!((&row["source"], &row["code"]), (&json!("report"), &json!("R02")));
}

#[test]
fn the_facts_are_what_core_takes_in() {
    let book = Book::new();
    let facts = book.client.get(&format!("/v1/credits/{}/facts", book.closed));
    let facts: paydown::credit::Facts = serde_json::from_str(&facts.text).expect("core reads them");
    let credit = book.client.read(&format!("/v1/credits/{}", book.closed));
    assert_eq!(serde_json::to_value(paydown::api::Credit::of(&facts)).unwrap()["missing"], credit["missing"]);
    let debits = serde_json::to_value(paydown::api::Debit::of(&facts)).unwrap();
    assert_eq!(debits, credit["debits"]);
}

#[test]
fn debits_come_by_due_date() {
    let book = Book::new();
    let all = book.all("/v1/debits?", 200);
    assert_eq!(all.len(), 24);
    assert!(all.iter().map(|d| d["due_date"].as_str().unwrap()).is_sorted());
    assert_eq!(ids(&book.all("/v1/debits?", 5)), ids(&all));
    let failed = book.all("/v1/debits?status=failed&", 5);
    assert_eq!(failed.len(), 1);
    let expected = json!({
        "id": book.first_debit(&book.closed), "credit_id": book.closed, "account_id": "acct_closed", "sequence": 1,
        "amount": 110, "due_date": "2026-01-12", "unrolled_due_date": null, "status": "failed", "reason": "planned", "replaces": null,
        "replaced_by": [], "cancelled_because": null, "transaction_id": format!("tx_{}", book.first_debit(&book.closed)),
        "code": "R02", "submitted_at": "2026-01-12T06:00:00Z", "resolved_at": "2026-01-12T21:00:00Z",
    });
    assert_eq!(failed[0], expected);
    let week = book.all("/v1/debits?due_from=2026-01-19&due_to=2026-01-26&", 3);
    assert_eq!(week.len(), 4);
    let of_credit = book.all(&format!("/v1/debits?credit_id={}&due_to=2026-01-12&", book.good), 50);
    assert_eq!(of_credit[0]["status"], "collected");
    assert_eq!(book.all(&format!("/v1/debits?credit_id={}&", book.good), 5).len(), 12);
}

#[test]
fn runs_tell_what_they_did_and_hand_out_their_report() {
    let book = Book::new();
    let runs = book.all("/v1/runs?", 4);
    assert_eq!(runs.len(), 9);
    assert_eq!(runs[0]["business_date"], "2026-01-14");
    let of_13 = &runs[1];
    let counts = &of_13["counts"];
    assert_eq!(
        (&counts["collected"], &counts["failed"], &counts["exceptions"]),
        (&json!(1), &json!(1), &json!(1))
    );
    let amounts = json!({ "collected": 110, "failed": 110, "timed_out": 0, "returned": 0, "issued": 0 });
    assert_eq!(of_13["amounts"], amounts);
    let of_12 = &runs[2];
    assert_eq!((&of_12["counts"]["issued"], &of_12["amounts"]["issued"]), (&json!(2), &json!(220)));
    assert_eq!((&of_13["status"], &of_13["reasons"]), (&json!("complete"), &json!([])));
    assert_eq!((&of_13["report"]["rows"], &of_13["report"]["malformed"]), (&json!(4), &json!(0)));
    let covers = json!({ "read_at": "2026-01-13T06:00:00Z", "window_days": 5 });
    assert_eq!(of_13["report"]["covers"], covers);
    let path = format!("/v1/runs/{}", of_13["id"].as_str().unwrap());
    let one = book.client.read(&path);
    assert_eq!(one["counts"], *counts);
    assert!(one["stages"].as_array().unwrap().iter().all(|stage| stage["done"] == true), "{one}");
    let report = book.client.get(&format!("{path}/report"));
    assert_eq!(report.header("content-type"), "text/csv; charset=utf-8");
    assert!(report.text.starts_with("transaction_id,status,code,at\n") && report.text.contains(",R02,"));
    assert_eq!(of_13["report"]["bytes"], report.text.len());
}

#[test]
fn open_exceptions_come_first_then_the_oldest() {
    let book = Book::new();
    let kinds = |query: &str| -> Vec<String> {
        let found = book.all(&format!("/v1/exceptions?{query}"), 1);
        found.iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(""), ["credit_unconfirmed", "hard_return"]);
    let oldest = book.client.read("/v1/exceptions?limit=1")["data"][0].clone();
    let resolve = format!(
        "INSERT INTO resolutions VALUES ('{}', 'closed', 'ann', 'found', '2026-01-15T05:00:00.000Z', NULL)",
        oldest["id"].as_str().unwrap()
    );
    book.client.world.database.sqlite.execute(&resolve).expect("a resolution");
    assert_eq!(kinds(""), ["hard_return", "credit_unconfirmed"]);
    assert_eq!(kinds("status=open&"), ["hard_return"]);
    assert_eq!(kinds("status=resolved&"), ["credit_unconfirmed"]);
    assert_eq!(kinds("kind=hard_return&"), ["hard_return"]);
    assert_eq!(kinds("kind=hard_return&status=resolved&"), [""; 0]);
    let resolved = book.client.read("/v1/exceptions?status=resolved")["data"][0].clone();
    let resolution =
        json!({ "action": "closed", "actor": "ann", "note": "found", "resolved_at": "2026-01-15T05:00:00Z" });
    assert_eq!((&resolved["status"], &resolved["resolution"]), (&json!("resolved"), &resolution));
    assert_eq!((&resolved["subject"], &resolved["credit_id"]), (&json!(book.silent), &json!(book.silent)));
    assert_eq!(resolved["account_id"], "acct_silent");
}

#[test]
fn the_summary_is_the_sum_of_the_facts() {
    let book = Book::new();
    let summary = book.client.read("/v1/summary?from=2026-01-12&to=2026-01-19");
    let totals = json!({
        "credits": 2, "advanced": 2400, "total": 2640, "excess": 0, "paid": 110, "in_flight": 0, "scheduled": 2420, "written_off": 0,
        "waiting": 110,
    });
    assert_eq!(summary["totals"], totals);
    let paid = book.client.world.query(
        "SELECT sum(d.amount) FROM debits d JOIN words w ON w.subject_id = d.id WHERE w.outcome = 'success'",
    );
    assert_eq!(paid, ["110"]);
    let statuses = json!({
        "pending": 0, "unconfirmed": 1, "failed": 1, "written_off": 0, "repaid": 0, "held": 1, "active": 1,
    });
    assert_eq!((&summary["credits"], &summary["open_exceptions"]), (&statuses, &json!(2)));
    let oldest = book.client.read("/v1/exceptions?status=open");
    let kinds = [0, 1].map(|n| json!({ "open": 1, "oldest": oldest["data"][n] }));
    assert_eq!(summary["exceptions"], json!(kinds));
    let days = summary["days"].as_array().unwrap();
    assert_eq!(days.len(), 8);
    let day = |date: &str, expected: i64, collected: i64, outstanding: i64| json!({ "date": date, "expected": expected, "collected": collected, "outstanding": outstanding });
    assert_eq!(days[0], day("2026-01-12", 220, 110, 2640));
    assert_eq!(days[2], day("2026-01-14", 0, 0, 2530));
    assert_eq!(days[7], day("2026-01-19", 220, 0, 2310));
    let ageing = summary["ageing"].as_array().unwrap();
    assert_eq!(ageing[0], json!({ "days": "0", "debits": 22, "amount": 2420 }));
    assert_eq!(ageing[1], json!({ "days": "1-7", "debits": 1, "amount": 110 }));
    assert_eq!(summary["overdue"], 110);
    assert_eq!(summary["failures"], json!([{ "code": "R02", "debits": 1, "amount": 110 }]));
    let rate = |class: &str, returned: u64, level: u64| json!({ "class": class, "debits": 2, "returned": returned, "level_basis_points": level });
    let rates =
        json!([rate("unauthorized", 0, 50), rate("administrative", 1, 300), rate("overall", 1, 1500)]);
    assert_eq!(summary["returns"], rates);
}

#[test]
fn a_plan_is_shown_and_not_recorded() {
    let client = Client::new();
    let plan = client.read("/v1/plan?amount=100000&start_date=2026-01-05");
    assert_eq!(plan["total"], 100_000);
    let installments = plan["installments"].as_array().unwrap();
    assert_eq!(installments.len(), 12);
    assert_eq!(installments[3], json!({ "sequence": 4, "amount": 8334, "due_date": "2026-02-02" }));
    assert_eq!(installments[11], json!({ "sequence": 12, "amount": 8333, "due_date": "2026-03-30" }));
    // Without a date it begins today.
    assert_eq!(client.read("/v1/plan?amount=100000"), plan);
    assert!(client.written().is_empty());
}

#[test]
fn settings_and_health_say_what_is_running() {
    let book = Book::new();
    let settings = book.client.read("/v1/settings");
    assert_eq!((&settings["currency"], &settings["policy"]["timeout_days"]), (&json!("USD"), &json!(5)));
    let bare = axum::http::Request::get("/healthz").body(axum::body::Body::empty()).unwrap();
    let health = book.client.send(bare);
    assert_eq!(health.status.as_u16(), 200);
    let migrations = paydown_tests::sqlite::MIGRATIONS.len();
    assert_eq!(health.body["schema_version"], migrations);
    let last = &health.body["last_run"];
    assert_eq!((&last["as_of"], &last["age_seconds"]), (&json!("2026-01-14T06:00:00Z"), &json!(0)));
    assert!(health.body["version"].is_string());
    assert_eq!(health.body["commit"], "unknown");
    let variables = |name: &str| (name == "PAYDOWN_COMMIT").then(|| "c0ffee".to_owned());
    let built = Settings::from_variables(variables, |_| None).expect("settings");
    let built = Client::of(World::with(NOW, built));
    assert_eq!(built.read("/healthz")["commit"], "c0ffee");
}

#[test]
fn a_run_is_started_once() {
    let client = Client::new();
    let first = client.post("/v1/runs", "{}");
    assert_eq!((first.status.as_u16(), &first.body["status"]), (202, &json!("running")));
    assert_eq!(first.header("location"), format!("/v1/runs/{}", first.body["id"].as_str().unwrap()));
    let as_of: Instant = NOW.parse().unwrap();
    assert_eq!(client.world.outbox.take(), [Message::Run { as_of, part: None }]);
    let again = client.post("/v1/runs", "{}");
    assert_eq!((again.status.as_u16(), &again.body["id"]), (202, &first.body["id"]));
    client.world.clock.set("2026-01-05T04:00:00Z".parse().unwrap());
    client.post("/v1/runs", "{}").is_problem(409, "conflict");

    client.post("/v1/runs", r#"{"as_of": "2026-01-05T05:00:00Z"}"#).is_problem(422, "invalid_request");
    client.post("/v1/runs", "").is_problem(400, "bad_request");
    client.add_key("pd_reader", &[paydown::api::Scope::Read]);
    let mut request = crate::client::advance("k", "{}");
    *request.uri_mut() = "/v1/runs".parse().unwrap();
    request.headers_mut().insert("authorization", "Bearer pd_reader".parse().unwrap());
    client.send(request).is_problem(403, "forbidden");
    assert_eq!(client.world.query("SELECT 1 FROM runs").len(), 1);
}
