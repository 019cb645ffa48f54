//! One node's, workload's or namespace's dollars, down to lines.
//!
//! A node: its bill lines, which sum to its net cost, and who got which part
//! of it, which sums to the same. A workload or namespace: on what its parts
//! lie, what became of them, and (for a workload) what it bears of shared
//! cost. All sums are checked before anything is shown.
//!
//! Cost: the bill once more, and one pass over its lines.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::Format;
use super::super::text;
use super::{CellFacts, Head, blocks, cost_text, json, unix, unknown};
use crate::bill::{
    Bill, BillingPlan, Focus, Part, PartOwner, Parts, PurchaseOption, Resource, Sku, Step, pseudo,
};
use crate::observe::NodeEnd;
use crate::units::{HOUR_MS, Money, Rate};
use crate::workload::{NamespaceId, WorkloadId, WorkloadKind};
use crate::{Error, Result};

/// Whose cost is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A node, by pool and launch number: `general/3`.
    Node(&'a str),
    /// A workload.
    Workload(&'a str),
    /// A namespace.
    Namespace(&'a str),
    /// The groups of a label of `allocation.by-label`.
    Label(&'a str),
}

/// What a cost is made of.
#[derive(Debug, Clone, Serialize)]
pub struct CostStory {
    #[serde(flatten)]
    pub(super) head: Head,
    pub(super) currency: &'static str,
    /// The cost window.
    pub(super) from: String,
    pub(super) to: String,
    /// Whether some commitment takes part in the bill, so that list and net
    /// may differ.
    pub(super) commitments: bool,
    /// What the whole bill comes to.
    pub(super) bill_total: Money,
    #[serde(flatten)]
    pub(super) of: Of,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Of {
    Node(Box<NodeCost>),
    Workload(Box<OwnerCost>),
    Namespace(Box<OwnerCost>),
    Label(Box<LabelCost>),
}

/// The whole bill by the values of a label.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LabelCost {
    pub(super) label: String,
    /// Who bears what no pod requested, as the scenario has it.
    pub(super) idle: &'static str,
    pub(super) system_reserve: &'static str,
    pub(super) daemonsets: &'static str,
    pub(super) shared: &'static str,
    /// The most expensive first.
    pub(super) groups: Vec<LabelGroup>,
}

/// Of one value of a label, or of what is kept apart.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LabelGroup {
    pub(super) name: String,
    pub(super) net: Money,
}

/// Of a node.
#[derive(Debug, Clone, Serialize)]
pub(super) struct NodeCost {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) zone: String,
    pub(super) purchase: &'static str,
    pub(super) requested: Option<String>,
    pub(super) running: Option<String>,
    pub(super) ready: Option<String>,
    pub(super) draining: Option<String>,
    pub(super) shutting_down: Option<String>,
    pub(super) end: &'static str,
    pub(super) list: Money,
    pub(super) net: Money,
    pub(super) on_demand: Money,
    /// Lines added up by price.
    pub(super) charges: Vec<ChargeSum>,
    /// Whose it is, the largest first.
    pub(super) shares: Vec<Share>,
    pub(super) weights: Weights,
    /// Every line of the bill.
    pub(super) lines: Vec<Line>,
}

/// All lines of one price, whether it moved or not.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ChargeSum {
    #[serde(flatten)]
    pub(super) of: Charged,
    pub(super) purchase: &'static str,
    pub(super) price_status: &'static str,
    /// The commitment that covers it.
    pub(super) commitment: Option<String>,
    pub(super) lines: usize,
    /// The lowest and the highest rate of a price that moved; `rate` is their
    /// mean by quantity then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rates: Option<[Rate; 2]>,
    /// Quantity in the small unit, of which `per` are one of the price.
    #[serde(skip)]
    small: i128,
    #[serde(skip)]
    per: i64,
}

/// A line of the bill.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    /// Start of the clock hour.
    pub(super) hour: String,
    #[serde(flatten)]
    pub(super) of: Charged,
}

