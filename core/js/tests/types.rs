//! The TypeScript types of the package are those of the schemas of the shapes that it takes and gives.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic: the lints against it are for production code"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use paydown::api::Plan;
use paydown::coverage::CompleteReport;
use paydown::credit::Facts;
use paydown::decision::{Decision, Input};
use paydown_js::error::Code;
use paydown_js::report::Report;
use paydown_js::shapes::{ContextRequest, PlanOf, ReportOptions, Standing};
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The types as the package carries them.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/types.d.ts");

const HEADING: &str = "\
// The shapes that the package takes and gives. Made from the schemas of core's own types, not written by hand:
// PAYDOWN_UPDATE=1 cargo nextest run -p paydown-js types
";

#[test]
fn the_file_holds_the_types() {
    let text = types();
    if std::env::var_os("PAYDOWN_UPDATE").is_some() {
        fs::write(Path::new(FILE), &text).expect("the file is written");
    }
    let file = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        file == text,
        "core/js/npm/types.d.ts is another: PAYDOWN_UPDATE=1 cargo nextest run -p paydown-js types"
    );
}

#[test]
fn each_code_has_its_name() {
    for code in [Code::BadInput, Code::BadTerms, Code::StaleDecision, Code::OutOfRange] {
        assert_eq!(serde_json::to_value(code).expect("JSON"), code.name());
    }
}

#[test]
fn the_package_has_the_version_of_the_workspace() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/package.json");
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(manifest).expect("a manifest")).expect("JSON");
    assert_eq!(manifest["version"], env!("CARGO_PKG_VERSION"));
}

/// What is given is described as it is written, what is only taken as it is read: there, what has a default may be
/// left out.
fn types() -> String {
    let mut given = SchemaSettings::draft2020_12().for_serialize().into_generator();
    given.subschema_for::<Facts>();
    given.subschema_for::<Decision>();
    given.subschema_for::<Standing>();
    given.subschema_for::<Plan>();
    given.subschema_for::<Report>();
    given.subschema_for::<Code>();
    let mut taken = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    taken.subschema_for::<PlanOf>();
    taken.subschema_for::<Input>();
    taken.subschema_for::<ContextRequest>();
    taken.subschema_for::<CompleteReport>();
    taken.subschema_for::<ReportOptions>();

    // Of two types with one name, the second is called so in silence.
    let numbered = |name: &&String| name.ends_with(|c: char| c.is_ascii_digit());
    let (taken, given) = (taken.take_definitions(true), given.take_definitions(true));
    assert_eq!(taken.keys().chain(given.keys()).filter(numbered).collect::<Vec<_>>(), [""; 0]);
    let mut all: BTreeMap<String, Value> = taken.into_iter().collect();
    all.extend(given);
    let written = all.iter().map(|(name, schema)| format!("\n{}", declaration(name, schema)));
    format!("{HEADING}{}", written.collect::<String>())
}

fn declaration(name: &str, schema: &Value) -> String {
    let doc = comment(schema, "");
    if schema.get("properties").is_some() && schema.get("$ref").is_none() && schema.get("oneOf").is_none() {
        return format!("{doc}export interface {name} {}\n", object(schema, ""));
    }
    format!("{doc}export type {name} = {};\n", type_of(schema, "")).replace("= \n", "=\n")
}

/// The type that a schema describes. What is not understood fails: a type must not be truer than it is.
fn type_of(schema: &Value, indent: &str) -> String {
    let members = schema.as_object().unwrap_or_else(|| panic!("{schema} is no schema of an object"));
    if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().expect("a name").to_owned();
        return match members.contains_key("properties") {
            true => format!("{name} & {}", object(schema, indent)),
            false => name,
        };
    }
    if let Some(constant) = members.get("const") {
        return constant.to_string();
    }
    if let Some(values) = members.get("enum").and_then(Value::as_array) {
        return either(values.iter().map(Value::to_string));
    }
    if let Some(variants) = ["oneOf", "anyOf"].into_iter().find_map(|key| members.get(key)?.as_array()) {
        let below = format!("{indent}  ");
        let variants = variants.iter().map(|variant| match comment(variant, &below) {
            doc if doc.is_empty() => type_of(variant, indent),
            doc => format!("\n{doc}{below}| {}", type_of(variant, &below)),
        });
        return either(variants).replace(" | \n", "\n");
    }
    match members.get("type") {
        Some(Value::String(name)) => simple(name, schema, indent),
        Some(Value::Array(names)) => {
            either(names.iter().map(|name| simple(name.as_str().expect("a name"), schema, indent)))
        }
        Some(_) | None => panic!("{schema} has no type"),
    }
}

fn either(types: impl Iterator<Item = String>) -> String {
    types.collect::<Vec<_>>().join(" | ")
}

fn simple(name: &str, schema: &Value, indent: &str) -> String {
    match name {
        "string" | "boolean" | "null" => name.to_owned(),
        "integer" => "number".to_owned(),
        "object" => object(schema, indent),
        "array" => match (schema.get("prefixItems").and_then(Value::as_array), schema.get("items")) {
            (Some(parts), _) => {
                let parts: Vec<String> = parts.iter().map(|part| type_of(part, indent)).collect();
                format!("[{}]", parts.join(", "))
            }
            (None, Some(items)) => format!("Array<{}>", type_of(items, indent)),
            (None, None) => panic!("{schema} is an array of anything"),
        },
        _ => panic!("{schema} has an unknown type"),
    }
}

fn object(schema: &Value, indent: &str) -> String {
    let properties = schema["properties"].as_object().unwrap_or_else(|| panic!("{schema} has no properties"));
    let required: Vec<&str> = match schema.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).collect(),
        None => vec![],
    };
    let below = format!("{indent}  ");
    let lines = properties.iter().map(|(name, property)| {
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        format!("{}{below}{name}{optional}: {};\n", comment(property, &below), type_of(property, &below))
    });
    format!("{{\n{}{indent}}}", lines.collect::<String>())
}

/// The documentation with its unit and range, where there is any.
fn comment(schema: &Value, indent: &str) -> String {
    let text = schema.get("description").and_then(Value::as_str).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let lines = lines.iter().map(|line| format!("{indent} * {line}").trim_end().to_owned() + "\n");
            format!("{indent}/**\n{}{indent} */\n", lines.collect::<String>())
        }
    }
}
