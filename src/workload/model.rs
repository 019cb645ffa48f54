//! What wants to run, as the engine reads it: interned pod classes and
//! templates, sorted columnar traces, services with demand, `DaemonSet`s.
//!
//! A *class* is what placement can tell apart: shape and constraints. A
//! *template* adds what only accounting and life cycle care about: whose pod
//! it is and what happens when it is interrupted. Many templates share a
//! class, so a score plane serves all of them.

use std::sync::Arc;

use super::constraints::Constraints;
use super::disruption::DisruptionBudget;
use super::draws::RowDraws;
use super::sidecar::Injected;
use crate::rng::Distribution;
use crate::units::{Bytes, MilliCpu, Percent, SimDuration, SimTime};

/// Defines typed indices into tables.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into the table it names.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}
pub(crate) use id;

id! {
    /// Index into [`Workloads::classes`].
    ClassId,
    /// Index into [`Workloads::templates`].
    TemplateId,
    /// Index into [`Workloads::workloads`].
    WorkloadId,
    /// Index into [`Workloads::namespaces`].
    NamespaceId,
    /// Index into [`Workloads::extended`]: an extended resource such as
    /// `nvidia.com/gpu`.
    ExtendedId,
    /// Index among the templates of one trace, so that a trace read once can
    /// serve several [`Workloads`]: see [`TraceUse::template_base`].
    LocalTemplate,
}

/// Cpu that scores assume of a container that requests none
/// (`pkg/scheduler/util/pod_resources.go`, 1.31).
pub const NONZERO_CPU: MilliCpu = MilliCpu(100);
/// Memory that scores assume of a container that requests none.
pub const NONZERO_MEMORY: Bytes = Bytes(200 << 20);

/// Effective requests of one pod (kubernetes `pkg/api/v1/resource/helpers.go`,
/// 1.31): what filters count, and what scores assume where nothing is stated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Requests {
    /// Requested cpu; 0 where absent.
    pub cpu: MilliCpu,
    /// Requested memory; 0 where absent.
    pub memory: Bytes,
    /// Cpu for the resource score: 100m where the request is absent
    /// (`pkg/scheduler/util/pod_resources.go`, 1.31).
    pub nonzero_cpu: MilliCpu,
    /// Memory for the resource score: 200 Mi where the request is absent.
    pub nonzero_memory: Bytes,
    /// Extended resources, by id, whole units, each at least 1, sorted by id.
    pub extended: Vec<(ExtendedId, i64)>,
}

impl Requests {
    /// Requests of a pod with one container; `None` is an absent request.
    #[must_use]
    pub fn new(
        cpu: Option<MilliCpu>,
        memory: Option<Bytes>,
        mut extended: Vec<(ExtendedId, i64)>,
    ) -> Self {
        extended.retain(|(_, n)| *n > 0);
        extended.sort_unstable();
        Requests {
            cpu: cpu.unwrap_or_default(),
            memory: memory.unwrap_or_default(),
            nonzero_cpu: cpu.unwrap_or(NONZERO_CPU),
            nonzero_memory: memory.unwrap_or(NONZERO_MEMORY),
            extended,
        }
    }

    /// Adds a container that runs beside the others; `None` is an absent
    /// request. What scores assume of absent ones counts by the container.
    pub fn join(&mut self, cpu: Option<MilliCpu>, memory: Option<Bytes>) {
        let other = Requests::new(cpu, memory, Vec::new());
        self.cpu.0 += other.cpu.0;
        self.memory.0 += other.memory.0;
        self.nonzero_cpu.0 += other.nonzero_cpu.0;
        self.nonzero_memory.0 += other.nonzero_memory.0;
    }
}

/// Effect of a taint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaintEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods prefer other nodes.
    PreferNoSchedule,
    /// New pods stay away and running ones leave.
    NoExecute,
}

/// A taint of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint {
    /// Key, as in `dedicated`.
    pub key: String,
    /// Value, possibly empty.
    pub value: String,
    /// What it does.
    pub effect: TaintEffect,
}

