//! Short stories of one credit, day by day, and where it stands at their end.
//!
//! A story's line is a date of 2026, or two with `..` between them, and what happens:
//!
//! | line | what happens |
//! | --- | --- |
//! | `advance 300 over 3 every 7` | the terms, instead of these; asked for on 01-05 at noon, so due 01-12, 01-19, 01-26 |
//! | `key_days 2` | a limit of the policy |
//! | `following` | due dates roll; 01-19, 02-16 and 09-07 are no banking days |
//! | `01-13 1 R01`, `1 failure`, `credit success` | the report's word on debit 1 or the credit, an hour before the run |
//! | `01-13 1 success at 01-12T09` | a word of another instant |
//! | `01-13 1 decided success` | an operator's decision, an hour before the run |
//! | `01-05 credit refused`, `credit unanswered` | what the processor answered to the call that pays out |
//! | `01-12 1 refused R01`, `1 unanswered`, `1 named` | what the processor answers to calls for debit 1 from then on |
//! | `01-12 1 lost`, `1 refused R01 and lost` | the invocation breaks off during the call, or right after its answer |
//! | `01-14 no run`, `01-14 no report` | no run at all; a run without a complete report |
//! | `01-14 write off`, `pay off`, `pause 2`, `paid 150`, `revoke` | an operator does that, an hour before the run |
//! | `01-14 refund 50`, `refund failure` | an operator gives something back; the report's word on it |
//! | `01-14 refund 30 more` | a second one |
//! | `01-14 1 attached` | an operator names the transaction of debit 1, an hour before the run |
//! | `01-14 close over_collected` | a person closes the exception, an hour before the run |
//! | `01-14 release`, `release of 1` | an operator ends all holds, or that of debit 1, an hour before the run |
//!
//! There is a run at six on each day from 01-06 to the story's last.

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveTime};
use paydown::api::Refund;
use paydown::calendar::DueDateRoll;
use paydown::credit::{DebitFacts, DebitStatus, Kind, Reason, State};
use paydown::date::{BusinessDate, Instant};
use paydown::decision::{Effect, Fact, Input, two_strikes};
use paydown::id::{DebitId, RefundId, TransactionId};
use paydown::money::Cents;
use paydown::observation::{Outcome, Source, Status, Word};
use paydown::plan::Terms;
use paydown::policy::Policy;
use serde::Serialize;
use uuid::Uuid;

use crate::world::{Answer, World};

#[test]
fn l2_a_failure_before_the_plan_fails_the_credit() {
    check(
        "01-06 credit failure
         01-20 credit failure at 01-05T20",
        "failed: collected 0, in flight 0, scheduled 0",
    );
}

#[test]
fn l2_five_days_of_silence_leave_a_credit_unconfirmed() {
    let silent = "unconfirmed: collected 0, in flight 0, scheduled 0
                  open credit_unconfirmed of credit";
    check("01-10 no report", "pending: collected 0, in flight 0, scheduled 0");
    check("01-11 no report", silent);
}

#[test]
fn l2_a_later_word_closes_unconfirmed_and_the_plan_moves() {
    check(
        "01-20 credit success",
        "active: collected 0, in flight 0, scheduled 300
         plan 01-26 02-02 02-09",
    );
    check("01-20 credit failure", "failed: collected 0, in flight 0, scheduled 0");
    check(
        "01-20 credit decided success",
        "active: collected 0, in flight 0, scheduled 300
         plan 01-26 02-02 02-09",
    );
}

#[test]
fn l2_a_failure_after_the_plan_cancels_what_is_scheduled() {
    check(
        "01-06 credit success
         01-13 credit R02
         01-14 1 R01",
        "failed: collected 0, in flight 0, scheduled 0
         1 failed R01
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_returned of credit",
    );
}

#[test]
fn l2_what_a_failed_credit_collected_is_excess() {
    check(
        "01-06 credit success
         01-13 credit failure
         01-14 1 success",
        "failed: collected 100, in flight 0, scheduled 0
         1 collected
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_returned of credit
         open over_collected of credit",
    );
}

#[test]
fn l2_success_again_after_a_failure_holds_and_the_gaps_wait() {
    check(
        "01-06 credit success
         01-13 1 success
         01-14 credit failure
         01-15 credit success
         01-20 no report",
        "held: collected 100, in flight 0, scheduled 0
         1 collected
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_contradiction of credit
         open credit_returned of credit",
    );
}

#[test]
fn l2_success_with_an_earlier_failure_is_planned_and_held() {
    let held = "held: collected 0, in flight 0, scheduled 300
                plan 01-12 01-19 01-26
                open credit_contradiction of credit";
    check("01-06 credit success\n 01-06 credit failure at 01-05T20\n 01-13 no report", held);
    // The failure came first, and was never planned.
    check("01-06 credit failure\n 01-07 credit success\n 01-13 no report", held);
    // The failure is of an earlier instant, but is read later.
    check("01-06 credit success\n 01-07 credit failure at 01-05T20\n 01-13 no report", held);
    // Both of one instant: failure wins.
    check("01-06 credit success\n 01-06 credit failure", "failed: collected 0, in flight 0, scheduled 0");
}

#[test]
fn l2_a_failure_that_turns_out_a_return_reopens_nothing() {
    // The failure is of the very instant of the success, and wins; later an earlier success comes to light.
    let story = "01-06 credit success
                 01-08 credit failure at 01-06T05
                 01-09 close credit_returned";
    let failed = "failed: collected 0, in flight 0, scheduled 0
                  1 cancelled because credit_returned
                  2 cancelled because credit_returned
                  3 cancelled because credit_returned";
    check(story, failed);
    check(&format!("{story}\n 01-10 credit success at 01-05T20"), failed);
}

#[test]
fn l3_a_refusal_of_the_first_call_fails_a_debit_at_once() {
    check(
        "01-06 credit success
         01-12 1 refused",
        "active: collected 0, in flight 0, scheduled 300
         1 failed
         4 scheduled 100 on 02-02, failed of 1",
    );
    check(
        "01-06 credit success
         01-12 1 refused R02",
        "held: collected 0, in flight 0, scheduled 200
         1 failed R02
         open hard_return of 1",
    );
}

#[test]
fn l3_a_refusal_of_the_first_call_fails_a_credit() {
    check("01-05 credit refused", "failed: collected 0, in flight 0, scheduled 0");
}

#[test]
fn l3_a_refusal_after_an_unknown_answer_proves_nothing() {
    check(
        "01-06 credit success
         01-12 1 unanswered
         01-13 1 refused R02
         01-14 no report",
        "active: collected 0, in flight 100, scheduled 200
         1 processing",
    );
}

#[test]
fn l3_a_refusal_that_was_recorded_is_dealt_with_and_not_called_for_again() {
    check(
        "01-06 credit success
         01-12 1 refused R02 and lost
         01-13 1 named
         01-13 no report",
        "held: collected 0, in flight 0, scheduled 200
         1 failed R02
         open hard_return of 1",
    );
}

#[test]
fn l3_a_refusal_that_was_recorded_is_an_answer_before_any_call() {
    let mut world = live(&Story::read("01-06 credit success\n 01-12 1 refused R02 and lost"));
    let debit = subject_of(&world, "1");
    let seeking = world.decide(Input::Seek, instant(date("01-13"), 6));
    let Some(Fact::Word(word)) = seeking.facts.first() else { panic!("a word comes first: {seeking:?}") };
    assert_eq!((word.subject, word.outcome, word.code.as_deref()), (debit, Outcome::Failure, Some("R02")));
    // The account is held, and the processor is not called.
    let exception_id = world.facts.holds[0].exception_id;
    assert_eq!(seeking.effects, [Effect::HoldAccount { exception_id }]);
}

#[test]
fn l3_a_call_of_which_nothing_was_recorded_counts_from_its_intent() {
    let lost = "01-06 credit success
                01-12 1 lost
                key_days 2";
    check(
        &format!("{lost}\n 01-13 1 named\n 01-13 no report"),
        "active: collected 0, in flight 100, scheduled 200
         1 submitted",
    );
    check(
        &format!("{lost}\n 01-14 1 named\n 01-14 no report"),
        "active: collected 0, in flight 100, scheduled 200
         1 processing
         open no_answer of 1",
    );
    check(
        "01-05 credit lost\n key_days 2\n 01-08 no report",
        "pending: collected 0, in flight 0, scheduled 0
         open no_answer of credit",
    );
}

#[test]
fn l3_an_unknown_answer_is_sought_until_it_is_named() {
    check(
        "01-06 credit success
         01-12 1 unanswered
         01-18 1 named
         01-18 1 success",
        "active: collected 100, in flight 0, scheduled 200
         1 collected",
    );
}

#[test]
fn l3_under_a_hold_nothing_is_sought() {
    let story = "01-06 credit success
                 01-13 1 R01
                 01-19 2 unanswered
                 01-20 1 R02
                 01-20 2 named";
    let held = "1 failed R02
                2 processing
                4 scheduled 100 on 02-02, failed of 1
                open hard_return of 1";
    // The run seeks first, and reads the report after.
    check(
        &format!("{}\n 01-20 2 unanswered", story.trim_end_matches("01-20 2 named")),
        &format!("held: collected 0, in flight 100, scheduled 200\n {held}"),
    );
    check(
        &format!("{}\n 01-20 2 unanswered\n 01-21 2 named", story.trim_end_matches("01-20 2 named")),
        &format!("held: collected 0, in flight 100, scheduled 200\n {held}\n open no_answer of 2"),
    );
}

