//! The filters of the default profile that depend on a single node, in
//! upstream order, each rejection with its reason (kube-scheduler 1.31,
//! `framework/plugins`: `NodeUnschedulable`, `TaintToleration`,
//! `NodeAffinity`, `NodeResourcesFit`).

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
}

/// The first filter that rejects the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// `NodeUnschedulable`: closed to new pods.
    Closed,
    /// `TaintToleration`: this taint is not tolerated.
    Taint(Taint),
    /// `NodeAffinity`: the node lacks this label value.
    NodeSelector {
        /// Label.
        key: String,
        /// Value the pod asks for.
        value: String,
    },
    /// `NodeResourcesFit`.
    Resources(Insufficient),
}

impl Rejection {
    /// The upstream name of the filter.
    #[must_use]
    pub fn plugin(&self) -> &'static str {
        match self {
            Rejection::Closed => "NodeUnschedulable",
            Rejection::Taint(_) => "TaintToleration",
            Rejection::NodeSelector { .. } => "NodeAffinity",
            Rejection::Resources(_) => "NodeResourcesFit",
        }
    }

    /// The reasons in upstream words (1.31: `nodeunschedulable`,
    /// `tainttoleration`, `nodeaffinity`, `noderesources/fit.go`); several
    /// where several resources are short. `extended` names them by id.
    #[must_use]
    pub fn reasons(&self, extended: &[String]) -> Vec<String> {
        match self {
            Rejection::Closed => vec!["node(s) were unschedulable".to_owned()],
            Rejection::Taint(taint) => {
                vec![format!("node(s) had untolerated taint {{{}: {}}}", taint.key, taint.value)]
            }
            Rejection::NodeSelector { .. } => {
                vec!["node(s) didn't match Pod's node affinity/selector".to_owned()]
            }
            Rejection::Resources(missing) => {
                let Insufficient { pods, cpu, memory, extended: short } = missing;
                let mut reasons = Vec::new();
                if *pods {
                    reasons.push("Too many pods".to_owned());
                }
                if *cpu {
                    reasons.push("Insufficient cpu".to_owned());
                }
                if *memory {
                    reasons.push("Insufficient memory".to_owned());
                }
                let name = |id: &ExtendedId| extended.get(id.index()).map_or("", String::as_str);
                reasons.extend(short.iter().map(|id| format!("Insufficient {}", name(id))));
                reasons
            }
        }
    }
}

/// How upstream begins what it says of a pod that fits nowhere
/// (`framework/types.go`, `NoNodeAvailableMsg`, 1.31).
pub const NO_NODE_AVAILABLE: &str = "0/{} nodes are available";

/// Runs the filters over one node that is there.
///
/// # Errors
/// The first rejection, in upstream order.
pub fn filter(nodes: &Nodes, slot: Slot, class: &PodClass) -> Result<(), Rejection> {
    if !nodes.open[slot.index()] {
        return Err(Rejection::Closed);
    }
    let traits = nodes.traits_of(nodes.traits[slot.index()]);
    if let Some(taint) = first_untolerated(traits, class) {
        return Err(Rejection::Taint(taint.clone()));
    }
    if let Some((key, value)) =
        class.node_selector.iter().find(|(k, v)| traits.label(k) != Some(v.as_str()))
    {
        return Err(Rejection::NodeSelector { key: key.clone(), value: value.clone() });
    }
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
        let selector = Rejection::NodeSelector { key: "a".into(), value: "b".into() };
        assert_eq!(selector.reasons(&names), ["node(s) didn't match Pod's node affinity/selector"]);
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
