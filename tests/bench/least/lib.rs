//! The floor of `perform_advance` once more, in Rust: the same three statements and the same call of the processor, by the
//! bindings that Paydown's Worker has. It checks nothing, knows one route, and answers to no mistake.
//!
//! With the variable `LOG` it writes a line for each request, of the length of Paydown's.

use std::cell::OnceCell;
use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use worker::js_sys::{self, Array, Date, JSON, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::types::{D1Database, D1PreparedStatement};
use worker::{Context, Env, console_log, event, web_sys};

/// What an instance works with: the statements stay prepared.
struct Instance {
    database: D1Database,
    credit: D1PreparedStatement,
    request: D1PreparedStatement,
    named: D1PreparedStatement,
    url: String,
    authorization: String,
    is_logging: bool,
}

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance>> = const { OnceCell::new() };
}

#[derive(Deserialize)]
struct Asked {
    account_id: String,
    amount: u64,
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _context: Context) -> worker::Result<web_sys::Response> {
    let instance = instance(&env)?;
    let header = |name: &str| request.headers().get(name).map(Option::unwrap_or_default);
    let (authorization, idempotency_key) = (header("authorization")?, header("idempotency-key")?);
    let bytes = bytes(request.array_buffer()?).await?;
    let Asked { account_id, amount } = serde_json::from_slice(&bytes)?;
    let (id, request_id) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
    let at = Date::new_0().to_iso_string().as_string().unwrap_or_default();
    let body = json!({
        "src_bank_account": "paydown_funding", "dst_bank_account": account_id, "amount": amount, "direction": "credit",
        "reference": id,
    });
    let body = body.to_string();
    let key_hash = hash(authorization.trim_start_matches("Bearer ").as_bytes());
    let intent = [
        bound(&instance.credit, &json!([id, account_id, amount, body, at]))?,
        bound(&instance.request, &json!([idempotency_key, hash(&bytes), id, key_hash, request_id, at]))?,
    ];
    batch(&instance, &intent).await?;
    let transaction_id = call(&instance, &id, &body).await?;
    batch(&instance, &[bound(&instance.named, &json!([id, transaction_id, at]))?]).await?;
    if instance.is_logging {
        let line = json!({
            "level": "info", "what": "request", "request_id": request_id, "method": "POST", "path": "/v1/perform_advance",
            "status": 201, "api_key_id": key_hash.get(..36), "credit_id": id, "outcome": "named",
            "account": account_id.get(..6),
        });
        console_log!("{line}");
    }
    answer(
        &id,
        &json!({
            "id": id, "account_id": account_id, "amount": amount, "fee": 0, "currency": "USD", "installments": 12,
            "interval_days": 7, "status": "pending", "created_at": at, "transaction_id": transaction_id, "confirmed_at": null,
            "collected": 0, "paid": 0, "in_flight": 0, "scheduled": 0, "missing": 0, "outstanding": 0, "next_due_date": null,
        }),
    )
}

const CREDIT: &str = "INSERT INTO credits (id, account_id, amount, fee, currency, installments, interval_days, body, created_at)
  VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2, 0, 'USD', 12, 7, ?1 ->> 3, ?1 ->> 4)";
const REQUEST: &str =
    "INSERT INTO requests (idempotency_key, fingerprint, credit_id, api_key_id, request_id, created_at)
  SELECT ?1 ->> 0, ?1 ->> 1, ?1 ->> 2, id, ?1 ->> 4, ?1 ->> 5 FROM api_keys WHERE hash = ?1 ->> 3";
const NAMED: &str =
    "INSERT INTO credit_transactions (credit_id, transaction_id, at) VALUES (?1 ->> 0, ?1 ->> 1, ?1 ->> 2)";

fn instance(env: &Env) -> worker::Result<Rc<Instance>> {
    if let Some(instance) = INSTANCE.with(|cell| cell.get().cloned()) {
        return Ok(instance);
    }
    let database: D1Database = JsValue::from(env.d1("DB")?).unchecked_into();
    let variable = |name: &str| Reflect::get(env, &JsValue::from_str(name)).ok()?.as_string();
    let made = Instance {
        credit: database.prepare(CREDIT)?,
        request: database.prepare(REQUEST)?,
        named: database.prepare(NAMED)?,
        url: format!("{}/transactions", variable("PROCESSOR_URL").unwrap_or_default()),
        authorization: format!("Bearer {}", variable("PROCESSOR_TOKEN").unwrap_or_default()),
        is_logging: variable("LOG").is_some(),
        database,
    };
    Ok(INSTANCE.with(|cell| Rc::clone(cell.get_or_init(|| Rc::new(made)))))
}

fn hash(data: &[u8]) -> String {
    Sha256::digest(data).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn bytes(buffer: js_sys::Promise) -> Result<Vec<u8>, JsValue> {
    Ok(Uint8Array::new(&JsFuture::from(buffer).await?).to_vec())
}

fn bound(statement: &D1PreparedStatement, row: &Value) -> Result<JsValue, JsValue> {
    Ok(statement.bind(Array::of1(&JsValue::from_str(&row.to_string())))?.into())
}

async fn batch(instance: &Instance, statements: &[JsValue]) -> Result<(), JsValue> {
    JsFuture::from(instance.database.batch(statements.iter().collect())?).await.map(|_| ())
}

/// Calls the processor, and gives the transaction's id.
async fn call(instance: &Instance, key: &str, body: &str) -> worker::Result<Value> {
    let headers = [
        ["authorization", &instance.authorization],
        ["idempotency-key", key],
        ["content-type", "application/json"],
    ];
    let init = json!({ "method": "POST", "headers": headers }).to_string();
    let init: web_sys::RequestInit = JSON::parse(&init)?.unchecked_into();
    init.set_body(&JsValue::from_str(body));
    let scope: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let answered = JsFuture::from(scope.fetch_with_str_and_init(&instance.url, &init)).await?;
    let answered: web_sys::Response = answered.unchecked_into();
    let mut answered: Value = serde_json::from_slice(&bytes(answered.array_buffer()?).await?)?;
    Ok(answered.get_mut("transaction_id").map(Value::take).unwrap_or_default())
}

fn answer(id: &str, credit: &Value) -> worker::Result<web_sys::Response> {
    let init = web_sys::ResponseInit::new();
    init.set_status(201);
    let headers = json!([["content-type", "application/json"], ["location", format!("/v1/credits/{id}")]]);
    init.set_headers(&JSON::parse(&headers.to_string())?);
    let bytes = Uint8Array::from(credit.to_string().as_bytes());
    Ok(web_sys::Response::new_with_opt_js_u8_array_and_init(Some(&bytes), &init)?)
}
