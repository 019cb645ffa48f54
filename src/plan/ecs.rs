//! Amazon ECS as the orchestrator: container instances, capacity providers,
//! placement strategies, and which keys mean nothing to whom.
//!
//! A pool of nodes or Fargate is a capacity provider; only a `fixed` pool is
//! not, since it has no Auto Scaling group. Keys of the other orchestrator
//! are left alone as long as some case makes use of them, so that a case can
//! switch with `set: { orchestrator: ecs }`. What would change where things
//! run (nodeSelector, taints) is refused instead.

use super::defaults::{
    ECS_INSTANCES_PER_CLUSTER, ECS_NETWORK_MODE, ECS_RESERVED_MEMORY, ECS_TASKS_PER_SERVICE, Known,
    PROVISIONING_LIMIT,
};
use super::ecs_constraints::Reader;
use super::nodes::{Linker, ShapeKind, ShapeOrigin};
use super::notes::Notes;
use crate::catalog::InstanceType;
use crate::cluster::{Capacity, ClusterSpec, NodeShape, PoolKind, ShapeId, ZoneId};
use crate::place::ecs::{
    AVAILABILITY_ZONE, Constraint, Field, PlacementStrategy, Rule, SpreadBy, service_default,
    task_default,
};
use crate::scale::ecs_capacity::{ManagedScaling, StrategyItem};
use crate::scenario::{
    self, AsgOptions, CapacityProvider, Diagnostics, NetworkMode, Orchestrator, Placement,
    PlacementRule, PoolKind as ScenarioPool, ProviderStrategy, Resolved, Scaler, Scenario, Span,
    Spanned, Status, Workload, WorkloadKind, quote,
};
use crate::units::{Bytes, MilliCpu};
use crate::workload::plan::{Content, PlannedWorkload};
use crate::workload::pod_match::PodMatch;
use crate::world::{Ecs, EcsWorkload};

/// Whether ECS is the orchestrator.
pub(super) fn is_ecs(scenario: &Scenario) -> bool {
    scenario.orchestrator.is_some_and(|o| o.value == Orchestrator::Ecs)
}

/// What all container instances of a cluster have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instances {
    mode: NetworkMode,
    mode_span: Option<Span>,
    trunking: bool,
    pub(super) reserved_memory: Bytes,
}

/// Tasks on an instance that nothing limits.
const NO_TASK_LIMIT: u32 = 1_000_000;
/// Strategies of one workload (ECS service quotas).
const MAX_RULES: usize = 5;
/// Capacity providers of a cluster (ECS service quotas).
const MAX_PROVIDERS: usize = 20;

impl Instances {
    /// Reads `ecs`.
    pub(super) fn link(scenario: &Scenario, notes: &mut Notes<'_>) -> Self {
        let it = &scenario.ecs;
        let mode = it.network_mode.map(|m| m.value);
        let mode = mode.unwrap_or_else(|| {
            let known = ECS_NETWORK_MODE;
            notes.default("ecs.network-mode", known.value, known.note);
            known.value
        });
        let trunking = it.awsvpc_trunking.is_some_and(|t| t.value);
        if let (Some(given), true) = (it.awsvpc_trunking, mode != NetworkMode::Awsvpc) {
            notes.diags.warning(
                "unused-trunking",
                given.span,
                format!("`awsvpc-trunking` has no effect on tasks of network mode {mode}"),
            );
        }
        let reserved_memory =
            notes.or_default(it.reserved_memory, "ecs.reserved-memory", ECS_RESERVED_MEMORY);
        Instances { mode, mode_span: it.network_mode.map(|m| m.span), trunking, reserved_memory }
    }

    /// Tasks that fit on a type by its interfaces; `None` where unknown.
    fn tasks(&self, kind: &InstanceType, span: Span, notes: &mut Notes<'_>) -> Option<u32> {
        if self.mode != NetworkMode::Awsvpc {
            return Some(NO_TASK_LIMIT);
        }
        if let Some(tasks) = kind.ecs_awsvpc_tasks(self.trunking) {
            return Some(tasks);
        }
        if self.trunking {
            let message = format!(
                "how many awsvpc tasks a trunk carries on `{}` is not known: counted without",
                kind.name
            );
            notes.diags.warning("no-trunk-limit", span, message);
        }
        let tasks = kind.ecs_awsvpc_tasks(false);
        if tasks.is_none() {
            let message = format!("how many awsvpc tasks `{}` holds is not known", kind.name);
            notes
                .diags
                .error(self.mode_span.unwrap_or(span), message)
                .help("choose another type, or network mode bridge or host");
        }
        tasks
    }
}

