//! What the processor is asked and what its answers mean, without the transport.

use paydown::money::Cents;
use serde::Serialize;
use uuid::Uuid;

/// Which way the money goes, by the words of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// We push to the customer's account.
    Credit,
    /// We pull from the customer's account.
    Debit,
}

/// The body of `perform_transaction` for a credit or debit, written once with its intent and sent byte for byte
/// ever after.
pub fn body(
    direction: Direction,
    account_id: &str,
    funding_account: &str,
    amount: Cents,
    reference: Uuid,
) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        src_bank_account: &'a str,
        dst_bank_account: &'a str,
        amount: Cents,
        direction: Direction,
        reference: Uuid,
    }
    let (src_bank_account, dst_bank_account) = match direction {
        Direction::Credit => (funding_account, account_id),
        Direction::Debit => (account_id, funding_account),
    };
    serde_json::to_string(&Body { src_bank_account, dst_bank_account, amount, direction, reference })
}
