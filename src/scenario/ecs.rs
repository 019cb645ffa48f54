//! The part of the model that only Amazon ECS knows. Objects of the ECS API
//! keep its field names; keys of this program are written as the AWS command
//! line writes its options.

use serde_json::{Value as Json, json};

use super::decode::{Ctx, Decode, Defs, NonEmpty, Spanned};
use super::diagnostic::{Span, quote};
use super::number::Int;
use super::record::{names, record, union};
use super::tree::{Node, Value};
use crate::units::{Bytes, Percent, SimDuration};

record! {
    /// Settings of an Amazon ECS cluster and its container instances.
    #[derive(Default)]
    pub struct Ecs {
        /// Capacity providers of workloads that state none.
        "default-capacity-provider-strategy" => default_capacity_provider_strategy: Option<ProviderStrategy>,
        /// Network mode of all tasks on container instances; bridge unless stated.
        "network-mode" => network_mode: Option<Spanned<NetworkMode>>,
        /// Whether instances have trunk interfaces for more awsvpc tasks; false unless stated.
        "awsvpc-trunking" => awsvpc_trunking: Option<Spanned<bool>>,
        /// ECS_RESERVED_MEMORY: what an instance keeps for its system; 0 unless stated.
        "reserved-memory" => reserved_memory: Option<Spanned<Bytes>>,
        /// ECS_ENABLE_SPOT_INSTANCE_DRAINING: whether a Spot notice drains the instance; false unless stated.
        "spot-instance-draining" => spot_instance_draining: Option<Spanned<bool>>,
        /// Constraints of workloads that state none; Fargate has none.
        "placement-constraints" => placement_constraints: Option<Spanned<Vec<Spanned<PlacementConstraint>>>>,
        /// Version of the agent on every instance, as in 1.79.0; unknown unless stated.
        "agent-version" => agent_version: Option<Spanned<String>>,
        /// Waiting tasks that managed scaling counts, the oldest first; 500 unless stated.
        "provisioning-limit" => provisioning_limit: Option<Spanned<Int<1, 1_000_000>>>,
    }
}

/// A capacity provider strategy.
pub type ProviderStrategy = Spanned<NonEmpty<Spanned<ProviderStrategyItem>>>;

record! {
    /// A pool that takes tasks, and its share of them.
    pub struct ProviderStrategyItem {
        /// An `asg` or `fargate` pool.
        "capacityProvider" => capacity_provider: Spanned<String>,
        /// Tasks that go there before all others; 0 unless stated.
        "base" => base: Option<Spanned<Int<0, 100_000>>>,
        /// Share of the tasks above the base; 0 unless stated, but a sole entry takes all.
        "weight" => weight: Option<Spanned<Int<0, 1_000>>>,
    }
}

names! {
    /// Network modes of tasks on container instances.
    pub enum NetworkMode {
        /// An elastic network interface for each task.
        "awsvpc" => Awsvpc,
        /// The virtual network of the container runtime.
        "bridge" => Bridge,
        /// The network of the instance.
        "host" => Host,
    }
}

names! {
    /// Launch types that a workload can ask for instead of capacity providers.
    pub enum LaunchType {
        /// Any container instance of the cluster.
        "EC2" => Ec2,
    }
}

names! {
    /// Whether something is on.
    pub enum Status {
        /// On.
        "ENABLED" => Enabled,
        /// Off.
        "DISABLED" => Disabled,
    }
}

record! {
    /// An Auto Scaling group as a capacity provider of ECS.
    #[derive(Default)]
    pub struct CapacityProvider {
        /// How ECS scales the group.
        "managedScaling" => managed_scaling: ManagedScaling = ManagedScaling::default(),
        /// Whether instances with tasks are kept from termination; DISABLED unless stated.
        "managedTerminationProtection" => managed_termination_protection: Option<Spanned<Status>>,
        /// Whether instances are drained before termination; ENABLED unless stated.
        "managedDraining" => managed_draining: Option<Spanned<Status>>,
        /// Desired size when tasks wait and the group is empty; 2 unless stated.
        "cold-start-instances" => cold_start_instances: Option<Spanned<Int<1, 5_000>>>,
    }
    check check_protection;
}

/// The API refuses protection where ECS does not scale the group
/// (`CreateCapacityProvider`).
fn check_protection(it: &CapacityProvider, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let off = it.managed_scaling.status.is_some_and(|s| s.value == Status::Disabled);
    match it.managed_termination_protection {
        Some(given) if off && given.value == Status::Enabled => {
            let message = "managed termination protection needs managed scaling";
            ctx.diags().error(given.span, message);
            false
        }
        _ => true,
    }
}

