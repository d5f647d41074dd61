//! Webhooks: each endpoint is sent the events that it wants, in order for each credit, and over and over until it takes them.
//!
//! A pass over an endpoint:
//!
//! 1. read how it stands: the endpoint, its secrets in force, and its latest turn, which says how far it was told. Nothing
//!    follows unless it is active and something is due;
//! 2. take up what is to be sent: what lags and is due again, and the next window of events, unless too much lags already.
//!    The events of one credit are a lane, those of no credit are one too;
//! 3. send each lane in its order, six lanes at once. A lane ends at its first failure: what is behind waits with it;
//! 4. land the log and the next turn in one batch;
//! 5. again, while something is due. The rest is left to a message, or to the sweeper where it is not due soon.
//!
//! Where nothing of a window arrives the endpoint is taken for down: the turn moves no further than its count of failures,
//! and all waits. What fails for days is given up: the endpoint is paused, a person is told, and what waits stays where it is.
//!
//! Why each event arrives at least once: `up_to` moves past an event only with the turn that says that it was taken, or names
//! it among what lags. Why a credit's events arrive in order, also where two passes are at work at once, or one broke off
//! before its turn landed: an event is sent only once the endpoint took the one before it, in the same lane of the same pass
//! or by an earlier turn. So the first time that an event arrives, all before it have arrived. What comes again is known by
//! its id.

use std::cell::Cell;
use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::{StreamExt, stream};
use paydown::api::{Event, WebhookDelivery, WebhookStatus};
use paydown::date::{Instant, text};
use serde_json::json;
use uuid::Uuid;

use super::budget::Meter;
use crate::error::Fault;
use crate::ledger::events::{self, EventsWanted};
use crate::ledger::webhooks::{self as ledger, AttemptRow, Lane, Passed, Standing, Turn, Version};
use crate::log;
use crate::message::Message;
use crate::ports::{Ports, Receipt};
use crate::webhooks::{Destination, OLD_SECRET_HOURS, PATIENCE_HOURS, wait, wait_of_all, webhook};

/// How many events a window has at most.
const WINDOW: usize = 100;

/// How many lanes are sent at once: the connections that the platform lets wait for headers (Cloudflare Workers, limits,
/// simultaneous open connections).
const CONCURRENCY: usize = 6;

/// How many lanes may lag, and how many events in them, before no new window is taken up: a turn names them all.
const MAX_LAGGING: usize = 100;
const MAX_WAITING: usize = 1_000;

/// For how long a pass sends: what was taken is to be recorded soon.
const SENDING_SECONDS: i64 = 20;

/// How many failures, before anything arrived, are enough to take an endpoint for down.
const ENOUGH_FAILURES: u32 = 6;

/// What is due within so many seconds gets a message; the sweeper looks every ten minutes.
const MESSAGE_SECONDS: i64 = 600;

/// The status by which an endpoint says that it is gone (RFC 9110, section 15.5.11).
const GONE: u16 = 410;

/// Sends a message for each endpoint for which something waits.
///
/// A fault is for the log: whoever did what is to be told has done it, and the sweeper comes by.
pub async fn wake_webhooks(ports: &Ports) {
    let waiting = async {
        let now = ports.clock.real_now().await?;
        ledger::due(&*ports.database, now).await
    };
    match waiting.await {
        Ok(endpoints) => wake(ports, endpoints).await,
        Err(fault) => not_woken(&fault),
    }
}

/// Sends each of these endpoints' messages.
pub(super) async fn wake(ports: &Ports, endpoints: Vec<Uuid>) {
    for endpoint_id in endpoints {
        if let Err(fault) = ports.outbox.send(&Message::Webhooks { endpoint_id }, 0).await {
            not_woken(&fault);
        }
    }
}

fn not_woken(fault: &Fault) {
    log::error("webhooks were not woken", json!({ "fault": fault.to_string() }));
}

