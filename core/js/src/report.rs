//! The report for JavaScript: all rows and all unreadable lines at once.

use js_sys::{Array, ArrayBuffer, Uint8Array};
use paydown::date::Instant;
use paydown::observation::Status;
use paydown::report::{HeaderProblem, Line, Parser, Why};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;
use wasm_bindgen::prelude::*;

use crate::error::{Code, PaydownError, thrown};
use crate::value::write;

/// So much of the report is copied out of JavaScript's memory at once.
const CHUNK_BYTES: u32 = 1 << 20;

/// A report that was read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    /// The rows, in the report's order.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[schemars(with = "Vec<ReportRow<'static>>")]
    pub rows: Array,
    /// The lines that cannot be read, in the report's order.
    #[serde(with = "serde_wasm_bindgen::preserve")]
    #[schemars(with = "Vec<MalformedLine<'static>>")]
    pub malformed: Array,
    /// How many lines it has, the header and empty ones included.
    pub lines: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// Whether the last line has its ending.
    pub final_newline: bool,
    /// Why there are no rows, when the header cannot be read.
    pub header_problem: Option<HeaderProblem>,
    /// Whether it has a header and a final newline; without them it is not complete (L5).
    pub whole: bool,
}

/// A status that the processor states of a transaction at an instant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportRow<'a> {
    /// The processor's name of the transaction.
    pub transaction_id: &'a str,
    /// The id that we sent, when the report has the column and the field holds a UUID.
    pub reference: Option<Uuid>,
    /// What the processor says happened.
    pub status: Status,
    /// The code exactly as written, also of a success.
    pub code: Option<&'a str>,
    /// When it happened.
    pub at: Instant,
}

/// A line that cannot be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MalformedLine<'a> {
    /// Its number, 1 for the header.
    pub line_number: u64,
    /// The line without its ending, at most 4 KiB of it; what is not UTF-8 shows as U+FFFD.
    pub text: &'a str,
    /// What is wrong with it: the first that applies.
    pub why: Why,
}

/// The bytes of an argument.
pub fn bytes(argument: &str, value: &JsValue) -> Result<Uint8Array, PaydownError> {
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        return Ok(bytes.clone());
    }
    if value.is_instance_of::<ArrayBuffer>() {
        return Ok(Uint8Array::new(value));
    }
    Err(thrown(Code::BadInput, "it is neither a Uint8Array nor an ArrayBuffer", argument))
}

/// Reads a report. The rows are made in JavaScript's memory as they are read, so that none of them is there twice.
pub fn parse(bytes: &Uint8Array, download_at: Option<Instant>) -> Result<Report, PaydownError> {
    let (rows, malformed) = (Array::new(), Array::new());
    let mut failed = None;
    let mut sink = |line: Line<'_>| {
        let (list, written) = match line {
            Line::Row(row) => (
                &rows,
                write(&ReportRow {
                    transaction_id: &row.transaction_id,
                    reference: row.reference,
                    status: row.status,
                    code: row.code.as_deref(),
                    at: row.at,
                }),
            ),
            Line::Malformed(line) => (
                &malformed,
                write(&MalformedLine {
                    line_number: line.line_number,
                    text: &String::from_utf8_lossy(line.bytes),
                    why: line.why,
                }),
            ),
        };
        match written {
            Ok(value) => {
                list.push(&value);
            }
            Err(error) => failed = Some(error),
        }
    };
    let mut parser = Parser::new(download_at.unwrap_or(Instant::MAX_UTC));
    let mut start = 0;
    while start < bytes.length() {
        let end = start.saturating_add(CHUNK_BYTES).min(bytes.length());
        parser.feed(&bytes.subarray(start, end).to_vec(), &mut sink);
        start = end;
    }
    let summary = parser.finish(&mut sink);
    if let Some(error) = failed {
        return Err(error);
    }
    Ok(Report {
        whole: summary.is_whole(),
        rows,
        malformed,
        lines: summary.lines,
        bytes: summary.bytes,
        final_newline: summary.final_newline,
        header_problem: summary.header.err(),
    })
}
