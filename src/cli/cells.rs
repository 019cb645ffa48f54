//! How a planned cell is simulated, billed and measured: the glue between
//! `plan`, `world`, `bill` and `sweep`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::export::{self, Export};
use crate::bill::commitments::CommitmentStudy;
use crate::bill::{Bill, KeepLines};
use crate::frames::tables;
use crate::observe::{KeepPods, Record};
use crate::plan::{CasePlan, Grid, Plan};
use crate::sweep::{
    Cell, Detail, Finished, Found, Journal, Key, Keys, LowerBound, Outcome, OutputDir, Simulate,
};
use crate::workload::Workloads;
use crate::{Error, Result, world};

/// What one simulation leaves, with the pods it was about.
pub(super) struct Simulated {
    pub(super) workloads: Arc<Workloads>,
    pub(super) record: Record,
}

/// One simulation of a case.
pub(super) fn simulate(case: &CasePlan, seed: u64, keep: KeepPods) -> Result<Simulated> {
    let workloads = case.workload.materialise(seed)?;
    let record = world::run(&case.setup, &workloads, seed, keep);
    checked(workloads, record)
}

fn checked(workloads: Arc<Workloads>, record: Record) -> Result<Simulated> {
    if record.end <= record.warmup {
        return Err(Error::input(
            "the run was over before `time.warmup` ended: nothing is left to bill; \
             shorten the warm-up",
        ));
    }
    Ok(Simulated { workloads, record })
}

/// Its bill, and what it measured.
pub(super) fn billed(
    case: &CasePlan,
    seed: u64,
    of: &Simulated,
    keep: KeepLines,
) -> Result<(Bill, Outcome)> {
    let cluster = &*case.setup.cluster;
    let bill = Bill::compute(&of.record, cluster, &of.workloads, &case.billing, keep)?;
    let mut outcome =
        Outcome::measure(seed, &of.record, &bill, cluster, &of.workloads, &case.goals);
    outcome.lower_bound = Some(LowerBound::of(&of.record, &bill, cluster, &case.billing));
    Ok((bill, outcome))
}

/// The cells of a plan.
pub(super) struct PlannedCells<'a> {
    pub(super) plan: &'a Plan,
    /// Where the first seed's tables go.
    pub(super) output: &'a OutputDir,
    /// What else the first seed is written as.
    pub(super) exports: &'a [Export],
}

impl Simulate for PlannedCells<'_> {
    type Record = Simulated;

    fn cases(&self) -> Vec<String> {
        self.plan.cases.iter().map(|c| c.name.clone()).collect()
    }

    fn sim_key(&self, case: usize) -> u64 {
        self.plan.cases[case].sim_key
    }

    fn simulate(&self, case: usize, seed: u64, detail: bool) -> Result<Simulated> {
        let keep = if detail { KeepPods::Yes } else { KeepPods::No };
        simulate(&self.plan.cases[case], seed, keep)
    }

    fn measure(&self, case: usize, seed: u64, of: &Simulated, detail: bool) -> Result<Cell> {
        let case = &self.plan.cases[case];
        let keep = if detail { KeepLines::Yes } else { KeepLines::No };
        let (bill, outcome) = billed(case, seed, of, keep)?;
        let detail = if detail {
            self.write_tables(case, of, &bill)?;
            let cluster = &*case.setup.cluster;
            let commitments = CommitmentStudy::of_record(&of.record, cluster, &case.billing)?;
            Some(Detail::capture(&of.record, bill, cluster, &of.workloads, commitments))
        } else {
            None
        };
        Ok(Cell { outcome, detail })
    }
}

impl PlannedCells<'_> {
    fn write_tables(&self, case: &CasePlan, of: &Simulated, bill: &Bill) -> Result<()> {
        let file = |name: &str| self.output.file(&format!("{}/{name}", case.name));
        tables::write_pods(&of.record, &of.workloads, file("pods.parquet")?)?;
        tables::write_nodes(&of.record, &case.setup.cluster, bill, file("nodes.parquet")?)?;
        tables::write_timeline(&of.record, file("timeline.parquet")?)?;
        tables::write_bill(bill, file("bill.parquet")?)?;
        export::write(self.exports, self.plan, case, &of.record, &of.workloads, bill, &file)
    }
}

/// The cells of a sweep, the combinations of its grid being the cases. What
/// is linked lives as long as its simulation; what is measured goes to the
/// journal at once.
pub(super) struct GridCells<'a> {
    grid: &'a Grid,
    keys: Keys,
    /// What earlier runs left.
    found: Found,
    /// Where finished cells go, unless they are not to be kept.
    journal: Option<Journal>,
    simulated: AtomicUsize,
}

/// A simulation and the combination it was linked for.
pub(super) struct Swept {
    combination: usize,
    case: CasePlan,
    simulated: Simulated,
    took: Duration,
}

impl<'a> GridCells<'a> {
    /// With nothing known and nothing kept.
    pub(super) fn new(grid: &'a Grid) -> Self {
        GridCells {
            grid,
            keys: Keys::new(&grid.inputs, &grid.pricing_sha256),
            found: Found::new(),
            journal: None,
            simulated: AtomicUsize::new(0),
        }
    }

    /// The keys of all cells.
    pub(super) fn wanted(&self) -> std::collections::BTreeSet<Key> {
        (0..self.grid.combinations())
            .flat_map(|at| self.grid.seeds.iter().map(move |seed| self.key(at, *seed)))
            .collect()
    }

    /// These cells with what is known of them and where to keep the others.
    pub(super) fn with_journal(mut self, journal: Journal, found: Found) -> Self {
        self.journal = Some(journal);
        self.found = found;
        self
    }

    /// How many cells earlier runs left.
    pub(super) fn found(&self) -> usize {
        self.found.len()
    }

    /// Simulations run so far.
    pub(super) fn simulated(&self) -> usize {
        self.simulated.load(Ordering::Relaxed)
    }

    fn key(&self, combination: usize, seed: u64) -> Key {
        self.keys.of(self.grid.digest(combination), seed)
    }
}

impl Simulate for GridCells<'_> {
    type Record = Swept;

    fn cases(&self) -> Vec<String> {
        (0..self.grid.combinations()).map(|at| self.grid.label(at)).collect()
    }

    fn sim_key(&self, case: usize) -> u64 {
        self.grid.sim_key(case) as u64
    }

    fn known(&self, case: usize, seed: u64) -> Option<Cell> {
        let found = self.found.get(&self.key(case, seed))?;
        Some(Cell { outcome: found.outcome.clone(), detail: None })
    }

    fn simulate(&self, combination: usize, seed: u64, _: bool) -> Result<Swept> {
        let started = Instant::now();
        let case = self.grid.link(combination)?;
        self.simulated.fetch_add(1, Ordering::Relaxed);
        let simulated = simulate(&case, seed, KeepPods::No)?;
        Ok(Swept { combination, case, simulated, took: started.elapsed() })
    }

    fn measure(&self, combination: usize, seed: u64, of: &Swept, _: bool) -> Result<Cell> {
        let started = Instant::now();
        let own = of.combination == combination;
        let linked = if own { None } else { Some(self.grid.link(combination)?) };
        let case = linked.as_ref().unwrap_or(&of.case);
        let (_, outcome) = billed(case, seed, &of.simulated, KeepLines::No)?;
        let took = started.elapsed() + if own { of.took } else { Duration::ZERO };
        let finished = Finished { outcome, micros: took.as_micros() as u64 };
        if let Some(journal) = &self.journal {
            journal.append(self.key(combination, seed), &finished)?;
        }
        Ok(Cell { outcome: finished.outcome, detail: None })
    }
}
