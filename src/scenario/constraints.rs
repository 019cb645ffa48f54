//! The part of a pod's spec that restricts where it may go, in the names and
//! the structure of the Kubernetes API (core/v1), so that what a manifest
//! says can be copied.
//!
//! Refused is what the API server refuses (kubernetes
//! `pkg/apis/core/validation/validation.go`, 1.31).

use super::decode::{Ctx, NonEmpty, Spanned};
use super::diagnostic::{Span, quote};
use super::label::{LabelKey, LabelValue, Labels};
use super::leaf::Text;
use super::number::Int;
use super::record::{names, record};

record! {
    /// Which nodes, and which neighbours, pods want.
    pub struct Affinity {
        /// Labels of nodes that are required or preferred.
        "nodeAffinity" => node_affinity: Option<NodeAffinity>,
        /// Pods that are wanted nearby.
        "podAffinity" => pod_affinity: Option<PodAffinity>,
        /// Pods that are not wanted nearby.
        "podAntiAffinity" => pod_anti_affinity: Option<PodAffinity>,
    }
}

record! {
    /// Labels of nodes that are required or preferred.
    pub struct NodeAffinity {
        /// A node must satisfy one of these terms.
        "requiredDuringSchedulingIgnoredDuringExecution" => required: Option<NodeSelector>,
        /// Nodes that satisfy these terms are better.
        "preferredDuringSchedulingIgnoredDuringExecution" => preferred: Vec<PreferredSchedulingTerm> = Vec::new(),
    }
}

record! {
    /// Terms of which a node must satisfy one.
    pub struct NodeSelector {
        /// The terms.
        "nodeSelectorTerms" => node_selector_terms: NonEmpty<NodeSelectorTerm>,
    }
}

record! {
    /// Requirements that a node must all satisfy; without any no node does.
    pub struct NodeSelectorTerm {
        /// Requirements on labels.
        "matchExpressions" => match_expressions: Vec<NodeRequirement> = Vec::new(),
        /// Requirements on metadata.name.
        "matchFields" => match_fields: Vec<NodeField> = Vec::new(),
    }
}

record! {
    /// A node selector term and how much it counts.
    pub struct PreferredSchedulingTerm {
        /// How much it counts.
        "weight" => weight: Spanned<Weight>,
        /// The term.
        "preference" => preference: NodeSelectorTerm,
    }
}

/// How much a preference counts.
pub type Weight = Int<1, 100>;

record! {
    /// A requirement on a label of a node.
    pub struct NodeRequirement {
        /// The label.
        "key" => key: Spanned<LabelKey>,
        /// How it compares.
        "operator" => operator: Spanned<NodeOperator>,
        /// What with.
        "values" => values: Vec<Spanned<Text>> = Vec::new(),
    }
    check check_node_requirement;
}

names! {
    /// How a label of a node compares.
    pub enum NodeOperator {
        /// Its value is one of these.
        "In" => In,
        /// It is missing, or its value is none of these.
        "NotIn" => NotIn,
        /// It is there.
        "Exists" => Exists,
        /// It is missing.
        "DoesNotExist" => DoesNotExist,
        /// Its value is a larger whole number.
        "Gt" => Gt,
        /// Its value is a smaller whole number.
        "Lt" => Lt,
    }
}

fn check_node_requirement(it: &NodeRequirement, _: Span, ctx: &mut Ctx<'_>) -> bool {
    match it.operator.value {
        NodeOperator::Gt | NodeOperator::Lt => {
            let whole = |v: &Spanned<Text>| v.value.parse::<i64>().is_ok();
            if it.values.len() == 1 && it.values.iter().all(whole) {
                return true;
            }
            let operator = it.operator.value;
            let span = it.values.iter().find(|v| !whole(v)).map_or(it.operator.span, |v| v.span);
            ctx.diags()
                .error(span, format!("`operator: {operator}` needs `values` with one whole number"))
                .help("write it in quotes, as in `values: [\"8\"]`");
            false
        }
        NodeOperator::In | NodeOperator::NotIn => values_of(&it.operator, true, &it.values, ctx),
        NodeOperator::Exists | NodeOperator::DoesNotExist => {
            values_of(&it.operator, false, &it.values, ctx)
        }
    }
}

/// Whether there are values exactly where the operator needs them.
fn values_of<T: Copy + std::fmt::Display, V>(
    operator: &Spanned<T>,
    needed: bool,
    values: &[Spanned<V>],
    ctx: &mut Ctx<'_>,
) -> bool {
    let name = operator.value;
    match values.first() {
        None if needed => {
            ctx.diags()
                .error(operator.span, format!("`operator: {name}` needs at least one of `values`"));
            false
        }
        Some(first) if !needed => {
            ctx.diags().error(first.span, format!("`operator: {name}` takes no `values`"));
            false
        }
        _ => true,
    }
}

