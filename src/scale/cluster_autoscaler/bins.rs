//! Free capacity of nodes, and rotating first-fit over it.
//!
//! One loop works on a copy of what is free instead of on the node columns:
//! a copy of 500 nodes costs about a microsecond, whereas hypothetical
//! placements in the columns themselves would enter the change ledger twice
//! and make every score plane rescore what never changed.
//!
//! Pods of one class are placed by the group. Rotating first-fit hands one
//! pod to each node with room, round by round, so where `count` pods end is
//! computed from each node's room in O(nodes · log(room)), not pod by pod.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::cluster::{Capacity, Nodes, Slot, TraitsId, admits};
use crate::workload::constraints::Constraints;
use crate::workload::{ClassId, PodClass, Requests};

/// Per class, which traits let it in. Traits are interned and never change,
/// so a row stays valid and only grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Admission {
    rows: FxHashMap<ClassId, Vec<bool>>,
}

impl Admission {
    /// Whether the class may run on nodes with traits `i`, by index.
    pub(super) fn row(&mut self, id: ClassId, class: &PodClass, nodes: &Nodes) -> &[bool] {
        let row = self.rows.entry(id).or_default();
        for i in row.len()..nodes.traits_len() {
            let traits = nodes.traits_of(TraitsId(i as u32));
            let allowed = |c: &Arc<Constraints>| c.allow_node(|key| traits.label(key), None);
            row.push(admits(traits, class) && class.constraints.as_ref().is_none_or(allowed));
        }
        row
    }
}

/// The order in which the first `len` nodes are tried: a fixed stride of
/// about the golden section of `len`, which meets young and old nodes and
/// those of all groups in turn.
///
/// DIFFERENCE: upstream walks a list that comes out of a hash map, in another
/// order after every change. Any one order is among its possible ones, but
/// trying nodes by age packs better or worse than it typically does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walk {
    len: usize,
    step: usize,
}

impl Walk {
    /// A walk over nodes `0..len`.
    pub(super) fn over(len: usize) -> Self {
        const fn gcd(mut a: usize, mut b: usize) -> usize {
            while b > 0 {
                (a, b) = (b, a % b);
            }
            a
        }
        // 0.618 in 1/1000; 1 has no common factor with anything.
        let mut step = (len * 618 / 1_000).max(1);
        while gcd(step, len) > 1 {
            step -= 1;
        }
        Walk { len, step }
    }

    /// The node at a place of the walk.
    pub(super) fn node(self, place: usize) -> usize {
        place * self.step % self.len
    }

    /// (place, node) of every node, from a place on and round.
    fn from(self, start: usize) -> impl Iterator<Item = (usize, usize)> {
        let start = start.min(self.len);
        (start..self.len).chain(0..start).map(move |place| (place, self.node(place)))
    }
}

/// What is free on one node. Together, not as columns: every question about
/// a node reads all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Free {
    cpu: i64,
    memory: i64,
    pods: i32,
    traits: TraitsId,
    open: bool,
}

/// Free capacity of nodes, real or imagined.
#[derive(Debug, Clone, Default)]
pub(super) struct Bins {
    free: Vec<Free>,
    /// Extended resources, `extended_names` a node.
    extended: Vec<i64>,
    extended_names: usize,
    /// (place, room) of nodes with room; kept to save the allocation.
    rooms: Vec<(u32, u32)>,
}

impl Bins {
    /// Forgets all nodes.
    pub(super) fn clear(&mut self, extended_names: usize) {
        self.free.clear();
        self.extended.clear();
        self.extended_names = extended_names;
    }

    /// Nodes.
    pub(super) fn len(&self) -> usize {
        self.free.len()
    }

    /// Adds a node as it stands in the columns.
    pub(super) fn push_node(&mut self, nodes: &Nodes, slot: Slot, open: bool) {
        let i = slot.index();
        self.free.push(Free {
            cpu: nodes.alloc_cpu[i] - nodes.cpu[i],
            memory: nodes.alloc_memory[i] - nodes.memory[i],
            pods: nodes.alloc_pods[i] - nodes.pods[i],
            traits: nodes.traits[i],
            open,
        });
        let e = self.extended_names;
        for k in i * e..(i + 1) * e {
            self.extended.push(nodes.alloc_extended[k] - nodes.extended[k]);
        }
    }

