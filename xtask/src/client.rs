//! HTTP to what serves on this machine.

use crate::step::{Result, Stop};
use serde_json::Value;
use std::time::Duration;

/// A client of one address.
pub struct Client {
    agent: ureq::Agent,
    address: String,
    bearer: String,
}

/// What was answered.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Client {
    pub fn new(address: &str, bearer: &str, timeout: Duration) -> Client {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            .build()
            .new_agent();
        Client { agent, address: address.to_owned(), bearer: format!("Bearer {bearer}") }
    }

    pub fn get(&self, path: &str) -> Result<Answer> {
        let request = self.agent.get(format!("{}{path}", self.address)).header("Authorization", &self.bearer);
        read(path, request.call())
    }

    /// Posts JSON, under an Idempotency-Key where one is given.
    pub fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Result<Answer> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.address))
            .header("Authorization", &self.bearer)
            .header("Content-Type", "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        read(path, request.send(body.to_string()))
    }
}

impl Answer {
    pub fn is_json(&self) -> bool {
        serde_json::from_str::<Value>(&self.text).is_ok()
    }

    /// The answer's JSON, when the status is one of success.
    pub fn json(&self, what: &str) -> Result<Value> {
        if !(200..300).contains(&self.status) {
            return Err(Stop(format!("{what} was answered {}: {}", self.status, self.text)));
        }
        serde_json::from_str(&self.text)
            .map_err(|error| Stop(format!("{what} was not answered in JSON: {error}")))
    }
}

fn read(
    path: &str,
    answer: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Answer> {
    let failed = |error: ureq::Error| Stop(format!("{path} was not answered: {error}"));
    let mut answer = answer.map_err(failed)?;
    let text = answer.body_mut().read_to_string().map_err(failed)?;
    Ok(Answer { status: answer.status().as_u16(), text })
}
