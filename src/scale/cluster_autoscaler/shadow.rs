//! Constraints of pods in the imagined cluster: which node takes a pod that
//! more than free capacity decides about.
//!
//! What depends on a node's labels and free capacity stays with [`super::bins`]. For the rest the
//! plain filters of the scheduler are asked, over a copy of the node columns
//! that follows the imagined pods. The copy is made when a loop first needs
//! it, and only pods that constraints can tell from others are placed in it.
//!
//! Cost: a copy of the columns a loop; for each class that is looked for, and
//! each option to grow, a count of the pods that its filters look at, O(nodes ·
//! classes on a node); one filter for each node that a pod tries.

use rustc_hash::FxHashMap;

use crate::cluster::{NodeInit, Nodes, PoolId, Purchase, ShapeId, Slot, ZoneId};
use crate::place::SchedulerProfile;
use crate::place::kube::{Filters, View};
use crate::workload::constraints::{Constraints, HOSTNAME_LABEL, NodeSelectorTerm};
use crate::workload::{ClassId, PodClass};

use super::view::{Input, NodeTemplate};

/// What constraints have to do with a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing: requests, node selector and tolerations decide.
    Free,
    /// Constraints of others may count its pods.
    Counted,
    /// Constraints decide where its pods can be.
    Restricted,
}

/// The kind of every class. Classes of a run stay the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    of: Vec<Kind>,
    any: bool,
    profiles: Vec<SchedulerProfile>,
}

impl Kinds {
    /// Looks at classes that are new.
    pub(super) fn sync(&mut self, classes: &[PodClass]) {
        if self.of.len() == classes.len() {
            return;
        }
        let all = || classes.iter().filter_map(|c| c.constraints.as_deref());
        // DIFFERENCE: upstream asks the filters of a scheduler with the default
        // configuration, whatever scheduler the pod names; so does this.
        let profiles = classes.iter().map(|c| usize::from(c.profile) + 1).max().unwrap_or(1);
        self.profiles = vec![SchedulerProfile::default(); profiles];
        self.of = classes
            .iter()
            .map(|class| match class.constraints.as_deref() {
                None => Kind::Free,
                Some(c) if restricts(c) || all().any(|other| repels(other, c)) => Kind::Restricted,
                Some(_) => Kind::Counted,
            })
            .collect();
        self.any = self.of.contains(&Kind::Restricted);
        if !self.any {
            // Nobody asks how many there are.
            self.of.fill(Kind::Free);
        }
    }

    /// Of a class.
    pub(super) fn of(&self, id: ClassId) -> Kind {
        self.of.get(id.index()).copied().unwrap_or(Kind::Free)
    }

    /// Whether constraints decide about any class.
    pub(super) fn any(&self) -> bool {
        self.any
    }
}

/// Whether constraints of its own keep a pod off nodes that have room and the
/// labels it wants: labels are looked at with the traits of nodes.
fn restricts(c: &Constraints) -> bool {
    let names = |t: &NodeSelectorTerm| {
        !t.match_fields.is_empty() || t.match_expressions.iter().any(|r| r.key == HOSTNAME_LABEL)
    };
    c.node_name.is_some()
        || c.required_nodes.iter().flatten().any(names)
        || !c.affinity.is_empty()
        || !c.anti_affinity.is_empty()
        || c.spread.iter().any(|s| s.hard)
        || !c.host_ports.is_empty()
        || c.attached_volumes > 0
        || !c.exclusive_claims.is_empty()
}

/// Whether pods with these constraints keep others away from themselves.
fn repels(of: &Constraints, other: &Constraints) -> bool {
    of.anti_affinity.iter().any(|term| term.matches(other))
}

/// A copy of the node columns with imagined nodes and pods.
#[derive(Debug, Clone)]
pub(super) struct Shadow {
    pub(super) nodes: Nodes,
    /// By index in the bins: nodes that exist, then upcoming ones.
    slots: Vec<Slot>,
    /// Imagined nodes so far; they are numbered to be told apart.
    imagined: u32,
}