/// A toleration of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Toleration {
    /// Taint key; `None` with `Exists` tolerates every taint.
    pub key: Option<String>,
    /// `None` is operator `Exists`; otherwise the value must be equal.
    pub value: Option<String>,
    /// Effect tolerated; `None` tolerates all.
    pub effect: Option<TaintEffect>,
}

impl Toleration {
    /// Whether this toleration matches the taint (kubernetes
    /// `staging/src/k8s.io/api/core/v1/toleration.go`, 1.31).
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|e| e == taint.effect)
            && self.key.as_ref().is_none_or(|k| *k == taint.key)
            && self.value.as_ref().is_none_or(|v| *v == taint.value)
    }
}

/// Pods alike in shape and constraint set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodClass {
    /// Effective requests.
    pub requests: Requests,
    /// Labels a node must carry, sorted by key.
    pub node_selector: Vec<(String, String)>,
    /// Taints it tolerates.
    pub tolerations: Vec<Toleration>,
    /// Scheduling priority, higher first.
    pub priority: i32,
    /// `preemptionPolicy: Never`.
    pub never_preempts: bool,
    /// Index of the scheduler profile that places it (`schedulerName`).
    pub profile: u8,
    /// What a node counts for its score once the pod is there, where that
    /// differs from `requests`: up to 1.31 the sum on the node leaves
    /// restartable init containers out (`framework/types.go`,
    /// `calculateResource`).
    pub on_node: Option<Box<Requests>>,
    /// Further constraints, and the labels by which constraints of other pods
    /// know this one; `None` where no constraint has anything to do with it.
    pub constraints: Option<Arc<Constraints>>,
}

/// What happens to work that an interruption or eviction cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnInterrupt {
    /// Starts again from nothing.
    #[default]
    Restart,
    /// Continues where it was.
    Resume,
    /// Continues from the last multiple of the interval.
    Checkpoint(SimDuration),
}

/// Average usage of a pod while it runs, where it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Usage {
    /// Mean cpu; `None` is unknown, never "all of the request".
    pub cpu: Option<MilliCpu>,
    /// Mean memory; `None` is unknown.
    pub memory: Option<Bytes>,
}

/// How pods begin and end, beside what placement sees of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PodLife {
    /// How long after submission the last of its `schedulingGates` is removed:
    /// the scheduler leaves the pod alone until then.
    pub gated_for: SimDuration,
    /// From its deletion (`SIGTERM`) to the end of its last container, at most
    /// `terminationGracePeriodSeconds`. Until then it takes its room.
    ///
    /// DIFFERENCE: only pods that preemption deletes take it. Those that the
    /// autoscaler drains, a service gives up, or a node takes along end at once.
    pub exit: SimDuration,
    /// How long its image takes to be pulled by a node that does not have it,
    /// and on Fargate always. A `DaemonSet`'s is there when the node is Ready.
    ///
    /// DIFFERENCE: pulls do not share the bandwidth of a node, a workload's pods
    /// have no layers in common with those of others, and no image is ever
    /// collected.
    pub pull: SimDuration,
}

/// Pods alike in everything but arrival, duration and usage.
#[derive(Debug, Clone, PartialEq)]
pub struct PodTemplate {
    /// What placement sees.
    pub class: ClassId,
    /// Whose pod it is.
    pub workload: WorkloadId,
    /// Its namespace.
    pub namespace: NamespaceId,
    /// What an interruption costs.
    pub on_interrupt: OnInterrupt,
    /// From bound to running: image pull and container start, milliseconds.
    pub startup: Distribution,
    /// How they begin and end.
    pub life: PodLife,
}

/// What kind of owner a workload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkloadKind {
    /// Pods that run for a given time and finish.
    Batch,
    /// Replicas that run until scaled down.
    Service,
    /// One pod per node, or a container injected into pods: what others need.
    Daemon,
}

/// A named workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkloadInfo {
    /// Its name in the scenario.
    pub name: String,
    /// What it is.
    pub kind: WorkloadKind,
}

