//! The index against the plain evaluator where every plugin is in play:
//! random classes on random nodes, pods and nodes that come and go, also
//! hypothetically, and attempts that look at a sample of the nodes.

use proptest::prelude::*;

use super::index::{ScoreIndex, Top};
use super::tests::taint;
use super::{
    DefaultConstraint, DefaultSpread, KubeScheduler, NodeVerdict, PluginWeights, Rejectors,
    Resource, SchedulerProfile, Scoring, ShapePoint, View, evaluate_plain, named_nodes,
    nodes_to_find, sample, score_plain,
};
use crate::cluster::{
    Capacity, Mark, NodeInit, NodeTraits, Nodes, PodId, PoolId, Purchase, ShapeId, Slot, ZoneId,
};
use crate::rng::Draws;
use crate::units::{Bytes, MilliCpu};
use crate::workload::constraints::{
    Constraints, HOSTNAME_LABEL, HostPort, LabelSelector, Namespaces, NodeSelectorTerm, Operator,
    PodAffinityTerm, Requirement, SpreadConstraint, Weighted,
};
use crate::workload::{ClassId, ExtendedId, PodClass, Requests, TaintEffect, Toleration};

const GIB: i64 = 1 << 30;
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";
const KEYS: [&str; 3] = [ZONE, "rack", HOSTNAME_LABEL];

