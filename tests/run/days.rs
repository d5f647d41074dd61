//! What the days bring: repayment, missed runs, holds across an account, refusals, silence, hostile reports.

use futures_executor::block_on;
use paydown::credit::{CreditStatus, DebitStatus};
use paydown::decision::debit_id;
use paydown_edge::error::Fault;
use paydown_edge::ports::Answer;
use paydown_edge::run::{Opened, daily, sweep};
use paydown_tests::memory::Failure;
use paydown_tests::processor::{FakeReport, Step};

use crate::book::{Book, at};

fn statuses(book: &Book, credit: paydown::id::CreditId) -> Vec<DebitStatus> {
    book.state(credit).debit_statuses().map(|(_, status)| status).collect()
}

#[test]
fn a_credit_is_repaid_on_time() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.live(6..=91);
    let state = book.state(credit);
    assert_eq!(state.status(), CreditStatus::Repaid);
    assert_eq!(state.balances().collected, 1200);
    assert_eq!(statuses(&book, credit), [DebitStatus::Collected; 12]);
    assert_eq!(book.open(), [""; 0]);
    assert_eq!(book.world.query("SELECT DISTINCT status FROM run_closings"), ["complete"]);
}

#[test]
fn the_same_instant_again_does_nothing() {
    let mut book = Book::new();
    book.advance("acct_calm");
    book.live(6..=13);
    let (before, calls) = (book.everything(), book.world.processor.calls().len());
    assert!(matches!(book.run(13), Opened::Closed(_)));
    assert_eq!((book.everything(), book.world.processor.calls().len()), (before, calls));
}

#[test]
fn a_second_run_on_a_date_adds_only_what_is_new() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.live(6..=12);
    let later = at(12).and_then(|at| at.checked_add_signed(chrono::TimeDelta::hours(3))).expect("an instant");
    assert!(matches!(book.run_at(later), Opened::Open(_)));
    assert_eq!(statuses(&book, credit).iter().filter(|s| **s == DebitStatus::Submitted).count(), 1);
    assert_eq!(book.world.processor.downloads(), 8, "it has a report of its own");
}

#[test]
fn an_earlier_instant_is_refused() {
    let mut book = Book::new();
    book.live(6..=8);
    let between =
        at(7).and_then(|at| at.checked_add_signed(chrono::TimeDelta::hours(1))).expect("an instant");
    assert_eq!(book.run_at(between), Opened::Refused { last: at(8).expect("an instant") });
    assert_eq!(book.world.query("SELECT count(*) FROM runs"), ["3"]);
}

#[test]
fn days_without_a_run_are_named_and_made_up_for() {
    for (missed, named) in [(3, 3), (9, 9)] {
        let mut book = Book::new();
        let credit = book.advance("acct_calm");
        book.live(6..=11);
        book.live(12 + missed..=91 + missed);
        assert_eq!(book.state(credit).status(), CreditStatus::Repaid, "{missed} days");
        let days = book.world.query("SELECT max(json_array_length(missed_days)) FROM runs");
        assert_eq!(days, [named.to_string()]);
        assert_eq!(book.state(credit).breaches(), []);
    }
}

#[test]
fn nine_days_without_a_report_leave_a_gap_that_no_timeout_fills() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.live(6..=12);
    book.live(22..=22);
    // Debit 1 was submitted on the 12th; the report of the 22nd reaches to the 17th only.
    assert_eq!(book.open(), ["report_gap", "report_hole"]);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Submitted);
    assert_eq!(book.world.query("SELECT kind FROM carried_over WHERE kind = 'not_covered'"), ["not_covered"]);
}

#[test]
fn a_debit_that_is_named_after_its_five_days_times_out_all_the_same() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.live(6..=11);
    let first = debit_id(credit.0, 1).to_string();
    // The call of the 12th and those of the next six mornings are answered by nobody knows what.
    book.world.processor.script(&first, vec![Step::broken(); 7]);
    book.live(12..=18);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Processing);
    // Named on the 19th, when nothing else is said of the credit: the silence is seven days old already.
    book.live(19..=19);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::TimedOut);
    assert_eq!(book.facts(credit).debits[12].replaces, Some(1));
}

