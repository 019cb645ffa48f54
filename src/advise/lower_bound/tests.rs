//! Bounds by hand, and bounds of simulated runs, which no bill undercuts.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::bill::{FargatePrice, KeepLines, Price, PriceStatus, ShapePrice};
use crate::cluster::{
    Capacity, FargateSize, NodeShape, Offer, PoolKind, PoolSpec, ShapeId, ZoneId,
};
use crate::observe::{Held, KeepPods};
use crate::plan::{self, CasePlan, Options};
use crate::rng::Distribution;
use crate::scenario::Source;
use crate::units::{Bytes, MilliCpu, SimDuration, SimTime};
use crate::workload::Requests;

const GIB: i64 = 1 << 30;

pub(super) fn price(text: &str) -> Price {
    Price::new(text.parse().expect("a rate"), PriceStatus::Real)
}

pub(super) fn shape(name: &str, cpu: i64, gib: i64, pods: u32) -> NodeShape {
    let allocatable =
        Capacity { cpu: MilliCpu(cpu), memory: Bytes(gib * GIB), pods, extended: Vec::new() };
    NodeShape {
        name: name.to_owned(),
        capacity: allocatable.clone(),
        allocatable,
        nominal_memory: Bytes(gib * GIB),
    }
}

/// Types `c` (4 vCPU, 8 GiB, 0.17) and `r` (4 vCPU, 32 GiB, 0.252), 20 pods
/// each, On-Demand.
fn two_types() -> (ClusterSpec, BillingPlan) {
    let offer = |shape| Offer {
        shape: ShapeId(shape),
        zone: ZoneId(0),
        purchase: Purchase::OnDemand,
        hourly: Rate::ZERO,
        hazard_per_hour: 0.0,
        labels: Vec::new(),
    };
    let pool = PoolSpec {
        name: "p".to_owned(),
        kind: PoolKind::AutoScalingGroup { min: 0, max: 9, autoscaled: true },
        offers: vec![offer(0), offer(1)],
        on_demand_base: 0,
        on_demand_percentage_above_base: 100,
        spot_allocation: crate::cluster::SpotAllocation::default(),
        labels: Vec::new(),
        taints: Vec::new(),
        launch: Distribution::Constant(0.0),
        ready: Distribution::Constant(0.0),
    };
    let cluster = ClusterSpec {
        shapes: vec![shape("c", 4_000, 8, 20), shape("r", 4_000, 32, 20)],
        zones: vec!["a".to_owned(), "b".to_owned()],
        pools: vec![pool],
        ..ClusterSpec::default()
    };
    let on_demand = |text| ShapePrice { on_demand: Some(price(text)), ..ShapePrice::default() };
    let plan = BillingPlan {
        shapes: vec![on_demand("0.17"), on_demand("0.252")],
        ..BillingPlan::default()
    };
    (cluster, plan)
}

/// A run in which `pods` pods of this size are held from `from` to `until`,
/// minutes.
fn held(pods: &[(i64, i64, i64, i64, i64)]) -> Record {
    let mut changes: Vec<(i64, i64, Requests)> = Vec::new();
    for (n, cpu, mib, from, until) in pods {
        let one = Requests::new(Some(MilliCpu(*cpu)), Some(Bytes(mib << 20)), Vec::new());
        for _ in 0..*n {
            changes.push((*from, 1, one.clone()));
            changes.push((*until, -1, one.clone()));
        }
    }
    changes.sort_by_key(|c| (c.0, c.1));
    let mut held = Held::new(0, 0);
    let set = held.set(vec![0], SimTime(0));
    let minute = 60_000;
    let end = SimTime(changes.last().map_or(0, |c| c.0 * minute));
    for (at, sign, requests) in &changes {
        let at = SimTime(at * minute);
        if *sign > 0 {
            held.bind(set, 0, requests, at);
        } else {
            held.end(set, requests, at);
        }
    }
    Record { end, held: held.finish(end), ..Record::default() }
}

fn bound(record: &Record, (cluster, plan): &(ClusterSpec, BillingPlan)) -> f64 {
    let bill = Bill { compute_list: Money::from_pico(5_000_000_000_000), ..Bill::default() };
    let found = LowerBound::of(record, &bill, cluster, plan);
    assert_eq!(found.compute, bill.compute_list);
    found.bound.to_f64()
}

fn close(got: f64, want: f64) {
    assert!(got <= want + 1e-12 && got > want - 1e-7 * want.max(1.0), "{got}, not {want}");
}