/// Longest `instanceWarmupPeriod` (ECS API, `ManagedScaling`).
const LONGEST_WARMUP: SimDuration = SimDuration::from_secs(10_000);

record! {
    /// How ECS scales an Auto Scaling group.
    #[derive(Default)]
    pub struct ManagedScaling {
        /// Whether it does; ENABLED unless stated.
        "status" => status: Option<Spanned<Status>>,
        /// Wanted use of the group in percent; 100 unless stated.
        "targetCapacity" => target_capacity: Option<Spanned<Int<1, 100>>>,
        /// Fewest instances added at once; 1 unless stated.
        "minimumScalingStepSize" => minimum_scaling_step_size: Option<Spanned<Int<1, 10_000>>>,
        /// Most instances added at once; 10000 unless stated.
        "maximumScalingStepSize" => maximum_scaling_step_size: Option<Spanned<Int<1, 10_000>>>,
        /// After an instance runs nothing is added for so long; 300s unless stated.
        "instanceWarmupPeriod" => instance_warmup_period: Option<Spanned<SimDuration>>,
    }
    check check_steps;
}

fn check_steps(it: &ManagedScaling, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if let Some(long) = it.instance_warmup_period.filter(|d| d.value > LONGEST_WARMUP) {
        ctx.diags().error(long.span, "an instanceWarmupPeriod of at most 10000s");
        return false;
    }
    match (&it.minimum_scaling_step_size, &it.maximum_scaling_step_size) {
        (Some(min), Some(max)) if max.get() < min.get() => {
            let message = "maximumScalingStepSize is below minimumScalingStepSize";
            ctx.diags().error(max.span, message);
            false
        }
        _ => true,
    }
}

union! {
    /// How often Fargate Spot tasks are interrupted.
    pub enum FargateInterruptions {
        words {
            /// Never.
            "none" => None,
        }
        /// By a rate of your own.
        [map] => Rate(FargateInterruptionRate),
    }
}

record! {
    /// An interruption rate of Fargate Spot tasks.
    pub struct FargateInterruptionRate {
        /// Share of tasks interrupted within a month of running.
        "per-month" => per_month: Spanned<Percent>,
    }
}

/// A task placement strategy: `spread(attribute:ecs.availability-zone)`,
/// `spread(instanceId)`, `binpack(cpu)`, `binpack(memory)`, `random`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlacementRule {
    /// Even over the container instances.
    SpreadInstance,
    /// Even over the values of an attribute.
    SpreadAttribute(String),
    /// The least cpu left.
    BinpackCpu,
    /// The least memory left.
    BinpackMemory,
    /// Any.
    Random,
}

/// A task placement constraint: `distinctInstance`, or `memberOf(EXPRESSION)`
/// in the cluster query language. An object of the ECS API does as well.
#[derive(Debug, Clone, PartialEq)]
pub enum PlacementConstraint {
    /// No two tasks of the workload on one instance.
    DistinctInstance,
    /// Only instances that satisfy the expression, which is not read yet.
    MemberOf(Spanned<String>),
}

record! {
    /// A task placement constraint as the ECS API has it.
    pub struct PlacementConstraintObject {
        /// Its kind.
        "type" => kind: Spanned<ConstraintType>,
        /// For memberOf, an expression of the cluster query language.
        "expression" => expression: Option<Spanned<String>>,
    }
    check check_constraint;
}

names! {
    /// Kinds of task placement constraints.
    pub enum ConstraintType {
        /// Each task on an instance of its own.
        "distinctInstance" => DistinctInstance,
        /// Only instances that satisfy an expression.
        "memberOf" => MemberOf,
    }
}

fn check_constraint(it: &PlacementConstraintObject, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    match (it.kind.value, &it.expression) {
        (ConstraintType::MemberOf, None) => {
            ctx.diags()
                .error(
                    if owner.start < owner.end { owner } else { it.kind.span },
                    "`memberOf` needs an `expression`",
                )
                .help("such as `attribute:ecs.instance-type =~ m5.*`");
            false
        }
        (ConstraintType::DistinctInstance, Some(expression)) => {
            ctx.diags().error(expression.span, "`distinctInstance` takes no expression");
            false
        }
        _ => true,
    }
}

