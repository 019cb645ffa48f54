//! `plimsoll breakeven`: at which packing EC2 costs as much as Fargate.

mod prices;
mod quick;
mod simulated;

use std::path::PathBuf;

use super::{Console, Format, Outcome, Scenario, print};
use crate::advise::breakeven::Breakevens;
use crate::report;
use crate::sweep::OutputDir;
use crate::{Error, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A scenario: its pods, its nodes as bought, its packing as simulated
    #[arg(value_name = "FILE", conflicts_with_all = ["types", "cpu", "memory", "pods", "region", "orchestrator", "daemonset", "max_pods", "root_volume", "auto_mode"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    question: quick::Question,
    #[command(flatten)]
    scenario: OfScenario,
    /// Directory of the result: chart, CSV, JSON [default: none]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Use prices that nobody could verify
    #[arg(long)]
    allow_believed_prices: bool,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
}

/// What may be changed about a scenario.
#[derive(Debug, clap::Args)]
struct OfScenario {
    /// Change a setting, as in --set pools.general.asg.max=10
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Seed, instead of the scenario's first
    #[arg(long)]
    seed: Option<u64>,
    /// Case, instead of the first in the file
    #[arg(long = "case", value_name = "NAME")]
    case: Option<String>,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
}

impl OfScenario {
    /// Without a scenario none of it means anything. (clap drops a requirement
    /// that conflicts with what is given.)
    fn refuse(&self) -> Result<()> {
        let given = [
            ("--set", !self.set.is_empty()),
            ("--seed", self.seed.is_some()),
            ("--case", self.case.is_some()),
            ("--deny-warnings", self.deny_warnings),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => {
                Err(Error::input(format!("`{flag}` is about a scenario: give its FILE")))
            }
            None => Ok(()),
        }
    }
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let pricing = args.pricing.as_deref();
    let found = if let Some(file) = &args.file {
        let scenario = Scenario {
            file: file.clone(),
            set: args.scenario.set.clone(),
            seed: args.scenario.seed,
            seeds: None,
            cases: args.scenario.case.iter().cloned().collect(),
            allow_believed_prices: args.allow_believed_prices,
            pricing: args.pricing.clone(),
        };
        simulated::answer(&scenario, args.scenario.deny_warnings, console)?
    } else {
        args.scenario.refuse()?;
        quick::answer(&args.question, pricing, args.allow_believed_prices)?
    };
    if let Some(target) = &args.output {
        write(&found, target)?;
        console.note(&format!("charts: {}", target.display()));
    }
    print(&report::breakeven(&found, args.format.into())?)?;
    Ok(Outcome::Fine)
}

fn write(found: &Breakevens, target: &std::path::Path) -> Result<()> {
    let output = OutputDir::create(target)?;
    for (name, svg) in report::breakeven_charts(found) {
        output.write(&name, svg.as_bytes())?;
    }
    output.write("breakeven.csv", report::breakeven(found, report::Format::Csv)?.as_bytes())?;
    output.write("breakeven.json", report::breakeven(found, report::Format::Json)?.as_bytes())?;
    output.finish()
}
