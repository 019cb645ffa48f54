//! Snapshots of Kubernetes clusters, as `kubectl get … -o json` or `-o yaml`
//! prints them.
//!
//! Files come in any order and number; what an object is, its own words tell.
//! Read are Nodes and Pods (v1), and Deployments, ReplicaSets, StatefulSets,
//! DaemonSets, ReplicationControllers, Jobs and CronJobs (apps/v1, v1,
//! batch/v1) for who owns what and how many replicas are wanted; Namespaces,
//! Services, PodDisruptionBudgets and PriorityClasses for what constraints of
//! pods refer to. Any other kind is left out and counted.
//!
//! Left out and counted: pods that have finished, pods on nodes that are not in
//! the files, objects of versions that are not read, and repetitions of the
//! same object. Refused: what cannot be read, and two objects of one name.

mod constraints;
mod objects;
mod pods;
mod read;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use objects::{NodeObject, OwnerObject};
use read::{Found, Object};

use super::cluster::{Amounts, CapacityType, Cluster, Node, Owner, OwnerKind, Wanted};
use super::quote;
use crate::error::{Error, Result};
use crate::text;
use crate::workload::{Taint, TaintEffect};

/// Most mistakes shown at once.
const MOST_ERRORS: usize = 20;

/// Reads a cluster from files that kubectl wrote.
///
/// # Errors
/// When a file cannot be read or holds something else, when an object lacks
/// what it cannot be without, and when two objects have the same name.
pub fn load(paths: &[PathBuf]) -> Result<Cluster> {
    let mut found = Vec::new();
    for path in paths {
        found.extend(read::file(path, &shown(path))?);
    }
    assemble(found)
}

/// As [`load`], from the text of one file.
///
/// # Errors
/// As [`load`].
pub fn parse(bytes: &[u8], shown: &str) -> Result<Cluster> {
    assemble(read::parse(bytes, shown)?)
}

fn shown(path: &Path) -> String {
    text::excerpt(path.display().to_string().as_bytes(), 200)
}

/// What is noted while objects are put together.
#[derive(Default)]
struct Assembly {
    cluster: Cluster,
    errors: Vec<String>,
    /// Owner of a ReplicaSet or Job, by kind, namespace and name.
    owners: BTreeMap<(&'static str, String, String), Owner>,
    /// UID of nodes and pods, to tell a repetition from a second object.
    uids: BTreeMap<String, Option<String>>,
    priorities: constraints::Priorities,
}

fn assemble(found: Vec<Found>) -> Result<Cluster> {
    let mut it = Assembly::default();
    let mut pods = Vec::new();
    let mut owners = Vec::new();
    for Found { place, object } in found {
        match object {
            Object::Node(node) => it.node(&place, &node),
            Object::Pod(pod) => pods.push((place, pod)),
            Object::Owner(kind, owner) => owners.push((place, kind, owner)),
            Object::Namespace(it_is) => it.namespace(&place, &it_is),
            Object::Service(service) => it.service(&place, &service),
            Object::Budget(budget) => it.budget(&place, &budget),
            Object::Priority(class) => it.priorities.add(&class),
            Object::OtherVersion { kind, api_version } => {
                let example = format!("{kind} of {api_version}");
                let text = "objects of versions that are not read";
                it.cluster.findings.left_out("api-version", text, example);
            }
            Object::Other { kind } => {
                let text = "objects of kinds that are not read";
                it.cluster.findings.left_out("other-kind", text, kind);
            }
        }
    }
    let mut jobs = Vec::new();
    for (_, kind, owner) in &owners {
        it.note_owner(kind, owner);
        if matches!(kind, OwnerKind::Job | OwnerKind::CronJob) {
            jobs.push((namespace_of(&owner.metadata), kind.clone(), owner.metadata.name.clone()));
        }
    }
    for (place, kind, owner) in owners {
        it.wanted(&place, kind, &owner);
    }
    for (place, pod) in pods {
        it.pod(&place, &pod);
    }
    it.idle_jobs(jobs);
    if it.errors.is_empty() {
        return Ok(it.cluster);
    }
    let more = it.errors.len().saturating_sub(MOST_ERRORS);
    it.errors.truncate(MOST_ERRORS);
    if more > 0 {
        it.errors.push(format!("… and {more} more"));
    }
    Err(Error::input(it.errors.join("\nerror: ")))
}

impl Assembly {
    /// Whether an object of this name is new. A repetition is counted; a second
    /// object of the name is an error.
    fn is_new(&mut self, place: &str, what: &str, name: &str, uid: Option<&String>) -> bool {
        let key = format!("{what} {name}");
        let Some(known) = self.uids.get(&key) else {
            self.uids.insert(key, uid.cloned());
            return true;
        };
        if known.as_ref() == uid {
            let text = "objects that the files hold more than once";
            self.cluster.findings.left_out("repeated", text, key);
        } else {
            self.errors.push(format!(
                "{place}: there are two different objects {what} {}\n  = help: give files of one \
                 cluster that were written at the same time",
                quote(name)
            ));
        }
        false
    }

