//! A long past, made of a short one: all that a ledger holds, repeated with other ids and earlier instants.

use crate::sqlite::{MIGRATIONS, Sqlite};

/// The tables of the figures, which follow from the others.
const FIGURES: [&str; 5] =
    ["decided_between_runs", "exception_numbers", "figures", "day_figures", "open_exceptions"];

/// The tables that all repetitions share, and those which each repeated fact writes anew.
const SHARED: [&str; 4] = ["api_key_uses", "api_keys", "events", "policies"];

/// Repeats all that is in the ledger so many times in the past, each so many days before the one after it.
pub fn repeat(ledger: &Sqlite, repetitions: u32, days: u32) {
    ledger.query("PRAGMA foreign_keys = OFF");
    for table in ledger.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") {
        if SHARED.contains(&table.as_str()) || FIGURES.contains(&table.as_str()) {
            continue;
        }
        let names = ledger.query(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let values: Vec<String> = names.iter().map(|name| repeated(name, days)).collect();
        execute(
            ledger,
            &format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {repetitions})
                 INSERT INTO {table} ({}) SELECT {} FROM {table} CROSS JOIN n WHERE {repetitions} > 0",
                names.join(", "),
                values.join(", ")
            ),
        );
    }
    ledger.query("PRAGMA foreign_keys = ON");
}

/// The ledger as if it had been kept before there were figures: the next run counts all credits.
pub fn forget_figures(ledger: &Sqlite) {
    for table in FIGURES {
        execute(ledger, &format!("DROP TRIGGER {table}_no_delete"));
        execute(ledger, &format!("DELETE FROM {table}"));
    }
    let migration = MIGRATIONS.iter().find(|migration| migration.contains("figures_no_delete"));
    ledger.migrate(migration.expect("the figures")).expect("the migration applies");
}

fn execute(ledger: &Sqlite, sql: &str) {
    ledger.execute(sql).expect("the SQL of a test is valid");
}

/// What a column says in the repetition `i`.
fn repeated(name: &str, days: u32) -> String {
    let days = format!("'-' || (i * {days}) || ' days'");
    match name {
        "id" | "credit_id" | "debit_id" | "decision_id" | "exception_id" | "run_id" | "row_id"
        | "subject_id" | "subject" | "request_id" => format!(
            "CASE WHEN length({name}) = 36 THEN printf('%08x', i) || substr({name}, 9)
             WHEN {name} = '' THEN '' ELSE {name} || '_' || i END"
        ),
        "transaction_id" => format!("iif({name} = '', '', {name} || '_' || i)"),
        "account_id" | "idempotency_key" => format!("{name} || '_' || i"),
        "at" | "as_of" | "created_at" | "started_at" | "finished_at" | "opened_at" | "resolved_at"
        | "read_at" => {
            format!("strftime('%Y-%m-%dT%H:%M:%fZ', {name}, {days})")
        }
        "business_date" | "due_date" | "unrolled_due_date" => format!("date({name}, {days})"),
        other => other.to_owned(),
    }
}
