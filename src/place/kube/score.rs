//! The score plugins of the default profile, as exact integers
//! (kube-scheduler 1.31, `framework/plugins/noderesources` and
//! `tainttoleration`; default weights of `apis/config/v1/default_plugins.go`).
//!
//! This is the plain form: the index computes the same numbers faster and is
//! tested against it.

use super::profile::{
    MAX_NODE_SCORE, Resource, SchedulerProfile, Scoring, ShapePoint, TAINT_WEIGHT,
};
use crate::cluster::{NodeTraits, Nodes, Slot};
use crate::workload::{ExtendedId, PodClass, TaintEffect};

/// Score of one resource of a node that can hold `capacity > 0` and would
/// hold `requested` with the pod.
#[must_use]
pub fn resource_score(scoring: &Scoring, requested: i64, capacity: i64) -> i64 {
    match scoring {
        Scoring::LeastAllocated if requested > capacity => 0,
        Scoring::LeastAllocated => (capacity - requested) * MAX_NODE_SCORE / capacity,
        Scoring::MostAllocated => requested.min(capacity) * MAX_NODE_SCORE / capacity,
        Scoring::RequestedToCapacityRatio(shape) => {
            let utilization = if requested > capacity { 100 } else { requested * 100 / capacity };
            shape_score(shape, utilization)
        }
    }
}

/// The piecewise linear function through the corners, constant beyond them,
/// in scores of 0 to 100 (`plugins/helper/shape_score.go`, 1.31).
#[must_use]
pub fn shape_score(shape: &[ShapePoint], utilization: i64) -> i64 {
    // Corners are configured with scores of 0 to 10.
    let scaled = |point: &ShapePoint| point.score * (MAX_NODE_SCORE / 10);
    let Some(at) = shape.iter().position(|point| utilization <= point.utilization) else {
        return shape.last().map_or(0, scaled);
    };
    let right = &shape[at];
    let Some(left) = at.checked_sub(1).map(|left| &shape[left]) else { return scaled(right) };
    scaled(left)
        + (scaled(right) - scaled(left)) * (utilization - left.utilization)
            / (right.utilization - left.utilization)
}

/// `NodeResourcesFit`: the weighted mean over the resources of the strategy
/// (`resource_allocation.go`, `least_allocated.go`, `most_allocated.go`,
/// `requested_to_capacity_ratio.go`). A resource the node does not have counts
/// neither above nor below the line, nor does an extended one that the pod does
/// not ask for.
#[must_use]
pub fn resources_fit(
    profile: &SchedulerProfile,
    nodes: &Nodes,
    slot: Slot,
    class: &PodClass,
) -> i64 {
    let ratio = matches!(profile.scoring, Scoring::RequestedToCapacityRatio(_));
    let (mut sum, mut weights) = (0, 0);
    for (resource, weight) in profile.resources.iter() {
        let Some((requested, capacity)) = with_pod(*resource, nodes, slot, class) else { continue };
        let score = resource_score(&profile.scoring, requested, capacity);
        // That strategy leaves out what scores nothing.
        if !ratio || score > 0 {
            sum += score * weight;
            weights += weight;
        }
    }
    match (weights, ratio) {
        (0, _) => 0,
        (_, false) => sum / weights,
        (_, true) => (sum as f64 / weights as f64).round() as i64,
    }
}

/// What would be requested of a resource with the pod on the node, and what
/// there is; `None` where the resource does not count.
fn with_pod(resource: Resource, nodes: &Nodes, slot: Slot, class: &PodClass) -> Option<(i64, i64)> {
    let i = slot.index();
    let requests = &class.requests;
    let extended = |id: ExtendedId| {
        let own = requests.extended.iter().find(|(other, _)| *other == id).map_or(0, |(_, n)| *n);
        let index = i * nodes.extended_names() + id.index();
        (own, nodes.extended[index] + own, nodes.alloc_extended[index])
    };
    let (requested, capacity) = match resource {
        Resource::Cpu => (nodes.nonzero_cpu[i] + requests.nonzero_cpu.0, nodes.alloc_cpu[i]),
        Resource::Memory => {
            (nodes.nonzero_memory[i] + requests.nonzero_memory.0, nodes.alloc_memory[i])
        }
        Resource::Storage(id) => {
            let (_, requested, capacity) = extended(id);
            (requested, capacity)
        }
        Resource::Extended(id) => {
            let (own, requested, capacity) = extended(id);
            (requested, if own == 0 { 0 } else { capacity })
        }
    };
    (capacity != 0).then_some((requested, capacity))
}

/// `NodeResourcesBalancedAllocation` from the requests with the pod and the
/// allocatable amounts of cpu and memory.
///
/// The doubles are those of upstream operation by operation, so that the
/// truncation falls on the same integer.
#[must_use]
pub fn balance_score(cpu: i64, alloc_cpu: i64, memory: i64, alloc_memory: i64) -> i64 {
    // With fewer than two resources the deviation is zero.
    if alloc_cpu <= 0 || alloc_memory <= 0 {
        return MAX_NODE_SCORE;
    }
    let fraction = |requested: i64, capacity: i64| (requested as f64 / capacity as f64).min(1.0);
    let deviation = ((fraction(cpu, alloc_cpu) - fraction(memory, alloc_memory)) / 2.0).abs();
    ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
}

/// `NodeResourcesBalancedAllocation` of a node, from real requests.
#[must_use]
pub fn balanced_allocation(nodes: &Nodes, slot: Slot, class: &PodClass) -> i64 {
    let i = slot.index();
    balance_score(
        nodes.cpu[i] + class.requests.cpu.0,
        nodes.alloc_cpu[i],
        nodes.memory[i] + class.requests.memory.0,
        nodes.alloc_memory[i],
    )
}

