//! The bank simulator: a processor for demo, development and tests, as a Worker of its own. It is never part of a
//! deployment.
//!
//! | route | what it does |
//! | --- | --- |
//! | `POST /transactions` | moves money, once per Idempotency-Key; wants `Authorization: Bearer <PROCESSOR_TOKEN>` |
//! | `GET /report` | the status changes of the last five days up to the bank's clock; a token, if sent, must be right |
//! | `POST /clock {now}`, `GET /clock` | sets and reads the bank's clock, which then stands still; before, it is the real time |
//! | `POST /transactions/{id}/outcome {status, code?, at?}` | sets an outcome by hand, in the place of the transaction's story |
//! | `GET /transactions?key&reference&account&transaction_id&direction&after` | what the bank knows, in order of creation, with the attempts per key |
//! | `GET /books?account` | how much moved in each direction, and how many calls came |
//!
//! What becomes of a transaction follows from markers in the customer's account id: see [`mod@story`].

mod books;
pub mod instant;
pub mod report;
pub mod request;
pub mod story;

use chrono::TimeDelta;
use futures_util::stream::try_unfold;
use serde::Deserialize;
use serde_json::{Value, json};
use worker::js_sys::{Function, Promise, Reflect, global};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Context, Env, Method, Request, Response, ResponseBuilder, event};

use books::{Books, Call, Entry, Filter, Place};
use request::{Instruction, Problem};
use story::{Manners, Teller, draw, is_refused, story};

/// Longer than the ten seconds a client waits.
const DROP_DELAY_MS: u32 = 11_000;

/// The door.
#[event(fetch)]
async fn fetch(mut request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    match serve(&mut request, &env).await {
        Ok(response) => Ok(response),
        Err(problem) => ResponseBuilder::new().with_status(problem.status).from_json(&problem),
    }
}

impl From<worker::Error> for Problem {
    fn from(error: worker::Error) -> Self {
        // The Display of a D1 error panics when its cause is no text.
        let message = if let worker::Error::D1(error) = error { error.cause() } else { error.to_string() };
        Self::new(500, "bank_error", message)
    }
}

async fn serve(request: &mut Request, env: &Env) -> Result<Response, Problem> {
    let bank = Bank { books: Books::new(env.d1("DB")?), seed: setting(env, "BANK_SEED").unwrap_or_default() };
    let path = request.path();
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match (request.method(), segments.as_slice()) {
        (Method::Post, ["transactions"]) => {
            authorize(request, env, Token::Required)?;
            bank.transact(request).await
        }
        (Method::Get, ["transactions"]) => {
            let filter: Filter = query(request)?;
            answer(200, &bank.books.list(&filter).await?)
        }
        (Method::Post, ["transactions", id, "outcome"]) => bank.set_outcome(request, id).await,
        (Method::Get, ["report"]) => {
            authorize(request, env, Token::Optional)?;
            bank.report().await
        }
        (Method::Get, ["books"]) => bank.totals(request).await,
        (Method::Get, ["clock"]) => bank.clock().await,
        (Method::Post, ["clock"]) => bank.set_clock(request).await,
        (_, ["transactions" | "report" | "books" | "clock"] | ["transactions", _, "outcome"]) => {
            Err(Problem::new(405, "method_not_allowed", format!("{} does not do that", path)))
        }
        (_, _) => Err(Problem::new(404, "not_found", format!("there is nothing at {path}"))),
    }
}

enum Token {
    Required,
    Optional,
}

fn authorize(request: &Request, env: &Env, token: Token) -> Result<(), Problem> {
    let unauthorized = |message: &str| Err(Problem::new(401, "unauthorized", message));
    let Some(header) = request.headers().get("Authorization")? else {
        return match token {
            Token::Required => unauthorized("Authorization: Bearer ... is missing"),
            Token::Optional => Ok(()),
        };
    };
    match setting(env, "PROCESSOR_TOKEN") {
        Some(expected) if header == format!("Bearer {expected}") => Ok(()),
        Some(_) => unauthorized("the token is not the bank's PROCESSOR_TOKEN"),
        None => unauthorized("the bank has no PROCESSOR_TOKEN, so no token can be right"),
    }
}

fn setting(env: &Env, name: &str) -> Option<String> {
    env.var(name).ok().map(|value| value.to_string())
}

struct Bank {
    books: Books,
    seed: String,
}

impl Bank {
    /// 1. Read the call; what is wrong with it is said before anything is written.
    /// 2. Write down the call and, if the key is new, the transaction: the money has moved.
    /// 3. A key stands for one body; with another one it is refused.
    /// 4. Write down what will become of it, unless it is there already.
    /// 5. Drop and flaky spoil the first answer, and only that.
    /// 6. Answer: the refusal, the same to every call, or the transaction's id.
    async fn transact(&self, request: &mut Request) -> Result<Response, Problem> {
        let key = request::key(request.headers().get("Idempotency-Key")?)?;
        let bytes = request.bytes().await?;
        let (instruction, body) = request::instruction(&bytes)?;
        let account = instruction.account();
        let refused = is_refused(account, instruction.direction);

        let transaction_id = transaction_id(&key);
        let call = Call {
            key: &key,
            transaction_id: &transaction_id,
            instruction: &instruction,
            body,
            moved: !refused,
        };
        let entry = self.books.record(&call).await?;

        if entry.body != body {
            return Err(Problem::new(422, "idempotency_key_reused", "the key was used with another body"));
        }

        self.tell(&instruction, &entry).await?;

        let manners = Manners::of(account);
        let is_first = entry.attempt == 1;
        if manners.drop && is_first {
            say_nothing(DROP_DELAY_MS).await?;
        }
        if manners.flaky && is_first {
            return Err(Problem::new(500, "flaky", "the bank lost its answer"));
        }

        if refused {
            return Err(Problem::new(422, "refused", "the bank refuses transactions of this account"));
        }
        answer(if is_first { 201 } else { 200 }, &json!({"transaction_id": entry.transaction_id}))
    }

