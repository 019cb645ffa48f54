//! `plimsoll rightsize`: requests fitted to usage, and what that is worth in
//! request-dollars, node-dollars and cash.
//!
//! The scenario gets a second case with the new requests. Fixed pools do not
//! shrink by themselves: where they could, a third case has the fewest nodes
//! that still do today's work, found by simulation, and the dollars are
//! counted against that one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;

use super::cells::{Simulated, simulate};
use super::scenario::{Scenario, Threads, Warnings};
use super::{Console, Format, Outcome, print, run};
use crate::advise::{
    Dollars, FittedRow, FixedPool, Parts, Rightsized, Trial, Trials, TwoBills, UnitPrices, Verdict,
    WholeNodes, crushed, pod_ms, rows, shortfalls, undone, whole_nodes,
};
use crate::bill::{Bill, BillingPlan, KeepLines};
use crate::cluster::PoolKind;
use crate::observe::KeepPods;
use crate::plan::{self, CasePlan, Plan};
use crate::report::{self, RightsizeFormat};
use crate::scenario::{self, Source};
use crate::sweep::{self, OutputDir};
use crate::workload::plan::{Content, PlannedWorkload, WorkloadPlan};
use crate::workload::rightsize::{Fitting, apply};
use crate::{Error, Result};

/// How much longer than today the longest wait may be in a cluster that still
/// holds everything, seconds: a choice, above what start-up and the scheduler's
/// back-off vary by.
const WAIT_TOLERANCE_S: f64 = 60.0;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    scenario: Scenario,
    #[command(flatten)]
    rules: Rules,
    /// Fixed pool that keeps its nodes (repeatable)
    #[arg(long, value_name = "POOL")]
    keep_pool: Vec<String>,
    /// Directory of the result: report, tables, patches [default: none]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    threads: Threads,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Shown,
    #[command(flatten)]
    warnings: Warnings,
}

/// How a rightsizing is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Shown {
    /// For people, within 80 columns
    #[default]
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// For pull requests
    Markdown,
    /// Patches for kubectl
    Patch,
}

impl From<Shown> for RightsizeFormat {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Table => RightsizeFormat::Plain(Format::Table.into()),
            Shown::Json => RightsizeFormat::Plain(Format::Json.into()),
            Shown::Csv => RightsizeFormat::Plain(Format::Csv.into()),
            Shown::Markdown => RightsizeFormat::Plain(Format::Markdown.into()),
            Shown::Patch => RightsizeFormat::Patch,
        }
    }
}

/// How requests are fitted: the keys of `rightsize` in a case.
#[derive(Debug, clap::Args)]
struct Rules {
    /// Cpu to request, as p95 or max+15% [default: p95]
    #[arg(long, value_name = "STATISTIC")]
    cpu: Option<String>,
    /// Memory to request [default: max+15%]
    #[arg(long, value_name = "STATISTIC")]
    memory: Option<String>,
    /// How pods are taken together: pooled, per-pod-max or vpa [default: pooled]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// No cpu request falls below this
    #[arg(long, value_name = "CPU")]
    floor_cpu: Option<String>,
    /// No memory request falls below this
    #[arg(long, value_name = "MEMORY")]
    floor_memory: Option<String>,
    /// No cpu request rises above this
    #[arg(long, value_name = "CPU")]
    ceiling_cpu: Option<String>,
    /// No memory request rises above this
    #[arg(long, value_name = "MEMORY")]
    ceiling_memory: Option<String>,
    /// Cpu requests are multiples of this [default: 1m]
    #[arg(long, value_name = "CPU")]
    round_cpu: Option<String>,
    /// Memory requests are multiples of this [default: 1Mi]
    #[arg(long, value_name = "MEMORY")]
    round_memory: Option<String>,
    /// What becomes of limits: keep-ratio or keep [default: keep-ratio]
    #[arg(long, value_name = "RULE")]
    limits: Option<String>,
    /// What becomes of pods that request nothing: set or keep [default: set]
    #[arg(long, value_name = "RULE")]
    absent_requests: Option<String>,
    /// Fewest samples of a workload [default: 20]
    #[arg(long, value_name = "N")]
    min_samples: Option<u64>,
    /// Shortest history of a workload [default: 1d]
    #[arg(long, value_name = "TIME")]
    min_history: Option<String>,
    /// Least covered share of the history [default: 75%]
    #[arg(long, value_name = "PERCENT")]
    min_coverage: Option<String>,
    /// Only this workload, * and ? as wildcards (repeatable)
    #[arg(long = "workload", value_name = "NAME")]
    workloads: Vec<String>,
    /// Not this workload, * and ? as wildcards (repeatable)
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
}

