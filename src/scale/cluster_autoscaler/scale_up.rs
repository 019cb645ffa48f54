//! Scale-up: which pods need nodes, and which group grows for them
//! (`core/scaleup/orchestrator/orchestrator.go` and
//! `core/podlistprocessor/`, release 1.37).
//!
//! DIFFERENCE: existing nodes are tried in order of creation, then upcoming
//! ones in order of groups, from the first in every loop; upstream's list is
//! unordered, it goes on where the loop before ended and first tries the node
//! it remembers for a pod. Each is one of upstream's possible answers, and a
//! loop over an unchanged cluster repeats its own.

use std::cmp::Reverse;

use super::config::Config;
use super::estimator::{Helpless, estimate, helps};
use super::expander::{Ties, choose};
use super::snapshot::Snapshot;
use super::view::{Decisions, Input, MemberState, NodeTemplate, PendingGroup, PodRole};
use super::view::{ScaleUp, ScaleUpOption};
use super::{Scratch, earliest};
use crate::units::{SimDuration, SimTime};

/// What became of the pending pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A group grows; the loop ends here.
    ScaledUp,
    /// Every pod is very new: nothing may happen in this loop.
    AllVeryNew,
    /// Nothing to do, or nothing that can be done.
    NoScaleUp,
}

/// Finds the pods in need and at most one group to grow for them.
pub(super) fn run(
    config: &Config,
    ties: Ties,
    input: &Input<'_>,
    templates: &[NodeTemplate],
    snapshot: &mut Snapshot,
    scratch: &mut Scratch,
    decisions: &mut Decisions,
) -> Outcome {
    let waiting = filter_out_schedulable(config, input, snapshot, scratch);
    decisions.needing_scale_up = waiting.iter().map(|g| u64::from(g.count)).sum();
    let mut oldest = SimTime::NEVER;
    let mut helpless: Vec<Helpless> = Vec::new();
    for group in &waiting {
        // `filterOutYoungPods` keeps pods that are older than the delay.
        let ripe = group.oldest + config.new_pod_scale_up_delay;
        if ripe < input.now {
            oldest = oldest.min(group.oldest);
            match helpless.iter_mut().find(|h| h.class == group.class) {
                Some(same) => same.count += group.count,
                None => helpless.push(Helpless { class: group.class, count: group.count }),
            }
        } else {
            earliest(&mut scratch.wake, ripe + SimDuration(1));
        }
    }
    if helpless.is_empty() {
        return Outcome::NoScaleUp;
    }
    let upcoming: u32 = input.groups.iter().map(|g| g.upcoming).sum();
    let nodes_now = input.members.len() as u32 + upcoming;
    if config.max_nodes_total > 0 && input.members.len() as u32 >= config.max_nodes_total {
        return Outcome::NoScaleUp;
    }
    if oldest + config.very_new_pod_guard > input.now {
        earliest(&mut scratch.wake, oldest + config.very_new_pod_guard);
        return Outcome::AllVeryNew;
    }
    decisions.options =
        options(config, input, templates, (snapshot, scratch), &helpless, nodes_now);
    let Some(best) = choose(&decisions.options, &config.expanders, ties, input.now) else {
        return Outcome::NoScaleUp;
    };
    let Some(group) = input.groups.get(best.group as usize) else { return Outcome::NoScaleUp };
    let mut nodes = best.nodes;
    if config.max_nodes_total > 0 {
        nodes = nodes.min(config.max_nodes_total.saturating_sub(nodes_now));
    }
    let to = group.target.saturating_add(nodes).min(group.max);
    if to <= group.target {
        return Outcome::NoScaleUp;
    }
    let (pool, from) = (group.pool, group.target);
    decisions.scale_up = Some(ScaleUp { group: best.group, pool, from, to });
    Outcome::ScaledUp
}

/// Places pods on nodes that exist or are coming, by priority, and returns
/// those left over. Pods of nodes being drained count as pending
/// (`currently_drained_nodes.go`); expendable ones do not count at all.
fn filter_out_schedulable(
    config: &Config,
    input: &Input<'_>,
    snapshot: &mut Snapshot,
    scratch: &mut Scratch,
) -> Vec<PendingGroup> {
    let mut pending = input.pending.to_vec();
    for member in input.members.iter().filter(|m| m.state != MemberState::Ready) {
        scratch.pods.clear();
        (input.pods_on)(member.slot, &mut scratch.pods);
        for pod in scratch.pods.iter().filter(|p| p.role != PodRole::Daemon) {
            match pending.iter_mut().skip(input.pending.len()).find(|g| g.class == pod.class) {
                Some(group) => group.count += 1,
                // Drained pods have run before, so they are not new.
                None => pending.push(PendingGroup {
                    class: pod.class,
                    count: 1,
                    oldest: SimTime(i64::MIN / 2),
                }),
            }
        }
    }
    let priority = |g: &PendingGroup| input.classes[g.class.index()].priority;
    pending.retain(|g| priority(g) >= config.expendable_pods_priority_cutoff && g.count > 0);
    pending.sort_by_key(|g| Reverse(priority(g)));
    for alike in pending.chunk_by_mut(|a, b| priority(a) == priority(b)) {
        snapshot.place_pending(input, &mut scratch.admission, alike);
    }
    pending.retain(|g| g.count > 0);
    pending
}

/// One option for each group that can grow and helps any pod.
fn options(
    config: &Config,
    input: &Input<'_>,
    templates: &[NodeTemplate],
    (snapshot, scratch): (&mut Snapshot, &mut Scratch),
    helpless: &[Helpless],
    nodes_now: u32,
) -> Vec<ScaleUpOption> {
    for pods in helpless {
        snapshot.prepare(input, pods.class);
    }
    let Snapshot { kinds, shadow, .. } = snapshot;
    let mut found = Vec::new();
    let mut groups = Vec::with_capacity(helpless.len());
    for (index, (group, template)) in input.groups.iter().zip(templates).enumerate() {
        if group.target >= group.max {
            continue;
        }
        let Scratch { admission, bins, .. } = scratch;
        groups.clear();
        groups.extend(helpless.iter().copied().filter(|pods| {
            let asked = (&*kinds, shadow.as_mut());
            helps(input, admission, bins, asked, template, pods.class)
        }));
        // Nodes the estimate may add: the smallest of the flags and of what
        // the group itself has left (`estimator/*_threshold.go`).
        let mut limit = config.max_nodes_per_scaleup.min(group.max - group.target);
        if config.max_nodes_total > 0 {
            limit = limit.min(config.max_nodes_total.saturating_sub(nodes_now));
        }
        let asked = (&*kinds, shadow.as_mut());
        let packed = estimate(input, admission, bins, asked, template, &mut groups, limit);
        if packed.nodes > 0 && packed.pods > 0 {
            found.push(ScaleUpOption {
                group: index as u32,
                nodes: packed.nodes,
                pods: packed.pods,
                cpu: packed.cpu,
                memory: packed.memory,
                node_cpu: template.capacity.cpu,
                node_memory: template.capacity.memory,
            });
        }
    }
    found
}