/// Random things, most of them seldom.
struct Random(Draws);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0.below(n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn text(&mut self, of: &[&str]) -> String {
        of[self.below(of.len())].to_owned()
    }

    fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    fn requirement(&mut self, key: &str, values: &[&str]) -> Requirement {
        let operator =
            [Operator::In, Operator::NotIn, Operator::Exists, Operator::DoesNotExist, Operator::In]
                [self.below(5)];
        let listed = matches!(operator, Operator::In | Operator::NotIn);
        let values = if listed { vec![self.text(values)] } else { Vec::new() };
        Requirement { key: key.to_owned(), operator, values }
    }

    fn selector(&mut self) -> Option<LabelSelector> {
        if self.one_in(12) {
            return None;
        }
        let mut requirements = vec![self.requirement("app", &["x", "y", "z"])];
        if self.one_in(4) {
            requirements.push(self.requirement("tier", &["1", "2"]));
        }
        if self.one_in(12) {
            requirements.clear();
        }
        Some(LabelSelector { requirements })
    }

    fn node_term(&mut self) -> NodeSelectorTerm {
        let mut term = NodeSelectorTerm::default();
        match self.below(5) {
            0 => term.match_fields.push(Requirement {
                key: "metadata.name".into(),
                operator: if self.one_in(3) { Operator::NotIn } else { Operator::In },
                values: vec![format!("n{}", self.below(12))],
            }),
            1 => {
                let values = ["n1", "n2", "shared"];
                term.match_expressions.push(self.requirement(HOSTNAME_LABEL, &values));
            }
            2 => {}
            _ => term.match_expressions.push(self.requirement(ZONE, &["a", "b", "c"])),
        }
        if self.one_in(4) {
            term.match_expressions.push(self.requirement("rack", &["0", "1", "2"]));
        }
        term
    }

    fn pod_term(&mut self) -> PodAffinityTerm {
        PodAffinityTerm {
            topology_key: self.text(&KEYS),
            selector: self.selector(),
            namespaces: match self.below(4) {
                0 => Namespaces::All,
                1 => Namespaces::Listed(vec!["a".into(), "b".into()]),
                _ => Namespaces::Listed(vec![self.text(&["a", "b"])]),
            },
        }
    }

    fn weighted<T>(&mut self, term: T) -> Weighted<T> {
        Weighted { weight: 1 + self.below(100) as i64, term }
    }

    fn spread(&mut self) -> Vec<SpreadConstraint> {
        let mut all: Vec<SpreadConstraint> = Vec::new();
        for _ in 0..self.below(4) {
            let constraint = SpreadConstraint {
                max_skew: 1 + self.below(3) as i64,
                topology_key: self.text(&KEYS),
                hard: self.one_in(2),
                selector: self.selector(),
                min_domains: 1 + self.below(3) as i64,
                honor_affinity: !self.one_in(3),
                honor_taints: self.one_in(3),
            };
            let same = |c: &SpreadConstraint| {
                c.hard == constraint.hard && c.topology_key == constraint.topology_key
            };
            if !all.iter().any(same) {
                all.push(constraint);
            }
        }
        all
    }

    fn constraints(&mut self) -> Constraints {
        let mut c = Constraints {
            namespace: self.text(&["a", "b"]),
            labels: vec![("app".to_owned(), self.text(&["x", "y", "z"]))],
            ..Constraints::default()
        };
        if self.one_in(2) {
            c.labels.push(("tier".to_owned(), self.text(&["1", "2"])));
        }
        if self.one_in(20) {
            c.node_name = Some(format!("n{}", self.below(6)));
        }
        if self.one_in(4) {
            c.required_nodes = Some(self.some(2, Self::node_term));
        }
        if self.one_in(3) {
            c.preferred_nodes = self.some(3, |r| {
                let term = r.node_term();
                r.weighted(term)
            });
        }
        if self.one_in(4) {
            c.affinity = self.some(2, Self::pod_term);
        }
        if self.one_in(3) {
            c.anti_affinity = self.some(2, Self::pod_term);
        }
        if self.one_in(3) {
            c.preferred_affinity = self.some(2, |r| {
                let term = r.pod_term();
                r.weighted(term)
            });
        }
        if self.one_in(3) {
            c.preferred_anti_affinity = self.some(2, |r| {
                let term = r.pod_term();
                r.weighted(term)
            });
        }
        if self.one_in(2) {
            c.spread = self.spread();
        }
        if self.one_in(2) {
            c.default_spread = self.selector();
        }
        if self.one_in(5) {
            c.host_ports = self.some(2, |r| HostPort {
                protocol: r.text(&["TCP", "UDP"]),
                ip: r.text(&["0.0.0.0", "10.0.0.1", "10.0.0.2"]),
                port: 80 + r.below(2) as u16,
            });
        }
        if self.one_in(6) {
            let mut zones = self.some(2, |r| r.text(&["a", "b", "c"]));
            zones.sort();
            c.volume_zones = Some(zones);
        }
        if self.one_in(5) {
            c.attached_volumes = 1 + self.below(2) as u32;
        }
        if self.one_in(8) {
            c.exclusive_claims = vec![self.text(&["a/one", "a/two"])];
        }
        c.terminating = self.one_in(12);
        c
    }

    fn class(&mut self, profiles: usize) -> PodClass {
        let cpu = [None, Some(0), Some(250), Some(333), Some(1_000)][self.below(5)];
        let memory = [None, Some(GIB), Some(700 << 20)][self.below(3)];
        let gpu = i64::from(self.one_in(8));
        let exists =
            |key: &str| Toleration { key: Some(key.to_owned()), value: None, effect: None };
        let mut class = PodClass {
            requests: Requests::new(
                cpu.map(MilliCpu),
                memory.map(Bytes),
                vec![(ExtendedId(0), gpu)],
            ),
            profile: self.below(profiles) as u8,
            ..PodClass::default()
        };
        if self.one_in(3) {
            let key = self.text(&["dedicated", "spot", "node.kubernetes.io/unschedulable"]);
            class.tolerations.push(exists(&key));
        }
        if self.one_in(6) {
            class.node_selector.push((ZONE.into(), self.text(&["a", "b"])));
        }
        if self.one_in(20) {
            class.node_selector.push((HOSTNAME_LABEL.into(), self.text(&["n1", "shared"])));
            class.node_selector.sort();
        }
        if self.one_in(10) {
            let more = Requests::new(Some(MilliCpu(50)), memory.map(Bytes), Vec::new());
            class.on_node = Some(Box::new(more));
        }
        if !self.one_in(8) {
            class.constraints = Some(self.constraints().into());
        }
        class
    }

    fn traits(&mut self) -> NodeTraits {
        let mut labels = Vec::new();
        if self.one_in(12) {
            labels.push((HOSTNAME_LABEL.to_owned(), "shared".to_owned()));
        }
        if !self.one_in(8) {
            labels.push(("rack".to_owned(), self.text(&["0", "1", "2", ""])));
        }
        if self.one_in(3) {
            labels.push((REGION.to_owned(), "here".to_owned()));
        }
        if !self.one_in(8) {
            labels.push((ZONE.to_owned(), self.text(&["a", "b", "c", ""])));
        }
        labels.sort();
        let mut taints = Vec::new();
        if self.one_in(8) {
            taints.push(taint("dedicated", "db", TaintEffect::NoSchedule));
        }
        for key in ["spot", "old", "hot"] {
            if self.one_in(6) {
                taints.push(taint(key, "x", TaintEffect::PreferNoSchedule));
            }
        }
        NodeTraits { labels, taints, unschedulable: self.one_in(15) }
    }
}

