//! Amazon ECS end to end.

use super::*;

fn run(dir: &Path, scenario: &str) -> serde_json::Value {
    fs::write(dir.join("s.yaml"), scenario).expect("a scenario");
    fine(dir, &["run", "s.yaml", "-q"]);
    let summary = json(&dir.join("out/hand/base/summary.json"));
    assert_cost_adds_up(&summary);
    assert_pods_conserved(&summary);
    summary
}

/// What tasks of these rows cost on what `rest` of a scenario offers.
fn bill(dir: &Path, rows: &str, rest: &str) -> serde_json::Value {
    let trace = format!("arrival,duration,cpu,memory\n{rows}");
    fs::write(dir.join("t.csv"), trace).expect("a trace");
    let opening = "version: 1
name: hand
region: us-east-1
orchestrator: ecs
seeds: 1
time: { start: 2025-01-06T00:00Z, horizon: until-idle }
workload:
  jobs: { trace: t.csv, startup: 0s }";
    run(dir, &format!("{opening}{rest}"))
}

/// Eight tasks of half a vCPU and 1 GiB for two hours on two m5.large.
///
/// - An instance registers 2 vCPU and 7,811 MiB: four tasks each, at once. (On
///   EKS 70m are reserved, and the fourth pod of a node would wait.)
/// - 2 instances × 2 h × 0.096 = 0.384.
/// - A volume of 20 GB at 0.08 a month: 1.6 / 730 = 0.002191780822 an hour and
///   instance, four of them 0.008767123288.
/// - A cluster costs nothing.
#[test]
fn a_bill_of_ecs_on_ec2_equals_the_one_made_by_hand() {
    let dir = scratch();
    let summary = bill(
        dir.path(),
        &"0,7200,500m,1Gi\n".repeat(8),
        r"
placement: [binpack(memory)]
pools:
  own: { fixed: { type: m5.large, count: 2, zones: [us-east-1a] } }
charges: { root-volume: 20Gi }
",
    );
    let cost = &summary["cost"];
    assert_eq!(summary["pods"]["finished"], 8);
    assert_eq!(summary["nodes"]["node_hours"], 4.0);
    assert_eq!(cost["by_purchase"]["on-demand"], "0.384");
    assert_eq!(cost["by_charge"]["root-volume"], "0.008767123288");
    assert_eq!(cost["by_charge"].get("control-plane"), None);
    assert_eq!(cost["total"], "0.392767123288");
}

/// Three tasks of 0.9 vCPU and 2 GiB for an hour on Fargate Spot, ARM, under
/// a Savings Plan that must not cover them.
///
/// - The size is 1 vCPU and 2 GB: without the 256 MiB of EKS memory stays as
///   asked for. 0.009714 + 2 × 0.001068 = 0.01185 an hour; three hours 0.03555.
/// - Billing starts when the machine is there, at 30 s, and so ends at 3,630 s.
/// - The plan of 0.1 an hour is unused: 0.1 and 30 s of it, 0.000833333333.
#[test]
fn a_bill_of_fargate_spot_on_arm_equals_the_one_made_by_hand() {
    let dir = scratch();
    let summary = bill(
        dir.path(),
        &"0,3600,900m,2Gi\n".repeat(3),
        r"
pools:
  spot: { fargate: { purchase: spot, arch: arm64, interruptions: none, start-latency: 30s } }
commitments:
  plan: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
",
    );
    let cost = &summary["cost"];
    assert_eq!(summary["pods"]["finished"], 3);
    assert_eq!(cost["by_purchase"]["fargate-spot"], "0.03555");
    assert_eq!(cost["by_charge"]["fargate-vcpu"], "0.029142");
    assert_eq!(cost["by_charge"]["fargate-memory"], "0.006408");
    assert_eq!(cost["by_purchase"]["savings-plan"], "0.100833333333");
    assert_eq!(cost["total"], "0.136383333333");
    // A tenth of the vCPU was more than asked for.
    assert_eq!(cost["waterfall"]["fargate-rounding"], "0.0029142");
}

/// The bundled comparison: eight cases, equal bytes on one and two threads.
#[test]
fn eight_cases_on_two_orchestrators() {
    let dir = scratch();
    let scenario = root().join("workloads/eks-and-ecs.yaml");
    let scenario = scenario.to_str().expect("UTF-8");
    let args = ["run", scenario, "-q", "--seeds", "2"];
    fine(dir.path(), &[&args[..], &["-j1", "-o", "one"]].concat());
    fine(dir.path(), &[&args[..], &["-j2", "-o", "two"]].concat());
    assert_equal_results(&dir.path().join("one"), &dir.path().join("two"));
    for case in ["on-demand", "spot", "plan", "fargate"] {
        for (orchestrator, plane) in [("eks", true), ("ecs", false)] {
            let path = dir.path().join(format!("one/{orchestrator}-{case}/summary.json"));
            let summary = json(&path);
            assert_cost_adds_up(&summary);
            assert_pods_conserved(&summary);
            let charges = &summary["cost"]["by_charge"];
            assert_eq!(charges.get("control-plane").is_some(), plane, "{orchestrator}-{case}");
            let bought = &summary["cost"]["by_purchase"];
            let has = |name: &str| bought.get(name).is_some();
            assert_eq!(has("spot"), case == "spot");
            assert_eq!(has("savings-plan"), case == "plan");
            assert_eq!(has("fargate"), case == "fargate");
            assert_eq!(has("fargate-spot"), case == "fargate" && orchestrator == "ecs");
        }
    }
}

