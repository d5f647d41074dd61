//! Credits: the list, one with its debits and timeline, and its facts.

use axum::http::StatusCode;
use paydown::api::{
    Credit, CreditDetail, CreditsQuery, CreditsSort, Debit, NoQuery, Page, Refund, TimelineEntry,
};
use paydown::credit::{Because, CreditStatus, Facts, Kind, Reason};
use paydown::date::{Instant, text};
use paydown::id::{CreditId, DebitId, RefundId};
use paydown::money;
use paydown::observation::Outcome;
use paydown::policy::{Gravity, gravity};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::call::{Answered, Call, cursor, json};
use super::csv::csv_or_json;
use super::problem::Problem;
use crate::ledger;
use crate::ledger::listings::{self, CreditPlace, CreditsWanted, TimelineFact};
use crate::ports::Ports;

/// How many candidates a page examines at most (contract, Reading).
pub const MAX_EXAMINED: usize = 1000;

/// How many candidates are looked at together when a filter on what is derived may leave some out.
pub const SLICE: usize = 200;

const STATUSES: &str = "pending, unconfirmed, failed, written_off, repaid, held or active";

/// What a list of credits is filtered by.
struct Filter {
    account_id: Option<String>,
    status: Option<CreditStatus>,
    created_after: Option<Instant>,
    created_before: Option<Instant>,
    q: Option<String>,
    idempotency_key: Option<String>,
}

impl Filter {
    fn lets_pass(&self, credit: &Credit) -> bool {
        self.status.is_none_or(|status| status == credit.status)
            && self.account_id.as_ref().is_none_or(|account| *account == credit.account_id)
            && self.created_after.is_none_or(|after| credit.created_at > after)
            && self.created_before.is_none_or(|before| credit.created_at < before)
    }
}

/// `GET /v1/credits`: newest first, or oldest first with `sort=created_at`.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<CreditsQuery>()?;
    let sort = asked.named("sort", "created_at or -created_at").unwrap_or(CreditsSort::NewestFirst);
    let newest_first = sort == CreditsSort::NewestFirst;
    let filter = Filter {
        account_id: asked.text("account_id"),
        status: asked.named("status", STATUSES),
        created_after: asked.parsed("created_after", "an RFC 3339 instant"),
        created_before: asked.parsed("created_before", "an RFC 3339 instant"),
        q: asked.text("q").filter(|q| !q.is_empty()),
        idempotency_key: asked.text("idempotency_key"),
    };
    let limit = asked.limit();
    let behind = asked.cursor().unwrap_or_else(|| CreditPlace::before_all(newest_first));
    asked.check()?;
    let page = match named(&call.ports, &filter).await? {
        Some(page) => page,
        None => page(&call.ports, &filter, newest_first, behind, limit).await?,
    };
    csv_or_json(&call, &page)
}

/// The credits that the idempotency key or the text names exactly. `None`: there is no key, and the text is
/// to be looked for.
async fn named(ports: &Ports, filter: &Filter) -> Result<Option<Page<Credit>>, Problem> {
    let database = &*ports.database;
    let ids = match (&filter.idempotency_key, &filter.q) {
        (Some(key), _) => listings::credit_of_key(database, key).await?,
        (None, Some(q)) => match listings::credits_named(database, q).await? {
            ids if ids.is_empty() => return Ok(None),
            ids => ids,
        },
        (None, None) => return Ok(None),
    };
    let facts = ledger::facts::facts(database, &ids).await?;
    let data = facts.iter().map(Credit::of).filter(|credit| filter.lets_pass(credit)).collect();
    Ok(Some(Page { data, next_cursor: None }))
}

/// Examines credits from a place on until the page is full, or enough were examined.
async fn page(
    ports: &Ports,
    filter: &Filter,
    newest_first: bool,
    behind: CreditPlace,
    limit: usize,
) -> Result<Page<Credit>, Problem> {
    let database = &*ports.database;
    let is_filtered = filter.status.is_some() || filter.q.is_some();
    let mut wanted = CreditsWanted {
        account_id: filter.account_id.clone(),
        created_after: filter.created_after.map(text).unwrap_or_default(),
        created_before: filter.created_before.map_or_else(|| "~".to_owned(), text),
        q: filter.q.clone().unwrap_or_default(),
        amount: filter.q.as_deref().and_then(|q| money::read(q, &ports.settings.currency)),
        behind,
        newest_first,
        limit: if is_filtered { SLICE } else { limit.saturating_add(1) },
    };
    let mut data = Vec::new();
    for _ in 0..MAX_EXAMINED.div_ceil(SLICE) {
        let examined = listings::credits(database, &wanted).await?;
        let found: Vec<CreditId> = examined.iter().filter(|e| e.found).map(|e| e.id).collect();
        let facts = ledger::facts::facts(database, &found).await?;
        for candidate in &examined {
            if data.len() == limit {
                return Ok(Page { data, next_cursor: Some(cursor(&wanted.behind)?) });
            }
            wanted.behind = candidate.place.clone();
            let facts = facts.iter().find(|f| f.id == candidate.id);
            data.extend(facts.map(Credit::of).filter(|credit| filter.lets_pass(credit)));
        }
        if examined.len() < wanted.limit {
            return Ok(Page { data, next_cursor: None });
        }
    }
    Ok(Page { data, next_cursor: Some(cursor(&wanted.behind)?) })
}

