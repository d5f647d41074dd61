//! The description of the API against the live Worker: what schemathesis makes of it is answered as it says.

use std::path::Path;
use std::process::Command;

use crate::live::{KEY, Live};

/// Cases for each operation and phase; more than 2,000 in all.
const EXAMPLES: &str = "60";

#[test]
#[ignore = "long: part of `cargo xtask test --full`"]
fn schemathesis_finds_no_answer_that_is_not_described() {
    let schemathesis =
        std::env::var_os("PAYDOWN_SCHEMATHESIS").expect("run this by `cargo xtask test --full`");
    let live = Live::begin("schemathesis");
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(schemathesis);
    command.arg("--config-file").arg(here.join("e2e/schemathesis.toml"));
    command.arg("run").arg(live.worker("/openapi.json"));
    command.args(["--header", &format!("Authorization: Bearer {KEY}"), "--max-examples", EXAMPLES]);
    // A seed of its own each time would be a test that fails for some and not for others.
    command.args(["--continue-on-failure", "--no-color", "--seed", "1", "--generation-database", "none"]);
    let output = command.current_dir(here.join("../target")).output().expect("schemathesis runs");
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let cases = text.lines().find_map(|line| line.trim().split_once(" generated")?.0.parse().ok());
    assert!(cases.is_some_and(|cases: u32| cases >= 2000), "only {cases:?} cases");
}
