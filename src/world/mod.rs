//! The world: composes cluster, place, scale and lifecycle into what the
//! engine runs, and states facts to the observers.
//!
//! One file per subject: `pods` (submission, scheduling, endings), `nodes`
//! (launch to termination), `fargate`, `services`, `autoscale`; `ecs` and
//! `managed_scaling` where ECS is the orchestrator. Each decision is
//! asked of the room that owns it; here it only takes effect.

mod autoscale;
#[cfg(test)]
mod backlog;
mod diagnosis;
mod ecs;
mod ecs_probe;
#[cfg(test)]
mod ecs_tests;
mod event;
mod fargate;
mod held;
mod idle;
mod managed_scaling;
mod nodes;
mod pods;
mod preemption;
#[cfg(test)]
mod preemption_tests;
mod probe;
mod rejection;
mod services;
mod setup;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod volume_tests;

pub use setup::{Ecs, EcsWorkload, Horizon, Setup};

use crate::cluster::{NodeTraits, Nodes, Pod, Pods};
use crate::lifecycle::{Reclaims, SpotPrices};
use crate::observe::probe::Probe;
use crate::observe::{KeepPods, Observer, Owner, PodEnd, Record, RejectReason};
use crate::place::{KubeScheduler, SchedulerProfile};
use crate::sim::{self, EventQueue};
use crate::units::{Bytes, MilliCpu, SimDuration, SimTime};
use crate::workload::{ClassId, TemplateId, WorkloadKind, Workloads};

use autoscale::Autoscaling;
use ecs::EcsState;
use event::{Event, phase};
use fargate::FargatePool;
use nodes::{NodeLife, PoolState};
use preemption::Preempting;
use services::ServiceState;

/// Simulates one cell and returns its record.
///
/// # Panics
/// If an invariant breaks: pod instances lost, a node asked for more than it
/// has, time going back. These are errors of the simulation, not of its input.
#[must_use]
pub fn run(setup: &Setup, workloads: &Workloads, seed: u64, keep: KeepPods) -> Record {
    simulate(setup, workloads, seed, keep, None).0
}

/// As [`run`], with a probe: the record is the same, and the probe comes back
/// with what it found.
///
/// # Panics
/// As [`run`].
#[must_use]
pub fn run_watched(
    setup: &Setup,
    workloads: &Workloads,
    seed: u64,
    keep: KeepPods,
    probe: Probe,
) -> (Record, Probe) {
    let (record, watched) = simulate(setup, workloads, seed, keep, Some(Box::new(probe.clone())));
    (record, watched.map_or(probe, |watched| *watched))
}

fn simulate(
    setup: &Setup,
    workloads: &Workloads,
    seed: u64,
    keep: KeepPods,
    probe: Option<Box<Probe>>,
) -> (Record, Option<Box<Probe>>) {
    let mut queue = EventQueue::new();
    let mut world = World::new(setup, workloads, seed, keep);
    world.observer.probe = probe;
    world.start(&mut queue);
    let (events, last) = sim::run(&mut world, &mut queue);
    world.finish(events, last)
}

/// Position in one trace.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    row: usize,
    /// Pods submitted from the trace so far: the next one's ordinal.
    pods: u64,
}

/// Facts about a template that the path needs.
#[derive(Debug, Clone, Copy)]
struct TemplateFacts {
    class: ClassId,
    owner: Owner,
    batch: bool,
    /// How long its gates hold it back.
    gated_for: SimDuration,
    /// Cpu and memory that it requests without its sidecars.
    own: (MilliCpu, Bytes),
    /// Whether it has sidecars.
    injected: bool,
    /// The Fargate pool that takes it, and the size it gets there, or why it
    /// gets none.
    fargate: Option<(u32, Result<u32, RejectReason>)>,
}

struct World<'a> {
    setup: &'a Setup,
    workloads: &'a Workloads,
    seed: u64,
    nodes: Nodes,
    pods: Pods,
    scheduler: KubeScheduler,
    /// Of the scheduler, by the number that classes have.
    profiles: Vec<SchedulerProfile>,
    observer: Observer,
    reclaims: Reclaims,
    spot_prices: SpotPrices<'a>,
    templates: Vec<TemplateFacts>,
    cursors: Vec<Cursor>,
    /// The trace whose next row is due first, and when.
    due: Option<(usize, SimTime)>,
    pools: Vec<PoolState>,
    /// Record of each named node of the cluster.
    members: Vec<u32>,
    /// By node record.
    lives: Vec<NodeLife>,
    /// Nodes metered now, in order of their start.
    alive: Vec<u32>,
    /// The time of the event being handled.
    now: SimTime,
    /// Daemons on a node with these traits, by traits id.
    daemons: Vec<Option<Vec<u32>>>,
    fargate: Vec<FargatePool>,
    services: Vec<ServiceState>,
    autoscaling: Option<Autoscaling>,
    /// Amazon ECS in place of scheduler and autoscaler.
    ecs: Option<EcsState<'a>>,
    /// Whether any pool could ever hold the class; by class, once asked.
    reachable: Vec<Option<Result<(), RejectReason>>>,
    /// By template: the set of pools that may hold its pods, once one was bound.
    held_as: Vec<u8>,
    /// The scheduler works until then, microseconds.
    busy_until_us: i64,
    /// When the scheduler next looks at its queue.
    schedule_at: SimTime,
    /// When the queue was promised to be looked at again.
    wake_at: SimTime,
    attempts: u64,
    /// Batch pods alive or billed.
    batch_live: u64,
    /// Reused by drains and reclaims.
    scratch: Vec<crate::cluster::PodId>,
    preempting: Preempting,
    stirs: idle::Stirs,
    /// Whether nodes have names: some class has constraints, which may ask for
    /// them.
    named: bool,
    over: bool,
    ended_at: Option<SimTime>,
}

