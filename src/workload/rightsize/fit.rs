//! From the workloads of a case and what they were seen to use to new
//! requests, and those requests put into the workloads.
//!
//! A *fitting* is a set of pods that request alike: the replicas of a
//! service, the pods of a `DaemonSet`, the pods of one shape of a trace. A
//! trace keeps its rows; only the requests of its shapes change, so that a
//! rightsized trace costs no memory and as many classes as before. Series of
//! single pods find the rows of their name; where a trace has neither names
//! nor more than one shape, all series of the workload belong to it; else its
//! usage columns serve.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::advice::{
    Advice, Caution, Columns, Current, Quantiles, Withheld, advise, advise_columns,
};
use super::policy::Policy;
use super::series::{Resource, Series};
use crate::units::{Bytes, MilliCpu};
use crate::workload::intern::{PodShape, TraceData};
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::usage::join::owner;
use crate::workload::usage::owner::{OwnerKind, owner_of};
use crate::workload::usage::{UsageKey, UsageSeries};
use crate::workload::{Usage, WorkloadKind};

/// Where the series of a workload come from.
pub type SeriesOf<'a> = dyn Fn(&str) -> Vec<(&'a UsageKey, &'a UsageSeries)> + 'a;

/// Advice for one container.
#[derive(Debug, Clone, PartialEq)]
pub struct ContainerFitting {
    /// Its name; empty where usage is known of the pod as a whole.
    pub name: String,
    /// Its cpu.
    pub cpu: Advice,
    /// Its memory.
    pub memory: Advice,
}

/// A set of pods that request alike, and what they should request.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitting {
    /// Workload of the scenario.
    pub workload: String,
    /// What it is.
    pub kind: WorkloadKind,
    /// Namespace of the pods.
    pub namespace: String,
    /// Index of the shape within its trace; `None` for services and
    /// `DaemonSet`s.
    pub shape: Option<usize>,
    /// Pods: of a trace, those of the shape; of a service, its fewest
    /// replicas; of a `DaemonSet` 0, since nodes decide.
    pub pods: u64,
    /// Pods with series.
    pub observed: u64,
    /// What creates its pods, where all their names agree.
    pub controller: Option<OwnerKind>,
    /// Name of the object that owns its pods, where all series agree.
    pub owner: Option<String>,
    /// Cpu of a pod.
    pub cpu: Advice,
    /// Memory of a pod.
    pub memory: Advice,
    /// Its containers, by name; one without a name where usage is known of
    /// the pod as a whole, none where none is.
    pub containers: Vec<ContainerFitting>,
    /// Run time of the pods of a trace within the window, milliseconds;
    /// `None` where the simulation decides.
    pub run_ms: Option<u128>,
}

impl Fitting {
    /// Advice for a resource.
    #[must_use]
    pub fn advice(&self, resource: Resource) -> &Advice {
        match resource {
            Resource::Cpu => &self.cpu,
            Resource::Memory => &self.memory,
        }
    }

    /// Whether any request changes.
    #[must_use]
    pub fn is_edit(&self) -> bool {
        self.cpu.is_edit() || self.memory.is_edit()
    }

    /// Why advice was withheld, each reason once.
    #[must_use]
    pub fn withheld(&self) -> Vec<(Resource, Withheld)> {
        Resource::ALL.into_iter().filter_map(|r| Some((r, self.advice(r).request.err()?))).collect()
    }
}

/// Fits every workload that is `selected`. `window_ms` is what the run covers,
/// for the run time of traces.
#[must_use]
pub fn fit(
    planned: &[PlannedWorkload],
    series: &SeriesOf<'_>,
    policy: &Policy,
    selected: &dyn Fn(&str) -> bool,
    window_ms: (i64, i64),
) -> Vec<Fitting> {
    let mut fittings = Vec::new();
    for workload in planned.iter().filter(|w| selected(&w.name)) {
        let known = series(&workload.name);
        match &workload.content {
            Content::Service(s) => {
                let mut one = fit_pods(workload, &s.pod, &known, policy);
                one.pods = u64::from(s.min);
                if s.min != s.max && one.cpu.is_edit() {
                    one.cpu.cautions.push(Caution::ScalesOnCpu);
                }
                fittings.push(one);
            }
            Content::Daemon(d) => fittings.push(fit_pods(workload, &d.pod, &known, policy)),
            Content::Trace(data) => {
                fittings.extend(fit_trace(workload, data, &known, policy, window_ms));
            }
            Content::Generator(g) => {
                let pod = PodShape { namespace: g.namespace.clone(), ..PodShape::default() };
                let mut one = fit_pods(workload, &pod, &[], policy);
                for advice in [&mut one.cpu, &mut one.memory] {
                    advice.request = Err(Withheld::DrawnPods);
                }
                fittings.push(one);
            }
        }
    }
    fittings
}