    /// Whether an object has a name that can be written down again.
    fn has_name(&mut self, place: &str, kind: &str, meta: &objects::Meta) -> bool {
        if meta.name.is_empty() {
            self.errors.push(format!("{place}: a {kind} without `metadata.name`"));
            return false;
        }
        let namespace = namespace_of(meta);
        for name in [&meta.name, &namespace] {
            if name.len() > 253 || !name.bytes().all(|b| b.is_ascii_graphic()) {
                let name = quote(name);
                self.errors.push(format!("{place}: {name} is no name of a Kubernetes object"));
                return false;
            }
        }
        true
    }

    fn node(&mut self, place: &str, object: &NodeObject) {
        let meta = &object.metadata;
        if !self.has_name(place, "Node", meta)
            || !self.is_new(place, "Node", &meta.name, meta.uid.as_ref())
        {
            return;
        }
        match node(object) {
            Ok(node) => {
                self.doubt_node(object, &node);
                self.cluster.nodes.insert(node.name.clone(), node);
            }
            Err(cause) => self.errors.push(format!("{place}: Node {}: {cause}", quote(&meta.name))),
        }
    }

    fn doubt_node(&mut self, object: &NodeObject, node: &Node) {
        let findings = &mut self.cluster.findings;
        let name = &node.name;
        if object.spec.unschedulable {
            let text = "cordoned nodes, which take new pods in the scenario";
            findings.not_modelled("cordoned", text, name);
        }
        let ready = object.status.conditions.iter().find(|c| c.kind == "Ready");
        if ready.is_some_and(|c| c.status != "True") {
            let text = "nodes that are not Ready, which are in the scenario";
            findings.not_modelled("not-ready", text, name);
        }
        if object.spec.taints.iter().any(|t| effect(&t.effect).is_none()) {
            findings.not_modelled("taint-effect", "nodes with taints of unknown effect", name);
        }
        if object.spec.taints.iter().any(|t| t.key.is_empty()) {
            findings.not_modelled("taint-key", "nodes with taints without a key", name);
        }
    }

    /// Counts Jobs and CronJobs that have no pod now: nothing says when and how
    /// often they run.
    fn idle_jobs(&mut self, jobs: Vec<(String, OwnerKind, String)>) {
        for (namespace, kind, name) in jobs {
            let own = Owner { kind, name };
            let above = self.owners.get(&("Job", namespace.clone(), own.name.clone()));
            let busy = self.cluster.pods.values().any(|pod| {
                pod.namespace == namespace && (pod.owner == own || Some(&pod.owner) == above)
            });
            if !busy {
                let text = "Jobs and CronJobs without a pod in the files";
                let who = format!("{} {namespace}/{}", own.kind.as_str(), own.name);
                self.cluster.findings.left_out("idle-job", text, who);
            }
        }
    }

    /// Remembers who made a ReplicaSet or Job.
    fn note_owner(&mut self, kind: &OwnerKind, object: &OwnerObject) {
        let kind = match kind {
            OwnerKind::ReplicaSet => "ReplicaSet",
            OwnerKind::Job => "Job",
            _ => return,
        };
        if let Some(above) = pods::controller(&object.metadata) {
            let owner = Owner { kind: OwnerKind::of(&above.kind), name: above.name.clone() };
            let meta = &object.metadata;
            self.owners.insert((kind, namespace_of(meta), meta.name.clone()), owner);
        }
    }

