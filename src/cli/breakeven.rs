//! `plimsoll breakeven`: at which packing EC2 costs as much as Fargate.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::cells::{billed, simulate};
use super::scenario::{Scenario, Warnings};
use super::{Console, Format, Outcome, print};
use crate::advise::breakeven::{
    self, AskedPod, Breakevens, Orchestrator, Prices, Question, Ran, Simulated,
};
use crate::bill::KeepLines;
use crate::catalog::Catalog;
use crate::observe::KeepPods;
use crate::report;
use crate::sweep::OutputDir;
use crate::units::{Bytes, MilliCpu};
use crate::{Error, Result};

/// Largest weight of a pod in a mix.
const MAX_WEIGHT: i128 = 1_000_000_000;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A scenario: its pods, its nodes as bought, its packing as simulated
    #[arg(value_name = "FILE", conflicts_with_all = ["types", "cpu", "memory", "pods", "region", "orchestrator", "daemonset", "max_pods", "root_volume", "auto_mode"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    question: Asked,
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
    #[command(flatten)]
    warnings: Warnings,
}

impl OfScenario {
    /// Without a scenario none of it means anything. (clap drops a requirement
    /// that conflicts with what is given.)
    fn refuse(&self) -> Result<()> {
        let given = [
            ("--set", !self.set.is_empty()),
            ("--seed", self.seed.is_some()),
            ("--case", self.case.is_some()),
            ("--deny-warnings", self.warnings.deny_warnings),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((flag, _)) => {
                Err(Error::input(format!("`{flag}` is about a scenario: give its FILE")))
            }
            None => Ok(()),
        }
    }
}

/// What is asked without a scenario.
#[derive(Debug, clap::Args)]
struct Asked {
    /// Instance type (repeatable), as m6i.2xlarge
    #[arg(long = "type", value_name = "TYPE", required_unless_present = "file")]
    types: Vec<String>,
    /// Cpu that a pod requests, as 100m
    #[arg(long, value_name = "CPU", requires = "memory", conflicts_with = "pods")]
    cpu: Option<MilliCpu>,
    /// Memory that a pod requests, as 256Mi
    #[arg(long, value_name = "MEMORY", requires = "cpu")]
    memory: Option<Bytes>,
    /// One kind of pod of a mix: cpu, memory and its weight (repeatable), as
    /// 100m,256Mi,3
    #[arg(long = "pod", value_name = "CPU,MEMORY[,WEIGHT]")]
    pods: Vec<String>,
    /// AWS Region [default: us-east-1]
    #[arg(long)]
    region: Option<String>,
    /// What runs them [default: eks]
    #[arg(long, value_enum)]
    orchestrator: Option<Orchestrator>,
    /// A DaemonSet's requests: room on every node, a sidecar of every Fargate
    /// pod (repeatable)
    #[arg(long, value_name = "CPU,MEMORY")]
    daemonset: Vec<String>,
    /// Pods a node takes at most [default: what its network interfaces hold]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max_pods: Option<u32>,
    /// Charge every node a gp3 root volume of this size, as 50Gi
    #[arg(long, value_name = "SIZE")]
    root_volume: Option<Bytes>,
    /// Charge every node the fee of EKS Auto Mode
    #[arg(long)]
    auto_mode: bool,
}

