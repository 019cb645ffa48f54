//! What a bill is: lines, totals along every grouping, the waterfall.
//!
//! Three amounts stand on every line. `list` is the quantity at the price of
//! the way it was bought, before commitments (Spot: the Spot price); `net` is
//! what it costs after them, amortised by the hour; `on_demand` is the same
//! quantity had it been bought On-Demand. All three are after negotiated
//! discounts, which are told apart in [`Bill::discount_saving`]. Only `net` is summed into totals
//! unless a name says otherwise.

use std::collections::BTreeMap;

use super::charge::Charge;
use super::commitment_use::CommitmentSummary;
use super::parts::PartOwner;
use super::prices::PriceStatus;
use super::waterfall::StepCost;
use crate::units::Money;

/// Names to money, in the order of the names.
pub type ByName = BTreeMap<String, Money>;

/// How a line was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PurchaseOption {
    /// EC2 On-Demand.
    OnDemand,
    /// EC2 Spot.
    Spot,
    /// Covered by a Savings Plan, and what of the plan stayed unused.
    SavingsPlan,
    /// Covered by a Reserved Instance, and what of it stayed unused.
    ReservedInstance,
    /// Fargate at its list price.
    Fargate,
    /// Fargate Spot (ECS only).
    FargateSpot,
    /// A shape the user made up, at its stated price.
    Custom,
    /// Not compute: volumes, addresses, fees, licences.
    Other,
}

impl PurchaseOption {
    /// Every option, in order.
    pub const ALL: [PurchaseOption; 8] = [
        PurchaseOption::OnDemand,
        PurchaseOption::Spot,
        PurchaseOption::SavingsPlan,
        PurchaseOption::ReservedInstance,
        PurchaseOption::Fargate,
        PurchaseOption::FargateSpot,
        PurchaseOption::Custom,
        PurchaseOption::Other,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            PurchaseOption::OnDemand => "on-demand",
            PurchaseOption::Spot => "spot",
            PurchaseOption::SavingsPlan => "savings-plan",
            PurchaseOption::ReservedInstance => "reserved-instance",
            PurchaseOption::Fargate => "fargate",
            PurchaseOption::FargateSpot => "fargate-spot",
            PurchaseOption::Custom => "custom",
            PurchaseOption::Other => "other",
        }
    }
}

/// What a quantity counts. Quantities are integers in the small unit; divided
/// by [`Unit::per`] they are in the unit of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Milliseconds; priced per hour.
    Hours,
    /// Milli-vCPU·ms; priced per vCPU-hour.
    VcpuHours,
    /// KiB·ms; priced per GB-hour (2³⁰ bytes).
    GbHours,
    /// GiB·ms; priced per GB-month of 730 hours.
    GbMonths,
    /// Pico-USD of commitment.
    Usd,
    /// Bytes; priced per GB (2³⁰ bytes).
    Gb,
    /// Micro-units·ms of a load balancer; priced per LCU-hour.
    LcuHours,
    /// IOPS·ms; priced per IOPS-month of 730 hours.
    IopsMonths,
    /// MiB/s·ms; priced per MiBps-month of 730 hours.
    MibpsMonths,
    /// Metrics·ms; priced per metric-month of 730 hours.
    MetricMonths,
    /// Observations; priced per million.
    MillionObservations,
}

impl Unit {
    /// The unit of the price.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Hours => "Hours",
            Unit::VcpuHours => "vCPU-Hours",
            Unit::GbHours => "GB-Hours",
            Unit::GbMonths => "GB-Months",
            Unit::Usd => "USD",
            Unit::Gb => "GB",
            Unit::LcuHours => "LCU-Hours",
            Unit::IopsMonths => "IOPS-Months",
            Unit::MibpsMonths => "MiBps-Months",
            Unit::MetricMonths => "Metric-Months",
            // As FOCUS writes a quantity in a unit.
            Unit::MillionObservations => "1000000 Observations",
        }
    }

    /// Small units in one unit of the price.
    #[must_use]
    pub const fn per(self) -> i64 {
        const HOUR: i64 = crate::units::HOUR_MS;
        match self {
            Unit::Hours => HOUR,
            Unit::VcpuHours => 1_000 * HOUR,
            Unit::GbHours => (1 << 20) * HOUR,
            Unit::GbMonths | Unit::IopsMonths | Unit::MibpsMonths | Unit::MetricMonths => {
                super::prices::MONTH_HOURS as i64 * HOUR
            }
            Unit::Usd => 1_000_000_000_000,
            Unit::Gb => 1 << 30,
            Unit::LcuHours => 1_000_000 * HOUR,
            Unit::MillionObservations => 1_000_000,
        }
    }
}

