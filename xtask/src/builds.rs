//! The builds: the Worker, the bank simulator, the dashboard and the JavaScript package, each skipped when its sources
//! are those of the last build.

use crate::package;
use crate::release;
use crate::setup::{Setup, hex};
use crate::step::{self, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is built for the runtime or for the browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The Worker with the sandbox feature, for local use alone.
    SandboxWorker,
    /// The Worker without it, as fast to build.
    Worker,
    /// The Worker as it is deployed.
    ReleaseWorker,
    /// The bank simulator.
    Bank,
    /// The least Worker in Rust, which the bench measures.
    LeastWorker,
    /// The dashboard.
    Dashboard,
    /// The dashboard as it is deployed: small, and slow to build.
    ReleaseDashboard,
    /// The JavaScript package.
    Package,
}

impl Part {
    fn title(self) -> &'static str {
        match self {
            Part::SandboxWorker => "building the Worker with its sandbox",
            Part::Worker => "building the Worker",
            Part::ReleaseWorker => "building the Worker for release",
            Part::Bank => "building the bank simulator",
            Part::LeastWorker => "building the least Worker in Rust",
            Part::Dashboard => "building the dashboard",
            Part::ReleaseDashboard => "building the dashboard for release",
            Part::Package => "building the JavaScript package",
        }
    }

    /// The folders and files that decide over it.
    fn sources(self) -> &'static [&'static str] {
        match self {
            Part::SandboxWorker | Part::Worker => &["Cargo.toml", "Cargo.lock", "core", "edge"],
            // How it is optimized is said here.
            Part::ReleaseWorker => &["Cargo.toml", "Cargo.lock", "core", "edge", "xtask/src/builds.rs"],
            Part::Bank => &["Cargo.toml", "Cargo.lock", "core", "tests/bank"],
            Part::LeastWorker => &["Cargo.toml", "Cargo.lock", "tests/bench/least", "xtask/src/builds.rs"],
            // The packages of npm make its styles.
            Part::Dashboard | Part::ReleaseDashboard => &[
                ".cargo",
                "Cargo.toml",
                "Cargo.lock",
                "core",
                "edge/openapi.json",
                "web",
                "Trunk.toml",
                "index.html",
                "package.json",
                "package-lock.json",
            ],
            Part::Package => &[".cargo", "Cargo.toml", "Cargo.lock", "core", "package-lock.json"],
        }
    }

    /// What it is built into, from the root.
    pub fn product(self) -> &'static str {
        match self {
            Part::SandboxWorker => "edge/build-sandbox/worker/shim.mjs",
            Part::Worker => "edge/build/worker/shim.mjs",
            Part::ReleaseWorker => "edge/build-release/worker/shim.mjs",
            Part::Bank => "tests/bank/build/worker/shim.mjs",
            Part::LeastWorker => "tests/bench/least/build/worker/shim.mjs",
            Part::Dashboard => "dist/index.html",
            Part::ReleaseDashboard => "target/dashboard/index.html",
            Part::Package => package::PRODUCT,
        }
    }

    fn build(self, setup: &Setup) -> Result<()> {
        let (program, folder, arguments): (_, _, &[&str]) = match self {
            Part::SandboxWorker => {
                ("worker-build", "edge", &["--profile", "local", "--no-opt", "--out-dir", "build-sandbox"])
            }
            Part::Worker => ("worker-build", "edge", &["--profile", "local", "--no-opt"]),
            Part::ReleaseWorker => return release_worker(setup, self.title()),
            Part::LeastWorker => return least_worker(setup, self.title()),
            Part::Bank => ("worker-build", "tests/bank", &["--profile", "local", "--no-opt"]),
            Part::Dashboard => ("trunk", "", &["build", "--offline", "--cargo-profile", "local"]),
            Part::ReleaseDashboard => return release::build(setup, self.title()),
            Part::Package => return package::build(setup, self.title()),
        };
        let mut command = setup.wasm_command(program, folder);
        command.args(arguments);
        if self == Part::SandboxWorker {
            command.args(["--", "--features", "sandbox"]);
        }
        step::run(self.title(), &mut command)
    }
}

