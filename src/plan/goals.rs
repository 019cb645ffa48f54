//! Goals: that the workloads they name exist.

use super::model::{Bound, Goal};
use super::notes::Notes;
use crate::scenario::{self, Scenario, WorkloadKind, quote};

/// Links `goals`, reporting references that lead nowhere.
pub(super) fn link(scenario: &Scenario, notes: &mut Notes<'_>) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (name, goal) in scenario.goals.iter() {
        let bound = match goal {
            scenario::Goal::MonthlyUsd(money) => Bound::MonthlyUsd(money.value),
            scenario::Goal::Pending(pending, scope) => {
                let workload = &scope.workload;
                match scenario.workload.get(workload).map(|w| &w.kind) {
                    None => {
                        notes
                            .diags
                            .error(
                                workload.span,
                                format!("there is no workload {}", quote(workload)),
                            )
                            .suggest(workload, scenario.workload.names());
                    }
                    Some(WorkloadKind::DaemonSet(_)) => {
                        notes.diags.error(
                            workload.span,
                            format!(
                                "{} is a DaemonSet, whose pods start with their nodes",
                                quote(workload)
                            ),
                        );
                    }
                    Some(_) => {}
                }
                let (quantile, at_most) = pending.quantile_and_bound();
                Bound::Pending {
                    workload: workload.value.clone(),
                    quantile,
                    at_most: at_most.value,
                }
            }
        };
        goals.push(Goal { name: name.value.clone(), bound });
    }
    goals
}
