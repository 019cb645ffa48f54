//! The typed model of a scenario: what the user wrote, nothing filled in.
//!
//! Every leaf that a later stage may object to is [`Spanned`]; an optional
//! key is an `Option`, so that `plan` can tell a default from a choice.

use jiff::Timestamp;

use super::charges::Charges;
use super::commitments::{CapacityReservation, Commitment, OtherUsage};
use super::decode::{Ctx, Keyed, Map, Spanned};
use super::diagnostic::Span;
use super::discounts::Discounts;
use super::ecs::{Ecs, PlacementRule};
use super::kubernetes::Kubernetes;
use super::label::check_key;
use super::leaf::{FormatVersion, Slug};
use super::number::{Fraction, Growth, Int, NonNegative, Positive, Share};
use super::patch::{Assignments, Removals};
use super::pool::Pool;
use super::record::{choice, names, record, union};
use super::rightsize::Rightsize;
use super::scheduler::{
    DefaultConstraint, DefaultingType, Plugins, Profile, ScoringStrategy, check_default_constraints,
};
use super::sidecar::Sidecar;
use super::spot::Spot;
use super::usage::UsageSource;
use super::workload::{Resample, Workload};
use crate::units::{Bytes, Money, SimDuration};

record! {
    /// A scenario: what runs, what it may run on, and which cases to compare.
    pub struct Scenario {
        /// Version of the scenario format: 1.
        "version" => version: Spanned<FormatVersion>,
        /// Name of the scenario; results are written under it.
        "name" => name: Spanned<Slug>,
        /// AWS Region whose prices and zones apply.
        "region" => region: Spanned<String>,
        /// The container orchestrator; eks unless stated.
        "orchestrator" => orchestrator: Option<Spanned<Orchestrator>>,
        /// Versions of the real components whose behaviour is followed.
        "versions" => versions: Versions = Versions::default(),
        /// First seed of all random draws; 1 unless stated.
        "seed" => seed: Option<Spanned<u64>>,
        /// How many seeds are run where anything is random.
        "seeds" => seeds: Option<Spanned<Int<1, 10_000>>>,
        /// What plimsoll sweep runs. Absent in a resolved scenario.
        "sweep" => sweep: Option<super::sweep::Sweep>,
        /// When the run starts, how long it lasts, what is left out of results.
        "time" => time: Time = Time::default(),
        /// What wants to run.
        "workload" => workload: Map<Workload, 1>,
        /// Containers that are injected into pods, such as those of a service mesh.
        "sidecars" => sidecars: Map<Sidecar> = Map::default(),
        /// How much more of it there is, on top of what a workload says itself.
        "growth" => growth: Option<Spanned<Growth>>,
        /// The share of the pods of traces and generators that is kept; services stay as they are.
        "thin" => thin: Option<Spanned<Positive<Share>>>,
        /// Whole days of traces and demands drawn anew for each seed, the same ones for all.
        "resample" => resample: Option<Spanned<Resample>>,
        /// What pods were seen to use.
        "usage" => usage: Map<UsageSource> = Map::default(),
        /// How container images are pulled.
        "images" => images: Images = Images::default(),
        /// Where pods are placed.
        "placement" => placement: Option<Placement>,
        /// What they may run on.
        "pools" => pools: Map<Pool, 1>,
        /// Objects of the Kubernetes cluster that constraints of pods refer to.
        "kubernetes" => kubernetes: Kubernetes = Kubernetes::default(),
        /// Settings of Amazon ECS.
        "ecs" => ecs: Ecs = Ecs::default(),
        /// Settings of the Cluster Autoscaler.
        "autoscaler" => autoscaler: Autoscaler = Autoscaler::default(),
        /// The Spot market.
        "spot" => spot: Spot = Spot::default(),
        /// Charges that follow nodes, pods and clusters.
        "charges" => charges: Charges = Charges::default(),
        /// Factors on the prices of the tables.
        "prices" => prices: Prices = Prices::default(),
        /// Negotiated discounts off the list prices of AWS services, before commitments. Bills only: policies see list prices.
        "discounts" => discounts: Discounts = Discounts::default(),
        /// Savings Plans and Reserved Instances that are owned.
        "commitments" => commitments: Map<Commitment> = Map::default(),
        /// On-Demand capacity that is reserved.
        "capacity-reservations" => capacity_reservations: Map<CapacityReservation> = Map::default(),
        /// What else the payer uses that commitments cover; then what is unused is used by nobody.
        "other-usage" => other_usage: Option<OtherUsage>,
        /// How the cost of a node is split.
        "allocation" => allocation: Allocation = Allocation::default(),
        /// What the result must keep to.
        "goals" => goals: Map<Goal> = Map::default(),
        /// What-ifs, the first of which is the baseline. Empty in a resolved scenario.
        "cases" => cases: Map<Case> = Map::default(),
    }
}

