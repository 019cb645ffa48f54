//! Objects of a Kubernetes cluster that are no pods and no nodes, in the
//! names of the API (core/v1, policy/v1, scheduling.k8s.io/v1).

use serde_json::{Value as Json, json};

use super::constraints::{LabelSelector, PreemptionPolicy};
use super::decode::{Ctx, Decode, Defs, Map, NonEmpty, Spanned};
use super::diagnostic::{Span, quote};
use super::label::Labels;
use super::record::{choice, names, record};
use super::tree::{Node, Value};

record! {
    /// Objects of the Kubernetes cluster that constraints refer to.
    #[derive(Default)]
    pub struct Kubernetes {
        /// Namespaces whose labels matter.
        "namespaces" => namespaces: Map<Namespace> = Map::default(),
        /// Services: pods that one selects are spread over nodes and zones.
        "services" => services: Map<KubernetesService> = Map::default(),
        /// Ingresses: each has an Application Load Balancer.
        "ingresses" => ingresses: Map<Ingress> = Map::default(),
        /// How many pods of a group preemption may take at once; whatever else ends pods does not heed it.
        "podDisruptionBudgets" => pod_disruption_budgets: Map<PodDisruptionBudget> = Map::default(),
        /// Names for priorities.
        "priorityClasses" => priority_classes: Map<PriorityClass> = Map::default(),
    }
    check check_objects;
}

record! {
    /// A namespace.
    pub struct Namespace {
        /// Its labels; kubernetes.io/metadata.name is always there.
        "labels" => labels: Labels = Labels::default(),
    }
}

record! {
    /// A Service.
    pub struct KubernetesService {
        /// Its namespace; default unless stated.
        "namespace" => namespace: Option<Spanned<String>>,
        /// Labels of the pods that it selects.
        "selector" => selector: Labels,
        /// How it is reached: one of type LoadBalancer has a Network Load Balancer.
        "type" => kind: Option<Spanned<ServiceType>>,
    }
    check check_service;
}

names! {
    /// How a Service is reached.
    pub enum ServiceType {
        /// Within the cluster.
        "ClusterIP" => ClusterIp,
        /// At a port of each node.
        "NodePort" => NodePort,
        /// Through a load balancer.
        "LoadBalancer" => LoadBalancer,
        /// It is a name in DNS.
        "ExternalName" => ExternalName,
    }
}

record! {
    /// An Ingress.
    pub struct Ingress {
        /// Its namespace; default unless stated.
        "namespace" => namespace: Option<Spanned<String>>,
        /// Where requests that match no rule go.
        "defaultBackend" => default_backend: Option<IngressBackend>,
        /// Hosts and paths.
        "rules" => rules: Vec<IngressRule> = Vec::new(),
    }
    check check_ingress;
}

record! {
    /// A host and its paths.
    pub struct IngressRule {
        /// The host; all unless stated.
        "host" => host: Option<Spanned<String>>,
        /// Its paths.
        "http" => http: IngressHttp,
    }
}

record! {
    /// Paths of a host.
    pub struct IngressHttp {
        /// The paths: each is a rule of the load balancer.
        "paths" => paths: NonEmpty<IngressPath>,
    }
}

record! {
    /// A path and where its requests go.
    pub struct IngressPath {
        /// The path; all unless stated.
        "path" => path: Option<Spanned<String>>,
        /// How it is compared.
        "pathType" => path_type: Option<Spanned<PathType>>,
        /// Where its requests go.
        "backend" => backend: IngressBackend,
    }
}

names! {
    /// How a path is compared.
    pub enum PathType {
        /// It is the same.
        "Exact" => Exact,
        /// It begins so.
        "Prefix" => Prefix,
        /// As the controller does.
        "ImplementationSpecific" => ImplementationSpecific,
    }
}

record! {
    /// Where requests go.
    pub struct IngressBackend {
        /// A Service.
        "service" => service: IngressService,
    }
}

record! {
    /// A Service that requests go to.
    pub struct IngressService {
        /// Its name among `services`.
        "name" => name: Spanned<String>,
    }
}

