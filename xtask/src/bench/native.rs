//! What is measured of core alone: the report's parser, planning and deciding, natively and as WebAssembly; and the memory
//! of a run.

use super::peer::python;
use super::table::{Table, Target};
use super::worker::node;
use super::{Bench, number};
use crate::builds;
use crate::setup::{self, Setup};
use crate::step::{self, Result, Stop};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How a program is compiled that is measured: for speed, where the Worker is for size.
const PROFILE: &str = "measured";

/// What each of them may take in instructions of the machine, and how much more is still the same.
const BUDGET: &str = "tests/bench/budget.json";
const TOLERANCE: f64 = 0.03;

/// The functions of core whose instructions are counted, by what `measure once` calls them.
const COUNTED: [(&str, &str); 2] = [("parse", "paydown_bench::rows*"), ("plan", "paydown_bench::decisions*")];

/// The program that measures, built.
fn measure(setup: &Setup) -> Result<PathBuf> {
    let mut cargo = setup.command("cargo", "");
    cargo.args(["build", "--package", "paydown-bench", "--bin", "measure", "--profile", PROFILE]);
    step::run("building what is measured", &mut cargo)?;
    Ok(setup.root().join("target").join(PROFILE).join("measure"))
}

/// What the program says of something.
fn said(command: &mut Command) -> Result<Value> {
    let text = step::answer(command, "")?;
    serde_json::from_str(&text).map_err(|error| Stop(format!("what was measured is no JSON: {error}")))
}

/// The ledger of a book of so many credits on the eve of the day that is measured, behind a history. It is made once.
pub fn eve(bench: &Bench, credits: u32, repetitions: u32) -> Result<PathBuf> {
    let root = bench.setup.root();
    let wanted = builds::fingerprint(root, &["core/src", "edge/src", "edge/migrations", "tests/src"], "")?;
    let name = format!("eve-{credits}-{repetitions}");
    let (file, stamp) = (bench.folder().join(format!("{name}.sqlite")), bench.folder().join(name));
    if file.exists() && fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(file);
    }
    let mut cargo = bench.setup.command("cargo", "");
    cargo.args(["run", "--quiet", "--profile", "local", "--package", "paydown-tests", "--bin", "eve", "--"]);
    cargo.args([credits.to_string(), repetitions.to_string()]).arg(&file);
    step::run(&format!("a book of {credits} credits, {repetitions} times a history behind it"), &mut cargo)?;
    fs::write(stamp, wanted)?;
    Ok(file)
}

/// The report's parser: natively against the plainest count of lines, as WebAssembly against itself, and against polars.
pub fn parser(bench: &Bench, table: &mut Table) -> Result<Value> {
    let rows = bench.size(5_000_000, 200_000);
    let measure = measure(&bench.setup)?;
    let native = said(Command::new(&measure).args(["parse", &rows.to_string()]))?;
    let file = bench.folder().join("report.csv");
    said(Command::new(&measure).args(["report", &rows.to_string()]).arg(&file))?;
    let read = said(Command::new(&measure).arg("read").arg(&file))?;
    let polars = said(
        Command::new(python(&bench.setup)?)
            .arg(bench.setup.root().join("tests/bench/fastapi/parse.py"))
            .arg(&file),
    )?;
    let wasm = node(bench, "parser", json!({ "report": file, "module": module(&bench.setup)? }))?;

    let parse = number(&native, "/parse");
    table.add(
        "report parser, native",
        parse / number(&native, "/lines"),
        Target::AtMost(4.0),
        " of a count of lines",
    );
    table.add("report parser, wasm", number(&wasm, "/parse") / parse, Target::AtMost(2.0), " of native");
    let times = number(&polars, "/seconds") / number(&read, "/seconds");
    table.add(format!("report of {rows} rows: speed"), times, Target::AtLeast(3.0), " of polars");
    let memory = number(&read, "/memory") / number(&polars, "/memory");
    table.add(format!("report of {rows} rows: memory"), memory, Target::AtMost(0.01), " of polars");
    Ok(json!({ "rows": rows, "native": native, "read": read, "polars": polars, "wasm": wasm }))
}

/// The same functions as WebAssembly, compiled as the Worker is.
fn module(setup: &Setup) -> Result<PathBuf> {
    let mut cargo = setup.wasm_command("cargo", "");
    let target = "wasm32-unknown-unknown";
    cargo.args(["build", "--package", "paydown-bench", "--lib", "--release", "--target", target]);
    step::run("building what is measured for WebAssembly", &mut cargo)?;
    let compiled = setup.root().join("target/wasm").join(target).join("release/paydown_bench.wasm");
    let folder = setup.root().join("target/bench/module");
    let mut bindgen = setup.wasm_command("wasm-bindgen", "");
    bindgen.args(["--target", "nodejs", "--no-typescript", "--out-dir"]).arg(&folder).arg(compiled);
    step::run("binding it to JavaScript", &mut bindgen)?;
    let bound = folder.join("paydown_bench_bg.wasm");
    builds::optimize_worker(setup, &bound, &bound)?;
    Ok(folder.join("paydown_bench.js"))
}