/// A quantity at a price.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Charged {
    pub(super) sku: String,
    pub(super) charge: &'static str,
    pub(super) quantity: f64,
    pub(super) unit: &'static str,
    pub(super) rate: Rate,
    pub(super) list: Money,
    pub(super) net: Money,
    pub(super) on_demand: Money,
}

/// What of a node is whose.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Share {
    pub(super) owner: String,
    /// Absent for what nobody's pods requested.
    pub(super) namespace: Option<String>,
    pub(super) step: &'static str,
    #[serde(flatten)]
    pub(super) amount: Amount,
}

impl ChargeSum {
    /// Another line of the same price.
    fn add(&mut self, line: &Charged, small: i64) {
        let [lowest, highest] = self.rates.unwrap_or([self.of.rate; 2]);
        if line.rate != lowest || line.rate != highest {
            self.rates = Some([lowest.min(line.rate), highest.max(line.rate)]);
        }
        self.small += i128::from(small);
        self.lines += 1;
        self.of.quantity += line.quantity;
        self.of.list += line.list;
        self.of.net += line.net;
        self.of.on_demand += line.on_demand;
    }

    /// All lines are there.
    fn finish(mut self) -> Self {
        if self.rates.is_some() && self.small > 0 {
            let list = Rate::from_pico(self.of.list.pico());
            self.of.rate = list.scale(self.per.into(), self.small);
        }
        self
    }
}

/// Money by what it was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(super) struct Amount {
    pub(super) cpu: Money,
    pub(super) memory: Money,
    pub(super) other: Money,
    pub(super) total: Money,
}

impl Amount {
    fn of(part: &Part) -> Amount {
        let Part { cpu, memory, other, .. } = *part;
        Amount { cpu, memory, other, total: part.amount() }
    }

    pub(super) fn add(&mut self, more: Amount) {
        self.cpu += more.cpu;
        self.memory += more.memory;
        self.other += more.other;
        self.total += more.total;
    }
}

/// How cost splits between cpu and memory before it is allocated.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Weights {
    pub(super) vcpu_hour: Rate,
    pub(super) gb_hour: Rate,
    /// Per instance type in question.
    pub(super) types: Vec<TypeSplit>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct TypeSplit {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) vcpu: f64,
    pub(super) memory_gib: f64,
    /// What of its compute cost is cpu, the rest being memory.
    pub(super) cpu_share: f64,
}

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

/// Explains what the subject costs.
///
/// # Errors
/// A subject that does not exist, naming the nearest; a bill that cannot be
/// made.
pub fn cost(cell: CellFacts<'_>, plan: &BillingPlan, subject: Subject<'_>) -> Result<CostStory> {
    let focus = match subject {
        Subject::Node(name) => Focus::Resource(Resource::Node(find_node(cell, name)?)),
        Subject::Workload(name) => {
            let names = cell.workloads.workloads.iter().map(|w| w.name.as_str());
            Focus::Workload(WorkloadId(find("workload", name, names)?))
        }
        Subject::Namespace(name) => {
            let names = cell.workloads.namespaces.iter().map(String::as_str);
            Focus::Namespace(NamespaceId(find("namespace", name, names)?))
        }
        Subject::Label(label) => {
            let labels = plan.label_groupings.iter().map(|g| g.label.as_str());
            if labels.len() == 0 {
                return Err(Error::input(
                    "no label groups this bill\n  = help: name labels in the scenario, as in \
                     allocation: { by-label: { team: {} } }",
                ));
            }
            find("label of allocation.by-label", label, labels)?;
            // Groups are sums of the whole bill: no part is looked at.
            Focus::Resource(Resource::Cluster)
        }
    };
    let (bill, parts) = Bill::explain(cell.record, cell.cluster, cell.workloads, plan, focus)?;
    let book = Book { cell, plan, bill: &bill, parts: &parts };
    let of = match focus {
        Focus::Resource(Resource::Node(node)) => Of::Node(Box::new(book.node(node)?)),
        Focus::Workload(id) => Of::Workload(Box::new(book.workload(id)?)),
        Focus::Namespace(id) => Of::Namespace(Box::new(book.namespace(id)?)),
        Focus::Resource(_) => match subject {
            Subject::Label(label) => Of::Label(Box::new(by_label(&bill, plan, label))),
            _ => return Err(Error::failed("only nodes are explained by name")),
        },
    };
    Ok(CostStory {
        head: cell.head(),
        currency: "USD",
        from: unix(bill.from_unix_ms).unwrap_or_default(),
        to: unix(bill.to_unix_ms).unwrap_or_default(),
        commitments: !plan.commitments.is_empty(),
        bill_total: bill.total,
        of,
    })
}

