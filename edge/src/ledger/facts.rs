//! All facts of a set of credits, in the shape that core's `decide` takes in.

use paydown::credit::Facts;
use paydown::id::CreditId;

use super::{rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// One row for each credit that is wanted by the JSON array `?1`: its facts as a JSON text. The joins are in the order in which
/// they are to be made: left to itself, the database may begin with the observations of all credits. Debits, observations and words are
/// most of the text, so they are written as arrays, in the order of their fields in core; of a debit's texts none needs quoting but the
/// transaction's name.
macro_rules! facts {
    ($wanted:literal) => {
        concat!(
            "
SELECT json_object(
  'id', c.id,
  'account_id', c.account_id,
  'currency', c.currency,
  'terms', json_object('amount', c.amount, 'fee', c.fee, 'installments', c.installments, 'interval_days', c.interval_days),
  'created_at', c.created_at,
  'turn', coalesce((SELECT max(turn) + 1 FROM decisions WHERE credit_id = c.id), 0),
  'transaction_id', (SELECT transaction_id FROM credit_transactions WHERE credit_id = c.id),
  'debits', json('[' || coalesce((
    SELECT group_concat('[\"' || d.id || '\",' || d.sequence || ',' || d.amount || ',\"' || d.due_date || '\",'
      || coalesce('\"' || d.unrolled_due_date || '\"', 'null') || ',\"' || d.reason || '\",' || coalesce(d.replaces, 'null') || ','
      || coalesce('\"' || p.at || '\"', 'null') || ',' || iif(t.debit_id IS NULL, 'null', json_quote(t.transaction_id)) || ','
      || coalesce('\"' || x.because || '\"', 'null') || ']')
    FROM (SELECT * FROM debits WHERE credit_id = c.id ORDER BY sequence) AS d
    LEFT JOIN processed_debits p ON p.debit_id = d.id
    LEFT JOIN debit_transactions t ON t.debit_id = p.debit_id
    LEFT JOIN cancellations x ON x.debit_id = d.id), '') || ']'),
  'observations', json((
    SELECT json_group_array(json_array(subject, source, status, nullif(code, ''), at))
    FROM (
      SELECT named.id AS subject, o.source, o.status, o.code, o.at
      FROM (
        SELECT credit_id AS id, transaction_id FROM credit_transactions WHERE credit_id = c.id
        UNION ALL
        SELECT d.id, t.transaction_id FROM debits d CROSS JOIN debit_transactions t ON t.debit_id = d.id
        WHERE d.credit_id = c.id
        UNION ALL
        SELECT r.id, t.transaction_id FROM refunds r CROSS JOIN refund_transactions t ON t.refund_id = r.id
        WHERE r.credit_id = c.id) AS named
      CROSS JOIN observations o ON o.transaction_id = named.transaction_id AND o.subject_id = ''
      UNION ALL
      SELECT o.subject_id, o.source, o.status, o.code, o.at
      FROM (
        SELECT c.id AS id
        UNION ALL
        SELECT id FROM debits WHERE credit_id = c.id
        UNION ALL
        SELECT id FROM refunds WHERE credit_id = c.id) AS own
      CROSS JOIN observations o ON o.subject_id = own.id))),
  'words', json((
    SELECT json_group_array(json_array(subject_id, outcome, code, at))
    FROM (SELECT * FROM words WHERE credit_id = c.id ORDER BY turn))),
  'timeouts', json((SELECT json_group_array(subject_id) FROM timeouts WHERE credit_id = c.id)),
  'unknown_answers', json((
    SELECT json_group_array(json_object('subject', u.subject_id, 'at', u.at))
    FROM (
      SELECT id FROM debits WHERE credit_id = c.id
      UNION ALL
      SELECT id FROM refunds WHERE credit_id = c.id
      UNION ALL
      SELECT c.id) AS s
    CROSS JOIN unknown_answers u ON u.subject_id = s.id)),
  'holds', json((
    SELECT json_group_array(json_object('exception_id', h.exception_id,
      'released', json(iif(r.exception_id IS NULL, 'false', 'true'))))
    FROM holds h LEFT JOIN releases r ON r.credit_id = h.credit_id AND r.exception_id = h.exception_id
    WHERE h.credit_id = c.id)),
  'exceptions', json((
    SELECT json_group_array(json_object('id', e.id, 'kind', e.kind,
      'subject', iif(e.kind = 'two_strikes', c.id, e.subject),
      'open', json(iif(s.exception_id IS NULL, 'true', 'false')),
      'closed_by_operator', json(iif(s.action = 'close', 'true', 'false'))))
    FROM exceptions e LEFT JOIN resolutions s ON s.exception_id = e.id
    WHERE e.credit_id = c.id AND e.kind <> 'unknown_transaction')),
  'written_off', json(iif(EXISTS (SELECT 1 FROM write_offs WHERE credit_id = c.id), 'true', 'false')),
  'external_payments', json((
    SELECT json_group_array(json_object('id', p.id, 'amount', p.amount, 'received_on', p.received_on,
      'revoked', json(iif(EXISTS (
        SELECT 1 FROM external_payment_revocations WHERE payment_id = p.id), 'true', 'false')),
      'shortened', json((
        SELECT json_group_array(sequence) FROM (
          SELECT d.sequence FROM debits d CROSS JOIN cancellations x ON x.debit_id = d.id
          WHERE d.credit_id = c.id AND x.decision_id = p.decision_id AND x.because = 'shortened'
          ORDER BY d.sequence)))))
    FROM external_payments p WHERE p.credit_id = c.id)),
  'refunds', json((
    SELECT json_group_array(json_object('id', r.id, 'amount', r.amount, 'submitted_at', r.at,
      'transaction_id', (SELECT transaction_id FROM refund_transactions WHERE refund_id = r.id)))
    FROM (SELECT * FROM refunds WHERE credit_id = c.id ORDER BY at, id) AS r)))
FROM json_each(?1) AS wanted CROSS JOIN credits c ON ",
            $wanted
        )
    };
}

const FACTS: &str = facts!("c.id = wanted.value");
const FACTS_OF_ACCOUNTS: &str = facts!("c.account_id = wanted.value");

/// The statement that reads the facts of all credits of the accounts, a row for each.
pub(crate) fn facts_of_accounts(accounts: &[&str]) -> Result<Statement, Fault> {
    statement(FACTS_OF_ACCOUNTS, &accounts)
}

/// The statement that reads the facts of `ids`, a row for each.
pub(crate) fn facts_of(ids: &[CreditId]) -> Result<Statement, Fault> {
    statement(FACTS, &ids)
}

/// The facts of the credits among `ids` that exist, in the order of `ids`.
pub async fn facts(database: &dyn Database, ids: &[CreditId]) -> Result<Vec<Facts>, Fault> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    rows(database, facts_of(ids)?).await
}
