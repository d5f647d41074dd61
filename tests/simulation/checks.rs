//! What must hold after every run and every day, worked out apart from the product: from the tables, from the
//! archived reports and from the bank's own books. It shares with core the sums of a credit's facts, no decision.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_executor::block_on;
use paydown::api::Refund;
use paydown::calendar::{Calendar, DueDateRoll, FederalReserve};
use paydown::credit::{CreditStatus, DebitFacts, DebitStatus, Facts, Kind, Reason, RefundStatus, State};
use paydown::date::{Instant, Zone, days_before, days_passed};
use paydown::id::CreditId;
use paydown::journal::{Entry, LedgerAccount, balances, entries};
use paydown::money::Cents;
use paydown::observation::{Outcome, Source};
use paydown_edge::ledger::facts::facts;
use paydown_edge::ledger::journal::{JournalPlace, JournalWanted, examined, histories};
use paydown_tests::figures::differences;
use paydown_tests::memory::MemoryArchive;
use paydown_tests::replay::replay;
use paydown_tests::sqlite::Sqlite;
use serde_json::Value;
use uuid::Uuid;

use crate::bank::{Bank, Transaction};
use crate::scene::Scene;

/// The tables that every run adds to, whatever it finds.
const OF_RUNS: [&str; 6] = ["runs", "run_stages", "run_parts", "run_closings", "reports", "carried_over"];

/// The limits of the law.
const TIMEOUT_DAYS: u32 = 5;

/// On every so many days with new facts the journal and the events are held against them, and in the end.
const JOURNAL_DAYS: u64 = 5;

pub struct Checks {
    scene: Arc<Scene>,
    sqlite: Arc<Sqlite>,
    archive: Arc<MemoryArchive>,
    bank: Arc<Bank>,
    rows: BTreeMap<String, u64>,
    held_before: BTreeSet<CreditId>,
    seen_timeouts: BTreeSet<String>,
    said: Said,
    journal: BTreeMap<CreditId, Vec<Entry>>,
    days: u64,
}

/// What the archived reports say.
#[derive(Default)]
struct Said {
    read: BTreeSet<String>,
    /// Of a transaction, or of one of our ids: success or not, and when.
    words: BTreeMap<String, BTreeSet<(Instant, bool)>>,
}

/// An event as it is kept.
#[derive(Debug, serde::Deserialize)]
struct Told {
    number: u64,
    kind: String,
    credit_id: Option<String>,
    subject_id: String,
    turn: Option<u32>,
}

impl Told {
    fn text(&self) -> String {
        let turn = self.turn.map(|turn| turn.to_string()).unwrap_or_default();
        format!("{} {} {turn}", self.kind, self.subject_id)
    }
}

/// What is to be told of the facts, but for the transactions of debits.
const TO_BE_TOLD: &str = "
SELECT iif(w.outcome = 'failure', 'debit.failed', iif(w.outcome = 'returned', 'debit.returned', 'debit.collected'))
  || ' ' || w.subject_id || ' ' || w.turn FROM words w JOIN debits d ON d.id = w.subject_id
UNION ALL
SELECT 'credit.confirmed ' || subject_id || ' ' || turn FROM (
  SELECT *, lag(outcome) OVER (PARTITION BY subject_id ORDER BY turn) AS before FROM words WHERE subject_id = credit_id)
WHERE outcome IN ('success', 'recovered') AND coalesce(before, '') NOT IN ('success', 'recovered')
UNION ALL
SELECT 'debit.timed_out ' || t.subject_id || ' ' || x.turn
FROM timeouts t JOIN debits d ON d.id = t.subject_id JOIN decisions x ON x.id = t.decision_id
UNION ALL
SELECT 'credit.' || status || ' ' || credit_id || ' ' || turn FROM standings
UNION ALL
SELECT 'exception.opened ' || id || ' ' FROM exceptions
UNION ALL
SELECT 'exception.closed ' || exception_id || ' ' FROM resolutions
UNION ALL
SELECT 'run.completed ' || run_id || ' ' FROM run_closings";

/// One debit, with what its facts say of it.
#[derive(Clone)]
struct Debit {
    facts: DebitFacts,
    timed_out: bool,
}

/// One credit, with what the tables say besides its facts.
struct Book {
    facts: Facts,
    state: State,
    debits: Vec<(Debit, DebitStatus)>,
    label: String,
}

impl Checks {
    pub fn new(
        scene: Arc<Scene>,
        sqlite: Arc<Sqlite>,
        archive: Arc<MemoryArchive>,
        bank: Arc<Bank>,
    ) -> Checks {
        Checks {
            scene,
            sqlite,
            archive,
            bank,
            rows: BTreeMap::new(),
            held_before: BTreeSet::new(),
            seen_timeouts: BTreeSet::new(),
            said: Said::default(),
            journal: BTreeMap::new(),
            days: 0,
        }
    }

    /// After every day.
    pub fn day(&mut self) -> Result<(), String> {
        if !self.facts_are_only_added()? {
            return Ok(());
        }
        let books = self.books();
        let open = self.open();
        for book in &books {
            self.law_holds(book)?;
            self.a_person_is_told(book, &open)?;
            plan_is_sound(book)?;
            if self.scene.config.due_date_roll == DueDateRoll::Following {
                due_on_banking_days(book)?;
            }
            excess_is_explained(book)?;
        }
        self.turns_are_in_order()?;
        self.account_is_held()?;
        self.figures_are_of_the_book()?;
        self.intents_were_allowed()?;
        self.bank_agrees(&books)?;
        self.days += 1;
        if self.days.is_multiple_of(JOURNAL_DAYS) {
            self.journal_agrees(&books)?;
            self.events_agree(&books)?;
        }
        self.timeouts_are_silent()?;
        self.held_before = books
            .iter()
            .filter(|book| book.state.status() == CreditStatus::Held)
            .map(|book| book.facts.id)
            .collect();
        Ok(())
    }

