//! `POST /v1/perform_advance`: money leaves, once for each idempotency key.
//!
//! 1. Check the request: everything that is wrong with it at once. Who calls comes first: a caller who may not
//!    learns nothing about the body.
//! 2. In one batch: find the API key, and record the credit and the request where all allows it.
//! 3. Call the processor under the credit's id, if this request made the credit.
//! 4. Record the outcome. Whatever fails from here on, the advance is recorded and will be sought.
//!
//! A repeated request ends after 2 with the first one's outcome. With `INTAKE=queue`, 2 records nothing: what may be
//! recorded goes to the queue, whose consumers do the rest (`run::intake`).

use std::ops::RangeInclusive;

use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use paydown::api::{AdvanceRequest, Credit, DEFAULT_INSTALLMENTS, DEFAULT_INTERVAL_DAYS, Intake, Scope};
use paydown::credit::Facts;
use paydown::date::Instant;
use paydown::id::{self, CreditId, TransactionId};
use paydown::plan::{MAX_INSTALLMENTS, MAX_INTERVAL_DAYS};
use uuid::Uuid;

use super::body::Body;
use super::call::{AdvanceOutcome, Answered, Call, allowed, json};
use super::problem::{Problem, REPLAYED};
use crate::config::Settings;
use crate::error::Fault;
use crate::ledger::advances::{self, Asker, Proposal, Recorded, Refusal, Request, Room, Standing};
use crate::ledger::facts::facts;
use crate::ledger::keys;
use crate::log;
use crate::message::{Intent, Message};
use crate::ports::{Answer, Ports};
use crate::processor::{Direction, body};

/// The largest body that is read (contract, 413).
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The longest account id (contract).
const MAX_ACCOUNT_ID_CHARS: usize = 64;

/// How often an advance is offered when others to the same account are recorded in between.
const ATTEMPTS: u32 = 10;

/// How many installments may be asked for.
pub const INSTALLMENTS: RangeInclusive<u64> = 1..=MAX_INSTALLMENTS as u64;

/// How many days there may be from one to the next.
pub const INTERVAL_DAYS: RangeInclusive<u64> = 1..=MAX_INTERVAL_DAYS as u64;

/// Performs an advance.
pub async fn perform(mut call: Call) -> Answered {
    // 1.
    let key_hash = call.key_hash()?;
    let (idempotency_key, asked) = match checked(&mut call).await {
        Ok(checked) => checked,
        Err(problem) => {
            call.authorize(Scope::Advance).await?;
            return Err(problem);
        }
    };
    // 2.
    let now = call.ports.clock.now().await?;
    let intent = intent(&call, &asked, idempotency_key, now)?;
    match call.ports.settings.intake {
        Intake::Direct => direct(&call, &intent, &key_hash).await,
        Intake::Queue => by_queue(&call, intent, &key_hash).await,
    }
}

/// Records the intent and calls the processor for it.
async fn direct(call: &Call, intent: &Intent, key_hash: &str) -> Answered {
    let ports = &call.ports;
    let Some(request) = recorded(ports, intent, key_hash).await? else {
        // Others had advances to the account recorded each time in between.
        return Err(Problem::not_known_to_be_recorded());
    };
    if request.fingerprint != intent.fingerprint {
        return Err(Problem::idempotency_key_reused(request.credit_id));
    }
    if request.credit_id != intent.id {
        return replay(ports, request).await;
    }
    if prefers_async(&call.headers) {
        return hand_on(ports, &call.headers, &request).await;
    }
    // 3.
    let answer = ports.processor.perform(&intent.id.to_string(), &intent.body).await;
    // 4.
    conclude(ports, request, answer).await
}

