//! Webhooks in the ledger: the endpoints, how far each was told, and the log of what was sent.

use paydown::api::{EventType, WebhookDelivery, WebhookEndpoint, WebhookStatus};
use paydown::credit::Kind;
use paydown::date::{Instant, text};
use paydown::id::{self, CreditId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::events::Named;
use super::{batch, rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// How many endpoints there may be at once: a run looks at each.
pub const MAX_ENDPOINTS: u32 = 20;

/// An endpoint as it is from an instant on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The endpoint.
    pub id: Uuid,
    /// The how manieth version of it, from 1.
    pub version: u32,
    /// Where it is.
    pub url: String,
    /// What it wants to be told; all without any.
    pub event_types: Vec<EventType>,
    /// What it is called.
    pub label: String,
    /// What is sent to it is signed with.
    pub secret: String,
    /// Whether it is sent anything.
    pub status: WebhookStatus,
    /// Who made it so.
    pub actor: String,
    /// Why, where we did it ourselves.
    pub why: Option<String>,
    /// Since when.
    pub at: Instant,
}

/// How far an endpoint was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Its number.
    pub turn: u32,
    /// Each event up to this number was taken, or is not wanted, but for those that lag.
    pub up_to: u64,
    /// The credits of which something was not taken.
    pub lagging: Vec<Lane>,
    /// How many passes in a row nothing arrived at all.
    pub failures: u32,
    /// Since when.
    pub failing_since: Option<Instant>,
    /// When there is something to be sent although nothing new came.
    pub due_at: Option<Instant>,
}

/// The events of one credit, or of none, that are sent one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// The credit.
    pub credit_id: Option<CreditId>,
    /// The events by their numbers, the first of which is to be sent next.
    pub waiting: Vec<u64>,
    /// How often in a row the first of them was not taken.
    pub attempts: u32,
    /// Since when.
    pub since: Instant,
    /// When it is sent again.
    pub due_at: Instant,
}

/// An endpoint, and how far it was told.
#[derive(Debug, Clone, Deserialize)]
pub struct Standing {
    /// The endpoint as it is.
    pub endpoint: Version,
    /// The secrets in force, the newest first.
    pub secrets: Vec<String>,
    /// How far it was told.
    pub turn: Turn,
    /// The number of the last event.
    pub last_event: u64,
    /// Whether a person was told that nothing reaches it.
    pub is_reported: bool,
}

/// An endpoint and how far it was told. Secrets that others took the place of before `since` are in force no more.
pub async fn standing(database: &dyn Database, id: Uuid, since: Instant) -> Result<Option<Standing>, Fault> {
    let found = rows(database, statement(STANDING, &json!({ "id": id, "since": text(since) }))?).await?;
    Ok(found.into_iter().next())
}

/// The active endpoints for which something waits that may be sent now.
pub async fn due(database: &dyn Database, now: Instant) -> Result<Vec<Uuid>, Fault> {
    rows(database, due_then(now)?).await
}

/// The statement that gives them.
pub(crate) fn due_then(now: Instant) -> Result<Statement, Fault> {
    statement(DUE, &json!({ "now": text(now) }))
}

/// The endpoints made before one, newest first, without their secrets.
pub async fn list(
    database: &dyn Database,
    before: &EndpointPlace,
    limit: usize,
) -> Result<Vec<WebhookEndpoint>, Fault> {
    let parameter = json!({ "created_at": before.created_at, "id": before.id, "limit": limit });
    rows(database, statement(LIST, &parameter)?).await
}

/// A place in the list of endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointPlace {
    /// When the endpoint was made, as sortable text.
    pub created_at: String,
    /// The endpoint.
    pub id: String,
}

/// An endpoint, without its secret.
pub async fn one(database: &dyn Database, id: Uuid) -> Result<Option<WebhookEndpoint>, Fault> {
    let found = rows(database, statement(ONE, &json!({ "id": id }))?).await?;
    Ok(found.into_iter().next())
}

