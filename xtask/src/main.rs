//! The commands of the repository: `cargo xtask bench`, `deploy`, `dev`, `demo`, `package`, `replay`, `screenshots`,
//! `simulate` and `test`.
//!
//! Each does all of its own set-up, is safe to run again, shows progress on long steps, and says what to do
//! when something is missing.

mod bench;
mod browser;
mod builds;
mod client;
mod demo;
mod deploy;
mod incidents;
mod package;
mod release;
mod replay;
mod serve;
mod setup;
mod simulate;
mod sizes;
mod step;
mod test;

use std::process::ExitCode;
use step::{Result, Stop};

const USAGE: &str = "\
usage: cargo xtask COMMAND [FLAGS]

  bench  measures, against a floor written by hand and a peer in FastAPI, and says what is met and what is short
  demo   builds everything, pays advances out, lives sixteen weeks day by day, and keeps serving
  deploy checks everything, makes what is missing on the platform, uploads, and verifies what serves
  dev    serves the Worker for development
  package
         builds the npm package and says where it is
  replay replays a book from its inputs alone, and shows that each credit's state is what follows from them
  screenshots
         takes the README's gallery of the dashboard: light, dark, narrow
  simulate
         lives through worlds of credits, each from one seed, with all that can go wrong, and checks the law
  test   lints, native tests, the JavaScript package, end-to-end tests on the real runtime, browser tests

flags of bench
  --quick                small sizes, which show that everything works and little more
  --only NAME            one workload: advances, daily, history, parser, plan, memory, size or page
  --json FILE            writes all that was measured as JSON

flags of demo and dev
  --port PORT            where the Worker serves (8787)
  --bank-port PORT       where the bank simulator serves (8788)
  --state DIR            where local D1, R2 and queues live (under target/state)
  --fresh                begins with an empty state

flags of deploy
  --dry-run              checks everything, and stops before the network
  --processor-url URL    the processor to speak to, instead of the one in edge/wrangler.toml
  --admin-key            makes an admin key although there is one

flags of dev
  --processor-url URL    the processor to speak to instead of the bank simulator
  --sandbox on|off       off serves without the sandbox feature (on)
  --var NAME:VALUE       a setting of the Worker, such as INTAKE:queue; may be given more than once
  --prebuilt             serves what was built last, without looking at the sources
  --released             serves the dashboard as it is deployed

flags of replay
  --state DIR            the state of a demo or dev, which may be served meanwhile (target/state/demo)

flags of simulate
  --seeds N              how many worlds (1000)
  --seed S               the first seed; alone, the only one, with its story should it fail
  --mutants              breaks the law and the crash handling on purpose, and shows that the worlds notice

flags of test
  --full                 adds the long checks, the size of the dashboard's release among them
";

