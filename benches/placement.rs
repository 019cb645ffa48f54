//! Choosing a node: completions and placements on a cluster filled to about
//! 80 %, as `cargo bench --bench placement`.
//!
//! One item is one placement with the completion that made room for it.
//! Compare the figures with `scan`, the plain vector of divisions per node, and
//! `calibration`, which depends on the machine alone.

use divan::counter::ItemsCount;
use plimsoll::cluster::{
    Capacity, NodeInit, NodeTraits, Nodes, PoolId, Purchase, ShapeId, Slot, ZoneId,
};
use plimsoll::place::kube::{SchedulerProfile, ScoreIndex, Scoring, balance_score, resource_score};
use plimsoll::rng::Draws;
use plimsoll::units::{Bytes, MilliCpu};
use plimsoll::workload::constraints::{
    Constraints, HOSTNAME_LABEL, LabelSelector, Namespaces, PodAffinityTerm, Requirement,
    SpreadConstraint,
};
use plimsoll::workload::{ClassId, PodClass, Requests};

const MIB: i64 = 1 << 20;
const ZONE: &str = "topology.kubernetes.io/zone";

/// Allocatable cpu, memory and pods of six instance sizes.
const SHAPES: [(i64, i64, u32); 6] = [
    (1_930, 6_903 * MIB, 29),
    (3_920, 14_162 * MIB, 58),
    (7_910, 29_000 * MIB, 58),
    (15_890, 57_691 * MIB, 234),
    (3_920, 6_945 * MIB, 58),
    (3_920, 29_300 * MIB, 58),
];

fn profile(scoring: Scoring) -> SchedulerProfile {
    SchedulerProfile { scoring, percentage_of_nodes_to_score: 100, ..SchedulerProfile::default() }
}

/// A filled cluster in which pods come and go.
struct Churn {
    nodes: Nodes,
    index: ScoreIndex,
    classes: Vec<PodClass>,
    pods: Vec<(Slot, ClassId)>,
    draws: Draws,
    ties: Draws,
    /// Mean number of pods in a row of one class.
    burst: u64,
    class: ClassId,
}

impl Churn {
    fn new(count: usize, classes: usize, scoring: Scoring, burst: u64) -> Self {
        Self::with(count, classes, &profile(scoring), burst, |_, _| None)
    }

    /// Nodes in three zones, and pods of which `constrain` says what else they
    /// want.
    fn with(
        count: usize,
        classes: usize,
        profile: &SchedulerProfile,
        burst: u64,
        constrain: impl Fn(usize, &LabelSelector) -> Option<Constraints>,
    ) -> Self {
        let mut nodes = Nodes::new(0);
        let zones = ["a", "b", "c"].map(|zone| {
            nodes.intern(NodeTraits {
                labels: vec![(ZONE.to_owned(), zone.to_owned())],
                ..NodeTraits::default()
            })
        });
        for i in 0..count {
            let (cpu, memory, pods) = SHAPES[i % SHAPES.len()];
            let node = NodeInit {
                pool: PoolId(0),
                shape: ShapeId(0),
                zone: ZoneId(0),
                purchase: Purchase::OnDemand,
                traits: zones[i % 3],
                allocatable: Capacity {
                    cpu: MilliCpu(cpu),
                    memory: Bytes(memory),
                    pods,
                    extended: Vec::new(),
                },
                record: 0,
            };
            let slot = nodes.add(&node, true);
            nodes.set_name(slot, &format!("node-{i}"));
        }
        let mut draws = Draws::new(1, "bench", 0);
        let classes: Vec<PodClass> = (0..classes)
            .map(|i| {
                let cpu = 50 + 10 * draws.below(70) as i64;
                let memory = (64 + draws.below(2_400) as i64) * MIB;
                let requests = Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), Vec::new());
                let selector = LabelSelector {
                    requirements: vec![Requirement::equals("app", &format!("app-{i}"))],
                };
                let constraints = constrain(i, &selector).map(Into::into);
                PodClass { requests, constraints, ..PodClass::default() }
            })
            .collect();
        let index = ScoreIndex::new(std::slice::from_ref(profile), &classes);
        let ties = Draws::new(1, "tie", 0);
        let mut churn = Churn {
            nodes,
            index,
            classes,
            pods: Vec::new(),
            draws,
            ties,
            burst,
            class: ClassId(0),
        };
        let full: i64 = churn.nodes.alloc_cpu.iter().sum::<i64>() * 8 / 10;
        let mut used = 0;
        while used < full {
            let class = churn.random_class();
            if !churn.place(class) {
                break;
            }
            used += churn.classes[class.index()].requests.cpu.0;
        }
        churn
    }

    fn random_class(&mut self) -> ClassId {
        ClassId(self.draws.below(self.classes.len() as u64) as u32)
    }

    fn place(&mut self, class: ClassId) -> bool {
        let slot = self.index.select(&self.nodes, class, &mut self.ties);
        if let Some(slot) = slot {
            self.nodes.place_pod(slot, class, &self.classes[class.index()]);
            self.pods.push((slot, class));
        }
        slot.is_some()
    }

    /// One random completion, one placement of a random class, the same for a
    /// while.
    fn step(&mut self) {
        if !self.pods.is_empty() {
            let at = self.draws.below(self.pods.len() as u64) as usize;
            let (slot, class) = self.pods.swap_remove(at);
            self.nodes.unplace_pod(slot, class, &self.classes[class.index()]);
        }
        if self.draws.below(self.burst) == 0 {
            self.class = self.random_class();
        }
        self.place(self.class);
    }
}

