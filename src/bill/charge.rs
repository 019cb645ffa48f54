//! What lines charge for.

/// What a line charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Charge {
    /// An instance while it runs.
    Instance,
    /// The part of an instance's last second that it did not run: EC2 bills
    /// whole seconds.
    InstanceRounding,
    /// What an instance that ran under a minute pays up to the minute.
    InstanceMinimum,
    /// Credit for a Spot instance that EC2 took back within its first hour.
    SpotFirstHour,
    /// vCPU of a Fargate pod.
    FargateCpu,
    /// Memory of a Fargate pod.
    FargateMemory,
    /// As `InstanceRounding`, for a Fargate pod.
    FargateRounding,
    /// As `InstanceMinimum`, for a Fargate pod.
    FargateMinimum,
    /// Storage of a Fargate pod beyond what is free.
    FargateStorage,
    /// Licence of the operating system of a Fargate pod.
    FargateOsLicence,
    /// Committed spend that nothing used.
    UnusedCommitment,
    /// Reserved Instances that nothing used.
    UnusedReservedInstance,
    /// Reserved capacity that no instance ran in.
    UnusedCapacity,
    /// An upfront payment of a commitment: cash, spread over the hours of the
    /// other lines.
    CommitmentUpfront,
    /// The recurring fee of a commitment: cash, part of the other lines.
    CommitmentRecurring,
    /// The root volume of a node.
    RootVolume,
    /// As `InstanceRounding`, for a root volume.
    VolumeRounding,
    /// As `InstanceMinimum`, for a root volume.
    VolumeMinimum,
    /// A public IPv4 address.
    PublicIpv4,
    /// The cluster's control plane.
    ControlPlane,
    /// A licence per node.
    NodeLicence,
    /// A licence per Fargate pod.
    FargateLicence,
    /// EBS volumes of a workload's replicas, with their IOPS and throughput.
    PodVolume,
    /// An EFS file system.
    Efs,
    /// An FSx file system.
    Fsx,
    /// A container image kept in ECR.
    ImageStorage,
    /// A NAT gateway by the hour.
    NatGateway,
    /// What NAT gateways process.
    NatGatewayData,
    /// A load balancer by the hour.
    LoadBalancer,
    /// The capacity units of a load balancer.
    LoadBalancerCapacity,
    /// Traffic between zones, out of one and into the other.
    CrossAz,
    /// Traffic to the internet.
    Egress,
    /// CloudWatch Container Insights.
    ContainerInsights,
    /// Logs that CloudWatch takes in.
    LogIngestion,
    /// IOPS of a root volume beyond those it comes with.
    VolumeIops,
    /// Throughput of a root volume beyond that it comes with.
    VolumeThroughput,
    /// The fee of EKS Auto Mode.
    EksAutoMode,
    /// The fee of ECS Managed Instances.
    EcsManagedInstances,
    /// The fee of ECS Anywhere.
    EcsAnywhere,
    /// The fee of EKS Anywhere.
    EksAnywhere,
    /// CPU credits spent beyond those earned.
    SurplusCredits,
    /// As `InstanceRounding`, for such a fee.
    FeeRounding,
    /// As `InstanceMinimum`, for such a fee.
    FeeMinimum,
}

