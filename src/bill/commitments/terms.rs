//! What one commitment promises over the items of a usage table.

use super::normal::{normal_quarters, same_family};
use super::usage::{ItemSource, UsageItem};
use crate::bill::prices::{BillingPlan, Commitment, CommitmentKind, Price};
use crate::units::{Percent, Rate};

/// One commitment over given items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Which kind.
    pub kind: CommitmentKind,
    /// What it costs per hour, used or not, before `fee_discount`: the spend of
    /// a Savings Plan; the effective price of a Reserved Instance, upfront
    /// payment spread over the term.
    pub usd_per_hour: Rate,
    /// In force from, Unix milliseconds.
    pub from_unix_ms: i64,
    /// In force until, Unix milliseconds.
    pub to_unix_ms: i64,
    /// What it covers.
    pub benefit: Benefit,
    /// What was negotiated off its cost, whatever it covers.
    pub fee_discount: Percent,
}

/// What a commitment covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Benefit {
    /// Reserved Instances: running time of given types.
    Capacity {
        /// Quarters of a normalised unit covered at any moment: count × size.
        quarters: u64,
        /// Bound to one zone, and applied before regional ones.
        zonal: bool,
        /// Per item: its size in quarters, where it can be covered.
        sizes: Vec<Option<u32>>,
    },
    /// Savings Plans: dollars at plan rates.
    Spend {
        /// Per item: the plan's price per unit, where it can be covered.
        rates: Vec<Option<Rate>>,
    },
}

impl Terms {
    /// A Savings Plan in force at all times.
    #[must_use]
    pub fn savings_plan(
        kind: CommitmentKind,
        usd_per_hour: Rate,
        rates: Vec<Option<Rate>>,
    ) -> Self {
        Terms {
            kind,
            usd_per_hour,
            from_unix_ms: i64::MIN,
            to_unix_ms: i64::MAX,
            benefit: Benefit::Spend { rates },
            fee_discount: Percent::default(),
        }
    }

    /// `count` Reserved Instances of one type in force at all times, over
    /// `items`: in `zone`, or regional and then for all sizes of the family
    /// where `flexible`. `usd_per_hour` is what all of them cost.
    #[must_use]
    pub fn reserved(
        kind: CommitmentKind,
        usd_per_hour: Rate,
        items: &[UsageItem],
        instance_type: &str,
        count: u32,
        zone: Option<&str>,
        flexible: bool,
    ) -> Self {
        // A type whose size is not documented is a unit of its own.
        let own = normal_quarters(instance_type).unwrap_or(4);
        let size = |item: &UsageItem| {
            let ec2 = item.ec2.as_ref()?;
            if zone.is_some() && (item.idle_reservation || ec2.zone.as_deref() != zone) {
                return None;
            }
            if ec2.instance_type == instance_type {
                return Some(own);
            }
            let kin = zone.is_none() && flexible && same_family(&ec2.instance_type, instance_type);
            kin.then(|| normal_quarters(&ec2.instance_type)).flatten()
        };
        Terms {
            kind,
            usd_per_hour,
            from_unix_ms: i64::MIN,
            to_unix_ms: i64::MAX,
            benefit: Benefit::Capacity {
                quarters: u64::from(count) * u64::from(own),
                zonal: zone.is_some(),
                sizes: items.iter().map(size).collect(),
            },
            fee_discount: Percent::default(),
        }
    }

    /// The commitments of a billing plan over the items of a usage table.
    #[must_use]
    pub fn of_plan(plan: &BillingPlan, items: &[UsageItem]) -> Vec<Self> {
        (0..plan.commitments.len()).filter_map(|at| Terms::of_numbered(plan, at, items)).collect()
    }

    /// The commitment of this number of a billing plan over the items of a
    /// usage table; `None` where there is none.
    #[must_use]
    pub fn of_numbered(plan: &BillingPlan, at: usize, items: &[UsageItem]) -> Option<Self> {
        let commitment = plan.commitments.get(at)?;
        Some(Terms::with(commitment, items, |source| plan.price_under(at, source)))
    }

    /// One commitment over the items of a usage table; what a Savings Plan
    /// charges for unused reservations and other usage only
    /// [`Terms::of_plan`] knows.
    #[must_use]
    pub fn of(commitment: &Commitment, items: &[UsageItem]) -> Self {
        Terms::with(commitment, items, |source| commitment.price(source))
    }

    fn with(
        commitment: &Commitment,
        items: &[UsageItem],
        price: impl Fn(ItemSource) -> Option<Price>,
    ) -> Self {
        let mut terms = if let Some(r) = &commitment.reserved {
            Terms::reserved(
                commitment.kind,
                commitment.usd_per_hour,
                items,
                &r.instance_type,
                r.count,
                r.zone.as_deref(),
                r.size_flexible,
            )
        } else {
            let rates = items.iter().map(|item| price(item.source).map(|p| p.rate)).collect();
            Terms::savings_plan(commitment.kind, commitment.usd_per_hour, rates)
        };
        (terms.from_unix_ms, terms.to_unix_ms) = commitment.in_force;
        terms.fee_discount = commitment.fee_discount;
        terms
    }
}
