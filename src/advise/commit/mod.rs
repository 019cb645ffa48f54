//! How much to commit: the Savings Plans that minimise the expected cost of
//! simulated hours and seeds, on top of what is owned.
//!
//! The cost of an hour is piecewise linear in what is committed. `stack`
//! evaluates it fast over the hours of all seeds; `search` finds the minimum,
//! for a single plan as an exact weighted quantile; [`advise`] has the result
//! billed by the exact engine and says what it is worth.

mod advice;
mod held;
mod hours;
mod lanes;
mod model;
mod offers;
mod quantile;
mod search;
mod seeds;
mod sketch;
mod stack;
#[cfg(test)]
mod tests;

pub use advice::advise;
pub use model::{
    Advice, Alternative, Answer, Band, Candidate, Commitments, CurvePoint, Elsewhere, Fall,
    Marginal, Paid, PlanAdvice, Quantiles, Question, SeedCost, SeedUsage,
};
pub use offers::{Offers, Wanted};
