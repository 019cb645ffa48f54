//! Break-even of EC2 against Fargate: at which packing a node costs as much
//! as its pods would on Fargate.
//!
//! A node costs the same however full it is; Fargate sells each pod a size of
//! its own. With `n` pods of a mix on a node the two cost the same at
//! `n = node-hour ÷ pod-hour`, where the pod-hour is the mean price of the
//! mix's Fargate sizes: every pod's requests, the sidecars that DaemonSets
//! become there and, on EKS, 256 MiB, rounded up to the cheapest size that
//! holds them. Below `n` Fargate is cheaper, above it EC2, if so many fit.
//!
//! "Packing" has several denominators, and they disagree: requests of the
//! node's raw vCPU or memory, of what kubelet leaves (allocatable), pods of the
//! pod slots. [`Shares`] names each of them. A node is full when no further
//! pod fits, which for small pods is long before its vCPU is used up.

mod asked;
mod crossing;
mod measure;
mod model;
mod prices;
mod simulated;
#[cfg(test)]
pub(crate) mod tests;

pub use asked::{AskedPod, Question, asked};
pub use crossing::{Binding, Crossing, Shares};
pub use model::{
    Amount, Breakeven, Breakevens, Caveat, LeftOut, MeasuredPacking, MixPod, NodeOffer,
    Orchestrator, Priced, Simulated,
};
pub use prices::Prices;
pub use simulated::{Ran, one_sided, orchestrator, simulated};
