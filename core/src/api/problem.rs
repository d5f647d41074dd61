//! What the API says when it refuses.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::CreditId;

/// A refusal or failure of the API: RFC 9457, `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kind of problem it is, as a URI reference.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What exactly went wrong.
    pub detail: String,
    /// The kind of problem, for programs.
    pub code: String,
    /// The request that met it.
    pub request_id: String,
    /// What is wrong with the request, all at once.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub errors: Option<Vec<FieldError>>,
    /// The credit that it is about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credit_id: Option<CreditId>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// The field, as a JSON pointer (RFC 6901); of a query, `/` and the parameter's name.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}
