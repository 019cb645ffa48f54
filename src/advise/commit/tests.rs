//! The search against the exact engine, brute force and figures found by hand.

use proptest::prelude::*;

use super::hours::Hours;
use super::search::best;
use super::stack::Stack;
use super::*;
use crate::bill::commitments::{Ec2Item, HourlyUsage, ItemSource, Terms, UsageItem, settle};
use crate::bill::{CommitmentKind, Unit};
use crate::rng::Draws;
use crate::units::{HOUR_MS, Money, Percent, Rate};

const TYPES: [(&str, &str); 7] = [
    ("m5.large", "0.096"),
    ("m5.xlarge", "0.192"),
    ("c5.large", "0.085"),
    ("c5.2xlarge", "0.34"),
    ("r6g.large", "0.1008"),
    ("vCPU", "0.04048"),
    ("memory", "0.004445"),
];

fn rate(text: &str) -> Rate {
    text.parse().expect("a rate")
}

fn usd(text: &str) -> Money {
    text.parse().expect("money")
}

fn items() -> Vec<UsageItem> {
    let item = |(index, (name, price)): (usize, &(&str, &str))| UsageItem {
        name: (*name).to_owned(),
        unit: if index < 5 { Unit::Hours } else { Unit::VcpuHours },
        on_demand: rate(price),
        ec2: (index < 5).then(|| Ec2Item { instance_type: (*name).to_owned(), zone: None }),
        owner: true,
        idle_reservation: false,
        source: ItemSource::Outside(index),
    };
    TYPES.iter().enumerate().map(item).collect()
}

/// Days that go up and down, weekends lower, and noise; the edges of the window
/// are parts of hours.
fn usage(seed: u64, hours: i64) -> HourlyUsage {
    let mut usage = HourlyUsage::new(HOUR_MS / 4, hours * HOUR_MS, items()).expect("small");
    for hour in 0..hours {
        let mut draws = Draws::new(seed, "commit-test", hour as u64);
        let day = if hour / 24 % 7 >= 5 { 0.5 } else { 1.0 };
        let shape = day * (1.0 + 0.6 * ((hour % 24) as f64 - 12.0).abs() / 12.0);
        for item in 0..TYPES.len() {
            let base = [12.0, 3.0, 6.0, 1.5, 4.0, 40.0, 160.0][item];
            let count = base * shape * (0.7 + 0.6 * draws.unit());
            let count = if draws.below(8) == 0 { 0.0 } else { count };
            let unit = usage.items[item].unit.per();
            let quantity = (count * unit as f64) as i64;
            let list = usage.items[item].on_demand.charge(quantity.into(), unit.into());
            usage.add(hour, item, quantity, list);
        }
    }
    usage
}

/// A Savings Plan of this discount in percent per item; 0 is no rate.
fn plan(kind: CommitmentKind, spend: &str, discounts: [i128; 7]) -> Terms {
    let rates = TYPES
        .iter()
        .zip(discounts)
        .map(|((_, price), off)| (off > 0).then(|| rate(price).scale(100 - off, 100)))
        .collect();
    Terms::savings_plan(kind, rate(spend), rates)
}

const COMPUTE: [i128; 7] = [27, 28, 30, 30, 25, 20, 20];
const M5: [i128; 7] = [37, 38, 0, 0, 0, 0, 0];
const C5: [i128; 7] = [0, 0, 39, 41, 0, 0, 0];

fn compute(spend: &str) -> Terms {
    plan(CommitmentKind::ComputeSp, spend, COMPUTE)
}

fn family(spend: &str, discounts: [i128; 7]) -> Terms {
    plan(CommitmentKind::Ec2InstanceSp, spend, discounts)
}

/// The hours of usage that is all the scenario's.
fn hours_of(usage: &[HourlyUsage]) -> Hours {
    hours_with(usage, TYPES.len())
}

/// The hours of usage of which the first `own` items are the scenario's.
fn hours_with(usage: &[HourlyUsage], own: usize) -> Hours {
    let seeds = usage.iter().zip(0..);
    let of = |(usage, seed): (&HourlyUsage, u64)| SeedUsage { seed, usage: usage.clone(), own };
    Hours::new(&seeds.map(of).collect::<Vec<_>>())
}

