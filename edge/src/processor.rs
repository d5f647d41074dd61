//! What the processor is asked and what its answers mean, without the transport.

use chrono::{DateTime, Utc};
use paydown::date::Instant;
use paydown::id::TransactionId;
use paydown::money::Cents;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ports::Answer;

/// How long an answer may take before it counts as none.
pub const ANSWER_SECONDS: u64 = 10;

/// How much of an answer is read; a transaction id or a refusal is far shorter.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The longest wait that is taken over from `Retry-After`: beyond it, the next run or sweep asks again.
const MAX_RETRY_AFTER_SECONDS: u32 = 3600;

/// How much of a strange answer is kept, and of a refusal's message.
const MAX_QUOTED_CHARS: usize = 300;

/// Which way the money goes, by the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// We push to the customer's account.
    Credit,
    /// We pull from the customer's account.
    Debit,
}

/// The body of `perform_transaction` for a credit or debit, written once with its intent and sent byte for byte
/// ever after.
pub fn body(
    direction: Direction,
    account_id: &str,
    funding_account: &str,
    amount: Cents,
    reference: Uuid,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        src_bank_account: &'a str,
        dst_bank_account: &'a str,
        amount: Cents,
        direction: Direction,
        reference: Uuid,
    }
    let (src_bank_account, dst_bank_account) = match direction {
        Direction::Credit => (funding_account, account_id),
        Direction::Debit => (account_id, funding_account),
    };
    serde_json::to_string(&Body { src_bank_account, dst_bank_account, amount, direction, reference })
}

/// Where the processor is, read from `PROCESSOR_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    /// Whether it is on this machine, as it must be for a sandbox.
    pub loopback: bool,
}

impl Endpoint {
    /// Plain HTTP would show the token and the accounts to the network, so that it is for loopback only.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        let url = worker::Url::parse(text).map_err(|error| format!("PROCESSOR_URL is no URL: {error}"))?;
        let loopback = is_loopback(url.host_str().unwrap_or_default());
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err("PROCESSOR_URL must begin with https://; plain http:// is for loopback only".into());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("PROCESSOR_URL must hold no user and password: the secret is PROCESSOR_TOKEN".into());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("PROCESSOR_URL must end with its path, without ? and #".into());
        }
        Ok(Endpoint { base: url.as_str().trim_end_matches('/').into(), loopback })
    }

    /// The address of a resource, such as `report`.
    pub fn address(&self, resource: &str) -> String {
        format!("{}/{resource}", self.base)
    }
}

/// Whether a host, as a URL has it, is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host == "[::1]"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// What a response means. `now` is what a `Retry-After` that names a date is measured against.
pub fn answer(status: u16, retry_after: Option<&str>, body: &[u8], now: Instant) -> Answer {
    let meaning = match status {
        200 | 201 => transaction(body),
        400 | 402 | 422 => refusal(body),
        401 | 403 | 404 | 405 => Some(Answer::Misconfigured { status }),
        429 => Some(Answer::SlowDown { retry_after_seconds: wait(retry_after, now) }),
        _ => None,
    };
    meaning.unwrap_or_else(|| Answer::Unknown { detail: format!("HTTP {status}: {}", quoted(body)) })
}

fn transaction(body: &[u8]) -> Option<Answer> {
    #[derive(Deserialize)]
    struct Body {
        transaction_id: TransactionId,
    }
    let Body { transaction_id } = serde_json::from_slice(body).ok()?;
    Some(Answer::Transaction(transaction_id.as_str().into()))
}

fn refusal(body: &[u8]) -> Option<Answer> {
    #[derive(Deserialize)]
    struct Body {
        code: String,
        message: String,
    }
    let Body { code, message } = serde_json::from_slice(body).ok()?;
    Some(Answer::Refused { code: quoted(code.as_bytes()), message: quoted(message.as_bytes()) })
}

/// Seconds to wait: what `Retry-After` says, 1 when it says nothing that can be read.
fn wait(text: Option<&str>, now: Instant) -> u32 {
    let seconds = text.and_then(|text| retry_after(text, now));
    seconds.unwrap_or(1).clamp(1, MAX_RETRY_AFTER_SECONDS)
}

/// What `Retry-After` says, in seconds or as a date (RFC 9110, section 10.2.3), as seconds from now.
pub(crate) fn retry_after(text: &str, now: Instant) -> Option<u32> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number holds is a very long wait.
        return (!text.is_empty()).then(|| text.parse().unwrap_or(u32::MAX));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc);
    let milliseconds = date.signed_duration_since(now).num_milliseconds();
    Some(u32::try_from(milliseconds.max(0).unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX))
}

