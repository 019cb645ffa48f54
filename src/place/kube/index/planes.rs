//! The base scores of one kind of pod over all slots, following the ledger.

use super::Kind;
use crate::cluster::{Nodes, Slot};
use crate::place::kube::admission::Preference;
use crate::place::kube::mirror::Mirror;
use crate::place::kube::pass::{Sample, preference_score};
use crate::place::kube::plane::{BLOCK, INFEASIBLE, Plane, nth_bit};
use crate::place::kube::profile::{PluginWeights, SchedulerProfile, Scoring};
use crate::place::kube::score::{balanced_allocation, resources_fit};

/// Base score of a slot that cannot take the pod, in [`Planes::wide`].
const NEVER: i64 = -1;

/// The base scores of one kind: one plane per group of
/// `Admissions::preferences`, or a single one where a pass looks at all slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Planes {
    pub(super) kind: u32,
    pub(super) groups: Vec<Plane>,
    /// Instead of planes, where scores are no bytes.
    wide: Vec<i64>,
    pub(super) slots: usize,
    /// Ledger position up to which the planes are right.
    pub(super) position: u64,
    /// Query counter at the last use.
    pub(super) used: u64,
    /// The last answer, while no score changed.
    pub(super) top: Option<Best>,
    /// Slots of the best score, where a pass found them.
    pub(super) ties: Vec<u32>,
    /// What the last pass saw.
    pub(super) seen: Option<Seen>,
}

/// The best score, and per group the base score that gives it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Best {
    /// Total; meaningless when `count` is 0.
    pub(super) score: i64,
    pub(super) count: u32,
    /// Largest preferences among feasible nodes.
    most: Preference,
    /// The slots are `ties`.
    pub(super) by_pass: bool,
    /// Nodes that were looked at, if not all.
    pub(super) examined: usize,
}

impl Best {
    pub(super) fn of_pass(score: i64, count: u32, examined: usize) -> Self {
        Best { score, count, most: Preference::default(), by_pass: true, examined }
    }
}

/// State of everything that a pass depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) ledger: u64,
    pub(super) census: u64,
    pub(super) start: usize,
}

impl Planes {
    pub(super) fn reset(&mut self, kind: u32) {
        self.kind = kind;
        self.groups.clear();
        self.wide = Vec::new();
        self.slots = 0;
        self.top = None;
        self.seen = None;
        // Before every position of the ledger: a full pass follows.
        self.position = u64::MAX;
    }

    pub(super) fn bytes(&self) -> usize {
        self.groups.iter().map(Plane::bytes).sum::<usize>() + 8 * self.wide.capacity()
    }

    /// The base score of a slot, negative where the node cannot take the pod.
    #[inline]
    pub(super) fn base(&self, slot: usize) -> i64 {
        if !self.wide.is_empty() {
            return self.wide[slot];
        }
        let of = |plane: &Plane| i64::from(plane.score(slot)) - 1;
        self.groups.iter().map(of).max().unwrap_or(NEVER)
    }

    /// The only plane, where there is one.
    #[inline]
    pub(super) fn single(&self) -> Option<&Plane> {
        if self.wide.is_empty() && self.groups.len() == 1 { self.groups.first() } else { None }
    }

    pub(super) fn catch_up(
        &mut self,
        nodes: &Nodes,
        mirror: &Mirror,
        kind: &Kind,
        profile: &SchedulerProfile,
    ) {
        if kind.wide {
            self.catch_up_wide(nodes, mirror, kind, profile);
        } else if matches!(profile.scoring, Scoring::MostAllocated) {
            self.catch_up_as::<true>(nodes, mirror, kind);
        } else {
            self.catch_up_as::<false>(nodes, mirror, kind);
        }
    }

    fn catch_up_as<const MOST: bool>(&mut self, nodes: &Nodes, mirror: &Mirror, kind: &Kind) {
        let groups = if kind.single { 1 } else { kind.admissions.preferences.len() };
        if self.groups.len() < groups || self.slots < nodes.slots() {
            self.slots = nodes.slots();
            self.groups.resize_with(groups, Plane::default);
            for plane in &mut self.groups {
                plane.grow(self.slots);
            }
        }
        let changed =
            nodes.ledger.since(self.position).filter(|changed| changed.len() <= self.slots);
        if let Some(changed) = changed {
            self.rescore::<MOST>(nodes, mirror, kind, changed);
        } else {
            self.rescore_all::<MOST>(nodes, mirror, kind);
        }
        self.position = mirror.position();
    }

