//! Break-evens of scenarios, from text to dollars.

use std::path::Path;

use super::*;
use crate::bill::KeepLines;
use crate::catalog::Catalog;
use crate::observe::KeepPods;
use crate::plan::{Options, Plan};
use crate::scenario::Source;

fn plan(text: &str) -> Plan {
    let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("parses");
    plan::link(&source, &Options::default()).expect("links")
}

type Compared = (String, std::result::Result<Breakeven, String>);

/// Break-evens of a case, and its bill.
fn judged(case: &CasePlan) -> (Vec<Compared>, Bill) {
    let workloads = case.workload.materialise(1).expect("draws");
    let record = crate::world::run(&case.setup, &workloads, 1, KeepPods::Yes);
    let cluster = &case.setup.cluster;
    let bill = Bill::compute(&record, cluster, &workloads, &case.billing, KeepLines::Yes);
    let bill = bill.expect("bills");
    let catalog = Catalog::load(None).expect("tables");
    let prices = Prices::new(catalog, &case.region, false).expect("a Region");
    let ran = Ran { record: &record, workloads: &workloads, bill: &bill };
    (simulated(case, &prices, ran).expect("priced"), bill)
}

fn only(text: &str) -> std::result::Result<Breakeven, String> {
    judged(&plan(text).cases[0]).0.remove(0).1
}

fn near(got: Rate, want: f64) {
    assert!((got.to_f64() - want).abs() < 1e-6 * want, "{got}, not {want}");
}

/// Two replicas for two hours and ten jobs of 20 s. On EKS:
///
/// - web: 512 + 256 MiB make 0.25 vCPU and 1 GB, 0.01012 + 0.004445 = 0.014565
///   an hour; of 40 GiB of storage 46 are provisioned, 26 charged, 0.002886.
/// - job: 2,048 + 256 MiB make 0.5 vCPU and 3 GB, 0.02024 + 0.013335 = 0.033575
///   an hour, of which each is billed a minute: 10 ÷ 60 × 0.033575 = 0.00559583.
/// - a licence of 0.01 for each pod-hour, of which there are 4 + 200 ÷ 3,600.
///
/// (4 × 0.017451 + 0.00559583) ÷ 4.0555556 + 0.01 = 0.02859174 a pod-hour.
///
/// A node costs 0.096, 50 GiB × 0.08 ÷ 730 = 0.00547945 and a licence of 0.02.
const BOTH_SIDES: &str = "
version: 1
name: both
region: us-east-1
time: { horizon: 2h }
workload:
  web:
    fargate-storage: 40Gi
    service: { requests: { cpu: 250m, memory: 512Mi }, replicas: 2 }
  job:
    startup: 0s
    generate:
      count: 10
      arrivals: { even: { every: 1m } }
      duration: 20s
      shapes: [{ cpu: 100m, memory: 2Gi }]
pools:
  p: { fixed: { type: m5.large, count: 1 } }
charges:
  root-volume: 50Gi
  node-licence: { usd-per-node-hour: 0.02 }
  fargate-licence: { usd-per-pod-hour: 0.01 }
