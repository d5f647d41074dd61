//! The figures are those of the whole book at any moment: while a run counts, after operators acted, in another zone. (Every
//! run of the other tests, and every day of the simulation, is looked at as well.)

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::DateTime;
use futures_executor::block_on;
use paydown::date::Zone;
use paydown::decision::{Input, decide};
use paydown::id::{CreditId, RunId};
use paydown_edge::config::Budget;
use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_edge::ledger::decisions::{Landing, land};
use paydown_edge::ports::{Database, Ports, Statement};
use paydown_edge::run::daily;
use paydown_tests::client::Client;
use serde_json::json;

use crate::book::{Book, at};
use crate::meanwhile::{has, meanwhile};

fn advance(client: &Client, number: usize) {
    let body = json!({ "account_id": format!("acct_new_{number}"), "amount": 5000 }).to_string();
    let advanced = client.advance(&format!("key-{number}"), &body);
    assert_eq!(advanced.status, 201, "{advanced:?}");
}

pub fn hold(client: &Client, credit: CreditId) {
    let held = client.operate(
        &format!("/v1/credits/{credit}/hold"),
        &format!("hold-{credit}"),
        &json!({ "note": "x" }),
    );
    assert_eq!(held.status, 200, "{held:?}");
}

/// The rows of the last run's count, and whether it is closed.
fn counting(book: &Book) -> (usize, bool) {
    let last = "(SELECT id FROM runs ORDER BY as_of DESC LIMIT 1)";
    let rows =
        book.world.query(&format!("SELECT 1 FROM run_stages WHERE run_id = {last} AND stage = 'figures'"));
    let closed = book.world.query(&format!("SELECT 1 FROM run_closings WHERE run_id = {last}"));
    (rows.len(), !closed.is_empty())
}

/// Another invocation of the run that counts is still at an earlier stage: what it decides does not land.
fn decides_nothing(book: &Book, credit: CreditId) {
    let run = book.world.query("SELECT id FROM runs ORDER BY as_of DESC LIMIT 1");
    let run_id = Some(RunId(run[0].parse().expect("an id")));
    let (facts, as_of) = (book.facts(credit), at(12).expect("an instant"));
    let decision = decide(&facts, Input::Seek, &book.world.settings.context(as_of));
    let landing = Landing::of(&facts, Input::Seek, decision, (run_id, as_of), vec![]);
    let policy = book.world.query("SELECT id FROM policies LIMIT 1");
    let decided = || book.world.query("SELECT count(*) FROM decisions");
    let before = decided();
    block_on(land(&book.world.database.sqlite, &[landing], &policy[0])).expect("a batch");
    assert_eq!(decided(), before);
}

#[test]
fn what_comes_while_a_run_counts_is_not_lost() {
    let mut book = Book::new();
    for number in 0..700 {
        book.advance(&format!("acct_{number}"));
    }
    let client = Client::of(book.world.clone());
    book.live(6..=11);
    let budget = Budget { statements: 20, slice_credits: 200, ..Budget::default() };
    book.world.settings = Arc::new(Settings { budget, ..Settings::default() });
    book.run(12);
    let as_of = at(12).expect("an instant");
    advance(&client, 0);
    let mut held = 0;
    while !counting(&book).1 {
        let rows = counting(&book).0;
        // The count stands at its beginning, or behind some credits: one of those and one of the others is held.
        if rows > 0 {
            let mut credits = book.credits.clone();
            credits.sort();
            hold(&client, credits[held]);
            hold(&client, credits[credits.len() - 1 - held]);
            advance(&client, 1 + held);
            book.figures_are_right();
            decides_nothing(&book, credits[350]);
            held += 1;
            assert!(held < 10, "the count goes on: {:?}", counting(&book));
        }
        block_on(daily(&book.world.ports(), as_of)).expect("the run goes on");
        book.figures_are_right();
    }
    assert!(held >= 2, "the run counted in {held} invocations");
    book.world.settings = Arc::default();
    book.live(13..=14);
}