impl Linker<'_> {
    /// The shape of a type as a container instance: the agent registers 1,024
    /// cpu units a vCPU and the memory that the system sees less
    /// `ECS_RESERVED_MEMORY` (amazon-ecs-agent `ecs_client.go`, 2026-06).
    ///
    /// DIFFERENCE: cpu is counted in thousandths of a vCPU, and so a request
    /// need not be a whole number of cpu units.
    pub(super) fn container_instance(
        &mut self,
        instances: Instances,
        kind: &Spanned<String>,
        found: &InstanceType,
        extended: Vec<i64>,
        notes: &mut Notes<'_>,
    ) -> Option<ShapeId> {
        let pods = instances.tasks(found, kind.span, notes)?;
        let cpu = MilliCpu(i64::from(found.vcpu) * 1_000);
        let memory = Bytes((found.os_memory.0 - instances.reserved_memory.0).max(0));
        let tasks = if pods == NO_TASK_LIMIT { String::new() } else { format!(", {pods} tasks") };
        notes.catalog(
            format!("instance-types.{}.registered", found.name),
            format!("{} cpu units, {} MiB{tasks}", found.vcpu * 1_024, memory.0 >> 20),
            format!("memory seen by the system: {}", found.os_memory_origin),
        );
        let id = self.add(
            NodeShape {
                name: found.name.to_string(),
                capacity: Capacity {
                    cpu,
                    memory: found.os_memory,
                    pods,
                    extended: extended.clone(),
                },
                allocatable: Capacity { cpu, memory, pods, extended },
                nominal_memory: found.memory,
            },
            ShapeOrigin {
                kind: ShapeKind::Type(kind.value.clone()),
                max_pods: None,
                reserved: None,
                on_demand: None,
            },
        );
        Some(id)
    }

    /// The attributes that ECS gives a container instance, sorted by name.
    ///
    /// The ids of image, network and subnet are not known; a pool can state
    /// them as labels.
    pub(super) fn attributes(&self, kind: &str, arch: &str, zone: ZoneId) -> Vec<(String, String)> {
        let trunk = self.ecs.is_some_and(|ecs| ecs.mode == NetworkMode::Awsvpc && ecs.trunking)
            && self.region.instance_type(kind).is_some_and(|t| t.ecs_awsvpc_tasks(true).is_some());
        let zone = self.done.zones.get(zone.index()).map_or("", String::as_str);
        let arch = if arch == "amd64" { "x86_64" } else { arch };
        [
            (AVAILABILITY_ZONE, zone),
            // Only whether it is there means anything.
            ("ecs.awsvpc-trunk-id", if trunk { "eni" } else { "" }),
            ("ecs.cpu-architecture", arch),
            ("ecs.instance-type", kind),
            ("ecs.os-family", "LINUX"),
            ("ecs.os-type", "linux"),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }
}

/// Whether ECS scales the group of a pool.
pub(super) fn is_scaled(options: &AsgOptions) -> bool {
    let status = options.capacity_provider.as_ref().and_then(|c| c.managed_scaling.status);
    match status {
        Some(status) => status.value == Status::Enabled,
        None => options.scaler.is_none_or(|s| s.value != Scaler::None),
    }
}

