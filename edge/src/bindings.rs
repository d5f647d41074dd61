//! The names by which the platform gives the Worker what it works with. wrangler.toml has the same; `cargo xtask deploy`
//! holds it to them.

/// The database.
pub const DATABASE: &str = "DB";

/// The bucket of the archived reports.
pub const REPORTS: &str = "REPORTS";

/// The queue of what a run hands on.
pub const RUNS: &str = "RUNS";

/// The queue of credits that are to be submitted.
pub const OUTBOX: &str = "OUTBOX";

/// The queue of advances that wait to be recorded.
pub const INTAKE_QUEUE: &str = "INTAKE_QUEUE";

/// The queue of endpoints for which events wait.
pub const WEBHOOKS: &str = "WEBHOOKS";

/// The rate limiter.
pub const LIMITER: &str = "LIMITER";

/// How the name of a queue ends that holds what failed for good.
pub const DEAD_LETTERS: &str = "-dead";

/// The variable that says where the processor is.
pub const PROCESSOR_URL: &str = "PROCESSOR_URL";

/// The secret that the processor is shown.
pub const PROCESSOR_TOKEN: &str = "PROCESSOR_TOKEN";

/// When the daily run begins. In UTC, like every cron.
pub const DAILY: &str = "0 6 * * *";

/// When the sweeper looks after what was left lying.
pub const SWEEP: &str = "*/10 * * * *";
