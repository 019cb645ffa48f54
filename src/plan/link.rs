//! From a scenario file to a [`Plan`]: every case linked, findings of all of
//! them together.

mod grid;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::around::Around;
use super::control;
use super::defaults::{SEED, SEEDS_FIXED, SEEDS_RANDOM};
use super::files::Files;
use super::market::Market;
use super::model::{CasePlan, Options, Plan, Warning};
use super::nodes::{self, NodePools};
use super::notes::Notes;
use super::{
    billing, bindings, commitments, constraints, discounts, ecs, ecs_constraints, fargate, fit,
    goals, node_charges, node_fees, other_usage, preemption, prices, rightsize, scheduler,
    selectors, settings, sidecars, time, transform, usage, workloads,
};
use crate::bill::PriceStatus;
use crate::catalog::{self, Catalog, Region};
use crate::cluster::{ClusterSpec, PoolKind, SpotPrice};
use crate::nouns::noun;
use crate::place::SchedulerProfile;
use crate::scenario::{
    self, Diagnostics, Level, Resolved, Scenario, Source, effective_yaml, quote,
};
use crate::workload::plan::{PlannedWorkload, WorkloadPlan};
use crate::world::{Ecs, Horizon, Setup};
use crate::{Error, Result};

pub use grid::{Grid, MAX_CELLS, link_sweep, load_sweep};

/// Largest number of seeds.
const MAX_SEEDS: u32 = 10_000;

/// Reads a scenario file and links it.
///
/// # Errors
/// When a file cannot be read or anything in it cannot be used: every
/// mistake of every case at once, with file, line, column and remedy.
pub fn load(path: &Path, options: &Options) -> Result<Plan> {
    link(&Source::load(path)?, options)
}

/// As [`load`] for a scenario that was read already.
///
/// # Errors
/// As [`load`].
pub fn link(source: &Source, options: &Options) -> Result<Plan> {
    let source = &with_overrides(source, options)?;
    let catalog = Catalog::load(options.pricing_dir.as_deref())?;
    let mut diags = source.diagnostics();
    let files = Files::new(source.path(), options.read_trace);
    let mut shared = Shared::new(source, &catalog, options, files);
    let names = chosen(source, options, &mut diags);
    let mut resolved = Vec::new();
    let mut cases: Vec<Option<CasePlan>> = Vec::new();
    for name in names {
        let before = diags.count();
        let case = source.resolve(name, &mut diags);
        cases.push(case.as_ref().and_then(|case| shared.case(case, &mut diags)));
        diags.of_case(before, name);
        resolved.extend(case);
    }
    check_agreement(&resolved, &mut diags);
    shared.warn_of_unused(&resolved, &mut diags);
    let cases: Option<Vec<CasePlan>> = cases.into_iter().collect();
    let Some(mut cases) = cases.filter(|cases| !cases.is_empty() && !diags.has_errors()) else {
        return Err(diags
            .into_result()
            .err()
            .unwrap_or_else(|| Error::failed("a scenario was refused unexplained")));
    };
    let Some(first) = resolved.first() else {
        return Err(Error::failed("a scenario has no case"));
    };
    share(&mut cases);
    let baseline = cases.first().map_or(&first.tree, |case| rightsize::tree(case, first)).clone();
    for (case, resolved) in cases.iter_mut().zip(&resolved) {
        case.changes = settings::changes(&baseline, rightsize::tree(case, resolved));
        case.changes.extend(rightsize::trace_changes(case));
    }
    let stated = first.scenario.seeds.map(|s| u32::try_from(s.value.get()).unwrap_or(MAX_SEEDS));
    let random = cases.iter().any(|c| c.random);
    let (seeds, defaults) = seeds(&first.scenario, options, stated, random)?;
    for case in &mut cases {
        case.settings.extend(defaults.iter().cloned());
        case.settings.sort_by_key(|s| s.origin);
    }
    let mut warnings = warnings(&diags, cases.len());
    warnings.extend(shared.warnings_of_prices());
    let price_dates = shared.price_dates();
    let traces = shared.files.traces().map(|t| t.report.clone()).collect();
    let usage = shared.files.usages().map(|u| u.report.clone()).collect();
    Ok(Plan {
        name: first.scenario.name.value.to_string(),
        region: first.scenario.region.value.clone(),
        pricing_sha256: catalog.hash(),
        price_dates,
        dated_prices: shared.dated,
        seeds,
        cases,
        warnings,
        traces,
        usage,
        inputs: shared.files.into_inputs(),
    })
}

