//! `plimsoll breakeven`: at which packing EC2 costs as much as Fargate.

mod quick;

use std::path::PathBuf;

use super::{Console, Format, Outcome, print};
use crate::Result;
use crate::advise::breakeven::Breakevens;
use crate::report;
use crate::sweep::OutputDir;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    question: quick::Question,
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

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let found = quick::answer(&args.question, args.pricing.as_deref(), args.allow_believed_prices)?;
    if let Some(target) = &args.output {
        write(&found, target)?;
        console.note(&format!("chart: {}", target.join("breakeven.svg").display()));
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
