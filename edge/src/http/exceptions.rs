//! Exceptions: the list, open first, then oldest first; one with its facts; and how they are resolved.

use axum::http::StatusCode;
use paydown::api::{
    Credit, Debit, Exception, ExceptionDetail, ExceptionStatus, ExceptionsQuery, NoQuery, Page,
    ResolutionAction, Resolved,
};
use paydown::credit::Kind;
use paydown::decision::{Input, to_decide};
use paydown::id::{CreditId, ExceptionId, RunId};

use super::body::Body;
use super::call::{Answered, Call, cursor, json};
use super::credits::{MAX_EXAMINED, SLICE};
use super::csv::csv_or_json;
use super::operations::{MAX_BODY_BYTES, StatedWord, done, stated_word};
use super::problem::Problem;
use crate::ledger;
use crate::ledger::keys;
use crate::ledger::listings::{self, ExceptionPlace};
use crate::ledger::operations::{self, Operation, ToResolve, Wanted};
use crate::ports::Ports;
use crate::run;

/// How many exceptions one request resolves at most.
const MAX_RESOLVED: usize = 500;

/// After how many decisions a request leaves the rest to the next.
const MAX_DECISIONS: usize = 50;

const NOT_TO_BE_DECIDED: &str =
    "the exception does not wait for a word, the processor has said it by now, or it was decided so already";

/// `GET /v1/exceptions`.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<ExceptionsQuery>()?;
    let status: Option<ExceptionStatus> = asked.named("status", "open or resolved");
    let kind: Option<Kind> = asked.named("kind", "a kind of exception, such as hard_return");
    let limit = asked.limit();
    let behind: ExceptionPlace = asked.cursor().unwrap_or_default();
    asked.check()?;
    csv_or_json(&call, &page(&call.ports, behind, status, kind, limit).await?)
}

/// Examines exceptions from a place on: the open ones first, then all for the resolved.
async fn page(
    ports: &Ports,
    mut behind: ExceptionPlace,
    status: Option<ExceptionStatus>,
    kind: Option<Kind>,
    limit: usize,
) -> Result<Page<Exception>, Problem> {
    behind.past_open |= status == Some(ExceptionStatus::Resolved);
    let mut data = Vec::new();
    for _ in 0..MAX_EXAMINED.div_ceil(SLICE) {
        let examined = listings::exceptions(&*ports.database, &behind, SLICE).await?;
        let is_last = examined.len() < SLICE;
        let looked_for = if behind.past_open { ExceptionStatus::Resolved } else { ExceptionStatus::Open };
        for candidate in examined {
            if data.len() == limit {
                return Ok(Page { data, next_cursor: Some(cursor(&behind)?) });
            }
            let exception = candidate.exception;
            behind.opened_at = candidate.place;
            behind.id = exception.id.to_string();
            if exception.status == looked_for && kind.is_none_or(|kind| kind == exception.kind) {
                data.push(exception);
            }
        }
        if is_last && (behind.past_open || status == Some(ExceptionStatus::Open)) {
            return Ok(Page { data, next_cursor: None });
        }
        if is_last {
            behind = ExceptionPlace { past_open: true, ..ExceptionPlace::default() };
        }
    }
    Ok(Page { data, next_cursor: Some(cursor(&behind)?) })
}

/// `GET /v1/exceptions/{id}`: what we know and what was said, side by side.
pub async fn one(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id: ExceptionId = call.id("exception")?;
    let database = &*call.ports.database;
    let exception = found(&call.ports, id).await?;
    let credit_id: Vec<CreditId> = exception.credit_id.into_iter().collect();
    let facts = ledger::facts::facts(database, &credit_id).await?.into_iter().next();
    let debits = facts.as_ref().map(Debit::of).unwrap_or_default();
    let holds = operations::to_resolve(database, id).await?.map(|held| held.holds).unwrap_or_default();
    let detail = ExceptionDetail {
        credit: facts.as_ref().map(Credit::of),
        debit: debits.into_iter().find(|debit| debit.id.to_string() == exception.subject),
        observations: listings::stated(database, &exception.subject).await?,
        holds,
        exception,
    };
    json(StatusCode::OK, &detail)
}

/// `POST /v1/exceptions/{id}/resolution` `{action, status?, code?, note}`: `close` for one that holds nothing, `release` for
/// one that holds credits, which ends its hold on each of them, `decide` for one that waits for a word.
pub async fn resolve(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let id: ExceptionId = call.id("exception")?;
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let (note, asked) = (body.note(), asked(&mut body));
    let (note, asked) = body.finish(note.zip(asked))?;
    let exception = operations::to_resolve(&*call.ports.database, id).await?;
    let exception = exception.ok_or_else(|| no_such(id))?;
    if !exception.open {
        return Err(Problem::conflict("the exception is resolved already"));
    }
    match (asked, exception.holds.len()) {
        (Asked::Release, 0) => {
            return Err(Problem::conflict("the exception holds nothing: close it"));
        }
        (Asked::Release, _) => release(&call, &exception, &note).await?,
        (Asked::Close, 0) => {
            let at = call.ports.clock.now().await?;
            operations::close(&*call.ports.database, &[id], &call.actor(), &note, at).await?;
        }
        (Asked::Close, held) => {
            return Err(Problem::conflict(format!("the exception holds {held} credits: release them")));
        }
        (Asked::Decide(word), _) => {
            if !decide(&call, &exception, &word, &note).await? {
                return Err(Problem::conflict(NOT_TO_BE_DECIDED));
            }
        }
    }
    run::wake_webhooks(&call.ports).await;
    json(StatusCode::OK, &found(&call.ports, id).await?)
}

