//! `plimsoll explain`: simulates one cell again and says why.

use std::path::{Path, PathBuf};

use super::scenario::{Scenario, Warnings};
use super::{Console, Format, Outcome, cells, print};
use crate::observe::probe::{Follow, Probe, Role, Search};
use crate::observe::{KeepPods, PodEnd};
use crate::plan::{CasePlan, Plan};
use crate::report::explain::{CellFacts, Subject, cost, find_pod, find_workload, pod, task};
use crate::scenario::Source;
use crate::text;
use crate::units::{Money, SimTime, parse_duration};
use crate::workload::Workloads;
use crate::{Error, Result, world};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// What happened to a pod, what the scheduler saw and why it waited
    Pod(PodArgs),
    /// Whose dollars a node, workload or namespace is, down to the lines
    Cost(CostArgs),
}

/// Which cell of which scenario.
#[derive(Debug, clap::Args)]
struct OneCell {
    /// The scenario file, or a directory that `plimsoll run` wrote: its cell
    /// is simulated again and must come out the same
    #[arg(value_name = "FILE|DIR")]
    file: PathBuf,
    /// The scenario that made DIR, where it is not found by itself
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
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
pub(super) struct PodArgs {
    #[command(flatten)]
    cell: OneCell,
    #[command(flatten)]
    which: Which,
    /// Only pods of this workload
    #[arg(long, value_name = "NAME", conflicts_with = "pod")]
    workload: Option<String>,
}

/// The pod of this name or role.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Which {
    /// By workload and number, as in web/3, or by name as in the trace (the
    /// first of several)
    #[arg(value_name = "POD")]
    pod: Option<String>,
    /// The one that waited longest for a node [default]
    #[arg(long)]
    longest_wait: bool,
    /// The one that had waited longest at this time, as in 2h30m from the
    /// start or 2026-07-06T02:30Z
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The first that was evicted, by a drain or for a pod of higher priority
    #[arg(long)]
    evicted: bool,
    /// The first that was lost with its Spot node
    #[arg(long)]
    interrupted: bool,
    /// The first that no pool could ever hold
    #[arg(long)]
    rejected: bool,
    /// The first that still waited when the run ended
    #[arg(long)]
    pending: bool,
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
    /// The whole bill by this label, one of allocation.by-label
    #[arg(long, value_name = "KEY")]
    label: Option<String>,
}

pub(super) fn run(verb: &Verb, console: &Console) -> Result<Outcome> {
    match verb {
        Verb::Pod(args) => {
            let loaded = args.cell.load(console)?;
            let (case, seed) = cell(&loaded.plan)?;
            print(&args.story(&loaded, case, seed)?)?;
        }
        Verb::Cost(args) => {
            let loaded = args.cell.load(console)?;
            let (case, seed) = cell(&loaded.plan)?;
            let simulated = cells::simulate(case, seed, KeepPods::No)?;
            loaded.check_events(simulated.record.events)?;
            let facts = simulated.facts(&loaded.plan, case, seed);
            let subject = args.subject.subject()?;
            let story = cost(facts, &case.billing, subject)?;
            loaded.check_total(story.bill_total())?;
            print(&story.show(args.cell.format.into())?)?;
        }
    }
    Ok(Outcome::Fine)
}

impl PodArgs {
    fn story(&self, loaded: &Loaded, case: &CasePlan, seed: u64) -> Result<String> {
        let workloads = case.workload.materialise(seed)?;
        let ordinal = match &self.which.pod {
            Some(name) => find_pod(&workloads, name)?,
            None => self.search(case, seed, &workloads)?,
        };
        let probe = Probe::Follow(Box::new(Follow::new(ordinal)));
        let run = |probe| world::run_watched(&case.setup, &workloads, seed, KeepPods::No, probe);
        let (record, Probe::Follow(follow)) = run(probe) else {
            return Err(Error::failed("a pursuit came back as a search"));
        };
        loaded.check_events(record.events)?;
        let cell = CellFacts {
            scenario: &loaded.plan.name,
            case: &case.name,
            seed,
            cluster: &case.setup.cluster,
            workloads: &workloads,
            record: &record,
        };
        let format = self.cell.format.into();
        match &case.setup.ecs {
            Some(ecs) => task(cell, ecs, &follow, ordinal)?.show(format),
            None => pod(cell, &follow, ordinal)?.show(format),
        }
    }

