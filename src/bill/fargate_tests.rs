//! Fargate by hand: every size, Windows, storage, minimum durations.

use super::tests::{cluster, fargate_pod, lines, money, prices, real, record, step, workloads};
use super::*;
use crate::cluster::{ClusterSpec, FargateSize};
use crate::observe::{FargateRecord, Record};
use crate::units::{Bytes, HOUR_MS, MINUTE_MS, MilliCpu, Money, SECOND_MS};

/// The task-size table of the ECS developer guide, Linux, as printed there:
/// thousandths of a vCPU, then MiB of memory. Written out, so that it does not
/// share its arithmetic with the catalog.
pub(crate) const LINUX: [(i64, &[i64]); 7] = [
    (250, &[512, 1_024, 2_048]),
    (500, &[1_024, 2_048, 3_072, 4_096]),
    (1_000, &[2_048, 3_072, 4_096, 5_120, 6_144, 7_168, 8_192]),
    (
        2_000,
        &[
            4_096, 5_120, 6_144, 7_168, 8_192, 9_216, 10_240, 11_264, 12_288, 13_312, 14_336,
            15_360, 16_384,
        ],
    ),
    (
        4_000,
        &[
            8_192, 9_216, 10_240, 11_264, 12_288, 13_312, 14_336, 15_360, 16_384, 17_408, 18_432,
            19_456, 20_480, 21_504, 22_528, 23_552, 24_576, 25_600, 26_624, 27_648, 28_672, 29_696,
            30_720,
        ],
    ),
    (
        8_000,
        &[
            16_384, 20_480, 24_576, 28_672, 32_768, 36_864, 40_960, 45_056, 49_152, 53_248, 57_344,
            61_440,
        ],
    ),
    (
        16_000,
        &[
            32_768, 40_960, 49_152, 57_344, 65_536, 73_728, 81_920, 90_112, 98_304, 106_496,
            114_688, 122_880,
        ],
    ),
];

fn sizes() -> Vec<FargateSize> {
    let of = |cpu: i64, mib: i64| FargateSize { cpu: MilliCpu(cpu), memory: Bytes(mib << 20) };
    LINUX.iter().flat_map(|(cpu, memory)| memory.iter().map(move |mib| of(*cpu, *mib))).collect()
}

fn bill(cluster: &ClusterSpec, record: &Record, plan: &BillingPlan) -> Bill {
    Bill::compute(record, cluster, &workloads(), plan, KeepLines::Yes).expect("a bill")
}

/// What a pod of each size costs for some hours.
fn each_size(plan: &BillingPlan, hours: i64) -> Vec<((i64, i64), Money)> {
    let mut cluster = cluster();
    cluster.fargate[0].sizes = sizes();
    let mut record = record(hours * HOUR_MS, vec![]);
    record.fargate = (0..sizes().len() as u32)
        .map(|size| FargateRecord { size, ..fargate_pod(0, 0, 0, hours * HOUR_MS) })
        .collect();
    let bill = bill(&cluster, &record, plan);
    let mut costs = vec![Money::ZERO; sizes().len()];
    for (resource, net) in bill.lines.resource.iter().zip(&bill.lines.net) {
        let Resource::Fargate(pod) = bill.resource(*resource) else { panic!("only pods") };
        costs[pod as usize] += Money::from_pico(i128::from(*net));
    }
    assert_eq!(costs.iter().copied().sum::<Money>(), bill.total);
    let key = |s: &FargateSize| (s.cpu.0, s.memory.0 >> 20);
    sizes().iter().map(key).zip(costs).collect()
}