/// The cases to link, in the order written.
fn chosen<'s>(source: &'s Source, options: &Options, diags: &mut Diagnostics) -> Vec<&'s str> {
    let all = source.case_names();
    let Some(wanted) = &options.cases else { return all };
    for name in wanted {
        if !all.contains(&name.as_str()) {
            // Nothing to point a suggestion at: the name is no part of a file.
            let help = crate::names::nearest(name, all.iter().copied()).map_or_else(
                || format!("the scenario has {}", all.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            diags.error_anywhere(format!("there is no case {}", quote(name))).help(help);
        }
    }
    all.into_iter().filter(|name| wanted.iter().any(|w| w == name)).collect()
}

/// What the cases of a plan have in common while they are linked.
struct Shared<'a> {
    source: &'a Source,
    catalog: &'a Catalog,
    options: &'a Options,
    files: Files,
    /// Prices in use that are not published, and the cases that use each.
    weak: BTreeMap<String, (PriceStatus, Vec<String>)>,
    /// Cases linked so far.
    linked: Vec<String>,
    dates: BTreeMap<String, String>,
    /// Prices in use, with their dates.
    dated: BTreeMap<String, String>,
    /// Whether any case has a Cluster Autoscaler.
    autoscaled: bool,
    /// Whether any case buys Spot.
    spot: bool,
    /// Whether in any case pods can preempt others.
    preempts: bool,
}

impl<'a> Shared<'a> {
    /// Before any case is linked.
    fn new(source: &'a Source, catalog: &'a Catalog, options: &'a Options, files: Files) -> Self {
        Shared {
            source,
            catalog,
            options,
            files,
            weak: BTreeMap::new(),
            linked: Vec::new(),
            dates: BTreeMap::new(),
            dated: BTreeMap::new(),
            autoscaled: false,
            spot: false,
            preempts: false,
        }
    }
}