/// The code of the Worker as it is deployed.
pub const RELEASE_WASM: &str = "edge/build-release/index_bg.wasm";

/// The same with the names of its functions, for whoever reads a stack trace.
const NAMED_WASM: &str = "target/built/worker-with-names.wasm";

/// Builds the Worker for release. The names of its functions stay here: they would be a tenth of what is uploaded, and are
/// loaded at each of its starts.
fn release_worker(setup: &Setup, title: &str) -> Result<()> {
    let mut build = setup.wasm_command("worker-build", "edge");
    step::run(title, build.args(["--release", "--no-opt", "--out-dir", "build-release"]))?;
    let (code, named) = (setup.root().join(RELEASE_WASM), setup.root().join(NAMED_WASM));
    fs::create_dir_all(setup.root().join("target/built"))?;
    fs::copy(&code, &named)?;
    optimize_worker(setup, &named, &code)
}

/// The least Worker in Rust, built as the Worker is for release.
fn least_worker(setup: &Setup, title: &str) -> Result<()> {
    let mut build = setup.wasm_command("worker-build", "tests/bench/least");
    step::run(title, build.args(["--release", "--no-opt"]))?;
    let code = setup.root().join("tests/bench/least/build/index_bg.wasm");
    optimize_worker(setup, &code, &code)
}

/// Optimizes code as that of the Worker, and takes the names out of it. It is not inlined once more: what the compiler left apart
/// compresses better so, by a tenth, and is faster.
pub fn optimize_worker(setup: &Setup, from: &Path, to: &Path) -> Result<()> {
    let mut optimizer = setup.command("wasm-opt", "");
    optimizer.args(release::FEATURES).arg("--enable-exception-handling");
    optimizer.args(["-O2", "--skip-pass=inlining-optimizing", "--strip-debug", "--strip-producers"]);
    step::run("optimization of the Worker", optimizer.arg(from).arg("-o").arg(to))
}

/// Builds what is not built yet. Two commands at once take turns.
pub fn build(setup: &Setup, parts: &[Part]) -> Result<()> {
    let _turn = step::turn("build.lock")?;
    let compiler = setup.compiler();
    for &part in parts {
        let product = setup.root().join(part.product());
        let stamp = setup.root().join("target/built").join(part.product().replace('/', "-"));
        let sources = fingerprint(setup.root(), part.sources(), &compiler)?;
        if product.exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == sources) {
            continue;
        }
        part.build(setup)?;
        fs::create_dir_all(setup.root().join("target/built"))?;
        fs::write(stamp, sources)?;
    }
    fs::create_dir_all(setup.root().join("target/built"))?;
    Ok(fs::write(setup.root().join(COMMIT), commit(setup.root()))?)
}

/// The commit whose sources were built last.
const COMMIT: &str = "target/built/commit";

/// What `/healthz` is to say is running: the commit whose sources were built last.
pub fn built_commit(setup: &Setup) -> String {
    fs::read_to_string(setup.root().join(COMMIT)).unwrap_or_else(|_| UNKNOWN.to_owned())
}

/// The commit that is checked out, with `-dirty` behind it where files are others than in it.
pub fn commit(root: &Path) -> String {
    let git = |arguments: &[&str]| step::output(Command::new("git").current_dir(root).args(arguments));
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return UNKNOWN.to_owned() };
    let is_clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
    if is_clean { commit } else { commit + DIRTY }
}

/// Of sources that git does not know.
pub const UNKNOWN: &str = "unknown";

/// Behind a commit from which the sources differ.
pub const DIRTY: &str = "-dirty";

/// A hash of what files hold, by their names, so that neither a checkout nor a touch means a build.
pub fn fingerprint(root: &Path, paths: &[&str], salt: &str) -> Result<String> {
    let mut files = Vec::new();
    for path in paths {
        collect(&root.join(path), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    hash.update(salt);
    for file in files {
        hash.update(file.strip_prefix(root).unwrap_or(&file).to_string_lossy().as_bytes());
        hash.update(Sha256::digest(fs::read(&file)?));
    }
    Ok(hex(&hash.finalize()))
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && !["build", "build-release", "build-sandbox"].contains(&name.as_str()) {
            collect(&entry, files)?;
        }
    }
    Ok(())
}