/// The request that stands for the idempotency key once the intent was offered to the ledger. A limit of the account
/// is worked out before, and holds if the account has as many credits still.
async fn recorded(ports: &Ports, intent: &Intent, key_hash: &str) -> Result<Option<Request>, Problem> {
    let (database, settings) = (&*ports.database, &*ports.settings);
    let mut proposal = Proposal { intent, asker: Asker::Presents(key_hash), room: Room::Unlimited };
    for _ in 0..ATTEMPTS {
        if settings.max_per_account.is_some() {
            let (request, room) = looked_up(ports, &proposal).await?;
            if request.is_some() {
                return Ok(request);
            }
            proposal.room = room;
        }
        if let Some(new) = advances::record_new(database, settings, &proposal).await.map_err(not_known)? {
            return Ok(Some(new));
        }
        let (found, _) = looked(ports, &proposal).await?;
        let request = permitted(found, &proposal, settings)?;
        if request.is_some() {
            return Ok(request);
        }
    }
    Ok(None)
}

/// Takes the intent into the queue, if all that is known now allows it. Its credit's id follows from the idempotency
/// key, so that whoever repeats the request before it is recorded is told the same.
async fn by_queue(call: &Call, intent: Intent, key_hash: &str) -> Answered {
    let ports = &call.ports;
    let proposal = Proposal { intent: &intent, asker: Asker::Presents(key_hash), room: Room::Unlimited };
    let (found, credits) = looked(ports, &proposal).await?;
    let api_key_id = found.key.as_ref().map(|key| key.id).unwrap_or_default();
    let room = Room::of(ports.settings.max_per_account, &intent, &credits, &[]);
    if let Some(request) = permitted(found, &Proposal { room, ..proposal }, &ports.settings)? {
        if request.fingerprint != intent.fingerprint {
            return Err(Problem::idempotency_key_reused(request.credit_id));
        }
        return replay(ports, request).await;
    }
    let first = intent.first_facts();
    let message = Message::Record { api_key_id, intent: Box::new(intent) };
    ports.outbox.send(&message, 0).await.map_err(not_known)?;
    taken_over(&call.headers, &first)
}

/// The earlier request of the idempotency key, or the room that the account has.
async fn looked_up(ports: &Ports, proposal: &Proposal<'_>) -> Result<(Option<Request>, Room), Problem> {
    let (found, credits) = looked(ports, proposal).await?;
    let room = Room::of(ports.settings.max_per_account, proposal.intent, &credits, &[]);
    let proposal = Proposal { room, ..proposal.clone() };
    Ok((permitted(found, &proposal, &ports.settings)?, room))
}

async fn looked(ports: &Ports, proposal: &Proposal<'_>) -> Result<(Recorded, Vec<Facts>), Problem> {
    let looked = advances::look(&*ports.database, &ports.settings, std::slice::from_ref(proposal)).await;
    let (found, credits) = looked.map_err(not_known)?;
    Ok((only(found)?, credits))
}

/// What was found of the one intent that was offered.
fn only(found: Vec<Recorded>) -> Result<Recorded, Problem> {
    found.into_iter().next().ok_or_else(Problem::not_known_to_be_recorded)
}

/// 503 for a fault beneath: whatever became of this request or of an earlier one, the same key tells.
fn not_known(fault: Fault) -> Problem {
    log::error("an advance is not known to be recorded", serde_json::json!({ "fault": fault.to_string() }));
    Problem::not_known_to_be_recorded()
}

/// The idempotency key and the request, or what is wrong with them.
async fn checked(call: &mut Call) -> Result<(String, AdvanceRequest), Problem> {
    let body = call.body(MAX_BODY_BYTES).await?;
    let idempotency_key = call.idempotency_key()?;
    let asked = asked(body, &call.ports.settings)?;
    Ok((idempotency_key, asked))
}

