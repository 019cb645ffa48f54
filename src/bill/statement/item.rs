//! What a row of a billing file charges for, as far as it is modelled.
//!
//! A usage type says it best (`USW2-BoxUsage:c5.xlarge`); FOCUS 1.0 has none,
//! so descriptions are understood too, in the words of the AWS price list.
//! Whatever is not certain stays unrecognised and is listed as such.

use super::around;
use crate::catalog::{Arch, ChargeItem};

/// What an instance runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    /// Linux without a licence.
    Linux,
    /// Windows, licence included.
    Windows,
    /// Red Hat Enterprise Linux.
    Rhel,
    /// SUSE Linux Enterprise Server.
    Suse,
    /// With further software, bring-your-own-licence, or not told.
    Other,
}

impl Platform {
    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Platform::Linux => "Linux",
            Platform::Windows => "Windows",
            Platform::Rhel => "RHEL",
            Platform::Suse => "SUSE",
            Platform::Other => "other platform",
        }
    }

    /// Of the words before the type in a price description: `Linux`.
    fn of_words(words: &str) -> Self {
        match words {
            "Linux" | "Linux/UNIX" => Platform::Linux,
            "Windows" => Platform::Windows,
            "RHEL" => Platform::Rhel,
            "SUSE" => Platform::Suse,
            _ => Platform::Other,
        }
    }

    /// Of an operating system, as the details of a SKU name it.
    fn of_system(system: &str) -> Self {
        let is = |words: &[&str]| words.iter().any(|word| system.eq_ignore_ascii_case(word));
        if is(&["Linux", "Linux/UNIX"]) {
            Platform::Linux
        } else if is(&["Windows"]) {
            Platform::Windows
        } else if is(&["RHEL", "Red Hat Enterprise Linux"]) {
            Platform::Rhel
        } else if is(&["SUSE", "SUSE Linux"]) {
            Platform::Suse
        } else {
            Platform::Other
        }
    }

    /// Of an operation, as in `RunInstances:0002` (EC2 user guide, "AMI
    /// billing information": 0002 Windows, 0010 RHEL, 000g SUSE). What Spot
    /// adds (`:SV012`) does not count.
    pub(super) fn of_operation(operation: &str) -> Self {
        let mut parts = operation.split(':').skip(1).filter(|part| !part.starts_with("SV"));
        match (parts.next(), parts.next()) {
            (None, _) => Platform::Linux,
            (Some("0002"), None) => Platform::Windows,
            (Some("0010"), None) => Platform::Rhel,
            (Some("000g"), None) => Platform::Suse,
            _ => Platform::Other,
        }
    }
}

/// How something was bought, commitments aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Market {
    /// At the list price.
    OnDemand,
    /// At the price of the Spot market.
    Spot,
    /// A Capacity Reservation that no instance used, at the list price.
    UnusedReservation,
}

/// What of a Fargate task is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FargateResource {
    /// vCPU-hours.
    Vcpu,
    /// GB-hours of memory.
    Memory,
    /// GB-hours of storage above what is free.
    Storage,
}

/// What a row charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item<'a> {
    /// Instance-hours.
    Instance {
        /// Its type.
        name: &'a str,
        /// What it runs.
        platform: Platform,
        /// Whether it shares hardware with other accounts.
        shared: bool,
        /// How it was bought.
        market: Market,
    },
    /// Fargate, per hour.
    Fargate {
        /// Of what.
        resource: FargateResource,
        /// Architecture.
        arch: Arch,
        /// Linux or Windows.
        platform: Platform,
        /// Whether it is Fargate Spot.
        spot: bool,
    },
    /// What an EKS cluster in extended support pays on top of the standard
    /// fee: a line of its own on a bill.
    EksExtendedSupport,
    /// Anything around the compute.
    Charge(ChargeItem),
}