/// One real trace on both orchestrators.
#[test]
fn a_real_trace_runs_on_both_orchestrators() {
    let Some(shared) = shared() else { return };
    let dir = scratch();
    let trace = shared.join("data/traces/swf/LCG-2005-1.swf.gz");
    if !trace.exists() {
        eprintln!("skipped: {} is absent", trace.display());
        return;
    }
    fs::copy(&trace, dir.path().join("lcg.swf.gz")).expect("a copy");
    fs::copy(root().join("workloads/traces/lcg-eks-and-ecs.yaml"), dir.path().join("s.yaml"))
        .expect("a copy");
    let args = [
        "run",
        "s.yaml",
        "-q",
        "--seeds",
        "1",
        "--set",
        "workload.jobs.trace=lcg.swf.gz",
        "--case",
        "ecs-spot",
        "--case",
        "ecs-fargate",
    ];
    fine(dir.path(), &args);
    for case in ["ecs-spot", "ecs-fargate"] {
        let summary = json(&dir.path().join(format!("out/lcg-eks-and-ecs/{case}/summary.json")));
        assert_eq!(summary["pods"]["finished"], 188_041);
        assert_cost_adds_up(&summary);
        assert_pods_conserved(&summary);
    }
}

/// A scenario whose tasks wait, spread, are kept apart and refused.
const STORY: &str = "version: 1
name: story
region: us-east-1
orchestrator: ecs
seeds: 1
time: { start: 2025-01-06T00:00Z, horizon: 2h }
workload:
  web:
    service: { requests: { cpu: 500m, memory: 1Gi }, replicas: 3 }
    placement-strategy: [spread(attribute:ecs.availability-zone), binpack(memory)]
    placement-constraints: [distinctInstance, \"memberOf(attribute:ecs.instance-type =~ m5.*)\"]
    capacity-provider-strategy:
      - { capacityProvider: steady, base: 1, weight: 1 }
      - { capacityProvider: extra, weight: 2 }
  jobs:
    trace: t.csv
    startup: 0s
    capacity-provider-strategy: [{ capacityProvider: extra }]
    placement-constraints:
      - type: memberOf
        expression: attribute:team == blue and not(task:group == service:web)
pools:
  steady: { asg: { types: [m5.large], min: 3, max: 5 } }
  extra:
    asg: { types: [m5.large], min: 2, max: 6, boot: { launch: 30s, ready: 60s } }
    labels: { team: blue }
";

fn told(dir: &Path, which: &str) -> (serde_json::Value, String) {
    let args = ["explain", "pod", "s.yaml", which, "-q"];
    let text = fine(dir, &args).stdout;
    let text = String::from_utf8(text).expect("UTF-8");
    assert!(narrow(&text), "{text}");
    let out = fine(dir, &[&args[..], &["--format", "json"]].concat()).stdout;
    for format in ["markdown", "csv"] {
        fine(dir, &[&args[..], &["--format", format]].concat());
    }
    (serde_json::from_slice(&out).expect("JSON"), text)
}

/// Instances 0, 1, 2 of a pool stand in zones a, b, c.
///
/// - Of three replicas one goes to the base of `steady`; then 1/2 of `extra` is
///   less than 1/1; then both have 1, and `steady` is listed first.
/// - web/1 finds its own zone a taken and goes to b, where it is alone.
/// - The jobs must not stand beside web/1, so they have extra/0 alone: it holds
///   one of 1.5 vCPU. Two wait for managed scaling. 60 s are a datapoint: both
///   have come when it is made, and two instances are asked for.
/// - 8 vCPU are more than an m5.large has.
#[test]
fn a_task_on_ecs_is_explained_by_hand() {
    let dir = scratch();
    let dir = dir.path();
    fs::write(dir.join("s.yaml"), STORY).expect("a scenario");
    let rows = "50,3600,1500m,2Gi\n50,3600,1500m,2Gi\n55,600,1500m,2Gi\n80,600,8,2Gi\n";
    fs::write(dir.join("t.csv"), format!("arrival,duration,cpu,memory\n{rows}")).expect("a trace");

    let (story, text) = told(dir, "web/0");
    assert_eq!(story["group"], "service:web");
    let first = &story["instances"][0];
    assert_eq!(first["capacity_provider"]["chosen"], "steady");
    assert_eq!(first["capacity_provider"]["why"], "steady has 0 of its base of 1");
    assert_eq!(first["placement"][0]["eligible"], 3);
    assert_eq!(first["place"], "steady/0");
    assert!(text.contains("binpack(memory): 7811Mi left; 3 left"), "{text}");

    let second = &told(dir, "web/1").0["instances"][0];
    assert_eq!(second["place"], "extra/1");
    let ranks: Vec<f64> = second["capacity_provider"]["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|e| e["rank"].as_f64().expect("a rank"))
        .collect();
    assert_eq!(ranks, [1.0, 0.5]);
    let strategies = &second["placement"][0]["strategies"];
    assert_eq!(strategies[0]["strategy"], "spread(attribute:ecs.availability-zone)");
    assert_eq!(strategies[0]["keeps"], "0 tasks of its group with the value");
    assert_eq!(strategies[0]["left"], 1);

    let (story, text) = told(dir, "web/2");
    let third = &story["instances"][0];
    assert_eq!(third["place"], "steady/2");
    assert!(text.contains("the first of equals in the list"), "{text}");
    let reasons = |sight: &serde_json::Value| -> Vec<(String, u64)> {
        sight["rejected"]
            .as_array()
            .expect("reasons")
            .iter()
            .map(|r| {
                let reason = r["reason"].as_str().expect("words").to_owned();
                (reason, r["instances"].as_u64().expect("a count"))
            })
            .collect()
    };
    let there = "distinctInstance: a task of its group is there";
    let other = "of another capacity provider";
    assert_eq!(reasons(&third["placement"][0]), [(other.to_owned(), 2), (there.to_owned(), 1)]);

    let (story, text) = told(dir, "jobs/2");
    let job = &story["instances"][0];
    assert_eq!(job["place"], "extra/3");
    // Asked for at 60 s, there at 90 s, registered at 150 s.
    assert_eq!(job["waited_s"], 95.0);
    let events: Vec<&str> = job["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|e| e["event"].as_str().expect("one"))
        .collect();
    assert_eq!(events, ["submitted", "waits", "scale-out", "room", "placed", "finished"]);
    let apart = "memberOf: does not satisfy not(task:group == service:web)";
    let cpu = "too little cpu left";
    let want = [(other.to_owned(), 3), (cpu.to_owned(), 1), (apart.to_owned(), 1)];
    assert_eq!(reasons(&job["placement"][0]), want);
    let raised = "managed scaling raises extra from 2 to 4 instances";
    assert_eq!(job["events"][2]["text"], raised);
    assert!(text.contains("extra/3 registers and can take it"), "{text}");

    let (story, text) = told(dir, "jobs/3");
    assert_eq!(story["instances"][0]["end"], "rejected");
    assert!(text.contains("no empty node has the cpu it requests"), "{text}");
    let lacks = &story["instances"][0]["never_fits"];
    assert_eq!(lacks[0]["reasons"][0], cpu);
    assert_eq!((lacks[0]["free_cpu"].as_str(), lacks[1].as_object()), (Some("2"), None));
    // By role as well.
    let out = fine(dir, &["explain", "pod", "s.yaml", "--rejected", "-q"]).stdout;
    assert!(String::from_utf8(out).expect("UTF-8").contains("Task jobs/3"));
}

/// Tasks on Fargate: the provider, the size and no placement.
#[test]
fn a_task_on_fargate_is_explained() {
    let dir = scratch();
    let dir = dir.path();
    let pools = "pools:
  plain: { fargate: {} }
  spot: { fargate: { purchase: spot, interruptions: none } }
";
    let scenario = STORY.split("workload:").next().expect("a head");
    let workload = "workload:
  web:
    service: { requests: { cpu: 700m, memory: 1Gi }, replicas: 4 }
    capacity-provider-strategy:
      - { capacityProvider: plain, base: 2, weight: 1 }
      - { capacityProvider: spot, weight: 1 }
";
    fs::write(dir.join("s.yaml"), format!("{scenario}{workload}{pools}")).expect("a scenario");
    let (story, text) = told(dir, "web/2");
    let task = &story["instances"][0];
    // 2 − 2 + 1 = 0 − 0 + 1: the first listed.
    assert_eq!(task["capacity_provider"]["chosen"], "plain");
    assert!(task["place"].as_str().expect("a place").starts_with("plain/"), "{task}");
    assert_eq!(task["fargate"]["billed"], "1 vCPU 2 GB");
    assert!(text.contains("On Fargate pool plain"), "{text}");
    assert_eq!(told(dir, "web/3").0["instances"][0]["place"], "spot/0");
}