/// Links what ECS is told; the Fargate pools learn whose tasks they may get.
pub(super) fn link(
    scenario: &Scenario,
    cluster: &mut ClusterSpec,
    planned: &[PlannedWorkload],
    notes: &mut Notes<'_>,
) -> Ecs {
    refuse_steering(scenario, notes);
    let names: Vec<&str> = cluster
        .pools
        .iter()
        .map(|p| p.name.as_str())
        .chain(cluster.fargate.iter().map(|p| p.name.as_str()))
        .collect();
    let providers = Providers { scenario, names: &names, instances: cluster.pools.len() };
    quotas(scenario, cluster, planned, &providers, notes);
    let default = scenario
        .ecs
        .default_capacity_provider_strategy
        .as_ref()
        .map(|strategy| providers.strategy(strategy, notes));
    if default.is_none() {
        let note = "not stated: a workload without a strategy uses the only provider there is";
        notes.default("ecs.default-capacity-provider-strategy", "none", note);
    }
    let cluster_rules = match &scenario.placement {
        Some(Placement::Ecs(rules)) => Some(rules.as_slice()),
        _ => None,
    };
    let reader = Reader::new(scenario, cluster, notes);
    let shared_ports = scenario.ecs.network_mode.map_or(ECS_NETWORK_MODE.value, |mode| mode.value)
        != NetworkMode::Awsvpc;
    let shared = scenario.ecs.placement_constraints.as_ref();
    let cluster_constraints = shared.map(|c| reader.read(c, notes)).unwrap_or_default();
    let mut workloads = Vec::new();
    for it in planned {
        let Some((name, given)) = scenario.workload.iter().find(|(n, _)| n.value == it.name) else {
            continue;
        };
        let own_constraints = given.placement_constraints.as_ref();
        let mut constraints = match own_constraints {
            Some(own) => reader.read(own, notes),
            None => cluster_constraints.clone(),
        };
        if matches!(it.content, Content::Daemon(_)) {
            // One on each instance anyway; its own list has been refused.
            constraints.retain(|c| *c != Constraint::DistinctInstance);
            workloads.push(EcsWorkload { constraints, ..EcsWorkload::default() });
            continue;
        }
        let chosen = providers.of_workload(name, given, default.as_deref(), notes);
        let on_fargate = chosen.iter().any(|i| usize::from(i.provider) >= cluster.pools.len());
        let own = given.placement_strategy.as_ref();
        if let (Some(own), true) = (own, on_fargate) {
            notes
                .diags
                .error(own.span, "tasks on Fargate have no placement strategy")
                .help("remove it: Fargate places every task by itself");
        }
        if on_fargate {
            if let Some(own) = own_constraints.filter(|c| !c.value.is_empty()) {
                notes
                    .diags
                    .error(own.span, "tasks on Fargate have no placement constraints")
                    .help("remove them: Fargate places every task by itself");
            }
            constraints.clear();
        }
        let rules = own.map(|r| r.value.as_slice()).or(cluster_rules).filter(|r| !r.is_empty());
        let path = format!("workload.{}.placement-strategy", it.name);
        let service = matches!(it.content, Content::Service(_));
        let strategy = match rules {
            Some(rules) => strategy(rules, reader.attributes(), notes),
            None if on_fargate => PlacementStrategy::new(),
            None if service => {
                let note = "what ECS does for a service without strategy (ECS developer guide)";
                let shown = "spread over zones, then instances";
                notes.default(path, shown, note);
                service_default()
            }
            None => {
                let note = "choice: the guide names no order for standalone tasks";
                notes.default(path, "random", note);
                task_default()
            }
        };
        workloads.push(EcsWorkload {
            strategy,
            default_strategy: rules.is_none(),
            providers: chosen,
            constraints,
        });
    }
    let nodes = cluster.pools.len();
    for (i, pool) in cluster.fargate.iter_mut().enumerate() {
        pool.selectors = planned
            .iter()
            .zip(&workloads)
            .filter(|(_, w)| w.providers.iter().any(|p| usize::from(p.provider) == nodes + i))
            .map(|(w, _)| PodMatch {
                namespace: "*".to_owned(),
                workloads: Some(vec![w.name.clone()]),
                ..PodMatch::default()
            })
            .collect();
    }
    let limit = scenario.ecs.provisioning_limit.map_or_else(
        || {
            let known = PROVISIONING_LIMIT;
            notes.default("ecs.provisioning-limit", known.value, known.note);
            known.value
        },
        |n| n.value.get() as u32,
    );
    let scaling = cluster.pools.iter().map(|pool| {
        let scaled = matches!(pool.kind, PoolKind::AutoScalingGroup { autoscaled: true, .. });
        let options = scenario.pools.get(&pool.name).and_then(|p| match &p.kind {
            ScenarioPool::Asg(_, options) => Some(options),
            _ => None,
        })?;
        scaled.then(|| {
            managed_scaling(&pool.name, options.capacity_provider.as_ref().map(|c| &c.value), notes)
        })
    });
    Ecs {
        workloads,
        scaling: scaling.collect(),
        spot_instance_draining: scenario.ecs.spot_instance_draining.is_some_and(|d| d.value),
        provisioning_limit: limit,
        shared_ports,
        agent_version: reader.agent_version,
    }
}

