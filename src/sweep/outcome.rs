//! What one cell measured: counts, waits, utilisation, nodes, money.
//!
//! Small and plain (a few kilobytes), so that every seed of every case can be
//! kept. The field names of the parts are the stable keys of `summary.json`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::{Bound, Goal};
use super::stats::nearest_rank;
use crate::bill::{Bill, ByName};
use crate::cluster::ClusterSpec;
use crate::observe::{FargateRecord, NodeRecord, Record};
use crate::units::{HOUR_MS, Money, SimTime};
use crate::workload::{WorkloadKind, Workloads};

/// Milli-core·ms in a core-hour.
const CORE_HOUR: f64 = 1_000.0 * HOUR_MS as f64;

/// What one cell measured. Times and money cover [warm-up end, end).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Events the engine handled.
    pub events: u64,
    /// Length of the window that is billed and reported, hours.
    pub window_hours: f64,
    /// Requested cpu of pods while they held it, `DaemonSet`s and work that
    /// was thrown away left out: what the money bought.
    pub requested_core_hours: f64,
    /// Pods by fate.
    pub pods: Pods,
    /// Submitted to bound, seconds.
    pub pending_s: WaitSummary,
    /// Submitted to running, seconds.
    pub ready_s: WaitSummary,
    /// How full nodes and Fargate pods were.
    pub utilisation: Utilisation,
    /// Nodes.
    pub nodes: NodeCounts,
    /// Money.
    pub cost: CostTotals,
    /// What goals came to, in the order of the scenario.
    pub goals: Vec<GoalResult>,
    /// Workloads but `DaemonSet`s, in scenario order.
    pub workloads: Vec<WorkloadOutcome>,
}

/// Pod instances by fate, and work lost.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Pods {
    /// Instances created, replacements included.
    pub submitted: u64,
    /// Instances that ever ran.
    pub started: u64,
    /// Ran to their end, or were scaled down as planned.
    pub finished: u64,
    /// Evicted by a drain.
    pub evicted: u64,
    /// Lost with their node.
    pub interrupted: u64,
    /// Could never run on any pool.
    pub rejected: u64,
    /// Unbound when the run ended.
    pub pending_at_end: u64,
    /// Requested core-hours of work that was thrown away and done again.
    pub repeated_core_hours: f64,
    /// Core-hours of demand on services that nothing served.
    pub unserved_core_hours: f64,
}

/// Waiting times in seconds: nearest-rank quantiles over every instance,
/// exact. All `None` where nothing waited because nothing was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct WaitSummary {
    /// Mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// How many still waited when the run ended, counted with their wait so
    /// far (pending times only).
    pub censored: u64,
}

/// Utilisation by resource.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Utilisation {
    /// Of cpu.
    pub cpu: UsedShare,
    /// Of memory.
    pub memory: UsedShare,
}

/// Shares of one resource over time, of Ready nodes and running Fargate pods.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct UsedShare {
    /// Requested of allocatable; `None` where nothing ran.
    pub requested_of_allocatable: Option<f64>,
    /// Used of allocatable; `None` where any pod's usage is unknown.
    pub used_of_allocatable: Option<f64>,
    /// Used of requested, over pods with known usage; `None` without any.
    pub used_of_requested: Option<f64>,
}

/// Nodes of a run. Fargate pods are not nodes.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct NodeCounts {
    /// Nodes that ever were asked for.
    pub launched: u64,
    /// Most at once.
    pub peak: u64,
    /// Metered hours.
    pub node_hours: f64,
    /// By instance type.
    pub by_type: BTreeMap<String, TypeUse>,
}

/// Nodes of one instance type.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct TypeUse {
    /// Nodes that ever were asked for.
    pub launched: u64,
    /// Metered hours.
    pub node_hours: f64,
}

