//! What commitments cover, told line by line or in sums.

use super::Billing;
use crate::Result;
use crate::bill::commitments::{ItemSource, Shares, Terms, collect, settle};
use crate::bill::ledger::Entry;
use crate::bill::model::{KeepLines, Sku};
use crate::bill::prices::Price;
use crate::bill::usage::{RawLine, Source};
use crate::units::Money;

impl Billing<'_> {
    /// Finds what can be covered, sums it by hour and covers it.
    pub(super) fn cover(&mut self) -> Result<()> {
        let plan = self.meter.plan;
        let usage = collect(&mut self.meter)?;
        let with_others = plan.other_usage.as_ref().map(|o| o.after(&usage)).transpose()?;
        let all = with_others.as_ref().unwrap_or(&usage);
        let terms = Terms::of_plan(plan, &all.items);
        self.settlement = settle(all, &terms);
        if with_others.is_some() {
            self.others = self.settlement.taken_after(usage.items.len());
        }
        // Shares of the scenario's items, which come first.
        self.shares = Shares::new(&usage, &self.settlement);
        Ok(())
    }

    /// Writes a line, covered pieces apart; returns what it costs.
    pub(super) fn write(&mut self, resource: u32, pool: usize, line: &RawLine) -> Result<Money> {
        self.ledger.discount(line, &self.meter.skus.list[usize::from(line.sku)]);
        let Some(cell) = self.shares.cell(line) else {
            let entry = Entry {
                resource,
                sku: line.sku,
                hour: line.hour,
                quantity: line.quantity,
                list: line.list,
                net: line.list,
                on_demand: line.on_demand,
            };
            self.ledger.add(entry, &self.meter.skus.list)?;
            self.ledger.pool(pool, line.list);
            return Ok(line.list);
        };
        let untold = self.shares.untold(cell);
        if untold.is_some_and(|sku| sku != line.sku) {
            self.tell(cell, resource)?;
        }
        if untold != Some(line.sku) {
            let source = self.shares.source(cell);
            let plans: Vec<u16> = self.shares.plans(cell).collect();
            for plan in plans {
                self.covered_sku(line.sku, plan, source)?;
            }
        }
        let net = self.shares.take(cell, line);
        self.ledger.pool(pool, net);
        if self.keep == KeepLines::Yes {
            self.tell(cell, resource)?;
        }
        Ok(net)
    }

    /// Writes what commitments cover of the lines of a cell, and what not.
    fn tell(&mut self, cell: usize, resource: u32) -> Result<()> {
        let Some(base) = self.shares.untold(cell) else { return Ok(()) };
        let hour = self.shares.hour(cell);
        let mut pieces = std::mem::take(&mut self.pieces);
        let (quantity, list) = self.shares.tell(cell, &mut pieces);
        for piece in &pieces {
            let entry = Entry {
                resource,
                sku: self.covered[&(base, piece.plan)],
                hour,
                quantity: piece.quantity,
                list: piece.list,
                net: piece.net,
                on_demand: piece.list,
            };
            self.ledger.add(entry, &self.meter.skus.list)?;
            let used = &mut self.commitments[usize::from(piece.plan)];
            used.used += piece.net;
            used.covered_on_demand += piece.list;
        }
        if quantity != 0 || list != Money::ZERO {
            let (sku, net, on_demand) = (base, list, list);
            let entry = Entry { resource, sku, hour, quantity, list, net, on_demand };
            self.ledger.add(entry, &self.meter.skus.list)?;
        }
        self.pieces = pieces;
        Ok(())
    }

    /// Writes whatever was not written yet.
    pub(super) fn tell_all(&mut self) -> Result<()> {
        // No resource: lines that are kept were told one by one.
        (0..self.shares.cells()).try_for_each(|cell| self.tell(cell, 0))
    }

    /// The SKU of a line as covered by a commitment.
    fn covered_sku(&mut self, base: u16, commitment: u16, source: ItemSource) -> Result<u16> {
        if let Some(&sku) = self.covered.get(&(base, commitment)) {
            return Ok(sku);
        }
        let skus = &mut self.meter.skus;
        let sku = skus.list[usize::from(base)].clone();
        let c = &self.meter.plan.commitments[usize::from(commitment)];
        let price = self.meter.plan.price_under(commitment.into(), source);
        let price = price.map_or(Price::new(sku.rate, sku.status), |price| c.net(price));
        let (charge, unit, purchase) = (sku.charge, sku.unit, c.kind.purchase_option());
        let make = || Sku {
            name: format!("{} under {}", sku.name, c.name),
            purchase,
            status: price.status,
            rate: price.rate,
            commitment: Some(commitment),
            ..sku
        };
        let source = Source::Covered(base);
        let id = skus.intern(source, make, charge, purchase, unit, Some(commitment))?;
        self.covered.insert((base, commitment), id);
        Ok(id)
    }
}
