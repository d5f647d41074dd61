//! What an operator watches: metrics, health, lists as CSV, exceptions with both sides, many at once.

use axum::body::Body;
use axum::http::Request;
use futures_executor::block_on;
use paydown_edge::deployment::NEEDS;
use paydown_edge::ports::{Answer, LIMIT_REQUESTS, LIMIT_SECONDS};
use paydown_edge::run::daily;
use paydown_tests::processor::{FakeReport, Step};
use serde_json::{Value, json};

use crate::client::{Client, KEY, ORDINARY, Response};

/// A book of two credits; the report of its first day names two transactions of somebody else.
fn book() -> Client {
    let client = Client::new();
    let paid_out = |key: &str, account: &str| {
        let body = ORDINARY.replace("acct_8841", account);
        let answer = client.advance(key, &body).body;
        answer["transaction_id"].as_str().map(str::to_owned)
    };
    let first = paid_out("first", "acct_first").expect("a transaction");
    client.world.processor.script("acct_second", [Step::lost()]);
    assert_eq!(paid_out("second", "acct_second"), None);
    let row = |transaction: &str| format!("{transaction},success,,2026-01-05T20:00:00Z");
    client.world.processor.set_report(FakeReport::of(&[row(&first), row("tx_alien_1"), row("tx_alien_2")]));
    run(&client, "2026-01-06T06:00:00Z");
    client
}

fn run(client: &Client, as_of: &str) {
    let as_of = as_of.parse().expect("an instant");
    client.world.clock.set(as_of);
    block_on(daily(&client.world.ports(), as_of)).expect("the run ends");
}