#[test]
fn a_hard_return_holds_every_credit_of_the_account() {
    let mut book = Book::new();
    book.fails("acct_closed", "R02");
    let credits = [book.advance("acct_closed"), book.advance("acct_closed"), book.advance("acct_calm")];
    book.live(6..=14);
    let held = credits.map(|credit| book.state(credit).status());
    assert_eq!(held, [CreditStatus::Held, CreditStatus::Held, CreditStatus::Active]);
    // Both debits of the account failed on the same day: one exception for each.
    assert_eq!(book.open(), ["hard_return", "hard_return"]);
    assert_eq!(book.world.query("SELECT count(*) FROM holds"), ["4"]);
    let calls = book.world.processor.calls().len();
    book.live(15..=20);
    assert_eq!(book.world.processor.calls().len(), calls + 1, "only the calm account is debited on");
}

#[test]
fn a_refusal_of_the_first_call_is_a_failure_at_once() {
    let refused = |code: &str| Answer::Refused { code: code.into(), message: "no".into() };
    for (code, status, debits, kinds) in [
        ("", CreditStatus::Active, 13, &[][..]),
        ("R01", CreditStatus::Active, 13, &[][..]),
        ("R02", CreditStatus::Held, 12, &["hard_return"][..]),
        ("not_today", CreditStatus::Held, 12, &["unknown_return_code"][..]),
    ] {
        let mut book = Book::new();
        let credit = book.advance("acct_calm");
        book.world.processor.script(&debit_id(credit.0, 1).to_string(), [Step::from(refused(code))]);
        book.live(6..=12);
        assert_eq!(statuses(&book, credit)[0], DebitStatus::Failed, "{code}");
        let facts = book.facts(credit);
        assert_eq!((book.state(credit).status(), facts.debits.len()), (status, debits), "{code}");
        assert_eq!(book.open(), kinds, "{code}");
        if debits == 13 {
            let replacement = facts.debits.last().expect("a debit");
            assert_eq!(
                (replacement.replaces, replacement.due_date.to_string().as_str()),
                (Some(1), "2026-04-06")
            );
        }
    }
}

#[test]
fn an_unknown_answer_is_sought_with_the_same_key_and_body() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    let key = debit_id(credit.0, 1).to_string();
    book.world.processor.script(&key, [Step::lost()]);
    book.live(6..=12);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Processing);
    futures_executor::block_on(sweep(&book.world.ports(), at(12).expect("an instant"))).expect("it sweeps");
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Submitted);
    let calls: Vec<_> = book.world.processor.calls().into_iter().filter(|call| call.key == key).collect();
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].body, calls[1].body);
    assert_eq!(book.world.processor.moved().len(), 1);
}

#[test]
fn a_refusal_after_an_unknown_answer_proves_nothing() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    let key = debit_id(credit.0, 1).to_string();
    book.world.processor.script(&key, [Step::broken(), Step::refused(), Step::refused()]);
    book.live(6..=14);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Processing);
}

#[test]
fn a_name_that_is_anothers_is_no_answer() {
    let mut book = Book::new();
    let credits = [book.advance("acct_calm"), book.advance("acct_calm")];
    for credit in credits {
        let same = Step::from(Answer::Transaction("tx_same".into()));
        book.world.processor.script(&debit_id(credit.0, 1).to_string(), [same.clone(), same]);
    }
    book.live(6..=12);
    book.row(13, "tx_same,success,");
    book.live(13..=13);
    let mut first = credits.map(|credit| statuses(&book, credit)[0]);
    first.sort();
    assert_eq!(first, [DebitStatus::Processing, DebitStatus::Collected], "one transaction pays one debit");
    let unknown = book.world.query("SELECT detail FROM unknown_answers");
    assert_eq!(unknown, ["the transaction tx_same is that of another"]);
}

#[test]
fn when_we_are_misconfigured_nobody_fails_and_all_is_carried_over() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    let key = debit_id(credit.0, 1).to_string();
    book.world.processor.script(&key, [Step::from(Answer::Misconfigured { status: 401 })]);
    book.live(6..=12);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Processing);
    let closing =
        book.world.query("SELECT status || reasons FROM run_closings ORDER BY finished_at DESC LIMIT 1");
    assert!(closing[0].starts_with("incomplete") && closing[0].contains("401"), "{closing:?}");
    book.live(13..=13);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Submitted);
}

