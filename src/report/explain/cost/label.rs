//! The whole bill by the values of a label.

use serde::Serialize;

use crate::bill::{Bill, BillingPlan};
use crate::report::text;
use crate::units::Money;

/// The whole bill by the values of a label.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LabelCost {
    pub(super) label: String,
    /// Who bears what no pod requested, as the scenario has it.
    pub(super) idle: &'static str,
    pub(super) system_reserve: &'static str,
    pub(super) daemonsets: &'static str,
    pub(super) shared: &'static str,
    /// The most expensive first.
    pub(super) groups: Vec<LabelGroup>,
}

/// Of one value of a label, or of what is kept apart.
#[derive(Debug, Clone, Serialize)]
pub(super) struct LabelGroup {
    pub(super) name: String,
    pub(super) net: Money,
}

impl LabelCost {
    /// By the values of one label of `allocation.by-label`.
    pub(super) fn of(bill: &Bill, plan: &BillingPlan, label: &str) -> LabelCost {
        let rules = plan.label_groupings.iter().find(|g| g.label == label);
        let rules = rules.map(|r| r.policy).unwrap_or_default();
        let groups = bill.by_label.get(label).into_iter().flatten();
        let mut groups: Vec<LabelGroup> =
            groups.map(|(name, net)| LabelGroup { name: text::name(name), net: *net }).collect();
        groups.sort_by(|a, b| b.net.cmp(&a.net).then_with(|| a.name.cmp(&b.name)));
        LabelCost {
            label: text::name(label),
            idle: rules.idle.name(),
            system_reserve: rules.system.name(),
            daemonsets: rules.daemons.name(),
            shared: rules.shared.name(),
            groups,
        }
    }
}
