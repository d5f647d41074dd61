//! The browser: the dashboard's tests in the machine's chromium, and its screenshots, both by Playwright.

use crate::builds::{self, Part};
use crate::setup::{self, Setup};
use crate::step::{self, Result, Stop};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian and Ubuntu put it.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// What Playwright says of its run, for programs.
const REPORT: &str = "target/browser/report.json";

/// What the screenshots are of, and where they go.
pub struct Screenshots {
    pub folder: PathBuf,
    /// The dashboard that serves already; without it one is served, with a book of three weeks.
    pub address: Option<String>,
}

impl Screenshots {
    pub fn new() -> Screenshots {
        Screenshots { folder: step::root().join("target/screenshots"), address: None }
    }
}

/// `cargo xtask screenshots`
pub fn screenshots(wanted: &Screenshots) -> Result<()> {
    let setup = setup::prepare()?;
    let mut playwright = playwright(&setup, "screenshots")?;
    match &wanted.address {
        Some(address) => {
            playwright.env("PAYDOWN_URL", address);
        }
        None => builds::build(&setup, &[Part::SandboxWorker, Part::Bank, Part::Dashboard])?,
    }
    step::run("screenshots", playwright.env("PAYDOWN_SCREENSHOTS", &wanted.folder))?;
    println!("{}", wanted.folder.display());
    Ok(())
}

/// Playwright over the specs, which serve a world of their own.
pub fn specs(setup: &Setup) -> Result<Command> {
    playwright(setup, "specs")
}

/// Playwright over one of the projects of its configuration, with the browser that it drives and the commands of
/// this program for the world that it starts.
fn playwright(setup: &Setup, project: &str) -> Result<Command> {
    let chromium = chromium()?;
    // What an earlier run said is not to be taken for what this one says.
    let _ = fs::remove_file(setup.root().join(REPORT));
    let mut command = setup.command(&setup.root().join("node_modules/.bin/node").to_string_lossy(), "");
    command.arg("node_modules/@playwright/test/cli.js").arg("test");
    command.args(["--config", "tests/browser/playwright.config.ts", "--project", project]);
    command.env("PAYDOWN_CHROMIUM", chromium).env("PAYDOWN_XTASK", std::env::current_exe()?);
    command.env_remove("PAYDOWN_URL");
    Ok(command)
}

/// The machine's chromium, installed when there is none.
fn chromium() -> Result<PathBuf> {
    let there = || CHROMIUM.iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(chromium) = there() {
        return Ok(chromium);
    }
    let missing = |Stop(why): Stop| {
        let places = CHROMIUM.join(" or ");
        Stop(format!("chromium is missing: install it as {places}, then run this again ({why})"))
    };
    // Without a font no text has a size.
    setup::apt_install(&["chromium", "fonts-liberation"]).map_err(missing)?;
    there().ok_or_else(|| missing(Stop("apt-get put it somewhere else".into())))
}

/// How many specs passed and failed, as Playwright reports them to programs.
pub fn counts(root: &Path) -> (u64, u64) {
    counted(&fs::read_to_string(root.join(REPORT)).unwrap_or_default())
}

fn counted(report: &str) -> (u64, u64) {
    let report: Value = serde_json::from_str(report).unwrap_or_default();
    let of = |name: &str| report.pointer(&format!("/stats/{name}")).and_then(Value::as_u64).unwrap_or(0);
    (of("expected"), of("unexpected") + of("flaky"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_report_is_counted() {
        let report = r#"{"stats": {"expected": 29, "skipped": 2, "unexpected": 1, "flaky": 3}}"#;
        assert_eq!(super::counted(report), (29, 4));
        assert_eq!(super::counted(""), (0, 0));
    }
}
