//! Measuring a cell: from a record and its bill to an [`Outcome`].
//!
//! One pass over nodes, Fargate pods and owner integrals each, and one sort of
//! already ascending runs of waits.

use super::model::{Bound, Goal};
use super::outcome::{
    CostTotals, GoalResult, GoalValue, NodeCounts, Outcome, Pods, UsedShare, Utilisation,
    WaitSummary, WorkloadOutcome,
};
use super::stats::nearest_rank;
use crate::bill::Bill;
use crate::cluster::ClusterSpec;
use crate::observe::{FargateRecord, NodeRecord, ReasonCounts, Record, RejectReason};
use crate::units::{Bytes, HOUR_MS, SimTime};
use crate::workload::{WorkloadKind, Workloads};

/// Milli-core·ms in a core-hour.
const CORE_HOUR: f64 = 1_000.0 * HOUR_MS as f64;

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
            lower_bound: None,
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
            for (reason, n) in by_reason(&counts.rejected_by_reason) {
                *pods.rejected_by_reason.entry(reason).or_default() += n;
            }
        }
        outcome.pods.repeated_core_hours = record.totals.repeated_cpu as f64 / CORE_HOUR;
        let unserved: u128 = record.demand.iter().map(|d| d.unserved).sum();
        outcome.pods.unserved_core_hours = unserved as f64 / CORE_HOUR;
        outcome.goals = goals.iter().map(|g| goal(g, record, workloads, &outcome)).collect();
        outcome
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

/// Numbers of rejected pods by the names of their reasons.
fn by_reason(counts: &ReasonCounts) -> impl Iterator<Item = (String, u64)> + '_ {
    RejectReason::ALL
        .into_iter()
        .zip(counts)
        .filter(|(_, n)| **n > 0)
        .map(|(reason, n)| (reason.name().to_owned(), *n))
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
fn clipped(record: &Record, from: SimTime, until: SimTime) -> i64 {
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
            self.used += amount(used, ran_ms);
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
        used: t.cpu_used + t.cpu_beyond,
        unknown: t.cpu_unknown,
    };
    let mut memory = Integral {
        allocatable: t.memory_allocatable,
        requested: t.memory_requested,
        used: t.memory_used + t.memory_beyond,
        unknown: t.memory_unknown,
    };
    let kib = |bytes: i64| if bytes < 0 { -1 } else { Bytes(bytes).kib() };
    for pod in &record.fargate {
        let size = cluster
            .fargate
            .get(pod.pool as usize)
            .and_then(|pool| pool.sizes.get(pod.size as usize));
        let Some(size) = size else { continue };
        let own = workloads.own_requests(pod.template);
        let FargateRecord { running, finished, removed, used_cpu, used_memory, .. } = *pod;
        let (ran, stayed) = (clipped(record, running, finished), clipped(record, running, removed));
        cpu.add_pod(size.cpu.0, own.0.0, used_cpu, ran, stayed);
        memory.add_pod(kib(size.memory.0), kib(own.1.0), kib(used_memory), ran, stayed);
        for s in workloads.injected(pod.template) {
            cpu.add_pod(0, s.cpu.0, s.usage.cpu.map_or(-1, |c| c.0), ran, stayed);
            let used = s.usage.memory.map_or(-1, |m| kib(m.0));
            memory.add_pod(0, kib(s.memory.0), used, ran, stayed);
        }
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
        if let Some(sum) = work.get_mut(template.workload.index()) {
            let ran = clipped(record, pod.running, pod.finished);
            let cpu = workloads.own_requests(pod.template).0.0.max(0) as u128;
            sum.requested += cpu * ran as u128;
            sum.repeated += cpu * pod.repeated_ms.clamp(0, ran) as u128;
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
                rejected_by_reason: by_reason(&counts.rejected_by_reason).collect(),
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

fn goal(goal: &Goal, record: &Record, workloads: &Workloads, outcome: &Outcome) -> GoalResult {
    let (target, value) = match &goal.bound {
        Bound::Pending { workload, quantile, at_most } => {
            let waits = workloads
                .workloads
                .iter()
                .position(|w| w.name == *workload)
                .and_then(|id| record.waits.get(id))
                .map_or(&[][..], |w| w.pending_ms.as_slice());
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
    use crate::sweep::outcome::TypeUse;
    use crate::units::{Bytes, MilliCpu, Money, Percent, SimDuration};
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
            life: crate::workload::PodLife::default(),
        };
        let info = |name: &str, kind| WorkloadInfo { name: name.to_owned(), kind };
        Workloads {
            workloads: vec![
                info("batch", WorkloadKind::Batch),
                info("web", WorkloadKind::Service),
                info("monitor", WorkloadKind::Daemon),
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
                usage: crate::workload::Usage::default(),
                bound: Vec::new(),
                homes: Vec::new(),
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
            members: Vec::new(),
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
                hazard_per_hour: 0.0,
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
                repeated_ms: 0,
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
        let pending = |workload: &str, quantile, seconds| Goal {
            name: "g".to_owned(),
            bound: Bound::Pending {
                workload: workload.to_owned(),
                quantile,
                at_most: SimDuration::from_secs(seconds),
            },
        };
        let month = Goal { name: "m".to_owned(), bound: Bound::MonthlyUsd(Money::ZERO) };
        let o = measured(&[
            pending("batch", 95, 8),
            pending("web", 100, 3),
            pending("nobody", 50, 1),
            month,
        ]);
        let met: Vec<bool> = o.goals.iter().map(|g| g.met).collect();
        assert_eq!(met, [false, true, true, true]);
        assert_eq!(o.goals[0].value, Some(GoalValue::Seconds(9.0)));
        let json = serde_json::to_string(&o.goals[3]).expect("json");
        assert_eq!(json, r#"{"name":"m","target":"0","value":null,"met":true}"#);
    }
}
