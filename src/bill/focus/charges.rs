//! What each charge and way of buying is in the words of FOCUS. Matched
//! without wildcards: a new charge must be given its place here.

use crate::bill::charge::Charge;
use crate::bill::model::{PurchaseOption, Unit};
use crate::bill::prices::CommitmentKind;

/// Who sells what a charge is for, and as what. A service name belongs to one
/// category and one subcategory, as FOCUS demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Ec2,
    Ebs,
    Fargate,
    Eks,
    Ecs,
    Vpc,
    Efs,
    Fsx,
    Ecr,
    LoadBalancing,
    DataTransfer,
    CloudWatch,
    SavingsPlans,
    /// Nodes of a shape and at a price that the scenario states.
    Custom,
    /// Licences at a price that the scenario states.
    Licence,
}

impl Service {
    /// (`ServiceName`, `ServiceCategory`, `ServiceSubcategory`).
    pub(super) const fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Service::Ec2 => ("Amazon Elastic Compute Cloud", "Compute", "Virtual Machines"),
            Service::Ebs => ("Amazon Elastic Block Store", "Storage", "Block Storage"),
            Service::Fargate => ("AWS Fargate", "Compute", "Serverless Compute"),
            Service::Eks => ("Amazon Elastic Kubernetes Service", "Compute", "Containers"),
            Service::Ecs => ("Amazon Elastic Container Service", "Compute", "Containers"),
            Service::Vpc => {
                ("Amazon Virtual Private Cloud", "Networking", "Network Infrastructure")
            }
            Service::Efs => ("Amazon Elastic File System", "Storage", "File Storage"),
            Service::Fsx => ("Amazon FSx", "Storage", "File Storage"),
            Service::Ecr => ("Amazon EC2 Container Registry (ECR)", "Compute", "Containers"),
            Service::LoadBalancing => {
                ("Elastic Load Balancing", "Networking", "Application Networking")
            }
            Service::DataTransfer => ("AWS Data Transfer", "Networking", "Network Connectivity"),
            Service::CloudWatch => {
                ("AmazonCloudWatch", "Management and Governance", "Observability")
            }
            Service::SavingsPlans => {
                ("Savings Plans for AWS Compute usage", "Compute", "Other (Compute)")
            }
            Service::Custom => ("Custom nodes", "Compute", "Virtual Machines"),
            Service::Licence => ("Software licences", "Other", "Other (Other)"),
        }
    }

    /// (`ProviderName`, `PublisherName`, `InvoiceIssuerName`). What the
    /// scenario states has no vendor that is known.
    pub(super) const fn vendor(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Service::Ec2
            | Service::Ebs
            | Service::Fargate
            | Service::Eks
            | Service::Ecs
            | Service::Vpc
            | Service::Efs
            | Service::Fsx
            | Service::Ecr
            | Service::LoadBalancing
            | Service::DataTransfer
            | Service::CloudWatch
            | Service::SavingsPlans => {
                ("AWS", "Amazon Web Services, Inc.", "Amazon Web Services, Inc.")
            }
            Service::Custom | Service::Licence => {
                ("Stated by the scenario", "Stated by the scenario", "Stated by the scenario")
            }
        }
    }
}

/// `ChargeCategory`, as far as bills have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Category {
    Usage,
    Purchase,
    Credit,
}

impl Category {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Category::Usage => "Usage",
            Category::Purchase => "Purchase",
            Category::Credit => "Credit",
        }
    }
}

/// What a charge is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) service: Service,
    pub(super) category: Category,
    /// `SkuMeter`.
    pub(super) meter: &'static str,
    /// `ResourceType`.
    pub(super) resource_type: &'static str,
    /// What the charge is for, in its SKU.
    pub(super) item: Item,
    /// What of a node or pod it is, where that is a resource of its own.
    pub(super) part: &'static str,
    /// Whether the quantity was consumed; what a minimum or rounding adds is
    /// priced and not consumed.
    pub(super) consumed: bool,
}

/// What tells the SKUs of a meter apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// The instance type, or custom shape.
    Shape,
    /// Nothing but its name.
    Named(&'static str),
    /// The sort of a charge around the compute, or else the charge.
    Around,
    /// The instance type of the capacity reservation.
    Reservation,
    /// The type of the root volume.
    RootVolume,
    /// The commitment.
    Commitment,
}

