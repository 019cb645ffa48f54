//! `plimsoll explain`: dollars down to lines, and a pod's story.

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
    assert!(narrow(text), "{text}");
    for line in text.lines() {
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
    refused(dir.path(), &["explain", "cost", ".", "--workload", "web"], &["comparison.csv"]);
}

/// One m5.large (1,930m and 7,137 MiB for pods) and two tainted m5.xlarge.
fn small(dir: &Path) {
    let trace = "arrival,duration,cpu,memory,name\n\
                 0,600,1500m,1Gi,first\n10,600,1500m,1Gi,second\n20,60,64,1Gi,giant\n";
    fs::write(dir.join("t.csv"), trace).expect("a trace");
    let scenario = r#"
version: 1
name: small
region: us-east-1
seeds: 1
versions: { kubernetes: "1.31" }
time: { start: 2025-01-06T00:00Z, horizon: until-idle }
workload:
  jobs: { trace: t.csv, startup: 0s, namespace: ci }
placement: { scheduler: { rate: unlimited } }
pools:
  small: { fixed: { type: m5.large, count: 1, zones: [us-east-1a] } }
  gpu:
    fixed: { type: m5.xlarge, count: 2, zones: [us-east-1a] }
    taints: [{ key: dedicated, value: gpu, effect: NoSchedule }]
"#;
    fs::write(dir.join("s.yaml"), scenario).expect("a scenario");
}

/// The second job waits for the first: tried at 10 s, then five minutes after
/// 10 s at the 30 s tick, 330 s; the first leaves at 600 s. Scores on the empty
/// node with the pod: (1930 − 1500) · 100 / 1930 = 22 and (7137 − 1024) · 100 / 7137
/// = 85, mean 53; |0.7772 − 0.1435| / 2 = 0.3169, so 68; 100 · 3; 421 in all.
#[test]
fn a_pods_story_is_told_word_by_word() {
    let dir = scratch();
    small(dir.path());
    let want = "\
Pod jobs/1 (second); case base, seed 1
batch jobs in namespace ci; requests cpu 1500m, memory 1Gi; on interrupt restart

Waited 9\u{a0}min\u{a0}50\u{a0}s for a node, 3 attempts; went to small/0; finished
+10s  2025-01-06T00:00:10Z  submitted
+10s  2025-01-06T00:00:10Z  attempts 1 to 2 failed, the last at +5m30s: 0/3
      nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint
      {dedicated: gpu}. preemption: 0/3 nodes are available: 1 No preemption
      victims found for incoming pod, 2 Preemption is not helpful for
      scheduling. Brought about by: submission, 1 × five minutes unschedulable
+10m  2025-01-06T00:10:00Z  back to the queue: a pod left small/0
+10m  2025-01-06T00:10:00Z  attempt 3: bound to small/0 (m5.large, us-east-1a,
      On-Demand)
+10m  2025-01-06T00:10:00Z  running
+20m  2025-01-06T00:20:00Z  finished

First attempt, at +10s
0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint
{dedicated: gpu}. preemption: 0/3 nodes are available: 1 No preemption victims
found for incoming pod, 2 Preemption is not helpful for scheduling.
filter            reason                                          nodes
───────────────────────────────────────────────────────────────────────
TaintToleration   node(s) had untolerated taint {dedicated: gpu}      2
NodeResourcesFit  Insufficient cpu                                    1
The last that failed, at +5m30s, saw the same.

Attempt that found a node, at +10m
filter           reason                                          nodes
──────────────────────────────────────────────────────────────────────
TaintToleration  node(s) had untolerated taint {dedicated: gpu}      2
1 of 3 nodes is feasible, small/0: it is taken without a score.
";
    // By every name and by the roles that are its.
    for which in
        [&["second"][..], &["ci/second"], &["jobs/1"], &["--longest-wait"], &["--at", "5m"], &[]]
    {
        let mut args = vec!["explain", "pod", "s.yaml", "-q"];
        args.extend(which);
        assert_eq!(text(&fine(dir.path(), &args).stdout), want, "{which:?}");
    }
    let at = ["explain", "pod", "s.yaml", "-q", "--at", "2025-01-06T00:05Z"];
    assert_eq!(text(&fine(dir.path(), &at).stdout), want);
    let story = explained(dir.path(), &["pod", "s.yaml", "second"]);
    assert_eq!(story["pod"]["trace_name"], "second");
    let detail = &story["instances"][0]["attempts_in_detail"];
    assert_eq!(
        detail[0]["message"],
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {dedicated: gpu}. \
         preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, \
         2 Preemption is not helpful for scheduling."
    );
    assert_eq!(detail[1]["at_ms"], 330_000);
    assert_eq!(detail[2]["best"][0]["NodeResourcesBalancedAllocation"], 68);
    assert_eq!(detail[2]["scored"], false);
    let nodes = detail[0]["every_node"].as_array().expect("every node");
    let filters: Vec<_> = nodes.iter().map(|node| &node["filter"]).collect();
    assert_eq!(filters, ["NodeResourcesFit", "TaintToleration", "TaintToleration"]);
    assert_eq!(detail[0]["preemption"]["outcome"], "no-victims");
    for format in ["markdown", "csv"] {
        let out =
            fine(dir.path(), &["explain", "pod", "s.yaml", "second", "-q", "--format", format]);
        assert!(text(&out.stdout).contains("attempt 3: bound to small/0"), "{format}");
    }
}

