//! The node columns once more, one cache line per slot, in the form in which
//! scores are computed from them.
//!
//! Rescoring visits few slots in no order: ten columns would be ten cache
//! misses, a line is one. A line also carries reciprocals, so that a score
//! takes no division: a product with a reciprocal is corrected, or recognised
//! as too close to call and computed as upstream does.

use super::plane::INFEASIBLE;
use super::profile::{MAX_NODE_SCORE, Scoring};
use super::score::{balance_score, resource_score};
use crate::cluster::Nodes;
use crate::workload::Requests;

/// Capacities up to here times 100 are whole doubles; larger nodes, of 64 TiB
/// and more, are scored by divisions.
const MAX_CAPACITY: i64 = 1 << 46;

/// Adding it to a small double leaves the nearest integer in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `max` and `min` as one instruction each: no NaN comes here.
#[inline]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

#[inline]
fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// What a pod of a class asks of a line: cpu and memory side by side.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Smallest free amount that is enough: any at all where none is requested.
    need: [f64; 2],
    /// What the balance counts.
    real: [f64; 2],
    /// What the fit score counts.
    nonzero: [f64; 2],
    /// (index of the resource, amount).
    pub(super) extended: Vec<(usize, i64)>,
}

impl Ask {
    pub(super) fn new(requests: &Requests) -> Self {
        let need = |n: i64| if n == 0 { f64::NEG_INFINITY } else { n as f64 };
        Ask {
            need: [need(requests.cpu.0), need(requests.memory.0)],
            real: [requests.cpu.0 as f64, requests.memory.0 as f64],
            nonzero: [requests.nonzero_cpu.0 as f64, requests.nonzero_memory.0 as f64],
            extended: requests.extended.iter().map(|(id, n)| (id.index(), *n)).collect(),
        }
    }
}

/// One slot: cpu and memory side by side, as doubles. They are integers below
/// 2^53 (`units` bounds them), so nothing is lost.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line {
    free: [f64; 2],
    alloc: [f64; 2],
    /// Allocatable minus the requests that the fit score counts.
    left: [f64; 2],
    /// 1/allocatable; 0 in both where a node is scored by divisions.
    inverse: [f32; 2],
    /// Further pods, [`CLOSED`] where the slot is closed or holds no node.
    free_pods: i32,
    pub(super) traits: u32,
}

/// Fewer free pods than any open slot can have.
const CLOSED: i32 = i32::MIN;

impl Line {
    /// A slot without a node.
    const ABSENT: Line = Line {
        free: [0.0; 2],
        alloc: [0.0; 2],
        left: [0.0; 2],
        inverse: [0.0; 2],
        free_pods: CLOSED,
        traits: 0,
    };

    fn read(nodes: &Nodes, i: usize) -> Self {
        let alloc = [nodes.alloc_cpu[i], nodes.alloc_memory[i]];
        let pair = |cpu: i64, memory: i64| [(alloc[0] - cpu) as f64, (alloc[1] - memory) as f64];
        let by_reciprocal = alloc.iter().all(|n| (1..=MAX_CAPACITY).contains(n));
        let inverse = |n: i64| if by_reciprocal { (1.0 / n as f64) as f32 } else { 0.0 };
        Line {
            free: pair(nodes.cpu[i], nodes.memory[i]),
            alloc: pair(0, 0),
            left: pair(nodes.nonzero_cpu[i], nodes.nonzero_memory[i]),
            inverse: alloc.map(inverse),
            free_pods: if nodes.open[i] { nodes.alloc_pods[i] - nodes.pods[i] } else { CLOSED },
            traits: nodes.traits[i].0,
        }
    }

    #[inline]
    fn is_open(&self) -> bool {
        self.free_pods != CLOSED
    }

    /// Whether free cpu, memory and pods hold the pod and the slot is open.
    #[inline]
    #[allow(clippy::needless_bitwise_bool)] // Which of them fails is as good as random.
    fn fits(&self, ask: &Ask) -> bool {
        (self.free_pods > 0) & (ask.need[0] <= self.free[0]) & (ask.need[1] <= self.free[1])
    }

    /// One more than `NodeResourcesFit` plus `NodeResourcesBalancedAllocation`
    /// where the pod fits, else [`INFEASIBLE`]: the integers of `score`, without
    /// divisions and without branches that data decides.
    ///
    /// The fit score is exact: a reciprocal is off by less than one part in
    /// 2^23 and a quotient at most 100, so the nearest integer of the estimate
    /// is the floor of the quotient or the integer above it, and the sign of
    /// the remainder, a whole number below 2^53, says which.
    ///
    /// The balance is computed as upstream does where the estimate, which errs
    /// by less than 2·10^-5 (upstream's doubles by less than 10^-12), comes
    /// closer than that to an integer.
    #[inline(always)]
    #[allow(clippy::inline_always)] // The two loops over it are the hot ones.
    pub(super) fn score<const MOST: bool>(&self, ask: &Ask) -> u8 {
        const MARGIN: f64 = 1e-4;
        let mut percent = [0.0; 2];
        let mut fraction = [0.0; 2];
        for k in 0..2 {
            let inverse = f64::from(self.inverse[k]);
            let left = larger(self.left[k] - ask.nonzero[k], 0.0);
            let n = 100.0 * if MOST { self.alloc[k] - left } else { left };
            let nearest = (n * inverse + ROUND) - ROUND;
            let above = n - nearest * self.alloc[k] < 0.0;
            percent[k] = nearest - if above { 1.0 } else { 0.0 };
            fraction[k] = smaller((self.alloc[k] - self.free[k] + ask.real[k]) * inverse, 1.0);
        }
        let value = 100.0 - 50.0 * (fraction[0] - fraction[1]).abs();
        let nearest = (value + ROUND) - ROUND;
        // Without reciprocals the value is 100, and ends here too.
        if (value - nearest).abs() < MARGIN {
            return self.score_by_division::<MOST>(ask);
        }
        let balance = nearest - if value < nearest { 1.0 } else { 0.0 };
        let whole = |x: f64| (x + ROUND).to_bits() as u8;
        let score = whole(percent[0] + percent[1]) / 2 + whole(balance) + 1;
        if self.fits(ask) { score } else { INFEASIBLE }
    }

    /// The same by the plain formulas.
    #[inline(never)]
    fn score_by_division<const MOST: bool>(&self, ask: &Ask) -> u8 {
        if !self.fits(ask) {
            return INFEASIBLE;
        }
        let scoring = if MOST { Scoring::MostAllocated } else { Scoring::LeastAllocated };
        let [cpu, memory] = self.alloc.map(|n| n as i64);
        let used = |k: usize| (self.alloc[k] - self.free[k] + ask.real[k]) as i64;
        let (mut sum, mut weights) = (0, 0);
        for (k, capacity) in [cpu, memory].into_iter().enumerate() {
            if capacity > 0 {
                let requested = (self.alloc[k] - self.left[k] + ask.nonzero[k]) as i64;
                sum += resource_score(&scoring, requested, capacity);
                weights += 1;
            }
        }
        let fit = if weights == 0 { 0 } else { sum / weights };
        let balance = balance_score(used(0), cpu, used(1), memory);
        debug_assert!((0..=2 * MAX_NODE_SCORE).contains(&(fit + balance)));
        (fit + balance + 1) as u8
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
