//! The directory a result is written to: all of it or nothing.
//!
//! Files are written beside the target under a temporary name and get their
//! name by a rename once all of them are there. An older result is moved aside
//! first and removed last, so that a crash at any moment leaves one of the two
//! whole. What is ours is known by a manifest that every result carries;
//! a directory with anything else in it is refused.
//!
//! A process that is killed leaves its temporary directory behind. Every
//! such directory holds a lock as long as its process lives, so that the next
//! result beside it can tell the dead from the living: what a dead one had
//! moved aside gets its name back, the rest is removed.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

use tempfile::TempDir;

use crate::{Error, Result};

/// Names every file of a result, one a line after its heading.
const MANIFEST: &str = ".plimsoll-result";
/// First line of a manifest.
const HEADING: &str = "plimsoll result, schema 1";
/// How temporary directories are called.
const PREFIX: &str = ".plimsoll-";
/// In a temporary directory: locked while its process lives. Holds the name
/// of the target.
const LOCK: &str = "lock";
/// Directories a case must not be named after.
const RESERVED: [&str; 5] =
    ["charts", "comparison.csv", "report.html", "run-stats.json", "study.json"];

/// A result being written. Dropped without [`OutputDir::finish`], it leaves
/// nothing behind and an older result untouched.
#[derive(Debug)]
pub struct OutputDir {
    target: PathBuf,
    /// Beside the target, so that renames stay within one file system.
    beside: TempDir,
    /// Locked: says that `beside` is in use.
    _lock: File,
}

impl OutputDir {
    /// Begins a result that will be called `target`.
    ///
    /// # Errors
    /// Wrong input where `target` is a file or holds files that no result of
    /// ours wrote; a failure where nothing can be written beside it.
    pub fn create(target: &Path) -> Result<OutputDir> {
        let target = resolved(target)?;
        check_replaceable(&target)?;
        let parent = parent(&target);
        fs::create_dir_all(parent).map_err(|e| Error::write(parent, &e))?;
        clear_abandoned(parent);
        let (beside, lock) = locked_beside(parent, &target)?;
        let output = OutputDir { target, beside, _lock: lock };
        let path = output.path();
        // Not the temporary directory itself: that is private to its owner.
        fs::create_dir(&path).map_err(|e| Error::write(&path, &e))?;
        Ok(output)
    }

    /// Where files are written until the result is finished.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.beside.path().join("new")
    }

    /// What the result will be called.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Checks that a case's name can be a directory of the result.
    ///
    /// # Errors
    /// Wrong input where it cannot.
    pub fn check_case(name: &str) -> Result<()> {
        let plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\', '\0', ':'])
            && name.len() <= 200;
        if !plain || RESERVED.contains(&name) || name.contains(char::is_control) {
            return Err(Error::input(format!(
                "case `{}` cannot name a directory of the result: choose a name without `/`, `\\`, \
                 `:` or a leading `.`, other than {}",
                name.escape_debug(),
                RESERVED.join(", "),
            )));
        }
        Ok(())
    }

    /// Opens a file of the result, `/` between directories; missing
    /// directories are made.
    ///
    /// # Errors
    /// A failure where it cannot be written, or where the path leaves the
    /// result.
    pub fn file(&self, relative: &str) -> Result<BufWriter<fs::File>> {
        let path = self.place(relative)?;
        let file = fs::File::create(&path).map_err(|e| Error::write(&path, &e))?;
        Ok(BufWriter::new(file))
    }

    /// Writes a whole file of the result.
    ///
    /// # Errors
    /// As [`OutputDir::file`].
    pub fn write(&self, relative: &str, bytes: &[u8]) -> Result<()> {
        let path = self.place(relative)?;
        fs::write(&path, bytes).map_err(|e| Error::write(&path, &e))
    }

    fn place(&self, relative: &str) -> Result<PathBuf> {
        let path = Path::new(relative);
        if relative.is_empty() || !path.components().all(|c| matches!(c, Component::Normal(_))) {
            return Err(Error::failed(format!("`{relative}` is no place within a result")));
        }
        let path = self.path().join(path);
        let dir = parent(&path);
        fs::create_dir_all(dir).map_err(|e| Error::write(dir, &e))?;
        Ok(path)
    }

    /// Gives the result its name.
    ///
    /// # Errors
    /// Wrong input where something foreign appeared under that name meanwhile;
    /// a failure where a rename fails. The older result is then still there.
    pub fn finish(self) -> Result<()> {
        let new = self.path();
        let mut manifest = format!("{HEADING}\n");
        for name in files(&new)? {
            manifest.push_str(&name);
            manifest.push('\n');
        }
        let path = new.join(MANIFEST);
        let mut file = fs::File::create(&path).map_err(|e| Error::write(&path, &e))?;
        file.write_all(manifest.as_bytes()).map_err(|e| Error::write(&path, &e))?;
        check_replaceable(&self.target)?;
        let old = self.beside.path().join("old");
        let replaces = self.target.exists();
        if replaces {
            fs::rename(&self.target, &old).map_err(|e| Error::write(&self.target, &e))?;
        }
        if let Err(e) = fs::rename(&new, &self.target) {
            if replaces {
                fs::rename(&old, &self.target).map_err(|e| Error::write(&self.target, &e))?;
            }
            return Err(Error::write(&self.target, &e));
        }
        let beside = self.beside.path().to_owned();
        self.beside.close().map_err(|e| Error::write(&beside, &e))
    }
}

