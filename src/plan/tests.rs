//! Whole scenarios, from text to plan or to findings.

use std::path::{Path, PathBuf};

use super::*;
use crate::bill::PriceStatus;
use crate::cluster::{Capacity, PoolKind, Purchase};
use crate::place::QueueProfile;
use crate::rng::Distribution;
use crate::scenario::Source;
use crate::units::{Bytes, DAY_MS, MilliCpu, Rate, SimTime};
use crate::world::Horizon;

/// Directory of the bundled scenarios.
fn bundled() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads");
    if here.is_dir() {
        return here;
    }
    Path::new(file!()).ancestors().nth(3).expect("src/plan/tests.rs").join("workloads")
}

pub(super) fn try_plan(text: &str, options: &Options) -> crate::Result<Plan> {
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, options)
}

pub(super) fn plan(text: &str) -> Plan {
    try_plan(text, &Options::default()).expect("links")
}

pub(super) fn errors(text: &str) -> String {
    try_plan(text, &Options::default()).expect_err("refused").to_string()
}

/// A batch workload of one pod of 1 cpu and 1 GiB.
pub(super) const JOB: &str = "
version: 1
name: t
region: us-east-1
workload:
  job:
    generate:
      count: 1
      arrivals: { even: { every: 1m } }
      duration: 10m
      shapes: [{ cpu: 1, memory: 1Gi }]
";

const SERVICE: &str = "
version: 1
name: t
region: us-east-1
time: { horizon: 1d }
workload:
  web:
    service:
      demand: 100
      cpu-time-per-request: 10ms
      requests: { cpu: 500m, memory: 1Gi }
      replicas: 3
";

pub(super) fn with(base: &str, rest: &str) -> String {
    format!("{base}{rest}")
}

pub(super) fn fixed(kind: &str) -> String {
    with(JOB, &format!("pools: {{ p: {{ fixed: {{ type: {kind}, count: 2 }} }} }}\n"))
}

pub(super) fn setting<'p>(case: &'p CasePlan, path: &str) -> &'p Setting {
    case.settings.iter().find(|s| s.path == path).unwrap_or_else(|| panic!("no setting {path}"))
}

pub(super) fn codes(plan: &Plan) -> Vec<&'static str> {
    plan.warnings.iter().map(|w| w.code).collect()
}

#[test]
fn bundled_scenarios_link_without_doubts() {
    let names = [
        ("hello", 3, 0),
        ("ec2-vs-fargate", 3, 0),
        ("eks-and-ecs", 8, 0),
        ("scale/1k-nodes-100k-pods", 1, 6),
        ("scale/10k-nodes-1m-pods", 1, 6),
        ("scale/10k-nodes-1m-pods-20-classes", 1, 20),
        ("scale/10k-nodes-1m-pods-200-classes", 1, 200),
        ("scale/backlog-100k", 1, 3),
    ];
    for (name, cases, shapes) in names {
        let path = bundled().join(format!("{name}.yaml"));
        let plan = load(&path, &Options::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(plan.cases.len(), cases, "{name}");
        let doubts: Vec<_> =
            plan.warnings.iter().filter(|w| w.code != "representative-prices").collect();
        assert!(doubts.is_empty(), "{name}: {doubts:?}");
        if shapes > 0 {
            assert_eq!((plan.name.as_str(), plan.cells()), (name.trim_start_matches("scale/"), 1));
            let text = plan.cases[0].effective.matches("memory: ").count();
            assert_eq!(text, shapes + 1, "{name}");
        }
    }
}

#[test]
fn a_node_offers_what_the_bootstrap_leaves() {
    let plan = plan(&fixed("m5.large"));
    let setup = &plan.cases[0].setup;
    let shape = &setup.cluster.shapes[0];
    // 2 vCPU: 60m + 10m reserved. 7,811 MiB seen, less 255 + 11 × 29 MiB of
    // kube-reserved and 100 MiB of eviction threshold.
    let memory = 7_811 - (255 + 11 * 29) - 100;
    assert_eq!(memory, 7_137);
    let capacity = |cpu, mib: i64| Capacity {
        cpu: MilliCpu(cpu),
        memory: Bytes(mib << 20),
        pods: 29,
        extended: vec![],
    };
    assert_eq!(shape.allocatable, capacity(1_930, memory));
    assert_eq!(shape.capacity, capacity(2_000, 7_811));
    assert_eq!(shape.nominal_memory, Bytes(8 << 30));
    assert_eq!(setup.cluster.zones, ["us-east-1a", "us-east-1b", "us-east-1c"]);

    let offer = &setup.cluster.pools[0].offers[1];
    assert_eq!(offer.hourly, "0.096".parse::<Rate>().expect("rate"));
    assert_eq!(offer.hazard_per_hour.to_bits(), 0f64.to_bits());
    let label = |key: &str| offer.labels.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str());
    for (key, value) in [
        ("node.kubernetes.io/instance-type", "m5.large"),
        ("topology.kubernetes.io/zone", "us-east-1b"),
        ("topology.kubernetes.io/region", "us-east-1"),
        ("kubernetes.io/arch", "amd64"),
        ("kubernetes.io/os", "linux"),
        ("eks.amazonaws.com/capacityType", "ON_DEMAND"),
        ("eks.amazonaws.com/nodegroup", "p"),
    ] {
        assert_eq!(label(key), Some(value), "{key}");
    }
    assert!(offer.labels.is_sorted());
}

