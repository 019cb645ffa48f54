//! The plain evaluator: every filter and score of every node, spelled out.
//! What `explain` shows and what the index must equal.

use super::SchedulerProfile;
use super::fit::{Rejection, filter};
use super::score::{balanced_allocation, resources_fit, taint_score, untolerated_preferences};
use crate::cluster::{Nodes, Slot};
use crate::workload::PodClass;

/// Scores of one feasible node, each normalised and weighted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PluginScores {
    /// `NodeResourcesFit`.
    pub resources_fit: i64,
    /// `NodeResourcesBalancedAllocation`.
    pub balanced_allocation: i64,
    /// `TaintToleration`.
    pub taint_toleration: i64,
}

impl PluginScores {
    /// Sum over the plugins.
    #[must_use]
    pub fn total(&self) -> i64 {
        self.resources_fit + self.balanced_allocation + self.taint_toleration
    }
}

/// What the scheduler thinks of one slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeVerdict {
    /// No node there.
    Absent,
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

/// Judges every slot for one pod of the class; indexed by slot.
///
/// DIFFERENCE: all nodes are looked at (`percentageOfNodesToScore` = 100),
/// where upstream stops at a share of large clusters. A single feasible node
/// is scored too, where upstream takes it unscored; the choice is the same.
#[must_use]
pub fn evaluate_plain(
    nodes: &Nodes,
    class: &PodClass,
    profile: &SchedulerProfile,
) -> Vec<NodeVerdict> {
    let mut most_preferences = 0;
    let mut verdicts: Vec<NodeVerdict> = (0..nodes.slots())
        .map(|i| {
            let slot = Slot(i as u32);
            if !nodes.live[i] {
                return NodeVerdict::Absent;
            }
            if let Err(rejection) = filter(nodes, slot, class) {
                return NodeVerdict::Rejected(rejection);
            }
            let raw = untolerated_preferences(nodes.traits_of(nodes.traits[i]), class);
            most_preferences = most_preferences.max(raw);
            NodeVerdict::Feasible(PluginScores {
                resources_fit: resources_fit(profile.scoring, nodes, slot, class),
                balanced_allocation: balanced_allocation(nodes, slot, class),
                // Raw until the maximum over the feasible set is known.
                taint_toleration: raw,
            })
        })
        .collect();
    for verdict in &mut verdicts {
        if let NodeVerdict::Feasible(scores) = verdict {
            scores.taint_toleration = taint_score(scores.taint_toleration, most_preferences);
        }
    }
    verdicts
}