/// One row of a trace, as readers and generators hand it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceRow<'a> {
    /// Submission, milliseconds since the start of the run.
    pub arrival_ms: i64,
    /// Run time once running, milliseconds, at least 0.
    pub duration_ms: i64,
    /// Template of the row's pods.
    pub template: LocalTemplate,
    /// Pods in the row, at least 1, all submitted together.
    pub count: u32,
    /// Mean usage.
    pub usage: Usage,
    /// 95th percentile of usage over the run time.
    pub usage_p95: Usage,
    /// Largest usage.
    pub usage_max: Usage,
    /// Name in the source; empty where it has none.
    pub name: &'a str,
    /// Which of [`Trace::draws`] says how its pods come to differ, where they
    /// do.
    pub draws: Option<u32>,
    /// Number of its first pod; `None` counts the pods before it.
    pub ordinal: Option<u64>,
}

/// A sorted, columnar arena of arrivals: 24 bytes a row (plus usage and names
/// where the source carries them), fan-out unexpanded, shared read-only by
/// every simulation that replays it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Submission, milliseconds since the start of the run, ascending.
    pub arrival_ms: Vec<i64>,
    /// Run time once running, milliseconds, at least 0.
    pub duration_ms: Vec<i64>,
    /// Template of the row's pods, local to the trace: the simulation reads
    /// it through [`TraceUse::template`].
    pub template: Vec<LocalTemplate>,
    /// Pods in the row, at least 1, all submitted together.
    pub count: Vec<u32>,
    /// Mean usage per row; empty where the source carries none.
    pub usage: Vec<Usage>,
    /// 95th percentile of usage per row; empty where the source carries none.
    pub usage_p95: Vec<Usage>,
    /// Largest usage per row; empty where the source carries none.
    pub usage_max: Vec<Usage>,
    /// Numbers of the rows' first pods, by which pods draw; empty where a pod's
    /// number is that of the pods before it.
    pub ordinal: Vec<u64>,
    /// Names; empty where the source carries none.
    names: Names,
    /// See [`TraceRow::draws`]; empty where no row draws.
    row_draws: Vec<Option<u32>>,
    draws: Vec<RowDraws>,
}

/// Names in one buffer: no allocation per row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Names {
    text: String,
    /// End of each row's name in `text`.
    ends: Vec<usize>,
}

impl Names {
    fn get(&self, row: usize) -> &str {
        let Some(end) = self.ends.get(row) else { return "" };
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..*end]
    }

    fn push(&mut self, row: usize, name: &str) {
        if name.is_empty() && self.ends.is_empty() {
            return;
        }
        self.ends.resize(row, self.text.len());
        self.text.push_str(name);
        self.ends.push(self.text.len());
    }
}

/// Appends to a column that stays empty until its first known value.
fn push_known(column: &mut Vec<Usage>, row: usize, value: Usage) {
    if value != Usage::default() || !column.is_empty() {
        // Rows before the first known one are unknown.
        column.resize(row, Usage::default());
        column.push(value);
    }
}