impl Charge {
    /// Every charge, in order.
    pub const ALL: [Charge; 43] = [
        Charge::Instance,
        Charge::InstanceRounding,
        Charge::InstanceMinimum,
        Charge::SpotFirstHour,
        Charge::FargateCpu,
        Charge::FargateMemory,
        Charge::FargateRounding,
        Charge::FargateMinimum,
        Charge::FargateStorage,
        Charge::FargateOsLicence,
        Charge::UnusedCommitment,
        Charge::UnusedReservedInstance,
        Charge::UnusedCapacity,
        Charge::CommitmentUpfront,
        Charge::CommitmentRecurring,
        Charge::RootVolume,
        Charge::VolumeRounding,
        Charge::VolumeMinimum,
        Charge::PublicIpv4,
        Charge::ControlPlane,
        Charge::NodeLicence,
        Charge::FargateLicence,
        Charge::PodVolume,
        Charge::Efs,
        Charge::Fsx,
        Charge::ImageStorage,
        Charge::NatGateway,
        Charge::NatGatewayData,
        Charge::LoadBalancer,
        Charge::LoadBalancerCapacity,
        Charge::CrossAz,
        Charge::Egress,
        Charge::ContainerInsights,
        Charge::LogIngestion,
        Charge::VolumeIops,
        Charge::VolumeThroughput,
        Charge::EksAutoMode,
        Charge::EcsManagedInstances,
        Charge::EcsAnywhere,
        Charge::EksAnywhere,
        Charge::SurplusCredits,
        Charge::FeeRounding,
        Charge::FeeMinimum,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Charge::Instance => "instance",
            Charge::InstanceRounding => "instance-second-rounding",
            Charge::InstanceMinimum => "instance-minimum",
            Charge::SpotFirstHour => "spot-first-hour-credit",
            Charge::FargateCpu => "fargate-vcpu",
            Charge::FargateMemory => "fargate-memory",
            Charge::FargateRounding => "fargate-second-rounding",
            Charge::FargateMinimum => "fargate-minimum",
            Charge::FargateStorage => "fargate-storage",
            Charge::FargateOsLicence => "fargate-os-licence",
            Charge::UnusedCommitment => "unused-commitment",
            Charge::UnusedReservedInstance => "unused-reserved-instance",
            Charge::UnusedCapacity => "unused-capacity-reservation",
            Charge::CommitmentUpfront => "commitment-upfront",
            Charge::CommitmentRecurring => "commitment-recurring",
            Charge::RootVolume => "root-volume",
            Charge::VolumeRounding => "root-volume-second-rounding",
            Charge::VolumeMinimum => "root-volume-minimum",
            Charge::PublicIpv4 => "public-ipv4",
            Charge::ControlPlane => "control-plane",
            Charge::NodeLicence => "node-licence",
            Charge::FargateLicence => "fargate-licence",
            Charge::PodVolume => "pod-volume",
            Charge::Efs => "efs",
            Charge::Fsx => "fsx",
            Charge::ImageStorage => "image-storage",
            Charge::NatGateway => "nat-gateway",
            Charge::NatGatewayData => "nat-gateway-data",
            Charge::LoadBalancer => "load-balancer",
            Charge::LoadBalancerCapacity => "load-balancer-capacity",
            Charge::CrossAz => "cross-az",
            Charge::Egress => "internet-egress",
            Charge::ContainerInsights => "container-insights",
            Charge::LogIngestion => "log-ingestion",
            Charge::VolumeIops => "root-volume-iops",
            Charge::VolumeThroughput => "root-volume-throughput",
            Charge::EksAutoMode => "eks-auto-mode",
            Charge::EcsManagedInstances => "ecs-managed-instances",
            Charge::EcsAnywhere => "ecs-anywhere",
            Charge::EksAnywhere => "eks-anywhere",
            Charge::SurplusCredits => "surplus-credits",
            Charge::FeeRounding => "fee-second-rounding",
            Charge::FeeMinimum => "fee-minimum",
        }
    }

    /// Whether it pays for machines while they are there: what a lower bound
    /// on compute bounds. Credits are luck, and not among them.
    #[must_use]
    pub const fn is_compute(self) -> bool {
        matches!(
            self,
            Charge::Instance
                | Charge::InstanceRounding
                | Charge::InstanceMinimum
                | Charge::FargateCpu
                | Charge::FargateMemory
                | Charge::FargateRounding
                | Charge::FargateMinimum
        )
    }

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Charge::Instance => "EC2 instances",
            Charge::InstanceRounding => "EC2 second rounding",
            Charge::InstanceMinimum => "EC2 one-minute minimum",
            Charge::SpotFirstHour => "EC2 Spot first hour waived",
            Charge::FargateCpu => "Fargate vCPU",
            Charge::FargateMemory => "Fargate memory",
            Charge::FargateRounding => "Fargate second rounding",
            Charge::FargateMinimum => "Fargate minimum duration",
            Charge::FargateStorage => "Fargate storage",
            Charge::FargateOsLicence => "Fargate Windows licences",
            Charge::UnusedCommitment => "Savings Plan, unused",
            Charge::UnusedReservedInstance => "Reserved Instance, unused",
            Charge::UnusedCapacity => "capacity reservations, unused",
            Charge::CommitmentUpfront => "commitment, paid upfront",
            Charge::CommitmentRecurring => "commitment, recurring fee",
            Charge::RootVolume => "root volumes",
            Charge::VolumeRounding => "root volume second rounding",
            Charge::VolumeMinimum => "root volume one-minute minimum",
            Charge::PublicIpv4 => "public IPv4",
            Charge::ControlPlane => "control plane",
            Charge::NodeLicence => "node licences",
            Charge::FargateLicence => "Fargate licences",
            Charge::PodVolume => "EBS volumes of pods",
            Charge::Efs => "EFS file systems",
            Charge::Fsx => "FSx file systems",
            Charge::ImageStorage => "ECR images",
            Charge::NatGateway => "NAT gateways",
            Charge::NatGatewayData => "NAT gateway data",
            Charge::LoadBalancer => "load balancers",
            Charge::LoadBalancerCapacity => "load balancer capacity units",
            Charge::CrossAz => "traffic between zones",
            Charge::Egress => "traffic to the internet",
            Charge::ContainerInsights => "Container Insights",
            Charge::LogIngestion => "CloudWatch Logs",
            Charge::VolumeIops => "root volume IOPS",
            Charge::VolumeThroughput => "root volume throughput",
            Charge::EksAutoMode => "EKS Auto Mode",
            Charge::EcsManagedInstances => "ECS Managed Instances",
            Charge::EcsAnywhere => "ECS Anywhere",
            Charge::EksAnywhere => "EKS Anywhere",
            Charge::SurplusCredits => "surplus CPU credits",
            Charge::FeeRounding => "node fee second rounding",
            Charge::FeeMinimum => "node fee minimum duration",
        }
    }
}

impl Charge {
    /// Whether it is a payment for a commitment: cash that the hours of other
    /// lines amortise, so it costs nothing by itself.
    #[must_use]
    pub const fn is_commitment_fee(self) -> bool {
        matches!(self, Charge::CommitmentUpfront | Charge::CommitmentRecurring)
    }
}
