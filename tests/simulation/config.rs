//! What a world is like: its size, its calendar, and which troubles come over it how often. All of it from one seed.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta, Weekday};
use paydown::api::Intake;
use paydown::calendar::DueDateRoll;
use paydown::date::Zone;

use crate::dice::Dice;

macro_rules! troubles {
    ($($name:ident = $text:literal, $most:literal;)*) => {
        /// Something that goes wrong, or that people do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Trouble {
            $(#[doc = $text] $name,)*
        }

        impl Trouble {
            /// All of them.
            pub const ALL: &[Trouble] = &[$(Trouble::$name),*];

            /// What it is called in figures and stories.
            pub const fn name(self) -> &'static str {
                match self { $(Trouble::$name => $text),* }
            }

            /// How many times in a thousand it comes at most, each time that it could.
            const fn most(self) -> u64 {
                match self { $(Trouble::$name => $most),* }
            }
        }
    };
}

troubles! {
    LostAnswer = "answer lost, money moved", 150;
    LostForDays = "answers lost for days, money moved", 150;
    BrokenAnswer = "answer 5xx, nothing moved", 150;
    LateAnswer = "no answer, money moved later", 100;
    SlowDown = "answer 429", 60;
    Misconfigured = "answer 401", 30;
    Refused = "call refused", 80;
    Insufficient = "outcome: insufficient funds", 400;
    NoCode = "outcome: failure without code", 150;
    HardReturn = "outcome: hard return", 40;
    UnknownCode = "outcome: unknown code", 60;
    Silent = "outcome: silence", 120;
    Returned = "outcome: returned after success", 100;
    Contradicting = "outcome: contradicting words", 100;
    AdvanceFails = "outcome: the advance fails", 80;
    LateWord = "word reported late", 80;
    NoReport = "report missing", 200;
    NoReportForDays = "report missing for days", 300;
    BrokenOff = "report broken off", 200;
    WrongLength = "report of a wrong length", 150;
    ServerError = "report with status 500", 100;
    NoHeader = "report without header", 60;
    EmptyReport = "report empty", 80;
    ShortReport = "report short", 100;
    StaleReport = "report stale", 80;
    Shuffled = "report shuffled", 500;
    Doubled = "report rows doubled", 300;
    Foreign = "report with foreign rows", 100;
    Malformed = "report with malformed rows", 100;
    MissedCron = "cron missed", 150;
    LongSilence = "cron missed for days", 15;
    DoubledCron = "cron doubled", 150;
    Interleaved = "two at once", 250;
    SecondRun = "second run on a date", 100;
    BatchBefore = "batch failed, nothing persisted", 40;
    BatchAfter = "batch failed after it persisted", 40;
    ArchiveFault = "archive failed", 40;
    Crash = "crash", 250;
    Hold = "operator holds", 40;
    Release = "operator releases", 40;
    Decide = "operator decides", 120;
    Mistake = "operator errs", 500;
    Attach = "operator attaches", 100;
    ExternalPayment = "operator takes a payment", 80;
    Revoke = "operator revokes a payment", 60;
    Refund = "operator refunds", 200;
    WriteOff = "operator writes off", 15;
    PayOff = "operator pays off", 20;
    Pause = "operator pauses", 30;
    Resolve = "operator resolves", 300;
    Stop = "operator stops", 30;
    RepeatedRequest = "request repeated", 300;
    GivenUp = "client gives up", 200;
    Message = "message doubled or late", 300;
    ClockStep = "clock steps", 100;
}

impl Trouble {
    /// Whether a report looks whole and is not, so that a debit may time out although its word was said.
    pub const fn deceives(self) -> bool {
        matches!(self, Trouble::EmptyReport | Trouble::ShortReport | Trouble::StaleReport | Trouble::LateWord)
    }
}

/// A world to live through.
#[derive(Debug, Clone)]
pub struct Config {
    /// From which all chance follows.
    pub seed: u64,
    /// How many days it has troubles for.
    pub days: u64,
    /// How many advances are asked for.
    pub credits: u64,
    /// Over how many accounts.
    pub accounts: u64,
    /// Within how many days.
    pub asking_days: u64,
    /// The troubles that are switched on, and how many times in a thousand each comes.
    pub odds: BTreeMap<Trouble, u64>,
    /// The first day, RFC 3339.
    pub begins: &'static str,
    /// What comes first for an advance.
    pub intake: Intake,
    /// How many statements one invocation of a run may use.
    pub statements: u32,
    /// How many credits a part of a stage has, and how many bytes a part of a report.
    pub parts: (u32, u64),
    /// For how many days the processor remembers a key, as far as we know.
    pub key_days: Option<u32>,
    /// Whether two failures in a row hold an account.
    pub two_strikes: bool,
    /// Whether due dates roll onto banking days.
    pub due_date_roll: DueDateRoll,
    /// The business time zone.
    pub zone: Zone,
    /// Whether the bank's report names our ids.
    pub names_reference: bool,
}