impl Decode for PlacementConstraint {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        if let Value::Map(_) = node.value {
            let it = PlacementConstraintObject::decode(node, ctx)?;
            return match it.kind.value {
                ConstraintType::DistinctInstance => Some(PlacementConstraint::DistinctInstance),
                ConstraintType::MemberOf => it.expression.map(PlacementConstraint::MemberOf),
            };
        }
        let text = String::decode(node, ctx)?;
        let inside = text.trim().strip_prefix("memberOf(").and_then(|t| t.strip_suffix(')'));
        if text.trim() == "distinctInstance" {
            return Some(PlacementConstraint::DistinctInstance);
        }
        if let Some(value) = inside {
            let value = value.to_owned();
            return Some(PlacementConstraint::MemberOf(Spanned { value, span: node.span }));
        }
        let message = format!("unknown placement constraint {}", quote(&text));
        ctx.diags()
            .error(node.span, message)
            .help("a constraint reads `distinctInstance` or `memberOf(EXPRESSION)`");
        None
    }

    fn schema(defs: &mut Defs) -> Json {
        json!({
            "description": "A task placement constraint of ECS: distinctInstance, memberOf(EXPRESSION), or the object of the ECS API.",
            "anyOf": [
                { "type": "string", "pattern": r"^\s*(distinctInstance|memberOf\([\s\S]*\))\s*$" },
                PlacementConstraintObject::schema(defs),
            ],
        })
    }
}

/// Longest name of an attribute.
const LONGEST_ATTRIBUTE: usize = 128;

impl std::str::FromStr for PlacementRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "random" {
            return Ok(PlacementRule::Random);
        }
        let (kind, field) = text
            .strip_suffix(')')
            .and_then(|t| t.split_once('('))
            .map(|(kind, field)| (kind.trim(), field.trim()))
            .ok_or("a strategy reads `type(field)`, or `random`")?;
        match (kind, field) {
            ("binpack", "cpu" | "CPU") => Ok(PlacementRule::BinpackCpu),
            ("binpack", "memory" | "MEMORY") => Ok(PlacementRule::BinpackMemory),
            ("binpack", _) => Err("`binpack` packs by `cpu` or `memory`".to_owned()),
            ("spread", "instanceId" | "host") => Ok(PlacementRule::SpreadInstance),
            ("spread", field) => {
                let name = field.strip_prefix("attribute:").filter(|name| {
                    (1..=LONGEST_ATTRIBUTE).contains(&name.len())
                        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./\\:".contains(c))
                });
                name.map(|n| PlacementRule::SpreadAttribute(n.to_owned())).ok_or_else(|| {
                    "`spread` goes over `instanceId` or `attribute:NAME`, such as \
                     `attribute:ecs.availability-zone`"
                        .to_owned()
                })
            }
            _ => Err("known strategies are spread, binpack and random".to_owned()),
        }
    }
}

impl std::fmt::Display for PlacementRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PlacementRule::SpreadInstance => f.write_str("spread(instanceId)"),
            PlacementRule::SpreadAttribute(name) => write!(f, "spread(attribute:{name})"),
            PlacementRule::BinpackCpu => f.write_str("binpack(cpu)"),
            PlacementRule::BinpackMemory => f.write_str("binpack(memory)"),
            PlacementRule::Random => f.write_str("random"),
        }
    }
}

impl Decode for PlacementRule {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let text = String::decode(node, ctx)?;
        match text.parse() {
            Ok(rule) => Some(rule),
            Err(cause) => {
                let message = format!("unknown placement strategy {}", quote(&text));
                ctx.diags().error(node.span, message).help(cause);
                None
            }
        }
    }

    fn schema(_: &mut Defs) -> Json {
        json!({
            "type": "string",
            "description": "A task placement strategy of ECS: spread(attribute:ecs.availability-zone), spread(instanceId), binpack(cpu), binpack(memory) or random.",
            "pattern": r"^(random|binpack\((cpu|memory|CPU|MEMORY)\)|spread\((instanceId|host|attribute:[A-Za-z0-9_./\\:-]{1,128})\))$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_read_as_they_are_written() {
        for text in [
            "spread(attribute:ecs.availability-zone)",
            "spread(instanceId)",
            "binpack(cpu)",
            "binpack(memory)",
            "random",
        ] {
            let rule: PlacementRule = text.parse().expect(text);
            assert_eq!(rule.to_string(), text);
        }
        assert_eq!("spread( host )".parse(), Ok(PlacementRule::SpreadInstance));
        for text in ["", "spread", "spread()", "spread(zone)", "binpack(gpu)", "spread(attribute:)"]
        {
            assert!(text.parse::<PlacementRule>().is_err(), "{text}");
        }
    }
}
