//! Amounts of money: whole minor units, never negative.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An amount in minor units (cents), `0..=Cents::MAX`.
///
/// The limit is 2^53 - 1, the largest integer that JSON readers keep exact; a larger or negative
/// number is refused where it enters and so cannot exist further in.
///
/// ```
/// use paydown::money::Cents;
/// assert_eq!(Cents::new(8334).unwrap().get(), 8334);
/// assert!(Cents::new(1 << 53).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub struct Cents(u64);

/// The amount is larger than [`Cents::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge(pub u64);

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an amount of {} is larger than {} minor units", self.0, Cents::MAX)
    }
}

impl std::error::Error for TooLarge {}

impl JsonSchema for Cents {
    fn schema_name() -> Cow<'static, str> {
        "Cents".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer",
            "minimum": 0,
            "maximum": Cents::MAX,
            "description": "An amount in minor units of the currency.",
        })
    }
}

impl Cents {
    /// 2^53 - 1 (RFC 8259, section 6: integers that interoperate).
    pub const MAX: u64 = (1 << 53) - 1;
    /// Nothing.
    pub const ZERO: Cents = Cents(0);

    /// The amount of `minor` units, or an error above [`Cents::MAX`].
    pub const fn new(minor: u64) -> Result<Cents, TooLarge> {
        if minor > Cents::MAX { Err(TooLarge(minor)) } else { Ok(Cents(minor)) }
    }

    /// The number of minor units.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The signed value that balances are summed in: no sum of facts can overflow it.
    pub const fn signed(self) -> i128 {
        self.0 as i128
    }

    /// The amount of a balance, clamped into `0..=Cents::MAX`; for balances known to lie there.
    pub fn from_balance(balance: i128) -> Cents {
        Cents(u64::try_from(balance.max(0)).unwrap_or(Cents::MAX).min(Cents::MAX))
    }
}

impl TryFrom<u64> for Cents {
    type Error = TooLarge;
    fn try_from(minor: u64) -> Result<Cents, TooLarge> {
        Cents::new(minor)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The currencies whose minor unit is not a hundredth, and its decimal digits (ISO 4217, list one, 2024).
const OTHER_DIGITS: [(&str, usize); 24] = [
    ("BIF", 0),
    ("CLP", 0),
    ("DJF", 0),
    ("GNF", 0),
    ("ISK", 0),
    ("JPY", 0),
    ("KMF", 0),
    ("KRW", 0),
    ("PYG", 0),
    ("RWF", 0),
    ("UGX", 0),
    ("VND", 0),
    ("VUV", 0),
    ("XAF", 0),
    ("XOF", 0),
    ("XPF", 0),
    ("BHD", 3),
    ("IQD", 3),
    ("JOD", 3),
    ("KWD", 3),
    ("LYD", 3),
    ("OMR", 3),
    ("TND", 3),
    ("CLF", 4),
];

/// How many decimal digits the minor unit of a currency has (ISO 4217): `0..=4`, 2 where no other is known.
pub fn minor_digits(currency: &str) -> usize {
    OTHER_DIGITS.iter().find(|(code, _)| *code == currency).map_or(2, |(_, digits)| *digits)
}

/// An amount of minor units as a decimal number of major ones.
///
/// ```
/// use paydown::money::decimal;
/// assert_eq!(decimal(100_005, "USD"), "1000.05");
/// assert_eq!(decimal(-7, "USD"), "-0.07");
/// assert_eq!(decimal(500, "JPY"), "500");
/// ```
pub fn decimal(minor: i128, currency: &str) -> String {
    let digits = minor_digits(currency);
    let sign = if minor < 0 { "-" } else { "" };
    let padded = format!("{:0>width$}", minor.unsigned_abs(), width = digits.saturating_add(1));
    match padded.split_at_checked(padded.len().saturating_sub(digits)) {
        Some((major, fraction)) if !fraction.is_empty() => format!("{sign}{major}.{fraction}"),
        Some(_) | None => format!("{sign}{padded}"),
    }
}

/// An amount of minor units for people: its major units and the ISO 4217 code of its currency.
///
/// ```
/// use paydown::money::text;
/// assert_eq!(text(100_005, "USD"), "1000.05 USD");
/// ```
pub fn text(minor: i128, currency: &str) -> String {
    format!("{} {currency}", decimal(minor, currency))
}

/// The amount that a person's text says in major units, with or without a comma between thousands; `None` if it says none, or
/// more than [`Cents::MAX`], or a fraction that the currency does not have.
///
/// ```
/// use paydown::money::read;
/// assert_eq!(read("1,000", "USD").unwrap().get(), 100_000);
/// assert_eq!(read(" $83.34", "USD").unwrap().get(), 8_334);
/// assert_eq!(read("500", "JPY").unwrap().get(), 500);
/// assert_eq!(read("1.234", "USD"), None);
/// ```
pub fn read(text: &str, currency: &str) -> Option<Cents> {
    let digits = minor_digits(currency);
    let text: String = text.trim().chars().filter(|c| !matches!(c, ',' | ' ' | '$' | '\'')).collect();
    let (major, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if major.is_empty() || fraction.len() > digits || !is_number(major) || !is_number(fraction) {
        return None;
    }
    Cents::new(format!("{major}{fraction:0<digits$}").parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gives_whole_amounts_in_range_or_nothing() {
        let read = |text: &str| serde_json::from_str::<Cents>(text).map(Cents::get).ok();
        assert_eq!(read("0"), Some(0));
        assert_eq!(read("9007199254740991"), Some(Cents::MAX));
        for refused in ["9007199254740992", "-1", "1.0", "1e3", "\"1\"", "18446744073709551616", "null"] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_balance_is_clamped_at_both_ends() {
        assert_eq!(Cents::from_balance(-1), Cents::ZERO);
        assert_eq!(Cents::from_balance(i128::from(Cents::MAX)).get(), Cents::MAX);
        assert_eq!(Cents::from_balance(1 << 53).get(), Cents::MAX);
        assert_eq!(Cents::from_balance(i128::MAX).get(), Cents::MAX);
    }

    #[test]
    fn a_text_says_an_amount_or_none() {
        let dollars = |text| read(text, "USD").map(Cents::get);
        assert_eq!((dollars("0.5"), dollars("1 000.00")), (Some(50), Some(100_000)));
        assert_eq!(read("0.125", "KWD").map(Cents::get), Some(125));
        for wrong in
            ["", ".5", "1.234", "-1", "1e3", "abc", "1.2.3", "90071992547409.92", "99999999999999999999"]
        {
            assert_eq!(dollars(wrong), None, "{wrong}");
        }
        assert_eq!(read("5.0", "JPY"), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for currency in ["USD", "JPY", "KWD", "CLF"] {
            for minor in [0, 7, 10_000, Cents::MAX] {
                let read = read(&decimal(i128::from(minor), currency), currency);
                assert_eq!(read.map(Cents::get), Some(minor), "{minor} {currency}");
            }
        }
    }
}
