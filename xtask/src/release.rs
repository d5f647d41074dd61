//! The dashboard's release: the local build's page and styles, and its code anew, small and split by groups of pages, so
//! that a first visit downloads what it shows and no more.
//!
//! 1. Trunk makes the page, the styles and the copies.
//! 2. cargo compiles the code for size; the linker leaves in it what a later split needs to know.
//! 3. wasm-split-cli splits it: the frame, each group of pages (`web/src/app.rs` names them), and what groups share.
//! 4. wasm-bindgen writes the frame's JavaScript, and wasm-opt makes each file small.
//! 5. They go into a folder named by their hash, which browsers may keep for good, and the page names it.

use crate::builds::fingerprint;
use crate::setup::{self, Setup};
use crate::step::{self, Result, Stop};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the release is, from the root.
pub const FOLDER: &str = "target/dashboard";

/// What the split is made of and into.
const WORK: &str = "target/dashboard-split";

const TARGET: &str = "wasm32-unknown-unknown";

/// The features of WebAssembly that rustc uses for this target.
pub const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Builds it.
pub fn build(setup: &Setup, title: &str) -> Result<()> {
    setup::prepare_split(setup)?;
    let mut trunk = setup.wasm_command("trunk", "");
    trunk.args(["build", "--offline", "--release", "--cargo-profile", "local", "--dist", FOLDER]);
    step::run(&format!("{title}: page and styles"), &mut trunk)?;
    compile(setup, title)?;
    let split = split(setup, title)?;
    let app = Path::new(FOLDER).join(format!("app-{}", name(&split)?));
    place(&split, &setup.root().join(&app))?;
    name_in_page(setup.root(), &app)
}

fn compile(setup: &Setup, title: &str) -> Result<()> {
    let mut cargo = setup.wasm_command("cargo", "");
    cargo.args(["rustc", "--package", "paydown-web", "--profile", "dashboard", "--target", TARGET]);
    cargo.args(["--features", "split", "--", "-C", "link-arg=--emit-relocs", "-C", "strip=none"]);
    step::run(&format!("{title}: code"), &mut cargo)
}

/// Splits it, and says in which folder the files are.
fn split(setup: &Setup, title: &str) -> Result<PathBuf> {
    let (work, parts) = (setup.root().join(WORK), setup.root().join(WORK).join("parts"));
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&parts)?;
    let code = setup.root().join("target/wasm").join(TARGET).join("dashboard/paydown-web.wasm");
    let mut splitter = setup.command("wasm-split-cli", "");
    step::run(
        &format!("{title}: split"),
        splitter.arg(code).arg(&parts).args(["--target", "web", "--out-name", "paydown-web"]),
    )?;
    let frame = parts.join("paydown-web.wasm");
    let mut bindgen = setup.command("wasm-bindgen", "");
    bindgen.args(["--target", "web", "--no-typescript", "--keep-lld-exports", "--out-dir"]);
    step::run(&format!("{title}: bindings"), bindgen.arg(&parts).arg(&frame))?;
    fs::remove_file(frame)?;
    for file in files(&parts)?.iter().filter(|file| file.extension().is_some_and(|kind| kind == "wasm")) {
        let mut optimizer = setup.command("wasm-opt", "");
        optimizer.args(FEATURES).args(["-Oz", "--strip-debug", "--strip-producers"]);
        step::run(&format!("{title}: optimization"), optimizer.arg(file).arg("-o").arg(file))?;
    }
    Ok(parts)
}

/// The hash of what the files hold.
fn name(folder: &Path) -> Result<String> {
    let hash = fingerprint(folder, &[""], "")?;
    Ok(hash.chars().take(16).collect())
}

fn place(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for file in files(from)? {
        fs::copy(&file, to.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// Puts the split code in the place of the local build's.
fn name_in_page(root: &Path, app: &Path) -> Result<()> {
    let index = root.join(FOLDER).join("index.html");
    let page = fs::read_to_string(&index)?;
    let local = |kind: &str| named(&page, kind).ok_or_else(|| Stop(format!("the page names no {kind}")));
    let (js, wasm) = (local("data-js")?, local("data-wasm")?);
    let folder = app.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let own = |file: &str| format!("/{folder}/{file}");
    let split = page.replace(&js, &own("paydown-web.js")).replace(&wasm, &own("paydown-web_bg.wasm"));
    fs::write(&index, split)?;
    for file in [js, wasm] {
        fs::remove_file(root.join(FOLDER).join(file.trim_start_matches('/')))?;
    }
    Ok(())
}

/// The value of an attribute of the page.
fn named(page: &str, attribute: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("{attribute}=\""))?;
    rest.split_once('"').map(|(value, _)| value.to_owned())
}

/// The files that a first visit to the Overview downloads.
pub fn first_load(root: &Path) -> Result<Vec<PathBuf>> {
    let folder = root.join(FOLDER);
    let index = folder.join("index.html");
    let page = fs::read_to_string(&index)?;
    let mut asked = vec![index];
    for file in files(&folder)? {
        if page.contains(&format!("\"/{}\"", file.file_name().unwrap_or_default().to_string_lossy())) {
            asked.push(file);
        }
    }
    let js = named(&page, "data-js").ok_or_else(|| Stop("the page names no code".into()))?;
    let app = folder.join(js.trim_start_matches('/'));
    let app = app.parent().unwrap_or(&folder);
    let loader = fs::read_to_string(app.join("__wasm_split.js"))?;
    let frame = ["paydown-web.js", "paydown-web_bg.wasm", "__wasm_split.js"].map(str::to_owned);
    let parts = parts_of(&loader, "overview");
    asked.extend(frame.into_iter().chain(parts).map(|file| app.join(file)));
    Ok(asked)
}

/// The files that a group of pages needs besides the frame, as the loader names them.
fn parts_of(loader: &str, group: &str) -> Vec<String> {
    let Some((_, load)) = loader.split_once(&format!("__wasm_split_load_{group} ")) else { return vec![] };
    let load = load.split_once("]))").map_or("", |(load, _)| load);
    let shared = load.rsplit_once('[').map_or("", |(_, shared)| shared).split(',');
    let shared = shared.map(str::trim).filter(|name| !name.is_empty());
    let shared = shared.map(|name| format!("{}.wasm", name.trim_start_matches("__")));
    shared.chain([format!("split_{group}.wasm")]).collect()
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{named, parts_of};

    #[test]
    fn a_groups_files_are_its_own_and_those_it_shares() {
        let loader = "
const __chunk_4 = makeLoad(() => { const src = fetch(new URL(\"./chunk_4.wasm\", import.meta.url)); }, []);
export const __wasm_split_load_book = wrapAsyncCb(makeLoad(() => {
    const src = fetch(new URL(\"./split_book.wasm\", import.meta.url));
}
, [__chunk_4, __chunk_7]));
export const __wasm_split_load_overview = wrapAsyncCb(makeLoad(() => {
    const src = fetch(new URL(\"./split_overview.wasm\", import.meta.url));
}
, []));";
        assert_eq!(parts_of(loader, "book"), ["chunk_4.wasm", "chunk_7.wasm", "split_book.wasm"]);
        assert_eq!(parts_of(loader, "overview"), ["split_overview.wasm"]);
        assert!(parts_of(loader, "nothing").is_empty());
    }

    #[test]
    fn the_page_names_its_code() {
        let page = "<meta name=\"paydown-app\" data-js=\"/a.js\" data-wasm=\"/a.wasm\">";
        assert_eq!(named(page, "data-wasm").as_deref(), Some("/a.wasm"));
        assert_eq!(named(page, "data-css"), None);
    }
}