/// The request that the body asks for, or all that is wrong with it.
fn asked(mut body: Body, settings: &Settings) -> Result<AdvanceRequest, Problem> {
    let expected = format!("must be a text of 1 to {MAX_ACCOUNT_ID_CHARS} characters of A-Z a-z 0-9 _ . : -");
    let account_id = body.text("account_id", &expected, account);
    let amount = body.whole("amount", 1..=settings.max_advance);
    let fee = body.optional("fee", |body, name| body.whole(name, 0..=settings.max_advance));
    let currency = body.optional("currency", |body, name| {
        let configured = |text: &str| (text == settings.currency).then(|| text.to_owned());
        body.text(name, &format!("must be {}", settings.currency), configured)
    });
    let installments = body.optional("installments", |body, name| body.whole(name, INSTALLMENTS));
    let interval_days = body.optional("interval_days", |body, name| body.whole(name, INTERVAL_DAYS));
    let asked = account_id.zip(amount).map(|(account_id, amount)| AdvanceRequest {
        account_id,
        amount,
        fee: fee.unwrap_or_default(),
        currency: currency.unwrap_or_else(|| settings.currency.clone()),
        installments: installments.unwrap_or(DEFAULT_INSTALLMENTS),
        interval_days: interval_days.unwrap_or(DEFAULT_INTERVAL_DAYS),
    });
    if let (Some(Err(unfit)), true) = (asked.as_ref().map(|asked| asked.terms().check()), body.is_right()) {
        body.wrong(unfit.field(), &unfit.to_string());
    }
    body.finish(asked)
}

fn account(text: &str) -> Option<String> {
    let fits = (1..=MAX_ACCOUNT_ID_CHARS).contains(&text.len());
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (fits && text.bytes().all(known)).then(|| text.to_owned())
}

/// The intent of a request that is right. Its credit's id is random but for its time and its account's bucket; from
/// the queue, where nothing is recorded yet that a repetition could find, it follows from the idempotency key.
fn intent(
    call: &Call,
    asked: &AdvanceRequest,
    idempotency_key: String,
    now: Instant,
) -> Result<Intent, Fault> {
    let bucket = id::bucket(&asked.account_id);
    let id = match call.ports.settings.intake {
        Intake::Direct => {
            let [.., a, b, c, d, e, f, g, h] = Uuid::new_v4().into_bytes();
            let unix_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
            id::created(bucket, unix_ms, [a, b, c, d, e, f, g, h])
        }
        Intake::Queue => id::from_cause(bucket, &["advance", &idempotency_key]),
    };
    let funding = &call.ports.settings.funding_account;
    Ok(Intent {
        id: CreditId(id),
        account_id: asked.account_id.clone(),
        currency: asked.currency.clone(),
        terms: asked.terms(),
        body: body(Direction::Credit, &asked.account_id, funding, asked.amount, id)?,
        asked_at: now,
        idempotency_key,
        fingerprint: keys::hash(&serde_json::to_string(asked)?),
        request_id: call.request_id.clone(),
    })
}

/// The request that the idempotency key stands for; none when nothing forbids to record one; or why none may be
/// recorded, in the order of the contract.
fn permitted(
    found: Recorded,
    proposal: &Proposal<'_>,
    settings: &Settings,
) -> Result<Option<Request>, Problem> {
    allowed(found.key.clone(), Scope::Advance)?;
    match found.standing(proposal, settings) {
        Standing::Known(request) => Ok(Some(*request)),
        Standing::KeyUsed(credit_id) => Err(Problem::idempotency_key_reused(credit_id)),
        Standing::AccountHeld => Err(Problem::account_held()),
        Standing::Stopped => match settings.intake {
            Intake::Direct => Err(Problem::stopped()),
            // An earlier message of the key may wait for the start.
            Intake::Queue => Err(Problem::not_known_to_be_recorded()),
        },
        Standing::LimitReached(limit) => Err(Problem::limit_reached(limit, &settings.currency)),
        // A request's id is its own: none was refused before.
        Standing::Refused | Standing::Free => Ok(None),
    }
}

