//! A run beyond one invocation: what one has no budget for goes on in the next, and comes to the same.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use futures_executor::block_on;
use paydown::date::Instant;
use paydown_edge::config::Budget;
use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_edge::message::Message;
use paydown_edge::ports::{Answer, Clock, Ports, Processor, ReportBody};
use paydown_edge::run::{daily, deliver, sweep};
use paydown_tests::memory::Frail;
use paydown_tests::processor::{FakeProcessor, Step};

use crate::book::{Book, at};

/// A day on which three hundred debits are due; the day before it was lived.
fn due_book(statements: u32) -> Book {
    let mut book = Book::new();
    let budget = Budget { statements, slice_credits: 100, ..Budget::default() };
    book.world.settings = Arc::new(Settings { budget, ..Settings::default() });
    for number in 0..300 {
        book.advance(&format!("acct_{number}"));
    }
    for day in 6..12 {
        book.run(day);
        deliver_all(&book);
    }
    book.run(12);
    book
}

/// Delivers what was handed on until nothing more is; how often that was.
fn deliver_all(book: &Book) -> usize {
    let mut hands = 0;
    loop {
        let messages = book.world.outbox.take();
        if messages.is_empty() {
            return hands;
        }
        hands += messages.len();
        for message in messages {
            deliver_one(book, &message);
        }
    }
}

fn deliver_one(book: &Book, message: &Message) {
    let body = serde_json::to_string(message).expect("JSON");
    block_on(deliver(&book.world.ports(), "paydown-runs", &[body]));
}

fn last_status(book: &Book) -> Vec<String> {
    book.world.query(
        "SELECT c.status || ' ' || c.reasons FROM runs r JOIN run_closings c ON c.run_id = r.id ORDER BY r.as_of DESC LIMIT 1",
    )
}

fn each_debit_was_submitted_once(book: &Book) {
    let keys: Vec<String> = book.world.processor.calls().into_iter().map(|call| call.key).collect();
    let distinct: BTreeSet<&String> = keys.iter().collect();
    assert_eq!((distinct.len(), keys.len()), (300, 300));
}

#[test]
fn what_an_invocation_has_no_budget_for_is_handed_on_and_comes_to_the_same() {
    let undisturbed = due_book(800);
    assert_eq!(undisturbed.world.outbox.sent(), [], "one invocation is enough");
    let book = due_book(20);
    assert_eq!(book.open().len(), undisturbed.open().len());
    assert!(deliver_all(&book) >= 3, "three slices need more than twenty statements");
    assert_eq!(last_status(&book), ["complete []"]);
    each_debit_was_submitted_once(&book);
    assert_eq!(book.everything(), undisturbed.everything());
}

#[test]
fn a_message_that_comes_twice_or_late_or_never_changes_nothing_but_the_time() {
    let undisturbed = due_book(800);
    let book = due_book(30);
    let mut kept = Vec::new();
    for message in book.world.outbox.take() {
        deliver_one(&book, &message);
        deliver_one(&book, &message);
        kept.push(message);
    }
    // Lost: the sweeper sends the rest on its way, ten minutes later.
    assert!(!book.world.outbox.take().is_empty(), "there is more to do");
    for minutes in (10..=60).step_by(10) {
        let now = at(12).expect("an instant") + TimeDelta::minutes(minutes);
        book.world.clock.set(now);
        block_on(sweep(&book.world.ports(), now)).expect("the sweep ends");
        deliver_all(&book);
    }
    kept.iter().for_each(|late| deliver_one(&book, late));
    assert_eq!(last_status(&book), ["complete []"]);
    each_debit_was_submitted_once(&book);
    assert_eq!(book.everything(), undisturbed.everything());
}

#[test]
fn a_processor_that_asks_to_wait_is_waited_for() {
    let mut book = Book::new();
    for number in 0..10 {
        book.advance(&format!("acct_{number}"));
    }
    book.live(6..=11);
    let wait = |seconds| Step::from(Answer::SlowDown { retry_after_seconds: seconds });
    book.world.processor.script("acct_3", [wait(30)]);
    book.run(12);
    assert_eq!(book.world.outbox.delays(), [30]);
    let calls = book.world.processor.calls().len();
    assert!(calls < 10, "after its answer nothing more is begun: {calls} calls");
    let [message] = &book.world.outbox.take()[..] else { panic!("one message") };
    deliver_one(&book, message);
    assert_eq!(book.world.outbox.take(), []);
    assert_eq!(last_status(&book), ["complete []"]);
    assert_eq!(book.world.processor.moved().len(), 10);
    assert_eq!(book.world.processor.calls().len(), 11, "each once, and once more where it was to wait");
}

