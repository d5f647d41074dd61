//! Faults: a database that fails at every batch in turn, before or after it persisted, and a run resumed after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use futures_executor::block_on;
use futures_util::future::join;
use paydown::date::Instant;
use paydown_edge::error::Fault;
use paydown_edge::ports::{Answer, Ports, Processor, ReportBody};
use paydown_edge::run::{daily, sweep};
use paydown_tests::memory::Failure;
use paydown_tests::processor::{FakeProcessor, FakeReport, Step};

use crate::book::{Book, at};

/// A book in which the run of the 14th has something to do in every stage.
fn book() -> Book {
    let mut book = Book::new();
    book.fails("acct_poor", "R01");
    book.fails("acct_closed", "R02");
    for account in ["acct_calm", "acct_poor", "acct_closed", "acct_closed"] {
        book.advance(account);
    }
    book.advance_late("acct_late");
    book.row(13, "tx_of_nobody,success,");
    book.row(13, "tx_of_nobody,exploded,");
    book.live(6..=12);
    book
}

#[test]
fn a_run_that_failed_at_any_batch_ends_as_if_undisturbed() {
    let mut calm = book();
    let before = calm.world.database.batches();
    calm.live(13..=13);
    let batches = calm.world.database.batches() - before;
    calm.live(14..=20);
    assert!(batches > 15, "the run has batches to fail at: {batches}");
    for number in 0..batches {
        for is_after in [false, true] {
            let fault = Fault::Permanent("the worker was killed".into());
            let failure = if is_after { Failure::After(fault) } else { Failure::Before(fault) };
            let mut disturbed = book();
            disturbed.world.database.fail(number, failure);
            assert!(disturbed.try_run(13).is_err(), "batch {number} fails");
            disturbed.run(13);
            disturbed.live(14..=20);
            assert_eq!(
                disturbed.everything(),
                calm.everything(),
                "batch {number}, after it persisted: {is_after}"
            );
        }
    }
}

#[test]
fn a_run_whose_report_is_not_whole_never_ends_as_complete() {
    // All of its lines can be read, and more of them were announced.
    let broken = FakeReport { announced_bytes: Some(1000), ..FakeReport::of(&[]) };
    let ends = |fault: Option<(usize, Failure)>| {
        let book = book();
        let as_of = at(13).expect("an instant");
        book.world.clock.set(as_of);
        book.world.processor.set_report(broken.clone());
        let before = book.world.database.batches();
        if let Some((number, failure)) = fault {
            book.world.database.fail(number, failure);
            assert!(block_on(daily(&book.world.ports(), as_of)).is_err(), "batch {number} fails");
        }
        book.run_at(as_of);
        let status = book.world.query("SELECT c.status FROM run_closings c JOIN runs r ON r.id = c.run_id ORDER BY r.as_of DESC LIMIT 1");
        (book.world.database.batches() - before, status)
    };
    let (batches, status) = ends(None);
    assert_eq!(status, ["incomplete"]);
    for number in 0..batches {
        for failure in [Failure::Before, Failure::After] {
            let (_, status) = ends(Some((number, failure(Fault::Permanent("the worker was killed".into())))));
            assert_eq!(status, ["incomplete"], "batch {number}");
        }
    }
}

/// Whatever a run had read and not told of when a later one overtook it, that one tells.
#[test]
fn what_an_overtaken_run_read_is_told_all_the_same() {
    let mut calm = book();
    let before = calm.world.database.batches();
    calm.live(13..=13);
    let batches = calm.world.database.batches() - before;
    for number in 0..batches {
        for failure in [Failure::Before, Failure::After] {
            let mut disturbed = book();
            let fault = Fault::Permanent("the worker was killed".into());
            disturbed.world.database.fail(number, failure(fault));
            assert!(disturbed.try_run(13).is_err(), "batch {number} fails");
            disturbed.live(14..=14);
            let told = disturbed.world.query(
                "SELECT kind || ' ' || count(*) FROM exceptions WHERE kind IN ('unknown_transaction', 'malformed_row')
                 GROUP BY kind ORDER BY kind",
            );
            assert_eq!(told, ["malformed_row 1", "unknown_transaction 1"], "batch {number}");
        }
    }
}

/// Where a later run overtakes it, whatever its report said, it decides nothing more, and the next run that hears of it takes
/// all words into effect.
#[test]
fn a_run_that_is_overtaken_on_the_way_changes_nothing_more() {
    let mut context = Context::from_waker(Waker::noop());
    for steps in 0.. {
        let mut book = book();
        let instant = |day| at(day).expect("an instant");
        book.world.clock.set(instant(13));
        book.world.processor.set_report(book.report(instant(13)));
        let ports = book.world.ports();
        let mut overtaken = Box::pin(daily(&ports, instant(13)));
        if (0..steps).any(|_| overtaken.as_mut().poll(&mut context).is_ready()) {
            assert!(steps > 15, "{steps} steps to be overtaken at");
            return;
        }
        book.world.clock.set(instant(14));
        book.world.processor.set_report(FakeReport { status: 500, ..FakeReport::of(&[]) });
        book.run_at(instant(14));
        block_on(overtaken).expect("it ends without a fault");
        book.bank_notes_what_moved(instant(14));
        let late = "SELECT credit_id FROM (
              SELECT credit_id, at, lag(at) OVER (PARTITION BY credit_id ORDER BY turn) AS before
              FROM decisions WHERE run_id IS NOT NULL) WHERE at < before";
        assert_eq!(book.world.query(late), [] as [&str; 0], "overtaken after {steps} steps");
        book.run(15);
        let untold = "SELECT t.transaction_id FROM transactions t JOIN observations o ON o.transaction_id = t.transaction_id
            WHERE NOT EXISTS (SELECT 1 FROM words WHERE subject_id = t.subject_id)";
        assert_eq!(book.world.query(untold), [] as [&str; 0], "overtaken after {steps} steps");
    }
}

