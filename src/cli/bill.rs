//! `plimsoll bill`: what a file of usage costs, without simulating.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use super::{Console, Format, Outcome, print};
use crate::bill::statement::{GroupBy, Item, reprice_file};
use crate::catalog::Catalog;
use crate::frames::rows::open_table;
use crate::plan::{UsageBillOptions, UsagePrices, bill_usage};
use crate::report::UsageBy;
use crate::{Result, report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Usage, Parquet or CSV, plain or gzip: hourly usage of our own, a FOCUS export (1.0 to 1.2)
    /// or an AWS Cost and Usage Report
    ///
    /// Hourly usage has the columns hour (RFC 3339, UTC where it names no zone, or hours since
    /// 1970), region, kind (ec2, fargate-vcpu, fargate-gb), quantity, and where they matter
    /// instance_type, arch, zone, usd_per_unit, owner, tag:NAME.
    #[arg(value_name = "USAGE")]
    usage: PathBuf,
    /// Apply the commitments of this file, hour by hour: YAML with `commitments:` as in a scenario,
    /// and `region:` where usage is of several
    #[arg(long, value_name = "FILE", conflicts_with = "reprice")]
    commitments: Option<PathBuf>,
    /// What the rows of the result stand for: item, hour, owner, or tag:NAME
    #[arg(long, value_name = "WHAT", default_value = "item", conflicts_with = "reprice",
          value_parser = by)]
    by: By,
    /// Price every row of a bill again at list prices, and explain each difference; CSV has a line
    /// per row
    #[arg(long)]
    reprice: bool,
    /// Use prices that nobody could verify; --reprice names them in any case
    #[arg(long, conflicts_with = "reprice")]
    allow_believed_prices: bool,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What rows of the result stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    Item,
    Hour,
    Group(GroupBy),
}

fn by(text: &str) -> std::result::Result<By, String> {
    match text {
        "item" => Ok(By::Item),
        "hour" => Ok(By::Hour),
        "owner" => Ok(By::Group(GroupBy::Owner)),
        _ => match text.strip_prefix("tag:") {
            Some(key) if !key.is_empty() => Ok(By::Group(GroupBy::Tag(key.to_owned()))),
            _ => Err("expected item, hour, owner or tag:NAME".to_owned()),
        },
    }
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let catalog = super::prices::load(args.pricing.as_deref(), console)?;
    if args.reprice {
        return repriced(args, catalog);
    }
    let (by, group_by) = match &args.by {
        By::Item => (UsageBy::Item, None),
        By::Hour => (UsageBy::Hour, None),
        By::Group(group) => (UsageBy::Group, Some(group.clone())),
    };
    let options =
        UsageBillOptions { open: open_table, allow_believed: args.allow_believed_prices, group_by };
    let priced = bill_usage(&args.usage, args.commitments.as_deref(), catalog, &options)?;
    if !priced.warnings.is_empty() {
        console.note(priced.warnings.trim_end());
    }
    // A table of numbers has no place for what is said of it.
    if args.format == Format::Csv {
        let said = [report::usage_currencies(&priced), report::usage_left_out(&priced)];
        said.iter().flatten().for_each(|said| console.note(said));
    }
    let name = args.usage.display().to_string();
    print(&report::usage_bill(&name, &priced, by, args.format.into())?)?;
    Ok(Outcome::Fine)
}

fn repriced(args: &Args, catalog: Catalog) -> Result<Outcome> {
    let mut prices = UsagePrices::new(catalog);
    let mut listed = |item: Item<'_>, region: &str| prices.listed(item, region);
    // Bad rows are found before the first line is printed: the file is read
    // twice where rows are wanted.
    let (format, summary) = reprice_file(&args.usage, open_table, &mut listed, |_| Ok(()))?;
    if args.format == Format::Csv {
        let mut rows = report::RepriceRows::new(BufWriter::new(io::stdout().lock()))?;
        reprice_file(&args.usage, open_table, &mut listed, |row| rows.write(row))?;
        rows.finish()?;
    } else {
        let name = args.usage.display().to_string();
        print(&report::reprice(&name, format, &summary, args.format.into())?)?;
    }
    Ok(Outcome::Fine)
}
