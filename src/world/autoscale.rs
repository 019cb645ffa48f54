//! The Cluster Autoscaler's loop in the world: what it is shown, what its
//! decisions do, and when it may be skipped.
//!
//! Tickless: the loop keeps its phase (multiples of the scan interval), but a
//! loop runs only after something changed that it looks at, or when the
//! autoscaler itself said that its answer may change with time.

use crate::cluster::{ClusterSpec, PodId, PoolKind, Slot};
use crate::observe::PodEnd;
use crate::scale::cluster_autoscaler::{
    ClusterAutoscaler, Config, Decisions, Group, Input, Member, MemberState, NodeTemplate,
    PendingGroup, PodOnNode, PodRole, Ties,
};
use crate::sim::EventQueue;
use crate::units::SimTime;

use super::World;
use super::event::{Event, phase};
use super::nodes::{NodePhase, daemon_requests};

/// The autoscaler and what the world keeps for it.
#[derive(Debug)]
pub(super) struct Autoscaling {
    scaler: ClusterAutoscaler,
    /// Pools it may resize, in order.
    pools: Vec<usize>,
    /// By pool: index into `pools`.
    group_of_pool: Vec<Option<u32>>,
    /// Synthetic templates by group, once asked for.
    synthetic: Vec<Option<NodeTemplate>>,
    /// What it is doing with nodes, by node record.
    deleting: Vec<Option<MemberState>>,
    last_run: SimTime,
    /// The next loop that is scheduled.
    planned: SimTime,
}

impl Autoscaling {
    pub(super) fn new(config: &Config, cluster: &ClusterSpec, seed: u64) -> Self {
        let autoscaled = |pool: &usize| {
            let kind = &cluster.pools[*pool].kind;
            matches!(kind, PoolKind::AutoScalingGroup { autoscaled: true, .. })
        };
        let pools: Vec<usize> = (0..cluster.pools.len()).filter(autoscaled).collect();
        let mut group_of_pool = vec![None; cluster.pools.len()];
        for (group, pool) in pools.iter().enumerate() {
            group_of_pool[*pool] = Some(group as u32);
        }
        Autoscaling {
            scaler: ClusterAutoscaler::new(config.clone(), Ties::Seeded(seed)),
            synthetic: vec![None; pools.len()],
            pools,
            group_of_pool,
            deleting: Vec::new(),
            last_run: SimTime(-1),
            planned: SimTime::NEVER,
        }
    }
}