cases:
  nodes: {}
  moved:
    remove: [pools.p]
    set: { pools.f: { fargate: { match: { namespace: \"*\" }, start-latency: 0s } } }
";

#[test]
fn everything_that_either_side_costs_counts() {
    let found = only(BOTH_SIDES).expect("compared");
    let fargate = &found.fargate[0];
    // The replicas are bound some milliseconds after the start.
    assert!((fargate.per_hour.to_f64() - 0.028_591_74).abs() < 1e-7, "{}", fargate.per_hour);
    let parts: Vec<&str> = fargate.parts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(parts, ["fargate", "Fargate storage", "Fargate licences"]);
    let sum: i128 = fargate.parts.iter().map(|(_, rate)| rate.pico()).sum();
    assert_eq!(sum, fargate.per_hour.pico());
    near(found.ec2[0].per_hour, 0.096 + 50.0 * 0.08 / 730.0 + 0.02);
    // Under a plan vCPU and memory are 20 % off, storage and licence are not:
    // 0.01574526 × 0.8 + 0.00284648 + 0.01.
    let under = found.fargate.iter().find(|p| p.plan.as_deref() == Some("compute-sp-1y"));
    let under = under.expect("a plan").per_hour.to_f64();
    assert!((under - 0.025_442_69).abs() < 1e-7, "{under}");
}

/// What the pods of a pool are said to cost on Fargate is what a run with
/// them there is billed, but for the milliseconds that the scheduler takes.
///
/// With an image of 500 MiB, which takes ten seconds, jobs of 70 seconds are
/// billed 80: on nodes only the first of them pulls it.
#[test]
fn a_run_on_fargate_is_billed_the_same() {
    let pulled = BOTH_SIDES
        .replace("    startup: 0s", "    startup: 0s\n    image: 500Mi")
        .replace("duration: 20s", "duration: 70s");
    for text in [BOTH_SIDES, &pulled] {
        billed_the_same(text);
    }
}

fn billed_the_same(text: &str) {
    let plan = plan(text);
    let (mut found, _) = judged(&plan.cases[0]);
    let found = found.remove(0).1.expect("compared");
    let measured = found.measured.expect("ran");
    let pod_hours = measured.pods_per_node * measured.node_hours;
    let said = pod_hours * found.fargate[0].per_hour.to_f64();
    let (none, bill) = judged(&plan.cases[1]);
    assert_eq!(none, []);
    let billed = bill.by_pool["f"].to_f64();
    assert!((said - billed).abs() < 1e-5 * billed, "{said} {billed}");
}

const GPUS: &str = "
version: 1
name: gpus
region: us-east-1
time: { horizon: 2h }
workload:
  web:
    service: { requests: { cpu: 250m, memory: 512Mi }, replicas: 2 }
  train:
    startup: 0s
    generate:
      count: 4
      arrivals: { even: { every: 1m } }
      duration: 20m
      shapes: [{ cpu: 1, memory: 2Gi, extended: { nvidia.com/gpu: 1 } }]
pools:
  p: { fixed: { type: g5.xlarge, count: 2 } }
";

/// Four jobs of 20 minutes stay: 4 ÷ 3 of 16 ÷ 3 pod-hours, a quarter.
#[test]
fn what_fargate_has_none_of_is_said() {
    let found = only(GPUS).expect("compared");
    let [left] = found.left_out.as_slice() else { panic!("{:?}", found.left_out) };
    assert_eq!(left.reason, "fargate-extended-resource");
    assert!((left.share - 0.25).abs() < 1e-4, "{left:?}");
    let gpu = Caveat::Accelerators {
        kind: "g5.xlarge".to_owned(),
        count: 1,
        name: "a10g GPU".to_owned(),
    };
    assert_eq!(found.caveats, [gpu]);
    // Of GPU pods alone there is nothing to compare.
    let (from, to) = (GPUS.find("  web:").expect("a line"), GPUS.find("  train:").expect("a line"));
    let why = only(&format!("{}{}", &GPUS[..from], &GPUS[to..])).expect_err("nothing");
    assert!(why.contains("GPUs"), "{why}");
}

/// 1 vCPU and 2 GB. On EKS pods of arm64 nodes are x86 pods on Fargate, with
/// 256 MiB more: 0.04048 + 3 × 0.004445 = 0.053815. On ECS tasks stay on
/// arm64: 0.03238 + 2 × 0.00356 = 0.0395.
#[test]
fn ecs_stays_on_arm64_and_eks_does_not() {
    let eks = "
version: 1
name: arm
region: us-east-1
time: { horizon: 2h }
workload:
  web:
    service: { requests: { cpu: 1, memory: 2Gi }, replicas: 2 }
pools:
  p: { fixed: { type: m7g.xlarge, count: 1 } }
";
    let found = only(eks).expect("compared");
    assert_eq!(found.caveats, [Caveat::OnAmd64("m7g.xlarge".to_owned())]);
    assert!((found.fargate[0].per_hour.to_f64() - 0.053_815).abs() < 1e-6);
    let ecs = eks.replace("region", "orchestrator: ecs\nregion");
    let found = only(&ecs).expect("compared");
    assert_eq!(found.caveats, []);
    assert_eq!(found.fargate[0].option, "fargate-arm64");
    assert!((found.fargate[0].per_hour.to_f64() - 0.0395).abs() < 1e-6);
    // An agent sits beside each task, as in a run: 2.125 GiB make 3 GB of 1 vCPU
    // and 50m more make it 2 vCPU and 4 GB: 0.06476 + 0.01424.
    let agent = "  agent:
    daemonset: { requests: { cpu: 50m, memory: 128Mi }, on-fargate: sidecar }
pools:";
    let found = only(&ecs.replace("pools:", agent)).expect("compared");
    assert!((found.fargate[0].per_hour.to_f64() - 0.079).abs() < 1e-6);
}

/// What one pool pays is as sure as its own prices: Spot's are derived.
#[test]
fn a_pool_answers_for_its_own_prices() {
    let text = BOTH_SIDES.replace(
        "pools:\n",
        "pools:\n  s: { fixed: { type: m5.large, count: 1, purchase: spot } }\n",
    );
    let (found, _) = judged(&plan(&text).cases[0]);
    let status = |name: &str| {
        let (_, it) = found.iter().find(|(pool, _)| pool == name).expect("has nodes");
        it.as_ref().expect("compared").ec2[0].status
    };
    assert_eq!((status("s"), status("p")), (PriceStatus::Derived, PriceStatus::Real));
}

/// Prices that only one side knows are named: each by its code.
#[test]
fn one_sided_prices_are_named() {
    let codes = |more: &str| -> Vec<&str> {
        let plan = plan(&format!("{GPUS}{more}"));
        one_sided(&plan.cases[0]).into_iter().map(|(code, _)| code).collect()
    };
    assert_eq!(codes(""), Vec::<&str>::new());
    assert_eq!(codes("discounts: { ec2: 5% }\n"), ["breakeven-discounts"]);
    assert_eq!(codes("prices: { fargate: 110% }\n"), ["breakeven-factors"]);
    let spot = GPUS.replace("count: 2", "count: 2, purchase: spot");
    let moving = format!("{spot}spot: {{ prices: {{ process: {{ interval: 1h }} }} }}\n");
    let named = one_sided(&plan(&moving).cases[0]);
    assert!(matches!(named.as_slice(), [("breakeven-spot", _)]), "{named:?}");
}
