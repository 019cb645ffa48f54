//! Closed forms and hand-checked runs.

use std::sync::Arc;

use super::{Horizon, Setup, run};
use crate::cluster::{
    Capacity, ClusterSpec, NodeShape, Offer, PoolKind, PoolSpec, Purchase, ShapeId, SpotAllocation,
    ZoneId,
};
use crate::lifecycle::SpotSpec;
use crate::observe::{KeepPods, NodeEnd, PodEnd, Record};
use crate::place::{QueueProfile, SchedulerProfile};
use crate::rng::{Distribution, Draws};
use crate::scale::cluster_autoscaler;
use crate::units::{Bytes, HOUR_MS, MilliCpu, Percent, Rate, SimDuration, SimTime};
use crate::workload::{
    ClassId, DaemonSet, Demand, LocalTemplate, NamespaceId, OnInterrupt, PodClass, PodTemplate,
    Requests, Service, TemplateId, Trace, TraceUse, Usage, WorkloadId, WorkloadInfo, WorkloadKind,
    Workloads,
};

const GIB: i64 = 1 << 30;

/// One batch workload of one class, 1 vCPU and 1 GiB, from (arrival, duration).
pub(super) fn batch(rows: &[(i64, i64)]) -> Workloads {
    let mut trace = Trace::default();
    for (arrival, duration) in rows {
        trace.push(*arrival, *duration, LocalTemplate(0), 1, None);
    }
    trace.sort();
    Workloads {
        workloads: vec![WorkloadInfo { name: "batch".into(), kind: WorkloadKind::Batch }],
        namespaces: vec!["default".into()],
        classes: vec![class(1_000, GIB)],
        templates: vec![template(0, 0)],
        traces: vec![TraceUse { trace: Arc::new(trace), template_base: 0 }],
        ..Workloads::default()
    }
}

pub(super) fn class(cpu: i64, memory: i64) -> PodClass {
    PodClass {
        requests: Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), vec![]),
        ..PodClass::default()
    }
}

pub(super) fn template(class: u32, workload: u32) -> PodTemplate {
    PodTemplate {
        class: ClassId(class),
        workload: WorkloadId(workload),
        namespace: NamespaceId(0),
        on_interrupt: OnInterrupt::Restart,
        startup: Distribution::Constant(0.0),
        life: crate::workload::PodLife::default(),
    }
}

pub(super) fn capacity(cpu: i64, memory: i64, pods: u32) -> Capacity {
    Capacity { cpu: MilliCpu(cpu), memory: Bytes(memory), pods, extended: vec![] }
}

/// One pool of nodes of `cores` vCPU in one zone.
pub(super) fn pool(kind: PoolKind, purchase: Purchase, hazard_per_hour: f64) -> PoolSpec {
    PoolSpec {
        name: "pool".into(),
        kind,
        offers: vec![Offer {
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase,
            hourly: Rate::ZERO,
            hazard_per_hour,
            labels: vec![("topology.kubernetes.io/zone".into(), "a".into())],
        }],
        on_demand_base: 0,
        on_demand_percentage_above_base: if purchase == Purchase::Spot { 0 } else { 100 },
        spot_allocation: SpotAllocation::LowestPrice,
        labels: vec![],
        taints: vec![],
        launch: Distribution::Constant(10_000.0),
        ready: Distribution::Constant(50_000.0),
    }
}

pub(super) fn setup(cores: i64, pool: PoolSpec) -> Setup {
    let shape = NodeShape {
        name: "shape".into(),
        capacity: capacity(cores * 1_000, cores * 4 * GIB, 110),
        allocatable: capacity(cores * 1_000, cores * 4 * GIB, 110),
        nominal_memory: Bytes(cores * 4 * GIB),
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
        scheduler: SchedulerProfile {
            service_time_us: None,
            queue: QueueProfile::kubernetes(31),
            ..SchedulerProfile::default()
        },
        autoscaler: None,
        spot: SpotSpec { shock_share: 0.0, notice: SimDuration::from_secs(120) },
        ecs: None,
    }
}

pub(super) fn fixed(cores: i64) -> Setup {
    setup(cores, pool(PoolKind::Fixed { count: 1 }, Purchase::OnDemand, 0.0))
}

