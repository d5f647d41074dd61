//! `MAX_PER_ACCOUNT` and `MAX_PER_DAY`: what is beyond is refused, and nothing of it recorded.

use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_tests::memory::{Failure, World};
use paydown_tests::processor::Step;
use serde_json::json;

use crate::client::{Client, NOW, Response};

fn limited(max_per_account: Option<u64>, max_per_day: Option<u64>) -> Client {
    Client::of(World::with(NOW, Settings { max_per_account, max_per_day, ..Settings::default() }))
}

fn asks(client: &Client, key: &str, account: &str, amount: u64, fee: u64) -> Response {
    client.advance(key, &json!({ "account_id": account, "amount": amount, "fee": fee }).to_string())
}

fn count(client: &Client) -> usize {
    client.world.query("SELECT 1 FROM credits").len()
}

#[test]
fn an_account_owes_no_more_than_its_limit() {
    let client = limited(Some(1000), None);
    assert_eq!(asks(&client, "k-1", "a", 400, 100).status.as_u16(), 201);
    let written = client.written();
    let beyond = asks(&client, "k-2", "a", 500, 1);
    beyond.is_problem(422, "limit_reached");
    assert!(beyond.body["detail"].as_str().expect("a detail").contains("10.00 USD"), "{}", beyond.text);
    assert_eq!(client.written(), written, "nothing is recorded");
    assert_eq!(asks(&client, "k-3", "b", 1000, 0).status.as_u16(), 201, "another account has its own room");
    assert_eq!(asks(&client, "k-2", "a", 500, 0).status.as_u16(), 201, "up to the limit, with the same key");
    asks(&client, "k-4", "a", 12, 0).is_problem(422, "limit_reached");

    let replayed = asks(&client, "k-1", "a", 400, 100);
    assert_eq!((replayed.status.as_u16(), replayed.header("idempotent-replayed")), (201, "true"));
    asks(&client, "k-1", "a", 900, 900).is_problem(422, "idempotency_key_reused");
    assert_eq!(client.world.processor.calls().len(), 3);
}

#[test]
fn a_failed_credit_owes_nothing() {
    let client = limited(Some(1000), None);
    client.world.processor.script("acct_refused", [Step::refused()]);
    asks(&client, "k-1", "acct_refused", 1000, 0).is_problem(422, "refused");
    assert_eq!(asks(&client, "k-2", "acct_refused", 1000, 0).status.as_u16(), 422);
    let second = client.world.query("SELECT count(*) FROM credits");
    assert_eq!(second, ["2"], "the second reached the processor");
}

#[test]
fn a_day_advances_no_more_than_its_limit() {
    let client = limited(None, Some(1000));
    assert_eq!(asks(&client, "k-1", "a", 600, 600).status.as_u16(), 201, "fees are not advanced");
    let written = client.written();
    asks(&client, "k-2", "b", 401, 0).is_problem(422, "limit_reached");
    assert_eq!(client.written(), written, "nothing is recorded");
    assert_eq!(asks(&client, "k-3", "b", 400, 0).status.as_u16(), 201);
    asks(&client, "k-4", "c", 12, 0).is_problem(422, "limit_reached");
    let replayed = asks(&client, "k-1", "a", 600, 600);
    assert_eq!((replayed.status.as_u16(), replayed.header("idempotent-replayed")), (201, "true"));

    client.world.clock.set("2026-01-05T23:59:59.999Z".parse().expect("an instant"));
    asks(&client, "k-4", "c", 12, 0).is_problem(422, "limit_reached");
    client.world.clock.set("2026-01-06T00:00:00Z".parse().expect("an instant"));
    assert_eq!(asks(&client, "k-4", "c", 1000, 0).status.as_u16(), 201, "the next day begins anew");
    let totals = client.world.query(
        "SELECT business_date || ' ' || number || ' ' || total FROM advanced ORDER BY business_date, number",
    );
    assert_eq!(totals, ["2026-01-05 1 600", "2026-01-05 2 1000", "2026-01-06 1 1000"]);
}

