//! AWS's documented examples to the cent, and what holds for any hour.

use proptest::prelude::*;

use super::*;
use crate::bill::model::Unit;
use crate::bill::prices::CommitmentKind::{self, ComputeSp, Ec2InstanceSp, StandardRi};
use crate::units::{HOUR_MS, Money, Rate};

fn money(text: &str) -> Money {
    text.parse().expect("money")
}

fn rate(text: &str) -> Rate {
    text.parse().expect("rate")
}

/// Small units of `Unit::Hours` in thousandths of an hour.
fn hours(thousandths: i128) -> i128 {
    thousandths * i128::from(HOUR_MS) / 1_000
}

fn item(name: &str, on_demand: &str, ec2: Option<(&str, &str)>) -> UsageItem {
    UsageItem {
        name: name.to_owned(),
        unit: Unit::Hours,
        on_demand: rate(on_demand),
        ec2: ec2.map(|(kind, zone)| Ec2Item {
            instance_type: kind.to_owned(),
            zone: (!zone.is_empty()).then(|| zone.to_owned()),
        }),
        owner: true,
        idle_reservation: false,
        source: ItemSource::Outside(0),
    }
}

/// One hour of (quantity in thousandths, item).
fn one_hour(usage: Vec<(i128, UsageItem)>) -> HourlyUsage {
    let (quantities, items): (Vec<i128>, Vec<UsageItem>) = usage.into_iter().unzip();
    let mut table = HourlyUsage::new(0, HOUR_MS, items).expect("small");
    for (i, q) in quantities.into_iter().enumerate() {
        table.quantity[i] = hours(q);
        table.list[i] = table.items[i].on_demand.charge(hours(q), i128::from(HOUR_MS));
    }
    table
}

/// Plan rates by item, `""` for none.
fn plan(kind: CommitmentKind, usd_per_hour: &str, rates: &[&str]) -> Terms {
    let rates = rates.iter().map(|r| (!r.is_empty()).then(|| rate(r))).collect();
    Terms::savings_plan(kind, rate(usd_per_hour), rates)
}

fn reserved(table: &HourlyUsage, kind: &str, count: u32, zone: Option<&str>) -> Terms {
    let flexible = size_flexible(kind);
    Terms::reserved(StandardRi, rate("1"), &table.items, kind, count, zone, flexible)
}

/// Uncovered thousandths of an hour by item.
fn rest(s: &Settlement) -> Vec<i128> {
    (0..s.items()).map(|i| s.remaining(0, i).0 * 1_000 / i128::from(HOUR_MS)).collect()
}

mod reserved_instances {
    use super::*;

    /// Running instances of one family, each (count × hours in thousandths,
    /// type), under one Reserved Instance of 1 USD an hour.
    fn run(usage: &[(i128, &str)], kind: &str, count: u32) -> (HourlyUsage, Settlement) {
        let items = usage.iter().map(|(q, name)| (*q, item(name, "0.1", Some((name, "")))));
        let table = one_hour(items.collect());
        let settled = settle(&table, &[reserved(&table, kind, count, None)]);
        (table, settled)
    }

    #[test]
    fn four_large_cover_two_xlarge() {
        let (_, s) = run(&[(2_000, "m4.xlarge")], "m4.large", 4);
        assert_eq!(rest(&s), [0]);
        assert_eq!((s.spent(0, 0).unused, s.total()), (Money::ZERO, money("1")));
    }

    #[test]
    fn one_large_covers_half_of_an_xlarge() {
        let (_, s) = run(&[(1_000, "c4.xlarge")], "c4.large", 1);
        assert_eq!(rest(&s), [500]);
        assert_eq!(s.total(), money("1.05"));
    }

    #[test]
    fn the_smallest_size_is_covered_first() {
        // 16 units: 2 large take 8, of 2 xlarge (16) one half is left.
        let usage = [(2_000, "m3.xlarge"), (2_000, "m3.large")];
        let (_, s) = run(&usage, "m3.2xlarge", 1);
        assert_eq!(rest(&s), [1_000, 0]);
        assert_eq!(s.total(), money("1.1"));
    }

