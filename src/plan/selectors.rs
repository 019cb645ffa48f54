//! Selectors that mean no pods of the scenario.

use super::constraints::{HASH, pairs, selector};
use super::notes::Notes;
use crate::scenario::{self, Scenario, Span, quote};
use crate::workload::constraints::{LabelSelector, Requirement};

/// Objects that a warning names; the others are counted.
const NAMED: usize = 3;

/// Warns of Services, disruption budgets and required pod affinity whose
/// selectors match the labels of no workload. Namespaces are not looked at,
/// as rows of traces state their own: what is warned of is certain.
pub(super) fn warn(scenario: &Scenario, notes: &mut Notes<'_>) {
    let labels: Vec<_> = scenario.workload.iter().map(|(_, w)| pairs(&w.labels)).collect();
    let nothing = |it: &LabelSelector| {
        // The label that Deployments add has a value of theirs.
        !it.requirements.iter().any(|r| r.key == HASH) && !labels.iter().any(|l| it.matches(l))
    };
    let equal = |it: &scenario::Labels| LabelSelector {
        requirements: it.iter().map(|(k, v)| Requirement::equals(&k.value, &v.value.0)).collect(),
    };
    let objects = &scenario.kubernetes;
    let services: Vec<(&str, Span)> = objects
        .services
        .iter()
        .filter(|(_, service)| nothing(&equal(&service.selector)))
        .map(|(name, _)| (name.value.as_str(), name.span))
        .collect();
    let budgets: Vec<(&str, Span)> = objects
        .pod_disruption_budgets
        .iter()
        .filter(|(_, budget)| nothing(&selector(&budget.selector)))
        .map(|(name, _)| (name.value.as_str(), name.span))
        .collect();
    for (kind, found) in [("Service", services), ("PodDisruptionBudget", budgets)] {
        let Some((_, span)) = found.first() else { continue };
        let mut names: Vec<String> = found.iter().take(NAMED).map(|(n, _)| quote(n)).collect();
        if found.len() > NAMED {
            names.push(format!("{} more", found.len() - NAMED));
        }
        let (verb, s) = if found.len() == 1 { ("selects", "") } else { ("select", "s") };
        let message =
            format!("{kind}{s} {} {verb} no pods: no workload has such `labels`", names.join(", "));
        notes.diags.warning("selects-nothing", *span, message);
    }
    for (name, workload) in scenario.workload.iter() {
        let near = workload.affinity.as_ref().and_then(|a| a.value.pod_affinity.as_ref());
        for term in near.iter().flat_map(|a| &a.required) {
            if term.label_selector.as_ref().is_some_and(|it| nothing(&selector(it))) {
                let message = format!(
                    "{} must be near pods that do not exist: no workload has the labels of a \
                     required term of its `podAffinity`",
                    quote(&name.value)
                );
                notes.diags.warning("selects-nothing", term.topology_key.span, message);
            }
        }
    }
}
