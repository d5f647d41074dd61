//! What the Worker needs, and what is wrong with the variables it is to get: how the command that deploys asks the
//! Worker's own source.
//!
//! Reads `{"variables": {"CURRENCY": "USD"}, "zones": ["America/New_York"]}`, the zones being those that the runtime's
//! database has of the names that are asked about, and writes `{"needs": {...}, "problems": [...]}`.

use std::collections::BTreeMap;
use std::io::{Error, read_to_string, stdin};

use paydown_edge::deployment::{NEEDS, problems};
use serde::Deserialize;

#[derive(Deserialize)]
struct Asked {
    variables: BTreeMap<String, String>,
    zones: Vec<String>,
}

fn main() -> Result<(), Error> {
    let Asked { variables, zones } = serde_json::from_str(&read_to_string(stdin())?)?;
    let problems = problems(&variables, |name| zones.iter().any(|zone| zone == name));
    println!("{}", serde_json::json!({ "needs": NEEDS, "problems": problems }));
    Ok(())
}
