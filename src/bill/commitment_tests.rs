//! Bills under Reserved Instances and Savings Plans, by hand.

use super::tests::{cluster, lines, node, prices, record, step, workloads};
use super::*;
use crate::cluster::{Purchase, ShapeId, ZoneId};
use crate::observe::{NodeEnd, NodeRecord, Record};
use crate::units::{HOUR_MS, Money, Percent, Rate};

fn money(text: &str) -> Money {
    text.parse().expect("money")
}

fn rate(text: &str) -> Rate {
    text.parse().expect("rate")
}

fn compute(record: &Record, plan: &BillingPlan) -> Bill {
    let bill = Bill::compute(record, &cluster(), &workloads(), plan, KeepLines::Yes);
    let bill = bill.expect("a bill");
    let cash: i128 = (0..bill.lines.len()).map(|i| i128::from(bill.line_cash(i))).sum();
    assert_eq!(Money::from_pico(cash), bill.cash_total);
    let net: i128 = bill.lines.net.iter().map(|n| i128::from(*n)).sum();
    assert_eq!(Money::from_pico(net), bill.total);
    let sums = Bill::compute(record, &cluster(), &workloads(), plan, KeepLines::No);
    let sums = sums.expect("a bill");
    assert_eq!((sums.total, sums.cash_total), (bill.total, bill.cash_total));
    assert_eq!((&sums.by_charge, &sums.commitment), (&bill.by_charge, &bill.commitment));
    bill
}

/// An m5.large (0.096) in zone a for three hours.
fn three_hours(zone: u32) -> NodeRecord {
    let node = node(ShapeId(0), Purchase::OnDemand, 0, 3 * HOUR_MS, NodeEnd::Running);
    NodeRecord { zone: ZoneId(zone), ..node }
}

/// `count` m5.large at 0.06 an hour, a third of it paid upfront.
fn reserved(count: u32, zone: Option<&str>) -> Commitment {
    let price = Some(Price::new(rate("0.06"), PriceStatus::Derived));
    let twice = Some(Price::new(rate("0.12"), PriceStatus::Derived));
    let times = |text: &str| Rate::from_pico(rate(text).pico() * i128::from(count));
    Commitment {
        name: "owned".into(),
        kind: CommitmentKind::StandardRi,
        usd_per_hour: times("0.06"),
        reserved: Some(Reserved {
            instance_type: "m5.large".into(),
            count,
            zone: zone.map(str::to_owned),
            size_flexible: zone.is_none(),
            status: PriceStatus::Derived,
        }),
        in_force: ALWAYS,
        fee_discount: Percent::default(),
        fees: CommitmentFees {
            upfront: Money::from_pico(money("175.2").pico() * i128::from(count)),
            hourly: times("0.04"),
        },
        shapes: vec![price, twice.filter(|_| zone.is_none()), None],
        fargate: vec![],
    }
}

fn plan_of(commitments: Vec<Commitment>) -> BillingPlan {
    BillingPlan { commitments, ..prices() }
}

#[test]
fn a_reserved_instance_covers_one_of_two_nodes() {
    let record = record(3 * HOUR_MS, vec![three_hours(0), three_hours(1)]);
    let bill = compute(&record, &plan_of(vec![reserved(1, None)]));
    // 3 h × 0.06, and 3 h × 0.096 of the other; both nodes share the benefit.
    assert_eq!(bill.total, money("0.468"));
    assert_eq!(bill.by_purchase["reserved-instance"], money("0.18"));
    assert_eq!(bill.by_purchase["on-demand"], money("0.288"));
    let first = lines(&bill, Resource::Node(0));
    assert_eq!(first[0], ("instance", 0, "0.03".to_owned()));
    assert_eq!(first[1], ("instance", 0, "0.048".to_owned()));
    let used = &bill.commitment.each[0];
    assert_eq!(used.kind, CommitmentKind::StandardRi);
    assert_eq!((used.used, used.unused), (money("0.18"), Money::ZERO));
    assert_eq!(used.covered_on_demand, money("0.288"));
    // Bought before: three recurring fees of 0.04 are paid, nothing upfront.
    assert_eq!((used.upfront, used.recurring), (Money::ZERO, money("0.12")));
    assert_eq!(bill.cash_total, money("0.408"));
}

