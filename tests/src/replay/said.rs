//! What the archived reports say, parsed again from their bytes.

use std::collections::{BTreeMap, BTreeSet};

use paydown::credit::Facts;
use paydown::date::Instant;
use paydown::id;
use paydown::observation::{Observation, Source, Status};
use paydown::report::{Header, Line, Parser};
use uuid::Uuid;

use super::sha256;
use super::tables::{Report, Tables};

/// All that was said, in the order in which it was read.
pub struct Said {
    /// The reports, by the instants of their runs.
    pub reports: Vec<Read>,
    rows: Vec<Row>,
    by_reference: BTreeMap<Uuid, Vec<usize>>,
    by_transaction: BTreeMap<String, Vec<usize>>,
}

/// A report that was read again.
pub struct Read {
    pub run_id: Uuid,
    pub read_at: Instant,
    pub window_days: u32,
    pub whole: bool,
    pub has_header: bool,
    pub read_to_its_end_at: Option<Instant>,
    /// The rows that cannot be read, by their bytes.
    pub malformed: BTreeSet<Uuid>,
}

/// Each distinct row counts once, as in the ledger.
type Key = (String, Option<Uuid>, Instant, Status, Option<String>);

struct Row {
    status: Status,
    code: Option<String>,
    at: Instant,
}

impl Said {
    /// Reads all reports, and says which archived bytes are not those that were read.
    pub fn of(tables: &Tables, archived: &dyn Fn(&str) -> Option<Vec<u8>>) -> (Said, Vec<String>) {
        let mut said = Said {
            reports: vec![],
            rows: vec![],
            by_reference: BTreeMap::new(),
            by_transaction: BTreeMap::new(),
        };
        let (mut seen, mut changed) = (BTreeSet::new(), vec![]);
        for report in &tables.reports {
            let bytes = archived(&report.object_key).unwrap_or_default();
            let (hash, key) = (sha256(&bytes), &report.object_key);
            if hash != report.sha256 {
                changed.push(format!(
                    "{key} is not what was read: its hash was {}, and is {hash}",
                    report.sha256
                ));
            }
            said.read(tables, report, &bytes, &mut seen);
        }
        (said, changed)
    }

    fn read(&mut self, tables: &Tables, report: &Report, bytes: &[u8], seen: &mut BTreeSet<Key>) {
        let mut malformed = BTreeSet::new();
        let mut sink = |line: Line<'_>| match line {
            Line::Malformed(line) => {
                malformed.insert(id::from_cause(0, &["malformed_row", &sha256(line.bytes)]));
            }
            Line::Row(row) => {
                let reference = row.reference.filter(|reference| tables.subjects.contains_key(reference));
                let (transaction, code) =
                    (row.transaction_id.into_owned(), row.code.map(|code| code.into_owned()));
                if !seen.insert((transaction.clone(), reference, row.at, row.status, code.clone())) {
                    return;
                }
                let place = self.rows.len();
                self.rows.push(Row { status: row.status, code, at: row.at });
                match reference {
                    Some(reference) => self.by_reference.entry(reference).or_default().push(place),
                    None => self.by_transaction.entry(transaction).or_default().push(place),
                }
            }
        };
        // A run that was overtaken while it read has recorded what it had read.
        let all = [(0, u64::MAX)];
        let ranges = if report.read_to_its_end_at.is_some() { &all[..] } else { &report.read };
        let mut has_header = false;
        for (start, until) in ranges {
            let header = Header::parse(bytes);
            let parser = match (start, header) {
                (0, _) | (_, Err(_)) => Parser::new(report.read_at),
                (start, Ok(header)) => Parser::from_byte(*start, header, report.read_at),
            };
            let mut parser = parser.until_byte(*until);
            let from = usize::try_from(start.saturating_sub(1)).expect("a place");
            parser.feed(&bytes[from..], &mut sink);
            has_header |= parser.finish(&mut sink).header.is_ok();
        }
        self.reports.push(Read {
            run_id: report.run_id,
            read_at: report.read_at,
            window_days: report.window_days,
            whole: report.whole,
            has_header,
            read_to_its_end_at: report.read_to_its_end_at,
            malformed,
        });
    }

    /// Adds to the facts what was said of their transactions: so many report rows, the first that came, and refusals.
    pub fn observe(&self, facts: &mut Facts, tables: &Tables, reported: usize, refused: usize) {
        let mut subjects = vec![(facts.id.0, facts.transaction_id.clone())];
        subjects.extend(facts.debits.iter().map(|debit| (debit.id.0, debit.transaction_id.clone())));
        subjects.extend(facts.refunds.iter().map(|refund| (refund.id.0, refund.transaction_id.clone())));
        let (mut found, mut refusals) = (vec![], vec![]);
        for (subject, transaction) in subjects {
            let named = transaction.and_then(|name| self.by_transaction.get(name.as_str()));
            let places = self.by_reference.get(&subject).into_iter().chain(named).flatten();
            found.extend(places.map(|place| (*place, subject)));
            refusals.extend(tables.refusals.get(&subject).into_iter().flatten().cloned());
        }
        found.sort_unstable();
        for (place, subject) in found.into_iter().take(reported) {
            let Row { status, code, at } = &self.rows[place];
            let (source, code) = (Source::Report, code.clone());
            facts.observations.push(Observation { subject, source, status: *status, code, at: *at });
        }
        refusals.sort_by_key(|refusal| refusal.at);
        facts.observations.extend(refusals.into_iter().take(refused));
    }
}
