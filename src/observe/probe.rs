//! The probe: finds one piece of work in a run, or follows it.
//!
//! Without a probe the world holds a null pointer, which it looks at where a
//! pod is submitted, tried, bound or ended. With one the run is the same, only
//! slower: a probe reads and never decides.
//!
//! A piece of work is known by its ordinal ([`crate::cluster::Pod::ordinal`]),
//! which its replacements keep: the story of a pod that was interrupted goes
//! on with the pod that replaced it.

use super::probe_ecs::EcsStory;
use super::record::{Place, PodEnd};
use super::rejection::RejectReason;
use crate::cluster::{Pod, PodId, PoolId, ShapeId};
use crate::units::SimTime;
use crate::workload::{TemplateId, WorkloadId};

/// Steps of a story that are kept per instance.
const MAX_STEPS: usize = 10_000;

/// A search or a pursuit.
#[derive(Debug, Clone)]
pub enum Probe {
    /// Looks for the pod of a role.
    Search(Search),
    /// Follows one piece of work.
    Follow(Box<Follow>),
}

/// What makes a pod worth looking at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It waited longest for a node, among those submitted after the warm-up.
    LongestWait,
    /// Of the pods that waited at this time, it had waited longest.
    PendingAt(SimTime),
    /// It was the first to end like this.
    First(PodEnd),
}

/// Looks for the pod of a role while a run goes by.
#[derive(Debug, Clone)]
pub struct Search {
    role: Role,
    /// Only pods of this workload.
    only: Option<WorkloadId>,
    warmup: SimTime,
    /// The best so far with its rank, the smaller the better.
    best: Option<((i64, i64, u64), u64)>,
}

impl Search {
    /// A search among the pods of one workload or of all.
    #[must_use]
    pub fn new(role: Role, only: Option<WorkloadId>, warmup: SimTime) -> Search {
        Search { role, only, warmup, best: None }
    }

    /// Ordinal of the pod that was found.
    #[must_use]
    pub fn found(&self) -> Option<u64> {
        self.best.map(|(_, ordinal)| ordinal)
    }

    /// A pod was bound, or ended unbound, at `until`.
    fn waited(&mut self, workload: WorkloadId, pod: &Pod, until: SimTime) {
        match self.role {
            Role::LongestWait if pod.submitted >= self.warmup => {
                let wait = (until - pod.submitted).ms();
                self.offer(workload, pod, -wait);
            }
            Role::PendingAt(at) if pod.submitted <= at && at < until => {
                self.offer(workload, pod, pod.submitted.ms());
            }
            _ => {}
        }
    }

    fn ended(&mut self, workload: WorkloadId, pod: &Pod, end: PodEnd, now: SimTime) {
        if pod.bound == SimTime::NEVER && end != PodEnd::Rejected {
            self.waited(workload, pod, now);
        }
        if self.role == Role::First(end) {
            self.offer(workload, pod, now.ms());
        }
    }

    fn offer(&mut self, workload: WorkloadId, pod: &Pod, rank: i64) {
        // Ties go to the pod that came first.
        let rank = (rank, pod.submitted.ms(), pod.ordinal);
        let wanted = self.only.is_none_or(|only| only == workload);
        if wanted && self.best.is_none_or(|(best, _)| rank < best) {
            self.best = Some((rank, pod.ordinal));
        }
    }
}

/// Why a pod went back to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It was submitted.
    Submitted,
    /// A node became Ready: index of its record.
    NodeReady(u32),
    /// A pod left a node: index of the node's record.
    PodLeft(u32),
    /// It had been unschedulable for five minutes.
    Leftover,
    /// A pod was bound to a node: index of the node's record.
    PodBound(u32),
    /// Its last scheduling gate was removed.
    Ungated,
}

