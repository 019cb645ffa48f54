//! What verbs that link a scenario share: what the command line changes about
//! it, what is warned of, on how many threads it is simulated.

use std::path::PathBuf;

use super::Console;
use crate::plan::{self, Plan, Warning};
use crate::{Error, Result, frames};

/// What the command line may change about a scenario.
#[derive(Debug, clap::Args)]
pub(super) struct Scenario {
    /// The scenario file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Change a setting of every case, as in --set pools.general.asg.max=10
    #[arg(long, value_name = "PATH=VALUE")]
    pub(super) set: Vec<String>,
    /// First seed, instead of the scenario's
    #[arg(long)]
    pub(super) seed: Option<u64>,
    /// Number of seeds, instead of the scenario's
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) seeds: Option<u32>,
    /// Only these cases (repeatable); the first in the file is the baseline
    #[arg(long = "case", value_name = "NAME")]
    pub(super) cases: Vec<String>,
    /// Use prices that nobody could verify
    #[arg(long)]
    pub(super) allow_believed_prices: bool,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pub(super) pricing: Option<PathBuf>,
}

impl Scenario {
    /// Links it as the command line asks.
    pub(super) fn load(&self) -> Result<Plan> {
        plan::load(&self.file, &self.options()?)
    }

    /// What the command line says about it.
    pub(super) fn options(&self) -> Result<plan::Options> {
        let mut options = plan::Options::new(|source| source.load(frames::PARQUET));
        if !self.cases.is_empty() {
            options.cases = Some(self.cases.clone());
        }
        for set in &self.set {
            let Some((path, value)) = set.split_once('=') else {
                return Err(Error::input(format!(
                    "`--set {set}` has no value; write --set path=value"
                )));
            };
            if value.trim().is_empty() {
                return Err(Error::input(format!(
                    "`--set {set}` has no value; write --set {path}=null to delete the setting"
                )));
            }
            options.set.push((path.to_owned(), value.to_owned()));
        }
        options.seed = self.seed;
        options.seeds = self.seeds;
        options.allow_believed = self.allow_believed_prices;
        options.pricing_dir.clone_from(&self.pricing);
        Ok(options)
    }
}

/// What becomes of warnings.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Warnings {
    /// Treat warnings as errors
    #[arg(long)]
    pub(super) deny_warnings: bool,
}

impl Warnings {
    /// Shows them; where they are denied they are errors.
    pub(super) fn show(&self, warnings: &[Warning], console: &Console) -> Result<()> {
        let deny = self.deny_warnings;
        // What ends the run is said even where warnings are not wanted.
        let denied = Console { quiet: false };
        let console = if deny { &denied } else { console };
        for warning in warnings {
            console.warn(warning.code, &warning.text);
        }
        match warnings.len() {
            n if !deny || n == 0 => Ok(()),
            1 => Err(Error::input("a warning, and --deny-warnings was given")),
            n => Err(Error::input(format!("{n} warnings, and --deny-warnings was given"))),
        }
    }
}

/// On how many threads scenarios are simulated.
#[derive(Debug, clap::Args)]
pub(super) struct Threads {
    /// Threads [default: all cores]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

impl Threads {
    /// As many as are asked for, or one a core. Polars is held to them too, so
    /// that this comes before anything that touches it.
    pub(super) fn limit(&self) -> usize {
        let threads = self.jobs.map_or_else(Threads::cores, usize::from);
        frames::limit_threads(threads);
        threads
    }

    /// One a core.
    pub(super) fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, Into::into)
    }
}
