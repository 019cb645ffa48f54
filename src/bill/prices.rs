//! What a bill needs to know besides the record: rates, commitments, fees.
//!
//! Plain data, filled by whoever links a scenario to a price table; nothing
//! here knows where a price came from beyond its status.

use super::around::AroundCharge;
use super::charge::Charge;
use super::commitments::ItemSource;
use super::discounts::Contract;
use super::model::PurchaseOption;
use crate::units::{MINUTE_MS, MilliCpu, Money, Percent, Rate};

/// How far a price can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceStatus {
    /// Published by AWS.
    Real,
    /// Computed from published prices.
    Derived,
    /// Typical, not published for this item.
    Representative,
    /// Unverified.
    Believed,
    /// Stated by the user: custom shapes, licences, commitments.
    Stated,
}

impl PriceStatus {
    /// Every status, in order.
    pub const ALL: [PriceStatus; 5] = [
        PriceStatus::Real,
        PriceStatus::Derived,
        PriceStatus::Representative,
        PriceStatus::Believed,
        PriceStatus::Stated,
    ];

    /// Whether nobody published it, not even what it would be computed from.
    #[must_use]
    pub const fn is_guess(self) -> bool {
        matches!(self, PriceStatus::Representative | PriceStatus::Believed)
    }

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            PriceStatus::Real => "real",
            PriceStatus::Derived => "derived",
            PriceStatus::Representative => "representative",
            PriceStatus::Believed => "believed",
            PriceStatus::Stated => "stated",
        }
    }
}

/// A rate and how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Price {
    /// USD per unit; the unit is named where the price is used.
    pub rate: Rate,
    /// How far it can be trusted.
    pub status: PriceStatus,
    /// The list rate that a negotiated discount was taken off; `None` where
    /// there is none. See [`super::Discounts`].
    pub list: Option<Rate>,
}

impl Price {
    /// A price without a negotiated discount.
    #[must_use]
    pub const fn new(rate: Rate, status: PriceStatus) -> Self {
        Price { rate, status, list: None }
    }

    /// What was negotiated about it.
    #[must_use]
    pub const fn contract(&self) -> Option<Contract> {
        match self.list {
            Some(list) => Some(Contract { list, contracted: self.rate }),
            None => None,
        }
    }
}

/// What a node shape costs, per instance-hour.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShapePrice {
    /// On-Demand price; a custom shape's stated price. `None` where it cannot
    /// be bought On-Demand.
    pub on_demand: Option<Price>,
    /// Spot price per zone, by `ZoneId`; `None` or absent where not offered.
    /// Where the price moves the record has the rates, and this the status.
    pub spot: Vec<Option<Price>>,
    /// A shape the user made up: bought as "custom" instead of On-Demand.
    pub custom: bool,
}

/// Which price a Spot instance pays while the price moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum SpotBilledAt {
    /// The price in force at the start of each hour of the instance, for that
    /// hour.
    #[default]
    InstanceHour,
    /// The price in force at the start of each clock hour (UTC); in the first
    /// one that at the start of the instance.
    ClockHour,
    /// The price in force at each moment.
    Second,
}

/// What a Fargate pool costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FargatePrice {
    /// Per vCPU-hour.
    pub vcpu_hour: Price,
    /// Per GB-hour; a GB of Fargate memory is 2³⁰ bytes.
    pub gb_hour: Price,
    /// Of Fargate Spot: (vCPU-hour, GB-hour) of the same On-Demand. `None`
    /// where the pool is On-Demand.
    pub spot_of: Option<(Price, Price)>,
    /// What it runs, as in `linux/x86_64`: each has prices of its own.
    pub platform: &'static str,
    /// Of the public IPv4 address that each pod holds, per hour.
    pub public_ipv4: Option<Price>,
    /// Licence of the operating system, per vCPU-hour: Windows.
    pub os_licence: Option<Price>,
    /// Per GB-hour of storage beyond what is free; see
    /// [`BillingPlan::fargate_storage`].
    pub storage_gb_hour: Option<Price>,
    /// Shortest time that a run is billed for, milliseconds.
    pub minimum_ms: i64,
}