#[test]
fn max_pods_and_reserved_change_a_node() {
    let plan = plan(&with(
        JOB,
        "pools:
  more: { fixed: { type: m5.large, count: 1 }, max-pods: 110 }
  own: { fixed: { type: m5.large, count: 1 }, reserved: { cpu: 100m, memory: 811Mi } }
  made: { fixed: { count: 1, shape: { vcpu: 4, memory: 8Gi, pods: 10, usd-per-hour: 0.1 } } }
",
    ));
    let shapes = &plan.cases[0].setup.cluster.shapes;
    // Kube-reserved follows the interfaces, not `max-pods`.
    assert_eq!(shapes[0].allocatable.pods, 110);
    assert_eq!(shapes[0].allocatable.memory, Bytes(7_137 << 20));
    assert_eq!(shapes[1].allocatable.cpu, MilliCpu(1_900));
    assert_eq!(shapes[1].allocatable.memory, Bytes(7_000 << 20));
    assert_eq!((shapes[2].name.as_str(), shapes[2].allocatable.cpu), ("made", MilliCpu(4_000)));
    let prices = &plan.cases[0].billing.shapes;
    assert!(prices[2].custom && !prices[0].custom);
    let stated = prices[2].on_demand.expect("stated");
    assert_eq!((stated.rate.to_string(), stated.status), ("0.1".into(), PriceStatus::Stated));
    assert_eq!(setting(&plan.cases[0], "pools.made.reserved").origin, Origin::Default);
}

#[test]
fn spot_costs_less_the_saving_and_strikes_by_band() {
    let base = with(
        JOB,
        "pools: { p: { asg: { types: [m6i.xlarge], max: 9, zones: [us-east-1b], \
         purchase: { on-demand-base: 1, above-base: spot } }, scaler: cluster-autoscaler } }\n",
    );
    let first = plan(&base);
    let case = &first.cases[0];
    let pool = &case.setup.cluster.pools[0];
    assert_eq!(pool.kind, PoolKind::AutoScalingGroup { min: 0, max: 9, autoscaled: true });
    assert_eq!((pool.on_demand_base, pool.on_demand_percentage_above_base), (1, 0));
    let offers: Vec<_> = pool.offers.iter().map(|o| (o.purchase, o.hourly.to_string())).collect();
    // 0.192 less 55 %.
    let want = [(Purchase::OnDemand, "0.192".into()), (Purchase::Spot, "0.0864".into())];
    assert_eq!(offers, want);
    assert_eq!(pool.offers[1].hazard_per_hour.to_bits(), 1.067_966_321_502_902_2e-4f64.to_bits());
    let price = &case.billing.shapes[0];
    assert_eq!(price.spot.iter().flatten().count(), 1);
    assert_eq!(price.spot[0].expect("sold").status, PriceStatus::Derived);
    assert_eq!((case.setup.spot.shock_share, case.setup.spot.notice.0), (0.5, 120_000));
    // Desired to running, running to Ready.
    let median = |d: &Distribution| match d {
        Distribution::LogNormal { median, .. } => *median,
        other => panic!("{other:?}"),
    };
    assert_eq!((median(&pool.launch), median(&pool.ready)), (15e3, 60e3));

    let hazard = |rest: &str| {
        let plan = plan(&with(&base, rest));
        plan.cases[0].setup.cluster.pools[0].offers[1].hazard_per_hour
    };
    assert_eq!(hazard("spot: { interruptions: none }\n").to_bits(), 0f64.to_bits());
    // −ln(0.95) / 730
    let own = hazard("spot: { interruptions: { per-month: 5% } }\n");
    assert!((own / 7.026_483e-5 - 1.0).abs() < 1e-6, "{own}");
}

