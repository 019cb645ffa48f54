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
use super::shadow::{Asked, Kind, Kinds, Shadow};
use super::view::{Input, MemberState, NodeTemplate, PendingGroup, PodOnNode, PodRole};
use crate::cluster::Slot;
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
    pub(super) kinds: Kinds,
    /// Templates of the upcoming nodes, where constraints may ask for them.
    coming: Vec<NodeTemplate>,
    /// Pods that are on nodes and do not count.
    expendable: Vec<(Slot, ClassId)>,
    /// Made where constraints are asked.
    pub(super) shadow: Option<Shadow>,
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
        self.kinds.sync(input.classes);
        self.shadow = None;
        self.coming.clear();
        self.expendable.clear();
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
                    if pod.role != PodRole::Daemon {
                        self.expendable.push((member.slot, pod.class));
                    }
                }
            }
        }
        for (group, template) in input.groups.iter().zip(templates) {
            for _ in 0..group.upcoming {
                self.bins.push(&template.allocatable, &template.preplaced, template.traits);
                if self.kinds.any() {
                    self.coming.push(template.clone());
                }
            }
        }
        self.pointer = 0;
        self.imagined.clear();
        self.top.clear();
        self.top.resize(self.bins.len(), NONE);
    }

    /// Makes the shadow where pods of the class need it, and has its filters at
    /// hand.
    fn ask<'a>(&mut self, input: &Input<'a>, asked: &mut Asked<'a>, id: ClassId) {
        self.prepare(input, id);
        if let Some(shadow) = &self.shadow {
            asked.prepare(shadow, &self.kinds, input, id);
        }
    }

    /// Makes the shadow where pods of the class need it.
    pub(super) fn prepare(&mut self, input: &Input<'_>, id: ClassId) {
        if self.kinds.of(id) != Kind::Restricted || self.shadow.is_some() {
            return;
        }
        let mut shadow = Shadow::new(input, &self.coming);
        for (slot, class) in &self.expendable {
            shadow.unplace(input, *slot, *class);
        }
        for entry in &self.imagined {
            if self.kinds.of(entry.class) != Kind::Free {
                let slot = shadow.slot(entry.node as usize);
                shadow.place(input, slot, entry.class, entry.count);
            }
        }
        self.shadow = Some(shadow);
    }

    /// Where the search from the pointer on finds room for a pod.
    fn find(
        &self,
        input: &Input<'_>,
        walk: Walk,
        except: usize,
        admitted: &[bool],
        (id, asked): (ClassId, &Asked<'_>),
    ) -> Option<usize> {
        let requests = &input.classes[id.index()].requests;
        let (bins, start) = (&self.bins, self.pointer);
        match &self.shadow {
            Some(shadow) if self.kinds.of(id) == Kind::Restricted => {
                let also =
                    |node: usize| asked.allows(shadow, &self.kinds, input, id, shadow.slot(node));
                bins.first_fit(walk, start, except, admitted, requests, also)
            }
            _ => bins.first_fit(walk, start, except, admitted, requests, |_| true),
        }
    }

    /// Imagines pods on a node.
    fn imagine(
        &mut self,
        input: &Input<'_>,
        asked: &mut Asked<'_>,
        node: usize,
        (id, count): (ClassId, u32),
    ) {
        hang(&mut self.top, &mut self.imagined, node, id, count);
        if let Some(shadow) = &mut self.shadow
            && self.kinds.of(id) != Kind::Free
        {
            let slot = shadow.slot(node);
            shadow.place(input, slot, id, count);
            asked.shift(shadow, &self.kinds, input, (slot, id, i64::from(count)));
        }
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
        let mut asked = Asked::default();
        while let Some(mut turn) = turns.pop() {
            let id = groups[turn.group].class;
            let class = &input.classes[id.index()];
            self.ask(input, &mut asked, id);
            let admitted = admission.row(id, class, input.nodes);
            if turns.is_empty() && self.kinds.of(id) != Kind::Restricted {
                // The last group left needs no turns.
                let count = groups[turn.group].count;
                let mut filled = Vec::new();
                let (placed, next) = self.bins.fill(
                    walk,
                    self.pointer,
                    admitted,
                    &class.requests,
                    count,
                    |node, n| filled.push((node, n)),
                );
                self.pointer = next;
                for (node, n) in filled {
                    self.imagine(input, &mut asked, node, (id, n));
                }
                groups[turn.group].count -= placed;
                return;
            }
            let found = self.find(input, walk, usize::MAX, admitted, (id, &asked));
            let Some(place) = found else { continue };
            let node = walk.node(place);
            self.bins.take(node, &class.requests, 1);
            self.imagine(input, &mut asked, node, (id, 1));
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
            self.prepare(input, *id);
        }
        // They leave their node first, so that they are not in their own way.
        // What succeeds is never undone: the copy does not outlive the loop.
        let mark = self.shadow.as_mut().map(|shadow| {
            let mark = shadow.nodes.begin();
            let slot = shadow.slot(node);
            for id in pods.iter().filter(|id| self.kinds.of(**id) != Kind::Free) {
                shadow.unplace(input, slot, *id);
            }
            mark
        });
        let mut asked = Asked::default();
        for id in pods {
            let class = &input.classes[id.index()];
            self.ask(input, &mut asked, *id);
            let admitted = admission.row(*id, class, input.nodes);
            let Some(place) = self.find(input, walk, node, admitted, (*id, &asked)) else {
                self.undo(input, cut);
                if let (Some(shadow), Some(mark)) = (&mut self.shadow, mark) {
                    shadow.nodes.rollback(mark);
                }
                self.pointer = pointer;
                return false;
            };
            let to = walk.node(place);
            self.bins.take(to, &class.requests, 1);
            self.imagine(input, &mut asked, to, (*id, 1));
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
