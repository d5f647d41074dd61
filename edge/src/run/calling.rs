//! Calling the processor, and recording what it answers.

use std::cell::Cell;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use paydown::date::{Instant, text};
use paydown::decision::{Input, decide};
use paydown::id::{CreditId, TransactionId};
use uuid::Uuid;

use super::striking::strike;
use crate::error::Fault;
use crate::ledger::calls::AnswerRow;
use crate::ledger::decisions::{Landing, land, policy_row};
use crate::ledger::facts::facts;
use crate::ledger::{self, calls, stops};
use crate::ports::{Answer, Ports};

/// How many calls wait for the processor at once: the connections that the platform lets wait for headers
/// (Cloudflare Workers, limits, simultaneous open connections).
const CONCURRENCY: usize = 6;

/// How often a refused credit is decided again when someone else decided on it in between.
const ATTEMPTS: u32 = 5;

/// A call of the processor under the key of a credit or debit.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The credit or debit, and the key.
    pub subject: Uuid,
    /// The credit it belongs to.
    pub credit_id: CreditId,
    /// What is asked, byte for byte as stored with the intent.
    pub body: String,
    /// Whether no call under this key can have been made before: only then does a refusal prove anything.
    pub is_first: bool,
}

/// For how long a set of calls begins new ones: what was answered is to be recorded soon.
const CALLING_SECONDS: i64 = 8;

/// How long a stop may be in force before calls under way hear of it.
const STOP_SECONDS: i64 = 1;

/// What a set of calls came to.
#[derive(Debug, Default)]
pub(super) struct Called {
    /// What was refused, to be decided at once where the refusal proves anything.
    pub refused: Vec<(CreditId, Uuid)>,
    /// Why nothing more is to be called now: we are misconfigured.
    pub stopped: Option<String>,
    /// After how many seconds the processor may be called again: it asked us to slow down.
    pub slow_down: Option<u32>,
    /// Whether an operator put a stop in force meanwhile.
    pub is_stopped: bool,
    /// Those that were not called: the time was up, the processor wants no more, or an operator stopped it.
    pub left: Vec<Call>,
}

/// Why calling had to stop, where the processor asked to wait.
pub(super) fn asks_to_wait(seconds: u32) -> String {
    format!("the processor asks to wait {seconds} s")
}

/// Calls the processor for all of `calls`, until the time is up or it wants no more, and records the answers in one batch.
pub(super) async fn call(ports: &Ports, mut calls: Vec<Call>, at: Instant) -> Result<Called, Fault> {
    let later: Vec<Uuid> = calls.iter().filter(|call| !call.is_first).map(|call| call.subject).collect();
    if !later.is_empty() {
        let allowed = calls::call_later(&*ports.database, &later, at).await?;
        calls.retain(|call| call.is_first || allowed.contains(&call.subject));
    }
    let door = Door::open(ports).await?;
    let answers = stream::iter(calls).map(|call| {
        let door = &door;
        async move {
            if !door.is_open().await {
                return (call, None);
            }
            let answer = ports.processor.perform(&call.subject.to_string(), &call.body).await;
            if matches!(answer, Answer::Misconfigured { .. } | Answer::SlowDown { .. }) {
                door.is_shut.set(true);
            }
            (call, Some(answer))
        }
    });
    let mut called = Called::default();
    let mut said = Said::default();
    let mut answers = answers.buffer_unordered(CONCURRENCY);
    while let Some((call, answer)) = answers.next().await {
        match answer {
            Some(answer) => said.hear(&mut called, call, answer, at),
            None => called.left.push(call),
        }
    }
    called.is_stopped = door.is_stopped.get();
    let statements = calls::answers(&said.named, &said.refused, &said.unknown)?;
    if !statements.is_empty() {
        ledger::batch(&*ports.database, &statements).await?;
    }
    Ok(called)
}

/// What every new call of a set goes through.
struct Door<'a> {
    ports: &'a Ports,
    begun_at: Instant,
    asked_at: Cell<Instant>,
    is_shut: Cell<bool>,
    is_stopped: Cell<bool>,
}

