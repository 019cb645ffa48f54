//! kube-scheduler: the queue of pending pods, and the choice of a node by
//! filters and scores.
//!
//! Filters and scores exist twice. `fit`, `score` and `plain` say the rules
//! one node at a time; `index` keeps their results per class and brings them
//! up to date from the change ledger. Both give the same integers.

mod admission;
mod fit;
mod index;
mod mirror;
mod pass;
mod plain;
mod plane;
mod plugins;
mod preemption;
mod profile;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod properties_terms;
mod queue;
#[cfg(test)]
mod queue_model;
mod rejectors;
mod requeue;
mod sample;
mod score;
mod tally;
mod terms;

pub use fit::{Insufficient, NO_NODE_AVAILABLE, Rejection, filter, worth_requeuing};
pub use index::{Sampling, ScoreIndex, Top};
pub use plain::{Evaluation, NodeVerdict, PluginScores, View, evaluate_plain, score_plain};
pub use plugins::{
    Filters, NamesConflict, all_keys_required, has_all_keys, included, matching_pods, named_nodes,
    node_affinity_score, pod_affinity_score, preferred_weight, required_matches,
    spread_constraints, spread_cost, spread_score, spread_weight, term_matches,
};
pub use preemption::{
    Preemption, Resident, Residents, Stage, candidate_quota, potential_nodes, preempt,
};
pub use profile::{
    DefaultConstraint, DefaultSpread, MAX_NODE_SCORE, PluginWeights, Resource, SchedulerProfile,
    Scoring, ShapePoint, TAINT_WEIGHT,
};
pub use queue::{Failures, Position, QueueProfile, SchedulingQueue};
pub use rejectors::{FILTERS, Rejectors};
pub use sample::{Sample, nodes_to_find, sample};
pub use score::{
    balance_score, balanced_allocation, resource_score, resources_fit, reversed, shape_score,
    taint_score, untolerated_preferences,
};

use std::sync::Arc;

use crate::cluster::{Nodes, PodId, Slot};
use crate::rng::Draws;
use crate::units::SimTime;
use crate::workload::{ClassId, PodClass};

/// One scheduler: the pending pods and the score index over the nodes.
#[derive(Debug, Clone)]
pub struct KubeScheduler {
    /// The pending pods.
    pub queue: SchedulingQueue,
    index: ScoreIndex,
    classes: Arc<[PodClass]>,
    profiles: Arc<[SchedulerProfile]>,
    /// Per class, which filters rejected the pod that failed last.
    rejected_by: Vec<Rejectors>,
    /// Per class of a bound pod, the classes that its binding can help.
    helped_by: Vec<Vec<ClassId>>,
    /// Per class, whether free capacity is all that other pods can take from
    /// it or give to it.
    lack_capacity: Vec<bool>,
    /// Per class, whether its pods may preempt others; empty where none may.
    preemptors: Vec<bool>,
    /// Per class of these, whether preemption found nobody, and nothing
    /// happened since that could change it.
    resigned: Vec<bool>,
}

impl KubeScheduler {
    /// A scheduler without pods. `classes` are all that will ever be asked
    /// for, each placed as its `profile` says (an index into `profiles`); the
    /// [`Nodes`] must be the same object in every call. The queue behaves as
    /// the first profile states.
    ///
    /// # Panics
    /// If there is no profile.
    #[must_use]
    pub fn new(profiles: &[SchedulerProfile], classes: &[PodClass]) -> Self {
        let view = View { nodes: &Nodes::default(), classes, profiles };
        KubeScheduler {
            queue: SchedulingQueue::new(profiles[0].queue, classes),
            index: ScoreIndex::new(profiles, classes),
            classes: classes.into(),
            profiles: profiles.into(),
            rejected_by: vec![Rejectors::default(); classes.len()],
            helped_by: helped_by(&view),
            lack_capacity: requeue::lack_capacity_alone(&view),
            preemptors: Vec::new(),
            resigned: Vec::new(),
        }
    }

    /// The same, where pods of these classes (by class) may preempt others.
    #[must_use]
    pub fn with_preemptors(mut self, preemptors: Vec<bool>) -> Self {
        if preemptors.contains(&true) {
            self.resigned = vec![false; preemptors.len()];
            self.preemptors = preemptors;
        }
        self
    }

    /// Whether it is worth a try to preempt others for a pod of the class.
    #[must_use]
    pub fn may_preempt(&self, class: ClassId) -> bool {
        is_among(&self.preemptors, class) && !self.resigned[class.index()]
    }

    /// Preemption found nobody for a pod of the class. That stays so until a
    /// pod leaves, a node changes, or a pod of lower priority is bound.
    pub fn resign(&mut self, class: ClassId) {
        self.resigned[class.index()] = true;
    }

