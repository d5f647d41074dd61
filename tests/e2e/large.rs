//! A day that no single invocation could do: more debits than its budgets allow, killed at any moment, and in the end
//! what an undisturbed run comes to.
//!
//! The book is made beside the runtime, by the very code of the Worker over SQLite, and put into D1's file. The
//! undisturbed run goes over a copy of that file, under the limits of the production platform.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_executor::block_on;
use paydown::date::text;
use paydown::id::{self, CreditId};
use paydown::money::Cents;
use paydown_edge::config::Settings;
use paydown_edge::ports::Ports;
use paydown_edge::processor::{Direction, body};
use paydown_edge::run::{daily, deliver};
use paydown_tests::memory::{Frail, MemoryOutbox, World};
use paydown_tests::platform::within_limits;
use paydown_tests::sqlite::Sqlite;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use crate::live::Live;
use crate::processor::Books;

/// How many debits are due and how often everything is killed, in full and otherwise.
const IN_FULL: (usize, u64) = (100_000, 5);
const IN_SHORT: (usize, u64) = (1_500, 3);

/// The settings then: an invocation does little, and each stage is divided.
const SETTINGS_IN_FULL: &[&str] = &["RUN_STATEMENTS:200", "RUN_PART_CREDITS:10000"];
const SETTINGS_IN_SHORT: &[&str] = &["RUN_STATEMENTS:200", "RUN_PART_CREDITS:400"];

/// How many rows the report has for each of them.
const ROWS: usize = 5;

/// How many calls may be under way when everything is killed, so that they are made again: a slice of each invocation that
/// works beside others.
const CALLS_UNDER_WAY: u64 = 200 * 10;

#[test]
fn a_day_of_more_debits_than_an_invocation_may_do_ends_as_if_undisturbed() {
    let is_full = std::env::var_os("PAYDOWN_FULL").is_some();
    let (due, kills) = if is_full { IN_FULL } else { IN_SHORT };
    let settings = if is_full { SETTINGS_IN_FULL } else { SETTINGS_IN_SHORT };
    let books = Books::default();
    let mut live = Live::against("large", settings, books.serve());
    let accounts: Vec<String> = (0..due).map(|number| format!("acct_{number}")).collect();

    let eve = eve(&live, &accounts, &books);
    live.kill();
    let ledger = live.ledger();
    put_into(&eve, &ledger);
    books.set_report(report(&eve, live.morning(2)));
    let undisturbed = undisturbed(&ledger, live.morning(2), &books);
    let slices = undisturbed.query(&progress(live.morning(2))).len() as u64;
    assert_eq!(books.calls().len(), 2 * due, "a debit of each on the day before, and on this");

    live.restart();
    let before = books.calls();
    let downloads = books.downloads();
    let mut dice = Dice(due as u64);
    let mut moments: Vec<u64> = (0..kills).map(|_| dice.below(slices)).collect();
    moments.sort_unstable();
    for (round, moment) in (0_i64..).zip(moments) {
        let goes_on = || drop(if round == 0 { live.fire(2) } else { live.try_sweep(2, 10 * round) });
        std::thread::scope(|scope| {
            let run = scope.spawn(goes_on);
            // Once so much of it is done; where that was done before, as soon as it goes on.
            while !has_come_to(&ledger, live.morning(2), moment) {
                std::thread::sleep(Duration::from_millis(10));
            }
            live.kill_now();
            run.join().expect("the request ends");
        });
        live.kill();
        live.restart();
    }
    live.sweep(2, 10 * i64::try_from(kills).expect("a few"));
    let run = live.ended_run();
    assert_eq!(run["status"], "complete", "{run}");
    live.kill();

    let ended = Sqlite::copy_of(&ledger).expect("the ledger can be read");
    assert!(!ended.query("SELECT part FROM run_parts WHERE stage = 'issue'").is_empty(), "it was divided");
    for (table, facts) in &everything(&undisturbed) {
        assert_eq!(everything(&ended)[table], *facts, "{table}");
    }
    let made_again: u64 =
        books.calls().iter().map(|(key, calls)| calls - before.get(key).unwrap_or(&0)).sum();
    let made_again = made_again - due as u64;
    assert!(made_again <= kills * CALLS_UNDER_WAY, "{made_again} calls were made again");
    assert_eq!(books.calls().len(), 2 * due, "each debit under its one key");
    assert!(books.downloads() > downloads, "the report was read over HTTP");
}

/// The ledger on the morning on which a second debit of each credit is due: the first left the day before.
fn eve(live: &Live, accounts: &[String], books: &Books) -> World {
    let world = World::at(&text(live.morning(0)));
    let made_at = text(live.morning(0) + TimeDelta::hours(1));
    let mut rows = Vec::new();
    for (account, number) in accounts.iter().zip(0_u64..) {
        let made_ms = u64::try_from(live.morning(0).timestamp_millis()).expect("after 1970") + number;
        let credit = CreditId(id::created(id::bucket(account), made_ms, [7; 8]));
        let amount = Cents::new(1200).expect("an amount");
        let body = body(Direction::Credit, account, "paydown_funding", amount, credit.0).expect("a body");
        let execute = |sql: String| world.database.sqlite.execute(&sql).expect("the SQL of a test is valid");
        execute(format!(
            "INSERT INTO credits VALUES ('{credit}', '{account}', 1200, 0, 'USD', 3, 1, '{body}', '{made_at}')"
        ));
        execute(format!("INSERT INTO credit_transactions VALUES ('{credit}', 'tx_{credit}', '{made_at}')"));
        rows.push(format!("tx_{credit},success,,{made_at}"));
    }
    books.set_report(csv(rows));
    run(&world.database, live.morning(1), books);
    world
}