    /// Whether the run of an instant was closed.
    pub fn is_closed(&self, as_of: Instant) -> bool {
        !self.closing(as_of).is_empty()
    }

    /// The latest run, if it was not closed.
    pub fn left_open(&self) -> Option<String> {
        let latest = "SELECT as_of FROM (SELECT id, as_of FROM runs ORDER BY as_of DESC LIMIT 1) AS latest
            WHERE NOT EXISTS (SELECT 1 FROM run_closings WHERE run_id = latest.id)";
        self.sqlite.query(latest).into_iter().next()
    }

    fn closing(&self, as_of: Instant) -> Vec<String> {
        self.sqlite.query(&format!(
            "SELECT json_array(c.status, c.reasons) FROM run_closings c JOIN runs r ON r.id = c.run_id
             WHERE r.as_of = '{}'",
            paydown::date::text(as_of)
        ))
    }

    /// After a run that ended by itself, before anything else happens.
    pub fn after_run(&mut self, as_of: Instant) -> Result<(), String> {
        let closing = self.closing(as_of);
        let Some(closing) = closing.first() else { return Err("the run ended and is not closed".into()) };
        if closing.contains("L10") {
            return Err(format!("the run itself finds: {closing}"));
        }
        self.read_reports();
        let books = self.books();
        for book in &books {
            self.words_are_taken(book, as_of)?;
            self.silence_is_seen(book, as_of)?;
            self.unknowns_are_told(book, as_of)?;
        }
        let is_stopped =
            self.sqlite.query("SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1") == ["stop"];
        if closing.contains("\"complete\"") && !is_stopped {
            let zone = &self.scene.config.zone;
            books.iter().try_for_each(|book| due_was_issued(book, zone, as_of))?;
            self.two_strikes_hold(&books)?;
        }
        Ok(())
    }

    /// Whether each credit is repaid, failed or written off.
    pub fn all_is_done(&self) -> bool {
        self.what_is_left().is_empty()
    }

    /// The credits that are not at their end.
    pub fn what_is_left(&self) -> Vec<String> {
        let books = self.books();
        let is_pending = |refund: Refund| match refund.status {
            RefundStatus::Processing | RefundStatus::Submitted | RefundStatus::Unconfirmed => true,
            RefundStatus::Confirmed | RefundStatus::Failed => false,
        };
        let gives_back = |book: &Book| Refund::of(&book.facts).into_iter().any(is_pending);
        let left = books.iter().filter(|book| match book.state.status() {
            _ if gives_back(book) => true,
            CreditStatus::Repaid | CreditStatus::Failed | CreditStatus::WrittenOff => false,
            CreditStatus::Pending | CreditStatus::Unconfirmed | CreditStatus::Held | CreditStatus::Active => {
                true
            }
        });
        left.map(|book| {
            let debits: Vec<String> = book
                .debits
                .iter()
                .map(|(d, status)| format!("{} {status:?} {}", d.facts.sequence, d.facts.amount))
                .collect();
            format!("{} is {:?} with {debits:?}", book.label, book.state.status())
        })
        .collect()
    }

    /// Whoever reads the journal by time, from its first day to the last, comes upon each entry.
    fn journal_is_found(&self) -> Result<(), String> {
        let mut wanted = JournalWanted { from: JournalPlace::default(), before: "Z".to_owned(), limit: 300 };
        let mut found = BTreeSet::new();
        loop {
            let seen = block_on(examined(&*self.sqlite, &wanted)).expect("the journal can be read");
            let moving = seen.iter().filter(|candidate| candidate.may_move);
            found.extend(moving.map(|candidate| (candidate.credit_id, candidate.turn)));
            let Some(last) = seen.last().filter(|_| seen.len() == wanted.limit) else { break };
            wanted.from = JournalPlace { at: last.at.clone(), id: last.id.clone(), lines: 0 };
        }
        for (credit, entries) in &self.journal {
            if let Some(entry) = entries.iter().find(|entry| !found.contains(&(*credit, entry.turn))) {
                return Err(format!("nobody who reads the journal comes upon {entry:?}"));
            }
        }
        Ok(())
    }

    /// When all was said: what the journal has in cash is what the bank moved, but for debits whose answer nobody knows.
    fn cash_is_the_banks(
        &self,
        book: &Book,
        transactions: &BTreeMap<String, Transaction>,
    ) -> Result<(), String> {
        let moved = |id: String, amount: Cents| {
            if transactions.get(&id).is_some_and(|t| t.has_moved()) { amount.signed() } else { 0 }
        };
        let known = book.debits.iter().filter(|(_, status)| *status != DebitStatus::Processing);
        let collected: i128 = known.map(|(d, _)| moved(d.facts.id.to_string(), d.facts.amount)).sum();
        let refunded: i128 = book.facts.refunds.iter().map(|r| moved(r.id.to_string(), r.amount)).sum();
        let bank = collected - refunded - moved(book.facts.id.to_string(), book.facts.terms.amount);
        let said = self.journal.get(&book.facts.id).map(balances).unwrap_or_default();
        let cash = said.get(&LedgerAccount::Cash).copied().unwrap_or(0);
        self.scene
            .count("entries of the journal", self.journal.get(&book.facts.id).map_or(0, Vec::len) as u64);
        if cash == bank { Ok(()) } else { Err(format!("{}: in cash {cash}, at the bank {bank}", book.label)) }
    }