/// EC2's own field: between all On-Demand and all Spot both are on offer.
#[test]
fn a_share_above_the_base_buys_both_ways() {
    let bought = |purchase: &str| {
        let pool = format!(
            "pools: {{ p: {{ asg: {{ types: [m6i.xlarge], max: 9, zones: [us-east-1b], \
             purchase: {{ {purchase} }} }}, scaler: cluster-autoscaler }} }}\n"
        );
        let plan = plan(&with(JOB, &pool));
        let pool = &plan.cases[0].setup.cluster.pools[0];
        let offers: Vec<Purchase> = pool.offers.iter().map(|o| o.purchase).collect();
        (pool.on_demand_percentage_above_base, offers)
    };
    let (od, spot) = (Purchase::OnDemand, Purchase::Spot);
    for (stated, percentage, offers) in [
        ("on-demand-percentage-above-base: 30", 30, vec![od, spot]),
        ("on-demand-percentage-above-base: 0", 0, vec![spot]),
        ("on-demand-percentage-above-base: 0, on-demand-base: 1", 0, vec![od, spot]),
        ("on-demand-percentage-above-base: 100", 100, vec![od]),
        ("above-base: spot", 0, vec![spot]),
        ("on-demand-base: 2", 100, vec![od]),
    ] {
        assert_eq!(bought(stated), (percentage, offers), "{stated}");
    }
    let twice = "pools: { p: { asg: { types: [m6i.xlarge], max: 9, purchase: { above-base: spot, \
                 on-demand-percentage-above-base: 50 } } } }\n";
    assert!(errors(&with(JOB, twice)).contains("is stated twice"));
    let beyond = twice.replace("above-base: spot, ", "").replace("50", "101");
    assert!(errors(&with(JOB, &beyond)).contains("too large: at most 100"));
}

#[test]
fn versions_decide_behaviour_and_fee() {
    let of = |version: &str| {
        let text = with(
            JOB,
            &format!(
                "versions: {{ kubernetes: \"{version}\" }}
time: {{ start: 2026-07-06T00:00Z }}
pools: {{ p: {{ asg: {{ types: [m5.large], max: 2 }}, scaler: cluster-autoscaler }} }}\n"
            ),
        );
        plan(&text)
    };
    let (old, new) = (of("1.31"), of("1.35"));
    let queue = |plan: &Plan| plan.cases[0].setup.scheduler.queue;
    assert_eq!((queue(&old), queue(&new)), (QueueProfile::kubernetes(31), QueueProfile::default()));
    let fee = |plan: &Plan| match &plan.cases[0].billing.around[0].pricing {
        crate::bill::Pricing::Dated(prices) => prices[0].1.price.rate.to_string(),
        _ => panic!("dated"),
    };
    assert_eq!((fee(&old).as_str(), fee(&new).as_str()), ("0.6", "0.1"));
    assert_eq!((codes(&old), codes(&new)), (vec!["extended-support"], vec![]));
    let loops =
        |plan: &Plan| plan.cases[0].setup.autoscaler.as_ref().expect("has one").frequent_loops;
    assert_eq!((loops(&old), loops(&new)), (false, true));
    assert_eq!(new.cases[0].setup.scheduler.service_time_us, Some(10_000));
}

#[test]
fn fargate_sells_its_sizes_by_cost_with_sidecars() {
    let text = with(
        SERVICE,
        "  telemetry: { daemonset: { requests: { cpu: 50m, memory: 64Mi } } }
  cni: { daemonset: { requests: { cpu: 25m, memory: 32Mi }, on-fargate: drop } }
pools: { f: { fargate: { match: { namespace: default } } } }
commitments: { sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1 } }
",
    );
    let plan = plan(&text);
    let case = &plan.cases[0];
    let fargate = &case.setup.cluster.fargate[0];
    assert_eq!(fargate.sizes.len(), 74);
    let first = fargate.sizes[0];
    assert_eq!((first.cpu, first.memory), (MilliCpu(250), Bytes(512 << 20)));
    assert_eq!((fargate.sidecar_cpu, fargate.sidecar_memory), (MilliCpu(50), Bytes(64 << 20)));
    assert_eq!(fargate.overhead_memory, Bytes(256 << 20));
    assert_eq!((fargate.launch_burst, fargate.launch_per_second), (20, 20));
    let cost = |s: &crate::cluster::FargateSize| {
        s.cpu.0 as f64 / 1e3 * 0.04048 + s.memory.0 as f64 / f64::from(1 << 30) * 0.004_445
    };
    assert!(fargate.sizes.windows(2).all(|w| cost(&w[0]) <= cost(&w[1]) + 1e-12));
    let price = &case.billing.fargate[0];
    assert_eq!(price.vcpu_hour.rate.to_string(), "0.04048");
    // The plan takes 20 % off.
    let (vcpu, gb) = case.billing.commitments[0].fargate[0].expect("covered");
    assert_eq!(
        (vcpu.rate.to_string(), gb.rate.to_string()),
        ("0.032384".into(), "0.003556".into())
    );
    assert_eq!(setting(case, "pools.f.fargate.start-latency").origin, Origin::Default);
}

