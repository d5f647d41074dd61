//! The dashboard: what a first visit downloads, and what Lighthouse says of it.

use super::native::eve;
use super::table::{Table, Target};
use super::worker::node;
use super::{Bench, number};
use crate::browser;
use crate::builds::{self, Part};
use crate::setup::Setup;
use crate::sizes;
use crate::step::{self, Result};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// The most that a first visit may download, in KiB of brotli: the WebAssembly, and all of it.
const WASM_KIB: f64 = 350.0;
const ALL_KIB: f64 = 400.0;

/// What Lighthouse must say, of a hundred each.
const SCORES: [(&str, &str, f64); 3] = [
    ("accessibility", "/accessibility", 100.0),
    ("best practices", "/bestPractices", 95.0),
    ("performance", "/performance", 95.0),
];

/// How long a filter of two hundred credits may take until its rows are painted, in milliseconds.
const FILTER_MS: f64 = 100.0;

/// From npm, in a folder of its own: nothing else needs it.
const LIGHTHOUSE: &str = "13.5.0";

/// What a first visit to the dashboard downloads, and how it is seen.
pub fn page(bench: &Bench, table: &mut Table) -> Result<Value> {
    builds::build(&bench.setup, &[Part::ReleaseWorker, Part::ReleaseDashboard])?;
    let weight = sizes::first_load(&bench.setup)?;
    let kib = |bytes: u64| bytes as f64 / 1024.0;
    table.add("dashboard's first load: wasm, brotli", kib(weight.wasm), Target::AtMost(WASM_KIB), " KiB");
    table.add("dashboard's first load: all, brotli", kib(weight.all), Target::AtMost(ALL_KIB), " KiB");
    let options = json!({
        "ledger": eve(bench, 200, 0)?,
        "lighthouse": lighthouse(&bench.setup)?,
        "chromium": browser::chromium()?,
        "visits": bench.size(5, 1),
    });
    let measured = node(bench, "page", options)?;
    for (score, place, least) in SCORES {
        let figure = format!("dashboard by Lighthouse, desktop: {score}");
        table.add(figure, number(&measured, place), Target::AtLeast(least), "");
    }
    let filter = "dashboard: a list of 200 credits filtered, from the entry to the painted rows";
    table.add(filter, number(&measured, "/filtered"), Target::AtMost(FILTER_MS), " ms");
    Ok(json!({ "wasm": weight.wasm, "all": weight.all, "lighthouse": measured }))
}

/// Where Lighthouse and what it needs are.
fn lighthouse(setup: &Setup) -> Result<PathBuf> {
    let folder = setup.root().join("target/tools").join(format!("lighthouse-{LIGHTHOUSE}"));
    let packages = folder.join("node_modules");
    if !packages.join("lighthouse/package.json").exists() {
        std::fs::create_dir_all(&folder)?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]);
        step::run("Lighthouse", npm.arg(&folder).arg(format!("lighthouse@{LIGHTHOUSE}")))?;
    }
    Ok(packages)
}
