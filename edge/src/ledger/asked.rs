//! What a decision was asked, recorded with it: with the inputs, it is enough to decide again (L10.4).

use paydown::credit::Facts;
use paydown::decision::Input;
use paydown::observation::Source;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The input of a decision as core takes it, and what the decision had seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The input.
    #[serde(flatten)]
    pub input: Input,
    /// What it had seen of what is recorded without a turn.
    #[serde(default)]
    pub seen: Seen,
}

/// What a decision had seen of what comes from outside. It is recorded without a turn of the credit, and a run's rows carry
/// the run's instant whenever they came: what was there first, the instants alone do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The credit, debits and refunds that were asked for and had no transaction yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unnamed: Vec<Uuid>,
    /// How many report rows.
    #[serde(default, skip_serializing_if = "is_none")]
    pub reported: usize,
    /// How many refusals.
    #[serde(default, skip_serializing_if = "is_none")]
    pub refused: usize,
    /// How many unknown answers.
    #[serde(default, skip_serializing_if = "is_none")]
    pub unknown: usize,
    /// How many closed exceptions.
    #[serde(default, skip_serializing_if = "is_none")]
    pub closed: usize,
}

impl Asked {
    /// What a decision on these facts was asked.
    pub fn of(input: Input, facts: &Facts) -> Asked {
        Asked { input, seen: Seen::of(facts) }
    }
}

impl Seen {
    /// What these facts hold of what comes from outside.
    pub fn of(facts: &Facts) -> Seen {
        let own = facts.transaction_id.is_none().then_some(facts.id.0);
        let asked = facts.debits.iter().filter(|debit| debit.submitted_at.is_some());
        let debits = asked.filter(|debit| debit.transaction_id.is_none()).map(|debit| debit.id.0);
        let refunds = facts.refunds.iter().filter(|refund| refund.transaction_id.is_none());
        let said_by = |source| facts.observations.iter().filter(|o| o.source == source).count();
        Seen {
            unnamed: own.into_iter().chain(debits).chain(refunds.map(|refund| refund.id.0)).collect(),
            reported: said_by(Source::Report),
            refused: said_by(Source::Refusal),
            unknown: facts.unknown_answers.len(),
            closed: facts.exceptions.iter().filter(|exception| !exception.open).count(),
        }
    }
}

fn is_none(count: &usize) -> bool {
    *count == 0
}
