//! L10.4: the inputs give the book again, and what was changed behind its back is seen.

use paydown_tests::replay::{Replayed, replay};

use crate::book::Book;

fn replayed(book: &Book) -> Replayed {
    replay(&book.world.database.sqlite, &|key| book.world.archive.object(key))
}

/// A book of three credits, one of which is repaid, one fails and fails again, and one is held by a hard return.
fn lived() -> Book {
    let mut book = Book::new();
    book.fails("acct_poor", "R01");
    book.fails("acct_closed", "R02");
    for account in ["acct_calm", "acct_poor", "acct_closed", "acct_closed"] {
        book.advance(account);
    }
    book.live(6..=91);
    book
}

/// Changes what no statement of the product can.
fn tamper(book: &Book, table: &str, change: &str) {
    book.execute(&format!("DROP TRIGGER {table}_no_update"));
    book.execute(&format!("UPDATE {table} SET {change}"));
}

#[test]
fn the_inputs_give_the_book_again() {
    let replayed = replayed(&lived());
    assert_eq!(replayed.told(), "4 credits, 4 equal, 0 different");
    assert!(replayed.is_equal());
}

#[test]
fn a_changed_fact_is_seen_on_its_credit_alone() {
    for (table, change) in [
        ("debits", "amount = amount + 1 WHERE credit_id = '{}' AND sequence = 3"),
        ("debits", "due_date = '2026-02-03' WHERE credit_id = '{}' AND sequence = 12"),
        ("words", "outcome = 'failure' WHERE credit_id = '{}'"),
        ("processed_debits", "body = replace(body, '100', '10') WHERE credit_id = '{}'"),
        ("decisions", "rule = 'L9' WHERE credit_id = '{}' AND turn = 1"),
        ("decisions", "input = json_set(input, '$.seen.reported', 0) WHERE credit_id = '{}' AND turn = 3"),
        ("debit_transactions", "transaction_id = transaction_id || 'x' WHERE credit_id = '{}'"),
    ] {
        let book = lived();
        let credit = book.credits[0];
        let change = change.replace("{}", &credit.to_string());
        tamper(&book, table, &change);
        let replayed = replayed(&book);
        let different: Vec<_> = replayed.different().map(|credit| credit.id).collect();
        assert_eq!(different, [credit], "{table}: {change}\n{}", replayed.told());
        assert!(replayed.told().ends_with("4 credits, 3 equal, 1 different"));
    }
}

#[test]
fn a_hold_that_no_decision_put_on_the_account_is_seen() {
    let book = lived();
    book.execute("DROP TRIGGER decisions_no_update");
    book.execute(
        "UPDATE decisions SET at = '2026-03-01T06:00:00.000Z' WHERE input ->> '$.input' = 'held_by_account'",
    );
    // Two credits of one account, each held by the other's hard return.
    let told = replayed(&book).told();
    assert!(told.ends_with("4 credits, 2 equal, 2 different"), "{told}");
}

#[test]
fn a_changed_byte_of_an_archived_report_is_seen() {
    let book = lived();
    let keys = book.world.archive.keys();
    let says = |key: &&String| book.world.archive.object(key).is_some_and(|bytes| bytes.len() > 100);
    let key = keys.iter().rfind(says).expect("a report that says something");
    let text = String::from_utf8(book.world.archive.object(key).expect("an object")).expect("text");
    book.world.archive.put(key, text.replacen("success", "failure", 1).into_bytes());
    let replayed = replayed(&book);
    assert!(!replayed.is_equal());
    assert_eq!(replayed.changed_reports.len(), 1, "{}", replayed.told());
    assert!(replayed.told().contains(key), "{}", replayed.told());
}