    /// When all was said: our sums are the bank's, and the inputs alone give the same book (L10.4).
    pub fn end(&mut self) -> Result<(), String> {
        let replayed = replay(&self.sqlite, &|key| self.archive.object(key));
        self.scene.count("credits replayed", replayed.credits.len() as u64);
        if !replayed.is_equal() {
            return Err(format!("the inputs do not give this book: {}", replayed.told()));
        }
        let books = self.books();
        self.journal_agrees(&books)?;
        self.events_agree(&books)?;
        self.journal_is_found()?;
        let transactions = self.bank.transactions();
        for book in books {
            self.scene.count("credits", 1);
            self.cash_is_the_banks(&book, &transactions)?;
            self.scene.count(
                "debits submitted",
                book.debits.iter().filter(|(d, _)| d.facts.submitted_at.is_some()).count() as u64,
            );
            self.scene.count("repaid", u64::from(book.state.status() == CreditStatus::Repaid));
            let mut sum = 0;
            for (debit, status) in &book.debits {
                let moved = transactions.get(&debit.facts.id.to_string()).is_some_and(|t| t.has_moved());
                let unknown = *status == DebitStatus::Processing;
                if moved && !unknown {
                    sum += debit.facts.amount.signed();
                }
                if moved != (*status == DebitStatus::Collected) && !unknown {
                    return Err(format!(
                        "{}/{} is {status:?}, and at the bank the money moved: {moved}",
                        book.label, debit.facts.sequence
                    ));
                }
            }
            for refund in Refund::of(&book.facts) {
                let moved = transactions.get(&refund.id.to_string()).is_some_and(|t| t.has_moved());
                self.scene.count("refunds", 1);
                if moved != (refund.status == RefundStatus::Confirmed) {
                    let (label, status) = (&book.label, refund.status);
                    return Err(format!(
                        "a refund of {label} is {status:?}, and at the bank it moved: {moved}"
                    ));
                }
            }
            if sum != book.state.balances().collected {
                return Err(format!(
                    "{}: the bank took {sum}, we say {}",
                    book.label,
                    book.state.balances().collected
                ));
            }
        }
        Ok(())
    }

    // --- what there is ---

    fn books(&self) -> Vec<Book> {
        let ids: Vec<CreditId> = self
            .sqlite
            .query("SELECT id FROM credits ORDER BY amount, account_id")
            .iter()
            .map(|id| CreditId(id.parse::<Uuid>().expect("an id")))
            .collect();
        let found = block_on(facts(&*self.sqlite, &ids)).expect("the facts can be read");
        let book = |facts: Facts| {
            let state = State::of(&facts);
            let statuses: Vec<DebitStatus> = state.debit_statuses().map(|(_, status)| status).collect();
            let debits = debits_of(&facts).into_iter().zip(statuses).collect();
            let label = format!("the credit of {} cents to {}", facts.terms.amount, facts.account_id);
            Book { facts, state, debits, label }
        };
        found.into_iter().map(book).collect()
    }

    /// The exceptions that are open, by id.
    fn open(&self) -> BTreeSet<String> {
        self.sqlite
            .query("SELECT id FROM exceptions WHERE id NOT IN (SELECT exception_id FROM resolutions)")
            .into_iter()
            .collect()
    }

    /// What the dashboard shows is what the whole book comes to, as of any day.
    fn figures_are_of_the_book(&self) -> Result<(), String> {
        let last = self.sqlite.query("SELECT max(as_of) FROM runs");
        let at = last.first().and_then(|as_of| as_of.parse().ok());
        at.map_or(Ok(()), |at| differences(&self.sqlite, &self.scene.config.zone, at))
    }

    // --- L10.3 ---

    /// Gives whether there are new facts of credits: what stands as it stood was checked.
    fn facts_are_only_added(&mut self) -> Result<bool, String> {
        let mut has_new = false;
        let tables = self.sqlite.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
        let counts = tables.iter().map(|table| format!("SELECT count(*) FROM {table}")).collect::<Vec<_>>();
        let counts = self.sqlite.query(&counts.join(" UNION ALL "));
        for (table, count) in tables.into_iter().zip(counts) {
            let count = count.parse().expect("a number");
            let before = self.rows.insert(table.clone(), count).unwrap_or(0);
            if count < before {
                return Err(format!("{table} had {before} rows and has {count}"));
            }
            has_new |= count > before && !OF_RUNS.contains(&table.as_str());
        }
        Ok(has_new)
    }

    // --- L10.2 and L10.6 ---

    fn law_holds(&self, book: &Book) -> Result<(), String> {
        let is_scheduled = |(_, status): &&(Debit, DebitStatus)| *status == DebitStatus::Scheduled;
        if let Some((debit, _)) = book.debits.iter().find(is_scheduled).filter(|_| book.facts.written_off) {
            return Err(format!(
                "L8 of {}: it was written off, and debit {} is scheduled",
                book.label, debit.facts.sequence
            ));
        }
        match book.state.breaches().first() {
            None => Ok(()),
            Some(breach) => Err(format!("L10.2 of {}: {breach}", book.label)),
        }
    }