/// What an account gets without asking for more (ECS service quotas).
///
/// Providers bind, since AWS raises that quota for nobody; of the others the
/// reader is told, and the run goes on as if they had been raised.
fn quotas(
    scenario: &Scenario,
    cluster: &ClusterSpec,
    planned: &[PlannedWorkload],
    providers: &Providers<'_>,
    notes: &mut Notes<'_>,
) {
    let pool = |name: &str| scenario.pools.iter().map(|(n, _)| n).find(|n| n.value == name);
    let all: Vec<usize> = (0..providers.names.len()).filter(|p| providers.provider(*p)).collect();
    if let Some(over) = all.get(MAX_PROVIDERS).and_then(|at| pool(providers.names[*at])) {
        let message = format!("a cluster has at most {MAX_PROVIDERS} capacity providers");
        notes.diags.error(over.span, message);
    }
    let (most, key) = (ECS_INSTANCES_PER_CLUSTER, "instances per cluster");
    let instances = |pool: &crate::cluster::PoolSpec| match pool.kind {
        PoolKind::Fixed { count } => u64::from(count),
        PoolKind::AutoScalingGroup { max, .. } => u64::from(max),
    };
    let sum: u64 = cluster.pools.iter().map(instances).sum();
    let largest = cluster.pools.iter().max_by_key(|pool| instances(pool));
    if let Some(name) = largest.and_then(|largest| pool(&largest.name))
        && sum > most.value
    {
        let what = format!("the pools may have {sum} container instances");
        over(name.span, &what, most, key, notes);
    }
    let (most, key) = (ECS_TASKS_PER_SERVICE, "tasks per service");
    for it in planned {
        let Content::Service(service) = &it.content else { continue };
        let mut names = scenario.workload.iter().map(|(n, _)| n);
        if let Some(name) = names.find(|n| n.value == it.name)
            && u64::from(service.max) > most.value
        {
            let what = format!("{} may have {} tasks", quote(name), service.max);
            over(name.span, &what, most, key, notes);
        }
    }
}

fn over(span: Span, what: &str, most: Known<u64>, key: &str, notes: &mut Notes<'_>) {
    let message = format!("{what}, and the quota is {} {key}", most.value);
    notes
        .diags
        .warning("over-quota", span, message)
        .help(format!("AWS may raise it: {}", most.note));
}

/// What on EKS keeps pods and nodes apart has no counterpart here that works
/// by itself.
fn refuse_steering(scenario: &Scenario, notes: &mut Notes<'_>) {
    for (name, workload) in scenario.workload.iter() {
        if !workload.node_selector.is_empty() {
            notes
                .diags
                .error(name.span, format!("`nodeSelector` of {} means nothing to ECS", quote(name)))
                .help(format!(
                    "state which pools take its tasks with `capacity-provider-strategy`, and in \
                     a case that switches to ECS `remove: [workload.{}.nodeSelector]`",
                    name.value
                ));
        }
    }
    for (name, pool) in scenario.pools.iter() {
        if !pool.taints.is_empty() {
            notes
                .diags
                .error(name.span, format!("`taints` of pool {} mean nothing to ECS", quote(name)))
                .help(format!(
                    "tasks come only where their `capacity-provider-strategy` sends them; in a \
                     case that switches to ECS `remove: [pools.{}.taints]`",
                    name.value
                ));
        }
    }
}

/// The pools as capacity providers.
struct Providers<'a> {
    scenario: &'a Scenario,
    /// Pools of nodes, then of Fargate.
    names: &'a [&'a str],
    /// How many of them are pools of nodes.
    instances: usize,
}

