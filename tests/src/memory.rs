//! The archive, the outbox and the clock in memory, a database that fails on demand, and all ports together.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use paydown::date::Instant;
use paydown_edge::config::Settings;
use paydown_edge::error::Fault;
use paydown_edge::message::Message;
use paydown_edge::ports::{Archive, ArchiveWriter, Clock, Database, Limiter, Outbox, Ports, Statement};

use crate::courier::FakeCourier;
use crate::platform::within_limits;
use crate::processor::FakeProcessor;
use crate::sqlite::Sqlite;

/// Everything that the engine asks of the world, each part within a test's reach.
#[derive(Clone)]
pub struct World {
    /// The ledger, which fails on demand.
    pub database: Arc<Frail>,
    /// The processor, by script.
    pub processor: Arc<FakeProcessor>,
    /// The reports.
    pub archive: Arc<MemoryArchive>,
    /// The messages.
    pub outbox: Arc<MemoryOutbox>,
    /// The consumers of webhooks.
    pub courier: Arc<FakeCourier>,
    /// How many requests are allowed.
    pub limiter: Arc<Allowance>,
    /// The time.
    pub clock: Arc<SetClock>,
    /// The configuration.
    pub settings: Arc<Settings>,
}

impl World {
    /// An empty ledger at an instant, with the configuration's defaults.
    pub fn at(now: &str) -> World {
        World::with(now, Settings::default())
    }

    /// An empty ledger at an instant.
    pub fn with(now: &str, settings: Settings) -> World {
        World {
            database: Arc::default(),
            processor: Arc::default(),
            archive: Arc::default(),
            outbox: Arc::default(),
            courier: Arc::default(),
            limiter: Arc::default(),
            clock: Arc::new(SetClock::at(now)),
            settings: Arc::new(settings),
        }
    }

    /// The ports onto this world for one invocation, with the limits of the platform.
    pub fn ports(&self) -> Ports {
        within_limits(self.unlimited_ports())
    }

    /// The same without limits, for whoever replaces one of them.
    pub fn unlimited_ports(&self) -> Ports {
        Ports {
            database: self.database.clone(),
            processor: self.processor.clone(),
            archive: self.archive.clone(),
            outbox: self.outbox.clone(),
            courier: self.courier.clone(),
            limiter: self.limiter.clone(),
            clock: self.clock.clone(),
            settings: self.settings.clone(),
        }
    }

    /// The first column of the rows of any SQL, as text.
    pub fn query(&self, sql: &str) -> Vec<String> {
        self.database.sqlite.query(sql)
    }
}

/// A clock that stands still until it is set.
pub struct SetClock(Mutex<Instant>);

impl SetClock {
    /// A clock that says `now`, RFC 3339.
    pub fn at(now: &str) -> SetClock {
        SetClock(Mutex::new(now.parse().expect("an RFC 3339 instant")))
    }

    /// Sets it.
    pub fn set(&self, now: Instant) {
        *self.0.lock().expect("no test thread panicked") = now;
    }
}

#[async_trait(?Send)]
impl Clock for SetClock {
    async fn now(&self) -> Result<Instant, Fault> {
        Ok(*self.0.lock().expect("no test thread panicked"))
    }
}

/// SQLite that fails when told to, with or without having persisted.
#[derive(Default)]
pub struct Frail {
    /// The database behind it.
    pub sqlite: Sqlite,
    batches: AtomicUsize,
    failures: Mutex<BTreeMap<usize, Failure>>,
}

/// How a batch fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nothing of it lands.
    Before(Fault),
    /// All of it lands, and the caller does not hear of it.
    After(Fault),
}

impl Frail {
    /// Over a ledger that there is.
    pub fn over(sqlite: Sqlite) -> Frail {
        Frail { sqlite, ..Frail::default() }
    }

    /// How many batches came so far.
    pub fn batches(&self) -> usize {
        self.batches.load(Ordering::SeqCst)
    }

