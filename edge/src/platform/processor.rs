//! The processor over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use worker::Delay;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::{AbortController, AbortSignal};

use super::clock::RealClock;
use super::message;
use super::outgoing::{Bytes, Outgoing, announced_bytes, beginning, in_time, within};
use crate::ports::{Answer, Processor, ReportBody};
use crate::processor::{ANSWER_SECONDS, Endpoint, MAX_ANSWER_BYTES, answer};

/// How long the report may be silent, before its first byte and between two.
const STALL: Duration = Duration::from_secs(30);

/// The processor at an address, with the secret that it knows us by.
pub struct HttpProcessor {
    transactions: String,
    report: String,
    #[cfg(feature = "sandbox")]
    clock: String,
    authorization: String,
}

impl HttpProcessor {
    /// An error when the token cannot stand in a header.
    pub fn new(endpoint: Endpoint, token: &str) -> Result<HttpProcessor, String> {
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the secret PROCESSOR_TOKEN must be printable ASCII without spaces".into());
        }
        Ok(HttpProcessor {
            transactions: endpoint.address("transactions"),
            report: endpoint.address("report"),
            #[cfg(feature = "sandbox")]
            clock: endpoint.address("clock"),
            authorization: format!("Bearer {token}"),
        })
    }

    async fn transaction(&self, key: &str, body: &str, signal: &AbortSignal) -> Result<Answer, JsValue> {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("idempotency-key", key),
            ("content-type", "application/json"),
            ("accept", "application/json"),
        ];
        let asked = Outgoing { url: &self.transactions, method: "POST", headers: &headers, body: Some(body) };
        let response = asked.send(signal).await?;
        let asks_to_wait = response.status() == 429;
        let retry_after = if asks_to_wait { response.headers().get("retry-after")? } else { None };
        let body = beginning(&response, MAX_ANSWER_BYTES).await?;
        Ok(answer(response.status(), retry_after.as_deref(), &body, RealClock::read()))
    }

    async fn open_report(&self, signal: &AbortSignal) -> Result<HttpReport, JsValue> {
        let headers = [
            ("authorization", self.authorization.as_str()),
            ("accept", "text/csv"),
            // Content-Length counts the bytes on the wire: uncompressed, they are the report's.
            ("accept-encoding", "identity"),
        ];
        let asked = Outgoing { url: &self.report, method: "GET", headers: &headers, body: None };
        let response = asked.send(signal).await?;
        Ok(HttpReport {
            status: response.status(),
            announced_bytes: announced_bytes(&response)?,
            bytes: Bytes::of(&response),
        })
    }
}

#[async_trait(?Send)]
impl Processor for HttpProcessor {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        let limit = Duration::from_secs(ANSWER_SECONDS);
        match in_time(limit, async |signal| self.transaction(key, body, signal).await).await {
            Some(Ok(answer)) => answer,
            Some(Err(thrown)) => Answer::Unknown { detail: message(&thrown) },
            None => Answer::Unknown { detail: format!("no answer in {ANSWER_SECONDS} s") },
        }
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        // Only its beginning has a limit: a long report may be read for as long as it comes.
        let controller = AbortController::new().map_err(|thrown| message(&thrown))?;
        match within(STALL, self.open_report(&controller.signal())).await {
            Some(Ok(report)) => Ok(Box::new(report)),
            Some(Err(thrown)) => Err(message(&thrown)),
            None => {
                controller.abort();
                Err(format!("no report in {} s", STALL.as_secs()))
            }
        }
    }

    async fn wait(&self, milliseconds: u32) {
        Delay::from(Duration::from_millis(u64::from(milliseconds))).await;
    }

    #[cfg(feature = "sandbox")]
    async fn set_clock(&self, now: paydown::date::Instant) -> Result<(), String> {
        let body = serde_json::json!({ "now": paydown::date::text(now) }).to_string();
        match in_time(STALL, async |signal| self.post_clock(&body, signal).await).await {
            Some(Ok(200..=299)) => Ok(()),
            Some(Ok(status)) => Err(format!("the simulator's clock answers {status}")),
            Some(Err(thrown)) => Err(message(&thrown)),
            None => Err("the simulator's clock does not answer".into()),
        }
    }
}

#[cfg(feature = "sandbox")]
impl HttpProcessor {
    async fn post_clock(&self, body: &str, signal: &AbortSignal) -> Result<u16, JsValue> {
        let headers = [("authorization", self.authorization.as_str()), ("content-type", "application/json")];
        let asked = Outgoing { url: &self.clock, method: "POST", headers: &headers, body: Some(body) };
        Ok(asked.send(signal).await?.status())
    }
}

struct HttpReport {
    status: u16,
    announced_bytes: Option<u64>,
    bytes: Bytes,
}

#[async_trait(?Send)]
impl ReportBody for HttpReport {
    fn status(&self) -> u16 {
        self.status
    }

    fn announced_bytes(&self) -> Option<u64> {
        self.announced_bytes
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        match within(STALL, self.bytes.next()).await {
            Some(Ok(chunk)) => Ok(chunk),
            Some(Err(thrown)) => Err(message(&thrown)),
            None => Err(format!("the report was silent for {} s", STALL.as_secs())),
        }
    }
}
