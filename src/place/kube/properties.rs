//! The index against the plain evaluator on random clusters, and the form in
//! which it computes scores against the plain formulas.

use proptest::prelude::*;

use super::index::{ScoreIndex, Top};
use super::tests::taint;
use super::{SchedulerProfile, Scoring, View, evaluate_plain};
use crate::cluster::{
    Capacity, Mark, NodeInit, NodeTraits, Nodes, PoolId, Purchase, ShapeId, Slot, TraitsId, ZoneId,
};
use crate::rng::Draws;
use crate::units::{Bytes, MilliCpu};
use crate::workload::{ClassId, ExtendedId, PodClass, Requests, TaintEffect, Toleration};

const GIB: i64 = 1 << 30;

/// Round and odd shapes, one without memory, one that holds two pods.
const SHAPES: [(i64, i64, u32, i64); 7] = [
    (4_000, 16 * GIB, 58, 0),
    (3_920, 15_954_313_216, 58, 0),
    (1_930, 7 * GIB, 29, 1),
    (8_000, 16 * GIB, 20, 4),
    (2_000, 0, 10, 0),
    (1_000, 4 * GIB, 2, 0),
    (64_000, 1 << 52, 250, 8),
];

fn traits() -> Vec<NodeTraits> {
    let label = |zone: &str| vec![("zone".to_owned(), zone.to_owned())];
    let prefer = |key: &str| taint(key, "x", TaintEffect::PreferNoSchedule);
    vec![
        NodeTraits { labels: label("a"), taints: vec![], unschedulable: false },
        NodeTraits { labels: label("b"), taints: vec![], unschedulable: false },
        NodeTraits {
            labels: label("a"),
            taints: vec![taint("dedicated", "db", TaintEffect::NoSchedule)],
            ..NodeTraits::default()
        },
        NodeTraits { labels: label("b"), taints: vec![prefer("spot")], unschedulable: false },
        NodeTraits {
            labels: label("a"),
            taints: vec![prefer("spot"), prefer("old"), prefer("hot")],
            ..NodeTraits::default()
        },
        NodeTraits {
            labels: label("b"),
            taints: vec![taint("gone", "", TaintEffect::NoExecute), prefer("old")],
            ..NodeTraits::default()
        },
    ]
}

fn classes() -> Vec<PodClass> {
    let class = |cpu: Option<i64>, memory: Option<i64>, gpu: i64| PodClass {
        requests: Requests::new(cpu.map(MilliCpu), memory.map(Bytes), vec![(ExtendedId(0), gpu)]),
        ..PodClass::default()
    };
    let exists =
        |key: Option<&str>| Toleration { key: key.map(str::to_owned), value: None, effect: None };
    let mut classes = vec![
        class(Some(500), Some(GIB), 0),
        class(Some(250), Some(GIB), 0),
        class(Some(333), Some(700 << 20), 0),
        class(None, None, 0),
        class(Some(0), Some(2 * GIB), 0),
        class(Some(1_000), Some(512 << 20), 1),
        class(Some(500), Some(GIB), 0),
        class(Some(500), Some(GIB), 0),
        class(Some(500), Some(GIB), 0),
        class(Some(500), Some(GIB), 0),
    ];
    classes[6].tolerations.push(exists(Some("spot")));
    classes[7].tolerations.push(exists(None));
    classes[8].node_selector.push(("zone".into(), "b".into()));
    // Shares the planes of the first.
    classes[9].priority = 7;
    classes
}

fn profile(scoring: Scoring) -> [SchedulerProfile; 1] {
    [SchedulerProfile { scoring, percentage_of_nodes_to_score: 100, ..SchedulerProfile::default() }]
}

/// A cluster under random change, with what runs where.
struct Rig {
    nodes: Nodes,
    classes: Vec<PodClass>,
    traits: Vec<NodeTraits>,
    pods: Vec<(Slot, usize)>,
    overlays: Vec<(Mark, Vec<(Slot, usize)>)>,
}

impl Rig {
    fn new() -> Self {
        let mut nodes = Nodes::new(1);
        let traits = traits();
        // The others are interned as their nodes appear.
        nodes.intern(traits[0].clone());
        Rig { nodes, classes: classes(), traits, pods: Vec::new(), overlays: Vec::new() }
    }

    fn live(&self, at: usize) -> Option<Slot> {
        let live: Vec<usize> = (0..self.nodes.slots()).filter(|i| self.nodes.live[*i]).collect();
        (!live.is_empty()).then(|| Slot(live[at % live.len()] as u32))
    }