    async fn tell(&self, instruction: &Instruction, entry: &Entry) -> Result<(), Problem> {
        let events = story(Teller {
            account: instruction.account(),
            direction: instruction.direction,
            number: entry.number,
            created_at: entry.created_at,
            seed: &self.seed,
        });
        if !entry.told && !events.is_empty() {
            self.books.record_story(&entry.transaction_id, &events).await?;
        }
        Ok(())
    }

    async fn set_outcome(&self, request: &mut Request, transaction_id: &str) -> Result<Response, Problem> {
        let outcome = request::outcome(&request.bytes().await?)?;
        self.books.record_outcome(transaction_id, &outcome).await?;
        let list = self.books.list(&Filter::of_transaction(transaction_id)).await?;
        let Some(transaction) = list.pointer("/data/0") else {
            return Err(Problem::new(404, "unknown_transaction", "the bank has no such transaction"));
        };
        if transaction.get("moved") == Some(&Value::Bool(false)) {
            return Err(Problem::new(422, "refused", "the transaction was refused, so it has no outcome"));
        }
        answer(201, transaction)
    }

    /// A report of one page is sent whole, with its length; a longer one is streamed page by page.
    async fn report(self) -> Result<Response, Problem> {
        let now = self.books.now().await?;
        let place = Place::start(now - TimeDelta::days(report::WINDOW_DAYS), now);
        let rows = self.books.page(&place).await?;
        let text = format!("{}{}", report::HEADER, report::lines(&rows, &self.seed)).into_bytes();
        let builder = ResponseBuilder::new().with_header("Content-Type", "text/csv; charset=utf-8")?;
        let Some(second) = place.behind(&rows) else {
            return Ok(builder.fixed(text));
        };
        let pages = try_unfold((self, Some(text), Some(second)), |(bank, first, place)| async move {
            if let Some(text) = first {
                return Ok(Some((text, (bank, None, place))));
            }
            let Some(here) = place else { return Ok(None) };
            let rows = bank.books.page(&here).await?;
            let text = report::lines(&rows, &bank.seed).into_bytes();
            Ok::<_, worker::Error>(Some((text, (bank, None, here.behind(&rows)))))
        });
        Ok(builder.from_stream(pages)?)
    }

    async fn totals(&self, request: &Request) -> Result<Response, Problem> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Whose {
            account: Option<String>,
        }
        let whose: Whose = query(request)?;
        answer(200, &self.books.totals(whose.account.as_deref()).await?)
    }

    async fn clock(&self) -> Result<Response, Problem> {
        answer(200, &json!({"now": instant::text(self.books.now().await?)}))
    }

    async fn set_clock(&self, request: &mut Request) -> Result<Response, Problem> {
        self.books.set_clock(request::clock(&request.bytes().await?)?).await?;
        self.clock().await
    }
}

/// `worker::Delay` wants a number from setTimeout, and runtimes since the summer of 2026 give an object, which it
/// panics at in a development build.
async fn say_nothing(milliseconds: u32) -> worker::Result<()> {
    let set_timeout: Function = Reflect::get(&global(), &JsValue::from("setTimeout"))?.dyn_into()?;
    let wait = Promise::new(&mut |resolve, reject| {
        if let Err(error) = set_timeout.call2(&JsValue::UNDEFINED, &resolve, &JsValue::from(milliseconds)) {
            // Rejecting is the one thing left to do; if that fails too, the request ends as hung.
            let _ = reject.call1(&JsValue::UNDEFINED, &error);
        }
    });
    JsFuture::from(wait).await?;
    Ok(())
}

/// The id follows from the key, so that even a bank that forgot its books would give it again.
fn transaction_id(key: &str) -> String {
    let [high, low] = ["high", "low"].map(|half| draw("transaction", &[half, key]));
    format!("txn_{high:016x}{low:016x}")
}

fn query<T: serde::de::DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    request.query().map_err(|error| Problem::new(400, "invalid_request", error.to_string()))
}

fn answer(status: u16, body: &Value) -> Result<Response, Problem> {
    Ok(ResponseBuilder::new().with_status(status).from_json(body)?)
}

#[cfg(test)]
mod tests {
    use super::transaction_id;

    #[test]
    fn a_transaction_id_follows_from_the_key() {
        assert_eq!(transaction_id("d1"), transaction_id("d1"));
        assert_ne!(transaction_id("d1"), transaction_id("d2"));
        assert_eq!(transaction_id("d1").len(), 36);
    }
}
