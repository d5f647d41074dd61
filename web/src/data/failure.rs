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
    /// After so many seconds the server wants to be asked again.
    pub ask_again_seconds: Option<u32>,
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
            ask_again_seconds: None,
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
            ask_again_seconds: None,
        }
    }

    /// An answer came that is not of the contract.
    pub fn unreadable(status: u16, detail: String, request_id: Option<String>) -> Failure {
        let title = "The answer cannot be read".into();
        Failure { status: Some(status), title, detail, request_id, errors: vec![], ask_again_seconds: None }
    }

    /// Whether nobody is logged in, or not any more.
    pub fn is_unauthorized(&self) -> bool {
        self.status == Some(401)
    }

    /// Whether asking again would be of use: not where there is no such thing, nor where it may not be seen.
    pub fn may_pass(&self) -> bool {
        !matches!(self.status, Some(403 | 404))
    }
}
