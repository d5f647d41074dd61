//! What can be known without the network.

use super::{FILE, said};
use crate::deploy::checks::{self, Check};
use crate::deploy::configuration::{Completion, Wrangler, completed};
use crate::deploy::platform::bundle_size;
use crate::deploy::verifying::{Health, verdict};
use std::collections::BTreeMap;
use std::path::Path;

/// The problems of the repository's configuration, with something in it replaced.
fn problems(from: &str, to: &str) -> Vec<String> {
    assert!(FILE.contains(from), "the configuration holds {from}");
    let wrangler = Wrangler::read(&FILE.replace(from, to)).expect("a configuration");
    let checks = checks::configuration(&wrangler, &said());
    checks.iter().flat_map(Check::problems).cloned().collect()
}

#[test]
fn the_configuration_of_the_repository_waits_for_its_processor_alone() {
    assert_eq!(problems("", ""), [""; 0]);
    let wrangler = Wrangler::read(FILE).expect("a configuration");
    let to_do = |wrangler: &Wrangler| {
        checks::configuration(wrangler, &said()).iter().filter(|check| check.is_to_do()).count()
    };
    assert_eq!(to_do(&wrangler), 1);
    assert_eq!(to_do(&wrangler.with_processor(Some("https://bank.test:8443/api"))), 0);
}

#[test]
fn each_wrong_configuration_is_refused_with_what_to_do() {
    for (from, to, expected) in [
        ("binding = \"DB\"", "binding = \"DATABASE\"", "bind a database of [[d1_databases]] as DB"),
        ("database_name = \"paydown\"", "database_name = \"\"", "give it a database_name"),
        ("\"migrations\"", "\"sql\"", "its migrations_dir is \"sql\": set \"migrations\""),
        ("binding = \"REPORTS\"", "binding = \"BUCKET\"", "bind a bucket of [[r2_buckets]] as REPORTS"),
        ("binding = \"OUTBOX\"", "binding = \"QUEUE\"", "bind a queue of [[queues.producers]] as OUTBOX"),
        ("dead_letter_queue = \"paydown-intake-dead\"", "", "give paydown-intake a dead_letter_queue"),
        (
            "dead_letter_queue = \"paydown-intake-dead\"",
            "dead_letter_queue = \"paydown-lost\"",
            "the dead letters of paydown-intake are in paydown-lost: its name must end in -dead",
        ),
        (
            "[[queues.consumers]]\nqueue = \"paydown-outbox-dead\"",
            "[[queues.consumers]]\nqueue = \"other\"",
            "read paydown-outbox-dead by [[queues.consumers]]",
        ),
        (
            "[[queues.consumers]]\nqueue = \"paydown-outbox\"",
            "[[queues.consumers]]\nqueue = \"other\"",
            "read paydown-outbox by [[queues.consumers]]",
        ),
        ("max_batch_size = 100", "", "set max_batch_size of paydown-intake, from 1 to 100"),
        (
            "max_batch_size = 100",
            "max_batch_size = 101",
            "set max_batch_size of paydown-intake, from 1 to 100",
        ),
        ("max_retries = 100", "", "set max_retries of paydown-intake, from 0 to 100"),
        ("limit = 10000", "limit = 10", "set it in [[ratelimits]]: simple = { limit = 10000, period = 10 }"),
        ("name = \"LIMITER\"", "name = \"RATE\"", "set it in [[ratelimits]]"),
        ("\"0 6 * * *\", ", "", "add \"0 6 * * *\" to [triggers] crons"),
        ("\"0 6 * * *\", ", "\"0 6 * * *\", \"1 1 * * *\", ", "the Worker knows no cron \"1 1 * * *\""),
        ("\"/v1/*\", \"/healthz\"", "\"/v1/*\"", "add \"/healthz\" to run_worker_first of [assets]"),
        ("single-page-application", "404-page", "set not_found_handling = \"single-page-application\""),
        ("[\"PROCESSOR_TOKEN\"]", "[]", "name PROCESSOR_TOKEN among [secrets] required"),
        ("[\"PROCESSOR_TOKEN\"]", "[\"PROCESSOR_TOKEN\", \"X\"]", "X is no secret of the Worker"),
        ("CURRENCY = \"USD\"", "CURRENCY = 840", "CURRENCY is 840: put it in quotes"),
    ] {
        let found = problems(from, to);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{to} for {from}: {found:?}");
    }
    let twice = problems("queue = \"paydown-intake\"\n\n", "queue = \"paydown-outbox\"\n\n");
    assert!(
        twice.contains(&"INTAKE_QUEUE is paydown-outbox, which is another binding's too".to_owned()),
        "{twice:?}"
    );
    for unreadable in ["name = ", "name = 5", "[[d1_databases]]\nbinding = \"DB\"", "queues = 5"] {
        assert!(Wrangler::read(unreadable).is_err(), "{unreadable}");
    }
}

#[test]
fn what_the_workers_source_says_is_shown_where_it_belongs() {
    let mut said = said();
    said.problems = vec!["TIMEOUT_DAYS is 0".into(), "PROCESSOR_URL is not set".into()];
    let wrangler = Wrangler::read(FILE).expect("a configuration");
    let checks = checks::configuration(&wrangler, &said);
    let wrong: Vec<String> =
        checks.iter().filter(|c| !c.problems().is_empty()).map(Check::to_string).collect();
    assert_eq!(
        wrong,
        [
            "  ✗ each variable is known, and within its range\n      TIMEOUT_DAYS is 0",
            "  ✗ the processor is https://processor.example\n      PROCESSOR_URL is not set"
        ]
    );
}

