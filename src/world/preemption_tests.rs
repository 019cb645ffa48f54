//! Preemption in the run, by hand.

use std::sync::Arc;

use super::event::{Event, phase};
use super::tests::{batch, class, pool, setup, template};
use super::{Horizon, Setup, World, run};
use crate::cluster::{PoolKind, Purchase};
use crate::observe::{KeepPods, Place, PodEnd, Record};
use crate::sim::{self, EventQueue};
use crate::units::{Bytes, MilliCpu, Percent, SimDuration, SimTime};
use crate::workload::constraints::{Constraints, LabelSelector};
use crate::workload::disruption::{Amount, DisruptionBudget, Limit};
use crate::workload::sidecar::Injected;
use crate::workload::{
    DaemonSet, LocalTemplate, PodClass, Service, TemplateId, Usage, WorkloadId, WorkloadInfo,
    WorkloadKind, Workloads,
};

const GIB: i64 = 1 << 30;

fn nodes(count: u32) -> Setup {
    setup(4, pool(PoolKind::Fixed { count }, Purchase::OnDemand, 0.0))
}

/// A pod of 3 cores for 1,000 s from the start, and at 10 s one of 2 cores and
/// higher priority for 20 s. The first takes 5 s to exit.
fn low_and_high() -> Workloads {
    let mut workloads = batch(&[(0, 1_000_000), (10_000, 20_000)]);
    workloads.classes = vec![class(3_000, GIB), PodClass { priority: 10, ..class(2_000, GIB) }];
    workloads.templates = vec![template(0, 0), template(1, 0)];
    workloads.templates[0].life.exit = SimDuration::from_secs(5);
    let trace = Arc::make_mut(&mut workloads.traces[0].trace);
    trace.template[1] = LocalTemplate(1);
    workloads
}

fn bound(record: &Record) -> Vec<i64> {
    record.pods.iter().map(|pod| pod.bound.ms()).collect()
}

/// Attempts: the first pod at 0; the second at 10 s, which preempts it; its
/// replacement at 10 s, in vain; the second at 15 s, when the victim has left,
/// its back-off of 1 s over; the replacement, in vain, and again at 35 s.
#[test]
fn a_victim_leaves_and_the_preemptor_takes_its_room() {
    let record = run(&nodes(1), &low_and_high(), 1, KeepPods::Yes);
    assert_eq!(bound(&record), [0, 15_000, 35_000]);
    assert_eq!((record.pods[0].end, record.pods[0].ended), (PodEnd::Evicted, SimTime(10_000)));
    assert_eq!((record.counts[0].evicted, record.counts[0].finished), (1, 2));
    assert_eq!(record.attempts, 6);
    // 10 s of the first run are lost.
    assert_eq!(record.totals.repeated_cpu, 3_000 * 10_000);
    // It holds 3 cores for 15 s, then 1,000 s; the other 2 cores for 20 s.
    assert_eq!(record.totals.cpu_requested, 3_000 * 1_015_000 + 2_000 * 20_000);
}

/// Without time to exit the room is there at once; the preemptor still backs
/// off for its second.
#[test]
fn a_victim_that_exits_at_once_frees_the_room_at_once() {
    let mut workloads = low_and_high();
    workloads.templates[0].life.exit = SimDuration::ZERO;
    let record = run(&nodes(1), &workloads, 1, KeepPods::Yes);
    assert_eq!(bound(&record), [0, 11_000, 31_000]);
}

/// The nominated room is kept for the preemptor against pods of no higher
/// priority: one of 1 core that comes at 12 s does fit beside it, one of 3
/// cores does not.
#[test]
fn nobody_else_takes_the_room() {
    let mut workloads = low_and_high();
    workloads.templates[0].life.exit = SimDuration::ZERO;
    workloads.classes.push(class(1_000, GIB));
    workloads.templates.push(template(2, 0));
    let trace = Arc::make_mut(&mut workloads.traces[0].trace);
    trace.push(10_500, 1_000, LocalTemplate(0), 1, None);
    trace.push(10_500, 1_000, LocalTemplate(2), 1, None);
    let record = run(&nodes(1), &workloads, 1, KeepPods::Yes);
    let of = |class: u32| {
        let pods = record.pods.iter().filter(move |pod| pod.template.0 == class);
        pods.map(|pod| pod.bound.ms()).collect::<Vec<_>>()
    };
    assert_eq!(of(1), [11_000]);
    assert_eq!(of(2), [10_500]);
    assert!(of(0).iter().skip(1).all(|bound| *bound >= 31_000), "{:?}", of(0));
}

