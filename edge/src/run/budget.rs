//! The budget of an invocation: a run counts what it asks of the platform, and hands the rest on well before the
//! platform would end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use chrono::TimeDelta;
use paydown::date::Instant;

use crate::config::Budget;
use crate::error::Fault;
use crate::message::Message;
use crate::ports::{
    Answer, Archive, ArchiveWriter, Courier, Database, Outbox, Ports, Processor, Receipt, ReportBody,
    Statement, Webhook,
};

/// What an invocation has used so far.
pub(super) struct Meter {
    budget: Budget,
    begun_at: Instant,
    subrequests: AtomicU32,
    statements: AtomicU32,
}

impl Meter {
    /// Ports through which everything is counted from now on.
    pub async fn of(ports: &Ports, budget: Budget) -> Result<(Arc<Meter>, Ports), Fault> {
        let begun_at = ports.clock.real_now().await?;
        let (subrequests, statements) = (AtomicU32::new(0), AtomicU32::new(0));
        let meter = Arc::new(Meter { budget, begun_at, subrequests, statements });
        let metered = Ports {
            database: Arc::new(Metered { inner: Arc::clone(&ports.database), meter: Arc::clone(&meter) }),
            processor: Arc::new(Metered { inner: Arc::clone(&ports.processor), meter: Arc::clone(&meter) }),
            archive: Arc::new(Metered { inner: Arc::clone(&ports.archive), meter: Arc::clone(&meter) }),
            outbox: Arc::new(Metered { inner: Arc::clone(&ports.outbox), meter: Arc::clone(&meter) }),
            courier: Arc::new(Metered { inner: Arc::clone(&ports.courier), meter: Arc::clone(&meter) }),
            ..ports.clone()
        };
        Ok((meter, metered))
    }

    /// Whether the invocation is to begin nothing more.
    pub async fn is_used(&self, ports: &Ports) -> Result<bool, Fault> {
        let passed = ports.clock.real_now().await?.signed_duration_since(self.begun_at);
        Ok(passed >= TimeDelta::seconds(self.budget.seconds)
            || self.subrequests.load(Ordering::Relaxed) >= self.budget.subrequests
            || self.statements.load(Ordering::Relaxed) >= self.budget.statements)
    }

    fn count(&self, statements: usize) {
        self.subrequests.fetch_add(1, Ordering::Relaxed);
        self.statements.fetch_add(u32::try_from(statements).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

/// A port whose uses are counted.
struct Metered<P: ?Sized> {
    inner: Arc<P>,
    meter: Arc<Meter>,
}

#[async_trait(?Send)]
impl Database for Metered<dyn Database> {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        self.meter.count(statements.len());
        self.inner.batch(statements).await
    }

    async fn wait(&self, milliseconds: u32) {
        self.inner.wait(milliseconds).await;
    }
}

#[async_trait(?Send)]
impl Processor for Metered<dyn Processor> {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        self.meter.count(0);
        self.inner.perform(key, body).await
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        self.meter.count(0);
        self.inner.report().await
    }

    async fn wait(&self, milliseconds: u32) {
        self.inner.wait(milliseconds).await;
    }

    #[cfg(feature = "sandbox")]
    async fn set_clock(&self, now: Instant) -> Result<(), String> {
        self.inner.set_clock(now).await
    }
}

#[async_trait(?Send)]
impl Archive for Metered<dyn Archive> {
    async fn create(&self, key: &str) -> Result<Box<dyn ArchiveWriter>, Fault> {
        self.meter.count(0);
        Ok(Box::new(MeteredWriter { inner: self.inner.create(key).await?, meter: Arc::clone(&self.meter) }))
    }

    async fn read(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault> {
        self.meter.count(0);
        self.inner.read(key, offset, length).await
    }
}

/// A writer whose uses are counted: each may send a part.
struct MeteredWriter {
    inner: Box<dyn ArchiveWriter>,
    meter: Arc<Meter>,
}

#[async_trait(?Send)]
impl ArchiveWriter for MeteredWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.inner.write(bytes).await
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        self.meter.count(0);
        self.inner.finish().await
    }
}

#[async_trait(?Send)]
impl Outbox for Metered<dyn Outbox> {
    async fn send(&self, message: &Message, delay_seconds: u32) -> Result<(), Fault> {
        self.meter.count(0);
        self.inner.send(message, delay_seconds).await
    }
}

#[async_trait(?Send)]
impl Courier for Metered<dyn Courier> {
    async fn post(&self, webhook: &Webhook) -> Receipt {
        self.meter.count(0);
        self.inner.post(webhook).await
    }
}