fn profiles() -> Vec<SchedulerProfile> {
    let all = SchedulerProfile { percentage_of_nodes_to_score: 100, ..SchedulerProfile::default() };
    vec![
        all.clone(),
        SchedulerProfile { scoring: Scoring::MostAllocated, ..SchedulerProfile::default() },
        SchedulerProfile {
            scoring: Scoring::RequestedToCapacityRatio(
                [
                    ShapePoint { utilization: 0, score: 0 },
                    ShapePoint { utilization: 70, score: 10 },
                    ShapePoint { utilization: 100, score: 3 },
                ]
                .into(),
            ),
            resources: [(Resource::Cpu, 3), (Resource::Extended(ExtendedId(0)), 5)].into(),
            weights: PluginWeights {
                resources_fit: 7,
                pod_affinity: 0,
                ..PluginWeights::default()
            },
            percentage_of_nodes_to_score: 10,
            ..SchedulerProfile::default()
        },
        SchedulerProfile {
            weights: PluginWeights { topology_spread: 9, ..PluginWeights::default() },
            default_spread: DefaultSpread::List(
                [
                    DefaultConstraint { max_skew: 2, topology_key: "rack".into(), hard: true },
                    DefaultConstraint { max_skew: 1, topology_key: ZONE.into(), hard: false },
                ]
                .into(),
            ),
            hard_pod_affinity_weight: 30,
            ..all
        },
    ]
}

/// A cluster under random change, with what runs where.
struct Rig {
    nodes: Nodes,
    random: Random,
    profiles: Vec<SchedulerProfile>,
    classes: Vec<PodClass>,
    traits: Vec<NodeTraits>,
    pods: Vec<(Slot, ClassId)>,
    overlays: Vec<(Mark, Vec<(Slot, ClassId)>)>,
    /// Where the next sample should start.
    start: usize,
    named: usize,
}

impl Rig {
    fn new(seed: u64, classes: usize) -> Self {
        let mut nodes = Nodes::new(2);
        nodes.volume_limit = Some(ExtendedId(1));
        let mut random = Random(Draws::new(seed, "rig", 0));
        let profiles = profiles();
        let classes = (0..classes).map(|_| random.class(profiles.len())).collect();
        let traits: Vec<NodeTraits> = (0..6).map(|_| random.traits()).collect();
        Rig {
            nodes,
            random,
            profiles,
            classes,
            traits,
            pods: Vec::new(),
            overlays: Vec::new(),
            start: 0,
            named: 0,
        }
    }

    fn index(&self, budget: usize) -> ScoreIndex {
        ScoreIndex::with_budget(&self.profiles, &self.classes, budget)
    }

    fn live(&mut self) -> Option<Slot> {
        let live: Vec<usize> = (0..self.nodes.slots()).filter(|i| self.nodes.live[*i]).collect();
        (!live.is_empty()).then(|| Slot(live[self.random.below(live.len())] as u32))
    }

