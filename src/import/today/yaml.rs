//! The text of the scenario: commented, and in the order a reader asks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Options;
use super::constraints;
use super::pools::{Kind, Pool};
use super::workloads::{Entry, EntryKind};
use crate::import::cluster::{Amounts, Cluster, OwnerKind};
use crate::nouns::counted;
use crate::scenario::tree::yaml_text as quoted;
use crate::workload::{TaintEffect, Toleration};

/// Longest map written on one line, in entries.
const FLOW: usize = 3;

/// What a scenario is written from.
pub(super) struct Parts<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) options: &'a Options,
    pub(super) region: &'a str,
    pub(super) pools: &'a [Pool],
    /// Name of the pool of Fargate pods.
    pub(super) fargate: &'a str,
    pub(super) entries: &'a [Entry],
    /// Names of the recorded batches of pods.
    pub(super) batches: &'a [String],
    pub(super) kubernetes: Option<String>,
}

/// Renders the scenario. Writing to a String cannot fail.
pub(super) fn render(it: &Parts<'_>) -> String {
    let mut out = String::new();
    head(&mut out, it);
    out.push_str("\nworkload:\n");
    for entry in it.entries {
        workload(&mut out, entry);
    }
    if let Some(span) = &it.options.span {
        span.workloads(it.batches, &mut out);
        span.usage(&mut out);
    }
    constraints::objects(&mut out, it.cluster);
    out.push_str("\npools:\n");
    for pool in it.pools {
        nodes(&mut out, pool);
    }
    for (kind, count) in &it.options.nodes {
        let name = quoted(&super::slug(kind));
        let _ = writeln!(out, "  {name}:\n    fixed: {{ type: {}, count: {count} }}", quoted(kind));
    }
    fargate(&mut out, it);
    cases(&mut out, it);
    out
}

fn head(out: &mut String, it: &Parts<'_>) {
    let nodes = it.cluster.nodes.values().filter(|n| !n.fargate).count();
    let pods = it.cluster.pods.len();
    let what = match &it.options.span {
        None => "A running cluster as it stood when it was imported",
        Some(_) => "A cluster as it was recorded, pods that stayed and traces of others",
    };
    let what = if it.options.nodes.is_empty() {
        format!("{what}: {}, {}", counted(nodes, "node"), counted(pods, "pod"))
    } else {
        format!("Manifests of {}, on nodes that were stated", counted(it.entries.len(), "workload"))
    };
    let _ = write!(
        out,
        "# {what}.\n\
         # `plimsoll run` on this file prices it as it is; cases say what if.\n\
         #\n\
         # A pool is nodes alike in group, type, purchase, taints and what they offer. A\n\
         # workload is pods of one owner that request the same. Names are the objects'\n\
         # own, with `-` for what a name here cannot have; where one is taken, the\n\
         # namespace stands before it, or a number behind it.\n\
         version: 1\n\
         name: {}\n\
         region: {}\n",
        quoted(&it.options.name),
        quoted(it.region)
    );
    match &it.kubernetes {
        Some(version) => {
            let _ = writeln!(out, "versions: {{ kubernetes: {} }}", quoted(version));
        }
        None => out.push_str(
            "# The nodes do not tell one Kubernetes version that is known here, so the newest\n\
             # is followed and charged; `versions: { kubernetes: … }` states it.\n",
        ),
    }
    match &it.options.span {
        Some(span) => span.time(out),
        None => out.push_str(
            "# Whole weeks make the cost of a month exact. Everything runs from the start.\n\
             time: { horizon: 7d, warmup: 0s }\n",
        ),
    }
    charges(out, it.cluster);
}

fn charges(out: &mut String, cluster: &Cluster) {
    let nodes = || cluster.nodes.values();
    let is_eks = nodes().any(|node| {
        node.kubelet_version.as_ref().is_some_and(|v| v.contains("-eks-"))
            || node.labels.keys().any(|key| key.starts_with("eks.amazonaws.com/"))
    });
    let mut lines = Vec::new();
    if !is_eks && nodes().next().is_some() {
        lines.push("  control-plane: false   # no node says that this is EKS\n");
    }
    if nodes().any(|n| !n.fargate) && nodes().filter(|n| !n.fargate).all(|node| node.external_ip) {
        lines.push("  public-ipv4: true      # every node has an external address\n");
    }
    if !lines.is_empty() {
        out.push_str("charges:\n");
        out.extend(lines);
    }
    out.push_str(
        "# Kubernetes does not know the size of root volumes; `charges: { root-volume: 20Gi }`\n\
         # adds what they cost.\n",
    );
}

