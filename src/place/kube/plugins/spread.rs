//! `PodTopologySpread`: which constraints hold for a pod, which nodes they
//! count, and the filter of the hard ones (`plugins/podtopologyspread`,
//! `common.go` and `filtering.go`, 1.31).

use std::borrow::Cow;

use super::super::fit::Rejection;
use super::super::plain::View;
use super::super::profile::DefaultSpread;
use super::domains::Domains;
use super::node_affinity::required_matches;
use crate::cluster::{Slot, first_untolerated};
use crate::workload::PodClass;
use crate::workload::constraints::{HOSTNAME_LABEL, ZONE_LABEL};
use crate::workload::constraints::{LabelSelector, SpreadConstraint};

/// The hard or the soft constraints of a pod: its own if it states any,
/// otherwise the defaults of its scheduler profile.
#[must_use]
pub fn spread_constraints<'a>(
    view: &View<'_>,
    class: &'a PodClass,
    hard: bool,
) -> Vec<Cow<'a, SpreadConstraint>> {
    let Some(constraints) = &class.constraints else { return Vec::new() };
    if !constraints.spread.is_empty() {
        return constraints.spread.iter().filter(|c| c.hard == hard).map(Cow::Borrowed).collect();
    }
    let Some(selector) = &constraints.default_spread else { return Vec::new() };
    let built = |topology_key: &str, max_skew| {
        Cow::Owned(SpreadConstraint {
            max_skew,
            topology_key: topology_key.to_owned(),
            hard,
            selector: Some(selector.clone()),
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
        })
    };
    match &view.profile(class).default_spread {
        DefaultSpread::System if hard => Vec::new(),
        DefaultSpread::System => vec![built(HOSTNAME_LABEL, 3), built(ZONE_LABEL, 5)],
        DefaultSpread::List(list) => list
            .iter()
            .filter(|c| c.hard == hard)
            .map(|c| built(&c.topology_key, c.max_skew))
            .collect(),
    }
}

/// Whether nodes without a topology key are out of account for soft
/// constraints: not with the system's defaults.
#[must_use]
pub fn all_keys_required(view: &View<'_>, class: &PodClass) -> bool {
    let own = class.constraints.as_ref().is_some_and(|c| !c.spread.is_empty());
    own || matches!(view.profile(class).default_spread, DefaultSpread::List(_))
}

/// Whether the node carries the keys of all constraints.
#[must_use]
pub fn has_all_keys(
    view: &View<'_>,
    slot: Slot,
    constraints: &[Cow<'_, SpreadConstraint>],
) -> bool {
    constraints.iter().all(|c| view.nodes.label(slot, &c.topology_key).is_some())
}

/// Whether the inclusion policies of the constraint let the node's pods count.
#[must_use]
pub fn included(
    view: &View<'_>,
    slot: Slot,
    class: &PodClass,
    constraint: &SpreadConstraint,
) -> bool {
    let nodes = view.nodes;
    (!constraint.honor_affinity || required_matches(nodes, slot, class))
        && (!constraint.honor_taints
            || first_untolerated(nodes.traits_of(nodes.traits[slot.index()]), class).is_none())
}

/// Pods on the node that the selector means: of the same namespace and not
/// being deleted. A selector without requirements counts none here.
#[must_use]
pub fn matching_pods(
    view: &View<'_>,
    slot: Slot,
    class: &PodClass,
    selector: Option<&LabelSelector>,
) -> i64 {
    let Some(selector) = selector.filter(|s| !s.requirements.is_empty()) else { return 0 };
    let Some(own) = &class.constraints else { return 0 };
    view.nodes
        .census
        .on(slot)
        .iter()
        .filter(|(other, _)| {
            view.class(*other).constraints.as_ref().is_some_and(|other| {
                other.namespace == own.namespace
                    && !other.terminating
                    && selector.matches(&other.labels)
            })
        })
        .map(|(_, count)| i64::from(*count))
        .sum()
}

/// Whether the selector means a pod of the class, by its labels alone.
fn selects(selector: Option<&LabelSelector>, class: &PodClass) -> bool {
    let labels = class.constraints.as_ref().map(|c| c.labels.as_slice());
    selector.is_some_and(|s| labels.is_some_and(|labels| s.matches(labels)))
}

/// What the hard constraints of a pod count.
#[derive(Debug, Clone)]
pub(super) struct HardSpread<'a> {
    constraints: Vec<Cow<'a, SpreadConstraint>>,
    counts: Domains,
    /// By constraint, the count of its emptiest domain, `None` without any.
    least: Vec<Option<i64>>,
}

