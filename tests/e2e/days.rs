//! Days of a live book: every marker of the simulator, crons doubled and skipped, and a kill in the middle of a run.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

use crate::live::Live;

/// Account, installments, status of the credit at the end, and its open exceptions.
const MARKERS: &[(&str, u32, &str, &[&str])] = &[
    ("e2e_ok", 3, "repaid", &[]),
    ("e2e_nsf2", 3, "repaid", &[]),
    ("e2e_nsf3", 1, "held", &["retry_limit"]),
    ("e2e_closed", 3, "held", &["hard_return"]),
    ("e2e_revoked", 3, "held", &["hard_return"]),
    ("e2e_fail", 1, "held", &["retry_limit"]),
    ("e2e_silent", 3, "held", &["timeout_limit"]),
    ("e2e_late7", 3, "repaid", &[]),
    ("e2e_return3", 3, "held", &["hard_return"]),
    ("e2e_refuse", 1, "held", &["unknown_return_code"]),
    ("e2e_ok_flaky", 3, "repaid", &[]),
    ("e2e_ok_drop", 2, "repaid", &[]),
    ("e2e_ok_dup", 3, "repaid", &[]),
    ("e2e_badcredit", 3, "failed", &[]),
    ("e2e_badsilent", 3, "unconfirmed", &["credit_unconfirmed"]),
    ("e2e_badlate", 3, "repaid", &[]),
    ("e2e_badreturn", 3, "failed", &["credit_returned"]),
    ("e2e_badrefuse", 3, "failed", &[]),
];

#[test]
fn every_marker_ends_as_the_law_says() {
    let live = Live::begin("markers");
    for (account, installments, _, _) in MARKERS {
        let answer = live.advance(account, account, *installments);
        let expected: &[u16] = match *account {
            "e2e_badrefuse" => &[422],
            "e2e_ok_flaky" | "e2e_ok_drop" => &[202],
            _ => &[201],
        };
        assert!(expected.contains(&answer.status), "{account}: {} {}", answer.status, answer.text);
    }
    live.sweep(0, 10);
    live.live(1..=50);
    let credits = credits_by_account(&live);
    let exceptions = live.list("/v1/exceptions?status=open");
    for (account, _, status, kinds) in MARKERS {
        let credit = &credits[*account];
        assert_eq!(credit["status"], *status, "{account}: {credit}");
        let of_credit = exceptions.iter().filter(|e| e["credit_id"] == credit["id"]);
        let found: Vec<&str> = of_credit.filter_map(|e| e["kind"].as_str()).collect();
        assert_eq!(found, *kinds, "{account}");
        the_bank_agrees(&live, account, credit);
    }
    let own: Vec<&Value> = exceptions.iter().filter(|e| e["credit_id"].is_null()).collect();
    assert_eq!(own, [&Value::Null; 0], "no exception but the credits' own");
    the_ledger_equation_is_the_sum_over_the_facts(&live);
    let runs = live.list("/v1/runs");
    assert_eq!(runs.len(), 51);
    assert!(runs.iter().all(|run| run["status"] == "complete"), "{runs:?}");
}

fn credits_by_account(live: &Live) -> BTreeMap<String, Value> {
    let credits = live.list("/v1/credits");
    credits.into_iter().map(|c| (c["account_id"].as_str().expect("an account").to_owned(), c)).collect()
}

/// Every debit that left moved money at most once, under its own key, and has its transaction id.
fn the_bank_agrees(live: &Live, account: &str, credit: &Value) {
    let debits = live.list(&format!("/v1/debits?credit_id={}", credit["id"].as_str().expect("an id")));
    let transactions = live.transactions(account);
    let keys: BTreeSet<&str> = transactions.iter().filter_map(|t| t["key"].as_str()).collect();
    assert_eq!(keys.len(), transactions.len(), "{account}: one transaction for each key");
    let collected: i64 =
        debits.iter().filter(|d| d["status"] == "collected").filter_map(|d| d["amount"].as_i64()).sum();
    assert_eq!(json!(collected), credit["collected"], "{account}");
    for debit in debits.iter().filter(|d| !d["submitted_at"].is_null()) {
        assert!(keys.contains(debit["id"].as_str().expect("an id")), "{account}: the bank knows {debit}");
        if account != "e2e_refuse" {
            assert!(debit["transaction_id"].is_string(), "{account}: {debit}");
        }
    }
}

