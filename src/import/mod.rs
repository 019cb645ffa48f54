//! Other people's formats, turned into workload. Each reader documents what
//! it sorts, rejects, quarantines and clips, and which options it needs.
//!
//! A [`TraceSource`] names a file with everything said about it. Two that are
//! equal give the same trace, so a caller that keeps what it loaded reads
//! each file once for all cases.

pub mod alibaba_batch;
pub mod alibaba_dlrm;
pub mod azure_2019;
pub mod azure_2021;
pub mod cluster;
pub mod hourly;
pub mod kubernetes;
pub mod numbers;
pub mod openb;
pub mod opendc;
pub mod redact;
pub mod swf;
pub mod today;
pub mod usage;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::text;
use crate::units::Bytes;
use crate::workload::native_csv::NativeCsv;
use crate::workload::source::{LoadedTrace, RowSource, TraceOptions, load};
use alibaba_batch::AlibabaBatch;
use alibaba_dlrm::{AlibabaDlrm, DlrmOptions};
use azure_2019::{Azure2019, Beside};
use azure_2021::Azure2021;
use numbers::NumberTable;
use openb::{Openb, OpenbOptions};
use opendc::Opendc;
use swf::{Swf, SwfOptions};

/// A name or value of the files, for messages.
fn quote(text: &str) -> String {
    format!("`{}`", text::excerpt(text.as_bytes(), 60))
}

/// A format of traces, with the options that only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Native CSV, `.csv` or `.csv.gz`.
    Csv,
    /// Native Parquet, `.parquet`.
    Parquet,
    /// Standard Workload Format, `.swf` or `.swf.gz`.
    Swf {
        /// Memory per processor of jobs that state none.
        memory_per_cpu: Option<Bytes>,
    },
    /// Alibaba openb pod list; a CSV, so it must be asked for by name.
    Openb(OpenbOptions),
    /// Task table of Alibaba's batch jobs of 2017; a CSV as well.
    AlibabaBatch2017 {
        /// Memory of a whole machine.
        memory_scale: Bytes,
    },
    /// Instance list of Alibaba's recommendation models of 2025; a CSV as well.
    AlibabaDlrm2025(DlrmOptions),
    /// Counts of invocations of Azure Functions of 2019; a CSV as well.
    AzureFunctions2019 {
        /// The file of run times.
        durations: OtherFile,
        /// The file of memory.
        memory: Option<OtherFile>,
    },
    /// List of invocations of Azure Functions of 2021; a CSV as well.
    AzureFunctions2021,
    /// Tasks of OpenDC; a Parquet file that must be asked for by name.
    Opendc {
        /// What one unit of `mem_capacity` is.
        memory_unit: Bytes,
        /// The file of usage.
        fragments: Option<OtherFile>,
    },
}

/// A file that belongs to a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What errors and reports call it: the path as the user wrote it.
    pub shown: String,
}

impl Format {
    /// Names by which a scenario asks for a format.
    pub const NAMES: [&str; 8] = [
        "native",
        "swf",
        "openb",
        "alibaba-batch-2017",
        "alibaba-dlrm-2025",
        "azure-functions-2019",
        "azure-functions-2021",
        "opendc",
    ];

    /// The files that are read beside the trace.
    pub fn other_files(&self) -> impl Iterator<Item = &OtherFile> {
        let files = match self {
            Format::AzureFunctions2019 { durations, memory } => [Some(durations), memory.as_ref()],
            Format::Opendc { fragments, .. } => [fragments.as_ref(), None],
            _ => [None, None],
        };
        files.into_iter().flatten()
    }

    /// The format that a file's name tells.
    ///
    /// # Errors
    /// When the ending is none of the known ones.
    pub fn of_path(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let plain = name.strip_suffix(".gz").unwrap_or(&name);
        let ending = plain.rsplit_once('.').map_or("", |(_, ending)| ending);
        let format = match ending {
            "csv" => Some(Format::Csv),
            "parquet" if name == plain => Some(Format::Parquet),
            "swf" => Some(Format::Swf { memory_per_cpu: None }),
            _ => None,
        };
        format.ok_or_else(|| {
            Error::input(format!(
                "cannot tell the format of `{}` by its name; state `format` ({}), or name it \
                 .csv, .csv.gz, .parquet, .swf or .swf.gz",
                path.display(),
                Format::NAMES.join(", ")
            ))
        })
    }
}

