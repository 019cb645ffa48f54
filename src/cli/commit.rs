//! `plimsoll commit`: how much Savings Plan to buy for the simulated usage.
//!
//! The scenario is simulated as `run` does it, seed by seed; of every seed only
//! the hourly usage that a commitment can cover is kept. Candidates are the
//! Savings Plans of the scenario with `usd-per-hour: 0`, or else a Compute
//! Savings Plan and an EC2 Instance Savings Plan for each of the costliest
//! families. They are linked like any commitment, so that rates, their status
//! and their sources are those that a bill would use.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use rayon::prelude::*;

use super::cells::simulate;
use super::progress::Progress;
use super::rightsize::baseline;
use super::{Console, Format, Outcome, Scenario, print, run};
use crate::advise::commit::{Advice, Band, Candidate, Commitments, Question, advise, unpublished};
use crate::bill::commitments::HourlyUsage;
use crate::bill::{ALWAYS, Commitment, eligible_usage};
use crate::catalog::{Payment, Term};
use crate::observe::KeepPods;
use crate::plan::{self, CasePlan};
use crate::scenario::Source;
use crate::sweep::OutputDir;
use crate::units::{Money, Rate};
use crate::{Error, Result, frames, report};

/// Why an answer is withheld, and the code of the error that says so.
const REPRESENTATIVE: &str = "rates-representative";

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
    /// Threads [default: all cores]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Treat warnings as errors
    #[arg(long)]
    deny_warnings: bool,
}

