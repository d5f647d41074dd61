//! The journal for accountants: every line of a period, in the order in which the entries were recorded.

use paydown::api::{JournalLine, JournalQuery, Page};
use paydown::date::{BusinessDate, text};
use paydown::id::CreditId;
use paydown::journal::{History, entries};

use super::call::{Answered, Call, cursor};
use super::credits::{MAX_EXAMINED, SLICE};
use super::csv::csv_or_json;
use super::problem::Problem;
use crate::ledger::journal::{self, JournalExamined, JournalPlace, JournalWanted};
use crate::ports::Ports;

/// `GET /v1/journal`.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<JournalQuery>()?;
    let zone = &call.ports.settings.zone;
    let from: Option<BusinessDate> = asked.parsed("from", "a date, YYYY-MM-DD");
    let to: Option<BusinessDate> = asked.parsed("to", "a date, YYYY-MM-DD");
    let limit = asked.limit();
    let behind: Option<JournalPlace> = asked.cursor();
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        asked.wrong("to", "must not be before from");
    }
    asked.check()?;
    let start = |date: BusinessDate| text(zone.start_of(date));
    let first = JournalPlace { at: from.map(start).unwrap_or_default(), ..JournalPlace::default() };
    let wanted = JournalWanted {
        from: behind.unwrap_or(first),
        // Nothing is recorded in the future; a letter sorts behind every instant.
        before: to.map_or_else(|| "Z".to_owned(), |to| start(to.plus_days(1))),
        limit: SLICE,
    };
    csv_or_json(&call, &page(&call.ports, wanted, limit).await?)
}

/// Examines decisions and requests from a place on until the page is full, or enough were examined.
async fn page(ports: &Ports, mut wanted: JournalWanted, limit: usize) -> Result<Page<JournalLine>, Problem> {
    let mut data = Vec::new();
    for _ in 0..MAX_EXAMINED.div_ceil(SLICE) {
        let examined = journal::examined(&*ports.database, &wanted).await?;
        let mut moving: Vec<CreditId> = examined.iter().filter(|e| e.may_move).map(|e| e.credit_id).collect();
        moving.sort_unstable();
        moving.dedup();
        let histories = journal::histories(&*ports.database, &moving).await?;
        for candidate in &examined {
            let lines = lines_of(ports, candidate, &histories);
            let is_begun = wanted.from.id == candidate.id;
            let given = if is_begun { wanted.from.lines } else { 0 };
            let taken = lines.len().saturating_sub(given).min(limit.saturating_sub(data.len()));
            let place = given.saturating_add(taken);
            if place < lines.len() && taken == 0 {
                return Ok(Page { data, next_cursor: Some(cursor(&wanted.from)?) });
            }
            let (at, id) = (candidate.at.clone(), candidate.id.clone());
            wanted.from = JournalPlace { at, id, lines: place };
            let is_full = place < lines.len();
            data.extend(lines.into_iter().skip(given).take(taken));
            if is_full {
                return Ok(Page { data, next_cursor: Some(cursor(&wanted.from)?) });
            }
        }
        if examined.len() < wanted.limit {
            return Ok(Page { data, next_cursor: None });
        }
    }
    Ok(Page { data, next_cursor: Some(cursor(&wanted.from)?) })
}

/// The lines of the entries that a decision or a request made.
fn lines_of(ports: &Ports, candidate: &JournalExamined, histories: &[History]) -> Vec<JournalLine> {
    let history = histories.iter().find(|h| candidate.may_move && h.credit_id == candidate.credit_id);
    let of_history = |history: &History| -> Vec<JournalLine> {
        let made = entries(history, &ports.settings.zone).into_iter().filter(|e| e.turn == candidate.turn);
        made.flat_map(|entry| JournalLine::of(history, &entry)).collect()
    };
    history.map(of_history).unwrap_or_default()
}
