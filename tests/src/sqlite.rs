//! The ledger's database over SQLite in memory, with the very migrations and SQL text that D1 runs.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use paydown_edge::error::Fault;
use paydown_edge::ports::{Database, Statement};
use rusqlite::backup::Backup;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, StatementStatus};

/// The migrations, in order.
pub const MIGRATIONS: &[&str] = &[
    include_str!("../../edge/migrations/0001_ledger.sql"),
    include_str!("../../edge/migrations/0002_append_only.sql"),
    include_str!("../../edge/migrations/0003_operators.sql"),
    include_str!("../../edge/migrations/0004_intake.sql"),
    include_str!("../../edge/migrations/0005_payments.sql"),
    include_str!("../../edge/migrations/0006_refunds.sql"),
    include_str!("../../edge/migrations/0007_calendar.sql"),
    include_str!("../../edge/migrations/0008_inputs.sql"),
    include_str!("../../edge/migrations/0009_later_calls.sql"),
    include_str!("../../edge/migrations/0010_figures.sql"),
    include_str!("../../edge/migrations/0011_parts.sql"),
    include_str!("../../edge/migrations/0012_events.sql"),
    include_str!("../../edge/migrations/0013_webhooks.sql"),
    include_str!("../../edge/migrations/0014_key_uses.sql"),
];

/// What D1 allows of a statement, where SQLite alone would allow more (Cloudflare, D1 limits; the terms of a compound
/// SELECT as seen on workerd).
const LIMITS: [(Limit, i32); 4] = [
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
];

/// A connection that allows what D1 allows until this goes: a test's own SQL may be larger.
struct Limited<'a>(&'a Connection, Vec<(Limit, i32)>);

impl Limited<'_> {
    fn of(connection: &Connection) -> Limited<'_> {
        let set = |(limit, value)| {
            let before = connection.limit(limit).expect("a limit of SQLite");
            connection.set_limit(limit, value).expect("a limit of SQLite");
            (limit, before)
        };
        Limited(connection, LIMITS.map(set).to_vec())
    }
}

impl Drop for Limited<'_> {
    fn drop(&mut self) {
        for (limit, value) in &self.1 {
            self.0.set_limit(*limit, *value).expect("a limit of SQLite");
        }
    }
}

/// An empty ledger in memory.
pub struct Sqlite {
    connection: Mutex<Connection>,
    statements: AtomicU64,
    steps: AtomicU64,
}

impl Sqlite {
    /// A new ledger with all migrations applied.
    pub fn new() -> Sqlite {
        Sqlite::migrated(MIGRATIONS)
    }

    /// A new ledger with some of the migrations applied.
    pub fn migrated(migrations: &[&str]) -> Sqlite {
        let connection = Connection::open_in_memory().expect("SQLite opens in memory");
        connection.pragma_update(None, "foreign_keys", true).expect("foreign keys, as in D1");
        connection.set_prepared_statement_cache_capacity(256);
        let sqlite = Sqlite::of(connection);
        migrations.iter().for_each(|migration| sqlite.migrate(migration).expect("the migration applies"));
        sqlite
    }

    /// Applies a migration.
    pub fn migrate(&self, migration: &str) -> Result<(), rusqlite::Error> {
        self.connection.lock().expect("no test thread panicked").execute_batch(migration)
    }

    /// A ledger in memory with what a file holds, migrations included, as it is at one moment.
    pub fn copy_of(file: &Path) -> Result<Sqlite, rusqlite::Error> {
        let from = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let mut connection = Connection::open_in_memory()?;
        Backup::new(&from, &mut connection)?.run_to_completion(i32::MAX, Duration::from_millis(50), None)?;
        Ok(Sqlite::of(connection))
    }

    fn of(connection: Connection) -> Sqlite {
        let (statements, steps) = (AtomicU64::new(0), AtomicU64::new(0));
        Sqlite { connection: Mutex::new(connection), statements, steps }
    }

    /// How many statements the ledger ran so far.
    pub fn statements(&self) -> u64 {
        self.statements.load(Ordering::SeqCst)
    }

    /// How many steps of SQLite's machine the ledger's statements took so far: some for each row that is read.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    /// Runs any SQL, for tests that look at the tables themselves.
    pub fn execute(&self, sql: &str) -> Result<usize, rusqlite::Error> {
        self.connection.lock().expect("no test thread panicked").execute(sql, [])
    }

    /// The first column of the rows of any SQL, as text.
    pub fn query(&self, sql: &str) -> Vec<String> {
        let connection = self.connection.lock().expect("no test thread panicked");
        let mut statement = connection.prepare(sql).expect("the SQL of a test is valid");
        let rows = statement.query_map([], |row| row.get::<_, rusqlite::types::Value>(0)).expect("rows");
        rows.map(|value| match value.expect("a row") {
            rusqlite::types::Value::Null => "null".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Real(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(bytes) => format!("{bytes:?}"),
        })
        .collect()
    }

    fn transaction(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, rusqlite::Error> {
        let connection = self.connection.lock().expect("no test thread panicked");
        let _limited = Limited::of(&connection);
        // Nobody else has the connection: it is locked.
        let transaction = connection.unchecked_transaction()?;
        let mut results = Vec::with_capacity(statements.len());
        for Statement { sql, parameter } in statements {
            let mut prepared = transaction.prepare_cached(sql)?;
            let parameters = if prepared.parameter_count() == 0 { vec![] } else { vec![parameter] };
            let rows =
                prepared.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>(0))?;
            results.push(rows.collect::<Result<Vec<_>, _>>()?);
            self.statements.fetch_add(1, Ordering::SeqCst);
            let steps = prepared.reset_status(StatementStatus::VmStep);
            self.steps.fetch_add(u64::try_from(steps).unwrap_or(0), Ordering::SeqCst);
        }
        transaction.commit()?;
        Ok(results)
    }
}

impl Default for Sqlite {
    fn default() -> Sqlite {
        Sqlite::new()
    }
}

#[async_trait(?Send)]
impl Database for Sqlite {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        self.transaction(statements).map_err(|error| Fault::Permanent(error.to_string()))
    }
}
