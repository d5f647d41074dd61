//! The JavaScript package: its build, and its tests in Node.
//!
//! 1. cargo compiles `core/js` to WebAssembly, for release: its size counts.
//! 2. wasm-bindgen makes the module that JavaScript speaks to; the types are those of `core/js/npm`, made from core's own.
//! 3. wasm-opt makes it smaller.
//! 4. What is written by hand joins it in one folder, ready for npm.

use crate::builds::{self, Part};
use crate::setup::{self, Setup};
use crate::sizes;
use crate::step::{self, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is built last of the package.
pub const PRODUCT: &str = "core/js/build/paydown_bg.wasm";

/// What a page downloads that uses the package.
pub const DOWNLOADED: [&str; 5] = ["browser.js", "exports.js", "error.js", "paydown.js", "paydown_bg.wasm"];

/// What Rust compiles to, and every engine has had for years: wasm-opt must not use more.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Where the package is built.
pub fn folder(setup: &Setup) -> PathBuf {
    setup.root().join("core/js/build")
}

/// `cargo xtask package`
pub fn package() -> Result<()> {
    let setup = setup::prepare()?;
    builds::build(&setup, &[Part::Package])?;
    sizes::check_package(&setup)?;
    println!("{}", folder(&setup).display());
    Ok(())
}

/// Builds the package.
pub fn build(setup: &Setup, title: &str) -> Result<()> {
    let folder = folder(setup);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let target = "wasm32-unknown-unknown";
    let mut cargo = setup.wasm_command("cargo", "");
    cargo.args(["build", "--package", "paydown-js", "--lib", "--profile", "javascript", "--target", target]);
    step::run(title, &mut cargo)?;

    let compiled = setup.root().join("target/wasm").join(target).join("javascript/paydown_js.wasm");
    let mut bindgen = setup.wasm_command("wasm-bindgen", "");
    bindgen.args(["--target", "web", "--no-typescript", "--out-name", "paydown", "--out-dir"]);
    step::run("binding it to JavaScript", bindgen.arg(&folder).arg(compiled))?;

    let (wasm, smaller) = (setup.root().join(PRODUCT), folder.join("smaller.wasm"));
    let mut opt = setup.wasm_command("wasm-opt", "");
    step::run("making it smaller", opt.arg("-Os").args(WASM_FEATURES).arg(&wasm).arg("-o").arg(&smaller))?;
    copy_written(setup, &folder)?;
    Ok(fs::rename(smaller, wasm)?)
}

/// The files that are written and not made.
fn copy_written(setup: &Setup, folder: &Path) -> Result<()> {
    for file in fs::read_dir(setup.root().join("core/js/npm"))? {
        let file = file?;
        fs::copy(file.path(), folder.join(file.file_name()))?;
    }
    fs::copy(setup.root().join("core/js/README.md"), folder.join("README.md"))?;
    Ok(())
}

/// The package's tests in Node.
pub fn tests(setup: &Setup) -> Command {
    let mut command = setup.node();
    command.args(["--test", "--test-reporter=tap", "tests/package/paydown.test.mjs"]);
    command
}

/// How many of them passed and failed: the lines `# pass 12` and `# fail 0` at the end.
pub fn counts(log: &str) -> (u64, u64) {
    let of = |name: &str| {
        let line = log.lines().rev().find_map(|line| line.strip_prefix(name));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    (of("# pass "), of("# fail ") + of("# cancelled "))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_end_of_a_run_is_counted() {
        let log = "ok 1 - # pass 9\n# tests 17\n# pass 12\n# fail 2\n# cancelled 3\n# skipped 0\n";
        assert_eq!(super::counts(log), (12, 5));
        assert_eq!(super::counts("node: not found"), (0, 0));
    }
}
