//! Constraints of a pod beyond its requests, node selector and tolerations,
//! in the terms of the Kubernetes API (`core/v1`, 1.31).
//!
//! Everything here is resolved: namespace selectors are lists of namespaces,
//! `matchLabelKeys` are folded into selectors, and the Services and owners that
//! stand behind default spreading are one selector. So a pod needs nothing but
//! its class to be placed.

/// How a requirement compares (`NodeSelectorOperator`, `LabelSelectorOperator`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// The value is one of these.
    In,
    /// The label is missing, or its value is none of these.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is missing.
    DoesNotExist,
    /// The value is a larger integer (nodes only).
    Gt,
    /// The value is a smaller integer (nodes only).
    Lt,
}

/// One condition on a label or field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// Label or field.
    pub key: String,
    /// How it compares.
    pub operator: Operator,
    /// What with; one integer for `Gt` and `Lt`, none for `Exists` and
    /// `DoesNotExist`.
    pub values: Vec<String>,
}

impl Requirement {
    /// The requirement that a label has this value.
    #[must_use]
    pub fn equals(key: &str, value: &str) -> Self {
        Requirement { key: key.to_owned(), operator: Operator::In, values: vec![value.to_owned()] }
    }

    /// Whether a label with this value, or without any, satisfies it
    /// (`apimachinery/pkg/labels/selector.go`, `Requirement.Matches`, 1.31).
    /// What is no integer satisfies neither `Gt` nor `Lt`.
    #[must_use]
    pub fn matches(&self, value: Option<&str>) -> bool {
        let among = || value.is_some_and(|value| self.values.iter().any(|v| v == value));
        let compare = || {
            let own: i64 = value?.parse().ok()?;
            let other: i64 = self.values.first()?.parse().ok()?;
            Some(own.cmp(&other))
        };
        match self.operator {
            Operator::In => among(),
            Operator::NotIn => !among(),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => compare().is_some_and(std::cmp::Ordering::is_gt),
            Operator::Lt => compare().is_some_and(std::cmp::Ordering::is_lt),
        }
    }
}

/// Sorted labels of a pod or node.
pub type Labels = [(String, String)];

/// The value of a label in sorted labels.
#[must_use]
pub fn label<'a>(labels: &'a Labels, key: &str) -> Option<&'a str> {
    let at = labels.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
    Some(labels[at].1.as_str())
}

/// A selector of pods: all requirements hold. Without any it selects every
/// pod; a selector that is absent selects none and is `None` where one is
/// meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LabelSelector {
    /// Sorted.
    pub requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// Whether the labels satisfy every requirement.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|r| r.matches(label(labels, &r.key)))
    }
}

/// One alternative of a node affinity: all of it holds. One that states
/// nothing matches no node (`component-helpers/scheduling/corev1/nodeaffinity`,
/// 1.31).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeSelectorTerm {
    /// Conditions on labels.
    pub match_expressions: Vec<Requirement>,
    /// Conditions on `metadata.name`, the only field there is.
    pub match_fields: Vec<Requirement>,
}

/// The label that a node has with its name, where it states no other.
pub const HOSTNAME_LABEL: &str = "kubernetes.io/hostname";
/// The label with a node's zone.
pub const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

impl NodeSelectorTerm {
    /// Whether a node of these labels and this name satisfies it. Where the
    /// name is not known because the node is none yet, requirements on it are
    /// taken for satisfied.
    #[must_use]
    pub fn matches<'n>(&self, label: impl Fn(&str) -> Option<&'n str>, name: Option<&str>) -> bool {
        if self.match_expressions.is_empty() && self.match_fields.is_empty() {
            return false;
        }
        let labels = self.match_expressions.iter().all(|r| match label(&r.key) {
            None if r.key == HOSTNAME_LABEL => name.is_none_or(|name| r.matches(Some(name))),
            value => r.matches(value),
        });
        labels && self.match_fields.iter().all(|r| name.is_none_or(|name| r.matches(Some(name))))
    }
}

/// Namespaces in which a pod affinity term looks for pods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Namespaces {
    /// Every one (an empty `namespaceSelector`).
    All,
    /// These, sorted.
    Listed(Vec<String>),
}

impl Namespaces {
    /// Whether pods of this namespace are looked at.
    #[must_use]
    pub fn contains(&self, namespace: &str) -> bool {
        match self {
            Namespaces::All => true,
            Namespaces::Listed(names) => names.iter().any(|n| n == namespace),
        }
    }
}

