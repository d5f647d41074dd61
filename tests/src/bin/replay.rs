//! `cargo xtask replay` runs this: the book of a local run, replayed from its inputs (L10.4).

use std::path::Path;
use std::process::ExitCode;

use paydown_tests::replay::state::replay_state;

fn main() -> ExitCode {
    let Some(state) = std::env::args_os().nth(1) else {
        eprintln!("usage: replay STATE");
        return ExitCode::FAILURE;
    };
    match replay_state(Path::new(&state)) {
        Ok(replayed) => {
            println!("{}", replayed.told());
            if replayed.is_equal() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
