//! The order of (item, commitment) pairs, and one hour applied in it.

use std::cmp::Ordering;

use super::terms::{Benefit, Terms};
use super::usage::UsageItem;
use crate::bill::prices::CommitmentKind;
use crate::units::{Money, Rate};

/// A covered part of an item in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cover {
    /// Which item.
    pub item: u32,
    /// By which commitment.
    pub plan: u16,
    /// In small units of the item, rounded half-even.
    pub quantity: i128,
    /// What it costs without commitments.
    pub list: Money,
    /// What it takes of the commitment; of a settlement after what was
    /// negotiated off that.
    pub net: Money,
}

/// An item in one hour, and what of it is not covered yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// In small units.
    pub quantity: i128,
    /// Without commitments.
    pub list: Money,
    /// A commitment covered a part already: `list` is exact to a pico-USD,
    /// the quantity rounded to a small unit.
    touched: bool,
    /// Size × time of which a Reserved Instance covered a part, and of which
    /// this much is left; a part of a millisecond is not lost between them.
    units: (i128, i128),
    /// What was there before any Reserved Instance.
    whole: (i128, Money),
}

impl Applied {
    /// Usage that nothing covered.
    #[must_use]
    pub fn new(quantity: i128, list: Money) -> Self {
        Applied { quantity, list, ..Applied::default() }
    }

    fn is_covered(&self) -> bool {
        self.quantity == 0 && self.list == Money::ZERO
    }

    /// Covers what is left, for `net`.
    fn cover_all(&mut self, pair: &Pair, net: Money) -> Cover {
        let cover = pair.cover(self.quantity, self.list, net);
        *self = Applied { touched: true, ..Applied::default() };
        cover
    }
}

#[derive(Debug, Clone, Copy)]
struct Pair {
    item: u32,
    plan: u16,
    /// Reserved Instances: quarters of a unit per instance.
    size: u32,
    /// Savings Plans.
    rate: Rate,
    on_demand: Rate,
    per: i64,
}

impl Pair {
    fn cover(&self, quantity: i128, list: Money, net: Money) -> Cover {
        Cover { item: self.item, plan: self.plan, quantity, list, net }
    }
}

/// What an hour's commitment has left.
#[derive(Debug, Clone, Copy)]
struct Left {
    committed: Money,
    /// Of the committed money.
    money: Money,
    /// Reserved Instances: quarters × milliseconds in the hour and left.
    budget: i128,
    units: i128,
}

/// (Item, commitment) pairs in the order in which they are covered. The order
/// depends on rates and sizes alone, so it is found once for all hours:
/// applying an hour costs one pass.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    pairs: Vec<Pair>,
    /// Per commitment: quarters it covers; `None` for a Savings Plan.
    quarters: Vec<Option<u64>>,
    left: Vec<Left>,
}

/// The step of AWS's order a commitment belongs to.
fn phase(terms: &Terms) -> u8 {
    match terms.kind {
        CommitmentKind::StandardRi | CommitmentKind::ConvertibleRi => 0,
        CommitmentKind::Ec2InstanceSp => 1,
        CommitmentKind::ComputeSp => 2,
    }
}

impl Ranking {
    /// Ranks what the terms can cover of the items. Items that are free
    /// without commitments are left alone: there is nothing to save.
    #[must_use]
    pub fn new(items: &[UsageItem], terms: &[Terms]) -> Self {
        let mut pairs = Vec::new();
        for (i, item) in items.iter().enumerate().filter(|(_, i)| i.on_demand > Rate::ZERO) {
            for (p, terms) in terms.iter().enumerate() {
                let (regional, size, rate) = match &terms.benefit {
                    Benefit::Capacity { zonal, sizes, .. } => {
                        let size = sizes.get(i).copied().flatten().filter(|s| *s > 0);
                        (!zonal, size, size.map(|_| Rate::ZERO))
                    }
                    Benefit::Spend { rates } => (false, Some(0), rates.get(i).copied().flatten()),
                };
                if let Some((size, rate)) = size.zip(rate) {
                    let pair = Pair {
                        item: i as u32,
                        plan: p as u16,
                        size,
                        rate,
                        on_demand: item.on_demand,
                        per: item.unit.per(),
                    };
                    let turn = (phase(terms), !item.owner, item.idle_reservation, regional);
                    pairs.push((turn, pair));
                }
            }
        }
        pairs.sort_by(|(turn_a, a), (turn_b, b)| {
            turn_a
                .cmp(turn_b)
                .then_with(|| a.size.cmp(&b.size))
                .then_with(|| by_saving(a, b))
                .then_with(|| a.rate.cmp(&b.rate))
                .then_with(|| (a.item, a.plan).cmp(&(b.item, b.plan)))
        });
        let quarters = terms
            .iter()
            .map(|t| match t.benefit {
                Benefit::Capacity { quarters, .. } => Some(quarters),
                Benefit::Spend { .. } => None,
            })
            .collect();
        Ranking {
            pairs: pairs.into_iter().map(|(_, pair)| pair).collect(),
            quarters,
            left: Vec::new(),
        }
    }

