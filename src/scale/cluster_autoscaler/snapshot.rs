//! The cluster as one loop imagines it: what is free on each node, where
//! pending pods would go and where moved pods went.
//!
//! Nodes stand in order of creation, upcoming ones behind them. Imagined
//! pods hang on their node in a list inside one arena, so that a failed
//! simulation is undone by cutting the arena.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::bins::{Admission, Bins, Walk};
use super::config::Config;
use super::view::{Input, MemberState, NodeTemplate, PendingGroup, PodOnNode};
use crate::workload::ClassId;

/// No entry.
const NONE: u32 = u32::MAX;

/// Imagined pods of one class on one node.
#[derive(Debug, Clone, Copy)]
struct Imagined {
    node: u32,
    class: ClassId,
    count: u32,
    below: u32,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    bins: Bins,
    /// How many of the nodes exist.
    members: usize,
    /// Where the next search starts.
    pointer: usize,
    top: Vec<u32>,
    imagined: Vec<Imagined>,
}

/// When a group's next pod comes up: pod `i` of `n` at (2i + 1) / 2n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Turn {
    group: usize,
    placed: u32,
    count: u32,
}

impl Ord for Turn {
    /// The greatest comes up first.
    fn cmp(&self, other: &Self) -> Ordering {
        let left = (2 * u64::from(self.placed) + 1) * u64::from(other.count);
        let right = (2 * u64::from(other.placed) + 1) * u64::from(self.count);
        right.cmp(&left).then(other.group.cmp(&self.group))
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Snapshot {
    /// Takes the state of the cluster, with upcoming nodes as Ready and empty
    /// but for their `DaemonSet` pods (`core/static_autoscaler.go`,
    /// `addUpcomingNodesToClusterSnapshot`).
    pub(super) fn rebuild(
        &mut self,
        config: &Config,
        input: &Input<'_>,
        templates: &[NodeTemplate],
        pods: &mut Vec<PodOnNode>,
    ) {
        self.bins.clear(input.nodes.extended_names());
        for member in input.members {
            let open = input.nodes.open[member.slot.index()] && member.state == MemberState::Ready;
            self.bins.push_node(input.nodes, member.slot, open);
        }
        self.members = input.members.len();
        let expendable = |class: ClassId| {
            input.classes[class.index()].priority < config.expendable_pods_priority_cutoff
        };
        if (0..input.classes.len()).any(|i| expendable(ClassId(i as u32))) {
            for (i, member) in input.members.iter().enumerate() {
                pods.clear();
                (input.pods_on)(member.slot, pods);
                for pod in pods.iter().filter(|p| expendable(p.class)) {
                    self.bins.give(i, &input.classes[pod.class.index()].requests, 1);
                }
            }
        }
        for (group, template) in input.groups.iter().zip(templates) {
            for _ in 0..group.upcoming {
                self.bins.push(&template.allocatable, &template.preplaced, template.traits);
            }
        }
        self.pointer = 0;
        self.imagined.clear();
        self.top.clear();
        self.top.resize(self.bins.len(), NONE);
    }

    /// Requested cpu and memory of a node that exists, imagined pods
    /// included.
    pub(super) fn requested(&self, input: &Input<'_>, member: usize) -> (i64, i64) {
        let i = input.members[member].slot.index();
        let (cpu, memory) = self.bins.free(member);
        (input.nodes.alloc_cpu[i] - cpu, input.nodes.alloc_memory[i] - memory)
    }

    /// Places as many pods of equal priority as fit and takes them off their
    /// groups' counts. Groups take turns in proportion to their size; when a
    /// pod fits nowhere, neither does the rest of its group.
    pub(super) fn place_pending(
        &mut self,
        input: &Input<'_>,
        admission: &mut Admission,
        groups: &mut [PendingGroup],
    ) {
        let walk = Walk::over(self.bins.len());
        let mut turns: BinaryHeap<Turn> = groups
            .iter()
            .enumerate()
            .map(|(group, g)| Turn { group, placed: 0, count: g.count })
            .collect();
        while let Some(mut turn) = turns.pop() {
            let id = groups[turn.group].class;
            let class = &input.classes[id.index()];
            let admitted = admission.row(id, class, input.nodes);
            let (top, imagined) = (&mut self.top, &mut self.imagined);
            if turns.is_empty() {
                // The last group left needs no turns.
                let count = groups[turn.group].count;
                let (placed, next) = self.bins.fill(
                    walk,
                    self.pointer,
                    admitted,
                    &class.requests,
                    count,
                    |node, n| {
                        hang(top, imagined, node, id, n);
                    },
                );
                self.pointer = next;
                groups[turn.group].count -= placed;
                return;
            }
            let found =
                self.bins.first_fit(walk, self.pointer, usize::MAX, admitted, &class.requests);
            let Some(place) = found else { continue };
            let node = walk.node(place);
            self.bins.take(node, &class.requests, 1);
            hang(top, imagined, node, id, 1);
            self.pointer = place + 1;
            groups[turn.group].count -= 1;
            turn.placed += 1;
            if turn.placed < turn.count {
                turns.push(turn);
            }
        }
    }

    /// Calls `f` with class and count of the imagined pods on a node.
    pub(super) fn each_imagined(&self, node: usize, mut f: impl FnMut(ClassId, u32)) {
        let mut at = self.top[node];
        while let Some(entry) = self.imagined.get(at as usize) {
            f(entry.class, entry.count);
            at = entry.below;
        }
    }

    /// Moves the pods off a node onto others that exist and are open, all or
    /// none, and on success closes the node (`simulator/cluster.go`,
    /// `SimulateNodeRemoval`).
    pub(super) fn try_remove(
        &mut self,
        input: &Input<'_>,
        admission: &mut Admission,
        node: usize,
        pods: &[ClassId],
    ) -> bool {
        let (cut, pointer) = (self.imagined.len(), self.pointer);
        let walk = Walk::over(self.members);
        for id in pods {
            let class = &input.classes[id.index()];
            let admitted = admission.row(*id, class, input.nodes);
            let found = self.bins.first_fit(walk, self.pointer, node, admitted, &class.requests);
            let Some(place) = found else {
                self.undo(input, cut);
                self.pointer = pointer;
                return false;
            };
            let to = walk.node(place);
            self.bins.take(to, &class.requests, 1);
            hang(&mut self.top, &mut self.imagined, to, *id, 1);
            self.pointer = place + 1;
        }
        self.bins.close(node);
        true
    }

    fn undo(&mut self, input: &Input<'_>, cut: usize) {
        while self.imagined.len() > cut {
            let Some(entry) = self.imagined.pop() else { break };
            self.top[entry.node as usize] = entry.below;
            let requests = &input.classes[entry.class.index()].requests;
            self.bins.give(entry.node as usize, requests, entry.count);
        }
    }
}

fn hang(top: &mut [u32], imagined: &mut Vec<Imagined>, node: usize, class: ClassId, count: u32) {
    let below = std::mem::replace(&mut top[node], imagined.len() as u32);
    imagined.push(Imagined { node: node as u32, class, count, below });
}