/// What preemption did for a pod that fitted nowhere; where there is none of
/// these, no node would hold it without the pods of lower priority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// Nothing: `preemptionPolicy: Never`.
    Never,
    /// Nothing yet: its victims are still leaving the node with this record.
    Waits(u32),
    /// It made room.
    Made {
        /// The node it is nominated for: index of its record.
        node: u32,
        /// Ordinals of the pods that were deleted for it, the most important
        /// first.
        victims: Vec<u64>,
        /// How many of them a disruption budget would have kept.
        violations: u32,
    },
}

/// A move back to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requeue {
    /// When.
    pub at: SimTime,
    /// Why.
    pub cause: Cause,
    /// Until when it backed off before it could be tried; not after `at` if it
    /// had backed off already.
    pub backoff_until: SimTime,
}

/// Nodes that one filter rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The upstream name of the filter.
    pub filter: &'static str,
    /// The reason in upstream words. A node may have several.
    pub reason: String,
    /// How many nodes.
    pub nodes: u32,
}

/// A feasible node with its scores, each normalised and weighted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Index of the node's record.
    pub node: u32,
    /// By plugin, in upstream order.
    pub scores: Vec<(&'static str, i64)>,
    /// Their sum.
    pub total: i64,
}

/// What an attempt made of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Index of the node's record.
    pub node: u32,
    /// The first filter that rejected it, and why.
    pub rejected: Option<(&'static str, Vec<String>)>,
}

/// The share of the nodes that an attempt looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Nodes looked at.
    pub examined: u32,
    /// The first of them: index of its record.
    pub start: u32,
    /// Feasible nodes that were enough.
    pub enough: u32,
}

/// What an attempt saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnosis {
    /// Nodes there were, those that boot left out.
    pub nodes: u32,
    /// Nodes that ran and had not joined the cluster yet.
    pub booting: u32,
    /// Which nodes it looked at, where not at all of them.
    pub window: Option<Window>,
    /// The node the pod was nominated for, where it was still feasible and so
    /// the only one looked at.
    pub nominated: Option<u32>,
    /// By filter and reason, in the order of the filters.
    pub rejected: Vec<Rejected>,
    /// Nodes that passed every filter.
    pub feasible: u32,
    /// Those that share the highest score.
    pub ties: u32,
    /// The best of them and the drawn one, the highest score first, in order of
    /// launch among equals.
    pub best: Vec<Candidate>,
    /// What preemption could do, where no node was feasible.
    pub room: Option<Room>,
    /// Why preemption would help on no node: reasons with their nodes.
    pub no_room: Vec<Rejected>,
    /// Every node that was looked at, in order of launch; all candidates are in
    /// `all`. Kept for the attempts that are told in detail.
    pub judged: Vec<Judged>,
    /// Every feasible node, the highest score first.
    pub all: Vec<Candidate>,
}

impl Diagnosis {
    /// Whether both attempts failed for the same reasons.
    fn fails_like(&self, other: &Diagnosis) -> bool {
        (self.nodes, self.booting, self.feasible) == (other.nodes, other.booting, other.feasible)
            && self.rejected == other.rejected
            && self.room == other.room
            && self.no_room == other.no_room
    }

    /// Keeps the counts only.
    fn forget_nodes(&mut self) {
        self.judged = Vec::new();
        self.all = Vec::new();
    }
}

/// Attempts that failed one after the other for the same reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// The first.
    pub first: SimTime,
    /// The last.
    pub last: SimTime,
    /// How many.
    pub count: u64,
    /// What brought the first one about; the others' causes are counted.
    pub cause: Requeue,
    /// How often a node became Ready, a pod left, five minutes passed, a pod was
    /// bound.
    pub causes: [u64; 4],
    /// What the first saw.
    pub saw: Diagnosis,
}

/// A step of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Attempts failed.
    Failed(Failures),
    /// The Cluster Autoscaler raised a pool's desired size while the pod was
    /// unschedulable.
    ScaleUp {
        /// When.
        at: SimTime,
        /// Which pool.
        pool: PoolId,
        /// Desired size before.
        from: u32,
        /// Desired size after.
        to: u32,
    },
    /// An attempt found a node.
    Placed {
        /// When it began.
        at: SimTime,
        /// What brought it about.
        cause: Requeue,
        /// What it saw.
        saw: Diagnosis,
        /// Index of the node's record.
        node: u32,
    },
}

