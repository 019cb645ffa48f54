//! Which nodes a tally counts on: the inclusion policies of spreading.

use crate::cluster::{Nodes, Slot, first_untolerated};
use crate::place::kube::admission::NodeRule;
use crate::workload::{PodClass, Toleration};

/// A condition on nodes; all parts hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(in super::super) struct Scope {
    /// Also nodes that the scheduler has not listed.
    pub(in super::super) unlisted: bool,
    /// `nodeAffinityPolicy: Honor`.
    pub(in super::super) affinity: Option<NodeRule>,
    /// `nodeTaintsPolicy: Honor`.
    pub(in super::super) tolerations: Option<Vec<Toleration>>,
    /// Labels that the node must carry.
    pub(in super::super) keys: Vec<String>,
}

impl Scope {
    fn includes(&self, nodes: &Nodes, slot: Slot) -> bool {
        let traits = nodes.traits_of(nodes.traits[slot.index()]);
        self.keys.iter().all(|key| nodes.label(slot, key).is_some())
            && self.affinity.as_ref().is_none_or(|rule| rule.admits(nodes, slot))
            && self.tolerations.as_ref().is_none_or(|tolerations| {
                let pod = PodClass { tolerations: tolerations.clone(), ..PodClass::default() };
                first_untolerated(traits, &pod).is_none()
            })
    }
}

/// A scope with what it includes.
#[derive(Debug, Clone)]
pub(in super::super) struct Included {
    pub(super) scope: Scope,
    /// Whether nodes of equal labels and taints can differ.
    by_name: bool,
    /// Known answers by traits.
    by_traits: Vec<Option<bool>>,
    /// By slot.
    pub(super) slots: Vec<bool>,
}

impl Included {
    pub(super) fn new(scope: Scope) -> Self {
        let by_name =
            scope.keys.iter().any(|key| key == crate::workload::constraints::HOSTNAME_LABEL)
                || scope.affinity.as_ref().is_some_and(NodeRule::looks_at_names);
        Included { scope, by_name, by_traits: Vec::new(), slots: Vec::new() }
    }

    /// Works the slot out anew.
    pub(super) fn read(&mut self, nodes: &Nodes, slot: usize) {
        self.slots[slot] = nodes.live[slot]
            && (self.scope.unlisted || nodes.listed[slot])
            && self.by_labels(nodes, slot);
    }

    fn by_labels(&mut self, nodes: &Nodes, slot: usize) -> bool {
        let at = Slot(slot as u32);
        if self.by_name {
            return self.scope.includes(nodes, at);
        }
        let traits = nodes.traits[slot].0 as usize;
        if self.by_traits.len() <= traits {
            self.by_traits.resize(traits + 1, None);
        }
        if let Some(known) = self.by_traits[traits] {
            return known;
        }
        let answer = self.scope.includes(nodes, at);
        self.by_traits[traits] = Some(answer);
        answer
    }
}
