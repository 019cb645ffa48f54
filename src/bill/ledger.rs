//! Where lines are written and summed.

use super::meter::Window;
use super::model::{Bill, ByName, Charge, Hourly, KeepLines, Lines, PurchaseOption, Sku};
use super::prices::PriceStatus;
use crate::units::Money;
use crate::{Error, Result};

/// A finished line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) resource: u32,
    pub(super) pool: usize,
    pub(super) sku: u16,
    pub(super) hour: i32,
    pub(super) quantity: i64,
    pub(super) list: Money,
    pub(super) net: Money,
    pub(super) on_demand: Money,
}

const CHARGES: usize = Charge::ALL.len();
const PURCHASES: usize = PurchaseOption::ALL.len();

/// Lines and the sums that need no owner.
#[derive(Debug)]
pub(super) struct Ledger {
    keep: KeepLines,
    lines: Lines,
    items: [[(Money, bool); PURCHASES]; CHARGES],
    statuses: [(Money, bool); PriceStatus::ALL.len()],
    pools: Vec<Money>,
    first_hour: i32,
    hourly: Vec<[Money; PURCHASES]>,
    total: Money,
    list_total: Money,
    on_demand_total: Money,
    compute_list: Money,
    eligible: Money,
}

impl Ledger {
    pub(super) fn new(keep: KeepLines, window: Window, pools: usize) -> Result<Self> {
        Ok(Ledger {
            keep,
            lines: Lines::default(),
            items: [[(Money::ZERO, false); PURCHASES]; CHARGES],
            statuses: [(Money::ZERO, false); PriceStatus::ALL.len()],
            pools: vec![Money::ZERO; pools],
            first_hour: i32::try_from(window.first_hour())
                .map_err(|_| Error::failed("the cost window leaves i32 hours"))?,
            hourly: vec![[Money::ZERO; PURCHASES]; window.hours()],
            total: Money::ZERO,
            list_total: Money::ZERO,
            on_demand_total: Money::ZERO,
            compute_list: Money::ZERO,
            eligible: Money::ZERO,
        })
    }

    /// Writes a line.
    pub(super) fn add(&mut self, e: Entry, skus: &[Sku]) -> Result<()> {
        let sku = &skus[usize::from(e.sku)];
        if sku.charge.is_commitment_fee() {
            // It costs nothing by itself: no sum but cash knows it.
            return self.keep_line(e, sku);
        }
        let purchase = sku.purchase as usize;
        let item = &mut self.items[sku.charge as usize][purchase];
        *item = (item.0 + e.net, true);
        let status = &mut self.statuses[sku.status as usize];
        *status = (status.0 + e.net, true);
        self.pools[e.pool] += e.net;
        let row = usize::try_from(e.hour - self.first_hour).ok();
        let row = row.and_then(|row| self.hourly.get_mut(row));
        row.ok_or_else(|| Error::failed("a line lies outside the cost window"))?[purchase] += e.net;
        self.total += e.net;
        self.list_total += e.list;
        self.on_demand_total += e.on_demand;
        if sku.charge.is_compute() {
            self.compute_list += e.list;
        }
        if matches!(
            sku.purchase,
            PurchaseOption::OnDemand
                | PurchaseOption::Fargate
                | PurchaseOption::SavingsPlan
                | PurchaseOption::ReservedInstance
        ) {
            self.eligible += e.list;
        }
        self.keep_line(e, sku)
    }

    fn keep_line(&mut self, e: Entry, sku: &Sku) -> Result<()> {
        if self.keep == KeepLines::Yes {
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
        }
        Ok(())
    }

    /// Sums into a bill; groupings that need owners stay empty.
    pub(super) fn finish(self, skus: Vec<Sku>, pool_names: Vec<&str>) -> Bill {
        let mut bill = Bill {
            total: self.total,
            list_total: self.list_total,
            on_demand_total: self.on_demand_total,
            compute_list: self.compute_list,
            lines: self.lines,
            skus,
            hourly: Hourly { first_hour: self.first_hour, rows: self.hourly },
            ..Bill::default()
        };
        bill.commitment.eligible_on_demand = self.eligible;
        for (charge, row) in Charge::ALL.into_iter().zip(self.items) {
            for (purchase, (amount, used)) in PurchaseOption::ALL.into_iter().zip(row) {
                if used {
                    bill.by_item.insert((charge, purchase), amount);
                    add(&mut bill.by_charge, charge.name(), amount);
                    add(&mut bill.by_purchase, purchase.name(), amount);
                }
            }
        }
        for (status, (amount, used)) in PriceStatus::ALL.into_iter().zip(self.statuses) {
            if used {
                add(&mut bill.by_price_status, status.name(), amount);
            }
        }
        for (name, amount) in pool_names.into_iter().zip(self.pools) {
            add(&mut bill.by_pool, name, amount);
        }
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
