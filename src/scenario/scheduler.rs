//! Profiles of the kube-scheduler, in the names of its configuration
//! (`kubescheduler.config.k8s.io/v1`, 1.31).

use super::constraints::WhenUnsatisfiable;
use super::decode::{Ctx, NonEmpty, Spanned};
use super::diagnostic::Span;
use super::label::LabelKey;
use super::number::Int;
use super::record::{names, record};

record! {
    /// A profile of the scheduler.
    pub struct Profile {
        /// How nodes are scored by what is free on them.
        "scoringStrategy" => scoring_strategy: Option<ScoringStrategy>,
        /// Share of the nodes that is scored; that of the scheduler unless stated.
        "percentageOfNodesToScore" => percentage_of_nodes_to_score: Option<Spanned<Int<0, 100>>>,
        /// Whether pods without topology spread constraints get those of the scheduler, or those of a list; System unless stated.
        "defaultingType" => defaulting_type: Option<Spanned<DefaultingType>>,
        /// The list.
        "defaultConstraints" => default_constraints: Vec<Spanned<DefaultConstraint>> = Vec::new(),
        /// How much the required pod affinity of other pods counts; 1 unless stated.
        "hardPodAffinityWeight" => hard_pod_affinity_weight: Option<Spanned<Int<0, 100>>>,
        /// Which plugins score, and how much they count.
        "plugins" => plugins: Option<Plugins>,
    }
    check check_profile;
}

fn check_profile(it: &Profile, _: Span, ctx: &mut Ctx<'_>) -> bool {
    check_default_constraints(it.defaulting_type, &it.default_constraints, ctx)
}

/// The rules of `ValidatePodTopologySpreadArgs`.
pub(super) fn check_default_constraints(
    defaulting: Option<Spanned<DefaultingType>>,
    constraints: &[Spanned<DefaultConstraint>],
    ctx: &mut Ctx<'_>,
) -> bool {
    let listed = defaulting.is_some_and(|d| d.value == DefaultingType::List);
    if let (Some(first), false) = (constraints.first(), listed) {
        ctx.diags().error(first.span, "`defaultConstraints` needs `defaultingType: List`");
        return false;
    }
    for (at, it) in constraints.iter().enumerate() {
        let same = |other: &Spanned<DefaultConstraint>| {
            other.topology_key.value == it.topology_key.value
                && other.when_unsatisfiable.value == it.when_unsatisfiable.value
        };
        if constraints.iter().take(at).any(same) {
            let message = "there is another constraint with this `topologyKey` and \
                           `whenUnsatisfiable`";
            ctx.diags().error(it.topology_key.span, message);
            return false;
        }
    }
    true
}

names! {
    /// Where the spread constraints of pods without their own come from.
    pub enum DefaultingType {
        /// From the scheduler: soft, over nodes and zones.
        "System" => System,
        /// From a list.
        "List" => List,
    }
}

record! {
    /// A spread constraint of pods without their own.
    pub struct DefaultConstraint {
        /// Most pods that a domain may have more than the emptiest.
        "maxSkew" => max_skew: Spanned<Int<1, 1_000_000>>,
        /// Label of nodes whose equal values make them one domain.
        "topologyKey" => topology_key: Spanned<LabelKey>,
        /// Whether a pod stays pending, or goes where the skew is least.
        "whenUnsatisfiable" => when_unsatisfiable: Spanned<WhenUnsatisfiable>,
    }
}

record! {
    /// How nodes are scored by what is free on them.
    pub struct ScoringStrategy {
        /// The strategy's name.
        "type" => kind: Spanned<ScoringKind>,
        /// Resources that count; cpu and memory with weight 1 unless stated.
        "resources" => resources: Option<NonEmpty<ScoringResource>>,
        /// The shape of RequestedToCapacityRatio.
        "requestedToCapacityRatio" => requested_to_capacity_ratio: Option<Spanned<CapacityRatio>>,
    }
    check check_strategy;
}

names! {
    /// Strategies of NodeResourcesFit.
    pub enum ScoringKind {
        /// Prefer empty nodes.
        "LeastAllocated" => LeastAllocated,
        /// Prefer full nodes.
        "MostAllocated" => MostAllocated,
        /// By a function of how full a node would be.
        "RequestedToCapacityRatio" => RequestedToCapacityRatio,
    }
}