/// The beginning of a text of somebody else, on one line.
fn quoted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let readable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    readable.take(MAX_QUOTED_CHARS).collect::<String>().trim().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T10:00:00.250Z";

    fn means(status: u16, retry_after: Option<&str>, body: &str) -> Answer {
        answer(status, retry_after, body.as_bytes(), NOW.parse().unwrap())
    }

    fn unknown(detail: &str) -> Answer {
        Answer::Unknown { detail: detail.into() }
    }

    #[test]
    fn an_answer_means_what_the_contract_says() {
        let transaction = |id: &str| Answer::Transaction(id.into());
        let refused =
            |code: &str, message: &str| Answer::Refused { code: code.into(), message: message.into() };
        for (status, body, expected) in [
            (200, r#"{"transaction_id": "t_1"}"#, transaction("t_1")),
            (201, r#"{"transaction_id": "t_1", "status": "new"}"#, transaction("t_1")),
            (201, r#"{"transaction_id": ""}"#, unknown(r#"HTTP 201: {"transaction_id": ""}"#)),
            (200, r#"{"transaction_id": 7}"#, unknown(r#"HTTP 200: {"transaction_id": 7}"#)),
            (200, "<html>", unknown("HTTP 200: <html>")),
            (202, r#"{"transaction_id": "t_1"}"#, unknown(r#"HTTP 202: {"transaction_id": "t_1"}"#)),
            (204, "", unknown("HTTP 204: ")),
            (302, "", unknown("HTTP 302: ")),
            (400, r#"{"code": "R03", "message": "no account"}"#, refused("R03", "no account")),
            (402, r#"{"code": "", "message": ""}"#, refused("", "")),
            (422, r#"{"code": "R02", "message": "closed"}"#, refused("R02", "closed")),
            (422, r#"{"message": "closed"}"#, unknown(r#"HTTP 422: {"message": "closed"}"#)),
            (400, "Bad Request\r\n", unknown("HTTP 400: Bad Request")),
            (401, "", Answer::Misconfigured { status: 401 }),
            (403, r#"{"code": "x", "message": "y"}"#, Answer::Misconfigured { status: 403 }),
            (404, "", Answer::Misconfigured { status: 404 }),
            (405, "", Answer::Misconfigured { status: 405 }),
            (408, "", unknown("HTTP 408: ")),
            (409, r#"{"code": "x", "message": "y"}"#, unknown(r#"HTTP 409: {"code": "x", "message": "y"}"#)),
            (500, r#"{"transaction_id": "t_1"}"#, unknown(r#"HTTP 500: {"transaction_id": "t_1"}"#)),
            (503, "down", unknown("HTTP 503: down")),
        ] {
            assert_eq!(means(status, None, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_transaction_id_has_255_bytes_at_most() {
        let body = |length: usize| format!(r#"{{"transaction_id": "{}"}}"#, "x".repeat(length));
        assert_eq!(means(200, None, &body(255)), Answer::Transaction("x".repeat(255)));
        assert!(matches!(means(200, None, &body(256)), Answer::Unknown { .. }));
    }

    #[test]
    fn a_wait_is_in_seconds_or_until_a_date() {
        for (retry_after, seconds) in [
            (None, 1),
            (Some("0"), 1),
            (Some("7"), 7),
            (Some(" 7 "), 7),
            (Some("86400"), MAX_RETRY_AFTER_SECONDS),
            (Some("99999999999999999999"), MAX_RETRY_AFTER_SECONDS),
            (Some("-5"), 1),
            (Some("1.5"), 1),
            (Some(""), 1),
            (Some("soon"), 1),
            // Rounded up: never before the date.
            (Some("Sun, 22 Nov 2026 10:00:30 GMT"), 30),
            (Some("Sun, 22 Nov 2026 09:00:00 GMT"), 1),
            (Some("Tue, 01 Jan 2999 00:00:00 GMT"), MAX_RETRY_AFTER_SECONDS),
        ] {
            let expected = Answer::SlowDown { retry_after_seconds: seconds };
            assert_eq!(means(429, retry_after, ""), expected, "{retry_after:?}");
        }
    }

    #[test]
    fn a_strange_answer_is_quoted_in_short() {
        let Answer::Unknown { detail } = means(500, None, &"é\n".repeat(1000)) else { panic!() };
        assert_eq!(detail.chars().count(), "HTTP 500: ".len() + MAX_QUOTED_CHARS - 1);
        assert_eq!(answer(500, None, &[0xff], NOW.parse().unwrap()), unknown("HTTP 500: \u{fffd}"));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (url, report) in [
            ("https://bank.example/api/", "https://bank.example/api/report"),
            ("https://bank.example", "https://bank.example/report"),
            ("http://127.0.0.1:8788", "http://127.0.0.1:8788/report"),
            ("http://127.1.2.3", "http://127.1.2.3/report"),
            ("http://localhost:8788/", "http://localhost:8788/report"),
            ("http://[::1]:8788", "http://[::1]:8788/report"),
        ] {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!(endpoint.address("report"), report);
            assert_eq!(endpoint.loopback, !url.contains("example"), "{url}");
        }
        for url in [
            "",
            "bank.example",
            "http://bank.example",
            "http://localhost.example",
            "http://127.0.0.1.example",
            "http://192.168.0.1",
            "ftp://127.0.0.1",
            "https://user:secret@bank.example",
            "https://bank.example/?a=1",
            "https://bank.example/#a",
        ] {
            assert!(Endpoint::parse(url).is_err(), "{url}");
        }
    }
}