#[test]
fn l3_of_a_credit_that_failed_or_was_given_up_nothing_is_sought() {
    let story = "01-06 credit success
                 01-12 1 unanswered";
    check(
        &format!("{story}\n 01-13 write off\n 01-13 1 named"),
        "written_off: collected 0, in flight 100, scheduled 0
         1 processing
         2 cancelled because written_off
         3 cancelled because written_off
         open no_answer of 1",
    );
    check(
        &format!("{story}\n 01-13 credit failure\n 01-14 1 named"),
        "failed: collected 0, in flight 100, scheduled 0
         1 processing
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_returned of credit
         open no_answer of 1",
    );
}

#[test]
fn l3_the_days_of_a_key_count_from_its_own_first_answer() {
    // Debit 1's eight days are over, debit 2 was first asked for the day before.
    check(
        "key_days 8
         01-06 credit success
         01-12 1 unanswered
         01-19 2 unanswered
         01-20 1 named
         01-20 2 named",
        "active: collected 0, in flight 200, scheduled 100
         1 processing
         2 submitted
         open no_answer of 1",
    );
}

#[test]
fn l3_after_the_days_of_the_key_nothing_is_sought() {
    let story = "key_days 2
                 01-06 credit success
                 01-12 1 unanswered";
    let open = "active: collected 0, in flight 100, scheduled 200
                1 processing";
    check(&format!("{story}\n 01-13 1 unanswered"), open);
    check(&format!("{story}\n 01-14 1 named"), &format!("{open}\n open no_answer of 1"));
    check(
        &format!("{story}\n 01-15 1 decided failure"),
        "active: collected 0, in flight 0, scheduled 300
         1 failed
         4 scheduled 100 on 02-02, failed of 1",
    );
}

#[test]
fn l3_an_exception_that_a_person_closed_silences_its_own_debit_only() {
    check(
        "key_days 2
         01-06 credit success
         01-12 1 unanswered
         01-14 1 unanswered
         01-15 close no_answer
         01-19 2 unanswered
         01-21 2 unanswered",
        "active: collected 0, in flight 200, scheduled 100
         1 processing
         2 processing
         open no_answer of 2",
    );
}

#[test]
fn l3_an_advance_without_answer_is_sought_and_decided() {
    let story = "key_days 2
                 01-05 credit unanswered";
    check(
        &format!("{story}\n 01-08 credit named"),
        "pending: collected 0, in flight 0, scheduled 0
         open no_answer of credit",
    );
    check(
        &format!("{story}\n 01-08 credit decided success"),
        "active: collected 0, in flight 0, scheduled 300
         plan 01-12 01-19 01-26",
    );
    check(
        "01-05 credit unanswered\n 01-06 credit named\n 01-06 credit success",
        "active: collected 0, in flight 0, scheduled 300
         plan 01-12 01-19 01-26",
    );
}

#[test]
fn l3_one_debit_a_run_date_the_earliest_due_first() {
    check(
        "advance 400 over 4 every 1
         01-06 credit success
         01-06..01-08 no report
         01-09 no run",
        "active: collected 0, in flight 300, scheduled 100
         1 submitted
         2 submitted
         3 submitted",
    );
    check(
        "advance 400 over 4 every 1
         01-06 credit success
         01-07..01-20 no run
         01-22 no report",
        "active: collected 0, in flight 300, scheduled 100
         1 submitted
         2 submitted
         3 submitted
         open report_gap of credit",
    );
}

#[test]
fn l4_gaps_of_one_run_take_successive_slots_in_the_order_of_due_dates() {
    check(
        "01-06 credit success
         01-12..01-25 no report
         01-26 3 R01 at 01-26T01
         01-26 2 R01
         01-26 1 R01 at 01-26T04",
        "active: collected 0, in flight 100, scheduled 200
         1 failed R01
         2 failed R01
         3 submitted
         4 scheduled 100 on 02-02, failed of 1
         5 scheduled 100 on 02-09, failed of 2",
    );
}

#[test]
fn l4_a_debit_made_later_but_due_earlier_takes_its_turn_first() {
    // Debit 5 is due on 09-01, before debit 4, for the 180 days of L7.
    check(
        "advance 400 over 4 every 60
         01-06 credit success
         03-07 1 R01
         05-06 2 success
         07-05 3 success
         09-03 4 failure
         09-03 5 failure",
        "active: collected 200, in flight 0, scheduled 200
         1 failed R01
         2 collected
         3 collected
         4 failed
         5 failed 100 on 09-01, failed of 1
         6 scheduled 100 on 11-01, failed of 5
         7 scheduled 100 on 12-31, failed of 4",
    );
}

#[test]
fn l4_a_slot_is_after_the_run_date() {
    // 03-02 would be a slot five intervals after the last debit, but it is the run date.
    check(
        "01-06 credit success
         01-13 1 success
         01-20 2 success
         01-27..03-01 no run
         03-02 3 R01 at 01-27T05",
        "active: collected 200, in flight 0, scheduled 100
         1 collected
         2 collected
         3 failed R01
         4 scheduled 100 on 03-09, failed of 3",
    );
}

#[test]
fn l5_a_word_that_arrives_on_the_day_of_the_timeout_wins() {
    check(
        "01-06 credit success
         01-17 1 success",
        "active: collected 100, in flight 0, scheduled 200
         1 collected",
    );
    check(
        "01-06 credit success
         01-17 1 R01",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 02-02, failed of 1",
    );
}

#[test]
fn l5_five_full_days_of_silence_time_a_debit_out() {
    let story = "01-06 credit success";
    check(
        &format!("{story}\n 01-12 no report\n 01-16 1 named"),
        "active: collected 0, in flight 100, scheduled 200
         1 submitted",
    );
    check(
        &format!("{story}\n 01-17 1 named"),
        "active: collected 0, in flight 0, scheduled 300
         1 timed_out
         4 scheduled 100 on 02-02, timed_out of 1",
    );
}

#[test]
fn l5_without_a_transaction_id_nothing_times_out() {
    check(
        "01-06 credit success
         01-12 1 unanswered
         01-18 1 unanswered",
        "active: collected 0, in flight 100, scheduled 200
         1 processing",
    );
}

#[test]
fn l5_without_coverage_a_gap_in_the_reports_is_open_until_there_is() {
    let story = "01-06 credit success
                 01-17 no report";
    let gap = "active: collected 0, in flight 100, scheduled 200
               1 submitted
               open report_gap of credit";
    check(story, gap);
    // The next day's report reaches back to one that reaches back.
    check(
        &format!("{story}\n 01-18 1 named"),
        "active: collected 0, in flight 0, scheduled 300
         1 timed_out
         4 scheduled 100 on 02-02, timed_out of 1",
    );
    // A word ends it too.
    check(
        &format!("{story}\n 01-18 no report\n 01-18 1 success"),
        "active: collected 100, in flight 0, scheduled 200
         1 collected",
    );
}

#[test]
fn l5_the_ends_of_coverage_are_included() {
    // The report of 01-17 at six reaches back to 01-12 at six, when debit 1 was submitted.
    check(
        "01-06 credit success
         01-06..01-16 no report
         01-17 1 named",
        "active: collected 0, in flight 0, scheduled 300
         1 timed_out
         4 scheduled 100 on 02-02, timed_out of 1",
    );
    // That of 01-18 does not, and no complete one does before it.
    check(
        "01-06 credit success
         01-06..01-17 no report
         01-18 1 named",
        "active: collected 0, in flight 100, scheduled 200
         1 submitted
         open report_gap of credit",
    );
    // That of 01-18 reaches to 01-13 at six, the very instant of a complete one, which reaches to 01-08.
    check(
        "01-06 credit success
         01-06..01-12 no report
         01-14..01-17 no report
         01-18 1 named",
        "active: collected 0, in flight 0, scheduled 300
         1 timed_out
         4 scheduled 100 on 02-02, timed_out of 1",
    );
}

#[test]
fn l5_with_the_third_timeout_the_gap_waits() {
    let two_replaced = "1 timed_out
                        2 timed_out
                        3 timed_out
                        4 scheduled 100 on 02-02, timed_out of 1
                        5 scheduled 100 on 02-09, timed_out of 2";
    check(
        "01-06 credit success
         01-31 1 named",
        &format!("held: collected 0, in flight 0, scheduled 200\n {two_replaced}\n open timeout_limit of 3"),
    );
}

#[test]
fn l5_a_timeout_with_a_later_word_counts_no_more() {
    check(
        "01-06 credit success
         01-20 1 R01
         02-01 no report",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         2 timed_out
         3 timed_out
         4 scheduled 100 on 02-02, timed_out of 1
         5 scheduled 100 on 02-09, timed_out of 2
         6 scheduled 100 on 02-16, timed_out of 3",
    );
}

#[test]
fn l6_a_late_success_cancels_its_own_replacement_first() {
    // Debit 5 is due later, but it is debit 2's.
    check(
        "01-06 credit success
         01-13 1 R01
         01-20 2 R01
         01-21 1 success",
        "active: collected 100, in flight 0, scheduled 200
         1 collected
         2 failed R01
         4 cancelled 100 on 02-02, failed of 1 because shortened
         5 scheduled 100 on 02-09, failed of 2",
    );
    check(
        "01-06 credit success
         01-19 1 success",
        "active: collected 100, in flight 100, scheduled 100
         1 collected
         2 submitted
         4 cancelled 100 on 02-02, timed_out of 1 because shortened",
    );
}

