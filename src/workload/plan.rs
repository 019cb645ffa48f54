//! Everything that wants to run in one case, ready to be turned into
//! [`Workloads`] for any seed.
//!
//! Traces are shared: a case only learns where their templates start.
//! Generators are drawn anew for each seed. Where nothing depends on the seed
//! all seeds get the same tables.

use std::sync::{Arc, OnceLock};

use super::disruption::DisruptionBudget;
use super::generate::GeneratorSpec;
use super::intern::{Builder, PodRules, PodShape, TraceData};
use super::model::{DaemonSet, Demand, Service, Usage, WorkloadKind, Workloads};
use super::sidecar::Sidecar;
use super::transform::Transform;
use crate::error::Result;
use crate::rng::Distribution;
use crate::units::Percent;

/// A service before its ids are known.
#[derive(Debug, Clone, PartialEq)]
pub struct ServicePlan {
    /// Each replica.
    pub pod: PodShape,
    /// Constraints and life cycle of replicas.
    pub rules: PodRules,
    /// See [`Service::demand`].
    pub demand: Option<Demand>,
    /// See [`Service::usage`].
    pub usage: Usage,
    /// See [`Service::target`].
    pub target: Percent,
    /// See [`Service::min`].
    pub min: u32,
    /// See [`Service::max`].
    pub max: u32,
    /// See [`Service::bound`].
    pub bound: Vec<(u32, u32)>,
    /// Zones of the cluster, where each replica's volumes come to be in the
    /// zone of the node that it is first bound to.
    pub volume_zones: Vec<String>,
}

/// A `DaemonSet` before its ids are known.
#[derive(Debug, Clone, PartialEq)]
pub struct DaemonPlan {
    /// Each pod.
    pub pod: PodShape,
    /// Constraints and life cycle of its pods.
    pub rules: PodRules,
    /// Mean usage, where known.
    pub usage: Usage,
    /// See [`DaemonSet::sidecar_on_fargate`].
    pub sidecar_on_fargate: bool,
}

/// What a workload consists of.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Pods read from a file.
    Trace(TraceData),
    /// Pods drawn for each seed.
    Generator(GeneratorSpec),
    /// Replicas that follow a demand.
    Service(ServicePlan),
    /// One pod on every node.
    Daemon(DaemonPlan),
}

impl Content {
    fn kind(&self) -> WorkloadKind {
        match self {
            Content::Trace(_) | Content::Generator(_) => WorkloadKind::Batch,
            Content::Service(_) => WorkloadKind::Service,
            Content::Daemon(_) => WorkloadKind::Daemon,
        }
    }

    fn startup(&self) -> &Distribution {
        match self {
            Content::Trace(t) => &t.rules.startup,
            Content::Generator(g) => &g.rules.startup,
            Content::Service(s) => &s.rules.startup,
            Content::Daemon(d) => &d.rules.startup,
        }
    }
}

/// A named workload of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedWorkload {
    /// Its name; also the key of its random draws.
    pub name: String,
    /// What it consists of.
    pub content: Content,
    /// What becomes of it before it is simulated.
    pub transform: Transform,
}

impl PlannedWorkload {
    /// Whether its tables differ between seeds.
    fn depends_on_seed(&self) -> bool {
        match &self.content {
            Content::Generator(g) => g.is_random() || self.transform.is_random(),
            Content::Trace(data) => data.trace.is_drawn() || self.transform.is_random(),
            Content::Service(_) => self.transform.resample.is_some(),
            Content::Daemon(_) => false,
        }
    }
}

/// All workloads of a case, in scenario order.
#[derive(Debug, Default)]
pub struct WorkloadPlan {
    workloads: Vec<PlannedWorkload>,
    namespaces: Vec<String>,
    sidecars: Vec<Sidecar>,
    budgets: Vec<DisruptionBudget>,
    /// The tables, where they do not depend on the seed.
    fixed: OnceLock<Arc<Workloads>>,
}

impl PartialEq for WorkloadPlan {
    fn eq(&self, other: &Self) -> bool {
        self.workloads == other.workloads
            && self.namespaces == other.namespaces
            && self.sidecars == other.sidecars
            && self.budgets == other.budgets
    }
}

