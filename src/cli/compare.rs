//! `plimsoll compare`: two finished results, or two cases of one, in the
//! manner of a plan.

use std::path::PathBuf;

use super::{Console, Format, Outcome, fail_if, print};
use crate::advise::{Comparison, Picked};
use crate::sweep::PastStudy;
use crate::{Error, Result, report};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Result of `plimsoll run` to compare with
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Result in question; without it two cases of OLD are compared
    #[arg(value_name = "NEW")]
    new: Option<PathBuf>,
    /// Only this case
    #[arg(long, value_name = "CASE")]
    case: Option<String>,
    /// Compare --case with this case of NEW, or of OLD where there is no NEW
    #[arg(long, value_name = "CASE", requires = "case")]
    with: Option<String>,
    /// Show what is the same as well
    #[arg(long)]
    all: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_if: fail_if::Args,
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let fail_if = args.fail_if.parse()?;
    if args.new.is_none() && args.with.is_none() {
        return Err(Error::input(
            "one result has nothing to be compared with: name a second one, or two cases with \
             --case A --with B",
        ));
    }
    let old = PastStudy::open(&args.old)?;
    let other = args.new.as_deref().map(PastStudy::open).transpose()?;
    let new = other.as_ref().unwrap_or(&old);
    let picked = Picked { case: args.case.as_deref(), with: args.with.as_deref() };
    let comparison = Comparison::of(&old, new, picked)?;
    if comparison.cases.is_empty() && !fail_if.is_empty() {
        return Err(Error::input(
            "the two results have no case in common that --fail-if could bound; pick two with \
             --case A --with B",
        ));
    }
    fail_if.check_names(
        &crate::advise::Measured::cases(&comparison),
        &crate::advise::Measured::workloads(&comparison),
    )?;
    print(&report::comparison(&comparison, args.format.into(), args.all)?)?;
    if comparison.cases.is_empty() {
        console.note("the two results have no case in common; pick two with --case A --with B");
    }
    let crossed = fail_if::crossed(&fail_if, &comparison);
    Ok(if crossed { Outcome::GoalMissed } else { Outcome::Fine })
}
