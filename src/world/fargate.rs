//! Fargate: a machine of its own for every matched pod.

use crate::cluster::{ClusterSpec, Pod, PodId, PodState};
use crate::lifecycle::SpotNode;
use crate::observe::{FargateRecord, Place, PodEnd, RejectReason};
use crate::place::LaunchBucket;
use crate::place::fargate::{Refusal, refusal};
use crate::rng::Draws;
use crate::sim::EventQueue;
use crate::units::{SimDuration, SimTime};
use crate::workload::{ClassId, Workloads};

use super::World;
use super::event::{Event, phase};

/// State of one Fargate pool.
#[derive(Debug)]
pub(super) struct FargatePool {
    bucket: LaunchBucket,
    /// Machines ever started: the next one's ordinal.
    started: u64,
}

impl FargatePool {
    pub(super) fn new(spec: &crate::cluster::FargateSpec) -> Self {
        let bucket = LaunchBucket::new(spec.launch_burst, spec.launch_per_second);
        FargatePool { bucket, started: 0 }
    }
}

/// The first, and so cheapest, size that holds a pod of the class with its
/// sidecars and the platform's overhead; or what Fargate does not offer.
pub(super) fn size_for(
    cluster: &ClusterSpec,
    workloads: &Workloads,
    pool: usize,
    class: ClassId,
) -> Result<u32, RejectReason> {
    let spec = &cluster.fargate[pool];
    let class = &workloads.classes[class.index()];
    let requests = &class.requests;
    let extended = !requests.extended.is_empty();
    if let Some(refusal) = refusal(extended, &class.node_selector, class.constraints.as_deref()) {
        return Err(refusal.into());
    }
    let cpu = requests.cpu.0 + spec.sidecar_cpu.0;
    let memory = requests.memory.0 + spec.sidecar_memory.0 + spec.overhead_memory.0;
    let holds = |s: &crate::cluster::FargateSize| s.cpu.0 >= cpu && s.memory.0 >= memory;
    spec.sizes.iter().position(holds).map(|i| i as u32).ok_or(RejectReason::FargateSize)
}

impl From<Refusal> for RejectReason {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Extended => RejectReason::FargateExtended,
            Refusal::Volumes => RejectReason::FargateVolumes,
            Refusal::HostPorts => RejectReason::FargateHostPorts,
            Refusal::Platform => RejectReason::FargatePlatform,
        }
    }
}

