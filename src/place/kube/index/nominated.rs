//! Nominations: nodes on which preemption made room for a pending pod. A pod
//! of no higher priority must fit there with and without it (`framework.go`,
//! `RunFilterPluginsWithNominatedPods`, 1.31).

use super::{Kind, ScoreIndex};
use crate::cluster::{Nodes, PodId, Slot};
use crate::place::kube::pass::lowest_with;
use crate::place::kube::tally::NOWHERE;
use crate::workload::{ClassId, PodClass, Requests};

/// A pending pod and the node it is nominated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Nomination {
    pub(in super::super) pod: PodId,
    pub(in super::super) class: ClassId,
    pub(in super::super) slot: Slot,
    /// Not looked at: it is this pod's own attempt.
    pub(in super::super) own: bool,
}

fn on_node(class: &PodClass) -> &Requests {
    class.on_node.as_deref().unwrap_or(&class.requests)
}

impl ScoreIndex {
    /// The attempt of this pod: its own nomination keeps it off no node.
    pub(in super::super) fn begin_attempt(&mut self, pod: PodId) {
        self.nominations.iter_mut().for_each(|n| n.own = n.pod == pod);
    }

    /// The attempt is over.
    pub(in super::super) fn end_attempt(&mut self) {
        self.nominations.iter_mut().for_each(|n| n.own = false);
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
        let before = self.nominations.iter().filter(|n| {
            n.slot == slot && !n.own && self.classes[n.class.index()].priority >= priority
        });
        before.map(|n| n.class).collect()
    }

    /// Slots that the class must leave to nominated pods, ascending.
    pub(super) fn taken(&self, nodes: &Nodes, class: ClassId) -> Vec<u32> {
        if self.nominations.is_empty() {
            return Vec::new();
        }
        let mut slots: Vec<u32> = self.nominations.iter().map(|n| n.slot.0).collect();
        slots.sort_unstable();
        slots.dedup();
        let kind = self.kind(class);
        slots.retain(|slot| {
            let extra = self.nominated_before(class, Slot(*slot));
            !extra.is_empty() && !self.passes_with(nodes, kind, Slot(*slot), &extra)
        });
        slots
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