impl Item<'_> {
    /// Its unit of price.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Item::Instance { .. } => "instance-hour",
            Item::Fargate { resource: FargateResource::Vcpu, .. } => "vCPU-hour",
            Item::Fargate { .. } => "GB-hour",
            Item::EksExtendedSupport => "cluster-hour",
            Item::Charge(charge) => charge.unit(),
        }
    }

    /// What sort of item it is, its type and size aside: `Windows instances`.
    #[must_use]
    pub fn sort(self) -> String {
        match self {
            Item::Instance { platform, shared, market, .. } => {
                let market = match market {
                    Market::OnDemand => "",
                    Market::Spot => "Spot ",
                    Market::UnusedReservation => "unused reserved ",
                };
                let tenancy = if shared { "" } else { "dedicated " };
                format!("{tenancy}{market}{} instances", platform.name())
            }
            Item::Fargate { .. } | Item::EksExtendedSupport | Item::Charge(_) => self.label(),
        }
    }

    /// Whether Compute Savings Plans apply to it, whatever is known of its rates:
    /// every platform and tenancy of EC2, but nothing of Spot, and no storage.
    #[must_use]
    pub fn is_plan_usage(self) -> bool {
        match self {
            Item::Instance { market, .. } => market != Market::Spot,
            Item::Fargate { resource, spot, .. } => !spot && resource != FargateResource::Storage,
            Item::EksExtendedSupport | Item::Charge(_) => false,
        }
    }

    /// Its name for people, such as `m5.large` or `Fargate vCPU arm64 Spot`.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Item::Instance { name, platform, shared, market } => {
                let mut label = name.to_owned();
                if platform != Platform::Linux {
                    label = format!("{label} {}", platform.name());
                }
                if !shared {
                    label.push_str(" dedicated");
                }
                match market {
                    Market::OnDemand => {}
                    Market::Spot => label.push_str(" Spot"),
                    Market::UnusedReservation => label.push_str(" unused reservation"),
                }
                label
            }
            Item::Fargate { resource, arch, platform, spot } => {
                let resource = match resource {
                    FargateResource::Vcpu => "vCPU",
                    FargateResource::Memory => "memory",
                    FargateResource::Storage => "storage",
                };
                let arch = if arch == Arch::Arm64 { " arm64" } else { "" };
                let platform = if platform == Platform::Linux { "" } else { " Windows" };
                let spot = if spot { " Spot" } else { "" };
                format!("Fargate {resource}{arch}{platform}{spot}")
            }
            Item::EksExtendedSupport => "eks-extended-support".to_owned(),
            Item::Charge(charge) => charge.word().to_owned(),
        }
    }
}

/// By usage type, with the operation that tells an instance's platform.
pub(super) fn by_usage_type<'a>(
    usage_type: &'a str,
    operation: &str,
    service: &str,
) -> Option<Item<'a>> {
    // A Region's short name may stand before it: `USW2-BoxUsage:c5.large`.
    let short = usage_type.split_once('-').map_or("", |(_, rest)| rest);
    let item = [usage_type, short].into_iter().find_map(|text| usage(text, operation));
    // Amazon EMR, Lightsail and GameLift have a BoxUsage of their own.
    item.filter(|item| !matches!(item, Item::Instance { .. }) || is_ec2(service))
}

/// Whether a service is EC2, by its code (`AmazonEC2`) or one of its names.
fn is_ec2(service: &str) -> bool {
    let name = service.strip_prefix("Amazon").unwrap_or(service).trim_start();
    ["EC2", "Elastic Compute Cloud"].iter().any(|start| name.starts_with(start))
}

fn usage<'a>(text: &'a str, operation: &str) -> Option<Item<'a>> {
    let (word, name) = text.split_once(':').unwrap_or((text, ""));
    let instance = |shared, market| {
        is_type(name).then(|| Item::Instance {
            name,
            platform: Platform::of_operation(operation),
            shared,
            market,
        })
    };
    match (word, name) {
        ("BoxUsage", _) => instance(true, Market::OnDemand),
        ("SpotUsage", _) => instance(true, Market::Spot),
        ("UnusedBox", _) => instance(true, Market::UnusedReservation),
        ("DedicatedUsage", _) => instance(false, Market::OnDemand),
        ("UnusedDed", _) => instance(false, Market::UnusedReservation),
        ("AmazonEKS-Hours", "extendedSupport") => Some(Item::EksExtendedSupport),
        _ => around::by_usage_type(word, name, operation)
            .map(Item::Charge)
            .or_else(|| fargate_usage(word)),
    }
}

