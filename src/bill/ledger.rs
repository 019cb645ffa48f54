//! Where lines are written and summed.

use super::meter::Window;
use super::model::{Bill, ByName, Hourly, KeepLines, Lines, PurchaseOption, Sku};
use super::usage::RawLine;
use crate::units::Money;
use crate::{Error, Result};

/// A finished line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) resource: u32,
    pub(super) sku: u16,
    pub(super) hour: i32,
    pub(super) quantity: i64,
    pub(super) list: Money,
    pub(super) net: Money,
    pub(super) on_demand: Money,
}

const PURCHASES: usize = PurchaseOption::ALL.len();

/// What one SKU came to.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    lines: u64,
    list: Money,
    net: Money,
    on_demand: Money,
}

/// Lines and the sums that need no owner. Whatever a SKU decides (charge,
/// purchase option, status) is summed by SKU and grouped at the end.
#[derive(Debug)]
pub(super) struct Ledger {
    keep: KeepLines,
    lines: Lines,
    skus: Vec<Sums>,
    pools: Vec<Money>,
    first_hour: i32,
    hourly: Vec<[Money; PURCHASES]>,
    discount_saving: Money,
}

impl Ledger {
    pub(super) fn new(keep: KeepLines, window: Window, pools: usize) -> Result<Self> {
        Ok(Ledger {
            keep,
            lines: Lines::default(),
            skus: Vec::new(),
            pools: vec![Money::ZERO; pools],
            first_hour: i32::try_from(window.first_hour())
                .map_err(|_| Error::failed("the cost window leaves i32 hours"))?,
            hourly: vec![[Money::ZERO; PURCHASES]; window.hours()],
            discount_saving: Money::ZERO,
        })
    }

    /// Counts what a negotiated discount saves of a line. Lines count as they
    /// are metered, before commitments split them.
    pub(super) fn discount(&mut self, line: &RawLine, sku: &Sku) {
        if let Some(contract) = &sku.contract {
            let at_list = contract.list_cost(line.list, line.quantity.into(), sku.unit);
            self.discount_saving += at_list - line.list;
        }
    }

    /// Writes a line; what its pool costs is told apart.
    pub(super) fn add(&mut self, e: Entry, skus: &[Sku]) -> Result<()> {
        let sku = &skus[usize::from(e.sku)];
        // What is paid for a commitment costs nothing by itself: no sum but
        // cash knows it.
        if !sku.charge.is_commitment_fee() {
            if self.skus.len() < skus.len() {
                self.skus.resize(skus.len(), Sums::default());
            }
            let sums = &mut self.skus[usize::from(e.sku)];
            sums.lines += 1;
            sums.list += e.list;
            sums.net += e.net;
            sums.on_demand += e.on_demand;
            let row = usize::try_from(e.hour - self.first_hour).ok();
            let row = row.and_then(|row| self.hourly.get_mut(row));
            let row = row.ok_or_else(|| Error::failed("a line lies outside the cost window"))?;
            row[sku.purchase as usize] += e.net;
        }
        if self.keep == KeepLines::Yes { self.keep_line(e, sku) } else { Ok(()) }
    }

    /// Adds to what a pool costs.
    pub(super) fn pool(&mut self, pool: usize, net: Money) {
        self.pools[pool] += net;
    }

    fn keep_line(&mut self, e: Entry, sku: &Sku) -> Result<()> {
        let narrow = |amount: Money| {
            i64::try_from(amount.pico()).map_err(|_| {
                Error::failed(format!("a line of `{}` costs over 9 million USD", sku.name))
            })
        };
        let (list, net, on_demand) = (narrow(e.list)?, narrow(e.net)?, narrow(e.on_demand)?);
        self.lines.resource.push(e.resource);
        self.lines.sku.push(e.sku);
        self.lines.hour.push(e.hour);
        self.lines.quantity.push(e.quantity);
        self.lines.list.push(list);
        self.lines.net.push(net);
        self.lines.on_demand.push(on_demand);
        Ok(())
    }

    /// Sums into a bill; groupings that need owners stay empty.
    pub(super) fn finish(self, skus: Vec<Sku>, pool_names: Vec<&str>) -> Bill {
        let mut bill = Bill {
            lines: self.lines,
            hourly: Hourly { first_hour: self.first_hour, rows: self.hourly },
            discount_saving: self.discount_saving,
            ..Bill::default()
        };
        for (sku, sums) in skus.iter().zip(&self.skus).filter(|(_, sums)| sums.lines > 0) {
            let Sums { list, net, on_demand, .. } = *sums;
            bill.total += net;
            bill.list_total += list;
            bill.on_demand_total += on_demand;
            if sku.charge.is_compute() {
                bill.compute_list += list;
            }
            if matches!(
                sku.purchase,
                PurchaseOption::OnDemand
                    | PurchaseOption::Fargate
                    | PurchaseOption::SavingsPlan
                    | PurchaseOption::ReservedInstance
            ) {
                bill.commitment.eligible_on_demand += list;
            }
            *bill.by_item.entry((sku.charge, sku.purchase)).or_default() += net;
            add(&mut bill.by_charge, sku.charge.name(), net);
            add(&mut bill.by_purchase, sku.purchase.name(), net);
            add(&mut bill.by_price_status, sku.status.name(), net);
        }
        for (name, amount) in pool_names.into_iter().zip(self.pools) {
            add(&mut bill.by_pool, name, amount);
        }
        bill.skus = skus;
        bill
    }
}

/// Adds to a name.
pub(super) fn add(map: &mut ByName, name: &str, amount: Money) {
    match map.get_mut(name) {
        Some(sum) => *sum += amount,
        None => {
            map.insert(name.to_owned(), amount);
        }
    }
}