#[test]
fn who_never_preempts_waits() {
    let mut workloads = low_and_high();
    workloads.classes[1].never_preempts = true;
    let record = run(&nodes(1), &workloads, 1, KeepPods::Yes);
    assert_eq!(bound(&record), [0, 1_000_000]);
    assert_eq!(record.counts[0].evicted, 0);
}

/// Two nodes, on one a batch pod and on the other the only replica of a
/// service, which its budget keeps: the batch pod goes, whichever node is
/// tried first.
#[test]
fn a_budget_turns_preemption_to_others() {
    let mut workloads = low_and_high();
    let web = Constraints {
        namespace: "default".into(),
        labels: vec![("app".into(), "web".into())],
        ..Constraints::default()
    };
    workloads.workloads.push(WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service });
    workloads.classes.push(PodClass { constraints: Some(Arc::new(web)), ..class(3_000, GIB) });
    workloads.templates.push(template(2, 1));
    workloads.services.push(Service {
        template: TemplateId(2),
        demand: None,
        usage: Usage::default(),
        target: Percent { ppm: 500_000 },
        min: 1,
        max: 1,
        bound: Vec::new(),
        homes: Vec::new(),
    });
    workloads.budgets.push(DisruptionBudget {
        name: "web".into(),
        namespace: "default".into(),
        selector: Some(LabelSelector::default()),
        limit: Limit::MinAvailable(Amount::Percent(50)),
    });
    workloads.add_leaving_classes();
    for seed in 1..6 {
        let record = run(&nodes(2), &workloads, seed, KeepPods::Yes);
        assert_eq!((record.counts[0].evicted, record.counts[1].evicted), (1, 0));
    }
}

/// As the first test, where 500 milli-cores of the victim are a sidecar's: they
/// leave the node's account with it.
#[test]
fn sidecars_leave_with_their_pod() {
    let mut workloads = low_and_high();
    workloads.workloads.push(WorkloadInfo { name: "mesh".into(), kind: WorkloadKind::Daemon });
    workloads.injected = vec![vec![Injected {
        workload: WorkloadId(1),
        cpu: MilliCpu(500),
        memory: Bytes(0),
        usage: Usage::default(),
    }]];
    let record = run(&nodes(1), &workloads, 1, KeepPods::Yes);
    assert_eq!(bound(&record), [0, 15_000, 35_000]);
    assert_eq!(record.totals.cpu_requested, 3_000 * 1_015_000 + 2_000 * 20_000);
}

/// Two nodes with a pod of priority 0 (3.5 cores) and one of priority 5 (3
/// cores), both with 30 s to exit, and one of 0.8 cores beside the second until
/// `small_ms`. At 10 s comes one of 2 cores and priority 10; it preempts the
/// first. That one's node is then told at 12 s that it will be reclaimed at
/// `reclaim_ms`. Returns when the last pod was bound.
fn nominated_node_goes(small_ms: i64, reclaim_ms: i64) -> i64 {
    let mut workloads = batch(&[(0, 1_000_000), (0, 1_000_000), (1_000, small_ms - 1_000)]);
    let priority = |priority, cpu| PodClass { priority, ..class(cpu, GIB) };
    workloads.classes =
        vec![priority(0, 3_500), priority(5, 3_000), priority(10, 800), priority(10, 2_000)];
    workloads.templates = (0..4).map(|i| template(i, 0)).collect();
    for low in &mut workloads.templates[..2] {
        low.life.exit = SimDuration::from_secs(30);
    }
    let trace = Arc::make_mut(&mut workloads.traces[0].trace);
    trace.push(10_000, 20_000, LocalTemplate(0), 1, None);
    for (row, template) in trace.template.iter_mut().enumerate() {
        *template = LocalTemplate(row as u32);
    }
    let setup = nodes(2);
    let quiet = run(&setup, &workloads, 1, KeepPods::Yes);
    assert_eq!((quiet.pods[0].end, quiet.pods[0].ended), (PodEnd::Evicted, SimTime(10_000)));
    let Place::Node(node) = quiet.pods[0].place else { panic!("not on a node") };
    let mut queue = EventQueue::new();
    let mut world = World::new(&setup, &workloads, 1, KeepPods::Yes);
    world.start(&mut queue);
    queue.push(SimTime(12_000), phase::NODE, Event::SpotNotice(node));
    queue.push(SimTime(reclaim_ms), phase::NODE, Event::SpotReclaim(node));
    let (events, last) = sim::run(&mut world, &mut queue);
    let record = world.finish(events, last).0;
    let of_last = record.pods.iter().find(|pod| pod.template.0 == 3);
    of_last.expect("the last pod").bound.ms()
}

