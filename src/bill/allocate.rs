//! Whose money it was: waterfall, namespaces, workloads.
//!
//! A node's compute cost of one UTC day splits in two steps, both with
//! cumulative rounding, so that parts add up to the lines exactly:
//!
//! 1. between cpu and memory, by capacity times the stated weight;
//! 2. per resource, in this order: boot, drain, system reserve, the owners in
//!    the order of the record (`DaemonSet`, or used, unknown, unused, repeated),
//!    idle, stranded. Weights are resource × time.
//!
//! Repeated work takes its share out of used, unknown and unused in
//! proportion. What a workload requested is its own cost, used or not; what
//! nobody requested belongs to pseudo-owners, and so do charges that follow a
//! node (volume, address, licence, minimum). A Fargate pod belongs to its
//! workload with everything it costs.

mod owners;
mod policy;

use std::collections::BTreeMap;

use self::owners::{Kind, Owners};
pub use self::policy::{Daemons, Idle, LabelGrouping, Shared, UNALLOCATED};
use super::around::Target;
use super::charge::Charge;
use super::ledger::add;
use super::model::{ByName, OwnerCost, Resource, pseudo};
use super::parts::{Collector, Distributed, PartOwner as Owner, Parts};
use super::prices::ResourceWeight;
use super::waterfall::{Step, StepCost};
use crate::cluster::ClusterSpec;
use crate::observe::{FargateRecord, NodeWindow, Record};
use crate::units::{Money, Portions, split_exact};
use crate::workload::{NamespaceId, WorkloadId, WorkloadKind, Workloads};
use crate::{Error, Result};

const CPU: usize = 0;
const MEMORY: usize = 1;
const OTHER: usize = 2;

/// A weighted part of a split.
#[derive(Debug, Clone, Copy)]
struct Part {
    weight: i128,
    step: Step,
    owner: Owner,
}

/// Clipped times of a Fargate pod, milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct PodPhases {
    pub(super) start: i64,
    pub(super) running: i64,
    pub(super) retention: i64,
}

/// Sums by owner while the bill is made. Nodes must come in ascending order,
/// the days of a node too.
pub(super) struct Allocation<'a> {
    record: &'a Record,
    cluster: &'a ClusterSpec,
    workloads: &'a Workloads,
    weight: ResourceWeight,
    steps: [[Money; 3]; Step::ALL.len()],
    owners: Owners,
    next_window: usize,
    next_owner: usize,
    parts: Vec<Part>,
    /// See [`Bill::fargate_rounding`](super::model::Bill::fargate_rounding).
    rounding: [i128; 2],
    /// Keeps what `explain` shows.
    collector: Option<Collector>,
}

/// Groupings by owner.
pub(super) struct Allocated {
    pub(super) rounding: [i128; 2],
    pub(super) waterfall: Vec<StepCost>,
    pub(super) by_workload: ByName,
    pub(super) by_namespace: ByName,
    pub(super) fully_loaded: ByName,
    pub(super) by_label: BTreeMap<String, ByName>,
    pub(super) owners: Vec<OwnerCost>,
    pub(super) parts: Parts,
}

impl<'a> Allocation<'a> {
    pub(super) fn new(
        record: &'a Record,
        cluster: &'a ClusterSpec,
        workloads: &'a Workloads,
        weight: ResourceWeight,
        collector: Option<Collector>,
    ) -> Self {
        let pools = cluster.pools.len() + cluster.fargate.len();
        Allocation {
            record,
            cluster,
            workloads,
            weight,
            steps: [[Money::ZERO; 3]; Step::ALL.len()],
            owners: Owners::new(pools),
            next_window: 0,
            next_owner: 0,
            parts: Vec::new(),
            rounding: [0; 2],
            collector,
        }
    }

    /// What is allocated next is a cost of this resource.
    fn turn_to(&mut self, resource: Resource) {
        if let Some(collector) = &mut self.collector {
            collector.at = resource;
        }
    }

    /// The window of the record for a node and day, and its owners' range.
    fn window(&mut self, node: u32, day: i32) -> Option<(NodeWindow, std::ops::Range<usize>)> {
        let key = (node, day);
        let windows = &self.record.windows;
        while windows.get(self.next_window).is_some_and(|w| (w.node, w.window) < key) {
            self.next_window += 1;
        }
        let found = *windows.get(self.next_window).filter(|w| (w.node, w.window) == key)?;
        let owners = &self.record.owners;
        while owners.get(self.next_owner).is_some_and(|o| (o.node, o.window) < key) {
            self.next_owner += 1;
        }
        let from = self.next_owner;
        while owners.get(self.next_owner).is_some_and(|o| (o.node, o.window) == key) {
            self.next_owner += 1;
        }
        Some((found, from..self.next_owner))
    }