impl Rules {
    /// As a scenario would say it: JSON, which is YAML.
    fn as_yaml(&self) -> String {
        let mut map = serde_json::Map::new();
        let mut put = |key: &str, value: serde_json::Value| {
            let empty = value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty);
            if !value.is_null() && !empty {
                map.insert(key.to_owned(), value);
            }
        };
        let pair = |cpu: &Option<String>, memory: &Option<String>| {
            let both = [("cpu", cpu), ("memory", memory)];
            both.into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value.clone()?.into())))
                .collect::<serde_json::Map<_, _>>()
        };
        put("cpu", self.cpu.clone().into());
        put("memory", self.memory.clone().into());
        put("method", self.method.clone().into());
        put("floor", pair(&self.floor_cpu, &self.floor_memory).into());
        put("ceiling", pair(&self.ceiling_cpu, &self.ceiling_memory).into());
        put("round", pair(&self.round_cpu, &self.round_memory).into());
        put("limits", self.limits.clone().into());
        put("absent-requests", self.absent_requests.clone().into());
        put("min-samples", self.min_samples.into());
        put("min-history", self.min_history.clone().into());
        put("min-coverage", self.min_coverage.clone().into());
        put("workloads", self.workloads.clone().into());
        put("exclude", self.exclude.clone().into());
        serde_json::Value::Object(map).to_string()
    }
}

