//! Services: demand, replicas, and how ready ones share it.

use crate::cluster::{Pod, PodId, PodState, Slot};
use crate::lifecycle::{DemandCursor, Victim, desired_replicas, served, victim_order};
use crate::observe::{PodEnd, SHARE_SCALE, ServiceDemand};
use crate::sim::EventQueue;
use crate::units::SimTime;
use crate::workload::{Demand, Service, Workloads};

use super::World;
use super::event::{Event, phase};
use super::pods::set_usage;

/// State of one service.
#[derive(Debug)]
pub(super) struct ServiceState {
    cursor: DemandCursor,
    /// Cpu demand now, milli-cores.
    demand: i64,
    request_cpu: i64,
    /// Ready replicas.
    ready: i64,
    /// Live replicas, in order of creation.
    replicas: Vec<PodId>,
    /// Replicas ever created: the next one's ordinal.
    created: u64,
    /// What one replica has used since the start, milli-core·ms·`SHARE_SCALE`.
    pub(super) share: u128,
    last: i64,
    sums: ServiceDemand,
    /// What the service adds to the used level now, milli-cores.
    level: i64,
    /// Whether a replica was rejected: no pool can hold one.
    refused: bool,
}

impl ServiceState {
    pub(super) fn new(service: &Service, workloads: &Workloads) -> Self {
        // DIFFERENCE: a target is a share of the request of the service's own
        // container, as with a `ContainerResource` metric. The sum over all
        // containers, which a `Resource` metric looks at, needs the usage of
        // sidecars.
        let cursor = DemandCursor::default();
        ServiceState {
            cursor,
            demand: service.demand.as_ref().map_or(0, |d| cursor.value(d)),
            request_cpu: workloads.own_requests(service.template).0.0,
            ready: 0,
            replicas: Vec::new(),
            created: 0,
            share: 0,
            last: 0,
            sums: ServiceDemand::default(),
            level: 0,
            refused: false,
        }
    }

    /// Integrates demand and usage up to `now`.
    pub(super) fn settle(&mut self, now: SimTime) {
        let dt = (now.ms() - self.last) as u128;
        self.last = now.ms();
        let served = served(self.demand, self.ready, self.request_cpu);
        if self.ready > 0 {
            self.share += served as u128 * SHARE_SCALE * dt / self.ready as u128;
        }
        self.sums.demanded += self.demand as u128 * dt;
        self.sums.unserved += (self.demand - served) as u128 * dt;
    }

    /// Whether demand will take another value.
    pub(super) fn will_change(&self, demand: &Demand) -> bool {
        self.cursor.next(demand).is_some()
    }

    /// The warm-up is over.
    pub(super) fn forget(&mut self) {
        self.sums = ServiceDemand::default();
    }
}

/// A service pod says which service it belongs to by this number.
fn tag(service: usize) -> u32 {
    service as u32
}

