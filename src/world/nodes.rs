//! Nodes from launch to termination.

use std::sync::Arc;

use crate::cluster::{
    Capacity, NodeInit, Nodes, Offer, PoolId, PoolKind, Purchase, Slot, TraitsId, admits,
};
use crate::lifecycle::{PoolCounts, SpotNode, choose_offer};
use crate::observe::probe::Cause;
use crate::observe::probe_ecs::Woken;
use crate::observe::{NodeEnd, NodeRecord, PodEnd, pod_rates};
use crate::rng::Draws;
use crate::sim::EventQueue;
use crate::units::{SimDuration, SimTime};
use crate::workload::{ClassId, Requests, Workloads};
use crate::workload::{WorkloadId, constraints::Constraints};

use super::event::{Event, phase};
use super::{Owner, World};

/// What a pool wants and has.
#[derive(Debug, Clone, Default)]
pub(super) struct PoolState {
    /// Desired number of nodes.
    pub(super) desired: u32,
    /// Nodes launched and not terminated.
    pub(super) counts: PoolCounts,
    /// Nodes asked for that are not Ready yet.
    pub(super) coming: u32,
    /// Nodes ever launched: the next one's ordinal.
    launched: u64,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodePhase {
    Launching,
    Booting,
    Ready,
    Draining,
    Gone,
}

/// A node by its record.
#[derive(Debug, Clone)]
pub(super) struct NodeLife {
    pub(super) phase: NodePhase,
    /// Meaningful between running and gone.
    pub(super) slot: Slot,
    pub(super) init: NodeInit,
    /// Launch number within the pool.
    pub(super) ordinal: u64,
    hazard_per_hour: f64,
    /// DaemonSets whose pods run on it.
    pub(super) daemons: Vec<u32>,
    /// Whether its pool counts it: not once its group has given it up.
    pub(super) counted: bool,
    /// Whose images it has, and from when.
    pub(super) images: Vec<(WorkloadId, SimTime)>,
}

impl World<'_> {
    /// The nodes that are there when the run starts.
    pub(super) fn start_pools(&mut self, queue: &mut EventQueue<Event>) {
        for pool in 0..self.setup.cluster.pools.len() {
            self.pools[pool].desired = match self.setup.cluster.pools[pool].kind {
                PoolKind::Fixed { count } => count,
                PoolKind::AutoScalingGroup { min, .. } => min,
            };
            self.start_members(pool, queue);
            while let Some(node) = self.request_node(pool, None, SimTime::ZERO) {
                self.node_running(node, SimTime::ZERO, queue);
                self.node_ready(node, SimTime::ZERO, queue);
            }
        }
    }

    /// The named nodes of a pool.
    fn start_members(&mut self, pool: usize, queue: &mut EventQueue<Event>) {
        let setup = self.setup;
        for (at, member) in setup.cluster.members.iter().enumerate() {
            if member.pool.index() != pool {
                continue;
            }
            let offer = Some(member.offer as usize);
            if let Some(node) = self.request_node(pool, offer, SimTime::ZERO) {
                self.members[at] = node;
                self.node_running(node, SimTime::ZERO, queue);
                self.node_ready(node, SimTime::ZERO, queue);
            }
        }
    }

    /// Launches until the pool has what it desires.
    pub(super) fn launch_to_desired(
        &mut self,
        pool: usize,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        while let Some(node) = self.request_node(pool, None, now) {
            let spec = &self.setup.cluster.pools[pool];
            let ordinal = self.lives[node as usize].ordinal;
            let mut draws = Draws::new(self.seed, &format!("launch {}", spec.name), ordinal);
            let launch = SimDuration(spec.launch.sample_ms(&mut draws));
            queue.push(now + launch, phase::NODE, Event::NodeRunning(node));
        }
    }