    /// Adds an open node with this much allocatable and pods already on it.
    pub(super) fn push(
        &mut self,
        allocatable: &Capacity,
        preplaced: &[Requests],
        traits: TraitsId,
    ) {
        let i = self.len();
        self.free.push(Free {
            cpu: allocatable.cpu.0,
            memory: allocatable.memory.0,
            pods: i32::try_from(allocatable.pods).unwrap_or(i32::MAX),
            traits,
            open: true,
        });
        for k in 0..self.extended_names {
            self.extended.push(allocatable.extended.get(k).copied().unwrap_or(0));
        }
        for requests in preplaced {
            self.take(i, requests, 1);
        }
    }

    /// Closes a node to further pods.
    pub(super) fn close(&mut self, node: usize) {
        self.free[node].open = false;
    }

    /// Free cpu and memory of a node.
    pub(super) fn free(&self, node: usize) -> (i64, i64) {
        (self.free[node].cpu, self.free[node].memory)
    }

    /// Counts `n` pods onto a node.
    pub(super) fn take(&mut self, node: usize, requests: &Requests, n: u32) {
        self.shift(node, requests, -i64::from(n));
    }

    /// Takes `n` pods off a node.
    pub(super) fn give(&mut self, node: usize, requests: &Requests, n: u32) {
        self.shift(node, requests, i64::from(n));
    }

    fn shift(&mut self, node: usize, requests: &Requests, n: i64) {
        let free = &mut self.free[node];
        free.cpu += n * requests.cpu.0;
        free.memory += n * requests.memory.0;
        free.pods += n as i32;
        for (id, amount) in &requests.extended {
            self.extended[node * self.extended_names + id.index()] += n * amount;
        }
    }

    /// How many such pods a node still takes: what `Nodes::fits` says yes to,
    /// one after the other. `admitted` is the class's admission row.
    pub(super) fn room(&self, node: usize, admitted: &[bool], requests: &Requests) -> u32 {
        let free = &self.free[node];
        if !free.open || free.pods <= 0 || !admitted[free.traits.0 as usize] {
            return 0;
        }
        let mut room = i64::from(free.pods);
        if requests.cpu.0 > 0 {
            room = room.min(free.cpu / requests.cpu.0);
        }
        if requests.memory.0 > 0 {
            room = room.min(free.memory / requests.memory.0);
        }
        for (id, amount) in &requests.extended {
            room = room.min(self.extended[node * self.extended_names + id.index()] / amount);
        }
        u32::try_from(room.max(0)).unwrap_or(u32::MAX)
    }

    /// The first place in the walk from `start` on whose node takes the pod,
    /// is not `except` and passes what `also` asks.
    pub(super) fn first_fit(
        &self,
        walk: Walk,
        start: usize,
        except: usize,
        admitted: &[bool],
        requests: &Requests,
        also: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        walk.from(start)
            .find(|(_, i)| *i != except && self.room(*i, admitted, requests) > 0 && also(*i))
            .map(|(place, _)| place)
    }

    /// Places up to `count` pods by rotating first-fit along `walk`, starting
    /// at place `start`: each pod goes to the first node that takes it, beginning
    /// one past the node of the pod before. Calls `placed` with each node and
    /// how many it got. Returns how many were placed and where the next pod
    /// starts (`simulator/clustersnapshot/predicate/plugin_runner.go`,
    /// release 1.37).
    pub(super) fn fill(
        &mut self,
        walk: Walk,
        start: usize,
        admitted: &[bool],
        requests: &Requests,
        count: u32,
        mut placed: impl FnMut(usize, u32),
    ) -> (u32, usize) {
        let mut rooms = std::mem::take(&mut self.rooms);
        rooms.clear();
        for (place, i) in walk.from(start) {
            let room = self.room(i, admitted, requests);
            if room > 0 {
                rooms.push((place as u32, room));
            }
        }
        // Whole rounds: the most for which one pod a node and round is not
        // more than there are pods.
        let upto = |level: u32| rooms.iter().map(|(_, k)| u64::from(*k.min(&level))).sum::<u64>();
        let count = u64::from(count);
        let most = rooms.iter().map(|(_, k)| *k).max().unwrap_or(0);
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = high - (high - low) / 2;
            if upto(middle) <= count { low = middle } else { high = middle - 1 }
        }
        // The round after them reaches only the first `rest` nodes with room.
        let mut rest = if low < most { count - upto(low) } else { 0 };
        let partial = rest > 0;
        let (mut total, mut next) = (0u64, start);
        for (place, room) in &rooms {
            let extra = u32::from(rest > 0 && *room > low);
            rest -= u64::from(extra);
            let n = low.min(*room) + extra;
            if n == 0 {
                continue;
            }
            let node = walk.node(*place as usize);
            self.take(node, requests, n);
            placed(node, n);
            total += u64::from(n);
            let served_last = if partial { extra > 0 } else { n == low };
            if served_last {
                next = *place as usize + 1;
            }
        }
        self.rooms = rooms;
        (total as u32, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bytes, MilliCpu};
    use proptest::prelude::*;

