//! Debits: the list, by due date.

use paydown::api::{Debit, DebitsQuery, Page};
use paydown::credit::DebitStatus;
use paydown::date::BusinessDate;
use paydown::id::CreditId;

use super::call::{Answered, Call, cursor};
use super::credits::{MAX_EXAMINED, SLICE};
use super::csv::csv_or_json;
use super::problem::Problem;
use crate::ledger;
use crate::ledger::listings::{self, DebitsWanted};
use crate::ports::Ports;

const STATUSES: &str =
    "scheduled, processing, submitted, collected, failed, timed_out, returned or cancelled";

/// `GET /v1/debits`.
pub async fn list(call: Call) -> Answered {
    let mut asked = call.parameters::<DebitsQuery>()?;
    let credit_id: Option<CreditId> = asked.parsed("credit_id", "the id of a credit");
    let status: Option<DebitStatus> = asked.named("status", STATUSES);
    let due_from: Option<BusinessDate> = asked.parsed("due_from", "a date, YYYY-MM-DD");
    let due_to: Option<BusinessDate> = asked.parsed("due_to", "a date, YYYY-MM-DD");
    let limit = asked.limit();
    let behind = asked.cursor().unwrap_or_default();
    asked.check()?;
    let examine = if status.is_some() { SLICE } else { limit.saturating_add(1) };
    let wanted = DebitsWanted { credit_id, due_from, due_to, behind, limit: examine };
    csv_or_json(&call, &page(&call.ports, wanted, status, limit).await?)
}

/// Examines debits from a place on until the page is full, or enough were examined.
async fn page(
    ports: &Ports,
    mut wanted: DebitsWanted,
    status: Option<DebitStatus>,
    limit: usize,
) -> Result<Page<Debit>, Problem> {
    let database = &*ports.database;
    let mut data = Vec::new();
    for _ in 0..MAX_EXAMINED.div_ceil(SLICE) {
        let examined = listings::debits(database, &wanted).await?;
        let mut credits: Vec<CreditId> = examined.iter().map(|e| e.credit_id).collect();
        credits.sort_unstable();
        credits.dedup();
        let facts = ledger::facts::facts(database, &credits).await?;
        let debits: Vec<Debit> = facts.iter().flat_map(Debit::of).collect();
        for candidate in &examined {
            if data.len() == limit {
                return Ok(Page { data, next_cursor: Some(cursor(&wanted.behind)?) });
            }
            wanted.behind = candidate.place.clone();
            let debit = debits.iter().find(|d| d.id == candidate.id);
            data.extend(debit.filter(|d| status.is_none_or(|status| status == d.status)).cloned());
        }
        if examined.len() < wanted.limit {
            return Ok(Page { data, next_cursor: None });
        }
    }
    Ok(Page { data, next_cursor: Some(cursor(&wanted.behind)?) })
}
