//! A book of credits that lives day by day: runs at 06:00, and a bank that reports what moved a day later.

use std::collections::BTreeSet;

use futures_executor::block_on;
use paydown::credit::{Facts, State};
use paydown::date::{Instant, days_before, text};
use paydown::id::{self, CreditId};
use paydown::money::Cents;
use paydown_edge::ledger::facts::facts;
use paydown_edge::ports::Clock;
use paydown_edge::processor::{Direction, body};
use paydown_edge::run::{Opened, daily};
use paydown_tests::figures::differences;
use paydown_tests::memory::World;
use paydown_tests::processor::FakeReport;

/// A world, and what its bank will report.
pub struct Book {
    pub world: World,
    pub credits: Vec<CreditId>,
    reported: BTreeSet<String>,
    rows: Vec<(Instant, String)>,
    fails: Vec<(&'static str, &'static str)>,
}

impl Book {
    /// An empty book on 5 January 2026, a Monday.
    pub fn new() -> Book {
        let world = World::at("2026-01-05T05:00:00Z");
        Book { world, credits: vec![], reported: BTreeSet::new(), rows: vec![], fails: vec![] }
    }

    /// Debits of this account will fail with this code.
    pub fn fails(&mut self, account: &'static str, code: &'static str) {
        self.fails.push((account, code));
    }

    /// Debits of this account fail no more.
    pub fn recovers(&mut self, account: &str) {
        self.fails.retain(|(failing, _)| *failing != account);
    }

    /// Records a credit of 12.00 in 12 weekly installments, already submitted and named.
    pub fn advance(&mut self, account: &str) -> CreditId {
        self.advance_on(5, account, 12)
    }

    /// The same an hour before the run of a day, in so many installments.
    pub fn advance_on(&mut self, day: u32, account: &str, installments: u32) -> CreditId {
        let created_at = at(day).and_then(|at| at.checked_sub_signed(chrono::TimeDelta::hours(1)));
        let created_at = created_at.expect("an instant");
        let milliseconds = u64::try_from(created_at.timestamp_millis()).expect("an instant of our time");
        let number = self.credits.len() as u64;
        let credit = CreditId(id::created(id::bucket(account), milliseconds + number, [7; 8]));
        let amount = Cents::new(1200).expect("an amount");
        let body = body(Direction::Credit, account, "paydown_funding", amount, credit.0).expect("a body");
        let created_at = text(created_at);
        self.execute(&format!(
            "INSERT INTO credits VALUES ('{credit}', '{account}', 1200, 0, 'USD', {installments}, 7, '{body}', '{created_at}')"
        ));
        self.execute(&format!(
            "INSERT INTO credit_transactions VALUES ('{credit}', 'tx_{credit}', '{created_at}')"
        ));
        self.row(day + 1, &format!("tx_{credit},success,"));
        self.credits.push(credit);
        credit
    }

    /// A credit of the 6th, of which the bank first reports on the 13th, when its first debit is due.
    pub fn advance_late(&mut self, account: &str) -> CreditId {
        let credit = self.advance_on(6, account, 12);
        self.forget(&format!("tx_{credit}"));
        self.row(13, &format!("tx_{credit},success,"));
        credit
    }

    pub fn execute(&self, sql: &str) {
        self.world.database.sqlite.execute(sql).expect("the SQL of a test is valid");
    }

    /// Runs the days from one of January 2026 to another, both included, each at 06:00.
    pub fn live(&mut self, days: std::ops::RangeInclusive<u32>) {
        for day in days {
            let opened = self.run(day);
            assert!(matches!(opened, Opened::Open(_)), "day {day}: {opened:?}");
        }
    }

    /// The same, and nobody looks at the figures.
    pub fn live_unseen(&mut self, days: std::ops::RangeInclusive<u32>) {
        for day in days {
            let opened = self.only_run(day);
            assert!(matches!(opened, Ok(Opened::Open(_))), "day {day}: {opened:?}");
        }
    }

    /// The run of a day of January 2026 (32 is 1 February, and so on), which must end without a fault.
    pub fn run(&mut self, day: u32) -> Opened {
        self.try_run(day).expect("the run ends without a fault")
    }

    /// The run of a day, with whatever fault it ends with. However it ends, the figures are right.
    pub fn try_run(&mut self, day: u32) -> Result<Opened, paydown_edge::error::Fault> {
        let opened = self.only_run(day);
        self.figures_are_right();
        opened
    }