/// What a charge is, given how it was bought and what its quantity counts.
pub(super) fn meaning(charge: Charge, purchase: PurchaseOption, unit: Unit) -> Meaning {
    let custom = purchase == PurchaseOption::Custom;
    let node = if custom { Service::Custom } else { Service::Ec2 };
    let instance = Meaning {
        service: node,
        category: Category::Usage,
        meter: "Instance hours",
        resource_type: "Instance",
        item: Item::Shape,
        part: "",
        consumed: true,
    };
    let fargate = Meaning {
        service: Service::Fargate,
        meter: "Fargate vCPU hours",
        resource_type: "Task",
        item: Item::Named("vcpu"),
        ..instance
    };
    let memory = Meaning { meter: "Fargate memory", item: Item::Named("memory"), ..fargate };
    let storage = Meaning { meter: "Fargate storage", item: Item::Named("storage"), ..fargate };
    let os_licence = Meaning {
        meter: "Fargate Windows licence",
        item: Item::Named("windows-licence"),
        ..fargate
    };
    let volume = Meaning {
        service: Service::Ebs,
        meter: "Provisioned storage",
        resource_type: "Volume",
        item: Item::RootVolume,
        part: "/root-volume",
        ..instance
    };
    let iops = Meaning { meter: "Provisioned IOPS", ..volume };
    let throughput = Meaning { meter: "Provisioned throughput", ..volume };
    let fee = |service, meter| Meaning { service, meter, item: Item::Shape, ..instance };
    let auto_mode = fee(Service::Eks, "Auto Mode hours");
    let licence = Meaning {
        service: Service::Licence,
        meter: "Licence hours",
        resource_type: "Licence",
        part: "/licence",
        ..instance
    };
    let unconsumed = |it: Meaning| Meaning { consumed: false, ..it };
    match charge {
        Charge::Instance => instance,
        Charge::InstanceRounding | Charge::InstanceMinimum => unconsumed(instance),
        Charge::SpotFirstHour => Meaning { category: Category::Credit, ..unconsumed(instance) },
        Charge::FargateCpu => fargate,
        Charge::FargateMemory => memory,
        Charge::FargateStorage => storage,
        Charge::FargateOsLicence => os_licence,
        // Of which of the four, its unit and way of buying say: storage and
        // licences are bought in one way only.
        Charge::FargateRounding | Charge::FargateMinimum => {
            unconsumed(match (purchase == PurchaseOption::Other, unit == Unit::GbHours) {
                (false, false) => fargate,
                (false, true) => memory,
                (true, true) => storage,
                (true, false) => os_licence,
            })
        }
        Charge::UnusedCapacity => Meaning {
            meter: "Unused capacity reservation hours",
            resource_type: "Capacity Reservation",
            item: Item::Reservation,
            ..unconsumed(instance)
        },
        // Payments are no rows of lines: purchases are rows of their own.
        Charge::UnusedCommitment
        | Charge::UnusedReservedInstance
        | Charge::CommitmentUpfront
        | Charge::CommitmentRecurring => Meaning {
            service: Service::SavingsPlans,
            meter: "Commitment hours",
            resource_type: "Savings Plan",
            item: Item::Commitment,
            ..unconsumed(instance)
        },
        Charge::RootVolume => volume,
        Charge::VolumeIops => iops,
        Charge::VolumeThroughput => throughput,
        // Of which of the three, its unit says.
        Charge::VolumeRounding | Charge::VolumeMinimum => unconsumed(match unit {
            Unit::IopsMonths => iops,
            Unit::MibpsMonths => throughput,
            _ => volume,
        }),
        Charge::EksAutoMode => auto_mode,
        Charge::EcsManagedInstances => fee(Service::Ecs, "Managed Instances hours"),
        Charge::EcsAnywhere => fee(Service::Ecs, "ECS Anywhere hours"),
        Charge::EksAnywhere => fee(Service::Eks, "EKS Anywhere hours"),
        // Of which of the four, the pool of the node says.
        Charge::FeeRounding | Charge::FeeMinimum => unconsumed(auto_mode),
        Charge::SurplusCredits => Meaning { meter: "Surplus CPU credits", ..instance },
        Charge::PublicIpv4 => Meaning {
            service: Service::Vpc,
            meter: "Public IPv4 address hours",
            resource_type: "Public IPv4 address",
            item: Item::Named("public-ipv4"),
            part: "/public-ipv4",
            ..instance
        },
        Charge::ControlPlane => Meaning {
            service: Service::Eks,
            meter: "Cluster hours",
            resource_type: "Cluster",
            item: Item::Named("cluster"),
            ..instance
        },
        Charge::PodVolume
        | Charge::Efs
        | Charge::Fsx
        | Charge::ImageStorage
        | Charge::NatGateway
        | Charge::NatGatewayData
        | Charge::LoadBalancer
        | Charge::LoadBalancerCapacity
        | Charge::CrossAz
        | Charge::Egress
        | Charge::ContainerInsights
        | Charge::LogIngestion => Meaning { item: Item::Around, ..around(charge, unit, instance) },
        Charge::NodeLicence => Meaning { item: Item::Named("node"), ..licence },
        Charge::FargateLicence => Meaning { item: Item::Named("fargate"), ..licence },
    }
}

