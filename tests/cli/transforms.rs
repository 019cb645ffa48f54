//! What-ifs about work and prices as settings of a scenario and its cases.

use super::*;

/// A steady load of ten days on one pool: a pod an hour, and a service that
/// differs from day to day.
const SCENARIO: &str = "\
version: 1
name: t
region: us-east-1
seed: 1
seeds: 4
time: { start: 2025-01-06T00:00Z, horizon: 7d }
workload:
  jobs: { trace: jobs.csv, startup: 0s }
  web:
    service:
      demand: rps.csv
      cpu-time-per-request: 10ms
      requests: { cpu: 1, memory: 1Gi }
      replicas: { target: 50%, min: 1, max: 60 }
pools:
  p: { asg: { types: [m5.4xlarge], min: 1, max: 30 }, scaler: cluster-autoscaler }
";

fn files(dir: &Path) {
    let mut jobs = vec!["arrival,duration,cpu,memory,count".to_owned()];
    let mut rps = vec!["time,rps".to_owned()];
    for hour in 0..240 {
        jobs.push(format!("{},600,1,1Gi,{}", hour * 3_600, 1 + hour / 24));
        if hour % 24 == 0 {
            rps.push(format!("{},{}", hour * 3_600, 40 + 40 * (hour / 24)));
        }
    }
    // Reaches into the last hour of the tenth day.
    rps.push("863999,1".to_owned());
    fs::write(dir.join("jobs.csv"), jobs.join("\n") + "\n").expect("writes");
    fs::write(dir.join("rps.csv"), rps.join("\n") + "\n").expect("writes");
}

fn run(dir: &Path, more: &str) -> String {
    fs::write(dir.join("t.yaml"), format!("{SCENARIO}{more}")).expect("writes");
    text(&fine(dir, &["run", "t.yaml", "-q", "-o", "out"]).stdout)
}

fn submitted(dir: &Path, case: &str) -> u64 {
    let summary = json(&dir.join(format!("out/{case}/summary.json")));
    assert_cost_adds_up(&summary);
    assert_pods_conserved(&summary);
    summary["pods"]["finished"].as_u64().expect("a count")
}

#[test]
fn growth_and_thinning_change_the_work_of_a_case() {
    let dir = scratch();
    files(dir.path());
    let cases = "cases:
  today: { remove: [workload.web] }
  double: { remove: [workload.web], set: { growth: 200% } }
  both: { remove: [workload.web], set: { growth: 200%, workload.jobs.growth: 150% } }
  third: { remove: [workload.web], set: { thin: 30% } }
";
    run(dir.path(), cases);
    // Seven days of 24 hours with 1, 2, … 7 pods, each of ten minutes.
    assert_eq!(submitted(dir.path(), "today"), 24 * 28);
    assert_eq!(submitted(dir.path(), "double"), 2 * 24 * 28);
    assert_eq!(submitted(dir.path(), "both"), 3 * 24 * 28);
    let third = submitted(dir.path(), "third");
    // 672 × 0.3 = 202; one deviation is 12.
    assert!((160..245).contains(&third), "{third}");
}

#[test]
fn resampled_days_are_said_of_intervals() {
    let dir = scratch();
    files(dir.path());
    let plain = run(dir.path(), "cases: { today: {} }\n");
    assert!(plain.contains("simulation noise only"), "{plain}");
    let cost = |case: &str| -> f64 {
        let summary = json(&dir.path().join(format!("out/{case}/summary.json")));
        summary["cost"]["total"].as_str().expect("a sum").parse().expect("a number")
    };
    let before = cost("today");
    let drawn = run(dir.path(), "resample: {}\ncases: { today: {} }\n");
    assert!(drawn.contains("days resampled"), "{drawn}");
    assert!(!drawn.contains("simulation noise only"), "{drawn}");
    assert!((cost("today") - before).abs() > 1.0, "other days cost other money");
    let page = fs::read_to_string(dir.path().join("out/report.html")).expect("a page");
    assert!(page.contains("since the days of the input are resampled"), "the method says so");
    let mixed = run(
        dir.path(),
        "cases: { today: {}, days: { set: { resample: { days: 7, keep: weekday } } } }\n",
    );
    assert!(mixed.contains("in some cases with days"), "{mixed}");
}

#[test]
fn prices_move_as_a_case_says() {
    let dir = scratch();
    files(dir.path());
    let cases = "charges: { control-plane: false }
cases:
  today: { remove: [workload.web] }
  dear: { remove: [workload.web], set: { prices: { on-demand: 110% } } }
  types: { remove: [workload.web], set: { prices: { types: { 'm5.*': 50% }, on-demand: 300% } } }
";
    run(dir.path(), cases);
    let cost = |case: &str| {
        let summary = json(&dir.path().join(format!("out/{case}/summary.json")));
        let status = &summary["cost"]["by_price_status"];
        let kind = if case == "today" { "real" } else { "derived" };
        assert_eq!(status[kind], summary["cost"]["total"], "{case}: {status}");
        pico(&summary["cost"]["total"])
    };
    let today = cost("today");
    // Each line is rounded on its own: at most one pico-USD off for each of
    // some 4,000 node-hours.
    let near = |a: i128, b: i128| assert!((a - b).abs() < 10_000, "{a} {b}");
    near(cost("dear") * 10, today * 11);
    near(cost("types") * 2, today * 3);
}

#[test]
fn what_cannot_be_transformed_is_refused() {
    let dir = scratch();
    files(dir.path());
    let check = |more: &str, words: &[&str]| {
        fs::write(dir.path().join("t.yaml"), format!("{SCENARIO}{more}")).expect("writes");
        refused(dir.path(), &["check", "t.yaml"], words);
    };
    check("growth: 0%\n", &["must be more than 0"]);
    check("growth: 20000%\n", &["more than 10000%"]);
    check("thin: 101%\n", &["more than 100%"]);
    check("resample: { days: 0 }\n", &["too small: at least 1"]);
    check("growth: 9000%\nworkload: {}\n", &["duplicate"]);
    check("prices: { types: { 'm99.*': 50% } }\n", &["no instance type of us-east-1 matches"]);
    check(
        "prices: { types: { 'm5.*': 50%, '*.large': 50% } }\n",
        &["a pattern before this one matches", "let each instance type match one pattern"],
    );
    let set = |path: &str, value: &str, words: &[&str]| {
        fs::write(dir.path().join("t.yaml"), SCENARIO).expect("writes");
        refused(dir.path(), &["check", "t.yaml", "--set", &format!("{path}={value}")], words);
    };
    set(
        "workload.web.thin",
        "50%",
        &["`thin` has no effect on a service", "which `growth` scales"],
    );
    let short = "arrival,duration,cpu,memory\n0,1,1,1Gi\n";
    fs::write(dir.path().join("jobs.csv"), short).expect("writes");
    set(
        "workload.jobs.resample",
        "{ days: 3 }",
        &["the trace of workload `jobs` has no whole day to draw", "into its last hour"],
    );
}
