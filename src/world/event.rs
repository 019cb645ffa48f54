//! The events of a run and the order in which those of one instant happen.

use crate::cluster::PodId;

/// What can happen. Pods carry the generation they had when the event was
/// scheduled: an event for a pod that is gone is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The run is over.
    End,
    /// The warm-up is over.
    WarmedUp,
    /// A UTC day begins.
    Midnight,
    /// The last gate of a pod is removed.
    Ungated { pod: PodId, generation: u32 },
    /// A batch pod has done its work.
    Finish { pod: PodId, generation: u32 },
    /// A deleted pod has exited.
    Left(u32),
    /// A service replica is ready.
    Ready { pod: PodId, generation: u32 },
    /// A Fargate machine is ready: the pod is bound and billed.
    FargateUp { pod: PodId, generation: u32 },
    /// A Fargate Spot task is told that it will be interrupted.
    FargateNotice { pod: PodId, generation: u32 },
    /// A finished Fargate pod is removed: index of its record.
    FargateRemoved(u32),
    /// An instance runs: index of the node's record.
    NodeRunning(u32),
    /// A node is Ready.
    NodeReady(u32),
    /// Spot capacity will be reclaimed.
    SpotNotice(u32),
    /// Spot capacity is reclaimed.
    SpotReclaim(u32),
    /// A tainted node is drained and terminated.
    Drain(u32),
    /// Demand on a service changes.
    Demand(u32),
    /// Pods may leave back-off.
    QueueWake,
    /// The scheduler takes the next pod.
    Schedule,
    /// The Cluster Autoscaler's loop.
    Autoscale,
    /// A datapoint of ECS managed scaling.
    ManagedScaling,
}

/// Phases order events of the same millisecond. First what closes an
/// interval (so that [warm-up end, end) is half-open), then what frees capacity,
/// what adds it, what asks for it, and last who decides.
pub(super) mod phase {
    /// `End`, `WarmedUp`, `Midnight`.
    pub(in crate::world) const BOUNDARY: u8 = 0;
    /// Pods ending.
    pub(in crate::world) const FINISH: u8 = 1;
    /// Nodes and machines changing state.
    pub(in crate::world) const NODE: u8 = 2;
    /// Arrivals from the traces: the stream.
    pub(in crate::world) const ARRIVAL: u8 = 3;
    /// Demand changes and gates that open.
    pub(in crate::world) const DEMAND: u8 = 4;
    /// The scheduling queue's tick.
    pub(in crate::world) const QUEUE: u8 = 5;
    /// The scheduler.
    pub(in crate::world) const SCHEDULE: u8 = 6;
    /// The autoscaler.
    pub(in crate::world) const AUTOSCALE: u8 = 7;
}