    #[test]
    fn an_hour_is_shared_by_the_second() {
        // Four instances for 900 s use one hour; for 3,600 s they use four.
        let (_, quarter) = run(&[(4 * 250, "m4.xlarge")], "m4.xlarge", 1);
        assert_eq!(rest(&quarter), [0]);
        assert_eq!(quarter.spent(0, 0).unused, Money::ZERO);
        let (_, full) = run(&[(4_000, "m4.xlarge")], "m4.xlarge", 1);
        assert_eq!(rest(&full), [3_000]);
    }

    #[test]
    fn a_medium_covers_two_small_or_half_a_large() {
        assert_eq!(rest(&run(&[(2_000, "t2.small")], "t2.medium", 1).1), [0]);
        assert_eq!(rest(&run(&[(1_000, "t2.large")], "t2.medium", 1).1), [500]);
    }

    #[test]
    fn two_8xlarge_cover_a_metal() {
        let (_, s) = run(&[(1_000, "i3.metal")], "i3.8xlarge", 2);
        assert_eq!((rest(&s), s.spent(0, 0).unused), (vec![0], Money::ZERO));
    }

    #[test]
    fn the_list_value_of_a_year() {
        // 60 USD upfront and 0.007 an hour.
        let year = rate("0.007").charge(8_760, 1) + money("60");
        assert_eq!(year, money("121.32"));
    }

    #[test]
    fn families_without_flexibility_cover_their_size() {
        let usage = [(1_000, "g4dn.xlarge"), (1_000, "g4dn.2xlarge")];
        assert_eq!(rest(&run(&usage, "g4dn.2xlarge", 1).1), [1_000, 0]);
        assert_eq!(rest(&run(&usage, "g4dn.xlarge", 3).1), [0, 1_000]);
    }

    #[test]
    fn zonal_ones_cover_their_zone_and_go_first() {
        let table = one_hour(vec![
            (1_000, item("a", "0.1", Some(("m5.large", "us-east-1a")))),
            (2_000, item("b", "0.1", Some(("m5.large", "us-east-1b")))),
            (1_000, item("c", "0.2", Some(("m5.xlarge", "us-east-1b")))),
        ]);
        let regional = reserved(&table, "m5.large", 1, None);
        let zonal = reserved(&table, "m5.large", 2, Some("us-east-1b"));
        // The zonal two take zone b, the regional one zone a.
        let s = settle(&table, &[regional.clone(), zonal.clone()]);
        assert_eq!(rest(&s), [0, 0, 1_000]);
        assert_eq!(s.spent(0, 0).unused + s.spent(0, 1).unused, Money::ZERO);
        // Alone, the zonal two reach neither another zone nor another size.
        let mut more = zonal;
        if let Benefit::Capacity { quarters, .. } = &mut more.benefit {
            *quarters *= 2;
        }
        let s = settle(&table, &[more]);
        assert_eq!(rest(&s), [1_000, 0, 1_000]);
        assert_eq!(s.spent(0, 0).unused, money("0.5"));
        // A regional one alone covers by number of the item among equals.
        assert_eq!(rest(&settle(&table, &[regional])), [0, 2_000, 1_000]);
    }

    #[test]
    fn before_any_savings_plan() {
        let table = one_hour(vec![(3_000, item("m5.large", "0.1", Some(("m5.large", ""))))]);
        let sp = plan(ComputeSp, "0.06", &["0.06"]);
        let s = settle(&table, &[sp, reserved(&table, "m5.large", 1, None)]);
        // One hour reserved, one under the plan, one On-Demand.
        assert_eq!(rest(&s), [1_000]);
        assert_eq!(s.total(), money("1.16"));
        let order: Vec<u16> = s.covers(0).iter().map(|c| c.plan).collect();
        assert_eq!(order, [1, 0]);
    }

