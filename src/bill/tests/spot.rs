//! Spot instances: who pays for which second, at which price.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cluster::{PriceSteps, SpotSteps};
use crate::units::SECOND_MS;

/// 0.036 USD an hour is 0.00001 USD a second.
fn plan() -> BillingPlan {
    let mut plan = prices();
    plan.shapes[0].spot = vec![Some(real("0.036")), Some(real("0.036"))];
    plan
}

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn at(hours: i64, minutes: i64) -> i64 {
    hours * HOUR_MS + minutes * MINUTE_MS
}

/// The price of shape 0 in zone 0.
fn moving(first: &str, changes: &[(i64, &str)]) -> SpotSteps {
    let changes = changes.iter().map(|(ms, usd)| (SimTime(*ms), rate(usd)));
    SpotSteps::new(vec![(LARGE, ZoneId(0), Arc::new(PriceSteps::new(rate(first), changes)))])
}

fn spot(running: i64, down: i64, end: NodeEnd) -> NodeRecord {
    node(LARGE, Purchase::Spot, running, down, end)
}

/// EC2 user guide, "Billing for interrupted Spot Instances", Linux.
#[test]
fn the_first_hour_is_free_if_ec2_ends_it() {
    let cost = |down_ms: i64, end: NodeEnd| {
        compute(&record(at(5, 0), vec![spot(0, down_ms, end)]), &plan()).total.to_string()
    };
    use NodeEnd::{Reclaimed, Running, ScaledDown};
    let s = SECOND_MS;
    for (down, end, usd) in [
        // The user ends it: the seconds used, in the first hour and later.
        (600 * s, ScaledDown, "0.006"),
        (3_600 * s, ScaledDown, "0.036"),
        (5_400 * s, ScaledDown, "0.054"),
        // At least a minute; the last second begun counts.
        (30 * s, ScaledDown, "0.0006"),
        (90 * s + 1, ScaledDown, "0.00091"),
        // EC2 ends it: nothing in the first hour, nor a minimum.
        (600 * s, Reclaimed, "0"),
        (30 * s, Reclaimed, "0"),
        (3_600 * s - 1, Reclaimed, "0"),
        // After a full hour the seconds used, the first hour's among them.
        (3_600 * s, Reclaimed, "0.036"),
        (3_600 * s + 1, Reclaimed, "0.03601"),
        (5_400 * s, Reclaimed, "0.054"),
        // Nobody ended it within the record.
        (600 * s, Running, "0.006"),
    ] {
        assert_eq!(cost(down, end), usd, "{down} ms, {end:?}");
    }
}

/// Metered seconds, minimums and rounding are lines of their own; what EC2
/// waives is a credit, so that the seconds stay visible.
#[test]
fn what_is_waived_is_seen() {
    let nodes = vec![spot(0, 30_500, NodeEnd::Reclaimed), spot(0, 30_500, NodeEnd::ScaledDown)];
    let mut plan = plan();
    plan.public_ipv4 = Some(real("0.0036"));
    let bill = compute(&record(at(1, 0), nodes), &plan);
    assert_eq!(
        lines(&bill, Resource::Node(0)),
        [
            ("instance", 0, "0.000305".to_owned()),
            ("spot-first-hour-credit", 0, "-0.000305".to_owned()),
            // Other charges run on.
            ("public-ipv4", 0, "0.0000305".to_owned()),
        ]
    );
    assert_eq!(
        lines(&bill, Resource::Node(1)),
        [
            ("instance", 0, "0.000305".to_owned()),
            ("instance-second-rounding", 0, "0.000005".to_owned()),
            ("instance-minimum", 0, "0.00029".to_owned()),
            ("public-ipv4", 0, "0.0000305".to_owned()),
        ]
    );
}

/// 0.036 until 00:30, then 0.072; the instance runs from 00:10 to
/// 02:10:00.5. Its hours begin at ten past.
fn two_prices() -> Record {
    let mut record = record(at(5, 0), vec![spot(at(0, 10), at(2, 10) + 500, NodeEnd::Reclaimed)]);
    record.spot_prices = moving("0.036", &[(at(0, 30), "0.072")]);
    record
}

fn two_price_lines(bill: &Bill) -> Vec<(&'static str, i32, String)> {
    assert!(bill.skus.iter().all(|sku| sku.name.starts_with("m5.large Spot us-east-1a")));
    lines(bill, Resource::Node(0))
}

#[test]
fn an_hour_of_the_instance_keeps_its_price() {
    let line = |hour, usd: &str| ("instance", hour, usd.to_owned());
    let bill = compute(&two_prices(), &plan());
    assert_eq!(
        two_price_lines(&bill),
        [
            // 50 min and 10 min at 0.036, then 50 min, 10 min and 0.5 s at 0.072.
            line(0, "0.03"),
            line(1, "0.006"),
            line(1, "0.06"),
            line(2, "0.01201"),
            ("instance-second-rounding", 2, "0.00001".to_owned()),
        ]
    );
    let rates: Vec<String> = bill.skus.iter().map(|sku| sku.rate.to_string()).collect();
    assert_eq!(rates, ["0.036", "0.072", "0.072"]);
    assert_eq!(bill.total, money("0.10802"));
    // What it would have cost On-Demand does not move: 2 h 1 s at 0.096, less
    // what rounding the lines loses.
    assert_eq!(bill.on_demand_total, money("0.192026666666"));

    let mut plan = plan();
    plan.spot_billed_at = SpotBilledAt::ClockHour;
    // 50 min at 0.036, then 70 min 1 s at 0.072.
    assert_eq!(compute(&two_prices(), &plan).total, money("0.11402"));
    plan.spot_billed_at = SpotBilledAt::Second;
    // 20 min at 0.036, then 100 min 1 s at 0.072.
    assert_eq!(compute(&two_prices(), &plan).total, money("0.13202"));
}

