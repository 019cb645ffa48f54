//! The Cluster Autoscaler: pending pods raise a group's desired size, nodes
//! not needed for long enough are deleted.
//!
//! Decision logic only. The caller keeps the clock: it runs a loop every
//! [`Config::scan_interval`], shows it the cluster ([`Input`]) and carries out
//! its [`Decisions`]. Rules follow kubernetes/autoscaler, branch
//! cluster-autoscaler-release-1.37; each file names its sources.
//!
//! **Tickless.** Between events a loop's answer changes only when one of its
//! own timers ends. [`ClusterAutoscaler::next_run`] says when; loops before
//! that time, and without an event in the cluster, may be skipped, the phase
//! of the interval being kept. For this a loop is a function of the cluster,
//! the time and its own timers alone: searches start at the first node in
//! every loop.
//!
//! Order of a loop (`core/static_autoscaler.go`, `RunOnce`): templates →
//! snapshot with upcoming nodes → pending pods that fit somewhere → scale-up,
//! which ends the loop if it happens → scale-down.
//!
//! Not built: failed launches with their back-off and the provision timeout
//! (launches do not fail), balancing of similar groups, limits on total cores
//! and memory, provisioning requests, and the longer wait for new GPU pods.
//!
//! Pods about which constraints decide – ports, claims and volumes on a node,
//! hard spread, required pod affinity and anti-affinity, also of others – are
//! placed one by one through the scheduler's own filters (`shadow`); all others
//! by the class over what is free (`bins`).
//!
//! Cost, measured on one 2.5 GHz core with 500 nodes in 5 groups: 10 µs for a
//! loop with nothing pending; 100 µs with 5,000 pending pods of 2 classes that
//! need 1,000 nodes; 220 µs with 100,000 of 6 classes, since pods are packed
//! by the class and their number does not enter.

mod bins;
mod config;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod constraint_tests;
mod estimator;
mod expander;
#[cfg(test)]
mod recorded;
mod scale_down;
mod scale_up;
mod shadow;
mod snapshot;
#[cfg(test)]
mod tests;
mod view;

pub use config::{Config, Expander};
pub use expander::Ties;
pub use scale_down::{Reason, Utilisation, Verdict};
pub use view::{
    Decisions, Group, Input, Member, MemberState, NodeTemplate, PendingGroup, PodOnNode, PodRole,
    PodsOn, ScaleUp, ScaleUpOption,
};

use rustc_hash::FxHashMap;

use crate::cluster::{Capacity, PoolId};
use crate::units::{Bytes, MilliCpu, SimDuration, SimTime};
use crate::workload::ClassId;
use bins::{Admission, Bins};
use scale_down::Planner;
use scale_up::Outcome;
use snapshot::Snapshot;

/// How long a node must have been Ready to stand for its group
/// (`processors/nodeinfosprovider/mixed_nodeinfos_processor.go`,
/// `stabilizationDelay`).
const STABILIZATION_DELAY: SimDuration = SimDuration::from_secs(60);

/// What the parts of a loop share. Buffers outlive it only to save their
/// allocation.
#[derive(Debug, Clone, Default)]
struct Scratch {
    admission: Admission,
    bins: Bins,
    pods: Vec<PodOnNode>,
    moves: Vec<ClassId>,
    /// When the answer changes by itself.
    wake: Option<SimTime>,
}

/// The autoscaler between two loops. Belongs to one run: classes and interned
/// traits must stay the same.
#[derive(Debug, Clone)]
pub struct ClusterAutoscaler {
    config: Config,
    ties: Ties,
    /// Templates of real nodes by group; upstream keeps them for ten years.
    seen: FxHashMap<PoolId, NodeTemplate>,
    last_scale_up: Option<SimTime>,
    planner: Planner,
    snapshot: Snapshot,
    scratch: Scratch,
}