    #[test]
    fn the_owner_goes_first_and_idle_reservations_last() {
        let mut other = item("other", "0.1", Some(("m5.large", "z")));
        other.owner = false;
        let mut idle = item("idle", "0.1", Some(("m5.large", "z")));
        idle.idle_reservation = true;
        let own = item("own", "0.1", Some(("m5.xlarge", "z")));
        let table = one_hour(vec![(1_000, other), (1_000, idle), (1_000, own)]);
        // In units: the owner's xlarge 8, its idle large 4, the other's large 4.
        assert_eq!(
            rest(&settle(&table, &[reserved(&table, "m5.large", 2, None)])),
            [1_000, 1_000, 0]
        );
        assert_eq!(rest(&settle(&table, &[reserved(&table, "m5.large", 3, None)])), [1_000, 0, 0]);
        assert_eq!(rest(&settle(&table, &[reserved(&table, "m5.large", 4, None)])), [0, 0, 0]);
        // A zonal one never covers an idle reservation.
        assert_eq!(
            rest(&settle(&table, &[reserved(&table, "m5.large", 4, Some("z"))])),
            [0, 1_000, 1_000]
        );
        let sp = plan(ComputeSp, "0.1", &["0.05", "0.05", "0.05"]);
        assert_eq!(rest(&settle(&table, &[sp])), [1_000, 0, 0]);
    }

    #[test]
    fn a_part_of_a_millisecond_is_not_lost() {
        // 8 units an hour against 72: a ninth; nine of them cover it exactly.
        let table = one_hour(vec![(1_000, item("c5.9xlarge", "0.9", Some(("c5.9xlarge", ""))))]);
        let terms: Vec<Terms> = (0..9).map(|_| reserved(&table, "c5.xlarge", 1, None)).collect();
        let s = settle(&table, &terms);
        assert_eq!(s.remaining(0, 0), (0, Money::ZERO));
        assert!((0..9).all(|p| s.spent(0, p).unused == Money::ZERO));
        assert!((0..9).all(|p| s.spent(0, p).covered_on_demand == money("0.1")));
    }

    #[test]
    fn in_force_for_a_part_of_the_window() {
        let usage = [item("m5.large", "0.1", Some(("m5.large", "")))];
        let mut table = HourlyUsage::new(0, 3 * HOUR_MS, usage.to_vec()).expect("small");
        for hour in 0..3 {
            table.add(hour, 0, HOUR_MS, money("0.1"));
        }
        let mut terms = reserved(&table, "m5.large", 1, None);
        terms.usd_per_hour = rate("0.06");
        (terms.from_unix_ms, terms.to_unix_ms) = (HOUR_MS, 2 * HOUR_MS);
        let s = settle(&table, &[terms]);
        let totals: Vec<Money> = (0..3).map(|h| s.hour_total(h)).collect();
        assert_eq!(totals, [money("0.1"), money("0.06"), money("0.1")]);
    }
}

mod savings_plans {
    use super::*;

    /// AWS's example hour. Per item: rates of a Compute plan and of an
    /// Instance plan for r5.
    const COMPUTE: [&str; 6] = ["0.70", "8.20", "0.03", "0.003", "0.00001275", "0.20"];
    const R5: [&str; 6] = ["0.60", "", "", "", "", ""];

    fn aws_hour() -> HourlyUsage {
        one_hour(vec![
            (4_000, item("r5.4xlarge", "1.00", Some(("r5.4xlarge", "")))),
            (1_000, item("m5.24xlarge Windows", "10.00", None)),
            (400_000, item("Fargate vCPU", "0.04", None)),
            (1_600_000, item("Fargate GB", "0.004", None)),
            (1_500_000_000, item("Lambda GB-s", "0.000015", None)),
            (1_000, item("Lambda requests", "0.20", None)),
        ])
    }

    #[test]
    fn aws_example_without_a_plan() {
        assert_eq!(settle(&aws_hour(), &[]).total(), money("59.10"));
    }

    #[test]
    fn aws_example_compute_plan_of_50() {
        let s = settle(&aws_hour(), &[plan(ComputeSp, "50", &COMPUTE)]);
        assert_eq!(s.total(), money("50"));
        // 4×.70 + 8.20 + 400×.03 + 1,600×.003 + 19.125 + .20 = 47.125
        assert_eq!((s.spent(0, 0).used(), s.spent(0, 0).unused), (money("47.125"), money("2.875")));
    }