pub(super) fn metered_is_running(record: &Record) {
    for (i, node) in record.nodes.iter().enumerate() {
        let metered: u64 =
            record.windows.iter().filter(|w| w.node as usize == i).map(|w| w.metered_ms).sum();
        let running = if node.running == SimTime::NEVER {
            0
        } else {
            (node.shutting_down - node.running.max(record.warmup)).ms().max(0)
        };
        assert_eq!(metered as i64, running, "node {i}: {node:?}");
    }
}

/// D/D/c: arrivals every second, work of 3 s, two servers. The queue of
/// kube-scheduler 1.31 adds its own waits, all computed by hand:
///
/// pod 0 arrives 0, runs 0–3; pod 1 arrives 1, runs 1–4.
/// pod 2 arrives 2, fails; back-off 1 s until 3. At 3 pod 0 leaves and wakes it;
///   its back-off has ended, so it runs 3–6, having waited 1 s.
/// pod 3 arrives 3 (after the leaving at 3, before the scheduler): pods 2 and 3
///   are both active, pod 2 is older in the queue; pod 3 fails, back-off until 4.
///   At 4 pod 1 leaves: it runs 4–7, having waited 1 s.
#[test]
fn a_deterministic_queue_waits_as_computed_by_hand() {
    let workloads = batch(&[(0, 3_000), (1_000, 3_000), (2_000, 3_000), (3_000, 3_000)]);
    let record = run(&fixed(2), &workloads, 1, KeepPods::Yes);
    let waits: Vec<i64> = record.pods.iter().map(|p| (p.bound - p.submitted).ms()).collect();
    assert_eq!(waits, [0, 0, 1_000, 1_000]);
    assert_eq!(record.end, SimTime(7_000));
    assert_eq!(record.counts[0].finished, 4);
    metered_is_running(&record);
}

/// One server, work of 2.3 s, two pods at 0. Pod 1 fails at 0 with back-off
/// of 1 s; pod 0 leaves at 2.3 s and wakes it: at once, its back-off is over.
/// A third at 1.9 s fails; the leaving at 2.3 s wakes it too, but its back-off
/// lasts until 2.9 s. At the tick of 3 s it fails again: 2 s of back-off, until
/// 5 s. The leaving at 4.6 s cannot shorten that: it runs from 5 s.
#[test]
fn back_off_doubles_while_others_take_the_room() {
    let workloads = batch(&[(0, 2_300), (0, 2_300), (1_900, 2_300)]);
    let record = run(&fixed(1), &workloads, 1, KeepPods::Yes);
    let bound: Vec<i64> = record.pods.iter().map(|p| p.bound.ms()).collect();
    assert_eq!(bound, [0, 2_300, 5_000]);
}

/// The event that frees the server comes while back-off still runs: the pod
/// moves at the next whole second after its back-off, not at the event.
///
/// Pod 0 runs 0–1.5. Pod 1 arrives at 1.0 and fails: back-off until 2.0. At 1.5
/// the server is free, pod 1 backs off on; the flush at 2.0 lets it go.
#[test]
fn back_off_delays_to_the_next_tick() {
    let workloads = batch(&[(0, 1_500), (1_000, 500)]);
    let mut setup = fixed(1);
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    assert_eq!(record.pods[1].bound, SimTime(2_000));
    // From 1.33 an idle scheduler takes it out of back-off at once.
    setup.scheduler.queue = QueueProfile::kubernetes(33);
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    assert_eq!(record.pods[1].bound, SimTime(1_500));
}

/// The scheduler's own rate: ten pods at once at 100 a second are bound
/// 10, 20, … 100 ms later.
#[test]
fn the_scheduler_takes_its_time() {
    let workloads = batch(&[(0, 60_000); 10]);
    let mut setup = fixed(16);
    setup.scheduler.service_time_us = Some(10_000);
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    let bound: Vec<i64> = record.pods.iter().map(|p| p.bound.ms()).collect();
    assert_eq!(bound, (1..=10).map(|i| i * 10).collect::<Vec<_>>());
}

/// Rates that are no whole number of milliseconds keep their mean: at 1,500 a
/// second 30 pods take 20 ms, at 7 a second 14 take 2 s.
#[test]
fn the_scheduler_keeps_its_rate() {
    for (per_second, pods, last_ms) in [(1_500, 30, 20), (7, 14, 2_000), (100, 10, 100)] {
        let mut setup = fixed(64);
        setup.scheduler.service_time_us = Some(1_000_000 / per_second);
        let record = run(&setup, &batch(&vec![(0, 60_000); pods]), 1, KeepPods::Yes);
        assert_eq!(record.pods.iter().map(|p| p.bound.ms()).max(), Some(last_ms));
    }
}