const CASES: [(usize, usize); 9] = [
    (100, 6),
    (100, 20),
    (100, 200),
    (1_000, 6),
    (1_000, 20),
    (1_000, 200),
    (10_000, 6),
    (10_000, 20),
    (10_000, 200),
];

const STEPS: usize = 10_000;

fn churn(
    bencher: divan::Bencher<'_, '_>,
    (nodes, classes): (usize, usize),
    scoring: Scoring,
    burst: u64,
) {
    let mut churn = Churn::new(nodes, classes, scoring, burst);
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        for _ in 0..STEPS {
            churn.step();
        }
    });
}

#[divan::bench(args = CASES, sample_count = 20)]
fn least_allocated(bencher: divan::Bencher<'_, '_>, case: (usize, usize)) {
    churn(bencher, case, Scoring::LeastAllocated, 1);
}

/// Jobs and Deployments come as ten pods of one class on average.
#[divan::bench(args = CASES, sample_count = 20)]
fn bursts(bencher: divan::Bencher<'_, '_>, case: (usize, usize)) {
    churn(bencher, case, Scoring::LeastAllocated, 10);
}

#[divan::bench(args = [(1_000, 20), (10_000, 20)], sample_count = 20)]
fn most_allocated(bencher: divan::Bencher<'_, '_>, case: (usize, usize)) {
    churn(bencher, case, Scoring::MostAllocated, 1);
}

/// All nodes scored, or a sample as by default, where it is one.
const WITH_OTHERS: [(usize, u8); 5] =
    [(100, 100), (1_000, 100), (10_000, 100), (1_000, 0), (10_000, 0)];

/// Pods of 20 Services that look at each other.
fn with_others(
    bencher: divan::Bencher<'_, '_>,
    (nodes, percentage): (usize, u8),
    constrain: impl Fn(&LabelSelector, &mut Constraints),
) {
    let profile = SchedulerProfile {
        percentage_of_nodes_to_score: percentage,
        ..SchedulerProfile::default()
    };
    let mut churn = Churn::with(nodes, 20, &profile, 1, |i, selector| {
        let mut constraints = Constraints {
            namespace: "default".to_owned(),
            labels: vec![("app".to_owned(), format!("app-{i}"))],
            ..Constraints::default()
        };
        constrain(selector, &mut constraints);
        Some(constraints)
    });
    const STEPS: usize = 2_000;
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        for _ in 0..STEPS {
            churn.step();
        }
    });
}

/// Every pod is in a Service: the system's soft constraints over nodes and
/// zones.
#[divan::bench(args = WITH_OTHERS, sample_count = 20)]
fn default_spreading(bencher: divan::Bencher<'_, '_>, case: (usize, u8)) {
    with_others(bencher, case, |selector, pod| pod.default_spread = Some(selector.clone()));
}