impl Providers<'_> {
    fn kind(&self, name: &str) -> Option<&ScenarioPool> {
        self.scenario.pools.get(name).map(|p| &p.kind)
    }

    fn provider(&self, at: usize) -> bool {
        !matches!(self.kind(self.names[at]), Some(ScenarioPool::Fixed(_)))
    }

    /// The rules of the ECS API (`CreateCapacityProvider`, `RunTask`;
    /// developer guide, capacity providers).
    fn strategy(&self, given: &ProviderStrategy, notes: &mut Notes<'_>) -> Vec<StrategyItem> {
        let mut items: Vec<StrategyItem> = Vec::new();
        let mut based = None;
        for entry in given.value.iter() {
            let name = &entry.capacity_provider;
            let Some(at) = self.names.iter().position(|n| *n == name.value) else {
                if self.kind(name).is_none() {
                    let message = format!("there is no pool {}", quote(name));
                    let pools = self.scenario.pools.names();
                    notes.diags.error(name.span, message).suggest(name, pools);
                }
                continue;
            };
            if !self.provider(at) {
                notes
                    .diags
                    .error(
                        name.span,
                        format!("a `fixed` pool such as {} is no capacity provider", quote(name)),
                    )
                    .help("make it an `asg`, or use `launch-type: EC2` for the workload");
                continue;
            }
            if items.iter().any(|i| usize::from(i.provider) == at) {
                notes.diags.error(name.span, format!("{} is listed twice", quote(name)));
                continue;
            }
            let fargate = at >= self.instances;
            if items.iter().any(|i| (usize::from(i.provider) >= self.instances) != fargate) {
                notes
                    .diags
                    .error(name.span, "a strategy cannot mix Fargate and Auto Scaling groups")
                    .help("give the workloads strategies of their own");
                continue;
            }
            let base = entry.base.map_or(0, |b| b.value.get() as u32);
            if base > 0 && based.replace(name.span).is_some() {
                let span = entry.base.map_or(name.span, |b| b.span);
                notes.diags.error(span, "only one capacity provider of a strategy has a base");
            }
            let sole = given.value.len() == 1;
            let weight = entry.weight.map_or(u32::from(sole), |w| w.value.get() as u32);
            let weight = if sole { weight.max(1) } else { weight };
            items.push(StrategyItem { provider: at as u16, base, weight });
        }
        if !items.is_empty() && items.iter().all(|i| i.weight == 0) {
            notes
                .diags
                .error(given.span, "one capacity provider of a strategy needs a weight above 0")
                .help("without `weight` it is 0, as in the ECS API");
        }
        items
    }

    fn of_workload(
        &self,
        name: &Spanned<String>,
        workload: &Workload,
        default: Option<&[StrategyItem]>,
        notes: &mut Notes<'_>,
    ) -> Vec<StrategyItem> {
        if workload.launch_type.is_some() {
            return Vec::new();
        }
        if let Some(own) = &workload.capacity_provider_strategy {
            return self.strategy(own, notes);
        }
        if let Some(default) = default {
            return default.to_vec();
        }
        let providers: Vec<usize> = (0..self.names.len()).filter(|p| self.provider(*p)).collect();
        let path = format!("workload.{}.capacity-provider-strategy", name.value);
        match *providers.as_slice() {
            [] => {
                notes.default(path, "launch type EC2", "no pool is a capacity provider");
                Vec::new()
            }
            [only] if self.names.len() == 1 => {
                notes.default(path, self.names[only], "the only pool");
                vec![StrategyItem { provider: only as u16, base: 0, weight: 1 }]
            }
            _ => {
                notes
                    .diags
                    .error(
                        name.span,
                        format!("which of the pools take the tasks of {}?", quote(name)),
                    )
                    .help(
                        "state `ecs.default-capacity-provider-strategy`, or for the workload \
                         `capacity-provider-strategy` or `launch-type: EC2`",
                    );
                Vec::new()
            }
        }
    }
}