#[test]
fn zones_matter_to_zonal_ones_alone() {
    let record = record(3 * HOUR_MS, vec![three_hours(0), three_hours(1)]);
    let zonal = compute(&record, &plan_of(vec![reserved(2, Some("us-east-1b"))]));
    // The node in b is covered, one of two reservations stays unused.
    assert_eq!(zonal.by_charge["unused-reserved-instance"], money("0.18"));
    assert_eq!(zonal.total, money("0.648"));
    assert!(lines(&zonal, Resource::Node(0)).iter().all(|l| l.2 == "0.096"));
    let regional = compute(&record, &plan_of(vec![reserved(2, None)]));
    assert_eq!((regional.total, regional.commitment.unused()), (money("0.36"), Money::ZERO));
}

#[test]
fn a_larger_size_takes_its_factor() {
    let node = node(ShapeId(1), Purchase::OnDemand, 0, 2 * HOUR_MS, NodeEnd::Running);
    let record = record(2 * HOUR_MS, vec![node]);
    let bill = compute(&record, &plan_of(vec![reserved(1, None)]));
    // Half of an m5.xlarge (0.192): 0.06 + 0.096 an hour.
    assert_eq!(bill.total, money("0.312"));
    let sku = bill.skus.iter().find(|s| s.name == "m5.xlarge under owned").expect("covered");
    assert_eq!((sku.rate, sku.status), (rate("0.12"), PriceStatus::Derived));
}

#[test]
fn upfront_is_paid_when_it_comes_into_force() {
    let record = record(3 * HOUR_MS, vec![three_hours(0)]);
    let mut it = reserved(1, None);
    let from = record.start_unix_ms + HOUR_MS;
    it.in_force = (from, from + 8_760 * HOUR_MS);
    let bill = compute(&record, &plan_of(vec![it.clone()]));
    // An hour On-Demand, two reserved.
    assert_eq!(bill.total, money("0.216"));
    let owned = Resource::Commitment(0);
    let paid: Vec<(&str, i32)> =
        lines(&bill, owned).into_iter().map(|(charge, hour, _)| (charge, hour)).collect();
    let (upfront, recurring) = ("commitment-upfront", "commitment-recurring");
    assert_eq!(paid, [(upfront, 1), (recurring, 1), (recurring, 2)]);
    // 0.096 + 175.2 + 2 × 0.04.
    assert_eq!(bill.cash_total, money("175.376"));
    // Fees cost nothing beside what they amortise to.
    assert!(!bill.by_charge.contains_key(upfront));
    // Ended before: nothing of it.
    it.in_force = (from - 8_761 * HOUR_MS, from - HOUR_MS);
    let bill = compute(&record, &plan_of(vec![it]));
    assert_eq!((bill.total, bill.cash_total), (money("0.288"), money("0.288")));
}

#[test]
fn a_payment_beyond_a_line_is_several_lines() {
    let record = record(HOUR_MS, vec![three_hours(0)]);
    let mut it = reserved(1, None);
    it.in_force = (record.start_unix_ms, i64::MAX);
    it.fees.upfront = money("20000000");
    let bill = compute(&record, &plan_of(vec![it]));
    assert_eq!(bill.commitment.each[0].upfront, money("20000000"));
    assert_eq!(lines(&bill, Resource::Commitment(0)).len(), 4);
}

#[test]
fn eligible_usage_needs_no_commitment() {
    let record = record(3 * HOUR_MS, vec![three_hours(0), three_hours(1)]);
    let usage = eligible_usage(&record, &cluster(), &prices()).expect("usage");
    assert_eq!(usage.hours(), 3);
    assert_eq!(usage.items[0].name, "m5.large");
    // Two hours of m5.large in every hour; Fargate did not run.
    let items = usage.items.len();
    for hour in 0..3 {
        assert_eq!(usage.quantity[hour * items], i128::from(2 * HOUR_MS));
        assert_eq!(usage.list[hour * items], money("0.192"));
    }
    // Where something is zonal, zones are items of their own.
    let zonal = plan_of(vec![reserved(1, Some("us-east-1a"))]);
    let usage = eligible_usage(&record, &cluster(), &zonal).expect("usage");
    let names: Vec<&str> = usage.items.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names[..2], ["m5.large us-east-1a", "m5.large us-east-1b"]);
}

/// `count` m5.large reserved in zone a.
fn capacity(count: u32, covered: Vec<Option<Price>>) -> CapacityReservation {
    CapacityReservation {
        name: "kept".into(),
        instance_type: "m5.large".into(),
        zone: "us-east-1a".into(),
        count,
        on_demand: Price::new(rate("0.096"), PriceStatus::Real),
        covered,
    }
}

