//! The volume filters, as far as a pod's volumes are known here: claims that
//! one pod at a time may use (`plugins/volumerestrictions`), how many volumes
//! a node can attach (`plugins/nodevolumelimits`), and in which zones the
//! volumes are (`plugins/volumezone`; 1.31).

use super::super::plain::View;
use crate::cluster::Slot;
use crate::workload::PodClass;
use crate::workload::constraints::ZONE_LABEL;

/// How many uses of the pod's exclusive claims the pods of a class there are
/// make, each.
#[must_use]
pub(crate) fn shared_claims(class: &PodClass, other: &PodClass) -> i64 {
    let (Some(own), Some(other)) = (&class.constraints, &other.constraints) else { return 0 };
    own.exclusive_claims.iter().filter(|claim| other.exclusive_claims.contains(claim)).count()
        as i64
}

/// How many uses of the pod's exclusive claims there are in the cluster. Any
/// keeps the pod off every node.
#[must_use]
pub(crate) fn claims_in_use(view: &View<'_>, class: &PodClass) -> i64 {
    if class.constraints.as_ref().is_none_or(|c| c.exclusive_claims.is_empty()) {
        return 0;
    }
    (0..view.nodes.slots())
        .filter(|i| view.nodes.listed[*i])
        .flat_map(|i| view.nodes.census.on(Slot(i as u32)))
        .map(|(other, count)| shared_claims(class, view.class(*other)) * i64::from(*count))
        .sum()
}

/// Whether the node can attach the pod's volumes besides those of its pods.
/// Nodes that state no limit can.
#[must_use]
pub(crate) fn volumes_attachable(view: &View<'_>, slot: Slot, class: &PodClass) -> bool {
    let attached = |class: &PodClass| class.constraints.as_ref().map_or(0, |c| c.attached_volumes);
    let nodes = view.nodes;
    let limit = nodes
        .volume_limit
        .map_or(0, |id| nodes.alloc_extended[slot.index() * nodes.extended_names() + id.index()]);
    let wanted = i64::from(attached(class));
    if wanted == 0 || limit == 0 {
        return true;
    }
    let there: i64 = nodes
        .census
        .on(slot)
        .iter()
        .map(|(other, count)| i64::from(attached(view.class(*other))) * i64::from(*count))
        .sum();
    there + wanted <= limit
}

/// Whether the pod's volumes are in the node's zone. A node without a zone
/// passes.
#[must_use]
pub(crate) fn in_volume_zone(view: &View<'_>, slot: Slot, class: &PodClass) -> bool {
    let zones = class.constraints.as_ref().and_then(|c| c.volume_zones.as_ref());
    let zone = view.nodes.label(slot, ZONE_LABEL);
    zones.is_none_or(|zones| zone.is_none_or(|zone| zones.iter().any(|z| z == zone)))
}
