//! When a run until idle is over: when no batch work is left, or none that can
//! still get anywhere.

use crate::cluster::PodState;
use crate::sim::EventQueue;
use crate::units::{DAY_MS, MINUTE_MS, SimDuration, SimTime};

use super::event::{Event, phase};
use super::nodes::NodePhase;
use super::{Horizon, World};

/// A run until idle gives up this long after the last arrival, whatever goes
/// on.
const IDLE_LIMIT: SimDuration = SimDuration(400 * DAY_MS);

/// What nothing has helped for so long is helped by nothing: whatever frees or
/// adds room or company is followed by attempts within minutes.
const QUIET: i64 = DAY_MS;

/// As [`QUIET`] where services or Spot nodes go on for ever: so long without
/// anything happening to a batch pod.
const LONG_QUIET: i64 = 7 * DAY_MS;

/// With [`LONG_QUIET`]: so long without anything happening at all, in which
/// the tick of the scheduler's queue has tried every pod.
const SHORT_QUIET: i64 = 10 * MINUTE_MS;

/// When something last happened.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stirs {
    /// To a batch pod: it came, its gates opened, it was bound or ended.
    batch: SimTime,
    /// To any pod or node.
    any: SimTime,
}

impl Stirs {
    pub(super) const NONE: Self = Stirs { batch: SimTime::ZERO, any: SimTime::ZERO };
}