impl<'a> Door<'a> {
    async fn open(ports: &'a Ports) -> Result<Door<'a>, Fault> {
        let begun_at = ports.clock.real_now().await?;
        let (is_shut, is_stopped) = (Cell::new(false), Cell::new(false));
        Ok(Door { ports, begun_at, asked_at: Cell::new(begun_at), is_shut, is_stopped })
    }

    /// Whether a call may begin: the time is not up, the processor wants more, and no stop came into force.
    async fn is_open(&self) -> bool {
        // What cannot be known is no reason to move money.
        let Ok(now) = self.ports.clock.real_now().await else { return false };
        if now.signed_duration_since(self.begun_at) >= TimeDelta::seconds(CALLING_SECONDS) {
            self.is_shut.set(true);
        }
        let asked = now.signed_duration_since(self.asked_at.get());
        if !self.is_shut.get() && asked >= TimeDelta::seconds(STOP_SECONDS) {
            self.asked_at.set(now);
            let in_force = stops::stop(&*self.ports.database).await.is_ok_and(|stop| stop.in_force);
            self.is_stopped.set(self.is_stopped.get() || in_force);
        }
        !self.is_shut.get() && !self.is_stopped.get()
    }
}

/// The answers of a set of calls, as they are recorded.
#[derive(Default)]
struct Said {
    named: Vec<AnswerRow>,
    refused: Vec<AnswerRow>,
    unknown: Vec<AnswerRow>,
}

impl Said {
    fn hear(&mut self, called: &mut Called, call: Call, answer: Answer, at: Instant) {
        let (subject, credit_id) = (call.subject, call.credit_id);
        let row =
            |said: String| AnswerRow { subject, credit_id, at: text(at), code: String::new(), text: said };
        match answer {
            Answer::Transaction(id) => match TransactionId::try_from(id) {
                Ok(id) => self.named.push(row(id.into())),
                Err(error) => self.unknown.push(row(error.to_string())),
            },
            // Where another call was made under the key it proves nothing, and is recorded as unknown.
            Answer::Refused { code, message } => {
                self.refused.push(AnswerRow { code, ..row(message) });
                called.refused.push((credit_id, subject));
            }
            Answer::Misconfigured { status } => {
                called.stopped = Some(format!("the processor answers {status}: we are misconfigured"));
            }
            Answer::SlowDown { retry_after_seconds } => {
                called.slow_down = called.slow_down.max(Some(retry_after_seconds));
            }
            Answer::Unknown { detail } => self.unknown.push(row(detail)),
        }
    }
}

/// Deals with the refusals of first calls at once, by L7 and L4.
pub(super) async fn refusals(
    ports: &Ports,
    refused: &[(CreditId, Uuid)],
    run_id: Option<paydown::id::RunId>,
    at: Instant,
) -> Result<(), Fault> {
    if refused.is_empty() {
        return Ok(());
    }
    let (policy_id, policy) = policy_row(&ports.settings)?;
    ledger::batch(&*ports.database, &[policy]).await?;
    for (credit_id, subject) in refused {
        for _ in 0..ATTEMPTS {
            let context = ports.settings.context(at);
            let Some(facts) = facts(&*ports.database, &[*credit_id]).await?.into_iter().next() else { break };
            let input = Input::Refusal { subject: *subject };
            let decision = decide(&facts, input.clone(), &context);
            if decision.facts.is_empty() {
                break;
            }
            let landing = Landing::of(&facts, input, decision, (run_id, at), vec![]);
            if !land(&*ports.database, &[landing], &policy_id).await?.is_empty() {
                break;
            }
        }
    }
    let credits: Vec<CreditId> = refused.iter().map(|(credit_id, _)| *credit_id).collect();
    strike(ports, &credits, run_id, Some(at), at).await
}

/// Calls the processor for a refund whose intent has just landed: the first call under its key.
pub async fn give_back(
    ports: &Ports,
    credit_id: CreditId,
    subject: Uuid,
    body: String,
    at: Instant,
) -> Result<(), Fault> {
    let called = call(ports, vec![Call { subject, credit_id, body, is_first: true }], at).await?;
    refusals(ports, &called.refused, None, at).await
}

/// Calls the processor for credits that were recorded without a call, as their queue messages ask.
pub async fn submit(ports: &Ports, credits: &[CreditId]) -> Result<(), Fault> {
    let database = &*ports.database;
    let mut unanswered: Vec<Uuid> = Vec::new();
    for facts in facts(database, credits).await? {
        let is_refused = facts.observations.iter().any(|observation| observation.subject == facts.id.0);
        if facts.transaction_id.is_none() && !is_refused {
            unanswered.push(facts.id.0);
        }
    }
    if unanswered.is_empty() || stops::stop(database).await?.in_force {
        return Ok(());
    }
    let at = ports.clock.now().await?;
    let claimed = calls::claim_first(database, &unanswered, at).await?;
    let bodies = calls::bodies(database, &unanswered).await?;
    let calls = bodies.into_iter().map(|(subject, body)| {
        let is_first = claimed.contains(&subject);
        Call { subject, credit_id: CreditId(subject), body, is_first }
    });
    let called = call(ports, calls.collect(), at).await?;
    refusals(ports, &called.refused, None, at).await
}
