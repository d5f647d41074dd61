//! Webhooks over HTTP.

use std::time::Duration;

use async_trait::async_trait;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::AbortSignal;

use super::clock::RealClock;
use super::message;
use super::outgoing::{Outgoing, in_time};
use crate::ports::{Courier, Receipt, Webhook};
use crate::processor::retry_after;
use crate::webhooks::ANSWER_SECONDS;

/// Who we say we are.
const USER_AGENT: &str = concat!("Paydown/", env!("CARGO_PKG_VERSION"));

/// Posts webhooks.
pub struct HttpCourier;

impl HttpCourier {
    async fn answer(&self, webhook: &Webhook, signal: &AbortSignal) -> Result<Receipt, JsValue> {
        let own = [("content-type", "application/json"), ("user-agent", USER_AGENT)];
        let theirs = webhook.headers.iter().map(|(name, value)| (&**name, value.as_str()));
        let headers: Vec<_> = own.into_iter().chain(theirs).collect();
        let asked =
            Outgoing { url: &webhook.url, method: "POST", headers: &headers, body: Some(&webhook.body) };
        // Where an endpoint points to was not looked at: what it redirects it does not get.
        let response = asked.send(signal).await?;
        let asked = response.headers().get("retry-after")?;
        // What it says besides is not read, so that its connection does not wait for us.
        if let Some(stream) = response.body() {
            let _ = stream.cancel();
        }
        let retry_after_seconds = asked.and_then(|text| retry_after(&text, RealClock::read()));
        Ok(Receipt::Answered { status: response.status(), retry_after_seconds })
    }
}

#[async_trait(?Send)]
impl Courier for HttpCourier {
    async fn post(&self, webhook: &Webhook) -> Receipt {
        let limit = Duration::from_secs(ANSWER_SECONDS);
        match in_time(limit, async |signal| self.answer(webhook, signal).await).await {
            Some(Ok(receipt)) => receipt,
            Some(Err(thrown)) => Receipt::Lost { why: message(&thrown) },
            None => Receipt::Lost { why: format!("no answer in {ANSWER_SECONDS} s") },
        }
    }
}