/// Sends an endpoint what waits for it, pass after pass, as far as the budget of the invocation reaches.
pub(super) async fn send_waiting(ports: &Ports, meter: &Meter, endpoint_id: Uuid) -> Result<(), Fault> {
    let mut has_passed = false;
    loop {
        let now = ports.clock.real_now().await?;
        let Some(standing) = standing(ports, endpoint_id, now).await? else { return Ok(()) };
        let seconds = seconds_until_due(&standing.turn, standing.last_event, now);
        let Some(seconds) = seconds.filter(|_| standing.endpoint.status == WebhookStatus::Active) else {
            return Ok(());
        };
        // Of what is due later, whoever sent before has left a message.
        if seconds > 0 && !has_passed {
            return Ok(());
        }
        if seconds > 0 || meter.is_used(ports).await? {
            return hand_on(ports, endpoint_id, seconds).await;
        }
        let passed = pass(ports, &standing, now).await?;
        // Another pass took the turn, and goes on.
        if !ledger::land(&*ports.database, &passed).await? {
            return Ok(());
        }
        has_passed = true;
    }
}

/// How an endpoint stands at an instant.
pub async fn standing(ports: &Ports, endpoint_id: Uuid, now: Instant) -> Result<Option<Standing>, Fault> {
    let since = now.checked_sub_signed(TimeDelta::hours(OLD_SECRET_HOURS)).unwrap_or(now);
    ledger::standing(&*ports.database, endpoint_id, since).await
}

/// In how many seconds there is something to be sent; none while nothing waits.
fn seconds_until_due(turn: &Turn, last_event: u64, now: Instant) -> Option<i64> {
    if turn.failures == 0 && turn.up_to < last_event && takes_more(turn) {
        return Some(0);
    }
    let milliseconds = turn.due_at?.signed_duration_since(now).num_milliseconds().max(0);
    Some(milliseconds.saturating_add(999).checked_div(1000).unwrap_or(0))
}

/// Whether a new window may be taken up.
fn takes_more(turn: &Turn) -> bool {
    let waiting = turn.lagging.iter().map(|lane| lane.waiting.len()).fold(0, usize::saturating_add);
    turn.lagging.len() <= MAX_LAGGING && waiting <= MAX_WAITING
}

/// Leaves the rest to a message; where it is not due soon, or the message gets lost, to the sweeper.
async fn hand_on(ports: &Ports, endpoint_id: Uuid, seconds: i64) -> Result<(), Fault> {
    if seconds > MESSAGE_SECONDS {
        return Ok(());
    }
    let delay = u32::try_from(seconds).unwrap_or(0);
    ports.outbox.send(&Message::Webhooks { endpoint_id }, delay).await
}

/// One pass: what is due is sent, and what follows from that is worked out.
async fn pass(ports: &Ports, standing: &Standing, now: Instant) -> Result<Passed, Fault> {
    let taken = take_up(ports, standing, now).await?;
    let (due, waiting): (Vec<Work>, Vec<Work>) = taken.works.into_iter().partition(|work| work.is_due);
    let sending = Sending { ports, standing, events: &taken.events, door: Door::open(now) };
    let mut sent: Vec<Sent> = stream::iter(due)
        .map(|work| sending.lane(work))
        .buffer_unordered(CONCURRENCY)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<_, Fault>>()?;
    sent.extend(waiting.into_iter().map(Sent::nothing));
    let at = ports.clock.real_now().await?;
    let has_arrived = sent.iter().any(Sent::has_arrived);
    let is_down = !has_arrived && sent.iter().any(|sent| sent.work.is_fresh && sent.failed.is_some());
    let next = if is_down { down(standing, &sent, at) } else { up(standing, taken.up_to, &sent, at) };
    let why = why_to_give_up(&next, &sent, is_down, at);
    let attempts = sent.into_iter().flat_map(|sent| sent.attempts).map(|row| with_next(row, &next)).collect();
    Ok(Passed {
        pass: Uuid::new_v4(),
        endpoint_id: standing.endpoint.id,
        next,
        attempts,
        given_up: why.map(|why| given_up(&standing.endpoint, why, at)),
        has_recovered: has_arrived && standing.is_reported,
        at,
    })
}

/// What a pass takes up.
struct Taken {
    /// The lanes, those that may not be sent yet among them.
    works: Vec<Work>,
    /// The events in them that may be sent, by their numbers.
    events: BTreeMap<u64, Event>,
    /// Up to which event the window reaches.
    up_to: u64,
}

/// A lane in a pass.
#[derive(Debug, Clone)]
struct Work {
    lane: Lane,
    /// Whether nothing of it lagged before.
    is_fresh: bool,
    is_due: bool,
}

