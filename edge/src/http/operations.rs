//! What operators do to a credit: each with actor, note and idempotency key (L8).

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use paydown::api::{Credit, Debit, NoQuery, Refund};
use paydown::credit::Facts;
use paydown::decision::{Decision, Effect, Input, decide};
use paydown::id::{self, CreditId, DebitId, RefundId, TransactionId};
use paydown::money::Cents;
use paydown::observation::Status;
use uuid::Uuid;

use super::body::Body;
use super::call::{Answered, Call, json};
use super::problem::{Problem, REPLAYED};
use crate::error::Fault;
use crate::ledger::decisions::Landing;
use crate::ledger::facts::facts;
use crate::ledger::operations::{self, Operation};
use crate::ledger::{keys, listings, stops};
use crate::ports::Ports;
use crate::processor::{Direction, body};
use crate::run;

/// The largest body of an operation.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// How often a credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// `POST /v1/credits/{id}/hold` `{note}`.
pub async fn hold(call: Call) -> Answered {
    let asked = |_: &mut Body| Some(Input::Hold);
    act(call, "hold", Subject::Credit, &asked, "the credit is held by an operator already").await
}

/// `POST /v1/credits/{id}/release` `{note}`: ends all holds on the credit and fills the gaps that wait.
pub async fn release(call: Call) -> Answered {
    let asked = |_: &mut Body| Some(Input::Release { exception_id: None });
    act(call, "release", Subject::Credit, &asked, "the credit is not held").await
}

/// `POST /v1/credits/{id}/write_off` `{note}`: what is scheduled is cancelled, and gaps are filled no more.
pub async fn write_off(call: Call) -> Answered {
    let nothing = "the credit was written off already, owes nothing, or has no plan yet";
    act(call, "write_off", Subject::Credit, &|_: &mut Body| Some(Input::WriteOff), nothing).await
}

/// `POST /v1/credits/{id}/pay_off` `{note}`: one debit for all that is scheduled, due today.
pub async fn pay_off(call: Call) -> Answered {
    let nothing = "nothing is scheduled that is not due at once already";
    act(call, "pay_off", Subject::Credit, &|_: &mut Body| Some(Input::PayOff), nothing).await
}

/// `POST /v1/credits/{id}/pause` `{intervals, note}`: each scheduled debit moves so many intervals later.
pub async fn pause(call: Call) -> Answered {
    let asked = |body: &mut Body| {
        let intervals = body.whole("intervals", 1..=MAX_INTERVALS)?;
        Some(Input::Pause { intervals })
    };
    act(call, "pause", Subject::Credit, &asked, "nothing is scheduled").await
}

