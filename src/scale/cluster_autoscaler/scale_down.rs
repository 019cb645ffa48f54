//! Scale-down: which nodes are not needed, for how long, and which of them
//! are deleted now (`core/scaledown/planner`, `eligibility`, `unneeded`,
//! `budgets`, `actuation`, release 1.37).
//!
//! Not built: `PodDisruptionBudget`s, local storage, custom controllers and
//! bare or kube-system pods as reasons to stay (the caller may mark a pod
//! [`PodRole::Blocking`]); unready nodes and their own timer; GPU nodes,
//! which upstream judges by their GPUs alone; cluster-wide minimum resources.
//!
//! DIFFERENCE: where upstream walks a map, nodes are taken in the order in
//! which they were judged: empty before occupied, unneeded in the loop before
//! ahead of others, then by age. Destinations of moved pods are not
//! remembered from loop to loop.

use super::config::Config;
use super::snapshot::Snapshot;
use super::view::{Decisions, Input, MemberState, PodRole};
use super::{Scratch, earliest};
use crate::cluster::Slot;
use crate::units::{Percent, SimDuration, SimTime};
use crate::workload::ClassId;

/// Requests of a node's pods against its allocatable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Utilisation {
    /// Requested cpu, milli-cores.
    pub cpu: i64,
    /// Allocatable cpu, milli-cores.
    pub alloc_cpu: i64,
    /// Requested memory, bytes.
    pub memory: i64,
    /// Allocatable memory, bytes.
    pub alloc_memory: i64,
}

impl Utilisation {
    /// Whether neither cpu nor memory exceeds the threshold, exactly. A node
    /// that offers no cpu or no memory cannot be judged and stays.
    #[must_use]
    pub fn at_most(&self, threshold: Percent) -> bool {
        let within = |part: i64, whole: i64| {
            whole > 0
                && i128::from(part) * 1_000_000 <= i128::from(threshold.ppm) * i128::from(whole)
        };
        within(self.cpu, self.alloc_cpu) && within(self.memory, self.alloc_memory)
    }

    /// The larger of both shares, for display.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        let share =
            |part: i64, whole: i64| if whole > 0 { part as f64 / whole as f64 } else { 1.0 };
        share(self.cpu, self.alloc_cpu).max(share(self.memory, self.alloc_memory))
    }
}

/// What a loop found about a node; the names are upstream's
/// (`simulator/cluster.go`, `UnremovableReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It could go.
    Unneeded,
    /// Above the utilisation threshold.
    NotUnderutilized,
    /// Its pods found no other place.
    NoPlaceToMovePods,
    /// A pod on it may not be moved.
    BlockedByPod,
    /// Found unremovable less than the recheck timeout ago.
    RecentlyUnremovable,
    /// Enough unneeded nodes were found before its turn came.
    NotEvaluated,
}

/// A judged node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The node.
    pub slot: Slot,
    /// What was found.
    pub reason: Reason,
    /// Its utilisation.
    pub utilisation: Utilisation,
}

/// Times kept from loop to loop. Nodes go by their record, since slots are
/// reused.
#[derive(Debug, Clone, Default)]
pub(super) struct Planner {
    /// (record, since), sorted by record.
    unneeded: Vec<(u32, SimTime)>,
    /// (record, until), sorted by record.
    unremovable: Vec<(u32, SimTime)>,
    /// Of the last loop that judged nodes.
    pub(super) verdicts: Vec<Verdict>,
    candidates: Vec<Candidate>,
    found: Vec<Found>,
}

/// A node whose removal is simulated.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    member: u32,
    /// Where its verdict stands.
    verdict: u32,
    empty: bool,
    before: bool,
}

/// A node that could go.
#[derive(Debug, Clone, Copy)]
struct Found {
    member: u32,
    group: u32,
    since: SimTime,
    empty: bool,
}

fn lookup(list: &[(u32, SimTime)], record: u32) -> Option<SimTime> {
    list.binary_search_by_key(&record, |e| e.0).ok().map(|i| list[i].1)
}

