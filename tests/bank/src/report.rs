//! The report as text: a header line, then one row per status change.

use serde::Deserialize;

use crate::story::{Manners, draw};

/// The first line of every report.
pub const HEADER: &str = "transaction_id,status,code,at\n";

/// How far back a report reaches, ends included.
pub const WINDOW_DAYS: i64 = 5;

/// One status change, as the books give it. None of its texts needs quotes.
#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    /// The transaction.
    pub transaction_id: String,
    /// `success` or `failure`.
    pub status: String,
    /// The return code, often empty.
    pub code: String,
    /// When it happened.
    pub at: String,
    /// From when on reports have it.
    pub appears_at: String,
    /// Which of its transaction's changes it is.
    pub number: u64,
    /// Whose markers say whether the row appears twice.
    pub account: String,
}

/// The rows as lines, in the order given; those of `dup` accounts twice and at places of chance.
pub fn lines(rows: &[Row], seed: &str) -> String {
    let mut placed: Vec<(usize, &Row)> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        if Manners::of(&row.account).dup {
            placed.push((place_of_chance(row, "first", rows.len(), seed), row));
            placed.push((place_of_chance(row, "second", rows.len(), seed), row));
        } else {
            placed.push((place, row));
        }
    }
    placed.sort_by_key(|(place, _)| *place);
    placed
        .iter()
        .map(|(_, row)| format!("{},{},{},{}\n", row.transaction_id, row.status, row.code, row.at))
        .collect()
}

fn place_of_chance(row: &Row, copy: &str, places: usize, seed: &str) -> usize {
    let places = u64::try_from(places).unwrap_or(1).max(1);
    let chance = draw(seed, &["place", copy, &row.transaction_id, &row.status, &row.at]) % places;
    usize::try_from(chance).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(account: &str, number: u64) -> Row {
        Row {
            transaction_id: format!("txn_{account}_{number}"),
            status: "failure".to_owned(),
            code: "R01".to_owned(),
            at: "2026-01-06T00:30:00.000Z".to_owned(),
            appears_at: "2026-01-06T00:30:00.000Z".to_owned(),
            number,
            account: account.to_owned(),
        }
    }

    #[test]
    fn a_row_is_a_line_with_the_columns_of_the_header() {
        assert_eq!(lines(&[row("a", 1)], "1"), "txn_a_1,failure,R01,2026-01-06T00:30:00.000Z\n");
        assert_eq!(lines(&[], "1"), "");
    }

    #[test]
    fn rows_of_dup_accounts_appear_twice_and_shuffled_and_the_others_keep_their_order() {
        let rows: Vec<Row> = (0..100).flat_map(|number| [row("dup", number), row("plain", number)]).collect();
        let text = lines(&rows, "1");
        let plain: Vec<&str> = text.lines().filter(|line| line.contains("plain")).collect();
        let expected: Vec<String> = (0..100).map(|number| lines(&[row("plain", number)], "1")).collect();
        assert_eq!(plain, expected.iter().map(|line| line.trim_end()).collect::<Vec<_>>());

        let doubled: Vec<&str> = text.lines().filter(|line| line.contains("dup")).collect();
        let mut sorted = doubled.clone();
        sorted.sort_unstable();
        assert_eq!(doubled.len(), 200);
        assert!(sorted.chunks(2).all(|pair| matches!(pair, [one, other] if one == other)));
        assert!(doubled.chunks(2).any(|pair| matches!(pair, [one, other] if one != other)), "shuffled");
    }
}
