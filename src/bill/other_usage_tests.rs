//! Bills of a payer who uses commitments elsewhere too, by hand.

use std::sync::Arc;

use proptest::prelude::*;

use super::commitments::{HourlyUsage, Terms, WEEK_HOURS, settle};
use super::tests::{any_plan, any_record, cluster, node, prices, record, workloads};
use super::*;
use crate::cluster::{Purchase, ShapeId};
use crate::observe::{NodeEnd, Record};
use crate::units::{HOUR_MS, Money, Percent};

fn money(text: &str) -> Money {
    text.parse().expect("money")
}

fn price(text: &str) -> Price {
    Price::new(text.parse().expect("rate"), PriceStatus::Real)
}

fn compute(record: &Record, plan: &BillingPlan) -> Bill {
    let bill = Bill::compute(record, &cluster(), &workloads(), plan, KeepLines::Yes);
    let bill = bill.expect("a bill");
    let cash: i128 = (0..bill.lines.len()).map(|i| i128::from(bill.line_cash(i))).sum();
    assert_eq!(Money::from_pico(cash), bill.cash_total);
    let sums = Bill::compute(record, &cluster(), &workloads(), plan, KeepLines::No);
    let sums = sums.expect("a bill");
    assert_eq!((sums.total, sums.cash_total), (bill.total, bill.cash_total));
    assert_eq!(sums.commitment, bill.commitment);
    bill
}

/// One m5.large (0.096) for two hours.
fn two_hours() -> Record {
    let node = node(ShapeId(0), Purchase::OnDemand, 0, 2 * HOUR_MS, NodeEnd::Running);
    record(2 * HOUR_MS, vec![node])
}

/// Elsewhere: one m5.large in the first hour, two in the second.
fn elsewhere(record: &Record, owner: bool) -> OtherUsage {
    let first = record.start_unix_ms / HOUR_MS;
    let hour = i128::from(HOUR_MS);
    let rows = vec![(first, 0, hour), (first + 1, 0, 2 * hour)];
    OtherUsage {
        owner,
        items: vec![OtherItem {
            name: "m5.large".into(),
            unit: Unit::Hours,
            on_demand: price("0.096"),
            is_instance: true,
            covered: vec![Some(price("0.06"))],
        }],
        hours: Arc::new(OtherHours::new(false, rows, String::new())),
    }
}

/// 0.15 an hour, of which an m5.large takes 0.06.
fn savings_plan(fees: CommitmentFees) -> Commitment {
    Commitment {
        name: "plan".into(),
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: price("0.15").rate,
        reserved: None,
        in_force: ALWAYS,
        fee_discount: Percent::default(),
        fees,
        shapes: vec![Some(price("0.06"))],
        fargate: vec![],
    }
}

fn monthly() -> CommitmentFees {
    CommitmentFees { upfront: Money::ZERO, hourly: price("0.15").rate }
}

fn plan_of(commitment: Commitment, other: OtherUsage) -> BillingPlan {
    BillingPlan { commitments: vec![commitment], other_usage: Some(other), ..prices() }
}