impl World<'_> {
    /// First replicas and first demand changes.
    pub(super) fn start_services(&mut self, queue: &mut EventQueue<Event>) {
        // Nobody else takes the room of those that are there already.
        for service in 0..self.services.len() {
            self.bind_replicas(service, queue);
        }
        for service in 0..self.services.len() {
            self.scale_service(service, SimTime::ZERO, queue);
            self.plan_demand(service, queue);
        }
    }

    /// Replicas that are on their node and run when the run starts. Where the
    /// node has no room they go to the scheduler.
    fn bind_replicas(&mut self, service: usize, queue: &mut EventQueue<Event>) {
        let workloads = self.workloads;
        let spec = &workloads.services[service];
        let facts = self.templates[spec.template.index()];
        let requests = &workloads.classes[facts.class.index()].requests;
        for (member, count) in &spec.bound {
            let life = &self.lives[self.members[*member as usize] as usize];
            let slot = life.slot;
            for _ in 0..*count {
                let mut pod = self.new_replica(service, SimTime::ZERO);
                if !self.nodes.fits(slot, requests) {
                    self.submit_replica(service, pod, queue);
                    continue;
                }
                pod.service = tag(service);
                pod.record =
                    self.observer.submitted(facts.owner.workload, pod.template, SimTime::ZERO);
                let id = self.pods.insert(pod);
                self.services[service].replicas.push(id);
                self.occupy(id, slot, SimTime::ZERO, (SimTime::ZERO, 0), queue);
            }
        }
    }

    /// The service's next replica, not submitted yet.
    fn new_replica(&mut self, service: usize, now: SimTime) -> Pod {
        let spec = &self.workloads.services[service];
        let mut pod = Pod::pending(spec.template, now, i64::MAX);
        let state = &mut self.services[service];
        pod.ordinal = Pod::service_ordinal(service, state.created);
        state.created += 1;
        set_usage(&mut pod, spec.usage);
        if spec.demand.is_some() {
            // The service accounts for its replicas' cpu.
            pod.used_cpu = 0;
        }
        pod
    }

    fn plan_demand(&mut self, service: usize, queue: &mut EventQueue<Event>) {
        let cursor = self.services[service].cursor;
        let demand = self.workloads.services[service].demand.as_ref();
        if let Some(at) = demand.and_then(|d| cursor.next(d)) {
            queue.push(at, phase::DEMAND, Event::Demand(service as u32));
        }
    }

    /// Demand takes its next value.
    pub(super) fn demand_changed(
        &mut self,
        service: usize,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let Some(demand) = &self.workloads.services[service].demand else { return };
        let state = &mut self.services[service];
        state.settle(now);
        state.cursor.advance(demand);
        state.demand = state.cursor.value(demand);
        self.show_level(service, now);
        self.scale_service(service, now, queue);
        self.plan_demand(service, queue);
    }

    /// Moves the used level by what the service serves more or less.
    fn show_level(&mut self, service: usize, now: SimTime) {
        let state = &mut self.services[service];
        let level = served(state.demand, state.ready, state.request_cpu);
        self.observer.timeline.advance(now);
        self.observer.timeline.levels.cpu_used += level - state.level;
        state.level = level;
    }

    /// Replicas a service wants now.
    pub(super) fn desired(&self, service: usize) -> usize {
        let spec = &self.workloads.services[service];
        let state = &self.services[service];
        if spec.demand.is_some() {
            desired_replicas(spec, state.request_cpu, state.demand) as usize
        } else {
            spec.min as usize
        }
    }

    /// Ready replicas of a service.
    pub(super) fn ready_replicas(&self, service: usize) -> u64 {
        self.services[service].ready as u64
    }

    /// How many replicas a service has, ready or not.
    pub(super) fn replica_count(&self, service: usize) -> usize {
        self.services[service].replicas.len()
    }

    /// Live replicas of a service, in order of creation.
    pub(super) fn replicas(&self, service: usize) -> Vec<PodId> {
        self.services[service].replicas.clone()
    }

    /// Adds or removes replicas to follow demand.
    pub(super) fn scale_service(
        &mut self,
        service: usize,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let desired = self.desired(service);
        let state = &self.services[service];
        let have = if self.ecs.is_some() {
            self.ecs_staying(&state.replicas).len()
        } else {
            state.replicas.len()
        };
        // What nothing can hold was counted once; demand does not change that.
        let wanted = if state.refused { have } else { desired };
        for _ in have..wanted {
            let pod = self.new_replica(service, now);
            self.submit_replica(service, pod, queue);
        }
        if have > desired {
            let victims = if self.ecs.is_some() {
                self.ecs_to_stop(service, have - desired)
            } else {
                self.victims(service)
            };
            for id in victims.into_iter().take(have - desired) {
                self.end_pod(id, PodEnd::Finished, now, queue);
            }
        }
    }

    /// Submits a replica; a rejected one is not retried.
    pub(super) fn submit_replica(
        &mut self,
        service: usize,
        mut pod: Pod,
        queue: &mut EventQueue<Event>,
    ) {
        pod.service = tag(service);
        match self.submit(pod, queue) {
            Some(id) => self.services[service].replicas.push(id),
            None => self.services[service].refused = true,
        }
    }

    /// The volumes of a replica that had none come to be in the zone of its
    /// node (`WaitForFirstConsumer`): there it stays, and there what replaces
    /// it goes.
    ///
    /// DIFFERENCE: a replica that is scaled away takes its volumes with it, and
    /// one that is added has new ones; a `StatefulSet` would give it those of
    /// the lowest ordinal that is free.
    pub(super) fn settle_volumes(&mut self, id: PodId, slot: Slot) {
        let pod = &mut self.pods[id];
        let Some(service) = pod.service_index() else { return };
        let spec = &self.workloads.services[service];
        let zone = self.nodes.zone[slot.index()];
        if let Some(home) = spec.homes.get(zone.index())
            && pod.template == spec.template
        {
            pod.template = *home;
        }
    }

    fn victims(&self, service: usize) -> Vec<PodId> {
        let state = &self.services[service];
        let ready_on = |id: PodId| match self.pods[id].state {
            PodState::OnNode(slot) => self
                .pods
                .on(slot)
                .filter(|p| {
                    let p = &self.pods[*p];
                    p.service == tag(service) && p.ready
                })
                .count() as u32,
            _ => 0,
        };
        let mut victims: Vec<Victim> = state
            .replicas
            .iter()
            .map(|id| {
                let pod = &self.pods[*id];
                let assigned = pod.state != PodState::Pending;
                Victim {
                    key: id.0,
                    assigned,
                    ready: pod.ready,
                    siblings: ready_on(*id),
                    since: if assigned { pod.running } else { pod.submitted },
                }
            })
            .collect();
        victim_order(&mut victims);
        victims.into_iter().map(|v| PodId(v.key)).collect()
    }

    /// A replica is ready: it takes its share.
    pub(super) fn replica_ready(
        &mut self,
        id: PodId,
        generation: u32,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if !self.pods.is_current(id, generation) {
            return;
        }
        self.pods[id].ready = true;
        self.change_ready(id, now, 1);
        if let Some(service) = self.pods[id].service_index() {
            self.ecs_release(service, now, queue);
        }
    }

    fn change_ready(&mut self, id: PodId, now: SimTime, sign: i64) {
        let pod = self.pods[id];
        let Some(service) = pod.service_index() else { return };
        let owner = self.templates[pod.template.index()].owner;
        let known = self.workloads.services[service].demand.is_some();
        let state = &mut self.services[service];
        state.settle(now);
        let share = state.share;
        state.ready += sign;
        match pod.state {
            PodState::OnNode(slot) if known => {
                self.observer.accounts.replica(slot.index(), owner, share, now, sign);
            }
            PodState::OnFargate(record) if known => {
                let r = &mut self.observer.fargate[record as usize];
                // While it runs the field holds the integral at its start.
                if sign > 0 {
                    r.used_cpu = (share / SHARE_SCALE) as i64;
                } else if now > r.running {
                    let used = (share / SHARE_SCALE) as i64 - r.used_cpu;
                    r.used_cpu = used / (now - r.running).ms();
                }
            }
            _ => {}
        }
        if known {
            self.show_level(service, now);
        }
    }

    /// A replica is about to end.
    pub(super) fn replica_leaves(&mut self, service: usize, id: PodId, now: SimTime) {
        let pod = self.pods[id];
        if pod.ready {
            self.change_ready(id, now, -1);
        }
        self.services[service].replicas.retain(|r| *r != id);
    }

    /// Ends every service; returns demand by service.
    pub(super) fn finish_services(&mut self, end: SimTime) -> Vec<ServiceDemand> {
        for service in 0..self.services.len() {
            self.services[service].settle(end);
            let share = self.services[service].share;
            let known = self.workloads.services[service].demand.is_some();
            for id in std::mem::take(&mut self.services[service].replicas) {
                let pod = self.pods[id];
                if let PodState::OnFargate(record) = pod.state
                    && known
                    && pod.ready
                    && pod.running < end
                {
                    let r = &mut self.observer.fargate[record as usize];
                    let used = (share / SHARE_SCALE) as i64 - r.used_cpu;
                    r.used_cpu = used / (end - r.running).ms();
                }
            }
        }
        self.services.iter().map(|s| s.sums).collect()
    }
}
