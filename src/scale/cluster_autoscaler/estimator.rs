//! How many nodes of one group the pending pods would fill
//! (`estimator/binpacking_estimator.go`, release 1.37).
//!
//! Groups of pods are taken in decreasing order of size; each first fills the
//! nodes imagined so far by rotating first-fit, then opens new ones. Pods of
//! a group being alike, the newest node takes none of those left over from
//! the first step, so every further node is filled to the same count: the
//! estimate costs O(groups · nodes) whatever the number of pods.
//!
//! Pods that constraints decide about are packed one by one, each on the
//! newest node or on another new one, as upstream does.
//!
//! DIFFERENCE: from some later version on, a pod with a spread over host names
//! that the newest node rejects for it is tried on every other node as well;
//! here it gets another new node or none, as in 1.31.
//!
//! DIFFERENCE: the search over imagined nodes starts at the first of them,
//! where upstream goes on from wherever its last search in an unordered list
//! ended. Groups of equal size keep their given order; upstream's sort is
//! not stable. Limits on its own computing time do not exist here.

use super::bins::{Admission, Bins, Walk};
use super::shadow::{Asked, Kind, Kinds, Shadow};
use super::view::{Input, NodeTemplate};
use crate::cluster::Slot;
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

/// Nodes imagined by one estimate, in the bins and, where constraints are
/// asked, in the shadow.
struct Fresh<'e> {
    template: &'e NodeTemplate,
    slots: Vec<Slot>,
}

impl Fresh<'_> {
    /// Lets the shadow have as many of them as the bins.
    fn follow(&mut self, shadow: &mut Shadow, count: usize) {
        while self.slots.len() < count {
            self.slots.push(shadow.add(self.template));
        }
    }
}

/// Whether an empty node like the template takes a pod of the class, the
/// cluster being as it is imagined.
pub(super) fn helps(
    input: &Input<'_>,
    admission: &mut Admission,
    bins: &mut Bins,
    (kinds, shadow): (&Kinds, Option<&mut Shadow>),
    template: &NodeTemplate,
    id: ClassId,
) -> bool {
    let class = &input.classes[id.index()];
    bins.clear(input.nodes.extended_names());
    bins.push(&template.allocatable, &template.preplaced, template.traits);
    if bins.room(0, admission.row(id, class, input.nodes), &class.requests) == 0 {
        return false;
    }
    match shadow {
        Some(shadow) if kinds.of(id) == Kind::Restricted => {
            let mark = shadow.nodes.begin();
            let slot = shadow.add(template);
            let mut asked = Asked::default();
            asked.prepare(shadow, kinds, input, id);
            let takes = asked.allows(shadow, kinds, input, id, slot);
            shadow.nodes.rollback(mark);
            takes
        }
        _ => true,
    }
}

