//! What wants to run: from the scenario's words to [`PlannedWorkload`]s.

use super::defaults::{CPU_STEP, GRACE_PERIOD_S, MEMORY_STEP, NAMESPACE, PULL_BANDWIDTH, STARTUP};
use super::files::Files;
use super::nodes::effect;
use super::notes::Notes;
use super::scheduler;
use super::time::{LONGEST, Window};
use super::trace_format;
use crate::import::TraceSource;
use crate::nouns::counted;
use crate::rng::Distribution;
use crate::scenario::{
    self, CpuDist, DrawnMemory, Generate, GenerateLength, GenerateSizes, Keyed, PreemptionPolicy,
    RelPath, SYSTEM_PRIORITIES, Scenario, Source, Spanned, quote,
};
use crate::units::{Percent, SimDuration};
use crate::workload::demand::{DemandSpec, RequestRate};
use crate::workload::generate::{
    Arrivals, Burst, GeneratorSpec, Limit, Sizes, UsageShare, WeightedShape,
};
use crate::workload::intern::{PodRules, PodShape, VOLUMES};
use crate::workload::plan::{Content, DaemonPlan, PlannedWorkload, ServicePlan};
use crate::workload::source::{OnBadRow, ReadReport, TraceOptions};
use crate::workload::transform::Transform;
use crate::workload::{OnInterrupt, PodLife, Toleration, Usage};
use crate::world::Horizon;

/// Links all workloads of a case.
pub(super) struct Linker<'a> {
    pub(super) source: &'a Source,
    pub(super) window: Window,
    pub(super) files: &'a mut Files,
}

/// What every kind of workload says.
struct Common<'w> {
    name: &'w Spanned<String>,
    path: String,
    namespace: String,
    priority: i32,
    rules: PodRules,
}

