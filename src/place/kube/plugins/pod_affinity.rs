//! `InterPodAffinity`: required terms of the pod and of those on the nodes
//! (`plugins/interpodaffinity/filtering.go`, 1.31).

use super::super::fit::Rejection;
use super::super::plain::View;
use super::domains::Domains;
use crate::cluster::Slot;
use crate::workload::PodClass;
use crate::workload::constraints::{Constraints, PodAffinityTerm};

/// Whether a pod is meant by every term; never without any term.
fn matches_all(terms: &[PodAffinityTerm], pod: &Constraints) -> bool {
    !terms.is_empty() && terms.iter().all(|term| term.matches(pod))
}

/// What the required terms count.
#[derive(Debug, Clone, Default)]
pub(super) struct RequiredAffinity {
    /// Pods that are meant by all affinity terms of the pod, by domains of
    /// those terms.
    affinity: Domains,
    /// Pods that an anti-affinity term of the pod means.
    anti_affinity: Domains,
    /// Pods with an anti-affinity term that means the pod.
    existing: Domains,
}

impl RequiredAffinity {
    /// Counts the pods there are.
    pub(super) fn new(view: &View<'_>, class: &PodClass) -> Self {
        let mut counts = RequiredAffinity::default();
        let Some(own) = &class.constraints else { return counts };
        // Which classes the terms of either mean is the same on every node.
        let mut concerned: Vec<Option<bool>> = vec![None; view.classes.len()];
        for i in (0..view.nodes.slots()).filter(|i| view.nodes.listed[*i]) {
            let slot = Slot(i as u32);
            for (id, count) in view.nodes.census.on(slot) {
                let Some(other) = &view.class(*id).constraints else { continue };
                let concerned = concerned[id.index()].get_or_insert_with(|| {
                    matches_all(&own.affinity, other)
                        || own.anti_affinity.iter().any(|term| term.matches(other))
                        || other.anti_affinity.iter().any(|term| term.matches(own))
                });
                if *concerned {
                    counts.add(view, slot, own, other, i64::from(*count));
                }
            }
        }
        counts
    }

    fn add(
        &mut self,
        view: &View<'_>,
        slot: Slot,
        own: &Constraints,
        other: &Constraints,
        by: i64,
    ) {
        let add = |domains: &mut Domains, term: &PodAffinityTerm| {
            if let Some(value) = view.nodes.label(slot, &term.topology_key) {
                domains.add(&term.topology_key, value, by);
            }
        };
        for term in other.anti_affinity.iter().filter(|term| term.matches(own)) {
            add(&mut self.existing, term);
        }
        if matches_all(&own.affinity, other) {
            for term in &own.affinity {
                add(&mut self.affinity, term);
            }
        }
        for term in own.anti_affinity.iter().filter(|term| term.matches(other)) {
            add(&mut self.anti_affinity, term);
        }
    }

    /// Follows a pod that comes to a node or leaves it.
    pub(super) fn shift(
        &mut self,
        view: &View<'_>,
        slot: Slot,
        class: &PodClass,
        other: &PodClass,
        by: i64,
    ) {
        if let (Some(own), Some(other)) = (&class.constraints, &other.constraints) {
            self.add(view, slot, own, other, by);
        }
    }

    /// Whether the node satisfies all of them.
    pub(super) fn check(
        &self,
        view: &View<'_>,
        slot: Slot,
        class: &PodClass,
    ) -> Result<(), Rejection> {
        let Some(own) = &class.constraints else { return Ok(()) };
        if !self.affinity_holds(view, slot, own) {
            return Err(Rejection::Affinity);
        }
        let in_domain = |domains: &Domains, key: &str| {
            view.nodes
                .label(slot, key)
                .is_some_and(|value| domains.get(key, value).is_some_and(|count| count > 0))
        };
        if own.anti_affinity.iter().any(|term| in_domain(&self.anti_affinity, &term.topology_key)) {
            return Err(Rejection::AntiAffinity);
        }
        if self.existing.keys().any(|key| in_domain(&self.existing, key)) {
            return Err(Rejection::ExistingAntiAffinity);
        }
        Ok(())
    }

    fn affinity_holds(&self, view: &View<'_>, slot: Slot, own: &Constraints) -> bool {
        let mut found = true;
        for term in &own.affinity {
            let Some(value) = view.nodes.label(slot, &term.topology_key) else { return false };
            found &= self.affinity.get(&term.topology_key, value).is_some_and(|count| count > 0);
        }
        // The first pod of a group that wants to be together may go anywhere.
        found || (self.affinity.is_zero() && matches_all(&own.affinity, own))
    }
}