impl FargatePrice {
    /// Linux, On-Demand, in private subnets, without storage beyond what is
    /// free: billed for a minute at least.
    #[must_use]
    pub const fn new(vcpu_hour: Price, gb_hour: Price) -> Self {
        FargatePrice {
            vcpu_hour,
            gb_hour,
            spot_of: None,
            platform: "linux/x86_64",
            public_ipv4: None,
            os_licence: None,
            storage_gb_hour: None,
            minimum_ms: MINUTE_MS,
        }
    }

    /// Whether its pods run Windows, whatever its licence costs.
    #[must_use]
    pub fn is_windows(&self) -> bool {
        self.platform.starts_with("windows/")
    }
}

/// The volume every node boots from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RootVolume {
    /// Its type, as in `gp3`.
    pub kind: &'static str,
    /// Its size.
    pub gib: u32,
    /// Price per GB-month.
    pub gb_month: Price,
    /// IOPS beyond those that the size comes with, and their price per
    /// IOPS-month.
    pub iops: Option<(u32, Price)>,
    /// As `iops`, throughput in MiB/s.
    pub throughput: Option<(u32, Price)>,
}

impl RootVolume {
    /// A gp3 volume with the performance it comes with.
    #[must_use]
    pub const fn new(gib: u32, gb_month: Price) -> Self {
        RootVolume { kind: "gp3", gib, gb_month, iops: None, throughput: None }
    }
}

/// An instance that bursts in unlimited mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// Cpu that its credits pay for.
    pub baseline: MilliCpu,
    /// Per vCPU-hour of surplus credits.
    pub vcpu_hour: Price,
}

/// A fee for every node of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFee {
    /// Whose fee it is.
    pub charge: Charge,
    /// Per node-hour, by `ShapeId`; `None` or absent where the pool has no
    /// such nodes.
    pub shapes: Vec<Option<Price>>,
    /// Shortest time that it is billed for, milliseconds.
    pub minimum_ms: i64,
}

/// What the nodes of a pool are charged besides their instances.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PoolCharges {
    /// A fee for managing them.
    pub fee: Option<NodeFee>,
    /// They do not run at AWS: no EBS volume, no address of its own.
    pub outside_aws: bool,
}

/// What was committed to. Ordered as AWS applies them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommitmentKind {
    /// Standard Reserved Instances.
    StandardRi,
    /// Convertible Reserved Instances: applied as standard ones.
    ConvertibleRi,
    /// EC2 Instance Savings Plan: one family in one Region.
    Ec2InstanceSp,
    /// Compute Savings Plan: any EC2, Fargate.
    ComputeSp,
}

impl CommitmentKind {
    /// Its name in results, which is the scenario's word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CommitmentKind::StandardRi => "standard-ri",
            CommitmentKind::ConvertibleRi => "convertible-ri",
            CommitmentKind::Ec2InstanceSp => "ec2-instance-sp",
            CommitmentKind::ComputeSp => "compute-sp",
        }
    }

    /// Whether it is Reserved Instances, not a Savings Plan.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self, CommitmentKind::StandardRi | CommitmentKind::ConvertibleRi)
    }

    /// How what it covers, or leaves unused of itself, counts as bought.
    #[must_use]
    pub const fn purchase_option(self) -> PurchaseOption {
        if self.is_reserved() {
            PurchaseOption::ReservedInstance
        } else {
            PurchaseOption::SavingsPlan
        }
    }
}

/// Reserved Instances of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// `m5.large`
    pub instance_type: String,
    /// How many.
    pub count: u32,
    /// The zone of zonal ones; `None` where regional.
    pub zone: Option<String>,
    /// Whether they cover other sizes of the family too; regional ones only.
    pub size_flexible: bool,
    /// How well what they cost is known.
    pub status: PriceStatus,
}

/// How a commitment is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommitmentFees {
    /// On the day it comes into force.
    pub upfront: Money,
    /// For every hour it is in force. AWS invoices these fees by the month;
    /// they accrue by the hour.
    pub hourly: Rate,
}

