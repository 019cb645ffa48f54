//! The default observers behind one face: the world states facts, this
//! records them. Static dispatch, no map and no string on the path.

use super::accounts::{Accounts, Owner, PodRates};
use super::held::Held;
use super::pod_hours::PodHours;
use super::probe::Probe;
use super::record::{
    FargateRecord, NodeEnd, NodeRecord, Place, PodCounts, PodEnd, PodRecord, Record, ServiceDemand,
    Totals, WINDOW_MS, Waits,
};
use super::rejection::RejectReason;
use super::timeline::Timeline;
use crate::cluster::{Capacity, Pod, SpotSteps};
use crate::units::SimTime;
use crate::workload::{TemplateId, WorkloadId};

/// Whether every pod instance leaves a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepPods {
    /// One [`PodRecord`] per instance.
    Yes,
    /// Counts and waits only.
    No,
}

/// Records a run.
#[derive(Debug)]
pub struct Observer {
    /// Node and owner integrals.
    pub accounts: Accounts,
    /// Levels over time.
    pub timeline: Timeline,
    /// Every node so far.
    pub nodes: Vec<NodeRecord>,
    /// Every Fargate pod so far.
    pub fargate: Vec<FargateRecord>,
    /// What bound pods hold.
    pub held: Held,
    /// Watches one pod, where somebody asked for it.
    pub probe: Option<Box<Probe>>,
    keep: KeepPods,
    pods: Vec<PodRecord>,
    waits: Vec<Waits>,
    counts: Vec<PodCounts>,
    pod_hours: PodHours,
    warmup: SimTime,
    start_unix_ms: i64,
    /// Milli-core·ms of work thrown away after warm-up.
    repeated: u128,
    metered_now: u32,
    metered_peak: u32,
}

impl Observer {
    /// An observer of `workloads` workloads and `extended` resources.
    #[must_use]
    pub fn new(
        start_unix_ms: i64,
        warmup: SimTime,
        workloads: usize,
        extended: usize,
        keep: KeepPods,
    ) -> Self {
        let window = start_unix_ms.div_euclid(WINDOW_MS) as i32;
        Observer {
            accounts: Accounts::new(window),
            timeline: Timeline::default(),
            nodes: Vec::new(),
            fargate: Vec::new(),
            held: Held::new(start_unix_ms, extended),
            probe: None,
            keep,
            pods: Vec::new(),
            waits: vec![Waits::default(); workloads],
            counts: vec![PodCounts::default(); workloads],
            pod_hours: PodHours::new(start_unix_ms, warmup, workloads),
            warmup,
            start_unix_ms,
            repeated: 0,
            metered_now: 0,
            metered_peak: 0,
        }
    }

    /// The first UTC midnight after `now`, and the day it begins.
    #[must_use]
    pub fn next_midnight(&self, now: SimTime) -> (SimTime, i32) {
        let day = (self.start_unix_ms + now.ms()).div_euclid(WINDOW_MS) + 1;
        (SimTime(day * WINDOW_MS - self.start_unix_ms), day as i32)
    }

    /// A pod instance was created. Returns where its record lies.
    pub fn submitted(&mut self, workload: WorkloadId, template: TemplateId, now: SimTime) -> u32 {
        self.counts[workload.index()].submitted += 1;
        self.timeline.advance(now);
        self.timeline.levels.pending += 1;
        if self.keep == KeepPods::No {
            return u32::MAX;
        }
        self.pods.push(PodRecord {
            template,
            submitted: now,
            bound: SimTime::NEVER,
            running: SimTime::NEVER,
            ended: SimTime::NEVER,
            place: Place::Nowhere,
            end: PodEnd::Pending,
        });
        self.pods.len() as u32 - 1
    }

    /// A pod instance was bound; `pod` carries its times.
    pub fn bound(&mut self, workload: WorkloadId, pod: &Pod, place: Place, now: SimTime) {
        self.timeline.advance(now);
        self.timeline.levels.pending -= 1;
        self.timeline.levels.running += 1;
        self.pod_hours.bound(workload, pod.service_index().is_some(), now);
        if pod.submitted >= self.warmup {
            self.waits[workload.index()].pending_ms.push((pod.bound - pod.submitted).ms());
        }
        if let Some(record) = self.pods.get_mut(pod.record as usize) {
            record.bound = pod.bound;
            record.running = pod.running;
            record.place = place;
        }
        if let Some(probe) = &mut self.probe {
            probe.bound(workload, pod, place);
        }
    }

