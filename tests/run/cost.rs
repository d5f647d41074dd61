//! What a day costs does not depend on how long the book has been kept: the same day over the same history once, ten times
//! and a hundred times as long takes the same statements, and the same steps of the database within a tenth.

use std::sync::Arc;

use futures_executor::block_on;
use paydown::id;
use paydown_edge::run::sweep;
use paydown_tests::client::Client;
use paydown_tests::history::{forget_figures, repeat};

use crate::book::{Book, at};

/// How many days of a history lie between two of its repetitions.
const DAYS: u32 = 60;

/// The day that is measured.
const TODAY: u32 = 69;

/// What something took.
#[derive(Debug, Clone, Copy)]
struct Cost {
    statements: u64,
    steps: u64,
}

/// Six weeks in which credits are repaid, one of them after failures, and all exceptions are resolved.
fn history() -> Book {
    let mut book = Book::new();
    book.fails("acct_poor", "R01");
    for account in ["acct_calm", "acct_other", "acct_poor"] {
        book.advance_on(5, account, 3);
    }
    for number in 0..200 {
        book.row(8, &format!("tx_nobody_{number},success,"));
    }
    book.row(9, "tx_nobody,perhaps,");
    book.row(9, "tx_else,failure,R01");
    book.live_unseen(6..=13);
    book.recovers("acct_poor");
    book.live_unseen(14..=30);
    open_many(&book, "report_gap");
    open_many(&book, "run_limit");
    resolve_all(&book);
    book.live_unseen(31..=45);
    assert_eq!(book.open(), [""; 0]);
    book
}

/// Opens fifty exceptions of a kind.
fn open_many(book: &Book, kind: &str) {
    let credit = book.credits.first().expect("a credit");
    for number in 0..50 {
        let id = id::from_cause(0, &[kind, &number.to_string()]);
        book.execute(&format!(
            "INSERT INTO exceptions VALUES ('{id}', '{kind}', '{id}', '{credit}', NULL, 'x', '2026-01-29T09:00:00.000Z', NULL)"
        ));
    }
}

fn resolve_all(book: &Book) {
    book.execute(
        "INSERT INTO resolutions SELECT id, 'close', 'ann', 'seen', '2026-01-30T09:00:00.000Z', NULL FROM exceptions
         WHERE id NOT IN (SELECT exception_id FROM resolutions)",
    );
}

/// A book with so many repetitions of a history behind it, and the days up to today.
fn book(repetitions: u32) -> Book {
    let mut book = history();
    repeat(&book.world.database.sqlite, repetitions, DAYS);
    forget_figures(&book.world.database.sqlite);
    book.fails("acct_nsf", "R01");
    book.fails("acct_closed", "R02");
    for (day, accounts) in [
        (61, ["acct_a", "acct_b", "acct_nsf", "acct_closed"]),
        (62, ["acct_c", "acct_d", "acct_e", "acct_f"]),
    ] {
        for account in accounts {
            book.advance_on(day, account, 12);
        }
    }
    book.row(TODAY - 1, "tx_unheard_of,success,");
    book.live_unseen(62..=TODAY - 1);
    book
}

/// What each thing of a day takes. Pages filtered by what is derived examine more than this book has; see the tests of lists.
fn costs(mut book: Book) -> Vec<(String, Cost)> {
    let sqlite = Arc::clone(&book.world.database);
    let so_far = || Cost { statements: sqlite.sqlite.statements(), steps: sqlite.sqlite.steps() };
    let mut costs = Vec::new();
    let mut before = so_far();
    let mut note = |what: &str| {
        let after = so_far();
        let cost =
            Cost { statements: after.statements - before.statements, steps: after.steps - before.steps };
        costs.push((what.to_owned(), cost));
        before = after;
    };
    book.only_run(TODAY).expect("the run ends without a fault");
    note("the daily run");
    let later = at(TODAY).and_then(|at| at.checked_add_signed(chrono::TimeDelta::minutes(10)));
    block_on(sweep(&book.world.ports(), later.expect("an instant"))).expect("the sweep ends without a fault");
    note("the sweep");
    let client = Client::of(book.world.clone());
    note("the key of the test");
    let advanced = client.advance("key-today", r#"{"account_id": "acct_today", "amount": 100000}"#);
    assert_eq!(advanced.status, 201, "{advanced:?}");
    note("perform_advance");
    let credit = book.credits.last().expect("a credit");
    let noted = serde_json::json!({ "note": "let us see" });
    let held = client.operate(&format!("/v1/credits/{credit}/hold"), "key-hold", &noted);
    assert_eq!(held.status, 200, "{held:?}");
    note("an operator's hold");
    // A cursor is the hexadecimal of the number up to which was read.
    let read_up_to = book.world.query("SELECT max(number) - 10 FROM events").concat();
    let cursor: String = read_up_to.bytes().map(|byte| format!("{byte:02x}")).collect();
    let events = format!("/v1/events?cursor={cursor}");
    let [one, facts] = [format!("/v1/credits/{credit}"), format!("/v1/credits/{credit}/facts")];
    for path in [
        "/v1/summary",
        "/v1/metrics",
        "/v1/credits?limit=10",
        "/v1/credits?account_id=acct_a",
        "/v1/credits?q=key-today",
        "/v1/debits?limit=5",
        "/v1/debits?due_from=2026-03-10&due_to=2026-03-10",
        "/v1/runs",
        "/v1/exceptions",
        "/v1/exceptions?status=open",
        "/v1/exceptions?status=resolved",
        "/v1/exceptions?kind=unknown_transaction&status=open",
        "/v1/journal?from=2026-03-10&limit=200",
        "/v1/events",
        &events,
        "/v1/keys",
        "/healthz",
        &one,
        &facts,
    ] {
        assert_eq!(client.get(path).status, 200, "{path}");
        note(path);
    }
    book.figures_are_right();
    costs
}

#[test]
fn a_day_costs_the_same_however_long_the_book_was_kept() {
    let [once, ten, hundred] = [0, 9, 99].map(|repetitions| costs(book(repetitions)));
    let mut failures = Vec::new();
    for ((what, first), (second, third)) in once.iter().zip(ten.iter().zip(&hundred).map(|(t, h)| (t.1, h.1)))
    {
        let all = [*first, second, third];
        let steps = all.map(|cost| cost.steps);
        let (least, most) = (steps.iter().min().expect("three"), steps.iter().max().expect("three"));
        let are_same = all.iter().all(|cost| cost.statements == first.statements);
        if !are_same || most * 10 > least * 11 {
            failures
                .push(format!("{what}: {:?} statements, {steps:?} steps", all.map(|cost| cost.statements)));
        }
        if std::env::var_os("PAYDOWN_COSTS").is_some() {
            println!("| {what} | {} | {steps:?} |", first.statements);
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
