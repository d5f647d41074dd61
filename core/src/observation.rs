//! What the processor said of a transaction, and which of it is the latest word (L6).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::date::Instant;
use crate::policy::{self, Gravity};

/// What happened to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The money moved.
    Success,
    /// The money did not move, or moved back.
    Failure,
}

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A row of the processor's report.
    Report,
    /// The processor's definite refusal of the first call.
    Refusal,
    /// An operator, on evidence; counts only while the processor has said nothing.
    Decision,
}

/// One status that was stated of a transaction at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// The credit or debit whose transaction it is.
    pub subject: Uuid,
    /// Who said it.
    pub source: Source,
    /// Success or failure.
    pub status: Status,
    /// The return code, if one was given.
    pub code: Option<String>,
    /// When it happened, by the processor.
    pub at: Instant,
}

/// What a set of observations of one transaction comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The latest word is success.
    Success,
    /// The latest word is success, with a failure at an earlier instant.
    Recovered,
    /// The latest word is failure, without a success before it.
    Failure,
    /// The latest word is failure, with a success at an earlier instant.
    Returned,
}

impl Outcome {
    /// Whether the money is there.
    pub fn is_success(self) -> bool {
        match self {
            Outcome::Success | Outcome::Recovered => true,
            Outcome::Failure | Outcome::Returned => false,
        }
    }
}

/// The latest word on a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Word {
    /// The credit or debit whose transaction it is.
    pub subject: Uuid,
    /// What the observations come to.
    pub outcome: Outcome,
    /// The return code of a failure.
    pub code: Option<String>,
    /// The instant of the observation that is the latest word.
    pub at: Instant,
}

/// The latest word on `subject`, or `None` when nothing counts that was said of it.
///
/// It depends on the set of observations alone, not on their order. An operator's decision
/// counts only while the processor itself has said nothing. At one instant failure wins over
/// success, and among failures the graver code.
///
/// ```
/// use paydown::observation::{latest_word, Observation, Outcome, Source, Status};
/// let subject = uuid::Uuid::from_u128(1);
/// let said = |source, status, code: &str, at: &str| Observation {
///     subject, source, status, code: (!code.is_empty()).then(|| code.into()), at: at.parse().unwrap(),
/// };
/// let observations = [
///     said(Source::Decision, Status::Success, "", "2026-01-20T06:00:00Z"),
///     said(Source::Report, Status::Failure, "R10", "2026-01-12T06:00:00Z"),
///     said(Source::Report, Status::Success, "", "2026-01-12T06:00:00Z"),
///     said(Source::Report, Status::Failure, "R01", "2026-01-12T06:00:00Z"),
///     said(Source::Report, Status::Success, "", "2026-01-09T06:00:00Z"),
/// ];
/// // The operator counts no more, of three words at one instant R10 is the gravest, and before it there was success.
/// let word = latest_word(subject, &observations).unwrap();
/// assert_eq!((word.outcome, word.code.as_deref()), (Outcome::Returned, Some("R10")));
/// assert_eq!(latest_word(subject, &[]), None);
/// ```
pub fn latest_word(subject: Uuid, observations: &[Observation]) -> Option<Word> {
    let of_subject = || observations.iter().filter(move |o| o.subject == subject);
    let by_processor = of_subject().any(|o| o.source != Source::Decision);
    let counting = || of_subject().filter(move |o| !by_processor || o.source != Source::Decision);

    let latest = counting().max_by(|a, b| rank(a).cmp(&rank(b)))?;
    let contrary_before = counting().any(|o| o.status != latest.status && o.at < latest.at);
    let outcome = match (latest.status, contrary_before) {
        (Status::Success, false) => Outcome::Success,
        (Status::Success, true) => Outcome::Recovered,
        (Status::Failure, false) => Outcome::Failure,
        (Status::Failure, true) => Outcome::Returned,
    };
    let code = if outcome.is_success() { None } else { latest.code.clone() };
    Some(Word { subject, outcome, code, at: latest.at })
}

/// The order in which the greatest observation is the latest word.
fn rank(o: &Observation) -> (Instant, Status, Gravity, Option<&str>) {
    (o.at, o.status, policy::gravity(o.code.as_deref()), o.code.as_deref())
}