async fn take_up(ports: &Ports, standing: &Standing, now: Instant) -> Result<Taken, Fault> {
    let (database, turn) = (&*ports.database, &standing.turn);
    let lagging = |lane: &Lane| Work { lane: lane.clone(), is_fresh: false, is_due: lane.due_at <= now };
    let mut works: Vec<Work> = turn.lagging.iter().map(lagging).collect();
    let due = works.iter().filter(|work| work.is_due).flat_map(|work| work.lane.waiting.iter().copied());
    let numbers: Vec<u64> = due.collect();
    let mut events = BTreeMap::new();
    if !numbers.is_empty() {
        events.extend(events::with_numbers(database, &numbers).await?);
    }
    if !takes_more(turn) {
        return Ok(Taken { works, events, up_to: turn.up_to });
    }
    let types = standing.endpoint.event_types.clone();
    let wanted = EventsWanted { after: turn.up_to, types, credit_id: None, limit: WINDOW };
    let window = events::next(database, &wanted).await?;
    for (number, event) in window.events {
        let credit_id = event.data.credit_id();
        match works.iter_mut().find(|work| work.lane.credit_id == credit_id) {
            Some(work) => work.lane.waiting.push(number),
            None => {
                let lane = Lane { credit_id, waiting: vec![number], attempts: 0, since: now, due_at: now };
                works.push(Work { lane, is_fresh: true, is_due: true });
            }
        }
        events.insert(number, event);
    }
    Ok(Taken { works, events, up_to: window.up_to })
}

/// What became of a lane.
struct Sent {
    /// The lane with what still waits in it.
    work: Work,
    attempts: Vec<AttemptRow>,
    failed: Option<Failure>,
}

/// Why a lane ended before its end.
struct Failure {
    status: Option<u16>,
    retry_after_seconds: Option<u32>,
    why: String,
}

impl Sent {
    fn nothing(work: Work) -> Sent {
        Sent { work, attempts: vec![], failed: None }
    }

    fn has_arrived(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.why.is_none())
    }
}

/// What every webhook of a pass goes through.
struct Door {
    begun_at: Instant,
    failures: Cell<u32>,
    has_arrived: Cell<bool>,
}

impl Door {
    fn open(begun_at: Instant) -> Door {
        Door { begun_at, failures: Cell::new(0), has_arrived: Cell::new(false) }
    }

    /// Whether a webhook may be sent: the time is not up, and the endpoint is not down.
    fn is_open(&self, now: Instant) -> bool {
        let is_down = !self.has_arrived.get() && self.failures.get() >= ENOUGH_FAILURES;
        !is_down && now.signed_duration_since(self.begun_at) < TimeDelta::seconds(SENDING_SECONDS)
    }

    fn pass(&self, has_arrived: bool) {
        if has_arrived {
            self.has_arrived.set(true);
        } else {
            self.failures.set(self.failures.get().saturating_add(1));
        }
    }
}

/// What sending needs to know.
struct Sending<'a> {
    ports: &'a Ports,
    standing: &'a Standing,
    events: &'a BTreeMap<u64, Event>,
    door: Door,
}

impl Sending<'_> {
    /// Sends a lane's events one after the other, until one is not taken or the door shuts.
    async fn lane(&self, mut work: Work) -> Result<Sent, Fault> {
        let mut attempts = Vec::new();
        while let Some(event) = work.lane.waiting.first().and_then(|number| self.events.get_key_value(number))
        {
            let now = self.ports.clock.real_now().await?;
            if !self.door.is_open(now) {
                break;
            }
            let earlier = if work.is_fresh { self.standing.turn.failures } else { work.lane.attempts };
            let (mut row, failed) = send(self.ports, self.standing, event, now).await?;
            row.attempt = earlier.saturating_add(1);
            attempts.push(row);
            self.door.pass(failed.is_none());
            if let Some(failure) = failed {
                work.lane.attempts = work.lane.attempts.saturating_add(1);
                return Ok(Sent { work, attempts, failed: Some(failure) });
            }
            work.lane.waiting.remove(0);
            (work.lane.attempts, work.lane.since) = (0, now);
        }
        Ok(Sent { work, attempts, failed: None })
    }
}