#[test]
fn an_hour_of_every_size() {
    let costs = each_size(&prices(), 1);
    assert_eq!(costs.len(), 74);
    for ((milli, mib), cost) in &costs {
        // 0.04048 a vCPU is 40.48 micro-USD a thousandth of it, 0.004445 a GB.
        let nano = milli * 40_480 + mib * 4_445_000 / 1_024;
        assert_eq!(mib * 4_445_000 % 1_024, 0, "a whole number of nano-USD");
        assert_eq!(*cost, Money::from_pico(i128::from(nano) * 1_000), "{milli}m {mib}Mi");
    }
    let of = |size| costs.iter().find(|(s, _)| *s == size).expect("listed").1;
    // Quarter of a vCPU 0.01012, half a GB 0.0022225.
    assert_eq!(of((250, 512)), money("0.0123425"));
    assert_eq!(of((1_000, 2_048)), money("0.04937"));
    assert_eq!(of((2_000, 9_216)), money("0.120965"));
    assert_eq!(of((4_000, 30_720)), money("0.29527"));
    assert_eq!(of((8_000, 61_440)), money("0.59054"));
    assert_eq!(of((16_000, 122_880)), money("1.18108"));
}

#[test]
fn a_month_of_some_sizes() {
    let costs = each_size(&prices(), 730);
    let of = |size| costs.iter().find(|(s, _)| *s == size).expect("listed").1;
    assert_eq!(of((250, 512)), money("9.010025"));
    // 29.5504 a vCPU and 3.24485 a GB.
    assert_eq!(of((1_000, 2_048)), money("36.0401"));
    assert_eq!(of((2_000, 9_216)), money("88.30445"));
    assert_eq!(of((4_000, 30_720)), money("215.5471"));
    assert_eq!(of((16_000, 122_880)), money("862.1884"));
}

#[test]
fn arm_and_spot_rates_by_hand() {
    let mut plan = prices();
    plan.fargate = vec![FargatePrice::new(real("0.03238"), real("0.00356"))];
    let costs = each_size(&plan, 1);
    assert_eq!(costs[7], ((1_000, 2_048), money("0.0395")));
    plan.fargate = vec![FargatePrice {
        spot_of: Some((real("0.04048"), real("0.004445"))),
        ..FargatePrice::new(real("0.01214"), real("0.001334"))
    }];
    assert_eq!(each_size(&plan, 1)[7], ((1_000, 2_048), money("0.014808")));
}

/// One pod of 1 vCPU and 2 GB for a while.
fn one(length_ms: i64, plan: &BillingPlan) -> Bill {
    let mut record = record(HOUR_MS, vec![]);
    record.fargate = vec![fargate_pod(0, 0, 0, length_ms)];
    bill(&cluster(), &record, plan)
}

fn amount(bill: &Bill, charge: Charge) -> String {
    bill.by_charge.get(charge.name()).map_or_else(String::new, Money::to_string)
}

#[test]
fn windows_pays_its_licence_and_five_minutes() {
    let mut plan = prices();
    // As published, and the licence taken out of it: 0.09148 - 0.046.
    plan.fargate = vec![FargatePrice {
        os_licence: Some(real("0.046")),
        minimum_ms: 5 * MINUTE_MS,
        ..FargatePrice::new(real("0.04548"), real("0.01005"))
    }];
    let hour = one(HOUR_MS, &plan);
    assert_eq!(amount(&hour, Charge::FargateCpu), "0.04548");
    assert_eq!(amount(&hour, Charge::FargateOsLicence), "0.046");
    assert_eq!(amount(&hour, Charge::FargateMemory), "0.0201");
    // 0.09148 + 2 × 0.01005.
    assert_eq!(hour.total, money("0.11158"));
    assert_eq!(step(&hour, Step::Licences), [Money::ZERO, Money::ZERO, money("0.046")]);
    assert_eq!(hour.by_workload["web"], hour.total);
    // Only vCPU and memory can be covered by a plan.
    assert_eq!(hour.commitment.eligible_on_demand, money("0.06558"));
    // A minute costs as much as five, 0.11158 / 12, but for the rounding of a
    // line more: 0.046 / 60 and 0.046 × 4 / 60 are both rounded up.
    let short = one(MINUTE_MS, &plan);
    assert_eq!(one(5 * MINUTE_MS, &plan).total, money("0.009298333333"));
    assert_eq!(short.total, money("0.009298333334"));
    assert_eq!(amount(&short, Charge::FargateMinimum), "0.007438666667");
    assert!(one(5 * MINUTE_MS + SECOND_MS, &plan).total > short.total);
    let names: Vec<&str> = hour.skus.iter().map(|s| s.name.as_str()).collect();
    let expected = ["vCPU", "memory", "Windows licence"];
    assert_eq!(names, expected.map(|part| format!("Fargate serverless {part}")));
}

