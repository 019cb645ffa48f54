//! Rejections in upstream words, and the filters of the default profile that
//! look at no other pod than by its requests (kube-scheduler 1.31,
//! `framework/plugins`: `NodeUnschedulable`, `NodeName`, `TaintToleration`,
//! `NodeAffinity`, `NodeResourcesFit`).

use super::plugins::required_matches;
use crate::cluster::{NodeTraits, Nodes, Slot, first_untolerated};
use crate::workload::{ExtendedId, PodClass, Taint, TaintEffect};

/// What a node has too little of. All shortages are named, as upstream does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Insufficient {
    /// The node holds as many pods as it may.
    pub pods: bool,
    /// Too little free cpu.
    pub cpu: bool,
    /// Too little free memory.
    pub memory: bool,
    /// Extended resources of which too little is free.
    pub extended: Vec<ExtendedId>,
}

impl Insufficient {
    fn any(&self) -> bool {
        self.pods || self.cpu || self.memory || !self.extended.is_empty()
    }

    fn reasons(&self, extended: &[String]) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.pods {
            reasons.push("Too many pods".to_owned());
        }
        if self.cpu {
            reasons.push("Insufficient cpu".to_owned());
        }
        if self.memory {
            reasons.push("Insufficient memory".to_owned());
        }
        let name = |id: &ExtendedId| extended.get(id.index()).map_or("", String::as_str);
        reasons.extend(self.extended.iter().map(|id| format!("Insufficient {}", name(id))));
        reasons
    }
}

/// The first filter that rejects the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// `NodeUnschedulable`: closed to new pods.
    Closed,
    /// `NodeName`: the pod names another node.
    OtherNode,
    /// `TaintToleration`: this taint is not tolerated.
    Taint(Taint),
    /// `NodeAffinity`: the node does not satisfy node selector or required
    /// affinity.
    NodeAffinity,
    /// `NodeAffinity`, of the pod as a whole: it names nodes that exclude each
    /// other.
    NamesConflict,
    /// `NodePorts`: a port is taken.
    HostPorts,
    /// `NodeResourcesFit`.
    Resources(Insufficient),
    /// `VolumeRestrictions`: another pod uses a claim that is for one.
    ClaimInUse,
    /// `NodeVolumeLimits`: the node can attach no more volumes.
    VolumeLimit,
    /// `VolumeZone`: the volumes are elsewhere.
    VolumeZone,
    /// `PodTopologySpread`: the node lacks a topology key.
    SpreadLabel,
    /// `PodTopologySpread`: the skew would be too large.
    SpreadSkew,
    /// `InterPodAffinity`: a required affinity is not satisfied.
    Affinity,
    /// `InterPodAffinity`: a pod there is kept away from.
    AntiAffinity,
    /// `InterPodAffinity`: a pod there keeps this one away.
    ExistingAntiAffinity,
}

