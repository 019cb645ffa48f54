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
use plimsoll::workload::{ClassId, PodClass, Requests};

const MIB: i64 = 1 << 20;

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
    SchedulerProfile { scoring, ..SchedulerProfile::default() }
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
        let mut nodes = Nodes::new(0);
        let traits = nodes.intern(NodeTraits::default());
        for i in 0..count {
            let (cpu, memory, pods) = SHAPES[i % SHAPES.len()];
            let node = NodeInit {
                pool: PoolId(0),
                shape: ShapeId(0),
                zone: ZoneId(0),
                purchase: Purchase::OnDemand,
                traits,
                allocatable: Capacity {
                    cpu: MilliCpu(cpu),
                    memory: Bytes(memory),
                    pods,
                    extended: Vec::new(),
                },
                record: 0,
            };
            nodes.add(&node, true);
        }
        let mut draws = Draws::new(1, "bench", 0);
        let classes: Vec<PodClass> = (0..classes)
            .map(|_| {
                let cpu = 50 + 10 * draws.below(70) as i64;
                let memory = (64 + draws.below(2_400) as i64) * MIB;
                let requests = Requests::new(Some(MilliCpu(cpu)), Some(Bytes(memory)), Vec::new());
                PodClass { requests, ..PodClass::default() }
            })
            .collect();
        let index = ScoreIndex::new(&[profile(scoring)], &classes);
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
            self.nodes.place(slot, &self.classes[class.index()].requests);
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
            self.nodes.unplace(slot, &self.classes[class.index()].requests);
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
