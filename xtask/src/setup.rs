//! Set-up: what the builds need beyond Rust, Node with npm and apt, each in its exact version.
//!
//! 1. The wasm32-unknown-unknown target, by rustup, else with Debian's compiler.
//! 2. The tools wasm-bindgen, worker-build and trunk, under target/tools.
//! 3. The npm packages of package-lock.json, a Node among them.
//!
//! Each is skipped fast when it is there already. They run side by side, since each waits for other things.

use crate::step::{self, Result, Stop};
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

/// A cargo package with a program, in the version that works with the others.
struct Tool {
    package: &'static str,
    program: &'static str,
    version: &'static str,
    flags: &'static [&'static str],
}

const TOOLS: [Tool; 3] = [
    // The command line must be of the very version of the library: see Cargo.toml.
    Tool { package: "wasm-bindgen-cli", program: "wasm-bindgen", version: "0.2.129", flags: &[] },
    Tool { package: "worker-build", program: "worker-build", version: "0.8.7", flags: &[] },
    Tool {
        package: "trunk",
        program: "trunk",
        version: "0.21.14",
        // The default features compile a C library for TLS that a build without downloads never uses.
        flags: &["--no-default-features", "--features", "rustls"],
    },
];

/// What runs the native tests. Any version of it that is there already will do.
const NEXTEST: Tool =
    Tool { package: "cargo-nextest", program: "cargo-nextest", version: "0.9.143", flags: &[] };

/// What splits the dashboard's code for its release.
const SPLIT: Tool = Tool {
    package: "wasm_split_cli_support",
    program: "wasm-split-cli",
    version: "0.2.4",
    flags: &["--features", "build-binary"],
};

/// What is set up, and how to run commands with it.
pub struct Setup {
    root: PathBuf,
    /// The toolchain with the wasm target, when it is not the ordinary one.
    toolchain: Option<PathBuf>,
}

/// Sets everything up. Two commands at once take turns.
pub fn prepare() -> Result<Setup> {
    let root = step::root();
    let _turn = step::turn("setup.lock")?;
    let (toolchain, tools, packages) = std::thread::scope(|scope| {
        let tools = scope.spawn(|| tools(&root));
        let packages = scope.spawn(|| packages(&root));
        let toolchain = wasm_toolchain(&root);
        (toolchain, joined(tools.join()), joined(packages.join()))
    });
    tools?;
    packages?;
    Ok(Setup { toolchain: toolchain?, root })
}

/// What an earlier command set up.
pub fn prepared() -> Result<Setup> {
    let root = step::root();
    let toolchain = root.join("target/wasm-toolchain");
    let toolchain = (!has_target(None) && has_target(Some(&toolchain))).then_some(toolchain);
    Ok(Setup { root, toolchain })
}

/// Sets up what only the tests need.
pub fn prepare_tests() -> Result<Setup> {
    let setup = prepare()?;
    if find(NEXTEST.program, &setup.path()).is_none() && !prebuilt(&setup.root, &NEXTEST) {
        compile(&setup.root, &NEXTEST)?;
        let _ = fs::remove_dir_all(setup.root.join("target/tools/build"));
    }
    // The example clients are run as anybody would run them.
    let missing =
        ["curl", "openssl", "python3"].into_iter().filter(|name| find(name, &setup.path()).is_none());
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        apt_install(&missing)?;
    }
    Ok(setup)
}

/// Sets up what only the dashboard's release needs. The program does not say its version: a file does.
pub fn prepare_split(setup: &Setup) -> Result<()> {
    let _turn = step::turn("setup.lock")?;
    let stamp = setup.root.join("target/tools").join(format!("{}-{}", SPLIT.program, SPLIT.version));
    if stamp.exists() {
        return Ok(());
    }
    compile(&setup.root, &SPLIT)?;
    let _ = fs::remove_dir_all(setup.root.join("target/tools/build"));
    Ok(fs::write(stamp, "")?)
}

