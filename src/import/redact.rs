//! Names out of an imported cluster, so that its scenario can be shown to
//! others.
//!
//! Replaced, each by a word and a number in the order of the sorted names:
//! namespaces, workloads, pods, nodes, node groups, kinds of owners that are
//! not Kubernetes' own, label and taint keys but the well-known ones, and
//! values of labels and taints but those that well-known keys give a public
//! meaning, and addresses. Equal names get equal replacements, so that selectors
//! still select. Instance types, zones, amounts and times stay, and so do whole
//! numbers of labels that a selector compares by size. Nothing is derived from
//! a name, so a replacement says nothing about it but its rank.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use serde_json::Value;

use crate::workload::constraints::HOSTNAME_LABEL;

use super::cluster::{Budget, Cluster, Node, Owner, OwnerKind, Pod, Rules, Wanted, Words};

/// Keys whose values are public words: types, zones, architectures.
const PUBLIC: [&str; 14] = [
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "beta.kubernetes.io/os",
    "eks.amazonaws.com/capacityType",
    "eks.amazonaws.com/compute-type",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "karpenter.sh/capacity-type",
    "kubernetes.io/arch",
    "kubernetes.io/os",
    "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.k8s.aws/zone-id",
];

/// Keys that say nothing about who uses them; their values do.
const KNOWN: [&str; 10] = [
    "CriticalAddonsOnly",
    "amd.com/gpu",
    "aws.amazon.com/neuron",
    "eks.amazonaws.com/nodegroup",
    "karpenter.sh/nodepool",
    "kubernetes.io/hostname",
    "node-role.kubernetes.io/control-plane",
    "node-role.kubernetes.io/master",
    "nvidia.com/gpu",
    "pod-template-hash",
];

/// The label that every namespace has with its own name.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The field of a node with its name.
const NODE_NAME: &str = "metadata.name";

/// The first of the addresses that stand for those of hosts: of a network for
/// benchmarks, which has 131,072 (RFC 2544).
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

/// Replacements of one sort of names.
#[derive(Debug, Default)]
struct Book(BTreeMap<String, String>);

impl Book {
    fn of(word: &str, names: BTreeSet<&str>) -> Self {
        let numbered = names.into_iter().enumerate();
        Book(numbered.map(|(i, name)| (name.to_owned(), format!("{word}-{}", i + 1))).collect())
    }