    fn a_person_is_told(&self, book: &Book, open: &BTreeSet<String>) -> Result<(), String> {
        let told = |kind: Kind| {
            let of_kind = || book.facts.exceptions.iter().filter(move |e| e.kind == kind);
            of_kind().any(|e| e.open || self.closed_by_a_person(e.id.to_string()))
        };
        let missing = |kind: Kind| Err(format!("L10.6 of {}: no {} is open", book.label, kind.name()));
        for hold in book.facts.holds.iter().filter(|hold| !hold.released) {
            if !open.contains(&hold.exception_id.to_string()) {
                return Err(format!("L10.6 of {}: it is held, and the exception is closed", book.label));
            }
        }
        let own_words: Vec<Outcome> =
            book.facts.words.iter().filter(|w| w.subject == book.facts.id.0).map(|w| w.outcome).collect();
        match book.state.status() {
            CreditStatus::Held if !book.facts.holds.iter().any(|hold| !hold.released) => {
                return Err(format!("L10.6 of {}: held by nothing", book.label));
            }
            CreditStatus::Unconfirmed if !told(Kind::CreditUnconfirmed) => {
                return missing(Kind::CreditUnconfirmed);
            }
            CreditStatus::Failed if book.state.is_planned() && !told(Kind::CreditReturned) => {
                return missing(Kind::CreditReturned);
            }
            CreditStatus::Held
            | CreditStatus::Unconfirmed
            | CreditStatus::Failed
            | CreditStatus::Pending
            | CreditStatus::WrittenOff
            | CreditStatus::Repaid
            | CreditStatus::Active => {}
        }
        if own_words.contains(&Outcome::Recovered) && !told(Kind::CreditContradiction) {
            return missing(Kind::CreditContradiction);
        }
        let balances = book.state.balances();
        if balances.paid > balances.total && !told(Kind::OverCollected) {
            return missing(Kind::OverCollected);
        }
        // A credit that failed owes nothing; of any other the plan stands for what was refunded too much.
        if balances.total == 0 && balances.paid < 0 && !told(Kind::OverRefunded) {
            return missing(Kind::OverRefunded);
        }
        Ok(())
    }

    fn closed_by_a_person(&self, exception: String) -> bool {
        let closed =
            format!("SELECT 1 FROM resolutions WHERE exception_id = '{exception}' AND actor <> 'paydown'");
        !self.sqlite.query(&closed).is_empty()
    }

    // --- L3 ---