fn exact(usage: &[HourlyUsage], terms: &[Terms]) -> f64 {
    usage.iter().map(|u| settle(u, terms).total().to_f64()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The fast twin agrees with the exact engine: total, use, slopes.
    #[test]
    fn the_stack_is_the_exact_engine(
        seed in 0u64..1000,
        spends in prop::collection::vec(prop_oneof![Just(0u32), 0u32..400], 4),
        count in 0u32..8,
        owned_first in any::<bool>(),
        own in 0..=TYPES.len(),
        off in 0i64..3,
    ) {
        let usage = [usage(seed, 30), usage(seed + 1, 26)];
        let spend = |i: usize| format!("{}", f64::from(spends[i]) / 100.0);
        let items = &usage[0].items;
        let ri = Terms::reserved(
            CommitmentKind::StandardRi, rate("0.5"), items, "m5.xlarge", count, None, true);
        let mut owned = compute(&spend(3));
        owned.from_unix_ms = 3 * HOUR_MS + 1000;
        let mut terms = vec![compute(&spend(0)), family(&spend(1), M5), family(&spend(2), C5)];
        let candidates = if owned_first { vec![2, 3, 4] } else { vec![0, 1, 2] };
        terms.splice(if owned_first { 0..0 } else { 3..3 }, [ri, owned]);
        // Fees may cost less than what is drawn down.
        for (terms, ppm) in terms.iter_mut().zip([0, 50_000, 70_001, 120_000, 333_333]) {
            terms.fee_discount = Percent { ppm: ppm * off };
        }
        let hours = hours_with(&usage, own);
        let stack = Stack::new(&hours, &terms, &candidates);
        let at: Vec<f64> = (0..3).map(|i| f64::from(spends[i]) / 100.0).collect();
        let all = 0..hours.len();
        let want = exact(&usage, &terms);
        let got = stack.outlook(all.clone(), &at, 1.0);
        prop_assert!((got.usd - want).abs() < 1e-8, "{} {want}", got.usd);
        prop_assert!((stack.usd(all.clone(), &at) - want).abs() < 1e-8);
        for (used, plan) in got.used.iter().zip(&candidates) {
            let want: Money = usage.iter().map(|u| settle(u, &terms).spent_in_all(*plan).used()).sum();
            let paid = used * (1.0 - terms[*plan].fee_discount.fraction());
            prop_assert!((paid - want.to_f64()).abs() < 1e-8);
        }
        // What other usage pays is all but the scenario's part.
        let part: Money = usage
            .iter()
            .map(|u| {
                let settled = settle(u, &terms);
                (0..settled.hours()).map(|hour| settled.hour_total_of(hour, own)).sum::<Money>()
            })
            .sum();
        prop_assert!((got.usd - got.others - part.to_f64()).abs() < 1e-8);
        // The slope is the difference over a short way.
        let back = if at[0] > 0.0 { -0.5 } else { 0.0 };
        for towards in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [back, 1.0, 0.25]] {
            let short = 1e-7;
            let to: Vec<f64> = at.iter().zip(towards).map(|(x, d)| x + short * d).collect();
            let cost = stack.cost(&at, &towards);
            let difference = (stack.usd(all.clone(), &to) - cost.usd) / short;
            prop_assert!((cost.slope - difference).abs() < 1e-3, "{} {difference}", cost.slope);
        }
        // Scaling usage down is scaling commitments up.
        let less = stack.outlook(all.clone(), &at, 0.7);
        let thinner: Vec<HourlyUsage> = usage.iter().map(|u| {
            let mut u = u.clone();
            u.quantity.iter_mut().for_each(|q| *q = *q * 7 / 10);
            u.list.iter_mut().for_each(|l| *l = l.scale(7, 10));
            u
        }).collect();
        prop_assert!((less.usd - exact(&thinner, &terms)).abs() < 1e-4);
    }

    /// The quantile is a breakpoint, and nothing beside it is cheaper.
    #[test]
    fn the_best_single_plan_beats_every_other(
        seed in 0u64..1000,
        days in 1i64..6,
        off in prop_oneof![Just(0i64), 1i64..300_000],
    ) {
        let usage = [usage(seed, days * 24)];
        let terms = [Terms { fee_discount: Percent { ppm: off }, ..compute("0") }];
        let hours = hours_of(&usage);
        let stack = Stack::new(&hours, &terms, &[0]);
        let found = best(&stack, &terms);
        let least = stack.usd(0..hours.len(), &found);
        for step in 0..400 {
            let other = f64::from(step) * 0.02;
            prop_assert!(stack.usd(0..hours.len(), &[other]) >= least - 1e-9, "{other}");
        }
        // A breakpoint: the slope changes sign across it.
        let nudge = found[0] * 1e-9;
        prop_assert!(stack.cost(&[found[0] + nudge], &[1.0]).slope >= -1e-6);
        prop_assert!(stack.cost(&[found[0] - nudge], &[-1.0]).slope >= -1e-6);
    }

    /// No hour uses more than the cap, and one uses all of it.
    #[test]
    fn caps_are_what_the_busiest_hour_can_use(seed in 0u64..1000) {
        let usage = [usage(seed, 200), usage(seed + 1, 150)];
        let terms = [compute("0"), family("0", M5)];
        let hours = hours_of(&usage);
        let caps = Stack::new(&hours, &terms, &[0, 1]).caps();
        for (cap, discounts) in caps.iter().zip([COMPUTE, M5]) {
            let share = |off: i128| if off > 0 { (100 - off) as f64 / 100.0 } else { 0.0 };
            let spend = |hour: usize| {
                let usd = hours.list.iter().zip(discounts).map(|(list, off)| list[hour] * share(off));
                usd.sum::<f64>() / hours.weight[hour]
            };
            let most = (0..hours.len()).map(spend).fold(0.0, f64::max);
            prop_assert!((cap - most).abs() < 1e-9 * most, "{cap} {most}");
        }
    }

    /// What knowing the seed is worth, against every tenth of what is advised.
    #[test]
    fn hindsight_is_as_good_as_brute_force(seed in 0u64..1000, tenths in 0u32..40) {
        let usage = [usage(seed, 100)];
        let terms = [compute("0"), family("0", M5)];
        let hours = hours_of(&usage);
        let stack = Stack::new(&hours, &terms, &[0, 1]);
        let at = [f64::from(tenths) * 0.2, f64::from(tenths) * 0.1];
        let found = search::scaled(&stack, 0..hours.len(), &at);
        for tenth in 0..=40 {
            let scaled = at.map(|usd| usd * f64::from(tenth) / 10.0);
            let usd = stack.usd(0..hours.len(), &scaled);
            prop_assert!(found <= usd * (1.0 + 1e-4), "{tenth}: {found} {usd}");
        }
    }
}

