//! What the journal is made of: the facts that may move money or a claim, found by when they were recorded.

use paydown::id::CreditId;
use paydown::journal::History;
use serde::{Deserialize, Serialize};

use super::{rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// A place in the journal: a decision or the request of a credit, and how many of its lines were given.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JournalPlace {
    /// When it was recorded, as sortable text.
    pub at: String,
    /// The decision or credit.
    pub id: String,
    /// How many of its lines are before the place.
    pub lines: usize,
}

/// Which decisions and requests to look at.
#[derive(Debug, Clone, Serialize)]
pub struct JournalWanted {
    /// Those at this place, and behind it.
    pub from: JournalPlace,
    /// Those recorded before this, as sortable text.
    pub before: String,
    /// How many to examine.
    pub limit: usize,
}

/// A decision or the request of a credit that was examined.
#[derive(Debug, Clone, Deserialize)]
pub struct JournalExamined {
    /// When it was recorded, as it sorts.
    pub at: String,
    /// The decision or credit.
    pub id: String,
    /// The credit.
    pub credit_id: CreditId,
    /// The turn of the decision; none of a request.
    pub turn: Option<u32>,
    /// Whether it has a fact that may move something.
    pub may_move: bool,
}

/// Examines decisions and requests in the order in which they were recorded.
pub async fn examined(
    database: &dyn Database,
    wanted: &JournalWanted,
) -> Result<Vec<JournalExamined>, Fault> {
    rows(database, statement(EXAMINED, wanted)?).await
}

/// What may have moved money or a claim of some credits.
pub async fn histories(database: &dyn Database, ids: &[CreditId]) -> Result<Vec<History>, Fault> {
    rows(database, statement(HISTORIES, &ids)?).await
}

/// The sources are each read by their index of time, and no further than the page.
const EXAMINED: &str = "
SELECT json_object('at', at, 'id', id, 'credit_id', credit_id, 'turn', turn, 'may_move', json(iif(
  turn IS NULL
  OR EXISTS (SELECT 1 FROM words WHERE decision_id = seen.id)
  OR EXISTS (SELECT 1 FROM external_payments WHERE credit_id = seen.credit_id AND decision_id = seen.id)
  OR EXISTS (SELECT 1 FROM external_payments p CROSS JOIN external_payment_revocations r ON r.payment_id = p.id
    WHERE p.credit_id = seen.credit_id AND r.decision_id = seen.id)
  OR EXISTS (SELECT 1 FROM refunds WHERE credit_id = seen.credit_id AND decision_id = seen.id)
  OR EXISTS (SELECT 1 FROM write_offs WHERE credit_id = seen.credit_id AND decision_id = seen.id),
  'true', 'false')))
FROM (
  SELECT * FROM (
    SELECT created_at AS at, id, id AS credit_id, NULL AS turn FROM credits
    WHERE (created_at, id) >= (?1 ->> '$.from.at', ?1 ->> '$.from.id') AND created_at < ?1 ->> '$.before'
    ORDER BY created_at, id LIMIT ?1 ->> '$.limit')
  UNION ALL
  SELECT * FROM (
    SELECT at, id, credit_id, turn FROM decisions
    WHERE (at, id) >= (?1 ->> '$.from.at', ?1 ->> '$.from.id') AND at < ?1 ->> '$.before'
    ORDER BY at, id LIMIT ?1 ->> '$.limit')
  ORDER BY 1, 2 LIMIT ?1 ->> '$.limit') AS seen";

/// One row for each credit of the JSON array `?1`. Of one decision the advance's word comes first, then the debits' by
/// sequence, then the refunds'.
const HISTORIES: &str = "
SELECT json_object('credit_id', c.id, 'account_id', c.account_id, 'currency', c.currency, 'amount', c.amount, 'fee', c.fee,
  'created_at', c.created_at, 'movements', json((
    SELECT json_group_array(json_object('turn', m.turn, 'at', m.at, 'run_id', m.run_id, 'subject_id', m.subject_id,
      'amount', m.amount, 'moved', m.moved, 'outcome', m.outcome, 'said_at', m.said_at, 'received_on', m.received_on))
    FROM (
      SELECT x.turn, x.at, x.run_id, w.subject_id, coalesce(d.amount, r.amount, c.amount) AS amount,
        iif(d.id IS NOT NULL, 'debit', iif(r.id IS NOT NULL, 'refund', 'advance')) AS moved,
        w.outcome, w.at AS said_at, NULL AS received_on, d.sequence
      FROM words w CROSS JOIN decisions x ON x.id = w.decision_id
      LEFT JOIN debits d ON d.id = w.subject_id LEFT JOIN refunds r ON r.id = w.subject_id
      WHERE w.credit_id = c.id
      UNION ALL
      SELECT x.turn, x.at, x.run_id, r.id, r.amount, 'refund_sent', NULL, NULL, NULL, 0
      FROM refunds r CROSS JOIN decisions x ON x.id = r.decision_id WHERE r.credit_id = c.id
      UNION ALL
      SELECT x.turn, x.at, x.run_id, p.id, p.amount, 'paid_elsewhere', NULL, NULL, p.received_on, 0
      FROM external_payments p CROSS JOIN decisions x ON x.id = p.decision_id WHERE p.credit_id = c.id
      UNION ALL
      SELECT x.turn, x.at, x.run_id, p.id, p.amount, 'payment_revoked', NULL, NULL, NULL, 0
      FROM external_payments p CROSS JOIN external_payment_revocations v ON v.payment_id = p.id
      CROSS JOIN decisions x ON x.id = v.decision_id WHERE p.credit_id = c.id
      UNION ALL
      SELECT x.turn, x.at, x.run_id, c.id, 0, 'written_off', NULL, NULL, NULL, 0
      FROM write_offs o CROSS JOIN decisions x ON x.id = o.decision_id WHERE o.credit_id = c.id
      ORDER BY 1, 6, 10, 4) AS m)))
FROM json_each(?1) AS wanted CROSS JOIN credits c ON c.id = wanted.value";
