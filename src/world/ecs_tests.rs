//! Amazon ECS in whole runs: hand-checked, and random ones that must
//! conserve.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{batch, class, metered_is_running, pool, setup, template};
use super::{Ecs, EcsWorkload, Horizon, Setup, run, run_watched};
use crate::cluster::{ClusterSpec, FargateSize, FargateSpec, Pod, PoolKind, Purchase, ZoneId};
use crate::observe::probe::{Follow, Probe};
use crate::observe::probe_ecs::EcsStep;
use crate::observe::{KeepPods, NodeEnd, Place, PodEnd, Record, RejectReason};
use crate::place::ecs::query::parse;
use crate::place::ecs::{
    AVAILABILITY_ZONE, Constraint, Field, PlacementStrategy, Rule, SpreadBy, service_default,
    task_default,
};
use crate::rng::{Distribution, Draws};
use crate::scale::ecs_capacity::{ManagedScaling, StrategyItem};
use crate::units::{Bytes, HOUR_MS, MilliCpu, Percent, SimDuration, SimTime};
use crate::workload::{
    DaemonSet, Demand, LocalTemplate, Service, TemplateId, Trace, TraceUse, Usage, WorkloadInfo,
    WorkloadKind, Workloads,
};

const GIB: i64 = 1 << 30;

fn az() -> Rule {
    Rule::Spread(SpreadBy::Attribute(AVAILABILITY_ZONE.to_owned()))
}

/// One pool in three zones, 4 vCPU and 16 GiB a node, on ECS.
fn on_ecs(kind: PoolKind, workloads: Vec<EcsWorkload>) -> Setup {
    let scaled = matches!(kind, PoolKind::AutoScalingGroup { .. });
    let mut spec = pool(kind, Purchase::OnDemand, 0.0);
    let offer = spec.offers[0].clone();
    spec.offers = (0..3)
        .map(|zone| {
            let name = ["a", "b", "c"][zone as usize];
            let mut offer = offer.clone();
            offer.zone = ZoneId(zone);
            offer.labels = vec![(AVAILABILITY_ZONE.to_owned(), name.to_owned())];
            offer
        })
        .collect();
    let mut setup = setup(4, spec);
    let cluster =
        ClusterSpec { zones: ["a", "b", "c"].map(Into::into).to_vec(), ..(*setup.cluster).clone() };
    setup.cluster = Arc::new(cluster);
    setup.ecs = Some(Ecs {
        workloads,
        scaling: vec![scaled.then(ManagedScaling::default)],
        spot_instance_draining: false,
        provisioning_limit: 500,
        shared_ports: true,
        agent_version: None,
    });
    setup
}

fn one_zone(mut setup: Setup) -> Setup {
    let mut cluster = (*setup.cluster).clone();
    cluster.pools[0].offers.truncate(1);
    setup.cluster = Arc::new(cluster);
    setup
}

fn standalone(provider: Option<u16>) -> EcsWorkload {
    EcsWorkload {
        strategy: task_default(),
        default_strategy: true,
        providers: provider
            .map(|provider| StrategyItem { provider, base: 0, weight: 1 })
            .into_iter()
            .collect(),
        constraints: vec![],
    }
}

fn replicas(strategy: Option<PlacementStrategy>, provider: Option<u16>) -> EcsWorkload {
    EcsWorkload {
        default_strategy: strategy.is_none(),
        strategy: strategy.unwrap_or_else(service_default),
        ..standalone(provider)
    }
}

/// A service of 1 vCPU and 1 GiB a replica.
fn service(demand: Vec<(SimTime, MilliCpu)>, min: u32, max: u32) -> Service {
    Service {
        template: TemplateId(0),
        demand: Some(Demand { steps: demand, period: None, ..Demand::default() }),
        usage: Usage::default(),
        bound: vec![],
        homes: Vec::new(),
        target: Percent { ppm: 1_000_000 },
        min,
        max,
    }
}

fn only_service(service: Service) -> Workloads {
    let mut workloads = batch(&[]);
    workloads.traces.clear();
    workloads.workloads = vec![WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service }];
    workloads.services.push(service);
    workloads
}