/// A new temporary directory in `parent`, and the lock that marks it as in use.
fn locked_beside(parent: &Path, target: &Path) -> Result<(TempDir, File)> {
    let failed = |e: std::io::Error| Error::write(parent, &e);
    // Only a sweeping process between two steps can make this go round.
    for _ in 0..100 {
        let beside = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent).map_err(failed)?;
        let path = beside.path().join(LOCK);
        let mut lock = File::create(&path).map_err(failed)?;
        // Where locks are unknown nothing is ever cleared either.
        let _ = lock.lock();
        let name = target.file_name().unwrap_or_default();
        lock.write_all(name.as_encoded_bytes()).map_err(failed)?;
        if path.exists() {
            return Ok((beside, lock));
        }
    }
    Err(Error::failed(format!("cannot write beside `{}`", target.display())))
}

/// Removes temporary directories of dead processes. What cannot be removed
/// stays: this is housekeeping, and the next result tries again.
fn clear_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !ours || !entry.file_type().is_ok_and(|t| t.is_dir()) {
            continue;
        }
        let dir = entry.path();
        // Without a lock it is not known to be dead.
        let Ok(lock) = File::open(dir.join(LOCK)) else { continue };
        if lock.try_lock().is_err() {
            continue;
        }
        // Killed between the two renames: the older result comes back.
        let name = fs::read_to_string(dir.join(LOCK)).unwrap_or_default();
        let plain = Path::new(&name).components().count() == 1
            && matches!(Path::new(&name).components().next(), Some(Component::Normal(_)));
        let old = dir.join("old");
        if plain && old.is_dir() && !parent.join(&name).exists() {
            let _ = fs::rename(&old, parent.join(&name));
        }
        let _ = fs::remove_dir_all(&dir);
    }
}

