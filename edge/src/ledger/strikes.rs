//! The words of an account across all its credits, for `TWO_STRIKES` (L8).

use paydown::date::{Instant, text};
use paydown::id::CreditId;
use paydown::observation::Word;
use serde::Deserialize;
use serde_json::json;

use super::{rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// The latest words on the debits of an account.
#[derive(Debug, Clone, Deserialize)]
pub struct AccountWords {
    /// Whether the account is held by two strikes already.
    pub is_held: bool,
    /// One for each debit with a word.
    pub words: Vec<DebitWord>,
}

/// The latest word on a debit.
#[derive(Debug, Clone, Deserialize)]
pub struct DebitWord {
    /// The credit it collects for.
    pub credit_id: CreditId,
    /// Whether it was taken into effect at the instant asked about, or later.
    pub is_new: bool,
    /// The word.
    pub word: Word,
}

/// The words of those accounts of `credits` that have a failure among the words taken into effect at `since`
/// or later; all time without one.
pub async fn with_new_failures(
    database: &dyn Database,
    credits: &[CreditId],
    since: Option<Instant>,
) -> Result<Vec<AccountWords>, Fault> {
    rows(
        database,
        statement(
            ACCOUNT_WORDS,
            &json!({ "credits": credits, "since": since.map(text).unwrap_or_default() }),
        )?,
    )
    .await
}

const ACCOUNT_WORDS: &str = "
WITH accounts AS (
  SELECT DISTINCT c.account_id FROM json_each(?1, '$.credits') AS wanted
  CROSS JOIN credits c ON c.id = wanted.value
  CROSS JOIN words w ON w.credit_id = c.id
  CROSS JOIN decisions x ON x.id = w.decision_id
  WHERE x.at >= ?1 ->> '$.since' AND w.outcome IN ('failure', 'returned'))
SELECT json_object(
  'is_held', json(iif(EXISTS (
    SELECT 1 FROM exceptions e WHERE e.kind = 'two_strikes' AND e.subject = accounts.account_id
      AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = e.id)), 'true', 'false')),
  'words', json((
    SELECT json_group_array(json_object('credit_id', c.id, 'is_new', json(iif(x.at >= ?1 ->> '$.since', 'true', 'false')),
      'word', json_object('subject', w.subject_id, 'outcome', w.outcome, 'code', w.code, 'at', w.at)))
    FROM credits c CROSS JOIN words w ON w.credit_id = c.id CROSS JOIN decisions x ON x.id = w.decision_id
    WHERE c.account_id = accounts.account_id AND EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = w.subject_id)
      AND NOT EXISTS (SELECT 1 FROM words later WHERE later.subject_id = w.subject_id AND later.turn > w.turn))))
FROM accounts";