/// Running replicas per node at the end.
fn per_node(record: &Record) -> Vec<usize> {
    (0..record.nodes.len() as u32)
        .map(|n| {
            let there = |p: &&crate::observe::PodRecord| {
                p.place == Place::Node(n) && p.end == PodEnd::Running
            };
            record.pods.iter().filter(there).count()
        })
        .collect()
}

/// Twelve replicas on six instances of four vCPU, two in each of three zones
/// (nodes are launched a, b, c, a, b, c): by strategy the instances in use
/// and what is on them.
#[test]
fn strategies_change_how_many_instances_are_used() {
    let cases: [(Option<PlacementStrategy>, [usize; 6]); 5] = [
        (None, [2; 6]),
        (Some(vec![az()]), [2; 6]),
        (Some(vec![Rule::Binpack(Field::Memory)]), [4, 4, 4, 0, 0, 0]),
        (Some(vec![az(), Rule::Binpack(Field::Cpu)]), [4, 4, 4, 0, 0, 0]),
        (Some(vec![Rule::Spread(SpreadBy::Instance)]), [2; 6]),
    ];
    for (strategy, want) in cases {
        let mut setup =
            on_ecs(PoolKind::Fixed { count: 6 }, vec![replicas(strategy.clone(), None)]);
        setup.horizon = Horizon::At(SimTime(60_000));
        let workloads = only_service(service(vec![(SimTime(0), MilliCpu(0))], 12, 12));
        let record = run(&setup, &workloads, 1, KeepPods::Yes);
        assert_eq!(per_node(&record), want, "{strategy:?}");
    }
}

/// Binpack does not care for zones, the chain does: with eight instances, of
/// which the first four are in zone a, four tasks a zone.
#[test]
fn a_chain_keeps_zones_even_where_packing_alone_does_not() {
    for (strategy, want) in [
        (vec![Rule::Binpack(Field::Cpu)], [4, 4, 0, 0, 0, 0]),
        (vec![az(), Rule::Binpack(Field::Cpu)], [3, 3, 2, 0, 0, 0]),
    ] {
        let mut setup = on_ecs(PoolKind::Fixed { count: 6 }, vec![replicas(Some(strategy), None)]);
        setup.horizon = Horizon::At(SimTime(60_000));
        let workloads = only_service(service(vec![(SimTime(0), MilliCpu(0))], 8, 8));
        assert_eq!(per_node(&run(&setup, &workloads, 1, KeepPods::Yes)), want);
    }
}

/// From twelve replicas down to four: without a strategy and spread over
/// zones each zone gives up in turn, so that no zone is left without.
#[test]
fn scale_in_keeps_the_zones_even() {
    for strategy in [None, Some(vec![az(), Rule::Spread(SpreadBy::Instance)])] {
        let mut setup = on_ecs(PoolKind::Fixed { count: 6 }, vec![replicas(strategy, None)]);
        setup.horizon = Horizon::At(SimTime(120_000));
        let steps = vec![(SimTime(0), MilliCpu(12_000)), (SimTime(60_000), MilliCpu(3_000))];
        let record = run(&setup, &only_service(service(steps, 1, 12)), 1, KeepPods::Yes);
        let left = per_node(&record);
        let zones: Vec<usize> = (0..3).map(|z| left[z] + left[z + 3]).collect();
        assert_eq!(zones, [1, 1, 1], "{left:?}");
        assert_eq!(record.counts[0].finished, 9);
    }
}