    /// The decisions of each credit are numbered without a gap, and no run decides after a later one.
    fn turns_are_in_order(&self) -> Result<(), String> {
        let gaps = "SELECT credit_id FROM decisions GROUP BY credit_id HAVING max(turn) + 1 <> count(*)";
        if let Some(credit) = self.sqlite.query(gaps).first() {
            return Err(format!("a turn of {credit} is missing"));
        }
        let overtaken = "SELECT credit_id FROM (
              SELECT credit_id, at, lag(at) OVER (PARTITION BY credit_id ORDER BY turn) AS before
              FROM decisions WHERE run_id IS NOT NULL) WHERE at < before";
        match self.sqlite.query(overtaken).first() {
            None => Ok(()),
            Some(credit) => Err(format!("a run decides on {credit} after a later run did")),
        }
    }

    /// L7: a hard return holds every credit that the account had then.
    fn account_is_held(&self) -> Result<(), String> {
        let free =
            "SELECT other.id || ' by ' || e.id FROM exceptions e JOIN credits own ON own.id = e.credit_id
            JOIN credits other ON other.account_id = own.account_id AND other.created_at <= e.opened_at
            WHERE e.kind = 'hard_return'
              AND NOT EXISTS (SELECT 1 FROM holds WHERE credit_id = other.id AND exception_id = e.id)";
        match self.sqlite.query(free).first() {
            None => Ok(()),
            Some(free) => Err(format!("L7: a hard return does not hold a credit of its account, {free}")),
        }
    }

    /// Each intent was written while nothing stood against it, by the order of the decisions.
    fn intents_were_allowed(&self) -> Result<(), String> {
        let against = self.sqlite.query(
            "WITH intents AS (
               SELECT p.debit_id, p.credit_id, p.at, d.turn FROM processed_debits p JOIN decisions d ON d.id = p.decision_id)
             SELECT 'held: ' || i.debit_id FROM intents i JOIN holds h ON h.credit_id = i.credit_id
               JOIN decisions hd ON hd.id = h.decision_id AND hd.turn < i.turn
               WHERE NOT EXISTS (SELECT 1 FROM releases r JOIN decisions rd ON rd.id = r.decision_id
                 WHERE r.credit_id = h.credit_id AND r.exception_id = h.exception_id AND rd.turn < i.turn)
             UNION ALL
             SELECT 'written off: ' || i.debit_id FROM intents i JOIN write_offs w ON w.credit_id = i.credit_id
               JOIN decisions wd ON wd.id = w.decision_id AND wd.turn < i.turn
             UNION ALL
             SELECT 'cancelled: ' || i.debit_id FROM intents i JOIN cancellations c ON c.debit_id = i.debit_id
             UNION ALL
             SELECT 'not confirmed: ' || i.debit_id FROM intents i
               WHERE coalesce((SELECT outcome FROM words w WHERE w.subject_id = i.credit_id AND w.turn < i.turn
                 ORDER BY w.turn DESC LIMIT 1), 'none') NOT IN ('success', 'recovered')",
        );
        match against.first() {
            None => self.intents_were_on_their_dates(),
            Some(against) => Err(format!("L3: an intent was written against the law, {against}")),
        }
    }

    /// None before its due date, and no two of a credit on one.
    fn intents_were_on_their_dates(&self) -> Result<(), String> {
        let intents = self.sqlite.query(
            "SELECT json_array(p.credit_id, p.at, d.due_date) FROM processed_debits p JOIN debits d ON d.id = p.debit_id",
        );
        let mut dates = BTreeSet::new();
        for intent in intents {
            let [credit, at, due_date]: [String; 3] = serde_json::from_str(&intent).expect("JSON");
            let at: Instant = at.parse().expect("an instant");
            let date = self.scene.config.zone.business_date(at).to_string();
            if due_date > date {
                return Err(format!("L3: a debit of {credit} due on {due_date} was issued on {date}"));
            }
            if !dates.insert((credit.clone(), date.clone())) {
                return Err(format!("L3: two debits of {credit} were issued on {date}"));
            }
        }
        Ok(())
    }

    /// L8: an account on which two debits in a row failed was held for it. Where no word was ever against another.
    fn two_strikes_hold(&self, books: &[Book]) -> Result<(), String> {
        let struck = self.sqlite.query("SELECT DISTINCT subject FROM exceptions WHERE kind = 'two_strikes'");
        let accounts: BTreeSet<&str> = books.iter().map(|book| book.facts.account_id.as_str()).collect();
        let is_asked_for = |account: &&str| {
            self.scene.config.two_strikes && !struck.iter().any(|subject| subject == account)
        };
        for account in accounts.into_iter().filter(is_asked_for) {
            let mut words: BTreeMap<(Instant, Uuid), bool> = BTreeMap::new();
            let mut is_plain = true;
            for book in books.iter().filter(|book| book.facts.account_id == account) {
                let of_debits = book
                    .facts
                    .words
                    .iter()
                    .filter(|w| book.debits.iter().any(|(d, _)| d.facts.id.0 == w.subject));
                for word in of_debits {
                    is_plain &= !words.keys().any(|(_, subject)| *subject == word.subject);
                    words.insert((word.at, word.subject), word.outcome.is_success());
                }
            }
            let outcomes: Vec<bool> = words.into_values().collect();
            if is_plain && outcomes.windows(2).any(|pair| pair == [false, false]) {
                return Err(format!("L8: two debits in a row failed on {account}, and it was not held"));
            }
        }
        Ok(())
    }

    fn unknowns_are_told(&self, book: &Book, as_of: Instant) -> Result<(), String> {
        if !self.held_before.contains(&book.facts.id) || book.state.status() != CreditStatus::Held {
            return Ok(());
        }
        let before = |at: Option<Instant>| at.is_some_and(|at| at < days_before(as_of, 1));
        for (debit, status) in &book.debits {
            let told = || {
                book.facts
                    .exceptions
                    .iter()
                    .any(|e| e.kind == Kind::NoAnswer && e.subject == debit.facts.id.0)
            };
            if *status == DebitStatus::Processing && before(debit.facts.submitted_at) && !told() {
                return Err(format!(
                    "L10.6 of {}: debit {} has no answer, and nobody is told",
                    book.label, debit.facts.sequence
                ));
            }
        }
        Ok(())
    }

    // --- the bank's own books ---

    fn bank_agrees(&self, books: &[Book]) -> Result<(), String> {
        let transactions = self.bank.transactions();
        let debits: BTreeMap<String, (&Book, &Debit)> = books
            .iter()
            .flat_map(|book| {
                book.debits.iter().map(move |(debit, _)| (debit.facts.id.to_string(), (book, debit)))
            })
            .collect();
        let credits: BTreeMap<String, &Book> =
            books.iter().map(|book| (book.facts.id.to_string(), book)).collect();
        let refunds: BTreeMap<String, (&Book, Cents)> = books
            .iter()
            .flat_map(|book| book.facts.refunds.iter().map(move |r| (r.id.to_string(), (book, r.amount))))
            .collect();
        let refused = self.sqlite.query("SELECT subject_id FROM observations WHERE source = 'refusal'");
        if let Some(moved) = refused.iter().find_map(|key| transactions.get(key)) {
            return Err(format!("L3: {} counts as refused, and the money moved", moved.label));
        }
        for (key, moved) in &transactions {
            let wrong =
                |why: &str| Err(format!("the bank moved {} cents for {}, {why}", moved.amount, moved.label));
            let (account, amount) =
                match (moved.is_debit, debits.get(key), credits.get(key), refunds.get(key)) {
                    (true, Some((book, debit)), _, _) => {
                        if debit.facts.submitted_at.is_none() {
                            return wrong("without an intent");
                        }
                        (&book.facts.account_id, debit.facts.amount)
                    }
                    (false, _, Some(book), _) => (&book.facts.account_id, book.facts.terms.amount),
                    (false, _, None, Some((book, amount))) => (&book.facts.account_id, *amount),
                    (true, None, _, _) | (false, _, None, None) => {
                        return wrong("and the ledger does not know it");
                    }
                };
            if *account != moved.account || amount.get() != moved.amount {
                return wrong("and the ledger says otherwise");
            }
        }
        Ok(())
    }

    // --- the journal ---

    /// It balances, comes to what the facts come to, and says again what it said before.
    fn journal_agrees(&mut self, books: &[Book]) -> Result<(), String> {
        let ids: Vec<CreditId> = books.iter().map(|book| book.facts.id).collect();
        let histories = block_on(histories(&*self.sqlite, &ids)).expect("the journal can be read");
        for (book, history) in books.iter().zip(&histories) {
            let said = entries(history, &self.scene.config.zone);
            let before = self.journal.insert(book.facts.id, said.clone()).unwrap_or_default();
            if !said.starts_with(&before) {
                return Err(format!("the journal of {} no more says what it said", book.label));
            }
            let of = balances(&said);
            if of.values().sum::<i128>() != 0 {
                return Err(format!("the journal of {} does not balance: {of:?}", book.label));
            }
            let wanted = ledger_accounts(book);
            if let Some((account, amount)) =
                wanted.into_iter().find(|(account, amount)| of.get(account).copied().unwrap_or(0) != *amount)
            {
                return Err(format!("{account:?} of {} should be {amount}, and is {of:?}", book.label));
            }
        }
        Ok(())
    }

    // --- the events ---

    /// Each fact that is to be told is told once, and where a debit or a credit stands is what was told of it last.
    fn events_agree(&self, books: &[Book]) -> Result<(), String> {
        let events = self.told()?;
        self.scene.count("events held against the facts", events.len() as u64);
        let told = |event: &&Told| event.kind != "debit.submitted";
        let mut all: Vec<String> = events.iter().filter(told).map(Told::text).collect();
        all.sort_unstable();
        let mut wanted = self.sqlite.query(TO_BE_TOLD);
        wanted.sort_unstable();
        let longest = all.len().max(wanted.len());
        if let Some(place) = (0..longest).find(|place| all.get(*place) != wanted.get(*place)) {
            return Err(format!("told {:?}, to be told {:?}", all.get(place), wanted.get(place)));
        }
        let mut turns: BTreeMap<&str, u32> = BTreeMap::new();
        let mut last: BTreeMap<String, &str> = BTreeMap::new();
        for event in &events {
            if let (Some(credit), Some(turn)) = (&event.credit_id, event.turn)
                && turns.insert(credit, turn).is_some_and(|before| before > turn)
            {
                return Err(format!("{event:?} is told after a later turn"));
            }
            let before = last.insert(event.subject_id.clone(), &event.kind);
            if event.kind == "debit.submitted" && before.is_some() {
                return Err(format!("{event:?} is told after {before:?}"));
            }
        }
        books.iter().try_for_each(|book| stands_as_told(book, &last))
    }

    fn told(&self) -> Result<Vec<Told>, String> {
        let rows = self.sqlite.query(
            "SELECT json_object('number', number, 'kind', type, 'credit_id', credit_id, 'subject_id', subject_id, 'turn', turn)
             FROM events ORDER BY number",
        );
        let events: Vec<Told> = rows.iter().map(|row| serde_json::from_str(row).expect("an event")).collect();
        match (1..).zip(&events).find(|(number, event)| event.number != *number) {
            None => Ok(events),
            Some((number, _)) => Err(format!("there is no event {number}")),
        }
    }

    // --- L6 ---

    /// Takes in the reports that were archived since.
    fn read_reports(&mut self) {
        // A run that was overtaken may have left its report unread, or parts of it. In a world each is read in one slice.
        let read = "SELECT json_array(p.object_key, json(coalesce((
              SELECT json_group_array(json_array(0 + t.start, iif(t.until = '~', p.bytes, 0 + t.until))) FROM run_parts t
              WHERE t.run_id = p.run_id AND t.stage = 'observations' AND EXISTS (
                SELECT 1 FROM run_stages WHERE run_id = t.run_id AND stage = 'observations/' || t.part)
              HAVING count(*) > 0), json_array(json_array(0, iif(p.parts = '[]', p.bytes, 0))))))
            FROM reports p WHERE EXISTS (
              SELECT 1 FROM run_stages WHERE run_id = p.run_id AND stage = 'observations')";
        for report in self.sqlite.query(read) {
            let (key, ranges): (String, Vec<(usize, usize)>) = serde_json::from_str(&report).expect("JSON");
            if self.said.read.insert(key.clone()) {
                self.said.take(&self.archive.object(&key).unwrap_or_default(), &ranges);
            }
        }
    }

    /// Each transaction whose name was known stands where the reports put it.
    fn words_are_taken(&self, book: &Book, as_of: Instant) -> Result<(), String> {
        let names = self.sqlite.query(&format!(
            "SELECT json_array(debit_id, transaction_id, at) FROM debit_transactions WHERE credit_id = '{0}'
             UNION ALL SELECT json_array(credit_id, transaction_id, at) FROM credit_transactions WHERE credit_id = '{0}'
             UNION ALL SELECT json_array(refund_id, transaction_id, at) FROM refund_transactions WHERE credit_id = '{0}'",
            book.facts.id
        ));
        for row in names {
            let row: Value = serde_json::from_str(&row).expect("JSON");
            let text = |place: usize| row[place].as_str().expect("a text").to_owned();
            let (subject, name): (String, String) = (text(0), text(1));
            let named_at: Instant = text(2).parse().expect("an instant");
            if named_at > as_of {
                continue;
            }
            let expected = self.said.outcome(&[&subject, &name]);
            let subject: Uuid = subject.parse().expect("an id");
            if expected.is_none()
                && book
                    .facts
                    .observations
                    .iter()
                    .any(|o| o.subject == subject && o.source == Source::Decision)
            {
                // Until the processor speaks an operator's decision counts.
                continue;
            }
            let taken = book.facts.words.iter().rev().find(|w| w.subject == subject).map(|w| w.outcome);
            let taken = taken.map(|outcome| match outcome {
                Outcome::Recovered => Outcome::Success,
                other => other,
            });
            if taken != expected {
                return Err(format!(
                    "L6 of {}: the reports put {name} at {expected:?}, the ledger at {taken:?}",
                    book.label
                ));
            }
        }
        Ok(())
    }

    // --- L5 ---

    /// Where every report that looks whole is, no debit times out of which something was said.
    fn timeouts_are_silent(&mut self) -> Result<(), String> {
        let timeouts = self.sqlite.query(
            "SELECT json_array(t.subject_id, p.at, d.at) FROM timeouts t JOIN processed_debits p ON p.debit_id = t.subject_id
             JOIN decisions d ON d.id = t.decision_id",
        );
        let transactions = self.bank.transactions();
        for row in timeouts {
            if !self.seen_timeouts.insert(row.clone()) {
                continue;
            }
            let [subject, submitted, as_of]: [String; 3] = serde_json::from_str(&row).expect("JSON");
            let (submitted, as_of): (Instant, Instant) =
                (submitted.parse().expect("an instant"), as_of.parse().expect("an instant"));
            if !days_passed(submitted, as_of, TIMEOUT_DAYS) {
                return Err(format!("L5: {subject} timed out before its time"));
            }
            let said = transactions.get(&subject).filter(|t| t.was_said(submitted, as_of));
            if let Some(said) = said.filter(|_| self.scene.config.is_honest() && !self.scene.is_calm()) {
                return Err(format!("L5: {} timed out although its word was said", said.label));
            }
            self.scene.count("debits timed out", 1);
        }
        Ok(())
    }

    /// A debit that is silent for too long and did not time out is in a gap of the reports.
    fn silence_is_seen(&self, book: &Book, as_of: Instant) -> Result<(), String> {
        let silent = book.debits.iter().find(|(debit, status)| {
            let aged = debit.facts.submitted_at.is_some_and(|at| days_passed(at, as_of, TIMEOUT_DAYS));
            *status == DebitStatus::Submitted && aged
        });
        let Some((debit, _)) = silent else { return Ok(()) };
        if book
            .facts
            .exceptions
            .iter()
            .any(|e| e.kind == Kind::ReportGap && (e.open || self.closed_by_a_person(e.id.to_string())))
        {
            return Ok(());
        }
        Err(format!("L5 of {}: debit {} is silent, and nobody is told", book.label, debit.facts.sequence))
    }
}

