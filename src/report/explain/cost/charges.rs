//! Lines of the bill, one by one and added up by price.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::book::Book;
use crate::bill::{Sku, Target};
use crate::report::text;
use crate::units::{Money, Rate};
use crate::workload::WorkloadId;

/// A quantity at a price.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Charged {
    pub(super) sku: String,
    pub(super) charge: &'static str,
    pub(super) quantity: f64,
    pub(super) unit: &'static str,
    pub(super) rate: Rate,
    pub(super) list: Money,
    pub(super) net: Money,
    pub(super) on_demand: Money,
}

/// All lines of one price, whether it moved or not.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ChargeSum {
    #[serde(flatten)]
    pub(super) of: Charged,
    pub(super) purchase: &'static str,
    pub(super) price_status: &'static str,
    /// The commitment that covers it.
    pub(super) commitment: Option<String>,
    pub(super) lines: usize,
    /// The lowest and the highest rate of a price that moved; `rate` is their
    /// mean by quantity then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rates: Option<[Rate; 2]>,
    /// Quantity in the small unit, of which `per` are one of the price.
    #[serde(skip)]
    small: i128,
    #[serde(skip)]
    per: i64,
}

impl ChargeSum {
    /// Another line of the same price.
    fn add(&mut self, line: &Charged, small: i64) {
        let [lowest, highest] = self.rates.unwrap_or([self.of.rate; 2]);
        if line.rate != lowest || line.rate != highest {
            self.rates = Some([lowest.min(line.rate), highest.max(line.rate)]);
        }
        self.small += i128::from(small);
        self.lines += 1;
        self.of.quantity += line.quantity;
        self.of.list += line.list;
        self.of.net += line.net;
        self.of.on_demand += line.on_demand;
    }

    /// All lines are there.
    fn finish(mut self) -> Self {
        if self.rates.is_some() && self.small > 0 {
            let list = Rate::from_pico(self.of.list.pico());
            self.of.rate = list.scale(self.per.into(), self.small);
        }
        self
    }
}

impl Book<'_> {
    pub(super) fn charged(&self, line: usize) -> Charged {
        let sku = self.sku(line);
        let [list, net, on_demand] = self.money(line);
        Charged {
            sku: text::name(&sku.name),
            charge: sku.charge.name(),
            quantity: self.bill.lines.quantity[line] as f64 / sku.unit.per() as f64,
            unit: sku.unit.name(),
            rate: sku.rate,
            list,
            net,
            on_demand,
        }
    }

    /// The first SKU of the same price, which may have moved: one of each rate.
    fn price_of(&self, sku: u16) -> u16 {
        let key = |s: &Sku| (s.charge, s.purchase, s.commitment);
        let wanted = &self.bill.skus[usize::from(sku)];
        let same = |s: &Sku| key(s) == key(wanted) && s.name == wanted.name;
        self.bill.skus.iter().position(same).map_or(sku, |first| first as u16)
    }

    /// Lines added up by price, in the order of the bill's prices.
    pub(super) fn charges(&self, lines: impl Iterator<Item = usize>) -> Vec<ChargeSum> {
        let mut by_sku: BTreeMap<u16, ChargeSum> = BTreeMap::new();
        let mut firsts: BTreeMap<u16, u16> = BTreeMap::new();
        for i in lines {
            let (sku, of) = (self.sku(i), self.charged(i));
            let id = self.bill.lines.sku[i];
            let first = *firsts.entry(id).or_insert_with(|| self.price_of(id));
            let small = self.bill.lines.quantity[i];
            match by_sku.entry(first) {
                Entry::Occupied(mut known) => known.get_mut().add(&of, small),
                Entry::Vacant(new) => {
                    new.insert(ChargeSum {
                        of,
                        purchase: sku.purchase.name(),
                        price_status: sku.status.name(),
                        commitment: self.commitment(sku),
                        lines: 1,
                        rates: None,
                        small: small.into(),
                        per: sku.unit.per(),
                    });
                }
            }
        }
        by_sku.into_values().map(ChargeSum::finish).collect()
    }

    /// What the cluster is charged for these workloads, by price. None where
    /// names on the bill leave it open which lines those are: lines do not say
    /// for whom they are, and these must sum to what was allocated.
    pub(super) fn charges_around(
        &self,
        workloads: &BTreeSet<WorkloadId>,
        allocated: Money,
    ) -> Vec<ChargeSum> {
        let own = |sku: &Sku| {
            let named = self.plan.around.iter().filter(|charge| {
                let rest = sku.name.strip_prefix(charge.name.as_str());
                charge.charge == sku.charge
                    && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
            });
            let charge = named.max_by_key(|charge| charge.name.len());
            charge.is_some_and(
                |charge| matches!(charge.target, Target::Workload(w) if workloads.contains(&w)),
            )
        };
        let wanted: Vec<bool> = self.bill.skus.iter().map(own).collect();
        let is_wanted = |i: &usize| wanted[usize::from(self.bill.lines.sku[*i])];
        let lines = self.lines_of(self.cluster()).filter(is_wanted);
        let charges = self.charges(lines);
        let sum: Money = charges.iter().map(|c| c.of.net).sum();
        if sum == allocated { charges } else { Vec::new() }
    }
}

/// How long a node was metered, for people.
pub(super) fn hours(lines: &[ChargeSum]) -> Option<f64> {
    lines.iter().filter(|c| c.of.charge == "instance").map(|c| c.of.quantity).reduce(|a, b| a + b)
}