record! {
    /// A resource and how much it counts.
    pub struct ScoringResource {
        /// cpu, memory or an extended resource.
        "name" => name: Spanned<String>,
        /// How much it counts; 1 unless stated.
        "weight" => weight: Option<Spanned<Int<1, 100>>>,
    }
}

record! {
    /// A function of how full a node would be.
    pub struct CapacityRatio {
        /// Its corners, from the emptiest to the fullest.
        "shape" => shape: NonEmpty<ShapePoint>,
    }
}

record! {
    /// A corner of the function.
    pub struct ShapePoint {
        /// Percent of the node.
        "utilization" => utilization: Spanned<Int<0, 100>>,
        /// The score there.
        "score" => score: Spanned<Int<0, 10>>,
    }
}

/// The rules of `validateFunctionShape`.
fn check_strategy(it: &ScoringStrategy, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let wanted = it.kind.value == ScoringKind::RequestedToCapacityRatio;
    match &it.requested_to_capacity_ratio {
        None if wanted => {
            ctx.diags().error(
                it.kind.span,
                "`type: RequestedToCapacityRatio` needs `requestedToCapacityRatio` with its `shape`",
            );
            false
        }
        Some(given) if !wanted => {
            let message = "`requestedToCapacityRatio` needs `type: RequestedToCapacityRatio`";
            ctx.diags().error(given.span, message);
            false
        }
        Some(given) => {
            let mut last = None;
            for point in given.shape.iter() {
                let at = point.utilization.get();
                if last.is_some_and(|last| last >= at) {
                    let message = "`utilization` rises from corner to corner";
                    ctx.diags().error(point.utilization.span, message);
                    return false;
                }
                last = Some(at);
            }
            true
        }
        None => true,
    }
}

record! {
    /// Plugins of the scheduler.
    pub struct Plugins {
        /// Those that score.
        "score" => score: PluginSet,
    }
}

record! {
    /// Plugins that differ from the default.
    pub struct PluginSet {
        /// Plugins with another weight.
        "enabled" => enabled: Vec<WeightedPlugin> = Vec::new(),
        /// Plugins that do not score; * is all but those enabled.
        "disabled" => disabled: Vec<DisabledPlugin> = Vec::new(),
    }
}

record! {
    /// A plugin and how much it counts.
    pub struct WeightedPlugin {
        /// Its name.
        "name" => name: Spanned<ScorePlugin>,
        /// How much it counts; 1 unless stated.
        "weight" => weight: Option<Spanned<Int<1, 10_000>>>,
    }
}

record! {
    /// A plugin that does not score.
    pub struct DisabledPlugin {
        /// Its name, or *.
        "name" => name: Spanned<DisabledName>,
    }
}

names! {
    /// Plugins that score.
    pub enum ScorePlugin {
        /// Taints with effect PreferNoSchedule.
        "TaintToleration" => TaintToleration,
        /// Preferred node affinity.
        "NodeAffinity" => NodeAffinity,
        /// Topology spread constraints.
        "PodTopologySpread" => PodTopologySpread,
        /// Preferred pod affinity and anti-affinity.
        "InterPodAffinity" => InterPodAffinity,
        /// What is free, or taken.
        "NodeResourcesFit" => NodeResourcesFit,
        /// How even cpu and memory are taken.
        "NodeResourcesBalancedAllocation" => NodeResourcesBalancedAllocation,
    }
}

names! {
    /// Plugins that can be kept from scoring.
    pub enum DisabledName {
        /// All of them.
        "*" => All,
        /// Taints with effect PreferNoSchedule.
        "TaintToleration" => TaintToleration,
        /// Preferred node affinity.
        "NodeAffinity" => NodeAffinity,
        /// Topology spread constraints.
        "PodTopologySpread" => PodTopologySpread,
        /// Preferred pod affinity and anti-affinity.
        "InterPodAffinity" => InterPodAffinity,
        /// What is free, or taken.
        "NodeResourcesFit" => NodeResourcesFit,
        /// How even cpu and memory are taken.
        "NodeResourcesBalancedAllocation" => NodeResourcesBalancedAllocation,
    }
}
