//! What the bank remembers, in D1: every SQL statement of the simulator. A statement takes one JSON text and gives
//! rows of one JSON text, because numbers bound one by one would arrive as floats.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::D1Database;

use crate::instant;
use crate::report::Row;
use crate::request::{Instruction, Outcome};
use crate::story::{Direction, Event};

/// The books of the bank.
#[derive(Debug)]
pub struct Books(D1Database);

/// What the bank wrote down under a key, and which call this is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Entry {
    /// The same for the same key.
    pub transaction_id: String,
    /// The body of the first call.
    pub body: String,
    /// Which transaction of the account and direction it is, from 1.
    pub number: u64,
    /// When the bank first heard of it, by its clock.
    pub created_at: DateTime<Utc>,
    /// Which call under the key this is, from 1.
    pub attempt: u64,
    /// Its story is in the books already.
    pub told: bool,
}

/// What to list: all transactions, or those that match.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    key: Option<String>,
    reference: Option<String>,
    account: Option<String>,
    transaction_id: Option<String>,
    direction: Option<Direction>,
    #[serde(default)]
    after: u64,
}

impl Filter {
    /// The one transaction.
    pub fn of_transaction(transaction_id: &str) -> Self {
        Self { transaction_id: Some(transaction_id.to_owned()), ..Self::default() }
    }
}

/// A list ends here, and goes on after its last row's `sequence`.
const LIST_ROWS: usize = 5_000;

/// A report goes through memory by so many rows.
pub const PAGE_ROWS: usize = 5_000;

const READ_CLOCK: &str = "SELECT now AS row FROM bank_time WHERE ?1 IS NOT NULL";

const SET_CLOCK: &str = "INSERT INTO clock (now) SELECT ?1 ->> '$.now'";

const RECORD: &str = "
INSERT INTO transactions
    (key, transaction_id, body, account, direction, number, amount, reference, moved, created_at)
SELECT ?1 ->> '$.key', ?1 ->> '$.transaction_id', ?1 ->> '$.body', ?1 ->> '$.account', ?1 ->> '$.direction',
    1 + (SELECT count(*) FROM transactions
         WHERE account = ?1 ->> '$.account' AND direction = ?1 ->> '$.direction'),
    ?1 ->> '$.amount', ?1 ->> '$.reference', ?1 ->> '$.moved', now
FROM bank_time
WHERE true
ON CONFLICT (key) DO NOTHING";

const RECORD_ATTEMPT: &str = "
INSERT INTO attempts (key, number, at)
SELECT ?1 ->> '$.key', 1 + (SELECT count(*) FROM attempts WHERE key = ?1 ->> '$.key'), now
FROM bank_time";

const READ_ENTRY: &str = "
SELECT json_object('transaction_id', transaction_id, 'body', body, 'number', number, 'created_at', created_at,
    'attempt', (SELECT count(*) FROM attempts WHERE key = t.key),
    'told', json(iif(EXISTS (SELECT 1 FROM events WHERE transaction_id = t.transaction_id AND by_hand = 0),
        'true', 'false'))) AS row
FROM transactions t
WHERE key = ?1 ->> '$.key'";

const RECORD_STORY: &str = "
INSERT INTO events (transaction_id, by_hand, number, status, code, at, appears_at)
SELECT ?1 ->> '$.transaction_id', 0, event.key + 1, event.value ->> '$.status', event.value ->> '$.code',
    event.value ->> '$.at', event.value ->> '$.at'
FROM json_each(?1, '$.events') AS event
WHERE true
ON CONFLICT DO NOTHING";

const RECORD_OUTCOME: &str = "
INSERT INTO events (transaction_id, by_hand, number, status, code, at, appears_at)
SELECT t.transaction_id, 1,
    1 + (SELECT count(*) FROM events WHERE transaction_id = t.transaction_id AND by_hand = 1),
    ?1 ->> '$.status', ?1 ->> '$.code', coalesce(?1 ->> '$.at', now), max(coalesce(?1 ->> '$.at', now), now)
