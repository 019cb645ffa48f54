//! The plain evaluator: every filter and score of every node, spelled out.
//! What `explain` shows and what the index must equal.

use super::SchedulerProfile;
use super::fit::Rejection;
use super::plugins::{
    Filters, node_affinity_score, pod_affinity, preferred_weight, topology_spread,
};
use super::score::{balanced_allocation, resources_fit, reversed, untolerated_preferences};
use crate::cluster::{Nodes, Slot};
use crate::workload::{ClassId, PodClass};

/// What an attempt looks at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The nodes, and by their census the pods on them.
    pub nodes: &'a Nodes,
    /// The classes of the pod and of those on the nodes.
    pub classes: &'a [PodClass],
    /// The profiles that [`PodClass::profile`] chooses from.
    pub profiles: &'a [SchedulerProfile],
}

impl<'a> View<'a> {
    /// A class.
    ///
    /// # Panics
    /// If there is no such class.
    #[must_use]
    pub fn class(&self, id: ClassId) -> &'a PodClass {
        &self.classes[id.index()]
    }

    /// The profile that places a class.
    ///
    /// # Panics
    /// If the class names a profile that is not there.
    #[must_use]
    pub fn profile(&self, class: &PodClass) -> &'a SchedulerProfile {
        &self.profiles[usize::from(class.profile)]
    }
}

/// Scores of one feasible node, each normalised and weighted.
///
/// DIFFERENCE: there is no `ImageLocality`, as no node knows which images it
/// holds; upstream gives every node 0 then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PluginScores {
    /// `TaintToleration`.
    pub taint_toleration: i64,
    /// `NodeAffinity`.
    pub node_affinity: i64,
    /// `PodTopologySpread`.
    pub topology_spread: i64,
    /// `InterPodAffinity`.
    pub pod_affinity: i64,
    /// `NodeResourcesFit`.
    pub resources_fit: i64,
    /// `NodeResourcesBalancedAllocation`.
    pub balanced_allocation: i64,
}

impl PluginScores {
    /// Plugins in upstream order with their scores.
    #[must_use]
    pub fn by_plugin(&self) -> [(&'static str, i64); 6] {
        [
            ("TaintToleration", self.taint_toleration),
            ("NodeAffinity", self.node_affinity),
            ("PodTopologySpread", self.topology_spread),
            ("InterPodAffinity", self.pod_affinity),
            ("NodeResourcesFit", self.resources_fit),
            ("NodeResourcesBalancedAllocation", self.balanced_allocation),
        ]
    }

    /// Sum over the plugins.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.by_plugin().iter().map(|(_, score)| score).sum()
    }
}

/// What the scheduler thinks of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeVerdict {
    /// No node there.
    Absent,
    /// The pod names the nodes that come into question, and this is none of
    /// them: no filter looks at it.
    NotNamed,
    /// A filter rejects it.
    Rejected(Rejection),
    /// It can take the pod.
    Feasible(PluginScores),
}

impl NodeVerdict {
    /// Total score of a feasible node.
    #[must_use]
    pub fn total(&self) -> Option<i64> {
        match self {
            NodeVerdict::Feasible(scores) => Some(scores.total()),
            _ => None,
        }
    }
}

/// What one attempt finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// Why the pod as a whole is rejected before any node is looked at. Every
    /// node then counts as rejected for this.
    pub pod: Option<Rejection>,
    /// By slot.
    pub verdicts: Vec<NodeVerdict>,
}

impl Evaluation {
    /// Total score by slot, `None` where infeasible.
    #[must_use]
    pub fn totals(&self) -> Vec<Option<i64>> {
        self.verdicts.iter().map(NodeVerdict::total).collect()
    }

    /// How many nodes are feasible.
    #[must_use]
    pub fn feasible(&self) -> usize {
        self.verdicts.iter().filter(|v| matches!(v, NodeVerdict::Feasible(_))).count()
    }
}

/// Judges every slot for one pod of the class.
///
/// All nodes are looked at, as with `percentageOfNodesToScore` 100; `sample`
/// says which of them an attempt that looks at fewer sees. A single feasible
/// node is scored too, where upstream takes it unscored; the choice is the same.
#[must_use]
pub fn evaluate_plain(view: &View<'_>, id: ClassId) -> Evaluation {
    let nodes = view.nodes;
    let filters = Filters::new(view, view.class(id));
    let mut feasible = Vec::new();
    let mut verdicts: Vec<NodeVerdict> = (0..nodes.slots())
        .map(|i| {
            let slot = Slot(i as u32);
            if !nodes.live[i] {
                return NodeVerdict::Absent;
            }
            match &filters {
                Err(rejection) => NodeVerdict::Rejected(rejection.clone()),
                Ok(filters) if filters.excludes(view, slot) => NodeVerdict::NotNamed,
                Ok(filters) => {
                    if let Err(rejection) = filters.check(view, slot) {
                        return NodeVerdict::Rejected(rejection);
                    }
                    feasible.push(slot);
                    NodeVerdict::Feasible(PluginScores::default())
                }
            }
        })
        .collect();
    for (slot, scores) in feasible.iter().zip(score_plain(view, id, &feasible)) {
        verdicts[slot.index()] = NodeVerdict::Feasible(scores);
    }
    Evaluation { pod: filters.err(), verdicts }
}

/// Scores the given feasible nodes, normalised among them.
///
/// # Panics
/// If there is no such class.
#[must_use]
pub fn score_plain(view: &View<'_>, id: ClassId, feasible: &[Slot]) -> Vec<PluginScores> {
    let (nodes, class) = (view.nodes, view.class(id));
    let profile = view.profile(class);
    let weights = &profile.weights;
    let preferences: Vec<i64> = feasible
        .iter()
        .map(|slot| untolerated_preferences(nodes.traits_of(nodes.traits[slot.index()]), class))
        .collect();
    let preferred: Vec<i64> =
        feasible.iter().map(|slot| preferred_weight(nodes, *slot, class)).collect();
    let most = |raws: &[i64]| raws.iter().max().copied().unwrap_or(0);
    let (most_preferences, most_preferred) = (most(&preferences), most(&preferred));
    let spread = topology_spread(view, class, feasible);
    let affinity = pod_affinity(view, class, feasible);
    let of = |scores: &Option<Vec<i64>>, at: usize| scores.as_ref().map_or(0, |s| s[at]);
    feasible
        .iter()
        .enumerate()
        .map(|(at, slot)| PluginScores {
            taint_toleration: weights.taint_toleration
                * reversed(preferences[at], most_preferences),
            node_affinity: weights.node_affinity
                * node_affinity_score(preferred[at], most_preferred),
            topology_spread: weights.topology_spread * of(&spread, at),
            pod_affinity: weights.pod_affinity * of(&affinity, at),
            resources_fit: weights.resources_fit * resources_fit(profile, nodes, *slot, class),
            balanced_allocation: weights.balanced_allocation
                * balanced_allocation(nodes, *slot, class),
        })
        .collect()
}