/// Sends one event, once.
async fn send(
    ports: &Ports,
    standing: &Standing,
    (number, event): (&u64, &Event),
    now: Instant,
) -> Result<(AttemptRow, Option<Failure>), Fault> {
    // What is allowed may be another thing today than when the endpoint was made.
    let receipt = match Destination::parse(&standing.endpoint.url, ports.settings.is_local) {
        Ok(to) => ports.courier.post(&webhook(&to, event, &standing.secrets, now)?).await,
        Err(why) => Receipt::Lost { why: format!("the address {why}") },
    };
    let passed = ports.clock.real_now().await?.signed_duration_since(now);
    let status = match &receipt {
        Receipt::Answered { status, .. } => Some(*status),
        Receipt::Lost { .. } => None,
    };
    let failed = match receipt {
        Receipt::Answered { status: 200..=299, .. } => None,
        Receipt::Answered { status, retry_after_seconds } => {
            Some(Failure { status: Some(status), retry_after_seconds, why: format!("HTTP {status}") })
        }
        Receipt::Lost { why } => Some(Failure { status: None, retry_after_seconds: None, why }),
    };
    let row = AttemptRow {
        at: text(now),
        event_number: *number,
        attempt: 1,
        status,
        why: failed.as_ref().map(|failure| failure.why.clone()),
        milliseconds: u64::try_from(passed.num_milliseconds()).unwrap_or(0),
        next_attempt_at: None,
        resent_by: None,
    };
    Ok((row, failed))
}

/// The turn after a pass of which nothing arrived: all stays where it was, and waits.
fn down(standing: &Standing, sent: &[Sent], at: Instant) -> Turn {
    let turn = &standing.turn;
    let failures = turn.failures.saturating_add(1);
    let asked = sent.iter().filter_map(|sent| sent.failed.as_ref()?.retry_after_seconds).max();
    let of = [&*standing.endpoint.id.to_string(), &turn.turn.to_string()];
    Turn {
        turn: turn.turn.saturating_add(1),
        failures,
        failing_since: turn.failing_since.or(Some(at)),
        due_at: Some(later(at, wait_of_all(failures, asked, &of))),
        ..turn.clone()
    }
}

/// The turn after any other: the window is behind it, but for what lags.
fn up(standing: &Standing, up_to: u64, sent: &[Sent], at: Instant) -> Turn {
    let mut lagging: Vec<Lane> = sent
        .iter()
        .filter(|sent| !sent.work.lane.waiting.is_empty())
        .map(|sent| lagging(standing, sent, at))
        .collect();
    lagging.sort_by_key(|lane| lane.waiting.first().copied());
    Turn {
        turn: standing.turn.turn.saturating_add(1),
        up_to,
        due_at: lagging.iter().map(|lane| lane.due_at).min(),
        lagging,
        failures: 0,
        failing_since: None,
    }
}

/// A lane of which something still waits.
fn lagging(standing: &Standing, sent: &Sent, at: Instant) -> Lane {
    let lane = sent.work.lane.clone();
    let Some(failure) = &sent.failed else { return lane };
    let first = lane.waiting.first().copied().unwrap_or(0);
    let of = [&*standing.endpoint.id.to_string(), &first.to_string(), &lane.attempts.to_string()];
    let seconds = wait(lane.attempts, failure.retry_after_seconds, &of);
    Lane { due_at: later(at, seconds), ..lane }
}

fn later(at: Instant, seconds: u32) -> Instant {
    at.checked_add_signed(TimeDelta::seconds(i64::from(seconds))).unwrap_or(at)
}

/// Why no more is to be sent until a person looks: the endpoint says that it is gone, or something failed for too long.
fn why_to_give_up(next: &Turn, sent: &[Sent], is_down: bool, at: Instant) -> Option<String> {
    let failures = || sent.iter().filter_map(|sent| Some((&sent.work.lane, sent.failed.as_ref()?)));
    if failures().any(|(_, failure)| failure.status == Some(GONE)) {
        return Some("it says that it is gone (HTTP 410)".into());
    }
    let is_too_long = |since: &Instant| at.signed_duration_since(*since) >= TimeDelta::hours(PATIENCE_HOURS);
    if is_down {
        let since = next.failing_since.filter(is_too_long)?;
        let (_, failure) = failures().next()?;
        return Some(format!("it took nothing since {}: {}", text(since), failure.why));
    }
    let (lane, failure) = failures().find(|(lane, _)| is_too_long(&lane.since))?;
    let of = lane.credit_id.map(|credit| format!(" of the credit {credit}")).unwrap_or_default();
    Some(format!("it did not take an event{of} since {}: {}", text(lane.since), failure.why))
}

