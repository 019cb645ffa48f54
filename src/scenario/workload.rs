//! The part of the model that says what wants to run.

use super::charges::{ClaimType, Traffic};
use super::constraints::{
    Affinity, HostPort, PreemptionPolicy, TopologySpreadConstraint, check_repeated,
};
use super::decode::{Ctx, Keyed, NonEmpty, Spanned};
use super::diagnostic::Span;
use super::dist::{CpuDist, MemoryDist, TimeDist};
use super::ecs::{LaunchType, PlacementConstraint, PlacementRule, ProviderStrategy};
use super::label::{LabelKey, LabelValue, Labels};
use super::leaf::{CpuTime, RelPath};
use super::number::{Growth, Int, NonNegative, Positive, Share};
use super::quote;
use super::record::{choice, names, record, union};
use crate::units::{Bytes, MilliCpu, Percent, SimDuration};

/// A number of pods.
pub type PodCount = Int<1, 100_000_000>;
/// An amount of an extended resource, such as a number of GPUs.
pub type ExtendedAmount = Int<0, 1_000_000>;

record! {
    /// A named owner of pods.
    pub struct Workload {
        one of kind: WorkloadKind,
        /// Namespace of the pods; default unless stated.
        "namespace" => namespace: Option<Spanned<String>>,
        /// Priority of the pods; 0 unless stated.
        "priority" => priority: Option<Spanned<i32>>,
        /// Name of the priority, instead of `priority`.
        "priorityClassName" => priority_class_name: Option<Spanned<String>>,
        /// Whether pods that fit nowhere evict pods of lower priority; as the priority class says unless stated.
        "preemptionPolicy" => preemption_policy: Option<Spanned<PreemptionPolicy>>,
        /// Profile of the scheduler that places the pods; default-scheduler unless stated.
        "schedulerName" => scheduler_name: Option<Spanned<String>>,
        /// Labels of the pods, by which selectors know them.
        "labels" => labels: Labels = Labels::default(),
        /// Labels a node must have.
        "nodeSelector" => node_selector: Labels = Labels::default(),
        /// Taints the pods tolerate.
        "tolerations" => tolerations: Vec<Spanned<Toleration>> = Vec::new(),
        /// Which nodes, and which neighbours, the pods want.
        "affinity" => affinity: Option<Spanned<Affinity>>,
        /// How evenly pods are spread over domains of nodes.
        "topologySpreadConstraints" => topology_spread_constraints: Vec<Spanned<TopologySpreadConstraint>> = Vec::new(),
        /// Ports of the node that each pod takes.
        "hostPorts" => host_ports: Vec<Spanned<HostPort>> = Vec::new(),
        /// EBS volumes of each replica, by name; without `zone` they come to be in the zone of the node that it is first bound to, and bind its replacements to it.
        "volumeClaimTemplates" => volume_claim_templates: Keyed<Spanned<VolumeClaim>> = Keyed::default(),
        /// What its pods send and receive, for what traffic costs.
        "traffic" => traffic: Option<Traffic>,
        /// Size of its container image in ECR, compressed; neither kept nor pulled unless stated.
        "image" => image: Option<Spanned<Positive<Bytes>>>,
        /// What becomes of work whose node is taken away; restart unless stated.
        "on-interrupt" => on_interrupt: Option<Spanned<OnInterrupt>>,
        /// Time from start of the container to ready; 5s unless stated.
        "startup" => startup: Option<Spanned<TimeDist>>,
        /// What holds the pods back from the scheduler after they are submitted.
        "schedulingGates" => scheduling_gates: Vec<Spanned<SchedulingGate>> = Vec::new(),
        /// Time from SIGTERM to the end of a pod that preemption deletes, as all others end at once; 0s unless stated.
        "shutdown" => shutdown: Option<Spanned<SimDuration>>,
        /// Longest time from SIGTERM to the end of a pod that preemption deletes; 30 unless stated.
        "terminationGracePeriodSeconds" => termination_grace_period_seconds: Option<Spanned<Int<0, 86_400>>>,
        /// How much more of it there is: 130% of its pods, or of its demand.
        "growth" => growth: Option<Spanned<Growth>>,
        /// The share of its pods that is kept.
        "thin" => thin: Option<Spanned<Positive<Share>>>,
        /// Whole days drawn anew for each seed, instead of those of the scenario.
        "resample" => resample: Option<Spanned<Resample>>,
        /// Ephemeral storage that each pod asks for on Fargate, of which 20 GiB are free: on EKS its ephemeral-storage request, on ECS ephemeralStorage.sizeInGiB.
        "fargate-storage" => fargate_storage: Option<Spanned<Positive<Bytes>>>,
        /// On ECS, how its tasks are placed; as `placement` says unless stated.
        "placement-strategy" => placement_strategy: Option<Spanned<Vec<Spanned<PlacementRule>>>>,
        /// On ECS, where its tasks may be placed at all; as `ecs` says unless stated.
        "placement-constraints" => placement_constraints: Option<Spanned<Vec<Spanned<PlacementConstraint>>>>,
        /// On ECS, which pools take its tasks; the cluster's default unless stated.
        "capacity-provider-strategy" => capacity_provider_strategy: Option<ProviderStrategy>,
        /// On ECS, a launch type instead of capacity providers.
        "launch-type" => launch_type: Option<Spanned<LaunchType>>,
    }
    check check_workload;
}

