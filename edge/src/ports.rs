//! The ports: everything the engine asks of the world.
//!
//! The Worker plugs in D1, HTTP, R2 and a queue (`platform`); native tests plug in SQLite with the
//! very same SQL text, and fakes that fail with or without having persisted.

use std::sync::Arc;

use async_trait::async_trait;
use paydown::date::Instant;

use crate::config::Settings;
use crate::error::Fault;
use crate::message::Message;

/// All that a request, a run or a queue message works with.
#[derive(Clone)]
pub struct Ports {
    /// The ledger's database.
    pub database: Arc<dyn Database>,
    /// The processor, a black box.
    pub processor: Arc<dyn Processor>,
    /// Where reports are kept.
    pub archive: Arc<dyn Archive>,
    /// Where work goes that another invocation does.
    pub outbox: Arc<dyn Outbox>,
    /// Who carries webhooks.
    pub courier: Arc<dyn Courier>,
    /// How much each caller may ask for.
    pub limiter: Arc<dyn Limiter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The configuration.
    pub settings: Arc<Settings>,
}

/// One SQL statement of the ledger and its only parameter, `?1`: a JSON text.
///
/// One form for all: integers in JSON stay exact where bound numbers would not, and a set is
/// written by `json_each` in one statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The SQL text.
    pub sql: &'static str,
    /// The JSON text bound to `?1`.
    pub parameter: String,
}

/// The ledger's database.
#[async_trait(?Send)]
pub trait Database: Send + Sync {
    /// Runs the statements in order as one transaction: all of them land, or none.
    ///
    /// Gives, for each statement, the first column of its rows; every statement of the ledger has one
    /// column, a text. After an error the batch may have landed all the same.
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault>;

    /// Lets so many milliseconds pass before a batch is tried again. A database that has no crowd before it has
    /// nothing to wait for.
    async fn wait(&self, _milliseconds: u32) {}
}

/// What the processor answered to a call under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The transaction it carries out.
    Transaction(String),
    /// Refused for good. It proves that nothing moved only as the answer to the first call.
    Refused {
        /// The processor's code, as a failure without a return code carries none.
        code: String,
        /// Its message, for people.
        message: String,
    },
    /// We are misconfigured: nobody's debit fails for it, and issuing stops.
    Misconfigured {
        /// The HTTP status: 401, 403, 404 or 405.
        status: u16,
    },
    /// Nothing moved; to be called again after so many seconds.
    SlowDown {
        /// Seconds to wait.
        retry_after_seconds: u32,
    },
    /// Anything else, or no answer in time.
    Unknown {
        /// What came back instead.
        detail: String,
    },
}

/// The processor, a black box that moves money.
#[async_trait(?Send)]
pub trait Processor: Send + Sync {
    /// `perform_transaction`: posts `body` under `key`. The same key moves money at most once.
    async fn perform(&self, key: &str, body: &str) -> Answer;

    /// Opens the report. An error means that nothing of it could be had.
    async fn report(&self) -> Result<Box<dyn ReportBody>, String>;

    /// Lets so many milliseconds pass before it is called again, where it may be called only so often.
    async fn wait(&self, _milliseconds: u32) {}

    /// Sets the clock of the bank simulator; no other processor has one to set.
    #[cfg(feature = "sandbox")]
    async fn set_clock(&self, _now: Instant) -> Result<(), String> {
        Err("this processor has no clock that can be set".into())
    }
}

/// A report while it is downloaded.
#[async_trait(?Send)]
pub trait ReportBody {
    /// The HTTP status; only 200 is a whole report.
    fn status(&self) -> u16;

    /// The bytes that `Content-Length` announced, if it did.
    fn announced_bytes(&self) -> Option<u64>;

    /// The next bytes; `None` at the end. An error means that the download broke off.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, String>;
}

/// Where reports are kept.
#[async_trait(?Send)]
pub trait Archive: Send + Sync {
    /// Begins to write an object; it exists only once finished.
    async fn create(&self, key: &str) -> Result<Box<dyn ArchiveWriter>, Fault>;

    /// At most `length` bytes of an object from `offset` on; fewer only at its end.
    async fn read(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault>;
}

/// An object that is being written.
#[async_trait(?Send)]
pub trait ArchiveWriter {
    /// Adds bytes at its end.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault>;

    /// Makes the object exist.
    async fn finish(self: Box<Self>) -> Result<(), Fault>;
}

/// How much each caller may ask for: [`LIMIT_REQUESTS`] within [`LIMIT_SECONDS`].
#[async_trait(?Send)]
pub trait Limiter: Send + Sync {
    /// Counts a request of a caller; false when he asked too much. Where the count cannot be had, he may.
    async fn allows(&self, caller: &str) -> bool;
}

/// How many requests a caller may send within [`LIMIT_SECONDS`]; the same number stands in wrangler.toml. One
/// database answers about a thousand simple queries a second (Cloudflare, D1 limits).
pub const LIMIT_REQUESTS: u32 = 10_000;

/// The window of the limit: the platform knows 10 and 60 seconds (Cloudflare, rate limiting API).
pub const LIMIT_SECONDS: u32 = 10;

/// Where work goes that another invocation does.
#[async_trait(?Send)]
pub trait Outbox: Send + Sync {
    /// Hands a message to the queue, to be delivered after so many seconds at the earliest; at most 12 hours.
    async fn send(&self, message: &Message, delay_seconds: u32) -> Result<(), Fault>;
}

/// A webhook on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it goes.
    pub url: String,
    /// Its headers, but for the type of its body, which is JSON.
    pub headers: Vec<(&'static str, String)>,
    /// Its body, byte for byte as it was signed.
    pub body: String,
}

/// What became of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// The endpoint answered, whatever it was.
    Answered {
        /// The HTTP status.
        status: u16,
        /// Seconds to wait before the next, where it asks for that.
        retry_after_seconds: Option<u32>,
    },
    /// No answer in time, or none at all. It may have arrived.
    Lost {
        /// What came back instead.
        why: String,
    },
}

/// Carries webhooks to their endpoints, each once: whoever redirects it does not get it.
#[async_trait(?Send)]
pub trait Courier: Send + Sync {
    /// Posts a webhook.
    async fn post(&self, webhook: &Webhook) -> Receipt;
}

/// Says what time it is. In a sandbox build that is the sandbox's clock, which is a fact of the ledger.
#[async_trait(?Send)]
pub trait Clock: Send + Sync {
    /// Now, in milliseconds precision.
    async fn now(&self) -> Result<Instant, Fault>;

    /// The time of the world, which a sandbox's clock is set against.
    async fn real_now(&self) -> Result<Instant, Fault> {
        self.now().await
    }
}
