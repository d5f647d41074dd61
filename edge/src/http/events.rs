//! Events: all that happened, in its order, to be read on from the last one that was seen.

use paydown::api::{Event, EventType, EventsQuery, Page};
use paydown::id::{CreditId, EventId};

use super::call::{Answered, Call, cursor};
use super::csv::csv_or_json;
use crate::ledger::events::{self, EventsWanted};

/// `GET /v1/events`: the oldest first. Its cursor is the number up to which the pages before looked.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<EventsQuery>()?;
    let after: Option<EventId> = asked.parsed("after", "the id of an event");
    let r#type: Option<EventType> = asked.named("type", "a type of event, such as credit.repaid");
    let credit_id: Option<CreditId> = asked.parsed("credit_id", "the id of a credit");
    let limit = asked.limit();
    let behind: Option<u64> = asked.cursor();
    asked.check()?;
    let database = &*call.ports.database;
    let seen = match after.filter(|_| behind.is_none()) {
        Some(id) => events::event(database, id).await?.map(|(number, _)| number),
        None => Some(behind.unwrap_or(0)),
    };
    if seen.is_none() {
        asked.wrong("after", "must be the id of an event of this book");
    }
    asked.check()?;
    let types = r#type.into_iter().collect();
    let wanted = EventsWanted { after: seen.unwrap_or(0), types, credit_id, limit };
    let found = events::next(database, &wanted).await?;
    let next_cursor = found.has_more.then(|| cursor(&found.up_to)).transpose()?;
    let data: Vec<Event> = found.events.into_iter().map(|(_, event)| event).collect();
    csv_or_json(&call, &Page { data, next_cursor })
}
