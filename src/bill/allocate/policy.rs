//! Who bears what nobody requested: groupings by label, namespace or workload
//! under a stated policy.
//!
//! The words are those of FinOps and of `OpenCost`: idle cost is kept apart or
//! shared by cost; shared cost is kept apart or split by cost or evenly.
//! Three steps, each with cumulative rounding in the order of the names, so
//! that the groups sum to the bill:
//!
//! 1. per pool: what is shared by pool, in proportion to what each group
//!    requested there; a pool that no group uses keeps it;
//! 2. idle and system reserve that are shared over all, in proportion to what
//!    each group bears so far;
//! 3. shared charges, likewise or in equal parts.

use std::collections::BTreeMap;

use super::owners::Owners;
use crate::bill::ledger::add;
use crate::bill::model::{ByName, pseudo};
use crate::units::{Money, split_exact};

/// Owners without the label, as `OpenCost` calls them.
pub const UNALLOCATED: &str = "__unallocated__";

/// Who bears free capacity, or what is reserved for the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Idle {
    /// Nobody: it has a name of its own.
    #[default]
    Keep,
    /// Who uses the pool, in proportion to cost there.
    ShareByPool,
    /// All, in proportion to cost.
    Share,
}

impl Idle {
    /// Its name in scenarios and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Idle::Keep => "keep",
            Idle::ShareByPool => "share-by-pool",
            Idle::Share => "share",
        }
    }
}

/// Who bears `DaemonSet`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Daemons {
    /// Whose label they carry, or whose namespace or workload they are.
    #[default]
    Own,
    /// Who uses the pool, in proportion to cost there.
    ShareByPool,
}

impl Daemons {
    /// Its name in scenarios and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Daemons::Own => "own",
            Daemons::ShareByPool => "share-by-pool",
        }
    }
}

/// Who bears charges that follow nodes and clusters, nodes that boot or drain,
/// and unused commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shared {
    /// Nobody: each has a name of its own.
    #[default]
    Keep,
    /// All, in proportion to cost.
    ByCost,
    /// All that cost something, in equal parts.
    Evenly,
}

impl Shared {
    /// Its name in scenarios and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Shared::Keep => "keep",
            Shared::ByCost => "by-cost",
            Shared::Evenly => "evenly",
        }
    }
}

/// Who bears what nobody requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AllocationPolicy {
    /// Who bears free capacity.
    pub idle: Idle,
    /// Who bears what is reserved for kubelet and system.
    pub system: Idle,
    /// Who bears `DaemonSet`s.
    pub daemons: Daemons,
    /// Who bears the rest.
    pub shared: Shared,
}

/// A grouping by a label of pods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelGrouping {
    /// The label.
    pub label: String,
    /// Its value by workload.
    pub of_workload: BTreeMap<String, String>,
    /// Its value by namespace, for pods without it.
    pub of_namespace: BTreeMap<String, String>,
    /// Who bears what nobody requested.
    pub policy: AllocationPolicy,
}

impl LabelGrouping {
    /// The group of a workload's pods in a namespace.
    #[must_use]
    pub fn group<'a>(&'a self, workload: &str, namespace: &str) -> &'a str {
        let own = self.of_workload.get(workload).or_else(|| self.of_namespace.get(namespace));
        own.map_or(UNALLOCATED, String::as_str)
    }
}

