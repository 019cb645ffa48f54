//! A node's cost in words and tables.

use super::{amounts, charges, weights};
use crate::report::explain::blocks::Block;
use crate::report::explain::cost::charges::hours;
use crate::report::explain::cost::node::NodeCost;
use crate::report::text;

pub(super) fn blocks(node: &NodeCost, place: &str, window: &str, commitments: bool) -> Vec<Block> {
    let mut blocks = vec![
        Block::heading(format!(
            "Node {}: {}, {}, {}; {place}",
            node.name, node.kind, node.zone, node.purchase
        )),
        Block::text(window),
        Block::text(life(node)),
        Block::heading("Lines of the bill, added up by price"),
    ];
    // Both columns only where they can differ.
    let with_list = commitments && node.list != node.net;
    blocks.push(charges(&node.charges, with_list));
    if with_list {
        blocks.push(Block::text(format!("exactly {} USD before commitments", node.list)));
    }
    blocks.push(Block::heading("Whose it is"));
    let rows: Vec<_> =
        node.shares.iter().map(|s| (vec![s.owner.clone(), s.step.to_owned()], s.amount)).collect();
    blocks.extend(amounts(vec!["owner", "step"], &rows, node.net));
    blocks.extend(weights(&node.weights));
    blocks
}

fn life(node: &NodeCost) -> String {
    let mut parts = Vec::new();
    for (what, at) in [
        ("asked for", &node.requested),
        ("running", &node.running),
        ("Ready", &node.ready),
        ("cordoned", &node.draining),
        (if node.end == "reclaimed" { "reclaimed" } else { "terminated" }, &node.shutting_down),
    ] {
        if let Some(at) = at {
            parts.push(format!("{what} {at}"));
        }
    }
    if node.end == "running" && node.running.is_some() {
        parts.push("still running at the end".to_owned());
    }
    if let Some(hours) = hours(&node.charges) {
        parts.push(format!("{} h metered in the window", text::grouped(hours, 3)));
    }
    parts.join("; ")
}
