//! The billing of commitments against the literal model of AWS's rules.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::literal::{Account, Held, Hour, Q, Usage, What, hour};
use super::{Ec2Item, HourlyUsage, ItemSource, Terms, UsageItem, settle, size_flexible};
use crate::bill::model::Unit;
use crate::bill::prices::CommitmentKind;
use crate::units::{HOUR_MS, Money, Rate};

/// What distinguishes lines of usage to a bill: type and zone of an instance or
/// the number of metered usage, and the account.
type Key = (String, String, Account);

fn key(line: usize, usage: &Usage) -> Key {
    match &usage.what {
        What::Instance { family, size, zone, .. } => {
            (format!("{family}.{size}"), zone.clone(), usage.account)
        }
        What::Metered(_) => (format!("#{line}"), String::new(), usage.account),
    }
}

fn rate(q: Q) -> Rate {
    Rate::from_pico(q.pico())
}

/// The hour as the bill sees it: lines summed to items. Also the item of each
/// line.
fn table(usage: &[Usage]) -> (HourlyUsage, Vec<usize>) {
    let mut items: Vec<UsageItem> = Vec::new();
    let mut keys: BTreeMap<Key, usize> = BTreeMap::new();
    let mut amounts: Vec<i128> = Vec::new();
    let mut of_line = Vec::new();
    for (line, u) in usage.iter().enumerate() {
        let key = key(line, u);
        let (unit, ec2, quantity) = match &u.what {
            What::Instance { zone, ran, .. } => {
                let zone = Some(zone.clone());
                let ec2 = Ec2Item { instance_type: key.0.clone(), zone };
                (Unit::Hours, Some(ec2), i128::from(ran.end - ran.start) * 1000)
            }
            What::Metered(units) => {
                let per = i128::from(Unit::VcpuHours.per());
                (Unit::VcpuHours, None, (*units * Q::new(per, 1_000_000_000_000)).pico())
            }
        };
        let at = *keys.entry(key.clone()).or_insert_with(|| {
            items.push(UsageItem {
                name: key.0,
                unit,
                on_demand: rate(u.price),
                ec2,
                owner: u.account == Account::Owner,
                idle_reservation: false,
                source: ItemSource::Outside(line),
            });
            amounts.push(0);
            items.len() - 1
        });
        amounts[at] += quantity;
        of_line.push(at);
    }
    let mut table = HourlyUsage::new(0, HOUR_MS, items).expect("one hour");
    for (at, quantity) in amounts.iter().enumerate() {
        let item = &table.items[at];
        let list = item.on_demand.charge(*quantity, i128::from(item.unit.per()));
        table.add(0, at, i64::try_from(*quantity).expect("an hour's usage"), list);
    }
    (table, of_line)
}

fn terms(held: &Held, table: &HourlyUsage, usage: &[Usage], of_line: &[usize]) -> Terms {
    match held {
        Held::Reserved { family, size, zone, count, hourly } => Terms::reserved(
            CommitmentKind::StandardRi,
            rate(Q::new(i128::from(*count), 1) * *hourly),
            &table.items,
            &format!("{family}.{size}"),
            *count,
            zone.as_deref(),
            size_flexible(&format!("{family}.{size}")),
        ),
        Held::Plan { family, commitment, rates, .. } => {
            let kind = match family {
                Some(_) => CommitmentKind::Ec2InstanceSp,
                None => CommitmentKind::ComputeSp,
            };
            let mut by_item = vec![None; table.items.len()];
            for ((line, u), price) in usage.iter().enumerate().zip(rates) {
                let own = match (family, &u.what) {
                    (Some(f), What::Instance { family, .. }) => f == family,
                    (Some(_), What::Metered(_)) => false,
                    (None, _) => true,
                };
                if own {
                    by_item[of_line[line]] = price.map(rate);
                }
            }
            Terms::savings_plan(kind, rate(*commitment), by_item)
        }
    }
}