impl CostStory {
    /// What the whole bill comes to.
    #[must_use]
    pub fn bill_total(&self) -> Money {
        self.bill_total
    }

    /// As text in the format asked for.
    ///
    /// # Errors
    /// None in practice: where a writer to memory fails.
    pub fn show(&self, format: Format) -> Result<String> {
        match format {
            Format::Table => Ok(blocks::terminal(&cost_text::blocks(self))),
            Format::Markdown => Ok(blocks::markdown(&cost_text::blocks(self))),
            Format::Json => json(self),
            Format::Csv => cost_text::csv(self),
        }
    }
}

fn by_label(bill: &Bill, plan: &BillingPlan, label: &str) -> LabelCost {
    let rules = plan.label_groupings.iter().find(|g| g.label == label);
    let rules = rules.cloned().unwrap_or_default();
    let groups = bill.by_label.get(label).into_iter().flatten();
    let mut groups: Vec<LabelGroup> =
        groups.map(|(name, net)| LabelGroup { name: text::name(name), net: *net }).collect();
    groups.sort_by(|a, b| b.net.cmp(&a.net).then_with(|| a.name.cmp(&b.name)));
    LabelCost {
        label: text::name(label),
        idle: rules.idle.name(),
        system_reserve: rules.system.name(),
        daemonsets: rules.daemons.name(),
        shared: rules.shared.name(),
        groups,
    }
}

fn find<'a>(
    what: &str,
    name: &str,
    mut names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u32> {
    let all = names.clone();
    let found = names.position(|n| n == name);
    found.map(|i| i as u32).ok_or_else(|| unknown(what, name, all))
}

fn find_node(cell: CellFacts<'_>, name: &str) -> Result<u32> {
    let pools = cell.cluster.pools.iter().map(|p| p.name.as_str());
    let Some((pool_name, ordinal)) = name.rsplit_once('/') else {
        return Err(Error::input(format!(
            "`{}` is no name of a node\n  = help: write pool/number, as in {}/0",
            text::name(name),
            pools.clone().next().map_or_else(|| "general".to_owned(), text::name)
        )));
    };
    let pool = find("pool of nodes", pool_name, pools)?;
    let of_pool = |i: &u32| cell.record.nodes[*i as usize].pool.0 == pool;
    let nodes: Vec<u32> = (0..cell.record.nodes.len() as u32).filter(of_pool).collect();
    let index = ordinal.parse::<usize>().ok();
    index.and_then(|i| nodes.get(i).copied()).ok_or_else(|| {
        let pool = text::name(pool_name);
        let help = match nodes.len() {
            0 => format!("{pool} launched no node"),
            1 => format!("{pool} launched one node: {pool}/0"),
            n => format!("{pool} launched {n} nodes: {pool}/0 to {pool}/{}", n - 1),
        };
        Error::input(format!("there is no node `{}`\n  = help: {help}", text::name(name)))
    })
}

/// Everything a story is read from.
struct Book<'a> {
    cell: CellFacts<'a>,
    plan: &'a BillingPlan,
    bill: &'a Bill,
    parts: &'a Parts,
}

