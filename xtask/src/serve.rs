//! Serving on this machine: the Worker and the bank simulator, each in a wrangler of its own.

use crate::builds::{self, Part};
use crate::client::Client;
use crate::release;
use crate::setup::{self, Setup, hex};
use crate::step::{self, Result, Stop};
use sha2::{Digest, Sha256};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The API key of every local run, with all scopes. A deployed installation has no such key.
pub const LOCAL_KEY: &str = "pd_local_operator";

/// The file of a state that says which migrations its database has, and the folder below `target` of databases to copy.
const MIGRATED: &str = "migrated";

/// The secret that the local Worker and the bank simulator share.
pub const LOCAL_TOKEN: &str = "local-processor-token";

/// What is served, and where.
pub struct Options {
    pub port: u16,
    pub bank_port: u16,
    /// The processor to speak to; the bank simulator is started when there is none.
    pub processor_url: Option<String>,
    pub state: PathBuf,
    pub fresh: bool,
    pub sandbox: bool,
    pub prebuilt: bool,
    /// Whether the dashboard is served as it is deployed.
    pub released: bool,
    /// Settings of the Worker, each `NAME:VALUE`.
    pub variables: Vec<String>,
}

impl Options {
    pub fn new(command: &str) -> Options {
        Options {
            port: 8787,
            bank_port: 8788,
            processor_url: None,
            state: step::root().join("target/state").join(command),
            fresh: false,
            sandbox: true,
            prebuilt: false,
            released: false,
            variables: vec![],
        }
    }

    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn bank_address(&self) -> String {
        format!("http://127.0.0.1:{}", self.bank_port)
    }

    fn worker(&self) -> Part {
        if self.sandbox { Part::SandboxWorker } else { Part::Worker }
    }
}

/// `cargo xtask dev`
pub fn dev(options: Options) -> Result<()> {
    let setup = ready(&options)?;
    let mut world = World::start(&setup, &options)?;
    println!("ready {}", options.address());
    world.until_stopped()
}

/// Sets up and builds what the options need.
pub fn ready(options: &Options) -> Result<Setup> {
    if options.prebuilt {
        return setup::prepared();
    }
    let setup = setup::prepare()?;
    let dashboard = if options.released { Part::ReleaseDashboard } else { Part::Dashboard };
    let mut parts = vec![options.worker(), dashboard];
    if options.processor_url.is_none() {
        parts.insert(1, Part::Bank);
    }
    builds::build(&setup, &parts)?;
    Ok(setup)
}

/// What runs: it is stopped when this goes.
pub struct World {
    services: Vec<Service>,
    stop: Arc<AtomicBool>,
    /// Held as long as the state is in use; the system lets go of it however this process ends.
    _state: fs::File,
}