    /// A pod instance is rejected as it is submitted.
    pub fn rejected(&mut self, workload: WorkloadId, pod: &Pod, reason: RejectReason) {
        self.counts[workload.index()].rejected_by_reason[reason as usize] += 1;
        self.ended(workload, pod, PodEnd::Rejected, pod.submitted);
    }

    /// A pod instance ended, or the run ended over it. `now` is when.
    pub fn ended(&mut self, workload: WorkloadId, pod: &Pod, end: PodEnd, now: SimTime) {
        let counts = &mut self.counts[workload.index()];
        let ran = pod.running <= now;
        counts.started += u64::from(ran);
        match end {
            PodEnd::Finished => counts.finished += 1,
            PodEnd::Running => counts.running_at_end += 1,
            PodEnd::Starting => counts.starting_at_end += 1,
            PodEnd::Pending => counts.pending_at_end += 1,
            PodEnd::Evicted => counts.evicted += 1,
            PodEnd::Interrupted => counts.interrupted += 1,
            PodEnd::Rejected => counts.rejected += 1,
        }
        self.timeline.advance(now);
        let waits = &mut self.waits[workload.index()];
        let counted = pod.submitted >= self.warmup;
        if pod.bound == SimTime::NEVER {
            self.timeline.levels.pending -= 1;
            if counted && end != PodEnd::Rejected {
                waits.pending_ms.push((now - pod.submitted).ms());
                waits.censored += 1;
            }
        } else {
            self.timeline.levels.running -= 1;
            self.pod_hours.ended(workload, now);
            if counted && ran {
                waits.ready_ms.push((pod.running - pod.submitted).ms());
            }
        }
        if let Some(record) = self.pods.get_mut(pod.record as usize) {
            record.ended = now;
            record.end = end;
            if !ran {
                record.running = SimTime::NEVER;
            }
        }
        if let Some(probe) = &mut self.probe {
            probe.ended(workload, pod, end, now);
        }
    }

    /// An interruption threw away `lost_ms` of work at `cpu` milli-cores.
    pub fn repeated(&mut self, cpu: i64, lost_ms: i64, now: SimTime) {
        if now >= self.warmup {
            self.repeated += cpu as u128 * lost_ms as u128;
        }
    }

    /// A node began to be metered.
    pub fn node_running(&mut self, node: u32, slot: usize, allocatable: &Capacity, now: SimTime) {
        self.nodes[node as usize].running = now;
        self.accounts.open(slot, node, allocatable, now);
        self.metered_now += 1;
        self.metered_peak = self.metered_peak.max(self.metered_now);
    }

    /// A node became Ready.
    pub fn node_ready(&mut self, node: u32, slot: usize, allocatable: &Capacity, now: SimTime) {
        self.nodes[node as usize].ready = now;
        self.accounts.serve(slot, now);
        self.timeline.advance(now);
        self.timeline.levels.cpu_allocatable += allocatable.cpu.0;
        self.timeline.levels.memory_allocatable += allocatable.memory.0;
    }

    /// A node was cordoned for good.
    pub fn node_draining(
        &mut self,
        node: u32,
        slot: usize,
        allocatable: &Capacity,
        now: SimTime,
        shares: &[u128],
    ) {
        let record = &mut self.nodes[node as usize];
        record.draining = now;
        self.accounts.drain(slot, now, shares);
        if record.ready <= now {
            self.leaves(allocatable, now);
        }
    }

    /// Metering of a node ended.
    pub fn node_gone(
        &mut self,
        node: u32,
        slot: usize,
        allocatable: &Capacity,
        (now, end): (SimTime, NodeEnd),
        shares: &[u128],
    ) {
        let record = &mut self.nodes[node as usize];
        record.shutting_down = now;
        record.end = end;
        self.accounts.close(slot, now, shares);
        self.metered_now -= 1;
        if record.ready <= now && record.draining == SimTime::NEVER {
            self.leaves(allocatable, now);
        }
    }

