//! Cost by label under stated policies.

use std::fs;

use super::{assert_cost_adds_up, fine, json, pico, refused, scratch, text};

const SCENARIO: &str = "
version: 1
name: teams
region: us-east-1
time: { horizon: 6h }
workload:
  web:
    namespace: shop
    labels: { team: front, app: web }
    service: { demand: 10, cpu-time-per-request: 50ms, requests: { cpu: 500m, memory: 1Gi }, replicas: { target: 60%, min: 2, max: 2 } }
  api:
    namespace: shop
    service: { demand: 10, cpu-time-per-request: 50ms, requests: { cpu: 250m, memory: 1Gi }, replicas: { target: 60%, min: 2, max: 2 } }
  etl:
    service: { demand: 1, cpu-time-per-request: 50ms, requests: { cpu: 250m, memory: 2Gi }, replicas: { target: 60%, min: 1, max: 1 } }
  agent:
    labels: { team: platform }
    daemonset: { requests: { cpu: 50m, memory: 64Mi } }
kubernetes: { namespaces: { shop: { labels: { team: shop } } } }
pools:
  nodes: { fixed: { type: m5.large, count: 3 } }
charges: { root-volume: 20Gi }
allocation: { by-label: { team: {}, app: { idle: share, shared: evenly } } }
cases:
  kept: {}
  shared:
    set:
      allocation.by-label.team: { idle: share-by-pool, system-reserve: share-by-pool, daemonsets: share-by-pool, shared: by-cost }
";

#[test]
fn labels_group_cost_as_the_policy_says() {
    let dir = scratch();
    fs::write(dir.path().join("teams.yaml"), SCENARIO).expect("written");
    fine(dir.path(), &["run", "teams.yaml", "-o", "out", "-q"]);
    let kept = json(&dir.path().join("out/kept/summary.json"));
    let shared = json(&dir.path().join("out/shared/summary.json"));
    for summary in [&kept, &shared] {
        assert_cost_adds_up(summary);
        let cost = &summary["cost"];
        for label in ["team", "app"] {
            let groups = cost["by_label"][label].as_object().expect("groups");
            assert_eq!(groups.values().map(pico).sum::<i128>(), pico(&cost["total"]), "{label}");
        }
    }
    let names = |summary: &serde_json::Value, label: &str| -> Vec<String> {
        summary["cost"]["by_label"][label].as_object().expect("groups").keys().cloned().collect()
    };
    // The pod's own label, the namespace's, neither; what nobody requested.
    let groups = ["__unallocated__", "front", "platform", "shop"];
    for group in groups {
        assert!(names(&kept, "team").iter().any(|n| n == group), "{group}");
    }
    assert!(names(&kept, "team").iter().any(|n| n == "(idle)"));
    // Kept apart, a group costs what its pods requested.
    let of =
        |summary: &serde_json::Value, path: [&str; 2]| pico(&summary["cost"][path[0]][path[1]]);
    let team = |summary: &serde_json::Value, group: &str| {
        pico(&summary["cost"]["by_label"]["team"][group])
    };
    assert_eq!(team(&kept, "front"), of(&kept, ["by_workload", "web"]));
    assert_eq!(team(&kept, "shop"), of(&kept, ["by_workload", "api"]));
    assert_eq!(team(&kept, "(idle)"), of(&kept, ["by_workload", "(idle)"]));
    // Shared, nothing is left over and the platform's agent is everybody's.
    assert_eq!(names(&shared, "team"), groups);
    assert_eq!(team(&shared, "platform"), 0);
    let ratio = |s| team(s, "front") as f64 / team(s, "shop") as f64;
    assert!((ratio(&shared) - ratio(&kept)).abs() < 1e-9);
    // A policy is no other simulation.
    let checked = text(&fine(dir.path(), &["check", "teams.yaml"]).stdout);
    assert!(checked.contains("10 cells, 5 distinct simulations"), "{checked}");
}

#[test]
fn policies_and_labels_are_checked() {
    let dir = scratch();
    let wrong = SCENARIO.replace("idle: share,", "idle: shared,");
    fs::write(dir.path().join("wrong.yaml"), wrong).expect("written");
    refused(
        dir.path(),
        &["check", "wrong.yaml"],
        &["shared", "did you mean `share`", "wrong.yaml:"],
    );
    let lost = SCENARIO.replace("app: { idle", "squad: { idle");
    fs::write(dir.path().join("lost.yaml"), lost).expect("written");
    let said = text(&fine(dir.path(), &["check", "lost.yaml"]).stderr);
    assert!(said.contains("unknown-label") && said.contains("squad"), "{said}");
}
