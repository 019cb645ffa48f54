//! `NodeAffinity` (`plugins/nodeaffinity`, and
//! `component-helpers/scheduling/corev1/nodeaffinity`, 1.31): node selector,
//! required and preferred node affinity.

use super::super::profile::MAX_NODE_SCORE;
use crate::cluster::{Nodes, Slot};
use crate::workload::PodClass;
use crate::workload::constraints::{Constraints, NodeSelectorTerm, Operator, Requirement};

/// The only field that a term may ask for.
const NAME_FIELD: &str = "metadata.name";

/// Whether a term means the node. A term that states nothing means none.
#[must_use]
pub fn term_matches(nodes: &Nodes, slot: Slot, term: &NodeSelectorTerm) -> bool {
    if term.match_expressions.is_empty() && term.match_fields.is_empty() {
        return false;
    }
    let name = nodes.name(slot);
    term.match_expressions.iter().all(|r| r.matches(nodes.label(slot, &r.key)))
        && term.match_fields.iter().all(|r| r.matches((r.key == NAME_FIELD).then_some(name)))
}

/// Whether the node satisfies node selector and required affinity.
#[must_use]
pub fn required_matches(nodes: &Nodes, slot: Slot, class: &PodClass) -> bool {
    let selected =
        class.node_selector.iter().all(|(k, v)| nodes.label(slot, k) == Some(v.as_str()));
    let terms = class.constraints.as_ref().and_then(|c| c.required_nodes.as_ref());
    selected && terms.is_none_or(|terms| terms.iter().any(|t| term_matches(nodes, slot, t)))
}

/// The pod's alternatives cannot hold together: two names for one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamesConflict;

/// The nodes that required affinity names, where every alternative names some:
/// then no other node is looked at. Sorted.
///
/// # Errors
/// [`NamesConflict`] where no name satisfies any alternative.
pub fn named_nodes(constraints: &Constraints) -> Result<Option<Vec<&str>>, NamesConflict> {
    let Some(terms) = constraints.required_nodes.as_ref().filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let mut all: Vec<&str> = Vec::new();
    for term in terms {
        let mut of_term: Option<Vec<&str>> = None;
        for Requirement { key, operator, values } in &term.match_fields {
            if key != NAME_FIELD || *operator != Operator::In {
                continue;
            }
            let names: Vec<&str> = values.iter().map(String::as_str).collect();
            of_term = Some(match of_term {
                None => names,
                Some(before) => before.into_iter().filter(|n| names.contains(n)).collect(),
            });
        }
        match of_term {
            // Any node may satisfy this alternative.
            None => return Ok(None),
            Some(names) => all.extend(names),
        }
    }
    if all.is_empty() {
        return Err(NamesConflict);
    }
    all.sort_unstable();
    all.dedup();
    Ok(Some(all))
}

/// The sum of the weights of the preferences that the node satisfies.
#[must_use]
pub fn preferred_weight(nodes: &Nodes, slot: Slot, class: &PodClass) -> i64 {
    let Some(constraints) = &class.constraints else { return 0 };
    constraints
        .preferred_nodes
        .iter()
        .filter(|preference| term_matches(nodes, slot, &preference.term))
        .map(|preference| preference.weight)
        .sum()
}

/// A sum of weights normalised over the feasible nodes, whose largest is `max`.
#[must_use]
pub fn node_affinity_score(raw: i64, max: i64) -> i64 {
    if max == 0 { 0 } else { MAX_NODE_SCORE * raw / max }
}
