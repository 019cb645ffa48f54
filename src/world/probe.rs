//! Where the probe is told what happens, and what the scheduler saw is put
//! into words' reach. Without a probe every function here returns at once.

use crate::cluster::{Pod, PodId, PoolId, Slot};
use crate::observe::RejectReason;
use crate::observe::probe::{Cause, Diagnosis, Follow, Launch, Probe, Reach, Requeue, Room};
use crate::place::View;
use crate::place::kube::SchedulingQueue;
use crate::place::kube::filter;
use crate::units::SimTime;
use crate::workload::ClassId;

use super::World;

/// Feasible nodes that a diagnosis names; it counts all.
const BEST: usize = 8;

/// Attempts made in bulk are looked at this often. A pod that fails waits for
/// an event, and there is none in between, or for five minutes: so between two
/// looks it fails at most once.
const LOOK_US: i64 = 30_000_000;

impl World<'_> {
    /// What the plain evaluator looks at.
    pub(super) fn view(&self) -> View<'_> {
        View { nodes: &self.nodes, classes: &self.workloads.classes, profiles: &self.profiles }
    }

    fn follow(&mut self) -> Option<&mut Follow> {
        self.observer.probe.as_mut().and_then(|probe| probe.follow())
    }

    /// The pod that is followed, if it lives.
    fn watched(&self) -> Option<PodId> {
        match self.observer.probe.as_deref() {
            Some(Probe::Follow(follow)) => follow.live(),
            _ => None,
        }
    }

    /// A pod was submitted, or rejected for a reason.
    #[inline]
    pub(super) fn watch_submitted(&mut self, pod: &Pod, id: Result<PodId, RejectReason>) {
        if self.observer.probe.is_none() {
            return;
        }
        let Some(follow) = self.follow() else { return };
        let before = follow.instances.len();
        follow.submitted(pod, id);
        if follow.instances.len() == before || id.is_ok() {
            return;
        }
        let facts = self.templates[pod.template.index()];
        if let Some((pool, size)) = facts.fargate {
            let at = pod.submitted;
            let size = size.ok();
            self.watch_launch(Launch { pool, size, admitted: at, ready: SimTime::NEVER });
        } else {
            self.watch_reach(facts.class);
        }
    }

    /// A Fargate pool took the pod that was submitted last, or refused it.
    fn watch_launch(&mut self, launch: Launch) {
        if let Some(instance) = self.follow().and_then(Follow::instance) {
            instance.fargate = Some(launch);
        }
    }

    /// A pod asked a Fargate pool for a machine.
    #[inline]
    pub(super) fn watch_machine(&mut self, id: PodId, pool: usize, admitted: SimTime, up: SimTime) {
        if self.observer.probe.is_none() || self.watched() != Some(id) {
            return;
        }
        let pod = self.pods[id];
        let facts = self.templates[pod.template.index()];
        let size = self.fargate_of(&pod, facts).map(|(_, size)| size);
        self.watch_launch(Launch { pool: pool as u32, size, admitted, ready: up });
    }

    /// What the scheduler sees in an attempt of the pod, if it is followed.
    #[inline]
    pub(super) fn watch_attempt(&mut self, id: PodId, class: ClassId) -> Option<Box<Diagnosis>> {
        if self.observer.probe.is_none() || self.watched() != Some(id) {
            return None;
        }
        Some(Box::new(self.diagnose(id, class)))
    }

    /// A pod is deleted for another one, which has this ordinal.
    pub(super) fn watch_victim(&mut self, id: PodId, preemptor: u64) {
        if self.observer.probe.is_none() || self.watched() != Some(id) {
            return;
        }
        if let Some(instance) = self.follow().and_then(Follow::instance) {
            instance.preemptor = Some(preemptor);
        }
    }

    /// What became of the attempt.
    pub(super) fn watch_outcome(
        &mut self,
        saw: Option<Box<Diagnosis>>,
        found: Result<Slot, Option<Room>>,
        at: SimTime,
    ) {
        let Some(mut saw) = saw else { return };
        let slot = match found {
            Ok(slot) => Some(slot),
            Err(room) => {
                saw.room = room.or(saw.room);
                None
            }
        };
        let node = slot.map(|slot| self.nodes.record[slot.index()]);
        // The drawn one is among those that are kept.
        if let Some(at) = saw.best.iter().position(|c| Some(c.node) == node)
            && at >= BEST
        {
            saw.best.swap(at, BEST - 1);
        }
        saw.best.truncate(BEST);
        let Some(follow) = self.follow() else { return };
        match node {
            Some(node) => follow.placed(at, node, *saw),
            None => follow.failed(at, *saw),
        }
    }

    /// As [`World::settle`], in steps short enough to see every attempt of the
    /// pod that is followed.
    pub(super) fn settle_watched(&mut self, until_us: i64) -> bool {
        let mut any = false;
        let mut at = match self.follow() {
            Some(follow) => std::mem::replace(&mut follow.settled_us, until_us).min(until_us),
            None => until_us,
        };
        loop {
            at = ((at.div_euclid(LOOK_US) + 1) * LOOK_US).min(until_us);
            if self.settle_at_once(at) {
                any = true;
                self.watch_bulk();
            }
            if at >= until_us || !self.scheduler.queue.is_any_hopeless() {
                return any;
            }
        }
    }

    /// Attempts were made in bulk: did one of them fail for the pod?
    fn watch_bulk(&mut self) {
        let Some(id) = self.watched() else { return };
        let Some(failed) = self.scheduler.queue.position(id).and_then(|p| p.failed) else { return };
        if self.follow().is_none_or(|follow| follow.last_failure() == Some(failed)) {
            return;
        }
        let class = self.templates[self.pods[id].template.index()].class;
        let saw = self.diagnose(id, class);
        if let Some(follow) = self.follow() {
            follow.failed(failed, saw);
        }
    }

    /// Something woke pods: did it wake the one that is followed?
    #[inline]
    pub(super) fn watch_woken(&mut self, cause: Cause, now: SimTime) {
        if self.observer.probe.is_none() {
            return;
        }
        let Some(id) = self.watched() else { return };
        let Some(failed) = self.follow().and_then(|follow| follow.waits_since()) else { return };
        let Some(position) = self.scheduler.queue.position(id) else { return };
        if position.ready < SimTime::NEVER {
            let tick = SchedulingQueue::tried_anyway(failed);
            // The tick came first, and brought it back by itself.
            let (at, cause) = if tick <= now { (tick, Cause::Leftover) } else { (now, cause) };
            let requeue = Requeue { at, cause, backoff_until: position.ready };
            if let Some(follow) = self.follow() {
                follow.requeued(requeue);
            }
        }
    }

    /// The gates of a pod are open.
    #[inline]
    pub(super) fn watch_ungated(&mut self, id: PodId, now: SimTime) {
        if self.observer.probe.is_none() || self.watched() != Some(id) {
            return;
        }
        if let Some(follow) = self.follow() {
            follow.requeued(Requeue { at: now, cause: Cause::Ungated, backoff_until: now });
            if let Some(instance) = follow.instance() {
                instance.ungated = now;
            }
        }
    }

    /// The autoscaler raised a pool's desired size.
    #[inline]
    pub(super) fn watch_scale_up(&mut self, pool: PoolId, from: u32, to: u32, now: SimTime) {
        if let Some(follow) = self.follow() {
            follow.scaled_up(now, pool, from, to);
        }
    }

    /// The run is over: why does the pod still wait?
    pub(super) fn watch_end(&mut self) {
        let Some(id) = self.watched() else { return };
        let pod = self.pods[id];
        let facts = self.templates[pod.template.index()];
        if pod.bound == SimTime::NEVER && facts.fargate.is_none() {
            self.watch_reach(facts.class);
        }
    }

    fn watch_reach(&mut self, class: ClassId) {
        if self.ecs.is_some() {
            // It has words of its own.
            return;
        }
        let reach = self.reach(class);
        if let Some(instance) = self.follow().and_then(Follow::instance) {
            instance.reach = reach;
        }
    }

    /// What keeps the class off an empty node of every kind.
    fn reach(&mut self, class: ClassId) -> Vec<Reach> {
        let mut all: Vec<Reach> = Vec::new();
        for pool in 0..self.setup.cluster.pools.len() {
            let spec = &self.setup.cluster.pools[pool];
            let can_have_nodes = spec.kind.can_have_nodes();
            for offer in 0..spec.offers.len() {
                let traits = self.traits(pool, offer);
                let traits = self.nodes.intern(traits);
                let shape = spec.offers[offer].shape;
                let workloads = self.workloads;
                let found = self.on_empty(pool, shape, traits, |nodes, slot| {
                    nodes.set_open(slot, true);
                    let i = slot.index();
                    let rejected = filter(nodes, slot, &workloads.classes[class.index()]).err();
                    Reach {
                        pool: PoolId(pool as u32),
                        shape,
                        can_have_nodes,
                        rejected: rejected.map(|r| (r.plugin(), r.reasons(&workloads.extended))),
                        free_cpu: nodes.alloc_cpu[i] - nodes.cpu[i],
                        free_memory: nodes.alloc_memory[i] - nodes.memory[i],
                    }
                });
                if !all.contains(&found) {
                    all.push(found);
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{batch, class, fixed, pool, setup, template};
    use super::super::{Horizon, Setup, run, run_watched};
    use super::*;
    use crate::cluster::{PoolKind, Purchase};
    use crate::observe::KeepPods;
    use crate::observe::probe::{Candidate, Failures, Instance, Judged, Rejected, Step};
    use crate::scale::cluster_autoscaler;
    use crate::units::{HOUR_MS, SimTime};
    use crate::workload::{LocalTemplate, PodClass, Workloads};

    /// Follows a pod of the only trace; the run must be as it is without.
    fn story(setup: &Setup, workloads: &Workloads, number: u64) -> Vec<Instance> {
        let probe = Probe::Follow(Box::new(Follow::new(Pod::trace_ordinal(0, number))));
        let (record, probe) = run_watched(setup, workloads, 1, KeepPods::Yes, probe);
        assert_eq!(record, run(setup, workloads, 1, KeepPods::Yes), "the probe changed the run");
        match probe {
            Probe::Follow(follow) => follow.instances,
            Probe::Search(_) => Vec::new(),
        }
    }

    fn full(nodes: u32) -> Diagnosis {
        let rejected =
            Rejected { filter: "NodeResourcesFit", reason: "Insufficient cpu".to_owned(), nodes };
        let no_room = Rejected {
            filter: "DefaultPreemption",
            reason: "No preemption victims found for incoming pod".to_owned(),
            nodes,
        };
        let why = || Some((rejected.filter, vec![rejected.reason.clone()]));
        Diagnosis {
            nodes,
            judged: (0..nodes).map(|node| Judged { node, rejected: why() }).collect(),
            rejected: vec![rejected.clone()],
            no_room: vec![no_room],
            ..Diagnosis::default()
        }
    }

    /// Scores of the three plugins that have any here.
    fn scores(taints: i64, fit: i64, balanced: i64) -> Vec<(&'static str, i64)> {
        vec![
            ("TaintToleration", taints),
            ("NodeAffinity", 0),
            ("PodTopologySpread", 0),
            ("InterPodAffinity", 0),
            ("NodeResourcesFit", fit),
            ("NodeResourcesBalancedAllocation", balanced),
        ]
    }

    fn requeue(at: i64, cause: Cause, until: i64) -> Requeue {
        Requeue { at: SimTime(at), cause, backoff_until: SimTime(until) }
    }

    /// One server, work of 2.3 s, two pods at 0, the third at 1.9 s: it fails,
    /// the first leaves at 2.3 s, back-off ends at 2.9 s, the tick of 3 s finds
    /// the second on the node. 2 s of back-off; the second leaves at 4.6 s; it
    /// is bound at 5 s.
    #[test]
    fn attempts_and_what_brought_them_about() {
        let workloads = batch(&[(0, 2_300), (0, 2_300), (1_900, 2_300)]);
        let story = story(&fixed(1), &workloads, 2);
        assert_eq!(story.len(), 1);
        let failures = Failures {
            first: SimTime(1_900),
            last: SimTime(3_000),
            count: 2,
            cause: requeue(1_900, Cause::Submitted, 1_900),
            causes: [0, 1, 0, 0],
            saw: full(1),
        };
        assert_eq!(story[0].steps[0], Step::Failed(failures));
        // The empty node with the pod on it: no cpu is left and 3 of 4 GiB:
        // (0 + 75) / 2 = 37; |1 − 0.25| / 2 = 0.375, so 62; no taints: 300.
        let best = Candidate { node: 0, scores: scores(300, 37, 62), total: 399 };
        let saw = Diagnosis {
            nodes: 1,
            feasible: 1,
            ties: 1,
            best: vec![best.clone()],
            judged: vec![Judged { node: 0, rejected: None }],
            all: vec![best],
            ..Diagnosis::default()
        };
        let cause = requeue(4_600, Cause::PodLeft(0), 5_000);
        let placed = Step::Placed { at: SimTime(5_000), cause, saw, node: 0 };
        assert_eq!(story[0].steps[1..], [placed]);
        assert_eq!((story[0].bound, story[0].ended), (SimTime(5_000), SimTime(7_300)));
    }

    /// The node is taken for 1,000 s and nothing happens: the other pod is
    /// tried at 0, and at the 30 s ticks beyond five minutes: 330, 660, 990 s,
    /// attempts that are made in bulk. Its back-off of 8 s is over when the
    /// node is free.
    #[test]
    fn attempts_made_in_bulk_are_seen_one_by_one() {
        let workloads = batch(&[(0, 1_000_000), (0, 1_000)]);
        let story = story(&fixed(1), &workloads, 1);
        let failures = Failures {
            first: SimTime(0),
            last: SimTime(990_000),
            count: 4,
            cause: requeue(0, Cause::Submitted, 0),
            causes: [0, 0, 3, 0],
            saw: full(1),
        };
        assert_eq!(story[0].steps[0], Step::Failed(failures));
        match &story[0].steps[1..] {
            [Step::Placed { at: SimTime(1_000_000), cause, .. }] => {
                assert_eq!((cause.at, cause.cause), (SimTime(1_000_000), Cause::PodLeft(0)));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Of 4 cores a pod of the same priority holds 2 and one of lower priority
    /// 1: without that the 3 cores that are asked for still lack one.
    #[test]
    fn preemption_in_vain_says_what_would_still_lack() {
        let mut workloads = batch(&[(0, 1_000_000), (0, 1_000_000), (10_000, 1_000)]);
        let of = |cpu, priority| PodClass { priority, ..class(cpu, 1 << 30) };
        workloads.classes = vec![of(2_000, 1), of(1_000, 0), of(3_000, 1)];
        workloads.templates = vec![template(0, 0), template(1, 0), template(2, 0)];
        let trace = Arc::make_mut(&mut workloads.traces[0].trace);
        trace.template[1] = LocalTemplate(1);
        trace.template[2] = LocalTemplate(2);
        let mut setup = fixed(4);
        setup.horizon = Horizon::At(SimTime(20_000));
        let story = story(&setup, &workloads, 2);
        let [Step::Failed(failures)] = &story[0].steps[..] else { panic!("{:?}", story[0].steps) };
        let lacks = Rejected {
            filter: "DefaultPreemption",
            reason: "Insufficient cpu".to_owned(),
            nodes: 1,
        };
        assert_eq!(failures.saw.no_room, [lacks]);
    }

    /// 16 pods on one node of 4 cores at 125 s: the autoscaler adds three at
    /// 130 s, which run at 140 s and are Ready at 190 s.
    #[test]
    fn the_autoscaler_answers() {
        let workloads = batch(&vec![(125_000, 20 * 60_000); 16]);
        let kind = PoolKind::AutoScalingGroup { min: 1, max: 10, autoscaled: true };
        let mut setup = setup(4, pool(kind, Purchase::OnDemand, 0.0));
        setup.autoscaler = Some(cluster_autoscaler::Config::for_version(31));
        let story = story(&setup, &workloads, 15);
        let up = Step::ScaleUp { at: SimTime(130_000), pool: PoolId(0), from: 1, to: 4 };
        assert_eq!(story[0].steps[1], up);
        let Some(Step::Placed { cause, node, .. }) = story[0].steps.last() else {
            panic!("{:?}", story[0].steps)
        };
        // All three become Ready at once; the first woke it.
        assert_eq!((cause.at, cause.cause), (SimTime(190_000), Cause::NodeReady(1)));
        assert!((1..=3).contains(node));
    }

    /// Two empty nodes of 16 cores and 64 GiB; 1 core and 1 GiB asked for:
    /// (93 + 98) / 2 = 95; |0.0625 − 0.015625| / 2 = 0.0234, so 97; 300. Both
    /// alike: one is drawn.
    #[test]
    fn ties_are_counted_and_scores_are_those_of_the_plain_evaluator() {
        let setup = setup(16, pool(PoolKind::Fixed { count: 2 }, Purchase::OnDemand, 0.0));
        let story = story(&setup, &batch(&[(0, 1_000)]), 0);
        let [Step::Placed { saw, node, .. }] = &story[0].steps[..] else {
            panic!("{:?}", story[0].steps)
        };
        assert_eq!((saw.nodes, saw.feasible, saw.ties), (2, 2, 2));
        let candidate = |node| Candidate { node, scores: scores(300, 95, 97), total: 492 };
        assert_eq!(saw.best, [candidate(0), candidate(1)]);
        assert!(*node < 2);
    }

    /// Of twelve nodes alike eight are kept, the drawn one among them.
    #[test]
    fn the_drawn_node_is_kept_whatever_its_place() {
        let setup = setup(16, pool(PoolKind::Fixed { count: 12 }, Purchase::OnDemand, 0.0));
        let mut late = 0;
        for number in 0..12 {
            let story = story(&setup, &batch(&[(0, 1_000); 12]), number);
            let [Step::Placed { saw, node, .. }] = &story[0].steps[..] else {
                panic!("{:?}", story[0].steps)
            };
            assert_eq!(saw.best.len(), BEST.min(saw.feasible as usize));
            assert!(saw.best.iter().any(|c| c.node == *node), "{saw:?}");
            late += u32::from(*node as usize >= BEST);
        }
        assert!(late > 0, "no late node was drawn");
    }

    /// A pod of 1 core on nodes of half of one.
    #[test]
    fn a_pod_that_fits_nowhere_learns_what_is_missing() {
        let mut setup = fixed(1);
        let cluster = std::sync::Arc::make_mut(&mut setup.cluster);
        cluster.shapes[0].allocatable.cpu.0 = 500;
        let story = story(&setup, &batch(&[(0, 1_000)]), 0);
        let reach = Reach {
            pool: PoolId(0),
            shape: crate::cluster::ShapeId(0),
            can_have_nodes: true,
            rejected: Some(("NodeResourcesFit", vec!["Insufficient cpu".to_owned()])),
            free_cpu: 500,
            free_memory: 4 << 30,
        };
        assert_eq!(story[0].reach, [reach]);
        assert_eq!(story[0].end, crate::observe::PodEnd::Rejected);
    }

    /// Interrupted work goes on with its replacement, and a run with
    /// interruptions and a long backlog is the same with and without a probe.
    #[test]
    fn replacements_continue_the_story_and_runs_stay_the_same() {
        let rows: Vec<(i64, i64)> = (0..60).map(|i| (i * 30_000, 4 * HOUR_MS)).collect();
        let spot = pool(PoolKind::Fixed { count: 4 }, Purchase::Spot, 0.2);
        let setup = setup(4, spot);
        let mut longest = 0;
        for number in [0, 7, 19, 42, 59] {
            let story = story(&setup, &batch(&rows), number);
            longest = longest.max(story.len());
            for pair in story.windows(2) {
                assert_eq!(pair[0].end, crate::observe::PodEnd::Interrupted);
                assert_eq!(pair[0].ended, pair[1].submitted);
            }
            assert_eq!(story.last().map(|i| i.end), Some(crate::observe::PodEnd::Finished));
        }
        assert!(longest > 1, "nothing was interrupted");
    }
}
