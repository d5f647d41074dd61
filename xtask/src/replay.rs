//! `cargo xtask replay`: shows that the book of a local run is what follows from its inputs (L10.4).

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::step::{self, Result, Stop};

/// The state of the demo, which is replayed when nobody says which.
pub fn demo_state() -> PathBuf {
    step::root().join("target/state/demo")
}

/// Replays a state. It may be served meanwhile.
pub fn replay(state: &Path) -> Result<ExitCode> {
    let mut command = Command::new("cargo");
    command.current_dir(step::root());
    command.args([
        "run",
        "--quiet",
        "--profile",
        "local",
        "--package",
        "paydown-tests",
        "--bin",
        "replay",
        "--",
    ]);
    let status =
        command.arg(state).status().map_err(|error| Stop(format!("cargo cannot be started: {error}")))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
