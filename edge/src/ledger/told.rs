//! What figures follow from, of the credits that changed: facts, each with the decision that made it. So they tell how a credit
//! stood before any turn, and what a run did to it.

use std::collections::BTreeMap;

use paydown::api::{Amounts, Counts};
use paydown::credit::{Because, DebitFacts, ExternalPayment, Facts, Hold, Reason, RefundFacts};
use paydown::date::Instant;
use paydown::id::{CreditId, ExceptionId};
use paydown::observation::{Outcome, Word};
use paydown::plan::Terms;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::figures::{Changed, Span};
use super::{rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// What figures follow from of one credit, each with the decision that made it.
#[derive(Deserialize)]
pub struct Told {
    id: CreditId,
    account_id: String,
    currency: String,
    terms: Terms,
    created_at: Instant,
    /// The first turn that is not counted.
    pub(super) from: i64,
    /// The first turn that is not to be counted, if there is one.
    pub(super) to: Option<i64>,
    /// The decisions that are not counted yet, with their turns, and whether they are the run's that counts.
    turns: BTreeMap<Uuid, (i64, bool)>,
    debits: Vec<ToldDebit>,
    words: Vec<(Uuid, Word)>,
    timeouts: Vec<(Uuid, Uuid)>,
    /// The exception that holds, and the decision that released it.
    holds: Vec<(Uuid, ExceptionId, Option<Uuid>)>,
    write_off: Option<Uuid>,
    /// The payment, and the decision that revoked it.
    external_payments: Vec<(Uuid, ExternalPayment, Option<Uuid>)>,
    refunds: Vec<(Uuid, RefundFacts)>,
}

/// A debit with what became of it.
#[derive(Deserialize)]
struct ToldDebit {
    decision_id: Uuid,
    debit: DebitFacts,
    processed: Option<(Uuid, Instant)>,
    cancelled: Option<(Uuid, Because)>,
}

impl Told {
    /// The credit as it stood before a turn, or as it stands. What was said and not decided yet makes no figures.
    pub(super) fn before(&self, turn: Option<i64>) -> Facts {
        let is_in = |decision: &Uuid| {
            let taken = self.turns.get(decision);
            taken.is_none_or(|(taken, _)| turn.is_none_or(|turn| *taken < turn))
        };
        let debit = |told: &ToldDebit| DebitFacts {
            submitted_at: told.processed.filter(|(decision, _)| is_in(decision)).map(|(_, at)| at),
            cancelled_because: told.cancelled.filter(|(decision, _)| is_in(decision)).map(|(_, why)| why),
            ..told.debit.clone()
        };
        let hold = |(_, exception_id, released): &(Uuid, ExceptionId, Option<Uuid>)| Hold {
            exception_id: *exception_id,
            released: released.as_ref().is_some_and(is_in),
        };
        let payment = |(_, payment, revoked): &(Uuid, ExternalPayment, Option<Uuid>)| ExternalPayment {
            revoked: revoked.as_ref().is_some_and(is_in),
            ..payment.clone()
        };
        Facts {
            id: self.id,
            account_id: self.account_id.clone(),
            currency: self.currency.clone(),
            terms: self.terms,
            created_at: self.created_at,
            turn: 0,
            transaction_id: None,
            debits: self.debits.iter().filter(|told| is_in(&told.decision_id)).map(debit).collect(),
            observations: vec![],
            words: self.words.iter().filter(|word| is_in(&word.0)).map(|word| word.1.clone()).collect(),
            timeouts: self
                .timeouts
                .iter()
                .filter(|timeout| is_in(&timeout.0))
                .map(|timeout| timeout.1)
                .collect(),
            unknown_answers: vec![],
            holds: self.holds.iter().filter(|hold| is_in(&hold.0)).map(hold).collect(),
            exceptions: vec![],
            written_off: self.write_off.as_ref().is_some_and(is_in),
            external_payments: self
                .external_payments
                .iter()
                .filter(|told| is_in(&told.0))
                .map(payment)
                .collect(),
            refunds: self.refunds.iter().filter(|told| is_in(&told.0)).map(|told| told.1.clone()).collect(),
        }
    }

    /// Adds what the run that counts did to the credit.
    pub fn add_to(&self, did: &mut Did) {
        let is_own = |decision: &Uuid| self.turns.get(decision).is_some_and(|(_, is_own)| *is_own);
        let amount_of = |subject: Uuid| {
            let debit = self.debits.iter().find(|told| told.debit.id.0 == subject);
            debit.map(|told| i64::try_from(told.debit.amount.get()).unwrap_or(i64::MAX))
        };
        let (counts, amounts) = (&mut did.counts, &mut did.amounts);
        for (_, word) in self.words.iter().filter(|(decision, _)| is_own(decision)) {
            let is_success = word.outcome.is_success();
            if word.subject == self.id.0 {
                count(&mut counts.confirmed, is_success);
            } else if let Some(amount) = amount_of(word.subject) {
                let (number, sum) = match word.outcome {
                    Outcome::Success | Outcome::Recovered => (&mut counts.collected, &mut amounts.collected),
                    Outcome::Failure => (&mut counts.failed, &mut amounts.failed),
                    Outcome::Returned => (&mut counts.returned, &mut amounts.returned),
                };
                add(number, sum, amount);
            }
        }
        for amount in self.timeouts.iter().filter(|(of, _)| is_own(of)).filter_map(|(_, of)| amount_of(*of)) {
            add(&mut counts.timed_out, &mut amounts.timed_out, amount);
        }
        for told in &self.debits {
            let is_made = is_own(&told.decision_id);
            count(&mut counts.planned_credits, is_made && told.debit.sequence == 1);
            count(&mut counts.replaced, is_made && is_instead(told.debit.reason));
            count(&mut counts.cancelled, told.cancelled.is_some_and(|(decision, _)| is_own(&decision)));
            if told.processed.is_some_and(|(decision, _)| is_own(&decision)) {
                add(&mut counts.issued, &mut amounts.issued, amount_of(told.debit.id.0).unwrap_or(0));
            }
        }
    }
}

/// Whether a debit stands in for one of which nothing came.
fn is_instead(reason: Reason) -> bool {
    matches!(reason, Reason::Failed | Reason::TimedOut | Reason::Returned)
}

fn count(number: &mut u64, is_one: bool) {
    *number = number.saturating_add(u64::from(is_one));
}

fn add(number: &mut u64, sum: &mut i64, amount: i64) {
    count(number, true);
    *sum = sum.saturating_add(amount);
}

/// What a run did, in numbers and in minor units, as far as it follows from its decisions.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Did {
    #[serde(flatten)]
    counts: Counts,
    amounts: Amounts,
}