/// The answer to a repeated request: the first one's outcome, or that there is none yet.
async fn replay(ports: &Ports, request: Request) -> Answered {
    if let Some(refusal) = &request.refusal {
        return Err(Problem::refused(refusal, request.credit_id, request.request_id).replayed());
    }
    let (status, facts) = if request.transaction_id.is_some() {
        (StatusCode::CREATED, request.first_facts())
    } else {
        let now = facts(&*ports.database, &[request.credit_id]).await?.into_iter().next();
        (StatusCode::ACCEPTED, now.unwrap_or_else(|| request.first_facts()))
    };
    let mut response = answered(status, &facts)?;
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// `Prefer: respond-async` (RFC 7240, section 4.1).
fn prefers_async(headers: &HeaderMap) -> bool {
    let texts = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .any(|preference| preference.trim().eq_ignore_ascii_case("respond-async"))
}

/// Leaves the rest to the queue. When the queue fails too, the sweeper seeks what was recorded.
async fn hand_on(ports: &Ports, headers: &HeaderMap, request: &Request) -> Answered {
    let credit_id = request.credit_id;
    if let Err(fault) = ports.outbox.send(&Message::Submit { credit_id }, 0).await {
        let detail = serde_json::json!({ "credit_id": credit_id, "fault": fault.to_string() });
        log::error("an advance was recorded but not handed to the queue", detail);
    }
    taken_over(headers, &request.first_facts())
}

/// 202 for what the queue finishes.
fn taken_over(headers: &HeaderMap, facts: &Facts) -> Answered {
    let mut response = answered(StatusCode::ACCEPTED, facts)?;
    if prefers_async(headers) {
        let name = HeaderName::from_static("preference-applied");
        response.headers_mut().insert(name, HeaderValue::from_static("respond-async"));
    }
    Ok(response)
}

/// Records what the processor answered to the first call, and answers the client.
async fn conclude(ports: &Ports, mut request: Request, answer: Answer) -> Answered {
    let (database, credit_id) = (&*ports.database, request.credit_id);
    // Not the time of the request: a run may have read its report since, and the next one looks for what was named
    // after it.
    let at = ports.clock.now().await.unwrap_or(request.created_at).max(request.created_at);
    let recorded = match answer {
        Answer::Transaction(name) => match TransactionId::try_from(name) {
            Ok(name) => advances::named(database, credit_id, &name, at)
                .await
                .map(|name| request.transaction_id = name),
            Err(error) => advances::unknown(database, credit_id, error.to_string(), at).await,
        },
        Answer::Refused { code, message } => {
            let refusal = Refusal { code, message };
            let counts =
                advances::refused(database, &ports.settings, request.first_facts(), &refusal, at).await;
            counts.map(|counts| request.refusal = Some(refusal).filter(|_| counts))
        }
        Answer::Unknown { detail } => advances::unknown(database, credit_id, detail, at).await,
        Answer::Misconfigured { status } => {
            log::error(
                "the processor says that we are misconfigured",
                serde_json::json!({ "status": status }),
            );
            Ok(())
        }
        Answer::SlowDown { retry_after_seconds } => {
            log::info(
                "the processor asks to slow down",
                serde_json::json!({ "seconds": retry_after_seconds }),
            );
            Ok(())
        }
    };
    if let Err(fault) = recorded {
        let detail = serde_json::json!({ "credit_id": credit_id, "fault": fault.to_string() });
        log::error("the outcome of an advance was not recorded", detail);
    }
    let outcome = match (&request.transaction_id, &request.refusal) {
        (Some(_), _) => "named",
        (None, Some(_)) => "refused",
        (None, None) => "unknown",
    };
    let outcome = AdvanceOutcome { credit_id, outcome, account: log::shortened(&request.account_id) };
    let mut response = if let Some(refusal) = &request.refusal {
        Problem::refused(refusal, credit_id, request.request_id).into_response()
    } else {
        let status =
            if request.transaction_id.is_some() { StatusCode::CREATED } else { StatusCode::ACCEPTED };
        answered(status, &request.first_facts())?
    };
    response.extensions_mut().insert(outcome);
    Ok(response)
}

fn answered(status: StatusCode, facts: &Facts) -> Answered {
    let mut response: Response = json(status, &Credit::of(facts))?;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/credits/{}", facts.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}