    /// Allocates the compute cost of a node in one day, of which `ms` were
    /// metered.
    pub(super) fn node_day(&mut self, node: u32, day: i32, ms: i64, cost: Money) -> Result<()> {
        let (window, owners) =
            self.window(node, day).filter(|(w, _)| w.metered_ms >= ms as u64).ok_or_else(|| {
                Error::failed(format!(
                    "node {node} ran {ms} ms of day {day}, more than the record accounts for"
                ))
            })?;
        self.turn_to(Resource::Node(node));
        let record = self.record;
        let row = &record.nodes[node as usize];
        let pool = row.pool.index();
        let shape = &self.cluster.shapes[row.shape.index()];
        let (cpu, cpu_offered) = (shape.capacity.cpu.0, shape.allocatable.cpu.0);
        let (memory, memory_offered) =
            (shape.capacity.memory.kib(), shape.allocatable.memory.kib());
        let halves = split_exact(
            cost,
            &[
                // Milli-vCPU against KiB, both brought to (1/1000 · 2⁻²⁰).
                self.weight.vcpu_hour.pico() * i128::from(cpu) * (1 << 20),
                self.weight.gb_hour.pico() * i128::from(memory) * 1_000,
            ],
        );
        let metered = i128::from(window.metered_ms);
        let serving = metered - i128::from(window.boot_ms) - i128::from(window.drain_ms);
        for resource in [CPU, MEMORY] {
            let (capacity, offered, idle) = if resource == CPU {
                (cpu, cpu_offered, window.cpu_idle)
            } else {
                (memory, memory_offered, window.memory_idle)
            };
            let (capacity, offered) = (i128::from(capacity), i128::from(offered));
            self.parts.clear();
            self.push(capacity * i128::from(window.boot_ms), Step::Boot, BOOT_AND_DRAIN);
            self.push(capacity * i128::from(window.drain_ms), Step::Drain, BOOT_AND_DRAIN);
            let reserve = (capacity - offered).max(0) * serving;
            self.push(reserve, Step::SystemReserve, Owner::Pseudo(pseudo::SYSTEM));
            let mut requested_sum = 0;
            for o in &record.owners[owners.clone()] {
                let (requested, used, unknown, repeated) = if resource == CPU {
                    (o.cpu_requested, o.cpu_used, o.cpu_unknown, o.cpu_repeated)
                } else {
                    (o.memory_requested, o.memory_used, o.memory_unknown, o.memory_repeated)
                };
                let requested = i128::from(requested);
                requested_sum += requested;
                let owner = Owner::Workload(o.workload, o.namespace);
                if self.is_daemon(o.workload) {
                    self.push(requested, Step::DaemonSets, owner);
                    continue;
                }
                let repeated = i128::from(repeated).min(requested);
                let once = requested - repeated;
                let keep = |part: u64| {
                    let part = i128::from(part);
                    if repeated == 0 { part } else { part * once / requested }
                };
                let used = keep(used).min(once);
                let unknown = keep(unknown).min(once - used);
                self.push(used, Step::Used, owner);
                self.push(unknown, Step::UsageUnknown, owner);
                self.push(once - used - unknown, Step::RequestedUnused, owner);
                self.push(repeated, Step::Repeated, owner);
            }
            let free = (offered * serving - requested_sum).max(0);
            let idle = i128::from(idle).min(free);
            self.push(idle, Step::Idle, IDLE);
            // Also takes the whole where nothing has a weight.
            self.parts.push(Part { weight: free - idle, step: Step::Stranded, owner: IDLE });
            self.split(halves[resource], resource, pool)?;
        }
        Ok(())
    }

    /// A charge that follows a node.
    pub(super) fn node_other(&mut self, node: u32, step: Step, amount: Money) {
        let pool = self.record.nodes[node as usize].pool.index();
        self.turn_to(Resource::Node(node));
        self.collect(Owner::Pseudo(pseudo::SHARED), step, OTHER, amount);
        self.steps[step as usize][OTHER] += amount;
        self.owners.add_pseudo(pool, pseudo::SHARED, kind(step, OTHER), amount);
    }

    /// A charge of no pool.
    pub(super) fn global(&mut self, step: Step, amount: Money) {
        let owner = match step {
            Step::UnusedCommitment => pseudo::UNUSED_COMMITMENT,
            Step::UnusedCapacity => pseudo::UNUSED_CAPACITY,
            _ => pseudo::SHARED,
        };
        self.steps[step as usize][OTHER] += amount;
        self.owners.add_pseudo(self.owners.no_pool(), owner, kind(step, OTHER), amount);
    }

