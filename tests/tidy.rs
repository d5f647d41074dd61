//! The invariants of the architecture, checked over the tree itself.
//!
//! Rust is read as tokens, so that a comment breaks no rule and a string is told from code.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use paydown::credit::Kind;
use paydown_edge::deployment;
use paydown_tests::sqlite::MIGRATIONS;
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use rusqlite::Connection;
use serde_json::Value;

/// The files that may read the clock.
const CLOCKS: &[&str] = &["edge/src/platform/clock.rs", "web/src/clock.rs"];

/// What the tree has at its top.
const TOP_LEVEL: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".gitignore",
    ".npmrc",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "Trunk.toml",
    "clippy.toml",
    "core",
    "edge",
    "index.html",
    "package-lock.json",
    "package.json",
    "rustfmt.toml",
    "tests",
    "web",
    "xtask",
];

/// Lints that stand between production code and a panic, or unsafe memory.
const DENIED_LINTS: &[&str] = &["unwrap_used", "expect_used", "panic", "indexing_slicing"];

#[test]
fn core_depends_on_nothing_that_does_input_or_output() {
    assert_eq!(dependencies("paydown"), ["chrono", "fasti", "memchr", "schemars", "serde", "sha1", "uuid"]);
    let tree =
        in_repository("cargo", &["tree", "-p", "paydown", "-e", "normal", "--prefix", "none", "--offline"]);
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains("chrono"), "the tree of core is read: {names:?}");
    let banned =
        ["worker", "web-sys", "js-sys", "wasm-bindgen", "tokio", "getrandom", "rand", "iana-time-zone"];
    let found: Vec<&str> = banned.into_iter().filter(|name| names.contains(name)).collect();
    assert_eq!(found, [""; 0], "core must not reach these");
}

#[test]
fn core_has_no_float() {
    // Of a number, what comes after its first digits: `.5`, `e3`, `f64`; of a whole one nothing, `usize` or `xff`.
    let is_float = |token: &str| {
        let after_digits = token.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_');
        matches!(token, "f32" | "f64")
            || token.starts_with(|c: char| c.is_ascii_digit())
                && after_digits.starts_with(['.', 'e', 'E', 'f'])
    };
    assert_none(rust_under(&["core/src"]), |source| {
        source.code.iter().filter(|token| is_float(token)).cloned().collect()
    });
}

#[test]
fn only_the_clock_reads_the_clock() {
    const READINGS: &[&[&str]] = &[
        &["SystemTime", ":", ":", "now"],
        &["Instant", ":", ":", "now"],
        &["Utc", ":", ":", "now"],
        &["Local", ":", ":", "now"],
        &["Date", ":", ":", "now"],
        &["Date", ":", ":", "new_0"],
        &["Uuid", ":", ":", "now_v7"],
        &["performance"],
    ];
    let elsewhere =
        rust_under(&["core", "edge", "web"]).filter(|source| !CLOCKS.contains(&source.path.as_str()));
    assert_none(elsewhere, |source| {
        let found = |reading: &&&[&str]| source.code.windows(reading.len()).any(|window| window == **reading);
        READINGS.iter().filter(found).map(|reading| reading.concat()).collect()
    });
    let clock = std::fs::read_to_string(root().join(CLOCKS[0])).expect("the clock");
    assert!(clock.contains("Date::now"), "the clock reads the clock: the readings above are the ones in use");
    assert_none(scripts_under("web"), |source| {
        let readings = ["Date.now", "new Date()", "performance.now"];
        readings.into_iter().filter(|r| source.text.contains(r)).map(str::to_owned).collect()
    });
}

#[test]
fn no_sql_reads_the_clock() {
    let readings = [
        "current_timestamp",
        "current_date",
        "current_time",
        "('now'",
        "strftime(",
        "julianday(",
        "unixepoch(",
    ];
    assert_none(sql_of_the_edge(), |source| {
        let text = source.text.to_lowercase();
        readings.into_iter().filter(|r| text.contains(r)).map(str::to_owned).collect()
    });
}

