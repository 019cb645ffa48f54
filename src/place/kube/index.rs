//! The index: per class a plane of scores that follows the change ledger.
//!
//! A query rescores the slots that changed since the class was last asked
//! for, then takes the maximum from block summaries. With n nodes, k classes
//! in turn and two changes a placement that is 2·k rescorings and a pass over
//! n/64 bounds. A class that was away for more changes than there are slots,
//! or whose plane was given up for memory, gets a full pass.
//!
//! Measured on a 2.5 GHz core whose neighbours were busy, completion and
//! bookkeeping of the node columns included (`benches/placement.rs`): 0.5 µs a
//! placement with 1,000 nodes and 6 classes, 1.7 µs with 10,000 and 20, 7 µs
//! with 10,000 and 200; a full pass takes 7 ns a slot, one slot out of order 10
//! to 15 ns, a failed attempt while nothing changes 6 ns.
//!
//! `TaintToleration` depends on the other feasible nodes through the highest
//! number of untolerated `PreferNoSchedule` taints alone. Nodes are therefore
//! grouped by that number, one plane a group, and the plugin's score is added
//! to each group's maximum. Without such taints there is one group and the
//! plugin gives every node the same.

use rustc_hash::FxHashMap;

use super::admission::Admissions;
use super::mirror::{Ask, Mirror};
use super::plane::{INFEASIBLE, Plane, nth_bit};
use super::profile::Scoring;
use super::score::taint_score;
use super::{NodeVerdict, Rejectors, SchedulerProfile, View, evaluate_plain};
use crate::cluster::{Nodes, Slot};
use crate::rng::Draws;
use crate::workload::{ClassId, PodClass};

/// Memory the planes may take, bytes: 3,000 classes on 10,000 nodes.
const DEFAULT_BUDGET: usize = 32 << 20;

/// The best score and how many slots share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// Total score.
    pub score: i64,
    /// Slots that have it, at least one.
    pub count: u32,
}

/// What scores can tell apart: classes that differ in priority alone share.
#[derive(Debug, Clone)]
struct Kind {
    class: PodClass,
    ask: Ask,
    admissions: Admissions,
    /// Index into `planes`, or `u32::MAX`.
    resident: u32,
    /// `Mirror::open_version` of `admissible`.
    admissible_version: u64,
    admissible: bool,
}

/// The planes of one kind, one per group of `Admissions::preferences`.
#[derive(Debug, Clone, Default)]
struct Planes {
    kind: u32,
    groups: Vec<Plane>,
    slots: usize,
    /// Ledger position up to which the planes are right.
    position: u64,
    /// Query counter at the last use.
    used: u64,
    /// The last answer, while no score changed.
    top: Option<Best>,
}

/// The best score, and per group the base score that gives it.
#[derive(Debug, Clone, Copy, Default)]
struct Best {
    /// Total; meaningless when `count` is 0.
    score: i64,
    count: u32,
    /// Largest number of untolerated taints among feasible nodes.
    max_raw: i64,
}

/// Scores of all classes over all nodes. See the module.
#[derive(Debug, Clone)]
pub struct ScoreIndex {
    profiles: Vec<SchedulerProfile>,
    budget: usize,
    /// Kind of each class.
    kind_of: Vec<u32>,
    kinds: Vec<Kind>,
    mirror: Mirror,
    planes: Vec<Planes>,
    queries: u64,
}

impl ScoreIndex {
    /// An index for these classes, with the default bound on memory.
    #[must_use]
    pub fn new(profiles: &[SchedulerProfile], classes: &[PodClass]) -> Self {
        Self::with_budget(profiles, classes, DEFAULT_BUDGET)
    }