/// An empty group and twelve tasks of one vCPU at 5 s. Datapoints stand at
/// whole minutes; a node takes 10 s to launch and 50 s to register.
///
/// 60 s: N = 0 and M > 0, so the group starts with two. They run from 70 s and
/// register at 120 s; eight tasks start. Four wait: N = 2, M = 3, but the
/// instances warm up for 300 s, until 370 s. At 420 s the third is asked for, at
/// 480 s the last four tasks start. Tasks take an hour: at 3,720 s two instances
/// are idle (M = 1 of N = 3), at 4,080 s all. The fifteenth datapoint below the
/// target is the one of 3,720 + 14·60 = 4,560 s: from then on half of the
/// group, at least one, goes each minute: 1 of 3, 1 of 2, 1 of 1.
#[test]
fn managed_scaling_by_hand() {
    let kind = PoolKind::AutoScalingGroup { min: 0, max: 10, autoscaled: true };
    let mut setup = on_ecs(kind, vec![standalone(Some(0))]);
    setup.horizon = Horizon::At(SimTime(5_000_000));
    let record = run(&setup, &batch(&[(5_000, HOUR_MS); 12]), 1, KeepPods::Yes);
    let requested: Vec<i64> = record.nodes.iter().map(|n| n.requested.ms()).collect();
    assert_eq!(requested, [60_000, 60_000, 420_000]);
    let mut bound: Vec<i64> = record.pods.iter().map(|p| p.bound.ms()).collect();
    bound.sort_unstable();
    assert_eq!(bound, [&[120_000; 8][..], &[480_000; 4]].concat());
    let mut gone: Vec<i64> = record.nodes.iter().map(|n| n.shutting_down.ms()).collect();
    gone.sort_unstable();
    assert_eq!(gone, [4_560_000, 4_620_000, 4_680_000]);
    assert!(record.nodes.iter().all(|n| n.end == NodeEnd::ScaledDown));
    metered_is_running(&record);
}

/// A steady replica on the first instance and a burst that needed two more.
/// Scale-in takes the first instance, which has run longest in its hour, and
/// then the second, though the replica is there: it is replaced before it
/// stops. With termination protection the two empty ones go instead.
#[test]
fn managed_draining_moves_a_service_without_a_gap() {
    for protected in [false, true] {
        let kind = PoolKind::AutoScalingGroup { min: 1, max: 10, autoscaled: true };
        let mut workloads = batch(&[(5_000, 1_500_000); 11]);
        workloads.workloads.push(WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service });
        workloads.templates.push(template(0, 1));
        let steady = service(vec![(SimTime(0), MilliCpu(1_000))], 1, 1);
        workloads.services.push(Service { template: TemplateId(1), ..steady });
        let mut setup = one_zone(on_ecs(kind, vec![standalone(Some(0)), replicas(None, Some(0))]));
        setup.horizon = Horizon::At(SimTime(4_000_000));
        if let Some(ecs) = &mut setup.ecs {
            ecs.scaling[0] = Some(ManagedScaling {
                managed_termination_protection: protected,
                ..ManagedScaling::default()
            });
        }
        let record = run(&setup, &workloads, 1, KeepPods::Yes);
        let requested: Vec<i64> = record.nodes.iter().map(|n| n.requested.ms()).collect();
        // Eight tasks wait at 60 s and need two instances of four vCPU.
        assert_eq!(requested, [0, 60_000, 60_000]);
        // Idle from 1,620 s on: 1,620 + 14·60 = 2,460 s.
        let gone = |n: usize| (record.nodes[n].end, record.nodes[n].shutting_down.ms());
        let kept = if protected { 0 } else { 2 };
        let order = if protected { [1, 2] } else { [0, 1] };
        assert_eq!(gone(order[0]), (NodeEnd::ScaledDown, 2_460_000));
        assert_eq!(gone(order[1]), (NodeEnd::ScaledDown, 2_520_000));
        assert_eq!(record.nodes[kept].end, NodeEnd::Running);
        assert_eq!(record.counts[1].evicted, if protected { 0 } else { 2 });
        assert_eq!(record.demand[0].unserved, 0);
        metered_is_running(&record);
    }
}

