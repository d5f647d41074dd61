//! `POST /v1/perform_advance`: money leaves, once for each idempotency key.
//!
//! 1. Check the request: everything that is wrong with it at once. Who calls comes first: a caller who may not
//!    learns nothing about the body.
//! 2. In one batch: find the API key, and record the credit and the request where all allows it.
//! 3. Call the processor under the credit's id, if this request made the credit.
//! 4. Record the outcome. Whatever fails from here on, the advance is recorded and will be sought.
//!
//! A repeated request ends after 2 with the first one's outcome.

use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use paydown::api::{AdvanceRequest, Credit, FieldError, Scope};
use paydown::credit::Facts;
use paydown::date::{Instant, text};
use paydown::id::{self, CreditId, TransactionId};
use paydown::money::Cents;
use paydown::plan::Terms;
use serde_json::Value;
use uuid::Uuid;

use super::call::{Answered, Call, Members, REPLAYED, allowed, json, pointer};
use super::problem::Problem;
use crate::config::Settings;
use crate::error::Fault;
use crate::ledger::advances::{self, Intent, Recorded, Refusal, Request};
use crate::ledger::facts::facts;
use crate::ledger::keys;
use crate::log;
use crate::ports::{Answer, Message, Ports};
use crate::processor::{Direction, body};

/// The largest body that is read (contract, 413).
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The longest account id (contract).
const MAX_ACCOUNT_ID_CHARS: usize = 64;

/// The longest idempotency key (contract).
const MAX_KEY_CHARS: usize = 255;

const INSTALLMENTS: std::ops::RangeInclusive<u64> = 1..=104;
const INTERVAL_DAYS: std::ops::RangeInclusive<u64> = 1..=92;
const DEFAULT_INSTALLMENTS: u64 = 12;
const DEFAULT_INTERVAL_DAYS: u64 = 7;

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
    let intent = intent(&call, &asked, idempotency_key, key_hash, now)?;
    let recorded = advances::record(&*call.ports.database, &intent).await.map_err(|fault| {
        log::error(
            "an advance is not known to be recorded",
            serde_json::json!({ "fault": fault.to_string() }),
        );
        Problem::not_known_to_be_recorded()
    })?;
    let request = permitted(recorded)?;
    if request.fingerprint != intent.fingerprint {
        return Err(Problem::idempotency_key_reused(request.credit_id));
    }
    if request.credit_id != intent.id {
        return replay(&call.ports, request).await;
    }
    if prefers_async(&call.headers) {
        return hand_on(&call.ports, &request).await;
    }
    // 3.
    let answer = call.ports.processor.perform(&intent.id.to_string(), &intent.body).await;
    // 4.
    conclude(&call.ports, request, answer).await
}

/// The idempotency key and the request, or what is wrong with them.
async fn checked(call: &mut Call) -> Result<(String, AdvanceRequest), Problem> {
    let members = call.members(MAX_BODY_BYTES).await?;
    let idempotency_key = idempotency_key(&call.headers)?;
    let asked = asked(members, &call.ports.settings).map_err(Problem::invalid)?;
    Ok((idempotency_key, asked))
}

/// The idempotency key, bare or quoted: 1 to 255 printable ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return Err(Problem::bad_request("send the header Idempotency-Key, once"));
    };
    let wrong = || {
        Problem::bad_request(format!(
            "Idempotency-Key must have 1 to {MAX_KEY_CHARS} printable ASCII characters"
        ))
    };
    let text = value.to_str().map_err(|_| wrong())?.trim_matches([' ', '\t']);
    let key = if text.starts_with('"') { unquoted(text).ok_or_else(wrong)? } else { text.to_owned() };
    let printable = key.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if key.is_empty() || key.len() > MAX_KEY_CHARS || !printable { Err(wrong()) } else { Ok(key) }
}

/// The content of a quoted string (RFC 9651, section 4.2.5), in which a backslash goes before `"` and `\`.
fn unquoted(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut content = String::new();
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => content.push(characters.next().filter(|next| matches!(next, '"' | '\\'))?),
            '"' => return None,
            other => content.push(other),
        }
    }
    // `"` alone is opening and closing at once.
    (text.len() >= 2).then_some(content)
}

/// The request that the body's members ask for, or all that is wrong with them.
fn asked(mut members: Members, settings: &Settings) -> Result<AdvanceRequest, Vec<FieldError>> {
    let mut errors = Vec::new();
    let account_id = taken(&mut members, "account_id", &mut errors, account);
    let amount =
        taken(&mut members, "amount", &mut errors, |value| whole(value, &(1..=settings.max_advance)));
    let fee = taken(&mut members, "fee", &mut errors, |value| whole(value, &(0..=settings.max_advance)));
    let currency = taken(&mut members, "currency", &mut errors, |value| currency(value, &settings.currency));
    let installments = taken(&mut members, "installments", &mut errors, |value| whole(value, &INSTALLMENTS));
    let interval_days =
        taken(&mut members, "interval_days", &mut errors, |value| whole(value, &INTERVAL_DAYS));
    errors.extend(members.unknown());

    for (name, given) in [("account_id", account_id.is_missing()), ("amount", amount.is_missing())] {
        if given {
            errors.push(FieldError { pointer: pointer(name), detail: "is required".into() });
        }
    }
    let (account_id, currency) = (account_id.or(String::new()), currency.or(settings.currency.clone()));
    let (amount, fee) = (amount.or(0), fee.or(0));
    let (installments, interval_days) =
        (installments.or(DEFAULT_INSTALLMENTS), interval_days.or(DEFAULT_INTERVAL_DAYS));
    // What depends on several fields is judged once each of them is right.
    if errors.is_empty() && fee > amount {
        errors.push(FieldError {
            pointer: "/fee".into(),
            detail: format!("must be from 0 to the amount, {amount}"),
        });
    }
    if errors.is_empty() && amount.saturating_add(fee) < installments {
        let detail =
            format!("amount and fee are {} minor units, too few for so many", amount.saturating_add(fee));
        errors.push(FieldError { pointer: "/installments".into(), detail });
    }
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    match (Cents::new(amount), Cents::new(fee)) {
        (Ok(amount), Ok(fee)) if errors.is_empty() => Ok(AdvanceRequest {
            account_id,
            amount,
            fee,
            currency,
            installments: small(installments),
            interval_days: small(interval_days),
        }),
        _ => Err(errors),
    }
}