#[test]
fn a_transient_fault_is_tried_again_unseen() {
    let mut calm = book();
    calm.live(13..=20);
    let mut disturbed = book();
    for number in (0..40).step_by(3) {
        let fault = Fault::Transient("Network connection lost".into());
        disturbed
            .world
            .database
            .fail(number, if number % 2 == 0 { Failure::After(fault) } else { Failure::Before(fault) });
    }
    disturbed.live(13..=20);
    assert_same(&disturbed, &calm, "transient faults");
}

/// Two books hold the same facts; else the first few that differ.
fn assert_same(left: &Book, right: &Book, when: &str) {
    let (left, right) = (left.everything(), right.everything());
    let only_left: Vec<_> = left.iter().filter(|fact| !right.contains(fact)).take(5).collect();
    let only_right: Vec<_> = right.iter().filter(|fact| !left.contains(fact)).take(5).collect();
    assert!(left == right, "{when}: {only_left:#?} against {only_right:#?}");
}

/// A processor with an answer to the first call, during which something else is done beside.
struct Beside<D> {
    ports: Ports,
    inner: Arc<FakeProcessor>,
    is_beside: AtomicBool,
    deed: D,
    answer: Answer,
}

impl<D: AsyncFn(&Ports) + Send + Sync + 'static> Beside<D> {
    fn of(book: &Book, answer: Answer, deed: D) -> Ports {
        let (ports, inner) = (book.world.ports(), book.world.processor.clone());
        let beside = Beside { ports: ports.clone(), inner, is_beside: AtomicBool::new(false), deed, answer };
        Ports { processor: Arc::new(beside), ..ports }
    }
}

#[async_trait::async_trait(?Send)]
impl<D: AsyncFn(&Ports) + Send + Sync> Processor for Beside<D> {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        if self.is_beside.swap(true, Ordering::SeqCst) {
            return self.inner.perform(key, body).await;
        }
        (self.deed)(&self.ports).await;
        self.answer.clone()
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        self.inner.report().await
    }

    async fn set_clock(&self, now: Instant) -> Result<(), String> {
        self.inner.set_clock(now).await
    }
}

#[test]
fn a_refusal_of_the_first_call_proves_nothing_once_another_was_made_beside_it() {
    let mut book = Book::new();
    book.advance("acct_1");
    book.live(6..=11);
    let refused = Answer::Refused { code: "R02".into(), message: "a call under this key was served".into() };
    let ports = Beside::of(&book, refused, async |ports: &Ports| {
        sweep(ports, at(12).expect("an instant")).await.expect("the sweep ends");
    });
    block_on(daily(&ports, at(12).expect("an instant"))).expect("the run ends");
    assert_eq!(book.world.processor.moved().len(), 1, "the sweeper's call moved the money");
    let refusals = "SELECT 1 FROM observations WHERE source = 'refusal'";
    assert_eq!(book.world.query(refusals), Vec::<String>::new());
    assert_eq!(book.world.query("SELECT transaction_id FROM debit_transactions").len(), 1);
    assert_eq!(book.open(), Vec::<String>::new());
}

/// An answer that comes when the next run is through already, which had read of its transaction and knew no such name.
#[test]
fn a_name_that_comes_late_is_looked_at_by_the_next_run() {
    let mut book = Book::new();
    let credit = book.advance("acct_1");
    book.live(6..=11);
    book.world
        .processor
        .script("acct_1", [Step::from(Answer::Unknown { detail: "no answer in 10 s".into() })]);
    book.row(13, "tx_late,success,");
    let (processor, report) = (book.world.processor.clone(), book.report(at(13).expect("an instant")));
    let ports = Beside::of(&book, Answer::Transaction("tx_late".into()), async move |ports: &Ports| {
        processor.set_report(report.clone());
        daily(ports, at(13).expect("an instant")).await.expect("the run ends");
    });
    block_on(daily(&ports, at(12).expect("an instant"))).expect("the run ends");
    assert_eq!(book.world.query("SELECT transaction_id FROM debit_transactions"), ["tx_late"]);
    assert_eq!(book.state(credit).balances().collected, 0);
    book.run(14);
    assert_eq!(book.state(credit).balances().collected, 100);
}

#[test]
fn of_two_invocations_of_one_run_only_one_may_take_a_refusal_for_definite() {
    let mut book = Book::new();
    book.advance("acct_1");
    book.live(6..=11);
    let served = Step::from(Answer::Transaction("tx_served".into()));
    book.world.processor.script("acct_1", [served, Step::refused()]);
    let (one, other) = (book.world.ports(), book.world.ports());
    let as_of = at(12).expect("an instant");
    let (one, other) = block_on(join(daily(&one, as_of), daily(&other, as_of)));
    assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
    assert_eq!(book.world.processor.calls().len(), 2, "both called");
    let refusals = "SELECT 1 FROM observations WHERE source = 'refusal'";
    assert_eq!(book.world.query(refusals), Vec::<String>::new());
    assert_eq!(book.world.query("SELECT transaction_id FROM debit_transactions"), ["tx_served"]);
}