    /// A first run that finds the pod of the role.
    fn search(&self, case: &CasePlan, seed: u64, workloads: &Workloads) -> Result<u64> {
        let Which { at, evicted, interrupted, rejected, pending, .. } = &self.which;
        let (role, none) = if let Some(at) = at {
            let time = time(at, case.setup.start_unix_ms)?;
            (Role::PendingAt(time), format!("no pod waited for a node at {at}"))
        } else if *evicted {
            (Role::First(PodEnd::Evicted), "no pod was evicted".to_owned())
        } else if *interrupted {
            (Role::First(PodEnd::Interrupted), "no pod was interrupted".to_owned())
        } else if *rejected {
            (Role::First(PodEnd::Rejected), "no pod was rejected".to_owned())
        } else if *pending {
            (Role::First(PodEnd::Pending), "no pod still waited at the end".to_owned())
        } else {
            (Role::LongestWait, "no pod was submitted after the warm-up".to_owned())
        };
        let only = self.workload.as_ref().map(|name| find_workload(workloads, name)).transpose()?;
        let probe = Probe::Search(Search::new(role, only, case.setup.warmup));
        let found = match world::run_watched(&case.setup, workloads, seed, KeepPods::No, probe).1 {
            Probe::Search(search) => search.found(),
            Probe::Follow(_) => None,
        };
        let of = self.workload.as_ref().map(|w| format!(" of workload `{w}`")).unwrap_or_default();
        found.ok_or_else(|| Error::input(format!("{none}{of} in case {}, seed {seed}", case.name)))
    }
}

/// A time of the run: a length from its start, or a timestamp.
fn time(given: &str, start_unix_ms: i64) -> Result<SimTime> {
    if let Ok(length) = parse_duration(given) {
        return Ok(SimTime::ZERO + length);
    }
    let at = text::is_timestamp(given.as_bytes()).then(|| text::timestamp_ms(given.as_bytes()));
    match at {
        Some(Ok(ms)) => ms.checked_sub(start_unix_ms).map(SimTime),
        _ => None,
    }
    .ok_or_else(|| {
        Error::input(format!(
            "`--at {given}` is no time of the run; write a length from its start such as 2h30m, \
             or a timestamp such as 2026-07-06T02:30Z"
        ))
    })
}

impl OneCell {
    fn load(&self, console: &Console) -> Result<Loaded> {
        if self.file.is_dir() {
            return self.load_again(console);
        }
        if self.scenario.is_some() {
            return Err(Error::input(
                "`--scenario` says which scenario made a directory of results",
            ));
        }
        // Only one case is linked: the others' mistakes and warnings do not
        // matter here.
        let case = match &self.case {
            Some(case) => Some(case.clone()),
            None => Source::load(&self.file)?.case_names().first().map(|&name| name.to_owned()),
        };
        let plan = self.link(&self.file, case, self.seed)?;
        Warnings::default().show(&plan.warnings, console)?;
        Ok(Loaded { plan, result: None })
    }

    fn link(&self, file: &Path, case: Option<String>, seed: Option<u64>) -> Result<Plan> {
        let scenario = Scenario {
            file: file.to_owned(),
            set: self.set.clone(),
            seed,
            seeds: Some(1),
            cases: case.into_iter().collect(),
            allow_believed_prices: self.allow_believed_prices,
            pricing: self.pricing.clone(),
        };
        scenario.load()
    }

    /// Links the scenario that made a result. A result keeps no shares and no
    /// attempts, so its first seed is simulated again.
    fn load_again(&self, console: &Console) -> Result<Loaded> {
        let result = Finished::read(&self.file, self.case.as_deref())?;
        if self.seed.is_some_and(|seed| seed != result.seed) {
            let (dir, seed) = (self.file.display(), result.seed);
            return Err(Error::input(format!("`{dir}` holds seed {seed} in depth, no other")));
        }
        let file = self.scenario.clone().or_else(|| result.find_scenario()).ok_or_else(|| {
            Error::input(format!(
                "cannot find the scenario `{}` that made `{}`\n  = help: name it with --scenario FILE",
                result.scenario(),
                self.file.display()
            ))
        })?;
        let plan = self.link(&file, Some(result.case.clone()), Some(result.seed))?;
        result.check_inputs(&plan)?;
        Warnings::default().show(&plan.warnings, console)?;
        Ok(Loaded { plan, result: Some(result) })
    }
}

