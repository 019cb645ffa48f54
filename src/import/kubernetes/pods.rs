//! Pods: owners, constraints, and what of them is not modelled.

use serde::Deserialize;
use serde_json::Value;

use super::constraints::{self, Priorities};
use super::objects::{Meta, NodeSelectorTerm, OwnerReference, PodObject, TolerationObject};
use super::{Assembly, effect, is_condition, namespace_of, quote, requests};
use crate::import::cluster::{Owner, OwnerKind, Pod, Rules, Words, without_hash, without_schedule};
use crate::workload::Toleration;

/// The reference to what made the object: the controller, or what is first.
pub(super) fn controller(meta: &Meta) -> Option<&OwnerReference> {
    let references = &meta.owner_references;
    references.iter().find(|r| r.controller == Some(true)).or(references.first())
}

/// Constraints of a pod, and those that are not modelled.
pub(super) struct Constraints {
    pub(super) rules: Rules,
    /// Code and phrase of each kind that is not modelled.
    pub(super) not_modelled: Vec<(&'static str, &'static str)>,
}

/// Reads the constraints of a pod or template.
///
/// The names of nodes that the DaemonSet controller writes into its pods are
/// where it wants them, no constraint of the user's; a DaemonSet's node affinity
/// that asks for single values of labels is what a nodeSelector says and becomes
/// one. Tolerations of node conditions are left out, as such taints are.
pub(super) fn rules(pod: &PodObject, daemon: bool, priorities: &Priorities) -> Constraints {
    let spec = &pod.spec;
    let mut it = Constraints { rules: Rules::default(), not_modelled: Vec::new() };
    let (priority, never) = priorities.of(spec);
    match priority {
        Some(priority) => it.rules.priority = priority,
        None => it.miss("priority-class", "pods of a priority class that is not in the files"),
    }
    it.rules.never_preempts = never;
    it.rules.labels = constraints::labels(&pod.metadata.labels);
    it.rules.host_ports = constraints::host_ports(spec);
    it.rules.node_selector = spec.node_selector.clone();
    // One node of this name cannot be told from its likes in a pool.
    if it.rules.node_selector.remove("kubernetes.io/hostname").is_some() {
        it.miss("node-name", "pods that select a node by its name");
    }
    let keys = it.rules.node_selector.len();
    it.rules.node_selector.retain(|key, _| is_key(key));
    if it.rules.node_selector.len() < keys {
        it.miss("label-key", "pods that select nodes by a key that no label has");
    }
    for toleration in &spec.tolerations {
        match tolerated(toleration) {
            Ok(Some(toleration)) => {
                it.rules.tolerations.insert(toleration);
            }
            Ok(None) => {}
            Err(()) => it.miss("toleration", "pods with tolerations of unknown operator or effect"),
        }
    }
    if daemon {
        it.daemon_affinity(&spec.affinity);
    } else {
        let stated = [&spec.affinity, &spec.topology_spread_constraints];
        let kept = stated.map(constraints::kept);
        if stated
            .iter()
            .zip(&kept)
            .any(|(stated, kept)| constraints::lacks(stated, kept.as_ref().unwrap_or(&Value::Null)))
        {
            it.miss("constraint-field", "pods whose constraints have fields that are not known");
        }
        [it.rules.affinity, it.rules.spread] = kept.map(|kept| kept.map(|v| Words::new(&v)));
    }
    let claim =
        |v: &super::objects::Volume| v.persistent_volume_claim.is_some() || v.ephemeral.is_some();
    let foreign = spec.scheduler_name.as_deref().unwrap_or_default();
    for (has, code, text) in [
        (spec.volumes.iter().any(claim), "volumes", "pods with persistent volumes"),
        (!spec.scheduling_gates.is_empty(), "scheduling-gates", "pods held by a scheduling gate"),
        (
            !matches!(foreign, "" | "default-scheduler"),
            "other-scheduler",
            "pods of another scheduler",
        ),
    ] {
        if has {
            it.miss(code, text);
        }
    }
    it
}

impl Constraints {
    fn miss(&mut self, code: &'static str, text: &'static str) {
        if !self.not_modelled.iter().any(|(known, _)| *known == code) {
            self.not_modelled.push((code, text));
        }
    }

    /// Of a DaemonSet's affinity its controller heeds what is required of nodes.
    fn daemon_affinity(&mut self, affinity: &Value) {
        let terms = &affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
        let terms: Vec<NodeSelectorTerm> = Vec::deserialize(terms).unwrap_or_default();
        let of_nodes = |term: &NodeSelectorTerm| {
            term.match_expressions.is_empty()
                && term.match_fields.iter().all(|f| f.key == "metadata.name")
        };
        if terms.iter().all(of_nodes) {
            return;
        }
        let [term] = terms.as_slice() else {
            return self.miss("node-affinity", "pods of DaemonSets with a required node affinity");
        };
        if !self.select(term) {
            self.miss("node-affinity", "pods of DaemonSets with a required node affinity");
        }
    }