impl World<'_> {
    /// A pod asks for a machine.
    pub(super) fn fargate_launch(&mut self, pool: usize, id: PodId, queue: &mut EventQueue<Event>) {
        let pod = &self.pods[id];
        let spec = &self.setup.cluster.fargate[pool];
        let admitted = self.fargate[pool].bucket.admit(self.now);
        let mut draws = Draws::new(self.seed, "fargate-start", pod.ordinal);
        let up = admitted + SimDuration(spec.start_latency.sample_ms(&mut draws));
        let generation = self.pods.generation(id);
        self.watch_machine(id, pool, admitted, up);
        queue.push(up, phase::NODE, Event::FargateUp { pod: id, generation });
    }

    /// The machine is ready: the pod is bound, its image is pulled, and the
    /// bill runs.
    pub(super) fn fargate_up(
        &mut self,
        id: PodId,
        generation: u32,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        if !self.pods.is_current(id, generation) {
            return;
        }
        let template = self.pods[id].template;
        let facts = self.templates[template.index()];
        let Some((pool, size)) = self.fargate_of(&self.pods[id], facts) else { return };
        self.stir(facts.batch, now);
        let pull = self.workloads.templates[template.index()].life.pull;
        let startup = pull.ms() + self.startup_ms(template, self.pods[id].ordinal);
        let record = self.observer.fargate.len() as u32;
        let pod = &mut self.pods[id];
        pod.bound = now;
        pod.running = now + SimDuration(startup);
        pod.state = PodState::OnFargate(record);
        let pod = *pod;
        self.observer.fargate.push(FargateRecord {
            pool,
            size,
            template,
            pull: now,
            running: pod.running,
            finished: SimTime::NEVER,
            removed: SimTime::NEVER,
            used_cpu: pod.used_cpu,
            used_memory: pod.used_memory,
            repeated_ms: 0,
        });
        self.observer.bound(facts.owner.workload, &pod, Place::Fargate(record), now);
        self.holds(&pod, self.setup.cluster.pools.len() as u32 + pool, now);
        self.fargate_requested(&pod, now, 1);
        self.shift_machine(record, now, 1);
        self.schedule_end(id, pod, facts, queue);
        self.plan_notice(id, pool as usize, now, queue);
    }

    /// When Fargate Spot will warn the task, if it ever will.
    fn plan_notice(&mut self, id: PodId, pool: usize, now: SimTime, queue: &mut EventQueue<Event>) {
        let spec = &self.setup.cluster.fargate[pool];
        let ordinal = self.fargate[pool].started;
        self.fargate[pool].started += 1;
        let key = SpotNode { shape: "FARGATE_SPOT", zone: "", pool: &spec.name, ordinal };
        let reclaim = self.reclaims.draw(&key, spec.hazard_per_hour, now);
        if reclaim < SimTime::NEVER {
            let notice = SimTime(reclaim.ms() - self.setup.spot.notice.ms()).max(now);
            let generation = self.pods.generation(id);
            queue.push(notice, phase::NODE, Event::FargateNotice { pod: id, generation });
        }
    }

    /// Requests on a machine begin (1) or cease (-1) to count.
    fn fargate_requested(&mut self, pod: &Pod, now: SimTime, sign: i64) {
        self.observer.requested(self.rates(pod), now, sign);
        for (_, rates) in self.sidecars(pod) {
            self.observer.requested(rates, now, sign);
        }
    }

    fn shift_machine(&mut self, record: u32, now: SimTime, sign: i64) {
        let r = &self.observer.fargate[record as usize];
        let size = self.setup.cluster.fargate[r.pool as usize].sizes[r.size as usize];
        self.observer.timeline.advance(now);
        let levels = &mut self.observer.timeline.levels;
        levels.fargate += sign;
        levels.cpu_allocatable += sign * size.cpu.0;
        levels.memory_allocatable += sign * size.memory.0;
    }

    /// The work on a machine ended. A finished Job pod stays, and bills,
    /// until it is removed.
    pub(super) fn fargate_finished(
        &mut self,
        record: u32,
        id: PodId,
        end: PodEnd,
        now: SimTime,
        queue: &mut EventQueue<Event>,
    ) {
        let pod = self.pods[id];
        self.fargate_requested(&pod, now, -1);
        let retention = if end == PodEnd::Finished && pod.service_index().is_none() {
            self.setup.cluster.fargate[self.observer.fargate[record as usize].pool as usize]
                .job_retention
        } else {
            SimDuration::ZERO
        };
        let r = &mut self.observer.fargate[record as usize];
        r.finished = now;
        r.removed = now + retention;
        if r.running > now {
            r.running = SimTime::NEVER;
        }
        if retention > SimDuration::ZERO {
            queue.push(now + retention, phase::NODE, Event::FargateRemoved(record));
        } else {
            self.shift_machine(record, now, -1);
        }
    }

    /// Whether the finished pod's machine is still to be removed.
    pub(super) fn fargate_retains(&self, pod: &crate::cluster::Pod) -> bool {
        match pod.state {
            PodState::OnFargate(record) => {
                let r = &self.observer.fargate[record as usize];
                r.removed > r.finished
            }
            _ => false,
        }
    }

    /// A finished Job pod is removed.
    pub(super) fn fargate_removed(&mut self, record: u32, now: SimTime) {
        self.shift_machine(record, now, -1);
        self.batch_live -= 1;
        self.stir(true, now);
        self.check_idle(now);
    }

    /// Machines still billed when the run ends.
    pub(super) fn finish_fargate(&mut self, end: SimTime) {
        for r in &mut self.observer.fargate {
            r.finished = r.finished.min(end);
            r.removed = r.removed.min(end);
            if r.running > end {
                r.running = SimTime::NEVER;
            }
        }
    }
}