#[test]
fn l6_then_the_others_from_the_end_of_the_plan() {
    // Debit 1's replacement is in flight already, so the last of the others goes.
    check(
        "advance 400 over 4 every 7
         01-06 credit success
         01-13 1 R01
         01-20 2 success
         01-27 3 R01
         02-03 4 success
         02-09 5 named
         02-10 1 success",
        "active: collected 300, in flight 100, scheduled 0
         1 collected
         2 collected
         3 failed R01
         4 collected
         5 submitted 100 on 02-09, failed of 1
         6 cancelled 100 on 02-16, failed of 3 because shortened",
    );
}

#[test]
fn l6_the_last_one_cancelled_is_split() {
    // Debit 3 is of 100, debit 1 and its replacements of 101; debit 5 is in flight already.
    check(
        "advance 302 over 3 every 7
         01-06 credit success
         01-13 1 R01
         01-20 2 success
         01-27 3 R01
         02-03 4 R01
         02-10 3 success",
        "active: collected 201, in flight 100, scheduled 1
         1 failed R01
         2 collected
         3 collected
         4 failed R01 101 on 02-02, failed of 1
         5 submitted 100 on 02-09, failed of 3
         6 cancelled 101 on 02-16, failed of 4 because shortened
         7 scheduled 1 on 02-16, shortened of 6",
    );
}

#[test]
fn l7_a_hard_return_holds_and_its_gap_waits() {
    for code in ["R02", "R03", "R04", "R05", "R07", "R08", "R10", "R11", "R16", "R20", "R29"] {
        check(
            &format!("01-06 credit success\n 01-13 1 {code}\n 01-19 no report"),
            &format!(
                "held: collected 0, in flight 0, scheduled 200
                 1 failed {code}
                 open hard_return of 1"
            ),
        );
    }
}

#[test]
fn l7_the_holds_apply_also_when_nothing_is_missing() {
    // The gap was filled when debit 1 timed out.
    check(
        "01-06 credit success
         01-18 1 R02",
        "held: collected 0, in flight 0, scheduled 300
         1 failed R02
         4 scheduled 100 on 02-02, timed_out of 1
         open hard_return of 1",
    );
}

#[test]
fn l7_an_unknown_code_holds_and_its_gap_waits() {
    for code in ["R06", "R99", "r01"] {
        check(
            &format!("01-06 credit success\n 01-13 1 {code}\n 01-19 no report"),
            &format!(
                "held: collected 0, in flight 0, scheduled 200
                 1 failed {code}
                 open unknown_return_code of 1"
            ),
        );
    }
}

#[test]
fn l7_for_want_of_funds_three_presentments_without_a_code_six() {
    let story = |code: &str, presentments: u32| {
        let mut story = "advance 10 over 1 every 1\n 01-06 credit success".to_owned();
        for sequence in 1..=presentments {
            story += &format!("\n 01-{:02} {sequence} {code}", 5 + 2 * sequence);
        }
        story
    };
    let failed = |code: &str, count: u32| {
        let mut lines = format!("1 failed{code}");
        for sequence in 2..=count {
            lines += &format!(
                "\n{sequence} failed{code} 10 on 01-{:02}, failed of {}",
                4 + 2 * sequence,
                sequence - 1
            );
        }
        lines
    };
    for code in ["R01", "R09"] {
        check(
            &story(code, 3),
            &format!(
                "held: collected 0, in flight 0, scheduled 0\n {}\n open retry_limit of 3",
                failed(&format!(" {code}"), 3)
            ),
        );
    }
    check(
        &story("failure", 6),
        &format!("held: collected 0, in flight 0, scheduled 0\n {}\n open retry_limit of 6", failed("", 6)),
    );
}

#[test]
fn l7_past_the_limit_the_latest_free_date_is_taken() {
    // Debit 1 was first presented on 03-06; 180 days later is 09-02, where debit 4 is due.
    check(
        "advance 400 over 4 every 60
         01-06 credit success
         03-07 1 R01",
        "active: collected 0, in flight 0, scheduled 400
         1 failed R01
         5 scheduled 100 on 09-01, failed of 1",
    );
    // With three debits the slot is the limit itself.
    check(
        "advance 300 over 3 every 60
         01-06 credit success
         03-07 1 R01",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 09-02, failed of 1",
    );
}

#[test]
fn l7_without_a_date_before_the_limit_the_credit_is_held() {
    check(
        "advance 300 over 3 every 60
         01-06 credit success
         03-07 1 R01
         09-02 4 named
         09-03 4 R01",
        "held: collected 0, in flight 0, scheduled 200
         1 failed R01
         2 timed_out
         3 timed_out
         4 failed R01 100 on 09-02, failed of 1
         5 scheduled 100 on 11-01, timed_out of 2
         6 scheduled 100 on 12-31, timed_out of 3
         open retry_limit of 4",
    );
}

#[test]
fn l7_the_run_date_is_no_date_that_is_left() {
    // Debit 1's failure is read on 09-02, the last of its 180 days, on which nothing else is due.
    check(
        "advance 300 over 3 every 60
         01-06 credit success
         03-06..09-01 no report
         09-02 1 R01 at 03-07T05",
        "held: collected 0, in flight 200, scheduled 0
         1 failed R01
         2 submitted
         3 submitted
         open report_gap of credit
         open retry_limit of 1",
    );
}

#[test]
fn l7_a_change_of_code_acts_by_the_holds_only() {
    check(
        "01-06 credit success
         01-13 1 R01
         01-14 1 R02",
        "held: collected 0, in flight 0, scheduled 300
         1 failed R02
         4 scheduled 100 on 02-02, failed of 1
         open hard_return of 1",
    );
    check(
        "01-06 credit success
         01-13 1 R02
         01-14 1 R01",
        "held: collected 0, in flight 0, scheduled 200
         1 failed R01
         open hard_return of 1",
    );
    check(
        "01-06 credit success
         01-13 1 R01
         01-14 1 R77",
        "held: collected 0, in flight 0, scheduled 300
         1 failed R77
         4 scheduled 100 on 02-02, failed of 1
         open unknown_return_code of 1",
    );
}

#[test]
fn l6_failed_that_turns_out_returned_changes_nothing_else() {
    check(
        "01-06 credit success
         01-14 1 R01
         01-15 1 success at 01-13T09",
        "active: collected 0, in flight 0, scheduled 300
         1 returned R01
         4 scheduled 100 on 02-02, failed of 1",
    );
}

#[test]
fn l6_a_return_of_what_was_collected_is_a_gap() {
    check(
        "01-06 credit success
         01-13 1 success
         01-15 1 R01",
        "active: collected 0, in flight 0, scheduled 300
         1 returned R01
         4 scheduled 100 on 02-02, returned of 1",
    );
}

#[test]
fn l6_at_one_instant_failure_wins_and_the_graver_code() {
    for (words, wins) in [
        (["success", "R01"], "failed R01"),
        (["R01", "failure"], "failed R01"),
        (["R01", "R09"], "failed R09"),
    ] {
        for order in [[0, 1], [1, 0]] {
            let [first, second] = order.map(|index| words[index]);
            check(
                &format!("01-06 credit success\n 01-13 1 {first}\n 01-13 1 {second}"),
                &format!(
                    "active: collected 0, in flight 0, scheduled 300
                     1 {wins}
                     4 scheduled 100 on 02-02, failed of 1"
                ),
            );
        }
    }
    for (words, wins, kind) in [
        (["R77", "R01"], "R77", "unknown_return_code"),
        (["R02", "R77"], "R02", "hard_return"),
        (["R02", "R03"], "R03", "hard_return"),
    ] {
        for order in [[0, 1], [1, 0]] {
            let [first, second] = order.map(|index| words[index]);
            check(
                &format!("01-06 credit success\n 01-13 1 {first}\n 01-13 1 {second}"),
                &format!(
                    "held: collected 0, in flight 0, scheduled 200
                     1 failed {wins}
                     open {kind} of 1"
                ),
            );
        }
    }
}

#[test]
fn l6_what_is_in_flight_cannot_be_taken_back() {
    check(
        "advance 100 over 1 every 7
         01-06 credit success
         01-19 2 named
         01-20 1 success
         01-21 2 success",
        "repaid: collected 200, in flight 0, scheduled 0
         1 collected
         2 collected 100 on 01-19, timed_out of 1
         open over_collected of credit",
    );
    check(
        "advance 100 over 1 every 7
         01-06 credit success
         01-19 2 named
         01-20 1 success
         01-21 2 success
         01-22 2 R01",
        "repaid: collected 100, in flight 0, scheduled 0
         1 collected
         2 returned R01 100 on 01-19, timed_out of 1",
    );
}

#[test]
fn l8_a_decision_counts_only_while_the_processor_is_silent() {
    check(
        "01-06 credit success
         01-13 1 decided success",
        "active: collected 100, in flight 0, scheduled 200
         1 collected",
    );
    check(
        "01-06 credit success
         01-13 1 decided success
         01-14 1 R01 at 01-12T09",
        "held: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 02-02, failed of 1
         open decision_contradicted of 1",
    );
    check(
        "01-06 credit success
         01-13 1 R01
         01-14 1 decided success",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 02-02, failed of 1",
    );
}

/// What `input` about what `name` calls adds to the facts of a story, in February.
fn recorded(story: &str, name: &str, input: impl Fn(Uuid) -> Input) -> Vec<Fact> {
    let mut world = live(&Story::read(story));
    let subject = subject_of(&world, name);
    let decision = world.decide(input(subject), instant(date("02-01"), 5));
    assert_eq!(decision.effects, [], "nothing is called for");
    decision.facts
}