    /// The node the pod goes to: uniform among those of the highest score,
    /// or `None` if no node is feasible. Takes one draw where several share
    /// the highest score, none otherwise. Does not place.
    #[inline]
    pub fn select(&mut self, nodes: &Nodes, class: ClassId, draws: &mut Draws) -> Option<Slot> {
        self.index.select(nodes, class, draws)
    }

    /// As [`KubeScheduler::select`] for a pod that may have been nominated: it
    /// goes to that node if it still can (`schedule_one.go`,
    /// `evaluateNominatedNode`, 1.31).
    pub fn select_pod(
        &mut self,
        nodes: &Nodes,
        pod: PodId,
        class: ClassId,
        draws: &mut Draws,
    ) -> Option<Slot> {
        if self.index.nominations.is_empty() {
            return self.index.select(nodes, class, draws);
        }
        self.index.begin_attempt(pod);
        let nominated = self.nominated(pod);
        let kept = nominated.filter(|slot| self.index.is_feasible_on(nodes, class, *slot));
        let found = kept.or_else(|| self.index.select(nodes, class, draws));
        self.index.end_attempt();
        found
    }

    /// Which nodes an attempt of the class looks at, where not at all.
    #[must_use]
    pub fn sampling(&self, nodes: &Nodes, class: ClassId) -> Option<Sampling> {
        self.index.sampling(nodes, class)
    }

    /// Nominates a node for a pending pod, in place of an earlier one.
    pub fn nominate(&mut self, pod: PodId, class: ClassId, slot: Slot) {
        self.index.nominations.set(pod, class, slot);
    }

    /// Forgets the nomination of a pod (it was bound or deleted, or lost its
    /// node to a pod of higher priority).
    pub fn clear_nomination(&mut self, pod: PodId) -> Option<Slot> {
        self.index.nominations.clear(pod)
    }

    /// Forgets the nominations for a node that takes no pods any more, and wakes
    /// the classes of their pods. Returns whether there were any.
    pub fn drop_nominations(&mut self, slot: Slot, now: SimTime) -> bool {
        let pods = self.index.nominations.on(slot).to_vec();
        let mut lost = Vec::with_capacity(pods.len());
        for (pod, class) in pods {
            self.index.nominations.clear(pod);
            lost.push(class);
        }
        if lost.is_empty() {
            return false;
        }
        for class in &lost {
            if let Some(resigned) = self.resigned.get_mut(class.index()) {
                *resigned = false;
            }
        }
        self.queue.restore_hope(|class| lost.contains(&class));
        self.queue.wake(now, |class| lost.contains(&class));
        true
    }

    /// The node that the pod is nominated for.
    #[must_use]
    pub fn nominated(&self, pod: PodId) -> Option<Slot> {
        self.index.nominations.of(pod)
    }

    /// The pods nominated for a node, with their classes, the longest
    /// nominated first.
    pub fn nominated_on(&self, slot: Slot) -> impl Iterator<Item = (PodId, ClassId)> {
        self.index.nominations.on(slot).iter().copied()
    }

    /// How many pods of the class are nominated for a node.
    #[must_use]
    pub fn nominations_of(&self, class: ClassId) -> u32 {
        self.index.nominations.count(class)
    }

    /// After a failed attempt: which filters reject the class, over all
    /// nodes. Remembered for the events that wake such pods.
    pub fn rejecting(&mut self, nodes: &Nodes, class: ClassId) -> Rejectors {
        let rejectors = self.index.rejecting(nodes, class);
        self.rejected_by[class.index()] = rejectors;
        rejectors
    }

    /// A pod of the class was bound: wakes the unschedulable pods that spread
    /// over its namespace and were rejected for it, or that require to be near
    /// such a pod (`scheduling_queue.go`,
    /// `getUnschedulablePodsWithCrossTopologyTerm`, 1.31). Costs nothing where
    /// no class is of that kind.
    ///
    /// Returns how many it woke.
    ///
    /// DIFFERENCE: what rejected a pod is remembered by class, not by pod.
    #[inline]
    pub fn pod_bound(&mut self, class: ClassId, now: SimTime) -> usize {
        if !self.resigned.is_empty() {
            self.take_heart(class);
        }
        if self.helped_by[class.index()].is_empty() { 0 } else { self.wake_after_bind(class, now) }
    }

    /// A pod of the class was bound: those of higher priority may preempt it.
    fn take_heart(&mut self, bound: ClassId) {
        let (classes, lack_capacity) = (&self.classes, &self.lack_capacity);
        let priority = classes[bound.index()].priority;
        let mut any = false;
        for (at, resigned) in self.resigned.iter_mut().enumerate() {
            if *resigned && (classes[at].priority > priority || !lack_capacity[at]) {
                *resigned = false;
                any = true;
            }
        }
        if any {
            let (preemptors, resigned) = (&self.preemptors, &self.resigned);
            self.queue.restore_hope(|class| preemptors[class.index()] && !resigned[class.index()]);
        }
    }

