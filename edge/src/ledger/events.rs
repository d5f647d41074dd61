//! The events in their order, each told from the facts that it names.

use paydown::api::{Event, EventData, EventType};
use paydown::date::Instant;
use paydown::id::{self, CreditId, EventId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{batch, parsed, rows, statement};
use crate::error::Fault;
use crate::ports::{Database, Statement};

/// How many events a look examines. They are numbered without a gap, so that the numbers alone say which.
pub const MAX_EXAMINED: u64 = 1000;

/// Which events to look at: of the next [`MAX_EXAMINED`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EventsWanted {
    /// Those behind this number.
    pub after: u64,
    /// Those of these types; of all without any.
    pub types: Vec<EventType>,
    /// Those of this credit.
    pub credit_id: Option<CreditId>,
    /// How many at most.
    pub limit: usize,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The events, each with its number.
    pub events: Vec<(u64, Event)>,
    /// Up to which number was looked.
    pub up_to: u64,
    /// Whether there are more behind it.
    pub has_more: bool,
}

/// The next events that are wanted, in their order.
pub async fn next(database: &dyn Database, wanted: &EventsWanted) -> Result<Found, Fault> {
    let limit = wanted.limit.saturating_add(1);
    let examined_to = wanted.after.saturating_add(MAX_EXAMINED);
    let parameter = json!({ "wanted": wanted, "examined_to": examined_to, "limit": limit });
    let results = batch(database, &[statement(NEXT, &parameter)?, last()?]).await?;
    let [found, last] = &results[..] else { return Err(Fault::Permanent("no answer about events".into())) };
    let last: u64 = parsed(last)?.into_iter().next().unwrap_or(0);
    let mut events = told(found)?;
    let is_full = events.len() > wanted.limit;
    events.truncate(wanted.limit);
    let up_to = match events.last() {
        Some((number, _)) if is_full => *number,
        Some(_) | None => examined_to.min(last).max(wanted.after),
    };
    Ok(Found { events, up_to, has_more: up_to < last })
}

/// The events with these numbers, in their order.
pub async fn with_numbers(database: &dyn Database, numbers: &[u64]) -> Result<Vec<(u64, Event)>, Fault> {
    let results = batch(database, &[statement(WITH_NUMBERS, &numbers)?]).await?;
    results.first().map_or(Ok(vec![]), |rows| told(rows))
}

/// The event with an id.
pub async fn event(database: &dyn Database, id: EventId) -> Result<Option<(u64, Event)>, Fault> {
    let found = with_numbers(database, &[id::number_of(id.0)]).await?;
    Ok(found.into_iter().find(|(_, event)| event.id == id))
}

/// The number of the last event, 0 while there is none.
pub async fn last_number(database: &dyn Database) -> Result<u64, Fault> {
    Ok(rows(database, last()?).await?.into_iter().next().unwrap_or(0))
}

fn last() -> Result<Statement, Fault> {
    statement(LAST, &())
}

/// The event that rows of the ledger tell.
pub(super) fn told(rows: &[String]) -> Result<Vec<(u64, Event)>, Fault> {
    let rows: Vec<Row> = parsed(rows)?;
    rows.into_iter().map(|row| Ok((row.number, row.told()?))).collect()
}

#[derive(Deserialize)]
struct Row {
    #[serde(flatten)]
    named: Named,
    number: u64,
    timestamp: Instant,
    data: EventData,
}

/// What the id of an event is made of, beside its number.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    #[serde(rename = "type")]
    pub kind: EventType,
    credit_id: Option<CreditId>,
    subject_id: String,
    turn: Option<u32>,
}

impl Named {
    /// The id of the event with a number.
    pub(super) fn id(&self, number: u64) -> Result<EventId, Fault> {
        let bucket = self.credit_id.map_or(0, |credit| id::bucket_of(credit.0));
        let turn = self.turn.map(|turn| turn.to_string()).unwrap_or_default();
        let id: Option<Uuid> =
            id::numbered(number, bucket, &["event", self.kind.name(), &self.subject_id, &turn]);
        let id = id.ok_or_else(|| Fault::Permanent(format!("{number} is no number of an event")))?;
        Ok(EventId(id))
    }
}

impl Row {
    fn told(self) -> Result<Event, Fault> {
        let id = self.named.id(self.number)?;
        Ok(Event { id, r#type: self.named.kind, timestamp: self.timestamp, data: self.data })
    }
}

/// What an event says is of one kind of thing; what the others would say is null in its row, and left out of the event.
macro_rules! events {
    ($from:literal) => {
        concat!(
            "
SELECT json_object('number', e.number, 'type', e.type, 'credit_id', e.credit_id, 'subject_id', e.subject_id,
  'turn', e.turn, 'timestamp', e.at, 'data', json_object(
    'credit_id', e.credit_id, 'account_id', c.account_id, 'amount', coalesce(d.amount, c.amount), 'fee', c.fee,
    'currency', c.currency, 'code', w.code, 'debit_id', d.id, 'sequence', d.sequence, 'due_date', d.due_date,
    'transaction_id', t.transaction_id, 'exception_id', x.id, 'kind', x.kind, 'subject', x.subject, 'action', s.action,
    'run_id', coalesce(x.run_id, r.id), 'business_date', r.business_date, 'as_of', r.as_of, 'status', z.status))
FROM (",
            $from,
            ") AS e
LEFT JOIN credits c ON c.id = e.credit_id
LEFT JOIN words w ON w.subject_id = e.subject_id AND w.turn = e.turn
LEFT JOIN debits d ON d.id = e.subject_id
LEFT JOIN debit_transactions t ON t.debit_id = e.subject_id AND e.type = 'debit.submitted'
LEFT JOIN exceptions x ON x.id = e.subject_id
LEFT JOIN resolutions s ON s.exception_id = e.subject_id AND e.type = 'exception.closed'
LEFT JOIN runs r ON r.id = e.subject_id
LEFT JOIN run_closings z ON z.run_id = e.subject_id
ORDER BY e.number"
        )
    };
}

const NEXT: &str = events!(
    "SELECT * FROM events
  WHERE number > ?1 ->> '$.wanted.after' AND number <= ?1 ->> '$.examined_to'
    AND (json_array_length(?1, '$.wanted.types') = 0 OR type IN (SELECT value FROM json_each(?1, '$.wanted.types')))
    AND (?1 ->> '$.wanted.credit_id' IS NULL OR credit_id = ?1 ->> '$.wanted.credit_id')
  ORDER BY number LIMIT ?1 ->> '$.limit'"
);

const WITH_NUMBERS: &str = events!("SELECT events.* FROM json_each(?1) CROSS JOIN events ON number = value");

const LAST: &str = "SELECT json_quote(coalesce(max(number), 0)) FROM events";
