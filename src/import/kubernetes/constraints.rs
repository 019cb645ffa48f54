//! What of constraints is kept in the API's own words, and the objects that
//! constraints refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::objects::{BudgetObject, NamespaceObject, PodSpec, PriorityObject, ServiceObject};
use super::pods::is_key;
use super::{Assembly, namespace_of};
use crate::import::cluster::{Budget, Words};
use crate::scenario::SYSTEM_PRIORITIES;

/// Fields of affinity, selectors and spread constraints that a scenario has.
const FIELDS: [&str; 26] = [
    "nodeAffinity",
    "podAffinity",
    "podAntiAffinity",
    "requiredDuringSchedulingIgnoredDuringExecution",
    "preferredDuringSchedulingIgnoredDuringExecution",
    "nodeSelectorTerms",
    "matchExpressions",
    "matchFields",
    "key",
    "operator",
    "values",
    "weight",
    "preference",
    "podAffinityTerm",
    "labelSelector",
    "matchLabels",
    "namespaces",
    "namespaceSelector",
    "topologyKey",
    "matchLabelKeys",
    "mismatchLabelKeys",
    "maxSkew",
    "whenUnsatisfiable",
    "minDomains",
    "nodeAffinityPolicy",
    "nodeTaintsPolicy",
];

/// Labels that controllers write into their pods (kubernetes `apps/v1`,
/// `batch/v1` well-known labels): they differ between revisions and pods.
const WRITTEN: [&str; 9] = [
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "controller-revision-hash",
    "pod-template-generation",
    "controller-uid",
    "job-name",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "eks.amazonaws.com/fargate-profile",
];

/// The labels of a pod that its owner's template states.
pub(super) fn labels(all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let stated = all.iter().filter(|(key, value)| {
        let written = WRITTEN.contains(&key.as_str()) || key.starts_with("batch.kubernetes.io/");
        !written && is_key(key) && is_text(value)
    });
    stated.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Whether a scenario can hold the value of a label.
fn is_text(value: &str) -> bool {
    value.len() <= 253 && value.bytes().all(|b| b.is_ascii_graphic())
}

/// The known fields of a value, without what is null; `None` for nothing.
pub(super) fn kept(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().filter_map(kept).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(map) => {
            let fields = map.iter().filter(|(key, _)| FIELDS.contains(&key.as_str()));
            let fields = fields.filter_map(|(key, value)| {
                let value = if key == "matchLabels" { Some(value.clone()) } else { kept(value) };
                value.filter(|v| !v.is_null()).map(|value| (key.clone(), value))
            });
            Some(Value::Object(fields.collect()))
        }
        other => Some(other.clone()),
    }
}

