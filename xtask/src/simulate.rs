//! `cargo xtask simulate`: the worlds of `tests/simulation`, as many as are asked for; with `--mutants`, the proof that
//! they notice what is broken.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::step::{self, Result, Stop};

/// How many worlds are lived through when nobody says how many.
const SEEDS: u64 = 1000;

/// How many worlds each mutant is given to be noticed in.
const SEEDS_OF_A_MUTANT: u64 = 600;

/// What is asked for.
#[derive(Debug, Default)]
pub struct Options {
    pub seeds: Option<u64>,
    pub seed: Option<u64>,
    pub mutants: bool,
}

/// Lives through the worlds that are asked for.
pub fn simulate(options: &Options) -> Result<ExitCode> {
    let root = step::root();
    if options.mutants {
        return mutants(&root, options.seeds.unwrap_or(SEEDS_OF_A_MUTANT));
    }
    let only_one = options.seed.map(|_| 1);
    let mut command = worlds(&root, "local");
    command.env("PAYDOWN_SEEDS", options.seeds.or(only_one).unwrap_or(SEEDS).to_string());
    if let Some(seed) = options.seed {
        command.env("PAYDOWN_SEED", seed.to_string());
    }
    let status = command.status().map_err(|error| Stop(format!("cargo cannot be started: {error}")))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The simulation over some sources.
fn worlds(sources: &Path, profile: &str) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(sources);
    command.args([
        "test",
        "--quiet",
        "--profile",
        profile,
        "--package",
        "paydown-tests",
        "--test",
        "simulation",
    ]);
    command
}