/// What is explained: a linked scenario, and the result it must reproduce.
struct Loaded {
    plan: Plan,
    result: Option<Finished>,
}

impl Loaded {
    fn check_events(&self, events: u64) -> Result<()> {
        match &self.result {
            Some(result) if result.events != events => Err(result.differs("events")),
            _ => Ok(()),
        }
    }

    fn check_total(&self, total: Money) -> Result<()> {
        match &self.result {
            Some(result) if result.total != total.to_string() => Err(result.differs("cost")),
            _ => Ok(()),
        }
    }
}

/// What a result says of the cell that is simulated again.
struct Finished {
    directory: PathBuf,
    case: String,
    seed: u64,
    events: u64,
    total: String,
    /// Path and SHA-256; the scenario first.
    inputs: Vec<(String, String)>,
}

impl Finished {
    fn read(directory: &Path, case: Option<&str>) -> Result<Finished> {
        let summary = super::report::summary(directory, case)?;
        let foreign =
            || Error::input(format!("`{}` is no result of `plimsoll run`", directory.display()));
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let inputs = summary["inputs"].as_array().ok_or_else(foreign)?;
        let input = |i: &serde_json::Value| text(&i["path"]).zip(text(&i["sha256"]));
        Ok(Finished {
            directory: directory.to_owned(),
            case: text(&summary["case"]).ok_or_else(foreign)?,
            seed: summary["seed"].as_u64().ok_or_else(foreign)?,
            events: summary["events"].as_u64().ok_or_else(foreign)?,
            total: text(&summary["cost"]["total"]).ok_or_else(foreign)?,
            inputs: inputs.iter().map(input).collect::<Option<_>>().ok_or_else(foreign)?,
        })
    }

    fn scenario(&self) -> &str {
        self.inputs.first().map_or("", |(path, _)| path)
    }

    /// The scenario by its name, in this directory or above the result.
    fn find_scenario(&self) -> Option<PathBuf> {
        let name = Path::new(self.scenario());
        let plain = |c: std::path::Component<'_>| matches!(c, std::path::Component::Normal(_));
        if name.as_os_str().is_empty() || !name.components().all(plain) {
            return None;
        }
        let above = self.directory.ancestors().skip(1).take(3).map(|dir| dir.join(name));
        std::iter::once(name.to_owned()).chain(above).find(|path| path.is_file())
    }

    /// The same files as when the result was made.
    fn check_inputs(&self, plan: &Plan) -> Result<()> {
        for (index, (path, sha256)) in self.inputs.iter().enumerate() {
            // The scenario may have been renamed.
            let now = match index {
                0 => plan.inputs.first(),
                _ => plan.inputs.iter().find(|i| i.path == *path),
            };
            if now.is_some_and(|i| i.sha256 != *sha256) {
                return Err(Error::input(format!(
                    "`{path}` is not what it was when `{}` was made; run the scenario again",
                    self.directory.display()
                )));
            }
        }
        Ok(())
    }

    fn differs(&self, what: &str) -> Error {
        Error::input(format!(
            "simulated again the {what} differ from those of `{}`; repeat the --set and the price \
             options that made it, or run the scenario again",
            self.directory.display()
        ))
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
        match (&self.workload, &self.node, &self.namespace, &self.label) {
            (Some(name), _, _, _) => Ok(Subject::Workload(name)),
            (_, Some(name), _, _) => Ok(Subject::Node(name)),
            (_, _, Some(name), _) => Ok(Subject::Namespace(name)),
            (_, _, _, Some(key)) => Ok(Subject::Label(key)),
            _ => Err(Error::input("name a --workload, a --node, a --namespace or a --label")),
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