/// A link is followed once, so that what it points to is replaced, not it.
fn resolved(target: &Path) -> Result<PathBuf> {
    if target.exists() {
        return fs::canonicalize(target).map_err(|e| Error::write(target, &e));
    }
    if target.file_name().is_none() {
        return Err(Error::input(format!("`{}` cannot name a result", target.display())));
    }
    Ok(target.to_owned())
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Nothing, an empty directory, or an older result and nothing else.
fn check_replaceable(target: &Path) -> Result<()> {
    let refuse = |why: String| {
        Err(Error::input(format!(
            "`{}` {why}: choose another directory with `-o` or remove it",
            target.display()
        )))
    };
    if !target.exists() {
        return Ok(());
    }
    if !target.is_dir() {
        return refuse("exists and is no directory".to_owned());
    }
    let mut entries = fs::read_dir(target).map_err(|e| Error::read(target, &e))?;
    if entries.next().is_none() {
        return Ok(());
    }
    // Only a result of ours is looked through: anything else may be large.
    let manifest = fs::read_to_string(target.join(MANIFEST)).unwrap_or_default();
    let mut lines = manifest.lines();
    if lines.next() != Some(HEADING) {
        return refuse("is not empty and no result of plimsoll".to_owned());
    }
    let found = files(target)?;
    let ours: BTreeSet<&str> = lines.chain([MANIFEST]).collect();
    match found.iter().find(|name| !ours.contains(name.as_str())) {
        Some(foreign) => refuse(format!("holds `{foreign}`, which is no part of a result")),
        None => Ok(()),
    }
}

/// Every file below a directory (links not followed), `/` between
/// directories, ascending.
fn files(dir: &Path) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(dir.to_owned(), String::new())];
    while let Some((dir, prefix)) = open.pop() {
        for entry in fs::read_dir(&dir).map_err(|e| Error::read(&dir, &e))? {
            let entry = entry.map_err(|e| Error::read(&dir, &e))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().map_err(|e| Error::read(&entry.path(), &e))?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{name}/")));
            } else {
                found.insert(name);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(dir: &Path) -> Vec<String> {
        files(dir).expect("readable").into_iter().collect()
    }

    fn result(target: &Path, text: &str) {
        let out = OutputDir::create(target).expect("create");
        out.write("a/summary.json", text.as_bytes()).expect("write");
        write!(out.file("report.html").expect("file"), "<p>").expect("write");
        out.finish().expect("finish");
    }

    #[test]
    fn a_result_appears_whole_and_replaces_an_older_one() {
        let dir = tempfile::tempdir().expect("dir");
        let target = dir.path().join("deep/out");
        result(&target, "1");
        assert_eq!(entries(&target), [MANIFEST, "a/summary.json", "report.html"]);
        let out = OutputDir::create(&target).expect("create");
        out.write("b/summary.json", b"2").expect("write");
        // The older one stays until the new one is finished.
        assert_eq!(fs::read_to_string(target.join("a/summary.json")).expect("old"), "1");
        out.finish().expect("finish");
        assert_eq!(entries(&target), [MANIFEST, "b/summary.json"]);
        // Nothing else is left beside it.
        assert_eq!(fs::read_dir(dir.path().join("deep")).expect("dir").count(), 1);
    }

    #[test]
    fn an_abandoned_result_leaves_the_older_one() {
        let dir = tempfile::tempdir().expect("dir");
        let target = dir.path().join("out");
        result(&target, "1");
        let out = OutputDir::create(&target).expect("create");
        out.write("a/summary.json", b"2").expect("write");
        drop(out);
        assert_eq!(fs::read_to_string(target.join("a/summary.json")).expect("old"), "1");
        assert_eq!(fs::read_dir(dir.path()).expect("dir").count(), 1);
    }

    #[test]
    fn what_dead_processes_left_is_cleared_and_the_living_are_spared() {
        let dir = tempfile::tempdir().expect("dir");
        let abandoned = |name: &str, target: &str, old: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.join("new")).expect("dir");
            fs::write(path.join("new/half"), "x").expect("file");
            if !old.is_empty() {
                fs::create_dir(path.join("old")).expect("dir");
                fs::write(path.join("old/result"), old).expect("file");
            }
            fs::write(path.join(LOCK), target).expect("file");
        };
        result(&dir.path().join("late"), "newer");
        abandoned(".plimsoll-dead", "out", "");
        // Killed after the older result was moved aside.
        abandoned(".plimsoll-between", "between", "older");
        // The same, but there is a newer one meanwhile.
        abandoned(".plimsoll-late", "late", "older");
        abandoned(".plimsoll-evil", "../escaped", "older");
        // Nothing says that these are dead, or ours.
        fs::create_dir(dir.path().join(".plimsoll-unlocked")).expect("dir");
        fs::create_dir(dir.path().join("plimsoll-other")).expect("dir");
        let living = OutputDir::create(&dir.path().join("living")).expect("create");
        living.write("a", b"1").expect("write");
        result(&dir.path().join("out"), "1");
        let left: BTreeSet<String> = fs::read_dir(dir.path())
            .expect("dir")
            .map(|e| e.expect("entry").file_name().to_string_lossy().into_owned())
            .collect();
        let beside = living.beside.path().file_name().expect("named").to_string_lossy();
        let want = [".plimsoll-unlocked", "between", "late", "out", "plimsoll-other", &*beside];
        assert_eq!(left, want.iter().map(|w| (*w).to_owned()).collect());
        let read = |path: &str| fs::read_to_string(dir.path().join(path)).expect("a file");
        assert_eq!(read("between/result"), "older");
        assert_eq!(read("late/a/summary.json"), "newer");
        assert!(!dir.path().parent().expect("above").join("escaped").exists());
        living.finish().expect("finish");
        assert!(dir.path().join("living/a").is_file());
    }

    #[test]
    fn foreign_directories_are_refused() {
        let dir = tempfile::tempdir().expect("dir");
        let target = dir.path().join("out");
        fs::create_dir(&target).expect("dir");
        OutputDir::create(&target).expect("empty is fine").finish().expect("finish");
        let target = dir.path().join("mine");
        fs::create_dir(&target).expect("dir");
        fs::write(target.join("thesis.txt"), "x").expect("file");
        let error = OutputDir::create(&target).expect_err("foreign");
        assert!(error.is_input(), "{error}");
        assert!(OutputDir::create(&target.join("thesis.txt")).expect_err("file").is_input());
        // Notes somebody put into a result are not thrown away either.
        let target = dir.path().join("out");
        result(&target, "1");
        fs::write(target.join("notes.md"), "x").expect("file");
        let error = OutputDir::create(&target).expect_err("notes");
        assert!(error.is_input() && error.to_string().contains("notes.md"), "{error}");
    }

    #[test]
    fn names_stay_within_the_result() {
        let dir = tempfile::tempdir().expect("dir");
        let out = OutputDir::create(&dir.path().join("out")).expect("create");
        for bad in ["", "../x", "/x", "a/../../x", "./x"] {
            assert!(out.write(bad, b"").is_err(), "{bad}");
        }
        for bad in ["", ".", "..", ".x", "a/b", "a\\b", "c:", "charts", "a\nb"] {
            assert!(OutputDir::check_case(bad).is_err(), "{bad}");
        }
        assert!(OutputDir::check_case("ec2 spot (50 %)").is_ok());
    }
}