    fn add(&mut self) {
        let traits = self.random.below(self.traits.len());
        let traits = self.nodes.intern(self.traits[traits].clone());
        let (cpu, memory, pods) =
            [(4_000, 16 * GIB, 58), (1_930, 7 * GIB, 9), (64_000, 1 << 47, 250), (2_000, 0, 5)]
                [self.random.below(4)];
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
                extended: vec![self.random.below(3) as i64, self.random.below(4) as i64],
            },
            record: 0,
        };
        let open = !self.random.one_in(6);
        let slot = self.nodes.add(&node, open);
        if !self.random.one_in(10) {
            let name = format!("n{}", self.named);
            self.named += 1;
            self.nodes.set_name(slot, &name);
        }
    }

    fn step(&mut self, op: u8) {
        match op {
            0 | 1 => self.add(),
            2 => {
                if let Some(slot) = self.live() {
                    for (_, class) in self.pods.extract_if(.., |(at, _)| *at == slot) {
                        self.nodes.unplace_pod(slot, class, &self.classes[class.index()]);
                    }
                    self.nodes.remove(slot);
                }
            }
            3 => {
                if let Some(slot) = self.live() {
                    let open = self.random.one_in(2);
                    self.nodes.set_open(slot, open);
                }
            }
            4..=9 => {
                if let Some(slot) = self.live() {
                    let class = self.random.below(self.classes.len());
                    if self.nodes.fits(slot, &self.classes[class].requests) {
                        let id = ClassId(class as u32);
                        self.nodes.place_pod(slot, id, &self.classes[class]);
                        self.pods.push((slot, id));
                    }
                }
            }
            10 | 11 => {
                if !self.pods.is_empty() {
                    let at = self.random.below(self.pods.len());
                    let (slot, class) = self.pods.swap_remove(at);
                    self.nodes.unplace_pod(slot, class, &self.classes[class.index()]);
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

    fn view(&self) -> View<'_> {
        View { nodes: &self.nodes, classes: &self.classes, profiles: &self.profiles }
    }

    /// The nodes of a sample that are feasible, and how many it looked at.
    fn sample(&self, id: ClassId, feasible: &[bool]) -> (Vec<Slot>, usize) {
        let order = self.nodes.scheduling_order();
        let all = order.len();
        let class = &self.classes[id.index()];
        if let Some(Ok(Some(names))) = class.constraints.as_ref().map(|c| named_nodes(c)) {
            let named = |slot: &Slot| names.contains(&self.nodes.name(*slot));
            let found = (0..feasible.len()).filter(|i| feasible[*i]).map(|i| Slot(i as u32));
            return (found.collect(), order.iter().filter(|slot| named(slot)).count());
        }
        let percentage = self.view().profile(class).percentage_of_nodes_to_score;
        if nodes_to_find(all, percentage) >= all {
            let found = (0..feasible.len()).filter(|i| feasible[*i]).map(|i| Slot(i as u32));
            return (found.collect(), all);
        }
        let seen = sample(&order, all, self.start, percentage, |slot| feasible[slot.index()]);
        (seen.feasible, seen.examined)
    }

    fn check(&mut self, index: &mut ScoreIndex, id: ClassId, draws: &mut Draws) {
        let plain = evaluate_plain(&self.view(), id);
        let feasible: Vec<bool> = plain.totals().iter().map(Option::is_some).collect();
        let (found, examined) = self.sample(id, &feasible);
        let mut totals = vec![None; feasible.len()];
        for (slot, scores) in found.iter().zip(score_plain(&self.view(), id, &found)) {
            totals[slot.index()] = Some(scores.total());
        }
        let mut rejectors = Rejectors::default();
        for verdict in &plain.verdicts {
            if let NodeVerdict::Rejected(rejection) = verdict {
                rejectors.insert(rejection.plugin());
            }
        }
        assert_eq!(index.rejecting(&self.nodes, id), rejectors);
        let best = totals.iter().copied().flatten().max();
        let top: Vec<Slot> =
            found.iter().copied().filter(|slot| totals[slot.index()] == best).collect();
        assert_eq!(index.scores(&self.nodes, id), totals, "{:?}", self.classes[id.index()]);
        assert_eq!(
            index.top(&self.nodes, id),
            best.map(|score| Top { score, count: top.len() as u32 })
        );
        let mut slots = Vec::new();
        assert_eq!(index.top_slots(&self.nodes, id, &mut slots), best);
        assert_eq!(slots, top);
        let expected = match top.len() {
            0 => None,
            1 => Some(top[0]),
            n => Some(top[draws.clone().below(n as u64) as usize]),
        };
        assert_eq!(index.select(&self.nodes, id, draws), expected);
        let all = self.nodes.listed.iter().filter(|listed| **listed).count();
        if all > 0 {
            self.start = (self.start + examined) % all;
        }
    }
}

/// Pods nominated for nodes keep others off where these fit only without them.
fn check_nominations(rig: &mut Rig, scheduler: &mut KubeScheduler, id: ClassId) {
    let plain = evaluate_plain(&rig.view(), id);
    let mut feasible: Vec<bool> = plain.totals().iter().map(Option::is_some).collect();
    for (i, passes) in feasible.iter_mut().enumerate().filter(|(_, passes)| **passes) {
        let slot = Slot(i as u32);
        let nominated: Vec<ClassId> = scheduler.nominated_on(slot).map(|(_, c)| c).collect();
        if nominated.is_empty() {
            continue;
        }
        let mark = rig.nodes.begin();
        for other in nominated {
            rig.nodes.place_pod(slot, other, &rig.classes[other.index()]);
        }
        let view = View { nodes: &rig.nodes, classes: &rig.classes, profiles: &rig.profiles };
        *passes = evaluate_plain(&view, id).totals()[i].is_some();
        rig.nodes.rollback(mark);
    }
    let (found, _) = rig.sample(id, &feasible);
    let scores = score_plain(&rig.view(), id, &found);
    let mut totals = vec![None; feasible.len()];
    for (slot, scores) in found.iter().zip(scores) {
        totals[slot.index()] = Some(scores.total());
    }
    assert_eq!(scheduler.scores(&rig.nodes, id), totals, "{:?}", rig.classes[id.index()]);
}

const CASES: u32 = if cfg!(debug_assertions) { 300 } else { 1_500 };

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn index_equals_the_plain_evaluator_with_every_plugin(
        seed in any::<u64>(),
        classes in 1usize..24,
        first in prop_oneof![0usize..30, 90usize..160],
        budget in prop_oneof![Just(1usize << 20), Just(2_000), Just(0)],
        steps in proptest::collection::vec((0u8..14, 0usize..40), 1..80),
    ) {
        let mut rig = Rig::new(seed, classes);
        for _ in 0..first {
            rig.add();
        }
        for _ in 0..2 * first {
            rig.step(4);
        }
        let mut index = rig.index(budget);
        let mut draws = Draws::new(seed, "tie", 0);
        for (op, query) in steps {
            rig.step(op);
            if query < classes {
                rig.check(&mut index, ClassId(query as u32), &mut draws);
            }
        }
        for class in 0..classes {
            rig.check(&mut index, ClassId(class as u32), &mut draws);
        }
    }

    #[test]
    fn nominated_pods_are_left_room(
        seed in any::<u64>(),
        classes in 1usize..16,
        first in 1usize..30,
        nominations in 1u32..12,
    ) {
        let mut rig = Rig::new(seed, classes);
        for _ in 0..first {
            rig.add();
        }
        for _ in 0..3 * first {
            rig.step(4);
        }
        let mut scheduler = KubeScheduler::new(&rig.profiles, &rig.classes);
        for pod in 0..nominations {
            if let Some(slot) = rig.live() {
                let class = ClassId(rig.random.below(classes) as u32);
                scheduler.nominate(PodId(pod), class, slot);
            }
        }
        for class in 0..classes {
            check_nominations(&mut rig, &mut scheduler, ClassId(class as u32));
        }
    }
}