record! {
    /// A reason to hold pods back from the scheduler.
    pub struct SchedulingGate {
        /// Its name.
        "name" => name: Spanned<String>,
        /// Time from the pod's submission to the removal of the gate.
        "removed-after" => removed_after: Spanned<SimDuration>,
    }
}

record! {
    /// An EBS volume of each replica.
    pub struct VolumeClaim {
        /// Zone in which the volumes exist already, such as us-east-1a.
        "zone" => zone: Option<Spanned<String>>,
        /// Size of each volume; not charged unless stated.
        "storage" => storage: Option<Spanned<Bytes>>,
        /// Type of the volumes; gp3 unless stated.
        "type" => kind: Option<Spanned<ClaimType>>,
        /// IOPS of each volume of type gp3, io1 or io2.
        "iops" => iops: Option<Spanned<Int<1, 1_000_000>>>,
        /// Throughput of each volume of type gp3, MiB/s; 125 unless stated.
        "throughput" => throughput: Option<Spanned<Int<1, 1_000_000>>>,
    }
    check check_claim;
}

/// What is charged by the volume needs its size.
fn check_claim(it: &VolumeClaim, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.storage.is_some() {
        return true;
    }
    let given = [
        ("type", it.kind.map(|k| k.span)),
        ("iops", it.iops.map(|i| i.span)),
        ("throughput", it.throughput.map(|t| t.span)),
    ];
    let mut fine = true;
    for (key, span) in given {
        if let Some(span) = span {
            let message = format!("`{key}` has no effect without `storage`, the volume's size");
            ctx.diags().error(span, message);
            fine = false;
        }
    }
    fine
}

record! {
    /// A bootstrap of whole days: each is drawn with replacement from those of a trace or a demand.
    pub struct Resample {
        /// Days that are drawn; as many as the run has, or else the trace, unless stated.
        "days" => days: Option<Spanned<Int<1, 3_660>>>,
        /// What a drawn day has in common with the one whose place it takes; nothing unless stated.
        "keep" => keep: Option<Spanned<KeepDay>>,
    }
}

names! {
    /// What a drawn day has in common with the one whose place it takes.
    pub enum KeepDay {
        /// The day of the week.
        "weekday" => Weekday,
    }
}

/// Refuses volumes that no pod could have.
fn check_volumes(it: &Workload, ctx: &mut Ctx<'_>) -> bool {
    let kind = match it.kind {
        WorkloadKind::Service(_) => None,
        WorkloadKind::Trace(..) | WorkloadKind::Generate(_) => {
            Some("pods that end with their work: only the replicas of a service keep their volumes")
        }
        WorkloadKind::DaemonSet(_) => Some("a daemonset: its pods do not outlast their node"),
    };
    if let (Some((name, _)), Some(kind)) = (it.volume_claim_templates.iter().next(), kind) {
        let message = format!("`volumeClaimTemplates` has no effect on {kind}");
        ctx.diags().error(name.span, message);
        return false;
    }
    let mut zones = it.volume_claim_templates.iter().filter_map(|(_, c)| c.value.zone.as_ref());
    let Some(first) = zones.next() else { return true };
    if let Some(other) = zones.find(|zone| zone.value != first.value) {
        let message = format!(
            "a pod cannot have volumes in two zones, {} and {}",
            quote(&first.value),
            quote(&other.value)
        );
        ctx.diags().error(other.span, message);
        return false;
    }
    true
}

