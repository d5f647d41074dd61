//! A processor for as many transactions as a large book has: it answers over HTTP, and the same answers to a run
//! beside it. It keeps nothing but what it was asked.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use paydown::date::Instant;
use paydown_edge::ports::{Answer, Processor, ReportBody};
use paydown_tests::processor::{Download, FakeReport};
use serde_json::{Value, json};

/// Carries out whatever it is asked, once for each key.
#[derive(Clone, Default)]
pub struct Books(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// How often each key was called for.
    calls: BTreeMap<String, u64>,
    report: Arc<Vec<u8>>,
    downloads: usize,
}

impl Books {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().expect("no test thread panicked")
    }

    /// What every report says from now on.
    pub fn set_report(&self, report: Vec<u8>) {
        self.kept().report = Arc::new(report);
    }

    /// The keys that were called for, and how often.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.kept().calls.clone()
    }

    pub fn downloads(&self) -> usize {
        self.kept().downloads
    }

    /// The transaction under a key, the same for the same key.
    fn transaction(&self, key: &str) -> String {
        *self.kept().calls.entry(key.to_owned()).or_default() += 1;
        format!("tx_{key}")
    }

    fn download(&self) -> Arc<Vec<u8>> {
        let mut kept = self.kept();
        kept.downloads += 1;
        Arc::clone(&kept.report)
    }

    /// Serves it on a port of its own, which is returned, until the test ends.
    pub fn serve(&self) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        listener.set_nonblocking(true).expect("as tokio asks");
        let router = Router::new()
            .route("/transactions", post(perform))
            .route("/report", get(report))
            .with_state(self.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            runtime.expect("a runtime").block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
                axum::serve(listener, router).await.expect("it serves");
            });
        });
        port
    }
}

async fn perform(State(books): State<Books>, headers: HeaderMap) -> Json<Value> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).expect("a key");
    Json(json!({ "transaction_id": books.transaction(key) }))
}

async fn report(State(books): State<Books>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/csv")], books.download().to_vec())
}

#[async_trait(?Send)]
impl Processor for Books {
    async fn perform(&self, key: &str, _body: &str) -> Answer {
        Answer::Transaction(self.transaction(key))
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        Ok(Box::new(Download::of(FakeReport::of_bytes(self.download().to_vec()))))
    }

    async fn set_clock(&self, _now: Instant) -> Result<(), String> {
        Ok(())
    }
}
