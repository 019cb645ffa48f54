//! Preemption in the run: room is made for a pod that fits nowhere, and its
//! victims take their time to leave.
//!
//! A victim is deleted at once: its owner replaces it, its budget counts it as
//! down, spreading does not count it any more. Until its containers have
//! exited it keeps its requests on the node.
//!
//! DIFFERENCE: pods of `DaemonSet`s are never victims; their set would put them
//! back on the same node.

use crate::cluster::{PodId, PodState, Pods, Slot};
use crate::observe::probe::{Cause, Room};
use crate::observe::{Owner, PodEnd, PodRates};
use crate::place::KubeScheduler;
use crate::place::kube::{Resident, Residents, Stage, evaluate_plain, potential_nodes, preempt};
use crate::rng::Draws;
use crate::sim::EventQueue;
use crate::units::{SimDuration, SimTime};
use crate::workload::disruption::{Amount, Limit};
use crate::workload::{ClassId, PodClass, Workloads};

use super::event::{Event, phase};
use super::{TemplateFacts, World};

/// A pod that was deleted and still holds its room.
#[derive(Debug, Clone)]
struct Leaving {
    /// Key of its event.
    serial: u32,
    slot: Slot,
    /// What it was, and what it counts as while it leaves.
    class: ClassId,
    counts_as: ClassId,
    /// What it and each of its sidecars add to the node's account.
    accounts: Vec<(Owner, PodRates)>,
}

/// What preemption needs beside the pods themselves.
#[derive(Debug, Default)]
pub(super) struct Preempting {
    leaving: Vec<Leaving>,
    serial: u32,
    /// By class, the budgets that guard its pods.
    budgets: Vec<Vec<u32>>,
    /// Services by budget.
    services: Vec<Vec<u32>>,
    /// Budgets that may guard batch pods too.
    guards_batch: Vec<bool>,
    /// By budget, the lowest priority of what it guards.
    lowest: Vec<Option<i32>>,
    /// `DaemonSet`s by budget.
    daemons: Vec<Vec<u32>>,
}

impl Preempting {
    pub(super) fn new(workloads: &Workloads) -> Self {
        let guards = |class: ClassId, budget: &u32| {
            let constraints = workloads.classes[class.index()].constraints.as_ref();
            constraints.is_some_and(|c| workloads.budgets[*budget as usize].guards(c))
        };
        let all = 0..workloads.budgets.len() as u32;
        let by_class = |class| all.clone().filter(|budget| guards(class, budget)).collect();
        let class_of = |service: u32| {
            let template = workloads.services[service as usize].template;
            workloads.templates[template.index()].class
        };
        let services = 0..workloads.services.len() as u32;
        let by_budget = |budget: u32| {
            services.clone().filter(|service| guards(class_of(*service), &budget)).collect()
        };
        let daemons = 0..workloads.daemons.len() as u32;
        let daemons_of = |budget: u32| {
            let class = |daemon: u32| {
                let template = workloads.daemons[daemon as usize].template;
                workloads.templates[template.index()].class
            };
            daemons.clone().filter(|daemon| guards(class(*daemon), &budget)).collect()
        };
        let lowest = |budget: u32| {
            let classes = (0..workloads.classes.len() as u32).map(ClassId);
            let guarded = classes.filter(|class| guards(*class, &budget));
            guarded.map(|class| workloads.classes[class.index()].priority).min()
        };
        let batch = |budget: u32| {
            workloads.templates.iter().any(|template| {
                let kind = workloads.workloads[template.workload.index()].kind;
                kind == crate::workload::WorkloadKind::Batch && guards(template.class, &budget)
            })
        };
        Preempting {
            leaving: Vec::new(),
            serial: 0,
            budgets: (0..workloads.classes.len() as u32).map(|i| by_class(ClassId(i))).collect(),
            services: all.clone().map(by_budget).collect(),
            guards_batch: all.clone().map(batch).collect(),
            lowest: all.clone().map(lowest).collect(),
            daemons: all.clone().map(daemons_of).collect(),
        }
    }

    /// Whether pods that were deleted are still on their nodes.
    pub(super) fn is_anything_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// Whether a pod of lower priority is on its way out of a node.
    fn makes_room(&self, slot: Slot, class: ClassId, classes: &[PodClass]) -> bool {
        let priority = |class: ClassId| classes[class.index()].priority;
        self.leaving.iter().any(|l| l.slot == slot && priority(l.class) < priority(class))
    }
}