#[test]
fn a_stop_keeps_debits_in_and_a_start_lets_them_out() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.live(6..=11);
    book.execute("INSERT INTO stops VALUES ('1', 'stop', 'op', '', '2026-01-11T07:00:00.000Z')");
    book.live(12..=15);
    assert_eq!(book.world.processor.calls(), []);
    assert_eq!(statuses(&book, credit), [DebitStatus::Scheduled; 12]);
    book.execute("INSERT INTO stops VALUES ('2', 'start', 'op', '', '2026-01-15T07:00:00.000Z')");
    book.live(16..=16);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Submitted);
}

#[test]
fn two_credits_of_one_account_due_on_one_day_are_both_issued() {
    let mut book = Book::new();
    let credits = [book.advance("acct_calm"), book.advance("acct_calm")];
    book.live(6..=12);
    assert_eq!(credits.map(|credit| statuses(&book, credit)[0]), [DebitStatus::Submitted; 2]);
}

#[test]
fn a_debit_without_word_times_out_under_coverage() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    let key = debit_id(credit.0, 1).to_string();
    book.live(6..=12);
    // The bank forgets the debit of the 12th.
    let named = book.world.processor.moved()[&key].clone();
    book.forget(&named);
    book.live(13..=16);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::Submitted);
    book.live(17..=17);
    assert_eq!(statuses(&book, credit)[0], DebitStatus::TimedOut);
    assert_eq!(book.facts(credit).debits.last().map(|d| d.replaces), Some(Some(1)));
}

#[test]
fn a_report_that_says_nonsense_harms_nobody() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.row(7, "tx_of_nobody,success,");
    book.row(8, "tx_of_nobody,exploded,");
    book.live(6..=91);
    assert_eq!(book.state(credit).status(), CreditStatus::Repaid);
    // While the row is in the reports none is complete, and the first that is does not reach back to the last.
    assert_eq!(book.open(), ["malformed_row", "report_hole", "unknown_transaction"]);
    let reasons = book.world.query("SELECT reasons FROM run_closings WHERE status = 'incomplete'");
    assert_eq!(reasons.len(), 6, "as long as the row is in the report: {reasons:?}");
}

#[test]
fn more_than_two_hundred_of_a_kind_are_one_exception_on_the_run() {
    let mut book = Book::new();
    for number in 0..201 {
        book.row(7, &format!("tx_of_nobody_{number},success,"));
    }
    book.live(6..=7);
    assert_eq!(book.open(), ["unknown_transaction"]);
    let subject = book.world.query("SELECT subject = run_id FROM exceptions");
    assert_eq!(subject, ["1"]);
}

#[test]
fn a_report_without_header_or_body_is_not_complete() {
    for bytes in ["", "\n", "transaction_id,status\ntx,success\n", "<html>down</html>\n"] {
        let mut book = Book::new();
        book.advance("acct_calm");
        book.world.processor.next_report(FakeReport::of_bytes(bytes.into()));
        book.run_at(at(6).expect("an instant"));
        assert_eq!(book.world.query("SELECT status FROM run_closings"), ["incomplete"], "{bytes:?}");
    }
}

#[test]
fn a_download_that_breaks_off_is_started_again() {
    let book = Book::new();
    let mut broken = FakeReport::of(&[]);
    broken.breaks_off_after = Some(10);
    book.world.processor.next_report(broken);
    book.world.processor.next_report(FakeReport::of(&[]));
    book.run_at(at(6).expect("an instant"));
    assert_eq!(book.world.processor.downloads(), 2);
    assert_eq!(book.world.query("SELECT status FROM run_closings"), ["complete"]);
}

#[test]
fn the_sandbox_clock_lives_through_each_morning_passed() {
    let mut book = Book::new();
    let credit = book.advance("acct_calm");
    book.world.processor.set_report(FakeReport::of(&[format!("tx_{credit},success,,2026-01-06T02:00:00Z")]));
    // From 05:00 on the 5th: the mornings of the 5th to the 11th lie within a week, that of the 12th does not.
    let until =
        futures_executor::block_on(paydown_edge::run::advance(&book.world.ports(), 7)).expect("it moves");
    assert_eq!(until.to_rfc3339(), "2026-01-12T05:00:00+00:00");
    assert_eq!(book.world.processor.clock(), Some(until));
    let dates = book.world.query("SELECT business_date FROM runs ORDER BY as_of");
    assert_eq!((dates.len(), dates[0].as_str(), dates[6].as_str()), (7, "2026-01-05", "2026-01-11"));
    assert_eq!(book.state(credit).status(), CreditStatus::Active);
    let set = book.world.query("SELECT max(now) FROM sandbox_clock");
    assert_eq!(set, ["2026-01-12T05:00:00.000Z"]);
}

