//! The parts of Kubernetes API objects that decide where a pod goes, as the
//! API server stores them (`core/v1`, `apps/v1`, `policy/v1`, 1.31). Other
//! fields are skipped; a missing field and an explicit `null` are the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kubernetes::{Quantities, or_default};

/// Declares structs whose fields are all optional.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$more:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[allow(clippy::struct_field_names)] // The names are those of the API.
        pub(super) struct $name {
            $(
                $(#[$more])*
                #[serde(deserialize_with = "or_default")]
                pub(super) $field: $type,
            )*
        }
    )*};
}

objects! {
    /// `metadata`.
    Meta {
        name: String,
        namespace: Option<String>,
        labels: BTreeMap<String, String>,
        owner_references: Vec<Owner>,
        deletion_timestamp: Option<String>,
    }

    /// An entry of `metadata.ownerReferences`.
    Owner {
        api_version: String,
        kind: String,
        name: String,
        controller: bool,
    }

    /// A Node.
    Node {
        metadata: Meta,
        spec: NodeSpec,
        status: NodeStatus,
    }

    /// `spec` of a Node.
    NodeSpec {
        taints: Vec<Taint>,
        unschedulable: bool,
    }

    /// A taint.
    Taint {
        key: String,
        value: String,
        effect: String,
    }

    /// `status` of a Node.
    NodeStatus {
        allocatable: Quantities,
    }

    /// A Pod.
    Pod {
        metadata: Meta,
        spec: PodSpec,
        status: PodStatus,
    }

    /// `spec` of a Pod.
    PodSpec {
        node_name: String,
        node_selector: BTreeMap<String, String>,
        affinity: Affinity,
        tolerations: Vec<Toleration>,
        topology_spread_constraints: Vec<Spread>,
        containers: Vec<Container>,
        init_containers: Vec<Container>,
        overhead: Quantities,
        priority: i32,
        preemption_policy: String,
    }

    /// `status` of a Pod.
    PodStatus {
        phase: String,
        start_time: Option<String>,
    }

    /// A container.
    Container {
        image: String,
        restart_policy: String,
        resources: Resources,
        ports: Vec<Port>,
    }

    /// `resources` of a container.
    Resources {
        requests: Quantities,
    }

    /// A port of a container.
    Port {
        host_port: i32,
        #[serde(rename = "hostIP")]
        host_ip: String,
        protocol: String,
    }

    /// A toleration.
    Toleration {
        key: String,
        operator: String,
        value: String,
        effect: String,
    }

    /// `affinity`.
    Affinity {
        node_affinity: NodeAffinity,
        pod_affinity: PodTerms,
        pod_anti_affinity: PodTerms,
    }

    /// `nodeAffinity`.
    NodeAffinity {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        required: Option<NodeSelector>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        preferred: Vec<PreferredNodes>,
    }

    /// A node selector.
    NodeSelector {
        node_selector_terms: Vec<NodeTerm>,
    }

    /// One alternative of a node selector.
    NodeTerm {
        match_expressions: Vec<Expression>,
        match_fields: Vec<Expression>,
    }

    /// A preferred node selector term.
    PreferredNodes {
        weight: i32,
        preference: NodeTerm,
    }

    /// A condition of a selector.
    Expression {
        key: String,
        operator: String,
        values: Vec<String>,
    }

    /// `podAffinity` or `podAntiAffinity`.
    PodTerms {
        #[serde(rename = "requiredDuringSchedulingIgnoredDuringExecution")]
        required: Vec<PodTerm>,
        #[serde(rename = "preferredDuringSchedulingIgnoredDuringExecution")]
        preferred: Vec<PreferredPods>,
    }

    /// A pod affinity term.
    PodTerm {
        label_selector: Option<Selector>,
        namespaces: Vec<String>,
        namespace_selector: Option<Selector>,
        topology_key: String,
    }

    /// A preferred pod affinity term.
    PreferredPods {
        weight: i32,
        pod_affinity_term: PodTerm,
    }

    /// A label selector.
    Selector {
        match_labels: BTreeMap<String, String>,
        match_expressions: Vec<Expression>,
    }

    /// A topology spread constraint.
    Spread {
        max_skew: i32,
        topology_key: String,
        when_unsatisfiable: String,
        label_selector: Option<Selector>,
        min_domains: Option<i32>,
        node_affinity_policy: String,
        node_taints_policy: String,
        match_label_keys: Vec<String>,
    }

    /// A Namespace.
    Namespace {
        metadata: Meta,
    }

    /// A Service.
    Service {
        metadata: Meta,
        spec: ServiceSpec,
    }

    /// `spec` of a Service; a `ReplicationController` selects the same way.
    ServiceSpec {
        selector: BTreeMap<String, String>,
    }

    /// A `ReplicaSet` or `StatefulSet`.
    Owning {
        metadata: Meta,
        spec: OwningSpec,
    }

    /// `spec` of what owns pods.
    OwningSpec {
        selector: Option<Selector>,
    }

    /// A `PodDisruptionBudget`.
    Budget {
        metadata: Meta,
        spec: OwningSpec,
        status: BudgetStatus,
    }

    /// `status` of a `PodDisruptionBudget`.
    BudgetStatus {
        disruptions_allowed: i32,
        disrupted_pods: BTreeMap<String, serde_json::Value>,
    }
}
