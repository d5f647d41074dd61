//! What a run keeps in memory of its report: the same, however long it is.
//!
//! The report is made as it is read, and neither the archive nor the database keeps what it is given: both are elsewhere on
//! the platform. What this process has allocated is then the run's own.

use std::sync::Arc;

use async_trait::async_trait;
use futures_executor::block_on;
use paydown::date::Instant;
use paydown_edge::error::Fault;
use paydown_edge::ports::{
    Answer, Archive, ArchiveWriter, Database, Ports, Processor, ReportBody, Statement,
};
use paydown_edge::run::{daily, deliver};
use paydown_tests::memory::World;
use paydown_tests::platform::within_limits;
use paydown_tests::sqlite::Sqlite;
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a run over any report may allocate, as the architecture has it for 300 MB.
const MOST_BYTES: usize = 64 << 20;

const HEADER: &str = "transaction_id,status,code,at\n";

/// How many bytes a row has, its line ending included.
const ROW_BYTES: u64 = 60;

/// A report of so many rows, none of which is kept.
#[derive(Clone, Copy)]
struct Report {
    rows: u64,
}

impl Report {
    fn bytes(self) -> u64 {
        HEADER.len() as u64 + self.rows * ROW_BYTES
    }

    fn row(number: u64) -> String {
        format!("transaction_{number:08},success,,2026-01-05T12:{:02}:00.00000000Z\n", number % 60)
    }

    /// At most `length` bytes from `offset` on.
    fn read(self, offset: u64, length: u64) -> Vec<u8> {
        let end = offset.saturating_add(length).min(self.bytes());
        let header = HEADER.len() as u64;
        let mut bytes = Vec::new();
        if offset < header {
            bytes.extend_from_slice(HEADER.as_bytes());
        }
        let skipped = if offset < header { offset } else { (offset - header) % ROW_BYTES };
        let rows = offset.saturating_sub(header) / ROW_BYTES..end.saturating_sub(header).div_ceil(ROW_BYTES);
        rows.for_each(|number| bytes.extend_from_slice(Report::row(number).as_bytes()));
        bytes.drain(..usize::try_from(skipped).expect("a place"));
        bytes.truncate(usize::try_from(end - offset).expect("a length"));
        bytes
    }
}

struct Download {
    report: Report,
    given: u64,
}

#[async_trait(?Send)]
impl ReportBody for Download {
    fn status(&self) -> u16 {
        200
    }

    fn announced_bytes(&self) -> Option<u64> {
        Some(self.report.bytes())
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let chunk = self.report.read(self.given, 64 << 10);
        self.given += chunk.len() as u64;
        Ok(Some(chunk).filter(|chunk| !chunk.is_empty()))
    }
}

#[async_trait(?Send)]
impl Processor for Report {
    async fn perform(&self, _key: &str, _body: &str) -> Answer {
        Answer::Unknown { detail: "nothing is due".into() }
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        Ok(Box::new(Download { report: *self, given: 0 }))
    }

    async fn set_clock(&self, _now: Instant) -> Result<(), String> {
        Ok(())
    }
}

#[async_trait(?Send)]
impl Archive for Report {
    async fn create(&self, _key: &str) -> Result<Box<dyn ArchiveWriter>, Fault> {
        Ok(Box::new(Forgotten))
    }

    async fn read(&self, _key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault> {
        Ok((*self).read(offset, length))
    }
}

struct Forgotten;

#[async_trait(?Send)]
impl ArchiveWriter for Forgotten {
    async fn write(&mut self, _bytes: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}

/// A ledger that takes observations and keeps none.
struct Elsewhere(Sqlite);

#[async_trait(?Send)]
impl Database for Elsewhere {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        let is_kept = |statement: &&Statement| !statement.sql.contains("INSERT INTO observations");
        let kept: Vec<Statement> = statements.iter().filter(is_kept).cloned().collect();
        let mut results = self.0.batch(&kept).await?.into_iter();
        let result = |statement: &Statement| {
            if is_kept(&statement) { results.next().unwrap_or_default() } else { vec![] }
        };
        Ok(statements.iter().map(result).collect())
    }
}

/// How many bytes a run allocates at most while it reads so many rows, all of its invocations one after the other.
fn peak(rows: u64) -> usize {
    let report = Report { rows };
    let world = World::at("2026-01-06T06:00:00Z");
    let ports = Ports {
        database: Arc::new(Elsewhere(Sqlite::new())),
        processor: Arc::new(report),
        archive: Arc::new(report),
        ..world.unlimited_ports()
    };
    let as_of: Instant = "2026-01-06T06:00:00Z".parse().expect("an instant");
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    block_on(daily(&within_limits(ports.clone()), as_of)).expect("the run ends");
    loop {
        let messages = world.outbox.take();
        if messages.is_empty() {
            break;
        }
        for message in messages {
            let body = serde_json::to_string(&message).expect("JSON");
            block_on(deliver(&within_limits(ports.clone()), "paydown-runs", &[body]));
        }
    }
    let peak = MEMORY.peak_usage().saturating_sub(before);
    let read = "SELECT json_object('rows', detail ->> '$.rows', 'malformed', detail ->> '$.malformed') FROM run_stages
        WHERE stage = 'observations' AND cursor IS NULL";
    let read =
        block_on(ports.database.batch(&[Statement { sql: read, parameter: "null".into() }])).expect("a row");
    assert_eq!(read, [[format!(r#"{{"rows":{rows},"malformed":0}}"#)]], "all of it was read");
    println!("{rows} rows, {} MB: {peak} bytes at once", report.bytes() / 1_000_000);
    peak
}

#[test]
fn a_report_of_any_length_takes_the_same_memory() {
    assert_eq!(Report::row(7).len() as u64, ROW_BYTES);
    let rows = if std::env::var_os("PAYDOWN_FULL").is_some() { 5_000_000 } else { 600_000 };
    let (short, long) = (peak(50_000), peak(rows));
    assert!(long < MOST_BYTES, "{long} bytes");
    assert!(long < short + short / 10, "{short} bytes for a short report, {long} for a long one");
}
