//! Attempts to undercut the bound: by every placement of a few pods, tried out
//! one by one, and by runs of the engine over every kind of pool and price.

use super::tests::{case, price, ran, shape};
use super::*;
use crate::bill::{FargatePrice, SpotBilledAt};
use crate::cluster::{FargateSize, Offer, PoolKind, PoolSpec, ShapeId, SpotAllocation, ZoneId};
use crate::observe::Held;
use crate::rng::Distribution;
use crate::units::{Bytes, MINUTE_MS, MilliCpu, SimDuration};
use crate::workload::Requests;
use proptest::prelude::*;

const GIB: i64 = 1 << 30;

/// A pod: half cores, GiB, first minute, minutes.
type Pod = (i64, i64, i64, i64);

/// A type: cores, GiB, pod slots, cents an hour.
type Type = (i64, i64, u32, i64);

fn cents(cents: i64) -> Rate {
    Rate::from_pico(i128::from(cents) * 10_000_000_000)
}

/// Spot of the first type: when its price changes, minutes, and to how many cents
/// an hour.
fn steps(market: &[(i64, i64)]) -> PriceSteps {
    let mut changes: Vec<(SimTime, Rate)> =
        market.iter().map(|(at, usd)| (SimTime(at * MINUTE_MS), cents(*usd))).collect();
    changes.sort_by_key(|(at, _)| *at);
    PriceSteps::new(cents(7), changes)
}

/// What an hour-by-hour machine costs from `from` to `until`, minutes, in
/// pico-USD × 60.
fn spot_cost(steps: &PriceSteps, at: SpotBilledAt, from: i64, until: i64) -> i128 {
    (from..until)
        .map(|minute| {
            let priced_at = match at {
                SpotBilledAt::InstanceHour => from + (minute - from) / 60 * 60,
                SpotBilledAt::ClockHour => (minute.div_euclid(60) * 60).max(from),
                SpotBilledAt::Second => minute,
            };
            steps.at(SimTime(priced_at * MINUTE_MS)).pico()
        })
        .sum()
}

/// Whether machines of a type hold these pods all the time.
fn holds(kind: &Type, pods: &[&Pod]) -> bool {
    // Demand is highest when some pod begins.
    pods.iter().all(|(.., now, _)| {
        let there = || pods.iter().filter(|p| (p.2..p.2 + p.3).contains(now));
        there().map(|p| p.0).sum::<i64>() <= 2 * kind.0
            && there().map(|p| p.1).sum::<i64>() <= kind.1
            && there().count() <= kind.2 as usize
    })
}

/// The cheapest machine for these pods, pico-USD × 60; launched when the first
/// begins, or earlier for the sake of a price.
fn cheapest(pods: &[&Pod], types: &[Type], market: &PriceSteps, at: SpotBilledAt) -> Option<i128> {
    let from = pods.iter().map(|p| p.2).min()?;
    let until = pods.iter().map(|p| p.2 + p.3).max()?;
    let on_demand = types
        .iter()
        .filter(|kind| holds(kind, pods))
        .map(|kind| cents(kind.3).pico() * i128::from(until - from));
    let early = [0, 1, 13, 30, 59].map(|by| (from - by).max(0));
    let spot = early.map(|from| spot_cost(market, at, from, until));
    let spot = spot.into_iter().filter(|_| types.first().is_some_and(|kind| holds(kind, pods)));
    on_demand.chain(spot).min()
}

/// The cheapest of all ways to share pods among machines.
fn best<'a>(
    pods: &'a [Pod],
    groups: &mut Vec<Vec<&'a Pod>>,
    cost: &dyn Fn(&[&Pod]) -> Option<i128>,
) -> Option<i128> {
    let Some((first, rest)) = pods.split_first() else {
        return groups.iter().map(|group| cost(group)).sum();
    };
    let mut found: Option<i128> = None;
    for at in 0..=groups.len() {
        if at == groups.len() {
            groups.push(Vec::new());
        }
        groups[at].push(first);
        let one = best(rest, groups, cost);
        found = [found, one].into_iter().flatten().min();
        groups[at].pop();
        if groups[at].is_empty() {
            groups.pop();
        }
    }
    found
}

