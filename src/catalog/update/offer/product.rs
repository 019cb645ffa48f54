//! What a product of a price list is: which are taken, by their attributes.
//!
//! The spellings are AWS's, as they stand in excerpts of lists of 2022 to 2026 in
//! public repositories: of EC2 in `vantage-sh/ec2instances.info`
//! (`scraper/aws/ec2/process_data.go`, `sku_filter.go`), of Fargate in
//! `opencost/opencost` (`pkg/cloud/aws/fargate.go`).
//!
//! * EC2 lists a type once for each of: operating system, tenancy, software,
//!   licence, `capacitystatus` (`Used`, and reservations used or not, some at 0 USD)
//!   and `marketoption` (`OnDemand`, `CapacityBlock` at 0 USD). Linux without
//!   software has the operation `RunInstances`; others add a code to it.
//! * `usagetype` has the short name of its Region before it (`EU-`, `USW2-`); EC2
//!   in us-east-1 has none, where ECS and EKS have `USE1-`.
//! * Hardware at a customer's has `locationType` `AWS Outposts`, and the `regionCode` of
//!   the Region it hangs on: it is no price of that Region.
//! * A Fargate vCPU on Windows and its licence are two products.
//! * Extended support of EKS is a surcharge: a cluster in it pays both.

use std::fmt;

use serde::Deserialize;

use crate::catalog::{Arch, ChargeItem, FargateOs};

/// What a product is the price of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Item {
    pub(super) region: String,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// An instance type.
    Instance(String),
    Fargate(FargateItem),
    Charge(ChargeItem),
    /// What extended support of EKS adds to a cluster.
    ExtendedSupport,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FargateItem {
    Vcpu(FargateOs, Arch),
    Memory(FargateOs, Arch),
    /// Storage above the free 20 GB, whatever the platform.
    Storage,
    /// The Windows licence of a vCPU.
    Licence,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Instance(name) => f.write_str(name)?,
            What::Fargate(FargateItem::Vcpu(os, arch)) => {
                write!(f, "a Fargate vCPU-hour ({os}, {arch})")?;
            }
            What::Fargate(FargateItem::Memory(os, arch)) => {
                write!(f, "a Fargate GB-hour ({os}, {arch})")?;
            }
            What::Fargate(FargateItem::Storage) => f.write_str("Fargate storage")?,
            What::Fargate(FargateItem::Licence) => f.write_str("the Windows licence of Fargate")?,
            What::Charge(item) => write!(f, "{item}")?,
            What::ExtendedSupport => f.write_str("extended support of EKS")?,
        }
        write!(f, " in {}", self.region)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    #[serde(default)]
    product_family: String,
    #[serde(default)]
    attributes: Attributes,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Attributes {
    region_code: String,
    location_type: String,
    instance_type: String,
    operating_system: String,
    tenancy: String,
    pre_installed_sw: String,
    capacitystatus: String,
    license_model: String,
    usagetype: String,
    operation: String,
    marketoption: String,
}

/// What a product is, if it is wanted.
pub(super) fn item(service: &str, product: &Product) -> Option<Item> {
    let it = &product.attributes;
    // A list also has products of no place, and the ones at customers'.
    if it.region_code.is_empty() || it.location_type.contains("Outposts") {
        return None;
    }
    let what = match service {
        "AmazonEC2" => is_plain_linux(product).then(|| What::Instance(it.instance_type.clone()))?,
        "AmazonECS" => What::Fargate(fargate(usage(&it.usagetype))?),
        "AmazonEKS" => match usage(&it.usagetype) {
            "AmazonEKS-Hours:perCluster" => What::Charge(ChargeItem::EksControlPlane),
            "AmazonEKS-Hours:extendedSupport" => What::ExtendedSupport,
            _ => return None,
        },
        _ => return None,
    };
    Some(Item { region: it.region_code.clone(), what })
}

/// Whether a product is a type On-Demand: Linux, shared tenancy, no software.
fn is_plain_linux(product: &Product) -> bool {
    let it = &product.attributes;
    product.product_family.starts_with("Compute Instance")
        && it.operating_system == "Linux"
        && it.tenancy == "Shared"
        && it.pre_installed_sw == "NA"
        && matches!(it.capacitystatus.as_str(), "Used" | "")
        && matches!(it.license_model.as_str(), "No License required" | "")
        && matches!(it.marketoption.as_str(), "OnDemand" | "")
        && matches!(it.operation.as_str(), "RunInstances" | "")
        && (it.usagetype.is_empty() || usage(&it.usagetype).starts_with("BoxUsage:"))
}

fn fargate(usage: &str) -> Option<FargateItem> {
    use FargateItem::{Licence, Memory, Storage, Vcpu};
    use FargateOs::{Linux, Windows};
    Some(match usage {
        "Fargate-vCPU-Hours:perCPU" => Vcpu(Linux, Arch::Amd64),
        "Fargate-GB-Hours" => Memory(Linux, Arch::Amd64),
        "Fargate-ARM-vCPU-Hours:perCPU" => Vcpu(Linux, Arch::Arm64),
        "Fargate-ARM-GB-Hours" => Memory(Linux, Arch::Arm64),
        "Fargate-Windows-vCPU-Hours:perCPU" => Vcpu(Windows, Arch::Amd64),
        "Fargate-Windows-GB-Hours" => Memory(Windows, Arch::Amd64),
        "Fargate-Windows-OS-Hours:perCPU" => Licence,
        "Fargate-EphemeralStorage-GB-Hours" => Storage,
        _ => return None,
    })
}

/// A usage type without its Region: `EU-Fargate-GB-Hours` is
/// `Fargate-GB-Hours`, `BoxUsage:m5.large` stays. Names of Regions are capitals and
/// digits; those of zones may have several parts.
pub(in crate::catalog::update) fn usage(usage_type: &str) -> &str {
    let mut rest = usage_type;
    while let Some((region, after)) = rest.split_once('-')
        && !region.is_empty()
        && region.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    {
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_types_lose_their_region() {
        for (full, plain) in [
            ("BoxUsage:m5.large", "BoxUsage:m5.large"),
            ("BoxUsage:m7i-flex.large", "BoxUsage:m7i-flex.large"),
            ("EU-BoxUsage:u-6tb1.metal", "BoxUsage:u-6tb1.metal"),
            ("APN1-Fargate-ARM-GB-Hours", "Fargate-ARM-GB-Hours"),
            ("USE1-AmazonEKS-Hours:perCluster", "AmazonEKS-Hours:perCluster"),
            ("DEN1-BoxUsage:c5d.2xlarge", "BoxUsage:c5d.2xlarge"),
            ("USE1-WL1-BoxUsage:t3.medium", "BoxUsage:t3.medium"),
            ("EU-UnusedBox:m5.large", "UnusedBox:m5.large"),
            ("", ""),
        ] {
            assert_eq!(usage(full), plain);
        }
    }
}
