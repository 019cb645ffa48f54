//! Replays one scenario of kube-scheduler along its recorded path, and freely.

use rustc_hash::FxHashMap;

use super::convert::{Converter, full_name, label_selector, namespace};
use super::objects::Pod;
use super::scenario::{Input, Scenario};
use crate::cluster::{Nodes, PodId, Slot};
use crate::place::kube::{
    Evaluation, KubeScheduler, Preemption, Resident, Residents, SchedulerProfile, Stage, View,
    evaluate_plain, potential_nodes, preempt,
};
use crate::workload::constraints::LabelSelector;
use crate::workload::{ClassId, PodClass};

/// Start time of the first pod of the queue, 2025-01-01T00:00:00Z in seconds;
/// each one later starts a second later.
const FIRST_START: i64 = 1_735_689_600;

/// A pod that may run.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// Namespace and name.
    pub(super) name: String,
    pub(super) class: ClassId,
    started: i64,
    budgets: Vec<u32>,
}

/// What is the same in every replay of a scenario.
pub(super) struct World {
    pub(super) extended: Vec<String>,
    pub(super) classes: Vec<PodClass>,
    profiles: Vec<SchedulerProfile>,
    /// Node names by slot.
    pub(super) names: Vec<String>,
    pub(super) slots: FxHashMap<String, Slot>,
    /// By slot, its place among the names in order.
    ranks: Vec<u32>,
    nodes: Nodes,
    /// Pods by [`PodId`]: the queue, then those there are.
    pub(super) pods: Vec<Known>,
    /// Where the latter are.
    there: Vec<(PodId, Slot)>,
    by_name: FxHashMap<String, PodId>,
    /// Disruptions that each budget allows, constant as recorded.
    allowed: Vec<i64>,
    /// Whether room is made for pods that fit nowhere.
    pub(super) preemption: bool,
}

impl World {
    /// Reads the objects of a scenario.
    pub(super) fn new(scenario: &Scenario) -> Result<Self, String> {
        let input = &scenario.input;
        let mut converter = Converter::new(input);
        let (nodes, slots) = converter.nodes()?;
        let budgets = budgets(input)?;
        let mut pods = Vec::new();
        for (i, pod) in input.pods.iter().enumerate() {
            let class = converter.class(pod, false)?;
            pods.push(known(pod, class, FIRST_START + i as i64, &budgets));
        }
        let mut there = Vec::new();
        for pod in &input.existing_pods {
            if matches!(pod.status.phase.as_str(), "Succeeded" | "Failed") {
                continue;
            }
            let node = &pod.spec.node_name;
            let slot = slots.get(node).copied().ok_or_else(|| {
                format!("pod `{}` runs on `{node}`, which is no node", full_name(pod))
            })?;
            let class = converter.class(pod, true)?;
            let started = started(pod)?;
            there.push((PodId(pods.len() as u32), slot));
            pods.push(known(pod, class, started, &budgets));
        }
        let mut names = vec![String::new(); nodes.slots()];
        for (name, slot) in &slots {
            names[slot.index()].clone_from(name);
        }
        let mut sorted: Vec<usize> = (0..names.len()).collect();
        sorted.sort_by(|a, b| names[*a].cmp(&names[*b]));
        let mut ranks = vec![0; names.len()];
        for (rank, slot) in sorted.into_iter().enumerate() {
            ranks[slot] = rank as u32;
        }
        let by_name = pods.iter().enumerate();
        let by_name = by_name.map(|(i, pod)| (pod.name.clone(), PodId(i as u32))).collect();
        Ok(World {
            extended: converter.extended,
            classes: converter.classes,
            profiles: vec![SchedulerProfile {
                percentage_of_nodes_to_score: 100,
                ..SchedulerProfile::default()
            }],
            names,
            slots,
            ranks,
            nodes,
            pods,
            there,
            by_name,
            allowed: budgets.into_iter().map(|budget| budget.allowed).collect(),
            preemption: scenario.settings.preemption,
        })
    }

    /// A pod by namespace and name.
    pub(super) fn pod(&self, name: &str) -> Option<PodId> {
        self.by_name.get(name).copied()
    }
}

/// A disruption budget.
struct Guard {
    namespace: String,
    selector: Option<LabelSelector>,
    disrupted: Vec<String>,
    allowed: i64,
}

fn budgets(input: &Input) -> Result<Vec<Guard>, String> {
    let of = |budget: &super::objects::Budget| {
        let selector = budget.spec.selector.as_ref().map(label_selector).transpose()?;
        Ok(Guard {
            namespace: budget.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            // Here an empty selector guards nothing, as in the scheduler.
            selector: selector.filter(|selector| !selector.requirements.is_empty()),
            disrupted: budget.status.disrupted_pods.keys().cloned().collect(),
            allowed: budget.status.disruptions_allowed.into(),
        })
    };
    input
        .pod_disruption_budgets
        .iter()
        .map(|budget| {
            of(budget)
                .map_err(|e: String| format!("PodDisruptionBudget `{}`: {e}", budget.metadata.name))
        })
        .collect()
}