impl<'a> World<'a> {
    fn new(setup: &'a Setup, workloads: &'a Workloads, seed: u64, keep: KeepPods) -> Self {
        let spec = &*setup.cluster;
        let templates = workloads
            .templates
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let id = TemplateId(i as u32);
                let info = &workloads.workloads[t.workload.index()];
                let namespace = &workloads.namespaces[t.namespace.index()];
                let fargate = spec
                    .fargate_of(&info.name, namespace)
                    // On ECS the capacity provider of each task decides.
                    .filter(|_| setup.ecs.is_none())
                    .map(|pool| (pool as u32, fargate::size_for(spec, workloads, pool, t.class)));
                TemplateFacts {
                    class: t.class,
                    owner: Owner { workload: t.workload, namespace: t.namespace },
                    batch: info.kind == WorkloadKind::Batch,
                    gated_for: t.life.gated_for,
                    own: workloads.own_requests(id),
                    injected: !workloads.injected(id).is_empty(),
                    fargate,
                }
            })
            .collect();
        let profiles = setup.profiles();
        let mut nodes = Nodes::new(workloads.extended.len());
        nodes.volume_limit = workloads.volume_limit();
        World {
            setup,
            workloads,
            seed,
            nodes,
            pods: Pods::default(),
            scheduler: KubeScheduler::new(&profiles, &workloads.classes)
                .with_preemptors(preemption::preemptors(workloads)),
            profiles,
            observer: Observer::new(
                setup.start_unix_ms,
                setup.warmup,
                workloads.workloads.len(),
                workloads.extended.len(),
                keep,
            ),
            reclaims: Reclaims::new(seed, setup.spot.shock_share),
            spot_prices: SpotPrices::new(seed, spec),
            templates,
            cursors: vec![Cursor::default(); workloads.traces.len()],
            due: None,
            pools: spec.pools.iter().map(|_| PoolState::default()).collect(),
            members: vec![u32::MAX; spec.members.len()],
            lives: Vec::new(),
            alive: Vec::new(),
            now: SimTime::ZERO,
            daemons: Vec::new(),
            fargate: spec.fargate.iter().map(FargatePool::new).collect(),
            services: workloads.services.iter().map(|s| ServiceState::new(s, workloads)).collect(),
            autoscaling: setup.autoscaler.as_ref().map(|c| Autoscaling::new(c, spec, seed)),
            ecs: setup.ecs.as_ref().map(|ecs| EcsState::new(ecs, setup, workloads)),
            reachable: vec![None; workloads.classes.len()],
            held_as: vec![held::UNKNOWN; workloads.templates.len()],
            busy_until_us: 0,
            schedule_at: SimTime::NEVER,
            wake_at: SimTime::NEVER,
            attempts: 0,
            batch_live: 0,
            scratch: Vec::new(),
            preempting: Preempting::new(workloads),
            stirs: idle::Stirs::NONE,
            named: workloads.classes.iter().any(|class| class.constraints.is_some()),
            over: false,
            ended_at: None,
        }
    }

    /// Schedules what is known from the beginning.
    fn start(&mut self, queue: &mut EventQueue<Event>) {
        self.plan_end(queue);
        if self.setup.warmup > SimTime::ZERO {
            queue.push(self.setup.warmup, phase::BOUNDARY, Event::WarmedUp);
        }
        queue.push(self.observer.next_midnight(SimTime::ZERO).0, phase::BOUNDARY, Event::Midnight);
        self.find_due();
        self.start_pools(queue);
        self.start_services(queue);
    }

    fn find_due(&mut self) {
        self.due = self
            .workloads
            .traces
            .iter()
            .zip(&self.cursors)
            .enumerate()
            .filter_map(|(i, (t, c))| t.trace.arrival_ms.get(c.row).map(|at| (i, SimTime(*at))))
            .min_by_key(|(i, at)| (*at, *i));
    }

    /// Everything that drew its last breath: ends what still lives.
    fn finish(mut self, events: u64, last: SimTime) -> (Record, Option<Box<Probe>>) {
        let end = self.ended_at.unwrap_or(last);
        self.watch_end();
        for id in self.pods.live() {
            let pod = self.pods[id];
            let fate = match pod.state {
                crate::cluster::PodState::Pending => PodEnd::Pending,
                _ if pod.running <= end => PodEnd::Running,
                _ => PodEnd::Starting,
            };
            let workload = self.templates[pod.template.index()].owner.workload;
            self.observer.ended(workload, &pod, fate, end);
        }
        self.finish_fargate(end);
        let demand = self.finish_services(end);
        self.finish_nodes(end);
        let cluster = &self.setup.cluster;
        let probe = self.observer.probe.take();
        let mut record = self.observer.finish(end, (events, self.attempts), demand, |node| {
            let allocatable = &cluster.shapes[node.shape.index()].allocatable;
            (allocatable.cpu.0, allocatable.memory.0)
        });
        record.spot_prices = self.spot_prices.until(end);
        (record, probe)
    }

    /// Per workload, the usage integral of one replica up to `now`.
    fn shares(&mut self, now: SimTime) -> Vec<u128> {
        let mut shares = vec![0; self.workloads.workloads.len()];
        for (state, service) in self.services.iter_mut().zip(&self.workloads.services) {
            state.settle(now);
            let workload = self.workloads.templates[service.template.index()].workload;
            shares[workload.index()] = state.share;
        }
        shares
    }

    /// Labels and taints of a node of `pool` bought by `offer`.
    fn traits(&self, pool: usize, offer: usize) -> NodeTraits {
        let pool = &self.setup.cluster.pools[pool];
        let mut labels = pool.offers[offer].labels.clone();
        labels.extend(pool.labels.iter().cloned());
        labels.sort();
        // The pool's own label wins over a well-known one of the same key.
        labels.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same && pool.labels.contains(later) {
                earlier.1.clone_from(&later.1);
            }
            same
        });
        NodeTraits { labels, taints: pool.taints.clone(), unschedulable: false }
    }
}