/// Refuses what would have no effect on this kind of workload.
fn check_workload(it: &Workload, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if let (WorkloadKind::Generate(_), Some(resample)) = (&it.kind, &it.resample) {
        let message = "`resample` has no effect on drawn pods: they differ between seeds anyway";
        ctx.diags().error(resample.span, message);
        return false;
    }
    if let (Some(_), Some(launch_type)) = (&it.capacity_provider_strategy, &it.launch_type) {
        ctx.diags().error(
            launch_type.span,
            "`launch-type` and `capacity-provider-strategy` exclude each other",
        );
        return false;
    }
    if let (Some(_), Some(name)) = (&it.priority, &it.priority_class_name) {
        let message = "`priority` and `priorityClassName` exclude each other";
        ctx.diags().error(name.span, message);
        return false;
    }
    if !check_repeated(&it.topology_spread_constraints, ctx) || !check_volumes(it, ctx) {
        return false;
    }
    if let (Some(grace), None) = (&it.termination_grace_period_seconds, &it.shutdown) {
        ctx.diags()
            .error(grace.span, "`terminationGracePeriodSeconds` bounds a `shutdown` time")
            .help("state how long the pods take to end, as in `shutdown: 20s`");
        return false;
    }
    let (kind, lasting, daemon) = match it.kind {
        WorkloadKind::Trace(..) | WorkloadKind::Generate(_) => return true,
        WorkloadKind::Service(_) => ("a service", true, false),
        WorkloadKind::DaemonSet(_) => ("a daemonset", true, true),
    };
    let mut fine = true;
    let mut refuse = |key: &str, span: Option<Span>, why: &str| {
        if let Some(span) = span {
            ctx.diags().error(span, format!("`{key}` has no effect on {kind}: {why}"));
            fine = false;
        }
    };
    if lasting {
        let span = it.on_interrupt.as_ref().map(|o| o.span);
        refuse("on-interrupt", span, "its pods have no work that ends");
        let span = it.thin.as_ref().map(|t| t.span);
        refuse("thin", span, "it has demand or replicas, which `growth` scales");
    }
    if daemon {
        refuse("startup", it.startup.as_ref().map(|s| s.span), "it runs from the node's Ready on");
        refuse("growth", it.growth.as_ref().map(|g| g.span), "it has one pod on every node");
        refuse("resample", it.resample.as_ref().map(|r| r.span), "it has no days");
        let why = "it has its place on every node";
        refuse("priority", it.priority.as_ref().map(|p| p.span), why);
        refuse("priorityClassName", it.priority_class_name.as_ref().map(|p| p.span), why);
        refuse("schedulerName", it.scheduler_name.as_ref().map(|p| p.span), why);
        refuse("preemptionPolicy", it.preemption_policy.as_ref().map(|p| p.span), why);
        let span = it.fargate_storage.as_ref().map(|s| s.span);
        refuse("fargate-storage", span, "it has no Fargate pods of its own");
        let span = it.scheduling_gates.first().map(|g| g.span);
        refuse("schedulingGates", span, "it runs from the node's Ready on");
        refuse("shutdown", it.shutdown.as_ref().map(|s| s.span), "it ends with its node");
        let span = it.termination_grace_period_seconds.as_ref().map(|s| s.span);
        refuse("terminationGracePeriodSeconds", span, "it ends with its node");
        refuse("affinity", it.affinity.as_ref().map(|a| a.span), why);
        let spread = it.topology_spread_constraints.first().map(|c| c.span);
        refuse("topologySpreadConstraints", spread, why);
        let why = "it runs on every container instance";
        refuse("placement-strategy", it.placement_strategy.as_ref().map(|p| p.span), why);
        let providers = it.capacity_provider_strategy.as_ref().map(|p| p.span);
        refuse("capacity-provider-strategy", providers, why);
        refuse("launch-type", it.launch_type.as_ref().map(|l| l.span), why);
        let distinct = it.placement_constraints.as_ref().and_then(|all| {
            all.value.iter().find(|c| c.value == PlacementConstraint::DistinctInstance)
        });
        let why = "it has one task on an instance anyway";
        refuse("distinctInstance", distinct.map(|c| c.span), why);
    }
    fine
}

