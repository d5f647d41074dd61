//! The bank of a world: it moves money once for each key, keeps books of its own, and is heard of badly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use chrono::TimeDelta;
use paydown::date::{Instant, days_before, days_passed, text};
use paydown::decision::debit_id;
use paydown_edge::ports::{Answer, Processor, ReportBody};
use paydown_tests::sqlite::Sqlite;
use serde_json::Value;
use uuid::Uuid;

use crate::config::Trouble;
use crate::dice::Dice;
use crate::scene::{Scene, pause};

/// So many days a report reaches back.
const WINDOW_DAYS: u32 = 5;

/// The highest sequence that a debit of a world is looked for under.
const MOST_DEBITS: u32 = 2000;

/// The bank.
pub struct Bank {
    scene: Arc<Scene>,
    sqlite: Arc<Sqlite>,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    now: Option<Instant>,
    is_stopped: bool,
    /// Which advance is meant by an account and an amount.
    advances: BTreeMap<(String, u64), String>,
    /// What stories call a refund, by its key.
    refunds: BTreeMap<String, String>,
    /// What a key is about.
    asked: BTreeMap<String, Asked>,
    transactions: BTreeMap<String, Transaction>,
    last_report: Vec<u8>,
    downloads: u64,
    wrongs: Vec<String>,
    /// When each key was first called for in a way that may have moved money.
    first_calls: BTreeMap<String, Instant>,
}

/// What was asked of the bank under a key.
#[derive(Debug, Clone)]
struct Asked {
    /// What stories call it: `c3` for an advance, `c3/2` for its second debit.
    label: String,
    body: String,
    account: String,
    amount: u64,
    is_debit: bool,
    calls: u64,
    refused: Option<&'static str>,
    /// It will be carried out although nobody was told.
    comes_later: bool,
}

/// Money that moved, or is on its way.
#[derive(Debug, Clone)]
pub struct Transaction {
    pub label: String,
    pub account: String,
    pub amount: u64,
    pub is_debit: bool,
    id: String,
    rows: Vec<Row>,
}

/// A status change of a transaction.
#[derive(Debug, Clone)]
struct Row {
    at: Instant,
    /// From when on reports have it.
    visible_at: Instant,
    status: &'static str,
    code: &'static str,
}

impl Transaction {
    /// Whether the money is where it was to go, when all is said.
    pub fn has_moved(&self) -> bool {
        // At one instant failure wins.
        let last = self.rows.iter().max_by_key(|row| (row.at, row.status == "failure"));
        last.is_some_and(|row| row.status == "success")
    }

    /// Whether something was said of it in a stretch of time.
    pub fn was_said(&self, from: Instant, to: Instant) -> bool {
        self.rows.iter().any(|row| from <= row.at && row.at <= to)
    }
}

impl Bank {
    pub fn new(scene: Arc<Scene>, sqlite: Arc<Sqlite>) -> Bank {
        Bank { scene, sqlite, books: Mutex::default() }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().expect("no thread panicked")
    }

    /// Says what the time is; what was to come later comes now.
    pub fn wake(&self, now: Instant) {
        let mut books = self.books();
        books.now = Some(now);
        let coming: Vec<String> =
            books.asked.iter().filter(|(_, asked)| asked.comes_later).map(|(key, _)| key.clone()).collect();
        for key in coming {
            self.move_money(&mut books, &key);
        }
    }

    /// Tells the bank of an advance before it is asked for.
    pub fn expect(&self, account: &str, amount: u64, label: &str) {
        self.books().advances.insert((account.to_owned(), amount), label.to_owned());
    }

    /// The same of a refund, whose key is known.
    pub fn expect_refund(&self, key: Uuid, label: &str) {
        self.books().refunds.insert(key.to_string(), label.to_owned());
    }

    /// Its name of the transaction under a key, if it carries one out.
    pub fn name_of(&self, key: &str) -> Option<String> {
        self.books().transactions.get(key).map(|moved| moved.id.clone())
    }

    /// Whether the money of a key is where it was to go when all is said; none when nothing moves under it.
    pub fn has_moved(&self, key: &str) -> Option<bool> {
        let books = self.books();
        match books.transactions.get(key) {
            // What it never spoke of will have succeeded.
            Some(moved) => Some(moved.rows.is_empty() || moved.has_moved()),
            None if books.has_or_will(key) => Some(true),
            None => None,
        }
    }