/// `POST /v1/credits/{id}/refund` `{amount, note}`: what was paid too much goes back to the customer, by a credit
/// transaction of its own. Under a stop it does not: no money leaves.
pub async fn refund(call: Call) -> Answered {
    let credit_id: CreditId = call.id("credit")?;
    let bucket = id::bucket_of(credit_id.0);
    let refund_id = RefundId(id::from_cause(bucket, &["refund", &call.idempotency_key()?]));
    let asked = |body: &mut Body| {
        let amount = body.whole("amount", 1..=Cents::MAX)?;
        Some(Input::Refund { id: refund_id, amount })
    };
    let nothing = "it is more than was paid beyond what is owed";
    let mut response = act(call, "refund", Subject::Credit, &asked, nothing).await?;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/refunds/{refund_id}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// `POST /v1/credits/{id}/external_payment` `{amount, received_on, note}`: it counts as paid, and shortens the plan.
pub async fn external_payment(call: Call) -> Answered {
    let credit_id: CreditId = call.id("credit")?;
    let bucket = id::bucket_of(credit_id.0);
    let payment_id = id::from_cause(bucket, &["external_payment", &call.idempotency_key()?]);
    let asked = |body: &mut Body| {
        let amount = body.whole("amount", 1..=Cents::MAX / 4);
        let received_on = body.text("received_on", "must be a date, YYYY-MM-DD", |text| text.parse().ok());
        Some(Input::ExternalPayment { id: payment_id, amount: amount?, received_on: received_on? })
    };
    let mut response =
        act(call, "external_payment", Subject::Credit, &asked, "the payment is recorded already").await?;
    let place = format!("/v1/credits/{credit_id}/external_payment/{payment_id}");
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// `POST /v1/credits/{id}/external_payment/{payment_id}/revoke` `{note}`: it counts no more, and what it shortened is
/// filled.
pub async fn revoke(call: Call) -> Answered {
    let payment_id =
        call.segment(5).parse::<Uuid>().map_err(|_| Problem::not_found("there is no such payment"))?;
    let nothing = "the credit has no such payment, or it was revoked already";
    act(call, "revoke", Subject::Credit, &|_: &mut Body| Some(Input::Revoke { payment_id }), nothing).await
}

/// `POST /v1/credits/{id}/decision` `{status, code?, note}`: what became of the advance, on evidence.
pub async fn decide_credit(call: Call) -> Answered {
    let subject = call.id::<CreditId>("credit")?.0;
    act(call, "decision", Subject::Credit, &|body: &mut Body| decided(body, subject), NOT_TO_BE_DECIDED).await
}

/// `POST /v1/debits/{id}/decision` `{status, code?, note}`: what became of the debit, on evidence.
pub async fn decide_debit(call: Call) -> Answered {
    let subject = call.id::<DebitId>("debit")?.0;
    act(call, "decision", Subject::Debit, &|body: &mut Body| decided(body, subject), NOT_TO_BE_DECIDED).await
}

/// `POST /v1/refunds/{id}/decision` `{status, code?, note}`: what became of the refund, on evidence.
pub async fn decide_refund(call: Call) -> Answered {
    let subject = call.id::<RefundId>("refund")?.0;
    act(call, "decision", Subject::Refund, &|body: &mut Body| decided(body, subject), NOT_TO_BE_DECIDED).await
}

/// `POST /v1/refunds/{id}/attach` `{transaction_id, note}`: the transaction is that of the refund.
pub async fn attach_refund(call: Call) -> Answered {
    let subject = call.id::<RefundId>("refund")?.0;
    act(call, "attach", Subject::Refund, &|body: &mut Body| attached(body, subject), NOT_TO_BE_ATTACHED).await
}

/// `POST /v1/credits/{id}/attach` `{transaction_id, note}`: the transaction is that of the advance.
pub async fn attach_credit(call: Call) -> Answered {
    let subject = call.id::<CreditId>("credit")?.0;
    act(call, "attach", Subject::Credit, &|body: &mut Body| attached(body, subject), NOT_TO_BE_ATTACHED).await
}

/// `POST /v1/debits/{id}/attach` `{transaction_id, note}`: the transaction is that of the debit.
pub async fn attach_debit(call: Call) -> Answered {
    let subject = call.id::<DebitId>("debit")?.0;
    act(call, "attach", Subject::Debit, &|body: &mut Body| attached(body, subject), NOT_TO_BE_ATTACHED).await
}

const NOT_TO_BE_DECIDED: &str =
    "the processor was not called for it, has said itself what became of it, or it was decided so already";

const NOT_TO_BE_ATTACHED: &str = "it has a transaction already, or the processor was not called for it";

/// The longest return code of a decision.
const MAX_CODE_CHARS: usize = 16;

/// The most intervals of one pause.
const MAX_INTERVALS: u64 = 104;

fn decided(body: &mut Body, subject: Uuid) -> Option<Input> {
    let word = stated_word(body)?;
    Some(Input::Decide { subject, status: word.status, code: word.code })
}

/// What an operator says became of a transaction.
pub struct StatedWord {
    /// What became of it.
    pub status: Status,
    /// The return code of a failure.
    pub code: Option<String>,
}

/// The members `status` and `code`.
pub fn stated_word(body: &mut Body) -> Option<StatedWord> {
    let status = body.text("status", "must be success or failure", |text| match text {
        "success" => Some(Status::Success),
        "failure" => Some(Status::Failure),
        _ => None,
    });
    let fits = |text: &str| {
        let is_code =
            (1..=MAX_CODE_CHARS).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
        is_code.then(|| text.to_owned())
    };
    let expected =
        format!("must be a return code of 1 to {MAX_CODE_CHARS} letters and digits, of a failure alone");
    let code = body.or_null("code", |body, name| body.text(name, &expected, fits));
    if code.is_some() && status == Some(Status::Success) {
        body.wrong("code", &expected);
    }
    Some(StatedWord { status: status?, code })
}

fn attached(body: &mut Body, subject: Uuid) -> Option<Input> {
    let expected = "must be the processor's id of a transaction, 1 to 255 bytes";
    let transaction_id =
        body.text("transaction_id", expected, |text| TransactionId::try_from(text.to_owned()).ok())?;
    Some(Input::Attach { subject, transaction_id })
}

/// What the path names, and so what is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Credit,
    Debit,
    Refund,
}

/// Does what is `asked` to the credit of the path, or to that of its debit or refund, once for each idempotency key.
async fn act(
    mut call: Call,
    action: &'static str,
    subject: Subject,
    asked: &dyn Fn(&mut Body) -> Option<Input>,
    nothing_to_do: &str,
) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let idempotency_key = call.idempotency_key()?;
    let credit_id = match subject {
        Subject::Credit => call.id("credit")?,
        Subject::Debit => {
            let id: DebitId = call.id("debit")?;
            let found = listings::credit_of_debit(&*call.ports.database, id).await?;
            found.ok_or_else(|| Problem::not_found(format!("there is no debit {id}")))?
        }
        Subject::Refund => {
            let id: RefundId = call.id("refund")?;
            let found = listings::credit_of_refund(&*call.ports.database, id).await?;
            found.ok_or_else(|| Problem::not_found(format!("there is no refund {id}")))?
        }
    };
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let note = body.note();
    let input = asked(&mut body);
    let (note, input) = body.finish(note.zip(input))?;
    let what = serde_json::to_string(&(action, call.segment(3), &input, &note)).map_err(Fault::from)?;
    let fingerprint = keys::hash(&what);
    let operation = Operation { idempotency_key, fingerprint, credit_id, action, actor: call.actor(), note };
    let database = &*call.ports.database;
    if let Some(done) = operations::done(database, &operation.idempotency_key).await? {
        if done.fingerprint != operation.fingerprint {
            return Err(Problem::idempotency_key_reused(done.credit_id));
        }
        let mut response = answer(&call, credit_id, subject).await?;
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok(response);
    }
    if let Input::Attach { transaction_id, .. } = &input
        && listings::is_transaction(database, transaction_id.as_str()).await?
    {
        return Err(Problem::conflict("the transaction is that of another credit or debit already"));
    }
    if matches!(input, Input::Refund { .. }) && stops::stop(database).await?.in_force {
        return Err(Problem::stopped());
    }
    if !done(&call.ports, &operation, input).await? {
        return Err(Problem::conflict(nothing_to_do));
    }
    run::wake_webhooks(&call.ports).await;
    answer(&call, credit_id, subject).await
}

