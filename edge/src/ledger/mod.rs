//! The ledger: every SQL statement of the product, and nothing else.
//!
//! Each statement takes one JSON text as `?1` and gives one text column. All of them only read or add;
//! every insert has a key made from its cause, so that running a batch twice is running it once.

pub mod advances;
pub mod asked;
pub mod calls;
pub mod credits;
pub mod decisions;
pub mod events;
pub mod exceptions;
pub mod facts;
pub mod figures;
pub mod journal;
pub mod keys;
pub mod listings;
pub mod metrics;
pub mod operations;
pub mod parts;
pub mod reports;
pub mod runs;
pub mod sandbox;
pub mod sessions;
pub mod stops;
pub mod strikes;
pub mod told;
pub mod webhooks;

use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::Fault;
use crate::ports::{Database, Statement};

/// How often a batch is tried before its fault is given up to the caller.
const ATTEMPTS: u32 = 4;

/// Half of the longest wait before the second attempt.
const FIRST_PAUSE_MS: u32 = 25;

/// A statement with its parameter.
pub(crate) fn statement(sql: &'static str, parameter: &impl Serialize) -> Result<Statement, Fault> {
    Ok(Statement { sql, parameter: serde_json::to_string(parameter)? })
}

/// Runs a batch as one transaction; the one function through which the ledger is reached.
///
/// A transient fault is tried again after a short while, blindly: every statement is harmless when it runs twice.
pub async fn batch(database: &dyn Database, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
    let mut attempt = 1;
    loop {
        match database.batch(statements).await {
            Err(Fault::Transient(_)) if attempt < ATTEMPTS => {
                database.wait(pause(attempt)).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Milliseconds before the next attempt: twice as many each time, a random half of them, so that those who failed
/// together do not come back together.
fn pause(attempt: u32) -> u32 {
    let longest = FIRST_PAUSE_MS.saturating_mul(1 << attempt.min(8));
    let [random, ..] = Uuid::new_v4().into_bytes();
    longest.saturating_sub(longest.saturating_mul(u32::from(random)) / 512)
}

/// Runs one statement and reads each of its rows as JSON.
pub(crate) async fn rows<T: DeserializeOwned>(
    database: &dyn Database,
    statement: Statement,
) -> Result<Vec<T>, Fault> {
    let results = batch(database, &[statement]).await?;
    results.first().map_or(Ok(vec![]), |rows| parsed(rows))
}

/// What the one row of a result has all of, as JSON. Each row is a way of its own from the database.
pub(crate) fn all<T: DeserializeOwned>(rows: &[String]) -> Result<Vec<T>, Fault> {
    rows.first().map_or(Ok(vec![]), |row| serde_json::from_str(row).map_err(Fault::from))
}

/// Rows read as JSON.
pub(crate) fn parsed<T: DeserializeOwned>(rows: &[String]) -> Result<Vec<T>, Fault> {
    rows.iter().map(|row| serde_json::from_str(row).map_err(Fault::from)).collect()
}