/// At most one pod more in one zone than in another, and three more on a node.
#[divan::bench(args = WITH_OTHERS, sample_count = 20)]
fn hard_spreading(bencher: divan::Bencher<'_, '_>, case: (usize, u8)) {
    with_others(bencher, case, |selector, pod| {
        let constraint = |key: &str, max_skew| SpreadConstraint {
            max_skew,
            topology_key: key.to_owned(),
            hard: true,
            selector: Some(selector.clone()),
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
        };
        pod.spread = vec![constraint(ZONE, 1), constraint(HOSTNAME_LABEL, 3)];
    });
}

/// One pod of a Service to a node.
#[divan::bench(args = WITH_OTHERS, sample_count = 20)]
fn anti_affinity(bencher: divan::Bencher<'_, '_>, case: (usize, u8)) {
    with_others(bencher, case, |selector, pod| {
        pod.anti_affinity = vec![PodAffinityTerm {
            topology_key: HOSTNAME_LABEL.to_owned(),
            selector: Some(selector.clone()),
            namespaces: Namespaces::All,
        }];
    });
}

/// Pods without any tie to others, where a sample of the nodes is scored.
#[divan::bench(args = [(1_000, 20), (10_000, 20), (10_000, 200)], sample_count = 20)]
fn sampled(bencher: divan::Bencher<'_, '_>, (nodes, classes): (usize, usize)) {
    let profile = SchedulerProfile::default();
    let mut churn = Churn::with(nodes, classes, &profile, 1, |_, _| None);
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        for _ in 0..STEPS {
            churn.step();
        }
    });
}

/// The first score of every query afresh: what an index-free scheduler does.
#[divan::bench(args = [100, 1_000, 10_000], sample_count = 20)]
fn scan(bencher: divan::Bencher<'_, '_>, nodes: usize) {
    let churn = Churn::new(nodes, 20, Scoring::LeastAllocated, 1);
    let (nodes, class) = (&churn.nodes, &churn.classes[0]);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        let mut best = (i64::MIN, 0);
        for i in 0..nodes.slots() {
            if !nodes.fits(Slot(i as u32), &class.requests) {
                continue;
            }
            let (cpu, memory) = (nodes.alloc_cpu[i], nodes.alloc_memory[i]);
            let fit =
                |requested, capacity| resource_score(&Scoring::LeastAllocated, requested, capacity);
            let cpu_score = fit(nodes.nonzero_cpu[i] + class.requests.nonzero_cpu.0, cpu);
            let memory_score =
                fit(nodes.nonzero_memory[i] + class.requests.nonzero_memory.0, memory);
            let balance = balance_score(
                nodes.cpu[i] + class.requests.cpu.0,
                cpu,
                nodes.memory[i] + class.requests.memory.0,
                memory,
            );
            let score = i64::midpoint(cpu_score, memory_score) + balance;
            best = best.max((score, i));
        }
        best
    });
}

/// A failed attempt while nothing changes.
#[divan::bench(args = [100, 10_000], sample_count = 20)]
fn failed_attempt(bencher: divan::Bencher<'_, '_>, nodes: usize) {
    let mut churn = Churn::new(nodes, 20, Scoring::LeastAllocated, 1);
    let huge = Requests::new(Some(MilliCpu(1_000_000)), None, Vec::new());
    churn.classes[0].requests = huge;
    churn.index = ScoreIndex::new(&[profile(Scoring::LeastAllocated)], &churn.classes);
    bencher.counter(ItemsCount::new(STEPS)).bench_local(|| {
        for _ in 0..STEPS {
            assert!(churn.index.select(&churn.nodes, ClassId(0), &mut churn.ties).is_none());
        }
    });
}

/// One million steps of the generator, the unit other figures can be stated in.
#[divan::bench(sample_count = 20)]
fn calibration(bencher: divan::Bencher<'_, '_>) {
    let mut draws = Draws::new(1, "calibration", 0);
    bencher
        .counter(ItemsCount::new(1_000_000usize))
        .bench_local(|| (0..1_000_000).fold(0u64, |sum, _| sum ^ draws.below(1 << 40)));
}

fn main() {
    divan::main();
}