    /// A charge around the compute: of one workload, in the namespace of the
    /// first of its templates, or of all.
    pub(super) fn cluster(
        &mut self,
        charge: Charge,
        step: Step,
        target: Target,
        amount: Money,
    ) -> Result<()> {
        let Target::Workload(workload) = target else {
            self.global(step, amount);
            return Ok(());
        };
        let template = self.workloads.templates.iter().find(|t| t.workload == workload);
        let Some(template) = template else {
            // Nothing of it ever wanted to run.
            self.global(step, amount);
            return Ok(());
        };
        self.turn_to(Resource::Cluster);
        let owner = Owner::Workload(workload, template.namespace);
        let pool = self.owners.no_pool();
        if matches!(charge, Charge::LoadBalancer | Charge::LoadBalancerCapacity) {
            // The one kind that its step does not tell.
            self.collect(owner, step, OTHER, amount);
            self.steps[step as usize][OTHER] += amount;
            let pair = (workload, template.namespace);
            let shared = self.is_daemon(workload);
            self.owners.add(pool, pair, Kind::LoadBalancer, amount, shared);
            return Ok(());
        }
        self.give(Part { weight: 0, step, owner }, amount, OTHER, pool)
    }

    /// Whose Fargate pod it is, and the index of its pool.
    fn pod_owner(&self, pod: &FargateRecord) -> Result<(Owner, usize)> {
        let template = self.workloads.templates.get(pod.template.index()).ok_or_else(|| {
            Error::failed(format!("a Fargate pod has the unknown template {}", pod.template.0))
        })?;
        let pool = self.cluster.pools.len() + pod.pool as usize;
        Ok((Owner::Workload(template.workload, template.namespace), pool))
    }

    /// The compute cost of a Fargate pod.
    pub(super) fn pod(&mut self, index: u32, phases: PodPhases, cost: [Money; 2]) -> Result<()> {
        self.turn_to(Resource::Fargate(index));
        let pod = self.record.fargate[index as usize];
        let (owner, pool) = self.pod_owner(&pod)?;
        let spec = &self.cluster.fargate[pod.pool as usize];
        let size = spec.sizes[pod.size as usize];
        let template = &self.workloads.templates[pod.template.index()];
        let class = self.workloads.classes.get(template.class.index());
        if class.is_none() {
            let message = format!("a template has the unknown class {}", template.class.0);
            return Err(Error::failed(message));
        }
        let requests = self.workloads.own_requests(pod.template);
        let injected = self.workloads.injected(pod.template);
        for resource in [CPU, MEMORY] {
            let (size, request, sidecar, used) = if resource == CPU {
                (size.cpu.0, requests.0.0, spec.sidecar_cpu.0, pod.used_cpu)
            } else {
                let used = if pod.used_memory < 0 {
                    -1
                } else {
                    crate::units::Bytes(pod.used_memory).kib()
                };
                let [size, request, sidecar] =
                    [size.memory, requests.1, spec.sidecar_memory].map(crate::units::Bytes::kib);
                (size, request, sidecar, used)
            };
            let request = request.clamp(0, size);
            let sidecar = sidecar.clamp(0, size - request);
            let (used, unknown) = if used < 0 { (0, request) } else { (used.min(request), 0) };
            self.parts.clear();
            let time = |ms: i64, amount: i64| i128::from(ms) * i128::from(amount);
            let repeated = pod.repeated_ms.clamp(0, phases.running);
            let kept = phases.running - repeated;
            self.push(time(phases.start, size), Step::Boot, owner);
            self.push(time(kept, used), Step::Used, owner);
            self.push(time(kept, unknown), Step::UsageUnknown, owner);
            let unused = request - used - unknown;
            self.push(time(kept, unused), Step::RequestedUnused, owner);
            self.push(time(repeated, request), Step::Repeated, owner);
            self.push(time(phases.running, sidecar), Step::DaemonSets, owner);
            let mut left = size - request - sidecar;
            for inside in injected {
                let amount = if resource == CPU { inside.cpu.0 } else { inside.memory.kib() };
                let amount = amount.clamp(0, left);
                left -= amount;
                let owner = Owner::Workload(inside.workload, template.namespace);
                self.push(time(phases.running, amount), Step::DaemonSets, owner);
            }
            self.push(time(phases.retention, size), Step::FargateRetention, owner);
            let rounding = time(phases.running, left);
            self.rounding[resource] += rounding;
            self.parts.push(Part { weight: rounding, step: Step::FargateRounding, owner });
            self.split(cost[resource], resource, pool)?;
        }
        Ok(())
    }

    /// Anything else a Fargate pod costs.
    pub(super) fn pod_other(&mut self, index: u32, step: Step, amount: Money) -> Result<()> {
        self.turn_to(Resource::Fargate(index));
        let (owner, pool) = self.pod_owner(&self.record.fargate[index as usize])?;
        self.give(Part { weight: 0, step, owner }, amount, OTHER, pool)
    }

    fn is_daemon(&self, workload: WorkloadId) -> bool {
        let info = self.workloads.workloads.get(workload.index());
        info.is_some_and(|w| w.kind == WorkloadKind::Daemon)
    }

