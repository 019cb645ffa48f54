//! What an attempt sees, for `explain`: the plain evaluator's verdict on every
//! node it looks at, and why preemption would help on none.

use crate::cluster::{PodId, Slot};
use crate::observe::probe::{Candidate, Diagnosis, Judged, Rejected, Room, Window};
use crate::place::kube::{FILTERS, Filters, Rejection, Sampling, score_plain};
use crate::place::{NodeVerdict, evaluate_plain};
use crate::workload::ClassId;

use super::World;
use super::nodes::NodePhase;

impl World<'_> {
    /// What the plain evaluator says of every node that an attempt looks at.
    ///
    /// DIFFERENCE: nodes that boot are counted apart, not among the nodes: a
    /// real node joins the cluster shortly before it is Ready.
    pub(super) fn diagnose(&mut self, id: PodId, class: ClassId) -> Diagnosis {
        let nominated = self.scheduler.nominated(id);
        let mut verdicts = evaluate_plain(&self.view(), class).verdicts;
        self.respect_nominations(id, class, &mut verdicts);
        let mut saw = Diagnosis::default();
        let there = |world: &Self, slot: usize| match &verdicts[slot] {
            NodeVerdict::Absent => false,
            NodeVerdict::Rejected(Rejection::Closed) => {
                let node = world.nodes.record[slot];
                world.lives[node as usize].phase != NodePhase::Booting
            }
            _ => true,
        };
        let all: Vec<usize> = (0..verdicts.len()).filter(|slot| there(self, *slot)).collect();
        let live = verdicts.iter().filter(|v| **v != NodeVerdict::Absent).count();
        saw.nodes = all.len() as u32;
        saw.booting = (live - all.len()) as u32;
        let mut looked_at = all;
        let is_feasible = |slot: usize| verdicts[slot].total().is_some();
        if let Some(slot) = nominated.filter(|slot| is_feasible(slot.index())) {
            saw.nominated = Some(self.nodes.record[slot.index()]);
            looked_at = vec![slot.index()];
        } else if let Some(sampling) = self.scheduler.sampling(&self.nodes, class) {
            looked_at = self.sample(&sampling, &is_feasible, &mut saw);
        }
        let mut feasible = Vec::new();
        for slot in looked_at {
            let node = self.nodes.record[slot];
            match &verdicts[slot] {
                NodeVerdict::Absent | NodeVerdict::NotNamed => {}
                NodeVerdict::Rejected(rejection) => {
                    let reasons = rejection.reasons(&self.workloads.extended);
                    for reason in &reasons {
                        count(&mut saw.rejected, rejection.plugin(), reason.clone());
                    }
                    let rejected = Some((rejection.plugin(), reasons));
                    saw.judged.push(Judged { node, rejected });
                }
                NodeVerdict::Feasible(_) => {
                    feasible.push(Slot(slot as u32));
                    saw.judged.push(Judged { node, rejected: None });
                }
            }
        }
        saw.judged.sort_by_key(|judged| judged.node);
        saw.feasible = feasible.len() as u32;
        let scores = score_plain(&self.view(), class, &feasible);
        for (slot, scores) in feasible.iter().zip(scores) {
            saw.best.push(Candidate {
                node: self.nodes.record[slot.index()],
                scores: scores.by_plugin().to_vec(),
                total: scores.total(),
            });
        }
        saw.best.sort_by_key(|c| (std::cmp::Reverse(c.total), c.node));
        let top = saw.best.first().map(|c| c.total);
        saw.ties = saw.best.iter().filter(|c| Some(c.total) == top).count() as u32;
        saw.all.clone_from(&saw.best);
        saw.rejected.sort_by_key(|r| FILTERS.iter().position(|f| *f == r.filter));
        if saw.feasible == 0 && self.workloads.classes[class.index()].never_preempts {
            saw.room = Some(Room::Never);
        } else if saw.feasible == 0 {
            saw.no_room = self.no_room(id, class, &verdicts);
        }
        saw
    }

    /// The nodes that an attempt looks at, where a share of them is enough.
    fn sample(
        &self,
        sampling: &Sampling,
        is_feasible: &dyn Fn(usize) -> bool,
        saw: &mut Diagnosis,
    ) -> Vec<usize> {
        let order = &sampling.order;
        let mut found = 0;
        let mut slots = Vec::new();
        for i in 0..order.len() {
            let slot = order[(sampling.start + i) % order.len()].index();
            slots.push(slot);
            found += usize::from(is_feasible(slot));
            if found == sampling.need {
                break;
            }
        }
        saw.window = slots.first().map(|first| Window {
            examined: slots.len() as u32,
            start: self.nodes.record[*first],
            enough: sampling.need as u32,
        });
        slots
    }

    /// A node must hold the pod beside those of no lower priority that are
    /// nominated for it.
    fn respect_nominations(&mut self, id: PodId, class: ClassId, verdicts: &mut [NodeVerdict]) {
        let classes = &self.workloads.classes;
        let priority = classes[class.index()].priority;
        let Ok(filters) = Filters::new(&self.view(), &classes[class.index()]) else { return };
        for slot in 0..verdicts.len() {
            let slot = Slot(slot as u32);
            let others: Vec<ClassId> = self
                .scheduler
                .nominated_on(slot)
                .filter(|(pod, other)| *pod != id && classes[other.index()].priority >= priority)
                .map(|(_, other)| other)
                .collect();
            if others.is_empty() || verdicts[slot.index()].total().is_none() {
                continue;
            }
            if let Err(rejection) = self.check_with(filters.clone(), slot, &others, 1) {
                verdicts[slot.index()] = NodeVerdict::Rejected(rejection);
            }
        }
    }

    /// The filters on one node, if pods of these classes came to it (`by` is
    /// 1) or left it (-1).
    fn check_with(
        &mut self,
        mut filters: Filters<'_>,
        slot: Slot,
        others: &[ClassId],
        by: i64,
    ) -> Result<(), Rejection> {
        let classes = &self.workloads.classes;
        let mark = self.nodes.begin();
        for other in others {
            if by > 0 {
                self.nodes.place_pod(slot, *other, &classes[other.index()]);
            } else {
                self.nodes.unplace_pod(slot, *other, &classes[other.index()]);
            }
            filters.shift(&self.view(), slot, *other, by);
        }
        let result = filters.check(&self.view(), slot);
        self.nodes.rollback(mark);
        result
    }

    /// Why preemption would help on no node, in upstream words
    /// (`framework/preemption/preemption.go`, `defaultpreemption`, 1.31).
    fn no_room(&mut self, id: PodId, class: ClassId, verdicts: &[NodeVerdict]) -> Vec<Rejected> {
        let classes = &self.workloads.classes;
        let priority = classes[class.index()].priority;
        let filters = Filters::new(&self.view(), &classes[class.index()]);
        let mut all = Vec::new();
        for (slot, verdict) in verdicts.iter().enumerate() {
            let NodeVerdict::Rejected(rejection) = verdict else { continue };
            let booting = self.lives[self.nodes.record[slot] as usize].phase == NodePhase::Booting;
            if *rejection == Rejection::Closed && booting {
                continue;
            }
            if !rejection.resolvable() {
                count(&mut all, PREEMPTION, "Preemption is not helpful for scheduling".to_owned());
                continue;
            }
            let slot = Slot(slot as u32);
            let mut lower = self.lodgers_on(id, slot);
            lower.retain(|class| classes[class.index()].priority < priority);
            if lower.is_empty() {
                let none = "No preemption victims found for incoming pod".to_owned();
                count(&mut all, PREEMPTION, none);
                continue;
            }
            let without = match &filters {
                Ok(filters) => self.check_with(filters.clone(), slot, &lower, -1),
                Err(rejection) => Err(rejection.clone()),
            };
            if let Err(rejection) = without {
                for reason in rejection.reasons(&self.workloads.extended) {
                    count(&mut all, PREEMPTION, reason);
                }
            }
        }
        all
    }
}

/// The plugin that looks for victims.
const PREEMPTION: &str = "DefaultPreemption";

fn count(all: &mut Vec<Rejected>, filter: &'static str, reason: String) {
    match all.iter_mut().find(|r| r.filter == filter && r.reason == reason) {
        Some(known) => known.nodes += 1,
        None => all.push(Rejected { filter, reason, nodes: 1 }),
    }
}
