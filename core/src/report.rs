//! The processor's report, read as it streams in: bytes go in, rows and unreadable lines come out.
//!
//! The report is CSV: a header line, then one row per status change. Columns go by header name,
//! in any order: `transaction_id`, `status`, `code`, `at`, and `reference` if the processor has it;
//! others are ignored. Reading never fails as a whole. A line that cannot be read with certainty
//! is quoted and counted, and the next line starts afresh, so one bad row costs only itself.
//!
//! What is read, beyond the page of the contract:
//! - A line ends with LF or CRLF and has at most [`MAX_LINE_BYTES`] without its ending. Lines
//!   without any byte are skipped: they have a line number and are not rows.
//! - A byte order mark before the header is skipped.
//! - Fields are quoted as in RFC 4180; a quote inside an unquoted field makes the line malformed,
//!   and so does a number of fields other than the header's. Blanks belong to the field.
//! - A last line without its ending may have been cut off. It is a row only where a cut could not
//!   have gone unnoticed.
//! - Under a header that cannot be read there are no rows, see [`HeaderProblem`].
//!
//! Architecture invariant: there is no buffer of rows here. One unfinished line is all that is
//! kept between chunks.

use std::borrow::Cow;
use std::fmt;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::date::Instant;
use crate::id::TransactionId;
use crate::observation::Status;

/// The longest line that is read, in bytes without its ending; of a longer one, as much is quoted.
/// Source: the contract, "a row is one line of at most 4 KiB".
pub const MAX_LINE_BYTES: usize = 4096;

/// The longest code that is taken, in bytes. Return codes have three (Nacha); the rest is room.
pub const MAX_CODE_BYTES: usize = 32;

/// How far after the download the instant of a row may be: L6, "more than a day".
const LATEST_AFTER_DOWNLOAD: TimeDelta = TimeDelta::days(1);

/// As much of an unfinished line as tells whether it is too long, whatever its ending is.
const MAX_UNFINISHED_BYTES: usize = MAX_LINE_BYTES + 2;

/// Complete lines are taken in blocks of about this size, which stay in the processor's cache.
const BLOCK_BYTES: usize = 16 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a report, or a byte range of it, from chunks of any size.
///
/// ```
/// use paydown::report::{Line, Parser};
///
/// // Columns in another order, a quoted comma, an offset, a code that is empty, a cut-off end.
/// let report = b"at,status,\"note\",transaction_id,code\r\n\
///     2026-01-05T07:00:00+01:00,success,\"sent, \"\"late\"\"\",tx_1,\r\n\
///     2026-01-05T06:00:00Z,maybe,,tx_2,R01\r\n\
///     2026-01-05T06:00:00Z,failure,,tx_3,R1";
/// let mut parser = Parser::new("2026-01-06T06:00:00Z".parse().unwrap());
/// let mut seen = Vec::new();
/// let mut sink = |line: Line<'_>| seen.push(match line {
///     Line::Row(row) => format!("{} {:?} at {}", row.transaction_id, row.code, row.at),
///     Line::Malformed(line) => format!("line {}: {}", line.line_number, line.why),
/// });
/// for chunk in report.chunks(7) {
///     parser.feed(chunk, &mut sink);
/// }
/// let summary = parser.finish(&mut sink);
///
/// assert_eq!(seen, ["tx_1 None at 2026-01-05 06:00:00 UTC",
///                   "line 3: its status is neither success nor failure",
///                   "line 4: it has no line ending and may have been cut off"]);
/// assert_eq!((summary.rows, summary.malformed), (1, 2));
/// assert!(!summary.is_whole());
/// ```
#[derive(Debug, Clone)]
pub struct Parser {
    header: Option<Result<Header, HeaderProblem>>,
    /// An instant after this one makes a row malformed.
    latest: Instant,
    /// The first line belongs to the range before this one.
    skips_first_line: bool,
    /// Where the first line that is read begins in the report.
    start: u64,
    /// Where the next line begins.
    offset: u64,
    /// Lines that begin here or later belong to the next range.
    end: u64,
    /// The beginning of the line that the last chunk left unfinished.
    unfinished: Vec<u8>,
    /// All bytes of that line so far, also those that are not kept.
    unfinished_bytes: u64,
    usual: Usual,
    counts: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    lines: u64,
    rows: u64,
    malformed: u64,
}

/// One line of the report that is not empty and not the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// It states a status.
    Row(ReportRow<'a>),
    /// It cannot be read with certainty; L6 opens `malformed_row`.
    Malformed(MalformedLine<'a>),
}

/// A status that the processor states of a transaction at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow<'a> {
    /// The processor's name of the transaction; always fit for a [`TransactionId`].
    pub transaction_id: Cow<'a, str>,
    /// The id that we sent, when the report has the column and the field holds a UUID. Any other
    /// text there is no id of ours, so the transaction goes by `transaction_id`.
    pub reference: Option<Uuid>,
    /// What the processor says happened.
    pub status: Status,
    /// The code exactly as written, also of a success; 1 to [`MAX_CODE_BYTES`] bytes without
    /// control characters, `None` when the field is empty.
    pub code: Option<Cow<'a, str>>,
    /// When it happened, whatever offset it was written with, to the nanosecond; digits beyond are
    /// dropped. Never more than a day after the download, and not before the year 0.
    pub at: Instant,
}

/// A line that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedLine<'a> {
    /// 1 for the first line of what this parser reads: the header, or the first line of a range.
    pub line_number: u64,
    /// The line as it came, without its ending; the first [`MAX_LINE_BYTES`] of a longer one.
    pub bytes: &'a [u8],
    /// What is wrong with it: the first that applies.
    pub why: Why,
}

/// Why a line is malformed, in the order in which it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The line is longer than [`MAX_LINE_BYTES`].
    TooLong,
    /// The line is not UTF-8.
    NotUtf8,
    /// A quote is not closed on the line, or stands where RFC 4180 allows none.
    Quoting,
    /// The line has more or fewer fields than the header.
    FieldCount,
    /// The last line has no ending, and its last field is one that a cut leaves readable.
    CutOff,
    /// The transaction id is empty, longer than 255 bytes or has control characters.
    TransactionId,
    /// The status is not exactly `success` or `failure`.
    Status,
    /// The code is longer than [`MAX_CODE_BYTES`] or has control characters.
    Code,
    /// The instant is not RFC 3339.
    At,
    /// The instant is more than a day after the download.
    AfterDownload,
}

/// What a parser has read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Lines, the header and empty ones included.
    pub lines: u64,
    /// Rows given to the sink.
    pub rows: u64,
    /// Malformed lines given to the sink.
    pub malformed: u64,
    /// Bytes of all lines with their endings.
    pub bytes: u64,
    /// Whether the last line has its ending. Without it the report is not complete.
    pub final_newline: bool,
    /// The header, or why there are no rows. Without a header the report is not complete.
    pub header: Result<Header, HeaderProblem>,
}

impl Summary {
    /// Whether the report has a header and a final newline. It is complete (L5) when it was also
    /// downloaded whole and no malformed row of it is open.
    pub fn is_whole(&self) -> bool {
        self.header.is_ok() && self.final_newline
    }

    /// What this range and the `next` one come to together.
    pub fn joined(self, next: &Summary) -> Summary {
        Summary {
            lines: self.lines.saturating_add(next.lines),
            rows: self.rows.saturating_add(next.rows),
            malformed: self.malformed.saturating_add(next.malformed),
            bytes: self.bytes.saturating_add(next.bytes),
            final_newline: self.final_newline && next.final_newline,
            header: self.header,
        }
    }
}

impl Parser {
    /// Reads a report from its beginning. `download_at` is the instant it was downloaded, the
    /// run's `as_of`.
    pub fn new(download_at: Instant) -> Parser {
        Parser {
            header: None,
            latest: download_at.checked_add_signed(LATEST_AFTER_DOWNLOAD).unwrap_or(Instant::MAX_UTC),
            skips_first_line: false,
            start: 0,
            offset: 0,
            end: u64::MAX,
            unfinished: Vec::new(),
            unfinished_bytes: 0,
            usual: Usual::default(),
            counts: Counts::default(),
        }
    }

    /// Reads the lines of a report that begin at byte `start` or later, where `start` is 1 or more.
    ///
    /// Feed it the bytes from `start - 1` on: the byte before tells whether a line begins at
    /// `start`. Its line numbers count from its own first line; the `lines` of the ranges before
    /// it are to be added.
    pub fn from_byte(start: u64, header: Header, download_at: Instant) -> Parser {
        let mut parser = Parser::new(download_at);
        parser.header = Some(Ok(header));
        parser.skips_first_line = true;
        parser.start = start.saturating_sub(1);
        parser.offset = parser.start;
        parser
    }