names! {
    /// What places containers.
    pub enum Orchestrator {
        /// Amazon EKS.
        "eks" => Eks,
        /// Amazon ECS.
        "ecs" => Ecs,
    }
}

record! {
    /// Versions of the real components.
    #[derive(Default)]
    pub struct Versions {
        /// Kubernetes minor version, quoted: "1.35".
        "kubernetes" => kubernetes: Option<Spanned<String>>,
    }
}

record! {
    /// The time a run covers.
    #[derive(Default)]
    pub struct Time {
        /// Start of the run, with an offset from UTC; 2025-01-06T00:00Z unless stated.
        "start" => start: Option<Spanned<Timestamp>>,
        /// How long the run lasts.
        "horizon" => horizon: Option<Spanned<Horizon>>,
        /// How much of the start is left out of results.
        "warmup" => warmup: Option<Spanned<SimDuration>>,
    }
}

union! {
    /// How long a run lasts.
    pub enum Horizon {
        words {
            /// Until everything has finished.
            "until-idle" => UntilIdle,
        }
        /// A fixed length.
        [scalar] => For(Positive<SimDuration>),
    }
}

union! {
    /// Where pods are placed.
    pub enum Placement {
        /// By the components of Kubernetes.
        [map] => Kubernetes(Box<KubernetesPlacement>),
        /// On ECS by task placement strategies, one after another.
        [list] => Ecs(Vec<Spanned<PlacementRule>>),
    }
}

record! {
    /// The components of Kubernetes that place pods.
    #[derive(Default)]
    pub struct KubernetesPlacement {
        /// The kube-scheduler.
        "scheduler" => scheduler: Scheduler = Scheduler::default(),
        /// Whether replicas start where `bound-to` says; true unless stated.
        "keep-bindings" => keep_bindings: Option<Spanned<bool>>,
    }
}

record! {
    /// Settings of the kube-scheduler.
    #[derive(Default)]
    pub struct Scheduler {
        /// Pods it can place per second.
        "rate" => rate: Option<Spanned<SchedulerRate>>,
        /// First wait of a pod that did not fit.
        "podInitialBackoffSeconds" => pod_initial_backoff_seconds: Option<Spanned<Int<1, 86_400>>>,
        /// Longest wait of a pod that did not fit.
        "podMaxBackoffSeconds" => pod_max_backoff_seconds: Option<Spanned<Int<1, 86_400>>>,
        /// How nodes are scored by what is free on them.
        "scoringStrategy" => scoring_strategy: Option<ScoringStrategy>,
        /// Share of the nodes that is scored; 0 is fewer the more there are. 0 unless stated.
        "percentageOfNodesToScore" => percentage_of_nodes_to_score: Option<Spanned<Int<0, 100>>>,
        /// Whether pods without topology spread constraints get those of the scheduler, or those of a list; System unless stated.
        "defaultingType" => defaulting_type: Option<Spanned<DefaultingType>>,
        /// The list.
        "defaultConstraints" => default_constraints: Vec<Spanned<DefaultConstraint>> = Vec::new(),
        /// How much the required pod affinity of other pods counts; 1 unless stated.
        "hardPodAffinityWeight" => hard_pod_affinity_weight: Option<Spanned<Int<0, 100>>>,
        /// Which plugins score, and how much they count.
        "plugins" => plugins: Option<Plugins>,
        /// Further profiles, by the schedulerName of their pods.
        "profiles" => profiles: Map<Profile> = Map::default(),
    }
    check check_scheduler;
}