/// Erlang C: probability of waiting and mean wait of M/M/c.
fn erlang_c_mean_wait(servers: u32, load: f64, mean_service: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..servers {
        term *= load / f64::from(k);
        sum += term;
    }
    let last = term * load / f64::from(servers);
    let c = f64::from(servers);
    let tail = last * c / (c - load);
    let waiting = tail / (sum + tail);
    waiting * mean_service / (c - load)
}

/// M/M/c with a mean service of an hour, against which back-off of seconds
/// vanishes: the mean wait over 20 seeds lies within its 95 % interval of the
/// Erlang-C value, widened by the back-off's 10 s and tick.
#[test]
fn a_markov_queue_waits_as_erlang_c_says() {
    let (servers, load) = (8u32, 6.4);
    let mean_ms = HOUR_MS as f64;
    let want = erlang_c_mean_wait(servers, load, mean_ms);
    let mut means = Vec::new();
    for seed in 0..20u64 {
        let mut arrivals = Draws::new(seed, "test-arrivals", 0);
        let mut services = Draws::new(seed, "test-services", 0);
        let mut at = 0.0;
        let rows: Vec<(i64, i64)> = (0..12_000)
            .map(|_| {
                at += arrivals.exponential(mean_ms / load);
                (at as i64, services.exponential(mean_ms) as i64)
            })
            .collect();
        let mut setup = fixed(i64::from(servers));
        // Statistics start in the steady state.
        setup.warmup = SimTime(100 * HOUR_MS);
        setup.scheduler.queue = QueueProfile::kubernetes(33);
        let record = run(&setup, &batch(&rows), seed, KeepPods::No);
        let waits = &record.waits[0].pending_ms;
        means.push(waits.iter().sum::<i64>() as f64 / waits.len() as f64);
    }
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let sd = (means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    // Student's t for 19 degrees of freedom.
    let half_width = 2.093 * sd / n.sqrt() + 11_000.0;
    assert!(
        (mean - want).abs() <= half_width,
        "mean {mean:.0} ms ± {half_width:.0}, Erlang C {want:.0} ms"
    );
}

/// Spot nodes are reclaimed, work is repeated, and nothing is lost.
#[test]
fn interrupted_work_is_repeated_and_conserved() {
    let rows: Vec<(i64, i64)> = (0..40).map(|i| (i * 60_000, 4 * HOUR_MS)).collect();
    let spot = pool(PoolKind::Fixed { count: 4 }, Purchase::Spot, 0.2);
    let record = run(&setup(4, spot), &batch(&rows), 3, KeepPods::Yes);
    let counts = record.counts[0];
    assert!(counts.interrupted > 5, "{counts:?}");
    assert_eq!(counts.finished, 40);
    assert_eq!(counts.submitted, 40 + counts.interrupted);
    let lost: i64 = record
        .pods
        .iter()
        .filter(|p| p.end == PodEnd::Interrupted && p.running != SimTime::NEVER)
        .map(|p| (p.ended - p.running).ms())
        .sum();
    assert_eq!(record.totals.repeated_cpu, 1_000 * lost as u128);
    assert!(record.nodes.iter().any(|n| n.end == NodeEnd::Reclaimed));
    for node in &record.nodes {
        if node.draining != SimTime::NEVER && node.end == NodeEnd::Reclaimed {
            assert_eq!((node.shutting_down - node.draining).ms(), 120_000);
        }
    }
    metered_is_running(&record);
}

/// An idle ASG grows for a burst and shrinks back to its minimum after the
/// unneeded time.
#[test]
fn an_auto_scaling_group_follows_its_pods() {
    let rows: Vec<(i64, i64)> = (0..16).map(|_| (125_000, 20 * 60_000)).collect();
    let mut workloads = batch(&rows);
    // A late pod keeps the run going until the group has shrunk.
    let mut trace = Trace::clone(&workloads.traces[0].trace);
    trace.push(2 * HOUR_MS, 1_000, LocalTemplate(0), 1, None);
    workloads.traces[0].trace = Arc::new(trace);
    let kind = PoolKind::AutoScalingGroup { min: 1, max: 10, autoscaled: true };
    let mut setup = setup(4, pool(kind, Purchase::OnDemand, 0.0));
    setup.autoscaler = Some(cluster_autoscaler::Config::for_version(31));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    // 16 pods on 4-core nodes: one there, three added. The template is the
    // node that has been Ready for more than a minute.
    assert_eq!(record.nodes.len(), 4, "{:#?}", record.nodes);
    // Pending at 125 s; the loop at 130 s asks; 10 s launch and 50 s boot.
    assert_eq!(record.nodes[1].requested, SimTime(130_000));
    assert_eq!(record.nodes[1].running, SimTime(140_000));
    assert_eq!(record.nodes[1].ready, SimTime(190_000));
    // Back-off of 10 s at most and the tick after Ready.
    assert!(record.pods[15].bound <= SimTime(201_000), "{:?}", record.pods[15]);
    let gone = record.nodes.iter().filter(|n| n.end == NodeEnd::ScaledDown).count();
    assert_eq!(gone, 3);
    for node in record.nodes.iter().filter(|n| n.end == NodeEnd::ScaledDown) {
        // Work ends about 1,390 s; ten minutes unneeded, then a loop.
        let end = node.shutting_down.ms();
        assert!((1_935_000..=2_080_000).contains(&end), "{end}");
    }
    metered_is_running(&record);
}

/// A service follows a stepped demand; unmet demand is what ready replicas
/// cannot serve; its usage reaches the node's account.
#[test]
fn a_service_serves_its_demand() {
    let mut workloads = batch(&[]);
    workloads.traces.clear();
    workloads.workloads = vec![
        WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service },
        WorkloadInfo { name: "monitor".into(), kind: WorkloadKind::Daemon },
    ];
    workloads.classes.push(class(100, GIB / 4));
    workloads.templates.push(template(1, 1));
    workloads.services.push(Service {
        template: TemplateId(0),
        demand: Some(Demand {
            steps: vec![(SimTime(0), MilliCpu(1_500)), (SimTime(600_000), MilliCpu(9_000))],
            period: None,
            ..Demand::default()
        }),
        usage: crate::workload::Usage::default(),
        bound: Vec::new(),
        homes: Vec::new(),
        target: Percent { ppm: 500_000 },
        min: 1,
        max: 6,
    });
    workloads.daemons.push(DaemonSet {
        template: TemplateId(1),
        usage: Usage { cpu: Some(MilliCpu(40)), memory: None },
        sidecar_on_fargate: false,
    });
    let mut setup = fixed(8);
    setup.horizon = Horizon::At(SimTime(1_200_000));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    // 1,500m at 50 % of 1,000m: three replicas; 9,000m wants 18, capped at 6.
    assert_eq!(record.counts[0].submitted, 6);
    let demand = record.demand[0];
    assert_eq!(demand.demanded, 600_000 * 1_500 + 600_000 * 9_000);
    assert_eq!(demand.unserved, 600_000 * 3_000);
    let web = record.owners.iter().find(|o| o.workload == WorkloadId(0)).expect("web");
    assert_eq!(web.cpu_requested, 600_000 * 3_000 + 600_000 * 6_000);
    assert_eq!(web.cpu_used, 600_000 * 1_500 + 600_000 * 6_000);
    let monitor = record.owners.iter().find(|o| o.workload == WorkloadId(1)).expect("monitor");
    assert_eq!((monitor.cpu_requested, monitor.cpu_used), (1_200_000 * 100, 1_200_000 * 40));
    metered_is_running(&record);
}

