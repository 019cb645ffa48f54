//! Constraints of pods, and the objects they refer to, as a scenario states
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use super::{Names, slug};
use crate::import::cluster::{Cluster, Rules, Words};
use crate::scenario::tree::yaml_text as quoted;
use crate::scenario::{BASE_CASE, Source};

/// What labels constraints refer to.
#[derive(Debug, Default)]
pub(super) struct Referred {
    /// Of pods.
    pods: BTreeSet<String>,
    /// Of nodes.
    pub(super) nodes: BTreeSet<String>,
    /// Of namespaces.
    namespaces: BTreeSet<String>,
}

/// Leaves out what has no effect: labels that no selector refers to, objects
/// that select no pods; and what the API server would not have taken.
pub(super) fn prepare(cluster: &mut Cluster) -> Referred {
    let mut readable = BTreeMap::new();
    let Cluster { pods, wanted, findings, .. } = &mut *cluster;
    let of_pods = pods.values_mut().map(|p| (format!("{}/{}", p.namespace, p.name), &mut p.rules));
    let of_wanted =
        wanted.iter_mut().map(|w| (format!("{}/{}", w.namespace, w.owner.name), &mut w.rules));
    for (who, rules) in of_pods.chain(of_wanted) {
        for (key, words) in
            [("affinity", &mut rules.affinity), ("topologySpreadConstraints", &mut rules.spread)]
        {
            let Some(given) = words else { continue };
            let read = readable
                .entry((key, given.clone()))
                .or_insert_with(|| reads(&format!("    {key}: {}\n", flow(&given.value())), ""));
            if !*read {
                *words = None;
                let text = "pods with constraints that the API server would refuse";
                findings.not_modelled("constraint", text, &who);
            }
        }
    }
    let labelled: BTreeSet<(&str, &BTreeMap<String, String>)> = cluster
        .pods
        .values()
        .map(|p| (p.namespace.as_str(), &p.rules.labels))
        .chain(cluster.wanted.iter().map(|w| (w.namespace.as_str(), &w.rules.labels)))
        .collect();
    cluster.services.retain(|(namespace, _), selector| {
        labelled.iter().any(|(n, labels)| {
            n == namespace && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
        })
    });
    let findings = &mut cluster.findings;
    cluster.budgets.retain(|(namespace, name), budget| {
        let selector = flow(&budget.selector.value());
        let fine = reads(
            "",
            &format!(
                "kubernetes: {{ podDisruptionBudgets: {{ a: {{ selector: {selector}, \
                 maxUnavailable: 1 }} }} }}\n"
            ),
        );
        if !fine {
            let text = "PodDisruptionBudgets without pods or limit";
            findings.left_out("budget", text, format!("{namespace}/{name}"));
        }
        fine
    });
    let referred = referred(cluster);
    let rules = cluster.pods.values_mut().map(|p| &mut p.rules);
    for rules in rules.chain(cluster.wanted.iter_mut().map(|w| &mut w.rules)) {
        rules.labels.retain(|key, _| referred.pods.contains(key));
    }
    for labels in cluster.namespaces.values_mut() {
        labels.retain(|key, _| referred.namespaces.contains(key));
    }
    cluster.namespaces.retain(|_, labels| !labels.is_empty());
    referred
}

/// Whether a scenario takes these lines of a workload and of its own.
fn reads(of_workload: &str, of_scenario: &str) -> bool {
    let text = format!(
        "version: 1\nname: t\nregion: r\nworkload:\n  w:\n    service: {{ requests: {{}}, replicas: 1 \
         }}\n{of_workload}pools: {{ p: {{ fixed: {{ type: a, count: 1 }} }} }}\n{of_scenario}"
    );
    let Ok(source) = Source::parse(Path::new("s.yaml"), text.as_bytes()) else { return false };
    let mut diags = source.diagnostics();
    source.resolve(BASE_CASE, &mut diags).is_some() && !diags.has_errors()
}

fn referred(cluster: &Cluster) -> Referred {
    let mut it = Referred::default();
    let mut seen: BTreeSet<&Words> = BTreeSet::new();
    let pods = cluster.pods.values().map(|p| &p.rules);
    for rules in pods.chain(cluster.wanted.iter().map(|w| &w.rules)) {
        for words in rules.affinity.iter().chain(&rules.spread) {
            if seen.insert(words) {
                it.add(&words.value(), Whose::Pods);
            }
        }
    }
    for budget in cluster.budgets.values() {
        it.add(&budget.selector.value(), Whose::Pods);
    }
    it.pods.extend(cluster.services.values().flat_map(BTreeMap::keys).cloned());
    // Every node has it by itself.
    it.nodes.remove("kubernetes.io/hostname");
    it
}

/// What a requirement is about.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Pods,
    Nodes,
    Namespaces,
}

impl Referred {
    fn keys(&mut self, whose: Whose) -> &mut BTreeSet<String> {
        match whose {
            Whose::Pods => &mut self.pods,
            Whose::Nodes => &mut self.nodes,
            Whose::Namespaces => &mut self.namespaces,
        }
    }

