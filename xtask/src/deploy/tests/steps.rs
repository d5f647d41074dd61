//! The steps over the platform, with a wrangler that keeps what it was asked and what it made in a folder.

use super::{FILE, said};
use crate::deploy::configuration::Wrangler;
use crate::deploy::platform::{Platform, Upload, address, key_statement};
use crate::deploy::{Options, Plan, carry_out, how_to_roll_back};
use crate::setup::hex;
use crate::step::Result;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use uuid::Uuid;

/// It fails where the file `fails` holds a part of what it is asked.
const FAKE: &str = r#"#!/bin/sh
echo "$*" >> "$FAKE/calls"
if [ -f "$FAKE/fails" ] && echo "$*" | grep -q "$(cat "$FAKE/fails")"; then echo "it fails"; exit 1; fi
case "$*" in
  whoami*) echo '{"loggedIn":true}' ;;
  "deployments status"*) [ -f "$FAKE/deployed" ] && echo '{"versions":[{"version_id":"v1"}]}' ;;
  "secret list"*) [ -f "$FAKE/deployed" ] && echo '[{"name":"PROCESSOR_TOKEN"}]' ;;
  "d1 list"*) if [ -f "$FAKE/d1" ]; then echo '[{"uuid":"db-1","name":"paydown"}]'; else echo '[]'; fi ;;
  "d1 create"*) touch "$FAKE/d1" ;;
  "r2 bucket info"*) [ -f "$FAKE/r2-$4" ] ;;
  "r2 bucket create"*) touch "$FAKE/r2-$4" ;;
  "queues info"*) [ -f "$FAKE/queue-$3" ] ;;
  "queues create"*) touch "$FAKE/queue-$3" ;;
  "d1 migrations apply"*) ;;
  "d1 execute"*)
    if [ -f "$FAKE/key" ]; then echo '[{"results":[],"success":true}]'
    else touch "$FAKE/key"; echo '[{"results":[{"id":"x"}],"success":true}]'; fi ;;
  deploy*)
    cat > "$FAKE/secrets"; touch "$FAKE/deployed"
    targets='["https://paydown.me.workers.dev","pay.test (custom domain)","schedule: 0 6 * * *"]'
    echo '{"type":"deploy","version_id":"v2","targets":'"$targets"'}' > "$WRANGLER_OUTPUT_FILE_PATH" ;;
  *) exit 2 ;;
esac
"#;

/// The steps, each by what it asks first, in their order.
const STEPS: [&str; 9] = [
    "whoami",
    "deployments status",
    "secret list",
    "d1 list",
    "d1 create",
    "r2 bucket info",
    "queues info",
    "d1 migrations apply",
    "d1 execute",
];

/// An account of nobody's.
struct Account {
    folder: PathBuf,
    plan: Plan,
}

