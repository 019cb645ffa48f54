//! What Fargate pools cost, from text to the bill.

use std::path::Path;

use super::*;
use crate::bill::{Bill, FargatePrice, KeepLines};
use crate::observe::KeepPods;
use crate::scenario::Source;
use crate::units::{HOUR_MS, Money};

fn text(orchestrator: &str, fargate: &str, workload: &str) -> String {
    let strategy = "capacity-provider-strategy: [{ capacityProvider: f }]";
    let on_ecs = orchestrator == "ecs";
    let strategy = if on_ecs { strategy } else { "" };
    let charges = if on_ecs { "" } else { "charges: { control-plane: false }" };
    format!(
        "
version: 1
name: t
region: us-east-1
orchestrator: {orchestrator}
time: {{ horizon: 1d }}
{charges}
workload:
  web:
    service: {{ requests: {{ cpu: 1, memory: 8Gi }}, replicas: 1 }}
    {workload}
    {strategy}
pools:
  f: {{ fargate: {{ start-latency: 0s, {fargate} }} }}
"
    )
}

fn try_plan(text: &str) -> crate::Result<Plan> {
    link(&Source::parse(Path::new("s.yaml"), text.as_bytes())?, &Options::default())
}

fn plan(text: &str) -> Plan {
    try_plan(text).expect("links")
}

fn error(text: &str) -> String {
    try_plan(text).expect_err("refused").to_string()
}

fn price(plan: &Plan, case: usize) -> FargatePrice {
    plan.cases[case].billing.fargate[0].clone()
}

/// The bill of the one pod of a case, and the time it was billed for.
fn bill(case: &CasePlan) -> (Bill, i64) {
    let workloads = case.workload.materialise(1).expect("fine");
    let record = crate::world::run(&case.setup, &workloads, 1, KeepPods::No);
    let [pod] = record.fargate[..] else { panic!("one pod") };
    let cluster = &case.setup.cluster;
    let bill = Bill::compute(&record, cluster, &workloads, &case.billing, KeepLines::No);
    let ms = pod.removed.min(record.end).ms() - pod.pull.ms();
    assert!(ms > 23 * HOUR_MS);
    (bill.expect("a bill"), (ms + 999) / 1_000 * 1_000)
}

/// Cents of cents of an hourly price over a time.
fn over(hourly: &str, ms: i64) -> String {
    let hourly: Money = hourly.parse().expect("money");
    hourly.scale(ms.into(), HOUR_MS.into()).human(8)
}

/// The EKS user guide's example, pod by pod: 1 vCPU and 8 GiB with 256 MiB for
/// Kubernetes become 2 vCPU and 9 GB.
#[test]
fn one_vcpu_and_eight_gib_become_two_and_nine() {
    let plan = plan(&text("eks", "match: { namespace: \"*\" }", ""));
    let (bill, ms) = bill(&plan.cases[0]);
    // 2 × 0.04048 and 9 × 0.004445.
    assert_eq!(bill.total.human(8), over("0.120965", ms));
}

#[test]
fn storage_is_provisioned_with_a_margin_on_eks() {
    const GIB: i64 = 1 << 20;
    let of = |storage: &str| {
        let plan = plan(&text("eks", "match: { namespace: \"*\" }", storage));
        assert_eq!(
            price(&plan, 0).storage_gb_hour.is_some(),
            !plan.cases[0].billing.fargate_storage.is_empty()
        );
        plan.cases[0].billing.fargate_storage.first().map(|(name, kib)| (name.clone(), *kib))
    };
    // 100 GiB become 115, of which 20 are free.
    assert_eq!(of("fargate-storage: 100Gi"), Some(("web".to_owned(), 95 * GIB)));
    assert_eq!(
        of("fargate-storage: 175Gi"),
        Some(("web".to_owned(), 175 * GIB * 115 / 100 - 20 * GIB))
    );
    // 17 GiB become 19.55.
    assert_eq!(of("fargate-storage: 17Gi"), None);
    assert_eq!(of(""), None);
    let text = error(&text("eks", "match: { namespace: \"*\" }", "fargate-storage: 176Gi"));
    assert!(text.contains("at most 175Gi"), "{text}");
}

#[test]
fn storage_is_what_was_asked_for_on_ecs() {
    let of = |storage: &str| text("ecs", "purchase: on-demand", storage);
    let plan = plan(&of("fargate-storage: 100Gi"));
    assert_eq!(plan.cases[0].billing.fargate_storage, [("web".to_owned(), 80 << 20)]);
    for wrong in ["20Gi", "201Gi", "30.5Gi"] {
        let text = error(&of(&format!("fargate-storage: {wrong}")));
        assert!(text.contains("21 to 200 whole GiB"), "{text}");
    }
}

/// Storage is billed again without being simulated again.
#[test]
fn storage_and_minimum_are_billing_only() {
    let cases = "cases:
  base: {}
  stored: { set: { workload.web.fargate-storage: 50Gi } }
  longer: { set: { pools.f.fargate.minimum-charge: 2m } }
";
    let plan = plan(&(text("eks", "match: { namespace: \"*\" }", "") + cases));
    assert_eq!(plan.cases[0].setup, plan.cases[1].setup);
    assert_eq!(plan.cases[0].setup, plan.cases[2].setup);
    assert_eq!(plan.cases[0].workload.workloads(), plan.cases[1].workload.workloads());
    let [(base, ms), (stored, _)] = [0, 1].map(|case| bill(&plan.cases[case]));
    // 37.5 GB, 57.5 less 20, at 0.000111.
    assert_eq!((stored.total - base.total).human(8), over("0.0041625", ms));
    assert_eq!(price(&plan, 2).minimum_ms, 120_000);
    assert_eq!(price(&plan, 0).minimum_ms, 60_000);
}

