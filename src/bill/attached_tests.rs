//! What follows a node, by hand: EBS volumes and management fees.

use super::tests::{lines, money, node, prices, real, record, step};
use super::*;
use crate::cluster::{PoolId, Purchase, ShapeId};
use crate::observe::{NodeEnd, NodeRecord, OwnerIntegral, Record};
use crate::units::{DAY_MS, HOUR_MS, MINUTE_MS, MilliCpu, Money, Percent};

const LARGE: ShapeId = ShapeId(0);

fn bill(record: &Record, plan: &BillingPlan) -> Bill {
    let (cluster, workloads) = (super::tests::cluster(), super::tests::workloads());
    Bill::compute(record, &cluster, &workloads, plan, KeepLines::Yes).expect("a bill")
}

fn one(hours: i64) -> Record {
    record(
        hours * HOUR_MS,
        vec![node(LARGE, Purchase::OnDemand, 0, hours * HOUR_MS, NodeEnd::ScaledDown)],
    )
}

/// 100 GiB of gp3 with 6,000 IOPS and 250 MiB/s for a month of 730 h.
#[test]
fn a_month_of_a_fast_volume() {
    let mut plan = prices();
    plan.root_volume = Some(RootVolume {
        iops: Some((3_000, real("0.005"))),
        throughput: Some((125, real("0.04"))),
        ..RootVolume::new(100, real("0.08"))
    });
    let bill = bill(&one(730), &plan);
    let of = |charge: Charge| bill.by_charge[charge.name()].human(6);
    assert_eq!(of(Charge::RootVolume), "8.000000");
    assert_eq!(of(Charge::VolumeIops), "15.000000");
    assert_eq!(of(Charge::VolumeThroughput), "5.000000");
    assert_eq!(step(&bill, Step::Volumes)[2].human(6), "28.000000");
    assert_eq!(bill.by_purchase["other"].human(6), "28.000000");
}

/// Half a minute is billed as one, volume and performance alike.
#[test]
fn a_volume_is_billed_for_a_minute() {
    let mut plan = prices();
    plan.root_volume = Some(RootVolume {
        iops: Some((3_000, real("0.005"))),
        ..RootVolume::new(100, real("0.08"))
    });
    let nodes = vec![node(LARGE, Purchase::OnDemand, 0, 30_000, NodeEnd::ScaledDown)];
    let bill = bill(&record(HOUR_MS, nodes), &plan);
    let line = |charge, net: &str| (charge, 0, net.to_owned());
    assert_eq!(
        lines(&bill, Resource::Node(0)),
        [
            // 0.096 / 120, twice.
            line("instance", "0.0008"),
            line("instance-minimum", "0.0008"),
            // 8 / 730 / 120 and 15 / 730 / 120, twice.
            line("root-volume", "0.000091324201"),
            line("root-volume-minimum", "0.000091324201"),
            line("root-volume-iops", "0.000171232877"),
            line("root-volume-minimum", "0.000171232877"),
        ]
    );
}

fn managed(charge: Charge, rate: &str, minimum_ms: i64) -> PoolCharges {
    let shapes = vec![Some(real(rate))];
    PoolCharges { fee: Some(NodeFee { charge, shapes, minimum_ms }), outside_aws: false }
}

/// The fee is the same whether the instance is On-Demand, Spot or covered.
#[test]
fn auto_mode_is_not_discounted() {
    let hour = |purchase| node(LARGE, purchase, 0, HOUR_MS, NodeEnd::ScaledDown);
    let elsewhere = NodeRecord { pool: PoolId(1), ..hour(Purchase::OnDemand) };
    let record = record(HOUR_MS, vec![hour(Purchase::OnDemand), hour(Purchase::Spot), elsewhere]);
    let mut plan = prices();
    // 12 % of 0.096.
    plan.pools = vec![managed(Charge::EksAutoMode, "0.01152", MINUTE_MS)];
    plan.commitments = vec![Commitment {
        name: "owned".into(),
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: "1".parse().expect("rate"),
        reserved: None,
        in_force: ALWAYS,
        fee_discount: Percent::default(),
        fees: CommitmentFees::default(),
        shapes: vec![Some(real("0.07"))],
        fargate: vec![],
    }];
    let bill = bill(&record, &plan);
    for spot in [0, 1] {
        let fee = lines(&bill, Resource::Node(spot)).into_iter().find(|l| l.0 == "eks-auto-mode");
        assert_eq!(fee, Some(("eks-auto-mode", 0, "0.01152".to_owned())));
    }
    assert_eq!(bill.by_charge["eks-auto-mode"], money("0.02304"));
    assert_eq!(step(&bill, Step::Fees)[2], money("0.02304"));
    // The On-Demand instances are covered, their fee is not.
    assert_eq!(bill.commitment.covered_on_demand(), money("0.192"));
    assert_eq!(bill.by_item[&(Charge::EksAutoMode, PurchaseOption::Other)], money("0.02304"));
}