    fn push(&mut self, weight: i128, step: Step, owner: Owner) {
        if weight > 0 {
            self.parts.push(Part { weight, step, owner });
        }
    }

    /// Splits an amount among the collected parts.
    fn split(&mut self, amount: Money, resource: usize, pool: usize) -> Result<()> {
        let parts = std::mem::take(&mut self.parts);
        let sum = parts.iter().map(|p| p.weight).sum();
        let portions = Portions::new(amount, sum);
        let (mut running, mut done) = (0, 0);
        for (i, part) in parts.iter().enumerate() {
            running += part.weight;
            // Where nothing has a weight the last part takes the whole.
            let nothing_yet = sum == 0 && i + 1 < parts.len();
            let upto = if nothing_yet { 0 } else { portions.upto(running) };
            self.give(*part, Money::from_pico(upto - done), resource, pool)?;
            done = upto;
        }
        self.parts = parts;
        Ok(())
    }

    /// Keeps a part where somebody asked for it.
    fn collect(&mut self, owner: Owner, step: Step, kind: usize, amount: Money) {
        if let Some(collector) = &mut self.collector {
            collector.give(owner, step, kind, amount);
        }
    }

    fn give(&mut self, part: Part, amount: Money, resource: usize, pool: usize) -> Result<()> {
        if amount == Money::ZERO {
            return Ok(());
        }
        self.collect(part.owner, part.step, resource, amount);
        self.steps[part.step as usize][resource] += amount;
        match part.owner {
            Owner::Workload(workload, namespace) => {
                let known = workload.index() < self.workloads.workloads.len()
                    && namespace.index() < self.workloads.namespaces.len();
                if !known {
                    return Err(Error::failed("a pod belongs to an unknown workload"));
                }
                // What the cluster is charged for a DaemonSet serves all, too.
                let shared = self.is_daemon(workload)
                    && (part.step == Step::DaemonSets || pool == self.owners.no_pool());
                let kind = kind(part.step, resource);
                self.owners.add(pool, (workload, namespace), kind, amount, shared);
            }
            Owner::Pseudo(name) => {
                self.owners.add_pseudo(pool, name, kind(part.step, resource), amount);
            }
        }
        Ok(())
    }

    /// Names the sums and distributes what is shared.
    pub(super) fn finish(mut self, groupings: &[LabelGrouping]) -> Allocated {
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
        let by_label = groupings
            .iter()
            .map(|rules| {
                let pairs = owners.pairs.iter();
                let groups: Vec<&str> =
                    pairs.map(|(w, n)| rules.group(workload(*w), namespace(*n))).collect();
                (rules.label.clone(), policy::group(rules, owners, &groups))
            })
            .collect();
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
            distribute(shared, &direct, &mut loaded, &mut fully_loaded, pseudo::IDLE);
            if let (Some(c), Some(w), Some(before)) = (&mut self.collector, watched, before) {
                let all_direct = direct.iter().copied().sum();
                let part = loaded[w] - before;
                let (pool, direct) = (Some(pool), direct[w]);
                c.distributed(Distributed { pool, direct, all_direct, shared, part });
            }
        }
        let weights = loaded.clone();
        distribute(global, &weights, &mut loaded, &mut fully_loaded, pseudo::SHARED);
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

/// What a part is spent on; charges that are no compute tell it by their step.
fn kind(step: Step, resource: usize) -> Kind {
    match (resource, step) {
        (CPU, _) => Kind::Cpu,
        (MEMORY, _) => Kind::Memory,
        (_, Step::Volumes | Step::Storage) => Kind::Storage,
        (_, Step::Network) => Kind::Network,
        _ => Kind::Other,
    }
}

fn owner_cost(owner: Owner, split: owners::Split) -> OwnerCost {
    let [cpu, memory, storage, network, load_balancer, other] = split;
    OwnerCost { owner, cpu, memory, storage, network, load_balancer, other }
}

const IDLE: Owner = Owner::Pseudo(pseudo::IDLE);
const BOOT_AND_DRAIN: Owner = Owner::Pseudo(pseudo::BOOT_AND_DRAIN);

/// Adds `amount` to `sums` in proportion to `weights`; where those are all
/// zero, to the pseudo-owner.
fn distribute(
    amount: Money,
    weights: &[Money],
    sums: &mut [Money],
    rest: &mut ByName,
    owner: &str,
) {
    if amount == Money::ZERO {
        return;
    }
    let weights: Vec<i128> = weights.iter().map(|w| w.pico().max(0)).collect();
    if weights.iter().all(|w| *w == 0) {
        add(rest, owner, amount);
        return;
    }
    for (sum, part) in sums.iter_mut().zip(split_exact(amount, &weights)) {
        *sum += part;
    }
}