/// Standalone tasks on an instance that drains run to their end; the instance
/// is terminated the moment the last one has ended. Without managed draining
/// they are lost.
#[test]
fn standalone_tasks_outlive_the_scale_in() {
    for draining in [true, false] {
        let kind = PoolKind::AutoScalingGroup { min: 1, max: 10, autoscaled: true };
        // Four at once fill the first instance; the fifth needs another one,
        // and is still there when the first is given up.
        let rows = [(5_000, 7_000_000), (5_000, 60_000), (5_000, 60_000), (5_000, 60_000)];
        let mut rows = rows.to_vec();
        rows.extend([(6_000, 600_000); 4]);
        let mut setup = one_zone(on_ecs(kind, vec![standalone(Some(0))]));
        setup.horizon = Horizon::At(SimTime(9_000_000));
        if let Some(ecs) = &mut setup.ecs {
            ecs.scaling[0] =
                Some(ManagedScaling { managed_draining: draining, ..ManagedScaling::default() });
        }
        let record = run(&setup, &batch(&rows), 1, KeepPods::Yes);
        let counts = record.counts[0];
        assert_eq!(counts.finished, 8, "{counts:?}");
        assert_eq!(counts.evicted, u64::from(!draining));
        let first = record.nodes[0];
        assert_eq!(first.end, NodeEnd::ScaledDown);
        if draining {
            assert!(first.draining < first.shutting_down, "{first:?}");
            assert_eq!(first.shutting_down, SimTime(7_005_000));
        }
        metered_is_running(&record);
    }
}

/// Base 2 on the first of two providers and weights 1 and 3: ten tasks at
/// once go 4 and 6, and wait for their own provider where it is full.
#[test]
fn the_choice_of_a_provider_is_final() {
    let mut workload = standalone(None);
    workload.providers = vec![
        StrategyItem { provider: 0, base: 2, weight: 1 },
        StrategyItem { provider: 1, base: 0, weight: 3 },
    ];
    let mut setup =
        on_ecs(PoolKind::AutoScalingGroup { min: 2, max: 2, autoscaled: false }, vec![workload]);
    let mut cluster = (*setup.cluster).clone();
    // The second has one instance: room for four.
    cluster.pools.push(crate::cluster::PoolSpec {
        kind: PoolKind::AutoScalingGroup { min: 1, max: 1, autoscaled: false },
        ..cluster.pools[0].clone()
    });
    setup.cluster = Arc::new(cluster);
    if let Some(ecs) = &mut setup.ecs {
        ecs.scaling = vec![None, None];
    }
    let record = run(&setup, &batch(&[(0, 100_000); 10]), 1, KeepPods::Yes);
    let on = |pools: &[u32], bound: i64| {
        record
            .pods
            .iter()
            .filter(|p| p.bound == SimTime(bound))
            .filter(|p| match p.place {
                Place::Node(n) => pools.contains(&record.nodes[n as usize].pool.0),
                _ => false,
            })
            .count()
    };
    assert_eq!((on(&[0], 0), on(&[1], 0)), (4, 4));
    // Four vCPU stay free on the first provider, and two tasks wait all the same.
    assert_eq!((on(&[0], 100_000), on(&[1], 100_000)), (0, 2));
}

/// A daemon takes its place on every instance before any task, and does not
/// keep one from being empty.
#[test]
fn daemons_come_first_and_keep_no_instance() {
    let kind = PoolKind::AutoScalingGroup { min: 0, max: 4, autoscaled: true };
    let mut workloads = batch(&[(5_000, 60_000); 4]);
    workloads.workloads.push(WorkloadInfo { name: "agent".into(), kind: WorkloadKind::Daemon });
    workloads.classes.push(class(500, GIB));
    workloads.templates.push(template(1, 1));
    workloads.daemons.push(DaemonSet {
        template: TemplateId(1),
        usage: Usage::default(),
        sidecar_on_fargate: false,
    });
    let mut setup = on_ecs(kind, vec![standalone(Some(0)), EcsWorkload::default()]);
    setup.horizon = Horizon::At(SimTime(2 * HOUR_MS));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    // With half a vCPU held back an instance has room for three tasks.
    let first: Vec<i64> = record.pods.iter().map(|p| p.bound.ms()).collect();
    assert_eq!(first, [120_000; 4]);
    assert_eq!(record.nodes.len(), 2);
    assert!(record.nodes.iter().all(|n| n.end == NodeEnd::ScaledDown), "{:?}", record.nodes);
    metered_is_running(&record);
}