pub(super) fn run(args: &Args, console: &Console) -> Result<Outcome> {
    let started = Instant::now();
    let threads = args.threads.limit();
    let source = Source::load(&args.scenario.file)?;
    let baseline = baseline(&source, &args.scenario.cases, "rightsized")?;
    let mut options = args.scenario.options()?;
    let fitted = free_name(&source, "rightsized");
    options.cases = Some(vec![baseline.clone(), fitted.clone()]);
    let original = source;
    let rules = args.rules.as_yaml();
    let mut source = original.clone().with_rightsized(&baseline, &fitted, &rules, &[])?;
    let mut plan = plan::link(&source, &options)?;
    // New requests mean new pods: they do not stay where the old ones were.
    let freed = plan.cases.first().is_some_and(has_bound).then(|| UNBOUND.to_owned());
    if let Some(freed) = &freed {
        source =
            original.with_rightsized(&baseline, &fitted, &rules, std::slice::from_ref(freed))?;
        plan = plan::link(&source, &options)?;
    }
    args.warnings.show(&plan.warnings, console)?;
    let bench = Bench::new(&plan, &args.keep_pool)?;
    let whole = bench.search()?;
    let counts = whole.fitted.clone().unwrap_or_else(|| bench.counts());
    if whole.fitted.is_none() && !bench.pools.is_empty() {
        console.warn(
            "rightsize-does-not-hold",
            "no number of nodes of the fixed pools holds everything with the new requests: some \
             pods fit no node any more",
        );
    }
    if counts != bench.counts() {
        let fewest = free_name(&source, "rightsized-fewest-nodes");
        let mut set = bench.settings(&counts)?;
        set.extend(freed);
        let source = source.with_rightsized(&baseline, &fewest, &rules, &set)?;
        options.cases = Some(vec![baseline, fitted, fewest]);
        plan = plan::link(&source, &options)?;
    }
    for case in &plan.cases {
        OutputDir::check_case(&case.name)?;
    }
    // Without a directory to keep, tables go where they vanish.
    let scratch = tempfile::tempdir()
        .map_err(|e| Error::failed(format!("cannot make a temporary directory: {e}")))?;
    let target = args.output.clone().unwrap_or_else(|| scratch.path().join("result"));
    let output = OutputDir::create(&target)?;
    let stop = run::stop_on_interrupt()?;
    let study = run::simulate(&plan, &output, &[], threads, &stop, console)?;
    let verdict = Verdict::of(&study);
    let outcomes = study.cases.last().map(|c| c.outcomes.clone()).unwrap_or_default();
    let rightsized = bench.rightsized(&plan, whole, outcomes)?;
    if !rightsized.undone.is_empty() {
        let pods: f64 = rightsized.undone.iter().map(|u| u.pods).sum();
        let names = rightsized.undone.iter().map(|u| scenario::quote(&u.workload));
        let text = format!(
            "node-dollars and cash are withheld: with the new requests work of {} is left undone, \
             {pods:.0} pods more than today find no place",
            names.collect::<Vec<_>>().join(", ")
        );
        console.warn("rightsize-serves-less", &text);
    }
    if args.output.is_some() {
        run::write(&study, verdict.as_ref(), &output)?;
        let page = report::rightsize_page(&study, verdict.as_ref(), &rightsized);
        output.write("report.html", page.as_bytes())?;
        let (name, svg) = report::rightsize_chart(&rightsized);
        output.write(&format!("charts/{name}"), svg.as_bytes())?;
        output.write("rightsize.json", report::rightsize_json(&rightsized)?.as_bytes())?;
        output.write("rightsize.csv", report::rightsize_csv(&rightsized)?.as_bytes())?;
        for (name, text) in report::patches(&rightsized).files {
            output.write(&format!("patches/{name}"), text.as_bytes())?;
        }
        output.write("run-stats.json", run::stats(started, threads, &study).as_bytes())?;
        output.finish()?;
    }
    print(&report::rightsize(&rightsized, args.format.into())?)?;
    if args.output.is_some() {
        console.note(&format!("report: {}", target.join("report.html").display()));
    }
    if !study.complete {
        console.note("interrupted: the result holds the cells that were finished");
        return Ok(Outcome::Interrupted);
    }
    let missed = verdict.as_ref().is_some_and(|v| !v.goals_met);
    Ok(if missed { Outcome::GoalMissed } else { Outcome::Fine })
}

/// Sets replicas free that are bound to nodes.
const UNBOUND: &str = "placement.keep-bindings=false";

/// Whether replicas of a case start bound to nodes.
fn has_bound(case: &CasePlan) -> bool {
    let bound = |c: &Content| matches!(c, Content::Service(s) if !s.bound.is_empty());
    case.workload.workloads().iter().any(|w| bound(&w.content))
}

