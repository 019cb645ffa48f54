//! What a node costs, line by line, and whose it is.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;

use super::book::{Amount, Book, Charged, Weights, same};
use crate::Result;
use crate::bill::PartOwner;
use crate::observe::NodeEnd;
use crate::report::explain::{CellFacts, unix};
use crate::report::text;
use crate::units::{HOUR_MS, Money, Rate};

/// Of a node.
#[derive(Debug, Clone, Serialize)]
pub(super) struct NodeCost {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) zone: String,
    pub(super) purchase: &'static str,
    pub(super) requested: Option<String>,
    pub(super) running: Option<String>,
    pub(super) ready: Option<String>,
    pub(super) draining: Option<String>,
    pub(super) shutting_down: Option<String>,
    pub(super) end: &'static str,
    pub(super) list: Money,
    pub(super) net: Money,
    pub(super) on_demand: Money,
    /// Lines added up by price.
    pub(super) charges: Vec<ChargeSum>,
    /// Whose it is, the largest first.
    pub(super) shares: Vec<Share>,
    pub(super) weights: Weights,
    /// Every line of the bill.
    pub(super) lines: Vec<Line>,
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

/// A line of the bill.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    /// Start of the clock hour.
    pub(super) hour: String,
    #[serde(flatten)]
    pub(super) of: Charged,
}

/// What of a node is whose.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Share {
    pub(super) owner: String,
    /// Absent for what nobody's pods requested.
    pub(super) namespace: Option<String>,
    pub(super) step: &'static str,
    #[serde(flatten)]
    pub(super) amount: Amount,
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
    pub(super) fn node(&self, node: u32) -> Result<NodeCost> {
        let CellFacts { record, cluster, workloads, .. } = self.cell;
        let row = &record.nodes[node as usize];
        let ordinal = record.node_ordinals()[node as usize];
        let shape = &cluster.shapes[row.shape.index()];
        let mut by_sku: BTreeMap<u16, ChargeSum> = BTreeMap::new();
        let mut firsts: BTreeMap<u16, u16> = BTreeMap::new();
        let mut lines = Vec::new();
        let [mut list, mut net, mut on_demand] = [Money::ZERO; 3];
        for i in self.lines_of(node) {
            let sku = self.sku(i);
            let of = self.charged(i);
            (list, net, on_demand) = (list + of.list, net + of.net, on_demand + of.on_demand);
            lines.push(Line {
                hour: unix(i64::from(self.bill.lines.hour[i]) * HOUR_MS).unwrap_or_default(),
                of: of.clone(),
            });
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
        let mut shares: Vec<Share> = self
            .parts
            .parts
            .iter()
            .map(|part| {
                let (owner, namespace) = match part.owner {
                    PartOwner::Pseudo(name) => (name.to_owned(), None),
                    PartOwner::Workload(w, n) => (
                        text::name(&workloads.workloads[w.index()].name),
                        Some(text::name(&workloads.namespaces[n.index()])),
                    ),
                };
                let amount = Amount::of(part);
                Share { owner, namespace, step: part.step.name(), amount }
            })
            .collect();
        // Equal amounts stay in the order of owner and step.
        shares.sort_by_key(|s| std::cmp::Reverse(s.amount.total));
        same("the parts of a node", shares.iter().map(|s| s.amount.total).sum(), net)?;
        let at = |time| self.cell.timestamp(time);
        Ok(NodeCost {
            name: format!("{}/{ordinal}", self.cell.pool(row.pool.index())),
            kind: text::name(&shape.name),
            zone: text::name(&cluster.zones[row.zone.index()]),
            purchase: row.purchase.name(),
            requested: at(row.requested),
            running: at(row.running),
            ready: at(row.ready),
            draining: at(row.draining),
            shutting_down: if row.end == NodeEnd::Running { None } else { at(row.shutting_down) },
            end: row.end.name(),
            list,
            net,
            on_demand,
            charges: by_sku.into_values().map(ChargeSum::finish).collect(),
            shares,
            weights: self.weights(std::iter::once(row.shape.0)),
            lines,
        })
    }
}

/// How long a node was metered, for people.
pub(super) fn hours(lines: &[ChargeSum]) -> Option<f64> {
    lines.iter().filter(|c| c.of.charge == "instance").map(|c| c.of.quantity).reduce(|a, b| a + b)
}