/// An empty node of some pool, and what keeps the pod off it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The pool.
    pub pool: PoolId,
    /// The shape of the node.
    pub shape: ShapeId,
    /// Whether the pool can have nodes at all.
    pub can_have_nodes: bool,
    /// Filter and reasons; `None` if an empty node would hold the pod.
    pub rejected: Option<(&'static str, Vec<String>)>,
    /// Cpu that pods may request beside the DaemonSets, milli-cores.
    pub free_cpu: i64,
    /// As `free_cpu`, memory in bytes.
    pub free_memory: i64,
}

/// How a Fargate pool dealt with a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launch {
    /// Index into `ClusterSpec::fargate`.
    pub pool: u32,
    /// The size it gets; `None` if none holds it.
    pub size: Option<u32>,
    /// When the launch bucket let it through.
    pub admitted: SimTime,
    /// When the machine is ready, unless the pod is deleted before.
    pub ready: SimTime,
}

/// One pod instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// Its template.
    pub template: TemplateId,
    /// When it was submitted.
    pub submitted: SimTime,
    /// When it was bound; `NEVER`.
    pub bound: SimTime,
    /// When it ran; `NEVER`.
    pub running: SimTime,
    /// When it ended.
    pub ended: SimTime,
    /// How.
    pub end: PodEnd,
    /// Where it ran.
    pub place: Place,
    /// Work it had to do, milliseconds; a service's is unbounded.
    pub work_ms: i64,
    /// What happened while it was pending.
    pub steps: Vec<Step>,
    /// Steps beyond those that are kept.
    pub left_out: u64,
    /// Why it can never run, where it cannot.
    pub rejected: Option<RejectReason>,
    /// Where it was meant to run, if on Fargate.
    pub fargate: Option<Launch>,
    /// When its last scheduling gate was removed; `NEVER` where it had none or
    /// ended before.
    pub ungated: SimTime,
    /// Ordinal of the pod that preempted it.
    pub preemptor: Option<u64>,
    /// For one that was rejected or never bound: every kind of node.
    pub reach: Vec<Reach>,
    /// What happened to it on Amazon ECS, in place of `steps` and `reach`.
    pub ecs: Option<Box<EcsStory>>,
}

/// Follows a piece of work.
#[derive(Debug, Clone)]
pub struct Follow {
    ordinal: u64,
    /// Its instances so far.
    pub instances: Vec<Instance>,
    /// The instance that lives now.
    live: Option<PodId>,
    /// Its last failure, to tell a new one.
    last_failure: Option<SimTime>,
    /// What moved it back to the queue since.
    requeue: Option<Requeue>,
    /// Attempts made in bulk were looked at until then, microseconds.
    pub(crate) settled_us: i64,
    /// Work of the same trace or service that was seen: one more than the
    /// highest number.
    pub siblings: u64,
}

impl Follow {
    /// Follows the work with this ordinal.
    #[must_use]
    pub fn new(ordinal: u64) -> Follow {
        Follow {
            ordinal,
            instances: Vec::new(),
            live: None,
            last_failure: None,
            requeue: None,
            settled_us: 0,
            siblings: 0,
        }
    }

    /// Whether it follows this pod.
    #[must_use]
    pub(crate) fn is_of(&self, pod: &Pod) -> bool {
        pod.ordinal == self.ordinal
    }

    /// The pod it follows, while there is one.
    #[must_use]
    pub fn live(&self) -> Option<PodId> {
        self.live
    }