#[test]
fn migrations_have_no_gap() {
    let files = |names: &[&str]| -> Vec<(String, String)> {
        names.iter().map(|name| ((*name).to_owned(), "CREATE TABLE x (y) STRICT;\n".to_owned())).collect()
    };
    let of = |files: &[(String, String)]| checks::migrations(files, &said().needs).problems().to_vec();
    assert_eq!(of(&files(&["0001_one.sql", "0002_two.sql"])), [""; 0]);
    assert_eq!(
        of(&files(&["0001_one.sql", "0003_three.sql"])),
        ["0003_three.sql stands where migration 0002_….sql should"]
    );
    assert_eq!(of(&files(&["0001_one.sql", "0002_two.txt"])).len(), 1);
    assert!(of(&files(&["0001_one.sql"]))[0].starts_with("there are 1, and the Worker says 2"));
    let mut wrong = files(&["0001_one.sql", "0002_two.sql"]);
    wrong[0].1 = " \n".into();
    wrong[1].1.push('\r');
    assert_eq!(of(&wrong), ["0001_one.sql is empty", "0002_two.sql has carriage returns"]);
}

#[test]
fn the_build_is_looked_at() {
    assert!(checks::no_sandbox(b"\0asm/v1/credits").problems().is_empty());
    assert_eq!(checks::no_sandbox(b"\0asm/v1/sandbox/clock/v1").problems().len(), 1);

    let record = "{\"type\":\"wrangler-session\"}\n{\"type\":\"deploy\",\"bundle_size\":{\"raw_bytes\":2048,\"gzip_bytes\":1024}}\n";
    assert_eq!(bundle_size(record), Some((2048, 1024)));
    assert_eq!(bundle_size("{\"type\":\"wrangler-session\"}\n"), None);
    assert!(checks::bundle("Total Upload", Some((2048, 1024))).problems().is_empty());
    assert_eq!(checks::bundle("", None).problems(), ["wrangler did not say how large it is"]);
    assert_eq!(checks::bundle("", Some((1, 10_000_001))).problems().len(), 1);
    let plain = checks::bundle("some more\n▲ [WARNING] one more", Some((1, 1)));
    assert_eq!(plain.problems(), ["wrangler warns: one more"]);
    // As it stands in a log, colours and all.
    let log = "\u{1b}[33m▲ \u{1b}[43;33m[\u{1b}[43;30mWARNING\u{1b}[43;33m]\u{1b}[0m \u{1b}[1mProcessing it:\u{1b}[0m\n\n    \
               - Unexpected fields: \"cron\"\n\n\n✨ Read 14 files\n- of its own\n▲ [WARNING] Another\n";
    let warned = checks::bundle(log, Some((1, 1)));
    let expected = ["wrangler warns: Processing it: Unexpected fields: \"cron\"", "wrangler warns: Another"];
    assert_eq!(warned.problems(), expected);

    assert!(!checks::commit("935d1faeac0002bade956b29301276adb6af1de2").is_to_do());
    assert!(checks::commit("935d1fa-dirty").is_to_do() && checks::commit("unknown").is_to_do());
}

#[test]
fn the_completed_configuration_says_the_same_from_any_folder() {
    let variables = BTreeMap::from([("PAYDOWN_COMMIT".to_owned(), "abc".to_owned())]);
    let completion = Completion {
        script: Path::new("/built/shim.mjs"),
        assets: Path::new("/built/dashboard"),
        migrations: Path::new("/edge/migrations"),
        database_id: Some("db-1"),
        variables: &variables,
    };
    let text = completed(FILE, &completion).expect("a configuration");
    let (before, after) = (Wrangler::read(FILE).expect("the file"), Wrangler::read(&text).expect("the same"));
    assert_eq!(after.d1_databases[0].known_id(), Some("db-1"));
    assert_eq!(before.d1_databases[0].known_id(), None);
    assert_eq!(after.d1_databases[0].migrations_dir, "/edge/migrations");
    let mut texts = before.texts();
    texts.extend(variables);
    assert_eq!(after.texts(), texts);
    assert_eq!((after.triggers.crons, after.queues.consumers.len()), (before.triggers.crons, 8));
    for line in ["main = \"/built/shim.mjs\"", "directory = \"/built/dashboard\"", "enabled = true"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn what_serves_is_the_commit_with_its_migrations_and_without_the_local_key() {
    let health =
        || Health { status: 200, commit: "abc".into(), schema_version: 6, reasons: vec![], local_key: 401 };
    let of =
        |health: Option<Health>| verdict("https://a.test", "abc", 6, health).map_err(|stop| stop.to_string());
    assert_eq!(of(Some(health())).as_deref(), Ok("https://a.test serves commit abc"));
    let left_alone = Health { status: 503, reasons: vec!["no run was complete yet".into()], ..health() };
    assert_eq!(
        of(Some(left_alone)).as_deref(),
        Ok("https://a.test serves commit abc, but: no run was complete yet")
    );
    for (wrong, expected) in [
        (None, "https://a.test/healthz does not answer"),
        (
            Some(Health { commit: "abd".into(), ..health() }),
            "https://a.test/healthz answers 200 and commit \"abd\"",
        ),
        (
            Some(Health { schema_version: 5, ..health() }),
            "https://a.test/healthz says schema version 5, not 6",
        ),
        (Some(Health { local_key: 200, ..health() }), "https://a.test answers 200 to the key of local runs"),
    ] {
        let found = of(wrong).expect_err("it is refused");
        assert!(found.starts_with(expected), "{found}");
    }
}
