//! What clients may say to the bank, checked before anything is written, and how the bank says no.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::instant;
use crate::story::{Direction, Status};

/// A clear no: the HTTP status, a code for programs and a message for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The HTTP status.
    #[serde(skip)]
    pub status: u16,
    /// What is wrong, as one word.
    pub code: &'static str,
    /// What is wrong, as a sentence.
    pub message: String,
}

impl Problem {
    /// A no with its reason.
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", message)
    }
}

/// The body of `POST /transactions`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instruction {
    /// The account the money leaves.
    pub src_bank_account: String,
    /// The account the money reaches.
    pub dst_bank_account: String,
    /// Minor units, at least one.
    pub amount: i64,
    /// Seen from the customer's account.
    pub direction: Direction,
    /// The sender's id of it.
    pub reference: String,
}

impl Instruction {
    /// The account whose markers count: the customer's.
    pub fn account(&self) -> &str {
        match self.direction {
            Direction::Credit => &self.dst_bank_account,
            Direction::Debit => &self.src_bank_account,
        }
    }
}

/// An outcome to set by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What happened.
    pub status: Status,
    /// The return code, or nothing.
    pub code: String,
    /// When, or now.
    pub at: Option<DateTime<Utc>>,
}

/// The body of `POST /transactions` and its text, which a repeat must match byte for byte.
pub fn instruction(body: &[u8]) -> Result<(Instruction, &str), Problem> {
    let text = text(body)?;
    let instruction: Instruction = json(text)?;
    if instruction.amount < 1 {
        return Err(Problem::invalid("amount must be at least 1"));
    }
    for (name, value) in [
        ("src_bank_account", &instruction.src_bank_account),
        ("dst_bank_account", &instruction.dst_bank_account),
        ("reference", &instruction.reference),
    ] {
        if !is_printable(value) {
            return Err(Problem::invalid(format!("{name} must be 1 to 255 printable ASCII characters")));
        }
    }
    Ok((instruction, text))
}

/// The `Idempotency-Key` of a call.
pub fn key(header: Option<String>) -> Result<String, Problem> {
    match header {
        Some(key) if is_printable(&key) => Ok(key),
        Some(_) => Err(Problem::invalid("Idempotency-Key must be 1 to 255 printable ASCII characters")),
        None => Err(Problem::invalid("Idempotency-Key is missing")),
    }
}

/// The body of `POST /clock`.
pub fn clock(body: &[u8]) -> Result<DateTime<Utc>, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Clock {
        now: String,
    }
    let clock: Clock = json(text(body)?)?;
    instant_of("now", &clock.now)
}

/// The body of `POST /transactions/{id}/outcome`.
pub fn outcome(body: &[u8]) -> Result<Outcome, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct ByHand {
        status: Status,
        #[serde(default)]
        code: Option<String>,
        #[serde(default)]
        at: Option<String>,
    }
    let by_hand: ByHand = json(text(body)?)?;
    let code = by_hand.code.unwrap_or_default();
    if code.len() > 16 || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Problem::invalid("code must be at most 16 letters and digits"));
    }
    let at = by_hand.at.map(|at| instant_of("at", &at)).transpose()?;
    Ok(Outcome { status: by_hand.status, code, at })
}

fn text(body: &[u8]) -> Result<&str, Problem> {
    if body.len() > 16 * 1024 {
        return Err(Problem::invalid("the body is larger than 16 KiB"));
    }
    std::str::from_utf8(body).map_err(|error| Problem::invalid(error.to_string()))
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    serde_json::from_str(text).map_err(|error| Problem::invalid(error.to_string()))
}

fn instant_of(name: &str, text: &str) -> Result<DateTime<Utc>, Problem> {
    instant::parse(text).ok_or_else(|| {
        Problem::invalid(format!("{name} must be an RFC 3339 instant of the years 1970 to 8999"))
    })
}

fn is_printable(value: &str) -> bool {
    (1..=255).contains(&value.len()) && value.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"src_bank_account":"acct_ok","dst_bank_account":"funding","amount":8334,"direction":"debit","reference":"d1"}"#;

    #[test]
    fn the_customers_account_is_the_source_of_a_debit_and_the_destination_of_a_credit() {
        let (debit, text) = instruction(GOOD.as_bytes()).expect("good");
        assert_eq!((debit.account(), debit.amount, text), ("acct_ok", 8334, GOOD));
        let credit = GOOD.replace(r#""debit""#, r#""credit""#);
        assert_eq!(instruction(credit.as_bytes()).expect("good").0.account(), "funding");
    }

    #[test]
    fn bad_instructions_are_refused_with_400() {
        for (good, bad) in [
            ("8334", "0"),
            ("8334", "-1"),
            ("8334", "83.34"),
            ("8334", "\"8334\""),
            ("8334", "9223372036854775808"),
            ("8334", "null"),
            ("\"debit\"", "\"Debit\""),
            ("\"d1\"", "\"\""),
            ("acct_ok", "acct_\u{e9}"),
            ("\"amount\":8334,", ""),
            ("\"amount\"", "\"memo\":1,\"amount\""),
            ("}", ""),
        ] {
            let body = GOOD.replace(good, bad);
            assert_ne!(body, GOOD);
            assert_eq!(instruction(body.as_bytes()).map_err(|problem| problem.status), Err(400), "{body}");
        }
        assert!(instruction(b"\xff\xfe").is_err());
        assert!(instruction(&vec![b' '; 20_000]).is_err());
    }

    #[test]
    fn keys_clocks_and_outcomes_are_checked() {
        assert_eq!(key(Some("d1".to_owned())), Ok("d1".to_owned()));
        for bad in [None, Some(String::new()), Some("\u{e9}".to_owned()), Some("k".repeat(256))] {
            assert!(key(bad.clone()).is_err(), "{bad:?}");
        }
        assert!(clock(br#"{"now":"2026-01-05T06:00:00Z"}"#).is_ok());
        assert!(clock(br#"{"now":"tomorrow"}"#).is_err());
        assert!(clock(br#"{"now":1767592800}"#).is_err());
        assert!(outcome(br#"{"status":"failure","code":"R01","at":"2026-01-05T06:00:00Z"}"#).is_ok());
        assert!(outcome(br#"{"status":"success","code":null}"#).is_ok());
        assert!(outcome(br#"{"status":"pending"}"#).is_err());
        assert!(outcome(br#"{"status":"failure","code":"R01,\n"}"#).is_err());
        assert!(outcome(br#"{"status":"failure","at":"yesterday"}"#).is_err());
    }
}
