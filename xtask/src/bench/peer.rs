//! Python for the peers: an environment of its own, with the versions that `tests/bench/fastapi` pins.

use crate::builds::fingerprint;
use crate::setup::{self, Setup};
use crate::step::{self, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// What the peers need, from the root.
const REQUIREMENTS: &str = "tests/bench/fastapi/requirements.txt";

/// The Python of the environment, made when it is not there.
pub fn python(setup: &Setup) -> Result<PathBuf> {
    let folder = setup.root().join("target/tools/bench-python");
    let (program, stamp) = (folder.join("bin/python"), folder.join("made"));
    let wanted = fingerprint(setup.root(), &[REQUIREMENTS], "")?;
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(program);
    }
    setup::python_environment(&folder)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    step::run("FastAPI, pandas and polars", pip.arg(setup.root().join(REQUIREMENTS)))?;
    fs::write(stamp, wanted)?;
    Ok(program)
}
