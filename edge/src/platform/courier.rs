//! Webhooks over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use worker::wasm_bindgen::JsValue;
use worker::{
    AbortController, AbortSignal, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, ResponseBody,
};

use super::clock::RealClock;
use super::{error_message, within};
use crate::ports::{Courier, Receipt, Webhook};
use crate::processor::retry_after;
use crate::webhooks::ANSWER_SECONDS;

/// Who we say we are.
const USER_AGENT: &str = concat!("Paydown/", env!("CARGO_PKG_VERSION"));

/// Posts webhooks.
pub struct HttpCourier;

impl HttpCourier {
    async fn answer(&self, webhook: &Webhook, signal: &AbortSignal) -> worker::Result<Receipt> {
        let headers = Headers::new();
        headers.set("content-type", "application/json")?;
        headers.set("user-agent", USER_AGENT)?;
        for (name, value) in &webhook.headers {
            headers.set(name, value)?;
        }
        let mut init = RequestInit::new();
        // Where an endpoint points to was not looked at: what it redirects it does not get.
        init.with_method(Method::Post).with_headers(headers).with_redirect(RequestRedirect::Manual);
        init.with_body(Some(JsValue::from_str(&webhook.body)));
        let request = Request::new_with_init(&webhook.url, &init)?;
        let response = Fetch::Request(request).send_with_signal(signal).await?;
        let (status, asked) = (response.status_code(), response.headers().get("retry-after")?);
        // What it says besides is not read, so that its connection does not wait for us.
        if let ResponseBody::Stream(stream) = response.body() {
            let _ = stream.cancel();
        }
        let retry_after_seconds = asked.and_then(|text| retry_after(&text, RealClock::read()));
        Ok(Receipt::Answered { status, retry_after_seconds })
    }
}

#[async_trait(?Send)]
impl Courier for HttpCourier {
    async fn post(&self, webhook: &Webhook) -> Receipt {
        let controller = AbortController::default();
        let signal = controller.signal();
        match within(Duration::from_secs(ANSWER_SECONDS), self.answer(webhook, &signal)).await {
            Some(Ok(receipt)) => receipt,
            Some(Err(error)) => Receipt::Lost { why: error_message(&error) },
            None => {
                controller.abort();
                Receipt::Lost { why: format!("no answer in {ANSWER_SECONDS} s") }
            }
        }
    }
}
