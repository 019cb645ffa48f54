//! The score of `PodTopologySpread` (`plugins/podtopologyspread/scoring.go`,
//! 1.31): the soft constraints.

use super::super::plain::View;
use super::super::profile::MAX_NODE_SCORE;
use super::domains::Domains;
use super::spread::{all_keys_required, has_all_keys, included, matching_pods, spread_constraints};
use crate::cluster::Slot;
use crate::workload::PodClass;
use crate::workload::constraints::HOSTNAME_LABEL;

/// What a number of pods costs: the weight falls with the number of domains,
/// and a larger `maxSkew` makes differences matter less.
#[must_use]
pub fn spread_cost(count: i64, max_skew: i64, weight: f64) -> f64 {
    count as f64 * weight + (max_skew - 1) as f64
}

/// The weight of a constraint over so many domains.
#[must_use]
pub fn spread_weight(domains: usize) -> f64 {
    crate::rng::ln((domains + 2) as f64)
}

/// A cost normalised over the nodes that are not ignored: their smallest and
/// largest are `min` and `max`.
#[must_use]
pub fn spread_score(raw: i64, min: i64, max: i64) -> i64 {
    if max == 0 { MAX_NODE_SCORE } else { MAX_NODE_SCORE * (max + min - raw) / max }
}

/// Normalised scores of the feasible nodes, or `None` for a pod without soft
/// constraints.
#[must_use]
pub(crate) fn topology_spread(
    view: &View<'_>,
    class: &PodClass,
    feasible: &[Slot],
) -> Option<Vec<i64>> {
    let constraints = spread_constraints(view, class, false);
    if constraints.is_empty() {
        return None;
    }
    let nodes = view.nodes;
    let strict = all_keys_required(view, class);
    let ignored: Vec<bool> =
        feasible.iter().map(|slot| strict && !has_all_keys(view, *slot, &constraints)).collect();

    // Domains are those of feasible nodes. A node without the label is one of
    // the empty value, where that is allowed.
    let value = |slot: Slot, key: &str| nodes.label(slot, key).unwrap_or_default();
    let mut counts = Domains::default();
    let mut sizes = vec![0; constraints.len()];
    for (slot, _) in feasible.iter().zip(&ignored).filter(|(_, ignored)| !**ignored) {
        for (constraint, size) in constraints.iter().zip(&mut sizes) {
            let key = constraint.topology_key.as_str();
            if key != HOSTNAME_LABEL && counts.get(key, value(*slot, key)).is_none() {
                counts.add(key, value(*slot, key), 0);
                *size += 1;
            }
        }
    }
    let scored = ignored.iter().filter(|ignored| !**ignored).count();
    let weights: Vec<f64> = constraints
        .iter()
        .zip(sizes)
        .map(|(c, size)| {
            spread_weight(if c.topology_key == HOSTNAME_LABEL { scored } else { size })
        })
        .collect();

    // Pods are those of all nodes. Nodes themselves are counted further down.
    for i in (0..nodes.slots()).filter(|i| nodes.listed[*i]) {
        let slot = Slot(i as u32);
        if strict && !has_all_keys(view, slot, &constraints) {
            continue;
        }
        for constraint in &constraints {
            let key = constraint.topology_key.as_str();
            if key != HOSTNAME_LABEL
                && included(view, slot, class, constraint)
                && counts.get(key, value(slot, key)).is_some()
            {
                let count = matching_pods(view, slot, class, constraint.selector.as_ref());
                counts.add(key, value(slot, key), count);
            }
        }
    }

    let cost = |slot: Slot| -> i64 {
        let mut cost = 0.0;
        for (constraint, weight) in constraints.iter().zip(&weights) {
            let key = constraint.topology_key.as_str();
            let Some(value) = nodes.label(slot, key) else { continue };
            let count = if key == HOSTNAME_LABEL {
                // The node's own pods, whatever the inclusion policies.
                matching_pods(view, slot, class, constraint.selector.as_ref())
            } else {
                counts.get(key, value).unwrap_or(0)
            };
            cost += spread_cost(count, constraint.max_skew, *weight);
        }
        // Half away from zero, as Go rounds.
        cost.round() as i64
    };
    let costs: Vec<Option<i64>> = feasible
        .iter()
        .zip(&ignored)
        .map(|(slot, ignored)| (!ignored).then(|| cost(*slot)))
        .collect();
    let min = costs.iter().flatten().min().copied().unwrap_or(0);
    let max = costs.iter().flatten().max().copied().unwrap_or(0).max(0);
    Some(costs.iter().map(|cost| cost.map_or(0, |cost| spread_score(cost, min, max))).collect())
}