    /// Asks for one more node if the pool desires one: of this offer, or of the
    /// one that the pool's rules choose.
    fn request_node(&mut self, pool: usize, offer: Option<usize>, now: SimTime) -> Option<u32> {
        let spec = &self.setup.cluster.pools[pool];
        let state = &self.pools[pool];
        if state.counts.on_demand + state.counts.spot >= state.desired {
            return None;
        }
        let prices = &mut self.spot_prices;
        let price = |o: &Offer| match o.purchase {
            Purchase::OnDemand => o.hourly,
            Purchase::Spot => prices.at(o.shape, o.zone, now).unwrap_or(o.hourly),
        };
        let chosen = offer.or_else(|| choose_offer(spec, &state.counts, price))?;
        let offer = &spec.offers[chosen];
        let traits = self.traits(pool, chosen);
        let shape = &self.setup.cluster.shapes[offer.shape.index()];
        let node = self.lives.len() as u32;
        let init = NodeInit {
            pool: PoolId(pool as u32),
            shape: offer.shape,
            zone: offer.zone,
            purchase: offer.purchase,
            traits: self.nodes.intern(traits),
            allocatable: shape.allocatable.clone(),
            record: node,
        };
        self.observer.nodes.push(NodeRecord {
            pool: init.pool,
            shape: init.shape,
            zone: init.zone,
            purchase: init.purchase,
            requested: now,
            running: SimTime::NEVER,
            ready: SimTime::NEVER,
            draining: SimTime::NEVER,
            shutting_down: SimTime::NEVER,
            end: NodeEnd::Running,
        });
        let state = &mut self.pools[pool];
        let ordinal = state.launched;
        state.launched += 1;
        state.coming += 1;
        count(&mut state.counts, &init, true);
        self.lives.push(NodeLife {
            phase: NodePhase::Launching,
            slot: Slot(u32::MAX),
            init,
            ordinal,
            hazard_per_hour: offer.hazard_per_hour,
            daemons: Vec::new(),
            counted: true,
            images: Vec::new(),
        });
        Some(node)
    }

    /// The instance runs: it is metered from here.
    pub(super) fn node_running(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        let life = &mut self.lives[node as usize];
        life.phase = NodePhase::Booting;
        self.alive.push(node);
        life.slot = self.nodes.add(&life.init, false);
        if self.named {
            let name = self.node_name(node);
            self.nodes.set_name(self.lives[node as usize].slot, &name);
        }
        let life = &self.lives[node as usize];
        let slot = life.slot.index();
        self.observer.node_running(node, slot, &life.init.allocatable, now);
        let cluster = &self.setup.cluster;
        let spec = &cluster.pools[life.init.pool.index()];
        if now > SimTime::ZERO {
            let mut draws = Draws::new(self.seed, &format!("boot {}", spec.name), life.ordinal);
            let ready = SimDuration(spec.ready.sample_ms(&mut draws));
            queue.push(now + ready, phase::NODE, Event::NodeReady(node));
        }
        if life.init.purchase == Purchase::Spot {
            let key = SpotNode {
                shape: &cluster.shapes[life.init.shape.index()].name,
                zone: &cluster.zones[life.init.zone.index()],
                pool: &spec.name,
                ordinal: life.ordinal,
            };
            let reclaim = self.reclaims.draw(&key, life.hazard_per_hour, now);
            if reclaim < SimTime::NEVER {
                let notice = SimTime(reclaim.ms() - self.setup.spot.notice.ms()).max(now);
                queue.push(notice, phase::NODE, Event::SpotNotice(node));
                queue.push(reclaim, phase::NODE, Event::SpotReclaim(node));
            }
        }
    }

    /// A node's name: its own where the cluster names it, else that of its pool
    /// with the launch number.
    fn node_name(&self, node: u32) -> String {
        let spec = &*self.setup.cluster;
        if let Some(at) = self.members.iter().position(|member| *member == node) {
            return spec.members[at].name.clone();
        }
        let life = &self.lives[node as usize];
        format!("{}/{}", spec.pools[life.init.pool.index()].name, life.ordinal)
    }

    /// The node is Ready: its DaemonSet pods run and others may come.
    pub(super) fn node_ready(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        let life = &mut self.lives[node as usize];
        if life.phase != NodePhase::Booting {
            return;
        }
        life.phase = NodePhase::Ready;
        self.stir(false, now);
        let life = &self.lives[node as usize];
        let (slot, init) = (life.slot, life.init.clone());
        self.observer.node_ready(node, slot.index(), &init.allocatable, now);
        self.ecs_register(node, now);
        // One that does not fit stays pending on its node, as it would.
        let mut placed = Vec::new();
        for daemon in self.daemons_on(init.traits) {
            if self.nodes.fits(slot, daemon_requests(self.workloads, daemon))
                && self.ecs_takes_daemon(daemon, slot)
            {
                self.shift_daemon(slot, daemon, now, 1);
                placed.push(daemon);
            }
        }
        self.lives[node as usize].daemons = placed;
        self.pools[init.pool.index()].coming -= 1;
        self.nodes.set_open(slot, true);
        if self.ecs.is_some() {
            self.ecs_room(slot, Woken::Registered, now, queue);
        } else {
            self.scheduler.node_changed(&self.nodes, slot, now);
            self.watch_woken(Cause::NodeReady(node), now);
            self.after_requeue(now, queue);
        }
        self.autoscaler_dirty(now, queue);
    }

