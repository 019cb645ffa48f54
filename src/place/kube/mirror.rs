//! The node columns once more, one cache line per slot, in the form in which
//! scores are computed from them.
//!
//! Rescoring visits few slots in no order: ten columns would be ten cache
//! misses, a line is one. A line also carries reciprocals, so that a score
//! takes no division: a product with a reciprocal is corrected, or recognised
//! as too close to call and computed as upstream does. About 5 ns a score.

use super::score::{MAX_NODE_SCORE, Scoring, balance_score, resource_score};
use crate::cluster::Nodes;
use crate::workload::Requests;

/// What a pod of a class asks of a line.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Smallest free cpu that is enough: any at all where none is requested.
    need_cpu: i64,
    need_memory: i64,
    cpu: i64,
    memory: i64,
    nonzero_cpu: i64,
    nonzero_memory: i64,
    /// (index of the resource, amount).
    pub(super) extended: Vec<(usize, i64)>,
}

impl Ask {
    pub(super) fn new(requests: &Requests) -> Self {
        let need = |request: i64| if request == 0 { i64::MIN } else { request };
        Ask {
            need_cpu: need(requests.cpu.0),
            need_memory: need(requests.memory.0),
            cpu: requests.cpu.0,
            memory: requests.memory.0,
            nonzero_cpu: requests.nonzero_cpu.0,
            nonzero_memory: requests.nonzero_memory.0,
            extended: requests.extended.iter().map(|(id, n)| (id.index(), *n)).collect(),
        }
    }
}

/// One slot.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line {
    free_cpu: i64,
    free_memory: i64,
    alloc_cpu: i64,
    alloc_memory: i64,
    /// Allocatable minus the requests that the fit score counts.
    left_cpu: i64,
    left_memory: i64,
    /// 1/allocatable, 0 where there is none.
    inverse_cpu: f32,
    inverse_memory: f32,
    /// Further pods, [`CLOSED`] where the slot is closed or holds no node.
    free_pods: i32,
    pub(super) traits: u32,
}

/// Fewer free pods than any open slot can have.
const CLOSED: i32 = i32::MIN;

impl Line {
    /// A slot without a node.
    const ABSENT: Line = Line {
        free_cpu: 0,
        free_memory: 0,
        alloc_cpu: 0,
        alloc_memory: 0,
        left_cpu: 0,
        left_memory: 0,
        inverse_cpu: 0.0,
        inverse_memory: 0.0,
        free_pods: CLOSED,
        traits: 0,
    };

    fn read(nodes: &Nodes, i: usize) -> Self {
        let inverse =
            |capacity: i64| if capacity > 0 { (1.0 / capacity as f64) as f32 } else { 0.0 };
        Line {
            free_cpu: nodes.alloc_cpu[i] - nodes.cpu[i],
            free_memory: nodes.alloc_memory[i] - nodes.memory[i],
            alloc_cpu: nodes.alloc_cpu[i],
            alloc_memory: nodes.alloc_memory[i],
            left_cpu: nodes.alloc_cpu[i] - nodes.nonzero_cpu[i],
            left_memory: nodes.alloc_memory[i] - nodes.nonzero_memory[i],
            inverse_cpu: inverse(nodes.alloc_cpu[i]),
            inverse_memory: inverse(nodes.alloc_memory[i]),
            free_pods: if nodes.open[i] { nodes.alloc_pods[i] - nodes.pods[i] } else { CLOSED },
            traits: nodes.traits[i].0,
        }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.free_pods != CLOSED
    }

    /// Whether free cpu, memory and pods hold the pod and the slot is open.
    #[inline]
    pub(super) fn fits(&self, ask: &Ask) -> bool {
        (self.free_pods > 0)
            & (ask.need_cpu <= self.free_cpu)
            & (ask.need_memory <= self.free_memory)
    }

    /// `NodeResourcesFit` plus `NodeResourcesBalancedAllocation` of a slot that
    /// fits: the integers of `score`, without its divisions.
    #[inline]
    pub(super) fn score<const MOST: bool>(&self, ask: &Ask) -> i16 {
        if self.alloc_cpu <= 0 || self.alloc_memory <= 0 {
            return self.score_plainly(
                if MOST { Scoring::MostAllocated } else { Scoring::LeastAllocated },
                ask,
            );
        }
        let cpu = Self::percent::<MOST>(
            self.left_cpu - ask.nonzero_cpu,
            self.alloc_cpu,
            self.inverse_cpu,
        );
        let memory = Self::percent::<MOST>(
            self.left_memory - ask.nonzero_memory,
            self.alloc_memory,
            self.inverse_memory,
        );
        ((cpu + memory) / 2 + self.balance(ask)) as i16
    }