    fn add(&mut self, shape: usize, traits: usize, open: bool) {
        let (cpu, memory, pods, gpu) = SHAPES[shape % SHAPES.len()];
        let traits = self.nodes.intern(self.traits[traits % self.traits.len()].clone());
        let node = NodeInit {
            pool: PoolId(0),
            shape: ShapeId(0),
            zone: ZoneId(0),
            purchase: Purchase::Spot,
            traits,
            allocatable: Capacity {
                cpu: MilliCpu(cpu),
                memory: Bytes(memory),
                pods,
                extended: vec![gpu],
            },
            record: 0,
        };
        self.nodes.add(&node, open);
    }

    fn step(&mut self, (op, a, b): (u8, usize, usize)) {
        match op {
            0 | 1 => self.add(a, b, !a.is_multiple_of(5)),
            2 => {
                if let Some(slot) = self.live(a) {
                    let here = |(at, _): &(Slot, usize)| *at == slot;
                    for (_, class) in self.pods.extract_if(.., |pod| here(pod)) {
                        self.nodes.unplace(slot, &self.classes[class].requests);
                    }
                    self.nodes.remove(slot);
                }
            }
            3 => {
                if let Some(slot) = self.live(a) {
                    self.nodes.set_open(slot, b.is_multiple_of(2));
                }
            }
            4..=9 => {
                if let Some(slot) = self.live(a) {
                    let class = b % self.classes.len();
                    if self.nodes.fits(slot, &self.classes[class].requests) {
                        self.nodes.place(slot, &self.classes[class].requests);
                        self.pods.push((slot, class));
                    }
                }
            }
            10 | 11 => {
                if !self.pods.is_empty() {
                    let (slot, class) = self.pods.swap_remove(a % self.pods.len());
                    self.nodes.unplace(slot, &self.classes[class].requests);
                }
            }
            12 => {
                if self.overlays.len() < 3 {
                    self.overlays.push((self.nodes.begin(), self.pods.clone()));
                }
            }
            _ => {
                if let Some((mark, pods)) = self.overlays.pop() {
                    self.nodes.rollback(mark);
                    self.pods = pods;
                }
            }
        }
    }