/// A commitment that is paid every hour, whether used or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// Its name in the scenario.
    pub name: String,
    /// What it may cover.
    pub kind: CommitmentKind,
    /// Savings Plans: committed spend at plan rates, per hour. Reserved
    /// Instances: what all of them cost per hour, upfront payment spread over
    /// the term.
    pub usd_per_hour: Rate,
    /// Reserved Instances; `None` for a Savings Plan.
    pub reserved: Option<Reserved>,
    /// In force [from, to), Unix milliseconds.
    pub in_force: (i64, i64),
    /// When it is paid, before `fee_discount`.
    pub fees: CommitmentFees,
    /// What was negotiated off everything it costs. It is drawn down before
    /// that, so that it covers as much as without.
    pub fee_discount: Percent,
    /// Price per covered instance-hour, by `ShapeId`; `None` or absent stays
    /// On-Demand. For Reserved Instances the effective price.
    pub shapes: Vec<Option<Price>>,
    /// Plan prices per Fargate pool: (vCPU-hour, GB-hour); `None` or absent
    /// is not covered.
    pub fargate: Vec<Option<(Price, Price)>>,
}

impl Commitment {
    /// What a unit of an item costs under it, `None` where it stays On-Demand.
    /// What is outside the simulation only the plan knows:
    /// [`BillingPlan::price_under`].
    #[must_use]
    pub fn price(&self, source: ItemSource) -> Option<Price> {
        let fargate = |pool: usize| self.fargate.get(pool).copied().flatten();
        match source {
            ItemSource::Shape(shape) => self.shapes.get(shape).copied().flatten(),
            ItemSource::FargateCpu(pool) => fargate(pool).map(|p| p.0),
            ItemSource::FargateMemory(pool) => fargate(pool).map(|p| p.1),
            ItemSource::Reservation(_) | ItemSource::Outside(_) => None,
        }
    }

    /// How well what it costs is known; the spend of a Savings Plan is stated.
    #[must_use]
    pub fn price_status(&self) -> PriceStatus {
        let status = self.reserved.as_ref().map_or(PriceStatus::Stated, |r| r.status);
        self.net(Price::new(Rate::ZERO, status)).status
    }

    /// What is paid for a price under it.
    #[must_use]
    pub(super) fn net(&self, price: Price) -> Price {
        if self.fee_discount == Percent::default() {
            return price;
        }
        let rate = self.fee_discount.off_rate(price.rate);
        Price::new(rate, price.status.max(PriceStatus::Derived))
    }
}

/// How the cost of a node splits between cpu and memory: the price of one
/// vCPU-hour against that of one GB-hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceWeight {
    /// Of one vCPU-hour.
    pub vcpu_hour: Rate,
    /// Of one GB-hour.
    pub gb_hour: Rate,
}

impl Default for ResourceWeight {
    /// The only published prices of a vCPU and a GB alone: Fargate, Linux
    /// x86, us-east-1, 0.04048 and 0.004445 USD (about 9.1 : 1).
    fn default() -> Self {
        ResourceWeight {
            vcpu_hour: Rate::from_pico(40_480_000_000),
            gb_hour: Rate::from_pico(4_445_000_000),
        }
    }
}

/// Hours in a billing month: what AWS's calculator divides a monthly price by.
///
/// DIFFERENCE: AWS bills a GB-month, IOPS-month or metric-month by the hours of
/// the calendar month, 672 to 744, so that an hour of them costs up to 8.6 %
/// more in February and 1.9 % less in a month of 31 days; a year comes to the
/// same. Everything else is priced by the hour, the GB or the unit.
pub const MONTH_HOURS: u32 = 730;

/// Most commitments that are applied together.
pub const MAX_COMMITMENTS: usize = 1_000;

