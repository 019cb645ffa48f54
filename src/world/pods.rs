//! Pods from submission to their end.

use crate::cluster::{Pod, PodId, PodState, Slot};
use crate::lifecycle::after_interruption;
use crate::observe::probe::Cause;
use crate::observe::probe_ecs::Woken;
use crate::observe::{Place, PodEnd, PodRates, RejectReason, pod_rates};
use crate::rng::Draws;
use crate::sim::EventQueue;
use crate::units::{SimDuration, SimTime};
use crate::workload::{ClassId, TemplateId, Usage};

use super::event::{Event, phase};
use super::{Owner, TemplateFacts, World};

/// An attempt of 30 years outlasts any run.
const LONGEST_ATTEMPT_US: u64 = 1_000_000_000_000_000;

impl World<'_> {
    /// Submits the pods of the trace's next row.
    pub(super) fn arrive(&mut self, trace: usize, now: SimTime, queue: &mut EventQueue<Event>) {
        let used = &self.workloads.traces[trace];
        let cursor = self.cursors[trace];
        let row = cursor.row;
        let template = used.template(row);
        let count = used.trace.count[row];
        let work_ms = used.trace.duration_ms[row];
        let usage = used.trace.usage.get(row).copied().unwrap_or_default();
        let first = used.trace.ordinal.get(row).copied().unwrap_or(cursor.pods);
        for i in 0..count {
            let mut pod = Pod::pending(template, now, work_ms);
            pod.ordinal = Pod::trace_ordinal(trace, first + u64::from(i));
            set_usage(&mut pod, usage);
            self.batch_live += 1;
            self.submit(pod, queue);
        }
        self.stir(true, now);
        let cursor = &mut self.cursors[trace];
        cursor.row += 1;
        cursor.pods += u64::from(count);
    }

    /// Submits a pod instance; returns it unless it was rejected.
    pub(super) fn submit(&mut self, mut pod: Pod, queue: &mut EventQueue<Event>) -> Option<PodId> {
        let now = pod.submitted;
        let facts = self.templates[pod.template.index()];
        pod.record = self.observer.submitted(facts.owner.workload, pod.template, now);
        if self.ecs.is_some() {
            return self.ecs_submit(pod, facts, queue);
        }
        let on_fargate = facts.fargate;
        let room = match on_fargate {
            Some((_, size)) => size.map(|_| ()),
            None => self.reachable(facts.class),
        };
        if let Err(reason) = room {
            return self.reject(&pod, facts, reason);
        }
        let id = self.pods.insert(pod);
        self.watch_submitted(&pod, Ok(id));
        if facts.gated_for > SimDuration::ZERO {
            if on_fargate.is_none() {
                self.scheduler.queue.push_gated(id, facts.class, now);
            }
            let generation = self.pods.generation(id);
            let open = now + facts.gated_for;
            queue.push(open, phase::DEMAND, Event::Ungated { pod: id, generation });
        } else if let Some((pool, _)) = on_fargate {
            self.fargate_launch(pool as usize, id, queue);
        } else {
            self.scheduler.queue.push_new(id, facts.class, now);
            self.kick_scheduler(now, queue);
        }
        Some(id)
    }

    /// The last gate of a pod is removed.
    pub(super) fn ungated(
        &mut self,
        id: PodId,
        generation: u32,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if !self.pods.is_current(id, generation) {
            return;
        }
        self.watch_ungated(id, now);
        self.stir(true, now);
        if let Some((pool, _)) = self.templates[self.pods[id].template.index()].fargate {
            self.fargate_launch(pool as usize, id, queue);
        } else {
            self.scheduler.queue.open_gates(id, now);
            self.kick_scheduler(now, queue);
        }
    }

    /// Whether some pool could hold a pod of the class on an empty node. A pod
    /// that none could hold is rejected instead of simulated for ever.
    fn reachable(&mut self, class: ClassId) -> Result<(), RejectReason> {
        if let Some(known) = self.reachable[class.index()] {
            return known;
        }
        let known = if self.find_reachable(class) {
            Ok(())
        } else {
            Err(self.missing(class, 0..self.setup.cluster.pools.len()))
        };
        self.reachable[class.index()] = Some(known);
        known
    }

    /// Makes sure the scheduler looks at its queue: at once if it is free,
    /// else when it is.
    pub(super) fn kick_scheduler(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        self.busy_until_us = self.busy_until_us.max(now.ms() * 1_000);
        self.plan_schedule(SimTime(self.busy_until_us / 1_000), queue);
    }

    /// The scheduler looks at its queue at this time at the latest.
    pub(super) fn plan_schedule(&mut self, at: SimTime, queue: &mut EventQueue<Event>) {
        if at < self.schedule_at {
            self.schedule_at = at;
            queue.push(at, phase::SCHEDULE, Event::Schedule);
        }
    }

    /// Makes the attempts with a known outcome that begin before `until_us`;
    /// returns whether there were any.
    pub(super) fn settle(&mut self, until_us: i64) -> bool {
        if !self.scheduler.queue.is_any_hopeless() {
            return false;
        }
        if self.observer.probe.is_some() {
            return self.settle_watched(until_us);
        }
        self.settle_at_once(until_us)
    }

    pub(super) fn settle_at_once(&mut self, until_us: i64) -> bool {
        let service_us = self.service_us();
        let made = self.scheduler.queue.fail_hopeless(self.busy_until_us, service_us, until_us);
        self.busy_until_us = made.free_us;
        self.attempts += made.attempts;
        made.attempts > 0
    }

    pub(super) fn service_us(&self) -> i64 {
        self.setup.scheduler.service_time_us.unwrap_or(0).min(LONGEST_ATTEMPT_US) as i64
    }

    /// The scheduler's loop: one attempt per service time, or as many as
    /// there are pods when attempts take no time.
    ///
    /// Of a long backlog few attempts are made here. Those of pods that no
    /// node can hold until something happens are left to
    /// [`World::settle`], which makes them before anything happens.
    pub(super) fn schedule(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        if self.schedule_at != now {
            // Superseded by an earlier look.
            return;
        }
        self.schedule_at = SimTime::NEVER;
        let service_us = self.service_us();
        self.busy_until_us = self.busy_until_us.max(now.ms() * 1_000);
        // Attempts that begin within this millisecond.
        let end_us = (now.ms() + 1) * 1_000;
        loop {
            if self.settle(end_us) {
                self.autoscaler_dirty(now, queue);
            }
            if self.busy_until_us >= end_us {
                break;
            }
            let Some((pod, class)) = self.scheduler.queue.pop(now) else {
                self.after_requeue(now, queue);
                return;
            };
            let begin_us = self.busy_until_us;
            self.busy_until_us += service_us;
            self.attempts += 1;
            self.attempt(pod, class, begin_us, queue);
        }
        self.plan_attempts(queue);
        self.announce_attempts(queue);
    }

    /// Plans the next look at the queue: when the scheduler is free, or when it
    /// comes to a pod that a node may hold. A class that fits nowhere now fits
    /// nowhere then.
    fn plan_attempts(&mut self, queue: &mut EventQueue<Event>) {
        let (free_us, service_us) = (self.busy_until_us, self.service_us());
        let mut at_us = free_us;
        while let Some((next_us, class)) = self.scheduler.queue.next_hopeful(free_us, service_us) {
            at_us = next_us;
            if class.is_none_or(|class| self.scheduler.is_feasible(&self.nodes, class))
                || !self.scheduler.give_up_hope(&self.nodes)
            {
                break;
            }
        }
        self.plan_schedule(SimTime(at_us / 1_000), queue);
    }

    /// An attempt makes the autoscaler look at the cluster. Where one is left
    /// to [`World::settle`], the look is planned beforehand.
    pub(super) fn announce_attempts(&mut self, queue: &mut EventQueue<Event>) {
        let next = SimTime(self.busy_until_us / 1_000);
        if next < self.schedule_at && self.schedule_at < SimTime::NEVER {
            self.autoscaler_dirty(next, queue);
        }
    }

    /// One scheduling attempt that lasts from `begin_us` until the scheduler
    /// is free again, when it binds.
    fn attempt(&mut self, id: PodId, class: ClassId, begin_us: i64, queue: &mut EventQueue<Event>) {
        let now = SimTime(begin_us / 1_000);
        let done = SimTime((self.busy_until_us + 999) / 1_000);
        let mut draws = Draws::new(self.seed, "placement-tie", self.pods[id].ordinal);
        let saw = self.watch_attempt(id, class);
        let found = self.scheduler.select_pod(&self.nodes, id, class, &mut draws);
        if let Some(slot) = found {
            self.watch_outcome(saw, Ok(slot), now);
            self.scheduler.queue.remove(id);
            self.scheduler.clear_nomination(id);
            self.bind(id, slot, now, done, queue);
        } else {
            self.scheduler.queue.fail_at(id, begin_us, false);
            if self.workloads.classes[class.index()].constraints.is_some() {
                self.scheduler.rejecting(&self.nodes, class);
            }
            let (room, victims) = self.make_room(id, class, now).unzip();
            self.watch_outcome(saw, Err(room), now);
            if let Some(victims) = victims {
                self.delete_victims(id, victims, now, queue);
            }
            self.scheduler.give_up_hope(&self.nodes);
            self.autoscaler_dirty(now, queue);
        }
    }

    /// Pods may have become active, or will when their back-off ends.
    pub(super) fn after_requeue(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        match self.scheduler.queue.next_wake(now) {
            Some(at) if at <= now => self.kick_scheduler(now, queue),
            Some(at) if at < self.wake_at || self.wake_at <= now => {
                self.wake_at = at;
                queue.push(at, phase::QUEUE, Event::QueueWake);
            }
            _ => {}
        }
    }

    /// Back-off has ended for some pod.
    pub(super) fn queue_wake(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        if self.wake_at == now {
            self.kick_scheduler(now, queue);
        }
    }

    pub(super) fn bind(
        &mut self,
        id: PodId,
        slot: Slot,
        now: SimTime,
        done: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let pod = self.pods[id];
        let startup = self.startup_ms(pod.template, pod.ordinal);
        let startup = self.pull_ms(pod.template, slot, done) + startup;
        self.occupy(id, slot, now, (done, startup), queue);
    }

    /// The pod is on the node: bound at the first of the times, running that
    /// many milliseconds later.
    pub(super) fn occupy(
        &mut self,
        id: PodId,
        slot: Slot,
        now: SimTime,
        (done, startup): (SimTime, i64),
        queue: &mut EventQueue<Event>,
    ) {
        self.settle_volumes(id, slot);
        let facts = self.templates[self.pods[id].template.index()];
        self.stir(facts.batch, done);
        let class = &self.workloads.classes[facts.class.index()];
        assert!(self.nodes.fits(slot, &class.requests), "bound to a node without room");
        self.nodes.place_pod(slot, facts.class, class);
        self.pods.attach(id, slot);
        let pod = &mut self.pods[id];
        pod.bound = done;
        pod.running = done + SimDuration(startup);
        let pod = *pod;
        let record = self.nodes.record[slot.index()];
        self.observer.bound(facts.owner.workload, &pod, Place::Node(record), now);
        self.holds(&pod, self.nodes.pool[slot.index()].0, now);
        self.observer.node_bind(slot.index(), facts.owner, self.rates(&pod), now);
        for (owner, rates) in self.sidecars(&pod) {
            self.observer.node_bind(slot.index(), owner, rates, now);
        }
        self.schedule_end(id, pod, facts, queue);
        if self.ecs.is_none() && self.scheduler.pod_bound(facts.class, now) > 0 {
            self.watch_woken(Cause::PodBound(record), now);
        }
        self.autoscaler_dirty(now, queue);
    }

    /// Schedules what a bound pod does next.
    pub(super) fn schedule_end(
        &self,
        id: PodId,
        pod: Pod,
        facts: TemplateFacts,
        queue: &mut EventQueue<Event>,
    ) {
        let generation = self.pods.generation(id);
        if facts.batch {
            let end = pod.running + SimDuration(pod.work_ms);
            queue.push(end, phase::FINISH, Event::Finish { pod: id, generation });
        } else {
            queue.push(pod.running, phase::NODE, Event::Ready { pod: id, generation });
        }
    }

    /// How long a pod that is bound to a node now waits for its image: as long as
    /// the pull of the first of its workload's pods there takes.
    fn pull_ms(&mut self, template: TemplateId, slot: Slot, now: SimTime) -> i64 {
        let pull = self.workloads.templates[template.index()].life.pull;
        if pull == SimDuration::ZERO {
            return 0;
        }
        let workload = self.templates[template.index()].owner.workload;
        let record = self.nodes.record[slot.index()];
        let images = &mut self.lives[record as usize].images;
        let known = images.iter().find(|(of, _)| *of == workload).map(|(_, there)| *there);
        let there = known.unwrap_or(now + pull);
        if known.is_none() {
            images.push((workload, there));
        }
        (there - now).ms().max(0)
    }

    /// Container start.
    pub(super) fn startup_ms(&self, template: TemplateId, ordinal: u64) -> i64 {
        let startup = &self.workloads.templates[template.index()].startup;
        startup.sample_ms(&mut Draws::new(self.seed, "startup", ordinal))
    }

    /// What the pod adds to its node's account, without its sidecars.
    pub(super) fn rates(&self, pod: &Pod) -> PodRates {
        let (cpu, memory) = self.templates[pod.template.index()].own;
        pod_rates(cpu.0, memory.0, pod.used_cpu, pod.used_memory)
    }

    /// What the sidecars of the pod add to its node's account, and whose that
    /// is.
    pub(super) fn sidecars(&self, pod: &Pod) -> Vec<(Owner, PodRates)> {
        let facts = self.templates[pod.template.index()];
        if !facts.injected {
            return Vec::new();
        }
        self.workloads
            .injected(pod.template)
            .iter()
            .map(|s| {
                let used_cpu = s.usage.cpu.map_or(-1, |c| c.0);
                let used_memory = s.usage.memory.map_or(-1, |m| m.0);
                let owner = Owner { workload: s.workload, namespace: facts.owner.namespace };
                (owner, pod_rates(s.cpu.0, s.memory.0, used_cpu, used_memory))
            })
            .collect()
    }

    /// A batch pod has done its work.
    pub(super) fn finish_pod(
        &mut self,
        id: PodId,
        generation: u32,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if !self.pods.is_current(id, generation) {
            return;
        }
        self.end_pod(id, PodEnd::Finished, now, queue);
        self.check_idle(now);
    }

    /// Takes a pod off wherever it is and ends it. Returns what it was.
    pub(super) fn end_pod(
        &mut self,
        id: PodId,
        end: PodEnd,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) -> Pod {
        self.end_slowly(id, end, SimDuration::ZERO, now, queue)
    }

    /// As [`World::end_pod`], where the pod takes its room for a while longer.
    fn end_slowly(
        &mut self,
        id: PodId,
        end: PodEnd,
        exit: SimDuration,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) -> Pod {
        let pod = self.pods[id];
        let facts = self.templates[pod.template.index()];
        self.stir(facts.batch, now);
        if let Some(service) = pod.service_index() {
            self.replica_leaves(service, id, now);
        }
        if self.ecs.is_some() {
            self.ecs_task_ends(id, facts);
        }
        if !matches!(pod.state, PodState::Pending) {
            self.releases(&pod, now);
        }
        match pod.state {
            PodState::Pending if self.ecs.is_some() => {}
            PodState::Pending => {
                self.scheduler.queue.remove(id);
                self.scheduler.clear_nomination(id);
            }
            PodState::OnNode(_) if exit > SimDuration::ZERO => self.linger(id, exit, now, queue),
            PodState::OnNode(slot) => {
                self.observer.node_unbind(slot.index(), facts.owner, self.rates(&pod), now);
                for (owner, rates) in self.sidecars(&pod) {
                    self.observer.node_unbind(slot.index(), owner, rates, now);
                }
                let class = &self.workloads.classes[facts.class.index()];
                self.nodes.unplace_pod(slot, facts.class, class);
                if self.ecs.is_some() {
                    self.ecs_room(slot, Woken::TaskLeft, now, queue);
                } else {
                    self.announce_room(slot, facts.class, now, queue);
                }
                self.autoscaler_dirty(now, queue);
            }
            PodState::OnFargate(record) => self.fargate_finished(record, id, end, now, queue),
        }
        self.observer.ended(facts.owner.workload, &pod, end, now);
        self.pods.remove(id);
        if facts.batch && end == PodEnd::Finished && !self.fargate_retains(&pod) {
            self.batch_live -= 1;
        }
        pod
    }

    /// Ends a pod whose node goes, and submits what replaces it.
    pub(super) fn displace(
        &mut self,
        id: PodId,
        end: PodEnd,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        self.displace_slowly(id, end, SimDuration::ZERO, now, queue);
    }

    /// As [`World::displace`], where the pod takes its room for a while longer.
    pub(super) fn displace_slowly(
        &mut self,
        id: PodId,
        end: PodEnd,
        exit: SimDuration,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let pod = self.pods[id];
        let facts = self.templates[pod.template.index()];
        let mut next = Pod::pending(pod.template, now, pod.work_ms);
        next.ordinal = pod.ordinal;
        next.service = pod.service;
        next.provider = pod.provider;
        next.used_cpu = pod.used_cpu;
        next.used_memory = pod.used_memory;
        if facts.batch {
            let done_ms = (now - pod.running).ms().clamp(0, pod.work_ms);
            let policy = self.workloads.templates[pod.template.index()].on_interrupt;
            let rework = after_interruption(policy, pod.work_ms, done_ms);
            next.work_ms = rework.remaining_ms;
            if rework.lost_ms > 0 {
                let rates = self.rates(&pod);
                let lost = rework.lost_ms;
                match pod.state {
                    PodState::OnNode(slot) => {
                        let accounts = &mut self.observer.accounts;
                        accounts.repeat(slot.index(), facts.owner, rates, lost, now);
                    }
                    PodState::OnFargate(record) => {
                        self.observer.fargate[record as usize].repeated_ms = lost;
                    }
                    PodState::Pending => {}
                }
                self.observer.repeated(rates.cpu, lost, now);
            }
        }
        self.end_slowly(id, end, exit, now, queue);
        if let Some(service) = pod.service_index() {
            if self.ecs.is_some() {
                // A replacement may have been started before.
                return self.scale_service(service, now, queue);
            }
            self.submit_replica(service, next, queue);
        } else {
            self.submit(next, queue);
        }
    }
}

/// What the pod uses on average, where it is known.
pub(super) fn set_usage(pod: &mut Pod, usage: Usage) {
    pod.used_cpu = usage.cpu.map_or(-1, |c| c.0);
    pod.used_memory = usage.memory.map_or(-1, |m| m.0);
}