fn workload(out: &mut String, entry: &Entry) {
    let owner = format!("{} {}/{}", entry.owner.kind.as_str(), entry.namespace, entry.owner.name);
    let _ = writeln!(out, "  {}:   # {}", quoted(&entry.name), comment(&owner));
    let _ = writeln!(out, "    namespace: {}", quoted(&entry.namespace));
    if entry.rules.priority != 0 && entry.kind != EntryKind::Daemon {
        let _ = writeln!(out, "    priority: {}", entry.rules.priority);
    }
    let selector = entry.rules.node_selector.iter().map(|(k, v)| (quoted(k), quoted(v)));
    map(out, "    ", "nodeSelector", selector.collect());
    if !entry.rules.tolerations.is_empty() {
        out.push_str("    tolerations:\n");
        for toleration in &entry.rules.tolerations {
            let _ = writeln!(out, "      - {}", tolerated(toleration));
        }
    }
    constraints::workload(out, &entry.rules, entry.kind == EntryKind::Daemon);
    match &entry.kind {
        EntryKind::Daemon => {
            out.push_str("    daemonset:\n");
            requests(out, &entry.requests);
            out.push_str("      on-fargate: drop\n");
        }
        EntryKind::Replicas { count, bound, .. } => {
            out.push_str("    service:\n");
            requests(out, &entry.requests);
            let pending = match entry.kind {
                EntryKind::Replicas { fargate: true, .. } => 0,
                _ => count - bound.values().sum::<u64>().min(*count),
            };
            let note = if pending > 0 { format!("   # {pending} pending") } else { String::new() };
            let _ = writeln!(out, "      replicas: {count}{note}");
            if let Some(controller) = unspread(&entry.owner.kind) {
                let _ = writeln!(out, "      controller: {controller}");
            }
            let bound = bound.iter().map(|(node, n)| (quoted(node), n.to_string()));
            map(out, "      ", "bound-to", bound.collect());
        }
    }
}

/// The owner, where the scheduler does not spread its pods by default: it looks
/// at ReplicaSets, StatefulSets and ReplicationControllers only.
fn unspread(owner: &OwnerKind) -> Option<&'static str> {
    match owner {
        OwnerKind::Deployment
        | OwnerKind::ReplicaSet
        | OwnerKind::StatefulSet
        | OwnerKind::DaemonSet => None,
        // Argo's Rollouts own ReplicaSets.
        OwnerKind::Other(kind) if kind == "ReplicationController" || kind == "Rollout" => None,
        OwnerKind::Job | OwnerKind::CronJob => Some("Job"),
        OwnerKind::Node | OwnerKind::None | OwnerKind::Other(_) => Some("other"),
    }
}

fn requests(out: &mut String, amounts: &Amounts) {
    let mut parts = Vec::new();
    if let Some(cpu) = amounts.cpu {
        parts.push(format!("cpu: {cpu}"));
    }
    if let Some(memory) = amounts.memory {
        parts.push(format!("memory: {memory}"));
    }
    if !amounts.extended.is_empty() {
        parts.push(format!("extended: {}", flow(&extended(&amounts.extended))));
    }
    let nonzero: Vec<String> = amounts
        .nonzero_cpu
        .map(|cpu| format!("cpu: {cpu}"))
        .into_iter()
        .chain(amounts.nonzero_memory.map(|memory| format!("memory: {memory}")))
        .collect();
    if !nonzero.is_empty() {
        parts.push(format!("nonzero: {{ {} }}", nonzero.join(", ")));
    }
    if parts.is_empty() {
        out.push_str("      requests: {}\n");
    } else {
        let _ = writeln!(out, "      requests: {{ {} }}", parts.join(", "));
    }
}

fn extended(amounts: &BTreeMap<String, i64>) -> Vec<(String, String)> {
    amounts.iter().map(|(name, n)| (quoted(name), n.to_string())).collect()
}

