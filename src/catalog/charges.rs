//! Fees around the compute: cluster hours, volumes, addresses.

use jiff::civil::Date;

use super::HOME_REGION;
use super::quote::{PriceStatus, Quote, Text};
use super::table::{Sources, Table};
use super::words::words;
use crate::{Error, Result};

/// What a scenario can be charged for beyond instances and Fargate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeItem {
    /// An EKS cluster in standard support.
    EksControlPlane,
    /// An EKS cluster in extended support: the total, not the surcharge.
    EksControlPlaneExtended,
    /// The fee of EKS Auto Mode, as a fraction of the instance's On-Demand price.
    EksAutoMode,
    /// An ECS cluster: free.
    EcsControlPlane,
    /// An external instance of ECS Anywhere.
    EcsAnywhere,
    /// gp3 volume storage, with 3,000 IOPS and 125 MiB/s included.
    Gp3Storage,
    /// gp3 IOPS above 3,000.
    Gp3Iops,
    /// gp3 throughput above 125 MiB/s.
    Gp3Throughput,
    /// gp2 volume storage.
    Gp2Storage,
    /// io1 and io2 volume storage.
    IoStorage,
    /// io1 and io2 IOPS, the first 32,000 of a volume.
    IoIops,
    /// st1 volume storage.
    St1Storage,
    /// sc1 volume storage.
    Sc1Storage,
    /// A NAT gateway.
    NatGateway,
    /// Data that a NAT gateway processes.
    NatGatewayData,
    /// A public IPv4 address, in use or idle.
    PublicIpv4,
    /// An interface endpoint in one zone.
    InterfaceEndpoint,
    /// Data through interface endpoints, the first PB of a month.
    InterfaceEndpointData1,
    /// The next 4 PB.
    InterfaceEndpointData2,
    /// What is above 5 PB.
    InterfaceEndpointData3,
    /// An Application Load Balancer.
    Alb,
    /// Its capacity units.
    AlbLcu,
    /// A Network Load Balancer.
    Nlb,
    /// Its capacity units.
    NlbNlcu,
    /// Data between zones, for each of its two directions.
    CrossAz,
    /// Data to the internet, the first 10 TB of a month.
    Egress1,
    /// The next 40 TB.
    Egress2,
    /// The next 100 TB.
    Egress3,
    /// What is above 150 TB.
    Egress4,
    /// GB to the internet that are free in a month: a quantity, not a price.
    EgressFree,
    /// Images kept in ECR.
    EcrStorage,
    /// CloudWatch Logs, data taken in.
    LogsIngestion,
    /// CloudWatch Logs, data kept.
    LogsStorage,
    /// A CloudWatch custom metric, the first 10,000; also those of classic Container Insights.
    CustomMetric,
    /// Observations of Container Insights with enhanced observability.
    ContainerInsightsObservations,
    /// The Windows licence of a Fargate task.
    FargateWindowsLicence,
    /// CPU credits that a T3 or T3a instance in unlimited mode spends beyond those it earns, Linux.
    SurplusCredits,
    /// As `SurplusCredits`, T4g.
    SurplusCreditsArm,
}

words!(ChargeItem {
    EksControlPlane = "eks-control-plane",
    EksControlPlaneExtended = "eks-control-plane-extended",
    EksAutoMode = "eks-auto-mode",
    EcsControlPlane = "ecs-control-plane",
    EcsAnywhere = "ecs-anywhere",
    Gp3Storage = "gp3-storage",
    Gp3Iops = "gp3-iops",
    Gp3Throughput = "gp3-throughput",
    Gp2Storage = "gp2-storage",
    IoStorage = "io-storage",
    IoIops = "io-iops",
    St1Storage = "st1-storage",
    Sc1Storage = "sc1-storage",
    NatGateway = "nat-gateway",
    NatGatewayData = "nat-gateway-data",
    PublicIpv4 = "public-ipv4",
    InterfaceEndpoint = "interface-endpoint",
    InterfaceEndpointData1 = "interface-endpoint-data-1",
    InterfaceEndpointData2 = "interface-endpoint-data-2",
    InterfaceEndpointData3 = "interface-endpoint-data-3",
    Alb = "alb",
    AlbLcu = "alb-lcu",
    Nlb = "nlb",
    NlbNlcu = "nlb-nlcu",
    CrossAz = "cross-az",
    Egress1 = "egress-1",
    Egress2 = "egress-2",
    Egress3 = "egress-3",
    Egress4 = "egress-4",
    EgressFree = "egress-free",
    EcrStorage = "ecr-storage",
    LogsIngestion = "logs-ingestion",
    LogsStorage = "logs-storage",
    CustomMetric = "custom-metric",
    ContainerInsightsObservations = "container-insights-observations",
    FargateWindowsLicence = "fargate-windows-licence",
    SurplusCredits = "surplus-credits",
    SurplusCreditsArm = "surplus-credits-arm64",
});

