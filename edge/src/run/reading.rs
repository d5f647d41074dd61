//! Stage 3: the report is downloaded once, archived, and read into observations.

use chrono::TimeDelta;
use paydown::date::{Instant, text};
use paydown::id;
use paydown::report::{Header, Line, Parser, Summary};
use sha2::{Digest, Sha256};

use super::{Detail, Later, Running, Stage, Stretch, because};
use crate::error::Fault;
use crate::ledger::keys::hexadecimal;
use crate::ledger::parts::END;
use crate::ledger::runs::Run;
use crate::ledger::{self, exceptions, reports};
use crate::ports::ReportBody;
use serde_json::json;
use uuid::Uuid;

/// How often a download that breaks off is started again.
const DOWNLOADS: u32 = 3;

/// How many bytes of the archived report a slice reads. As rows of JSON they become up to five times as many, and D1 takes
/// two million bytes in one value (Cloudflare, D1 limits).
const SLICE_BYTES: u64 = 256 << 10;

/// A download that begins within this time of the run's opening is one of the run's instant. One that begins later, in a run
/// that was resumed, reaches back less far and further on.
const AT_ONCE: TimeDelta = TimeDelta::hours(1);

/// Downloads the report and archives it. Once archived it is never downloaded again in its run.
pub(super) async fn download(running: &Running<'_>) -> Result<Stretch, Fault> {
    if let Some(report) = reports::of_run(running.database(), running.run.id).await? {
        // An invocation that broke off right after it did not come to say so.
        let reason = (!report.whole).then(|| "the report is not whole".to_owned());
        return Ok(Stretch::Done(because(reason.as_slice())));
    }
    let read_at = read_at(&running.run, running.ports.clock.now().await?);
    let mut reason = String::new();
    for attempt in 1..=DOWNLOADS {
        let body = match running.ports.processor.report().await {
            Ok(body) => body,
            Err(detail) => {
                reason = format!("the report could not be had: {detail}");
                continue;
            }
        };
        match archive(running, body, attempt, read_at).await? {
            (report, None) => {
                ledger::batch(running.database(), &[reports::recorded(&report)?]).await?;
                return Ok(Stretch::Done(because(&[])));
            }
            (report, Some(broken)) => {
                reason = format!("the report is not whole: {broken}");
                if attempt == DOWNLOADS {
                    ledger::batch(running.database(), &[reports::recorded(&report)?]).await?;
                }
            }
        }
    }
    Ok(Stretch::Done(because(&[reason])))
}

/// As of when a report is that is downloaded now. The run's instant need not be the clock's: only how long ago the run was
/// opened is by the clock, which a sandbox moves on to the run's instant as it opens one of the future.
fn read_at(run: &Run, now: Instant) -> Instant {
    let since = now.signed_duration_since(run.started_at.max(run.as_of));
    if since <= AT_ONCE { run.as_of } else { run.as_of.checked_add_signed(since).unwrap_or(run.as_of) }
}

/// Writes one download into the archive as far as it comes; says what keeps it from being whole.
async fn archive(
    running: &Running<'_>,
    mut body: Box<dyn ReportBody>,
    attempt: u32,
    read_at: Instant,
) -> Result<(reports::Report, Option<String>), Fault> {
    // A download of its own, whoever else is at work on the run: what is recorded is never overwritten.
    let (date, run_id, download) = (running.run.business_date, running.run.id, Uuid::new_v4());
    let object_key = format!("reports/{date}/{run_id}-{attempt}-{download}.csv");
    let mut writer = running.ports.archive.create(&object_key).await?;
    let (mut sha256, mut bytes, mut last_byte) = (Sha256::new(), 0_u64, None);
    let mut divider = Divider::new(running.ports.settings.budget.part_bytes);
    let broken_off = loop {
        match body.next().await {
            Ok(Some(chunk)) => {
                sha256.update(&chunk);
                divider.take(&chunk);
                bytes = bytes.saturating_add(chunk.len() as u64);
                last_byte = chunk.last().copied().or(last_byte);
                writer.write(&chunk).await?;
            }
            Ok(None) => break None,
            Err(detail) => break Some(format!("it broke off: {detail}")),
        }
    };
    writer.finish().await?;
    let problem = broken_off.or_else(|| not_whole(&*body, bytes, last_byte));
    let report = reports::Report {
        run_id: running.run.id,
        object_key,
        sha256: hexadecimal(&sha256.finalize()),
        bytes,
        whole: problem.is_none(),
        window_days: running.ports.settings.report_window_days,
        read_at,
        parts: divider.parts(),
    };
    Ok((report, problem))
}