    /// What an owner wants, if nothing above it decides.
    fn wanted(&mut self, place: &str, kind: OwnerKind, object: &OwnerObject) {
        let replicas = match kind {
            OwnerKind::Deployment | OwnerKind::StatefulSet => object.spec.replicas.or(Some(1)),
            OwnerKind::ReplicaSet if pods::controller(&object.metadata).is_none() => {
                object.spec.replicas.or(Some(1))
            }
            OwnerKind::Other(ref kind) if kind == "ReplicationController" => {
                object.spec.replicas.or(Some(1))
            }
            OwnerKind::DaemonSet => None,
            _ => return,
        };
        let meta = &object.metadata;
        if !self.has_name(place, kind.as_str(), meta) {
            return;
        }
        let name = format!("{}/{}", namespace_of(meta), meta.name);
        if !self.is_new(place, kind.as_str(), &name, meta.uid.as_ref()) {
            return;
        }
        let template = &object.spec.template;
        match requests::effective(template) {
            Ok(effective) => {
                let daemon = kind == OwnerKind::DaemonSet;
                let constraints = pods::rules(template, daemon, &self.priorities);
                self.cluster.wanted.push(Wanted {
                    namespace: namespace_of(meta),
                    owner: Owner { kind, name: meta.name.clone() },
                    replicas,
                    requests: effective.requests,
                    rules: constraints.rules,
                    not_modelled: constraints.not_modelled,
                });
            }
            Err(cause) => {
                self.errors.push(format!("{place}: {} {}: {cause}", kind.as_str(), quote(&name)));
            }
        }
    }
}

fn namespace_of(meta: &objects::Meta) -> String {
    meta.namespace.clone().filter(|n| !n.is_empty()).unwrap_or_else(|| "default".to_owned())
}

/// Taints that state a condition of the node, not a decision of its owner
/// (kubernetes `staging/src/k8s.io/api/core/v1/well_known_taints.go` and
/// `staging/src/k8s.io/cloud-provider/api/well_known_taints.go`, 1.31).
fn is_condition(key: &str) -> bool {
    ["node.kubernetes.io/", "node.cloudprovider.kubernetes.io/"]
        .iter()
        .any(|domain| key.starts_with(domain))
}

fn effect(text: &str) -> Option<TaintEffect> {
    match text {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

fn node(object: &NodeObject) -> std::result::Result<Node, String> {
    let labels = &object.metadata.labels;
    let first = |keys: &[&str]| {
        keys.iter().find_map(|key| labels.get(*key)).filter(|v| !v.is_empty()).cloned()
    };
    let bought = first(&["eks.amazonaws.com/capacityType", "karpenter.sh/capacity-type"]);
    let capacity = requests::of_node(&object.status.capacity)?;
    let stated = requests::of_node(&object.status.allocatable)?;
    let info = &object.status.node_info;
    let os = info.operating_system.clone().or_else(|| first(&["kubernetes.io/os"]));
    Ok(Node {
        name: object.metadata.name.clone(),
        instance_type: first(&[
            "node.kubernetes.io/instance-type",
            "beta.kubernetes.io/instance-type",
        ]),
        zone: first(&["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"]),
        region: first(&[
            "topology.kubernetes.io/region",
            "failure-domain.beta.kubernetes.io/region",
        ]),
        capacity_type: bought.map(|kind| {
            if kind.eq_ignore_ascii_case("spot") {
                CapacityType::Spot
            } else {
                CapacityType::OnDemand
            }
        }),
        group: first(&[
            "eks.amazonaws.com/nodegroup",
            "karpenter.sh/nodepool",
            "karpenter.sh/provisioner-name",
            "alpha.eksctl.io/nodegroup-name",
        ]),
        fargate: labels.get("eks.amazonaws.com/compute-type").is_some_and(|v| v == "fargate"),
        foreign_os: os.filter(|os| os != "linux"),
        arch: info.architecture.clone().or_else(|| first(&["kubernetes.io/arch"])),
        labels: labels.clone(),
        taints: object
            .spec
            .taints
            .iter()
            // The API server takes no taint without a key.
            .filter(|t| !t.key.is_empty() && !is_condition(&t.key))
            .filter_map(|t| {
                let effect = effect(&t.effect)?;
                Some(Taint { key: t.key.clone(), value: t.value.clone(), effect })
            })
            .collect(),
        allocatable: Amounts {
            cpu: stated.cpu.or(capacity.cpu),
            memory: stated.memory.or(capacity.memory),
            pods: stated.pods.or(capacity.pods),
            extended: stated.extended,
            ..Amounts::default()
        },
        capacity,
        external_ip: object.status.addresses.iter().any(|a| a.kind == "ExternalIP"),
        kubelet_version: info.kubelet_version.clone().filter(|v| !v.is_empty()),
    })
}