/// The nominated node is reclaimed at 20 s, while the victim is still on it:
/// the pod is woken, preempts the pod on the other node, and runs when that
/// has left at 50 s. The node's successor is Ready at 80 s only.
#[test]
fn a_nomination_ends_with_its_node() {
    assert_eq!(nominated_node_goes(5_000, 20_000), 50_000);
}

/// The victim leaves the closed node at 40 s, and that is when the pod looks
/// elsewhere: 30 s later it runs.
#[test]
fn room_on_a_closed_node_is_no_room() {
    assert_eq!(nominated_node_goes(5_000, 500_000), 70_000);
}

/// The end of the small pod wakes it at 15 s: it does not wait for the victim
/// on the closed node, but preempts the other pod.
#[test]
fn nobody_waits_for_a_closed_node() {
    assert_eq!(nominated_node_goes(15_000, 500_000), 45_000);
}

/// What budgets allow after so long: on two nodes of 4 cores a service of two
/// replicas, a batch pod of the same label from 10 s to 20 s, and a `DaemonSet`.
fn allowed_at(limit: Limit, app: &str, seconds: i64) -> i64 {
    let labelled = |app: &str| {
        let constraints = Constraints {
            namespace: "default".into(),
            labels: vec![("app".into(), app.into())],
            ..Constraints::default()
        };
        PodClass { constraints: Some(Arc::new(constraints)), ..class(500, GIB) }
    };
    let mut workloads = batch(&[(10_000, 10_000)]);
    workloads.classes = vec![labelled("web"), labelled("agent")];
    for (name, kind) in [("web", WorkloadKind::Service), ("agent", WorkloadKind::Daemon)] {
        workloads.workloads.push(WorkloadInfo { name: name.into(), kind });
    }
    workloads.templates = vec![template(0, 0), template(0, 1), template(1, 2)];
    workloads.services.push(Service {
        template: TemplateId(1),
        demand: None,
        usage: Usage::default(),
        target: Percent { ppm: 500_000 },
        min: 2,
        max: 2,
        bound: Vec::new(),
        homes: Vec::new(),
    });
    workloads.daemons = vec![DaemonSet {
        template: TemplateId(2),
        usage: Usage::default(),
        sidecar_on_fargate: false,
    }];
    let requirement = crate::workload::constraints::Requirement::equals("app", app);
    workloads.budgets.push(DisruptionBudget {
        name: app.into(),
        namespace: "default".into(),
        selector: Some(LabelSelector { requirements: vec![requirement] }),
        limit,
    });
    let end = SimTime(seconds * 1_000);
    let setup = Setup { horizon: Horizon::At(end), ..nodes(2) };
    let mut queue = EventQueue::new();
    let mut world = World::new(&setup, &workloads, 1, KeepPods::Yes);
    world.start(&mut queue);
    sim::run(&mut world, &mut queue);
    assert_eq!(world.disruptions_allowed(0, end), [0], "nobody below priority 0");
    world.disruptions_allowed(1, end)[0]
}

/// Half of two replicas may go, but nothing while a batch pod counts too; in
/// whole numbers it counts like any.
#[test]
fn batch_pods_count_while_they_are_there() {
    let half = Limit::MinAvailable(Amount::Percent(50));
    let one = Limit::MinAvailable(Amount::Count(1));
    assert_eq!([5, 15, 25].map(|s| allowed_at(half, "web", s)), [1, 0, 1]);
    assert_eq!([5, 15, 25].map(|s| allowed_at(one, "web", s)), [1, 2, 1]);
}

/// Two pods of a `DaemonSet`, one of which must stay; in percent upstream
/// cannot tell how many there should be.
#[test]
fn budgets_count_daemons() {
    assert_eq!(allowed_at(Limit::MinAvailable(Amount::Count(1)), "agent", 5), 1);
    assert_eq!(allowed_at(Limit::MinAvailable(Amount::Percent(50)), "agent", 5), 0);
    assert_eq!(allowed_at(Limit::MaxUnavailable(Amount::Count(1)), "agent", 5), 0);
}