/// Replicas without a demand keep their number; what they use is what was
/// stated, and unknown where nothing was.
#[test]
fn replicas_without_demand_stay_and_use_what_is_stated() {
    let mut workloads = batch(&[]);
    workloads.traces.clear();
    workloads.workloads[0].kind = WorkloadKind::Service;
    workloads.services.push(Service {
        template: TemplateId(0),
        demand: None,
        usage: Usage { cpu: Some(MilliCpu(250)), memory: None },
        bound: Vec::new(),
        homes: Vec::new(),
        target: Percent { ppm: 1_000_000 },
        min: 3,
        max: 3,
    });
    let mut setup = fixed(4);
    setup.horizon = Horizon::At(SimTime(1_000_000));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    assert_eq!((record.counts[0].submitted, record.counts[0].running_at_end), (3, 3));
    let [web] = record.owners.as_slice() else { panic!("one owner") };
    assert_eq!((web.cpu_requested, web.cpu_used), (3 * 1_000 * 1_000_000, 3 * 250 * 1_000_000));
    assert_eq!(web.cpu_unknown, 0);
    assert!(web.memory_unknown > 0);
    assert_eq!(record.demand[0].demanded, 0);
}

/// Bound replicas run on their node from the first instant; the others, and
/// replacements, are scheduled.
#[test]
fn bound_replicas_are_where_they_were_said_to_be() {
    use crate::cluster::{Member, PoolId};
    let mut workloads = batch(&[]);
    workloads.traces.clear();
    workloads.workloads[0].kind = WorkloadKind::Service;
    workloads.templates[0].startup = Distribution::Constant(5_000.0);
    workloads.services.push(Service {
        template: TemplateId(0),
        demand: None,
        usage: Usage::default(),
        bound: vec![(1, 3)],
        homes: Vec::new(),
        target: Percent { ppm: 1_000_000 },
        min: 4,
        max: 4,
    });
    let mut setup = setup(4, pool(PoolKind::Fixed { count: 3 }, Purchase::OnDemand, 0.0));
    let cluster = Arc::get_mut(&mut setup.cluster).expect("unshared");
    cluster.members =
        ["a", "b"].map(|name| Member { name: name.into(), pool: PoolId(0), offer: 0 }).to_vec();
    setup.horizon = Horizon::At(SimTime(100_000));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    assert_eq!(record.nodes.len(), 3);
    // Three on the second node from the start, one elsewhere 5 s later.
    let on = |node: u32| {
        let of_node = record.owners.iter().filter(move |o| o.node == node);
        of_node.map(|o| o.cpu_requested).sum::<u64>()
    };
    assert_eq!(on(1), 3 * 1_000 * 100_000);
    assert_eq!(on(0) + on(2), 1_000 * 100_000);
    assert_eq!((record.counts[0].submitted, record.counts[0].running_at_end), (4, 4));
    assert_eq!(record.waits[0].ready_ms, [0, 0, 0, 5_000]);
    metered_is_running(&record);
}

