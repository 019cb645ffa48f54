//! Volumes of services, from the scenario to where their replicas run.

use std::path::Path;

use super::*;
use crate::cluster::Pod;
use crate::observe::probe::{Follow, Probe, Step};
use crate::observe::{KeepPods, Place, Record, RejectReason};
use crate::scenario::Source;

/// Small replicas with these volumes, on these pools.
fn text(replicas: u32, claims: &str, pools: &str) -> String {
    format!(
        "
version: 1
name: t
region: us-east-1
time: {{ horizon: 1h }}
workload:
  db:
    labels: {{ app: db }}
    volumeClaimTemplates: {{ {claims} }}
    service: {{ requests: {{ cpu: 20m, memory: 32Mi }}, replicas: {replicas} }}
pools:
{pools}
"
    )
}

fn linked(text: &str) -> crate::Result<Plan> {
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &Options::default())
}

/// The run, and why the last replica was rejected at first: filter, reason,
/// nodes.
fn run(text: &str, replicas: u64) -> (Record, Vec<(&'static str, String, u32)>) {
    let plan = linked(text).expect("links");
    let case = &plan.cases[0];
    let tables = case.workload.materialise(1).expect("fine");
    let follow = Follow::new(Pod::service_ordinal(0, replicas - 1));
    let probe = Probe::Follow(Box::new(follow));
    let (record, probe) = crate::world::run_watched(&case.setup, &tables, 1, KeepPods::Yes, probe);
    let Probe::Follow(follow) = probe else { panic!("the probe") };
    let why = match follow.instances.first().and_then(|i| i.steps.first()) {
        Some(Step::Failed(failures)) => {
            let all = failures.saw.rejected.iter();
            all.map(|r| (r.filter, r.reason.clone(), r.nodes)).collect()
        }
        _ => Vec::new(),
    };
    (record, why)
}

/// Zones of the replicas that have a node, by name, sorted.
fn zones(text: &str) -> Vec<String> {
    let plan = linked(text).expect("links");
    let case = &plan.cases[0];
    let tables = case.workload.materialise(1).expect("fine");
    let record = crate::world::run(&case.setup, &tables, 1, KeepPods::Yes);
    let cluster = &case.setup.cluster;
    let zone = |node: u32| cluster.zones[record.nodes[node as usize].zone.index()].clone();
    let mut zones: Vec<String> = record
        .pods
        .iter()
        .filter_map(|pod| match pod.place {
            Place::Node(node) => Some(zone(node)),
            _ => None,
        })
        .collect();
    zones.sort();
    zones
}

/// Kubernetes counts 25 volumes on older types and 39 on others, though there
/// is room for more pods.
#[test]
fn a_node_attaches_so_many_volumes() {
    for (kind, claims, most) in [
        ("m5.4xlarge", "data: {}", 25),
        ("m5.4xlarge", "data: {}, log: {}", 12),
        ("t3a.2xlarge", "data: {}", 25),
        ("m6i.4xlarge", "data: {}", 39),
    ] {
        let pools = format!("  p: {{ fixed: {{ type: {kind}, count: 1 }} }}");
        let replicas = most + 1;
        let (record, why) = run(&text(replicas, claims, &pools), u64::from(replicas));
        assert_eq!(record.counts[0].running_at_end, u64::from(most), "{kind} {claims}");
        let reason = "node(s) exceed max volume count".to_owned();
        assert_eq!(why, [("NodeVolumeLimits", reason, 1)]);
    }
}

/// A shape of one's own has the limit that it states, or none.
#[test]
fn a_shape_states_its_limit() {
    let pools = |extended: &str| {
        format!(
            "  p: {{ fixed: {{ shape: {{ vcpu: 16, memory: 64Gi, pods: 110{extended}, \
             usd-per-hour: 0.1 }}, count: 1 }} }}"
        )
    };
    let running = |extended: &str| {
        let (record, _) = run(&text(60, "data: {}", &pools(extended)), 60);
        record.counts[0].running_at_end
    };
    assert_eq!(running(", extended: { attachable-volumes-aws-ebs: 7 }"), 7);
    assert_eq!(running(""), 60);
}

/// The autoscaler knows the limit too: 26 replicas that fit on one node by
/// their requests get a second one, 51 a third.
#[test]
fn the_autoscaler_brings_nodes_for_volumes() {
    let pools = "  g: { asg: { types: [m5.4xlarge], min: 1, max: 5 }, scaler: cluster-autoscaler }";
    for (replicas, nodes) in [(25, 1), (26, 2), (51, 3)] {
        let (record, _) = run(&text(replicas, "data: {}", pools), u64::from(replicas));
        let running = record.counts[0].running_at_end;
        assert_eq!((record.nodes.len(), running), (nodes, u64::from(replicas)));
    }
}

/// A small node in one zone, a large one in each of two others.
const ZONES: &str = "  a: { fixed: { type: m5.large, nodes: { one: us-east-1a } } }
  b: { fixed: { type: m5.24xlarge, nodes: { two: us-east-1b, three: us-east-1c } } }";

/// One replica of 1,500m fits on the node of its zone; the other waits, though
/// two large nodes are empty.
#[test]
fn a_replica_waits_for_the_zone_of_its_volume() {
    let text = text(2, "data: { zone: us-east-1a }", ZONES).replace("20m", "1500m");
    let (record, why) = run(&text, 2);
    assert_eq!(record.counts[0].running_at_end, 1);
    assert_eq!(zones(&text), ["us-east-1a"]);
    let mut filters: Vec<(&str, u32)> = why.iter().map(|(f, _, nodes)| (*f, *nodes)).collect();
    filters.sort_unstable();
    assert_eq!(filters, [("NodeResourcesFit", 1), ("VolumeZone", 2)]);
}

/// Replicas whose volumes are where they are count for those that come. Spread
/// over architectures, of which there is one, all go to the large nodes.
#[test]
fn spreading_counts_replicas_whose_volumes_exist() {
    let spread = |key: &str| {
        let constraint = format!(
            "topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: {key}
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {{ matchLabels: {{ app: db }} }}
    service:"
        );
        zones(&text(6, "data: {}", ZONES).replace("service:", &constraint))
    };
    assert!(!spread("kubernetes.io/arch").contains(&"us-east-1a".to_owned()));
    let two = ["us-east-1a", "us-east-1b", "us-east-1c"].map(|zone| [zone; 2]).concat();
    assert_eq!(spread("topology.kubernetes.io/zone"), two);
}

/// The fixed node in zone c is full until 10 minutes, so a group brings a node
/// in zone a. Later the autoscaler would empty it: without a volume the replica
/// moves to zone c, with one it cannot, and the node stays.
#[test]
fn the_autoscaler_leaves_replicas_at_their_volumes() {
    let pools = "  c: { fixed: { type: m5.large, nodes: { one: us-east-1c } } }
  g: { asg: { types: [m5.large], zones: [us-east-1a], min: 0, max: 3 }, scaler: cluster-autoscaler }";
    let busy = "workload:
  busy:
    generate:
      arrivals: { burst: { at: [0s], size: 1 } }
      count: 1
      duration: 10m
      cpu: { constant: 1900m }
      memory: { constant: 1Gi }
";
    let gate = "schedulingGates: [{ name: later, removed-after: 1m }]\n    service:";
    let text = text(1, "data: {}", pools)
        .replace("workload:\n", busy)
        .replace("service:", gate)
        .replace("20m", "100m");
    // Zones of all pods that were bound, the busy one (in zone c) among them.
    let evicted = |text: &str| {
        let record = run(text, 1).0;
        let db = &record.counts[1];
        assert_eq!((record.nodes.len(), db.running_at_end), (2, 1));
        (db.evicted, zones(text).join(" "))
    };
    assert_eq!(evicted(&text), (0, "us-east-1a us-east-1c".to_owned()));
    let without = text.replace("    volumeClaimTemplates: { data: {} }\n", "");
    assert_eq!(evicted(&without), (1, "us-east-1a us-east-1c us-east-1c".to_owned()));
}

#[test]
fn volumes_where_nothing_can_attach_them_are_told() {
    let warnings = |text: &str| {
        let plan = linked(text).expect("links");
        plan.warnings.into_iter().map(|w| (w.code, w.text)).collect::<Vec<_>>()
    };
    let found = warnings(&text(1, "data: { zone: us-east-1d }", ZONES));
    assert_eq!((found.len(), found[0].0, found[1].0), (2, "fits-nowhere", "no-zone"));
    let message = "no pool has nodes in zone `us-east-1d`, where volumes of `db` are";
    assert!(found[1].1.contains(message), "{found:?}");
    assert!(warnings(&text(1, "data: { zone: us-east-1b }", ZONES)).is_empty());

    let fargate = "  f: { fargate: { match: { namespace: default } } }";
    let (record, _) = run(&text(1, "data: {}", fargate), 1);
    let rejected = record.counts[0].rejected_by_reason[RejectReason::FargateVolumes as usize];
    assert_eq!((record.counts[0].rejected, rejected), (1, 1));

    let bound = text(1, "data: { zone: us-east-1b }", ZONES)
        .replace("replicas: 1", "replicas: 1, bound-to: { one: 1 }");
    let error = linked(&bound).expect_err("refused").to_string();
    let message = "the volumes of `db` are in zone `us-east-1b`, but node `one` is in `us-east-1a`";
    assert!(error.contains(message), "{error}");
}
