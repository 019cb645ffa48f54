//! Where the probe is told what happens on Amazon ECS. Without one every
//! function here returns at once.

use std::collections::BTreeMap;

use crate::cluster::{Pod, PodId, PodState, PoolId, Slot};
use crate::observe::probe::{Follow, Probe};
use crate::observe::probe_ecs::{EcsReach, EcsStory, Named, ProviderChoice, Sight, Woken};
use crate::place::ecs::plain::{self, Placed, Task, Unfit, decide, lacking};
use crate::place::ecs::query::Expr;
use crate::place::ecs::{Constraint, Host, NO_PROVIDER, TaskGroup, host_ports};
use crate::rng::Draws;
use crate::units::SimTime;

use super::World;
use super::nodes::NodePhase;

impl World<'_> {
    fn ecs_story(&mut self) -> Option<&mut EcsStory> {
        match self.observer.probe.as_deref_mut() {
            Some(Probe::Follow(follow)) => follow.on_ecs(),
            _ => None,
        }
    }

    /// The task that is followed, if it waits for an instance.
    fn ecs_waiting(&self) -> Option<(PodId, TaskGroup)> {
        let Some(Probe::Follow(follow)) = self.observer.probe.as_deref() else { return None };
        let id = Follow::live(follow)?;
        let pod = self.pods[id];
        let facts = self.templates[pod.template.index()];
        let owner = facts.owner.workload.index() as u32;
        let waits = pod.state == PodState::Pending && !self.is_fargate(pod.provider);
        waits.then_some((id, TaskGroup { class: facts.class, owner, provider: pod.provider }))
    }

    /// A task was submitted or rejected.
    #[inline]
    pub(super) fn watch_ecs_submitted(
        &mut self,
        pod: &Pod,
        group: TaskGroup,
        choice: Option<ProviderChoice>,
        rejected: bool,
    ) {
        let Some(Probe::Follow(follow)) = self.observer.probe.as_deref_mut() else { return };
        if !follow.is_of(pod) {
            return;
        }
        let reach = if rejected && !self.is_fargate(group.provider) {
            self.ecs_reach(group)
        } else {
            Vec::new()
        };
        if let Some(story) = self.ecs_story() {
            story.choice = choice;
            story.provider = (group.provider != NO_PROVIDER).then_some(group.provider);
            story.reach = reach;
        }
    }

    /// An attempt is about to be made: what does it see, if it is one of the
    /// task that is followed?
    #[inline]
    pub(super) fn watch_ecs_attempt(
        &self,
        id: PodId,
        group: TaskGroup,
        draws: &Draws,
    ) -> Option<Box<Sight>> {
        self.observer.probe.as_ref()?;
        let (watched, _) = self.ecs_waiting()?;
        (watched == id).then(|| Box::new(self.ecs_sight(group, &mut draws.clone())))
    }

    /// The task was placed.
    pub(super) fn watch_ecs_placed(&mut self, saw: Option<Box<Sight>>, slot: Slot, now: SimTime) {
        let Some(saw) = saw else { return };
        let node = self.nodes.record[slot.index()];
        if let Some(story) = self.ecs_story() {
            story.placed(now, node, *saw);
        }
    }

    /// Everything that can be placed now is: does the task still wait?
    #[inline]
    pub(super) fn watch_ecs_waits(&mut self, now: SimTime) {
        if self.observer.probe.is_none() {
            return;
        }
        let Some((_, group)) = self.ecs_waiting() else { return };
        // A draw that finds nothing to draw from.
        let saw = self.ecs_sight(group, &mut Draws::new(0, "none", 0));
        if let Some(story) = self.ecs_story() {
            story.waits(now, saw);
        }
    }

    /// An instance gained room or tasks: can it take the task?
    #[inline]
    pub(super) fn watch_ecs_woken(&mut self, slot: Slot, by: Woken, now: SimTime) {
        if self.observer.probe.is_none() {
            return;
        }
        let Some((_, group)) = self.ecs_waiting() else { return };
        let requests = &self.workloads.classes[group.class.index()].requests;
        let holds = group.pool().is_none_or(|p| p == self.nodes.pool[slot.index()])
            && self.nodes.fits(slot, requests)
            && self.ecs.as_ref().is_some_and(|ecs| {
                ecs.placer.admits(&self.nodes, group.class, group.owner as usize, slot)
            });
        let node = self.nodes.record[slot.index()];
        if holds && let Some(story) = self.ecs_story() {
            story.woken(now, node, by);
        }
    }

    /// Managed scaling raised the desired size of a pool.
    #[inline]
    pub(super) fn watch_ecs_scale_out(&mut self, pool: usize, from: u32, to: u32, now: SimTime) {
        if self.observer.probe.is_none() {
            return;
        }
        let Some((_, group)) = self.ecs_waiting() else { return };
        if usize::from(group.provider) == pool
            && let Some(story) = self.ecs_story()
        {
            story.scaled_out(now, PoolId(pool as u32), from, to);
        }
    }

    /// What the plain evaluator says of every instance.
    fn ecs_sight(&self, group: TaskGroup, draws: &mut Draws) -> Sight {
        let Some(ecs) = &self.ecs else { return Sight::default() };
        let classes = &self.workloads.classes;
        let mut tasks: Vec<Placed<'_>> = Vec::new();
        for node in &self.alive {
            let life = &self.lives[*node as usize];
            let daemons = life.daemons.iter().map(|d| self.workloads.daemons[*d as usize].template);
            let others = self.pods.on(life.slot).map(|id| self.pods[id].template);
            for template in daemons.chain(others) {
                let facts = self.templates[template.index()];
                let ports = host_ports(&classes[facts.class.index()]);
                tasks.push(Placed {
                    slot: life.slot,
                    group: ecs.placer.group_name(facts.owner.workload.index()),
                    ports: if ecs.spec.shared_ports { ports } else { &[] },
                });
            }
        }
        let cluster = plain::Cluster {
            nodes: &self.nodes,
            registered: ecs.placer.registered(),
            agent_version: ecs.placer.agent_version(),
            tasks: &tasks,
        };
        let spec = &ecs.spec.workloads[group.owner as usize];
        let class = &classes[group.class.index()];
        let task = Task {
            requests: &class.requests,
            ports: if ecs.spec.shared_ports { host_ports(class) } else { &[] },
            group: ecs.placer.group_name(group.owner as usize),
            constraints: &spec.constraints,
            strategy: &spec.strategy,
            pool: group.pool(),
        };
        let found = decide(&cluster, &task, draws);
        let record = |slot: &Slot| self.nodes.record[slot.index()];
        let mut sight = Sight {
            instances: found.eligible.len() as u32,
            eligible: found.eligible.iter().map(record).collect(),
            narrowed: found
                .steps
                .iter()
                .map(|step| (step.rule.clone(), step.least, step.left.iter().map(record).collect()))
                .collect(),
            ..Sight::default()
        };
        let mut unfit: BTreeMap<Unfit, Named> = BTreeMap::new();
        for (slot, reasons) in found.unfit {
            let node = record(&slot);
            if self.lives[node as usize].phase == NodePhase::Booting {
                sight.booting += 1;
                continue;
            }
            sight.instances += 1;
            for reason in reasons {
                unfit.entry(reason).or_default().add(node);
            }
        }
        sight.unfit = unfit.into_iter().collect();
        sight
    }

    /// What keeps a task off an empty instance of every kind.
    fn ecs_reach(&mut self, group: TaskGroup) -> Vec<EcsReach> {
        let mut all: Vec<EcsReach> = Vec::new();
        for pool in 0..self.setup.cluster.pools.len() {
            if group.pool().is_some_and(|p| p.index() != pool) {
                continue;
            }
            let spec = &self.setup.cluster.pools[pool];
            for offer in 0..spec.offers.len() {
                let traits = self.traits(pool, offer);
                let traits = self.nodes.intern(traits);
                let class = &self.workloads.classes[group.class.index()];
                let shape = spec.offers[offer].shape;
                let (mut unfit, free) = self.on_empty(pool, shape, traits, |nodes, slot| {
                    let i = slot.index();
                    let free = (
                        nodes.alloc_cpu[i] - nodes.cpu[i],
                        nodes.alloc_memory[i] - nodes.memory[i],
                    );
                    (lacking(nodes, slot, &class.requests), free)
                });
                if let Some(ecs) = &self.ecs {
                    if ecs.spec.shared_ports {
                        let kept =
                            host_ports(class).iter().filter(|p| crate::place::ecs::is_reserved(p));
                        unfit.extend(kept.map(|p| Unfit::Port(p.port)));
                    }
                    let host = Host {
                        traits: self.nodes.traits_of(traits),
                        agent_version: ecs.placer.agent_version(),
                        registered: None,
                        tasks: None,
                    };
                    for constraint in &ecs.spec.workloads[group.owner as usize].constraints {
                        if let Constraint::MemberOf(expr) = constraint
                            && expr.holds(&host) == Some(false)
                        {
                            let parts = expr.failing(&host).into_iter();
                            unfit.push(Unfit::MemberOf(parts.map(Expr::to_string).collect()));
                        }
                    }
                }
                let reach = EcsReach {
                    pool: PoolId(pool as u32),
                    shape,
                    can_have_nodes: spec.kind.can_have_nodes(),
                    unfit,
                    free_cpu: free.0,
                    free_memory: free.1,
                };
                if !all.contains(&reach) {
                    all.push(reach);
                }
            }
        }
        all
    }
}