impl Setup {
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A command that finds the tools, run in a folder of the project.
    pub fn command(&self, program: &str, folder: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root.join(folder)).env("PATH", self.path());
        without_cargo(&mut command);
        command
    }

    /// A command that compiles to wasm. It has a target folder of its own: another compiler may be at work,
    /// and neither waits for the other's lock nor undoes the other's work.
    pub fn wasm_command(&self, program: &str, folder: &str) -> Command {
        let mut command = self.command(program, folder);
        command.env("CARGO_TARGET_DIR", self.root.join("target/wasm"));
        if let Some(toolchain) = &self.toolchain {
            command.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        // worker-build downloads in silence what these do not resolve to.
        for (variable, program) in
            [("WASM_BINDGEN_BIN", "wasm-bindgen"), ("WASM_OPT_BIN", "wasm-opt"), ("ESBUILD_BIN", "esbuild")]
        {
            command.env(variable, find(program, &self.path()).unwrap_or_else(|| program.into()));
        }
        // trunk takes this for a flag of its own, and wants `true` or `false` in it.
        command.env_remove("NO_COLOR");
        command
    }

    /// The Node of the lock file.
    pub fn node(&self) -> Command {
        self.node_in("")
    }

    fn node_in(&self, folder: &str) -> Command {
        self.command(&self.root.join("node_modules/.bin/node").to_string_lossy(), folder)
    }

    /// wrangler under the Node of the lock file, with nobody to ask and nobody to report to.
    pub fn wrangler(&self, folder: &str) -> Command {
        let mut command = self.node_in(folder);
        command.arg(self.root.join("node_modules/wrangler/bin/wrangler.js"));
        command.env("CI", "true").env("WRANGLER_SEND_METRICS", "false").env("NO_COLOR", "1");
        // Its banner asks npm for a newer one.
        command.env("WRANGLER_HIDE_BANNER", "true");
        command.env("CLOUDFLARE_CF_FETCH_ENABLED", "false");
        command
    }

    /// What decides over a wasm build besides its sources.
    pub fn compiler(&self) -> String {
        let mut rustc = Command::new("rustc");
        if let Some(toolchain) = &self.toolchain {
            rustc.env("RUSTUP_TOOLCHAIN", toolchain);
        }
        step::output(rustc.arg("-vV")).unwrap_or_default()
    }

    /// The tools of the project come before those of the machine.
    fn path(&self) -> OsString {
        tools_path(&self.root)
    }
}

fn joined<T>(thread: std::thread::Result<Result<T>>) -> Result<T> {
    thread.unwrap_or_else(|_| Err(Stop("a set-up step broke off".into())))
}

/// `cargo run` speaks to what it runs through the environment; a cargo further down must not listen. And a tool
/// that fails is to say what failed, not where in its own code.
fn without_cargo(command: &mut Command) {
    command.env_remove("RUST_BACKTRACE");
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "LD_LIBRARY_PATH"
        {
            command.env_remove(&*name);
        }
    }
}

// ---------------------------------------------------------------- the wasm target

/// The toolchain that compiles to wasm: none for the ordinary one.
fn wasm_toolchain(root: &Path) -> Result<Option<PathBuf>> {
    if has_target(None) {
        return Ok(None);
    }
    let toolchain = root.join("target/wasm-toolchain");
    if has_target(Some(&toolchain)) {
        return Ok(Some(toolchain));
    }
    let mut rustup = Command::new("rustup");
    if step::attempt("rustup target add", rustup.args(["target", "add", TARGET])).is_ok_and(|e| e.success)
        && has_target(None)
    {
        return Ok(None);
    }
    eprintln!("  · rustup cannot get {TARGET} here: building it with Debian's compiler instead");
    debian_toolchain(root, &toolchain)?;
    Ok(Some(toolchain))
}

fn has_target(toolchain: Option<&Path>) -> bool {
    let mut rustc = Command::new("rustc");
    if let Some(toolchain) = toolchain {
        if !toolchain.join("complete").exists() {
            return false;
        }
        rustc.env("RUSTUP_TOOLCHAIN", toolchain);
    }
    let folder = step::output(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    folder.and_then(|folder| fs::read_dir(folder).ok()).is_some_and(|mut files| {
        files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().starts_with("libstd-")))
    })
}

/// A toolchain folder around Debian's compiler, whose standard library for wasm is built from Debian's source.
///
/// Nothing outside the project changes but the installed packages: the folder holds links and two scripts, and
/// `RUSTUP_TOOLCHAIN` names it by its path.
fn debian_toolchain(root: &Path, toolchain: &Path) -> Result<()> {
    debian_packages()?;
    let _ = fs::remove_dir_all(toolchain);
    let host = host_libraries(toolchain)?;
    for program in ["rustc", "rustdoc"] {
        script(&toolchain.join("bin").join(program), &format!("/usr/bin/{program}"), toolchain)?;
    }
    link(Path::new("/usr/bin/cargo"), &toolchain.join("bin/cargo"))?;
    link(Path::new("/usr/lib/rustlib/src"), &toolchain.join("lib/rustlib/src"))?;
    link(&linker()?, &toolchain.join("lib/rustlib").join(host).join("bin/rust-lld"))?;

    let libraries = standard_library(root, toolchain)?;
    let destination = toolchain.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&destination)?;
    for file in fs::read_dir(libraries)? {
        let file = file?;
        let name = file.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(".rlib") && !text.starts_with("libwasm_std") {
            fs::copy(file.path(), destination.join(&name))?;
        }
    }
    // What was compiled with another standard library does not link with this one.
    let _ = fs::remove_dir_all(root.join("target/wasm"));
    fs::write(toolchain.join("complete"), "")?;
    Ok(())
}

