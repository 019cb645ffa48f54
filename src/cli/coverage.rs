//! Whether the intervals that reports show cover the truth as often as they
//! say: 95 % of the time.
//!
//! Known answer: twenty jobs of exponential length, mean one hour, all
//! submitted at once, one to a node. By hand, with one node and with two (while
//! both are busy, jobs leave at twice the rate; the last one is alone):
//!
//! | expectation | one node | two nodes |
//! | --- | --- | --- |
//! | run, hours | 20 | 19/2 + 1 = 10.5 |
//! | node-hours | 20 | 21 |
//! | cost at 1 USD a node-hour, 0.10 USD for the control plane | 22 | 22.05 |
//! | pending p95 (the 19th of 20), hours | 18 | 17/2 = 8.5 |
//! | pending mean, hours | (0 + … + 19)/20 = 9.5 | (0 + 0 + 1 + … + 18)/2/20 = 4.275 |
//!
//! 1,000 repetitions of ten seeds each run through generator, plan, engine,
//! bill and statistics. The scheduler's 10 ms a pod and whole seconds of bills
//! are below a thousandth of the intervals.
//!
//! The node-hours differ by what one node idles while the other works on the
//! last job, which is exponential: as skewed as a difference gets. Ten seeds are
//! too few for it, sixty are not.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::cells::{PlannedCells, Simulated};
use crate::plan::{self, Options};
use crate::rng::Draws;
use crate::sweep::{self, CaseStudy, Cell, Estimate, Metric, OutputDir, Simulate, Study};
use crate::{Result, scenario};

const REPETITIONS: usize = 1_000;
const SEEDS: usize = 10;
const HOUR_S: f64 = 3_600.0;

const SCENARIO: &str = "
version: 1
name: coverage
region: us-east-1
time: { horizon: until-idle }
workload:
  jobs:
    generate:
      count: 20
      arrivals: { burst: { at: [0s], size: 20 } }
      duration: { exponential: { mean: 1h } }
      shapes: [{ cpu: 900m, memory: 1Gi }]
    startup: 0s
pools:
  nodes:
    fixed: { shape: { vcpu: 1, memory: 4Gi, pods: 110, usd-per-hour: 1 }, count: 1 }
cases:
  one: {}
  two: { set: { pools.nodes.fixed.count: 2 } }
";

/// The cells of a run, none of them in depth: no tables are written.
struct Shallow<'a>(PlannedCells<'a>);

impl Simulate for Shallow<'_> {
    type Record = Simulated;

    fn cases(&self) -> Vec<String> {
        self.0.cases()
    }

    fn sim_key(&self, case: usize) -> u64 {
        self.0.sim_key(case)
    }

    fn simulate(&self, case: usize, seed: u64, _: bool) -> Result<Simulated> {
        self.0.simulate(case, seed, false)
    }

    fn measure(&self, case: usize, seed: u64, of: &Simulated, _: bool) -> Result<Cell> {
        self.0.measure(case, seed, of, false)
    }
}

/// One study per repetition, as a report would see it.
fn studies() -> Vec<Study> {
    let source = scenario::Source::parse(Path::new("coverage.yaml"), SCENARIO.as_bytes())
        .expect("a scenario");
    let plan = plan::link(&source, &Options::default()).expect("a plan");
    let dir = tempfile::tempdir().expect("a directory");
    let output = OutputDir::create(&dir.path().join("out")).expect("an output");
    let cells = Shallow(PlannedCells { plan: &plan, output: &output, exports: &[] });
    let seeds: Vec<u64> = (1..=(REPETITIONS * SEEDS) as u64).collect();
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let stop = AtomicBool::new(false);
    let cells = sweep::run(&cells, &seeds, threads, &stop, &|_, _| ()).expect("every cell runs");
    let mut by_case: Vec<_> = cells.by_case.into_iter().map(Vec::into_iter).collect();
    seeds
        .chunks(SEEDS)
        .map(|seeds| Study {
            seeds: seeds.to_vec(),
            cases: by_case
                .iter_mut()
                .map(|cells| {
                    let cells = cells.by_ref().take(SEEDS).collect();
                    CaseStudy::default().with_cells(cells)
                })
                .collect(),
            complete: true,
            ..Study::default()
        })
        .collect()
}