#[test]
fn the_cost_window_cuts_hours_and_keeps_their_price() {
    let mut record = two_prices();
    record.warmup = SimTime(at(0, 40));
    // Of the first hour 00:40 to 01:10 at 0.036; then as before.
    assert_eq!(compute(&record, &plan()).total, money("0.09002"));
    record.warmup = SimTime(at(1, 30));
    // 40 min 1 s at 0.072.
    let bill = compute(&record, &plan());
    assert_eq!(bill.total, money("0.04802"));
    assert!(bill.skus.iter().all(|sku| sku.rate == rate("0.072")));
    // The record ends first: 00:10 to 01:40.
    let mut record = two_prices();
    record.end = SimTime(at(1, 40));
    assert_eq!(compute(&record, &plan()).total, money("0.072"));
}

/// 00:40 to 01:20, taken back: free at every price it had.
#[test]
fn a_first_hour_of_two_prices_is_free() {
    let mut record = record(at(5, 0), vec![spot(at(0, 40), at(1, 20), NodeEnd::Reclaimed)]);
    record.spot_prices = moving("0.036", &[(at(0, 50), "0.072")]);
    let mut plan = plan();
    plan.spot_billed_at = SpotBilledAt::ClockHour;
    let bill = compute(&record, &plan);
    let credit = |hour, usd: &str| ("spot-first-hour-credit", hour, usd.to_owned());
    assert_eq!(
        two_price_lines(&bill),
        [
            ("instance", 0, "0.012".to_owned()),
            ("instance", 1, "0.024".to_owned()),
            credit(0, "-0.012"),
            credit(1, "-0.024"),
        ]
    );
    // The window begins in between: what it cut off is neither charged nor
    // credited.
    record.warmup = SimTime(at(1, 0));
    let bill = compute(&record, &plan);
    assert_eq!(two_price_lines(&bill), [("instance", 1, "0.024".to_owned()), credit(1, "-0.024")]);
    assert_eq!(bill.total, Money::ZERO);
}

proptest! {
    /// A price that never moves is billed as a constant one, line by line.
    #[test]
    fn a_still_price_is_a_constant_one(record in any_record(), plan in any_plan()) {
        let mut still = record.clone();
        let pools = (0..2).flat_map(|shape| (0..2).map(move |zone| (ShapeId(shape), ZoneId(zone))));
        still.spot_prices = SpotSteps::new(
            pools
                .filter_map(|(shape, zone)| {
                    let price = plan.shapes[shape.index()].spot.get(zone.index())?.as_ref()?;
                    Some((shape, zone, Arc::new(PriceSteps::new(price.rate, []))))
                })
                .collect(),
        );
        let bill = |record: &Record| {
            Bill::compute(record, &cluster(), &workloads(), &plan, KeepLines::Yes)
        };
        prop_assert_eq!(bill(&record).map_err(|e| e.to_string()), bill(&still).map_err(|e| e.to_string()));
    }

    /// Against the definition: each hour of the instance at the price of its
    /// start, each millisecond in turn of a minute's grid.
    #[test]
    fn moving_prices_follow_their_definition(
        running in 0..600i64,
        length in 1..1_500i64,
        warmup in 0..600i64,
        changes in prop::collection::vec((0..2_000i64, 1..2_000i64), 0..30),
        mode in 0..3,
    ) {
        let mut changes = changes;
        changes.sort_unstable();
        let steps = PriceSteps::new(
            rate("0.05"),
            changes.iter().map(|(minute, usd)| {
                (SimTime(minute * MINUTE_MS), Rate::from_pico(i128::from(*usd) * 100_000_000))
            }),
        );
        let (running, end) = (running * MINUTE_MS, (running + length) * MINUTE_MS);
        let mut record = record(at(40, 0), vec![spot(running, end, NodeEnd::ScaledDown)]);
        record.warmup = SimTime(warmup * MINUTE_MS);
        record.spot_prices =
            SpotSteps::new(vec![(LARGE, ZoneId(0), Arc::new(steps.clone()))]);
        let mut plan = plan();
        plan.spot_billed_at =
            [SpotBilledAt::InstanceHour, SpotBilledAt::ClockHour, SpotBilledAt::Second][mode as usize];
        let mut expected = 0.0;
        for minute in (running..end).step_by(MINUTE_MS as usize) {
            if minute < record.warmup.ms() {
                continue;
            }
            let start = match plan.spot_billed_at {
                SpotBilledAt::InstanceHour => minute - (minute - running) % HOUR_MS,
                SpotBilledAt::ClockHour => (minute - minute % HOUR_MS).max(running),
                SpotBilledAt::Second => minute,
            };
            expected += steps.at(SimTime(start)).to_f64() / 60.0;
        }
        let got = compute(&record, &plan).total.to_f64();
        prop_assert!((got - expected).abs() < 1e-9, "{} instead of {}", got, expected);
    }
}
