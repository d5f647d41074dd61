//! What can go wrong beneath the law, told apart by what may follow.

use std::fmt;

/// A fault of the database, the archive or the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Worth trying again; it may have been carried out all the same.
    Transient(String),
    /// The platform asks for less work: answer 503 and let the client come back.
    Overloaded(String),
    /// Trying again will not help.
    Permanent(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Transient(detail) => write!(f, "transient fault: {detail}"),
            Fault::Overloaded(detail) => write!(f, "overloaded: {detail}"),
            Fault::Permanent(detail) => write!(f, "fault: {detail}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::Permanent(format!("a row of the ledger could not be read: {error}"))
    }
}
