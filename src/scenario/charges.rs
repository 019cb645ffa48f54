//! Charges besides instances and Fargate.

use super::decode::Spanned;
use super::number::Int;
use super::record::record;
use crate::units::{Bytes, Rate};

record! {
    /// Charges that follow nodes, pods and clusters.
    #[derive(Default)]
    pub struct Charges {
        /// Size of the root volume of each node.
        "root-volume" => root_volume: Option<Spanned<Bytes>>,
        /// Whether each node has a public IPv4 address.
        "public-ipv4" => public_ipv4: Option<Spanned<bool>>,
        /// Whether the EKS control plane is charged.
        "control-plane" => control_plane: Option<Spanned<bool>>,
        /// How many clusters like this one are charged their control plane; 1 unless stated.
        "clusters" => clusters: Option<Spanned<Int<1, 10_000>>>,
        /// A licence paid per node.
        "node-licence" => node_licence: Option<NodeLicence>,
        /// A licence paid per Fargate pod.
        "fargate-licence" => fargate_licence: Option<FargateLicence>,
    }
}

record! {
    /// A licence paid per node.
    pub struct NodeLicence {
        /// Price per node and hour.
        "usd-per-node-hour" => usd_per_node_hour: Spanned<Rate>,
    }
}

record! {
    /// A licence paid per Fargate pod.
    pub struct FargateLicence {
        /// Price per pod and hour.
        "usd-per-pod-hour" => usd_per_pod_hour: Spanned<Rate>,
    }
}
