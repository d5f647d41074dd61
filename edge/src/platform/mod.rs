//! The platform: D1, HTTP, R2, queues and the rate limiter behind the ports. Compiled for wasm only.

mod archive;
mod clock;
mod courier;
mod database;
mod limiter;
mod outbox;
mod outgoing;
mod processor;
mod zones;

use std::sync::Arc;

use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Env, js_sys};

use crate::bindings::{
    DATABASE, INTAKE_QUEUE, LIMITER, OUTBOX, PROCESSOR_TOKEN, PROCESSOR_URL, REPORTS, RUNS, WEBHOOKS,
};
use crate::config::Settings;
use crate::ledger::sandbox::SandboxClock;
use crate::ports::{Clock, Database, Ports};
use crate::processor::Endpoint;
use archive::R2Archive;
use clock::RealClock;
use courier::HttpCourier;
use database::D1;
use limiter::LocationLimiter;
use outbox::QueueOutbox;
use processor::HttpProcessor;

/// The ports over the bindings, with the settings of the variables.
///
/// An error says which variable or binding is missing or wrong, and never holds a secret.
pub fn ports(env: &Env) -> Result<Ports, String> {
    let mut settings = Settings::from_variables(|name| variable(env, name), zones::named)?;
    let endpoint = Endpoint::parse(&variable(env, PROCESSOR_URL).ok_or("PROCESSOR_URL is not set")?)?;
    // A sandbox's clock and days must never reach a processor that moves real money.
    settings.sandbox = cfg!(feature = "sandbox") && endpoint.loopback;
    settings.is_local = endpoint.loopback;
    let token = variable(env, PROCESSOR_TOKEN).ok_or("the secret PROCESSOR_TOKEN is not set")?;
    let binding = |error: worker::Error| error.to_string();
    let database: Arc<dyn Database> = Arc::new(D1::new(env.d1(DATABASE).map_err(binding)?)?);
    let clock: Arc<dyn Clock> = if settings.sandbox {
        Arc::new(SandboxClock { real: Arc::new(RealClock), database: database.clone() })
    } else {
        Arc::new(RealClock)
    };
    Ok(Ports {
        database,
        processor: Arc::new(HttpProcessor::new(endpoint, &token)?),
        archive: Arc::new(R2Archive::new(env.bucket(REPORTS).map_err(binding)?)),
        outbox: Arc::new(QueueOutbox::new(
            env.queue(RUNS).map_err(binding)?,
            env.queue(OUTBOX).map_err(binding)?,
            env.queue(INTAKE_QUEUE).map_err(binding)?,
            env.queue(WEBHOOKS).map_err(binding)?,
        )),
        courier: Arc::new(HttpCourier),
        limiter: Arc::new(LocationLimiter::new(env.rate_limiter(LIMITER).map_err(binding)?)),
        clock,
        settings: Arc::new(settings),
    })
}

/// A variable or a secret; the platform gives both the same way.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = js_sys::Reflect::get(env, &JsValue::from_str(name)).ok()?;
    value.as_string().filter(|text| !text.is_empty())
}

/// The message of whatever JavaScript threw, with that of its cause.
fn message(thrown: &JsValue) -> String {
    let Some(error) = thrown.dyn_ref::<js_sys::Error>() else {
        return thrown.as_string().unwrap_or_else(|| format!("{thrown:?}"));
    };
    let message = String::from(error.message());
    let cause = error.cause().dyn_ref::<js_sys::Error>().map(|cause| String::from(cause.message()));
    match cause {
        Some(cause) if !message.contains(&cause) => format!("{message}: {cause}"),
        Some(_) | None => message,
    }
}

/// The message of an error of the `worker` crate, whose own text panics for some errors of D1.
fn error_message(error: &worker::Error) -> String {
    match error {
        worker::Error::D1(error) => message(error.as_ref()),
        worker::Error::UnknownJsError { original, .. } => message(original),
        other => other.to_string(),
    }
}
