//! Many cells: running them, what they measured, how cases compare.
//!
//! Knows records and bills, not how a cell is simulated: whoever links
//! scenario and engine hands that over as a [`Simulate`].

mod compare;
mod detail;
mod document;
mod journal;
mod measure;
mod model;
mod outcome;
mod output;
mod pareto;
mod past;
mod past_sweep;
mod run;
#[cfg(test)]
pub(crate) mod sample;
mod stats;
mod study;
mod summary;
mod wire;

pub use compare::{Metric, Row, WorkloadMetric, plain_number};
pub use detail::{Cdf, Detail, NodesOverTime, Priced};
pub use document::SweepDocument;
pub use journal::{Finished, Found, Journal, Key, Keys, peek};
pub use model::{
    Assumption, Bound, CaseStudy, Change, Goal, Input, Origin, SCHEMA_VERSION, Study, Warning,
};
pub use outcome::{
    CostTotals, GoalResult, GoalValue, LowerBound, NodeCounts, Outcome, Pods, TypeUse, UsedShare,
    Utilisation, WaitSummary, WorkloadOutcome,
};
pub use output::OutputDir;
pub use pareto::{OBJECTIVES, Objective};
pub use past::{
    PastCase, PastCost, PastNodes, PastSetting, PastStudy, PastSummary, PastWorkload, read,
};
pub use past_sweep::{PastCombination, PastSweep};
pub use run::{Cell, Cells, Simulate, run};
pub use stats::{Estimate, difference, estimate, nearest_rank, unpaired_difference};
pub use study::{Axis, Combination, SweepStudy, SweptCase};
pub use summary::Summary;