#[test]
fn reserved_capacity_is_charged_where_nothing_runs_in_it() {
    // In zone a a node for the first 90 minutes, another type, and a Spot node.
    let short =
        NodeRecord { shutting_down: crate::units::SimTime(HOUR_MS * 3 / 2), ..three_hours(0) };
    let spot = node(ShapeId(0), Purchase::Spot, 0, 3 * HOUR_MS, NodeEnd::Running);
    let other = node(ShapeId(1), Purchase::OnDemand, 0, 3 * HOUR_MS, NodeEnd::Running);
    let record = record(3 * HOUR_MS, vec![short, three_hours(1), spot, other]);
    let before = compute(&record, &prices()).total;
    let plan = BillingPlan { capacity_reservations: vec![capacity(2, vec![])], ..prices() };
    let bill = compute(&record, &plan);
    // One free at first, then one and a half, then two: 4.5 h × 0.096.
    let kept = lines(&bill, Resource::Cluster);
    let kept: Vec<(&str, i32, &str)> = kept.iter().map(|l| (l.0, l.1, l.2.as_str())).collect();
    let unused = "unused-capacity-reservation";
    assert_eq!(kept, [(unused, 0, "0.096"), (unused, 1, "0.144"), (unused, 2, "0.192")]);
    assert_eq!(bill.total - before, money("0.432"));
    // A second one alike finds the first in use: nothing runs in it.
    let twice = vec![capacity(1, vec![]), capacity(1, vec![])];
    let bill = compute(&record, &BillingPlan { capacity_reservations: twice, ..prices() });
    assert_eq!(bill.total - before, money("0.432"));
    // It is nobody's commitment: a step and an owner of its own.
    assert_eq!(step(&bill, Step::UnusedCommitment), [Money::ZERO; 3]);
    assert_eq!(step(&bill, Step::UnusedCapacity)[2], bill.by_workload[pseudo::UNUSED_CAPACITY]);
    assert_ne!(bill.by_workload[pseudo::UNUSED_CAPACITY], Money::ZERO);
}

#[test]
fn commitments_cover_reserved_capacity_after_what_runs() {
    let record = record(3 * HOUR_MS, vec![three_hours(0)]);
    let bill_of = |commitment: Commitment, covered: Option<Price>| {
        let capacity_reservations = vec![capacity(2, vec![covered])];
        compute(&record, &BillingPlan { capacity_reservations, ..plan_of(vec![commitment]) })
    };
    let price = Some(Price::new(rate("0.06"), PriceStatus::Derived));
    // One regional covers the node; the free hours of the reservation stay.
    let one = bill_of(reserved(1, None), price);
    assert_eq!(one.by_charge["unused-capacity-reservation"], money("0.288"));
    assert_eq!(one.by_charge["instance"], money("0.18"));
    // Two cover both; a zonal pair leaves the reservation alone.
    let two = bill_of(reserved(2, None), price);
    assert_eq!((two.total, two.commitment.unused()), (money("0.36"), Money::ZERO));
    let zonal = bill_of(reserved(2, Some("us-east-1a")), None);
    assert_eq!(zonal.by_charge["unused-reserved-instance"], money("0.18"));
    assert_eq!(zonal.by_charge["unused-capacity-reservation"], money("0.288"));
    // A plan of 0.09 an hour: the node at 0.06, half an hour of the reservation.
    let plan = Commitment {
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: rate("0.09"),
        reserved: None,
        ..reserved(1, None)
    };
    let covered = bill_of(plan, price);
    assert_eq!(covered.by_purchase["savings-plan"], money("0.27"));
    assert_eq!(covered.by_purchase["on-demand"], money("0.144"));
    assert_eq!(covered.bounds(), (money("0.414"), money("0.414")));
}

#[test]
fn the_bounds_differ_by_what_stays_unused() {
    let record = record(3 * HOUR_MS, vec![three_hours(0)]);
    let bill = compute(&record, &plan_of(vec![reserved(3, None)]));
    assert_eq!(bill.bounds(), (money("0.18"), money("0.54")));
    // Nine recurring fees of 0.04, three of them for what is used.
    assert_eq!(bill.cash_bounds(), (money("0.12"), money("0.36")));
    // What is unused is as well known as the price of what is used.
    assert_eq!(bill.by_price_status, [("derived".to_owned(), money("0.54"))].into());
    let mut of_another_family = Commitment { shapes: vec![], ..reserved(1, None) };
    if let Some(reserved) = &mut of_another_family.reserved {
        reserved.instance_type = "c5.large".into();
    }
    let idle = compute(&record, &plan_of(vec![of_another_family]));
    assert_eq!(idle.by_price_status["derived"], money("0.18"));
}