impl Book<'_> {
    fn sku(&self, line: usize) -> &Sku {
        &self.bill.skus[usize::from(self.bill.lines.sku[line])]
    }

    fn commitment(&self, sku: &Sku) -> Option<String> {
        let plan = self.plan.commitments.get(usize::from(sku.commitment?))?;
        Some(text::name(&plan.name))
    }

    /// The first SKU of the same price, which may have moved: one of each rate.
    fn price_of(&self, sku: u16) -> u16 {
        let key = |s: &Sku| (s.charge, s.purchase, s.commitment);
        let wanted = &self.bill.skus[usize::from(sku)];
        let same = |s: &Sku| key(s) == key(wanted) && s.name == wanted.name;
        self.bill.skus.iter().position(same).map_or(sku, |first| first as u16)
    }

    /// Indices of the lines of a resource; lines are ordered by it.
    fn lines_of(&self, resource: u32) -> std::ops::Range<usize> {
        let all = &self.bill.lines.resource;
        all.partition_point(|r| *r < resource)..all.partition_point(|r| *r <= resource)
    }

    fn money(&self, line: usize) -> [Money; 3] {
        let lines = &self.bill.lines;
        [lines.list[line], lines.net[line], lines.on_demand[line]]
            .map(|pico| Money::from_pico(i128::from(pico)))
    }

    fn charged(&self, line: usize) -> Charged {
        let sku = self.sku(line);
        let [list, net, on_demand] = self.money(line);
        Charged {
            sku: text::name(&sku.name),
            charge: sku.charge.name(),
            quantity: self.bill.lines.quantity[line] as f64 / sku.unit.per() as f64,
            unit: sku.unit.name(),
            rate: sku.rate,
            list,
            net,
            on_demand,
        }
    }

    fn node(&self, node: u32) -> Result<NodeCost> {
        let CellFacts { record, cluster, workloads, .. } = self.cell;
        let row = &record.nodes[node as usize];
        let ordinal = record.node_ordinals()[node as usize];
        let shape = &cluster.shapes[row.shape.index()];
        let mut by_sku: BTreeMap<u16, ChargeSum> = BTreeMap::new();
        let mut firsts: BTreeMap<u16, u16> = BTreeMap::new();
        let mut lines = Vec::new();
        let [mut list, mut net, mut on_demand] = [Money::ZERO; 3];
        for i in self.lines_of(node) {
            let sku = self.sku(i);
            let of = self.charged(i);
            (list, net, on_demand) = (list + of.list, net + of.net, on_demand + of.on_demand);
            lines.push(Line {
                hour: unix(i64::from(self.bill.lines.hour[i]) * HOUR_MS).unwrap_or_default(),
                of: of.clone(),
            });
            let id = self.bill.lines.sku[i];
            let first = *firsts.entry(id).or_insert_with(|| self.price_of(id));
            let small = self.bill.lines.quantity[i];
            match by_sku.entry(first) {
                Entry::Occupied(mut known) => known.get_mut().add(&of, small),
                Entry::Vacant(new) => {
                    new.insert(ChargeSum {
                        of,
                        purchase: sku.purchase.name(),
                        price_status: sku.status.name(),
                        commitment: self.commitment(sku),
                        lines: 1,
                        rates: None,
                        small: small.into(),
                        per: sku.unit.per(),
                    });
                }
            }
        }
        let mut shares: Vec<Share> = self
            .parts
            .parts
            .iter()
            .map(|part| {
                let (owner, namespace) = match part.owner {
                    PartOwner::Pseudo(name) => (name.to_owned(), None),
                    PartOwner::Workload(w, n) => (
                        text::name(&workloads.workloads[w.index()].name),
                        Some(text::name(&workloads.namespaces[n.index()])),
                    ),
                };
                let amount = Amount::of(part);
                Share { owner, namespace, step: part.step.name(), amount }
            })
            .collect();
        // Equal amounts stay in the order of owner and step.
        shares.sort_by_key(|s| std::cmp::Reverse(s.amount.total));
        same("the parts of a node", shares.iter().map(|s| s.amount.total).sum(), net)?;
        let at = |time| self.cell.timestamp(time);
        Ok(NodeCost {
            name: format!("{}/{ordinal}", self.cell.pool(row.pool.index())),
            kind: text::name(&shape.name),
            zone: text::name(&cluster.zones[row.zone.index()]),
            purchase: row.purchase.name(),
            requested: at(row.requested),
            running: at(row.running),
            ready: at(row.ready),
            draining: at(row.draining),
            shutting_down: if row.end == NodeEnd::Running { None } else { at(row.shutting_down) },
            end: row.end.name(),
            list,
            net,
            on_demand,
            charges: by_sku.into_values().map(ChargeSum::finish).collect(),
            shares,
            weights: self.weights(std::iter::once(row.shape.0)),
            lines,
        })
    }

    /// How the compute cost of these shapes splits.
    fn weights(&self, shapes: impl Iterator<Item = u32>) -> Weights {
        const GIB: f64 = (1u64 << 30) as f64;
        let weight = self.plan.weight;
        let shapes: BTreeSet<u32> = shapes.collect();
        let types = shapes
            .into_iter()
            .map(|shape| {
                let shape = &self.cell.cluster.shapes[shape as usize];
                let vcpu = shape.capacity.cpu.0 as f64 / 1e3;
                let memory_gib = shape.capacity.memory.0 as f64 / GIB;
                let cpu = weight.vcpu_hour.to_f64() * vcpu;
                let all = cpu + weight.gb_hour.to_f64() * memory_gib;
                TypeSplit {
                    kind: text::name(&shape.name),
                    vcpu,
                    memory_gib,
                    cpu_share: if all > 0.0 { cpu / all } else { 0.0 },
                }
            })
            .collect();
        Weights { vcpu_hour: weight.vcpu_hour, gb_hour: weight.gb_hour, types }
    }

    fn workload(&self, id: WorkloadId) -> Result<OwnerCost> {
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

    fn namespace(&self, id: NamespaceId) -> Result<OwnerCost> {
        let name = &self.cell.workloads.namespaces[id.index()];
        self.owner(name, self.bill.by_namespace.get(name).copied().unwrap_or_default())
    }

    fn owner(&self, name: &str, direct: Money) -> Result<OwnerCost> {
        let CellFacts { record, .. } = self.cell;
        let mut by_step: BTreeMap<Step, Amount> = BTreeMap::new();
        let mut by_resource: BTreeMap<Resource, BTreeMap<Step, Amount>> = BTreeMap::new();
        let mut shapes = BTreeSet::new();
        for part in &self.parts.parts {
            let amount = Amount::of(part);
            by_step.entry(part.step).or_default().add(amount);
            let steps = by_resource.entry(part.resource).or_default();
            steps.entry(part.step).or_default().add(amount);
            if let Resource::Node(node) = part.resource {
                shapes.insert(record.nodes[node as usize].shape.0);
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
                let size = super::fargate_size(size);
                let name = format!("{name}/{}", pod_ordinals[pod as usize]);
                (self.bill.node_count + pod, "fargate", name, size)
            }
            Resource::Cluster => {
                let id = self.bill.node_count + self.bill.fargate_count;
                (id, "cluster", pseudo::CLUSTER_POOL.to_owned(), String::new())
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

/// Two sums of the same money must be equal.
fn same(what: &str, sum: Money, bill: Money) -> Result<()> {
    if sum == bill {
        return Ok(());
    }
    Err(Error::failed(format!("{what} sum to {sum}, the bill to {bill}")))
}

/// How long a node was metered, for people.
pub(super) fn hours(lines: &[ChargeSum]) -> Option<f64> {
    lines.iter().filter(|c| c.of.charge == "instance").map(|c| c.of.quantity).reduce(|a, b| a + b)
}
