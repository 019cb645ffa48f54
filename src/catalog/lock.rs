//! `prices.lock`: which files of AWS imported rows came from, and the SHA-256 of
//! each table as it was written.
//!
//! A directory may have none: tables are text, and writing one's own prices into
//! them is fair. Where there is one it is held against the tables when they are
//! read, as cargo and uv hold lock files against what they fetched. A lock that
//! cannot be read, or does not know a table, is an error; a table that differs
//! is a warning, since what it says can still be billed. An import on top of such
//! a table notes it, so that a new hash does not hide what was done.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::quote::cover;
use super::{Tables, read_text, sha256};
use crate::{Error, Result};

/// Name of the lock file beside the tables.
pub const LOCK_FILE: &str = "prices.lock";

/// The lock file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lock {
    /// Files whose rows, or some of them, are in the tables.
    pub(super) files: Vec<Locked>,
    /// SHA-256 of each table by its name.
    pub(super) tables: BTreeMap<String, String>,
    /// Tables that had been changed before rows were imported into them.
    pub(super) edited: Vec<String>,
}

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locked {
    pub(super) file: String,
    pub(super) kind: String,
    /// The date that the file bears, or had.
    pub(super) as_of: String,
    /// Of the file as it lay on disk.
    pub(super) sha256: String,
    pub(super) rows: usize,
    /// Its id in `sources.csv`; empty where it gave no row of a table.
    pub(super) source: String,
}

#[derive(Serialize, Deserialize)]
struct Written {
    lock_version: u32,
    files: Vec<Locked>,
    tables: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    edited: Vec<String>,
}

impl Lock {
    /// The lock of a directory, if it has one.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(LOCK_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let refused = |why: String| {
            Error::input(format!(
                "`{}`: {why}\n  = help: restore it, or remove it if the tables beside it are \
                 your own",
                path.display()
            ))
        };
        let written: Written =
            serde_json::from_str(&read_text(&path)?).map_err(|e| refused(e.to_string()))?;
        if written.lock_version != 1 {
            return Err(refused(format!(
                "it is of version {}, and 1 is known",
                written.lock_version
            )));
        }
        Ok(Some(Lock { files: written.files, tables: written.tables, edited: written.edited }))
    }

    pub(super) fn render(&self) -> Result<String> {
        let written = Written {
            lock_version: 1,
            files: self.files.clone(),
            tables: self.tables.clone(),
            edited: self.edited.clone(),
        };
        serde_json::to_string_pretty(&written)
            .map(|text| text + "\n")
            .map_err(|e| Error::failed(format!("cannot write {LOCK_FILE}: {e}")))
    }

    /// Tables that are not what was imported, now or when rows were imported into them.
    pub(super) fn edited(&self, tables: &Tables) -> Result<Vec<String>> {
        let mut edited = Vec::new();
        for file in &tables.0 {
            let known = self.tables.get(file.name).ok_or_else(|| {
                Error::input(format!(
                    "{LOCK_FILE} beside `{}` has no hash of it\n  = help: restore it, or remove \
                     it if the tables are your own",
                    file.label
                ))
            })?;
            let differs = *known != sha256(&file.text);
            if differs || self.edited.iter().any(|name| name == file.name) {
                edited.push(file.name.to_owned());
            }
        }
        Ok(edited)
    }

    /// The kinds of files that rows came from, with their dates.
    pub(super) fn sources(&self) -> String {
        let mut kinds: BTreeMap<&str, String> = BTreeMap::new();
        for file in self.files.iter().filter(|file| !file.source.is_empty()) {
            let dates = kinds.entry(&file.kind).or_default();
            *dates = cover(dates, &file.as_of);
        }
        let kinds: Vec<String> =
            kinds.iter().map(|(kind, dates)| format!("{kind} {dates}")).collect();
        kinds.join(", ").replace(char::is_control, " ")
    }
}
