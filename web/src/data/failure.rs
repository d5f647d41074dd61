//! Why a request has no good answer: the one error of the data layer.

use paydown::api::{FieldError, Problem};

/// A failure as a person is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status; `None` when no answer came.
    pub status: Option<u16>,
    /// What kind of problem it is, in a few words.
    pub title: String,
    /// What exactly went wrong.
    pub detail: String,
    /// The request, to be named to whoever looks into it.
    pub request_id: Option<String>,
    /// What is wrong with the fields of the request.
    pub errors: Vec<FieldError>,
}

impl Failure {
    /// No answer came: the server or the network is away.
    pub fn unreachable(detail: String) -> Failure {
        Failure {
            status: None,
            title: "The server cannot be reached".into(),
            detail,
            request_id: None,
            errors: vec![],
        }
    }

    /// The server said no, and why.
    pub fn of_problem(problem: Problem) -> Failure {
        Failure {
            status: Some(problem.status),
            title: problem.title,
            detail: problem.detail,
            request_id: Some(problem.request_id),
            errors: problem.errors.unwrap_or_default(),
        }
    }

    /// An answer came that is not of the contract.
    pub fn unreadable(status: u16, detail: String, request_id: Option<String>) -> Failure {
        let title = "The answer cannot be read".into();
        Failure { status: Some(status), title, detail, request_id, errors: vec![] }
    }

    /// Whether nobody is logged in, or not any more.
    pub fn is_unauthorized(&self) -> bool {
        self.status == Some(401)
    }

    /// Whether there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.status == Some(404)
    }
}