impl WorkloadPlan {
    /// A plan. `namespaces` are names that something other than a pod refers
    /// to; they get ids before all others.
    #[must_use]
    pub fn new(workloads: Vec<PlannedWorkload>, namespaces: Vec<String>) -> Self {
        WorkloadPlan { workloads, namespaces, ..WorkloadPlan::default() }
    }

    /// The same with these `PodDisruptionBudget`s. Pods that one of them guards
    /// must have constraints, which carry their labels.
    #[must_use]
    pub fn with_budgets(self, budgets: Vec<DisruptionBudget>) -> Self {
        WorkloadPlan { budgets, fixed: OnceLock::new(), ..self }
    }

    /// The same with sidecars in its pods.
    #[must_use]
    pub fn with_sidecars(self, sidecars: Vec<Sidecar>) -> Self {
        WorkloadPlan { sidecars, fixed: OnceLock::new(), ..self }
    }

    /// The workloads.
    #[must_use]
    pub fn workloads(&self) -> &[PlannedWorkload] {
        &self.workloads
    }

    /// Whether a run of it can differ between seeds: drawn traces, or start
    /// times that vary.
    #[must_use]
    pub fn is_random(&self) -> bool {
        self.depends_on_seed() || self.workloads.iter().any(|w| !w.content.startup().is_constant())
    }

    /// Whether every pod is where it belongs from the start: DaemonSets, and
    /// services whose replicas are all bound.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.workloads.iter().all(|w| match &w.content {
            Content::Daemon(_) => true,
            Content::Service(s) => {
                let bound: u64 = s.bound.iter().map(|(_, n)| u64::from(*n)).sum();
                let stay = w.transform.replicas(s.min) == s.min;
                stay && s.min == s.max && bound == u64::from(s.min)
            }
            Content::Trace(_) | Content::Generator(_) => false,
        })
    }

    fn depends_on_seed(&self) -> bool {
        self.workloads.iter().any(PlannedWorkload::depends_on_seed)
    }

    /// Whether days of a trace or a demand are drawn anew for each seed, so that
    /// intervals over seeds cover how days differ.
    #[must_use]
    pub fn resamples_days(&self) -> bool {
        self.workloads.iter().any(|w| w.transform.resample.is_some())
    }

    /// The tables for a seed. Ids of workloads, namespaces, services and
    /// `DaemonSet`s are the same for every seed; those of templates and
    /// classes too, unless a generator draws its sizes from distributions.
    ///
    /// # Errors
    /// When a generator cannot work or draws too much or nothing.
    pub fn materialise(&self, seed: u64) -> Result<Arc<Workloads>> {
        if self.depends_on_seed() {
            return self.build(seed).map(Arc::new);
        }
        if let Some(done) = self.fixed.get() {
            return Ok(Arc::clone(done));
        }
        let built = Arc::new(self.build(seed)?);
        Ok(Arc::clone(self.fixed.get_or_init(|| built)))
    }

    fn build(&self, seed: u64) -> Result<Workloads> {
        let mut builder = Builder::new();
        for namespace in &self.namespaces {
            builder.namespace(namespace);
        }
        // Templates of fixed size first: drawn sizes then cannot move them.
        let (drawn, fixed): (Vec<_>, Vec<_>) = self
            .workloads
            .iter()
            .map(|w| (builder.workload(&w.name, w.content.kind()), w))
            .partition(|(_, w)| matches!(&w.content, Content::Generator(g) if g.draws_sizes()));
        for sidecar in &self.sidecars {
            builder.sidecar(sidecar);
        }
        for (id, workload) in fixed.into_iter().chain(drawn) {
            let PlannedWorkload { name, transform, .. } = workload;
            match &workload.content {
                Content::Trace(data) => builder.trace(id, &transform.trace(data, name, seed)?),
                Content::Generator(spec) => {
                    let drawn = spec.generate(name, seed)?;
                    builder.trace(id, &transform.trace(&drawn, name, seed)?);
                }
                Content::Service(s) => {
                    let template = builder.template(id, &s.pod, &s.rules);
                    let homes = s.volume_zones.iter();
                    let homes = homes.map(|zone| builder.template(id, &s.pod, &s.rules.at(zone)));
                    let homes = homes.collect();
                    // Demand decides between bounds that stay.
                    let replicas = |n| if s.demand.is_some() { n } else { transform.replicas(n) };
                    builder.service(Service {
                        template,
                        demand: s.demand.as_ref().map(|d| transform.demand(d, seed)),
                        usage: s.usage,
                        target: s.target,
                        min: replicas(s.min),
                        max: replicas(s.max),
                        bound: first(&s.bound, replicas(s.min)),
                        homes,
                    });
                }
                Content::Daemon(d) => {
                    let template = builder.template(id, &d.pod, &d.rules);
                    builder.daemon(DaemonSet {
                        template,
                        usage: d.usage,
                        sidecar_on_fargate: d.sidecar_on_fargate,
                    });
                }
            }
        }
        for budget in &self.budgets {
            builder.budget(budget.clone());
        }
        Ok(builder.finish())
    }
}

