//! A running cluster as other people's exports describe it, whatever the
//! format: nodes, pods, what their owners want, and what was noticed on the
//! way.
//!
//! Readers fill a [`Cluster`]; the scenario writer turns it into a file. What a
//! source does not say stays `None`. Nothing here knows a price: instance types
//! are names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::units::{Bytes, MilliCpu};
use crate::workload::{Taint, Toleration};

/// A cluster at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cluster {
    /// Nodes, by name.
    pub nodes: BTreeMap<String, Node>,
    /// Pods that hold or want a place, by namespace and name.
    pub pods: BTreeMap<(String, String), Pod>,
    /// What owners of pods want, where the source lists owners.
    pub wanted: Vec<Wanted>,
    /// Labels of namespaces, where the source lists namespaces.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Services that select pods, by namespace and name.
    pub services: BTreeMap<(String, String), BTreeMap<String, String>>,
    /// `PodDisruptionBudget`s, by namespace and name.
    pub budgets: BTreeMap<(String, String), Budget>,
    /// What was left out or doubted.
    pub findings: Findings,
}

/// An amount of everything a node has or a pod asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amounts {
    /// Cpu.
    pub cpu: Option<MilliCpu>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// Pods; meaningful for nodes only.
    pub pods: Option<u32>,
    /// Extended resources such as `nvidia.com/gpu`, whole units above 0.
    pub extended: BTreeMap<String, i64>,
    /// Of a pod: what the scheduler's score counts as cpu, where that is neither
    /// `cpu` nor the default of one container without a request.
    pub nonzero_cpu: Option<MilliCpu>,
    /// As `nonzero_cpu`, of memory.
    pub nonzero_memory: Option<Bytes>,
}

/// How a node is bought, as its labels say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapacityType {
    /// Stays until terminated.
    OnDemand,
    /// May be reclaimed.
    Spot,
}

/// A node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Instance type, where the source says.
    pub instance_type: Option<String>,
    /// Availability Zone.
    pub zone: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// How it is bought; `None` where the source does not say.
    pub capacity_type: Option<CapacityType>,
    /// The node group or NodePool it belongs to.
    pub group: Option<String>,
    /// One of the machines that EKS shows for each Fargate pod.
    pub fargate: bool,
    /// `kubernetes.io/os` of a node that is not Linux.
    pub foreign_os: Option<String>,
    /// `kubernetes.io/arch`.
    pub arch: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Taints that are set by configuration; conditions such as
    /// `node.kubernetes.io/not-ready` are not among them.
    pub taints: BTreeSet<Taint>,
    /// What the operating system sees.
    pub capacity: Amounts,
    /// What pods may request.
    pub allocatable: Amounts,
    /// Whether it has an external address.
    pub external_ip: bool,
    /// Version of its kubelet, as in `v1.33.5-eks-3abbec1`.
    pub kubelet_version: Option<String>,
}

/// What owns a pod, as far up as the source tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Kind of the owner.
    pub kind: OwnerKind,
    /// Its name; for a pod without owner, the pod's.
    pub name: String,
}

/// Kinds of owners.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OwnerKind {
    /// Deployment.
    Deployment,
    /// ReplicaSet without a Deployment.
    ReplicaSet,
    /// StatefulSet.
    StatefulSet,
    /// DaemonSet.
    DaemonSet,
    /// Job of no CronJob.
    Job,
    /// CronJob.
    CronJob,
    /// A node: the pod is written on its disk (static pod).
    Node,
    /// Nothing: the pod was created by itself.
    None,
    /// Anything else, by its kind.
    Other(String),
}

