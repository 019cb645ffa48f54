//! What commitments cost beside what they cover: unused parts, payments.

use super::Billing;
use crate::bill::charge::Charge;
use crate::bill::commitment_use::part_of;
use crate::bill::commitments::Spent;
use crate::bill::ledger::Entry;
use crate::bill::meter::clock_hour;
use crate::bill::model::{Sku, Unit};
use crate::bill::usage::Source;
use crate::bill::waterfall::Step;
use crate::units::{HOUR_MS, Money, Rate};
use crate::{Error, Result};

impl Billing<'_> {
    /// What the commitments cost and nothing used: a line an hour.
    pub(super) fn unused(&mut self) -> Result<()> {
        let plan = self.meter.plan;
        for (i, c) in plan.commitments.iter().enumerate() {
            let charge = if c.kind.is_reserved() {
                Charge::UnusedReservedInstance
            } else {
                Charge::UnusedCommitment
            };
            // Of other usage no zone is known, so zonal Reserved Instances may
            // cover more of it.
            let zonal = c.reserved.as_ref().is_some_and(|r| r.zone.is_some());
            let absorbable = plan.other_usage.is_none() || zonal;
            for hour in 0..self.settlement.hours() {
                let Spent { committed, unused, .. } = self.settlement.spent(hour, i);
                let others = self.taken_by_others(hour, i);
                let sums = &mut self.commitments[i];
                sums.committed += committed;
                sums.used_by_others += others;
                sums.unused += unused;
                if absorbable {
                    sums.absorbable += unused;
                }
                if unused == Money::ZERO {
                    continue;
                }
                // Less than the hour's commitment, which `Rate::MOST` bounds.
                let quantity = i64::try_from(unused.pico())
                    .map_err(|_| Error::failed("unused commitment leaves i64"))?;
                self.commitment_line(i, charge, hour, quantity, unused)?;
                self.allocation.global(Step::UnusedCommitment, unused);
            }
        }
        Ok(())
    }

    /// What other usage took of a commitment in an hour (0 is the first).
    fn taken_by_others(&self, hour: usize, plan: usize) -> Money {
        let at = hour * self.settlement.plans() + plan;
        self.others.get(at).copied().unwrap_or_default()
    }

    /// What is paid for the commitments, as far as other usage did not take
    /// them: the last lines of the bill. Recurring fees are shared hour by hour,
    /// an upfront payment as the commitment is in the whole window (choice:
    /// what becomes of it later is not known).
    pub(super) fn fees(&mut self) -> Result<()> {
        let window = self.meter.window;
        for (i, c) in self.meter.plan.commitments.iter().enumerate() {
            let (from, to) = c.in_force;
            if (window.from..window.to).contains(&from) {
                let sums = &mut self.commitments[i];
                let upfront = c.fee_discount.off(c.fees.upfront);
                sums.upfront = left_of(upfront, sums.committed, sums.used_by_others);
                let hour = (from.div_euclid(HOUR_MS) - window.first_hour()) as usize;
                self.pay(i, Charge::CommitmentUpfront, hour, self.commitments[i].upfront)?;
            }
            for hour in 0..window.hours() {
                let ms = window.overlap_in_hour(hour, from, to);
                let fee = c.fee_discount.off(c.fees.hourly.charge(ms.into(), HOUR_MS.into()));
                let committed = self.settlement.spent(hour, i).committed;
                let fee = left_of(fee, committed, self.taken_by_others(hour, i));
                self.commitments[i].recurring += fee;
                self.pay(i, Charge::CommitmentRecurring, hour, fee)?;
            }
        }
        Ok(())
    }

    /// Writes a payment. A line holds 9 million USD, a payment may be more.
    fn pay(&mut self, plan: usize, charge: Charge, hour: usize, payment: Money) -> Result<()> {
        let mut rest = payment.pico();
        while rest > 0 {
            let part = i64::try_from(rest).unwrap_or(i64::MAX);
            self.commitment_line(plan, charge, hour, part, Money::ZERO)?;
            rest -= i128::from(part);
        }
        Ok(())
    }

    /// Writes a line of dollars of a commitment.
    fn commitment_line(
        &mut self,
        commitment: usize,
        charge: Charge,
        hour: usize,
        quantity: i64,
        net: Money,
    ) -> Result<()> {
        let entry = Entry {
            resource: self.cluster_resource() + 1 + commitment as u32,
            // `check_plan` bounds their number.
            sku: self.commitment_sku(commitment as u16, charge)?,
            hour: clock_hour(self.meter.window.first_hour() + hour as i64)?,
            quantity,
            list: Money::ZERO,
            net,
            on_demand: Money::ZERO,
        };
        if !charge.is_commitment_fee() {
            self.ledger.pool(self.cluster_pool() + 1, net);
        }
        self.ledger.add(entry, &self.meter.skus.list)
    }

    /// The SKU of dollars of a commitment.
    fn commitment_sku(&mut self, plan: u16, charge: Charge) -> Result<u16> {
        let what = match charge {
            Charge::CommitmentUpfront => "upfront",
            Charge::CommitmentRecurring => "recurring",
            _ => "unused",
        };
        let c = &self.meter.plan.commitments[usize::from(plan)];
        let purchase = c.kind.purchase_option();
        let make = || Sku {
            name: format!("{} {what}", c.name),
            charge,
            purchase,
            status: c.price_status(),
            unit: Unit::Usd,
            rate: Rate::from_pico(Unit::Usd.per().into()),
            contract: None,
            commitment: Some(plan),
            of: None,
        };
        let source = Source::Commitment;
        self.meter.skus.intern(source, make, charge, purchase, Unit::Usd, Some(plan))
    }
}

/// What is left of a payment for a commitment of which others took a part.
fn left_of(payment: Money, committed: Money, others: Money) -> Money {
    if others == Money::ZERO {
        return payment;
    }
    part_of(payment, committed - others, committed)
}