/// `POST /v1/exceptions/resolutions` `{kind, run_id, action, status?, code?, note}`: the open ones of a kind, of one run or,
/// without `run_id`, of all. Those that another action would resolve are left, as is what one request has no time for.
pub async fn resolve_many(mut call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let mut body = call.body(MAX_BODY_BYTES).await?;
    let (note, asked) = (body.note(), asked(&mut body));
    let kind: Option<Kind> = body.named("kind", "must be a kind of exception, such as hard_return");
    let run_id: Option<RunId> =
        body.or_null("run_id", |body, name| body.named(name, "must be the id of a run, or null"));
    let ((note, asked), kind) = body.finish(note.zip(asked).zip(kind))?;
    let database = &*call.ports.database;
    let wanted = Wanted { kind, run_id, undecided: matches!(asked, Asked::Decide(_)) };
    let open = operations::open(database, wanted, MAX_RESOLVED).await?;
    let resolved = match asked {
        Asked::Close => {
            let ids: Vec<ExceptionId> = open.iter().filter(|e| e.holds.is_empty()).map(|e| e.id).collect();
            let at = call.ports.clock.now().await?;
            operations::close(database, &ids, &call.actor(), &note, at).await?
        }
        Asked::Release => {
            let (mut released, mut resolved) = (0, 0_usize);
            for exception in open.iter().filter(|e| !e.holds.is_empty()) {
                if released >= MAX_DECISIONS {
                    break;
                }
                release(&call, exception, &note).await?;
                released = released.saturating_add(exception.holds.len());
                resolved = resolved.saturating_add(1);
            }
            resolved
        }
        Asked::Decide(word) => {
            let mut resolved = 0_usize;
            for exception in open.iter().take(MAX_DECISIONS) {
                resolved =
                    resolved.saturating_add(usize::from(decide(&call, exception, &word, &note).await?));
            }
            resolved
        }
    };
    run::wake_webhooks(&call.ports).await;
    let left = operations::count_open(database, wanted).await?;
    json(StatusCode::OK, &Resolved { resolved: u64::try_from(resolved).unwrap_or(u64::MAX), left })
}

/// What is to be done about an exception.
enum Asked {
    Close,
    Release,
    Decide(StatedWord),
}

fn asked(body: &mut Body) -> Option<Asked> {
    let action = body.named("action", "must be close, release or decide")?;
    if action != ResolutionAction::Decide {
        for name in ["status", "code"] {
            body.or_null(name, |body, name| {
                body.text(name, "is for the action decide alone", |_| None::<()>)
            });
        }
    }
    Some(match action {
        ResolutionAction::Close => Asked::Close,
        ResolutionAction::Release => Asked::Release,
        ResolutionAction::Decide => Asked::Decide(stated_word(body)?),
    })
}

/// Says what became of each transaction for want of whose word the exception is open; false when nothing follows.
async fn decide(call: &Call, exception: &ToResolve, word: &StatedWord, note: &str) -> Result<bool, Problem> {
    let database = &*call.ports.database;
    let credit_id: Vec<CreditId> = exception.credit_id.into_iter().collect();
    let facts = ledger::facts::facts(database, &credit_id).await?.into_iter().next();
    let (Some(facts), Ok(subject)) = (facts, exception.subject.parse()) else { return Ok(false) };
    let settings = &call.ports.settings;
    let as_of = call.ports.clock.now().await?;
    let context = settings.context(as_of);
    let subjects = to_decide(&facts, exception.kind, subject, &context);
    let mut is_decided = false;
    for (number, subject) in subjects.iter().enumerate() {
        let decided = format!("{:?}{}", word.status, word.code.as_deref().unwrap_or_default());
        let is_last = number.saturating_add(1) == subjects.len();
        let operation = Operation {
            idempotency_key: operations::key_of_decision(exception.id, *subject, &decided, is_last),
            fingerprint: keys::hash(&format!("decision\n{subject}\n{decided}\n{note}")),
            credit_id: facts.id,
            action: "decision",
            actor: call.actor(),
            note: note.to_owned(),
        };
        let input = Input::Decide { subject: *subject, status: word.status, code: word.code.clone() };
        is_decided |= done(&call.ports, &operation, input).await?;
    }
    Ok(is_decided)
}

/// Ends the exception's hold on each of its credits, once each.
async fn release(call: &Call, exception: &ToResolve, note: &str) -> Result<(), Problem> {
    for credit_id in &exception.holds {
        let operation = Operation {
            idempotency_key: operations::key_of(exception.id, *credit_id),
            fingerprint: keys::hash(&format!("release\n{credit_id}\n{note}")),
            credit_id: *credit_id,
            action: "release",
            actor: call.actor(),
            note: note.to_owned(),
        };
        done(&call.ports, &operation, Input::Release { exception_id: Some(exception.id) }).await?;
    }
    Ok(())
}

async fn found(ports: &Ports, id: ExceptionId) -> Result<Exception, Problem> {
    listings::exception(&*ports.database, id).await?.ok_or_else(|| no_such(id))
}

fn no_such(id: ExceptionId) -> Problem {
    Problem::not_found(format!("there is no exception {id}"))
}