/// A trace file with everything that decides what is read from it.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSource {
    /// Where it lies.
    pub path: PathBuf,
    /// What errors and reports call it: the path as the user wrote it.
    pub shown: String,
    /// Its format.
    pub format: Format,
    /// What the user says about it.
    pub options: TraceOptions,
}

/// How Parquet files are read. Only the room that knows the Parquet library
/// can, so whoever loads traces passes its functions in.
#[derive(Debug, Clone, Copy)]
pub struct Parquet {
    /// Opens a native trace, which errors call by the name given.
    pub native: fn(&Path, &str, &TraceOptions) -> Result<Box<dyn RowSource>>,
    /// Reads these columns of numbers of a file.
    pub numbers: fn(&Path, &str, &[&str]) -> Result<NumberTable>,
}

impl TraceSource {
    /// Reads the file.
    ///
    /// # Errors
    /// As [`load`], and when the file cannot be opened.
    pub fn load(&self, parquet: Parquet) -> Result<LoadedTrace> {
        let (path, shown, options) = (self.path.as_path(), self.shown.as_str(), &self.options);
        let text = || crate::text::open(path);
        let mut source: Box<dyn RowSource> = match &self.format {
            Format::Csv => Box::new(NativeCsv::new(text()?, shown, options)?),
            Format::Parquet => (parquet.native)(path, shown, options)?,
            Format::Swf { memory_per_cpu } => {
                let swf = SwfOptions { memory_per_cpu: *memory_per_cpu, memory: options.memory };
                Box::new(Swf::new(text()?, shown, swf))
            }
            Format::AlibabaBatch2017 { memory_scale } => {
                Box::new(AlibabaBatch::new(text()?, shown, *memory_scale)?)
            }
            Format::AlibabaDlrm2025(dlrm) => {
                Box::new(AlibabaDlrm::new(text()?, shown, dlrm.clone())?)
            }
            Format::AzureFunctions2019 { durations, memory } => {
                let open = |file: &OtherFile| crate::text::open(&file.path);
                let run_times = Beside { input: open(durations)?, name: &durations.shown };
                let memory = match memory {
                    Some(file) => Some(Beside { input: open(file)?, name: &file.shown }),
                    None => None,
                };
                let invocations = Beside { input: text()?, name: shown };
                let elsewhere = options.memory.is_some();
                Box::new(Azure2019::new(invocations, run_times, memory, elsewhere)?)
            }
            Format::AzureFunctions2021 => Box::new(Azure2021::new(text()?, shown)?),
            Format::Opendc { memory_unit, fragments } => {
                let tasks = (parquet.numbers)(path, shown, &opendc::TASKS)?;
                let used = match fragments {
                    Some(OtherFile { path, shown }) => {
                        Some(((parquet.numbers)(path, shown, &opendc::FRAGMENTS)?, shown.as_str()))
                    }
                    None => None,
                };
                let used = used.as_ref().map(|(table, shown)| (table, *shown));
                let start = options.start_unix_ms.unwrap_or(0);
                Box::new(Opendc::new(tasks, used, *memory_unit, start)?)
            }
            Format::Openb(openb) => Box::new(Openb::new(text()?, shown, openb.clone())?),
        };
        load(source.as_mut(), shown, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats() {
        let of = |name: &str| Format::of_path(Path::new(name)).ok();
        assert_eq!(of("a/b.csv"), Some(Format::Csv));
        assert_eq!(of("b.CSV.gz"), Some(Format::Csv));
        assert_eq!(of("b.parquet"), Some(Format::Parquet));
        assert_eq!(of("LCG-2005-1.swf.gz"), Some(Format::Swf { memory_per_cpu: None }));
        for odd in ["b.parquet.gz", "b", "csv", "", "b.txt", "b.gz"] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_missing_file_names_itself() {
        let source = TraceSource {
            path: "no/such.swf".into(),
            shown: "no/such.swf".into(),
            format: Format::Swf { memory_per_cpu: None },
            options: TraceOptions::default(),
        };
        let none = Parquet {
            native: |_, shown, _| Err(Error::input(shown)),
            numbers: |_, shown, _| Err(Error::input(shown)),
        };
        let error = source.load(none).expect_err("missing");
        assert!(error.is_input() && error.to_string().contains("`no/such.swf`"), "{error}");
    }
}