fn strategy(
    rules: &[Spanned<PlacementRule>],
    attributes: &[String],
    notes: &mut Notes<'_>,
) -> PlacementStrategy {
    if let Some(sixth) = rules.get(MAX_RULES) {
        notes.diags.error(sixth.span, format!("at most {MAX_RULES} placement strategies"));
    }
    let mut chain = PlacementStrategy::new();
    for rule in rules {
        if chain.last() == Some(&Rule::Random) {
            notes
                .diags
                .error(rule.span, "a strategy after `random` has no effect")
                .help("put `random` last");
        }
        chain.push(match &rule.value {
            PlacementRule::SpreadInstance => Rule::Spread(SpreadBy::Instance),
            PlacementRule::SpreadAttribute(name) => {
                if !attributes.contains(name) {
                    let message =
                        format!("no container instance has the attribute {}", quote(name));
                    notes
                        .diags
                        .error(rule.span, message)
                        .suggest(name, attributes.iter().map(String::as_str));
                }
                Rule::Spread(SpreadBy::Attribute(name.clone()))
            }
            PlacementRule::BinpackCpu => Rule::Binpack(Field::Cpu),
            PlacementRule::BinpackMemory => Rule::Binpack(Field::Memory),
            PlacementRule::Random => Rule::Random,
        });
    }
    chain
}

/// Why a default of managed scaling is what it is.
const API: &str = "default of the ECS API (ManagedScaling, AutoScalingGroupProvider)";

fn managed_scaling(
    pool: &str,
    given: Option<&CapacityProvider>,
    notes: &mut Notes<'_>,
) -> ManagedScaling {
    let none = CapacityProvider::default();
    let it = given.unwrap_or(&none);
    let mut settings = ManagedScaling::default();
    let path = |key: &str| format!("pools.{pool}.capacity-provider.{key}");
    if it.managed_scaling.status.is_none() {
        let note = "as the console creates capacity providers";
        notes.default(path("managedScaling.status"), Status::Enabled, note);
    }
    let scaling = &it.managed_scaling;
    for (key, given, slot) in [
        (
            "managedScaling.targetCapacity",
            scaling.target_capacity.map(|n| n.value.get()),
            &mut settings.target_capacity,
        ),
        (
            "managedScaling.minimumScalingStepSize",
            scaling.minimum_scaling_step_size.map(|n| n.value.get()),
            &mut settings.minimum_scaling_step_size,
        ),
        (
            "managedScaling.maximumScalingStepSize",
            scaling.maximum_scaling_step_size.map(|n| n.value.get()),
            &mut settings.maximum_scaling_step_size,
        ),
        (
            "cold-start-instances",
            it.cold_start_instances.map(|n| n.value.get()),
            &mut settings.cold_start_instances,
        ),
    ] {
        match given {
            Some(given) => *slot = u32::try_from(given).unwrap_or(u32::MAX),
            None if key == "cold-start-instances" => {
                let note = "the documented step from nothing: a reservation of 200 %";
                notes.default(path(key), *slot, note);
            }
            None => notes.default(path(key), *slot, API),
        }
    }
    if let Some(given) = scaling.instance_warmup_period {
        settings.instance_warmup_period = given.value;
    } else {
        let key = path("managedScaling.instanceWarmupPeriod");
        notes.default(key, settings.instance_warmup_period, API);
    }
    for (key, given, slot) in [
        (
            "managedTerminationProtection",
            it.managed_termination_protection,
            &mut settings.managed_termination_protection,
        ),
        ("managedDraining", it.managed_draining, &mut settings.managed_draining),
    ] {
        if let Some(given) = given {
            *slot = given.value == Status::Enabled;
        } else {
            let status = if *slot { Status::Enabled } else { Status::Disabled };
            notes.default(path(key), status, API);
        }
    }
    settings
}

/// Whether two seeds can differ by where tasks are placed or stopped.
pub(super) fn draws(ecs: &Ecs) -> bool {
    ecs.workloads.iter().any(|w| {
        w.strategy.contains(&Rule::Random) || (!w.default_strategy && !w.strategy.is_empty())
    })
}