/// The workload with the new requests of its fittings.
#[must_use]
pub fn apply(workload: &PlannedWorkload, fittings: &[&Fitting]) -> PlannedWorkload {
    let mut new = workload.clone();
    let mut own = fittings.iter().filter(|f| f.workload == workload.name && f.is_edit()).peekable();
    if own.peek().is_none() {
        return new;
    }
    match &mut new.content {
        Content::Service(s) => own.for_each(|f| set(&mut s.pod, f)),
        Content::Daemon(d) => own.for_each(|f| set(&mut d.pod, f)),
        Content::Trace(data) => {
            let mut shapes = data.shapes.to_vec();
            for fitting in own {
                if let Some(pod) = fitting.shape.and_then(|at| shapes.get_mut(at)) {
                    set(pod, fitting);
                }
            }
            data.shapes = Arc::from(shapes);
        }
        Content::Generator(_) => {}
    }
    new
}

fn set(pod: &mut PodShape, fitting: &Fitting) {
    if let Ok(milli) = fitting.cpu.request {
        pod.cpu = Some(MilliCpu(milli));
        // Every container has a request then.
        pod.nonzero_cpu = None;
    }
    if let Ok(bytes) = fitting.memory.request {
        pod.memory = Some(Bytes(bytes));
        pod.nonzero_memory = None;
    }
}

/// What a shape requests.
fn requested(pod: &PodShape, resource: Resource) -> Option<i64> {
    match resource {
        Resource::Cpu => pod.cpu.map(|c| c.0),
        Resource::Memory => pod.memory.map(|m| m.0),
    }
}

/// Series by container name; those of pods as a whole only where no
/// container is known, since they would count twice.
fn by_container<'a>(
    known: &[(&'a UsageKey, &'a UsageSeries)],
) -> BTreeMap<&'a str, Vec<&'a UsageSeries>> {
    let mut containers: BTreeMap<&str, Vec<&UsageSeries>> = BTreeMap::new();
    for (key, series) in known {
        containers.entry(&key.container).or_default().push(series);
    }
    if containers.len() > 1 {
        containers.remove("");
    }
    containers
}

fn fit_pods(
    workload: &PlannedWorkload,
    pod: &PodShape,
    known: &[(&UsageKey, &UsageSeries)],
    policy: &Policy,
) -> Fitting {
    let containers = by_container(known);
    let count = containers.len();
    let fitted: Vec<ContainerFitting> = containers
        .iter()
        .map(|(name, series)| {
            let of = |resource| -> Vec<Series> {
                series.iter().map(|s| Series::of(s, resource)).collect()
            };
            let cpu = of(Resource::Cpu);
            let advice = |resource: Resource, own: &[Series]| {
                let mut current = stated(series, resource);
                // The scenario knows what a pod requests; a container alone in
                // its pod requests the same.
                if count == 1 {
                    current.request = requested(pod, resource);
                }
                advise(resource, own, &cpu, current, count, policy)
            };
            ContainerFitting {
                name: (*name).to_owned(),
                cpu: advice(Resource::Cpu, &cpu),
                memory: advice(Resource::Memory, &of(Resource::Memory)),
            }
        })
        .collect();
    let pods: std::collections::BTreeSet<_> =
        known.iter().map(|(key, _)| (&key.namespace, &key.workload, &key.pod)).collect();
    let whole = |resource: Resource| {
        let advices: Vec<&Advice> = fitted
            .iter()
            .map(|c| match resource {
                Resource::Cpu => &c.cpu,
                Resource::Memory => &c.memory,
            })
            .collect();
        together(resource, requested(pod, resource), &advices)
    };
    Fitting {
        workload: workload.name.clone(),
        kind: match workload.content {
            Content::Daemon(_) => WorkloadKind::Daemon,
            Content::Service(_) => WorkloadKind::Service,
            Content::Trace(_) | Content::Generator(_) => WorkloadKind::Batch,
        },
        namespace: pod.namespace.clone(),
        shape: None,
        pods: 0,
        observed: pods.len() as u64,
        controller: controller(known),
        owner: owner_name(known),
        cpu: whole(Resource::Cpu),
        memory: whole(Resource::Memory),
        containers: fitted,
        run_ms: None,
    }
}