impl World<'_> {
    /// Schedules the end of the run.
    pub(super) fn plan_end(&self, queue: &mut EventQueue<Event>) {
        let end = match self.setup.horizon {
            Horizon::At(end) => end,
            Horizon::UntilIdle => {
                let last = self.workloads.traces.iter().filter_map(|t| t.trace.arrival_ms.last());
                SimTime(last.copied().max().unwrap_or(0)) + IDLE_LIMIT
            }
        };
        queue.push(end, phase::BOUNDARY, Event::End);
    }

    /// Something happened, perhaps to a batch pod.
    #[inline]
    pub(super) fn stir(&mut self, batch: bool, now: SimTime) {
        self.stirs.any = self.stirs.any.max(now);
        if batch {
            self.stirs.batch = self.stirs.batch.max(now);
        }
    }

    /// Nothing is left that an idle cluster waits for.
    pub(super) fn check_idle(&mut self, now: SimTime) {
        if self.setup.horizon == Horizon::UntilIdle && self.batch_live == 0 && self.due.is_none() {
            self.end_run(now);
        }
    }

    /// All that is left waits for what will not come: a label that no pod has,
    /// room that others keep. Asked once a day.
    ///
    /// DIFFERENCE: a cluster would try for ever; here such pods are pending at
    /// the end of the run.
    pub(super) fn check_stuck(&mut self, now: SimTime) {
        if self.setup.horizon == Horizon::UntilIdle
            && self.due.is_none()
            // Its tasks have other ways to wait.
            && self.ecs.is_none()
            && (now - self.stirs.batch).ms() >= QUIET
            && self.is_stuck(now)
        {
            self.end_run(now);
        }
    }

    fn end_run(&mut self, now: SimTime) {
        self.over = true;
        self.ended_at = Some(now);
    }

    fn is_stuck(&self, now: SimTime) -> bool {
        let draining = |node: &u32| self.lives[*node as usize].phase == NodePhase::Draining;
        if self.pools.iter().any(|pool| pool.coming > 0)
            || self.alive.iter().any(draining)
            || self.preempting.is_anything_leaving()
        {
            return false;
        }
        let Some(period) = self.demand_period() else { return false };
        let (mut batch, mut pending) = (0, 0);
        for id in self.pods.live() {
            let pod = &self.pods[id];
            let facts = self.templates[pod.template.index()];
            if pod.state != PodState::Pending {
                continue;
            }
            if facts.gated_for > SimDuration::ZERO && now <= pod.submitted + facts.gated_for {
                return false;
            }
            // Fargate's machine is on its way.
            if facts.fargate.is_none() {
                pending += 1;
                batch += u64::from(facts.batch);
            }
        }
        // The others run, or are billed.
        batch == self.batch_live && self.is_quiet(pending, period, now)
    }

    /// The longest period of a demand, zero without any; `None` where a demand
    /// has changes to come and no period.
    fn demand_period(&self) -> Option<SimDuration> {
        let services = self.services.iter().zip(&self.workloads.services);
        services
            .filter_map(|(state, service)| {
                let demand = service.demand.as_ref()?;
                state.will_change(demand).then_some(demand.period)
            })
            .try_fold(SimDuration::ZERO, |longest, period| Some(longest.max(period?)))
    }

    /// Whether nothing has happened for so long that nothing will: every
    /// pending pod has been tried again since, the autoscaler has had its
    /// delays, and demand has been through all it does.
    fn is_quiet(&self, pending: i64, period: SimDuration, now: SimTime) -> bool {
        let attempts_ms = self.service_us().saturating_mul(pending) / 1_000;
        let backoff_ms = self.setup.scheduler.queue.max_backoff_ms;
        let scaling_ms = self.setup.autoscaler.as_ref().map_or(0, |c| {
            let delays = [
                c.new_pod_scale_up_delay,
                c.scale_down_unneeded_time,
                c.scale_down_delay_after_add,
            ];
            delays.iter().map(|delay| delay.ms()).max().unwrap_or(0)
        });
        let tried = attempts_ms.saturating_add(backoff_ms);
        let seen = tried.saturating_add(scaling_ms).saturating_add(period.ms());
        let waits = |since: SimTime, quiet: i64| (now - since).ms() >= quiet;
        waits(self.stirs.any, seen.saturating_add(QUIET))
            || waits(self.stirs.any, tried.saturating_add(SHORT_QUIET))
                && waits(self.stirs.batch, seen.saturating_add(LONG_QUIET.max(period.ms())))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{batch, class, fixed, pool, setup, template};
    use super::super::{Setup, run};
    use super::*;
    use crate::cluster::{FargateSize, FargateSpec, PoolKind, Purchase};
    use crate::observe::{KeepPods, PodEnd, Record};
    use crate::rng::Distribution;
    use crate::scale::cluster_autoscaler;
    use crate::units::{Bytes, HOUR_MS, MilliCpu, Percent};
    use crate::workload::constraints::{
        Constraints, LabelSelector, Namespaces, PodAffinityTerm, Requirement,
    };
    use crate::workload::pod_match::PodMatch;
    use crate::workload::{
        Demand, LocalTemplate, PodClass, Service, TemplateId, Usage, WorkloadInfo, WorkloadKind,
        Workloads,
    };

    const GIB: i64 = 1 << 30;

    /// Whose pods must be near one of `app: web`, which is nobody's label.
    fn mistyped() -> PodClass {
        let selector = LabelSelector { requirements: vec![Requirement::equals("app", "web")] };
        let near = PodAffinityTerm {
            topology_key: "topology.kubernetes.io/zone".into(),
            selector: Some(selector),
            namespaces: Namespaces::All,
        };
        let constraints = Constraints {
            namespace: "default".into(),
            labels: vec![("app".into(), "wbe".into())],
            affinity: vec![near],
            ..Constraints::default()
        };
        PodClass { constraints: Some(Arc::new(constraints)), ..class(100, GIB / 8) }
    }

    /// 100 pods, one a second, that can never be placed, and template 1 free
    /// for one that can.
    fn stuck() -> Workloads {
        let rows: Vec<(i64, i64)> = (0..100).map(|i| (i * 1_000, 60_000)).collect();
        let mut workloads = batch(&rows);
        workloads.classes = vec![mistyped(), class(1_000, GIB)];
        workloads.templates = vec![template(0, 0), template(1, 0)];
        workloads
    }

    /// With a pod of template 1 that comes at 99 s and works for 60 s.
    fn with_one_that_can() -> Workloads {
        let mut workloads = stuck();
        let trace = Arc::make_mut(&mut workloads.traces[0].trace);
        trace.push(99_000, 60_000, LocalTemplate(1), 1, None);
        workloads
    }

    fn days(record: &Record) -> i64 {
        assert_eq!(record.end.ms() % DAY_MS, 0, "{}", record.end.ms());
        record.end.ms() / DAY_MS
    }

    fn pending(record: &Record) -> usize {
        record.pods.iter().filter(|pod| pod.end == PodEnd::Pending).count()
    }

    /// The last comes at 99 s. At the first midnight that is not yet a day ago.
    /// Each is tried at its arrival and then every 5 to 5.5 minutes.
    #[test]
    fn what_nothing_can_help_ends_the_run() {
        let record = run(&fixed(4), &stuck(), 1, KeepPods::Yes);
        assert_eq!((days(&record), pending(&record)), (2, 100));
        let rounds = 2 * 24 * 60 / 5;
        assert!(record.attempts <= 100 * (rounds + 1), "{}", record.attempts);
    }

    /// The gate opens after 30 days and the pod works for 60 s: the day after
    /// is over at the 32nd midnight.
    #[test]
    fn a_gate_that_will_open_is_waited_for() {
        let mut workloads = with_one_that_can();
        workloads.templates[1].life.gated_for = SimDuration(30 * DAY_MS);
        let record = run(&fixed(4), &workloads, 1, KeepPods::Yes);
        assert_eq!((days(&record), pending(&record)), (32, 100));
        assert_eq!(record.counts[0].finished, 1);
    }

    /// A pod that works for ten days is no pending one.
    #[test]
    fn work_is_waited_for() {
        let mut workloads = stuck();
        let trace = Arc::make_mut(&mut workloads.traces[0].trace);
        trace.push(99_000, 10 * DAY_MS, LocalTemplate(1), 1, None);
        let record = run(&fixed(4), &workloads, 1, KeepPods::Yes);
        assert_eq!((days(&record), record.counts[0].finished), (12, 1));
    }

    /// The node that the autoscaler asks for takes five days. It then leaves
    /// again, so the last event comes some ten minutes after the pod's end.
    #[test]
    fn a_node_that_comes_is_waited_for() {
        let kind = PoolKind::AutoScalingGroup { min: 0, max: 2, autoscaled: true };
        let mut slow = pool(kind, Purchase::OnDemand, 0.0);
        slow.launch = Distribution::Constant(5.0 * DAY_MS as f64);
        let mut setup = setup(4, slow);
        setup.autoscaler = Some(cluster_autoscaler::Config::for_version(31));
        let record = run(&setup, &with_one_that_can(), 1, KeepPods::Yes);
        assert_eq!(record.counts[0].finished, 1);
        assert_eq!((days(&record), pending(&record)), (7, 100));
    }

    /// A Fargate machine that starts for five days, and stays for three more
    /// when its Job is done.
    #[test]
    fn fargate_is_waited_for() {
        let mut setup = fixed(4);
        Arc::make_mut(&mut setup.cluster).fargate.push(FargateSpec {
            name: "fargate".into(),
            selectors: vec![PodMatch {
                namespace: "*".into(),
                workloads: Some(vec!["slow".into()]),
                ..PodMatch::default()
            }],
            sizes: vec![FargateSize { cpu: MilliCpu(2_000), memory: Bytes(8 * GIB) }],
            overhead_memory: Bytes(0),
            start_latency: Distribution::Constant(5.0 * DAY_MS as f64),
            launch_burst: 1,
            launch_per_second: 1,
            job_retention: SimDuration(3 * DAY_MS),
            sidecar_cpu: MilliCpu(0),
            sidecar_memory: Bytes(0),
            hazard_per_hour: 0.0,
        });
        let mut workloads = with_one_that_can();
        let slow = WorkloadInfo { name: "slow".into(), kind: WorkloadKind::Batch };
        workloads.workloads.push(slow);
        workloads.templates[1] = template(1, 1);
        let record = run(&setup, &workloads, 1, KeepPods::Yes);
        assert_eq!((days(&record), record.counts[1].finished), (10, 1));
    }

    fn with_service(steps: &[(i64, i64)], period: Option<i64>) -> Record {
        let mut workloads = stuck();
        workloads.workloads.push(WorkloadInfo { name: "web".into(), kind: WorkloadKind::Service });
        workloads.templates.push(template(1, 1));
        workloads.services.push(Service {
            template: TemplateId(2),
            demand: Some(Demand {
                steps: steps.iter().map(|(at, cpu)| (SimTime(*at), MilliCpu(*cpu))).collect(),
                period: period.map(SimDuration),
                ..Demand::default()
            }),
            usage: Usage::default(),
            bound: Vec::new(),
            homes: Vec::new(),
            target: Percent { ppm: 500_000 },
            min: 1,
            max: 3,
        });
        run(&fixed(4), &workloads, 1, KeepPods::Yes)
    }

    /// Demand that will change after 20 days and an hour, once, is waited for.
    /// One that changes twice a day for ever is seen for eight days after the last
    /// arrival, which are over at the ninth midnight.
    #[test]
    fn demand_is_seen_to_its_end() {
        let once = with_service(&[(0, 500), (20 * DAY_MS + HOUR_MS, 1_000)], None);
        assert_eq!(days(&once), 21);
        let daily = with_service(&[(0, 500), (DAY_MS / 2, 1_000)], Some(DAY_MS));
        assert_eq!(days(&daily), 9);
    }

    /// What ends before the day is over ends as ever.
    #[test]
    fn an_idle_run_ends_at_once() {
        let setup: Setup = fixed(4);
        let record = run(&setup, &batch(&[(0, 60_000)]), 1, KeepPods::Yes);
        assert_eq!(record.end, SimTime(60_000));
    }
}