/// Bills the hour and fails where the bill is not the literal `want`. Returns
/// what it comes to without what the last `free` commitments cost.
pub(super) fn agree(usage: &[Usage], held: &[Held], want: &Hour, free: usize) -> Money {
    let (table, of_line) = table(usage);
    let all: Vec<Terms> = held.iter().map(|h| terms(h, &table, usage, &of_line)).collect();
    let got = settle(&table, &all);
    // A part of a pico-USD a rounding, at most one rounding a covered part.
    let pico = 2 + got.covers(0).len() as i128 + table.items.len() as i128;
    let near = |a: i128, b: i128, by: i128, what: &dyn std::fmt::Display| {
        assert!((a - b).abs() <= by, "{what}: {a} in the bill, {b} literally\n{usage:?}\n{held:?}");
    };
    // Zones of a type share regional Reserved Instances in the order of time,
    // which a sum of hours does not know; the sum over zones is the same.
    let group = |line: usize| {
        let (kind, _, account) = key(line, &usage[line]);
        (kind, account)
    };
    let mut literal: BTreeMap<_, (Vec<Q>, Q)> = BTreeMap::new();
    let mut billed: BTreeMap<_, (Vec<i128>, i128)> = BTreeMap::new();
    let mut seen = vec![false; table.items.len()];
    for (line, u) in usage.iter().enumerate() {
        let empty = || (vec![Q::ZERO; held.len() + 1], Q::ZERO);
        let sum = literal.entry(group(line)).or_insert_with(empty);
        sum.0[held.len()] = sum.0[held.len()] + want.reserved[line];
        for (sum, units) in sum.0.iter_mut().zip(&want.planned[line]) {
            *sum = *sum + *units;
        }
        sum.1 = sum.1 + want.on_demand[line];
        let item = of_line[line];
        let sum = billed.entry(group(line)).or_insert_with(|| (vec![0; held.len() + 1], 0));
        if std::mem::replace(&mut seen[item], true) {
            continue;
        }
        for cover in got.covers(0).iter().filter(|c| c.item as usize == item) {
            let plan = usize::from(cover.plan);
            let reserved = matches!(held[plan], Held::Reserved { .. });
            sum.0[if reserved { held.len() } else { plan }] += cover.quantity;
        }
        sum.1 += got.remaining(0, item).1.pico();
        let list = rate(u.price);
        assert_eq!(table.items[item].on_demand, list, "one price a type");
    }
    for (key, (units, rest)) in &literal {
        let per = usage.iter().enumerate().find(|(line, _)| group(*line) == *key);
        let per = match per.map(|(_, u)| &u.what) {
            Some(What::Metered(_)) => Unit::VcpuHours.per(),
            _ => Unit::Hours.per(),
        };
        for (plan, (units, billed)) in units.iter().zip(&billed[key].0).enumerate() {
            let literally = (*units * Q::new(per.into(), 1_000_000_000_000)).pico();
            // Money is what is exact; a quantity follows from it, and a
            // pico-USD is many small units of a cheap item.
            near(
                *billed,
                literally,
                4 + i128::from(per) / 10_000_000,
                &format!("{key:?} by {plan}"),
            );
        }
        near(billed[key].1, rest.pico(), pico, &format!("{key:?} On-Demand"));
    }
    for (plan, h) in held.iter().enumerate() {
        let spent = got.spent(0, plan);
        match h {
            Held::Plan { .. } => {
                near(spent.used().pico(), want.used[plan].pico(), pico, &format!("used of {plan}"));
            }
            Held::Reserved { count, hourly, .. } => {
                let fee = Q::new(i128::from(*count), 1) * *hourly;
                near(spent.committed.pico(), fee.pico(), 1, &format!("fee of {plan}"));
            }
        }
    }
    near(got.hour_total(0).pico(), want.total.pico(), pico, &"total");
    let fees = (held.len() - free..held.len()).map(|plan| got.spent(0, plan).committed);
    got.hour_total(0) - fees.sum::<Money>()
}

const TYPES: [(&str, &str, i128); 14] = [
    ("m5", "large", 960),
    ("m5", "xlarge", 1920),
    ("m5", "2xlarge", 3840),
    ("m5", "metal", 46080),
    ("c5", "large", 850),
    ("c5", "xlarge", 1920),
    ("c5", "4xlarge", 6800),
    ("t3", "nano", 52),
    ("t3", "medium", 416),
    ("g5", "xlarge", 10060),
    ("g5", "2xlarge", 12120),
    ("g6", "xlarge", 8048),
    ("g6", "2xlarge", 9776),
    ("r6g", "metal", 32256),
];

/// Prices are in 10⁻⁴ USD; savings in twentieths, so that ties are common.
fn price(ten_thousandths: i128) -> Q {
    Q::new(ten_thousandths, 10_000)
}

fn a_usage() -> impl Strategy<Value = (usize, u8, bool, u32, u32, u32)> {
    (0..TYPES.len() + 2, 0u8..2, prop::bool::weighted(0.8), 0u32..3600, 1u32..=3600, 1u32..200)
}

