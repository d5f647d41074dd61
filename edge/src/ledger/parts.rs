//! The parts into which a run divides a stage that is more than one invocation's work.

use paydown::date::{Instant, text};
use paydown::id::RunId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{batch, parsed, rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// A part of a stage, and how far it got.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Part {
    /// Its number, from 0.
    pub number: u32,
    /// How many the stage has.
    pub of: u32,
    /// Behind what it begins: a credit or a byte.
    pub start: String,
    /// With what it ends.
    pub until: String,
    /// Whether all of it is done.
    pub done: bool,
    /// What it says about itself.
    pub detail: Value,
}

/// The name of the rows by which a part of a stage says how far it got.
pub fn rows_of(stage: &str, part: u32) -> String {
    format!("{stage}/{part}")
}

/// An invocation that divides a stage, or joins its parts: a batch that is tried again is known by it as its own.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Divider<'a> {
    /// The run.
    pub run_id: RunId,
    /// The stage.
    pub stage: &'a str,
    /// The invocation.
    pub by: Uuid,
}

/// Divides a stage at these places, unless that was done; gives its parts to who does it, and none to others. The first part
/// begins at the beginning, the last ends with the end.
pub async fn divide(
    database: &dyn Database,
    divider: Divider<'_>,
    places: &[String],
    at: Instant,
) -> Result<Vec<Part>, Fault> {
    let starts = std::iter::once("").chain(places.iter().map(String::as_str));
    let ends = places.iter().map(String::as_str).chain(std::iter::once(END));
    let parts: Vec<(&str, &str)> = starts.zip(ends).collect();
    let of = parts.len();
    let divided = json!({ "divider": divider, "parts": parts, "of": of, "at": text(at) });
    let statements =
        [statement(DIVIDE, &divided)?, statement(BEGIN, &divided)?, statement(DIVIDED, &divided)?];
    let results = batch(database, &statements).await?;
    results.last().map_or(Ok(vec![]), |rows| parsed(rows))
}

/// Joins the parts of a stage when all are done; true for who does it, and for nobody else.
pub async fn join(database: &dyn Database, divider: Divider<'_>, at: Instant) -> Result<bool, Fault> {
    let joined = json!({ "divider": divider, "at": text(at) });
    let results = batch(database, &[statement(JOIN, &joined)?, statement(JOINED, &joined)?]).await?;
    Ok(results.last().is_some_and(|rows| !rows.is_empty()))
}

/// Behind every place.
pub const END: &str = "~";

/// The parts of a stage, in order.
pub async fn of_stage(database: &dyn Database, run: RunId, stage: &str) -> Result<Vec<Part>, Fault> {
    rows(database, statement(PARTS, &json!({ "run_id": run, "stage": stage }))?).await
}

// All parts of a stage are written by one statement, so that two invocations cannot divide it at different places.
const DIVIDE: &str = "
INSERT INTO run_parts (run_id, stage, part, start, until, divided_by, at)
SELECT ?1 ->> '$.divider.run_id', ?1 ->> '$.divider.stage', key, value ->> '$[0]', value ->> '$[1]', ?1 ->> '$.divider.by', ?1 ->> '$.at'
FROM json_each(?1, '$.parts')
WHERE NOT EXISTS (
  SELECT 1 FROM run_parts WHERE run_id = ?1 ->> '$.divider.run_id' AND stage = ?1 ->> '$.divider.stage')
ON CONFLICT DO NOTHING";

const BEGIN: &str = "
INSERT INTO run_stages (run_id, stage, slice, cursor, detail, at)
SELECT ?1 ->> '$.divider.run_id', ?1 ->> '$.divider.stage', 0, '', json_object('parts', ?1 ->> '$.of'), ?1 ->> '$.at'
WHERE true ON CONFLICT DO NOTHING";

const DIVIDED: &str = "
SELECT json_object('number', part, 'of', ?1 ->> '$.of', 'start', start, 'until', until, 'done', json('false'),
  'detail', json('null'))
FROM run_parts WHERE run_id = ?1 ->> '$.divider.run_id' AND stage = ?1 ->> '$.divider.stage'
  AND divided_by = ?1 ->> '$.divider.by' ORDER BY part";

const JOIN: &str = "
INSERT INTO run_stages (run_id, stage, slice, cursor, detail, at)
SELECT ?1 ->> '$.divider.run_id', ?1 ->> '$.divider.stage', 1, '',
  json_object('parts', count(*), 'joined_by', ?1 ->> '$.divider.by'), ?1 ->> '$.at'
FROM run_parts p WHERE run_id = ?1 ->> '$.divider.run_id' AND stage = ?1 ->> '$.divider.stage'
HAVING count(*) = sum(EXISTS (
  SELECT 1 FROM run_stages WHERE run_id = p.run_id AND stage = p.stage || '/' || p.part AND cursor IS NULL))
ON CONFLICT DO NOTHING";

const JOINED: &str = "
SELECT 'true' FROM run_stages WHERE run_id = ?1 ->> '$.divider.run_id' AND stage = ?1 ->> '$.divider.stage'
  AND slice = 1 AND detail ->> '$.joined_by' = ?1 ->> '$.divider.by'";

const PARTS: &str = "
SELECT json_object('number', p.part, 'of', count(*) OVER (), 'start', p.start, 'until', p.until,
  'done', json(iif(s.run_id IS NOT NULL AND s.cursor IS NULL, 'true', 'false')),
  'detail', json(coalesce(s.detail, 'null')))
FROM run_parts p LEFT JOIN run_stages s ON s.run_id = p.run_id AND s.stage = p.stage || '/' || p.part
  AND s.slice = (SELECT max(slice) FROM run_stages WHERE run_id = p.run_id AND stage = p.stage || '/' || p.part)
WHERE p.run_id = ?1 ->> '$.run_id' AND p.stage = ?1 ->> '$.stage' ORDER BY p.part";
