//! What a workload or a namespace costs: what became of it, and where it lies.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::book::{Amount, Book, Weights, same};
use super::charges::ChargeSum;
use crate::Result;
use crate::bill::{PartOwner, PurchaseOption, Resource, Step, pseudo};
use crate::report::explain::{CellFacts, fargate_size};
use crate::report::text;
use crate::units::Money;
use crate::workload::{NamespaceId, WorkloadId, WorkloadKind};

/// Of a workload or a namespace.
#[derive(Debug, Clone, Serialize)]
pub(super) struct OwnerCost {
    pub(super) name: String,
    pub(super) kind: Option<&'static str>,
    /// What its pods requested: its entry in `by_workload` or `by_namespace`.
    pub(super) direct: Money,
    /// With what is shared: its entry in `fully_loaded_by_workload`.
    pub(super) fully_loaded: Option<Money>,
    /// What became of the direct cost, in the order of the waterfall.
    pub(super) waterfall: Vec<StepSum>,
    /// On what it lies, the largest first.
    pub(super) resources: Vec<ResourceShare>,
    /// What the cluster is charged for it, by price.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) charges: Vec<ChargeSum>,
    /// What it bears of shared cost, pool by pool.
    pub(super) distributed: Vec<DistributedRow>,
    pub(super) weights: Weights,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct StepSum {
    pub(super) step: &'static str,
    #[serde(flatten)]
    pub(super) amount: Amount,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ResourceShare {
    /// `pool/ordinal`.
    pub(super) resource: String,
    /// `node` or `fargate`.
    pub(super) kind: &'static str,
    /// Instance type, or the Fargate size.
    #[serde(rename = "type")]
    pub(super) size: String,
    /// All that the resource costs, whoever pays for it.
    pub(super) list: Money,
    pub(super) net: Money,
    /// Its net cost by how it was bought.
    pub(super) bought: Vec<Bought>,
    /// The owner's part of it.
    #[serde(flatten)]
    pub(super) amount: Amount,
    pub(super) steps: Vec<StepSum>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Bought {
    pub(super) purchase: &'static str,
    pub(super) commitment: Option<String>,
    pub(super) net: Money,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct DistributedRow {
    /// `None` is the control plane and unused commitment, which belong to no
    /// pool.
    pub(super) pool: Option<String>,
    pub(super) direct: Money,
    pub(super) direct_of_all: Money,
    pub(super) shared: Money,
    pub(super) part: Money,
}

impl Book<'_> {
    pub(super) fn workload(&self, id: WorkloadId) -> Result<OwnerCost> {
        let info = &self.cell.workloads.workloads[id.index()];
        let of = |map: &crate::bill::ByName| map.get(&info.name).copied().unwrap_or_default();
        let mut cost = self.owner(&info.name, of(&self.bill.by_workload))?;
        cost.kind = Some(match info.kind {
            WorkloadKind::Batch => "batch",
            WorkloadKind::Service => "service",
            WorkloadKind::Daemon => "daemonset",
        });
        let loaded = of(&self.bill.fully_loaded_by_workload);
        let rows = &self.parts.distributed;
        let direct: Money = rows.iter().filter(|d| d.pool.is_some()).map(|d| d.direct).sum();
        let parts: Money = rows.iter().map(|d| d.part).sum();
        same("direct and shared cost of a workload", direct + parts, loaded)?;
        cost.fully_loaded = Some(loaded);
        cost.distributed = rows
            .iter()
            .map(|d| DistributedRow {
                pool: d.pool.map(|pool| self.cell.pool(pool)),
                direct: d.direct,
                direct_of_all: d.all_direct,
                shared: d.shared,
                part: d.part,
            })
            .collect();
        Ok(cost)
    }

    pub(super) fn namespace(&self, id: NamespaceId) -> Result<OwnerCost> {
        let name = &self.cell.workloads.namespaces[id.index()];
        self.owner(name, self.bill.by_namespace.get(name).copied().unwrap_or_default())
    }

    fn owner(&self, name: &str, direct: Money) -> Result<OwnerCost> {
        let CellFacts { record, .. } = self.cell;
        let mut by_step: BTreeMap<Step, Amount> = BTreeMap::new();
        let mut by_resource: BTreeMap<Resource, BTreeMap<Step, Amount>> = BTreeMap::new();
        let mut shapes = BTreeSet::new();
        let mut of_cluster = (BTreeSet::new(), Money::ZERO);
        for part in &self.parts.parts {
            let amount = Amount::of(part);
            by_step.entry(part.step).or_default().add(amount);
            let steps = by_resource.entry(part.resource).or_default();
            steps.entry(part.step).or_default().add(amount);
            if let Resource::Node(node) = part.resource {
                shapes.insert(record.nodes[node as usize].shape.0);
            }
            if let (Resource::Cluster, PartOwner::Workload(w, _)) = (part.resource, part.owner) {
                of_cluster.0.insert(w);
                of_cluster.1 += amount.total;
            }
        }
        same("the parts of an owner", by_step.values().map(|a| a.total).sum(), direct)?;
        let (nodes, pods) = (record.node_ordinals(), record.fargate_ordinals());
        let mut resources: Vec<ResourceShare> = by_resource
            .into_iter()
            .filter_map(|(resource, steps)| self.resource(resource, steps, &nodes, &pods))
            .collect();
        resources.sort_by_key(|r| std::cmp::Reverse(r.amount.total));
        Ok(OwnerCost {
            name: text::name(name),
            kind: None,
            direct,
            fully_loaded: None,
            waterfall: steps_of(by_step),
            resources,
            charges: self.charges_around(&of_cluster.0, of_cluster.1),
            distributed: Vec::new(),
            weights: self.weights(shapes.into_iter()),
        })
    }

    /// One resource as far as it is the owner's; `None` for what is no
    /// resource of pods.
    fn resource(
        &self,
        resource: Resource,
        steps: BTreeMap<Step, Amount>,
        node_ordinals: &[u32],
        pod_ordinals: &[u32],
    ) -> Option<ResourceShare> {
        let CellFacts { record, cluster, .. } = self.cell;
        let (id, kind, name, size) = match resource {
            Resource::Node(node) => {
                let row = &record.nodes[node as usize];
                let name = self.cell.pool(row.pool.index());
                let shape = text::name(&cluster.shapes[row.shape.index()].name);
                (node, "node", format!("{name}/{}", node_ordinals[node as usize]), shape)
            }
            Resource::Fargate(pod) => {
                let row = &record.fargate[pod as usize];
                let name = self.cell.pool(cluster.pools.len() + row.pool as usize);
                let size = cluster.fargate[row.pool as usize].sizes[row.size as usize];
                let size = fargate_size(size);
                let name = format!("{name}/{}", pod_ordinals[pod as usize]);
                (self.bill.node_count + pod, "fargate", name, size)
            }
            Resource::Cluster => {
                (self.cluster(), "cluster", pseudo::CLUSTER_POOL.to_owned(), String::new())
            }
            Resource::Commitment(_) => return None,
        };
        let [mut list, mut net] = [Money::ZERO; 2];
        let mut bought: BTreeMap<(PurchaseOption, Option<u16>), Money> = BTreeMap::new();
        for i in self.lines_of(id) {
            let amounts = self.money(i);
            list += amounts[0];
            net += amounts[1];
            let sku = self.sku(i);
            *bought.entry((sku.purchase, sku.commitment)).or_default() += amounts[1];
        }
        let bought = bought
            .into_iter()
            .map(|((purchase, commitment), net)| Bought {
                purchase: purchase.name(),
                commitment: commitment
                    .and_then(|c| self.plan.commitments.get(usize::from(c)))
                    .map(|c| text::name(&c.name)),
                net,
            })
            .collect();
        let mut amount = Amount::default();
        for step in steps.values() {
            amount.add(*step);
        }
        let steps = steps_of(steps);
        Some(ResourceShare { resource: name, kind, size, list, net, bought, amount, steps })
    }
}

fn steps_of(sums: BTreeMap<Step, Amount>) -> Vec<StepSum> {
    sums.into_iter().map(|(step, amount)| StepSum { step: step.name(), amount }).collect()
}
