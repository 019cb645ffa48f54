//! How pools of nodes were used in a run: what they offered and cost, and
//! which pods were there for how long.

use std::collections::{BTreeMap, BTreeSet};

use super::{Amount, NodeOffer};
use crate::bill::{Bill, Charge, Resource};
use crate::cluster::{Capacity, ClusterSpec, ShapeId};
use crate::observe::{NodeRecord, Place, Record};
use crate::units::{Bytes, MINUTE_MS, MilliCpu, Money, SECOND_MS, SimTime};
use crate::workload::{ClassId, WorkloadId, WorkloadKind, Workloads};

/// One pool of nodes in the billed window.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PoolUse {
    /// Its name.
    pub(super) name: String,
    /// Metered time of its nodes, node·ms.
    pub(super) node_ms: i128,
    /// The same by shape.
    pub(super) by_shape: BTreeMap<ShapeId, i128>,
    /// What a node offers: means over that time.
    pub(super) node: NodeOffer,
    /// Net cost of its nodes by charge.
    pub(super) charges: BTreeMap<Charge, Money>,
    /// The SKUs of that, by their number.
    pub(super) skus: BTreeSet<u16>,
    /// Pods that were bound to its nodes, by class.
    pub(super) pods: BTreeMap<ClassId, PodUse>,
}

/// Pods of one class on one pool.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PodUse {
    /// What they are called: their workload's name, empty for several.
    pub(super) name: String,
    /// How long they were bound, pod·ms.
    pub(super) pod_ms: i128,
    /// How long they would be on Fargate, pod·ms: with the pull of an image
    /// that was on the node already.
    pub(super) fargate_ms: i128,
    /// How long Fargate would bill for the same: whole seconds, at least its
    /// minimum a pod.
    pub(super) billed_ms: i128,
    /// Storage that Fargate would charge them for, KiB·ms of that time.
    pub(super) storage: i128,
}

/// Every pool with nodes in the billed window, in scenario order. The record
/// must have its pods and the bill its lines; `storage` is that of each pod on
/// Fargate beyond what is free, KiB, by workload.
///
/// Pods of which only a part lies in the window count that part; the minimum
/// applies to the whole pod.
pub(super) fn pool_uses(
    record: &Record,
    bill: &Bill,
    cluster: &ClusterSpec,
    workloads: &Workloads,
    storage: &[(String, i64)],
) -> Vec<PoolUse> {
    let mut uses: Vec<PoolUse> = cluster
        .pools
        .iter()
        .map(|p| PoolUse { name: p.name.clone(), ..PoolUse::default() })
        .collect();
    let mut sums = vec![(Totals::default(), Totals::default(), Totals::default()); uses.len()];
    for node in &record.nodes {
        let (pool, ms) = (node.pool.index(), metered(record, node));
        let Some(shape) = cluster.shapes.get(node.shape.index()).filter(|_| ms > 0) else {
            continue;
        };
        uses[pool].node_ms += ms;
        *uses[pool].by_shape.entry(node.shape).or_default() += ms;
        let (raw, allocatable, _) = &mut sums[pool];
        let advertised = Capacity { memory: shape.nominal_memory, ..shape.capacity.clone() };
        raw.add(&advertised, ms);
        allocatable.add(&shape.allocatable, ms);
    }
    daemons(record, workloads, &mut sums);
    for (each, (raw, allocatable, daemons)) in uses.iter_mut().zip(&sums) {
        let mean = |totals: &Totals| totals.mean(each.node_ms);
        each.node =
            NodeOffer { raw: mean(raw), allocatable: mean(allocatable), daemons: mean(daemons) };
    }
    charges(record, bill, &mut uses);
    pods(record, workloads, storage, &mut uses);
    uses.retain(|u| u.node_ms > 0);
    uses
}

/// Sums over node·ms.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    cpu: i128,
    memory: i128,
    pods: i128,
}

impl Totals {
    fn add(&mut self, amount: &Capacity, ms: i128) {
        self.cpu += i128::from(amount.cpu.0) * ms;
        self.memory += i128::from(amount.memory.0) * ms;
        self.pods += i128::from(amount.pods) * ms;
    }

    fn mean(&self, ms: i128) -> Amount {
        let of = |sum: i128| if ms > 0 { sum as f64 / ms as f64 } else { 0.0 };
        Amount { cpu: of(self.cpu), memory: of(self.memory), pods: of(self.pods) }
    }
}

fn clipped(record: &Record, from: SimTime, until: SimTime) -> i64 {
    (until.min(record.end) - from.max(record.warmup)).ms().max(0)
}

fn metered(record: &Record, node: &NodeRecord) -> i128 {
    clipped(record, node.running.min(record.end), node.shutting_down).into()
}

