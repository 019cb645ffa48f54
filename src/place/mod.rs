//! Where a pod goes.
//!
//! [`kube`] is the scheduler of Kubernetes: queue, filters, scores, once as a
//! plain evaluator that explains itself and once as an index that answers in
//! well under a microsecond. [`ecs`] is the task placement of Amazon ECS.
//! [`fargate`] is what Fargate offers, and its launch rate. Reads
//! `cluster` and `workload`; knows no money and decides no scaling.
//!
//! The world owns virtual time. Per attempt it calls
//! [`SchedulingQueue::pop`](kube::SchedulingQueue::pop), lets
//! [`SchedulerProfile::service_time_us`](kube::SchedulerProfile::service_time_us)
//! pass, asks [`KubeScheduler::select`](kube::KubeScheduler::select), and either
//! places the pod on the nodes and calls
//! [`SchedulingQueue::remove`](kube::SchedulingQueue::remove) or calls
//! [`SchedulingQueue::fail`](kube::SchedulingQueue::fail). Attempts of pods
//! that fit nowhere are the queue's own affair
//! ([`KubeScheduler::give_up_hope`](kube::KubeScheduler::give_up_hope)).

pub mod ecs;
pub mod fargate;
pub mod kube;

pub use ecs::EcsPlacer;
pub use fargate::LaunchBucket;
pub use kube::{
    Evaluation, KubeScheduler, NodeVerdict, QueueProfile, SchedulerProfile, SchedulingQueue,
    Scoring, View, evaluate_plain,
};