impl Linker<'_> {
    /// Every workload that can be linked, in scenario order.
    pub(super) fn link(
        &mut self,
        scenario: &Scenario,
        notes: &mut Notes<'_>,
    ) -> Vec<PlannedWorkload> {
        let mut linked = Vec::new();
        for (name, workload) in scenario.workload.iter() {
            let common = common(name, workload, scenario, notes);
            let content = match &workload.kind {
                scenario::WorkloadKind::Trace(path, options) => {
                    self.trace(&common, path, options, notes)
                }
                scenario::WorkloadKind::Generate(it) => {
                    generator(&common, it, notes).map(Content::Generator)
                }
                scenario::WorkloadKind::Service(it) => self.service(&common, it, notes),
                scenario::WorkloadKind::DaemonSet(it) => Some(daemon(&common, it, notes)),
            };
            if let Some(content) = content {
                let transform = Transform::default();
                linked.push(PlannedWorkload { name: name.value.clone(), content, transform });
            }
        }
        linked
    }

    fn trace(
        &mut self,
        common: &Common<'_>,
        path: &Spanned<RelPath>,
        it: &scenario::TraceOptions,
        notes: &mut Notes<'_>,
    ) -> Option<Content> {
        let requests = it.requests.as_ref();
        let source = TraceSource {
            path: self.source.locate(path),
            shown: path.as_str().to_owned(),
            format: trace_format::link(&common.path, path, it, self.source, notes)?,
            options: TraceOptions {
                namespace: common.namespace.clone(),
                priority: common.priority,
                cpu: requests.and_then(|r| r.cpu).map(|c| c.value),
                memory: requests.and_then(|r| r.memory).map(|m| m.value),
                rules: common.rules.clone(),
                on_bad_row: match it.on_bad_row {
                    Some(Spanned { value: scenario::OnBadRow::Quarantine, .. }) => {
                        OnBadRow::Quarantine
                    }
                    Some(_) => OnBadRow::Fail,
                    None => {
                        let note = "choice: nothing is left out unseen";
                        let path = format!("{}.on-bad-row", common.path);
                        notes.default(path, scenario::OnBadRow::Fail, note);
                        OnBadRow::Fail
                    }
                },
                start_unix_ms: Some(self.window.start_unix_ms),
            },
        };
        match self.files.trace(&source) {
            Ok(loaded) => {
                warn_of_rows(&loaded.report, path, notes);
                let arrivals = &loaded.data.trace.arrival_ms;
                if arrivals.last().is_some_and(|at| *at > LONGEST.0) {
                    let message = format!(
                        "{}: the last row arrives more than {LONGEST} after `time.start`",
                        quote(path.as_str())
                    );
                    notes.diags.error(path.span, message).help(
                        "if arrivals are Unix times, write them as timestamps or set `time.start`",
                    );
                    return None;
                }
                if let Horizon::At(end) = self.window.horizon {
                    let late = arrivals.len() - arrivals.partition_point(|at| *at < end.0);
                    if late > 0 {
                        let message = format!(
                            "{}: {late} of {} rows arrive after the end of the run",
                            quote(path.as_str()),
                            arrivals.len()
                        );
                        notes.diags.warning("beyond-horizon", path.span, message);
                    }
                }
                Some(Content::Trace(loaded.data))
            }
            Err(error) => {
                notes.diags.error(path.span, error.to_string());
                None
            }
        }
    }

    fn service(
        &mut self,
        common: &Common<'_>,
        it: &scenario::Service,
        notes: &mut Notes<'_>,
    ) -> Option<Content> {
        let demand = match &it.demand {
            Some(demand) => Some(self.demand(common, demand, it, notes)?),
            None => None,
        };
        let (target, min, max) = match &it.replicas.value {
            // A share that is never looked at: the bounds are equal.
            scenario::Replicas::Fixed(n) => {
                (Percent { ppm: 1_000_000 }, n.get() as u32, n.get() as u32)
            }
            scenario::Replicas::Target(t) => {
                (t.target.value.0, t.min.get() as u32, t.max.get() as u32)
            }
        };
        let requested = it.requests.cpu.map_or(0, |cpu| cpu.value.0);
        if requested == 0 && target.ppm > 0 && min != max {
            let span = it.requests.cpu.map_or(it.replicas.span, |cpu| cpu.span);
            notes
                .diags
                .error(span, "replicas that follow cpu usage need a cpu request")
                .help("state the cpu that one replica requests, such as 500m");
        }
        let usage = it.usage.as_ref().map_or_else(Usage::default, mean_usage);
        Some(Content::Service(ServicePlan {
            pod: common.pod(&it.requests),
            rules: common.rules.clone(),
            demand,
            usage: Usage { memory: usage.memory.or(it.memory_usage.map(|m| m.value)), ..usage },
            target,
            min,
            max,
            // Names of nodes and zones mean something once the pools are linked.
            bound: Vec::new(),
            volume_zones: Vec::new(),
        }))
    }

    fn demand(
        &mut self,
        common: &Common<'_>,
        demand: &scenario::Demand,
        it: &scenario::Service,
        notes: &mut Notes<'_>,
    ) -> Option<crate::workload::Demand> {
        let per_request = it.cpu_time_per_request.as_ref()?;
        let (span, steps) = match demand {
            scenario::Demand::Constant(rps) => {
                (rps.span, vec![(SimDuration::ZERO, rate(rps, notes)?)])
            }
            scenario::Demand::Steps(steps) => {
                let mut list = Vec::with_capacity(steps.value.len());
                for step in steps.value.iter() {
                    list.push((step.at.value, rate(&step.rps, notes)));
                }
                let list = list.into_iter().map(|(at, rps)| Some((at, rps?)));
                (steps.span, list.collect::<Option<Vec<_>>>()?)
            }
            scenario::Demand::File(path) => {
                let at = self.source.locate(path);
                match self.files.demand(&at, path.as_str(), self.window.start_unix_ms) {
                    Ok(steps) => (path.span, steps),
                    Err(error) => {
                        notes.diags.error(path.span, error.to_string());
                        return None;
                    }
                }
            }
        };
        if it.demand_repeats.is_none() && steps.len() > 1 {
            let path = format!("{}.service.demand-repeats", common.path);
            notes.default(path, "never", "the last step holds for ever");
        }
        let spec = DemandSpec {
            steps,
            cpu_us_per_request: per_request.micros,
            period: it.demand_repeats.map(|d| d.value.0),
        };
        match spec.demand() {
            Ok(demand) => Some(demand),
            Err(faults) => {
                for fault in faults {
                    let place = match fault.field {
                        "cpu-time-per-request" => per_request.span,
                        "period" => it.demand_repeats.map_or(span, |d| d.span),
                        _ => span,
                    };
                    notes.diags.error(place, format!("the {} {}", fault.field, fault.cause));
                }
                None
            }
        }
    }
}