impl Shared<'_> {
    /// Links one case; `None` if it lacks so much that nothing can be made.
    fn case(&mut self, resolved: &Resolved, diags: &mut Diagnostics) -> Option<CasePlan> {
        let mut weak = BTreeMap::new();
        let linked = self.link_case(resolved, &mut weak, diags);
        if !self.linked.contains(&resolved.case) {
            self.linked.push(resolved.case.clone());
        }
        for (name, status) in weak {
            let (known, cases) = self.weak.entry(name).or_insert((status, Vec::new()));
            *known = status;
            if !cases.contains(&resolved.case) {
                cases.push(resolved.case.clone());
            }
        }
        linked
    }

    fn link_case(
        &mut self,
        resolved: &Resolved,
        weak: &mut BTreeMap<String, PriceStatus>,
        diags: &mut Diagnostics,
    ) -> Option<CasePlan> {
        let scenario = &resolved.scenario;
        let mut notes = Notes {
            diags,
            settings: Vec::new(),
            weak,
            dated: &mut self.dated,
            allow_believed: self.options.allow_believed,
        };
        let notes = &mut notes;
        if scenario.orchestrator.is_none() {
            notes.default("orchestrator", scenario::Orchestrator::Eks, "choice");
        }
        let on_ecs = ecs::is_ecs(scenario);
        let version = if on_ecs { control::newest() } else { control::version(scenario, notes) };
        let window = time::link(scenario, notes);
        let mut planned = workloads::Linker { source: self.source, window, files: &mut self.files }
            .link(scenario, notes);
        if !on_ecs {
            constraints::link(scenario, &mut planned);
        }
        transform::link(scenario, window, &mut planned, notes);
        let usage = usage::link(scenario, self.source, &mut planned, &mut self.files, notes);
        let series = |name: &str| usage.series(name).collect();
        let rightsizing = rightsize::link(resolved, &planned, window, &series, notes);
        let mut planned = rightsize::apply(planned, rightsizing.as_ref());
        let extended = workloads::extended_names(&planned);
        let goals = goals::link(scenario, notes);

        let buys_spot = scenario.pools.iter().any(|(_, pool)| buys_spot(pool));
        let (spot, hazard) = control::spot(scenario, buys_spot, notes);
        let market =
            Market::link((scenario, self.source), buys_spot, window, &mut self.files, notes);
        let other = other_usage::read(scenario, self.source, window, &mut self.files, notes);
        let mut profiles = if on_ecs {
            vec![SchedulerProfile::default()]
        } else {
            scheduler::link(scenario, &version, &extended, notes)
        };
        let scheduler = profiles.remove(0);
        let autoscaler = scenario
            .pools
            .iter()
            .any(|(_, pool)| !on_ecs && is_autoscaled(pool))
            .then(|| control::autoscaler(scenario, &version, notes));
        self.autoscaled |= autoscaler.is_some();
        self.spot |= buys_spot;
        self.preempts |= on_ecs || preemption::possible(&planned);

        let region = region(self.catalog, scenario, notes)?;
        let region = prices::link(&scenario.prices, region, notes);
        for dates in region.dates() {
            self.dates.entry(dates.table.to_owned()).or_insert(dates.dates);
        }
        let (mut cluster, prices, fargate) =
            pools(scenario, &region, &extended, (hazard, market), &planned, notes);
        let ecs = on_ecs.then(|| ecs::link(scenario, &mut cluster, &planned, notes));
        if let Some(ecs) = &ecs {
            ecs_constraints::link_ports(scenario, ecs, cluster.pools.len(), &mut planned, notes);
        }
        let around = Around {
            scenario,
            region: &region,
            version: (!on_ecs).then_some(&version),
            window,
            cluster: &cluster,
            planned: &planned,
        };
        let mut billing = billing::link(&around, &prices, &fargate, other.as_deref(), notes);
        if let Horizon::At(end) = window.horizon {
            let end = window.start_unix_ms.saturating_add(end.0);
            commitments::warn_not_begun(scenario.commitments.iter(), end, notes.diags);
        }
        billing.pools = node_fees::pools(scenario, &region, &cluster.pools, &prices, notes);
        billing.bursts = node_charges::bursts(scenario, &region, &prices, &planned, notes);
        discounts::link(&scenario.discounts, &mut billing, notes);
        let sidecars = sidecars::link(scenario, &planned, notes);
        if !notes.diags.has_errors() {
            if !on_ecs {
                constraints::link_volumes(&cluster, &mut planned);
                let with = (&cluster, sidecars.as_slice());
                bindings::link(scenario, with, &mut planned, &extended, notes);
                constraints::warn(scenario, &cluster, notes);
                selectors::warn(scenario, notes);
            }
            fit::warn(scenario, (&cluster, &sidecars), &planned, &extended, notes);
        }
        let tree = rightsizing.as_ref().map_or(&resolved.tree, |r| &r.tree);
        let effective = effective_yaml(tree);
        let mut settings = settings::stated(tree);
        settings.append(&mut notes.settings);
        settings.sort_by_key(|s| s.origin);
        let budgets = if on_ecs { Vec::new() } else { constraints::budgets(scenario) };
        let workload =
            WorkloadPlan::new(planned, Vec::new()).with_budgets(budgets).with_sidecars(sidecars);
        let random = is_random(&cluster, &workload, ecs.as_ref());
        Some(CasePlan {
            name: resolved.case.clone(),
            title: resolved.title.clone(),
            region: region.name().to_owned(),
            setup: Arc::new(Setup {
                start_unix_ms: window.start_unix_ms,
                horizon: window.horizon,
                warmup: window.warmup,
                cluster: Arc::new(cluster),
                scheduler,
                other_profiles: profiles,
                autoscaler,
                spot,
                ecs,
            }),
            workload: Arc::new(workload),
            usage: Arc::new(usage),
            billing: Arc::new(billing),
            goals,
            settings,
            changes: Vec::new(),
            effective,
            sim_key: 0,
            random,
            rightsizing: rightsizing.map(Arc::new),
        })
    }

    /// Settings that no case makes use of.
    fn warn_of_unused(&self, resolved: &[Resolved], diags: &mut Diagnostics) {
        use scenario::{Demand, WorkloadKind as Kind};
        // Of a few cases it cannot be said what the others make use of.
        let few = self.options.cases.is_some();
        if !few {
            ecs::warn_of_foreign(resolved, diags);
            if !self.preempts {
                preemption::warn_of_unused(resolved, diags);
            }
        }
        let any = |of: fn(&Kind) -> bool| {
            few || resolved.iter().any(|r| r.scenario.workload.iter().any(|(_, w)| of(&w.kind)))
        };
        let ends = any(|kind| matches!(kind, Kind::Trace(..) | Kind::Generate(_)));
        let has_days = any(|kind| match kind {
            Kind::Trace(..) => true,
            Kind::Service(s) => matches!(&s.demand, Some(Demand::File(_) | Demand::Steps(_))),
            Kind::Generate(_) | Kind::DaemonSet(_) => false,
        });
        let grows = any(|kind| !matches!(kind, Kind::DaemonSet(_)));
        let owns = few || resolved.iter().any(|r| r.scenario.commitments.iter().next().is_some());
        let unused = [
            ("unused-other-usage", "other-usage", owns, "there are no commitments"),
            (
                "unused-autoscaler",
                "autoscaler",
                self.autoscaled,
                "no pool has the cluster-autoscaler",
            ),
            ("unused-spot", "spot", self.spot, "no pool buys Spot"),
            ("unused-thin", "thin", ends, "no workload is a trace or drawn"),
            ("unused-resample", "resample", has_days, "no workload has days that differ"),
            ("unused-growth", "growth", grows, "there are only DaemonSets"),
        ];
        for (code, key, used, why) in unused {
            let stated = resolved.iter().find_map(|r| settings::entry(&r.tree, key));
            if let (Some(node), false) = (stated, used) {
                diags.warning(code, node.span, format!("`{key}` has no effect: {why}"));
            }
        }
    }

    /// The dates of each price table, and of the files that `prices.lock` names.
    fn price_dates(&mut self) -> BTreeMap<String, String> {
        let mut dates = std::mem::take(&mut self.dates);
        dates.extend(self.catalog.imported().map(|files| ("lock".to_owned(), files)));
        dates
    }

    /// One warning for all prices that are not published, and one for tables
    /// that are not what was imported.
    fn warnings_of_prices(&self) -> Vec<Warning> {
        let edited =
            self.catalog.edited().map(|text| Warning { code: catalog::EDITED_PRICES, text });
        let of = |status: PriceStatus, code, what: &str| {
            let (names, users): (Vec<&str>, Vec<&Vec<String>>) = self
                .weak
                .iter()
                .filter(|(_, (known, _))| *known == status)
                .map(|(name, (_, cases))| (name.as_str(), cases))
                .unzip();
            let uses = |case: &&String| users.iter().any(|cases| cases.contains(case));
            let cases: Vec<&str> = self.linked.iter().filter(uses).map(String::as_str).collect();
            let cases = named_cases(&cases, self.linked.len());
            (!names.is_empty()).then(|| Warning {
                code,
                text: match names.as_slice() {
                    [name] => format!("a price in use is {what}: {name}{cases}"),
                    _ => format!(
                        "{} prices in use are {what}: {}{cases}",
                        names.len(),
                        names.join(", ")
                    ),
                },
            })
        };
        [
            of(
                PriceStatus::Representative,
                "representative-prices",
                "representative, not published for the item",
            ),
            of(PriceStatus::Believed, "believed-prices", "recalled, verified by nobody"),
        ]
        .into_iter()
        .chain([edited])
        .flatten()
        .collect()
    }
}

