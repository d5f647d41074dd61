//! Which credits a run looks at: those with something to seek, to decide or to issue.

use paydown::date::BusinessDate;
use paydown::id::{CreditId, RunId};
use serde::Serialize;
use serde_json::json;

use super::{all, batch, rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// Where a run looks for what there is to do: since the last run that went through all its stages.
#[derive(Debug, Clone, Serialize)]
pub struct Since {
    /// This run.
    pub run_id: RunId,
    /// This run's instant.
    pub as_of: String,
    /// This run's date.
    pub run_date: BusinessDate,
    /// The run before, for what it carried over.
    pub before: Option<RunId>,
    /// The instant of the run before, or the beginning of time.
    pub since: String,
    /// The date of the run before, or the beginning of time.
    pub since_date: String,
    /// What was processed or created up to then came of age before the run before.
    pub aged_from: String,
    /// What was processed or created up to then has come of age.
    pub aged_to: String,
    /// Credits up to this one are done.
    pub cursor: String,
    /// Credits behind this one are another part's.
    pub until: String,
    /// How many credits are looked for at once; one more is found where there are more.
    pub limit: u32,
}

/// What a run looks for.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    some: &'static str,
    ends: &'static str,
}

/// The credits of a search behind the cursor, in order: one more than are asked for at most.
pub async fn find(database: &dyn Database, search: &Search, since: &Since) -> Result<Vec<CreditId>, Fault> {
    let results = batch(database, &[statement(search.some, since)?]).await?;
    results.first().map_or(Ok(vec![]), |rows| all(rows))
}

/// Every so manieth credit of a search: where to divide it.
pub async fn ends(database: &dyn Database, search: &Search, since: &Since) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(search.ends, since)?).await
}

/// Credits without a named transaction since the last run that went through all its stages, and before it.
pub async fn unanswered_now(
    database: &dyn Database,
    cursor: &str,
    limit: u32,
) -> Result<Vec<CreditId>, Fault> {
    rows(database, statement(UNANSWERED_NOW, &json!({ "cursor": cursor, "limit": limit }))?).await
}

/// The statement that carries a credit with something due over to the next run.
pub(crate) fn carry_due(run: RunId, credits: &[CreditId]) -> Result<Statement, Fault> {
    statement(CARRY_DUE, &json!({ "run_id": run, "credits": credits }))
}

// The plus signs keep the order of the credits, or the cursor, from deciding how each part is found: by time, of which there is
// a day's worth, and not by credit, of which there is the whole book.

macro_rules! search {
    ($credits:literal) => {
        Search {
            some: concat!(
                "SELECT json_group_array(credit_id) FROM (SELECT credit_id FROM (",
                $credits,
                ") WHERE credit_id > ?1 ->> '$.cursor' AND credit_id <= ?1 ->> '$.until' ORDER BY credit_id LIMIT ?1 ->> '$.limit' + 1)"
            ),
            ends: concat!(
                "SELECT json_quote(credit_id) FROM (SELECT credit_id, row_number() OVER (ORDER BY credit_id) AS number FROM (",
                $credits,
                ")) WHERE number % (?1 ->> '$.limit') = 0 ORDER BY credit_id"
            ),
        }
    };
}

/// Credits with transactions that were asked for and not named.
pub const UNANSWERED: Search = search!(
    "
  SELECT +id AS credit_id FROM credits WHERE created_at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = credits.id)
  UNION
  SELECT +credit_id FROM processed_debits WHERE at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = processed_debits.debit_id)
  UNION
  SELECT +credit_id FROM refunds WHERE at >= ?1 ->> '$.since'
    AND NOT EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = refunds.id)
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'unanswered'"
);

