//! The book that a local run keeps below its state folder: D1's file, and the objects of R2.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Replayed, replay};
use crate::sqlite::Sqlite;

/// Replays the book of a demo or a development run, which may go on meanwhile: it is read, and never written.
pub fn replay_state(state: &Path) -> Result<Replayed, String> {
    let ledger = ledger_of(state)?;
    let sqlite = Sqlite::copy_of(&ledger).map_err(|error| format!("{}: {error}", ledger.display()))?;
    if sqlite.query("SELECT 1 FROM pragma_table_info('decisions') WHERE name = 'input'").is_empty() {
        return Err(format!(
            "{}: its decisions have no inputs; begin the state anew with --fresh",
            state.display()
        ));
    }
    let objects = Objects::of(&state.join("worker/v3/r2"))?;
    Ok(replay(&sqlite, &|key| objects.bytes(key)))
}

/// The file of D1 that holds the ledger of a state.
pub fn ledger_of(state: &Path) -> Result<PathBuf, String> {
    with_table(&state.join("worker/v3/d1/miniflare-D1DatabaseObject"), "decisions")
}

/// The one database of a folder that has a table.
fn with_table(folder: &Path, table: &str) -> Result<PathBuf, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("no book in {}: {error}", folder.display()))?;
    let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut databases = files.filter(|file| file.extension().is_some_and(|extension| extension == "sqlite"));
    let has_table = |file: &PathBuf| {
        let found = read_only(file).and_then(|database| database.table_exists(None, table));
        found.unwrap_or(false)
    };
    databases
        .find(has_table)
        .ok_or_else(|| format!("no database of {} has a table {table}", folder.display()))
}

fn read_only(file: &Path) -> Result<Connection, rusqlite::Error> {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// The objects of the one bucket.
struct Objects {
    index: Connection,
    folder: PathBuf,
}

impl Objects {
    fn of(r2: &Path) -> Result<Objects, String> {
        let file = with_table(&r2.join("miniflare-R2BucketObject"), "_mf_objects")?;
        let index = read_only(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Objects { index, folder: r2.join("paydown-reports/blobs") })
    }

    /// The bytes of an object: one blob, or the parts of an upload in order.
    fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let sql = "SELECT blob_id FROM _mf_objects WHERE key = ?1 AND blob_id IS NOT NULL
                   UNION ALL SELECT blob_id FROM (
                     SELECT blob_id FROM _mf_multipart_parts WHERE object_key = ?1 ORDER BY part_number)";
        let mut statement = self.index.prepare(sql).ok()?;
        let blobs = statement.query_map([key], |row| row.get::<_, String>(0)).ok()?;
        let blobs: Vec<String> = blobs.collect::<Result<_, _>>().ok()?;
        let parts: Vec<Vec<u8>> =
            blobs.iter().map(|blob| fs::read(self.folder.join(blob))).collect::<Result<_, _>>().ok()?;
        (!parts.is_empty()).then(|| parts.concat())
    }
}