#[test]
fn the_owner_is_covered_first_and_others_get_the_rest() {
    let record = two_hours();
    let alone = BillingPlan { commitments: vec![savings_plan(monthly())], ..prices() };
    let alone = compute(&record, &alone);
    // 0.06 used, 0.09 unused an hour; who knows whether others use that.
    assert_eq!((alone.total, alone.bounds()), (money("0.3"), (money("0.12"), money("0.3"))));

    // Scenario first: 0.06 + 0.06 and 0.03 unused; 0.06 + 0.09 of 0.12.
    let bill = compute(&record, &plan_of(savings_plan(monthly()), elsewhere(&record, false)));
    let used = &bill.commitment.each[0];
    assert_eq!((used.committed, used.used), (money("0.3"), money("0.12")));
    assert_eq!((used.used_by_others, used.unused), (money("0.15"), money("0.03")));
    assert_eq!(bill.total, money("0.15"));
    assert_eq!(bill.bounds(), (bill.total, bill.total));
    assert_eq!(bill.by_charge["unused-commitment"], money("0.03"));
    assert_eq!(used.covered_on_demand, money("0.192"));
    // The scenario's part of two fees of 0.15.
    assert_eq!(bill.cash_total, money("0.15"));
    let utilisation = bill.commitment.utilisation().expect("a share");
    assert!((utilisation - 0.9).abs() < 1e-9, "{utilisation}");

    // Others first: 0.06 + 0.06 and 0.03 unused; 0.12, and 0.03 for half an
    // hour of the scenario's, whose other half is 0.048.
    let bill = compute(&record, &plan_of(savings_plan(monthly()), elsewhere(&record, true)));
    let used = &bill.commitment.each[0];
    assert_eq!((used.used, used.used_by_others), (money("0.09"), money("0.18")));
    assert_eq!((used.unused, bill.total), (money("0.03"), money("0.168")));
    assert_eq!(bill.by_purchase["on-demand"], money("0.048"));
    assert_eq!((used.covered_on_demand, bill.cash_total), (money("0.144"), money("0.168")));
}

#[test]
fn payments_are_those_of_the_scenarios_part() {
    let record = two_hours();
    let fees = CommitmentFees { upfront: money("100"), hourly: price("0.075").rate };
    let from = record.start_unix_ms;
    let it = Commitment { in_force: (from, from + 8_760 * HOUR_MS), ..savings_plan(fees) };
    let bill = compute(&record, &plan_of(it, elsewhere(&record, false)));
    let used = &bill.commitment.each[0];
    // Half of 0.3 in all; of the hours 0.09 and 0.06 of 0.15.
    assert_eq!((used.upfront, used.recurring), (money("50"), money("0.075")));
    assert_eq!((bill.total, bill.cash_total), (money("0.15"), money("50.075")));
}

#[test]
fn reserved_instances_cover_others_and_zonal_ones_may() {
    let record = two_hours();
    let reserved = |zone: Option<&str>| Commitment {
        kind: CommitmentKind::StandardRi,
        usd_per_hour: price("0.12").rate,
        reserved: Some(Reserved {
            instance_type: "m5.large".into(),
            count: 2,
            zone: zone.map(str::to_owned),
            size_flexible: zone.is_none(),
            status: PriceStatus::Derived,
        }),
        fee_discount: Percent::default(),
        fees: CommitmentFees { upfront: Money::ZERO, hourly: price("0.12").rate },
        ..savings_plan(monthly())
    };
    let bill = compute(&record, &plan_of(reserved(None), elsewhere(&record, false)));
    // One of two is the scenario's, the other one others'.
    let used = &bill.commitment.each[0];
    assert_eq!((bill.total, used.used_by_others), (money("0.12"), money("0.12")));
    assert_eq!((used.unused, bill.bounds().0), (Money::ZERO, money("0.12")));
    // Nobody knows whether the others run in zone b: both bounds stay.
    let zonal = reserved(Some("us-east-1b"));
    let bill = compute(&record, &plan_of(zonal, elsewhere(&record, false)));
    assert_eq!(bill.bounds(), (money("0.192"), money("0.432")));
    assert_eq!(bill.cash_bounds(), bill.bounds());
    assert_eq!(bill.commitment.used_by_others(), Money::ZERO);
}