    #[cold]
    fn wake_after_bind(&mut self, bound: ClassId, now: SimTime) -> usize {
        let (classes, rejected_by) = (&self.classes, &self.rejected_by);
        let helped = &self.helped_by[bound.index()];
        self.queue.wake(now, |class| {
            helped.contains(&class)
                && (rejected_by[class.index()].contains("PodTopologySpread")
                    || requires_near(&classes[class.index()], &classes[bound.index()]))
        })
    }

    /// Whether any node is feasible.
    #[inline]
    pub fn is_feasible(&mut self, nodes: &Nodes, class: ClassId) -> bool {
        self.index.top(nodes, class).is_some()
    }

    /// Finds the pending classes for which no node is feasible. The queue
    /// makes the attempts of their pods by itself, until capacity that they fit
    /// into is freed or added. Returns whether there are more of them. A class
    /// that can lack anything but capacity is not given up, nor one for which
    /// preemption may find room.
    pub fn give_up_hope(&mut self, nodes: &Nodes) -> bool {
        if !self.index.nominations.is_empty() {
            return false;
        }
        let index = &mut self.index;
        let lack_capacity = &self.lack_capacity;
        let (preemptors, resigned) = (&self.preemptors, &self.resigned);
        self.queue.give_up_hope(|class| {
            lack_capacity[class.index()]
                && (!is_among(preemptors, class) || resigned[class.index()])
                && index.top(nodes, class).is_none()
        })
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
        self.resigned.fill(false);
        let preemptors = &self.preemptors;
        self.queue.restore_hope(|class| {
            index.looks_at_others(class)
                || is_among(preemptors, class)
                || index.passes_quick_check(nodes, slot, class)
        });
        self.queue.wake(now, |class| index.passes_quick_check(nodes, slot, class));
    }

    /// A pod of the class `gone`, bound to this slot, was deleted or finished:
    /// wakes every unschedulable pod (before 1.32), or those that it helps
    /// against the filters that rejected them (queueing hints).
    ///
    /// DIFFERENCE: upstream remembers by pod what rejected it. Here that is
    /// remembered by class; and a pod that lacks nothing but capacity is asked
    /// whether capacity would reject it now.
    pub fn pod_deleted(&mut self, nodes: &Nodes, slot: Slot, gone: ClassId, now: SimTime) {
        let index = &mut self.index;
        self.resigned.fill(false);
        let preemptors = &self.preemptors;
        self.queue.restore_hope(|class| {
            index.looks_at_others(class)
                || is_among(preemptors, class)
                || index.passes_quick_check(nodes, slot, class)
        });
        let hints = self.queue.profile().hints;
        let (classes, rejected_by) = (&self.classes, &self.rejected_by);
        let (lack_capacity, view) =
            (&self.lack_capacity, View { nodes, classes, profiles: &self.profiles });
        self.queue.wake(now, |class| {
            let (own, rejectors) = (&classes[class.index()], rejected_by[class.index()]);
            !hints
                || if lack_capacity[class.index()] {
                    index.admissible(nodes, class)
                } else {
                    requeue::deletion_helps(&view, rejectors, own, &classes[gone.index()])
                }
        });
    }
}

/// Whether the class is one of these; of none where they are empty.
fn is_among(classes: &[bool], class: ClassId) -> bool {
    classes.get(class.index()).copied().unwrap_or(false)
}

/// Whether a required affinity term of `class` means pods of `bound`.
fn requires_near(class: &PodClass, bound: &PodClass) -> bool {
    match (&class.constraints, &bound.constraints) {
        (Some(own), Some(bound)) => own.affinity.iter().any(|term| term.matches(bound)),
        _ => false,
    }
}

/// Per class of a bound pod, the classes that its binding can help.
fn helped_by(view: &View<'_>) -> Vec<Vec<ClassId>> {
    let classes = view.classes;
    let spreads: Vec<bool> =
        classes.iter().map(|class| !spread_constraints(view, class, true).is_empty()).collect();
    let waiting: Vec<usize> = (0..classes.len())
        .filter(|i| {
            let constraints = classes[*i].constraints.as_ref();
            spreads[*i] || constraints.is_some_and(|c| !c.affinity.is_empty())
        })
        .collect();
    let same_namespace =
        |class: &PodClass, bound: &PodClass| match (&class.constraints, &bound.constraints) {
            (Some(own), Some(bound)) => own.namespace == bound.namespace,
            _ => false,
        };
    classes
        .iter()
        .map(|bound| {
            let helped = waiting.iter().filter(|i| {
                let class = &classes[**i];
                (spreads[**i] && same_namespace(class, bound)) || requires_near(class, bound)
            });
            helped.map(|i| ClassId(*i as u32)).collect()
        })
        .collect()
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
