//! What the Cluster Autoscaler is shown in one loop, and what it decides.

use crate::cluster::{Capacity, NodeShape, Nodes, PoolId, Slot, TraitsId};
use crate::units::{Bytes, MilliCpu, Percent, SimDuration, SimTime};
use crate::workload::{ClassId, PodClass, Requests};

/// Pods a template without a real node behind it is believed to hold
/// (`cloudprovider/aws/aws_manager.go`, `buildNodeFromTemplate`).
const SYNTHETIC_PODS: u32 = 110;
/// Cpu of the kube-proxy mirror pod that a template without a real node
/// carries (`cloudprovider/cloud_provider.go`, `BuildKubeProxy`).
const MIRROR_POD_CPU: MilliCpu = MilliCpu(100);

/// What a node group's next node is believed to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeTemplate {
    /// Labels and taints.
    pub traits: TraitsId,
    /// What the least-waste expander divides by.
    pub capacity: Capacity,
    /// What pods may request.
    pub allocatable: Capacity,
    /// `DaemonSet` and mirror pods it starts with.
    pub preplaced: Vec<Requests>,
}

impl NodeTemplate {
    /// The template of a group of which no node was ever seen: advertised
    /// memory, 110 pods, nothing reserved, and a mirror pod of kube-proxy
    /// beside the `DaemonSet` pods (`cloudprovider/aws`, release 1.37). It
    /// promises more than a real node holds.
    ///
    /// `shape` is the group's first type; labels stand for the group's first
    /// zone. `daemons` are the requests of the `DaemonSet` pods
    /// that such a node gets.
    #[must_use]
    pub fn synthetic(shape: &NodeShape, traits: TraitsId, daemons: Vec<Requests>) -> Self {
        let capacity = Capacity {
            cpu: shape.capacity.cpu,
            memory: shape.nominal_memory,
            pods: SYNTHETIC_PODS,
            extended: shape.capacity.extended.clone(),
        };
        let mut preplaced = daemons;
        preplaced.push(Requests::new(Some(MIRROR_POD_CPU), None, Vec::new()));
        NodeTemplate { traits, allocatable: capacity.clone(), capacity, preplaced }
    }
}

/// A node group the autoscaler may resize.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Its pool.
    pub pool: PoolId,
    /// Fewest nodes.
    pub min: u32,
    /// Most nodes.
    pub max: u32,
    /// Desired size. Counts a node being deleted until its instance is told
    /// to terminate.
    pub target: u32,
    /// Nodes asked for that are not Ready yet. They are taken for Ready and
    /// empty, so that no second scale-up serves the same pods.
    pub upcoming: u32,
    /// Its own `--scale-down-utilization-threshold`, where its tags set one.
    pub utilization_threshold: Option<Percent>,
    /// Its own `--scale-down-unneeded-time`, where its tags set one.
    pub unneeded_time: Option<SimDuration>,
    /// What its nodes are believed to be until one of them was seen.
    pub synthetic: NodeTemplate,
}

/// What the autoscaler is doing with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberState {
    /// Nothing.
    Ready,
    /// Deleting it, found empty.
    DeletingEmpty,
    /// Draining and deleting it.
    Draining,
}

/// A node that has been Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its place in the node columns.
    pub slot: Slot,
    /// Index into [`Input::groups`]; `None` where the autoscaler may not
    /// delete it.
    pub group: Option<u32>,
    /// Since when it has been Ready.
    pub ready_since: SimTime,
    /// What is being done with it.
    pub state: MemberState,
    /// Whether it carries the soft deletion-candidate taint.
    pub soft_tainted: bool,
}

/// Pods alike that wait for a node. Owners do not matter: pods of one class
/// pass and fail every rule together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PendingGroup {
    /// Their class.
    pub class: ClassId,
    /// How many.
    pub count: u32,
    /// When the oldest was created. Where `new_pod_scale_up_delay` is set,
    /// pods on either side of it belong in groups of their own.
    pub oldest: SimTime,
}

/// What becomes of a pod when its node is removed
/// (`simulator/drainability/rules`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PodRole {
    /// Goes with its node and never holds it.
    Daemon,
    /// Must find another node.
    Movable,
    /// Keeps its node.
    Blocking,
}

/// A pod bound to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PodOnNode {
    /// Its class.
    pub class: ClassId,
    /// What becomes of it.
    pub role: PodRole,
}

/// Appends the pods on a node, in a stable order. On a node being drained:
/// those not yet evicted.
pub type PodsOn<'a> = dyn Fn(Slot, &mut Vec<PodOnNode>) + 'a;

/// What one loop sees. Nothing of it is changed.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The time of the loop.
    pub now: SimTime,
    /// The node columns.
    pub nodes: &'a Nodes,
    /// Node shapes, for the capacity of nodes seen.
    pub shapes: &'a [NodeShape],
    /// Pod classes.
    pub classes: &'a [PodClass],
    /// Groups, in a stable order.
    pub groups: &'a [Group],
    /// Nodes that have been Ready, in order of creation.
    pub members: &'a [Member],
    /// Unschedulable pods, without those of `DaemonSet`s.
    pub pending: &'a [PendingGroup],
    /// The pods on a node.
    pub pods_on: &'a PodsOn<'a>,
}

/// One possible scale-up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScaleUpOption {
    /// Index into [`Input::groups`].
    pub group: u32,
    /// Nodes the pods would fill, before limits on the whole cluster.
    pub nodes: u32,
    /// Pods it would help.
    pub pods: u64,
    /// Their cpu.
    pub cpu: MilliCpu,
    /// Their memory.
    pub memory: Bytes,
    /// Cpu capacity of one node.
    pub node_cpu: MilliCpu,
    /// Memory capacity of one node.
    pub node_memory: Bytes,
}

/// A raise of a group's desired size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleUp {
    /// Index into [`Input::groups`].
    pub group: u32,
    /// The group's pool.
    pub pool: PoolId,
    /// The desired size so far.
    pub from: u32,
    /// The new desired size.
    pub to: u32,
}

/// What one loop decided. Deletions: set the `NoSchedule` taint, wait
/// `node_delete_delay_after_taint`, drain, terminate, then lower the target.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decisions {
    /// At most one group grows a loop.
    pub scale_up: Option<ScaleUp>,
    /// Nodes to delete that hold no pod worth moving.
    pub delete_empty: Vec<Slot>,
    /// Nodes to drain and delete.
    pub drain: Vec<Slot>,
    /// Nodes that get the soft taint
    /// `DeletionCandidateOfClusterAutoscaler:PreferNoSchedule`.
    pub soft_taint: Vec<Slot>,
    /// Nodes that lose it.
    pub soft_untaint: Vec<Slot>,
    /// Whether nodes were added or deletions started.
    pub productive: bool,
    /// Pods that fit neither existing nor upcoming nodes.
    pub needing_scale_up: u64,
    /// The scale-ups that were compared.
    pub options: Vec<ScaleUpOption>,
    /// Empty nodes due, before the limit on parallel deletions.
    pub due_empty: u32,
    /// Nodes to drain that are due, before the limit on parallel drains.
    pub due_drain: u32,
}