/// A term of pod affinity or anti-affinity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodAffinityTerm {
    /// Label whose equal values make nodes one domain.
    pub topology_key: String,
    /// Which pods; `None` selects none.
    pub selector: Option<LabelSelector>,
    /// In which namespaces.
    pub namespaces: Namespaces,
}

impl PodAffinityTerm {
    /// Whether the term means a pod with these constraints.
    #[must_use]
    pub fn matches(&self, pod: &Constraints) -> bool {
        self.namespaces.contains(&pod.namespace)
            && self.selector.as_ref().is_some_and(|s| s.matches(&pod.labels))
    }
}

/// Something with a weight, 1 to 100.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weighted<T> {
    /// Its weight.
    pub weight: i64,
    /// What is preferred.
    pub term: T,
}

/// A topology spread constraint.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpreadConstraint {
    /// `maxSkew`, at least 1.
    pub max_skew: i64,
    /// Label whose equal values make nodes one domain.
    pub topology_key: String,
    /// `DoNotSchedule`; otherwise `ScheduleAnyway`.
    pub hard: bool,
    /// Which pods of the namespace count, `matchLabelKeys` folded in; `None`
    /// counts none.
    pub selector: Option<LabelSelector>,
    /// `minDomains`; 1 where absent.
    pub min_domains: i64,
    /// `nodeAffinityPolicy: Honor`.
    pub honor_affinity: bool,
    /// `nodeTaintsPolicy: Honor`.
    pub honor_taints: bool,
}

/// A port of the node that a container takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// Address it listens on; `0.0.0.0` where none is stated, which means all.
    pub ip: String,
    /// Port.
    pub port: u16,
}

impl HostPort {
    /// Whether both cannot be on one node (`framework/types.go`,
    /// `HostPortInfo.CheckConflict`, 1.31).
    #[must_use]
    pub fn conflicts(&self, other: &HostPort) -> bool {
        const ALL: &str = "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == ALL || other.ip == ALL)
    }
}

/// A class's constraints, and by what those of others know its pods.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Constraints {
    /// Namespace of the pods.
    pub namespace: String,
    /// Labels of the pods, sorted by key.
    pub labels: Vec<(String, String)>,
    /// `spec.nodeName` of a pod that is not bound yet.
    pub node_name: Option<String>,
    /// Required node affinity: one of the terms holds; `None` where there is
    /// none.
    pub required_nodes: Option<Vec<NodeSelectorTerm>>,
    /// Preferred node affinity.
    pub preferred_nodes: Vec<Weighted<NodeSelectorTerm>>,
    /// Required pod affinity.
    pub affinity: Vec<PodAffinityTerm>,
    /// Required pod anti-affinity.
    pub anti_affinity: Vec<PodAffinityTerm>,
    /// Preferred pod affinity.
    pub preferred_affinity: Vec<Weighted<PodAffinityTerm>>,
    /// Preferred pod anti-affinity.
    pub preferred_anti_affinity: Vec<Weighted<PodAffinityTerm>>,
    /// Its own topology spread constraints.
    pub spread: Vec<SpreadConstraint>,
    /// What the scheduler's default constraints count for a pod without its
    /// own: the conjunction of the selectors of the Services that select the
    /// pod and of its `ReplicaSet`, `StatefulSet` or `ReplicationController`
    /// (`plugins/helper/spread.go`, 1.31). `None` where there is none of
    /// them.
    pub default_spread: Option<LabelSelector>,
    /// Ports of the node.
    pub host_ports: Vec<HostPort>,
    /// Images of its containers, init containers first, with repetitions.
    pub images: Vec<String>,
    /// How many of `images` are of init containers.
    pub init_images: u32,
    /// Zones that its bound volumes allow (`VolumeZone`, `VolumeBinding`),
    /// sorted; `None` where no volume restricts them.
    pub volume_zones: Option<Vec<String>>,
    /// EBS volumes that it attaches to its node (`NodeVolumeLimits`).
    pub attached_volumes: u32,
    /// `ReadWriteOncePod` claims that it uses, sorted (`VolumeRestrictions`).
    pub exclusive_claims: Vec<String>,
    /// It is being deleted: spreading does not count it any more.
    pub terminating: bool,
}

