//! `summary.json`: the first seed of one case under stable keys, plus
//! intervals over all seeds.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use super::compare::Metric;
use super::model::{Input, SCHEMA_VERSION, Study};
use super::outcome::{GoalResult, LowerBound, NodeCounts, Pods, Utilisation, WaitSummary};
use super::stats::Estimate;
use crate::bill::CostSummary;
use crate::units::Money;
use crate::{Error, Result};

/// One case as `summary.json` shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Summary<'a> {
    schema_version: u32,
    plimsoll_version: &'a str,
    scenario: &'a str,
    case: &'a str,
    seed: u64,
    inputs: &'a [Input],
    price_dates: &'a BTreeMap<String, String>,
    events: u64,
    pods: &'a Pods,
    pending_s: &'a WaitSummary,
    ready_s: &'a WaitSummary,
    utilisation: &'a Utilisation,
    nodes: &'a NodeCounts,
    cost: CostSummary<'a>,
    lower_bound: Option<Floor>,
    goals: &'a [GoalResult],
    intervals: BTreeMap<&'static str, Interval>,
}

/// What compute cannot cost less than.
#[derive(Debug, Clone, Copy, Serialize)]
struct Floor {
    /// Instances and Fargate at list price, before commitments and credits.
    compute: Money,
    /// The least they cost, however the same pods are placed on what the
    /// pools may launch.
    lower_bound: Money,
    /// The share that could be saved at most.
    gap: Option<f64>,
}

impl Floor {
    fn of(it: LowerBound) -> Floor {
        Floor { compute: it.compute, lower_bound: it.bound, gap: it.gap() }
    }
}

/// A mean over seeds with its 95 % interval, which covers simulation noise
/// only; one seed has none.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Interval {
    unit: &'static str,
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    seeds: usize,
}

impl Interval {
    /// Of an estimate of a metric.
    pub(super) fn new(metric: Metric, e: &Estimate) -> Interval {
        Interval { unit: metric.unit(), mean: e.mean, low: e.low(), high: e.high(), seeds: e.n }
    }
}

impl Study {
    /// The summary of a case; `None` where its first seed was not run.
    #[must_use]
    pub fn summary(&self, case: usize) -> Option<Summary<'_>> {
        let of = self.cases.get(case)?;
        let first = of.outcomes.first()?.as_ref()?;
        let detail = of.detail.as_ref()?;
        let intervals = Metric::ALL
            .into_iter()
            .filter_map(|metric| {
                Some((metric.name(), Interval::new(metric, &self.estimate(case, metric)?)))
            })
            .collect();
        Some(Summary {
            schema_version: SCHEMA_VERSION,
            plimsoll_version: &self.plimsoll_version,
            scenario: &self.scenario,
            case: &of.name,
            seed: first.seed,
            inputs: &self.inputs,
            price_dates: &self.price_dates,
            events: first.events,
            pods: &first.pods,
            pending_s: &first.pending_s,
            ready_s: &first.ready_s,
            utilisation: &first.utilisation,
            nodes: &first.nodes,
            cost: detail.bill.summary(),
            lower_bound: first.lower_bound.map(Floor::of),
            goals: &first.goals,
            intervals,
        })
    }
}

impl Summary<'_> {
    /// Writes it as indented JSON with a final newline.
    pub fn write(&self, mut out: impl Write) -> Result<()> {
        let failed =
            |e: &dyn std::fmt::Display| Error::failed(format!("cannot write summary: {e}"));
        serde_json::to_writer_pretty(&mut out, self).map_err(|e| failed(&e))?;
        writeln!(out).map_err(|e| failed(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::Bill;
    use crate::sweep::detail::Detail;
    use crate::sweep::model::CaseStudy;
    use crate::sweep::outcome::{CostTotals, Outcome};
    use std::sync::Arc;

    #[test]
    fn keys_are_stable() {
        let outcome = |seed, pico| Outcome {
            seed,
            cost: CostTotals { total: Money::from_pico(pico), ..CostTotals::default() },
            ..Outcome::default()
        };
        let bill = Bill { total: Money::from_pico(1), ..Bill::default() };
        let study = Study {
            scenario: "s".to_owned(),
            plimsoll_version: "0.1.0".to_owned(),
            seeds: vec![4, 5],
            cases: vec![CaseStudy {
                name: "c".to_owned(),
                detail: Some(Detail { bill: Arc::new(bill), ..Detail::default() }),
                outcomes: vec![Some(outcome(4, 1)), Some(outcome(5, 1))],
                ..CaseStudy::default()
            }],
            ..Study::default()
        };
        let mut out = Vec::new();
        study.summary(0).expect("first seed").write(&mut out).expect("written");
        let json: serde_json::Value = serde_json::from_slice(&out).expect("json");
        let keys = |value: &serde_json::Value| {
            value.as_object().expect("object").keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            keys(&json),
            "schema_version plimsoll_version scenario case seed inputs price_dates events pods \
             pending_s ready_s utilisation nodes cost lower_bound goals intervals"
        );
        assert_eq!(
            keys(&json["pods"]),
            "submitted started finished evicted interrupted rejected rejected_by_reason \
             pending_at_end repeated_core_hours unserved_core_hours"
        );
        assert_eq!(keys(&json["pending_s"]), "mean p50 p90 p95 p99 max censored");
        assert_eq!(
            keys(&json["utilisation"]["cpu"]),
            "requested_of_allocatable used_of_allocatable used_of_requested"
        );
        assert_eq!(keys(&json["nodes"]), "launched peak node_hours by_type");
        for key in [
            "currency",
            "total",
            "monthly",
            "by_pool",
            "by_purchase",
            "by_charge",
            "by_namespace",
            "by_workload",
            "by_price_status",
            "waterfall",
        ] {
            assert!(json["cost"].get(key).is_some(), "{key}");
        }
        assert_eq!(json["seed"], 4);
        assert_eq!(json["cost"]["total"], "0.000000000001");
        assert!(json["pending_s"]["p95"].is_null());
        assert_eq!(json["intervals"]["cost"]["seeds"], 2);
        assert_eq!(out.last(), Some(&b'\n'));
        assert!(study.summary(1).is_none());
    }
}