choice! {
    /// Where pods come from.
    pub enum WorkloadKind {
        /// A file of recorded pods.
        "trace" => Trace(Spanned<RelPath>, + Box<TraceOptions>),
        /// Pods drawn at random.
        "generate" => Generate(Box<Generate>),
        /// Replicas that share a demand.
        "service" => Service(Box<Service>),
        /// One pod on each node.
        "daemonset" => DaemonSet(Box<DaemonSet>),
    }
}

record! {
    /// How a trace is read.
    pub struct TraceOptions {
        /// Format of the file; by its name or header unless stated.
        "format" => format: Option<Spanned<TraceFormat>>,
        /// What becomes of rows that cannot be used; fail unless stated.
        "on-bad-row" => on_bad_row: Option<Spanned<OnBadRow>>,
        /// Which pods of an openb trace are taken; all unless stated.
        "select" => select: Option<Spanned<TraceSelect>>,
        /// Memory per cpu where a trace of format swf does not say.
        "memory-per-cpu" => memory_per_cpu: Option<Spanned<Positive<Bytes>>>,
        /// Memory of a whole machine, of which a trace of format alibaba-batch-2017 states shares.
        "memory-scale" => memory_scale: Option<Spanned<Positive<Bytes>>>,
        /// What one unit of memory is in a trace of format opendc, such as 1Ki or 1M.
        "memory-unit" => memory_unit: Option<Spanned<Positive<Bytes>>>,
        /// Requests of rows that state none.
        "requests" => requests: Option<DefaultRequests>,
        /// Name of the extended resource that GPUs of the trace become.
        "gpu-resource" => gpu_resource: Option<Spanned<String>>,
        /// Name of the extended resource that percents of a network card become (format alibaba-dlrm-2025).
        "rdma-resource" => rdma_resource: Option<Spanned<String>>,
        /// File of run times of a trace of format azure-functions-2019.
        "durations" => durations: Option<Spanned<RelPath>>,
        /// File of memory of a trace of format azure-functions-2019.
        "memory" => memory: Option<Spanned<RelPath>>,
        /// File of usage of a trace of format opendc.
        "fragments" => fragments: Option<Spanned<RelPath>>,
    }
}

names! {
    /// Owners of pods that live until they are scaled away.
    pub enum Controller {
        /// A ReplicaSet, by itself or of a Deployment.
        "ReplicaSet" => ReplicaSet,
        /// A StatefulSet.
        "StatefulSet" => StatefulSet,
        /// A ReplicationController.
        "ReplicationController" => ReplicationController,
        /// A Job: the scheduler's default constraints do not know its pods.
        "Job" => Job,
        /// Any other, or none: the default constraints do not know its pods either.
        "other" => Other,
    }
}

names! {
    /// Formats of recorded pods.
    pub enum TraceFormat {
        /// The table of this program, CSV or Parquet.
        "native" => Native,
        /// The pod list of the openb GPU cluster trace.
        "openb" => Openb,
        /// The Standard Workload Format of batch logs.
        "swf" => Swf,
        /// The tasks of Alibaba's batch cluster of 2017.
        "alibaba-batch-2017" => AlibabaBatch2017,
        /// The service instances of Alibaba's recommendation models of 2025.
        "alibaba-dlrm-2025" => AlibabaDlrm2025,
        /// Counts of invocations of Azure Functions, 2019.
        "azure-functions-2019" => AzureFunctions2019,
        /// Invocations of Azure Functions, 2021.
        "azure-functions-2021" => AzureFunctions2021,
        /// The tasks of OpenDC, in Parquet.
        "opendc" => Opendc,
    }
}

names! {
    /// What becomes of rows that cannot be used.
    pub enum OnBadRow {
        /// The run is refused.
        "fail" => Fail,
        /// They are left out and counted.
        "quarantine" => Quarantine,
    }
}

names! {
    /// Which pods of an openb trace are taken.
    pub enum TraceSelect {
        /// All pods.
        "all" => All,
        /// Pods that want no GPU.
        "cpu-only" => CpuOnly,
        /// Pods that want a GPU.
        "gpu" => Gpu,
    }
}

