//! kube-scheduler: the queue of pending pods, and the choice of a node by
//! filters and scores.
//!
//! Filters and scores exist twice. `fit`, `score` and `plain` say the rules
//! one node at a time; `index` keeps their results per class and brings them
//! up to date from the change ledger. Both give the same integers.

mod admission;
#[cfg(test)]
mod conformance;
mod fit;
mod index;
mod mirror;
mod plain;
mod plane;
#[cfg(test)]
mod properties;
mod queue;
#[cfg(test)]
mod queue_model;
mod score;

pub use fit::{Insufficient, NO_NODE_AVAILABLE, Rejection, filter, worth_requeuing};
pub use index::{ScoreIndex, Top};
pub use plain::{NodeVerdict, PluginScores, evaluate_plain};
pub use queue::{Failures, Position, QueueProfile, SchedulingQueue};
pub use score::{
    MAX_NODE_SCORE, Scoring, TAINT_WEIGHT, balance_score, balanced_allocation, resource_score,
    resources_fit, taint_score, untolerated_preferences,
};

use crate::cluster::{Nodes, Slot};
use crate::rng::Draws;
use crate::units::SimTime;
use crate::workload::{ClassId, PodClass};

/// How one scheduler behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SchedulerProfile {
    /// Strategy of `NodeResourcesFit`.
    pub scoring: Scoring,
    /// Behaviour of the queue.
    pub queue: QueueProfile,
    /// Time one attempt takes, microseconds; `None` is none at all.
    pub service_time_us: Option<u64>,
}

/// One scheduler: the pending pods and the score index over the nodes.
#[derive(Debug, Clone)]
pub struct KubeScheduler {
    /// The pending pods.
    pub queue: SchedulingQueue,
    index: ScoreIndex,
}

impl KubeScheduler {
    /// A scheduler without pods. `classes` are all that will ever be asked
    /// for; the [`Nodes`] must be the same object in every call.
    #[must_use]
    pub fn new(profile: &SchedulerProfile, classes: &[PodClass]) -> Self {
        KubeScheduler {
            queue: SchedulingQueue::new(profile.queue, classes),
            index: ScoreIndex::new(profile.scoring, classes),
        }
    }

    /// The node the pod goes to: uniform among those of the highest score,
    /// or `None` if no node is feasible. Takes one draw where several share
    /// the highest score, none otherwise. Does not place.
    #[inline]
    pub fn select(&mut self, nodes: &Nodes, class: ClassId, draws: &mut Draws) -> Option<Slot> {
        self.index.select(nodes, class, draws)
    }

    /// Whether any node is feasible.
    #[inline]
    pub fn is_feasible(&mut self, nodes: &Nodes, class: ClassId) -> bool {
        self.index.top(nodes, class).is_some()
    }

    /// Finds the pending classes for which no node is feasible. The queue
    /// makes the attempts of their pods by itself, until capacity that they fit
    /// into is freed or added. Returns whether there are more of them.
    pub fn give_up_hope(&mut self, nodes: &Nodes) -> bool {
        let index = &mut self.index;
        self.queue.give_up_hope(|class| index.top(nodes, class).is_none())
    }

    /// As [`KubeScheduler::select`], with ties to the node of the lowest
    /// `rank` (indexed by slot), so that a recorded path can be followed.
    pub fn select_lowest(&mut self, nodes: &Nodes, class: ClassId, rank: &[u32]) -> Option<Slot> {
        let mut slots = Vec::new();
        self.index.top_slots(nodes, class, &mut slots)?;
        slots.into_iter().min_by_key(|slot| rank.get(slot.index()).copied().unwrap_or(u32::MAX))
    }

    /// The highest score and the slots that share it, ascending.
    pub fn top_slots(&mut self, nodes: &Nodes, class: ClassId) -> Option<(i64, Vec<Slot>)> {
        let mut slots = Vec::new();
        let score = self.index.top_slots(nodes, class, &mut slots)?;
        Some((score, slots))
    }

    /// The index's total score per slot, `None` where infeasible.
    pub fn scores(&mut self, nodes: &Nodes, class: ClassId) -> Vec<Option<i64>> {
        self.index.scores(nodes, class)
    }

    /// Whether labels, taints and `open` let the class onto any node there
    /// is, so that only free capacity can be what it lacks.
    pub fn admissible(&mut self, nodes: &Nodes, class: ClassId) -> bool {
        self.index.admissible(nodes, class)
    }

    /// A node appeared, opened, or its allocatable, labels or taints changed:
    /// wakes the unschedulable pods that pass the quick check on it.
    pub fn node_changed(&mut self, nodes: &Nodes, slot: Slot, now: SimTime) {
        let index = &mut self.index;
        self.queue.restore_hope(|class| index.passes_quick_check(nodes, slot, class));
        self.queue.wake(now, |class| index.passes_quick_check(nodes, slot, class));
    }

    /// A pod bound to this slot was deleted or finished: wakes every
    /// unschedulable pod (before 1.32), or those that only lack free capacity
    /// (queueing hints of `NodeResourcesFit`).
    ///
    /// DIFFERENCE: upstream asks which filters rejected the pod when it
    /// failed; here, whether capacity would reject it now.
    pub fn pod_deleted(&mut self, nodes: &Nodes, slot: Slot, now: SimTime) {
        let index = &mut self.index;
        self.queue.restore_hope(|class| index.passes_quick_check(nodes, slot, class));
        let hints = self.queue.profile().hints;
        self.queue.wake(now, |class| !hints || index.admissible(nodes, class));
    }
}

#[cfg(test)]
mod tests {
    use crate::cluster::{
        Capacity, NodeInit, NodeTraits, Nodes, PoolId, Purchase, ShapeId, ZoneId,
    };
    use crate::units::{Bytes, MilliCpu};
    use crate::workload::{PodClass, Requests, Taint, TaintEffect};

    /// Empty open nodes of (cpu, memory, pods), one extended resource, no
    /// labels or taints.
    pub(super) fn cluster(shapes: &[(i64, i64, u32)]) -> Nodes {
        let mut nodes = Nodes::new(1);
        let traits = nodes.intern(NodeTraits::default());
        for (cpu, memory, pods) in shapes {
            let node = NodeInit {
                pool: PoolId(0),
                shape: ShapeId(0),
                zone: ZoneId(0),
                purchase: Purchase::OnDemand,
                traits,
                allocatable: Capacity {
                    cpu: MilliCpu(*cpu),
                    memory: Bytes(*memory),
                    pods: *pods,
                    extended: vec![0],
                },
                record: 0,
            };
            nodes.add(&node, true);
        }
        nodes
    }

    /// A class with explicit requests and nothing else.
    pub(super) fn class(cpu: i64, memory: i64) -> PodClass {
        PodClass {
            requests: Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), Vec::new()),
            ..PodClass::default()
        }
    }

    pub(super) fn taint(key: &str, value: &str, effect: TaintEffect) -> Taint {
        Taint { key: key.into(), value: value.into(), effect }
    }
}