/// The endpoint as it is once we give it up.
fn given_up(endpoint: &Version, why: String, at: Instant) -> Version {
    log::error("an endpoint is given up", json!({ "endpoint_id": endpoint.id, "why": why }));
    Version {
        version: endpoint.version.saturating_add(1),
        status: WebhookStatus::Paused,
        actor: "paydown".into(),
        why: Some(why),
        at,
        ..endpoint.clone()
    }
}

/// The row of the log with when the event is sent again.
fn with_next(row: AttemptRow, next: &Turn) -> AttemptRow {
    let lane = next.lagging.iter().find(|lane| lane.waiting.first() == Some(&row.event_number));
    let at = if next.failures > 0 { next.due_at } else { lane.map(|lane| lane.due_at) };
    AttemptRow { next_attempt_at: at.filter(|_| row.why.is_some()).map(text), ..row }
}

/// Lets an endpoint go on where it stopped, at once and as if nothing had failed yet.
pub async fn go_on(ports: &Ports, endpoint_id: Uuid) -> Result<(), Fault> {
    land_turn(ports, endpoint_id, |turn, now| Turn {
        lagging: turn
            .lagging
            .into_iter()
            .map(|lane| Lane { attempts: 0, since: now, due_at: now, ..lane })
            .collect(),
        failures: 0,
        failing_since: None,
        due_at: Some(now),
        ..turn
    })
    .await
}

/// Sends an endpoint all events behind a number anew.
pub async fn rewind(ports: &Ports, endpoint_id: Uuid, up_to: u64) -> Result<(), Fault> {
    land_turn(ports, endpoint_id, |turn, _| Turn {
        up_to,
        lagging: vec![],
        failures: 0,
        failing_since: None,
        due_at: None,
        ..turn
    })
    .await
}

/// How often a turn is tried when a pass takes it.
const ATTEMPTS: u32 = 5;

/// Lands a turn that no pass made. A pass that is under way then reads a stale past, and its turn is lost.
async fn land_turn(
    ports: &Ports,
    endpoint_id: Uuid,
    change: impl Fn(Turn, Instant) -> Turn,
) -> Result<(), Fault> {
    for _ in 0..ATTEMPTS {
        let at = ports.clock.real_now().await?;
        let Some(standing) = standing(ports, endpoint_id, at).await? else { return Ok(()) };
        let turn = standing.turn.turn.saturating_add(1);
        let next = Turn { turn, ..change(standing.turn, at) };
        let pass = Uuid::new_v4();
        let passed =
            Passed { pass, endpoint_id, next, attempts: vec![], given_up: None, has_recovered: false, at };
        if ledger::land(&*ports.database, &passed).await? {
            return Ok(());
        }
    }
    Err(Fault::Transient(format!("endpoint {endpoint_id} kept being told something")))
}

/// Sends an endpoint one event by hand, whatever waits for it.
pub async fn resend(
    ports: &Ports,
    standing: &Standing,
    event: &(u64, Event),
    actor: String,
) -> Result<WebhookDelivery, Fault> {
    let now = ports.clock.real_now().await?;
    let (number, told) = event;
    let (row, _) = send(ports, standing, (number, told), now).await?;
    let row = AttemptRow { resent_by: Some(actor), ..row };
    ledger::resent(&*ports.database, standing.endpoint.id, Uuid::new_v4(), row.clone()).await?;
    Ok(WebhookDelivery {
        event_id: told.id,
        event_type: told.r#type,
        credit_id: told.data.credit_id(),
        at: now,
        attempt: row.attempt,
        delivered: row.why.is_none(),
        status: row.status,
        why: row.why,
        milliseconds: row.milliseconds,
        next_attempt_at: None,
        resent_by: row.resent_by,
    })
}