/// 5 % off EC2: m5.large at 0.0912 instead of 0.096.
fn contracted(mut plan: BillingPlan) -> BillingPlan {
    let ec2 = Some("5%".parse().expect("a percentage"));
    Discounts { ec2, ..Discounts::default() }.apply(&mut plan);
    plan
}

/// A Compute Savings Plan of so many dollars an hour.
fn savings_plan(usd: &str, large: &str, xlarge: &str) -> Commitment {
    let price = |text: &str| Some(Price::new(rate(text), PriceStatus::Real));
    Commitment {
        name: "plan".into(),
        kind: CommitmentKind::ComputeSp,
        usd_per_hour: rate(usd),
        reserved: None,
        in_force: ALWAYS,
        fee_discount: Percent::default(),
        fees: CommitmentFees { upfront: Money::ZERO, hourly: rate(usd) },
        shapes: vec![price(large), price(xlarge), None],
        fargate: vec![],
    }
}

#[test]
fn a_discount_lowers_what_commitments_leave() {
    let record = record(3 * HOUR_MS, vec![three_hours(0), three_hours(1)]);
    let listed = compute(&record, &plan_of(vec![]));
    assert_eq!((listed.total, listed.discount_saving), (money("0.576"), Money::ZERO));
    let bill = compute(&record, &contracted(plan_of(vec![])));
    // 6 h × 0.0912, which is 6 h × 0.0048 less.
    assert_eq!(bill.total, money("0.5472"));
    assert_eq!(bill.discount_saving, money("0.0288"));
    assert_eq!((bill.list_total, bill.on_demand_total), (bill.total, bill.total));
    assert_eq!(bill.by_price_status["derived"], bill.total);
    // The plan covers one node at its rate, which stays; the other pays the
    // contracted price. What is covered has a contracted price before.
    let plan = contracted(plan_of(vec![savings_plan("0.06", "0.06", "0.12")]));
    let bill = compute(&record, &plan);
    assert_eq!(bill.by_purchase["savings-plan"], money("0.18"));
    assert_eq!(bill.by_purchase["on-demand"], money("0.2736"));
    assert_eq!(bill.total, money("0.4536"));
    assert_eq!((bill.list_total, bill.discount_saving), (money("0.5472"), money("0.0288")));
    assert_eq!(bill.commitment.each[0].covered_on_demand, money("0.2736"));
    assert_eq!(bill.commitment.eligible_on_demand, money("0.5472"));
    // Sums alone come to the same.
    let sums = Bill::compute(&record, &cluster(), &workloads(), &plan, KeepLines::No);
    assert_eq!(sums.expect("a bill").discount_saving, bill.discount_saving);
}

#[test]
fn coverage_is_ordered_by_contracted_prices() {
    let xlarge = node(ShapeId(1), Purchase::OnDemand, 0, 3 * HOUR_MS, NodeEnd::Running);
    let record = record(3 * HOUR_MS, vec![three_hours(0), xlarge]);
    // At list prices a large saves 1 − 0.06 / 0.096 = 37.5 %, an xlarge
    // 1 − 0.1248 / 0.192 = 35 %.
    let plan = plan_of(vec![savings_plan("0.06", "0.06", "0.1248")]);
    assert_eq!(compute(&record, &plan).by_purchase["on-demand"], money("0.576"));
    // With 50 % off the large it saves nothing (0.048 < 0.06) and is covered
    // last: 0.06 / 0.1248 of an xlarge-hour is.
    let mut plan = plan;
    plan.shapes[0].on_demand = Some(Price {
        rate: rate("0.048"),
        status: PriceStatus::Derived,
        list: Some(rate("0.096")),
    });
    let bill = compute(&record, &plan);
    // 0.192 × (1 − 0.06 / 0.1248) = 0.0996923…, and 0.048, of each hour.
    assert_eq!(bill.by_purchase["on-demand"], money("0.443076923076"));
    assert_eq!(bill.total, money("0.623076923076"));
    // Three hours of the large.
    assert_eq!(bill.discount_saving, money("0.144"));
}

