//! What a day costs does not depend on how long the book has been kept: the same day over the same history once, ten times
//! and a hundred times as long takes the same statements, and the same steps of the database within a tenth.

use std::sync::Arc;

use futures_executor::block_on;
use paydown::id;
use paydown_edge::run::sweep;
use paydown_tests::client::Client;
use paydown_tests::sqlite::MIGRATIONS;

use crate::book::{Book, at};

/// How many days of a history lie between two of its repetitions.
const DAYS: u32 = 60;

/// The day that is measured.
const TODAY: u32 = 69;

/// The tables of the figures, which follow from the others.
const FIGURES: [&str; 5] =
    ["decided_between_runs", "exception_numbers", "figures", "day_figures", "open_exceptions"];

/// The tables that all repetitions share, and the events, which each repeated fact tells anew.
const SHARED: [&str; 3] = ["api_keys", "events", "policies"];

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
    repeat(&book, repetitions);
    forget_figures(&book);
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

/// Repeats all that is in the book so many times in the past, with other ids.
fn repeat(book: &Book, repetitions: u32) {
    book.world.query("PRAGMA foreign_keys = OFF");
    for table in book.world.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
        if SHARED.contains(&table.as_str()) || FIGURES.contains(&table.as_str()) {
            continue;
        }
        let names = book.world.query(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let values: Vec<String> = names.iter().map(|name| repeated(name)).collect();
        book.execute(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {repetitions})
             INSERT INTO {table} ({}) SELECT {} FROM {table} CROSS JOIN n WHERE {repetitions} > 0",
            names.join(", "),
            values.join(", ")
        ));
    }
    book.world.query("PRAGMA foreign_keys = ON");
}

/// The ledger as if it had been kept before there were figures: the next run counts all credits.
fn forget_figures(book: &Book) {
    for table in FIGURES {
        book.execute(&format!("DROP TRIGGER {table}_no_delete"));
        book.execute(&format!("DELETE FROM {table}"));
    }
    let migration = MIGRATIONS.iter().find(|migration| migration.contains("figures_no_delete"));
    book.world.database.sqlite.migrate(migration.expect("the figures")).expect("the migration applies");
}

/// What a column says in the repetition `i`.
fn repeated(name: &str) -> String {
    let days = format!("'-' || (i * {DAYS}) || ' days'");
    match name {
        "id" | "credit_id" | "debit_id" | "decision_id" | "exception_id" | "run_id" | "row_id"
        | "subject_id" | "subject" | "request_id" => format!(
            "CASE WHEN length({name}) = 36 THEN printf('%08x', i) || substr({name}, 9)
             WHEN {name} = '' THEN '' ELSE {name} || '_' || i END"
        ),
        "transaction_id" => format!("iif({name} = '', '', {name} || '_' || i)"),
        "account_id" | "idempotency_key" => format!("{name} || '_' || i"),
        "at" | "as_of" | "created_at" | "started_at" | "finished_at" | "opened_at" | "resolved_at"
        | "read_at" => {
            format!("strftime('%Y-%m-%dT%H:%M:%fZ', {name}, {days})")
        }
        "business_date" | "due_date" | "unrolled_due_date" => format!("date({name}, {days})"),
        other => other.to_owned(),
    }
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