/// A member of the body.
enum Member<T> {
    Given(T),
    Missing,
    Wrong,
}

impl<T> Member<T> {
    fn is_missing(&self) -> bool {
        match self {
            Member::Missing => true,
            Member::Given(_) | Member::Wrong => false,
        }
    }

    fn or(self, default: T) -> T {
        match self {
            Member::Given(value) => value,
            Member::Missing | Member::Wrong => default,
        }
    }
}

fn taken<T>(
    members: &mut Members,
    name: &str,
    errors: &mut Vec<FieldError>,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Member<T> {
    let value = match members.take(name) {
        Ok(Some(value)) => value,
        Ok(None) => return Member::Missing,
        Err(error) => {
            errors.push(error);
            return Member::Wrong;
        }
    };
    match read(&value) {
        Ok(value) => Member::Given(value),
        Err(detail) => {
            errors.push(FieldError { pointer: pointer(name), detail });
            Member::Wrong
        }
    }
}

fn account(value: &Value) -> Result<String, String> {
    let expected =
        || format!("must be a text of 1 to {MAX_ACCOUNT_ID_CHARS} characters of A-Z a-z 0-9 _ . : -");
    let text = value.as_str().ok_or_else(expected)?;
    let fits = (1..=MAX_ACCOUNT_ID_CHARS).contains(&text.len());
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    if fits && text.bytes().all(known) { Ok(text.to_owned()) } else { Err(expected()) }
}

/// A whole number. `1.0` and `1e3` are none: who writes cents does not write fractions.
fn whole(value: &Value, range: &std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let number = value.as_u64().filter(|number| range.contains(number));
    number.ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}

fn currency(value: &Value, configured: &str) -> Result<String, String> {
    let known = value.as_str().filter(|text| *text == configured);
    known.map(str::to_owned).ok_or_else(|| format!("must be {configured}"))
}

/// The intent of a request that is right. Its credit's id is random but for its time and its account's bucket.
fn intent(
    call: &Call,
    asked: &AdvanceRequest,
    idempotency_key: String,
    key_hash: String,
    now: Instant,
) -> Result<Intent, Fault> {
    let [.., a, b, c, d, e, f, g, h] = Uuid::new_v4().into_bytes();
    let unix_ms = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let id = id::created(id::bucket(&asked.account_id), unix_ms, [a, b, c, d, e, f, g, h]);
    let funding = &call.ports.settings.funding_account;
    Ok(Intent {
        id: CreditId(id),
        account_id: asked.account_id.clone(),
        currency: asked.currency.clone(),
        terms: Terms {
            amount: asked.amount,
            fee: asked.fee,
            installments: asked.installments,
            interval_days: asked.interval_days,
        },
        body: body(Direction::Credit, &asked.account_id, funding, asked.amount, id)?,
        now: text(now),
        key_hash,
        idempotency_key,
        fingerprint: keys::hash(&serde_json::to_string(asked)?),
        request_id: call.request_id.clone(),
    })
}

/// The request that the idempotency key stands for, or why nothing was recorded, in the order of the contract.
fn permitted(recorded: Recorded) -> Result<Request, Problem> {
    allowed(recorded.key, Scope::Advance)?;
    match recorded.request {
        Some(request) => Ok(request),
        None if recorded.is_account_held => Err(Problem::account_held()),
        None if recorded.is_stopped => Err(Problem::stopped()),
        // The hold or the stop ended while the batch was on its way back, or never was: ask again.
        None => Err(Problem::not_known_to_be_recorded()),
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
async fn hand_on(ports: &Ports, request: &Request) -> Answered {
    let credit_id = request.credit_id;
    if let Err(fault) = ports.outbox.send(&Message::Submit { credit_id }).await {
        let detail = serde_json::json!({ "credit_id": credit_id, "fault": fault.to_string() });
        log::error("an advance was recorded but not handed to the queue", detail);
    }
    let mut response = answered(StatusCode::ACCEPTED, &request.first_facts())?;
    let name = HeaderName::from_static("preference-applied");
    response.headers_mut().insert(name, HeaderValue::from_static("respond-async"));
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
            let landed =
                advances::refused(database, &ports.settings, request.first_facts(), &refusal, at).await;
            landed.map(|()| request.refusal = Some(refusal))
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
    if let Some(refusal) = &request.refusal {
        return Err(Problem::refused(refusal, credit_id, request.request_id));
    }
    let status = if request.transaction_id.is_some() { StatusCode::CREATED } else { StatusCode::ACCEPTED };
    answered(status, &request.first_facts())
}

fn answered(status: StatusCode, facts: &Facts) -> Answered {
    let mut response: Response = json(status, &Credit::of(facts))?;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/credits/{}", facts.id)) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}