/// The facts that the figures of credits that changed follow from.
pub(super) async fn told(
    database: &dyn Database,
    span: &Span,
    changed: &[Changed],
) -> Result<Vec<Told>, Fault> {
    let wanted = json!({ "changed": changed, "up_to": span.up_to, "run_id": span.run_id });
    rows(database, statement(TOLD, &wanted)?).await
}

/// The facts that figures follow from, each with its decision; the turns of the decisions from the first that is not counted
/// on; and the first turn after the last decision to count, if one has landed. Debits and words are arrays, in the order of their fields
/// in core.
const TOLD: &str = "
SELECT json_object(
  'id', c.id, 'account_id', c.account_id, 'currency', c.currency,
  'terms', json_object('amount', c.amount, 'fee', c.fee, 'installments', c.installments, 'interval_days', c.interval_days),
  'created_at', c.created_at, 'from', wanted.value ->> '$.from',
  'to', iif(?1 ->> '$.up_to' IS NULL, NULL, (
    SELECT min(turn) FROM decided_between_runs later
    WHERE later.number > ?1 ->> '$.up_to' AND later.credit_id = c.id)),
  'turns', json((
    SELECT json_group_object(id, json_array(turn, json(iif(run_id IS ?1 ->> '$.run_id', 'true', 'false'))))
    FROM decisions WHERE credit_id = c.id AND turn >= wanted.value ->> '$.from')),
  'debits', json('[' || coalesce((
    SELECT group_concat('[\"' || d.decision_id || '\",[\"' || d.id || '\",' || d.sequence || ',' || d.amount || ',\"' || d.due_date
      || '\",null,\"' || d.reason || '\",' || coalesce(d.replaces, 'null') || ',null,null,null],'
      || coalesce('[\"' || p.decision_id || '\",\"' || p.at || '\"]', 'null') || ','
      || coalesce('[\"' || x.decision_id || '\",\"' || x.because || '\"]', 'null') || ']')
    FROM (SELECT * FROM debits WHERE credit_id = c.id ORDER BY sequence) AS d
    LEFT JOIN processed_debits p ON p.debit_id = d.id
    LEFT JOIN cancellations x ON x.debit_id = d.id), '') || ']'),
  'words', json((
    SELECT json_group_array(json_array(decision_id, json_array(subject_id, outcome, code, at)))
    FROM (SELECT * FROM words WHERE credit_id = c.id ORDER BY turn))),
  'timeouts', json((
    SELECT json_group_array(json_array(decision_id, subject_id)) FROM timeouts WHERE credit_id = c.id)),
  'holds', json((
    SELECT json_group_array(json_array(h.decision_id, h.exception_id, r.decision_id))
    FROM holds h LEFT JOIN releases r ON r.credit_id = h.credit_id AND r.exception_id = h.exception_id
    WHERE h.credit_id = c.id)),
  'write_off', (SELECT decision_id FROM write_offs WHERE credit_id = c.id),
  'external_payments', json((
    SELECT json_group_array(json_array(e.decision_id,
      json_object('id', e.id, 'amount', e.amount, 'received_on', e.received_on, 'revoked', json('false')), v.decision_id))
    FROM external_payments e LEFT JOIN external_payment_revocations v ON v.payment_id = e.id
    WHERE e.credit_id = c.id)),
  'refunds', json((
    SELECT json_group_array(json_array(decision_id,
      json_object('id', id, 'amount', amount, 'submitted_at', at, 'transaction_id', NULL)))
    FROM refunds WHERE credit_id = c.id)))
FROM json_each(?1, '$.changed') AS wanted CROSS JOIN credits c ON c.id = wanted.value ->> '$.credit_id'";