/// Adds an endpoint, to be told what happens from now on; false when there are too many.
pub async fn add(database: &dyn Database, first: &Version, pass: Uuid) -> Result<bool, Fault> {
    let parameter = json!({ "version": row_of(first)?, "max": MAX_ENDPOINTS, "pass_id": pass });
    let statements =
        [statement(ADD, &parameter)?, statement(FIRST_TURN, &parameter)?, statement(IS_THERE, &parameter)?];
    let results = batch(database, &statements).await?;
    Ok(results.last().is_some_and(|there| !there.is_empty()))
}

/// Makes an endpoint what a version says; false when another came before it.
pub async fn change(database: &dyn Database, version: &Version) -> Result<bool, Fault> {
    let parameter = json!({ "version": row_of(version)?, "kind": Kind::WebhookFailing.name() });
    let mut statements = vec![statement(CHANGE, &parameter)?];
    if version.status == WebhookStatus::Removed {
        statements.push(statement(REMOVED, &parameter)?);
    }
    statements.push(statement(IS_THERE, &parameter)?);
    let results = batch(database, &statements).await?;
    Ok(results.last().is_some_and(|there| !there.is_empty()))
}

/// A version as its row has it.
fn row_of(version: &Version) -> Result<serde_json::Value, Fault> {
    let mut row = serde_json::to_value(version)?;
    if let serde_json::Value::Object(members) = &mut row {
        members.insert("at".into(), text(version.at).into());
        members.insert("event_types".into(), serde_json::to_string(&version.event_types)?.into());
    }
    Ok(row)
}

/// What a pass came to.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The pass, which is random.
    pub pass: Uuid,
    /// The endpoint, and how it stood.
    pub endpoint_id: Uuid,
    /// How far it is told now.
    pub next: Turn,
    /// What was sent.
    pub attempts: Vec<AttemptRow>,
    /// The endpoint as it is when we give it up.
    pub given_up: Option<Version>,
    /// Whether a person need not look any more.
    pub has_recovered: bool,
    /// When.
    pub at: Instant,
}

/// A sending, for the log.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptRow {
    /// When it was sent, as sortable text.
    pub at: String,
    /// The event.
    pub event_number: u64,
    /// The how manieth in a row, from 1.
    pub attempt: u32,
    /// What was answered.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub why: Option<String>,
    /// How long that took.
    pub milliseconds: u64,
    /// When it is sent again, as sortable text.
    pub next_attempt_at: Option<String>,
    /// Who had it sent by hand.
    pub resent_by: Option<String>,
}

/// Writes the log and the next turn; false when another pass took that turn. What was sent was sent all the same.
pub async fn land(database: &dyn Database, passed: &Passed) -> Result<bool, Fault> {
    let endpoint = passed.endpoint_id;
    let parameter = json!({
        "endpoint_id": endpoint, "pass_id": passed.pass, "at": text(passed.at), "turn": passed.next.turn,
        "up_to": passed.next.up_to, "lagging": serde_json::to_string(&passed.next.lagging)?,
        "failures": passed.next.failures, "failing_since": passed.next.failing_since.map(text),
        "due_at": passed.next.due_at.map(text), "kind": Kind::WebhookFailing.name(),
    });
    let mut statements = vec![statement(TURN, &parameter)?];
    statements.extend(attempts(endpoint, passed.pass, &passed.attempts)?);
    if let Some(version) = &passed.given_up {
        let exception =
            ["exception", Kind::WebhookFailing.name(), &endpoint.to_string(), &version.version.to_string()];
        let given_up = json!({
            "version": row_of(version)?, "endpoint_id": endpoint, "turn": passed.next.turn, "pass_id": passed.pass,
            "exception_id": id::from_cause(0, &exception), "kind": Kind::WebhookFailing.name(),
        });
        statements.push(statement(GIVEN_UP, &given_up)?);
        statements.push(statement(REPORTED, &given_up)?);
    }
    if passed.has_recovered {
        statements.push(statement(RECOVERED, &parameter)?);
    }
    statements.push(statement(LANDED, &parameter)?);
    let results = batch(database, &statements).await?;
    Ok(results.last().is_some_and(|landed| !landed.is_empty()))
}

