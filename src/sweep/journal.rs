//! The journal of a sweep: finished cells, one record each, beside the
//! result. Whoever stops, for whatever reason, loses no finished cell; the
//! next sweep takes from it every cell whose inputs are the same.
//!
//! ```text
//! plimsoll journal 1⏎
//! record…   = length (u32) · payload · checksum (first 8 bytes of SHA-256 over length and payload)
//! payload   = key (32 bytes) · microseconds it took (u64) · outcome
//! ```
//!
//! A record is one write at the end of the file, so that a killed process
//! leaves at most one torn record, the last; it is cut off when the file is
//! opened next. After a damaged record nothing is believed. The file is locked
//! while a sweep writes it. Deleting it costs time only.
//!
//! Cost: some 5 µs a cell, nearly all of it the checksum and the system call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::model::Input;
use super::outcome::Outcome;
use super::wire::Wire;
use crate::{Error, Result};

/// First line of a journal.
const HEADING: &[u8] = b"plimsoll journal 1\n";
/// What every version's heading begins with.
const OURS: &[u8] = b"plimsoll journal ";
/// Longest record that is believed.
const MAX_RECORD: u32 = 64 << 20;
/// Bytes of a checksum.
const CHECK: usize = 8;
/// Raised whenever the engine or what it measures changes within a version.
const ENGINE_SCHEMA: u32 = 1;

/// Names a cell by everything that decides what it measures.
pub type Key = [u8; 32];

/// Makes keys for the cells of one sweep.
#[derive(Debug, Clone)]
pub struct Keys(Sha256);

impl Keys {
    /// For cells made from these files (the scenario's own bytes left out: its
    /// meaning goes in cell by cell) and price tables by this program. A
    /// program that was built anew starts over.
    #[must_use]
    pub fn new(inputs: &[Input], pricing_sha256: &str) -> Keys {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(&ENGINE_SCHEMA.to_le_bytes());
        part(env!("CARGO_PKG_VERSION").as_bytes());
        part(build().as_bytes());
        part(pricing_sha256.as_bytes());
        let mut files: Vec<&Input> = inputs.iter().skip(1).collect();
        files.sort();
        for file in files {
            part(file.path.as_bytes());
            part(file.sha256.as_bytes());
        }
        Keys(hash)
    }

    /// Of the cell of an effective scenario, by its digest, with a seed.
    #[must_use]
    pub fn of(&self, scenario: [u8; 32], seed: u64) -> Key {
        let mut hash = self.0.clone();
        hash.update(scenario);
        hash.update(seed.to_le_bytes());
        hash.finalize().into()
    }
}

/// Tells builds of one version apart: length and time of the program's file.
fn build() -> String {
    let file = std::env::current_exe().and_then(fs::metadata);
    file.map_or_else(
        |_| String::new(),
        |file| {
            let time =
                file.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
            format!("{} {}", file.len(), time.map_or(0, |t| t.as_nanos()))
        },
    )
}

/// A finished cell as a journal holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// What it measured.
    pub outcome: Outcome,
    /// How long it took, microseconds; zero where its simulation served
    /// another cell before.
    pub micros: u64,
}

/// Finished cells by key.
pub type Found = BTreeMap<Key, Finished>;

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

impl Journal {
    /// Where the journal of a result lies: beside it.
    #[must_use]
    pub fn beside(target: &Path) -> PathBuf {
        // `out/` is `out`: what it ends in is no part of the name.
        let mut name = target.file_name().unwrap_or(target.as_os_str()).to_owned();
        name.push(".journal");
        target.with_file_name(name)
    }