    /// By the plain formulas: strategies and weights that are no bytes.
    fn catch_up_wide(
        &mut self,
        nodes: &Nodes,
        mirror: &Mirror,
        kind: &Kind,
        profile: &SchedulerProfile,
    ) {
        self.top = None;
        self.slots = nodes.slots();
        self.wide.resize(self.slots.max(1), NEVER);
        let changed =
            nodes.ledger.since(self.position).filter(|changed| changed.len() <= self.slots);
        let score = |slot: usize| {
            let fits = judge::<false>(nodes, mirror, kind, slot).1 != INFEASIBLE;
            if !fits {
                return NEVER;
            }
            let at = Slot(slot as u32);
            profile.weights.resources_fit * resources_fit(profile, nodes, at, &kind.class)
                + profile.weights.balanced_allocation * balanced_allocation(nodes, at, &kind.class)
        };
        if let Some(changed) = changed {
            for slot in changed {
                self.wide[*slot as usize] = score(*slot as usize);
            }
        } else {
            for slot in 0..self.slots {
                self.wide[slot] = score(slot);
            }
        }
        self.position = mirror.position();
    }

    /// Rescores the slots that changed, in two passes over a small batch: the
    /// first computes and touches no plane, the second stores. Cache misses of
    /// neighbours in the batch then overlap.
    #[inline]
    fn rescore<const MOST: bool>(
        &mut self,
        nodes: &Nodes,
        mirror: &Mirror,
        kind: &Kind,
        changed: &[u32],
    ) {
        const BATCH: usize = 32;
        let mut batch = [(0u32, 0u16, INFEASIBLE); BATCH];
        let mut position = self.position;
        for changed in changed.chunks(BATCH) {
            let mut len = 0;
            for slot in changed {
                let (group, score) = judge::<MOST>(nodes, mirror, kind, *slot as usize);
                batch[len] = (*slot, group, score);
                // A slot that changed again later is rescored then.
                len += usize::from(mirror.is_last_change(*slot as usize, position));
                position += 1;
            }
            let mut moved = false;
            if let [plane] = self.groups.as_mut_slice() {
                for (slot, _, score) in &batch[..len] {
                    moved |= plane.set(*slot as usize, *score);
                }
            } else {
                for (slot, group, score) in &batch[..len] {
                    for (at, plane) in self.groups.iter_mut().enumerate() {
                        let score = if at == usize::from(*group) { *score } else { INFEASIBLE };
                        moved |= plane.set(*slot as usize, score);
                    }
                }
            }
            if moved {
                self.top = None;
            }
        }
    }

    #[cold]
    fn rescore_all<const MOST: bool>(&mut self, nodes: &Nodes, mirror: &Mirror, kind: &Kind) {
        self.top = None;
        self.groups.iter_mut().for_each(Plane::clear);
        for slot in 0..self.slots {
            let (group, score) = judge::<MOST>(nodes, mirror, kind, slot);
            let at = if kind.single { 0 } else { usize::from(group) };
            if let Some(plane) = self.groups.get_mut(at) {
                plane.set_raw(slot, score);
            }
        }
        self.groups.iter_mut().for_each(Plane::summarise);
    }

    /// The best score over the groups, from their summaries.
    pub(super) fn best(&mut self, preferences: &[Preference], weights: &PluginWeights) -> Best {
        if let ([plane], [only]) = (self.groups.as_mut_slice(), preferences) {
            let (score, count) = plane.top();
            // The only group is the maximum of itself.
            let score = total(score, preference_score(only, only, weights));
            return Best { score, count, most: *only, ..Best::default() };
        }
        let tops: Vec<(u8, u32)> = self.groups.iter_mut().map(Plane::top).collect();
        let feasible = || tops.iter().zip(preferences).filter(|((_, count), _)| *count > 0);
        let most = Preference {
            taints: feasible().map(|(_, p)| p.taints).max().unwrap_or(0),
            affinity: feasible().map(|(_, p)| p.affinity).max().unwrap_or(0),
        };
        let totals = || {
            feasible()
                .map(|((top, count), p)| (total(*top, preference_score(p, &most, weights)), *count))
        };
        let score = totals().map(|(total, _)| total).max().unwrap_or(0);
        let count = totals().filter(|(total, _)| *total == score).map(|(_, count)| count).sum();
        Best { score, count, most, ..Best::default() }
    }

    /// The `k`-th slot of the best score.
    #[inline]
    pub(super) fn kth(
        &self,
        preferences: &[Preference],
        weights: &PluginWeights,
        best: &Best,
        k: u32,
    ) -> Option<usize> {
        if best.by_pass {
            return self.ties.get(k as usize).map(|slot| *slot as usize);
        }
        match (self.groups.as_slice(), preferences) {
            ([plane], [only]) => {
                plane.kth(byte(best.score, preference_score(only, &best.most, weights)), k)
            }
            _ => self.kth_of_groups(preferences, weights, best, k),
        }
    }