/// By class, whether its pods can preempt any that there may be.
pub(super) fn preemptors(workloads: &Workloads) -> Vec<bool> {
    let daemon = |template: u32| workloads.daemons.iter().any(|d| d.template.0 == template);
    let lowest = (0..workloads.templates.len() as u32)
        .filter(|template| !daemon(*template))
        .map(|t| workloads.classes[workloads.templates[t as usize].class.index()].priority)
        .min();
    let above = |class: &PodClass| lowest.is_some_and(|lowest| class.priority > lowest);
    workloads.classes.iter().map(|class| !class.never_preempts && above(class)).collect()
}

/// The pods that preemption may choose from: those of lower priority.
struct Lodgers<'a> {
    pods: &'a Pods,
    templates: &'a [TemplateFacts],
    classes: &'a [PodClass],
    state: &'a Preempting,
    scheduler: &'a KubeScheduler,
    preemptor: PodId,
    /// Of the preemptor.
    priority: i32,
    now: SimTime,
}

/// Pods that are leaving already have no id; as victims they cost nothing.
const GONE: PodId = PodId(u32::MAX);

impl Residents for Lodgers<'_> {
    fn on(&self, slot: Slot) -> Vec<Resident> {
        let mut all: Vec<Resident> = self
            .pods
            .on(slot)
            .filter_map(|id| {
                let pod = &self.pods[id];
                let class = self.templates[pod.template.index()].class;
                // On most nodes there is none that could be a victim.
                (self.classes[class.index()].priority < self.priority).then(|| Resident {
                    pod: id,
                    class,
                    started: pod.running.min(self.now).ms(),
                    budgets: self.state.budgets[class.index()].clone(),
                })
            })
            .collect();
        // In the order in which they were bound.
        all.reverse();
        all.extend(self.state.leaving.iter().filter(|l| l.slot == slot).map(|leaving| Resident {
            pod: GONE,
            class: leaving.counts_as,
            started: self.now.ms(),
            budgets: Vec::new(),
        }));
        all
    }

    fn nominated(&self, slot: Slot, priority: i32) -> Vec<ClassId> {
        self.scheduler
            .nominated_on(slot)
            .filter(|(pod, class)| {
                *pod != self.preemptor && self.classes[class.index()].priority >= priority
            })
            .map(|(_, class)| class)
            .collect()
    }
}