FROM transactions t, bank_time
WHERE t.transaction_id = ?1 ->> '$.transaction_id' AND t.moved = 1";

const READ_PAGE: &str = "
SELECT json_group_array(json(row)) AS row FROM (
    SELECT json_object('transaction_id', e.transaction_id, 'status', e.status, 'code', e.code, 'at', e.at,
        'appears_at', e.appears_at, 'number', e.number, 'account', t.account) AS row
    FROM events e JOIN transactions t ON t.transaction_id = e.transaction_id
    WHERE (e.appears_at, e.transaction_id, e.number)
            > (?1 ->> '$.appears_at', ?1 ->> '$.transaction_id', ?1 ->> '$.number')
        AND e.appears_at <= ?1 ->> '$.until'
        AND (e.by_hand = 1 OR NOT EXISTS
            (SELECT 1 FROM events h WHERE h.transaction_id = e.transaction_id AND h.by_hand = 1))
    ORDER BY e.appears_at, e.transaction_id, e.number
    LIMIT ?1 ->> '$.limit')";

const LIST: &str = "
SELECT json_group_array(json(row)) AS row FROM (
    SELECT json_object('sequence', sequence, 'key', key, 'transaction_id', transaction_id, 'account', account,
        'direction', direction, 'number', number, 'amount', amount, 'reference', reference,
        'moved', json(iif(moved = 1, 'true', 'false')), 'created_at', created_at,
        'attempts', (SELECT count(*) FROM attempts WHERE key = t.key),
        'events', json((SELECT json_group_array(json_object('status', status, 'code', code, 'at', at,
                'by_hand', json(iif(by_hand = 1, 'true', 'false'))))
            FROM (SELECT * FROM events e WHERE e.transaction_id = t.transaction_id
                AND e.by_hand = (SELECT max(by_hand) FROM events WHERE transaction_id = t.transaction_id)
                ORDER BY number)))) AS row
    FROM transactions t
    WHERE sequence > ?1 ->> '$.after'
        AND (?1 ->> '$.key' IS NULL OR key = ?1 ->> '$.key')
        AND (?1 ->> '$.reference' IS NULL OR reference = ?1 ->> '$.reference')
        AND (?1 ->> '$.account' IS NULL OR account = ?1 ->> '$.account')
        AND (?1 ->> '$.transaction_id' IS NULL OR transaction_id = ?1 ->> '$.transaction_id')
        AND (?1 ->> '$.direction' IS NULL OR direction = ?1 ->> '$.direction')
    ORDER BY sequence
    LIMIT ?1 ->> '$.limit')";

const TOTALS: &str = "
SELECT json_object('now', (SELECT now FROM bank_time),
    'credit', json_object('moved', coalesce(sum(moved = 1 AND direction = 'credit'), 0),
        'amount', coalesce(sum(iif(moved = 1 AND direction = 'credit', amount, 0)), 0),
        'refused', coalesce(sum(moved = 0 AND direction = 'credit'), 0)),
    'debit', json_object('moved', coalesce(sum(moved = 1 AND direction = 'debit'), 0),
        'amount', coalesce(sum(iif(moved = 1 AND direction = 'debit', amount, 0)), 0),
        'refused', coalesce(sum(moved = 0 AND direction = 'debit'), 0)),
    'attempts', (SELECT count(*) FROM attempts)) AS row
FROM transactions
WHERE ?1 ->> '$.account' IS NULL OR account = ?1 ->> '$.account'";

impl Books {
    /// Opens the books.
    pub fn new(database: D1Database) -> Self {
        Self(database)
    }

    /// The bank's time.
    pub async fn now(&self) -> worker::Result<DateTime<Utc>> {
        let now = self.one(vec![Statement::new(READ_CLOCK, &json!({}))]).await?;
        instant::parse(&now).ok_or_else(|| unreadable(&now))
    }