/// What `DaemonSet` pods request; each runs once on a node while it is there.
fn daemons(record: &Record, workloads: &Workloads, sums: &mut [(Totals, Totals, Totals)]) {
    let mut last = None;
    for owner in &record.owners {
        let daemon = workloads
            .workloads
            .get(owner.workload.index())
            .is_some_and(|w| w.kind == WorkloadKind::Daemon);
        let Some(node) = record.nodes.get(owner.node as usize).filter(|_| daemon) else {
            continue;
        };
        let Some((.., totals)) = sums.get_mut(node.pool.index()) else { continue };
        totals.cpu += i128::from(owner.cpu_requested);
        totals.memory += i128::from(owner.memory_requested) << 10;
        // Rows ascend by node, window, workload: a pod has a row a window.
        let first_window = last.is_none_or(|(n, w)| n != owner.node || w == owner.window);
        if first_window {
            totals.pods += metered(record, node);
            last = Some((owner.node, owner.window));
        }
    }
}

fn charges(record: &Record, bill: &Bill, uses: &mut [PoolUse]) {
    let lines = &bill.lines;
    for ((resource, sku), net) in lines.resource.iter().zip(&lines.sku).zip(&lines.net) {
        let Resource::Node(node) = bill.resource(*resource) else { continue };
        let pool = record.nodes.get(node as usize).map(|n| n.pool.index());
        let charge = bill.skus.get(usize::from(*sku)).map(|s| s.charge);
        if let (Some(pool), Some(charge)) = (pool.and_then(|p| uses.get_mut(p)), charge) {
            *pool.charges.entry(charge).or_default() += Money::from_pico((*net).into());
            pool.skus.insert(*sku);
        }
    }
}

/// When the first pod of each workload was bound to each node, and began to
/// pull its image, where it has one.
fn pulls(record: &Record, workloads: &Workloads) -> BTreeMap<(u32, WorkloadId), SimTime> {
    let mut first = BTreeMap::new();
    for pod in &record.pods {
        let Place::Node(node) = pod.place else { continue };
        let template = workloads.templates.get(pod.template.index());
        if let Some(template) = template.filter(|t| t.life.pull.ms() > 0) {
            let at = first.entry((node, template.workload)).or_insert(pod.bound);
            *at = pod.bound.min(*at);
        }
    }
    first
}

fn pods(record: &Record, workloads: &Workloads, storage: &[(String, i64)], uses: &mut [PoolUse]) {
    let first = pulls(record, workloads);
    for pod in &record.pods {
        let Place::Node(node) = pod.place else { continue };
        let template = workloads.templates.get(pod.template.index());
        let pool = record.nodes.get(node as usize).and_then(|n| uses.get_mut(n.pool.index()));
        let (Some(template), Some(pool)) = (template, pool) else { continue };
        let bound = clipped(record, pod.bound, pod.ended);
        let whole = (pod.ended - pod.bound).ms().max(0);
        if bound == 0 {
            continue;
        }
        let workload = workloads.workloads.get(template.workload.index());
        let name = workload.map_or("", |w| &*w.name);
        // Work begins when the image is there: on Fargate each pod pulls it. A
        // replica's life has another end than its work.
        let batch = workload.is_some_and(|w| w.kind == WorkloadKind::Batch);
        let pull = if batch { template.life.pull.ms() } else { 0 };
        let began = first.get(&(node, template.workload)).map_or(pod.bound, |at| *at);
        let spared = pull - (began.ms() + pull - pod.bound.ms()).clamp(0, pull);
        let entry = pool
            .pods
            .entry(template.class)
            .or_insert_with(|| PodUse { name: name.to_owned(), ..PodUse::default() });
        if entry.name != name {
            entry.name.clear();
        }
        let billed = (whole + spared + SECOND_MS - 1) / SECOND_MS * SECOND_MS;
        let extra = billed.max(MINUTE_MS) - whole;
        let ended = pod.ended <= record.end;
        entry.pod_ms += i128::from(bound);
        entry.fargate_ms += i128::from(bound + if ended { spared } else { 0 });
        // What a pod that began before the window is billed beyond its time
        // belongs to its end, which lies in the window or after it.
        let billed = i128::from(bound + if ended { extra } else { 0 });
        entry.billed_ms += billed;
        let kib = storage.iter().find(|(workload, _)| workload == name).map_or(0, |(_, kib)| *kib);
        entry.storage += billed * i128::from(kib);
    }
}

/// Requests of a class, as nodes and Fargate count them.
pub(super) fn requests_of(workloads: &Workloads, class: ClassId) -> (MilliCpu, Bytes) {
    let requests = workloads.classes.get(class.index()).map(|c| &c.requests);
    requests.map_or_else(Default::default, |r| (r.cpu, r.memory))
}