fn main() -> ExitCode {
    run().unwrap_or_else(|stop| {
        eprintln!("paydown: {stop}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let mut flags = lexopt::Parser::from_env();
    let Some(lexopt::Arg::Value(command)) = next(&mut flags)? else {
        print!("{USAGE}");
        return Ok(ExitCode::SUCCESS);
    };
    match command.to_str() {
        Some("bench") => return bench::bench(&benchmarks(&mut flags)?),
        Some("dev") => serve::dev(serve_options(&mut flags, "dev")?)?,
        Some("demo") => demo::demo(serve_options(&mut flags, "demo")?)?,
        Some("deploy") => return deploy::deploy(&deployment(&mut flags)?),
        Some("package") => {
            no_flags(&mut flags)?;
            package::package()?;
        }
        Some("replay") => return replay::replay(&state(&mut flags)?),
        Some("screenshots") => {
            no_flags(&mut flags)?;
            browser::screenshots()?;
        }
        Some("simulate") => return simulate::simulate(&simulation(&mut flags)?),
        Some("test") => return test::test(full(&mut flags)?),
        Some(_) | None => {
            return Err(Stop(format!("no such command: {}\n\n{USAGE}", command.to_string_lossy())));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn serve_options(flags: &mut lexopt::Parser, command: &str) -> Result<serve::Options> {
    let mut options = serve::Options::new(command);
    let dev = command == "dev";
    while let Some(flag) = next(flags)? {
        match flag {
            lexopt::Arg::Long("port") => options.port = number(flags, "--port")?,
            lexopt::Arg::Long("bank-port") => options.bank_port = number(flags, "--bank-port")?,
            lexopt::Arg::Long("state") => options.state = std::path::absolute(text(flags, "--state")?)?,
            lexopt::Arg::Long("fresh") => options.fresh = true,
            lexopt::Arg::Long("processor-url") if dev => {
                options.processor_url = Some(text(flags, "--processor-url")?);
            }
            lexopt::Arg::Long("prebuilt") if dev => options.prebuilt = true,
            lexopt::Arg::Long("released") if dev => options.released = true,
            lexopt::Arg::Long("var") if dev => options.variables.push(variable(flags)?),
            lexopt::Arg::Long("sandbox") if dev => {
                options.sandbox = match text(flags, "--sandbox")?.as_str() {
                    "on" => true,
                    "off" => false,
                    other => return Err(Stop(format!("--sandbox is on or off, not {other}"))),
                };
            }
            other => return Err(unknown(other)),
        }
    }
    Ok(options)
}

fn state(flags: &mut lexopt::Parser) -> Result<std::path::PathBuf> {
    let mut state = replay::demo_state();
    while let Some(flag) = next(flags)? {
        match flag {
            lexopt::Arg::Long("state") => state = std::path::absolute(text(flags, "--state")?)?,
            other => return Err(unknown(other)),
        }
    }
    Ok(state)
}

fn simulation(flags: &mut lexopt::Parser) -> Result<simulate::Options> {
    let mut options = simulate::Options::default();
    while let Some(flag) = next(flags)? {
        match flag {
            lexopt::Arg::Long("seeds") => options.seeds = Some(count(flags, "--seeds")?),
            lexopt::Arg::Long("seed") => options.seed = Some(count(flags, "--seed")?),
            lexopt::Arg::Long("mutants") => options.mutants = true,
            other => return Err(unknown(other)),
        }
    }
    Ok(options)
}

fn benchmarks(flags: &mut lexopt::Parser) -> Result<bench::Options> {
    let mut options = bench::Options::default();
    while let Some(flag) = next(flags)? {
        match flag {
            lexopt::Arg::Long("quick") => options.quick = true,
            lexopt::Arg::Long("only") => options.only = Some(text(flags, "--only")?),
            lexopt::Arg::Long("json") => options.json = Some(std::path::absolute(text(flags, "--json")?)?),
            other => return Err(unknown(other)),
        }
    }
    Ok(options)
}

fn deployment(flags: &mut lexopt::Parser) -> Result<deploy::Options> {
    let mut options = deploy::Options::default();
    while let Some(flag) = next(flags)? {
        match flag {
            lexopt::Arg::Long("dry-run") => options.dry_run = true,
            lexopt::Arg::Long("processor-url") => {
                options.processor_url = Some(text(flags, "--processor-url")?);
            }
            lexopt::Arg::Long("admin-key") => options.admin_key = true,
            other => return Err(unknown(other)),
        }
    }
    Ok(options)
}

fn full(flags: &mut lexopt::Parser) -> Result<bool> {
    let mut full = false;
    while let Some(flag) = next(flags)? {
        match flag {
            lexopt::Arg::Long("full") => full = true,
            other => return Err(unknown(other)),
        }
    }
    Ok(full)
}

fn no_flags(flags: &mut lexopt::Parser) -> Result<()> {
    next(flags)?.map_or(Ok(()), |flag| Err(unknown(flag)))
}

fn next(flags: &mut lexopt::Parser) -> Result<Option<lexopt::Arg<'_>>> {
    flags.next().map_err(|error| Stop(error.to_string()))
}

fn text(flags: &mut lexopt::Parser, flag: &str) -> Result<String> {
    let value = flags.value().map_err(|error| Stop(error.to_string()))?;
    value.into_string().map_err(|_| Stop(format!("{flag} is not readable text")))
}

fn variable(flags: &mut lexopt::Parser) -> Result<String> {
    let value = text(flags, "--var")?;
    let named = value.split_once(':').is_some_and(|(name, _)| !name.is_empty());
    if named { Ok(value) } else { Err(Stop(format!("--var is NAME:VALUE, not {value}"))) }
}

fn count(flags: &mut lexopt::Parser, flag: &str) -> Result<u64> {
    let value = text(flags, flag)?;
    value.parse().map_err(|_| Stop(format!("{flag} is a whole number, not {value}")))
}

fn number(flags: &mut lexopt::Parser, flag: &str) -> Result<u16> {
    let value = text(flags, flag)?;
    value.parse().map_err(|_| Stop(format!("{flag} is a port number, not {value}")))
}

fn unknown(flag: lexopt::Arg<'_>) -> Stop {
    Stop(format!("{}\n\n{USAGE}", flag.unexpected()))
}