/// Cost by group; sums to all that the owners have. `groups` are the names of
/// the owners' pairs.
pub(super) fn group(rules: AllocationPolicy, owners: &Owners, groups: &[&str]) -> ByName {
    let mut names: Vec<&str> = groups.to_vec();
    names.sort_unstable();
    names.dedup();
    let of_pair: Vec<usize> =
        groups.iter().filter_map(|group| names.binary_search(group).ok()).collect();
    let mut sums = vec![Money::ZERO; names.len()];
    let mut kept = ByName::new();
    // What is shared over all: free capacity and system, then the rest.
    let mut all = [Money::ZERO; 2];
    let mut rest: Vec<(&str, Money)> = Vec::new();
    for slot in owners.slots() {
        let mut direct = vec![Money::ZERO; names.len()];
        let mut daemons = Money::ZERO;
        for (pair, group) in of_pair.iter().enumerate() {
            direct[*group] += owners.direct(pair, slot);
            match rules.daemons {
                Daemons::Own => sums[*group] += owners.daemons(pair, slot),
                Daemons::ShareByPool => daemons += owners.daemons(pair, slot),
            }
        }
        for (sum, amount) in sums.iter_mut().zip(&direct) {
            *sum += *amount;
        }
        // What the users of the pool bear, or nobody where it has none.
        let mut by_pool: Vec<(&str, Money)> = Vec::new();
        if daemons != Money::ZERO {
            let pots = if slot == owners.no_pool() { &mut rest } else { &mut by_pool };
            pots.push((pseudo::SHARED, daemons));
        }
        for (name, amount) in owners.pseudo(slot) {
            let policy = match name {
                pseudo::IDLE => Some((rules.idle, 0)),
                pseudo::SYSTEM => Some((rules.system, 1)),
                _ => None,
            };
            match policy {
                Some((Idle::ShareByPool, _)) => by_pool.push((name, amount)),
                Some((Idle::Share, at)) => all[at] += amount,
                Some((Idle::Keep, _)) => add(&mut kept, name, amount),
                None => rest.push((name, amount)),
            }
        }
        for (name, amount) in by_pool {
            if !distribute(amount, &direct, &mut sums) {
                add(&mut kept, name, amount);
            }
        }
    }
    for (name, amount) in [(pseudo::IDLE, all[0]), (pseudo::SYSTEM, all[1])] {
        let weights = sums.clone();
        if !distribute(amount, &weights, &mut sums) {
            add(&mut kept, name, amount);
        }
    }
    // Of all that is shared, the names do not matter any more: one split.
    let weights: Vec<Money> = match rules.shared {
        Shared::Keep => Vec::new(),
        Shared::ByCost => sums.clone(),
        Shared::Evenly => {
            sums.iter().map(|sum| Money::from_pico((*sum > Money::ZERO).into())).collect()
        }
    };
    let together = rest.iter().map(|r| r.1).sum();
    if !distribute(together, &weights, &mut sums) {
        for (name, amount) in rest {
            add(&mut kept, name, amount);
        }
    }
    for (name, sum) in names.into_iter().zip(sums) {
        add(&mut kept, name, sum);
    }
    kept
}

