//! Stops and starts: while the latest of them is a stop, no advance and no debit leaves.

use paydown::api::Stop;
use paydown::date::{Instant, text};
use serde_json::json;
use uuid::Uuid;

use super::{batch, rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// What an operator said last.
pub async fn stop(database: &dyn Database) -> Result<Stop, Fault> {
    let found = rows(database, statement(STOP, &())?).await?;
    Ok(found.into_iter().next().unwrap_or(Stop { in_force: false, actor: None, note: None, at: None }))
}

/// Stops or starts, unless that is how it stands already.
pub async fn put(
    database: &dyn Database,
    id: Uuid,
    in_force: bool,
    actor: &str,
    note: &str,
    at: Instant,
) -> Result<(), Fault> {
    let action = if in_force { "stop" } else { "start" };
    let parameter = json!({ "id": id, "action": action, "actor": actor, "note": note, "at": text(at) });
    batch(database, &[statement(PUT, &parameter)?]).await.map(|_| ())
}

const STOP: &str = "
SELECT json_object('in_force', json(iif(action = 'stop', 'true', 'false')), 'actor', actor, 'note', note, 'at', at)
FROM stops ORDER BY at DESC, id DESC LIMIT 1";

const PUT: &str = "
INSERT INTO stops (id, action, actor, note, at)
SELECT ?1 ->> '$.id', ?1 ->> '$.action', ?1 ->> '$.actor', ?1 ->> '$.note', ?1 ->> '$.at'
WHERE coalesce((SELECT action FROM stops ORDER BY at DESC, id DESC LIMIT 1), 'start') <> ?1 ->> '$.action'
ON CONFLICT DO NOTHING";
