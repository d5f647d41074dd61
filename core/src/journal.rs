//! The journal: each fact that moved money or a claim, as double-entry bookkeeping.
//!
//! An entry is made of transfers, each an amount from one ledger account to another, so that no entry can be out of
//! balance. What is contradicted later is reversed by an entry of its own: those that were made stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::date::{BusinessDate, Instant, Zone};
use crate::id::{self, CreditId, RunId};
use crate::money::Cents;
use crate::observation::Outcome;

/// What the books of account distinguish. An asset or an expense grows on the debit side (`dr`), a liability or an income
/// on the credit side (`cr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LedgerAccount {
    /// Asset: the funding account, as the processor's words leave it: collected, less what was paid out and arrived.
    Cash,
    /// Asset: what customers paid elsewhere.
    ReceivedElsewhere,
    /// Asset: advances that the processor was told to pay out, without a word.
    AdvancesPending,
    /// Asset: what customers owe of confirmed advances and their fees.
    Receivable,
    /// Liability: what the processor was told to pay out, advance or refund, without a word.
    PayoutsInTransit,
    /// Liability: what customers paid beyond what they owe.
    CustomerExcess,
    /// Income: the fees, earned when the advance is confirmed.
    FeeIncome,
    /// Expense: what is owed and was given up, less what came of it later.
    WriteOffs,
}

/// Why an entry was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The intent to pay an advance out was written (L3).
    AdvanceSent,
    /// The advance arrived: the customer owes it and its fee (L2).
    AdvanceConfirmed,
    /// The advance never arrived (L2).
    AdvanceFailed,
    /// The advance came back after it had arrived: nothing is owed (L2).
    AdvanceReturned,
    /// A debit was collected (L6).
    Collected,
    /// What a debit had collected went back (L6).
    CollectionReturned,
    /// The intent to give something back was written (L8).
    RefundSent,
    /// A refund arrived (L8).
    RefundConfirmed,
    /// A refund did not arrive, or came back (L8).
    RefundFailed,
    /// The customer paid elsewhere (L8).
    PaidElsewhere,
    /// A payment elsewhere counts no more (L8).
    PaymentRevoked,
    /// The rest was given up (L8).
    WrittenOff,
}

impl Why {
    /// The rule of the law by which it came about.
    pub const fn rule(self) -> &'static str {
        match self {
            Why::AdvanceSent => "L3",
            Why::AdvanceConfirmed | Why::AdvanceFailed | Why::AdvanceReturned => "L2",
            Why::Collected | Why::CollectionReturned => "L6",
            Why::RefundSent
            | Why::RefundConfirmed
            | Why::RefundFailed
            | Why::PaidElsewhere
            | Why::PaymentRevoked
            | Why::WrittenOff => "L8",
        }
    }
}

/// The facts of one credit that may move money or a claim, each with the decision that it came about in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The credit.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// The currency of all its amounts, ISO 4217.
    pub currency: String,
    /// What is paid out.
    pub amount: Cents,
    /// What it costs.
    pub fee: Cents,
    /// When the intent to pay it out was written.
    pub created_at: Instant,
    /// The facts, in the order of the decisions.
    pub movements: Vec<Movement>,
}

/// A fact that may move money or a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The turn of its decision.
    pub turn: u32,
    /// The instant of its decision.
    pub at: Instant,
    /// The run that took the decision, if one did.
    pub run_id: Option<RunId>,
    /// The credit, debit, refund or payment that it is about.
    pub subject_id: Uuid,
    /// The amount of that subject.
    pub amount: Cents,
    /// What came about.
    #[serde(flatten)]
    pub moved: Moved,
}

