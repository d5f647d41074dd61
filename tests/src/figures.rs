//! The figures as they must be: of every credit of the book, of every exception, and of the last runs, counted anew.

use futures_executor::block_on;
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::figures::Figures;
use paydown_edge::ledger::facts::facts;
use paydown_edge::ledger::figures::{left_by_day, now};
use paydown_edge::ledger::listings::open_exceptions;
use paydown_edge::ledger::metrics;
use serde_json::Value;

use crate::sqlite::Sqlite;

/// How many days to each side are compared.
const DAYS: u32 = 400;

/// Says what differs between the figures that the product gives and those of the whole book; nothing when none does.
pub fn differences(sqlite: &Sqlite, zone: &Zone, at: Instant) -> Result<(), String> {
    let today = zone.business_date(at);
    let (from, to) = (today.minus_days(DAYS), today.plus_days(DAYS));
    let days: Vec<BusinessDate> = (0..=2 * DAYS).map(|n| from.plus_days(n)).collect();
    let given = block_on(now(sqlite, zone, &days)).map_err(|fault| fault.to_string())?;
    let book = of_book(sqlite, zone);
    let open = block_on(open_exceptions(sqlite)).map_err(|fault| fault.to_string())?;
    let left = block_on(left_by_day(sqlite, from, to)).map_err(|fault| fault.to_string())?;
    let mut kinds: Vec<_> = open.iter().map(|kind| (kind.oldest.id.to_string(), kind.open)).collect();
    kinds.sort();
    is_same("open exceptions and the oldest of each kind", &kinds, &oldest_by_kind(sqlite))?;
    let mut given_summary = given.summary(at, today, (from, to), open.clone(), &left);
    let mut summary = book.summary(at, today, (from, to), open, &left);
    for (given, day) in given_summary.days.drain(..).zip(summary.days.drain(..)) {
        is_same("a day", &given, &day)?;
    }
    is_same("summary", &given_summary, &summary)?;
    let since = paydown::date::days_before(at, 60);
    is_same("originated", &given.originated_since(since), &book.originated_since(since))?;
    let metrics = block_on(metrics::figures(sqlite, zone, since)).map_err(|fault| fault.to_string())?;
    is_same("open exceptions", &metrics.open_exceptions, &open_by_kind(sqlite))?;
    let runs = counted(sqlite, "SELECT json_array(status, count(*)) FROM run_closings GROUP BY status");
    is_same("runs", &metrics.runs, &runs)?;
    let dead_letters = sqlite.query("SELECT count(*) FROM dead_letters");
    is_same("dead letters", &vec![metrics.dead_letters.to_string()], &dead_letters)?;
    for row in sqlite.query(WHAT_RUNS_DID) {
        let (run, said, did): (String, Value, Value) = serde_json::from_str(&row).expect("what a run did");
        is_same(&format!("what the run {run} did"), &said, &did)?;
    }
    Ok(())
}

/// What the last runs say that they did, and what they decided.
const WHAT_RUNS_DID: &str = "
WITH last AS (
  SELECT r.id, c.counts FROM runs r JOIN run_closings c ON c.run_id = r.id
  WHERE c.status <> 'failed' ORDER BY r.as_of DESC LIMIT 2),
said AS (
  SELECT d.run_id, w.subject_id = w.credit_id AS own, w.outcome, b.amount
  FROM decisions d JOIN words w ON w.decision_id = d.id LEFT JOIN debits b ON b.id = w.subject_id
  WHERE w.subject_id NOT IN (SELECT id FROM refunds)),
silent AS (
  SELECT d.run_id, b.amount FROM decisions d JOIN timeouts t ON t.decision_id = d.id JOIN debits b ON b.id = t.subject_id),
issued AS (
  SELECT d.run_id, b.amount
  FROM decisions d JOIN processed_debits p ON p.decision_id = d.id JOIN debits b ON b.id = p.debit_id),