    /// An index whose planes take at most `budget` bytes (one class's planes
    /// always fit).
    #[must_use]
    pub fn with_budget(profiles: &[SchedulerProfile], classes: &[PodClass], budget: usize) -> Self {
        let mut ids: FxHashMap<PodClass, u32> = FxHashMap::default();
        let mut kinds: Vec<Kind> = Vec::new();
        let kind_of = classes
            .iter()
            .map(|class| {
                let key = PodClass { priority: 0, ..class.clone() };
                *ids.entry(key).or_insert_with_key(|key| {
                    kinds.push(Kind {
                        class: key.clone(),
                        ask: Ask::new(&key.requests),
                        admissions: Admissions::default(),
                        resident: u32::MAX,
                        admissible_version: u64::MAX,
                        admissible: false,
                    });
                    kinds.len() as u32 - 1
                })
            })
            .collect();
        ScoreIndex {
            profiles: profiles.to_vec(),
            budget,
            kind_of,
            kinds,
            mirror: Mirror::default(),
            planes: Vec::new(),
            queries: 0,
        }
    }

    /// The best score for the class, or `None` if no node is feasible.
    #[inline]
    pub fn top(&mut self, nodes: &Nodes, class: ClassId) -> Option<Top> {
        let at = self.refresh(nodes, class);
        let best = self.best(at);
        (best.count > 0).then_some(Top { score: best.score, count: best.count })
    }

    /// A slot of the best score, uniform by one draw where there are several.
    #[inline]
    pub fn select(&mut self, nodes: &Nodes, class: ClassId, draws: &mut Draws) -> Option<Slot> {
        let at = self.refresh(nodes, class);
        let best = self.best(at);
        let k = match best.count {
            0 => return None,
            1 => 0,
            count => draws.below(u64::from(count)) as u32,
        };
        self.kth(at, &best, k)
    }

    /// Fills `out` with the slots of the best score, ascending, and returns
    /// that score.
    pub fn top_slots(&mut self, nodes: &Nodes, class: ClassId, out: &mut Vec<Slot>) -> Option<i64> {
        out.clear();
        let at = self.refresh(nodes, class);
        let best = self.best(at);
        for k in 0..best.count {
            out.extend(self.kth(at, &best, k));
        }
        (best.count > 0).then_some(best.score)
    }

    /// Total score per slot, `None` where infeasible.
    pub fn scores(&mut self, nodes: &Nodes, class: ClassId) -> Vec<Option<i64>> {
        let at = self.refresh(nodes, class);
        let best = self.best(at);
        let planes = &self.planes[at];
        let raws = &self.kinds[planes.kind as usize].admissions.preferences;
        (0..nodes.slots())
            .map(|slot| {
                planes.groups.iter().zip(raws).find_map(|(plane, raw)| {
                    let score = plane.score(slot);
                    (score != INFEASIBLE).then(|| total(score, taint_score(*raw, best.max_raw)))
                })
            })
            .collect()
    }

    /// Whether any open node has labels and taints that admit the class.
    #[inline]
    pub fn admissible(&mut self, nodes: &Nodes, class: ClassId) -> bool {
        self.mirror.sync(nodes);
        let kind = &mut self.kinds[self.kind_of[class.index()] as usize];
        kind.admissions.sync(nodes, &kind.class);
        if kind.admissible_version != self.mirror.open_version {
            kind.admissible_version = self.mirror.open_version;
            kind.admissible = (0..nodes.traits_len() as u32).any(|traits| {
                self.mirror.open_by_traits.get(traits as usize).is_some_and(|open| *open > 0)
                    && kind.admissions.get(traits).admits()
            });
        }
        kind.admissible
    }

    /// Whether the node can take a pod of the class.
    pub fn is_feasible_on(&mut self, nodes: &Nodes, class: ClassId, slot: Slot) -> bool {
        let at = self.refresh(nodes, class);
        self.planes[at].groups.iter().any(|plane| plane.score(slot.index()) != INFEASIBLE)
    }