/// What came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "moved")]
pub enum Moved {
    /// A word on the advance.
    Advance {
        /// What it comes to.
        outcome: Outcome,
        /// When it happened, by the processor.
        said_at: Instant,
    },
    /// A word on a debit.
    Debit {
        /// What it comes to.
        outcome: Outcome,
        /// When it happened, by the processor.
        said_at: Instant,
    },
    /// A word on a refund.
    Refund {
        /// What it comes to.
        outcome: Outcome,
        /// When it happened, by the processor.
        said_at: Instant,
    },
    /// The intent to give something back.
    RefundSent,
    /// A payment elsewhere.
    PaidElsewhere {
        /// When it was received.
        received_on: BusinessDate,
    },
    /// A payment elsewhere that counts no more.
    PaymentRevoked,
    /// The rest was given up.
    WrittenOff,
}

/// An amount, from one ledger account to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// The ledger account whose debit side takes the amount.
    pub dr: LedgerAccount,
    /// The ledger account whose credit side takes it.
    pub cr: LedgerAccount,
    /// The amount; never zero.
    pub amount: Cents,
}

/// What one fact does to the books of account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Made from its cause: the same fact has the same entry, whenever it is asked for.
    pub id: Uuid,
    /// When it was recorded: the instant of the decision, or of the request.
    pub at: Instant,
    /// The business date of that instant.
    pub date: BusinessDate,
    /// When the money moved, by the processor or who received it; else the date of the entry.
    pub value_date: BusinessDate,
    /// Why it was made.
    pub why: Why,
    /// The credit, debit, refund or payment that it is about.
    pub subject_id: Uuid,
    /// The turn of its decision; none is before the first.
    pub turn: Option<u32>,
    /// The run that took the decision, if one did.
    pub run_id: Option<RunId>,
    /// What is moved; never empty.
    pub transfers: Vec<Transfer>,
}

/// All entries of a credit, in the order in which they were recorded. Later facts add entries behind these and change none.
///
/// What a debit brought in that went back before a run heard of it moves nothing: the first word that counts is the last.
///
/// ```
/// use paydown::{date::Zone, journal::{History, LedgerAccount, balances, entries}};
/// # let (credit, debit) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
/// let history: History = serde_json::from_value(serde_json::json!({
///     "credit_id": credit, "account_id": "acct_8841", "currency": "USD", "amount": 1000, "fee": 50,
///     "created_at": "2026-01-05T15:00:00Z",
///     "movements": [
///         { "turn": 0, "at": "2026-01-06T06:00:00Z", "run_id": null, "subject_id": credit, "amount": 1000,
///           "moved": "advance", "outcome": "success", "said_at": "2026-01-05T22:00:00Z" },
///         { "turn": 2, "at": "2026-01-13T06:00:00Z", "run_id": null, "subject_id": debit, "amount": 1050,
///           "moved": "debit", "outcome": "success", "said_at": "2026-01-12T22:00:00Z" },
///         // Collected, and taken back by the customer's bank: an entry of its own.
///         { "turn": 3, "at": "2026-01-16T06:00:00Z", "run_id": null, "subject_id": debit, "amount": 1050,
///           "moved": "debit", "outcome": "returned", "said_at": "2026-01-15T22:00:00Z" },
///     ],
/// })).unwrap();
/// let entries = entries(&history, &Zone::default());
/// assert_eq!(entries.len(), 4);
/// let balances = balances(&entries);
/// assert_eq!(balances[&LedgerAccount::Receivable], 1050);
/// assert_eq!(balances[&LedgerAccount::Cash], -1000);
/// assert_eq!(balances.values().sum::<i128>(), 0);
/// ```
pub fn entries(history: &History, zone: &Zone) -> Vec<Entry> {
    let mut books = Books::default();
    let sent = Entry {
        id: entry_id(history.credit_id, None, history.credit_id.0),
        at: history.created_at,
        date: zone.business_date(history.created_at),
        value_date: zone.business_date(history.created_at),
        why: Why::AdvanceSent,
        subject_id: history.credit_id.0,
        turn: None,
        run_id: None,
        transfers: transfer(LedgerAccount::AdvancesPending, LedgerAccount::PayoutsInTransit, history.amount),
    };
    let later = history.movements.iter().filter_map(|movement| {
        let (why, transfers) = books.take(history, movement)?;
        Some(Entry {
            id: entry_id(history.credit_id, Some(movement.turn), movement.subject_id),
            at: movement.at,
            date: zone.business_date(movement.at),
            value_date: movement.value_date(zone),
            why,
            subject_id: movement.subject_id,
            turn: Some(movement.turn),
            run_id: movement.run_id,
            transfers,
        })
    });
    std::iter::once(sent).chain(later).filter(|entry| !entry.transfers.is_empty()).collect()
}