/// Whether fields of a value were left out that state something.
pub(super) fn lacks(stated: &Value, kept: &Value) -> bool {
    match stated {
        Value::Object(map) => map.iter().any(|(key, value)| match kept.get(key) {
            None => !is_empty(value),
            Some(inner) => key != "matchLabels" && lacks(value, inner),
        }),
        Value::Array(items) => {
            let stated = items.iter().filter(|item| !item.is_null());
            let inner = kept.as_array().map_or(&[][..], Vec::as_slice);
            stated.zip(inner).any(|(stated, kept)| lacks(stated, kept))
        }
        _ => false,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Ports of the node that the containers take. With the network of the node
/// that is every port that they state (kubernetes `pkg/apis/core/v1/defaults.go`,
/// `SetDefaults_Pod`, 1.31).
pub(super) fn host_ports(spec: &PodSpec) -> BTreeSet<(u16, String, String)> {
    let mut ports = BTreeSet::new();
    let init = spec.init_containers.iter();
    let sidecars = init.filter(|c| c.restart_policy.as_deref() == Some("Always"));
    for port in spec.containers.iter().chain(sidecars).flat_map(|c| &c.ports) {
        let stated = port.host.filter(|p| *p > 0);
        let taken = stated.or(port.container.filter(|_| spec.host_network));
        let Some(number) = taken.and_then(|p| u16::try_from(p).ok()).filter(|p| *p > 0) else {
            continue;
        };
        let protocol = match port.protocol.as_deref() {
            Some("UDP") => "UDP",
            Some("SCTP") => "SCTP",
            _ => "TCP",
        };
        let ip = port.host_ip.as_deref().and_then(|ip| ip.parse::<std::net::IpAddr>().ok());
        let ip = ip.map_or_else(String::new, |ip| ip.to_string());
        ports.insert((number, protocol.to_owned(), ip));
    }
    ports
}

/// Priority classes by name: value, and whether their pods never preempt.
#[derive(Debug, Default)]
pub(super) struct Priorities {
    classes: BTreeMap<String, (i32, bool)>,
    default: Option<(i32, bool)>,
}

impl Priorities {
    pub(super) fn add(&mut self, class: &PriorityObject) {
        let of = (class.value, class.preemption_policy.as_deref() == Some("Never"));
        self.classes.insert(class.metadata.name.clone(), of);
        if class.global_default {
            self.default = Some(of);
        }
    }

    /// The priority of a pod, `None` where its class is not known, and whether
    /// it never preempts. Admission has written both into pods; templates have
    /// the name only.
    pub(super) fn of(&self, spec: &PodSpec) -> (Option<i32>, bool) {
        let stated = spec.preemption_policy.as_deref().map(|policy| policy == "Never");
        let name = spec.priority_class_name.as_deref().filter(|name| !name.is_empty());
        let (known, never) = match name {
            Some(name) => {
                let system = SYSTEM_PRIORITIES.iter().find(|(known, _)| *known == name);
                let class = self.classes.get(name).copied().or(system.map(|(_, v)| (*v, false)));
                (class.map(|(value, _)| value), class.is_some_and(|(_, never)| never))
            }
            None => self.default.map_or((Some(0), false), |(value, never)| (Some(value), never)),
        };
        (spec.priority.or(known), stated.unwrap_or(never))
    }
}

impl Assembly {
    pub(super) fn namespace(&mut self, place: &str, object: &NamespaceObject) {
        let meta = &object.metadata;
        if self.has_name(place, "Namespace", meta)
            && self.is_new(place, "Namespace", &meta.name, meta.uid.as_ref())
        {
            let mut labels = labels(&meta.labels);
            labels.remove("kubernetes.io/metadata.name");
            self.cluster.namespaces.insert(meta.name.clone(), labels);
        }
    }

    pub(super) fn service(&mut self, place: &str, object: &ServiceObject) {
        let meta = &object.metadata;
        if !self.has_name(place, "Service", meta) {
            return;
        }
        let (namespace, selector) = (namespace_of(meta), &object.spec.selector);
        let name = format!("{namespace}/{}", meta.name);
        // One without a selector has no pods.
        let usable = selector.iter().all(|(key, value)| is_key(key) && is_text(value));
        if self.is_new(place, "Service", &name, meta.uid.as_ref()) && usable && !selector.is_empty()
        {
            self.cluster.services.insert((namespace, meta.name.clone()), selector.clone());
        }
    }

    pub(super) fn budget(&mut self, place: &str, object: &BudgetObject) {
        let meta = &object.metadata;
        if !self.has_name(place, "PodDisruptionBudget", meta) {
            return;
        }
        let namespace = namespace_of(meta);
        let name = format!("{namespace}/{}", meta.name);
        if !self.is_new(place, "PodDisruptionBudget", &name, meta.uid.as_ref()) {
            return;
        }
        let limit = |value: &Value| match value {
            Value::Number(number) => number.as_u64().map(|n| n.to_string()),
            Value::String(text) => {
                let percent = text.strip_suffix('%').and_then(|n| n.parse::<u32>().ok());
                percent.filter(|n| *n <= 100).map(|n| format!("{n}%"))
            }
            _ => None,
        };
        let spec = &object.spec;
        let (available, unavailable) = (limit(&spec.min_available), limit(&spec.max_unavailable));
        let (is_available, stated) = (available.is_some(), available.or(unavailable));
        let (Some(selector), Some(limit)) = (kept(&spec.selector), stated) else {
            let text = "PodDisruptionBudgets without pods or limit";
            self.cluster.findings.left_out("budget", text, name);
            return;
        };
        let budget = Budget { selector: Words::new(&selector), available: is_available, limit };
        self.cluster.budgets.insert((namespace, meta.name.clone()), budget);
    }
}