/// Six hours of two m5.large in zone a, where three are reserved, and an
/// m5.xlarge in zone b. A zonal Reserved Instance always, two regional ones from
/// 2:30 on, a plan of 0.05 an hour, 25 % off, from 4:15 on.
#[test]
fn commitments_that_begin_within_the_window_by_hand() {
    let minutes = |m: i64| m * HOUR_MS / 60;
    let large = node(ShapeId(0), Purchase::OnDemand, 0, 6 * HOUR_MS, NodeEnd::Running);
    let xlarge = NodeRecord { shape: ShapeId(1), zone: ZoneId(1), ..large };
    let record = record(6 * HOUR_MS, vec![large, large, xlarge]);
    let from = |it: Commitment, m: i64| {
        let from = record.start_unix_ms + minutes(m);
        Commitment { in_force: (from, from + 8_760 * HOUR_MS), ..it }
    };
    let all_upfront = CommitmentFees { upfront: money("438"), hourly: Rate::ZERO };
    let plan = savings_plan("0.05", "0.072", "0.144");
    let plan = BillingPlan {
        capacity_reservations: vec![capacity(
            3,
            vec![None, None, Some(Price::new(rate("0.072"), PriceStatus::Real))],
        )],
        ..plan_of(vec![
            from(reserved(2, None), 150),
            reserved(1, Some("us-east-1a")),
            from(Commitment { fees: all_upfront, ..plan }, 255),
        ])
    };
    let bill = compute(&record, &plan);
    let told = |c: &CommitmentUse| {
        assert_eq!(c.unused, Money::ZERO);
        [c.used, c.covered_on_demand, c.upfront, c.recurring].map(|m| m.to_string())
    };
    let each: Vec<[String; 4]> = bill.commitment.each.iter().map(told).collect();
    assert_eq!(
        each,
        [
            // Half an hour of two covers the other m5.large for the whole of
            // 2:00 to 3:00; then that and half of the m5.xlarge.
            ["0.42", "0.672", "350.4", "0.28"],
            ["0.36", "0.576", "0", "0.24"],
            // 45 minutes, then an hour, of 0.05 for the m5.xlarge: before the
            // idle reservation, though that has the lower rate.
            ["0.0875", "0.116666666667", "438", "0"],
        ]
    );
    // The reservation of one m5.large more than run stays On-Demand.
    assert_eq!(bill.by_charge["unused-capacity-reservation"], money("0.576"));
    // On-Demand, hour by hour: 0.096 + 0.192, twice; 0.192; 0.096; what 0.0375
    // leaves of 0.096 at 25 % off, and what 0.05 does.
    assert_eq!(
        bill.by_purchase["on-demand"] - money("0.576"),
        money("0.576") + money("0.192") + money("0.096") + money("0.046") + money("0.029333333333")
    );
    assert_eq!(bill.total, money("2.382833333333"));
    assert_eq!(bill.list_total, money("2.88"));
    // 1.515333333333 On-Demand and what is paid.
    assert_eq!(bill.cash_total, money("790.435333333333"));
}

/// The most that can be committed, for three years, all of it paid within three
/// hours in which 0.216 of 300,000 is used: what is paid for that is 26,280 ×
/// 100,000 × 0.216 ÷ 300,000.
#[test]
fn the_largest_commitment_has_bounds() {
    let record = record(3 * HOUR_MS, vec![three_hours(0)]);
    let start = record.start_unix_ms;
    let upfront = rate("100000").charge(26_280, 1);
    let plan = Commitment {
        in_force: (start, start + 26_280 * HOUR_MS),
        fees: CommitmentFees { upfront, hourly: Rate::ZERO },
        ..savings_plan("100000", "0.072", "0.144")
    };
    let bill = compute(&record, &plan_of(vec![plan]));
    assert_eq!(bill.bounds(), (money("0.216"), money("300000")));
    assert_eq!(bill.cash_bounds(), (money("1892.16"), upfront));
}

/// 10 % off the fees of Savings Plans, 5 % off those of Reserved Instances.
fn negotiated(mut plan: BillingPlan) -> BillingPlan {
    let percent = |text: &str| text.parse().ok();
    let (savings_plans, reserved_instances) = (percent("10%"), percent("5%"));
    Discounts { savings_plans, reserved_instances, ..Discounts::default() }.apply(&mut plan);
    plan
}

