//! A debit as the API shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::credit::{Because, DebitStatus, Facts, Reason, State};
use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, DebitId, TransactionId};
use crate::money::Cents;

/// A debit as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Debit {
    /// The debit.
    pub id: DebitId,
    /// The credit it collects for.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// Its place in the plan, from 1, in the order of creation.
    pub sequence: u32,
    /// What it collects.
    pub amount: Cents,
    /// When it is due.
    pub due_date: BusinessDate,
    /// When it would be due if due dates did not roll, where that is another date.
    pub unrolled_due_date: Option<BusinessDate>,
    /// Where it stands.
    pub status: DebitStatus,
    /// Why it was made.
    pub reason: Reason,
    /// The sequence of the debit in whose place it is.
    pub replaces: Option<u32>,
    /// The sequences of the debits that took its place.
    pub replaced_by: Vec<u32>,
    /// Why it will never be submitted.
    pub cancelled_because: Option<Because>,
    /// Its transaction, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// The return code of its failure.
    pub code: Option<String>,
    /// When the intent to submit it was written.
    pub submitted_at: Option<Instant>,
    /// When the latest word on it happened, by the processor.
    pub resolved_at: Option<Instant>,
}

impl Debit {
    /// The debits that the facts of a credit come to, by sequence.
    pub fn of(facts: &Facts) -> Vec<Debit> {
        let replaced_by = |sequence: u32| {
            let replacing = facts.debits.iter().filter(move |d| d.replaces == Some(sequence));
            replacing.map(|d| d.sequence).collect()
        };
        let state = State::of(facts);
        let debits = state.debits.iter().map(|debit| Debit {
            id: debit.facts.id,
            credit_id: facts.id,
            account_id: facts.account_id.clone(),
            sequence: debit.facts.sequence,
            amount: debit.facts.amount,
            due_date: debit.facts.due_date,
            unrolled_due_date: debit.facts.unrolled_due_date,
            status: debit.status(),
            reason: debit.facts.reason,
            replaces: debit.facts.replaces,
            replaced_by: replaced_by(debit.facts.sequence),
            cancelled_because: debit.facts.cancelled_because,
            transaction_id: debit.facts.transaction_id.clone(),
            code: debit.code.clone(),
            submitted_at: debit.facts.submitted_at,
            resolved_at: debit.resolved_at,
        });
        debits.collect()
    }
}
