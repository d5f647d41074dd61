//! A processor that answers by script, counts its calls and remembers their bodies.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use paydown::date::Instant;
use paydown_edge::ports::{Answer, Processor, ReportBody};

/// A fake of the processor. What is not scripted is answered with the transaction `tx_<key>`, the same for the
/// same key.
#[derive(Default)]
pub struct FakeProcessor(Mutex<Books>);

#[derive(Default)]
struct Books {
    scripts: Vec<(String, Vec<Step>)>,
    calls: Vec<Call>,
    moved: BTreeMap<String, String>,
    reports: VecDeque<Result<FakeReport, String>>,
    last_report: Option<Result<FakeReport, String>>,
    downloads: usize,
    clock: Option<Instant>,
    waits: Vec<u32>,
}

/// One scripted answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What the caller gets.
    pub answer: Answer,
    /// Whether the money moved although the answer may not say so.
    pub moves: bool,
}

impl Step {
    /// The money moved, and the answer was lost on the way.
    pub fn lost() -> Step {
        Step { answer: Answer::Unknown { detail: "no answer in 10 s".into() }, moves: true }
    }

    /// Nothing moved, and nobody knows.
    pub fn broken() -> Step {
        Step { answer: Answer::Unknown { detail: "status 500".into() }, moves: false }
    }

    /// Refused for good.
    pub fn refused() -> Step {
        let answer =
            Answer::Refused { code: "account_closed".into(), message: "the account is closed".into() };
        Step { answer, moves: false }
    }
}

impl From<Answer> for Step {
    fn from(answer: Answer) -> Step {
        let moves = matches!(answer, Answer::Transaction(_));
        Step { answer, moves }
    }
}

/// One call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its idempotency key.
    pub key: String,
    /// Its body, byte for byte.
    pub body: String,
    /// What it was answered.
    pub answer: Answer,
}

impl FakeProcessor {
    /// Answers the first calls under each key that is `marker`, or whose body contains it, with `steps` in order.
    pub fn script(&self, marker: &str, steps: impl IntoIterator<Item = Step>) {
        self.books(|books| books.scripts.push((marker.to_owned(), steps.into_iter().collect())));
    }

    /// Every download from now on gets this.
    pub fn set_report(&self, report: FakeReport) {
        self.books(|books| {
            books.reports.clear();
            books.last_report = Some(Ok(report));
        });
    }

    /// The next download gets this; the last report given is given again.
    pub fn next_report(&self, report: FakeReport) {
        self.books(|books| books.reports.push_back(Ok(report)));
    }

    /// The next download cannot even be begun.
    pub fn next_report_fails(&self, why: &str) {
        self.books(|books| books.reports.push_back(Err(why.to_owned())));
    }

    /// For how many milliseconds it was not called, each time that somebody waited.
    pub fn waits(&self) -> Vec<u32> {
        self.books(|books| books.waits.clone())
    }

    /// The calls that came, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.books(|books| books.calls.clone())
    }

    /// The keys under which money moved, each once, and the transactions.
    pub fn moved(&self) -> BTreeMap<String, String> {
        self.books(|books| books.moved.clone())
    }

    /// How many reports were opened.
    pub fn downloads(&self) -> usize {
        self.books(|books| books.downloads)
    }

    /// What its clock was set to, if it was.
    pub fn clock(&self) -> Option<Instant> {
        self.books(|books| books.clock)
    }

    fn books<T>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        work(&mut self.0.lock().expect("no test thread panicked"))
    }
}

impl Books {
    fn answer(&mut self, key: &str, body: &str) -> Answer {
        let earlier = self.calls.iter().filter(|call| call.key == key).count();
        let script = self.scripts.iter().find(|(marker, _)| marker == key || body.contains(marker.as_str()));
        let step = script.and_then(|(_, steps)| steps.get(earlier)).cloned();
        let transaction = format!("tx_{key}");
        let step = step.unwrap_or_else(|| Step::from(Answer::Transaction(transaction.clone())));
        if step.moves {
            let named = match &step.answer {
                Answer::Transaction(named) => named.clone(),
                Answer::Refused { .. }
                | Answer::Misconfigured { .. }
                | Answer::SlowDown { .. }
                | Answer::Unknown { .. } => transaction,
            };
            self.moved.entry(key.to_owned()).or_insert(named);
        }
        self.calls.push(Call { key: key.to_owned(), body: body.to_owned(), answer: step.answer.clone() });
        step.answer
    }
}

#[async_trait(?Send)]
impl Processor for FakeProcessor {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        self.books(|books| books.answer(key, body))
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        let report = self.books(|books| {
            books.downloads += 1;
            books.last_report = books.reports.pop_front().or(books.last_report.take());
            books.last_report.clone()
        });
        let report = report.unwrap_or_else(|| Ok(FakeReport::of(&[])))?;
        Ok(Box::new(Download::of(report)))
    }

    async fn wait(&self, milliseconds: u32) {
        self.books(|books| books.waits.push(milliseconds));
    }

    async fn set_clock(&self, now: Instant) -> Result<(), String> {
        self.books(|books| books.clock = Some(now));
        Ok(())
    }
}

/// A report as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FakeReport {
    /// The HTTP status.
    pub status: u16,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What `Content-Length` says.
    pub announced_bytes: Option<u64>,
    /// After how many bytes the download breaks off.
    pub breaks_off_after: Option<usize>,
    /// How many bytes come at once.
    pub chunk_bytes: usize,
}

impl FakeReport {
    /// A whole report of a header and these rows, `transaction_id,status,code,at` each.
    pub fn of(rows: &[String]) -> FakeReport {
        let mut text = String::from("transaction_id,status,code,at\n");
        for row in rows {
            text.push_str(row);
            text.push('\n');
        }
        FakeReport::of_bytes(text.into_bytes())
    }

    /// A whole report of these bytes.
    pub fn of_bytes(bytes: Vec<u8>) -> FakeReport {
        let announced_bytes = Some(bytes.len() as u64);
        FakeReport { status: 200, bytes, announced_bytes, breaks_off_after: None, chunk_bytes: 1000 }
    }
}

/// A report that is being read.
pub struct Download {
    report: FakeReport,
    given: usize,
}

impl Download {
    /// From its first byte on.
    pub fn of(report: FakeReport) -> Download {
        Download { report, given: 0 }
    }
}

#[async_trait(?Send)]
impl ReportBody for Download {
    fn status(&self) -> u16 {
        self.report.status
    }

    fn announced_bytes(&self) -> Option<u64> {
        self.report.announced_bytes
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let until = self.report.breaks_off_after.unwrap_or(usize::MAX).min(self.report.bytes.len());
        let end = (self.given + self.report.chunk_bytes.max(1)).min(until);
        if self.given == end {
            let broken = self.report.breaks_off_after.is_some();
            return if broken { Err("the connection was lost".into()) } else { Ok(None) };
        }
        let chunk = self.report.bytes[self.given..end].to_vec();
        self.given = end;
        Ok(Some(chunk))
    }
}