record! {
    /// Requests of rows that state none.
    pub struct DefaultRequests {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<MilliCpu>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Bytes>>,
    }
}

record! {
    /// What one pod requests; what is left out is not requested.
    pub struct Requests {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<MilliCpu>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Bytes>>,
        /// Extended resources such as nvidia.com/gpu.
        "extended" => extended: Keyed<Spanned<ExtendedAmount>> = Keyed::default(),
        /// What the scheduler's score counts; the above, or 100m and 200Mi of what is left out,
        /// unless stated.
        "nonzero" => nonzero: Option<NonzeroRequests>,
    }
    check check_requests;
}

record! {
    /// Requests of a pod with 100m and 200Mi for each container that states none: the scheduler
    /// scores nodes by these and filters by the real ones.
    pub struct NonzeroRequests {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<MilliCpu>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Bytes>>,
    }
}

/// What the score counts is never less than what is requested.
fn check_requests(it: &Requests, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let Some(nonzero) = &it.nonzero else { return true };
    let mut fine = true;
    let mut demand = |span: Option<Span>, key: &str| {
        if let Some(span) = span {
            let message = format!("`nonzero.{key}` is less than the request, which it includes");
            ctx.diags().error(span, message);
            fine = false;
        }
    };
    let less = |own: Option<i64>, real: Option<i64>| own.zip(real).is_some_and(|(a, b)| a < b);
    let cpu = nonzero.cpu.filter(|n| less(Some(n.value.0), it.cpu.map(|c| c.value.0)));
    let memory = nonzero.memory.filter(|n| less(Some(n.value.0), it.memory.map(|m| m.value.0)));
    demand(cpu.map(|n| n.span), "cpu");
    demand(memory.map(|n| n.span), "memory");
    fine
}

record! {
    /// Pods drawn at random.
    pub struct Generate {
        one of length: GenerateLength,
        one of sizes: GenerateSizes,
        /// When they arrive.
        "arrivals" => arrivals: Spanned<Arrivals>,
        /// How long they run.
        "duration" => duration: Spanned<TimeDist>,
    }
}

choice! {
    /// How many pods are drawn.
    pub enum GenerateLength {
        /// A number of pods.
        "count" => Count(Spanned<PodCount>),
        /// As many as arrive within this time.
        "until" => Until(Spanned<Positive<SimDuration>>),
    }
}

choice! {
    /// How large drawn pods are.
    pub enum GenerateSizes {
        /// One of several shapes, by weight.
        "shapes" => Shapes(NonEmpty<Shape>),
        /// Random cpu, beside random memory.
        "cpu" => Drawn(Spanned<CpuDist>, + DrawnMemory),
    }
}

record! {
    /// Random memory.
    pub struct DrawnMemory {
        /// Memory.
        "memory" => memory: Spanned<MemoryDist>,
    }
}

record! {
    /// One size of drawn pods.
    pub struct Shape {
        /// Processor time.
        "cpu" => cpu: Spanned<MilliCpu>,
        /// Memory.
        "memory" => memory: Spanned<Bytes>,
        /// How often, relative to the other shapes; 1 unless stated.
        "weight" => weight: Option<Spanned<Positive<f64>>>,
        /// Extended resources such as nvidia.com/gpu.
        "extended" => extended: Keyed<Spanned<ExtendedAmount>> = Keyed::default(),
    }
}

choice! {
    /// When drawn pods arrive.
    pub enum Arrivals {
        /// Independently, at a mean rate.
        "poisson" => Poisson(PoissonArrivals),
        /// At uniformly random times.
        "uniform" => Uniform(UniformArrivals),
        /// Many at once, at stated times.
        "burst" => Burst(BurstArrivals),
        /// Many at once, again and again.
        "periodic" => Periodic(PeriodicArrivals),
        /// One after another at even distance.
        "even" => Even(EvenArrivals),
    }
}

record! {
    /// Independent arrivals.
    pub struct PoissonArrivals {
        /// Mean number of pods per hour.
        "per-hour" => per_hour: Spanned<Positive<f64>>,
    }
}

record! {
    /// Arrivals at uniformly random times.
    pub struct UniformArrivals {
        /// From the start of the run until this time.
        "over" => over: Spanned<Positive<SimDuration>>,
    }
}

