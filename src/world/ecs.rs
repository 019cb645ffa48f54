//! Amazon ECS in the world: tasks from their capacity provider to their end,
//! services, draining. What is decided by `place::ecs` and
//! `scale::ecs_capacity` takes effect here; managed scaling has a file of its
//! own.
//!
//! A task is tried the moment it comes and the moment an instance gains room.
//!
//! DIFFERENCE: placing takes no time, and neither the retry interval of the
//! service scheduler nor the rates of RunTask and of service launches on
//! container instances are modelled; AWS publishes no retry interval.
//! DIFFERENCE: with launch type EC2 RunTask fails at once where nothing fits;
//! here whoever asked tries again the moment there is room.

use rustc_hash::FxHashMap;

use crate::cluster::{Pod, PodId, PodState, Purchase, Slot};
use crate::observe::probe_ecs::{ProviderChoice, Woken};
use crate::observe::{PodEnd, RejectReason};
pub(super) use crate::place::ecs::NO_PROVIDER;
use crate::place::ecs::{EcsPlacer, GroupSpec, Provisioning, Registered, TaskGroup};
use crate::rng::Draws;
use crate::scale::ecs_capacity::{ProviderScaler, choose_provider, shrink_provider};
use crate::sim::EventQueue;
use crate::units::{HOUR_MS, SimDuration, SimTime};
use crate::workload::{ClassId, WorkloadKind, Workloads};

use super::event::{Event, phase};
use super::nodes::NodePhase;
use super::setup::{Ecs, Setup};
use super::{TemplateFacts, World, fargate};

/// The lifecycle hook of managed draining ends the wait for tasks (believed).
const DRAIN_LIMIT: SimDuration = SimDuration(48 * HOUR_MS);

/// What ECS keeps.
#[derive(Debug)]
pub(super) struct EcsState<'a> {
    pub(super) spec: &'a Ecs,
    pub(super) placer: EcsPlacer,
    pub(super) waiting: Provisioning,
    /// Live tasks by workload and entry of its capacity provider strategy.
    counts: Vec<Vec<u32>>,
    /// By Fargate pool and class: the size it gets.
    sizes: Vec<Vec<Option<u32>>>,
    reachable: FxHashMap<TaskGroup, bool>,
    /// By service: tasks stopped by scale-in so far.
    stopped: Vec<u64>,
    /// By pool.
    pub(super) scalers: Vec<Option<ProviderScaler>>,
    /// The last datapoint looked at, and the next planned.
    pub(super) last: SimTime,
    pub(super) planned: SimTime,
    /// By pool and class: how many an empty largest instance holds, and
    /// whether an empty smallest one holds any.
    pub(super) room: FxHashMap<(u32, ClassId), (u32, bool)>,
    /// Whether tasks that come can let others in.
    watches_tasks: bool,
}

impl<'a> EcsState<'a> {
    pub(super) fn new(spec: &'a Ecs, setup: &Setup, workloads: &Workloads) -> Self {
        let groups: Vec<GroupSpec> = spec
            .workloads
            .iter()
            .zip(&workloads.workloads)
            .map(|(spec, info)| GroupSpec {
                name: match info.kind {
                    WorkloadKind::Batch => format!("family:{}", info.name),
                    WorkloadKind::Service | WorkloadKind::Daemon => {
                        format!("service:{}", info.name)
                    }
                },
                strategy: spec.strategy.clone(),
                constraints: spec.constraints.clone(),
            })
            .collect();
        let ports = spec.shared_ports.then_some(workloads.classes.as_slice());
        let placer = EcsPlacer::new(&groups, ports, spec.agent_version.clone());
        let classes = 0..workloads.classes.len() as u32;
        let size =
            |pool, class| fargate::size_for(&setup.cluster, workloads, pool, ClassId(class)).ok();
        EcsState {
            spec,
            watches_tasks: placer.watches_tasks(),
            placer,
            waiting: Provisioning::default(),
            counts: spec.workloads.iter().map(|w| vec![0; w.providers.len()]).collect(),
            sizes: (0..setup.cluster.fargate.len())
                .map(|pool| classes.clone().map(|class| size(pool, class)).collect())
                .collect(),
            reachable: FxHashMap::default(),
            stopped: vec![0; workloads.services.len()],
            scalers: spec.scaling.iter().map(|s| s.map(ProviderScaler::new)).collect(),
            last: SimTime(-1),
            planned: SimTime::NEVER,
            room: FxHashMap::default(),
        }
    }