impl Said {
    /// Takes the lines that begin in some ranges of bytes.
    fn take(&mut self, bytes: &[u8], ranges: &[(usize, usize)]) {
        let mut begin = 0;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').map(|line| {
            begin += line.len();
            (begin - line.len(), String::from_utf8_lossy(line))
        });
        let is_read = |begin: usize| ranges.iter().any(|(start, until)| (*start..*until).contains(&begin));
        let mut lines = lines.filter(|(begin, _)| *begin == 0 || is_read(*begin)).map(|(_, line)| line);
        let header = lines.next().unwrap_or_default();
        let header: Vec<&str> = header.trim_end().split(',').collect();
        // A last line without its ending is a row only where a cut would show: an instant that is cut is none.
        let shows_a_cut = header.last() == Some(&"at");
        let lines = lines.filter(|line| line.ends_with('\n') || shows_a_cut);
        let place = |name: &str| header.iter().position(|column| *column == name);
        let (Some(id), Some(status), Some(at)) = (place("transaction_id"), place("status"), place("at"))
        else {
            return;
        };
        for line in lines {
            let cells: Vec<&str> = line.trim_end().split(',').collect();
            let cell = |place: usize| cells.get(place).copied().unwrap_or_default();
            let (Ok(at), "success" | "failure") = (cell(at).parse::<Instant>(), cell(status)) else {
                continue;
            };
            let subject = place("reference").map(cell).filter(|r| !r.is_empty()).unwrap_or_else(|| cell(id));
            self.words.entry(subject.to_owned()).or_default().insert((at, cell(status) == "success"));
        }
    }

    /// What a transaction's words come to: at one instant failure wins, and a failure after a success is a return.
    fn outcome(&self, names: &[&str]) -> Option<Outcome> {
        let words: BTreeSet<(Instant, bool)> =
            names.iter().filter_map(|name| self.words.get(*name)).flatten().copied().collect();
        let latest = words.iter().map(|(at, _)| *at).max()?;
        if !words.contains(&(latest, false)) {
            return Some(Outcome::Success);
        }
        let was_success = words.iter().any(|(at, success)| *success && *at < latest);
        Some(if was_success { Outcome::Returned } else { Outcome::Failure })
    }
}

