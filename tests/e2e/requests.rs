//! Requests of clients that retry, hurry and err, against the live runtime.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::live::{KEY, Live, now};

#[test]
fn a_hundred_parallel_calls_with_one_key_make_one_credit() {
    let live = Live::begin("parallel");
    for account in ["acct_ok", "acct_ok_flaky"] {
        let answers: Vec<(u16, String)> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..100).map(|_| scope.spawn(|| live.advance(account, account, 4))).collect();
            calls
                .into_iter()
                .map(|call| call.join().expect("it answers"))
                .map(|a| (a.status, a.text))
                .collect()
        });
        assert!(answers.iter().all(|(status, _)| [201, 202].contains(status)), "{answers:?}");
        let ids: BTreeSet<String> = answers
            .iter()
            .map(|(_, text)| {
                serde_json::from_str::<serde_json::Value>(text).expect("a credit")["id"].to_string()
            })
            .collect();
        assert_eq!(ids.len(), 1, "{account}");
        assert_eq!(live.list(&format!("/v1/credits?account_id={account}")).len(), 1);
        assert_eq!(live.transactions(account).len(), 1, "{account}: one transaction at the bank");
    }
}

#[test]
fn parallel_retries_of_many_keys_make_one_credit_each_directly() {
    parallel_retries_of_many_keys_make_one_credit_each(&Live::begin("retries"), "direct");
}

#[test]
fn parallel_retries_of_many_keys_make_one_credit_each_by_the_queue() {
    parallel_retries_of_many_keys_make_one_credit_each(
        &Live::with("retries-queue", &["INTAKE:queue"]),
        "queue",
    );
}

/// So many clients each ask once under each of so many keys, all at the same time: 10 and 20, in full 100 and 200.
fn parallel_retries_of_many_keys_make_one_credit_each(live: &Live, mode: &str) {
    let (retries, keys) = if std::env::var_os("PAYDOWN_FULL").is_some() { (100, 200) } else { (10, 20) };
    let name = |key: usize| format!("acct_{key:03}_ok");
    let started = now();
    let answers: Vec<(usize, u16, Value)> = std::thread::scope(|scope| {
        let ask = |key| {
            let answer = live.advance_at_last(&name(key), &name(key), 4);
            (key, answer.status, answer.json())
        };
        let clients: Vec<_> =
            (0..retries).map(|_| scope.spawn(move || (0..keys).map(ask).collect::<Vec<_>>())).collect();
        clients.into_iter().flat_map(|client| client.join().expect("it answers")).collect()
    });
    let answered = now();
    assert_eq!(answers.len(), retries * keys);
    let strange = answers.iter().find(|(_, status, _)| ![201, 202].contains(status));
    assert!(strange.is_none(), "{strange:?}");
    let ids: BTreeSet<(usize, String)> =
        answers.iter().map(|(key, _, credit)| (*key, credit["id"].to_string())).collect();
    assert_eq!(ids.len(), keys, "each key is told one credit");
    let transactions = |credits: &[Value]| credits.iter().filter(|c| c["transaction_id"].is_string()).count();
    let mut credits = live.list("/v1/credits");
    for _ in 0..600 {
        if credits.len() >= keys && transactions(&credits) == credits.len() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
        credits = live.list("/v1/credits");
    }
    let done = now();
    let in_the_ledger: BTreeSet<String> = credits.iter().map(|credit| credit["id"].to_string()).collect();
    assert_eq!(in_the_ledger, ids.into_iter().map(|(_, id)| id).collect());
    assert_eq!((credits.len(), transactions(&credits)), (keys, keys));
    for key in 0..keys {
        assert_eq!(live.transactions(&name(key)).len(), 1, "{}: one transaction at the bank", name(key));
    }
    assert_eq!(live.list("/v1/exceptions"), Vec::<Value>::new());
    eprintln!(
        "{mode}: {} answers in {:.1} s, {keys} credits and transactions after {:.1} s",
        answers.len(),
        answered.duration_since(started).as_secs_f64(),
        done.duration_since(started).as_secs_f64()
    );
}

#[test]
fn limits_hold_for_requests_at_the_same_time() {
    let live = Live::with("limits", &["MAX_PER_ACCOUNT:200000", "MAX_PER_DAY:700000"]);
    // Of each account two advances of 90,000 have room, of the day seven.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = |number: usize| {
            let (key, account) = (format!("k-{number}"), format!("acct_{}_ok", number % 5));
            let answers = (0..20).map(|_| live.advance(&key, &account, 4));
            answers.map(|answer| answer.status).find(|status| *status != 503).unwrap_or(503)
        };
        let clients: Vec<_> = (0..30).map(|number| scope.spawn(move || ask(number))).collect();
        clients.into_iter().map(|client| client.join().expect("it answers")).collect()
    });
    let counted = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((counted(201), counted(422)), (7, 23), "{statuses:?}");
    let credits = live.list("/v1/credits");
    assert_eq!(credits.len(), 7);
    for number in 0..5 {
        let account = format!("acct_{number}_ok");
        assert!(credits.iter().filter(|credit| credit["account_id"] == account).count() <= 2, "{credits:?}");
    }
}