    /// Opens a journal, or begins one, and reads the cells of `wanted`.
    ///
    /// # Errors
    /// Wrong input where the file is no journal; a failure where it cannot be
    /// used or another process writes it.
    pub fn open(path: &Path, wanted: &BTreeSet<Key>) -> Result<(Journal, Found)> {
        let failed = |e: &io::Error| Error::write(path, e);
        if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|e| Error::write(parent, &e))?;
        }
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|e| failed(&e))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(Error::failed(format!(
                "another plimsoll is writing `{}`: wait for it, or choose another directory with \
                 `-o`",
                path.display()
            )));
        }
        let mut found = Found::new();
        let read = read(BufReader::new(&file), |key, finished| {
            if wanted.contains(&key) {
                found.insert(key, finished);
            }
        });
        let end = read.map_err(|e| failed(&e))?.ok_or_else(|| {
            Error::input(format!(
                "`{}` exists and is no journal of plimsoll: choose another directory with `-o` or \
                 remove it",
                path.display()
            ))
        })?;
        // What is torn goes; an older version's journal goes whole.
        file.set_len(end).map_err(|e| failed(&e))?;
        file.seek(SeekFrom::Start(end)).map_err(|e| failed(&e))?;
        if end == 0 {
            file.write_all(HEADING).map_err(|e| failed(&e))?;
        }
        Ok((Journal { path: path.to_owned(), file: Mutex::new(file) }, found))
    }

    /// Adds a finished cell.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn append(&self, key: Key, finished: &Finished) -> Result<()> {
        let record = record(key, finished);
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&record).map_err(|e| Error::write(&self.path, &e))
    }
}

/// The cells of `wanted` in a journal that may be absent, read without
/// touching it.
#[must_use]
pub fn peek(path: &Path, wanted: &BTreeSet<Key>) -> Found {
    let mut found = Found::new();
    if let Ok(file) = File::open(path) {
        // What cannot be read is simply not known.
        let _ = read(BufReader::new(file), |key, finished| {
            if wanted.contains(&key) {
                found.insert(key, finished);
            }
        });
    }
    found
}

fn record(key: Key, finished: &Finished) -> Vec<u8> {
    let mut record = vec![0; 4];
    record.extend(key);
    finished.micros.put(&mut record);
    finished.outcome.put(&mut record);
    let length = record.len() as u32 - 4;
    record[..4].copy_from_slice(&length.to_le_bytes());
    let check = Sha256::digest(&record);
    record.extend(&check[..CHECK]);
    record
}

/// Reads records until the end or the first that is torn or damaged. The
/// length of what is sound; 0 where there is nothing or another version's;
/// `None` for a file that is not ours.
fn read(mut from: impl Read, mut each: impl FnMut(Key, Finished)) -> io::Result<Option<u64>> {
    let mut heading = Vec::new();
    from.by_ref().take(HEADING.len() as u64).read_to_end(&mut heading)?;
    if heading != HEADING {
        let ours = heading.starts_with(OURS) || OURS.starts_with(&heading);
        return Ok(ours.then_some(0));
    }
    let mut end = HEADING.len() as u64;
    let mut record = Vec::new();
    loop {
        record.clear();
        from.by_ref().take(4).read_to_end(&mut record)?;
        let Ok(length) = <[u8; 4]>::try_from(record.as_slice()) else { return Ok(Some(end)) };
        let length = u32::from_le_bytes(length);
        if length > MAX_RECORD {
            return Ok(Some(end));
        }
        from.by_ref().take(u64::from(length) + CHECK as u64).read_to_end(&mut record)?;
        let Some((key, finished)) = sound(&record, length as usize) else { return Ok(Some(end)) };
        end += record.len() as u64;
        each(key, finished);
    }
}

