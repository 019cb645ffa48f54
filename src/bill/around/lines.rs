//! From quantities per hour to lines: which price, which tier.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::meter::{Window, clock_hour};
use super::super::model::{PurchaseOption, Sku, SkuOf};
use super::super::prices::Price;
use super::super::usage::{NO_GROUP, RawLine, Skus, Source};
use super::hours::Hours;
use super::{AroundCharge, Pricing, Tiers};
use crate::observe::Record;
use crate::units::{HOUR_MS, Rate};
use crate::workload::Workloads;
use crate::{Error, Result};

/// Largest numerator: with as much as a million cores or a hundred million
/// pods pass in an hour, a product stays inside its integer.
const MAX_NUMERATOR: i128 = 1 << 72;
/// Most that may be used elsewhere.
const MAX_ELSEWHERE: i64 = 1 << 60;

/// Makes the lines of all charges around the compute, one charge after
/// another.
pub(in super::super) struct AroundLines<'a> {
    charges: &'a [AroundCharge],
    hours: Hours<'a>,
    first_hour: i64,
    /// By the first charge of each set of tiers: what the month had seen
    /// before each hour, and what charges before this one used in the hour.
    groups: BTreeMap<usize, Vec<i128>>,
}

impl<'a> AroundLines<'a> {
    pub(in super::super) fn new(
        charges: &'a [AroundCharge],
        (record, workloads): (&'a Record, &'a Workloads),
        window: Window,
    ) -> Self {
        let hours = Hours::new(record, workloads, window);
        AroundLines { charges, hours, first_hour: window.first_hour(), groups: BTreeMap::new() }
    }

    /// Replaces `out` with the lines of charge `index`. Charges must come in
    /// ascending order.
    pub(in super::super) fn charge(
        &mut self,
        index: usize,
        skus: &mut Skus,
        out: &mut Vec<RawLine>,
    ) -> Result<()> {
        out.clear();
        let charge = &self.charges[index];
        let quantities = self.hours.largest(&charge.quantity);
        if let Pricing::Tiered(tiers) = &charge.pricing {
            self.open(tiers);
        }
        for (at, &(quantity, dimension)) in quantities.iter().enumerate() {
            let mut line = |piece: usize, price: Price, quantity: i128| -> Result<()> {
                if quantity == 0 {
                    return Ok(());
                }
                let of = charge.quantity.get(dimension).map_or("", |d| d.name);
                let sku = sku(skus, (index, charge), (dimension, of), (piece, price))?;
                let hour = clock_hour(self.first_hour + at as i64)?;
                let quantity = i64::try_from(quantity).map_err(|_| {
                    Error::failed(format!("the quantity of `{}` leaves i64", charge.name))
                })?;
                let list = price.rate.charge(quantity.into(), charge.unit.per().into());
                let on_demand = list;
                let (charge, group) = (charge.charge, NO_GROUP);
                out.push(RawLine { charge, sku, hour, quantity, list, on_demand, group });
                Ok(())
            };
            match &charge.pricing {
                Pricing::Flat(price) => line(0, *price, quantity)?,
                Pricing::Dated(prices) => {
                    let start = self.hours.start_of(at);
                    let now = prices.partition_point(|(from, _)| *from <= start).max(1) - 1;
                    let Some((_, it)) = prices.get(now) else { continue };
                    line(now, it.price, quantity)?;
                }
                Pricing::Tiered(tiers) => {
                    let group = first_like(self.charges, tiers).unwrap_or(index);
                    let Some(used) = self.groups.get_mut(&group).and_then(|g| g.get_mut(at)) else {
                        continue;
                    };
                    let mut left = quantity;
                    for (i, tier) in tiers.tiers.iter().enumerate() {
                        let room = tier.up_to.map_or(left, |to| (i128::from(to) - *used).max(0));
                        let here = left.min(room);
                        line(i, tier.price, here)?;
                        *used += here;
                        left -= here;
                    }
                }
            }
        }
        Ok(())
    }

