//! How many nodes of one group the pending pods would fill
//! (`estimator/binpacking_estimator.go`, release 1.37).
//!
//! Groups of pods are taken in decreasing order of size; each first fills the
//! nodes imagined so far by rotating first-fit, then opens new ones. Pods of
//! a group being alike, the newest node takes none of those left over from
//! the first step, so every further node is filled to the same count: the
//! estimate costs O(groups · nodes) whatever the number of pods.
//!
//! DIFFERENCE: the search over imagined nodes starts at the first of them,
//! where upstream goes on from wherever its last search in an unordered list
//! ended. Groups of equal size keep their given order; upstream's sort is
//! not stable. Limits on its own computing time do not exist here.

use super::bins::{Admission, Bins, Walk};
use super::view::{Input, NodeTemplate};
use crate::units::{Bytes, MilliCpu};
use crate::workload::{ClassId, PodClass, Requests};

/// Pods that need a node, as the estimator takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Helpless {
    /// Their class.
    pub(super) class: ClassId,
    /// How many.
    pub(super) count: u32,
}

/// What an estimate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Estimate {
    /// Nodes with at least one of the pods.
    pub(super) nodes: u32,
    /// Pods that found a place.
    pub(super) pods: u64,
    /// Their cpu.
    pub(super) cpu: MilliCpu,
    /// Their memory.
    pub(super) memory: Bytes,
}

/// Cpu and memory of a pod as shares of the template's allocatable
/// (`estimator/decreasing_pod_orderer.go`).
fn size(requests: &Requests, template: &NodeTemplate) -> f64 {
    let share = |part: i64, whole: i64| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
    share(requests.cpu.0, template.allocatable.cpu.0)
        + share(requests.memory.0, template.allocatable.memory.0)
}

/// Packs all `groups` onto nodes like `template`, at most `limit` of them.
/// Groups that an empty template does not take must have been left out.
pub(super) fn estimate(
    input: &Input<'_>,
    admission: &mut Admission,
    bins: &mut Bins,
    template: &NodeTemplate,
    groups: &mut [Helpless],
    limit: u32,
) -> Estimate {
    let class = |id: ClassId| -> &PodClass { &input.classes[id.index()] };
    groups.sort_by(|a, b| {
        size(&class(b.class).requests, template)
            .total_cmp(&size(&class(a.class).requests, template))
    });
    bins.clear(input.nodes.extended_names());
    let mut result = Estimate::default();
    let mut newest_is_empty = false;
    let mut pointer = 0;
    for group in groups.iter() {
        let requests = &class(group.class).requests;
        let admitted = admission.row(group.class, class(group.class), input.nodes);
        let existing = bins.len();
        let (placed, next) =
            bins.fill(Walk::over(existing), pointer, admitted, requests, group.count, |node, _| {
                newest_is_empty &= node + 1 != existing;
            });
        pointer = next;
        let mut helped = placed;
        while helped < group.count && !newest_is_empty && (bins.len() as u32) < limit {
            bins.push(&template.allocatable, &template.preplaced, template.traits);
            let node = bins.len() - 1;
            let n = bins.room(node, admitted, requests).min(group.count - helped);
            if n == 0 {
                newest_is_empty = true;
                break;
            }
            bins.take(node, requests, n);
            helped += n;
        }
        result.pods += u64::from(helped);
        result.cpu.0 += i64::from(helped) * requests.cpu.0;
        result.memory.0 += i64::from(helped) * requests.memory.0;
    }
    result.nodes = bins.len() as u32 - u32::from(newest_is_empty);
    result
}