    fn add(&mut self, value: &Value, whose: Whose) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.add(item, whose)),
            Value::Object(map) => {
                map.iter().for_each(|(field, value)| self.add_field(field, value, whose));
            }
            _ => {}
        }
    }

    fn add_field(&mut self, field: &str, value: &Value, whose: Whose) {
        let text = || value.as_str().map(str::to_owned);
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        match field {
            "matchLabels" => {
                let labels = value.as_object().into_iter().flatten();
                self.keys(whose).extend(labels.map(|(key, _)| key.clone()));
            }
            "key" => self.keys(whose).extend(text()),
            "topologyKey" => self.nodes.extend(text()),
            "matchLabelKeys" | "mismatchLabelKeys" => self.pods.extend(texts.map(str::to_owned)),
            "values" | "namespaces" => {}
            "nodeAffinity" => self.add(value, Whose::Nodes),
            "namespaceSelector" => self.add(value, Whose::Namespaces),
            _ => self.add(value, whose),
        }
    }
}

/// Constraints of a workload.
pub(super) fn workload(out: &mut String, rules: &Rules, daemon: bool) {
    let labels = rules.labels.iter().map(|(key, value)| (quoted(key), quoted(value)));
    super::yaml::map(out, "    ", "labels", labels.collect());
    // Writing to a String cannot fail.
    if rules.never_preempts && !daemon {
        out.push_str("    preemptionPolicy: Never\n");
    }
    if !rules.host_ports.is_empty() {
        out.push_str("    hostPorts:\n");
        for (port, protocol, ip) in &rules.host_ports {
            let of =
                if protocol == "TCP" { String::new() } else { format!(", protocol: {protocol}") };
            let on =
                if ip.is_empty() { String::new() } else { format!(", hostIP: {}", quoted(ip)) };
            let _ = writeln!(out, "      - {{ hostPort: {port}{of}{on} }}");
        }
    }
    if daemon {
        return;
    }
    for (key, words) in
        [("affinity", &rules.affinity), ("topologySpreadConstraints", &rules.spread)]
    {
        if let Some(words) = words {
            let _ = writeln!(out, "    {key}:");
            block(out, &words.value(), 6);
        }
    }
}

/// Objects that constraints refer to.
pub(super) fn objects(out: &mut String, cluster: &Cluster) {
    let Cluster { namespaces, services, budgets, .. } = cluster;
    if namespaces.is_empty() && services.is_empty() && budgets.is_empty() {
        return;
    }
    out.push_str("\nkubernetes:\n");
    let pairs = |labels: &BTreeMap<String, String>| {
        let pairs = labels.iter().map(|(key, value)| (quoted(key), quoted(value)));
        super::yaml::flow(&pairs.collect::<Vec<_>>())
    };
    if !namespaces.is_empty() {
        out.push_str("  namespaces:\n");
        for (name, labels) in namespaces {
            let _ = writeln!(out, "    {}: {{ labels: {} }}", quoted(name), pairs(labels));
        }
    }
    let named = |names: &mut Names, namespace: &str, name: &str| {
        names.take(&[slug(name), slug(&format!("{namespace}-{name}"))])
    };
    if !services.is_empty() {
        out.push_str("  services:\n");
        let mut names = Names::default();
        for ((namespace, name), selector) in services {
            let own = named(&mut names, namespace, name);
            let (namespace, selector) = (quoted(namespace), pairs(selector));
            let _ = writeln!(
                out,
                "    {}: {{ namespace: {namespace}, selector: {selector} }}",
                quoted(&own)
            );
        }
    }
    if !budgets.is_empty() {
        out.push_str("  podDisruptionBudgets:\n");
        let mut names = Names::default();
        for ((namespace, name), budget) in budgets {
            let own = named(&mut names, namespace, name);
            let key = if budget.available { "minAvailable" } else { "maxUnavailable" };
            let selector = flow(&budget.selector.value());
            let _ = writeln!(
                out,
                "    {}: {{ namespace: {}, selector: {selector}, {key}: {} }}",
                quoted(&own),
                quoted(namespace),
                budget.limit
            );
        }
    }
}

/// Longest value that is written on one line.
const LINE: usize = 90;

/// A value as indented YAML, short parts of it on one line.
fn block(out: &mut String, value: &Value, indent: usize) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let short = flow(value);
                if short.len() + indent + key.len() <= LINE || !is_deep(value) {
                    let _ = writeln!(out, "{pad}{}: {short}", quoted(key));
                } else {
                    let _ = writeln!(out, "{pad}{}:", quoted(key));
                    block(out, value, indent + 2);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let short = flow(item);
                if short.len() + indent <= LINE || !is_deep(item) {
                    let _ = writeln!(out, "{pad}- {short}");
                } else {
                    let mut inner = String::new();
                    block(&mut inner, item, indent + 2);
                    inner.replace_range(indent..=indent, "-");
                    out.push_str(&inner);
                }
            }
        }
        other => {
            let _ = writeln!(out, "{pad}{}", flow(other));
        }
    }
}

fn is_deep(value: &Value) -> bool {
    match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries: Vec<(String, String)> =
                map.iter().map(|(key, value)| (quoted(key), flow(value))).collect();
            super::yaml::flow(&entries)
        }
        other => other.to_string(),
    }
}