#[test]
fn what_operators_do_between_runs_is_seen_at_once() {
    let mut book = Book::new();
    book.fails("acct_closed", "R02");
    let credits = ["acct_a", "acct_b", "acct_c", "acct_closed"].map(|account| book.advance(account));
    book.live(6..=13);
    let client = Client::of(book.world.clone());
    let [a, b, c, _] = credits;
    let seen = |what: &str| (what.to_owned(), client.read("/v1/summary"));
    let (_, mut before) = seen("the run");
    for (credit, action, body) in [
        (a, "hold", json!({ "note": "x" })),
        (a, "release", json!({ "note": "x" })),
        (a, "external_payment", json!({ "amount": 250, "received_on": "2026-01-13", "note": "x" })),
        (b, "pause", json!({ "intervals": 2, "note": "x" })),
        (b, "pay_off", json!({ "note": "x" })),
        (c, "write_off", json!({ "note": "x" })),
    ] {
        let done =
            client.operate(&format!("/v1/credits/{credit}/{action}"), &format!("{action}-{credit}"), &body);
        assert!(done.status.is_success(), "{action}: {done:?}");
        let (what, now) = seen(action);
        assert_ne!(now, before, "{what} shows");
        book.figures_are_right();
        before = now;
    }
    book.live(14..=30);
    assert_eq!(client.read("/v1/summary")["totals"]["written_off"], 1100);
}

#[test]
fn what_was_outstanding_on_a_day_is_what_its_run_left() {
    let mut book = Book::new();
    book.fails("acct_poor", "R01");
    for account in ["acct_a", "acct_b", "acct_poor"] {
        book.advance(account);
    }
    let client = Client::of(book.world.clone());
    let mut left = vec![];
    for day in 6..=30 {
        book.live(day..=day);
        let summary = client.read("/v1/summary");
        let of = |date: &str| summary["days"].as_array().unwrap().iter().find(|d| d["date"] == date).cloned();
        let date = format!("2026-01-{day:02}");
        let totals = &summary["totals"];
        let now: i64 =
            ["in_flight", "scheduled", "waiting"].iter().filter_map(|part| totals[part].as_i64()).sum();
        left.push((date.clone(), now));
        for (date, left) in &left {
            assert_eq!(of(date).unwrap()["outstanding"], *left, "{date}, seen on day {day}");
        }
        assert_eq!(of("2026-01-05").unwrap()["outstanding"], json!(null), "a day without a run");
        // When all that is planned is collected, what waits is left.
        let last = summary["days"].as_array().unwrap().last().unwrap();
        let planned: i64 = summary["days"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["date"].as_str() > Some(&date))
            .filter_map(|d| d["expected"].as_i64())
            .sum();
        let forecast = totals["scheduled"].as_i64().unwrap() - planned + totals["waiting"].as_i64().unwrap();
        assert_eq!(last["outstanding"], forecast, "on day {day}");
    }
    let figures: Vec<i64> = left.iter().map(|(_, left)| *left).collect();
    assert!(figures.windows(2).any(|pair| pair[0] > pair[1]) && figures.iter().any(|left| *left > 0));
}

/// A database that another invocation of the run is quicker with: when this one begins to count, the other counts to its end,
/// and breaks off before it closes the run.
struct Slower {
    inner: Arc<dyn Database>,
    other: Ports,
    begins: AtomicUsize,
}

/// A database that is lost when a run is to be closed.
struct LostAtTheEnd(Arc<dyn Database>);

#[async_trait(?Send)]
impl Database for Slower {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        let begins = has(statements, "json_object('marks'");
        if begins && self.begins.fetch_add(1, Ordering::SeqCst) == 0 {
            daily(&self.other, at(12).expect("an instant")).await.expect_err("it is lost at the end");
        }
        self.inner.batch(statements).await
    }
}

#[async_trait(?Send)]
impl Database for LostAtTheEnd {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        if has(statements, "INSERT INTO figures") {
            return Err(Fault::Permanent("lost".into()));
        }
        self.0.batch(statements).await
    }
}

#[test]
fn what_another_invocation_counted_meanwhile_counts_once() {
    let mut book = Book::new();
    book.advance("acct_a");
    book.live(6..=11);
    let (ports, other) = (book.world.ports(), book.world.ports());
    let other = Ports { database: Arc::new(LostAtTheEnd(other.database)), ..other };
    let slower = Slower { inner: ports.database.clone(), other, begins: AtomicUsize::new(0) };
    let ports = Ports { database: Arc::new(slower), ..ports };
    block_on(daily(&ports, at(12).expect("an instant"))).expect("the run ends without a fault");
    assert!(counting(&book).1, "the run is closed");
    book.figures_are_right();
}

/// A database that is slow when the count is at its end: another invocation, which soon has to hand on, counts a part of it
/// meanwhile.
struct SlowAtTheEnd {
    inner: Arc<dyn Database>,
    other: Ports,
    begins: AtomicUsize,
}

