//! `plimsoll import cluster-hourly`: a recorded day of a cluster, as a scenario
//! that replays it.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::import::{Target, written};
use super::{Console, Outcome};
use crate::import::hourly::{self, Recorded};
use crate::import::today::{Coverage, Span};
use crate::workload::native_csv::write_native_csv;
use crate::workload::usage::{UsageSeries, native};
use crate::{Error, Result};

/// File of usage beside the scenario.
const USAGE: &str = "usage.csv.gz";
/// Directory of traces beside the scenario.
const TRACES: &str = "pods";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Pod report (`*_openshift_usage_report.*.csv`), plain or gzip
    pods: PathBuf,
    /// Report of node labels, which tells instance types and zones
    nodes: Option<PathBuf>,
    #[command(flatten)]
    to: Target,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let recorded = hourly::load(&args.pods, args.nodes.as_deref())?;
    let span = Span {
        start_unix_ms: recorded.start_unix_ms,
        end_unix_ms: recorded.end_unix_ms,
        batches: recorded.batches.keys().cloned().collect(),
        traces: TRACES.to_owned(),
        usage: USAGE.to_owned(),
    };
    let Recorded { cluster, batches, usage, .. } = recorded;
    let replayed: u64 = batches.values().map(|runs| runs.len() as u64).sum();
    written(
        cluster,
        std::collections::BTreeMap::new(),
        Some(span),
        &args.to,
        console,
        |it, directory| {
            let traces = directory.join(TRACES);
            fs::create_dir_all(&traces).map_err(|e| Error::write(&traces, &e))?;
            for (name, ((namespace, _), runs)) in it.batches.iter().zip(&batches) {
                let path = traces.join(format!("{name}.csv"));
                let data = hourly::trace(namespace, runs)?;
                into_file(&path, |out| write_native_csv(&data, out))?;
            }
            into_file(&directory.join(USAGE), |out| {
                let mut gz = GzEncoder::new(out, Compression::default());
                native::write(&usage.set, &mut gz)?;
                gz.finish()?.flush()
            })?;
            let coverage = &mut it.coverage;
            coverage.count("pods", "pods that came or went, as traces", replayed, None);
            cover(coverage, &usage);
            Ok(())
        },
    )
}

fn into_file(
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    File::create(path)
        .and_then(|file| write(BufWriter::new(file)))
        .map_err(|e| Error::write(path, &e))
}

/// What is known of usage, and what was left out of it.
fn cover(coverage: &mut Coverage, usage: &crate::workload::usage::gather::LoadedUsage) {
    let pods = usage.set.series.len() as u64;
    let with = |test: fn(&UsageSeries) -> bool| {
        usage.set.series.values().filter(|s| test(s)).count() as u64
    };
    let cpu = with(|s| s.samples.iter().any(|x| x.cpu_mean.is_some()));
    let memory = with(|s| s.samples.iter().any(|x| x.memory_mean.is_some()));
    coverage.count("usage", "pods with cpu usage, of those seen running", cpu, Some(pods));
    coverage.count("usage", "pods with memory usage, of those seen running", memory, Some(pods));
    coverage.count("usage", "hours with usage", usage.report.samples, Some(usage.report.rows));
    for (code, tally) in usage.report.dropped.iter().chain(&usage.report.warnings) {
        coverage.coded("usage", code, tally.text, tally.rows);
    }
    for notice in &usage.report.notices {
        coverage.coded("usage", notice.code, &notice.text, 1);
    }
}