/// Keys of an orchestrator that no case has.
pub(super) fn warn_of_foreign(resolved: &[Resolved], diags: &mut Diagnostics) {
    let any = |ecs: bool| resolved.iter().any(|r| is_ecs(&r.scenario) == ecs);
    let mut seen: Vec<Span> = Vec::new();
    for case in resolved {
        let scenario = &case.scenario;
        let mut found = Vec::new();
        if !any(false) {
            kubernetes_keys(scenario, &mut found);
        }
        if !any(true) {
            ecs_keys(scenario, &mut found);
        }
        for (path, span) in found {
            if seen.contains(&span) {
                continue;
            }
            seen.push(span);
            let (code, who) =
                if is_ecs(scenario) { ("kubernetes-only", "ECS") } else { ("ecs-only", "EKS") };
            diags
                .warning(code, span, format!("`{path}` means nothing to {who}"))
                .help("remove it, or add a case with the other orchestrator");
        }
    }
}

fn kubernetes_keys(scenario: &Scenario, out: &mut Vec<(String, Span)>) {
    let mut add = |path: String, span: Option<Span>| out.extend(span.map(|span| (path, span)));
    add("versions.kubernetes".into(), scenario.versions.kubernetes.as_ref().map(|v| v.span));
    if let Some(Placement::Kubernetes(it)) = &scenario.placement {
        let scheduler = &it.scheduler;
        let span = scheduler
            .rate
            .as_ref()
            .map(|r| r.span)
            .or(scheduler.pod_initial_backoff_seconds.map(|s| s.span))
            .or(scheduler.pod_max_backoff_seconds.map(|s| s.span))
            .or(scheduler.scoring_strategy.as_ref().map(|s| s.kind.span))
            .or(scheduler.percentage_of_nodes_to_score.map(|p| p.span))
            .or(scheduler.defaulting_type.map(|d| d.span))
            .or(scheduler.hard_pod_affinity_weight.map(|w| w.span))
            .or(scheduler.profiles.iter().next().map(|(name, _)| name.span));
        add("placement.scheduler".into(), span);
        add("placement.keep-bindings".into(), it.keep_bindings.map(|keep| keep.span));
    }
    for (name, pool) in scenario.pools.iter() {
        let path = |key: &str| format!("pools.{}.{key}", name.value);
        add(path("max-pods"), pool.max_pods.map(|n| n.span));
        add(path("reserved"), pool.reserved.as_ref().map(|r| r.memory.span));
        match &pool.kind {
            ScenarioPool::Asg(_, options) => {
                let scaler = options.scaler.filter(|s| s.value == Scaler::ClusterAutoscaler);
                add(path("scaler"), scaler.map(|s| s.span));
            }
            ScenarioPool::Fargate(it) => {
                let rule = it.rules.as_ref().and_then(|rules| rules.first());
                add(path("fargate.match"), rule.map(|r| r.span));
                add(path("fargate.job-retention"), it.job_retention.map(|r| r.span));
            }
            ScenarioPool::Fixed(_) => {}
        }
    }
    for (name, workload) in scenario.workload.iter() {
        let path = |key: &str| format!("workload.{}.{key}", name.value);
        if let WorkloadKind::Service(service) = &workload.kind {
            let bound = service.bound_to.iter().next();
            add(path("service.bound-to"), bound.map(|(_, count)| count.span));
        }
        add(path("priority"), workload.priority.map(|p| p.span));
        add(path("tolerations"), workload.tolerations.first().map(|t| t.span));
        add(path("priorityClassName"), workload.priority_class_name.as_ref().map(|p| p.span));
        add(path("schedulerName"), workload.scheduler_name.as_ref().map(|s| s.span));
        add(path("preemptionPolicy"), workload.preemption_policy.map(|p| p.span));
        add(path("labels"), workload.labels.iter().next().map(|(key, _)| key.span));
        add(path("affinity"), workload.affinity.as_ref().map(|a| a.span));
        let spread = workload.topology_spread_constraints.first();
        add(path("topologySpreadConstraints"), spread.map(|c| c.span));
        add(path("schedulingGates"), workload.scheduling_gates.first().map(|g| g.span));
        add(path("shutdown"), workload.shutdown.map(|s| s.span));
        let claim = workload.volume_claim_templates.iter().next();
        add(path("volumeClaimTemplates"), claim.map(|(name, _)| name.span));
    }
    let objects = &scenario.kubernetes;
    let first = [
        ("namespaces", objects.namespaces.iter().next().map(|(name, _)| name.span)),
        ("services", objects.services.iter().next().map(|(name, _)| name.span)),
        (
            "podDisruptionBudgets",
            objects.pod_disruption_budgets.iter().next().map(|(name, _)| name.span),
        ),
        ("ingresses", objects.ingresses.iter().next().map(|(name, _)| name.span)),
        ("priorityClasses", objects.priority_classes.iter().next().map(|(name, _)| name.span)),
    ];
    for (key, span) in first {
        add(format!("kubernetes.{key}"), span);
    }
    if let Some(given) = scenario.charges.control_plane.filter(|c| c.value) {
        add("charges.control-plane".into(), Some(given.span));
    }
    add("charges.clusters".into(), scenario.charges.clusters.map(|c| c.span));
}