/// Something with a price: a row of the price list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sku {
    /// For people: `m5.large`, `m5.large Spot us-east-1a`. Unique within the
    /// bill together with the rate: a Spot price that moves is one SKU per
    /// rate, all of one name.
    pub name: String,
    /// What it charges for.
    pub charge: Charge,
    /// How it was bought.
    pub purchase: PurchaseOption,
    /// How far its price can be trusted.
    pub status: PriceStatus,
    /// What its quantities count.
    pub unit: Unit,
    /// Net price per unit.
    pub rate: crate::units::Rate,
    /// The negotiated discount on it, or on what a commitment covers.
    pub contract: Option<super::Contract>,
    /// The commitment that covers it: index into `BillingPlan::commitments`.
    pub commitment: Option<u16>,
    /// Of what on the cluster it is the price.
    pub of: Option<SkuOf>,
}

/// What is neither a node nor a pod and has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkuOf {
    /// A charge around the compute: index into `BillingPlan::around`, and
    /// which of its prices ([`Pricing::piece`](super::Pricing::piece)).
    Around(u32, u16),
    /// Unused hours: index into `BillingPlan::capacity_reservations`.
    Reservation(u32),
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Index into `Record::nodes`.
    Node(u32),
    /// Index into `Record::fargate`.
    Fargate(u32),
    /// The cluster.
    Cluster,
    /// Index into `BillingPlan::commitments`.
    Commitment(u32),
}

/// Lines as columns, all of equal length: about 42 bytes a line. Nodes come
/// first, then Fargate pods, the cluster, commitments, each in its own order,
/// and last what is paid for commitments; the lines of one resource are ordered
/// by charge, then hour; those of the cluster as its charges stand in
/// `BillingPlan::around`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// See [`Bill::resource`].
    pub resource: Vec<u32>,
    /// Index into [`Bill::skus`].
    pub sku: Vec<u16>,
    /// Clock hour (UTC) since the Unix epoch.
    pub hour: Vec<i32>,
    /// In the small unit of the SKU ([`Unit`]).
    pub quantity: Vec<i64>,
    /// Pico-USD at the price of its purchase option before commitments; 0
    /// for unused commitment.
    pub list: Vec<i64>,
    /// Pico-USD it costs.
    pub net: Vec<i64>,
    /// Pico-USD had it been bought On-Demand.
    pub on_demand: Vec<i64>,
}

impl Lines {
    /// Number of lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.net.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.net.is_empty()
    }
}

impl Bill {
    /// Whether negotiated discounts saved anything.
    #[must_use]
    pub fn has_discounts(&self) -> bool {
        self.discount_saving != Money::ZERO
    }

    /// What the usage costs the payer, between two bounds: where other usage
    /// of the payer absorbs everything that this usage leaves unused of its
    /// commitments, and where none does, which is [`Bill::total`]. They are one
    /// where other usage is stated, but for zonal Reserved Instances: of other
    /// usage no zone is known.
    #[must_use]
    pub fn bounds(&self) -> (Money, Money) {
        (self.total - self.commitment.absorbable(), self.total)
    }

    /// As [`Bill::bounds`], of [`Bill::cash_total`].
    #[must_use]
    pub fn cash_bounds(&self) -> (Money, Money) {
        (self.cash_total - self.commitment.absorbable_cash(), self.cash_total)
    }

    /// What of a line is paid in the cost window, pico-USD: its fee for a
    /// payment of a commitment, nothing where a commitment covers it or stayed
    /// unused, else what it costs.
    ///
    /// # Panics
    /// If there is no such line.
    #[must_use]
    pub fn line_cash(&self, line: usize) -> i64 {
        let sku = &self.skus[usize::from(self.lines.sku[line])];
        match sku.commitment {
            Some(_) if sku.charge.is_commitment_fee() => self.lines.quantity[line],
            Some(_) => 0,
            None => self.lines.net[line],
        }
    }
}

/// Whether the lines are wanted or only the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepLines {
    /// Keep every line.
    Yes,
    /// Sums only: same totals, a fraction of the memory.
    No,
}

/// What one owner costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerCost {
    /// Pods of a workload in a namespace, or what nobody's pods requested.
    pub owner: PartOwner,
    /// Spent on cpu.
    pub cpu: Money,
    /// Spent on memory.
    pub memory: Money,
    /// Volumes, file systems, images.
    pub storage: Money,
    /// Traffic and gateways.
    pub network: Money,
    /// Load balancers of a workload.
    pub load_balancer: Money,
    /// Anything else: fees, licences, minimums, unused commitment.
    pub other: Money,
}

impl OwnerCost {
    /// All of it.
    #[must_use]
    pub fn amount(&self) -> Money {
        self.cpu + self.memory + self.storage + self.network + self.load_balancer + self.other
    }
}

/// Money per clock hour, by how it was bought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hourly {
    /// First clock hour (UTC) since the Unix epoch.
    pub first_hour: i32,
    /// Per hour, in the order of [`PurchaseOption::ALL`].
    pub rows: Vec<[Money; PurchaseOption::ALL.len()]>,
}

/// The bill scaled to a month of 730 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Monthly {
    /// Total × 730 h ÷ cost window, rounded once.
    pub amount: Money,
    /// The cost window is not a number of whole weeks, so that days of the
    /// week weigh unequally: to be shown as extrapolated.
    pub extrapolated: bool,
}