/// The credit as it stands, or the debit or refund.
async fn answer(call: &Call, credit_id: CreditId, subject: Subject) -> Answered {
    let facts = known(&call.ports, credit_id).await?;
    match subject {
        Subject::Credit => json(StatusCode::OK, &Credit::of(&facts)),
        Subject::Debit => {
            let id: DebitId = call.id("debit")?;
            let debit = Debit::of(&facts).into_iter().find(|debit| debit.id == id);
            json(StatusCode::OK, &debit.ok_or_else(|| Problem::not_found(format!("there is no debit {id}")))?)
        }
        Subject::Refund => {
            let id: RefundId = call.id("refund")?;
            let refund = Refund::of(&facts).into_iter().find(|refund| refund.id == id);
            json(
                StatusCode::OK,
                &refund.ok_or_else(|| Problem::not_found(format!("there is no refund {id}")))?,
            )
        }
    }
}

/// Decides, lands and calls the processor for what is to be given back; false when nothing follows.
pub async fn done(ports: &Ports, operation: &Operation, input: Input) -> Result<bool, Problem> {
    let credit_id = operation.credit_id;
    for _ in 0..ATTEMPTS {
        let facts = known(ports, credit_id).await?;
        let at = ports.clock.now().await?;
        let context = ports.settings.context(at);
        let decision = decide(&facts, input.clone(), &context);
        if decision.facts.is_empty() {
            return Ok(false);
        }
        let bodies = bodies_of(ports, &facts, &decision)?;
        let landing = Landing::of(&facts, input.clone(), decision, (None, at), bodies.clone());
        let landed = operations::land(&*ports.database, &ports.settings, operation, &landing, at).await?;
        if !landed.is_empty() {
            for (subject, body) in bodies.into_iter().filter(|_| landed.is_new(credit_id)) {
                run::give_back(ports, credit_id, subject, body, at).await?;
            }
            return Ok(true);
        }
        // Another request under the key may have come first.
        if let Some(done) = operations::done(&*ports.database, &operation.idempotency_key).await? {
            let is_same = done.fingerprint == operation.fingerprint;
            return if is_same { Ok(true) } else { Err(Problem::idempotency_key_reused(done.credit_id)) };
        }
    }
    Err(Problem::conflict("the credit kept changing: try again"))
}

/// What the processor will be asked for each refund that a decision submits.
fn bodies_of(ports: &Ports, facts: &Facts, decision: &Decision) -> Result<Vec<(Uuid, String)>, Fault> {
    let funding = &ports.settings.funding_account;
    let mut bodies = Vec::new();
    for effect in &decision.effects {
        if let Effect::Submit { subject, amount } = effect {
            bodies.push((*subject, body(Direction::Credit, &facts.account_id, funding, *amount, *subject)?));
        }
    }
    Ok(bodies)
}

async fn known(ports: &Ports, id: CreditId) -> Result<Facts, Problem> {
    let found = facts(&*ports.database, &[id]).await?.into_iter().next();
    found.ok_or_else(|| Problem::not_found(format!("there is no credit {id}")))
}

/// Why an operator acts: the body's only member.
pub async fn note(call: &mut Call) -> Result<String, Problem> {
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let note = body.note();
    body.finish(note)
}
