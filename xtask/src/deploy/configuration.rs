//! wrangler.toml as a deployment reads it, and as it hands it to wrangler: with what only a deployment knows.

use crate::step::{Result, Stop};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use toml::{Table, Value};

/// Stands in the repository's wrangler.toml for the database that a deployment finds or makes by its name.
const NO_DATABASE: &str = "00000000-0000-0000-0000-000000000000";

/// What a deployment looks at. What is missing is found by the checks; what is of another kind cannot be read.
#[derive(Debug, Clone, Deserialize)]
pub struct Wrangler {
    #[serde(default)]
    pub name: String,
    pub account_id: Option<String>,
    #[serde(default)]
    pub vars: BTreeMap<String, Value>,
    #[serde(default)]
    pub secrets: Secrets,
    #[serde(default)]
    pub assets: Assets,
    #[serde(default)]
    pub d1_databases: Vec<Database>,
    #[serde(default)]
    pub r2_buckets: Vec<Bucket>,
    #[serde(default)]
    pub queues: Queues,
    #[serde(default)]
    pub ratelimits: Vec<RateLimit>,
    #[serde(default)]
    pub triggers: Triggers,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Secrets {
    #[serde(default)]
    pub required: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Assets {
    #[serde(default)]
    pub not_found_handling: String,
    #[serde(default)]
    pub run_worker_first: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Database {
    pub binding: String,
    pub database_name: String,
    #[serde(default)]
    pub database_id: String,
    #[serde(default)]
    pub migrations_dir: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Bucket {
    pub binding: String,
    pub bucket_name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Queues {
    #[serde(default)]
    pub producers: Vec<Producer>,
    #[serde(default)]
    pub consumers: Vec<Consumer>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Producer {
    pub binding: String,
    pub queue: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Consumer {
    pub queue: String,
    pub max_batch_size: Option<u32>,
    pub max_batch_timeout: Option<u32>,
    pub max_retries: Option<u32>,
    pub dead_letter_queue: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct RateLimit {
    pub name: String,
    pub simple: Simple,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Simple {
    pub limit: u32,
    pub period: u32,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub struct Triggers {
    #[serde(default)]
    pub crons: Vec<String>,
}

impl Wrangler {
    /// Reads the file's text; an error says where it is wrong.
    pub fn read(text: &str) -> std::result::Result<Wrangler, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// With another processor than the file's.
    pub fn with_processor(mut self, url: Option<&str>) -> Wrangler {
        self.vars.extend(url.map(|url| ("PROCESSOR_URL".to_owned(), Value::String(url.to_owned()))));
        self
    }

    /// The variables that are texts, as the Worker reads no others.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let texts = self.vars.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.into())));
        texts.collect()
    }

    /// The names of all queues, those of dead letters before those that name them.
    pub fn queue_names(&self) -> Vec<&str> {
        let consumers = &self.queues.consumers;
        let dead = consumers.iter().filter_map(|consumer| consumer.dead_letter_queue.as_deref());
        let sent = self.queues.producers.iter().map(|producer| producer.queue.as_str());
        let mut names = Vec::new();
        for name in dead.chain(sent).chain(consumers.iter().map(|consumer| consumer.queue.as_str())) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}

impl Database {
    /// The id that the file names, if it names one.
    pub fn known_id(&self) -> Option<&str> {
        Some(self.database_id.as_str()).filter(|id| !id.is_empty() && *id != NO_DATABASE)
    }
}

/// What only a deployment knows.
pub struct Completion<'a> {
    /// The Worker that was built.
    pub script: &'a Path,
    /// The dashboard that was built.
    pub assets: &'a Path,
    pub migrations: &'a Path,
    /// The id of the database, once it is known.
    pub database_id: Option<&'a str>,
    /// Variables beside those of the file.
    pub variables: &'a BTreeMap<String, String>,
}

/// The file's text with what only the deployment knows, for any folder.
pub fn completed(text: &str, with: &Completion<'_>) -> Result<String> {
    let mut table: Table = toml::from_str(text).map_err(|error| Stop(error.to_string()))?;
    table.insert("main".into(), Value::String(with.script.to_string_lossy().into_owned()));
    set(&mut table, "assets", "directory", &with.assets.to_string_lossy());
    for (name, value) in with.variables {
        set(&mut table, "vars", name, value);
    }
    let databases = table.get_mut("d1_databases").and_then(Value::as_array_mut).into_iter().flatten();
    for database in databases.filter_map(Value::as_table_mut) {
        database
            .insert("migrations_dir".into(), Value::String(with.migrations.to_string_lossy().into_owned()));
        if let Some(id) = with.database_id {
            database.insert("database_id".into(), Value::String(id.to_owned()));
        }
    }
    toml::to_string(&table).map_err(|error| Stop(error.to_string()))
}

/// Sets a value in a section, which is made where it is missing.
fn set(table: &mut Table, section: &str, name: &str, value: &str) {
    let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Some(section) = section.as_table_mut() {
        section.insert(name.to_owned(), Value::String(value.to_owned()));
    }
}
