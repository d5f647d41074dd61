//! What can be known of a deployment without the network. Each check says what is right, or what to do.

use super::configuration::{Consumer, Wrangler};
use crate::builds::{DIRTY, UNKNOWN};
use serde::Deserialize;
use std::fmt;
use std::process::ExitCode;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    what: String,
    verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Right,
    /// Right so far, but something is to be done before money can move.
    ToDo(Vec<String>),
    Wrong(Vec<String>),
}

/// What was looked at, each shown as it comes.
#[derive(Debug, Default)]
pub struct Checklist {
    to_do: usize,
    wrong: usize,
}

impl Checklist {
    pub fn add(&mut self, check: Check) {
        println!("{check}");
        match check.verdict {
            Verdict::Right => {}
            Verdict::ToDo(_) => self.to_do += 1,
            Verdict::Wrong(_) => self.wrong += 1,
        }
    }

    pub fn is_right(&self) -> bool {
        (self.to_do, self.wrong) == (0, 0)
    }

    /// The last line. What is still to be done before a deployment does not fail its dry run.
    pub fn close(&self, dry_run: bool) -> ExitCode {
        match (self.wrong, self.to_do) {
            (0, 0) => println!("all is right for a deployment; nothing was sent"),
            (0, to_do) => println!("nothing is wrong; {to_do} to do before a deployment; nothing was sent"),
            (wrong, to_do) => println!("{wrong} wrong, {to_do} to do; nothing was sent"),
        }
        if self.wrong > 0 || !(dry_run || self.is_right()) { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

impl Check {
    /// Right, unless there are problems.
    pub fn of(what: impl Into<String>, problems: Vec<String>) -> Check {
        let verdict = if problems.is_empty() { Verdict::Right } else { Verdict::Wrong(problems) };
        Check { what: what.into(), verdict }
    }

    /// Something is to be done before a deployment.
    pub fn to_do(what: impl Into<String>, to_do: String) -> Check {
        Check { what: what.into(), verdict: Verdict::ToDo(vec![to_do]) }
    }

    /// What is wrong.
    #[cfg(test)]
    pub fn problems(&self) -> &[String] {
        match &self.verdict {
            Verdict::Right | Verdict::ToDo(_) => &[],
            Verdict::Wrong(problems) => problems,
        }
    }

    #[cfg(test)]
    pub fn is_to_do(&self) -> bool {
        matches!(self.verdict, Verdict::ToDo(_))
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, lines): (_, &[String]) = match &self.verdict {
            Verdict::Right => ("✓", &[]),
            Verdict::ToDo(lines) => ("·", lines),
            Verdict::Wrong(lines) => ("✗", lines),
        };
        write!(f, "  {sign} {}", self.what)?;
        lines.iter().try_for_each(|line| write!(f, "\n      {line}"))
    }
}

/// What the Worker's own source says that it needs, and what is wrong with its variables: `edge/examples/needs.rs`.
#[derive(Debug, Clone, Deserialize)]
pub struct Said {
    pub needs: Needs,
    pub problems: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Needs {
    pub database: String,
    pub migrations: usize,
    pub bucket: String,
    pub queues: Vec<String>,
    pub dead_letters: String,
    pub limiter: String,
    pub limit_requests: u32,
    pub limit_seconds: u32,
    pub crons: Vec<String>,
    pub secrets: Vec<String>,
}

/// A configuration that cannot be read at all.
pub fn unreadable(why: &str) -> Check {
    Check::of("edge/wrangler.toml can be read", why.lines().map(str::to_owned).collect())
}

/// `/healthz` is to name what runs, which only a commit does.
pub fn commit(commit: &str) -> Check {
    let what = format!("the commit is {commit}");
    if commit == UNKNOWN || commit.ends_with(DIRTY) {
        return Check::to_do(what, "commit what is to be deployed, so that /healthz can name it".into());
    }
    Check::of(what, vec![])
}

/// Holds the configuration to what the Worker needs.
pub fn configuration(wrangler: &Wrangler, said: &Said) -> Vec<Check> {
    let needs = &said.needs;
    vec![
        variables(wrangler, said),
        processor(wrangler, said),
        secrets(wrangler, needs),
        database(wrangler, needs),
        bucket(wrangler, needs),
        queues(wrangler, needs),
        limiter(wrangler, needs),
        crons(wrangler, needs),
        dashboard(wrangler),
    ]
}

fn variables(wrangler: &Wrangler, said: &Said) -> Check {
    let not_text = wrangler.vars.iter().filter(|(_, value)| !value.is_str());
    let mut problems: Vec<String> =
        not_text.map(|(name, value)| format!("{name} is {value}: put it in quotes")).collect();
    problems.extend(said.problems.iter().filter(|problem| !is_of_processor(problem)).cloned());
    Check::of("each variable is known, and within its range", problems)
}

fn is_of_processor(problem: &str) -> bool {
    problem.starts_with("PROCESSOR_URL")
}

/// A name under `.example` is nobody's (RFC 6761): it stands for one that is still to be set.
fn processor(wrangler: &Wrangler, said: &Said) -> Check {
    let texts = wrangler.texts();
    let url = texts.get("PROCESSOR_URL").map_or("nowhere", String::as_str);
    let host =
        url.split_once("://").map_or("", |(_, rest)| rest).split(['/', ':']).next().unwrap_or_default();
    let what = format!("the processor is {url}");
    let problems: Vec<String> =
        said.problems.iter().filter(|problem| is_of_processor(problem)).cloned().collect();
    if problems.is_empty() && host.ends_with(".example") {
        let to_do = "an example: set PROCESSOR_URL in edge/wrangler.toml, or give --processor-url";
        return Check::to_do(what, to_do.to_owned());
    }
    Check::of(what, problems)
}

fn secrets(wrangler: &Wrangler, needs: &Needs) -> Check {
    let required = &wrangler.secrets.required;
    let missing = needs.secrets.iter().filter(|name| !required.contains(name));
    let unknown = required.iter().filter(|name| !needs.secrets.contains(name));
    let mut problems: Vec<String> =
        missing.map(|name| format!("name {name} among [secrets] required")).collect();
    problems.extend(unknown.map(|name| format!("{name} is no secret of the Worker")));
    Check::of(format!("the secrets are {}", needs.secrets.join(", ")), problems)
}

fn database(wrangler: &Wrangler, needs: &Needs) -> Check {
    let found = wrangler.d1_databases.iter().find(|database| database.binding == needs.database);
    let mut problems = Vec::new();
    match found {
        None => problems.push(format!("bind a database of [[d1_databases]] as {}", needs.database)),
        Some(database) if database.database_name.is_empty() => {
            problems.push("give it a database_name".into())
        }
        Some(database) if database.migrations_dir != "migrations" => {
            problems.push(format!("its migrations_dir is {:?}: set \"migrations\"", database.migrations_dir));
        }
        Some(_) => {}
    }
    let name = found.map_or("none", |database| database.database_name.as_str());
    Check::of(format!("the database {} is {name}", needs.database), problems)
}

fn bucket(wrangler: &Wrangler, needs: &Needs) -> Check {
    let found = wrangler.r2_buckets.iter().find(|bucket| bucket.binding == needs.bucket);
    let name = found.map_or("", |bucket| bucket.bucket_name.as_str());
    let problem = format!("bind a bucket of [[r2_buckets]] as {}", needs.bucket);
    let problems = if name.is_empty() { vec![problem] } else { vec![] };
    Check::of(format!("the bucket {} is {name}", needs.bucket), problems)
}

/// Each queue that is sent to is read, with explicit limits, and what fails for good goes to a queue that is read too.
fn queues(wrangler: &Wrangler, needs: &Needs) -> Check {
    let mut problems = Vec::new();
    let mut names = Vec::new();
    for binding in &needs.queues {
        let producers = &wrangler.queues.producers;
        let Some(producer) = producers.iter().find(|producer| producer.binding == *binding) else {
            problems.push(format!("bind a queue of [[queues.producers]] as {binding}"));
            continue;
        };
        let queue = &producer.queue;
        if names.contains(queue) {
            problems.push(format!("{binding} is {queue}, which is another binding's too"));
        }
        names.push(queue.clone());
        match consumer(wrangler, queue).map(|consumer| &consumer.dead_letter_queue) {
            None => problems.push(format!("read {queue} by [[queues.consumers]]")),
            Some(None) => {
                problems.push(format!("give {queue} a dead_letter_queue: {queue}{}", needs.dead_letters))
            }
            Some(Some(dead)) if !dead.ends_with(&needs.dead_letters) => {
                problems.push(format!(
                    "the dead letters of {queue} are in {dead}: its name must end in {}",
                    needs.dead_letters
                ));
            }
            Some(Some(dead)) if consumer(wrangler, dead).is_none() => {
                problems.push(format!("read {dead} by [[queues.consumers]]"));
            }
            Some(Some(_)) => {}
        }
    }
    problems.extend(wrangler.queues.consumers.iter().flat_map(limits));
    Check::of(format!("the queues are {}, each with its dead letters", names.join(", ")), problems)
}

fn consumer<'a>(wrangler: &'a Wrangler, queue: &str) -> Option<&'a Consumer> {
    wrangler.queues.consumers.iter().find(|consumer| consumer.queue == queue)
}

/// The platform's defaults are others here and there; and a delivery has at most 100 messages (Cloudflare, Queues limits).
fn limits(consumer: &Consumer) -> Vec<String> {
    let all = [
        ("max_batch_size", consumer.max_batch_size, 1..=100),
        ("max_batch_timeout", consumer.max_batch_timeout, 0..=60),
        ("max_retries", consumer.max_retries, 0..=100),
    ];
    let wrong =
        all.into_iter().filter(|(_, value, range)| !value.is_some_and(|value| range.contains(&value)));
    wrong
        .map(|(name, _, range)| {
            format!("set {name} of {}, from {} to {}", consumer.queue, range.start(), range.end())
        })
        .collect()
}

fn limiter(wrangler: &Wrangler, needs: &Needs) -> Check {
    let wanted = (needs.limit_requests, needs.limit_seconds);
    let found = wrangler.ratelimits.iter().find(|limiter| limiter.name == needs.limiter);
    let simple = found.map(|limiter| (limiter.simple.limit, limiter.simple.period));
    let (limit, period) = wanted;
    let problem = format!("set it in [[ratelimits]]: simple = {{ limit = {limit}, period = {period} }}");
    let problems = if simple == Some(wanted) { vec![] } else { vec![problem] };
    Check::of(format!("{} allows {limit} requests in {period} s", needs.limiter), problems)
}

fn crons(wrangler: &Wrangler, needs: &Needs) -> Check {
    let found = &wrangler.triggers.crons;
    let missing = needs.crons.iter().filter(|cron| !found.contains(cron));
    let unknown = found.iter().filter(|cron| !needs.crons.contains(cron));
    let mut problems: Vec<String> =
        missing.map(|cron| format!("add \"{cron}\" to [triggers] crons")).collect();
    problems.extend(unknown.map(|cron| format!("the Worker knows no cron \"{cron}\"")));
    Check::of(format!("the crons are \"{}\"", needs.crons.join("\" and \"")), problems)
}

/// What the Worker answers must not be answered by the dashboard's page.
fn dashboard(wrangler: &Wrangler) -> Check {
    let assets = &wrangler.assets;
    let missing =
        ["/v1/*", "/healthz"].into_iter().filter(|path| !assets.run_worker_first.iter().any(|p| p == path));
    let mut problems: Vec<String> =
        missing.map(|path| format!("add \"{path}\" to run_worker_first of [assets]")).collect();
    if assets.not_found_handling != "single-page-application" {
        problems.push("set not_found_handling = \"single-page-application\" in [assets]".into());
    }
    Check::of("the dashboard is served beside the API", problems)
}

/// Migrations are numbered without a gap, hold something, and are as many as the Worker says. A trigger with a carriage
/// return in it is refused by the platform.
pub fn migrations(files: &[(String, String)], needs: &Needs) -> Check {
    let mut problems = Vec::new();
    for (number, (name, text)) in (1_usize..).zip(files) {
        if !name.starts_with(&format!("{number:04}_")) || !name.ends_with(".sql") {
            problems.push(format!("{name} stands where migration {number:04}_….sql should"));
        }
        if text.trim().is_empty() {
            problems.push(format!("{name} is empty"));
        }
        if text.contains('\r') {
            problems.push(format!("{name} has carriage returns"));
        }
    }
    if files.len() != needs.migrations {
        problems.push(format!(
            "there are {}, and the Worker says {} (SCHEMA_VERSION of edge/src/ledger/listings.rs)",
            files.len(),
            needs.migrations
        ));
    }
    Check::of(format!("{} migrations, numbered without a gap", needs.migrations), problems)
}

/// The sandbox's route: its clock must never reach a processor that moves real money.
const SANDBOX_ROUTE: &[u8] = b"/v1/sandbox/clock";

/// The Worker as it was built.
pub fn no_sandbox(wasm: &[u8]) -> Check {
    let has_route = wasm.windows(SANDBOX_ROUTE.len()).any(|window| window == SANDBOX_ROUTE);
    let problem = "it has the route of the sandbox: build it without the cargo feature `sandbox`".to_owned();
    Check::of("the Worker has no sandbox", if has_route { vec![problem] } else { vec![] })
}

/// The most that a Worker may have, in compressed bytes (Cloudflare, Workers limits, paid plan).
const MAX_GZIP_BYTES: u64 = 10 * 1000 * 1000;

/// What wrangler said of the bundle that it made and did not upload.
pub fn bundle(log: &str, size: Option<(u64, u64)>) -> Check {
    let mut problems = warnings(log);
    let Some((raw, gzip)) = size else {
        problems.push("wrangler did not say how large it is".into());
        return Check::of("wrangler takes the bundle", problems);
    };
    if gzip > MAX_GZIP_BYTES {
        problems.push(format!("it may have {} KiB", MAX_GZIP_BYTES / 1024));
    }
    let (raw, gzip) = (raw.div_ceil(1024), gzip.div_ceil(1024));
    Check::of(format!("wrangler takes the bundle: {raw} KiB, {gzip} KiB compressed"), problems)
}

/// What wrangler warns of: each warning's first line, and the points below it. It colours them whatever it is told.
fn warnings(log: &str) -> Vec<String> {
    let mut parts = log.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    plain.extend(parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text)));
    let mut warnings: Vec<String> = Vec::new();
    let mut is_within = false;
    for line in plain.lines() {
        let text = line.trim();
        if let Some((_, warning)) = text.split_once("[WARNING]") {
            warnings.push(format!("wrangler warns: {}", warning.trim()));
            is_within = true;
        } else if let (Some(point), true, Some(warning)) =
            (text.strip_prefix("- "), is_within, warnings.last_mut())
        {
            *warning = format!("{warning} {point}");
        } else if !text.is_empty() {
            is_within = false;
        }
    }
    warnings
}
