//! What is measured of core alone: reading a report, planning and deciding. The same functions run natively and, as
//! WebAssembly, in Node.

use paydown::calendar::FederalReserve;
use paydown::credit::Facts;
use paydown::date::{Instant, Zone};
use paydown::decision::{Context, Fact, Input, decide};
use paydown::id::{self, CreditId, TransactionId};
use paydown::money::Cents;
use paydown::observation::{Observation, Source, Status};
use paydown::plan::{Terms, plan};
use paydown::policy::Policy;
use paydown::report::{Line, Parser};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen::prelude::wasm_bindgen;

/// So many bytes of a report are read at once.
pub const CHUNK_BYTES: usize = 1 << 20;

/// How many installments each plan has.
const INSTALLMENTS: u32 = 12;

/// A report of so many rows as the processor writes them, a tenth of them failures. No two rows are the same.
pub fn report(rows: u32) -> Vec<u8> {
    let mut report = b"transaction_id,status,code,at\n".to_vec();
    for number in 0..rows {
        let id = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let outcome = if number % 10 == 0 { "failure,R01" } else { "success," };
        let (minute, second) = (number / 60 % 60, number % 60);
        let row = format!("tx_{id:032x},{outcome},2026-01-05T12:{minute:02}:{second:02}Z\n");
        report.extend_from_slice(row.as_bytes());
    }
    report
}

/// Reads a report, a chunk at a time; how many rows it has. Each of them must be readable.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
#[inline(never)]
pub fn rows(report: &[u8]) -> u32 {
    let mut reader = Reader::default();
    report.chunks(CHUNK_BYTES).for_each(|chunk| reader.take(chunk));
    reader.rows()
}

/// How many lines the bytes have: the plain count that the parser is measured against.
#[cfg_attr(target_arch = "wasm32", wasm_bindgen)]
pub fn lines(report: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', report).count()).expect("a report's lines")
}

/// Reads a report that comes in pieces.
pub struct Reader {
    parser: Parser,
    /// What is read of the rows, so that none is skipped.
    seen: u64,
    since: Instant,
}

impl Default for Reader {
    fn default() -> Reader {
        let (since, read_at) = (instant("2026-01-05T06:00:00Z"), instant("2026-01-06T06:00:00Z"));
        Reader { parser: Parser::new(read_at), seen: 0, since }
    }
}

impl Reader {
    /// Takes the next bytes.
    pub fn take(&mut self, chunk: &[u8]) {
        let (seen, since) = (&mut self.seen, self.since);
        self.parser.feed(chunk, |line| match line {
            Line::Row(row) => {
                let bytes = row.transaction_id.len() + row.code.map_or(0, |code| code.len());
                *seen = seen.wrapping_add(bytes as u64).wrapping_add(u64::from(row.at > since));
            }
            Line::Malformed(line) => panic!("line {} cannot be read: {}", line.line_number, line.why),
        });
    }

    /// How many rows there were.
    pub fn rows(self) -> u32 {
        let summary = self.parser.finish(|_| panic!("the last line is not whole"));
        assert!(self.seen > summary.rows, "each row was looked at");
        u32::try_from(summary.rows).expect("few enough rows")
    }
}

/// Makes so many plans; how many installments they have.
pub fn plans(credits: u32) -> u64 {
    let (credit_date, run_date) =
        ("2026-01-05".parse().expect("a date"), "2026-01-06".parse().expect("a date"));
    let planned = |number| plan(&terms(number), credit_date, run_date, None).len() as u64;
    (0..credits).map(planned).sum()
}

/// Confirms so many credits by `decide`, which plans them; how many installments follow.
#[inline(never)]
pub fn decisions(credits: &[Facts]) -> u64 {
    let (zone, policy) = (Zone::default(), Policy::default());
    let as_of = instant("2026-01-06T06:00:00Z");
    let context = Context { as_of, zone: &zone, policy: &policy, calendar: &FederalReserve };
    let input = Input::Words { covered_from: Some(instant("2026-01-01T06:00:00Z")) };
    let planned = |facts: &Facts| {
        let decision = decide(facts, input.clone(), &context);
        decision.facts.iter().filter(|fact| matches!(fact, Fact::Debit(_))).count() as u64
    };
    credits.iter().map(planned).sum()
}

/// Credits that were advanced and have just been confirmed.
pub fn confirmed(credits: u32) -> Vec<Facts> {
    (0..credits).map(confirmed_credit).collect()
}

fn confirmed_credit(number: u32) -> Facts {
    let account_id = format!("acct_{number}");
    let unix_ms = 1_767_625_200_000 + u64::from(number);
    let id = CreditId(id::created(id::bucket(&account_id), unix_ms, [7; 8]));
    let said = Observation {
        subject: id.0,
        source: Source::Report,
        status: Status::Success,
        code: None,
        at: instant("2026-01-05T18:00:00Z"),
    };
    let created_at = instant("2026-01-05T15:00:00Z");
    Facts {
        transaction_id: TransactionId::try_from(format!("tx_{id}")).ok(),
        observations: vec![said],
        ..Facts::asked_for(id, &account_id, "USD", terms(number), created_at)
    }
}

fn terms(number: u32) -> Terms {
    let cents = |minor| Cents::new(minor).expect("an amount");
    Terms {
        amount: cents(100_000 + u64::from(number)),
        fee: cents(0),
        installments: INSTALLMENTS,
        interval_days: 7,
    }
}

fn instant(text: &str) -> Instant {
    text.parse().expect("an instant")
}
