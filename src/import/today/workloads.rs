//! Pods by owner: what becomes one workload of the scenario.

use std::collections::{BTreeMap, BTreeSet};

use super::{Names, slug};
use crate::import::cluster::{
    Amounts, Cluster, Findings, Node, Owner, OwnerKind, Pod, Rules, Sort, Wanted,
};
use crate::workload::TaintEffect;

/// A workload of the scenario.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// Its name, unique.
    pub(super) name: String,
    /// Namespace of its pods.
    pub(super) namespace: String,
    /// What owns them.
    pub(super) owner: Owner,
    /// What they request.
    pub(super) requests: Amounts,
    /// Their constraints.
    pub(super) rules: Rules,
    /// How many, and where.
    pub(super) kind: EntryKind,
}

/// How many pods a workload has, and where.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum EntryKind {
    /// One on every node that admits it.
    Daemon,
    /// A number of them.
    Replicas {
        /// How many, pending ones included.
        count: u64,
        /// Node to pods there; what is missing from `count` is pending.
        bound: BTreeMap<String, u64>,
        /// Whether they run on Fargate, which binds no nodes.
        fargate: bool,
    },
}

/// Pods alike to the scheduler: owner and what they ask for.
type Key = (String, Owner, bool, Amounts, Rules);

/// Extended resources that instance types of the tables offer.
pub(super) const DEVICES: [&str; 3] = ["nvidia.com/gpu", "amd.com/gpu", "aws.amazon.com/neuron"];

/// Groups all pods, and what owners want beyond them.
pub(super) fn group(cluster: &mut Cluster, names: &mut Names) -> Vec<Entry> {
    let Cluster { nodes, pods, wanted, findings, .. } = cluster;
    let on_fargate = |pod: &Pod| {
        pod.node.as_ref().and_then(|name| nodes.get(name)).is_some_and(|node| node.fargate)
    };
    let mut groups: BTreeMap<Key, Vec<&Pod>> = BTreeMap::new();
    for pod in pods.values() {
        let requests = offered(&pod.requests, &format!("{}/{}", pod.namespace, pod.name), findings);
        let owner = pod.owner.clone();
        let key = (pod.namespace.clone(), owner, on_fargate(pod), requests, pod.rules.clone());
        groups.entry(key).or_default().push(pod);
    }
    let mut per_owner: BTreeMap<(String, Owner), Vec<Entry>> = BTreeMap::new();
    let mut daemons_whole: BTreeMap<(String, Owner), usize> = BTreeMap::new();
    for (namespace, owner, ..) in groups.keys() {
        *daemons_whole.entry((namespace.clone(), owner.clone())).or_default() += 1;
    }
    for ((namespace, owner, fargate, requests, rules), pods) in groups {
        let of_owner = (namespace.clone(), owner.clone());
        let alone = daemons_whole.get(&of_owner) == Some(&1);
        let kind = if owner.kind == OwnerKind::DaemonSet
            && alone
            && is_on_every_node(&pods, &rules, nodes)
        {
            EntryKind::Daemon
        } else {
            replicas(&pods, fargate)
        };
        note_kind(&owner, &kind, &pods, findings);
        let name = String::new();
        let entry = Entry { name, namespace, owner, requests, rules, kind };
        per_owner.entry(of_owner).or_default().push(entry);
    }
    for want in wanted.iter() {
        let key = (want.namespace.clone(), want.owner.clone());
        let who = format!("{}/{}", want.namespace, want.owner.name);
        let Some(replicas) = want.replicas else {
            // In manifests alone; of a running cluster the pods tell.
            if pods.is_empty() && want.owner.kind == OwnerKind::DaemonSet {
                per_owner.entry(key).or_default().push(template(want, EntryKind::Daemon, findings));
            }
            continue;
        };
        let entries = per_owner.entry(key).or_default();
        let have: u64 = entries.iter().map(pods_of).sum();
        // A scenario has no more of one service.
        let wants = u64::from(replicas).min(1_000_000);
        if have > wants {
            let text = "owners with more pods than they want, all of which are in the scenario";
            findings.doubt("more-than-wanted", text, who);
        } else if have < wants {
            let text = "replicas that are wanted and have no pod, pending in the scenario";
            findings.add(Sort::Doubt, "less-than-wanted", text, who.clone(), wants - have);
            let largest = entries.iter_mut().max_by_key(|e| pods_of(e));
            if let Some(Entry { kind: EntryKind::Replicas { count, .. }, .. }) = largest {
                *count += wants - have;
            } else {
                let bound = BTreeMap::new();
                let kind = EntryKind::Replicas { count: wants, bound, fargate: false };
                entries.push(template(want, kind, findings));
            }
        }
    }
    named(per_owner, names)
}

