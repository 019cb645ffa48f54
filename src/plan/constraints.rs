//! Constraints of pods, resolved: from the words of their specs, and from the
//! namespaces and Services of the cluster, to what a pod's class carries.
//!
//! Only pods that a constraint has to do with carry any: their own, or a
//! selector of other pods that means them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use super::defaults::NAMESPACE;
use super::notes::Notes;
use crate::cluster::ClusterSpec;
use crate::scenario::{
    self, InclusionPolicy, LabelKey, LabelOperator, NodeOperator, Scenario, Span, Spanned,
    WhenUnsatisfiable, quote,
};
use crate::workload::constraints::{
    Constraints, HOSTNAME_LABEL, HostPort, LabelSelector, Namespaces, NodeSelectorTerm, Operator,
    PodAffinityTerm, Requirement, SpreadConstraint, Weighted, label,
};
use crate::workload::disruption::{Amount, DisruptionBudget, Limit};
use crate::workload::intern::PodRules;
use crate::workload::plan::{Content, PlannedWorkload};

/// The label that tells the pods of one `ReplicaSet` from all others
/// (kubernetes `apps/v1`, `DefaultDeploymentUniqueLabelKey`).
pub(super) const HASH: &str = "pod-template-hash";

/// The label that every namespace has with its own name (kubernetes `core/v1`,
/// `LabelMetadataName`).
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

type Labels = Vec<(String, String)>;

/// Resolves the constraints of all workloads.
pub(super) fn link(scenario: &Scenario, planned: &mut [PlannedWorkload]) {
    let found: Vec<BTreeSet<String>> = planned.iter().map(|w| namespaces(&w.content)).collect();
    let cluster = Cluster::new(scenario, found.iter().flatten());
    let mut all: Vec<Vec<Constraints>> = Vec::new();
    for (workload, namespaces) in planned.iter().zip(&found) {
        let Some(it) = scenario.workload.get(&workload.name) else {
            all.push(Vec::new());
            continue;
        };
        all.push(namespaces.iter().map(|n| cluster.resolve(&workload.name, it, n)).collect());
    }
    let mut kept: Vec<Vec<Arc<Constraints>>> = Vec::new();
    let selectors = Selectors::new(all.iter().flatten());
    let budgets = budgets(scenario);
    for constraints in &all {
        let meant = constraints
            .iter()
            .filter(|c| restricts(c) || selectors.mean(c) || budgets.iter().any(|b| b.guards(c)));
        kept.push(meant.cloned().map(Arc::new).collect());
    }
    for (workload, constraints) in planned.iter_mut().zip(kept) {
        let daemon = matches!(workload.content, Content::Daemon(_));
        let rules = rules(&mut workload.content);
        if !daemon {
            // The node affinity says it.
            rules.node_selector.retain(|(key, _)| key != HOSTNAME_LABEL);
        }
        if !constraints.is_empty() {
            rules.constraints = constraints;
        }
    }
}

/// Of all constraints only the ports, which is what ECS knows.
pub(super) fn set_ports(content: &mut Content, ports: &[Spanned<scenario::HostPort>]) {
    let mut host_ports: Vec<HostPort> = ports.iter().map(|p| port(p)).collect();
    host_ports.sort();
    host_ports.dedup();
    let of = |namespace: String| {
        let host_ports = host_ports.clone();
        Arc::new(Constraints { namespace, host_ports, ..Constraints::default() })
    };
    rules(content).constraints = namespaces(content).into_iter().map(of).collect();
}

/// The `PodDisruptionBudget`s.
pub(super) fn budgets(scenario: &Scenario) -> Vec<DisruptionBudget> {
    let amount = |given: &Spanned<scenario::IntOrPercent>| match given.value {
        scenario::IntOrPercent::Int(count) => Amount::Count(count),
        scenario::IntOrPercent::Percent(percent) => Amount::Percent(percent),
    };
    let budgets = scenario.kubernetes.pod_disruption_budgets.iter();
    budgets
        .map(|(name, it)| DisruptionBudget {
            name: name.value.clone(),
            namespace: namespace(it.namespace.as_ref()).to_owned(),
            selector: Some(selector(&it.selector)),
            limit: match &it.limit {
                scenario::DisruptionLimit::MinAvailable(n) => Limit::MinAvailable(amount(n)),
                scenario::DisruptionLimit::MaxUnavailable(n) => Limit::MaxUnavailable(amount(n)),
            },
        })
        .collect()
}