/// Sums of a bill that statistics need; see [`Bill`] for their meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CostTotals {
    /// What it costs after commitments, amortised by the hour. For
    /// commitments without upfront payment this is also the cash paid.
    pub total: Money,
    /// The same usage without commitments.
    pub list: Money,
    /// The same usage, all of it bought On-Demand.
    pub on_demand: Money,
    /// Scaled to 730 hours; `None` for an empty window.
    pub monthly: Option<Money>,
    /// Whether the window is no whole number of weeks.
    pub monthly_extrapolated: bool,
    /// Net cost by way of buying.
    pub by_purchase: ByName,
    /// Net cost by trust in the price.
    pub by_price_status: ByName,
}

/// What a goal came to in one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalResult {
    /// Its name in the scenario.
    pub name: String,
    /// At most this.
    pub target: GoalValue,
    /// This; `None` where there is nothing to measure.
    pub value: Option<GoalValue>,
    /// Whether it holds; nothing to measure holds.
    pub met: bool,
}

/// A goal's target or value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum GoalValue {
    /// Seconds.
    Seconds(f64),
    /// USD, an exact decimal string in JSON.
    Usd(Money),
}

impl GoalValue {
    /// As a float, for statistics.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            GoalValue::Seconds(s) => s,
            GoalValue::Usd(m) => m.to_f64(),
        }
    }
}

/// What one cell measured about one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadOutcome {
    /// Its name in the scenario.
    pub name: String,
    /// What it is.
    pub kind: WorkloadKind,
    /// Its pods.
    pub pods: Pods,
    /// Instances whose work ended neither finished nor replaced: running,
    /// starting or pending at the end, or rejected.
    pub unfinished: u64,
    /// Submitted to bound, seconds.
    pub pending_s: WaitSummary,
    /// Submitted to running, seconds.
    pub ready_s: WaitSummary,
    /// Core-hours of demand; 0 where there is no demand curve.
    pub demanded_core_hours: f64,
    /// Its cost with everything shared distributed.
    pub cost: Money,
}

impl Outcome {
    /// Measures a cell.
    #[must_use]
    pub fn measure(
        seed: u64,
        record: &Record,
        bill: &Bill,
        cluster: &ClusterSpec,
        workloads: &Workloads,
        goals: &[Goal],
    ) -> Outcome {
        let from = record.warmup;
        let pending = merged(record.waits.iter().map(|w| w.pending_ms.as_slice()));
        let ready = merged(record.waits.iter().map(|w| w.ready_ms.as_slice()));
        let censored = record.waits.iter().map(|w| w.censored).sum();
        let work = work_by_workload(record, workloads);
        let mut outcome = Outcome {
            seed,
            events: record.events,
            window_hours: (record.end - from).ms().max(0) as f64 / HOUR_MS as f64,
            requested_core_hours: work.iter().map(|w| w.kept()).sum::<u128>() as f64 / CORE_HOUR,
            pods: Pods::default(),
            pending_s: WaitSummary::of_sorted(&pending, censored),
            ready_s: WaitSummary::of_sorted(&ready, 0),
            utilisation: utilisation(record, workloads, cluster),
            nodes: nodes(record, cluster),
            cost: CostTotals::of(bill),
            goals: Vec::new(),
            workloads: workload_outcomes(record, bill, workloads, &work),
        };
        for counts in &record.counts {
            let pods = &mut outcome.pods;
            pods.submitted += counts.submitted;
            pods.started += counts.started;
            pods.finished += counts.finished;
            pods.evicted += counts.evicted;
            pods.interrupted += counts.interrupted;
            pods.rejected += counts.rejected;
            pods.pending_at_end += counts.pending_at_end;
        }
        outcome.pods.repeated_core_hours = record.totals.repeated_cpu as f64 / CORE_HOUR;
        let unserved: u128 = record.demand.iter().map(|d| d.unserved).sum();
        outcome.pods.unserved_core_hours = unserved as f64 / CORE_HOUR;
        outcome.goals =
            goals.iter().map(|g| goal(g, record, workloads, &pending, &outcome)).collect();
        outcome
    }

    /// Core-hours of demand on services.
    #[must_use]
    pub fn demanded_core_hours(&self) -> f64 {
        self.workloads.iter().map(|w| w.demanded_core_hours).sum()
    }

