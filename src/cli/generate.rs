//! `plimsoll generate`: draws the generated workloads of a scenario into
//! trace files that any case can replay.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use super::scenario::Scenario;
use super::{Console, Outcome};
use crate::workload::native_csv::write_native_csv;
use crate::workload::plan::Content;
use crate::{Error, Result, frames};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    /// Directory for <workload>.csv or <workload>.parquet
    #[arg(short, long, value_name = "DIR", default_value = "traces")]
    output: PathBuf,
    /// Write Parquet instead of CSV
    #[arg(long)]
    parquet: bool,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let plan = args.scenario.load()?;
    let (Some(case), Some(seed)) = (plan.cases.first(), plan.seeds.first()) else {
        return Err(Error::input("the scenario has no case"));
    };
    std::fs::create_dir_all(&args.output).map_err(|e| Error::write(&args.output, &e))?;
    let mut written = 0;
    for workload in case.workload.workloads() {
        let Content::Generator(spec) = &workload.content else { continue };
        let data = spec.generate(&workload.name, *seed)?;
        let extension = if args.parquet { "parquet" } else { "csv" };
        let path = args.output.join(format!("{}.{extension}", workload.name));
        let file = File::create_new(&path).map_err(|e| {
            if e.kind() == std::io::ErrorKind::AlreadyExists {
                Error::input(format!("`{}` exists already; remove it first", path.display()))
            } else {
                Error::write(&path, &e)
            }
        })?;
        let out = BufWriter::new(file);
        if args.parquet {
            frames::trace::write_native_parquet(&data, out)?;
        } else {
            write_native_csv(&data, out).map_err(|e| Error::write(&path, &e))?;
        }
        let pods = crate::nouns::counted(data.trace.pods(), "pod");
        console.note(&format!("wrote {pods} to {}", path.display()));
        written += 1;
    }
    if written == 0 {
        return Err(Error::input(format!("case {} generates no workload", case.name)));
    }
    Ok(Outcome::Fine)
}