/// Debian's compiler 1.96, its cargo, its standard library's source, and a linker for wasm.
fn debian_packages() -> Result<()> {
    let there = Path::new("/usr/lib/rustlib/src/rust/library/std/Cargo.toml").exists()
        && Path::new("/usr/bin/cargo").exists()
        && step::output(Command::new("/usr/bin/rustc").arg("--version")).is_some()
        && linker().is_ok();
    if there {
        return Ok(());
    }
    let mut packages = vec!["rustc-web", "cargo-web", "rust-web-src"];
    if linker().is_err() {
        packages.push("lld-19");
    }
    apt_install(&packages).map_err(|Stop(why)| {
        Stop(format!(
            "the Rust target {TARGET} is missing: run `rustup target add {TARGET}` where the network allows it, \
             or install Debian's packages rustc-web, cargo-web, rust-web-src and lld-19, then run this again ({why})"
        ))
    })
}

/// Installs Debian packages, as root or through sudo.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    if step::output(Command::new("apt-get").arg("--version")).is_none() {
        return Err(Stop("there is no apt-get on this machine".into()));
    }
    let apt = |arguments: &[&str]| {
        let mut command = if rustix::process::geteuid().is_root() {
            Command::new("apt-get")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["--non-interactive", "apt-get"]);
            sudo
        };
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let title = format!("apt-get install {}", packages.join(" "));
    let install = || {
        let mut command = apt(&["install", "--yes", "--no-remove", "--no-install-recommends"]);
        command.args(packages);
        command
    };
    if step::attempt(&title, &mut install())?.success {
        return Ok(());
    }
    step::run("apt-get update", &mut apt(&["update"]))?;
    step::run(&title, &mut install())
}

/// The host's own libraries, for build scripts and macros.
fn host_libraries(toolchain: &Path) -> Result<String> {
    let version = step::output(Command::new("/usr/bin/rustc").arg("-vV")).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| Stop("Debian's rustc does not say its host".into()))?;
    let libraries = Path::new("/usr/lib/rustlib").join(host).join("lib");
    link(&libraries, &toolchain.join("lib/rustlib").join(host).join("lib"))?;
    Ok(host.to_owned())
}

/// rustup's own linker, else Debian's.
fn linker() -> Result<PathBuf> {
    let sysroot = step::output(Command::new("rustc").args(["--print", "sysroot"])).unwrap_or_default();
    let host = step::output(Command::new("rustc").args(["--print", "host-tuple"])).unwrap_or_default();
    let rustups = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin/rust-lld");
    let debians = PathBuf::from("/usr/lib/llvm-19/bin/lld");
    [rustups, debians].into_iter().find(|path| path.exists()).ok_or_else(|| Stop("there is no lld".into()))
}

/// Builds the standard library by way of an empty package, and says where its libraries are.
fn standard_library(root: &Path, toolchain: &Path) -> Result<PathBuf> {
    let package = root.join("target/wasm-std");
    let _ = fs::remove_dir_all(&package);
    fs::create_dir_all(package.join("src"))?;
    let manifest = "[package]\nname = \"wasm-std\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(package.join("Cargo.toml"), manifest)?;
    fs::write(package.join("src/lib.rs"), "")?;
    let mut cargo = Command::new("cargo");
    without_cargo(&mut cargo);
    cargo
        .current_dir(&package)
        .args(["build", "--release", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort,panic_unwind,proc_macro"])
        .env("RUSTUP_TOOLCHAIN", toolchain)
        .env("CARGO_TARGET_DIR", package.join("target"))
        .env("RUSTC_BOOTSTRAP", "1")
        // Without the bitcode, link-time optimization of what uses it fails.
        .env("RUSTFLAGS", "-C embed-bitcode=yes");
    step::run(&format!("standard library for {TARGET}"), &mut cargo)?;
    Ok(package.join("target").join(TARGET).join("release/deps"))
}

fn script(path: &Path, program: &str, sysroot: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    parent(path)?;
    fs::write(path, format!("#!/bin/sh\nexec {program} --sysroot '{}' \"$@\"\n", sysroot.display()))?;
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o755))?)
}

fn link(original: &Path, path: &Path) -> Result<()> {
    parent(path)?;
    Ok(std::os::unix::fs::symlink(original, path)?)
}

fn parent(path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |folder| Ok(fs::create_dir_all(folder)?))
}