    /// The workload of this name.
    #[must_use]
    pub fn workload(&self, name: &str) -> Option<&WorkloadOutcome> {
        self.workloads.iter().find(|w| w.name == name)
    }
}

impl WaitSummary {
    /// From waits in milliseconds, ascending.
    #[must_use]
    pub fn of_sorted(ms: &[i64], censored: u64) -> WaitSummary {
        let quantile = |percent| nearest_rank(ms, percent).map(|v| v as f64 / 1e3);
        let sum: i128 = ms.iter().map(|v| i128::from(*v)).sum();
        WaitSummary {
            mean: (!ms.is_empty()).then(|| sum as f64 / ms.len() as f64 / 1e3),
            p50: quantile(50),
            p90: quantile(90),
            p95: quantile(95),
            p99: quantile(99),
            max: quantile(100),
            censored,
        }
    }
}

impl CostTotals {
    fn of(bill: &Bill) -> CostTotals {
        CostTotals {
            total: bill.total,
            list: bill.list_total,
            on_demand: bill.on_demand_total,
            monthly: bill.monthly.map(|m| m.amount),
            monthly_extrapolated: bill.monthly.is_some_and(|m| m.extrapolated),
            by_purchase: bill.by_purchase.clone(),
            by_price_status: bill.by_price_status.clone(),
        }
    }
}

/// Ascending runs merged into one; the standard stable sort detects runs, so
/// this costs about one pass per doubling of their number.
pub(super) fn merged<'a>(runs: impl Iterator<Item = &'a [i64]>) -> Vec<i64> {
    let mut all: Vec<i64> = Vec::new();
    for run in runs {
        debug_assert!(run.is_sorted(), "waits are kept ascending");
        all.extend_from_slice(run);
    }
    #[allow(clippy::stable_sort_primitive)] // Stable means run-merging here.
    all.sort();
    all
}

/// Milliseconds of [from, until) within the reported window.
pub(super) fn clipped(record: &Record, from: SimTime, until: SimTime) -> i64 {
    (until.ms().min(record.end.ms()) - from.ms().max(record.warmup.ms())).max(0)
}

fn metered_ms(record: &Record, node: &NodeRecord) -> i64 {
    clipped(record, node.running, node.shutting_down)
}

fn nodes(record: &Record, cluster: &ClusterSpec) -> NodeCounts {
    // By shape first: no string is touched per node.
    let mut by_shape = vec![(0u64, 0i64); cluster.shapes.len()];
    for node in &record.nodes {
        if let Some((launched, ms)) = by_shape.get_mut(node.shape.index()) {
            *launched += 1;
            *ms += metered_ms(record, node);
        }
    }
    let mut counts = NodeCounts {
        launched: record.nodes.len() as u64,
        peak: u64::from(record.nodes_peak),
        ..NodeCounts::default()
    };
    let mut total_ms = 0;
    for (shape, (launched, ms)) in cluster.shapes.iter().zip(by_shape) {
        total_ms += ms;
        if launched > 0 {
            let of_type = counts.by_type.entry(shape.name.clone()).or_default();
            of_type.launched += launched;
            of_type.node_hours += ms as f64 / HOUR_MS as f64;
        }
    }
    counts.node_hours = total_ms as f64 / HOUR_MS as f64;
    counts
}

/// Time integrals of one resource, unit·ms.
#[derive(Debug, Clone, Copy, Default)]
struct Integral {
    allocatable: u128,
    requested: u128,
    used: u128,
    unknown: u128,
}

impl Integral {
    /// One Fargate pod: what it bought while it ran, what its pod requested
    /// of that, and what is known of its usage.
    fn add_pod(&mut self, bought: i64, requested: i64, used: i64, ran_ms: i64, stayed_ms: i64) {
        let amount = |rate: i64, ms: i64| rate.max(0) as u128 * ms.max(0) as u128;
        self.allocatable += amount(bought, stayed_ms);
        self.requested += amount(requested, ran_ms);
        if used < 0 {
            self.unknown += amount(requested, ran_ms);
        } else {
            self.used += amount(used.min(requested), ran_ms);
        }
    }