#[test]
fn every_default_names_itself_and_what_is_written_is_the_scenarios() {
    let plan = plan(&fixed("m5.large"));
    let case = &plan.cases[0];
    for (path, value) in [
        ("time.start", "2025-01-06T00:00:00Z"),
        ("time.horizon", "until-idle"),
        ("time.warmup", "0s"),
        ("versions.kubernetes", "1.35"),
        ("placement.scheduler.rate", "100"),
        ("placement.scheduler.scoringStrategy.type", "LeastAllocated"),
        ("workload.job.namespace", "default"),
        ("workload.job.startup", "5s"),
        ("workload.job.on-interrupt", "restart"),
        ("pools.p.fixed.zones", "[us-east-1a, us-east-1b, us-east-1c]"),
        ("charges.control-plane", "true"),
        ("charges.root-volume", "none"),
        ("seed", "1"),
        ("seeds", "5"),
    ] {
        let setting = setting(case, path);
        assert_eq!((setting.value.as_str(), setting.origin), (value, Origin::Default), "{path}");
        assert!(!setting.note.is_empty(), "{path}");
    }
    let written = setting(case, "pools.p.fixed.count");
    assert_eq!((written.value.as_str(), written.origin), ("2", Origin::Scenario));
    let price = setting(case, "ec2-on-demand.m5.large");
    assert_eq!(price.value, "0.096 USD per instance-hour");
    assert!(price.note.starts_with("real, 2026-07-20, "), "{}", price.note);
    // Defaults of what is not there are not in force.
    assert!(case.settings.iter().all(|s| !s.path.starts_with("autoscaler")));
    assert!(case.settings.iter().all(|s| !s.path.starts_with("spot")));
    assert_eq!(case.setup.horizon, Horizon::UntilIdle);
    assert_eq!(case.setup.start_unix_ms, 1_736_121_600_000);
    assert_eq!(plan.seeds, [1, 2, 3, 4, 5]);
    assert!(plan.price_dates["ec2-on-demand"].contains("2026-07-20"));
}

#[test]
fn cases_that_differ_in_money_alone_are_simulated_once() {
    let text = with(
        &fixed("m5.large"),
        "cases:
  today: {}
  plan: { set: { commitments.sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 } } }
  volume: { set: { charges.root-volume: 20Gi } }
  larger: { replace: { pools.p.fixed.type: m5.xlarge } }
",
    );
    let plan = plan(&text);
    let keys: Vec<u64> = plan.cases.iter().map(|c| c.sim_key).collect();
    assert_eq!(keys, [0, 0, 0, 3]);
    assert_eq!((plan.cells(), plan.simulations()), (20, 10));
    assert!(std::sync::Arc::ptr_eq(&plan.cases[0].setup, &plan.cases[2].setup));
    assert!(std::sync::Arc::ptr_eq(&plan.cases[0].workload, &plan.cases[3].workload));
    assert_ne!(plan.cases[0].billing, plan.cases[1].billing);
    let change = &plan.cases[3].changes;
    let want = Change {
        path: "pools.p.fixed.type".into(),
        from: Some("m5.large".into()),
        to: Some("m5.xlarge".into()),
    };
    assert_eq!(change, &[want]);
    assert_eq!(plan.cases[2].changes[0].path, "charges");
    assert!(plan.cases[0].changes.is_empty());
    // 0.096 less the 27 % of the m, c and r group.
    let rate = plan.cases[1].billing.commitments[0].shapes[0].expect("covered");
    assert_eq!(rate.status, PriceStatus::Representative);
    assert_eq!(rate.rate.to_string(), "0.07008");
    assert_eq!(codes(&plan), ["representative-prices"]);
}