impl Constraints {
    /// Whether required node affinity and the zones of volumes let the pod on a
    /// node of these labels; see [`NodeSelectorTerm::matches`] for the name.
    #[must_use]
    pub fn allow_node<'n>(
        &self,
        label: impl Fn(&str) -> Option<&'n str>,
        name: Option<&str>,
    ) -> bool {
        let required = self.required_nodes.as_ref();
        let affine = required.is_none_or(|any| any.iter().any(|t| t.matches(&label, name)));
        let zone = || label(ZONE_LABEL);
        let in_zone = |zones: &Vec<String>| {
            zone().is_some_and(|zone| zones.iter().any(|allowed| allowed == zone))
        };
        affine && self.volume_zones.as_ref().is_none_or(in_zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_satisfy_one_term_in_full_and_names_may_be_open() {
        let labels = [("disk", "ssd"), ("cores", "8")];
        let label = |key: &str| labels.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        let many =
            Requirement { key: "cores".into(), operator: Operator::Gt, values: vec!["4".into()] };
        let term = |expressions: &[Requirement], fields: &[Requirement]| NodeSelectorTerm {
            match_expressions: expressions.to_vec(),
            match_fields: fields.to_vec(),
        };
        let ssd = Requirement::equals("disk", "ssd");
        assert!(term(&[ssd.clone(), many.clone()], &[]).matches(label, None));
        assert!(!term(&[Requirement::equals("disk", "hdd"), many], &[]).matches(label, None));
        assert!(!term(&[], &[]).matches(label, None));
        let named = term(
            &[Requirement::equals(HOSTNAME_LABEL, "a")],
            &[Requirement::equals("metadata.name", "a")],
        );
        assert!(named.matches(label, None) && named.matches(label, Some("a")));
        assert!(!named.matches(label, Some("b")));
        let mut pod = Constraints {
            required_nodes: Some(vec![
                term(&[Requirement::equals("disk", "hdd")], &[]),
                term(&[ssd], &[]),
            ]),
            ..Constraints::default()
        };
        assert!(pod.allow_node(label, None));
        pod.volume_zones = Some(vec!["us-east-1a".into()]);
        assert!(!pod.allow_node(label, None));
    }

    fn requirement(operator: Operator, values: &[&str]) -> Requirement {
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        Requirement { key: "k".into(), operator, values }
    }

    #[test]
    fn requirements_compare_as_upstream() {
        for (operator, values, value, want) in [
            (Operator::In, vec!["a", "b"], Some("b"), true),
            (Operator::In, vec!["a"], None, false),
            (Operator::NotIn, vec!["a"], Some("a"), false),
            (Operator::NotIn, vec!["a"], None, true),
            (Operator::Exists, vec![], Some(""), true),
            (Operator::Exists, vec![], None, false),
            (Operator::DoesNotExist, vec![], None, true),
            (Operator::Gt, vec!["3"], Some("4"), true),
            (Operator::Gt, vec!["3"], Some("3"), false),
            (Operator::Gt, vec!["3"], Some("x"), false),
            (Operator::Lt, vec!["3"], Some("-1"), true),
            (Operator::Lt, vec!["3"], None, false),
        ] {
            let requirement = requirement(operator, &values);
            assert_eq!(requirement.matches(value), want, "{requirement:?} {value:?}");
        }
    }

    #[test]
    fn an_empty_selector_selects_all_and_an_absent_one_none() {
        let labels = vec![("app".to_owned(), "web".to_owned())];
        assert!(LabelSelector::default().matches(&labels));
        let pod = Constraints { namespace: "a".into(), labels, ..Constraints::default() };
        let mut term = PodAffinityTerm {
            topology_key: "zone".into(),
            selector: None,
            namespaces: Namespaces::All,
        };
        assert!(!term.matches(&pod));
        term.selector =
            Some(LabelSelector { requirements: vec![Requirement::equals("app", "web")] });
        assert!(term.matches(&pod));
        term.namespaces = Namespaces::Listed(vec!["b".into()]);
        assert!(!term.matches(&pod));
    }

    #[test]
    fn ports_conflict_by_protocol_port_and_address() {
        let port = |ip: &str, protocol: &str| HostPort {
            protocol: protocol.into(),
            ip: ip.into(),
            port: 80,
        };
        assert!(port("0.0.0.0", "TCP").conflicts(&port("10.0.0.1", "TCP")));
        assert!(port("10.0.0.1", "TCP").conflicts(&port("10.0.0.1", "TCP")));
        assert!(!port("10.0.0.1", "TCP").conflicts(&port("10.0.0.2", "TCP")));
        assert!(!port("0.0.0.0", "TCP").conflicts(&port("0.0.0.0", "UDP")));
    }
}