#[test]
fn l8_a_decision_is_recorded_of_what_was_asked_and_had_no_answer() {
    let decide = |story: &str, name: &str, word: &str| {
        let facts = recorded(story, name, |subject| decided(subject, word));
        match &facts[..] {
            [] => false,
            [Fact::Decided { status, code, .. }] => {
                assert_eq!((*status, code.as_deref()), status_of(word), "as it was decided");
                true
            }
            _ => panic!("{facts:?}"),
        }
    };
    let issued = "01-06 credit success\n 01-12 no report";
    let silent = "01-06 no report";
    assert!(decide(silent, "credit", "success") && decide(silent, "credit", "R03"));
    assert!(decide(issued, "1", "success") && decide(issued, "1", "R01"));
    // The advance succeeded, by the report; debits 2 and 3 were never submitted.
    assert!(!decide(issued, "credit", "failure"));
    assert!(!decide(issued, "2", "success") && !decide(issued, "3", "R01"));
    // Once the processor has spoken, by a row or by a refusal, it is not for an operator to say.
    assert!(!decide(&format!("{issued}\n 01-13 1 R01"), "1", "success"));
    assert!(!decide(&format!("{issued}\n 01-13 1 success"), "1", "R01"));
    assert!(!decide("01-06 credit success\n 01-12 1 refused R01", "1", "success"));
    let refunded = "01-06 credit success\n 01-08 paid 350\n 01-09 refund 50";
    assert!(decide(refunded, "refund", "success") && decide(refunded, "refund", "failure"));
    assert!(!decide(&format!("{refunded}\n 01-10 refund success"), "refund", "failure"));
}

#[test]
fn l8_a_decision_may_be_changed_but_is_not_recorded_twice() {
    let decided_again = |before: &str, word: &str| {
        let story = format!("01-06 credit success\n {before}");
        !recorded(&story, "1", |subject| decided(subject, word)).is_empty()
    };
    assert!(!decided_again("01-13 1 decided R01", "R01"));
    assert!(!decided_again("01-13 1 decided success", "success"));
    // Another code is another decision, and so is another status.
    assert!(decided_again("01-13 1 decided R01", "R09"));
    assert!(decided_again("01-13 1 decided R01", "failure"));
    assert!(decided_again("01-13 1 decided success", "failure"));
    // The latest is what it is compared with.
    assert!(decided_again("01-13 1 decided success\n 01-14 1 decided failure", "success"));
    check(
        "01-06 credit success
         01-13 1 decided success
         01-14 1 decided R01",
        "active: collected 0, in flight 0, scheduled 300
         1 returned R01
         4 scheduled 100 on 02-02, returned of 1",
    );
}

#[test]
fn l8_of_what_a_credit_has_not_nothing_is_recorded() {
    let mut world = live(&Story::read("01-06 credit success\n 01-12 no report"));
    let (nobodys, as_of) = (Uuid::from_u128(404), instant(date("01-13"), 5));
    for input in [decided(nobodys, "success"), attached(nobodys), Input::Revoke { payment_id: nobodys }] {
        assert_eq!(world.decide(input.clone(), as_of).facts, [], "{input:?}");
    }
}

#[test]
fn l8_a_transaction_is_attached_to_what_was_asked_and_has_none() {
    let attach = |story: &str, name: &str| {
        let facts = recorded(story, name, attached);
        assert!(matches!(facts[..], [] | [Fact::Attached { .. }]), "{facts:?}");
        !facts.is_empty()
    };
    assert!(attach("01-05 credit unanswered", "credit"));
    assert!(!attach("01-06 no report", "credit"), "the processor has named it");
    let first = "01-06 credit success\n 01-12 1 unanswered";
    assert!(attach(first, "1"));
    // What was never submitted has no transaction.
    assert!(!attach(first, "credit") && !attach(first, "2") && !attach(first, "3"));
    assert!(!attach("01-06 credit success\n 01-12 no report", "1"));
    let second = "01-06 credit success\n 01-13 1 success\n 01-19 2 unanswered";
    assert!(attach(second, "2"));
    assert!(!attach(second, "1") && !attach(second, "3") && !attach(second, "credit"));
    let refund = "01-06 credit success\n 01-08 paid 350\n 01-09 refund 50";
    assert!(attach(&format!("{refund}\n 01-08 refund unanswered"), "refund"));
    assert!(!attach(refund, "refund"));
}

#[test]
fn l8_what_is_attached_has_an_answer() {
    let story = "key_days 2
                 01-06 credit success
                 01-12 1 unanswered
                 01-14 no report";
    check(
        story,
        "active: collected 0, in flight 100, scheduled 200
         1 processing
         open no_answer of 1",
    );
    check(
        &format!("{story}\n 01-15 1 attached"),
        "active: collected 0, in flight 100, scheduled 200
         1 submitted",
    );
    // From now on it may time out, as any debit that the reports say nothing of.
    check(
        &format!("{story}\n 01-15 1 attached\n 01-17 1 named"),
        "active: collected 0, in flight 0, scheduled 300
         1 timed_out
         4 scheduled 100 on 02-02, timed_out of 1",
    );
}

#[test]
fn l8_what_is_to_be_decided_is_what_no_word_came_of() {
    let to_decide = |story: &str, kind: Kind, name: &str| {
        let world = live(&Story::read(story));
        let subjects = world.to_decide(kind, subject_of(&world, name), instant(date("01-26"), 7));
        subjects.into_iter().map(|subject| world.name_of(subject)).collect::<Vec<_>>()
    };
    assert_eq!(to_decide("01-11 no report", Kind::CreditUnconfirmed, "credit"), ["credit"]);
    let unanswered = "key_days 2\n 01-06 credit success\n 01-12 1 unanswered\n 01-14 no report";
    assert_eq!(to_decide(unanswered, Kind::NoAnswer, "1"), ["1"]);
    // Debit 1 failed, debit 3 was submitted an hour ago, debit 4 is scheduled.
    let gap = "01-06 credit success\n 01-13 1 R01\n 01-12..01-26 no report";
    assert_eq!(to_decide(gap, Kind::ReportGap, "credit"), ["2"]);
    // Debits 1 and 2 timed out and are replaced, debit 3 failed.
    let limit = "01-06 credit success\n 01-31 3 R01 at 01-27T05";
    assert_eq!(to_decide(limit, Kind::TimeoutLimit, "2"), ["1", "2"]);
    // Of these the processor spoke, or nobody needs to.
    for kind in [Kind::HardReturn, Kind::UnknownReturnCode, Kind::RetryLimit, Kind::DecisionContradicted] {
        assert!(to_decide(gap, kind, "2").is_empty(), "{kind:?}");
    }
}

#[test]
fn l8_the_same_words_never_hold_again() {
    let released = "active: collected 0, in flight 0, scheduled 300
                    1 failed R02
                    4 scheduled 100 on 02-02, failed of 1";
    let story = "01-06 credit success
                 01-13 1 R01
                 01-14 1 R02
                 01-15 release";
    check(story, released);
    check(&format!("{story}\n 01-16 1 R02"), released);
    check(
        &format!("{story}\n 01-16 1 R03"),
        "held: collected 0, in flight 0, scheduled 300
         1 failed R03
         4 scheduled 100 on 02-02, failed of 1
         open hard_return of 1",
    );
}

#[test]
fn l8_a_release_fills_the_gaps_that_wait_at_successive_slots() {
    check(
        "advance 400 over 4 every 7
         01-06 credit success
         01-13 1 R02
         01-14 release
         01-20 2 R03
         01-21 1 R05
         01-22 release",
        "active: collected 0, in flight 0, scheduled 400
         1 failed R05
         2 failed R03
         5 scheduled 100 on 02-09, failed of 1
         6 scheduled 100 on 02-16, failed of 2",
    );
    check(
        "advance 400 over 4 every 7
         01-06 credit success
         01-12..01-19 no report
         01-20 2 R02
         01-20 1 R02
         01-21 release",
        "active: collected 0, in flight 0, scheduled 400
         1 failed R02
         2 failed R02
         5 scheduled 100 on 02-09, failed of 1
         6 scheduled 100 on 02-16, failed of 2",
    );
}

#[test]
fn l8_a_release_takes_the_gaps_by_due_date() {
    // Debit 5 is due on 09-01, before debit 4.
    check(
        "advance 400 over 4 every 60
         01-06 credit success
         03-07 1 R01
         05-06 2 success
         07-05 3 success
         09-03 4 R02
         09-03 5 R02
         09-04 release",
        "active: collected 200, in flight 0, scheduled 200
         1 failed R01
         2 collected
         3 collected
         4 failed R02
         5 failed R02 100 on 09-01, failed of 1
         6 scheduled 100 on 11-01, failed of 5
         7 scheduled 100 on 12-31, failed of 4",
    );
}

#[test]
fn l8_the_gaps_wait_while_one_hold_is_left() {
    let story = "01-06 credit success
                 01-12..01-19 no report
                 01-20 1 R02
                 01-20 2 R06
                 01-21 release of 1";
    check(
        story,
        "held: collected 0, in flight 0, scheduled 100
         1 failed R02
         2 failed R06
         open unknown_return_code of 2",
    );
    check(
        &format!("{story}\n 01-22 release of 2"),
        "active: collected 0, in flight 0, scheduled 300
         1 failed R02
         2 failed R06
         4 scheduled 100 on 02-02, failed of 1
         5 scheduled 100 on 02-09, failed of 2",
    );
}

#[test]
fn l8_a_gap_waits_also_where_an_earlier_replacement_was_cancelled() {
    check(
        "01-06 credit success
         01-13 1 R01
         01-14 1 success
         01-15 1 R02
         01-16 release",
        "active: collected 0, in flight 0, scheduled 300
         1 returned R02
         4 cancelled 100 on 02-02, failed of 1 because shortened
         5 scheduled 100 on 02-02, returned of 1",
    );
}