    fn requests(cpu: i64, memory: i64) -> Requests {
        Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), Vec::new())
    }

    fn bins(free: &[(i64, i64, u32)]) -> Bins {
        let mut bins = Bins::default();
        bins.clear(0);
        for (cpu, memory, pods) in free {
            let allocatable = Capacity {
                cpu: MilliCpu(*cpu),
                memory: Bytes(*memory),
                pods: *pods,
                extended: Vec::new(),
            };
            bins.push(&allocatable, &[], TraitsId(0));
        }
        bins
    }

    #[test]
    fn rounds_give_one_pod_to_each_node_with_room() {
        // Room for 2, 0, 3 and 1 pods of 100m; five pods from node 1 on:
        // nodes 2, 3, 0, then 2, 0.
        let mut b = bins(&[(200, 9, 9), (99, 9, 9), (300, 9, 9), (500, 9, 1)]);
        let mut got = [0; 4];
        let (n, next) =
            b.fill(Walk { len: 4, step: 1 }, 1, &[true], &requests(100, 1), 5, |i, n| got[i] += n);
        assert_eq!((n, next, got), (5, 1, [2, 0, 2, 1]));
        // One place is left, on node 2; of seven pods one fits.
        let (n, next) =
            b.fill(Walk { len: 4, step: 1 }, 1, &[true], &requests(100, 1), 7, |_, _| {});
        assert_eq!((n, next), (1, 3));
        assert_eq!(
            b.fill(Walk { len: 4, step: 1 }, 3, &[true], &requests(100, 1), 7, |_, _| {}),
            (0, 3)
        );
    }

    #[test]
    fn a_walk_meets_every_node_once() {
        for len in 0..200 {
            let mut nodes: Vec<usize> = Walk::over(len).from(len / 3).map(|(_, i)| i).collect();
            nodes.sort_unstable();
            assert!(nodes.iter().copied().eq(0..len), "{len}");
        }
        // 618 of 1,000 and 1,000 are even, 617 is prime to it.
        assert_eq!(Walk::over(1_000), Walk { len: 1_000, step: 617 });
    }

    #[test]
    fn absent_requests_need_only_a_pod_slot() {
        let b = bins(&[(-5, -5, 2)]);
        assert_eq!(b.room(0, &[true], &requests(0, 0)), 2);
        assert_eq!(b.room(0, &[true], &requests(1, 0)), 0);
        assert_eq!(b.room(0, &[false], &requests(0, 0)), 0);
    }

    proptest! {
        #[test]
        fn filling_by_the_group_equals_placing_pod_by_pod(
            free in proptest::collection::vec((0i64..40, 0i64..40, 0u32..6), 0..12),
            start in 0usize..12, cpu in 0i64..6, memory in 0i64..6, count in 0u32..40,
        ) {
            let (mut fast, mut plain) = (bins(&free), bins(&free));
            let (walk, r) = (Walk::over(free.len()), requests(cpu, memory));
            let start = start.min(free.len());
            let mut got = vec![0; free.len()];
            let (n, next) = fast.fill(walk, start, &[true], &r, count, |i, n| got[i] += n);
            let mut expect = vec![0; free.len()];
            let (mut placed, mut pointer) = (0, start);
            while placed < count {
                let Some(place) = plain.first_fit(walk, pointer, usize::MAX, &[true], &r, |_| true) else { break };
                let i = walk.node(place);
                plain.take(i, &r, 1);
                expect[i] += 1;
                placed += 1;
                pointer = place + 1;
            }
            prop_assert_eq!((n, next, got), (placed, pointer, expect));
            prop_assert_eq!(&fast.free, &plain.free);
        }
    }
}