    pub fn set_stopped(&self, is_stopped: bool) {
        self.books().is_stopped = is_stopped;
    }

    /// From now on it does what it is asked, and what it never spoke of succeeded an hour ago.
    pub fn calm_down(&self, now: Instant) {
        let mut books = self.books();
        for transaction in books.transactions.values_mut() {
            if transaction.rows.is_empty() {
                let at = now - TimeDelta::hours(1);
                transaction.rows.push(Row { at, visible_at: at, status: "success", code: "" });
            }
        }
    }

    /// When it will have said all that it has to say.
    pub fn last_word_at(&self) -> Option<Instant> {
        let books = self.books();
        books.transactions.values().flat_map(|moved| &moved.rows).map(|row| row.at.max(row.visible_at)).max()
    }

    /// What its callers did wrong.
    pub fn wrongs(&self) -> Vec<String> {
        self.books().wrongs.clone()
    }

    /// Its own books: what moves under each key.
    pub fn transactions(&self) -> BTreeMap<String, Transaction> {
        self.books().transactions.clone()
    }

    fn answer(&self, key: &str, body: &str) -> Answer {
        let mut books = self.books();
        if books.is_stopped {
            books.wrongs.push(format!("the bank was called under {key} while a stop was in force"));
        }
        let Some(asked) = books.known(key, body) else {
            return Answer::Unknown { detail: "the bank does not understand".into() };
        };
        let cause = format!("{} call {}", asked.label, asked.calls);
        let has = |trouble| self.scene.has(trouble, &cause);
        let answer = if has(Trouble::Misconfigured) {
            Answer::Misconfigured { status: 401 }
        } else if has(Trouble::SlowDown) {
            Answer::SlowDown { retry_after_seconds: 30 }
        } else if asked.calls > 1 && books.has_or_will(key) && has(Trouble::Refused) {
            // After a call whose outcome is not known, a refusal proves nothing.
            refusal("R02")
        } else if let Some(transaction) = books.transactions.get(key).map(|moved| moved.id.clone()) {
            self.named(transaction, &cause, books.now)
        } else if let Some(code) = asked.refused.filter(|_| !self.scene.is_calm()) {
            refusal(code)
        } else if has(Trouble::BrokenAnswer) {
            Answer::Unknown { detail: "status 500".into() }
        } else if has(Trouble::LateAnswer) {
            books.change(key, |asked| asked.comes_later = true);
            Answer::Unknown { detail: "no answer in 10 s".into() }
        } else if has(Trouble::Refused) {
            let codes = ["", "R01", "R09", "R02", "account_strange"];
            let code = self.scene.dice.of("refusal").of(&cause).pick(&codes);
            books.change(key, |asked| asked.refused = Some(code));
            refusal(code)
        } else {
            let transaction = self.move_money(&mut books, key);
            self.named(transaction, &cause, books.now)
        };
        books.remembers(key, &answer, self.scene.config.key_days);
        self.scene
            .tell(format!("    bank: {cause} for {} cents of {}: {answer:?}", asked.amount, asked.account));
        answer
    }

    /// Its answer, if that gets through; a connection that loses answers may do so for days, while reports come.
    fn named(&self, transaction: String, cause: &str, now: Option<Instant>) -> Answer {
        let days = now.map_or(0, |now| now.timestamp() / (4 * 86_400));
        if self.scene.has(Trouble::LostAnswer, cause)
            || self.scene.has(Trouble::LostForDays, &format!("days {days}"))
        {
            return Answer::Unknown { detail: "the answer was lost".into() };
        }
        Answer::Transaction(transaction)
    }

    /// The same key always gives the same transaction, and moves money once.
    fn move_money(&self, books: &mut Books, key: &str) -> String {
        let asked = books.asked.get(key).expect("it was asked for").clone();
        books.change(key, |asked| asked.comes_later = false);
        let id = format!("tx-{}", asked.label.replace(['/', ' ', ','], "-"));
        let now = books.now.expect("the bank knows the time");
        let rows = self.rows(&asked, now);
        let Asked { label, account, amount, is_debit, .. } = asked;
        let moved = Transaction { label, account, amount, is_debit, id: id.clone(), rows };
        if let Some(before) = books.transactions.insert(key.to_owned(), moved) {
            panic!("the bank itself moved {} twice", before.label);
        }
        id
    }