fn check_scheduler(it: &Scheduler, _: Span, ctx: &mut Ctx<'_>) -> bool {
    match (&it.pod_initial_backoff_seconds, &it.pod_max_backoff_seconds) {
        (Some(first), Some(most)) if most.get() < first.get() => {
            let message = "podMaxBackoffSeconds is below podInitialBackoffSeconds";
            ctx.diags().error(most.span, message);
            false
        }
        _ => check_default_constraints(it.defaulting_type, &it.default_constraints, ctx),
    }
}

union! {
    /// Pods the scheduler can place per second.
    pub enum SchedulerRate {
        words {
            /// All pods in no time.
            "unlimited" => Unlimited,
        }
        /// Pods per second.
        [number] => PerSecond(Positive<f64>),
    }
}

record! {
    /// Settings of the Cluster Autoscaler, named like its flags.
    #[derive(Default)]
    pub struct Autoscaler {
        /// How often it looks.
        "scan-interval" => scan_interval: Option<Spanned<Positive<SimDuration>>>,
        /// Whether it removes nodes.
        "scale-down-enabled" => scale_down_enabled: Option<Spanned<bool>>,
        /// How long a node must be unneeded before it is removed.
        "scale-down-unneeded-time" => scale_down_unneeded_time: Option<Spanned<SimDuration>>,
        /// How long after a scale-up nothing is removed.
        "scale-down-delay-after-add" => scale_down_delay_after_add: Option<Spanned<SimDuration>>,
        /// Requested share below which a node may be unneeded.
        "scale-down-utilization-threshold" => scale_down_utilization_threshold: Option<Spanned<Fraction>>,
        /// Most nodes added at once.
        "max-nodes-per-scaleup" => max_nodes_per_scaleup: Option<Spanned<Int<1, 1_000_000>>>,
        /// How it chooses among pools.
        "expander" => expander: Option<Spanned<Expander>>,
        /// How long a pod must be pending before it counts.
        "new-pod-scale-up-delay" => new_pod_scale_up_delay: Option<Spanned<SimDuration>>,
        /// Most nodes removed at once.
        "max-scale-down-parallelism" => max_scale_down_parallelism: Option<Spanned<Int<1, 100_000>>>,
        /// Most non-empty nodes drained at once.
        "max-drain-parallelism" => max_drain_parallelism: Option<Spanned<Int<1, 100_000>>>,
    }
}

names! {
    /// How the Cluster Autoscaler chooses among pools.
    pub enum Expander {
        /// The pool that leaves the least cpu and memory unused.
        "least-waste" => LeastWaste,
        /// The pool that takes the most pods.
        "most-pods" => MostPods,
        /// The pool that needs the fewest nodes.
        "least-nodes" => LeastNodes,
        /// Any pool.
        "random" => Random,
    }
}

record! {
    /// How container images are pulled: once by a node, by each pod on Fargate.
    #[derive(Default)]
    pub struct Images {
        /// Bytes in a second, of the compressed image; 50Mi unless stated.
        "pull-bandwidth" => pull_bandwidth: Option<Spanned<Positive<Bytes>>>,
    }
}

record! {
    /// Factors on the prices of the tables; those that meet multiply. Policies see the result.
    #[derive(Default)]
    pub struct Prices {
        /// EC2 On-Demand; Spot and Savings Plans keep their listed rates.
        "on-demand" => on_demand: Option<Spanned<Growth>>,
        /// EC2 Spot.
        "spot" => spot: Option<Spanned<Growth>>,
        /// Fargate.
        "fargate" => fargate: Option<Spanned<Growth>>,
        /// Rates of Savings Plans, which otherwise stay as they were bought.
        "savings-plans" => savings_plans: Option<Spanned<Growth>>,
        /// On-Demand and Spot of the instance types that match a pattern such as m6i.*
        "types" => types: Keyed<Spanned<Growth>> = Keyed::default(),
    }
}

record! {
    /// How the cost of a node is split between its resources.
    #[derive(Default)]
    pub struct Allocation {
        /// Cost of one vCPU as a multiple of the cost of one GiB of memory.
        "cpu-weight" => cpu_weight: Option<Spanned<NonNegative>>,
        /// Labels of pods by which cost is grouped; pods without one have that of their namespace in `kubernetes`.
        "by-label" => by_label: Keyed<AllocationPolicy> = Keyed::default(),
        /// Groups cost by namespace under a policy; as `by_namespace` has it, nothing shared, unless stated.
        "by-namespace" => by_namespace: Option<AllocationPolicy>,
        /// Groups cost by workload under a policy; as `by_workload` has it, nothing shared, unless stated.
        "by-workload" => by_workload: Option<AllocationPolicy>,
    }
    check check_allocation;
}

