//! `cargo xtask deploy`: the Worker and its dashboard onto the platform.
//!
//! 1. Check: what can be known without the network: the configuration against what the Worker's source needs, the
//!    migrations, the release builds, and what wrangler would upload. A dry run ends here.
//! 2. Account: wrangler is logged in, and each secret is there or given.
//! 3. Resources: the database, the bucket and the queues are made unless they are there.
//! 4. Migrations: those that the database has not had. They only ever add, so that what serves meanwhile goes on.
//! 5. Key: the first API key that can make others, unless there is one. It is shown this once; its hash is recorded.
//! 6. Upload.
//! 7. Verify: `/healthz` names the commit and all migrations, and the key of local runs opens nothing.
//!
//! Each step may be taken again: a deployment that broke off is repeated as a whole.

mod checks;
mod configuration;
mod platform;
#[cfg(test)]
mod tests;
mod verifying;

use crate::builds::{self, Part};
use crate::setup::{self, Setup};
use crate::step::{self, Result, Stop};
use checks::{Checklist, Needs, Said};
use configuration::{Completion, Wrangler, completed};
use platform::{Platform, Upload};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What was asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Stops before the network.
    pub dry_run: bool,
    /// The processor to speak to, instead of the one that edge/wrangler.toml names.
    pub processor_url: Option<String>,
    /// Makes an admin key although there is one.
    pub admin_key: bool,
}

/// `cargo xtask deploy`
pub fn deploy(options: &Options) -> Result<ExitCode> {
    let setup = setup::prepare()?;
    // 1.
    let mut list = Checklist::default();
    let plan = check(&setup, options, &mut list)?;
    let Some(plan) = plan.filter(|_| list.is_right() && !options.dry_run) else {
        return Ok(list.close(options.dry_run));
    };
    let wrangler = || plan.wrangler_of(&setup);
    let platform = Platform { wrangler: &wrangler, folder: &plan.folder, config: &plan.config };
    // 2. to 6.
    let (before, upload) = carry_out(&plan, &platform, options, |secret| std::env::var(secret).ok())?;
    // 7.
    let health = |address: &str| verifying::health(&setup, address);
    let verified = verifying::verify(&upload, &plan.commit, plan.needs.migrations, health);
    println!("{}", how_to_roll_back(&plan.wrangler.name, before.as_deref()));
    verified.map(|()| ExitCode::SUCCESS)
}

/// What is to be deployed.
struct Plan {
    text: String,
    wrangler: Wrangler,
    needs: Needs,
    commit: String,
    /// Variables beside those of edge/wrangler.toml.
    variables: BTreeMap<String, String>,
    root: PathBuf,
    /// Where the deployment keeps its files. None has a name that wrangler takes for its configuration by itself.
    folder: PathBuf,
    /// The configuration as wrangler is given it.
    config: PathBuf,
}

/// Looks at everything that can be known without the network; none when the configuration cannot be read at all.
fn check(setup: &Setup, options: &Options, list: &mut Checklist) -> Result<Option<Plan>> {
    let root = setup.root().to_owned();
    let text = fs::read_to_string(root.join("edge/wrangler.toml"))?;
    let wrangler = match Wrangler::read(&text) {
        Ok(wrangler) => wrangler.with_processor(options.processor_url.as_deref()),
        Err(why) => {
            list.add(checks::unreadable(&why));
            return Ok(None);
        }
    };
    let said = needs(setup, &wrangler.texts())?;
    checks::configuration(&wrangler, &said).into_iter().for_each(|check| list.add(check));
    list.add(checks::migrations(&migrations(&root)?, &said.needs));
    let commit = builds::commit(&root);
    list.add(checks::commit(&commit));

    builds::build(setup, &[Part::ReleaseWorker, Part::ReleaseDashboard])?;
    list.add(checks::no_sandbox(&fs::read(root.join(builds::RELEASE_WASM))?));
    let folder = root.join("target/deploy");
    fs::create_dir_all(&folder)?;
    let mut variables = BTreeMap::from([("PAYDOWN_COMMIT".to_owned(), commit.clone())]);
    variables.extend(options.processor_url.iter().map(|url| ("PROCESSOR_URL".to_owned(), url.clone())));
    let config = folder.join("paydown.toml");
    let plan = Plan { text, wrangler, needs: said.needs, commit, variables, root, folder, config };
    plan.complete(None)?;
    list.add(plan.bundle(setup)?);
    Ok(Some(plan))
}