made AS (SELECT d.run_id, b.sequence, b.reason FROM decisions d JOIN debits b ON b.decision_id = d.id)
SELECT json_array(last.id, json(last.counts), json_object(
  'confirmed', (SELECT count(*) FROM said WHERE run_id = last.id AND own AND outcome IN ('success', 'recovered')),
  'planned_credits', (SELECT count(*) FROM made WHERE run_id = last.id AND sequence = 1),
  'collected', (SELECT count(*) FROM said WHERE run_id = last.id AND NOT own AND outcome IN ('success', 'recovered')),
  'failed', (SELECT count(*) FROM said WHERE run_id = last.id AND NOT own AND outcome = 'failure'),
  'timed_out', (SELECT count(*) FROM silent WHERE run_id = last.id),
  'returned', (SELECT count(*) FROM said WHERE run_id = last.id AND NOT own AND outcome = 'returned'),
  'replaced', (SELECT count(*) FROM made WHERE run_id = last.id AND reason IN ('failed', 'timed_out', 'returned')),
  'cancelled', (SELECT count(*) FROM cancellations x JOIN decisions d ON d.id = x.decision_id WHERE d.run_id = last.id),
  'issued', (SELECT count(*) FROM issued WHERE run_id = last.id),
  'unknown', (SELECT count(*) FROM carried_over WHERE run_id = last.id AND kind = 'unanswered'),
  'unknown_transactions', (
    SELECT count(*) FROM exceptions WHERE run_id = last.id AND kind = 'unknown_transaction'),
  'exceptions', (SELECT count(*) FROM exceptions WHERE run_id = last.id),
  'amounts', json_object(
    'collected', (SELECT coalesce(sum(amount), 0) FROM said
      WHERE run_id = last.id AND NOT own AND outcome IN ('success', 'recovered')),
    'failed', (SELECT coalesce(sum(amount), 0) FROM said WHERE run_id = last.id AND NOT own AND outcome = 'failure'),
    'timed_out', (SELECT coalesce(sum(amount), 0) FROM silent WHERE run_id = last.id),
    'returned', (SELECT coalesce(sum(amount), 0) FROM said WHERE run_id = last.id AND NOT own AND outcome = 'returned'),
    'issued', (SELECT coalesce(sum(amount), 0) FROM issued WHERE run_id = last.id))))
FROM last";

/// The figures of all credits.
fn of_book(sqlite: &Sqlite, zone: &Zone) -> Figures {
    let ids = sqlite.query("SELECT id FROM credits");
    let ids: Vec<_> = ids.iter().map(|id| id.parse().expect("the id of a credit")).collect();
    let mut figures = Figures::default();
    for facts in block_on(facts(sqlite, &ids)).expect("the facts can be read") {
        figures.plus(&Figures::of(&facts, |at| zone.business_date(at)));
    }
    figures
}

fn open_by_kind(sqlite: &Sqlite) -> Vec<(String, u64)> {
    counted(
        sqlite,
        "SELECT json_array(kind, count(*)) FROM exceptions
         WHERE id NOT IN (SELECT exception_id FROM resolutions) GROUP BY kind",
    )
}

fn oldest_by_kind(sqlite: &Sqlite) -> Vec<(String, u64)> {
    counted(
        sqlite,
        "WITH open AS (SELECT * FROM exceptions WHERE id NOT IN (SELECT exception_id FROM resolutions))
         SELECT json_array(o.id, (SELECT count(*) FROM open WHERE kind = o.kind)) FROM open o WHERE NOT EXISTS (
           SELECT 1 FROM open WHERE kind = o.kind AND (opened_at, id) < (o.opened_at, o.id))
         ORDER BY o.id",
    )
}

fn counted(sqlite: &Sqlite, sql: &str) -> Vec<(String, u64)> {
    sqlite.query(sql).iter().map(|row| serde_json::from_str(row).expect("a name and a number")).collect()
}

fn is_same<T: std::fmt::Debug + PartialEq>(what: &str, given: &T, book: &T) -> Result<(), String> {
    if given == book {
        return Ok(());
    }
    Err(format!("{what}: the figures say {given:?}, the book comes to {book:?}"))
}
