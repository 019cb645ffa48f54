//! Cost by label under stated policies.

use std::fs;

use super::{assert_cost_adds_up, fine, json, narrow, pico, refused, scratch, text};

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
allocation:
  by-label: { team: {}, app: { idle: share, shared: evenly } }
  by-namespace: {}
cases:
  kept: {}
  shared:
    set:
      allocation.by-namespace: { idle: share-by-pool, system-reserve: share, daemonsets: share-by-pool, shared: by-cost }
      allocation.by-workload: { idle: share, system-reserve: share, shared: evenly }
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
    // Namespaces and workloads have policies alike, and sum to the bill.
    let grouped = |summary: &serde_json::Value, by: &str| -> Vec<(String, i128)> {
        let groups = summary["cost"][by].as_object().into_iter().flatten();
        groups.map(|(name, cost)| (name.clone(), pico(cost))).collect()
    };
    let namespaces = "allocated_by_namespace";
    assert_eq!(grouped(&kept, namespaces), {
        let named = grouped(&kept, "by_namespace").into_iter();
        named.filter(|(_, cost)| *cost != 0).collect::<Vec<_>>()
    });
    assert_eq!(grouped(&kept, "allocated_by_workload"), []);
    for by in [namespaces, "allocated_by_workload"] {
        let sum: i128 = grouped(&shared, by).iter().map(|(_, cost)| cost).sum();
        assert_eq!(sum, pico(&shared["cost"]["total"]), "{by}");
        assert!(grouped(&shared, by).iter().all(|(name, _)| !name.starts_with('(')), "{by}");
    }
    // A DaemonSet bears like any other where its cost stays its own.
    assert_eq!(grouped(&shared, "allocated_by_workload").len(), 4);
    // Explained with its policy, in 80 columns.
    let args = ["explain", "cost", "teams.yaml", "--case", "shared", "--label"];
    let said = text(&fine(dir.path(), &[&args[..], &["team"]].concat()).stdout);
    assert!(said.contains("idle share-by-pool") && said.contains("__unallocated__"), "{said}");
    assert!(narrow(&said), "{said}");
    refused(dir.path(), &[&args[..], &["squad"]].concat(), &["squad", "team"]);
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

/// The answer of the allocation API that a run writes.
fn opencost(path: &std::path::Path) -> serde_json::Map<String, serde_json::Value> {
    let answer = json(path);
    assert_eq!((answer["code"].as_u64(), answer["status"].as_str()), (Some(200), Some("success")));
    let sets = answer["data"].as_array().expect("sets");
    assert_eq!(sets.len(), 1);
    sets[0].as_object().expect("allocations").clone()
}

#[test]
fn opencost_allocations_are_the_bill() {
    let dir = scratch();
    let fargate = "  fargate: { replace: { pools: { fargate: { fargate: { match: { namespace: '*' } } } } } }\n";
    fs::write(dir.path().join("teams.yaml"), format!("{SCENARIO}{fargate}")).expect("written");
    let args = ["run", "teams.yaml", "-o", "out", "-q", "--export", "opencost", "--seeds", "1"];
    fine(dir.path(), &args);
    for case in ["kept", "fargate"] {
        let dir = dir.path().join("out").join(case);
        let summary = json(&dir.join("summary.json"));
        let all = opencost(&dir.join("opencost.json"));
        let number = |entry: &serde_json::Value, key: &str| entry[key].as_f64().expect("a number");
        let mut sum = 0.0;
        for (name, entry) in &all {
            assert_eq!(entry["name"].as_str(), Some(name.as_str()));
            let parts: f64 =
                ["cpuCost", "ramCost", "pvCost", "networkCost", "loadBalancerCost", "sharedCost"]
                    .iter()
                    .map(|key| number(entry, key))
                    .sum();
            assert!((parts - number(entry, "totalCost")).abs() < 1e-9, "{name}");
            sum += number(entry, "totalCost");
        }
        let total = pico(&summary["cost"]["total"]) as f64 / 1e12;
        assert!((sum - total).abs() < 1e-9, "{case}: {sum} of {total}");
        let web = &all["shop/web"];
        // Two replicas of half a core and 1 GiB; 10 requests a second of 50 ms.
        for (key, expected) in [
            ("cpuCoreRequestAverage", 1.0),
            ("cpuCoreUsageAverage", 0.5),
            ("ramByteRequestAverage", 2.0 * f64::from(1 << 30)),
            ("cpuCoreHours", 6.0),
        ] {
            let found = number(web, key);
            assert!((found / expected - 1.0).abs() < 0.05, "{case}: {key} is {found}");
        }
        assert!(web["ramByteUsageAverage"].is_null());
        assert_eq!(web["properties"]["namespace"], "shop");
        assert_eq!(web["window"]["start"], "2025-01-06T00:00:00Z");
        assert!(number(&all["__shared__"], "sharedCost") > 0.0);
        assert_eq!(number(&all["__idle__"], "cpuCost") > 0.0, case == "kept");
    }
}
