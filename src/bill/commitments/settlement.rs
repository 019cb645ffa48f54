//! Commitments applied to every hour of a window.

use super::apply::{Applied, Cover, Ranking};
use super::terms::Terms;
use super::usage::HourlyUsage;
use crate::units::{HOUR_MS, Money, Percent};

/// What one commitment did in one hour, or in all of them. Dollars of it are
/// those paid: after what was negotiated off its fees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// What it costs: used plus unused.
    pub committed: Money,
    /// What of it nothing used.
    pub unused: Money,
    /// What the covered usage costs without commitments.
    pub covered_on_demand: Money,
}

impl Spent {
    /// What covered usage took of it.
    #[must_use]
    pub fn used(&self) -> Money {
        self.committed - self.unused
    }
}

/// What became of usage under commitments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settlement {
    hours: usize,
    items: usize,
    plans: usize,
    /// Hour-major, a commitment each.
    spent: Vec<Spent>,
    /// By hour, then item; those of an item in the order of covering.
    covers: Vec<Cover>,
    /// Where the covers of an hour start; one more at the end.
    start: Vec<usize>,
    /// Hour-major, an item each: what stays uncovered.
    remaining: Vec<(i128, Money)>,
}

impl Settlement {
    /// Number of hours.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.hours
    }

    /// Number of items.
    #[must_use]
    pub fn items(&self) -> usize {
        self.items
    }

    /// Number of commitments.
    #[must_use]
    pub fn plans(&self) -> usize {
        self.plans
    }

    /// What a commitment did in an hour (0 is the first of the window).
    ///
    /// # Panics
    /// If there is no such hour or commitment.
    #[must_use]
    pub fn spent(&self, hour: usize, plan: usize) -> Spent {
        assert!(plan < self.plans, "no commitment {plan}");
        self.spent[hour * self.plans + plan]
    }

    /// What a commitment did in all hours.
    #[must_use]
    pub fn spent_in_all(&self, plan: usize) -> Spent {
        let mut sum = Spent::default();
        for hour in 0..self.hours {
            let s = self.spent(hour, plan);
            sum.committed += s.committed;
            sum.unused += s.unused;
            sum.covered_on_demand += s.covered_on_demand;
        }
        sum
    }

    /// The covered parts of an hour, by item.
    #[must_use]
    pub fn covers(&self, hour: usize) -> &[Cover] {
        &self.covers[self.start[hour]..self.start[hour + 1]]
    }

    /// What stays uncovered of an item in an hour: quantity, and its price
    /// without commitments.
    ///
    /// # Panics
    /// If there is no such hour or item.
    #[must_use]
    pub fn remaining(&self, hour: usize, item: usize) -> (i128, Money) {
        assert!(item < self.items, "no item {item}");
        self.remaining[hour * self.items + item]
    }

    /// What an hour costs: all commitments, and what they do not cover.
    #[must_use]
    pub fn hour_total(&self, hour: usize) -> Money {
        let spent = &self.spent[hour * self.plans..(hour + 1) * self.plans];
        let rest = &self.remaining[hour * self.items..(hour + 1) * self.items];
        spent.iter().map(|s| s.committed).sum::<Money>() + rest.iter().map(|r| r.1).sum()
    }

    /// What all hours cost: all commitments, and what they do not cover.
    #[must_use]
    pub fn total(&self) -> Money {
        (0..self.hours).map(|hour| self.hour_total(hour)).sum()
    }
}

/// Applies commitments to every hour of a usage table, in AWS's order (see
/// [the module](super)). At most 65,536 commitments.
#[must_use]
pub fn settle(usage: &HourlyUsage, terms: &[Terms]) -> Settlement {
    let (hours, items, plans) = (usage.hours(), usage.items.len(), terms.len());
    let mut ranking = Ranking::new(&usage.items, terms);
    let mut result = Settlement {
        hours,
        items,
        plans,
        spent: Vec::with_capacity(hours * plans),
        covers: Vec::new(),
        start: Vec::with_capacity(hours + 1),
        remaining: Vec::with_capacity(hours * items),
    };
    let mut row: Vec<Applied> = Vec::with_capacity(items);
    let mut committed: Vec<(Money, i64)> = Vec::with_capacity(plans);
    result.start.push(0);
    for hour in 0..hours {
        let cells = hour * items..(hour + 1) * items;
        let amounts = usage.quantity[cells.clone()].iter().zip(&usage.list[cells]);
        row.clear();
        row.extend(amounts.map(|(&quantity, &list)| Applied::new(quantity, list)));
        committed.clear();
        committed.extend(terms.iter().map(|t| {
            let ms = usage.overlap_ms(hour, t.from_unix_ms, t.to_unix_ms);
            (t.usd_per_hour.charge(i128::from(ms), i128::from(HOUR_MS)), ms)
        }));
        let first = result.spent.len();
        let before = committed.iter();
        result.spent.extend(before.map(|c| Spent { committed: c.0, ..Spent::default() }));
        let from = result.covers.len();
        ranking.apply(&mut row, &mut committed, &mut result.covers);
        for (spent, unused) in result.spent[first..].iter_mut().zip(&committed) {
            spent.unused = unused.0;
        }
        negotiated(terms, &mut result.spent[first..], &mut result.covers[from..]);
        for cover in &result.covers[from..] {
            result.spent[first + usize::from(cover.plan)].covered_on_demand += cover.list;
        }
        result.covers[from..].sort_by_key(|c| c.item);
        result.start.push(result.covers.len());
        result.remaining.extend(row.iter().map(|u| (u.quantity, u.list)));
    }
    result
}

/// Takes negotiated discounts off what an hour's commitments cost: covered
/// parts rounded cumulatively, so that they and what is unused add up.
fn negotiated(terms: &[Terms], spent: &mut [Spent], covers: &mut [Cover]) {
    let is_net = |terms: &Terms| terms.fee_discount != Percent::default();
    if !terms.iter().any(is_net) {
        return;
    }
    // Per commitment: what was taken so far, and paid for it.
    let mut sums = vec![(Money::ZERO, Money::ZERO); terms.len()];
    for cover in covers {
        let plan = usize::from(cover.plan);
        let (taken, paid) = &mut sums[plan];
        *taken += cover.net;
        cover.net = terms[plan].fee_discount.off(*taken) - *paid;
        *paid += cover.net;
    }
    for ((terms, spent), (_, paid)) in terms.iter().zip(spent).zip(sums) {
        if is_net(terms) {
            spent.committed = terms.fee_discount.off(spent.committed);
            spent.unused = spent.committed - paid;
        }
    }
}