/// Each credit's rows: what was said of its advance, which is known, and of the debit of the day before, which is not. A
/// tenth of those failed.
fn report(eve: &World, as_of: DateTime<Utc>) -> Vec<u8> {
    let said_at = text(as_of - TimeDelta::hours(4));
    let mut rows = eve.query("SELECT 'tx_' || id || ',success,,' || created_at FROM credits ORDER BY id");
    let debits = eve.query("SELECT debit_id FROM processed_debits ORDER BY debit_id");
    rows.extend(debits.iter().zip(0_u32..).map(|(debit, number)| match number % 10 {
        0 => format!("tx_{debit},failure,R01,{said_at}"),
        _ => format!("tx_{debit},success,,{said_at}"),
    }));
    let once = rows.len();
    csv(rows.into_iter().cycle().take(once / 2 * ROWS).collect())
}

fn csv(rows: Vec<String>) -> Vec<u8> {
    let mut text = String::from("transaction_id,status,code,at\n");
    for row in rows {
        text.push_str(&row);
        text.push('\n');
    }
    text.into_bytes()
}

/// Writes all facts of the eve into a ledger that nobody serves.
fn put_into(eve: &World, ledger: &Path) {
    let file = ledger.with_extension("eve");
    // Of an earlier test there may be one.
    let _ = std::fs::remove_file(&file);
    eve.database.sqlite.execute(&format!("VACUUM INTO '{}'", file.display())).expect("it is written");
    let connection = Connection::open(ledger).expect("the ledger");
    connection.execute("ATTACH ?1 AS eve", [file.display().to_string()]).expect("it is attached");
    let tables =
        eve.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    connection.execute_batch("BEGIN").expect("a transaction");
    for table in tables {
        connection
            .execute(&format!("INSERT INTO main.{table} SELECT * FROM eve.{table}"), [])
            .unwrap_or_else(|error| panic!("{table}: {error}"));
    }
    connection.execute_batch("COMMIT; DETACH eve").expect("all of it is written");
    connection.close().expect("it is closed");
    std::fs::remove_file(&file).expect("it is removed");
}

/// The ledger after the run of an instant over a copy of the file.
fn undisturbed(ledger: &Path, as_of: DateTime<Utc>, books: &Books) -> Sqlite {
    let sqlite = Sqlite::copy_of(ledger).expect("the ledger can be read");
    let database = Arc::new(Frail::over(sqlite));
    run(&database, as_of, books);
    Arc::into_inner(database).expect("nobody else has it").sqlite
}

/// A run under the limits of the platform, handed on as often as it has to be.
fn run(database: &Arc<Frail>, as_of: DateTime<Utc>, books: &Books) {
    let world = World::with(&text(as_of), Settings::default());
    let outbox: Arc<MemoryOutbox> = Arc::clone(&world.outbox);
    let ports = || {
        let (database, processor) = (Arc::clone(database), Arc::new(books.clone()));
        within_limits(Ports { database, processor, ..world.unlimited_ports() })
    };
    block_on(daily(&ports(), as_of)).expect("the run goes on");
    loop {
        let messages = outbox.take();
        if messages.is_empty() {
            return;
        }
        for message in messages {
            let body = serde_json::to_string(&message).expect("JSON");
            block_on(deliver(&ports(), "paydown-runs", &[body]));
        }
    }
}

/// What a run has done so far, a row for each slice, and its end.
fn progress(as_of: DateTime<Utc>) -> String {
    let run = format!("SELECT id FROM runs WHERE as_of = '{}'", text(as_of));
    format!(
        "SELECT 1 FROM run_stages WHERE run_id = ({run}) UNION ALL SELECT 2 FROM run_closings WHERE run_id = ({run})"
    )
}

/// Whether the run of an instant has done so much, or all of it, in a ledger that is written meanwhile.
fn has_come_to(ledger: &Path, as_of: DateTime<Utc>, moment: u64) -> bool {
    let connection =
        Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the ledger");
    let count = format!("SELECT count(*) >= {moment} FROM ({})", progress(as_of));
    // While it is being written it may be locked.
    connection.query_row(&count, [], |row| row.get(0)).unwrap_or(false)
}

/// A hash for each table of the facts that do not say when something was heard, and which run it was.
fn everything(ledger: &Sqlite) -> BTreeMap<&'static str, String> {
    let tables = [
        ("debits", "credit_id || sequence || amount || due_date || reason || coalesce(replaces, '')"),
        ("processed_debits", "debit_id || at || body"),
        ("debit_transactions", "debit_id || transaction_id"),
        ("cancellations", "debit_id || because"),
        ("words", "subject_id || outcome || coalesce(code, '') || at"),
        ("observations", "transaction_id || subject_id || at || status || code"),
        ("timeouts", "subject_id"),
        ("decisions", "credit_id || turn || at"),
        ("exceptions", "kind || subject"),
        ("carried_over", "kind || run_id || credit_id"),
        ("run_closings", "run_id || status || reasons || counts"),
    ];
    let hash = |(table, columns): (&'static str, &str)| {
        let mut hash = Sha256::new();
        let rows = ledger.query(&format!("SELECT {columns} FROM {table} ORDER BY 1"));
        rows.iter().for_each(|row| hash.update(format!("{row}\n")));
        (table, format!("{} rows, {:x}", rows.len(), hash.finalize()))
    };
    tables.into_iter().map(hash).collect()
}

/// Numbers of chance from a seed (the constants are Knuth's, for MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % many.max(1)
    }
}
