//! Who may call what: scopes, API keys, sessions.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::date::Instant;

/// What an API key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To read the book.
    Read,
    /// To perform advances.
    Advance,
    /// To act as an operator.
    Operate,
    /// To make and revoke keys.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::Advance, Scope::Operate, Scope::Admin];

    /// The name in SQL, JSON and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Advance => "advance",
            Scope::Operate => "operate",
            Scope::Admin => "admin",
        }
    }
}

/// Who is logged in: `GET /v1/session`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhoAmI {
    /// What the key is called that logged in.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When the session ends.
    pub expires_at: Instant,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApiKey {
    /// The key's id.
    pub id: Uuid,
    /// What its owner calls it.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Instant,
    /// The day of its last use, in UTC.
    pub last_used_on: Option<NaiveDate>,
    /// Since when it is worth nothing.
    pub revoked_at: Option<Instant>,
}

/// An API key that was just made: the only time that its secret is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewApiKey {
    /// What is kept of it.
    #[serde(flatten)]
    pub kept: ApiKey,
    /// The secret, to be sent as `Authorization: Bearer`.
    pub key: String,
}
