//! The journal as the API shows it: a line for each side of each transfer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::date::{BusinessDate, Instant};
use crate::id::{CreditId, RunId};
use crate::journal::{Entry, History, LedgerAccount, Why};
use crate::money::Cents;

/// A line of the journal: an amount on one side of one ledger account. The lines of an entry balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalLine {
    /// The entry that it is a line of. It never changes: who imports a line twice knows it by this and `line`.
    pub entry_id: Uuid,
    /// Its place in the entry, from 1.
    pub line: u32,
    /// The business date on which the entry was recorded.
    pub date: BusinessDate,
    /// When it was recorded: the instant of the decision, or of the request.
    pub at: Instant,
    /// When the money moved, by the processor or by who received it; else the date of the entry.
    pub value_date: BusinessDate,
    /// Which ledger account.
    pub ledger_account: LedgerAccount,
    /// What its debit side takes; nothing if the credit side does.
    pub dr: Cents,
    /// What its credit side takes; nothing if the debit side does.
    pub cr: Cents,
    /// The currency of both, ISO 4217.
    pub currency: String,
    /// Why the entry was made.
    pub why: Why,
    /// The rule of the law that it follows.
    pub rule: String,
    /// The credit whose money it is.
    pub credit_id: CreditId,
    /// The customer's bank account.
    pub account_id: String,
    /// The credit, debit, refund or payment that it is about.
    pub subject_id: Uuid,
    /// The turn of its decision, by which a credit's entries are in order; none is before the first.
    pub turn: Option<u32>,
    /// The run that took the decision, if one did.
    pub run_id: Option<RunId>,
}

impl JournalLine {
    /// The lines of an entry.
    pub fn of(history: &History, entry: &Entry) -> Vec<JournalLine> {
        let sides = entry.transfers.iter().flat_map(|transfer| {
            [(transfer.dr, transfer.amount, Cents::ZERO), (transfer.cr, Cents::ZERO, transfer.amount)]
        });
        let line = |(number, (ledger_account, dr, cr))| JournalLine {
            entry_id: entry.id,
            line: number,
            date: entry.date,
            at: entry.at,
            value_date: entry.value_date,
            ledger_account,
            dr,
            cr,
            currency: history.currency.clone(),
            why: entry.why,
            rule: entry.why.rule().to_owned(),
            credit_id: history.credit_id,
            account_id: history.account_id.clone(),
            subject_id: entry.subject_id,
            turn: entry.turn,
            run_id: entry.run_id,
        };
        (1..).zip(sides).map(line).collect()
    }
}