impl Rejection {
    /// The upstream name of the filter.
    #[must_use]
    pub fn plugin(&self) -> &'static str {
        match self {
            Rejection::Closed => "NodeUnschedulable",
            Rejection::OtherNode => "NodeName",
            Rejection::Taint(_) => "TaintToleration",
            Rejection::NodeAffinity | Rejection::NamesConflict => "NodeAffinity",
            Rejection::HostPorts => "NodePorts",
            Rejection::Resources(_) => "NodeResourcesFit",
            Rejection::ClaimInUse => "VolumeRestrictions",
            Rejection::VolumeLimit => "NodeVolumeLimits",
            Rejection::VolumeZone => "VolumeZone",
            Rejection::SpreadLabel | Rejection::SpreadSkew => "PodTopologySpread",
            Rejection::Affinity | Rejection::AntiAffinity | Rejection::ExistingAntiAffinity => {
                "InterPodAffinity"
            }
        }
    }

    /// Whether the node may become feasible by pods leaving it: preemption
    /// looks at no other (`Unschedulable` against
    /// `UnschedulableAndUnresolvable` in each filter, 1.31).
    #[must_use]
    pub fn resolvable(&self) -> bool {
        match self {
            Rejection::HostPorts
            | Rejection::Resources(_)
            | Rejection::ClaimInUse
            | Rejection::VolumeLimit
            | Rejection::SpreadSkew
            | Rejection::AntiAffinity
            | Rejection::ExistingAntiAffinity => true,
            Rejection::Closed
            | Rejection::OtherNode
            | Rejection::Taint(_)
            | Rejection::NodeAffinity
            | Rejection::NamesConflict
            | Rejection::VolumeZone
            | Rejection::SpreadLabel
            | Rejection::Affinity => false,
        }
    }

    /// The reasons in upstream words (the `ErrReason` constants of each
    /// plugin, 1.31); several where several resources are short. `extended`
    /// names them by id.
    #[must_use]
    pub fn reasons(&self, extended: &[String]) -> Vec<String> {
        let one = match self {
            Rejection::Resources(missing) => return missing.reasons(extended),
            Rejection::Taint(taint) => {
                return vec![format!(
                    "node(s) had untolerated taint {{{}: {}}}",
                    taint.key, taint.value
                )];
            }
            Rejection::Closed => "node(s) were unschedulable",
            Rejection::OtherNode => "node(s) didn't match the requested node name",
            Rejection::NodeAffinity => "node(s) didn't match Pod's node affinity/selector",
            Rejection::NamesConflict => "pod affinity terms conflict",
            Rejection::HostPorts => "node(s) didn't have free ports for the requested pod ports",
            Rejection::ClaimInUse => {
                "node has pod using PersistentVolumeClaim with the same name and \
                 ReadWriteOncePod access mode"
            }
            Rejection::VolumeLimit => "node(s) exceed max volume count",
            Rejection::VolumeZone => "node(s) had no available volume zone",
            Rejection::SpreadLabel => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Rejection::SpreadSkew => "node(s) didn't match pod topology spread constraints",
            Rejection::Affinity => "node(s) didn't match pod affinity rules",
            Rejection::AntiAffinity => "node(s) didn't match pod anti-affinity rules",
            Rejection::ExistingAntiAffinity => {
                "node(s) didn't satisfy existing pods anti-affinity rules"
            }
        };
        vec![one.to_owned()]
    }
}

/// How upstream begins what it says of a pod that fits nowhere
/// (`framework/types.go`, `NoNodeAvailableMsg`, 1.31).
pub const NO_NODE_AVAILABLE: &str = "0/{} nodes are available";

/// The key of the taint that stands for `spec.unschedulable`.
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

/// Runs over one node that is there what depends on it and the pod alone, in
/// upstream order: all that an empty node can be rejected for, apart from
/// spreading and pod affinity.
///
/// # Errors
/// The first rejection.
pub fn filter(nodes: &Nodes, slot: Slot, class: &PodClass) -> Result<(), Rejection> {
    filter_alone(nodes, slot, class)?;
    resources_rejection(nodes, slot, class)
}

/// The filters before `NodePorts`, none of which looks at other pods.
pub(super) fn filter_alone(nodes: &Nodes, slot: Slot, class: &PodClass) -> Result<(), Rejection> {
    let traits = nodes.traits_of(nodes.traits[slot.index()]);
    if !nodes.open[slot.index()] || (traits.unschedulable && !enters_unschedulable(class)) {
        return Err(Rejection::Closed);
    }
    let named = class.constraints.as_ref().and_then(|c| c.node_name.as_ref());
    if named.is_some_and(|name| name != nodes.name(slot)) {
        return Err(Rejection::OtherNode);
    }
    if let Some(taint) = first_untolerated(traits, class) {
        return Err(Rejection::Taint(taint.clone()));
    }
    if required_matches(nodes, slot, class) { Ok(()) } else { Err(Rejection::NodeAffinity) }
}

/// Whether the pod goes where `spec.unschedulable` is set
/// (`nodeunschedulable/node_unschedulable.go`, 1.31).
pub(super) fn enters_unschedulable(class: &PodClass) -> bool {
    let taint = Taint {
        key: UNSCHEDULABLE.to_owned(),
        value: String::new(),
        effect: TaintEffect::NoSchedule,
    };
    class.tolerations.iter().any(|t| t.tolerates(&taint))
}

/// `NodeResourcesFit`.
pub(super) fn resources_rejection(
    nodes: &Nodes,
    slot: Slot,
    class: &PodClass,
) -> Result<(), Rejection> {
    let missing = insufficient(nodes, slot, class);
    if missing.any() { Err(Rejection::Resources(missing)) } else { Ok(()) }
}

