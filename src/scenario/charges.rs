//! Charges besides instances and Fargate.

use super::decode::{Ctx, Map, Spanned};
use super::diagnostic::Span;
use super::number::{Int, Positive, Share};
use super::record::{choice, names, record, union};
use crate::units::{Bytes, Rate, SimDuration};

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
        /// Zones that traffic, load balancers and NAT gateways span; those of the pools unless stated.
        "zones" => zones: Option<Spanned<Int<1, 10>>>,
        /// EFS and FSx file systems.
        "file-systems" => file_systems: Map<FileSystem> = Map::default(),
        /// NAT gateways, each with its public address.
        "nat-gateways" => nat_gateways: Option<Spanned<NatGateways>>,
        /// Load balancers beside those that `kubernetes` declares.
        "load-balancers" => load_balancers: Map<LoadBalancer> = Map::default(),
        /// What connections to all load balancers are like.
        "load-balancing" => load_balancing: LoadBalancing = LoadBalancing::default(),
        /// What the account sends to the internet each month beside this cluster; none unless stated.
        "other-egress-per-month" => other_egress: Option<Spanned<Bytes>>,
        /// CloudWatch Container Insights.
        "container-insights" => container_insights: Option<ContainerInsights>,
        /// What CloudWatch Logs takes in.
        "logs" => logs: Option<LogIngestion>,
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

names! {
    /// Services for shared file systems.
    pub enum FileSystemKind {
        /// Amazon EFS.
        "efs" => Efs,
        /// Amazon FSx.
        "fsx" => Fsx,
    }
}

record! {
    /// A shared file system, kept for the whole run.
    pub struct FileSystem {
        /// Which service.
        "kind" => kind: Spanned<FileSystemKind>,
        /// What is stored, or provisioned.
        "size" => size: Spanned<Positive<Bytes>>,
        /// Price per GB and month: the price tables have none.
        "usd-per-gb-month" => usd_per_gb_month: Spanned<Rate>,
        /// The workload that pays; shared by all unless stated.
        "workload" => workload: Option<Spanned<String>>,
    }
}

union! {
    /// How many NAT gateways there are.
    pub enum NatGateways {
        words {
            /// One in each zone.
            "per-zone" => PerZone,
        }
        /// So many.
        [number] => Count(Int<0, 1_000>),
    }
}

names! {
    /// Kinds of load balancers.
    pub enum LoadBalancerKind {
        /// An Application Load Balancer.
        "alb" => Alb,
        /// A Network Load Balancer, with TCP listeners.
        "nlb" => Nlb,
    }
}

record! {
    /// A load balancer.
    pub struct LoadBalancer {
        /// Which kind.
        "kind" => kind: Spanned<LoadBalancerKind>,
        /// The services whose requests pass through it.
        "workloads" => workloads: Vec<Spanned<String>> = Vec::new(),
        /// Rules of an ALB that a request is matched against; 1 unless stated.
        "rules" => rules: Option<Spanned<Int<1, 1_000>>>,
    }
    check check_load_balancer;
}

fn check_load_balancer(it: &LoadBalancer, _: Span, ctx: &mut Ctx<'_>) -> bool {
    if let (LoadBalancerKind::Nlb, Some(rules)) = (it.kind.value, &it.rules) {
        ctx.diags().error(rules.span, "`rules` has no effect on an `nlb`: it has none");
        return false;
    }
    true
}

record! {
    /// What connections to all load balancers are like.
    #[derive(Default)]
    pub struct LoadBalancing {
        /// Requests that a client sends on one connection; 1 unless stated.
        "requests-per-connection" => requests_per_connection: Option<Spanned<Int<1, 1_000_000>>>,
        /// How long a connection is open; 60s unless stated.
        "connection-duration" => connection_duration: Option<Spanned<Positive<SimDuration>>>,
        /// Whether each has a public IPv4 address in every zone; true unless stated.
        "internet-facing" => internet_facing: Option<Spanned<bool>>,
    }
}

/// A number of metrics or observations.
pub type MetricCount = Int<0, 1_000_000_000>;

record! {
    /// CloudWatch Container Insights: `metrics` are the classic kind, `observations-per-hour` those of enhanced observability.
    pub struct ContainerInsights {
        /// Custom metrics that are kept.
        "metrics" => metrics: Option<Measured>,
        /// Observations in an hour.
        "observations-per-hour" => observations: Option<Measured>,
    }
    check check_insights;
}

fn check_insights(it: &ContainerInsights, owner: Span, ctx: &mut Ctx<'_>) -> bool {
    if it.metrics.is_none() && it.observations.is_none() {
        ctx.diags().error(owner, "state `metrics`, or `observations-per-hour`");
        return false;
    }
    true
}

record! {
    /// How many of something there are.
    pub struct Measured {
        /// Of the cluster itself.
        "per-cluster" => per_cluster: Option<Spanned<MetricCount>>,
        /// Of each node.
        "per-node" => per_node: Option<Spanned<MetricCount>>,
        /// Of each pod; those of daemonsets belong to their node.
        "per-pod" => per_pod: Option<Spanned<MetricCount>>,
    }
}

record! {
    /// What CloudWatch Logs takes in.
    pub struct LogIngestion {
        /// From each node in an hour.
        "per-node-hour" => per_node_hour: Option<Spanned<Bytes>>,
        /// From each pod in an hour; those of daemonsets belong to their node.
        "per-pod-hour" => per_pod_hour: Option<Spanned<Bytes>>,
    }
}

names! {
    /// Types of EBS volumes that pods can claim.
    pub enum ClaimType {
        /// General purpose, with 3,000 IOPS and 125 MiB/s.
        "gp3" => Gp3,
        /// General purpose, of the generation before.
        "gp2" => Gp2,
        /// Provisioned IOPS.
        "io1" => Io1,
        /// Provisioned IOPS, durable.
        "io2" => Io2,
        /// Throughput on hard disks.
        "st1" => St1,
        /// Cold hard disks.
        "sc1" => Sc1,
    }
}

record! {
    /// What a workload sends and receives.
    pub struct Traffic {
        one of volume: TrafficVolume,
        /// Share of what does not leave to the internet that passes between zones; as if its peers were spread evenly unless stated.
        "cross-zone" => cross_zone: Option<Spanned<Share>>,
        /// Share that leaves to the internet; 0% unless stated.
        "internet" => internet: Option<Spanned<Share>>,
        /// Share that a NAT gateway processes; 0% unless stated.
        "nat" => nat: Option<Spanned<Share>>,
    }
}

choice! {
    /// How much traffic there is.
    pub enum TrafficVolume {
        /// For each request of its demand, both ways together.
        "per-request" => PerRequest(Spanned<Bytes>),
        /// In an hour, of all its pods together.
        "per-hour" => PerHour(Spanned<Bytes>),
        /// In an hour, of each pod.
        "per-pod-hour" => PerPodHour(Spanned<Bytes>),
    }
}
