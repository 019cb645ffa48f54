//! Sums by who caused them: fine enough for every grouping by owner.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::bill::model::ByName;
use crate::units::Money;
use crate::workload::{NamespaceId, WorkloadId};

/// Pods of one workload in one namespace.
pub(super) type Pair = (WorkloadId, NamespaceId);

/// By what it was spent on: see [`Kind`].
pub(super) type Split = [Money; 6];

/// What an amount was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Cpu,
    Memory,
    Storage,
    Network,
    LoadBalancer,
    Other,
}

/// Per pool and owner what it costs. The slot after the last pool is what
/// belongs to none.
#[derive(Debug)]
pub(super) struct Owners {
    pools: usize,
    pub(super) pairs: Vec<Pair>,
    index: FxHashMap<Pair, u32>,
    /// What was asked for last: parts of one owner come together.
    last: Option<(Pair, u32)>,
    /// By pair, then pool: what its pods requested there.
    direct: Vec<Split>,
    /// The same of `DaemonSet`s, which serve all others of a pool.
    daemons: Vec<Split>,
    /// Per pool and at last of none: what nobody's pods requested.
    pseudo: Vec<Vec<(&'static str, Split)>>,
}

impl Owners {
    pub(super) fn new(pools: usize) -> Self {
        Owners {
            pools,
            pairs: Vec::new(),
            index: FxHashMap::default(),
            last: None,
            direct: Vec::new(),
            daemons: Vec::new(),
            pseudo: vec![Vec::new(); pools + 1],
        }
    }

    /// Slots of pools: the pools and what belongs to none.
    pub(super) fn slots(&self) -> std::ops::Range<usize> {
        0..self.pools + 1
    }

    /// What belongs to no pool.
    pub(super) fn no_pool(&self) -> usize {
        self.pools
    }

    fn at(&mut self, pair: Pair, slot: usize) -> usize {
        let index = match self.last {
            Some((last, index)) if last == pair => index,
            _ => {
                let new = self.pairs.len() as u32;
                let index = *self.index.entry(pair).or_insert(new);
                if index == new {
                    self.pairs.push(pair);
                    let length = self.pairs.len() * (self.pools + 1);
                    self.direct.resize(length, Split::default());
                    self.daemons.resize(length, Split::default());
                }
                self.last = Some((pair, index));
                index
            }
        };
        index as usize * (self.pools + 1) + slot
    }

    /// Gives an amount to pods of a workload; `shared` where they serve all.
    pub(super) fn add(&mut self, slot: usize, pair: Pair, kind: Kind, amount: Money, shared: bool) {
        let at = self.at(pair, slot);
        let sums = if shared { &mut self.daemons } else { &mut self.direct };
        sums[at][kind as usize] += amount;
    }

    /// Gives an amount to nobody.
    pub(super) fn add_pseudo(
        &mut self,
        slot: usize,
        name: &'static str,
        kind: Kind,
        amount: Money,
    ) {
        let all = &mut self.pseudo[slot];
        let at = all.iter().position(|(n, _)| *n == name).unwrap_or_else(|| {
            all.push((name, Split::default()));
            all.len() - 1
        });
        all[at].1[kind as usize] += amount;
    }

    /// What a pair's own pods requested in a pool.
    pub(super) fn direct(&self, pair: usize, slot: usize) -> Money {
        self.direct[pair * (self.pools + 1) + slot].into_iter().sum()
    }

    /// As [`Owners::direct`], of `DaemonSet`s.
    pub(super) fn daemons(&self, pair: usize, slot: usize) -> Money {
        self.daemons[pair * (self.pools + 1) + slot].into_iter().sum()
    }

    /// All that a pair's pods cost, by what it was spent on.
    pub(super) fn split(&self, pair: usize) -> Split {
        let range = pair * (self.pools + 1)..(pair + 1) * (self.pools + 1);
        let mut sum = Split::default();
        for part in self.direct[range.clone()].iter().chain(&self.daemons[range]) {
            for (sum, part) in sum.iter_mut().zip(part) {
                *sum += *part;
            }
        }
        sum
    }

    /// What nobody's pods requested in a pool.
    pub(super) fn pseudo(&self, slot: usize) -> impl Iterator<Item = (&'static str, Money)> {
        self.pseudo[slot].iter().map(|(name, split)| (*name, split.iter().copied().sum()))
    }

    /// The same in all pools, by what it was spent on, in the order of the
    /// names.
    pub(super) fn pseudo_split(&self) -> BTreeMap<&'static str, Split> {
        let mut sums: BTreeMap<&'static str, Split> = BTreeMap::new();
        for (name, split) in self.pseudo.iter().flatten() {
            let sum = sums.entry(name).or_default();
            for (sum, part) in sum.iter_mut().zip(split) {
                *sum += *part;
            }
        }
        sums
    }

    /// What nobody's pods requested at all.
    pub(super) fn all_pseudo(&self) -> ByName {
        let mut sums = ByName::new();
        for (name, amount) in self.slots().flat_map(|slot| self.pseudo(slot)) {
            crate::bill::ledger::add(&mut sums, name, amount);
        }
        sums
    }

    /// What is shared in a pool: of nobody's, and `DaemonSet`s.
    pub(super) fn shared(&self, slot: usize) -> Money {
        let pseudo: Money = self.pseudo(slot).map(|p| p.1).sum();
        let daemons: Money = (0..self.pairs.len()).map(|p| self.daemons(p, slot)).sum();
        pseudo + daemons
    }
}