impl Common<'_> {
    fn pod(&self, requests: &scenario::Requests) -> PodShape {
        PodShape {
            cpu: requests.cpu.map(|cpu| cpu.value),
            memory: requests.memory.map(|memory| memory.value),
            nonzero_cpu: requests.nonzero.as_ref().and_then(|n| n.cpu).map(|cpu| cpu.value),
            nonzero_memory: requests.nonzero.as_ref().and_then(|n| n.memory).map(|m| m.value),
            extended: extended(&requests.extended),
            namespace: self.namespace.clone(),
            priority: self.priority,
        }
    }
}

fn extended(given: &Keyed<Spanned<scenario::ExtendedAmount>>) -> Vec<(String, i64)> {
    given
        .iter()
        .map(|(name, n)| (name.value.clone(), n.value.get() as i64))
        .filter(|(_, n)| *n > 0)
        .collect()
}

fn common<'w>(
    name: &'w Spanned<String>,
    it: &scenario::Workload,
    scenario: &Scenario,
    notes: &mut Notes<'_>,
) -> Common<'w> {
    let path = format!("workload.{}", name.value);
    let namespace = if let Some(given) = &it.namespace {
        given.value.clone()
    } else {
        notes.default(format!("{path}.namespace"), NAMESPACE.value, NAMESPACE.note);
        NAMESPACE.value.to_owned()
    };
    let on_interrupt = if let Some(given) = &it.on_interrupt {
        match &given.value {
            scenario::OnInterrupt::Restart => OnInterrupt::Restart,
            scenario::OnInterrupt::Resume => OnInterrupt::Resume,
            scenario::OnInterrupt::Checkpoint(c) => OnInterrupt::Checkpoint(c.checkpoint.value.0),
        }
    } else {
        let batch = matches!(
            it.kind,
            scenario::WorkloadKind::Trace(..) | scenario::WorkloadKind::Generate(_)
        );
        if batch {
            let note = "choice: work that is cut off is lost";
            notes.default(format!("{path}.on-interrupt"), "restart", note);
        }
        OnInterrupt::Restart
    };
    let startup = if let Some(given) = &it.startup {
        given.value.distribution.clone()
    } else {
        notes.default(format!("{path}.startup"), STARTUP.value, STARTUP.note);
        Distribution::Constant(STARTUP.value.0 as f64)
    };
    let (priority, never_preempts) = priority(it, &scenario.kubernetes, notes);
    Common {
        name,
        namespace,
        priority,
        rules: PodRules {
            node_selector: it
                .node_selector
                .iter()
                .map(|(key, value)| (key.value.clone(), value.value.0.clone()))
                .collect(),
            tolerations: it.tolerations.iter().map(|t| toleration(t)).collect(),
            on_interrupt,
            startup,
            life: life(it, scenario, &path, notes),
            never_preempts,
            profile: scheduler::profile_of(it, scenario, notes),
            // Known once all pods are.
            constraints: Vec::new(),
        },
        path,
    }
}

/// How a workload's pods begin and end.
fn life(
    it: &scenario::Workload,
    scenario: &Scenario,
    path: &str,
    notes: &mut Notes<'_>,
) -> PodLife {
    let gates = it.scheduling_gates.iter().map(|g| g.removed_after.value);
    let grace = it.termination_grace_period_seconds.map(|s| s.value.get() as i64);
    let exit = it.shutdown.map_or(SimDuration::ZERO, |s| s.value);
    if it.shutdown.is_some() && grace.is_none() {
        let key = format!("{path}.terminationGracePeriodSeconds");
        notes.default(key, GRACE_PERIOD_S.value, GRACE_PERIOD_S.note);
    }
    let longest = SimDuration::from_secs(grace.unwrap_or(GRACE_PERIOD_S.value));
    PodLife {
        gated_for: gates.max().unwrap_or(SimDuration::ZERO),
        exit: exit.min(longest),
        pull: pull(it, scenario, notes),
    }
}

