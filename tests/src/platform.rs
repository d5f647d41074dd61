//! The limits of the production platform, which the local runtime does not enforce: what one invocation may ask for.
//!
//! Each [`Ports`] that [`within_limits`] gives is one invocation. Sources: Cloudflare, Workers limits (subrequests, open
//! connections) and D1 limits (statements of an invocation, size of a value, length of a statement).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::future::join;
use paydown::date::Instant;
use paydown_edge::error::Fault;
use paydown_edge::message::Message;
use paydown_edge::ports::{
    Answer, Archive, ArchiveWriter, Courier, Database, Outbox, Ports, Processor, Receipt, ReportBody,
    Statement, Webhook,
};

/// How many statements an invocation may run.
pub const STATEMENTS: usize = 1_000;

/// How many subrequests an invocation may make.
pub const SUBREQUESTS: usize = 10_000;

/// How many connections may wait for an answer at once.
pub const CONNECTIONS: usize = 6;

/// How many bytes a value may have, and a row.
pub const VALUE_BYTES: usize = 2_000_000;

/// How long a statement may be.
pub const SQL_BYTES: usize = 100_000;

/// How many bytes a queue's message may have.
pub const MESSAGE_BYTES: usize = 128_000;

/// The same ports for one invocation, which fails where the platform would.
pub fn within_limits(ports: Ports) -> Ports {
    let used = Arc::new(Used::default());
    Ports {
        database: Arc::new(Limited { inner: ports.database, used: used.clone() }),
        processor: Arc::new(Limited { inner: ports.processor, used: used.clone() }),
        archive: Arc::new(Limited { inner: ports.archive, used: used.clone() }),
        outbox: Arc::new(Limited { inner: ports.outbox, used: used.clone() }),
        courier: Arc::new(Limited { inner: ports.courier, used }),
        ..ports
    }
}

/// What an invocation has used.
#[derive(Default)]
struct Used {
    statements: AtomicUsize,
    subrequests: AtomicUsize,
    waiting: AtomicUsize,
}

impl Used {
    fn subrequest(&self) -> Result<(), Fault> {
        let before = self.subrequests.fetch_add(1, Ordering::SeqCst);
        let fits = before < SUBREQUESTS;
        fits.then_some(()).ok_or_else(|| Fault::Overloaded("Too many subrequests.".into()))
    }
}

struct Limited<P: ?Sized> {
    inner: Arc<P>,
    used: Arc<Used>,
}

#[async_trait(?Send)]
impl Database for Limited<dyn Database> {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        self.used.subrequest()?;
        let before = self.used.statements.fetch_add(statements.len(), Ordering::SeqCst);
        if before + statements.len() > STATEMENTS {
            return Err(Fault::Overloaded("Too many API requests by single worker invocation.".into()));
        }
        for statement in statements {
            if statement.sql.len() > SQL_BYTES || statement.parameter.len() > VALUE_BYTES {
                return Err(Fault::Permanent("string or blob too big: SQLITE_TOOBIG".into()));
            }
        }
        // A moment in which another invocation may come in between.
        yielded().await;
        let results = self.inner.batch(statements).await?;
        if results.iter().flatten().any(|row| row.len() > VALUE_BYTES) {
            return Err(Fault::Permanent("string or blob too big: SQLITE_TOOBIG".into()));
        }
        Ok(results)
    }

    async fn wait(&self, milliseconds: u32) {
        self.inner.wait(milliseconds).await;
    }
}

#[async_trait(?Send)]
impl Processor for Limited<dyn Processor> {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        if let Err(fault) = self.used.subrequest() {
            return Answer::Unknown { detail: fault.to_string() };
        }
        // A moment in which others begin too: as many wait at once as the caller lets.
        let waiting = self.used.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(waiting <= CONNECTIONS, "{waiting} connections wait at once");
        let (answer, ()) = join(self.inner.perform(key, body), yielded()).await;
        self.used.waiting.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        self.used.subrequest().map_err(|fault| fault.to_string())?;
        self.inner.report().await
    }

    async fn wait(&self, milliseconds: u32) {
        self.inner.wait(milliseconds).await;
    }

    async fn set_clock(&self, now: Instant) -> Result<(), String> {
        self.inner.set_clock(now).await
    }
}

#[async_trait(?Send)]
impl Courier for Limited<dyn Courier> {
    async fn post(&self, webhook: &Webhook) -> Receipt {
        if let Err(fault) = self.used.subrequest() {
            return Receipt::Lost { why: fault.to_string() };
        }
        let waiting = self.used.waiting.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(waiting <= CONNECTIONS, "{waiting} connections wait at once");
        let (receipt, ()) = join(self.inner.post(webhook), yielded()).await;
        self.used.waiting.fetch_sub(1, Ordering::SeqCst);
        receipt
    }
}

/// Lets the other futures of the task go on once.
async fn yielded() {
    let mut is_second = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut is_second, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[async_trait(?Send)]
impl Archive for Limited<dyn Archive> {
    async fn create(&self, key: &str) -> Result<Box<dyn ArchiveWriter>, Fault> {
        self.used.subrequest()?;
        self.inner.create(key).await
    }

    async fn read(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault> {
        self.used.subrequest()?;
        self.inner.read(key, offset, length).await
    }
}

#[async_trait(?Send)]
impl Outbox for Limited<dyn Outbox> {
    async fn send(&self, message: &Message, delay_seconds: u32) -> Result<(), Fault> {
        self.used.subrequest()?;
        let bytes = serde_json::to_string(message)?.len();
        if bytes > MESSAGE_BYTES {
            return Err(Fault::Permanent(format!("a message of {bytes} bytes")));
        }
        self.inner.send(message, delay_seconds).await
    }
}
