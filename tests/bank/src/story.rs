//! What becomes of a transaction: a pure function of its account's markers, its direction, its number among
//! the account's transactions of that direction, its instant and the seed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Which way the money goes, seen from the customer's account: a credit is pushed to it, a debit pulled from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Money goes to the customer: an advance or a refund.
    Credit,
    /// Money comes from the customer.
    Debit,
}

/// What a report row says of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The money arrived.
    Success,
    /// It did not, or it came back.
    Failure,
}

/// One change of status. It is in every report downloaded from `at` on, for as long as reports reach back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// What happened.
    pub status: Status,
    /// The return code, or nothing.
    pub code: &'static str,
    /// When it happened, by the bank's clock.
    #[serde(serialize_with = "crate::instant::serialize")]
    pub at: DateTime<Utc>,
}

/// The facts a story is told from.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'a> {
    /// The customer's account, whose id carries the markers.
    pub account: &'a str,
    /// Which way the money goes.
    pub direction: Direction,
    /// Which transaction of this account and direction it is, from 1, in order of creation.
    pub number: u64,
    /// When the bank first heard of it, by the bank's clock.
    pub created_at: DateTime<Utc>,
    /// Two banks with one seed tell the same stories.
    pub seed: &'a str,
}

/// All the changes of status of a transaction, in order of time.
pub fn story(teller: Teller<'_>) -> Vec<Event> {
    tell(Outcome::of(teller.account, teller.direction), teller)
}

/// Whether the bank refuses the transaction for good and moves nothing. It does not depend on the transaction's
/// number, so it is known before anything is written.
pub fn is_refused(account: &str, direction: Direction) -> bool {
    Outcome::of(account, direction) == Outcome::Refusal
}

/// How the bank answers and reports, whatever the outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// The first call is answered 500.
    pub flaky: bool,
    /// The first call is not answered for longer than a client waits.
    pub drop: bool,
    /// Every report row appears twice.
    pub dup: bool,
}

impl Manners {
    /// The manners that the markers in the account id ask for.
    pub fn of(account: &str) -> Self {
        Self {
            flaky: account.contains("flaky"),
            drop: account.contains("drop"),
            dup: account.contains("dup"),
        }
    }
}

/// A number that looks random and is always the same for the same seed and words.
pub fn draw(seed: &str, words: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(seed);
    for word in words {
        // The length keeps `ab, c` apart from `a, bc`.
        hash.update(word.len().to_be_bytes());
        hash.update(word);
    }
    hash.finalize().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Success,
    /// The first so many fail with R01, later ones succeed.
    Shortage {
        first: u64,
    },
    Failure {
        code: &'static str,
    },
    Silence,
    /// Success, after so many days.
    Late {
        days: u8,
    },
    /// Success after a day, and a failure so many days after that.
    Return {
        days: u8,
        code: &'static str,
    },
    Refusal,
    Seeded,
}

/// They speak of the advance alone, and hold the words of debits within them (`late` in `badlate`).
const ADVANCE_MARKERS: [&str; 5] = ["badcredit", "badsilent", "badlate", "badreturn", "badrefuse"];

/// An advance comes back because there is no such account.
const ADVANCE_CODE: &str = "R03";
const BADLATE_DAYS: u8 = 7;
const BADRETURN_DAYS: u8 = 3;

impl Outcome {
    fn of(account: &str, direction: Direction) -> Self {
        match direction {
            Direction::Credit => Self::of_credit(account),
            Direction::Debit => Self::of_debit(account),
        }
    }

    fn of_credit(account: &str) -> Self {
        let [badcredit, badsilent, badlate, badreturn, badrefuse] = ADVANCE_MARKERS;
        if account.contains(badcredit) {
            Self::Failure { code: ADVANCE_CODE }
        } else if account.contains(badsilent) {
            Self::Silence
        } else if account.contains(badlate) {
            Self::Late { days: BADLATE_DAYS }
        } else if account.contains(badreturn) {
            Self::Return { days: BADRETURN_DAYS, code: ADVANCE_CODE }
        } else if account.contains(badrefuse) {
            Self::Refusal
        } else {
            Self::Success
        }
    }