    #[test]
    fn aws_example_compute_plan_of_2() {
        let s = settle(&aws_hour(), &[plan(ComputeSp, "2", &COMPUTE)]);
        // 2 / .70 = 2.857142… r5; the rest, 1.142857142857, stays On-Demand.
        let [cover] = s.covers(0) else { panic!("one cover") };
        assert_eq!((cover.item, cover.list), (0, money("2.857142857143")));
        assert_eq!(cover.quantity, 10_285_714, "2.857142857… hours in milliseconds");
        assert_eq!(s.total(), money("58.242857142857"));
        assert_eq!(s.spent(0, 0).unused, Money::ZERO);
    }

    #[test]
    fn aws_example_two_reserved_and_a_plan_of_18_20() {
        let table = aws_hour();
        let mut ri = reserved(&table, "r5.4xlarge", 2, None);
        ri.usd_per_hour = Rate::ZERO;
        let s = settle(&table, &[plan(ComputeSp, "18.20", &COMPUTE), ri]);
        assert_eq!(s.total(), money("50.90"));
        assert_eq!(s.spent(0, 0).unused, Money::ZERO);
        // The Reserved Instances take two r5. r5 saves 30 %; vCPU and GB both
        // 25 %.
        let sp: Vec<(u32, Money)> =
            s.covers(0).iter().filter(|c| c.plan == 0).map(|c| (c.item, c.net)).collect();
        assert_eq!(sp, [(0, money("1.40")), (2, money("12")), (3, money("4.80"))]);
        let rest: Money = (0..6).map(|i| s.remaining(0, i).1).sum();
        assert_eq!(rest, money("32.70"));
    }

    #[test]
    fn of_equal_savings_the_lower_rate_is_first() {
        // Dollars for the r5 and the GB only: vCPU stays On-Demand.
        let s = settle(&aws_hour(), &[plan(ComputeSp, "7.60", &COMPUTE)]);
        let order: Vec<(u32, Money)> = s.covers(0).iter().map(|c| (c.item, c.net)).collect();
        assert_eq!(order, [(0, money("2.80")), (3, money("4.80"))]);
    }

    #[test]
    fn aws_example_instance_plan_before_compute_plan() {
        let terms = [plan(ComputeSp, "16.80", &COMPUTE), plan(Ec2InstanceSp, "3", &R5)];
        let s = settle(&aws_hour(), &terms);
        assert_eq!(s.total(), money("52.50"));
        assert_eq!((s.spent(0, 0).unused, s.spent(0, 1).unused), (Money::ZERO, money("0.60")));
        assert_eq!((s.covers(0)[0].plan, s.covers(0)[0].net), (1, money("2.40")));
    }

    const OLDER_COMPUTE: [&str; 4] = ["2", "8", "1", "1"];
    const C5: [&str; 4] = ["1", "6", "", ""];

    fn older_hour() -> HourlyUsage {
        one_hour(vec![
            (1_000, item("c5.9xlarge", "4", None)),
            (1_000, item("c5.24xlarge Windows", "10", None)),
            (10_000, item("Fargate vCPU", "1.5", None)),
            (5_000, item("Fargate GB", "2", None)),
        ])
    }

    #[test]
    fn older_example_is_covered_exactly_by_25() {
        let s = settle(&older_hour(), &[plan(ComputeSp, "25", &OLDER_COMPUTE)]);
        assert_eq!((s.total(), s.spent(0, 0).unused), (money("25"), Money::ZERO));
        assert!((0..4).all(|i| s.remaining(0, i) == (0, Money::ZERO)));
    }

    #[test]
    fn older_example_of_18_covers_an_eighth_of_the_last() {
        let s = settle(&older_hour(), &[plan(ComputeSp, "18", &OLDER_COMPUTE)]);
        assert_eq!(s.total(), money("26.75"));
        assert_eq!(s.remaining(0, 1), (hours(875), money("8.75")));
    }