fn check_allocation(it: &Allocation, _: Span, ctx: &mut Ctx<'_>) -> bool {
    it.by_label.iter().all(|(key, _)| check_key(key, ctx.diags()))
}

record! {
    /// Who bears what no pod requested.
    #[derive(Default)]
    pub struct AllocationPolicy {
        /// Free capacity; keep unless stated.
        "idle" => idle: Option<Spanned<IdleCost>>,
        /// What is reserved for kubelet and system; keep unless stated.
        "system-reserve" => system_reserve: Option<Spanned<IdleCost>>,
        /// DaemonSets; own unless stated.
        "daemonsets" => daemonsets: Option<Spanned<DaemonSetCost>>,
        /// Volumes, addresses, licences and fees of nodes and cluster, nodes that boot or drain, unused commitment; keep unless stated.
        "shared" => shared: Option<Spanned<SharedCost>>,
    }
}

names! {
    /// Who bears capacity that nobody requested.
    pub enum IdleCost {
        /// Nobody: it keeps a name of its own.
        "keep" => Keep,
        /// The users of the pool, in proportion to their cost there.
        "share-by-pool" => ShareByPool,
        /// All, in proportion to their cost.
        "share" => Share,
    }
}

names! {
    /// Who bears DaemonSets.
    pub enum DaemonSetCost {
        /// Whose label they carry, or whose namespace or workload they are.
        "own" => Own,
        /// The users of the pool, in proportion to their cost there.
        "share-by-pool" => ShareByPool,
    }
}

names! {
    /// Who bears shared charges.
    pub enum SharedCost {
        /// Nobody: they keep names of their own.
        "keep" => Keep,
        /// All, in proportion to their cost.
        "by-cost" => ByCost,
        /// All that cost something, in equal parts.
        "evenly" => Evenly,
    }
}

choice! {
    /// What a result must keep to.
    pub enum Goal {
        /// How long pods of a workload may be pending.
        "pending" => Pending(PendingGoal, + GoalScope),
        /// What a month may cost.
        "monthly-usd" => MonthlyUsd(Spanned<Money>),
    }
}

record! {
    /// Which pods a goal is about.
    pub struct GoalScope {
        /// The workload.
        "workload" => workload: Spanned<String>,
    }
}

choice! {
    /// A bound on a quantile of pending times.
    pub enum PendingGoal {
        /// The median.
        "p50" => P50(Spanned<SimDuration>),
        /// The 90th percentile.
        "p90" => P90(Spanned<SimDuration>),
        /// The 95th percentile.
        "p95" => P95(Spanned<SimDuration>),
        /// The 99th percentile.
        "p99" => P99(Spanned<SimDuration>),
        /// The longest.
        "max" => Max(Spanned<SimDuration>),
    }
}

impl PendingGoal {
    /// The quantile in a hundred (100 for the longest) and its bound.
    #[must_use]
    pub fn quantile_and_bound(&self) -> (u32, Spanned<SimDuration>) {
        match self {
            PendingGoal::P50(d) => (50, *d),
            PendingGoal::P90(d) => (90, *d),
            PendingGoal::P95(d) => (95, *d),
            PendingGoal::P99(d) => (99, *d),
            PendingGoal::Max(d) => (100, *d),
        }
    }
}

record! {
    /// A what-if: how it differs from the rest of the file. Applied in the
    /// order remove, replace, set.
    #[derive(Default)]
    pub struct Case {
        /// A title for reports.
        "title" => title: Option<Spanned<String>>,
        /// Paths to delete; a path must exist.
        "remove" => remove: Removals = Removals::default(),
        /// Paths whose value is swapped whole; a path must exist.
        "replace" => replace: Assignments = Assignments::default(),
        /// Paths into which a value is merged; null deletes.
        "set" => set: Assignments = Assignments::default(),
        /// Requests fitted to usage, after everything else was applied.
        "rightsize" => rightsize: Option<Spanned<Box<Rightsize>>>,
    }
}