/// One `c` and one `r`, full for an hour: 8 vCPU and 40 GiB cost 0.422, and no
/// placement is cheaper.
#[test]
fn full_machines_cost_their_price() {
    let record = held(&[(8, 1_000, 5 * 1_024, 0, 60)]);
    close(bound(&record, &two_types()), 0.17 + 0.252);
}

/// Half the cpu of a `c` for two hours; half an hour of it counts half.
#[test]
fn parts_of_machines_cost_parts() {
    close(bound(&held(&[(2, 1_000, 512, 0, 120)]), &two_types()), 0.17);
    close(bound(&held(&[(2, 1_000, 512, 15, 45)]), &two_types()), 0.17 / 4.0);
    close(bound(&held(&[]), &two_types()), 0.0);
}

/// 40 tiny pods take all slots of two `c`, whatever little they request.
#[test]
fn slots_count() {
    close(bound(&held(&[(40, 10, 16, 0, 60)]), &two_types()), 0.34);
}

/// In turns an hour of cpu and one of memory: each hour has its own prices.
#[test]
fn hours_are_priced_apart() {
    let turns = held(&[(4, 1_000, 0, 0, 60), (1, 0, 32 * 1_024, 60, 120)]);
    close(bound(&turns, &two_types()), 0.17 + 0.252);
    // At once they share one `r`.
    let at_once = held(&[(4, 1_000, 0, 0, 60), (1, 0, 32 * 1_024, 0, 60)]);
    close(bound(&at_once, &two_types()), 0.252);
}

/// Spot counts where a pool buys it, at the lowest price of its zones.
#[test]
fn the_cheapest_offer_counts() {
    let mut it = two_types();
    it.1.shapes[0].spot = vec![Some(price("0.08")), Some(price("0.06"))];
    let record = held(&[(4, 1_000, 512, 0, 60)]);
    close(bound(&record, &it), 0.17);
    let spot = |zone| Offer {
        zone: ZoneId(zone),
        purchase: Purchase::Spot,
        ..it.0.pools[0].offers[0].clone()
    };
    let (a, b) = (spot(0), spot(1));
    it.0.pools[0].offers.extend([a, b]);
    close(bound(&record, &it), 0.06);
    // A pool that can have no nodes sells nothing.
    it.0.pools[0].kind = PoolKind::Fixed { count: 0 };
    close(bound(&record, &it), 0.0);
}

/// Spot at 0.08 falls to 0.05 at minute 90. The first hour has 0.08, the
/// second 0.05; the third could still pay 0.05 after it rises at minute 120.
#[test]
fn a_moving_price_counts_at_its_lowest() {
    let mut it = two_types();
    let mut offer = it.0.pools[0].offers[0].clone();
    offer.purchase = Purchase::Spot;
    it.0.pools[0].offers.push(offer);
    let usd = |text: &str| text.parse::<Rate>().expect("a rate");
    let at = |minute: i64| SimTime(minute * 60_000);
    let steps = PriceSteps::new(usd("0.08"), [(at(90), usd("0.05")), (at(120), usd("0.09"))]);
    let mut record = held(&[(4, 1_000, 512, 0, 240)]);
    record.spot_prices = SpotSteps::new(vec![(ShapeId(0), ZoneId(0), steps.into())]);
    close(bound(&record, &it), 0.08 + 0.05 + 0.05 + 0.09);
}

/// Ten pods of 100m and 256 MiB on EKS Fargate: each needs a size of its own,
/// 0.0123425 an hour, and no fraction of a larger one is cheaper.
#[test]
fn fargate_sizes_hold_one_pod_each() {
    let size = |cpu, mib: i64| FargateSize { cpu: MilliCpu(cpu), memory: Bytes(mib << 20) };
    let cluster = ClusterSpec {
        fargate: vec![FargateSpec {
            name: "f".to_owned(),
            selectors: Vec::new(),
            sizes: vec![size(250, 512), size(250, 1_024), size(16_000, 122_880)],
            overhead_memory: Bytes(GIB / 4),
            start_latency: Distribution::Constant(0.0),
            launch_burst: 1,
            launch_per_second: 1,
            job_retention: SimDuration::ZERO,
            sidecar_cpu: MilliCpu(50),
            sidecar_memory: Bytes(0),
            hazard_per_hour: 0.0,
        }],
        ..ClusterSpec::default()
    };
    let plan = BillingPlan {
        fargate: vec![FargatePrice::new(price("0.04048"), price("0.004445"))],
        ..BillingPlan::default()
    };
    let it = (cluster, plan);
    close(bound(&held(&[(10, 100, 256, 0, 60)]), &it), 0.123_425);
    // 300 MiB do not fit beside 256 MiB in 512: half a GB more, in part.
    assert!(bound(&held(&[(10, 100, 300, 0, 60)]), &it) > 0.1235);
}

