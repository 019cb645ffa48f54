//! Usage of the payer outside the scenario.
//!
//! Commitments belong to a payer, not to a cluster: in every hour AWS applies
//! them to all usage of the payer, that of the account which owns them first.
//! So what other accounts use decides what is left for the scenario, and what
//! the scenario leaves may still be used. Both are settled together here;
//! the bill then takes the scenario's part.

use std::fmt;
use std::sync::Arc;

use super::settlement::Settlement;
use super::usage::{Ec2Item, HourlyUsage, ItemSource, UsageItem};
use crate::Result;
use crate::bill::model::Unit;
use crate::bill::prices::{BillingPlan, Price};
use crate::cluster::ClusterSpec;
use crate::observe::Record;
use crate::units::{HOUR_MS, Money};

/// Hours of a week.
pub const WEEK_HOURS: i64 = 168;

/// What the payer uses outside the scenario, at On-Demand prices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherUsage {
    /// Whether the account that uses it owns the commitments, so that it is
    /// covered before the scenario.
    pub owner: bool,
    /// What is used.
    pub items: Vec<OtherItem>,
    /// How much of it in which hour.
    pub hours: Arc<OtherHours>,
}

/// What is alike to every commitment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherItem {
    /// For people: `m5.large`, `fargate-vcpu`.
    pub name: String,
    /// What its quantities count.
    pub unit: Unit,
    /// Per unit.
    pub on_demand: Price,
    /// Whether its name is an instance type.
    pub is_instance: bool,
    /// What a unit costs under each of [`BillingPlan::commitments`]; `None` or
    /// absent where not covered.
    pub covered: Vec<Option<Price>>,
}

/// Quantities hour by hour.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherHours {
    /// Whether hours are hours of a week (0 is Monday 00:00 UTC) that repeat, or
    /// clock hours since the Unix epoch.
    weekly: bool,
    /// (Hour, index into `OtherUsage::items`, small units), ascending, an hour
    /// and item once.
    rows: Vec<(i64, u32, i128)>,
    /// Stands for the rows wherever plans are compared by their text.
    digest: String,
}

impl fmt::Debug for OtherHours {
    /// Not the rows: they may be many, and plans are told apart by this text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtherHours({})", self.digest)
    }
}

impl OtherHours {
    /// Rows of (hour, item, small units), ascending, an hour and item once;
    /// `digest` tells them from any others.
    #[must_use]
    pub fn new(weekly: bool, rows: Vec<(i64, u32, i128)>, digest: String) -> Self {
        OtherHours { weekly, rows, digest }
    }

    /// First and last clock hour since the Unix epoch; `None` where every week
    /// is alike or there are no rows.
    #[must_use]
    pub fn span(&self) -> Option<(i64, i64)> {
        let (first, last) = (self.rows.first()?, self.rows.last()?);
        (!self.weekly).then_some((first.0, last.0))
    }

    /// What is used in a clock hour.
    fn of(&self, hour: i64) -> &[(i64, u32, i128)] {
        // The Unix epoch was a Thursday.
        let hour = if self.weekly { (hour + 72).rem_euclid(WEEK_HOURS) } else { hour };
        let from = self.rows.partition_point(|row| row.0 < hour);
        let count = self.rows[from..].partition_point(|row| row.0 == hour);
        &self.rows[from..from + count]
    }
}

impl OtherUsage {
    /// The usage of the scenario with this usage after it, item by item. Of an
    /// hour that lies partly outside the window its part counts.
    ///
    /// # Errors
    /// If there are too many hours of too much usage.
    pub fn after(&self, usage: &HourlyUsage) -> Result<HourlyUsage> {
        let own = usage.items.len();
        let mut items = usage.items.clone();
        for item in &mut items {
            item.owner = !self.owner;
        }
        items.extend(self.items.iter().enumerate().map(|(i, item)| UsageItem {
            name: format!("other {}", item.name),
            unit: item.unit,
            on_demand: item.on_demand.rate,
            ec2: item.is_instance.then(|| Ec2Item { instance_type: item.name.clone(), zone: None }),
            owner: self.owner,
            idle_reservation: false,
            source: ItemSource::Outside(i),
        }));
        let mut all = HourlyUsage::new(usage.from_unix_ms, usage.to_unix_ms, items)?;
        let width = all.items.len();
        for hour in 0..usage.hours() {
            let (from, to) = (hour * own, hour * width);
            all.quantity[to..to + own].copy_from_slice(&usage.quantity[from..from + own]);
            all.list[to..to + own].copy_from_slice(&usage.list[from..from + own]);
            let ms = all.overlap_ms(hour, i64::MIN, i64::MAX);
            for &(_, item, quantity) in self.hours.of(usage.first_hour() + hour as i64) {
                let Some(of) = self.items.get(item as usize) else { continue };
                let part = Money::from_pico(quantity).scale(ms.into(), HOUR_MS.into()).pico();
                let cell = to + own + item as usize;
                all.quantity[cell] = part;
                all.list[cell] = of.on_demand.rate.charge(part, of.unit.per().into());
            }
        }
        Ok(all)
    }
}

/// The usage of a payer, and how many of its items, the first ones, are the
/// scenario's: see [`super::eligible_usage`] and [`OtherUsage`].
///
/// # Errors
/// As [`super::eligible_usage`].
pub fn payer_usage(
    record: &Record,
    cluster: &ClusterSpec,
    plan: &BillingPlan,
) -> Result<(HourlyUsage, usize)> {
    let usage = super::eligible_usage(record, cluster, plan)?;
    let own = usage.items.len();
    let all = match &plan.other_usage {
        Some(other) => other.after(&usage)?,
        None => usage,
    };
    Ok((all, own))
}

impl Settlement {
    /// What items from `own` on took of each commitment in each hour,
    /// hour-major.
    #[must_use]
    pub fn taken_after(&self, own: usize) -> Vec<Money> {
        let mut taken = vec![Money::ZERO; self.hours() * self.plans()];
        for hour in 0..self.hours() {
            for cover in self.covers(hour).iter().filter(|c| c.item as usize >= own) {
                taken[hour * self.plans() + usize::from(cover.plan)] += cover.net;
            }
        }
        taken
    }

    /// What an hour costs the first `own` items: what they take of the
    /// commitments, what stays uncovered of them, and what nothing uses.
    #[must_use]
    pub fn hour_total_of(&self, hour: usize, own: usize) -> Money {
        let rest: Money = (own..self.items()).map(|item| self.remaining(hour, item).1).sum();
        let taken = self.covers(hour).iter().filter(|c| c.item as usize >= own).map(|c| c.net);
        self.hour_total(hour) - rest - taken.sum()
    }
}