    /// Leaves the lines that begin at byte `end` or later to another range. Feed on until
    /// [`Parser::is_done`], because the last line of a range usually ends beyond it.
    pub fn until_byte(mut self, end: u64) -> Parser {
        self.end = end;
        self
    }

    /// Whether all lines of the range were read; what is fed from then on is ignored.
    pub fn is_done(&self) -> bool {
        self.offset >= self.end && self.unfinished_bytes == 0 && !self.skips_first_line
    }

    /// Takes the next bytes of the report and gives `sink` the lines that they finish.
    pub fn feed(&mut self, chunk: &[u8], mut sink: impl FnMut(Line<'_>)) {
        self.take_chunk(chunk, &mut sink);
    }

    /// Does what [`Parser::feed`] says, apart from it so that it is compiled once for all sinks.
    fn take_chunk(&mut self, chunk: &[u8], sink: &mut dyn FnMut(Line<'_>)) {
        let mut rest = chunk;
        if self.unfinished_bytes > 0 || self.skips_first_line {
            let Some((line_end, after)) = split_line(chunk) else { return self.keep(chunk) };
            self.keep(line_end);
            self.take_unfinished(true, sink);
            rest = after;
        }
        while let Some((block, after)) = split_block(rest) {
            self.take_block(block, sink);
            rest = after;
        }
        if !self.is_done() {
            self.keep(rest);
        }
    }

    /// Takes the end of the report (or of the bytes there are) and gives `sink` a last line that
    /// has no ending.
    pub fn finish(mut self, mut sink: impl FnMut(Line<'_>)) -> Summary {
        // The open line that this parser skips is the business of the range before.
        let is_cut = self.unfinished_bytes > 0 && !self.skips_first_line;
        if is_cut {
            self.take_unfinished(false, &mut sink);
        }
        let Counts { lines, rows, malformed } = self.counts;
        let bytes = self.offset.saturating_sub(self.start);
        let header = self.header.unwrap_or(Err(HeaderProblem::Absent));
        // An empty report ends with nothing, so not with a newline.
        let is_empty_report = self.offset == 0 && !self.skips_first_line;
        Summary { lines, rows, malformed, bytes, final_newline: !is_cut && !is_empty_report, header }
    }

    /// Keeps as much of an unfinished line as can still matter.
    fn keep(&mut self, part: &[u8]) {
        self.unfinished_bytes = self.unfinished_bytes.saturating_add(part.len() as u64);
        if !self.skips_first_line {
            let room = MAX_UNFINISHED_BYTES.saturating_sub(self.unfinished.len());
            self.unfinished.extend_from_slice(part.get(..room).unwrap_or(part));
        }
    }

    /// The unfinished line is finished, by its ending (which is not kept) or by the report's end.
    fn take_unfinished(&mut self, has_ending: bool, sink: &mut dyn FnMut(Line<'_>)) {
        let newline_bytes = u64::from(has_ending);
        let bytes = self.unfinished_bytes.saturating_add(newline_bytes);
        self.unfinished_bytes = 0;
        if self.skips_first_line {
            self.skips_first_line = false;
            self.offset = self.offset.saturating_add(bytes);
            self.start = self.offset;
            return;
        }
        let line = std::mem::take(&mut self.unfinished);
        self.take_line(&line, std::str::from_utf8(&line).ok(), bytes, has_ending, sink);
        self.unfinished = line;
        self.unfinished.clear();
    }

    /// Takes complete lines.
    fn take_block(&mut self, block: &[u8], sink: &mut dyn FnMut(Line<'_>)) {
        // One look at the whole block is far cheaper than one at each line.
        let text = std::str::from_utf8(block).ok();
        let mut start = 0;
        while let Some(rest) = block.get(start..).filter(|rest| !rest.is_empty()) {
            if self.offset >= self.end {
                return;
            }
            if let (Some(text), Some(Ok(header))) = (text.and_then(|text| text.get(start..)), &self.header)
                && let Some((row, bytes)) = read_ordinary_row(text, header, self.latest, &mut self.usual)
            {
                start = start.saturating_add(bytes);
                self.pass(bytes as u64);
                self.counts.rows = self.counts.rows.saturating_add(1);
                sink(Line::Row(row));
                continue;
            }
            let Some((line, _)) = split_line(rest) else { return };
            let bytes = line.len().saturating_add(1);
            let line_text = match text {
                Some(text) => text.get(start..start.saturating_add(line.len())),
                None => std::str::from_utf8(line).ok(),
            };
            self.take_line(line, line_text, bytes as u64, true, sink);
            start = start.saturating_add(bytes);
        }
    }

    /// Counts a line.
    fn pass(&mut self, bytes_with_ending: u64) {
        self.offset = self.offset.saturating_add(bytes_with_ending);
        self.counts.lines = self.counts.lines.saturating_add(1);
    }

    /// Takes one line without its LF. `text` is the same line if it is UTF-8.
    fn take_line(
        &mut self,
        line: &[u8],
        text: Option<&str>,
        bytes_with_ending: u64,
        has_ending: bool,
        sink: &mut dyn FnMut(Line<'_>),
    ) {
        let is_first = self.offset == 0;
        self.pass(bytes_with_ending);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = if is_first { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        if line.is_empty() {
            return;
        }
        let header = match &self.header {
            Some(Ok(header)) => header,
            Some(Err(_)) => return,
            None => {
                self.header = Some(Header::from_line(line));
                return;
            }
        };
        let read = if line.len() > MAX_LINE_BYTES {
            Err(Why::TooLong)
        } else if let Some(text) = text {
            read_row(text.strip_suffix('\r').unwrap_or(text), header, has_ending, self.latest)
        } else {
            Err(Why::NotUtf8)
        };
        match read {
            Ok(row) => {
                self.counts.rows = self.counts.rows.saturating_add(1);
                sink(Line::Row(row));
            }
            Err(why) => {
                self.counts.malformed = self.counts.malformed.saturating_add(1);
                let bytes = line.get(..MAX_LINE_BYTES).unwrap_or(line);
                sink(Line::Malformed(MalformedLine { line_number: self.counts.lines, bytes, why }));
            }
        }
    }
}

/// The bytes before the first LF and those after it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let newline = memchr::memchr(b'\n', bytes)?;
    Some((bytes.get(..newline)?, bytes.get(newline.saturating_add(1)..)?))
}

/// Complete lines of about [`BLOCK_BYTES`], and what follows them. `None` if no line is complete.
fn split_block(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let block = bytes.get(..BLOCK_BYTES).unwrap_or(bytes);
    let newline = memchr::memrchr(b'\n', block).or_else(|| memchr::memchr(b'\n', bytes))?;
    bytes.split_at_checked(newline.saturating_add(1))
}

/// Which column of a report is which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    columns: Vec<Column>,
}

/// A column of the report by its header name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Column {
    /// `transaction_id`, needed.
    TransactionId,
    /// `status`, needed.
    Status,
    /// `code`, needed.
    Code,
    /// `at`, needed.
    At,
    /// `reference`, read where there is one.
    Reference,
    /// A column of any other name.
    Ignored,
}

/// Why a report has no readable header. It then has no rows and is not complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeaderProblem {
    /// There is no line that is not empty.
    Absent,
    /// The line is longer than [`MAX_LINE_BYTES`].
    TooLong,
    /// A quote is not closed on the line, or stands where RFC 4180 allows none.
    Quoting,
    /// A needed column is missing: the first of transaction_id, status, code, at.
    Missing(Column),
    /// A column that is read is there more than once.
    Repeated(Column),
}

impl Header {
    /// Reads the header: the first line that is not empty of `report_beginning`.
    ///
    /// [`Parser::new`] does this itself; this is for reading ranges.
    ///
    /// # Errors
    /// As each [`HeaderProblem`] says.
    ///
    /// ```
    /// use paydown::report::{Column, Header, HeaderProblem};
    /// assert!(Header::parse(b"\xef\xbb\xbfat,\"code\",status,fee,transaction_id\r\n2026-").is_ok());
    /// assert_eq!(Header::parse(b"transaction_id;status;code;at\n"),
    ///            Err(HeaderProblem::Missing(Column::TransactionId)));
    /// ```
    pub fn parse(report_beginning: &[u8]) -> Result<Header, HeaderProblem> {
        let without_mark = report_beginning.strip_prefix(BYTE_ORDER_MARK).unwrap_or(report_beginning);
        let line = without_mark
            .split(|byte| *byte == b'\n')
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .find(|line| !line.is_empty())
            .ok_or(HeaderProblem::Absent)?;
        Header::from_line(line)
    }

    /// Reads a line that has no ending any more.
    fn from_line(line: &[u8]) -> Result<Header, HeaderProblem> {
        if line.len() > MAX_LINE_BYTES {
            return Err(HeaderProblem::TooLong);
        }
        // A name that is not UTF-8 is none of ours, so nothing is lost by replacing its bytes.
        let text = String::from_utf8_lossy(line);
        let mut columns = Vec::new();
        let mut rest = Some(text.as_ref());
        while let Some(from) = rest {
            let (name, after) = split_field(from).ok_or(HeaderProblem::Quoting)?;
            columns.push(Column::named(&name));
            rest = after;
        }
        let count = |wanted: Column| columns.iter().filter(|column| **column == wanted).count();
        for needed in [Column::TransactionId, Column::Status, Column::Code, Column::At] {
            if count(needed) == 0 {
                return Err(HeaderProblem::Missing(needed));
            }
        }
        for single in [Column::TransactionId, Column::Status, Column::Code, Column::At, Column::Reference] {
            if count(single) > 1 {
                return Err(HeaderProblem::Repeated(single));
            }
        }
        Ok(Header { columns })
    }

    /// Whether a line that was cut off within its last field could still be read, but otherwise
    /// than it was written. A status or an instant is recognised whole, and an ignored field says nothing.
    fn last_field_may_be_cut(&self) -> bool {
        match self.columns.last() {
            Some(Column::TransactionId | Column::Code | Column::Reference) => true,
            Some(Column::Status | Column::At | Column::Ignored) | None => false,
        }
    }
}

impl Column {
    fn named(name: &str) -> Column {
        match name {
            "transaction_id" => Column::TransactionId,
            "status" => Column::Status,
            "code" => Column::Code,
            "at" => Column::At,
            "reference" => Column::Reference,
            _ => Column::Ignored,
        }
    }
}

/// Reads a line that is UTF-8, not too long and has no ending any more.
fn read_row<'a>(
    line: &'a str,
    header: &Header,
    has_ending: bool,
    latest: Instant,
) -> Result<ReportRow<'a>, Why> {
    const NONE: Cow<'static, str> = Cow::Borrowed("");
    let (mut transaction_id, mut status, mut code, mut at, mut reference) = (NONE, NONE, NONE, NONE, NONE);
    let mut rest = Some(line);
    for column in &header.columns {
        let (field, after) = split_field(rest.ok_or(Why::FieldCount)?).ok_or(Why::Quoting)?;
        match column {
            Column::TransactionId => transaction_id = field,
            Column::Status => status = field,
            Column::Code => code = field,
            Column::At => at = field,
            Column::Reference => reference = field,
            Column::Ignored => {}
        }
        rest = after;
    }
    if rest.is_some() {
        return Err(Why::FieldCount);
    }
    if !has_ending && header.last_field_may_be_cut() {
        return Err(Why::CutOff);
    }
    if transaction_id.is_empty() || !is_plain(&transaction_id, TransactionId::MAX_BYTES) {
        return Err(Why::TransactionId);
    }
    let status = match status.as_ref() {
        "success" => Status::Success,
        "failure" => Status::Failure,
        _ => return Err(Why::Status),
    };
    if !is_plain(&code, MAX_CODE_BYTES) {
        return Err(Why::Code);
    }
    let at = instant(at.as_bytes()).ok_or(Why::At)?;
    if at > latest {
        return Err(Why::AfterDownload);
    }
    let reference = if reference.is_empty() { None } else { Uuid::try_parse(&reference).ok() };
    Ok(ReportRow { transaction_id, reference, status, code: Some(code).filter(|code| !code.is_empty()), at })
}

/// What the row before looked like, as the next one is likely to look the same.
#[derive(Debug, Clone, Copy, Default)]
struct Usual {
    transaction_id_bytes: usize,
    date_text: [u8; 10],
    date: NaiveDate,
}

/// Reads the row at the start of `lines` if it is written as nearly all are: without quotes, in
/// ASCII, an instant to the second ending in `Z`, and nothing wrong with it. Returns it with the
/// bytes it takes, its ending included.
///
/// [`read_row`] gives the same row, but takes five times as long: it finds the end of the line and
/// of each field first, and looks at what they contain afterwards.
fn read_ordinary_row<'a>(
    lines: &'a str,
    header: &Header,
    latest: Instant,
    usual: &mut Usual,
) -> Option<(ReportRow<'a>, usize)> {
    if header.columns == USUAL_COLUMNS {
        return read_usual_row(lines, latest, usual);
    }
    let (mut transaction_id, mut status, mut code, mut at, mut reference) = ("", None, None, None, None);
    let mut rest = lines;
    let mut columns = header.columns.as_slice();
    while let Some((column, later)) = columns.split_first() {
        columns = later;
        let end = if later.is_empty() { b'\n' } else { b',' };
        rest = match column {
            Column::TransactionId => {
                let after;
                (transaction_id, after) = split_ordinary_id(rest, end, usual)?;
                after
            }
            Column::Status => {
                let (read, after) = match rest.strip_prefix("success") {
                    Some(after) => (Status::Success, after),
                    None => (Status::Failure, rest.strip_prefix("failure")?),
                };
                status = Some(read);
                after_end(after, end)?
            }
            Column::Code => {
                let (field, after) = split_ordinary_field(rest, end)?;
                code = Some(field).filter(|field| !field.is_empty());
                after
            }
            Column::At => {
                let (field, after) = rest.split_at_checked(20)?;
                at = Some(ordinary_instant(field.as_bytes().first_chunk()?, usual)?);
                after_end(after, end)?
            }
            Column::Reference => {
                let (field, after) = split_ordinary_field(rest, end)?;
                reference = Uuid::try_parse(field).ok();
                after
            }
            Column::Ignored => split_ordinary_field(rest, end)?.1,
        };
    }
    checked_row(lines, rest, latest, (transaction_id, reference, status?, code, at?))
}

