//! The line of an archived report that says something of a transaction, found as the report streams in.
//!
//! Core's own parser reads the lines, so that what is found is what the run read.

use gloo_net::http::Response;
use js_sys::{Object, Reflect, Uint8Array};
use paydown::date::Instant;
use paydown::id::RunId;
use paydown::report::{Line, Parser};
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStreamDefaultReader;

use super::{Answer, Failure, request};

/// A line of a report as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRow {
    /// 1 for the header.
    pub line_number: u64,
    /// The header, which says what the fields are.
    pub header: String,
    /// The line, without its ending.
    pub line: String,
}

/// Which row is sought: what was said of a subject's transaction at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sought {
    /// The run that read it.
    pub run_id: RunId,
    /// The credit or debit, which a report may name as `reference`.
    pub subject: Uuid,
    /// Its transaction.
    pub transaction_id: Option<String>,
    /// When it happened, by the processor.
    pub at: Instant,
}

/// Where a run's report can be downloaded.
pub fn path(run_id: RunId) -> String {
    format!("/v1/runs/{run_id}/report")
}

/// Reads the run's report until the row is found; `None` if it is not there.
pub async fn raw_row(sought: &Sought) -> Answer<Option<RawRow>> {
    let response = request::open(&path(sought.run_id)).await?;
    let Some(reader) = reader(&response) else { return Ok(None) };
    let mut seeking = Seeking::new(sought);
    while let Some(chunk) = next(&reader).await? {
        if seeking.feed(&chunk) {
            // The rest of the report is of no use; that it may not be cancelled is neither.
            let _ = reader.cancel();
            break;
        }
    }
    Ok(seeking.finish())
}

fn reader(response: &Response) -> Option<ReadableStreamDefaultReader> {
    response.body()?.get_reader().dyn_into().ok()
}

async fn next(reader: &ReadableStreamDefaultReader) -> Answer<Option<Vec<u8>>> {
    let broken = |error: JsValue| Failure::unreachable(format!("the report broke off: {error:?}"));
    let step: Object = JsFuture::from(reader.read()).await.map_err(broken)?.unchecked_into();
    let member = |name: &str| Reflect::get(&step, &name.into()).map_err(broken);
    if member("done")?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(Uint8Array::new(&member("value")?).to_vec()))
}

/// A report on its way in, of which only the header and the lines that may be the one are parsed.
struct Seeking<'a> {
    sought: &'a Sought,
    needles: Vec<String>,
    parser: Parser,
    header: Option<String>,
    unfinished: Vec<u8>,
    line_number: u64,
    found: Option<RawRow>,
}

impl<'a> Seeking<'a> {
    fn new(sought: &'a Sought) -> Seeking<'a> {
        let needles = sought.transaction_id.iter().cloned().chain([sought.subject.to_string()]);
        Seeking {
            sought,
            needles: needles.collect(),
            // Rows of too late an instant were refused when the run read them; here nothing is recorded.
            parser: Parser::new(Instant::MAX_UTC),
            header: None,
            unfinished: Vec::new(),
            line_number: 0,
            found: None,
        }
    }

    /// Whether the row was found.
    fn feed(&mut self, chunk: &[u8]) -> bool {
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.line();
            }
        }
        self.found.is_some()
    }

    fn finish(mut self) -> Option<RawRow> {
        if self.found.is_none() && !self.unfinished.is_empty() {
            self.unfinished.push(b'\n');
            self.line();
        }
        self.found
    }

    fn line(&mut self) {
        let bytes = std::mem::take(&mut self.unfinished);
        self.line_number = self.line_number.saturating_add(1);
        let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
        if line.is_empty() || self.found.is_some() {
            return;
        }
        let Some(header) = self.header.clone() else {
            self.parser.feed(&bytes, |_| {});
            self.header = Some(line);
            return;
        };
        if !self.needles.iter().any(|needle| line.contains(needle.as_str())) {
            return;
        }
        let sought = self.sought;
        let mut is_it = false;
        self.parser.feed(&bytes, |read| {
            if let Line::Row(row) = read {
                let names = sought.transaction_id.as_deref() == Some(&*row.transaction_id)
                    || row.reference == Some(sought.subject);
                is_it |= names && row.at == sought.at;
            }
        });
        if is_it {
            self.found = Some(RawRow { line_number: self.line_number, header, line });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "\
transaction_id,status,code,at
tx_1,failure,R01,2026-01-05T09:00:00Z

tx_12,failure,R01,2026-01-06T09:00:00Z
tx_1,success,,2026-01-06T09:00:00Z";

    fn seek(at: &str, chunk_bytes: usize) -> Option<RawRow> {
        let sought = Sought {
            run_id: RunId(Uuid::nil()),
            subject: Uuid::nil(),
            transaction_id: Some("tx_1".into()),
            at: at.parse().unwrap(),
        };
        let mut seeking = Seeking::new(&sought);
        for chunk in REPORT.as_bytes().chunks(chunk_bytes) {
            seeking.feed(chunk);
        }
        seeking.finish()
    }

    #[test]
    fn the_row_is_that_of_the_transaction_and_the_instant_however_the_report_comes_in() {
        for chunk_bytes in 1..REPORT.len() {
            let first = seek("2026-01-05T09:00:00Z", chunk_bytes).unwrap();
            assert_eq!(
                (first.line_number, first.line.as_str()),
                (2, "tx_1,failure,R01,2026-01-05T09:00:00Z")
            );
            let last = seek("2026-01-06T09:00:00Z", chunk_bytes).unwrap();
            assert_eq!((last.line_number, last.line.as_str()), (5, "tx_1,success,,2026-01-06T09:00:00Z"));
            assert_eq!(last.header, "transaction_id,status,code,at");
            assert_eq!(seek("2026-01-07T09:00:00Z", chunk_bytes), None);
        }
    }
}