#[test]
fn a_limit_that_is_set_during_the_day_counts_what_was_advanced_before() {
    let mut client = limited(None, None);
    client.world.clock.set("2026-01-04T23:00:00Z".parse().expect("an instant"));
    assert_eq!(asks(&client, "k-0", "a", 999, 0).status.as_u16(), 201);
    client.world.clock.set(NOW.parse().expect("an instant"));
    assert_eq!(asks(&client, "k-1", "a", 600, 0).status.as_u16(), 201);
    assert!(client.world.query("SELECT 1 FROM advanced").is_empty(), "without a limit no total is kept");
    let settings = Settings { max_per_day: Some(1000), ..Settings::default() };
    client.world.settings = settings.into();
    asks(&client, "k-2", "b", 401, 0).is_problem(422, "limit_reached");
    assert_eq!(asks(&client, "k-2", "b", 100, 0).status.as_u16(), 201);
    asks(&client, "k-3", "b", 301, 0).is_problem(422, "limit_reached");
    assert_eq!(asks(&client, "k-3", "b", 300, 0).status.as_u16(), 201);
    assert_eq!(client.world.query("SELECT total FROM advanced ORDER BY number"), ["700", "1000"]);
}

/// Each of a hundred clients asks until it is known what became of its request.
fn a_hundred_at_once(client: &Client, account: impl Fn(usize) -> String + Sync) -> Vec<u16> {
    std::thread::scope(|scope| {
        let account = &account;
        let ask = |number: usize| {
            move || {
                let (key, account) = (format!("k-{number}"), account(number));
                let mut answers = (0..100).map(|_| asks(client, &key, &account, 100, 0).status.as_u16());
                answers.find(|status| *status != 503).unwrap_or(503)
            }
        };
        let threads: Vec<_> = (0..100).map(|number| scope.spawn(ask(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    })
}

#[test]
fn a_hundred_parallel_requests_never_exceed_the_day() {
    let client = limited(None, Some(1250));
    let answers = a_hundred_at_once(&client, |number| format!("acct_{number}"));
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 12);
    assert_eq!(answers.iter().filter(|status| **status == 422).count(), 88);
    assert_eq!(client.world.query("SELECT sum(amount) FROM credits"), ["1200"]);
    assert_eq!(client.world.query("SELECT max(total) FROM advanced"), ["1200"]);
    assert_eq!(client.world.query("SELECT 1 FROM requests").len(), 12);
    assert_eq!(client.world.processor.moved().len(), 12);
}

#[test]
fn a_hundred_parallel_requests_never_exceed_the_account() {
    let client = limited(Some(750), None);
    let answers = a_hundred_at_once(&client, |_| "acct_same".to_owned());
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 7);
    assert_eq!(answers.iter().filter(|status| **status == 422).count(), 93);
    assert_eq!(client.world.query("SELECT sum(amount) FROM credits"), ["700"]);
    assert_eq!(client.world.processor.moved().len(), 7);
}

#[test]
fn a_fault_at_any_batch_under_limits_makes_one_credit() {
    for number in 0..3 {
        for is_after in [false, true] {
            let fault = Fault::Permanent("broken".into());
            let failure = if is_after { Failure::After(fault) } else { Failure::Before(fault) };
            let client = limited(Some(1000), Some(1000));
            client.world.database.fail(number, failure);
            let first = asks(&client, "k-1", "a", 1000, 0);
            let case = format!("batch {number}, after it persisted: {is_after}");
            assert_eq!(first.status.as_u16(), if number < 2 { 503 } else { 202 }, "{case}");
            let again = asks(&client, "k-1", "a", 1000, 0);
            assert!(matches!(again.status.as_u16(), 201 | 202), "{case}: {again:?}");
            assert_eq!(count(&client), 1, "{case}");
            assert_eq!(client.world.query("SELECT total FROM advanced"), ["1000"], "{case}");
            asks(&client, "k-2", "b", 12, 0).is_problem(422, "limit_reached");
        }
    }
}

#[test]
fn who_may_not_learns_nothing_of_the_limits() {
    let client = limited(Some(1), Some(1));
    client.add_key("pd_reader", &[paydown::api::Scope::Read]);
    for (key, status, code) in [("pd_nobody", 401, "unauthorized"), ("pd_reader", 403, "forbidden")] {
        let mut request = crate::client::advance("k-1", crate::client::ORDINARY);
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().expect("a header"));
        client.send(request).is_problem(status, code);
    }
}
