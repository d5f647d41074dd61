//! The law proven by simulation: worlds of credits, each from one seed, lived through with everything that a bank, a
//! network, a database, a clock or a person may do to them, and checked after every run and every day.
//!
//! `cargo xtask simulate` runs as many as are asked for. Among the other tests it runs some dozens, and with
//! `PAYDOWN_FULL` a thousand. It is a test harness of its own with one test, `worlds`, so that it can print its
//! figures; the worlds themselves are lived in a child whose standard error, the log of the product, nobody reads.
//!
//! Variables: `PAYDOWN_SEEDS` how many, `PAYDOWN_SEED` the first or, with one, the only; `PAYDOWN_STORY` prints the
//! story of each world that fails in full.

mod bank;
mod checks;
mod config;
mod dice;
mod ports;
mod scene;
mod shrink;
mod world;

use std::collections::BTreeMap;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use config::Config;

/// How many worlds are lived through among the other tests, and in full.
const SEEDS: u64 = 60;
const SEEDS_IN_FULL: u64 = 1000;

/// How many worlds are lived between two lines that say how far it is.
const PROGRESS: u64 = 500;

/// The variable that tells the child that it is one.
const CHILD: &str = "PAYDOWN_SIMULATION_CHILD";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        // None is ignored (nextest asks for those apart).
        if !arguments.iter().any(|argument| argument == "--ignored") {
            println!("worlds: test");
        }
        return ExitCode::SUCCESS;
    }
    if std::env::var_os(CHILD).is_some() { simulate() } else { in_a_child() }
}

fn in_a_child() -> ExitCode {
    let this = std::env::current_exe().expect("this program");
    let status =
        Command::new(this).env(CHILD, "1").stderr(Stdio::null()).status().expect("it can be started");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn simulate() -> ExitCode {
    let is_full = std::env::var_os("PAYDOWN_FULL").is_some();
    let first = number("PAYDOWN_SEED").unwrap_or(1);
    let seeds = number("PAYDOWN_SEEDS").unwrap_or(if is_full { SEEDS_IN_FULL } else { SEEDS });
    // Large and long worlds are for those who asked for many, and for whoever looks at one of them.
    let is_large = is_full || number("PAYDOWN_SEEDS").is_some() || number("PAYDOWN_SEED").is_some();
    #[expect(clippy::disallowed_methods, reason = "how long it took is a figure, and no world reads it")]
    let began = Instant::now();
    let figures = Mutex::new(BTreeMap::<&str, u64>::new());
    let (next, lived, failed) = (AtomicU64::new(first), AtomicU64::new(0), AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !failed.load(Ordering::SeqCst) {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + seeds {
                        return;
                    }
                    let config = Config::of(seed, is_large);
                    let life = world::live(config.clone());
                    let so_far = lived.fetch_add(1, Ordering::SeqCst).saturating_add(1);
                    if so_far.is_multiple_of(PROGRESS) {
                        println!("… {so_far} worlds");
                    }
                    let mut figures = figures.lock().expect("no thread panicked");
                    for (what, count) in &life.figures {
                        *figures.entry(what).or_default() += count;
                    }
                    drop(figures);
                    if life.wrong.is_some() && !failed.swap(true, Ordering::SeqCst) {
                        shrink::tell(config, &life);
                    }
                }
            });
        }
    });
    let lived = lived.load(Ordering::SeqCst);
    print_figures(&figures.into_inner().expect("no thread panicked"), lived, began.elapsed().as_secs_f64());
    if failed.load(Ordering::SeqCst) || lived == 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn print_figures(figures: &BTreeMap<&str, u64>, worlds: u64, seconds: f64) {
    println!("{worlds} worlds in {seconds:.1} s");
    for (what, count) in figures {
        println!("{count:>10} {what}");
    }
}
