//! Preemption: room for a pod that fits nowhere, made by removing pods of
//! lower priority (`framework/preemption/preemption.go` and
//! `plugins/defaultpreemption`, 1.31).
//!
//! Whoever calls knows the pods; here they are [`Resident`]s of a node. Nodes
//! are tried in hypothetical states and come back as they were.

use std::cmp::Reverse;

use super::plain::{Evaluation, NodeVerdict, View};
use super::plugins::Filters;
use super::profile::SchedulerProfile;
use crate::cluster::{Nodes, PodId, Slot};
use crate::workload::{ClassId, PodClass};

/// A pod on a node, as preemption sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Which.
    pub pod: PodId,
    /// Its class, which carries its priority.
    pub class: ClassId,
    /// When it started, in any unit; what has not started counts as starting
    /// now.
    pub started: i64,
    /// Disruption budgets that guard it, as indices.
    pub budgets: Vec<u32>,
}

/// What preemption asks about pods.
pub trait Residents {
    /// The pods on a node; ties of importance keep this order.
    fn on(&self, slot: Slot) -> Vec<Resident>;

    /// Classes of the pods nominated for the node whose priority is at least
    /// this one, the preemptor excepted.
    fn nominated(&self, slot: Slot, priority: i32) -> Vec<ClassId>;
}

/// The node that preemption chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preemption {
    /// The node to nominate.
    pub slot: Slot,
    /// Pods to remove, the most important first.
    pub victims: Vec<Resident>,
    /// How many of them a budget would have kept.
    pub violations: u32,
}

/// The scheduler's part of the world that preemption tries things on.
#[derive(Debug)]
pub struct Stage<'a> {
    /// The nodes; left as they were.
    pub nodes: &'a mut Nodes,
    /// All classes.
    pub classes: &'a [PodClass],
    /// All profiles.
    pub profiles: &'a [SchedulerProfile],
}

impl Stage<'_> {
    fn view(&self) -> View<'_> {
        View { nodes: self.nodes, classes: self.classes, profiles: self.profiles }
    }

    fn put(&mut self, filters: &mut Filters<'_>, slot: Slot, id: ClassId) {
        self.nodes.place_pod(slot, id, &self.classes[id.index()]);
        filters.shift(&self.view(), slot, id, 1);
    }

    fn take(&mut self, filters: &mut Filters<'_>, slot: Slot, id: ClassId) {
        self.nodes.unplace_pod(slot, id, &self.classes[id.index()]);
        filters.shift(&self.view(), slot, id, -1);
    }

    /// Whether the node passes the filters both without the pods nominated for
    /// it and with them (`runtime/framework.go`,
    /// `RunFilterPluginsWithNominatedPods`, 1.31). `nominated` are those of at
    /// least the pod's priority; `filters` stand at the present state.
    pub fn passes(&mut self, filters: &Filters<'_>, slot: Slot, nominated: &[ClassId]) -> bool {
        if !nominated.is_empty() {
            let mark = self.nodes.begin();
            let mut with = filters.clone();
            for id in nominated {
                self.put(&mut with, slot, *id);
            }
            let passes = with.check(&self.view(), slot).is_ok();
            self.nodes.rollback(mark);
            if !passes {
                return false;
            }
        }
        filters.check(&self.view(), slot).is_ok()
    }
}

/// The nodes of an attempt that may become feasible by removing pods from
/// them, ascending.
#[must_use]
pub fn potential_nodes(evaluation: &Evaluation) -> Vec<Slot> {
    evaluation
        .verdicts
        .iter()
        .enumerate()
        .filter(|(_, verdict)| match verdict {
            NodeVerdict::Rejected(rejection) => rejection.resolvable(),
            _ => false,
        })
        .map(|(slot, _)| Slot(slot as u32))
        .collect()
}

/// How many candidates are enough, of so many nodes that come into question
/// (`minCandidateNodesPercentage` 10, `minCandidateNodesAbsolute` 100).
#[must_use]
pub fn candidate_quota(nodes: usize) -> usize {
    (nodes * 10 / 100).max(100).min(nodes)
}

