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
//!
//! Where other pods have a say (`terms`), the class prefers nodes by labels,
//! or only a share of the nodes is scored, the planes give the base scores and
//! a pass over the slots does the rest (`pass`): with 1,000 nodes some 3.7 µs a
//! placement with default spreading, 2.8 with hard spreading, 1.6 with required
//! anti-affinity, growing with the nodes that are scored; 0.7 for pods without
//! any ties where a sample is scored.

mod nominated;
mod planes;
mod rejecting;

use rustc_hash::FxHashMap;

pub(super) use nominated::Nominations;
use planes::{Best, Planes, Seen};

use super::admission::Admissions;
use super::mirror::{Ask, Mirror};
use super::pass::{Pass, Rules, Sample, preference_score};
use super::plugins::named_nodes;
use super::profile::{Resource, SchedulerProfile, Scoring};
use super::sample::{MIN_NODES, nodes_to_find};
use super::tally::Tallies;
use super::terms::{Compiler, Terms};
use super::{Rejectors, View};
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
    terms: Terms,
    /// Every query is a pass: other pods or labels have a say, or scores are
    /// no bytes.
    by_pass: bool,
    /// One plane for all groups, as a pass may be needed.
    single: bool,
    /// Scores are no bytes.
    wide: bool,
    /// Only some nodes may be scored.
    samples: bool,
    /// Required affinity names the nodes that come into question.
    named: Option<Vec<String>>,
    /// Who rejects it, as of these positions of ledger and census.
    rejectors: Option<(u64, u64, Rejectors)>,
    /// Index into `planes`, or `u32::MAX`.
    resident: u32,
    /// `Mirror::open_version` of `admissible`.
    admissible_version: u64,
    admissible: bool,
}

impl Kind {
    fn new(class: &PodClass, profile: &SchedulerProfile) -> Self {
        let wide = !is_plain_base(profile);
        let constraints = class.constraints.as_deref();
        let prefers = constraints.is_some_and(|c| !c.preferred_nodes.is_empty());
        let samples = profile.percentage_of_nodes_to_score < 100;
        let named = constraints.and_then(|c| named_nodes(c).unwrap_or(Some(Vec::new())));
        let named: Option<Vec<String>> =
            named.map(|names| names.into_iter().map(str::to_owned).collect());
        let by_pass = wide || prefers || named.is_some();
        Kind {
            class: class.clone(),
            ask: Ask::new(&class.requests),
            admissions: Admissions::new(class),
            terms: Terms::default(),
            by_pass,
            single: by_pass || samples,
            wide,
            samples,
            named,
            rejectors: None,
            resident: u32::MAX,
            admissible_version: u64::MAX,
            admissible: false,
        }
    }
}

/// Whether base scores are the bytes of the default profile.
fn is_plain_base(profile: &SchedulerProfile) -> bool {
    !matches!(profile.scoring, Scoring::RequestedToCapacityRatio(_))
        && *profile.resources == [(Resource::Cpu, 1), (Resource::Memory, 1)]
        && profile.weights.resources_fit == 1
        && profile.weights.balanced_allocation == 1
}

/// Which nodes an attempt looks at; `None` where it is all of them.
fn sample<'a>(profile: &SchedulerProfile, order: &'a [u32], start: usize) -> Option<Sample<'a>> {
    if profile.percentage_of_nodes_to_score >= 100 {
        return None;
    }
    let need = nodes_to_find(order.len(), profile.percentage_of_nodes_to_score);
    (need < order.len()).then(|| Sample { order, start: start % order.len(), need })
}

/// The share of the nodes that an attempt looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampling {
    /// The scheduler's order of nodes.
    pub order: Vec<Slot>,
    /// Where the attempt begins in it.
    pub start: usize,
    /// It ends with so many feasible nodes.
    pub need: usize,
}