#[test]
fn a_run_without_chance_needs_one_seed() {
    let text = fixed("m5.large").replace("count: 2", "count: 1");
    let one = plan(&text);
    assert!(!one.cases[0].random);
    assert_eq!((one.seeds.as_slice(), one.cells()), ([1].as_slice(), 1));
    let options = Options { seed: Some(u64::MAX), seeds: Some(3), ..Options::default() };
    let three = try_plan(&text, &options).expect("links");
    assert_eq!(three.seeds, [u64::MAX, 0, 1]);
    assert_eq!(three.seeds_to_run(), [u64::MAX]);
    let none = Options { seeds: Some(0), ..Options::default() };
    assert!(try_plan(&text, &none).expect_err("none").to_string().contains("between 1 and"));
}

#[test]
fn all_mistakes_of_all_cases_come_at_once_with_remedies() {
    let text = with(
        JOB,
        "pools:
  a: { fixed: { type: m5.lrage, count: 1 } }
  b: { asg: { types: [m5.large], max: 3, zones: [us-east-2a] } }
goals:
  g: { workload: jobb, pending: { p95: 1m } }
cases:
  today: {}
  far: { set: { pools.a.fixed.type: m5.huge, region: us-esat-1 } }
",
    );
    let errors = errors(&text);
    for part in [
        "unknown instance type `m5.lrage`",
        "did you mean `m5.large`?",
        "`us-east-2a` is no Availability Zone of us-east-1",
        "a zone is the Region and a letter, such as `us-east-1a`",
        "there is no workload `jobb`",
        "did you mean `job`?",
        "unknown Region `us-esat-1`",
        "did you mean `us-east-1`?",
    ] {
        assert!(errors.contains(part), "{part} is not in:\n{errors}");
    }
    // Found in both cases, said once.
    assert_eq!(errors.matches("there is no workload").count(), 1);
}

#[test]
fn an_error_shows_its_line() {
    assert_eq!(
        errors(&fixed("m5.lrage")),
        "unknown instance type `m5.lrage`
  --> s.yaml:12:30
   |
12 | pools: { p: { fixed: { type: m5.lrage, count: 2 } } }
   |                              ^^^^^^^^ did you mean `m5.large`?"
    );
}

#[test]
fn what_cannot_work_is_refused_with_a_remedy() {
    let pool = "pools: { p: { fixed: { type: m5.large, count: 1 } } }\n";
    let one = |text: String, want: &str| {
        let errors = errors(&text);
        assert!(errors.contains(want), "{want} is not in:\n{errors}");
    };
    let service = SERVICE.replace("time: { horizon: 1d }\n", "");
    one(with(&service, pool), "the scenario needs `time.horizon`");
    let idle = SERVICE.replace("horizon: 1d", "horizon: until-idle");
    one(with(&idle, pool), "a run until idle needs work that ends");
    let warm = SERVICE.replace("horizon: 1d", "horizon: 1d, warmup: 1d");
    one(with(&warm, pool), "leaves nothing of a run of 1d");
    let long = SERVICE.replace("horizon: 1d", "horizon: 99999d");
    one(with(&long, pool), "a run lasts at most 3660d");
    let versions = "versions: { kubernetes: \"1.99\" }\n";
    one(with(&fixed("m5.large"), versions), "known are 1.31, 1.32, 1.33, 1.34, 1.35");
    one(
        with(
            JOB,
            "pools: { p: { fixed: { type: m5.large, count: 1 }, labels: { kubernetes.io/arch: x } } }\n",
        ),
        "is set by the cloud",
    );
    one(
        with(&fixed("m5.large").replace("count: 2 }", "count: 2 }, labels: { rack: row 1 }"), ""),
        "`row 1` is no value of a label: ` ` is not allowed",
    );
    one(
        with(
            JOB,
            "pools: { p: { fixed: { purchase: spot, count: 1, shape: { vcpu: 1, memory: 1Gi, pods: 1, usd-per-hour: 0 } } } }\n",
        ),
        "has one price and no Spot market",
    );
    one(
        with(
            SERVICE,
            "  d: { daemonset: { requests: { cpu: 1m, memory: 1Mi } } }
pools: { f: { fargate: { match: { namespace: x, workload: d } } } }\n",
        ),
        "`d` is a DaemonSet, which Fargate does not run",
    );
    one(
        with(&fixed("m5.large"), "allocation: { cpu-weight: 1e300 }\n"),
        "a weight of at most 1000000",
    );
    one(
        with(&fixed("m5.large"), "charges: { root-volume: 0 }\n"),
        "a gp3 volume has between 1 GiB",
    );
    one(
        with(&fixed("m5.large"), "charges: { root-volume: 50 }\n"),
        "a gp3 volume has between 1 GiB",
    );
    one(
        with(&fixed("m5.large"), "placement: { scheduler: { rate: 0.0000001 } }\n"),
        "`unlimited` places pods in no time",
    );
    one(
        with(&fixed("m5.large"), "cases: { a: {}, b: { set: { seeds: 3 } } }\n"),
        "a case cannot change `seeds`",
    );
    let bursts = JOB.replace("even: { every: 1m }", "burst: { at: [0s, 1h], size: 2 }");
    one(with(&bursts.replace("count: 1", "count: 9"), pool), "the bursts give 4 pods only");
    let uniform = JOB
        .replace("even: { every: 1m }", "uniform: { over: 1h }")
        .replace("count: 1", "until: 1h");
    one(with(&uniform, pool), "uniform arrivals need a number of pods");
    let missing = "
version: 1
name: t
region: us-east-1
workload: { job: { trace: no/such.csv } }
";
    one(with(missing, pool), "no/such.csv`: ");
    let options = Options { cases: Some(vec!["todya".into()]), ..Options::default() };
    let text = with(&fixed("m5.large"), "cases: { today: {} }\n");
    let error = try_plan(&text, &options).expect_err("no such case").to_string();
    assert!(error.contains("there is no case `todya`") && error.contains("`today`"), "{error}");
}

