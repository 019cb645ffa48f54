//! Managed scaling of ECS capacity providers in the world: what a datapoint
//! shows, and what its answer does to the Auto Scaling group.
//!
//! A datapoint costs O(instances + groups of waiting tasks); one is made only
//! after a change, or when the answer may change by itself.

use rustc_hash::FxHashMap;

use crate::cluster::{NodeShape, PoolKind};
use crate::observe::{NodeEnd, PodEnd};
use crate::place::ecs::{TaskGroup, host_ports};
use crate::scale::ecs_capacity::{DATAPOINT, Observed, Waiting, next_datapoint};
use crate::sim::EventQueue;
use crate::units::{HOUR_MS, SimTime};
use crate::workload::constraints::HostPort;
use crate::workload::{ClassId, Requests};

use super::World;
use super::ecs::NO_PROVIDER;
use super::event::{Event, phase};
use super::nodes::{NodePhase, daemon_requests};

impl World<'_> {
    /// Something changed that managed scaling looks at.
    pub(super) fn ecs_dirty(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        let Some(ecs) = &mut self.ecs else { return };
        if ecs.scalers.iter().all(Option::is_none) {
            return;
        }
        let mut at = next_datapoint(now);
        if at <= ecs.last {
            at = ecs.last + DATAPOINT;
        }
        if at < ecs.planned {
            ecs.planned = at;
            queue.push(at, phase::AUTOSCALE, Event::ManagedScaling);
        }
    }

    /// The datapoint of every provider.
    pub(super) fn managed_scaling(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        let Some(ecs) = &mut self.ecs else { return };
        if ecs.planned != now {
            // Superseded by an earlier one.
            return;
        }
        (ecs.last, ecs.planned) = (now, SimTime::NEVER);
        let oldest = ecs.waiting.oldest(ecs.spec.provisioning_limit as usize);
        let mut next = SimTime::NEVER;
        for pool in 0..self.pools.len() {
            let waiting = self.alike(pool, &oldest);
            let Some(observed) = self.observe_provider(pool) else { continue };
            let Some(scaler) = self.ecs.as_mut().and_then(|e| e.scalers[pool].as_mut()) else {
                continue;
            };
            let answer = scaler.datapoint(now, &observed, &waiting);
            next = next.min(answer.next.unwrap_or(SimTime::NEVER));
            if let Some(to) = answer.raise_to {
                self.watch_ecs_scale_out(pool, self.pools[pool].desired, to, now);
                self.pools[pool].desired = to;
                self.launch_to_desired(pool, now, queue);
            }
            if answer.remove > 0 && self.scale_in(pool, answer.remove, now, queue) == 0 {
                // Every instance is protected: only a change can help.
                next = if next == now + DATAPOINT { SimTime::NEVER } else { next };
            }
        }
        if let Some(ecs) = &mut self.ecs
            && next < ecs.planned
        {
            ecs.planned = next;
            queue.push(next, phase::AUTOSCALE, Event::ManagedScaling);
        }
    }

    /// The waiting tasks of a pool, put together where they ask for the same:
    /// cpu, memory, extended resources, ports, an instance for each.
    fn alike(&mut self, pool: usize, oldest: &[(TaskGroup, u32)]) -> Vec<Waiting> {
        let mut places: FxHashMap<(&Requests, &[HostPort], bool), usize> = FxHashMap::default();
        let mut waiting: Vec<Waiting> = Vec::new();
        let workloads = self.workloads;
        for (group, count) in oldest {
            if group.provider == NO_PROVIDER || usize::from(group.provider) != pool {
                continue;
            }
            let (mut per_largest, fits_smallest) = self.room_for(pool, group.class);
            let placer = self.ecs.as_ref().map(|ecs| &ecs.placer);
            let alone = placer.is_some_and(|p| p.stands_alone(group.class, group.owner as usize));
            if alone {
                per_largest = per_largest.min(1);
            }
            let class = &workloads.classes[group.class.index()];
            let key = (&class.requests, host_ports(class), alone);
            let place = *places.entry(key).or_insert(waiting.len());
            match waiting.get_mut(place) {
                Some(known) => known.count += count,
                None => waiting.push(Waiting { count: *count, per_largest, fits_smallest }),
            }
        }
        waiting
    }

    fn observe_provider(&self, pool: usize) -> Option<Observed> {
        let scaler = self.ecs.as_ref()?.scalers[pool].as_ref()?;
        let warmup = scaler.settings().instance_warmup_period;
        let PoolKind::AutoScalingGroup { min, max, .. } = self.setup.cluster.pools[pool].kind
        else {
            return None;
        };
        let (mut in_service, mut busy, mut booting) = (0, 0, 0);
        let mut warm_at = None;
        for &node in &self.alive {
            let life = &self.lives[node as usize];
            if life.init.pool.index() != pool {
                continue;
            }
            let times = &self.observer.nodes[node as usize];
            match life.phase {
                NodePhase::Ready => {
                    in_service += 1;
                    busy += u32::from(self.is_busy(node));
                }
                NodePhase::Booting => booting += 1,
                NodePhase::Launching | NodePhase::Draining | NodePhase::Gone => continue,
            }
            // Those that were there at the start are warm.
            if times.requested > SimTime::ZERO {
                warm_at = warm_at.max(Some(times.running + warmup));
            }
        }
        if self.pools[pool].coming > booting {
            warm_at = Some(SimTime::NEVER);
        }
        let desired = self.pools[pool].desired;
        Some(Observed { in_service, busy, desired, min, max, warm_at })
    }

    /// How many tasks of a class an empty instance of the pool's largest type
    /// holds beside the daemon tasks, and whether one of its smallest holds any.
    fn room_for(&mut self, pool: usize, class: ClassId) -> (u32, bool) {
        let key = (pool as u32, class);
        if let Some(known) = self.ecs.as_ref().and_then(|ecs| ecs.room.get(&key)) {
            return *known;
        }
        let cluster = &self.setup.cluster;
        let size = |offer: usize| -> &NodeShape {
            &cluster.shapes[cluster.pools[pool].offers[offer].shape.index()]
        };
        let by_size = |offer: &usize| {
            let shape = size(*offer);
            (shape.capacity.cpu, shape.nominal_memory)
        };
        let offers = 0..cluster.pools[pool].offers.len();
        let (largest, smallest) = (offers.clone().max_by_key(by_size), offers.min_by_key(by_size));
        let mut holds =
            |offer: Option<usize>| offer.map_or(0, |o| self.tasks_on_empty(pool, o, class));
        let known = (holds(largest), holds(smallest) > 0);
        if let Some(ecs) = &mut self.ecs {
            ecs.room.insert(key, known);
        }
        known
    }

    fn tasks_on_empty(&mut self, pool: usize, offer: usize, class: ClassId) -> u32 {
        let traits = self.traits(pool, offer);
        let traits = self.nodes.intern(traits);
        let daemons = self.daemons_on(traits);
        let cluster = &self.setup.cluster;
        let shape = &cluster.shapes[cluster.pools[pool].offers[offer].shape.index()];
        let mut free = shape.allocatable.clone();
        for daemon in daemons {
            let requests = daemon_requests(self.workloads, daemon);
            free.cpu.0 -= requests.cpu.0;
            free.memory.0 -= requests.memory.0;
            free.pods = free.pods.saturating_sub(1);
            for (id, amount) in &requests.extended {
                free.extended[id.index()] -= amount;
            }
        }
        let requests = &self.workloads.classes[class.index()].requests;
        let mut fit = i64::from(free.pods);
        let mut bound = |free: i64, request: i64| {
            if request > 0 {
                fit = fit.min(free.max(0) / request);
            }
        };
        bound(free.cpu.0, requests.cpu.0);
        bound(free.memory.0, requests.memory.0);
        for (id, amount) in &requests.extended {
            bound(free.extended[id.index()], *amount);
        }
        u32::try_from(fit).unwrap_or(u32::MAX)
    }

    /// Removes up to `n` instances; returns how many. Which ones: with managed
    /// termination protection those without tasks; of these as the default
    /// termination policy says: in the zone with most, closest to the end of
    /// an hour of running, the oldest among equals.
    fn scale_in(
        &mut self,
        pool: usize,
        n: u32,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) -> u32 {
        let Some(settings) =
            self.ecs.as_ref().and_then(|e| e.scalers[pool].as_ref()).map(|s| *s.settings())
        else {
            return 0;
        };
        let mut ready: Vec<u32> = self
            .alive
            .iter()
            .copied()
            .filter(|node| {
                let life = &self.lives[*node as usize];
                life.init.pool.index() == pool && life.phase == NodePhase::Ready
            })
            .collect();
        for done in 0..n {
            let zone_of = |node: u32| self.lives[node as usize].init.zone;
            let chosen = (0..ready.len())
                .filter(|i| !settings.managed_termination_protection || !self.is_busy(ready[*i]))
                .max_by_key(|i| {
                    let node = ready[*i];
                    let zone = zone_of(node);
                    let in_zone = ready.iter().filter(|other| zone_of(**other) == zone).count();
                    let ran = (now - self.observer.nodes[node as usize].running).ms();
                    (in_zone, ran.rem_euclid(HOUR_MS), std::cmp::Reverse(node))
                });
            let Some(chosen) = chosen else { return done };
            let node = ready.remove(chosen);
            self.pools[pool].desired -= 1;
            self.uncount(node);
            if settings.managed_draining || !self.is_busy(node) {
                self.ecs_drain(node, now, queue);
            } else {
                self.cordon(node, now);
                self.displace_all(node, PodEnd::Evicted, now, queue);
                self.terminate(node, NodeEnd::ScaledDown, now, queue);
                self.autoscaler_dirty(now, queue);
            }
        }
        n
    }
}
