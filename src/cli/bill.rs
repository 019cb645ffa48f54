//! `plimsoll bill`: what a file of usage costs, without simulating.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use super::{Format, Outcome, print};
use crate::bill::statement::{Item, reprice_file};
use crate::catalog::Catalog;
use crate::plan::UsagePrices;
use crate::{Result, report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Usage: a FOCUS export (1.0 to 1.2) or an AWS Cost and Usage Report, CSV, plain or gzip
    #[arg(value_name = "USAGE")]
    usage: PathBuf,
    /// Price every row of a bill again at list prices, and explain each difference; CSV has a line
    /// per row
    #[arg(long, required = true)]
    reprice: bool,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<Outcome> {
    let mut prices = UsagePrices::new(Catalog::load(args.pricing.as_deref())?);
    let mut listed = |item: Item<'_>, region: &str| prices.listed(item, region);
    // Bad rows are found before the first line is printed: the file is read
    // twice where rows are wanted.
    let (format, summary) = reprice_file(&args.usage, &mut listed, |_| Ok(()))?;
    if args.format == Format::Csv {
        let mut rows = report::RepriceRows::new(BufWriter::new(io::stdout().lock()))?;
        reprice_file(&args.usage, &mut listed, |row| rows.write(row))?;
        rows.finish()?;
    } else {
        let name = args.usage.display().to_string();
        print(&report::reprice(&name, format, &summary, args.format.into())?)?;
    }
    Ok(Outcome::Fine)
}
