//! The plugins that look at more than a node's free capacity, one subject a
//! file, each in the plain form: one node at a time, over the census.

mod domains;
mod node_affinity;
mod pod_affinity;
mod pod_affinity_score;
mod ports;
mod spread;
mod spread_score;
#[cfg(test)]
mod tests;
mod volumes;

pub use node_affinity::{
    NamesConflict, named_nodes, node_affinity_score, preferred_weight, required_matches,
    term_matches,
};
pub(super) use pod_affinity_score::pod_affinity;
pub use pod_affinity_score::pod_affinity_score;
pub(super) use ports::ports_free;
pub use spread::{all_keys_required, has_all_keys, included, matching_pods, spread_constraints};
pub(super) use spread_score::topology_spread;
pub use spread_score::{spread_cost, spread_score, spread_weight};
pub(super) use volumes::{claims_in_use, in_volume_zone, shared_claims, volumes_attachable};

use self::pod_affinity::RequiredAffinity;
use self::spread::HardSpread;
use super::fit::{Rejection, filter_alone, resources_rejection};
use super::plain::View;
use crate::cluster::Slot;
use crate::workload::{ClassId, PodClass};

/// The filters of one pod, with what they count of the other pods
/// (`PreFilter`). It follows pods that come and go hypothetically by
/// [`Filters::shift`]; otherwise it is as old as its creation.
#[derive(Debug, Clone)]
pub struct Filters<'a> {
    class: &'a PodClass,
    /// Nodes that come into question; `None` is all.
    named: Option<Vec<&'a str>>,
    /// Uses of its exclusive claims.
    claims: i64,
    spread: HardSpread<'a>,
    affinity: RequiredAffinity,
}

impl<'a> Filters<'a> {
    /// Counts what there is.
    ///
    /// # Errors
    /// The rejection of the pod as a whole.
    pub fn new(view: &View<'_>, class: &'a PodClass) -> Result<Self, Rejection> {
        let named = match &class.constraints {
            None => None,
            Some(constraints) => {
                named_nodes(constraints).map_err(|NamesConflict| Rejection::NamesConflict)?
            }
        };
        Ok(Filters {
            class,
            named,
            claims: claims_in_use(view, class),
            spread: HardSpread::new(view, class),
            affinity: RequiredAffinity::new(view, class),
        })
    }

    /// Whether the pod names nodes and this is none of them: no filter runs
    /// then.
    #[must_use]
    pub fn excludes(&self, view: &View<'_>, slot: Slot) -> bool {
        self.named
            .as_ref()
            .is_some_and(|names| names.binary_search(&view.nodes.name(slot)).is_err())
    }

    /// Runs the filters over one node that is there.
    ///
    /// # Errors
    /// The first rejection, in upstream order.
    pub fn check(&self, view: &View<'_>, slot: Slot) -> Result<(), Rejection> {
        let class = self.class;
        let ensure = |holds: bool, rejection| if holds { Ok(()) } else { Err(rejection) };
        filter_alone(view.nodes, slot, class)?;
        ensure(ports_free(view, slot, class), Rejection::HostPorts)?;
        resources_rejection(view.nodes, slot, class)?;
        ensure(self.claims <= 0, Rejection::ClaimInUse)?;
        ensure(volumes_attachable(view, slot, class), Rejection::VolumeLimit)?;
        ensure(in_volume_zone(view, slot, class), Rejection::VolumeZone)?;
        self.spread.check(view, slot, class)?;
        self.affinity.check(view, slot, class)
    }

    /// Follows a node that came, without pods.
    pub fn node_added(&mut self, view: &View<'_>, slot: Slot) {
        self.spread.node_added(view, slot, self.class);
    }

    /// Follows a pod that was placed on a node (`by` is 1) or taken off it
    /// (-1) since.
    pub fn shift(&mut self, view: &View<'_>, slot: Slot, other: ClassId, by: i64) {
        let other = view.class(other);
        self.claims += shared_claims(self.class, other) * by;
        self.spread.shift(view, slot, self.class, other, by);
        self.affinity.shift(view, slot, self.class, other, by);
    }
}