    /// Sets the bank's time. It stands still until it is set again.
    pub async fn set_clock(&self, now: DateTime<Utc>) -> worker::Result<()> {
        self.batch(vec![Statement::new(SET_CLOCK, &json!({"now": instant::text(now)}))]).await?;
        Ok(())
    }

    /// Writes the call down, and the transaction if the key is new; tells what the key stands for. In one batch, so
    /// that of any number of parallel calls one makes the transaction and one is the first.
    pub async fn record(&self, call: &Call<'_>) -> worker::Result<Entry> {
        parsed(&self.one(record(call)).await?)
    }

    /// Writes a transaction's story down. Doing it twice is doing it once.
    pub async fn record_story(&self, transaction_id: &str, events: &[Event]) -> worker::Result<()> {
        self.batch(vec![record_story(transaction_id, events)]).await?;
        Ok(())
    }

    /// Sets an outcome by hand, in the place of the story and beside those set by hand before.
    pub async fn record_outcome(&self, transaction_id: &str, outcome: &Outcome) -> worker::Result<()> {
        self.batch(vec![record_outcome(transaction_id, outcome)]).await?;
        Ok(())
    }

    /// The report's next rows, in the order in which they appeared.
    pub async fn page(&self, place: &Place) -> worker::Result<Vec<Row>> {
        parsed(&self.one(vec![Statement::new(READ_PAGE, &json!(place))]).await?)
    }

    /// The transactions that match, in order of creation, with `next_after` when there may be more.
    pub async fn list(&self, filter: &Filter) -> worker::Result<Value> {
        let transactions: Vec<Value> = parsed(&self.one(vec![list(filter)]).await?)?;
        let last = transactions.last().filter(|_| transactions.len() == LIST_ROWS);
        let next_after = last.and_then(|transaction| transaction.get("sequence").cloned());
        Ok(json!({"data": transactions, "next_after": next_after}))
    }

    /// How much moved in each direction.
    pub async fn totals(&self, account: Option<&str>) -> worker::Result<Value> {
        parsed(&self.one(vec![Statement::new(TOTALS, &json!({"account": account}))]).await?)
    }

    /// The last row of the batch.
    async fn one(&self, statements: Vec<Statement>) -> worker::Result<String> {
        self.batch(statements).await?.ok_or_else(|| unreadable("nothing"))
    }

    /// Runs the statements as one transaction and gives the last one's row.
    async fn batch(&self, statements: Vec<Statement>) -> worker::Result<Option<String>> {
        #[derive(Deserialize)]
        struct Line {
            row: String,
        }
        let mut prepared = Vec::with_capacity(statements.len());
        for Statement { sql, parameter } in statements {
            prepared.push(self.0.prepare(sql).bind(&[parameter.into()])?);
        }
        let results = self.0.batch(prepared).await?;
        let Some(last) = results.last() else { return Ok(None) };
        Ok(last.results::<Line>()?.pop().map(|line| line.row))
    }
}

/// A call of `POST /transactions` with all that is known before the books are asked.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its Idempotency-Key.
    pub key: &'a str,
    /// The id that the transaction has, or gets.
    pub transaction_id: &'a str,
    /// Its body, read.
    pub instruction: &'a Instruction,
    /// Its body as it came.
    pub body: &'a str,
    /// Whether it moves money, or is refused.
    pub moved: bool,
}

/// Where in the report to go on: after the row with these three, up to `until`, for `limit` rows.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    appears_at: String,
    transaction_id: String,
    number: u64,
    until: String,
    limit: usize,
}

impl Place {
    /// The report of everything that appeared from one instant until another, ends included.
    pub fn start(from: DateTime<Utc>, until: DateTime<Utc>) -> Self {
        Self {
            appears_at: instant::text(from),
            transaction_id: String::new(),
            number: 0,
            until: instant::text(until),
            limit: PAGE_ROWS,
        }
    }