impl sim::World for World<'_> {
    type Event = Event;
    const STREAM_PHASE: u8 = phase::ARRIVAL;

    fn stream_time(&self) -> Option<SimTime> {
        self.due.map(|(_, at)| at)
    }

    fn stream(&mut self, now: SimTime, queue: &mut EventQueue<Event>) {
        let Some((trace, _)) = self.due else { return };
        self.now = now;
        self.settle(now.ms() * 1_000);
        self.arrive(trace, now, queue);
        self.find_due();
        // Rejected rows may have been the last of the work.
        self.check_idle(now);
    }

    fn handle(&mut self, now: SimTime, event: Event, queue: &mut EventQueue<Event>) {
        self.now = now;
        // What happens now finds the queue as attempts so far have left it;
        // only the autoscaler comes after the scheduler.
        let settled = now.ms() + i64::from(event == Event::Autoscale);
        self.settle(settled * 1_000);
        match event {
            Event::End => {
                self.over = true;
                self.ended_at = Some(now);
            }
            Event::WarmedUp => {
                let shares = self.shares(now);
                self.observer.warmed_up(now, &shares);
                for service in &mut self.services {
                    service.forget();
                }
            }
            Event::Midnight => {
                self.check_stuck(now);
                if self.over {
                    return;
                }
                // The event stands at the first instant of the new day.
                let (next, day) = self.observer.next_midnight(now);
                let shares = self.shares(now);
                self.observer.accounts.next_window(now, &shares, day - 1);
                queue.push(next, phase::BOUNDARY, Event::Midnight);
            }
            Event::Ungated { pod, generation } => self.ungated(pod, generation, now, queue),
            Event::Left(serial) => self.left(serial, now, queue),
            Event::Finish { pod, generation } => self.finish_pod(pod, generation, now, queue),
            Event::Ready { pod, generation } => self.replica_ready(pod, generation, now, queue),
            Event::FargateUp { pod, generation } => self.fargate_up(pod, generation, now, queue),
            Event::FargateNotice { pod, generation } => {
                self.fargate_notice(pod, generation, now, queue);
            }
            Event::FargateRemoved(record) => self.fargate_removed(record, now),
            Event::NodeRunning(node) => self.node_running(node, now, queue),
            Event::NodeReady(node) => self.node_ready(node, now, queue),
            Event::SpotNotice(node) => self.spot_notice(node, now, queue),
            Event::SpotReclaim(node) => self.spot_reclaim(node, now, queue),
            Event::Drain(node) if self.ecs.is_some() => self.ecs_drained(node, now, queue),
            Event::Drain(node) => self.drain_node(node, now, queue),
            Event::Demand(service) => self.demand_changed(service as usize, now, queue),
            Event::QueueWake => self.queue_wake(now, queue),
            Event::Schedule if self.ecs.is_some() => self.ecs_schedule(now, queue),
            Event::Schedule => self.schedule(now, queue),
            Event::Autoscale => {
                self.autoscale(now, queue);
                self.announce_attempts(queue);
            }
            Event::ManagedScaling => self.managed_scaling(now, queue),
        }
    }

    fn done(&self) -> bool {
        self.over
    }
}
