//! What wants to run. Knows pods; must not know nodes or prices.
//!
//! [`source`] turns rows of any format into a shared trace; [`native`] is the
//! format of this project, [`generate`] draws traces, [`demand`] reads what
//! services must serve. [`plan`] holds all of it for one case, and [`intern`]
//! gives the engine its dense ids. [`constraints`] are what pods demand of
//! nodes and of each other, [`disruption`] what budgets promise. [`transform`] asks what-ifs about the work
//! itself. [`usage`] is what pods were seen to use, and
//! [`rightsize`] what they should request.

pub mod constraints;
pub mod demand;
pub mod disruption;
pub mod draws;
pub mod generate;
pub mod intern;
mod model;
pub mod native;
pub mod native_csv;
pub mod plan;
pub mod pod_match;
pub mod rightsize;
pub mod sidecar;
pub mod source;
pub mod table;
pub mod transform;
pub mod usage;

pub(crate) use model::id;
pub use model::{
    ClassId, DaemonSet, Demand, ExtendedId, LocalTemplate, NONZERO_CPU, NONZERO_MEMORY,
    NamespaceId, OnInterrupt, PodClass, PodLife, PodTemplate, Requests, Service, Taint,
    TaintEffect, TemplateId, Toleration, Trace, TraceRow, TraceUse, Usage, WorkloadId,
    WorkloadInfo, WorkloadKind, Workloads,
};