/// Instances of one type whose capacity is reserved in a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapacityReservation {
    /// Its name in the scenario.
    pub name: String,
    /// `m5.large`
    pub instance_type: String,
    /// Where.
    pub zone: String,
    /// How many.
    pub count: u32,
    /// Per instance-hour, used or not.
    pub on_demand: Price,
    /// What an hour of its type costs under each of
    /// [`BillingPlan::commitments`]; `None` or absent where not covered.
    pub covered: Vec<Option<Price>>,
}

/// Everything that turns a record into money.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BillingPlan {
    /// Node prices, by `ShapeId`.
    pub shapes: Vec<ShapePrice>,
    /// Which of the prices of `Record::spot_prices` a Spot instance pays.
    pub spot_billed_at: SpotBilledAt,
    /// Fargate prices, by index into `ClusterSpec::fargate`.
    pub fargate: Vec<FargatePrice>,
    /// Storage of each Fargate pod beyond what is free, KiB, by the name of its
    /// workload; others have none.
    pub fargate_storage: Vec<(String, i64)>,
    /// Which shapes pay for surplus credits, by `ShapeId`; none where absent.
    pub bursts: Vec<Option<Burst>>,
    /// What nodes are charged pool by pool, by `PoolId`; nothing where absent.
    pub pools: Vec<PoolCharges>,
    /// Root volume of every node.
    pub root_volume: Option<RootVolume>,
    /// One public IPv4 address per node-hour.
    pub public_ipv4: Option<Price>,
    /// The cluster itself, and what else is charged around the compute. On
    /// the bill they follow Fargate, in this order.
    pub around: Vec<AroundCharge>,
    /// A licence per node-hour.
    pub node_licence: Option<Price>,
    /// A licence per Fargate pod-hour.
    pub fargate_licence: Option<Price>,
    /// Commitments, in scenario order.
    pub commitments: Vec<Commitment>,
    /// What the payer uses outside the scenario.
    pub other_usage: Option<super::OtherUsage>,
    /// How node cost splits between cpu and memory.
    pub weight: ResourceWeight,
    /// On-Demand Capacity Reservations, in scenario order.
    pub capacity_reservations: Vec<CapacityReservation>,
    /// By which labels the bill is grouped, and how.
    pub label_groupings: Vec<super::LabelGrouping>,
    /// Who bears what nobody requested, where the bill is allocated to
    /// namespaces.
    pub namespace_policy: Option<super::AllocationPolicy>,
    /// The same of workloads.
    pub workload_policy: Option<super::AllocationPolicy>,
}

/// In force at all times.
pub const ALWAYS: (i64, i64) = (i64::MIN, i64::MAX);

impl BillingPlan {
    /// What a unit of an item costs under the commitment of this number.
    #[must_use]
    pub fn price_under(&self, commitment: usize, source: ItemSource) -> Option<Price> {
        let covered = match source {
            ItemSource::Reservation(i) => &self.capacity_reservations.get(i)?.covered,
            ItemSource::Outside(i) => &self.other_usage.as_ref()?.items.get(i)?.covered,
            _ => return self.commitments.get(commitment)?.price(source),
        };
        covered.get(commitment).copied().flatten()
    }

    /// The On-Demand price of an item before what was negotiated off it, per
    /// unit; `None` where it has none.
    #[must_use]
    pub fn list_price(&self, source: ItemSource) -> Option<Rate> {
        let price = match source {
            ItemSource::Shape(i) => self.shapes.get(i)?.on_demand?,
            ItemSource::FargateCpu(i) => self.fargate.get(i)?.vcpu_hour,
            ItemSource::FargateMemory(i) => self.fargate.get(i)?.gb_hour,
            ItemSource::Reservation(i) => self.capacity_reservations.get(i)?.on_demand,
            ItemSource::Outside(i) => self.other_usage.as_ref()?.items.get(i)?.on_demand,
        };
        Some(price.list.unwrap_or(price.rate))
    }

    /// Whether something about an instance type is bound to a zone.
    pub(super) fn is_zonal(&self, instance_type: &str) -> bool {
        self.commitments
            .iter()
            .filter_map(|c| c.reserved.as_ref())
            .any(|r| r.zone.is_some() && r.instance_type == instance_type)
    }
}