    fn shares(&self) -> UsedShare {
        let ratio = |part: u128, whole: u128| (whole > 0).then(|| part as f64 / whole as f64);
        UsedShare {
            requested_of_allocatable: ratio(self.requested, self.allocatable),
            used_of_allocatable: if self.unknown == 0 {
                ratio(self.used, self.allocatable)
            } else {
                None
            },
            used_of_requested: ratio(self.used, self.requested.saturating_sub(self.unknown)),
        }
    }
}

fn utilisation(record: &Record, workloads: &Workloads, cluster: &ClusterSpec) -> Utilisation {
    let t = &record.totals;
    let mut cpu = Integral {
        allocatable: t.cpu_allocatable,
        requested: t.cpu_requested,
        used: t.cpu_used,
        unknown: t.cpu_unknown,
    };
    let mut memory = Integral {
        allocatable: t.memory_allocatable,
        requested: t.memory_requested,
        used: t.memory_used,
        unknown: t.memory_unknown,
    };
    let kib = |bytes: i64| if bytes < 0 { -1 } else { bytes.saturating_add(1_023) >> 10 };
    for pod in &record.fargate {
        let size = cluster
            .fargate
            .get(pod.pool as usize)
            .and_then(|pool| pool.sizes.get(pod.size as usize));
        let class = workloads
            .templates
            .get(pod.template.index())
            .and_then(|t| workloads.classes.get(t.class.index()));
        let (Some(size), Some(class)) = (size, class) else { continue };
        let FargateRecord { running, finished, removed, used_cpu, used_memory, .. } = *pod;
        let (ran, stayed) = (clipped(record, running, finished), clipped(record, running, removed));
        cpu.add_pod(size.cpu.0, class.requests.cpu.0, used_cpu, ran, stayed);
        let requested = kib(class.requests.memory.0);
        memory.add_pod(kib(size.memory.0), requested, kib(used_memory), ran, stayed);
    }
    Utilisation { cpu: cpu.shares(), memory: memory.shares() }
}

/// Requested cpu of one workload's pods, milli-core·ms.
#[derive(Debug, Clone, Copy, Default)]
struct Work {
    requested: u128,
    repeated: u128,
}

impl Work {
    fn kept(self) -> u128 {
        self.requested.saturating_sub(self.repeated)
    }
}

/// Per workload; a `DaemonSet` has none.
fn work_by_workload(record: &Record, workloads: &Workloads) -> Vec<Work> {
    let mut work = vec![Work::default(); workloads.workloads.len()];
    for owner in &record.owners {
        if let Some(sum) = work.get_mut(owner.workload.index()) {
            sum.requested += u128::from(owner.cpu_requested);
            sum.repeated += u128::from(owner.cpu_repeated);
        }
    }
    for pod in &record.fargate {
        let Some(template) = workloads.templates.get(pod.template.index()) else { continue };
        let class = workloads.classes.get(template.class.index());
        if let (Some(sum), Some(class)) = (work.get_mut(template.workload.index()), class) {
            let ran = clipped(record, pod.running, pod.finished);
            sum.requested += class.requests.cpu.0.max(0) as u128 * ran as u128;
        }
    }
    for (sum, info) in work.iter_mut().zip(&workloads.workloads) {
        if info.kind == WorkloadKind::Daemon {
            *sum = Work::default();
        }
    }
    work
}