/// What each ledger account comes to, in minor units: the debit side less the credit side. Their sum is nothing.
pub fn balances<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeMap<LedgerAccount, i128> {
    let mut balances: BTreeMap<LedgerAccount, i128> = BTreeMap::new();
    for transfer in entries.into_iter().flat_map(|entry| &entry.transfers) {
        let amount = transfer.amount.signed();
        for (account, change) in [(transfer.dr, amount), (transfer.cr, amount.saturating_neg())] {
            let balance = balances.entry(account).or_default();
            *balance = balance.saturating_add(change);
        }
    }
    balances
}

impl Movement {
    fn value_date(&self, zone: &Zone) -> BusinessDate {
        match self.moved {
            Moved::Advance { said_at, .. } | Moved::Debit { said_at, .. } | Moved::Refund { said_at, .. } => {
                zone.business_date(said_at)
            }
            Moved::PaidElsewhere { received_on } => received_on,
            Moved::RefundSent | Moved::PaymentRevoked | Moved::WrittenOff => zone.business_date(self.at),
        }
    }
}

/// Where the books of a credit stand between two entries.
#[derive(Default)]
struct Books {
    advance: Payout,
    refunds: BTreeMap<Uuid, Payout>,
    collected: BTreeSet<Uuid>,
    /// What the customer owes us; negative, what we owe the customer.
    owed: i128,
    is_written_off: bool,
}

/// Where money stands that was to leave.
#[derive(Clone, Copy, Default)]
enum Payout {
    #[default]
    InTransit,
    Arrived,
    Failed,
}

impl Books {
    fn take(&mut self, history: &History, movement: &Movement) -> Option<(Why, Vec<Transfer>)> {
        let (subject, amount) = (movement.subject_id, movement.amount);
        match movement.moved {
            Moved::Advance { outcome, .. } => self.advance_word(history, outcome.is_success()),
            Moved::Debit { outcome, .. } => self.debit_word(subject, amount, outcome.is_success()),
            Moved::Refund { outcome, .. } => self.refund_word(subject, amount, outcome.is_success()),
            Moved::RefundSent => {
                self.refunds.insert(subject, Payout::InTransit);
                Some((Why::RefundSent, self.charge(LedgerAccount::PayoutsInTransit, amount)))
            }
            Moved::PaidElsewhere { .. } => {
                Some((Why::PaidElsewhere, self.settle(LedgerAccount::ReceivedElsewhere, amount)))
            }
            Moved::PaymentRevoked => {
                Some((Why::PaymentRevoked, self.charge(LedgerAccount::ReceivedElsewhere, amount)))
            }
            Moved::WrittenOff => {
                self.is_written_off = true;
                let owed = Cents::from_balance(self.owed);
                let transfers = transfer(LedgerAccount::WriteOffs, LedgerAccount::Receivable, owed);
                Some((Why::WrittenOff, transfers))
            }
        }
    }