/// `total + excess = paid + in flight + scheduled + written off + waiting` over planned credits that did not fail,
/// and each of its terms is the sum over the debits and credits themselves.
fn the_ledger_equation_is_the_sum_over_the_facts(live: &Live) {
    let totals = live.get("/v1/summary").json()["totals"].clone();
    let of = |name: &str| totals[name].as_i64().unwrap_or_else(|| panic!("{name} in {totals}"));
    let sides = [
        of("total") + of("excess"),
        of("paid") + of("in_flight") + of("scheduled") + of("written_off") + of("waiting"),
    ];
    assert_eq!(sides[0], sides[1], "{totals}");
    let planned: BTreeMap<String, Value> = live
        .list("/v1/credits")
        .into_iter()
        .filter(|c| !["pending", "unconfirmed", "failed"].contains(&c["status"].as_str().expect("a status")))
        .map(|c| (c["id"].as_str().expect("an id").to_owned(), c))
        .collect();
    let debits = live.list("/v1/debits");
    let sum = |statuses: &[&str]| -> i64 {
        let counted = debits.iter().filter(|d| planned.contains_key(d["credit_id"].as_str().expect("an id")));
        let counted = counted.filter(|d| statuses.contains(&d["status"].as_str().expect("a status")));
        counted.filter_map(|d| d["amount"].as_i64()).sum()
    };
    assert_eq!(of("paid"), sum(&["collected"]));
    assert_eq!(of("in_flight"), sum(&["processing", "submitted"]));
    assert_eq!(of("scheduled"), sum(&["scheduled"]));
    let total: i64 =
        planned.values().map(|c| c["amount"].as_i64().unwrap_or(0) + c["fee"].as_i64().unwrap_or(0)).sum();
    assert_eq!(of("total"), total);
    assert!(total > 0);
}

/// The runtime's own time zone database gives the offsets, and a debit that rolled comes back from the ledger as it is.
#[test]
fn a_book_of_another_zone_has_its_dates_and_its_due_dates_roll() {
    let settings = &["BUSINESS_TIME_ZONE:America/Los_Angeles", "DUE_DATE_ROLL:following"];
    let live = Live::with("zone", settings);
    let shown = live.get("/v1/settings").json();
    assert_eq!(
        (&shown["business_time_zone"], &shown["policy"]["due_date_roll"]),
        (&json!("America/Los_Angeles"), &json!("following"))
    );
    let offsets = shown["offsets"].as_array().expect("offsets");
    assert_eq!(offsets.first(), Some(&json!(["1970-01-01T00:00:00Z", -28_800])));
    for change in [json!(["2026-03-08T10:00:00Z", -25_200]), json!(["2026-11-01T09:00:00Z", -28_800])] {
        assert!(offsets.contains(&change), "{change} in {offsets:?}");
    }
    // At six UTC it is the evening before, in summer and in winter.
    let evening = live.morning(0).date_naive().pred_opt().expect("a day before");
    assert_eq!(live.list("/v1/runs")[0]["business_date"], json!(evening));
    let credit = live.advance("rolls", "acct_ok", 7).json();
    let plan = live.get("/v1/plan?amount=90000&installments=21&interval_days=1").json();
    let due = |debit: &Value| debit["due_date"].as_str().and_then(|date| date.parse::<NaiveDate>().ok());
    let dates: Vec<NaiveDate> =
        plan["installments"].as_array().expect("a plan").iter().filter_map(due).collect();
    assert!(dates.len() == 21 && dates.is_sorted_by(|a, b| a < b), "{dates:?}");
    assert!(dates.iter().all(|date| date.weekday().number_from_monday() <= 5), "{dates:?}");
    live.live(1..=1);
    let debits = live.list(&format!("/v1/debits?credit_id={}", credit["id"].as_str().expect("an id")));
    assert_eq!(debits.len(), 7);
    let holidays = shown["holidays"].as_array().expect("holidays");
    for debit in &debits {
        assert!(due(debit).is_some_and(|date| date.weekday().number_from_monday() <= 5), "{debit}");
        assert!(!holidays.contains(&debit["due_date"]), "{debit}");
    }
}