impl Planner {
    /// Since when the node with this record is unneeded.
    pub(super) fn unneeded_since(&self, record: u32) -> Option<SimTime> {
        lookup(&self.unneeded, record)
    }

    /// Judges every node and updates the timers. Returns whether the set of
    /// unneeded nodes is another than before.
    fn judge(
        &mut self,
        config: &Config,
        input: &Input<'_>,
        snapshot: &mut Snapshot,
        scratch: &mut Scratch,
    ) -> bool {
        // `unremovable.Nodes.Update` drops what ended before now.
        self.unremovable.retain(|(_, until)| *until >= input.now);
        self.pick_candidates(config, input, snapshot, scratch);
        self.found.clear();
        let limit = unneeded_limit(config, self.unneeded.len());
        for candidate in &self.candidates {
            if self.found.len() >= limit {
                break;
            }
            let (i, at) = (candidate.member as usize, candidate.verdict as usize);
            let member = &input.members[i];
            let blocked = gather(input, snapshot, scratch, i);
            let Scratch { admission, moves, .. } = scratch;
            let record = input.nodes.record[member.slot.index()];
            if !blocked && snapshot.try_remove(input, admission, i, moves) {
                self.verdicts[at].reason = Reason::Unneeded;
                self.found.push(Found {
                    member: candidate.member,
                    group: member.group.unwrap_or(u32::MAX),
                    since: lookup(&self.unneeded, record).unwrap_or(input.now),
                    empty: moves.is_empty(),
                });
            } else {
                self.verdicts[at].reason =
                    if blocked { Reason::BlockedByPod } else { Reason::NoPlaceToMovePods };
                let until = input.now + config.unremovable_node_recheck_timeout;
                self.unremovable.push((record, until));
            }
        }
        self.unremovable.sort_unstable();
        for (_, until) in &self.unremovable {
            earliest(&mut scratch.wake, *until + SimDuration(1));
        }
        let record = |f: &Found| input.nodes.record[input.members[f.member as usize].slot.index()];
        let mut unneeded: Vec<_> = self.found.iter().map(|f| (record(f), f.since)).collect();
        unneeded.sort_unstable();
        let changed = unneeded != self.unneeded;
        self.unneeded = unneeded;
        changed
    }

    /// Lists the nodes worth simulating, in order, and gives all others their
    /// verdict. Nodes of a group at its minimum are not looked at
    /// (`processors/nodes/pre_filtering_processor.go`).
    fn pick_candidates(
        &mut self,
        config: &Config,
        input: &Input<'_>,
        snapshot: &Snapshot,
        scratch: &mut Scratch,
    ) {
        self.verdicts.clear();
        self.candidates.clear();
        for (i, member) in input.members.iter().enumerate() {
            let group = member.group.and_then(|g| input.groups.get(g as usize));
            let Some(group) = group.filter(|g| g.target > g.min) else { continue };
            if member.state != MemberState::Ready {
                continue;
            }
            let threshold =
                group.utilization_threshold.unwrap_or(config.scale_down_utilization_threshold);
            let (cpu, memory) = snapshot.requested(input, i);
            let slot = member.slot.index();
            let utilisation = Utilisation {
                cpu,
                alloc_cpu: input.nodes.alloc_cpu[slot],
                memory,
                alloc_memory: input.nodes.alloc_memory[slot],
            };
            let record = input.nodes.record[slot];
            let reason = if lookup(&self.unremovable, record).is_some() {
                Reason::RecentlyUnremovable
            } else if utilisation.at_most(threshold) {
                let blocked = gather(input, snapshot, scratch, i);
                self.candidates.push(Candidate {
                    member: i as u32,
                    verdict: self.verdicts.len() as u32,
                    empty: !blocked && scratch.moves.is_empty(),
                    before: lookup(&self.unneeded, record).is_some(),
                });
                Reason::NotEvaluated
            } else {
                Reason::NotUnderutilized
            };
            self.verdicts.push(Verdict { slot: member.slot, reason, utilisation });
        }
        // `processors/scaledowncandidates`: empty ones first, then those of
        // the loop before. The sort is stable, so age decides the rest.
        self.candidates.sort_by_key(|c| (!c.empty, !c.before));
    }

