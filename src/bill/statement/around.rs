//! Charges around the compute, by usage type or description.
//!
//! Tiered prices (data to the internet, logs, metrics) are told by their
//! description alone: a usage type does not say which tier a row is of.

use super::item::Platform;
use crate::catalog::ChargeItem;

/// By the word and the name of a usage type, `EBS` and `VolumeUsage.gp3`.
pub(super) fn by_usage_type(word: &str, name: &str, operation: &str) -> Option<ChargeItem> {
    Some(match (word, name) {
        ("AmazonEKS-Hours", "perCluster") => ChargeItem::EksControlPlane,
        ("PublicIPv4", "InUseAddress" | "IdleAddress") => ChargeItem::PublicIpv4,
        ("EBS", "VolumeUsage.gp3") => ChargeItem::Gp3Storage,
        ("EBS", "VolumeP-IOPS.gp3") => ChargeItem::Gp3Iops,
        ("EBS", "VolumeUsage.gp2") => ChargeItem::Gp2Storage,
        ("EBS", "VolumeUsage.st1") => ChargeItem::St1Storage,
        ("EBS", "VolumeUsage.sc1") => ChargeItem::Sc1Storage,
        ("NatGateway-Hours", "") => ChargeItem::NatGateway,
        ("NatGateway-Bytes", "") => ChargeItem::NatGatewayData,
        ("LoadBalancerUsage", "") => match operation {
            "LoadBalancing:Application" => ChargeItem::Alb,
            "LoadBalancing:Network" => ChargeItem::Nlb,
            _ => return None,
        },
        ("LCUUsage", "") => match operation {
            "LoadBalancing:Application" => ChargeItem::AlbLcu,
            "LoadBalancing:Network" => ChargeItem::NlbNlcu,
            _ => return None,
        },
        ("DataTransfer-Regional-Bytes", "") => ChargeItem::CrossAz,
        ("CPUCredits", family) if Platform::of_operation(operation) == Platform::Linux => {
            match family {
                "t3" | "t3a" => ChargeItem::SurplusCredits,
                "t4g" => ChargeItem::SurplusCreditsArm,
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// What follows the price in a description, and what it is.
const AFTER_PRICE: [(&str, ChargeItem); 16] = [
    ("per In-use public IPv4 address per hour", ChargeItem::PublicIpv4),
    ("per Idle public IPv4 address per hour", ChargeItem::PublicIpv4),
    ("per GB-month of General Purpose (gp3) provisioned storage", ChargeItem::Gp3Storage),
    ("per provisioned IOPS-month of gp3", ChargeItem::Gp3Iops),
    ("per GB-month of General Purpose SSD (gp2) provisioned storage", ChargeItem::Gp2Storage),
    ("per NAT Gateway Hour", ChargeItem::NatGateway),
    ("per GB Data Processed by NAT Gateways", ChargeItem::NatGatewayData),
    ("per Application LoadBalancer-hour", ChargeItem::Alb),
    ("per used Application load balancer capacity unit-hour", ChargeItem::AlbLcu),
    ("per Network LoadBalancer-hour", ChargeItem::Nlb),
    ("per used Network load balancer capacity unit-hour", ChargeItem::NlbNlcu),
    ("per GB - regional data transfer - in/out/between EC2 AZs", ChargeItem::CrossAz),
    ("per GB-month of data storage", ChargeItem::EcrStorage),
    ("per GB custom log data ingested in Standard log class", ChargeItem::LogsIngestion),
    ("per GB-mo of log storage", ChargeItem::LogsStorage),
    ("per metric-month for the first 10,000 metrics", ChargeItem::CustomMetric),
];

/// Tiers of data to the internet, by what follows the price.
const EGRESS: [(&str, ChargeItem); 4] = [
    ("per GB - first 10 TB / month data transfer out beyond the global free", ChargeItem::Egress1),
    ("per GB - next 40 TB / month data transfer out", ChargeItem::Egress2),
    ("per GB - next 100 TB / month data transfer out", ChargeItem::Egress3),
    ("per GB - greater than 150 TB / month data transfer out", ChargeItem::Egress4),
];

/// By a description that names its price first, `$0.045 per NAT Gateway Hour`.
pub(super) fn by_description(description: &str, service: &str) -> Option<ChargeItem> {
    if description.starts_with("Amazon EKS cluster usage in ") {
        return Some(ChargeItem::EksControlPlane);
    }
    let (price, words) = description.split_once(' ')?;
    // A price of nothing is a free tier, not the list price of the item.
    price.strip_prefix('$').filter(|p| p.bytes().any(|c| (b'1'..=b'9').contains(&c)))?;
    // CloudFront has egress tiers of its own, in the same words.
    let tiers = if service.contains("CloudFront") { &[][..] } else { &EGRESS[..] };
    AFTER_PRICE
        .iter()
        .chain(tiers)
        .find(|(start, _)| words.starts_with(start))
        .map(|(_, charge)| *charge)
        // Amazon S3 and others store data too.
        .filter(|charge| *charge != ChargeItem::EcrStorage || service.contains("Registry"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_types_name_charges() {
        for (word, name, operation, charge) in [
            ("AmazonEKS-Hours", "perCluster", "Create", Some(ChargeItem::EksControlPlane)),
            ("PublicIPv4", "IdleAddress", "", Some(ChargeItem::PublicIpv4)),
            ("EBS", "VolumeUsage.gp3", "", Some(ChargeItem::Gp3Storage)),
            ("EBS", "VolumeUsage.gp2", "", Some(ChargeItem::Gp2Storage)),
            ("EBS", "VolumeP-Throughput.gp3", "", None),
            ("EBS", "SnapshotUsage", "", None),
            ("LoadBalancerUsage", "", "LoadBalancing:Application", Some(ChargeItem::Alb)),
            ("LoadBalancerUsage", "", "LoadBalancing", None),
            ("LCUUsage", "", "LoadBalancing:Network", Some(ChargeItem::NlbNlcu)),
            ("NatGateway-Bytes", "", "NatGateway", Some(ChargeItem::NatGatewayData)),
            ("CPUCredits", "t3", "RunInstances", Some(ChargeItem::SurplusCredits)),
            ("CPUCredits", "t3", "RunInstances:0002", None),
            ("CPUCredits", "t4g", "RunInstances", Some(ChargeItem::SurplusCreditsArm)),
            ("DataTransfer-Out-Bytes", "", "RunInstances", None),
        ] {
            assert_eq!(by_usage_type(word, name, operation), charge, "{word}:{name} {operation}");
        }
    }

    #[test]
    fn descriptions_name_charges() {
        let ec2 = "Amazon Elastic Compute Cloud";
        for (description, service, charge) in [
            ("Amazon EKS cluster usage in US East (Ohio)", "", Some(ChargeItem::EksControlPlane)),
            ("$0.045 per NAT Gateway Hour", ec2, Some(ChargeItem::NatGateway)),
            (
                "$0.08 per GB-month of General Purpose (gp3) provisioned storage - US West (Oregon)",
                ec2,
                Some(ChargeItem::Gp3Storage),
            ),
            (
                "$0.006 per used Network load balancer capacity unit-hour (or partial hour)",
                "Elastic Load Balancing",
                Some(ChargeItem::NlbNlcu),
            ),
            ("$0.025 per LoadBalancer-hour (or partial hour)", "Elastic Load Balancing", None),
            (
                "$0.085 per GB - next 40 TB / month data transfer out",
                ec2,
                Some(ChargeItem::Egress2),
            ),
            ("$0.080 per GB - next 40 TB / month data transfer out", "Amazon CloudFront", None),
            ("$0.000 per GB - data transfer out under the monthly global free tier", ec2, None),
            (
                "$0.10 per GB-month of data storage",
                "Amazon EC2 Container Registry (ECR)",
                Some(ChargeItem::EcrStorage),
            ),
            ("$0.10 per GB-month of data storage", "Something", None),
            ("$0.00 per metric-month for the first 10,000 metrics", "AmazonCloudWatch", None),
            ("per NAT Gateway Hour", ec2, None),
            ("", "", None),
        ] {
            assert_eq!(by_description(description, service), charge, "{description}");
        }
    }
}