/// The namespace of an object.
fn namespace(stated: Option<&Spanned<String>>) -> &str {
    stated.map_or(NAMESPACE.value, |n| n.value.as_str())
}

fn rules(content: &mut Content) -> &mut PodRules {
    match content {
        Content::Trace(it) => &mut it.rules,
        Content::Generator(it) => &mut it.rules,
        Content::Service(it) => &mut it.rules,
        Content::Daemon(it) => &mut it.rules,
    }
}

/// Namespaces of a workload's pods: rows of a trace may state their own.
fn namespaces(content: &Content) -> BTreeSet<String> {
    match content {
        Content::Trace(it) => it.shapes.iter().map(|s| s.namespace.clone()).collect(),
        Content::Generator(it) => [it.namespace.clone()].into(),
        Content::Service(it) => [it.pod.namespace.clone()].into(),
        Content::Daemon(it) => [it.pod.namespace.clone()].into(),
    }
}

/// Whether there is anything but namespace and labels.
fn restricts(it: &Constraints) -> bool {
    let plain = Constraints {
        namespace: it.namespace.clone(),
        labels: it.labels.clone(),
        ..Constraints::default()
    };
    *it != plain
}

/// What selects pods, over all workloads.
struct Selectors<'c> {
    terms: BTreeSet<&'c PodAffinityTerm>,
    /// In a namespace.
    spread: BTreeSet<(&'c str, &'c LabelSelector)>,
}

impl<'c> Selectors<'c> {
    fn new(all: impl Iterator<Item = &'c Constraints>) -> Self {
        let mut it = Selectors { terms: BTreeSet::new(), spread: BTreeSet::new() };
        for c in all {
            it.terms.extend(c.affinity.iter().chain(&c.anti_affinity));
            let preferred = c.preferred_affinity.iter().chain(&c.preferred_anti_affinity);
            it.terms.extend(preferred.map(|w| &w.term));
            let spread = c.spread.iter().filter_map(|s| s.selector.as_ref());
            it.spread.extend(spread.chain(&c.default_spread).map(|s| (c.namespace.as_str(), s)));
        }
        it
    }

    fn mean(&self, pod: &Constraints) -> bool {
        self.terms.iter().any(|term| term.matches(pod))
            || self.spread.iter().any(|(namespace, selector)| {
                *namespace == pod.namespace && selector.matches(&pod.labels)
            })
    }
}

/// What constraints refer to beside pods and nodes.
struct Cluster<'s> {
    namespaces: BTreeMap<String, Labels>,
    services: Vec<(&'s str, Labels)>,
}

