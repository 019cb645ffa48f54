//! The sums by their names, and what is shared distributed.

use std::collections::BTreeMap;

use super::policy;
use super::{Allocation, Owner, owners};
use crate::bill::ledger::add;
use crate::bill::model::{ByName, OwnerCost, pseudo};
use crate::bill::parts::{Collector, Distributed, Parts};
use crate::bill::prices::BillingPlan;
use crate::bill::waterfall::{Step, StepCost};
use crate::units::Money;
use crate::workload::{NamespaceId, WorkloadId};

/// Groupings by owner.
pub(in super::super) struct Allocated {
    pub(in super::super) rounding: [i128; 2],
    pub(in super::super) waterfall: Vec<StepCost>,
    pub(in super::super) by_workload: ByName,
    pub(in super::super) by_namespace: ByName,
    pub(in super::super) fully_loaded: ByName,
    pub(in super::super) by_label: BTreeMap<String, ByName>,
    pub(in super::super) to_namespaces: ByName,
    pub(in super::super) to_workloads: ByName,
    pub(in super::super) owners: Vec<OwnerCost>,
    pub(in super::super) parts: Parts,
}

impl Allocation<'_> {
    /// Names the sums and distributes what is shared.
    pub(in super::super) fn finish(mut self, plan: &BillingPlan) -> Allocated {
        let fully_loaded = self.load();
        let (owners, workloads) = (&self.owners, self.workloads);
        let workload = |id: WorkloadId| workloads.workloads[id.index()].name.as_str();
        let namespace = |id: NamespaceId| workloads.namespaces[id.index()].as_str();
        let mut by_workload = owners.all_pseudo();
        let mut by_namespace = by_workload.clone();
        // Those that cost nothing are named too.
        for info in &workloads.workloads {
            add(&mut by_workload, &info.name, Money::ZERO);
        }
        for name in &workloads.namespaces {
            add(&mut by_namespace, name, Money::ZERO);
        }
        let mut costs = Vec::with_capacity(owners.pairs.len());
        for (pair, (w, n)) in owners.pairs.iter().enumerate() {
            let cost = owner_cost(Owner::Workload(*w, *n), owners.split(pair));
            add(&mut by_workload, workload(*w), cost.amount());
            add(&mut by_namespace, namespace(*n), cost.amount());
            costs.push(cost);
        }
        let of_nobody = owners.pseudo_split().into_iter();
        costs.extend(of_nobody.map(|(name, split)| owner_cost(Owner::Pseudo(name), split)));
        costs.sort_unstable_by_key(|c| c.owner);
        let by_label = plan.label_groupings.iter().map(|rules| {
            let pairs = owners.pairs.iter();
            let groups: Vec<&str> =
                pairs.map(|(w, n)| rules.group(workload(*w), namespace(*n))).collect();
            (rules.label.clone(), policy::group(rules.policy, owners, &groups))
        });
        let by_label = by_label.collect();
        let to_namespaces = plan.namespace_policy.map(|policy| {
            let groups: Vec<&str> = owners.pairs.iter().map(|(_, n)| namespace(*n)).collect();
            policy::group(policy, owners, &groups)
        });
        let to_workloads = plan.workload_policy.map(|policy| {
            let groups: Vec<&str> = owners.pairs.iter().map(|(w, _)| workload(*w)).collect();
            policy::group(policy, owners, &groups)
        });
        let waterfall = Step::ALL
            .into_iter()
            .zip(self.steps)
            .map(|(step, [cpu, memory, other])| StepCost { step, cpu, memory, other })
            .collect();
        let parts = self.collector.map(Collector::finish).unwrap_or_default();
        let (owners, rounding) = (costs, self.rounding);
        Allocated {
            rounding,
            waterfall,
            by_workload,
            by_namespace,
            fully_loaded,
            by_label,
            to_namespaces: to_namespaces.unwrap_or_default(),
            to_workloads: to_workloads.unwrap_or_default(),
            owners,
            parts,
        }
    }

    /// What each workload bears with everything shared distributed.
    fn load(&mut self) -> ByName {
        let all = &self.workloads.workloads;
        let mut loaded = vec![Money::ZERO; all.len()];
        let mut fully_loaded = ByName::new();
        let watched = self.collector.as_ref().and_then(Collector::workload);
        let watched = watched.map(WorkloadId::index).filter(|w| *w < all.len());
        // What belongs to no pool is shared by all, after the pools.
        let global = self.owners.shared(self.owners.no_pool());
        for pool in self.owners.slots() {
            let mut direct = vec![Money::ZERO; all.len()];
            for (pair, (workload, _)) in self.owners.pairs.iter().enumerate() {
                direct[workload.index()] += self.owners.direct(pair, pool);
            }
            let none = pool == self.owners.no_pool();
            let shared = if none { Money::ZERO } else { self.owners.shared(pool) };
            for (sum, amount) in loaded.iter_mut().zip(&direct) {
                *sum += *amount;
            }
            let before = watched.map(|w| loaded[w]);
            share(shared, &direct, &mut loaded, (&mut fully_loaded, pseudo::IDLE));
            if let (Some(c), Some(w), Some(before)) = (&mut self.collector, watched, before) {
                let all_direct = direct.iter().copied().sum();
                let part = loaded[w] - before;
                let (pool, direct) = (Some(pool), direct[w]);
                c.distributed(Distributed { pool, direct, all_direct, shared, part });
            }
        }
        let weights = loaded.clone();
        share(global, &weights, &mut loaded, (&mut fully_loaded, pseudo::SHARED));
        if let (Some(c), Some(w)) = (&mut self.collector, watched) {
            let (direct, all_direct) = (weights[w], weights.iter().copied().sum());
            let part = loaded[w] - direct;
            c.distributed(Distributed { pool: None, direct, all_direct, shared: global, part });
        }
        for (info, amount) in all.iter().zip(loaded) {
            add(&mut fully_loaded, &info.name, amount);
        }
        fully_loaded
    }
}

fn owner_cost(owner: Owner, split: owners::Split) -> OwnerCost {
    let [cpu, memory, storage, network, load_balancer, other] = split;
    OwnerCost { owner, cpu, memory, storage, network, load_balancer, other }
}

/// Adds `amount` to `sums` in proportion to `weights`; where nobody can bear it,
/// to the pseudo-owner.
fn share(amount: Money, weights: &[Money], sums: &mut [Money], (rest, owner): (&mut ByName, &str)) {
    if !policy::distribute(amount, weights, sums) {
        add(rest, owner, amount);
    }
}