    fn leaves(&mut self, allocatable: &Capacity, now: SimTime) {
        self.timeline.advance(now);
        self.timeline.levels.cpu_allocatable -= allocatable.cpu.0;
        self.timeline.levels.memory_allocatable -= allocatable.memory.0;
    }

    /// Requests begin to count on a node.
    #[inline]
    pub fn node_bind(&mut self, slot: usize, owner: Owner, rates: PodRates, now: SimTime) {
        self.accounts.bind(slot, owner, rates, now);
        self.requested(rates, now, 1);
    }

    /// Requests cease to count on a node.
    #[inline]
    pub fn node_unbind(&mut self, slot: usize, owner: Owner, rates: PodRates, now: SimTime) {
        self.accounts.unbind(slot, owner, rates, now);
        self.requested(rates, now, -1);
    }

    /// Moves the requested and used levels by one pod.
    pub fn requested(&mut self, rates: PodRates, now: SimTime, sign: i64) {
        self.timeline.advance(now);
        let levels = &mut self.timeline.levels;
        levels.cpu_requested += sign * rates.cpu;
        levels.memory_requested += sign * (rates.memory << 10);
        levels.cpu_used += sign * rates.used_cpu.max(0);
        levels.memory_used += sign * (rates.used_memory.max(0) << 10);
    }

    /// Forgets what is not to be billed or reported: the warm-up is over.
    pub fn warmed_up(&mut self, now: SimTime, shares: &[u128]) {
        self.accounts.forget(now, shares);
        self.held.forget(now);
    }

    /// Ends the observation. The world has ended every pod and node before.
    ///
    /// # Panics
    /// If pod instances were lost: created must equal the sum of their fates.
    #[must_use]
    pub fn finish(
        mut self,
        end: SimTime,
        (events, attempts): (u64, u64),
        demand: Vec<ServiceDemand>,
        alloc: impl Fn(&NodeRecord) -> (i64, i64),
    ) -> Record {
        for c in &self.counts {
            let fates = c.finished
                + c.running_at_end
                + c.starting_at_end
                + c.pending_at_end
                + c.evicted
                + c.interrupted
                + c.rejected;
            assert_eq!(c.submitted, fates, "conservation of pod instances");
            let reasons: u64 = c.rejected_by_reason.iter().sum();
            assert_eq!(c.rejected, reasons, "every rejection has a reason");
        }
        for w in &mut self.waits {
            w.pending_ms.sort_unstable();
            w.ready_ms.sort_unstable();
        }
        let (timeline, timeline_step_ms) = self.timeline.finish(end);
        let (pod_hours, replicas) = self.pod_hours.finish();
        let (owners, windows) = self.accounts.finish(end, &[]);
        let mut totals = Totals { repeated_cpu: self.repeated, ..Totals::default() };
        for w in &windows {
            let serving = u128::from(w.metered_ms - w.boot_ms - w.drain_ms);
            let (cpu, memory) = alloc(&self.nodes[w.node as usize]);
            totals.cpu_allocatable += cpu as u128 * serving;
            totals.memory_allocatable += (memory >> 10) as u128 * serving;
        }
        for o in &owners {
            totals.cpu_requested += u128::from(o.cpu_requested);
            totals.cpu_used += u128::from(o.cpu_used);
            totals.cpu_beyond += u128::from(o.cpu_beyond);
            totals.cpu_unknown += u128::from(o.cpu_unknown);
            totals.memory_requested += u128::from(o.memory_requested);
            totals.memory_used += u128::from(o.memory_used);
            totals.memory_beyond += u128::from(o.memory_beyond);
            totals.memory_unknown += u128::from(o.memory_unknown);
        }
        Record {
            end,
            warmup: self.warmup,
            start_unix_ms: self.start_unix_ms,
            events,
            attempts,
            nodes: self.nodes,
            fargate: self.fargate,
            pods: self.pods,
            owners,
            windows,
            held: self.held.finish(end),
            waits: self.waits,
            counts: self.counts,
            pod_hours,
            replicas,
            demand,
            timeline,
            timeline_step_ms,
            totals,
            nodes_peak: self.metered_peak,
            spot_prices: SpotSteps::default(),
        }
    }
}