/// Chooses where to make room for a pod of the class, or `None` where nowhere
/// is possible. `potential` are the nodes that come into question, of which
/// the one at `offset` is tried first; upstream draws that at random. `allowed`
/// are the disruptions that each budget still allows.
///
/// DIFFERENCE: upstream tries several nodes at once, so that it may end with
/// more candidates than are enough; what is still equal in the end it chooses
/// by the order of a hash map, here by the order of trial.
pub fn preempt(
    stage: &mut Stage<'_>,
    id: ClassId,
    potential: &[Slot],
    offset: usize,
    residents: &dyn Residents,
    allowed: &[i64],
) -> Option<Preemption> {
    let classes = stage.classes;
    let class = &classes[id.index()];
    if class.never_preempts {
        return None;
    }
    let filters = Filters::new(&stage.view(), class).ok()?;
    let quota = candidate_quota(potential.len());
    let (mut clean, mut violating) = (Vec::new(), Vec::new());
    for i in 0..potential.len() {
        let slot = potential[(offset + i) % potential.len()];
        if let Some(found) = victims_on(stage, &filters, class, slot, residents, allowed) {
            if found.violations == 0 { &mut clean } else { &mut violating }.push(found);
            if !clean.is_empty() && clean.len() + violating.len() >= quota {
                break;
            }
        }
    }
    clean.append(&mut violating);
    best(clean, classes)
}

/// The pods that must leave the node, or `None` where that does not help.
fn victims_on(
    stage: &mut Stage<'_>,
    filters: &Filters<'_>,
    class: &PodClass,
    slot: Slot,
    residents: &dyn Residents,
    allowed: &[i64],
) -> Option<Preemption> {
    let classes = stage.classes;
    let priority = |resident: &Resident| classes[resident.class.index()].priority;
    let mut lower = residents.on(slot);
    lower.retain(|resident| priority(resident) < class.priority);
    if lower.is_empty() {
        return None;
    }
    let importance = |resident: &Resident| (Reverse(priority(resident)), resident.started);
    lower.sort_by_key(importance);
    let nominated = residents.nominated(slot, class.priority);

    let mark = stage.nodes.begin();
    let mut filters = filters.clone();
    for resident in &lower {
        stage.take(&mut filters, slot, resident.class);
    }
    if !stage.passes(&filters, slot, &nominated) {
        stage.nodes.rollback(mark);
        return None;
    }
    let (guarded, free) = split_by_budget(lower, allowed);
    let mut victims = Vec::new();
    let mut violations = 0;
    let guarded = guarded.into_iter().map(|resident| (resident, 1));
    for (resident, violation) in guarded.chain(free.into_iter().map(|resident| (resident, 0))) {
        stage.put(&mut filters, slot, resident.class);
        if !stage.passes(&filters, slot, &nominated) {
            stage.take(&mut filters, slot, resident.class);
            violations += violation;
            victims.push(resident);
        }
    }
    stage.nodes.rollback(mark);
    victims.sort_by_key(importance);
    (!victims.is_empty()).then_some(Preemption { slot, victims, violations })
}

/// Pods whose removal would go beyond a budget, and the others, if they were
/// all removed in the order of their importance.
fn split_by_budget(residents: Vec<Resident>, allowed: &[i64]) -> (Vec<Resident>, Vec<Resident>) {
    let mut left = allowed.to_vec();
    residents.into_iter().partition(|resident| {
        let mut violates = false;
        for budget in &resident.budgets {
            if let Some(left) = left.get_mut(*budget as usize) {
                *left -= 1;
                violates |= *left < 0;
            }
        }
        violates
    })
}