/// Ten minutes of an external instance are an hour; nothing else is AWS's.
#[test]
fn an_external_instance_pays_an_hour_and_no_volume() {
    let mut plan = prices();
    plan.root_volume = Some(RootVolume::new(100, real("0.08")));
    plan.public_ipv4 = Some(real("0.005"));
    plan.shapes[0].on_demand = Some(Price::new(crate::units::Rate::ZERO, PriceStatus::Stated));
    let own = managed(Charge::EcsAnywhere, "0.01025", HOUR_MS);
    plan.pools = vec![PoolCharges { outside_aws: true, ..own }];
    let nodes = vec![node(LARGE, Purchase::OnDemand, 0, 10 * MINUTE_MS, NodeEnd::ScaledDown)];
    let bill = bill(&record(HOUR_MS, nodes), &plan);
    assert_eq!(bill.total, money("0.01025"));
    assert_eq!(bill.by_charge["ecs-anywhere"], money("0.001708333333"));
    assert_eq!(bill.by_charge["fee-minimum"], money("0.008541666667"));
    assert_eq!(step(&bill, Step::Fees)[2] + step(&bill, Step::Minimums)[2], bill.total);
    assert!(bill.by_charge.values().filter(|v| **v != Money::ZERO).count() == 2);
}

/// A t3.large: two vCPU of which 0.6 are paid for, some days long.
fn bursting(days: &[(u64, bool)]) -> Bill {
    let length = DAY_MS * days.len() as i64;
    let mut record =
        record(length, vec![node(LARGE, Purchase::OnDemand, 0, length, NodeEnd::Running)]);
    record.owners = record
        .windows
        .iter()
        .zip(days)
        .map(|(window, &(milli, known))| OwnerIntegral {
            node: 0,
            window: window.window,
            cpu_requested: 1_000 * window.metered_ms,
            cpu_used: milli.min(1_000) * window.metered_ms,
            cpu_beyond: milli.saturating_sub(1_000) * window.metered_ms,
            cpu_unknown: if known { 0 } else { 1_000 * window.metered_ms },
            ..OwnerIntegral::default()
        })
        .collect();
    let mut plan = prices();
    plan.bursts = vec![Some(Burst { baseline: MilliCpu(600), vcpu_hour: real("0.05") })];
    bill(&record, &plan)
}

fn surplus(bill: &Bill) -> Vec<(i32, String)> {
    let lines = lines(bill, Resource::Node(0)).into_iter();
    lines.filter(|l| l.0 == "surplus-credits").map(|(_, hour, net)| (hour, net)).collect()
}

/// The example of the EC2 user guide: a t3.large at 40 % for a day pays the 10 %
/// above its baseline, 0.1 × 2 × 24 = 4.8 vCPU-hours.
#[test]
fn a_day_above_the_baseline_is_surplus() {
    let day = bursting(&[(800, true)]);
    assert_eq!(surplus(&day), [(23, "0.24".to_owned())]);
    assert_eq!(day.by_charge["surplus-credits"], money("0.24"));
    assert_eq!(step(&day, Step::Fees)[2], money("0.24"));
    assert_eq!(day.credits_unknown_ms, 0);
    // At the baseline, nothing; cpu beyond the requests counts.
    assert_eq!(surplus(&bursting(&[(600, true)])), []);
    // 1.3 × 24 = 31.2 vCPU-hours.
    assert_eq!(surplus(&bursting(&[(1_900, true)])), [(23, "1.56".to_owned())]);
}

/// A day's worth, 14.4 vCPU-hours, can be saved up or owed.
#[test]
fn credits_are_kept_for_a_day() {
    // Two idle days earn one day's worth; the third uses 28.8 above.
    let saved = bursting(&[(0, true), (0, true), (1_800, true)]);
    assert_eq!(surplus(&saved), [(71, "0.72".to_owned())]);
    // 33.6 above on each of three days: 14.4 are owed until the end.
    let owed = bursting(&[(2_000, true), (2_000, true), (2_000, true)]);
    let line = |hour, net: &str| (hour, net.to_owned());
    assert_eq!(surplus(&owed), [line(23, "0.96"), line(47, "1.68"), line(71, "2.4")]);
    // What is owed is paid down by a quiet day: 4.8 above, then 9.6 below.
    assert_eq!(surplus(&bursting(&[(800, true), (200, true)])), []);
}

#[test]
fn a_day_of_unknown_usage_charges_nothing_and_says_so() {
    let half = bursting(&[(2_000, false), (800, true)]);
    assert_eq!(surplus(&half), [(47, "0.24".to_owned())]);
    assert_eq!(half.credits_unknown_ms, 24 * HOUR_MS as u64);
    let summary = serde_json::to_value(half.summary()).expect("serialises");
    assert_eq!(summary["surplus_credits_unknown_node_hours"], 24.0);
    let known = serde_json::to_value(bursting(&[(800, true)]).summary()).expect("serialises");
    assert!(known.get("surplus_credits_unknown_node_hours").is_none());
}