#[test]
fn l8_a_gap_waits_also_where_an_earlier_replacement_was_collected() {
    // Debit 4 took debit 1's place, debit 1's late success debit 5, and then debit 1 was returned.
    check(
        "01-06 credit success
         01-13 1 R01
         01-20 2 success
         01-27 3 R01
         02-03 4 success
         02-04 1 success
         02-05 1 R02
         02-06 release",
        "active: collected 200, in flight 0, scheduled 100
         1 returned R02
         2 collected
         3 failed R01
         4 collected 100 on 02-02, failed of 1
         5 cancelled 100 on 02-09, failed of 3 because shortened
         6 scheduled 100 on 02-09, failed of 3",
    );
    // With no other gap it is debit 1's own.
    check(
        "advance 400 over 4 every 60
         01-06 credit success
         03-07 1 R01
         05-06 2 success
         07-05 3 success
         09-02 5 success
         09-02 1 success
         09-03 1 R02
         09-04 release",
        "active: collected 300, in flight 0, scheduled 100
         1 returned R02
         2 collected
         3 collected
         4 cancelled because shortened
         5 collected 100 on 09-01, failed of 1
         6 scheduled 100 on 10-31, returned of 1",
    );
}

#[test]
fn l8_with_every_debit_cancelled_slots_count_from_the_latest_due_date() {
    check(
        "01-06 credit success
         01-07 credit failure
         01-08 credit success
         01-09 release",
        "active: collected 0, in flight 0, scheduled 300
         1 cancelled because credit_returned
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         4 scheduled 100 on 02-02, returned of 1
         5 scheduled 100 on 02-09, returned of 2
         6 scheduled 100 on 02-16, returned of 3
         open credit_returned of credit",
    );
}

#[test]
fn l8_a_release_of_a_failed_credit_fills_nothing() {
    check(
        "01-06 credit success
         01-13 1 R02
         01-14 credit failure
         01-15 release",
        "failed: collected 0, in flight 0, scheduled 0
         1 failed R02
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_returned of credit",
    );
}

#[test]
fn l8_what_was_paid_elsewhere_shortens_the_plan_from_its_end() {
    check(
        "01-06 credit success
         01-13 paid 150",
        "active: collected 0, in flight 100, scheduled 50
         1 submitted
         2 cancelled because shortened
         3 cancelled because shortened
         4 scheduled 50 on 01-19, shortened of 2",
    );
    // More than what is scheduled cannot take back what is in flight.
    check(
        "01-06 credit success
         01-13 paid 250
         01-14 1 success",
        "repaid: collected 100, in flight 0, scheduled 0
         1 collected
         2 cancelled because shortened
         3 cancelled because shortened
         open over_collected of credit",
    );
}

#[test]
fn l8_a_plan_made_after_the_payment_is_shortened_too() {
    check(
        "01-05 paid 150
         01-06 credit success",
        "active: collected 0, in flight 0, scheduled 150
         2 cancelled because shortened
         3 cancelled because shortened
         4 scheduled 50 on 01-19, shortened of 2",
    );
}

#[test]
fn l8_a_revoked_payment_leaves_gaps_that_are_filled_at_once() {
    check(
        "01-06 credit success
         01-13 paid 150
         01-14 revoke",
        "active: collected 0, in flight 100, scheduled 200
         1 submitted
         2 cancelled because shortened
         3 cancelled because shortened
         4 scheduled 50 on 01-19, shortened of 2
         5 scheduled 100 on 01-26, shortened of 2
         6 scheduled 50 on 02-02, shortened of 3",
    );
    check(
        "01-05 paid 300
         01-06 credit success
         01-07 revoke",
        "active: collected 0, in flight 0, scheduled 300
         1 cancelled because shortened
         2 cancelled because shortened
         3 cancelled because shortened
         4 scheduled 100 on 02-02, shortened of 1
         5 scheduled 100 on 02-09, shortened of 2
         6 scheduled 100 on 02-16, shortened of 3",
    );
}

#[test]
fn l8_what_is_released_or_revoked_before_there_is_a_plan_leaves_it_whole() {
    for before in ["01-05 hold\n 01-05 release", "01-05 paid 150\n 01-05 revoke"] {
        check(&format!("{before}\n 01-06 credit success"), "active: collected 0, in flight 0, scheduled 300");
    }
}

#[test]
fn l8_paying_off_makes_one_debit_of_what_is_scheduled() {
    check(
        "01-06 credit success
         01-13 pay off",
        "active: collected 0, in flight 300, scheduled 0
         1 submitted
         2 cancelled because paid_off
         3 cancelled because paid_off
         4 submitted",
    );
    check(
        "01-06 credit success
         01-13 pay off
         01-14 4 R01",
        "active: collected 0, in flight 100, scheduled 200
         1 submitted
         2 cancelled because paid_off
         3 cancelled because paid_off
         4 failed R01
         5 scheduled 200 on 01-20, failed of 4",
    );
}

#[test]
fn l8_paying_off_takes_a_single_debit_early_and_leaves_one_that_is_due() {
    let story = "01-06 credit success
                 01-13 1 success
                 01-20 2 success";
    let collected = "1 collected
                     2 collected";
    check(
        &format!("{story}\n 01-21 pay off"),
        &format!(
            "active: collected 200, in flight 100, scheduled 0
             {collected}
             3 cancelled because paid_off
             4 submitted"
        ),
    );
    check(
        &format!("{story}\n 01-26 pay off"),
        &format!("active: collected 200, in flight 100, scheduled 0\n {collected}\n 3 submitted"),
    );
}

#[test]
fn l8_a_pause_moves_what_is_scheduled_by_whole_intervals() {
    check(
        "01-06 credit success
         01-13 pause 2",
        "active: collected 0, in flight 100, scheduled 200
         1 submitted
         2 cancelled because paused
         3 cancelled because paused
         4 scheduled 100 on 02-02, paused of 2
         5 scheduled 100 on 02-09, paused of 3",
    );
    check(
        "01-06 credit success
         01-07..01-29 no run
         01-30 pause 1",
        "active: collected 0, in flight 0, scheduled 300
         1 cancelled because paused
         2 cancelled because paused
         3 cancelled because paused
         4 scheduled 100 on 02-02, paused of 1
         5 scheduled 100 on 02-09, paused of 2
         6 scheduled 100 on 02-16, paused of 3",
    );
}

#[test]
fn l8_a_credit_that_is_written_off_fills_no_gaps() {
    check(
        "01-06 credit success
         01-13 write off
         01-14 1 R01",
        "written_off: collected 0, in flight 0, scheduled 0
         1 failed R01
         2 cancelled because written_off
         3 cancelled because written_off",
    );
    // It is paid all the same by what was in flight.
    check(
        "01-06 credit success
         01-13 write off
         01-14 1 success",
        "written_off: collected 100, in flight 0, scheduled 0
         1 collected
         2 cancelled because written_off
         3 cancelled because written_off",
    );
}

#[test]
fn l8_only_what_is_owed_is_written_off() {
    // Before the plan it is not known that anything will be.
    check("01-05 write off\n 01-06 credit success", "active: collected 0, in flight 0, scheduled 300");
    let paid = "01-06 credit success
                01-13 1 success
                01-14 paid 200";
    let repaid = "repaid: collected 100, in flight 0, scheduled 0
                  1 collected
                  2 cancelled because shortened
                  3 cancelled because shortened";
    check(&format!("{paid}\n 01-15 write off"), repaid);
    check(
        "01-06 credit success\n 01-07 credit failure\n 01-08 write off",
        "failed: collected 0, in flight 0, scheduled 0
         1 cancelled because credit_returned
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_returned of credit",
    );
}

#[test]
fn l8_one_decision_does_not_contradict_another() {
    // Two of one instant: failure wins, and the processor has said nothing.
    check(
        "01-06 credit success
         01-13 1 decided failure
         01-13 1 decided success",
        "active: collected 0, in flight 0, scheduled 300
         1 failed
         4 scheduled 100 on 02-02, failed of 1",
    );
}

#[test]
fn l8_the_processor_contradicts_what_was_decided() {
    check(
        "01-06 credit success
         01-13 1 decided success
         01-15 1 R01",
        "held: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 02-02, failed of 1
         open decision_contradicted of 1",
    );
    // The same words never hold again, and saying the same contradicts nothing.
    check(
        "01-06 credit success
         01-13 1 decided success
         01-15 1 R01
         01-16 release",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 02-02, failed of 1",
    );
    check(
        "01-06 credit success
         01-13 1 decided R01
         01-15 1 R01",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 02-02, failed of 1",
    );
    check(
        "01-12 credit decided success
         01-14 credit failure",
        "failed: collected 0, in flight 100, scheduled 0
         1 submitted
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         open credit_returned of credit
         open decision_contradicted of credit",
    );
}

#[test]
fn l9_due_dates_roll_and_the_cadence_stays() {
    check(
        "following
         01-06 credit success",
        "active: collected 0, in flight 0, scheduled 300
         plan 01-12 01-20 01-26",
    );
    // Nothing is issued on the holiday.
    check(
        "following
         01-06 credit success
         01-13 1 success
         01-19 no report",
        "active: collected 100, in flight 0, scheduled 200
         1 collected",
    );
    // The plan that comes late shifts by its unrolled dates: the first would have been the Saturday.
    check(
        "following
         advance 300 over 3 every 5
         01-11 credit success",
        "active: collected 0, in flight 0, scheduled 300
         plan 01-15 01-20 01-26",
    );
}

