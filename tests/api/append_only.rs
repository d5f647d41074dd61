//! Facts are only added: the database refuses to change or delete any, and keeps each when another would take
//! its place.

use paydown_tests::sqlite::{MIGRATIONS, Sqlite};

/// The columns of a table: name, type, whether it is part of the primary key.
fn columns(ledger: &Sqlite, table: &str) -> Vec<(String, String, bool)> {
    let sql = format!("SELECT name || ' ' || type || ' ' || pk FROM pragma_table_info('{table}')");
    let parts = |row: &String| {
        let mut parts = row.split(' ').map(str::to_owned);
        let (Some(name), Some(kind), Some(pk)) = (parts.next(), parts.next(), parts.next()) else {
            panic!("{row}")
        };
        (name, kind, pk != "0")
    };
    ledger.query(&sql).iter().map(parts).collect()
}

/// The sets of columns that identify a row: the primary key and every other unique key.
fn keys(ledger: &Sqlite, table: &str) -> Vec<Vec<String>> {
    let unique = ledger.query(&format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" = 1"));
    unique
        .iter()
        .map(|index| ledger.query(&format!("SELECT name FROM pragma_index_info('{index}')")))
        .collect()
}

/// A value that the checks of the schema let pass.
fn value(table: &str, column: &str, kind: &str, number: usize) -> String {
    match (table, column, kind) {
        ("stops", "action", _) => ["'stop'", "'start'"][number % 2].into(),
        ("run_closings", "status", _) => ["'complete'", "'failed'"][number % 2].into(),
        ("observations", "status", _) => ["'success'", "'failure'"][number % 2].into(),
        ("observations", "source", _) => ["'report'", "'decision'"][number % 2].into(),
        ("carried_over", "kind", _) => ["'due'", "'unanswered'"][number % 2].into(),
        ("webhook_endpoints", "status", _) => ["'active'", "'paused'"][number % 2].into(),
        ("standings", "status", _) => ["'held'", "'failed'"][number % 2].into(),
        ("reports", "whole", _) => (number % 2).to_string(),
        // The facts of the tables before it have told the first ones.
        ("events", "number", _) => (number + 1_000).to_string(),
        (_, _, "INTEGER") => (number + 1).to_string(),
        // A JSON text, for the columns that must be one.
        (_, _, _) => format!("'{number}'"),
    }
}

#[test]
fn no_fact_is_ever_changed_or_replaced() {
    let ledger = Sqlite::new();
    // The rows here refer to nothing.
    ledger.query("PRAGMA foreign_keys = OFF");
    let tables = ledger.query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
    assert!(tables.len() >= 25, "{tables:?}");
    for table in &tables {
        let columns = columns(&ledger, table);
        let names: Vec<&str> = columns.iter().map(|(name, ..)| name.as_str()).collect();
        let row = |number| {
            columns.iter().map(|(name, kind, _)| value(table, name, kind, number)).collect::<Vec<_>>()
        };
        let insert = |or: &str, values: &[String]| {
            ledger.execute(&format!(
                "INSERT {or} INTO {table} ({}) VALUES ({})",
                names.join(", "),
                values.join(", ")
            ))
        };
        let first = row(0);
        assert_eq!(insert("", &first), Ok(1), "{table}");
        let stored = || ledger.query(&format!("SELECT json_array({}) FROM {table}", names.join(", ")));
        let before = stored();

        for name in &names {
            let update = ledger.execute(&format!("UPDATE {table} SET {name} = {name}"));
            assert!(update.is_err(), "{table}.{name} can be updated");
        }
        let delete = ledger.execute(&format!("DELETE FROM {table}"));
        assert!(delete.is_err(), "{table} can be deleted from");
        let keys = keys(&ledger, table);
        assert!(!keys.is_empty(), "{table} has no key");
        for key in keys {
            // All else is different, only this key is the same.
            let mut other = row(1);
            for (place, name) in names.iter().enumerate() {
                if key.iter().any(|column| column == name) {
                    other[place].clone_from(&first[place]);
                }
            }
            for or in ["OR REPLACE", "OR IGNORE", ""] {
                assert_eq!(insert(or, &other), Ok(0), "{table} {key:?} {or}");
                assert_eq!(stored(), before, "{table} {key:?} {or}");
            }
        }
        assert_eq!(insert("", &row(1)), Ok(1), "{table} takes another fact");
    }
}

#[test]
fn a_ledger_that_holds_facts_takes_every_migration() {
    for applied in 1..MIGRATIONS.len() {
        let (before, after) = MIGRATIONS.split_at(applied);
        let ledger = Sqlite::migrated(before);
        ledger.query("PRAGMA foreign_keys = OFF");
        for table in ledger.query("SELECT name FROM sqlite_master WHERE type = 'table'") {
            let columns = columns(&ledger, &table);
            let values: Vec<String> =
                columns.iter().map(|(name, kind, _)| value(&table, name, kind, 0)).collect();
            ledger.execute(&format!("INSERT INTO {table} VALUES ({})", values.join(", "))).expect("a fact");
        }
        for (number, migration) in after.iter().enumerate() {
            ledger.migrate(migration).unwrap_or_else(|error| panic!("{}: {error}", applied + number + 1));
        }
    }
}