/// Scores of all classes over all nodes. See the module.
#[derive(Debug, Clone)]
pub struct ScoreIndex {
    profiles: Vec<SchedulerProfile>,
    classes: Vec<PodClass>,
    budget: usize,
    /// Kind of each class.
    kind_of: Vec<u32>,
    kinds: Vec<Kind>,
    mirror: Mirror,
    tallies: Tallies,
    planes: Vec<Planes>,
    pass: Pass,
    queries: u64,
    /// The scheduler's order of nodes, as of `order_at`.
    order: Vec<u32>,
    order_at: u64,
    /// The order is that of the slots.
    straight: bool,
    /// Where the next sample starts in it.
    start: usize,
    pub(super) nominations: Nominations,
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
                let key = PodClass { priority: 0, never_preempts: false, ..class.clone() };
                *ids.entry(key).or_insert_with_key(|key| {
                    kinds.push(Kind::new(key, &profiles[usize::from(key.profile)]));
                    kinds.len() as u32 - 1
                })
            })
            .collect();
        let mut tallies = Tallies::new(classes.len());
        let (none, all) = (Nodes::default(), kinds.iter().map(|kind| kind.class.clone()));
        let all: Vec<PodClass> = all.collect();
        let view = View { nodes: &none, classes, profiles };
        let mut compiler = Compiler { view, tallies: &mut tallies };
        for (kind, class) in kinds.iter_mut().zip(&all) {
            kind.terms = compiler.compile(class);
            kind.by_pass |= !kind.terms.is_empty();
            kind.single |= kind.by_pass;
        }
        ScoreIndex {
            profiles: profiles.to_vec(),
            classes: classes.to_vec(),
            budget,
            kind_of,
            kinds,
            mirror: Mirror::default(),
            tallies,
            planes: Vec::new(),
            pass: Pass::default(),
            queries: 0,
            order: Vec::new(),
            order_at: u64::MAX,
            straight: false,
            start: 0,
            nominations: Nominations::default(),
        }
    }

    fn kind(&self, class: ClassId) -> &Kind {
        &self.kinds[self.kind_of[class.index()] as usize]
    }

    /// The best score for the class, or `None` if no node is feasible.
    #[inline]
    pub fn top(&mut self, nodes: &Nodes, class: ClassId) -> Option<Top> {
        let at = self.refresh(nodes, class);
        let best = self.best(nodes, class, at);
        (best.count > 0).then_some(Top { score: best.score, count: best.count })
    }

    /// A slot of the best score, uniform by one draw where there are several.
    /// Where only some nodes are scored, the next attempt goes on after them.
    #[inline]
    pub fn select(&mut self, nodes: &Nodes, class: ClassId, draws: &mut Draws) -> Option<Slot> {
        let at = self.refresh(nodes, class);
        let best = self.best(nodes, class, at);
        if self.start + best.examined > 0 {
            self.advance(nodes, best.examined);
        }
        let k = match best.count {
            0 => return None,
            1 => 0,
            count => draws.below(u64::from(count)) as u32,
        };
        self.kth(at, &best, k)
    }

    /// Fills `out` with the slots of the best score and returns that score:
    /// ascending, or in the order in which a sample meets them.
    pub fn top_slots(&mut self, nodes: &Nodes, class: ClassId, out: &mut Vec<Slot>) -> Option<i64> {
        out.clear();
        let at = self.refresh(nodes, class);
        let best = self.best(nodes, class, at);
        for k in 0..best.count {
            out.extend(self.kth(at, &best, k));
        }
        (best.count > 0).then_some(best.score)
    }

    /// Total score per slot, `None` where infeasible or not looked at.
    pub fn scores(&mut self, nodes: &Nodes, class: ClassId) -> Vec<Option<i64>> {
        let at = self.refresh(nodes, class);
        let best = self.best(nodes, class, at);
        let kind = &self.kinds[self.planes[at].kind as usize];
        let weights = &self.profiles[usize::from(kind.class.profile)].weights;
        if !best.by_pass {
            let preferences = &kind.admissions.preferences;
            let planes = &self.planes[at];
            return (0..nodes.slots())
                .map(|slot| planes.total_of(slot, preferences, weights, &best))
                .collect();
        }
        self.planes[at].seen = None;
        self.run_pass(nodes, class, at);
        let mut totals = vec![None; nodes.slots()];
        for (slot, total) in self.pass.slots.iter().zip(&self.pass.totals) {
            totals[*slot as usize] = Some(*total);
        }
        totals
    }

    /// Whether any open node has labels and taints that admit the class.
    #[inline]
    pub fn admissible(&mut self, nodes: &Nodes, class: ClassId) -> bool {
        self.mirror.sync(nodes);
        let kind = &mut self.kinds[self.kind_of[class.index()] as usize];
        kind.admissions.sync(nodes, &kind.class);
        if kind.admissions.by_name() {
            return (0..nodes.slots()).any(|i| nodes.open[i] && kind.admissions.get(i, 0).admits());
        }
        if kind.admissible_version != self.mirror.open_version {
            kind.admissible_version = self.mirror.open_version;
            kind.admissible = (0..nodes.traits_len() as u32).any(|traits| {
                self.mirror.open_by_traits.get(traits as usize).is_some_and(|open| *open > 0)
                    && kind.admissions.of_traits(traits).admits()
            });
        }
        kind.admissible
    }

    /// Whether the binding of another pod can make a node feasible for the
    /// class: it must be near others, or spread evenly.
    #[must_use]
    pub fn awaits_bindings(&self, class: ClassId) -> bool {
        self.kind(class).terms.awaits_bindings()
    }

    /// Whether other pods decide where the class may go, so that a change of
    /// one node can make another feasible.
    #[must_use]
    pub fn looks_at_others(&self, class: ClassId) -> bool {
        self.kind(class).terms.filters()
    }

    /// The quick check on a node that appeared or changed: it is open, its
    /// labels, name and `NoSchedule` taints let the class in, the pod fits its
    /// free capacity and its ports are free.
    #[inline]
    pub fn passes_quick_check(&mut self, nodes: &Nodes, slot: Slot, class: ClassId) -> bool {
        let kind = &mut self.kinds[self.kind_of[class.index()] as usize];
        kind.admissions.sync(nodes, &kind.class);
        let passes = nodes.open[slot.index()]
            && nodes.fits(slot, &kind.class.requests)
            && kind.admissions.get(slot.index(), nodes.traits[slot.index()].0).quick;
        let Some(ports) = kind.terms.ports.filter(|_| passes) else { return passes };
        self.tallies.sync(nodes);
        self.tallies.sum_at(ports, slot.index()) == 0
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
            let profile = &self.profiles[usize::from(kind.class.profile)];
            planes.catch_up(nodes, &self.mirror, kind, profile);
        }
        at
    }

    /// Finds room for the planes of a kind, giving up the longest unused ones
    /// when over budget. Rare, and followed by a full pass.
    #[cold]
    fn admit(&mut self, nodes: &Nodes, id: u32) -> usize {
        let held: usize = self.planes.iter().map(Planes::bytes).sum();
        let kind = &self.kinds[id as usize];
        let groups = if kind.single { 1 } else { kind.admissions.preferences.len().max(1) };
        let one = nodes.slots() * groups * if kind.wide { 8 } else { 1 };
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
        self.planes[at].reset(id);
        self.kinds[id as usize].resident = at as u32;
        at
    }

    /// The best score: from the summaries, or by a pass.
    #[inline]
    fn best(&mut self, nodes: &Nodes, class: ClassId, at: usize) -> Best {
        let kind = &self.kinds[self.planes[at].kind as usize];
        if kind.by_pass
            || (kind.samples && nodes.slots() >= MIN_NODES)
            || (kind.single && kind.admissions.preferences.len() > 1)
            || !self.nominations.is_empty()
        {
            return self.best_by_pass(nodes, class, at);
        }
        let planes = &mut self.planes[at];
        if let Some(best) = planes.top.filter(|best| !best.by_pass) {
            return best;
        }
        let weights = &self.profiles[usize::from(kind.class.profile)].weights;
        let best = planes.best(&kind.admissions.preferences, weights);
        planes.top = Some(best);
        best
    }

    fn best_by_pass(&mut self, nodes: &Nodes, class: ClassId, at: usize) -> Best {
        let seen =
            Seen { ledger: nodes.ledger.head(), census: nodes.census.head(), start: self.start };
        let known =
            |planes: &Planes| planes.top.filter(|best| planes.seen == Some(seen) && best.by_pass);
        if self.nominations.is_empty()
            && let Some(best) = known(&self.planes[at])
        {
            return best;
        }
        if let Some(best) = self.best_of_plain_sample(nodes, at) {
            let planes = &mut self.planes[at];
            planes.top = Some(best);
            planes.seen = Some(seen);
            return best;
        }
        self.run_pass(nodes, class, at);
        let pass = &self.pass;
        let score = pass.totals.iter().copied().max().unwrap_or(0);
        let planes = &mut self.planes[at];
        planes.ties.clear();
        let tied = pass.slots.iter().zip(&pass.totals).filter(|(_, total)| **total == score);
        planes.ties.extend(tied.map(|(slot, _)| *slot));
        let best = Best::of_pass(score, planes.ties.len() as u32, pass.examined);
        planes.top = Some(best);
        planes.seen = self.nominations.is_empty().then_some(seen);
        best
    }

    /// The short way where nothing but the base score tells nodes apart.
    fn best_of_plain_sample(&mut self, nodes: &Nodes, at: usize) -> Option<Best> {
        let kind = self.planes[at].kind as usize;
        if self.kinds[kind].by_pass || !self.nominations.is_empty() {
            return None;
        }
        self.sync_order(nodes);
        let kind = &self.kinds[kind];
        let [only] = kind.admissions.preferences.as_slice() else { return None };
        let profile = &self.profiles[usize::from(kind.class.profile)];
        let sample = sample(profile, &self.order, self.start)?;
        let preferences = preference_score(only, only, &profile.weights);
        Some(self.planes[at].best_of_sample(&sample, self.straight, preferences))
    }

    /// The next sample starts after the nodes that were looked at.
    fn advance(&mut self, nodes: &Nodes, examined: usize) {
        self.sync_order(nodes);
        if !self.order.is_empty() {
            self.start = (self.start + examined) % self.order.len();
        }
    }

    #[inline]
    fn sync_order(&mut self, nodes: &Nodes) {
        if self.order_at != nodes.members.head() {
            self.order = nodes.scheduling_order().iter().map(|slot| slot.0).collect();
            self.straight = self.order.iter().enumerate().all(|(at, slot)| at == *slot as usize);
            self.order_at = nodes.members.head();
        }
    }

    /// Which nodes an attempt of the class looks at, where not at all.
    #[must_use]
    pub fn sampling(&self, nodes: &Nodes, class: ClassId) -> Option<Sampling> {
        let kind = self.kind(class);
        let profile = &self.profiles[usize::from(kind.class.profile)];
        let order = nodes.scheduling_order();
        let need = nodes_to_find(order.len(), profile.percentage_of_nodes_to_score);
        let samples = kind.samples && kind.named.is_none() && need < order.len();
        samples.then(|| Sampling { start: self.start % order.len(), order, need })
    }

    /// Finds and scores the feasible nodes of an attempt.
    fn run_pass(&mut self, nodes: &Nodes, class: ClassId, at: usize) {
        self.tallies.sync(nodes);
        let hard = &self.kinds[self.planes[at].kind as usize].terms.hard;
        let limits: Vec<Option<i64>> =
            hard.iter().map(|hard| hard.limit(&mut self.tallies)).collect();
        let taken = self.taken(nodes, class);
        let kind = self.planes[at].kind as usize;
        if self.kinds[kind].samples || self.kinds[kind].named.is_some() {
            self.sync_order(nodes);
        }
        let kind = &self.kinds[kind];
        let profile = &self.profiles[usize::from(kind.class.profile)];
        let sample =
            if kind.named.is_none() { sample(profile, &self.order, self.start) } else { None };
        let rules = Rules {
            nodes,
            tallies: &self.tallies,
            terms: &kind.terms,
            admissions: &kind.admissions,
            mirror: &self.mirror,
            weights: &profile.weights,
            limits: &limits,
            taken: &taken,
        };
        let planes = &self.planes[at];
        if let Some(plane) = planes.single() {
            let base = |slot: usize| i64::from(plane.score(slot)) - 1;
            self.pass.find(nodes.slots(), &base, &rules, sample);
            self.pass.score(&base, &rules);
        } else {
            let base = |slot: usize| planes.base(slot);
            self.pass.find(nodes.slots(), &base, &rules, sample);
            self.pass.score(&base, &rules);
        }
        if sample.is_none() {
            // All were looked at, or all that the pod names: the next attempt
            // starts after as many.
            self.pass.examined = match &kind.named {
                None => 0,
                Some(names) => self
                    .order
                    .iter()
                    .filter(|slot| {
                        let name = nodes.name(Slot(**slot));
                        names.binary_search_by(|n| n.as_str().cmp(name)).is_ok()
                    })
                    .count(),
            };
        }
    }

    /// The `k`-th slot of the best score.
    #[inline]
    fn kth(&self, at: usize, best: &Best, k: u32) -> Option<Slot> {
        let planes = &self.planes[at];
        let kind = &self.kinds[planes.kind as usize];
        let weights = &self.profiles[usize::from(kind.class.profile)].weights;
        let slot = planes.kth(&kind.admissions.preferences, weights, best, k);
        debug_assert!(slot.is_some(), "k is below the count");
        slot.map(|slot| Slot(slot as u32))
    }
}