/// Breaks one thing after the other in a copy of the sources, and says which of it the worlds notice.
fn mutants(root: &Path, seeds: u64) -> Result<ExitCode> {
    // A target folder of its own: what is broken must never be taken for what is not.
    let folder = root.join("target/mutants");
    let (copy, target) = (folder.join("sources"), folder.join("target"));
    let mut survived = 0;
    println!("{:<8} {:<62} how it was noticed", "", "what is broken");
    for mutant in MUTANTS {
        copy_sources(root, &copy)?;
        let broken = mutant.apply(&copy)?;
        let mut command = worlds(&copy, "dev");
        command.env("CARGO_TARGET_DIR", &target).env("PAYDOWN_SEEDS", seeds.to_string());
        // Nobody debugs them: without what a debugger reads they are built in half the time.
        command.env("CARGO_PROFILE_DEV_DEBUG", "false");
        command.env("PAYDOWN_UNSHRUNK", "1").stderr(Stdio::piped());
        let output = command.output().map_err(|error| Stop(format!("cargo cannot be started: {error}")))?;
        let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let noticed = said.lines().find(|line| line.starts_with("seed "));
        let verdict = match (output.status.success(), noticed) {
            (true, _) => "survived",
            (false, Some(_)) => "caught",
            (false, None) => return Err(Stop(format!("{broken} does not build: {log}"))),
        };
        survived += u32::from(output.status.success());
        let noticed: String = noticed.unwrap_or_default().chars().take(150).collect();
        println!("{verdict:<8} {:<62} {noticed}", mutant.what);
    }
    println!("{} mutants, {survived} survived", MUTANTS.len());
    Ok(if survived == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the files that git knows into the copy, where they differ: what is the same is not built again.
fn copy_sources(root: &Path, copy: &Path) -> Result<()> {
    let listed = step::output(Command::new("git").current_dir(root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
    ]));
    for path in listed.ok_or_else(|| Stop("git does not list the sources".into()))?.lines() {
        let (Ok(bytes), to) = (std::fs::read(root.join(path)), copy.join(path)) else { continue };
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        std::fs::create_dir_all(to.parent().unwrap_or(copy))?;
        std::fs::write(&to, bytes)?;
    }
    Ok(())
}

/// One thing that is broken on purpose.
struct Mutant {
    what: &'static str,
    /// A text that stands once in core and edge, wherever that is.
    from: &'static str,
    to: &'static str,
}

impl Mutant {
    /// Breaks it, and gives where.
    fn apply(&self, copy: &Path) -> Result<String> {
        let mut found = Vec::new();
        for folder in ["core/src", "edge/src"] {
            sources(&copy.join(folder), &mut found)?;
        }
        found.retain(|path| step::read(path).contains(self.from));
        let [path] = found.as_slice() else {
            return Err(Stop(format!(
                "{}: its text stands in {} files, not in one: {}",
                self.what,
                found.len(),
                self.from
            )));
        };
        let text = step::read(path);
        if text.matches(self.from).count() != 1 {
            return Err(Stop(format!("{}: its text stands more than once: {}", self.what, self.from)));
        }
        std::fs::write(path, text.replace(self.from, self.to))?;
        Ok(format!("{} in {}", self.what, path.display()))
    }
}

/// The Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// What is broken, one at a time. Most are one character of the law or one condition of what heals a crash.
const MUTANTS: &[Mutant] = &[
    Mutant {
        what: "L3: two debits of a credit leave on one day",
        from: "self.state.status() != CreditStatus::Active || self.state.debits.iter().any(issued_today)",
        to: "self.state.status() != CreditStatus::Active || (false && self.state.debits.iter().any(issued_today))",
    },
    Mutant {
        what: "L3: a held credit issues",
        from: "if self.state.status() != CreditStatus::Active ||",
        to: "if !matches!(self.state.status(), CreditStatus::Active | CreditStatus::Held) ||",
    },
    Mutant {
        what: "L3: what has no answer is never called for again",
        from: "!stopped && !forgotten",
        to: "!stopped && !forgotten && false",
    },
    Mutant {
        what: "L3: a later refusal counts as the first",
        from: "WHERE NOT EXISTS (SELECT 1 FROM later_calls WHERE subject_id = value ->> '$.subject') ON CONFLICT",
        to: "WHERE true ON CONFLICT",
    },
    Mutant {
        what: "L3: a call is made again under a new key",
        from: "let answer = ports.processor.perform(&call.subject.to_string(), &call.body).await;",
        to: "let key = if call.is_first { call.subject } else { Uuid::from_u128(call.subject.as_u128() ^ 1) };\n        let answer = ports.processor.perform(&key.to_string(), &call.body).await;",
    },
    Mutant {
        what: "L4: a gap is filled with a cent too much",
        from: "let amount = amount.min(Cents::from_balance(missing));",
        to: "let amount = Cents::from_balance(amount.signed().saturating_add(1));",
    },
    Mutant {
        what: "L4: a failure leaves its gap open",
        from: "Some(due) => self.fill_gap(index, due, reason),",
        to: "Some(_) => {}",
    },
    Mutant {
        what: "L4: the next slot is that of the debit itself",
        from: "next_slot(latest.unwrap_or(run_date), self.facts.terms.interval_days, run_date)",
        to: "latest.unwrap_or(run_date)",
    },
    Mutant {
        what: "L9: a due date that rolls may end on a holiday",
        from: "calendar.is_banking_day(*day) && !is_taken(*day)",
        to: "(calendar.is_banking_day(*day) || *day > date) && !is_taken(*day)",
    },
    Mutant {
        what: "L9: two due dates roll onto one day",
        from: "calendar.is_banking_day(*day) && !is_taken(*day)",
        to: "calendar.is_banking_day(*day) && (true || !is_taken(*day))",
    },
    Mutant {
        what: "L5: a debit times out a day early",
        from: "let days = self.context.policy.timeout_days;\n        let as_of",
        to: "let days = self.context.policy.timeout_days - 1;\n        let as_of",
    },
    Mutant {
        what: "L5: a debit times out without coverage",
        from: "covered_from.zip(submitted_at).is_some_and(|(from, at)| from <= at)",
        to: "covered_from.zip(submitted_at).is_none_or(|_| true)",
    },
    Mutant {
        what: "L5: a report is whole whatever its length",
        from: ".filter(|announced| *announced != bytes)",
        to: ".filter(|announced| *announced != bytes && false)",
    },
    Mutant {
        what: "L5: a report that broke off is whole",
        from: "whole: problem.is_none(),",
        to: "whole: true,",
    },
    Mutant {
        what: "L6: a late success shortens nothing",
        from: "if excess <= 0 {\n            return;\n        }\n        let descendants",
        to: "if excess <= 0 || true {\n            return;\n        }\n        let descendants",
    },
    Mutant {
        what: "L6: success wins over failure at one instant",
        from: "(o.at, o.status, policy::gravity(o.code.as_deref()), o.code.as_deref())",
        to: "(o.at, if o.status == Status::Failure { Status::Success } else { Status::Failure }, policy::gravity(o.code.as_deref()), o.code.as_deref())",
    },
    Mutant {
        what: "L6: the word read last counts",
        from: "counting().max_by(|a, b| rank(a).cmp(&rank(b)))?",
        to: "counting().last()?",
    },
    Mutant {
        what: "L7: a hard return holds the one credit alone",
        from: "self.effects.extend(exception_id.map(|exception_id| Effect::HoldAccount { exception_id }));",
        to: "let _ = exception_id;",
    },
    Mutant {
        what: "L8: a release fills no gap",
        from: "if ending.is_empty() || !staying.is_empty() {",
        to: "if ending.is_empty() || !staying.is_empty() || true {",
    },
    Mutant {
        what: "crash: a stop does not reach a run under way",
        from: "AND (value ->> '$.submits' = 0\n    OR coalesce",
        to: "AND (value ->> '$.submits' IN (0, 1)\n    OR coalesce",
    },
    Mutant {
        what: "crash: the sweeper never resumes a run",
        from: "Ok(is_left.then_some(as_of))",
        to: "Ok((is_left && false).then_some(as_of))",
    },
    Mutant {
        what: "crash: intents of a run that crashed are not sought",
        from: "AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = r.id))\nON CONFLICT",
        to: "AND NOT EXISTS (SELECT 1 FROM words WHERE subject_id = r.id)) LIMIT 0\nON CONFLICT",
    },
    Mutant {
        what: "crash: what is left due is not carried over",
        from: "SELECT ?1 ->> '$.run_id', 'due', value FROM json_each(?1, '$.credits') WHERE true",
        to: "SELECT ?1 ->> '$.run_id', 'due', value FROM json_each(?1, '$.credits') WHERE false",
    },
    Mutant {
        what: "crash: words named after the report are not looked for",
        from: "WHERE EXISTS (SELECT 1 FROM observations WHERE transaction_id = named.transaction_id)",
        to: "WHERE 0",
    },
    Mutant {
        what: "crash: the first half of a decision lands",
        from: "value ->> '$.debit.replaces', value ->> '$.decision_id'\nFROM json_each(?1) WHERE EXISTS",
        to: "value ->> '$.debit.replaces', value ->> '$.decision_id'\nFROM json_each(?1) WHERE value ->> '$.debit.reason' = 'planned' AND EXISTS",
    },
    Mutant {
        what: "L8: a pause loses a debit",
        from: "for debit in scheduled {",
        to: "for debit in scheduled.into_iter().skip(1) {",
    },
    Mutant {
        what: "L8: what a revoked payment had shortened is owed by nothing",
        from: "self.fill_shortened(&payment.shortened);",
        to: "let _ = &payment.shortened;",
    },
    Mutant {
        what: "L8: a payment elsewhere shortens nothing",
        from: "self.shorten(None);\n        self.excess();",
        to: "self.excess();",
    },
    Mutant {
        what: "L8: more is refunded than was paid too much",
        from: "amount.signed() > self.state.balances().over_paid()",
        to: "amount.signed() > self.state.balances().paid",
    },
    Mutant {
        what: "L8: what was written off fills its gaps",
        from: "let may_be_filled = self.state.is_planned() && !self.state.written_off && !self.state.has_failed();",
        to: "let may_be_filled = self.state.is_planned() && !self.state.has_failed();",
    },
    Mutant {
        what: "L8: a gap is filled before there is a plan",
        from: "let may_be_filled = self.state.is_planned() && !self.state.written_off",
        to: "let may_be_filled = !self.state.written_off",
    },
    Mutant {
        what: "L8: a decision counts beside the processor's word",
        from: "!by_processor || o.source != Source::Decision",
        to: "!by_processor || o.source == o.source",
    },
    Mutant {
        what: "L8: two strikes hold nothing",
        from: "if self.exceptions.iter().any(|e| e.id == id || (e.open && e.kind == Kind::TwoStrikes)) {",
        to: "if true || self.exceptions.iter().any(|e| e.id == id || (e.open && e.kind == Kind::TwoStrikes)) {",
    },
    Mutant {
        what: "L3: a key is used when the processor may have forgotten it",
        from: "!stopped && !forgotten",
        to: "!stopped && (!forgotten || true)",
    },
    Mutant {
        what: "journal: what a return takes back is owed by nobody",
        from: "was_collected.then(|| (Why::CollectionReturned, self.charge(LedgerAccount::Cash, amount)))",
        to: "was_collected.then(|| (Why::CollectionReturned, vec![]))",
    },
    Mutant {
        what: "one key of an operator is done twice",
        from: "AND NOT EXISTS (SELECT 1 FROM operations WHERE idempotency_key = ?1 ->> '$.idempotency_key')\n  AND NOT",
        to: "AND NOT",
    },
    Mutant {
        what: "an idempotency key makes two credits",
        from: "if request.credit_id != intent.id {",
        to: "if request.credit_id != intent.id && false {",
    },
];
