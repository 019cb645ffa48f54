//! Input files: each is read once for all cases, and hashed.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::model::{Input, ReadTrace};
use super::other_file::OtherFile;
use super::usage::Loaded;
use crate::Result;
use crate::catalog::SpotHistory;
use crate::import::TraceSource;
use crate::import::usage::UsageSource;
use crate::text;
use crate::units::SimDuration;
use crate::workload::demand::{RequestRate, read_demand};
use crate::workload::intern::PodRules;
use crate::workload::source::LoadedTrace;

/// A demand curve as it stands in a file.
type Steps = Vec<(SimDuration, RequestRate)>;

/// A file, or one data set of it.
type DataSet = (PathBuf, Option<String>);

/// What has been read. A clone shares the rows.
#[derive(Debug, Clone)]
pub(super) struct Files {
    read_trace: ReadTrace,
    traces: Vec<(TraceSource, Result<LoadedTrace>)>,
    demands: Vec<((PathBuf, i64), Result<Steps>)>,
    usages: Vec<(UsageSource, Result<Loaded>)>,
    histories: Vec<(DataSet, Result<Arc<SpotHistory>>)>,
    others: Vec<(PathBuf, Result<Arc<OtherFile>>)>,
    inputs: Vec<Input>,
}

impl Files {
    /// Nothing yet, besides the scenario at `path`.
    pub(super) fn new(scenario: &Path, read_trace: ReadTrace) -> Self {
        let mut files = Files {
            read_trace,
            traces: Vec::new(),
            demands: Vec::new(),
            usages: Vec::new(),
            histories: Vec::new(),
            others: Vec::new(),
            inputs: Vec::new(),
        };
        let name = scenario.file_name().unwrap_or(scenario.as_os_str()).to_string_lossy();
        files.note_input(&name, scenario);
        files
    }

    /// The trace of a source with its pods' rules. Rules change nothing about
    /// reading, so that cases which differ in them share the rows.
    pub(super) fn trace(&mut self, source: &TraceSource) -> Result<LoadedTrace> {
        let rules = source.options.rules.clone();
        let mut plain = source.clone();
        plain.options.rules = PodRules::default();
        let at = self.traces.iter().position(|(known, _)| *known == plain).unwrap_or_else(|| {
            self.note_input(&plain.shown, &plain.path);
            for other in plain.format.other_files() {
                self.note_input(&other.shown, &other.path);
            }
            let read = (self.read_trace)(&plain);
            self.traces.push((plain, read));
            self.traces.len() - 1
        });
        let (_, read) = self.traces.get(at).expect("was found or added");
        let mut loaded = read.clone()?;
        loaded.data.rules = rules;
        Ok(loaded)
    }

    /// The steps of a demand file.
    pub(super) fn demand(&mut self, path: &Path, shown: &str, start_unix_ms: i64) -> Result<Steps> {
        let key = (path.to_owned(), start_unix_ms);
        let at = self.demands.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            self.note_input(shown, path);
            self.demands.push((key, read_demand(path, shown, Some(start_unix_ms))));
            self.demands.len() - 1
        });
        let (_, read) = self.demands.get(at).expect("was found or added");
        read.clone()
    }

    /// Recorded Spot prices, all of a file or one data set of it.
    pub(super) fn spot_history(
        &mut self,
        path: &Path,
        shown: &str,
        dataset: Option<&str>,
    ) -> Result<Arc<SpotHistory>> {
        let key = (path.to_owned(), dataset.map(str::to_owned));
        let at = self.histories.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            self.note_input(shown, path);
            let read = text::open(path)
                .and_then(|input| SpotHistory::read(input, shown, dataset))
                .map(Arc::new);
            self.histories.push((key, read));
            self.histories.len() - 1
        });
        let (_, read) = self.histories.get(at).expect("was found or added");
        read.clone()
    }

    /// What a payer uses outside the scenario.
    pub(super) fn other_usage(&mut self, path: &Path, shown: &str) -> Result<Arc<OtherFile>> {
        let at = self.others.iter().position(|(known, _)| known == path).unwrap_or_else(|| {
            self.note_input(shown, path);
            self.others.push((path.to_owned(), OtherFile::read(path, shown).map(Arc::new)));
            self.others.len() - 1
        });
        let (_, read) = self.others.get(at).expect("was found or added");
        read.clone()
    }

    /// The series of a source of usage.
    pub(super) fn usage(&mut self, source: &UsageSource) -> Result<Loaded> {
        let at = self.usages.iter().position(|(known, _)| known == source).unwrap_or_else(|| {
            for file in &source.files {
                self.note_input(&file.shown, &file.path);
            }
            self.usages.push((source.clone(), source.load().map(Arc::new)));
            self.usages.len() - 1
        });
        let (_, read) = self.usages.get(at).expect("was found or added");
        read.clone()
    }

    /// Every source of usage that could be read, in order of first use.
    pub(super) fn usages(&self) -> impl Iterator<Item = &Loaded> {
        self.usages.iter().filter_map(|(_, read)| read.as_ref().ok())
    }

    /// Every trace that could be read, in order of first use.
    pub(super) fn traces(&self) -> impl Iterator<Item = &LoadedTrace> {
        self.traces.iter().filter_map(|(_, read)| read.as_ref().ok())
    }

    /// All files, the scenario first.
    pub(super) fn into_inputs(self) -> Vec<Input> {
        self.inputs
    }

    /// A file that cannot be read is reported by its reader, not here.
    fn note_input(&mut self, shown: &str, path: &Path) {
        if self.inputs.iter().all(|i| i.path != shown)
            && let Ok(sha256) = sha256(path)
        {
            self.inputs.push(Input { path: shown.to_owned(), sha256 });
        }
    }
}

fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        match buffer.get(..read) {
            Some(bytes) if read > 0 => hasher.update(bytes),
            _ => break,
        }
    }
    let digest = hasher.finalize();
    Ok(digest.iter().fold(String::with_capacity(2 * digest.len()), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
