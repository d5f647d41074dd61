//! The platform's rate limiter: it counts in each location by itself, approximately.

use async_trait::async_trait;
use serde_json::json;
use worker::RateLimiter;
use worker::send::SendWrapper;

use super::error_message;
use crate::log;
use crate::ports::Limiter;

/// The binding `LIMITER`.
pub struct LocationLimiter(SendWrapper<RateLimiter>);

impl LocationLimiter {
    /// The limiter over a binding.
    pub fn new(limiter: RateLimiter) -> LocationLimiter {
        LocationLimiter(SendWrapper::new(limiter))
    }
}

#[async_trait(?Send)]
impl Limiter for LocationLimiter {
    async fn allows(&self, caller: &str) -> bool {
        match self.0.limit(caller.to_owned()).await {
            Ok(outcome) => outcome.success,
            Err(error) => {
                log::error("the rate limiter failed", json!({ "error": error_message(&error) }));
                true
            }
        }
    }
}