/// What the ledger accounts of a credit must come to, by the sums of its facts.
fn ledger_accounts(book: &Book) -> [(LedgerAccount, i128); 8] {
    let (facts, money) = (&book.facts, book.state.balances());
    let own = facts.words.iter().rev().find(|w| w.subject == facts.id.0).map(|w| w.outcome.is_success());
    let advance = facts.terms.amount.signed();
    let (arrived, pending) =
        (if own == Some(true) { advance } else { 0 }, if own.is_none() { advance } else { 0 });
    let refunds = Refund::of(facts);
    let refunded = |is_confirmed: bool| -> i128 {
        let counted = refunds.iter().filter(|refund| refund.status != RefundStatus::Failed);
        let those = counted.filter(|refund| (refund.status == RefundStatus::Confirmed) == is_confirmed);
        those.map(|refund| refund.amount.signed()).sum()
    };
    let owed = if own == Some(true) { facts.terms.total() } else { 0 } - money.paid;
    let (receivable, lost) = if facts.written_off { (0, owed.max(0)) } else { (owed.max(0), 0) };
    [
        (LedgerAccount::Cash, money.collected - arrived - refunded(true)),
        (LedgerAccount::ReceivedElsewhere, money.paid - money.collected + money.refunded),
        (LedgerAccount::AdvancesPending, pending),
        (LedgerAccount::PayoutsInTransit, -pending - refunded(false)),
        (LedgerAccount::Receivable, receivable),
        (LedgerAccount::WriteOffs, lost),
        (LedgerAccount::CustomerExcess, owed.min(0)),
        (LedgerAccount::FeeIncome, if own == Some(true) { -facts.terms.fee.signed() } else { 0 }),
    ]
}