    /// Makes the batch fail that comes after `later` others from now on.
    pub fn fail(&self, later: usize, failure: Failure) {
        let number = self.batches() + later;
        self.failures.lock().expect("no test thread panicked").insert(number, failure);
    }
}

#[async_trait(?Send)]
impl Database for Frail {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        let number = self.batches.fetch_add(1, Ordering::SeqCst);
        let failure = self.failures.lock().expect("no test thread panicked").remove(&number);
        match failure {
            None => self.sqlite.batch(statements).await,
            Some(Failure::Before(fault)) => Err(fault),
            Some(Failure::After(fault)) => {
                self.sqlite.batch(statements).await?;
                Err(fault)
            }
        }
    }
}

/// Counts down how many requests of anybody it still allows.
pub struct Allowance(AtomicUsize);

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance(AtomicUsize::new(usize::MAX))
    }
}

impl Allowance {
    /// So many requests are allowed from now on.
    pub fn set(&self, requests: usize) {
        self.0.store(requests, Ordering::SeqCst);
    }
}

#[async_trait(?Send)]
impl Limiter for Allowance {
    async fn allows(&self, _caller: &str) -> bool {
        self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

/// Objects in memory.
#[derive(Default)]
pub struct MemoryArchive(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl MemoryArchive {
    /// The keys of the objects that exist.
    pub fn keys(&self) -> Vec<String> {
        self.0.lock().expect("no test thread panicked").keys().cloned().collect()
    }

    /// The bytes of an object.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().expect("no test thread panicked").get(key).cloned()
    }

    /// Makes an object exist.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        self.0.lock().expect("no test thread panicked").insert(key.to_owned(), bytes);
    }
}

#[async_trait(?Send)]
impl Archive for MemoryArchive {
    async fn create(&self, key: &str) -> Result<Box<dyn ArchiveWriter>, Fault> {
        Ok(Box::new(Writer { objects: self.0.clone(), key: key.to_owned(), bytes: vec![] }))
    }

    async fn read(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault> {
        let object = self.object(key).ok_or_else(|| Fault::Permanent(format!("no object {key}")))?;
        let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(object.len());
        Ok(object[place(offset)..place(offset.saturating_add(length))].to_vec())
    }
}

struct Writer {
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    key: String,
    bytes: Vec<u8>,
}

#[async_trait(?Send)]
impl ArchiveWriter for Writer {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        self.objects.lock().expect("no test thread panicked").insert(self.key, self.bytes);
        Ok(())
    }
}

/// Messages in memory.
#[derive(Default)]
pub struct MemoryOutbox {
    messages: Mutex<Vec<Message>>,
    delays: Mutex<Vec<u32>>,
    fault: Mutex<Option<Fault>>,
}

impl MemoryOutbox {
    /// The messages sent so far.
    pub fn sent(&self) -> Vec<Message> {
        self.messages.lock().expect("no test thread panicked").clone()
    }

    /// Takes the messages out, as the queue's consumer does.
    pub fn take(&self) -> Vec<Message> {
        std::mem::take(&mut *self.messages.lock().expect("no test thread panicked"))
    }

    /// After how many seconds each message ever sent is to be delivered.
    pub fn delays(&self) -> Vec<u32> {
        self.delays.lock().expect("no test thread panicked").clone()
    }

    /// Makes the next message fail.
    pub fn fail(&self, fault: Fault) {
        *self.fault.lock().expect("no test thread panicked") = Some(fault);
    }
}

#[async_trait(?Send)]
impl Outbox for MemoryOutbox {
    async fn send(&self, message: &Message, delay_seconds: u32) -> Result<(), Fault> {
        if let Some(fault) = self.fault.lock().expect("no test thread panicked").take() {
            return Err(fault);
        }
        self.messages.lock().expect("no test thread panicked").push(message.clone());
        self.delays.lock().expect("no test thread panicked").push(delay_seconds);
        Ok(())
    }
}
