//! Preemption in the run, by hand.

use std::sync::Arc;

use super::tests::{batch, class, pool, setup, template};
use super::{Setup, run};
use crate::cluster::{PoolKind, Purchase};
use crate::observe::{KeepPods, PodEnd, Record};
use crate::units::{Percent, SimDuration, SimTime};
use crate::workload::constraints::{Constraints, LabelSelector};
use crate::workload::disruption::{Amount, DisruptionBudget, Limit};
use crate::workload::{
    LocalTemplate, PodClass, Service, TemplateId, Usage, WorkloadInfo, WorkloadKind, Workloads,
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
