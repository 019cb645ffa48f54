//! The score of `InterPodAffinity` (`plugins/interpodaffinity/scoring.go`,
//! 1.31): preferred terms of the pod, and preferred and required terms of the
//! pods on the nodes.

use super::super::plain::View;
use super::super::profile::MAX_NODE_SCORE;
use super::domains::Domains;
use crate::cluster::Slot;
use crate::workload::PodClass;
use crate::workload::constraints::{Constraints, PodAffinityTerm, Weighted};

/// What one pod on a node adds to the domains of the node: topology keys with
/// weights, in the order of upstream.
fn contributions<'a>(
    own: &'a Constraints,
    other: &'a Constraints,
    hard_weight: i64,
) -> impl Iterator<Item = (&'a str, i64)> {
    fn of<'a>(
        terms: &'a [Weighted<PodAffinityTerm>],
        meant: &'a Constraints,
        sign: i64,
    ) -> impl Iterator<Item = (&'a str, i64)> {
        terms
            .iter()
            .filter(|t| t.term.matches(meant))
            .map(move |t| (t.term.topology_key.as_str(), sign * t.weight))
    }
    let required = other
        .affinity
        .iter()
        .filter(move |term| hard_weight > 0 && term.matches(own))
        .map(move |term| (term.topology_key.as_str(), hard_weight));
    of(&own.preferred_affinity, other, 1)
        .chain(of(&own.preferred_anti_affinity, other, -1))
        .chain(required)
        .chain(of(&other.preferred_affinity, own, 1))
        .chain(of(&other.preferred_anti_affinity, own, -1))
}

/// A sum of weights normalised over the feasible nodes, in doubles as upstream.
#[must_use]
pub fn pod_affinity_score(raw: i64, min: i64, max: i64) -> i64 {
    if max == min {
        return 0;
    }
    (MAX_NODE_SCORE as f64 * ((raw - min) as f64 / (max - min) as f64)) as i64
}

/// Normalised scores of the feasible nodes, or `None` where no term concerns
/// the pod.
#[must_use]
pub(crate) fn pod_affinity(
    view: &View<'_>,
    class: &PodClass,
    feasible: &[Slot],
) -> Option<Vec<i64>> {
    let own = class.constraints.as_ref()?;
    let hard_weight = view.profile(class).hard_pod_affinity_weight;
    let nodes = view.nodes;
    let mut weights = Domains::default();
    // What a class adds is the same on every node.
    let mut by_class: Vec<Option<Vec<(&str, i64)>>> = vec![None; view.classes.len()];
    for i in (0..nodes.slots()).filter(|i| nodes.listed[*i]) {
        let slot = Slot(i as u32);
        for (id, count) in nodes.census.on(slot) {
            let Some(other) = &view.class(*id).constraints else { continue };
            let adds = by_class[id.index()]
                .get_or_insert_with(|| contributions(own, other, hard_weight).collect());
            for (key, weight) in adds {
                if let Some(value) = nodes.label(slot, key) {
                    weights.add(key, value, *weight * i64::from(*count));
                }
            }
        }
    }
    weights.keys().next()?;
    let raws: Vec<i64> = feasible
        .iter()
        .map(|slot| {
            let of = |key| weights.get(key, nodes.label(*slot, key)?);
            weights.keys().filter_map(of).sum()
        })
        .collect();
    let min = raws.iter().min().copied().unwrap_or(0);
    let max = raws.iter().max().copied().unwrap_or(0);
    Some(raws.into_iter().map(|raw| pod_affinity_score(raw, min, max)).collect())
}
