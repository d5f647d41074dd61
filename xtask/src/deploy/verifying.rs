//! Whether what was uploaded serves.

use super::platform::{Upload, told};
use crate::serve::LOCAL_KEY;
use crate::setup::Setup;
use crate::step::{self, Result, Stop};
use serde::Deserialize;
use std::time::Duration;

/// How often `/healthz` is asked before it must name the commit: an upload takes a while to be everywhere.
const ATTEMPTS: u32 = 30;

/// How long to wait in between.
const PAUSE: Duration = Duration::from_secs(2);

/// Prints what `/healthz` answers, and how the key of local runs is answered.
const ASK: &str = "
const [address, key] = process.argv.slice(1);
const get = (path, headers) => fetch(address + path, { headers, signal: AbortSignal.timeout(10_000) });
const health = await get('/healthz', {});
const settings = await get('/v1/settings', { authorization: `Bearer ${key}` });
const { commit = '', schema_version = 0, reasons = [] } = await health.json().catch(() => ({}));
const status = health.status;
console.log(JSON.stringify({ status, commit, schema_version, reasons, local_key: settings.status }));";

/// How a deployment answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Health {
    pub status: u16,
    pub commit: String,
    pub schema_version: usize,
    pub reasons: Vec<String>,
    /// The status of the answer to the key of local runs.
    pub local_key: u16,
}

/// Asks a deployment how it is; none where it does not answer.
pub fn health(setup: &Setup, address: &str) -> Option<Health> {
    let mut node = setup.node();
    node.args(["--input-type", "module", "--eval", ASK, "--", address, LOCAL_KEY]);
    serde_json::from_str(&step::output(&mut node)?).ok()
}

/// That each address serves the commit with all migrations.
pub fn verify(
    upload: &Upload,
    commit: &str,
    migrations: usize,
    health: impl Fn(&str) -> Option<Health>,
) -> Result<()> {
    if upload.addresses.is_empty() {
        told(&format!("version {} is uploaded; it serves nowhere that wrangler knows of", upload.version));
    }
    for address in &upload.addresses {
        let found = settled(address, commit, &health);
        told(&verdict(address, commit, migrations, found)?);
    }
    Ok(())
}

/// What an address answers once it names the commit, or at last.
fn settled(address: &str, commit: &str, health: &impl Fn(&str) -> Option<Health>) -> Option<Health> {
    let mut found = None;
    for attempt in 1..=ATTEMPTS {
        found = health(address);
        if attempt == ATTEMPTS || found.as_ref().is_some_and(|health| health.commit == commit) {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    found
}

/// What is to be said of an address that was asked, or what is wrong with it.
pub fn verdict(address: &str, commit: &str, migrations: usize, found: Option<Health>) -> Result<String> {
    let Some(health) = found else {
        return Err(Stop(format!("{address}/healthz does not answer")));
    };
    if health.commit != commit {
        let Health { status, commit: other, .. } = health;
        return Err(Stop(format!("{address}/healthz answers {status} and commit {other:?}, not {commit}")));
    }
    if health.schema_version != migrations {
        let found = health.schema_version;
        return Err(Stop(format!("{address}/healthz says schema version {found}, not {migrations}")));
    }
    if health.local_key != 401 {
        let answered = health.local_key;
        return Err(Stop(format!(
            "{address} answers {answered} to the key of local runs, which everybody knows: revoke it at once"
        )));
    }
    // A book that was left alone is no fault of the release; the next complete run mends it.
    let reasons =
        if health.status == 200 { String::new() } else { format!(", but: {}", health.reasons.join("; ")) };
    Ok(format!("{address} serves commit {commit}{reasons}"))
}
