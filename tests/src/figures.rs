//! The figures as they must be: of every credit of the book, and of every exception, counted anew.

use futures_executor::block_on;
use paydown::date::{BusinessDate, Instant, Zone};
use paydown::figures::Figures;
use paydown_edge::ledger::facts::facts;
use paydown_edge::ledger::figures::{left_by_day, now};
use paydown_edge::ledger::listings::open_exceptions;
use paydown_edge::ledger::metrics;

use crate::sqlite::Sqlite;

/// How many days to each side are compared.
const DAYS: u32 = 400;

/// Says what differs between the figures that the product gives and those of the whole book; nothing when none does.
pub fn differences(sqlite: &Sqlite, zone: &Zone, at: Instant) -> Result<(), String> {
    let today = zone.business_date(at);
    let (from, to) = (today.minus_days(DAYS), today.plus_days(DAYS));
    let days: Vec<BusinessDate> = (0..=2 * DAYS).map(|n| from.plus_days(n)).collect();
    let given = block_on(now(sqlite, zone, &days)).map_err(|fault| fault.to_string())?;
    let book = of_book(sqlite, zone);
    let open = block_on(open_exceptions(sqlite)).map_err(|fault| fault.to_string())?;
    let left = block_on(left_by_day(sqlite, from, to)).map_err(|fault| fault.to_string())?;
    let mut kinds: Vec<_> = open.iter().map(|kind| (kind.oldest.id.to_string(), kind.open)).collect();
    kinds.sort();
    is_same("open exceptions and the oldest of each kind", &kinds, &oldest_by_kind(sqlite))?;
    let mut given_summary = given.summary(at, today, (from, to), open.clone(), &left);
    let mut summary = book.summary(at, today, (from, to), open, &left);
    for (given, day) in given_summary.days.drain(..).zip(summary.days.drain(..)) {
        is_same("a day", &given, &day)?;
    }
    is_same("summary", &given_summary, &summary)?;
    let since = paydown::date::days_before(at, 60);
    is_same("originated", &given.originated_since(since), &book.originated_since(since))?;
    let metrics = block_on(metrics::figures(sqlite, zone, since)).map_err(|fault| fault.to_string())?;
    is_same("open exceptions", &metrics.open_exceptions, &open_by_kind(sqlite))?;
    let runs = counted(sqlite, "SELECT json_array(status, count(*)) FROM run_closings GROUP BY status");
    is_same("runs", &metrics.runs, &runs)?;
    let dead_letters = sqlite.query("SELECT count(*) FROM dead_letters");
    is_same("dead letters", &vec![metrics.dead_letters.to_string()], &dead_letters)
}

/// The figures of all credits.
fn of_book(sqlite: &Sqlite, zone: &Zone) -> Figures {
    let ids = sqlite.query("SELECT id FROM credits");
    let ids: Vec<_> = ids.iter().map(|id| id.parse().expect("the id of a credit")).collect();
    let mut figures = Figures::default();
    for facts in block_on(facts(sqlite, &ids)).expect("the facts can be read") {
        figures.plus(&Figures::of(&facts, |at| zone.business_date(at)));
    }
    figures
}

fn open_by_kind(sqlite: &Sqlite) -> Vec<(String, u64)> {
    counted(
        sqlite,
        "SELECT json_array(kind, count(*)) FROM exceptions
         WHERE id NOT IN (SELECT exception_id FROM resolutions) GROUP BY kind",
    )
}

fn oldest_by_kind(sqlite: &Sqlite) -> Vec<(String, u64)> {
    counted(
        sqlite,
        "WITH open AS (SELECT * FROM exceptions WHERE id NOT IN (SELECT exception_id FROM resolutions))
         SELECT json_array(o.id, (SELECT count(*) FROM open WHERE kind = o.kind)) FROM open o WHERE NOT EXISTS (
           SELECT 1 FROM open WHERE kind = o.kind AND (opened_at, id) < (o.opened_at, o.id))
         ORDER BY o.id",
    )
}

fn counted(sqlite: &Sqlite, sql: &str) -> Vec<(String, u64)> {
    sqlite.query(sql).iter().map(|row| serde_json::from_str(row).expect("a name and a number")).collect()
}

fn is_same<T: std::fmt::Debug + PartialEq>(what: &str, given: &T, book: &T) -> Result<(), String> {
    if given == book {
        return Ok(());
    }
    Err(format!("{what}: the figures say {given:?}, the book comes to {book:?}"))
}