/// The first `most` of bound replicas: thinning takes the last ones away.
fn first(bound: &[(u32, u32)], most: u32) -> Vec<(u32, u32)> {
    let mut left = most;
    let mut kept = Vec::with_capacity(bound.len());
    for (node, count) in bound {
        let count = left.min(*count);
        left -= count;
        if count > 0 {
            kept.push((*node, count));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    #[test]
    fn thinned_replicas_lose_their_last_bindings() {
        assert_eq!(super::first(&[(0, 2), (1, 3), (2, 1)], 4), [(0, 2), (1, 2)]);
        assert_eq!(super::first(&[(0, 2)], 9), [(0, 2)]);
        assert!(super::first(&[(0, 2)], 0).is_empty());
    }

    use super::*;
    use crate::units::{Bytes, MilliCpu, SimDuration};
    use crate::workload::generate::{Arrivals, Limit, Sizes, UsageShare};
    use crate::workload::model::{LocalTemplate, Trace, WorkloadId};

    fn pod(cpu: i64) -> PodShape {
        PodShape {
            cpu: Some(MilliCpu(cpu)),
            memory: Some(Bytes(1 << 30)),
            namespace: "apps".into(),
            ..PodShape::default()
        }
    }

    fn trace() -> Content {
        let mut trace = Trace::default();
        trace.push(0, 1_000, LocalTemplate(0), 1, None);
        Content::Trace(TraceData {
            trace: Arc::new(trace),
            shapes: Arc::from([pod(100)]),
            rules: PodRules::default(),
        })
    }

    fn daemon() -> Content {
        Content::Daemon(DaemonPlan {
            pod: pod(100),
            rules: PodRules::default(),
            usage: Usage::default(),
            sidecar_on_fargate: true,
        })
    }

    fn generator() -> Content {
        Content::Generator(GeneratorSpec {
            arrivals: Arrivals::Poisson { per_hour: 60.0, limit: Limit::Count(20) },
            duration: Distribution::Exponential { mean: 1e5 },
            sizes: Sizes::Drawn {
                cpu: Distribution::Uniform { min: 0.0, max: 4e3 },
                cpu_step: MilliCpu(500),
                memory: Distribution::Constant(1e9),
                memory_step: Bytes(1 << 30),
            },
            usage: UsageShare::default(),
            namespace: "jobs".into(),
            priority: 0,
            rules: PodRules::default(),
        })
    }

    fn service() -> Content {
        Content::Service(ServicePlan {
            pod: pod(700),
            rules: PodRules::default(),
            demand: None,
            usage: Usage::default(),
            target: Percent { ppm: 600_000 },
            min: 1,
            max: 3,
            bound: Vec::new(),
            volume_zones: Vec::new(),
        })
    }

    fn plan(contents: Vec<Content>) -> WorkloadPlan {
        let named = contents.into_iter().enumerate().map(|(i, content)| PlannedWorkload {
            name: format!("w{i}"),
            content,
            transform: Transform::default(),
        });
        WorkloadPlan::new(named.collect(), vec!["system".into()])
    }

    #[test]
    fn without_generators_every_seed_shares_the_tables() {
        let plan = plan(vec![trace(), daemon()]);
        assert!(!plan.is_random());
        let (a, b) = (plan.materialise(1).expect("fine"), plan.materialise(2).expect("fine"));
        assert!(Arc::ptr_eq(&a, &b));
        assert_eq!(a.namespaces, ["system", "apps"]);
        // Trace pod and daemon pod are alike, so they share a class.
        assert_eq!((a.classes.len(), a.templates.len()), (1, 2));
    }

    #[test]
    fn generators_are_drawn_per_seed_and_move_no_other_template() {
        let plan = plan(vec![generator(), service(), trace()]);
        assert!(plan.is_random());
        let (a, b) = (plan.materialise(1).expect("fine"), plan.materialise(2).expect("fine"));
        assert_ne!(a, b);
        assert_eq!(Some(&a), plan.materialise(1).ok().as_ref());
        assert_eq!(a.services, b.services);
        assert_eq!(a.services[0].template.index(), 0);
        assert_eq!(a.templates[0].workload, WorkloadId(1));
        assert!(Arc::ptr_eq(&a.traces[0].trace, &b.traces[0].trace));
        let names: Vec<_> = a.workloads.iter().map(|w| w.name.as_str()).collect();
        assert_eq!(names, ["w0", "w1", "w2"]);
    }

    #[test]
    fn varying_starts_are_random_but_share_the_tables() {
        let mut content = trace();
        if let Content::Trace(data) = &mut content {
            data.rules.startup = Distribution::Exponential { mean: 5e3 };
        }
        let plan = plan(vec![content]);
        assert!(plan.is_random());
        let (a, b) = (plan.materialise(1).expect("fine"), plan.materialise(2).expect("fine"));
        assert!(Arc::ptr_eq(&a, &b));
    }

    #[test]
    fn transforms_are_random_where_they_draw() {
        use crate::workload::transform::{Factor, Resample};
        let grown = |percent: &str, content: Content| {
            let factor = Factor::ONE.times(percent.parse().expect("a percentage"));
            let transform = Transform { factor, resample: None };
            let workload = PlannedWorkload { name: "w".into(), content, transform };
            WorkloadPlan::new(vec![workload], vec![])
        };
        let pods = |plan: &WorkloadPlan| {
            plan.materialise(1).expect("fine").traces.iter().map(|t| t.trace.pods()).sum::<u64>()
        };
        let (doubled, more) = (grown("200%", trace()), grown("130%", trace()));
        assert_eq!((doubled.is_random(), pods(&doubled)), (false, 2));
        assert!(more.is_random() && !more.resamples_days());
        assert!((1..=2).contains(&pods(&more)));
        assert_eq!(pods(&grown("300%", generator())), 60);
        // A service without demand has more replicas, one with demand more of it.
        let fixed = grown("150%", service());
        assert!(!fixed.is_random());
        let services = &fixed.materialise(1).expect("fine").services;
        assert_eq!((services[0].min, services[0].max), (2, 5));
        let Content::Service(mut plan) = service() else { panic!("a service") };
        let steps = vec![(crate::units::SimTime::ZERO, MilliCpu(1_000))];
        plan.demand = Some(Demand { steps, period: None, ..Demand::default() });
        let services = grown("150%", Content::Service(plan.clone()))
            .materialise(1)
            .expect("fine")
            .services
            .clone();
        assert_eq!((services[0].min, services[0].max), (1, 3));
        assert_eq!(services[0].demand.as_ref().expect("kept").steps[0].1, MilliCpu(1_500));
        let resample = Some(Resample { days: 2, keep_weekday: false });
        let transform = Transform { factor: Factor::ONE, resample };
        let workload =
            PlannedWorkload { name: "w".into(), content: Content::Service(plan), transform };
        let drawn = WorkloadPlan::new(vec![workload], vec![]);
        assert!(drawn.is_random() && drawn.resamples_days());
    }

    #[test]
    fn a_generator_that_cannot_work_is_an_error() {
        let mut content = generator();
        if let Content::Generator(g) = &mut content {
            g.arrivals = Arrivals::Even { every: SimDuration::ZERO, limit: Limit::Count(1) };
        }
        let error = plan(vec![content]).materialise(1).expect_err("bad").to_string();
        assert!(error.starts_with("workload `w0`: arrivals need a positive interval"), "{error}");
    }
}