/// `[SpotUsage-]Fargate[-ARM|-Windows]-vCPU-Hours`, `…-GB-Hours`.
fn fargate_usage<'a>(word: &str) -> Option<Item<'a>> {
    let (spot, word) = match word.strip_prefix("SpotUsage-") {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let rest = word.strip_prefix("Fargate-")?;
    let (arch, platform, rest) = if let Some(rest) = rest.strip_prefix("ARM-") {
        (Arch::Arm64, Platform::Linux, rest)
    } else if let Some(rest) = rest.strip_prefix("Windows-") {
        (Arch::Amd64, Platform::Windows, rest)
    } else {
        (Arch::Amd64, Platform::Linux, rest)
    };
    let resource = match rest {
        "vCPU-Hours" => FargateResource::Vcpu,
        "GB-Hours" => FargateResource::Memory,
        "EphemeralStorage-GB-Hours" => FargateResource::Storage,
        _ => return None,
    };
    Some(Item::Fargate { resource, arch, platform, spot })
}

/// By the meter of a SKU, as our own FOCUS export names it: its details hold
/// the instance type, as FOCUS 1.2 wants it. No column tells the architecture
/// of Fargate: x86-64 unless its price says otherwise.
pub(super) fn by_meter<'a>(meter: &str, details: &'a str, dynamic: bool) -> Option<Item<'a>> {
    let resource = match meter {
        "Instance hours" | "Unused capacity reservation hours" => {
            let name = detail(details, "InstanceType").filter(|name| is_type(name))?;
            let market = if dynamic { Market::Spot } else { Market::OnDemand };
            return Some(Item::Instance { name, platform: Platform::Linux, shared: true, market });
        }
        "Fargate vCPU hours" => FargateResource::Vcpu,
        "Fargate memory" => FargateResource::Memory,
        "Fargate storage" => FargateResource::Storage,
        _ => return None,
    };
    let (arch, platform) = (Arch::Amd64, Platform::Linux);
    Some(Item::Fargate { resource, arch, platform, spot: dynamic })
}

/// What the details of a SKU and the operation say of an instance or a task
/// beyond its type: FOCUS has no column of its own for platform and tenancy.
/// They make an item dearer than shared Linux, and never the other way round.
pub(super) fn with_details<'a>(item: Item<'a>, details: &str, operation: &str) -> Item<'a> {
    let stated = |names: [&str; 2]| names.iter().find_map(|name| detail_said(details, name));
    let licensed = |of: Platform| {
        let system = stated(["OperatingSystem", "x_OperatingSystem"]);
        let system = system.map_or(Platform::Linux, Platform::of_system);
        let by_operation = if operation.starts_with("RunInstances") {
            Platform::of_operation(operation)
        } else {
            Platform::Linux
        };
        [of, by_operation, system].into_iter().find(|it| *it != Platform::Linux).unwrap_or(of)
    };
    match item {
        Item::Instance { name, platform, shared, market } => {
            let tenancy = stated(["Tenancy", "x_Tenancy"]);
            let elsewhere = tenancy.is_some_and(|it| !is_shared(it));
            Item::Instance {
                name,
                platform: licensed(platform),
                shared: shared && !elsewhere,
                market,
            }
        }
        Item::Fargate { resource, arch, platform, spot } => {
            Item::Fargate { resource, arch, platform: licensed(platform), spot }
        }
        other => other,
    }
}

/// Whether a tenancy is that of hardware shared with other accounts, in the
/// words of the price list (`Shared`) and of the EC2 API (`default`).
fn is_shared(tenancy: &str) -> bool {
    tenancy.eq_ignore_ascii_case("shared") || tenancy.eq_ignore_ascii_case("default")
}

