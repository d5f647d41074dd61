//! One side of a comparison: what was decided on a credit and what its facts are, line by line.

use std::collections::BTreeMap;

use paydown::credit::Facts;
use serde::Serialize;
use serde_json::Value;

use super::sha256;

/// The lines of one side.
#[derive(Default)]
pub struct Lines(Vec<String>);

impl Lines {
    pub fn push(&mut self, line: String) {
        self.0.push(line);
    }

    /// The facts of a decision. The ledger keeps a decision's facts without their order.
    pub fn extend(&mut self, turn: u32, facts: Vec<Value>) {
        let mut facts: Vec<String> =
            facts.iter().map(|fact| format!("turn {turn}: {}", in_order(fact))).collect();
        facts.sort_unstable();
        self.0.append(&mut facts);
    }

    /// All facts of a credit.
    pub fn facts(&mut self, facts: Facts) {
        let Facts {
            id,
            account_id,
            currency,
            terms,
            created_at,
            turn,
            transaction_id,
            debits,
            observations,
            words,
            timeouts,
            unknown_answers,
            holds,
            exceptions,
            written_off,
            external_payments,
            refunds,
        } = facts;
        self.each(
            "credit",
            false,
            &[(id, account_id, currency, terms, created_at, turn, transaction_id, written_off)],
        );
        self.each("debit", true, &debits);
        self.each("observation", true, &observations);
        // One decision takes the words on several debits, in an order that is not kept; those on one debit are in order.
        self.each("word", true, &words);
        let mut latest = BTreeMap::new();
        for word in &words {
            latest.insert(word.subject, word);
        }
        self.each("latest word", true, &latest.into_values().collect::<Vec<_>>());
        self.each("timed out", true, &timeouts);
        self.each("unknown answer", true, &unknown_answers);
        self.each("hold", true, &holds);
        self.each("exception", true, &exceptions);
        self.each("external payment", true, &external_payments);
        self.each("refund", true, &refunds);
    }

    fn each(&mut self, what: &str, is_sorted: bool, of: &[impl Serialize]) {
        let text = |one| format!("{what} {}", serde_json::to_string(one).expect("a fact is JSON"));
        let mut lines: Vec<String> = of.iter().map(text).collect();
        if is_sorted {
            lines.sort_unstable();
        }
        self.0.append(&mut lines);
    }

    /// The first line that only one of both sides has.
    pub fn first_difference(&self, other: &Lines) -> Option<(String, String)> {
        let longest = self.0.len().max(other.0.len());
        let line = |lines: &Lines, place: usize| {
            lines.0.get(place).cloned().unwrap_or_else(|| "nothing more".into())
        };
        let place = (0..longest).find(|place| self.0.get(*place) != other.0.get(*place))?;
        Some((line(self, place), line(other, place)))
    }

    pub fn hash(&self) -> String {
        sha256(self.0.join("\n").as_bytes())
    }
}

/// A JSON object with its members in one order.
fn in_order(value: &Value) -> String {
    let members: BTreeMap<&String, &Value> = value.as_object().into_iter().flatten().collect();
    serde_json::to_string(&members).expect("it is JSON")
}