/// `GET /v1/credits/{id}`.
pub async fn one(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    let facts = found(&call).await?;
    let timeline = listings::timeline(&*call.ports.database, facts.id).await?;
    let detail = CreditDetail {
        credit: Credit::of(&facts),
        debits: Debit::of(&facts),
        external_payments: facts.external_payments.clone(),
        refunds: Refund::of(&facts),
        timeline: in_order(&facts, timeline),
    };
    json(StatusCode::OK, &detail)
}

/// `GET /v1/credits/{id}/facts`.
pub async fn facts(call: Call) -> Answered {
    call.parameters::<NoQuery>()?.check()?;
    json(StatusCode::OK, &found(&call).await?)
}

async fn found(call: &Call) -> Result<Facts, Problem> {
    let id: CreditId = call.id("credit")?;
    let facts = ledger::facts::facts(&*call.ports.database, &[id]).await?;
    facts.into_iter().next().ok_or_else(|| Problem::not_found(format!("there is no credit {id}")))
}

/// The facts by instant; at one instant what was asked and said, then what was decided, turn by turn, each intent
/// with the processor's answer to it, then what else the processor answered.
fn in_order(credit: &Facts, mut facts: Vec<TimelineFact>) -> Vec<TimelineEntry> {
    let intents: Vec<(Uuid, Instant, Option<i64>)> =
        facts.iter().filter(|f| f.kind == "processed").map(|f| (f.subject, f.at, f.turn)).collect();
    let place = |fact: &TimelineFact| {
        let intent = intents.iter().find(|(subject, at, _)| *subject == fact.subject && *at == fact.at);
        let (step, turn) = match (fact.kind.as_str(), fact.turn, intent) {
            ("requested", _, _) => (0, None),
            (_, None, Some((_, _, turn))) => (2, *turn),
            ("observation", None, None) => (1, None),
            (_, Some(turn), _) => (2, Some(turn)),
            (_, None, None) => (3, None),
        };
        // Within a decision: the word, then what follows from it, then what was answered.
        let rank = match fact.kind.as_str() {
            "word" | "timed_out" | "operation" => 0,
            _ if fact.turn.is_some() => 1,
            _ => 2,
        };
        (fact.at, step, turn, rank)
    };
    facts.sort_by_key(place);
    let debit_ids: Vec<Uuid> = credit.debits.iter().map(|debit| debit.id.0).collect();
    let refund_ids: Vec<Uuid> = credit.refunds.iter().map(|refund| refund.id.0).collect();
    let entry = |fact: TimelineFact| TimelineEntry {
        at: fact.at,
        rule: if refund_ids.contains(&fact.subject) { Some("L8") } else { rule(credit.id, &fact) }
            .map(str::to_owned),
        debit_id: debit_ids.contains(&fact.subject).then_some(DebitId(fact.subject)),
        refund_id: refund_ids.contains(&fact.subject).then_some(RefundId(fact.subject)),
        run_id: fact.run_id,
        source: fact.source,
        code: fact.code,
        kind: fact.kind,
        detail: with_amounts(fact.detail, &fact.amounts, &credit.currency),
    };
    facts.into_iter().map(entry).collect()
}

/// The detail with each amount in its place.
fn with_amounts(detail: String, amounts: &[i64], currency: &str) -> String {
    amounts
        .iter()
        .fold(detail, |detail, amount| detail.replacen("{}", &money::text(i128::from(*amount), currency), 1))
}

/// The rule of the law that a fact follows.
fn rule(credit_id: CreditId, fact: &TimelineFact) -> Option<&'static str> {
    let is_own = fact.subject == credit_id.0;
    match fact.kind.as_str() {
        "requested" => Some("L1"),
        "unknown_answer" | "transaction" | "processed" => Some("L3"),
        "observation" => Some("L6"),
        "debit" => about(fact).map(Reason::rule),
        "cancelled" => about(fact).map(Because::rule),
        "word" | "timed_out" if is_own => Some("L2"),
        "word" => about(fact).map(|outcome: Outcome| match gravity(fact.code.as_deref()) {
            Gravity::Retryable | Gravity::Unknown | Gravity::Stop if !outcome.is_success() => "L7",
            Gravity::NoCode | Gravity::Retryable | Gravity::Unknown | Gravity::Stop => "L6",
        }),
        "timed_out" => Some("L5"),
        "exception_opened" | "exception_closed" | "held" => about(fact).map(Kind::rule),
        "released" | "written_off" | "operation" | "external_payment" | "external_payment_revoked" => {
            Some("L8")
        }
        _ => None,
    }
}

fn about<T: DeserializeOwned>(fact: &TimelineFact) -> Option<T> {
    serde_json::from_value(Value::String(fact.about.clone()?)).ok()
}
