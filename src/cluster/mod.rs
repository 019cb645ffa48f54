//! The state of a cluster: node columns with their change ledger and
//! undoable overlay, and the plain data a cluster is specified by. Knows no
//! policy.

mod census;
mod ledger;
mod market;
mod nodes;
mod order;
mod pods;
mod spec;

pub use census::{Census, CensusChange};
pub use ledger::Ledger;
pub use market::{PriceProcess, PriceSteps, SpotPool, SpotPrice, SpotSteps};
pub use nodes::{Mark, NodeInit, NodeTraits, Nodes, Slot, TraitsId, admits, first_untolerated};
pub use pods::{Pod, PodId, PodState, Pods};
pub use spec::{
    Capacity, ClusterSpec, FargateSize, FargateSpec, Member, NodeShape, Offer, PoolId, PoolKind,
    PoolSpec, Purchase, ShapeId, SpotAllocation, ZoneId,
};