impl ChargeItem {
    /// The unit that [`Quote::rate`] is for; a month has 730 hours.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            ChargeItem::EksControlPlane
            | ChargeItem::EksControlPlaneExtended
            | ChargeItem::EcsControlPlane => "cluster-hour",
            ChargeItem::EksAutoMode => "fraction",
            ChargeItem::EcsAnywhere => "instance-hour",
            ChargeItem::Gp3Storage
            | ChargeItem::Gp2Storage
            | ChargeItem::IoStorage
            | ChargeItem::St1Storage
            | ChargeItem::Sc1Storage
            | ChargeItem::EcrStorage
            | ChargeItem::LogsStorage => "GB-month",
            ChargeItem::Gp3Iops | ChargeItem::IoIops => "IOPS-month",
            ChargeItem::Gp3Throughput => "MiBps-month",
            ChargeItem::NatGateway => "gateway-hour",
            ChargeItem::NatGatewayData
            | ChargeItem::InterfaceEndpointData1
            | ChargeItem::InterfaceEndpointData2
            | ChargeItem::InterfaceEndpointData3
            | ChargeItem::CrossAz
            | ChargeItem::Egress1
            | ChargeItem::Egress2
            | ChargeItem::Egress3
            | ChargeItem::Egress4
            | ChargeItem::LogsIngestion => "GB",
            ChargeItem::PublicIpv4 => "address-hour",
            ChargeItem::InterfaceEndpoint => "endpoint-AZ-hour",
            ChargeItem::Alb | ChargeItem::Nlb => "hour",
            ChargeItem::AlbLcu | ChargeItem::NlbNlcu => "LCU-hour",
            ChargeItem::EgressFree => "GB-month-free",
            ChargeItem::CustomMetric => "metric-month",
            ChargeItem::ContainerInsightsObservations => "million-observations",
            ChargeItem::FargateWindowsLicence
            | ChargeItem::SurplusCredits
            | ChargeItem::SurplusCreditsArm => "vCPU-hour",
        }
    }
}

/// The header of `charges.csv`.
pub(super) const CHARGES_HEADER: &str = "region,item,unit,usd_per_unit,source";
/// A row that holds in every Region.
pub(super) const ANY_REGION: &str = "any";

/// The charges of one Region.
#[derive(Debug, Clone, Default)]
pub(super) struct Charges(Vec<(ChargeItem, Quote)>);

impl Charges {
    /// Reads the rows of `region`, those for any Region, and as a stand-in
    /// those of us-east-1, which are then no more than representative.
    pub(super) fn read(table: &Table<'_>, sources: &Sources, region: &str) -> Result<Self> {
        let mut charges: Vec<(ChargeItem, Quote)> = Vec::new();
        for key in [region, ANY_REGION, HOME_REGION] {
            for row in table.rows_of(key) {
                let [_, item, unit, usd, source] = row.fields::<5>()?;
                let item = ChargeItem::from_word(item)
                    .ok_or_else(|| row.error(format!("unknown charge `{item}`")))?;
                if unit != item.unit() {
                    return Err(row.error(format!("`{item}` is charged per {}", item.unit())));
                }
                let mut quote = sources.of(row, source)?.quote(row.usd("usd_per_unit", usd)?);
                if key == HOME_REGION && region != HOME_REGION {
                    quote = stand_in(quote, region);
                }
                if !charges.iter().any(|(known, _)| *known == item) {
                    charges.push((item, quote));
                }
            }
        }
        Ok(Charges(charges))
    }

    pub(super) fn get(&self, item: ChargeItem) -> Option<&Quote> {
        self.0.iter().find(|(known, _)| *known == item).map(|(_, quote)| quote)
    }

    pub(super) fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.0.iter().map(|(_, quote)| quote)
    }
}

/// A us-east-1 quote used in another Region.
pub(super) fn stand_in(quote: Quote, region: &str) -> Quote {
    Quote {
        status: quote.status.max(PriceStatus::Representative),
        source: Text::from(format!("{HOME_REGION} price used for {region}; {}", quote.source)),
        ..quote
    }
}

/// What an EKS cluster of one version costs per hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlane {
    /// USD per cluster-hour in standard support.
    pub standard: Quote,
    /// USD per cluster-hour from `extended_from` on.
    pub extended: Quote,
    /// The first day of the extended-support fee.
    pub extended_from: Date,
}

/// Kubernetes minor versions on EKS and the day their standard support ends,
/// 14 months after release (EKS user guide, "Understand the Kubernetes version
/// lifecycle on EKS"; days as listed by endoflife.date/amazon-eks, 2026-02, and
/// equally by aws-samples/sample-apex-skills `cluster-lifecycle`, 2026-04).
const STANDARD_SUPPORT_ENDS: [(&str, Date); 5] = [
    ("1.31", Date::constant(2025, 11, 26)),
    ("1.32", Date::constant(2026, 3, 23)),
    ("1.33", Date::constant(2026, 7, 29)),
    ("1.34", Date::constant(2026, 12, 2)),
    ("1.35", Date::constant(2027, 3, 27)),
];

/// The Kubernetes versions whose support dates are known, oldest first.
pub fn kubernetes_versions() -> impl Iterator<Item = &'static str> {
    STANDARD_SUPPORT_ENDS.iter().map(|(version, _)| *version)
}

impl Charges {
    /// The hourly fees of an EKS cluster of this version. After
    /// the twelve months of extended support AWS moves the cluster to the
    /// oldest supported version, itself in extended support: the fee stays.
    pub(super) fn control_plane(&self, version: &str) -> Result<ControlPlane> {
        let (_, last) =
            STANDARD_SUPPORT_ENDS.iter().find(|(known, _)| *known == version).ok_or_else(|| {
                Error::input(format!(
                    "unknown Kubernetes version `{version}`; choose one of {}",
                    kubernetes_versions().collect::<Vec<_>>().join(", ")
                ))
            })?;
        let extended_from = last.tomorrow().unwrap_or(Date::MAX);
        let price = |item| {
            let missing = || Error::input(format!("charges.csv has no price for `{item}`"));
            self.get(item).cloned().ok_or_else(missing)
        };
        Ok(ControlPlane {
            standard: price(ChargeItem::EksControlPlane)?,
            extended: price(ChargeItem::EksControlPlaneExtended)?,
            extended_from,
        })
    }
}