/// Four hours with 1, 2, 3, 4 instances of 1 USD.
fn four_hours() -> HourlyUsage {
    let mut item = items().remove(0);
    item.on_demand = rate("1");
    let mut usage = HourlyUsage::new(0, 4 * HOUR_MS, vec![item]).expect("small");
    for hour in 0..4 {
        usage.add(
            hour,
            0,
            (hour + 1) * HOUR_MS,
            Money::from_pico(i128::from(hour + 1) * 1_000_000_000_000),
        );
    }
    usage
}

/// Half of what an instance of [`four_hours`] costs.
fn half_price() -> Terms {
    Terms::savings_plan(CommitmentKind::ComputeSp, rate("0"), vec![Some(rate("0.5"))])
}

/// Covering all takes 2 an hour, 8 USD instead of 10: as much as 0.8 of the usage
/// costs On-Demand. With 4 an hour 16 USD are spent, and nothing is saved.
#[test]
fn usage_can_fall_until_nothing_is_saved() {
    let (hours, terms) = (hours_of(&[four_hours()]), [half_price()]);
    let fall = |usd: f64| {
        let stack = Stack::new(&hours, &terms, &[0]);
        sketch::Sketch::new(stack, vec![usd]).break_even()
    };
    assert!(fall(2.0).is_some_and(|fall| (fall - 0.2).abs() <= 1e-3), "{:?}", fall(2.0));
    assert_eq!((fall(4.0), fall(0.0)), (Some(0.0), None));
}