/// The columns of the contract, in its order.
const USUAL_COLUMNS: [Column; 4] = [Column::TransactionId, Column::Status, Column::Code, Column::At];

/// Does what [`read_ordinary_row`] says for the usual columns, without asking at each field which it is. It is compiled into the
/// loop over rows with what it calls: by itself the compiler keeps them apart, which takes a tenth more.
#[inline(always)]
fn read_usual_row<'a>(lines: &'a str, latest: Instant, usual: &mut Usual) -> Option<(ReportRow<'a>, usize)> {
    let (transaction_id, rest) = split_ordinary_id(lines, b',', usual)?;
    let (status, code, rest) = match rest.strip_prefix("success,,") {
        Some(rest) => (Status::Success, None, rest),
        None => {
            let (status, rest) = match rest.strip_prefix("failure,") {
                Some(rest) => (Status::Failure, rest),
                None => (Status::Success, rest.strip_prefix("success,")?),
            };
            let (code, rest) = split_ordinary_field(rest, b',')?;
            (status, Some(code).filter(|code| !code.is_empty()), rest)
        }
    };
    let (at, rest) = rest.split_at_checked(20)?;
    let at = ordinary_instant(at.as_bytes().first_chunk()?, usual)?;
    let rest = after_end(rest, b'\n')?;
    checked_row(lines, rest, latest, (transaction_id, None, status, code, at))
}

/// The row of these fields that `rest` follows, with the bytes it takes.
#[inline(always)]
fn checked_row<'a>(
    lines: &str,
    rest: &str,
    latest: Instant,
    (transaction_id, reference, status, code, at): (&'a str, Option<Uuid>, Status, Option<&'a str>, Instant),
) -> Option<(ReportRow<'a>, usize)> {
    let bytes = lines.len().saturating_sub(rest.len());
    if bytes > MAX_LINE_BYTES || at > latest || code.is_some_and(|code| !is_plain(code, MAX_CODE_BYTES)) {
        return None;
    }
    let (transaction_id, code) = (Cow::Borrowed(transaction_id), code.map(Cow::Borrowed));
    Some((ReportRow { transaction_id, reference, status, code, at }, bytes))
}

/// Splits a transaction id off `lines` that ends where the one before did, or else at the next `end`.
#[inline(always)]
fn split_ordinary_id<'a>(lines: &'a str, end: u8, usual: &mut Usual) -> Option<(&'a str, &'a str)> {
    let bytes = lines.as_bytes();
    if bytes.get(usual.transaction_id_bytes) != Some(&end) {
        // A longer one is malformed; without the bound, lines without commas would be read again and again.
        let nearest = bytes.get(..=TransactionId::MAX_BYTES).unwrap_or(bytes);
        usual.transaction_id_bytes = memchr::memchr(end, nearest)?;
    }
    let (id, rest) = lines.split_at_checked(usual.transaction_id_bytes)?;
    let is_ordinary =
        !id.is_empty() && id.len() <= TransactionId::MAX_BYTES && is_ordinary_text(id.as_bytes());
    if is_ordinary { Some((id, rest.get(1..)?)) } else { None }
}

