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

/// What the database says when a moment later it may work, by the list of errors in D1's documentation.
const PASSING: [&str; 9] = [
    "Network connection lost",
    "reset because",
    "caused object to be reset",
    "was reset",
    "due to transient issue",
    "client disconnected",
    "internal error",
    "Internal error",
    "SQLITE_BUSY",
];

/// What the platform says when it has too much to do, or this invocation has done too much.
const TOO_MUCH: [&str; 5] =
    ["overloaded", "Too many requests", "Too Many Requests", "Too many API requests", "Too many subrequests"];

impl Fault {
    /// The fault that a message of the database stands for. What is not known to pass is permanent:
    /// a broken constraint, wrong SQL, a query past its limits.
    pub fn of_database(message: &str) -> Fault {
        if let Some(overloaded) = overloaded(message) {
            return overloaded;
        }
        if PASSING.iter().any(|passing| message.contains(passing)) {
            return Fault::Transient(message.into());
        }
        Fault::Permanent(message.into())
    }

    /// The fault that a message of the archive or the queue stands for. They are asked for nothing that
    /// they could refuse for good, so that what went wrong is worth trying again.
    pub fn of_store(message: &str) -> Fault {
        overloaded(message).unwrap_or_else(|| Fault::Transient(message.into()))
    }
}

fn overloaded(message: &str) -> Option<Fault> {
    TOO_MUCH.iter().any(|much| message.contains(much)).then(|| Fault::Overloaded(message.into()))
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

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn messages_of_the_database_are_told_apart() {
        let kind = |message: &str| match Fault::of_database(message) {
            Fault::Transient(_) => "transient",
            Fault::Overloaded(_) => "overloaded",
            Fault::Permanent(_) => "permanent",
        };
        for (message, expected) in [
            ("D1_ERROR: Network connection lost.", "transient"),
            ("D1_ERROR: D1 DB reset because its code was updated.", "transient"),
            (
                "D1_ERROR: Internal error while starting up D1 DB storage caused object to be reset.",
                "transient",
            ),
            ("D1_ERROR: Internal error in D1 DB storage caused object to be reset.", "transient"),
            ("D1_ERROR: D1 DB exceeded its CPU time limit and was reset.", "transient"),
            (
                "D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.",
                "transient",
            ),
            ("D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.", "transient"),
            ("D1_ERROR: Can't read from request stream because client disconnected.", "transient"),
            ("D1_ERROR: D1 DB is overloaded. Requests queued for too long.", "overloaded"),
            ("D1_ERROR: D1 DB is overloaded. Too many requests queued.", "overloaded"),
            ("D1_ERROR: Too many API requests by single Worker invocation.", "overloaded"),
            ("D1_ERROR: UNIQUE constraint failed: credits.id: SQLITE_CONSTRAINT", "permanent"),
            ("D1_ERROR: facts are only added: credits: SQLITE_CONSTRAINT_TRIGGER", "permanent"),
            ("D1_ERROR: near \"SELEC\": syntax error at offset 0: SQLITE_ERROR", "permanent"),
            ("D1_ERROR: malformed JSON: SQLITE_ERROR", "permanent"),
            ("D1_ERROR: string or blob too big: SQLITE_TOOBIG", "permanent"),
        ] {
            assert_eq!(kind(message), expected, "{message}");
        }
    }

    #[test]
    fn the_archive_and_the_queue_are_worth_another_try() {
        let internal = "put: We encountered an internal error. Please try again. (10001)";
        assert_eq!(Fault::of_store(internal), Fault::Transient(internal.into()));
        let much = "Queue sendBatch failed: Too Many Requests";
        assert_eq!(Fault::of_store(much), Fault::Overloaded(much.into()));
    }
}