    /// What will be said of a transaction, and when.
    fn rows(&self, asked: &Asked, now: Instant) -> Vec<Row> {
        let dice = self.scene.dice.of("outcome").of(&asked.label);
        let first =
            now + TimeDelta::minutes(i64::try_from(dice.of("first").between(400, 3900)).expect("minutes"));
        let later = |days: u64| first + TimeDelta::days(i64::try_from(days).expect("days"));
        let has = |trouble| self.scene.has(trouble, &asked.label);
        let soft = dice.of("code").pick(&["R01", "R09"]);
        let hard = dice.of("code").pick(&["R02", "R07", "R10", "R29"]);
        let stated: Vec<(Instant, &'static str, &'static str)> = if has(Trouble::Silent) {
            vec![]
        } else if asked.is_debit && self.scene.has(Trouble::HardReturn, &asked.account) {
            vec![(first, "failure", hard)]
        } else if asked.is_debit && has(Trouble::Insufficient) {
            vec![(first, "failure", soft)]
        } else if asked.is_debit && has(Trouble::NoCode) {
            vec![(first, "failure", "")]
        } else if asked.is_debit && has(Trouble::UnknownCode) {
            vec![(first, "failure", "R99")]
        } else if !asked.is_debit && has(Trouble::AdvanceFails) {
            vec![(first, "failure", "R03")]
        } else if has(Trouble::Returned) {
            let code = dice.of("returned").pick(&[soft, hard, "", soft]);
            vec![(first, "success", ""), (later(dice.of("days").between(1, 4)), "failure", code)]
        } else if has(Trouble::Contradicting) {
            match dice.of("which").below(5) {
                0 => vec![(first, "failure", soft), (later(2), "success", "")],
                1 => vec![(first, "success", ""), (first, "failure", soft)],
                2 => vec![(first, "failure", soft), (later(1), "failure", hard)],
                3 => vec![(first, "failure", soft), (first, "failure", "")],
                _ => vec![(first, "success", ""), (later(1), "failure", ""), (later(2), "success", "")],
            }
        } else {
            vec![(first, "success", "")]
        };
        let late = if has(Trouble::LateWord) { dice.of("late").between(2, 9) } else { 0 };
        let late = TimeDelta::days(i64::try_from(late).expect("days"));
        let row = |(at, status, code)| Row { at, visible_at: at + late, status, code };
        stated.into_iter().map(row).collect()
    }

    fn download(&self) -> Result<Download, String> {
        let mut books = self.books();
        books.downloads += 1;
        let cause = format!("download {}", books.downloads);
        let has = |trouble| self.scene.has(trouble, &cause);
        // As long as a week, so that what was said in it is in no later report.
        let week = books.now.map_or(0, |now| now.timestamp() / (8 * 86_400));
        if has(Trouble::NoReport) || self.scene.has(Trouble::NoReportForDays, &format!("week {week}")) {
            self.scene.tell("    bank: no report");
            return Err("the bank does not answer".into());
        }
        let rows = books.recent(&self.sqlite, self.scene.is_calm());
        let mut bytes = self.written(rows, &cause);
        if has(Trouble::StaleReport) {
            self.scene.tell("    bank: the report is that of before");
            bytes = books.last_report.clone();
        }
        if has(Trouble::NoHeader) {
            bytes = b"<html>\n".to_vec();
        }
        books.last_report = bytes.clone();
        // A connection that breaks does so for days: three downloads in a row, and a word in none of many reports.
        let for_days = |trouble| self.scene.has(trouble, &format!("week {week}"));
        let length = bytes.len() as u64;
        let dice = self.scene.dice.of("broken").of(&cause);
        let announced_bytes = Some(length);
        if for_days(Trouble::WrongLength) {
            // It ends with a line all the same.
            let whole_lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
            let kept = usize::try_from(dice.of("lines").below(whole_lines.len() as u64)).unwrap_or(0);
            bytes = whole_lines.into_iter().take(kept).flatten().copied().collect();
        }
        let download = Download {
            status: if has(Trouble::ServerError) { 500 } else { 200 },
            announced_bytes,
            breaks_off_after: for_days(Trouble::BrokenOff).then(|| dice.below(bytes.len() as u64)),
            bytes,
            given: 0,
        };
        if let Some(after) = download.breaks_off_after {
            self.scene.tell(format!("    bank: the report breaks off after {after} of {length} bytes"));
        }
        Ok(download)
    }