/// Whether a text is printable ASCII without a comma and a quote, so that it is a whole field.
fn is_ordinary_text(text: &[u8]) -> bool {
    // Eight bytes at once; the last eight overlap those before.
    match text.last_chunk::<8>() {
        Some(end) => {
            text.as_chunks::<8>().0.iter().fold(0, |any, part| any | others(part)) | others(end) == 0
        }
        None => text.iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b',' && *byte != b'"'),
    }
}

/// Not zero if one of the bytes is not printable ASCII, a comma or a quote.
fn others(bytes: &[u8; 8]) -> u64 {
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let all = |byte: u8| u64::from_ne_bytes([byte; 8]);
    let bytes = u64::from_ne_bytes(*bytes);
    // Of seven bits each, so that no sum reaches the next byte; what has an eighth is no ASCII.
    let low = bytes & !HIGH;
    let is_not = |byte: u8| (low ^ all(byte)).wrapping_add(all(0x7f));
    let is_printable = low.wrapping_add(all(0x80 - b' ')) & !low.wrapping_add(all(0x7f - b'~'));
    (bytes | !(is_printable & is_not(b',') & is_not(b'"'))) & HIGH
}

/// Splits a field without quotes off `lines`, that `end` must follow.
fn split_ordinary_field(lines: &str, end: u8) -> Option<(&str, &str)> {
    if let Some(rest) = after_end(lines, end) {
        return Some(("", rest));
    }
    let found = memchr::memchr3(b',', b'\n', b'"', lines.as_bytes())?;
    let (field, rest) = lines.split_at_checked(found)?;
    let field = if end == b'\n' { field.strip_suffix('\r').unwrap_or(field) } else { field };
    Some((field, after_end(rest, end)?))
}

/// What follows the comma or line ending that `lines` starts with.
fn after_end(lines: &str, end: u8) -> Option<&str> {
    if end == b'\n' {
        lines.strip_prefix('\n').or_else(|| lines.strip_prefix("\r\n"))
    } else {
        lines.strip_prefix(',')
    }
}

/// The instant `YYYY-MM-DDThh:mm:ssZ`.
#[inline(always)]
fn ordinary_instant(text: &[u8; 20], usual: &mut Usual) -> Option<Instant> {
    let [date_text @ .., b'T', h0, h1, c0, mi0, mi1, c1, s0, s1, b'Z'] = text else { return None };
    // All digits at once: `hh:mm:ss` less `00:00:00` must be 0 to 9 everywhere, and 0 at the colons.
    let digits =
        u64::from_le_bytes([*h0, *h1, *c0, *mi0, *mi1, *c1, *s0, *s1]) ^ u64::from_le_bytes(*b"00:00:00");
    let above_nine = (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080;
    let colons = digits & u64::from_le_bytes([0, 0, 0xff, 0, 0, 0xff, 0, 0]);
    if above_nine != 0 || colons != 0 {
        return None;
    }
    let [h0, h1, _, mi0, mi1, _, s0, s1] = digits.to_le_bytes();
    let number = |tens: u8, ones: u8| u32::from(tens).wrapping_mul(10).wrapping_add(u32::from(ones));
    let time = NaiveTime::from_hms_opt(number(h0, h1), number(mi0, mi1), number(s0, s1))?;
    if usual.date_text != *date_text {
        usual.date = date(date_text)?;
        usual.date_text = *date_text;
    }
    Some(usual.date.and_time(time).and_utc())
}

/// The date `YYYY-MM-DD`.
fn date(text: &[u8; 10]) -> Option<NaiveDate> {
    let [y0, y1, y2, y3, b'-', mo0, mo1, b'-', d0, d1] = *text else { return None };
    let year = two_digits(y0, y1)?.checked_mul(100)?.checked_add(two_digits(y2, y3)?)?;
    NaiveDate::from_ymd_opt(year.cast_signed(), two_digits(mo0, mo1)?, two_digits(d0, d1)?)
}

/// Whether a text has at most `max_bytes` and no control characters.
fn is_plain(text: &str, max_bytes: usize) -> bool {
    text.len() <= max_bytes && !text.chars().any(char::is_control)
}

/// A field without its quotes, and the line after it.
type Field<'a> = (Cow<'a, str>, Option<&'a str>);

/// Splits the next field off; the line after it is `None` if it was the last. `None` in all if
/// its quotes are not as in RFC 4180.
fn split_field(line: &str) -> Option<Field<'_>> {
    match memchr::memchr2(b',', b'"', line.as_bytes()) {
        None => Some((Cow::Borrowed(line), None)),
        Some(0) if line.starts_with('"') => split_quoted_field(line.get(1..)?),
        Some(found) => {
            let (field, rest) = line.split_at_checked(found)?;
            Some((Cow::Borrowed(field), Some(rest.strip_prefix(',')?)))
        }
    }
}

/// Splits a field off whose opening quote is already gone.
fn split_quoted_field(line: &str) -> Option<Field<'_>> {
    let mut unescaped = String::new();
    let mut rest = line;
    loop {
        let (part, after) = rest.split_once('"')?;
        if let Some(after_pair) = after.strip_prefix('"') {
            unescaped.push_str(part);
            unescaped.push('"');
            rest = after_pair;
            continue;
        }
        let field = if unescaped.is_empty() { Cow::Borrowed(part) } else { Cow::Owned(unescaped + part) };
        return match after.strip_prefix(',') {
            Some(next) => Some((field, Some(next))),
            None => after.is_empty().then_some((field, None)),
        };
    }
}

/// The instant that an RFC 3339 text names.
///
/// Written by hand because a general parser takes longer for it than for all the rest of a row.
/// `T` and `Z` may be small, and a blank may stand for `T`, as the RFC's notes allow. Digits beyond
/// nanoseconds are dropped, which at worst makes two rows one instant, where failure wins (L6). The leap second
/// 23:59:60 UTC is the first second of the next day, as in Unix time, so that an instant has one form.
fn instant(text: &[u8]) -> Option<Instant> {
    let (seconds_text, tail) = text.split_first_chunk::<19>()?;
    let [date_text @ .., b'T' | b't' | b' ', h0, h1, b':', mi0, mi1, b':', s0, s1] = seconds_text else {
        return None;
    };
    let date = date(date_text)?;
    let second = two_digits(*s0, *s1)?;
    let (nanosecond, offset) = fraction(tail)?;
    let is_leap = second == 60;
    let written = date.and_hms_nano_opt(
        two_digits(*h0, *h1)?,
        two_digits(*mi0, *mi1)?,
        if is_leap { 59 } else { second },
        nanosecond,
    )?;

    let offset_seconds = offset_seconds(offset)?;
    if offset_seconds == 0 && !is_leap {
        return Some(written.and_utc());
    }
    let utc = written.checked_sub_signed(TimeDelta::seconds(offset_seconds))?.and_utc();
    if !is_leap {
        return Some(utc).filter(is_from_year_0);
    }
    let next = utc.checked_add_signed(TimeDelta::seconds(1))?;
    let is_midnight = next.timestamp().rem_euclid(86_400) == 0;
    Some(next).filter(|_| is_midnight).filter(is_from_year_0)
}

/// An offset can lead before the year 0, where instants have no RFC 3339 form.
fn is_from_year_0(at: &Instant) -> bool {
    use chrono::Datelike;
    at.year() >= 0
}

fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    let digit = |byte: u8| byte.checked_sub(b'0').filter(|digit| *digit <= 9).map(u32::from);
    digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)
}

/// Nanoseconds of the fraction at the start of `text`, 0 if there is none, and what follows it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(after_point) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = after_point.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (written, rest) = after_point.split_at_checked(digits)?;
    if written.is_empty() {
        return None;
    }
    let nine = written.iter().chain(std::iter::repeat(&b'0')).take(9);
    let nanoseconds = nine
        .fold(0u32, |sum, byte| sum.saturating_mul(10).saturating_add(u32::from(byte.saturating_sub(b'0'))));
    Some((nanoseconds, rest))
}