/// What is charged around the compute, resource by resource of the cluster.
fn around(charge: Charge, unit: Unit, like: Meaning) -> Meaning {
    let (service, meter, resource_type, part) = match charge {
        Charge::PodVolume => {
            let meter = match unit {
                Unit::IopsMonths => "Provisioned IOPS",
                Unit::MibpsMonths => "Provisioned throughput",
                _ => "Provisioned storage",
            };
            (Service::Ebs, meter, "Volume", "/volumes")
        }
        Charge::Efs => (Service::Efs, "File storage", "File System", "/efs"),
        Charge::Fsx => (Service::Fsx, "File storage", "File System", "/fsx"),
        Charge::ImageStorage => (Service::Ecr, "Image storage", "Repository", "/images"),
        Charge::NatGateway => (Service::Vpc, "NAT gateway hours", "NAT Gateway", "/nat"),
        Charge::NatGatewayData => (Service::Vpc, "NAT gateway data", "NAT Gateway", "/nat"),
        Charge::LoadBalancer => {
            (Service::LoadBalancing, "Load balancer hours", "Load Balancer", "/load-balancers")
        }
        Charge::LoadBalancerCapacity => {
            (Service::LoadBalancing, "Capacity unit hours", "Load Balancer", "/load-balancers")
        }
        Charge::CrossAz => (Service::DataTransfer, "Transfer between zones", "Traffic", "/traffic"),
        Charge::Egress => {
            (Service::DataTransfer, "Transfer to the internet", "Traffic", "/traffic")
        }
        Charge::ContainerInsights if unit == Unit::MetricMonths => {
            (Service::CloudWatch, "Metrics", "Metric", "/metrics")
        }
        Charge::ContainerInsights => (Service::CloudWatch, "Observations", "Metric", "/metrics"),
        _ => (Service::CloudWatch, "Log ingestion", "Log Group", "/logs"),
    };
    Meaning { service, meter, resource_type, part, ..like }
}

/// `PricingCategory` of a way of buying.
pub(super) const fn pricing(purchase: PurchaseOption) -> &'static str {
    match purchase {
        PurchaseOption::OnDemand
        | PurchaseOption::Fargate
        | PurchaseOption::Custom
        | PurchaseOption::Other => "Standard",
        PurchaseOption::Spot | PurchaseOption::FargateSpot => "Dynamic",
        PurchaseOption::SavingsPlan | PurchaseOption::ReservedInstance => "Committed",
    }
}

/// How a commitment is measured: (`CommitmentDiscountCategory`, `…Type`,
/// `…Unit`). An hour of Reserved Instances is one of their own type: what covers
/// other sizes counts in proportion.
pub(super) const fn commitment(kind: CommitmentKind) -> (&'static str, &'static str, &'static str) {
    match kind {
        CommitmentKind::Ec2InstanceSp | CommitmentKind::ComputeSp => {
            ("Spend", "Savings Plan", "USD")
        }
        CommitmentKind::StandardRi | CommitmentKind::ConvertibleRi => {
            ("Usage", "Reserved Instance", "Hours")
        }
    }
}

/// Which service sells a commitment.
pub(super) const fn seller(kind: CommitmentKind) -> Service {
    match kind {
        CommitmentKind::Ec2InstanceSp | CommitmentKind::ComputeSp => Service::SavingsPlans,
        CommitmentKind::StandardRi | CommitmentKind::ConvertibleRi => Service::Ec2,
    }
}