    /// The report as text, with what goes wrong in it.
    fn written(&self, mut rows: Vec<[String; 5]>, cause: &str) -> Vec<u8> {
        let dice = self.scene.dice.of("report").of(cause);
        let has = |trouble| self.scene.has(trouble, cause);
        if has(Trouble::EmptyReport) {
            rows.clear();
        }
        if has(Trouble::ShortReport) {
            rows.retain(|row| !dice.of("short").of(&row[0]).chance(300));
        }
        if has(Trouble::Doubled) {
            rows.extend(rows.clone());
        }
        if has(Trouble::Foreign) {
            let at = text(self.books_now_of(&rows));
            rows.push([
                format!("foreign-{cause}").replace(' ', "-"),
                "success".into(),
                String::new(),
                at,
                String::new(),
            ]);
        }
        if has(Trouble::Shuffled) {
            dice.of("shuffle").shuffle(&mut rows);
        }
        let names_reference = self.scene.config.names_reference;
        let mut lines = vec![String::from(if names_reference {
            "status,transaction_id,at,code,reference"
        } else {
            "transaction_id,status,code,at"
        })];
        for [id, status, code, at, reference] in &rows {
            lines.push(if names_reference {
                format!("{status},{id},{at},{code},{reference}")
            } else {
                format!("{id},{status},{code},{at}")
            });
        }
        if has(Trouble::Malformed) {
            let place =
                usize::try_from(dice.of("malformed").between(1, lines.len() as u64)).expect("a place");
            lines.insert(place, format!("what is this, {cause}"));
        }
        self.scene.tell(format!("    bank: a report of {} rows: {}", rows.len(), lines[1..].join(" | ")));
        lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect::<String>().into_bytes()
    }

    /// The latest instant of the rows, for a row of nobody's.
    fn books_now_of(&self, rows: &[[String; 5]]) -> Instant {
        let latest = rows.iter().filter_map(|row| row[3].parse().ok()).max();
        latest.unwrap_or_else(|| self.scene.config.begins.parse().expect("an instant"))
    }
}

fn refusal(code: &str) -> Answer {
    Answer::Refused { code: code.into(), message: "no".into() }
}

impl Books {
    /// What a call is about; notes what is wrong with it.
    fn known(&mut self, key: &str, body: &str) -> Option<Asked> {
        if !self.asked.contains_key(key) {
            let asked = self.read(key, body)?;
            self.asked.insert(key.to_owned(), asked);
        }
        let asked = self.asked.get_mut(key)?;
        asked.calls += 1;
        let asked = asked.clone();
        if asked.body != body {
            self.wrongs.push(format!("{} was asked for with another body: {body}", asked.label));
        }
        Some(asked)
    }

    /// L3: nothing is called for again once it may have forgotten the key.
    fn remembers(&mut self, key: &str, answer: &Answer, key_days: Option<u32>) {
        let now = self.now.expect("the bank knows the time");
        let first = self.first_calls.get(key).copied();
        if first.zip(key_days).is_some_and(|(first, days)| days_passed(first, now, days)) {
            self.wrongs.push(format!("{key} was first called for at {first:?}, and again at {now}"));
        }
        if !matches!(answer, Answer::Misconfigured { .. } | Answer::SlowDown { .. }) {
            self.first_calls.entry(key.to_owned()).or_insert(now);
        }
    }

