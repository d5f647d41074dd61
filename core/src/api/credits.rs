//! A credit as the API shows it, with all that is known of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::debits::Debit;
use super::refunds::Refund;
use super::timeline::TimelineEntry;
use crate::credit::{CreditStatus, ExternalPayment, Facts, State};
use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, TransactionId};
use crate::money::Cents;

/// A credit as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Credit {
    /// The credit.
    pub id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// What is paid out.
    pub amount: Cents,
    /// What it costs.
    pub fee: Cents,
    /// The currency of all its amounts, ISO 4217.
    pub currency: String,
    /// How many installments the plan has.
    pub installments: u32,
    /// Days from one to the next.
    pub interval_days: u32,
    /// Where it stands.
    pub status: CreditStatus,
    /// When it was asked for.
    pub created_at: Instant,
    /// The transaction that pays it out, once the processor has named it.
    pub transaction_id: Option<TransactionId>,
    /// When it was paid out, by the processor.
    pub confirmed_at: Option<Instant>,
    /// The sum of the collected debits.
    pub collected: Cents,
    /// Collected, plus paid elsewhere, less refunded; negative when more was refunded.
    pub paid: i64,
    /// Processed and without word or timeout.
    pub in_flight: Cents,
    /// Neither processed nor cancelled.
    pub scheduled: Cents,
    /// Owed, less paid, in flight and scheduled: a gap, or negative an excess.
    pub missing: i64,
    /// What is still to be paid.
    pub outstanding: Cents,
    /// When the next debit is due that is still to be issued.
    pub next_due_date: Option<BusinessDate>,
}

impl Credit {
    /// The credit that the facts come to.
    pub fn of(facts: &Facts) -> Credit {
        let state = State::of(facts);
        let balances = state.balances();
        Credit {
            id: facts.id,
            account_id: facts.account_id.clone(),
            amount: facts.terms.amount,
            fee: facts.terms.fee,
            currency: facts.currency.clone(),
            installments: facts.terms.installments,
            interval_days: facts.terms.interval_days,
            status: state.status(),
            created_at: facts.created_at,
            transaction_id: facts.transaction_id.clone(),
            confirmed_at: state.confirmed_at,
            collected: Cents::from_balance(balances.collected),
            paid: signed(balances.paid),
            in_flight: Cents::from_balance(balances.in_flight),
            scheduled: Cents::from_balance(balances.scheduled),
            missing: signed(balances.missing()),
            outstanding: Cents::from_balance(balances.outstanding()),
            next_due_date: state.next_due_date(),
        }
    }
}

/// A balance on the wire; no sum of one credit's facts comes near the limits.
pub(crate) fn signed(balance: i128) -> i64 {
    i64::try_from(balance).unwrap_or(if balance < 0 { i64::MIN } else { i64::MAX })
}

/// A credit with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CreditDetail {
    /// The credit.
    #[serde(flatten)]
    pub credit: Credit,
    /// Its debits, by sequence.
    pub debits: Vec<Debit>,
    /// What was paid elsewhere, revoked or not.
    pub external_payments: Vec<ExternalPayment>,
    /// What was given back, or is to be.
    pub refunds: Vec<Refund>,
    /// Every fact about it, in order.
    pub timeline: Vec<TimelineEntry>,
}
