//! API keys: found by the hash of what a caller presents, never by the key itself.

use paydown::api::Scope;
use paydown::date::{Instant, text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{batch, rows, statement};
use crate::error::Fault;
use crate::ports::Database;

/// A key that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The key's id.
    pub id: Uuid,
    /// What its owner calls it.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Whether it is worth nothing any more.
    pub revoked: bool,
}

/// The hash of a key, SHA-256 in hexadecimal: all of it that is ever stored.
pub fn hash(key: &str) -> String {
    hexadecimal(&Sha256::digest(key.as_bytes()))
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key with a hash.
pub async fn key(database: &dyn Database, hash: &str) -> Result<Option<Key>, Fault> {
    let found = rows(database, statement(KEY, &json!({ "key_hash": hash }))?).await?;
    Ok(found.into_iter().next())
}

/// Adds a key; one with the same hash stays as it is.
pub async fn add(database: &dyn Database, key: &NewKey<'_>) -> Result<(), Fault> {
    let parameter = json!({
        "id": key.id, "hash": hash(key.key), "label": key.label, "created_at": text(key.created_at),
        "scopes": serde_json::to_string(key.scopes)?,
    });
    batch(database, &[statement(ADD, &parameter)?]).await.map(|_| ())
}

/// A key that is to be added.
#[derive(Debug, Clone, Copy)]
pub struct NewKey<'a> {
    /// The key's id.
    pub id: Uuid,
    /// The key itself; only its hash is kept.
    pub key: &'a str,
    /// What its owner calls it.
    pub label: &'a str,
    /// What it allows.
    pub scopes: &'a [Scope],
    /// When it was made.
    pub created_at: Instant,
}

const KEY: &str = "
SELECT json_object('id', k.id, 'label', k.label, 'scopes', json(k.scopes), 'revoked',
  json(iif(EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id), 'true', 'false')))
FROM api_keys k WHERE k.hash = ?1 ->> '$.key_hash'";

const ADD: &str = "
INSERT INTO api_keys (id, hash, label, scopes, created_at)
SELECT ?1 ->> '$.id', ?1 ->> '$.hash', ?1 ->> '$.label', ?1 ->> '$.scopes', ?1 ->> '$.created_at'
WHERE true ON CONFLICT DO NOTHING";