record! {
    /// Many pods at once.
    pub struct BurstArrivals {
        /// Times since the start of the run.
        "at" => at: NonEmpty<Spanned<SimDuration>>,
        /// Pods each time.
        "size" => size: Spanned<PodCount>,
    }
}

record! {
    /// Many pods at once, again and again.
    pub struct PeriodicArrivals {
        /// Time between two bursts.
        "every" => every: Spanned<Positive<SimDuration>>,
        /// Time of the first burst; 0 unless stated.
        "at" => at: Option<Spanned<SimDuration>>,
        /// Pods each time.
        "size" => size: Spanned<PodCount>,
        /// Delay of each pod after its burst's time; none unless stated.
        "jitter" => jitter: Option<Spanned<TimeDist>>,
    }
}

record! {
    /// Arrivals at even distance.
    pub struct EvenArrivals {
        /// Time between two pods.
        "every" => every: Spanned<Positive<SimDuration>>,
    }
}

record! {
    /// Replicas that share a demand, or a fixed number of them.
    pub struct Service {
        /// Requests per second over time; unknown unless stated.
        "demand" => demand: Option<Demand>,
        /// The demand starts over after this time.
        "demand-repeats" => demand_repeats: Option<Spanned<Positive<SimDuration>>>,
        /// Processor time that one request takes.
        "cpu-time-per-request" => cpu_time_per_request: Option<Spanned<CpuTime>>,
        /// What each replica requests.
        "requests" => requests: Requests,
        /// What each replica without a demand really uses; unknown unless stated.
        "usage" => usage: Option<Usage>,
        /// Memory each replica really uses; unknown unless stated.
        "memory-usage" => memory_usage: Option<Spanned<Bytes>>,
        /// How many replicas.
        "replicas" => replicas: Spanned<Replicas>,
        /// Replicas that are on a named node of a fixed pool when the run starts.
        "bound-to" => bound_to: Keyed<Spanned<ReplicaCount>> = Keyed::default(),
        /// What owns the replicas, which decides whether the scheduler spreads them by default;
        /// ReplicaSet unless stated.
        "controller" => controller: Option<Spanned<Controller>>,
    }
    check check_service;
}

/// What belongs to a demand needs one, and a demand decides what is used.
fn check_service(it: &Service, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    let mut fine = true;
    let mut refuse = |span: Span, message: &str, help: &str| {
        ctx.diags().error(span, message).help(help);
        fine = false;
    };
    match (&it.demand, &it.cpu_time_per_request) {
        (Some(_), None) => refuse(
            owner,
            "a service with `demand` needs `cpu-time-per-request`",
            "state what one request costs, as in `cpu-time-per-request: 8ms`",
        ),
        (None, Some(given)) => refuse(
            given.span,
            "`cpu-time-per-request` has no effect on a service without `demand`",
            "state the `demand`, or what each replica uses as `usage`",
        ),
        _ => {}
    }
    if it.demand.is_none() {
        if let Some(given) = &it.demand_repeats {
            refuse(given.span, "there is no `demand` that could repeat", "state the `demand`");
        }
        if let Replicas::Target(_) = it.replicas.value {
            refuse(
                it.replicas.span,
                "replicas that follow cpu usage need a `demand`",
                "state the `demand`, or a number of replicas",
            );
        }
    }
    if let Some(usage) = &it.usage {
        if let (Some(_), Some(cpu)) = (&it.demand, &usage.cpu) {
            refuse(
                cpu.span,
                "`usage.cpu` has no effect on a service with `demand`",
                "what its replicas use follows from `demand` and `cpu-time-per-request`",
            );
        }
        if let (Some(_), Some(memory)) = (&it.memory_usage, &usage.memory) {
            refuse(memory.span, "memory usage is stated twice", "leave out `memory-usage`");
        }
    }
    fine
}

union! {
    /// Requests per second over time.
    pub enum Demand {
        /// Always the same.
        [number] => Constant(Spanned<NonNegative>),
        /// A CSV file of times and rates.
        [text] => File(Spanned<RelPath>),
        /// Steps: each holds until the next.
        [list] => Steps(Spanned<NonEmpty<DemandStep>>),
    }
}

