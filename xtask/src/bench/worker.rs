//! What runs on the Workers runtime: `tests/bench/bench.mjs` measures it, in the Node of the lock file.

use super::native::eve;
use super::peer::python;
use super::table::{Table, Target};
use super::{Bench, code, number};
use crate::builds::{self, Part};
use crate::step::{self, Result, Stop};
use serde_json::{Value, json};
use std::fs;

/// The most that the Worker may be, in KiB gzipped, and the most that its start may take, in milliseconds.
const WORKER_KIB: f64 = 400.0;
const START_MILLISECONDS: f64 = 10.0;

/// How many connections the load with its table rows has.
const ROW_CONNECTIONS: f64 = 16.0;

/// Who does less than any Worker that works, and how it stands to the peer nevertheless.
const NO_PEERS: [(&str, &str); 2] = [("floor", "the floor"), ("bare", "the runtime alone")];

/// How many credits the daily run with its table row has.
const DAY: u32 = 10_000;

/// Runs a workload of `bench.mjs`, and gives what it measured.
pub fn node(bench: &Bench, workload: &str, mut options: Value) -> Result<Value> {
    let into = bench.folder().join(format!("{workload}.json"));
    let _ = fs::remove_file(&into);
    if let Some(options) = options.as_object_mut() {
        options.insert("into".into(), json!(into));
        options.insert("state".into(), json!(bench.folder().join("state")));
    }
    let mut node = bench.setup.node();
    node.arg("tests/bench/bench.mjs").arg(workload).arg(options.to_string());
    step::run(&format!("measuring {workload}"), &mut node)?;
    let measured = fs::read_to_string(into)?;
    serde_json::from_str(&measured).map_err(|error| Stop(format!("{workload} said no JSON: {error}")))
}

/// `perform_advance` under load.
pub fn advances(bench: &Bench, table: &mut Table) -> Result<Value> {
    builds::build(&bench.setup, &[Part::ReleaseWorker, Part::LeastWorker])?;
    let options = json!({
        "connections": bench.size(vec![1, 16, 64], vec![16]),
        "rounds": bench.size(7, 2),
        "requests": bench.size(1_500, 100),
        "warmUp": bench.size(1_500, 100),
        "python": python(&bench.setup)?,
    });
    let measured = node(bench, "advances", options)?;
    for load in measured.get("loads").and_then(Value::as_array).into_iter().flatten() {
        let of = |who: &str, figure: &str| number(load, &format!("/contestants/{who}/{figure}"));
        let ratio = |who: &str, figure: &str| of("paydown", figure) / of(who, figure);
        let connections = number(load, "/connections");
        let what = format!("perform_advance, {connections} connections");
        if connections == ROW_CONNECTIONS {
            let throughput = ratio("floor", "throughput");
            table.add(format!("{what}: throughput"), throughput, Target::AtLeast(0.9), " of the floor");
            table.add(format!("{what}: p99"), ratio("floor", "p99"), Target::AtMost(1.2), " of the floor");
        }
        let throughput = ratio("fastapi", "throughput");
        table.add(format!("{what}: throughput"), throughput, Target::AtLeast(1.0), " of FastAPI");
        let of_floor = [
            ("paydown", "Paydown"),
            ("least", "the least Worker in Rust"),
            ("logged", "the same with a line of log and the triggers"),
        ];
        for (who, called) in of_floor {
            let share = of(who, "throughput") / of("floor", "throughput");
            table.note(format!("{what}: {called}"), share, " of the floor");
        }
        for (who, called) in NO_PEERS {
            let share = of(who, "throughput") / of("fastapi", "throughput");
            table.note(format!("{what}: {called}"), share, " of FastAPI");
        }
    }
    let trips = number(&measured, "/roundTrips");
    table.add("perform_advance: round trips to D1", trips, Target::AtMost(2.0), "");
    Ok(measured)
}

/// The daily run, with five rows of report for each debit.
pub fn daily(bench: &Bench, table: &mut Table) -> Result<Value> {
    builds::build(&bench.setup, &[Part::ReleaseWorker])?;
    let mut all = Vec::new();
    for (credits, days) in bench.size(vec![(1_000, 8), (DAY, 6), (100_000, 2)], vec![(200, 3)]) {
        let is_row = credits == DAY || bench.quick;
        let contestants: &[&str] =
            if is_row { &["paydown", "floor", "lawful", "bare"] } else { &["paydown", "floor"] };
        let options = json!({
            "ledger": eve(bench, credits, 0)?,
            "days": days,
            "contestants": contestants,
            "python": python(&bench.setup)?,
        });
        let measured = node(bench, "daily", options)?;
        let seconds = |who: &str| number(&measured, &format!("/contestants/{who}/seconds"));
        let what = format!("daily run, {credits} debits");
        if is_row {
            let speed = seconds("floor") / seconds("paydown");
            table.add(format!("{what}: speed"), speed, Target::AtLeast(0.8), " of the floor");
        }
        let speed = seconds("fastapi") / seconds("paydown");
        table.add(format!("{what}: speed"), speed, Target::AtLeast(1.0), " of pandas");
        if is_row {
            let lawful = "a floor that reads the facts as often";
            table.note(format!("{what}: {lawful}"), seconds("floor") / seconds("lawful"), " of the floor");
            table.note(format!("{what}: Paydown"), seconds("lawful") / seconds("paydown"), " of that");
        }
        for (who, called) in NO_PEERS.into_iter().filter(|(who, _)| contestants.contains(who)) {
            table.note(format!("{what}: {called}"), seconds("fastapi") / seconds(who), " of pandas");
        }
        all.push(json!({ "credits": credits, "measured": measured }));
    }
    Ok(Value::Array(all))
}

/// What the database is asked in a run, with a short history and with long ones.
pub fn history(bench: &Bench, table: &mut Table) -> Result<Value> {
    builds::build(&bench.setup, &[Part::ReleaseWorker])?;
    let credits = bench.size(DAY, 200);
    let histories = bench.size([10, 100, 1000], [1, 3, 9]);
    let mut ledgers = Vec::new();
    for repetitions in histories {
        ledgers.push(eve(bench, credits, repetitions)?);
    }
    let measured = node(bench, "counts", json!({ "ledgers": ledgers }))?;
    for (what, place) in [("statements", "/statements"), ("rows read", "/read")] {
        let runs = measured.as_array().into_iter().flatten();
        let counts: Vec<f64> = runs.map(|run| number(run, place)).collect();
        let most = counts.iter().copied().fold(f64::NAN, f64::max);
        let least = counts.iter().copied().fold(f64::NAN, f64::min);
        let figure = format!("daily run, {credits} debits, 1x 10x 100x history: {what}, most to least");
        table.add(figure, most / least, Target::AtMost(1.1), "");
    }
    Ok(measured)
}

/// How large the Worker is, and how long it takes to start.
pub fn size(bench: &Bench, table: &mut Table) -> Result<Value> {
    builds::build(&bench.setup, &[Part::ReleaseWorker])?;
    let measured = node(bench, "startup", json!({ "rounds": bench.size(20, 3) }))?;
    let gzipped = number(&measured, "/gzipped") / 1024.0;
    table.add("Worker, gzipped", gzipped, Target::AtMost(WORKER_KIB), " KiB");
    let start = number(&measured, "/milliseconds");
    table.add("Worker, CPU of its start", start, Target::AtMost(START_MILLISECONDS), " ms");
    let origins = code::origins(bench, table)?;
    Ok(json!({ "worker": measured, "origins": origins }))
}
