//! What operators do to a credit and with an exception: each with actor, note and idempotency key (L8).

use axum::http::StatusCode;
use axum::response::Response;
use paydown::api::{Credit, FieldError, Scope};
use paydown::credit::Facts;
use paydown::decision::{Context, Input, decide};
use paydown::id::{CreditId, ExceptionId};
use serde_json::Value;

use super::call::{Answered, Call, Members, REPLAYED, json};
use super::problem::Problem;
use crate::ledger::decisions::Landing;
use crate::ledger::facts::facts;
use crate::ledger::keys;
use crate::ledger::listings;
use crate::ledger::operations::{self, Operation};
use crate::ports::Ports;
use axum::http::HeaderValue;

/// The largest body of an operation.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The longest note.
const MAX_NOTE_CHARS: usize = 2000;

/// How often a credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// `POST /v1/credits/{id}/hold` `{note}`.
pub async fn hold(call: Call) -> Answered {
    act(call, "hold", Input::Hold, "the credit is held by an operator already").await
}

/// `POST /v1/credits/{id}/release` `{note}`: ends all holds on the credit and fills the gaps that wait.
pub async fn release(call: Call) -> Answered {
    act(call, "release", Input::Release { exception_id: None }, "the credit is not held").await
}

/// Does `input` to the credit of the path, once for each idempotency key.
async fn act(mut call: Call, action: &'static str, input: Input, nothing_to_do: &str) -> Answered {
    let key = call.authorize(Scope::Operate).await?;
    call.parameters(&[])?.check()?;
    let idempotency_key = call.idempotency_key()?;
    let credit_id: CreditId = call.id("credit")?;
    let note = note(call.members(MAX_BODY_BYTES).await?, &[]).map_err(Problem::invalid)?.0;
    let fingerprint = keys::hash(&format!("{action}\n{credit_id}\n{note}"));
    let operation = Operation { idempotency_key, fingerprint, credit_id, action, actor: key.label, note };
    let database = &*call.ports.database;
    if let Some(done) = operations::done(database, &operation.idempotency_key).await? {
        if done.fingerprint != operation.fingerprint {
            return Err(Problem::idempotency_key_reused(done.credit_id));
        }
        let mut response = credit(&call.ports, credit_id).await?;
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok(response);
    }
    if !done(&call.ports, &operation, input).await? {
        return Err(Problem::conflict(nothing_to_do));
    }
    credit(&call.ports, credit_id).await
}

/// Decides and lands; false when nothing follows.
async fn done(ports: &Ports, operation: &Operation, input: Input) -> Result<bool, Problem> {
    let credit_id = operation.credit_id;
    for _ in 0..ATTEMPTS {
        let facts = known(ports, credit_id).await?;
        let at = ports.clock.now().await?;
        let context = Context { as_of: at, zone: &ports.settings.zone, policy: &ports.settings.policy };
        let decision = decide(&facts, input, &context);
        if decision.facts.is_empty() {
            return Ok(false);
        }
        let landing = Landing { credit_id, decision, run_id: None, at, bodies: vec![] };
        if operations::land(&*ports.database, &ports.settings.policy, operation, &landing, at).await? {
            return Ok(true);
        }
    }
    Err(Problem::conflict("the credit kept changing: try again"))
}

async fn known(ports: &Ports, id: CreditId) -> Result<Facts, Problem> {
    let found = facts(&*ports.database, &[id]).await?.into_iter().next();
    found.ok_or_else(|| Problem::not_found(format!("there is no credit {id}")))
}

async fn credit(ports: &Ports, id: CreditId) -> Result<Response, Problem> {
    json(StatusCode::OK, &Credit::of(&known(ports, id).await?))
}

/// `POST /v1/exceptions/{id}/resolution` `{action, note}`: `close` for one that holds nothing, `release` for one
/// that holds credits, which ends its hold on each of them.
pub async fn resolve(mut call: Call) -> Answered {
    let key = call.authorize(Scope::Operate).await?;
    call.parameters(&[])?.check()?;
    let id: ExceptionId = call.id("exception")?;
    let members = call.members(MAX_BODY_BYTES).await?;
    let (note, action) = note(members, &["close", "release"]).map_err(Problem::invalid)?;
    let database = &*call.ports.database;
    let exception = operations::to_resolve(database, id).await?;
    let exception = exception.ok_or_else(|| Problem::not_found(format!("there is no exception {id}")))?;
    if !exception.open {
        return Err(Problem::conflict("the exception is resolved already"));
    }
    match (action.as_str(), exception.holds.as_slice()) {
        ("release", []) => return Err(Problem::conflict("the exception holds nothing: close it")),
        ("release", held) => {
            for credit_id in held {
                let idempotency_key = operations::key_of(id, *credit_id);
                let fingerprint = keys::hash(&format!("release\n{credit_id}\n{note}"));
                let (actor, note) = (key.label.clone(), note.clone());
                let credit_id = *credit_id;
                let operation =
                    Operation { idempotency_key, fingerprint, credit_id, action: "release", actor, note };
                done(&call.ports, &operation, Input::Release { exception_id: Some(id) }).await?;
            }
        }
        (_, []) => {
            let at = call.ports.clock.now().await?;
            operations::close(database, id, &key.label, &note, at).await?;
        }
        (_, held) => {
            let held = held.len();
            return Err(Problem::conflict(format!("the exception holds {held} credits: release them")));
        }
    }
    let exception = listings::exception(database, id).await?;
    json(StatusCode::OK, &exception.ok_or_else(|| Problem::not_found(format!("there is no exception {id}")))?)
}

/// The note of an operation, and its action where one of several is to be chosen.
fn note(mut members: Members, actions: &[&str]) -> Result<(String, String), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut text = |name: &str| match members.take(name) {
        Ok(value) => value.as_ref().and_then(Value::as_str).map(str::trim).map(str::to_owned),
        Err(error) => {
            errors.push(error);
            None
        }
    };
    let note = text("note").filter(|note| !note.is_empty() && note.chars().count() <= MAX_NOTE_CHARS);
    let action = if actions.is_empty() { Some(String::new()) } else { text("action") };
    let action = action.filter(|action| actions.is_empty() || actions.contains(&action.as_str()));
    let wrong = |name: &str, detail: String| FieldError { pointer: format!("/{name}"), detail };
    if note.is_none() {
        errors.push(wrong("note", format!("must say why, in 1 to {MAX_NOTE_CHARS} characters")));
    }
    if action.is_none() {
        errors.push(wrong("action", format!("must be one of {}", actions.join(", "))));
    }
    errors.extend(members.unknown());
    note.zip(action).filter(|_| errors.is_empty()).ok_or(errors)
}