/// Only status 200 with a final newline and all announced bytes is whole.
fn not_whole(body: &dyn ReportBody, bytes: u64, last_byte: Option<u8>) -> Option<String> {
    if body.status() != 200 {
        return Some(format!("its status is {}", body.status()));
    }
    if let Some(announced) = body.announced_bytes().filter(|announced| *announced != bytes) {
        return Some(format!("{announced} bytes were announced and {bytes} came"));
    }
    (last_byte != Some(b'\n')).then(|| "it does not end with a newline".to_owned())
}

/// Records the observations of the archived report, or of a part of it, a range of bytes at a time; at the end opens what they
/// call for.
pub(super) async fn record(running: &Running<'_>) -> Result<Stretch, Fault> {
    let Some(report) = reports::of_run(running.database(), running.run.id).await? else {
        open_malformed(running).await?;
        open_unknown(running).await?;
        let nothing = json!({ "reasons": [], "header": "absent", "rows": 0, "malformed": 0 });
        return Ok(Stretch::Done(nothing));
    };
    let place = running.place(Stage::Observations).await?;
    let part = running.part_of(Stage::Observations);
    if part.is_none() && place.slice == 0 && !report.parts.is_empty() {
        let places: Vec<String> =
            report.parts.iter().map(|(offset, lines)| Position::at(*offset, *lines).cursor()).collect();
        return running.divide(Stage::Observations, &places).await;
    }
    let until = part.filter(|part| part.until != END).map(|part| Position::from_cursor(&part.until).offset);
    let until = until.unwrap_or(report.bytes);
    let (mut slice, mut position) = (place.slice, Position::from_cursor(&place.cursor));
    let mut header = header(running, &report).await?;
    while let Ok(readable) = &header
        && position.offset < until
    {
        if running.is_spent().await? {
            return Ok(Stretch::Later(Later { seconds: 0 }));
        }
        let end = position.offset.saturating_add(SLICE_BYTES).min(until);
        let range = read_range(running, &report, &position, end, readable.clone()).await?;
        let mut statements = reports::observed(running.run.id, &range.rows, &range.malformed)?;
        position = position.after(end, &range.summary);
        if let Err(problem) = range.summary.header {
            header = Err(problem.to_string());
        }
        statements
            .push(running.slice_done(Stage::Observations, slice, &position.cursor(), &because(&[])).await?);
        ledger::batch(running.database(), &statements).await?;
        slice = slice.saturating_add(1);
    }
    let read = json!({ "unreadable": header.err(), "rows": position.rows, "malformed": position.malformed });
    if part.is_some() { Ok(Stretch::Done(read)) } else { ended(running, &[read]).await }
}

/// Opens what the report calls for, when it was read to its end; `read` is what each part says about itself.
pub(super) async fn ended(running: &Running<'_>, read: &[Detail]) -> Result<Stretch, Fault> {
    open_malformed(running).await?;
    open_unknown(running).await?;
    let sum = |what: &str| {
        let counts = read.iter().filter_map(|detail| detail.get(what)?.as_u64());
        counts.fold(0, u64::saturating_add)
    };
    let (rows, malformed) = (sum("rows"), sum("malformed"));
    let mut reasons = Vec::new();
    let unreadable = read.iter().find_map(|detail| detail.get("unreadable")?.as_str());
    if let Some(problem) = unreadable {
        reasons.push(format!("the report has no readable header: {problem}"));
    }
    if malformed > 0 {
        reasons.push(format!("{malformed} rows of the report could not be read"));
    }
    let header = if unreadable.is_none() { "readable" } else { "unreadable" };
    Ok(Stretch::Done(json!({ "reasons": reasons, "header": header, "rows": rows, "malformed": malformed })))
}