fn known(pod: &Pod, class: ClassId, started: i64, budgets: &[Guard]) -> Known {
    let labels: Vec<(String, String)> = pod.metadata.labels.clone().into_iter().collect();
    let guards = |guard: &Guard| {
        guard.namespace == namespace(pod)
            && !labels.is_empty()
            && guard.selector.as_ref().is_some_and(|s| s.matches(&labels))
            && !guard.disrupted.contains(&pod.metadata.name)
    };
    let budgets = budgets.iter().enumerate().filter(|(_, guard)| guards(guard));
    Known {
        name: full_name(pod),
        class,
        started,
        budgets: budgets.map(|(i, _)| i as u32).collect(),
    }
}

/// When a pod started, in seconds; a pod that has not starts now, after all.
fn started(pod: &Pod) -> Result<i64, String> {
    let Some(text) = &pod.status.start_time else { return Ok(i64::MAX) };
    let time: jiff::Timestamp =
        text.parse().map_err(|e| format!("pod `{}`: startTime `{text}`: {e}", full_name(pod)))?;
    Ok(time.as_second())
}

/// One replay under way.
pub(super) struct Replay<'a> {
    world: &'a World,
    nodes: Nodes,
    scheduler: KubeScheduler,
    /// Pods by slot.
    running: Vec<Vec<PodId>>,
    slot_of: FxHashMap<PodId, Slot>,
}

/// What both evaluators say of one pod.
pub(super) struct Attempt {
    pub(super) plain: Evaluation,
    /// Totals of the index by slot.
    pub(super) totals: Vec<Option<i64>>,
    /// Slots of the highest total, ascending, by the index.
    pub(super) top: Vec<Slot>,
    /// Of these the one with the lowest name.
    pub(super) selected: Option<Slot>,
    /// Where room can be made, if nowhere is any.
    pub(super) preemption: Option<Preemption>,
}

impl<'a> Replay<'a> {
    /// Before the first pod of the queue.
    pub(super) fn new(world: &'a World) -> Self {
        let mut replay = Replay {
            world,
            nodes: world.nodes.clone(),
            scheduler: KubeScheduler::new(&world.profiles, &world.classes),
            running: vec![Vec::new(); world.nodes.slots()],
            slot_of: FxHashMap::default(),
        };
        for (pod, slot) in &world.there {
            replay.place(*pod, *slot);
        }
        replay
    }

    /// Looks for a node, without placing the pod.
    pub(super) fn attempt(&mut self, pod: PodId) -> Attempt {
        let world = self.world;
        let class = world.pods[pod.0 as usize].class;
        let view = View { nodes: &self.nodes, classes: &world.classes, profiles: &world.profiles };
        let plain = evaluate_plain(&view, class);
        let totals = self.scheduler.scores(&self.nodes, class);
        let top = self.scheduler.top_slots(&self.nodes, class).map(|(_, slots)| slots);
        let selected = self.scheduler.select_lowest(&self.nodes, class, &world.ranks);
        let preemption = if selected.is_none() && world.preemption && plain.pod.is_none() {
            self.preempt(class, &plain)
        } else {
            None
        };
        Attempt { plain, totals, top: top.unwrap_or_default(), selected, preemption }
    }

    fn preempt(&mut self, class: ClassId, plain: &Evaluation) -> Option<Preemption> {
        let world = self.world;
        let residents = Here { pods: &world.pods, running: &self.running };
        let mut stage =
            Stage { nodes: &mut self.nodes, classes: &world.classes, profiles: &world.profiles };
        preempt(&mut stage, class, &potential_nodes(plain), 0, &residents, &world.allowed)
    }

    /// Counts a pod on a node.
    pub(super) fn place(&mut self, pod: PodId, slot: Slot) {
        let class = self.world.pods[pod.0 as usize].class;
        self.nodes.place_pod(slot, class, &self.world.classes[class.index()]);
        self.running[slot.index()].push(pod);
        self.slot_of.insert(pod, slot);
    }

    /// Takes a pod off its node, if it runs.
    pub(super) fn remove(&mut self, pod: PodId) {
        let Some(slot) = self.slot_of.remove(&pod) else { return };
        let class = self.world.pods[pod.0 as usize].class;
        self.nodes.unplace_pod(slot, class, &self.world.classes[class.index()]);
        self.running[slot.index()].retain(|other| *other != pod);
    }
}

/// The pods that run, for preemption.
struct Here<'a> {
    pods: &'a [Known],
    running: &'a [Vec<PodId>],
}

impl Residents for Here<'_> {
    fn on(&self, slot: Slot) -> Vec<Resident> {
        let running = self.running[slot.index()].iter();
        running
            .map(|pod| {
                let known = &self.pods[pod.0 as usize];
                Resident {
                    pod: *pod,
                    class: known.class,
                    started: known.started,
                    budgets: known.budgets.clone(),
                }
            })
            .collect()
    }

    /// Victims leave at once and the pod is retried at once: nobody waits.
    fn nominated(&self, _: Slot, _: i32) -> Vec<ClassId> {
        Vec::new()
    }
}
