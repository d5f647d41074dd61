//! What the API refuses or fails at, as RFC 9457 problems: the one place that maps errors to HTTP.

use axum::body::Body;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use paydown::api::{self, FieldError};
use paydown::id::CreditId;

use crate::error::Fault;
use crate::ledger::advances::{Limit, Refusal};
use crate::ports::{LIMIT_REQUESTS, LIMIT_SECONDS};

/// Says that an answer repeats that of an earlier request with the same key.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What is left of a caller's allowance (IETF draft, RateLimit header fields for HTTP).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Seconds after which a client may come back when the platform asks for less work.
const COME_BACK_SECONDS: u32 = 2;

/// Seconds after which a client may ask whether a stop is still in force.
const STOP_SECONDS: u32 = 60;

/// The JSON pointer of a member (RFC 6901).
pub fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A problem on its way out. It becomes a body where the response gets its request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    credit_id: Option<CreditId>,
    /// The request whose answer this repeats; a first answer carries its own.
    request_id: Option<String>,
    retry_after_seconds: Option<u32>,
    replayed: bool,
}

/// The kinds of problems, in the order of their statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Conflict,
    TooLarge,
    UnsupportedMediaType,
    InvalidRequest,
    IdempotencyKeyReused,
    Refused,
    AccountHeld,
    LimitReached,
    Stopped,
    TooManyRequests,
    Internal,
    Unavailable,
}