    /// The claim comes into being when the advance arrives, and goes when it comes back.
    fn advance_word(&mut self, history: &History, is_success: bool) -> Option<(Why, Vec<Transfer>)> {
        use LedgerAccount::{AdvancesPending, Cash, FeeIncome, PayoutsInTransit};
        let (amount, fee) = (history.amount, history.fee);
        let before = self.advance;
        self.advance = if is_success { Payout::Arrived } else { Payout::Failed };
        match (before, is_success) {
            (Payout::Arrived, true) | (Payout::Failed, false) => None,
            (Payout::InTransit, false) => {
                Some((Why::AdvanceFailed, transfer(PayoutsInTransit, AdvancesPending, amount)))
            }
            (Payout::InTransit, true) => {
                let left = transfer(PayoutsInTransit, Cash, amount);
                let owed = [left, self.charge(AdvancesPending, amount), self.charge(FeeIncome, fee)];
                Some((Why::AdvanceConfirmed, owed.concat()))
            }
            (Payout::Failed, true) => {
                let owed = [self.charge(Cash, amount), self.charge(FeeIncome, fee)];
                Some((Why::AdvanceConfirmed, owed.concat()))
            }
            (Payout::Arrived, false) => {
                let back = [self.settle(Cash, amount), self.settle(FeeIncome, fee)];
                Some((Why::AdvanceReturned, back.concat()))
            }
        }
    }

    fn debit_word(&mut self, id: Uuid, amount: Cents, is_success: bool) -> Option<(Why, Vec<Transfer>)> {
        if is_success {
            let is_new = self.collected.insert(id);
            return is_new.then(|| (Why::Collected, self.settle(LedgerAccount::Cash, amount)));
        }
        let was_collected = self.collected.remove(&id);
        was_collected.then(|| (Why::CollectionReturned, self.charge(LedgerAccount::Cash, amount)))
    }

    fn refund_word(&mut self, id: Uuid, amount: Cents, is_success: bool) -> Option<(Why, Vec<Transfer>)> {
        use LedgerAccount::{Cash, PayoutsInTransit};
        let now = if is_success { Payout::Arrived } else { Payout::Failed };
        match (self.refunds.insert(id, now).unwrap_or_default(), is_success) {
            (Payout::Arrived, true) | (Payout::Failed, false) => None,
            (Payout::InTransit, true) => {
                Some((Why::RefundConfirmed, transfer(PayoutsInTransit, Cash, amount)))
            }
            (Payout::Failed, true) => Some((Why::RefundConfirmed, self.charge(Cash, amount))),
            (Payout::InTransit, false) => Some((Why::RefundFailed, self.settle(PayoutsInTransit, amount))),
            (Payout::Arrived, false) => Some((Why::RefundFailed, self.settle(Cash, amount))),
        }
    }

    /// The customer owes more: first what we owe the customer shrinks.
    fn charge(&mut self, from: LedgerAccount, amount: Cents) -> Vec<Transfer> {
        let excess = Cents::from_balance(self.owed.saturating_neg()).min(amount);
        let rest = Cents::from_balance(amount.signed().saturating_sub(excess.signed()));
        self.owed = self.owed.saturating_add(amount.signed());
        [transfer(LedgerAccount::CustomerExcess, from, excess), transfer(self.claim(), from, rest)].concat()
    }

    /// The customer owes less: first what is owed shrinks, the rest is owed to the customer.
    fn settle(&mut self, to: LedgerAccount, amount: Cents) -> Vec<Transfer> {
        let owed = Cents::from_balance(self.owed).min(amount);
        let rest = Cents::from_balance(amount.signed().saturating_sub(owed.signed()));
        self.owed = self.owed.saturating_sub(amount.signed());
        [transfer(to, self.claim(), owed), transfer(to, LedgerAccount::CustomerExcess, rest)].concat()
    }

    /// Where stands what is owed. Once it was given up it is no asset: what comes of it all the same makes the loss less.
    fn claim(&self) -> LedgerAccount {
        if self.is_written_off { LedgerAccount::WriteOffs } else { LedgerAccount::Receivable }
    }
}

/// A transfer; none of nothing.
fn transfer(dr: LedgerAccount, cr: LedgerAccount, amount: Cents) -> Vec<Transfer> {
    if amount == Cents::ZERO { vec![] } else { vec![Transfer { dr, cr, amount }] }
}

fn entry_id(credit: CreditId, turn: Option<u32>, subject: Uuid) -> Uuid {
    let turn = turn.map_or_else(String::new, |turn| turn.to_string());
    let cause = ["journal", &credit.to_string(), &turn, &subject.to_string()];
    id::from_cause(id::bucket_of(credit.0), &cause)
}