#[test]
fn windows_is_sold_in_43_sizes_with_its_licence() {
    let cases = "cases:
  base: {}
  added: { set: { pools.f.fargate.windows-licence: added } }
  short: { set: { pools.f.fargate.minimum-charge: 60s } }
";
    let plan = plan(&(text("ecs", "os: windows", "") + cases));
    let of = |case: usize| {
        let price = price(&plan, case);
        let licence = price.os_licence.expect("a licence").rate;
        let rates = [price.vcpu_hour.rate, licence, price.gb_hour.rate];
        (rates.map(|rate| rate.to_string()), price.minimum_ms)
    };
    let rates = |all: [&str; 3]| all.map(str::to_owned);
    assert_eq!(of(0), (rates(["0.04548", "0.046", "0.01005"]), 300_000));
    assert_eq!(of(1), (rates(["0.09148", "0.046", "0.01005"]), 300_000));
    assert_eq!(of(2).1, 60_000);
    let sizes = &plan.cases[0].setup.cluster.fargate[0].sizes;
    assert_eq!(sizes.len(), 43);
    assert!(sizes.iter().all(|s| (1_000..=4_000).contains(&s.cpu.0)));
    let noted = |path: &str| plan.cases[0].settings.iter().any(|s| s.path == path);
    assert!(noted("pools.f.fargate.windows-licence"));
    assert!(noted("pools.f.fargate.minimum-charge"));
    assert!(noted("charges.fargate-windows-licence"));
    // 1 vCPU and 8 GB: 0.09148 + 8 × 0.01005 an hour.
    for (case, hourly) in [(0, "0.17188"), (1, "0.21788")] {
        let (bill, ms) = bill(&plan.cases[case]);
        assert_eq!(bill.total.human(8), over(hourly, ms));
    }
}

#[test]
fn what_windows_is_not_sold_with_is_refused() {
    for (keys, wanted) in [
        ("os: windows, arch: arm64", "does not sell Windows on arm64"),
        ("os: windows, purchase: spot", "does not sell Windows as Spot"),
        ("windows-licence: added", "no effect on a pool of Linux pods"),
        ("os: macos", "unknown value `macos`"),
    ] {
        let text = error(&text("ecs", keys, ""));
        assert!(text.contains(wanted), "{text}");
    }
    let text = error(&text("eks", "os: windows, match: { namespace: \"*\" }", ""));
    assert!(text.contains("Fargate on Windows is for ECS only"), "{text}");
    let elsewhere = text_in("sa-east-1");
    assert!(error(&elsewhere).contains("no Windows Fargate price"), "{}", error(&elsewhere));
}

/// At a quarter of its price a vCPU cannot contain the licence, so that no
/// licence is told apart: still no Savings Plan of Linux covers it.
#[test]
fn no_savings_plan_covers_windows() {
    let cases = "commitments:
  sp: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 1, discount: 20% }
cases:
  dear: {}
  cheap: { set: { prices.fargate: 25% } }
";
    let plan = plan(&(text("ecs", "os: windows", "") + cases));
    let licences = [0, 1].map(|case| price(&plan, case).os_licence.is_some());
    assert_eq!(licences, [true, false]);
    for case in &plan.cases {
        assert_eq!(case.billing.commitments[0].fargate, [None]);
    }
    let said = plan.warnings.iter().filter(|w| w.code == "no-plan-rate");
    assert!(said.clone().all(|w| w.text.contains("fargate-windows")));
    assert!(said.count() > 0);
}

/// A task in a public subnet holds an address at 0.005 an hour, which nodes do
/// not pay for and no plan covers; a pod on EKS cannot have one.
#[test]
fn tasks_in_public_subnets_pay_for_their_address() {
    let cases = "cases:
  private: {}
  public: { set: { pools.f.fargate.public-ipv4: true } }
";
    let plan = plan(&(text("ecs", "purchase: on-demand", "") + cases));
    assert_eq!(plan.cases[0].setup, plan.cases[1].setup);
    let noted = |path: &str| plan.cases[0].settings.iter().any(|s| s.path == path);
    assert!(noted("pools.f.fargate.public-ipv4"));
    let [(private, ms), (public, _)] = [0, 1].map(|case| bill(&plan.cases[case]));
    assert_eq!((public.total - private.total).human(8), over("0.005", ms));
    assert_eq!(public.by_charge["public-ipv4"], public.total - private.total);
    assert_eq!(public.by_workload["web"], public.total);
    let eks = text("eks", "public-ipv4: true, match: { namespace: \"*\" }", "");
    assert!(error(&eks).contains("Fargate in public subnets is for ECS only"), "{}", error(&eks));
}

fn text_in(region: &str) -> String {
    text("ecs", "os: windows", "").replace("us-east-1", region)
}

/// A pool sells the sizes of the ECS developer guide, all of them.
#[test]
fn a_linux_pool_sells_all_74_sizes() {
    let plan = plan(&text("eks", "match: { namespace: \"*\" }", ""));
    let mut sold: Vec<(i64, i64)> = plan.cases[0].setup.cluster.fargate[0]
        .sizes
        .iter()
        .map(|s| (s.cpu.0, s.memory.0 >> 20))
        .collect();
    // Dearer sizes come later.
    assert_eq!(sold[0], (250, 512));
    assert_eq!(sold[73], (16_000, 122_880));
    sold.sort_unstable();
    let table = crate::bill::fargate_tests::LINUX;
    let written: Vec<(i64, i64)> =
        table.iter().flat_map(|(cpu, memory)| memory.iter().map(|m| (*cpu, *m))).collect();
    assert_eq!(sold, written);
}