    /// The same, and nobody looks at the figures.
    pub fn only_run(&mut self, day: u32) -> Result<Opened, paydown_edge::error::Fault> {
        let as_of = at(day).expect("an instant");
        self.world.clock.set(as_of);
        self.world.processor.set_report(self.report(as_of));
        let opened = block_on(daily(&self.world.ports(), as_of));
        self.bank_notes_what_moved(as_of);
        opened
    }

    /// That the figures are those of the whole book.
    pub fn figures_are_right(&self) {
        let at = block_on(self.world.clock.now()).expect("the clock says an instant");
        differences(&self.world.database.sqlite, &self.world.settings.zone, at).expect("the same figures");
    }

    /// The bank never reports this transaction.
    pub fn forget(&mut self, transaction: &str) {
        self.rows.retain(|(_, row)| !row.starts_with(transaction));
    }

    /// A run of any instant, with the report that was given to the processor last.
    pub fn run_at(&self, as_of: Instant) -> Opened {
        block_on(daily(&self.world.ports(), as_of)).expect("the run ends without a fault")
    }

    /// Adds a row to the bank's report from a day on.
    pub fn row(&mut self, day: u32, row: &str) {
        self.rows.push((at(day).expect("an instant"), row.to_owned()));
    }

    /// The report as the bank gives it now: the rows of the last five days.
    pub fn report(&self, as_of: Instant) -> FakeReport {
        let recent = self.rows.iter().filter(|(at, _)| *at <= as_of && *at >= days_before(as_of, 5));
        FakeReport::of(&recent.map(|(at, row)| format!("{row},{}", text(*at))).collect::<Vec<_>>())
    }

    /// Each debit that moved since is reported twenty hours later.
    pub fn bank_notes_what_moved(&mut self, now: Instant) {
        let settled = now.checked_add_signed(chrono::TimeDelta::hours(20)).expect("an instant");
        for (key, transaction) in self.world.processor.moved() {
            if !self.reported.insert(key.clone()) {
                continue;
            }
            let call =
                self.world.processor.calls().into_iter().find(|call| call.key == key).expect("it was called");
            let code =
                self.fails.iter().find(|(account, _)| call.body.contains(account)).map(|(_, code)| *code);
            let status = if code.is_some() { "failure" } else { "success" };
            self.rows.push((settled, format!("{transaction},{status},{}", code.unwrap_or_default())));
        }
    }

    pub fn facts(&self, credit: CreditId) -> Facts {
        let found = block_on(facts(&*self.world.database, &[credit])).expect("the facts can be read");
        found.into_iter().next().expect("the credit exists")
    }

    pub fn state(&self, credit: CreditId) -> State {
        State::of(&self.facts(credit))
    }

    /// The kinds of the open exceptions, sorted.
    pub fn open(&self) -> Vec<String> {
        self.world.query(
            "SELECT kind FROM exceptions WHERE id NOT IN (SELECT exception_id FROM resolutions) ORDER BY kind",
        )
    }

    /// All facts that the law speaks of, to compare two books by.
    pub fn everything(&self) -> Vec<String> {
        let tables = [
            "SELECT credit_id || sequence || amount || due_date || reason || coalesce(replaces, '') FROM debits",
            "SELECT debit_id || at || body FROM processed_debits",
            "SELECT debit_id || transaction_id FROM debit_transactions",
            "SELECT debit_id || because FROM cancellations",
            "SELECT subject_id || outcome || coalesce(code, '') || at FROM words",
            "SELECT transaction_id || subject_id || at || status || code FROM observations",
            "SELECT subject_id FROM timeouts",
            "SELECT credit_id || turn FROM decisions",
            "SELECT kind || subject FROM exceptions",
            "SELECT e.kind || e.subject FROM resolutions r JOIN exceptions e ON e.id = r.exception_id",
            "SELECT credit_id FROM holds",
            "SELECT kind || run_id || credit_id FROM carried_over",
            "SELECT run_id || status || reasons || counts FROM run_closings",
        ];
        let sorted = |sql: &&str| self.world.query(&format!("{sql} ORDER BY 1"));
        tables.iter().flat_map(sorted).collect()
    }
}

/// 06:00 of a day of January 2026; 32 is 1 February, and so on.
pub fn at(day: u32) -> Option<Instant> {
    let first: Instant = "2026-01-01T06:00:00Z".parse().ok()?;
    first.checked_add_signed(chrono::TimeDelta::days(i64::from(day) - 1))
}
