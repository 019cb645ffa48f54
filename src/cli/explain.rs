//! `plimsoll explain`: simulates one cell again and says why.

use std::path::PathBuf;

use super::{Console, Format, Outcome, Scenario, cells, print};
use crate::observe::KeepPods;
use crate::plan::{CasePlan, Plan};
use crate::report::explain::{CellFacts, Subject, cost};
use crate::scenario::Source;
use crate::{Error, Result};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Whose dollars a node, workload or namespace is, down to the lines
    Cost(CostArgs),
}

/// Which cell of which scenario.
#[derive(Debug, clap::Args)]
struct OneCell {
    /// The scenario file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The case [default: the first]
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// The seed [default: the scenario's first]
    #[arg(long)]
    seed: Option<u64>,
    /// Change a setting, as in --set pools.general.asg.max=10
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Use prices that nobody could verify
    #[arg(long)]
    allow_believed_prices: bool,
    /// Use the price tables in this directory
    #[arg(long, value_name = "DIR", env = "PLIMSOLL_PRICING")]
    pricing: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct CostArgs {
    #[command(flatten)]
    cell: OneCell,
    #[command(flatten)]
    subject: SubjectArgs,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct SubjectArgs {
    /// This workload
    #[arg(long, value_name = "NAME")]
    workload: Option<String>,
    /// This node, by pool and launch number, as in general/3
    #[arg(long, value_name = "POOL/NUMBER")]
    node: Option<String>,
    /// This namespace
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
}

pub(super) fn run(verb: &Verb, console: &Console) -> Result<Outcome> {
    match verb {
        Verb::Cost(args) => {
            let plan = args.cell.load(console)?;
            let (case, seed) = cell(&plan)?;
            let simulated = cells::simulate(case, seed, KeepPods::No)?;
            let facts = simulated.facts(&plan, case, seed);
            let subject = args.subject.subject()?;
            let story = cost(facts, &case.billing, subject)?;
            print(&story.show(args.cell.format.into())?)?;
        }
    }
    Ok(Outcome::Fine)
}

impl OneCell {
    fn load(&self, console: &Console) -> Result<Plan> {
        if self.file.is_dir() {
            return Err(Error::input(format!(
                "`{}` is a directory; an explanation simulates again and needs the scenario file",
                self.file.display()
            )));
        }
        // Only one case is linked: the others' mistakes and warnings do not
        // matter here.
        let case = match &self.case {
            Some(case) => Some(case.clone()),
            None => Source::load(&self.file)?.case_names().first().map(|&name| name.to_owned()),
        };
        let plan = super::run::load(&Scenario {
            file: self.file.clone(),
            set: self.set.clone(),
            seed: self.seed,
            seeds: Some(1),
            cases: case.into_iter().collect(),
            allow_believed_prices: self.allow_believed_prices,
            pricing: self.pricing.clone(),
        })?;
        super::run::warn(&plan, false, console)?;
        Ok(plan)
    }
}

/// The case that was named, or the first; and its seed.
fn cell(plan: &Plan) -> Result<(&CasePlan, u64)> {
    plan.cases
        .first()
        .zip(plan.seeds.first().copied())
        .ok_or_else(|| Error::failed("a plan has neither case nor seed"))
}

impl SubjectArgs {
    fn subject(&self) -> Result<Subject<'_>> {
        match (&self.workload, &self.node, &self.namespace) {
            (Some(name), _, _) => Ok(Subject::Workload(name)),
            (_, Some(name), _) => Ok(Subject::Node(name)),
            (_, _, Some(name)) => Ok(Subject::Namespace(name)),
            _ => Err(Error::input("name a --workload, a --node or a --namespace")),
        }
    }
}

impl cells::Simulated {
    fn facts<'a>(&'a self, plan: &'a Plan, case: &'a CasePlan, seed: u64) -> CellFacts<'a> {
        CellFacts {
            scenario: &plan.name,
            case: &case.name,
            seed,
            cluster: &case.setup.cluster,
            workloads: &self.workloads,
            record: &self.record,
        }
    }
}