/// The days before which something happens to the calendar.
const BEGINNINGS: [&str; 6] = [
    "2026-01-05T00:00:00Z",
    "2026-12-10T00:00:00Z",
    "2028-02-10T00:00:00Z",
    "2027-11-20T00:00:00Z",
    "2099-12-01T00:00:00Z",
    "2026-03-01T00:00:00Z",
];

/// How many credits a world has at most whose stages are divided: every few of them are a message.
const MOST_WITH_PARTS: u64 = 12;

/// What parts have on the platform: more than a world has.
const PARTS: (u32, u64) = (10_000, 32 << 20);

impl Config {
    /// The world of a seed; `full` allows for the large and the long ones.
    pub fn of(seed: u64, full: bool) -> Config {
        let dice = Dice::new(seed);
        let is_large = full && dice.of("large").chance(10);
        let is_long = full && dice.of("long").chance(30);
        let days = if is_long { dice.of("days").between(121, 300) } else { days(dice.of("days")) };
        let credits = if is_large { dice.of("credits").between(40, 200) } else { size(dice.of("credits")) };
        Config {
            seed,
            days,
            credits,
            accounts: (credits * 2 / 3).max(1),
            asking_days: dice.of("asking").between(1, days / 2),
            odds: odds(dice.of("odds")),
            begins: dice.of("begins").pick(&BEGINNINGS),
            intake: if dice.of("intake").chance(250) { Intake::Queue } else { Intake::Direct },
            statements: dice.of("statements").pick(&[800, 800, 60, 30]),
            parts: if credits > MOST_WITH_PARTS { PARTS } else { parts(dice.of("parts")) },
            key_days: dice.of("key days").pick(&[None, None, None, Some(1), Some(2), Some(6)]),
            two_strikes: dice.of("strikes").chance(200),
            due_date_roll: if dice.of("roll").chance(300) {
                DueDateRoll::Following
            } else {
                DueDateRoll::None
            },
            zone: zone(dice.of("zone")),
            names_reference: dice.of("reference").chance(300),
        }
    }

    /// Whether each report that looks whole is.
    pub fn is_honest(&self) -> bool {
        !self.odds.keys().any(|trouble| trouble.deceives())
    }
}

/// The years that worlds may see.
const YEARS: std::ops::RangeInclusive<i32> = 2025..=2115;

/// Half of the worlds keep their books in UTC, the others east of it, or where the clocks change.
fn zone(dice: Dice) -> Zone {
    let hours_east = match dice.below(10) {
        0 => return zone_of(5 * 3600 + 1800, false),
        1 => return zone_of(13 * 3600, false),
        2 => -5,
        // The cron's instant lies at midnight there.
        3 => -7,
        4 => -8,
        _ => return Zone::default(),
    };
    zone_of(hours_east * 3600, true)
}

/// A zone so many seconds east of UTC; where the clocks change, from the second Sunday of March at two to the first of
/// November at two.
fn zone_of(seconds_east: i32, changes: bool) -> Zone {
    let sunday = |year, month, which| {
        NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, which).expect("a Sunday")
    };
    let two_o_clock = |day: NaiveDate, offset: i32| {
        (day.and_hms_opt(2, 0, 0).expect("two o'clock") - TimeDelta::seconds(offset.into())).and_utc()
    };
    let summer = seconds_east + 3600;
    let mut transitions = vec![("1970-01-01T00:00:00Z".parse().expect("an instant"), seconds_east)];
    for year in YEARS.filter(|_| changes) {
        transitions.push((two_o_clock(sunday(year, 3, 2), seconds_east), summer));
        transitions.push((two_o_clock(sunday(year, 11, 1), summer), seconds_east));
    }
    Zone::new(transitions)
}

/// How many credits a part of a stage has, and how many bytes a part of a report.
fn parts(dice: Dice) -> (u32, u64) {
    dice.pick(&[PARTS, PARTS, PARTS, (2, 300), (3, PARTS.1), (7, 1000)])
}

/// Most worlds are small, where the same few credits meet each other's troubles.
fn size(dice: Dice) -> u64 {
    if dice.of("small").chance(850) { dice.between(1, 5) } else { dice.between(6, 30) }
}

/// Most worlds are short, and end in the calm that brings out what went wrong.
fn days(dice: Dice) -> u64 {
    if dice.of("short").chance(850) { dice.between(12, 45) } else { dice.between(46, 120) }
}

/// Each trouble is on in half of the worlds; those that deceive in half of those at most.
fn odds(dice: Dice) -> BTreeMap<Trouble, u64> {
    let is_honest = dice.of("honest").chance(500);
    let severity = dice.of("severity").pick(&[100_u64, 300, 1000]);
    let mut odds = BTreeMap::new();
    for trouble in Trouble::ALL {
        let dice = dice.of(trouble.name());
        if dice.of("on").chance(500) && !(is_honest && trouble.deceives()) {
            let most = trouble.most().saturating_mul(severity) / 1000;
            odds.insert(*trouble, dice.between(1, most.max(2)));
        }
    }
    odds
}