    /// Of several markers the first of the table wins, wherever they stand in the account id. An account whose
    /// advance is bad and that says nothing of its debits pays them.
    fn of_debit(account: &str) -> Self {
        // No account id has a slash, so what is left of a word taken out never grows into another word.
        let words =
            ADVANCE_MARKERS.iter().fold(account.to_owned(), |words, marker| words.replace(marker, "/"));
        // `revoked` holds an `ok` that nobody meant.
        let means_ok = words.replace("revoked", "/").contains("ok");
        if means_ok {
            Self::Success
        } else if let Some(first) = digit_after(&words, "nsf") {
            Self::Shortage { first: u64::from(first) }
        } else if words.contains("closed") {
            Self::Failure { code: "R02" }
        } else if words.contains("revoked") {
            Self::Failure { code: "R07" }
        } else if words.contains("fail") {
            Self::Failure { code: "" }
        } else if words.contains("silent") {
            Self::Silence
        } else if let Some(days) = digit_after(&words, "late") {
            Self::Late { days }
        } else if let Some(days) = digit_after(&words, "return") {
            Self::Return { days, code: "R10" }
        } else if words.contains("refuse") {
            Self::Refusal
        } else if words != account {
            Self::Success
        } else {
            Self::Seeded
        }
    }
}

/// The one digit that follows the marker somewhere; without a digit the word is no marker.
fn digit_after(words: &str, marker: &str) -> Option<u8> {
    words.split(marker).skip(1).find_map(|rest| {
        let digit = rest.bytes().next().filter(u8::is_ascii_digit)?;
        digit.checked_sub(b'0')
    })
}

fn tell(outcome: Outcome, teller: Teller<'_>) -> Vec<Event> {
    let event = |status, code, at| Event { status, code, at };
    let next_day = days_after(1, teller);
    match outcome {
        Outcome::Success => vec![event(Status::Success, "", next_day)],
        Outcome::Shortage { first } if teller.number <= first => {
            vec![event(Status::Failure, "R01", next_day)]
        }
        Outcome::Shortage { first: _ } => vec![event(Status::Success, "", next_day)],
        Outcome::Failure { code } => vec![event(Status::Failure, code, next_day)],
        Outcome::Silence | Outcome::Refusal => Vec::new(),
        Outcome::Late { days } => vec![event(Status::Success, "", days_after(days, teller))],
        Outcome::Return { days, code } => vec![
            event(Status::Success, "", next_day),
            event(Status::Failure, code, next_day + TimeDelta::days(i64::from(days))),
        ],
        Outcome::Seeded => tell(drawn(teller), teller),
    }
}

/// The report of the run so many days later, at the same time of day or after, has the event, and the one of the
/// day before has not. Banks settle overnight, so it comes some hours early, each transaction at a time of its own.
fn days_after(days: u8, teller: Teller<'_>) -> DateTime<Utc> {
    let Some(whole_days) = days.checked_sub(1) else { return teller.created_at };
    let seconds = i64::try_from(draw_of(teller, "hour") % 7_200).unwrap_or_default();
    teller.created_at
        + TimeDelta::days(i64::from(whole_days))
        + TimeDelta::hours(18)
        + TimeDelta::seconds(seconds)
}

const HARD_RETURNS: [&str; 9] = ["R02", "R03", "R04", "R07", "R08", "R10", "R16", "R20", "R29"];

/// Of a thousand debits without a marker, 4 come back for good, 10 are never heard of, 80 find no funds, the rest
/// succeed.
fn drawn(teller: Teller<'_>) -> Outcome {
    match draw_of(teller, "outcome") % 1_000 {
        0..4 => Outcome::Failure { code: drawn_hard_return(teller) },
        4..14 => Outcome::Silence,
        14..94 => Outcome::Failure { code: "R01" },
        94.. => Outcome::Success,
    }
}