record! {
    /// A requirement on the name of a node.
    pub struct NodeField {
        /// The field: metadata.name.
        "key" => key: Spanned<String>,
        /// How it compares.
        "operator" => operator: Spanned<FieldOperator>,
        /// The name.
        "values" => values: NonEmpty<Spanned<String>>,
    }
    check check_node_field;
}

names! {
    /// How a field of a node compares.
    pub enum FieldOperator {
        /// It is this.
        "In" => In,
        /// It is not this.
        "NotIn" => NotIn,
    }
}

fn check_node_field(it: &NodeField, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.key.value != "metadata.name" {
        let message = format!("{} is no field that can be selected", quote(&it.key.value));
        ctx.diags().error(it.key.span, message).help("the only one is `metadata.name`");
        return false;
    }
    if let Some(second) = it.values.get(1) {
        ctx.diags()
            .error(second.span, "a requirement on a field has exactly one of `values`")
            .help("state another node as another term of `nodeSelectorTerms`");
        return false;
    }
    true
}

record! {
    /// Pods that are wanted nearby, or not.
    pub struct PodAffinity {
        /// All of these terms must hold.
        "requiredDuringSchedulingIgnoredDuringExecution" => required: Vec<PodAffinityTerm> = Vec::new(),
        /// Nodes are better or worse by these terms.
        "preferredDuringSchedulingIgnoredDuringExecution" => preferred: Vec<WeightedPodAffinityTerm> = Vec::new(),
    }
}

record! {
    /// A pod affinity term and how much it counts.
    pub struct WeightedPodAffinityTerm {
        /// How much it counts.
        "weight" => weight: Spanned<Weight>,
        /// The term.
        "podAffinityTerm" => pod_affinity_term: PodAffinityTerm,
    }
}

record! {
    /// Pods of a domain of nodes.
    pub struct PodAffinityTerm {
        /// Which pods; none unless stated.
        "labelSelector" => label_selector: Option<LabelSelector>,
        /// Of which namespaces; the pod's own unless stated.
        "namespaces" => namespaces: Vec<Spanned<String>> = Vec::new(),
        /// And of namespaces with these labels; {} is every namespace.
        "namespaceSelector" => namespace_selector: Option<LabelSelector>,
        /// Label of nodes whose equal values make them one domain.
        "topologyKey" => topology_key: Spanned<LabelKey>,
        /// Labels whose values the pods have in common with this one.
        "matchLabelKeys" => match_label_keys: Vec<Spanned<LabelKey>> = Vec::new(),
        /// Labels whose values the pods do not have in common with this one.
        "mismatchLabelKeys" => mismatch_label_keys: Vec<Spanned<LabelKey>> = Vec::new(),
    }
    check check_term;
}

fn check_term(it: &PodAffinityTerm, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let both = it
        .mismatch_label_keys
        .iter()
        .find(|key| it.match_label_keys.iter().any(|other| other.value == key.value));
    if let Some(key) = both {
        let message =
            format!("{} is among `matchLabelKeys` and `mismatchLabelKeys`", quote(&key.value));
        ctx.diags().error(key.span, message);
        return false;
    }
    check_label_keys("matchLabelKeys", &it.match_label_keys, it.label_selector.as_ref(), ctx)
        && check_label_keys(
            "mismatchLabelKeys",
            &it.mismatch_label_keys,
            it.label_selector.as_ref(),
            ctx,
        )
}

/// Keys that are added to a selector need one, which does not name them.
fn check_label_keys(
    field: &str,
    keys: &[Spanned<LabelKey>],
    selector: Option<&LabelSelector>,
    ctx: &mut Ctx<'_>,
) -> bool {
    let Some(first) = keys.first() else { return true };
    let Some(selector) = selector else {
        ctx.diags().error(first.span, format!("`{field}` needs a `labelSelector`"));
        return false;
    };
    let named = |key: &str| {
        selector.match_labels.iter().any(|(k, _)| k.value == key)
            || selector.match_expressions.iter().any(|e| *e.key.value == *key)
    };
    if let Some(key) = keys.iter().find(|key| named(&key.value)) {
        let message = format!("{} is in `labelSelector` already", quote(&key.value));
        ctx.diags().error(key.span, message).help(format!("leave it out of `{field}`"));
        return false;
    }
    true
}

record! {
    /// Which pods, or namespaces: all of it holds.
    pub struct LabelSelector {
        /// Labels with their values.
        "matchLabels" => match_labels: Labels = Labels::default(),
        /// Requirements on labels.
        "matchExpressions" => match_expressions: Vec<LabelRequirement> = Vec::new(),
    }
}

record! {
    /// A requirement on a label.
    pub struct LabelRequirement {
        /// The label.
        "key" => key: Spanned<LabelKey>,
        /// How it compares.
        "operator" => operator: Spanned<LabelOperator>,
        /// What with.
        "values" => values: Vec<Spanned<LabelValue>> = Vec::new(),
    }
    check check_label_requirement;
}