#[test]
fn a_plan_found_by_hand() {
    // At half price the second half-dollar is used in three hours of four,
    // saving 1.50 for 2.00 x 0.5; the third in two: break-even; the fourth in
    // one.
    let usage = four_hours();
    let terms = [half_price()];
    let hours = hours_of(std::slice::from_ref(&usage));
    let found = best(&Stack::new(&hours, &terms, &[0]), &terms);
    assert_eq!(found, [1.0]);
    // Where a dollar costs 95 cents the third half-dollar is worth it: 1.00
    // for 2.00 x 0.475.
    let net = terms.clone().map(|it| Terms { fee_discount: Percent { ppm: 50_000 }, ..it });
    assert_eq!(best(&Stack::new(&hours, &net, &[0]), &net), [1.5]);
    assert_eq!(
        settle(&usage, &[Terms { usd_per_hour: rate("1"), ..terms[0].clone() }]).total(),
        usd("7")
    );
}

/// Of a plan that is dearer than On-Demand, or as dear, nothing is bought.
#[test]
fn what_saves_nothing_is_not_bought() {
    let usage = [usage(1, 48)];
    let hours = hours_of(&usage);
    for percent in [0i128, -4] {
        let rates = TYPES.iter().map(|(_, price)| Some(rate(price).scale(100 - percent, 100)));
        let dear = Terms::savings_plan(CommitmentKind::ComputeSp, rate("0"), rates.collect());
        let found = |terms: &Terms| {
            let terms = std::slice::from_ref(terms);
            best(&Stack::new(&hours, terms, &[0]), terms)
        };
        assert_eq!(found(&dear), [0.0]);
        // Nor is one of two beside each other.
        let both = [dear.clone(), dear.clone()];
        assert_eq!(best(&Stack::new(&hours, &both, &[0, 1]), &both), [0.0, 0.0]);
        // A tenth off its fees, it saves.
        let net = Terms { fee_discount: Percent { ppm: 100_000 }, ..dear };
        assert!(found(&net)[0] > 1.0);
    }
}

/// Thousands of hours are searched by samples: what they lead to is not beaten
/// nearby.
#[test]
fn samples_lead_to_the_minimum_of_all_hours() {
    let usage = [usage(3, 50_000)];
    let terms = [compute("0"), family("0", M5), family("0", C5)];
    let hours = hours_of(&usage);
    let stack = Stack::new(&hours, &terms, &[0, 1, 2]);
    let found = best(&stack, &terms);
    let least = stack.usd(0..hours.len(), &found);
    for candidate in 0..3 {
        for factor in [0.9, 0.99, 1.01, 1.1] {
            let mut at = found.clone();
            at[candidate] *= factor;
            let usd = stack.usd(0..hours.len(), &at);
            assert!(usd >= least * (1.0 - 1e-5), "{candidate} {factor}: {usd} {found:?}");
        }
    }
}

/// The joint search against every point of a fine grid, then finer around it.
#[test]
fn joint_plans_are_as_good_as_brute_force() {
    for seed in 0..3 {
        let usage = [usage(seed, 72)];
        let terms = [compute("0"), family("0", M5), family("0", C5)];
        let hours = hours_of(&usage);
        let stack = Stack::new(&hours, &terms, &[0, 1, 2]);
        let found = best(&stack, &terms);
        let (mut centre, mut least, mut width) = ([2.0, 1.5, 1.0], f64::INFINITY, 2.0);
        for _ in 0..5 {
            let middle = centre;
            for a in -6..=6 {
                for b in -6..=6 {
                    for c in -6..=6 {
                        let at: Vec<f64> = middle
                            .iter()
                            .zip([a, b, c])
                            .map(|(m, s)| (m + width * f64::from(s) / 6.0).max(0.0))
                            .collect();
                        let cost = stack.usd(0..hours.len(), &at);
                        if cost < least {
                            (least, centre) = (cost, [at[0], at[1], at[2]]);
                        }
                    }
                }
            }
            width /= 2.5;
        }
        let usd = stack.usd(0..hours.len(), &found);
        assert!(usd <= least + 1e-4 * least, "{found:?} {usd} {least} at {centre:?}");
    }
}