/// A pool of these types On-Demand, and of the first one as Spot; Fargate of
/// three sizes beside it.
fn offered(types: &[Type]) -> (ClusterSpec, BillingPlan) {
    let on_demand = (0..types.len()).map(|i| (i, Purchase::OnDemand));
    let offers = on_demand.chain([(0, Purchase::Spot)]).map(|(at, purchase)| Offer {
        shape: ShapeId(at as u32),
        zone: ZoneId(0),
        purchase,
        hourly: Rate::ZERO,
        hazard_per_hour: 0.0,
        labels: Vec::new(),
    });
    let pool = PoolSpec {
        name: "p".to_owned(),
        kind: PoolKind::AutoScalingGroup { min: 1, max: 9, autoscaled: true },
        offers: offers.collect(),
        on_demand_base: 0,
        on_demand_percentage_above_base: 50,
        spot_allocation: SpotAllocation::default(),
        labels: Vec::new(),
        taints: Vec::new(),
        launch: Distribution::Constant(0.0),
        ready: Distribution::Constant(0.0),
    };
    let size = |cpu, mib: i64| FargateSize { cpu: MilliCpu(cpu), memory: Bytes(mib << 20) };
    let fargate = FargateSpec {
        name: "f".to_owned(),
        selectors: Vec::new(),
        sizes: vec![size(500, 2_048), size(1_000, 4_096), size(2_000, 16_384)],
        overhead_memory: Bytes(GIB / 4),
        start_latency: Distribution::Constant(0.0),
        launch_burst: 1,
        launch_per_second: 1,
        job_retention: SimDuration::ZERO,
        sidecar_cpu: MilliCpu(0),
        sidecar_memory: Bytes(0),
        hazard_per_hour: 0.0,
    };
    let shapes = types.iter().map(|t| shape("t", 1_000 * t.0, t.1, t.2)).collect();
    let cluster = ClusterSpec {
        shapes,
        zones: vec!["a".to_owned()],
        pools: vec![pool],
        fargate: vec![fargate],
        ..ClusterSpec::default()
    };
    let on_demand = |t: &Type| crate::bill::ShapePrice {
        on_demand: Some(price(&cents(t.3).to_string())),
        ..crate::bill::ShapePrice::default()
    };
    let plan = BillingPlan {
        shapes: types.iter().map(on_demand).collect(),
        fargate: vec![FargatePrice::new(price("0.04"), price("0.004"))],
        ..BillingPlan::default()
    };
    (cluster, plan)
}