/// `TaintToleration` before normalisation: untolerated `PreferNoSchedule`
/// taints.
#[must_use]
pub fn untolerated_preferences(traits: &NodeTraits, class: &PodClass) -> i64 {
    traits
        .taints
        .iter()
        .filter(|t| t.effect == TaintEffect::PreferNoSchedule)
        .filter(|taint| !class.tolerations.iter().any(|t| t.tolerates(taint)))
        .count() as i64
}

/// A count normalised over the feasible nodes, whose largest is `max`: the
/// fewer the better (`helper/normalize_score.go`, reversed).
#[must_use]
pub fn reversed(raw: i64, max: i64) -> i64 {
    if max == 0 { MAX_NODE_SCORE } else { MAX_NODE_SCORE - MAX_NODE_SCORE * raw / max }
}

/// `TaintToleration` normalised and with its default weight.
#[must_use]
pub fn taint_score(raw: i64, max: i64) -> i64 {
    TAINT_WEIGHT * reversed(raw, max)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{class, cluster, taint};
    use super::*;
    use crate::units::{Bytes, MilliCpu};
    use crate::workload::{Requests, Toleration};

    const GIB: i64 = 1 << 30;

    fn strategy(scoring: &Scoring) -> SchedulerProfile {
        SchedulerProfile { scoring: scoring.clone(), ..SchedulerProfile::default() }
    }

    fn nodes_a_and_b() -> Nodes {
        let mut nodes = cluster(&[(3_920, 14 * GIB, 58), (1_930, 7 * GIB, 29)]);
        nodes.place(Slot(0), &class(1_000, 2 * GIB).requests);
        nodes.place(Slot(1), &class(300, 4 * GIB).requests);
        nodes
    }

    #[test]
    fn worked_examples_of_least_most_and_balanced() {
        let nodes = nodes_a_and_b();
        let pod = class(500, GIB);
        // A: (3920−1500)·100/3920 = 61, (14−3)·100/14 = 78, mean 69.
        // B: (1930−800)·100/1930 = 58, (7−5)·100/7 = 28, mean 43.
        let fit =
            |scoring: &Scoring, slot| resources_fit(&strategy(scoring), &nodes, Slot(slot), &pod);
        assert_eq!([fit(&Scoring::LeastAllocated, 0), fit(&Scoring::LeastAllocated, 1)], [69, 43]);
        // A: 38, 21 → 29; B: 41, 71 → 56.
        assert_eq!([fit(&Scoring::MostAllocated, 0), fit(&Scoring::MostAllocated, 1)], [29, 56]);
        // A: |0.3827 − 0.2143|/2 = 0.0842 → 91; B: |0.4145 − 0.7143|/2 → 85.
        assert_eq!(balanced_allocation(&nodes, Slot(0), &pod), 91);
        assert_eq!(balanced_allocation(&nodes, Slot(1), &pod), 85);
    }

    #[test]
    fn absent_requests_count_in_the_fit_score_only() {
        let nodes = cluster(&[(1_000, GIB, 10)]);
        let pod = PodClass { requests: Requests::new(None, None, vec![]), ..PodClass::default() };
        // (1000−100)·100/1000 = 90 and (1024−200)·100/1024 = 80, mean 85.
        assert_eq!(resources_fit(&SchedulerProfile::default(), &nodes, Slot(0), &pod), 85);
        assert_eq!(balanced_allocation(&nodes, Slot(0), &pod), 100);
        let zero = PodClass {
            requests: Requests::new(Some(MilliCpu(0)), Some(Bytes(0)), vec![]),
            ..PodClass::default()
        };
        assert_eq!(resources_fit(&SchedulerProfile::default(), &nodes, Slot(0), &zero), 100);
    }

    #[test]
    fn over_capacity_is_zero_or_full_and_missing_resources_are_skipped() {
        assert_eq!(resource_score(&Scoring::LeastAllocated, 11, 10), 0);
        assert_eq!(resource_score(&Scoring::MostAllocated, 11, 10), 100);
        let nodes = cluster(&[(1_000, 0, 10), (0, 0, 10)]);
        let pod = class(250, 0);
        assert_eq!(resources_fit(&SchedulerProfile::default(), &nodes, Slot(0), &pod), 75);
        assert_eq!(balanced_allocation(&nodes, Slot(0), &pod), 100);
        assert_eq!(resources_fit(&SchedulerProfile::default(), &nodes, Slot(1), &class(0, 0)), 0);
    }

    #[test]
    fn preferences_are_counted_per_taint_and_reversed() {
        let traits = NodeTraits {
            labels: Vec::new(),
            taints: vec![
                taint("a", "1", TaintEffect::PreferNoSchedule),
                taint("b", "1", TaintEffect::PreferNoSchedule),
                taint("c", "1", TaintEffect::NoSchedule),
            ],
            ..NodeTraits::default()
        };
        let mut pod = class(1, 1);
        assert_eq!(untolerated_preferences(&traits, &pod), 2);
        pod.tolerations.push(Toleration {
            key: Some("a".into()),
            value: None,
            effect: Some(TaintEffect::NoSchedule),
        });
        assert_eq!(untolerated_preferences(&traits, &pod), 2, "another effect");
        pod.tolerations.push(Toleration { key: Some("b".into()), value: None, effect: None });
        assert_eq!(untolerated_preferences(&traits, &pod), 1);
        assert_eq!([0, 1, 3].map(|raw| taint_score(raw, 3)), [300, 201, 0]);
        assert_eq!(taint_score(0, 0), 300);
    }
}