    fn check(&self, index: &mut ScoreIndex, scoring: &Scoring, class: usize, draws: &mut Draws) {
        let profile = SchedulerProfile { scoring: scoring.clone(), ..SchedulerProfile::default() };
        let view = View { nodes: &self.nodes, classes: &self.classes, profiles: &[profile] };
        let totals = evaluate_plain(&view, ClassId(class as u32)).totals();
        let best = totals.iter().copied().flatten().max();
        let top: Vec<Slot> = (0..totals.len())
            .filter(|i| best.is_some() && totals[*i] == best)
            .map(|i| Slot(i as u32))
            .collect();
        let id = ClassId(class as u32);
        let expected = match top.len() {
            0 => None,
            1 => Some(top[0]),
            n => Some(top[draws.clone().below(n as u64) as usize]),
        };
        assert_eq!(index.select(&self.nodes, id, draws), expected);
        assert_eq!(
            index.top(&self.nodes, id),
            best.map(|score| Top { score, count: top.len() as u32 })
        );
        assert_eq!(index.scores(&self.nodes, id), totals);
        let mut slots = Vec::new();
        assert_eq!(index.top_slots(&self.nodes, id, &mut slots), best);
        assert_eq!(slots, top);
        let admissible = (0..self.nodes.slots()).any(|i| {
            self.nodes.open[i]
                && crate::cluster::admits(
                    self.nodes.traits_of(self.nodes.traits[i]),
                    &self.classes[class],
                )
        });
        assert_eq!(index.admissible(&self.nodes, id), admissible);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn index_equals_the_plain_evaluator(
        seed in 0u64..1_000,
        most in any::<bool>(),
        // Room for every plane, for a few, for one.
        budget in prop_oneof![Just(1usize << 20), Just(2_000), Just(0)],
        first in proptest::collection::vec((0usize..7, 0usize..6), 0..150),
        steps in proptest::collection::vec(
            ((0u8..14, 0usize..10_000, 0usize..1_000), 0usize..12), 1..80),
    ) {
        let scoring = if most { Scoring::MostAllocated } else { Scoring::LeastAllocated };
        let mut rig = Rig::new();
        for (shape, traits) in first {
            rig.add(shape, traits, true);
        }
        let mut index = ScoreIndex::with_budget(&profile(scoring.clone()), &rig.classes, budget);
        let mut draws = Draws::new(seed, "tie", 0);
        for (op, query) in steps {
            rig.step(op);
            if query < rig.classes.len() {
                rig.check(&mut index, &scoring, query, &mut draws);
            }
        }
        for class in 0..rig.classes.len() {
            rig.check(&mut index, &scoring, class, &mut draws);
        }
    }

    /// One node of arbitrary size and load: every score from reciprocals is
    /// the integer of the divisions.
    #[test]
    fn scores_from_reciprocals_are_exact(
        alloc in (prop_oneof![1i64..64, 1i64..200_000, 1i64..1_000_000_000],
                  prop_oneof![1i64..64, 1i64..(1 << 34), 1i64..=(1 << 52)]),
        shares in proptest::collection::vec((0u32..=64, 0u32..=64, 0u32..=64, 0u32..=64), 1..40),
        whole in any::<bool>(),
        most in any::<bool>(),
    ) {
        let scoring = if most { Scoring::MostAllocated } else { Scoring::LeastAllocated };
        // Whole sixty-fourths hit the integers, where rounding could go wrong.
        let scale = |n: i64, share: u32| {
            let part = (i128::from(n) * i128::from(share) / 64) as i64;
            if whole { part } else { (part - 1).max(0) }
        };
        let requests = |(a, b, c, d): (u32, u32, u32, u32)| Requests {
            cpu: MilliCpu(scale(alloc.0, a)),
            memory: Bytes(scale(alloc.1, b)),
            nonzero_cpu: MilliCpu(scale(alloc.0, a.max(c / 2))),
            nonzero_memory: Bytes(scale(alloc.1, b.max(d))),
            extended: Vec::new(),
        };
        let classes: Vec<PodClass> = shares
            .iter()
            .map(|s| PodClass { requests: requests(*s), ..PodClass::default() })
            .collect();
        let mut nodes = super::tests::cluster(&[(alloc.0, alloc.1, 1_000)]);
        let mut index = ScoreIndex::new(&profile(scoring.clone()), &classes);
        let profile = SchedulerProfile { scoring, ..SchedulerProfile::default() };
        for (i, share) in shares.iter().enumerate() {
            let id = ClassId(i as u32);
            let view = View { nodes: &nodes, classes: &classes, profiles: std::slice::from_ref(&profile) };
            let plain = evaluate_plain(&view, id).totals()[0];
            prop_assert_eq!(index.scores(&nodes, id)[0], plain);
            let half = requests((share.0 / 4, share.1 / 4, share.2, share.3));
            if nodes.fits(Slot(0), &half) {
                nodes.place(Slot(0), &half);
            }
        }
    }
}

#[test]
fn a_class_that_stays_away_reads_everything_afresh() {
    let mut rig = Rig::new();
    for i in 0..100 {
        rig.add(i, i / 7, true);
    }
    let mut index = ScoreIndex::new(&profile(Scoring::LeastAllocated), &rig.classes);
    let mut draws = Draws::new(1, "tie", 0);
    for class in [0, 6] {
        rig.check(&mut index, &Scoring::LeastAllocated, class, &mut draws);
    }
    for i in 0..9_000 {
        rig.step((4, i * 7, i));
        rig.step((10, i * 3, 0));
        if i % 1_000 == 0 {
            rig.check(&mut index, &Scoring::LeastAllocated, 0, &mut draws);
        }
    }
    for class in [6, 0] {
        rig.check(&mut index, &Scoring::LeastAllocated, class, &mut draws);
    }
}

#[test]
fn ties_are_uniform() {
    let mut rig = Rig::new();
    for _ in 0..150 {
        rig.add(0, 0, true);
    }
    let mut index = ScoreIndex::new(&profile(Scoring::LeastAllocated), &rig.classes);
    let mut draws = Draws::new(1, "tie", 0);
    let mut hits = vec![0u32; 150];
    for _ in 0..150_000 {
        let slot = index.select(&rig.nodes, ClassId(0), &mut draws).expect("all are empty");
        hits[slot.index()] += 1;
    }
    // 1,000 each, standard deviation 32.
    assert!(hits.iter().all(|n| (850..1_150).contains(n)), "{hits:?}");
}

#[test]
fn the_quick_check_looks_at_one_node() {
    let mut rig = Rig::new();
    rig.add(0, 0, true);
    rig.add(0, 2, true);
    rig.add(5, 5, true);
    rig.add(0, 0, false);
    assert_eq!(rig.nodes.traits[2], TraitsId(2));
    let mut index = ScoreIndex::new(&profile(Scoring::LeastAllocated), &rig.classes);
    let got: Vec<bool> =
        (0..4).map(|slot| index.passes_quick_check(&rig.nodes, Slot(slot), ClassId(0))).collect();
    // Free; tainted; tainted NoExecute, which this check ignores; closed.
    assert_eq!(got, [true, false, true, false]);
    for _ in 0..2 {
        rig.nodes.place(Slot(2), &rig.classes[3].requests);
    }
    assert!(!index.passes_quick_check(&rig.nodes, Slot(2), ClassId(0)), "holds two pods");
}