/// The one case that a verb is about: the one asked for, or the first.
pub(super) fn baseline(source: &Source, asked: &[String], done: &str) -> Result<String> {
    let names = source.case_names();
    match asked {
        [] => Ok(names.first().map_or_else(|| scenario::BASE_CASE.to_owned(), |n| (*n).to_owned())),
        [one] if names.contains(&one.as_str()) => Ok(one.clone()),
        [one] => {
            let help = scenario::nearest(one, names.iter().copied()).map_or_else(
                || format!("the scenario has {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(Error::input(format!("there is no case {}; {help}", scenario::quote(one))))
        }
        _ => Err(Error::input(format!("one case is {done} at a time: give `--case` once"))),
    }
}

/// A name that no case has yet.
fn free_name(source: &Source, wanted: &str) -> String {
    let names = source.case_names();
    let mut name = wanted.to_owned();
    let mut n = 2;
    while names.contains(&name.as_str()) {
        name = format!("{wanted}-{n}");
        n += 1;
    }
    name
}

/// Today's cluster on the bench: what is tried on it and compared with it.
struct Bench {
    today: CasePlan,
    fittings: Vec<Fitting>,
    left_out: Vec<String>,
    policy: crate::workload::rightsize::Policy,
    scenario: String,
    /// The seed of bills.
    seed: u64,
    /// What today's cluster does with every seed.
    reference: Vec<Option<sweep::Outcome>>,
    bills: TwoBills,
    prices: UnitPrices,
    pod_ms: BTreeMap<String, u128>,
    window_ms: i64,
    extrapolated: bool,
    pools: Vec<FixedPool>,
    elastic: bool,
    /// Edits, the most promising first.
    order: Vec<FittedRow>,
}

impl Bench {
    fn new(plan: &Plan, keep: &[String]) -> Result<Bench> {
        let (Some(today), Some(&seed)) = (plan.cases.first(), plan.seeds.first()) else {
            return Err(Error::failed("a plan has no case"));
        };
        let Some(it) = plan.cases.get(1).and_then(|c| c.rightsizing.clone()) else {
            return Err(Error::failed("a case was not rightsized"));
        };
        let (pools, elastic) = pools(today, keep)?;
        let (simulated, bill, bills, first) = bills(today, seed)?;
        let mut reference = vec![Some(first)];
        for &seed in plan.seeds.iter().skip(1) {
            let simulated = simulate(today, seed, KeepPods::No)?;
            reference.push(Some(billed(today, seed, &simulated, KeepLines::No)?.1));
        }
        let (record, workloads) = (&simulated.record, &simulated.workloads);
        let mut bench = Bench {
            prices: UnitPrices::of(record, &bill, &today.setup.cluster, today.billing.weight),
            pod_ms: pod_ms(record, workloads),
            window_ms: (record.end - record.warmup).ms(),
            extrapolated: bill.monthly.is_none_or(|m| m.extrapolated),
            today: today.clone(),
            fittings: it.fittings.clone(),
            left_out: it.left_out.clone(),
            policy: it.policy,
            scenario: plan.name.clone(),
            seed,
            reference,
            bills,
            pools,
            elastic,
            order: Vec::new(),
        };
        bench.order = bench.rows(&bench.bills).0;
        Ok(bench)
    }

    fn rows(&self, fitted: &TwoBills) -> (Vec<FittedRow>, Dollars) {
        rows(&Parts {
            fittings: &self.fittings,
            pod_ms: &self.pod_ms,
            window_ms: self.window_ms,
            prices: self.prices,
            today: &self.bills,
            fitted,
        })
    }

    fn counts(&self) -> Vec<u32> {
        self.pools.iter().map(|p| p.count).collect()
    }

    fn search(&self) -> Result<WholeNodes> {
        let is_edit = |(_, row): &(usize, &FittedRow)| row.fitting.is_edit();
        let edits: Vec<usize> =
            self.order.iter().enumerate().filter(is_edit).map(|(at, _)| at).collect();
        whole_nodes(&mut Runs(self), &self.pools, &edits, self.elastic)
    }

    /// Today's case with some edits and counts of fixed nodes.
    fn changed(&self, edits: &[usize], counts: &[u32]) -> CasePlan {
        let edits: Vec<&Fitting> =
            edits.iter().filter_map(|e| self.order.get(*e)).map(|row| &row.fitting).collect();
        let mut planned: Vec<PlannedWorkload> =
            self.today.workload.workloads().iter().map(|w| apply(w, &edits)).collect();
        for workload in &mut planned {
            if let Content::Service(service) = &mut workload.content {
                service.bound.clear();
            }
        }
        let mut cluster = (*self.today.setup.cluster).clone();
        cluster.members.clear();
        for (pool, count) in self.pools.iter().zip(counts) {
            for spec in cluster.pools.iter_mut().filter(|p| p.name == pool.name) {
                match &mut spec.kind {
                    PoolKind::Fixed { count: nodes } => *nodes = *count,
                    PoolKind::AutoScalingGroup { min, max, .. } => {
                        *min = *count;
                        *max = (*max).max(*count);
                    }
                }
            }
        }
        let mut setup = (*self.today.setup).clone();
        setup.cluster = Arc::new(cluster);
        CasePlan {
            setup: Arc::new(setup),
            workload: Arc::new(WorkloadPlan::new(planned, Vec::new())),
            ..self.today.clone()
        }
    }

    /// Settings of the scenario that give fixed pools these counts.
    fn settings(&self, counts: &[u32]) -> Result<Vec<String>> {
        let mut set = Vec::new();
        for (pool, count) in self.pools.iter().zip(counts).filter(|(p, c)| p.count != **c) {
            if pool.name.contains('"') {
                return Err(Error::input(format!(
                    "pool {} cannot be addressed by a path: rename it",
                    scenario::quote(&pool.name)
                )));
            }
            let specs = &self.today.setup.cluster.pools;
            let kind = specs.iter().find(|p| p.name == pool.name).map(|p| &p.kind);
            if let Some(PoolKind::AutoScalingGroup { max, .. }) = kind {
                set.push(format!("pools.\"{}\".asg.min={count}", pool.name));
                if count > max {
                    set.push(format!("pools.\"{}\".asg.max={count}", pool.name));
                }
                continue;
            }
            let fixed = format!("pools.\"{}\".fixed", pool.name);
            let cluster = &self.today.setup.cluster;
            let of = |m: &crate::cluster::Member| cluster.pools.get(m.pool.index());
            if cluster.members.iter().filter_map(of).any(|p| p.name == pool.name) {
                // Which of the named nodes goes is open: their zones stay.
                set.push(format!("{fixed}.nodes=null"));
                set.push(format!("{fixed}.zones=[{}]", self.zones(&pool.name).join(", ")));
            }
            set.push(format!("{fixed}.count={count}"));
        }
        Ok(set)
    }

    /// Zones of a pool's nodes, each once.
    fn zones(&self, pool: &str) -> Vec<String> {
        let cluster = &self.today.setup.cluster;
        let offers = cluster.pools.iter().filter(|p| p.name == pool).flat_map(|p| &p.offers);
        let mut zones: Vec<String> = Vec::new();
        for zone in offers.filter_map(|o| cluster.zones.get(o.zone.index())) {
            if !zones.contains(zone) {
                zones.push(zone.clone());
            }
        }
        zones
    }

    /// Everything together, against the last case of the plan, of which these
    /// are the outcomes: one a seed, fewer after an interruption.
    fn rightsized(
        &self,
        plan: &Plan,
        whole: WholeNodes,
        mut outcomes: Vec<Option<sweep::Outcome>>,
    ) -> Result<Rightsized> {
        let Some(last) = plan.cases.last() else {
            return Err(Error::failed("a plan has no case"));
        };
        let (simulated, _, fitted, first) = bills(last, self.seed)?;
        let ran = pod_ms(&simulated.record, &simulated.workloads);
        match outcomes.first_mut() {
            Some(outcome) => *outcome = Some(first),
            None => outcomes.push(Some(first)),
        }
        let (rows, rest) = self.rows(&fitted);
        let mut undone = undone(&self.reference, &outcomes);
        undone.extend(crushed(&rows, &ran));
        Ok(Rightsized {
            scenario: self.scenario.clone(),
            baseline: self.today.name.clone(),
            case: last.name.clone(),
            seed: self.seed,
            window_ms: self.window_ms,
            extrapolated: self.extrapolated,
            policy: self.policy,
            prices: self.prices,
            total: Rightsized::sum(&rows, rest),
            rows,
            rest,
            left_out: self.left_out.clone(),
            bills: (self.bills.clone(), fitted),
            committed: !self.today.billing.commitments.is_empty(),
            pools: self.pools.clone(),
            elastic: self.elastic,
            whole_nodes: whole,
            undone,
        })
    }
}

/// Simulations of the search.
struct Runs<'a>(&'a Bench);

impl Trials for Runs<'_> {
    fn run(&mut self, edits: &[usize], counts: &[u32]) -> Result<Trial> {
        let bench = self.0;
        let mut case = bench.changed(edits, counts);
        case.billing = uncommitted(&case.billing);
        let longest = |o: &sweep::Outcome| o.pending_s.max.unwrap_or(0.0);
        let mut trial: Option<Trial> = None;
        for reference in &bench.reference {
            let Some(today) = reference else { continue };
            let simulated = simulate(&case, today.seed, KeepPods::No)?;
            let (bill, outcome) = billed(&case, today.seed, &simulated, KeepLines::No)?;
            let waits = longest(&outcome) <= longest(today) + WAIT_TOLERANCE_S;
            let nodes = mean_nodes(&outcome);
            let short = shortfalls(std::slice::from_ref(reference), &[Some(outcome)], None);
            let holds = waits && short.is_empty();
            // Nodes and dollars are those of the first seed; each must hold.
            let trial = trial.get_or_insert(Trial { holds, nodes, list: bill.total });
            trial.holds = holds;
            if !holds {
                break;
            }
        }
        trial.ok_or_else(|| Error::failed("a plan has no seed"))
    }
}

