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

mod fargate;
mod finish;
mod node;
mod owners;
mod policy;

pub(super) use self::fargate::PodPhases;
use self::owners::{Kind, Owners};
pub use self::policy::{AllocationPolicy, Daemons, Idle, LabelGrouping, Shared, UNALLOCATED};
use super::around::Target;
use super::charge::Charge;
use super::model::{Resource, pseudo};
use super::parts::{Collector, PartOwner as Owner};
use super::prices::ResourceWeight;
use super::waterfall::Step;
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{Money, Portions};
use crate::workload::{WorkloadId, WorkloadKind, Workloads};
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
        let part = Part { weight: 0, step, owner };
        if matches!(charge, Charge::LoadBalancer | Charge::LoadBalancerCapacity) {
            // The one kind that its step does not tell.
            return self.give_as(part, amount, (OTHER, Kind::LoadBalancer), pool);
        }
        self.give(part, amount, OTHER, pool)
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
        self.give_as(part, amount, (resource, kind(part.step, resource)), pool)
    }

    fn give_as(
        &mut self,
        part: Part,
        amount: Money,
        (resource, kind): (usize, Kind),
        pool: usize,
    ) -> Result<()> {
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
                self.owners.add(pool, (workload, namespace), kind, amount, shared);
            }
            Owner::Pseudo(name) => self.owners.add_pseudo(pool, name, kind, amount),
        }
        Ok(())
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