fn attempts(endpoint: Uuid, pass: Uuid, rows: &[AttemptRow]) -> Result<Option<Statement>, Fault> {
    if rows.is_empty() {
        return Ok(None);
    }
    let parameter = json!({ "endpoint_id": endpoint, "pass_id": pass, "attempts": rows });
    statement(ATTEMPTS, &parameter).map(Some)
}

/// Adds a sending by hand to the log.
pub async fn resent(
    database: &dyn Database,
    endpoint: Uuid,
    pass: Uuid,
    row: AttemptRow,
) -> Result<(), Fault> {
    let statements: Vec<Statement> = attempts(endpoint, pass, &[row])?.into_iter().collect();
    batch(database, &statements).await.map(|_| ())
}

/// A place in the log of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryPlace {
    at: String,
    event_number: u64,
    pass_id: String,
}

impl DeliveryPlace {
    /// Before the newest.
    pub fn before_all() -> DeliveryPlace {
        DeliveryPlace { at: "~".into(), event_number: 0, pass_id: String::new() }
    }
}

/// The log of an endpoint before a place, the newest first.
pub async fn deliveries(
    database: &dyn Database,
    endpoint: Uuid,
    before: &DeliveryPlace,
    limit: usize,
) -> Result<Vec<(DeliveryPlace, WebhookDelivery)>, Fault> {
    let parameter = json!({ "endpoint_id": endpoint, "before": before, "limit": limit });
    let found: Vec<Logged> = rows(database, statement(DELIVERIES, &parameter)?).await?;
    found.into_iter().map(Logged::told).collect()
}

#[derive(Deserialize)]
struct Logged {
    place: DeliveryPlace,
    event: Named,
    credit_id: Option<CreditId>,
    attempt: u32,
    status: Option<u16>,
    why: Option<String>,
    milliseconds: u64,
    next_attempt_at: Option<Instant>,
    resent_by: Option<String>,
}

impl Logged {
    fn told(self) -> Result<(DeliveryPlace, WebhookDelivery), Fault> {
        let delivery = WebhookDelivery {
            event_id: self.event.id(self.place.event_number)?,
            event_type: self.event.kind,
            credit_id: self.credit_id,
            at: self
                .place
                .at
                .parse()
                .map_err(|_| Fault::Permanent("an instant of the log is none".into()))?,
            attempt: self.attempt,
            delivered: self.why.is_none(),
            status: self.status,
            why: self.why,
            milliseconds: self.milliseconds,
            next_attempt_at: self.next_attempt_at,
            resent_by: self.resent_by,
        };
        Ok((self.place, delivery))
    }
}

/// Each endpoint by its first version, as it is now, with its latest turn.
macro_rules! endpoints {
    ($what:literal, $which:literal) => {
        concat!(
            "
SELECT ",
            $what,
            "
FROM webhook_endpoints first
CROSS JOIN webhook_endpoints e
  ON e.id = first.id AND e.version = (SELECT max(version) FROM webhook_endpoints WHERE id = first.id)
CROSS JOIN webhook_turns t
  ON t.endpoint_id = first.id AND t.turn = (SELECT max(turn) FROM webhook_turns WHERE endpoint_id = first.id)
WHERE first.version = 1 AND ",
            $which
        )
    };
}

macro_rules! shown {
    ($which:literal) => {
        endpoints!(
            "json_object('id', e.id, 'url', e.url, 'label', e.label, 'event_types', json(e.event_types),
  'status', e.status, 'actor', e.actor, 'why', e.why, 'created_at', first.at, 'changed_at', e.at,
  'waiting', (SELECT coalesce(max(number), 0) FROM events) - t.up_to
    + coalesce((SELECT sum(json_array_length(value, '$.waiting')) FROM json_each(t.lagging)), 0),
  'failing_since', t.failing_since, 'next_attempt_at', t.due_at)",
            $which
        )
    };
}

const LIST: &str = shown!(
    "(first.at, first.id) < (?1 ->> '$.created_at', ?1 ->> '$.id')
ORDER BY first.at DESC, first.id DESC LIMIT ?1 ->> '$.limit'"
);

const ONE: &str = shown!("first.id = ?1 ->> '$.id'");

