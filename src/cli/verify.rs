//! `plimsoll verify`: how many recorded decisions of the real components the
//! models reproduce.

use std::path::PathBuf;

use clap::ValueEnum;

use super::{Console, Outcome, print};
use crate::verify::{self, Report};
use crate::{Error, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A recorded scenario, a directory of them, or a directory of such
    /// directories
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// List every disagreement: pod, node, plugin, both numbers
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let report = verify::run(&args.dir)?;
    if report.skipped > 0 {
        console.note(&format!(
            "note: {} scenarios of the Cluster Autoscaler are not replayed",
            report.skipped
        ));
    }
    let details = if args.verbose { report.details() } else { String::new() };
    match args.format {
        Format::Table => print(&format!("{}{details}", report.table()))?,
        Format::Json => {
            // The document alone goes to stdout.
            if !details.is_empty() {
                console.note(details.trim_end());
            }
            print(&format!("{:#}\n", report.json()))?;
        }
    }
    verdict(&report)
}

fn verdict(report: &Report) -> Result<Outcome> {
    if report.is_perfect() {
        return Ok(Outcome::Fine);
    }
    let total = report.total();
    if total.index_differs > 0 {
        return Err(Error::failed(format!(
            "index and plain evaluator differ in {} of {} decisions; -v lists them",
            total.index_differs, total.decisions
        )));
    }
    let found: usize = report.scenarios.iter().map(|s| s.disagreements.len()).sum();
    Err(Error::failed(format!("{found} numbers are not as recorded; -v lists them")))
}