/// How far the report has been read, and how much was found up to there.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    offset: u64,
    lines: u64,
    rows: u64,
    malformed: u64,
}

impl Position {
    /// Where nothing was read yet of what begins at a byte, before which so many lines begin.
    fn at(offset: u64, lines: u64) -> Position {
        Position { offset, lines, ..Position::default() }
    }

    fn from_cursor(cursor: &str) -> Position {
        let mut numbers = cursor.split(' ').map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        Position { offset: next(), lines: next(), rows: next(), malformed: next() }
    }

    fn cursor(&self) -> String {
        format!("{} {} {} {}", self.offset, self.lines, self.rows, self.malformed)
    }

    fn after(&self, end: u64, read: &Summary) -> Position {
        Position {
            offset: end,
            lines: self.lines.saturating_add(read.lines),
            rows: self.rows.saturating_add(read.rows),
            malformed: self.malformed.saturating_add(read.malformed),
        }
    }
}

/// Finds the bytes at which the parts of a report begin, while it streams by, and counts the lines that begin before each.
struct Divider {
    every: u64,
    offset: u64,
    newlines: u64,
    parts: Vec<(u64, u64)>,
}

impl Divider {
    fn new(every: u64) -> Divider {
        Divider { every: every.max(1), offset: 0, newlines: 0, parts: vec![] }
    }

    fn take(&mut self, mut chunk: &[u8]) {
        loop {
            // A line begins at a byte when the byte before it ends one.
            let next = self.every.saturating_mul(self.parts.len() as u64 + 1);
            let before = next.saturating_sub(1).saturating_sub(self.offset);
            let Some((part, rest)) =
                usize::try_from(before).ok().and_then(|before| chunk.split_at_checked(before))
            else {
                return self.count(chunk);
            };
            self.count(part);
            self.parts.push((next, self.newlines.saturating_add(1)));
            chunk = rest;
        }
    }

    fn count(&mut self, part: &[u8]) {
        let newlines = part.iter().filter(|byte| **byte == b'\n').count();
        self.newlines = self.newlines.saturating_add(newlines as u64);
        self.offset = self.offset.saturating_add(part.len() as u64);
    }

    /// The parts but the first, each with its first byte and how many lines begin before.
    fn parts(mut self) -> Vec<(u64, u64)> {
        self.parts.retain(|(start, _)| *start < self.offset);
        self.parts
    }
}

/// What the lines that begin in a range of bytes say.
struct Range {
    rows: Vec<reports::ObservedRow>,
    malformed: Vec<reports::MalformedRow>,
    summary: Summary,
}

async fn header(running: &Running<'_>, report: &reports::Report) -> Result<Result<Header, String>, Fault> {
    let beginning = running.ports.archive.read(&report.object_key, 0, SLICE_BYTES.min(report.bytes)).await?;
    Ok(Header::parse(&beginning).map_err(|problem| problem.to_string()))
}

async fn read_range(
    running: &Running<'_>,
    report: &reports::Report,
    position: &Position,
    end: u64,
    header: Header,
) -> Result<Range, Fault> {
    let download_at = report.read_at;
    let is_first = position.offset == 0;
    let parser = if is_first {
        Parser::new(download_at)
    } else {
        Parser::from_byte(position.offset, header, download_at)
    };
    let mut parser = parser.until_byte(end);
    let (mut rows, mut malformed) = (Vec::new(), Vec::new());
    let mut sink = |line: Line<'_>| match line {
        Line::Row(row) => rows.push(reports::ObservedRow {
            transaction_id: row.transaction_id.into_owned(),
            reference: row.reference,
            at: row.at,
            status: row.status,
            code: row.code.map(|code| code.into_owned()).unwrap_or_default(),
        }),
        Line::Malformed(line) => malformed.push(reports::MalformedRow {
            line: line.line_number.saturating_add(position.lines),
            row_id: id::from_cause(0, &["malformed_row", &hexadecimal(&Sha256::digest(line.bytes))]),
            quoted: String::from_utf8_lossy(line.bytes).into_owned(),
            why: line.why.to_string(),
        }),
    };
    let mut from = position.offset.saturating_sub(u64::from(!is_first));
    while from < report.bytes && !parser.is_done() {
        let bytes = running
            .ports
            .archive
            .read(&report.object_key, from, SLICE_BYTES.min(report.bytes - from))
            .await?;
        if bytes.is_empty() {
            return Err(Fault::Permanent(format!(
                "the archive lost bytes of {} from {from} on",
                report.object_key
            )));
        }
        from = from.saturating_add(bytes.len() as u64);
        parser.feed(&bytes, &mut sink);
    }
    let summary = parser.finish(&mut sink);
    Ok(Range { rows, malformed, summary })
}

