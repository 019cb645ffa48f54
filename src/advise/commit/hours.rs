//! Eligible usage of all seeds as columns of dollars: what a search for a
//! commitment reads some hundred times.
//!
//! Floats, because only the search rests on them: what is printed as money
//! comes from [`crate::bill::commitments::settle`].

use std::ops::Range;

use super::model::SeedUsage;
use crate::bill::commitments::{Terms, UsageItem};
use crate::units::HOUR_MS;

/// A stride that leaves at most `most` of `len` hours, all hours of the day and
/// of the week alike.
pub(super) fn stride(len: usize, most: usize) -> usize {
    let even = |stride: &usize| [2, 3, 7].iter().all(|p| !stride.is_multiple_of(*p));
    let least = len.div_ceil(most.max(1)).max(1);
    (least..least + 42).find(even).unwrap_or(least)
}

/// Hours of usage, one seed after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Hours {
    /// What there is in any seed.
    pub(super) items: Vec<UsageItem>,
    /// Per item: whether it is the scenario's.
    pub(super) own: Vec<bool>,
    /// Per item: USD of each hour without commitments.
    pub(super) list: Vec<Vec<f64>>,
    /// Share of each clock hour that lies within its window.
    pub(super) weight: Vec<f64>,
    /// Start and end of what counts of each hour, Unix milliseconds.
    pub(super) span: Vec<(i64, i64)>,
    /// Which hours are whose, in the order of the seeds.
    pub(super) seeds: Vec<Range<usize>>,
}

impl Hours {
    /// The hours of every seed's usage. Items that are alike are one.
    pub(super) fn new(seeds: &[SeedUsage]) -> Self {
        let all: usize = seeds.iter().map(|seed| seed.usage.hours()).sum();
        let mut hours = Hours::default();
        for SeedUsage { usage, own, .. } in seeds {
            let from = hours.weight.len();
            for hour in 0..usage.hours() {
                let start = (usage.first_hour() + hour as i64) * HOUR_MS;
                let (a, b) = (start.max(usage.from_unix_ms), usage.to_unix_ms.min(start + HOUR_MS));
                hours.weight.push((b - a) as f64 / HOUR_MS as f64);
                hours.span.push((a, b));
            }
            hours.seeds.push(from..hours.weight.len());
            let columns: Vec<usize> = usage
                .items
                .iter()
                .enumerate()
                .map(|(index, item)| hours.column(item, index < *own, all))
                .collect();
            for column in &mut hours.list {
                column.resize(from, 0.0);
            }
            for row in usage.list.chunks_exact(columns.len().max(1)) {
                for (column, usd) in columns.iter().zip(row) {
                    hours.list[*column].push(usd.to_f64());
                }
            }
        }
        for column in &mut hours.list {
            column.resize(hours.weight.len(), 0.0);
        }
        hours
    }

    /// The column of an item, a new one if need be.
    fn column(&mut self, item: &UsageItem, own: bool, capacity: usize) -> usize {
        self.items.iter().position(|known| known == item).unwrap_or_else(|| {
            self.items.push(item.clone());
            self.own.push(own);
            self.list.push(Vec::with_capacity(capacity));
            self.items.len() - 1
        })
    }

    /// Number of hours, those of all seeds together.
    pub(super) fn len(&self) -> usize {
        self.weight.len()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.weight.is_empty()
    }

    /// Clock hours, edges in part.
    pub(super) fn clock_hours(&self) -> f64 {
        self.weight.iter().sum()
    }

    /// Share of each hour that terms are in force; `None` where that is all
    /// that counts of it.
    pub(super) fn in_force(&self, terms: &Terms) -> Option<Vec<f64>> {
        let covered = |&(a, b): &(i64, i64)| {
            (b.min(terms.to_unix_ms) - a.max(terms.from_unix_ms)).max(0) as f64 / HOUR_MS as f64
        };
        let whole = |(a, b): &(i64, i64)| *a >= terms.from_unix_ms && *b <= terms.to_unix_ms;
        (!self.span.iter().all(whole)).then(|| self.span.iter().map(covered).collect())
    }

    /// Every `stride`th hour, for a search that will be refined on all.
    pub(super) fn every(&self, stride: usize) -> Hours {
        let mut thin =
            Hours { items: self.items.clone(), own: self.own.clone(), ..Hours::default() };
        let pick = |column: &[f64]| column.iter().step_by(stride).copied().collect();
        thin.list = self.list.iter().map(|column| pick(column)).collect();
        thin.weight = pick(&self.weight);
        thin.span = self.span.iter().step_by(stride).copied().collect();
        thin.seeds = std::iter::once(0..thin.weight.len()).collect();
        thin
    }
}