// ---------------------------------------------------------------- the tools

fn tools(root: &Path) -> Result<()> {
    let missing: Vec<&Tool> = TOOLS.iter().filter(|tool| !tool.is_there(root)).collect();
    for tool in &missing {
        if !prebuilt(root, tool) {
            compile(root, tool)?;
        }
    }
    if !missing.is_empty() {
        let _ = fs::remove_dir_all(root.join("target/tools/build"));
    }
    Ok(())
}

impl Tool {
    fn is_there(&self, root: &Path) -> bool {
        let Some(program) = find(self.program, &tools_path(root)) else { return false };
        let said = step::output(Command::new(program).arg("--version")).unwrap_or_default();
        said.split_whitespace().any(|word| word == self.version)
    }
}

/// Gets the program ready-made, where cargo-binstall is installed and the network allows it.
fn prebuilt(root: &Path, tool: &Tool) -> bool {
    if step::output(Command::new("cargo").args(["binstall", "-V"])).is_none() {
        return false;
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["binstall", "--no-confirm", "--disable-strategies", "compile", "--root"]);
    cargo.arg(root.join("target/tools")).arg(format!("{}@{}", tool.package, tool.version));
    step::attempt(&format!("getting {} {}", tool.program, tool.version), &mut cargo).is_ok_and(|e| e.success)
        && tool.is_there(root)
}

/// Compiles the program without optimization: that takes a third of the time, and it runs well enough.
fn compile(root: &Path, tool: &Tool) -> Result<()> {
    let mut cargo = Command::new("cargo");
    without_cargo(&mut cargo);
    cargo
        .args([
            "install",
            "--locked",
            "--debug",
            "--force",
            "--version",
            tool.version,
            tool.package,
            "--root",
        ])
        .arg(root.join("target/tools"))
        .args(tool.flags)
        .env("CARGO_TARGET_DIR", root.join("target/tools/build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    step::run(&format!("compiling {} {}, once", tool.program, tool.version), &mut cargo)
}

fn tools_path(root: &Path) -> OsString {
    let own = [root.join("target/tools/bin"), root.join("node_modules/.bin")];
    let machine = std::env::var_os("PATH").unwrap_or_default();
    let all = own.into_iter().chain(std::env::split_paths(&machine));
    std::env::join_paths(all).unwrap_or(machine)
}

fn find(program: &str, path: &OsString) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

// ---------------------------------------------------------------- schemathesis

/// Makes requests from the description of the API; from PyPI, in an environment of its own.
const SCHEMATHESIS: &str = "4.32.5";

/// schemathesis, for the long tests alone.
pub fn schemathesis(root: &Path) -> Result<PathBuf> {
    let folder = root.join("target/tools").join(format!("schemathesis-{SCHEMATHESIS}"));
    let program = folder.join("bin/schemathesis");
    if program.is_file() {
        return Ok(program);
    }
    python_environment(&folder)?;
    let mut pip = Command::new(folder.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", &format!("schemathesis=={SCHEMATHESIS}")]);
    step::run("schemathesis", &mut pip)?;
    Ok(program)
}

/// Makes an environment of Python, anew where there is one.
pub fn python_environment(folder: &Path) -> Result<()> {
    let environment = || {
        let mut command = Command::new("python3");
        command.args(["-m", "venv", "--clear"]).arg(folder);
        command
    };
    if !step::attempt("an environment of Python", &mut environment())?.success {
        apt_install(&["python3-venv"])?;
        step::run("an environment of Python", &mut environment())?;
    }
    Ok(())
}

/// A program of the machine, installed with the package of its name when there is none.
pub fn program(name: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if find(name, &path).is_some() { Ok(()) } else { apt_install(&[name]) }
}

// ---------------------------------------------------------------- the npm packages

fn packages(root: &Path) -> Result<()> {
    let lock = hex(&Sha256::digest(fs::read(root.join("package-lock.json"))?));
    let stamp = root.join("node_modules/.paydown");
    if fs::read_to_string(&stamp).is_ok_and(|text| text == lock) {
        return Ok(());
    }
    if step::output(Command::new("npm").arg("--version")).is_none() {
        return Err(Stop(
            "npm is missing: install Node with npm (on Debian `apt-get install npm`), then run this again"
                .into(),
        ));
    }
    let mut npm = Command::new("npm");
    npm.current_dir(root).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    step::run("npm ci", &mut npm)?;
    if !root.join("node_modules/.bin/node").exists() {
        return Err(Stop("npm has no Node 24 for this machine: Linux on x64 or arm64 is needed".into()));
    }
    Ok(fs::write(stamp, lock)?)
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
