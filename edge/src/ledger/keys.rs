//! API keys: found by the hash of what a caller presents, never by the key itself.

use chrono::NaiveDate;
use paydown::api::{self, Scope};
use paydown::date::{Instant, text};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
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
    /// The day of its last use, in UTC.
    pub last_used_on: Option<NaiveDate>,
    /// Whether it is worth nothing any more.
    pub revoked: bool,
}

/// The hash of a key, SHA-256 in hexadecimal: all of it that is ever stored.
pub fn hash(key: &str) -> String {
    hexadecimal(&Sha256::digest(key.as_bytes()))
}

/// Bytes as lower-case hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// The key with a hash. Its row is found by the first half of the hash; the whole is compared in constant time.
pub async fn key(database: &dyn Database, hash: &str) -> Result<Option<Key>, Fault> {
    let found: Vec<Candidate> = rows(database, statement(KEY, &json!({ "key_hash": hash }))?).await?;
    let same =
        found.into_iter().find(|candidate| bool::from(candidate.hash.as_bytes().ct_eq(hash.as_bytes())));
    Ok(same.map(|candidate| candidate.key))
}

#[derive(Deserialize)]
struct Candidate {
    hash: String,
    key: Key,
}

/// The keys made before one, newest first, without their secrets.
pub async fn list(
    database: &dyn Database,
    before: &KeyPlace,
    limit: usize,
) -> Result<Vec<api::ApiKey>, Fault> {
    let parameter = json!({ "created_at": before.created_at, "id": before.id, "limit": limit });
    rows(database, statement(LIST, &parameter)?).await
}

/// A place in the list of keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPlace {
    /// When the key was made, as sortable text.
    pub created_at: String,
    /// The key.
    pub id: String,
}

/// What is kept of the key with an id.
pub async fn one(database: &dyn Database, id: Uuid) -> Result<Option<api::ApiKey>, Fault> {
    let found = rows(database, statement(ONE, &json!({ "id": id }))?).await?;
    Ok(found.into_iter().next())
}

/// Revokes a key, unless it is the last that can make others.
pub async fn revoke(database: &dyn Database, id: Uuid, at: Instant) -> Result<(), Fault> {
    batch(database, &[statement(REVOKE, &json!({ "id": id, "at": text(at) }))?]).await.map(|_| ())
}

/// Records that a key was used, if it was not yet on that day.
pub async fn used(database: &dyn Database, key: &Key, on: NaiveDate) -> Result<(), Fault> {
    if key.last_used_on.is_some_and(|last| last >= on) {
        return Ok(());
    }
    batch(database, &[statement(USED, &json!({ "id": key.id, "on": on }))?]).await.map(|_| ())
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
SELECT json_object('hash', k.hash, 'key', json_object('id', k.id, 'label', k.label, 'scopes', json(k.scopes),
  'last_used_on', (SELECT max(used_on) FROM api_key_uses WHERE api_key_id = k.id), 'revoked', json(iif(EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id), 'true', 'false'))))
FROM api_keys k
WHERE k.hash >= substr(?1 ->> '$.key_hash', 1, 32) AND k.hash < substr(?1 ->> '$.key_hash', 1, 32) || 'g'";

macro_rules! keys {
    ($which:literal) => {
        concat!(
            "
SELECT json_object('id', k.id, 'label', k.label, 'scopes', json(k.scopes), 'created_at', k.created_at,
  'last_used_on', (SELECT max(used_on) FROM api_key_uses WHERE api_key_id = k.id),
  'revoked_at', (SELECT revoked_at FROM api_key_revocations WHERE api_key_id = k.id))
FROM api_keys k WHERE ",
            $which
        )
    };
}

const LIST: &str = keys!(
    "(k.created_at, k.id) < (?1 ->> '$.created_at', ?1 ->> '$.id')
ORDER BY k.created_at DESC, k.id DESC LIMIT ?1 ->> '$.limit'"
);
const ONE: &str = keys!("k.id = ?1 ->> '$.id'");

const REVOKE: &str = "
INSERT INTO api_key_revocations (api_key_id, revoked_at)
SELECT k.id, ?1 ->> '$.at' FROM api_keys k
WHERE k.id = ?1 ->> '$.id' AND EXISTS (
  SELECT 1 FROM api_keys other, json_each(other.scopes) AS scope
  WHERE other.id <> k.id AND scope.value = 'admin'
    AND NOT EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = other.id))
ON CONFLICT DO NOTHING";

const USED: &str = "
INSERT INTO api_key_uses (api_key_id, used_on) SELECT ?1 ->> '$.id', ?1 ->> '$.on' WHERE true ON CONFLICT DO NOTHING";

const ADD: &str = "
INSERT INTO api_keys (id, hash, label, scopes, created_at)
SELECT ?1 ->> '$.id', ?1 ->> '$.hash', ?1 ->> '$.label', ?1 ->> '$.scopes', ?1 ->> '$.created_at'
WHERE true ON CONFLICT DO NOTHING";