/// Two nodes of 2 cores, each taken by a job of priority 0; one of priority 5
/// comes at 10 s and deletes one of them. Then two jobs that fit on both.
fn preempting(dir: &Path) {
    let trace = "\
arrival,duration,cpu,memory,priority,name
0,1200,1500m,1Gi,0,low
0,1200,1500m,1Gi,0,other
10,600,1500m,1Gi,5,high
3600,60,500m,1Gi,0,late
";
    fs::write(dir.join("t.csv"), trace).expect("a trace");
    let scenario = r#"
version: 1
name: small
region: us-east-1
versions: { kubernetes: "1.31" }
time: { horizon: 2h }
workload:
  jobs: { trace: t.csv, startup: 0s, namespace: ci }
placement: { scheduler: { rate: unlimited } }
pools:
  small: { fixed: { type: m5.large, count: 2, zones: [us-east-1a] } }
"#;
    fs::write(dir.join("s.yaml"), scenario).expect("a scenario");
}

#[test]
fn preemption_is_told_by_both_sides() {
    let dir = scratch();
    preempting(dir.path());
    let story = explained(dir.path(), &["pod", "s.yaml", "high"]);
    let detail = &story["instances"][0]["attempts_in_detail"];
    let preemption = &detail[0]["preemption"];
    assert_eq!(preemption["outcome"], "nominated");
    let (victim, node) = (&preemption["victims"][0], &preemption["nominated_node"]);
    assert_eq!(detail[0]["message"], "0/2 nodes are available: 2 Insufficient cpu.");
    // The nominated node alone is looked at in the second attempt.
    assert_eq!(
        (&detail[1]["nominated_node"], &detail[1]["every_node"][1]),
        (node, &serde_json::Value::Null)
    );
    let shown = text(&fine(dir.path(), &["explain", "pod", "s.yaml", "high", "-q"]).stdout);
    let said = format!("Preemption makes room on {} by deleting", node.as_str().expect("a node"));
    assert!(shown.contains(&said) && shown.contains("preempts jobs/"), "{shown}");
    let victim = victim.as_str().expect("a victim");
    let args = ["explain", "pod", "s.yaml", victim, "-q"];
    let shown = text(&fine(dir.path(), &args).stdout);
    assert!(shown.contains("evicted: preempted by jobs/2"), "{shown}");
    // The last one finds both nodes empty: every plugin that scores is told.
    let shown = text(&fine(dir.path(), &["explain", "pod", "s.yaml", "late", "-q"]).stdout);
    assert!(shown.contains("Taints TaintToleration, Fit NodeResourcesFit"), "{shown}");
    assert!(narrow(&shown), "{shown}");
}

/// Fifty minutes behind a gate, then at once onto an empty node.
#[test]
fn gates_are_told_and_count_as_waiting() {
    let dir = scratch();
    preempting(dir.path());
    let scenario = fs::read_to_string(dir.path().join("s.yaml")).expect("the scenario");
    let gates = "schedulingGates: [{ name: quota, removed-after: 50m }], namespace: ci";
    let scenario = scenario.replace("namespace: ci", gates);
    fs::write(dir.path().join("s.yaml"), scenario).expect("a scenario");
    let story = explained(dir.path(), &["pod", "s.yaml", "late"]);
    let instance = &story["instances"][0];
    assert_eq!((&instance["gated_s"], &instance["pending_s"]), (&3000.0.into(), &3000.0.into()));
    assert_eq!(instance["events"][1]["event"], "ungated");
    let shown = text(&fine(dir.path(), &["explain", "pod", "s.yaml", "late", "-q"]).stdout);
    assert!(shown.contains("of it behind scheduling gates"), "{shown}");
}

#[test]
fn a_rejected_pod_says_what_every_pool_lacks() {
    let dir = scratch();
    small(dir.path());
    let want = "\
Pod jobs/2 (giant); case base, seed 1
batch jobs in namespace ci; requests cpu 64, memory 1Gi; on interrupt restart

Rejected when it was submitted
+20s  2025-01-06T00:00:20Z  submitted
+20s  2025-01-06T00:00:20Z  rejected: no empty node has the cpu it requests

An empty node of each pool, with what it has free beside its DaemonSets
";
    let out = fine(dir.path(), &["explain", "pod", "s.yaml", "--rejected", "-q"]);
    let shown = text(&out.stdout);
    let (before, table) = shown.split_at(want.len());
    assert_eq!(before, want);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .skip(2)
        .map(|l| l.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect())
        .collect();
    assert_eq!(rows[0], ["small", "m5.large", "Insufficient cpu", "1930m", "7137Mi"]);
    assert_eq!(
        rows[1][..3],
        ["gpu", "m5.xlarge", "node(s) had untolerated taint {dedicated: gpu}"]
    );
}