#[test]
fn unverified_prices_need_consent() {
    // Fargate in some Regions rests on recollection.
    let catalog = crate::catalog::Catalog::load(None).expect("embedded");
    let believed = catalog.region_names().find(|name| {
        let region = catalog.region(name).expect("reads");
        region
            .fargate(crate::catalog::Arch::Amd64)
            .is_some_and(|r| r.vcpu_hour.status == crate::catalog::PriceStatus::Believed)
    });
    let believed = believed.expect("the tables have such a Region");
    let text = with(
        &SERVICE.replace("us-east-1", believed),
        "pools: { f: { fargate: { match: { namespace: \"*\" } } } }\n",
    );
    let refused = errors(&text);
    assert!(refused.contains("--allow-believed-prices"), "{refused}");
    let options = Options { allow_believed: true, ..Options::default() };
    let plan = try_plan(&text, &options).expect("consented");
    assert!(codes(&plan).contains(&"believed-prices"), "{:?}", plan.warnings);
    assert_eq!(plan.cases[0].billing.fargate[0].vcpu_hour.status, PriceStatus::Believed);
}

#[test]
fn a_missing_price_names_the_nearest() {
    let text = fixed("t1.micro").replace("us-east-1", "eu-north-1");
    let errors = errors(&text);
    assert!(errors.contains("no On-Demand price for `t1.micro` in eu-north-1"), "{errors}");
    assert!(errors.contains("did you mean `t3.micro`?"), "{errors}");
}

#[test]
fn extended_resources_are_numbered_as_the_tables_number_them() {
    let text = "
version: 1
name: t
region: us-east-1
workload:
  drawn:
    generate:
      count: 3
      arrivals: { even: { every: 1m } }
      duration: 1m
      cpu: { uniform: { min: 1, max: 2 } }
      memory: 1Gi
  shapes:
    generate:
      count: 3
      arrivals: { even: { every: 1m } }
      duration: 1m
      shapes:
        - { cpu: 1, memory: 1Gi, extended: { z.io/c: 1, aws.amazon.com/neuron: 1 } }
        - { cpu: 1, memory: 1Gi, extended: { nvidia.com/gpu: 1 } }
  web:
    service:
      demand: 1
      cpu-time-per-request: 1ms
      requests: { cpu: 1, memory: 1Gi, extended: { a.io/b: 2, nvidia.com/gpu: 1 } }
      replicas: 1
pools:
  gpu: { fixed: { type: g4dn.xlarge, count: 1 } }
  own: { fixed: { count: 1, shape: { vcpu: 8, memory: 8Gi, pods: 9, usd-per-hour: 1, extended: { a.io/b: 4 } } } }
";
    let plan = plan(text);
    let case = &plan.cases[0];
    let tables = case.workload.materialise(1).expect("fine");
    assert_eq!(tables.extended, ["aws.amazon.com/neuron", "z.io/c", "nvidia.com/gpu", "a.io/b"]);
    let shapes = &case.setup.cluster.shapes;
    assert_eq!(shapes[0].allocatable.extended, [0, 0, 1, 0]);
    assert_eq!(shapes[1].allocatable.extended, [0, 0, 0, 4]);
}

