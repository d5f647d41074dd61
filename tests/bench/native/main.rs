//! `cargo xtask bench` runs this: one thing is measured, and said as JSON.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read, Write};
use std::time::Instant;

use paydown_bench::{CHUNK_BYTES, Reader, confirmed, decisions, lines, plans, report, rows};
use serde_json::{Value, json};

/// How often each thing is done; the fastest counts, as whatever else the machine does only adds to it.
const ROUNDS: u32 = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let figures = match words.as_slice() {
        ["report", rows, file] => write_report(number(rows), file),
        ["read", file] => read(file),
        ["parse", rows] => parse(number(rows)),
        ["plan", credits] => planned(number(credits)),
        // For callgrind: done once, and said nothing of its time.
        ["once", "parse"] => json!({ "rows": rows(&report(2_000)) }),
        ["once", "plan"] => json!({ "installments": decisions(&confirmed(200)) }),
        _ => panic!(
            "usage: measure report ROWS FILE | read FILE | parse ROWS | plan CREDITS | once parse|plan"
        ),
    };
    println!("{figures}");
}

fn number(text: &str) -> u32 {
    text.parse().expect("a whole number")
}

fn write_report(count: u32, path: &str) -> Value {
    let report = report(count);
    let mut file = BufWriter::new(File::create(path).expect("a file can be made"));
    file.write_all(&report).expect("it can be written");
    json!({ "bytes": report.len() })
}

/// Reads a report from its file, as it comes from the archive: a chunk at a time.
fn read(path: &str) -> Value {
    let seconds = fastest(|| {
        let mut file = File::open(path).expect("the file is there");
        let (mut reader, mut chunk) = (Reader::default(), vec![0; CHUNK_BYTES]);
        loop {
            match file.read(&mut chunk).expect("it can be read") {
                0 => return reader.rows(),
                bytes => reader.take(&chunk[..bytes]),
            }
        }
    });
    json!({ "seconds": seconds, "memory": peak_memory() })
}

/// Reads a report that is in memory, and counts its lines.
fn parse(count: u32) -> Value {
    let report = report(count);
    assert_eq!((rows(&report), lines(&report)), (count, count + 1));
    let (parse, count) = (fastest(|| rows(black_box(&report))), fastest(|| lines(black_box(&report))));
    json!({ "bytes": report.len(), "parse": parse, "lines": count })
}

fn planned(credits: u32) -> Value {
    let facts = confirmed(credits);
    let installments = plans(credits);
    assert_eq!(decisions(&facts), installments);
    let (plan, decide) = (fastest(|| plans(black_box(credits))), fastest(|| decisions(black_box(&facts))));
    json!({ "installments": installments, "plan": plan, "decide": decide })
}

/// How many seconds the fastest of some rounds takes.
#[expect(clippy::disallowed_methods, reason = "it is measured; no fact is made from it")]
fn fastest<T>(round: impl Fn() -> T) -> f64 {
    let seconds = |_| {
        let begun = Instant::now();
        black_box(round());
        begun.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(seconds).fold(f64::INFINITY, f64::min)
}

/// The most memory that this process had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line of it");
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kibibytes * 1024
}
