//! Charges around the compute: clusters, volumes of pods, images, NAT, load
//! balancers, traffic, metrics and logs.
//!
//! All of them have one form: a price times a quantity per clock hour (UTC).
//! A quantity is a sum of [`Amount`]s, each a fixed fraction of something that
//! passed in the hour ([`Basis`]): time, node time, pod time, requests. Where
//! a charge counts whatever of several is most, as the capacity units of a
//! load balancer, it has several [`Dimension`]s, and its lines name the one
//! that decided.
//!
//! An hour's quantity is rounded half-even to the small unit of its [`Unit`]
//! and its money once more. What an hour costs goes to one workload, or is
//! shared by all as the control plane is.

mod hours;
mod lines;
#[cfg(test)]
mod tests;

pub(super) use lines::{AroundLines, check};

use super::charge::Charge;
use super::model::Unit;
use super::prices::Price;
use crate::workload::WorkloadId;

/// A charge around the compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AroundCharge {
    /// Its name on the bill, for people.
    pub name: String,
    /// What it is charged for, distinct among those of a charge: `orders/data`.
    /// Empty where there is one only, as the cluster itself.
    pub resource: String,
    /// What tells it from others that a charge prices differently: `gp3`, `alb`.
    /// Empty where there is one price list.
    pub sort: String,
    /// What it charges for.
    pub charge: Charge,
    /// What its quantity counts.
    pub unit: Unit,
    /// The hour's quantity: the largest of these.
    pub quantity: Vec<Dimension>,
    /// What a unit costs.
    pub pricing: Pricing,
    /// Who pays.
    pub target: Target,
}

/// A quantity per clock hour: the sum of its amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Named on the bill where the charge has several.
    pub name: &'static str,
    /// What it is the sum of.
    pub amounts: Vec<Amount>,
}

/// A fraction of something that passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    /// Of what.
    pub basis: Basis,
    /// Small units ([`Unit::per`]) per `denominator` of the basis; not
    /// negative.
    pub numerator: i128,
    /// Positive.
    pub denominator: i128,
}

impl Amount {
    /// The same fraction in its smallest numbers.
    #[must_use]
    pub fn reduced(self) -> Amount {
        let (mut a, mut b) = (self.numerator.abs(), self.denominator.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let by = a.max(1);
        Amount { numerator: self.numerator / by, denominator: self.denominator / by, ..self }
    }
}

/// What passes in a clock hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Milliseconds of the cost window.
    Time,
    /// Milliseconds that EC2 nodes were metered, of all nodes together.
    Nodes,
    /// Milliseconds that pods were bound, of all pods of a workload together;
    /// those of `DaemonSet`s are not counted.
    Pods(WorkloadId),
    /// Milliseconds that volumes of a service's replicas existed: each from the
    /// time the service first had so many replicas bound, to the end. A volume
    /// outlives its pod, and a replica that is added takes one that is free:
    /// `persistentVolumeClaimRetentionPolicy` of a `StatefulSet` is Retain unless
    /// stated.
    Volumes(WorkloadId),
    /// As `Volumes`, for those that existed before: each from the start.
    ExistingVolumes(WorkloadId),
    /// Milli-core·ms that the requests of a service demand, served or not:
    /// microseconds of cpu time.
    Demand(WorkloadId),
}

/// Who pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// All workloads, as they share the control plane.
    Shared,
    /// One of them; what it pays for a `DaemonSet` serves all.
    Workload(WorkloadId),
}

/// What a unit costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pricing {
    /// Always the same.
    Flat(Price),
    /// From a Unix time in milliseconds on, ascending; the first price also
    /// holds before. An hour has the price of its start.
    Dated(Vec<(i64, DatedPrice)>),
    /// By what was used in the calendar month (UTC).
    Tiered(Tiers),
}

/// A price that holds for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatedPrice {
    /// Added to the name on the bill; may be empty.
    pub name: &'static str,
    /// The price.
    pub price: Price,
}

/// Prices that fall with what was used in the calendar month. All charges
/// with the same steps count together, hour by hour in the order of the plan.
/// A month that began before the cost window counts from the window's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    /// Small units that are used elsewhere each month, before all others.
    pub elsewhere: i64,
    /// First to last.
    pub tiers: Vec<Tier>,
}

/// One of several prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tier {
    /// Added to the name on the bill.
    pub name: &'static str,
    /// Holds up to this many small units in the month; `None` without end.
    pub up_to: Option<i64>,
    /// The price.
    pub price: Price,
}

impl AroundCharge {
    /// A charge of one amount that one workload, or all, pay.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        (charge, unit): (Charge, Unit),
        amount: Amount,
        pricing: Pricing,
        target: Target,
    ) -> Self {
        AroundCharge {
            name: name.into(),
            resource: String::new(),
            sort: String::new(),
            charge,
            unit,
            quantity: vec![Dimension { name: "", amounts: vec![amount] }],
            pricing,
            target,
        }
    }

    /// A charge of `amount` small units for every millisecond of the cost
    /// window.
    #[must_use]
    pub fn constant(
        name: impl Into<String>,
        of: (Charge, Unit),
        amount: i64,
        pricing: Pricing,
        target: Target,
    ) -> Self {
        let amount = Amount { basis: Basis::Time, numerator: amount.into(), denominator: 1 };
        AroundCharge::new(name, of, amount, pricing, target)
    }
}
