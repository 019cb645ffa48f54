//! `plimsoll prices update`: AWS's own files into the price tables.
//!
//! A file is told by its content, not by its name:
//!
//! | file | what is taken |
//! | --- | --- |
//! | price list of AmazonEC2 (`index.json`, all Regions or one) | On-Demand and Reserved Instances: Linux, shared tenancy, no software |
//! | of AmazonECS | Fargate by vCPU, GB and storage, Linux and Windows |
//! | of AmazonEKS | the control plane, also in extended support |
//! | of Savings Plans (Compute and EC2 Instance) | their rates, as discounts |
//! | `savingsplans describe-savings-plans-offering-rates` | as above |
//! | Spot advisor (`spot-advisor-data.json`) | saving and interruption band, Linux |
//! | `ec2 describe-spot-price-history` (JSON or CSV) | the mean price, as a saving |
//! | `savingsplans describe-savings-plans`, `ec2 describe-reserved-instances` | what is owned, as `commitments:` of a scenario |
//!
//! Bulk files are gigabytes: they are read as a stream, of which only wanted
//! rows stay. Rows replace those of the same key; all others stand. `prices.lock`
//! says which file each imported row came from.

mod advisor;
mod dates;
mod input;
mod offer;
mod owned;
mod savings;
mod spot;
mod tables;

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::build::check;
use super::lock::{LOCK_FILE, Lock, Locked};
use super::write::{check_target, write_all};
use super::{Tables, read_text, sha256};
use crate::names::hint;
use crate::{Error, Result};
use dates::Dates;
use input::{Input, Kind};
use owned::Owned;
use tables::Draft;

/// Name of the file of what is owned, beside the tables.
pub const OWNED_FILE: &str = "commitments.yaml";

/// What to import, and where to.
#[derive(Debug, Clone)]
pub struct Update<'a> {
    /// Tables to start from instead of those of the binary.
    pub base: Option<&'a Path>,
    /// Files of AWS, in order: of two rows of one key the later file's stays.
    pub files: &'a [PathBuf],
    /// Only these Regions; all where empty.
    pub regions: &'a [String],
    /// The date of files that bear none; the date of their last change where
    /// absent.
    pub as_of: Option<Date>,
    /// The day it is: what is dated later is refused.
    pub today: Date,
    /// Directory to write to.
    pub out: &'a Path,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The file, as it was given.
    pub file: String,
    /// What it is.
    pub kind: &'static str,
    /// Its date.
    pub as_of: String,
    /// Rows it gave.
    pub rows: usize,
    /// What of it was left out, and why.
    pub left_out: Vec<String>,
    /// Rows that are older than those they replaced.
    pub older: usize,
}

/// Runs an import; returns what became of every file.
///
/// # Errors
/// Where a file cannot be read or told, or gives nothing; where a table
/// would not be whole; where the directory has other files or cannot be
/// written.
pub fn update(update: &Update<'_>) -> Result<Vec<Imported>> {
    check_target(update.out)?;
    let base = match update.base {
        Some(dir) => Tables::from_dir(dir)?,
        None => Tables::embedded(),
    };
    let mut draft = Draft::read(&base, update.regions)?;
    for region in update.regions {
        if !draft.knows_region(region) {
            let hint = hint(region, draft.regions_known());
            return Err(Error::input(format!("unknown Region `{region}`{hint}")));
        }
    }
    let mut owned = Owned::default();
    let (told, new) = import_all(update, &mut draft, &mut owned)?;
    let files = draft.render()?;
    check(&files, None)?;
    let lock = update.base.map(Lock::read).transpose()?.flatten();
    let edited = lock.as_ref().map_or_else(|| Ok(Vec::new()), |lock| lock.edited(&base))?;
    let mut lock = Lock { edited, ..lock.unwrap_or_default() };
    let owned = match (owned.render(), update.base) {
        (Some(text), _) => Some(text),
        // What was owned before goes along with its place in the lock.
        (None, Some(dir)) if lock.tables.contains_key(OWNED_FILE) => {
            Some(read_text(&dir.join(OWNED_FILE))?)
        }
        _ => None,
    };
    let of_owned = new.iter().any(|file| file.source.is_empty());
    let again = |file: &Locked| new.iter().any(|n| n.sha256 == file.sha256 && n.kind == file.kind);
    lock.files.retain(|file| !(again(file) || of_owned && file.source.is_empty()));
    lock.files.extend(new);
    lock.files.retain(|file| file.source.is_empty() || draft.uses(&file.source));
    let owned = owned.as_deref().map(|text| (OWNED_FILE, text));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).chain(owned).collect();
    lock.tables = files.iter().map(|(name, text)| ((*name).to_owned(), sha256(text))).collect();
    // The lock goes first: where tables are cut short behind it, it says so.
    let text = lock.render()?;
    write_all(update.out, [(LOCK_FILE, text.as_str())].into_iter().chain(files))?;
    Ok(told)
}