impl OwnerKind {
    /// The kind in Kubernetes' own words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            OwnerKind::Deployment => "Deployment",
            OwnerKind::ReplicaSet => "ReplicaSet",
            OwnerKind::StatefulSet => "StatefulSet",
            OwnerKind::DaemonSet => "DaemonSet",
            OwnerKind::Job => "Job",
            OwnerKind::CronJob => "CronJob",
            OwnerKind::Node => "static pod",
            OwnerKind::None => "pod without owner",
            OwnerKind::Other(kind) => kind,
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        match kind {
            "Deployment" => OwnerKind::Deployment,
            "ReplicaSet" => OwnerKind::ReplicaSet,
            "StatefulSet" => OwnerKind::StatefulSet,
            "DaemonSet" => OwnerKind::DaemonSet,
            "Job" => OwnerKind::Job,
            "CronJob" => OwnerKind::CronJob,
            "Node" => OwnerKind::Node,
            other => OwnerKind::Other(other.to_owned()),
        }
    }
}

/// A pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What owns it.
    pub owner: Owner,
    /// Effective requests of the pod as a whole.
    pub requests: Amounts,
    /// The node it is bound to.
    pub node: Option<String>,
    /// Scheduling constraints.
    pub rules: Rules,
}

/// What the scheduler is told about a pod, as far as it is modelled.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rules {
    /// Labels a node must carry.
    pub node_selector: BTreeMap<String, String>,
    /// Taints it tolerates.
    pub tolerations: BTreeSet<Toleration>,
    /// Scheduling priority, higher first.
    pub priority: i32,
    /// `preemptionPolicy: Never`.
    pub never_preempts: bool,
    /// Labels of the pod, but those that its controllers write.
    pub labels: BTreeMap<String, String>,
    /// `affinity`, in the API's own words.
    pub affinity: Option<Words>,
    /// `topologySpreadConstraints`, in the API's own words.
    pub spread: Option<Words>,
    /// `hostPort`, `protocol` and `hostIP` of its containers.
    pub host_ports: BTreeSet<(u16, String, String)>,
}

/// A part of an object in the API's own words, kept as canonical JSON so that
/// equal ones are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Words(String);

impl Words {
    /// Keeps a value.
    #[must_use]
    pub fn new(value: &Value) -> Self {
        Words(value.to_string())
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }
}

/// A `PodDisruptionBudget`.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// `selector`, in the API's own words.
    pub selector: Words,
    /// `minAvailable`; otherwise `maxUnavailable`.
    pub available: bool,
    /// How many, or which percentage.
    pub limit: String,
}

/// What an owner wants, with a pod as its template describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its namespace.
    pub namespace: String,
    /// Its kind and name.
    pub owner: Owner,
    /// Replicas it asks for; `None` for kinds that ask for none, such as a
    /// DaemonSet.
    pub replicas: Option<u32>,
    /// Effective requests of one pod.
    pub requests: Amounts,
    /// Scheduling constraints of its pods.
    pub rules: Rules,
    /// Code and phrase of what else its template says and is not modelled; it
    /// counts where no pod of the owner says so.
    pub not_modelled: Vec<(&'static str, &'static str)>,
}

/// Most examples kept of one finding.
const EXAMPLES: usize = 3;

/// What a finding means for the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Sort {
    /// It is in the scenario, without something that decides in reality.
    NotModelled,
    /// It is not in the scenario.
    LeftOut,
    /// It is in the scenario, on an assumption.
    #[default]
    Doubt,
}

impl Sort {
    /// Its heading in tables.
    #[must_use]
    pub const fn topic(self) -> &'static str {
        match self {
            Sort::NotModelled => "not modelled",
            Sort::LeftOut => "left out",
            Sort::Doubt => "assumed",
        }
    }
}

/// One kind of thing that was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Finding {
    /// What it means.
    pub sort: Sort,
    /// What happened, as a phrase after a count: "pods that …".
    pub text: String,
    /// How often.
    pub count: u64,
    /// The first few it happened to.
    pub examples: Vec<String>,
}

/// What was left out or doubted, counted by code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Findings(BTreeMap<&'static str, Finding>);

impl Findings {
    /// Counts one more that the model does not know in full.
    pub fn not_modelled(&mut self, code: &'static str, text: &str, example: impl Into<String>) {
        self.add(Sort::NotModelled, code, text, example, 1);
    }

