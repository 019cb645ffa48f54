//! `plimsoll explain`: dollars down to lines.

use std::collections::BTreeSet;

use super::*;

fn explained(dir: &Path, args: &[&str]) -> serde_json::Value {
    let mut all = vec!["explain"];
    all.extend(args);
    all.extend(["--format", "json", "-q"]);
    let out = fine(dir, &all);
    let story: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    assert_eq!(story["schema_version"], 1);
    story
}

fn sum(rows: &serde_json::Value, key: &str) -> i128 {
    rows.as_array().expect("rows").iter().map(|row| pico(&row[key])).sum()
}

/// Fits a terminal and hides nothing behind control characters.
fn assert_shown(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

#[test]
fn explained_costs_equal_the_summary_to_the_last_digit() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    fine(dir.path(), &["run", file, "-q", "--seeds", "1", "-o", "out"]);
    for case in ["ec2", "ec2-spot-plan", "fargate"] {
        let summary = json(&dir.path().join("out").join(case).join("summary.json"));
        let cost = &summary["cost"];
        let one = |args: &[&str]| {
            let mut all = vec!["cost", file, "--case", case, "--seed", "1"];
            all.extend(args);
            explained(dir.path(), &all)
        };
        for workload in ["web", "shop", "nightly", "system", "telemetry"] {
            let story = one(&["--workload", workload]);
            let story = &story["workload"];
            // A workload that nothing is charged to has no entry.
            let billed = |map: &str| cost[map].get(workload).map_or(0, pico);
            assert_eq!(pico(&story["direct"]), billed("by_workload"), "{case} {workload}");
            let loaded = billed("fully_loaded_by_workload");
            assert_eq!(pico(&story["fully_loaded"]), loaded, "{case} {workload}");
            for rows in ["waterfall", "resources"] {
                assert_eq!(sum(&story[rows], "total"), pico(&story["direct"]), "{case} {workload}");
            }
            let shared = sum(&story["distributed"], "part");
            let in_pools = story["distributed"].as_array().expect("rows").iter();
            let direct: i128 =
                in_pools.filter(|r| !r["pool"].is_null()).map(|r| pico(&r["direct"])).sum();
            assert_eq!(direct + shared, loaded, "{case} {workload}");
        }
        for namespace in ["web", "shop", "batch", "kube-system"] {
            let story = one(&["--namespace", namespace]);
            let billed = cost["by_namespace"].get(namespace).map_or(0, pico);
            assert_eq!(sum(&story["namespace"]["waterfall"], "total"), billed);
        }
    }
}

/// A node's lines and shares both sum to what it costs; the plan that covers
/// it is named.
#[test]
fn a_nodes_lines_and_shares_sum_to_its_net_cost() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    for (case, node) in
        [("ec2", "steady/0"), ("ec2-spot-plan", "steady/1"), ("ec2-spot-plan", "batch/3")]
    {
        let story = explained(dir.path(), &["cost", file, "--case", case, "--node", node]);
        let node = &story["node"];
        let net = pico(&node["net"]);
        assert!(net > 0);
        assert_eq!(sum(&node["lines"], "net"), net);
        assert_eq!(sum(&node["charges"], "net"), net);
        assert_eq!(sum(&node["charges"], "list"), pico(&node["list"]));
        assert_eq!(sum(&node["shares"], "total"), net);
    }
    let story =
        explained(dir.path(), &["cost", file, "--case", "ec2-spot-plan", "--node", "steady/1"]);
    let plans: BTreeSet<&str> = story["node"]["charges"]
        .as_array()
        .expect("charges")
        .iter()
        .filter_map(|c| c["commitment"].as_str())
        .collect();
    assert_eq!(plans, BTreeSet::from(["base"]));
    assert!(pico(&story["node"]["net"]) < pico(&story["node"]["list"]));
}

#[test]
fn costs_are_shown_in_every_format() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    for subject in [["--workload", "nightly"], ["--node", "batch/3"], ["--namespace", "shop"]] {
        let base =
            ["explain", "cost", file, "-q", "--case", "ec2-spot-plan", subject[0], subject[1]];
        let show = |format| {
            let mut args = base.to_vec();
            args.extend(["--format", format]);
            text(&fine(dir.path(), &args).stdout)
        };
        let table = show("table");
        assert_shown(&table);
        assert!(table.contains("after commitments, amortised by the hour"));
        let markdown = show("markdown");
        assert!(markdown.contains("| --- |"), "{markdown}");
        // CSV is complete: its shares sum to those of JSON.
        let csv = show("csv");
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("a row")).collect();
        let shares: i128 = rows
            .iter()
            .filter(|r| &r[0] == "share")
            .map(|r| pico(&serde_json::Value::from(&r[12])))
            .sum();
        let quiet = |arg: &&&str| **arg != "-q";
        let args: Vec<&str> = base[1..].iter().filter(quiet).copied().collect();
        let story = explained(dir.path(), &args);
        let (name, key) = match subject[0] {
            "--node" => ("node", "net"),
            "--workload" => ("workload", "direct"),
            _ => ("namespace", "direct"),
        };
        assert_eq!(shares, pico(&story[name][key]));
    }
    // A long list is cut where people read it, and summed up.
    let out = fine(dir.path(), &["explain", "cost", file, "-q", "--workload", "nightly"]);
    assert!(text(&out.stdout).contains(" more  "), "{}", text(&out.stdout));
}

#[test]
fn unknown_subjects_name_the_nearest() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    let cost = |args: &[&str], words: &[&str]| {
        let mut all = vec!["explain", "cost", file];
        all.extend(args);
        refused(dir.path(), &all, words);
    };
    cost(&["--workload", "wbe"], &["wbe", "`web`"]);
    cost(&["--node", "stedy/0"], &["stedy", "`steady`"]);
    cost(&["--node", "steady/99"], &["steady/99", "steady/0 to steady/8"]);
    cost(&["--node", "steady"], &["pool/number"]);
    cost(&["--namespace", "bach"], &["bach", "`batch`"]);
    cost(&["--case", "ec3", "--workload", "web"], &["ec3", "`ec2`"]);
    cost(&[], &["--workload"]);
    cost(&["--workload", "web", "--node", "steady/0"], &["--node"]);
    refused(dir.path(), &["explain", "cost", ".", "--workload", "web"], &["scenario file"]);
}