impl<'a> HardSpread<'a> {
    /// Counts the pods there are.
    pub(super) fn new(view: &View<'_>, class: &'a PodClass) -> Self {
        let constraints = spread_constraints(view, class, true);
        let mut counts = Domains::default();
        if constraints.is_empty() {
            return HardSpread { constraints, counts, least: Vec::new() };
        }
        for i in (0..view.nodes.slots()).filter(|i| view.nodes.listed[*i]) {
            let slot = Slot(i as u32);
            if !has_all_keys(view, slot, &constraints) {
                continue;
            }
            for constraint in constraints.iter().filter(|c| included(view, slot, class, c)) {
                let key = &constraint.topology_key;
                let count = matching_pods(view, slot, class, constraint.selector.as_ref());
                if let Some(value) = view.nodes.label(slot, key) {
                    counts.add(key, value, count);
                }
            }
        }
        let least = constraints.iter().map(|c| counts.min(&c.topology_key)).collect();
        HardSpread { constraints, counts, least }
    }

    /// Whether the skew stays within bounds with the pod on the node.
    pub(super) fn check(
        &self,
        view: &View<'_>,
        slot: Slot,
        class: &PodClass,
    ) -> Result<(), Rejection> {
        for (constraint, least) in self.constraints.iter().zip(&self.least) {
            let key = &constraint.topology_key;
            let Some(value) = view.nodes.label(slot, key) else {
                return Err(Rejection::SpreadLabel);
            };
            // Upstream passes over a constraint that no node counts for.
            let Some(least) = *least else { continue };
            let enough = self.counts.len(key) as i64 >= constraint.min_domains;
            let least = if enough { least } else { 0 };
            let own = i64::from(selects(constraint.selector.as_ref(), class));
            let there = self.counts.get(key, value).unwrap_or(0);
            if there + own - least > constraint.max_skew {
                return Err(Rejection::SpreadSkew);
            }
        }
        Ok(())
    }

    /// Follows a node that came, without pods: its domains count from now on.
    pub(super) fn node_added(&mut self, view: &View<'_>, slot: Slot, class: &PodClass) {
        if self.constraints.is_empty() || !has_all_keys(view, slot, &self.constraints) {
            return;
        }
        for constraint in self.constraints.iter().filter(|c| included(view, slot, class, c)) {
            let key = &constraint.topology_key;
            if let Some(value) = view.nodes.label(slot, key) {
                self.counts.add(key, value, 0);
            }
        }
    }

    /// Follows a pod that comes to a node or leaves it. As upstream this does
    /// not ask whether the pod is being deleted.
    pub(super) fn shift(
        &mut self,
        view: &View<'_>,
        slot: Slot,
        class: &PodClass,
        other: &PodClass,
        by: i64,
    ) {
        let namespace = |class: &PodClass| class.constraints.as_ref().map(|c| c.namespace.clone());
        if self.constraints.is_empty()
            || namespace(class) != namespace(other)
            || !has_all_keys(view, slot, &self.constraints)
        {
            return;
        }
        for (constraint, least) in self.constraints.iter().zip(&mut self.least) {
            let key = &constraint.topology_key;
            if selects(constraint.selector.as_ref(), other)
                && included(view, slot, class, constraint)
                && let Some(value) = view.nodes.label(slot, key)
            {
                self.counts.add(key, value, by);
                *least = self.counts.min(key);
            }
        }
    }
}
