//! The processor over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use worker::js_sys::{Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{self, ReadableStreamDefaultReader};
use worker::{
    AbortController, AbortSignal, Delay, Fetch, Headers, Method, Request, RequestInit, RequestRedirect,
    Response, ResponseBody,
};

use super::clock::RealClock;
use super::{error_message, message, within};
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

    async fn transaction(&self, key: &str, body: &str, signal: &AbortSignal) -> worker::Result<Answer> {
        let headers = Headers::new();
        headers.set("authorization", &self.authorization)?;
        headers.set("idempotency-key", key)?;
        headers.set("content-type", "application/json")?;
        headers.set("accept", "application/json")?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_headers(headers).with_redirect(RequestRedirect::Manual);
        init.with_body(Some(JsValue::from_str(body)));
        let request = Request::new_with_init(&self.transactions, &init)?;

        let response = Fetch::Request(request).send_with_signal(signal).await?;
        let status = response.status_code();
        let retry_after = response.headers().get("retry-after")?;
        let body = beginning(response).await?;
        Ok(answer(status, retry_after.as_deref(), &body, RealClock::read()))
    }

    async fn open_report(&self, signal: &AbortSignal) -> worker::Result<HttpReport> {
        let headers = Headers::new();
        headers.set("authorization", &self.authorization)?;
        headers.set("accept", "text/csv")?;
        // Content-Length counts the bytes on the wire: uncompressed, they are the report's.
        headers.set("accept-encoding", "identity")?;
        let mut init = RequestInit::new();
        init.with_headers(headers).with_redirect(RequestRedirect::Manual);
        let request = Request::new_with_init(&self.report, &init)?;

        let response = Fetch::Request(request).send_with_signal(signal).await?;
        Ok(HttpReport {
            status: response.status_code(),
            announced_bytes: announced_bytes(response.headers())?,
            bytes: Bytes::of(&response),
        })
    }
}

#[async_trait(?Send)]
impl Processor for HttpProcessor {
    async fn perform(&self, key: &str, body: &str) -> Answer {
        let controller = AbortController::default();
        let signal = controller.signal();
        let call = self.transaction(key, body, &signal);
        match within(Duration::from_secs(ANSWER_SECONDS), call).await {
            Some(Ok(answer)) => answer,
            Some(Err(error)) => Answer::Unknown { detail: error_message(&error) },
            None => {
                controller.abort();
                Answer::Unknown { detail: format!("no answer in {ANSWER_SECONDS} s") }
            }
        }
    }

    async fn report(&self) -> Result<Box<dyn ReportBody>, String> {
        let controller = AbortController::default();
        let signal = controller.signal();
        match within(STALL, self.open_report(&signal)).await {
            Some(Ok(report)) => Ok(Box::new(report)),
            Some(Err(error)) => Err(error_message(&error)),
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
        match within(STALL, self.post_clock(&body)).await {
            Some(Ok(200..=299)) => Ok(()),
            Some(Ok(status)) => Err(format!("the simulator's clock answers {status}")),
            Some(Err(error)) => Err(error_message(&error)),
            None => Err("the simulator's clock does not answer".into()),
        }
    }
}

#[cfg(feature = "sandbox")]
impl HttpProcessor {
    async fn post_clock(&self, body: &str) -> worker::Result<u16> {
        let headers = Headers::new();
        headers.set("authorization", &self.authorization)?;
        headers.set("content-type", "application/json")?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_headers(headers).with_redirect(RequestRedirect::Manual);
        init.with_body(Some(JsValue::from_str(body)));
        let request = Request::new_with_init(&self.clock, &init)?;
        Ok(Fetch::Request(request).send().await?.status_code())
    }
}

/// `Content-Length`, where it counts the bytes that will be read.
fn announced_bytes(headers: &Headers) -> worker::Result<Option<u64>> {
    if headers.get("content-encoding")?.is_some_and(|encoding| encoding != "identity") {
        return Ok(None);
    }
    Ok(headers.get("content-length")?.and_then(|length| length.trim().parse().ok()))
}

/// As much of an answer as is worth reading. A longer one is no JSON any more, and unknown for it. One whose length is
/// announced is read at once: each piece of a stream is a way to the platform and back.
async fn beginning(response: Response) -> worker::Result<Vec<u8>> {
    let announced = announced_bytes(response.headers())?.and_then(|bytes| usize::try_from(bytes).ok());
    if let (Some(0..=MAX_ANSWER_BYTES), ResponseBody::Stream(stream)) = (announced, response.body()) {
        // The `worker` crate's own way goes by pieces, too.
        let whole = web_sys::Response::new_with_opt_readable_stream(Some(stream))?;
        let buffer = JsFuture::from(whole.array_buffer()?).await?;
        return Ok(Uint8Array::new(&buffer).to_vec());
    }
    let mut bytes = Bytes::of(&response);
    let mut read = vec![];
    while read.len() < MAX_ANSWER_BYTES
        && let Some(chunk) = bytes.next().await?
    {
        read.extend_from_slice(&chunk);
    }
    read.truncate(MAX_ANSWER_BYTES);
    Ok(read)
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

/// The bytes of a response as they come. The `worker` crate's own stream takes a connection that breaks off for
/// the end of the bytes.
struct Bytes(Option<ReadableStreamDefaultReader>);

impl Bytes {
    fn of(response: &Response) -> Bytes {
        match response.body() {
            ResponseBody::Stream(stream) => Bytes(ReadableStreamDefaultReader::new(stream).ok()),
            ResponseBody::Empty | ResponseBody::Body(_) => Bytes(None),
        }
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>, JsValue> {
        let Some(reader) = &self.0 else { return Ok(None) };
        let result = JsFuture::from(reader.read()).await?;
        if Reflect::get(&result, &JsValue::from_str("done"))?.is_truthy() {
            self.0 = None;
            return Ok(None);
        }
        let chunk: Uint8Array = Reflect::get(&result, &JsValue::from_str("value"))?.dyn_into()?;
        Ok(Some(chunk.to_vec()))
    }
}

/// What is not read to its end is let go of, so that its connection does not wait for us.
impl Drop for Bytes {
    fn drop(&mut self) {
        if let Some(reader) = &self.0 {
            let _ = reader.cancel();
        }
    }
}
