//! `cargo xtask test`: everything that is checked, one step after the other, whatever the earlier ones said.
//!
//! A step that runs tests counts as many as it ran, any other step counts as one. The last line is
//! `N passed, N failed`.

use crate::bench;
use crate::browser::{self, Suite};
use crate::builds::{self, Part};
use crate::package;
use crate::setup::{self, Setup};
use crate::sizes;
use crate::step::{self, Ended, Result, Stop};
use std::path::Path;
use std::process::{Command, ExitCode};

/// So many lines of the failed tests are shown.
const SHOWN_LINES: usize = 400;

/// What was counted, and which steps failed.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    failures: Vec<String>,
}

/// Runs all checks; `full` adds those that take long.
pub fn test(full: bool) -> Result<ExitCode> {
    let setup = setup::prepare_tests()?;
    let mut tally = Tally::default();
    tally.check("rustfmt", cargo(&setup, &["fmt", "--all", "--check"]));
    tally.check("clippy", cargo(&setup, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]));
    let mut doc = cargo(&setup, &["doc", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    tally.check("documentation", doc);
    tally.check(
        "examples in the documentation",
        cargo(&setup, &["test", "--quiet", "--doc", "--package", "paydown"]),
    );
    tally.tests("native tests", nextest(&setup, &["--workspace", "-E", "not binary(e2e)"], full)?);
    tally.result(bench::check_budget(&setup));
    let parts = [Part::SandboxWorker, Part::Worker, Part::Bank, Part::Dashboard];
    match builds::build(&setup, &parts) {
        Ok(()) => {
            tally.passed += 1;
            // Over the workspace as well: a package by itself has other features, and all would compile again.
            tally.tests("end-to-end tests", nextest(&setup, &["--workspace", "-E", "binary(e2e)"], full)?);
            tally.specs("browser tests", &setup, Suite::Dashboard, full);
        }
        Err(Stop(why)) => tally.fail(1, &why),
    }
    match builds::build(&setup, &[Part::Package]) {
        Ok(()) => {
            tally.result(sizes::check_package(&setup));
            tally.node("the JavaScript package in Node", &setup);
            tally.specs("the JavaScript package in Chromium", &setup, Suite::Package, full);
        }
        Err(Stop(why)) => tally.fail(1, &why),
    }
    if full {
        tally.result(sizes::check(&setup));
        tally.specs("browser tests of the release", &setup, Suite::Released, full);
        tally.check("deployment, dry", dry_deployment()?);
    }
    Ok(tally.close())
}

impl Tally {
    /// A step that is right or wrong as a whole.
    fn check(&mut self, title: &str, mut command: Command) {
        self.result(step::run(title, &mut command));
    }

    fn result(&mut self, result: Result<()>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(Stop(why)) => self.fail(1, &why),
        }
    }

    /// A step of nextest, which says how many tests it ran.
    fn tests(&mut self, title: &str, mut command: Command) {
        let ended = match step::attempt(title, &mut command) {
            Ok(ended) => ended,
            Err(Stop(why)) => return self.fail(1, &why),
        };
        let counts = counts(&step::read(&ended.log));
        self.count(title, &ended, counts);
    }

    /// The step of Node's own test runner, which says the same.
    fn node(&mut self, title: &str, setup: &Setup) {
        match step::attempt(title, &mut package::tests(setup)) {
            Ok(ended) => self.count(title, &ended, package::counts(&step::read(&ended.log))),
            Err(Stop(why)) => self.fail(1, &why),
        }
    }

    /// A step of Playwright, too.
    fn specs(&mut self, title: &str, setup: &Setup, suite: Suite, full: bool) {
        match browser::specs(setup, suite, full).and_then(|mut command| step::attempt(title, &mut command)) {
            Ok(ended) => self.count(title, &ended, browser::counts(setup.root(), suite)),
            Err(Stop(why)) => self.fail(1, &why),
        }
    }

    fn count(&mut self, title: &str, ended: &Ended, (passed, failed): (u64, u64)) {
        eprintln!("    {passed} passed, {failed} failed in {:.1} s", ended.seconds);
        let text = step::read(&ended.log);
        let figures = text.lines().filter_map(|line| line.trim_start_matches("# ").strip_prefix("figures: "));
        figures.for_each(|figure| eprintln!("    {figure}"));
        self.passed += passed;
        if ended.success && passed > 0 {
            return;
        }
        show_failures(&ended.log);
        let why = if ended.success { "ran no test" } else { "failed" };
        self.fail(failed.max(1), &format!("{title} {why}; the whole output is in {}", ended.log.display()));
    }

    fn fail(&mut self, count: u64, why: &str) {
        self.failed += count;
        self.failures.push(why.to_owned());
    }

    /// The failures, and the last line of all.
    fn close(self) -> ExitCode {
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// This program's own dry run, as if a processor were set.
fn dry_deployment() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["deploy", "--dry-run", "--processor-url", "https://processor.test"]);
    Ok(command)
}

fn cargo(setup: &Setup, arguments: &[&str]) -> Command {
    let mut command = setup.command("cargo", "");
    command.args(arguments);
    command
}

/// cargo-nextest over some of the tests. End-to-end tests find the commands of this program by `PAYDOWN_XTASK`.
fn nextest(setup: &Setup, which: &[&str], full: bool) -> Result<Command> {
    let mut command = cargo(setup, &["nextest", "run", "--no-fail-fast", "--color", "never"]);
    command.args(["--no-tests", "pass", "--status-level", "slow", "--failure-output", "final"]);
    command.args(which);
    command.env("PAYDOWN_XTASK", std::env::current_exe()?);
    if full {
        command.env("PAYDOWN_FULL", "1").args(["--run-ignored", "all"]);
        command.env("PAYDOWN_SCHEMATHESIS", setup::schemathesis(setup.root())?);
    }
    Ok(command)
}

/// What nextest prints from its summary on: what each failed test said. Without a summary, the end of the log.
fn show_failures(log: &Path) {
    let text = step::read(log);
    let lines: Vec<&str> = text.lines().collect();
    match lines.iter().rposition(|line| is_summary(line)) {
        Some(summary) => {
            lines.iter().skip(summary).take(SHOWN_LINES).for_each(|line| eprintln!("    {line}"))
        }
        None => step::show_end_of(log),
    }
}

fn is_summary(line: &str) -> bool {
    line.trim_start().starts_with("Summary [")
}

/// The counts in nextest's summary line:
/// `     Summary [   0.013s] 12 tests run: 10 passed (1 slow), 1 failed, 1 timed out, 0 skipped`.
fn counts(log: &str) -> (u64, u64) {
    let Some(summary) = log.lines().rev().find(|line| is_summary(line)) else {
        return (0, 0);
    };
    let counted = |word: &str| -> u64 {
        let words: Vec<&str> = summary.split([' ', ',', '(', ')']).filter(|text| !text.is_empty()).collect();
        let mut pairs = words.iter().zip(words.iter().skip(1));
        pairs.find_map(|(number, next)| (*next == word).then(|| number.parse().ok()).flatten()).unwrap_or(0)
    };
    (counted("passed"), counted("failed") + counted("timed") + counted("exec"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_summary_is_read() {
        let line =
            "     Summary [   0.013s] 13 tests run: 10 passed (1 slow), 2 failed, 1 timed out, 4 skipped";
        assert_eq!(super::counts(line), (10, 3));
        assert_eq!(super::counts("     Summary [   0.001s] 2 tests run: 2 passed, 0 skipped"), (2, 0));
        assert_eq!(super::counts("error: could not compile"), (0, 0));
    }
}
