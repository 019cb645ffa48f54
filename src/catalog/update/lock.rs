//! `prices.lock`: where imported rows came from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::LOCK_FILE;
use crate::{Error, Result};

/// The lock file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lock {
    /// Files whose rows, or some of them, are in the tables.
    pub(super) files: Vec<Locked>,
    /// Name and SHA-256 of each table.
    pub(super) tables: Vec<(String, String)>,
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
    tables: std::collections::BTreeMap<String, String>,
}

impl Lock {
    /// The lock of a directory; none is empty.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let path = dir.join(LOCK_FILE);
        if !path.exists() {
            return Ok(Lock::default());
        }
        let text = crate::catalog::read_text(&path)?;
        let written: Written = serde_json::from_str(&text)
            .map_err(|e| Error::input(format!("`{}`: {e}", path.display())))?;
        if written.lock_version != 1 {
            return Err(Error::input(format!(
                "`{}` is of version {}, and 1 is known",
                path.display(),
                written.lock_version
            )));
        }
        Ok(Lock { files: written.files, tables: written.tables.into_iter().collect() })
    }

    pub(super) fn render(&self) -> Result<String> {
        let written = Written {
            lock_version: 1,
            files: self.files.clone(),
            tables: self.tables.iter().cloned().collect(),
        };
        serde_json::to_string_pretty(&written)
            .map(|text| text + "\n")
            .map_err(|e| Error::failed(format!("cannot write {LOCK_FILE}: {e}")))
    }
}