    /// DaemonSets whose pods run on nodes with these traits.
    pub(super) fn daemons_on(&mut self, traits: TraitsId) -> Vec<u32> {
        let index = traits.0 as usize;
        if self.daemons.len() <= index {
            self.daemons.resize(index + 1, None);
        }
        let (nodes, workloads, ecs) = (&self.nodes, self.workloads, &self.ecs);
        self.daemons[index]
            .get_or_insert_with(|| {
                (0..workloads.daemons.len() as u32)
                    .filter(|d| {
                        let template = workloads.daemons[*d as usize].template;
                        let class = workloads.templates[template.index()].class;
                        let traits = nodes.traits_of(traits);
                        let on_ecs = ecs.as_ref().is_none_or(|ecs| {
                            let workload = workloads.templates[template.index()].workload;
                            ecs.placer.may_admit(traits, class, workload.index())
                        });
                        on_ecs && admits(traits, &workloads.classes[class.index()])
                    })
                    .collect()
            })
            .clone()
    }

    /// Puts a DaemonSet's pod on a node, or takes it off.
    fn shift_daemon(&mut self, slot: Slot, daemon: u32, now: SimTime, sign: i64) {
        let set = &self.workloads.daemons[daemon as usize];
        let template = &self.workloads.templates[set.template.index()];
        let class = &self.workloads.classes[template.class.index()];
        let requests = &class.requests;
        let owner = Owner { workload: template.workload, namespace: template.namespace };
        let rates = pod_rates(
            requests.cpu.0,
            requests.memory.0,
            set.usage.cpu.map_or(-1, |c| c.0),
            set.usage.memory.map_or(-1, |m| m.0),
        );
        if sign > 0 {
            self.nodes.place_pod(slot, template.class, class);
            self.observer.node_bind(slot.index(), owner, rates, now);
        } else {
            self.nodes.unplace_pod(slot, template.class, class);
            self.observer.node_unbind(slot.index(), owner, rates, now);
        }
        self.ecs_shift_daemon(daemon, slot, sign as i32);
    }

    /// Cordons a node for good.
    pub(super) fn cordon(&mut self, node: u32, now: SimTime) {
        let life = &mut self.lives[node as usize];
        if life.phase == NodePhase::Draining {
            return;
        }
        let was_booting = life.phase == NodePhase::Booting;
        life.phase = NodePhase::Draining;
        let (slot, init) = (life.slot, life.init.clone());
        if was_booting {
            self.pools[init.pool.index()].coming -= 1;
        }
        self.nodes.set_open(slot, false);
        let shares = self.shares(now);
        self.observer.node_draining(node, slot.index(), &init.allocatable, now, &shares);
    }

    /// A Spot node learns that it will be reclaimed: cordon and drain, as a
    /// node termination handler does. Owners replace the pods at once.
    ///
    /// On ECS the notice drains the instance only where the agent is told so;
    /// its tasks run on.
    ///
    /// DIFFERENCE: pods stop at the notice, without their grace period.
    pub(super) fn spot_notice(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        let life = &self.lives[node as usize];
        if !matches!(life.phase, NodePhase::Booting | NodePhase::Ready) {
            return;
        }
        if let Some(ecs) = &self.ecs {
            if ecs.spec.spot_instance_draining {
                self.ecs_drain(node, now, queue);
                self.autoscaler_dirty(now, queue);
            }
            return;
        }
        self.cordon(node, now);
        self.displace_all(node, PodEnd::Interrupted, now, queue);
        self.autoscaler_dirty(now, queue);
    }

    /// A Spot node is taken: metering ends, and its pool replaces it.
    pub(super) fn spot_reclaim(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        if self.lives[node as usize].phase == NodePhase::Gone {
            return;
        }
        let pool = self.lives[node as usize].init.pool.index();
        // A node that the autoscaler cordoned may still hold its pods.
        self.displace_all(node, PodEnd::Interrupted, now, queue);
        self.terminate(node, NodeEnd::Reclaimed, now, queue);
        self.launch_to_desired(pool, now, queue);
        self.autoscaler_dirty(now, queue);
    }

    /// Ends every pod of a node; their owners replace them.
    pub(super) fn displace_all(
        &mut self,
        node: u32,
        end: PodEnd,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let slot = self.lives[node as usize].slot;
        let mut pods = std::mem::take(&mut self.scratch);
        pods.clear();
        pods.extend(self.pods.on(slot));
        // In the order in which they were bound, so that replacements queue
        // in the order of the originals.
        for id in pods.iter().rev() {
            self.displace(*id, end, now, queue);
        }
        self.scratch = pods;
    }

