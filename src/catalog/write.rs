//! Writing a directory of tables.

use std::fs;
use std::path::{Path, PathBuf};

use super::lock::LOCK_FILE;
use crate::{Error, Result};

/// Header and rows as text, one line each; quoted only where it must be.
pub(super) fn write_csv(
    header: &str,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Result<String> {
    let failed = |e: csv::Error| Error::failed(format!("cannot write a price table: {e}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header.split(',')).map_err(failed)?;
    for row in rows {
        writer.write_record(&row).map_err(failed)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|e| Error::failed(format!("cannot write a price table: {e}")))?;
    String::from_utf8(bytes).map_err(|e| Error::failed(format!("cannot write a price table: {e}")))
}

/// Refuses a directory of something else: one with files, but without tables.
///
/// # Errors
/// When it is no directory, cannot be listed or is not for tables.
pub(super) fn check_target(dir: &Path) -> Result<()> {
    if dir.exists() && !dir.is_dir() {
        return Err(Error::input(format!(
            "`{}` is a file: name a directory with -o",
            dir.display()
        )));
    }
    if !dir.exists() || dir.join("sources.csv").exists() || dir.join(LOCK_FILE).exists() {
        return Ok(());
    }
    let mut names: Vec<String> = fs::read_dir(dir)
        .map_err(|e| Error::write(dir, &e))?
        .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    match names.first() {
        None => Ok(()),
        Some(first) => Err(Error::input(format!(
            "`{}` has no price tables, but other files (`{first}`): name a new directory or one \
             of tables with -o",
            dir.display()
        ))),
    }
}

/// Writes files into a directory, which is made where missing. None gets its
/// name before all are complete; names are then given in this order.
///
/// # Errors
/// When the directory or a file cannot be written; nothing is left of the
/// files then.
pub(super) fn write_all<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<()> {
    fs::create_dir_all(dir).map_err(|e| Error::write(dir, &e))?;
    let mut parts = Parts(Vec::new());
    for (name, text) in files {
        let part = dir.join(format!(".{name}.part"));
        parts.0.push((part.clone(), dir.join(name)));
        fs::write(&part, text).map_err(|e| Error::write(&part, &e))?;
    }
    for (part, path) in &parts.0 {
        fs::rename(part, path).map_err(|e| Error::write(path, &e))?;
    }
    Ok(())
}

/// Files on their way to their names; those that never got it are removed.
struct Parts(Vec<(PathBuf, PathBuf)>);

impl Drop for Parts {
    fn drop(&mut self) {
        for (part, _) in &self.0 {
            // After a rename there is none, and nothing can be done about others.
            let _ = fs::remove_file(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("a directory")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_cannot_be_whole_leaves_nothing() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path();
        write_all(at, [("a.csv", "old")]).expect("written");
        // A directory stands where the second part would be written.
        fs::create_dir(at.join(".b.csv.part")).expect("made");
        let error = write_all(at, [("a.csv", "new"), ("b.csv", "new")]).expect_err("refused");
        assert!(error.to_string().contains(".b.csv.part"), "{error}");
        assert_eq!(listed(at), [".b.csv.part", "a.csv"]);
        assert_eq!(fs::read_to_string(at.join("a.csv")).expect("there"), "old");
    }

    #[test]
    fn other_peoples_directories_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = dir.path();
        assert!(check_target(at).is_ok() && check_target(&at.join("new")).is_ok());
        fs::write(at.join("notes.txt"), "").expect("written");
        let error = check_target(at).expect_err("refused").to_string();
        assert!(error.contains("notes.txt") && error.contains("-o"), "{error}");
        let error = check_target(&at.join("notes.txt")).expect_err("refused");
        assert!(error.is_input() && error.to_string().contains("is a file"), "{error}");
        fs::write(at.join("sources.csv"), "").expect("written");
        assert!(check_target(at).is_ok());
    }
}