/// Adds an amount to sums in proportion to weights; `false` where nobody can
/// bear it.
pub(super) fn distribute(amount: Money, weights: &[Money], sums: &mut [Money]) -> bool {
    if amount == Money::ZERO {
        return true;
    }
    let weights: Vec<i128> = weights.iter().map(|w| w.pico().max(0)).collect();
    if weights.iter().all(|w| *w == 0) {
        return false;
    }
    for (sum, part) in sums.iter_mut().zip(split_exact(amount, &weights)) {
        *sum += part;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::owners::Kind;
    use super::*;
    use crate::workload::{NamespaceId, WorkloadId};

    fn usd(amount: i128) -> Money {
        Money::from_pico(amount * 1_000_000_000_000)
    }

    fn shown(map: &ByName) -> Vec<(&str, i128)> {
        map.iter().map(|(k, v)| (k.as_str(), v.pico() / 1_000_000_000_000)).collect()
    }

    /// Two pools: web (30) and batch (10) share the first with 20 idle, 4
    /// system, 8 of a `DaemonSet`; batch (40) is alone in the second with 10
    /// idle. The cluster costs 12, boot and drain 6 in the first pool.
    fn owners() -> Owners {
        let mut owners = Owners::new(2);
        let pair = |w| (WorkloadId(w), NamespaceId(0));
        owners.add(0, pair(0), Kind::Cpu, usd(20), false);
        owners.add(0, pair(0), Kind::Memory, usd(10), false);
        owners.add(0, pair(1), Kind::Cpu, usd(10), false);
        owners.add(1, pair(1), Kind::Other, usd(40), false);
        owners.add(0, pair(2), Kind::Cpu, usd(8), true);
        owners.add_pseudo(0, pseudo::IDLE, Kind::Cpu, usd(20));
        owners.add_pseudo(1, pseudo::IDLE, Kind::Cpu, usd(10));
        owners.add_pseudo(0, pseudo::SYSTEM, Kind::Cpu, usd(4));
        owners.add_pseudo(0, pseudo::BOOT_AND_DRAIN, Kind::Cpu, usd(6));
        owners.add_pseudo(2, pseudo::SHARED, Kind::Cpu, usd(12));
        owners
    }

    const GROUPS: [&str; 3] = ["front", "data", UNALLOCATED];
    const TOTAL: i128 = 140;

    #[test]
    fn by_default_everything_keeps_its_name() {
        let map = group(AllocationPolicy::default(), &owners(), &GROUPS);
        assert_eq!(
            shown(&map),
            [
                ("(boot and drain)", 6),
                ("(idle)", 30),
                ("(shared charges)", 12),
                ("(system)", 4),
                ("__unallocated__", 8),
                ("data", 50),
                ("front", 30),
            ]
        );
        assert_eq!(map.values().copied().sum::<Money>(), usd(TOTAL));
    }

    #[test]
    fn a_pools_users_bear_what_they_leave_idle() {
        let rules = AllocationPolicy {
            idle: Idle::ShareByPool,
            system: Idle::ShareByPool,
            daemons: Daemons::ShareByPool,
            ..AllocationPolicy::default()
        };
        // First pool 3 : 1 of 20 + 4 + 8: 24 and 8. Second: 10 to data.
        let map = group(rules, &owners(), &GROUPS);
        assert_eq!(
            shown(&map),
            [
                ("(boot and drain)", 6),
                ("(shared charges)", 12),
                ("__unallocated__", 0),
                ("data", 68),
                ("front", 54),
            ]
        );
    }

    #[test]
    fn shared_cost_follows_cost_or_heads() {
        let rules = AllocationPolicy { shared: Shared::Evenly, ..AllocationPolicy::default() };
        // 18 to three groups.
        let map = group(rules, &owners(), &GROUPS);
        assert_eq!(
            shown(&map),
            [("(idle)", 30), ("(system)", 4), ("__unallocated__", 14), ("data", 56), ("front", 36)]
        );
        let rules = AllocationPolicy {
            idle: Idle::Share,
            system: Idle::Share,
            daemons: Daemons::ShareByPool,
            shared: Shared::ByCost,
        };
        // 30 + 6 and 50 + 2 to begin with: 88; then 34 and 18 in proportion.
        let map = group(rules, &owners(), &GROUPS);
        assert_eq!(map.values().copied().sum::<Money>(), usd(TOTAL));
        // 36 : 52 of all 140.
        let exact = |part: i128| Money::from_pico(part * TOTAL * 1_000_000_000_000 / 88);
        for (name, part) in [("front", 36), ("data", 52)] {
            assert!((map[name] - exact(part)).pico().abs() <= 3, "{name}: {}", map[name]);
        }
        assert_eq!(map[UNALLOCATED], Money::ZERO);
    }

    #[test]
    fn a_pool_that_nobody_uses_keeps_its_cost() {
        let mut owners = Owners::new(1);
        owners.add_pseudo(0, pseudo::IDLE, Kind::Cpu, usd(5));
        let rules = AllocationPolicy {
            idle: Idle::ShareByPool,
            shared: Shared::Evenly,
            ..AllocationPolicy::default()
        };
        assert_eq!(shown(&group(rules, &owners, &[])), [("(idle)", 5)]);
    }

    #[test]
    fn groups_come_from_pods_then_namespaces() {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let rules = LabelGrouping {
            of_workload: map(&[("web", "front")]),
            of_namespace: map(&[("prod", "ops")]),
            ..LabelGrouping::default()
        };
        assert_eq!(rules.group("web", "prod"), "front");
        assert_eq!(rules.group("api", "prod"), "ops");
        assert_eq!(rules.group("api", "test"), UNALLOCATED);
    }
}