/// Four tasks of one vCPU, each to an instance of its own, though one holds
/// all: 60 s start two, and from 360 s of warm-up on two more are needed.
#[test]
fn distinct_tasks_need_an_instance_each() {
    let kind = PoolKind::AutoScalingGroup { min: 0, max: 10, autoscaled: true };
    let workload =
        EcsWorkload { constraints: vec![Constraint::DistinctInstance], ..standalone(Some(0)) };
    let mut setup = on_ecs(kind, vec![workload]);
    setup.horizon = Horizon::At(SimTime(1_000_000));
    let record = run(&setup, &batch(&[(5_000, HOUR_MS); 4]), 1, KeepPods::Yes);
    let requested: Vec<i64> = record.nodes.iter().map(|n| n.requested.ms()).collect();
    // As by hand above: warm at 370 s, so at 420 s M = 2 + 2.
    assert_eq!(requested, [60_000, 60_000, 420_000, 420_000]);
    assert_eq!(per_node(&record), [1; 4]);
    metered_is_running(&record);
}

/// Tasks alike in what they ask for are one group of managed scaling, whoever
/// owns them: 8 and 8 of one vCPU need four instances of four, not two.
#[test]
fn alike_tasks_of_two_owners_are_packed_together() {
    let kind = PoolKind::AutoScalingGroup { min: 1, max: 10, autoscaled: true };
    let mut workloads = batch(&[(5_000, HOUR_MS); 12]);
    workloads.workloads.push(WorkloadInfo { name: "more".into(), kind: WorkloadKind::Batch });
    workloads.templates.push(template(0, 1));
    let mut more = workloads.traces[0].clone();
    more.template_base = 1;
    workloads.traces.push(more);
    let mut setup = one_zone(on_ecs(kind, vec![standalone(Some(0)), standalone(Some(0))]));
    setup.horizon = Horizon::At(SimTime(100_000));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    // One is there and takes four; 20 wait: five more.
    assert_eq!(record.nodes.len(), 6);
}

/// A task that must stand beside another waits until that one comes, and one
/// that must not until it has gone.
#[test]
fn tasks_that_come_and_go_let_others_in() {
    let member_of = |text: &str| vec![Constraint::MemberOf(parse(text).expect(text))];
    let constrained = |text: &str| EcsWorkload { constraints: member_of(text), ..standalone(None) };
    let mut workloads = batch(&[(100_000, 50_000)]);
    for (at, template_base) in [(5_000, 1), (110_000, 2)] {
        let mut trace = Trace::default();
        trace.push(at, 1_000, LocalTemplate(0), 1, None);
        workloads.traces.push(TraceUse { trace: Arc::new(trace), template_base });
        let name = format!("w{template_base}");
        workloads.workloads.push(WorkloadInfo { name, kind: WorkloadKind::Batch });
        workloads.templates.push(template(0, template_base));
    }
    let group = format!("family:{}", workloads.workloads[0].name);
    let near = constrained(&format!("task:group == {group}"));
    let far = constrained(&format!("not(task:group == {group})"));
    let setup = one_zone(on_ecs(PoolKind::Fixed { count: 1 }, vec![standalone(None), near, far]));
    let record = run(&setup, &workloads, 1, KeepPods::Yes);
    let bound = |t: u32| -> Vec<i64> {
        let of = record.pods.iter().filter(|p| p.template == TemplateId(t));
        of.map(|p| p.bound.ms()).collect()
    };
    let ended = record.pods.iter().find(|p| p.template == TemplateId(0)).expect("it").ended;
    assert_eq!(bound(0), [100_000]);
    assert_eq!(bound(1), [100_000]);
    assert_eq!(bound(2), [ended.ms()]);
}