    /// The place behind the rows, or none when they were the last.
    pub fn behind(self, rows: &[Row]) -> Option<Self> {
        let last = rows.last().filter(|_| rows.len() >= self.limit)?;
        Some(Self {
            appears_at: last.appears_at.clone(),
            transaction_id: last.transaction_id.clone(),
            number: last.number,
            ..self
        })
    }
}

/// A statement with its one parameter.
struct Statement {
    sql: &'static str,
    parameter: String,
}

impl Statement {
    fn new(sql: &'static str, parameter: &Value) -> Self {
        Self { sql, parameter: parameter.to_string() }
    }
}

fn record(call: &Call<'_>) -> Vec<Statement> {
    let parameter = json!({
        "key": call.key,
        "transaction_id": call.transaction_id,
        "body": call.body,
        "account": call.instruction.account(),
        "direction": call.instruction.direction,
        "amount": call.instruction.amount,
        "reference": call.instruction.reference,
        "moved": i32::from(call.moved),
    });
    [RECORD, RECORD_ATTEMPT, READ_ENTRY].map(|sql| Statement::new(sql, &parameter)).into()
}

fn record_story(transaction_id: &str, events: &[Event]) -> Statement {
    Statement::new(RECORD_STORY, &json!({"transaction_id": transaction_id, "events": events}))
}

fn record_outcome(transaction_id: &str, outcome: &Outcome) -> Statement {
    let parameter = json!({
        "transaction_id": transaction_id,
        "status": outcome.status,
        "code": outcome.code,
        "at": outcome.at.map(instant::text),
    });
    Statement::new(RECORD_OUTCOME, &parameter)
}

fn list(filter: &Filter) -> Statement {
    let mut parameter = json!(filter);
    if let Some(fields) = parameter.as_object_mut() {
        fields.insert("limit".to_owned(), json!(LIST_ROWS));
    }
    Statement::new(LIST, &parameter)
}

fn parsed<T: DeserializeOwned>(text: &str) -> worker::Result<T> {
    serde_json::from_str(text).map_err(|_| unreadable(text))
}