#[test]
fn a_trace_is_read_once_and_says_what_became_of_its_rows() {
    static READS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let dir = tempfile::tempdir().expect("a directory");
    let write =
        |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("writes");
    write(
        "jobs.csv",
        "arrival,duration,cpu,memory\n60,5,1,1Gi\n0,5,1,1Gi\nx,5,1,1Gi\n9000,5,1,1Gi\n",
    );
    write("rps.csv", "time,rps\n0,10\n60,20\n");
    let scenario = dir.path().join("s.yaml");
    write(
        "s.yaml",
        "
version: 1
name: t
region: us-east-1
time: { horizon: 1h }
workload:
  jobs: { trace: jobs.csv, on-bad-row: quarantine }
  web:
    service:
      demand: rps.csv
      cpu-time-per-request: 10ms
      requests: { cpu: 500m, memory: 1Gi }
      replicas: { target: 50%, min: 1, max: 3 }
pools: { p: { fixed: { type: m5.large, count: 2 } } }
cases:
  a: {}
  b: { set: { workload.jobs.startup: 20s } }
",
    );
    let options = Options::new(|source| {
        READS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (Options::default().read_trace)(source)
    });
    let plan = load(&scenario, &options).expect("links");
    assert_eq!(READS.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(codes(&plan), ["beyond-horizon", "quarantined", "unsorted"]);
    let paths: Vec<&str> = plan.inputs.iter().map(|i| i.path.as_str()).collect();
    assert_eq!(paths, ["s.yaml", "jobs.csv", "rps.csv"]);
    assert!(plan.inputs.iter().all(|i| i.sha256.len() == 64));
    assert_eq!((plan.traces.len(), plan.traces[0].quarantined), (1, 1));
    // Another start time is another simulation of the same rows.
    assert_eq!(plan.simulations(), 10);
    let tables = |i: usize| plan.cases[i].workload.materialise(1).expect("fine");
    assert!(std::sync::Arc::ptr_eq(&tables(0).traces[0].trace, &tables(1).traces[0].trace));
    assert_eq!(plan.cases[0].setup.horizon, Horizon::At(SimTime(DAY_MS / 24)));
}

#[test]
fn the_command_line_overrides_every_case() {
    let text =
        with(&fixed("m5.large"), "cases: { a: {}, b: { set: { pools.p.fixed.count: 7 } } }\n");
    let options = Options {
        cases: Some(vec!["b".into()]),
        set: vec![("pools.p.fixed.count".into(), "9".into())],
        ..Options::default()
    };
    let plan = try_plan(&text, &options).expect("links");
    assert_eq!(plan.cases.len(), 1);
    assert_eq!(plan.cases[0].setup.cluster.pools[0].kind, PoolKind::Fixed { count: 9 });
    assert!(plan.cases[0].effective.contains("count: 9"));
}

/// Replicas as a snapshot knows them: a number, perhaps no requests, and no
/// demand.
#[test]
fn a_service_may_be_a_number_of_replicas() {
    use crate::workload::plan::Content;
    let service = |body: &str| {
        format!(
            "version: 1\nname: t\nregion: us-east-1\ntime: {{ horizon: 1d }}\nworkload:\n  web:\n    \
             service:\n{body}pools: {{ p: {{ fixed: {{ type: m5.large, count: 2 }} }} }}\n"
        )
    };
    let text =
        service("      requests: { memory: 1Gi }\n      usage: { cpu: 30m }\n      replicas: 3\n");
    let plan = plan(&text);
    let Content::Service(web) = &plan.cases[0].workload.workloads()[0].content else {
        panic!("a service")
    };
    assert_eq!((web.pod.cpu, web.pod.memory), (None, Some(Bytes(1 << 30))));
    assert_eq!((web.usage.cpu, web.usage.memory), (Some(MilliCpu(30)), None));
    assert_eq!((web.min, web.max, web.demand.is_none()), (3, 3, true));
    for (body, message) in [
        ("demand: 1\n", "needs `cpu-time-per-request`"),
        ("cpu-time-per-request: 1ms\n", "`cpu-time-per-request` has no effect"),
        ("demand-repeats: 1d\n", "there is no `demand` that could repeat"),
        ("usage: { memory: 1Gi }\n      memory-usage: 1Gi\n", "memory usage is stated twice"),
        (
            "demand: 1\n      cpu-time-per-request: 1ms\n      usage: { cpu: 1 }\n",
            "`usage.cpu` has no effect",
        ),
    ] {
        let text = service(&format!("      requests: {{}}\n      replicas: 3\n      {body}"));
        let errors = errors(&text);
        assert!(errors.contains(message), "{errors}");
    }
    let errors = errors(&service(
        "      requests: { cpu: 1 }\n      replicas: { target: 50%, min: 1, max: 2 }\n",
    ));
    assert!(errors.contains("replicas that follow cpu usage need a `demand`"), "{errors}");
}

pub(super) const BOUND: &str = "
version: 1
name: t
region: us-east-1
time: { horizon: 1d }
workload:
  web:
    service: { requests: { cpu: 900m, memory: 1Gi }, replicas: 4, bound-to: { b: 2, a: 1 } }
  agent: { daemonset: { requests: { cpu: 100m, memory: 1Gi } } }
pools:
  p: { fixed: { type: m5.large, nodes: { a: us-east-1b, b: us-east-1a, c: us-east-1b } } }
";

#[test]
fn named_nodes_and_bindings_link_to_members() {
    use crate::workload::plan::Content;
    let bound = |plan: &Plan| match &plan.cases[0].workload.workloads()[0].content {
        Content::Service(web) => web.bound.clone(),
        _ => panic!("a service"),
    };
    let linked = plan(BOUND);
    let cluster = &linked.cases[0].setup.cluster;
    assert_eq!(cluster.pools[0].kind, PoolKind::Fixed { count: 3 });
    let zone = |m: &crate::cluster::Member| {
        let offer = &cluster.pools[m.pool.index()].offers[m.offer as usize];
        format!("{} {}", m.name, cluster.zones[offer.zone.index()])
    };
    let members: Vec<String> = cluster.members.iter().map(zone).collect();
    assert_eq!(members, ["a us-east-1b", "b us-east-1a", "c us-east-1b"]);
    // A node offers 1,930m; less the agent's 100m that is room for two of 900m.
    assert_eq!(bound(&linked), [(1, 2), (0, 1)]);
    assert!(linked.warnings.is_empty());
    // One of the four is placed by the scheduler, which may break ties.
    assert!(linked.cases[0].random);
    let all = plan(&BOUND.replace("replicas: 4", "replicas: 3"));
    assert!(!all.cases[0].random);

    let free = format!("{BOUND}placement: {{ keep-bindings: false }}\n");
    assert!(bound(&plan(&free)).is_empty());
    let full = plan(&BOUND.replace("cpu: 900m", "cpu: 1"));
    assert_eq!(bound(&full), [(1, 1), (0, 1)]);
    assert_eq!(full.warnings[0].code, "bound-without-room");
    let found = "in all: 1 of the 2 replicas of `web` bound to node `b`";
    assert!(full.warnings[0].text.ends_with(found), "{}", full.warnings[0].text);
    // Nothing fits: one warning for all nodes and services.
    let services: String = (0..5)
        .map(|i| {
            format!(
                "  s{i}: {{ service: {{ requests: {{ cpu: 3 }}, replicas: 2, \
                 bound-to: {{ c: 2 }} }} }}\n"
            )
        })
        .collect();
    let many = plan(&BOUND.replace("  agent:", &format!("{services}  agent:")));
    let of_rooms: Vec<_> =
        many.warnings.iter().filter(|w| w.code == "bound-without-room").collect();
    let [one] = of_rooms.as_slice() else { panic!("{of_rooms:?}") };
    assert!(one.text.contains("10 in all: 2 of the 2 replicas of `s0` bound"), "{}", one.text);
    assert!(one.text.ends_with("of `s2` bound to node `c`, 4 more"), "{}", one.text);

    for (from, to, message) in [
        ("a: 1 }", "d: 1 }", "no fixed pool has a node `d`"),
        ("replicas: 4", "replicas: 2", "`web` has 2 replicas, but 3 are bound"),
        ("c: us-east-1b", "c: us-west-2a", "`us-west-2a` is no Availability Zone of us-east-1"),
        (
            "pools:",
            "pools:\n  q: { fixed: { type: m5.large, nodes: { a: us-east-1a } } }",
            "node `a` is in two pools",
        ),
        (
            "pools:",
            "pools:\n  f: { fargate: { match: { namespace: default } } }",
            "runs on Fargate, so it is bound to no node",
        ),
        ("type: m5.large,", "type: m5.large, count: 3,", "`count`"),
    ] {
        let errors = errors(&BOUND.replace(from, to));
        assert!(errors.contains(message), "{message}\n{errors}");
    }
}