/// Seconds east of UTC: `Z`, or `+hh:mm` or `-hh:mm` up to 23:59.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, h0, h1, m0, m1) = match *text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', h0, h1, b':', m0, m1] => (1i64, h0, h1, m0, m1),
        [b'-', h0, h1, b':', m0, m1] => (-1i64, h0, h1, m0, m1),
        _ => return None,
    };
    let (hours, minutes) = (two_digits(h0, h1)?, two_digits(m0, m1)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
    sign.checked_mul(i64::from(seconds))
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::TooLong => write!(f, "it is longer than {MAX_LINE_BYTES} bytes"),
            Why::NotUtf8 => f.write_str("it is not UTF-8"),
            Why::Quoting => f.write_str("a quote is not closed on the line or stands where none may"),
            Why::FieldCount => f.write_str("it has more or fewer fields than the header"),
            Why::CutOff => f.write_str("it has no line ending and may have been cut off"),
            Why::TransactionId => {
                f.write_str("its transaction id is empty, too long or has control characters")
            }
            Why::Status => f.write_str("its status is neither success nor failure"),
            Why::Code => {
                write!(f, "its code is longer than {MAX_CODE_BYTES} bytes or has control characters")
            }
            Why::At => f.write_str("its instant is not RFC 3339"),
            Why::AfterDownload => f.write_str("its instant is more than a day after the download"),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Column::TransactionId => "transaction_id",
            Column::Status => "status",
            Column::Code => "code",
            Column::At => "at",
            Column::Reference => "reference",
            Column::Ignored => "another column",
        })
    }
}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderProblem::Absent => f.write_str("the report has no header"),
            HeaderProblem::TooLong => write!(f, "the report's header is longer than {MAX_LINE_BYTES} bytes"),
            HeaderProblem::Quoting => {
                f.write_str("a quote in the report's header is not closed or stands where none may")
            }
            HeaderProblem::Missing(column) => write!(f, "the report's header has no column {column}"),
            HeaderProblem::Repeated(column) => {
                write!(f, "the report's header has more than one column {column}")
            }
        }
    }
}

