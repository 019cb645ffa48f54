//! Exports of what pods used, turned into a
//! [`UsageSet`](crate::workload::usage::UsageSet). One file per format, each
//! with its columns, what is dropped, noted and refused.
//!
//! A [`UsageSource`] names files of one format with everything said about
//! them. The format is told by what stands in the first line, unless stated.

mod bitbrains;
pub(crate) mod cluster_hourly;
mod container_15min;
pub mod prometheus;
#[cfg(test)]
mod tests;
mod when;

use std::io::Read;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::text;
use crate::workload::source::OnBadRow;
use crate::workload::table::Table;
use crate::workload::usage::gather::{Gather, LoadedUsage};
use crate::workload::usage::native;
use prometheus::{Answer, Quantity};

/// A format of usage exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsageFormat {
    /// The usage table of this project.
    Native,
    /// Pod report of the OpenShift cost-management operator.
    ClusterHourly,
    /// Container report of the same operator.
    Container15Min,
    /// A virtual machine of the Bitbrains traces.
    Bitbrains,
    /// Answers of Prometheus' `query_range`.
    Prometheus,
}

impl UsageFormat {
    /// Formats by name.
    pub const NAMES: [(&'static str, UsageFormat); 5] = [
        ("native", UsageFormat::Native),
        ("cluster-hourly", UsageFormat::ClusterHourly),
        ("container-15min", UsageFormat::Container15Min),
        ("bitbrains", UsageFormat::Bitbrains),
        ("prometheus", UsageFormat::Prometheus),
    ];

    /// Its name in a scenario.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, f)| *f == self).map_or("", |(name, _)| name)
    }
}

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What errors and reports call it: the path as the user wrote it.
    pub shown: String,
    /// What its values are, where the user says; for Prometheus only.
    pub holds: Option<Quantity>,
}

/// Files of one format with everything that decides what is read from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageSource {
    /// What reports call it.
    pub name: String,
    /// The files, read in this order.
    pub files: Vec<UsageFile>,
    /// Their format; by their first line where `None`.
    pub format: Option<UsageFormat>,
    /// What happens to rows that cannot be read.
    pub on_bad_row: OnBadRow,
    /// Distance of points in answers of Prometheus, milliseconds; by the
    /// points themselves where `None`.
    pub step_ms: Option<i64>,
}

/// The format that a header tells.
fn of_header(table: &Table) -> Option<UsageFormat> {
    let all = |wanted: &[&str]| {
        wanted.iter().all(|name| table.header().iter().any(|h| h.trim().starts_with(name)))
    };
    if native::is_header(table.header()) {
        Some(UsageFormat::Native)
    } else if all(&["interval_start", "pod_usage_cpu_core_seconds"]) {
        Some(UsageFormat::ClusterHourly)
    } else if all(&["interval_start", "cpu_usage_container_avg"]) {
        Some(UsageFormat::Container15Min)
    } else {
        None
    }
}

impl UsageSource {
    /// Reads all files.
    ///
    /// # Errors
    /// When a file cannot be read, is not of the format, has bad rows that
    /// are not quarantined, or there is no usage in any.
    pub fn load(&self) -> Result<LoadedUsage> {
        let format = match self.format {
            Some(format) => format,
            None => self.sniff()?,
        };
        let unit = if format == UsageFormat::Prometheus { "point" } else { "line" };
        let mut gather = Gather::new(&self.name, unit, self.on_bad_row);
        if format == UsageFormat::Prometheus {
            let answers = self.files.iter().map(|file| {
                let input = text::open(&file.path)?;
                Ok(Answer { input, shown: &file.shown, holds: file.holds })
            });
            prometheus::read_into(answers, self.step_ms, &mut gather)?;
            return gather.finish();
        }
        for file in &self.files {
            gather.file(&file.shown)?;
            let separator = if format == UsageFormat::Bitbrains { b';' } else { b',' };
            let mut table = Table::separated_by(separator, text::open(&file.path)?, &file.shown)?;
            match format {
                UsageFormat::ClusterHourly => cluster_hourly::read_into(&mut table, &mut gather)?,
                UsageFormat::Container15Min => container_15min::read_into(&mut table, &mut gather)?,
                UsageFormat::Bitbrains => {
                    bitbrains::read_into(&mut table, stem(&file.shown), &mut gather)?;
                }
                UsageFormat::Native | UsageFormat::Prometheus => {
                    native::read_into(&mut table, &mut gather)?;
                }
            }
        }
        gather.finish()
    }

    /// The format that the beginning of the first file tells.
    fn sniff(&self) -> Result<UsageFormat> {
        let Some(file) = self.files.first() else {
            return Err(Error::input(format!("usage `{}` names no file", self.name)));
        };
        let mut start = [0; 512];
        let mut input = text::open(&file.path)?;
        let mut read = 0;
        while read < start.len() {
            match input.read(&mut start[read..]) {
                Ok(0) => break,
                Ok(n) => read += n,
                Err(e) => return Err(Error::read(&file.path, &e)),
            }
        }
        let start = start[..read].trim_ascii_start();
        let found = match start.first() {
            Some(b'{' | b'[') => Some(UsageFormat::Prometheus),
            _ if start.starts_with(b"Timestamp [ms];") => Some(UsageFormat::Bitbrains),
            _ => of_header(&Table::new(text::open(&file.path)?, &file.shown)?),
        };
        found.ok_or_else(|| {
            Error::input(format!(
                "cannot tell the format of `{}` by its first line; state `format` ({}), or write \
                 the columns {}",
                file.shown,
                UsageFormat::NAMES.map(|(name, _)| name).join(", "),
                native::COLUMNS.join(", "),
            ))
        })
    }
}

/// A file's name without directory and endings.
fn stem(shown: &str) -> &str {
    let name = shown.rsplit('/').next().unwrap_or(shown);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
