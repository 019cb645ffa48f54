//! Nominations: nodes on which preemption made room for a pending pod. A pod
//! of no higher priority must fit there with and without it (`framework.go`,
//! `RunFilterPluginsWithNominatedPods`, 1.31).

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Kind, ScoreIndex};
use crate::cluster::{Nodes, PodId, Slot};
use crate::place::kube::pass::lowest_with;
use crate::place::kube::tally::NOWHERE;
use crate::workload::{ClassId, PodClass, Requests};

/// The pending pods that are nominated for a node, by pod, by node and by
/// class, so that no question about one of these walks them all.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Nominations {
    of: FxHashMap<PodId, Slot>,
    /// No list is empty.
    on: BTreeMap<Slot, Vec<(PodId, ClassId)>>,
    /// Pods by class; no count is 0.
    count: FxHashMap<ClassId, u32>,
    /// The pod whose attempt it is: its own nomination is not looked at.
    own: Option<PodId>,
}

impl Nominations {
    pub(in super::super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Nominates a node, in place of an earlier one.
    pub(in super::super) fn set(&mut self, pod: PodId, class: ClassId, slot: Slot) {
        self.clear(pod);
        self.of.insert(pod, slot);
        self.on.entry(slot).or_default().push((pod, class));
        *self.count.entry(class).or_default() += 1;
    }

    /// Forgets the nomination of a pod.
    pub(in super::super) fn clear(&mut self, pod: PodId) -> Option<Slot> {
        let slot = self.of.remove(&pod)?;
        let here = self.on.get_mut(&slot)?;
        let at = here.iter().position(|(other, _)| *other == pod)?;
        let (_, class) = here.remove(at);
        if here.is_empty() {
            self.on.remove(&slot);
        }
        if let Some(count) = self.count.get_mut(&class) {
            *count -= 1;
            if *count == 0 {
                self.count.remove(&class);
            }
        }
        Some(slot)
    }

    /// The node that the pod is nominated for.
    pub(in super::super) fn of(&self, pod: PodId) -> Option<Slot> {
        self.of.get(&pod).copied()
    }

    /// The pods nominated for a node, the longest nominated first.
    pub(in super::super) fn on(&self, slot: Slot) -> &[(PodId, ClassId)] {
        self.on.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// How many pods of the class are nominated for a node.
    pub(in super::super) fn count(&self, class: ClassId) -> u32 {
        self.count.get(&class).copied().unwrap_or(0)
    }
}

fn on_node(class: &PodClass) -> &Requests {
    class.on_node.as_deref().unwrap_or(&class.requests)
}

impl ScoreIndex {
    /// The attempt of this pod: its own nomination keeps it off no node.
    pub(in super::super) fn begin_attempt(&mut self, pod: PodId) {
        self.nominations.own = Some(pod);
    }

    /// The attempt is over.
    pub(in super::super) fn end_attempt(&mut self) {
        self.nominations.own = None;
    }

    /// Whether the node can take a pod of the class, with and without the pods
    /// nominated for it.
    pub fn is_feasible_on(&mut self, nodes: &Nodes, class: ClassId, slot: Slot) -> bool {
        let at = self.refresh(nodes, class);
        if !nodes.live[slot.index()] || self.planes[at].base(slot.index()) < 0 {
            return false;
        }
        self.tallies.sync(nodes);
        let kind = self.kind(class);
        self.passes_with(nodes, kind, slot, &[]) && {
            let extra = self.nominated_before(class, slot);
            extra.is_empty() || self.passes_with(nodes, kind, slot, &extra)
        }
    }

    /// Classes of the pods nominated for a node that a pod of the class must
    /// leave room for.
    fn nominated_before(&self, class: ClassId, slot: Slot) -> Vec<ClassId> {
        let priority = self.classes[class.index()].priority;
        let before = self.nominations.on(slot).iter().filter(|(pod, class)| {
            self.nominations.own != Some(*pod) && self.classes[class.index()].priority >= priority
        });
        before.map(|(_, class)| *class).collect()
    }

    /// Slots that the class must leave to nominated pods, ascending.
    pub(super) fn taken(&self, nodes: &Nodes, class: ClassId) -> Vec<u32> {
        if self.nominations.is_empty() {
            return Vec::new();
        }
        let kind = self.kind(class);
        let taken = self.nominations.on.keys().filter(|slot| {
            let extra = self.nominated_before(class, **slot);
            !extra.is_empty() && !self.passes_with(nodes, kind, **slot, &extra)
        });
        taken.map(|slot| slot.0).collect()
    }

    /// Capacity and the filters over other pods on one node, with further
    /// pods there.
    fn passes_with(&self, nodes: &Nodes, kind: &Kind, slot: Slot, extra: &[ClassId]) -> bool {
        let classes = || extra.iter().map(|class| &self.classes[class.index()]);
        let i = slot.index();
        let requests = &kind.class.requests;
        let room = |wanted: i64, taken: i64, allocatable: i64| {
            wanted == 0 || wanted <= allocatable - taken
        };
        let cpu: i64 = classes().map(|c| on_node(c).cpu.0).sum();
        let memory: i64 = classes().map(|c| on_node(c).memory.0).sum();
        let extended = requests.extended.iter().all(|(id, wanted)| {
            let of = |class: &PodClass| -> i64 {
                let amounts = on_node(class).extended.iter();
                amounts.filter(|(other, _)| other == id).map(|(_, amount)| amount).sum()
            };
            let index = i * nodes.extended_names() + id.index();
            let taken: i64 = nodes.extended[index] + classes().map(of).sum::<i64>();
            room(*wanted, taken, nodes.alloc_extended[index])
        });
        nodes.pods[i] + (extra.len() as i32) < nodes.alloc_pods[i]
            && room(requests.cpu.0, nodes.cpu[i] + cpu, nodes.alloc_cpu[i])
            && room(requests.memory.0, nodes.memory[i] + memory, nodes.alloc_memory[i])
            && extended
            && self.terms_hold_with(nodes, kind, i, extra)
    }

    fn terms_hold_with(&self, nodes: &Nodes, kind: &Kind, slot: usize, extra: &[ClassId]) -> bool {
        let (terms, tallies) = (&kind.terms, &self.tallies);
        let more = |tally: usize| -> i64 {
            extra.iter().map(|class| tallies.weight_at(tally, slot, *class)).sum()
        };
        let sum = |tally: usize| {
            // Where the node has no domain, nobody is near.
            if tallies.domain(tally, slot) == NOWHERE {
                0
            } else {
                tallies.sum_at(tally, slot) + more(tally)
            }
        };
        let limit = terms.volumes.and_then(|v| v.room(nodes, slot));
        if terms.claims.is_some_and(|claims| tallies.get(claims).total + more(claims) > 0)
            || terms.ports.is_some_and(|ports| sum(ports) > 0)
            || terms.avoid.iter().any(|term| sum(term.tally) > 0)
            || limit.is_some_and(|limit| terms.volumes.is_some_and(|v| sum(v.tally) > limit))
        {
            return false;
        }
        let spread = terms.hard.iter().all(|hard| {
            if tallies.domain(hard.term.tally, slot) == NOWHERE {
                return false;
            }
            let domain = tallies.domain(hard.term.tally, slot);
            lowest_with(tallies, hard, domain, more(hard.term.tally))
                .is_none_or(|lowest| sum(hard.term.tally) + hard.own - lowest <= hard.max_skew)
        });
        let nobody =
            terms.affinity.iter().all(|term| tallies.get(term.tally).total + more(term.tally) == 0);
        spread
            && terms.affinity.iter().all(|term| {
                tallies.domain(term.tally, slot) != NOWHERE
                    && (nobody && terms.first_of_its_kind || sum(term.tally) > 0)
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against one list of all.
        #[test]
        fn nominations_are_those_of_a_plain_list(
            steps in proptest::collection::vec((any::<bool>(), 0u32..8, 0u32..3, 0u32..4), 0..60),
        ) {
            let mut nominations = Nominations::default();
            let mut list: Vec<(PodId, ClassId, Slot)> = Vec::new();
            for (set, pod, class, slot) in steps {
                let (pod, class, slot) = (PodId(pod), ClassId(class), Slot(slot));
                let known = list.iter().position(|n| n.0 == pod).map(|at| list.remove(at).2);
                if set {
                    nominations.set(pod, class, slot);
                    list.push((pod, class, slot));
                } else {
                    prop_assert_eq!(nominations.clear(pod), known);
                }
                for slot in (0..4).map(Slot) {
                    let here = list.iter().filter(|n| n.2 == slot).map(|n| (n.0, n.1));
                    prop_assert_eq!(nominations.on(slot), here.collect::<Vec<_>>());
                    prop_assert_eq!(nominations.on.contains_key(&slot), list.iter().any(|n| n.2 == slot));
                }
                for pod in (0..8).map(PodId) {
                    let of = list.iter().find(|n| n.0 == pod).map(|n| n.2);
                    prop_assert_eq!(nominations.of(pod), of);
                }
                for class in (0..3).map(ClassId) {
                    let count = list.iter().filter(|n| n.1 == class).count() as u32;
                    prop_assert_eq!(nominations.count(class), count);
                }
                prop_assert_eq!(nominations.is_empty(), list.is_empty());
            }
        }
    }
}