impl World {
    /// Starts the Worker, and the bank simulator unless another processor is named, on the state as it was left.
    pub fn start(setup: &Setup, options: &Options) -> Result<World> {
        let stop = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
        {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let state = own_state(options)?;
        let processor_url = options.processor_url.clone().unwrap_or_else(|| options.bank_address());
        let mut variables = options.variables.clone();
        variables.push(format!("PROCESSOR_URL:{processor_url}"));
        variables.push(format!("PAYDOWN_COMMIT:{}", builds::built_commit(setup)));
        let worker = Definition {
            name: "worker",
            folder: "edge",
            part: options.worker(),
            port: options.port,
            state: options.state.join("worker"),
            alive: "/healthz",
            variables,
            first_rows: Some(local_key_row()),
            assets: options.released.then(|| setup.root().join(release::FOLDER)),
        };
        let bank = Definition {
            name: "bank",
            folder: "tests/bank",
            part: Part::Bank,
            port: options.bank_port,
            state: options.state.join("bank"),
            alive: "/clock",
            variables: vec![],
            first_rows: None,
            assets: None,
        };
        let mut definitions = vec![worker];
        if options.processor_url.is_none() {
            definitions.push(bank);
        }
        for definition in &definitions {
            definition.check(setup)?;
        }
        let mut world = World { services: vec![], stop, _state: state };
        for definition in &definitions {
            definition.migrate(setup)?;
            world.services.push(definition.spawn(setup, &options.state)?);
        }
        for definition in &definitions {
            world.wait_for(definition)?;
        }
        Ok(world)
    }

    /// Serves until a signal comes or something that serves ends.
    pub fn until_stopped(&mut self) -> Result<()> {
        while !self.stopped() {
            self.check()?;
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Whether the person, or the system, wants this to end.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Fails when something that should serve has ended.
    fn check(&mut self) -> Result<()> {
        for service in &mut self.services {
            if let Some(status) = service.child.try_wait()?
                && !self.stop.load(Ordering::Relaxed)
            {
                step::show_end_of(&service.log);
                let log = service.log.display();
                return Err(Stop(format!(
                    "the {} ended by itself ({status}); its output is in {log}",
                    service.name
                )));
            }
        }
        Ok(())
    }

    fn wait_for(&mut self, definition: &Definition) -> Result<()> {
        let address = format!("http://127.0.0.1:{}", definition.port);
        let client = Client::new(&address, LOCAL_TOKEN, Duration::from_secs(5));
        let started = step::now();
        let mut next_tick = 5;
        loop {
            self.check()?;
            if self.stopped() {
                return Err(Stop("stopped before it served".into()));
            }
            match client.get(definition.alive) {
                // A Worker that finds its book unhealthy says 503, and serves.
                Ok(answer) if answer.status == 200 || (answer.status == 503 && answer.is_json()) => {
                    return Ok(());
                }
                Ok(_) | Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
            let seconds = started.elapsed().as_secs();
            if seconds >= next_tick {
                next_tick += 5;
                eprintln!(
                    "  … waiting for the {} at {address}{} ({seconds} s)",
                    definition.name, definition.alive
                );
            }
            if seconds >= 120 {
                let what =
                    format!("the {} does not answer 200 at {address}{}", definition.name, definition.alive);
                return Err(Stop(what));
            }
        }
    }
}

impl Drop for World {
    /// Asks all to end, and ends what does not.
    fn drop(&mut self) {
        for service in &self.services {
            if let Some(id) = rustix::process::Pid::from_raw(service.child.id().cast_signed()) {
                let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
            }
        }
        let started = step::now();
        for service in &mut self.services {
            while matches!(service.child.try_wait(), Ok(None)) && started.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = service.child.kill();
            let _ = service.child.wait();
        }
    }
}

/// A wrangler that serves.
struct Service {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// How one of the two is served.
struct Definition {
    name: &'static str,
    /// Where its wrangler.toml is.
    folder: &'static str,
    part: Part,
    port: u16,
    state: PathBuf,
    /// The path that answers 200 when it serves.
    alive: &'static str,
    variables: Vec<String>,
    /// SQL for a database that has just got its migrations.
    first_rows: Option<String>,
    /// The dashboard, if another than the one in wrangler.toml.
    assets: Option<PathBuf>,
}

impl Definition {
    /// What would otherwise fail later and less clearly.
    fn check(&self, setup: &Setup) -> Result<()> {
        if !setup.root().join(self.part.product()).exists() {
            return Err(Stop(format!("{} is not built: run this without --prebuilt", self.part.product())));
        }
        if !self.port_is_free() {
            let flag = if self.name == "bank" { "--bank-port" } else { "--port" };
            return Err(Stop(format!(
                "port {} is taken: stop what listens there, or give {flag}",
                self.port
            )));
        }
        Ok(())
    }

    /// What was just killed may take a moment to let go of the port.
    fn port_is_free(&self) -> bool {
        let started = step::now();
        while TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            if started.elapsed() > Duration::from_secs(3) {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// Brings the local database to the newest schema, when the migrations are others than last time. A new one begins as a
    /// copy of one that has them: wrangler takes half a second for each.
    fn migrate(&self, setup: &Setup) -> Result<()> {
        let migrations = format!("{}/migrations", self.folder);
        let rows = self.first_rows.as_deref().unwrap_or_default();
        let wanted = builds::fingerprint(setup.root(), &[&migrations], rows)?;
        let migrated = |folder: &Path| fs::read_to_string(folder.join(MIGRATED)).ok();
        match migrated(&self.state) {
            Some(there) if there == wanted => return Ok(()),
            Some(_) => self.migrate_in(setup, &self.state)?,
            // Nothing was ever served from it; what is there was broken off.
            None => {
                let like = setup.root().join("target").join(MIGRATED).join(self.name);
                let state = like.join("state");
                let _turn = step::turn("migrated.lock")?;
                if migrated(&like).is_none_or(|there| there != wanted) {
                    empty(&like)?;
                    fs::create_dir(&state)?;
                    self.migrate_in(setup, &state)?;
                    fs::write(like.join(MIGRATED), &wanted)?;
                }
                empty(&self.state)?;
                copy(&state, &self.state)?;
            }
        }
        // Last: what has it is whole.
        Ok(fs::write(self.state.join(MIGRATED), wanted)?)
    }

    fn migrate_in(&self, setup: &Setup, state: &Path) -> Result<()> {
        let mut apply = setup.wrangler(self.folder);
        apply.args(["d1", "migrations", "apply", "DB", "--local", "--persist-to"]).arg(state);
        step::run(&format!("migrations of the {}", self.name), &mut apply)?;
        if let Some(rows) = &self.first_rows {
            let mut execute = setup.wrangler(self.folder);
            execute.args(["d1", "execute", "DB", "--local", "--yes", "--command", rows, "--persist-to"]);
            step::run(&format!("first rows of the {}", self.name), execute.arg(state))?;
        }
        Ok(())
    }

    fn spawn(&self, setup: &Setup, state: &Path) -> Result<Service> {
        let log = state.join(format!("{}.log", self.name));
        let file = fs::File::create(&log)?;
        let script = setup.root().join(self.part.product());
        let mut wrangler = setup.wrangler(self.folder);
        wrangler
            .arg("dev")
            .arg(script)
            .args([
                "--ip",
                "127.0.0.1",
                "--port",
                &self.port.to_string(),
                "--inspector-port",
                "0",
                "--persist-to",
            ])
            .arg(&self.state)
            // Two of these on one machine must not find each other.
            .env("WRANGLER_REGISTRY_PATH", self.state.join("registry"))
            .env("PROCESSOR_TOKEN", LOCAL_TOKEN);
        for variable in &self.variables {
            wrangler.args(["--var", variable]);
        }
        if let Some(assets) = &self.assets {
            wrangler.arg("--assets").arg(assets);
        }
        let mut command = ending_with_us(&wrangler);
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Service { name: self.name, child, log })
    }
}

/// The command, asked by the system to end when this process does, be it by `kill -9`.
fn ending_with_us(command: &Command) -> Command {
    let mut setpriv = Command::new("setpriv");
    if step::output(Command::new("setpriv").args(["--pdeathsig", "TERM", "true"])).is_some() {
        setpriv.args(["--pdeathsig", "TERM", "--"]).arg(command.get_program());
    } else {
        setpriv = Command::new(command.get_program());
    }
    setpriv.args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        setpriv.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => setpriv.env(name, value),
            None => setpriv.env_remove(name),
        };
    }
    setpriv
}

/// Makes a folder with nothing in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    Ok(fs::create_dir_all(folder)?)
}

/// Copies what is in a folder into another.
fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let into = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&into)?;
            copy(&entry.path(), &into)?;
        } else {
            fs::copy(entry.path(), into)?;
        }
    }
    Ok(())
}