impl Trace {
    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.arrival_ms.len()
    }

    /// Whether there is nothing to replay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.arrival_ms.is_empty()
    }

    /// Pods over all rows.
    #[must_use]
    pub fn pods(&self) -> u64 {
        self.count.iter().map(|c| u64::from(*c)).sum()
    }

    /// Name of the row in its source, empty where it has none.
    #[must_use]
    pub fn name(&self, row: usize) -> &str {
        self.names.get(row)
    }

    /// Numbers of each row's pods, in the order of the rows.
    pub fn numbers(&self) -> impl Iterator<Item = std::ops::Range<u64>> {
        let mut before = 0;
        self.count.iter().enumerate().map(move |(row, count)| {
            let first = self.ordinal.get(row).copied().unwrap_or(before);
            before += u64::from(*count);
            first..first + u64::from(*count)
        })
    }

    /// How the pods of rows that draw come to differ.
    #[must_use]
    pub fn draws(&self) -> &[RowDraws] {
        &self.draws
    }

    /// Says how the pods of rows that draw come to differ.
    pub fn set_draws(&mut self, draws: Vec<RowDraws>) {
        self.draws = draws;
    }

    /// Whether any row draws, so that the trace differs between seeds.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        !self.row_draws.is_empty()
    }

    /// Whether any row has a name.
    #[must_use]
    pub fn has_names(&self) -> bool {
        !self.names.ends.is_empty()
    }

    /// Appends one row without peaks or name; see [`Trace::push_row`].
    pub fn push(
        &mut self,
        arrival_ms: i64,
        duration_ms: i64,
        template: LocalTemplate,
        count: u32,
        usage: Option<Usage>,
    ) {
        let usage = usage.unwrap_or_default();
        self.push_row(&TraceRow {
            arrival_ms,
            duration_ms,
            template,
            count,
            usage,
            ..TraceRow::default()
        });
    }

    /// Appends one row; rows may come unsorted until [`Trace::sort`].
    pub fn push_row(&mut self, row: &TraceRow<'_>) {
        let at = self.len();
        push_known(&mut self.usage, at, row.usage);
        push_known(&mut self.usage_p95, at, row.usage_p95);
        push_known(&mut self.usage_max, at, row.usage_max);
        self.names.push(at, row.name);
        if row.draws.is_some() || self.is_drawn() {
            self.row_draws.resize(at, None);
            self.row_draws.push(row.draws);
        }
        if let Some(ordinal) = row.ordinal {
            debug_assert_eq!(self.ordinal.len(), at, "all rows are numbered, or none");
            self.ordinal.push(ordinal);
        }
        self.arrival_ms.push(row.arrival_ms);
        self.duration_ms.push(row.duration_ms);
        self.template.push(row.template);
        self.count.push(row.count);
    }

    /// One row put together again.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> TraceRow<'_> {
        let known = |column: &Vec<Usage>| column.get(row).copied().unwrap_or_default();
        TraceRow {
            arrival_ms: self.arrival_ms[row],
            duration_ms: self.duration_ms[row],
            template: self.template[row],
            count: self.count[row],
            usage: known(&self.usage),
            usage_p95: known(&self.usage_p95),
            usage_max: known(&self.usage_max),
            name: self.name(row),
            draws: self.row_draws.get(row).copied().flatten(),
            ordinal: self.ordinal.get(row).copied(),
        }
    }

    /// Sorts by arrival, keeping source order among equals. Returns how many
    /// rows stood before an earlier one.
    pub fn sort(&mut self) -> usize {
        let unsorted = self.arrival_ms.windows(2).filter(|w| w[0] > w[1]).count();
        if unsorted == 0 {
            return 0;
        }
        let mut order: Vec<u32> = (0..self.len() as u32).collect();
        order.sort_by_key(|i| self.arrival_ms[*i as usize]);
        if self.has_names() {
            let mut names = Names::default();
            for (row, i) in order.iter().enumerate() {
                names.push(row, self.names.get(*i as usize));
            }
            self.names = names;
        }
        pick(&mut self.arrival_ms, &order);
        pick(&mut self.duration_ms, &order);
        pick(&mut self.template, &order);
        pick(&mut self.count, &order);
        pick(&mut self.usage, &order);
        pick(&mut self.usage_p95, &order);
        pick(&mut self.usage_max, &order);
        pick(&mut self.row_draws, &order);
        pick(&mut self.ordinal, &order);
        unsorted
    }

    /// Gives back the room that growth reserved.
    pub fn shrink_to_fit(&mut self) {
        self.arrival_ms.shrink_to_fit();
        self.duration_ms.shrink_to_fit();
        self.template.shrink_to_fit();
        self.count.shrink_to_fit();
        for column in [&mut self.usage, &mut self.usage_p95, &mut self.usage_max] {
            column.shrink_to_fit();
        }
        self.row_draws.shrink_to_fit();
        self.ordinal.shrink_to_fit();
        self.names.text.shrink_to_fit();
        self.names.ends.shrink_to_fit();
    }
}

/// Puts a column that is present into the given order.
fn pick<T: Copy>(column: &mut Vec<T>, order: &[u32]) {
    if !column.is_empty() {
        *column = order.iter().map(|i| column[*i as usize]).collect();
    }
}

