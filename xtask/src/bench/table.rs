//! The table: a row for each figure, what it came to and what it must reach.

use serde_json::{Value, json};
use std::fmt;

/// The rows of a run, and what is said besides: what a figure that is short is to be held against.
#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
    notes: Vec<String>,
}

/// A figure with its verdict.
struct Row {
    figure: String,
    measured: String,
    target: String,
    is_met: bool,
}

/// What a figure must reach.
#[derive(Clone, Copy)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Table {
    /// Adds a figure; `unit` stands behind both numbers.
    pub fn add(&mut self, figure: impl Into<String>, measured: f64, target: Target, unit: &str) {
        let (is_met, sign, bound) = match target {
            Target::AtLeast(least) => (measured >= least, "≥", least),
            Target::AtMost(most) => (measured <= most, "≤", most),
        };
        let with_unit = |number: f64| format!("{}{unit}", rounded(number));
        let (measured, target) = (with_unit(measured), format!("{sign} {}", with_unit(bound)));
        self.rows.push(Row { figure: figure.into(), measured, target, is_met });
    }

    /// Adds a figure that is said below the table.
    pub fn note(&mut self, figure: String, measured: f64, unit: &str) {
        self.notes.push(format!("{figure}: {}{unit}", rounded(measured)));
    }

    /// Whether every figure reaches what it must.
    pub fn is_met(&self) -> bool {
        self.rows.iter().all(|row| row.is_met)
    }

    /// The rows for programs.
    pub fn json(&self) -> Value {
        let row = |row: &Row| json!({ "figure": row.figure, "measured": row.measured, "target": row.target, "verdict": row.verdict() });
        self.rows.iter().map(row).collect()
    }
}

impl Row {
    fn verdict(&self) -> &'static str {
        if self.is_met { "met" } else { "short" }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            |of: fn(&Row) -> &str| self.rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
        let (figure, measured) = (width(|row| &row.figure), width(|row| &row.measured));
        let target = width(|row| &row.target);
        for row in &self.rows {
            let verdict = row.verdict();
            writeln!(
                f,
                "| {:figure$} | {:>measured$} | {:target$} | {verdict} |",
                row.figure, row.measured, row.target
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// A number with as many digits as tell something.
fn rounded(number: f64) -> String {
    let decimals = match number.abs() {
        magnitude if magnitude >= 100.0 || magnitude.fract() == 0.0 => 0,
        magnitude if magnitude >= 10.0 => 1,
        _ => 2,
    };
    format!("{number:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::{Table, Target};

    #[test]
    fn a_row_ends_in_its_verdict() {
        let mut table = Table::default();
        table.add("throughput", 0.913, Target::AtLeast(0.9), " of the floor");
        assert!(table.is_met());
        table.add("round trips", 3.0, Target::AtMost(2.0), "");
        assert!(!table.is_met());
        table.note("the least".into(), 0.85, " of the floor");
        assert_eq!(
            table.to_string(),
            "| throughput  | 0.91 of the floor | ≥ 0.90 of the floor | met |\n\
             | round trips |                 3 | ≤ 2                 | short |\n\
             the least: 0.85 of the floor\n"
        );
    }
}