/// Families for which a plan of their own is considered, the costliest.
const FAMILIES: usize = 6;

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
    fn has(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
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

/// Halves of the price that are paid at the start.
const fn upfront_halves(payment: Payment) -> i64 {
    match payment {
        Payment::NoUpfront => 0,
        Payment::PartialUpfront => 1,
        Payment::AllUpfront => 2,
    }
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let threads = run::threads(args.jobs);
    frames::limit_threads(threads);
    let source = Source::load(&args.scenario.file)?;
    let mut options = run::options(&args.scenario)?;
    options.cases = Some(vec![baseline(&source, &args.scenario.cases, "committed for")?]);
    let linked = plan::link(&source, &options)?;
    run::warn(&linked, args.deny_warnings, console)?;
    let case = only(&linked)?;
    refuse_dated(case)?;
    if case.billing.other_usage.is_some() {
        return Err(Error::input(
            "`other-usage` is not known to `commit`, which advises for the usage of the scenario \
             alone: leave it out with --set other-usage=null",
        ));
    }
    let output = args.output.as_deref().map(OutputDir::create).transpose()?;
    let seeds = linked.seeds_to_run();
    let usage = usage(case, seeds, threads, console)?;

    // Candidates are linked after the simulation: it does not depend on them.
    let offers = Offers::of(case, &args.plans, &usage);
    options.set.extend(offers.set.iter().cloned());
    let offered = plan::link(&source, &options)?;
    let commitments = &only(&offered)?.billing.commitments;
    let question = |shift_ppm: i64| offers.question(commitments, &usage, seeds, shift_ppm);
    let guessed = unpublished(&question(0));
    if !guessed.is_empty() && !args.allow_representative {
        return withheld(args.format, &guessed);
    }
    let answer = advise(&question(0))?;
    let band = if guessed.is_empty() {
        None
    } else {
        let spread = i64::from(args.spread) * 10_000;
        let at = |shift: i64| advise(&Question { alternatives: Vec::new(), ..question(shift) });
        Some(band(spread, &at(-spread)?, &at(spread)?))
    };
    let answer = Commitments {
        scenario: linked.name.clone(),
        case: case.name.clone(),
        advice: answer,
        band,
        resampled: case.workload.resamples_days(),
        owned: offers.owned(commitments),
    };
    if let Some(output) = output {
        output.write("commit.json", report::commit::json(&answer)?.as_bytes())?;
        output.write("curves.csv", report::commit::curves_csv(&answer)?.as_bytes())?;
        output.write("seeds.csv", report::commit::seeds_csv(&answer)?.as_bytes())?;
        for (name, svg) in report::commit::charts(&answer) {
            output.write(&format!("charts/{name}"), svg.as_bytes())?;
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
) -> Result<Vec<HourlyUsage>> {
    let progress = Progress::new(seeds.len(), console.shows_bars());
    let done = std::sync::atomic::AtomicUsize::new(0);
    let one = |seed: &u64| {
        let simulated = simulate(case, *seed, KeepPods::No)?;
        let usage = eligible_usage(&simulated.record, &case.setup.cluster, &case.billing);
        let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        progress.set(done, seeds.len());
        usage.map_err(|e| e.context(format!("seed {seed}")))
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::failed(format!("cannot start {threads} threads: {e}")))?;
    let all: Vec<Result<HourlyUsage>> = pool.install(|| seeds.par_iter().map(one).collect());
    progress.clear();
    all.into_iter().collect()
}

/// What could be bought, by the names of commitments.
struct Offers {
    /// Settings that add what the scenario does not have.
    set: Vec<(String, String)>,
    /// Found together.
    candidates: Vec<(String, Candidate)>,
    /// Each alone.
    alternatives: Vec<(String, Candidate)>,
}

impl Offers {
    fn of(case: &CasePlan, plans: &Plans, usage: &[HourlyUsage]) -> Offers {
        let owned = &case.billing.commitments;
        let free = |wanted: &str| {
            let mut name = wanted.to_owned();
            let mut n = 2;
            while owned.iter().any(|c| c.name == name) {
                name = format!("{wanted}-{n}");
                n += 1;
            }
            name
        };
        let mut offers =
            Offers { set: Vec::new(), candidates: Vec::new(), alternatives: Vec::new() };
        for commitment in owned.iter().filter(|c| is_open(c)) {
            offers.candidates.push((commitment.name.clone(), stated(case, commitment)));
        }
        let (term, payment) = (plans.term, plans.payment);
        if offers.candidates.is_empty() {
            if plans.has(Kind::ComputeSp) {
                let name = free("compute-sp");
                let candidate = offers.compute(&name, &name, term, payment);
                offers.candidates.push((name, candidate));
            }
            let families =
                if plans.has(Kind::Ec2InstanceSp) { families(usage) } else { Vec::new() };
            for family in families.into_iter().take(FAMILIES) {
                let name = free(&format!("ec2-sp-{family}"));
                let candidate = offers.of_family(&name, &family, term, payment);
                offers.candidates.push((name, candidate));
            }
        }
        for &term in Term::ALL {
            for &payment in Payment::ALL {
                let (t, p) = (term.word(), payment.word());
                let name = free(&format!("compute-sp-{t}-{p}"));
                let mut candidate = offers.compute(&name, &free("compute-sp"), term, payment);
                candidate.label = format!("{} {t} {p}", candidate.label);
                offers.alternatives.push((name, candidate));
            }
        }
        offers
    }

    /// Adds a Compute Savings Plan, called `shown` where advised.
    fn compute(&mut self, name: &str, shown: &str, term: Term, payment: Payment) -> Candidate {
        let (t, p) = (term.word(), payment.word());
        self.set.push((
            format!("commitments.{name}"),
            format!("{{kind: compute-sp, term: {t}, payment: {p}, usd-per-hour: 0}}"),
        ));
        let yaml = format!(
            "  {shown}:\n    {{ kind: compute-sp, term: {t}, payment: {p}, usd-per-hour: USD }}\n"
        );
        candidate("Compute SP", term, payment, yaml)
    }

    /// Adds an EC2 Instance Savings Plan. Names of families are those of the
    /// catalog: letters, digits and hyphens.
    fn of_family(&mut self, name: &str, family: &str, term: Term, payment: Payment) -> Candidate {
        let (t, p) = (term.word(), payment.word());
        let of = format!("kind: ec2-instance-sp, family: {family}, term: {t}, payment: {p},");
        self.set.push((format!("commitments.{name}"), format!("{{{of} usd-per-hour: 0}}")));
        let yaml = format!("  {name}:\n    {{ {of}\n      usd-per-hour: USD }}\n");
        candidate(&format!("EC2 Instance SP {family}"), term, payment, yaml)
    }

    fn question<'a>(
        &self,
        commitments: &'a [Commitment],
        usage: &'a [HourlyUsage],
        seeds: &'a [u64],
        shift_ppm: i64,
    ) -> Question<'a> {
        let placed = |offers: &[(String, Candidate)]| {
            offers
                .iter()
                .filter_map(|(name, candidate)| {
                    let commitment = commitments.iter().position(|c| c.name == *name)?;
                    Some(Candidate { commitment, ..candidate.clone() })
                })
                .collect()
        };
        Question {
            usage,
            seeds,
            commitments,
            candidates: placed(&self.candidates),
            alternatives: placed(&self.alternatives),
            shift_ppm,
        }
    }

    /// Names of what is owned.
    fn owned(&self, commitments: &[Commitment]) -> Vec<String> {
        let offered = |name: &str| {
            self.candidates.iter().chain(&self.alternatives).any(|(offer, _)| offer == name)
        };
        commitments.iter().filter(|c| !offered(&c.name)).map(|c| c.name.clone()).collect()
    }
}

/// Families of instances that plans can cover, the costliest first.
fn families(usage: &[HourlyUsage]) -> Vec<String> {
    let mut families: Vec<(Money, String)> = Vec::new();
    for usage in usage {
        for (index, item) in usage.items.iter().enumerate() {
            let Some(ec2) = &item.ec2 else { continue };
            let family = ec2.instance_type.split('.').next().unwrap_or_default();
            let list: Money =
                usage.list.iter().skip(index).step_by(usage.items.len()).copied().sum();
            match families.iter_mut().find(|(_, name)| name == family) {
                Some((sum, _)) => *sum += list,
                None => families.push((list, family.to_owned())),
            }
        }
    }
    families.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    families.into_iter().map(|(_, name)| name).collect()
}

/// A Savings Plan whose size the scenario leaves open.
fn is_open(commitment: &Commitment) -> bool {
    commitment.reserved.is_none() && commitment.usd_per_hour == Rate::ZERO
}

/// What is to be bought is looked at as if held all the time, so that no
/// candidate has a start.
fn refuse_dated(case: &CasePlan) -> Result<()> {
    let dated = |c: &&Commitment| is_open(c) && c.in_force != ALWAYS;
    let Some(found) = case.billing.commitments.iter().find(dated) else { return Ok(()) };
    let name = report::printable(&found.name);
    Err(Error::input(format!(
        "error: `{name}` is to be bought (`usd-per-hour: 0`), so it cannot have a `start`: its \
         size is found for usage that it covers from the first hour to the last\n\
         help: remove `commitments.{name}.start`, or state the `usd-per-hour` of what you own"
    )))
}

/// A candidate of the scenario itself.
fn stated(case: &CasePlan, commitment: &Commitment) -> Candidate {
    let setting = |key: &str| {
        let paths = [
            format!("commitments.{}.{key}", commitment.name),
            format!("commitments.\"{}\".{key}", commitment.name),
        ];
        case.settings.iter().find(|s| paths.contains(&s.path)).map(|s| s.value.clone())
    };
    let term = setting("term").and_then(|t| Term::from_word(&t)).unwrap_or(Term::OneYear);
    let payment =
        setting("payment").and_then(|p| Payment::from_word(&p)).unwrap_or(Payment::NoUpfront);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = &commitment.name;
    // JSON strings are YAML strings.
    let name = if name.chars().all(plain) {
        name.clone()
    } else {
        serde_json::Value::from(name.as_str()).to_string()
    };
    candidate(
        &report::printable(&commitment.name),
        term,
        payment,
        format!("  {name}:\n    usd-per-hour: USD\n"),
    )
}

fn candidate(label: &str, term: Term, payment: Payment, yaml: String) -> Candidate {
    Candidate {
        commitment: 0,
        label: label.to_owned(),
        term: term.word().to_owned(),
        term_hours: term.hours(),
        payment: payment.word().to_owned(),
        upfront_halves: upfront_halves(payment),
        yaml,
    }
}

fn band(spread_ppm: i64, low: &Advice, high: &Advice) -> Band {
    let spends = |advice: &Advice| advice.plans.iter().map(|p| p.usd_per_hour).collect();
    Band {
        spread_ppm,
        low: spends(low),
        high: spends(high),
        after_per_hour: (low.after_per_hour, high.after_per_hour),
    }
}

/// No answer, and why.
fn withheld(format: Format, items: &[String]) -> Result<Outcome> {
    const NAMED: usize = 4;
    if format == Format::Json {
        let answer = serde_json::json!({
            "schema_version": crate::sweep::SCHEMA_VERSION,
            "status": "withheld",
            "reason": REPRESENTATIVE,
            "items": items,
        });
        print(&format!("{answer:#}\n"))?;
    }
    let mut names = items.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > NAMED {
        names = format!("{names} and {} more", items.len() - NAMED);
    }
    Err(Error::input(format!(
        "error[{REPRESENTATIVE}]: no published Savings Plan rate is known for {names}\n\
         help: give price tables that have the rates (--pricing DIR), state the `discount` of a \
         commitment with `usd-per-hour: 0`, or take a band around representative rates with \
         --allow-representative"
    )))
}
