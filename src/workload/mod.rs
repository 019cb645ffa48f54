//! What wants to run. Knows pods; must not know nodes or prices.

mod model;

pub use model::{
    ClassId, DaemonSet, Demand, ExtendedId, LocalTemplate, NamespaceId, OnInterrupt, PodClass,
    PodTemplate, Requests, Service, Taint, TaintEffect, TemplateId, Toleration, Trace, TraceRow,
    TraceUse, Usage, WorkloadId, WorkloadInfo, WorkloadKind, Workloads,
};