    /// Counts one more that is left out.
    pub fn left_out(&mut self, code: &'static str, text: &str, example: impl Into<String>) {
        self.add(Sort::LeftOut, code, text, example, 1);
    }

    /// Counts one more that rests on an assumption.
    pub fn doubt(&mut self, code: &'static str, text: &str, example: impl Into<String>) {
        self.add(Sort::Doubt, code, text, example, 1);
    }

    /// Counts more of `code`. Of each code the first sort and text stay.
    pub fn add(
        &mut self,
        sort: Sort,
        code: &'static str,
        text: &str,
        example: impl Into<String>,
        count: u64,
    ) {
        let finding = self.0.entry(code).or_default();
        finding.count += count;
        if finding.text.is_empty() {
            finding.sort = sort;
            text.clone_into(&mut finding.text);
        }
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example.into());
        }
    }

    /// All of them, by code.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Finding)> {
        self.0.iter().map(|(code, finding)| (*code, finding))
    }

    /// Adds all of another source's.
    pub fn extend(&mut self, more: Findings) {
        for (code, finding) in more.0 {
            let Finding { sort, text, count, examples } = finding;
            let known = self.0.entry(code).or_default();
            if known.text.is_empty() {
                (known.sort, known.text) = (sort, text);
            }
            known.count += count;
            known.examples.extend(examples);
            known.examples.truncate(EXAMPLES);
        }
    }

    /// How often something happened.
    #[must_use]
    pub fn count(&self, code: &str) -> u64 {
        self.0.get(code).map_or(0, |finding| finding.count)
    }

    /// Forgets the examples, which are names.
    pub fn forget_examples(&mut self) {
        self.0.values_mut().for_each(|finding| finding.examples.clear());
    }
}

/// Name of the workload that owns a pod of a ReplicaSet: the Deployment's,
/// which the ReplicaSet's name ends with the pods' `pod-template-hash` after
/// (kubernetes `pkg/controller/deployment/sync.go` `getNewReplicaSet`, 1.31).
#[must_use]
pub fn without_hash<'a>(replica_set: &'a str, hash: &str) -> Option<&'a str> {
    let name = replica_set.strip_suffix(hash)?.strip_suffix('-')?;
    (!hash.is_empty() && !name.is_empty()).then_some(name)
}

/// Name of the CronJob that made a Job: the Job's name ends in the minutes
/// since 1970 of its schedule (kubernetes `pkg/controller/cronjob/utils.go`
/// `getJobNameFromJob`, 1.31). Eight digits reach from 1989 to 2160.
#[must_use]
pub fn without_schedule(job: &str) -> Option<&str> {
    let (name, minutes) = job.rsplit_once('-')?;
    let scheduled = minutes.len() == 8 && minutes.bytes().all(|b| b.is_ascii_digit());
    (scheduled && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_found_by_the_conventions_of_names() {
        assert_eq!(without_hash("web-5d9c7b", "5d9c7b"), Some("web"));
        for (name, hash) in [("web", ""), ("web-a", "b"), ("-a", "a"), ("a", "a"), ("", "")] {
            assert_eq!(without_hash(name, hash), None, "{name} {hash}");
        }
        assert_eq!(without_schedule("report-29371389"), Some("report"));
        for name in ["report", "report-1", "report-2937138x", "-29371389", "29371389", ""] {
            assert_eq!(without_schedule(name), None, "{name}");
        }
    }

    #[test]
    fn findings_count_all_and_show_few() {
        let mut findings = Findings::default();
        for i in 0..5 {
            findings.doubt("odd", "pods that are odd", format!("p{i}"));
        }
        let all: Vec<_> = findings.iter().collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].0, all[0].1.count, all[0].1.examples.len()), ("odd", 5, EXAMPLES));
        assert_eq!((findings.count("odd"), findings.count("other")), (5, 0));
        findings.forget_examples();
        assert!(findings.iter().all(|(_, finding)| finding.examples.is_empty()));
    }
}