pub(super) fn case(text: &str) -> CasePlan {
    let source = Source::parse(Path::new("s.yaml"), text.as_bytes()).expect("parses");
    let plan = plan::link(&source, &Options::default()).expect("links");
    plan.cases.into_iter().next().expect("a case")
}

pub(super) fn ran(case: &CasePlan, seed: u64) -> (LowerBound, Bill, Record) {
    let workloads = case.workload.materialise(seed).expect("draws");
    let record = crate::world::run(&case.setup, &workloads, seed, KeepPods::No);
    let cluster = &case.setup.cluster;
    let bill = Bill::compute(&record, cluster, &workloads, &case.billing, KeepLines::No);
    let bill = bill.expect("bills");
    (LowerBound::of(&record, &bill, cluster, &case.billing), bill, record)
}

/// Four pods of 1 vCPU on a machine of 4 that offers all it has, at a stated
/// price: the bound is what is paid.
#[test]
fn a_full_machine_has_no_gap() {
    let (found, ..) = ran(
        &case(
            "
version: 1
name: full
region: us-east-1
time: { horizon: 3h }
workload:
  web:
    service: { requests: { cpu: 1, memory: 1Gi }, replicas: 4 }
pools:
  p: { fixed: { shape: { vcpu: 4, memory: 16Gi, pods: 20, usd-per-hour: 0.5 }, count: 1 } }
",
        ),
        1,
    );
    assert_eq!(found.compute, "1.5".parse().expect("money"));
    let gap = found.gap().expect("something is paid");
    // The pods are bound within the first seconds.
    assert!(gap < 0.001, "{gap}");
}

fn scenario(seed: u64, spot: u32, [fargate, small, warmup, moves]: [bool; 4]) -> String {
    let pool = if fargate {
        "  f: { fargate: { match: { namespace: batch } } }\n".to_owned()
    } else {
        String::new()
    };
    let shapes = if small {
        "[{ cpu: 100m, memory: 128Mi }, { cpu: 250m, memory: 2Gi }]"
    } else {
        "[{ cpu: 1500m, memory: 1Gi }, { cpu: 500m, memory: 6Gi }]"
    };
    let process =
        if moves { ", prices: { process: { interval: 1h, deviation: 40% } }" } else { "" };
    let warmup = if warmup { ", warmup: 50m" } else { "" };
    format!(
        "
version: 1
name: r{seed}
region: us-east-1
time: {{ start: 2026-01-05T00:40Z, horizon: 7h{warmup} }}
workload:
  job:
    namespace: batch
    generate:
      count: 120
      arrivals: {{ poisson: {{ per-hour: 40 }} }}
      duration: {{ lognormal: {{ median: 25m, p95: 90m }} }}
      shapes: {shapes}
  web:
    service: {{ requests: {{ cpu: 300m, memory: 700Mi }}, replicas: 5 }}
  agent:
    daemonset: {{ requests: {{ cpu: 50m, memory: 64Mi }} }}
pools:
  a:
    asg:
      types: [m5.large]
      min: 1
      max: 30
      purchase: {{ on-demand-base: 1, on-demand-percentage-above-base: {spot} }}
    scaler: cluster-autoscaler
{pool}spot: {{ interruptions: {{ per-month: 99% }}{process} }}
"
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// No bill of a run is below its bound.
    #[test]
    fn no_run_undercuts_its_bound(
        seed in 0u64..1_000,
        fargate in any::<bool>(),
        spot in prop_oneof![Just(0u32), Just(50), Just(100)],
        small in any::<bool>(),
        warmup in any::<bool>(),
        moves in any::<bool>(),
    ) {
        let (found, bill, record) =
            ran(&case(&scenario(seed, spot, [fargate, small, warmup, moves])), seed);
        prop_assert!(found.bound > Money::ZERO);
        prop_assert!(found.bound <= found.compute, "{found:?}");
        prop_assert!(found.compute <= bill.list_total + found.compute);
        // What pods held on nodes is what their owners were accounted, less
        // DaemonSets and what was held while draining.
        let rows = record.held.iter().flat_map(HeldHours::hours);
        let held: u128 = rows.map(|(_, sums)| sums[0]).sum();
        let owners: u128 = record
            .owners
            .iter()
            .filter(|o| o.workload.index() != 2)
            .map(|o| u128::from(o.cpu_requested))
            .sum();
        prop_assert!(held >= owners, "{held} {owners}");
    }
}