/// The best candidate (`pickOneNodeForPreemption`): the fewest budgets
/// violated, the least important of the most important victims, the smallest
/// sum of priorities, the fewest victims, and the latest of the earliest starts
/// among the most important victims; the first of equals.
fn best(candidates: Vec<Preemption>, classes: &[PodClass]) -> Option<Preemption> {
    let priority = |resident: &Resident| classes[resident.class.index()].priority;
    candidates.into_iter().min_by_key(|candidate| {
        let victims = &candidate.victims;
        let highest = victims.iter().map(priority).max();
        // Shifted so that negative priorities do not favour many victims.
        let sum: i64 = victims.iter().map(|v| i64::from(priority(v)) + (1 << 31)).sum();
        let important = victims.iter().filter(|v| Some(priority(v)) == highest);
        let earliest = important.map(|v| v.started).min();
        (candidate.violations, highest, sum, victims.len(), Reverse(earliest))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::evaluate_plain;
    use super::super::tests::{class, cluster};
    use super::*;
    use crate::workload::constraints::{
        Constraints, LabelSelector, Namespaces, PodAffinityTerm, Requirement,
    };

    /// Pods by slot, and those nominated.
    #[derive(Default)]
    struct Pods {
        by_slot: Vec<Vec<Resident>>,
        nominated: Vec<(Slot, ClassId, i32)>,
    }

    impl Residents for Pods {
        fn on(&self, slot: Slot) -> Vec<Resident> {
            self.by_slot.get(slot.index()).cloned().unwrap_or_default()
        }

        fn nominated(&self, slot: Slot, priority: i32) -> Vec<ClassId> {
            let there = self.nominated.iter().filter(|n| n.0 == slot && n.2 >= priority);
            there.map(|n| n.1).collect()
        }
    }

    struct Rig {
        nodes: Nodes,
        classes: Vec<PodClass>,
        pods: Pods,
        allowed: Vec<i64>,
    }

    /// Classes of the rig: the preemptor, then pods by cpu and priority.
    const PREEMPTOR: ClassId = ClassId(0);

    impl Rig {
        /// Nodes of 4 cpu; the preemptor wants 3 at priority 100.
        fn new(nodes: usize, others: &[(i64, i32)]) -> Self {
            let of = |cpu, priority| PodClass { priority, ..class(cpu, 0) };
            let mut classes = vec![of(3_000, 100)];
            classes.extend(others.iter().map(|(cpu, priority)| of(*cpu, *priority)));
            Rig {
                nodes: cluster(&vec![(4_000, 1 << 30, 110); nodes]),
                classes,
                pods: Pods { by_slot: vec![Vec::new(); nodes], nominated: Vec::new() },
                allowed: Vec::new(),
            }
        }

        fn add(&mut self, slot: usize, class: u32, started: i64, budgets: &[u32]) -> PodId {
            let count: usize = self.pods.by_slot.iter().map(Vec::len).sum();
            let pod = PodId(count as u32);
            let class = ClassId(class);
            self.nodes.place_pod(Slot(slot as u32), class, &self.classes[class.index()]);
            let budgets = budgets.to_vec();
            self.pods.by_slot[slot].push(Resident { pod, class, started, budgets });
            pod
        }

        /// The node, its victims and how many violate a budget.
        fn preempt(&mut self) -> Option<(u32, Vec<PodId>, u32)> {
            let profiles = [SchedulerProfile::default()];
            let view = View { nodes: &self.nodes, classes: &self.classes, profiles: &profiles };
            let evaluation = evaluate_plain(&view, PREEMPTOR);
            assert_eq!(evaluation.feasible(), 0, "there is room without");
            let before = (self.nodes.cpu.clone(), self.nodes.pods.clone());
            let mut stage =
                Stage { nodes: &mut self.nodes, classes: &self.classes, profiles: &profiles };
            let potential = potential_nodes(&evaluation);
            let found = preempt(&mut stage, PREEMPTOR, &potential, 0, &self.pods, &self.allowed);
            assert_eq!((&self.nodes.cpu, &self.nodes.pods), (&before.0, &before.1));
            let found = found?;
            let victims = found.victims.iter().map(|v| v.pod).collect();
            Some((found.slot.0, victims, found.violations))
        }
    }

    #[test]
    fn quotas_follow_the_share_and_its_floor() {
        assert_eq!([0, 7, 100, 999, 2_500].map(candidate_quota), [0, 7, 100, 100, 250]);
    }

    #[test]
    fn pods_that_need_not_go_are_reprieved_the_most_important_first() {
        let mut rig = Rig::new(1, &[(1_000, 10), (1_000, 20)]);
        let old = rig.add(0, 1, 1, &[]);
        let important = rig.add(0, 2, 9, &[]);
        let young = rig.add(0, 1, 5, &[]);
        rig.add(0, 2, 3, &[]);
        // 4 of 4 cpu are taken and 3 must be free: of equals the one that
        // started first stays longest, and one pod stays in all.
        assert_eq!(rig.preempt(), Some((0, vec![important, old, young], 0)));
    }

    #[test]
    fn pods_of_equal_or_higher_priority_stay() {
        let mut rig = Rig::new(2, &[(2_000, 100), (1_000, 1)]);
        rig.add(0, 1, 0, &[]);
        rig.add(0, 2, 0, &[]);
        rig.add(1, 1, 0, &[]);
        rig.add(1, 1, 0, &[]);
        assert_eq!(rig.preempt(), None);
    }

    #[test]
    fn the_node_is_chosen_criterion_by_criterion() {
        // A budget that allows nothing beats every other difference.
        let mut rig = Rig::new(2, &[(4_000, 1), (4_000, 50)]);
        rig.allowed = vec![0];
        rig.add(0, 1, 0, &[0]);
        let dear = rig.add(1, 2, 0, &[]);
        assert_eq!(rig.preempt(), Some((1, vec![dear], 0)));

        // Then the highest priority among the victims.
        let mut rig = Rig::new(2, &[(4_000, 50), (1_000, 49)]);
        rig.add(0, 1, 0, &[]);
        let many: Vec<PodId> = (0..4).map(|i| rig.add(1, 2, i, &[])).collect();
        assert_eq!(rig.preempt(), Some((1, many[1..].to_vec(), 0)));

        // Then the sum, then (implied by the sum here) the number.
        let mut rig = Rig::new(2, &[(2_000, 50), (2_000, 10)]);
        rig.add(0, 1, 0, &[]);
        rig.add(0, 1, 1, &[]);
        let first = rig.add(1, 1, 0, &[]);
        let second = rig.add(1, 2, 0, &[]);
        assert_eq!(rig.preempt(), Some((1, vec![first, second], 0)));

        // Then the latest start.
        let mut rig = Rig::new(3, &[(4_000, 50)]);
        rig.add(0, 1, 5, &[]);
        let youngest = rig.add(1, 1, 7, &[]);
        rig.add(2, 1, 6, &[]);
        assert_eq!(rig.preempt(), Some((1, vec![youngest], 0)));
    }

    #[test]
    fn budgets_are_used_up_in_the_order_of_importance() {
        let mut rig = Rig::new(1, &[(1_000, 10), (1_000, 20)]);
        rig.allowed = vec![1];
        // The budget allows the first of importance to go; the second and
        // third would violate it, and are reprieved before all others.
        let first = rig.add(0, 2, 0, &[0]);
        let second = rig.add(0, 1, 1, &[0]);
        let third = rig.add(0, 1, 2, &[0]);
        let unguarded = rig.add(0, 1, 3, &[]);
        let (_, victims, violations) = rig.preempt().expect("room can be made");
        assert_eq!((victims, violations), (vec![first, third, unguarded], 1));
        assert_ne!(second, third);
    }

    #[test]
    fn nominated_pods_hold_their_room() {
        let mut rig = Rig::new(2, &[(4_000, 10), (2_000, 100)]);
        let early = rig.add(0, 1, 0, &[]);
        let late = rig.add(1, 1, 1, &[]);
        assert_eq!(rig.preempt(), Some((1, vec![late], 0)));
        // Another pod of the same priority waits for that node.
        rig.pods.nominated.push((Slot(1), ClassId(2), 100));
        assert_eq!(rig.preempt(), Some((0, vec![early], 0)));
        rig.pods.nominated[0].2 = 99;
        assert_eq!(rig.preempt(), Some((1, vec![late], 0)));
    }

    #[test]
    fn anti_affinity_is_resolved_by_removing_who_is_kept_away_from() {
        let mut rig = Rig::new(2, &[(1_000, 10), (1_000, 200)]);
        let labelled = |app: &str| Constraints {
            namespace: "default".into(),
            labels: vec![("app".into(), app.into())],
            ..Constraints::default()
        };
        rig.classes[0].constraints = Some(Arc::new(Constraints {
            anti_affinity: vec![PodAffinityTerm {
                topology_key: "kubernetes.io/hostname".into(),
                selector: Some(LabelSelector {
                    requirements: vec![Requirement::equals("app", "noisy")],
                }),
                namespaces: Namespaces::All,
            }],
            ..labelled("quiet")
        }));
        rig.classes[1].constraints = Some(Arc::new(labelled("noisy")));
        rig.classes[2].constraints = Some(Arc::new(labelled("noisy")));
        for slot in 0..2 {
            rig.nodes.set_name(Slot(slot), &format!("node-{slot}"));
        }
        // Removing the pod on node 0 helps, though there was room besides it;
        // the one on node 1 is too important.
        let noisy = rig.add(0, 1, 0, &[]);
        rig.add(1, 2, 0, &[]);
        assert_eq!(rig.preempt(), Some((0, vec![noisy], 0)));
    }

    #[test]
    fn a_policy_of_never_preempts_nothing() {
        let mut rig = Rig::new(1, &[(4_000, 1)]);
        rig.add(0, 1, 0, &[]);
        rig.classes[0].never_preempts = true;
        assert_eq!(rig.preempt(), None);
    }
}
