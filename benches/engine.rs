//! The engine: event queue, observers, whole runs, and a calibration figure
//! for the machine: `cargo bench --bench engine`.
//!
//! `calibration` depends on the machine alone; quote the others as multiples of
//! it. `queue_hold` is the hold model: pop the earliest of n events, push it
//! back an exponential time later. `observers` replays the facts of 100,000 pods
//! without any placement. `end_to_end` runs worlds like those of
//! `workloads/scale`, record included, without bill and report.

use std::sync::Arc;

use divan::counter::ItemsCount;
use plimsoll::cluster::{
    Capacity, ClusterSpec, NodeShape, Offer, Pod, PoolKind, PoolSpec, Purchase, ShapeId,
    SpotAllocation, ZoneId,
};
use plimsoll::lifecycle::SpotSpec;
use plimsoll::observe::{KeepPods, Observer, Owner, Place, PodEnd, Record, pod_rates};
use plimsoll::place::SchedulerProfile;
use plimsoll::rng::{Distribution, Draws};
use plimsoll::sim::EventQueue;
use plimsoll::units::{Bytes, DAY_MS, MilliCpu, Rate, SimDuration, SimTime};
use plimsoll::workload::{
    ClassId, LocalTemplate, NamespaceId, OnInterrupt, PodClass, PodTemplate, Requests, TemplateId,
    Trace, TraceUse, WorkloadId, WorkloadInfo, WorkloadKind, Workloads,
};
use plimsoll::world::{self, Horizon, Setup};

/// Dependent integer work of a known amount: ten million steps of a
/// multiplicative generator.
#[divan::bench(sample_count = 10)]
fn calibration() -> u64 {
    (0..10_000_000u64).fold(1, |x, i| (x ^ i).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(27))
}

#[divan::bench(args = [100, 10_000, 100_000, 1_000_000], sample_count = 10)]
fn queue_hold(bencher: divan::Bencher<'_, '_>, pending: u64) {
    const HOLDS: usize = 200_000;
    let mut queue = EventQueue::new();
    let mut draws = Draws::new(1, "bench", 0);
    for i in 0..pending {
        queue.push(SimTime(draws.exponential(1e6) as i64), 0, i);
    }
    bencher.counter(ItemsCount::new(HOLDS)).bench_local(|| {
        for _ in 0..HOLDS {
            let (now, event) = queue.pop().expect("never empty");
            let next = SimTime(now.ms() + draws.exponential(1e6) as i64);
            queue.push(next, 0, event);
        }
    });
}

#[divan::bench(sample_count = 10)]
fn observers(bencher: divan::Bencher<'_, '_>) {
    const PODS: usize = 100_000;
    const NODES: usize = 1_000;
    let capacity = capacity();
    let owner = Owner { workload: WorkloadId(0), namespace: NamespaceId(0) };
    let rates = pod_rates(1_000, 1 << 30, -1, -1);
    bencher.counter(ItemsCount::new(PODS)).bench_local(|| {
        let mut observer = Observer::new(0, SimTime::ZERO, 1, 0, KeepPods::Yes);
        for node in 0..NODES {
            observer.accounts.open(node, node as u32, &capacity, SimTime::ZERO);
            observer.accounts.serve(node, SimTime::ZERO);
        }
        let mut bound = Vec::with_capacity(PODS);
        for i in 0..PODS {
            let now = SimTime(i as i64 * 100);
            let mut pod = Pod::pending(TemplateId(0), now, 1_000);
            pod.record = observer.submitted(owner.workload, TemplateId(0), now);
            (pod.bound, pod.running) = (now, now);
            let slot = i % NODES;
            observer.bound(owner.workload, &pod, Place::Node(slot as u32), now);
            observer.node_bind(slot, owner, rates, now);
            bound.push(pod);
            if let Some(at) = i.checked_sub(10_000) {
                observer.node_unbind(at % NODES, owner, rates, now);
                observer.ended(owner.workload, &bound[at], PodEnd::Finished, now);
            }
        }
        observer
    });
}

fn capacity() -> Capacity {
    Capacity { cpu: MilliCpu(64_000), memory: Bytes(88 << 30), pods: 110, extended: vec![] }
}

