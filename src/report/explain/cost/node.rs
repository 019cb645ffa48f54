//! What a node costs, line by line, and whose it is.

use serde::Serialize;

use super::book::{Amount, Book, Weights, same};
use super::charges::{ChargeSum, Charged};
use crate::Result;
use crate::bill::PartOwner;
use crate::observe::NodeEnd;
use crate::report::explain::{CellFacts, unix};
use crate::report::text;
use crate::units::{HOUR_MS, Money};

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

impl Book<'_> {
    pub(super) fn node(&self, node: u32) -> Result<NodeCost> {
        let CellFacts { record, cluster, workloads, .. } = self.cell;
        let row = &record.nodes[node as usize];
        let ordinal = record.node_ordinals()[node as usize];
        let shape = &cluster.shapes[row.shape.index()];
        let mut lines = Vec::new();
        let [mut list, mut net, mut on_demand] = [Money::ZERO; 3];
        for i in self.lines_of(node) {
            let of = self.charged(i);
            (list, net, on_demand) = (list + of.list, net + of.net, on_demand + of.on_demand);
            lines.push(Line {
                hour: unix(i64::from(self.bill.lines.hour[i]) * HOUR_MS).unwrap_or_default(),
                of,
            });
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
            charges: self.charges(self.lines_of(node)),
            shares,
            weights: self.weights(std::iter::once(row.shape.0)),
            lines,
        })
    }
}
