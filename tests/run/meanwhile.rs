//! What happens between two batches of a run.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use paydown_edge::error::Fault;
use paydown_edge::ports::{Database, Ports, Statement};

/// A database before which something happens once: right when a statement is sent that holds a text.
struct Meanwhile {
    inner: Arc<dyn Database>,
    at: &'static str,
    happens: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

/// Ports of which the database lets something happen, in a thread of its own, right before the first statement that holds a text.
pub fn meanwhile(ports: Ports, at: &'static str, happens: impl FnOnce() + Send + 'static) -> Ports {
    let happens: Box<dyn FnOnce() + Send> =
        Box::new(move || std::thread::spawn(happens).join().expect("it happens"));
    let meanwhile = Meanwhile { inner: ports.database.clone(), at, happens: Mutex::new(Some(happens)) };
    Ports { database: Arc::new(meanwhile), ..ports }
}

/// Whether a statement holds a text.
pub fn has(statements: &[Statement], what: &str) -> bool {
    statements.iter().any(|statement| statement.sql.contains(what))
}

#[async_trait(?Send)]
impl Database for Meanwhile {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<String>>, Fault> {
        if has(statements, self.at)
            && let Some(happens) = self.happens.lock().expect("nobody panicked").take()
        {
            happens();
        }
        self.inner.batch(statements).await
    }

    async fn wait(&self, milliseconds: u32) {
        self.inner.wait(milliseconds).await;
    }
}
