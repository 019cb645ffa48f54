//! CloudWatch: Container Insights and logs.

use super::Around;
use crate::bill::{Amount, AroundCharge, Basis, Charge, Price, Pricing, Target, Unit};
use crate::catalog::ChargeItem;
use crate::plan::notes::Notes;
use crate::scenario::{Measured, MetricCount, Spanned, WorkloadKind};
use crate::units::{Bytes, HOUR_MS};

/// Most bytes of logs that one node or pod can be said to write in an hour.
const MAX_BYTES: i64 = 1 << 45;

/// A price and what it is for.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    charge: Charge,
    unit: Unit,
    price: Price,
    /// Milliseconds for which one is counted.
    per: i64,
}

impl Around<'_> {
    /// Container Insights: custom metrics by the hour, or observations.
    ///
    /// DIFFERENCE: all metrics cost what the first 10,000 of an account do.
    pub(super) fn container_insights(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let Some(it) = &self.scenario.charges.container_insights else { return Vec::new() };
        let mut charges = Vec::new();
        let kinds = [
            (&it.metrics, ("metrics", ChargeItem::CustomMetric, Unit::MetricMonths, 1)),
            (
                &it.observations,
                (
                    "observations",
                    ChargeItem::ContainerInsightsObservations,
                    Unit::MillionObservations,
                    HOUR_MS,
                ),
            ),
        ];
        for (given, (name, item, unit, per)) in kinds {
            let Some(given) = given else { continue };
            let Measured { per_cluster, per_node, per_pod } = given;
            let Some(span) = per_cluster.or(*per_node).or(*per_pod).map(|n| n.span) else {
                continue;
            };
            let Some(price) = self.price(item, span, notes) else { continue };
            let charge = Charge::ContainerInsights;
            let kind = Kind { name, charge, unit, price, per };
            let count = |n: Option<Spanned<MetricCount>>| n.map_or(0, |n| n.value.get() as i64);
            charges.extend(kind.one("of the cluster", Basis::Time, count(*per_cluster)));
            charges.extend(kind.one("of nodes", Basis::Nodes, count(*per_node)));
            charges.extend(self.per_pod(kind, count(*per_pod)));
        }
        charges
    }

    /// What CloudWatch Logs takes in.
    pub(super) fn logs(&self, notes: &mut Notes<'_>) -> Vec<AroundCharge> {
        let Some(it) = &self.scenario.charges.logs else { return Vec::new() };
        let Some(first) = it.per_node_hour.or(it.per_pod_hour) else { return Vec::new() };
        let price = self.price(ChargeItem::LogsIngestion, first.span, notes);
        let Some(price) = price else { return Vec::new() };
        let (charge, unit) = (Charge::LogIngestion, Unit::Gb);
        let kind = Kind { name: "logs", charge, unit, price, per: HOUR_MS };
        let mut bytes = |given: Option<Spanned<Bytes>>| match given {
            Some(given) if !(0..=MAX_BYTES).contains(&given.value.0) => {
                notes.diags.error(given.span, "between 0 and 32Ti can be stated");
                0
            }
            Some(given) => given.value.0,
            None => 0,
        };
        let (nodes, pods) = (bytes(it.per_node_hour), bytes(it.per_pod_hour));
        let mut charges: Vec<AroundCharge> =
            kind.one("of nodes", Basis::Nodes, nodes).into_iter().collect();
        charges.extend(self.per_pod(kind, pods));
        charges
    }

    /// A charge for each workload whose pods are counted.
    fn per_pod(&self, kind: Kind, amount: i64) -> Vec<AroundCharge> {
        let mut charges = Vec::new();
        for (name, workload) in self.scenario.workload.iter() {
            let Some(id) = self.id(&name.value) else { continue };
            if matches!(workload.kind, WorkloadKind::DaemonSet(_)) {
                continue;
            }
            let of = format!("of pods of {}", name.value);
            let charge = kind.one(&of, Basis::Pods(id), amount);
            charges.extend(charge.map(|c| AroundCharge {
                resource: name.value.clone(),
                target: Target::Workload(id),
                ..c
            }));
        }
        charges
    }
}

impl Kind {
    fn one(self, of: &str, basis: Basis, amount: i64) -> Option<AroundCharge> {
        let denominator = i128::from(self.per);
        let amount = Amount { basis, numerator: amount.into(), denominator };
        let (name, pricing) = (format!("{} {of}", self.name), Pricing::Flat(self.price));
        let of = (self.charge, self.unit);
        (amount.numerator > 0).then(|| AroundCharge::new(name, of, amount, pricing, Target::Shared))
    }
}