record! {
    /// A step of a demand curve.
    pub struct DemandStep {
        /// Time since the start of the run.
        "at" => at: Spanned<SimDuration>,
        /// Requests per second from then on.
        "rps" => rps: Spanned<NonNegative>,
    }
}

union! {
    /// How many replicas a service has.
    pub enum Replicas {
        /// Always as many.
        [number] => Fixed(ReplicaCount),
        /// As many as keep cpu usage at a target.
        [map] => Target(ReplicaTarget),
    }
}

/// A number of replicas.
pub type ReplicaCount = Int<1, 1_000_000>;

record! {
    /// Replicas that follow cpu usage.
    pub struct ReplicaTarget {
        /// Usage as a share of requests.
        "target" => target: Spanned<Positive<Percent>>,
        /// Fewest replicas.
        "min" => min: Spanned<ReplicaCount>,
        /// Most replicas.
        "max" => max: Spanned<ReplicaCount>,
    }
    check check_replicas;
}

fn check_replicas(it: &ReplicaTarget, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.max.get() >= it.min.get() {
        return true;
    }
    let message = format!("max {} is below min {}", it.max.value, it.min.value);
    ctx.diags().error(it.max.span, message);
    false
}

record! {
    /// One pod on each node.
    pub struct DaemonSet {
        /// What each pod requests.
        "requests" => requests: Requests,
        /// What each pod really uses; unknown unless stated.
        "usage" => usage: Option<Usage>,
        /// What becomes of it on Fargate; sidecar unless stated.
        "on-fargate" => on_fargate: Option<Spanned<OnFargate>>,
    }
}

record! {
    /// What one pod really uses on average; what is left out is unknown.
    pub struct Usage {
        /// Processor time.
        "cpu" => cpu: Option<Spanned<MilliCpu>>,
        /// Memory.
        "memory" => memory: Option<Spanned<Bytes>>,
    }
}

names! {
    /// What becomes of a DaemonSet on Fargate.
    pub enum OnFargate {
        /// It becomes a sidecar of each pod.
        "sidecar" => Sidecar,
        /// It is left out.
        "drop" => Drop,
    }
}

union! {
    /// What becomes of work whose node is taken away.
    pub enum OnInterrupt {
        words {
            /// It starts over.
            "restart" => Restart,
            /// It goes on where it was.
            "resume" => Resume,
        }
        /// It goes on from its last checkpoint.
        [map] => Checkpoint(Checkpoint),
    }
}

record! {
    /// Work that saves its progress.
    pub struct Checkpoint {
        /// Time between two checkpoints.
        "checkpoint" => checkpoint: Spanned<Positive<SimDuration>>,
    }
}

record! {
    /// A taint the pods tolerate, as in a pod's spec.
    pub struct Toleration {
        /// Key of the taint; all keys unless stated.
        "key" => key: Option<Spanned<LabelKey>>,
        /// How the value is compared; Equal unless stated.
        "operator" => operator: Option<Spanned<TolerationOperator>>,
        /// Value of the taint.
        "value" => value: Option<Spanned<LabelValue>>,
        /// Effect of the taint; all effects unless stated.
        "effect" => effect: Option<Spanned<TaintEffect>>,
    }
    check check_toleration;
}

/// The rules of the API server (kubernetes pkg/apis/core/validation
/// `ValidateTolerations`, 1.31).
fn check_toleration(it: &Toleration, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    let exists = it.operator.as_ref().is_some_and(|op| op.value == TolerationOperator::Exists);
    if it.key.is_none() && !exists {
        ctx.diags().error(owner, "a toleration without `key` needs `operator: Exists`");
        return false;
    }
    if let (Some(value), true) = (&it.value, exists) {
        ctx.diags().error(value.span, "a toleration with `operator: Exists` has no `value`");
        return false;
    }
    true
}

names! {
    /// How a toleration compares.
    pub enum TolerationOperator {
        /// The taint's key is enough.
        "Exists" => Exists,
        /// Key and value must be equal.
        "Equal" => Equal,
    }
}

names! {
    /// What a taint does.
    pub enum TaintEffect {
        /// New pods stay away.
        "NoSchedule" => NoSchedule,
        /// New pods prefer other nodes.
        "PreferNoSchedule" => PreferNoSchedule,
        /// Running pods leave as well.
        "NoExecute" => NoExecute,
    }
}