    /// The replacement; every name was collected, and one that was not has none.
    fn new_name(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

struct Books {
    namespaces: Book,
    nodes: Book,
    groups: Book,
    keys: Book,
    values: Book,
    /// Keys that selectors compare by size.
    compared: BTreeSet<String>,
    addresses: BTreeMap<String, String>,
    workloads: BTreeMap<(String, Owner), Owner>,
}

/// Replaces every name in a cluster.
#[must_use]
pub fn redact(cluster: Cluster) -> Cluster {
    let books = Books::of(&cluster);
    let Cluster { nodes, pods, wanted, namespaces, services, budgets, mut findings } = cluster;
    findings.forget_examples();
    let nodes = nodes.into_values().map(|node| books.node(node));
    let pods = pods.into_values().enumerate().map(|(i, pod)| books.pod(i, pod));
    Cluster {
        nodes: nodes.map(|node| (node.name.clone(), node)).collect(),
        pods: pods.map(|pod| ((pod.namespace.clone(), pod.name.clone()), pod)).collect(),
        wanted: wanted.into_iter().map(|wanted| books.wanted(wanted)).collect(),
        namespaces: namespaces
            .into_iter()
            .map(|(name, labels)| (books.namespaces.new_name(&name), books.labels(&labels)))
            .collect(),
        services: services
            .into_iter()
            .enumerate()
            .map(|(i, ((namespace, _), selector))| {
                let name = format!("service-{}", i + 1);
                ((books.namespaces.new_name(&namespace), name), books.labels(&selector))
            })
            .collect(),
        budgets: budgets
            .into_iter()
            .enumerate()
            .map(|(i, ((namespace, _), budget))| {
                let name = format!("budget-{}", i + 1);
                let selector = books.words(&budget.selector);
                ((books.namespaces.new_name(&namespace), name), Budget { selector, ..budget })
            })
            .collect(),
        findings,
    }
}

impl Books {
    fn of(cluster: &Cluster) -> Self {
        let mut namespaces = BTreeSet::new();
        let mut referred = BTreeSet::new();
        let mut owners = BTreeSet::new();
        let (mut keys, mut values) = (BTreeSet::new(), BTreeSet::new());
        let mut named = BTreeSet::new();
        let (mut compared, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        let mut label = |key: &'_ str, value: &'_ str| {
            keys.insert(key.to_owned());
            values.insert(value.to_owned());
            if key == NAMESPACE_NAME && !value.is_empty() {
                named.insert(value.to_owned());
            }
        };
        for node in cluster.nodes.values() {
            node.labels.iter().for_each(|(key, value)| label(key, value));
            node.taints.iter().for_each(|taint| label(&taint.key, &taint.value));
        }
        let of_pods = cluster.pods.values().map(|p| (&p.namespace, &p.owner, &p.rules));
        let of_wanted = cluster.wanted.iter().map(|w| (&w.namespace, &w.owner, &w.rules));
        for (namespace, owner, rules) in of_pods.chain(of_wanted) {
            namespaces.insert(namespace.as_str());
            owners.insert((namespace.clone(), owner.clone()));
            rules.node_selector.iter().for_each(|(key, value)| label(key, value));
            rules.labels.iter().for_each(|(key, value)| label(key, value));
            for words in rules.affinity.iter().chain(&rules.spread) {
                let words = words.value();
                collect(&words, &mut label, &mut referred);
                collect_compared(&words, &mut compared);
            }
            addresses.extend(rules.host_ports.iter().map(|(_, _, ip)| ip.as_str()));
            for toleration in &rules.tolerations {
                let key = toleration.key.as_deref().unwrap_or_default();
                label(key, toleration.value.as_deref().unwrap_or_default());
            }
        }
        for (name, labels) in &cluster.namespaces {
            referred.insert(name.clone());
            for (key, value) in labels {
                label(key, value);
            }
        }
        for ((namespace, _), selector) in &cluster.services {
            referred.insert(namespace.clone());
            for (key, value) in selector {
                label(key, value);
            }
        }
        for ((namespace, _), budget) in &cluster.budgets {
            referred.insert(namespace.clone());
            collect(&budget.selector.value(), &mut label, &mut referred);
        }
        namespaces.extend(referred.iter().chain(&named).map(String::as_str));
        let groups = cluster.nodes.values().filter_map(|node| node.group.as_deref());
        let workloads = owners.into_iter().enumerate().map(|(i, (namespace, owner))| {
            let kind = match &owner.kind {
                OwnerKind::Other(_) => OwnerKind::Other("custom resource".to_owned()),
                known => known.clone(),
            };
            let replaced = Owner { kind, name: format!("workload-{}", i + 1) };
            ((namespace, owner), replaced)
        });
        Books {
            nodes: Book::of("node", cluster.nodes.keys().map(String::as_str).collect()),
            groups: Book::of("group", groups.collect()),
            keys: Book::of("label", keys.iter().map(String::as_str).collect()),
            values: Book::of("value", values.iter().map(String::as_str).collect()),
            compared,
            addresses: replaced_addresses(&addresses),
            workloads: workloads.collect(),
            namespaces: Book::of("namespace", namespaces),
        }
    }

    fn key(&self, key: &str) -> String {
        let own = [NODE_NAME, NAMESPACE_NAME];
        if key.is_empty() || PUBLIC.contains(&key) || KNOWN.contains(&key) || own.contains(&key) {
            key.to_owned()
        } else {
            self.keys.new_name(key)
        }
    }

    /// The value of a label or of the field that a requirement is about.
    fn value(&self, key: &str, value: &str) -> String {
        let compared = || self.compared.contains(key) && value.parse::<i64>().is_ok();
        if value.is_empty() || PUBLIC.contains(&key) || compared() {
            return value.to_owned();
        }
        match key {
            NAMESPACE_NAME => self.namespaces.new_name(value),
            // A node has its name for a label too.
            NODE_NAME | HOSTNAME_LABEL if self.nodes.0.contains_key(value) => {
                self.nodes.new_name(value)
            }
            _ => self.values.new_name(value),
        }
    }

    fn labels(&self, labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        labels.iter().map(|(key, value)| (self.key(key), self.value(key, value))).collect()
    }

    fn owner(&self, namespace: &str, owner: Owner) -> Owner {
        self.workloads
            .get(&(namespace.to_owned(), owner))
            .cloned()
            .unwrap_or(Owner { kind: OwnerKind::None, name: String::new() })
    }

    fn rules(&self, rules: Rules) -> Rules {
        let tolerations = rules.tolerations.into_iter().map(|mut toleration| {
            let key = toleration.key.take();
            let of = key.as_deref().unwrap_or_default();
            toleration.value = toleration.value.map(|value| self.value(of, &value));
            toleration.key = key.map(|key| self.key(&key));
            toleration
        });
        Rules {
            node_selector: self.labels(&rules.node_selector),
            tolerations: tolerations.collect(),
            priority: rules.priority,
            never_preempts: rules.never_preempts,
            labels: self.labels(&rules.labels),
            affinity: rules.affinity.map(|words| self.words(&words)),
            spread: rules.spread.map(|words| self.words(&words)),
            host_ports: rules
                .host_ports
                .into_iter()
                .map(|(port, protocol, ip)| {
                    let ip = self.addresses.get(&ip).cloned().unwrap_or_default();
                    (port, protocol, ip)
                })
                .collect(),
        }
    }

    fn words(&self, words: &Words) -> Words {
        let mut value = words.value();
        self.replace(&mut value);
        Words::new(&value)
    }

    /// Replaces every name in a part of an object.
    fn replace(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(map) => {
                let key = map.get("key").and_then(Value::as_str).map(str::to_owned);
                for (field, value) in map.iter_mut() {
                    match (field.as_str(), &mut *value) {
                        ("matchLabels", Value::Object(labels)) => {
                            let replaced = labels.iter().map(|(key, value)| {
                                let text = value.as_str().unwrap_or_default();
                                (self.key(key), Value::from(self.value(key, text)))
                            });
                            *labels = replaced.collect();
                        }
                        ("key" | "topologyKey", Value::String(key)) => *key = self.key(key),
                        ("values", Value::Array(values)) => {
                            let of = key.as_deref().unwrap_or_default();
                            for value in values {
                                let text = value.as_str().unwrap_or_default();
                                *value = Value::from(self.value(of, text));
                            }
                        }
                        ("matchLabelKeys" | "mismatchLabelKeys", Value::Array(keys)) => {
                            for key in keys {
                                *key = Value::from(self.key(key.as_str().unwrap_or_default()));
                            }
                        }
                        ("namespaces", Value::Array(names)) => {
                            for name in names {
                                let text = name.as_str().unwrap_or_default();
                                *name = Value::from(self.namespaces.new_name(text));
                            }
                        }
                        (_, inner) => self.replace(inner),
                    }
                }
            }
            _ => {}
        }
    }

    fn node(&self, node: Node) -> Node {
        let taints = node.taints.into_iter().map(|mut taint| {
            taint.value = self.value(&taint.key, &taint.value);
            taint.key = self.key(&taint.key);
            taint
        });
        Node {
            name: self.nodes.new_name(&node.name),
            group: node.group.map(|group| self.groups.new_name(&group)),
            labels: self.labels(&node.labels),
            taints: taints.collect(),
            ..node
        }
    }

    fn pod(&self, number: usize, pod: Pod) -> Pod {
        Pod {
            name: format!("pod-{}", number + 1),
            owner: self.owner(&pod.namespace, pod.owner),
            namespace: self.namespaces.new_name(&pod.namespace),
            node: pod.node.map(|node| self.nodes.new_name(&node)),
            rules: self.rules(pod.rules),
            ..pod
        }
    }

    fn wanted(&self, wanted: Wanted) -> Wanted {
        Wanted {
            owner: self.owner(&wanted.namespace, wanted.owner),
            namespace: self.namespaces.new_name(&wanted.namespace),
            rules: self.rules(wanted.rules),
            ..wanted
        }
    }
}

/// Addresses by their numbers; those that every host has stay.
fn replaced_addresses(addresses: &BTreeSet<&str>) -> BTreeMap<String, String> {
    let public = |ip: &str| {
        let ip = ip.parse::<IpAddr>();
        ip.is_ok_and(|ip| ip.is_unspecified() || ip.is_loopback())
    };
    let mut next = u32::from(FIRST_ADDRESS);
    let replaced = |address: &&str| {
        if address.is_empty() || public(address) {
            return ((*address).to_owned(), (*address).to_owned());
        }
        next += 1;
        ((*address).to_owned(), Ipv4Addr::from(next).to_string())
    };
    addresses.iter().map(replaced).collect()
}

/// Adds the keys whose values a part of an object compares by size.
fn collect_compared(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_compared(item, keys)),
        Value::Object(map) => {
            let text = |field: &str| map.get(field).and_then(Value::as_str);
            if let (Some(key), Some("Gt" | "Lt")) = (text("key"), text("operator")) {
                keys.insert(key.to_owned());
            }
            map.values().for_each(|inner| collect_compared(inner, keys));
        }
        _ => {}
    }
}

/// Hands over every label, and every namespace, that a part of an object names.
fn collect(value: &Value, label: &mut impl FnMut(&str, &str), namespaces: &mut BTreeSet<String>) {
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().map_or(&[][..], Vec::as_slice);
        items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
    };
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, label, namespaces)),
        Value::Object(map) => {
            let key = map.get("key").and_then(Value::as_str).unwrap_or_default();
            for (field, value) in map {
                match (field.as_str(), value) {
                    ("matchLabels", Value::Object(labels)) => labels
                        .iter()
                        .for_each(|(key, value)| label(key, value.as_str().unwrap_or_default())),
                    ("key" | "topologyKey", Value::String(key)) => label(key, ""),
                    ("values", values) => {
                        for value in texts(values) {
                            label(key, &value);
                        }
                    }
                    ("matchLabelKeys" | "mismatchLabelKeys", keys) => {
                        for key in texts(keys) {
                            label(&key, "");
                        }
                    }
                    ("namespaces", names) => namespaces.extend(texts(names)),
                    (_, inner) => collect(inner, label, namespaces),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
