//! Where the Worker's code comes from: each function is put, by its whole name, to the pile of who wrote it or for whose types it
//! was compiled, and each pile is compressed by itself. It says what a Worker of this contract cannot be smaller than.

use super::table::Table;
use super::worker::node;
use super::{Bench, number};
use crate::step::{self, Result, Stop};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use wasmparser::{KnownCustom, Name, Parser, Payload, TypeRef};

/// What the piles are called, in the order in which they are shown.
const LIBRARIES: &str = "libraries, without a type of ours";
const SERDE: &str = "serde and serde_json for our types";
const TEXTS: &str = "texts and tables";
const BINDINGS: &str = "JavaScript of the bindings";
const GENERICS: &str = "what else libraries compile for our types";
const EDGE: &str = "edge";
const CORE: &str = "core";
const PILES: [&str; 7] = [LIBRARIES, SERDE, TEXTS, BINDINGS, GENERICS, EDGE, CORE];

/// How much of the piles is there before the first function of our own.
const GIVEN: [&str; 4] = [LIBRARIES, SERDE, TEXTS, BINDINGS];

/// Says below the table of what the Worker's code is made.
pub fn origins(bench: &Bench, table: &mut Table) -> Result<Value> {
    let mut piles = piles(&fs::read(named(bench)?)?)?;
    piles.insert(BINDINGS, fs::read(bench.setup.root().join("edge/build-release/index.js"))?);
    let folder = bench.folder().join("code");
    fs::create_dir_all(&folder)?;
    let mut files = Vec::new();
    for (number, (pile, bytes)) in piles.iter().enumerate() {
        let file = folder.join(format!("pile-{number}"));
        fs::write(&file, bytes)?;
        files.push(json!({ "pile": pile, "file": file }));
    }
    let measured = node(bench, "code", json!({ "files": files }))?;
    let gzipped = |pile: &str| number(&measured, &format!("/{pile}")) / 1024.0;
    for pile in PILES {
        table.note(format!("Worker's code, {pile}"), gzipped(pile), " KiB gzipped");
    }
    let given = GIVEN.into_iter().map(gzipped).sum();
    table.note("Worker's code, the first four of these".into(), given, " KiB gzipped");
    Ok(measured)
}

/// The Worker's code as the compiler leaves it, with the names by which a function's types can be told.
fn named(bench: &Bench) -> Result<PathBuf> {
    let target = bench.folder().join("named");
    let mut cargo = bench.setup.wasm_command("cargo", "");
    cargo.args(["build", "--package", "paydown-edge", "--release", "--target", "wasm32-unknown-unknown"]);
    cargo.arg("--target-dir").arg(&target).env("RUSTFLAGS", "-C symbol-mangling-version=v0");
    step::run("building the Worker with whole names", &mut cargo)?;
    Ok(target.join("wasm32-unknown-unknown/release/paydown_edge.wasm"))
}

/// The bytes of the functions and of the data, by their piles.
fn piles(module: &[u8]) -> Result<BTreeMap<&'static str, Vec<u8>>> {
    let unreadable =
        |error: wasmparser::BinaryReaderError| Stop(format!("the Worker's code is unreadable: {error}"));
    let mut imported = 0_u32;
    let (mut bodies, mut names) = (Vec::new(), BTreeMap::new());
    let mut piles: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(unreadable)? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let is_function = matches!(import.map_err(unreadable)?.ty, TypeRef::Func(_));
                    imported += u32::from(is_function);
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.as_bytes()),
            Payload::DataSection(data) => {
                for segment in data {
                    let bytes = segment.map_err(unreadable)?.data;
                    piles.entry(TEXTS).or_default().extend_from_slice(bytes);
                }
            }
            Payload::CustomSection(section) => {
                let KnownCustom::Name(subsections) = section.as_known() else { continue };
                for subsection in subsections {
                    let Name::Function(functions) = subsection.map_err(unreadable)? else { continue };
                    for function in functions {
                        let function = function.map_err(unreadable)?;
                        names.insert(function.index, function.name);
                    }
                }
            }
            _ => {}
        }
    }
    for (index, body) in (imported..).zip(bodies) {
        let name = names.get(&index).ok_or_else(|| Stop(format!("function {index} has no name")))?;
        let pile = pile(&format!("{:#}", rustc_demangle::demangle(name)));
        piles.entry(pile).or_default().extend_from_slice(body);
    }
    Ok(piles)
}

/// The pile of a function by its name: a path, or the type in angle brackets whose method it is.
fn pile(name: &str) -> &'static str {
    let path = name.trim_start_matches(['<', '&', '(', '*', '[']);
    let path = path.trim_start_matches("dyn ").trim_start_matches("mut ").trim_start_matches("const ");
    let of = path.split("::").next().unwrap_or_default();
    match of {
        _ if !name.contains("paydown") => LIBRARIES,
        _ if name.contains("serde") => SERDE,
        "paydown_edge" => EDGE,
        "paydown" => CORE,
        _ => GENERICS,
    }
}

#[cfg(test)]
mod tests {
    use super::{CORE, EDGE, GENERICS, LIBRARIES, SERDE, pile};

    #[test]
    fn a_function_is_put_to_who_wrote_it_or_for_whose_types_it_is() {
        for (name, expected) in [
            ("paydown_edge::run::run::{closure#0}", EDGE),
            ("<paydown_edge::run::Running>::begin::{closure#0}", EDGE),
            ("paydown::decision::decide", CORE),
            (
                "<paydown::credit::Facts as serde_core::de::Deserialize>::deserialize::<serde_json::de::X>",
                SERDE,
            ),
            ("<&mut serde_json::de::Deserializer<R> as D>::deserialize_struct::<paydown::credit::V>", SERDE),
            ("<alloc::vec::Vec<paydown::decision::Fact> as core::clone::Clone>::clone", GENERICS),
            ("<alloc::vec::Vec<u8>>::push", LIBRARIES),
            ("serde_json::value::to_value", LIBRARIES),
        ] {
            assert_eq!(pile(name), expected, "{name}");
        }
    }
}
