//! What a linked scenario is: everything that simulation, billing and
//! reports read, with nothing left to look up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bill::BillingPlan;
use crate::import::{Parquet, TraceSource};
use crate::scenario::Node;
use crate::units::{Money, SimDuration};
use crate::workload::plan::WorkloadPlan;
use crate::workload::rightsize::{Fitting, Policy};
use crate::workload::source::{LoadedTrace, ReadReport};
use crate::workload::usage::gather::UsageReport;
use crate::workload::usage::join::JoinedUsage;
use crate::world::Setup;
use crate::{Error, Result};

/// What the command line says about a run beside the scenario's path.
#[derive(Debug, Clone)]
pub struct Options {
    /// Only these cases, by name; `None` takes all.
    pub cases: Option<Vec<String>>,
    /// `path=value` settings applied after every case.
    pub set: Vec<(String, String)>,
    /// First seed, instead of the scenario's.
    pub seed: Option<u64>,
    /// Number of seeds, instead of the scenario's.
    pub seeds: Option<u32>,
    /// Whether prices that nobody has verified may be used.
    pub allow_believed: bool,
    /// Price tables to use instead of those of the binary.
    pub pricing_dir: Option<PathBuf>,
    /// How traces are read.
    pub read_trace: ReadTrace,
}

/// Reads a trace file. Parquet is known to one room only, so whoever plans
/// says how to open it; see [`TraceSource::load`].
pub type ReadTrace = fn(&TraceSource) -> Result<LoadedTrace>;

impl Options {
    /// All cases of the scenario as it stands.
    #[must_use]
    pub fn new(read_trace: ReadTrace) -> Self {
        Options {
            cases: None,
            set: Vec::new(),
            seed: None,
            seeds: None,
            allow_believed: false,
            pricing_dir: None,
            read_trace,
        }
    }
}

impl Default for Options {
    /// Reads every format of traces but Parquet.
    fn default() -> Self {
        fn refused<T>(shown: &str) -> Result<T> {
            Err(Error::input(format!("`{shown}`: Parquet cannot be read here; use CSV")))
        }
        Options::new(|source| {
            source.load(Parquet {
                native: |_, shown, _| refused(shown),
                numbers: |_, shown, _| refused(shown),
            })
        })
    }
}

/// A scenario, linked: its cases in the order written, the baseline first.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name of the scenario.
    pub name: String,
    /// The baseline's AWS Region.
    pub region: String,
    /// Files that decide the result: the scenario first.
    pub inputs: Vec<Input>,
    /// SHA-256 over all price tables, lower-case hexadecimal.
    pub pricing_sha256: String,
    /// Price table to the dates of its prices in the Regions used.
    pub price_dates: BTreeMap<String, String>,
    /// Every price in use to its date.
    pub dated_prices: BTreeMap<String, String>,
    /// Seeds, ascending; see [`Plan::seeds_to_run`].
    pub seeds: Vec<u64>,
    /// What is compared.
    pub cases: Vec<CasePlan>,
    /// What the user should know, each once, in the order of the scenario.
    pub warnings: Vec<Warning>,
    /// What became of the rows of each trace, in order of first use.
    pub traces: Vec<ReadReport>,
    /// What became of the rows of each source of usage, in order of first use.
    pub usage: Vec<UsageReport>,
}

/// One case, ready for any seed.
#[derive(Debug, Clone)]
pub struct CasePlan {
    /// Its name, also that of its directory of results.
    pub name: String,
    /// Title for reports, where it has one.
    pub title: Option<String>,
    /// The AWS Region whose prices apply.
    pub region: String,
    /// What is simulated, beside the pods.
    pub setup: Arc<Setup>,
    /// The pods.
    pub workload: Arc<WorkloadPlan>,
    /// What its workloads were seen to use, from the files that `usage` names.
    pub usage: Arc<JoinedUsage>,
    /// What turns the record into money.
    pub billing: Arc<BillingPlan>,
    /// What the result must keep to.
    pub goals: Vec<Goal>,
    /// Every setting in force: those written, then defaults, then facts of
    /// the catalog.
    pub settings: Vec<Setting>,
    /// How it differs from the first case.
    pub changes: Vec<Change>,
    /// The effective scenario as YAML: case and settings of the command line
    /// applied.
    pub effective: String,
    /// Equal for two cases exactly if their simulations are: such cases are
    /// simulated once and billed apart. Only meaningful within one plan.
    pub sim_key: u64,
    /// Whether two seeds can differ.
    pub random: bool,
    /// Its requests as they were fitted to usage, where they were.
    pub rightsizing: Option<Arc<Rightsizing>>,
}

/// The requests of a case, fitted to what its pods were seen to use.
#[derive(Debug, Clone)]
pub struct Rightsizing {
    /// How.
    pub policy: Policy,
    /// Every set of pods that was looked at.
    pub fittings: Vec<Fitting>,
    /// Workloads that the scenario leaves out.
    pub left_out: Vec<String>,
    /// The effective tree with the new requests.
    pub(super) tree: Node,
}

/// A file that decides the result.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Input {
    /// Path relative to the scenario's directory, as it was written.
    pub path: String,
    /// SHA-256 of its bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// Something worth knowing that does not stop a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, such as `representative-prices`.
    pub code: &'static str,
    /// One sentence, with its place in front where it has one.
    pub text: String,
}

/// Who chose a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// The scenario, its case or the command line.
    Scenario,
    /// This program; the note says why.
    Default,
    /// The tables of instance types and prices.
    Catalog,
}

impl Origin {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Origin::Scenario => "scenario",
            Origin::Default => "default",
            Origin::Catalog => "catalog",
        }
    }
}

/// A value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Path in the scenario, as `--set` takes it; of the catalog, the item.
    pub path: String,
    /// The value as text.
    pub value: String,
    /// Who chose it.
    pub origin: Origin,
    /// Why, or the source; empty for the scenario's own.
    pub note: String,
}

/// A difference between two cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path in the scenario.
    pub path: String,
    /// Value in the first case; `None` where it has none.
    pub from: Option<String>,
    /// Value in this case; `None` where it has none.
    pub to: Option<String>,
}

/// What a result must keep to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Its name in the scenario.
    pub name: String,
    /// What must not exceed what.
    pub bound: Bound,
}

/// What a goal bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// A nearest-rank quantile of the pending times of a workload.
    Pending {
        /// The workload's name.
        workload: String,
        /// Which quantile, in a hundred; 100 is the longest.
        quantile: u32,
        /// At most this.
        at_most: SimDuration,
    },
    /// What a month of 730 hours costs, at most.
    MonthlyUsd(Money),
}

impl Plan {
    /// The seeds that every case runs with: all of them as soon as one case is
    /// random, so that differences between cases pair up; else the first.
    #[must_use]
    pub fn seeds_to_run(&self) -> &[u64] {
        if self.cases.iter().any(|c| c.random) {
            &self.seeds
        } else {
            self.seeds.get(..1).unwrap_or(&self.seeds)
        }
    }

    /// Cells: cases times seeds.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cases.len() * self.seeds_to_run().len()
    }

    /// Distinct simulations: cells less those that differ in billing alone.
    #[must_use]
    pub fn simulations(&self) -> usize {
        let mut seen = Vec::new();
        let mut sum = 0;
        for case in &self.cases {
            if !seen.contains(&case.sim_key) {
                seen.push(case.sim_key);
                sum += self.seeds_to_run().len();
            }
        }
        sum
    }
}