#[test]
fn l9_of_two_that_meet_the_second_goes_on() {
    // The Saturday goes to the Monday, the Sunday to the Tuesday, and so on behind the holiday.
    check(
        "following
         advance 900 over 9 every 1
         01-06 credit success
         01-06 no report",
        "active: collected 0, in flight 100, scheduled 800
         plan 01-06 01-07 01-08 01-09 01-12 01-13 01-14 01-15 01-16
         1 submitted",
    );
}

#[test]
fn l9_slots_count_unrolled_dates_and_roll() {
    check(
        "following
         advance 200 over 2 every 7
         01-06 credit success
         01-13 1 R01",
        "active: collected 0, in flight 0, scheduled 200
         1 failed R01
         3 scheduled 100 on 01-26, failed of 1",
    );
    check(
        "following
         advance 200 over 2 every 14
         01-06 credit success
         01-21 1 R01",
        "active: collected 0, in flight 0, scheduled 200
         1 failed R01
         3 scheduled 100 on 02-17, failed of 1",
    );
}

#[test]
fn l9_the_days_of_the_limit_count_rolled_dates() {
    // Debit 1 was first presented on 03-11; 180 days later is 09-07, a holiday after a weekend.
    check(
        "following
         advance 300 over 3 every 65
         01-06 credit success
         03-12 1 R01",
        "active: collected 0, in flight 0, scheduled 300
         1 failed R01
         4 scheduled 100 on 09-04, failed of 1",
    );
    // From 02-10 on the limit is Sunday 08-09, which is the slot too: it would roll beyond.
    check(
        "following
         advance 500 over 5 every 36
         01-06 credit success
         02-11 1 R01",
        "active: collected 0, in flight 0, scheduled 500
         1 failed R01
         6 scheduled 100 on 08-07, failed of 1",
    );
}

#[test]
fn l9_what_is_left_of_a_shortened_debit_keeps_its_date() {
    check(
        "following
         01-06 credit success
         01-13 paid 150
         01-14 revoke",
        "active: collected 0, in flight 100, scheduled 200
         1 submitted
         2 cancelled because shortened
         3 cancelled because shortened
         4 scheduled 50 on 01-20, shortened of 2
         5 scheduled 100 on 01-26, shortened of 2
         6 scheduled 50 on 02-02, shortened of 3",
    );
}

#[test]
fn l9_a_pause_moves_unrolled_dates_and_rolls_anew() {
    check(
        "following
         01-06 credit success
         01-13 1 success
         01-14 pause 3",
        "active: collected 100, in flight 0, scheduled 200
         1 collected
         2 cancelled because paused
         3 cancelled because paused
         4 scheduled 100 on 02-09, paused of 2
         5 scheduled 100 on 02-17, paused of 3",
    );
    // What moves is not in its own way.
    check(
        "following
         advance 300 over 3 every 1
         01-06 credit success
         01-07 pause 1",
        "active: collected 0, in flight 100, scheduled 200
         1 submitted
         2 cancelled because paused
         3 cancelled because paused
         4 scheduled 100 on 01-08, paused of 2
         5 scheduled 100 on 01-09, paused of 3",
    );
}

#[test]
fn l9_paying_off_rolls_too() {
    // Asked for on the Saturday before the holiday.
    check(
        "following
         01-06 credit success
         01-13 1 success
         01-17 pay off",
        "active: collected 100, in flight 0, scheduled 200
         plan 01-12 01-20 01-26 01-20
         1 collected
         2 cancelled because paid_off
         3 cancelled because paid_off
         4 scheduled",
    );
    // On a date that a debit in flight has, it is due on the next: one debit a day leaves.
    check(
        "following
         01-06 credit success
         01-12 no report
         01-12 no run
         01-13 no report
         01-14 no run
         01-14 pay off",
        "active: collected 0, in flight 100, scheduled 200
         plan 01-12 01-20 01-26 01-14
         1 submitted
         2 cancelled because paid_off
         3 cancelled because paid_off
         4 scheduled",
    );
}

// --- the stories ---

/// The id of a story's refund.
const REFUND: RefundId = RefundId(Uuid::from_u128(78));
const SECOND_REFUND: RefundId = RefundId(Uuid::from_u128(80));

/// The id of a story's payment made elsewhere.
const PAYMENT: Uuid = Uuid::from_u128(77);

#[test]
fn l8_a_refund_gives_back_what_was_paid_too_much() {
    let too_much = "01-06 credit success
                    01-08 paid 350";
    let open = "repaid: collected 0, in flight 0, scheduled 0
                1 cancelled because shortened
                2 cancelled because shortened
                3 cancelled because shortened";
    check(too_much, &format!("{open}\nopen over_collected of credit"));
    // From its intent on, before any word of it.
    check(&format!("{too_much}\n01-09 refund 50"), &format!("{open}\nrefund of 50 submitted, paid 300"));
    check(
        &format!("{too_much}\n01-09 refund 50\n01-10 refund success"),
        &format!("{open}\nrefund of 50 confirmed, paid 300"),
    );
    // More than was paid too much is not given back.
    check(&format!("{too_much}\n01-09 refund 51"), &format!("{open}\nopen over_collected of credit"));
}

#[test]
fn l8_what_was_paid_too_much_may_be_given_back_in_parts() {
    let story = "01-06 credit success
                 01-08 paid 350
                 01-09 refund 20";
    let open = "repaid: collected 0, in flight 0, scheduled 0
                1 cancelled because shortened
                2 cancelled because shortened
                3 cancelled because shortened";
    check(story, &format!("{open}\nrefund of 20 submitted, paid 330\nopen over_collected of credit"));
    // Each is given once, however often it is asked for.
    check(
        &format!("{story}\n01-10 refund 20"),
        &format!("{open}\nrefund of 20 submitted, paid 330\nopen over_collected of credit"),
    );
    check(
        &format!("{story}\n01-10 refund 30 more"),
        &format!("{open}\nrefund of 20 submitted, paid 300\nrefund of 30 submitted, paid 300"),
    );
    check(
        &format!("{story}\n01-10 refund 31 more"),
        &format!("{open}\nrefund of 20 submitted, paid 330\nopen over_collected of credit"),
    );
}

#[test]
fn l8_a_refund_that_is_confirmed_fills_no_gap() {
    // Debit 1 came back for a hard return: what is owed again waits for the release.
    let story = "01-06 credit success
                 01-13 paid 250
                 01-14 1 success
                 01-15 refund 50
                 01-16 1 R02
                 01-17 refund success";
    check(
        story,
        "held: collected 0, in flight 0, scheduled 0
         1 returned R02
         2 cancelled because shortened
         3 cancelled because shortened
         refund of 50 confirmed, paid 200
         open hard_return of 1",
    );
}

#[test]
fn l8_a_refund_that_fails_is_paid_again_and_shortens_the_plan() {
    let story = "01-06 credit success
                 01-13 1 success
                 01-14 paid 250
                 01-15 refund 50
                 01-16 1 R01 at 01-16T04";
    let cancelled = "2 cancelled because shortened
                     3 cancelled because shortened";
    check(
        story,
        &format!(
            "active: collected 0, in flight 0, scheduled 100
             1 returned R01
             {cancelled}
             4 scheduled 100 on 01-19, returned of 1
             refund of 50 submitted, paid 200"
        ),
    );
    let failed = format!("{story}\n01-17 refund failure at 01-17T01");
    check(
        &failed,
        &format!(
            "active: collected 0, in flight 0, scheduled 50
             1 returned R01
             {cancelled}
             4 cancelled 100 on 01-19, returned of 1 because shortened
             5 scheduled 50 on 01-19, shortened of 4
             refund of 50 failed, paid 250"
        ),
    );
    // The bank changes its mind: what was shortened is owed again.
    check(
        &format!("{failed}\n01-18 refund success at 01-18T01"),
        &format!(
            "active: collected 0, in flight 0, scheduled 100
             1 returned R01
             {cancelled}
             4 cancelled 100 on 01-19, returned of 1 because shortened
             5 scheduled 50 on 01-19, shortened of 4
             6 scheduled 50 on 01-26, shortened of 2
             refund of 50 confirmed, paid 200"
        ),
    );
}

#[test]
fn l8_a_refund_of_a_failed_credit_gives_back_all_that_was_paid() {
    let story = "01-06 credit success
                 01-13 1 success
                 01-14 credit failure at 01-14T04";
    let failed = "1 collected
                  2 cancelled because credit_returned
                  3 cancelled because credit_returned";
    check(
        story,
        &format!(
            "failed: collected 100, in flight 0, scheduled 0
             {failed}
             open credit_returned of credit
             open over_collected of credit"
        ),
    );
    let refunded = format!("{story}\n01-15 refund 100");
    check(
        &refunded,
        &format!(
            "failed: collected 100, in flight 0, scheduled 0
             {failed}
             refund of 100 submitted, paid 0
             open credit_returned of credit"
        ),
    );
    // The customer's bank takes the debit back as well: what was given back is too much, and no gap is filled.
    check(
        &format!("{refunded}\n01-16 1 R01 at 01-16T04"),
        "failed: collected 0, in flight 0, scheduled 0
         1 returned R01
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         refund of 100 submitted, paid -100
         open credit_returned of credit
         open over_refunded of credit",
    );
    // Its own failure closes it.
    check(
        &format!("{refunded}\n01-16 1 R01 at 01-16T04\n01-17 refund failure"),
        "failed: collected 0, in flight 0, scheduled 0
         1 returned R01
         2 cancelled because credit_returned
         3 cancelled because credit_returned
         refund of 100 failed, paid 0
         open credit_returned of credit",
    );
}