/// Credits of which something new was said, that came of age, or that wait for coverage.
pub const WITH_WORDS: Search = search!(
    "
  WITH since_runs AS (SELECT id FROM runs WHERE as_of > ?1 ->> '$.since' AND as_of <= ?1 ->> '$.as_of')
  SELECT (SELECT credit_id FROM transactions WHERE transaction_id = o.transaction_id) AS credit_id
  FROM since_runs CROSS JOIN observations o ON o.run_id = since_runs.id WHERE o.subject_id = ''
  UNION
  SELECT coalesce((SELECT credit_id FROM debits WHERE id = o.subject_id),
    (SELECT +credit_id FROM refunds WHERE id = o.subject_id), o.subject_id)
  FROM since_runs CROSS JOIN observations o ON o.run_id = since_runs.id WHERE o.subject_id <> ''
  UNION
  SELECT credit_id FROM (
    SELECT +credit_id AS credit_id, transaction_id, NULL AS debit_id FROM credit_transactions WHERE at >= ?1 ->> '$.since'
    UNION ALL
    SELECT +credit_id, transaction_id, debit_id FROM debit_transactions WHERE at >= ?1 ->> '$.since'
    UNION ALL
    SELECT +credit_id, transaction_id, NULL FROM refund_transactions WHERE at >= ?1 ->> '$.since') AS named
  WHERE EXISTS (SELECT 1 FROM observations WHERE transaction_id = named.transaction_id)
    OR EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = named.debit_id AND at <= ?1 ->> '$.aged_to')
  UNION
  SELECT credit_id FROM (
    SELECT +id AS credit_id, id AS subject_id FROM credits
    WHERE created_at > ?1 ->> '$.aged_from' AND created_at <= ?1 ->> '$.aged_to'
    UNION ALL
    SELECT +credit_id, debit_id FROM processed_debits
    WHERE at > ?1 ->> '$.aged_from' AND at <= ?1 ->> '$.aged_to'
    UNION ALL
    SELECT +credit_id, id FROM refunds
    WHERE at > ?1 ->> '$.aged_from' AND at <= ?1 ->> '$.aged_to') AS aged
  WHERE NOT EXISTS (SELECT 1 FROM words WHERE subject_id = aged.subject_id)
  UNION
  SELECT credit_id FROM (
    SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'not_covered'
    UNION ALL
    SELECT +credit_id FROM decisions WHERE at >= ?1 ->> '$.since' AND run_id IS NULL)"
);

/// Credits with a debit that may be due.
pub const DUE: Search = search!(
    "
  SELECT +credit_id AS credit_id FROM debits WHERE due_date > ?1 ->> '$.since_date' AND due_date <= ?1 ->> '$.run_date'
    AND NOT EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = debits.id)
    AND NOT EXISTS (SELECT 1 FROM cancellations WHERE debit_id = debits.id)
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = ?1 ->> '$.before' AND kind = 'due'
  UNION
  SELECT credit_id FROM (
    SELECT +credit_id AS credit_id FROM runs CROSS JOIN decisions ON decisions.run_id = runs.id
    WHERE runs.as_of > ?1 ->> '$.since' AND runs.as_of <= ?1 ->> '$.as_of'
    UNION ALL
    SELECT +credit_id FROM decisions WHERE at >= ?1 ->> '$.since' AND run_id IS NULL) AS decided
  WHERE EXISTS (
    SELECT 1 FROM debits WHERE credit_id = decided.credit_id AND due_date <= ?1 ->> '$.run_date'
      AND NOT EXISTS (SELECT 1 FROM processed_debits WHERE debit_id = debits.id)
      AND NOT EXISTS (SELECT 1 FROM cancellations WHERE debit_id = debits.id))"
);

/// Credits on which a run decided.
pub const TOUCHED: Search =
    search!("SELECT DISTINCT +credit_id AS credit_id FROM decisions WHERE run_id = ?1 ->> '$.run_id'");

const UNANSWERED_NOW: &str = "
WITH last AS (
  SELECT r.id, r.as_of FROM runs r CROSS JOIN run_closings c ON c.run_id = r.id
  WHERE c.status <> 'failed' ORDER BY r.as_of DESC LIMIT 1)
SELECT json_quote(credit_id) FROM (
  SELECT +id AS credit_id FROM credits WHERE created_at >= coalesce((SELECT as_of FROM last), '')
    AND NOT EXISTS (SELECT 1 FROM credit_transactions WHERE credit_id = credits.id)
  UNION
  SELECT +credit_id FROM processed_debits WHERE at >= coalesce((SELECT as_of FROM last), '')
    AND NOT EXISTS (SELECT 1 FROM debit_transactions WHERE debit_id = processed_debits.debit_id)
  UNION
  SELECT +credit_id FROM refunds WHERE at >= coalesce((SELECT as_of FROM last), '')
    AND NOT EXISTS (SELECT 1 FROM refund_transactions WHERE refund_id = refunds.id)
  UNION
  SELECT credit_id FROM carried_over WHERE run_id = (SELECT id FROM last) AND kind = 'unanswered')
WHERE credit_id > ?1 ->> '$.cursor' ORDER BY credit_id LIMIT ?1 ->> '$.limit'";

const CARRY_DUE: &str = "
INSERT INTO carried_over (run_id, kind, credit_id)
SELECT ?1 ->> '$.run_id', 'due', value FROM json_each(?1, '$.credits') WHERE true ON CONFLICT DO NOTHING";