/// The owner of these series, if it is one.
fn owner_name(known: &[(&UsageKey, &UsageSeries)]) -> Option<String> {
    let mut owners = known.iter().map(|(key, series)| owner(key, series));
    let first = owners.next()?;
    (!first.is_empty() && owners.all(|other| other == first)).then(|| first.to_owned())
}

/// What creates pods of these names, if they agree.
fn controller(known: &[(&UsageKey, &UsageSeries)]) -> Option<OwnerKind> {
    let named = known.iter().filter(|(key, _)| !key.pod.is_empty());
    let mut kinds =
        named.map(|(key, series)| owner_of(&key.pod, series.node.as_deref().unwrap_or_default()).1);
    let first = kinds.next()?;
    kinds.all(|kind| kind == first).then_some(first)
}

/// Request and limit that series state: the largest of each.
fn stated(series: &[&UsageSeries], resource: Resource) -> Current {
    let all = || series.iter().map(|s| resource.stated(&s.stated));
    Current {
        request: all().filter_map(|(request, _)| request).max(),
        limit: all().filter_map(|(_, limit)| limit).max(),
    }
}

/// A pod's advice from that of its containers: the sum, if all have any.
/// Quantiles add up to an upper bound; risk is that of the worst container.
fn together(resource: Resource, request: Option<i64>, containers: &[&Advice]) -> Advice {
    let current = Current { request, limit: None };
    match containers {
        [] => Advice::withheld(resource, current, Withheld::NoUsage),
        [one] => (*one).clone(),
        many => {
            let known = many.iter().any(|a| a.samples > 0);
            let request = many.iter().try_fold(0i64, |sum, a| {
                let missing = a.request == Err(Withheld::NoUsage) && known;
                let why = |w| if missing { Withheld::ContainerUnknown } else { w };
                a.request.map(|r| sum.saturating_add(r)).map_err(why)
            });
            let limit = |of: fn(&Advice) -> Option<i64>| {
                many.iter().map(|a| of(a)).try_fold(0i64, |sum, l| Some(sum.saturating_add(l?)))
            };
            let worst =
                |of: fn(&Advice) -> Option<f64>| many.iter().filter_map(|a| of(a)).reduce(f64::max);
            let quantiles = many.iter().filter_map(|a| a.quantiles).reduce(|a, b| Quantiles {
                mean: a.mean + b.mean,
                p50: a.p50 + b.p50,
                p95: a.p95 + b.p95,
                p99: a.p99 + b.p99,
                max: a.max + b.max,
            });
            let mut cautions: Vec<Caution> =
                many.iter().flat_map(|a| a.cautions.iter().copied()).collect();
            cautions.sort_unstable();
            cautions.dedup();
            let bounds = many
                .iter()
                .map(|a| a.bounds)
                .reduce(|a, b| Some((a?.0.saturating_add(b?.0), a?.1.saturating_add(b?.1))));
            Advice {
                resource,
                current: Current { limit: limit(|a| a.current.limit), ..current },
                limit: limit(|a| a.limit),
                quantiles,
                above_current: worst(|a| a.above_current),
                above_request: worst(|a| a.above_request),
                above_limit: worst(|a| a.above_limit),
                bounds: bounds.flatten(),
                cautions,
                samples: many.iter().map(|a| a.samples).sum(),
                request,
            }
        }
    }
}

