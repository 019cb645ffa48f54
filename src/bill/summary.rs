//! The `cost` part of `summary.json`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::SerializeMap;

use super::commitment_use::CommitmentUse;
use super::model::{Bill, ByName, Unit};
use super::waterfall::StepCost;
use crate::units::Money;

/// A bill as `summary.json` shows it: stable keys, money as exact decimal
/// strings.
#[derive(Debug, Clone, Serialize)]
pub struct CostSummary<'a> {
    currency: &'static str,
    total: Money,
    cash_total: Money,
    list_total: Money,
    /// Taken off list prices to come to `list_total`; absent without
    /// negotiated discounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_saving: Option<Money>,
    monthly: Option<Money>,
    monthly_extrapolated: bool,
    by_pool: &'a ByName,
    by_purchase: &'a ByName,
    by_charge: &'a ByName,
    by_namespace: &'a ByName,
    by_workload: &'a ByName,
    fully_loaded_by_workload: &'a ByName,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    by_label: &'a BTreeMap<String, ByName>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    allocated_by_namespace: &'a ByName,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    allocated_by_workload: &'a ByName,
    by_price_status: &'a ByName,
    #[serde(serialize_with = "steps")]
    waterfall: &'a [StepCost],
    commitment: Commitment,
    /// What the money of `fargate-rounding` bought; absent without Fargate.
    #[serde(skip_serializing_if = "Option::is_none")]
    fargate_rounding: Option<Rounding>,
    /// Node-hours of whose surplus credits nothing is known; absent where
    /// there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    surplus_credits_unknown_node_hours: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct Rounding {
    vcpu_hours: f64,
    gb_hours: f64,
}

impl Rounding {
    fn of(bill: &Bill) -> Option<Rounding> {
        let [cpu, memory] = bill.fargate_rounding.map(|amount| amount as f64);
        (bill.fargate_count > 0).then(|| Rounding {
            vcpu_hours: cpu / Unit::VcpuHours.per() as f64,
            gb_hours: memory / Unit::GbHours.per() as f64,
        })
    }
}

#[derive(Debug, Clone, Serialize)]
struct Commitment {
    committed: Money,
    used: Money,
    /// By other usage of the payer; absent where none is stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by_others: Option<Money>,
    unused: Money,
    covered_on_demand: Money,
    eligible_on_demand: Money,
    cash: Money,
    total_if_unused_is_absorbed: Money,
    cash_total_if_unused_is_absorbed: Money,
    each: Vec<OneCommitment>,
}

#[derive(Debug, Clone, Serialize)]
struct OneCommitment {
    name: String,
    kind: &'static str,
    committed: Money,
    used: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    used_by_others: Option<Money>,
    unused: Money,
    covered_on_demand: Money,
    upfront: Money,
    recurring: Money,
}

impl OneCommitment {
    fn of(it: &CommitmentUse, other_usage: bool) -> Self {
        OneCommitment {
            name: it.name.clone(),
            kind: it.kind.name(),
            committed: it.committed,
            used: it.used,
            used_by_others: other_usage.then_some(it.used_by_others),
            unused: it.unused,
            covered_on_demand: it.covered_on_demand,
            upfront: it.upfront,
            recurring: it.recurring,
        }
    }
}

fn steps<S: serde::Serializer>(steps: &&[StepCost], s: S) -> Result<S::Ok, S::Error> {
    let mut map = s.serialize_map(Some(steps.len()))?;
    for step in *steps {
        map.serialize_entry(step.step.name(), &step.amount())?;
    }
    map.end()
}

impl Bill {
    /// The bill as `summary.json` shows it.
    #[must_use]
    pub fn summary(&self) -> CostSummary<'_> {
        let others = self.commitment.other_usage;
        CostSummary {
            currency: "USD",
            total: self.total,
            cash_total: self.cash_total,
            list_total: self.list_total,
            discount_saving: self.has_discounts().then_some(self.discount_saving),
            monthly: self.monthly.map(|m| m.amount),
            monthly_extrapolated: self.monthly.is_some_and(|m| m.extrapolated),
            by_pool: &self.by_pool,
            by_purchase: &self.by_purchase,
            by_charge: &self.by_charge,
            by_namespace: &self.by_namespace,
            by_workload: &self.by_workload,
            fully_loaded_by_workload: &self.fully_loaded_by_workload,
            by_label: &self.by_label,
            allocated_by_namespace: &self.allocated_by_namespace,
            allocated_by_workload: &self.allocated_by_workload,
            by_price_status: &self.by_price_status,
            waterfall: &self.waterfall,
            fargate_rounding: Rounding::of(self),
            surplus_credits_unknown_node_hours: (self.credits_unknown_ms > 0)
                .then(|| self.credits_unknown_ms as f64 / crate::units::HOUR_MS as f64),
            commitment: Commitment {
                committed: self.commitment.committed(),
                used: self.commitment.used(),
                used_by_others: others.then(|| self.commitment.used_by_others()),
                unused: self.commitment.unused(),
                covered_on_demand: self.commitment.covered_on_demand(),
                eligible_on_demand: self.commitment.eligible_on_demand,
                cash: self.commitment.cash(),
                total_if_unused_is_absorbed: self.bounds().0,
                cash_total_if_unused_is_absorbed: self.cash_bounds().0,
                each: self.commitment.each.iter().map(|it| OneCommitment::of(it, others)).collect(),
            },
        }
    }
}
