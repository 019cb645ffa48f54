//! What one simulation leaves behind: the record that is billed and reported.
//!
//! Everything is columns or small plain rows, in an order that depends on the
//! simulation alone. Times are milliseconds since the start of the run.

use super::held::HeldHours;
use super::rejection::ReasonCounts;
use crate::cluster::{PoolId, Purchase, ShapeId, SpotSteps, ZoneId};
use crate::units::SimTime;
use crate::workload::{NamespaceId, TemplateId, WorkloadId};

/// Width of an accounting window. Requests and usage are integrated per
/// (node, window, owner); the node's cost in the window is then split by these
/// integrals. Windows are aligned to UTC days: DAY_MS from the Unix epoch.
pub const WINDOW_MS: i64 = crate::units::DAY_MS;

/// Why a node ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeEnd {
    /// Still there when the run ended.
    Running,
    /// An autoscaler removed it.
    ScaledDown,
    /// Spot capacity was reclaimed.
    Reclaimed,
}

/// One node that ever existed. Metered from `running` to `shutting_down`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NodeRecord {
    /// Its pool.
    pub pool: PoolId,
    /// Its shape.
    pub shape: ShapeId,
    /// Its zone.
    pub zone: ZoneId,
    /// How it was bought.
    pub purchase: Purchase,
    /// When it was asked for.
    pub requested: SimTime,
    /// When metering began; `NEVER` if it never ran.
    pub running: SimTime,
    /// When it first was Ready; `NEVER` if it never was.
    pub ready: SimTime,
    /// When it was cordoned for good; `NEVER` if it was not.
    pub draining: SimTime,
    /// When metering ended: the end of the run for nodes still there.
    pub shutting_down: SimTime,
    /// Why.
    pub end: NodeEnd,
}

/// How a pod instance ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PodEnd {
    /// Ran to its end, or was scaled down as planned.
    Finished,
    /// Running when the run ended.
    Running,
    /// Bound or launching, not yet running, when the run ended.
    Starting,
    /// Unbound when the run ended, behind its gates or not.
    Pending,
    /// Evicted by a drain, or preempted; its owner created a replacement.
    Evicted,
    /// Lost with its node; its owner created a replacement.
    Interrupted,
    /// No node of any pool could ever hold it: counted, not simulated.
    Rejected,
}

impl NodeEnd {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            NodeEnd::Running => "running",
            NodeEnd::ScaledDown => "scaled-down",
            NodeEnd::Reclaimed => "reclaimed",
        }
    }
}

impl PodEnd {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            PodEnd::Finished => "finished",
            PodEnd::Running => "running",
            PodEnd::Starting => "starting",
            PodEnd::Pending => "pending",
            PodEnd::Evicted => "evicted",
            PodEnd::Interrupted => "interrupted",
            PodEnd::Rejected => "rejected",
        }
    }
}

/// Where a pod ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// On no node (pending or rejected).
    Nowhere,
    /// On the node with this index in [`Record::nodes`].
    Node(u32),
    /// On Fargate: index into [`Record::fargate`].
    Fargate(u32),
}

/// One pod instance; a replacement is a new instance. Service replicas and
/// trace pods alike; DaemonSet pods are not instances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PodRecord {
    /// Its template.
    pub template: TemplateId,
    /// When it was submitted.
    pub submitted: SimTime,
    /// When it was bound (Fargate: accepted by the launch bucket); `NEVER`.
    pub bound: SimTime,
    /// When it ran; `NEVER`.
    pub running: SimTime,
    /// When it ended; the end of the run for those still there.
    pub ended: SimTime,
    /// Where.
    pub place: Place,
    /// How it ended.
    pub end: PodEnd,
}

