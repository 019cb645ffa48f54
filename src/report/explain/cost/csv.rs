//! A cost story as CSV.

use super::book::Amount;
use super::{CostStory, Of};
use crate::report::text;
use crate::{Error, Result};

/// One row a line, share or distributed part; charges by price, which are
/// within the shares, are not repeated. Columns:
///
/// `section` (`line`, `share`, `distributed`), `resource`, `owner`, `item`
/// (price or step), `hour`, `quantity`, `unit`, `rate`, `list_usd`, `cpu_usd`,
/// `memory_usd`, `other_usd`, `usd`. The rows of one section sum to the net or
/// direct cost; those of `distributed` to what is borne of shared cost.
pub(super) fn rows(story: &CostStory) -> Result<String> {
    let failed = |e: &dyn std::fmt::Display| {
        Error::failed(format!("cannot write the explanation as CSV: {e}"))
    };
    let mut csv = ::csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "section",
        "resource",
        "owner",
        "item",
        "hour",
        "quantity",
        "unit",
        "rate",
        "list_usd",
        "cpu_usd",
        "memory_usd",
        "other_usd",
        "usd",
    ])
    .map_err(|e| failed(&e))?;
    let none = String::new;
    let share = |resource: &str, owner: &str, step: &str, a: &Amount| -> [String; 13] {
        [
            "share".to_owned(),
            text::csv_cell(resource),
            text::csv_cell(owner),
            step.to_owned(),
            none(),
            none(),
            none(),
            none(),
            none(),
            a.cpu.to_string(),
            a.memory.to_string(),
            a.other.to_string(),
            a.total.to_string(),
        ]
    };
    let mut rows: Vec<[String; 13]> = Vec::new();
    match &story.of {
        Of::Node(node) => {
            for line in &node.lines {
                rows.push([
                    "line".to_owned(),
                    text::csv_cell(&node.name),
                    none(),
                    text::csv_cell(&line.of.sku),
                    line.hour.clone(),
                    line.of.quantity.to_string(),
                    line.of.unit.to_owned(),
                    line.of.rate.to_string(),
                    line.of.list.to_string(),
                    none(),
                    none(),
                    none(),
                    line.of.net.to_string(),
                ]);
            }
            for s in &node.shares {
                rows.push(share(&node.name, &s.owner, s.step, &s.amount));
            }
        }
        Of::Workload(owner) | Of::Namespace(owner) => {
            for resource in &owner.resources {
                for step in &resource.steps {
                    rows.push(share(&resource.resource, &owner.name, step.step, &step.amount));
                }
            }
            for d in &owner.distributed {
                let mut row = share("", &owner.name, "", &Amount::default());
                "distributed".clone_into(&mut row[0]);
                row[1] = text::csv_cell(d.pool.as_deref().unwrap_or("(no pool)"));
                row[9..12].iter_mut().for_each(String::clear);
                row[12] = d.part.to_string();
                rows.push(row);
            }
        }
        Of::Label(label) => {
            for g in &label.groups {
                let amount = Amount { total: g.net, ..Amount::default() };
                rows.push(share("", &g.name, "", &amount));
            }
        }
    }
    for row in rows {
        csv.write_record(&row).map_err(|e| failed(&e))?;
    }
    let bytes = csv.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}