#[test]
fn every_sql_statement_is_in_the_ledger() {
    let elsewhere =
        rust_under(&["core", "edge/src", "web"]).filter(|s| !s.path.starts_with("edge/src/ledger/"));
    assert_none(elsewhere, |source| source.strings.iter().filter(|text| is_sql(text)).cloned().collect());
    let in_ledger = rust_under(&["edge/src/ledger"]).any(|s| s.strings.iter().any(|text| is_sql(text)));
    assert!(in_ledger, "the ledger's own statements are seen as such");
    let stray = files().into_iter().filter(|path| path.ends_with(".sql"));
    let stray: Vec<String> =
        stray.filter(|path| !path.starts_with("edge/migrations/") && !path.starts_with("tests/")).collect();
    assert_eq!(stray, [""; 0], "SQL files outside the migrations");
}

#[test]
fn no_statement_updates_deletes_or_replaces() {
    assert_none(sql_of_the_edge(), |source| {
        let words = words(&source.text);
        let before = |index: usize| index.checked_sub(1).and_then(|i| words.get(i)).map(String::as_str);
        let verb = |word: &str| matches!(word, "UPDATE" | "DELETE" | "REPLACE");
        let found = words.iter().enumerate().filter(|(i, word)| verb(word) && before(*i) != Some("BEFORE"));
        found.map(|(_, word)| format!("{word} in {}", source.text.trim())).collect()
    });
}

