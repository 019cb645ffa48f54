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
    /// An EKS cluster in standard support, per hour.
    EksControlPlane,
    /// An EKS cluster in extended support, per hour: the total, not the
    /// surcharge.
    EksControlPlaneExtended,
    /// An ECS cluster, per hour: free.
    EcsControlPlane,
    /// gp3 volume storage, per GB-month of 730 hours, with 3,000 IOPS and
    /// 125 MiB/s included.
    Gp3Storage,
    /// A public IPv4 address, in use or idle, per hour.
    PublicIpv4,
}

words!(ChargeItem {
    EksControlPlane = "eks-control-plane",
    EksControlPlaneExtended = "eks-control-plane-extended",
    EcsControlPlane = "ecs-control-plane",
    Gp3Storage = "gp3-storage",
    PublicIpv4 = "public-ipv4",
});

impl ChargeItem {
    /// The unit that [`Quote::rate`] is for.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            ChargeItem::Gp3Storage => "GB-month",
            ChargeItem::PublicIpv4 => "address-hour",
            _ => "cluster-hour",
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

/// What an EKS cluster costs per hour on a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlPlane {
    /// USD per cluster-hour.
    pub quote: Quote,
    /// Whether the version has left standard support.
    pub extended_support: bool,
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
    /// The hourly fee of an EKS cluster of this version on this date. After
    /// the twelve months of extended support AWS moves the cluster to the
    /// oldest supported version, itself in extended support: the fee stays.
    pub(super) fn control_plane(&self, version: &str, date: Date) -> Result<ControlPlane> {
        let (_, last) =
            STANDARD_SUPPORT_ENDS.iter().find(|(known, _)| *known == version).ok_or_else(|| {
                Error::input(format!(
                    "unknown Kubernetes version `{version}`; choose one of {}",
                    kubernetes_versions().collect::<Vec<_>>().join(", ")
                ))
            })?;
        let extended_from = last.tomorrow().unwrap_or(Date::MAX);
        let extended_support = date >= extended_from;
        let item = if extended_support {
            ChargeItem::EksControlPlaneExtended
        } else {
            ChargeItem::EksControlPlane
        };
        let quote = self
            .get(item)
            .cloned()
            .ok_or_else(|| Error::input(format!("charges.csv has no price for `{item}`")))?;
        Ok(ControlPlane { quote, extended_support, extended_from })
    }
}