#[test]
fn a_cron_fired_twice_changes_nothing_and_skipped_days_are_made_up_for() {
    let live = Live::begin("crons");
    let credit = live.advance("calm", "acct_ok", 4).json();
    let path = format!("/v1/credits/{}", credit["id"].as_str().expect("an id"));
    live.live(1..=7);
    let once = live.get(&path).text;
    live.live(7..=7);
    assert_eq!(live.get(&path).text, once);
    assert_eq!(live.transactions("acct_ok").len(), 2, "the advance and one debit");
    // Three days without a cron, then nine.
    live.live(11..=12);
    live.live(22..=40);
    let runs = live.list("/v1/runs");
    let missed: Vec<usize> =
        runs.iter().map(|r| r["missed_days"].as_array().map_or(0, Vec::len)).filter(|n| *n > 0).collect();
    assert_eq!(missed, [9, 3]);
    let credit = live.get(&path).json();
    assert_eq!((&credit["status"], &credit["collected"]), (&json!("repaid"), &json!(90_000)));
    let kinds: Vec<Value> =
        live.list("/v1/exceptions?status=open").iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(kinds, [json!("report_hole")], "nine days are more than a report reaches back");
    the_ledger_equation_is_the_sum_over_the_facts(&live);
}

#[test]
fn a_run_killed_in_the_middle_goes_on_where_it_stopped() {
    let mut live = Live::begin("kill");
    let accounts: Vec<String> = (0..60).map(|number| format!("acct_{number:02}_ok")).collect();
    for account in &accounts {
        assert_eq!(live.advance(account, account, 2).status, 201);
    }
    live.live(1..=6);
    // The run of the 7th issues a debit of each credit. It is killed again and again, each time a little later.
    let mut interrupted = 0;
    for round in 0..4_u64 {
        live.set_bank_clock(live.morning(7));
        std::thread::scope(|scope| {
            let run = scope.spawn(|| live.fire(7));
            // Not to wait for something, but to hit the run at another place each time.
            std::thread::sleep(std::time::Duration::from_millis(40 + 90 * round));
            live.kill_now();
            interrupted += u32::from(run.join().expect("the request ends").status == 0);
        });
        live.kill();
        live.restart();
    }
    assert!(interrupted > 0, "no kill came in the middle");
    live.live(7..=20);
    for account in &accounts {
        let transactions = live.transactions(account);
        assert_eq!(transactions.len(), 3, "{account}: the advance and two debits: {transactions:?}");
    }
    let credits = live.list("/v1/credits");
    assert_eq!(credits.len(), accounts.len());
    assert!(credits.iter().all(|c| c["status"] == "repaid"), "{credits:?}");
    assert!(live.list("/v1/exceptions?status=open").is_empty());
    the_ledger_equation_is_the_sum_over_the_facts(&live);
}

#[test]
fn the_sandbox_clock_drives_the_simulator_along() {
    let live = Live::begin("sandbox");
    let credit = live.advance("calm", "acct_ok", 1).json();
    for days in [1, 7, 2] {
        let answer = live.post("/v1/sandbox/clock", None, &json!({ "advance_days": days }).to_string());
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let credit = live.get(&format!("/v1/credits/{}", credit["id"].as_str().expect("an id"))).json();
    assert_eq!(credit["status"], "repaid", "{credit}");
    let refused = live.post("/v1/sandbox/clock", None, "{\"advance_days\": 0}");
    assert_eq!(refused.status, 422, "{}", refused.text);
}
