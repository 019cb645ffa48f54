//! What one cell measured: counts, waits, utilisation, nodes, money.
//!
//! Small and plain (a few kilobytes), so that every seed of every case can be
//! kept. The field names of the parts are the stable keys of `summary.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stats::nearest_rank;
use crate::bill::ByName;
use crate::units::Money;
use crate::workload::WorkloadKind;

/// What one cell measured. Times and money cover [warm-up end, end).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// Events the engine handled.
    pub events: u64,
    /// Length of the window that is billed and reported, hours.
    pub window_hours: f64,
    /// Requested cpu of pods while they held it, `DaemonSet`s and work that
    /// was thrown away left out: what the money bought.
    pub requested_core_hours: f64,
    /// Pods by fate.
    pub pods: Pods,
    /// Submitted to bound, seconds.
    pub pending_s: WaitSummary,
    /// Submitted to running, seconds.
    pub ready_s: WaitSummary,
    /// How full nodes and Fargate pods were.
    pub utilisation: Utilisation,
    /// Nodes.
    pub nodes: NodeCounts,
    /// Money.
    pub cost: CostTotals,
    /// What compute costs and cannot cost less; `None` where nobody asked.
    pub lower_bound: Option<LowerBound>,
    /// What goals came to, in the order of the scenario.
    pub goals: Vec<GoalResult>,
    /// Workloads but `DaemonSet`s, in scenario order.
    pub workloads: Vec<WorkloadOutcome>,
}

/// Pod instances by fate, and work lost.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Pods {
    /// Instances created, replacements included.
    pub submitted: u64,
    /// Instances that ever ran.
    pub started: u64,
    /// Ran to their end, or were scaled down as planned.
    pub finished: u64,
    /// Evicted by a drain.
    pub evicted: u64,
    /// Lost with their node.
    pub interrupted: u64,
    /// Could never run on any pool.
    pub rejected: u64,
    /// Those, by the names of [`crate::observe::RejectReason`]; none with zero.
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// Unbound when the run ended.
    pub pending_at_end: u64,
    /// Requested core-hours of work that was thrown away and done again.
    pub repeated_core_hours: f64,
    /// Core-hours of demand on services that nothing served.
    pub unserved_core_hours: f64,
}

/// Waiting times in seconds: nearest-rank quantiles over every instance,
/// exact. All `None` where nothing waited because nothing was submitted.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct WaitSummary {
    /// Mean.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Longest.
    pub max: Option<f64>,
    /// How many still waited when the run ended, counted with their wait so
    /// far (pending times only).
    pub censored: u64,
}

/// Utilisation by resource.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Utilisation {
    /// Of cpu.
    pub cpu: UsedShare,
    /// Of memory.
    pub memory: UsedShare,
}

/// Shares of one resource over time, of Ready nodes and running Fargate pods.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct UsedShare {
    /// Requested of allocatable; `None` where nothing ran.
    pub requested_of_allocatable: Option<f64>,
    /// Used of allocatable, also beyond requests; `None` where any pod's
    /// usage is unknown.
    pub used_of_allocatable: Option<f64>,
    /// Used of requested, over pods with known usage, above 1 where they use
    /// more than they request; `None` without any.
    pub used_of_requested: Option<f64>,
}

/// Nodes of a run. Fargate pods are not nodes.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct NodeCounts {
    /// Nodes that ever were asked for.
    pub launched: u64,
    /// Most at once.
    pub peak: u64,
    /// Metered hours.
    pub node_hours: f64,
    /// By instance type.
    pub by_type: BTreeMap<String, TypeUse>,
}

/// Nodes of one instance type.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct TypeUse {
    /// Nodes that ever were asked for.
    pub launched: u64,
    /// Metered hours.
    pub node_hours: f64,
}

/// Sums of a bill that statistics need; see [`crate::bill::Bill`] for their meaning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CostTotals {
    /// What it costs after commitments, amortised by the hour. For
    /// commitments without upfront payment this is also the cash paid.
    pub total: Money,
    /// The same usage without commitments.
    pub list: Money,
    /// The same usage, all of it bought On-Demand.
    pub on_demand: Money,
    /// Scaled to 730 hours; `None` for an empty window.
    pub monthly: Option<Money>,
    /// Whether the window is no whole number of weeks.
    pub monthly_extrapolated: bool,
    /// Net cost by way of buying.
    pub by_purchase: ByName,
    /// Net cost by trust in the price.
    pub by_price_status: ByName,
}

/// Compute at list prices (before commitments and credits) against a bound
/// that no placement of the same pods on the same offers undercuts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct LowerBound {
    /// Instances and Fargate pods, their minimums and rounding included.
    pub compute: Money,
    /// No placement pays less.
    pub bound: Money,
}

impl LowerBound {
    /// The share of `compute` that at most could be saved; `None` where
    /// nothing is paid.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        (self.compute > Money::ZERO)
            .then(|| (1.0 - self.bound.to_f64() / self.compute.to_f64()).max(0.0))
    }
}

/// What a goal came to in one cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GoalResult {
    /// Its name in the scenario.
    pub name: String,
    /// At most this.
    pub target: GoalValue,
    /// This; `None` where there is nothing to measure.
    pub value: Option<GoalValue>,
    /// Whether it holds; nothing to measure holds.
    pub met: bool,
}

/// A goal's target or value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum GoalValue {
    /// Seconds.
    Seconds(f64),
    /// USD, an exact decimal string in JSON.
    Usd(Money),
}

impl GoalValue {
    /// As a float, for statistics.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            GoalValue::Seconds(s) => s,
            GoalValue::Usd(m) => m.to_f64(),
        }
    }
}

/// What one cell measured about one workload.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkloadOutcome {
    /// Its name in the scenario.
    pub name: String,
    /// What it is.
    pub kind: WorkloadKind,
    /// Its pods.
    pub pods: Pods,
    /// Instances whose work ended neither finished nor replaced: running,
    /// starting or pending at the end, or rejected.
    pub unfinished: u64,
    /// Submitted to bound, seconds.
    pub pending_s: WaitSummary,
    /// Submitted to running, seconds.
    pub ready_s: WaitSummary,
    /// Core-hours of demand; 0 where there is no demand curve.
    pub demanded_core_hours: f64,
    /// Its cost with everything shared distributed.
    pub cost: Money,
}

impl Outcome {
    /// Core-hours of demand on services.
    #[must_use]
    pub fn demanded_core_hours(&self) -> f64 {
        self.workloads.iter().map(|w| w.demanded_core_hours).sum()
    }

    /// The workload of this name.
    #[must_use]
    pub fn workload(&self, name: &str) -> Option<&WorkloadOutcome> {
        self.workloads.iter().find(|w| w.name == name)
    }
}

impl WaitSummary {
    /// From waits in milliseconds, ascending.
    #[must_use]
    pub fn of_sorted(ms: &[i64], censored: u64) -> WaitSummary {
        let quantile = |percent| nearest_rank(ms, percent).map(|v| v as f64 / 1e3);
        let sum: i128 = ms.iter().map(|v| i128::from(*v)).sum();
        WaitSummary {
            mean: (!ms.is_empty()).then(|| sum as f64 / ms.len() as f64 / 1e3),
            p50: quantile(50),
            p90: quantile(90),
            p95: quantile(95),
            p99: quantile(99),
            max: quantile(100),
            censored,
        }
    }
}