fn usage_of(drawn: &[(usize, u8, bool, u32, u32, u32)]) -> Vec<Usage> {
    let mut usage: Vec<Usage> = drawn
        .iter()
        .map(|&(kind, zone, owner, from, seconds, units)| {
            let account = if owner { Account::Owner } else { Account::Other };
            let Some((family, size, cost)) = TYPES.get(kind) else {
                let cost = if kind == TYPES.len() { 404 } else { 44 };
                let units = Q::new(i128::from(units), 4);
                return Usage { account, price: price(cost), what: What::Metered(units) };
            };
            // Half of them run all the hour.
            let ran = if from % 2 == 0 { 0..3600 } else { from..(from + seconds).min(3600) };
            let zone = ["a", "b"][usize::from(zone)].to_owned();
            let (family, size) = ((*family).to_owned(), (*size).to_owned());
            let what = What::Instance { family, size, zone, ran };
            Usage { account, price: price(*cost), what }
        })
        .collect();
    // Ties go to the first: the lines of an item stand together.
    let mut keyed: Vec<(Key, Usage)> =
        usage.drain(..).enumerate().map(|(line, u)| (key(line, &u), u)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.into_iter().map(|(_, u)| u).collect()
}

#[derive(Debug, Clone)]
enum Drawn {
    Reserved { kind: usize, zone: Option<u8>, count: u32 },
    Plan { family: Option<usize>, commitment: i128, twentieths: Vec<i128> },
}

fn a_commitment() -> impl Strategy<Value = Drawn> {
    prop_oneof![
        (0..TYPES.len(), prop::option::of(0u8..2), 1u32..5)
            .prop_map(|(kind, zone, count)| Drawn::Reserved { kind, zone, count }),
        (
            prop::option::of(0..TYPES.len()),
            0i128..60_000,
            prop::collection::vec(6i128..=20, TYPES.len() + 2)
        )
            .prop_map(|(family, commitment, twentieths)| {
                Drawn::Plan { family, commitment, twentieths }
            }),
    ]
}

fn held_of(drawn: &Drawn, usage: &[Usage], free: bool) -> Held {
    let fee = |cost: i128| if free { Q::ZERO } else { price(cost) };
    match drawn {
        Drawn::Reserved { kind, zone, count } => {
            let (family, size, cost) = TYPES[*kind];
            Held::Reserved {
                family: family.to_owned(),
                size: size.to_owned(),
                zone: zone.map(|z| ["a", "b"][usize::from(z)].to_owned()),
                count: *count,
                hourly: fee(cost / 2),
            }
        }
        Drawn::Plan { family, commitment, twentieths } => {
            let rate = |u: &Usage| {
                let at = TYPES.iter().position(|t| match &u.what {
                    What::Instance { family, size, .. } => t.0 == family && t.1 == size,
                    What::Metered(_) => false,
                });
                let vcpu = u.price == price(404);
                let at = at.unwrap_or(TYPES.len() + usize::from(!vcpu));
                // One type in four has no rate.
                (twentieths[at] % 4 != 3).then(|| u.price * Q::new(twentieths[at], 20))
            };
            Held::Plan {
                family: family.map(|f| TYPES[f].0.to_owned()),
                commitment: price(*commitment),
                hourly: fee(*commitment),
                rates: usage.iter().map(rate).collect(),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The bill of a random hour is the literal one.
    #[test]
    fn random_hours_are_billed_literally(
        drawn in prop::collection::vec(a_usage(), 1..12),
        commitments in prop::collection::vec(a_commitment(), 0..5),
    ) {
        let usage = usage_of(&drawn);
        let held: Vec<Held> = commitments.iter().map(|c| held_of(c, &usage, false)).collect();
        agree(&usage, &held, &hour(&usage, &held), 0);
    }

    /// A commitment that costs nothing makes no hour dearer.
    #[test]
    fn a_free_commitment_never_costs(
        drawn in prop::collection::vec(a_usage(), 1..10),
        commitments in prop::collection::vec(a_commitment(), 0..4),
        gift in a_commitment(),
    ) {
        let usage = usage_of(&drawn);
        let mut held: Vec<Held> = commitments.iter().map(|c| held_of(c, &usage, false)).collect();
        let before = hour(&usage, &held);
        let billed_before = agree(&usage, &held, &before, 0);
        held.push(held_of(&gift, &usage, true));
        let after = hour(&usage, &held);
        prop_assert!(after.total <= before.total, "{after:?}\n{before:?}");
        // The bill knows no plan whose budget is free: its fee is taken off.
        let paid: Vec<Held> = held.iter().cloned().map(|h| match h {
            Held::Plan { family, commitment, rates, .. } => {
                Held::Plan { family, commitment, hourly: commitment, rates }
            }
            reserved @ Held::Reserved { .. } => reserved,
        }).collect();
        let billed = agree(&usage, &paid, &hour(&usage, &paid), 1);
        prop_assert!(billed.pico() <= billed_before.pico() + 50, "{billed} after {billed_before}");
    }
}
