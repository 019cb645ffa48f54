//! Ranks cases and explains the ranking. Knows a study, nothing of how it was
//! made; `breakeven` asks the catalog what the same pods would cost elsewhere.

pub mod breakeven;
pub mod commit;
mod compare;
mod fail_if;
mod flips;
mod lower_bound;
mod rightsize;
mod service;
mod sweep_verdict;
#[cfg(test)]
mod tests;
mod text;
mod verdict;
mod whole_nodes;

pub use compare::{
    Comparison, CostGroup, Item, Mark, Measure, MoneyItem, Pair, Picked, Side, TypeItem,
};
pub use fail_if::{Crossing, FailIf, Measured, SHORT, SHORT_OF_WORKLOAD, Subject};
pub use flips::{Flip, Lever, MAX_FACTOR};
pub use rightsize::{
    Dollars, FittedRow, Parts, Rightsized, SERVES_LESS, TwoBills, Undone, UnitPrices, crushed,
    pod_ms, rows, undone,
};
pub use service::{Shortfall, ShortfallKind, UNFINISHED_TOLERANCE, UNSERVED_TOLERANCE, shortfalls};
pub use sweep_verdict::SweepVerdict;
pub use text::Piece;
pub use verdict::{CaseVerdict, MissedGoal, Resampled, RunnerUp, Verdict, WorkloadVerdict};
pub use whole_nodes::{FixedPool, FreedNode, MAX_TRIALS, Trial, Trials, WholeNodes, whole_nodes};
