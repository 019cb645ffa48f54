//! The state of a cluster. Knows no policy.

mod spec;

pub use spec::{
    Capacity, ClusterSpec, FargateSelector, FargateSize, FargateSpec, NodeShape, Offer, PoolId,
    PoolKind, PoolSpec, Purchase, ShapeId, SpotAllocation, ZoneId,
};