#[test]
fn l8_what_was_refunded_and_is_owed_after_all_makes_one_debit_more() {
    check(
        "01-06 credit success
         01-08 paid 350
         01-09 refund 50
         01-10 revoke",
        "active: collected 0, in flight 0, scheduled 350
         1 cancelled because shortened
         2 cancelled because shortened
         3 cancelled because shortened
         4 scheduled 100 on 02-02, shortened of 1
         5 scheduled 100 on 02-09, shortened of 2
         6 scheduled 100 on 02-16, shortened of 3
         7 scheduled 50 on 02-23, owed_again
         refund of 50 submitted, paid -50",
    );
}

#[test]
fn l8_what_was_refunded_before_there_was_a_plan_is_owed_beside_it() {
    let story = "01-06 no report
                 01-06 paid 350
                 01-07 refund 50
                 01-08 revoke";
    check(
        &format!("{story}\n01-09 credit success"),
        "active: collected 0, in flight 0, scheduled 350
         4 scheduled 50 on 02-02, owed_again
         refund of 50 submitted, paid -50",
    );
    // The advance never arrives: nothing is owed, and what was given back is too much.
    check(
        &format!("{story}\n01-09 credit failure"),
        "failed: collected 0, in flight 0, scheduled 0
         refund of 50 submitted, paid -50
         open over_refunded of credit",
    );
}

#[test]
fn l8_a_refund_without_an_answer_is_sought_and_then_left_to_an_operator() {
    let story = "key_days 2
                 01-06 credit success
                 01-08 paid 350
                 01-08 refund unanswered
                 01-09 refund 50
                 01-11 no report";
    let repaid = "repaid: collected 0, in flight 0, scheduled 0
                  1 cancelled because shortened
                  2 cancelled because shortened
                  3 cancelled because shortened";
    let unanswered = format!("{repaid}\nrefund of 50 processing, paid 300");
    check(&story.replace("01-11", "01-10"), &unanswered);
    check(story, &format!("{unanswered}\nopen no_answer of refund"));
    // So it is where the invocation broke off, and the intent is all that is known.
    check(&story.replace("unanswered", "lost"), &format!("{unanswered}\nopen no_answer of refund"));
    // What a person closed, the same silence does not open again.
    check(&format!("{story}\n01-12 close no_answer"), &unanswered);
    // No word for five times 24 h, as of an advance.
    check(
        &format!("{story}\n01-15 no report"),
        &format!("{unanswered}\nopen credit_unconfirmed of refund\nopen no_answer of refund"),
    );
    check(
        &format!("{story}\n01-15 no report\n01-16 close credit_unconfirmed"),
        &format!("{unanswered}\nopen no_answer of refund"),
    );
    check(
        &format!("{story}\n01-15 no report\n01-16 refund decided success"),
        &format!("{repaid}\nrefund of 50 confirmed, paid 300"),
    );
    // A held credit is no reason to keep the customer's money: the call is made again.
    check(
        "01-06 credit success
         01-08 paid 350
         01-08 refund unanswered
         01-09 refund 50
         01-10 hold
         01-10 refund named",
        &format!("{repaid}\nrefund of 50 submitted, paid 300\nopen held_by_operator of credit"),
    );
}

#[test]
fn l8_a_refund_that_was_refused_moved_nothing() {
    let mut world = live(&Story::read("01-06 credit success\n01-08 paid 350"));
    let as_of = instant(date("01-09"), 5);
    let amount = Cents::new(50).expect("an amount");
    let given_back = world.decide(Input::Refund { id: REFUND, amount }, as_of);
    // At once, before any run.
    world.call(&given_back, as_of, &|_| Answer::Refused(Some("R03".into())));
    assert_eq!(
        standing(&world, false),
        "repaid: collected 0, in flight 0, scheduled 0
1 cancelled because shortened
2 cancelled because shortened
3 cancelled because shortened
refund of 50 failed, paid 350
open over_collected of credit"
    );
}

#[test]
fn l8_what_is_owed_again_waits_while_the_credit_is_held() {
    let story = "01-06 credit success
                 01-13 1 R02
                 01-14 paid 50
                 01-15 revoke";
    let held = "1 failed R02\nopen hard_return of 1";
    check(story, &format!("held: collected 0, in flight 0, scheduled 200\n{held}"));
    check(
        &format!("{story}\n01-16 release"),
        "active: collected 0, in flight 0, scheduled 300
         1 failed R02
         4 scheduled 100 on 02-02, failed of 1",
    );
}

#[test]
fn what_a_person_closed_opens_again_only_when_it_has_become_more() {
    let story = "01-06 credit success
                 01-13 paid 250
                 01-14 1 success
                 01-15 close over_collected";
    let closed = live(&Story::read(&format!("{story}\n01-17 no report")));
    let is_open =
        |world: &World| world.facts.exceptions.iter().any(|e| e.open && e.kind == Kind::OverCollected);
    assert!(!is_open(&closed));
    assert!(is_open(&live(&Story::read(&format!("{story}\n01-16 paid 10 more")))));
}

#[test]
fn l8_two_failures_without_a_success_between_are_two_strikes() {
    let struck = |outcomes: &[Outcome]| {
        let word = |(number, outcome): (u128, &Outcome)| Word {
            subject: Uuid::from_u128(number),
            outcome: *outcome,
            code: None,
            at: instant(date(&format!("01-{:02}", 11 + number)), 6),
        };
        let mut words: Vec<Word> = (1..).zip(outcomes).map(word).collect();
        let pairs = two_strikes(&words);
        words.reverse();
        assert_eq!(two_strikes(&words), pairs, "in whatever order they are read");
        let number = |debit: DebitId| debit.0.as_u128();
        pairs.into_iter().map(|(first, second)| (number(first), number(second))).collect::<Vec<_>>()
    };
    use Outcome::{Failure, Recovered, Returned, Success};
    for failed in [[Failure, Failure], [Failure, Returned], [Returned, Failure]] {
        assert_eq!(struck(&failed), [(1, 2)]);
    }
    for outcomes in [[Failure, Success], [Success, Failure], [Success, Recovered], [Recovered, Returned]] {
        assert_eq!(struck(&outcomes), []);
    }
    assert_eq!(struck(&[Failure, Success, Failure]), []);
    assert_eq!(struck(&[Failure, Failure, Returned]), [(1, 2), (2, 3)]);
    assert_eq!(struck(&[Failure]), []);
}

#[test]
fn l8_two_strikes_hold_besides_what_is_open_already() {
    let mut world = live(&Story::read("01-06 credit success\n 01-12..01-19 no report\n 01-20 1 R02"));
    let [first, second] = [0, 1].map(|place: usize| world.facts.debits[place].id);
    let mut strike = |debit_id, day| {
        let struck = world.decide(Input::TwoStrikes { debit_id }, instant(date(day), 6));
        (struck.facts.len(), struck.effects.len())
    };
    // The hard return holds it too; with that released, this hold is left.
    assert_eq!(strike(first, "01-20"), (2, 1));
    // While they hold the account, another two say nothing new.
    assert_eq!(strike(second, "01-20"), (0, 0));
    assert_eq!(
        standing(&world, false),
        "held: collected 0, in flight 100, scheduled 100
1 failed R02
2 submitted
open hard_return of 1
open two_strikes of credit"
    );
    world.decide(Input::Release { exception_id: None }, instant(date("01-21"), 5));
    // Once released, another two hold it again.
    let struck = world.decide(Input::TwoStrikes { debit_id: second }, instant(date("01-21"), 6));
    assert_eq!(struck.effects.len(), 1);
    assert!(struck.facts.iter().any(|fact| matches!(fact, Fact::Held(_))));
}

#[test]
fn l8_two_strikes_hold_the_account_once() {
    let story = Story::read("01-06 credit success\n01-13 1 R01");
    let mut world = live(&story);
    let debit_id = world.facts.debits[0].id;
    let struck = world.decide(Input::TwoStrikes { debit_id }, instant(date("01-13"), 6));
    assert_eq!(struck.rule(world.facts.id), "L8");
    let exception_id = world.facts.holds[0].exception_id;
    assert_eq!(struck.effects, [Effect::HoldAccount { exception_id }]);
    assert_eq!(standing(&world, false).lines().next(), Some("held: collected 0, in flight 0, scheduled 300"));
    // Once released, the same words hold no more.
    world.decide(Input::Release { exception_id: None }, instant(date("01-14"), 5));
    let again = world.decide(Input::TwoStrikes { debit_id }, instant(date("01-14"), 6));
    assert_eq!((again.facts, again.effects), (vec![], vec![]));
}

/// Lives a story and compares where the credit stands.
#[track_caller]
fn check(story: &str, expected: &str) {
    let lived = live(&Story::read(story));
    let expected: Vec<&str> = expected.lines().map(str::trim).collect();
    let stands = standing(&lived, expected.iter().any(|line| line.starts_with("plan ")));
    assert_eq!(stands.lines().collect::<Vec<_>>(), expected, "after\n{story}");
}

struct Story {
    terms: Terms,
    policy: Policy,
    happenings: BTreeMap<NaiveDate, Vec<String>>,
}

