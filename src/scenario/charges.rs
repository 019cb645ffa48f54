//! Charges besides instances and Fargate.

use super::decode::Spanned;
use super::number::Int;
use super::record::{names, record, union};
use crate::units::{Bytes, Rate};

record! {
    /// Charges that follow nodes, pods and clusters.
    #[derive(Default)]
    pub struct Charges {
        /// The root volume of each node.
        "root-volume" => root_volume: Option<Spanned<RootVolume>>,
        /// Whether each node has a public IPv4 address.
        "public-ipv4" => public_ipv4: Option<Spanned<bool>>,
        /// Whether the EKS control plane is charged.
        "control-plane" => control_plane: Option<Spanned<bool>>,
        /// How many clusters like this one are charged their control plane; 1 unless stated.
        "clusters" => clusters: Option<Spanned<Int<1, 10_000>>>,
        /// Whether T3, T3a and T4g nodes, in unlimited mode, pay for surplus CPU credits where the usage of their pods is known; false unless stated.
        "surplus-credits" => surplus_credits: Option<Spanned<bool>>,
        /// A licence paid per node.
        "node-licence" => node_licence: Option<NodeLicence>,
        /// A licence paid per Fargate pod.
        "fargate-licence" => fargate_licence: Option<FargateLicence>,
    }
}

union! {
    /// The root volume of a node.
    pub enum RootVolume {
        /// Its size: gp3, with the performance it comes with.
        [scalar] => Size(Bytes),
        /// Size, type and performance.
        [map] => Volume(RootVolumeSpec),
    }
}

record! {
    /// An EBS volume, named like the parameters of EC2.
    pub struct RootVolumeSpec {
        /// Its size.
        "size" => size: Spanned<Bytes>,
        /// Volume type; gp3 unless stated.
        "type" => kind: Option<Spanned<VolumeType>>,
        /// IOPS provisioned; 3000 for gp3 unless stated.
        "iops" => iops: Option<Spanned<Int<1, 1_000_000>>>,
        /// Throughput provisioned, in MiB/s; 125 for gp3 unless stated.
        "throughput" => throughput: Option<Spanned<Int<1, 1_000_000>>>,
    }
}

names! {
    /// Types of EBS volumes that can be booted from.
    pub enum VolumeType {
        /// General Purpose SSD.
        "gp3" => Gp3,
        /// General Purpose SSD, previous generation.
        "gp2" => Gp2,
        /// Provisioned IOPS SSD, previous generation.
        "io1" => Io1,
        /// Provisioned IOPS SSD.
        "io2" => Io2,
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