impl<'s> Cluster<'s> {
    fn new<'n>(scenario: &'s Scenario, used: impl Iterator<Item = &'n String>) -> Self {
        let objects = &scenario.kubernetes;
        let mut namespaces: BTreeMap<String, Labels> = BTreeMap::new();
        let services: Vec<(&str, Labels)> = objects
            .services
            .iter()
            .map(|(_, service)| (namespace(service.namespace.as_ref()), pairs(&service.selector)))
            .collect();
        let stated = objects.namespaces.iter().map(|(name, it)| (name.value.clone(), &it.labels));
        for (name, labels) in stated {
            namespaces.insert(name, pairs(labels));
        }
        let of_services = services.iter().map(|(namespace, _)| (*namespace).to_owned());
        for name in used.cloned().chain(of_services) {
            namespaces.entry(name).or_default();
        }
        for (name, labels) in &mut namespaces {
            labels.retain(|(key, _)| key != NAMESPACE_NAME);
            labels.push((NAMESPACE_NAME.to_owned(), name.clone()));
            labels.sort();
        }
        Cluster { namespaces, services }
    }

    /// All that a workload states for its pods in a namespace.
    fn resolve(&self, name: &str, it: &scenario::Workload, namespace: &str) -> Constraints {
        let mut labels = pairs(&it.labels);
        let replicas = match &it.kind {
            scenario::WorkloadKind::Service(service) => !matches!(
                service.controller.as_ref().map(|c| c.value),
                Some(scenario::Controller::Job | scenario::Controller::Other)
            ),
            _ => false,
        };
        if replicas && label(&labels, HASH).is_none() {
            labels.push((HASH.to_owned(), name.to_owned()));
            labels.sort();
        }
        let affinity = it.affinity.as_ref().map(|a| &a.value);
        let nodes = affinity.and_then(|a| a.node_affinity.as_ref());
        let near = affinity.and_then(|a| a.pod_affinity.as_ref());
        let apart = affinity.and_then(|a| a.pod_anti_affinity.as_ref());
        let terms = |it: Option<&scenario::PodAffinity>| -> Vec<PodAffinityTerm> {
            let terms = it.iter().flat_map(|a| &a.required);
            terms.map(|term| self.term(term, namespace, &labels)).collect()
        };
        let preferred = |it: Option<&scenario::PodAffinity>| -> Vec<Weighted<PodAffinityTerm>> {
            let terms = it.iter().flat_map(|a| &a.preferred);
            terms
                .map(|w| Weighted {
                    weight: w.weight.value.get() as i64,
                    term: self.term(&w.pod_affinity_term, namespace, &labels),
                })
                .collect()
        };
        let spread: Vec<SpreadConstraint> = it
            .topology_spread_constraints
            .iter()
            .map(|constraint| spread(constraint, &labels))
            .collect();
        // The controller of a DaemonSet chooses the nodes of its pods.
        let daemon = matches!(it.kind, scenario::WorkloadKind::DaemonSet(_));
        let default_spread = if spread.is_empty() && !daemon {
            self.default_spread(replicas, namespace, &labels)
        } else {
            None
        };
        let mut host_ports: Vec<HostPort> = it.host_ports.iter().map(|p| port(p)).collect();
        host_ports.sort();
        host_ports.dedup();
        Constraints {
            namespace: namespace.to_owned(),
            required_nodes: required_nodes(it, nodes),
            preferred_nodes: nodes.map_or_else(Vec::new, |n| {
                let weighted = |p: &scenario::PreferredSchedulingTerm| Weighted {
                    weight: p.weight.value.get() as i64,
                    term: node_term(&p.preference),
                };
                n.preferred.iter().map(weighted).collect()
            }),
            affinity: terms(near),
            anti_affinity: terms(apart),
            preferred_affinity: preferred(near),
            preferred_anti_affinity: preferred(apart),
            spread,
            default_spread,
            host_ports,
            volume_zones: volume_zone(it).map(|zone| vec![zone.value.clone()]),
            attached_volumes: it.volume_claim_templates.iter().count() as u32,
            labels,
            ..Constraints::default()
        }
    }

    /// The selectors of the Services that select the pod and of its
    /// `ReplicaSet`, together.
    fn default_spread(
        &self,
        replicas: bool,
        namespace: &str,
        labels: &Labels,
    ) -> Option<LabelSelector> {
        let mut merged: BTreeMap<&str, &str> = BTreeMap::new();
        let selects = |selector: &Labels| {
            selector.iter().all(|(key, value)| label(labels, key) == Some(value.as_str()))
        };
        for (_, selector) in
            self.services.iter().filter(|(n, selector)| *n == namespace && selects(selector))
        {
            merged.extend(selector.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        }
        if replicas {
            merged.insert(HASH, label(labels, HASH)?);
        }
        let requirements: Vec<Requirement> =
            merged.into_iter().map(|(key, value)| Requirement::equals(key, value)).collect();
        (!requirements.is_empty()).then_some(LabelSelector { requirements })
    }

    fn term(&self, it: &scenario::PodAffinityTerm, own: &str, labels: &Labels) -> PodAffinityTerm {
        let listed = it.namespaces.iter().map(|n| n.value.clone());
        let namespaces = match &it.namespace_selector {
            None if it.namespaces.is_empty() => Namespaces::Listed(vec![own.to_owned()]),
            None => Namespaces::Listed(listed.collect::<BTreeSet<_>>().into_iter().collect()),
            Some(by) => {
                let by = selector(by);
                if by.requirements.is_empty() {
                    Namespaces::All
                } else {
                    let selected = self.namespaces.iter().filter(|(_, labels)| by.matches(labels));
                    let all: BTreeSet<String> =
                        listed.chain(selected.map(|(name, _)| name.clone())).collect();
                    Namespaces::Listed(all.into_iter().collect())
                }
            }
        };
        let mut selected = it.label_selector.as_ref().map(selector);
        if let Some(selected) = &mut selected {
            add_keys(selected, &it.match_label_keys, Operator::In, labels);
            add_keys(selected, &it.mismatch_label_keys, Operator::NotIn, labels);
        }
        PodAffinityTerm {
            topology_key: it.topology_key.to_string(),
            selector: selected,
            namespaces,
        }
    }
}