    /// Metering of a node ends and its slot is free.
    pub(super) fn terminate(
        &mut self,
        node: u32,
        end: NodeEnd,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let life = &mut self.lives[node as usize];
        let was = std::mem::replace(&mut life.phase, NodePhase::Gone);
        let (slot, init) = (life.slot, life.init.clone());
        if was == NodePhase::Booting {
            self.pools[init.pool.index()].coming -= 1;
        }
        self.alive.retain(|n| *n != node);
        for daemon in std::mem::take(&mut self.lives[node as usize].daemons) {
            self.shift_daemon(slot, daemon, now, -1);
        }
        self.stir(false, now);
        self.drop_leaving(slot, now);
        self.disappoint(slot, now, queue);
        let shares = self.shares(now);
        self.observer.node_gone(node, slot.index(), &init.allocatable, (now, end), &shares);
        self.nodes.remove(slot);
        self.uncount(node);
    }

    /// Its pool does not count the node any more.
    pub(super) fn uncount(&mut self, node: u32) {
        let life = &mut self.lives[node as usize];
        if std::mem::replace(&mut life.counted, false) {
            count(&mut self.pools[life.init.pool.index()].counts, &life.init, false);
        }
    }

    /// Nodes still metered when the run ends.
    pub(super) fn finish_nodes(&mut self, end: SimTime) {
        let shares = self.shares(end);
        for (node, life) in self.lives.iter_mut().enumerate() {
            if matches!(life.phase, NodePhase::Launching | NodePhase::Gone) {
                continue;
            }
            life.phase = NodePhase::Gone;
            let allocatable: &Capacity = &life.init.allocatable;
            let at = (end, NodeEnd::Running);
            let slot = life.slot.index();
            self.observer.node_gone(node as u32, slot, allocatable, at, &shares);
        }
    }

    /// Whether an empty node of some pool, with its DaemonSet pods, holds a
    /// pod of the class.
    pub(super) fn find_reachable(&mut self, class: ClassId) -> bool {
        (0..self.setup.cluster.pools.len()).any(|pool| self.pool_reaches(pool, class))
    }

    /// As [`World::find_reachable`] for one pool.
    pub(super) fn pool_reaches(&mut self, pool: usize, class: ClassId) -> bool {
        let spec = &self.setup.cluster.pools[pool];
        spec.kind.can_have_nodes()
            && (0..spec.offers.len()).any(|offer| {
                let traits = self.traits(pool, offer);
                let traits = self.nodes.intern(traits);
                self.holds_empty(pool, spec.offers[offer].shape, traits, class)
            })
    }

    fn holds_empty(
        &mut self,
        pool: usize,
        shape: crate::cluster::ShapeId,
        traits: TraitsId,
        class: ClassId,
    ) -> bool {
        let class = &self.workloads.classes[class.index()];
        let labels = self.nodes.traits_of(traits);
        let allowed = |c: &Arc<Constraints>| c.allow_node(|key| labels.label(key), None);
        class.constraints.as_ref().is_none_or(allowed)
            && admits(labels, class)
            && self.on_empty(pool, shape, traits, |nodes, slot| nodes.fits(slot, &class.requests))
    }

    /// What is true of an empty node of the pool with its DaemonSet pods.
    pub(super) fn on_empty<T>(
        &mut self,
        pool: usize,
        shape: crate::cluster::ShapeId,
        traits: TraitsId,
        ask: impl FnOnce(&mut Nodes, Slot) -> T,
    ) -> T {
        let workloads = self.workloads;
        let init = NodeInit {
            pool: PoolId(pool as u32),
            shape,
            zone: crate::cluster::ZoneId(0),
            purchase: Purchase::OnDemand,
            traits,
            allocatable: self.setup.cluster.shapes[shape.index()].allocatable.clone(),
            record: u32::MAX,
        };
        let daemons = self.daemons_on(traits);
        let mark = self.nodes.begin();
        let slot = self.nodes.add(&init, false);
        for daemon in daemons {
            let template = workloads.daemons[daemon as usize].template;
            let class = workloads.templates[template.index()].class;
            let pod = &workloads.classes[class.index()];
            if self.nodes.fits(slot, &pod.requests) {
                self.nodes.place_pod(slot, class, pod);
            }
        }
        let answer = ask(&mut self.nodes, slot);
        self.nodes.rollback(mark);
        answer
    }
}

/// Requests of a DaemonSet's pod.
pub(super) fn daemon_requests(workloads: &Workloads, daemon: u32) -> &Requests {
    let template = workloads.daemons[daemon as usize].template;
    let class = workloads.templates[template.index()].class;
    &workloads.classes[class.index()].requests
}

fn count(counts: &mut PoolCounts, init: &NodeInit, more: bool) {
    let zone = init.zone.index();
    if counts.by_zone.len() <= zone {
        counts.by_zone.resize(zone + 1, 0);
    }
    let purchase = match init.purchase {
        Purchase::OnDemand => &mut counts.on_demand,
        Purchase::Spot => &mut counts.spot,
    };
    for n in [purchase, &mut counts.by_zone[zone]] {
        if more {
            *n += 1;
        } else {
            *n -= 1;
        }
    }
}
