//! What a first visit to the dashboard and a use of the JavaScript package download, and that both stay as small as the
//! design wants them.

use crate::builds::{self, Part};
use crate::package;
use crate::release;
use crate::setup::Setup;
use crate::step::{self, Result, Stop};
use std::path::{Path, PathBuf};

const KIB: u64 = 1024;

/// The most that the WebAssembly may be, in bytes of brotli.
const WASM_BYTES: u64 = 350 * KIB;

/// The most that all of it may be, in bytes of brotli.
const ALL_BYTES: u64 = 400 * KIB;

/// The most that the JavaScript package may be, in bytes of brotli.
const PACKAGE_BYTES: u64 = 150 * KIB;

/// Prints how many bytes of brotli, at its best quality, each of the files comes to: a line each.
const BROTLI: &str = "
const { readFileSync } = require('node:fs');
const { brotliCompressSync } = require('node:zlib');
for (const file of process.argv.slice(1)) console.log(brotliCompressSync(readFileSync(file)).length);";

/// Builds the dashboard for release, and weighs it.
pub fn check(setup: &Setup) -> Result<()> {
    builds::build(setup, &[Part::ReleaseDashboard])?;
    verdict(first_load(setup)?)
}

/// What a first visit to the dashboard downloads, in bytes of brotli.
#[derive(Debug, Clone, Copy)]
pub struct Weight {
    pub wasm: u64,
    pub all: u64,
}

/// Weighs the dashboard's release as it was built.
pub fn first_load(setup: &Setup) -> Result<Weight> {
    let files = release::first_load(setup.root())?;
    let sizes = weighed(setup, &files)?;
    let is_wasm = |file: &Path| file.extension().is_some_and(|extension| extension == "wasm");
    let wasm = files.iter().zip(&sizes).filter(|(file, _)| is_wasm(file)).map(|(_, size)| size).sum();
    if files.len() != sizes.len() || wasm == 0 {
        return Err(Stop("the dashboard's release could not be weighed".into()));
    }
    Ok(Weight { wasm, all: sizes.iter().sum() })
}

/// Weighs the JavaScript package as it was built: what a page downloads that uses it.
pub fn check_package(setup: &Setup) -> Result<()> {
    let files = package::DOWNLOADED.map(|file| package::folder(setup).join(file));
    let sizes = weighed(setup, &files)?;
    package_verdict(files.len() == sizes.len(), sizes.iter().sum())
}

fn package_verdict(all_weighed: bool, all: u64) -> Result<()> {
    if !all_weighed {
        return Err(Stop("the JavaScript package could not be weighed".into()));
    }
    let (size, limit) = (all.div_ceil(KIB), PACKAGE_BYTES / KIB);
    let figures = format!("the JavaScript package is {size} KiB of brotli (at most {limit})");
    if all > PACKAGE_BYTES {
        return Err(Stop(figures));
    }
    eprintln!("  ✓ {figures}");
    Ok(())
}

fn weighed(setup: &Setup, files: &[PathBuf]) -> Result<Vec<u64>> {
    let printed = step::output(setup.node().args(["-e", BROTLI, "--"]).args(files))
        .ok_or_else(|| Stop("node could not compress what was built".into()))?;
    Ok(printed.lines().filter_map(|line| line.parse().ok()).collect())
}

fn verdict(Weight { wasm, all }: Weight) -> Result<()> {
    let figures = format!(
        "the dashboard's first load is {} KiB of brotli (at most {}), {} KiB of it wasm (at most {})",
        all.div_ceil(KIB),
        ALL_BYTES / KIB,
        wasm.div_ceil(KIB),
        WASM_BYTES / KIB
    );
    if wasm > WASM_BYTES || all > ALL_BYTES {
        return Err(Stop(figures));
    }
    eprintln!("  ✓ {figures}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{ALL_BYTES, PACKAGE_BYTES, WASM_BYTES, Weight, package_verdict, verdict};

    #[test]
    fn too_much_is_refused_and_nothing_weighed_too() {
        assert!(verdict(Weight { wasm: WASM_BYTES, all: ALL_BYTES }).is_ok());
        assert!(verdict(Weight { wasm: WASM_BYTES + 1, all: ALL_BYTES }).is_err());
        assert!(verdict(Weight { wasm: WASM_BYTES, all: ALL_BYTES + 1 }).is_err());
        assert!(package_verdict(true, PACKAGE_BYTES).is_ok());
        assert!(package_verdict(true, PACKAGE_BYTES + 1).is_err());
        assert!(package_verdict(false, PACKAGE_BYTES).is_err());
    }
}