/// Makes the state's folder, empty when asked, and takes it for this process alone.
fn own_state(options: &Options) -> Result<fs::File> {
    fs::create_dir_all(&options.state)?;
    let lock = fs::File::create(options.state.join("lock"))?;
    if lock.try_lock().is_err() {
        let state = options.state.display();
        return Err(Stop(format!("{state} is in use by another xtask: stop it, or give --state")));
    }
    if options.fresh {
        for entry in fs::read_dir(&options.state)? {
            let path = entry?.path();
            if path.is_dir() {
                fs::remove_dir_all(path)?
            } else if !path.ends_with("lock") {
                fs::remove_file(path)?
            }
        }
    }
    for folder in ["worker", "bank"] {
        fs::create_dir_all(options.state.join(folder))?;
    }
    Ok(lock)
}

/// The row of the local API key: the ledger keeps a key's hash alone.
fn local_key_row() -> String {
    let hash = hex(&Sha256::digest(LOCAL_KEY));
    format!(
        "INSERT INTO api_keys (id, hash, label, scopes, created_at) VALUES ('00000000-0000-8000-8000-000000000001', \
         '{hash}', 'local operator', '[\"read\",\"advance\",\"operate\",\"admin\"]', '2026-01-01T00:00:00Z') \
         ON CONFLICT DO NOTHING"
    )
}