/// Packs all `groups` onto nodes like `template`, at most `limit` of them.
/// Groups that an empty template does not take must have been left out.
pub(super) fn estimate(
    input: &Input<'_>,
    admission: &mut Admission,
    bins: &mut Bins,
    (kinds, mut shadow): (&Kinds, Option<&mut Shadow>),
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
    let mark = shadow.as_mut().map(|shadow| shadow.nodes.begin());
    let mut fresh = Fresh { template, slots: Vec::new() };
    let mut result = Estimate::default();
    let mut newest_is_empty = false;
    let mut pointer = 0;
    for group in groups.iter() {
        let requests = &class(group.class).requests;
        let admitted = admission.row(group.class, class(group.class), input.nodes);
        let kind = kinds.of(group.class);
        let helped = match shadow.as_deref_mut() {
            Some(shadow) if kind == Kind::Restricted => {
                let mut packing = Packing {
                    input,
                    kinds,
                    bins,
                    shadow,
                    asked: Asked::default(),
                    fresh: &mut fresh,
                    newest_is_empty: &mut newest_is_empty,
                    pointer: &mut pointer,
                };
                packing.one_by_one(*group, admitted, limit)
            }
            shadow => {
                let mut filled = Vec::new();
                let existing = bins.len();
                let walk = Walk::over(existing);
                let (placed, next) =
                    bins.fill(walk, pointer, admitted, requests, group.count, |node, n| {
                        newest_is_empty &= node + 1 != existing;
                        filled.push((node, n));
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
                    filled.push((node, n));
                    helped += n;
                }
                if let (Some(shadow), Kind::Counted) = (shadow, kind) {
                    fresh.follow(shadow, bins.len());
                    for (node, n) in filled {
                        shadow.place(input, fresh.slots[node], group.class, n);
                    }
                }
                helped
            }
        };
        result.pods += u64::from(helped);
        result.cpu.0 += i64::from(helped) * requests.cpu.0;
        result.memory.0 += i64::from(helped) * requests.memory.0;
    }
    result.nodes = bins.len() as u32 - u32::from(newest_is_empty);
    if let (Some(shadow), Some(mark)) = (shadow, mark) {
        shadow.nodes.rollback(mark);
    }
    result
}

/// An estimate while it packs pods that constraints decide about.
struct Packing<'p, 'e> {
    input: &'p Input<'p>,
    kinds: &'p Kinds,
    bins: &'p mut Bins,
    shadow: &'p mut Shadow,
    asked: Asked<'p>,
    fresh: &'p mut Fresh<'e>,
    newest_is_empty: &'p mut bool,
    pointer: &'p mut usize,
}

impl Packing<'_, '_> {
    /// Packs a group; returns how many of its pods found a place.
    fn one_by_one(&mut self, group: Helpless, admitted: &[bool], limit: u32) -> u32 {
        let requests = &self.input.classes[group.class.index()].requests;
        self.fresh.follow(self.shadow, self.bins.len());
        self.asked.prepare(self.shadow, self.kinds, self.input, group.class);
        let mut helped = 0;
        let walk = Walk::over(self.bins.len());
        while helped < group.count {
            let also = |node: usize| self.allows(group.class, node);
            let start = *self.pointer;
            let found = self.bins.first_fit(walk, start, usize::MAX, admitted, requests, also);
            let Some(place) = found else { break };
            self.take(group.class, walk.node(place));
            *self.pointer = place + 1;
            helped += 1;
        }
        while helped < group.count {
            let newest = self.bins.len().checked_sub(1);
            if let Some(newest) = newest.filter(|node| self.accepts(group.class, *node, admitted)) {
                self.take(group.class, newest);
                helped += 1;
                continue;
            }
            if *self.newest_is_empty || self.bins.len() as u32 >= limit {
                break;
            }
            let template = self.fresh.template;
            self.bins.push(&template.allocatable, &template.preplaced, template.traits);
            self.fresh.follow(self.shadow, self.bins.len());
            *self.newest_is_empty = true;
            let node = self.bins.len() - 1;
            let slot = self.fresh.slots[node];
            self.asked.node_added(self.shadow, self.kinds, self.input, slot);
            if !self.accepts(group.class, node, admitted) {
                break;
            }
            self.take(group.class, node);
            helped += 1;
        }
        helped
    }

    fn accepts(&self, id: ClassId, node: usize, admitted: &[bool]) -> bool {
        let requests = &self.input.classes[id.index()].requests;
        self.bins.room(node, admitted, requests) > 0 && self.allows(id, node)
    }

    fn allows(&self, id: ClassId, node: usize) -> bool {
        self.asked.allows(self.shadow, self.kinds, self.input, id, self.fresh.slots[node])
    }

    fn take(&mut self, id: ClassId, node: usize) {
        self.bins.take(node, &self.input.classes[id.index()].requests, 1);
        let slot = self.fresh.slots[node];
        self.shadow.place(self.input, slot, id, 1);
        self.asked.shift(self.shadow, self.kinds, self.input, (slot, id, 1));
        if node + 1 == self.bins.len() {
            *self.newest_is_empty = false;
        }
    }
}