impl ClusterAutoscaler {
    /// An autoscaler that has not run yet.
    #[must_use]
    pub fn new(config: Config, ties: Ties) -> Self {
        ClusterAutoscaler {
            config,
            ties,
            seen: FxHashMap::default(),
            last_scale_up: None,
            planner: Planner::default(),
            snapshot: Snapshot::default(),
            scratch: Scratch::default(),
        }
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// One loop.
    pub fn run_once(&mut self, input: &Input<'_>) -> Decisions {
        let mut decisions = Decisions::default();
        self.scratch.wake = None;
        let templates = self.templates(input);
        self.snapshot.rebuild(&self.config, input, &templates, &mut self.scratch.pods);
        let outcome = scale_up::run(
            &self.config,
            self.ties,
            input,
            &templates,
            &mut self.snapshot,
            &mut self.scratch,
            &mut decisions,
        );
        if outcome == Outcome::ScaledUp {
            self.last_scale_up = Some(input.now);
        } else if self.config.scale_down_enabled {
            let cool_until = self.last_scale_up.map(|t| t + self.config.scale_down_delay_after_add);
            self.planner.run(
                &self.config,
                input,
                &mut self.snapshot,
                &mut self.scratch,
                (outcome == Outcome::AllVeryNew, cool_until),
                &mut decisions,
            );
        }
        decisions.productive = decisions.scale_up.is_some()
            || !decisions.delete_empty.is_empty()
            || !decisions.drain.is_empty();
        if decisions.productive {
            earliest(&mut self.scratch.wake, input.now);
        }
        decisions
    }

    /// From when on the answer of the last loop may change although nothing
    /// happens in the cluster. A time not after that loop means: at the next
    /// one. `None`: not before an event.
    #[must_use]
    pub fn next_run(&self) -> Option<SimTime> {
        self.scratch.wake
    }

    /// When the last scale-up was.
    #[must_use]
    pub fn last_scale_up(&self) -> Option<SimTime> {
        self.last_scale_up
    }

    /// What the last loop that looked at them found about the nodes. A loop
    /// that scales up does not look; nodes of groups at their minimum are
    /// never listed.
    #[must_use]
    pub fn verdicts(&self) -> &[Verdict] {
        &self.planner.verdicts
    }

    /// Since when the node with this record has been unneeded.
    #[must_use]
    pub fn unneeded_since(&self, record: u32) -> Option<SimTime> {
        self.planner.unneeded_since(record)
    }

    /// The template of each group: its first node in order of creation that
    /// has been Ready for a minute, with the `DaemonSet` pods on it; else the
    /// last such template; else the synthetic one
    /// (`mixed_nodeinfos_processor.go`).
    fn templates(&mut self, input: &Input<'_>) -> Vec<NodeTemplate> {
        let mut fresh: Vec<Option<&Member>> = vec![None; input.groups.len()];
        for member in input.members.iter().filter(|m| m.state == MemberState::Ready) {
            let Some(first) = member.group.and_then(|g| fresh.get_mut(g as usize)) else {
                continue;
            };
            if first.is_some() || !input.nodes.open[member.slot.index()] {
                continue;
            }
            let stable = member.ready_since + STABILIZATION_DELAY;
            if stable <= input.now {
                *first = Some(member);
            } else if !input.pending.is_empty()
                || !self.seen.contains_key(&input.nodes.pool[member.slot.index()])
            {
                earliest(&mut self.scratch.wake, stable);
            }
        }
        input
            .groups
            .iter()
            .zip(fresh)
            .map(|(group, member)| {
                if let Some(member) = member {
                    let template = self.template_of(input, member);
                    self.seen.insert(group.pool, template);
                }
                self.seen.get(&group.pool).unwrap_or(&group.synthetic).clone()
            })
            .collect()
    }

    fn template_of(&mut self, input: &Input<'_>, member: &Member) -> NodeTemplate {
        let (nodes, i) = (input.nodes, member.slot.index());
        let e = nodes.extended_names();
        let allocatable = Capacity {
            cpu: MilliCpu(nodes.alloc_cpu[i]),
            memory: Bytes(nodes.alloc_memory[i]),
            pods: u32::try_from(nodes.alloc_pods[i]).unwrap_or(0),
            extended: nodes.alloc_extended[i * e..(i + 1) * e].to_vec(),
        };
        let capacity = input
            .shapes
            .get(nodes.shape[i].index())
            .map_or_else(|| allocatable.clone(), |shape| shape.capacity.clone());
        let pods = &mut self.scratch.pods;
        pods.clear();
        (input.pods_on)(member.slot, pods);
        let preplaced = pods
            .iter()
            .filter(|p| p.role == PodRole::Daemon)
            .map(|p| input.classes[p.class.index()].requests.clone())
            .collect();
        NodeTemplate { traits: nodes.traits[i], capacity, allocatable, preplaced }
    }
}

/// Moves `wake` to `time` if that is earlier.
fn earliest(wake: &mut Option<SimTime>, time: SimTime) {
    *wake = Some(wake.map_or(time, |w| w.min(time)));
}