impl ValueEnum for Orchestrator {
    fn value_variants<'a>() -> &'a [Self] {
        &[Orchestrator::Eks, Orchestrator::Ecs]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Orchestrator::Eks => "Amazon EKS",
            Orchestrator::Ecs => "Amazon ECS",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

impl Asked {
    fn question(&self) -> Result<Question> {
        let daemons = self.daemonset.iter().map(|text| requests(text, "--daemonset"));
        Ok(Question {
            types: self.types.clone(),
            pods: self.mix()?,
            daemons: daemons.collect::<Result<_>>()?,
            orchestrator: self.orchestrator.unwrap_or_default(),
            max_pods: self.max_pods,
            root_volume: self.root_volume,
            auto_mode: self.auto_mode,
        })
    }

    /// The kinds of pods with their weights.
    fn mix(&self) -> Result<Vec<(AskedPod, i128)>> {
        if let (Some(cpu), Some(memory)) = (self.cpu, self.memory) {
            return Ok(vec![((cpu, memory), 1)]);
        }
        // clap would ask for one of the two ways alone.
        if self.pods.is_empty() {
            return Err(Error::input(
                "nothing says what a pod requests: give `--cpu` and `--memory`, as `--cpu 100m \
                 --memory 256Mi`, or `--pod` for each kind of a mix, as `--pod 100m,256Mi,3`",
            ));
        }
        self.pods
            .iter()
            .map(|text| {
                let (pod, weight) = match text.splitn(3, ',').collect::<Vec<_>>()[..] {
                    [_, _, weight] => (text.trim_end_matches(weight).trim_end_matches(','), weight),
                    _ => (text.as_str(), "1"),
                };
                let weight = weight.trim().parse().ok().filter(|w| (1..=MAX_WEIGHT).contains(w));
                let weight = weight.ok_or_else(|| {
                    let message = "the weight is a whole number from 1 to 1000000000";
                    Error::input(format!("`--pod {text}`: {message}"))
                })?;
                Ok((requests(pod, "--pod")?, weight))
            })
            .collect()
    }
}

/// Requests as `100m,256Mi`.
fn requests(text: &str, flag: &str) -> Result<AskedPod> {
    let bad = |why: &dyn std::fmt::Display| Error::input(format!("`{flag} {text}`: {why}"));
    let (cpu, memory) = text
        .split_once(',')
        .ok_or_else(|| bad(&"expected cpu and memory with a comma between, as 100m,256Mi"))?;
    Ok((cpu.parse().map_err(|e| bad(&e))?, memory.parse().map_err(|e| bad(&e))?))
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let found = if let Some(file) = &args.file {
        of_scenario(args, file, console)?
    } else {
        args.scenario.refuse()?;
        of_question(args, console)?
    };
    if let Some(target) = &args.output {
        write(&found, target)?;
        console.note(&format!("charts: {}", target.display()));
    }
    print(&report::breakeven(&found, args.format.into())?)?;
    Ok(Outcome::Fine)
}

fn prices(args: &Args, catalog: Catalog, region: &str) -> Result<Prices> {
    Prices::new(catalog, region, args.allow_believed_prices)
}

/// Types and pods from the command line alone.
fn of_question(args: &Args, console: &Console) -> Result<Breakevens> {
    let region = args.question.region.as_deref().unwrap_or("us-east-1");
    let catalog = super::prices::load(args.pricing.as_deref(), console)?;
    let prices = prices(args, catalog, region)?;
    let question = args.question.question()?;
    Ok(Breakevens {
        simulated: None,
        region: region.to_owned(),
        orchestrator: question.orchestrator,
        comparisons: breakeven::asked(&question, &prices)?,
    })
}

/// The pools of a scenario at the packing that they reach.
fn of_scenario(args: &Args, file: &Path, console: &Console) -> Result<Breakevens> {
    let scenario = Scenario {
        file: file.to_owned(),
        set: args.scenario.set.clone(),
        seed: args.scenario.seed,
        seeds: None,
        cases: args.scenario.case.iter().cloned().collect(),
        allow_believed_prices: args.allow_believed_prices,
        pricing: args.pricing.clone(),
    };
    let plan = scenario.load()?;
    args.scenario.warnings.show(&plan.warnings, console)?;
    let (Some(case), Some(&seed)) = (plan.cases.first(), plan.seeds.first()) else {
        return Err(Error::failed("a plan has no case"));
    };
    let catalog = Catalog::load(args.pricing.as_deref())?;
    let prices = prices(args, catalog, &case.region)?;
    for (code, text) in breakeven::one_sided(case) {
        console.warn(code, text);
    }
    let of = simulate(case, seed, KeepPods::Yes)?;
    let (bill, _) = billed(case, seed, &of, KeepLines::Yes)?;
    let ran = Ran { record: &of.record, workloads: &of.workloads, bill: &bill };
    let mut comparisons = Vec::new();
    for (pool, compared) in breakeven::simulated(case, &prices, ran)? {
        match compared {
            Ok(comparison) => comparisons.push(comparison),
            Err(why) => console.warn("breakeven-pool", &format!("pool `{pool}`: {why}")),
        }
    }
    if comparisons.is_empty() {
        return Err(Error::input(format!(
            "no pool of case `{}` has nodes with pods that Fargate could run: there is nothing \
             to compare; state --type and --pod instead of a scenario",
            case.name
        )));
    }
    Ok(Breakevens {
        simulated: Some(Simulated { scenario: plan.name.clone(), case: case.name.clone(), seed }),
        region: case.region.clone(),
        orchestrator: breakeven::orchestrator(case),
        comparisons,
    })
}

fn write(found: &Breakevens, target: &Path) -> Result<()> {
    let output = OutputDir::create(target)?;
    for (name, svg) in report::breakeven_charts(found) {
        output.write(&name, svg.as_bytes())?;
    }
    output.write("breakeven.csv", report::breakeven(found, report::Format::Csv)?.as_bytes())?;
    output.write("breakeven.json", report::breakeven(found, report::Format::Json)?.as_bytes())?;
    output.finish()
}