/// What the Worker's own source says that it needs, and what is wrong with the variables.
fn needs(setup: &Setup, variables: &BTreeMap<String, String>) -> Result<Said> {
    let title = "asking the Worker's source what it needs";
    // Over the workspace: a package by itself has other features, and all would compile again.
    let mut cargo = setup.command("cargo", "");
    cargo.args(["build", "--workspace", "--example", "needs", "--message-format", "json"]);
    let ended = step::attempt(title, &mut cargo)?;
    let log = step::read(&ended.log);
    let mut built = log.lines().rev().filter_map(|line| serde_json::from_str::<Built>(line).ok());
    let program = built.find_map(|built| built.executable);
    let Some(program) = program.filter(|_| ended.success) else {
        return Err(Stop(format!("{title} failed; its whole output is in {}", ended.log.display())));
    };
    let zones: Vec<&String> =
        variables.get("BUSINESS_TIME_ZONE").into_iter().filter(|name| knows_zone(setup, name)).collect();
    let asked = serde_json::json!({ "variables": variables, "zones": zones }).to_string();
    let said = step::answer(&mut Command::new(program), &asked)?;
    serde_json::from_str(&said).map_err(|error| Stop(format!("{title}: {error}")))
}

/// Whether the time zone database of the runtime has a name: Node's is the same engine's.
fn knows_zone(setup: &Setup, name: &str) -> bool {
    let ask = "new Intl.DateTimeFormat('en-US', { timeZone: process.argv[1] })";
    step::output(setup.node().args(["--eval", ask, "--", name])).is_some()
}

/// A line of cargo's about something that was built.
#[derive(Deserialize)]
struct Built {
    executable: Option<PathBuf>,
}

/// The migrations by name, with what they hold.
fn migrations(root: &Path) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for file in fs::read_dir(root.join("edge/migrations"))? {
        let file = file?;
        files.push((file.file_name().to_string_lossy().into_owned(), fs::read_to_string(file.path())?));
    }
    files.sort();
    Ok(files)
}

impl Plan {
    /// Writes the configuration as wrangler is given it.
    fn complete(&self, database_id: Option<&str>) -> Result<()> {
        let completion = Completion {
            script: &self.root.join(Part::ReleaseWorker.product()),
            assets: &self.root.join("target/dashboard"),
            migrations: &self.root.join("edge/migrations"),
            database_id,
            variables: &self.variables,
        };
        Ok(fs::write(&self.config, completed(&self.text, &completion)?)?)
    }

    /// What wrangler makes of it, without uploading.
    fn bundle(&self, setup: &Setup) -> Result<checks::Check> {
        let record = self.folder.join("bundle.ndjson");
        let _ = fs::remove_file(&record);
        let mut wrangler = self.wrangler_of(setup);
        wrangler.args(["deploy", "--dry-run", "--config"]).arg(&self.config);
        wrangler.arg("--outdir").arg(self.folder.join("bundle"));
        let ended = step::attempt("bundling", wrangler.env("WRANGLER_OUTPUT_FILE_PATH", &record))?;
        if !ended.success {
            step::show_end_of(&ended.log);
        }
        let size = platform::bundle_size(&fs::read_to_string(&record).unwrap_or_default());
        Ok(checks::bundle(&step::read(&ended.log), size))
    }

    /// A wrangler that finds no configuration by itself, and acts for the account that edge/wrangler.toml names.
    fn wrangler_of(&self, setup: &Setup) -> Command {
        let mut wrangler = setup.wrangler("target/deploy");
        if let Some(account) = &self.wrangler.account_id {
            wrangler.env("CLOUDFLARE_ACCOUNT_ID", account);
        }
        wrangler
    }
}

/// Makes what is missing on the platform, and uploads. Gives the version that served before, too.
fn carry_out(
    plan: &Plan,
    platform: &Platform<'_>,
    options: &Options,
    given: impl Fn(&str) -> Option<String>,
) -> Result<(Option<String>, Upload)> {
    // 2.
    platform.log_in()?;
    let before = platform.version(&plan.wrangler.name);
    let secrets = platform.secrets(&plan.wrangler.name, &plan.needs.secrets, given)?;
    // 3.
    let database = &plan.needs.database;
    let id = platform.database(&plan.wrangler, database)?;
    platform.resources(&plan.wrangler)?;
    plan.complete(Some(&id))?;
    // 4.
    platform.migrate(database)?;
    // 5.
    if let Some(key) = platform.admin_key(database, options.admin_key, &step::instant())? {
        println!("the admin key, which is shown this once: {key}");
    }
    // 6.
    let upload = platform.upload(&secrets, &format!("commit {}", plan.commit))?;
    Ok((before, upload))
}

fn how_to_roll_back(name: &str, before: Option<&str>) -> String {
    let Some(version) = before else {
        return "before this nothing was deployed: POST /v1/stop keeps money from leaving".into();
    };
    format!(
        "to roll back to what served before (the migrations stay: they only add):\n  \
         node_modules/.bin/node node_modules/wrangler/bin/wrangler.js rollback {version} --name {name} --yes"
    )
}