/// Planning and deciding.
pub fn plan(bench: &Bench, table: &mut Table) -> Result<Value> {
    let measure = measure(&bench.setup)?;
    let credits = bench.size(200_000, 10_000);
    let measured = said(Command::new(measure).args(["plan", &credits.to_string()]))?;
    for (what, place) in [("planning", "/plan"), ("planning by decisions", "/decide")] {
        let millions = number(&measured, "/installments") / number(&measured, place) / 1e6;
        table.add(what, millions, Target::AtLeast(5.0), " million installments a second");
    }
    let counted = instructions(&bench.setup)?;
    Ok(json!({ "measured": measured, "instructions": counted }))
}

/// What a run over a report of 300 MB allocates, as the test of it says.
pub fn memory(bench: &Bench, table: &mut Table) -> Result<Value> {
    let mut cargo = bench.setup.command("cargo", "");
    cargo.args(["test", "--quiet", "--profile", "local", "--package", "paydown-tests", "--test", "memory"]);
    cargo.args(["--", "--nocapture"]);
    if !bench.quick {
        cargo.env("PAYDOWN_FULL", "1");
    }
    let text = step::answer(&mut cargo, "")?;
    let peaks =
        text.lines().filter_map(|line| line.strip_suffix(" bytes at once")?.rsplit(' ').next()?.parse().ok());
    let peaks: Vec<f64> = peaks.collect();
    let most = peaks.iter().copied().fold(f64::NAN, f64::max);
    table.add("memory of a run over a report of 300 MB", most / 1_048_576.0, Target::AtMost(64.0), " MiB");
    Ok(json!({ "bytes": peaks }))
}

/// Holds the instructions of the machine that core's hot paths take to their budget, which `cargo xtask test` does each time. Another
/// compiler makes other code: its count is nobody's fault.
pub fn check_budget(setup: &Setup) -> Result<()> {
    let budget: Value = serde_json::from_str(&fs::read_to_string(setup.root().join(BUDGET))?)
        .map_err(|error| Stop(format!("{BUDGET} is no JSON: {error}")))?;
    let compiler = step::output(Command::new("rustc").arg("--version"));
    if compiler.as_deref() != budget.get("compiler").and_then(Value::as_str) {
        eprintln!("  · the budget of instructions is another compiler's");
        return Ok(());
    }
    let counted = instructions(setup)?;
    for (name, _) in COUNTED {
        let place = format!("/{name}");
        let (taken, allowed) = (number(&counted, &place), number(&budget, &place));
        let figures = format!("{name} takes {taken:.0} instructions (a budget of {allowed:.0}, and 3 %)");
        let is_within = taken <= allowed * (1.0 + TOLERANCE);
        if !is_within {
            return Err(Stop(format!("{figures}: find out why, or write the new figure into {BUDGET}")));
        }
        eprintln!("  ✓ {figures}");
    }
    Ok(())
}

/// How many instructions each of them takes, by callgrind: the same on every run.
fn instructions(setup: &Setup) -> Result<Value> {
    setup::program("valgrind")?;
    let measure = measure(setup)?;
    let mut counted = Map::new();
    for (name, function) in COUNTED {
        let out = setup.root().join("target/bench").join(format!("callgrind-{name}"));
        fs::create_dir_all(out.parent().unwrap_or(&out))?;
        let mut valgrind = setup.command("valgrind", "");
        valgrind.args(["--tool=callgrind", &format!("--toggle-collect={function}")]);
        valgrind.arg(format!("--callgrind-out-file={}", out.display())).arg(&measure).args(["once", name]);
        step::run(&format!("counting instructions of {name}"), &mut valgrind)?;
        counted.insert(name.to_owned(), json!(summary(&out)?));
    }
    Ok(Value::Object(counted))
}

/// The sum that callgrind writes at the end of its file.
fn summary(file: &Path) -> Result<u64> {
    let text = step::read(file);
    let summary =
        text.lines().find_map(|line| line.strip_prefix("summary: ").or(line.strip_prefix("totals: ")));
    let count = summary.and_then(|count| count.trim().parse().ok()).filter(|count| *count > 0);
    count.ok_or_else(|| Stop(format!("callgrind counted nothing in {}", file.display())))
}