fn ecs_keys(scenario: &Scenario, out: &mut Vec<(String, Span)>) {
    let mut add = |path: String, span: Option<Span>| out.extend(span.map(|span| (path, span)));
    let ecs = &scenario.ecs;
    let strategy = ecs.default_capacity_provider_strategy.as_ref();
    add("ecs.default-capacity-provider-strategy".into(), strategy.map(|s| s.span));
    add("ecs.network-mode".into(), ecs.network_mode.map(|m| m.span));
    add("ecs.awsvpc-trunking".into(), ecs.awsvpc_trunking.map(|t| t.span));
    add("ecs.reserved-memory".into(), ecs.reserved_memory.map(|m| m.span));
    add("ecs.spot-instance-draining".into(), ecs.spot_instance_draining.map(|d| d.span));
    add("ecs.provisioning-limit".into(), ecs.provisioning_limit.map(|n| n.span));
    let constraints = ecs.placement_constraints.as_ref();
    add("ecs.placement-constraints".into(), constraints.map(|c| c.span));
    add("ecs.agent-version".into(), ecs.agent_version.as_ref().map(|v| v.span));
    if let Some(Placement::Ecs(rules)) = &scenario.placement {
        add("placement".into(), rules.first().map(|r| r.span));
    }
    for (name, pool) in scenario.pools.iter() {
        if let ScenarioPool::Asg(_, options) = &pool.kind {
            let path = format!("pools.{}.capacity-provider", name.value);
            add(path, options.capacity_provider.as_ref().map(|c| c.span));
        }
    }
    for (name, workload) in scenario.workload.iter() {
        let path = |key: &str| format!("workload.{}.{key}", name.value);
        let own = workload.placement_constraints.as_ref();
        add(path("placement-constraints"), own.map(|p| p.span));
        if matches!(workload.kind, WorkloadKind::DaemonSet(_)) {
            continue;
        }
        let own = workload.placement_strategy.as_ref();
        add(path("placement-strategy"), own.map(|p| p.span));
        let own = workload.capacity_provider_strategy.as_ref();
        add(path("capacity-provider-strategy"), own.map(|p| p.span));
        add(path("launch-type"), workload.launch_type.map(|l| l.span));
    }
}

/// Why a Fargate pool cannot be so on EKS.
pub(super) fn refuse_on_eks(name: &Spanned<String>, it: &scenario::Fargate, notes: &mut Notes<'_>) {
    let spot = it.purchase.filter(|p| p.value == scenario::Purchase::Spot);
    let arm = it.arch.filter(|a| a.value == scenario::Arch::Arm64);
    let windows = it.os.filter(|os| os.value == scenario::Os::Windows);
    let addresses = it.public_ipv4.filter(|public| public.value);
    for (span, what) in [
        (spot.map(|s| s.span), "Fargate Spot"),
        (arm.map(|a| a.span), "Fargate on arm64"),
        (windows.map(|os| os.span), "Fargate on Windows"),
        // Pods get private addresses only (EKS user guide, Fargate considerations).
        (addresses.map(|public| public.span), "Fargate in public subnets"),
    ] {
        if let Some(span) = span {
            notes
                .diags
                .error(span, format!("{what} is for ECS only"))
                .help("set `orchestrator: ecs` for this case, or remove it");
        }
    }
    if it.rules.is_none() && it.selectors.is_none() {
        let message =
            format!("the Fargate pool {} needs the key `match` or `selectors`", quote(name));
        notes
            .diags
            .error(name.span, message)
            .help("say which pods it takes, such as `selectors: [{ namespace: \"*\" }]`");
    }
}
