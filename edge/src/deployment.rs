//! What a deployment must have, in the Worker's own words. For the command that deploys; the Worker does not carry it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use paydown::date::Zone;
use serde::Serialize;

use crate::bindings::{
    DAILY, DATABASE, DEAD_LETTERS, INTAKE_QUEUE, LIMITER, OUTBOX, PROCESSOR_TOKEN, PROCESSOR_URL, REPORTS,
    RUNS, SWEEP, WEBHOOKS,
};
use crate::config::Settings;
use crate::ledger::listings::SCHEMA_VERSION;
use crate::ports::{LIMIT_REQUESTS, LIMIT_SECONDS};
use crate::processor::Endpoint;

/// What the platform must give the Worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Needs {
    /// The binding of the database.
    pub database: &'static str,
    /// How many migrations the database has.
    pub migrations: u32,
    /// The binding of the bucket.
    pub bucket: &'static str,
    /// The bindings of the queues that are sent to.
    pub queues: [&'static str; 4],
    /// How the name of a queue of dead letters ends.
    pub dead_letters: &'static str,
    /// The binding of the rate limiter.
    pub limiter: &'static str,
    /// How many requests it allows.
    pub limit_requests: u32,
    /// Within how many seconds.
    pub limit_seconds: u32,
    /// The crons.
    pub crons: [&'static str; 2],
    /// The secrets.
    pub secrets: [&'static str; 1],
}

/// What the Worker of this source needs.
pub const NEEDS: Needs = Needs {
    database: DATABASE,
    migrations: SCHEMA_VERSION,
    bucket: REPORTS,
    queues: [RUNS, OUTBOX, INTAKE_QUEUE, WEBHOOKS],
    dead_letters: DEAD_LETTERS,
    limiter: LIMITER,
    limit_requests: LIMIT_REQUESTS,
    limit_seconds: LIMIT_SECONDS,
    crons: [DAILY, SWEEP],
    secrets: [PROCESSOR_TOKEN],
};

/// All variables that the Worker reads, but for its secrets.
pub fn variables() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::from([PROCESSOR_URL.to_owned()]));
    let none = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None
    };
    // Without values there is nothing to refuse, so that each variable is asked for.
    let _ = Settings::from_variables(none, |_| None);
    asked.into_inner()
}

/// What is wrong with the variables of a deployment, all at once. `knows_zone` says whether the runtime's time zone
/// database has a name.
pub fn problems(given: &BTreeMap<String, String>, knows_zone: impl Fn(&str) -> bool) -> Vec<String> {
    let zone_named = |name: &str| knows_zone(name).then(Zone::default);
    let mut problems = Vec::new();
    let known = variables();
    for name in given.keys() {
        if NEEDS.secrets.contains(&name.as_str()) {
            problems.push(format!("{name} is a secret: it must not stand among the variables"));
        } else if !known.contains(name) {
            problems.push(format!("{name} is no variable of the Worker"));
        }
    }
    for (name, value) in given {
        let alone = |asked: &str| (asked == name).then(|| value.clone());
        problems.extend(Settings::from_variables(alone, zone_named).err());
    }
    if problems.is_empty() {
        problems.extend(Settings::from_variables(|name| given.get(name).cloned(), zone_named).err());
    }
    problems.extend(processor_problem(given.get(PROCESSOR_URL).map_or("", String::as_str)));
    problems
}

fn processor_problem(url: &str) -> Option<String> {
    if url.is_empty() {
        return Some("PROCESSOR_URL is not set".into());
    }
    match Endpoint::parse(url) {
        Err(why) => Some(why),
        Ok(endpoint) if endpoint.loopback => {
            Some(format!("PROCESSOR_URL is {url}: a deployed Worker reaches no processor on its own machine"))
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{NEEDS, problems, variables};

    const RIGHT: [(&str, &str); 3] =
        [("PROCESSOR_URL", "https://bank.test/api"), ("CURRENCY", "EUR"), ("MAX_ADVANCE", "5")];

    fn with(changes: &[(&str, &str)]) -> Vec<String> {
        let given = RIGHT.iter().chain(changes).map(|(name, value)| (name.to_string(), value.to_string()));
        problems(&given.collect(), |zone| zone == "America/New_York")
    }

    #[test]
    fn right_variables_have_no_problem() {
        assert!(with(&[]).is_empty());
        assert!(with(&[("BUSINESS_TIME_ZONE", "America/New_York")]).is_empty());
        assert!(variables().contains("KEY_DAYS") && variables().contains("PROCESSOR_URL"));
        assert!(!variables().contains(NEEDS.secrets[0]));
    }

    #[test]
    fn each_wrong_variable_is_named_at_once() {
        let wrong = [
            (
                "BUSINESS_TIME_ZONE",
                "America/Nowhere",
                "BUSINESS_TIME_ZONE is America/Nowhere: an IANA time zone",
            ),
            ("CURRENCY", "usd", "CURRENCY is not an ISO 4217 code"),
            ("INTAKE", "fast", "INTAKE is fast: direct or queue is needed"),
            ("MAX_ADVANCE", "0", "MAX_ADVANCE is 0: a whole number from 1 to"),
            ("MAX_ADVANC", "1", "MAX_ADVANC is no variable of the Worker"),
            ("PROCESSOR_TOKEN", "x", "PROCESSOR_TOKEN is a secret"),
            ("REPORT_WINDOW_DAYS", "five", "REPORT_WINDOW_DAYS is five: a whole number from 1 to 366"),
            ("TIMEOUT_DAYS", "367", "TIMEOUT_DAYS is 367: a whole number from 1 to 366"),
        ];
        for (name, value, expected) in wrong {
            let found = with(&[(name, value)]);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{name}={value}: {found:?}");
        }
        let all = with(&wrong.map(|(name, value, _)| (name, value)));
        for (_, _, expected) in wrong {
            assert!(all.iter().any(|problem| problem.starts_with(expected)), "{expected} in {all:?}");
        }
    }

    #[test]
    fn the_processor_is_elsewhere_and_spoken_to_in_secret() {
        for (url, expected) in [
            ("", "PROCESSOR_URL is not set"),
            ("bank", "PROCESSOR_URL is no URL"),
            ("http://bank.test", "PROCESSOR_URL must begin with https://"),
            ("https://localhost:8788", "PROCESSOR_URL is https://localhost:8788: a deployed Worker"),
            ("http://127.0.0.1:8788", "PROCESSOR_URL is http://127.0.0.1:8788: a deployed Worker"),
            ("https://me:secret@bank.test", "PROCESSOR_URL must hold no user and password"),
            ("https://bank.test/?v=1", "PROCESSOR_URL must end with its path"),
        ] {
            let found = with(&[("PROCESSOR_URL", url)]);
            assert!(found.len() == 1 && found[0].starts_with(expected), "{url}: {found:?}");
        }
    }
}