    /// A task of the workload came (1) or ended (-1).
    fn count(&mut self, workload: usize, provider: u16, sign: i32) {
        let items = &self.spec.workloads[workload].providers;
        if let Some(entry) = items.iter().position(|i| i.provider == provider) {
            let count = &mut self.counts[workload][entry];
            *count = count.wrapping_add_signed(sign);
        }
    }
}

impl World<'_> {
    /// The Fargate pool and size of a pod that goes there.
    pub(super) fn fargate_of(&self, pod: &Pod, facts: TemplateFacts) -> Option<(u32, u32)> {
        let Some(ecs) = &self.ecs else {
            return facts.fargate.and_then(|(pool, size)| Some((pool, size.ok()?)));
        };
        if pod.provider == NO_PROVIDER {
            return None;
        }
        let pool = usize::from(pod.provider).checked_sub(self.setup.cluster.pools.len())?;
        Some((pool as u32, ecs.sizes[pool][facts.class.index()]?))
    }

    pub(super) fn is_fargate(&self, provider: u16) -> bool {
        provider != NO_PROVIDER && usize::from(provider) >= self.setup.cluster.pools.len()
    }

    /// Submits a task; returns it unless it was rejected.
    pub(super) fn ecs_submit(
        &mut self,
        mut pod: Pod,
        facts: TemplateFacts,
        queue: &mut EventQueue<Event>,
    ) -> Option<PodId> {
        let workload = facts.owner.workload.index();
        let ecs = self.ecs.as_mut()?;
        let items = &ecs.spec.workloads[workload].providers;
        let mut choice = None;
        if pod.provider == NO_PROVIDER && !items.is_empty() {
            let chosen = choose_provider(items, &ecs.counts[workload]);
            if self.observer.probe.is_some() {
                let counts = ecs.counts[workload].iter().copied();
                let entries = items.iter().copied().zip(counts).collect();
                choice = Some(ProviderChoice { entries, chosen });
            }
            match chosen {
                Some(entry) => pod.provider = items[entry].provider,
                None => return self.reject(&pod, facts, RejectReason::NoProvider),
            }
        }
        let provider = pod.provider;
        let fargate = self.is_fargate(provider);
        let group = TaskGroup { class: facts.class, owner: workload as u32, provider };
        let holds = if fargate {
            self.fargate_of(&pod, facts).is_some()
        } else {
            self.ecs_reachable(group)
        };
        if !holds {
            let reason = self.ecs_missing(group);
            let rejected = self.reject(&pod, facts, reason);
            self.watch_ecs_submitted(&pod, group, choice, true);
            return rejected;
        }
        let now = pod.submitted;
        let id = self.pods.insert(pod);
        self.watch_submitted(&pod, Ok(id));
        self.watch_ecs_submitted(&pod, group, choice, false);
        let ecs = self.ecs.as_mut()?;
        ecs.count(workload, provider, 1);
        if fargate {
            let pool = usize::from(provider) - self.setup.cluster.pools.len();
            self.fargate_launch(pool, id, queue);
        } else {
            ecs.waiting.push(id, group);
            self.plan_schedule(now, queue);
            self.autoscaler_dirty(now, queue);
        }
        Some(id)
    }

    /// Why no capacity, or not that of the provider, holds such a task.
    fn ecs_missing(&mut self, group: TaskGroup) -> RejectReason {
        let (cluster, pools) = (&self.setup.cluster, self.setup.cluster.pools.len());
        if self.is_fargate(group.provider) {
            let pool = usize::from(group.provider) - pools;
            return fargate::size_for(cluster, self.workloads, pool, group.class)
                .err()
                .unwrap_or(RejectReason::FargateSize);
        }
        if self.ecs.as_ref().is_some_and(|ecs| ecs.placer.asks_for_reserved(group.class)) {
            return RejectReason::ReservedPort;
        }
        let pools = group.pool().map_or(0..pools, |p| p.index()..p.index() + 1);
        // Where there is room the constraints refuse.
        if pools.clone().any(|pool| self.pool_reaches(pool, group.class)) {
            return RejectReason::PlacementConstraints;
        }
        self.missing(group.class, pools)
    }

    /// Whether some instance could hold such a task.
    fn ecs_reachable(&mut self, group: TaskGroup) -> bool {
        if let Some(known) = self.ecs.as_ref().and_then(|ecs| ecs.reachable.get(&group)) {
            return *known;
        }
        let pools = 0..self.setup.cluster.pools.len();
        let holds = pools
            .filter(|pool| group.pool().is_none_or(|p| p.index() == *pool))
            .any(|pool| self.ecs_pool_reaches(pool, group));
        if let Some(ecs) = &mut self.ecs {
            ecs.reachable.insert(group, holds);
        }
        holds
    }

    fn ecs_pool_reaches(&mut self, pool: usize, group: TaskGroup) -> bool {
        let spec = &self.setup.cluster.pools[pool];
        let requests = &self.workloads.classes[group.class.index()].requests;
        spec.kind.can_have_nodes()
            && (0..spec.offers.len()).any(|offer| {
                let traits = self.traits(pool, offer);
                let admits = self.ecs.as_ref().is_some_and(|ecs| {
                    ecs.placer.may_admit(&traits, group.class, group.owner as usize)
                });
                let traits = self.nodes.intern(traits);
                let shape = spec.offers[offer].shape;
                admits
                    && self.on_empty(pool, shape, traits, |nodes, slot| nodes.fits(slot, requests))
            })
    }

    /// Places what can be placed, the oldest first.
    pub(super) fn ecs_schedule(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        if self.schedule_at != now {
            return;
        }
        self.schedule_at = SimTime::NEVER;
        while let Some(ecs) = &mut self.ecs
            && let Some((id, group)) = ecs.waiting.first()
        {
            let requests = &self.workloads.classes[group.class.index()].requests;
            let mut draws = Draws::new(self.seed, "placement-tie", self.pods[id].ordinal);
            self.attempts += 1;
            let saw = self.watch_ecs_attempt(id, group, &draws);
            let Some(ecs) = &mut self.ecs else { return };
            let Some(slot) = ecs.placer.select(&self.nodes, &group, requests, &mut draws) else {
                ecs.waiting.give_up();
                continue;
            };
            ecs.waiting.remove(id);
            ecs.placer.shift(&self.nodes, group.class, group.owner as usize, slot, 1);
            self.watch_ecs_placed(saw, slot, now);
            self.bind(id, slot, now, now, queue);
            // The task that came may be what others wait for.
            if self.ecs.as_ref().is_some_and(|ecs| ecs.watches_tasks) {
                self.ecs_hope(slot);
                self.watch_ecs_woken(slot, Woken::TaskCame, now);
            }
        }
        self.watch_ecs_waits(now);
    }

    /// A task is about to end: ECS forgets it. Its requests are still on its
    /// instance.
    pub(super) fn ecs_task_ends(&mut self, id: PodId, facts: TemplateFacts) {
        let pod = self.pods[id];
        let fargate = self.is_fargate(pod.provider);
        let Some(ecs) = &mut self.ecs else { return };
        let workload = facts.owner.workload.index();
        ecs.count(workload, pod.provider, -1);
        match pod.state {
            PodState::Pending if !fargate => ecs.waiting.remove(id),
            PodState::OnNode(slot) => {
                ecs.placer.shift(&self.nodes, facts.class, workload, slot, -1);
            }
            PodState::Pending | PodState::OnFargate(_) => {}
        }
    }

    /// An instance gained room, or a drained one lost a task.
    pub(super) fn ecs_room(
        &mut self,
        slot: Slot,
        by: Woken,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if self.ecs.is_none() {
            return;
        }
        if !self.nodes.open[slot.index()] {
            let node = self.nodes.record[slot.index()];
            if self.is_leaving(node) && !self.is_busy(node) {
                queue.push(now, phase::NODE, Event::Drain(node));
            }
            return;
        }
        self.watch_ecs_woken(slot, by, now);
        if self.ecs_hope(slot) {
            self.plan_schedule(now, queue);
        }
    }

    /// An instance changed: which waiting tasks can it hold? Returns whether
    /// any can be placed.
    fn ecs_hope(&mut self, slot: Slot) -> bool {
        let Some(ecs) = &mut self.ecs else { return false };
        let (nodes, classes, placer) = (&self.nodes, &self.workloads.classes, &ecs.placer);
        let pool = nodes.pool[slot.index()];
        ecs.waiting.room(|group| {
            group.pool().is_none_or(|p| p == pool)
                && nodes.fits(slot, &classes[group.class.index()].requests)
                && placer.admits(nodes, group.class, group.owner as usize, slot)
        })
    }

    /// An instance registers; daemon tasks come before all others.
    pub(super) fn ecs_register(&mut self, node: u32, now: SimTime) {
        let Some(ecs) = &mut self.ecs else { return };
        let life = &self.lives[node as usize];
        let pool = &self.setup.cluster.pools[life.init.pool.index()].name;
        let instance = Registered {
            id: format!("{pool}/{}", life.ordinal),
            at: self.setup.start_unix_ms + now.ms(),
        };
        ecs.placer.register(&self.nodes, life.slot, instance);
    }

    /// Whether constraints and ports let a daemon task onto an instance.
    pub(super) fn ecs_takes_daemon(&self, daemon: u32, slot: Slot) -> bool {
        let template = self.workloads.daemons[daemon as usize].template;
        let facts = self.templates[template.index()];
        self.ecs.as_ref().is_none_or(|ecs| {
            ecs.placer.admits(&self.nodes, facts.class, facts.owner.workload.index(), slot)
        })
    }

    /// A daemon task came to an instance (1) or left it (-1).
    pub(super) fn ecs_shift_daemon(&mut self, daemon: u32, slot: Slot, sign: i32) {
        let template = self.workloads.daemons[daemon as usize].template;
        let facts = self.templates[template.index()];
        if let Some(ecs) = &mut self.ecs {
            let workload = facts.owner.workload.index();
            ecs.placer.shift(&self.nodes, facts.class, workload, slot, sign);
        }
    }

    /// Whether the instance runs a task of no daemon service.
    pub(super) fn is_busy(&self, node: u32) -> bool {
        let life = &self.lives[node as usize];
        self.nodes.pods[life.slot.index()] as usize > life.daemons.len()
    }

    /// Whether its group has given the instance up and it is being drained.
    fn is_leaving(&self, node: u32) -> bool {
        let life = &self.lives[node as usize];
        life.phase == NodePhase::Draining && !life.counted
    }

    /// Sets an instance to DRAINING: no new tasks; tasks of services are
    /// replaced first and stopped then; standalone tasks run on.
    pub(super) fn ecs_drain(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        self.cordon(node, now);
        let slot = self.lives[node as usize].slot;
        let mut services: Vec<usize> =
            self.pods.on(slot).filter_map(|id| self.pods[id].service_index()).collect();
        services.sort_unstable();
        services.dedup();
        for service in services {
            self.scale_service(service, now, queue);
            self.ecs_release(service, now, queue);
        }
        if self.is_leaving(node) {
            let at = if self.is_busy(node) { now + DRAIN_LIMIT } else { now };
            queue.push(at, phase::NODE, Event::Drain(node));
        }
    }

    /// An instance that leaves has no tasks left, or its time is over.
    pub(super) fn ecs_drained(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        if !self.is_leaving(node) {
            return;
        }
        let since = self.observer.nodes[node as usize].draining;
        if self.is_busy(node) && now < since + DRAIN_LIMIT {
            return;
        }
        self.displace_all(node, PodEnd::Evicted, now, queue);
        self.terminate(node, crate::observe::NodeEnd::ScaledDown, now, queue);
        self.autoscaler_dirty(now, queue);
    }

    /// Replicas of a service that do not stand on a DRAINING instance.
    pub(super) fn ecs_staying(&self, replicas: &[PodId]) -> Vec<PodId> {
        replicas.iter().copied().filter(|id| !self.is_on_draining(*id)).collect()
    }

    fn is_on_draining(&self, id: PodId) -> bool {
        match self.pods[id].state {
            PodState::OnNode(slot) => !self.nodes.open[slot.index()],
            PodState::Pending | PodState::OnFargate(_) => false,
        }
    }

    /// Stops replicas on DRAINING instances as far as `minimumHealthyPercent`
    /// of 100, the default of a REPLICA service, allows: once others are ready.
    pub(super) fn ecs_release(
        &mut self,
        service: usize,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if self.ecs.is_none() {
            return;
        }
        let replicas = self.replicas(service);
        let leaving: Vec<PodId> =
            replicas.iter().copied().filter(|id| self.is_on_draining(*id)).collect();
        if leaving.is_empty() {
            return;
        }
        let desired = self.desired(service);
        let mut healthy = replicas.iter().filter(|id| self.pods[**id].ready).count();
        for id in leaving {
            let pod = self.pods[id];
            if pod.ready && healthy <= desired {
                continue;
            }
            healthy -= usize::from(pod.ready);
            let end = match pod.state {
                PodState::OnNode(slot) if self.nodes.purchase[slot.index()] == Purchase::Spot => {
                    let node = self.nodes.record[slot.index()];
                    if self.is_leaving(node) { PodEnd::Evicted } else { PodEnd::Interrupted }
                }
                _ => PodEnd::Evicted,
            };
            self.end_pod(id, end, now, queue);
        }
    }

    /// Which `n` replicas a scale-in stops, in order: of the provider furthest
    /// above its share; what waits or starts on Fargate first, the youngest
    /// before the others (choice); then as the placement strategy says.
    pub(super) fn ecs_to_stop(&mut self, service: usize, n: usize) -> Vec<PodId> {
        let mut left = self.ecs_staying(&self.replicas(service));
        let template = self.workloads.services[service].template;
        let workload = self.templates[template.index()].owner.workload.index();
        let mut chosen = Vec::with_capacity(n);
        let Some(ecs) = &mut self.ecs else { return chosen };
        let spec = &ecs.spec.workloads[workload];
        let provider_of = |id: &PodId| self.pods[*id].provider;
        let mut counts: Vec<u32> = spec
            .providers
            .iter()
            .map(|item| left.iter().filter(|id| provider_of(id) == item.provider).count() as u32)
            .collect();
        while chosen.len() < n && !left.is_empty() {
            let entry = shrink_provider(&spec.providers, &counts);
            let provider = entry.map(|e| spec.providers[e].provider);
            let candidates: Vec<usize> = (0..left.len())
                .filter(|i| provider.is_none_or(|p| provider_of(&left[*i]) == p))
                .collect();
            let off_node = candidates
                .iter()
                .copied()
                .filter(|i| !matches!(self.pods[left[*i]].state, PodState::OnNode(_)))
                .max_by_key(|i| (self.pods[left[*i]].state == PodState::Pending, *i));
            let victim = off_node.or_else(|| {
                let slots: Vec<Slot> = candidates
                    .iter()
                    .filter_map(|i| match self.pods[left[*i]].state {
                        PodState::OnNode(slot) => Some(slot),
                        PodState::Pending | PodState::OnFargate(_) => None,
                    })
                    .collect();
                let ordinal = ((service as u64) << 40) | ecs.stopped[service];
                let mut draws = Draws::new(self.seed, "ecs-scale-in", ordinal);
                let default = spec.default_strategy;
                let at =
                    ecs.placer.stop_first(&self.nodes, workload, default, &slots, &mut draws)?;
                candidates.get(at).copied()
            });
            let Some(victim) = victim else { break };
            if let Some(entry) = entry {
                counts[entry] -= 1;
            }
            ecs.stopped[service] += 1;
            chosen.push(left.remove(victim));
        }
        chosen
    }

    /// Fargate Spot takes a task back: it stops at the notice, two minutes
    /// before, and its owner replaces it with the same capacity provider.
    ///
    /// DIFFERENCE: tasks stop at the notice, without their `stopTimeout`.
    pub(super) fn fargate_notice(
        &mut self,
        id: PodId,
        generation: u32,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if self.pods.is_current(id, generation) {
            self.displace(id, PodEnd::Interrupted, now, queue);
        }
    }
}