    /// Takes a term for a nodeSelector, where it can be said as one.
    fn select(&mut self, term: &NodeSelectorTerm) -> bool {
        let fields = term.match_fields.iter().all(|f| f.key == "metadata.name");
        let simple = term.match_expressions.iter().all(|e| {
            is_key(&e.key)
                && e.operator == "In"
                && e.values.len() == 1
                && e.key != "kubernetes.io/hostname"
        });
        if !simple || (!fields && !term.match_fields.is_empty()) {
            return false;
        }
        let selector = &mut self.rules.node_selector;
        for expression in &term.match_expressions {
            for value in &expression.values {
                let known = selector.entry(expression.key.clone()).or_insert_with(|| value.clone());
                if known != value {
                    return false;
                }
            }
        }
        true
    }
}

/// Whether a scenario can hold the key of a label.
pub(super) fn is_key(key: &str) -> bool {
    !key.is_empty() && key.len() <= 253 && key.bytes().all(|b| b.is_ascii_graphic())
}

/// A toleration; `None` for one of a node condition.
fn tolerated(it: &TolerationObject) -> Result<Option<Toleration>, ()> {
    if is_condition(&it.key) {
        return Ok(None);
    }
    let effect = match it.effect.as_str() {
        "" => None,
        text => Some(effect(text).ok_or(())?),
    };
    let value = match it.operator.as_str() {
        "" | "Equal" if !it.key.is_empty() => Some(it.value.clone()),
        "Exists" => None,
        _ => return Err(()),
    };
    let key = (!it.key.is_empty()).then(|| it.key.clone());
    Ok(Some(Toleration { key, value, effect }))
}

impl Assembly {
    pub(super) fn pod(&mut self, place: &str, object: &PodObject) {
        let meta = &object.metadata;
        if !self.has_name(place, "Pod", meta) {
            return;
        }
        let namespace = namespace_of(meta);
        let name = format!("{namespace}/{}", meta.name);
        if !self.is_new(place, "Pod", &name, meta.uid.as_ref()) {
            return;
        }
        let findings = &mut self.cluster.findings;
        if matches!(object.status.phase.as_str(), "Succeeded" | "Failed") {
            findings.left_out("finished", "pods that have finished", name);
            return;
        }
        let node = object.spec.node_name.clone().filter(|node| !node.is_empty());
        if let Some(node) = &node
            && !self.cluster.nodes.contains_key(node)
        {
            let text = "pods on nodes that are not in the files";
            findings.left_out("unknown-node", text, format!("{name} on {node}"));
            return;
        }
        let effective = match requests::effective(object) {
            Ok(effective) => effective,
            Err(cause) => {
                self.errors.push(format!("{place}: Pod {}: {cause}", quote(&name)));
                return;
            }
        };
        for resource in &effective.not_modelled {
            if resource == "ephemeral-storage" {
                let text = "pods that request ephemeral storage";
                findings.not_modelled("ephemeral-storage", text, &name);
            } else {
                let text = "pods that request huge pages or volumes attached";
                findings.not_modelled("other-resource", text, format!("{name}: {resource}"));
            }
        }
        let daemon = controller(meta).is_some_and(|owner| owner.kind == "DaemonSet");
        let constraints = rules(object, daemon, &self.priorities);
        for (code, text) in constraints.not_modelled {
            findings.not_modelled(code, text, &name);
        }
        let pod = Pod {
            owner: self.owner(&namespace, object),
            namespace,
            name: meta.name.clone(),
            requests: effective.requests,
            node,
            rules: constraints.rules,
        };
        self.cluster.pods.insert((pod.namespace.clone(), pod.name.clone()), pod);
    }

    /// What owns a pod, as far up as objects and the conventions of names tell.
    fn owner(&self, namespace: &str, pod: &PodObject) -> Owner {
        let meta = &pod.metadata;
        let Some(reference) = controller(meta) else {
            return Owner { kind: OwnerKind::None, name: meta.name.clone() };
        };
        let above = |kind| {
            let key = (kind, namespace.to_owned(), reference.name.clone());
            self.owners.get(&key).cloned()
        };
        let direct = Owner { kind: OwnerKind::of(&reference.kind), name: reference.name.clone() };
        let named = |kind, name: &str| Owner { kind, name: name.to_owned() };
        match direct.kind {
            OwnerKind::ReplicaSet => above("ReplicaSet").unwrap_or_else(|| {
                let by_hash = |label: &str| without_hash(&direct.name, meta.labels.get(label)?);
                if let Some(name) = by_hash("pod-template-hash") {
                    named(OwnerKind::Deployment, name)
                } else if let Some(name) = by_hash("rollouts-pod-template-hash") {
                    named(OwnerKind::Other("Rollout".to_owned()), name)
                } else {
                    direct.clone()
                }
            }),
            OwnerKind::Job => above("Job").unwrap_or_else(|| {
                without_schedule(&direct.name)
                    .map_or_else(|| direct.clone(), |name| named(OwnerKind::CronJob, name))
            }),
            OwnerKind::Node => {
                let suffix = format!("-{}", direct.name);
                let name = meta.name.strip_suffix(&suffix).filter(|name| !name.is_empty());
                Owner { kind: OwnerKind::Node, name: name.unwrap_or(&meta.name).to_owned() }
            }
            _ => direct,
        }
    }
}
