//! A step: a command that may take long, with its progress on the terminal and its whole output in a file.

use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Why the command ends here, in words for the person who typed it.
#[derive(Debug)]
pub struct Stop(pub String);

pub type Result<T> = std::result::Result<T, Stop>;

/// How a step ended.
pub struct Ended {
    pub success: bool,
    /// Where its whole output is.
    pub log: PathBuf,
    pub seconds: f64,
}

/// The first sign of life comes this soon, and again this often; half as often after a minute.
const TICK: Duration = Duration::from_secs(5);

/// So many of a failed step's last lines are shown.
const SHOWN_LINES: usize = 40;

/// Runs a step that must succeed.
pub fn run(title: &str, command: &mut Command) -> Result<()> {
    succeeded(title, &attempt(title, command)?)
}

/// Runs a step that must succeed and that reads something, which neither its command line nor its output shows.
pub fn run_with_input(title: &str, command: &mut Command, input: &str) -> Result<()> {
    succeeded(title, &attempt_with(title, command, Some(input))?)
}

fn succeeded(title: &str, ended: &Ended) -> Result<()> {
    if ended.success {
        return Ok(());
    }
    show_end_of(&ended.log);
    Err(Stop(format!("{title} failed; its whole output is in {}", ended.log.display())))
}

/// Runs a step to its end, whatever that is.
pub fn attempt(title: &str, command: &mut Command) -> Result<Ended> {
    attempt_with(title, command, None)
}

fn attempt_with(title: &str, command: &mut Command, input: Option<&str>) -> Result<Ended> {
    let log = log_path(title)?;
    let file = File::create(&log)?;
    let program = command.get_program().to_string_lossy().into_owned();
    let started = now();
    let mut child = command
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .map_err(|error| Stop(format!("{title}: {program} cannot be started: {error}")))?;
    if let (Some(input), Some(mut pipe)) = (input, child.stdin.take()) {
        // What ends before it reads all of it says why by itself.
        let _ = pipe.write_all(input.as_bytes());
    }
    let mut next_tick = TICK;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(50));
        if started.elapsed() >= next_tick {
            next_tick += if next_tick < Duration::from_secs(60) { TICK } else { 2 * TICK };
            eprintln!("  … {title} ({} s) {}", started.elapsed().as_secs(), last_line(&log));
        }
    };
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("  {} {title} ({seconds:.1} s)", if status.success() { "✓" } else { "✗" });
    Ok(Ended { success: status.success(), log, seconds })
}

/// Waits until no other xtask does the same, and keeps others from it as long as the file is held.
pub fn turn(name: &str) -> Result<File> {
    let folder = root().join("target");
    std::fs::create_dir_all(&folder)?;
    let file = File::create(folder.join(name))?;
    if file.try_lock().is_err() {
        eprintln!("  · another xtask is at work here: waiting for it");
        file.lock()?;
    }
    Ok(file)
}

/// What a quick command that must succeed answers to what it reads.
pub fn answer(command: &mut Command, input: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        pipe.write_all(input.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(Stop(format!("{program} failed ({})", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a quick command prints, when it succeeds.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Shows the last lines of a log.
pub fn show_end_of(log: &Path) {
    let text = read(log);
    let lines: Vec<&str> = text.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(SHOWN_LINES)) {
        eprintln!("    {line}");
    }
}

/// A log's text, as far as it is readable.
pub fn read(log: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned()
}

/// The project's folder.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// The instant, for measuring how long a step takes.
#[expect(clippy::disallowed_methods, reason = "progress is about the real time; no fact is made from it")]
pub fn now() -> Instant {
    Instant::now()
}

/// The instant as the ledger writes it, for what is recorded from here.
#[expect(clippy::disallowed_methods, reason = "a key's row says when it was made, which nothing else knows")]
pub fn instant() -> String {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = i64::try_from(since_1970.as_millis()).unwrap_or_default();
    let instant = DateTime::<Utc>::from_timestamp_millis(milliseconds).unwrap_or_default();
    instant.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Each process has its own logs, so that two commands at once do not write into one file.
fn log_path(title: &str) -> Result<PathBuf> {
    let folder = root().join("target/log");
    std::fs::create_dir_all(&folder)?;
    let name: String = title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(folder.join(format!("{name}-{}.log", std::process::id())))
}

fn last_line(log: &Path) -> String {
    let text = read(log);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    line.trim().chars().take(80).collect()
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Stop {
        Stop(error.to_string())
    }
}