#[test]
fn a_lost_answer_is_found_by_the_sweeper_and_money_moves_once() {
    let live = Live::begin("lost");
    for account in ["acct_ok_flaky", "acct_ok_drop"] {
        let first = live.advance(account, account, 1);
        assert_eq!(first.status, 202, "{}", first.text);
        assert!(first.json()["transaction_id"].is_null());
        live.sweep(0, 10);
        let again = live.advance(account, account, 1);
        assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"), "{}", again.text);
        assert!(again.json()["transaction_id"].is_string());
    }
    live.live(1..=7);
    live.sweep(7, 10);
    for account in ["acct_ok_flaky", "acct_ok_drop"] {
        let debits = live.list("/v1/debits");
        let debit = debits.iter().find(|d| d["account_id"] == account).expect("its debit");
        assert!(debit["transaction_id"].is_string(), "{debit}");
        let transactions = live.transactions(account);
        assert_eq!(transactions.len(), 2, "{account}: {transactions:?}");
        assert!(transactions.iter().all(|t| t["attempts"].as_u64() >= Some(2)), "{transactions:?}");
    }
}

#[test]
fn respond_async_is_carried_out_by_the_queue() {
    let live = Live::begin("async");
    let body = json!({ "account_id": "acct_ok", "amount": 5000 }).to_string();
    let authorization = format!("Bearer {KEY}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", "async-1"),
        ("prefer", "respond-async"),
    ];
    let answer = live.send("POST", &live.worker("/v1/perform_advance"), &headers, Some(&body));
    assert_eq!(answer.status, 202, "{}", answer.text);
    let path = format!("/v1/credits/{}", answer.json()["id"].as_str().expect("an id"));
    let carried_out = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        live.get(&path).json()["transaction_id"].is_string()
    });
    assert!(carried_out, "the queue calls the processor: {}", live.get(&path).text);
    assert_eq!(live.transactions("acct_ok").len(), 1);
}

#[test]
fn bad_input_gets_a_problem_and_writes_nothing() {
    let live = Live::begin("bad");
    let good = json!({ "account_id": "acct_ok", "amount": 5000 }).to_string();
    let with = |field: &str, value: serde_json::Value| {
        let mut body = json!({ "account_id": "acct_ok", "amount": 5000 });
        body[field] = value;
        body.to_string()
    };
    let huge = format!("{{\"account_id\":\"{}\",\"amount\":1}}", "x".repeat(1_000_000));
    let long_key = "k".repeat(256);
    let cases: Vec<(Option<&str>, &str, String, u16, &str)> = vec![
        (Some("k"), "application/json", with("amount", json!(-1)), 422, "/amount"),
        (Some("k"), "application/json", with("amount", json!(0)), 422, "/amount"),
        (Some("k"), "application/json", with("amount", json!(1.5)), 422, "/amount"),
        (Some("k"), "application/json", with("amount", json!("5000")), 422, "/amount"),
        (Some("k"), "application/json", with("amount", json!(1e300)), 422, "/amount"),
        (Some("k"), "application/json", with("amount", json!(9_007_199_254_740_993_u64)), 422, "/amount"),
        (Some("k"), "application/json", with("installments", json!(105)), 422, "/installments"),
        (Some("k"), "application/json", with("interval_days", json!(0)), 422, "/interval_days"),
        (Some("k"), "application/json", with("currency", json!("EUR")), 422, "/currency"),
        (Some("k"), "application/json", with("account_id", json!("a b")), 422, "/account_id"),
        (Some("k"), "application/json", with("colour", json!("red")), 422, "/colour"),
        (Some("k"), "application/json", "{}".into(), 422, "/account_id"),
        (Some("k"), "application/json", "{broken".into(), 400, ""),
        (Some("k"), "application/json", "[]".into(), 400, ""),
        (Some("k"), "text/plain", good.clone(), 415, ""),
        (Some("k"), "application/json", huge, 413, ""),
        (None, "application/json", good.clone(), 400, ""),
        (Some(&long_key), "application/json", good, 400, ""),
    ];
    let authorization = format!("Bearer {KEY}");
    for (key, content_type, body, status, pointer) in &cases {
        let mut headers = vec![("authorization", authorization.as_str()), ("content-type", *content_type)];
        headers.extend(key.map(|key| ("idempotency-key", key)));
        let answer = live.send("POST", &live.worker("/v1/perform_advance"), &headers, Some(body));
        let shown = body.chars().take(60).collect::<String>();
        assert_eq!(answer.status, *status, "{shown}: {}", answer.text);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{shown}");
        assert!(!answer.header("x-request-id").is_empty(), "{shown}");
        let problem = answer.json();
        if !pointer.is_empty() {
            let pointers: Vec<&str> = problem["errors"]
                .as_array()
                .expect("errors")
                .iter()
                .filter_map(|e| e["pointer"].as_str())
                .collect();
            assert!(pointers.contains(pointer), "{shown}: {problem}");
        }
    }
    let unknown = live.send("GET", &live.worker("/v1/credits"), &[("authorization", "Bearer nobody")], None);
    assert_eq!(unknown.status, 401, "{}", unknown.text);
    assert!(live.list("/v1/credits").is_empty());
}