    fn kth_of_groups(
        &self,
        preferences: &[Preference],
        weights: &PluginWeights,
        best: &Best,
        mut k: u32,
    ) -> Option<usize> {
        // The byte that would reach the best total, per group. Where a group's
        // maximum is lower, no bound of it is that high.
        let targets: Vec<u8> = preferences
            .iter()
            .map(|p| byte(best.score, preference_score(p, &best.most, weights)))
            .collect();
        let blocks = self.groups.first().map_or(0, Plane::blocks);
        for block in 0..blocks {
            let tied = || {
                self.groups.iter().zip(&targets).filter(|(plane, target)| {
                    **target != INFEASIBLE && plane.top_in_block(block, **target) > 0
                })
            };
            let here: u32 = tied().map(|(plane, target)| plane.top_in_block(block, *target)).sum();
            if k < here {
                let mask =
                    tied().fold(0, |mask, (plane, target)| mask | plane.mask(block, *target));
                return Some(block * BLOCK + nth_bit(mask, k));
            }
            k -= here;
        }
        None
    }

    /// The best of a sample, where nothing but the base score tells nodes
    /// apart; fills `ties`. `straight` says that the order is that of slots.
    pub(super) fn best_of_sample(
        &mut self,
        sample: &Sample<'_>,
        straight: bool,
        preferences: i64,
    ) -> Best {
        const STRETCH: usize = 64;
        let Some(plane) = self.groups.first() else {
            return Best::of_pass(0, 0, sample.order.len());
        };
        let scores = plane.scores();
        let (before, after) = sample.order.split_at(sample.start);
        let of = |slot: &u32| scores[*slot as usize];
        let (mut found, mut top, mut examined) = (0, INFEASIBLE, 0);
        for stretch in after.chunks(STRETCH).chain(before.chunks(STRETCH)) {
            let (here, best) = if straight {
                let first = stretch[0] as usize;
                tally_up(scores[first..first + stretch.len()].iter().copied())
            } else {
                tally_up(stretch.iter().map(of))
            };
            if found + here < sample.need {
                (found, top, examined) = (found + here, top.max(best), examined + stretch.len());
                continue;
            }
            for score in stretch.iter().map(of) {
                found += usize::from(score != INFEASIBLE);
                top = top.max(score);
                examined += 1;
                if found == sample.need {
                    break;
                }
            }
            break;
        }
        self.ties.clear();
        if top == INFEASIBLE {
            return Best::of_pass(0, 0, examined);
        }
        self.ties.resize(examined, 0);
        let mut count = 0;
        for slot in after.iter().chain(before).take(examined) {
            self.ties[count] = *slot;
            count += usize::from(of(slot) == top);
        }
        self.ties.truncate(count);
        Best::of_pass(total(top, preferences), count as u32, examined)
    }

    /// Total score of a slot by the summaries' answer.
    pub(super) fn total_of(
        &self,
        slot: usize,
        preferences: &[Preference],
        weights: &PluginWeights,
        best: &Best,
    ) -> Option<i64> {
        self.groups.iter().zip(preferences).find_map(|(plane, preference)| {
            let score = plane.score(slot);
            (score != INFEASIBLE)
                .then(|| total(score, preference_score(preference, &best.most, weights)))
        })
    }
}

/// How many of the scores are feasible, and the highest.
#[inline]
fn tally_up(scores: impl Iterator<Item = u8>) -> (usize, u8) {
    // At most 64 scores.
    let (found, top) = scores.fold((0u8, INFEASIBLE), |(found, top), score| {
        (found + u8::from(score != INFEASIBLE), top.max(score))
    });
    (usize::from(found), top)
}

/// Total score of a byte of a plane.
fn total(score: u8, preferences: i64) -> i64 {
    i64::from(score) - 1 + preferences
}

/// The byte of a plane that makes this total, [`INFEASIBLE`] if none does.
fn byte(total: i64, preferences: i64) -> u8 {
    u8::try_from(total - preferences + 1).unwrap_or(INFEASIBLE)
}

/// Group and score of a slot; the group of an infeasible one means nothing.
#[inline(always)]
#[allow(clippy::inline_always)] // The two loops over it are the hot ones.
fn judge<const MOST: bool>(nodes: &Nodes, mirror: &Mirror, kind: &Kind, slot: usize) -> (u16, u8) {
    let line = &mirror.lines[slot];
    let admission = kind.admissions.get(slot, line.traits);
    let score = line.score::<MOST>(&kind.ask);
    if kind.ask.extended.is_empty() || extended_fit(nodes, slot, &kind.ask.extended) {
        (admission.group(), if admission.admits() { score } else { INFEASIBLE })
    } else {
        (0, INFEASIBLE)
    }
}

fn extended_fit(nodes: &Nodes, slot: usize, extended: &[(usize, i64)]) -> bool {
    extended.iter().all(|(id, amount)| {
        let index = slot * nodes.extended_names() + id;
        *amount <= nodes.alloc_extended[index] - nodes.extended[index]
    })
}
