//! `cargo xtask bench` runs this: the ledger of a book on the eve of the day that is measured, in a file for D1.
//!
//! Every credit is confirmed and planned, its first debit left this morning and its second is due tomorrow. Behind them lies a
//! history of credits that were repaid. All of it is made by the very code of the Worker over SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_executor::block_on;
use paydown::date::{Instant, text};
use paydown::id::{self, CreditId};
use paydown::money::Cents;
use paydown_edge::ports::{Answer, Ports, Processor, ReportBody};
use paydown_edge::processor::{Direction, body};
use paydown_edge::run::{daily, deliver};
use paydown_tests::history::{forget_figures, repeat};
use paydown_tests::memory::World;
use paydown_tests::processor::{Download, FakeReport};

/// How many credits one repetition of the history has, how long they take, and how far apart two repetitions are.
const HISTORY_CREDITS: u32 = 100;
const HISTORY_DAYS: i64 = 6;
const HISTORY_EVERY_DAYS: u32 = 10;

/// How many installments the credits of the day have: a debit is due on each of so many days.
const INSTALLMENTS: u32 = 12;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [credits, repetitions, file] = arguments.as_slice() else {
        panic!("usage: eve CREDITS REPETITIONS-OF-THE-HISTORY FILE");
    };
    let book = Book::new();
    book.live_history(repetitions.parse().expect("a whole number"));
    let first = morning("2030-01-01");
    let created: Vec<CreditId> = book.advance(first, credits.parse().expect("a whole number"), INSTALLMENTS);
    book.run(first + TimeDelta::days(1), said(&created, first));
    let _ = std::fs::remove_file(file);
    book.world.database.sqlite.execute(&format!("VACUUM INTO '{file}'")).expect("it is written");
}

fn morning(date: &str) -> DateTime<Utc> {
    format!("{date}T06:00:00Z").parse().expect("an instant")
}

/// The rows by which a report confirms credits of a day.
fn said(credits: &[CreditId], day: DateTime<Utc>) -> Vec<String> {
    let at = text(day + TimeDelta::hours(12));
    credits.iter().map(|credit| format!("tx_{credit},success,,{at}")).collect()
}

struct Book {
    world: World,
}

impl Book {
    fn new() -> Book {
        Book { world: World::at("2029-01-01T00:00:00Z") }
    }

    fn execute(&self, sql: &str) {
        self.world.database.sqlite.execute(sql).expect("the SQL is valid");
    }

    /// Records credits an hour after a morning, submitted and named.
    fn advance(&self, day: DateTime<Utc>, credits: u32, installments: u32) -> Vec<CreditId> {
        let made_at = text(day + TimeDelta::hours(1));
        let day_ms = u64::try_from(day.timestamp_millis()).expect("after 1970");
        let credit = |number: u32| {
            let account = format!("acct_{number}");
            let credit = CreditId(id::created(id::bucket(&account), day_ms + u64::from(number), [7; 8]));
            let amount = Cents::new(120_000).expect("an amount");
            let body =
                body(Direction::Credit, &account, "paydown_funding", amount, credit.0).expect("a body");
            self.execute(&format!(
                "INSERT INTO credits VALUES ('{credit}', '{account}', 120000, 0, 'USD', {installments}, 1, '{body}', '{made_at}')"
            ));
            self.execute(&format!(
                "INSERT INTO credit_transactions VALUES ('{credit}', 'tx_{credit}', '{made_at}')"
            ));
            credit
        };
        (0..credits).map(credit).collect()
    }

    /// Lives through the credits of the history, and repeats them in the past.
    fn live_history(&self, repetitions: u32) {
        if repetitions == 0 {
            return;
        }
        let first = morning("2029-12-25");
        let created = self.advance(first, HISTORY_CREDITS, 3);
        let mut rows = said(&created, first);
        for day in 1..=HISTORY_DAYS {
            self.run(first + TimeDelta::days(day), rows.clone());
            let at = text(first + TimeDelta::days(day) + TimeDelta::hours(12));
            let debits = self.world.query(
                "SELECT transaction_id FROM debit_transactions
                 WHERE transaction_id NOT IN (SELECT transaction_id FROM observations)",
            );
            rows = debits.iter().map(|transaction| format!("{transaction},success,,{at}")).collect();
        }
        let ledger = &self.world.database.sqlite;
        repeat(ledger, repetitions.saturating_sub(1), HISTORY_EVERY_DAYS);
        forget_figures(ledger);
    }

    /// The run of an instant, handed on as often as it has to be.
    fn run(&self, as_of: DateTime<Utc>, rows: Vec<String>) {
        self.world.clock.set(as_of);
        let report = format!("transaction_id,status,code,at\n{}\n", rows.join("\n")).into_bytes();
        let ports = Ports { processor: Arc::new(Ready { report }), ..self.world.unlimited_ports() };
        block_on(daily(&ports, as_of)).expect("the run goes on");
        loop {
            let messages = self.world.outbox.take();
            if messages.is_empty() {
                return;
            }
            for message in messages {
                let body = serde_json::to_string(&message).expect("JSON");
                block_on(deliver(&ports, "paydown-runs", &[body]));
            }
        }
    }
}

/// A processor that carries out whatever it is asked.
struct Ready {
    report: Vec<u8>,
}

#[async_trait(?Send)]
impl Processor for Ready {
    async fn perform(&self, key: &str, _body: &str) -> Answer {
        Answer::Transaction(format!("tx_{key}"))
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        Ok(Box::new(Download::of(FakeReport::of_bytes(self.report.clone()))))
    }

    async fn set_clock(&self, _now: Instant) -> Result<(), String> {
        Ok(())
    }
}
