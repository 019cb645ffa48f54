//! What commitments can cover, hour by hour.

use crate::bill::meter::Window;
use crate::bill::model::Unit;
use crate::units::{Money, Rate};
use crate::{Error, Result};

/// All usage that is alike to every commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageItem {
    /// For people: `m5.large`, `Fargate api vCPU`.
    pub name: String,
    /// What its quantities count ([`Unit::per`] small units make one unit of
    /// the price).
    pub unit: Unit,
    /// Price per unit without commitments.
    pub on_demand: Rate,
    /// Set for EC2 instances: the only items Reserved Instances can cover.
    pub ec2: Option<Ec2Item>,
    /// Whether the account that owns the commitments used it: its usage is
    /// covered before that of other accounts.
    pub owner: bool,
    /// Unused hours of capacity reservations: covered after running instances
    /// and by no zonal Reserved Instance.
    pub idle_reservation: bool,
    /// Where its prices stand in a billing plan.
    pub source: ItemSource,
}

/// The instance an item is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ec2Item {
    /// `m5.large`
    pub instance_type: String,
    /// The zone; `None` where the item is made of several zones, so that no
    /// zonal Reserved Instance can cover it.
    pub zone: Option<String>,
}

/// Where an item's plan prices stand in a [`crate::bill::Commitment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemSource {
    /// Index into `ClusterSpec::shapes`.
    Shape(usize),
    /// vCPU of a Fargate pool: index into `ClusterSpec::fargate`.
    FargateCpu(usize),
    /// Memory of a Fargate pool.
    FargateMemory(usize),
    /// Unused hours of a capacity reservation: index into
    /// `BillingPlan::capacity_reservations`.
    Reservation(usize),
    /// Usage outside a scenario, as its caller numbers it: index into
    /// `OtherUsage::items` where the plan has other usage.
    Outside(usize),
}

/// Eligible usage of every clock hour of a window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HourlyUsage {
    /// Start of the window, Unix milliseconds. Commitments of an hour that
    /// lies partly outside count pro rata.
    pub from_unix_ms: i64,
    /// End of the window, Unix milliseconds.
    pub to_unix_ms: i64,
    /// What there is.
    pub items: Vec<UsageItem>,
    /// Per hour and item (`hour * items + item`), small units of the item.
    pub quantity: Vec<i128>,
    /// Per hour and item: what the quantity costs without commitments, the sum
    /// of its lines.
    pub list: Vec<Money>,
}

impl HourlyUsage {
    /// A window without any usage yet.
    ///
    /// # Errors
    /// If the table would have over 2³¹ cells.
    pub fn new(from_unix_ms: i64, to_unix_ms: i64, items: Vec<UsageItem>) -> Result<Self> {
        let mut usage = HourlyUsage { from_unix_ms, to_unix_ms, items, ..Self::default() };
        let cells = usage.hours().checked_mul(usage.items.len()).filter(|c| *c < 1 << 31);
        let cells = cells.ok_or_else(|| Error::failed("too many hours of too much usage"))?;
        usage.quantity = vec![0; cells];
        usage.list = vec![Money::ZERO; cells];
        Ok(usage)
    }

    fn window(&self) -> Window {
        Window { from: self.from_unix_ms, to: self.to_unix_ms }
    }

    /// First clock hour (UTC) touched, since the Unix epoch.
    #[must_use]
    pub fn first_hour(&self) -> i64 {
        self.window().first_hour()
    }

    /// Clock hours touched.
    #[must_use]
    pub fn hours(&self) -> usize {
        self.window().hours()
    }

    /// Milliseconds of an hour (0 is the first) inside the window and inside
    /// [`from`, `to`).
    #[must_use]
    pub fn overlap_ms(&self, hour: usize, from: i64, to: i64) -> i64 {
        self.window().overlap_in_hour(hour, from, to)
    }

    /// Adds usage; hours outside the window are ignored.
    pub fn add(&mut self, hour: i64, item: usize, quantity: i64, list: Money) {
        let items = self.items.len();
        let cell = usize::try_from(hour - self.first_hour()).ok().map(|h| h * items + item);
        let Some(cell) = cell.filter(|c| item < items && *c < self.quantity.len()) else {
            return;
        };
        self.quantity[cell] += i128::from(quantity);
        self.list[cell] += list;
    }
}