fn region(catalog: &Catalog, scenario: &Scenario, notes: &mut Notes<'_>) -> Option<Region> {
    let given = &scenario.region;
    if !catalog.region_names().any(|name| *name == given.value) {
        let known = catalog.region(&given.value).err();
        let message = match known {
            // Known, but without prices in USD.
            Some(error) if !error.to_string().starts_with("unknown") => error.to_string(),
            _ => format!("unknown Region {}", quote(&given.value)),
        };
        notes.diags.error(given.span, message).suggest(&given.value, catalog.region_names());
        return None;
    }
    match catalog.region(&given.value) {
        Ok(region) => Some(region),
        Err(error) => {
            notes.diags.error(given.span, error.to_string());
            None
        }
    }
}

fn pools(
    scenario: &Scenario,
    region: &Region,
    extended: &[String],
    (hazard, market): (control::Hazard, Market),
    planned: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> (ClusterSpec, NodePools, Vec<fargate::ArchPrice>) {
    let ecs = ecs::is_ecs(scenario).then(|| ecs::Instances::link(scenario, notes));
    let mut linker = nodes::Linker {
        region,
        extended,
        hazard,
        market,
        ecs,
        names: std::collections::BTreeSet::new(),
        done: NodePools::default(),
    };
    let mut fargate = Vec::new();
    let on_ecs = linker.ecs.is_some();
    for (name, pool) in scenario.pools.iter() {
        if let scenario::PoolKind::Fargate(it) = &pool.kind {
            fargate.extend(fargate::link(name, it, scenario, region, planned, notes));
        } else {
            linker.link(name, pool, notes);
        }
    }
    if !on_ecs {
        // Of several profiles that match a pod, the first by name takes it (EKS
        // user guide, Fargate profiles).
        fargate.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
        fargate::warn_of_profiles(scenario, notes);
    }
    let (specs, prices) = fargate.into_iter().unzip();
    linker.market.finish(notes);
    let mut nodes = linker.done;
    let cluster = ClusterSpec {
        shapes: std::mem::take(&mut nodes.shapes),
        zones: nodes.zones.clone(),
        pools: std::mem::take(&mut nodes.pools),
        members: std::mem::take(&mut nodes.members),
        fargate: specs,
        spot_pools: std::mem::take(&mut nodes.spot_pools),
    };
    (cluster, nodes, prices)
}

fn buys_spot(pool: &scenario::Pool) -> bool {
    let spot = |p: Option<scenario::Spanned<scenario::Purchase>>| {
        p.is_some_and(|p| p.value == scenario::Purchase::Spot)
    };
    match &pool.kind {
        scenario::PoolKind::Fixed(fixed) => spot(fixed.purchase),
        scenario::PoolKind::Asg(asg, _) => asg.purchase.percentage().is_some_and(|p| p < 100),
        scenario::PoolKind::Fargate(fargate) => spot(fargate.purchase),
    }
}

fn is_autoscaled(pool: &scenario::Pool) -> bool {
    match &pool.kind {
        scenario::PoolKind::Asg(_, options) => {
            options.scaler.is_some_and(|s| s.value == scenario::Scaler::ClusterAutoscaler)
        }
        _ => false,
    }
}

/// Whether two seeds can differ: pods are drawn or start at varying times,
/// nodes are reclaimed or boot at varying times, or the scheduler has more
/// than one node to break a tie between.
fn is_random(cluster: &ClusterSpec, workload: &WorkloadPlan, ecs: Option<&Ecs>) -> bool {
    let most = |kind: &PoolKind| match *kind {
        PoolKind::Fixed { count } => count,
        PoolKind::AutoScalingGroup { max, autoscaled: true, .. } => max,
        PoolKind::AutoScalingGroup { min, .. } => min,
    };
    let nodes: u64 = cluster.pools.iter().map(|p| u64::from(most(&p.kind))).sum();
    let reclaimed = cluster.pools.iter().any(|p| p.offers.iter().any(|o| o.hazard_per_hour > 0.0));
    let boots = cluster.pools.iter().any(|p| {
        matches!(p.kind, PoolKind::AutoScalingGroup { autoscaled: true, .. })
            && !(p.launch.is_constant() && p.ready.is_constant())
    });
    let starts = cluster.fargate.iter().any(|f| !f.start_latency.is_constant());
    let drawn = cluster.spot_pools.iter().any(|p| matches!(p.price, SpotPrice::Process { .. }));
    let interrupted = cluster.fargate.iter().any(|f| f.hazard_per_hour > 0.0);
    let ties = nodes > 1 && !workload.is_bound() && ecs.is_none_or(ecs::draws);
    workload.is_random() || ties || reclaimed || drawn || interrupted || boots || starts
}

/// What must not differ between cases that are compared.
fn check_agreement(resolved: &[Resolved], diags: &mut Diagnostics) {
    let Some((first, rest)) = resolved.split_first() else { return };
    for case in rest {
        for key in ["name", "seed", "seeds"] {
            let (old, new) = (settings::entry(&first.tree, key), settings::entry(&case.tree, key));
            if let Some(new) = new
                && old.is_none_or(|old| !old.same_as(new))
            {
                diags
                    .error(new.span, format!("a case cannot change `{key}`"))
                    .help("cases are compared seed by seed; change it for all of them");
            }
        }
        let time = |r: &Resolved| settings::entry(&r.tree, "time").cloned();
        if let (old, Some(new)) = (time(first), time(case))
            && old.is_none_or(|old| !old.same_as(&new))
        {
            diags.warning(
                "unequal-time",
                new.span,
                format!(
                    "case {} covers another time than case {}: their costs are sums over \
                     different spans",
                    quote(&case.case),
                    quote(&first.case)
                ),
            );
        }
    }
}

/// Lets equal parts of cases be one object, and numbers the simulations.
fn share(cases: &mut [CasePlan]) {
    for at in 1..cases.len() {
        let (before, rest) = cases.split_at_mut(at);
        let Some(case) = rest.first_mut() else { return };
        if let Some(same) = before.iter().find(|c| c.workload == case.workload) {
            case.workload = Arc::clone(&same.workload);
        }
        if let Some(same) = before.iter().find(|c| c.setup == case.setup) {
            case.setup = Arc::clone(&same.setup);
        }
        let same = before.iter().find(|c| {
            Arc::ptr_eq(&c.setup, &case.setup) && Arc::ptr_eq(&c.workload, &case.workload)
        });
        case.sim_key = same.map_or(at as u64, |c| c.sim_key);
    }
}

/// The scenario with what the command line sets.
fn with_overrides(source: &Source, options: &Options) -> Result<Source> {
    let given: Vec<String> =
        options.set.iter().map(|(path, value)| format!("{path}={value}")).collect();
    source.clone().with_overrides(&given)
}

/// The seeds of a scenario, `stated` being how many its file asks for, with
/// what a case should know of their defaults.
fn seeds(
    scenario: &Scenario,
    options: &Options,
    stated: Option<u32>,
    random: bool,
) -> Result<(Vec<u64>, Vec<super::model::Setting>)> {
    use super::model::{Origin, Setting};
    let mut defaults = Vec::new();
    let mut default = |path: &str, value: String, note: &str| {
        let (path, note) = (path.to_owned(), note.to_owned());
        defaults.push(Setting { path, value, origin: Origin::Default, note });
    };
    let first = options.seed.or(scenario.seed.map(|s| s.value)).unwrap_or_else(|| {
        default("seed", SEED.value.to_string(), SEED.note);
        SEED.value
    });
    let count = options.seeds.or(stated).unwrap_or_else(|| {
        let known = if random { SEEDS_RANDOM } else { SEEDS_FIXED };
        default("seeds", known.value.to_string(), known.note);
        known.value
    });
    if !(1..=MAX_SEEDS).contains(&count) {
        return Err(Error::input(format!(
            "between 1 and {MAX_SEEDS} seeds can be run, not {count}"
        )));
    }
    // Wrapping, so that the largest seed has successors too.
    let seeds = (0..u64::from(count)).map(|i| first.wrapping_add(i)).collect();
    Ok((seeds, defaults))
}

/// Which cases something is about, where that is not all of them:
/// ` (case spot)`.
fn named_cases(cases: &[&str], linked: usize) -> String {
    const NAMED: usize = 3;
    if cases.is_empty() || cases.len() >= linked {
        return String::new();
    }
    let case = noun(cases.len(), "case");
    let more = match cases.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!(" ({case} {}{more})", cases[..cases.len().min(NAMED)].join(", "))
}

fn warnings(diags: &Diagnostics, linked: usize) -> Vec<Warning> {
    diags
        .items()
        .into_iter()
        .filter_map(|item| match item.level() {
            Level::Warning(code) => {
                let place = item.span().map(|span| format!("{}: ", diags.sources().place(span)));
                let cases = diags.cases(item);
                let said = |case: &&str| item.message().contains(&format!("case {}", quote(case)));
                let cases = if cases.iter().all(said) {
                    String::new()
                } else {
                    named_cases(&cases, linked)
                };
                let text = format!("{}{}{cases}", place.unwrap_or_default(), item.message());
                Some(Warning { code, text })
            }
            Level::Error => None,
        })
        .collect()
}