/// The required node affinity. A `nodeSelector` of one node by its name is part
/// of it, which is the same (`component-helpers/scheduling/corev1/nodeaffinity`,
/// `GetRequiredNodeAffinity`, 1.31: both must hold): names differ among the
/// nodes of a pool, which only pods with constraints look at.
///
/// DIFFERENCE: of a `DaemonSet` it stays a `nodeSelector` and is compared with
/// labels that pools state, as its pods are the same on all nodes of a pool.
fn required_nodes(
    it: &scenario::Workload,
    nodes: Option<&scenario::NodeAffinity>,
) -> Option<Vec<NodeSelectorTerm>> {
    let stated: Option<Vec<NodeSelectorTerm>> = nodes
        .and_then(|n| n.required.as_ref())
        .map(|required| required.node_selector_terms.iter().map(node_term).collect());
    let daemon = matches!(it.kind, scenario::WorkloadKind::DaemonSet(_));
    let mut names =
        it.node_selector.iter().filter(|(key, _)| key.value == HOSTNAME_LABEL && !daemon);
    let Some((key, name)) = names.next() else { return stated };
    let mut terms = stated.unwrap_or_else(|| vec![NodeSelectorTerm::default()]);
    let alone = nodes.is_none_or(|n| n.required.is_none());
    for term in &mut terms {
        // What states nothing matches no node, and must not come to match one.
        if alone || !(term.match_expressions.is_empty() && term.match_fields.is_empty()) {
            term.match_expressions.push(Requirement::equals(&key.value, &name.value.0));
        }
    }
    Some(terms)
}

/// The zone in which the workload's volumes exist.
fn volume_zone(it: &scenario::Workload) -> Option<&Spanned<String>> {
    it.volume_claim_templates.iter().find_map(|(_, claim)| claim.value.zone.as_ref())
}

/// Tells services whose volumes come to be with their replicas, in which zones
/// of the cluster that can be.
///
/// DIFFERENCE: all storage classes are of `WaitForFirstConsumer`; a volume of
/// one of `Immediate` would be in a zone that nothing but chance decides.
pub(super) fn link_volumes(cluster: &ClusterSpec, planned: &mut [PlannedWorkload]) {
    for workload in planned {
        let Content::Service(service) = &mut workload.content else { continue };
        let open = |c: &Arc<Constraints>| c.attached_volumes > 0 && c.volume_zones.is_none();
        if service.rules.constraints.iter().any(open) {
            service.volume_zones.clone_from(&cluster.zones);
        }
    }
}

pub(super) fn pairs(labels: &scenario::Labels) -> Labels {
    let mut pairs: Labels =
        labels.iter().map(|(key, value)| (key.value.clone(), value.value.0.clone())).collect();
    pairs.sort();
    pairs
}

pub(super) fn selector(it: &scenario::LabelSelector) -> LabelSelector {
    let equal = it.match_labels.iter().map(|(k, v)| Requirement::equals(&k.value, &v.value.0));
    let others = it.match_expressions.iter().map(|e| {
        let operator = match e.operator.value {
            LabelOperator::In => Operator::In,
            LabelOperator::NotIn => Operator::NotIn,
            LabelOperator::Exists => Operator::Exists,
            LabelOperator::DoesNotExist => Operator::DoesNotExist,
        };
        Requirement { key: e.key.to_string(), operator, values: sorted(&e.values) }
    });
    let mut requirements: Vec<Requirement> = equal.chain(others).collect();
    requirements.sort();
    requirements.dedup();
    LabelSelector { requirements }
}

/// Adds the pod's own values of some labels; labels that it does not have are
/// passed over (kubernetes `pkg/registry/core/pod/strategy.go` and
/// `plugins/podtopologyspread/common.go`, 1.31).
fn add_keys(
    selector: &mut LabelSelector,
    keys: &[Spanned<LabelKey>],
    operator: Operator,
    labels: &Labels,
) {
    for key in keys {
        if let Some(value) = label(labels, &key.value) {
            let (key, values) = (key.to_string(), vec![value.to_owned()]);
            selector.requirements.push(Requirement { key, operator, values });
        }
    }
    selector.requirements.sort();
    selector.requirements.dedup();
}

/// Values of which one is enough: their order means nothing.
fn sorted<T: Deref<Target = str>>(values: &[Spanned<T>]) -> Vec<String> {
    let values: BTreeSet<String> = values.iter().map(|v| v.value.to_string()).collect();
    values.into_iter().collect()
}

