//! Observers of a run, and the record they leave. Knows no policy.

mod record;

pub use record::{
    FargateRecord, NodeEnd, NodeRecord, NodeWindow, OwnerIntegral, Place, PodCounts, PodEnd,
    PodRecord, Record, ServiceDemand, TimelinePoint, Totals, WINDOW_MS, Waits,
};