/// How long a workload's image takes to be pulled, rounded up to milliseconds.
fn pull(it: &scenario::Workload, scenario: &Scenario, notes: &mut Notes<'_>) -> SimDuration {
    let Some(image) = it.image else { return SimDuration::ZERO };
    let given = scenario.images.pull_bandwidth.map(|b| Spanned { value: b.value.0, span: b.span });
    let bandwidth = notes.or_default(given, "images.pull-bandwidth", PULL_BANDWIDTH);
    let (bytes, per_second) = (i128::from(image.value.0.0), i128::from(bandwidth.0));
    let ms = (bytes * 1_000 + per_second - 1) / per_second;
    SimDuration(i64::try_from(ms).unwrap_or(i64::MAX).min(LONGEST.0))
}

/// The priority of a workload's pods, and whether they never preempt
/// (kubernetes `plugin/pkg/admission/priority/admission.go`, 1.31).
fn priority(
    it: &scenario::Workload,
    objects: &scenario::Kubernetes,
    notes: &mut Notes<'_>,
) -> (i32, bool) {
    let classes = &objects.priority_classes;
    let never = |policy: Option<Spanned<PreemptionPolicy>>| {
        policy.is_some_and(|p| p.value == PreemptionPolicy::Never)
    };
    let of = |class: &scenario::PriorityClass| {
        (class.value.value, never(it.preemption_policy.or(class.preemption_policy)))
    };
    if let Some(name) = &it.priority_class_name {
        if let Some(class) = classes.get(&name.value) {
            return of(class);
        }
        let system = SYSTEM_PRIORITIES.iter().find(|(known, _)| *known == name.value);
        if let Some((_, value)) = system {
            return (*value, never(it.preemption_policy));
        }
        let known: Vec<&str> =
            classes.names().chain(SYSTEM_PRIORITIES.iter().map(|(name, _)| *name)).collect();
        notes
            .diags
            .error(name.span, format!("unknown priority class {}", quote(&name.value)))
            .suggest(&name.value, known.iter().copied())
            .help("state it under `kubernetes.priorityClasses`, or a number as `priority`");
    }
    let default = classes.iter().find(|(_, c)| c.global_default.is_some_and(|g| g.value));
    match (it.priority, default) {
        (None, Some((_, class))) => of(class),
        (given, _) => (given.map_or(0, |p| p.value), never(it.preemption_policy)),
    }
}

fn toleration(it: &scenario::Toleration) -> Toleration {
    let exists =
        it.operator.as_ref().is_some_and(|o| o.value == scenario::TolerationOperator::Exists);
    let value = it.value.as_ref().map_or_else(String::new, |v| v.to_string());
    Toleration {
        key: it.key.as_ref().map(|k| k.to_string()),
        value: (!exists).then_some(value),
        effect: it.effect.as_ref().map(|e| effect(e.value)),
    }
}

/// What became of rows that are not replayed as they stand.
fn warn_of_rows(report: &ReadReport, path: &Spanned<RelPath>, notes: &mut Notes<'_>) {
    let file = quote(path.as_str());
    let mut warn = |code, text: String| {
        notes.diags.warning(code, path.span, format!("{file}: {text}"));
    };
    for (code, tally) in &report.rejected {
        warn(code, format!("left out {} {}", tally.rows, tally.text));
    }
    for (code, tally) in &report.clipped {
        warn(code, format!("clipped {} {}", tally.rows, tally.text));
    }
    for (code, tally) in &report.warnings {
        warn(code, format!("{} {}", tally.rows, tally.text));
    }
    if report.quarantined > 0 {
        let first = report.quarantined_rows.first();
        let example = first.map_or_else(String::new, |q| {
            let column =
                if q.bad.column.is_empty() { String::new() } else { format!(" {}", q.bad.column) };
            format!(", the first at {}{column}: {}", q.position, q.bad.cause)
        });
        let rows = counted(report.quarantined, "row");
        warn("quarantined", format!("left out {rows} that cannot be read{example}"));
    }
}