fn workload_outcomes(
    record: &Record,
    bill: &Bill,
    workloads: &Workloads,
    work: &[Work],
) -> Vec<WorkloadOutcome> {
    let mut outcomes = Vec::with_capacity(workloads.workloads.len());
    for (id, info) in workloads.workloads.iter().enumerate() {
        if info.kind == WorkloadKind::Daemon {
            continue;
        }
        let counts = record.counts.get(id).copied().unwrap_or_default();
        let (mut demanded, mut unserved) = (0u128, 0u128);
        for (service, demand) in workloads.services.iter().zip(&record.demand) {
            let owner = workloads.templates.get(service.template.index()).map(|t| t.workload);
            if owner.is_some_and(|o| o.index() == id) {
                demanded += demand.demanded;
                unserved += demand.unserved;
            }
        }
        let repeated = work.get(id).map_or(0, |w| w.repeated);
        let waits = record.waits.get(id);
        outcomes.push(WorkloadOutcome {
            name: info.name.clone(),
            kind: info.kind,
            pods: Pods {
                submitted: counts.submitted,
                started: counts.started,
                finished: counts.finished,
                evicted: counts.evicted,
                interrupted: counts.interrupted,
                rejected: counts.rejected,
                pending_at_end: counts.pending_at_end,
                repeated_core_hours: repeated as f64 / CORE_HOUR,
                unserved_core_hours: unserved as f64 / CORE_HOUR,
            },
            unfinished: counts.running_at_end
                + counts.starting_at_end
                + counts.pending_at_end
                + counts.rejected,
            pending_s: waits
                .map(|w| WaitSummary::of_sorted(&w.pending_ms, w.censored))
                .unwrap_or_default(),
            ready_s: waits.map(|w| WaitSummary::of_sorted(&w.ready_ms, 0)).unwrap_or_default(),
            demanded_core_hours: demanded as f64 / CORE_HOUR,
            cost: bill.fully_loaded_by_workload.get(&info.name).copied().unwrap_or_default(),
        });
    }
    outcomes
}

