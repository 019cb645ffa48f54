//! `plimsoll commit`: how much Savings Plan to buy for the simulated usage.
//!
//! The scenario is simulated as `run` does it, seed by seed; of every seed only
//! the hourly usage that a commitment can cover is kept. What could be bought
//! and how much of it is [`crate::advise::commit`]'s.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use rayon::prelude::*;

use super::cells::simulate;
use super::progress::Progress;
use super::rightsize::baseline;
use super::scenario::{Scenario, Threads, Warnings};
use super::{Console, Format, Outcome, print};
use crate::advise::commit::{Answer, Offers, SeedUsage, Wanted};
use crate::bill::payer_usage;
use crate::catalog::{Payment, Term};
use crate::observe::KeepPods;
use crate::plan::{self, CasePlan};
use crate::scenario::Source;
use crate::sweep::OutputDir;
use crate::{Error, Result, report};

/// Millionths in a percentage point.
const PPM_PER_POINT: i64 = 10_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    #[command(flatten)]
    plans: Plans,
    /// Answer as a band where no rates are published for a plan
    #[arg(long)]
    allow_representative: bool,
    /// Half the width of that band, in points of discount
    #[arg(long, value_name = "POINTS", default_value_t = 5, requires = "allow_representative",
        value_parser = clap::value_parser!(u8).range(1..=30))]
    spread: u8,
    /// Directory of the result: curves, seeds, charts [default: none]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    warnings: Warnings,
}

/// What could be bought, unless the scenario says so.
#[derive(Debug, clap::Args)]
struct Plans {
    /// Which plans (repeatable) [default: both]
    #[arg(long = "plan", value_name = "KIND", value_enum)]
    kinds: Vec<Kind>,
    /// For how long
    #[arg(long, value_enum, default_value_t = Term::OneYear)]
    term: Term,
    /// How it is paid
    #[arg(long, value_enum, default_value_t = Payment::NoUpfront)]
    payment: Payment,
}

impl Plans {
    fn wanted(&self) -> Wanted {
        let has = |kind| self.kinds.is_empty() || self.kinds.contains(&kind);
        Wanted {
            compute: has(Kind::ComputeSp),
            families: has(Kind::Ec2InstanceSp),
            term: self.term,
            payment: self.payment,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A Compute Savings Plan
    ComputeSp,
    /// An EC2 Instance Savings Plan for each of the costliest families
    Ec2InstanceSp,
}

impl ValueEnum for Term {
    fn value_variants<'a>() -> &'a [Self] {
        Term::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Term::OneYear => "One year",
            Term::ThreeYears => "Three years",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

impl ValueEnum for Payment {
    fn value_variants<'a>() -> &'a [Self] {
        Payment::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Payment::NoUpfront => "Monthly",
            Payment::PartialUpfront => "Half at the start",
            Payment::AllUpfront => "All at the start",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let threads = args.threads.limit();
    let source = Source::load(&args.scenario.file)?;
    let mut options = args.scenario.options()?;
    options.cases = Some(vec![baseline(&source, &args.scenario.cases, "committed for")?]);
    let linked = plan::link(&source, &options)?;
    args.warnings.show(&linked.warnings, console)?;
    let case = only(&linked)?;
    Offers::check(case)?;
    let output = args.output.as_deref().map(OutputDir::create).transpose()?;
    let used = usage(case, linked.seeds_to_run(), threads, console)?;
    let offers = Offers::of(case, args.plans.wanted(), &used);
    options.set.extend_from_slice(offers.settings());
    let offered = plan::link(&source, &options)?;
    let spread = args.allow_representative.then_some(i64::from(args.spread) * PPM_PER_POINT);
    let answer = match offers.answer(&linked.name, only(&offered)?, &used, spread)? {
        Answer::Advised(answer) => answer,
        Answer::Withheld(items) => {
            print(&report::commit::withheld(&items, args.format.into()))?;
            return Err(report::commit::reason(&items));
        }
    };
    if let Some(output) = output {
        for (name, text) in report::commit::files(&answer)? {
            output.write(&name, text.as_bytes())?;
        }
        output.finish()?;
    }
    print(&report::commit::commitments(&answer, args.format.into())?)?;
    Ok(Outcome::Fine)
}

fn only(plan: &plan::Plan) -> Result<&CasePlan> {
    plan.cases.first().ok_or_else(|| Error::failed("a plan has no case"))
}

/// The usage of every seed that a commitment can cover.
fn usage(
    case: &CasePlan,
    seeds: &[u64],
    threads: usize,
    console: &Console,
) -> Result<Vec<SeedUsage>> {
    let progress = Progress::new(seeds.len(), console.shows_bars());
    let done = std::sync::atomic::AtomicUsize::new(0);
    let one = |&seed: &u64| {
        let simulated = simulate(case, seed, KeepPods::No)?;
        let usage = payer_usage(&simulated.record, &case.setup.cluster, &case.billing);
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        progress.set(done, seeds.len());
        let (usage, own) = usage.map_err(|e| e.context(format!("seed {seed}")))?;
        Ok(SeedUsage { seed, usage, own })
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::failed(format!("cannot start {threads} threads: {e}")))?;
    let all: Vec<Result<SeedUsage>> = pool.install(|| seeds.par_iter().map(one).collect());
    progress.clear();
    all.into_iter().collect()
}
