//! Long backlogs: attempts made in bulk against attempts made one by one.

use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{class, pool, setup, template};
use super::{Horizon, Setup, World, sim};
use crate::cluster::{PoolKind, Purchase};
use crate::observe::{KeepPods, Record};
use crate::place::QueueProfile;
use crate::place::kube::{DefaultConstraint, DefaultSpread};
use crate::rng::Draws;
use crate::scale::cluster_autoscaler;
use crate::sim::EventQueue;
use crate::units::{MilliCpu, Percent, SimDuration, SimTime};
use crate::workload::constraints::{Constraints, HOSTNAME_LABEL, LabelSelector, Requirement};
use crate::workload::{
    Demand, LocalTemplate, PodClass, Service, TemplateId, Trace, TraceUse, WorkloadId,
    WorkloadInfo, WorkloadKind, Workloads,
};

const GIB: i64 = 1 << 30;

/// A run, with attempts made one by one if asked for.
fn run(setup: &Setup, workloads: &Workloads, singly: bool) -> Record {
    let mut queue = EventQueue::new();
    let mut world = World::new(setup, workloads, 1, KeepPods::Yes);
    if singly {
        world.scheduler.queue.attempt_singly();
    }
    world.start(&mut queue);
    let (events, last) = sim::run(&mut world, &mut queue);
    world.finish(events, last).0
}

#[derive(Debug, Clone)]
struct Case {
    seed: u64,
    minor: u32,
    rate: Option<u64>,
    classes: usize,
    nodes: u32,
    pods: u64,
    /// Pods come at once, in bursts or one by one.
    bursts: u64,
    longest_ms: u64,
    autoscaled: bool,
    hazard_per_hour: f64,
    service: bool,
    /// Every second class spreads over nodes by the defaults of its scheduler.
    spreading: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let rate = prop_oneof![
        Just(None),
        Just(Some(7)),
        Just(Some(100)),
        Just(Some(1_500)),
        (1u64..3_000).prop_map(Some),
    ];
    let kind = (any::<u64>(), 31u32..36, rate);
    let size = (1usize..5, 1u32..5, 1u64..150, 1u64..40, 1u64..30);
    (kind, size, any::<[bool; 4]>()).prop_map(|(kind, size, flags)| Case {
        seed: kind.0,
        minor: kind.1,
        rate: kind.2,
        classes: size.0,
        nodes: size.1,
        pods: size.2,
        bursts: size.3,
        longest_ms: size.4 * size.4 * 1_000,
        autoscaled: flags[0],
        hazard_per_hour: if flags[1] { 0.0 } else { 1.0 },
        service: flags[2],
        spreading: flags[3],
    })
}

/// A pod of one service, which states no spreading itself.
fn spread_by_default() -> Arc<Constraints> {
    let web = LabelSelector { requirements: vec![Requirement::equals("app", "web")] };
    Arc::new(Constraints {
        namespace: "default".into(),
        labels: vec![("app".into(), "web".into())],
        default_spread: Some(web),
        ..Constraints::default()
    })
}

fn build(case: &Case) -> (Setup, Workloads) {
    let mut draws = Draws::new(case.seed, "backlog", 0);
    let mut trace = Trace::default();
    let mut at = 0;
    for pod in 0..case.pods {
        if pod % (case.pods / case.bursts + 1) == 0 {
            at = draws.below(60_000) as i64;
        }
        let duration = draws.below(case.longest_ms) as i64;
        let class = draws.below(case.classes as u64) as u32;
        trace.push(at, duration, LocalTemplate(class), 1, None);
    }
    trace.sort();
    let priorities = [0, 0, 5, -5];
    let mut workloads = Workloads {
        workloads: vec![WorkloadInfo { name: "batch".into(), kind: WorkloadKind::Batch }],
        namespaces: vec!["default".into()],
        classes: (0..case.classes)
            .map(|i| PodClass {
                priority: priorities[draws.below(4) as usize],
                constraints: (case.spreading && i % 2 == 0).then(spread_by_default),
                ..class(500 + 700 * i as i64, GIB)
            })
            .collect(),
        templates: (0..case.classes as u32)
            .map(|i| {
                let mut template = template(i, 0);
                template.life.exit = SimDuration([0, 0, 700, 40_000][draws.below(4) as usize]);
                let gated = [0, 0, 0, 5_000][draws.below(4) as usize];
                template.life.gated_for = SimDuration(gated);
                template
            })
            .collect(),
        traces: vec![TraceUse { trace: Arc::new(trace), template_base: 0 }],
        ..Workloads::default()
    };
    if case.service {
        workloads.workloads.push(WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service });
        workloads.templates.push(template(0, 1));
        let step =
            |i: i64, draws: &mut Draws| (SimTime(i * 7_000), MilliCpu(draws.below(8_000) as i64));
        workloads.services.push(Service {
            template: TemplateId(case.classes as u32),
            demand: Some(Demand {
                steps: (0..20).map(|i| step(i, &mut draws)).collect(),
                period: None,
                ..Demand::default()
            }),
            usage: crate::workload::Usage::default(),
            bound: Vec::new(),
            homes: Vec::new(),
            target: Percent { ppm: 500_000 },
            min: 1,
            max: 30,
        });
        debug_assert_eq!(workloads.templates[case.classes].workload, WorkloadId(1));
    }
    workloads.add_leaving_classes();
    let kind = if case.autoscaled {
        PoolKind::AutoScalingGroup { min: 1, max: case.nodes, autoscaled: true }
    } else {
        PoolKind::Fixed { count: case.nodes }
    };
    let purchase = if case.hazard_per_hour > 0.0 { Purchase::Spot } else { Purchase::OnDemand };
    let mut setup = setup(4, pool(kind, purchase, case.hazard_per_hour));
    // Some never get idle: the service may take all the room.
    setup.horizon = Horizon::At(SimTime(3_000_000));
    setup.scheduler.queue = QueueProfile::kubernetes(case.minor);
    if case.spreading {
        let topology_key = HOSTNAME_LABEL.to_owned();
        let over_nodes = DefaultConstraint { max_skew: 1, topology_key, hard: true };
        setup.scheduler.default_spread = DefaultSpread::List([over_nodes].into());
    }
    setup.scheduler.service_time_us = case.rate.map(|rate| 1_000_000 / rate);
    setup.autoscaler = case.autoscaled.then(|| cluster_autoscaler::Config::for_version(case.minor));
    (setup, workloads)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn bulk_attempts_equal_single_ones(case in cases()) {
        let (setup, workloads) = build(&case);
        let bulk = run(&setup, &workloads, false);
        let mut single = run(&setup, &workloads, true);
        prop_assert_eq!(bulk.attempts, single.attempts);
        // How often the scheduler was looked at is all that may differ.
        single.events = bulk.events;
        prop_assert_eq!(bulk, single);
    }
}
