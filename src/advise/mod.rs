//! Ranks cases and explains the ranking. Knows a study, nothing of how it was
//! made.

mod flips;
mod service;
#[cfg(test)]
mod tests;
mod text;
mod verdict;

pub use flips::{Flip, Lever, MAX_FACTOR};
pub use service::{Shortfall, ShortfallKind, UNFINISHED_TOLERANCE, UNSERVED_TOLERANCE, shortfalls};
pub use text::Piece;
pub use verdict::{CaseVerdict, MissedGoal, RunnerUp, Verdict, WorkloadVerdict};