    #[test]
    fn older_example_of_instance_5_and_compute_10() {
        let terms = [plan(Ec2InstanceSp, "5", &C5), plan(ComputeSp, "10", &OLDER_COMPUTE)];
        let s = settle(&older_hour(), &terms);
        // Instance plan: 1.00 + 4.00 of 6.00; compute: GB 5, vCPU 5 units.
        // On-Demand: 10 × 2/6 = 3.33…, and 5 vCPU at 1.5 = 7.5.
        assert_eq!(s.remaining(0, 1).1, money("3.333333333333"));
        assert_eq!(s.remaining(0, 2).1, money("7.5"));
        assert_eq!(s.total(), money("25.833333333333"));
        assert_eq!((s.spent(0, 0).unused, s.spent(0, 1).unused), (Money::ZERO, Money::ZERO));
    }

    #[test]
    fn of_two_plans_the_higher_saving_covers_first() {
        // 3 y at .5 and 1 y at .6 against 1.00; three units, .75 and .90 committed.
        let table = one_hour(vec![(3_000, item("m5.large", "1", None))]);
        let terms = [plan(ComputeSp, "0.9", &["0.6"]), plan(ComputeSp, "0.75", &["0.5"])];
        let s = settle(&table, &terms);
        let covers: Vec<(u16, Money)> = s.covers(0).iter().map(|c| (c.plan, c.list)).collect();
        assert_eq!(covers, [(1, money("1.5")), (0, money("1.5"))]);
        assert_eq!(s.remaining(0, 0), (0, Money::ZERO));
        assert_eq!(s.total(), money("1.65"));
    }

    #[test]
    fn equal_rates_still_use_the_commitment() {
        let table = one_hour(vec![(2_000, item("m5.large", "1", None))]);
        let s = settle(&table, &[plan(ComputeSp, "0.5", &["1"])]);
        assert_eq!((s.total(), s.spent(0, 0).unused), (money("2"), Money::ZERO));
    }
}

mod properties {
    use super::*;

    const TYPES: [&str; 5] = ["m5.large", "m5.2xlarge", "m5.metal", "g4dn.xlarge", "g4dn.2xlarge"];

    fn usage() -> impl Strategy<Value = HourlyUsage> {
        let item = (
            0usize..6,
            1i128..5_000_000_000_000,
            any::<bool>(),
            any::<bool>(),
            prop::collection::vec(0i64..20 * HOUR_MS, 3),
        );
        (prop::collection::vec(item, 1..7), 0i64..HOUR_MS).prop_map(|(items, from)| {
            let mut table = HourlyUsage::new(from, 3 * HOUR_MS, Vec::new()).expect("small");
            table.items = items
                .iter()
                .map(|(kind, on_demand, owner, idle, _)| {
                    let ec2 = TYPES.get(*kind).map(|t| Ec2Item {
                        instance_type: (*t).to_owned(),
                        zone: owner.then(|| "a".to_owned()),
                    });
                    UsageItem {
                        on_demand: Rate::from_pico(*on_demand),
                        owner: *owner,
                        idle_reservation: *idle && ec2.is_some(),
                        ec2,
                        ..item_of_nothing()
                    }
                })
                .collect();
            for hour in 0..3 {
                for (item, row) in table.items.iter().zip(&items) {
                    let quantity = i128::from(row.4[hour]);
                    table.quantity.push(quantity);
                    table.list.push(item.on_demand.charge(quantity, i128::from(HOUR_MS)));
                }
            }
            table
        })
    }

    fn item_of_nothing() -> UsageItem {
        super::item("", "0", None)
    }

    /// (Kind, type, count, hourly price, share of On-Demand in thousandths,
    /// start).
    type Draw = (u8, usize, u32, i128, i128, i64);

    fn draws() -> impl Strategy<Value = Vec<Draw>> {
        let one = (
            0u8..5,
            0usize..TYPES.len(),
            0u32..20,
            0i128..3_000_000_000_000,
            0i128..1_001,
            0i64..2 * HOUR_MS,
        );
        prop::collection::vec(one, 0..5)
    }