impl std::error::Error for Why {}
impl std::error::Error for HeaderProblem {}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOWNLOAD_AT: &str = "2026-01-06T06:00:00Z";
    const HEADER: &str = "transaction_id,status,code,at\n";

    /// What a sink was given, and the summary.
    type Seen = (Vec<String>, Summary);

    fn read(parser: Parser, chunks: &[&[u8]]) -> Seen {
        read_after(0, parser, chunks)
    }

    /// Reads a range with `lines_before` it.
    fn read_after(lines_before: u64, mut parser: Parser, chunks: &[&[u8]]) -> Seen {
        let mut seen = Vec::new();
        let mut sink = |line: Line<'_>| {
            seen.push(match line {
                Line::Row(row) => {
                    let at = row.at.naive_utc().format("%FT%T%.f").to_string();
                    let code = row.code.as_deref().unwrap_or("-");
                    let reference = row.reference.map(|id| format!(" {id}")).unwrap_or_default();
                    format!("{} {:?} {code} {at}{reference}", row.transaction_id, row.status).to_lowercase()
                }
                Line::Malformed(line) => {
                    let line_number = lines_before + line.line_number;
                    format!("{line_number}: {:?} {}", line.why, line.bytes.escape_ascii())
                }
            });
        };
        for chunk in chunks {
            parser.feed(chunk, &mut sink);
        }
        let summary = parser.finish(&mut sink);
        (seen, summary)
    }

    fn parser() -> Parser {
        Parser::new(DOWNLOAD_AT.parse().unwrap())
    }

    /// Reads `body` whole and byte by byte, and compares what the sink was given.
    fn check(body: impl AsRef<[u8]>, expected: &[&str]) -> Summary {
        let body = body.as_ref();
        let (seen, summary) = read(parser(), &[body]);
        assert_eq!(seen, expected, "{}", body.escape_ascii());
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert_eq!(read(parser(), &bytes), (seen, summary.clone()), "{}", body.escape_ascii());
        summary
    }

    /// Reads one row under the usual header.
    fn check_row(row: &str, expected: &str) {
        check(format!("{HEADER}{row}\n"), &[expected]);
    }

    #[test]
    fn rows_are_read() {
        check_row("tx_1,success,,2026-01-05T06:00:00Z", "tx_1 success - 2026-01-05t06:00:00");
        check_row("tx_1,failure,R01,2026-01-05T06:00:00Z", "tx_1 failure r01 2026-01-05t06:00:00");
        check_row("tx_1,success,OK,2026-01-05T06:00:00Z", "tx_1 success ok 2026-01-05t06:00:00");
        check_row("tx_1,success,,2026-01-05T06:00:00Z\r", "tx_1 success - 2026-01-05t06:00:00");
        check_row(" é ,success,,2026-01-05T06:00:00Z", " é  success - 2026-01-05t06:00:00");
        check_row(
            "\"a,\"\"b\"\"\",\"failure\",\"\",\"2026-01-05T06:00:00Z\"",
            "a,\"b\" failure - 2026-01-05t06:00:00",
        );
        check_row("\"\"\"\",failure,,2026-01-05T06:00:00Z", "\" failure - 2026-01-05t06:00:00");
        let longest = "x".repeat(255);
        check_row(
            &format!("{longest},success,,2026-01-05T06:00:00Z"),
            &format!("{longest} success - 2026-01-05t06:00:00"),
        );
        let code = "c".repeat(32);
        check_row(
            &format!("t,failure,{code},2026-01-05T06:00:00Z"),
            &format!("t failure {code} 2026-01-05t06:00:00"),
        );
    }

    #[test]
    fn an_instant_has_one_form() {
        for (at, expected) in [
            ("2026-01-05T07:00:00+01:00", "2026-01-05t06:00:00"),
            ("2026-01-04T23:30:00-06:30", "2026-01-05t06:00:00"),
            ("2026-01-05t06:00:00z", "2026-01-05t06:00:00"),
            ("2026-01-05 06:00:00-00:00", "2026-01-05t06:00:00"),
            ("2026-01-05T06:00:00.000Z", "2026-01-05t06:00:00"),
            ("2026-01-05T06:00:00.5Z", "2026-01-05t06:00:00.500"),
            ("2026-01-05T06:00:00.1234567899Z", "2026-01-05t06:00:00.123456789"),
            ("2024-02-29T06:00:00Z", "2024-02-29t06:00:00"),
            ("2016-12-31T23:59:60.25Z", "2017-01-01t00:00:00.250"),
            ("2017-01-01T05:29:60+05:30", "2017-01-01t00:00:00"),
            ("0000-01-01T00:00:00Z", "0000-01-01t00:00:00"),
            // Exactly a day after the download is not more than a day.
            ("2026-01-07T06:00:00Z", "2026-01-07t06:00:00"),
            ("2026-01-07T07:00:00.0+01:00", "2026-01-07t06:00:00"),
        ] {
            check_row(&format!("t,success,,{at}"), &format!("t success - {expected}"));
        }
    }

    #[test]
    fn a_row_that_cannot_be_read_is_quoted() {
        let good_at = "2026-01-05T06:00:00Z";
        let too_long_id = format!("{},success,,{good_at}", "x".repeat(256));
        let too_long_code = format!("t,failure,{},{good_at}", "c".repeat(33));
        for (row, why) in [
            ("t,success,", "FieldCount"),
            ("t,success,,2026-01-05T06:00:00Z,", "FieldCount"),
            (" ", "FieldCount"),
            ("t,\"success,,2026-01-05T06:00:00Z", "Quoting"),
            ("t,\"success\" ,,2026-01-05T06:00:00Z", "Quoting"),
            ("t,suc\"cess,,2026-01-05T06:00:00Z", "Quoting"),
            ("5\",success,,2026-01-05T06:00:00Z", "Quoting"),
            (",success,,2026-01-05T06:00:00Z", "TransactionId"),
            ("t\tx,success,,2026-01-05T06:00:00Z", "TransactionId"),
            ("t\rx,success,,2026-01-05T06:00:00Z", "TransactionId"),
            ("t\u{7f},success,,2026-01-05T06:00:00Z", "TransactionId"),
            ("t\u{85},success,,2026-01-05T06:00:00Z", "TransactionId"),
            (&too_long_id, "TransactionId"),
            ("t,Success,,2026-01-05T06:00:00Z", "Status"),
            ("t,success ,,2026-01-05T06:00:00Z", "Status"),
            ("t,successful,,2026-01-05T06:00:00Z", "Status"),
            ("t,,,2026-01-05T06:00:00Z", "Status"),
            ("t,failure,R\t1,2026-01-05T06:00:00Z", "Code"),
            (&too_long_code, "Code"),
            ("t,success,,", "At"),
            ("t,success,,2026-01-05", "At"),
            ("t,success,,2026-01-05T06:00Z", "At"),
            ("t,success,,2026-01-05T06:00:00", "At"),
            ("t,success,,2026-01-05T06:00:00.Z", "At"),
            ("t,success,,2026-01-05T06:00:00+0100", "At"),
            ("t,success,,2026-01-05T06:00:00+24:00", "At"),
            ("t,success,,2026-01-05T06:00:00ZZ", "At"),
            ("t,success,,2026-01-05T06;00:00Z", "At"),
            ("t,success,,2026-01-05T24:00:00Z", "At"),
            ("t,success,,2026-01-05T0::00:00Z", "At"),
            ("t,success,,2025-02-29T06:00:00Z", "At"),
            ("t,success,,2025-13-01T06:00:00Z", "At"),
            ("t,success,,2016-12-31T23:58:60Z", "At"),
            ("t,success,,2016-12-31T23:59:61Z", "At"),
            ("t,success,,0000-01-01T00:00:00+00:01", "At"),
            ("t,success,,2026-01-07T06:00:01Z", "AfterDownload"),
            ("t,success,,2026-01-07T06:00:00.000000001Z", "AfterDownload"),
            ("t,success,,9999-12-31T23:59:59-23:59", "AfterDownload"),
        ] {
            check_row(
                row,
                &format!(
                    "2: {why} {}",
                    row.escape_default()
                        .to_string()
                        .replace("\\u{7f}", "\\x7f")
                        .replace("\\u{85}", "\\xc2\\x85")
                ),
            );
        }
        check(
            b"transaction_id,status,code,at,x\nt,success,,2026-01-05T06:00:00Z,\xff\n",
            &["2: NotUtf8 t,success,,2026-01-05T06:00:00Z,\\xff"],
        );
    }

    #[test]
    fn a_bad_row_costs_only_itself() {
        let body = "\u{feff}note,at,reference,code,transaction_id,status\r\n\
            \"a, \"\"b\"\"\",2026-01-05T06:00:00Z,0190F5A0-0000-7000-8000-000000000001,,t1,success\r\n\
            \r\n\
            \"open,2026-01-05T06:00:00Z,,,t2,success\r\n\
            ,2026-01-05T06:00:00Z,not ours,R01,t3,failure\r\n\
            ,2026-01-05T06:00:00Z,,,t4,maybe\n\
            \n\
            x,2026-01-05T06:00:00Z,,,t5,success\n";
        let summary = check(
            body,
            &[
                "t1 success - 2026-01-05t06:00:00 0190f5a0-0000-7000-8000-000000000001",
                "4: Quoting \\\"open,2026-01-05T06:00:00Z,,,t2,success",
                "t3 failure r01 2026-01-05t06:00:00",
                "6: Status ,2026-01-05T06:00:00Z,,,t4,maybe",
                "t5 success - 2026-01-05t06:00:00",
            ],
        );
        assert_eq!((summary.lines, summary.rows, summary.malformed), (8, 3, 2));
        assert_eq!(summary.bytes, body.len() as u64);
        assert!(summary.is_whole());
    }

    #[test]
    fn a_line_has_at_most_4_kib() {
        let row = |bytes: usize| {
            let row = "t,success,,2026-01-05T06:00:00Z,";
            format!("{row}{}", "x".repeat(bytes - row.len()))
        };
        let header = "transaction_id,status,code,at,note\n";
        for ending in ["\n", "\r\n"] {
            let body = format!("{header}{}{ending}{}{ending}{}{ending}", row(4096), row(4097), row(100_000));
            let summary = check(
                body,
                &[
                    "t success - 2026-01-05t06:00:00",
                    &format!("3: TooLong {}", row(4096)),
                    &format!("4: TooLong {}", row(4096)),
                ],
            );
            assert!(summary.is_whole());
        }
    }

    #[test]
    fn an_empty_report_does_not_end_as_a_report_does() {
        let summary = check("", &[]);
        assert_eq!((summary.final_newline, summary.bytes, summary.lines), (false, 0, 0));
        assert!(!summary.is_whole());
    }

    #[test]
    fn a_last_line_without_ending_is_read_where_a_cut_would_show() {
        let summary =
            check(format!("{HEADER}t,success,,2026-01-05T06:00:00Z"), &["t success - 2026-01-05t06:00:00"]);
        assert!(!summary.final_newline && !summary.is_whole());
        check(format!("{HEADER}t,success,,2026-01-05T06:00:00"), &["2: At t,success,,2026-01-05T06:00:00"]);
        check(
            "at,status,transaction_id,code\n2026-01-05T06:00:00Z,failure,t,R1",
            &["2: CutOff 2026-01-05T06:00:00Z,failure,t,R1"],
        );
        check(
            "at,status,code,transaction_id\n2026-01-05T06:00:00Z,failure,R01,\"t\"",
            &["2: CutOff 2026-01-05T06:00:00Z,failure,R01,\\\"t\\\""],
        );
        check(
            "at,transaction_id,code,status\n2026-01-05T06:00:00Z,t,R01,failure\r",
            &["t failure r01 2026-01-05t06:00:00"],
        );
    }

    #[test]
    fn without_a_header_there_are_no_rows() {
        let row = "t,success,,2026-01-05T06:00:00Z\n";
        let long = format!("{HEADER:x<5000}");
        for (body, problem) in [
            ("", HeaderProblem::Absent),
            ("\n\r\n", HeaderProblem::Absent),
            ("\u{feff}", HeaderProblem::Absent),
            ("<html>\n<body>\n", HeaderProblem::Missing(Column::TransactionId)),
            (row, HeaderProblem::Missing(Column::TransactionId)),
            ("transaction_id,status,code, at\n", HeaderProblem::Missing(Column::At)),
            ("transaction_id,Status,code,at\n", HeaderProblem::Missing(Column::Status)),
            ("transaction_id,status,at\n", HeaderProblem::Missing(Column::Code)),
            ("transaction_id,status,code,at,status\n", HeaderProblem::Repeated(Column::Status)),
            (
                "reference,transaction_id,status,code,at,reference\n",
                HeaderProblem::Repeated(Column::Reference),
            ),
            ("transaction_id,status,code,\"at\n", HeaderProblem::Quoting),
            (&long.replace('\n', ","), HeaderProblem::TooLong),
        ] {
            let summary = check(body, &[]);
            assert_eq!(summary.header, Err(problem));
            assert_eq!(Header::parse(body.as_bytes()), Err(problem));
            assert!(!summary.is_whole());
            let body_and_row = format!("{body}\n{row}");
            if problem != HeaderProblem::Absent {
                assert_eq!(check(body_and_row, &[]).header, Err(problem));
            }
        }
        assert!(check(HEADER, &[]).is_whole());
        assert!(!check(HEADER.trim_end(), &[]).is_whole());
    }

    #[test]
    fn nothing_but_an_unfinished_line_is_kept() {
        let mut parser = parser();
        for _ in 0..1000 {
            parser.feed(&[b'x'; 5000], |line| panic!("{line:?}"));
        }
        // The longest line and its ending, CRLF at most.
        assert_eq!(parser.unfinished.len(), 4098);
    }

    #[test]
    fn a_block_is_of_whole_lines_that_the_cache_holds() {
        let line = "tx,success,,2026-01-05T06:00:00Z\n";
        let (block, after) =
            split_block(line.repeat(1000).as_bytes()).map(|(b, a)| (b.len(), a.len())).unwrap();
        assert_eq!((block, after), (496 * line.len(), 504 * line.len()));
        assert!(block <= 16_384 && block + line.len() > 16_384);
        // A line that is longer is a block by itself.
        let longer = format!("{}\n{line}", "x".repeat(20_000));
        assert_eq!(split_block(longer.as_bytes()).map(|(block, _)| block.len()), Some(20_001));
    }

    const ALL: &str = "transaction_id,status,code,at,reference,note";
    const USUAL: &str = "transaction_id,status,code,at";

    fn header(names: &str) -> Header {
        Header::from_line(names.as_bytes()).unwrap()
    }

    /// A row with its ending and the line after it, read the short way.
    fn read_short<'a>(lines: &'a str, names: &str, usual: &mut Usual) -> Option<(ReportRow<'a>, usize)> {
        read_ordinary_row(lines, &header(names), parser().latest, usual)
    }

    /// The same row, read the long way.
    fn read_long<'a>(row: &'a str, names: &str) -> Result<ReportRow<'a>, Why> {
        read_row(row, &header(names), true, parser().latest)
    }

    /// Reads rows the short way, one after the other as in a report, and the long way, which gives the same.
    #[track_caller]
    fn check_short(names: &str, rows: &[&str]) {
        for (ending, next) in [("\n", ""), ("\r\n", ""), ("\n", "tx_9,failure,"), ("\r\n", "\r\n")] {
            let mut usual = Usual::default();
            for row in rows {
                let lines = format!("{row}{ending}{next}");
                let expected = (read_long(row, names).unwrap(), row.len() + ending.len());
                assert_eq!(read_short(&lines, names, &mut usual), Some(expected), "{}", lines.escape_debug());
            }
        }
    }

    #[test]
    fn nearly_all_rows_are_read_the_short_way() {
        check_short(
            "transaction_id,status,code,at",
            &[
                "tx_1,success,,2026-01-05T06:00:00Z",
                "tx_2,failure,R01,2026-01-05T06:00:01Z",
                // Its id is longer than the one before, and it is of another day; then shorter again.
                "0190f5a0-0000-7000-8000-000000000001,failure,R10,2026-01-04T23:59:59Z",
                "0190f5a0-0000-7000-8000-00000000000~,failure,R10,2026-01-04T19:18:27Z",
                "t,success,OK,2024-02-29T00:00:00Z",
                // Blanks belong to the field.
                " 5 $ ,success, ok ,2024-02-29T00:00:00Z",
            ],
        );
        // Whatever column is last.
        check_short("at,status,transaction_id,code", &["2026-01-05T06:00:00Z,failure,tx_1,R01"]);
        check_short("at,status,transaction_id,code", &["2026-01-05T06:00:00Z,success,tx_1,"]);
        check_short("at,code,transaction_id,status", &["2026-01-05T06:00:00Z,,tx_1,success"]);
        check_short(
            ALL,
            &[
                "tx_1,success,,2026-01-05T06:00:00Z,0190f5a0-0000-7000-8000-000000000001,late",
                "tx_1,success,,2026-01-05T06:00:00Z,not ours,",
                "tx_1,success,,2026-01-05T06:00:00Z,,",
                // What a note says is nobody's business here.
                "tx_1,success,,2026-01-05T06:00:00Z,,\u{e9}t\u{e9}\tx",
            ],
        );
    }

    #[test]
    fn the_short_way_goes_as_far_as_a_row_may() {
        let names = "transaction_id,status,code,at";
        let longest_id = format!("{},success,,2026-01-05T06:00:00Z", "x".repeat(255));
        let longest_code = format!("t,failure,{},2026-01-05T06:00:00Z", "c".repeat(32));
        check_short(names, &[&longest_id, &longest_code]);
        // Exactly a day after the download.
        check_short(names, &["t,success,,2026-01-07T06:00:00Z"]);
        // 4096 bytes with its ending: without a look at the ending, no more can be said to be a line of 4 KiB.
        let line =
            |bytes: usize| format!("{:x<bytes$}\n", "t,success,,2026-01-05T06:00:00Z,,", bytes = bytes - 1);
        let (longest, longer) = (line(4096), line(4097));
        let expected = (read_long(longest.trim_end(), ALL).unwrap(), 4096);
        assert_eq!(read_short(&longest, ALL, &mut Usual::default()), Some(expected));
        assert_eq!(read_short(&longer, ALL, &mut Usual::default()), None);
        assert!(read_long(longer.trim_end(), ALL).is_ok());
    }

    #[test]
    fn the_short_way_leaves_the_rest_to_the_long_one() {
        let too_long_id = format!("{},success,,2026-01-05T06:00:00Z,,", "x".repeat(256));
        let too_long_code = format!("t,failure,{},2026-01-05T06:00:00Z,,", "c".repeat(33));
        for (row, read) in [
            // They are rows, written otherwise than most.
            ("\"t\",success,,2026-01-05T06:00:00Z,,", Ok(())),
            ("t,success,,2026-01-05T06:00:00Z,,\"late\"", Ok(())),
            ("t,success,\"\",2026-01-05T06:00:00Z,,", Ok(())),
            ("\u{e9},success,,2026-01-05T06:00:00Z,,", Ok(())),
            ("sixteen and \u{e9} or more,success,,2026-01-05T06:00:00Z,,", Ok(())),
            ("t,success,,2026-01-05T07:00:00+01:00,,", Ok(())),
            ("t,success,,2026-01-05T06:00:00.5Z,,", Ok(())),
            ("t,success,,2026-01-05t06:00:00Z,,", Ok(())),
            ("t,success,,2026-01-05T06:00:00z,,", Ok(())),
            ("t,success,,2016-12-31T23:59:60Z,,", Ok(())),
            // They are none, and the long way says why.
            ("", Err(Why::FieldCount)),
            ("t,success,,2026-01-05T06:00:00Z", Err(Why::FieldCount)),
            ("t,success,,2026-01-05T06:00:00Z,,,", Err(Why::FieldCount)),
            ("t,success,,2026-01-05T06:00:00Z,,5\"", Err(Why::Quoting)),
            (",success,,2026-01-05T06:00:00Z,,", Err(Why::TransactionId)),
            ("t\tx,success,,2026-01-05T06:00:00Z,,", Err(Why::TransactionId)),
            ("sixteen and \t or more,success,,2026-01-05T06:00:00Z,,", Err(Why::TransactionId)),
            ("t\u{7f},success,,2026-01-05T06:00:00Z,,", Err(Why::TransactionId)),
            (&too_long_id, Err(Why::TransactionId)),
            ("t,maybe,,2026-01-05T06:00:00Z,,", Err(Why::Status)),
            ("t,successful,,2026-01-05T06:00:00Z,,", Err(Why::Status)),
            ("t,failure,R\t1,2026-01-05T06:00:00Z,,", Err(Why::Code)),
            ("t,failure,R01\r,2026-01-05T06:00:00Z,,", Err(Why::Code)),
            (&too_long_code, Err(Why::Code)),
            ("t,success,,2026-01-05T24:00:00Z,,", Err(Why::At)),
            ("t,success,,2026-01-05T06:60:00Z,,", Err(Why::At)),
            ("t,success,,2026-01-05T06:00:61Z,,", Err(Why::At)),
            ("t,success,,2025-02-29T06:00:00Z,,", Err(Why::At)),
            ("t,success,,2026-01-05T0::00:00Z,,", Err(Why::At)),
            ("t,success,,2026-01-05T06;00:00Z,,", Err(Why::At)),
            ("t,success,,2026-01-05T06:00.00Z,,", Err(Why::At)),
            ("t,success,,2026-01-05T06:0\u{df}:0Z,,", Err(Why::At)),
            ("t,success,,2026-01-07T06:00:01Z,,", Err(Why::AfterDownload)),
        ] {
            let lines = format!("{row}\n");
            assert_eq!(read_short(&lines, ALL, &mut Usual::default()), None, "{}", row.escape_debug());
            assert_eq!(read_long(row, ALL).map(drop), read, "{}", row.escape_debug());
            if let Some(row) = row.strip_suffix(",,") {
                let lines = format!("{row}\n");
                assert_eq!(read_short(&lines, USUAL, &mut Usual::default()), None, "{}", row.escape_debug());
                assert_eq!(read_long(row, USUAL).map(drop), read, "{}", row.escape_debug());
            }
        }
        // An id at the end of a line is taken up to its LF alone.
        let (names, row) = ("at,code,status,transaction_id", "2026-01-05T06:00:00Z,R01,failure,tx_1");
        let expected = (read_long(row, names).unwrap(), row.len() + 1);
        assert_eq!(read_short(&format!("{row}\n"), names, &mut Usual::default()), Some(expected));
        assert_eq!(read_short(&format!("{row}\r\n"), names, &mut Usual::default()), None);
        // Without its ending it may have been cut off, which is not the short way's to judge.
        let cut = "t,success,,2026-01-05T06:00:00Z,,";
        assert_eq!(read_short(cut, ALL, &mut Usual::default()), None);
    }

    #[test]
    fn each_byte_is_ordinary_or_not_at_each_place() {
        for byte in 0..=u8::MAX {
            let is_ordinary = (b' '..=b'~').contains(&byte) && byte != b',' && byte != b'"';
            for length in 1..=20 {
                for place in 0..length {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    assert_eq!(is_ordinary_text(&text), is_ordinary, "{}", text.escape_ascii());
                }
            }
        }
    }

    #[test]
    fn a_header_has_at_most_4_kib() {
        let names = |bytes: usize| format!("{:x<bytes$}", "transaction_id,status,code,at,");
        assert!(Header::parse(names(4096).as_bytes()).is_ok());
        assert_eq!(Header::parse(names(4097).as_bytes()), Err(HeaderProblem::TooLong));
        for ending in ["\n", "\r\n"] {
            assert!(check(format!("{}{ending}", names(4096)), &[]).is_whole());
            let longer = check(format!("{}{ending}", names(4097)), &[]);
            assert_eq!(longer.header, Err(HeaderProblem::TooLong));
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for (why, said) in [
            (Why::TooLong, "it is longer than 4096 bytes"),
            (Why::NotUtf8, "it is not UTF-8"),
            (Why::Quoting, "a quote is not closed on the line or stands where none may"),
            (Why::FieldCount, "it has more or fewer fields than the header"),
            (Why::CutOff, "it has no line ending and may have been cut off"),
            (Why::TransactionId, "its transaction id is empty, too long or has control characters"),
            (Why::Status, "its status is neither success nor failure"),
            (Why::Code, "its code is longer than 32 bytes or has control characters"),
            (Why::At, "its instant is not RFC 3339"),
            (Why::AfterDownload, "its instant is more than a day after the download"),
        ] {
            assert_eq!(why.to_string(), said);
        }
        let no_column = |column| HeaderProblem::Missing(column).to_string();
        let two_columns = |column| HeaderProblem::Repeated(column).to_string();
        for (said, expected) in [
            (HeaderProblem::Absent.to_string(), "the report has no header"),
            (HeaderProblem::TooLong.to_string(), "the report's header is longer than 4096 bytes"),
            (
                HeaderProblem::Quoting.to_string(),
                "a quote in the report's header is not closed or stands where none may",
            ),
            (no_column(Column::TransactionId), "the report's header has no column transaction_id"),
            (no_column(Column::Status), "the report's header has no column status"),
            (no_column(Column::Code), "the report's header has no column code"),
            (no_column(Column::At), "the report's header has no column at"),
            (two_columns(Column::Reference), "the report's header has more than one column reference"),
            (two_columns(Column::Ignored), "the report's header has more than one column another column"),
        ] {
            assert_eq!(said, expected);
        }
    }

    /// Bytes that look like a report, with all that can go wrong in one.
    fn report() -> impl Strategy<Value = Vec<u8>> {
        let header = prop_oneof![
            6 => Just("transaction_id,status,code,at"),
            2 => Just("\u{feff}note,at,\"code\",transaction_id,status"),
            2 => Just("\nstatus,at,reference,transaction_id,code"),
            1 => Just("status,at"),
        ];
        let cell = prop_oneof![
            5 => "[a-z0-9_]{1,40}",
            3 => "success|failure",
            3 => "2026-01-0[1-9]T0[0-9]:[0-6][0-9]:[0-5][0-9](Z|\\.[0-9]{1,11}Z|[+-]0[0-9]:[0-9]0)",
            1 => "R[0-9]{2}|",
            1 => "\"[a-z,]{0,4}(\"\")?\"",
            1 => "[ -~é\"]{0,6}",
        ];
        let line = prop_oneof![
            6 => ("[a-z0-9]{1,40}|tx_[0-9]{4}", "success|failure", "(R0[1-9])?", "2026-01-0[1-9]T0[0-9]:[0-5][0-9]:[0-6][0-9]Z")
                .prop_map(|(id, status, code, at)| format!("{id},{status},{code},{at}").into_bytes()),
            3 => ("[a-z0-9]{1,40}", "success|failure", "2026-01-0[1-9]T00:00:00Z", "[ -~]{0,20}")
                .prop_map(|(id, status, at, note)| format!("{note},{at},,{id},{status}").into_bytes()),
            2 => ("[a-z0-9]{1,40}", "success|failure", "2026-01-0[1-9]T00:00:00Z", any::<u128>())
                .prop_map(|(id, status, at, reference)| format!("{status},{at},{},{id},", Uuid::from_u128(reference)).into_bytes()),
            3 => prop::collection::vec(cell, 1..6).prop_map(|cells| cells.join(",").into_bytes()),
            1 => prop::collection::vec(any::<u8>(), 0..40),
            1 => (4080usize..4110).prop_map(|length| vec![b'x'; length]),
        ];
        let ending = prop_oneof![6 => Just("\n"), 2 => Just("\r\n"), 1 => Just("\r\r\n")];
        (header, prop::collection::vec((line, ending), 0..12), any::<bool>()).prop_map(
            |(header, lines, is_cut)| {
                let mut body = format!("{header}\n").into_bytes();
                for (line, ending) in lines {
                    body.extend_from_slice(&line);
                    body.extend_from_slice(ending.as_bytes());
                }
                if is_cut {
                    body.pop();
                }
                body
            },
        )
    }

    /// `body` cut at places that are taken round its length.
    fn cut<'a>(body: &'a [u8], places: &[usize]) -> (Vec<usize>, Vec<&'a [u8]>) {
        let mut places: Vec<usize> = places.iter().map(|place| place % (body.len() + 1)).collect();
        places.extend([0, body.len()]);
        places.sort_unstable();
        places.dedup();
        let chunks = places.windows(2).map(|pair| &body[pair[0]..pair[1]]).collect();
        (places, chunks)
    }

    proptest! {
           #[test]
           fn any_bytes_are_read(body in prop::collection::vec(any::<u8>(), 0..300)) {
               let mut report = HEADER.as_bytes().to_vec();
               report.extend_from_slice(&body);
               let (seen, summary) = read(parser(), &[&report]);
               prop_assert_eq!(seen.len() as u64, summary.rows + summary.malformed);
               prop_assert_eq!(summary.bytes, report.len() as u64);
               let (seen, summary) = read(parser(), &[&body]);
               prop_assert_eq!(seen.len() as u64, summary.rows + summary.malformed);
           }

           #[test]
           fn chunks_do_not_matter(body in report(), places in prop::collection::vec(any::<usize>(), 0..8)) {
               let whole = read(parser(), &[&body]);
               prop_assert_eq!(&read(parser(), &cut(&body, &places).1), &whole);
               // An unfinished line never takes the way of the ordinary row, so this compares the two.
               let bytes: Vec<&[u8]> = body.chunks(1).collect();
               prop_assert_eq!(&read(parser(), &bytes), &whole);
           }

           #[test]
           fn counts_and_line_numbers_are_right(body in report()) {
               let (seen, summary) = read(parser(), &[&body]);
               let lines: Vec<&[u8]> = body.split_inclusive(|byte| *byte == b'\n').collect();
               prop_assert_eq!(summary.lines, lines.len() as u64);
               prop_assert_eq!(summary.bytes, body.len() as u64);
               prop_assert_eq!(summary.final_newline, body.ends_with(b"\n"));
               prop_assert_eq!(seen.len() as u64, summary.rows + summary.malformed);
               let mut parser = parser();
               parser.feed(&body, |line| if let Line::Malformed(line) = line {
                   let there = lines[line.line_number as usize - 1];
                   assert!(there.starts_with(line.bytes) && !line.bytes.is_empty());
               });
           }

           #[test]
           fn ranges_come_to_the_whole(body in report(), places in prop::collection::vec(any::<usize>(), 0..6)) {
               let (whole, whole_summary) = read(parser(), &[&body]);
               let Ok(header) = Header::parse(&body) else { return Ok(()) };
               let (mut places, _) = cut(&body, &places);
               // The first range holds the header.
               let header_end = body.iter().zip(1..).filter(|(byte, _)| **byte == b'\n').map(|(_, end)| end).nth(1).unwrap_or(body.len());
               places.retain(|place| *place == 0 || *place == body.len() || *place >= header_end);
               let mut all = Vec::new();
               let mut joined: Option<Summary> = None;
               for pair in places.windows(2) {
                   let (start, end) = (pair[0], pair[1]);
                   let range = if start == 0 { parser() } else {
                       Parser::from_byte(start as u64, header.clone(), DOWNLOAD_AT.parse().unwrap())
                   };
                   let lines_before = joined.as_ref().map_or(0, |summary| summary.lines);
                   let chunks: Vec<&[u8]> = body[start.saturating_sub(1)..].chunks(50).collect();
                   let (seen, summary) = read_after(lines_before, range.until_byte(end as u64), &chunks);
    all.extend(seen);
    joined = Some(match joined { None => summary, Some(before) => before.joined(&summary) });
               }
               prop_assert_eq!(all, whole);
               prop_assert_eq!(joined, Some(whole_summary));
           }

           #[test]
           fn instants_are_those_of_chrono(
               seconds in -62_167_219_200i64..253_402_300_799, nanoseconds in 0u32..1_000_000_000,
               digits in 0usize..=9, offset_minutes in -1439i32..=1439,
           ) {
               let nanoseconds = nanoseconds - nanoseconds % 10u32.pow(9 - digits as u32);
               let at = Instant::from_timestamp(seconds, nanoseconds).unwrap();
               let local = at.naive_utc() + TimeDelta::minutes(i64::from(offset_minutes));
               let fraction = match digits { 0 => String::new(), _ => format!(".{:.digits$}", format!("{nanoseconds:09}")) };
               let sign = if offset_minutes < 0 { '-' } else { '+' };
               let offset = format!("{sign}{:02}:{:02}", offset_minutes.abs() / 60, offset_minutes.abs() % 60);
               let text = format!("{}{fraction}{offset}", local.format("%Y-%m-%dT%H:%M:%S"));
               if text.len() == 25 + fraction.len() && text.starts_with(|first: char| first.is_ascii_digit()) {
                   prop_assert_eq!(instant(text.as_bytes()), Some(at));
                   prop_assert_eq!(chrono::DateTime::parse_from_rfc3339(&text).unwrap().to_utc(), at);
               }
           }

           #[test]
           fn what_is_an_instant_is_one_for_chrono(text in "20[0-3][0-9]-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{0,9})?(Z|z|[+-][0-2][0-9]:[0-6][0-9])") {
               let ours = instant(text.as_bytes());
               let theirs = chrono::DateTime::parse_from_rfc3339(&text).ok().map(|at| at.to_utc());
               prop_assert_eq!(ours, theirs);
           }
       }
}