#[test]
fn linux_pays_a_minute_and_whole_seconds() {
    let plan = prices();
    // A second of 1 vCPU and 2 GB: 0.04937 / 3,600.
    let minute = money("0.000822833333");
    for ms in [1, 900, 59_001, 60_000] {
        assert_eq!(one(ms, &plan).total.human(9), minute.human(9), "{ms} ms");
    }
    // 61 s.
    assert_eq!(one(60_001, &plan).total.human(9), "0.000836547");
    assert_eq!(one(61_000, &plan).total.human(9), "0.000836547");
}

#[test]
fn storage_above_twenty_gb_belongs_to_the_pod() {
    let mut plan = prices();
    plan.fargate[0].storage_gb_hour = Some(real("0.000111"));
    // 100 GiB asked for on EKS are 115 provisioned, 95 of them billed.
    plan.fargate_storage = vec![("web".into(), 95 << 20)];
    let hour = one(HOUR_MS, &plan);
    assert_eq!(amount(&hour, Charge::FargateStorage), "0.010545");
    assert_eq!(hour.total, money("0.04937") + money("0.010545"));
    assert_eq!(step(&hour, Step::Storage)[2], money("0.010545"));
    assert_eq!(hour.by_workload["web"], hour.total);
    assert_eq!(hour.by_purchase["other"], money("0.010545"));
    assert_eq!(hour.commitment.eligible_on_demand, money("0.04937"));
    // It, too, is billed for a minute: 0.010545 / 60.
    let short = one(30_000, &plan);
    let storage: Vec<_> = lines(&short, Resource::Fargate(0)).into_iter().skip(4).collect();
    assert_eq!(
        storage,
        [
            ("fargate-storage", 0, "0.000087875".to_owned()),
            ("fargate-minimum", 0, "0.000087875".to_owned()),
        ]
    );
    // A pod of another workload has none.
    let mut other = record(HOUR_MS, vec![]);
    other.fargate = vec![fargate_pod(1, 0, 0, HOUR_MS)];
    assert_eq!(bill(&cluster(), &other, &plan).total, money("0.04937"));
}

/// 500m and 1 GiB asked for, 100m and a quarter of a GiB for sidecars: 400m and
/// 0.75 GiB of 1 vCPU and 2 GB are beyond, for two hours.
#[test]
fn rounding_is_told_in_hours_of_vcpu_and_memory() {
    let mut record = record(2 * HOUR_MS, vec![]);
    record.fargate = vec![fargate_pod(0, 0, 0, 2 * HOUR_MS)];
    let some = bill(&cluster(), &record, &prices());
    let summary = serde_json::to_value(some.summary()).expect("serialises");
    assert_eq!(summary["fargate_rounding"]["vcpu_hours"], 0.8);
    assert_eq!(summary["fargate_rounding"]["gb_hours"], 1.5);
    // At 0.04048 and 0.004445.
    let [cpu, memory, _] = step(&some, Step::FargateRounding);
    assert_eq!((cpu, memory), (money("0.032384"), money("0.0066675")));
    record.fargate.clear();
    let none = bill(&cluster(), &record, &prices());
    let summary = serde_json::to_value(none.summary()).expect("serialises");
    assert!(summary.get("fargate_rounding").is_none());
}