fn check_ingress(it: &Ingress, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.rules.is_empty() && it.default_backend.is_none() {
        ctx.diags().error(owner, "an Ingress needs `rules`, or a `defaultBackend`");
        return false;
    }
    true
}

fn check_service(it: &KubernetesService, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.selector.is_empty() {
        ctx.diags().error(owner, "a Service without labels in its `selector` selects no pods");
        return false;
    }
    true
}

record! {
    /// How many pods of a group may be down at once.
    pub struct PodDisruptionBudget {
        one of limit: DisruptionLimit,
        /// Its namespace; default unless stated.
        "namespace" => namespace: Option<Spanned<String>>,
        /// Which pods of the namespace; {} is all of them.
        "selector" => selector: LabelSelector,
    }
}

choice! {
    /// How many pods must stay, or may go.
    pub enum DisruptionLimit {
        /// So many pods, or percent of those wanted, stay.
        "minAvailable" => MinAvailable(Spanned<IntOrPercent>),
        /// So many pods, or percent of those wanted, may be down.
        "maxUnavailable" => MaxUnavailable(Spanned<IntOrPercent>),
    }
}

/// A number of pods, or a percentage of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntOrPercent {
    /// So many.
    Int(u32),
    /// Whole percent, at most 100.
    Percent(u32),
}

impl Decode for IntOrPercent {
    fn decode(node: &Node, ctx: &mut Ctx<'_>) -> Option<Self> {
        let read = match &node.value {
            Value::Number(text) => text.parse().ok().map(IntOrPercent::Int),
            Value::String(text) => text
                .strip_suffix('%')
                .and_then(|n| n.parse().ok())
                .filter(|n| *n <= 100)
                .map(IntOrPercent::Percent),
            _ => None,
        };
        if read.is_none() {
            ctx.mismatch(node, "a number of pods such as 2, or whole percent such as 50%");
        }
        read
    }

    fn schema(_: &mut Defs) -> Json {
        json!({
            "description": "A number of pods, or whole percent of them: 2, 50%.",
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": u32::MAX },
                { "type": "string", "pattern": r"^(100|[0-9]{1,2})%$" },
            ],
        })
    }
}

/// Highest priority of a class of one's own (kubernetes
/// `pkg/apis/scheduling/types.go`, `HighestUserDefinablePriority`, 1.31).
const HIGHEST_PRIORITY: i32 = 1_000_000_000;

/// Priority classes that every cluster has, with their values.
pub const SYSTEM_PRIORITIES: [(&str, i32); 2] =
    [("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)];

record! {
    /// A name for a priority.
    pub struct PriorityClass {
        /// The priority.
        "value" => value: Spanned<i32>,
        /// Whether pods that fit nowhere evict pods of lower priority; PreemptLowerPriority unless stated.
        "preemptionPolicy" => preemption_policy: Option<Spanned<PreemptionPolicy>>,
        /// Whether pods have it that state neither priority nor priorityClassName; false unless stated.
        "globalDefault" => global_default: Option<Spanned<bool>>,
    }
    check check_priority;
}

fn check_priority(it: &PriorityClass, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.value.value <= HIGHEST_PRIORITY {
        return true;
    }
    ctx.diags()
        .error(it.value.span, format!("a priority of one's own is at most {HIGHEST_PRIORITY}"))
        .help("`system-cluster-critical` and `system-node-critical` are there already");
    false
}

/// What only the whole block can say: names of the system, two defaults.
fn check_objects(it: &Kubernetes, _: Span, ctx: &mut Ctx<'_>) -> bool {
    let mut fine = true;
    let mut default: Option<&str> = None;
    for (name, class) in it.priority_classes.iter() {
        if name.value.starts_with("system-") {
            let message = format!("{}: the prefix `system-` is reserved", quote(&name.value));
            ctx.diags()
                .error(name.span, message)
                .help("`system-cluster-critical` and `system-node-critical` are there already");
            fine = false;
        }
        let Some(given) = class.global_default.filter(|g| g.value) else { continue };
        if let Some(first) = default {
            let message = format!("{} is the global default already", quote(first));
            ctx.diags().error(given.span, message);
            fine = false;
        }
        default = Some(&name.value);
    }
    fine
}