fn unreadable(text: &str) -> worker::Error {
    worker::Error::RustError(format!("the books gave {text:.200}"))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::story::{Status, Teller, story};

    /// The same statements over SQLite.
    struct Ledger(Connection);

    impl Ledger {
        fn open() -> Self {
            let connection = Connection::open_in_memory().expect("memory");
            connection.execute_batch(include_str!("../migrations/0001_books.sql")).expect("migration");
            let ledger = Self(connection);
            ledger.set_clock("2026-01-05T06:00:00Z");
            ledger
        }

        fn batch(&self, statements: Vec<Statement>) -> Option<String> {
            let mut last = None;
            for Statement { sql, parameter } in statements {
                let mut prepared = self.0.prepare(sql).expect("statement");
                let mut rows = prepared.query([parameter]).expect("query");
                last = rows.next().expect("row").map(|row| row.get("row").expect("text"));
            }
            last
        }

        fn set_clock(&self, now: &str) {
            let now = instant::parse(now).map(instant::text);
            self.batch(vec![Statement::new(SET_CLOCK, &json!({"now": now}))]);
        }

        fn now(&self) -> DateTime<Utc> {
            let now = self.batch(vec![Statement::new(READ_CLOCK, &json!({}))]).expect("now");
            instant::parse(&now).expect("instant")
        }

        fn record(&self, key: &str, account: &str) -> Entry {
            self.record_moved(key, account, true)
        }

        fn record_moved(&self, key: &str, account: &str, moved: bool) -> Entry {
            let body = format!(
                r#"{{"src_bank_account":"{account}","dst_bank_account":"funding","amount":9007199254740993,"direction":"debit","reference":"{key}"}}"#
            );
            let (instruction, body) = crate::request::instruction(body.as_bytes()).expect("good");
            let transaction_id = format!("txn_{key}");
            let call = Call { key, transaction_id: &transaction_id, instruction: &instruction, body, moved };
            let entry: Entry =
                serde_json::from_str(&self.batch(record(&call)).expect("entry")).expect("entry");
            let teller = Teller {
                account,
                direction: Direction::Debit,
                number: entry.number,
                created_at: entry.created_at,
                seed: "1",
            };
            self.batch(vec![record_story(&entry.transaction_id, &story(teller))]);
            entry
        }

        fn set_outcome(&self, transaction_id: &str, status: Status, code: &str, at: Option<&str>) {
            let at = at.and_then(instant::parse);
            let outcome = Outcome { status, code: code.to_owned(), at };
            self.batch(vec![record_outcome(transaction_id, &outcome)]);
        }

        /// The transactions and codes of the whole report, read by pages of so many rows.
        fn report(&self, limit: usize) -> Vec<String> {
            let now = self.now();
            let from = now - chrono::TimeDelta::days(crate::report::WINDOW_DAYS);
            let mut place = Some(Place { limit, ..Place::start(from, now) });
            let mut report = Vec::new();
            while let Some(here) = place {
                let page = self.batch(vec![Statement::new(READ_PAGE, &json!(here))]).expect("page");
                let rows: Vec<Row> = serde_json::from_str(&page).expect("rows");
                report.extend(
                    rows.iter().map(|row| format!("{} {}{}", row.transaction_id, row.status, row.code)),
                );
                place = here.behind(&rows);
            }
            report
        }

        fn list(&self, filter: Filter) -> Vec<Value> {
            serde_json::from_str(&self.batch(vec![list(&filter)]).expect("list")).expect("list")
        }

        fn totals(&self, account: Option<&str>) -> Value {
            let totals = self.batch(vec![Statement::new(TOTALS, &json!({"account": account}))]);
            serde_json::from_str(&totals.expect("totals")).expect("totals")
        }
    }

    #[test]
    fn one_key_is_one_transaction_however_often_it_is_sent() {
        let ledger = Ledger::open();
        let first = ledger.record("d1", "acct_ok");
        assert_eq!((first.number, first.attempt, first.told), (1, 1, false));
        let second = ledger.record("d1", "acct_ok");
        assert_eq!(second, Entry { attempt: 2, told: true, ..first.clone() });
        // The first body stays, so another one is seen to differ.
        let other = ledger.record("d1", "acct_other");
        assert_eq!((other.body, other.attempt), (first.body, 3));

        let totals = ledger.totals(None);
        assert_eq!(totals["debit"], json!({"moved": 1, "amount": 9_007_199_254_740_993_i64, "refused": 0}));
        assert_eq!(totals["attempts"], json!(3));
        assert_eq!(ledger.totals(Some("nobody"))["debit"]["moved"], json!(0));
    }

    #[test]
    fn debits_are_counted_by_account_in_order_of_creation() {
        let ledger = Ledger::open();
        let number = |key: &str, account: &str| ledger.record(key, account).number;
        assert_eq!([number("a", "x"), number("b", "x"), number("c", "y"), number("b", "x")], [1, 2, 1, 2]);
    }

    #[test]
    fn a_report_has_the_changes_of_the_last_five_days_up_to_the_clock() {
        let ledger = Ledger::open();
        ledger.record("a", "acct_return3");
        ledger.record("b", "acct_silent");
        ledger.record("c", "acct_late7");
        assert!(ledger.report(10).is_empty());
        let a_success = "txn_a success".to_owned();
        let a_failure = "txn_a failureR10".to_owned();
        ledger.set_clock("2026-01-06T06:00:00Z");
        assert_eq!(ledger.report(10), std::slice::from_ref(&a_success));
        ledger.set_clock("2026-01-09T06:00:00Z");
        assert_eq!(ledger.report(10), [a_success, a_failure.clone()]);
        ledger.set_clock("2026-01-12T06:00:00Z");
        assert_eq!(ledger.report(10), [a_failure, "txn_c success".to_owned()]);
        ledger.set_clock("2026-02-12T06:00:00Z");
        assert!(ledger.report(10).is_empty());
    }

    #[test]
    fn pages_make_the_same_report_as_one_piece() {
        let ledger = Ledger::open();
        for number in 0..25 {
            ledger.record(&format!("k{number}"), "acct_return3");
        }
        ledger.set_clock("2026-01-09T06:00:00Z");
        let whole = ledger.report(1_000);
        assert_eq!(whole.len(), 50);
        assert_eq!(
            [ledger.report(1), ledger.report(7), ledger.report(50)],
            [whole.clone(), whole.clone(), whole]
        );
    }

    #[test]
    fn an_outcome_set_by_hand_replaces_the_story_and_joins_the_others_set_by_hand() {
        let ledger = Ledger::open();
        ledger.record("a", "acct_ok");
        ledger.set_clock("2026-01-20T06:00:00Z");
        // It lies before the window, and appears now.
        ledger.set_outcome("txn_a", Status::Success, "", Some("2026-01-06T06:00:00Z"));
        ledger.set_outcome("txn_a", Status::Failure, "R10", None);
        ledger.set_outcome("txn_a", Status::Failure, "R02", Some("2026-01-21T06:00:00Z"));
        ledger.set_outcome("txn_unknown", Status::Failure, "R02", None);
        let now = ["txn_a success", "txn_a failureR10"];
        assert_eq!(ledger.report(1), now);
        ledger.set_clock("2026-01-21T06:00:00Z");
        assert_eq!(ledger.report(10), [now[0], now[1], "txn_a failureR02"]);
        ledger.set_clock("2026-01-06T06:00:00Z");
        assert!(ledger.report(10).is_empty(), "the story is not told any more");
    }

    #[test]
    fn what_was_refused_moved_nothing_and_has_no_outcome() {
        let ledger = Ledger::open();
        ledger.record_moved("a", "acct_refuse", false);
        ledger.set_outcome("txn_a", Status::Success, "", None);
        assert!(ledger.report(10).is_empty());
        assert_eq!(ledger.totals(None)["debit"], json!({"moved": 0, "amount": 0, "refused": 1}));
    }

    #[test]
    fn lists_filter_and_tell_attempts_and_events() {
        let ledger = Ledger::open();
        ledger.record("a", "acct_ok");
        ledger.record("a", "acct_ok");
        ledger.record("b", "acct_silent");
        let keys = |filter: Filter| -> Vec<Value> {
            ledger.list(filter).iter().map(|transaction| transaction["key"].clone()).collect()
        };
        let all = Filter::default();
        assert_eq!(keys(all.clone()), ["a", "b"]);
        assert_eq!(keys(Filter { after: 1, ..all.clone() }), ["b"]);
        assert_eq!(keys(Filter { reference: Some("b".to_owned()), ..all.clone() }), ["b"]);
        assert_eq!(keys(Filter { account: Some("acct_ok".to_owned()), ..all.clone() }), ["a"]);
        assert_eq!(keys(Filter { transaction_id: Some("txn_a".to_owned()), ..all.clone() }), ["a"]);
        assert_eq!(keys(Filter { direction: Some(Direction::Credit), ..all.clone() }), [Value::Null; 0]);
        let first = &ledger.list(all)[0];
        assert_eq!((&first["attempts"], &first["moved"]), (&json!(2), &json!(true)));
        assert_eq!(first["events"][0]["status"], json!("success"));
    }

    #[test]
    fn before_the_clock_was_set_it_is_the_real_time_and_it_can_be_set_back() {
        let connection = Connection::open_in_memory().expect("memory");
        connection.execute_batch(include_str!("../migrations/0001_books.sql")).expect("migration");
        let ledger = Ledger(connection);
        assert!(ledger.now() > instant::parse("2026-01-01T00:00:00Z").expect("instant"));
        ledger.set_clock("2040-01-01T00:00:00Z");
        ledger.set_clock("1999-01-01T00:00:00Z");
        assert_eq!(instant::text(ledger.now()), "1999-01-01T00:00:00.000Z");
    }
}
