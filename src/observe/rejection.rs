//! Why a pod can never run: reasons that are counted and told.

/// Why no pool can ever hold a pod. It is rejected as it is submitted, where
/// the real cluster would leave it pending for ever. Those of nodes stand in
/// the order in which they are looked at: of several nodes the one that lacks
/// the last counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// No pool it may go to can have a node.
    NoNodes,
    /// No node carries the labels that its `nodeSelector` asks for.
    NodeSelector,
    /// It tolerates the taints of no node.
    Taints,
    /// Its required node affinity or the zones of its volumes exclude every
    /// node.
    NodeAffinity,
    /// No node has room for another pod beside its DaemonSets.
    Pods,
    /// No node offers the extended resources.
    Extended,
    /// No empty node has the cpu.
    Cpu,
    /// No empty node with the cpu has the memory.
    Memory,
    /// No capacity provider takes it (ECS).
    NoProvider,
    /// No instance satisfies its placement constraints (ECS).
    PlacementConstraints,
    /// A port that ECS keeps for itself.
    ReservedPort,
    /// Extended resources, such as GPUs, on Fargate.
    FargateExtended,
    /// EBS volumes on Fargate.
    FargateVolumes,
    /// Ports of the host on Fargate.
    FargateHostPorts,
    /// Another platform than linux/amd64 on Fargate of EKS.
    FargatePlatform,
    /// More than the largest size of Fargate.
    FargateSize,
}

impl RejectReason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// Every reason, by its number.
    pub const ALL: [RejectReason; 16] = [
        RejectReason::NoNodes,
        RejectReason::NodeSelector,
        RejectReason::Taints,
        RejectReason::NodeAffinity,
        RejectReason::Pods,
        RejectReason::Extended,
        RejectReason::Cpu,
        RejectReason::Memory,
        RejectReason::NoProvider,
        RejectReason::PlacementConstraints,
        RejectReason::ReservedPort,
        RejectReason::FargateExtended,
        RejectReason::FargateVolumes,
        RejectReason::FargateHostPorts,
        RejectReason::FargatePlatform,
        RejectReason::FargateSize,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            RejectReason::NoNodes => "no-nodes",
            RejectReason::NodeSelector => "node-selector",
            RejectReason::Taints => "taints",
            RejectReason::NodeAffinity => "node-affinity",
            RejectReason::Extended => "extended-resource",
            RejectReason::Pods => "pods-per-node",
            RejectReason::Cpu => "cpu",
            RejectReason::Memory => "memory",
            RejectReason::NoProvider => "no-capacity-provider",
            RejectReason::PlacementConstraints => "placement-constraints",
            RejectReason::ReservedPort => "reserved-port",
            RejectReason::FargateExtended => "fargate-extended-resource",
            RejectReason::FargateVolumes => "fargate-ebs-volume",
            RejectReason::FargateHostPorts => "fargate-host-port",
            RejectReason::FargatePlatform => "fargate-platform",
            RejectReason::FargateSize => "fargate-size",
        }
    }

    /// The reason in words, as the end of a sentence.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            RejectReason::NoNodes => "no pool it may go to can have a node",
            RejectReason::NodeSelector => "no node has the labels of its nodeSelector",
            RejectReason::Taints => "it tolerates the taints of no node",
            RejectReason::NodeAffinity => {
                "its node affinity or the zones of its volumes fit no node"
            }
            RejectReason::Extended => "no node offers the extended resources it requests",
            RejectReason::Pods => "no node has room for a pod beside its DaemonSets",
            RejectReason::Cpu => "no empty node has the cpu it requests",
            RejectReason::Memory => "no empty node with the cpu has the memory it requests",
            RejectReason::NoProvider => "no capacity provider takes it",
            RejectReason::PlacementConstraints => "no instance satisfies its constraints",
            RejectReason::ReservedPort => "ECS keeps a port it asks for",
            RejectReason::FargateExtended => "Fargate offers no extended resources such as GPUs",
            RejectReason::FargateVolumes => "Fargate attaches no EBS volumes to pods",
            RejectReason::FargateHostPorts => "Fargate offers no ports of the host",
            RejectReason::FargatePlatform => "Fargate on EKS runs linux/amd64 only",
            RejectReason::FargateSize => "no size of Fargate holds it",
        }
    }

    /// The reason with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Numbers of rejected pods by reason.
pub type ReasonCounts = [u64; RejectReason::COUNT];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_numbered_and_named_once() {
        for (i, reason) in RejectReason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, i);
            assert_eq!(RejectReason::named(reason.name()), Some(reason));
        }
    }
}