    /// A pod was submitted, or rejected for a reason.
    pub(crate) fn submitted(&mut self, pod: &Pod, id: Result<PodId, RejectReason>) {
        if Pod::origin(pod.ordinal).0 == Pod::origin(self.ordinal).0 {
            self.siblings = self.siblings.max(Pod::origin(pod.ordinal).1 + 1);
        }
        if pod.ordinal != self.ordinal {
            return;
        }
        (self.live, self.last_failure, self.requeue) = (id.ok(), None, None);
        self.instances.push(Instance {
            template: pod.template,
            submitted: pod.submitted,
            bound: SimTime::NEVER,
            running: SimTime::NEVER,
            ended: SimTime::NEVER,
            end: PodEnd::Pending,
            place: Place::Nowhere,
            work_ms: pod.work_ms,
            steps: Vec::new(),
            left_out: 0,
            rejected: id.err(),
            fargate: None,
            ungated: SimTime::NEVER,
            preemptor: None,
            reach: Vec::new(),
            ecs: None,
        });
    }

    /// The instance at hand, once there is one.
    pub(crate) fn instance(&mut self) -> Option<&mut Instance> {
        self.instances.last_mut()
    }

    /// Since when the pod waits for an event: its last failure.
    pub(crate) fn waits_since(&self) -> Option<SimTime> {
        self.last_failure.filter(|_| self.live.is_some() && self.requeue.is_none())
    }

    /// The pod's last failure, as far as it was seen.
    pub(crate) fn last_failure(&self) -> Option<SimTime> {
        self.last_failure
    }

    /// The pod went back to the queue.
    pub(crate) fn requeued(&mut self, requeue: Requeue) {
        self.requeue.get_or_insert(requeue);
    }

    /// What led to the attempt at hand.
    fn take_cause(&mut self, at: SimTime) -> Requeue {
        let first = self.last_failure.is_none();
        let cause = if first { Cause::Submitted } else { Cause::Leftover };
        let otherwise = Requeue { at, cause, backoff_until: at };
        self.requeue.take().unwrap_or(otherwise)
    }

    /// An attempt of the pod failed.
    pub(crate) fn failed(&mut self, at: SimTime, saw: Diagnosis) {
        let cause = self.take_cause(at);
        self.last_failure = Some(at);
        let kind = match cause.cause {
            Cause::Submitted | Cause::Ungated => None,
            Cause::NodeReady(_) => Some(0),
            Cause::PodLeft(_) => Some(1),
            Cause::Leftover => Some(2),
            Cause::PodBound(_) => Some(3),
        };
        let Some(instance) = self.instances.last_mut() else { return };
        if let Some(Step::Failed(before)) = instance.steps.last_mut()
            && before.saw.fails_like(&saw)
        {
            before.last = at;
            before.count += 1;
            if let Some(kind) = kind {
                before.causes[kind] += 1;
            }
            return;
        }
        // The first and the last are told in detail.
        let mut earlier = instance.steps.iter_mut().rev().filter_map(|step| match step {
            Step::Failed(failures) => Some(failures),
            _ => None,
        });
        if let Some(last) = earlier.next()
            && earlier.next().is_some()
        {
            last.saw.forget_nodes();
        }
        let mut causes = [0; 4];
        if let Some(kind) = kind {
            causes[kind] = 1;
        }
        instance.step(Step::Failed(Failures { first: at, last: at, count: 1, cause, causes, saw }));
    }

    /// An attempt of the pod found a node.
    pub(crate) fn placed(&mut self, at: SimTime, node: u32, saw: Diagnosis) {
        let cause = self.take_cause(at);
        if let Some(instance) = self.instances.last_mut() {
            instance.step(Step::Placed { at, cause, saw, node });
        }
    }

    /// A pool's desired size was raised.
    pub(crate) fn scaled_up(&mut self, at: SimTime, pool: PoolId, from: u32, to: u32) {
        let pending = self.live.is_some() && self.last_failure.is_some();
        if let Some(instance) = self.instances.last_mut().filter(|i| pending && i.is_pending()) {
            instance.step(Step::ScaleUp { at, pool, from, to });
        }
    }