fn node_term(it: &scenario::NodeSelectorTerm) -> NodeSelectorTerm {
    let expressions = it.match_expressions.iter().map(|e| {
        let operator = match e.operator.value {
            NodeOperator::In => Operator::In,
            NodeOperator::NotIn => Operator::NotIn,
            NodeOperator::Exists => Operator::Exists,
            NodeOperator::DoesNotExist => Operator::DoesNotExist,
            NodeOperator::Gt => Operator::Gt,
            NodeOperator::Lt => Operator::Lt,
        };
        Requirement { key: e.key.to_string(), operator, values: sorted(&e.values) }
    });
    let fields = it.match_fields.iter().map(|f| {
        let operator = match f.operator.value {
            scenario::FieldOperator::In => Operator::In,
            scenario::FieldOperator::NotIn => Operator::NotIn,
        };
        let values = f.values.iter().map(|v| v.value.clone()).collect();
        Requirement { key: f.key.value.clone(), operator, values }
    });
    NodeSelectorTerm { match_expressions: expressions.collect(), match_fields: fields.collect() }
}

fn spread(it: &scenario::TopologySpreadConstraint, labels: &Labels) -> SpreadConstraint {
    let mut selector = it.label_selector.as_ref().map(selector);
    if let Some(selector) = &mut selector {
        add_keys(selector, &it.match_label_keys, Operator::In, labels);
    }
    let honor = |policy: &Option<Spanned<InclusionPolicy>>, default| {
        policy.as_ref().map_or(default, |p| p.value == InclusionPolicy::Honor)
    };
    SpreadConstraint {
        max_skew: it.max_skew.value.get() as i64,
        topology_key: it.topology_key.to_string(),
        hard: it.when_unsatisfiable.value == WhenUnsatisfiable::DoNotSchedule,
        selector,
        min_domains: it.min_domains.map_or(1, |n| n.value.get() as i64),
        honor_affinity: honor(&it.node_affinity_policy, true),
        honor_taints: honor(&it.node_taints_policy, false),
    }
}

pub(super) fn port(it: &scenario::HostPort) -> HostPort {
    HostPort {
        protocol: it.protocol.map_or(scenario::Protocol::Tcp, |p| p.value).to_string(),
        ip: it.host_ip.map_or_else(|| "0.0.0.0".to_owned(), |ip| ip.value.to_string()),
        port: u16::try_from(it.host_port.value.get()).unwrap_or(u16::MAX),
    }
}

/// Warns of topology keys that no node of any pool carries: a required term
/// with one is never satisfied, a preferred one says nothing. And of volumes
/// in zones without nodes.
pub(super) fn warn(scenario: &Scenario, cluster: &ClusterSpec, notes: &mut Notes<'_>) {
    let mut known: BTreeSet<&str> = [HOSTNAME_LABEL].into();
    for pool in &cluster.pools {
        known.extend(pool.labels.iter().map(|(key, _)| key.as_str()));
        let labels = pool.offers.iter().flat_map(|o| &o.labels);
        known.extend(labels.map(|(key, _)| key.as_str()));
    }
    let mut seen: Vec<Span> = Vec::new();
    for (name, workload) in scenario.workload.iter() {
        if let Some(zone) = volume_zone(workload).filter(|z| !cluster.zones.contains(&z.value)) {
            let (at, name) = (quote(&zone.value), quote(&name.value));
            let message = format!("no pool has nodes in zone {at}, where volumes of {name} are");
            let found = notes.diags.warning("no-zone", zone.span, message);
            found.suggest(&zone.value, cluster.zones.iter().map(String::as_str));
        }
        for key in topology_keys(workload) {
            if known.contains(&*key.value) || seen.contains(&key.span) {
                continue;
            }
            seen.push(key.span);
            let message = format!(
                "no node of any pool has the label {}, by which {} tells domains apart",
                quote(&key.value),
                quote(&name.value)
            );
            let found = notes.diags.warning("no-topology", key.span, message);
            found.suggest(&key.value, known.iter().copied());
        }
    }
}

fn topology_keys(it: &scenario::Workload) -> Vec<&Spanned<LabelKey>> {
    let affinity = it.affinity.as_ref().map(|a| &a.value);
    let pods = affinity
        .into_iter()
        .flat_map(|a| [a.pod_affinity.as_ref(), a.pod_anti_affinity.as_ref()])
        .flatten();
    let mut keys: Vec<&Spanned<LabelKey>> =
        it.topology_spread_constraints.iter().map(|c| &c.topology_key).collect();
    for affinity in pods {
        keys.extend(affinity.required.iter().map(|t| &t.topology_key));
        keys.extend(affinity.preferred.iter().map(|w| &w.pod_affinity_term.topology_key));
    }
    keys
}

#[cfg(test)]
#[path = "constraints_tests.rs"]
mod tests;
