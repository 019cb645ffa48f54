//! How the bill is grouped, and who bears what nobody requested.

use std::collections::BTreeMap;

use super::notes::Notes;
use crate::bill::{AllocationPolicy, Daemons, Idle, LabelGrouping, Shared};
use crate::scenario::{self, DaemonSetCost, IdleCost, Scenario, SharedCost, quote};

/// Links the groupings by label of a scenario.
pub(super) fn by_label(scenario: &Scenario, notes: &mut Notes<'_>) -> Vec<LabelGrouping> {
    let groupings = scenario.allocation.by_label.iter();
    groupings
        .map(|(label, it)| {
            let values = |labels: &scenario::Labels| {
                let found = labels.iter().find(|(key, _)| key.value == label.value);
                found.map(|(_, value)| value.value.0.clone())
            };
            let of_workload: BTreeMap<String, String> = scenario
                .workload
                .iter()
                .filter_map(|(name, w)| Some((name.value.clone(), values(&w.labels)?)))
                .collect();
            let of_namespace: BTreeMap<String, String> = scenario
                .kubernetes
                .namespaces
                .iter()
                .filter_map(|(name, n)| Some((name.value.clone(), values(&n.labels)?)))
                .collect();
            if of_workload.is_empty() && of_namespace.is_empty() {
                notes.diags.warning(
                    "unknown-label",
                    label.span,
                    format!("no workload and no namespace carries the label {}", quote(label)),
                );
            }
            LabelGrouping {
                label: label.value.clone(),
                of_workload,
                of_namespace,
                policy: policy(it, &format!("allocation.by-label.{}", label.value), notes),
            }
        })
        .collect()
}

/// Links a policy.
pub(super) fn policy(
    it: &scenario::AllocationPolicy,
    path: &str,
    notes: &mut Notes<'_>,
) -> AllocationPolicy {
    let mut default = |key: &str, value: &str| {
        notes.default(format!("{path}.{key}"), value, "choice: as OpenCost does by default");
    };
    AllocationPolicy {
        idle: idle(it.idle.map(|i| i.value), "idle", &mut default),
        system: idle(it.system_reserve.map(|i| i.value), "system-reserve", &mut default),
        daemons: match it.daemonsets.map(|d| d.value) {
            Some(DaemonSetCost::Own) => Daemons::Own,
            Some(DaemonSetCost::ShareByPool) => Daemons::ShareByPool,
            None => {
                default("daemonsets", "own");
                Daemons::Own
            }
        },
        shared: match it.shared.map(|s| s.value) {
            Some(SharedCost::Keep) => Shared::Keep,
            Some(SharedCost::ByCost) => Shared::ByCost,
            Some(SharedCost::Evenly) => Shared::Evenly,
            None => {
                default("shared", "keep");
                Shared::Keep
            }
        },
    }
}

fn idle(given: Option<IdleCost>, key: &str, default: &mut impl FnMut(&str, &str)) -> Idle {
    match given {
        Some(IdleCost::Keep) => Idle::Keep,
        Some(IdleCost::ShareByPool) => Idle::ShareByPool,
        Some(IdleCost::Share) => Idle::Share,
        None => {
            default(key, "keep");
            Idle::Keep
        }
    }
}