#[test]
fn a_plan_is_drawn_down_before_its_discount_and_billed_after_it() {
    let record = record(3 * HOUR_MS, vec![three_hours(0), three_hours(1)]);
    let figures = |spend: &str, payment: CommitmentFees| {
        let plan = Commitment { fees: payment, ..savings_plan(spend, "0.06", "0.12") };
        let bill = compute(&record, &negotiated(plan_of(vec![plan])));
        assert_eq!(bill.discount_saving, Money::ZERO);
        let on_demand = bill.by_purchase.get("on-demand").copied().unwrap_or_default();
        (bill.commitment.each[0].clone(), on_demand, bill)
    };
    let monthly = |spend: &str| CommitmentFees { upfront: Money::ZERO, hourly: rate(spend) };
    // 0.09 an hour cover one and a half of two nodes at 0.06, whatever it
    // costs: 3 h × 0.09 × 0.9, and half a node for 3 h at 0.096.
    let (it, on_demand, bill) = figures("0.09", monthly("0.09"));
    assert_eq!((it.used, it.unused), (money("0.243"), Money::ZERO));
    assert_eq!(it.covered_on_demand, money("0.432"));
    assert_eq!((on_demand, bill.total), (money("0.144"), money("0.387")));
    assert_eq!((bill.cash_total, it.recurring), (money("0.387"), money("0.243")));
    // 0.2 an hour cover both for 0.12; what is left of it costs a tenth less
    // too: 3 h × 0.12 × 0.9 and 3 h × 0.08 × 0.9.
    let (it, on_demand, bill) = figures("0.2", monthly("0.2"));
    assert_eq!((it.used, it.unused), (money("0.324"), money("0.216")));
    assert_eq!((it.committed, on_demand, bill.total), (money("0.54"), Money::ZERO, it.committed));
    assert_eq!(bill.commitment.utilisation(), Some(0.6));
    assert_eq!(bill.by_charge["unused-commitment"], money("0.216"));
    // What is covered is charged at 0.06 × 0.9.
    let covered = bill.skus.iter().find(|s| s.name.ends_with("under plan")).expect("covered");
    assert_eq!((covered.rate, covered.status), (rate("0.054"), PriceStatus::Derived));
}

#[test]
fn every_fee_of_reserved_instances_is_discounted() {
    let record = record(3 * HOUR_MS, vec![three_hours(0)]);
    // Of two one is used: 3 h × 0.06 × 0.95 each. They begin with the window,
    // for 2 × 175.2 × 0.95 upfront, and 3 h × 2 × 0.04 × 0.95.
    let begins = record.start_unix_ms;
    let two = Commitment { in_force: (begins, i64::MAX), ..reserved(2, None) };
    let bill = compute(&record, &negotiated(plan_of(vec![two])));
    let it = &bill.commitment.each[0];
    assert_eq!((it.used, it.unused), (money("0.171"), money("0.171")));
    assert_eq!((it.upfront, it.recurring), (money("332.88"), money("0.228")));
    assert_eq!((bill.total, bill.cash_total), (money("0.342"), money("333.108")));
    assert_eq!(it.covered_on_demand, money("0.288"));
    assert_eq!(bill.bounds(), (money("0.171"), money("0.342")));
    // A published price is one no longer.
    let mut published = reserved(1, None);
    if let Some(reserved) = &mut published.reserved {
        reserved.status = PriceStatus::Real;
    }
    published.shapes = vec![];
    let idle = negotiated(plan_of(vec![published]));
    assert_eq!(idle.commitments[0].price_status(), PriceStatus::Derived);
}

#[test]
fn coverage_does_not_depend_on_discounts_of_fees() {
    let xlarge = node(ShapeId(1), Purchase::OnDemand, 0, 3 * HOUR_MS, NodeEnd::Running);
    let record = record(3 * HOUR_MS, vec![three_hours(0), xlarge]);
    // Both save 37.5 %, so the lower rate goes first: rates that were rounded
    // after a third was taken off them would tell them apart.
    let plan = plan_of(vec![savings_plan("0.07", "0.06", "0.12"), reserved(1, Some("us-east-1c"))]);
    let third = "33.3333%".parse().ok();
    let mut net = plan.clone();
    Discounts { savings_plans: third, reserved_instances: third, ..Discounts::default() }
        .apply(&mut net);
    let (before, after) = (compute(&record, &plan), compute(&record, &net));
    let covered = |bill: &Bill| bill.commitment.each[0].covered_on_demand;
    // A large, and 0.01 / 0.12 of an xlarge: 3 h × (0.096 + 0.016).
    assert_eq!((covered(&before), covered(&after)), (money("0.336"), money("0.336")));
    assert_eq!(before.by_purchase["on-demand"], after.by_purchase["on-demand"]);
    // 3 h × 0.07 × 0.666667, in two parts that add up to it.
    assert_eq!(after.commitment.each[0].used, money("0.14000007"));
    assert_eq!(after.commitment.each[1].unused, money("0.12000006"));
}
