//! What people call the parts of a bill, and what kind of money they are.

use super::charts::Ink;
use crate::bill::{PurchaseOption, Step};

/// What people call a purchase option.
pub(super) fn purchase_label(option: PurchaseOption) -> &'static str {
    match option {
        PurchaseOption::OnDemand => "EC2 On-Demand",
        PurchaseOption::Spot => "EC2 Spot",
        PurchaseOption::SavingsPlan => "Savings Plan",
        PurchaseOption::ReservedInstance => "Reserved Instance",
        PurchaseOption::Fargate => "Fargate",
        PurchaseOption::FargateSpot => "Fargate Spot",
        PurchaseOption::Custom => "custom shapes",
        PurchaseOption::Other => "around the compute",
    }
}

/// What people call a step of the waterfall, and what kind of money it is.
pub(super) fn step_label(step: Step) -> (&'static str, Kind) {
    match step {
        Step::Used => ("requested and used", Kind::Used),
        Step::RequestedUnused => ("requested, not used", Kind::Waste),
        Step::UsageUnknown => ("requested, usage unknown", Kind::Unknown),
        Step::Repeated => ("work done again", Kind::Waste),
        Step::DaemonSets => ("DaemonSets and sidecars", Kind::Overhead),
        Step::SystemReserve => ("system reserve", Kind::Overhead),
        Step::Idle => ("idle: cpu and memory free", Kind::Waste),
        Step::Stranded => ("stranded: only one of them free", Kind::Waste),
        Step::Boot => ("nodes booting, images pulled", Kind::Overhead),
        Step::Drain => ("nodes draining", Kind::Overhead),
        Step::FargateRounding => ("Fargate size above request", Kind::Waste),
        Step::FargateRetention => ("finished Fargate pods kept", Kind::Waste),
        Step::Minimums => ("minimums and second rounding", Kind::Waste),
        Step::UnusedCommitment => ("commitment not used", Kind::Waste),
        Step::UnusedCapacity => ("reserved capacity not used", Kind::Waste),
        Step::Volumes => ("root volumes", Kind::Overhead),
        Step::Fees => ("cluster, addresses, node fees", Kind::Overhead),
        Step::Licences => ("licences", Kind::Overhead),
        Step::Storage => ("storage of pods, images", Kind::Overhead),
        Step::Network => ("balancers, NAT, traffic", Kind::Overhead),
        Step::Monitoring => ("metrics and logs", Kind::Overhead),
    }
}

/// What kind of money a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Work that used what it requested.
    Used,
    /// Work of which nobody knows what it used.
    Unknown,
    /// Paid for and not used.
    Waste,
    /// Needed to run anything.
    Overhead,
}

impl Kind {
    /// Every kind, in order.
    pub(super) const ALL: [Kind; 4] = [Kind::Used, Kind::Unknown, Kind::Waste, Kind::Overhead];

    /// What a legend calls it, and its colour.
    pub(super) const fn meaning(self) -> (&'static str, Ink) {
        match self {
            Kind::Used => ("used", Ink::BLUE),
            Kind::Unknown => ("requested, usage unknown", Ink::GREY),
            Kind::Waste => ("paid for, not used", Ink::ORANGE),
            Kind::Overhead => ("needed to run", Ink::SKY),
        }
    }
}