/// The content of a whole record whose checksum holds.
fn sound(record: &[u8], length: usize) -> Option<(Key, Finished)> {
    let (body, check) = record.split_at_checked(4 + length)?;
    if check.len() != CHECK || Sha256::digest(body)[..CHECK] != *check {
        return None;
    }
    let (key, mut rest) = body.get(4..)?.split_first_chunk::<32>()?;
    let micros = u64::take(&mut rest)?;
    let outcome = Outcome::take(&mut rest)?;
    rest.is_empty().then_some((*key, Finished { outcome, micros }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::sample::sweep_sample;

    fn finished() -> Vec<Finished> {
        let study = sweep_sample();
        let outcomes = study.combinations.iter().flat_map(|c| c.finished().cloned());
        outcomes.zip(1..).map(|(outcome, micros)| Finished { outcome, micros }).collect()
    }

    fn key(n: u8) -> Key {
        [n; 32]
    }

    fn wanted(n: u8) -> BTreeSet<Key> {
        (0..n).map(key).collect()
    }

    /// A journal of three records, and where each begins.
    fn journal(path: &Path) -> (Vec<u8>, Vec<usize>) {
        let (journal, found) = Journal::open(path, &wanted(3)).expect("begins");
        assert!(found.is_empty());
        let mut starts = vec![HEADING.len()];
        for (n, it) in finished().iter().take(3).enumerate() {
            journal.append(key(n as u8), it).expect("appends");
            starts.push(starts[n] + record(key(n as u8), it).len());
        }
        (fs::read(path).expect("a file"), starts)
    }

    #[test]
    fn a_journal_lies_beside_its_result() {
        for (target, journal) in
            [("out", "out.journal"), ("a/out/", "a/out.journal"), ("/a/out.x", "/a/out.x.journal")]
        {
            assert_eq!(Journal::beside(Path::new(target)), Path::new(journal));
        }
    }

    #[test]
    fn what_was_appended_is_found_again() {
        let dir = tempfile::tempdir().expect("dir");
        let path = Journal::beside(&dir.path().join("out"));
        let _ = journal(&path);
        let (reopened, found) = Journal::open(&path, &wanted(2)).expect("opens");
        assert_eq!(found.len(), 2);
        assert_eq!(found[&key(1)], finished()[1]);
        // One writer at a time.
        let error = Journal::open(&path, &wanted(2)).expect_err("locked");
        assert!(error.to_string().contains("another plimsoll"), "{error}");
        reopened.append(key(9), &finished()[9]).expect("appends");
        drop(reopened);
        assert_eq!(peek(&path, &[key(9), key(2)].into()).len(), 2);
        assert!(peek(&dir.path().join("none"), &wanted(1)).is_empty());
    }

    #[test]
    fn a_journal_torn_at_any_byte_keeps_what_is_whole() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("j");
        let (bytes, starts) = journal(&path);
        for cut in 0..bytes.len() {
            fs::write(&path, &bytes[..cut]).expect("writes");
            let whole = starts[1..].iter().filter(|s| **s <= cut).count();
            let (journal, found) = Journal::open(&path, &wanted(3)).expect("opens");
            assert_eq!(found.len(), whole, "{cut}");
            // What follows is appended to what is whole.
            journal.append(key(2), &finished()[2]).expect("appends");
            drop(journal);
            assert_eq!(peek(&path, &wanted(3)).len(), (whole + 1).min(3), "{cut}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("j");
        let (bytes, starts) = journal(&path);
        for at in (starts[1]..starts[2]).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).expect("writes");
            let found = peek(&path, &wanted(3));
            assert_eq!(found.len(), 1, "{at}");
        }
    }

    #[test]
    fn foreign_files_are_refused_and_other_versions_start_over() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("j");
        fs::write(&path, "years of work").expect("writes");
        assert!(Journal::open(&path, &wanted(1)).expect_err("foreign").is_input());
        assert_eq!(fs::read_to_string(&path).expect("still there"), "years of work");
        fs::write(&path, "plimsoll journal 0\nwhatever").expect("writes");
        let (journal, found) = Journal::open(&path, &wanted(1)).expect("opens");
        assert!(found.is_empty());
        drop(journal);
        assert_eq!(fs::read(&path).expect("a file"), HEADING);
    }

    #[test]
    fn keys_tell_inputs_seeds_and_scenarios_apart() {
        let input = |path: &str, sha256: &str| Input { path: path.into(), sha256: sha256.into() };
        let base = [input("s.yaml", "1"), input("a.csv", "2"), input("b.csv", "3")];
        let of = |inputs: &[Input], pricing: &str, scenario: u8, seed: u64| {
            Keys::new(inputs, pricing).of([scenario; 32], seed)
        };
        let key = of(&base, "p", 1, 1);
        // The scenario's bytes do not count, nor does the order of files.
        let same = [input("s.yaml", "9"), base[2].clone(), base[1].clone()];
        assert_eq!(of(&same, "p", 1, 1), key);
        let changed = [base[0].clone(), input("a.csv", "9"), base[2].clone()];
        for other in [
            of(&changed, "p", 1, 1),
            of(&base[..2], "p", 1, 1),
            of(&base, "q", 1, 1),
            of(&base, "p", 2, 1),
            of(&base, "p", 1, 2),
        ] {
            assert_ne!(other, key);
        }
    }
}