    /// Which filters reject the class, over all nodes; `classes` are those of
    /// the index.
    #[must_use]
    pub fn rejecting(&self, nodes: &Nodes, classes: &[PodClass], class: ClassId) -> Rejectors {
        let view = View { nodes, classes, profiles: &self.profiles };
        let mut rejectors = Rejectors::default();
        for verdict in evaluate_plain(&view, class).verdicts {
            if let NodeVerdict::Rejected(rejection) = verdict {
                rejectors.insert(rejection.plugin());
            }
        }
        rejectors
    }

    /// Whether the binding of another pod can make a node feasible for the
    /// class: it must be near others, or spread evenly.
    #[must_use]
    pub fn awaits_bindings(&self, class: ClassId) -> bool {
        let kind = &self.kinds[self.kind_of[class.index()] as usize];
        kind.class
            .constraints
            .as_ref()
            .is_some_and(|c| !c.affinity.is_empty() || c.spread.iter().any(|s| s.hard))
    }

    /// Whether other pods decide where the class may go, so that a change of
    /// one node can make another feasible.
    #[must_use]
    pub fn looks_at_others(&self, class: ClassId) -> bool {
        self.kinds[self.kind_of[class.index()] as usize].class.constraints.is_some()
    }

    /// The quick check on a node that appeared or changed: it is open, its
    /// labels and `NoSchedule` taints let the class in, and the pod fits its
    /// free capacity.
    #[inline]
    pub fn passes_quick_check(&mut self, nodes: &Nodes, slot: Slot, class: ClassId) -> bool {
        let kind = &mut self.kinds[self.kind_of[class.index()] as usize];
        kind.admissions.sync(nodes, &kind.class);
        nodes.open[slot.index()]
            && nodes.fits(slot, &kind.class.requests)
            && kind.admissions.get(nodes.traits[slot.index()].0).quick
    }

    /// Brings the planes of the class up to date; returns where they are.
    #[inline]
    fn refresh(&mut self, nodes: &Nodes, class: ClassId) -> usize {
        self.mirror.sync(nodes);
        self.queries += 1;
        let id = self.kind_of[class.index()];
        let kind = &mut self.kinds[id as usize];
        kind.admissions.sync(nodes, &kind.class);
        let at =
            if kind.resident == u32::MAX { self.admit(nodes, id) } else { kind.resident as usize };
        let kind = &self.kinds[id as usize];
        let planes = &mut self.planes[at];
        planes.used = self.queries;
        if planes.position != self.mirror.position() {
            let scoring = &self.profiles[usize::from(kind.class.profile)].scoring;
            planes.catch_up(nodes, &self.mirror, kind, scoring);
        }
        at
    }

    /// Finds room for the planes of a kind, giving up the longest unused ones
    /// when over budget. Rare, and followed by a full pass.
    #[cold]
    fn admit(&mut self, nodes: &Nodes, id: u32) -> usize {
        let held: usize = self.planes.iter().map(Planes::bytes).sum();
        let one = nodes.slots() * self.kinds[id as usize].admissions.preferences.len().max(1);
        let oldest = if held + one > self.budget {
            (0..self.planes.len()).min_by_key(|at| self.planes[*at].used)
        } else {
            None
        };
        let at = oldest.unwrap_or_else(|| {
            self.planes.push(Planes::default());
            self.planes.len() - 1
        });
        if oldest.is_some() {
            let loser = self.planes[at].kind;
            self.kinds[loser as usize].resident = u32::MAX;
        }
        let planes = &mut self.planes[at];
        planes.kind = id;
        planes.groups.clear();
        planes.slots = 0;
        planes.top = None;
        // Before every position of the ledger: a full pass follows.
        planes.position = u64::MAX;
        self.kinds[id as usize].resident = at as u32;
        at
    }

    /// The best score over the groups.
    #[inline]
    fn best(&mut self, at: usize) -> Best {
        let planes = &mut self.planes[at];
        if let Some(best) = planes.top {
            return best;
        }
        let raws = &self.kinds[planes.kind as usize].admissions.preferences;
        let best = planes.best(raws);
        planes.top = Some(best);
        best
    }

