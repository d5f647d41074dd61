//! What is issued on the day of its words: the facts are at hand, and what changed meanwhile counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_executor::block_on;
use paydown::id::CreditId;
use paydown_edge::error::Fault;
use paydown_edge::ports::{Database, Ports, Statement};
use paydown_edge::run::daily;
use paydown_tests::client::Client;

use crate::book::{Book, at};
use crate::figures::hold;
use crate::meanwhile::{has, meanwhile};

/// A part of the statement that reads all facts of credits.
const FACTS: &str = "'unknown_answers', json((";

/// A part of the statement that finds what is due.
const DUE: &str = "FROM debits WHERE due_date > ?1 ->> '$.since_date'";

/// A book of the morning of the 13th: the word on the advance is first said on the day on which its first debit is due.
fn book() -> (Book, CreditId) {
    let mut book = Book::new();
    let credit = book.advance_late("acct_late");
    book.live(6..=12);
    book.world.clock.set(at(13).expect("an instant"));
    book.world.processor.set_report(book.report(at(13).expect("an instant")));
    (book, credit)
}

fn run(ports: &Ports) {
    block_on(daily(ports, at(13).expect("an instant"))).expect("the run ends without a fault");
}

/// A database that counts how often facts are read.
struct Counting {
    inner: Arc<dyn Database>,
    reads: AtomicUsize,
}

#[async_trait(?Send)]
impl Database for Counting {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        if has(statements, FACTS) {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        self.inner.batch(statements).await
    }
}

#[test]
fn what_is_due_on_the_day_of_its_words_is_read_once() {
    let (book, _) = book();
    let ports = book.world.ports();
    let counting = Arc::new(Counting { inner: ports.database.clone(), reads: AtomicUsize::new(0) });
    run(&Ports { database: counting.clone(), ..ports });
    assert_eq!(book.world.processor.calls().len(), 1, "the first debit");
    assert_eq!(counting.reads.load(Ordering::SeqCst), 1);
    book.figures_are_right();
}

#[test]
fn what_is_held_between_its_words_and_the_issue_is_not_issued() {
    let (mut book, credit) = book();
    let client = Client::of(book.world.clone());
    run(&meanwhile(book.world.ports(), DUE, move || hold(&client, credit)));
    assert_eq!(book.open(), ["held_by_operator"]);
    assert_eq!(book.world.query("SELECT rule FROM decisions ORDER BY turn DESC LIMIT 1"), ["L8"]);
    assert_eq!(book.world.processor.calls().len(), 0);
    book.figures_are_right();
    book.live(14..=15);
}