/// What a flat JSON object says of a key, if it is there and neither null nor
/// empty. What is no text, or one that is escaped, is as it stands: it equals
/// no word.
fn detail_said<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{key}\""))?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    let value = match value.strip_prefix('"') {
        Some(text) => text.split_once('"').map_or(text, |(text, _)| text),
        None => value.split_once([',', '}']).map_or(value, |(value, _)| value),
    };
    let value = value.trim();
    (!value.is_empty() && !value.eq_ignore_ascii_case("null")).then_some(value)
}

/// A text of a flat JSON object that needs no unescaping.
fn detail<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{key}\""))?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    value.split_once('"').map(|(text, _)| text).filter(|text| !text.contains('\\'))
}

/// By the description of a price of a service.
pub(super) fn by_description<'a>(description: &'a str, service: &str) -> Option<Item<'a>> {
    instance_words(description)
        .or_else(|| spot_words(description))
        .or_else(|| fargate_words(description))
        .or_else(|| around::by_description(description, service).map(Item::Charge))
}

/// `$0.17 per On Demand Linux c5.xlarge Instance Hour`.
fn instance_words(description: &str) -> Option<Item<'_>> {
    let (_, rest) = description.split_once(" per ")?;
    let words = rest.strip_suffix(" Instance Hour")?;
    let (words, name) = words.rsplit_once(' ')?;
    if !is_type(name) {
        return None;
    }
    let (shared, market, platform) = if let Some(platform) = words.strip_prefix("On Demand ") {
        (true, Market::OnDemand, platform)
    } else if let Some(platform) = words.strip_prefix("Unused Reservation ") {
        (true, Market::UnusedReservation, platform)
    } else {
        let platform = words.strip_prefix("Dedicated ")?;
        (false, Market::OnDemand, platform.strip_prefix("Usage ").unwrap_or(platform))
    };
    Some(Item::Instance { name, platform: Platform::of_words(platform), shared, market })
}

/// `c4.large Linux/UNIX Spot Instance-hour in US West (Oregon) in VPC Zone #1`.
fn spot_words(description: &str) -> Option<Item<'_>> {
    let (words, _) = description.split_once(" Spot Instance-hour in ")?;
    let (name, platform) = words.split_once(' ')?;
    is_type(name).then(|| Item::Instance {
        name,
        platform: Platform::of_words(platform),
        shared: true,
        market: Market::Spot,
    })
}

/// `AWS Fargate - vCPU - US West 2 (Oregon)`, `AWS Fargate - ARM - Memory - …`.
fn fargate_words(description: &str) -> Option<Item<'_>> {
    let mut parts = description.split(" - ").map(str::trim);
    if parts.next() != Some("AWS Fargate") {
        return None;
    }
    let (mut arch, mut platform) = (Arch::Amd64, Platform::Linux);
    for part in parts.by_ref() {
        let resource = match part {
            "ARM" => {
                arch = Arch::Arm64;
                continue;
            }
            "Windows" => {
                platform = Platform::Windows;
                continue;
            }
            "vCPU" => FargateResource::Vcpu,
            "Memory" => FargateResource::Memory,
            _ => return None,
        };
        // What follows is the place; a word more would be a variant.
        return (parts.count() <= 1).then_some(Item::Fargate {
            resource,
            arch,
            platform,
            spot: false,
        });
    }
    None
}