/// `NodeResourcesFit` (`noderesources/fit.go`, 1.31): the pod count always,
/// other resources only where the pod requests them.
fn insufficient(nodes: &Nodes, slot: Slot, class: &PodClass) -> Insufficient {
    let i = slot.index();
    let requests = &class.requests;
    let short = |request: i64, free: i64| request > 0 && request > free;
    Insufficient {
        pods: nodes.pods[i] >= nodes.alloc_pods[i],
        cpu: short(requests.cpu.0, nodes.alloc_cpu[i] - nodes.cpu[i]),
        memory: short(requests.memory.0, nodes.alloc_memory[i] - nodes.memory[i]),
        extended: requests
            .extended
            .iter()
            .filter(|(id, amount)| {
                let index = i * nodes.extended_names() + id.index();
                short(*amount, nodes.alloc_extended[index] - nodes.extended[index])
            })
            .map(|(id, _)| *id)
            .collect(),
    }
}

/// The quick check on a node that appeared or changed, apart from its free
/// capacity: node selector and `NoSchedule` taints only (`eventhandlers.go`,
/// `preCheckForNode`, 1.31).
#[must_use]
pub fn worth_requeuing(traits: &NodeTraits, class: &PodClass) -> bool {
    class.node_selector.iter().all(|(k, v)| traits.label(k) == Some(v.as_str()))
        && traits
            .taints
            .iter()
            .filter(|t| t.effect == TaintEffect::NoSchedule)
            .all(|taint| class.tolerations.iter().any(|t| t.tolerates(taint)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{class, cluster, taint};
    use super::*;
    use crate::cluster::TraitsId;

    #[test]
    fn the_first_failing_filter_is_named_in_upstream_order() {
        let mut nodes = cluster(&[(1_000, 1_000, 1)]);
        let tainted = nodes.intern(NodeTraits {
            labels: vec![("zone".into(), "a".into())],
            taints: vec![taint("dedicated", "db", TaintEffect::NoSchedule)],
            ..NodeTraits::default()
        });
        let slot = Slot(0);
        let mut pod = class(2_000, 2_000);
        pod.requests.extended = vec![(ExtendedId(0), 1)];
        pod.node_selector = vec![("zone".into(), "b".into())];
        nodes.traits[0] = tainted;
        nodes.open[0] = false;
        assert_eq!(filter(&nodes, slot, &pod), Err(Rejection::Closed));
        nodes.open[0] = true;
        let plugin = |nodes: &Nodes, pod: &PodClass| {
            filter(nodes, slot, pod).err().map(|rejection| rejection.plugin())
        };
        assert_eq!(plugin(&nodes, &pod), Some("TaintToleration"));
        nodes.traits[0] = TraitsId(0);
        assert_eq!(plugin(&nodes, &pod), Some("NodeAffinity"));
        pod.node_selector.clear();
        assert_eq!(
            filter(&nodes, slot, &pod),
            Err(Rejection::Resources(Insufficient {
                pods: false,
                cpu: true,
                memory: true,
                extended: vec![ExtendedId(0)],
            }))
        );
        nodes.place(slot, &class(0, 0).requests);
        assert_eq!(plugin(&nodes, &class(0, 0)), Some("NodeResourcesFit"));
    }

    #[test]
    fn reasons_are_worded_as_upstream_words_them() {
        let names = vec!["nvidia.com/gpu".to_owned()];
        let missing =
            Insufficient { pods: true, cpu: true, memory: true, extended: vec![ExtendedId(0)] };
        assert_eq!(
            Rejection::Resources(missing).reasons(&names),
            [
                "Too many pods",
                "Insufficient cpu",
                "Insufficient memory",
                "Insufficient nvidia.com/gpu"
            ]
        );
        assert_eq!(
            Rejection::Taint(taint("dedicated", "gpu", TaintEffect::NoSchedule)).reasons(&names),
            ["node(s) had untolerated taint {dedicated: gpu}"]
        );
        assert_eq!(
            Rejection::NodeAffinity.reasons(&names),
            ["node(s) didn't match Pod's node affinity/selector"]
        );
        assert_eq!(Rejection::Closed.reasons(&names), ["node(s) were unschedulable"]);
    }

    #[test]
    fn requeuing_ignores_no_execute() {
        let pod = class(1, 1);
        let mut traits = NodeTraits {
            labels: Vec::new(),
            taints: vec![taint("maintenance", "", TaintEffect::NoExecute)],
            ..NodeTraits::default()
        };
        assert!(worth_requeuing(&traits, &pod));
        traits.taints.push(taint("dedicated", "db", TaintEffect::NoSchedule));
        assert!(!worth_requeuing(&traits, &pod));
    }
}
