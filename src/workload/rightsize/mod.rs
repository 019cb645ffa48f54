//! Requests that fit what pods were seen to use: pure functions from series
//! of usage to advice.
//!
//! A *statistic* of the usage is taken by a *method*, a margin is added, the
//! result is rounded up and held between floor and ceiling:
//!
//! | method | definition |
//! | --- | --- |
//! | `pooled` | The samples of all pods of a workload in one heap. `pNN` is the nearest-rank quantile weighted by the length of the interval: the smallest value at or below which at least NN % of the observed time lies. As `simple` of robusta-dev/krr (`robusta_krr/strategies/simple.py`, 01e312f). DIFFERENCE: that one interpolates between samples and does not weigh them. |
//! | `per-pod-max` | The statistic of each pod by itself, as above, and of these the largest: no pod is averaged away by its idle siblings. |
//! | `vpa` | The recommender of the Vertical Pod Autoscaler: decaying exponential histograms, see [`vpa`]. |
//!
//! A sample is a mean over an interval and, where the source knows it, the
//! peak within. Quantiles and means are taken of the means; `max` and the
//! memory peaks of `vpa` of the peaks where they are known.
//!
//! Where a series belongs to a container, advice is per container and a pod
//! gets the sum; every container of a pod must be known for that.
//!
//! Advice is withheld, with a reason that has a stable code, rather than made
//! of thin data: [`Withheld`]. Cost: O(n log n) in the samples of a workload.

mod advice;
mod fit;
mod policy;
mod series;
#[cfg(test)]
mod tests;
pub mod vpa;

pub use advice::{
    Advice, Caution, Columns, Current, Quantiles, Withheld, advise, advise_columns, quantity,
    usage_quantity,
};
pub use fit::{ContainerFitting, Fitting, SeriesOf, apply, fit};
pub use policy::{AbsentRequests, Expression, LimitRule, Method, Policy, Statistic};
pub use series::{Resource, Sample, Series, nearest_rank_weighted};
