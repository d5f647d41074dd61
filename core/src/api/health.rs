//! Whether the book is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::RunStatus;
use crate::date::Instant;
use crate::id::RunId;

/// What is running, and whether the book is kept: `GET /healthz`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Health {
    /// Whether all is as it should be.
    pub status: HealthStatus,
    /// What is not.
    pub reasons: Vec<String>,
    /// The release.
    pub version: String,
    /// The commit it was built from.
    pub commit: String,
    /// How many migrations the ledger has.
    pub schema_version: u32,
    /// The last run by its instant.
    pub last_run: Option<LastRun>,
}

/// Whether all is as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// It is.
    Ok,
    /// It is not; the reasons say what.
    Unhealthy,
}

/// The last run and its age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LastRun {
    /// The run.
    pub id: RunId,
    /// Its instant.
    pub as_of: Instant,
    /// How far it got.
    pub status: RunStatus,
    /// Seconds since its instant.
    pub age_seconds: i64,
}