/// What no instance can ever satisfy is rejected; a daemon stays where its
/// expression lets it.
#[test]
fn expressions_reject_and_keep_daemons_away() {
    let member_of = |text: &str| vec![Constraint::MemberOf(parse(text).expect(text))];
    let mut workloads = batch(&[(5_000, 60_000); 4]);
    workloads.workloads.push(WorkloadInfo { name: "agent".into(), kind: WorkloadKind::Daemon });
    workloads.classes.push(class(500, GIB));
    workloads.templates.push(template(1, 1));
    workloads.daemons.push(DaemonSet {
        template: TemplateId(1),
        usage: Usage::default(),
        sidecar_on_fargate: false,
    });
    let zone = "attribute:ecs.availability-zone";
    let daemon = EcsWorkload {
        constraints: member_of(&format!("{zone} == a and runningTasksCount == 0")),
        ..EcsWorkload::default()
    };
    let tasks = |text: &str| EcsWorkload { constraints: member_of(text), ..standalone(None) };
    // Three instances, in a, b and c. Where the daemon is there is room for
    // three tasks, elsewhere for four.
    for (text, waiting) in [(format!("{zone} == a"), 1), (format!("{zone} == b"), 0)] {
        let setup = on_ecs(PoolKind::Fixed { count: 3 }, vec![tasks(&text), daemon.clone()]);
        let record = run(&setup, &workloads, 1, KeepPods::Yes);
        let later = record.pods.iter().filter(|p| p.bound > SimTime(5_000)).count();
        assert_eq!(later, waiting, "{text}");
        // By its group the daemon is known to others.
        let beside = format!("{text} and task:group == service:agent");
        let setup = on_ecs(PoolKind::Fixed { count: 3 }, vec![tasks(&beside), daemon.clone()]);
        let setup = Setup { horizon: Horizon::At(SimTime(HOUR_MS)), ..setup };
        let counts = run(&setup, &workloads, 1, KeepPods::Yes).counts[0];
        assert_eq!(
            (counts.finished, counts.pending_at_end),
            if waiting > 0 { (4, 0) } else { (0, 4) }
        );
    }
    let setup = on_ecs(PoolKind::Fixed { count: 3 }, vec![tasks(&format!("{zone} == d")), daemon]);
    let counts = run(&setup, &workloads, 1, KeepPods::Yes).counts[0];
    let reason = counts.rejected_by_reason[RejectReason::PlacementConstraints as usize];
    assert_eq!((counts.rejected, reason), (4, 4));
}

fn fargate(name: &str, hazard_per_hour: f64) -> FargateSpec {
    FargateSpec {
        name: name.into(),
        selectors: vec![],
        sizes: vec![FargateSize { cpu: MilliCpu(1_000), memory: Bytes(2 * GIB) }],
        overhead_memory: Bytes(0),
        start_latency: Distribution::Constant(30_000.0),
        launch_burst: 100,
        launch_per_second: 20,
        job_retention: SimDuration::ZERO,
        sidecar_cpu: MilliCpu(0),
        sidecar_memory: Bytes(0),
        hazard_per_hour,
    }
}

/// Fargate Spot interrupts tasks; their owner tries again with the same
/// provider until the work is done, and repeated work is accounted.
#[test]
fn fargate_spot_tasks_are_replaced_on_spot() {
    let workload = standalone(Some(1));
    let mut setup = on_ecs(PoolKind::Fixed { count: 0 }, vec![workload]);
    let mut cluster = (*setup.cluster).clone();
    cluster.fargate = vec![fargate("spot", 0.2)];
    setup.cluster = Arc::new(cluster);
    let record = run(&setup, &batch(&[(0, 2 * HOUR_MS); 40]), 7, KeepPods::Yes);
    let counts = record.counts[0];
    assert_eq!(counts.finished, 40);
    assert!(counts.interrupted > 5, "{counts:?}");
    assert_eq!(counts.submitted, 40 + counts.interrupted);
    assert_eq!(record.fargate.len() as u64, counts.submitted);
    let lost: i64 = record.fargate.iter().map(|f| f.repeated_ms).sum();
    assert_eq!(record.totals.repeated_cpu, 1_000 * lost as u128);
    let ran: i64 = record
        .fargate
        .iter()
        .filter(|f| f.running != SimTime::NEVER)
        .map(|f| (f.finished - f.running).ms())
        .sum();
    assert_eq!(ran, 40 * 2 * HOUR_MS + lost);
    // Without a hazard nothing is interrupted.
    let mut calm = (*setup.cluster).clone();
    calm.fargate = vec![fargate("spot", 0.0)];
    setup.cluster = Arc::new(calm);
    assert_eq!(
        run(&setup, &batch(&[(0, 2 * HOUR_MS); 40]), 7, KeepPods::No).counts[0].interrupted,
        0
    );
}

