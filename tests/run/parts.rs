//! Stages that are divided into parts, which come in any order, twice, at once, or never, and come to the same.

use std::sync::Arc;

use chrono::TimeDelta;
use futures_executor::block_on;
use futures_util::future::join_all;
use paydown_edge::config::Budget;
use paydown_edge::config::Settings;
use paydown_edge::message::Message;
use paydown_edge::run::{deliver, sweep};

use crate::book::{Book, at};

/// Ninety credits, each with a debit due on 12 January, and on the 14th a row that nobody can read.
fn book(budget: Budget) -> Book {
    let mut book = Book::new();
    book.world.settings = Arc::new(Settings { budget, ..Settings::default() });
    for number in 0..90 {
        book.advance(&format!("acct_{number}"));
    }
    book
}

/// The part of a message, as it is sent.
fn part(message: &Message) -> Option<String> {
    let sent = serde_json::to_value(message).expect("JSON");
    let part = sent["part"].as_object()?;
    Some(format!("{}/{}", part["stage"].as_str().expect("a stage"), part["number"]))
}

async fn delivered(book: &Book, message: &Message) {
    let body = serde_json::to_string(message).expect("JSON");
    deliver(&book.world.ports(), "paydown-runs", &[body]).await;
}

/// Lives the days until the debits are due; `hand_over` delivers what each hand of messages holds.
fn live(mut book: Book, hand_over: impl Fn(&Book, Vec<Message>)) -> (Book, Vec<String>) {
    let mut parts = Vec::new();
    for day in 6..=14 {
        book.run(day);
        loop {
            let messages = book.world.outbox.take();
            if messages.is_empty() {
                break;
            }
            parts.extend(messages.iter().filter_map(part));
            hand_over(&book, messages);
        }
        book.bank_notes_what_moved(at(day).expect("an instant"));
        book.figures_are_right();
        if day == 13 {
            book.row(14, "odd,maybe,");
        }
    }
    (book, parts)
}

fn one_by_one(book: &Book, messages: Vec<Message>) {
    messages.iter().for_each(|message| block_on(delivered(book, message)));
}

fn undivided() -> Book {
    let (book, parts) = live(book(Budget::default()), one_by_one);
    assert_eq!(parts, [] as [String; 0]);
    assert_eq!(book.world.processor.calls().len(), 90);
    book
}

const SMALL: Budget = Budget {
    part_credits: 25,
    part_bytes: 1_000,
    slice_credits: 10,
    seconds: 300,
    subrequests: 8_000,
    statements: 800,
};

#[test]
fn parts_come_to_what_the_whole_comes_to() {
    let whole = undivided();
    let (divided, parts) = live(book(SMALL), one_by_one);
    for expected in ["observations/0", "observations/3", "words/0", "words/3", "issue/0", "issue/3"] {
        assert!(parts.iter().any(|part| part == expected), "{expected} in {parts:?}");
    }
    assert_eq!(divided.everything(), whole.everything());
    let line = "SELECT detail FROM exceptions WHERE kind = 'malformed_row'";
    assert_eq!(divided.world.query(line), whole.world.query(line));
    assert!(whole.world.query(line)[0].starts_with("line 92: "), "{:?}", whole.world.query(line));
}

#[test]
fn parts_may_come_in_any_order_twice_and_at_once() {
    let whole = undivided();
    let (backwards, _) = live(book(SMALL), |book, mut messages| {
        messages.reverse();
        one_by_one(book, messages);
    });
    assert_eq!(backwards.everything(), whole.everything());
    let (twice, _) = live(book(SMALL), |book, messages| {
        let twice = messages.iter().flat_map(|message| [message.clone(), message.clone()]);
        one_by_one(book, twice.collect());
    });
    assert_eq!(twice.everything(), whole.everything());
    let (at_once, _) = live(book(SMALL), |book, messages| {
        block_on(join_all(messages.iter().chain(&messages).map(|message| delivered(book, message))));
    });
    assert_eq!(at_once.everything(), whole.everything());
    assert_eq!(at_once.world.processor.moved().len(), 90);
}

/// With a budget for two slices at most a part takes more than one invocation.
#[test]
fn a_part_is_handed_on_like_a_run() {
    let budget = Budget { statements: 30, part_credits: 60, ..SMALL };
    let whole = undivided();
    let (divided, parts) = live(book(budget), one_by_one);
    let again = |name: &str| parts.iter().filter(|part| *part == name).count();
    assert!(again("observations/0") > 1 || again("issue/0") > 1, "{parts:?}");
    assert_eq!(divided.everything(), whole.everything());
}

#[test]
fn the_sweeper_sends_a_part_anew_whose_message_was_lost() {
    let mut lost = 0;
    let mut book = book(SMALL);
    for day in 6..=14 {
        book.run(day);
        for round in 0..200 {
            let messages = book.world.outbox.take();
            // Each second message is lost.
            for (place, message) in messages.iter().enumerate() {
                if place % 2 == 0 {
                    block_on(delivered(&book, message));
                } else {
                    lost += 1;
                }
            }
            let now = at(day).expect("an instant") + TimeDelta::minutes(10 * (round + 1));
            book.world.clock.set(now);
            block_on(sweep(&book.world.ports(), now)).expect("the sweep ends");
            let as_of = at(day).map(paydown::date::text).expect("an instant");
            let closed = format!(
                "SELECT 1 FROM runs r JOIN run_closings c ON c.run_id = r.id WHERE r.as_of = '{as_of}'"
            );
            if !book.world.query(&closed).is_empty() {
                break;
            }
        }
        book.bank_notes_what_moved(at(day).expect("an instant"));
    }
    assert!(lost > 10, "{lost} messages were lost");
    assert_eq!(book.world.processor.calls().len(), 90);
    assert_eq!(book.open(), [] as [String; 0]);
    let collected = "SELECT 1 FROM words WHERE outcome = 'success' AND subject_id <> credit_id";
    assert_eq!(book.world.query(collected).len(), 90);
}

#[test]
fn a_processor_that_allows_so_many_calls_a_minute_has_no_more() {
    for (budget, most) in [(Budget::default(), 600), (SMALL, 600), (SMALL, 7)] {
        let mut book = book(budget);
        let settings = Settings { processor_calls_per_minute: Some(most), ..(*book.world.settings).clone() };
        book.world.settings = Arc::new(settings);
        let (book, parts) = live(book, one_by_one);
        let waited: u32 = book.world.processor.waits().into_iter().sum();
        // The parts take their turns here, and side by side elsewhere: each waits for all.
        let side_by_side = parts.iter().filter(|part| part.starts_with("issue/")).count().max(1);
        let due = 90 * 60_000 / most;
        let waited = waited / u32::try_from(side_by_side).expect("a number");
        assert!(
            (due..due + due / 10).contains(&waited),
            "{waited} ms for 90 calls, {most} a minute: {due} ms"
        );
        assert_eq!(book.world.processor.calls().len(), 90);
    }
}

#[test]
fn what_is_just_a_part_is_not_divided() {
    for (part_credits, words) in [(90, 0), (89, 2)] {
        let budget = Budget { part_credits, ..Budget::default() };
        let (book, parts) = live(book(budget), one_by_one);
        let of_words = parts.iter().filter(|part| part.starts_with("words/")).count();
        // On the sixth the ninety are planned, on the thirteenth their first debits are collected.
        assert_eq!(of_words, 2 * words, "{part_credits}: {parts:?}");
        assert_eq!(book.world.processor.calls().len(), 90);
    }
}