/// Whether a word has the shape of an instance type: `m7i-flex.xlarge`.
fn is_type(word: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    word.len() <= 40
        && word.split_once('.').is_some_and(|(family, size)| plain(family) && plain(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(name: &str, platform: Platform, shared: bool, market: Market) -> Option<Item<'_>> {
        is_type(name).then_some(Item::Instance { name, platform, shared, market })
    }

    const fn fargate(resource: FargateResource, arch: Arch, spot: bool) -> Option<Item<'static>> {
        #![allow(clippy::unnecessary_wraps)]
        Some(Item::Fargate { resource, arch, platform: Platform::Linux, spot })
    }

    #[test]
    fn usage_types_say_what_was_used() {
        use FargateResource::{Memory, Storage, Vcpu};
        let run = "RunInstances";
        for (usage_type, operation, item) in [
            (
                "BoxUsage:c5.2xlarge",
                run,
                instance("c5.2xlarge", Platform::Linux, true, Market::OnDemand),
            ),
            (
                "USW2-BoxUsage:m7i-flex.xlarge",
                "RunInstances:0002",
                instance("m7i-flex.xlarge", Platform::Windows, true, Market::OnDemand),
            ),
            (
                "USW2-SpotUsage:c4.large",
                "RunInstances:SV001",
                instance("c4.large", Platform::Linux, true, Market::Spot),
            ),
            (
                "SpotUsage:c4.large",
                "RunInstances:0010:SV006",
                instance("c4.large", Platform::Rhel, true, Market::Spot),
            ),
            (
                "EU-DedicatedUsage:m5.large",
                "RunInstances:0006",
                instance("m5.large", Platform::Other, false, Market::OnDemand),
            ),
            (
                "UnusedBox:m5.large",
                "RunInstances:000g",
                instance("m5.large", Platform::Suse, true, Market::UnusedReservation),
            ),
            ("USE1-Fargate-vCPU-Hours:perCPU", "", fargate(Vcpu, Arch::Amd64, false)),
            ("Fargate-GB-Hours", "", fargate(Memory, Arch::Amd64, false)),
            ("APS3-Fargate-ARM-vCPU-Hours:perCPU", "", fargate(Vcpu, Arch::Arm64, false)),
            ("EUC1-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU", "", fargate(Vcpu, Arch::Arm64, true)),
            ("SpotUsage-Fargate-GB-Hours", "", fargate(Memory, Arch::Amd64, true)),
            ("USE1-Fargate-EphemeralStorage-GB-Hours", "", fargate(Storage, Arch::Amd64, false)),
            ("AmazonEKS-Hours:extendedSupport", "", Some(Item::EksExtendedSupport)),
            (
                "EU-AmazonEKS-Hours:perCluster",
                "CreateOperation",
                Some(Item::Charge(ChargeItem::EksControlPlane)),
            ),
            ("EUC1-EBS:VolumeUsage.gp3", "", Some(Item::Charge(ChargeItem::Gp3Storage))),
            ("EBSOptimized:t3a.small", "", None),
            ("BoxUsage:", run, None),
            ("BoxUsage", run, None),
            ("USE1-DataTransfer-Out-Bytes", "", None),
            ("Fargate-FPGA-vCPU-Hours", "", None),
            ("", "", None),
        ] {
            assert_eq!(by_usage_type(usage_type, operation, "AmazonEC2"), item, "{usage_type}");
        }
    }

    #[test]
    fn descriptions_say_it_too() {
        use FargateResource::{Memory, Vcpu};
        for (description, item) in [
            (
                "$0.19152 per On Demand Linux m7i-flex.xlarge Instance Hour",
                instance("m7i-flex.xlarge", Platform::Linux, true, Market::OnDemand),
            ),
            (
                "$0.19 per On Demand Windows m5.large Instance Hour",
                instance("m5.large", Platform::Windows, true, Market::OnDemand),
            ),
            (
                "$1.5 per On Demand Linux with SQL Std m5.large Instance Hour",
                instance("m5.large", Platform::Other, true, Market::OnDemand),
            ),
            (
                "$0.1 per Dedicated Usage Linux m5.large Instance Hour",
                instance("m5.large", Platform::Linux, false, Market::OnDemand),
            ),
            (
                "$0.096 per Unused Reservation Linux m5.large Instance Hour",
                instance("m5.large", Platform::Linux, true, Market::UnusedReservation),
            ),
            (
                "c4.large Linux/UNIX Spot Instance-hour in US West (Oregon) in VPC Zone #1",
                instance("c4.large", Platform::Linux, true, Market::Spot),
            ),
            ("AWS Fargate - vCPU  - US West 2 (Oregon)", fargate(Vcpu, Arch::Amd64, false)),
            ("AWS Fargate - Memory - EU (Frankfurt)", fargate(Memory, Arch::Amd64, false)),
            ("AWS Fargate - ARM - Memory - EU (Frankfurt)", fargate(Memory, Arch::Arm64, false)),
            ("AWS Fargate - vCPU - Spot - EU (Frankfurt)", None),
            ("AWS Fargate - Storage - EU (Frankfurt)", None),
            (
                "Amazon EKS cluster usage in US East (Ohio)",
                Some(Item::Charge(ChargeItem::EksControlPlane)),
            ),
            ("$0.00 for 175 Mbps per t3a.small instance-hour (or partial hour)", None),
            ("$0.1 per Something Linux m5.large Instance Hour", None),
            ("", None),
        ] {
            assert_eq!(by_description(description, ""), item, "{description}");
        }
    }

    #[test]
    fn meters_of_our_own_export_are_known() {
        let details = r#"{"CoreCount":2,"InstanceType":"m5.large","MemorySize":8}"#;
        let of = |market| instance("m5.large", Platform::Linux, true, market);
        assert_eq!(by_meter("Instance hours", details, false), of(Market::OnDemand));
        assert_eq!(by_meter("Instance hours", details, true), of(Market::Spot));
        assert_eq!(by_meter("Instance hours", "{}", false), None);
        assert_eq!(by_meter("Instance hours", r#"{"InstanceType":"a\u002e"}"#, false), None);
        let memory = fargate(FargateResource::Memory, Arch::Amd64, false);
        assert_eq!(by_meter("Fargate memory", "", false), memory);
        assert_eq!(by_meter("Licence hours", "", false), None);
    }

    /// `{"OperatingSystem":"Windows"}` of an m5.large is no shared Linux.
    #[test]
    fn details_of_a_sku_tell_platform_and_tenancy() {
        let of = |details: &str, operation: &str| {
            let item = instance("m5.large", Platform::Linux, true, Market::OnDemand);
            item.map(|item| with_details(item, details, operation))
        };
        let is = |platform, shared| instance("m5.large", platform, shared, Market::OnDemand);
        for (details, operation, platform, shared) in [
            (r#"{"OperatingSystem":"Linux","Tenancy":"Shared"}"#, "", Platform::Linux, true),
            (r#"{"OperatingSystem":null,"Tenancy":""}"#, "RunInstances", Platform::Linux, true),
            ("", "", Platform::Linux, true),
            (r#"{"OperatingSystem" : "Windows"}"#, "", Platform::Windows, true),
            (r#"{"x_OperatingSystem":"RHEL"}"#, "RunInstances", Platform::Rhel, true),
            (r#"{"OperatingSystem":"SUSE","Tenancy":"Host"}"#, "", Platform::Suse, false),
            (r#"{"Tenancy":"Dedicated"}"#, "", Platform::Linux, false),
            (r#"{"OperatingSystem":"Ubuntu Pro"}"#, "", Platform::Other, true),
            (r#"{"OperatingSystem":"\u0057indows"}"#, "", Platform::Other, true),
            (r#"{"OperatingSystem":"Linux"}"#, "RunInstances:0002", Platform::Windows, true),
            ("{}", "RunInstances:0010:SV006", Platform::Rhel, true),
        ] {
            assert_eq!(of(details, operation), is(platform, shared), "{details} {operation}");
        }
        // What is known to be dearer stays so.
        let windows = is(Platform::Windows, false).expect("an instance");
        assert_eq!(with_details(windows, r#"{"OperatingSystem":"Linux"}"#, ""), windows);
        let memory = fargate(FargateResource::Memory, Arch::Amd64, false).expect("memory");
        let Item::Fargate { platform, .. } =
            with_details(memory, r#"{"OperatingSystem":"Windows"}"#, "")
        else {
            panic!("still Fargate")
        };
        assert_eq!(platform, Platform::Windows);
    }

    #[test]
    fn labels_name_what_differs_from_the_usual() {
        let label = |item: Option<Item<'_>>| item.map(Item::label).unwrap_or_default();
        let of = instance("m5.large", Platform::Windows, false, Market::Spot);
        assert_eq!(label(of), "m5.large Windows dedicated Spot");
        assert_eq!(
            label(fargate(FargateResource::Memory, Arch::Arm64, true)),
            "Fargate memory arm64 Spot"
        );
    }
}