    fn bound(&mut self, pod: &Pod, place: Place) {
        if let Some(instance) = self.instances.last_mut().filter(|_| pod.ordinal == self.ordinal) {
            (instance.bound, instance.running, instance.place) = (pod.bound, pod.running, place);
        }
    }

    fn ended(&mut self, pod: &Pod, end: PodEnd, now: SimTime) {
        if pod.ordinal != self.ordinal {
            return;
        }
        if let Some(instance) = self.instances.last_mut() {
            (instance.ended, instance.end) = (now, end);
            if instance.running > now {
                instance.running = SimTime::NEVER;
            }
        }
        self.live = None;
    }
}

impl Instance {
    fn is_pending(&self) -> bool {
        self.bound == SimTime::NEVER && self.ended == SimTime::NEVER
    }

    fn step(&mut self, step: Step) {
        // The last step is how it ended, so it is always kept.
        if self.steps.len() >= MAX_STEPS && !matches!(step, Step::Placed { .. }) {
            self.left_out += 1;
        } else {
            self.steps.push(step);
        }
    }
}

impl Probe {
    /// The pursuit, if it is one.
    pub(crate) fn follow(&mut self) -> Option<&mut Follow> {
        match self {
            Probe::Follow(follow) => Some(follow),
            Probe::Search(_) => None,
        }
    }

    /// A pod was bound.
    pub(super) fn bound(&mut self, workload: WorkloadId, pod: &Pod, place: Place) {
        match self {
            Probe::Search(search) => search.waited(workload, pod, pod.bound),
            Probe::Follow(follow) => follow.bound(pod, place),
        }
    }

    /// A pod ended, or the run ended over it.
    pub(super) fn ended(&mut self, workload: WorkloadId, pod: &Pod, end: PodEnd, now: SimTime) {
        match self {
            Probe::Search(search) => search.ended(workload, pod, end, now),
            Probe::Follow(follow) => follow.ended(pod, end, now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(ordinal: u64, submitted: i64, bound: i64) -> Pod {
        let mut pod = Pod::pending(TemplateId(0), SimTime(submitted), 1);
        pod.ordinal = ordinal;
        pod.bound = SimTime(bound);
        pod
    }

    fn found(role: Role, only: Option<WorkloadId>) -> Option<u64> {
        let mut probe = Probe::Search(Search::new(role, only, SimTime(10)));
        let (a, b) = (WorkloadId(0), WorkloadId(1));
        // Before the warm-up's end; 30 ms; 30 ms, later; 20 ms; never bound, 25 ms.
        for (workload, of) in
            [(a, pod(1, 0, 90)), (b, pod(3, 20, 50)), (a, pod(2, 30, 60)), (b, pod(4, 40, 60))]
        {
            probe.bound(workload, &of, Place::Node(0));
        }
        probe.ended(a, &pod(5, 75, i64::MAX), PodEnd::Pending, SimTime(100));
        probe.ended(a, &pod(6, 5, i64::MAX), PodEnd::Rejected, SimTime(5));
        match probe {
            Probe::Search(search) => search.found(),
            Probe::Follow(_) => None,
        }
    }

    #[test]
    fn roles_find_their_pod_and_ties_go_to_the_first() {
        assert_eq!(found(Role::LongestWait, None), Some(3));
        assert_eq!(found(Role::LongestWait, Some(WorkloadId(0))), Some(2));
        assert_eq!(found(Role::PendingAt(SimTime(45)), None), Some(1));
        assert_eq!(found(Role::PendingAt(SimTime(45)), Some(WorkloadId(1))), Some(3));
        assert_eq!(found(Role::PendingAt(SimTime(60)), Some(WorkloadId(1))), None);
        assert_eq!(found(Role::First(PodEnd::Rejected), None), Some(6));
        assert_eq!(found(Role::First(PodEnd::Pending), None), Some(5));
        assert_eq!(found(Role::First(PodEnd::Evicted), None), None);
    }
}