/// Imports all files; what became of each, and what the lock is to say.
fn import_all(
    update: &Update<'_>,
    draft: &mut Draft,
    owned: &mut Owned,
) -> Result<(Vec<Imported>, Vec<Locked>)> {
    let (mut told, mut locked) = (Vec::new(), Vec::new());
    let dates = Dates { as_of: update.as_of, today: update.today };
    for path in order(update.files)? {
        let mut input = Input::open(&path)?;
        let named = |e: Error| e.context(format_args!("`{}`", path.display()));
        let taken = import(&mut input, dates, draft, owned).map_err(named)?;
        // Here, where the file is known whose rows do not fit.
        let put = draft.finish_file();
        check(&draft.render()?, Some(&put.regions))
            .map_err(|e| named(e.context("its rows fit no table")))?;
        let sha256 = input.finish()?;
        if taken.rows == 0 {
            return Err(nothing(&path, &taken, update.regions));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        locked.push(Locked {
            file: name,
            kind: taken.kind.to_owned(),
            as_of: taken.as_of.clone(),
            sha256,
            rows: taken.rows,
            source: taken.source,
        });
        told.push(Imported {
            file: path.display().to_string(),
            kind: taken.kind,
            as_of: taken.as_of,
            rows: taken.rows,
            left_out: taken.left_out,
            older: put.older,
        });
    }
    Ok((told, locked))
}

/// Why a file gave no row.
fn nothing(path: &Path, taken: &Taken, regions: &[String]) -> Error {
    let why = if taken.left_out.is_empty() {
        let of = match regions {
            [] => String::new(),
            regions => format!(" of {}", regions.join(", ")),
        };
        format!("it has nothing of what is taken of such a file ({}){of}", taken.kind)
    } else {
        format!("left out {}", taken.left_out.join(", "))
    };
    Error::input(format!("`{}` gives no row: {why}", path.display()))
}

/// Discounts are taken from On-Demand prices, so files of those come first;
/// otherwise the order stands.
fn order(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut sorted: Vec<(bool, PathBuf)> = files
        .iter()
        .map(|path| Ok((!Input::open(path)?.kind.states_on_demand(), path.clone())))
        .collect::<Result<_>>()?;
    sorted.sort_by_key(|(later, _)| *later);
    Ok(sorted.into_iter().map(|(_, path)| path).collect())
}

/// What a reader took from a file.
struct Taken {
    kind: &'static str,
    as_of: String,
    /// The id of its source; empty where no table has rows of it.
    source: String,
    rows: usize,
    left_out: Vec<String>,
}

fn import(input: &mut Input, dates: Dates, draft: &mut Draft, owned: &mut Owned) -> Result<Taken> {
    let date = dates.as_of.map_or_else(|| input.modified.clone(), |d| d.to_string());
    match input.kind {
        Kind::Offer => offer::read(input, dates, draft),
        Kind::PlanOffer => savings::read_offer(input, dates, draft),
        Kind::PlanRates => savings::read_rates(input, &date, draft),
        Kind::Advisor => advisor::read(input, &date, draft),
        Kind::SpotHistory => spot::read(input, draft),
        Kind::OwnedPlans => owned::read_plans(input, &date, draft, owned),
        Kind::OwnedReserved => owned::read_reserved(input, &date, draft, owned),
    }
}

#[cfg(test)]
mod tests;