/// A trace as one set of workloads uses it. The trace itself names templates
/// by their place among its own, so that one copy serves every case; here it
/// learns where its templates start in [`Workloads::templates`].
#[derive(Debug, Clone, PartialEq)]
pub struct TraceUse {
    /// The shared rows.
    pub trace: Arc<Trace>,
    /// [`TemplateId`] of the trace's first template; the others follow it.
    pub template_base: u32,
}

impl TraceUse {
    /// Template of the row's pods.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn template(&self, row: usize) -> TemplateId {
        TemplateId(self.template_base + self.trace.template[row].0)
    }
}

/// Demand on a service over time: a step function.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demand {
    /// (from, cpu demand in milli-cores), ascending, first at 0. Requests per
    /// second times cpu time per request, rounded up.
    pub steps: Vec<(SimTime, MilliCpu)>,
    /// Starts over after this; `None` holds the last step for ever.
    pub period: Option<SimDuration>,
    /// Time of the last value that the source states, which may be later than
    /// the last step: equal values are one step.
    pub stated_to: SimTime,
}

/// A service: replicas that share a demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Template of each replica.
    pub template: TemplateId,
    /// Cpu demand; `None` for a fixed count without known demand.
    pub demand: Option<Demand>,
    /// What each replica uses on average, where known; with a demand its cpu
    /// is that of the demand.
    pub usage: Usage,
    /// Share of its cpu request that a replica should be busy.
    pub target: Percent,
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// Replicas that are there when the run starts: index of the named node in
    /// `ClusterSpec::members`, and how many. Together at most `min`.
    pub bound: Vec<(u32, u32)>,
    /// Template of a replica whose volumes are in a zone, by `ZoneId`: from
    /// its first binding on it is one of that zone. Empty where replicas have
    /// no volumes, or such that exist.
    pub homes: Vec<TemplateId>,
}

/// A `DaemonSet`: one pod on every node whose taints it tolerates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonSet {
    /// Template of each pod.
    pub template: TemplateId,
    /// Mean usage, where known.
    pub usage: Usage,
    /// Whether it becomes a sidecar of every Fargate pod (otherwise dropped).
    pub sidecar_on_fargate: bool,
}

/// Everything that wants to run in one simulation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Workloads {
    /// Workloads in scenario order.
    pub workloads: Vec<WorkloadInfo>,
    /// Namespace names.
    pub namespaces: Vec<String>,
    /// Extended resource names.
    pub extended: Vec<String>,
    /// Interned classes.
    pub classes: Vec<PodClass>,
    /// Interned templates.
    pub templates: Vec<PodTemplate>,
    /// Traces, one per batch workload.
    pub traces: Vec<TraceUse>,
    /// Services.
    pub services: Vec<Service>,
    /// `DaemonSet`s.
    pub daemons: Vec<DaemonSet>,
    /// `PodDisruptionBudget`s.
    pub budgets: Vec<DisruptionBudget>,
    /// By class, what a pod of it counts as while it is being deleted; empty
    /// where no pod can preempt another.
    pub leaving: Vec<ClassId>,
    /// Sidecars in the pods of each template; templates beyond its end have
    /// none.
    pub injected: Vec<Vec<Injected>>,
}

impl Workloads {
    /// The resource by which nodes state how many volumes they can attach,
    /// where any pod attaches one.
    #[must_use]
    pub fn volume_limit(&self) -> Option<ExtendedId> {
        let found = self.extended.iter().position(|name| name == super::intern::VOLUMES);
        found.map(|id| ExtendedId(id as u32))
    }

    /// The sidecars in pods of a template.
    #[must_use]
    pub fn injected(&self, template: TemplateId) -> &[Injected] {
        self.injected.get(template.index()).map_or(&[], Vec::as_slice)
    }

    /// Cpu and memory that pods of a template request for themselves, without
    /// their sidecars; nothing for an unknown template.
    #[must_use]
    pub fn own_requests(&self, template: TemplateId) -> (MilliCpu, Bytes) {
        let class = self.templates.get(template.index()).map(|t| t.class);
        let requests = class.and_then(|c| self.classes.get(c.index())).map(|c| &c.requests);
        let (mut cpu, mut memory) = requests.map_or((0, 0), |r| (r.cpu.0, r.memory.0));
        for sidecar in self.injected(template) {
            cpu -= sidecar.cpu.0;
            memory -= sidecar.memory.0;
        }
        (MilliCpu(cpu), Bytes(memory))
    }