    /// (Item, commitment) in the order in which they are covered.
    pub fn order(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.pairs.iter().map(|pair| (pair.item as usize, usize::from(pair.plan)))
    }

    /// Covers one hour. `committed` holds per commitment what it costs in the
    /// hour and how many of the hour's milliseconds it is in force; the money
    /// becomes what stays unused. `usage` (one entry an item) shrinks to what
    /// stays uncovered. Covered parts are appended to `covers` in the order in
    /// which they were covered.
    pub fn apply(
        &mut self,
        usage: &mut [Applied],
        committed: &mut [(Money, i64)],
        covers: &mut Vec<Cover>,
    ) {
        self.left.clear();
        self.left.extend(committed.iter().zip(&self.quarters).map(|(&(money, ms), quarters)| {
            let units = i128::from(quarters.unwrap_or(0)) * i128::from(ms);
            Left { committed: money, money, budget: units, units }
        }));
        for pair in &self.pairs {
            let (Some(u), Some(left)) =
                (usage.get_mut(pair.item as usize), self.left.get_mut(usize::from(pair.plan)))
            else {
                continue;
            };
            if u.is_covered() {
                continue;
            }
            let cover = if pair.size > 0 { reserve(pair, u, left) } else { spend(pair, u, left) };
            covers.extend(cover);
        }
        for (committed, left) in committed.iter_mut().zip(&self.left) {
            committed.0 = left.money;
        }
    }
}

/// Covers by a Reserved Instance.
fn reserve(pair: &Pair, u: &mut Applied, left: &mut Left) -> Option<Cover> {
    if left.units <= 0 {
        return None;
    }
    let size = i128::from(pair.size);
    if u.units.0 == 0 {
        let units = u.quantity * size;
        (u.units, u.whole) = ((units, units), (u.quantity, u.list));
    }
    let units = left.units.min(u.units.1);
    left.units -= units;
    // What is left of the commitment after this much of it, rounded once.
    let unused = left.committed.scale(left.units, left.budget);
    let net = left.money - unused;
    left.money = unused;
    if units == u.units.1 {
        return Some(u.cover_all(pair, net));
    }
    u.units.1 -= units;
    let (whole_quantity, whole_list) = u.whole;
    let quantity = Money::from_pico(whole_quantity).scale(u.units.1, u.units.0).pico();
    let list = whole_list.scale(u.units.1, u.units.0);
    let cover = pair.cover(u.quantity - quantity, u.list - list, net);
    (u.quantity, u.list, u.touched) = (quantity, list, true);
    Some(cover)
}

/// Covers by a Savings Plan.
fn spend(pair: &Pair, u: &mut Applied, left: &mut Left) -> Option<Cover> {
    let (rate, per) = (pair.rate.pico(), i128::from(pair.per));
    let full = if u.touched {
        u.list.scale(rate, pair.on_demand.pico())
    } else {
        pair.rate.charge(u.quantity, per)
    };
    let cover = if full <= left.money {
        u.cover_all(pair, full)
    } else if left.money > Money::ZERO {
        // `full` above the dollars left implies a rate above zero.
        let quantity = left.money.scale(per, rate).pico().min(u.quantity);
        let list = left.money.scale(pair.on_demand.pico(), rate).min(u.list);
        u.quantity -= quantity;
        u.list -= list;
        u.touched = true;
        pair.cover(quantity, list, left.money)
    } else {
        return None;
    };
    left.money -= cover.net;
    Some(cover)
}

/// Higher saving first: `1 − r/o` descending is `r/o` ascending.
fn by_saving(a: &Pair, b: &Pair) -> Ordering {
    (a.rate.pico() * b.on_demand.pico()).cmp(&(b.rate.pico() * a.on_demand.pico()))
}