impl World<'_> {
    /// `PostFilter` of a pod that fits nowhere: looks for a node where pods of
    /// lower priority can make room. `None` where there is none.
    pub(super) fn make_room(
        &mut self,
        id: PodId,
        class: ClassId,
        now: SimTime,
    ) -> Option<(Room, Vec<PodId>)> {
        if !self.scheduler.may_preempt(class) {
            return None;
        }
        let classes = &self.workloads.classes;
        // On a closed node nothing is to be waited for.
        if let Some(slot) = self.scheduler.nominated(id)
            && self.nodes.open[slot.index()]
            && self.preempting.makes_room(slot, class, classes)
        {
            return Some((Room::Waits(self.nodes.record[slot.index()]), Vec::new()));
        }
        let Some(found) = self.find_victims(id, class, now) else {
            self.scheduler.clear_nomination(id);
            self.scheduler.resign(class);
            return None;
        };
        let slot = found.slot;
        let priority = classes[class.index()].priority;
        let outranked: Vec<PodId> = self
            .scheduler
            .nominated_on(slot)
            .filter(|(_, other)| classes[other.index()].priority < priority)
            .map(|(pod, _)| pod)
            .collect();
        for pod in outranked {
            self.scheduler.clear_nomination(pod);
        }
        self.scheduler.nominate(id, class, slot);
        let node = self.nodes.record[slot.index()];
        let victims: Vec<PodId> =
            found.victims.iter().map(|v| v.pod).filter(|pod| *pod != GONE).collect();
        let ordinals = victims.iter().map(|pod| self.pods[*pod].ordinal).collect();
        Some((Room::Made { node, victims: ordinals, violations: found.violations }, victims))
    }

    /// Deletes the victims of a pod.
    pub(super) fn delete_victims(
        &mut self,
        by: PodId,
        victims: Vec<PodId>,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let preemptor = self.pods[by].ordinal;
        for victim in victims {
            self.watch_victim(victim, preemptor);
            let template = self.pods[victim].template;
            let exit = self.workloads.templates[template.index()].life.exit;
            self.displace_slowly(victim, PodEnd::Evicted, exit, now, queue);
        }
    }

    /// Classes of the pods on a node that preemption may delete.
    pub(super) fn lodgers_on(&self, preemptor: PodId, slot: Slot) -> Vec<ClassId> {
        self.lodgers(preemptor, self.now).on(slot).into_iter().map(|r| r.class).collect()
    }

    fn lodgers(&self, preemptor: PodId, now: SimTime) -> Lodgers<'_> {
        Lodgers {
            pods: &self.pods,
            templates: &self.templates,
            classes: &self.workloads.classes,
            state: &self.preempting,
            scheduler: &self.scheduler,
            preemptor,
            priority: self.workloads.classes
                [self.templates[self.pods[preemptor].template.index()].class.index()]
            .priority,
            now,
        }
    }

    fn find_victims(
        &mut self,
        id: PodId,
        class: ClassId,
        now: SimTime,
    ) -> Option<crate::place::kube::Preemption> {
        let workloads = self.workloads;
        let evaluation = evaluate_plain(&self.view(), class);
        let potential = potential_nodes(&evaluation);
        if potential.is_empty() {
            return None;
        }
        let allowed = self.disruptions_allowed(workloads.classes[class.index()].priority, now);
        let mut draws = Draws::new(self.seed, "preemption-offset", self.pods[id].ordinal);
        let offset = draws.below(potential.len() as u64) as usize;
        let lodgers = Lodgers {
            pods: &self.pods,
            templates: &self.templates,
            classes: &workloads.classes,
            state: &self.preempting,
            scheduler: &self.scheduler,
            preemptor: id,
            priority: workloads.classes[class.index()].priority,
            now,
        };
        let mut stage =
            Stage { nodes: &mut self.nodes, classes: &workloads.classes, profiles: &self.profiles };
        preempt(&mut stage, class, &potential, offset, &lodgers, &allowed)
    }

    /// `status.disruptionsAllowed` of every budget that guards pods below this
    /// priority; 0 for the others, which no victim of such a pod asks.
    ///
    /// DIFFERENCE: as of this instant, where upstream's controller is a moment
    /// late. Neither pods of a trace nor those of a `DaemonSet` have an owner
    /// with a scale: while there are any that it guards, a budget in percent or
    /// by `maxUnavailable` allows nothing, as upstream (`getExpectedScale`
    /// fails, and so `failSafe` sets 0; 1.31).
    pub(super) fn disruptions_allowed(&self, priority: i32, now: SimTime) -> Vec<i64> {
        let state = &self.preempting;
        let asked = |at: usize| state.lowest[at].is_some_and(|lowest| lowest < priority);
        let budgets = self.workloads.budgets.iter().enumerate();
        let walk = (0..state.lowest.len()).any(|at| state.guards_batch[at] && asked(at));
        let batch = if walk { self.batch_pods(now) } else { vec![(0, 0); state.lowest.len()] };
        budgets
            .map(|(at, budget)| {
                if !asked(at) {
                    return 0;
                }
                let services = &state.services[at];
                let counted = matches!(budget.limit, Limit::MinAvailable(Amount::Count(_)));
                let mut healthy = 0;
                let mut expected = 0;
                for service in services {
                    let service = *service as usize;
                    healthy += self.ready_replicas(service);
                    let present = self.replica_count(service);
                    expected += if counted { present } else { self.desired(service) } as u64;
                }
                let daemons = self.daemon_pods(at);
                let (there, running) = batch[at];
                let unscaled = daemons + there;
                healthy += daemons + running;
                if unscaled > 0 && !counted {
                    return 0;
                }
                expected += unscaled;
                budget.allowed(healthy, expected) as i64
            })
            .collect()
    }

    /// Pods of `DaemonSet`s that a budget guards; all of them run.
    fn daemon_pods(&self, budget: usize) -> u64 {
        let guarded = &self.preempting.daemons[budget];
        if guarded.is_empty() {
            return 0;
        }
        let on = |node: &u32| {
            let daemons = self.lives[*node as usize].daemons.iter();
            daemons.filter(|daemon| guarded.contains(daemon)).count() as u64
        };
        self.alive.iter().map(on).sum()
    }

    /// By budget, the pods of traces that it guards: all of them, and those that
    /// run.
    fn batch_pods(&self, now: SimTime) -> Vec<(u64, u64)> {
        let mut counts = vec![(0, 0); self.workloads.budgets.len()];
        for id in self.pods.live() {
            let pod = &self.pods[id];
            let class = self.templates[pod.template.index()].class;
            if pod.service_index().is_none() {
                for budget in &self.preempting.budgets[class.index()] {
                    let (there, running) = &mut counts[*budget as usize];
                    *there += 1;
                    *running += u64::from(pod.running <= now);
                }
            }
        }
        counts
    }

    /// A deleted pod stays on its node until its containers have exited.
    pub(super) fn linger(
        &mut self,
        id: PodId,
        exit: SimDuration,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let pod = self.pods[id];
        let PodState::OnNode(slot) = pod.state else { return };
        let facts = self.templates[pod.template.index()];
        let counts_as = self.workloads.leaving_class(facts.class);
        if counts_as != facts.class {
            let classes = &self.workloads.classes;
            self.nodes.unplace_pod(slot, facts.class, &classes[facts.class.index()]);
            self.nodes.place_pod(slot, counts_as, &classes[counts_as.index()]);
        }
        let serial = self.preempting.serial;
        self.preempting.serial += 1;
        let mut accounts = self.sidecars(&pod);
        accounts.push((facts.owner, self.rates(&pod)));
        self.preempting.leaving.push(Leaving {
            serial,
            slot,
            class: facts.class,
            counts_as,
            accounts,
        });
        queue.push(now + exit, phase::FINISH, Event::Left(serial));
        self.autoscaler_dirty(now, queue);
    }

    /// A deleted pod has exited: its room is free.
    pub(super) fn left(&mut self, serial: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        let all = &mut self.preempting.leaving;
        // Gone with its node, if it is not there any more.
        let Some(at) = all.iter().position(|leaving| leaving.serial == serial) else { return };
        let leaving = all.remove(at);
        let (slot, class) = (leaving.slot, leaving.class);
        self.free_room(leaving, now);
        self.announce_room(slot, class, now, queue);
        if !self.nodes.open[slot.index()] {
            self.disappoint(slot, now, queue);
        }
        self.autoscaler_dirty(now, queue);
    }

    fn free_room(&mut self, leaving: Leaving, now: SimTime) {
        let Leaving { slot, counts_as, accounts, .. } = leaving;
        self.nodes.unplace_pod(slot, counts_as, &self.workloads.classes[counts_as.index()]);
        for (owner, rates) in accounts {
            self.observer.node_unbind(slot.index(), owner, rates, now);
        }
    }

    /// A node on which room was made takes no pods any more: those it was made
    /// for look elsewhere.
    pub(super) fn disappoint(&mut self, slot: Slot, now: SimTime, queue: &mut EventQueue<Event>) {
        if self.scheduler.drop_nominations(slot, now) {
            let node = self.nodes.record[slot.index()];
            self.watch_woken(Cause::PodLeft(node), now);
            self.after_requeue(now, queue);
        }
    }

    /// A node goes, and what was about to leave it too.
    pub(super) fn drop_leaving(&mut self, slot: Slot, now: SimTime) {
        if self.preempting.leaving.is_empty() {
            return;
        }
        let all = std::mem::take(&mut self.preempting.leaving);
        let (here, rest) = all.into_iter().partition(|leaving| leaving.slot == slot);
        self.preempting.leaving = rest;
        let here: Vec<Leaving> = here;
        for leaving in here {
            self.free_room(leaving, now);
        }
    }

    /// Tells the scheduler that a pod of the class left a node.
    pub(super) fn announce_room(
        &mut self,
        slot: Slot,
        class: ClassId,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        // Where pods look at each other, one on a closed node counts too.
        if self.nodes.open[slot.index()] || self.named {
            self.scheduler.pod_deleted(&self.nodes, slot, class, now);
            let node = self.nodes.record[slot.index()];
            self.watch_woken(Cause::PodLeft(node), now);
            self.after_requeue(now, queue);
        }
    }
}