fn fit_trace(
    workload: &PlannedWorkload,
    data: &TraceData,
    known: &[(&UsageKey, &UsageSeries)],
    policy: &Policy,
    (from, to): (i64, i64),
) -> Vec<Fitting> {
    let trace = &*data.trace;
    // Series by pod, for rows that have names.
    let mut by_pod: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (i, (key, _)) in known.iter().enumerate() {
        by_pod.entry((&key.namespace, &key.pod)).or_default().push(i);
    }
    let mut own: Vec<Vec<usize>> = vec![Vec::new(); data.shapes.len()];
    let mut rows: Vec<Vec<[Columns; 2]>> = vec![Vec::new(); data.shapes.len()];
    let mut totals = vec![(0u64, 0u128); data.shapes.len()];
    let seen = |column: &[Usage], row: usize| column.get(row).copied().unwrap_or_default();
    for row in 0..trace.len() {
        let shape = trace.template[row].index();
        let Some(pod) = data.shapes.get(shape) else { continue };
        let (start, count) = (trace.arrival_ms[row], u64::from(trace.count[row]));
        let end = start.saturating_add(trace.duration_ms[row]);
        let within = (end.min(to) - start.max(from)).max(0) as u128;
        totals[shape].0 += count;
        totals[shape].1 += within * u128::from(count);
        for namespace in [pod.namespace.as_str(), ""] {
            if let Some(series) = by_pod.get(&(namespace, trace.name(row))) {
                own[shape].extend(series);
            }
        }
        if !known.is_empty() {
            continue;
        }
        let (mean, p95, max) =
            (seen(&trace.usage, row), seen(&trace.usage_p95, row), seen(&trace.usage_max, row));
        let columns = |of: fn(Usage) -> Option<i64>| Columns {
            mean: of(mean),
            p95: of(p95),
            max: of(max),
            weight: (trace.duration_ms[row].max(1) as u64).saturating_mul(count),
            extent: (start, end),
        };
        rows[shape].push([
            columns(|u| u.cpu.map(|c| c.0.saturating_mul(1_000))),
            columns(|u| u.memory.map(|m| m.0)),
        ]);
    }
    let only_shape = data.shapes.len() == 1 && own.iter().all(Vec::is_empty);
    let mut fittings = Vec::new();
    for (shape, pod) in data.shapes.iter().enumerate() {
        let mut series: Vec<(&UsageKey, &UsageSeries)> = if only_shape {
            known.to_vec()
        } else {
            // A pod that arrived twice under one name has one series.
            own[shape].sort_unstable();
            own[shape].dedup();
            own[shape].iter().filter_map(|i| known.get(*i).copied()).collect()
        };
        series.sort_unstable_by_key(|(key, _)| *key);
        let mut fitting = fit_pods(workload, pod, &series, policy);
        if known.is_empty() {
            let advice = |resource: Resource| {
                let of: Vec<Columns> = rows[shape].iter().map(|c| c[resource as usize]).collect();
                let current = Current { request: requested(pod, resource), limit: None };
                advise_columns(resource, &of, current, policy)
            };
            fitting.cpu = advice(Resource::Cpu);
            fitting.memory = advice(Resource::Memory);
        }
        fitting.shape = Some(shape);
        (fitting.pods, fitting.run_ms) = (totals[shape].0, Some(totals[shape].1));
        fittings.push(fitting);
    }
    fittings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{HOUR_MS, Percent};
    use crate::workload::intern::PodRules;
    use crate::workload::model::{LocalTemplate, Trace, TraceRow};
    use crate::workload::plan::ServicePlan;
    use crate::workload::transform::Transform;
    use crate::workload::usage::{MicroCpu, StatedResources, UsageSample};

    fn shape(milli: i64) -> PodShape {
        PodShape {
            cpu: Some(MilliCpu(milli)),
            memory: Some(Bytes(1 << 30)),
            namespace: "n".into(),
            ..PodShape::default()
        }
    }

    fn service(min: u32, max: u32) -> PlannedWorkload {
        let content = Content::Service(ServicePlan {
            pod: shape(1_000),
            rules: PodRules::default(),
            demand: None,
            usage: Usage::default(),
            target: Percent { ppm: 600_000 },
            min,
            max,
            bound: Vec::new(),
            volume_zones: Vec::new(),
        });
        PlannedWorkload { name: "web".into(), content, transform: Transform::default() }
    }

    fn key(pod: &str, container: &str) -> UsageKey {
        UsageKey {
            namespace: "n".into(),
            pod: pod.into(),
            container: container.into(),
            ..UsageKey::default()
        }
    }

    fn used(milli: i64, mib: Option<i64>, stated: StatedResources) -> UsageSeries {
        let sample = |hour: i64| UsageSample {
            start_unix_ms: hour * HOUR_MS,
            span_ms: HOUR_MS,
            cpu_mean: Some(MicroCpu(milli * 1_000)),
            memory_mean: mib.map(|m| Bytes(m << 20)),
            ..UsageSample::default()
        };
        UsageSeries { node: None, replicas: 1, stated, samples: (0..24).map(sample).collect() }
    }

    fn fitted(workload: &PlannedWorkload, known: &[(UsageKey, UsageSeries)]) -> Vec<Fitting> {
        let series = |_: &str| known.iter().map(|(k, s)| (k, s)).collect::<Vec<_>>();
        let policy = Policy::default();
        fit(std::slice::from_ref(workload), &series, &policy, &|_| true, (0, i64::MAX))
    }

    #[test]
    fn a_pod_gets_the_sum_of_its_containers() {
        let stated = StatedResources {
            cpu_request: Some(MicroCpu(800_000)),
            memory_limit: Some(Bytes(1 << 30)),
            ..StatedResources::default()
        };
        let known = [
            (key("web-0", ""), used(900, Some(900), StatedResources::default())),
            (key("web-0", "app"), used(300, Some(100), stated)),
            (key("web-0", "proxy"), used(20, Some(40), StatedResources::default())),
            (key("web-1", "app"), used(200, Some(100), stated)),
            (key("web-1", "proxy"), used(20, Some(40), StatedResources::default())),
        ];
        let fittings = fitted(&service(2, 2), &known);
        let [one] = fittings.as_slice() else { panic!("one set of pods") };
        let names: Vec<_> = one.containers.iter().map(|c| c.name.as_str()).collect();
        assert_eq!((names, one.observed), (vec!["app", "proxy"], 2));
        // p95 of app: half of the time at 300m. Memory 115 + 46 Mi.
        assert_eq!((one.cpu.request, one.memory.request), (Ok(320), Ok(161 << 20)));
        assert_eq!(one.cpu.current.request, Some(1_000));
        assert_eq!(one.containers[0].cpu.current.request, Some(800));
        // The pod has no memory limit: one of its containers has none.
        assert_eq!((one.memory.current.limit, one.containers[1].memory.limit), (None, None));
        let new = apply(&service(2, 2), &[one]);
        let Content::Service(new) = new.content else { panic!("a service") };
        assert_eq!((new.pod.cpu, new.pod.memory), (Some(MilliCpu(320)), Some(Bytes(161 << 20))));
        assert_eq!(new.pod.namespace, "n");
    }

    #[test]
    fn a_container_without_usage_withholds_the_pod() {
        let known = [
            (key("web-0", "app"), used(300, Some(100), StatedResources::default())),
            (key("web-0", "proxy"), used(20, None, StatedResources::default())),
        ];
        let one = &fitted(&service(1, 1), &known)[0];
        assert_eq!(one.cpu.request, Ok(320));
        assert_eq!(one.memory.request, Err(Withheld::ContainerUnknown));
        assert!(one.is_edit());
        assert_eq!(one.withheld(), [(Resource::Memory, Withheld::ContainerUnknown)]);
    }

    #[test]
    fn replicas_that_follow_cpu_usage_are_a_caution() {
        let known = [(key("web-0", ""), used(300, Some(100), StatedResources::default()))];
        assert_eq!(fitted(&service(1, 3), &known)[0].cpu.cautions, [Caution::ScalesOnCpu]);
        assert!(fitted(&service(3, 3), &known)[0].cpu.cautions.is_empty());
    }

    #[test]
    fn pods_of_a_trace_find_their_series_by_name() {
        let mut trace = Trace::default();
        for (name, template, hours) in [("a-0", 0, 24), ("b-0", 1, 12), ("c-0", 0, 48)] {
            trace.push_row(&TraceRow {
                arrival_ms: 0,
                duration_ms: hours * HOUR_MS,
                template: LocalTemplate(template),
                count: 1,
                name,
                ..TraceRow::default()
            });
        }
        let data = TraceData {
            trace: Arc::new(trace),
            shapes: Arc::from([shape(1_000), shape(2_000)]),
            rules: PodRules::default(),
        };
        let workload = PlannedWorkload {
            name: "batch".into(),
            content: Content::Trace(data.clone()),
            transform: Transform::default(),
        };
        let known = [(key("b-0", ""), used(300, Some(100), StatedResources::default()))];
        let fittings = fitted(&workload, &known);
        assert_eq!(fittings[0].cpu.request, Err(Withheld::NoUsage));
        assert_eq!(fittings[1].cpu.request, Ok(300));
        assert_eq!((fittings[0].pods, fittings[0].run_ms), (2, Some(72 * HOUR_MS as u128)));
        let edits: Vec<&Fitting> = fittings.iter().collect();
        let Content::Trace(new) = apply(&workload, &edits).content else { panic!("a trace") };
        assert!(Arc::ptr_eq(&new.trace, &data.trace));
        assert_eq!((new.shapes[0].cpu, new.shapes[1].cpu), (shape(1_000).cpu, Some(MilliCpu(300))));
        // One shape and no names in common: all series are its own.
        let single = TraceData { shapes: Arc::from([shape(1_000)]), ..data };
        let mut rows = Trace::default();
        rows.push(0, HOUR_MS, LocalTemplate(0), 1, None);
        let single = TraceData { trace: Arc::new(rows), ..single };
        let workload = PlannedWorkload {
            name: "batch".into(),
            content: Content::Trace(single),
            transform: Transform::default(),
        };
        assert_eq!(fitted(&workload, &known)[0].cpu.request, Ok(300));
    }
}