impl World<'_> {
    /// Something changed that the autoscaler looks at.
    pub(super) fn autoscaler_dirty(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        let Some(scaling) = &self.autoscaling else { return self.ecs_dirty(now, queue) };
        // A loop already planned for the next beat sees the change.
        if scaling.planned <= now + scaling.scaler.config().scan_interval {
            return;
        }
        self.plan_loop(now, now, queue);
    }

    /// Plans the first loop at or after `due` in the loop's own phase.
    fn plan_loop(&mut self, now: SimTime, due: SimTime, queue: &mut EventQueue<Event>) {
        let Some(scaling) = &mut self.autoscaling else { return };
        let interval = scaling.scaler.config().scan_interval.ms().max(1);
        let due = due.max(now).ms();
        let mut at = (due + interval - 1) / interval * interval;
        if at <= scaling.last_run.ms() {
            at += interval;
        }
        if SimTime(at) < scaling.planned || scaling.planned <= now {
            scaling.planned = SimTime(at);
            queue.push(SimTime(at), phase::AUTOSCALE, Event::Autoscale);
        }
    }

    /// One loop.
    pub(super) fn autoscale(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        let Some(scaling) = &self.autoscaling else { return };
        if scaling.planned != now {
            // Superseded by an earlier loop.
            return;
        }
        let groups = self.groups();
        let members = self.members();
        let pending = self.pending_groups();
        let Some(mut scaling) = self.autoscaling.take() else { return };
        let pods_on = |slot: Slot, out: &mut Vec<PodOnNode>| self.list_pods(slot, out);
        let decisions = scaling.scaler.run_once(&Input {
            now,
            nodes: &self.nodes,
            shapes: &self.setup.cluster.shapes,
            classes: &self.workloads.classes,
            groups: &groups,
            members: &members,
            pending: &pending,
            pods_on: &pods_on,
        });
        scaling.last_run = now;
        scaling.planned = SimTime::NEVER;
        let next = scaling.scaler.next_run();
        self.autoscaling = Some(scaling);
        self.carry_out(&decisions, now, queue);
        let again = self
            .autoscaling
            .as_mut()
            .filter(|s| decisions.productive && s.scaler.config().frequent_loops);
        if let Some(scaling) = again {
            // `frequent-loops-enabled`: a productive loop is followed at once.
            scaling.planned = now;
            queue.push(now, phase::AUTOSCALE, Event::Autoscale);
        } else if let Some(next) = next {
            self.plan_loop(now, next, queue);
        }
    }

    fn carry_out(&mut self, decisions: &Decisions, now: SimTime, queue: &mut EventQueue<Event>) {
        if let Some(up) = &decisions.scale_up {
            let pool = up.pool.index();
            self.watch_scale_up(up.pool, self.pools[pool].desired, up.to, now);
            self.pools[pool].desired = up.to;
            self.launch_to_desired(pool, now, queue);
        }
        let delay = match &self.autoscaling {
            Some(s) => s.scaler.config().node_delete_delay_after_taint,
            None => return,
        };
        for (slots, state) in [
            (&decisions.delete_empty, MemberState::DeletingEmpty),
            (&decisions.drain, MemberState::Draining),
        ] {
            for slot in slots {
                let node = self.nodes.record[slot.index()];
                if let Some(scaling) = &mut self.autoscaling {
                    scaling.deleting.resize(self.lives.len(), None);
                    scaling.deleting[node as usize] = Some(state);
                }
                self.cordon(node, now);
                queue.push(now + delay, phase::NODE, Event::Drain(node));
            }
        }
        // DIFFERENCE: the soft deletion-candidate taint is not put on nodes, so
        // the scheduler does not prefer others while they wait.
    }

    /// A node the autoscaler deletes is drained: its pods are evicted.
    pub(super) fn drain_node(&mut self, node: u32, now: SimTime, queue: &mut EventQueue<Event>) {
        if self.lives[node as usize].phase == NodePhase::Gone {
            return;
        }
        self.displace_all(node, PodEnd::Evicted, now, queue);
        let pool = self.lives[node as usize].init.pool.index();
        self.pools[pool].desired -= 1;
        self.terminate(node, crate::observe::NodeEnd::ScaledDown, now, queue);
        self.autoscaler_dirty(now, queue);
    }

    fn groups(&mut self) -> Vec<Group> {
        let Some(scaling) = &self.autoscaling else { return Vec::new() };
        let pools = scaling.pools.clone();
        let mut groups = Vec::with_capacity(pools.len());
        for (index, pool) in pools.into_iter().enumerate() {
            let spec = &self.setup.cluster.pools[pool];
            let (min, max) = match spec.kind {
                PoolKind::AutoScalingGroup { min, max, .. } => (min, max),
                PoolKind::Fixed { count } => (count, count),
            };
            let Some(synthetic) = self.synthetic(index, pool) else { continue };
            let state = &self.pools[pool];
            groups.push(Group {
                pool: crate::cluster::PoolId(pool as u32),
                min,
                max,
                target: state.desired,
                upcoming: state.coming,
                utilization_threshold: None,
                unneeded_time: None,
                synthetic,
            });
        }
        groups
    }

    /// The template of a group before a node of it was seen: its first offer.
    fn synthetic(&mut self, group: usize, pool: usize) -> Option<NodeTemplate> {
        if let Some(known) = self.autoscaling.as_ref()?.synthetic.get(group)? {
            return Some(known.clone());
        }
        let cluster = &self.setup.cluster;
        let shape = &cluster.shapes[cluster.pools[pool].offers.first()?.shape.index()];
        let traits = self.traits(pool, 0);
        let traits = self.nodes.intern(traits);
        let daemons = self
            .daemons_on(traits)
            .into_iter()
            .map(|d| daemon_requests(self.workloads, d).clone())
            .collect();
        let template = NodeTemplate::synthetic(shape, traits, daemons);
        self.autoscaling.as_mut()?.synthetic[group] = Some(template.clone());
        Some(template)
    }

    fn members(&self) -> Vec<Member> {
        let Some(scaling) = &self.autoscaling else { return Vec::new() };
        self.alive
            .iter()
            .map(|node| (node, &self.lives[*node as usize]))
            .filter(|(node, life)| match life.phase {
                NodePhase::Ready => true,
                // One that Spot takes back is no business of the autoscaler.
                NodePhase::Draining => {
                    scaling.deleting.get(**node as usize).is_some_and(Option::is_some)
                }
                _ => false,
            })
            .map(|(&node, life)| Member {
                slot: life.slot,
                group: scaling.group_of_pool[life.init.pool.index()],
                ready_since: self.observer.nodes[node as usize].ready,
                state: scaling
                    .deleting
                    .get(node as usize)
                    .copied()
                    .flatten()
                    .unwrap_or(MemberState::Ready),
                soft_tainted: false,
            })
            .collect()
    }

    /// Unschedulable pods by class. Of a long list only the heads are looked
    /// at: the autoscaler asks for the oldest only to spare very new pods.
    fn pending_groups(&self) -> Vec<PendingGroup> {
        let Some(scaling) = &self.autoscaling else { return Vec::new() };
        let guard = scaling.scaler.config().very_new_pod_guard;
        let delay = scaling.scaler.config().new_pod_scale_up_delay;
        let settled = SimTime(self.now.ms() - guard.ms().max(delay.ms()));
        self.scheduler
            .queue
            .unschedulable_classes()
            .filter_map(|(class, count)| {
                // A nominated pod has its place: no node is bought for it.
                let count = count - self.scheduler.nominations_of(class);
                if count == 0 {
                    return None;
                }
                let mut oldest = SimTime::NEVER;
                for id in self.scheduler.queue.unschedulable_pods(class) {
                    oldest = oldest.min(self.pods[id].submitted);
                    if oldest <= settled {
                        break;
                    }
                }
                Some(PendingGroup { class, count, oldest })
            })
            .collect()
    }

    /// The pods of a node, DaemonSet pods first.
    fn list_pods(&self, slot: Slot, out: &mut Vec<PodOnNode>) {
        let node = self.nodes.record[slot.index()];
        for daemon in &self.lives[node as usize].daemons {
            let template = self.workloads.daemons[*daemon as usize].template;
            let class = self.workloads.templates[template.index()].class;
            out.push(PodOnNode { class, role: PodRole::Daemon });
        }
        let on: Vec<PodId> = self.pods.on(slot).collect();
        for id in on.into_iter().rev() {
            let class = self.templates[self.pods[id].template.index()].class;
            out.push(PodOnNode { class, role: PodRole::Movable });
        }
    }
}