    /// The `k`-th lowest slot of the best score.
    #[inline]
    fn kth(&self, at: usize, best: &Best, k: u32) -> Option<Slot> {
        let planes = &self.planes[at];
        let raws = &self.kinds[planes.kind as usize].admissions.preferences;
        let slot = match planes.groups.as_slice() {
            [plane] => plane.kth(byte(best.score, taint_score(raws[0], best.max_raw)), k),
            _ => planes.kth_of_groups(raws, best, k),
        };
        debug_assert!(slot.is_some(), "k is below the count");
        slot.map(|slot| Slot(slot as u32))
    }
}

impl Planes {
    fn bytes(&self) -> usize {
        self.groups.iter().map(Plane::bytes).sum()
    }

    fn catch_up(&mut self, nodes: &Nodes, mirror: &Mirror, kind: &Kind, scoring: &Scoring) {
        match scoring {
            Scoring::LeastAllocated | Scoring::RequestedToCapacityRatio(_) => {
                self.catch_up_as::<false>(nodes, mirror, kind);
            }
            Scoring::MostAllocated => self.catch_up_as::<true>(nodes, mirror, kind),
        }
    }

    fn catch_up_as<const MOST: bool>(&mut self, nodes: &Nodes, mirror: &Mirror, kind: &Kind) {
        let groups = kind.admissions.preferences.len();
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
        let mut batch = [(0u32, 0u8, INFEASIBLE); BATCH];
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
            if let Some(plane) = self.groups.get_mut(usize::from(group)) {
                plane.set_raw(slot, score);
            }
        }
        self.groups.iter_mut().for_each(Plane::summarise);
    }

    fn best(&mut self, raws: &[i64]) -> Best {
        if let [plane] = self.groups.as_mut_slice() {
            let (score, count) = plane.top();
            // The only group is the maximum of itself.
            let max_raw = raws[0];
            return Best { score: total(score, taint_score(max_raw, max_raw)), count, max_raw };
        }
        let tops: Vec<(u8, u32)> = self.groups.iter_mut().map(Plane::top).collect();
        let feasible = || tops.iter().zip(raws).filter(|((_, count), _)| *count > 0);
        let max_raw = feasible().map(|(_, raw)| *raw).max().unwrap_or(0);
        let totals = || {
            feasible().map(|((top, count), raw)| (total(*top, taint_score(*raw, max_raw)), *count))
        };
        let score = totals().map(|(total, _)| total).max().unwrap_or(0);
        let count = totals().filter(|(total, _)| *total == score).map(|(_, count)| count).sum();
        Best { score, count, max_raw }
    }

    fn kth_of_groups(&self, raws: &[i64], best: &Best, mut k: u32) -> Option<usize> {
        // The byte that would reach the best total, per group. Where a group's
        // maximum is lower, no bound of it is that high.
        let targets: Vec<u8> =
            raws.iter().map(|raw| byte(best.score, taint_score(*raw, best.max_raw))).collect();
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
                return Some(block * super::plane::BLOCK + nth_bit(mask, k));
            }
            k -= here;
        }
        None
    }
}

/// Total score of a byte of a plane.
fn total(score: u8, taints: i64) -> i64 {
    i64::from(score) - 1 + taints
}

/// The byte of a plane that makes this total, [`INFEASIBLE`] if none does.
fn byte(total: i64, taints: i64) -> u8 {
    u8::try_from(total - taints + 1).unwrap_or(INFEASIBLE)
}

/// Group and score of a slot; the group of an infeasible one means nothing.
#[inline(always)]
#[allow(clippy::inline_always)] // The two loops over it are the hot ones.
fn judge<const MOST: bool>(nodes: &Nodes, mirror: &Mirror, kind: &Kind, slot: usize) -> (u8, u8) {
    let line = &mirror.lines[slot];
    let admission = kind.admissions.get(line.traits);
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