    /// Plans, and unless in cool-down decides deletions and soft taints.
    /// `forbidden`: every pending pod is very new. `cool_until`: end of the
    /// delay after the last scale-up.
    pub(super) fn run(
        &mut self,
        config: &Config,
        input: &Input<'_>,
        snapshot: &mut Snapshot,
        scratch: &mut Scratch,
        (forbidden, cool_until): (bool, Option<SimTime>),
        decisions: &mut Decisions,
    ) {
        if self.judge(config, input, snapshot, scratch) {
            // The next loop starts from another order and another limit.
            earliest(&mut scratch.wake, input.now);
        }
        let cool_until = cool_until.filter(|until| *until > input.now);
        for found in &self.found {
            let due = found.since + unneeded_time(config, input, found.group) + SimDuration(1);
            if due > input.now {
                earliest(&mut scratch.wake, cool_until.map_or(due, |c| c.max(due)));
            }
        }
        if let Some(until) = cool_until {
            // Deletions that are due and soft taints wait for it.
            if !self.found.is_empty() || input.members.iter().any(|m| m.soft_tainted) {
                earliest(&mut scratch.wake, until);
            }
            return;
        }
        if forbidden {
            return;
        }
        self.delete(config, input, decisions);
        if decisions.delete_empty.is_empty() && decisions.drain.is_empty() {
            self.soft_taints(config, input, decisions, &mut scratch.wake);
        }
    }

    /// Nodes unneeded for long enough, as far as group sizes and the limits
    /// on parallel deletions allow (`unneeded/nodes.go` `RemovableAt`,
    /// `budgets/budgets.go` `CropNodes`).
    fn delete(&self, config: &Config, input: &Input<'_>, decisions: &mut Decisions) {
        let in_progress = |state| input.members.iter().filter(|m| m.state == state).count() as u32;
        let (emptying, draining) =
            (in_progress(MemberState::DeletingEmpty), in_progress(MemberState::Draining));
        // Nodes each group may still lose.
        let mut spare: Vec<i64> =
            input.groups.iter().map(|g| i64::from(g.target) - i64::from(g.min)).collect();
        for member in input.members.iter().filter(|m| m.state != MemberState::Ready) {
            if let Some(left) = member.group.and_then(|g| spare.get_mut(g as usize)) {
                *left -= 1;
            }
        }
        let mut due = |empty: bool| -> Vec<&Found> {
            let mut list: Vec<&Found> = Vec::new();
            for found in self.found.iter().filter(|f| f.empty == empty) {
                let Some(left) = spare.get_mut(found.group as usize) else { continue };
                if found.since + unneeded_time(config, input, found.group) < input.now && *left > 0
                {
                    *left -= 1;
                    list.push(found);
                }
            }
            // By group, groups in the order in which they were met.
            let mut order: Vec<u32> = Vec::new();
            for found in &list {
                if !order.contains(&found.group) {
                    order.push(found.group);
                }
            }
            list.sort_by_key(|f| order.iter().position(|g| *g == f.group));
            list
        };
        let (empty, drain) = (due(true), due(false));
        decisions.due_empty = empty.len() as u32;
        decisions.due_drain = drain.len() as u32;
        let slot = |f: &Found| input.members[f.member as usize].slot;
        let budget = config.max_scale_down_parallelism.saturating_sub(emptying + draining);
        decisions.delete_empty = empty.into_iter().take(budget as usize).map(slot).collect();
        let budget = (budget - decisions.delete_empty.len() as u32)
            .min(config.max_drain_parallelism.saturating_sub(draining));
        decisions.drain = drain.into_iter().take(budget as usize).map(slot).collect();
    }