/// One Fargate pod as billed: from the start of the image pull to removal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FargateRecord {
    /// Index into `ClusterSpec::fargate`.
    pub pool: u32,
    /// Index into that pool's sizes.
    pub size: u32,
    /// Its template.
    pub template: TemplateId,
    /// Billing starts.
    pub pull: SimTime,
    /// The pod runs; `NEVER` if it did not.
    pub running: SimTime,
    /// The work ended (a completed Job pod may stay until `removed`).
    pub finished: SimTime,
    /// Billing ends.
    pub removed: SimTime,
    /// Known mean usage in milli-cores, `-1` where unknown.
    pub used_cpu: i64,
    /// Known mean usage in bytes, `-1` where unknown.
    pub used_memory: i64,
    /// Work that an interruption threw away, milliseconds of running.
    pub repeated_ms: i64,
}

/// Requests and usage of one owner on one node in one window.
///
/// Units: milli-core·ms, and KiB·ms for memory (requests rounded up to KiB), so
/// that a day of a terabyte stays in u64. `used` counts at most the request and
/// `beyond` the rest, at most what u64 holds; `unknown` is the requested part of
/// pods whose usage nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OwnerIntegral {
    /// Index into [`Record::nodes`].
    pub node: u32,
    /// UTC day number since the Unix epoch.
    pub window: i32,
    /// Whose pods.
    pub workload: WorkloadId,
    /// In which namespace.
    pub namespace: NamespaceId,
    /// Requested cpu.
    pub cpu_requested: u64,
    /// Used cpu, at most the request of each pod.
    pub cpu_used: u64,
    /// Cpu used beyond the requests of pods: not part of `cpu_used`.
    pub cpu_beyond: u64,
    /// Requested cpu of pods with unknown usage.
    pub cpu_unknown: u64,
    /// Requested memory.
    pub memory_requested: u64,
    /// Used memory, at most the request of each pod.
    pub memory_used: u64,
    /// Memory used beyond the requests of pods: not part of `memory_used`.
    pub memory_beyond: u64,
    /// Requested memory of pods with unknown usage.
    pub memory_unknown: u64,
    /// Requested cpu whose work an interruption threw away (`on-interrupt`): part
    /// of `cpu_requested`; what of it was used, or unknown, is counted there too.
    pub cpu_repeated: u64,
    /// As `cpu_repeated`, memory.
    pub memory_repeated: u64,
}

/// One node in one window.
///
/// `metered_ms = boot_ms + drain_ms + serving time`. The owner integrals of a
/// node cover the serving time only; boot and drain take their interval whole.
/// Free capacity splits into idle (free in both resources) and stranded
/// (excess in one).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeWindow {
    /// Index into [`Record::nodes`].
    pub node: u32,
    /// UTC day number since the Unix epoch.
    pub window: i32,
    /// Metered time in the window.
    pub metered_ms: u64,
    /// Running but not yet Ready.
    pub boot_ms: u64,
    /// Cordoned for removal.
    pub drain_ms: u64,
    /// Milli-core·ms free while memory was free in the same proportion.
    pub cpu_idle: u64,
    /// KiB·ms free while cpu was free in the same proportion.
    pub memory_idle: u64,
}

/// Means over one step of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct TimelinePoint {
    /// Start of the step.
    pub at: SimTime,
    /// Pods submitted and not bound.
    pub pending: f64,
    /// Pods bound and not ended.
    pub running: f64,
    /// Allocatable cpu of Ready nodes plus Fargate sizes, milli-cores.
    pub cpu_allocatable: f64,
    /// Requested of it, DaemonSets included.
    pub cpu_requested: f64,
    /// Used of it, where known.
    pub cpu_used: f64,
    /// Bytes.
    pub memory_allocatable: f64,
    /// Bytes.
    pub memory_requested: f64,
    /// Bytes.
    pub memory_used: f64,
    /// Fargate pods billed.
    pub fargate: f64,
}

/// Waiting times of one workload, every instance submitted after warm-up.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waits {
    /// Submitted → bound, milliseconds, ascending; still-pending instances
    /// with their wait so far.
    pub pending_ms: Vec<i64>,
    /// Submitted → running, milliseconds, ascending.
    pub ready_ms: Vec<i64>,
    /// How many of `pending_ms` never saw a node: still waiting at the end, or
    /// deleted before.
    pub censored: u64,
}

