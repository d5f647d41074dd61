//! The database and the archive of a world: each call may fail, with or without having persisted, and each is a
//! moment at which the caller may crash.

use std::sync::Arc;

use async_trait::async_trait;
use paydown_edge::error::Fault;
use paydown_edge::ports::{Archive, ArchiveWriter, Database, Statement};
use paydown_tests::memory::MemoryArchive;
use paydown_tests::sqlite::Sqlite;

use crate::config::Trouble;
use crate::scene::{Scene, pause};

/// SQLite that fails by chance.
pub struct FrailDatabase {
    pub sqlite: Arc<Sqlite>,
    pub scene: Arc<Scene>,
}

#[async_trait(?Send)]
impl Database for FrailDatabase {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        pause().await;
        let cause = self.scene.next_call();
        if self.scene.has(Trouble::BatchBefore, &cause) {
            return Err(fault(&self.scene, &cause));
        }
        let outcome = self.sqlite.batch(statements).await;
        if let Err(error) = &outcome {
            self.scene.tell(format!("    the database refuses: {error}"));
        }
        pause().await;
        if self.scene.has(Trouble::BatchAfter, &cause) {
            outcome?;
            return Err(fault(&self.scene, &cause));
        }
        outcome
    }
}

fn fault(scene: &Scene, cause: &str) -> Fault {
    let kinds: [fn(String) -> Fault; 3] = [Fault::Transient, Fault::Permanent, Fault::Overloaded];
    scene.dice.of("fault").of(cause).pick(&kinds)("the database is not well".into())
}

/// An archive that fails by chance.
pub struct FrailArchive {
    pub archive: Arc<MemoryArchive>,
    pub scene: Arc<Scene>,
}

#[async_trait(?Send)]
impl Archive for FrailArchive {
    async fn create(&self, key: &str) -> Result<Box<dyn ArchiveWriter>, Fault> {
        pause().await;
        let cause = self.scene.next_call();
        if self.scene.has(Trouble::ArchiveFault, &cause) {
            return Err(Fault::Transient("the archive is not well".into()));
        }
        let writer = self.archive.create(key).await?;
        Ok(Box::new(FrailWriter { writer, scene: self.scene.clone() }))
    }

    async fn read(&self, key: &str, offset: u64, length: u64) -> Result<Vec<u8>, Fault> {
        pause().await;
        let cause = self.scene.next_call();
        if self.scene.has(Trouble::ArchiveFault, &cause) {
            return Err(Fault::Transient("the archive is not well".into()));
        }
        self.archive.read(key, offset, length).await
    }
}

struct FrailWriter {
    writer: Box<dyn ArchiveWriter>,
    scene: Arc<Scene>,
}

#[async_trait(?Send)]
impl ArchiveWriter for FrailWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        pause().await;
        self.writer.write(bytes).await
    }

    async fn finish(self: Box<Self>) -> Result<(), Fault> {
        pause().await;
        let cause = self.scene.next_call();
        self.writer.finish().await?;
        pause().await;
        if self.scene.has(Trouble::ArchiveFault, &cause) {
            return Err(Fault::Transient("the archive kept it and did not say so".into()));
        }
        Ok(())
    }
}