#[test]
fn every_table_refuses_to_change() {
    let ledger = Connection::open_in_memory().expect("SQLite opens in memory");
    for path in migrations() {
        ledger.execute_batch(&read(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    }
    let query = |sql: &str| -> Vec<String> {
        let mut statement = ledger.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.map(|row| row.expect("a text")).collect()
    };
    let one_line = |sql: &str| sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let tables = query(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    assert!(tables.len() > 20, "the migrations make tables: {tables:?}");
    for table in tables {
        let of = |condition: &str| {
            query(&format!(
                "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{table}' AND {condition}"
            ))
        };
        let triggers: Vec<String> = of("true").iter().map(|sql| one_line(sql)).collect();
        let has = |wanted: &str| triggers.iter().any(|sql| sql.contains(wanted));
        for verb in ["UPDATE", "DELETE"] {
            let wanted = format!(
                "BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'facts are only added: {table}'); END"
            );
            assert!(has(&wanted), "{table} has no trigger {wanted}");
        }
        let keys = query(&format!("SELECT name FROM pragma_index_list('{table}') WHERE \"unique\" = 1"));
        assert!(!keys.is_empty(), "{table} has a key");
        for key in keys {
            let columns = query(&format!("SELECT name FROM pragma_index_info('{key}') ORDER BY seqno"));
            let same: Vec<String> = columns.iter().map(|column| format!("{column} = NEW.{column}")).collect();
            let wanted = format!(
                "BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {}) BEGIN SELECT RAISE(IGNORE); END",
                same.join(" AND ")
            );
            assert!(has(&wanted), "{table} has no trigger {wanted}");
        }
        let strict = query(&format!("SELECT CAST(strict AS TEXT) FROM pragma_table_list('{table}')"));
        assert_eq!(strict, ["1"], "{table} is strict");
    }
}

#[test]
fn the_tests_run_every_migration() {
    let texts: Vec<String> = migrations().iter().map(|path| read(path)).collect();
    assert!(texts == MIGRATIONS, "MIGRATIONS are the files of edge/migrations, in order: {:?}", migrations());
}

#[test]
fn lints_deny_what_could_panic() {
    let manifest = read("Cargo.toml");
    let denied = section(&manifest, "[workspace.lints.clippy]");
    for lint in DENIED_LINTS {
        assert!(denied.contains(&format!("{lint} = \"deny\"").as_str()), "{lint} is denied: {denied:?}");
    }
    let rust = section(&manifest, "[workspace.lints.rust]");
    assert!(rust.contains(&"unsafe_code = \"forbid\""), "unsafe code is forbidden: {rust:?}");
    for manifest in ["core/Cargo.toml", "core/js/Cargo.toml", "edge/Cargo.toml", "web/Cargo.toml"] {
        assert_eq!(section(&read(manifest), "[lints]"), ["workspace = true"], "{manifest}");
    }
    let release = section(&manifest, "[profile.release]");
    assert!(release.contains(&"overflow-checks = true"), "overflow is checked in release: {release:?}");
    assert!(
        read("core/src/lib.rs").contains("clippy::arithmetic_side_effects"),
        "arithmetic in core is checked"
    );
    let banned = read("clippy.toml");
    for reading in ["std::time::SystemTime::now", "std::time::Instant::now"] {
        assert!(banned.contains(reading), "clippy bans {reading}");
    }
}

#[test]
fn no_lint_that_denies_a_panic_is_silenced() {
    assert_none(rust_under(&["core/src", "core/js/src", "edge/src"]), |source| {
        let silenced = |attribute: &Vec<String>| {
            attribute.iter().any(|t| t == "allow" || t == "expect")
                && attribute.iter().any(|t| DENIED_LINTS.contains(&t.as_str()))
        };
        source.attributes.iter().filter(|a| silenced(a)).map(|a| a.concat()).collect()
    });
}

#[test]
fn production_code_gives_up_nowhere() {
    let given_up = ["todo", "unimplemented", "unreachable"];
    assert_none(rust_under(&["core/src", "core/js/src", "edge/src"]), |source| {
        let calls = source.production.windows(2).filter(|pair| pair[1] == "!");
        calls.map(|pair| pair[0].clone()).filter(|name| given_up.contains(&name.as_str())).collect()
    });
}

#[test]
fn imports_point_one_way() {
    let below = |package: &str| -> Vec<String> {
        let members = [
            "paydown",
            "paydown-js",
            "paydown-edge",
            "paydown-web",
            "paydown-tests",
            "paydown-bank",
            "paydown-bench",
            "paydown-least",
            "xtask",
        ];
        dependencies(package).into_iter().filter(|name| members.contains(&name.as_str())).collect()
    };
    assert_eq!(below("paydown"), [""; 0]);
    assert_eq!(below("paydown-js"), ["paydown"]);
    assert_eq!(below("paydown-edge"), ["paydown"]);
    assert_eq!(below("paydown-web"), ["paydown"]);
    assert_eq!(below("paydown-bank"), [""; 0], "the simulator knows nothing of whom it is a bank for");
    assert_eq!(below("paydown-bench"), ["paydown"]);
    assert_eq!(below("paydown-least"), [""; 0]);
    assert_eq!(below("xtask"), [""; 0]);
}

#[test]
fn the_tree_is_the_list_of_nouns() {
    let vague = ["util", "utils", "helper", "helpers", "common", "manager", "managers", "misc"];
    let found = files().into_iter().filter(|path| {
        path.split('/').any(|part| part.split(['.', '_', '-']).any(|word| vague.contains(&word)))
    });
    assert_eq!(found.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_top_level_holds_only_what_it_must() {
    let top: BTreeSet<String> =
        files().iter().filter_map(|path| path.split('/').next()).map(str::to_owned).collect();
    let strange: Vec<&String> = top.iter().filter(|name| !TOP_LEVEL.contains(&name.as_str())).collect();
    assert_eq!(strange, [""; 0]);
}

#[test]
fn the_lock_of_the_npm_packages_holds_no_address() {
    let lock: Value = serde_json::from_str(&read("package-lock.json")).expect("the lock is JSON");
    let packages = lock["packages"].as_object().expect("the lock has packages");
    assert!(packages.len() > 3, "the lock holds packages");
    let addressed = packages.iter().filter(|(_, package)| package.get("resolved").is_some());
    assert_eq!(addressed.map(|(name, _)| name).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn the_readme_names_each_dependency() {
    let readme = read("README.md");
    let section = section(&readme, "## Dependencies");
    let rows = section.iter().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<String> = rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect();
    let used: BTreeSet<String> = external_dependencies();
    assert!(used.contains("chrono"), "the manifests are read");
    assert_eq!(used.difference(&named).collect::<Vec<_>>(), [""; 0], "not in the README's table");
    assert_eq!(named.difference(&used).collect::<Vec<_>>(), [""; 0], "in the README's table, used nowhere");
    let package: Value = serde_json::from_str(&read("package.json")).expect("package.json is JSON");
    let tools = package["devDependencies"].as_object().expect("package.json has tools");
    for tool in tools.keys() {
        assert!(
            section.iter().any(|line| line.contains(&format!("`{tool}`"))),
            "{tool} is not in the README"
        );
    }
}

#[test]
fn the_readme_names_each_variable() {
    let readme = read("README.md");
    let section = section(&readme, "## Configuration");
    let rows = section.iter().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<String> = rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect();
    let mut known = deployment::variables();
    known.extend(deployment::NEEDS.secrets.map(str::to_owned));
    assert_eq!(named, known);
}

#[test]
fn the_runbook_says_what_to_do_about_each_exception_and_each_metric() {
    let runbook = read("edge/RUNBOOK.md");
    let sections: Vec<(&str, Vec<&str>)> = runbook
        .split("\n### `")
        .skip(1)
        .map(|section| (section.split('`').next().unwrap_or_default(), section.lines().collect()))
        .collect();
    let found: BTreeSet<String> = sections.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(found.len(), sections.len(), "each has one section");
    let metrics = Source::of_rust("edge/src/http/metrics.rs".into()).strings;
    let metrics =
        metrics.iter().map(|text| text.trim_matches('"')).filter(|text| text.starts_with("paydown_"));
    let mut wanted: BTreeSet<String> = metrics.map(str::to_owned).collect();
    assert!(wanted.len() >= 10, "the metrics are read: {wanted:?}");
    wanted.extend(Kind::ALL.map(|kind| kind.name().to_owned()));
    wanted.insert("/healthz".into());
    assert_eq!(found, wanted);
    for (name, lines) in sections {
        for label in ["- **Means:** ", "- **Look at:** ", "- **Do:** ", "- **Waiting costs:** "] {
            let said = lines.iter().find_map(|line| line.strip_prefix(label)).unwrap_or_default();
            assert!(said.len() > 10, "{name} does not say: {label}");
        }
    }
}

// --- what a rule is asked about ---

/// A file of the tree, or a string in it.
struct Source {
    path: String,
    text: String,
    /// The tokens outside of strings and attributes.
    code: Vec<String>,
    /// Those of them that are not in a `#[cfg(test)]` module.
    production: Vec<String>,
    /// The tokens of each attribute.
    attributes: Vec<Vec<String>>,
    /// The string literals, documentation left out.
    strings: Vec<String>,
}

impl Source {
    fn of_text(path: String, text: String) -> Source {
        Source { path, text, code: vec![], production: vec![], attributes: vec![], strings: vec![] }
    }

    fn of_rust(path: String) -> Source {
        let text = read(&path);
        let tokens: TokenStream = text.parse().unwrap_or_else(|e| panic!("{path}: {e}"));
        let mut source = Source::of_text(path, text);
        source.take(tokens, true);
        source
    }

    fn take(&mut self, tokens: TokenStream, mut is_production: bool) {
        let outside = is_production;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            if is_punct(&token, '#') {
                if tokens.peek().is_some_and(|next| is_punct(next, '!')) {
                    tokens.next();
                }
                if let Some(TokenTree::Group(group)) = tokens.next() {
                    let attribute = flat(group.stream());
                    is_production &= attribute.concat() != "cfg(test)";
                    self.attributes.push(attribute);
                }
                continue;
            }
            match token {
                TokenTree::Group(group) => {
                    self.take(group.stream(), is_production);
                    if group.delimiter() == Delimiter::Brace {
                        is_production = outside;
                    }
                }
                TokenTree::Literal(literal) if literal.to_string().contains('"') => {
                    self.strings.push(literal.to_string());
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.code.push(token.to_string());
                    if is_production {
                        self.production.push(token.to_string());
                    }
                    // What an attribute stands before ends with its semicolon or its body.
                    if is_punct(&token, ';') {
                        is_production = outside;
                    }
                }
            }
        }
    }
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// All tokens of an attribute, with its parentheses.
fn flat(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                found.push("(".to_owned());
                found.extend(flat(group.stream()));
                found.push(")".to_owned());
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {
                found.push(token.to_string())
            }
        }
    }
    found
}

/// Each file of `sources` with what `breaches` finds in it; nothing may be found.
fn assert_none(sources: impl Iterator<Item = Source>, breaches: impl Fn(&Source) -> Vec<String>) {
    let mut read = 0;
    let mut found = Vec::new();
    for source in sources {
        read += 1;
        found.extend(breaches(&source).into_iter().map(|breach| format!("{}: {breach}", source.path)));
    }
    assert!(read > 0, "the rule is asked about something");
    assert!(found.is_empty(), "{found:#?}");
}

/// Whether a text is SQL: no sentence begins or goes on like this.
fn is_sql(text: &str) -> bool {
    let words = words(text);
    let begins = |verb: &str| words.first().is_some_and(|word| word == verb);
    let has = |one: &str, other: &[&str]| {
        words.windows(2).any(|pair| pair[0] == one && other.contains(&pair[1].as_str()))
    };
    text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word == "SELECT")
        || begins("SELECT") && words.iter().any(|word| word == "FROM")
        || begins("UPDATE") && words.iter().any(|word| word == "SET")
        || begins("PRAGMA")
        || has("INSERT", &["INTO", "OR"])
        || has("REPLACE", &["INTO"])
        || has("DELETE", &["FROM"])
        || ["CREATE", "DROP", "ALTER"]
            .into_iter()
            .any(|verb| has(verb, &["TABLE", "INDEX", "TRIGGER", "VIEW"]))
}

/// The words of a text in capitals; an underscore or a digit is part of a word.
fn words(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    parts.filter(|word| !word.is_empty()).map(str::to_uppercase).collect()
}

// --- the tree ---

fn root() -> PathBuf {
    let tests = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    PathBuf::from(tests).parent().expect("the tests are a folder of the tree").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn in_repository(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The files that are committed or would be, by path, sorted.
fn files() -> Vec<String> {
    let listed = in_repository("git", &["ls-files", "--cached", "--others", "--exclude-standard"]);
    let mut files: Vec<String> =
        listed.lines().filter(|path| root().join(path).is_file()).map(str::to_owned).collect();
    files.sort();
    files.dedup();
    assert!(files.len() > 50, "the tree is listed: {files:?}");
    files
}

/// The migrations, in order.
fn migrations() -> Vec<String> {
    files().into_iter().filter(|path| path.starts_with("edge/migrations/")).collect()
}

/// The Rust files under some folders.
fn rust_under(folders: &'static [&'static str]) -> impl Iterator<Item = Source> {
    let is_under = |path: &str| folders.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    files().into_iter().filter(move |path| path.ends_with(".rs") && is_under(path)).map(Source::of_rust)
}

/// The JavaScript and TypeScript files under a folder.
fn scripts_under(folder: &'static str) -> impl Iterator<Item = Source> {
    let is_script = |path: &String| [".js", ".mjs", ".ts"].into_iter().any(|end| path.ends_with(end));
    let scripts = files().into_iter().filter(move |path| path.starts_with(folder)).filter(is_script);
    scripts.map(|path| Source::of_text(path.clone(), read(&path)))
}

/// Every SQL text of the Worker: the ledger's strings, and the migrations without their comments.
fn sql_of_the_edge() -> impl Iterator<Item = Source> {
    let statements = rust_under(&["edge/src/ledger"]).flat_map(|source| {
        source.strings.into_iter().map(move |text| Source::of_text(source.path.clone(), text))
    });
    let migrations = migrations().into_iter().map(|path| {
        let text = read(&path);
        let code: Vec<&str> = text.lines().filter_map(|line| line.split("--").next()).collect();
        Source::of_text(path, code.join("\n"))
    });
    statements.chain(migrations)
}

/// The lines of a section of a manifest or of the README, up to the next one.
fn section<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let after = text.lines().skip_while(|line| *line != heading).skip(1);
    let section = after.take_while(|line| !line.starts_with('[') && !line.starts_with("## "));
    section.filter(|line| !line.trim().is_empty()).collect()
}

// --- the manifests ---

fn packages() -> Vec<Value> {
    let metadata = in_repository("cargo", &["metadata", "--format-version", "1", "--no-deps", "--offline"]);
    let metadata: Value = serde_json::from_str(&metadata).expect("the metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

fn dependencies_of(package: &Value) -> Vec<Value> {
    package["dependencies"].as_array().expect("dependencies").clone()
}

/// The names of what a package depends on, tests left out, sorted.
fn dependencies(package: &str) -> Vec<String> {
    let packages = packages();
    let found = packages.iter().find(|p| p["name"] == package);
    let found = found.unwrap_or_else(|| panic!("{package} is a member of the workspace"));
    let normal = dependencies_of(found).into_iter().filter(|d| d["kind"] != "dev");
    let names: BTreeSet<String> = normal.filter_map(|d| d["name"].as_str().map(str::to_owned)).collect();
    names.into_iter().collect()
}

/// What any package of the workspace depends on and is not of the workspace.
fn external_dependencies() -> BTreeSet<String> {
    let all = packages();
    let external = all.iter().flat_map(dependencies_of).filter(|d| d["path"].is_null());
    external.filter_map(|d| d["name"].as_str().map(str::to_owned)).collect()
}