fn drawn_hard_return(teller: Teller<'_>) -> &'static str {
    let count = HARD_RETURNS.len() as u64;
    let index = usize::try_from(draw_of(teller, "code") % count).unwrap_or_default();
    HARD_RETURNS.get(index).copied().unwrap_or("R02")
}

fn draw_of(teller: Teller<'_>, what: &str) -> u64 {
    let direction = match teller.direction {
        Direction::Credit => "credit",
        Direction::Debit => "debit",
    };
    draw(teller.seed, &[what, teller.account, direction, &teller.number.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600;

    fn created_at() -> DateTime<Utc> {
        DateTime::from_timestamp(1_767_592_800, 0).expect("2026-01-05T06:00:00Z")
    }

    fn teller(account: &str, direction: Direction, number: u64) -> Teller<'_> {
        Teller { account, direction, number, created_at: created_at(), seed: "1" }
    }

    /// The story as words: status, code, and the day whose 06:00 report is the first to have it.
    fn told(account: &str, direction: Direction, number: u64) -> Vec<String> {
        story(teller(account, direction, number))
            .iter()
            .map(|event| {
                let seconds = (event.at - created_at()).num_seconds();
                let day = (seconds + DAY - 1) / DAY;
                let status = match event.status {
                    Status::Success => "success",
                    Status::Failure => "failure",
                };
                format!("{status} {} day {day}", event.code)
            })
            .collect()
    }

    #[track_caller]
    fn check_debit(account: &str, number: u64, expected: &[&str]) {
        assert_eq!(told(account, Direction::Debit, number), expected, "debit {number} of {account}");
    }

    #[track_caller]
    fn check_credit(account: &str, expected: &[&str]) {
        assert_eq!(told(account, Direction::Credit, 1), expected, "advance of {account}");
    }

    #[test]
    fn every_marker_of_the_table_decides_the_debits() {
        check_debit("acct_ok", 1, &["success  day 1"]);
        check_debit("acct_nsf2", 1, &["failure R01 day 1"]);
        check_debit("acct_nsf2", 2, &["failure R01 day 1"]);
        check_debit("acct_nsf2", 3, &["success  day 1"]);
        check_debit("acct_nsf0", 1, &["success  day 1"]);
        check_debit("acct_nsf9", 9, &["failure R01 day 1"]);
        check_debit("acct_nsf9", 10, &["success  day 1"]);
        check_debit("acct_closed", 1, &["failure R02 day 1"]);
        check_debit("acct_revoked", 1, &["failure R07 day 1"]);
        check_debit("acct_fail", 1, &["failure  day 1"]);
        check_debit("acct_silent", 1, &[]);
        check_debit("acct_late7", 1, &["success  day 7"]);
        check_debit("acct_late1", 1, &["success  day 1"]);
        check_debit("acct_late0", 1, &["success  day 0"]);
        check_debit("acct_return3", 1, &["success  day 1", "failure R10 day 4"]);
        check_debit("acct_return9", 1, &["success  day 1", "failure R10 day 10"]);
        check_debit("acct_refuse", 1, &[]);
        assert!(is_refused("acct_refuse", Direction::Debit));
    }

    #[test]
    fn the_advance_succeeds_whatever_the_markers_of_debits_say() {
        for marker in [
            "ok", "nsf2", "closed", "revoked", "fail", "silent", "late7", "return3", "refuse", "flaky",
            "drop", "dup", "8841",
        ] {
            check_credit(&format!("acct_{marker}"), &["success  day 1"]);
            assert!(!is_refused(&format!("acct_{marker}"), Direction::Credit), "{marker}");
        }
    }

    #[test]
    fn the_bad_markers_decide_the_advance_and_leave_the_debits_alone() {
        check_credit("acct_badcredit", &["failure R03 day 1"]);
        check_credit("acct_badsilent", &[]);
        check_credit("acct_badlate", &["success  day 7"]);
        check_credit("acct_badreturn", &["success  day 1", "failure R03 day 4"]);
        check_credit("acct_badrefuse", &[]);
        assert!(is_refused("acct_badrefuse", Direction::Credit));
        for marker in ADVANCE_MARKERS {
            check_debit(&format!("acct_{marker}"), 1, &["success  day 1"]);
            check_debit(&format!("acct_{marker}_closed"), 1, &["failure R02 day 1"]);
            // The digit belongs to the advance's word, not to a debit's.
            check_debit(&format!("acct_{marker}7"), 1, &["success  day 1"]);
            assert!(!is_refused(&format!("acct_{marker}"), Direction::Debit), "{marker}");
        }
        check_debit("acct_badreturn_nsf1", 1, &["failure R01 day 1"]);
    }

    #[test]
    fn of_several_outcomes_the_first_listed_wins() {
        check_debit("refuse-return3-ok", 1, &["success  day 1"]);
        check_debit("closed-nsf1", 1, &["failure R01 day 1"]);
        check_debit("closed-nsf1", 2, &["success  day 1"]);
        check_debit("revoked-closed", 1, &["failure R02 day 1"]);
        check_debit("fail-revoked", 1, &["failure R07 day 1"]);
        check_debit("silent-fail", 1, &["failure  day 1"]);
        check_debit("late7-silent", 1, &[]);
        check_debit("return3-late7", 1, &["success  day 7"]);
        check_debit("refuse-return3", 1, &["success  day 1", "failure R10 day 4"]);
        assert!(!is_refused("refuse-return3", Direction::Debit));
        check_debit("revoked-ok", 1, &["success  day 1"]);
        check_credit("badrefuse-badcredit", &["failure R03 day 1"]);
    }

    #[test]
    fn manners_combine_with_every_outcome_and_with_each_other() {
        check_debit("flaky-drop-dup-nsf1", 1, &["failure R01 day 1"]);
        let none = Manners { flaky: false, drop: false, dup: false };
        assert_eq!(Manners::of("acct_ok"), none);
        assert_eq!(Manners::of("acct_flaky"), Manners { flaky: true, ..none });
        assert_eq!(Manners::of("acct_drop"), Manners { drop: true, ..none });
        assert_eq!(Manners::of("acct_dup"), Manners { dup: true, ..none });
        assert_eq!(Manners::of("dup.drop:flaky"), Manners { flaky: true, drop: true, dup: true });
    }

    #[test]
    fn a_word_that_wants_a_digit_and_has_none_is_no_marker() {
        assert_eq!(Outcome::of("acct_nsf", Direction::Debit), Outcome::Seeded);
        assert_eq!(Outcome::of("acct_latex", Direction::Debit), Outcome::Seeded);
        assert_eq!(Outcome::of("nsf_nsf3", Direction::Debit), Outcome::Shortage { first: 3 });
        assert_eq!(Outcome::of("nsf25", Direction::Debit), Outcome::Shortage { first: 2 });
    }

    #[test]
    fn an_event_comes_between_18_and_20_hours_into_its_day_so_that_the_next_run_reads_it() {
        for number in 1..500 {
            for event in story(teller("acct_ok", Direction::Debit, number)) {
                let hours = (event.at - created_at()).num_hours();
                assert!((18..20).contains(&hours), "{hours}");
            }
        }
    }

    #[test]
    fn without_a_marker_the_seed_decides_and_decides_the_same_again() {
        let stories = |seed: &str| -> Vec<Vec<Event>> {
            (1..=10_000)
                .map(|number| story(Teller { seed, ..teller("acct_8841", Direction::Debit, number) }))
                .collect()
        };
        let first = stories("1");
        assert_eq!(first, stories("1"));
        assert_ne!(first, stories("2"));

        let count = |wanted: &dyn Fn(&[Event]) -> bool| first.iter().filter(|events| wanted(events)).count();
        let silent = count(&|events| events.is_empty());
        let collected = count(&|events| matches!(events, [event] if event.status == Status::Success));
        let short = count(&|events| matches!(events, [event] if event.code == "R01"));
        let hard = count(&|events| matches!(events, [event] if HARD_RETURNS.contains(&event.code)));
        assert_eq!(silent + collected + short + hard, 10_000);
        assert!((8_800..9_300).contains(&collected), "{collected} collected");
        assert!((600..1_000).contains(&short), "{short} without funds");
        assert!((50..150).contains(&silent), "{silent} silent");
        assert!((15..80).contains(&hard), "{hard} hard returns");
    }
}