    /// `100·n/capacity` for n = what is left (or, packing, what is taken),
    /// kept within 0..=capacity.
    ///
    /// Exact: the reciprocal is off by less than one part in 2^23, so the
    /// estimate, at most 100, is off by less than one, and the remainder says
    /// in which direction. Capacities stay below 2^53 (`units`), so nothing
    /// overflows.
    #[inline]
    fn percent<const MOST: bool>(left: i64, capacity: i64, inverse: f32) -> i32 {
        let left = left.clamp(0, capacity);
        let n = MAX_NODE_SCORE * if MOST { capacity - left } else { left };
        let estimate = (n as f64 * f64::from(inverse)) as i32;
        let rest = n - i64::from(estimate) * capacity;
        estimate + i32::from(rest >= capacity) - i32::from(rest < 0)
    }

    /// The balance score by reciprocals, unless that is too close to an
    /// integer to know on which side upstream's doubles fall: the estimate
    /// errs by less than 2·10^-5, upstream by less than 10^-12.
    #[inline]
    fn balance(&self, ask: &Ask) -> i32 {
        const MARGIN: f64 = 1e-4;
        let cpu = self.alloc_cpu - self.free_cpu + ask.cpu;
        let memory = self.alloc_memory - self.free_memory + ask.memory;
        let cpu_fraction = (cpu as f64 * f64::from(self.inverse_cpu)).min(1.0);
        let memory_fraction = (memory as f64 * f64::from(self.inverse_memory)).min(1.0);
        let value = 100.0 - (cpu_fraction - memory_fraction).abs() * 50.0;
        let whole = value as i32;
        let part = value - f64::from(whole);
        if part > MARGIN && part < 1.0 - MARGIN {
            whole
        } else {
            balance_score(cpu, self.alloc_cpu, memory, self.alloc_memory) as i32
        }
    }

    /// For nodes without cpu or memory.
    #[cold]
    fn score_plainly(&self, scoring: Scoring, ask: &Ask) -> i16 {
        let (mut sum, mut weights) = (0, 0);
        for (left, capacity) in [
            (self.left_cpu - ask.nonzero_cpu, self.alloc_cpu),
            (self.left_memory - ask.nonzero_memory, self.alloc_memory),
        ] {
            if capacity > 0 {
                sum += resource_score(scoring, capacity - left, capacity);
                weights += 1;
            }
        }
        let fit = if weights == 0 { 0 } else { sum / weights };
        // Fewer than two resources: no deviation.
        (fit + MAX_NODE_SCORE) as i16
    }
}

/// All slots, following the ledger.
#[derive(Debug, Clone, Default)]
pub(super) struct Mirror {
    pub(super) lines: Vec<Line>,
    /// Ledger position (its low bits) at which each slot changed last.
    last: Vec<u32>,
    /// Open slots by traits.
    pub(super) open_by_traits: Vec<u32>,
    /// Counts changes of [`Mirror::open_by_traits`].
    pub(super) open_version: u64,
    position: u64,
}

impl Mirror {
    /// Reads what changed. Afterwards the mirror equals the columns.
    #[inline]
    pub(super) fn sync(&mut self, nodes: &Nodes) {
        if self.position != nodes.ledger.head() {
            self.catch_up(nodes);
        }
    }

    fn catch_up(&mut self, nodes: &Nodes) {
        if self.lines.len() < nodes.slots() {
            self.lines.resize(nodes.slots(), Line::ABSENT);
            self.last.resize(nodes.slots(), 0);
        }
        // A cluster may use traits 0 without having interned any.
        let traits = nodes.traits_len().max(1);
        if self.open_by_traits.len() < traits {
            self.open_by_traits.resize(traits, 0);
        }
        let head = nodes.ledger.head();
        match nodes.ledger.since(self.position) {
            Some(changed) if changed.len() <= 4 * self.lines.len() => {
                let mut position = self.position as u32;
                for slot in changed {
                    self.read(nodes, *slot as usize);
                    self.last[*slot as usize] = position;
                    position = position.wrapping_add(1);
                }
            }
            changed => {
                for slot in 0..nodes.slots() {
                    self.read(nodes, slot);
                }
                let mut position = self.position as u32;
                for slot in changed.into_iter().flatten() {
                    self.last[*slot as usize] = position;
                    position = position.wrapping_add(1);
                }
            }
        }
        self.position = head;
    }

    #[inline]
    fn read(&mut self, nodes: &Nodes, slot: usize) {
        let line = Line::read(nodes, slot);
        let old = std::mem::replace(&mut self.lines[slot], line);
        if old.is_open() != line.is_open() || (line.is_open() && old.traits != line.traits) {
            self.recount(&old, &line);
        }
    }

    #[cold]
    fn recount(&mut self, old: &Line, new: &Line) {
        if old.is_open() {
            self.open_by_traits[old.traits as usize] -= 1;
        }
        if new.is_open() {
            self.open_by_traits[new.traits as usize] += 1;
        }
        self.open_version += 1;
    }

    /// Whether `position` is the last in the ledger to name the slot.
    #[inline]
    pub(super) fn is_last_change(&self, slot: usize, position: u64) -> bool {
        self.last[slot] == position as u32
    }

    /// The ledger position up to which the mirror has read.
    #[inline]
    pub(super) fn position(&self) -> u64 {
        self.position
    }
}