impl Account {
    fn new(name: &str) -> Account {
        let folder = std::env::temp_dir().join(format!("paydown-deploy-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("wrangler"), FAKE).expect("a script");
        fs::set_permissions(folder.join("wrangler"), fs::Permissions::from_mode(0o755)).expect("it may run");
        let plan = Plan {
            text: FILE.to_owned(),
            wrangler: Wrangler::read(FILE).expect("a configuration"),
            needs: said().needs,
            commit: "abc".into(),
            variables: BTreeMap::from([("PAYDOWN_COMMIT".into(), "abc".into())]),
            root: folder.clone(),
            folder: folder.clone(),
            config: folder.join("paydown.toml"),
        };
        Account { folder, plan }
    }

    fn deploy(&self, token: Option<&str>) -> Result<(Option<String>, Upload)> {
        let _ = fs::remove_file(self.folder.join("calls"));
        let wrangler = || {
            let mut command = Command::new(self.folder.join("wrangler"));
            command.env("FAKE", &self.folder);
            command
        };
        let platform = Platform { wrangler: &wrangler, folder: &self.plan.folder, config: &self.plan.config };
        carry_out(&self.plan, &platform, &Options::default(), |_| token.map(str::to_owned))
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.join("calls")).expect("it was called");
        calls.lines().map(str::to_owned).collect()
    }

    fn made(&self) -> Vec<String> {
        self.calls().into_iter().filter(|call| call.contains(" create ")).collect()
    }

    fn fails(&self, at: &str) {
        fs::write(self.folder.join("fails"), at).expect("it is written");
    }

    fn recovers(&self) {
        fs::remove_file(self.folder.join("fails")).expect("it is gone");
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_first_deployment_makes_everything_in_order_and_a_second_makes_nothing() {
    let account = Account::new("order");
    let (before, upload) = account.deploy(Some("s3cret")).expect("it is deployed");
    assert_eq!(before, None);
    assert_eq!(upload.addresses, ["https://paydown.me.workers.dev", "https://pay.test"]);
    let calls = account.calls();
    let places: Vec<Option<usize>> =
        STEPS.iter().map(|step| calls.iter().position(|call| call.starts_with(step))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {calls:#?}");
    assert!(calls.last().is_some_and(|call| call.starts_with("deploy ")), "{calls:#?}");
    assert_eq!(
        account.made(),
        [
            "d1 create paydown",
            "r2 bucket create paydown-reports",
            "queues create paydown-runs-dead",
            "queues create paydown-outbox-dead",
            "queues create paydown-intake-dead",
            "queues create paydown-webhooks-dead",
            "queues create paydown-runs",
            "queues create paydown-outbox",
            "queues create paydown-intake",
            "queues create paydown-webhooks",
        ]
    );
    let config = fs::read_to_string(&account.plan.config).expect("a configuration");
    assert!(
        config.contains("database_id = \"db-1\"") && config.contains("PAYDOWN_COMMIT = \"abc\""),
        "{config}"
    );

    let (before, _) = account.deploy(None).expect("it is deployed again");
    assert_eq!(before.as_deref(), Some("v1"));
    assert_eq!(account.made(), [""; 0]);
    assert!(how_to_roll_back("paydown", before.as_deref()).contains("rollback v1 --name paydown --yes"));
}

#[test]
fn each_step_may_fail_and_be_taken_again() {
    let account = Account::new("again");
    for step in STEPS.iter().filter(|step| !["deployments status", "secret list"].contains(step)) {
        // Whether a thing is there may stay unknown; whether it was made may not.
        let step = step.replace("info", "create");
        account.fails(&step);
        let Err(stop) = account.deploy(Some("s3cret")) else { panic!("{step} failed and was passed over") };
        assert!(!stop.to_string().contains("s3cret"), "{stop}");
        let calls = account.calls();
        assert!(calls.last().is_some_and(|call| call.contains(&step)), "after {step}: {calls:#?}");
        account.recovers();
    }
    account.fails("^deploy ");
    assert!(account.deploy(Some("s3cret")).is_err());
    account.recovers();
    account.deploy(Some("s3cret")).expect("it is deployed at last");
    assert_eq!(account.made(), [""; 0]);
}

#[test]
fn a_secret_is_given_once_and_goes_through_a_pipe_alone() {
    let account = Account::new("secret");
    let missing = account.deploy(None).expect_err("there is none");
    assert!(missing.to_string().contains("PROCESSOR_TOKEN=… cargo xtask deploy"), "{missing}");
    assert_eq!(account.made(), [""; 0]);
    account.deploy(Some("s3cret")).expect("it is deployed");
    assert!(!account.calls().concat().contains("s3cret"));
    let secrets = || fs::read_to_string(account.folder.join("secrets")).expect("it was read");
    assert_eq!(secrets(), r#"{"PROCESSOR_TOKEN":"s3cret"}"#);
    for file in ["paydown.toml", "upload.ndjson"] {
        assert!(!fs::read_to_string(account.folder.join(file)).expect("a file").contains("s3cret"), "{file}");
    }
    account.deploy(None).expect("the platform has it");
    assert_eq!(secrets(), "");
    assert!(!account.calls().concat().contains("--secrets-file"));
}

#[test]
fn another_database_of_the_name_is_refused() {
    let mut account = Account::new("database");
    account.plan.wrangler.d1_databases[0].database_id = "db-2".into();
    let gone = account.deploy(Some("s3cret")).expect_err("the account has none");
    assert!(gone.to_string().contains("says the database paydown is db-2; the account has none"), "{gone}");
    fs::write(account.folder.join("d1"), "").expect("it is made");
    let other = account.deploy(Some("s3cret")).expect_err("it is another");
    assert!(other.to_string().contains("paydown is db-1, and edge/wrangler.toml says db-2"), "{other}");
    assert_eq!(account.made(), [""; 0]);
}

/// The ledger's tables in memory.
fn ledger() -> Connection {
    let ledger = Connection::open_in_memory().expect("a database");
    for migration in [
        include_str!("../../../../edge/migrations/0001_ledger.sql"),
        include_str!("../../../../edge/migrations/0002_append_only.sql"),
    ] {
        ledger.execute_batch(migration).expect("a migration");
    }
    ledger
}

#[test]
fn the_first_admin_key_is_made_once_and_only_its_hash_is_kept() {
    let ledger = ledger();
    let record = |key: &str, more: bool| -> usize {
        let statement = key_statement(key, Uuid::new_v4(), more, "2026-01-05T06:00:00.000Z");
        assert!(!statement.contains(key), "{statement}");
        let mut statement = ledger.prepare(&statement).expect("SQL");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("rows");
        rows.count()
    };
    let add = |id: &str, scopes: &str| {
        let row = format!(
            "INSERT INTO api_keys VALUES ('{id}', '{id}', 'x', '{scopes}', '2026-01-05T06:00:00.000Z')"
        );
        ledger.execute(&row, []).expect("a key");
    };
    add("reader", "[\"read\"]");
    assert_eq!(record("pd_first", false), 1, "none that is there can make others");
    assert_eq!(record("pd_second", false), 0);
    assert_eq!(record("pd_third", true), 1, "asked for");
    let kept = "SELECT hash, scopes FROM api_keys WHERE hash = ?1";
    let hash = hex(&Sha256::digest("pd_first"));
    let (hash, scopes): (String, String) =
        ledger.query_row(kept, [&hash], |row| Ok((row.get(0)?, row.get(1)?))).expect("the key");
    assert_eq!((hash.len(), scopes.as_str()), (64, r#"["read","advance","operate","admin"]"#));
    let revoke = "INSERT INTO api_key_revocations SELECT id, '2026-01-06T06:00:00.000Z' FROM api_keys";
    ledger.execute(revoke, []).expect("all are revoked");
    assert_eq!(record("pd_fourth", false), 1, "a revoked one makes none");
}

#[test]
fn an_address_is_told_from_a_schedule() {
    for (target, expected) in [
        ("https://paydown.me.workers.dev", Some("https://paydown.me.workers.dev")),
        ("pay.test (custom domain)", Some("https://pay.test")),
        ("pay.test (custom domain - zone name: test)", Some("https://pay.test")),
        ("pay.test/*", Some("https://pay.test")),
        ("*.test/*", None),
        ("pay.test/api/*", None),
        ("schedule: 0 6 * * *", None),
        ("Producer for paydown-outbox", None),
        ("Consumer for paydown.intake", None),
    ] {
        assert_eq!(address(target).as_deref(), expected, "{target}");
    }
}
