//! Requests to others, as the platform's `fetch` takes them.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use serde::Serialize;
use worker::Delay;
use worker::js_sys::{self, JSON, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{AbortSignal, ReadableStreamDefaultReader, RequestInit, Response, WorkerGlobalScope};

/// A request to another.
pub struct Outgoing<'a> {
    pub url: &'a str,
    pub method: &'static str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: Option<&'a str>,
}

impl Outgoing<'_> {
    /// What answers, until its headers. It is not followed to where it redirects.
    pub async fn send(&self, signal: &AbortSignal) -> Result<Response, JsValue> {
        // All at once: each way to the platform and back costs more than the text.
        let init = Init { method: self.method, redirect: "manual", headers: self.headers };
        let init = serde_json::to_string(&init).map_err(|error| JsValue::from_str(&error.to_string()))?;
        let init: RequestInit = JSON::parse(&init)?.unchecked_into();
        init.set_signal(Some(signal));
        if let Some(body) = self.body {
            init.set_body(&JsValue::from_str(body));
        }
        let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
        JsFuture::from(scope.fetch_with_str_and_init(self.url, &init)).await?.dyn_into()
    }
}

/// What the platform's `fetch` is given besides the address, the body and the signal.
#[derive(Serialize)]
struct Init<'a> {
    method: &'a str,
    redirect: &'a str,
    headers: &'a [(&'a str, &'a str)],
}

/// What a call gives that is over within a limit, its answer read to the end; else it is broken off. The platform keeps the time
/// itself: a timer of ours is some ten ways to the platform and back for each call.
pub async fn in_time<T>(
    limit: Duration,
    call: impl AsyncFnOnce(&AbortSignal) -> Result<T, JsValue>,
) -> Option<Result<T, JsValue>> {
    let signal = AbortSignal::timeout_with_f64(limit.as_secs_f64() * 1000.0);
    let answered = call(&signal).await;
    let is_broken_off = answered.is_err() && signal.aborted();
    (!is_broken_off).then_some(answered)
}

/// What a future gives, unless it takes longer.
pub async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), pin!(Delay::from(limit))).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

/// `Content-Length`, where it counts the bytes that will be read.
pub fn announced_bytes(response: &Response) -> Result<Option<u64>, JsValue> {
    let headers = response.headers();
    if headers.get("content-encoding")?.is_some_and(|encoding| encoding != "identity") {
        return Ok(None);
    }
    Ok(headers.get("content-length")?.and_then(|length| length.trim().parse().ok()))
}

/// The first bytes of a body, so many at most. One whose length is announced is read at once: each piece of a stream is a way
/// to the platform and back.
pub async fn beginning(response: &Response, most: usize) -> Result<Vec<u8>, JsValue> {
    let announced = announced_bytes(response)?.and_then(|bytes| usize::try_from(bytes).ok());
    if announced.is_some_and(|bytes| bytes <= most) {
        let buffer = JsFuture::from(response.array_buffer()?).await?;
        return Ok(Uint8Array::new(&buffer).to_vec());
    }
    let mut bytes = Bytes::of(response);
    let mut read = vec![];
    while read.len() < most
        && let Some(chunk) = bytes.next().await?
    {
        read.extend_from_slice(&chunk);
    }
    read.truncate(most);
    Ok(read)
}

/// The bytes of a body as they come. The `worker` crate's own stream takes a connection that breaks off for the end of
/// the bytes.
pub struct Bytes(Option<ReadableStreamDefaultReader>);

impl Bytes {
    pub fn of(response: &Response) -> Bytes {
        Bytes(response.body().and_then(|stream| ReadableStreamDefaultReader::new(&stream).ok()))
    }

    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, JsValue> {
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