#[test]
fn patience_with_a_processor_has_an_end() {
    let mut book = Book::new();
    for number in 0..3 {
        book.advance(&format!("acct_{number}"));
    }
    book.live(6..=11);
    let wait = Step::from(Answer::SlowDown { retry_after_seconds: 7_200 });
    for number in 0..3 {
        book.world.processor.script(&format!("acct_{number}"), std::iter::repeat_n(wait.clone(), 10));
    }
    book.run(12);
    for hours in [2, 4, 6, 8] {
        let now = at(12).expect("an instant") + TimeDelta::hours(hours);
        book.world.clock.set(now);
        deliver_all_once(&book);
    }
    assert_eq!(last_status(&book), [r#"incomplete ["the processor asks to wait 7200 s"]"#]);
    assert_eq!(book.world.outbox.take(), []);
    // The next run calls for what was claimed, under the same keys.
    book.run(13);
    let keys: BTreeSet<String> = book.world.processor.calls().into_iter().map(|call| call.key).collect();
    assert_eq!(keys.len(), 3);
}

fn deliver_all_once(book: &Book) {
    book.world.outbox.take().iter().for_each(|message| deliver_one(book, message));
}

/// What a stage said before the break is said of the run.
#[test]
fn the_reasons_of_a_run_survive_its_breaks() {
    let mut book = due_book(30);
    let first = book.credits[0];
    let _ = deliver_all(&book);
    book.row(13, &format!("tx_{first},success,"));
    let denied = Step::from(Answer::Misconfigured { status: 401 });
    book.world.processor.script("acct_0\"", [denied.clone(), denied.clone(), denied.clone()]);
    for day in 13..=19 {
        book.run(day);
        deliver_all(&book);
        book.bank_notes_what_moved(at(day).expect("an instant"));
    }
    let said = last_status(&book);
    assert_eq!(said, [r#"incomplete ["the processor answers 401: we are misconfigured"]"#]);
    assert!(book.world.outbox.delays().len() > 3, "it was broken into pieces");
}

/// Ten credits with a debit each due on 12 January, under limits.
fn limited(max_debits_per_run: Option<u64>, max_debited_per_run: Option<u64>) -> Book {
    let mut book = Book::new();
    let settings = Settings { max_debits_per_run, max_debited_per_run, ..Settings::default() };
    book.world.settings = Arc::new(settings);
    for number in 0..10 {
        book.advance(&format!("acct_{number}"));
    }
    book.live(6..=12);
    book
}

#[test]
fn more_than_a_run_may_issue_waits_for_an_operator() {
    for (debits, amount) in [(Some(9), None), (None, Some(999))] {
        let book = limited(debits, amount);
        assert_eq!(book.world.processor.calls(), [], "nothing is issued, not even a part");
        assert_eq!(book.open(), ["run_limit"]);
        let reason = "10 debits of 10.00 USD are due, more than one run may issue";
        assert_eq!(last_status(&book), [format!(r#"incomplete ["{reason}"]"#)]);
        // Another run of the day changes nothing, until somebody looked.
        let later = |hours| at(12).expect("an instant") + TimeDelta::hours(hours);
        book.run_at(later(1));
        assert_eq!(book.world.processor.calls(), []);
        book.execute(
            "INSERT INTO resolutions SELECT id, 'close', 'operator', 'as planned', '2026-01-12T08:00:00.000Z', NULL
             FROM exceptions WHERE kind = 'run_limit' LIMIT 1",
        );
        book.run_at(later(3));
        assert_eq!(book.world.processor.calls().len(), 10);
        assert_eq!(last_status(&book), ["complete []"]);
    }
}

#[test]
fn exactly_what_a_run_may_issue_is_issued() {
    let book = limited(Some(10), Some(1_000));
    assert_eq!((book.world.processor.calls().len(), book.open().len()), (10, 0));
}

/// A processor that takes its time, while an operator puts a stop in force.
struct Slow {
    book: Arc<FakeProcessor>,
    sqlite: Arc<Frail>,
    clock: Arc<Ticking>,
    calls: AtomicUsize,
}

/// A clock by which each call of the slow processor takes 400 ms.
struct Ticking(Mutex<Instant>);

#[async_trait::async_trait(?Send)]
impl Clock for Ticking {
    async fn now(&self) -> Result<Instant, Fault> {
        Ok(*self.0.lock().expect("no test thread panicked"))
    }
}

#[async_trait::async_trait(?Send)]
impl Processor for Slow {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        if self.calls.fetch_add(1, Ordering::SeqCst) == 7 {
            let stop = "INSERT INTO stops VALUES ('00000000-0000-8000-8000-000000000001', 'stop', 'op', 'look', '2026-01-12T06:00:01.000Z')";
            self.sqlite.sqlite.execute(stop).expect("a stop");
        }
        *self.clock.0.lock().expect("no test thread panicked") += TimeDelta::milliseconds(400);
        self.book.perform(key, body).await
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        self.book.report().await
    }

    async fn set_clock(&self, now: Instant) -> Result<(), String> {
        self.book.set_clock(now).await
    }
}

#[test]
fn a_stop_takes_effect_inside_a_slice() {
    let mut book = Book::new();
    for number in 0..50 {
        book.advance(&format!("acct_{number}"));
    }
    book.live(6..=11);
    let as_of = at(12).expect("an instant");
    let clock = Arc::new(Ticking(Mutex::new(as_of)));
    let slow = Slow {
        book: book.world.processor.clone(),
        sqlite: book.world.database.clone(),
        clock: clock.clone(),
        calls: AtomicUsize::new(0),
    };
    let ports = Ports { processor: Arc::new(slow), clock, ..book.world.ports() };
    block_on(daily(&ports, as_of)).expect("the run ends");
    let calls = book.world.processor.calls().len();
    assert!((8..=12).contains(&calls), "{calls} of 50 had left when the stop was heard of");
    // Started again, what was claimed leaves under its keys, the rest with the next run.
    book.execute(
        "INSERT INTO stops VALUES ('00000000-0000-8000-8000-000000000002', 'start', 'op', 'looked', '2026-01-12T07:00:00.000Z')",
    );
    book.run(13);
    assert_eq!(book.world.processor.moved().len(), 50);
}