fn metric(client: &Client, sample: &str) -> Option<String> {
    let response = client.get("/v1/metrics");
    assert_eq!(response.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let mut lines = response.text.lines();
    lines.find_map(|line| line.strip_prefix(&format!("{sample} ")).map(str::to_owned))
}

#[test]
fn metrics_are_what_the_book_says() {
    let client = Client::new();
    assert_eq!(metric(&client, "paydown_last_run_age_seconds"), None, "no run, no age");
    let document = paydown_edge::http::openapi::document();
    let kinds = document["components"]["schemas"]["Kind"]["oneOf"].as_array().expect("kinds").clone();
    for kind in kinds.iter().map(|kind| kind["const"].as_str().expect("a name")) {
        let sample = format!("paydown_open_exceptions{{kind=\"{kind}\"}}");
        assert_eq!(metric(&client, &sample).as_deref(), Some("0"), "{sample}");
    }

    let client = book();
    client.world.clock.set("2026-01-06T07:00:00Z".parse().expect("an instant"));
    let is =
        |sample: &str, value: &str| assert_eq!(metric(&client, sample).as_deref(), Some(value), "{sample}");
    is("paydown_runs_total{status=\"complete\"}", "1");
    is("paydown_last_run_age_seconds", "3600");
    is("paydown_last_complete_run_age_seconds", "3600");
    is("paydown_open_exceptions{kind=\"unknown_transaction\"}", "2");
    is("paydown_debits_originated", "0");
    is("paydown_dead_letters_total", "0");
    is("paydown_stopped", "0");
    client.post("/v1/stop", r#"{"note": "x"}"#);
    is("paydown_stopped", "1");
}

#[test]
fn the_oldest_unknown_transaction_has_its_age() {
    let client = Client::new();
    client.world.processor.script("acct_8841", [Step::lost(), Step::lost()]);
    client.advance("first", ORDINARY);
    client.world.clock.set("2026-01-05T05:10:00Z".parse().expect("an instant"));
    let sample = "paydown_oldest_unknown_transaction_age_seconds";
    assert_eq!(metric(&client, sample).as_deref(), Some("600"));
    run(&client, "2026-01-05T06:00:00Z");
    assert_eq!(
        metric(&client, sample).as_deref(),
        Some("3600"),
        "carried over by the run, and as old as ever"
    );
    run(&client, "2026-01-06T06:00:00Z");
    assert_eq!(metric(&client, sample), None, "the run called again and was answered");
}

#[test]
fn returns_count_by_class() {
    let client = book();
    let debits = client.read("/v1/debits?due_to=2026-01-12")["data"].clone();
    let first = debits[0]["id"].as_str().expect("a debit").to_owned();
    let refused = Answer::Refused { code: "R10".into(), message: "not authorized".into() };
    client.world.processor.script(&first, [Step::from(refused)]);
    run(&client, "2026-01-12T06:00:00Z");
    let returned = |class: &str| metric(&client, &format!("paydown_debits_returned{{class=\"{class}\"}}"));
    assert_eq!(metric(&client, "paydown_debits_originated").as_deref(), Some("1"));
    let counted =
        ["unauthorized", "administrative", "overall"].map(|class| returned(class).expect("a sample"));
    assert_eq!(counted, ["1", "0", "1"]);
}

#[test]
fn health_turns_when_a_book_is_left_alone() {
    let health = |client: &Client, at: &str| {
        client.world.clock.set(at.parse().expect("an instant"));
        let answer = client.send(Request::get("/healthz").body(Body::empty()).expect("a request"));
        (answer.status.as_u16(), answer.body)
    };
    let empty = Client::new();
    assert_eq!(health(&empty, "2030-01-01T00:00:00Z").0, 200, "nothing to look after");

    let client = Client::new();
    client.advance("first", ORDINARY);
    assert_eq!(health(&client, "2026-01-06T16:59:59Z").0, 200, "a book younger than 36 h");
    let (status, body) = health(&client, "2026-01-06T17:00:00Z");
    assert_eq!((status, &body["status"]), (503, &json!("unhealthy")));
    assert_eq!(body["reasons"], json!(["no run was complete yet"]));

    let client = book();
    assert_eq!(health(&client, "2026-01-07T17:59:59Z").0, 200);
    let (status, body) = health(&client, "2026-01-07T18:00:00Z");
    assert_eq!((status, &body["reasons"]), (503, &json!(["the last complete run is 36 hours old"])));

    let broken = r#"UPDATE run_closings SET reasons = '["L10 is broken for credit x: y"]'"#;
    let sqlite = &client.world.database.sqlite;
    sqlite.execute("DROP TRIGGER run_closings_no_update").expect("this is how a test breaks the book");
    sqlite.execute(broken).expect("the run found it broken");
    let (status, body) = health(&client, "2026-01-06T07:00:00Z");
    assert_eq!((status, &body["reasons"]), (503, &json!(["L10 is broken for credit x: y"])));
}

#[test]
fn every_list_can_be_had_as_csv() {
    let client = book();
    for (path, entries) in
        [("/v1/credits", 2), ("/v1/debits", 12), ("/v1/runs", 1), ("/v1/exceptions", 2), ("/v1/keys", 1)]
    {
        let answer = csv(&client, path);
        assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
        let mut lines = answer.text.split("\r\n");
        let columns: Vec<&str> = lines.next().expect("a header").split(',').collect();
        assert_eq!(lines.filter(|line| !line.is_empty()).count(), entries, "{}", answer.text);
        // Each member of the entry has its column, and each column its member.
        let json = client.read(path)["data"][0].clone();
        let members: Vec<String> = flat("", &json);
        for member in &members {
            assert!(columns.contains(&member.as_str()), "{member} of {path} has no column");
        }
        for column in columns {
            let known = members.iter().any(|member| member == column);
            // Nothing is resolved in this book, and an object that is null has no members.
            assert!(known || column.starts_with("resolution."), "{column} of {path} has no member");
        }
    }
    let page = csv(&client, "/v1/debits?due_from=2026-01-01&limit=5");
    let next = page.header("link").to_owned();
    let next = next.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).expect("a link");
    assert!(next.starts_with("/v1/debits?due_from=2026-01-01&limit=5&cursor="), "{next}");
    let (first, second) = (page.text.split("\r\n").nth(1), csv(&client, next).text);
    assert!(!second.contains(first.expect("a debit")) && second.split("\r\n").count() == 7, "{second}");
}

fn csv(client: &Client, path: &str) -> Response {
    let request =
        Request::get(path).header("authorization", format!("Bearer {KEY}")).header("accept", "text/csv");
    client.send(request.body(Body::empty()).expect("a request"))
}

/// The paths of an entry's members.
fn flat(prefix: &str, entry: &Value) -> Vec<String> {
    let members = entry.as_object().expect("an object").iter();
    members
        .flat_map(|(name, value)| match value {
            Value::Object(_) => flat(&format!("{prefix}{name}."), value),
            Value::Null if name == "resolution" => vec![],
            _ => vec![format!("{prefix}{name}")],
        })
        .collect()
}

#[test]
fn a_text_that_looks_like_a_formula_is_none_in_csv() {
    let client = Client::new();
    client.advance("first", &ORDINARY.replace("acct_8841", "-2:B9"));
    assert!(csv(&client, "/v1/credits").text.contains(",'-2:B9,"));
    assert_eq!(client.read("/v1/credits")["data"][0]["account_id"], "-2:B9");
}

#[test]
fn an_exception_shows_what_we_know_and_what_was_said() {
    let client = book();
    let exceptions = client.read("/v1/exceptions")["data"].clone();
    let of = |exception: &Value| {
        client.read(&format!("/v1/exceptions/{}", exception["id"].as_str().expect("an id")))
    };
    let alien = of(&exceptions[0]);
    assert_eq!(
        (&alien["credit"], &alien["debit"], &alien["holds"]),
        (&Value::Null, &Value::Null, &json!([]))
    );
    assert_eq!(alien["actions"], json!(["close"]));
    let said = &alien["observations"][0];
    assert_eq!((&said["transaction_id"], &said["source"]), (&alien["subject"], &json!("report")));
    assert_eq!(said["run_id"], alien["run_id"]);

    let debit = client.read("/v1/debits?limit=1")["data"][0].clone();
    let refused = Answer::Refused { code: "R02".into(), message: "closed".into() };
    client.world.processor.script(debit["id"].as_str().expect("an id"), [Step::from(refused)]);
    run(&client, "2026-01-12T06:00:00Z");
    let hard = of(&client.read("/v1/exceptions?kind=hard_return")["data"][0]);
    assert_eq!((&hard["credit"]["id"], &hard["debit"]["id"]), (&debit["credit_id"], &debit["id"]));
    assert_eq!((&hard["credit"]["status"], &hard["debit"]["status"]), (&json!("held"), &json!("failed")));
    assert_eq!(
        (&hard["observations"][0]["code"], &hard["holds"]),
        (&json!("R02"), &json!([debit["credit_id"]]))
    );
    assert_eq!(hard["actions"], json!(["release"]));
    client.get("/v1/exceptions/019b8d0c-6f00-7000-8000-000000000000").is_problem(404, "not_found");
}

#[test]
fn many_of_a_kind_are_resolved_at_once() {
    let client = book();
    let run_id = client.read("/v1/runs")["data"][0]["id"].as_str().expect("an id").to_owned();
    let resolve = |body: Value| client.post("/v1/exceptions/resolutions", &body.to_string());
    resolve(json!({ "kind": "hard_return", "action": "burn", "note": "x" }))
        .is_problem(422, "invalid_request");
    resolve(json!({ "action": "close", "note": "x" })).is_problem(422, "invalid_request");

    let other = json!({ "kind": "unknown_transaction", "run_id": "019b8d0c-6f00-7000-8000-000000000000",
        "action": "close", "note": "x" });
    assert_eq!(resolve(other).body, json!({ "resolved": 0, "left": 0 }));
    let wrong = json!({ "kind": "unknown_transaction", "run_id": run_id, "action": "release", "note": "x" });
    assert_eq!(resolve(wrong).body, json!({ "resolved": 0, "left": 2 }));
    let close = json!({ "kind": "unknown_transaction", "run_id": run_id, "action": "close", "note": "another system's" });
    assert_eq!(resolve(close.clone()).body, json!({ "resolved": 2, "left": 0 }));
    assert_eq!(resolve(close).body, json!({ "resolved": 0, "left": 0 }), "once is once");
    let resolution = client.read("/v1/exceptions")["data"][0]["resolution"].clone();
    assert_eq!(
        (&resolution["action"], &resolution["actor"], &resolution["note"]),
        (&json!("close"), &json!("test"), &json!("another system's"))
    );
}

#[test]
fn holds_of_a_kind_are_released_at_once() {
    let client = book();
    let debit = client.read("/v1/debits?limit=1")["data"][0].clone();
    let refused = Answer::Refused { code: "R02".into(), message: "closed".into() };
    client.world.processor.script(debit["id"].as_str().expect("an id"), [Step::from(refused)]);
    run(&client, "2026-01-12T06:00:00Z");
    let release = json!({ "kind": "hard_return", "action": "release", "note": "a new account is on file" });
    let answer = client.post("/v1/exceptions/resolutions", &release.to_string());
    assert_eq!(answer.body, json!({ "resolved": 1, "left": 0 }), "{answer:?}");
    let credit = client.read(&format!("/v1/credits/{}", debit["credit_id"].as_str().expect("an id")));
    assert_eq!((&credit["status"], &credit["missing"]), (&json!("active"), &json!(0)));
}

#[test]
fn every_answer_is_protected() {
    let client = Client::new();
    for path in ["/healthz", "/v1/credits", "/v1/nothing", "/v1/metrics"] {
        let answer = client.get(path);
        let headers = [
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ];
        for (name, value) in headers {
            assert_eq!(answer.header(name), value, "{name} of {path}");
        }
    }
}

#[test]
fn who_asks_too_much_is_told_when_to_come_back() {
    let client = Client::new();
    let policy = format!("\"requests\";q={LIMIT_REQUESTS};w={LIMIT_SECONDS}");
    assert_eq!(client.get("/v1/credits").header("ratelimit-policy"), policy);
    client.world.limiter.set(2);
    assert_eq!(client.get("/v1/credits").status.as_u16(), 200);
    assert_eq!(client.advance("first", ORDINARY).status.as_u16(), 201);
    for refused in [client.advance("second", ORDINARY), client.get("/v1/credits")] {
        refused.is_problem(429, "too_many_requests");
        assert_eq!(
            (refused.header("retry-after"), refused.header("ratelimit")),
            ("10", "\"requests\";r=0;t=10")
        );
    }
    assert_eq!(client.world.query("SELECT id FROM credits").len(), 1, "nothing was done");
}

/// The two places that say it, the platform's and ours, say the same; the command that deploys holds them to more.
#[test]
fn the_configuration_gives_what_the_worker_needs() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../edge/wrangler.toml");
    let toml = std::fs::read_to_string(file).expect("the configuration");
    let simple = format!("simple = {{ limit = {LIMIT_REQUESTS}, period = {LIMIT_SECONDS} }}");
    assert!(toml.contains(&simple), "{simple}");
    for binding in [NEEDS.database, NEEDS.bucket].into_iter().chain(NEEDS.queues) {
        assert!(toml.contains(&format!("binding = \"{binding}\"")), "{binding}");
    }
    for name in NEEDS.crons.into_iter().chain(NEEDS.secrets).chain([NEEDS.limiter]) {
        assert!(toml.contains(&format!("\"{name}\"")), "{name}");
    }
    assert_eq!(usize::try_from(NEEDS.migrations), Ok(paydown_tests::sqlite::MIGRATIONS.len()));
}
