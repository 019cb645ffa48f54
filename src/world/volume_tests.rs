//! Volumes of replicas in the run, by hand.

use std::sync::Arc;

use super::tests::{batch, class, pool, setup, template};
use super::{Horizon, Setup, run};
use crate::cluster::{Member, PoolId, PoolKind, Purchase, ZoneId};
use crate::observe::{KeepPods, Place, PodEnd, PodRecord};
use crate::units::{HOUR_MS, Percent, SimTime};
use crate::workload::constraints::Constraints;
use crate::workload::{ClassId, PodClass, Service, TemplateId, Usage, WorkloadKind, Workloads};

const GIB: i64 = 1 << 30;

/// A Spot node in zone a, which is reclaimed about every two hours, and three
/// On-Demand nodes in zone b.
fn two_zones() -> Setup {
    let mut setup = setup(4, pool(PoolKind::Fixed { count: 1 }, Purchase::Spot, 0.5));
    let mut other = pool(PoolKind::Fixed { count: 3 }, Purchase::OnDemand, 0.0);
    other.name = "other".into();
    other.offers[0].zone = ZoneId(1);
    other.offers[0].labels[0].1 = "b".into();
    let cluster = Arc::get_mut(&mut setup.cluster).expect("unshared");
    cluster.zones.push("b".into());
    cluster.pools.push(other);
    cluster.members = vec![Member { name: "first".into(), pool: PoolId(0), offer: 0 }];
    setup.horizon = Horizon::At(SimTime(100 * HOUR_MS));
    setup
}

/// One replica, on the Spot node from the start; with a volume or without.
fn replica(with_volume: bool) -> Workloads {
    let mut workloads = batch(&[]);
    workloads.traces.clear();
    workloads.workloads[0].kind = WorkloadKind::Service;
    let of = |zone: Option<&str>| {
        let constraints = Constraints {
            namespace: "default".into(),
            attached_volumes: 1,
            volume_zones: zone.map(|zone| vec![zone.to_owned()]),
            ..Constraints::default()
        };
        PodClass { constraints: Some(Arc::new(constraints)), ..class(1_000, GIB) }
    };
    let mut homes = Vec::new();
    if with_volume {
        workloads.classes = vec![of(None), of(Some("a")), of(Some("b"))];
        workloads.templates = (0..3).map(|class| template(class, 0)).collect();
        assert_eq!(workloads.templates[2].class, ClassId(2));
        homes = vec![TemplateId(1), TemplateId(2)];
    }
    workloads.services.push(Service {
        template: TemplateId(0),
        demand: None,
        usage: Usage::default(),
        target: Percent { ppm: 1_000_000 },
        min: 1,
        max: 1,
        bound: vec![(0, 1)],
        homes,
    });
    workloads
}

/// By order of submission: zone, wait in seconds.
fn stays(setup: &Setup, workloads: &Workloads) -> Vec<(u32, i64)> {
    let record = run(setup, workloads, 1, KeepPods::Yes);
    let mut pods: Vec<&PodRecord> = record.pods.iter().collect();
    pods.sort_by_key(|pod| pod.submitted);
    let (last, before) = pods.split_last().expect("a replica");
    assert!(before.iter().all(|pod| pod.end == PodEnd::Interrupted));
    assert_ne!(last.end, PodEnd::Interrupted);
    pods.iter()
        .filter_map(|pod| match pod.place {
            Place::Node(node) => {
                let zone = record.nodes[node as usize].zone.0;
                Some((zone, (pod.bound - pod.submitted).ms() / 1_000))
            }
            _ => None,
        })
        .collect()
}

/// Zone b has room and zone a has none: a replica without a volume goes there
/// at once, one with a volume waits for the node that takes the place of its
/// own. That is 120 s from the notice to the reclaim, 10 s to the launch and
/// 50 s to Ready.
#[test]
fn a_replica_returns_to_the_zone_of_its_volume() {
    let setup = two_zones();
    assert_eq!(stays(&setup, &replica(false)), [(0, 0), (1, 0)]);
    let with = stays(&setup, &replica(true));
    assert!(with.len() > 5, "{with:?}");
    assert_eq!(with[0], (0, 0));
    assert!(with[1..].iter().all(|stay| *stay == (0, 180)), "{with:?}");
}