fn tolerated(it: &Toleration) -> String {
    let mut parts = Vec::new();
    if let Some(key) = &it.key {
        parts.push(format!("key: {}", quoted(key)));
    }
    match &it.value {
        None => parts.push("operator: Exists".to_owned()),
        Some(value) => parts.push(format!("operator: Equal, value: {}", quoted(value))),
    }
    if let Some(effect) = it.effect {
        parts.push(format!("effect: {}", effect_word(effect)));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn effect_word(effect: TaintEffect) -> &'static str {
    match effect {
        TaintEffect::NoSchedule => "NoSchedule",
        TaintEffect::PreferNoSchedule => "PreferNoSchedule",
        TaintEffect::NoExecute => "NoExecute",
    }
}

fn nodes(out: &mut String, pool: &Pool) {
    let _ = writeln!(out, "  {}:", quoted(&pool.name));
    out.push_str("    fixed:\n");
    match &pool.kind {
        Kind::Type(name) => {
            let _ = writeln!(out, "      type: {}", quoted(name));
        }
        Kind::Shape { stated, cpu, memory, pods, extended: devices, arm, usd_per_hour } => {
            let _ = writeln!(out, "      shape:   # {}, at the price stated", comment(stated));
            let _ = writeln!(out, "        vcpu: {cpu}\n        memory: {memory}");
            let _ = writeln!(out, "        pods: {pods}");
            map(out, "        ", "extended", extended(devices));
            let _ = writeln!(out, "        usd-per-hour: {usd_per_hour}");
            if *arm {
                out.push_str("        arch: arm64\n");
            }
        }
    }
    if pool.spot {
        out.push_str("      purchase: spot\n");
    }
    out.push_str("      nodes:\n");
    for (node, zone) in &pool.nodes {
        let _ = writeln!(out, "        {}: {}", quoted(node), quoted(zone));
    }
    let labels = pool.labels.iter().map(|(key, value)| (quoted(key), quoted(value)));
    map(out, "    ", "labels", labels.collect());
    if !pool.taints.is_empty() {
        out.push_str("    taints:\n");
        for taint in &pool.taints {
            let value = match taint.value.as_str() {
                "" => String::new(),
                value => format!("value: {}, ", quoted(value)),
            };
            let effect = effect_word(taint.effect);
            let key = quoted(&taint.key);
            let _ = writeln!(out, "      - {{ key: {key}, {value}effect: {effect} }}");
        }
    }
    if let (Some(pods), Kind::Type(_)) = (pool.max_pods, &pool.kind) {
        let _ = writeln!(out, "    max-pods: {pods}");
    }
    if let Some((cpu, memory)) = pool.reserved {
        let _ = writeln!(out, "    reserved: {{ cpu: {cpu}, memory: {memory} }}");
    }
}

/// The pods that run on Fargate today, workload by workload.
fn fargate(out: &mut String, it: &Parts<'_>) {
    let on_fargate: Vec<(&Entry, u64)> = it
        .entries
        .iter()
        .filter_map(|entry| match entry.kind {
            EntryKind::Replicas { count, fargate: true, .. } => Some((entry, count)),
            _ => None,
        })
        .collect();
    if on_fargate.is_empty() {
        return;
    }
    let pods: u64 = on_fargate.iter().map(|(_, count)| count).sum();
    let _ = writeln!(out, "  {}:", quoted(it.fargate));
    out.push_str("    fargate:\n      match:\n");
    for (entry, _) in on_fargate {
        let namespace = quoted(&entry.namespace);
        let name = quoted(&entry.name);
        let _ = writeln!(out, "        - {{ namespace: {namespace}, workload: {name} }}");
    }
    let _ = write!(
        out,
        "      # They run already; for pods to come leave these two lines out.\n      \
         start-latency: 0s\n      \
         launch-rate: {{ burst: {}, per-second: 20 }}\n",
        pods.clamp(1, 1_000_000)
    );
}

/// What-ifs to start from, all of them comments.
fn cases(out: &mut String, it: &Parts<'_>) {
    out.push_str(
        "\n# What if? Remove the `#` below: the first case is the cluster as it is, the others\n\
         # say what differs. Bound pods stay on their nodes unless a case sets them free.\n\
         # cases:\n\
         #   today: {}\n\
         #   anew:\n\
         #     title: The same nodes, all pods placed anew\n\
         #     set: { placement.keep-bindings: false }\n",
    );
    let typed = it.pools.iter().filter_map(|pool| match &pool.kind {
        Kind::Type(name) => Some((pool, name)),
        Kind::Shape { .. } => None,
    });
    let Some((pool, kind)) = typed.max_by_key(|(pool, _)| pool.nodes.len()) else { return };
    let zones: BTreeSet<String> = pool.nodes.values().map(|zone| quoted(zone)).collect();
    let zones = zones.into_iter().collect::<Vec<_>>().join(", ");
    let purchase = if pool.spot { ", purchase: { above-base: spot }" } else { "" };
    let path = format!("pools.{}", pool.name);
    let _ = write!(
        out,
        "#   scaled:\n\
         #     title: The Cluster Autoscaler sizes {}\n\
         #     remove: [{path}.fixed]\n\
         #     set:\n\
         #       placement.keep-bindings: false\n\
         #       {path}.asg: {{ types: [{}], max: {}, zones: [{zones}]{purchase} }}\n\
         #       {path}.scaler: cluster-autoscaler\n",
        pool.name,
        quoted(kind),
        pool.nodes.len() * 2,
    );
}

/// A map: on one line when short, nothing when empty.
pub(super) fn map(out: &mut String, indent: &str, key: &str, entries: Vec<(String, String)>) {
    if entries.is_empty() {
        return;
    }
    if entries.len() <= FLOW {
        let _ = writeln!(out, "{indent}{key}: {}", flow(&entries));
        return;
    }
    let _ = writeln!(out, "{indent}{key}:");
    for (name, value) in entries {
        let _ = writeln!(out, "{indent}  {name}: {value}");
    }
}

pub(super) fn flow(entries: &[(String, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(k, v)| format!("{k}: {v}")).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// Text that stays within a comment, whatever a reader takes for a line end.
pub(super) fn comment(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    text.chars().take(120).map(plain).collect()
}
