//! Spot prices, from the scenario to what nodes are launched and paid for.

use std::path::Path;

use super::*;
use crate::bill::{Bill, KeepLines, PriceStatus, SpotBilledAt};
use crate::cluster::{SpotPrice, ZoneId};
use crate::observe::{KeepPods, Record};
use crate::scenario::Source;
use crate::units::{HOUR_MS, Money, Rate};

/// Pods of an hour, one every twelve hours, each on a Spot node of its own:
/// the cheaper of two types.
const SCENARIO: &str = "
version: 1
name: t
region: us-east-1
seeds: 1
time: { start: 2025-01-06T00:00Z, horizon: 2d }
workload:
  job:
    generate:
      count: 4
      arrivals: { even: { every: 12h } }
      duration: 1h
      shapes: [{ cpu: 1, memory: 4Gi }]
pools:
  p:
    asg:
      types: [m5.large, m6i.large]
      zones: [us-east-1a]
      max: 3
      purchase: { above-base: spot, spot-allocation-strategy: lowest-price }
      boot: { launch: 10s, ready: 50s }
    scaler: cluster-autoscaler
";

fn linked_in(dir: &Path, rest: &str) -> crate::Result<Plan> {
    let source = Source::parse(&dir.join("s.yaml"), format!("{SCENARIO}{rest}").as_bytes())?;
    link(&source, &Options::default())
}

fn linked(rest: &str) -> Plan {
    linked_in(Path::new(""), rest).expect("links")
}

fn codes(plan: &Plan) -> Vec<&str> {
    plan.warnings.iter().map(|w| w.code).collect()
}

fn setting<'p>(plan: &'p Plan, path: &str) -> Option<&'p Setting> {
    plan.cases[0].settings.iter().find(|s| s.path == path)
}

fn usd(text: &str) -> Rate {
    text.parse().expect("a rate")
}

/// A directory with a history of this name.
fn beside(name: &str, text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join(name), text).expect("written");
    dir
}

/// m5.large is the cheaper one on the first day, m6i.large on the second.
const HISTORY: &str = r#"{ "SpotPriceHistory": [
  { "AvailabilityZone": "us-east-1a", "InstanceType": "m5.large", "ProductDescription": "Linux/UNIX",
    "SpotPrice": "0.050000", "Timestamp": "2025-01-07T00:00:00+00:00" },
  { "AvailabilityZone": "us-east-1a", "InstanceType": "m5.large", "ProductDescription": "Linux/UNIX",
    "SpotPrice": "0.030000", "Timestamp": "2025-01-05T20:00:00+00:00" },
  { "AvailabilityZone": "us-east-1a", "InstanceType": "m6i.large", "ProductDescription": "Linux/UNIX",
    "SpotPrice": "0.040000", "Timestamp": "2025-01-05T12:00:00+00:00" }
] }"#;

fn run(plan: &Plan) -> (Record, Bill) {
    let case = &plan.cases[0];
    let tables = case.workload.materialise(1).expect("fine");
    let record = crate::world::run(&case.setup, &tables, 1, KeepPods::No);
    let bill = Bill::compute(&record, &case.setup.cluster, &tables, &case.billing, KeepLines::Yes);
    (record, bill.expect("a bill"))
}

#[test]
fn constant_prices_are_as_before() {
    let (silent, stated) = (linked(""), linked("spot: { prices: advisor }\n"));
    assert_eq!(silent.cases[0].setup, stated.cases[0].setup);
    assert_eq!(silent.cases[0].billing, stated.cases[0].billing);
    assert!(silent.cases[0].setup.cluster.spot_pools.is_empty());
    assert_eq!(setting(&silent, "spot.prices").map(|s| s.value.as_str()), Some("advisor"));
    assert!(setting(&silent, "spot.billed-at").is_none());
    let idle = linked("spot: { billed-at: clock-hour, cap-at-on-demand: false }\n");
    assert_eq!(codes(&idle).iter().filter(|c| **c == "unused-spot-price").count(), 2);
}

