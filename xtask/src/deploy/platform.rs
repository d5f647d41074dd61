//! The platform: what is made, read and uploaded there, all by wrangler.

use super::configuration::Wrangler;
use crate::setup::hex;
use crate::step::{self, Result, Stop};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use uuid::Uuid;

/// An account on the platform, by way of a wrangler that is logged in to it.
pub struct Platform<'a> {
    /// A wrangler in a folder without a configuration of its own.
    pub wrangler: &'a dyn Fn() -> Command,
    /// Where the deployment keeps its files.
    pub folder: &'a Path,
    /// The configuration as wrangler is given it.
    pub config: &'a Path,
}

/// An upload that the platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    pub version: String,
    /// Where it serves, such as `https://paydown.somebody.workers.dev`.
    pub addresses: Vec<String>,
}

impl Platform<'_> {
    /// That wrangler may act for an account.
    pub fn log_in(&self) -> Result<()> {
        let log_in = "set CLOUDFLARE_API_TOKEN (and CLOUDFLARE_ACCOUNT_ID where it has several), or log in by \
                      `node_modules/.bin/node node_modules/wrangler/bin/wrangler.js login`";
        self.ask(&["whoami", "--json"])
            .map_err(|Stop(why)| Stop(format!("wrangler is not logged in: {log_in}\n{why}")))?;
        told("logged in");
        Ok(())
    }

    /// The version that serves now; none before the first deployment.
    pub fn version(&self, name: &str) -> Option<String> {
        let status = self.ask(&["deployments", "status", "--name", name, "--json"]).ok()?;
        text(&json_of(&status)?, "/versions/0/version_id")
    }

    /// The secrets to upload: those that are given now. Each of the others was given to an earlier deployment.
    pub fn secrets(
        &self,
        name: &str,
        needed: &[String],
        given: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<String, String>> {
        let given: BTreeMap<String, String> =
            needed.iter().filter_map(|secret| Some((secret.clone(), given(secret)?))).collect();
        let listed = self.ask(&["secret", "list", "--name", name, "--format", "json"]).unwrap_or_default();
        let listed = json_of(&listed).unwrap_or_default();
        let listed: Vec<String> =
            listed.as_array().into_iter().flatten().filter_map(|secret| text(secret, "/name")).collect();
        for secret in needed {
            if !given.contains_key(secret) && !listed.contains(secret) {
                return Err(Stop(format!(
                    "the platform has no secret {secret} yet: give it in the environment, as {secret}=… cargo xtask deploy"
                )));
            }
            let how = if given.contains_key(secret) { "will be uploaded" } else { "is there" };
            told(&format!("secret {secret} {how}"));
        }
        Ok(given)
    }

    /// The id of the database, which is made unless it is there.
    pub fn database(&self, wrangler: &Wrangler, binding: &str) -> Result<String> {
        let database = wrangler.d1_databases.iter().find(|database| database.binding == binding);
        let database = database.ok_or_else(|| Stop(format!("no database is bound as {binding}")))?;
        let name = &database.database_name;
        if let Some(id) = self.database_id(name)? {
            if database.known_id().is_some_and(|known| known != id) {
                return Err(Stop(format!(
                    "the database {name} is {id}, and edge/wrangler.toml says {}: set the one or the other",
                    database.database_id
                )));
            }
            told(&format!("database {name} is there"));
            return Ok(id);
        }
        if let Some(known) = database.known_id() {
            return Err(Stop(format!(
                "edge/wrangler.toml says the database {name} is {known}; the account has none"
            )));
        }
        self.ask(&["d1", "create", name])?;
        let made =
            self.database_id(name)?.ok_or_else(|| Stop(format!("the database {name} is not listed")))?;
        told(&format!("database {name} is made"));
        Ok(made)
    }

    fn database_id(&self, name: &str) -> Result<Option<String>> {
        let listed = json_of(&self.ask(&["d1", "list", "--json"])?);
        let listed = listed.ok_or_else(|| Stop("wrangler d1 list --json said no JSON".into()))?;
        let mut databases = listed.as_array().into_iter().flatten();
        let found = databases.find(|database| text(database, "/name").as_deref() == Some(name));
        Ok(found.and_then(|database| text(database, "/uuid")))
    }

    /// Makes the buckets and queues that are not there.
    pub fn resources(&self, wrangler: &Wrangler) -> Result<()> {
        for bucket in &wrangler.r2_buckets {
            self.make("bucket", &["r2", "bucket"], &bucket.bucket_name)?;
        }
        for queue in wrangler.queue_names() {
            self.make("queue", &["queues"], queue)?;
        }
        Ok(())
    }

    fn make(&self, noun: &str, of: &[&str], name: &str) -> Result<()> {
        if self.ask(&[of, &["info", name]].concat()).is_ok() {
            told(&format!("{noun} {name} is there"));
            return Ok(());
        }
        self.ask(&[of, &["create", name]].concat())?;
        told(&format!("{noun} {name} is made"));
        Ok(())
    }

    /// Applies the migrations that the database has not had.
    pub fn migrate(&self, binding: &str) -> Result<()> {
        let mut apply = (self.wrangler)();
        apply.args(["d1", "migrations", "apply", binding, "--remote", "--config"]).arg(self.config);
        step::run("migrations of the database", &mut apply)
    }

    /// Records a first key that can make others, unless there is one, or one `more`. Gives the key, which nobody can
    /// read again.
    pub fn admin_key(&self, binding: &str, more: bool, now: &str) -> Result<Option<String>> {
        // Two random UUIDs, as the Worker makes keys: 244 bits that nobody guesses.
        let key = format!("pd_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let statement = key_statement(&key, Uuid::new_v4(), more, now);
        let execute = ["d1", "execute", binding, "--remote", "--json", "--yes", "--command", &statement];
        let recorded = self.ask_with_config(&execute);
        let recorded = recorded.map_err(|Stop(why)| {
            Stop(format!(
                "whether an admin key was recorded is not known. Repeat the deployment; should it show no key then, \
                 add --admin-key, which makes one more\n{why}"
            ))
        })?;
        let rows = json_of(&recorded)
            .ok_or_else(|| Stop(format!("wrangler d1 execute said no JSON: {recorded}")))?;
        Ok(rows.pointer("/0/results/0").map(|_| key))
    }

    /// Uploads the Worker and its dashboard. The secrets go through a pipe: no file and no command line holds them.
    pub fn upload(&self, secrets: &BTreeMap<String, String>, message: &str) -> Result<Upload> {
        let said = self.folder.join("upload.ndjson");
        let _ = fs::remove_file(&said);
        let mut deploy = (self.wrangler)();
        deploy.arg("deploy").arg("--config").arg(self.config).args(["--message", message]);
        deploy.env("WRANGLER_OUTPUT_FILE_PATH", &said);
        if secrets.is_empty() {
            step::run("uploading", &mut deploy)?;
        } else {
            deploy.args(["--secrets-file", "/dev/stdin"]);
            step::run_with_input("uploading", &mut deploy, &json!(secrets).to_string())?;
        }
        uploaded(&fs::read_to_string(&said).unwrap_or_default())
            .ok_or_else(|| Stop("wrangler uploaded, and did not say which version".into()))
    }

    fn ask_with_config(&self, arguments: &[&str]) -> Result<String> {
        let config = self.config.to_string_lossy();
        self.ask(&[arguments, &["--config", &config]].concat())
    }

    /// What wrangler prints, when it succeeds.
    fn ask(&self, arguments: &[&str]) -> Result<String> {
        let mut command = (self.wrangler)();
        let output = command.args(arguments).stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let words: Vec<&str> = arguments.iter().copied().take_while(|word| *word != "--command").collect();
        Err(Stop(format!("wrangler {} failed:\n{}", words.join(" "), said(&output))))
    }
}

/// Records the hash of a key with all scopes: unless there is one that can make others and was not revoked, or one
/// `more`.
pub fn key_statement(key: &str, id: Uuid, more: bool, now: &str) -> String {
    let hash = hex(&Sha256::digest(key));
    let unless = if more {
        ""
    } else {
        " AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE EXISTS (SELECT 1 FROM json_each(k.scopes) WHERE value = 'admin') \
         AND NOT EXISTS (SELECT 1 FROM api_key_revocations WHERE api_key_id = k.id))"
    };
    format!(
        "INSERT INTO api_keys (id, hash, label, scopes, created_at) SELECT '{id}', '{hash}', 'made by the deployment', \
         '[\"read\",\"advance\",\"operate\",\"admin\"]', '{now}' WHERE true{unless} RETURNING id"
    )
}

/// What wrangler's own record says of the upload.
fn uploaded(record: &str) -> Option<Upload> {
    let deployed = deployed(record)?;
    let targets = deployed.get("targets").and_then(Value::as_array).into_iter().flatten();
    Some(Upload {
        version: text(&deployed, "/version_id")?,
        addresses: targets.filter_map(|target| address(target.as_str()?)).collect(),
    })
}

/// The size of the bundle in wrangler's own record: its bytes, and its compressed bytes.
pub fn bundle_size(record: &str) -> Option<(u64, u64)> {
    let deployed = deployed(record)?;
    let size = |name: &str| deployed.pointer(&format!("/bundle_size/{name}")).and_then(Value::as_u64);
    Some((size("raw_bytes")?, size("gzip_bytes")?))
}

/// The line of wrangler's own record that is about a deployment.
fn deployed(record: &str) -> Option<Value> {
    let mut lines = record.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| text(line, "/type").as_deref() == Some("deploy"))
}

/// The text at a place.
fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// The address that a target serves at: `https://a.workers.dev`, `a.com (custom domain)` and `a.com/*` do, but not
/// `schedule: 0 6 * * *`.
pub fn address(target: &str) -> Option<String> {
    let host = target.split(" (").next().unwrap_or_default().trim_end_matches("/*");
    let host = host.strip_prefix("https://").unwrap_or(host);
    let is_host = host.contains('.') && !host.contains([' ', '*', '/']);
    is_host.then(|| format!("https://{host}"))
}

/// The JSON within what was printed.
fn json_of(printed: &str) -> Option<Value> {
    let begins = printed.find(['{', '['])?;
    serde_json::from_str(printed.get(begins..)?).ok()
}

fn said(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&all);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.iter().take(20).map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

pub fn told(what: &str) {
    eprintln!("  ✓ {what}");
}
