//! `plimsoll breakeven`: from the command line alone, and of a scenario.

use super::{fine, json, narrow, refused, root, scratch, text};

const SMALL: [&str; 7] =
    ["breakeven", "--type", "m6i.2xlarge", "--cpu", "100m", "--memory", "256Mi"];

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [base, more].concat()
}

/// An m6i.2xlarge in us-east-1 (0.384 USD) buys 31.1 Fargate pods of 0.25 vCPU
/// and 0.5 GB (0.0123425 USD): 39 % of its vCPU, 54 % of its pod slots.
#[test]
fn small_pods_on_eks_break_even_at_31() {
    let dir = scratch();
    let table = text(&fine(dir.path(), &SMALL).stdout);
    assert!(narrow(&table), "{table}");
    let row = table.lines().find(|l| l.starts_with("on-demand")).expect("a row");
    let cells: Vec<&str> = row.split_whitespace().filter(|c| *c != "%").collect();
    assert_eq!(cells[1..4], ["0.3840", "31.1", "39"], "{row}");
    assert_eq!(cells[7..], ["54", "54", "32"], "{row}");
    fine(dir.path(), &with(&SMALL, &["-o", "be"]));
    let found = json(&dir.path().join("be/breakeven.json"));
    let first = &found["comparisons"][0]["break_even"][0];
    assert_eq!(first["cheaper_from_pods"], 32);
    assert!(dir.path().join("be/breakeven.svg").is_file());
    assert!(dir.path().join("be/breakeven.csv").is_file());
}

/// Requests and 256 MiB fill 1 vCPU with 3 or 4 GB: 89 and 82 % of raw vCPU.
#[test]
fn well_shaped_pods_break_even_at_80_to_90_percent() {
    let dir = scratch();
    for (memory, percent) in [("2816Mi", 0.892), ("3840Mi", 0.824)] {
        let args = ["breakeven", "--type", "m6i.2xlarge", "--cpu", "1", "--memory", memory];
        let out = fine(dir.path(), &with(&args, &["--format", "json"]));
        let found: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
        let share = &found["comparisons"][0]["break_even"][0]["shares"]["vcpu"];
        assert!((share.as_f64().expect("a share") - percent).abs() < 5e-4, "{memory}: {share}");
    }
}

/// Fargate Spot and ARM are for ECS; a root volume makes the node dearer.
#[test]
fn purchase_and_architecture_are_compared() {
    let dir = scratch();
    let options = |more: &[&str]| {
        let out = fine(dir.path(), &with(&with(&SMALL, &["--format", "json"]), more));
        let found: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
        let it = &found["comparisons"][0];
        let names = it["fargate"].as_array().expect("ways").iter();
        let names: Vec<String> =
            names.map(|p| p["option"].as_str().expect("a name").to_owned()).collect();
        (names, it["ec2"][0]["usd_per_hour"].as_str().expect("a price").to_owned())
    };
    let (eks, bare) = options(&[]);
    assert!(eks.iter().all(|n| !n.contains("spot")), "{eks:?}");
    assert_eq!(bare, "0.384");
    let (ecs, _) = options(&["--orchestrator", "ecs"]);
    assert!(ecs.contains(&"fargate-spot".to_owned()), "{ecs:?}");
    // 50 GiB × 0.08 ÷ 730.
    assert_eq!(options(&["--root-volume", "50Gi"]).1, "0.389479452055");
    // And 12 % of 0.384 more.
    assert_eq!(options(&["--root-volume", "50Gi", "--auto-mode"]).1, "0.435559452055");
    refused(dir.path(), &with(&SMALL, &["--orchestrator", "ecs", "--auto-mode"]), &["EKS"]);
    let arm = ["breakeven", "--type", "m7g.large", "--pod", "250m,1Gi,3", "--pod", "500m,2Gi"];
    let table = text(&fine(dir.path(), &with(&arm, &["--orchestrator", "ecs"])).stdout);
    assert!(table.contains("Fargate-arm64") && table.contains("75 % 0.25 vCPU"), "{table}");
}

#[test]
fn a_scenario_is_judged_as_it_runs() {
    let dir = scratch();
    let file = root().join("workloads/ec2-vs-fargate.yaml");
    let file = file.to_str().expect("a path");
    let table = text(&fine(dir.path(), &["breakeven", file, "-q", "-o", "be"]).stdout);
    assert!(narrow(&table), "{table}");
    assert!(
        table.contains("EC2 as you run it is") && table.contains("All pools above:"),
        "{table}"
    );
    let found = json(&dir.path().join("be/breakeven.json"));
    let pools = found["comparisons"].as_array().expect("pools");
    assert_eq!(pools.len(), 3);
    // What nodes cost as bought is what the bill says of the pools.
    fine(dir.path(), &["run", file, "-q", "--seeds", "1", "--case", "ec2", "-o", "out"]);
    let summary = json(&dir.path().join("out/ec2/summary.json"));
    for pool in pools {
        let number = |v: &serde_json::Value| v.as_f64().expect("a number");
        let per_hour: f64 =
            pool["ec2"][0]["usd_per_hour"].as_str().expect("a price").parse().expect("a price");
        let cost = per_hour * number(&pool["measured"]["node_hours"]);
        let name = pool["subject"].as_str().expect("a name");
        let billed = summary["cost"]["by_pool"][name].as_str().expect("money");
        let billed: f64 = billed.parse().expect("money");
        assert!((cost - billed).abs() < 1e-6 * billed, "{name}: {cost} {billed}");
    }
    for i in 1..=3 {
        assert!(dir.path().join(format!("be/breakeven-{i}.svg")).is_file());
    }
    // Where everything is on Fargate there is nothing to compare.
    refused(dir.path(), &["breakeven", file, "--case", "fargate", "-q"], &["nothing to compare"]);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let dir = scratch();
    let pod = ["--cpu", "1", "--memory", "1Gi"];
    for (args, words) in [
        (with(&["breakeven", "--type", "m6i.2xlrage"], &pod), "did you mean `m6i.2xlarge`"),
        (with(&["breakeven", "--type", "t3.nano"], &pod), "no such pod fits"),
        (
            with(&["breakeven", "--type", "m5.large", "--region", "eu-west-1"], &pod),
            "--allow-believed-prices",
        ),
        (vec!["breakeven", "--type", "m5.large"], "or `--pod` for each kind"),
        (vec!["breakeven", "--type", "m5.large"], "give `--cpu` and `--memory`"),
        (vec!["breakeven", "--type", "m5.large", "--cpu", "1"], "--memory"),
        (vec!["breakeven", "--type", "m5.large", "--pod", "1"], "comma"),
        (vec!["breakeven", "--type", "m5.large", "--pod", "1,1Gi,0"], "weight"),
        (vec!["breakeven", "--type", "m5.large", "--pod", "99,1Gi"], "no size for it"),
        (with(&["breakeven", "--type", "m5.large", "--root-volume", "5"], &pod), "50Gi"),
        (vec!["breakeven", "s.yaml", "--type", "m5.large"], "cannot be used with"),
        (with(&["breakeven", "--type", "m5.large", "--seed", "3"], &pod), "FILE"),
    ] {
        refused(dir.path(), &args, &[words]);
    }
}