    /// What each month had seen before each of its hours, all charges with
    /// these tiers together.
    fn open(&mut self, tiers: &Tiers) {
        let Some(group) = first_like(self.charges, tiers) else { return };
        if self.groups.contains_key(&group) {
            return;
        }
        let mut sums = vec![0; self.hours.len()];
        for charge in self.charges {
            if charge.pricing.tiers() == Some(tiers) {
                let quantities = self.hours.largest(&charge.quantity);
                sums.iter_mut().zip(quantities).for_each(|(sum, (quantity, _))| *sum += quantity);
            }
        }
        let (mut seen, mut month) = (0, None);
        for (at, sum) in sums.iter_mut().enumerate() {
            let of = month_of(self.first_hour + at as i64);
            if month != Some(of) {
                (seen, month) = (i128::from(tiers.elsewhere), Some(of));
            }
            (*sum, seen) = (seen, seen + *sum);
        }
        self.groups.insert(group, sums);
    }
}

impl Pricing {
    /// The name of one of its prices; empty where nothing tells it.
    pub(in super::super) fn piece(&self, piece: usize) -> &'static str {
        match self {
            Pricing::Flat(_) => "",
            Pricing::Dated(prices) => prices.get(piece).map_or("", |(_, p)| p.name),
            Pricing::Tiered(tiers) => tiers.tiers.get(piece).map_or("", |t| t.name),
        }
    }

    fn tiers(&self) -> Option<&Tiers> {
        match self {
            Pricing::Tiered(tiers) => Some(tiers),
            Pricing::Flat(_) | Pricing::Dated(_) => None,
        }
    }

    /// Every price there is.
    fn prices(&self) -> Vec<Price> {
        match self {
            Pricing::Flat(price) => vec![*price],
            Pricing::Dated(prices) => prices.iter().map(|(_, p)| p.price).collect(),
            Pricing::Tiered(tiers) => tiers.tiers.iter().map(|t| t.price).collect(),
        }
    }
}

fn first_like(charges: &[AroundCharge], tiers: &Tiers) -> Option<usize> {
    charges.iter().position(|c| c.pricing.tiers() == Some(tiers))
}

/// Year and month of a clock hour.
fn month_of(hour: i64) -> (i16, i8) {
    let at = Timestamp::from_millisecond(hour.saturating_mul(HOUR_MS)).unwrap_or_default();
    let date = at.to_zoned(TimeZone::UTC).date();
    (date.year(), date.month())
}

fn sku(
    skus: &mut Skus,
    (index, it): (usize, &AroundCharge),
    (dimension, of): (usize, &str),
    (piece, price): (usize, Price),
) -> Result<u16> {
    let source = Source::Around(index as u32, dimension as u16, piece as u16);
    let purchase = PurchaseOption::Other;
    let make = || Sku {
        name: [&it.name, of, it.pricing.piece(piece)]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", "),
        charge: it.charge,
        purchase,
        status: price.status,
        unit: it.unit,
        rate: price.rate,
        contract: price.contract(),
        commitment: None,
        of: Some(SkuOf::Around(index as u32, piece as u16)),
    };
    skus.intern(source, make, it.charge, purchase, it.unit, None)
}

/// Refuses what no bill can hold.
pub(in super::super) fn check(
    charges: &[AroundCharge],
    check: impl Fn(&str, Rate) -> Result<()>,
) -> Result<()> {
    let wrong = |it: &AroundCharge| {
        Err(Error::failed(format!("the quantity of `{}` is not one that can be billed", it.name)))
    };
    for it in charges {
        for price in it.pricing.prices() {
            check(&format!("the price of `{}`", it.name), price.rate)?;
        }
        for amount in it.quantity.iter().flat_map(|d| &d.amounts) {
            if !(0..=MAX_NUMERATOR).contains(&amount.numerator) || amount.denominator <= 0 {
                return wrong(it);
            }
        }
        let Some(tiers) = it.pricing.tiers() else { continue };
        if !(0..=MAX_ELSEWHERE).contains(&tiers.elsewhere) {
            return wrong(it);
        }
    }
    Ok(())
}