/// The debits of a credit with what its facts say of each.
fn debits_of(facts: &Facts) -> Vec<Debit> {
    let debit = |d: &DebitFacts| Debit { facts: d.clone(), timed_out: facts.timeouts.contains(&d.id.0) };
    facts.debits.iter().map(debit).collect()
}

/// L1, L4: the plan adds up, no two debits are due on one day, and no replacement is more than what it replaces.
/// Whether what was told last of a credit and of its debits is where they stand, if that is told at all.
fn stands_as_told(book: &Book, last: &BTreeMap<String, &str>) -> Result<(), String> {
    let wrong =
        |what: String, told: Option<&&str>| Err(format!("{what} of {}, and told is {told:?}", book.label));
    let told = last.get(&book.facts.id.to_string());
    let wanted = match book.state.status() {
        CreditStatus::Failed => Some("credit.failed"),
        CreditStatus::Repaid => Some("credit.repaid"),
        CreditStatus::Held => Some("credit.held"),
        CreditStatus::Pending
        | CreditStatus::Unconfirmed
        | CreditStatus::WrittenOff
        | CreditStatus::Active => None,
    };
    if wanted.is_some_and(|wanted| told != Some(&wanted)) {
        return wrong(format!("{wanted:?}"), told);
    }
    for (debit, status) in &book.debits {
        let told = last.get(&debit.facts.id.to_string());
        let wanted = match status {
            DebitStatus::Submitted => Some("debit.submitted"),
            DebitStatus::Collected => Some("debit.collected"),
            DebitStatus::Failed => Some("debit.failed"),
            DebitStatus::TimedOut => Some("debit.timed_out"),
            DebitStatus::Returned => Some("debit.returned"),
            DebitStatus::Scheduled | DebitStatus::Processing | DebitStatus::Cancelled => None,
        };
        if told.copied() != wanted {
            return wrong(format!("debit {} is {status:?}", debit.facts.sequence), told);
        }
    }
    Ok(())
}

fn plan_is_sound(book: &Book) -> Result<(), String> {
    let planned: i128 = book
        .debits
        .iter()
        .filter(|(d, _)| d.facts.reason == Reason::Planned)
        .map(|(d, _)| d.facts.amount.signed())
        .sum();
    if book.state.is_planned() && planned != book.facts.terms.total() {
        return Err(format!("L1 of {}: the plan adds up to {planned}", book.label));
    }
    let mut dates = BTreeSet::new();
    for (debit, _) in book.debits.iter().filter(|(d, _)| d.facts.cancelled_because.is_none()) {
        // What is paid off is due today, as what was issued today is.
        if debit.facts.reason != Reason::PaidOff && !dates.insert(debit.facts.due_date) {
            return Err(format!("L4 of {}: two debits are due on {}", book.label, debit.facts.due_date));
        }
        let replaced =
            debit.facts.replaces.and_then(|s| book.debits.iter().find(|(d, _)| d.facts.sequence == s));
        if replaced.is_some_and(|(d, _)| d.facts.amount < debit.facts.amount) {
            return Err(format!(
                "L4 of {}: debit {} is more than what it replaces",
                book.label, debit.facts.sequence
            ));
        }
    }
    Ok(())
}

/// L9: where due dates roll, each is a banking day, and one that rolled is after the date that it rolled from.
fn due_on_banking_days(book: &Book) -> Result<(), String> {
    for (debit, _) in &book.debits {
        let (due_date, unrolled) = (debit.facts.due_date, debit.facts.unrolled_due_date);
        if !FederalReserve.is_banking_day(due_date) || unrolled.is_some_and(|date| date >= due_date) {
            return Err(format!(
                "L9 of {}: debit {} is due on {due_date}, rolled from {unrolled:?}",
                book.label, debit.facts.sequence
            ));
        }
    }
    Ok(())
}

/// L3, L4: more is collected than is owed only where a word came late or against an earlier one.
fn excess_is_explained(book: &Book) -> Result<(), String> {
    let balances = book.state.balances();
    let failed_once = |id: Uuid| book.facts.words.iter().any(|w| w.subject == id && !w.outcome.is_success());
    let explained: i128 = book
        .debits
        .iter()
        .filter(|(d, status)| *status == DebitStatus::Collected && (d.timed_out || failed_once(d.facts.id.0)))
        .map(|(d, _)| d.facts.amount.signed())
        .sum();
    // A payment elsewhere cannot take back what is in flight.
    let elsewhere: i128 =
        book.facts.external_payments.iter().filter(|p| !p.revoked).map(|p| p.amount.signed()).sum();
    let explained = explained + elsewhere;
    let excess = balances.paid + balances.in_flight - book.facts.terms.total();
    if excess > explained {
        return Err(format!(
            "L3 of {}: {excess} more than is owed, of which {explained} are explained",
            book.label
        ));
    }
    Ok(())
}

/// L3: after a complete run nothing due is left where nothing was issued that day.
fn due_was_issued(book: &Book, zone: &Zone, as_of: Instant) -> Result<(), String> {
    let today = zone.business_date(as_of);
    let is_due =
        |status: &DebitStatus, d: &Debit| *status == DebitStatus::Scheduled && d.facts.due_date <= today;
    let on = |at: Instant| zone.business_date(at);
    let issued = book.debits.iter().any(|(d, _)| d.facts.submitted_at.map(on) == Some(today));
    let due = book.debits.iter().find(|(d, status)| is_due(status, d));
    match due {
        Some((debit, _)) if book.state.status() == CreditStatus::Active && !issued => {
            Err(format!("L3 of {}: debit {} is due and was not issued", book.label, debit.facts.sequence))
        }
        Some(_) | None => Ok(()),
    }
}
