//! `cargo xtask bench`: what is measured, against what it must reach (`tests/bench/README.md` is the log).
//!
//! Each workload measures one thing and adds rows to the table: a figure, what it came to, what it must reach, and
//! `met` or `short`. The contestants of a workload take turns in one run: the Worker as it is deployed, a floor
//! written by hand, and a peer in FastAPI.

mod code;
mod native;
mod page;
mod peer;
mod table;
mod worker;

use crate::builds;
use crate::setup::{self, Setup};
use crate::step::{Result, Stop};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use table::Table;

pub use native::check_budget;

/// What is asked for.
#[derive(Debug, Default)]
pub struct Options {
    /// Small sizes, which show that everything works and little more.
    pub quick: bool,
    /// The one workload that is wanted.
    pub only: Option<String>,
    /// Where the figures go as JSON.
    pub json: Option<PathBuf>,
}

/// What is measured, in the order of the table.
const WORKLOADS: [(&str, Workload); 8] = [
    ("advances", worker::advances),
    ("daily", worker::daily),
    ("history", worker::history),
    ("parser", native::parser),
    ("plan", native::plan),
    ("memory", native::memory),
    ("size", worker::size),
    ("page", page::page),
];

/// Measures something: adds its rows, and gives all that was measured.
type Workload = fn(&Bench, &mut Table) -> Result<Value>;

/// What every workload is given.
struct Bench {
    setup: Setup,
    quick: bool,
}

impl Bench {
    /// A size for a measurement, or for a smoke.
    fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Where things are kept that are made for measuring.
    fn folder(&self) -> PathBuf {
        self.setup.root().join("target/bench")
    }
}

/// A number that was measured, by its place; none is less and more than nothing, so that it is short of everything.
fn number(measured: &Value, place: &str) -> f64 {
    measured.pointer(place).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Measures what is asked for, prints the table, and fails where a figure is short.
pub fn bench(options: &Options) -> Result<ExitCode> {
    let wanted = wanted(options)?;
    let bench = Bench { setup: setup::prepare()?, quick: options.quick };
    std::fs::create_dir_all(bench.folder())?;
    let mut table = Table::default();
    let mut figures = Map::new();
    for (name, workload) in wanted {
        eprintln!("{name}");
        let measured = workload(&bench, &mut table)?;
        figures.insert(name.to_owned(), measured);
    }
    print!("{table}");
    if let Some(file) = &options.json {
        let commit = builds::commit(bench.setup.root());
        let all = json!({ "commit": commit, "quick": bench.quick, "rows": table.json(), "figures": figures });
        std::fs::write(file, serde_json::to_string_pretty(&all).unwrap_or_default() + "\n")?;
    }
    Ok(if table.is_met() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn wanted(options: &Options) -> Result<Vec<(&'static str, Workload)>> {
    let Some(only) = &options.only else { return Ok(WORKLOADS.to_vec()) };
    let found: Vec<_> = WORKLOADS.into_iter().filter(|(name, _)| name == only).collect();
    if found.is_empty() {
        let names = WORKLOADS.map(|(name, _)| name).join(", ");
        return Err(Stop(format!("--only is one of {names}, not {only}")));
    }
    Ok(found)
}
