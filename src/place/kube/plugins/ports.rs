//! `NodePorts` (`plugins/nodeports/node_ports.go`, 1.31): one pod to a port
//! of a node.

use super::super::plain::View;
use crate::cluster::Slot;
use crate::workload::PodClass;

/// Whether the node's pods leave the pod the ports it wants.
#[must_use]
pub(crate) fn ports_free(view: &View<'_>, slot: Slot, class: &PodClass) -> bool {
    let Some(wanted) = class.constraints.as_ref().map(|c| &c.host_ports) else { return true };
    wanted.is_empty()
        || view.nodes.census.on(slot).iter().all(|(other, _)| {
            view.class(*other).constraints.as_ref().is_none_or(|there| {
                !there.host_ports.iter().any(|taken| wanted.iter().any(|w| w.conflicts(taken)))
            })
        })
}