/// A pod that no node could ever hold is rejected, not simulated for ever.
#[test]
fn impossible_pods_are_rejected_and_counted() {
    let mut workloads = batch(&[(0, 1_000), (5, 1_000)]);
    workloads.classes[0] = class(9_000, GIB);
    let record = run(&fixed(8), &workloads, 1, KeepPods::Yes);
    assert_eq!((record.counts[0].submitted, record.counts[0].rejected), (2, 2));
    assert_eq!(record.end, SimTime(5));
}

/// Warm-up: the same run with its first part cut off.
#[test]
fn warm_up_is_left_out() {
    let workloads = batch(&[(0, 100_000), (50_000, 100_000)]);
    let mut setup = fixed(2);
    setup.warmup = SimTime(50_000);
    let record = run(&setup, &workloads, 1, KeepPods::No);
    assert_eq!(record.owners.iter().map(|o| o.cpu_requested).sum::<u64>(), 150_000 * 1_000);
    assert_eq!(record.waits[0].pending_ms, [0]);
    metered_is_running(&record);
}

/// Two pods for a node of one core; the first is gated for 5 s. Once let
/// through it finds the node taken until 10 s, fails at 5 s and is woken at
/// 10 s, its back-off of 1 s long over.
#[test]
fn gates_hold_a_pod_back_and_count_as_waiting() {
    let mut workloads = batch(&[(0, 3_000), (1_000, 9_000)]);
    workloads.templates.push(template(0, 0));
    workloads.templates[0].life.gated_for = SimDuration::from_secs(5);
    let trace = Arc::make_mut(&mut workloads.traces[0].trace);
    trace.template[1] = LocalTemplate(1);
    let setup = setup(1, pool(PoolKind::Fixed { count: 1 }, Purchase::OnDemand, 0.0));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    assert_eq!(record.waits[0].pending_ms, [0, 10_000]);
    assert_eq!(record.attempts, 3);
    assert_eq!((record.pods[0].bound, record.pods[1].bound), (SimTime(10_000), SimTime(1_000)));
    // A pod that the run's end finds behind its gates is pending.
    let mut short = setup.clone();
    short.horizon = Horizon::At(SimTime(4_000));
    let record = run(&short, &workloads, 1, KeepPods::Yes);
    assert_eq!((record.counts[0].pending_at_end, record.attempts), (1, 1));
}
