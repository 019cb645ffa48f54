//! One node's, workload's or namespace's dollars, down to lines.
//!
//! A node: its bill lines, which sum to its net cost, and who got which part
//! of it, which sums to the same. A workload or namespace: on what its parts
//! lie, what became of them, and (for a workload) what it bears of shared
//! cost. All sums are checked before anything is shown.
//!
//! Cost: the bill once more, and one pass over its lines.

mod book;
mod charges;
mod csv;
mod label;
mod node;
mod owner;
mod text;

use serde::Serialize;

use self::book::Book;
use self::label::LabelCost;
use self::node::NodeCost;
use self::owner::OwnerCost;
use super::super::Format;
use super::super::text::name as safe;
use super::{CellFacts, Head, blocks, json, unix, unknown};
use crate::bill::{Bill, BillingPlan, Focus, Resource};
use crate::units::Money;
use crate::workload::{NamespaceId, WorkloadId};
use crate::{Error, Result};

/// Whose cost is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject<'a> {
    /// A node, by pool and launch number: `general/3`.
    Node(&'a str),
    /// A workload.
    Workload(&'a str),
    /// A namespace.
    Namespace(&'a str),
    /// The groups of a label of `allocation.by-label`.
    Label(&'a str),
}

/// What a cost is made of.
#[derive(Debug, Clone, Serialize)]
pub struct CostStory {
    #[serde(flatten)]
    head: Head,
    currency: &'static str,
    /// The cost window.
    from: String,
    to: String,
    /// Whether some commitment takes part in the bill, so that list and net
    /// may differ.
    commitments: bool,
    /// What the whole bill comes to.
    bill_total: Money,
    #[serde(flatten)]
    of: Of,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "lowercase")]
enum Of {
    Node(Box<NodeCost>),
    Workload(Box<OwnerCost>),
    Namespace(Box<OwnerCost>),
    Label(Box<LabelCost>),
}

/// Explains what the subject costs.
///
/// # Errors
/// A subject that does not exist, naming the nearest; a bill that cannot be
/// made.
pub fn cost(cell: CellFacts<'_>, plan: &BillingPlan, subject: Subject<'_>) -> Result<CostStory> {
    let focus = match subject {
        Subject::Node(name) => Focus::Resource(Resource::Node(find_node(cell, name)?)),
        Subject::Workload(name) => {
            let names = cell.workloads.workloads.iter().map(|w| w.name.as_str());
            Focus::Workload(WorkloadId(find("workload", name, names)?))
        }
        Subject::Namespace(name) => {
            let names = cell.workloads.namespaces.iter().map(String::as_str);
            Focus::Namespace(NamespaceId(find("namespace", name, names)?))
        }
        Subject::Label(label) => {
            let labels = plan.label_groupings.iter().map(|g| g.label.as_str());
            if labels.len() == 0 {
                return Err(Error::input(
                    "no label groups this bill\n  = help: name labels in the scenario, as in \
                     allocation: { by-label: { team: {} } }",
                ));
            }
            find("label of allocation.by-label", label, labels)?;
            // Groups are sums of the whole bill: no part is looked at.
            Focus::Resource(Resource::Cluster)
        }
    };
    let (bill, parts) = Bill::explain(cell.record, cell.cluster, cell.workloads, plan, focus)?;
    let book = Book { cell, plan, bill: &bill, parts: &parts };
    let of = match focus {
        Focus::Resource(Resource::Node(node)) => Of::Node(Box::new(book.node(node)?)),
        Focus::Workload(id) => Of::Workload(Box::new(book.workload(id)?)),
        Focus::Namespace(id) => Of::Namespace(Box::new(book.namespace(id)?)),
        Focus::Resource(_) => match subject {
            Subject::Label(label) => Of::Label(Box::new(LabelCost::of(&bill, plan, label))),
            _ => return Err(Error::failed("only nodes are explained by name")),
        },
    };
    Ok(CostStory {
        head: cell.head(),
        currency: "USD",
        from: unix(bill.from_unix_ms).unwrap_or_default(),
        to: unix(bill.to_unix_ms).unwrap_or_default(),
        commitments: !plan.commitments.is_empty(),
        bill_total: bill.total,
        of,
    })
}

impl CostStory {
    /// What the whole bill comes to.
    #[must_use]
    pub fn bill_total(&self) -> Money {
        self.bill_total
    }

    /// As text in the format asked for.
    ///
    /// # Errors
    /// None in practice: where a writer to memory fails.
    pub fn show(&self, format: Format) -> Result<String> {
        match format {
            Format::Table => Ok(blocks::terminal(&text::blocks(self))),
            Format::Markdown => Ok(blocks::markdown(&text::blocks(self))),
            Format::Json => json(self),
            Format::Csv => csv::rows(self),
        }
    }
}

fn find<'a>(
    what: &str,
    name: &str,
    mut names: impl Iterator<Item = &'a str> + Clone,
) -> Result<u32> {
    let all = names.clone();
    let found = names.position(|n| n == name);
    found.map(|i| i as u32).ok_or_else(|| unknown(what, name, all))
}

fn find_node(cell: CellFacts<'_>, name: &str) -> Result<u32> {
    let pools = cell.cluster.pools.iter().map(|p| p.name.as_str());
    let Some((pool_name, ordinal)) = name.rsplit_once('/') else {
        return Err(Error::input(format!(
            "`{}` is no name of a node\n  = help: write pool/number, as in {}/0",
            safe(name),
            pools.clone().next().map_or_else(|| "general".to_owned(), safe)
        )));
    };
    let pool = find("pool of nodes", pool_name, pools)?;
    let of_pool = |i: &u32| cell.record.nodes[*i as usize].pool.0 == pool;
    let nodes: Vec<u32> = (0..cell.record.nodes.len() as u32).filter(of_pool).collect();
    let index = ordinal.parse::<usize>().ok();
    index.and_then(|i| nodes.get(i).copied()).ok_or_else(|| {
        let pool = safe(pool_name);
        let help = match nodes.len() {
            0 => format!("{pool} launched no node"),
            1 => format!("{pool} launched one node: {pool}/0"),
            n => format!("{pool} launched {n} nodes: {pool}/0 to {pool}/{}", n - 1),
        };
        Error::input(format!("there is no node `{}`\n  = help: {help}", safe(name)))
    })
}