/// On Fargate: 400m and 1 GiB, a sidecar of 50m and 128 MiB, 256 MiB of
/// overhead: 450m and 1,408 MiB, so 0.5 vCPU and 2 GB.
#[test]
fn fargate_says_how_a_pod_was_sized_and_launched() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    let story = explained(dir.path(), &["pod", file, "--case", "fargate", "--workload", "web"]);
    let fargate = &story["instances"][0]["fargate"];
    assert_eq!(fargate["cpu"], "450m");
    assert_eq!(fargate["memory"], "1408Mi");
    assert_eq!(fargate["billed"], "0.5 vCPU 2 GB");
    assert_eq!(fargate["selectors"][0], "namespace *");
    let out = fine(dir.path(), &["explain", "pod", file, "--case", "fargate", "-q"]);
    assert_shown(&text(&out.stdout));
}

#[test]
fn stories_fit_a_terminal_and_unknown_pods_name_the_nearest() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    for which in ["--longest-wait", "--evicted", "--pending", "web/0"] {
        let out = plimsoll(dir.path(), &["explain", "pod", file, which, "-q"]);
        assert_shown(&text(&out.stdout));
    }
    small(dir.path());
    let pod = |args: &[&str], words: &[&str]| {
        let mut all = vec!["explain", "pod", "s.yaml"];
        all.extend(args);
        refused(dir.path(), &all, words);
    };
    pod(&["gaint"], &["gaint", "`giant`"]);
    pod(&["jbos/1"], &["jbos", "`jobs`"]);
    pod(&["jobs/7"], &["jobs/7", "jobs/0 to jobs/2"]);
    pod(&["--interrupted"], &["no pod was interrupted"]);
    pod(&["--at", "3h"], &["no pod waited", "3h"]);
    pod(&["--at", "soon"], &["`--at soon`", "2h30m"]);
    pod(&["jobs/1", "--evicted"], &["--evicted"]);
    pod(&["--workload", "jbos"], &["jbos", "`jobs`"]);
    refused(
        dir.path(),
        &["explain", "pod", file, "web/99999", "-q"],
        &["web/99999", "web/0 to web/"],
    );
    // 2^40, where the numbers of the next service begin.
    for number in ["1099511627776", "18446744073709551615"] {
        let name = format!("web/{number}");
        refused(dir.path(), &["explain", "pod", file, &name, "-q"], &[&name, "web/0"]);
    }
    refused(dir.path(), &["explain", "pod", file, "telemetry/0", "-q"], &["DaemonSet"]);
}

/// A result is explained by simulating its cell again, which must come out the
/// same; another scenario, other settings or a foreign directory are refused.
#[test]
fn a_result_is_explained_from_the_scenario_that_made_it() {
    let dir = scratch();
    small(dir.path());
    fine(dir.path(), &["run", "s.yaml", "-q"]);
    let result = "out/small";
    let story = explained(dir.path(), &["cost", result, "--node", "small/0"]);
    let summary = json(&dir.path().join("out/small/base/summary.json"));
    assert_eq!(story["bill_total"], summary["cost"]["total"]);
    assert_eq!(story["seed"], summary["seed"]);
    explained(dir.path(), &["pod", result, "jobs/1"]);

    let pod = |args: &[&str], words: &[&str]| {
        let mut all = vec!["explain", "pod"];
        all.extend(args);
        refused(dir.path(), &all, words);
    };
    pod(&[result, "--seed", "99"], &["holds seed 1"]);
    pod(&[result, "--case", "bsae"], &["bsae", "`base`"]);
    pod(&["s.yaml", "--scenario", "s.yaml"], &["--scenario"]);
    pod(&[result, "--set", "pools.small.fixed.count=2"], &["events differ", "--set"]);
    let price =
        ["explain", "cost", result, "--workload", "jobs", "--set", "charges.root-volume=20Gi"];
    refused(dir.path(), &price, &["cost differ"]);
    fs::create_dir(dir.path().join("mine")).expect("a directory");
    pod(&["mine"], &["`mine` is no result of `plimsoll run`"]);
    fs::write(dir.path().join("mine/sweep.json"), "{}").expect("a file");
    pod(&["mine"], &["`mine` holds a sweep"]);
    fs::write(dir.path().join("mine/comparison.csv"), "a,b\n1,2\n").expect("a file");
    pod(&["mine"], &["no comparison of plimsoll"]);

    fs::rename(dir.path().join("s.yaml"), dir.path().join("moved.yaml")).expect("moved");
    pod(&[result, "jobs/1"], &["cannot find the scenario `s.yaml`", "--scenario"]);
    explained(dir.path(), &["pod", result, "jobs/1", "--scenario", "moved.yaml"]);
    let changed =
        fs::read_to_string(dir.path().join("t.csv")).expect("a trace") + "30,60,1,1Gi,more\n";
    fs::write(dir.path().join("t.csv"), changed).expect("a trace");
    pod(&[result, "jobs/1", "--scenario", "moved.yaml"], &["t.csv", "is not what it was"]);
}
