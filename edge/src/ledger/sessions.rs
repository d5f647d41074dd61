//! The dashboard's sessions: known by the hash of a random token, ended by time, by logout, or with their API key.

use paydown::date::{Instant, text};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::keys::Key;
use super::{batch, rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// A session that is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The API key it was begun with.
    pub key: Key,
    /// When it ends by itself.
    pub expires_at: Instant,
}

/// Begins a session for the API key with a hash.
pub async fn begin(
    database: &dyn Database,
    token_hash: &str,
    key: &Key,
    from: Instant,
    until: Instant,
) -> Result<(), Fault> {
    let parameter = json!({
        "token_hash": token_hash, "api_key_id": key.id, "created_at": text(from), "expires_at": text(until),
    });
    batch(database, &[statement(BEGIN, &parameter)?]).await.map(|_| ())
}

/// The session of a token, unless it ended.
pub async fn session(
    database: &dyn Database,
    token_hash: &str,
    now: Instant,
) -> Result<Option<Session>, Fault> {
    let found =
        rows(database, statement(SESSION, &json!({ "token_hash": token_hash, "now": text(now) }))?).await?;
    Ok(found.into_iter().next())
}

/// Ends a session.
pub async fn end(database: &dyn Database, token_hash: &str, now: Instant) -> Result<(), Fault> {
    batch(database, &[statement(END, &json!({ "token_hash": token_hash, "now": text(now) }))?])
        .await
        .map(|_| ())
}

const BEGIN: &str = "
INSERT INTO sessions (token_hash, api_key_id, created_at, expires_at)
SELECT ?1 ->> '$.token_hash', ?1 ->> '$.api_key_id', ?1 ->> '$.created_at', ?1 ->> '$.expires_at'
WHERE true ON CONFLICT DO NOTHING";

const SESSION: &str = "
SELECT json_object('expires_at', s.expires_at, 'key', json_object('id', k.id, 'label', k.label,
  'scopes', json(k.scopes), 'last_used_on', (SELECT max(used_on) FROM api_key_uses WHERE api_key_id = k.id),
  'revoked', json('false')))
FROM sessions s CROSS JOIN api_keys k ON k.id = s.api_key_id
WHERE s.token_hash = ?1 ->> '$.token_hash' AND s.expires_at > ?1 ->> '$.now'
  AND NOT EXISTS (SELECT 1 FROM session_ends WHERE token_hash = s.token_hash)
  AND NOT EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id)";

const END: &str = "
INSERT INTO session_ends (token_hash, ended_at)
SELECT token_hash, ?1 ->> '$.now' FROM sessions WHERE token_hash = ?1 ->> '$.token_hash' ON CONFLICT DO NOTHING";
