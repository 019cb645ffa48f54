//! `charges.csv`: the fees around the compute that a scenario can be charged.
//!
//! What nothing bills stays out: alarms, queries of logs, transfer to other
//! Regions, endpoints of Gateway Load Balancers.

use std::collections::BTreeMap;

use super::facts::{FactTable, SourceTable, Unsourced, source_of, with_sources};
use crate::Result;
use crate::catalog::charges::{ANY_REGION, CHARGES_HEADER, ChargeItem};
use crate::catalog::quote::PriceStatus;

/// The charges kept, by the facts' service and item.
const CHARGES: [(&str, &str, ChargeItem); 38] = [
    ("EKS", "control plane, standard support", ChargeItem::EksControlPlane),
    (
        "EKS",
        "control plane, extended support (total, not surcharge)",
        ChargeItem::EksControlPlaneExtended,
    ),
    (
        "EKS",
        "Auto Mode management fee, as fraction of the On-Demand price of the instance \
         (applies to Spot/RI/SP too, not discounted)",
        ChargeItem::EksAutoMode,
    ),
    ("ECS", "control plane", ChargeItem::EcsControlPlane),
    ("ECS", "ECS Anywhere external instance", ChargeItem::EcsAnywhere),
    ("EBS", "gp3 storage", ChargeItem::Gp3Storage),
    ("EBS", "gp3 IOPS above 3000", ChargeItem::Gp3Iops),
    ("EBS", "gp3 throughput above 125 MiB/s", ChargeItem::Gp3Throughput),
    ("EBS", "gp2 storage", ChargeItem::Gp2Storage),
    ("EBS", "io1/io2 storage", ChargeItem::IoStorage),
    ("EBS", "io1/io2 IOPS (first 32000)", ChargeItem::IoIops),
    ("EBS", "st1 storage", ChargeItem::St1Storage),
    ("EBS", "sc1 storage", ChargeItem::Sc1Storage),
    ("VPC", "NAT gateway", ChargeItem::NatGateway),
    ("VPC", "NAT gateway data processed", ChargeItem::NatGatewayData),
    ("VPC", "public IPv4 address, in use or idle", ChargeItem::PublicIpv4),
    ("VPC", "interface endpoint", ChargeItem::InterfaceEndpoint),
    ("VPC", "interface endpoint data, first 1 PB", ChargeItem::InterfaceEndpointData1),
    ("VPC", "interface endpoint data, next 4 PB", ChargeItem::InterfaceEndpointData2),
    ("VPC", "interface endpoint data, over 5 PB", ChargeItem::InterfaceEndpointData3),
    ("ELB", "ALB", ChargeItem::Alb),
    ("ELB", "ALB LCU", ChargeItem::AlbLcu),
    ("ELB", "NLB", ChargeItem::Nlb),
    ("ELB", "NLB NLCU", ChargeItem::NlbNlcu),
    ("DataTransfer", "cross-AZ, each direction", ChargeItem::CrossAz),
    ("DataTransfer", "internet egress, first 10 TB per month", ChargeItem::Egress1),
    ("DataTransfer", "internet egress, next 40 TB", ChargeItem::Egress2),
    ("DataTransfer", "internet egress, next 100 TB", ChargeItem::Egress3),
    ("DataTransfer", "internet egress, above 150 TB", ChargeItem::Egress4),
    (
        "DataTransfer",
        "internet egress free allowance (account, all Regions)",
        ChargeItem::EgressFree,
    ),
    ("ECR", "storage", ChargeItem::EcrStorage),
    ("CloudWatch", "logs ingestion", ChargeItem::LogsIngestion),
    ("CloudWatch", "logs storage", ChargeItem::LogsStorage),
    (
        "CloudWatch",
        "custom metric, first 10000 (also classic Container Insights metrics, detailed monitoring)",
        ChargeItem::CustomMetric,
    ),
    (
        "CloudWatch",
        "Container Insights enhanced observability (EKS), per million observations",
        ChargeItem::ContainerInsightsObservations,
    ),
    ("Fargate", "Windows OS licence", ChargeItem::FargateWindowsLicence),
    ("EC2", "T3/T3a unlimited surplus credits, Linux", ChargeItem::SurplusCredits),
    ("EC2", "T4g unlimited surplus credits, Linux", ChargeItem::SurplusCreditsArm),
];

/// The tiers of transfer to the internet, first to last.
const EGRESS: [ChargeItem; 4] =
    [ChargeItem::Egress1, ChargeItem::Egress2, ChargeItem::Egress3, ChargeItem::Egress4];

pub(super) fn render(table: &FactTable, sources: &mut SourceTable) -> Result<String> {
    let mut rows = Vec::new();
    for fact in table.facts() {
        let (service, item) = (fact.get("service")?, fact.get("item")?);
        let Some((_, _, item)) = CHARGES.iter().find(|(s, i, _)| *s == service && *i == item)
        else {
            continue;
        };
        let region = match fact.get("region")? {
            "any" => ANY_REGION,
            region => region,
        };
        let row = vec![
            region.to_owned(),
            item.to_string(),
            fact.get("unit")?.to_owned(),
            fact.decimal("usd_per_unit")?,
        ];
        rows.push((fact, 2, row, source_of(fact)?));
    }
    last_tiers(&mut rows);
    with_sources(rows, "charges", CHARGES_HEADER, sources)
}

/// A Region whose last tier of internet transfer the facts lack, as us-east-1,
/// gets that of a Region with the same three tiers before it.
fn last_tiers(rows: &mut Vec<Unsourced<'_>>) {
    let mut regions: BTreeMap<String, [Option<usize>; 4]> = BTreeMap::new();
    for (i, (_, _, row, _)) in rows.iter().enumerate() {
        if let Some(tier) = EGRESS.iter().position(|item| row[1] == item.word()) {
            regions.entry(row[0].clone()).or_default()[tier] = Some(i);
        }
    }
    let price =
        |i: &Option<usize>| i.and_then(|i| rows.get(i)).map(|(_, _, row, _)| row[3].clone());
    let first_three = |tiers: &[Option<usize>; 4]| tiers.each_ref().map(price)[..3].to_vec();
    let mut more = Vec::new();
    for (region, tiers) in regions.iter().filter(|(_, tiers)| tiers[3].is_none()) {
        let like = regions.iter().find_map(|(other, theirs)| {
            let last = rows.get(theirs[3]?)?;
            (first_three(theirs) == first_three(tiers)).then_some((other, last))
        });
        if let Some((other, last)) = like {
            let (fact, keys, mut row, (status, date, text)) = last.clone();
            row[0].clone_from(region);
            let text = format!("{text}; as in {other}, whose other tiers are the same");
            more.push((fact, keys, row, (status.max(PriceStatus::Derived), date, text)));
        }
    }
    rows.extend(more);
}
