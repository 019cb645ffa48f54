//! Constraints from the scenario to the nodes that the Cluster Autoscaler
//! brings for them.

use std::path::Path;

use super::*;
use crate::observe::{KeepPods, Place, Record};
use crate::scenario::Source;

/// Three small replicas with these keys, on pools that grow.
fn run(keys: &str, pools: &str) -> (Record, Plan) {
    let text = format!(
        "
version: 1
name: t
region: us-east-1
time: {{ horizon: 1h }}
workload:
  web:
    labels: {{ app: web }}
{keys}
    service: {{ requests: {{ cpu: 100m, memory: 128Mi }}, replicas: 3 }}
pools:
{pools}
"
    );
    let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("parses");
    let plan = link(&source, &Options::default()).expect("links");
    let tables = plan.cases[0].workload.materialise(1).expect("fine");
    let record = crate::world::run(&plan.cases[0].setup, &tables, 1, KeepPods::Yes);
    (record, plan)
}

/// Nodes of the running replicas, sorted.
fn homes(record: &Record) -> Vec<u32> {
    let mut homes: Vec<u32> = record
        .pods
        .iter()
        .filter_map(|pod| match pod.place {
            Place::Node(node) => Some(node),
            _ => None,
        })
        .collect();
    homes.sort_unstable();
    homes
}

const GROUP: &str =
    "  g: { asg: { types: [m5.large], min: 1, max: 5 }, scaler: cluster-autoscaler }";

#[test]
fn replicas_apart_bring_a_node_each() {
    let (record, _) = run("", GROUP);
    assert_eq!((record.nodes.len(), homes(&record)), (1, vec![0, 0, 0]));
    let apart = "    affinity:
      podAntiAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: kubernetes.io/hostname
            labelSelector: { matchLabels: { app: web } }
";
    let (record, _) = run(apart, GROUP);
    assert_eq!((record.nodes.len(), homes(&record)), (3, vec![0, 1, 2]));
    assert_eq!(record.counts[0].running_at_end, 3);
}

#[test]
fn a_hard_spread_over_zones_brings_a_node_in_each() {
    let spread = "    topologySpreadConstraints:
      - maxSkew: 1
        minDomains: 3
        topologyKey: topology.kubernetes.io/zone
        whenUnsatisfiable: DoNotSchedule
        labelSelector: { matchLabels: { app: web } }
";
    let group = |name: &str, zone: &str, min: u32| {
        format!(
            "  {name}: {{ asg: {{ types: [m5.large], zones: [{zone}], min: {min}, max: 3 }}, \
             scaler: cluster-autoscaler }}\n"
        )
    };
    let pools =
        [group("a", "us-east-1a", 1), group("b", "us-east-1b", 0), group("c", "us-east-1c", 0)];
    let (record, plan) = run(spread, &pools.concat());
    assert_eq!(record.counts[0].running_at_end, 3);
    assert_eq!(homes(&record), [0, 1, 2]);
    let pools: Vec<&str> = record
        .nodes
        .iter()
        .map(|n| plan.cases[0].setup.cluster.pools[n.pool.index()].name.as_str())
        .collect();
    let mut sorted = pools.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, ["a", "b", "c"], "{pools:?}");
}

/// Whatever else is required: both must hold.
#[test]
fn a_node_selector_of_a_name_is_one_node() {
    let named = "    nodeSelector: { kubernetes.io/hostname: p/1 }
";
    let affine = |rack: &str| {
        format!(
            "{named}    affinity:
      nodeAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          nodeSelectorTerms:
            - matchExpressions: [{{ key: rack, operator: In, values: [{rack}] }}]
"
        )
    };
    let pools = "  p: { fixed: { type: m5.large, count: 3 }, labels: { rack: a } }";
    for keys in [named, &affine("a")] {
        let (record, plan) = run(keys, pools);
        assert_eq!(homes(&record), [1, 1, 1], "{keys}");
        assert!(plan.warnings.is_empty(), "{:?}", plan.warnings);
    }
    let (record, plan) = run(&affine("b"), pools);
    assert!(homes(&record).is_empty());
    assert_eq!(plan.warnings[0].code, "fits-nowhere");
}
