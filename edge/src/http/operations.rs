//! What operators do to a credit: each with actor, note and idempotency key (L8).

use axum::http::StatusCode;
use axum::response::Response;
use paydown::api::{Credit, FieldError, NoQuery};
use paydown::credit::Facts;
use paydown::decision::{Context, Input, decide};
use paydown::id::CreditId;
use serde_json::Value;

use super::call::{Answered, Call, Members, REPLAYED, json};
use super::problem::Problem;
use crate::ledger::decisions::Landing;
use crate::ledger::facts::facts;
use crate::ledger::keys;
use crate::ledger::operations::{self, Operation};
use crate::ports::Ports;
use axum::http::HeaderValue;

/// The largest body of an operation.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

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
    call.parameters::<NoQuery>()?.check()?;
    let idempotency_key = call.idempotency_key()?;
    let credit_id: CreditId = call.id("credit")?;
    let note = note(&mut call).await?;
    let fingerprint = keys::hash(&format!("{action}\n{credit_id}\n{note}"));
    let operation = Operation { idempotency_key, fingerprint, credit_id, action, actor: call.actor(), note };
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
pub async fn done(ports: &Ports, operation: &Operation, input: Input) -> Result<bool, Problem> {
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

/// Why an operator acts: the body's only member.
pub async fn note(call: &mut Call) -> Result<String, Problem> {
    let mut members = call.members(MAX_BODY_BYTES).await?;
    let mut errors = Vec::new();
    let note = note_of(&mut members, &mut errors);
    errors.extend(members.unknown());
    note.filter(|_| errors.is_empty()).ok_or_else(|| Problem::invalid(errors))
}

/// The member `note`, or what is wrong with it.
pub fn note_of(members: &mut Members, errors: &mut Vec<FieldError>) -> Option<String> {
    let given = members.take("note").unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    let note = given.as_ref().and_then(Value::as_str).map(|note| note.trim().to_owned());
    let note = note.filter(|note| (1..=MAX_NOTE_CHARS).contains(&note.chars().count()));
    if note.is_none() {
        let detail = format!("must say why, in 1 to {MAX_NOTE_CHARS} characters");
        errors.push(FieldError { pointer: "/note".into(), detail });
    }
    note
}