#[derive(Debug, Clone)]
struct Case {
    seed: u64,
    tasks: u64,
    longest_ms: u64,
    max: u32,
    hazard: bool,
    draining: bool,
    protected: bool,
    managed_draining: bool,
    target: u32,
    strategies: [Option<PlacementStrategy>; 2],
    constraints: [Vec<Constraint>; 2],
    base: u32,
}

fn rules() -> impl Strategy<Value = Option<PlacementStrategy>> {
    let rule = prop_oneof![
        Just(az()),
        Just(Rule::Spread(SpreadBy::Instance)),
        Just(Rule::Binpack(Field::Cpu)),
        Just(Rule::Binpack(Field::Memory)),
        Just(Rule::Random),
    ];
    proptest::option::of(proptest::collection::vec(rule, 1..4))
}

fn any_constraints() -> impl Strategy<Value = Vec<Constraint>> {
    let expression = proptest::sample::select(vec![
        "attribute:ecs.availability-zone in [a, b]",
        "runningTasksCount < 2",
        "not(task:group == service:web)",
        "task:group == service:web or runningTasksCount == 0",
        "registeredAt < 1970-01-01T01:00Z",
    ]);
    let expression = expression.prop_map(|e| Constraint::MemberOf(parse(e).expect(e)));
    let any = prop_oneof![expression, Just(Constraint::DistinctInstance)];
    prop_oneof![2 => Just(vec![]), 1 => proptest::collection::vec(any, 1..3)]
}

fn cases() -> impl Strategy<Value = Case> {
    let size = (any::<u64>(), 1u64..120, 1u64..60, 1u32..6, 1u32..=100, 0u32..3);
    let chosen = ([rules(), rules()], [any_constraints(), any_constraints()]);
    (size, any::<[bool; 4]>(), chosen).prop_map(|(size, flags, (strategies, constraints))| Case {
        seed: size.0,
        tasks: size.1,
        longest_ms: size.2 * size.2 * 2_000,
        max: size.3,
        hazard: flags[0],
        draining: flags[1],
        protected: flags[2],
        managed_draining: flags[3],
        target: size.4,
        strategies,
        constraints,
        base: size.5,
    })
}

