//! Observers of a run, and the record they leave. Knows no policy.

mod accounts;
mod held;
mod names;
mod observer;
mod pod_hours;
pub mod probe;
pub mod probe_ecs;
mod record;
mod rejection;
mod timeline;

pub use accounts::{Accounts, Owner, PodRates, SHARE_SCALE, pod_rates};
pub use held::{Held, HeldHours};
pub use observer::{KeepPods, Observer};
pub use record::{
    FargateRecord, NodeEnd, NodeRecord, NodeWindow, OwnerIntegral, Place, PodCounts, PodEnd,
    PodRecord, Record, ServiceDemand, TimelinePoint, Totals, WINDOW_MS, Waits,
};
pub use rejection::{ReasonCounts, RejectReason};
pub use timeline::{Levels, Timeline};