impl Shadow {
    /// The cluster as it is, with upcoming nodes.
    pub(super) fn new(input: &Input<'_>, coming: &[NodeTemplate]) -> Self {
        let mut shadow = Shadow {
            nodes: input.nodes.clone(),
            slots: input.members.iter().map(|m| m.slot).collect(),
            imagined: 0,
        };
        for template in coming {
            let slot = shadow.add(template);
            shadow.slots.push(slot);
        }
        shadow
    }

    /// Adds a node like the template.
    pub(super) fn add(&mut self, template: &NodeTemplate) -> Slot {
        let init = NodeInit {
            pool: PoolId(u32::MAX),
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::OnDemand,
            traits: template.traits,
            allocatable: template.allocatable.clone(),
            record: u32::MAX,
        };
        let slot = self.nodes.add(&init, true);
        // A domain of its own (`simulator/node_info_utils.go`, release 1.37).
        self.nodes.set_name(slot, &format!("template-node-{}", self.imagined));
        self.imagined += 1;
        for requests in &template.preplaced {
            self.nodes.place(slot, requests);
        }
        slot
    }

    /// The slot of a node of the bins.
    pub(super) fn slot(&self, node: usize) -> Slot {
        self.slots[node]
    }

    /// Puts pods on a node.
    pub(super) fn place(&mut self, input: &Input<'_>, slot: Slot, id: ClassId, count: u32) {
        for _ in 0..count {
            self.nodes.place_pod(slot, id, &input.classes[id.index()]);
        }
    }

    /// Takes a pod off a node.
    pub(super) fn unplace(&mut self, input: &Input<'_>, slot: Slot, id: ClassId) {
        self.nodes.unplace_pod(slot, id, &input.classes[id.index()]);
    }
}

/// Filters of classes, which follow what is imagined.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    /// `None` for a class whose pods are rejected as a whole.
    all: FxHashMap<ClassId, Option<Filters<'a>>>,
}

impl<'a> Asked<'a> {
    /// Has the filters of a class at hand.
    pub(super) fn prepare(
        &mut self,
        shadow: &Shadow,
        kinds: &Kinds,
        input: &Input<'a>,
        id: ClassId,
    ) {
        if kinds.of(id) == Kind::Restricted {
            self.all.entry(id).or_insert_with(|| {
                Filters::new(&view(shadow, kinds, input), &input.classes[id.index()]).ok()
            });
        }
    }

    /// Whether a pod of a class whose filters are at hand may be on the node.
    pub(super) fn allows(
        &self,
        shadow: &Shadow,
        kinds: &Kinds,
        input: &Input<'_>,
        id: ClassId,
        slot: Slot,
    ) -> bool {
        let view = view(shadow, kinds, input);
        let passes = |f: &Filters<'_>| !f.excludes(&view, slot) && f.check(&view, slot).is_ok();
        let allows = self.all.get(&id).is_some_and(|f| f.as_ref().is_some_and(passes));
        #[cfg(test)]
        let fresh = Filters::new(&view, view.class(id)).is_ok_and(|f| passes(&f));
        #[cfg(test)]
        assert_eq!(allows, fresh, "filters are stale");
        allows
    }

    /// Follows pods that came to a node, or left it where `by` is negative.
    pub(super) fn shift(
        &mut self,
        shadow: &Shadow,
        kinds: &Kinds,
        input: &Input<'_>,
        (slot, other, by): (Slot, ClassId, i64),
    ) {
        if kinds.of(other) == Kind::Free {
            return;
        }
        let view = view(shadow, kinds, input);
        for filters in self.all.values_mut().flatten() {
            filters.shift(&view, slot, other, by);
        }
    }

    /// Follows a node that came.
    pub(super) fn node_added(
        &mut self,
        shadow: &Shadow,
        kinds: &Kinds,
        input: &Input<'_>,
        slot: Slot,
    ) {
        let view = view(shadow, kinds, input);
        for filters in self.all.values_mut().flatten() {
            filters.node_added(&view, slot);
        }
    }
}

fn view<'v>(shadow: &'v Shadow, kinds: &'v Kinds, input: &'v Input<'_>) -> View<'v> {
    View { nodes: &shadow.nodes, classes: input.classes, profiles: &kinds.profiles }
}