/// Two groups (the second may be Spot), two kinds of Fargate; tasks of three
/// sizes split over the groups, a service on either groups or Fargate.
fn build(case: &Case) -> (Setup, Workloads) {
    let mut draws = Draws::new(case.seed, "ecs-case", 0);
    let mut trace = Trace::default();
    for _ in 0..case.tasks {
        let at = draws.below(4 * case.longest_ms) as i64;
        let length = draws.below(case.longest_ms) as i64;
        trace.push(
            at,
            length,
            LocalTemplate(draws.below(3) as u32),
            1 + draws.below(3) as u32,
            None,
        );
    }
    trace.sort();
    let mut workloads = Workloads {
        workloads: vec![
            WorkloadInfo { name: "batch".into(), kind: WorkloadKind::Batch },
            WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service },
        ],
        namespaces: vec!["default".into()],
        classes: vec![class(500, GIB), class(1_700, 2 * GIB), class(3_900, GIB)],
        templates: vec![template(0, 0), template(1, 0), template(2, 0), template(0, 1)],
        traces: vec![TraceUse { trace: Arc::new(trace), template_base: 0 }],
        ..Workloads::default()
    };
    let steps =
        (0..12).map(|i| (SimTime(i * 300_000), MilliCpu(draws.below(9_000) as i64))).collect();
    workloads.services.push(Service { template: TemplateId(3), ..service(steps, 1, 12) });
    let item = |provider, base, weight| StrategyItem { provider, base, weight };
    let (first, second) = (case.strategies[0].clone(), case.strategies[1].clone());
    let web_on_fargate = draws.below(3) == 0;
    let batch = EcsWorkload {
        default_strategy: first.is_none(),
        strategy: first.unwrap_or_else(task_default),
        providers: vec![item(0, case.base, 1), item(1, 0, 2)],
        constraints: case.constraints[0].clone(),
    };
    let mut web = replicas(second, None);
    web.providers = if web_on_fargate {
        vec![item(2, case.base, 1), item(3, 0, 1)]
    } else {
        vec![item(0, case.base, 1), item(1, 0, 1)]
    };
    if !web_on_fargate {
        web.constraints.clone_from(&case.constraints[1]);
    }
    let kind = PoolKind::AutoScalingGroup { min: 0, max: case.max, autoscaled: true };
    let mut setup = on_ecs(kind, vec![batch, web]);
    let mut cluster = (*setup.cluster).clone();
    let mut spot = cluster.pools[0].clone();
    spot.name = "second".into();
    if case.hazard {
        spot.on_demand_percentage_above_base = 0;
        for offer in &mut spot.offers {
            offer.purchase = Purchase::Spot;
            offer.hazard_per_hour = 1.0;
        }
    }
    cluster.pools.push(spot);
    cluster.fargate =
        vec![fargate("plain", 0.0), fargate("spot", if case.hazard { 2.0 } else { 0.0 })];
    setup.cluster = Arc::new(cluster);
    setup.horizon = Horizon::At(SimTime(3 * HOUR_MS));
    let scaling = ManagedScaling {
        target_capacity: case.target,
        managed_termination_protection: case.protected,
        managed_draining: case.managed_draining,
        ..ManagedScaling::default()
    };
    setup.ecs = setup.ecs.map(|ecs| Ecs {
        scaling: vec![Some(scaling); 2],
        spot_instance_draining: case.draining,
        ..ecs
    });
    (setup, workloads)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// No task is lost, none lands outside its capacity providers, metered
    /// time is running time, and a run repeats itself.
    #[test]
    fn random_clusters_conserve(case in cases()) {
        let (setup, workloads) = build(&case);
        let record = run(&setup, &workloads, case.seed, KeepPods::Yes);
        for c in &record.counts {
            let ends = c.finished + c.running_at_end + c.starting_at_end + c.pending_at_end
                + c.evicted + c.interrupted + c.rejected;
            prop_assert_eq!(c.submitted, ends);
        }
        metered_is_running(&record);
        let ecs = setup.ecs.as_ref().expect("on ECS");
        for pod in &record.pods {
            let owner = workloads.templates[pod.template.index()].workload.index();
            let provider = match pod.place {
                Place::Nowhere => continue,
                Place::Node(n) => record.nodes[n as usize].pool.0 as u16,
                Place::Fargate(f) => 2 + record.fargate[f as usize].pool as u16,
            };
            prop_assert!(ecs.workloads[owner].providers.iter().any(|i| i.provider == provider));
        }
        if !case.hazard && case.managed_draining {
            // Only services are moved, and the longest task ends in time.
            prop_assert_eq!(record.counts[0].evicted, 0);
        }
        // Followed or not, a run repeats itself.
        let follow = Follow::new(Pod::trace_ordinal(0, case.tasks / 2));
        let probe = Probe::Follow(Box::new(follow));
        let (again, probe) = run_watched(&setup, &workloads, case.seed, KeepPods::Yes, probe);
        prop_assert_eq!(again, record);
        let Probe::Follow(follow) = probe else { panic!("a pursuit") };
        for instance in &follow.instances {
            let story = instance.ecs.as_ref().expect("on ECS");
            let placed = story.steps.iter().find_map(|step| match step {
                EcsStep::Placed { node, saw, .. } => Some((*node, saw)),
                _ => None,
            });
            let place = placed.map_or(Place::Nowhere, |(node, _)| Place::Node(node));
            prop_assert_eq!(place, instance.place);
            // The plain evaluator narrows to the one that was taken, or drew it.
            if let Some((node, saw)) = placed {
                let left = saw.narrowed.last().map_or(&saw.eligible, |(_, _, left)| left);
                prop_assert!(left.count > 8 || left.first.contains(&node));
            }
        }
    }
}