impl Kind {
    /// Status, code and title.
    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Kind::BadRequest => (StatusCode::BAD_REQUEST, "bad_request", "The request cannot be read"),
            Kind::Unauthorized => (StatusCode::UNAUTHORIZED, "unauthorized", "No or an unknown API key"),
            Kind::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "The API key does not allow this"),
            Kind::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is no such thing"),
            Kind::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method is not allowed here")
            }
            Kind::Conflict => (StatusCode::CONFLICT, "conflict", "The book stands otherwise"),
            Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
            Kind::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The body is not JSON")
            }
            Kind::InvalidRequest => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_request", "The request is not valid")
            }
            Kind::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The idempotency key was used with another request",
            ),
            Kind::Refused => {
                (StatusCode::UNPROCESSABLE_ENTITY, "refused", "The processor refused the advance")
            }
            Kind::AccountHeld => (StatusCode::UNPROCESSABLE_ENTITY, "account_held", "The account is held"),
            Kind::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests")
            }
            Kind::LimitReached => {
                (StatusCode::UNPROCESSABLE_ENTITY, "limit_reached", "A limit of the installation is reached")
            }
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong here"),
            Kind::Stopped => (StatusCode::UNPROCESSABLE_ENTITY, "stopped", "A stop is in force"),
            Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Try again"),
        }
    }
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem {
            kind,
            detail: detail.into(),
            errors: vec![],
            credit_id: None,
            request_id: None,
            retry_after_seconds: None,
            replayed: false,
        }
    }

    /// 400: what is wrong with the request as a whole.
    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::BadRequest, detail).about_all()
    }

    /// 401.
    pub fn unauthorized(detail: &str) -> Problem {
        Problem::new(Kind::Unauthorized, detail)
    }

    /// 403: the key lacks a scope.
    pub fn forbidden(scope: &str) -> Problem {
        Problem::new(Kind::Forbidden, format!("the scope {scope} is needed"))
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::NotFound, detail)
    }

    /// 405.
    pub fn method_not_allowed(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::MethodNotAllowed, detail)
    }

    /// 409.
    pub fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::Conflict, detail)
    }

    /// 413.
    pub fn too_large(detail: impl Into<String>) -> Problem {
        Problem::new(Kind::TooLarge, detail).about_all()
    }

    /// 415.
    pub fn unsupported_media_type() -> Problem {
        Problem::new(Kind::UnsupportedMediaType, "Content-Type must be application/json, in UTF-8")
            .about_all()
    }

    /// 422: everything that is wrong with the request's fields or parameters, at once.
    pub fn invalid(errors: Vec<FieldError>) -> Problem {
        let detail = match errors.len() {
            1 => "one field is not valid".to_owned(),
            many => format!("{many} fields are not valid"),
        };
        Problem { errors, ..Problem::new(Kind::InvalidRequest, detail) }
    }

    /// 422: the idempotency key stands for another request.
    pub fn idempotency_key_reused(credit_id: CreditId) -> Problem {
        let detail =
            "this Idempotency-Key was used before with another request; use a new one for a new advance";
        Problem { credit_id: Some(credit_id), ..Problem::new(Kind::IdempotencyKeyReused, detail) }
    }

    /// 422: the processor refused for good. Its repetition has the same body as the first.
    pub fn refused(refusal: &Refusal, credit_id: CreditId, request_id: String) -> Problem {
        let detail = format!("the processor refused the advance: {}: {}", refusal.code, refusal.message);
        Problem {
            credit_id: Some(credit_id),
            request_id: Some(request_id),
            ..Problem::new(Kind::Refused, detail)
        }
    }

    /// 422: a hard return on the account is unresolved.
    pub fn account_held() -> Problem {
        Problem::new(
            Kind::AccountHeld,
            "a hard return on this account is unresolved: no advance until it is released",
        )
    }

    /// 429: the caller asked more than is allowed; nothing was looked at.
    pub fn too_many_requests() -> Problem {
        let detail =
            format!("more than {LIMIT_REQUESTS} requests in {LIMIT_SECONDS} seconds: nothing was done");
        Problem { retry_after_seconds: Some(LIMIT_SECONDS), ..Problem::new(Kind::TooManyRequests, detail) }
    }

    /// 422: a limit of the installation leaves no room for the advance; nothing was recorded.
    pub fn limit_reached(limit: Limit, currency: &str) -> Problem {
        Problem::new(Kind::LimitReached, limit.text(currency))
    }

    /// 422: a stop is in force; nothing was recorded, and unlike with 503 nothing will be.
    pub fn stopped() -> Problem {
        let detail = "an operator stopped all advances and debits; nothing was recorded";
        Problem { retry_after_seconds: Some(STOP_SECONDS), ..Problem::new(Kind::Stopped, detail) }
    }

    /// 503: what was asked may or may not have been recorded.
    pub fn not_known_to_be_recorded() -> Problem {
        let detail =
            "the request is not known to be recorded and may yet be carried out: repeat it with the same key";
        Problem { retry_after_seconds: Some(COME_BACK_SECONDS), ..Problem::new(Kind::Unavailable, detail) }
    }

    /// The answer to a repeated request.
    pub fn replayed(self) -> Problem {
        Problem { replayed: true, ..self }
    }

    /// What is wrong is the request as a whole, which the empty pointer names.
    fn about_all(mut self) -> Problem {
        self.errors = vec![FieldError { pointer: String::new(), detail: self.detail.clone() }];
        self
    }

    /// The problem that a response without one stands for: what the router itself refuses.
    pub fn of_status(status: StatusCode) -> Problem {
        let detail = format!("HTTP {status}");
        if status.is_client_error() {
            Problem::bad_request(detail)
        } else {
            Problem::new(Kind::Internal, detail)
        }
    }

    /// Gives the response its body.
    pub fn render(self, response: Response, request_id: &str) -> Response {
        let (status, code, title) = self.kind.row();
        let body = api::Problem {
            kind: format!("urn:paydown:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            code: code.to_owned(),
            request_id: self.request_id.unwrap_or_else(|| request_id.to_owned()),
            errors: Some(self.errors).filter(|errors| !errors.is_empty()),
            credit_id: self.credit_id,
        };
        // A shape of core always has a JSON text; were it not so, the status alone would still be true.
        let text = serde_json::to_string(&body).unwrap_or_default();
        let allowed = response.headers().get(ALLOW).cloned();
        let mut rendered = Response::new(Body::from(text));
        *rendered.status_mut() = status;
        let headers = rendered.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(allowed) = allowed {
            headers.insert(ALLOW, allowed);
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::TooManyRequests
            && let Ok(value) = HeaderValue::from_str(&format!("\"requests\";r=0;t={LIMIT_SECONDS}"))
        {
            headers.insert(RATE_LIMIT, value);
        }
        if self.replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        rendered
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind.row().0.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Fault> for Problem {
    /// A fault while reading. Its text is for the log, not for the client.
    fn from(fault: Fault) -> Problem {
        crate::log::error("a request met a fault", serde_json::json!({ "fault": fault.to_string() }));
        match fault {
            Fault::Transient(_) | Fault::Overloaded(_) => Problem {
                retry_after_seconds: Some(COME_BACK_SECONDS),
                ..Problem::new(Kind::Unavailable, "the ledger cannot be reached just now")
            },
            Fault::Permanent(_) => Problem::new(Kind::Internal, "the request could not be carried out"),
        }
    }
}