#[test]
fn a_run_of_the_future_reads_its_report_as_of_then() {
    let mut book = Book::new();
    book.live(6..=12);
    // As in a sandbox: the clock says the last run's instant until the next run is opened, and that one's from then on.
    let fault = Fault::Permanent("the worker was killed".into());
    book.world.database.fail(2, Failure::Before(fault));
    let as_of = at(17).expect("an instant");
    assert!(block_on(daily(&book.world.ports(), as_of)).is_err());
    book.world.clock.set(as_of);
    book.world.processor.set_report(book.report(as_of));
    assert!(matches!(book.run_at(as_of), Opened::Open(_)));
    assert_eq!(book.world.query("SELECT max(read_at) FROM reports"), ["2026-01-17T06:00:00.000Z"]);
    assert_eq!(book.open(), [""; 0]);
}

/// Opens the run of a day, which breaks off before its report, and goes on with it on another day, with the report of that.
fn resume(book: &mut Book, opened_on: u32, resumed_on: u32) {
    let fault = Fault::Permanent("the worker was killed".into());
    book.world.database.fail(2, Failure::Before(fault));
    assert!(book.only_run(opened_on).is_err());
    let downloads = book.world.processor.downloads();
    let (as_of, now) = (at(opened_on).expect("an instant"), at(resumed_on).expect("an instant"));
    book.world.clock.set(now);
    book.world.processor.set_report(book.report(now));
    assert!(matches!(book.run_at(as_of), Opened::Open(_)));
    assert_eq!(book.world.processor.downloads(), downloads + 1);
}

#[test]
fn a_report_that_a_resumed_run_downloads_days_later_is_as_of_then() {
    let mut book = Book::new();
    let credit = book.advance_on(11, "acct_new", 12);
    // The word on the advance comes two days after the instant of the run that reads it.
    book.forget(&format!("tx_{credit}"));
    book.row(14, &format!("tx_{credit},success,"));
    book.live(6..=11);
    resume(&mut book, 12, 14);
    assert_eq!(book.open(), [""; 0]);
    assert_eq!(book.state(credit).status(), CreditStatus::Active);
    assert_eq!(book.world.query("SELECT max(read_at) FROM reports"), ["2026-01-14T06:00:00.000Z"]);
}

#[test]
fn a_report_that_is_downloaded_later_reaches_back_less_far() {
    let holes = |resumed_on| {
        let mut book = Book::new();
        book.live(6..=7);
        resume(&mut book, 12, resumed_on);
        book.world.query("SELECT detail FROM exceptions WHERE kind = 'report_hole'")
    };
    // Read on the 12th it reaches to the 7th, read on the 17th only to the 12th.
    assert_eq!(holes(12), [""; 0]);
    let lost = "no complete report covers the time from 2026-01-07T06:00:00.000Z to 2026-01-12T06:00:00.000Z";
    assert_eq!(holes(17), [lost]);
}

#[test]
fn what_breaks_the_law_is_told_by_the_run_that_touches_it() {
    let mut book = Book::new();
    let credits = ["acct_a", "acct_b"].map(|account| book.advance(account));
    book.live(6..=11);
    // Behind the law's back a debit is cancelled: nobody would collect it.
    book.execute(&format!(
        "INSERT INTO cancellations SELECT id, credit_id, 'shortened', decision_id FROM debits
         WHERE credit_id = '{}' AND sequence = 12",
        credits[0]
    ));
    book.live_unseen(12..=12);
    let broken = format!(
        "L10 is broken for credit {}: 100 minor units are neither paid, in flight nor scheduled",
        credits[0]
    );
    let told =
        book.world.query("SELECT status || reasons FROM run_closings ORDER BY finished_at DESC LIMIT 1");
    assert_eq!(told, [format!("incomplete{}", serde_json::json!([broken]))]);
}