#[async_trait(?Send)]
impl Database for SlowAtTheEnd {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        let ends = statements.iter().any(|statement| {
            let row: serde_json::Value = serde_json::from_str(&statement.parameter).unwrap_or_default();
            statement.sql.contains("INSERT INTO run_stages")
                && row["stage"] == "figures"
                && row["cursor"].is_null()
                && row["detail"].is_string()
        });
        if ends && self.begins.fetch_add(1, Ordering::SeqCst) == 0 {
            for statements in 1.. {
                let settings =
                    Settings { budget: Budget { statements, ..Budget::default() }, ..Settings::default() };
                let hasty = Ports { settings: Arc::new(settings), ..self.other.clone() };
                daily(&hasty, at(12).expect("an instant")).await.expect("it hands on, or ends");
                let so_far = "SELECT json_quote(count(*)) FROM run_stages WHERE stage = 'figures' AND slice = 1 AND cursor IS NOT NULL
                  AND run_id = (SELECT id FROM runs ORDER BY as_of DESC LIMIT 1)";
                let asked = [Statement { sql: so_far, parameter: "null".into() }];
                if self.inner.batch(&asked).await?[0][0] == "1" {
                    break;
                }
            }
        }
        self.inner.batch(statements).await
    }
}

#[test]
fn what_was_counted_to_its_end_is_not_lost_to_who_counted_a_part_of_it() {
    let mut book = Book::new();
    book.advance("acct_a");
    book.live(6..=11);
    let (ports, other) = (book.world.ports(), book.world.ports());
    let slow = SlowAtTheEnd { inner: ports.database.clone(), other, begins: AtomicUsize::new(0) };
    let ports = Ports { database: Arc::new(slow), ..ports };
    block_on(daily(&ports, at(12).expect("an instant"))).expect("the run ends without a fault");
    assert!(counting(&book).1, "the run is closed");
    book.figures_are_right();
    assert_eq!(book.world.query("SELECT count(*) FROM figures"), ["7"], "each run has its figures");
}

#[test]
fn what_an_operator_decides_between_finding_a_credit_and_counting_it_is_the_next_runs() {
    let mut book = Book::new();
    let credit = book.advance("acct_a");
    book.live(6..=11);
    let client = Client::of(book.world.clone());
    let ports = meanwhile(book.world.ports(), "'turns', json((", move || hold(&client, credit));
    // On the twelfth the first debit is issued, so that the credit is counted.
    block_on(daily(&ports, at(12).expect("an instant"))).expect("the run ends without a fault");
    assert_eq!(book.world.query("SELECT count(*) FROM decided_between_runs"), ["1"], "it was held meanwhile");
    book.figures_are_right();
    book.live(13..=14);
}

#[test]
fn a_run_that_is_given_another_zone_while_it_counts_leaves_the_figures_to_the_next() {
    let mut book = Book::new();
    (0..350).for_each(|number| {
        book.advance(&format!("acct_{number}"));
    });
    book.live(6..=11);
    let budget = Budget { statements: 20, slice_credits: 200, ..Budget::default() };
    book.world.settings = Arc::new(Settings { budget, ..Settings::default() });
    book.run(12);
    let as_of = at(12).expect("an instant");
    while counting(&book).0 < 2 {
        assert!(!counting(&book).1, "the run counts in more than one invocation");
        block_on(daily(&book.world.ports(), as_of)).expect("the run goes on");
    }
    let zone = Zone::new(vec![(DateTime::UNIX_EPOCH, -5 * 3600)]);
    book.world.settings = Arc::new(Settings { zone, ..Settings::default() });
    book.figures_are_right();
    block_on(daily(&book.world.ports(), as_of)).expect("the run goes on");
    assert!(counting(&book).1, "the run is closed");
    book.figures_are_right();
    book.live(13..=14);
    assert_eq!(book.world.query("SELECT count(*) FROM figures"), ["8"]);
}

#[test]
fn in_another_zone_the_whole_book_is_counted_anew() {
    let mut book = Book::new();
    book.fails("acct_poor", "R01");
    for account in ["acct_a", "acct_poor"] {
        book.advance(account);
    }
    book.live(6..=20);
    let zone = Zone::new(vec![(DateTime::UNIX_EPOCH, -5 * 3600)]);
    book.world.settings = Arc::new(Settings { zone, ..Settings::default() });
    book.figures_are_right();
    book.live(21..=30);
    assert_eq!(book.world.query("SELECT count(DISTINCT counted_from) FROM figures"), ["2"]);
}
