//! A refund as the API shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::credit::{Facts, RefundStatus, State};
use crate::date::Instant;
use crate::id::{CreditId, RefundId, TransactionId};
use crate::money::Cents;

/// A refund as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// The refund.
    pub id: RefundId,
    /// The credit it belongs to.
    pub credit_id: CreditId,
    /// What is given back.
    pub amount: Cents,
    /// Where it stands.
    pub status: RefundStatus,
    /// When the intent to give it back was written.
    pub submitted_at: Instant,
    /// Its transaction, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// When the latest word on it happened, by the processor.
    pub resolved_at: Option<Instant>,
}

impl Refund {
    /// The refunds that the facts of a credit come to.
    pub fn of(facts: &Facts) -> Vec<Refund> {
        let state = State::of(facts);
        let refunds = state.refunds.iter().map(|refund| Refund {
            id: refund.facts.id,
            credit_id: facts.id,
            amount: refund.facts.amount,
            status: refund.status(),
            submitted_at: refund.facts.submitted_at,
            transaction_id: refund.facts.transaction_id.clone(),
            resolved_at: refund.resolved_at,
        });
        refunds.collect()
    }
}