#[test]
fn a_process_has_documented_defaults_and_follows_factors() {
    let plan = linked("spot: { prices: { process: { interval: 6h } } }\n");
    let case = &plan.cases[0];
    let path = |key: &str| format!("spot.prices.process.{key}");
    for (key, value) in [("half-life", "7d"), ("deviation", "7%"), ("zone-spread", "17%")] {
        assert_eq!(setting(&plan, &path(key)).map(|s| s.value.as_str()), Some(value), "{key}");
    }
    assert_eq!(setting(&plan, &path("interval")).map(|s| s.origin), Some(Origin::Scenario));
    assert!(case.random);
    let pools = &case.setup.cluster.spot_pools;
    assert_eq!(pools.len(), 2);
    let level = |plan: &Plan| match &plan.cases[0].setup.cluster.spot_pools[0].price {
        SpotPrice::Process { process, level, cap } => {
            assert_eq!(process.interval.ms(), 6 * HOUR_MS);
            (*level, *cap)
        }
        SpotPrice::Steps(_) => panic!("a process"),
    };
    let advisor = linked("").cases[0].billing.shapes[0].spot[0].expect("sold");
    assert_eq!(advisor.status, PriceStatus::Derived);
    // m5.large costs 0.096 On-Demand.
    assert_eq!(level(&plan), (advisor.rate, Some(usd("0.096"))));
    assert_eq!(case.billing.shapes[0].spot[0].expect("sold").status, PriceStatus::Representative);
    let dear = linked(
        "prices: { spot: 150% }\n\
         spot: { prices: { process: { interval: 6h } } }\n",
    );
    assert_eq!(level(&dear), (advisor.rate.scale(3, 2), Some(usd("0.144"))));
    let open = linked("spot: { prices: { process: { interval: 6h } }, cap-at-on-demand: false }\n");
    assert_eq!(level(&open), (advisor.rate, None));
    let error = linked_in(Path::new(""), "spot: { prices: { process: { interval: 1m } } }\n");
    assert!(error.expect_err("refused").to_string().contains("an interval between"));
}

#[test]
fn a_drawn_price_is_the_same_in_every_case_and_run() {
    let cases = "spot: { prices: { process: {} } }\n\
                 cases:\n  today: {}\n  more: { set: { pools.p.asg.min: 2 } }\n  \
                 clock: { set: { spot.billed-at: clock-hour } }\n";
    let plan = linked(cases);
    let steps: Vec<_> = plan
        .cases
        .iter()
        .map(|case| {
            let tables = case.workload.materialise(1).expect("fine");
            crate::world::run(&case.setup, &tables, 1, KeepPods::No).spot_prices
        })
        .collect();
    assert_eq!(steps[0], steps[1]);
    // Which price of a moving one is paid is a matter of billing alone.
    assert_eq!(plan.cases[0].sim_key, plan.cases[2].sim_key);
    assert_eq!(plan.cases[2].billing.spot_billed_at, SpotBilledAt::ClockHour);
}

#[test]
fn launches_and_bills_see_the_price_of_the_moment() {
    let dir = beside("spot.json", HISTORY);
    let plan =
        linked_in(dir.path(), "spot: { prices: { history: spot.json }, interruptions: none }\n")
            .expect("links");
    assert!(plan.inputs.iter().any(|input| input.path == "spot.json"));
    assert_eq!(
        setting(&plan, "ec2-spot.m5.large.us-east-1a").map(|s| s.value.as_str()),
        Some("0.03 USD per instance-hour")
    );
    assert!(codes(&plan).is_empty(), "{:?}", plan.warnings);
    let (record, bill) = run(&plan);
    let cluster = &plan.cases[0].setup.cluster;
    let shapes: Vec<&str> =
        record.nodes.iter().map(|n| cluster.shapes[n.shape.index()].name.as_str()).collect();
    assert_eq!(shapes, ["m5.large", "m5.large", "m6i.large", "m6i.large"]);
    // Each node pays the price of its type on its day.
    let mut expected = Money::ZERO;
    for node in &record.nodes {
        let day = node.running.ms() / (24 * HOUR_MS);
        let price = if day == 0 { "0.03" } else { "0.04" };
        let ms = i128::from((node.shutting_down - node.running).ms());
        assert!(ms > i128::from(HOUR_MS));
        expected += usd(price).charge(ms, i128::from(HOUR_MS));
    }
    let rounding: Money =
        bill.by_item.iter().filter(|((c, _), _)| c.name() != "instance").map(|(_, m)| *m).sum();
    let control_plane = bill.by_charge["control-plane"];
    let fair = (bill.total - control_plane - (rounding - control_plane)) - expected;
    assert!(fair.pico().abs() < 100, "{} instead of {expected}", bill.total);
    assert_eq!(bill.by_price_status.get("derived"), None);
}