/// Owners that are not workloads.
pub mod pseudo {
    /// Free capacity, idle or stranded.
    pub const IDLE: &str = "(idle)";
    /// Capacity kept for kubelet and system.
    pub const SYSTEM: &str = "(system)";
    /// Nodes that boot or drain.
    pub const BOOT_AND_DRAIN: &str = "(boot and drain)";
    /// Committed spend that nothing used.
    pub const UNUSED_COMMITMENT: &str = "(unused commitment)";
    /// Reserved capacity that no instance ran in.
    pub const UNUSED_CAPACITY: &str = "(unused capacity)";
    /// Volumes, addresses, licences, minimums of nodes; the control plane.
    pub const SHARED: &str = "(shared charges)";
    /// The pool of the control plane.
    pub const CLUSTER_POOL: &str = "(cluster)";
    /// The pool of unused commitment.
    pub const COMMITMENT_POOL: &str = "(commitments)";
}

/// What one simulation costs. Every map and the waterfall sum to `total`
/// exactly, as do the lines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bill {
    /// Start of the cost window, Unix milliseconds.
    pub from_unix_ms: i64,
    /// End of the cost window, Unix milliseconds.
    pub to_unix_ms: i64,
    /// What it costs, commitments amortised by the hour.
    pub total: Money,
    /// What is to be paid in the cost window: upfront and recurring fees of
    /// commitments when they fall due instead of what they cover.
    pub cash_total: Money,
    /// The same usage without commitments, after negotiated discounts.
    pub list_total: Money,
    /// What negotiated discounts take off `list_total`: each line's quantity
    /// at its list price less that at its contracted price, each rounded once.
    pub discount_saving: Money,
    /// The same usage, all of it bought On-Demand.
    pub on_demand_total: Money,
    /// What of `list_total` pays for machines ([`Charge::is_compute`]).
    pub compute_list: Money,
    /// Every line; empty where not kept.
    pub lines: Lines,
    /// Price list of the lines.
    pub skus: Vec<Sku>,
    /// Number of nodes: the first ids of [`Bill::resource`].
    pub node_count: u32,
    /// Number of Fargate pods: the ids after the nodes.
    pub fargate_count: u32,
    /// By charge and way of buying: what [`super::bridge`] compares.
    pub by_item: BTreeMap<(Charge, PurchaseOption), Money>,
    /// By pool; the control plane and unused commitment have pools of their
    /// own ([`pseudo`]).
    pub by_pool: ByName,
    /// By [`PurchaseOption`].
    pub by_purchase: ByName,
    /// By [`Charge`].
    pub by_charge: ByName,
    /// By [`PriceStatus`].
    pub by_price_status: ByName,
    /// By namespace: what its pods requested, the rest under [`pseudo`] owners.
    pub by_namespace: ByName,
    /// By workload: what its pods requested, the rest under [`pseudo`] owners.
    pub by_workload: ByName,
    /// By label (`team`), then by its values, under the policy of
    /// [`super::LabelGrouping`]; pods without it under
    /// [`super::UNALLOCATED`], what the policy keeps apart under [`pseudo`]
    /// owners.
    pub by_label: BTreeMap<String, ByName>,
    /// By namespace under [`super::BillingPlan::namespace_policy`]; empty without
    /// one.
    pub allocated_by_namespace: ByName,
    /// By workload under [`super::BillingPlan::workload_policy`]; empty without
    /// one.
    pub allocated_by_workload: ByName,
    /// By owner what its pods requested, by what it was spent on: workloads
    /// with their namespaces, then [`pseudo`] owners. They sum to `total`.
    pub owners: Vec<OwnerCost>,
    /// By workload with everything shared distributed: per pool in proportion
    /// to the direct cost of its workloads (`DaemonSet`s count as shared), then
    /// control plane and unused commitment over all. A pool without any
    /// workload stays under its pseudo-owner.
    pub fully_loaded_by_workload: ByName,
    /// Every step, in order, zero or not.
    pub waterfall: Vec<StepCost>,
    /// Per clock hour.
    pub hourly: Hourly,
    /// How commitments were used.
    pub commitment: CommitmentSummary,
    /// What running Fargate pods had beyond their requests and sidecars, paid
    /// for in the step
    /// [`Step::FargateRounding`](super::waterfall::Step::FargateRounding):
    /// milli-vCPU·ms and KiB·ms.
    pub fargate_rounding: [i128; 2],
    /// Node time of whose surplus credits nothing is known, since pods there
    /// have unknown usage, milliseconds; 0 where nobody asked.
    pub credits_unknown_ms: u64,
    /// `None` for an empty cost window.
    pub monthly: Option<Monthly>,
}

impl Bill {
    /// What a line's resource number names.
    #[must_use]
    pub fn resource(&self, id: u32) -> Resource {
        let (nodes, pods) = (self.node_count, self.fargate_count);
        match id {
            _ if id < nodes => Resource::Node(id),
            _ if id - nodes < pods => Resource::Fargate(id - nodes),
            _ if id - nodes == pods => Resource::Cluster,
            _ => Resource::Commitment(id - nodes - pods - 1),
        }
    }
}
