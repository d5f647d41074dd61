//! Lists as CSV (RFC 4180), by `Accept: text/csv`: one header line, one record for each entry, the next page by the
//! header `Link`. A text that a spreadsheet would take for a formula gets an apostrophe before it.

use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE, LINK};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use paydown::api::{
    ApiKey, Credit, Debit, Event, Exception, JournalLine, Page, Run, WebhookDelivery, WebhookEndpoint,
};
use serde::Serialize;
use serde_json::Value;

use super::call::{Answered, Call, json};
use crate::error::Fault;

/// An entry of a list that has a CSV form.
pub trait Record: Serialize {
    /// The columns, each by its path in the entry's JSON.
    const COLUMNS: &'static [&'static str];
}

/// The page in the form that the call asks for.
pub fn csv_or_json<T: Record>(call: &Call, page: &Page<T>) -> Answered {
    if !prefers_csv(&call.headers) {
        return json(StatusCode::OK, page);
    }
    let mut response = csv(&page.data)?.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    if let Some(cursor) = &page.next_cursor
        && let Ok(link) = HeaderValue::from_str(&format!("<{}>; rel=\"next\"", call.with_cursor(cursor)))
    {
        headers.insert(LINK, link);
    }
    Ok(response)
}

/// Whether `text/csv` is asked for, and JSON not more so (RFC 9110, section 12.5.1).
fn prefers_csv(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let (mut csv, mut json) = (0, 0);
    for range in texts.flat_map(|text| text.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1000, thousandths);
        match kind.as_str() {
            "text/csv" => csv = weight,
            "application/json" => json = weight,
            _ => {}
        }
    }
    csv > json
}

/// A weight, `0` to `1` with three decimals at most, in thousandths.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    match whole {
        "0" => format!("{fraction:0<3}").parse().unwrap_or(0),
        _ => 1000,
    }
}

fn csv<T: Record>(entries: &[T]) -> Result<String, Fault> {
    let mut text = T::COLUMNS.join(",");
    text.push_str("\r\n");
    for entry in entries {
        let entry = serde_json::to_value(entry)?;
        let cells: Vec<String> = T::COLUMNS.iter().map(|path| cell(at(&entry, path))).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    Ok(text)
}

fn at<'a>(entry: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(entry, |value, name| value.get(name).unwrap_or(&Value::Null))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            let texts: Vec<String> =
                values.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
            quoted(&texts.join(" "))
        }
        Value::Object(_) => quoted(&value.to_string()),
    }
}

/// A text as a cell: harmless to a spreadsheet, quoted where it must be.
fn quoted(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

impl Record for Credit {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "account_id",
        "amount",
        "fee",
        "currency",
        "installments",
        "interval_days",
        "status",
        "created_at",
        "transaction_id",
        "confirmed_at",
        "collected",
        "paid",
        "in_flight",
        "scheduled",
        "missing",
        "outstanding",
        "next_due_date",
    ];
}

impl Record for Debit {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "credit_id",
        "account_id",
        "sequence",
        "amount",
        "due_date",
        "status",
        "reason",
        "replaces",
        "replaced_by",
        "cancelled_because",
        "transaction_id",
        "code",
        "submitted_at",
        "resolved_at",
        // At the end: who reads columns by their place finds the others where they were.
        "unrolled_due_date",
    ];
}

impl Record for Run {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "business_date",
        "as_of",
        "status",
        "started_at",
        "finished_at",
        "missed_days",
        "report.sha256",
        "report.bytes",
        "report.rows",
        "report.malformed",
        "report.covers.read_at",
        "report.covers.window_days",
        "counts.confirmed",
        "counts.planned_credits",
        "counts.collected",
        "counts.failed",
        "counts.timed_out",
        "counts.returned",
        "counts.replaced",
        "counts.cancelled",
        "counts.issued",
        "counts.unknown",
        "counts.unknown_transactions",
        "counts.exceptions",
        "amounts.collected",
        "amounts.failed",
        "amounts.timed_out",
        "amounts.returned",
        "amounts.issued",
        "reasons",
    ];
}

impl Record for Exception {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "kind",
        "status",
        "subject",
        "credit_id",
        "account_id",
        "run_id",
        "detail",
        "opened_at",
        "resolution.action",
        "resolution.actor",
        "resolution.note",
        "resolution.resolved_at",
        "actions",
    ];
}

impl Record for JournalLine {
    const COLUMNS: &'static [&'static str] = &[
        "entry_id",
        "line",
        "date",
        "at",
        "value_date",
        "ledger_account",
        "dr",
        "cr",
        "currency",
        "why",
        "rule",
        "credit_id",
        "account_id",
        "subject_id",
        "turn",
        "run_id",
    ];
}

impl Record for Event {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "type",
        "timestamp",
        "data.credit_id",
        "data.account_id",
        "data.amount",
        "data.fee",
        "data.currency",
        "data.debit_id",
        "data.sequence",
        "data.due_date",
        "data.transaction_id",
        "data.code",
        "data.exception_id",
        "data.kind",
        "data.subject",
        "data.action",
        "data.run_id",
        "data.business_date",
        "data.as_of",
        "data.status",
    ];
}

impl Record for WebhookEndpoint {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "url",
        "label",
        "event_types",
        "status",
        "actor",
        "why",
        "created_at",
        "changed_at",
        "waiting",
        "failing_since",
        "next_attempt_at",
    ];
}

impl Record for WebhookDelivery {
    const COLUMNS: &'static [&'static str] = &[
        "event_id",
        "event_type",
        "credit_id",
        "at",
        "attempt",
        "delivered",
        "status",
        "why",
        "milliseconds",
        "next_attempt_at",
        "resent_by",
    ];
}

impl Record for ApiKey {
    const COLUMNS: &'static [&'static str] =
        &["id", "label", "scopes", "created_at", "last_used_on", "revoked_at"];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_harmless_and_quoted() {
        let rows = [
            ("=1+1", "'=1+1"),
            ("@x", "'@x"),
            ("-a", "'-a"),
            ("+1,2", "\"'+1,2\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("plain", "plain"),
        ];
        for (text, expected) in rows {
            assert_eq!(cell(&Value::from(text)), expected);
        }
        assert_eq!(cell(&Value::from(-5)), "-5");
    }

    #[test]
    fn csv_is_given_to_who_asks_for_it() {
        let rows = [
            ("text/csv", true),
            ("application/json, text/csv;q=0.5", false),
            ("application/json;q=0.5, Text/CSV;q=0.75", true),
            ("text/csv;q=0", false),
            ("*/*", false),
        ];
        for (accept, expected) in rows {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(prefers_csv(&headers), expected, "{accept}");
        }
        assert!(!prefers_csv(&HeaderMap::new()));
    }
}
