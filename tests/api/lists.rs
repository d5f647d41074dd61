//! What reading a list costs in a book of a thousand credits and in one of a hundred thousand: the same.

use serde_json::Value;

use crate::client::Client;

/// A book of so many credits, four debits and one exception each. Most exceptions are resolved.
fn book(credits: usize) -> Client {
    let client = Client::new();
    let numbered = |sql: &str| {
        let numbers =
            format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {credits}) ");
        // A common table goes before the whole statement.
        let statement = format!("{numbers}{sql}");
        client
            .world
            .database
            .sqlite
            .execute(&statement)
            .unwrap_or_else(|error| panic!("{error}: {statement}"));
    };
    let at = "strftime('%Y-%m-%dT%H:%M:%fZ', '2026-01-05T05:00:00Z', '+' || i || ' seconds')";
    let id = "printf('0190b3c4-0000-7000-8000-%012d', i)";
    numbered(&format!(
        "INSERT INTO credits SELECT {id}, 'acct_' || (i / 20), 1200, 0, 'USD', 4, 7, '', {at} FROM n"
    ));
    numbered(&format!("INSERT INTO requests SELECT 'key-' || i, '', {id}, '', '', {at} FROM n"));
    let policy = "INSERT INTO policies VALUES ('policy', '{}')";
    client.world.database.sqlite.execute(policy).expect("a policy");
    numbered(&format!(
        "INSERT INTO decisions (id, credit_id, turn, rule, policy_id, run_id, at)
         SELECT printf('0190b3c4-0001-7000-8000-%012d', i), {id}, 0, 'L1', 'policy', NULL, {at} FROM n"
    ));
    for sequence in 1..=4 {
        numbered(&format!(
            "INSERT INTO debits (id, credit_id, sequence, amount, due_date, reason, replaces, decision_id)
             SELECT printf('0190b3c4-{sequence:04}-8000-8000-%012d', i), {id}, {sequence}, 300,
               date('2026-01-05', '+' || (i % 365 + 7 * {sequence}) || ' days'), 'planned', NULL,
               printf('0190b3c4-0001-7000-8000-%012d', i) FROM n"
        ));
    }
    let exception = "printf('0190b3c4-0009-7000-8000-%012d', i)";
    numbered(&format!(
        "INSERT INTO exceptions SELECT {exception}, iif(i % 2, 'report_gap', 'unknown_transaction'), {id}, {id}, NULL,
           'x', {at}, NULL FROM n"
    ));
    numbered(&format!(
        "INSERT INTO resolutions SELECT {exception}, 'close', 'ann', 'x', {at}, NULL FROM n WHERE i % 500 <> 7"
    ));
    client
}

/// What a page costs, in steps, and how many entries it has.
fn cost(client: &Client, path: &str) -> (u64, usize) {
    let before = client.world.database.sqlite.steps();
    let page: Value = client.read(path);
    (client.world.database.sqlite.steps() - before, page["data"].as_array().map_or(0, Vec::len))
}

#[test]
fn a_page_of_a_large_book_costs_what_one_of_a_small_book_costs() {
    let (small, large) = (book(2_000), book(100_000));
    let mut failures = Vec::new();
    for path in [
        "/v1/credits",
        "/v1/credits?sort=created_at",
        "/v1/credits?status=repaid",
        "/v1/credits?status=pending",
        "/v1/credits?q=nobody",
        "/v1/credits?q=acct_7",
        "/v1/credits?q=0.99",
        "/v1/credits?account_id=acct_7",
        "/v1/credits?account_id=acct_7&sort=created_at",
        "/v1/credits?idempotency_key=key-77",
        "/v1/credits?q=0190b3c4-0000-7000-8000-000000000077",
        "/v1/credits?created_after=2026-01-05T05:30:00Z&created_before=2026-01-05T05:30:10Z",
        "/v1/credits?created_after=2026-01-05T05:30:00Z&created_before=2026-01-05T05:30:10Z&sort=created_at",
        "/v1/credits?account_id=acct_7&created_before=2026-01-05T05:02:30Z",
        "/v1/debits",
        "/v1/debits?status=collected",
        "/v1/debits?credit_id=0190b3c4-0000-7000-8000-000000000077",
        "/v1/debits?due_from=2026-05-01&limit=5",
        "/v1/exceptions",
        "/v1/exceptions?status=open",
        "/v1/exceptions?status=resolved",
        "/v1/exceptions?kind=hard_return",
        "/v1/exceptions?kind=report_gap&status=open",
        "/v1/journal",
        "/v1/journal?from=2026-01-05&to=2026-01-05&limit=200",
        "/v1/events",
        "/v1/events?type=credit.repaid&limit=200",
        "/v1/events?credit_id=0190b3c4-0000-7000-8000-000000000077",
        "/v1/runs",
        "/v1/keys",
    ] {
        let ((few, _), (many, entries)) = (cost(&small, path), cost(&large, path));
        // A tree of a hundred thousand is two levels deeper than one of two thousand.
        if many > few + few / 4 + 2_000 {
            failures.push(format!("{path}: {few} steps, then {many}, for {entries} entries"));
        }
        assert!(many < 1_000_000, "{path}: {many} steps");
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
