//! How a planned cell is simulated, billed and measured: the glue between
//! `plan`, `world`, `bill` and `sweep`.

use std::sync::Arc;

use crate::bill::{Bill, KeepLines};
use crate::frames::tables;
use crate::observe::{KeepPods, Record};
use crate::plan::{CasePlan, Plan};
use crate::sweep::{Cell, Detail, Outcome, OutputDir, Simulate};
use crate::workload::Workloads;
use crate::{Error, Result, world};

/// The cells of a plan.
pub(super) struct PlannedCells<'a> {
    pub(super) plan: &'a Plan,
    /// Where the first seed's tables go.
    pub(super) output: &'a OutputDir,
}

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
        let cluster = &*case.setup.cluster;
        let keep = if detail { KeepLines::Yes } else { KeepLines::No };
        let bill = Bill::compute(&of.record, cluster, &of.workloads, &case.billing, keep)?;
        let goals = &case.goals;
        let outcome = Outcome::measure(seed, &of.record, &bill, cluster, &of.workloads, goals);
        let detail = if detail {
            self.write_tables(case, of, &bill)?;
            Some(Detail::capture(&of.record, bill, cluster, &of.workloads))
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
        tables::write_bill(bill, file("bill.parquet")?)
    }
}