/// A secret is in force until another takes its place, and for a while after.
const STANDING: &str = endpoints!(
    "json_object('endpoint', json_object('id', e.id, 'version', e.version, 'url', e.url, 'event_types', json(e.event_types),
    'label', e.label, 'secret', e.secret, 'status', e.status, 'actor', e.actor, 'why', e.why, 'at', e.at),
  'secrets', json((SELECT json_group_array(secret) FROM (
    SELECT v.secret FROM webhook_endpoints v
    LEFT JOIN webhook_endpoints next ON next.id = v.id AND next.version = v.version + 1
    WHERE v.id = e.id AND (next.at IS NULL OR next.at > ?1 ->> '$.since')
    GROUP BY v.secret ORDER BY max(v.version) DESC))),
  'turn', json_object('turn', t.turn, 'up_to', t.up_to, 'lagging', json(t.lagging), 'failures', t.failures,
    'failing_since', t.failing_since, 'due_at', t.due_at),
  'last_event', (SELECT coalesce(max(number), 0) FROM events),
  'is_reported', json(iif(EXISTS (
    SELECT 1 FROM exceptions x WHERE x.kind = 'webhook_failing' AND x.subject = e.id
      AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = x.id)), 'true', 'false')))",
    "first.id = ?1 ->> '$.id'"
);

/// Where nothing arrived at all, what is new waits too.
const DUE: &str = endpoints!(
    "json_quote(e.id)",
    "e.status = 'active' AND (t.due_at <= ?1 ->> '$.now'
  OR (t.failures = 0 AND t.up_to < (SELECT coalesce(max(number), 0) FROM events)))"
);

macro_rules! version {
    ($which:literal) => {
        concat!(
            "
INSERT INTO webhook_endpoints (id, version, url, event_types, label, secret, status, actor, why, at)
SELECT v ->> '$.id', v ->> '$.version', v ->> '$.url', v ->> '$.event_types', v ->> '$.label', v ->> '$.secret',
  v ->> '$.status', v ->> '$.actor', v ->> '$.why', v ->> '$.at'
FROM (SELECT ?1 -> '$.version' AS v) WHERE ",
            $which,
            " ON CONFLICT DO NOTHING"
        )
    };
}

const ADD: &str = version!(
    "(SELECT count(*) FROM webhook_endpoints first WHERE first.version = 1 AND NOT EXISTS (
    SELECT 1 FROM webhook_endpoints WHERE id = first.id AND status = 'removed')) < ?1 ->> '$.max'"
);

const CHANGE: &str = version!("true");

const FIRST_TURN: &str = "
INSERT INTO webhook_turns (endpoint_id, turn, pass_id, up_to, lagging, failures, failing_since, due_at, at)
SELECT e.id, 1, ?1 ->> '$.pass_id', (SELECT coalesce(max(number), 0) FROM events), '[]', 0, NULL, NULL, e.at
FROM webhook_endpoints e WHERE e.id = ?1 ->> '$.version.id' AND e.version = 1 ON CONFLICT DO NOTHING";

const IS_THERE: &str = "
SELECT json_quote(e.id) FROM webhook_endpoints e
WHERE e.id = ?1 ->> '$.version.id' AND e.version = ?1 ->> '$.version.version' AND e.at = ?1 ->> '$.version.at'
  AND e.url = ?1 ->> '$.version.url' AND e.event_types = ?1 ->> '$.version.event_types'
  AND e.label = ?1 ->> '$.version.label' AND e.secret = ?1 ->> '$.version.secret' AND e.status = ?1 ->> '$.version.status'";

const TURN: &str = "
INSERT INTO webhook_turns (endpoint_id, turn, pass_id, up_to, lagging, failures, failing_since, due_at, at)
SELECT ?1 ->> '$.endpoint_id', ?1 ->> '$.turn', ?1 ->> '$.pass_id', ?1 ->> '$.up_to', ?1 ->> '$.lagging',
  ?1 ->> '$.failures', ?1 ->> '$.failing_since', ?1 ->> '$.due_at', ?1 ->> '$.at'
WHERE true ON CONFLICT DO NOTHING";

const ATTEMPTS: &str = "
INSERT INTO webhook_attempts
  (endpoint_id, at, event_number, pass_id, attempt, status, why, milliseconds, next_attempt_at, resent_by)