#[test]
fn weeks_repeat_and_parts_of_hours_count_in_part() {
    let mut other = elsewhere(&two_hours(), false);
    // Thursday 00:00 UTC, the Unix epoch, is hour 72 of the week.
    let hours = OtherHours::new(true, vec![(72, 0, i128::from(HOUR_MS))], String::new());
    other.hours = Arc::new(hours);
    let half = HOUR_MS / 2;
    let window = HourlyUsage::new(-half, WEEK_HOURS * HOUR_MS + half, vec![]).expect("small");
    let all = other.after(&window).expect("small");
    let used: Vec<(usize, i128)> =
        all.quantity.iter().copied().enumerate().filter(|(_, q)| *q != 0).collect();
    // The window begins half an hour before the epoch: hour 0 of the table is
    // the hour before, and the last one is cut in half.
    assert_eq!(used, [(1, HOUR_MS.into()), (169, half.into())]);
    assert_eq!((all.list[1], all.list[169]), (money("0.096"), money("0.048")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What the scenario and the others pay together is what the payer pays.
    #[test]
    fn the_bills_of_a_payer_add_up(
        record in any_record(),
        plan in any_plan(),
        rows in prop::collection::btree_map((0i64..60, 0u32..3), 0i128..9_000_000, 0..80),
        share in 100i128..1_100,
        owner in any::<bool>(),
    ) {
        let first = record.start_unix_ms / HOUR_MS;
        let rows = rows.into_iter().map(|((hour, item), q)| {
            (first + hour, item, if item == 2 { q * 1_000 } else { q })
        });
        let item = |name: &str, unit, on_demand: &str| {
            let on_demand = price(on_demand);
            let rate = on_demand.rate.scale(share, 1_000);
            let covered = |(i, c): (usize, &Commitment)| {
                (c.reserved.is_none() && i % 3 < 2).then(|| Price::new(rate, PriceStatus::Real))
            };
            OtherItem {
                name: name.into(),
                unit,
                on_demand,
                is_instance: unit == Unit::Hours,
                covered: plan.commitments.iter().enumerate().map(covered).collect(),
            }
        };
        let other = OtherUsage {
            owner,
            items: vec![
                item("m5.large", Unit::Hours, "0.096"),
                item("m5.2xlarge", Unit::Hours, "0.384"),
                item("fargate-vcpu", Unit::VcpuHours, "0.04048"),
            ],
            hours: Arc::new(OtherHours::new(false, rows.collect(), String::new())),
        };
        let with = BillingPlan { other_usage: Some(other), ..plan.clone() };
        let bill = compute(&record, &with);
        let (usage, own) = payer_usage(&record, &cluster(), &with).expect("usage");
        let settled = settle(&usage, &Terms::of_plan(&with, &usage.items));
        let (mut others, mut eligible) = (Money::ZERO, Money::ZERO);
        for hour in 0..settled.hours() {
            let covers = settled.covers(hour).iter().filter(|c| c.item as usize >= own);
            others += covers.map(|c| c.net).sum();
            others += (own..settled.items()).map(|i| settled.remaining(hour, i).1).sum();
            let row = hour * settled.items();
            eligible += usage.list[row..row + own].iter().copied().sum();
        }
        // What no commitment can cover is on the scenario's bill alone.
        prop_assert_eq!(bill.total + others, settled.total() + bill.list_total - eligible);
        for c in &bill.commitment.each {
            prop_assert_eq!(c.used + c.used_by_others + c.unused, c.committed);
        }
        if !owner {
            // Who is covered first is covered as if alone.
            let alone = compute(&record, &plan);
            let used = |bill: &Bill| bill.commitment.each.iter().map(|c| c.used).collect::<Vec<_>>();
            prop_assert_eq!(used(&alone), used(&bill));
            prop_assert_eq!(alone.total - alone.commitment.unused(), bill.total - bill.commitment.unused());
        }
        // Nothing elsewhere, nothing changes.
        let mut nothing = with.clone();
        if let Some(other) = &mut nothing.other_usage {
            (other.owner, other.hours) = (false, Arc::new(OtherHours::new(false, vec![], String::new())));
        }
        let (nothing, alone) = (compute(&record, &nothing), compute(&record, &plan));
        prop_assert_eq!((nothing.total, nothing.cash_total), (alone.total, alone.cash_total));
        prop_assert_eq!(nothing.lines, alone.lines);
    }
}