fn held(pods: &[Pod], pool: u32, held: &mut Held) -> i64 {
    let mut changes: Vec<(i64, i64, &Pod)> = pods.iter().map(|p| (p.2, 1, p)).collect();
    changes.extend(pods.iter().map(|p| (p.2 + p.3, -1, p)));
    changes.sort_by_key(|c| (c.0, c.1));
    let set = held.set(vec![pool], SimTime::ZERO);
    for (minute, sign, pod) in &changes {
        let (cpu, memory) = (MilliCpu(pod.0 * 500), Bytes(pod.1 * GIB));
        let requests = Requests::new(Some(cpu), Some(memory), Vec::new());
        let now = SimTime(minute * MINUTE_MS);
        if *sign > 0 {
            held.bind(set, pool, &requests, now);
        } else {
            held.end(set, &requests, now);
        }
    }
    changes.last().map_or(0, |c| c.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    /// No sharing of a few pods among machines is cheaper, whatever is bought
    /// when, however Spot is billed; Fargate pays a size for each pod.
    #[test]
    fn no_placement_undercuts_the_bound(
        pods in proptest::collection::vec((1i64..5, 0i64..6, 0i64..200, 1i64..150), 1..6),
        alone in proptest::collection::vec((1i64..3, 0i64..4, 0i64..200, 1i64..150), 0..3),
        types in proptest::collection::vec((2i64..7, 4i64..20, 1u32..5, 3i64..30), 0..3),
        market in proptest::collection::vec((0i64..300, 1i64..12), 0..6),
        mode in 0usize..3,
    ) {
        // One that holds anything alone, so that there is a placement.
        let types: Vec<Type> = types.into_iter().chain([(4, 16, 3, 20)]).collect();
        let at = [SpotBilledAt::InstanceHour, SpotBilledAt::ClockHour, SpotBilledAt::Second][mode];
        let (cluster, plan) = offered(&types);
        let steps = steps(&market);
        let one = |pods: &[&Pod]| cheapest(pods, &types, &steps, at);
        let nodes = best(&pods, &mut Vec::new(), &one).expect("some placement");
        let size = |p: &Pod| match (p.0, p.1) {
            (1, 0..=1) => 20 + 8,
            (0..=2, 0..=3) => 40 + 16,
            _ => 80 + 64,
        };
        let mills: i64 = alone.iter().map(|p| size(p) * p.3).sum();
        let least = nodes + i128::from(mills) * 1_000_000_000;
        let mut all = Held::new(0, 0);
        // Levels of one set know nothing of the other: in turns.
        let end = held(&pods, 0, &mut all).max(held(&alone, 1, &mut all));
        let end = SimTime(end * MINUTE_MS);
        let record = Record {
            end,
            held: all.finish(end),
            spot_prices: SpotSteps::new(vec![(ShapeId(0), ZoneId(0), steps.into())]),
            ..Record::default()
        };
        let bill = Bill { compute_list: Money::from_pico(least), ..Bill::default() };
        let bound = LowerBound::of(&record, &bill, &cluster, &plan).bound;
        prop_assert!(bound > Money::ZERO);
        prop_assert!(bound.pico() * 60 <= least, "{bound} at 60 times {least}");
    }
}

/// A scenario of everything that a run may be made of.
fn scenario(seed: u64, spot: u32, kinds: [bool; 8], billed_at: &str, types: &str) -> String {
    let [ecs, fargate, small, warmup, moves, fixed, gpus, agreed] = kinds;
    // Pools of a fixed size are no capacity providers.
    let (fixed, gpus) = (fixed && !ecs, gpus && !ecs);
    let on = |yes: bool, text: &str| if yes { text.to_owned() } else { String::new() };
    let selected =
        if ecs { "    capacity-provider-strategy: [{ capacityProvider: f }]\n" } else { "" };
    let pool = match (ecs, fargate) {
        (_, false) => "",
        (false, true) => "  f: { fargate: { match: { namespace: batch } } }\n",
        (true, true) => "  f: { fargate: { purchase: spot } }\n",
    };
    let shapes = if small {
        "[{ cpu: 100m, memory: 128Mi }, { cpu: 250m, memory: 2Gi }]"
    } else {
        "[{ cpu: 1500m, memory: 1Gi }, { cpu: 500m, memory: 3Gi }]"
    };
    let scaled = if ecs {
        "capacity-provider: { managedScaling: { targetCapacity: 100 } }"
    } else {
        "scaler: cluster-autoscaler"
    };
    let train = on(
        gpus,
        "  train:
    generate:
      count: 6
      arrivals: { even: { every: 20m } }
      duration: 25m
      shapes: [{ cpu: 1, memory: 2Gi, extended: { nvidia.com/gpu: 1 } }]\n",
    );
    format!(
        "
version: 1
name: r{seed}
region: us-east-1
orchestrator: {orchestrator}
time: {{ start: 2026-01-05T00:40Z, horizon: 6h{warmup} }}
workload:
  job:
    namespace: batch
{selected}    generate:
      count: 80
      arrivals: {{ poisson: {{ per-hour: 40 }} }}
      duration: {{ lognormal: {{ median: 3m, p95: 80m }} }}
      shapes: {shapes}
  web:
    service: {{ requests: {{ cpu: 300m, memory: 700Mi }}, replicas: 4 }}
{train}{agent}pools:
  a:
    asg:
      types: {types}
      min: 1
      max: 30
      purchase: {{ on-demand-base: 1, on-demand-percentage-above-base: {spot} }}
    {scaled}
{pool}{fixed}{gpu}spot: {{ interruptions: {{ per-month: 99% }}{process} }}
{strategy}{agreed}",
        orchestrator = if ecs { "ecs" } else { "eks" },
        selected = if fargate { selected } else { "" },
        warmup = on(warmup, ", warmup: 50m"),
        agent = on(!ecs, "  agent: { daemonset: { requests: { cpu: 50m, memory: 64Mi } } }\n"),
        fixed = on(fixed, "  old: { fixed: { type: r5.large, count: 1 } }\n"),
        gpu = on(gpus, "  g: { fixed: { type: g4dn.xlarge, count: 1, purchase: spot } }\n"),
        process = on(
            moves && spot > 0,
            &format!(
                ", billed-at: {billed_at}, prices: {{ process: {{ interval: 20m, deviation: 60% }} }}"
            ),
        ),
        strategy =
            on(ecs, "ecs: { default-capacity-provider-strategy: [{ capacityProvider: a }] }\n"),
        agreed = on(
            agreed,
            "discounts: { ec2: 7%, fargate: 3.3% }
commitments:
  own: { kind: compute-sp, term: 1y, payment: no-upfront, usd-per-hour: 0.1 }
",
        ),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
    /// No run of the engine is billed less than its bound, before commitments.
    #[test]
    fn no_bill_undercuts_the_bound(
        seed in 0u64..10_000,
        spot in prop_oneof![Just(0u32), Just(50), Just(100)],
        kinds in any::<[bool; 8]>(),
        billed_at in prop_oneof![Just("instance-hour"), Just("clock-hour"), Just("second")],
        types in prop_oneof![Just("[m5.large]"), Just("[m5.xlarge, c5.2xlarge, r5.large]")],
    ) {
        let (found, bill, record) =
            ran(&case(&scenario(seed, spot, kinds, billed_at, types)), seed);
        prop_assert!(found.bound > Money::ZERO);
        prop_assert!(found.bound <= found.compute, "{found:?}");
        // What it is compared with is all that ran, and credits are not in it.
        prop_assert!(found.compute == bill.compute_list && !record.held.is_empty());
    }
}