    /// Soft taints follow the unneeded nodes, removals first, a bounded
    /// number a loop and only in a loop without deletion
    /// (`actuation/softtaint.go`).
    fn soft_taints(
        &self,
        config: &Config,
        input: &Input<'_>,
        decisions: &mut Decisions,
        wake: &mut Option<SimTime>,
    ) {
        let mut budget = config.max_bulk_soft_taint_count as usize;
        let mut skipped = false;
        let mut within = |list: &mut Vec<Slot>, slot: Slot| {
            if budget == 0 {
                skipped = true;
            } else {
                budget -= 1;
                list.push(slot);
            }
        };
        let unneeded = |slot: Slot| self.unneeded_since(input.nodes.record[slot.index()]).is_some();
        for m in input.members {
            let ours = m.group.is_some() && m.state == MemberState::Ready;
            if ours && m.soft_tainted && !unneeded(m.slot) {
                within(&mut decisions.soft_untaint, m.slot);
            }
        }
        for found in &self.found {
            let member = &input.members[found.member as usize];
            if !member.soft_tainted {
                within(&mut decisions.soft_taint, member.slot);
            }
        }
        if skipped && config.max_bulk_soft_taint_count > 0 {
            earliest(wake, input.now);
        }
    }
}

/// Collects the pods that must leave with a node, real and imagined, into
/// `scratch.moves`. Returns whether one of them blocks it.
fn gather(input: &Input<'_>, snapshot: &Snapshot, scratch: &mut Scratch, member: usize) -> bool {
    let Scratch { pods, moves, .. } = scratch;
    pods.clear();
    moves.clear();
    (input.pods_on)(input.members[member].slot, pods);
    for pod in pods.iter() {
        match pod.role {
            PodRole::Daemon => {}
            PodRole::Movable => moves.push(pod.class),
            PodRole::Blocking => return true,
        }
    }
    snapshot.each_imagined(member, |class: ClassId, count| {
        moves.extend(std::iter::repeat_n(class, count as usize));
    });
    false
}

/// How long a node of the group must have been unneeded.
fn unneeded_time(config: &Config, input: &Input<'_>, group: u32) -> SimDuration {
    let own = input.groups.get(group as usize).and_then(|g| g.unneeded_time);
    own.unwrap_or(config.scale_down_unneeded_time)
}

/// How many unneeded nodes a loop looks for: as many as could be deleted
/// before the timers of further ones would run out (`planner.go`,
/// `unneededNodesLimit`).
///
/// DIFFERENCE: upstream divides by the shortest interval it has seen between
/// loops. Here that is the scan interval, since loops without effect are left
/// out; with frequent loops it comes near zero and no longer limits.
fn unneeded_limit(config: &Config, unneeded: usize) -> usize {
    let parallel = config.max_scale_down_parallelism as usize;
    let grow = unneeded + 2 * parallel;
    if config.frequent_loops {
        return grow;
    }
    let interval = config.scan_interval.0.max(1);
    let loops = config.scale_down_unneeded_time.0.max(interval) / interval;
    grow.min(parallel.saturating_mul(loops as usize) + parallel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_for_unneeded_nodes_is_bounded() {
        let config = Config::for_version(34);
        assert_eq!(unneeded_limit(&config, 0), 20);
        assert_eq!(unneeded_limit(&config, 600), 610);
        assert_eq!(unneeded_limit(&Config::for_version(35), 600), 620);
    }

    #[test]
    fn utilisation_is_compared_exactly() {
        let half = Percent { ppm: 500_000 };
        let u = Utilisation { cpu: 1_960, alloc_cpu: 3_920, memory: 7, alloc_memory: 15 };
        assert!(u.at_most(half));
        assert!(!Utilisation { cpu: 1_961, ..u }.at_most(half));
        assert!(!Utilisation { memory: 8, ..u }.at_most(half));
        assert!(!Utilisation { alloc_memory: 0, memory: 0, ..u }.at_most(half));
        assert!((u.ratio() - 0.5).abs() < 1e-15);
    }
}