/// Opens `malformed_row` for rows that were never seen before.
async fn open_malformed(running: &Running<'_>) -> Result<(), Fault> {
    let (count, found) = reports::new_malformed_rows(running.database(), &running.since("")).await?;
    let each = found.into_iter().map(|row| (row.row_id, row.row_id.to_string(), row.detail));
    open_each_or_one(running, "malformed_row", count, each.collect(), vec![]).await
}

/// Opens `unknown_transaction` for transactions that nobody knows, and closes it for those known by now.
async fn open_unknown(running: &Running<'_>) -> Result<(), Fault> {
    let (count, found) = reports::unknown_transactions(running.database(), &running.since("")).await?;
    let run = running.run.id.to_string();
    let each = found.into_iter().map(|unknown| {
        let id = id::from_cause(0, &["exception", "unknown_transaction", &unknown.transaction_id, &run]);
        (id, unknown.transaction_id, unknown.detail)
    });
    let known = exceptions::known_by_now(running.run.as_of)?;
    open_each_or_one(running, "unknown_transaction", count, each.collect(), vec![known]).await
}

/// Opens exceptions one by one; when they are too many, one on the run with the count and the first of them.
async fn open_each_or_one(
    running: &Running<'_>,
    kind: &'static str,
    count: usize,
    each: Vec<(uuid::Uuid, String, String)>,
    mut also: Vec<crate::ports::Statement>,
) -> Result<(), Fault> {
    let run = running.run.id.to_string();
    let new = |(id, subject, detail)| exceptions::NewException {
        id,
        kind,
        subject,
        run_id: Some(running.run.id),
        detail,
        opened_at: text(running.run.as_of),
    };
    let opened: Vec<_> = if count > reports::MANY {
        let first: Vec<String> =
            each.into_iter().map(|(_, subject, detail)| format!("{subject}: {detail}")).collect();
        let detail =
            format!("{count} of a kind in one run; the first {}:\n{}", first.len(), first.join("\n"));
        vec![new((id::from_cause(0, &["exception", kind, &run]), run, detail))]
    } else {
        each.into_iter().map(new).collect()
    };
    if !opened.is_empty() {
        also.push(exceptions::opened(&opened)?);
    }
    if also.is_empty() { Ok(()) } else { ledger::batch(running.database(), &also).await.map(|_| ()) }
}

#[cfg(test)]
mod tests {
    use super::Divider;

    #[test]
    fn parts_begin_at_even_bytes_and_know_the_lines_before_them() {
        let report = b"h\nrow 1\nrow 2\n\nrow 4\n";
        for every in 1..=report.len() as u64 {
            for size in 1..=report.len() {
                let mut divider = Divider::new(every);
                report.chunks(size).for_each(|chunk| divider.take(chunk));
                let begins = |at: usize| at == 0 || report[at - 1] == b'\n';
                let lines_before = |start: usize| (0..start).filter(|at| begins(*at)).count() as u64;
                let starts = (1..).map(|part| part * every).take_while(|start| *start < report.len() as u64);
                let expected: Vec<_> = starts.map(|start| (start, lines_before(start as usize))).collect();
                assert_eq!(divider.parts(), expected, "every {every} bytes, by {size}");
            }
        }
    }
}