fn rate(rps: &Spanned<scenario::NonNegative>, notes: &mut Notes<'_>) -> Option<RequestRate> {
    // The shortest decimal of a number is what was written.
    match rps.value.0.to_string().parse() {
        Ok(rate) => Some(rate),
        Err(error) => {
            notes.diags.error(rps.span, error.to_string());
            None
        }
    }
}

/// What is known of the usage of one pod.
pub(super) fn mean_usage(it: &scenario::Usage) -> Usage {
    Usage { cpu: it.cpu.map(|cpu| cpu.value), memory: it.memory.map(|memory| memory.value) }
}

fn daemon(common: &Common<'_>, it: &scenario::DaemonSet, notes: &mut Notes<'_>) -> Content {
    let sidecar_on_fargate = if let Some(given) = it.on_fargate {
        given.value == scenario::OnFargate::Sidecar
    } else {
        let path = format!("{}.daemonset.on-fargate", common.path);
        notes.default(path, scenario::OnFargate::Sidecar, "choice: what it does is still needed");
        true
    };
    Content::Daemon(DaemonPlan {
        pod: common.pod(&it.requests),
        rules: common.rules.clone(),
        usage: it.usage.as_ref().map_or_else(Usage::default, mean_usage),
        sidecar_on_fargate,
    })
}

fn generator(common: &Common<'_>, it: &Generate, notes: &mut Notes<'_>) -> Option<GeneratorSpec> {
    let arrivals = arrivals(it, notes);
    let sizes = match &it.sizes {
        GenerateSizes::Shapes(shapes) => Sizes::Shapes(weighted(shapes)),
        GenerateSizes::Drawn(cpu, DrawnMemory { memory }) => drawn(common, cpu, memory, notes),
    };
    let spec = GeneratorSpec {
        arrivals: arrivals?,
        duration: it.duration.distribution.clone(),
        sizes,
        usage: UsageShare::default(),
        namespace: common.namespace.clone(),
        priority: common.priority,
        rules: common.rules.clone(),
    };
    let faults = spec.faults();
    for fault in &faults {
        let place = match fault.field {
            "arrivals" => it.arrivals.span,
            "duration" => it.duration.span,
            _ => common.name.span,
        };
        notes.diags.error(place, format!("the {} {}", fault.field, fault.cause));
    }
    faults.is_empty().then_some(spec)
}

fn arrivals(it: &Generate, notes: &mut Notes<'_>) -> Option<Arrivals> {
    let (limit, limit_span) = match &it.length {
        GenerateLength::Count(n) => (Limit::Count(n.value.get()), n.span),
        GenerateLength::Until(end) => (Limit::Until(end.value.0), end.span),
    };
    Some(match &it.arrivals.value {
        scenario::Arrivals::Poisson(p) => Arrivals::Poisson { per_hour: p.per_hour.value.0, limit },
        scenario::Arrivals::Uniform(u) => {
            let Limit::Count(count) = limit else {
                notes
                    .diags
                    .error(limit_span, "uniform arrivals need a number of pods")
                    .help("state `count`; `over` already says for how long they arrive");
                return None;
            };
            Arrivals::Uniform { count, over: u.over.value.0 }
        }
        scenario::Arrivals::Even(e) => Arrivals::Even { every: e.every.value.0, limit },
        scenario::Arrivals::Burst(b) => {
            let size = b.size.get();
            let mut at: Vec<SimDuration> = b.at.iter().map(|at| at.value).collect();
            at.sort();
            let mut left = match limit {
                Limit::Count(n) => n,
                Limit::Until(end) => {
                    at.retain(|at| *at < end);
                    u64::MAX
                }
            };
            let mut bursts = Vec::new();
            for at in at {
                let size = size.min(left);
                left -= size;
                if size > 0 {
                    bursts.push(Burst { at, size: size as u32 });
                }
            }
            if matches!(limit, Limit::Count(_)) && left > 0 {
                let given = bursts.iter().map(|b| u64::from(b.size)).sum::<u64>();
                notes
                    .diags
                    .error(limit_span, format!("the bursts give {given} pods only"))
                    .help("state more times, a larger `size`, or this `count`");
                return None;
            }
            Arrivals::Bursts(bursts)
        }
        scenario::Arrivals::Periodic(p) => {
            let (delay, jitter) = match &p.jitter {
                None => (SimDuration::ZERO, SimDuration::ZERO),
                Some(jitter) => match jitter.distribution {
                    Distribution::Constant(at) => (SimDuration(at as i64), SimDuration::ZERO),
                    Distribution::Uniform { min, max } => {
                        (SimDuration(min as i64), SimDuration((max - min) as i64))
                    }
                    _ => {
                        notes
                            .diags
                            .error(jitter.span, "jitter is uniform or constant")
                            .help("write it as `jitter: { uniform: { min: 0s, max: 10m } }`");
                        return None;
                    }
                },
            };
            let first = p.at.map_or(SimDuration::ZERO, |at| at.value);
            let at = SimDuration(first.0.saturating_add(delay.0));
            // A limit in time bounds the groups before they are delayed.
            let limit = match limit {
                Limit::Until(end) => Limit::Until(SimDuration(end.0.saturating_add(delay.0))),
                count @ Limit::Count(_) => count,
            };
            Arrivals::Periodic {
                at,
                every: p.every.value.0,
                size: p.size.get() as u32,
                jitter,
                limit,
            }
        }
    })
}