SELECT ?1 ->> '$.endpoint_id', value ->> '$.at', value ->> '$.event_number', ?1 ->> '$.pass_id', value ->> '$.attempt',
  value ->> '$.status', value ->> '$.why', value ->> '$.milliseconds', value ->> '$.next_attempt_at',
  value ->> '$.resent_by'
FROM json_each(?1, '$.attempts') WHERE true ON CONFLICT DO NOTHING";

/// Only who took the turn gives up, and only an endpoint that is as it was.
const GIVEN_UP: &str = version!(
    "EXISTS (SELECT 1 FROM webhook_turns
    WHERE endpoint_id = ?1 ->> '$.endpoint_id' AND turn = ?1 ->> '$.turn' AND pass_id = ?1 ->> '$.pass_id')
  AND (SELECT max(version) FROM webhook_endpoints WHERE id = v ->> '$.id') = (v ->> '$.version') - 1"
);

const REPORTED: &str = "
INSERT INTO exceptions (id, kind, subject, credit_id, run_id, detail, opened_at, decision_id)
SELECT ?1 ->> '$.exception_id', ?1 ->> '$.kind', e.id, NULL, NULL, 'webhooks do not reach ' || e.label || ': ' || e.why, e.at, NULL
FROM webhook_endpoints e
WHERE e.id = ?1 ->> '$.version.id' AND e.version = ?1 ->> '$.version.version' AND e.at = ?1 ->> '$.version.at'
  AND e.why IS NOT NULL
  AND EXISTS (SELECT 1 FROM webhook_turns
    WHERE endpoint_id = e.id AND turn = ?1 ->> '$.turn' AND pass_id = ?1 ->> '$.pass_id')
  AND NOT EXISTS (
    SELECT 1 FROM exceptions x WHERE x.kind = ?1 ->> '$.kind' AND x.subject = e.id
      AND NOT EXISTS (SELECT 1 FROM resolutions WHERE exception_id = x.id))
ON CONFLICT DO NOTHING";

macro_rules! resolved {
    ($id:literal, $note:literal, $at:literal, $which:literal) => {
        concat!(
            "
INSERT INTO resolutions (exception_id, action, actor, note, resolved_at, decision_id)
SELECT e.id, 'closed', 'paydown', '",
            $note,
            "', ?1 ->> '",
            $at,
            "', NULL FROM exceptions e
WHERE e.kind = ?1 ->> '$.kind' AND e.subject = ?1 ->> '",
            $id,
            "' AND ",
            $which,
            " ON CONFLICT DO NOTHING"
        )
    };
}

const RECOVERED: &str = resolved!("$.endpoint_id", "a webhook was taken", "$.at", "true");
const REMOVED: &str = resolved!(
    "$.version.id",
    "the endpoint was removed",
    "$.version.at",
    "EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = e.subject AND status = 'removed')"
);

const LANDED: &str = "
SELECT json_quote(pass_id) FROM webhook_turns
WHERE endpoint_id = ?1 ->> '$.endpoint_id' AND turn = ?1 ->> '$.turn' AND pass_id = ?1 ->> '$.pass_id'";

const DELIVERIES: &str = "
SELECT json_object('place', json_object('at', a.at, 'event_number', a.event_number, 'pass_id', a.pass_id),
  'event', json_object('type', e.type, 'credit_id', e.credit_id, 'subject_id', e.subject_id, 'turn', e.turn),
  'credit_id', e.credit_id, 'attempt', a.attempt, 'status', a.status, 'why', a.why, 'milliseconds', a.milliseconds,
  'next_attempt_at', a.next_attempt_at, 'resent_by', a.resent_by)
FROM webhook_attempts a CROSS JOIN events e ON e.number = a.event_number
WHERE a.endpoint_id = ?1 ->> '$.endpoint_id' AND (a.at, a.event_number, a.pass_id)
  < (?1 ->> '$.before.at', ?1 ->> '$.before.event_number', ?1 ->> '$.before.pass_id')
ORDER BY a.at DESC, a.event_number DESC, a.pass_id DESC LIMIT ?1 ->> '$.limit'";