names! {
    /// How a label compares.
    pub enum LabelOperator {
        /// Its value is one of these.
        "In" => In,
        /// It is missing, or its value is none of these.
        "NotIn" => NotIn,
        /// It is there.
        "Exists" => Exists,
        /// It is missing.
        "DoesNotExist" => DoesNotExist,
    }
}

fn check_label_requirement(it: &LabelRequirement, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let needed = matches!(it.operator.value, LabelOperator::In | LabelOperator::NotIn);
    values_of(&it.operator, needed, &it.values, ctx)
}

record! {
    /// How evenly pods are spread over domains of nodes.
    pub struct TopologySpreadConstraint {
        /// Most pods that a domain may have more than the emptiest.
        "maxSkew" => max_skew: Spanned<Int<1, 1_000_000>>,
        /// Label of nodes whose equal values make them one domain.
        "topologyKey" => topology_key: Spanned<LabelKey>,
        /// Whether a pod stays pending, or goes where the skew is least.
        "whenUnsatisfiable" => when_unsatisfiable: Spanned<WhenUnsatisfiable>,
        /// Which pods of the namespace are counted; none unless stated.
        "labelSelector" => label_selector: Option<LabelSelector>,
        /// With fewer domains the emptiest counts as empty; 1 unless stated.
        "minDomains" => min_domains: Option<Spanned<Int<1, 1_000_000>>>,
        /// Whether only nodes are counted that nodeSelector and nodeAffinity allow; Honor unless stated.
        "nodeAffinityPolicy" => node_affinity_policy: Option<Spanned<InclusionPolicy>>,
        /// Whether only nodes are counted whose taints are tolerated; Ignore unless stated.
        "nodeTaintsPolicy" => node_taints_policy: Option<Spanned<InclusionPolicy>>,
        /// Labels whose values the counted pods have in common with this one.
        "matchLabelKeys" => match_label_keys: Vec<Spanned<LabelKey>> = Vec::new(),
    }
    check check_spread;
}

names! {
    /// What becomes of a pod that would be spread too unevenly.
    pub enum WhenUnsatisfiable {
        /// It stays pending.
        "DoNotSchedule" => DoNotSchedule,
        /// It goes where the skew is least.
        "ScheduleAnyway" => ScheduleAnyway,
    }
}

names! {
    /// Whether something decides which nodes are counted.
    pub enum InclusionPolicy {
        /// It does.
        "Honor" => Honor,
        /// It does not.
        "Ignore" => Ignore,
    }
}

fn check_spread(it: &TopologySpreadConstraint, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if let (Some(given), WhenUnsatisfiable::ScheduleAnyway) =
        (&it.min_domains, it.when_unsatisfiable.value)
    {
        ctx.diags()
            .error(given.span, "`minDomains` needs `whenUnsatisfiable: DoNotSchedule`")
            .help("leave `minDomains` out");
        return false;
    }
    check_label_keys("matchLabelKeys", &it.match_label_keys, it.label_selector.as_ref(), ctx)
}

/// Two constraints on one key that differ in nothing that tells them apart
/// (`ValidateSpreadConstraintNotRepeat`).
pub(super) fn check_repeated(
    constraints: &[Spanned<TopologySpreadConstraint>],
    ctx: &mut Ctx<'_>,
) -> bool {
    for (at, it) in constraints.iter().enumerate() {
        let same = |other: &Spanned<TopologySpreadConstraint>| {
            other.topology_key.value == it.topology_key.value
                && other.when_unsatisfiable.value == it.when_unsatisfiable.value
        };
        if constraints.iter().take(at).any(same) {
            let message = format!(
                "there is another constraint with `topologyKey: {}` and `whenUnsatisfiable: {}`",
                &*it.topology_key.value, it.when_unsatisfiable.value
            );
            ctx.diags().error(it.topology_key.span, message).help("leave one of them out");
            return false;
        }
    }
    true
}

record! {
    /// A port of the node that each pod takes.
    pub struct HostPort {
        /// The port.
        "hostPort" => host_port: Spanned<Int<1, 65_535>>,
        /// Its protocol; TCP unless stated.
        "protocol" => protocol: Option<Spanned<Protocol>>,
        /// Address of the node that it listens on; all of them unless stated.
        "hostIP" => host_ip: Option<Spanned<std::net::IpAddr>>,
    }
}

names! {
    /// Protocols of ports.
    pub enum Protocol {
        /// TCP.
        "TCP" => Tcp,
        /// UDP.
        "UDP" => Udp,
        /// SCTP.
        "SCTP" => Sctp,
    }
}

names! {
    /// Whether a pod that fits nowhere evicts pods of lower priority.
    pub enum PreemptionPolicy {
        /// It does.
        "PreemptLowerPriority" => PreemptLowerPriority,
        /// It waits.
        "Never" => Never,
    }
}