    fn terms(table: &HourlyUsage, draws: &[Draw]) -> Vec<Terms> {
        draws
            .iter()
            .map(|&(kind, of, count, hourly, share, from)| {
                let hourly = Rate::from_pico(hourly);
                let mut terms = if kind < 2 {
                    let zone = (kind == 0).then_some("a");
                    let flexible = size_flexible(TYPES[of]);
                    Terms::reserved(
                        StandardRi,
                        hourly,
                        &table.items,
                        TYPES[of],
                        count,
                        zone,
                        flexible,
                    )
                } else {
                    let instance = kind == 2;
                    let rate = |i: &UsageItem| {
                        (i.ec2.is_some() || !instance).then(|| i.on_demand.scale(share, 1_000))
                    };
                    let kind = if instance { Ec2InstanceSp } else { ComputeSp };
                    Terms::savings_plan(kind, hourly, table.items.iter().map(rate).collect())
                };
                terms.from_unix_ms = from;
                terms
            })
            .collect()
    }

    proptest! {
        #[test]
        fn dollars_and_usage_are_conserved(table in usage(), draws in draws()) {
            let terms = terms(&table, &draws);
            let s = settle(&table, &terms);
            let items = table.items.len();
            for hour in 0..table.hours() {
                for p in 0..terms.len() {
                    let spent = s.spent(hour, p);
                    prop_assert!(spent.unused >= Money::ZERO);
                    let mine = s.covers(hour).iter().filter(|c| usize::from(c.plan) == p);
                    let used: Money = mine.clone().map(|c| c.net).sum();
                    prop_assert_eq!(used + spent.unused, spent.committed);
                    let covered: Money = mine.map(|c| c.list).sum();
                    prop_assert_eq!(covered, spent.covered_on_demand);
                }
                for i in 0..items {
                    let mine = s.covers(hour).iter().filter(|c| c.item as usize == i);
                    let (quantity, list) = s.remaining(hour, i);
                    prop_assert!(quantity >= 0 && list >= Money::ZERO);
                    let covered: Money = mine.clone().map(|c| c.list).sum();
                    prop_assert_eq!(covered + list, table.list[hour * items + i]);
                    let covered: i128 = mine.clone().map(|c| c.quantity).sum();
                    prop_assert_eq!(covered + quantity, table.quantity[hour * items + i]);
                    prop_assert!(mine.clone().all(|c| c.quantity >= 0 && c.net >= Money::ZERO));
                }
            }
            let parts: Money = (0..table.hours()).map(|h| s.hour_total(h)).sum();
            prop_assert_eq!(parts, s.total());
        }

        /// Reserved Instances cover instance time, never more than they have.
        #[test]
        fn reserved_time_is_not_exceeded(table in usage(), draws in draws()) {
            let terms = terms(&table, &draws);
            let s = settle(&table, &terms);
            for (p, terms) in terms.iter().enumerate() {
                let Benefit::Capacity { quarters, sizes, .. } = &terms.benefit else { continue };
                for hour in 0..table.hours() {
                    let ms = table.overlap_ms(hour, terms.from_unix_ms, terms.to_unix_ms);
                    let budget = i128::from(*quarters) * i128::from(ms);
                    let (mut used, mut slack) = (0, 0);
                    for c in s.covers(hour).iter().filter(|c| usize::from(c.plan) == p) {
                        let size = i128::from(sizes[c.item as usize].expect("covered"));
                        // Quantities are rounded to a millisecond.
                        (used, slack) = (used + c.quantity * size, slack + size);
                    }
                    prop_assert!(used <= budget + slack, "{} of {}", used, budget);
                }
            }
        }

        #[test]
        fn a_free_commitment_never_costs(
            table in usage(), draws in draws(), free in 0usize..3, of in 0usize..TYPES.len()
        ) {
            let mut terms = terms(&table, &draws);
            let before = settle(&table, &terms).total();
            let zone = (free == 0).then_some("a");
            let items = &table.items;
            terms.push(match free {
                0 | 1 => Terms::reserved(
                    StandardRi, Rate::ZERO, items, TYPES[of], 3, zone, size_flexible(TYPES[of]),
                ),
                // A plan whose prices are nothing covers everything for nothing.
                _ => Terms::savings_plan(
                    ComputeSp, Rate::ZERO, items.iter().map(|_| Some(Rate::ZERO)).collect(),
                ),
            });
            prop_assert!(settle(&table, &terms).total() <= before);
        }
    }
}
