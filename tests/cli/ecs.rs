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