/// Counts of pod instances by fate. Their sum is `submitted`: conservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct PodCounts {
    /// Instances created, replacements included.
    pub submitted: u64,
    /// Instances that ever ran.
    pub started: u64,
    /// See [`PodEnd`].
    pub finished: u64,
    /// See [`PodEnd`].
    pub running_at_end: u64,
    /// See [`PodEnd`].
    pub starting_at_end: u64,
    /// See [`PodEnd`].
    pub pending_at_end: u64,
    /// See [`PodEnd`].
    pub evicted: u64,
    /// See [`PodEnd`].
    pub interrupted: u64,
    /// See [`PodEnd`].
    pub rejected: u64,
    /// Those rejected, by reason.
    pub rejected_by_reason: ReasonCounts,
}

/// Demand that services saw and could not meet, milli-core·ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServiceDemand {
    /// Demand over the run.
    pub demanded: u128,
    /// Part of it that ready replicas could not serve.
    pub unserved: u128,
}

/// Totals over [warm-up end, end): the window that is billed and reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Allocatable cpu of Ready nodes, milli-core·ms.
    pub cpu_allocatable: u128,
    /// Requested cpu on nodes, milli-core·ms, DaemonSets included.
    pub cpu_requested: u128,
    /// Used cpu of pods with known usage, milli-core·ms, of each pod at most its
    /// request.
    pub cpu_used: u128,
    /// What they used beyond their requests.
    pub cpu_beyond: u128,
    /// Requested cpu of pods with unknown usage, milli-core·ms.
    pub cpu_unknown: u128,
    /// As for cpu, KiB·ms.
    pub memory_allocatable: u128,
    /// As for cpu, KiB·ms.
    pub memory_requested: u128,
    /// As for cpu, KiB·ms.
    pub memory_used: u128,
    /// As for cpu, KiB·ms.
    pub memory_beyond: u128,
    /// As for cpu, KiB·ms.
    pub memory_unknown: u128,
    /// Work thrown away by interruptions and evictions, milli-core·ms of request.
    pub repeated_cpu: u128,
}

/// What one simulation leaves behind.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// End of the run.
    pub end: SimTime,
    /// End of the warm-up: nothing before it is billed, and no pod submitted
    /// before it counts in waits. Counts of pods and nodes cover the whole run.
    pub warmup: SimTime,
    /// Unix time of the start of the run, milliseconds.
    pub start_unix_ms: i64,
    /// Events handled.
    pub events: u64,
    /// Scheduling attempts, successful or not.
    pub attempts: u64,
    /// Every node, in launch order.
    pub nodes: Vec<NodeRecord>,
    /// Every Fargate pod, in launch order.
    pub fargate: Vec<FargateRecord>,
    /// Every pod instance, in order of submission, where asked for.
    pub pods: Vec<PodRecord>,
    /// Owner integrals, ascending by (node, window, workload, namespace).
    pub owners: Vec<OwnerIntegral>,
    /// Node windows, ascending by (node, window).
    pub windows: Vec<NodeWindow>,
    /// What bound pods held, hour by hour: one entry for pools that share pods.
    pub held: Vec<HeldHours>,
    /// Waiting times by workload.
    pub waits: Vec<Waits>,
    /// Pod counts by workload.
    pub counts: Vec<PodCounts>,
    /// Bound pods by workload and clock hour (UTC), pod·ms from the end of the
    /// warm-up on: the first hour is the one it lies in. Hours after the last
    /// pod are missing; `DaemonSet` pods are not counted.
    pub pod_hours: Vec<Vec<u64>>,
    /// By workload, when a service first had one, two, three … replicas bound
    /// at once.
    pub replicas: Vec<Vec<SimTime>>,
    /// Demand by service, in the order of `Workloads::services`.
    pub demand: Vec<ServiceDemand>,
    /// Timeline with equal steps.
    pub timeline: Vec<TimelinePoint>,
    /// Length of a timeline step, milliseconds.
    pub timeline_step_ms: i64,
    /// Totals after warm-up.
    pub totals: Totals,
    /// Largest number of nodes running at once.
    pub nodes_peak: u32,
    /// Spot prices that moved, from the start to the end of the run.
    pub spot_prices: SpotSteps,
}
