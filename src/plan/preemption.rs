//! Whether pods can preempt others, and what has no effect where none can.

use crate::scenario::{Diagnostics, Resolved};
use crate::workload::generate::GeneratorSpec;
use crate::workload::plan::{Content, PlannedWorkload};

/// Whether some pod may preempt another: one of a higher priority that is not
/// to be `Never`. Pods of `DaemonSet`s neither preempt nor are preempted.
pub(super) fn possible(planned: &[PlannedWorkload]) -> bool {
    let mut lowest = i32::MAX;
    let mut highest = i32::MIN;
    for workload in planned {
        let (priorities, rules) = match &workload.content {
            // A trace that was not read.
            Content::Trace(it) if it.shapes.is_empty() => return true,
            Content::Trace(it) => (it.shapes.iter().map(|s| s.priority).collect(), &it.rules),
            Content::Generator(GeneratorSpec { priority, rules, .. }) => (vec![*priority], rules),
            Content::Service(it) => (vec![it.pod.priority], &it.rules),
            Content::Daemon(_) => continue,
        };
        for priority in priorities {
            lowest = lowest.min(priority);
            if !rules.never_preempts {
                highest = highest.max(priority);
            }
        }
    }
    highest > lowest
}

/// Warns of what acts in preemption alone, where there is none.
pub(super) fn warn_of_unused(resolved: &[Resolved], diags: &mut Diagnostics) {
    let why = "it acts in preemption alone, and no pod can preempt another: compare \
               priorities and `preemptionPolicy`";
    let budget = resolved
        .iter()
        .find_map(|r| r.scenario.kubernetes.pod_disruption_budgets.iter().next())
        .map(|(name, _)| name.span);
    let shutdown = resolved
        .iter()
        .flat_map(|r| r.scenario.workload.iter())
        .find_map(|(_, workload)| workload.shutdown.map(|s| s.span));
    for (code, key, span) in [
        ("unused-budgets", "podDisruptionBudgets", budget),
        ("unused-shutdown", "shutdown", shutdown),
    ] {
        if let Some(span) = span {
            diags.warning(code, span, format!("`{key}` has no effect: {why}"));
        }
    }
}
