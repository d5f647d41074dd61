//! The browser: the tests of the dashboard and of the JavaScript package in the machine's chromium, and the dashboard's
//! screenshots, all by Playwright.

use crate::builds::{self, Part};
use crate::setup::{self, Setup};
use crate::step::{self, Result, Stop};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian and Ubuntu put it.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// What is tested in the browser, with a configuration of Playwright and a report for programs of its own.
#[derive(Clone, Copy)]
pub enum Suite {
    /// The dashboard.
    Dashboard,
    /// The dashboard as it is deployed.
    Released,
    /// The JavaScript package.
    Package,
}

impl Suite {
    fn config(self) -> &'static str {
        match self {
            Suite::Dashboard | Suite::Released => "tests/browser/playwright.config.ts",
            Suite::Package => "tests/package/playwright.config.ts",
        }
    }

    fn report(self) -> &'static str {
        match self {
            Suite::Dashboard | Suite::Released => "target/browser/report.json",
            Suite::Package => "target/package-browser/report.json",
        }
    }
}

/// `cargo xtask screenshots`
pub fn screenshots() -> Result<()> {
    let setup = setup::prepare()?;
    let mut playwright = playwright(&setup, Suite::Dashboard)?;
    playwright.args(["gallery.spec.ts", "--update-snapshots=all"]);
    builds::build(&setup, &[Part::SandboxWorker, Part::Bank, Part::Dashboard])?;
    step::run("screenshots", &mut playwright)?;
    println!("{}", setup.root().join("tests/browser/gallery").display());
    Ok(())
}

/// Playwright over the specs of a suite, which serve all they need themselves; `full` adds each face of each page.
pub fn specs(setup: &Setup, suite: Suite, full: bool) -> Result<Command> {
    let mut command = playwright(setup, suite)?;
    if full {
        command.env("PAYDOWN_FULL", "1");
    }
    if matches!(suite, Suite::Released) {
        command.env("PAYDOWN_RELEASED", "1");
    }
    Ok(command)
}

/// Playwright over a suite, with the browser that it drives and the commands of this program for the world that it
/// starts.
fn playwright(setup: &Setup, suite: Suite) -> Result<Command> {
    let chromium = chromium()?;
    // What an earlier run said is not to be taken for what this one says.
    let _ = fs::remove_file(setup.root().join(suite.report()));
    let mut command = setup.node();
    command.args(["node_modules/@playwright/test/cli.js", "test", "--config", suite.config()]);
    command.env("PAYDOWN_CHROMIUM", chromium).env("PAYDOWN_XTASK", std::env::current_exe()?);
    command.env_remove("PAYDOWN_URL");
    Ok(command)
}

/// The machine's chromium, installed when there is none.
pub fn chromium() -> Result<PathBuf> {
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
pub fn counts(root: &Path, suite: Suite) -> (u64, u64) {
    counted(&fs::read_to_string(root.join(suite.report())).unwrap_or_default())
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
