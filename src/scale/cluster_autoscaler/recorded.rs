//! Constraints of recorded pods: from the API's JSON to the crate's terms, as
//! far as the recorded autoscaler scenarios use them.

use serde_json::Value;

use super::conformance::{list, pairs, text};
use crate::workload::constraints::{
    Constraints, HostPort, LabelSelector, Namespaces, NodeSelectorTerm, Operator, PodAffinityTerm,
    Requirement, SpreadConstraint,
};

/// The constraints of a pod with this metadata and spec.
pub(super) fn constraints(metadata: &Value, spec: &Value) -> Constraints {
    let namespace = metadata["namespace"].as_str().unwrap_or("default");
    let affinity = &spec["affinity"];
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = |kind: &str| -> Vec<PodAffinityTerm> {
        list(&affinity[kind], required).iter().map(|term| pod_term(namespace, term)).collect()
    };
    let nodes = &affinity["nodeAffinity"][required];
    let ports = list(spec, "containers").iter().flat_map(|c| list(c, "ports"));
    Constraints {
        namespace: namespace.to_owned(),
        labels: pairs(&metadata["labels"]),
        required_nodes: nodes.is_object().then(|| {
            let term = |term: &Value| NodeSelectorTerm {
                match_expressions: requirements(term, "matchExpressions"),
                match_fields: requirements(term, "matchFields"),
            };
            list(nodes, "nodeSelectorTerms").iter().map(term).collect()
        }),
        affinity: terms("podAffinity"),
        anti_affinity: terms("podAntiAffinity"),
        spread: list(spec, "topologySpreadConstraints").iter().map(spread).collect(),
        host_ports: ports
            .filter(|port| port["hostPort"].as_u64().is_some_and(|n| n > 0))
            .map(|port| HostPort {
                protocol: port["protocol"].as_str().unwrap_or("TCP").to_owned(),
                ip: port["hostIP"].as_str().unwrap_or("0.0.0.0").to_owned(),
                port: port["hostPort"].as_u64().unwrap_or(0) as u16,
            })
            .collect(),
        ..Constraints::default()
    }
}

fn pod_term(namespace: &str, term: &Value) -> PodAffinityTerm {
    assert!(term["namespaceSelector"].is_null(), "namespaces are listed in these scenarios");
    let mut names: Vec<String> = list(term, "namespaces")
        .iter()
        .map(|n| n.as_str().unwrap_or_default().to_owned())
        .collect();
    if names.is_empty() {
        names.push(namespace.to_owned());
    }
    PodAffinityTerm {
        topology_key: text(term, "topologyKey").to_owned(),
        selector: selector(&term["labelSelector"]),
        namespaces: Namespaces::Listed(names),
    }
}

fn spread(it: &Value) -> SpreadConstraint {
    assert!(it["matchLabelKeys"].is_null(), "no scenario has these");
    SpreadConstraint {
        max_skew: it["maxSkew"].as_i64().unwrap_or(1),
        topology_key: text(it, "topologyKey").to_owned(),
        hard: text(it, "whenUnsatisfiable") == "DoNotSchedule",
        selector: selector(&it["labelSelector"]),
        min_domains: it["minDomains"].as_i64().unwrap_or(1),
        honor_affinity: it["nodeAffinityPolicy"].as_str() != Some("Ignore"),
        honor_taints: it["nodeTaintsPolicy"].as_str() == Some("Honor"),
    }
}

fn selector(it: &Value) -> Option<LabelSelector> {
    let mut all: Vec<Requirement> =
        pairs(&it["matchLabels"]).iter().map(|(k, v)| Requirement::equals(k, v)).collect();
    all.extend(requirements(it, "matchExpressions"));
    all.sort();
    it.is_object().then_some(LabelSelector { requirements: all })
}

fn requirements(of: &Value, key: &str) -> Vec<Requirement> {
    list(of, key)
        .iter()
        .map(|it| Requirement {
            key: text(it, "key").to_owned(),
            operator: match text(it, "operator") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                "Gt" => Operator::Gt,
                "Lt" => Operator::Lt,
                other => panic!("operator {other}"),
            },
            values: list(it, "values")
                .iter()
                .map(|v| v.as_str().unwrap_or_default().to_owned())
                .collect(),
        })
        .collect()
}