/// Pods of `classes` shapes, arriving uniformly over a day, or all at once.
fn workloads(pods: usize, classes: usize, at_once: bool) -> Workloads {
    let mut draws = Draws::new(1, "bench", 1);
    let mut trace = Trace::default();
    for i in 0..pods {
        let arrival = if at_once { 0 } else { draws.below(DAY_MS as u64) as i64 };
        let duration = 5_000_000 + draws.below(25_000_000) as i64;
        trace.push(arrival, duration, LocalTemplate((i % classes) as u32), 1, None);
    }
    trace.sort();
    let class = |k: usize| {
        let cpu = 500 + 3_500 * k as i64 / classes as i64;
        let requests =
            Requests::new(Some(MilliCpu(cpu)), Some(Bytes(cpu * (1 << 30) / 1_000)), vec![]);
        PodClass { requests, ..PodClass::default() }
    };
    let template = |k: usize| PodTemplate {
        class: ClassId(k as u32),
        workload: WorkloadId(0),
        namespace: NamespaceId(0),
        on_interrupt: OnInterrupt::Restart,
        startup: Distribution::Constant(0.0),
        life: plimsoll::workload::PodLife::default(),
    };
    Workloads {
        workloads: vec![WorkloadInfo { name: "pods".into(), kind: WorkloadKind::Batch }],
        namespaces: vec!["default".into()],
        classes: (0..classes).map(class).collect(),
        templates: (0..classes).map(template).collect(),
        traces: vec![TraceUse { trace: Arc::new(trace), template_base: 0 }],
        ..Workloads::default()
    }
}

fn setup(nodes: u32) -> Setup {
    let shape = NodeShape {
        name: "machine".into(),
        capacity: capacity(),
        allocatable: capacity(),
        nominal_memory: capacity().memory,
    };
    let pool = PoolSpec {
        name: "machines".into(),
        kind: PoolKind::Fixed { count: nodes },
        offers: vec![Offer {
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            hourly: Rate::ZERO,
            hazard_per_hour: 0.0,
            labels: vec![],
        }],
        on_demand_base: 0,
        on_demand_percentage_above_base: 100,
        spot_allocation: SpotAllocation::LowestPrice,
        labels: vec![],
        taints: vec![],
        launch: Distribution::Constant(0.0),
        ready: Distribution::Constant(0.0),
    };
    Setup {
        start_unix_ms: 1_736_121_600_000,
        horizon: Horizon::UntilIdle,
        warmup: SimTime::ZERO,
        cluster: Arc::new(ClusterSpec {
            members: Vec::new(),
            shapes: vec![shape],
            zones: vec!["a".into()],
            pools: vec![pool],
            fargate: vec![],
            spot_pools: vec![],
        }),
        other_profiles: Vec::new(),
        scheduler: SchedulerProfile { service_time_us: None, ..SchedulerProfile::default() },
        autoscaler: None,
        spot: SpotSpec { shock_share: 0.0, notice: SimDuration::ZERO },
        ecs: None,
    }
}

/// (nodes, pods, classes), 72 % full at the peak.
#[divan::bench(
    args = [(100, 10_000, 6), (1_000, 100_000, 6), (1_000, 100_000, 20), (10_000, 1_000_000, 20)],
    sample_count = 3
)]
fn end_to_end(bencher: divan::Bencher<'_, '_>, (nodes, pods, classes): (u32, usize, usize)) {
    let setup = setup(nodes);
    let workloads = workloads(pods, classes, false);
    bencher
        .counter(ItemsCount::new(pods))
        .bench_local(|| -> Record { world::run(&setup, &workloads, 1, KeepPods::Yes) });
}

/// A hundred thousand pods at once on a hundred nodes.
#[divan::bench(sample_count = 3)]
fn backlog_drains(bencher: divan::Bencher<'_, '_>) {
    let setup = setup(100);
    let workloads = workloads(100_000, 6, true);
    bencher
        .counter(ItemsCount::new(100_000usize))
        .bench_local(|| -> Record { world::run(&setup, &workloads, 1, KeepPods::Yes) });
}

fn main() {
    divan::main();
}
