//! The policy in force: limits, and what a return code lets follow (L7).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::calendar::DueDateRoll;

/// How grave a failure is, from the least to the gravest (L6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gravity {
    /// No code: the debit may be presented again, at most six times in all.
    NoCode,
    /// For want of funds: may be presented again, at most three times in all and within 180 days.
    Retryable,
    /// A code that the table does not know: the credit is held until a person looks.
    Unknown,
    /// The account cannot or must not be debited: every credit of the account is held.
    Stop,
}

/// One return code and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReturnCode {
    /// The code as the report writes it.
    pub code: &'static str,
    /// What the network calls it.
    pub title: &'static str,
    /// What may follow.
    pub gravity: Gravity,
}

const fn stop(code: &'static str, title: &'static str) -> ReturnCode {
    ReturnCode { code, title, gravity: Gravity::Stop }
}

const fn retryable(code: &'static str, title: &'static str) -> ReturnCode {
    ReturnCode { code, title, gravity: Gravity::Retryable }
}

/// The return codes that the law knows.
///
/// Titles: Nacha Operating Rules, Appendix Four, part 4.2 (table of return reason codes). That only
/// R01 and R09 may be reinitiated, at most twice after the first entry and within 180 days of it:
/// Nacha Operating Rules, subsection 2.12.4.1 (reinitiation of returned entries).
pub const RETURN_CODES: &[ReturnCode] = &[
    retryable("R01", "Insufficient funds"),
    stop("R02", "Account closed"),
    stop("R03", "No account or unable to locate account"),
    stop("R04", "Invalid account number structure"),
    stop("R05", "Unauthorized debit to consumer account using corporate SEC code"),
    stop("R07", "Authorization revoked by customer"),
    stop("R08", "Payment stopped"),
    retryable("R09", "Uncollected funds"),
    stop("R10", "Customer advises originator is not known or not authorized to debit the account"),
    stop("R11", "Customer advises entry not in accordance with the terms of the authorization"),
    stop("R16", "Account frozen or entry returned per OFAC instruction"),
    stop("R20", "Non-transaction account"),
    stop("R29", "Corporate customer advises not authorized"),
];

/// What the law says of a code; `None` or an empty code is a failure without one.
///
/// ```
/// use paydown::policy::{gravity, Gravity};
/// assert_eq!(gravity(Some("R10")), Gravity::Stop);
/// assert_eq!(gravity(Some("r01")), Gravity::Unknown); // codes are taken as written
/// assert_eq!(gravity(None), Gravity::NoCode);
/// ```
pub fn gravity(code: Option<&str>) -> Gravity {
    match code {
        None | Some("") => Gravity::NoCode,
        Some(code) => RETURN_CODES.iter().find(|c| c.code == code).map_or(Gravity::Unknown, |c| c.gravity),
    }
}

/// The kinds of returns whose share of an originator's debits the network watches.
///
/// Levels: Nacha Operating Rules, subsection 2.17.2 (ODFI return rate reporting): within 60 days, unauthorized
/// returns above 0.5 %, administrative ones above 3 % and all together above 15 % of the debits originated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReturnClass {
    /// R05, R07, R10, R11, R29: the customer did not allow the debit.
    Unauthorized,
    /// R02, R03, R04: the account's data were wrong.
    Administrative,
    /// Every return, whatever its code.
    Overall,
}

/// How many days back the return rates look.
pub const RETURN_RATE_DAYS: u32 = 60;

impl ReturnClass {
    /// All of them.
    pub const ALL: [ReturnClass; 3] =
        [ReturnClass::Unauthorized, ReturnClass::Administrative, ReturnClass::Overall];

    /// The name in metrics, JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            ReturnClass::Unauthorized => "unauthorized",
            ReturnClass::Administrative => "administrative",
            ReturnClass::Overall => "overall",
        }
    }

    /// The share above which the network asks questions, in basis points of the debits originated.
    pub const fn level_basis_points(self) -> u32 {
        match self {
            ReturnClass::Unauthorized => 50,
            ReturnClass::Administrative => 300,
            ReturnClass::Overall => 1500,
        }
    }

    /// Whether a return with this code belongs to the class. A failure without a code counts among all.
    pub fn counts(self, code: &str) -> bool {
        match self {
            ReturnClass::Unauthorized => ["R05", "R07", "R10", "R11", "R29"].contains(&code),
            ReturnClass::Administrative => ["R02", "R03", "R04"].contains(&code),
            ReturnClass::Overall => true,
        }
    }
}

/// The limits of the law. They are recorded with each decision, so that changing one later
/// rewrites nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    /// After how many times 24 h without a word a transaction times out (L2, L5).
    pub timeout_days: u32,
    /// With how many debits timed out and without word a credit is held (L5).
    pub timeout_limit: u32,
    /// How many presentments a family may have when the last failed for want of funds (L7).
    pub retryable_presentments: u32,
    /// How many days after the first presentment the last one may be due (L7).
    pub retryable_days: u32,
    /// How many presentments a family may have when the last failed without a code (L7).
    pub no_code_presentments: u32,
    /// For how many days after the first unknown answer a key may be called again; `None`: for ever (L3).
    pub key_days: Option<u32>,
    /// Whether two failed debits in a row on an account hold all its credits (L8).
    #[serde(default)]
    pub two_strikes: bool,
    /// Whether due dates roll onto banking days (L9).
    #[serde(default)]
    pub due_date_roll: DueDateRoll,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            timeout_days: 5,
            timeout_limit: 3,
            retryable_presentments: 3,
            retryable_days: 180,
            no_code_presentments: 6,
            key_days: None,
            two_strikes: false,
            due_date_roll: DueDateRoll::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReturnClass;

    #[test]
    fn each_class_counts_its_codes_up_to_its_level() {
        let classes = |code: &str| {
            let counting = ReturnClass::ALL.into_iter().filter(|class| class.counts(code));
            counting.map(ReturnClass::name).collect::<Vec<_>>()
        };
        assert_eq!(classes("R10"), ["unauthorized", "overall"]);
        assert_eq!(classes("R02"), ["administrative", "overall"]);
        assert_eq!(classes("R01"), ["overall"]);
        assert_eq!(classes(""), ["overall"]);
        assert_eq!(ReturnClass::ALL.map(ReturnClass::level_basis_points), [50, 300, 1500]);
    }
}