fn goal(
    goal: &Goal,
    record: &Record,
    workloads: &Workloads,
    all_pending: &[i64],
    outcome: &Outcome,
) -> GoalResult {
    let (target, value) = match &goal.bound {
        Bound::Pending { workload, quantile, at_most } => {
            let waits = match workload {
                None => all_pending,
                Some(name) => workloads
                    .workloads
                    .iter()
                    .position(|w| w.name == *name)
                    .and_then(|id| record.waits.get(id))
                    .map_or(&[][..], |w| w.pending_ms.as_slice()),
            };
            let value = nearest_rank(waits, *quantile).map(|v| GoalValue::Seconds(v as f64 / 1e3));
            (GoalValue::Seconds(at_most.secs_f64()), value)
        }
        Bound::MonthlyUsd(most) => {
            (GoalValue::Usd(*most), outcome.cost.monthly.map(GoalValue::Usd))
        }
    };
    let met = match (target, value) {
        (GoalValue::Usd(target), Some(GoalValue::Usd(value))) => value <= target,
        (target, Some(value)) => value.to_f64() <= target.to_f64(),
        (_, None) => true,
    };
    GoalResult { name: goal.name.clone(), target, value, met }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{
        Capacity, FargateSize, FargateSpec, NodeShape, PoolId, Purchase, ShapeId, ZoneId,
    };
    use crate::observe::{NodeEnd, OwnerIntegral, PodCounts, ServiceDemand, Totals, Waits};
    use crate::rng::Distribution;
    use crate::units::{Bytes, MilliCpu, Percent, SimDuration};
    use crate::workload::{
        ClassId, NamespaceId, OnInterrupt, PodClass, PodTemplate, Requests, Service, TemplateId,
        WorkloadId, WorkloadInfo,
    };

    const GIB: i64 = 1 << 30;

    fn node(shape: u32, from_h: i64, until_h: i64) -> NodeRecord {
        NodeRecord {
            pool: PoolId(0),
            shape: ShapeId(shape),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            requested: SimTime(from_h * HOUR_MS),
            running: SimTime(from_h * HOUR_MS),
            ready: SimTime(from_h * HOUR_MS),
            draining: SimTime::NEVER,
            shutting_down: SimTime(until_h * HOUR_MS),
            end: NodeEnd::Running,
        }
    }

    fn workloads() -> Workloads {
        let template = |workload| PodTemplate {
            class: ClassId(0),
            workload: WorkloadId(workload),
            namespace: NamespaceId(0),
            on_interrupt: OnInterrupt::Restart,
            startup: Distribution::Constant(0.0),
        };
        let info = |name: &str, kind| WorkloadInfo { name: name.to_owned(), kind };
        Workloads {
            workloads: vec![
                info("batch", WorkloadKind::Batch),
                info("web", WorkloadKind::Service),
                info("agent", WorkloadKind::Daemon),
            ],
            namespaces: vec!["default".to_owned()],
            classes: vec![PodClass {
                requests: Requests::new(Some(MilliCpu(500)), Some(Bytes(GIB)), Vec::new()),
                ..PodClass::default()
            }],
            templates: vec![template(0), template(1), template(2)],
            services: vec![Service {
                template: TemplateId(1),
                demand: None,
                memory_usage: None,
                target: Percent { ppm: 600_000 },
                min: 1,
                max: 2,
            }],
            ..Workloads::default()
        }
    }

    fn cluster() -> ClusterSpec {
        let shape = |name: &str| NodeShape {
            name: name.to_owned(),
            capacity: Capacity::default(),
            allocatable: Capacity::default(),
            nominal_memory: Bytes(0),
        };
        ClusterSpec {
            shapes: vec![shape("m5.large"), shape("m5.xlarge"), shape("unused")],
            fargate: vec![FargateSpec {
                name: "fg".to_owned(),
                selectors: Vec::new(),
                sizes: vec![FargateSize { cpu: MilliCpu(1_000), memory: Bytes(2 * GIB) }],
                overhead_memory: Bytes(0),
                start_latency: Distribution::Constant(0.0),
                launch_burst: 1,
                launch_per_second: 1,
                job_retention: SimDuration::ZERO,
                sidecar_cpu: MilliCpu(0),
                sidecar_memory: Bytes(0),
            }],
            ..ClusterSpec::default()
        }
    }

    fn record() -> Record {
        let hours = |h: i64| SimTime(h * HOUR_MS);
        Record {
            end: hours(11),
            warmup: hours(1),
            events: 42,
            nodes: vec![node(0, 0, 4), node(0, 2, 11), node(1, 5, 6)],
            nodes_peak: 2,
            fargate: vec![FargateRecord {
                pool: 0,
                size: 0,
                template: TemplateId(0),
                pull: hours(2),
                running: hours(2),
                finished: hours(4),
                removed: hours(6),
                used_cpu: 250,
                used_memory: -1,
            }],
            owners: vec![
                OwnerIntegral {
                    workload: WorkloadId(0),
                    cpu_requested: 9 * 1_000 * HOUR_MS as u64,
                    cpu_repeated: 2 * 1_000 * HOUR_MS as u64,
                    ..OwnerIntegral::default()
                },
                OwnerIntegral {
                    workload: WorkloadId(2),
                    cpu_requested: 5 * 1_000 * HOUR_MS as u64,
                    ..OwnerIntegral::default()
                },
            ],
            waits: vec![
                Waits { pending_ms: vec![0, 2_000, 9_000], ready_ms: vec![1_000], censored: 1 },
                Waits { pending_ms: vec![500, 3_000], ready_ms: vec![], censored: 0 },
            ],
            counts: vec![
                PodCounts {
                    submitted: 5,
                    started: 4,
                    finished: 2,
                    running_at_end: 1,
                    interrupted: 1,
                    rejected: 1,
                    ..PodCounts::default()
                },
                PodCounts { submitted: 2, started: 2, running_at_end: 2, ..PodCounts::default() },
            ],
            demand: vec![ServiceDemand {
                demanded: 40 * 1_000 * HOUR_MS as u128,
                unserved: 1_000 * HOUR_MS as u128 / 2,
            }],
            totals: Totals {
                // 20 core-hours allocatable, 10 requested, 4 used.
                cpu_allocatable: 20 * 1_000 * HOUR_MS as u128,
                cpu_requested: 10 * 1_000 * HOUR_MS as u128,
                cpu_used: 4 * 1_000 * HOUR_MS as u128,
                repeated_cpu: 2 * 1_000 * HOUR_MS as u128,
                ..Totals::default()
            },
            ..Record::default()
        }
    }

    fn measured(goals: &[Goal]) -> Outcome {
        let bill = Bill {
            total: Money::from_pico(7_000_000_000_000),
            fully_loaded_by_workload: [("batch".to_owned(), Money::from_pico(5))].into(),
            ..Bill::default()
        };
        Outcome::measure(3, &record(), &bill, &cluster(), &workloads(), goals)
    }

    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() < 1e-12), "{a:?} is not {b}");
    }

    #[test]
    fn waits_merge_over_workloads() {
        let o = measured(&[]);
        // 0, 0.5, 2, 3, 9 s.
        let p = o.pending_s;
        assert_eq!((p.p50, p.p90, p.p99, p.max), (Some(2.0), Some(9.0), Some(9.0), Some(9.0)));
        close(p.mean, 2.9);
        assert_eq!(p.censored, 1);
        assert_eq!(o.ready_s.max, Some(1.0));
        assert_eq!(o.workloads[1].pending_s.max, Some(3.0));
        assert_eq!(WaitSummary::of_sorted(&[], 0), WaitSummary::default());
    }

    #[test]
    fn only_the_reported_window_counts() {
        let o = measured(&[]);
        close(Some(o.window_hours), 10.0);
        // 3 + 9 + 1 hours after the warm-up.
        close(Some(o.nodes.node_hours), 13.0);
        assert_eq!((o.nodes.launched, o.nodes.peak), (3, 2));
        let types: Vec<_> = o.nodes.by_type.iter().collect();
        assert_eq!(types[0], (&"m5.large".to_owned(), &TypeUse { launched: 2, node_hours: 12.0 }));
        assert_eq!(types.len(), 2);
    }

    #[test]
    fn fargate_pods_count_as_capacity_of_their_own() {
        let u = measured(&[]).utilisation;
        // Nodes 20 : 10 : 4 core-hours; the pod bought 1 core for 4 hours,
        // requested half of it for 2 and used a quarter.
        close(u.cpu.requested_of_allocatable, 11.0 / 24.0);
        close(u.cpu.used_of_allocatable, 4.5 / 24.0);
        close(u.cpu.used_of_requested, 4.5 / 11.0);
        // Memory usage of the only pod is unknown.
        close(u.memory.requested_of_allocatable, 2.0 / 8.0);
        assert_eq!((u.memory.used_of_allocatable, u.memory.used_of_requested), (None, None));
    }

    #[test]
    fn work_and_fates_go_to_their_workload() {
        let o = measured(&[]);
        assert_eq!(o.workloads.len(), 2, "a DaemonSet is no workload of its own");
        assert_eq!((o.pods.submitted, o.pods.rejected, o.pods.interrupted), (7, 1, 1));
        // 9 − 2 on nodes, 1 on Fargate; the DaemonSet's 5 do not count.
        close(Some(o.requested_core_hours), 8.0);
        let (batch, web) = (&o.workloads[0], &o.workloads[1]);
        assert_eq!((batch.unfinished, batch.cost), (2, Money::from_pico(5)));
        close(Some(batch.pods.repeated_core_hours), 2.0);
        close(Some(web.demanded_core_hours), 40.0);
        close(Some(web.pods.unserved_core_hours), 0.5);
        close(Some(o.pods.unserved_core_hours), 0.5);
    }

    #[test]
    fn goals_are_measured_exactly() {
        let pending = |workload: Option<&str>, quantile, seconds| Goal {
            name: "g".to_owned(),
            bound: Bound::Pending {
                workload: workload.map(str::to_owned),
                quantile,
                at_most: SimDuration::from_secs(seconds),
            },
        };
        let month = Goal { name: "m".to_owned(), bound: Bound::MonthlyUsd(Money::ZERO) };
        let o = measured(&[
            pending(None, 95, 8),
            pending(Some("web"), 100, 3),
            pending(Some("nobody"), 50, 1),
            month,
        ]);
        let met: Vec<bool> = o.goals.iter().map(|g| g.met).collect();
        assert_eq!(met, [false, true, true, true]);
        assert_eq!(o.goals[0].value, Some(GoalValue::Seconds(9.0)));
        let json = serde_json::to_string(&o.goals[3]).expect("json");
        assert_eq!(json, r#"{"name":"m","target":"0","value":null,"met":true}"#);
    }
}
