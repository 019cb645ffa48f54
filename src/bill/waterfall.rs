//! Steps of the waterfall: where the money went.

use super::charge::Charge;
use crate::units::Money;

/// A step of the waterfall: where the money went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Requested and used (at most the request).
    Used,
    /// Requested, known not to be used.
    RequestedUnused,
    /// Requested; nobody knows whether it was used.
    UsageUnknown,
    /// Work that an interruption threw away.
    Repeated,
    /// `DaemonSet` pods and the sidecars they become on Fargate.
    DaemonSets,
    /// Capacity kept for kubelet and system.
    SystemReserve,
    /// Free in both resources.
    Idle,
    /// Free, but the other resource is full.
    Stranded,
    /// Nodes running and not yet Ready; Fargate pods while pulling.
    Boot,
    /// Nodes being drained.
    Drain,
    /// Fargate sizes beyond the request.
    FargateRounding,
    /// Finished Job pods on Fargate that were not removed yet.
    FargateRetention,
    /// Minimum durations and rounding to whole seconds.
    Minimums,
    /// Committed spend that nothing used.
    UnusedCommitment,
    /// Reserved capacity that no instance ran in.
    UnusedCapacity,
    /// Root volumes.
    Volumes,
    /// Control plane, addresses, what managing nodes and bursting costs.
    Fees,
    /// Licences.
    Licences,
    /// Volumes of pods, storage of Fargate pods, file systems, images.
    Storage,
    /// Load balancers, NAT gateways, traffic.
    Network,
    /// Metrics and logs.
    Monitoring,
}

impl Step {
    /// The step of a charge that is not split further; `None` for compute.
    #[must_use]
    pub const fn of(charge: Charge) -> Option<Step> {
        match charge {
            Charge::Instance
            | Charge::SpotFirstHour
            | Charge::FargateCpu
            | Charge::FargateMemory => None,
            Charge::InstanceRounding
            | Charge::InstanceMinimum
            | Charge::FargateRounding
            | Charge::FargateMinimum
            | Charge::VolumeRounding
            | Charge::VolumeMinimum
            | Charge::FeeRounding
            | Charge::FeeMinimum => Some(Step::Minimums),
            Charge::UnusedCommitment
            | Charge::UnusedReservedInstance
            | Charge::CommitmentUpfront
            | Charge::CommitmentRecurring => Some(Step::UnusedCommitment),
            Charge::UnusedCapacity => Some(Step::UnusedCapacity),
            Charge::RootVolume | Charge::VolumeIops | Charge::VolumeThroughput => {
                Some(Step::Volumes)
            }
            Charge::PublicIpv4
            | Charge::ControlPlane
            | Charge::EksAutoMode
            | Charge::EcsManagedInstances
            | Charge::EcsAnywhere
            | Charge::EksAnywhere
            | Charge::SurplusCredits => Some(Step::Fees),
            Charge::NodeLicence | Charge::FargateLicence | Charge::FargateOsLicence => {
                Some(Step::Licences)
            }
            Charge::PodVolume
            | Charge::FargateStorage
            | Charge::Efs
            | Charge::Fsx
            | Charge::ImageStorage => Some(Step::Storage),
            Charge::NatGateway
            | Charge::NatGatewayData
            | Charge::LoadBalancer
            | Charge::LoadBalancerCapacity
            | Charge::CrossAz
            | Charge::Egress => Some(Step::Network),
            Charge::ContainerInsights | Charge::LogIngestion => Some(Step::Monitoring),
        }
    }

    /// Every step, in the order of the waterfall.
    pub const ALL: [Step; 21] = [
        Step::Used,
        Step::RequestedUnused,
        Step::UsageUnknown,
        Step::Repeated,
        Step::DaemonSets,
        Step::SystemReserve,
        Step::Idle,
        Step::Stranded,
        Step::Boot,
        Step::Drain,
        Step::FargateRounding,
        Step::FargateRetention,
        Step::Minimums,
        Step::UnusedCommitment,
        Step::UnusedCapacity,
        Step::Volumes,
        Step::Fees,
        Step::Licences,
        Step::Storage,
        Step::Network,
        Step::Monitoring,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Step::Used => "used",
            Step::RequestedUnused => "requested-unused",
            Step::UsageUnknown => "usage-unknown",
            Step::Repeated => "repeated-work",
            Step::DaemonSets => "daemonsets",
            Step::SystemReserve => "system-reserve",
            Step::Idle => "idle",
            Step::Stranded => "stranded",
            Step::Boot => "boot",
            Step::Drain => "drain",
            Step::FargateRounding => "fargate-rounding",
            Step::FargateRetention => "fargate-retention",
            Step::Minimums => "minimums",
            Step::UnusedCommitment => "unused-commitment",
            Step::UnusedCapacity => "unused-capacity",
            Step::Volumes => "volumes",
            Step::Fees => "fees",
            Step::Licences => "licences",
            Step::Storage => "storage",
            Step::Network => "network",
            Step::Monitoring => "monitoring",
        }
    }
}

/// One step of the waterfall with its money by resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepCost {
    /// Which.
    pub step: Step,
    /// Spent on cpu.
    pub cpu: Money,
    /// Spent on memory.
    pub memory: Money,
    /// Spent on neither: volumes, fees, minimums, unused commitment.
    pub other: Money,
}

impl StepCost {
    /// All of it.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.cpu + self.memory + self.other
    }
}