    fn read(&mut self, key: &str, body: &str) -> Option<Asked> {
        let read: Value = serde_json::from_str(body).ok()?;
        let said = |name: &str| read[name].as_str().unwrap_or_default().to_owned();
        let (amount, is_debit) = (read["amount"].as_u64()?, said("direction") == "debit");
        let account = said(if is_debit { "src_bank_account" } else { "dst_bank_account" });
        let label = if is_debit {
            self.debit(key, &account)
        } else {
            self.refunds.get(key).or_else(|| self.advances.get(&(account.clone(), amount))).cloned()
        };
        if said("reference") != key || label.is_none() {
            self.wrongs.push(format!("a call that nobody can have meant, under {key}: {body}"));
        }
        let label = label.unwrap_or_else(|| key.to_owned());
        if self.asked.values().any(|other| other.label == label) {
            self.wrongs.push(format!("{label} was asked for under two keys"));
        }
        let body = body.to_owned();
        Some(Asked { label, body, account, amount, is_debit, calls: 0, refused: None, comes_later: false })
    }

    /// What stories call the debit with a key: its credit's label and its sequence.
    fn debit(&self, key: &str, account: &str) -> Option<String> {
        let credits = self.asked.iter().filter(|(_, asked)| !asked.is_debit && asked.account == account);
        let credits: Vec<(Uuid, &str)> =
            credits.filter_map(|(key, asked)| Some((key.parse().ok()?, asked.label.as_str()))).collect();
        (1..MOST_DEBITS).find_map(|sequence| {
            let is_it = |(credit, _): &&(Uuid, &str)| debit_id(*credit, sequence).to_string() == key;
            credits.iter().find(is_it).map(|(_, label)| format!("{label}/{sequence}"))
        })
    }

    /// Whether money moved under a key, or will.
    fn has_or_will(&self, key: &str) -> bool {
        self.transactions.contains_key(key) || self.asked.get(key).is_some_and(|asked| asked.comes_later)
    }

    fn change(&mut self, key: &str, change: impl FnOnce(&mut Asked)) {
        if let Some(asked) = self.asked.get_mut(key) {
            change(asked);
        }
    }

    /// The rows of the last days before the latest run; all of them when nothing is kept back any more.
    fn recent(&self, sqlite: &Sqlite, all: bool) -> Vec<[String; 5]> {
        let now = self.now.expect("the bank knows the time");
        let run = sqlite.query("SELECT max(as_of) FROM runs");
        let as_of = run.first().and_then(|as_of| as_of.parse().ok()).unwrap_or(now);
        let from = days_before(as_of, WINDOW_DAYS);
        let mut rows = Vec::new();
        for (key, transaction) in &self.transactions {
            let visible =
                |row: &&Row| all && row.at <= now || from <= row.visible_at && row.visible_at <= now;
            rows.extend(transaction.rows.iter().filter(visible).map(|row| {
                let at = text(row.at);
                (
                    row.at,
                    [transaction.id.clone(), row.status.to_owned(), row.code.to_owned(), at, key.clone()],
                )
            }));
        }
        // By what the labels say, not by the keys, which are random.
        rows.sort_by(|a, b| (a.0, &a.1[..4]).cmp(&(b.0, &b.1[..4])));
        rows.into_iter().map(|(_, row)| row).collect()
    }
}

#[async_trait(?Send)]
impl Processor for Bank {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        pause().await;
        let answer = self.answer(key, body);
        pause().await;
        answer
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        pause().await;
        let download = self.download()?;
        Ok(Box::new(download))
    }
}

struct Download {
    status: u16,
    bytes: Vec<u8>,
    announced_bytes: Option<u64>,
    breaks_off_after: Option<u64>,
    given: usize,
}

/// How many bytes come at once.
const CHUNK_BYTES: usize = 4096;

#[async_trait(?Send)]
impl ReportBody for Download {
    fn status(&self) -> u16 {
        self.status
    }

    fn announced_bytes(&self) -> Option<u64> {
        self.announced_bytes
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        pause().await;
        let until = self.breaks_off_after.and_then(|after| usize::try_from(after).ok());
        let end = until.unwrap_or(self.bytes.len()).min(self.given + CHUNK_BYTES);
        if self.given >= end {
            return if until.is_some() { Err("the connection was lost".into()) } else { Ok(None) };
        }
        let chunk = self.bytes[self.given..end].to_vec();
        self.given = end;
        Ok(Some(chunk))
    }
}

/// What is rolled for a world's accounts: shared by some of its credits.
pub fn account(dice: Dice, accounts: u64) -> String {
    format!("acct_{}", dice.below(accounts))
}