impl Story {
    fn read(text: &str) -> Story {
        let cents = |text: &str| Cents::new(text.parse().expect("an amount")).expect("an amount");
        let mut story = Story {
            terms: Terms { amount: cents("300"), fee: Cents::ZERO, installments: 3, interval_days: 7 },
            policy: Policy::default(),
            happenings: BTreeMap::new(),
        };
        for line in text.lines().map(str::trim) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["advance", amount, "over", count, "every", days] => {
                    story.terms.amount = cents(amount);
                    story.terms.installments = count.parse().expect("a count");
                    story.terms.interval_days = days.parse().expect("days");
                }
                ["key_days", days] => story.policy.key_days = days.parse().ok(),
                ["following"] => story.policy.due_date_roll = DueDateRoll::Following,
                [dates, ..] => {
                    let (from, to) = dates.split_once("..").unwrap_or((dates, dates));
                    for day in date(from).iter_days().take_while(|day| *day <= date(to)) {
                        let what = line.trim_start_matches(dates).trim().to_owned();
                        story.happenings.entry(day).or_default().push(what);
                    }
                }
                [] => {}
            }
        }
        story
    }
}

fn live(story: &Story) -> World {
    let mut world = World::new(story.terms, instant(date("01-05"), 12));
    world.policy = story.policy.clone();
    let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
    let last = *story.happenings.keys().last().expect("a story has days");
    for day in date("01-05").iter_days().take_while(|day| *day <= last) {
        let mut is_run = day > date("01-05");
        let mut has_report = true;
        for what in story.happenings.get(&day).into_iter().flatten() {
            let words: Vec<&str> = what.split(' ').collect();
            match words[..] {
                ["no", "run"] => is_run = false,
                ["no", "report"] => has_report = false,
                ["release"] => {
                    world.decide(Input::Release { exception_id: None }, instant(day, 5));
                }
                ["write", "off"] => drop(world.decide(Input::WriteOff, instant(day, 5))),
                ["pay", "off"] => drop(world.decide(Input::PayOff, instant(day, 5))),
                ["pause", intervals] => {
                    let intervals = intervals.parse().expect("a count");
                    world.decide(Input::Pause { intervals }, instant(day, 5));
                }
                ["hold"] => drop(world.decide(Input::Hold, instant(day, 5))),
                ["paid", amount, "more"] => {
                    let amount = Cents::new(amount.parse().expect("an amount")).expect("an amount");
                    let (id, received_on) = (Uuid::from_u128(79), BusinessDate::new(day));
                    world.decide(Input::ExternalPayment { id, amount, received_on }, instant(day, 5));
                }
                ["paid", amount] => {
                    let amount = Cents::new(amount.parse().expect("an amount")).expect("an amount");
                    let payment =
                        Input::ExternalPayment { id: PAYMENT, amount, received_on: BusinessDate::new(day) };
                    world.decide(payment, instant(day, 5));
                }
                ["refund", amount] | ["refund", amount, "more"] if amount.parse::<u64>().is_ok() => {
                    let id = if what.ends_with("more") { SECOND_REFUND } else { REFUND };
                    let amount = Cents::new(amount.parse().expect("an amount")).expect("an amount");
                    let given_back = world.decide(Input::Refund { id, amount }, instant(day, 5));
                    let answer = |name: &str| answers.get(name).cloned().unwrap_or(Answer::Named);
                    world.call(&given_back, instant(day, 5), &answer);
                }
                ["close", kind] => {
                    let open = world.facts.exceptions.iter_mut().filter(|e| e.open && e.kind.name() == kind);
                    let closed = open.map(|e| (e.open, e.closed_by_operator) = (false, true)).count();
                    assert_eq!(closed, 1, "{what}");
                }
                ["revoke"] => drop(world.decide(Input::Revoke { payment_id: PAYMENT }, instant(day, 5))),
                ["release", "of", subject] => {
                    let held_by = |id| world.facts.exceptions.iter().find(|e| e.open && e.id == id);
                    let ids = world.facts.holds.iter().map(|hold| hold.exception_id);
                    let id = ids
                        .into_iter()
                        .find(|id| held_by(*id).is_some_and(|e| world.name_of(e.subject) == subject));
                    assert!(id.is_some(), "there is a hold to release: {what}");
                    world.decide(Input::Release { exception_id: id }, instant(day, 5));
                }
                [subject, "named"] => drop(answers.insert(subject.into(), Answer::Named)),
                ["credit", "lost"] => {
                    world.facts.transaction_id = None;
                    answers.insert("credit".into(), Answer::Lost);
                }
                ["credit", "unanswered"] => {
                    world.lose_the_answer_to_the_advance();
                    answers.insert("credit".into(), Answer::Unknown);
                }
                ["credit", "refused"] => {
                    let (subject, at) = (world.facts.id.0, instant(day, 12));
                    world.facts.transaction_id = None;
                    world.say(subject, Source::Refusal, Status::Failure, None, at);
                    world.decide(Input::Refusal { subject }, at);
                }
                [subject, "unanswered"] => drop(answers.insert(subject.into(), Answer::Unknown)),
                [subject, "lost"] => drop(answers.insert(subject.into(), Answer::Lost)),
                [subject, "refused", code, "and", "lost"] => {
                    drop(answers.insert(subject.into(), Answer::RefusedAndLost(code.into())));
                }
                [subject, "refused"] => drop(answers.insert(subject.into(), Answer::Refused(None))),
                [subject, "refused", code] => {
                    drop(answers.insert(subject.into(), Answer::Refused(Some(code.into()))));
                }
                [subject, "decided", word] => {
                    let input = decided(subject_of(&world, subject), word);
                    world.decide(input, instant(day, 5));
                }
                [subject, "attached"] => {
                    let input = attached(subject_of(&world, subject));
                    world.decide(input, instant(day, 5));
                }
                [subject, word] => say(&mut world, subject, Source::Report, word, instant(day, 5)),
                [subject, word, "at", at] => {
                    let (on, hour) = at.split_once('T').expect("a date and an hour");
                    let at = instant(date(on), hour.parse().expect("an hour"));
                    say(&mut world, subject, Source::Report, word, at);
                }
                _ => panic!("a story does not go like this: {what}"),
            }
        }
        if is_run {
            let answer = |name: &str| answers.get(name).cloned().unwrap_or(Answer::Named);
            world.run(instant(day, 6), has_report, answer);
            assert_eq!(State::of(&world.facts).breaches(), [], "L10 after the run of {day}");
        }
    }
    world
}

fn say(world: &mut World, subject: &str, source: Source, word: &str, at: Instant) {
    let (status, code) = status_of(word);
    world.say(subject_of(world, subject), source, status, code, at);
}

/// The credit, debit or refund of a name.
fn subject_of(world: &World, name: &str) -> Uuid {
    let facts = &world.facts;
    let refunds = facts.refunds.iter().map(|refund| refund.id.0);
    let mut all = facts.debits.iter().map(|debit| debit.id.0).chain([facts.id.0]).chain(refunds);
    all.find(|id| world.name_of(*id) == name).unwrap_or_else(|| panic!("{name} is there"))
}

/// What a word of a story says: `success`, `failure`, or the code of one.
fn status_of(word: &str) -> (Status, Option<&str>) {
    match word {
        "success" => (Status::Success, None),
        "failure" => (Status::Failure, None),
        code => (Status::Failure, Some(code)),
    }
}

fn decided(subject: Uuid, word: &str) -> Input {
    let (status, code) = status_of(word);
    Input::Decide { subject, status, code: code.map(str::to_owned) }
}

fn attached(subject: Uuid) -> Input {
    let transaction_id = TransactionId::try_from("tx_attached".to_owned()).expect("a transaction id");
    Input::Attach { subject, transaction_id }
}

/// Where a credit stands: its status and money, each debit that is not as planned, what is open.
fn standing(world: &World, with_plan: bool) -> String {
    let facts = &world.facts;
    let state = State::of(facts);
    let balances = state.balances();
    let mut lines = vec![format!(
        "{}: collected {}, in flight {}, scheduled {}",
        text(&state.status()),
        balances.collected,
        balances.in_flight,
        balances.scheduled
    )];
    let on = |debit: &DebitFacts| debit.due_date.day().format("%m-%d").to_string();
    if with_plan {
        let dates: Vec<String> = facts.debits.iter().map(on).collect();
        lines.push(format!("plan {}", dates.join(" ")));
    }
    for (debit, (_, status)) in facts.debits.iter().zip(state.debit_statuses()) {
        if debit.reason == Reason::Planned && status == DebitStatus::Scheduled {
            continue;
        }
        let word = facts.words.iter().rev().find(|word| word.subject == debit.id.0);
        let code = word.and_then(|word| word.code.as_deref()).map(|code| format!(" {code}"));
        let because = debit.cancelled_because.map(|because| format!(" because {}", text(&because)));
        let of = debit.replaces.map(|replaced| format!(" of {replaced}")).unwrap_or_default();
        let is_made = debit.replaces.is_some() || debit.reason == Reason::OwedAgain;
        let made =
            is_made.then(|| format!(" {} on {}, {}{of}", debit.amount, on(debit), text(&debit.reason)));
        let parts = [code, made, because].map(Option::unwrap_or_default).concat();
        lines.push(format!("{} {}{parts}", debit.sequence, text(&status)));
    }
    for refund in Refund::of(facts) {
        lines.push(format!("refund of {} {}, paid {}", refund.amount, text(&refund.status), balances.paid));
    }
    let open = facts.exceptions.iter().filter(|exception| exception.open);
    let mut open: Vec<String> =
        open.map(|e| format!("open {} of {}", e.kind.name(), world.name_of(e.subject))).collect();
    open.sort();
    lines.extend(open);
    lines.join("\n")
}

/// A word of the law as JSON writes it.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a word").trim_matches('"').to_owned()
}

fn date(month_and_day: &str) -> NaiveDate {
    format!("2026-{month_and_day}").parse().unwrap_or_else(|_| panic!("{month_and_day} is a date of 2026"))
}

fn instant(day: NaiveDate, hour: u32) -> Instant {
    day.and_time(NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour")).and_utc()
}