fn mean_nodes(outcome: &sweep::Outcome) -> f64 {
    if outcome.window_hours > 0.0 { outcome.nodes.node_hours / outcome.window_hours } else { 0.0 }
}

fn billed(
    case: &CasePlan,
    seed: u64,
    of: &Simulated,
    keep: KeepLines,
) -> Result<(Bill, sweep::Outcome)> {
    let (cluster, workloads) = (&*case.setup.cluster, &*of.workloads);
    let bill = Bill::compute(&of.record, cluster, workloads, &case.billing, keep)?;
    let outcome = sweep::Outcome::measure(seed, &of.record, &bill, cluster, workloads, &case.goals);
    Ok((bill, outcome))
}

/// The same prices without commitments.
fn uncommitted(billing: &BillingPlan) -> Arc<BillingPlan> {
    Arc::new(BillingPlan { commitments: Vec::new(), ..billing.clone() })
}

/// Simulates a case and bills it with and without commitments.
fn bills(case: &CasePlan, seed: u64) -> Result<(Simulated, Bill, TwoBills, sweep::Outcome)> {
    let simulated = simulate(case, seed, KeepPods::Yes)?;
    let (net, outcome) = billed(case, seed, &simulated, KeepLines::Yes)?;
    let listed = CasePlan { billing: uncommitted(&case.billing), ..case.clone() };
    let (list, _) = billed(&listed, seed, &simulated, KeepLines::No)?;
    let both = TwoBills {
        net: net.total,
        list: list.total,
        net_by_workload: net.fully_loaded_by_workload.clone(),
        list_by_workload: list.fully_loaded_by_workload,
        nodes: mean_nodes(&outcome),
    };
    Ok((simulated, net, both, outcome))
}

/// Pools that keep their number of nodes, and whether others do not.
fn pools(case: &CasePlan, keep: &[String]) -> Result<(Vec<FixedPool>, bool)> {
    let cluster = &case.setup.cluster;
    let mut fixed = Vec::new();
    let mut elastic = !cluster.fargate.is_empty();
    for pool in &cluster.pools {
        let count = match pool.kind {
            PoolKind::Fixed { count } => count,
            PoolKind::AutoScalingGroup { min, autoscaled: false, .. } => min,
            PoolKind::AutoScalingGroup { .. } => {
                elastic = true;
                continue;
            }
        };
        fixed.push(FixedPool {
            name: pool.name.clone(),
            count,
            shrinks: !keep.contains(&pool.name),
            hourly: pool.offers.first().map(|o| o.hourly).unwrap_or_default(),
        });
    }
    for name in keep {
        if !fixed.iter().any(|p| p.name == *name) {
            let names: Vec<&str> = fixed.iter().map(|p| p.name.as_str()).collect();
            return Err(Error::input(format!(
                "--keep-pool: there is no fixed pool {}; the scenario has {}",
                scenario::quote(name),
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            )));
        }
    }
    Ok((fixed, elastic))
}
