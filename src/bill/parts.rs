//! Whose money one node or one owner is, part by part: what `explain` shows.
//!
//! The allocation adds up sums; where a [`Focus`] is given it also keeps the
//! parts that the sums are made of. Days of a node are added up, so that a
//! part is a (resource, owner, step): the memory is bounded by what the focus
//! lets through, some 100 bytes a part.

use std::collections::BTreeMap;

use super::model::Resource;
use super::waterfall::Step;
use crate::units::Money;
use crate::workload::{NamespaceId, WorkloadId};

/// Which parts are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// All parts of one node or Fargate pod.
    Resource(Resource),
    /// All parts of one workload, on whatever they lie.
    Workload(WorkloadId),
    /// All parts of one namespace, on whatever they lie.
    Namespace(NamespaceId),
}

/// Whose a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartOwner {
    /// What pods of a workload requested.
    Workload(WorkloadId, NamespaceId),
    /// What nobody's pods requested: see [`super::pseudo`].
    Pseudo(&'static str),
}

/// What of a resource's cost is one owner's, in one step of the waterfall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// On what it lies.
    pub resource: Resource,
    /// Whose it is.
    pub owner: PartOwner,
    /// What became of it.
    pub step: Step,
    /// Spent on cpu.
    pub cpu: Money,
    /// Spent on memory.
    pub memory: Money,
    /// Spent on neither: volumes, licences, minimums.
    pub other: Money,
}

impl Part {
    /// All of it.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.cpu + self.memory + self.other
    }
}

/// How a workload came to bear a part of what is shared: in proportion to the
/// direct cost of the workloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distributed {
    /// Index of the pool (node pools, then Fargate pools); `None` for what
    /// belongs to no pool: the control plane and unused commitment.
    pub pool: Option<usize>,
    /// The workload's direct cost there; without a pool, what it bears so far.
    pub direct: Money,
    /// The same of all workloads.
    pub all_direct: Money,
    /// What is shared.
    pub shared: Money,
    /// The workload's part of it.
    pub part: Money,
}

/// What an allocation is made of, as far as the focus goes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parts {
    /// Ascending by resource, owner and step, none of them zero.
    pub parts: Vec<Part>,
    /// For a workload: how shared cost came to it, pool by pool. Direct costs
    /// and parts sum to its entry in `Bill::fully_loaded_by_workload`.
    pub distributed: Vec<Distributed>,
}

/// Keeps parts while the bill is made.
#[derive(Debug)]
pub(super) struct Collector {
    focus: Focus,
    /// What is being allocated.
    pub(super) at: Resource,
    sums: BTreeMap<(Resource, PartOwner, Step), [Money; 3]>,
    distributed: Vec<Distributed>,
}

impl Collector {
    pub(super) fn new(focus: Focus) -> Self {
        let at = Resource::Cluster;
        Collector { focus, at, sums: BTreeMap::new(), distributed: Vec::new() }
    }

    /// An amount of the resource at hand was given to an owner; `kind` is cpu,
    /// memory or neither.
    pub(super) fn give(&mut self, owner: PartOwner, step: Step, kind: usize, amount: Money) {
        let wanted = match (self.focus, owner) {
            (Focus::Resource(resource), _) => resource == self.at,
            (Focus::Workload(workload), PartOwner::Workload(w, _)) => w == workload,
            (Focus::Namespace(namespace), PartOwner::Workload(_, n)) => n == namespace,
            (_, PartOwner::Pseudo(_)) => false,
        };
        if wanted && amount != Money::ZERO {
            let sums = self.sums.entry((self.at, owner, step)).or_default();
            sums[kind] += amount;
        }
    }

    /// The workload whose part of shared cost is wanted.
    pub(super) fn workload(&self) -> Option<WorkloadId> {
        match self.focus {
            Focus::Workload(workload) => Some(workload),
            _ => None,
        }
    }

    pub(super) fn distributed(&mut self, row: Distributed) {
        if row.direct != Money::ZERO || row.part != Money::ZERO {
            self.distributed.push(row);
        }
    }

    pub(super) fn finish(self) -> Parts {
        let parts = self.sums.into_iter().map(|((resource, owner, step), sums)| {
            let [cpu, memory, other] = sums;
            Part { resource, owner, step, cpu, memory, other }
        });
        // A credit may have taken back what was given before.
        let parts = parts.filter(|p| p.amount() != Money::ZERO).collect();
        Parts { parts, distributed: self.distributed }
    }
}
