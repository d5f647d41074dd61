//! A deployment without a network: wrong configurations are refused, and a wrangler that is none shows the order of the
//! steps and that each may be taken again.

mod checking;
mod steps;

use super::checks::{Needs, Said};

/// The configuration of the repository.
const FILE: &str = include_str!("../../../../edge/wrangler.toml");

/// What the Worker needs; that its source says the same, the dry run shows.
fn said() -> Said {
    let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let needs = Needs {
        database: "DB".into(),
        migrations: 2,
        bucket: "REPORTS".into(),
        queues: text(&["RUNS", "OUTBOX", "INTAKE_QUEUE", "WEBHOOKS"]),
        dead_letters: "-dead".into(),
        limiter: "LIMITER".into(),
        limit_requests: 10_000,
        limit_seconds: 10,
        crons: text(&["0 6 * * *", "*/10 * * * *"]),
        secrets: text(&["PROCESSOR_TOKEN"]),
    };
    Said { needs, problems: vec![] }
}