#[test]
fn intervals_cover_a_known_answer_as_often_as_they_say() {
    let studies = studies();
    assert_eq!(studies.len(), REPETITIONS);
    let covered = |name: &str, truth: f64, of: &dyn Fn(&Study) -> Option<Estimate>| {
        let estimates: Vec<Estimate> =
            studies.iter().map(|s| of(s).expect("a mean over ten seeds")).collect();
        // The answer first: the mean over all repetitions within four standard
        // errors of it.
        let n = REPETITIONS as f64;
        let mean = estimates.iter().map(|e| e.mean).sum::<f64>() / n;
        let variance =
            estimates.iter().map(|e| (e.mean - mean) * (e.mean - mean)).sum::<f64>() / (n - 1.0);
        let error = (variance / n).sqrt();
        assert!((mean - truth).abs() <= 4.0 * error, "{name}: {mean} ± {error}, by hand {truth}");
        let within = |e: &Estimate| {
            e.low().is_some_and(|low| low <= truth) && e.high().is_some_and(|high| truth <= high)
        };
        let share = estimates.iter().filter(|e| within(e)).count() as f64 / n;
        eprintln!("{name}: {:.1} % of intervals cover {truth}", share * 100.0);
        assert!((0.93..=0.97).contains(&share), "{name}: {share}");
    };
    for (case, cost, p95, mean) in [(0, 22.0, 18.0, 9.5), (1, 22.05, 8.5, 4.275)] {
        let name = |metric: Metric| format!("case {case}, {}", metric.name());
        for (metric, truth) in [
            (Metric::Cost, cost),
            (Metric::PendingP95, p95 * HOUR_S),
            (Metric::PendingMean, mean * HOUR_S),
        ] {
            covered(&name(metric), truth, &|s| s.estimate(case, metric));
        }
    }
    for (metric, truth) in
        [(Metric::PendingP95, (8.5 - 18.0) * HOUR_S), (Metric::PendingMean, (4.275 - 9.5) * HOUR_S)]
    {
        let name = format!("difference of {}", metric.name());
        covered(&name, truth, &|s| s.difference(0, 1, metric));
    }
    skewed_differences_need_more_seeds(&studies);
}

/// As many repetitions, each of seeds drawn from all that were run.
fn skewed_differences_need_more_seeds(studies: &[Study]) {
    let of = |case| {
        let values = |s: &Study| s.values(case, |o| Metric::NodeHours.value(o));
        studies.iter().flat_map(values).collect::<Vec<_>>()
    };
    let (one, two) = (of(0), of(1));
    let coverage = |seeds: usize| {
        let mut draws = Draws::new(1, "which seeds", seeds as u64);
        let mut covers = || {
            let pick: Vec<usize> =
                (0..seeds).map(|_| draws.below(one.len() as u64) as usize).collect();
            let of = |values: &[Option<f64>]| pick.iter().map(|i| values[*i]).collect::<Vec<_>>();
            let e = sweep::difference(&of(&one), &of(&two)).expect("pairs");
            (e.mean - (21.0 - 20.0)).abs() <= e.half_width.expect("an interval")
        };
        (0..REPETITIONS).filter(|_| covers()).count() as f64 / REPETITIONS as f64
    };
    let (few, many) = (coverage(SEEDS), coverage(60));
    eprintln!("difference of node_hours: {few} with {SEEDS} seeds, {many} with 60");
    assert!((0.86..0.93).contains(&few), "{few}");
    assert!((0.93..=0.97).contains(&many), "{many}");
}