/// An entry of pods that are not there yet, as their owner's template says.
fn template(want: &Wanted, kind: EntryKind, findings: &mut Findings) -> Entry {
    let who = format!("{}/{}", want.namespace, want.owner.name);
    for (code, text) in &want.not_modelled {
        findings.not_modelled(code, text, &who);
    }
    if want.requests.cpu.is_none() && want.requests.memory.is_none() {
        let text = "owners whose pods request neither cpu nor memory";
        findings.doubt("no-requests", text, &who);
    }
    Entry {
        name: String::new(),
        namespace: want.namespace.clone(),
        owner: want.owner.clone(),
        requests: offered(&want.requests, &who, findings),
        rules: want.rules.clone(),
        kind,
    }
}

/// Gives names: the owner's own, the namespace before it, a number behind it.
/// Of several entries of one owner the largest comes first.
fn named(per_owner: BTreeMap<(String, Owner), Vec<Entry>>, names: &mut Names) -> Vec<Entry> {
    let mut all = Vec::new();
    for ((namespace, owner), mut entries) in per_owner {
        entries.sort_by_key(|e| std::cmp::Reverse(pods_of(e)));
        for mut entry in entries {
            let own = slug(&owner.name);
            let full = slug(&format!("{namespace}-{}", owner.name));
            entry.name = names.take(&[own, full]);
            all.push(entry);
        }
    }
    all
}

fn pods_of(entry: &Entry) -> u64 {
    match &entry.kind {
        EntryKind::Daemon => 0,
        EntryKind::Replicas { count, .. } => *count,
    }
}

fn replicas(pods: &[&Pod], fargate: bool) -> EntryKind {
    let mut bound: BTreeMap<String, u64> = BTreeMap::new();
    if !fargate {
        for node in pods.iter().filter_map(|pod| pod.node.clone()) {
            *bound.entry(node).or_default() += 1;
        }
    }
    EntryKind::Replicas { count: pods.len() as u64, bound, fargate }
}

fn note_kind(owner: &Owner, kind: &EntryKind, pods: &[&Pod], findings: &mut Findings) {
    let job = matches!(owner.kind, OwnerKind::Job | OwnerKind::CronJob);
    let astray = owner.kind == OwnerKind::DaemonSet && *kind != EntryKind::Daemon;
    for pod in pods {
        let name = format!("{}/{}", pod.namespace, pod.name);
        if job {
            let text = "pods of Jobs, which run to the end of the scenario";
            findings.doubt("job", text, name);
        } else if astray {
            let text = "pods of DaemonSets that are not on every node that admits them, or not \
                        alike; they stay where they are and come to no new node";
            findings.doubt("daemonset-in-part", text, name);
        }
    }
}

/// Whether exactly one of the pods is on each node that admits them.
fn is_on_every_node(pods: &[&Pod], rules: &Rules, nodes: &BTreeMap<String, Node>) -> bool {
    let on: BTreeSet<Option<&String>> = pods.iter().map(|pod| pod.node.as_ref()).collect();
    let admitting: BTreeSet<Option<&String>> = nodes
        .values()
        .filter(|node| !node.fargate && admits(node, rules))
        .map(|node| Some(&node.name))
        .collect();
    on.len() == pods.len() && on == admitting
}

/// Whether labels and taints let the pod onto the node.
fn admits(node: &Node, rules: &Rules) -> bool {
    let selected =
        rules.node_selector.iter().all(|(key, value)| node.labels.get(key) == Some(value));
    selected
        && node
            .taints
            .iter()
            .filter(|taint| taint.effect != TaintEffect::PreferNoSchedule)
            .all(|taint| rules.tolerations.iter().any(|t| t.tolerates(taint)))
}

/// The requests without extended resources that nothing in the model offers.
fn offered(requests: &Amounts, who: &str, findings: &mut Findings) -> Amounts {
    let mut kept = requests.clone();
    kept.extended.retain(|name, _| {
        let known = DEVICES.contains(&name.as_str());
        if !known {
            let text = "pods that request devices other than GPUs and Neuron";
            findings.not_modelled("device", text, format!("{who}: {name}"));
        }
        known
    });
    // No more can be said in a scenario, or be had.
    kept.extended.values_mut().for_each(|n| *n = (*n).min(1_000_000));
    kept
}