    /// Where some pods may preempt others: for each class that may lose pods
    /// so and that spreading may count, a class of its pods while they are
    /// being deleted.
    pub fn add_leaving_classes(&mut self) {
        let bold = self.classes.iter().filter(|class| !class.never_preempts);
        let Some(highest) = bold.map(|class| class.priority).max() else { return };
        if self.classes.iter().all(|class| class.priority >= highest) {
            return;
        }
        let count = self.classes.len() as u32;
        self.leaving = (0..count).map(ClassId).collect();
        for class in 0..count as usize {
            let constraints = self.classes[class].constraints.clone();
            let victim = self.classes[class].priority < highest;
            let Some(mut constraints) = constraints.filter(|_| victim) else { continue };
            Arc::make_mut(&mut constraints).terminating = true;
            self.leaving[class] = ClassId(self.classes.len() as u32);
            self.classes
                .push(PodClass { constraints: Some(constraints), ..self.classes[class].clone() });
        }
        let twins = count..self.classes.len() as u32;
        self.leaving.extend(twins.map(ClassId));
    }

    /// What a pod of the class counts as while it is being deleted.
    #[must_use]
    pub fn leaving_class(&self, class: ClassId) -> ClassId {
        self.leaving.get(class.index()).copied().unwrap_or(class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a pod that can be preempted and that others count gets a class to
    /// leave as; it keeps all else.
    #[test]
    fn classes_that_may_be_preempted_have_one_to_leave_as() {
        let class = |priority, known: bool| PodClass {
            priority,
            constraints: known.then(|| Arc::new(Constraints::default())),
            ..PodClass::default()
        };
        let all = |classes: Vec<PodClass>| {
            let mut workloads = Workloads { classes, ..Workloads::default() };
            workloads.add_leaving_classes();
            workloads
        };
        let flat = all(vec![class(3, true), class(3, true)]);
        assert_eq!((flat.classes.len(), flat.leaving_class(ClassId(1))), (2, ClassId(1)));
        let mixed = all(vec![class(0, true), class(0, false), class(7, true)]);
        let leaving: Vec<u32> = (0..4).map(|i| mixed.leaving_class(ClassId(i)).0).collect();
        assert_eq!(leaving, [3, 1, 2, 3]);
        let twin = &mixed.classes[3];
        assert!(twin.constraints.as_ref().is_some_and(|c| c.terminating));
        let shy = PodClass { never_preempts: true, ..class(7, true) };
        assert_eq!(all(vec![class(0, true), shy]).classes.len(), 2);
    }

    #[test]
    fn sorting_moves_every_column_and_keeps_ties() {
        let mut trace = Trace::default();
        trace.push(20, 1, LocalTemplate(0), 1, None);
        let busy = Usage { cpu: Some(MilliCpu(5)), memory: None };
        let row = TraceRow {
            arrival_ms: 10,
            duration_ms: 2,
            template: LocalTemplate(1),
            count: 3,
            usage_max: busy,
            name: "b",
            ..TraceRow::default()
        };
        trace.push_row(&row);
        trace.push_row(&TraceRow { duration_ms: 3, name: "c", ..row });
        assert_eq!(trace.sort(), 1);
        assert_eq!(trace.arrival_ms, [10, 10, 20]);
        assert_eq!(trace.duration_ms, [2, 3, 1]);
        assert_eq!(trace.row(0), row);
        assert_eq!((trace.name(1), trace.name(2)), ("c", ""));
        assert!(trace.usage.is_empty() && trace.usage_p95.is_empty());
        assert_eq!(trace.usage_max, [busy, busy, Usage::default()]);
        assert_eq!(trace.sort(), 0);
        let used = TraceUse { trace: Arc::new(trace), template_base: 7 };
        assert_eq!(used.template(0), TemplateId(8));
    }
}
