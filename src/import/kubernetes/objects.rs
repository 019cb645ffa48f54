//! The parts of Kubernetes API objects that are read (core/v1, apps/v1 and
//! batch/v1; field names as in their API reference). Everything else in an
//! object is skipped.

use std::collections::BTreeMap;

use serde::{Deserialize, de};
use serde_json::Value;

use crate::kubernetes::{Quantities, or_default};

/// `metadata`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) uid: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) owner_references: Vec<OwnerReference>,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct OwnerReference {
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(default)]
    pub(super) controller: Option<bool>,
}

/// A Node.
#[derive(Debug, Deserialize)]
pub(super) struct NodeObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) spec: NodeSpec,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: NodeStatus,
}

/// `spec` of a Node.
#[derive(Debug, Default, Deserialize)]
pub(super) struct NodeSpec {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) taints: Vec<TaintObject>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) unschedulable: bool,
}

/// A taint.
#[derive(Debug, Deserialize)]
pub(super) struct TaintObject {
    pub(super) key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: String,
    pub(super) effect: String,
}

/// `status` of a Node.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeStatus {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) capacity: Quantities,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) allocatable: Quantities,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) addresses: Vec<Address>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) conditions: Vec<Condition>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) node_info: NodeInfo,
}

/// An address of a Node.
#[derive(Debug, Deserialize)]
pub(super) struct Address {
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// A condition.
#[derive(Debug, Deserialize)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) reason: String,
}

/// `status.nodeInfo`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeInfo {
    #[serde(default)]
    pub(super) kubelet_version: Option<String>,
    #[serde(default)]
    pub(super) operating_system: Option<String>,
    #[serde(default)]
    pub(super) architecture: Option<String>,
}

/// A Pod, or the template of one.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PodObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) spec: PodSpec,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: PodStatus,
}

/// `spec` of a Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodSpec {
    #[serde(default)]
    pub(super) node_name: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) containers: Vec<Container>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) init_containers: Vec<Container>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) overhead: Quantities,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resources: Resources,
    #[serde(default)]
    pub(super) priority: Option<i32>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) node_selector: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) tolerations: Vec<TolerationObject>,
    #[serde(default)]
    pub(super) priority_class_name: Option<String>,
    #[serde(default)]
    pub(super) preemption_policy: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) host_network: bool,
    #[serde(default)]
    pub(super) affinity: Value,
    #[serde(default)]
    pub(super) topology_spread_constraints: Value,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) volumes: Vec<Volume>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) scheduling_gates: Vec<de::IgnoredAny>,
    #[serde(default)]
    pub(super) scheduler_name: Option<String>,
}

/// A container.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Container {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resources: Resources,
    #[serde(default)]
    pub(super) restart_policy: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) ports: Vec<Port>,
}

/// `resources` of a container.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Resources {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) requests: Quantities,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) limits: Quantities,
}

/// A port of a container.
#[derive(Debug, Deserialize)]
pub(super) struct Port {
    #[serde(default, rename = "hostPort")]
    pub(super) host: Option<i64>,
    #[serde(default, rename = "containerPort")]
    pub(super) container: Option<i64>,
    #[serde(default)]
    pub(super) protocol: Option<String>,
    #[serde(default, rename = "hostIP")]
    pub(super) host_ip: Option<String>,
}

/// A volume.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volume {
    #[serde(default)]
    pub(super) persistent_volume_claim: Option<de::IgnoredAny>,
    #[serde(default)]
    pub(super) ephemeral: Option<de::IgnoredAny>,
}

/// A toleration.
#[derive(Debug, Deserialize)]
pub(super) struct TolerationObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) operator: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) effect: String,
}

/// Requirements that must all hold.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeSelectorTerm {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) match_expressions: Vec<Requirement>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) match_fields: Vec<Requirement>,
}

/// A requirement on a label or field.
#[derive(Debug, Deserialize)]
pub(super) struct Requirement {
    pub(super) key: String,
    pub(super) operator: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) values: Vec<String>,
}

/// `status` of a Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PodStatus {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) phase: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) conditions: Vec<Condition>,
    /// Before 1.33; later a condition says the same.
    #[serde(default, deserialize_with = "or_default")]
    pub(super) resize: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) container_statuses: Vec<ContainerStatus>,
}

/// An entry of `status.containerStatuses`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) allocated_resources: Quantities,
}

/// A Deployment, ReplicaSet, StatefulSet, DaemonSet, Job or CronJob.
#[derive(Debug, Deserialize)]
pub(super) struct OwnerObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) spec: OwnerSpec,
}

/// `spec` of an owner.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OwnerSpec {
    #[serde(default)]
    pub(super) replicas: Option<u32>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) template: PodObject,
}

/// A Namespace, of which the labels count.
#[derive(Debug, Deserialize)]
pub(super) struct NamespaceObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
}

/// A Service.
#[derive(Debug, Deserialize)]
pub(super) struct ServiceObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) spec: ServiceSpec,
}

/// `spec` of a Service.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ServiceSpec {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) selector: BTreeMap<String, String>,
}

/// A PodDisruptionBudget.
#[derive(Debug, Deserialize)]
pub(super) struct BudgetObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) spec: BudgetSpec,
}

/// `spec` of a PodDisruptionBudget.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BudgetSpec {
    #[serde(default)]
    pub(super) selector: Value,
    #[serde(default)]
    pub(super) min_available: Value,
    #[serde(default)]
    pub(super) max_unavailable: Value,
}

/// A PriorityClass.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PriorityObject {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) metadata: Meta,
    #[serde(default)]
    pub(super) value: i32,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) global_default: bool,
    #[serde(default)]
    pub(super) preemption_policy: Option<String>,
}