#[test]
fn a_history_is_shifted_cut_and_filled_as_stated() {
    // Of 2022, in a zone with an id, dearer than On-Demand, one type missing.
    let text = "timestamp,availability_zone,instance_type,spot_price\n\
                2022-05-01T00:00:00Z,use1-az1,m5.large,0.04\n\
                2022-05-01T06:00:00Z,use1-az1,m5.large,0.2\n\
                2022-05-02T00:00:00Z,use1-az2,m5.large,0.03\n";
    let dir = beside("old.csv", text);
    let of =
        |rest: &str| linked_in(dir.path(), &format!("spot: {{ prices: {{ history: {rest} }} }}\n"));
    let steps = |plan: &Plan| -> Vec<(i64, String)> {
        let [pool] = plan.cases[0].setup.cluster.spot_pools.as_slice() else { panic!("one") };
        assert_eq!(pool.zone, ZoneId(0));
        let SpotPrice::Steps(steps) = &pool.price else { panic!("a history") };
        steps.iter().map(|(at, usd)| (at.ms() / HOUR_MS, usd.to_string())).collect()
    };
    let rows = |rows: &[(i64, &str)]| -> Vec<(i64, String)> {
        rows.iter().map(|(at, usd)| (*at, (*usd).to_owned())).collect()
    };
    let status = |plan: &Plan| plan.cases[0].billing.shapes[0].spot[0].expect("sold").status;

    let absolute = of("old.csv").expect("links");
    assert_eq!(steps(&absolute), rows(&[(0, "0.096")]));
    assert_eq!(status(&absolute), PriceStatus::Derived);
    assert_eq!(codes(&absolute), ["spot-history-elsewhere", "spot-history-gap"]);
    let assumed = setting(&absolute, "spot.prices.history.zones.us-east-1a");
    assert_eq!(assumed.map(|s| s.value.as_str()), Some("use1-az1"));

    let first = of("{ file: old.csv, align: first-row }").expect("links");
    assert_eq!(steps(&first), rows(&[(0, "0.04"), (6, "0.096")]));
    assert_eq!(status(&first), PriceStatus::Representative);
    assert!(!codes(&first).contains(&"spot-history-elsewhere"));

    let at = of("{ file: old.csv, align: 2022-05-01T04:00Z }").expect("links");
    assert_eq!(steps(&at), rows(&[(0, "0.04"), (2, "0.096")]));

    assert!(!codes(&first).contains(&"spot-history-late"));

    // The other zone's first row comes a day after the first of all.
    let other = of("{ file: old.csv, align: first-row, zones: { us-east-1a: use1-az2 } }");
    let other = other.expect("links");
    assert_eq!(steps(&other), rows(&[(0, "0.03")]));
    let late = other.warnings.iter().find(|w| w.code == "spot-history-late").expect("said");
    assert!(late.text.contains("for m5.large in us-east-1a: until then"), "{}", late.text);

    let open = linked_in(
        dir.path(),
        "spot: { cap-at-on-demand: false, prices: { history: { file: old.csv, align: first-row } } }\n\
         prices: { types: { m5.*: 200% } }\n",
    )
    .expect("links");
    assert_eq!(steps(&open), rows(&[(0, "0.08"), (6, "0.4")]));

    let unknown = of("{ file: old.csv, zones: { us-east-1a: use1-az9 } }");
    let error = unknown.expect_err("refused").to_string();
    assert!(error.contains("no zone `use1-az9`") && error.contains("use1-az"), "{error}");
    let absent = of("gone.csv").expect_err("refused").to_string();
    assert!(absent.contains("gone.csv"), "{absent}");
}

/// The sample of the facts: a cross-section of one evening, in which m5.large
/// changed its price in use1-az4 and m6i.large elsewhere.
#[test]
fn the_sample_of_the_facts_prices_pools() {
    let Some(shared) = crate::testing::shared_dir() else { return };
    let rest = "spot: { prices: { history: { file: ec2-spot-history-sample.csv, dataset: A-2022, \
                align: 2022-05-31T18:20Z, zones: { us-east-1a: use1-az4 } } } }\n";
    let plan = linked_in(&shared.join("facts"), rest).expect("links");
    let case = &plan.cases[0];
    assert_eq!(case.setup.cluster.spot_pools.len(), 1);
    let price = case.billing.shapes[0].spot[0].expect("sold");
    assert_eq!((price.rate, price.status), (usd("0.0416"), PriceStatus::Representative));
    assert!(codes(&plan).contains(&"spot-history-gap"));
    let (_, bill) = run(&plan);
    assert!(bill.by_purchase["spot"] > Money::ZERO);
}