/// Weights as whole numbers: themselves if they are, otherwise to a
/// millionth of the largest.
fn weighted(shapes: &[scenario::Shape]) -> Vec<WeightedShape> {
    const FINEST: f64 = 1e6;
    let weight = |s: &scenario::Shape| s.weight.map_or(1.0, |w| w.value.0);
    let largest = shapes.iter().map(weight).fold(0.0, f64::max);
    let whole = shapes.iter().all(|s| weight(s).fract() == 0.0) && largest <= FINEST;
    let scale = if whole { 1.0 } else { FINEST / largest };
    shapes
        .iter()
        .map(|s| WeightedShape {
            weight: (weight(s) * scale).round().max(1.0) as u32,
            cpu: Some(s.cpu.value),
            memory: Some(s.memory.value),
            extended: extended(&s.extended),
        })
        .collect()
}

fn drawn(
    common: &Common<'_>,
    cpu: &Spanned<CpuDist>,
    memory: &Spanned<scenario::MemoryDist>,
    notes: &mut Notes<'_>,
) -> Sizes {
    let path = |key: &str| format!("{}.generate.{key}.step", common.path);
    let cpu_step = cpu.step.unwrap_or_else(|| {
        notes.default(path("cpu"), CPU_STEP.value, CPU_STEP.note);
        CPU_STEP.value
    });
    let memory_step = memory.step.unwrap_or_else(|| {
        notes.default(path("memory"), MEMORY_STEP.value, MEMORY_STEP.note);
        MEMORY_STEP.value
    });
    Sizes::Drawn {
        cpu: cpu.distribution.clone(),
        cpu_step,
        memory: memory.distribution.clone(),
        memory_step,
    }
}

/// Names of the extended resources of the run, in the order in which the
/// tables of the workloads number them: workloads of fixed size by their
/// order, then their shapes. Last the volumes, which no pod requests.
pub(super) fn extended_names(workloads: &[PlannedWorkload]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |extended: &[(String, i64)]| {
        for (name, _) in extended {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    };
    for workload in workloads {
        match &workload.content {
            Content::Trace(data) => data.shapes.iter().for_each(|s| add(&s.extended)),
            Content::Service(s) => add(&s.pod.extended),
            Content::Daemon(d) => add(&d.pod.extended),
            Content::Generator(GeneratorSpec { sizes: Sizes::Shapes(shapes), .. }) => {
                for shape in shapes {
                    // A generator keeps the resources of a shape by name.
                    let mut sorted = shape.extended.clone();
                    sorted.sort();
                    add(&sorted);
                }
            }
            Content::Generator(_) => {}
        }
    }
    let attaches = |w: &PlannedWorkload| match &w.content {
        Content::Service(s) => s.rules.constraints.iter().any(|c| c.attached_volumes > 0),
        _ => false,
    };
    if workloads.iter().any(attaches) {
        add(&[(VOLUMES.to_owned(), 0)]);
    }
    names
}
